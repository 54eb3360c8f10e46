/* See windows.h. keras.ops.conv, conv_transpose, depthwise_conv, max_pool, average_pool
 *
 * Everything is lifted to volumes [n, d, h, w, c], with axes of length 1 in front where there are
 * fewer. Depth is folded into the batch, so that a picture op does h and w; what a window does
 * along the depth comes on top: a convolution adds up one picture convolution for each tap, a pool
 * pools once more. */
#include "ops/compose/windows.h"

#include "base/error.h"
#include "ir/window.h"

#include <limits.h>
#include <stdio.h>

#define LIMIT (INT64_C(1) << 40) /* keeps products of lengths away from overflow */

static int to_int(int64_t n) { return n > INT_MAX ? INT_MAX : (int)n; }

void kt_same_padding(int64_t length, int size, int stride, int dilation, int *before, int *after) {
    const int64_t places = (length + stride - 1) / stride;
    const int64_t seen = (places - 1) * stride + (int64_t)(size - 1) * dilation + 1;
    const int64_t missing = seen > length ? seen - length : 0;
    *before = to_int(missing / 2);
    *after = to_int(missing - missing / 2);
}

/* Lifting to volumes --------------------------------------------------------------------------- */

typedef struct {
    int64_t n, in[3], channels;    ///< of the volume
    int64_t size[3], kin, filters; ///< of the kernel
    int stride[3], dilation[3], before[3], after[3];
    int64_t out[3];
    int rank;
} volume;

static kt_shape shape5(int64_t n, const int64_t *axes, int64_t channels) {
    return (kt_shape){5, {n, axes[0], axes[1], axes[2], channels}};
}

/* Back to as many axes as x had. */
static kt_val *lower(kt_graph *g, const volume *v, kt_val *y) {
    if (!y) return NULL;
    const kt_shape *s = &y->spec.shape;
    kt_shape out = {v->rank + 2, {s->dim[0]}};
    for (int i = 1; i < out.ndim; i++) out.dim[i] = s->dim[i + 3 - v->rank];
    return kt_g_reshape(g, y, out);
}

/* Depth into the batch, and back. */
static kt_val *fold(kt_graph *g, kt_val *x) {
    if (!x) return NULL;
    const int64_t *d = x->spec.shape.dim;
    return kt_g_reshape(g, x, (kt_shape){4, {d[0] * d[1], d[2], d[3], d[4]}});
}

static kt_val *unfold(kt_graph *g, kt_val *x, int64_t n, int64_t depth) {
    if (!x) return NULL;
    const int64_t *d = x->spec.shape.dim;
    return kt_g_reshape(g, x, (kt_shape){5, {n, depth, d[1], d[2], d[3]}});
}

static kt_status lift_axes(volume *v, const kt_shape *x, const char *op) {
    char s[KT_SHAPE_STR];
    v->rank = x->ndim - 2;
    if (v->rank < 1 || v->rank > 3) {
        KT_FAIL(KT_ESHAPE, "%s: expected an input of 3 to 5 axes", op);
        return kt_error_got("%s", kt_shape_str(x, s, sizeof s));
    }
    v->n = x->dim[0];
    v->channels = x->dim[x->ndim - 1];
    for (int i = 0; i < 3; i++) {
        const int at = i - (3 - v->rank);
        v->in[i] = at < 0 ? 1 : x->dim[1 + at];
        v->size[i] = v->stride[i] = v->dilation[i] = 1;
        if (v->in[i] > LIMIT) return KT_FAIL(KT_ELIMIT, "%s: axes are too long", op);
    }
    return KT_OK;
}

static kt_status lift_kernel(volume *v, const kt_shape *k, const char *op) {
    char s[KT_SHAPE_STR];
    if (k->ndim != v->rank + 2) {
        KT_FAIL(KT_ESHAPE, "%s: the kernel must have as many axes as the input", op);
        kt_error_expected("%d", v->rank + 2);
        return kt_error_got("a kernel of shape %s", kt_shape_str(k, s, sizeof s));
    }
    for (int i = 0; i < v->rank; i++) {
        v->size[3 - v->rank + i] = k->dim[i];
        if (k->dim[i] < 1 || k->dim[i] > INT_MAX / 4)
            return KT_FAIL(KT_ESHAPE, "%s: a kernel of this size cannot be", op);
    }
    v->kin = k->dim[v->rank];
    v->filters = k->dim[v->rank + 1];
    return KT_OK;
}

/* "5 x 3" of the axes that are really there. */
static const char *sizes_text(const volume *v, const int64_t *sizes, char *buf, size_t size) {
    size_t at = 0;
    buf[0] = 0;
    for (int i = 3 - v->rank; i < 3 && at + 24 < size; i++)
        at += (size_t)snprintf(buf + at, size - at, "%s%lld", at ? " x " : "", (long long)sizes[i]);
    return buf;
}

static kt_status too_large(const volume *v, const char *op, const char *what) {
    char in[96], size[96];
    int64_t seen[3];
    for (int i = 0; i < 3; i++) seen[i] = (v->size[i] - 1) * v->dilation[i] + 1;
    KT_FAIL(KT_ESHAPE, "%s: the %s is larger than the input: nothing would come out", op, what);
    kt_error_expected("a %s that fits into %s", what, sizes_text(v, v->in, in, sizeof in));
    kt_error_got("a %s of %s", what, sizes_text(v, seen, size, sizeof size));
    return kt_error_hint("padding \"same\" keeps the size");
}

/* Padding and result of each axis. An open batch may be empty; other axes may not. */
static kt_status place_windows(volume *v, int padding, const char *op, const char *what) {
    for (int i = 0; i < 3; i++) {
        v->before[i] = v->after[i] = 0;
        if (padding == KT_PAD_SAME)
            kt_same_padding(
                v->in[i],
                (int)v->size[i],
                v->stride[i],
                v->dilation[i],
                &v->before[i],
                &v->after[i]);
        if (padding == KT_PAD_CAUSAL) v->before[i] = to_int((v->size[i] - 1) * v->dilation[i]);
        v->out[i] = kt_window_out(
            v->in[i], v->size[i], v->stride[i], v->dilation[i], v->before[i], v->after[i]);
        if (v->out[i] < 1 || v->in[i] < 1) return too_large(v, op, what);
    }
    return KT_OK;
}

static void lift_steps(volume *v, const int *stride, const int *dilation) {
    for (int i = 0; i < v->rank; i++) {
        v->stride[3 - v->rank + i] = stride[i];
        if (dilation) v->dilation[3 - v->rank + i] = dilation[i];
    }
}

static bool depth_is_plain(const volume *v) {
    return v->size[0] == 1 && v->stride[0] == 1 && v->out[0] == v->in[0];
}

static conv_attrs picture_attrs(const volume *v) {
    conv_attrs a = {.groups = (int)(v->channels / v->kin)};
    for (int i = 0; i < 2; i++) {
        a.stride[i] = v->stride[1 + i];
        a.dilation[i] = v->dilation[1 + i];
        a.before[i] = v->before[1 + i];
        a.after[i] = v->after[1 + i];
    }
    return a;
}

/* Tap t of the depth of a kernel that has five axes. */
static kt_val *kernel_tap(kt_graph *g, const volume *v, kt_val *kernel, int64_t t) {
    kt_val *k = kt_g_slice_axis(g, kernel, 0, t, t + 1);
    return kt_g_reshape(g, k, (kt_shape){4, {v->size[1], v->size[2], v->kin, v->filters}});
}

/* Convolution ---------------------------------------------------------------------------------- */

/* The pictures that tap t of the depth sees, for each place. */
static kt_val *frames(kt_graph *g, const volume *v, kt_val *x, int64_t t) {
    slice_attrs s = {{0, t * v->dilation[0]}, {0}, {1, 1, 1, 1, 1}};
    for (int i = 0; i < 5; i++) s.length[i] = x->spec.shape.dim[i];
    s.length[1] = v->out[0];
    s.step[1] = v->stride[0];
    return kt_g_slice(g, x, &s);
}

/* With few channels, the pictures along the depth become channels of one picture: one convolution
 * with long sums instead of several with short ones. With strides it pays for the copies less. */
#define FEW 32

static bool depth_to_channels(const volume *v) {
    return v->channels == v->kin && v->stride[1] == 1 && v->stride[2] == 1 && v->size[0] <= FEW &&
           v->size[0] * v->channels <= FEW;
}

static kt_val *conv_channels_of_depth(kt_graph *g, const volume *v, kt_val *x, kt_val *kernel) {
    const conv_attrs a = picture_attrs(v);
    const int64_t taps = v->size[0];
    kt_val *side[FEW];
    for (int64_t t = 0; t < taps; t++) side[t] = frames(g, v, x, t);
    x = kt_g_concat(g, (int)taps, side, 4);
    kernel = kt_g_transpose(g, kernel, (const int[]){1, 2, 0, 3, 4});
    kernel = kt_g_reshape(
        g, kernel, (kt_shape){4, {v->size[1], v->size[2], taps * v->kin, v->filters}});
    return kt_g_conv2d(g, fold(g, x), kernel, &a);
}

static kt_val *conv_depth(kt_graph *g, const volume *v, kt_val *x, kt_val *kernel) {
    const conv_attrs a = picture_attrs(v);
    pad_attrs p = {{0, v->before[0]}, {0, v->after[0]}, 0};
    kt_val *sum = NULL;
    x = kt_g_pad(g, x, &p);
    if (x && depth_to_channels(v)) {
        sum = conv_channels_of_depth(g, v, x, kernel);
        return unfold(g, sum, v->n, v->out[0]);
    }
    for (int64_t t = 0; x && t < v->size[0]; t++) {
        kt_val *y = kt_g_conv2d(g, fold(g, frames(g, v, x, t)), kernel_tap(g, v, kernel, t), &a);
        sum = t ? kt_g_add(g, sum, y) : y;
    }
    return unfold(g, sum, v->n, v->out[0]);
}

static kt_status conv_channels(const volume *v, const char *op) {
    if (v->kin > 0 && v->channels % v->kin == 0) {
        const int64_t groups = v->channels / v->kin;
        if (groups == 0 || v->filters % groups == 0) return KT_OK;
        return KT_FAIL(
            KT_ESHAPE,
            "%s: %lld groups do not divide the filters (%lld)",
            op,
            (long long)groups,
            (long long)v->filters);
    }
    KT_FAIL(KT_ESHAPE, "%s: channels of input and kernel do not go together", op);
    kt_error_expected("a multiple of %lld channels", (long long)v->kin);
    return kt_error_got("%lld", (long long)v->channels);
}

kt_val *kt_g_conv_nd(kt_graph *g, kt_val *x, kt_val *kernel, const kt_conv_nd *at) {
    volume v;
    if (!x || !kernel) return NULL;
    kt_status st = lift_axes(&v, &x->spec.shape, "conv");
    if (st == KT_OK) st = lift_kernel(&v, &kernel->spec.shape, "conv");
    if (st == KT_OK) st = conv_channels(&v, "conv");
    if (st) return kt_graph_fail(g, st);
    lift_steps(&v, at->stride, at->dilation);
    /* the axes in front are as good as "same": nothing to pad */
    st = place_windows(&v, at->padding, "conv", "kernel");
    if (st) return kt_graph_fail(g, st);
    x = kt_g_reshape(g, x, shape5(v.n, v.in, v.channels));
    kernel = kt_g_reshape(
        g, kernel, (kt_shape){5, {v.size[0], v.size[1], v.size[2], v.kin, v.filters}});
    if (!depth_is_plain(&v)) return lower(g, &v, conv_depth(g, &v, x, kernel));
    const conv_attrs a = picture_attrs(&v);
    kt_val *y = kt_g_conv2d(g, fold(g, x), kernel_tap(g, &v, kernel, 0), &a);
    return lower(g, &v, unfold(g, y, v.n, v.out[0]));
}

kt_val *kt_g_depthwise_conv_nd(kt_graph *g, kt_val *x, kt_val *kernel, const kt_conv_nd *a) {
    if (!x || !kernel) return NULL;
    kt_shape k = kernel->spec.shape;
    const int64_t channels = x->spec.shape.dim[x->spec.shape.ndim - 1];
    if (k.ndim != x->spec.shape.ndim || k.ndim < 3 || k.dim[k.ndim - 2] != channels) {
        char s[KT_SHAPE_STR];
        KT_FAIL(KT_ESHAPE, "depthwise_conv: channels of input and kernel do not go together");
        kt_error_expected("a kernel for %lld channels", (long long)channels);
        kt_error_got("one of shape %s", kt_shape_str(&k, s, sizeof s));
        return kt_graph_fail(g, KT_ESHAPE);
    }
    const int64_t times = k.dim[k.ndim - 1];
    kt_shape wide = x->spec.shape, apart = wide;
    if (times > 1 &&
        apart.ndim < KT_MAX_RANK) { /* each channel `times` times: then one filter each */
        apart.dim[apart.ndim++] = times;
        wide.dim[wide.ndim - 1] = channels * times;
        x = kt_g_broadcast(g, kt_g_expand_dims(g, x, -1), apart);
        x = kt_g_reshape(g, x, wide);
    }
    k.dim[k.ndim - 1] = channels * times;
    k.dim[k.ndim - 2] = 1;
    return kt_g_conv_nd(g, x, kt_g_reshape(g, kernel, k), a);
}

/* Transposed convolution ----------------------------------------------------------------------- */

/* One axis as Keras defines it: v->out cells of the full result, after before[i] that are cut. */
static void transpose_axis(volume *v, int i, int padding, int extra) {
    const int64_t seen = (v->size[i] - 1) * v->dilation[i] + 1, s = v->stride[i];
    const int64_t full = (v->in[i] - 1) * s + seen;
    int64_t cut;
    if (padding == KT_PAD_SAME) {
        cut = seen - (extra < 0 ? s : seen % 2 + extra);
        v->out[i] = extra < 0 ? v->in[i] * s : (v->in[i] - 1) * s + seen % 2 + extra;
    } else {
        cut = 0;
        v->out[i] = full + (extra < 0 ? (s > seen ? s - seen : 0) : extra);
    }
    v->before[i] = cut > 0 ? to_int(cut / 2) : 0;
    const int64_t after = full - v->before[i] - v->out[i];
    v->after[i] = after > 0 ? to_int(after) : 0;
}

static kt_val *transpose_pictures(
    kt_graph *g, const volume *v, kt_val *x, kt_val *kernel, int64_t t) {
    const conv_attrs a = picture_attrs(v);
    const kt_shape shape = {4, {v->n * v->in[0], v->out[1], v->out[2], v->kin}};
    kt_val *y = kt_g_conv2d_grad_input(g, fold(g, x), kernel_tap(g, v, kernel, t), shape, &a);
    return unfold(g, y, v->n, v->in[0]);
}

/* The slices of y at 0, stride, 2 stride … of a depth that is `length` long, from `start` on. */
static kt_val *spread(kt_graph *g, kt_val *y, int64_t start, int stride, int64_t length) {
    if (!y) return NULL;
    kt_shape s = y->spec.shape;
    const int64_t n = s.dim[1];
    if (stride > 1 && n > 1) {
        pad_attrs gap = {{0}, {0, 0, stride - 1}, 0};
        y = kt_g_pad(g, kt_g_expand_dims(g, y, 2), &gap);
        s.dim[1] = n * stride;
        y = kt_g_slice_axis(g, kt_g_reshape(g, y, s), 1, 0, (n - 1) * stride + 1);
    }
    if (!y) return NULL;
    const pad_attrs around = {{0, start}, {0, length - start - y->spec.shape.dim[1]}, 0};
    return kt_g_pad(g, y, &around);
}

static kt_val *transpose_depth(kt_graph *g, const volume *v, kt_val *x, kt_val *kernel) {
    const int64_t full = (v->in[0] - 1) * v->stride[0] + (v->size[0] - 1) * v->dilation[0] + 1;
    const int64_t end = v->before[0] + v->out[0], length = end > full ? end : full;
    kt_val *sum = NULL;
    for (int64_t t = 0; t < v->size[0]; t++) {
        kt_val *y = transpose_pictures(g, v, x, kernel, t);
        y = spread(g, y, t * v->dilation[0], v->stride[0], length);
        sum = t ? kt_g_add(g, sum, y) : y;
    }
    return kt_g_slice_axis(g, sum, 1, v->before[0], end);
}

kt_val *kt_g_conv_transpose_nd(kt_graph *g, kt_val *x, kt_val *kernel, const kt_conv_nd *a) {
    volume v;
    if (!x || !kernel) return NULL;
    kt_status st = lift_axes(&v, &x->spec.shape, "conv_transpose");
    if (st == KT_OK) st = lift_kernel(&v, &kernel->spec.shape, "conv_transpose");
    if (st == KT_OK && v.filters != v.channels) {
        KT_FAIL(KT_ESHAPE, "conv_transpose: channels of input and kernel do not go together");
        kt_error_expected("%lld channels", (long long)v.filters);
        st = kt_error_got("%lld", (long long)v.channels);
    }
    if (st) return kt_graph_fail(g, st);
    lift_steps(&v, a->stride, a->dilation);
    for (int i = 0; i < 3; i++) {
        const int at = i - (3 - v.rank);
        transpose_axis(&v, i, a->padding, at < 0 ? -1 : a->output_padding[at]);
        if (v.out[i] < 1 || v.in[i] < 1)
            return kt_graph_fail(
                g, KT_FAIL(KT_ESHAPE, "conv_transpose: the result would be empty"));
    }
    v.channels = v.kin; /* of the convolution this is the gradient of: one group */
    x = kt_g_reshape(g, x, shape5(v.n, v.in, v.filters));
    kernel = kt_g_reshape(
        g, kernel, (kt_shape){5, {v.size[0], v.size[1], v.size[2], v.kin, v.filters}});
    kt_val *y = depth_is_plain(&v) ? transpose_pictures(g, &v, x, kernel, 0)
                                   : transpose_depth(g, &v, x, kernel);
    return lower(g, &v, y);
}

/* Pools ---------------------------------------------------------------------------------------- */

static kt_val *pool_pictures(kt_graph *g, kt_val *x, const pool_attrs *p, bool average) {
    bool any = false;
    for (int i = 0; i < 2; i++) any = any || p->window[i] > 1 || p->stride[i] > 1;
    if (!any) return x;
    return average ? kt_g_avg_pool2d(g, x, p) : kt_g_max_pool2d(g, x, p);
}

/* The mean of means is the mean: how many cells count along the depth depends on the depth only. */
static kt_val *pool_depth(kt_graph *g, const volume *v, kt_val *x, bool average) {
    const pool_attrs p = {
        .window = {(int)v->size[0], 1},
        .stride = {v->stride[0], 1},
        .before = {v->before[0]},
        .after = {v->after[0]}};
    const int64_t plane = v->out[1] * v->out[2];
    x = kt_g_reshape(g, x, (kt_shape){4, {v->n, v->in[0], plane, v->channels}});
    return kt_g_reshape(g, pool_pictures(g, x, &p, average), shape5(v->n, v->out, v->channels));
}

kt_val *kt_g_pool_nd(kt_graph *g, kt_val *x, const kt_pool_nd *a) {
    const char *op = a->average ? "average_pool" : "max_pool";
    volume v;
    if (!x) return NULL;
    kt_status st = lift_axes(&v, &x->spec.shape, op);
    if (st) return kt_graph_fail(g, st);
    lift_steps(&v, a->stride, NULL);
    for (int i = 0; i < v.rank; i++) v.size[3 - v.rank + i] = a->window[i];
    st = place_windows(&v, a->same ? KT_PAD_SAME : KT_PAD_VALID, op, "window");
    if (st) return kt_graph_fail(g, st);
    const pool_attrs p = {
        .window = {(int)v.size[1], (int)v.size[2]},
        .stride = {v.stride[1], v.stride[2]},
        .before = {v.before[1], v.before[2]},
        .after = {v.after[1], v.after[2]}};
    x = fold(g, kt_g_reshape(g, x, shape5(v.n, v.in, v.channels)));
    kt_val *y = unfold(g, pool_pictures(g, x, &p, a->average), v.n, v.in[0]);
    if (!depth_is_plain(&v)) y = pool_depth(g, &v, y, a->average);
    return lower(g, &v, y);
}
