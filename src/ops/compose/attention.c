/* Dot-product attention: softmax(mask, scale q k^T) v in each head.
 * keras.ops.dot_product_attention */
#include "ops/build.h"

#include <float.h>

#define MASKED (-0.7 * FLT_MAX) /* as Keras on JAX: a row without keys is the mean of all values */

/* (1, 1, n, 1) or (1, 1, 1, n) with 0, 1, 2 … */
static kt_val *positions(kt_graph *g, int64_t n, bool rows) {
    int32_t *v = kt_arena_alloc(g->arena, sizeof *v * (size_t)(n + 1));
    if (!v) return kt_graph_fail(g, KT_ENOMEM);
    for (int64_t i = 0; i < n; i++) v[i] = (int32_t)i;
    const kt_shape s = {4, {1, 1, rows ? n : 1, rows ? 1 : n}};
    return kt_g_array(g, v, (kt_spec){KT_INT32, s});
}

kt_val *kt_g_attention(
    kt_graph *g, kt_val *q, kt_val *k, kt_val *v, kt_val *mask, double scale, bool causal) {
    if (!q || !k || !v) return NULL;
    kt_val *scores = kt_g_einsum(g, "bsnh,btnh->bnts", k, kt_g_scale(g, q, scale));
    if (!scores) return NULL;
    if (causal) {
        const kt_shape *s = &scores->spec.shape;
        kt_val *seen = kt_g_ge(g, positions(g, s->dim[2], true), positions(g, s->dim[3], false));
        mask = mask ? kt_g_minimum(g, mask, seen) : seen;
        if (!mask) return NULL;
    }
    if (mask) scores = kt_g_select(g, mask, scores, kt_g_num(g, MASKED, scores));
    return scores ? kt_g_einsum(g, "bnts,bsnh->btnh", kt_g_softmax(g, scores, -1), v) : NULL;
}
