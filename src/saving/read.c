/* JSON to layers and components. See configs.h.
 *
 * What a file names is compared with tables, never looked up by name in code. An argument that is
 * not known is an error, unless it is null: Keras' own way of saying "off". */
#include "base/error.h"
#include "base/mem.h"
#include "io/source.h"
#include "nn/losses/loss.h"
#include "nn/metrics/metric.h"
#include "nn/quantize.h"
#include "runtime/settings.h"
#include "saving/configs.h"
#include "tensor/tensor.h"

#include <keratin/activations.h>
#include <keratin/layers.h>

#include <limits.h>
#include <math.h>
#include <string.h>

/* The reader ----------------------------------------------------------------------------------- */

kt_status kt_reader_begin(kt_reader *r) {
    *r = (kt_reader){.arena = kt_arena_new()};
    return r->arena ? KT_OK : KT_ENOMEM;
}

void *kt_reader_keep(kt_reader *r, void *object) {
    if (!object || kt_failed(object)) return object;
    if (kt_vec_push(&r->made, object)) {
        kt_drop(object);
        return kt_fail_object(KT_ENOMEM);
    }
    return kt_adopt(object);
}

void *kt_reader_end(kt_reader *r, void *result) {
    const bool good = result && !kt_failed(result);
    bool kept = false; /* adopted here once, so that it floats when it leaves */
    for (int i = r->made.n; i-- > 0;) {
        if (good && !kept && r->made.v[i] == result)
            kept = true;
        else
            kt_release(r->made.v[i]);
    }
    if (kept) kt_unadopt(result);
    kt_vec_free(&r->made);
    kt_arena_free(r->arena);
    r->arena = NULL;
    return result;
}

/* Values --------------------------------------------------------------------------------------- */

kt_status kt_read_type_error(const char *what, const char *expected, const kt_json *got) {
    KT_FAIL(KT_EFORMAT, "%.60s: wrong type", what);
    kt_error_expected("%s", expected);
    return kt_error_got("%s", kt_json_kind_name(got));
}

static kt_status read_dim(int64_t *out, const kt_json *v, const char *what) {
    *out = KT_NONE;
    if (kt_json_kind(v) == KT_JSON_NULL) return KT_OK;
    if (!kt_json_is(v, KT_JSON_INT)) return kt_read_type_error(what, "an integer or null", v);
    *out = kt_json_int(v);
    if (*out > INT64_C(1) << 40 || *out < -(INT64_C(1) << 40))
        return KT_FAIL(KT_EFORMAT, "%.60s: %lld is out of range", what, (long long)*out);
    return KT_OK;
}

kt_status kt_read_shape(kt_shape *out, const kt_json *v, const char *what) {
    const int n = kt_json_len(v);
    *out = (kt_shape){0, {0}};
    if (!kt_json_is(v, KT_JSON_LIST)) return kt_read_type_error(what, "a list of integers", v);
    if (n > KT_MAX_RANK)
        return KT_FAIL(KT_ELIMIT, "%.60s: %d axes, at most %d", what, n, KT_MAX_RANK);
    for (int i = 0; i < n; i++) {
        const kt_status st = read_dim(&out->dim[i], kt_json_at(v, i), what);
        if (st) return st;
    }
    out->ndim = n;
    return KT_OK;
}

static kt_status read_small(int64_t *out, const kt_json *v, const char *what, int64_t max) {
    if (!kt_json_is(v, KT_JSON_INT)) return kt_read_type_error(what, "an integer", v);
    *out = kt_json_int(v);
    if (*out > max || *out < -32)
        return KT_FAIL(KT_EFORMAT, "%.60s: %lld is out of range", what, (long long)*out);
    return KT_OK;
}

/* ((a, b), (c, d), …) */
static kt_status read_pairs(kt_tuple *out, const kt_json *v, const char *what) {
    const int n = kt_json_len(v), bits = n == 2 ? 15 : 10;
    if (n < 1 || n > 3)
        return KT_FAIL(KT_EFORMAT, "%.60s: expected one to three pairs, got %d", what, n);
    int64_t x[6];
    for (int i = 0; i < 2 * n; i++) {
        const kt_json *pair = kt_json_at(v, i / 2);
        if (kt_json_len(pair) != 2) return kt_read_type_error(what, "pairs of integers", pair);
        const kt_status st = read_small(&x[i], kt_json_at(pair, i % 2), what, (1 << bits) - 1);
        if (st) return st;
        if (x[i] < 0) return KT_FAIL(KT_EFORMAT, "%.60s: negative numbers", what);
    }
    if (n == 1) {
        *out = kt_hw(x[0], x[1]);
        return KT_OK;
    }
    *out = 0;
    for (int i = 0; i < 2 * n; i++) *out = *out << bits | x[i];
    *out |= (n == 2 ? INT64_C(4) : INT64_C(5)) << 60;
    return KT_OK;
}

/* An integer, (3, 5), ((1, 2), (3, 4)), or axes, of which there may be more and negative ones. */
static kt_status read_tuple(kt_tuple *out, const kt_json *v, const char *key) {
    const bool axes = strstr(key, "axis") || strstr(key, "axes");
    const int n = kt_json_len(v);
    int64_t x[KT_MAX_RANK] = {0};
    if (!kt_json_is(v, KT_JSON_LIST)) {
        if (kt_json_kind(v) != KT_JSON_NULL && !kt_json_is(v, KT_JSON_INT))
            return kt_read_type_error(key, "an integer or a list of them", v);
        *out = kt_json_is(v, KT_JSON_INT) ? kt_json_int(v) : KT_NONE;
        if (kt_json_is(v, KT_JSON_INT) && (*out >= INT64_C(1) << 60 || *out < -(INT64_C(1) << 60)))
            return KT_FAIL(KT_EFORMAT, "%.60s: %lld is out of range", key, (long long)*out);
        return KT_OK;
    }
    if (n && kt_json_is(kt_json_at(v, 0), KT_JSON_LIST)) return read_pairs(out, v, key);
    if (n > (axes ? KT_MAX_RANK : 3))
        return KT_FAIL(KT_EFORMAT, "%.60s: %d numbers are too many", key, n);
    bool same = n > 0;
    for (int i = 0; i < n; i++) {
        const kt_status st = read_small(&x[i], kt_json_at(v, i), key, axes ? 31 : 0xfffff);
        if (st) return st;
        same = same && x[i] == x[0];
        if (!axes && x[i] < 0) same = same && n == 1;
    }
    if (axes) {
        *out = INT64_C(1) << 60 | (int64_t)n << 48;
        for (int i = 0; i < n; i++) *out |= (x[i] + 32) << 6 * i;
    } else if (same) {
        *out = x[0];
    } else {
        for (int i = 0; i < n; i++)
            if (x[i] < 0) return KT_FAIL(KT_EFORMAT, "%.60s: %lld < 0", key, (long long)x[i]);
        *out = n == 2 ? kt_hw(x[0], x[1]) : n == 3 ? kt_dhw(x[0], x[1], x[2]) : KT_NONE;
    }
    return KT_OK;
}

/* Fields --------------------------------------------------------------------------------------- */

static kt_status read_array(const kt_field *f, void *p, const kt_json *v, const char *key) {
    const int n = (int)(f->size / (f->type == KT_FIELD_INTS ? sizeof(int) : sizeof(int64_t)));
    if (kt_json_len(v) != n) return kt_read_type_error(key, "a list of integers", v);
    for (int i = 0; i < n; i++) {
        int64_t x;
        const kt_status st = read_dim(&x, kt_json_at(v, i), key);
        if (st) return st;
        if (f->type == KT_FIELD_INTS)
            ((int *)p)[i] = (int)x;
        else
            ((int64_t *)p)[i] = x;
    }
    return KT_OK;
}

/* How many values stand below v; the JSON has a limit for them, and for its depth. */
static int64_t count_values(const kt_json *v) {
    int64_t n = 0;
    if (!kt_json_is(v, KT_JSON_LIST)) return 1;
    for (int i = 0; i < kt_json_len(v); i++) n += count_values(kt_json_at(v, i));
    return n;
}

/* Numbers, nested as the axes are: what Normalization keeps of its mean. The lengths of the first
 * lists say what the shape is, so they must fit the whole before there is memory for it. */
kt_tensor *kt_read_tensor(const kt_json *v, kt_dtype dtype) {
    kt_shape s = {0, {0}};
    int64_t n = 1, most = count_values(v);
    for (const kt_json *p = v; kt_json_is(p, KT_JSON_LIST) && s.ndim < KT_MAX_RANK;
         p = kt_json_at(p, 0)) {
        s.dim[s.ndim] = kt_json_len(p);
        if (s.dim[s.ndim] && n > most / s.dim[s.ndim]) /* and no product can overflow */
            return kt_fail_object(kt_read_type_error("array", "numbers in equal lists", v));
        n *= s.dim[s.ndim++];
    }
    kt_tensor *t = kt_tensor_new(dtype, s, NULL);
    for (int64_t i = 0; !kt_failed(t) && i < kt_tensor_size(t); i++) {
        const kt_json *p = v;
        int64_t rest = i, below = kt_tensor_size(t);
        for (int a = 0; a < s.ndim; a++) {
            below /= s.dim[a];
            if (kt_json_len(p) != s.dim[a]) p = NULL;
            p = kt_json_at(p, (int)(rest / below));
            rest %= below;
        }
        const bool truth = kt_json_is(p, KT_JSON_BOOL);
        if (!kt_json_is_number(p) && !truth) {
            kt_free(t);
            return kt_fail_object(kt_read_type_error("array", "numbers in equal lists", p));
        }
        if (dtype == KT_INT64 && kt_json_is(p, KT_JSON_INT)) /* doubles have 53 bits */
            ((int64_t *)t->data)[i] = kt_json_int(p);
        else
            kt_tensor_set(t, i, truth ? kt_json_bool(p) : kt_json_number(p));
    }
    return t;
}

static kt_status read_ref(kt_reader *r, kt_ref *out, const kt_json *v, const char *key) {
    const kt_kind kind = kt_key_kind(key);
    void *o = NULL;
    *out = NULL;
    if (kt_json_kind(v) == KT_JSON_NULL) return KT_OK;
    if (kt_json_is(v, KT_JSON_STR) && (kind == KT_KIND_OTHER || kind == KT_KIND_LAYER)) {
        *out = kt_json_text(v);
        return KT_OK;
    }
    const kt_json *first = kt_json_is(v, KT_JSON_LIST) ? kt_json_at(v, 0) : NULL;
    if (kind != KT_KIND_OTHER && kind != KT_KIND_LAYER &&
        (kt_json_is_number(v) || kt_json_is(v, KT_JSON_LIST)))
        return kt_read_type_error(key, "a name or a description", v);
    if (kt_json_is_number(v) || kt_json_is_number(first) || kt_json_is(first, KT_JSON_LIST)) {
        o = kt_reader_keep(r, kt_read_tensor(v, KT_FLOAT32));
    } else if (kt_json_is(v, KT_JSON_LIST)) { /* cells */
        const void *items[64];
        const int n = kt_json_len(v);
        if (n > 64) return KT_FAIL(KT_ELIMIT, "%.60s: more than 64 layers", key);
        for (int i = 0; i < n; i++) {
            items[i] = kt_read_layer(r, kt_json_at(v, i));
            if (kt_failed(items[i])) return kt_check(items[i]);
        }
        o = kt_reader_keep(r, kt_list_of(n, items));
    } else if (kind == KT_KIND_LAYER || !strcmp(key, "backward_layer")) {
        o = kt_read_layer(r, v);
    } else {
        o = kt_read_component(r, kind, v);
    }
    if (o && kt_failed(o)) return kt_check(o);
    *out = o;
    return KT_OK;
}

/* What no class of Keras can work with, although some constructors of Keras take it. */
static kt_status check_range(double v, const char *key) {
    static const struct {
        const char *key;
        double low, high;
    } ranges[] = {
        {"epsilon", 0, 1e30},
        {"momentum", 0, 1},
        {"ema_momentum", 0, 1},
        {"beta_1", 0, 1},
        {"beta_2", 0, 1},
        {"rho", 0, 1},
        {"stddev", 0, 1e30},
        {"clipnorm", 0, INFINITY},
        {"global_clipnorm", 0, INFINITY},
        {"clipvalue", 0, INFINITY},
    };
    if (isnan(v)) return KT_FAIL(KT_EFORMAT, "%.60s: expected a number, got NaN", key);
    for (size_t i = 0; i < sizeof ranges / sizeof *ranges; i++)
        if (!strcmp(ranges[i].key, key) && !(v >= ranges[i].low && v <= ranges[i].high))
            return KT_FAIL(
                KT_EFORMAT,
                "%s: expected a number from %g to %g, got %g",
                key,
                ranges[i].low,
                ranges[i].high,
                v);
    return KT_OK;
}

static kt_status read_number(double *out, const kt_json *v, const char *key) {
    if (kt_json_kind(v) == KT_JSON_NULL) {
        *out = KT_NONE_F;
        return KT_OK;
    }
    if (!kt_json_is_number(v)) return kt_read_type_error(key, "a number", v);
    *out = kt_json_number(v);
    return check_range(*out, key);
}

static kt_status read_int(int *out, const kt_json *v, const char *key) {
    if (!kt_json_is(v, KT_JSON_INT)) return kt_read_type_error(key, "an integer", v);
    const int64_t x = kt_json_int(v);
    if (x > INT_MAX || x < INT_MIN)
        return KT_FAIL(KT_EFORMAT, "%.60s: %lld is out of range", key, (long long)x);
    *out = (int)x;
    return KT_OK;
}

static kt_status read_shape_field(int64_t *p, const kt_json *v, const char *key) {
    kt_shape s;
    memset(p, 0, sizeof(int64_t) * KT_MAX_RANK);
    if (kt_json_kind(v) == KT_JSON_NULL) return KT_OK;
    const kt_status st = kt_read_shape(&s, v, key);
    if (st) return st;
    if (!s.ndim) p[0] = KT_SCALAR;
    for (int i = 0; i < s.ndim; i++) {
        if (s.dim[i] == 0) return KT_FAIL(KT_EFORMAT, "%.60s: an axis of length 0", key);
        p[i] = s.dim[i];
    }
    return KT_OK;
}

static kt_status read_text(char *p, size_t size, const kt_json *v, const char *key) {
    const char *s = kt_json_text(v);
    if (!s) return kt_read_type_error(key, "a string", v);
    if (strlen(s) >= size)
        return KT_FAIL(KT_ELIMIT, "%.60s: more than %d letters", key, (int)size - 1);
    memcpy(p, s, strlen(s) + 1);
    return KT_OK;
}

static kt_status read_field(
    kt_reader *r, const kt_field *f, void *args, const kt_json *v, const char *key) {
    void *p = (char *)args + f->offset;
    const bool null = kt_json_kind(v) == KT_JSON_NULL;
    switch (f->type) {
    case KT_FIELD_INT:
        return null ? KT_OK : read_int(p, v, key); /* null: as it is by default */
    case KT_FIELD_BOOL:
        if (!kt_json_is(v, KT_JSON_BOOL)) return kt_read_type_error(key, "true or false", v);
        *(bool *)p = kt_json_bool(v);
        return KT_OK;
    case KT_FIELD_DOUBLE:
        return read_number(p, v, key);
    case KT_FIELD_INT64:
        return read_tuple(p, v, key);
    case KT_FIELD_SHAPE:
        return read_shape_field(p, v, key);
    case KT_FIELD_DIMS:
        *(kt_shape *)p = (kt_shape){0, {0}};
        return null ? KT_OK : kt_read_shape(p, v, key);
    case KT_FIELD_REF:
        return read_ref(r, p, v, key);
    case KT_FIELD_STR:
        if (!null && !kt_json_is(v, KT_JSON_STR)) return kt_read_type_error(key, "a string", v);
        *(const char **)p = kt_json_text(v);
        return KT_OK;
    case KT_FIELD_FLOATS:
        return kt_read_floats(r, p, v, key);
    case KT_FIELD_INTLIST:
        return kt_read_ints(r, p, v, key);
    case KT_FIELD_NAMES:
        return kt_read_names(r, p, v, key);
    case KT_FIELD_TEXT:
        return read_text(p, f->size, v, key);
    case KT_FIELD_DTYPE:
        if (null) return KT_OK; /* as it is by default */
        if (!kt_json_is(v, KT_JSON_STR)) return kt_read_type_error(key, "a string", v);
        *(int *)p = kt_dtype_of(kt_json_text(v));
        return *(int *)p ? KT_OK : KT_FAIL(KT_EFORMAT, "%.60s: unknown dtype", key);
    case KT_FIELD_INTS:
    case KT_FIELD_INT64S:
        return read_array(f, p, v, key);
    default:
        return KT_FAIL(KT_EUNSUPPORTED, "%.60s: cannot be read from a file", key);
    }
}

/* Is the value what Keras' class has by default? Then nothing is lost by not knowing the key. */
static kt_status check_default(
    const char *class_name, const kt_field *fields, const char *key, const kt_json *v) {
    /* older versions of Keras 3 wrote what all optimizers have for this one too */
    const char *like = strcmp(class_name, "LossScaleOptimizer") ? class_name : "SGD";
    const kt_config_form *form = kt_config_form_find(NULL, like);
    kt_json *all = NULL;
    kt_str a = {0}, b = {0};
    if (kt_json_kind(v) == KT_JSON_NULL) return KT_OK;
    if (!form) return kt_unknown_argument(class_name, fields, key);
    const kt_status st = kt_json_parse(&all, form->config, strlen(form->config), NULL);
    if (st) return st;
    kt_json_write(&a, kt_json_get(all, key), KT_NONE);
    kt_json_write(&b, v, KT_NONE);
    const bool known = kt_json_get(all, key) != NULL, memory = !a.status && !b.status;
    const bool same = known && memory && !strcmp(a.s, b.s);
    kt_str_free(&a);
    kt_str_free(&b);
    kt_json_free(all);
    return !memory ? KT_ENOMEM : same ? KT_OK : kt_unknown_argument(class_name, fields, key);
}

kt_status kt_read_fields(
    kt_reader *r,
    const char *class_name,
    const kt_field *fields,
    void *args,
    const kt_json *config,
    const char *const *skip) {
    for (void *it = kt_json_iter(config); it; it = kt_json_next(config, it)) {
        const char *key = kt_json_iter_key(it);
        const kt_json *v = kt_json_iter_value(it);
        bool skipped = false;
        for (int i = 0; skip && skip[i]; i++) skipped = skipped || !strcmp(skip[i], key);
        if (skipped) continue;
        const kt_field *f = kt_field_of_key(fields, key);
        if (f && kt_json_is(v, KT_JSON_LIST) && kt_field_of_list(fields, key))
            f = kt_field_of_list(fields, key);
        if (f && kt_json_is(v, KT_JSON_STR) && kt_field_of_text(fields, key))
            f = kt_field_of_text(fields, key);
        const kt_status st = f ? read_field(r, f, args, v, key)
                               : check_default(class_name, fields, key, v);
        if (st) return st;
    }
    return KT_OK;
}

kt_status kt_read_optional(const kt_json *v, const char *key, kt_json_type type) {
    static const char *const expected[] = {
        "null", "true or false", "an integer", "a number", "a string", "a list", "a dict"};
    const kt_json *value = kt_json_get(v, key);
    if (kt_json_kind(value) == KT_JSON_NULL || kt_json_is(value, type)) return KT_OK;
    return kt_read_type_error(key, expected[type], value);
}

/* Integers and null in lists and dicts: what Keras writes of the shapes that layers were built for.
 * Nothing here needs it. */
static bool is_shape(const kt_json *v, int depth) {
    bool good = depth < 4;
    if (kt_json_is(v, KT_JSON_LIST))
        for (int i = 0; i < kt_json_len(v) && good; i++)
            good = is_shape(kt_json_at(v, i), depth + 1);
    else if (kt_json_is(v, KT_JSON_DICT))
        for (void *it = kt_json_iter(v); it && good; it = kt_json_next(v, it))
            good = is_shape(kt_json_iter_value(it), depth + 1);
    else
        return kt_json_kind(v) == KT_JSON_NULL || (depth && kt_json_is(v, KT_JSON_INT));
    return good;
}

kt_status kt_read_built(const kt_json *v, const char *key) {
    const kt_json *shape = kt_json_get(v, key);
    return is_shape(shape, 0) ? KT_OK : kt_read_type_error(key, "a shape", shape);
}

kt_status kt_read_head(const kt_json *v, const char **class_name, const kt_json **config) {
    *class_name = kt_json_get_text(v, "class_name");
    *config = kt_json_get(v, "config");
    if (!kt_json_is(v, KT_JSON_DICT)) return kt_read_type_error("object", "a description", v);
    if (!*class_name)
        return kt_read_type_error("class_name", "a string", kt_json_get(v, "class_name"));
    kt_status st = kt_read_optional(v, "module", KT_JSON_STR);
    if (!st) st = kt_read_optional(v, "registered_name", KT_JSON_STR);
    if (!st) st = kt_read_optional(v, "shared_object_id", KT_JSON_INT);
    if (!st) st = kt_read_optional(v, "build_config", KT_JSON_DICT);
    if (!st) st = kt_read_optional(v, "compile_config", KT_JSON_DICT);
    return st ? st : kt_read_built(kt_json_get(v, "build_config"), "input_shape");
}

/* dtypes and policies of Keras that are not there. */
static bool is_foreign_dtype(const char *name) {
    static const char *const start[] = {"complex", "float8"};
    for (size_t i = 0; i < sizeof start / sizeof *start; i++)
        if (!strncmp(start[i], name, strlen(start[i]))) return true;
    return false;
}

static bool is_quantized_policy(const char *name) {
    return !strncmp(name, "Quantized", 9) || !strcmp(name, "Int4DTypePolicy") ||
           !strcmp(name, "GPTQDTypePolicy") || !strcmp(name, "AWQDTypePolicy");
}

kt_status kt_read_dtype(const kt_json *config, const char **out) {
    const kt_json *v = kt_json_get(config, "dtype");
    *out = kt_json_text(v);
    if (*out && kt_policy_is_quantized(*out) && !kt_quant_policy(*out))
        return KT_FAIL(KT_EUNSUPPORTED, "dtype \"%.40s\": quantization is not supported", *out);
    if (*out && is_foreign_dtype(*out))
        return KT_FAIL(KT_EUNSUPPORTED, "dtype \"%.40s\" is not supported", *out);
    if (*out || kt_json_kind(v) == KT_JSON_NULL) return KT_OK;
    const char *class_name;
    const kt_json *inner;
    if (!kt_json_is(v, KT_JSON_DICT)) return kt_read_type_error("dtype", "a name or a policy", v);
    const kt_status st = kt_read_head(v, &class_name, &inner);
    if (st) return st;
    char name[KT_QUOTE_SIZE];
    if (!strcmp(class_name, "QuantizedDTypePolicy")) return kt_read_quantized(inner, out);
    if (strcmp(class_name, "DTypePolicy") && strcmp(class_name, "Policy") &&
        strcmp(class_name, "PolicyV1") && strcmp(class_name, "FloatDTypePolicy"))
        return KT_FAIL(
            KT_EUNSUPPORTED,
            is_quantized_policy(class_name) ? "dtype policy %s: quantization is not supported"
                                            : "dtype policy %s is not supported",
            kt_quote(class_name, strlen(class_name), name, sizeof name));
    *out = kt_json_get_text(inner, "name");
    return *out ? KT_OK : kt_read_type_error("dtype", "a policy with a name", inner);
}

/* Where a class comes from --------------------------------------------------------------------- */

static kt_status refuse_code(const char *what) {
    char name[KT_QUOTE_SIZE];
    KT_FAIL(
        KT_EREFUSED,
        "\"%s\" would run code from the file",
        kt_quote(what, strlen(what), name, sizeof name));
    return kt_error_hint("code in files is never run; build the model in the program instead");
}

static bool is_code_class(const char *class_name) {
    static const char *const code[] = {
        "Lambda",
        "TFSMLayer",
        "TorchModuleWrapper",
        "JaxLayer",
        "FlaxLayer",
        "__lambda__",
        "TensorFlowOpLayer",
        NULL};
    for (int i = 0; code[i]; i++)
        if (!strcmp(code[i], class_name)) return true;
    return false;
}

/* Modules in which Keras keeps what its files name. */
static bool is_known_module(const char *module) {
    static const char *const more[] = {
        "keras",
        "keras.src.models.functional",
        "keras.src.models.sequential",
        "keras.models",
        "keras.engine.functional",
        "keras.engine.sequential",
        "builtins",
        "keras.src.engine.functional",
        "keras.src.engine.sequential",
        NULL};
    if (kt_module_kind(module) != KT_KIND_OTHER || kt_is_operation_module(module)) return true;
    for (int i = 0; more[i]; i++)
        if (!strcmp(more[i], module)) return true;
    return !strncmp(module, "keras.src.layers.", 17) || !strncmp(module, "keras.layers.", 13);
}

/* KT_OK with *custom set to the registered name of an object that is not Keras' own. */
static kt_status check_origin(const kt_json *v, const char *class_name, const char **custom) {
    const char *module = kt_json_get_text(v, "module");
    const char *registered = kt_json_get_text(v, "registered_name");
    char name[KT_QUOTE_SIZE];
    *custom = NULL;
    const bool own = registered && strcmp(registered, class_name) && strcmp(registered, "function");
    if (own && module && is_known_module(module) && strcmp(module, "builtins")) {
        KT_FAIL(
            KT_EREFUSED,
            "the registered name \"%s\" stands beside a class of Keras, %.60s",
            kt_quote(registered, strlen(registered), name, sizeof name),
            class_name);
        return KT_EREFUSED;
    }
    if (own) {
        *custom = registered;
        return KT_OK;
    }
    if (registered && kt_registered_layer(registered)) *custom = registered;
    if (is_code_class(class_name)) return refuse_code(class_name);
    if (*custom || !module || is_known_module(module)) return KT_OK;
    if (kt_config_form_find(module, class_name)) return KT_OK; /* of keras.applications */
    if (registered) { /* a class of somebody's, which nobody registered */
        *custom = registered;
        return KT_OK;
    }
    return KT_FAIL(
        KT_EREFUSED,
        "module \"%s\" is none of those that files may name",
        kt_quote(module, strlen(module), name, sizeof name));
}

static kt_status not_registered(const char *name) {
    char text[KT_QUOTE_SIZE];
    KT_FAIL(
        KT_EUNSUPPORTED,
        "custom class \"%s\" is not registered",
        kt_quote(name, strlen(name), text, sizeof text));
    return kt_error_hint("kt_register_layer() or kt_register_object() makes it known");
}

/* Components ----------------------------------------------------------------------------------- */

static const kt_class *find_class(kt_kind kind, const char *name) {
    const kt_class *const *all = kt_kind_registry(kind);
    for (int i = 0; all && all[i]; i++)
        if (kt_class_has_name(all[i], name)) return all[i];
    return NULL;
}

/* "relu", or {"module": "builtins", "class_name": "function", "config": "relu"}. */
static void *component_of_name(kt_reader *r, kt_kind kind, const char *name) {
    kt_component *c = NULL;
    const kt_shape any = {2, {KT_NONE, 1}};
    const void *mine = kt_registered_object(name);
    if (mine && kt_is(mine, kind)) return (void *)(uintptr_t)mine;
    kt_status st;
    if (kind == KT_KIND_LOSS)
        st = kt_loss_get(&c, name);
    else if (kind == KT_KIND_METRIC)
        st = kt_metric_get(&c, name, &any, &any);
    else
        st = kt_component_get(&c, name, kind, kt_kind_registry(kind), "name");
    if (st == KT_OK) return kt_reader_keep(r, c);
    if (st != KT_EINVAL) return kt_fail_object(st);
    return kt_fail_object(kt_unknown_component(kind, name));
}

/* LeakyReLU(0.1) and its like as an activation: the layer, or the activation of that name. */
static void *activation_of_layer(kt_reader *r, const kt_json *v, const char *class_name) {
    (void)class_name;
    return kt_read_layer(r, v);
}

void *kt_read_class(
    kt_reader *r, const kt_class *cls, const kt_json *config, const char *const *skip) {
    char *args = kt_arena_alloc(r->arena, cls->args_size);
    if (!args) return kt_fail_object(KT_ENOMEM);
    if (cls->defaults) memcpy(args, cls->defaults, cls->args_size);
    *(size_t *)(void *)args = cls->args_size;
    kt_status st = kt_read_fields(r, cls->name, cls->fields, args, config, skip);
    const kt_json *rate = cls->kind == KT_KIND_OPTIMIZER ? kt_json_get(config, "learning_rate")
                                                         : NULL;
    if (st == KT_OK && kt_json_is(rate, KT_JSON_DICT)) {
        const kt_field *f = kt_field_of_key(cls->fields, "schedule");
        void *s = kt_read_component(r, KT_KIND_SCHEDULE, rate);
        st = kt_check(s);
        if (st == KT_OK && f) *(kt_ref *)(void *)(args + f->offset) = s;
    } else if (st == KT_OK && rate) {
        const kt_field *f = kt_field_of_key(cls->fields, "learning_rate");
        st = read_field(r, f, args, rate, "learning_rate");
    }
    if (st == KT_OK) return kt_reader_keep(r, kt_component_new(cls, args));
    return kt_fail_object(st);
}

void *kt_read_component(kt_reader *r, kt_kind kind, const kt_json *v) {
    static const char *const skip[] = {"learning_rate", "fn", NULL};
    static const char *const loss_skip[] = {"learning_rate", "fn", "dtype", NULL};
    const char *class_name, *custom;
    const kt_json *config;
    if (kt_json_kind(v) == KT_JSON_NULL) return NULL;
    if (kt_json_is(v, KT_JSON_STR)) return component_of_name(r, kind, kt_json_text(v));
    kt_status st = kt_read_head(v, &class_name, &config);
    if (st == KT_OK) st = check_origin(v, class_name, &custom);
    if (st) return kt_fail_object(st);
    if (custom && kt_registered_object(custom))
        return (void *)(uintptr_t)kt_registered_object(custom);
    if (!strcmp(class_name, "function") && kt_json_is(config, KT_JSON_STR))
        return custom ? kt_fail_object(not_registered(custom))
                      : component_of_name(r, kind, kt_json_text(config));
    if (custom) return kt_fail_object(not_registered(custom));
    const char *module = kt_json_get_text(v, "module");
    const kt_kind stated = module ? kt_module_kind(module) : KT_KIND_OTHER;
    if (kind == KT_KIND_ACTIVATION && (stated == KT_KIND_LAYER || kt_exported_layer(class_name)))
        return activation_of_layer(r, v, class_name);
    if (kind == KT_KIND_OTHER) kind = stated;
    const kt_class *cls = find_class(kind, class_name);
    if (!cls) return kt_fail_object(kt_unknown_class(kind, class_name));
    if (config && !kt_json_is(config, KT_JSON_DICT))
        return kt_fail_object(kt_read_type_error("config", "a dict", config));
    void *o = kt_read_class(r, cls, config, kind == KT_KIND_LOSS ? loss_skip : skip);
    if (kt_failed(o)) kt_error_context("in %s", cls->name);
    return o;
}

/* Layers --------------------------------------------------------------------------------------- */

/* Every layer takes it, wherever its class has it. */
static kt_status read_activity(
    kt_reader *r, const kt_layer_class *cls, void *args, const kt_json *v) {
    kt_ref *activity = kt_layer_activity_of(cls, args);
    if (activity) return read_ref(r, activity, v, "activity_regularizer");
    return kt_json_kind(v) == KT_JSON_NULL
               ? KT_OK
               : kt_unknown_argument(cls->name, NULL, "activity_regularizer");
}

/* Errors of constructors are errors of the file; a second look at the same message. */
static void *layer_of_class(kt_reader *r, const kt_layer_class *cls, const kt_json *config) {
    static const char *const skip[] = {
        "name", "trainable", "dtype", "batch_input_shape", "activity_regularizer", NULL};
    const kt_json *trainable = kt_json_get(config, "trainable"),
                  *name = kt_json_get(config, "name");
    char *args = kt_arena_alloc(r->arena, cls->args_size);
    if (!args) return kt_fail_object(KT_ENOMEM);
    if (cls->defaults) memcpy(args, cls->defaults, cls->args_size);
    *(size_t *)(void *)args = cls->args_size;
    kt_layer_tail *tail = kt_layer_tail_of(cls, args);
    kt_status st = kt_read_fields(r, cls->name, cls->fields, args, config, skip);
    if (st == KT_OK) st = read_activity(r, cls, args, kt_json_get(config, "activity_regularizer"));
    if (st == KT_OK) st = kt_read_dtype(config, &tail->dtype);
    if (st == KT_OK && kt_json_kind(name) != KT_JSON_NULL && !kt_json_is(name, KT_JSON_STR))
        st = kt_read_type_error("name", "a string", name);
    if (st == KT_OK && trainable && !kt_json_is(trainable, KT_JSON_BOOL))
        st = kt_read_type_error("trainable", "true or false", trainable);
    tail->name = kt_json_text(name);
    tail->trainable = !trainable || kt_json_bool(trainable);
    tail->autocast = true; /* no file says otherwise */
    if (st == KT_OK) return kt_reader_keep(r, kt_layer_new(cls, args));
    return kt_fail_object(st);
}

static void layer_error(const kt_json *v, const char *class_name) {
    const char *name = kt_json_get_text(kt_json_get(v, "config"), "name");
    char a[KT_QUOTE_SIZE], b[KT_QUOTE_SIZE];
    kt_quote(class_name, strlen(class_name), b, sizeof b);
    if (name)
        kt_error_context("in layer \"%s\" (%s)", kt_quote(name, strlen(name), a, sizeof a), b);
    else
        kt_error_context("in layer %s", b);
}

static void *read_layer(
    kt_reader *r, const kt_json *v, const char *class_name, const kt_json *config) {
    const char *custom;
    const kt_status st = check_origin(v, class_name, &custom);
    if (st) return kt_fail_object(st);
    if (!kt_json_is(config, KT_JSON_DICT))
        return kt_fail_object(kt_read_type_error("config", "a dict", config));
    const kt_layer_class *cls = custom ? kt_registered_layer(custom)
                                       : kt_exported_layer(class_name);
    if (custom && !cls) return kt_fail_object(not_registered(custom));
    if (!custom && !strcmp(class_name, "Sequential")) return kt_read_sequential(r, config);
    if (!custom && (!strcmp(class_name, "Functional") || !strcmp(class_name, "Model")))
        return kt_read_functional(r, config);
    if (!cls) return kt_fail_object(kt_unknown_layer(class_name));
    return layer_of_class(r, cls, config);
}

kt_layer *kt_read_layer(kt_reader *r, const kt_json *v) {
    const char *class_name;
    const kt_json *config;
    const kt_status st = kt_read_head(v, &class_name, &config);
    if (st) return kt_fail_object(st);
    if (++r->depth > 64)
        return kt_fail_object(KT_FAIL(KT_ELIMIT, "layers are nested deeper than 64"));
    kt_layer *l = read_layer(r, v, class_name, config);
    r->depth--;
    const bool model = !kt_failed(l) && kt_is_model(l);
    if (kt_failed(l)) layer_error(v, class_name);
    const bool plain = !kt_failed(l) && !model;
    if (plain && kt_read_built_for(l, kt_json_get(v, "build_config")))
        return kt_fail_object(KT_ENOMEM);
    if (!model || !r->compile) return l;
    const kt_status compiled = kt_read_compile(r, l, kt_json_get(v, "compile_config"));
    return compiled ? kt_fail_object(compiled) : l;
}
