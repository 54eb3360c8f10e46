/* Elements picked along an axis by an array of positions, each lane by its own.
 * keras.ops.take_along_axis
 *
 * A gather from the flat array: the position along the axis, times the elements between two of it,
 * plus where the lane starts. The gradient is that of the gather. */
#include "base/error.h"
#include "ops/build.h"

/* 0, step, 2 step … along one axis of ndim. */
static kt_val *starts(kt_graph *g, int axis, int ndim, int64_t n, int64_t step) {
    kt_spec spec = {KT_INT32, {ndim, {0}}};
    int32_t *v = kt_arena_alloc(g->arena, sizeof *v * (size_t)(n + 1));
    if (!v) return kt_graph_fail(g, KT_ENOMEM);
    for (int64_t i = 0; i < n; i++) v[i] = (int32_t)(i * step);
    for (int i = 0; i < ndim; i++) spec.shape.dim[i] = i == axis ? n : 1;
    return kt_g_array(g, v, spec);
}

kt_val *kt_g_take_along(kt_graph *g, kt_val *x, kt_val *index, int axis, bool check) {
    if (!x || !index) return NULL;
    kt_shape from = x->spec.shape, to = index->spec.shape, all;
    if (from.ndim != to.ndim || axis < 0 || axis >= from.ndim)
        return kt_graph_fail(
            g,
            KT_FAIL(
                KT_ESHAPE,
                "take_along_axis: expected as many axes of the indices as of x, %d, got %d",
                from.ndim,
                to.ndim));
    const int64_t len = from.dim[axis], n = to.dim[axis];
    from.dim[axis] = to.dim[axis] = 1;
    if (kt_shape_broadcast(&from, &to, &all))
        return kt_graph_fail(
            g, KT_FAIL(KT_ESHAPE, "take_along_axis: x and the indices do not go together"));
    from = to = all;
    from.dim[axis] = len;
    to.dim[axis] = n;
    if (kt_shape_size(&from) > INT32_MAX)
        return kt_graph_fail(g, KT_FAIL(KT_ELIMIT, "take_along_axis: more than 2^31 elements"));
    int64_t stride[KT_MAX_RANK];
    kt_strides(&from, stride);
    x = kt_g_broadcast(g, x, from);
    index = kt_g_broadcast(g, kt_g_cast(g, index, KT_INT32), to);
    if (!x || !index) return NULL;
    kt_val *flat = kt_g_scale(g, index, (double)stride[axis]);
    for (int i = 0; i < to.ndim; i++)
        if (i != axis && to.dim[i] > 1)
            flat = kt_g_add(g, flat, starts(g, i, to.ndim, to.dim[i], stride[i]));
    if (check && flat) { /* the flat array has room where the axis has not: -1 is refused */
        kt_val *none = kt_g_num(g, -1, flat);
        flat = kt_g_select(g, kt_g_ge(g, index, kt_g_num(g, 0, index)), flat, none);
        flat = kt_g_select(g, kt_g_lt(g, index, kt_g_num(g, (double)len, index)), flat, none);
    }
    return kt_g_gather(g, kt_g_reshape(g, x, kt_dims(-1)), flat);
}
