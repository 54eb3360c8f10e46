/* Metrics by name or object, and what all of them share. See metric.h. */
#include "nn/metrics/metric.h"

#include "base/mem.h"
#include "base/str.h"
#include "nn/layer.h"
#include "nn/metrics/mean.h"

#include <string.h>
#include <strings.h>

const kt_field kt_metric_plain_fields[] = {KT_METRIC_FIELDS(kt_metric_args)};
const kt_metric_args kt_metric_plain_defaults = {.size = sizeof(kt_metric_args)};

static const char *text_argument(const kt_component *c, const char *name) {
    for (const kt_field *f = c->cls->fields; f && f->type; f++)
        if (!strcmp(f->name, name))
            return *(const char *const *)((const char *)c->args + f->offset);
    return NULL;
}

kt_status kt_metric_init(kt_component *c, const char *fixed) {
    const char *name = text_argument(c, "name"), *dtype = text_argument(c, "dtype");
    if (dtype && kt_dtype_of(dtype) == KT_NO_DTYPE)
        return KT_FAIL(KT_EINVAL, "dtype: unknown name \"%.60s\"", dtype);
    if (!name) name = fixed;
    if (name) c->name = kt_strdup(name);
    return name && !c->name ? KT_ENOMEM : KT_OK;
}

void kt_metric_destroy(kt_component *c) {
    const kt_metric_state *s = c->state;
    for (int i = 0; i < s->n; i++) kt_release(s->var[i]);
}

kt_dtype kt_metric_dtype(const kt_component *c, kt_dtype fallback) {
    const char *dtype = text_argument(c, "dtype");
    if (dtype) return kt_dtype_of(dtype);
    return fallback == KT_NO_DTYPE ? kt_dtype_of(kt_floatx()) : fallback;
}

kt_status kt_metric_add_var(kt_component *c, const char *name, kt_dtype dtype, kt_shape shape) {
    kt_metric_state *s = c->state;
    KT_ASSERT(s->n < KT_METRIC_MAX_VARS);
    kt_var *v = kt_var_new(name, (kt_spec){dtype, shape}, false);
    if (kt_failed(v)) return kt_check(v);
    s->var[s->n++] = kt_adopt(v);
    return KT_OK;
}

kt_sym *kt_metric_value(const kt_component *c, int i) {
    return kt_value(kt_metric_vars(c)->var[i]);
}

kt_status kt_metric_add_to(kt_component *c, int i, kt_sym *x) {
    if (kt_failed(x)) return kt_check(x);
    kt_var *v = kt_metric_vars(c)->var[i];
    const kt_shape got = kt_sym_shape(x);
    if (kt_shape_equal(&got, &v->spec.shape))
        return kt_assign(v, kt_op_add(kt_value(v), kt_sym_cast(x, v->spec.dtype)));
    char want[KT_SHAPE_STR], is[KT_SHAPE_STR];
    KT_FAIL(KT_ESHAPE, "%s: this batch does not fit what was collected", kt_metric_name(c));
    kt_error_expected("%s", kt_shape_str(&v->spec.shape, want, sizeof want));
    return kt_error_got("%s", kt_shape_str(&got, is, sizeof is));
}

kt_sym *kt_sym_array(const double *v, kt_dtype dtype, kt_shape shape) {
    kt_graph *g = kt_tracer_current()->g;
    const int64_t n = kt_shape_size(&shape);
    void *data = kt_arena_alloc(g->arena, (size_t)n * kt_dtype_size(dtype));
    if (!data) return kt_fail_object(KT_ENOMEM);
    kt_elem_convert(data, dtype, v, KT_FLOAT64, n);
    return kt_wrap(kt_g_array(g, data, (kt_spec){dtype, shape}));
}

kt_status kt_metric_need_2d(const kt_component *c, const kt_shape *y_true, const kt_shape *y_pred) {
    char t[KT_SHAPE_STR], p[KT_SHAPE_STR];
    if (y_true->ndim == 2 && y_pred->ndim == 2 && y_true->dim[1] == y_pred->dim[1]) return KT_OK;
    KT_FAIL(KT_ESHAPE, "%s: shapes do not fit", c->cls->name);
    kt_error_expected("y_true and y_pred both (batch, outputs)");
    return kt_error_got(
        "y_true %s and y_pred %s",
        kt_shape_str(y_true, t, sizeof t),
        kt_shape_str(y_pred, p, sizeof p));
}

/* By name -------------------------------------------------------------------------------------- */

/* What "accuracy" or "crossentropy" is for these shapes; other names are themselves. */
static const char *by_shapes(const char *name, const kt_shape *y_true, const kt_shape *y_pred) {
    bool binary, sparse;
    const bool accuracy = !strcasecmp(name, "accuracy") || !strcasecmp(name, "acc");
    if (!accuracy && strcmp(name, "crossentropy") != 0 && strcmp(name, "ce") != 0) return name;
    kt_label_form(y_true, y_pred, &binary, &sparse);
    if (binary) return accuracy ? "binary_accuracy" : "binary_crossentropy";
    if (sparse) return accuracy ? "sparse_categorical_accuracy" : "sparse_categorical_crossentropy";
    return accuracy ? "categorical_accuracy" : "categorical_crossentropy";
}

kt_status kt_metric_get(
    kt_component **out, kt_ref ref, const kt_shape *y_true, const kt_shape *y_pred) {
    const bool named = ref && !kt_is_obj(ref);
    if (kt_is(ref, KT_KIND_LOSS) && !kt_failed(ref)) {
        *out = kt_metric_of_loss(ref);
        return kt_check(*out);
    }
    const char *name = named ? by_shapes(ref, y_true, y_pred) : NULL;
    const kt_status st = kt_component_get(
        out, named ? name : ref, KT_KIND_METRIC, kt_metric_registry(), "metrics");
    if (st || !named) return st;
    char *own = kt_strdup(ref); /* the logs say what the user wrote */
    if (!own) {
        kt_drop(*out);
        *out = NULL;
        return KT_ENOMEM;
    }
    kt_mem_free((*out)->name);
    (*out)->name = own;
    return KT_OK;
}

const char *kt_metric_name(kt_component *c) {
    if (!c->name) c->name = kt_auto_name(c->cls->name);
    return c->name ? c->name : "";
}

/* In the program ------------------------------------------------------------------------------- */

kt_status kt_metric_update(kt_component *c, kt_sym *y_true, kt_sym *y_pred, kt_sym *weight) {
    const kt_metric_class *cls = (const kt_metric_class *)c->cls;
    kt_sym *const all[] = {y_true, y_pred, weight};
    for (int i = 0; i < 3; i++)
        if (all[i] && kt_failed(all[i])) return kt_check(all[i]);
    if (!y_pred && !kt_metric_def_of(c)->of_values)
        return KT_FAIL(KT_EINVAL, "metric \"%s\" needs y_true and y_pred", kt_metric_name(c));
    const kt_shape t = kt_sym_shape(y_true), p = kt_sym_shape(y_pred ? y_pred : y_true);
    const kt_status st = cls->build(c, &t, &p);
    return st ? st : cls->update(c, y_true, y_pred, weight);
}

kt_sym *kt_metric_result(kt_component *c) {
    if (kt_metric_n_vars(c) == 0)
        return kt_fail_object(
            KT_FAIL(KT_ESTATE, "metric \"%s\" has seen no batch", kt_metric_name(c)));
    return ((const kt_metric_class *)c->cls)->result(c);
}

void kt_metric_reset(kt_component *c) {
    for (int i = 0; i < kt_metric_n_vars(c); i++) {
        kt_var *v = kt_metric_var(c, i);
        if (kt_store_touch(v->store)) continue; /* no memory yet: zeros when it comes */
        const size_t n = (size_t)kt_shape_size(&v->spec.shape);
        memset(kt_var_data(v), 0, n * kt_dtype_size(v->spec.dtype));
        v->initialized = true;
    }
}

int kt_metric_direction(const kt_component *c) { return kt_metric_def_of(c)->direction; }

int kt_metric_n_vars(const kt_component *c) { return kt_metric_vars(c)->n; }

kt_var *kt_metric_var(const kt_component *c, int i) {
    return i >= 0 && i < kt_metric_n_vars(c) ? kt_metric_vars(c)->var[i] : NULL;
}
