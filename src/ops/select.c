/* select: cond ? a : b, elementwise. cond is bool; all three have one shape. keras.ops.where */
#include "base/error.h"
#include "ops/build.h"

#include <string.h>

static kt_status select_infer(const kt_node *n, kt_spec *out) {
    *out = n->in[1]->spec;
    if (n->in[0]->spec.dtype != KT_BOOL)
        return KT_FAIL(
            KT_EDTYPE,
            "where: expected a bool condition, got %s",
            kt_dtype_name(n->in[0]->spec.dtype));
    if (n->in[1]->spec.dtype != n->in[2]->spec.dtype)
        return KT_FAIL(
            KT_EDTYPE,
            "where: the two values differ: %s and %s",
            kt_dtype_name(n->in[1]->spec.dtype),
            kt_dtype_name(n->in[2]->spec.dtype));
    if (!kt_shape_equal(&n->in[0]->spec.shape, &out->shape) ||
        !kt_shape_equal(&n->in[2]->spec.shape, &out->shape))
        return KT_FAIL(KT_EINTERNAL, "select: shapes differ");
    return KT_OK;
}

static kt_status select_vjp(
    kt_graph *g, const kt_node *n, kt_val *const *dy, kt_val **dx, const bool *want) {
    kt_val *zero = kt_g_num(g, 0, dy[0]);
    if (want[1]) dx[1] = kt_g_select(g, n->in[0], dy[0], zero);
    if (want[2]) dx[2] = kt_g_select(g, n->in[0], zero, dy[0]);
    return g->status;
}

static kt_status select_ref(const kt_kargs *k) {
    const kt_spec *s = &k->node->out[0]->spec;
    const size_t e = kt_dtype_size(s->dtype);
    const int64_t n = kt_shape_size(&s->shape);
    const uint8_t *cond = k->in[0];
    for (int64_t i = 0; i < n; i++) {
        const char *from = cond[i] ? k->in[1] : k->in[2];
        memcpy((char *)k->out[0] + (size_t)i * e, from + (size_t)i * e, e);
    }
    return KT_OK;
}

static const kt_sample select_samples[] = {
    {.in =
         {{.dim = {3, 4}, .dtype = KT_BOOL, .low = 0, .high = 2},
          {.dim = {3, 4}},
          {.dim = {3, 4}}}},
    {.in = {{.dim = {2}}, {.dim = {2}}, {.dim = {2}}}, .want = KT_EDTYPE},
    KT_SAMPLES_END};

const kt_opdef kt_opdef_select = {
    .name = "select",
    .n_in = 3,
    .flags = KT_OP_ELEMENTWISE,
    .infer = select_infer,
    .vjp = select_vjp,
    .ref = {select_ref, select_ref, select_ref},
    .samples = select_samples,
};

kt_val *kt_g_select(kt_graph *g, kt_val *cond, kt_val *a, kt_val *b) {
    if (!cond || !a || !b) return NULL;
    kt_shape s;
    if (kt_shape_broadcast(&a->spec.shape, &b->spec.shape, &s) ||
        kt_shape_broadcast(&s, &cond->spec.shape, &s))
        return kt_graph_fail(g, KT_FAIL(KT_ESHAPE, "where: shapes cannot be broadcast together"));
    kt_val *in[3] = {kt_g_broadcast(g, cond, s), kt_g_broadcast(g, a, s), kt_g_broadcast(g, b, s)};
    kt_node *n = kt_graph_add(g, &kt_opdef_select, 3, in, NULL);
    return n ? n->out[0] : NULL;
}
