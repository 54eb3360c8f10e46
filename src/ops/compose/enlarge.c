/* See windows.h. keras.ops.repeat, keras.ops.image.resize to a multiple of the size
 *
 * A cell becomes `factor` cells, and each of them (a phase) is a sum of neighbours with weights of
 * its own: every cell is repeated, and a depthwise convolution, for which the phases are channels,
 * does the rest. At the borders, where neighbours are missing, the sum of the weights that are left
 * divides: bilinear, that is as good as repeating the last cell, else it is a row of numbers.
 * Weights are those of TensorFlow without antialiasing: half pixel centers, cubic with a = -0.5 at
 * positions rounded to 1/1024, because TensorFlow has a table of it (JAX has not). */
#include "ops/compose/windows.h"

#include "base/error.h"
#include "base/mem.h"

#include <math.h>

kt_val *kt_g_repeat_nd(kt_graph *g, kt_val *x, const int *factor) {
    if (!x) return NULL;
    const kt_shape s = x->spec.shape;
    const int rank = s.ndim - 2;
    kt_shape apart = {1, {s.dim[0]}}, wide = apart, out = s;
    if (rank < 1 || rank > 3)
        return kt_graph_fail(g, KT_FAIL(KT_ESHAPE, "repeat: expected an input of 3 to 5 axes"));
    for (int i = 0; i < rank; i++) {
        out.dim[1 + i] *= factor[i];
        apart.dim[apart.ndim++] = wide.dim[wide.ndim++] = s.dim[1 + i];
        if (factor[i] == 1) continue;
        apart.dim[apart.ndim++] = 1;
        wide.dim[wide.ndim++] = factor[i];
    }
    apart.dim[apart.ndim++] = wide.dim[wide.ndim++] = s.dim[s.ndim - 1];
    return kt_g_reshape(g, kt_g_broadcast(g, kt_g_reshape(g, x, apart), wide), out);
}

static int reach(kt_resize_kind kind) {
    static const int cells[] = {1, 1, 2, 3, 5};
    return cells[kind];
}

static double sinc(double x) { return x == 0 ? 1 : sin(M_PI * x) / (M_PI * x); }

/* Where the center of a phase lies between the cells. */
static double position(kt_resize_kind kind, int64_t phase, int factor) {
    const double at = ((double)phase + 0.5) / factor - 0.5;
    return kind == KT_RESIZE_BICUBIC ? rint(at * 1024) / 1024 : at;
}

/* The weight of a cell at distance x. */
static double weight_at(kt_resize_kind kind, double x) {
    const int r = reach(kind);
    x = fabs(x);
    if (x >= r) return 0;
    if (kind == KT_RESIZE_BILINEAR) return 1 - x;
    if (kind == KT_RESIZE_BICUBIC)
        return x <= 1 ? (1.5 * x - 2.5) * x * x + 1 : ((-0.5 * x + 2.5) * x - 4) * x + 2;
    return sinc(x) * sinc(x / r);
}

/* A constant of float64 values in the dtype of x. */
static kt_val *numbers(kt_graph *g, const double *v, kt_shape shape, const kt_val *x) {
    return kt_g_cast(g, kt_g_array(g, v, (kt_spec){KT_FLOAT64, shape}), x->spec.dtype);
}

/* [2 r + 1, factor, 1] */
static kt_val *phase_kernel(kt_graph *g, kt_resize_kind kind, int factor, const kt_val *x) {
    const int r = reach(kind), taps = 2 * r + 1;
    double *w = kt_alloc_array((int64_t)taps * factor, sizeof *w);
    if (!w) return kt_graph_fail(g, KT_ENOMEM);
    for (int t = 0; t < taps; t++)
        for (int p = 0; p < factor; p++)
            w[t * factor + p] = weight_at(kind, t - r - position(kind, p, factor));
    kt_val *k = numbers(g, w, (kt_shape){3, {taps, factor, 1}}, x);
    kt_mem_free(w);
    return k;
}

/* 1 / sum of the weights that meet a cell, for each cell of the result: [length, factor, 1] */
static kt_val *phase_scale(
    kt_graph *g, kt_resize_kind kind, int64_t length, int factor, const kt_val *x) {
    const int r = reach(kind);
    double *scale = kt_alloc_array(length * factor, sizeof *scale);
    if (!scale) return kt_graph_fail(g, KT_ENOMEM);
    for (int64_t i = 0; i < length * factor; i++) {
        const double at = position(kind, i % factor, factor);
        double sum = 0;
        for (int t = -r; t <= r; t++)
            if (i / factor + t >= 0 && i / factor + t < length) sum += weight_at(kind, t - at);
        scale[i] = 1 / sum;
    }
    kt_val *v = numbers(g, scale, (kt_shape){3, {length, factor, 1}}, x);
    kt_mem_free(scale);
    return v;
}

/* x [outer, length, inner] with its first and last cell once more. */
static kt_val *with_borders(kt_graph *g, kt_val *x, int64_t length) {
    kt_val *first = kt_g_slice_axis(g, x, 1, 0, 1);
    kt_val *last = kt_g_slice_axis(g, x, 1, length - 1, length);
    return first && last ? kt_g_concat(g, 3, (kt_val *[]){first, x, last}, 1) : NULL;
}

kt_val *kt_g_enlarge(kt_graph *g, kt_val *x, int axis, int factor, kt_resize_kind kind) {
    if (!x || factor == 1) return x;
    const int r = reach(kind);
    kt_shape out = x->spec.shape;
    const int64_t length = out.dim[axis], outer = kt_shape_range(&out, 0, axis),
                  inner = kt_shape_range(&out, axis + 1, out.ndim), channels = factor * inner;
    const bool repeat_borders = kind == KT_RESIZE_BILINEAR && length > 0;
    const int64_t seen = repeat_borders ? length + 2 : length;
    conv_attrs a = {.stride = {1, 1}, .dilation = {1, 1}, .groups = (int)channels};
    if (!repeat_borders) a.before[1] = a.after[1] = r;
    out.dim[axis] *= factor;
    x = kt_g_reshape(g, x, (kt_shape){3, {outer, length, inner}});
    if (repeat_borders) x = with_borders(g, x, length);
    x = kt_g_broadcast(g, kt_g_expand_dims(g, x, 2), (kt_shape){4, {outer, seen, factor, inner}});
    x = kt_g_reshape(g, x, (kt_shape){4, {outer, 1, seen, channels}});
    if (!x) return NULL;
    kt_val *kernel = phase_kernel(g, kind, factor, x);
    kernel = kt_g_broadcast(g, kernel, (kt_shape){3, {2 * r + 1, factor, inner}});
    kernel = kt_g_reshape(g, kernel, (kt_shape){4, {1, 2 * r + 1, 1, channels}});
    kt_val *y = kt_g_conv2d(g, x, kernel, &a);
    if (!repeat_borders) {
        y = kt_g_reshape(g, y, (kt_shape){4, {outer, length, factor, inner}});
        y = kt_g_mul(g, y, phase_scale(g, kind, length, factor, x));
    }
    return kt_g_reshape(g, y, out);
}
