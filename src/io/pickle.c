/* What data sets and weights make of their pickles. See pickle.h; pickle_machine.c reads them. */
#include "io/pickle.h"

#include "base/error.h"
#include "io/pickle_machine.h"
#include "tensor/sequences.h"
#include "tensor/tensor.h"

typedef kt_pkl pickle;
typedef kt_pkl_value value;
typedef kt_pkl_list list;
typedef kt_pkl_array array;

static kt_status not_lists(const char *got) {
    KT_FAIL(KT_EFORMAT, "pickle: no list of sequences");
    kt_error_expected("an array of lists of integers");
    return kt_error_got("%s", got);
}

/* The list of lists; its items are p->items.v + start. */
static kt_status find_lists(const pickle *p, value v, list *out) {
    if (v.kind != V_ARRAY) return not_lists("something else");
    const array *a = &p->arrays.v[v.v];
    if (a->shape.ndim != 1 || a->content.kind != V_LIST) return not_lists("another kind of array");
    *out = p->lists.v[a->content.v];
    if (out->n != a->shape.dim[0] || (out->n && out->ints))
        return not_lists("another number of lists");
    int64_t total = 0;
    for (int i = 0; i < out->n; i++) {
        const value item = p->items.v[out->start + i];
        if (item.kind != V_LIST) return not_lists("an item that is no list");
        const list *l = &p->lists.v[item.v];
        if (l->n && !l->ints) return not_lists("a list of something else");
        total += l->n;
    }
    if (total > (int64_t)p->size) return kt_pkl_over_limit(); /* the same lists many times */
    return KT_OK;
}

static kt_sequences *sequences_of(const pickle *p, const list *lists) {
    int64_t total = 0;
    for (int i = 0; i < lists->n; i++) total += p->lists.v[p->items.v[lists->start + i].v].n;
    kt_sequences *s = kt_sequences_make(lists->n, total);
    if (kt_failed(s)) return s;
    for (int i = 0; i < lists->n; i++) {
        const list *l = &p->lists.v[p->items.v[lists->start + i].v];
        if (l->n)
            memcpy(s->ids + s->offset[i], p->ints.v + l->start, (size_t)l->n * sizeof *s->ids);
        s->offset[i + 1] = s->offset[i] + l->n;
    }
    return s;
}

kt_sequences *kt_pickle_sequences(const void *data, size_t size) {
    pickle p = {.data = data, .size = size};
    value v;
    list lists = {0};
    kt_status st = kt_pkl_run(&p, &v);
    if (st == KT_OK) st = find_lists(&p, v, &lists);
    kt_sequences *s = st ? kt_fail_object(st) : sequences_of(&p, &lists);
    kt_pkl_release(&p);
    return s;
}

static kt_status batch_of(
    const pickle *p, value dict, const char *key, kt_tensor **x, kt_tensor **y) {
    if (dict.kind != V_DICT) return KT_FAIL(KT_EFORMAT, "pickle: no batch of pictures: no dict");
    const value data = kt_pkl_get(p, dict, "data"), labels = kt_pkl_get(p, dict, key);
    if (data.kind != V_ARRAY || labels.kind != V_LIST)
        return KT_FAIL(
            KT_EFORMAT, "pickle: the dict lacks the array \"data\" or the list \"%s\"", key);
    const array *a = &p->arrays.v[data.v];
    const list *l = &p->lists.v[labels.v];
    if (a->shape.ndim != 2 || a->content.kind != V_TEXT || (l->n && !l->ints) ||
        l->n != a->shape.dim[0])
        return KT_FAIL(KT_EFORMAT, "pickle: \"data\" and \"%s\" do not fit together", key);
    if (a->shape.dim[1] > UINT32_MAX || a->shape.dim[0] * a->shape.dim[1] != (int64_t)a->content.n)
        return KT_FAIL(KT_EFORMAT, "pickle: the array \"data\" has another length than its shape");
    *x = kt_tensor_new(KT_UINT8, kt_dims(a->shape.dim[0], a->shape.dim[1]), p->data + a->content.v);
    *y = kt_tensor_new(KT_UINT8, kt_dims(l->n), NULL);
    if (kt_failed(*x) || kt_failed(*y)) return KT_ENOMEM;
    for (int i = 0; i < l->n; i++) {
        const int32_t label = p->ints.v[l->start + i];
        if (label < 0 || label > UINT8_MAX)
            return KT_FAIL(KT_EFORMAT, "pickle: label %d at position %d", (int)label, i);
        kt_tensor_set(*y, i, label);
    }
    return KT_OK;
}

kt_status kt_pickle_batch(
    const void *data, size_t size, const char *labels, kt_tensor **x, kt_tensor **y) {
    pickle p = {.data = data, .size = size};
    value v;
    *x = *y = NULL;
    kt_status st = kt_pkl_run(&p, &v);
    if (st == KT_OK) st = batch_of(&p, v, labels, x, y);
    kt_pkl_release(&p);
    if (st == KT_OK) return st;
    kt_free(*x);
    kt_free(*y);
    *x = *y = kt_fail_object(st);
    return st;
}

/* Arrays of weights ------------------------------------------------------------------------------
 */

/* The array that a variable holds: its `_value`, which TensorFlow makes of an `initial_value`. NULL
 * if it is none. */
static const array *array_of(const pickle *p, value v) {
    if (v.kind == V_OBJECT && p->objects.v[v.v].made_by == G_VARIABLE)
        v = kt_pkl_get(p, p->objects.v[v.v].state, "_value");
    if (v.kind == V_OBJECT && p->objects.v[v.v].made_by == G_TF_VARIABLE)
        v = kt_pkl_get(p, p->objects.v[v.v].state, "initial_value");
    const array *a = v.kind == V_ARRAY ? &p->arrays.v[v.v] : NULL;
    return a && a->content.kind == V_TEXT ? a : NULL;
}

static kt_status give_array(
    const pickle *p, const kt_pkl_pair *entry, kt_pickle_each each, void *with, uint64_t *total) {
    char key[KT_QUOTE_SIZE];
    const array *a = array_of(p, entry->value);
    kt_quote((const char *)p->data + entry->key.v, entry->key.n, key, sizeof key);
    if (!a) return KT_FAIL(KT_EREFUSED, "pickle: \"%s\" is no array of numbers", key);
    const int64_t n = kt_shape_size(&a->shape);
    if (n < 0 || a->content.n % (uint32_t)a->elem.size ||
        a->content.n / (uint32_t)a->elem.size != (uint64_t)n)
        return KT_FAIL(
            KT_EFORMAT, "pickle: the array \"%s\" has another length than its shape", key);
    *total += a->content.n;
    if (*total > p->size) return kt_pkl_over_limit(); /* the same array many times */
    const bool brain = a->elem.kind == 'B';
    const kt_pickle_array out = {
        .key = (const char *)p->data + entry->key.v,
        .key_n = entry->key.n,
        .elem = brain ? (kt_elem){'f', 2, a->elem.big} : a->elem,
        .dtype = brain ? KT_BFLOAT16 : kt_elem_dtype(&a->elem),
        .fortran = a->fortran,
        .shape = a->shape,
        .data = p->data + a->content.v,
        .bytes = a->content.n};
    return each(with, &out);
}

static kt_status give_arrays(const pickle *p, value v, kt_pickle_each each, void *with) {
    uint64_t total = 0;
    kt_status st = KT_OK;
    const list *items = NULL; /* an array of objects without axes: its one item is what was saved */
    if (v.kind == V_ARRAY && !p->arrays.v[v.v].shape.ndim &&
        p->arrays.v[v.v].content.kind == V_LIST)
        items = &p->lists.v[p->arrays.v[v.v].content.v];
    if (items && items->n == 1 && !items->ints) v = p->items.v[items->start];
    if (v.kind != V_DICT) return KT_FAIL(KT_EFORMAT, "pickle: no dict of arrays");
    for (int i = p->dicts.v[v.v].first; i >= 0 && st == KT_OK; i = p->pairs.v[i].next)
        st = give_array(p, &p->pairs.v[i], each, with, &total);
    return st;
}

kt_status kt_pickle_arrays(const void *data, size_t size, kt_pickle_each each, void *with) {
    pickle p = {.data = data, .size = size, .variables = true};
    value v;
    kt_status st = kt_pkl_run(&p, &v);
    if (st == KT_OK) st = give_arrays(&p, v, each, with);
    kt_pkl_release(&p);
    return st;
}
