/* conv2d_pool: conv2d, bias, relu and max_pool2d in one. Outputs: y [n, h, w, filters] and, as a
 * byte for each, which cell of its window was the largest (KT_POOL_DEAD where relu stopped it).
 * conv2d_pool_grad_input: what dy gives back to x.
 * conv2d_pool_grad_kernel: what dy and x give back to the kernel, and to the bias.
 *
 * Only the pass fuse_pool makes these. They are primitives because the result of the convolution
 * never gets memory, and because its gradient is known to be 0 everywhere but at one cell of each
 * window: with 2 x 2 cells three quarters of the backward pass need not be computed. Windows stand
 * side by side and inside the picture; a cell that no window covers takes no part. */
#define KT_REF_SELF "ops/conv2d_pool.c"
#ifdef KT_T

/* One result of the convolution. */
static T KT_REF(conv_pool_sum)(
    const kt_window *w, const T *x, const T *k, int64_t place, int64_t filter) {
    const int64_t n_in = w->channels / w->groups, group = filter / (w->filters / w->groups);
    T sum = 0;
    for (int64_t t = 0; t < kt_window_taps(w); t++) {
        const int64_t cell = kt_window_cell(w, place, t);
        const T *from = x + cell * w->channels * (cell > 0) + group * n_in;
        for (int64_t c = 0; cell >= 0 && c < n_in; c++)
            sum += from[c] * k[(t * n_in + c) * w->filters + filter];
    }
    return sum;
}

static kt_status KT_REF(conv2d_pool)(const kt_kargs *k) {
    const conv_pool_attrs *a = k->node->attrs;
    const kt_window w = kt_conv_pool_window(
        &k->node->in[0]->spec.shape, &k->node->in[1]->spec.shape, a);
    const T *bias = a->conv.bias ? k->in[2] : NULL;
    T *y = k->out[0];
    uint8_t *at = k->out[1];
    for (int64_t p = 0; p < conv_pool_places(&w, a); p++) {
        for (int64_t f = 0; f < w.filters; f++, y++, at++) {
            for (int t = 0; t < a->window[0] * a->window[1]; t++) {
                const int64_t place = conv_pool_place(&w, a, p, t);
                const T v = KT_REF(conv_pool_sum)(&w, k->in[0], k->in[1], place, f) +
                            (bias ? bias[f] : 0);
                if (t && !(v > *y || (v != v && *y == *y))) continue;
                *y = v;
                *at = (uint8_t)t;
            }
            if (a->relu && !(*y > 0)) *at = KT_POOL_DEAD;
            if (a->relu && *y < 0) *y = 0;
        }
    }
    return KT_OK;
}

static kt_status KT_REF(conv2d_pool_grad_input)(const kt_kargs *k) {
    const conv_pool_attrs *a = k->node->attrs;
    const kt_window w = kt_conv_pool_window(&a->conv.shape, &k->node->in[2]->spec.shape, a);
    const int64_t n_in = w.channels / w.groups, n_out = w.filters / w.groups;
    const T *dy = k->in[0], *kernel = k->in[2];
    const uint8_t *at = k->in[1];
    memset(k->out[0], 0, (size_t)kt_shape_size(&a->conv.shape) * sizeof(T));
    for (int64_t i = 0; i < conv_pool_places(&w, a) * w.filters; i++) {
        const int64_t f = i % w.filters;
        if (at[i] >= a->window[0] * a->window[1]) continue;
        const int64_t place = conv_pool_place(&w, a, i / w.filters, at[i]);
        for (int64_t t = 0; t < kt_window_taps(&w); t++) {
            const int64_t cell = kt_window_cell(&w, place, t);
            T *dx = (T *)k->out[0] + cell * w.channels * (cell > 0) + f / n_out * n_in;
            for (int64_t c = 0; cell >= 0 && c < n_in; c++)
                dx[c] += dy[i] * kernel[(t * n_in + c) * w.filters + f];
        }
    }
    return KT_OK;
}

static kt_status KT_REF(conv2d_pool_grad_kernel)(const kt_kargs *k) {
    const conv_pool_attrs *a = k->node->attrs;
    const kt_window w = kt_conv_pool_window(&k->node->in[0]->spec.shape, &a->conv.shape, a);
    const int64_t n_in = w.channels / w.groups, n_out = w.filters / w.groups;
    const T *dy = k->in[1];
    const uint8_t *at = k->in[2];
    T *dk = k->out[0], *dbias = k->out[1];
    memset(dk, 0, (size_t)kt_shape_size(&a->conv.shape) * sizeof(T));
    for (int64_t f = 0; f < w.filters; f++) dbias[f] = 0;
    for (int64_t i = 0; i < conv_pool_places(&w, a) * w.filters; i++) {
        const int64_t f = i % w.filters;
        if (at[i] >= a->window[0] * a->window[1]) continue;
        dbias[f] += dy[i];
        const int64_t place = conv_pool_place(&w, a, i / w.filters, at[i]);
        for (int64_t t = 0; t < kt_window_taps(&w); t++) {
            const int64_t cell = kt_window_cell(&w, place, t);
            const T *x = (const T *)k->in[0] + cell * w.channels * (cell > 0) + f / n_out * n_in;
            for (int64_t c = 0; cell >= 0 && c < n_in; c++)
                dk[(t * n_in + c) * w.filters + f] += x[c] * dy[i];
        }
    }
    return KT_OK;
}

#else
#include "base/error.h"
#include "ir/window.h"
#include "ops/build.h"
#include "ops/conv.h"

static int64_t conv_pool_places(const kt_window *w, const conv_pool_attrs *a) {
    return w->n * (w->out[0] / a->window[0]) * (w->out[1] / a->window[1]);
}

/* Tap t of pooling window p, as a place of the convolution. */
static int64_t conv_pool_place(const kt_window *w, const conv_pool_attrs *a, int64_t p, int t) {
    const int64_t rows = w->out[0] / a->window[0], cols = w->out[1] / a->window[1];
    const int64_t x = p % cols * a->window[1] + t % a->window[1];
    const int64_t y = p / cols % rows * a->window[0] + t / a->window[1];
    return (p / cols / rows * w->out[0] + y) * w->out[1] + x;
}

#include "ir/ref_types.h"

/* The shape of y for shapes of x and kernel. */
static kt_status conv_pool_shape(
    const kt_node *n, const kt_shape *x, const kt_shape *kernel, kt_shape *y) {
    const conv_pool_attrs *a = n->attrs;
    const kt_status st = kt_conv_shape(n->op->name, &a->conv, x, kernel, y);
    if (st) return st;
    if (a->conv.epilogue) return KT_FAIL(KT_EINTERNAL, "%s: no such epilogue", n->op->name);
    for (int i = 0; i < 2; i++) {
        if (a->window[i] < 1 || a->window[i] > y->dim[1 + i])
            return KT_FAIL(KT_ESHAPE, "%s: expected windows inside the picture", n->op->name);
        y->dim[1 + i] /= a->window[i];
    }
    if ((int64_t)a->window[0] * a->window[1] < KT_POOL_DEAD) return KT_OK;
    return KT_FAIL(KT_ELIMIT, "%s: the windows are too large", n->op->name);
}

static kt_status conv2d_pool_infer(const kt_node *n, kt_spec *out) {
    const conv_pool_attrs *a = n->attrs;
    const kt_dtype d = n->in[0]->spec.dtype;
    kt_shape y;
    const kt_status st = conv_pool_shape(n, &n->in[0]->spec.shape, &n->in[1]->spec.shape, &y);
    if (st) return st;
    out[0] = (kt_spec){d, y};
    out[1] = (kt_spec){KT_UINT8, y};
    bool ok = n->n_in == 2 + a->conv.bias && n->in[1]->spec.dtype == d;
    if (ok && a->conv.bias)
        ok = n->in[2]->spec.dtype == d && kt_shape_size(&n->in[2]->spec.shape) == y.dim[3];
    return ok ? KT_OK : KT_FAIL(KT_ESHAPE, "conv2d_pool: operands do not go together");
}

static kt_status conv2d_pool_vjp(
    kt_graph *g, const kt_node *n, kt_val *const *dy, kt_val **dx, const bool *want) {
    (void)g, (void)dy, (void)dx, (void)want;
    return KT_FAIL(KT_EINTERNAL, "%s: gradient taken after fusion", n->op->name);
}

/* dy and the bytes have the shape of y for shapes of x and kernel; `with` is the third operand. */
static kt_status conv_pool_grad_check(
    const kt_node *n,
    const kt_shape *x,
    const kt_shape *kernel,
    const kt_val *dy,
    const kt_val *at,
    const kt_val *with) {
    kt_shape y;
    const kt_status st = conv_pool_shape(n, x, kernel, &y);
    if (st) return st;
    if (kt_shape_equal(&dy->spec.shape, &y) && kt_shape_equal(&at->spec.shape, &y) &&
        at->spec.dtype == KT_UINT8 && with->spec.dtype == dy->spec.dtype)
        return KT_OK;
    char want[KT_SHAPE_STR], got[KT_SHAPE_STR];
    KT_FAIL(KT_ESHAPE, "%s: the gradient has another form than the result", n->op->name);
    kt_error_expected("%s", kt_shape_str(&y, want, sizeof want));
    return kt_error_got("%s", kt_spec_str(&dy->spec, got, sizeof got));
}

static kt_status conv2d_pool_grad_input_infer(const kt_node *n, kt_spec *out) {
    const conv_pool_attrs *a = n->attrs;
    *out = (kt_spec){n->in[0]->spec.dtype, a->conv.shape};
    return conv_pool_grad_check(
        n, &a->conv.shape, &n->in[2]->spec.shape, n->in[0], n->in[1], n->in[2]);
}

static kt_status conv2d_pool_grad_kernel_infer(const kt_node *n, kt_spec *out) {
    const conv_pool_attrs *a = n->attrs;
    const kt_dtype d = n->in[0]->spec.dtype;
    out[0] = (kt_spec){d, a->conv.shape};
    out[1] = (kt_spec){d, {1, {a->conv.shape.dim[3]}}};
    return conv_pool_grad_check(
        n, &n->in[0]->spec.shape, &a->conv.shape, n->in[1], n->in[2], n->in[0]);
}

/* Samples -------------------------------------------------------------------------------------- */

#define PLAIN .stride = {1, 1}, .dilation = {1, 1}, .groups = 1
#define ATTRS(relu_, rows, cols, ...)                                                              \
    .attrs = &(                                                                                    \
        const conv_pool_attrs){.conv = {__VA_ARGS__}, .window = {rows, cols}, .relu = relu_},      \
    .no_grad = true
#define BYTES(...)                                                                                 \
    { .dim = {__VA_ARGS__}, .dtype = KT_UINT8 }

static const kt_sample conv2d_pool_samples[] = {
    {.in = {{.dim = {2, 8, 7, 3}}, {.dim = {3, 3, 3, 4}}}, ATTRS(true, 2, 2, PLAIN)},
    {.in = {{.dim = {2, 9, 11, 1}}, {.dim = {3, 3, 1, 33}}, {.dim = {33}}},
     ATTRS(true, 2, 2, PLAIN, .bias = true)},
    {.in = {{.dim = {2, 9, 8, 5}}, {.dim = {2, 3, 5, 17}}, {.dim = {17}}},
     ATTRS(
         false,
         3,
         2,
         .stride = {1, 2},
         .dilation = {2, 1},
         .before = {1, 0},
         .after = {1, 2},
         .groups = 1,
         .bias = true)},
    {.in = {{.dim = {2, 1, 30, 4}}, {.dim = {1, 5, 4, 8}}, {.dim = {8}}},
     ATTRS(true, 1, 5, PLAIN, .before = {0, 2}, .after = {0, 2}, .bias = true)},
    {.in = {{.dim = {2, 8, 7, 4}}, {.dim = {3, 3, 2, 6}}},
     ATTRS(true, 2, 2, .stride = {1, 1}, .dilation = {1, 1}, .groups = 2)},
    {.in = {{.dim = {2, 8, 7, 3}}, {.dim = {3, 3, 3, 4}}},
     ATTRS(false, 2, 6, PLAIN),
     .want = KT_ESHAPE},
    {.in = {{.dim = {2, 8, 7, 3}}, {.dim = {3, 3, 3, 4}}, {.dim = {4}}},
     ATTRS(false, 2, 2, PLAIN),
     .want = KT_ESHAPE},
    {.in = {{.dim = {1, 40, 40, 1}}, {.dim = {1, 1, 1, 1}}},
     ATTRS(false, 20, 20, PLAIN),
     .want = KT_ELIMIT},
    KT_SAMPLES_END};

static const kt_sample conv2d_pool_grad_input_samples[] = {
    {.in = {{.dim = {2, 3, 2, 4}}, BYTES(2, 3, 2, 4), {.dim = {3, 3, 3, 4}}},
     ATTRS(false, 2, 2, PLAIN, .shape = {4, {2, 8, 7, 3}})},
    {.in = {{.dim = {2, 3, 2, 19}}, BYTES(2, 3, 2, 19), {.dim = {3, 3, 16, 19}}},
     ATTRS(false, 2, 2, PLAIN, .shape = {4, {2, 8, 7, 16}})},
    {.in = {{.dim = {2, 3, 2, 17}}, BYTES(2, 3, 2, 17), {.dim = {2, 3, 5, 17}}},
     ATTRS(
         false,
         3,
         2,
         .shape = {4, {2, 9, 8, 5}},
         .stride = {1, 2},
         .dilation = {2, 1},
         .before = {1, 0},
         .after = {1, 2},
         .groups = 1)},
    {.in = {{.dim = {2, 3, 2, 4}}, BYTES(2, 3, 2, 4), {.dim = {3, 3, 3, 4}}},
     ATTRS(false, 3, 3, PLAIN, .shape = {4, {2, 9, 7, 3}}),
     .want = KT_ESHAPE},
    KT_SAMPLES_END};

static const kt_sample conv2d_pool_grad_kernel_samples[] = {
    {.in = {{.dim = {2, 8, 7, 3}}, {.dim = {2, 3, 2, 4}}, BYTES(2, 3, 2, 4)},
     ATTRS(false, 2, 2, PLAIN, .shape = {4, {3, 3, 3, 4}})},
    {.in = {{.dim = {2, 9, 11, 1}}, {.dim = {2, 3, 4, 33}}, BYTES(2, 3, 4, 33)},
     ATTRS(false, 2, 2, PLAIN, .shape = {4, {3, 3, 1, 33}})},
    {.in = {{.dim = {2, 9, 8, 5}}, {.dim = {2, 3, 2, 17}}, BYTES(2, 3, 2, 17)},
     ATTRS(
         false,
         3,
         2,
         .shape = {4, {2, 3, 5, 17}},
         .stride = {1, 2},
         .dilation = {2, 1},
         .before = {1, 0},
         .after = {1, 2},
         .groups = 1)},
    {.in = {{.dim = {2, 8, 7, 3}}, {.dim = {2, 3, 2, 4}}, {.dim = {2, 3, 2, 4}}},
     ATTRS(false, 2, 2, PLAIN, .shape = {4, {3, 3, 3, 4}}),
     .want = KT_ESHAPE},
    KT_SAMPLES_END};

/* Descriptors ---------------------------------------------------------------------------------- */

#define CONV(member, type)                                                                         \
    {                                                                                              \
#member, offsetof(conv_pool_attrs, conv) + offsetof(conv_attrs, member),                   \
            sizeof(((conv_attrs *)0)->member), type                                                \
    }
#define GEOMETRY                                                                                   \
    CONV(stride, KT_FIELD_INTS), CONV(dilation, KT_FIELD_INTS), CONV(before, KT_FIELD_INTS),       \
        CONV(after, KT_FIELD_INTS), CONV(groups, KT_FIELD_INT),                                    \
        KT_F_AS(conv_pool_attrs, window, KT_FIELD_INTS)
static const kt_field conv2d_pool_fields[] = {
    GEOMETRY, CONV(bias, KT_FIELD_BOOL), KT_F(conv_pool_attrs, relu), KT_F_END};
static const kt_field conv2d_pool_grad_fields[] = {CONV(shape, KT_FIELD_DIMS), GEOMETRY, KT_F_END};
#undef GEOMETRY
#undef CONV

const kt_opdef kt_opdef_conv2d_pool = {
    .name = "conv2d_pool",
    .n_in = 2,
    .n_in_max = 3,
    .n_out = 2,
    .attrs_size = sizeof(conv_pool_attrs),
    .attrs = conv2d_pool_fields,
    .infer = conv2d_pool_infer,
    .vjp = conv2d_pool_vjp,
    .ref = KT_REFS(conv2d_pool),
    .samples = conv2d_pool_samples,
};
/* Inputs: dy, bytes, kernel. */
const kt_opdef kt_opdef_conv2d_pool_grad_input = {
    .name = "conv2d_pool_grad_input",
    .n_in = 3,
    .attrs_size = sizeof(conv_pool_attrs),
    .attrs = conv2d_pool_grad_fields,
    .infer = conv2d_pool_grad_input_infer,
    .vjp = conv2d_pool_vjp,
    .ref = KT_REFS(conv2d_pool_grad_input),
    .samples = conv2d_pool_grad_input_samples,
};
/* Inputs: x, dy, bytes. */
const kt_opdef kt_opdef_conv2d_pool_grad_kernel = {
    .name = "conv2d_pool_grad_kernel",
    .n_in = 3,
    .n_out = 2,
    .attrs_size = sizeof(conv_pool_attrs),
    .attrs = conv2d_pool_grad_fields,
    .infer = conv2d_pool_grad_kernel_infer,
    .vjp = conv2d_pool_vjp,
    .ref = KT_REFS(conv2d_pool_grad_kernel),
    .samples = conv2d_pool_grad_kernel_samples,
};
#endif
