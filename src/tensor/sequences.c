/* Ragged integer lists: one block of ids and where each sequence begins in it. See sequences.h. */
#include "tensor/sequences.h"

#include "base/error.h"
#include "base/mem.h"

#include <string.h>

static void sequences_destroy(void *self) {
    kt_sequences *s = self;
    kt_mem_free(s->offset);
    kt_mem_free(s->ids);
}

kt_sequences *kt_sequences_make(int64_t n, int64_t n_ids) {
    kt_sequences *s = kt_obj_new(sizeof *s, KT_KIND_SEQUENCES, sequences_destroy);
    if (!s) return kt_fail_object(KT_ENOMEM);
    s->n = n;
    s->offset = kt_alloc_array(n + 1, sizeof *s->offset);
    s->ids = kt_alloc_array(n_ids, sizeof *s->ids);
    if (s->offset && s->ids) return s;
    kt_free(s);
    return kt_fail_object(KT_ENOMEM);
}

kt_status kt_sequences_check(const kt_sequences *s) {
    char got[80];
    if (kt_is(s, KT_KIND_SEQUENCES)) return KT_OK;
    if (s && kt_failed(s)) return kt_check(s);
    return KT_FAIL(
        KT_EINVAL, "sequences: expected sequences, got %s", kt_ref_describe(s, got, sizeof got));
}

kt_sequences *kt_sequences_new(int64_t n, const int64_t *lengths, const int32_t *ids) {
    int64_t total = 0;
    if (n < 0 || n == INT64_MAX || (n > 0 && !lengths))
        return kt_fail_object(KT_FAIL(
            KT_EINVAL,
            "sequences: expected a count >= 0 and as many lengths, got %lld",
            (long long)n));
    for (int64_t i = 0; i < n; i++) {
        if (lengths[i] < 0 || lengths[i] > INT64_MAX - total)
            return kt_fail_object(KT_FAIL(
                KT_EINVAL,
                "sequences: expected lengths >= 0, got %lld at position %lld",
                (long long)lengths[i],
                (long long)i));
        total += lengths[i];
    }
    if (total > 0 && !ids)
        return kt_fail_object(KT_FAIL(KT_EINVAL, "sequences: expected the ids, got NULL"));
    kt_sequences *s = kt_sequences_make(n, total);
    if (kt_failed(s)) return s;
    for (int64_t i = 0; i < n; i++) s->offset[i + 1] = s->offset[i] + lengths[i];
    if (total > 0) memcpy(s->ids, ids, (size_t)total * sizeof *ids);
    return s;
}

int64_t kt_sequences_count(const kt_sequences *s) { return kt_is(s, KT_KIND_SEQUENCES) ? s->n : 0; }

const int32_t *kt_sequences_get(const kt_sequences *s, int64_t i) {
    return i >= 0 && i < kt_sequences_count(s) ? s->ids + s->offset[i] : NULL;
}

int64_t kt_sequences_len(const kt_sequences *s, int64_t i) {
    return i >= 0 && i < kt_sequences_count(s) ? s->offset[i + 1] - s->offset[i] : 0;
}

kt_sequences *kt_sequences_slice(const kt_sequences *s, int64_t start, int64_t stop) {
    const kt_status st = kt_sequences_check(s);
    if (st) return kt_fail_object(st);
    if (start < 0 || start > stop || stop > s->n)
        return kt_fail_object(KT_FAIL(
            KT_EINVAL,
            "slice: expected 0 <= start <= stop <= %lld, got %lld and %lld",
            (long long)s->n,
            (long long)start,
            (long long)stop));
    const int64_t first = s->offset[start], n = s->offset[stop] - first;
    kt_sequences *out = kt_sequences_make(stop - start, n);
    if (kt_failed(out)) return out;
    for (int64_t i = 0; i <= out->n; i++) out->offset[i] = s->offset[start + i] - first;
    if (n > 0) memcpy(out->ids, s->ids + first, (size_t)n * sizeof *s->ids);
    return out;
}
