/* See windows.h. keras.ops.repeat, keras.ops.image.resize to a multiple of the size
 *
 * A new cell is a sum of the old ones around it, with weights that depend on its distance from
 * them: a transposed depthwise convolution with the factor as its stride, one axis at a time. At
 * the borders, where neighbours are missing, the sum of the weights that are left divides:
 * bilinear, that is as good as repeating the last cell, else it is a row of numbers. Weights are
 * those of JAX and of TensorFlow without antialiasing: half pixel centers, cubic with a = -0.5 (in
 * TensorFlow that is a table, at distances rounded to 1/1024). */
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

int kt_resize_reach(kt_resize_kind kind) {
    static const int cells[] = {1, 1, 2, 3, 5};
    return cells[kind];
}

static double sinc(double x) { return x == 0 ? 1 : sin(M_PI * x) / (M_PI * x); }

/* The weight of a cell at distance x. */
double kt_resize_weight(kt_resize_kind kind, double x) {
    const int r = kt_resize_reach(kind);
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

/* What a cell gives to new cells: those at factor * cell + first, + first + 1, … */
typedef struct {
    int first, n;
} spread;

/* A new cell lies (d + 0.5) / factor - 0.5 cells behind the cell it is d new cells behind. */
static double distance(int d, int factor) { return (d + 0.5) / factor - 0.5; }

static spread spread_of(kt_resize_kind kind, int factor) {
    const double r = kt_resize_reach(kind), f = factor;
    const int first = (int)floor(f * (0.5 - r) - 0.5) + 1, end = (int)ceil(f * (0.5 + r) - 0.5);
    return (spread){first, end - first};
}

/* [1, n, 1, channels], the same for every channel */
static kt_val *spread_kernel(
    kt_graph *g,
    kt_resize_kind kind,
    int factor,
    const spread *s,
    const kt_val *x,
    int64_t channels) {
    double *w = kt_alloc_array(s->n, sizeof *w);
    if (!w) return kt_graph_fail(g, KT_ENOMEM);
    for (int i = 0; i < s->n; i++) w[i] = kt_resize_weight(kind, distance(s->first + i, factor));
    kt_val *k = numbers(g, w, (kt_shape){2, {s->n, 1}}, x);
    kt_mem_free(w);
    k = kt_g_broadcast(g, k, (kt_shape){2, {s->n, channels}});
    return kt_g_reshape(g, k, (kt_shape){4, {1, s->n, 1, channels}});
}

/* 1 / sum of the weights that meet a cell, for each cell of the result: [length * factor, 1] */
static kt_val *border_scale(
    kt_graph *g, kt_resize_kind kind, int64_t length, int factor, const kt_val *x) {
    const int r = kt_resize_reach(kind);
    double *scale = kt_alloc_array(length * factor, sizeof *scale);
    if (!scale) return kt_graph_fail(g, KT_ENOMEM);
    for (int64_t i = 0; i < length * factor; i++) {
        const double at = distance((int)(i % factor), factor);
        double sum = 0;
        for (int t = -r; t <= r; t++)
            if (i / factor + t >= 0 && i / factor + t < length)
                sum += kt_resize_weight(kind, t - at);
        scale[i] = 1 / sum;
    }
    kt_val *v = numbers(g, scale, (kt_shape){2, {length * factor, 1}}, x);
    kt_mem_free(scale);
    return v;
}

/* x with the first and the last cell of an axis once more. */
static kt_val *with_borders(kt_graph *g, kt_val *x, int axis) {
    const int64_t length = x->spec.shape.dim[axis];
    kt_val *first = kt_g_slice_axis(g, x, axis, 0, 1);
    kt_val *last = kt_g_slice_axis(g, x, axis, length - 1, length);
    return first && last ? kt_g_concat(g, 3, (kt_val *[]){first, x, last}, axis) : NULL;
}

/* One axis; border: it has that many cells more at either end. */
static kt_val *enlarge_axis(
    kt_graph *g, kt_val *x, int axis, int factor, kt_resize_kind kind, int border) {
    const spread s = spread_of(kind, factor);
    kt_shape out = x->spec.shape;
    const int64_t wide = out.dim[axis], length = wide - 2 * border,
                  outer = kt_shape_range(&out, 0, axis),
                  inner = kt_shape_range(&out, axis + 1, out.ndim);
    conv_attrs a = {.stride = {1, factor}, .dilation = {1, 1}, .groups = (int)inner};
    a.before[1] = border * factor - s.first;
    a.after[1] = s.n - factor + s.first + border * factor;
    out.dim[axis] = length * factor;
    x = kt_g_reshape(g, x, (kt_shape){4, {outer, 1, wide, inner}});
    if (!x) return NULL;
    kt_val *kernel = spread_kernel(g, kind, factor, &s, x, inner);
    const kt_shape to = {4, {outer, 1, length * factor, inner}};
    kt_val *y = kt_g_conv2d_grad_input(g, x, kernel, to, &a);
    if (!border) {
        y = kt_g_reshape(g, y, (kt_shape){3, {outer, length * factor, inner}});
        y = kt_g_mul(g, y, border_scale(g, kind, length, factor, x));
    }
    return kt_g_reshape(g, y, out);
}

/* Both axes of pictures at once, which keeps what lies between them out of memory: a new cell is a
 * sum over the four around it. Worth it where channels fill a vector and the kernel stays small. */
static bool both_at_once(const kt_shape *x, const int *factor, int border) {
    return border && x->ndim == 4 && x->dim[3] >= 16 && factor[0] > 1 && factor[1] > 1 &&
           factor[0] <= 4 && factor[1] <= 4;
}

static kt_val *enlarge_plane(kt_graph *g, kt_val *x, const int *factor) {
    const int64_t channels = x->spec.shape.dim[3];
    conv_attrs a = {.stride = {factor[0], factor[1]}, .dilation = {1, 1}, .groups = (int)channels};
    kt_shape out = x->spec.shape;
    kt_val *line[2];
    for (int i = 0; i < 2; i++) {
        const spread s = spread_of(KT_RESIZE_BILINEAR, factor[i]);
        a.before[i] = factor[i] - s.first;
        a.after[i] = s.n + s.first;
        out.dim[1 + i] = (out.dim[1 + i] - 2) * factor[i];
        line[i] = spread_kernel(g, KT_RESIZE_BILINEAR, factor[i], &s, x, channels);
        if (!line[i]) return NULL;
    }
    const int64_t rows = line[0]->spec.shape.dim[1], cols = line[1]->spec.shape.dim[1];
    const kt_shape full = {4, {rows, cols, 1, channels}};
    line[0] = kt_g_reshape(g, line[0], (kt_shape){4, {rows, 1, 1, channels}});
    kt_val *kernel = kt_g_mul(
        g, kt_g_broadcast(g, line[0], full), kt_g_broadcast(g, line[1], full));
    return kt_g_conv2d_grad_input(g, x, kernel, out, &a);
}

/* One axis after the other, the last first: its pieces of memory are the shortest, so it should
 * have the fewest. Borders come before everything, while there is little to copy. */
kt_val *kt_g_enlarge(kt_graph *g, kt_val *x, const int *factor, kt_resize_kind kind) {
    const int border = kind == KT_RESIZE_BILINEAR;
    const int rank = x ? x->spec.shape.ndim - 2 : 0;
    for (int i = 0; i < rank && x && border; i++)
        if (factor[i] > 1) x = with_borders(g, x, 1 + i);
    if (x && both_at_once(&x->spec.shape, factor, border)) return enlarge_plane(g, x, factor);
    for (int i = rank; i-- > 0 && x;)
        if (factor[i] > 1) x = enlarge_axis(g, x, 1 + i, factor[i], kind, border);
    return x;
}
