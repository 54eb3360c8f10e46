/* conv2d: y = correlation of pictures x [n, h, w, c] with a kernel [kh, kw, c / groups, filters].
 * keras.ops.conv
 * conv2d_grad_input: what dy gives back to x; called forward it is keras.ops.conv_transpose.
 * conv2d_grad_kernel: what dy and x give back to the kernel.
 *
 * Padding is given in cells, before and after, so that "same" is a matter of layers alone. The
 * three maps are linear in each operand and are each other's gradients: any order of derivatives
 * stays among them. Fusion may add a bias per filter (input 2) and an elementwise function at the
 * end of conv2d. */
#define KT_REF_SELF "ops/conv2d.c"
#ifdef KT_T

/* One tap at one place, all groups: y += x k, dx += dy k, dk += x dy. */
static void KT_REF(conv_tap)(const kt_window *w, const T *x, const T *k, T *y) {
    const int64_t n_in = w->channels / w->groups, n_out = w->filters / w->groups;
    for (int64_t c = 0; c < w->channels; c++)
        for (int64_t f = c / n_in * n_out, end = f + n_out; f < end; f++)
            y[f] += x[c] * k[c % n_in * w->filters + f];
}

static void KT_REF(conv_tap_input)(const kt_window *w, const T *dy, const T *k, T *dx) {
    const int64_t n_in = w->channels / w->groups, n_out = w->filters / w->groups;
    for (int64_t c = 0; c < w->channels; c++)
        for (int64_t f = c / n_in * n_out, end = f + n_out; f < end; f++)
            dx[c] += dy[f] * k[c % n_in * w->filters + f];
}

static void KT_REF(conv_tap_kernel)(const kt_window *w, const T *x, const T *dy, T *dk) {
    const int64_t n_in = w->channels / w->groups, n_out = w->filters / w->groups;
    for (int64_t c = 0; c < w->channels; c++)
        for (int64_t f = c / n_in * n_out, end = f + n_out; f < end; f++)
            dk[c % n_in * w->filters + f] += x[c] * dy[f];
}

static void KT_REF(conv_zero)(const kt_kargs *k) {
    memset(k->out[0], 0, (size_t)kt_shape_size(&k->node->out[0]->spec.shape) * sizeof(T));
}

static kt_status KT_REF(conv2d)(const kt_kargs *k) {
    const kt_window w = conv_forward_window(k->node);
    const conv_attrs *a = k->node->attrs;
    const int64_t tap_size = w.channels / w.groups * w.filters;
    const T *x = k->in[0], *kernel = k->in[1], *bias = a->bias ? k->in[2] : NULL;
    T *y = k->out[0];
    for (int64_t p = 0; p < kt_window_places(&w); p++, y += w.filters) {
        for (int64_t f = 0; f < w.filters; f++) y[f] = 0;
        for (int64_t t = 0; t < kt_window_taps(&w); t++) {
            const int64_t cell = kt_window_cell(&w, p, t);
            if (cell >= 0) KT_REF(conv_tap)(&w, x + cell * w.channels, kernel + t * tap_size, y);
        }
        for (int64_t f = 0; bias && f < w.filters; f++) y[f] += bias[f];
    }
    return conv_epilogue(k, a->epilogue);
}

static kt_status KT_REF(conv2d_grad_input)(const kt_kargs *k) {
    const kt_window w = conv_input_window(k->node);
    const int64_t tap_size = w.channels / w.groups * w.filters;
    const T *dy = k->in[0], *kernel = k->in[1];
    T *dx = k->out[0];
    KT_REF(conv_zero)(k);
    for (int64_t p = 0; p < kt_window_places(&w); p++, dy += w.filters) {
        for (int64_t t = 0; t < kt_window_taps(&w); t++) {
            const int64_t cell = kt_window_cell(&w, p, t);
            if (cell >= 0)
                KT_REF(conv_tap_input)(&w, dy, kernel + t * tap_size, dx + cell * w.channels);
        }
    }
    return KT_OK;
}

static kt_status KT_REF(conv2d_grad_kernel)(const kt_kargs *k) {
    const kt_window w = conv_kernel_window(k->node);
    const int64_t tap_size = w.channels / w.groups * w.filters;
    const T *x = k->in[0], *dy = k->in[1];
    T *dk = k->out[0];
    KT_REF(conv_zero)(k);
    for (int64_t p = 0; p < kt_window_places(&w); p++, dy += w.filters) {
        for (int64_t t = 0; t < kt_window_taps(&w); t++) {
            const int64_t cell = kt_window_cell(&w, p, t);
            if (cell >= 0)
                KT_REF(conv_tap_kernel)(&w, x + cell * w.channels, dy, dk + t * tap_size);
        }
    }
    return KT_OK;
}

#else
#include "base/error.h"
#include "ir/window.h"
#include "ops/build.h"
#include "ops/conv.h"
#include "ops/families.h"

static kt_window conv_forward_window(const kt_node *n) {
    return kt_conv_window(
        &n->in[0]->spec.shape, &n->in[1]->spec.shape, &n->out[0]->spec.shape, n->attrs);
}

static kt_window conv_input_window(const kt_node *n) {
    return kt_conv_window(
        &n->out[0]->spec.shape, &n->in[1]->spec.shape, &n->in[0]->spec.shape, n->attrs);
}

static kt_window conv_kernel_window(const kt_node *n) {
    return kt_conv_window(
        &n->in[0]->spec.shape, &n->out[0]->spec.shape, &n->in[1]->spec.shape, n->attrs);
}

/* The elementwise function that fusion put at the end, over the result in place. */
static kt_status conv_epilogue(const kt_kargs *k, int epilogue) {
    if (!epilogue) return KT_OK;
    const kt_node n = {.n_in = 1, .in = k->node->out};
    kt_kernel *ref = kt_unary_ops[epilogue - 1]->ref[k->node->out[0]->spec.dtype == KT_FLOAT64];
    return ref(&(kt_kargs){.node = &n, .in = k->out, .out = k->out});
}

#include "ir/ref_types.h"

/* Rules ---------------------------------------------------------------------------------------- */

static kt_status conv_check_attrs(const char *op, const conv_attrs *a) {
    for (int i = 0; i < 2; i++) {
        if (a->stride[i] < 1 || a->dilation[i] < 1)
            return KT_FAIL(KT_EINVAL, "%s: expected strides and dilations of at least 1", op);
        if (a->before[i] < 0 || a->after[i] < 0)
            return KT_FAIL(KT_EINVAL, "%s: expected padding of at least 0", op);
    }
    if (a->groups < 1)
        return KT_FAIL(KT_EINVAL, "%s: expected at least 1 group, got %d", op, a->groups);
    return KT_OK;
}

static kt_status conv_check_channels(const char *op, int groups, int64_t in, const kt_shape *k) {
    if (in % groups == 0 && k->dim[2] == in / groups && k->dim[3] % groups == 0) return KT_OK;
    KT_FAIL(KT_ESHAPE, "%s: channels of input and kernel do not go together", op);
    kt_error_expected("a kernel for %lld channels in %d groups", (long long)in, groups);
    return kt_error_got(
        "%lld channels per group, %lld filters", (long long)k->dim[2], (long long)k->dim[3]);
}

static kt_status conv_too_large(const char *op, const kt_shape *x, const kt_shape *k) {
    KT_FAIL(KT_ESHAPE, "%s: the kernel is larger than the picture", op);
    kt_error_expected(
        "a kernel that fits into %lld x %lld", (long long)x->dim[1], (long long)x->dim[2]);
    kt_error_got("a kernel of %lld x %lld", (long long)k->dim[0], (long long)k->dim[1]);
    return kt_error_hint("padding \"same\" keeps the size");
}

/* Shapes may come out of attributes, that is, out of a text: keep the arithmetic on lengths
 * exact. */
static bool conv_lengths_fit(const kt_shape *x, const kt_shape *k) {
    bool fit = true;
    for (int i = 0; i < 4; i++)
        fit = fit && x->dim[i] >= 0 && x->dim[i] <= INT64_C(1) << 40 && k->dim[i] >= 0 &&
              k->dim[i] <= INT64_C(1) << (i < 2 ? 20 : 40);
    return fit;
}

/* The shape of y for shapes of x and kernel; every rule is here. */
kt_status kt_conv_shape(
    const char *op, const conv_attrs *a, const kt_shape *x, const kt_shape *k, kt_shape *y) {
    kt_status st = conv_check_attrs(op, a);
    if (st) return st;
    if (x->ndim != 4 || k->ndim != 4) {
        char sx[KT_SHAPE_STR], sk[KT_SHAPE_STR];
        KT_FAIL(KT_ESHAPE, "%s: expected pictures (n, h, w, c) and a kernel of 4 axes", op);
        return kt_error_got(
            "%s and %s", kt_shape_str(x, sx, sizeof sx), kt_shape_str(k, sk, sizeof sk));
    }
    if (!conv_lengths_fit(x, k)) return KT_FAIL(KT_ELIMIT, "%s: axes are too long", op);
    st = conv_check_channels(op, a->groups, x->dim[3], k);
    if (st) return st;
    *y = (kt_shape){4, {x->dim[0], 0, 0, k->dim[3]}};
    for (int i = 0; i < 2; i++) {
        y->dim[1 + i] = kt_window_out(
            x->dim[1 + i], k->dim[i], a->stride[i], a->dilation[i], a->before[i], a->after[i]);
        if (k->dim[i] < 1) return KT_FAIL(KT_ESHAPE, "%s: the kernel is empty", op);
        if (y->dim[1 + i] < 1) return conv_too_large(op, x, k);
    }
    return KT_OK;
}

static kt_status conv_check_types(const kt_node *n) {
    if (n->in[0]->spec.dtype == n->in[1]->spec.dtype) return KT_OK;
    KT_FAIL(KT_EDTYPE, "%s: expected operands of one dtype", n->op->name);
    return kt_error_got(
        "%s and %s", kt_dtype_name(n->in[0]->spec.dtype), kt_dtype_name(n->in[1]->spec.dtype));
}

static int conv_n_epilogues(void) {
    int n = 0;
    while (kt_unary_ops[n]) n++;
    return n;
}

static kt_status conv2d_infer(const kt_node *n, kt_spec *out) {
    const conv_attrs *a = n->attrs;
    kt_status st = conv_check_types(n);
    out->dtype = n->in[0]->spec.dtype;
    if (st == KT_OK)
        st = kt_conv_shape("conv2d", a, &n->in[0]->spec.shape, &n->in[1]->spec.shape, &out->shape);
    if (st) return st;
    if (a->epilogue < 0 || a->epilogue > conv_n_epilogues() || n->n_in != 2 + a->bias)
        return KT_FAIL(KT_EINTERNAL, "conv2d: no such epilogue");
    if (!a->bias || (n->in[2]->spec.dtype == out->dtype &&
                     kt_shape_size(&n->in[2]->spec.shape) == out->shape.dim[3]))
        return KT_OK;
    return KT_FAIL(
        KT_ESHAPE,
        "conv2d: expected one bias for each of %lld filters",
        (long long)out->shape.dim[3]);
}

/* x and k as they were, so that dy has the shape of y */
static kt_status conv_grad_check(
    const kt_node *n, const kt_shape *x, const kt_shape *k, const kt_shape *dy) {
    kt_shape y;
    kt_status st = conv_check_types(n);
    if (st == KT_OK) st = kt_conv_shape(n->op->name, n->attrs, x, k, &y);
    if (st || kt_shape_equal(&y, dy)) return st;
    char want[KT_SHAPE_STR], got[KT_SHAPE_STR];
    KT_FAIL(KT_ESHAPE, "%s: the gradient has another shape than the result", n->op->name);
    kt_error_expected("%s", kt_shape_str(&y, want, sizeof want));
    return kt_error_got("%s", kt_shape_str(dy, got, sizeof got));
}

static kt_status conv2d_grad_input_infer(const kt_node *n, kt_spec *out) {
    *out = (kt_spec){n->in[0]->spec.dtype, ((const conv_attrs *)n->attrs)->shape};
    return conv_grad_check(n, &out->shape, &n->in[1]->spec.shape, &n->in[0]->spec.shape);
}

static kt_status conv2d_grad_kernel_infer(const kt_node *n, kt_spec *out) {
    *out = (kt_spec){n->in[0]->spec.dtype, ((const conv_attrs *)n->attrs)->shape};
    return conv_grad_check(n, &n->in[0]->spec.shape, &out->shape, &n->in[1]->spec.shape);
}

/* Gradients ------------------------------------------------------------------------------------ */

static kt_status conv2d_vjp(
    kt_graph *g, const kt_node *n, kt_val *const *dy, kt_val **dx, const bool *want) {
    const conv_attrs *a = n->attrs;
    if (a->bias || a->epilogue) return KT_FAIL(KT_EINTERNAL, "conv2d: gradient taken after fusion");
    if (want[0]) dx[0] = kt_g_conv2d_grad_input(g, dy[0], n->in[1], n->in[0]->spec.shape, a);
    if (want[1]) dx[1] = kt_g_conv2d_grad_kernel(g, n->in[0], dy[0], n->in[1]->spec.shape, a);
    return g->status;
}

static kt_status conv2d_grad_input_vjp(
    kt_graph *g, const kt_node *n, kt_val *const *d, kt_val **dx, const bool *want) {
    const conv_attrs *a = n->attrs;
    if (want[0]) dx[0] = kt_g_conv2d(g, d[0], n->in[1], a);
    if (want[1]) dx[1] = kt_g_conv2d_grad_kernel(g, d[0], n->in[0], n->in[1]->spec.shape, a);
    return g->status;
}

static kt_status conv2d_grad_kernel_vjp(
    kt_graph *g, const kt_node *n, kt_val *const *d, kt_val **dx, const bool *want) {
    const conv_attrs *a = n->attrs;
    if (want[0]) dx[0] = kt_g_conv2d_grad_input(g, n->in[1], d[0], n->in[0]->spec.shape, a);
    if (want[1]) dx[1] = kt_g_conv2d(g, n->in[0], d[0], a);
    return g->status;
}

/* Samples -------------------------------------------------------------------------------------- */

#define PLAIN .stride = {1, 1}, .dilation = {1, 1}, .groups = 1
#define ATTRS(...)                                                                                 \
    .attrs = &(const conv_attrs) { __VA_ARGS__ }

static const kt_sample conv2d_samples[] = {
    {.in = {{.dim = {2, 5, 6, 3}}, {.dim = {3, 3, 3, 4}}}, ATTRS(PLAIN)},
    {.in = {{.dim = {2, 7, 6, 2}}, {.dim = {3, 2, 2, 5}}},
     ATTRS(.stride = {2, 3}, .dilation = {1, 1}, .before = {1, 0}, .after = {1, 2}, .groups = 1)},
    {.in = {{.dim = {1, 8, 7, 2}}, {.dim = {3, 3, 2, 3}}},
     ATTRS(.stride = {1, 1}, .dilation = {2, 3}, .before = {2, 3}, .after = {2, 3}, .groups = 1)},
    {.in = {{.dim = {2, 5, 4, 6}}, {.dim = {2, 3, 2, 9}}},
     ATTRS(.stride = {1, 1}, .dilation = {1, 1}, .after = {1, 0}, .groups = 3)},
    {.in = {{.dim = {2, 4, 5, 7}}, {.dim = {1, 1, 7, 8}}}, ATTRS(PLAIN)},
    {.in = {{.dim = {3, 6, 6, 1}}, {.dim = {3, 3, 1, 8}}}, ATTRS(PLAIN)},
    {.in = {{.dim = {2, 9, 8, 33}}, {.dim = {3, 3, 33, 19}}, {.dim = {19}}},
     ATTRS(PLAIN, .before = {1, 1}, .after = {1, 1}, .bias = true, .epilogue = 1),
     .no_grad = true},
    {.in = {{.dim = {2, 3, 6, 3}}, {.dim = {4, 3, 3, 4}}}, ATTRS(PLAIN), .want = KT_ESHAPE},
    {.in = {{.dim = {2, 5, 6, 3}}, {.dim = {3, 3, 2, 4}}}, ATTRS(PLAIN), .want = KT_ESHAPE},
    {.in = {{.dim = {2, 5, 6, 4}}, {.dim = {3, 3, 2, 3}}},
     ATTRS(.stride = {1, 1}, .dilation = {1, 1}, .groups = 2),
     .want = KT_ESHAPE},
    {.in = {{.dim = {2, 5, 6, 3}}, {.dim = {3, 3, 3, 4}}},
     ATTRS(.stride = {1, 0}, .dilation = {1, 1}, .groups = 1),
     .want = KT_EINVAL},
    KT_SAMPLES_END};

static const kt_sample conv2d_grad_input_samples[] = {
    {.in = {{.dim = {2, 3, 4, 4}}, {.dim = {3, 3, 3, 4}}},
     ATTRS(PLAIN, .shape = {4, {2, 5, 6, 3}})},
    {.in = {{.dim = {2, 4, 2, 5}}, {.dim = {3, 2, 2, 5}}},
     ATTRS(.shape = {4, {2, 7, 6, 2}},
           .stride = {2, 3},
           .dilation = {1, 1},
           .before = {1, 0},
           .after = {1, 0},
           .groups = 1)},
    {.in = {{.dim = {2, 5, 2, 9}}, {.dim = {2, 3, 2, 9}}},
     ATTRS(.shape = {4, {2, 5, 4, 6}},
           .stride = {1, 1},
           .dilation = {1, 1},
           .after = {1, 0},
           .groups = 3)},
    {.in = {{.dim = {2, 4, 5, 8}}, {.dim = {1, 1, 7, 8}}},
     ATTRS(PLAIN, .shape = {4, {2, 4, 5, 7}})},
    {.in = {{.dim = {2, 3, 4, 4}}, {.dim = {3, 3, 3, 4}}},
     ATTRS(PLAIN, .shape = {4, {2, 6, 6, 3}}),
     .want = KT_ESHAPE},
    KT_SAMPLES_END};

static const kt_sample conv2d_grad_kernel_samples[] = {
    {.in = {{.dim = {2, 5, 6, 3}}, {.dim = {2, 3, 4, 4}}},
     ATTRS(PLAIN, .shape = {4, {3, 3, 3, 4}})},
    {.in = {{.dim = {2, 7, 6, 2}}, {.dim = {2, 4, 2, 5}}},
     ATTRS(.shape = {4, {3, 2, 2, 5}},
           .stride = {2, 3},
           .dilation = {1, 1},
           .before = {1, 0},
           .after = {1, 0},
           .groups = 1)},
    {.in = {{.dim = {2, 5, 4, 6}}, {.dim = {2, 5, 2, 9}}},
     ATTRS(.shape = {4, {2, 3, 2, 9}},
           .stride = {1, 1},
           .dilation = {1, 1},
           .after = {1, 0},
           .groups = 3)},
    {.in = {{.dim = {2, 4, 5, 7}}, {.dim = {2, 4, 5, 8}}},
     ATTRS(PLAIN, .shape = {4, {1, 1, 7, 8}})},
    {.in = {{.dim = {3, 6, 6, 1}}, {.dim = {3, 4, 4, 8}}},
     ATTRS(PLAIN, .shape = {4, {3, 3, 1, 8}})},
    {.in = {{.dim = {2, 5, 6, 3}}, {.dim = {2, 3, 4, 4}}},
     ATTRS(PLAIN, .shape = {4, {3, 3, 2, 4}}),
     .want = KT_ESHAPE},
    KT_SAMPLES_END};

/* Descriptors ---------------------------------------------------------------------------------- */

#define GEOMETRY                                                                                   \
    KT_F_AS(conv_attrs, stride, KT_FIELD_INTS), KT_F_AS(conv_attrs, dilation, KT_FIELD_INTS),      \
        KT_F_AS(conv_attrs, before, KT_FIELD_INTS), KT_F_AS(conv_attrs, after, KT_FIELD_INTS),     \
        KT_F(conv_attrs, groups)
static const kt_field conv2d_fields[] = {
    GEOMETRY, KT_F(conv_attrs, bias), KT_F(conv_attrs, epilogue), KT_F_END};
static const kt_field conv2d_grad_fields[] = {KT_F(conv_attrs, shape), GEOMETRY, KT_F_END};
#undef GEOMETRY

const kt_opdef kt_opdef_conv2d = {
    .name = "conv2d",
    .n_in = 2,
    .n_in_max = 3,
    .attrs_size = sizeof(conv_attrs),
    .attrs = conv2d_fields,
    .infer = conv2d_infer,
    .vjp = conv2d_vjp,
    .ref = KT_REFS(conv2d),
    .samples = conv2d_samples,
};
const kt_opdef kt_opdef_conv2d_grad_input = {
    .name = "conv2d_grad_input",
    .n_in = 2,
    .attrs_size = sizeof(conv_attrs),
    .attrs = conv2d_grad_fields,
    .infer = conv2d_grad_input_infer,
    .vjp = conv2d_grad_input_vjp,
    .ref = KT_REFS(conv2d_grad_input),
    .samples = conv2d_grad_input_samples,
};
const kt_opdef kt_opdef_conv2d_grad_kernel = {
    .name = "conv2d_grad_kernel",
    .n_in = 2,
    .attrs_size = sizeof(conv_attrs),
    .attrs = conv2d_grad_fields,
    .infer = conv2d_grad_kernel_infer,
    .vjp = conv2d_grad_kernel_vjp,
    .ref = KT_REFS(conv2d_grad_kernel),
    .samples = conv2d_grad_kernel_samples,
};

static kt_val *conv_node(
    kt_graph *g, const kt_opdef *op, kt_val *a, kt_val *b, kt_shape shape, const conv_attrs *from) {
    kt_val *in[2] = {a, b};
    conv_attrs attrs = *from;
    attrs.shape = shape;
    attrs.bias = false;
    attrs.epilogue = 0;
    kt_node *n = kt_graph_add(g, op, 2, in, &attrs);
    return n ? n->out[0] : NULL;
}

kt_val *kt_g_conv2d(kt_graph *g, kt_val *x, kt_val *kernel, const conv_attrs *a) {
    return conv_node(g, &kt_opdef_conv2d, x, kernel, (kt_shape){0, {0}}, a);
}

kt_val *kt_g_conv2d_grad_input(
    kt_graph *g, kt_val *dy, kt_val *kernel, kt_shape shape, const conv_attrs *a) {
    return conv_node(g, &kt_opdef_conv2d_grad_input, dy, kernel, shape, a);
}

kt_val *kt_g_conv2d_grad_kernel(
    kt_graph *g, kt_val *x, kt_val *dy, kt_shape shape, const conv_attrs *a) {
    return conv_node(g, &kt_opdef_conv2d_grad_kernel, x, dy, shape, a);
}
#endif
