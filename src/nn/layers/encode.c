/* See encode.h. Counting adds into rows of zeros (the primitive scatter_add), so that a text of 200
 * words takes 200 additions and no one-hot array of 200 x 20,000.  keras: numerical_utils.py */
#include "nn/layers/encode.h"

#include "base/mem.h"
#include "tensor/tensor.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

static const char *const mode_names[] = {"int", "one_hot", "multi_hot", "count", "tf_idf"};

kt_status kt_encode_mode_of(kt_encode_mode *out, const char *name, unsigned allowed) {
    char list[80] = "";
    for (int i = 0; i < KT_ENCODE_MODES; i++) {
        if (!(allowed >> i & 1)) continue;
        *out = (kt_encode_mode)i;
        if (name && !strcmp(name, mode_names[i])) return KT_OK;
        const size_t n = strlen(list);
        snprintf(list + n, sizeof list - n, "%s\"%s\"", n ? ", " : "", mode_names[i]);
    }
    KT_FAIL(KT_EINVAL, "output_mode: unknown \"%.40s\"", name ? name : "");
    return kt_error_expected("one of %s", list);
}

kt_status kt_encode_refuse_sparse(bool sparse) {
    return sparse ? KT_FAIL(KT_EUNSUPPORTED, "sparse: sparse outputs are not supported") : KT_OK;
}

kt_status kt_encode_salt(kt_ints_t *salt) {
    if (salt->n > 2) return KT_FAIL(KT_EINVAL, "salt: expected one number or two, got %d", salt->n);
    if (salt->n != 1) return KT_OK;
    const int64_t pair[2] = {salt->v[0], salt->v[0]};
    int64_t *v = kt_alloc_array(2, sizeof *v);
    if (!v) return KT_ENOMEM;
    memcpy(v, pair, sizeof pair);
    kt_mem_free((void *)(uintptr_t)salt->v);
    *salt = (kt_ints_t){v, 2};
    return KT_OK;
}

/* A last axis of length 1 goes; a scalar is one sample. */
static kt_val *one_hot(kt_graph *g, kt_val *index, int64_t depth, kt_dtype dtype) {
    const kt_shape *s = &index->spec.shape;
    if (s->ndim == 0) index = kt_g_expand_dims(g, index, 0);
    if (s->ndim > 1 && s->dim[s->ndim - 1] == 1) index = kt_g_squeeze(g, index, s->ndim - 1);
    return index ? kt_g_one_hot(g, index, depth, dtype) : NULL;
}

/* (rows, samples): axis 1 goes behind the others; *rows keeps the shape of those. */
static kt_val *rows_of(kt_graph *g, kt_val *x, kt_shape *rows) {
    const kt_shape s = x->spec.shape;
    int perm[KT_MAX_RANK];
    *rows = (kt_shape){0, {0}};
    if (s.ndim < 2) return kt_g_reshape(g, x, kt_dims(1, kt_shape_size(&s)));
    for (int i = 0; i < s.ndim; i++) {
        if (i == 1) continue;
        perm[rows->ndim] = i;
        rows->dim[rows->ndim++] = s.dim[i];
    }
    perm[s.ndim - 1] = 1;
    if (s.ndim > 2) x = kt_g_transpose(g, x, perm);
    return kt_g_reshape(g, x, kt_dims(kt_shape_size(rows), s.dim[1]));
}

/* Row i begins at element i depth of the result. */
static kt_val *row_starts(kt_graph *g, int64_t n, int64_t depth) {
    int32_t *start = kt_alloc_array(n, sizeof *start);
    if (!start) return kt_graph_fail(g, KT_ENOMEM);
    for (int64_t i = 0; i < n; i++) start[i] = (int32_t)(i * depth);
    kt_val *v = kt_g_array(g, start, (kt_spec){KT_INT32, kt_dims(n, 1)});
    kt_mem_free(start);
    return v;
}

static kt_val *count(
    kt_graph *g, kt_val *index, kt_val *inside, int64_t depth, kt_dtype dtype, kt_val *weights) {
    kt_shape out;
    kt_val *share = kt_g_cast(g, inside, dtype);
    if (weights) share = kt_g_mul(g, share, kt_g_cast(g, weights, dtype));
    index = rows_of(g, index, &out);
    if (!index || !share) return NULL;
    share = rows_of(g, share, &out);
    const int64_t rows = index->spec.shape.dim[0];
    if (rows > INT32_MAX / depth)
        return kt_graph_fail(
            g,
            KT_FAIL(
                KT_ELIMIT,
                "output_mode: %lld x %lld elements are too many",
                (long long)rows,
                (long long)depth));
    index = kt_g_add(g, index, row_starts(g, rows, depth));
    kt_val *y = kt_g_scatter_add(
        g,
        kt_g_reshape(g, share, kt_dims(-1)),
        kt_g_reshape(g, index, kt_dims(-1)),
        kt_dims(rows * depth));
    out.dim[out.ndim++] = depth;
    return y ? kt_g_reshape(g, y, out) : NULL;
}

kt_val *kt_encode(
    kt_graph *g,
    kt_val *index,
    kt_encode_mode mode,
    int64_t depth,
    kt_dtype dtype,
    kt_val *weights) {
    if (!index) return NULL;
    if (mode == KT_ENCODE_INT) return kt_g_cast(g, index, dtype);
    if (depth < 1 || depth > INT32_MAX)
        return kt_graph_fail(g, KT_FAIL(KT_ELIMIT, "output_mode: %lld bins", (long long)depth));
    /* beyond int32 before the cast, so that it does not come back in */
    if (kt_dtype_is_float(index->spec.dtype)) index = kt_g_cast(g, index, KT_INT64);
    kt_val *near = kt_g_clip(g, index, -1, (double)depth);
    index = kt_g_cast(g, near, KT_INT32);
    if (!index) return NULL;
    if (mode == KT_ENCODE_ONE_HOT) return one_hot(g, index, depth, dtype);
    kt_val *at = kt_g_clip(g, index, 0, (double)(depth - 1));
    if (!at) return NULL;
    kt_val *y = count(g, at, kt_g_eq(g, at, index), depth, dtype, weights);
    if (mode != KT_ENCODE_MULTI_HOT || !y) return y;
    return kt_g_minimum(g, y, kt_g_num(g, 1, y));
}
