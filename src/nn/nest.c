/* Flattening nested lists and dicts of tensors. See nest.h.
 *
 * Every list holds a tensor somewhere, so the number of tensors bounds the work; recursion ends at
 * a depth that no model has. */
#include "nn/nest.h"

#include "base/error.h"
#include "base/mem.h"
#include "nn/tracer.h"

#include <string.h>

#define DEPTH_MAX 16

typedef struct {
    const char *what;
    int most, n;
    kt_sym **leaf;
} flat;

static kt_status take(flat *f, kt_ref ref, int depth, kt_nest *to);

static kt_status take_tensor(flat *f, kt_ref ref, kt_nest *to) {
    char got[96];
    if (ref && kt_is_obj(ref) && kt_failed(ref)) return kt_check(ref);
    if (!kt_is(ref, KT_KIND_SYM)) {
        KT_FAIL(
            KT_EINVAL,
            "%s: expected a symbolic tensor, got %s",
            f->what,
            kt_ref_describe(ref, got, sizeof got));
        if (!kt_is(ref, KT_KIND_TENSOR)) return KT_EINVAL;
        return kt_error_hint("data go through a model: kt_model_predict()");
    }
    if (f->n == f->most) return KT_FAIL(KT_ELIMIT, "%s: more than %d tensors", f->what, f->most);
    if (to) to->leaf = f->n;
    f->leaf[f->n++] = (kt_sym *)(uintptr_t)ref;
    return KT_OK;
}

static kt_status take_item(flat *f, kt_ref item, int depth, kt_nest *to) {
    const int before = f->n;
    const kt_status st = take(f, item, depth + 1, to);
    if (st || f->n > before) return st;
    return KT_FAIL(KT_EINVAL, "%s: a list without tensors", f->what);
}

/* The item whose key comes next after `last`; -1: there is none. */
static int next_key(const kt_list_t *dict, const char *last) {
    int next = -1;
    for (int i = 0; i < kt_list_len(dict); i += 2) {
        const char *key = kt_list_get(dict, i);
        if (last && strcmp(key, last) <= 0) continue;
        if (next < 0 || strcmp(key, kt_list_get(dict, next)) < 0) next = i;
    }
    return next;
}

static kt_status take_dict(flat *f, const kt_list_t *dict, int depth, kt_nest *to) {
    const int n = kt_list_len(dict) / 2;
    const char *last = NULL;
    kt_status st = KT_OK;
    if (to && !(to->key = kt_alloc_array(n + 1, sizeof *to->key))) return KT_ENOMEM;
    for (int i = 0; to && i < n; i++)
        if (!(to->key[i] = kt_strdup(kt_list_get(dict, 2 * i)))) return KT_ENOMEM;
    for (int i = 0; i < n && st == KT_OK; i++) {
        const int at = next_key(dict, last);
        if (at < 0) return KT_FAIL(KT_EINVAL, "%s: a name stands twice in the dict", f->what);
        last = kt_list_get(dict, at);
        st = take_item(f, kt_list_get(dict, at + 1), depth, to ? &to->item[at / 2] : NULL);
    }
    return st;
}

static kt_status take(flat *f, kt_ref ref, int depth, kt_nest *to) {
    const bool dict = kt_is(ref, KT_KIND_LIST) && kt_list_is_dict(ref);
    const int n = kt_list_len(ref) / (dict ? 2 : 1);
    kt_status st = KT_OK;
    if (!kt_is(ref, KT_KIND_LIST) || kt_failed(ref)) return take_tensor(f, ref, to);
    if (depth > DEPTH_MAX)
        return KT_FAIL(KT_ELIMIT, "%s: lists more than %d deep", f->what, DEPTH_MAX);
    if (n > f->most) return KT_FAIL(KT_ELIMIT, "%s: more than %d tensors", f->what, f->most);
    if (to) {
        to->item = kt_alloc_array(n + 1, sizeof *to->item);
        if (!to->item) return KT_ENOMEM;
        to->n = n;
        for (int i = 0; i < n; i++) to->item[i].leaf = -1;
    }
    if (dict) return take_dict(f, ref, depth, to);
    for (int i = 0; i < n && st == KT_OK; i++)
        st = take_item(f, kt_list_get(ref, i), depth, to ? &to->item[i] : NULL);
    return st;
}

kt_status kt_nest_take(
    kt_nest **out, kt_ref ref, const char *what, int most, int *n, kt_sym **leaf) {
    flat f = {.what = what, .most = most, .leaf = leaf};
    kt_nest *nest = out ? kt_alloc(sizeof *nest) : NULL;
    if (out && !nest) return KT_ENOMEM;
    if (nest) nest->leaf = -1;
    const kt_status st = take_item(&f, ref, 0, nest);
    *n = f.n;
    if (out) *out = st ? NULL : nest;
    if (st) kt_nest_free(nest);
    return st;
}

static void release(kt_nest *nest) {
    for (int i = 0; i < nest->n; i++) {
        release(&nest->item[i]);
        if (nest->key) kt_mem_free(nest->key[i]);
    }
    kt_mem_free(nest->item);
    kt_mem_free(nest->key);
}

void kt_nest_free(kt_nest *nest) {
    if (nest) release(nest);
    kt_mem_free(nest);
}

const char *kt_nest_key(const kt_nest *nest, int i) {
    for (int k = 0; nest && nest->key && k < nest->n; k++)
        if (nest->item[k].leaf == i) return nest->key[k];
    return NULL;
}
