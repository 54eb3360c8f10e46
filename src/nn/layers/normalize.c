/* See normalize.h. */
#include "nn/layers/normalize.h"

#include "nn/axes.h"

static kt_status axis_error(int axis, const kt_shape *s) {
    char text[KT_SHAPE_STR];
    return KT_FAIL(
        KT_EINVAL,
        "axis %d is out of range for shape %s",
        axis,
        kt_shape_str(s, text, sizeof text));
}

kt_status kt_norm_axes(kt_tuple axis, const kt_shape *s, int *bits) {
    int axes[KT_MAX_RANK];
    const int n = kt_axes_list(axis, axes);
    *bits = 0;
    if (n == 0) return KT_FAIL(KT_EINVAL, "axis: expected one axis or several, got none");
    for (int i = 0; i < n; i++) {
        const int at = kt_axis(axes[i], s->ndim);
        if (at < 0) return axis_error(axes[i], s);
        if (*bits >> at & 1) return KT_FAIL(KT_EINVAL, "axis: axis %d is named twice", axes[i]);
        *bits |= 1 << at;
    }
    return KT_OK;
}

kt_status kt_norm_weight_shape(kt_tuple axis, const kt_shape *s, int64_t *field) {
    int axes[KT_MAX_RANK], bits;
    const int n = kt_axes_list(axis, axes);
    const kt_status st = kt_norm_axes(axis, s, &bits);
    if (st) return st;
    for (int i = 1; i < n; i++) /* by number as given: -1 comes before 1, as in Keras */
        for (int k = i; k > 0 && axes[k - 1] > axes[k]; k--) {
            const int other = axes[k];
            axes[k] = axes[k - 1];
            axes[k - 1] = other;
        }
    for (int i = 0; i < n; i++) {
        char text[KT_SHAPE_STR];
        field[i] = s->dim[kt_axis(axes[i], s->ndim)];
        if (field[i] > 0) continue;
        KT_FAIL(
            KT_ESHAPE,
            "the length of axis %d must be known, and not 0, when the layer is built",
            axes[i]);
        return kt_error_got("%s", kt_shape_str(s, text, sizeof text));
    }
    return KT_OK;
}

kt_val *kt_norm_float(kt_graph *g, kt_val *x) {
    return x ? kt_g_cast(g, x, kt_op_promote(x->spec.dtype, KT_FLOAT32)) : NULL;
}

kt_val *kt_norm_widen(kt_graph *g, kt_var *weight, const kt_val *x, int bits) {
    kt_shape wide = x->spec.shape;
    for (int i = 0; i < wide.ndim; i++)
        if (!(bits >> i & 1)) wide.dim[i] = 1;
    kt_val *w = weight ? kt_unwrap(kt_value(weight), NULL) : NULL;
    return w ? kt_g_reshape(g, kt_g_cast(g, w, x->spec.dtype), wide) : NULL;
}

kt_val *kt_normalize(
    kt_graph *g, kt_val *x, int bits, double epsilon, kt_val *gamma, kt_val *beta) {
    kt_val *centered = kt_g_sub(g, x, kt_g_mean(g, x, bits, true));
    kt_val *variance = kt_g_mean(g, kt_g_square(g, centered), bits, true);
    kt_val *scale = kt_g_rsqrt(g, kt_g_shift(g, variance, epsilon));
    if (gamma) scale = kt_g_mul(g, scale, gamma);
    kt_val *y = kt_g_mul(g, centered, scale);
    return beta ? kt_g_add(g, y, beta) : y;
}
