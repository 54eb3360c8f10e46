/* Quantizing layers, and what they compute then. See quantize.h. */
#include "nn/quantize.h"

#include "base/mem.h"
#include "nn/axes.h"
#include "nn/lora.h"
#include "runtime/settings.h"

#include <math.h>
#include <regex.h>
#include <stdio.h>
#include <string.h>

typedef kt_quant_abs_max_quantizer_args abs_max_args;
typedef kt_quant_int8_quantization_config_args int8_args;

static const double default_range[] = {-127, 127};
static const abs_max_args default_quantizer = {
    .axis = KT_NONE, .value_range = {default_range, 2}, .epsilon = 1e-7};

static const abs_max_args *quantizer_args(kt_ref quantizer) {
    return quantizer ? ((const kt_component *)quantizer)->args : &default_quantizer;
}

static kt_ref *config_of(const kt_layer *l) {
    return kt_layer_arg(l->cls, l->args, "quantization_config", KT_FIELD_REF);
}

/* Policies ------------------------------------------------------------------------------------- */

static bool quantizable(kt_dtype d) { return d == KT_FLOAT32 || d == KT_FLOAT64; }

kt_dtype kt_quant_policy(const char *name) {
    const kt_dtype d = name && !strncmp(name, "int8_from_", 10) ? kt_dtype_of(name + 10)
                                                                : KT_NO_DTYPE;
    return quantizable(d) ? d : KT_NO_DTYPE;
}

const char *kt_layer_quantization_mode(const kt_layer *l) {
    return kt_is(l, KT_KIND_LAYER) && l->quant.on ? "int8" : NULL;
}

/* Numbers -------------------------------------------------------------------------------------- */

/* Element i of the weight has this scale. */
static int64_t scale_of(const kt_layer *l, int64_t i) {
    const kt_shape *s = &l->quant.weight->spec.shape;
    int64_t at[KT_MAX_RANK], place = 0;
    for (int d = s->ndim; d-- > 0; i /= s->dim[d]) at[d] = i % s->dim[d];
    for (int k = 0; k < l->quant.n_kept; k++)
        place = place * s->dim[l->quant.kept[k]] + at[l->quant.kept[k]];
    return place;
}

/* As a computation in the layer's dtype rounds: NumPy's arithmetic is what Keras quantizes with. */
static double rounded(const kt_layer *l, double v) {
    return l->dtype == KT_FLOAT32 ? (double)(float)v : v;
}

/* `from` (of the layer's dtype) as integers and scales. */
static kt_status quantize_values(
    const kt_layer *l, const void *from, const abs_max_args *a, int8_t *to, double *scale) {
    const double low = a->value_range.v[0], high = a->value_range.v[1];
    const int64_t n = kt_shape_size(&l->quant.weight->spec.shape);
    const int64_t n_scales = kt_shape_size(&l->quant.shape);
    const double epsilon = rounded(l, a->epsilon);
    for (int64_t j = 0; j < n_scales; j++) scale[j] = 0;
    for (int64_t i = 0; i < n; i++) {
        const double v = fabs(kt_elem_get(from, l->dtype, i));
        double *most = &scale[scale_of(l, i)];
        if (v - v != 0)
            return KT_FAIL(
                KT_ENAN, "\"%s\" holds a number that is not finite", l->quant.weight->name);
        if (v > *most) *most = v;
    }
    for (int64_t j = 0; j < n_scales; j++)
        scale[j] = rounded(l, high / rounded(l, scale[j] + epsilon));
    for (int64_t i = 0; i < n; i++) {
        const double v = rint(rounded(l, kt_elem_get(from, l->dtype, i) * scale[scale_of(l, i)]));
        to[i] = (int8_t)(v < low ? low : v > high ? high : v);
    }
    return KT_OK;
}

/* Changing a layer ----------------------------------------------------------------------------- */

/* The variable as int8 with these values, which it takes; NULL: zeros. */
static kt_status become_int8(kt_var *v, const int8_t *values) {
    kt_store *store = kt_store_new(KT_INT8, kt_shape_size(&v->spec.shape));
    if (!store || kt_store_touch(store)) {
        kt_store_unref(store);
        return KT_ENOMEM;
    }
    if (values) memcpy(store->data, values, (size_t)store->size);
    kt_store_unref(v->store);
    v->store = store;
    v->offset = 0;
    v->spec.dtype = KT_INT8;
    v->in_extent = v->trainable = v->frozen = false;
    v->initialized = true;
    v->fill = NULL;
    const void **const parts[] = {&v->initializer, &v->regularizer, &v->constraint};
    for (int i = 0; i < 3; i++) {
        kt_release(*parts[i]);
        *parts[i] = NULL;
    }
    return KT_OK;
}

static kt_status add_scale(kt_layer *l) {
    char name[80];
    snprintf(name, sizeof name, "%.60s_scale", l->quant.weight->name);
    kt_weight_args w = {.size = sizeof w, .layer = l, .name = name, .initializer = "ones"};
    for (int i = 0; i < l->quant.shape.ndim; i++) w.shape[i] = l->quant.shape.dim[i];
    if (!l->quant.shape.ndim) w.shape[0] = KT_SCALAR;
    kt_var *scale = kt_add_weight_with(&w);
    if (kt_failed(scale)) return kt_check(scale);
    l->quant.scale = scale;
    return KT_OK;
}

kt_status kt_quant_built(
    kt_layer *l, kt_var *weight, int n_kept, const int *kept, const kt_shape *scale) {
    kt_status st = kt_check(l);
    if (st) return st;
    l->quant.weight = weight;
    l->quant.n_kept = n_kept;
    l->quant.shape = *scale;
    for (int i = 0; i < n_kept; i++) l->quant.kept[i] = kept[i];
    if (!l->quant.on) return KT_OK;
    st = become_int8(weight, NULL);
    return st ? st : add_scale(l);
}

static kt_status change(kt_layer *l, kt_ref config) {
    kt_var *v = l->quant.weight;
    const int8_args *how = ((const kt_component *)config)->args;
    const int64_t n = kt_shape_size(&v->spec.shape), m = kt_shape_size(&l->quant.shape);
    int8_t *values = kt_alloc_array(n + 1, sizeof *values);
    double *scale = kt_alloc_array(m + 1, sizeof *scale);
    kt_status st = values && scale ? kt_var_ensure(v) : KT_ENOMEM;
    if (!st)
        st = quantize_values(
            l, kt_var_data(v), quantizer_args(how->weight_quantizer), values, scale);
    if (!st) st = add_scale(l);
    if (!st) st = kt_var_ensure(l->quant.scale);
    if (!st) st = become_int8(v, values);
    if (!st) {
        kt_var_write(l->quant.scale, scale, KT_FLOAT64);
        kt_ref *own = config_of(l);
        kt_adopt(config);
        kt_release(*own);
        *own = config;
        l->quant.on = true;
    } else if (l->quant.scale) {
        kt_release(l->vars.v[--l->vars.n]);
        l->quant.scale = NULL;
    }
    if (st) l->obj.status = KT_OK; /* the layer is as it was */
    kt_mem_free(values);
    kt_mem_free(scale);
    return st;
}

/* Asking for it -------------------------------------------------------------------------------- */

static kt_status check_mode(const char *mode) {
    static const char *const modes[] = {"int8", "float8", "int4", "gptq", "awq"};
    if (!mode) return KT_OK;
    for (int i = 0; i < 5; i++) {
        if (strcmp(mode, modes[i]) != 0) continue;
        return i ? KT_FAIL(KT_EUNSUPPORTED, "quantization mode \"%s\" is not supported", mode)
                 : KT_OK;
    }
    KT_FAIL(KT_EINVAL, "invalid quantization mode");
    kt_error_expected("one of \"int8\", \"float8\", \"int4\", \"gptq\", \"awq\"");
    return kt_error_got("\"%.40s\"", mode);
}

/* A config out of mode and config; *out may be a floating one. */
static kt_status resolve(const char *mode, kt_ref config, kt_ref *out) {
    if (config && !kt_is_obj(config)) {
        mode = config;
        config = NULL;
    }
    kt_status st = check_mode(mode);
    if (st == KT_OK && !mode && !config) st = KT_FAIL(KT_EINVAL, "expected a `mode` or a `config`");
    if (st == KT_OK && config) st = kt_quant_check(config);
    *out = st || config ? config : kt_quant_int8_quantization_config();
    return st ? st : kt_check(*out);
}

/* Keras takes the quantizer's axis as it is and fails on the shape that comes out. */
static kt_status check_axis(const kt_layer *l, kt_ref config) {
    const kt_ref quantizer = ((const int8_args *)((const kt_component *)config)->args)
                                 ->weight_quantizer;
    const kt_shape *s = &l->quant.weight->spec.shape;
    int axes[KT_MAX_RANK], n = 1, given = 0, wanted = (1 << s->ndim) - 1;
    if (!quantizer) return KT_OK;
    axes[0] = -1;
    if (quantizer_args(quantizer)->axis != KT_NONE)
        n = kt_axes_list(quantizer_args(quantizer)->axis, axes);
    for (int i = 0; i < n; i++) {
        const int axis = axes[i] < 0 ? axes[i] + s->ndim : axes[i];
        if (axis < 0 || axis >= s->ndim)
            return KT_FAIL(KT_EINVAL, "weight_quantizer: axis %d is out of range", axes[i]);
        given |= 1 << axis;
    }
    for (int i = 0; i < l->quant.n_kept; i++) wanted &= ~(1 << l->quant.kept[i]);
    if (given == wanted) return KT_OK;
    return KT_FAIL(
        KT_EINVAL,
        "weight_quantizer: its axis must be %s of \"%s\" that the layer sums over",
        wanted & (wanted - 1) ? "those" : "the one",
        l->quant.weight->name);
}

/* A wrapper computes with the weights of what it wraps. */
static bool is_shared(const kt_layer *l) {
    for (int i = 0; l->parent && i < l->parent->vars.n; i++)
        if (l->parent->vars.v[i] == l->quant.weight) return true;
    return false;
}

static kt_status check_layer(kt_layer *l, kt_ref config) {
    if (!config_of(l))
        return KT_FAIL(
            KT_EUNSUPPORTED,
            "layer %s does not have a `quantize` method implemented",
            l->class_name);
    if (!l->built) return KT_FAIL(KT_ESTATE, "a layer that is not built yet cannot be quantized");
    if (l->quant.on)
        return KT_FAIL(
            KT_ESTATE,
            "the layer is already quantized with dtype policy \"%s\"",
            kt_layer_policy(l));
    if (l->variable_dtype != l->dtype || !quantizable(l->dtype))
        return KT_FAIL(
            KT_EUNSUPPORTED, "layers with the dtype \"%s\" have no int8 form", kt_layer_policy(l));
    if (l->in_use) return KT_FAIL(KT_ESTATE, "a layer cannot be quantized while it is trained");
    if (is_shared(l))
        return KT_FAIL(
            KT_EUNSUPPORTED,
            "\"%s\" is used by the wrapper around the layer",
            l->quant.weight->name);
    return check_axis(l, config);
}

kt_status kt_layer_quantize_with(const kt_layer_quantize_args *args) {
    kt_layer_quantize_args a;
    kt_ref config = NULL;
    kt_status st = kt_args_read(&a, args, sizeof a, NULL);
    if (st == KT_OK) st = kt_layer_require(a.layer, "kt_layer_quantize");
    if (st) return st;
    st = resolve(a.mode, a.config, &config);
    if (st == KT_OK) st = check_layer(a.layer, config);
    if (st == KT_OK) st = change(a.layer, config);
    if (st == KT_OK) kt_layout_changed(); /* programs made before compute with floats */
    if (config != a.config) kt_drop(config);
    return kt_layer_context(a.layer, st);
}

/* Models --------------------------------------------------------------------------------------- */

typedef struct {
    kt_ref config, filters;
    bool now; ///< not only looked at
} model_job;

/* Is the pattern found in the name? */
static kt_status find_pattern(const char *pattern, const char *name, bool *found) {
    regex_t re;
    char why[100];
    const int error = regcomp(&re, pattern, REG_EXTENDED | REG_NOSUB);
    if (error) {
        regerror(error, &re, why, sizeof why);
        return KT_FAIL(KT_EINVAL, "filters: \"%.60s\": %s", pattern, why);
    }
    *found = *found || !regexec(&re, name, 0, NULL, 0);
    regfree(&re);
    return KT_OK;
}

static kt_status is_wanted(kt_ref filters, kt_layer *l, bool *wanted) {
    char got[96];
    const bool list = kt_is(filters, KT_KIND_LIST);
    kt_status st = kt_layer_ensure_name(l);
    *wanted = !filters;
    for (int i = 0; filters && !st && i < (list ? kt_list_len(filters) : 1); i++) {
        const void *item = list ? kt_list_get(filters, i) : filters;
        st = !kt_is_obj(item)
                 ? find_pattern(item, kt_layer_name(l), wanted)
                 : KT_FAIL(
                       KT_EINVAL,
                       "filters: expected a regular expression or a list of them, got %s",
                       kt_ref_describe(item, got, sizeof got));
    }
    return st;
}

static kt_status model_visit(kt_layer *l, void *data) {
    const model_job *j = data;
    bool wanted = false;
    kt_status st = is_wanted(j->filters, l, &wanted);
    if (st || !wanted || l->children.n || !config_of(l)) return st;
    st = j->now ? change(l, j->config) : check_layer(l, j->config);
    return kt_layer_context(l, st);
}

/* A layer that stands in two places was changed at the first. */
static kt_status model_change(kt_layer *l, void *data) {
    return l->quant.on ? KT_OK : model_visit(l, data);
}

kt_status kt_model_quantize_with(const kt_model_quantize_args *args) {
    kt_model_quantize_args a;
    kt_ref config = NULL;
    kt_status st = kt_args_read(&a, args, sizeof a, NULL);
    if (st == KT_OK) st = kt_layer_require(a.model, "kt_model_quantize");
    if (st == KT_OK && kt_is_obj(a.filters) && kt_failed(a.filters)) st = kt_check(a.filters);
    if (st) return st;
    st = resolve(a.mode, a.config, &config);
    if (st == KT_OK) kt_adopt(config);
    const bool adopted = st == KT_OK;
    if (st == KT_OK && !a.model->built)
        st = KT_FAIL(KT_ESTATE, "a model that is not built yet cannot be quantized");
    model_job j = {config, a.filters, false};
    if (st == KT_OK) st = kt_layer_walk(a.model, model_visit, &j);
    j.now = true;
    if (st == KT_OK) {
        st = kt_layer_walk(a.model, model_change, &j);
        kt_layout_changed();
    }
    if (adopted) (config == a.config ? kt_unadopt : kt_release)(config);
    if (kt_is(a.filters, KT_KIND_LIST)) kt_drop(a.filters);
    return st;
}

/* Computing ------------------------------------------------------------------------------------ */

/* x by A, then by B. */
static kt_sym *adaptation(const kt_layer *l, const char *equation, kt_sym *x) {
    kt_sym *ab = kt_op_einsum(equation, x, kt_lora_part(l, l->lora.a));
    return kt_op_multiply(kt_op_matmul(ab, kt_lora_part(l, l->lora.b)), kt_num(l->lora.scale));
}

kt_sym *kt_quant_product(const kt_layer *l, const char *equation, kt_sym *x) {
    const kt_component *config = *config_of(l);
    const int8_args *how = config ? config->args : NULL;
    kt_sym *w = kt_value(l->quant.weight), *scale = kt_value(l->quant.scale), *y;
    if (how && !how->activation_quantizer) {
        y = kt_op_einsum(equation, x, kt_op_cast(w, kt_dtype_name(l->dtype)));
        y = kt_op_divide(y, scale);
    } else {
        const abs_max_args *a = quantizer_args(how ? how->activation_quantizer : NULL);
        const int8_matmul_attrs attrs = {a->value_range.v[0], a->value_range.v[1], a->epsilon};
        kt_graph *g = kt_tracer_current()->g;
        y = kt_wrap(kt_g_int8_einsum(
            g, equation, kt_unwrap(x, NULL), kt_unwrap(w, NULL), kt_unwrap(scale, NULL), &attrs));
    }
    return l->lora.a ? kt_op_add(y, adaptation(l, equation, x)) : y;
}

/* Files ---------------------------------------------------------------------------------------- */

/* The floats that the integers stand for, and A B. */
static kt_status merge(const kt_layer *l, void *sum) {
    const kt_var *w = l->quant.weight;
    kt_var *a = l->lora.a, *b = l->lora.b;
    kt_status st = kt_var_ensure(a);
    if (st == KT_OK) st = kt_var_ensure(b);
    if (st) return st;
    const int64_t rank = b->spec.shape.dim[0], n = b->spec.shape.dim[1];
    const float *x = kt_var_data(a), *y = kt_var_data(b);
    for (int64_t i = 0; i < kt_shape_size(&w->spec.shape); i++) {
        const double s = kt_elem_get(kt_var_data(l->quant.scale), l->dtype, scale_of(l, i));
        double dot = 0;
        for (int64_t k = 0; k < rank; k++)
            dot += (double)x[i / n * rank + k] * (double)y[k * n + i % n];
        const double v = kt_elem_get(kt_var_data(w), KT_INT8, i) / s;
        kt_elem_set(sum, l->dtype, i, v + l->lora.scale * dot);
    }
    return KT_OK;
}

kt_status kt_quant_merged(const kt_layer *l, const kt_var *v, void **out) {
    if (v != l->quant.weight && v != l->quant.scale) return KT_OK;
    const int64_t n = kt_shape_size(&l->quant.weight->spec.shape);
    const int64_t m = kt_shape_size(&l->quant.shape);
    void *sum = kt_alloc_array(n + 1, kt_dtype_size(l->dtype));
    int8_t *values = kt_alloc_array(n + 1, sizeof *values);
    double *scale = kt_alloc_array(m + 1, sizeof *scale);
    kt_status st = sum && values && scale ? merge(l, sum) : KT_ENOMEM;
    if (st == KT_OK) st = quantize_values(l, sum, &default_quantizer, values, scale);
    if (st == KT_OK && v == l->quant.scale) {
        for (int64_t j = 0; j < m; j++) kt_elem_set(sum, l->dtype, j, scale[j]);
        *out = sum;
        sum = NULL;
    } else if (st == KT_OK) {
        *out = values;
        values = NULL;
    }
    kt_mem_free(sum);
    kt_mem_free(values);
    kt_mem_free(scale);
    return st;
}
