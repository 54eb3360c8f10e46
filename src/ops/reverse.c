/* reverse: the elements along one axis in the opposite order. keras.ops.flip
 *
 * A primitive, because slices only go forward. It is its own gradient. */
#include "base/error.h"
#include "ops/build.h"

#include <string.h>

static kt_status reverse_infer(const kt_node *n, kt_spec *out) {
    const int axis = ((const axis_attrs *)n->attrs)->axis;
    *out = n->in[0]->spec;
    if (axis >= 0 && axis < out->shape.ndim) return KT_OK;
    return KT_FAIL(KT_EINVAL, "reverse: axis %d is out of range", axis);
}

static kt_status reverse_vjp(
    kt_graph *g, const kt_node *n, kt_val *const *dy, kt_val **dx, const bool *want) {
    (void)want;
    dx[0] = kt_g_reverse(g, dy[0], ((const axis_attrs *)n->attrs)->axis);
    return g->status;
}

static kt_status reverse_ref(const kt_kargs *k) {
    const kt_spec *x = &k->node->in[0]->spec;
    const int axis = ((const axis_attrs *)k->node->attrs)->axis;
    const int64_t outer = kt_shape_range(&x->shape, 0, axis), n = x->shape.dim[axis];
    const size_t run = (size_t)kt_shape_range(&x->shape, axis + 1, x->shape.ndim) *
                       kt_dtype_size(x->dtype);
    const char *from = k->in[0];
    char *to = k->out[0];
    for (int64_t o = 0; o < outer; o++)
        for (int64_t i = 0; i < n && run; i++, to += run)
            memcpy(to, from + (size_t)(o * n + n - 1 - i) * run, run);
    return KT_OK;
}

static const kt_sample reverse_samples[] = {
    {.in = {{.dim = {2, 5, 3}}}, .attrs = &(axis_attrs){1}},
    {.in = {{.dim = {4, 3}}}, .attrs = &(axis_attrs){0}},
    {.in = {{.dim = {4, 3}, .dtype = KT_INT32}}, .attrs = &(axis_attrs){1}},
    {.in = {{.dim = {4, 3}}}, .attrs = &(axis_attrs){2}, .want = KT_EINVAL},
    KT_SAMPLES_END};
static const kt_field reverse_fields[] = {KT_F(axis_attrs, axis), KT_F_END};

const kt_opdef kt_opdef_reverse = {
    .name = "reverse",
    .n_in = 1,
    .attrs_size = sizeof(axis_attrs),
    .attrs = reverse_fields,
    .infer = reverse_infer,
    .vjp = reverse_vjp,
    .ref = {reverse_ref, reverse_ref, reverse_ref},
    .samples = reverse_samples,
};

kt_val *kt_g_reverse(kt_graph *g, kt_val *x, int axis) {
    if (!x) return NULL;
    const int at = axis < 0 ? axis + x->spec.shape.ndim : axis;
    kt_node *n = kt_graph_add(g, &kt_opdef_reverse, 1, &x, &(axis_attrs){at});
    return n ? n->out[0] : NULL;
}
