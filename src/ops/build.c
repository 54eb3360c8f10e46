/* The builders of build.h that add conveniences; each op file has the builder of its own node. */
#include "ops/build.h"

#include "base/error.h"

kt_val *kt_g_num(kt_graph *g, double value, const kt_val *like) {
    if (!like) return NULL;
    return kt_g_const(g, value, (kt_spec){like->spec.dtype, {0, {0}}});
}

kt_val *kt_g_unary(kt_graph *g, const kt_opdef *op, kt_val *x) {
    kt_node *n = kt_graph_add(g, op, 1, &x, NULL);
    return n ? n->out[0] : NULL;
}

kt_val *kt_g_binary(kt_graph *g, const kt_opdef *op, kt_val *a, kt_val *b) {
    if (!a || !b) return NULL;
    kt_shape shape;
    if (kt_shape_broadcast(&a->spec.shape, &b->spec.shape, &shape)) {
        char sa[KT_SHAPE_STR], sb[KT_SHAPE_STR];
        KT_FAIL(KT_ESHAPE, "%s: shapes cannot be broadcast together", op->name);
        kt_error_got(
            "%s and %s",
            kt_shape_str(&a->spec.shape, sa, sizeof sa),
            kt_shape_str(&b->spec.shape, sb, sizeof sb));
        return kt_graph_fail(g, KT_ESHAPE);
    }
    kt_val *in[2] = {kt_g_broadcast(g, a, shape), kt_g_broadcast(g, b, shape)};
    kt_node *n = kt_graph_add(g, op, 2, in, NULL);
    return n ? n->out[0] : NULL;
}

kt_val *kt_g_scale(kt_graph *g, kt_val *a, double c) { return kt_g_mul(g, a, kt_g_num(g, c, a)); }

kt_val *kt_g_shift(kt_graph *g, kt_val *a, double c) { return kt_g_add(g, a, kt_g_num(g, c, a)); }

kt_val *kt_g_clip(kt_graph *g, kt_val *x, double low, double high) {
    return kt_g_minimum(g, kt_g_maximum(g, x, kt_g_num(g, low, x)), kt_g_num(g, high, x));
}

kt_val *kt_g_expand_dims(kt_graph *g, kt_val *x, int axis) {
    if (!x) return NULL;
    kt_shape s = x->spec.shape;
    const int at = kt_axis(axis, s.ndim + 1);
    if (at < 0 || s.ndim == KT_MAX_RANK)
        return kt_graph_fail(g, KT_FAIL(KT_EINVAL, "axis %d is out of range", axis));
    for (int i = s.ndim++; i > at; i--) s.dim[i] = s.dim[i - 1];
    s.dim[at] = 1;
    return kt_g_reshape(g, x, s);
}

kt_val *kt_g_squeeze(kt_graph *g, kt_val *x, int axis) {
    if (!x) return NULL;
    kt_shape s = x->spec.shape;
    const int at = kt_axis(axis, s.ndim);
    if (at < 0 || s.dim[at] != 1)
        return kt_graph_fail(g, KT_FAIL(KT_EINVAL, "axis %d is not an axis of length 1", axis));
    for (int i = at; i + 1 < s.ndim; i++) s.dim[i] = s.dim[i + 1];
    s.ndim--;
    return kt_g_reshape(g, x, s);
}

kt_val *kt_g_slice_axis(kt_graph *g, kt_val *x, int axis, int64_t start, int64_t stop) {
    if (!x) return NULL;
    const int at = kt_axis(axis, x->spec.shape.ndim);
    if (at < 0) return kt_graph_fail(g, KT_FAIL(KT_EINVAL, "axis %d is out of range", axis));
    slice_attrs a = {{0}, {0}, {0}};
    for (int i = 0; i < x->spec.shape.ndim; i++) {
        a.length[i] = x->spec.shape.dim[i];
        a.step[i] = 1;
    }
    a.start[at] = start;
    a.length[at] = stop - start;
    return kt_g_slice(g, x, &a);
}

int kt_axes_all(const kt_val *x) { return x ? (1 << x->spec.shape.ndim) - 1 : 0; }

int kt_axis_bit(kt_graph *g, const kt_val *x, int axis) {
    if (!x) return 0;
    const int at = kt_axis(axis, x->spec.shape.ndim);
    if (at >= 0) return 1 << at;
    char s[KT_SHAPE_STR];
    kt_graph_fail(
        g,
        KT_FAIL(
            KT_EINVAL,
            "axis %d is out of range for shape %s",
            axis,
            kt_shape_str(&x->spec.shape, s, sizeof s)));
    return 0;
}

kt_val *kt_g_sum(kt_graph *g, kt_val *x, int axes, bool keepdims) {
    return kt_g_reduce(g, KT_RED_SUM, x, axes, keepdims);
}

kt_val *kt_g_mean(kt_graph *g, kt_val *x, int axes, bool keepdims) {
    if (!x) return NULL;
    const kt_dtype d = x->spec.dtype;
    if (d == KT_FLOAT16 || d == KT_BFLOAT16) /* the sum may be more than the type holds */
        return kt_g_cast(g, kt_g_mean(g, kt_g_cast(g, x, KT_FLOAT32), axes, keepdims), d);
    double count = 1;
    for (int i = 0; i < x->spec.shape.ndim; i++)
        if (axes >> i & 1) count *= (double)x->spec.shape.dim[i];
    kt_val *sum = kt_g_sum(g, x, axes, keepdims);
    return kt_g_div(g, sum, kt_g_num(g, count, sum));
}

kt_val *kt_g_unbroadcast(kt_graph *g, kt_val *dy, const kt_shape *shape) {
    if (!dy) return NULL;
    const int extra = dy->spec.shape.ndim - shape->ndim;
    int axes = 0;
    for (int i = 0; i < dy->spec.shape.ndim; i++)
        if (i < extra || (shape->dim[i - extra] == 1 && dy->spec.shape.dim[i] != 1)) axes |= 1 << i;
    return axes ? kt_g_reshape(g, kt_g_sum(g, dy, axes, false), *shape)
                : kt_g_reshape(g, dy, *shape);
}
