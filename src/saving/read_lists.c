/* Lists of plain values in configurations: numbers, integers, names. See configs.h. */
#include "saving/configs.h"

#include <string.h>

/* {"rmax": 3, "dmax": 5}: see renorm_clipping in write.c. */
static kt_status read_clipping(kt_reader *r, kt_floats_t *out, const kt_json *v) {
    static const char *const keys[] = {"rmax", "rmin", "dmax"};
    double *x = kt_arena_alloc(r->arena, sizeof *x * 3);
    int known = 0;
    if (!x) return KT_ENOMEM;
    for (int i = 0; i < 3; i++) {
        const kt_json *item = kt_json_get(v, keys[i]);
        known += item != NULL;
        if (kt_json_kind(item) != KT_JSON_NULL && !kt_json_is_number(item))
            return kt_read_type_error(keys[i], "a number", item);
        x[i] = kt_json_is_number(item) ? kt_json_number(item) : KT_NONE_F;
    }
    if (known != kt_json_len(v))
        return KT_FAIL(KT_EFORMAT, "renorm_clipping: expected rmax, rmin, dmax and nothing else");
    *out = (kt_floats_t){x, known ? 3 : 0};
    return KT_OK;
}

kt_status kt_read_floats(kt_reader *r, kt_floats_t *out, const kt_json *v, const char *key) {
    const bool one = kt_json_is_number(v);
    const int n = one ? 1 : kt_json_len(v);
    *out = (kt_floats_t){NULL, 0};
    if (kt_json_kind(v) == KT_JSON_NULL) return KT_OK;
    if (kt_json_is(v, KT_JSON_DICT) && !strcmp(key, "renorm_clipping"))
        return read_clipping(r, out, v);
    if (!one && !kt_json_is(v, KT_JSON_LIST)) return kt_read_type_error(key, "numbers", v);
    double *x = kt_arena_alloc(r->arena, sizeof *x * (size_t)(n + 1));
    if (!x) return KT_ENOMEM;
    for (int i = 0; i < n; i++) {
        const kt_json *item = one ? v : kt_json_at(v, i);
        if (!kt_json_is_number(item)) return kt_read_type_error(key, "numbers", item);
        x[i] = kt_json_number(item);
    }
    *out = (kt_floats_t){x, n};
    return KT_OK;
}

/* Keras would read the file of that name, or fetch it. */
static kt_status refuse_path(const char *key) {
    KT_FAIL(KT_EREFUSED, "%s: a path, but a model does not make other files be read", key);
    return kt_error_hint("the tokens themselves may stand there");
}

/* A number, or a list of them: all 64 bits count. */
kt_status kt_read_ints(kt_reader *r, kt_ints_t *out, const kt_json *v, const char *key) {
    const bool one = kt_json_is(v, KT_JSON_INT);
    const int n = one ? 1 : kt_json_len(v);
    *out = (kt_ints_t){NULL, 0};
    if (kt_json_kind(v) == KT_JSON_NULL) return KT_OK;
    if (kt_json_is(v, KT_JSON_STR) && !strcmp(key, "vocabulary")) return refuse_path(key);
    if (!one && !kt_json_is(v, KT_JSON_LIST)) return kt_read_type_error(key, "integers", v);
    int64_t *x = kt_arena_alloc(r->arena, sizeof *x * (size_t)(n + 1));
    if (!x) return KT_ENOMEM;
    for (int i = 0; i < n; i++) {
        const kt_json *item = one ? v : kt_json_at(v, i);
        if (!kt_json_is(item, KT_JSON_INT)) return kt_read_type_error(key, "integers", item);
        x[i] = kt_json_int(item);
    }
    const bool alone = !one && n == 1 && !strcmp(key, "ngrams"); /* kt_ints(3, 0) is (3,) */
    x[n] = 0;
    *out = (kt_ints_t){x, n + alone};
    return KT_OK;
}

kt_status kt_read_names(kt_reader *r, kt_names_t *out, const kt_json *v, const char *key) {
    const int n = kt_json_len(v);
    *out = (kt_names_t){NULL, 0};
    if (kt_json_kind(v) == KT_JSON_NULL) return KT_OK;
    if (kt_json_is(v, KT_JSON_STR) && !strcmp(key, "vocabulary")) return refuse_path(key);
    if (!kt_json_is(v, KT_JSON_LIST)) return kt_read_type_error(key, "a list of strings", v);
    const char **x = kt_arena_alloc(r->arena, sizeof *x * (size_t)(n + 1));
    if (!x) return KT_ENOMEM;
    for (int i = 0; i < n; i++)
        if (!(x[i] = kt_json_text(kt_json_at(v, i))))
            return kt_read_type_error(key, "a list of strings", kt_json_at(v, i));
    *out = (kt_names_t){x, n};
    return KT_OK;
}
