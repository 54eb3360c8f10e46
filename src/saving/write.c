/* Layers and components as JSON, in Keras' order and form: get_config() and serialize. */
#include "base/error.h"
#include "base/mem.h"
#include "nn/axes.h"
#include "nn/initializers/initializer.h"
#include "nn/losses/loss.h"
#include "nn/metrics/metric.h"
#include "nn/optimizers/optimizer.h"
#include "runtime/settings.h"
#include "saving/configs.h"
#include "tensor/tensor.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* Small values --------------------------------------------------------------------------------- */

static kt_json *list_of_ints(const int *v, int n) {
    kt_json *list = kt_json_new_list();
    for (int i = 0; i < n; i++)
        if (kt_json_add(list, kt_json_new_int(v[i]))) return kt_json_free(list), NULL;
    return list;
}

static kt_json *dim(int64_t d) { return d == KT_NONE ? kt_json_new_null() : kt_json_new_int(d); }

kt_json *kt_write_shape(const kt_shape *s) {
    kt_json *list = kt_json_new_list();
    for (int i = 0; i < s->ndim; i++)
        if (kt_json_add(list, dim(s->dim[i]))) return kt_json_free(list), NULL;
    return list;
}

/* A whole number stays an integer where Keras' own value is one. */
static kt_json *number(double v, const kt_json *form) {
    if (kt_json_is(form, KT_JSON_INT) && v == floor(v) && fabs(v) < 1e15)
        return kt_json_new_int((int64_t)v);
    return kt_json_new_real(v);
}

kt_json *kt_write_marked(const char *class_name, kt_json *config, kt_status st) {
    kt_json *o = kt_json_new_dict();
    if (st == KT_OK) st = kt_json_put(o, "class_name", kt_json_new_str(class_name));
    if (st == KT_OK)
        st = kt_json_put(o, "config", config);
    else
        kt_json_free(config);
    if (st == KT_OK) return o;
    kt_json_free(o);
    return NULL;
}

kt_json *kt_write_wrapped(
    const char *module, const char *class_name, kt_json *config, const char *registered_name) {
    kt_json *o = kt_json_new_dict();
    kt_status st = config ? KT_OK : kt_json_failed();
    if (st == KT_OK) st = kt_json_put(o, "module", kt_json_new_str(module));
    if (st == KT_OK) st = kt_json_put(o, "class_name", kt_json_new_str(class_name));
    if (st == KT_OK)
        st = kt_json_put(o, "config", config);
    else
        kt_json_free(config);
    if (st == KT_OK)
        st = kt_json_put(
            o,
            "registered_name",
            registered_name ? kt_json_new_str(registered_name) : kt_json_new_null());
    if (st == KT_OK) return o;
    kt_json_free(o);
    return NULL;
}

static kt_json *policy(const char *dtype) {
    kt_json *config = kt_json_new_dict();
    if (kt_json_put(config, "name", kt_json_new_str(dtype))) return kt_json_free(config), NULL;
    return kt_write_wrapped("keras", "DTypePolicy", config, NULL);
}

/* Tuples --------------------------------------------------------------------------------------- */

/* ((a, b), (c, d), …) out of a tuple: kt_pairs, one number per axis, one number for all. */
static kt_json *pairs(kt_tuple t, int n) {
    const int64_t code = t >> 60;
    const int bits = code == 4 ? 15 : 10;
    kt_json *list = kt_json_new_list();
    for (int i = 0; i < n; i++) {
        const int64_t mask = (1 << bits) - 1;
        int v[2] = {(int)t, (int)t};
        if (code == 4 || code == 5) {
            const int at = 2 * (n - 1 - i) * bits;
            v[0] = (int)(t >> (at + bits) & mask);
            v[1] = (int)(t >> at & mask);
        } else if (code == 2 || code == 3) {
            v[0] = v[1] = (int)(t >> 20 * (code - 1 - i) & 0xfffff);
        }
        if (kt_json_add(list, list_of_ints(v, 2))) return kt_json_free(list), NULL;
    }
    return list;
}

static kt_json *tuple(kt_tuple t, const kt_json *form) {
    const int64_t code = t >> 60;
    if (t == KT_NONE) return kt_json_new_null();
    if (kt_json_is(kt_json_at(form, 0), KT_JSON_LIST)) return pairs(t, kt_json_len(form));
    if (code == 4 || code == 5) return pairs(t, code == 4 ? 2 : 3);
    if (code >= 1 && code <= 3) {
        int v[KT_MAX_RANK];
        return list_of_ints(v, kt_axes_list(t, v));
    }
    if (!kt_json_is(form, KT_JSON_LIST)) return kt_json_new_int(t);
    kt_json *list = kt_json_new_list();
    for (int i = 0; i < kt_json_len(form); i++)
        if (kt_json_add(list, kt_json_new_int(t))) return kt_json_free(list), NULL;
    return list;
}

/* Fields --------------------------------------------------------------------------------------- */

static kt_json *shape_field(const kt_shape *s, bool given, const kt_json *form) {
    if (!s->ndim && !given && !kt_json_is(form, KT_JSON_LIST)) return kt_json_new_null();
    return kt_write_shape(s);
}

static kt_json *floats_field(const kt_floats_t *v, const kt_json *form) {
    if (!v->n && !kt_json_is(form, KT_JSON_LIST)) return kt_json_new_null();
    if (!v->n && kt_json_is_number(kt_json_at(form, 0)))
        return kt_json_ref((kt_json *)(uintptr_t)form);
    if (v->n == 1 && kt_json_is_number(form)) return number(v->v[0], form);
    kt_json *list = kt_json_new_list();
    const bool pairwise = kt_json_len(form) == v->n;
    for (int i = 0; i < v->n; i++)
        if (kt_json_add(list, number(v->v[i], kt_json_at(form, pairwise ? i : 0))))
            return kt_json_free(list), NULL;
    return list;
}

/* ngrams: one number is itself; (3, 0) is the list of 3 alone, see text_vectorization.c. */
static kt_json *ints_field(const kt_ints_t *given, const char *key) {
    const bool ngrams = !strcmp(key, "ngrams");
    kt_ints_t copy = *given;
    const kt_ints_t *v = &copy;
    if (ngrams && v->n == 1) return kt_json_new_int(v->v[0]);
    if (ngrams && v->n == 2 && v->v[1] == 0) copy.n = 1;
    kt_json *list = kt_json_new_list();
    if (!v->n) return kt_json_free(list), kt_json_new_null();
    for (int i = 0; i < v->n; i++)
        if (kt_json_add(list, kt_json_new_int(v->v[i]))) return kt_json_free(list), NULL;
    return list;
}

static kt_json *names_field(const kt_names_t *v, const kt_json *form) {
    if (!v->n && !kt_json_is(form, KT_JSON_LIST)) return kt_json_new_null();
    kt_json *list = kt_json_new_list();
    for (int i = 0; i < v->n; i++)
        if (kt_json_add(list, kt_json_new_str(v->v[i]))) return kt_json_free(list), NULL;
    return list;
}

static kt_json *text_field(const char *s, const char *key, const kt_json *form) {
    const char *standard = kt_json_text(form);
    if (!s && standard && !strcmp(key, "dtype") && !strcmp(standard, "float32"))
        standard = kt_dtype_policy();
    const bool none = !strcmp(key, "standardize") || !strcmp(key, "split"); /* is a value */
    if (!s && !none) s = standard;
    return s ? kt_json_new_str(s) : kt_json_new_null();
}

static kt_json *array_field(const kt_field *f, const void *p) {
    const int n = (int)(f->size / (f->type == KT_FIELD_INTS ? sizeof(int) : sizeof(int64_t)));
    kt_json *list = kt_json_new_list();
    for (int i = 0; i < n; i++) {
        const int64_t v = f->type == KT_FIELD_INTS ? ((const int *)p)[i] : ((const int64_t *)p)[i];
        if (kt_json_add(list, dim(v))) return kt_json_free(list), NULL;
    }
    return list;
}

/* A factor that Keras keeps as a range: from -v or, where that is not below 0, from what `form`
 * begins with. The range of RandomShear, from -0.0, Keras could not read again: it gets the
 * number. */
static kt_json *range(double v, const kt_json *form) {
    const kt_json *low = kt_json_at(form, 0), *high = kt_json_at(form, 1);
    const double least = kt_json_number(low);
    if (least == 0 && signbit(least)) return number(v, high);
    kt_json *list = kt_json_new_list();
    kt_status st = kt_json_add(list, number(signbit(least) ? -fabs(v) : least, low));
    if (st == KT_OK) st = kt_json_add(list, number(fabs(v), high));
    if (st == KT_OK) return list;
    kt_json_free(list);
    return NULL;
}

kt_json *kt_write_field(const kt_field *f, const void *args, const char *key, const kt_json *form) {
    const void *p = (const char *)args + f->offset;
    double d;
    kt_shape s;
    switch (f->type) {
    case KT_FIELD_INT:
        return kt_json_new_int(*(const int *)p);
    case KT_FIELD_BOOL:
        return kt_json_new_bool(*(const bool *)p);
    case KT_FIELD_DOUBLE:
        d = *(const double *)p;
        if (kt_json_len(form) == 2) return range(d, form);
        return d == KT_NONE_F ? kt_json_new_null() : number(d, form);
    case KT_FIELD_INT64:
        return tuple(*(const int64_t *)p, form);
    case KT_FIELD_SHAPE:
        s = *(const int64_t *)p == KT_SCALAR ? (kt_shape){0, {0}} : kt_shape_of_field(p);
        return shape_field(&s, *(const int64_t *)p == KT_SCALAR, form);
    case KT_FIELD_DIMS:
        return shape_field(p, false, form);
    case KT_FIELD_REF:
        return kt_write_ref(*(const kt_ref *)p, kt_key_kind(key));
    case KT_FIELD_STR:
        return text_field(*(const char *const *)p, key, form);
    case KT_FIELD_FLOATS:
        return floats_field(p, form);
    case KT_FIELD_INTLIST:
        return ints_field(p, key);
    case KT_FIELD_NAMES:
        return names_field(p, form);
    case KT_FIELD_DTYPE:
        if (*(const int *)p == KT_NO_DTYPE) return kt_json_new_null();
        return kt_json_new_str(kt_dtype_name((kt_dtype) * (const int *)p));
    case KT_FIELD_TEXT:
        return kt_json_new_str(p);
    case KT_FIELD_INTS:
    case KT_FIELD_INT64S:
        return array_field(f, p);
    default:
        return kt_json_new_null();
    }
}

/* References ----------------------------------------------------------------------------------- */

static kt_json *list_ref(const kt_list_t *list, kt_kind kind) {
    const bool dict = kt_list_is_dict(list);
    kt_json *out = dict ? kt_json_new_dict() : kt_json_new_list();
    for (int i = 0; i < kt_list_len(list); i += 1 + dict) {
        kt_json *v = kt_write_ref(kt_list_get(list, i + dict), kind);
        const kt_status st = !v     ? kt_json_failed()
                             : dict ? kt_json_put(out, kt_list_get(list, i), v)
                                    : kt_json_add(out, v);
        if (st) return kt_json_free(out), NULL;
    }
    return out;
}

/* Nested lists along the axes; a scalar is a number. */
static kt_json *tensor_ref(const kt_tensor *t, int axis, int64_t *at) {
    if (axis == t->shape.ndim) {
        if (t->dtype == KT_INT64) /* doubles have 53 bits */
            return kt_json_new_int(((const int64_t *)kt_tensor_data(t))[(*at)++]);
        const double v = kt_tensor_get(t, (*at)++);
        return kt_dtype_is_float(t->dtype) ? kt_json_new_real(v) : kt_json_new_int((int64_t)v);
    }
    kt_json *list = kt_json_new_list();
    for (int64_t i = 0; i < t->shape.dim[axis]; i++)
        if (kt_json_add(list, tensor_ref(t, axis + 1, at))) return kt_json_free(list), NULL;
    return list;
}

kt_json *kt_write_tensor(const kt_tensor *t) {
    int64_t at = 0;
    return tensor_ref(t, 0, &at);
}

/* "relu" is written as it stands, everything else as the object that the name means. */
static kt_json *name_ref(const char *name, kt_kind kind) {
    kt_component *c = NULL;
    const kt_class *const *registry = kt_kind_registry(kind);
    if (!registry || kind == KT_KIND_LOSS || kind == KT_KIND_METRIC) return kt_json_new_str(name);
    if (kt_component_get(&c, name, kind, registry, "name")) return NULL;
    kt_json *v = kt_write_object(c);
    kt_drop(c);
    return v;
}

kt_json *kt_write_ref(kt_ref ref, kt_kind kind) {
    int64_t at = 0;
    if (!ref && kind == KT_KIND_ACTIVATION) return kt_json_new_str("linear");
    if (!ref || ref == (kt_ref)kt_none) return kt_json_new_null();
    if (!kt_is_obj(ref)) return name_ref(ref, kind);
    if (kt_is(ref, KT_KIND_LIST)) return list_ref(ref, kind);
    if (kt_is(ref, KT_KIND_TENSOR)) return tensor_ref(ref, 0, &at);
    if (kt_is(ref, KT_KIND_LAYER)) return kt_write_layer((kt_layer *)(uintptr_t)ref);
    return kt_write_object(ref);
}

/* Configs -------------------------------------------------------------------------------------- */

/* Keras stores another argument where these are None. */
static const char *const stands_for[][2] = {{"strides", "pool_size"}, {"value_dim", "key_dim"}};

static const char *stand_in(const char *key) {
    for (size_t i = 0; i < sizeof stands_for / sizeof *stands_for; i++)
        if (!strcmp(stands_for[i][0], key)) return stands_for[i][1];
    return NULL;
}

/* Numbers that Keras rounds to float32 before it writes them. */
static bool is_rounded(const char *class_name, const char *key) {
    return !strcmp(key, "learning_rate") || (!strcmp(class_name, "L1") && !strcmp(key, "l1")) ||
           (!strcmp(class_name, "OrthogonalRegularizer") && !strcmp(key, "factor"));
}

/* output_padding is None by default, which does not tell how many axes there are: the name does. */
static kt_json *per_axis(const char *class_name, const char *key, kt_json *v) {
    const int n = class_name[strcspn(class_name, "123")] - '0';
    if (strcmp(key, "output_padding") != 0 || !kt_json_is(v, KT_JSON_INT) || n < 1) return v;
    kt_json *list = kt_json_new_list();
    kt_status st = KT_OK;
    for (int i = 0; i < n && st == KT_OK; i++) st = kt_json_add(list, kt_json_ref(v));
    kt_json_free(v);
    if (!st) return list;
    kt_json_free(list);
    return NULL;
}

/* Numbers that are a dict in Keras: {"rmax": 3, "dmax": 5}; {} without limits. */
static kt_json *renorm_clipping(const void *args, const kt_field *f, const kt_field *fields) {
    static const char *const keys[] = {"rmax", "rmin", "dmax"};
    const kt_floats_t *v = (const void *)((const char *)args + f->offset);
    const kt_field *on = kt_field_of_key(fields, "renorm");
    if (!v->n && !(on && *(const bool *)((const char *)args + on->offset)))
        return kt_json_new_null();
    kt_json *out = kt_json_new_dict();
    kt_status st = out ? KT_OK : KT_ENOMEM;
    for (int i = 0; i < 3 && i < v->n && st == KT_OK; i++)
        if (v->v[i] != KT_NONE_F) st = kt_json_put(out, keys[i], kt_json_new_real(v->v[i]));
    if (!st) return out;
    kt_json_free(out);
    return NULL;
}

static kt_json *one_key(
    const char *class_name,
    const kt_field *fields,
    const void *args,
    const void *defaults,
    const char *key,
    kt_json *form) {
    const kt_field *f = kt_field_of_key(fields, key), *list = kt_field_of_list(fields, key);
    if (!f) return kt_json_ref(form);
    if (list && ((const kt_floats_t *)(const void *)((const char *)args + list->offset))->n)
        return kt_write_field(list, args, key, form);
    const kt_field *text = kt_field_of_text(fields, key);
    if (text && *(const char *const *)(const void *)((const char *)args + text->offset))
        return kt_write_field(text, args, key, NULL);
    if (!strcmp(key, "renorm_clipping")) return renorm_clipping(args, f, fields);
    /* an int has no None of its own: its default is that */
    const bool none = f->type == KT_FIELD_INT && defaults &&
                      !memcmp(
                          (const char *)args + f->offset,
                          (const char *)defaults + f->offset,
                          sizeof(int));
    if (none && kt_json_kind(form) == KT_JSON_NULL) return kt_json_new_null();
    if (none && stand_in(key))
        return one_key(class_name, fields, args, defaults, stand_in(key), form);
    kt_json *v = per_axis(class_name, key, kt_write_field(f, args, key, form));
    if (!v || !is_rounded(class_name, key) || !kt_json_is(v, KT_JSON_REAL)) {
        const char *other = kt_json_kind(v) == KT_JSON_NULL ? stand_in(key) : NULL;
        if (!v || !other || kt_json_kind(form) == KT_JSON_NULL) return v;
        kt_json_free(v);
        return one_key(class_name, fields, args, defaults, other, form);
    }
    const float rounded = (float)kt_json_number(v);
    kt_json_free(v);
    return kt_json_new_real((double)rounded);
}

/* Is it the "scales" of a "scale", the "mask_value_text" of a "mask_value"? */
static bool is_second(const kt_field *fields, const kt_field *x) {
    for (const kt_field *f = fields; f->type; f++)
        if (kt_field_of_list(fields, f->name) == x || kt_field_of_text(fields, f->name) == x)
            return true;
    return false;
}

/* Arguments that Keras would lose (the delta of Huber): written when they are not the default. */
static kt_status put_rest(
    kt_json *out,
    const kt_field *fields,
    const void *args,
    const void *defaults,
    const char *const *handled) {
    for (const kt_field *f = fields; f && f->type; f++) {
        const char *key = f->name;
        bool skip = kt_json_get(out, key) != NULL || is_second(fields, f);
        for (int i = 0; handled[i]; i++) skip = skip || !strcmp(handled[i], key);
        if (skip) continue;
        kt_json *v = kt_write_field(f, args, key, NULL);
        kt_json *standard = defaults ? kt_write_field(f, defaults, key, NULL) : NULL;
        kt_str a = {0}, b = {0};
        if (v) kt_json_write(&a, v, KT_NONE);
        kt_json_write(&b, standard, KT_NONE);
        const bool same = a.s && b.s && !strcmp(a.s, b.s);
        const kt_status failed = !v ? kt_json_failed() : a.status ? a.status : b.status;
        kt_str_free(&a);
        kt_str_free(&b);
        kt_json_free(standard);
        if (failed || same) kt_json_free(v);
        if (failed) return failed;
        if (!same && kt_json_put(out, key, v)) return KT_ENOMEM;
    }
    return KT_OK;
}

static kt_json *parse_form(const char *text) {
    kt_json *v = NULL;
    return kt_json_parse(&v, text, strlen(text), NULL) ? NULL : v;
}

/* Optimizers: the rate as it is now, or the schedule; names are given when asked for. */
static kt_json *component_key(const kt_component *c, const char *key, kt_json *form) {
    kt_component *own = (kt_component *)(uintptr_t)c;
    if (c->cls->kind == KT_KIND_OPTIMIZER && !strcmp(key, "learning_rate")) {
        const kt_field *f = kt_field_of_key(c->cls->fields, "schedule");
        const kt_ref schedule = f ? *(const kt_ref *)((const char *)c->args + f->offset) : NULL;
        if (schedule) return kt_write_ref(schedule, KT_KIND_SCHEDULE);
        return kt_json_new_real((double)(float)kt_opt_learning_rate(c));
    }
    if (!strcmp(key, "name")) {
        const char *name = c->cls->kind == KT_KIND_OPTIMIZER ? kt_opt_name(own)
                           : c->cls->kind == KT_KIND_METRIC  ? kt_metric_name(own)
                           : c->cls->kind == KT_KIND_LOSS    ? kt_loss_name(own)
                                                             : NULL;
        if (name) return kt_json_new_str(name);
    }
    return one_key(c->cls->name, c->cls->fields, c->args, c->cls->defaults, key, form);
}

static kt_json *component_config(const kt_component *c) {
    static const char *const handled[] = {"schedule", "dtype", "name", NULL};
    const kt_config_form *form = kt_config_form_find(kt_kind_module(c->cls->kind), c->cls->name);
    kt_json *keys = form ? parse_form(form->config) : kt_json_new_dict();
    kt_json *out = kt_json_new_dict();
    kt_status st = keys && out ? KT_OK : KT_ENOMEM;
    for (void *it = kt_json_iter(keys); it && st == KT_OK; it = kt_json_next(keys, it)) {
        kt_json *v = component_key(c, kt_json_iter_key(it), kt_json_iter_value(it));
        st = v ? kt_json_put(out, kt_json_iter_key(it), v) : kt_json_failed();
    }
    if (st == KT_OK) st = put_rest(out, c->cls->fields, c->args, c->cls->defaults, handled);
    kt_json_free(keys);
    if (st == KT_OK) return out;
    kt_json_free(out);
    return NULL;
}

static kt_json *layer_key(kt_layer *l, const char *key, kt_json *form) {
    if (!strcmp(key, "name")) return kt_json_new_str(kt_layer_name(l));
    if (!strcmp(key, "trainable")) return kt_json_new_bool(l->trainable);
    if (!strcmp(key, "dtype") && l->quant.on) return kt_write_quantized(l);
    if (!strcmp(key, "dtype"))
        return kt_json_is(form, KT_JSON_STR) ? kt_json_new_str(kt_dtype_name(l->dtype))
                                             : policy(kt_layer_policy(l));
    return one_key(l->cls->name, l->cls->fields, l->args, l->cls->defaults, key, form);
}

/* Keras' base class writes it right after the dtype, whatever the class does. */
static kt_status put_activity(kt_json *out, const kt_layer *l) {
    const kt_ref *ref = kt_layer_activity_of(l->cls, l->args);
    if (!ref || !*ref || !l->activity_regularizer) return KT_OK;
    kt_json *v = kt_write_ref(*ref, KT_KIND_REGULARIZER);
    return v ? kt_json_put(out, "activity_regularizer", v) : kt_json_failed();
}

static kt_json *layer_config(kt_layer *l) {
    static const char *const handled[] = {"name", "trainable", "dtype", NULL};
    static const char *const custom = "{\"name\": null, \"trainable\": true, \"dtype\": {}}";
    const kt_config_form *form = l->cls->package ? NULL : kt_layer_form(l->cls->name);
    kt_json *keys = parse_form(form ? form->config : custom), *out = kt_json_new_dict();
    kt_status st = keys && out ? KT_OK : KT_ENOMEM;
    for (void *it = kt_json_iter(keys); it && st == KT_OK; it = kt_json_next(keys, it)) {
        const char *key = kt_json_iter_key(it);
        kt_json *v = kt_json_get(out, key) ? NULL : layer_key(l, key, kt_json_iter_value(it));
        if (v || !kt_json_get(out, key)) st = v ? kt_json_put(out, key, v) : kt_json_failed();
        if (st == KT_OK && !strcmp(key, "dtype")) st = put_activity(out, l);
    }
    if (st == KT_OK) st = put_rest(out, l->cls->fields, l->args, l->cls->defaults, handled);
    kt_json_free(keys);
    if (st == KT_OK) return out;
    kt_json_free(out);
    return NULL;
}

kt_json *kt_write_config(const void *object) {
    if (kt_is(object, KT_KIND_LAYER)) {
        kt_layer *l = (kt_layer *)(uintptr_t)object;
        return kt_is_model(l) ? kt_write_model_config(l) : layer_config(l);
    }
    return component_config(object);
}

/* Objects -------------------------------------------------------------------------------------- */

/* Are all arguments what the bare name means? */
static bool is_plain(const kt_component *c) {
    kt_json *a = kt_json_new_dict(), *b = kt_json_new_dict();
    static const char *const none[] = {NULL};
    kt_status st = put_rest(a, c->cls->fields, c->args, c->cls->defaults, none);
    const bool plain = st == KT_OK && !kt_json_len(a);
    kt_json_free(a);
    kt_json_free(b);
    return plain;
}

static kt_json *function(const char *name, const char *registered_name) {
    return kt_write_wrapped(
        "builtins",
        "function",
        kt_json_new_str(name),
        registered_name ? registered_name : "function");
}

/* Activations with arguments are layers in Keras: that layer, with all that it has. */
static kt_json *activation_layer(const char *class_name, const kt_component *c) {
    kt_json *v = kt_write_wrapped("keras.layers", class_name, component_config(c), NULL), *out;
    kt_reader r;
    if (!v) return NULL;
    kt_status st = kt_reader_begin(&r);
    kt_layer *l = st ? kt_fail_object(st) : kt_read_layer(&r, v);
    out = kt_failed(l) ? NULL : kt_write_layer(l);
    if (!st) kt_reader_end(&r, NULL);
    kt_json_free(v);
    return out;
}

static kt_json *activation_object(const kt_component *c) {
    static const char *const layer_of[][2] = {
        {"relu", "ReLU"}, {"leaky_relu", "LeakyReLU"}, {"elu", "ELU"}, {"softmax", "Softmax"}};
    if (is_plain(c)) return kt_json_new_str(c->cls->name);
    for (size_t i = 0; i < sizeof layer_of / sizeof *layer_of; i++)
        if (!strcmp(layer_of[i][0], c->cls->name)) return activation_layer(layer_of[i][1], c);
    KT_FAIL(
        KT_EUNSUPPORTED,
        "activation \"%s\" with arguments has no form in Keras' files",
        c->cls->name);
    return NULL;
}

kt_json *kt_write_object(const void *object) {
    char got[96];
    const char *registered = kt_registered_name_of(object);
    if (kt_is(object, KT_KIND_LAYER)) return kt_write_layer((kt_layer *)(uintptr_t)object);
    const kt_component *c = object;
    const char *module = kt_is_obj(object) ? kt_kind_module(((const kt_obj *)object)->kind) : NULL;
    if (!module) {
        KT_FAIL(
            KT_EUNSUPPORTED, "%s has no configuration", kt_ref_describe(object, got, sizeof got));
        return NULL;
    }
    if (registered) {
        const char *name = strrchr(registered, '>');
        return function(name ? name + 1 : registered, registered);
    }
    if (c->cls->kind == KT_KIND_ACTIVATION && kt_key_kind("activation") == KT_KIND_ACTIVATION) {
        bool known = false;
        const kt_class *const *all = kt_activation_registry();
        for (int i = 0; all[i]; i++) known = known || all[i] == c->cls;
        if (known) return activation_object(c);
    } else if (kt_config_form_find(module, c->cls->name)) {
        return kt_write_wrapped(module, c->cls->name, component_config(c), NULL);
    }
    KT_FAIL(
        KT_EUNSUPPORTED, "%s of the program's own is not registered", kt_kind_name(c->cls->kind));
    kt_error_hint("kt_register_object() gives it a name for files");
    return NULL;
}

kt_json *kt_write_layer(kt_layer *l) {
    const bool functional = kt_is_model(l) && !((const kt_model_state *)l->state)->is_sequential;
    char custom[200];
    const char *module = "keras.layers", *registered = NULL;
    if (kt_is_model(l)) module = functional ? "keras.src.models.functional" : "keras";
    if (functional) registered = "Functional";
    const kt_config_form *form = kt_layer_form(l->cls->name);
    if (l->cls->package) {
        snprintf(custom, sizeof custom, "%s>%s", l->cls->package, l->cls->name);
        registered = custom;
        module = "__main__";
        form = NULL;
    } else if (!form && !kt_is_model(l)) {
        KT_FAIL(KT_EUNSUPPORTED, "layer class %s has no form in Keras' files", l->cls->name);
        kt_error_hint("a class of your own needs a `package`, and kt_register_layer() to be read");
        kt_error_context("in layer \"%s\"", kt_layer_name(l));
        return NULL;
    } else if (form && !kt_is_exported(form)) {
        module = form->module;
        registered = form->class_name;
    }
    kt_json *o = kt_write_wrapped(
        module, kt_exported_name(l->cls->name), kt_write_config(l), registered);
    kt_status st = o ? kt_put_build_config(o, l, form) : kt_json_failed();
    if (st == KT_OK && kt_is_model(l)) {
        kt_json *c = kt_write_compile_config(l);
        st = c ? kt_json_put(o, "compile_config", c) : kt_json_failed();
    }
    if (st == KT_OK) return o;
    kt_json_free(o);
    return NULL;
}
