/* pad_sequences: a list of sequences as one array.  keras.utils.pad_sequences */
#include "base/error.h"
#include "base/field.h"
#include "tensor/sequences.h"
#include "tensor/tensor.h"

enum { PRE, POST };
static const char *const sides[] = {"pre", "post", NULL};

typedef struct {
    kt_dtype dtype;
    int padding, truncating;
    int64_t maxlen;
} pad_options;

static kt_status pad_dtype(const char *name, kt_dtype *out) {
    static const char *const names[] = {
        "int32", "int64", "uint8", "bool", "float16", "float32", "float64", "bfloat16", NULL};
    int i;
    const kt_status st = kt_arg_word("dtype", name, names, &i);
    if (st == KT_OK) *out = kt_dtype_of(names[i]);
    return st;
}

static kt_status pad_options_of(const kt_pad_sequences_args *a, pad_options *o) {
    const kt_sequences *s = a->sequences;
    kt_status st = kt_sequences_check(s);
    if (st == KT_OK) st = pad_dtype(a->dtype, &o->dtype);
    if (st == KT_OK) st = kt_arg_word("padding", a->padding, sides, &o->padding);
    if (st == KT_OK) st = kt_arg_word("truncating", a->truncating, sides, &o->truncating);
    if (st) return st;
    o->maxlen = a->maxlen;
    if (a->maxlen == KT_NONE) {
        if (s->n == 0)
            return KT_FAIL(KT_EINVAL, "maxlen: there is no sequence to take the length from");
        o->maxlen = 0;
        for (int64_t i = 0; i < s->n; i++)
            if (kt_sequences_len(s, i) > o->maxlen) o->maxlen = kt_sequences_len(s, i);
    }
    if (o->maxlen < 0)
        return KT_FAIL(KT_EINVAL, "maxlen: expected a length >= 0, got %lld", (long long)o->maxlen);
    return KT_OK;
}

kt_tensor *kt_pad_sequences_with(const kt_pad_sequences_args *args) {
    kt_pad_sequences_args a;
    pad_options o = {0};
    kt_status st = kt_args_read(&a, args, sizeof a, NULL);
    if (st == KT_OK) st = pad_options_of(&a, &o);
    if (st) return kt_fail_object(st);
    const kt_sequences *s = a.sequences;
    kt_tensor *t = kt_tensor_new(o.dtype, kt_dims(s->n, o.maxlen), NULL);
    if (kt_failed(t)) return t;
    const size_t size = kt_dtype_size(o.dtype);
    if (a.value != 0)
        for (int64_t i = 0; i < kt_tensor_size(t); i++) kt_elem_set(t->data, o.dtype, i, a.value);
    for (int64_t i = 0; i < s->n; i++) {
        const int64_t length = kt_sequences_len(s, i);
        const int64_t n = length < o.maxlen ? length : o.maxlen;
        const int32_t *from = kt_sequences_get(s, i) + (o.truncating == PRE ? length - n : 0);
        const int64_t at = i * o.maxlen + (o.padding == PRE ? o.maxlen - n : 0);
        kt_elem_convert((char *)t->data + (size_t)at * size, o.dtype, from, KT_INT32, n);
    }
    return t;
}
