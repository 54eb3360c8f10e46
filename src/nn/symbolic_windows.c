/* kt_op_*: convolutions, pools, padding. The arguments become numbers here, the work is that of
 * ops/compose/windows.c. */
#include "nn/spatial.h"

#include "base/field.h"

#include <keratin/ops_windows.h>

#include <string.h>

typedef kt_val *conv_builder(kt_graph *g, kt_val *x, kt_val *kernel, const kt_conv_nd *a);

typedef struct {
    kt_conv_nd nd;
    bool channels_first;
} conv_op_attrs;

/* Channels last for the work, and back. */
static kt_val *turned(kt_graph *g, kt_val *x, bool back) {
    int perm[KT_MAX_RANK] = {0};
    if (!x) return NULL;
    const int n = x->spec.shape.ndim;
    for (int i = 1; i < n; i++) perm[i] = back ? (i == 1 ? n - 1 : i - 1) : i == n - 1 ? 1 : i + 1;
    return kt_g_transpose(g, x, perm);
}

static kt_val *conv_apply(
    kt_graph *g, kt_val *x, kt_val *kernel, const conv_op_attrs *a, conv_builder *builder) {
    x = kt_g_cast(g, x, kernel->spec.dtype); /* integers too */
    if (a->channels_first) x = turned(g, x, false);
    kt_val *y = builder(g, x, kernel, &a->nd);
    return a->channels_first ? turned(g, y, true) : y;
}

static kt_val *conv_build(kt_graph *g, int n, kt_val **in, const void *attrs) {
    (void)n;
    return conv_apply(g, in[0], in[1], attrs, kt_g_conv_nd);
}
static kt_val *depthwise_conv_build(kt_graph *g, int n, kt_val **in, const void *attrs) {
    (void)n;
    return conv_apply(g, in[0], in[1], attrs, kt_g_depthwise_conv_nd);
}
static kt_val *conv_transpose_build(kt_graph *g, int n, kt_val **in, const void *attrs) {
    (void)n;
    return conv_apply(g, in[0], in[1], attrs, kt_g_conv_transpose_nd);
}
static kt_val *separable_conv_build(kt_graph *g, int n, kt_val **in, const void *attrs) {
    (void)n;
    const conv_op_attrs *given = attrs, plain = {.nd = {{1, 1, 1}, {1, 1, 1}, KT_PAD_VALID, {0}}};
    conv_op_attrs last = *given;
    last.channels_first = false;
    kt_val *x = given->channels_first ? turned(g, in[0], false) : in[0];
    if (x) x = conv_apply(g, x, in[1], &last, kt_g_depthwise_conv_nd);
    if (x) x = conv_apply(g, x, in[2], &plain, kt_g_conv_nd);
    return given->channels_first ? turned(g, x, true) : x;
}
static const kt_op_class
    conv_class = {"Conv", sizeof(conv_op_attrs), conv_build},
    depthwise_conv_class = {"DepthwiseConv", sizeof(conv_op_attrs), depthwise_conv_build},
    separable_conv_class = {"SeparableConv", sizeof(conv_op_attrs), separable_conv_build},
    conv_transpose_class = {"ConvTranspose", sizeof(conv_op_attrs), conv_transpose_build};

/* Number of axes between batch and channels; names what is wrong with the operand. */
static kt_status rank_of(const kt_sym *x, const char *what, int most, int *rank) {
    char got[96];
    if (!kt_is(x, KT_KIND_SYM)) {
        if (x && kt_failed(x)) return kt_check(x);
        KT_FAIL(KT_EINVAL, "%s: expected a symbolic tensor", what);
        return kt_error_got("%s", kt_ref_describe(x, got, sizeof got));
    }
    *rank = kt_sym_shape(x).ndim - 2;
    if (*rank >= 1 && *rank <= most) return KT_OK;
    KT_FAIL(KT_ESHAPE, "%s: expected an input of 3 to %d axes", what, most + 2);
    return kt_error_got("%d", *rank + 2);
}

static kt_status read_steps(
    kt_conv_nd *nd, int rank, kt_tuple strides, kt_tuple dilation, const char *padding) {
    kt_pad_mode mode;
    kt_status st = kt_tuple_get(strides, rank, "strides", nd->stride);
    if (st == KT_OK) st = kt_tuple_get(dilation, rank, "dilation_rate", nd->dilation);
    if (st == KT_OK) st = kt_padding_get(padding, rank == 1, &mode);
    if (st == KT_OK) nd->padding = (int)mode;
    return st;
}

static kt_sym *conv_with(
    const kt_op_class *op, const kt_op_conv_args *given, const char *what, int most) {
    static const kt_op_conv_args defaults = {KT_OP_CONV_DEFAULTS};
    kt_op_conv_args a;
    conv_op_attrs attrs;
    int rank = 0;
    memset(&attrs, 0, sizeof attrs);
    kt_status st = kt_args_read(&a, given, sizeof a, &defaults);
    if (st == KT_OK) st = rank_of(a.inputs, what, most, &rank);
    if (st == KT_OK) st = read_steps(&attrs.nd, rank, a.strides, a.dilation_rate, a.padding);
    if (st == KT_OK) st = kt_data_format_get(a.data_format, &attrs.channels_first);
    if (st) return kt_fail_object(st);
    return kt_op_apply(op, 2, (kt_sym *[]){a.inputs, a.kernel}, &attrs);
}

kt_sym *kt_op_conv_with(const kt_op_conv_args *a) { return conv_with(&conv_class, a, "conv", 3); }

kt_sym *kt_op_depthwise_conv_with(const kt_op_conv_args *a) {
    return conv_with(&depthwise_conv_class, a, "depthwise_conv", 2);
}

kt_sym *kt_op_separable_conv_with(const kt_op_separable_conv_args *given) {
    static const kt_op_separable_conv_args defaults = {KT_OP_CONV_DEFAULTS};
    kt_op_separable_conv_args a;
    conv_op_attrs attrs;
    int rank = 0;
    memset(&attrs, 0, sizeof attrs);
    kt_status st = kt_args_read(&a, given, sizeof a, &defaults);
    if (st == KT_OK) st = rank_of(a.inputs, "separable_conv", 2, &rank);
    if (st == KT_OK) st = read_steps(&attrs.nd, rank, a.strides, a.dilation_rate, a.padding);
    if (st == KT_OK) st = kt_data_format_get(a.data_format, &attrs.channels_first);
    if (st) return kt_fail_object(st);
    kt_sym *in[3] = {a.inputs, a.depthwise_kernel, a.pointwise_kernel};
    return kt_op_apply(&separable_conv_class, 3, in, &attrs);
}

kt_sym *kt_op_conv_transpose_with(const kt_op_conv_transpose_args *given) {
    static const kt_op_conv_transpose_args defaults = {KT_OP_CONV_TRANSPOSE_DEFAULTS};
    kt_op_conv_transpose_args a;
    conv_op_attrs attrs;
    int rank = 0;
    memset(&attrs, 0, sizeof attrs);
    kt_status st = kt_args_read(&a, given, sizeof a, &defaults);
    if (st == KT_OK) st = rank_of(a.inputs, "conv_transpose", 3, &rank);
    if (st == KT_OK) st = read_steps(&attrs.nd, rank, a.strides, a.dilation_rate, a.padding);
    if (st == KT_OK) st = kt_data_format_get(a.data_format, &attrs.channels_first);
    for (int i = 0; i < 3; i++) attrs.nd.output_padding[i] = -1;
    if (st == KT_OK)
        st = kt_output_padding_get(
            a.output_padding, rank, attrs.nd.stride, attrs.nd.output_padding);
    if (st == KT_OK && attrs.nd.padding == KT_PAD_CAUSAL)
        st = KT_FAIL(KT_EINVAL, "padding: \"causal\" does not go with a transposed convolution");
    if (st) return kt_fail_object(st);
    return kt_op_apply(&conv_transpose_class, 2, (kt_sym *[]){a.inputs, a.kernel}, &attrs);
}

/* Pools ---------------------------------------------------------------------------------------- */

typedef struct {
    kt_pool_nd nd;
    bool channels_first;
} pool_op_attrs;

static kt_val *pool_build(kt_graph *g, int n, kt_val **in, const void *attrs) {
    (void)n;
    const pool_op_attrs *a = attrs;
    kt_val *x = a->channels_first ? turned(g, in[0], false) : in[0];
    kt_val *y = kt_g_pool_nd(g, x, &a->nd);
    return a->channels_first ? turned(g, y, true) : y;
}
static const kt_op_class max_pool_class = {"MaxPool", sizeof(pool_op_attrs), pool_build},
                         average_pool_class = {"AveragePool", sizeof(pool_op_attrs), pool_build};

static kt_sym *pool_with(const kt_op_pool_args *given, bool average) {
    static const kt_op_pool_args defaults = {KT_OP_POOL_DEFAULTS};
    kt_op_pool_args a;
    pool_op_attrs attrs;
    kt_pad_mode mode = KT_PAD_VALID;
    int rank = 0;
    memset(&attrs, 0, sizeof attrs);
    kt_status st = kt_args_read(&a, given, sizeof a, &defaults);
    const kt_tuple strides = a.strides == KT_NONE ? a.pool_size : a.strides;
    if (st == KT_OK) st = rank_of(a.inputs, average ? "average_pool" : "max_pool", 3, &rank);
    if (st == KT_OK) st = kt_tuple_get(a.pool_size, rank, "pool_size", attrs.nd.window);
    if (st == KT_OK) st = kt_tuple_get(strides, rank, "strides", attrs.nd.stride);
    if (st == KT_OK) st = kt_padding_get(a.padding, false, &mode);
    if (st == KT_OK) st = kt_data_format_get(a.data_format, &attrs.channels_first);
    if (st) return kt_fail_object(st);
    attrs.nd.same = mode == KT_PAD_SAME;
    attrs.nd.average = average;
    return kt_op_apply(average ? &average_pool_class : &max_pool_class, 1, &a.inputs, &attrs);
}

kt_sym *kt_op_max_pool_with(const kt_op_pool_args *a) { return pool_with(a, false); }
kt_sym *kt_op_average_pool_with(const kt_op_pool_args *a) { return pool_with(a, true); }

/* Padding and repeating ------------------------------------------------------------------------ */

static kt_val *op_pad_build(kt_graph *g, int n, kt_val **in, const void *attrs) {
    (void)n;
    return kt_g_pad(g, in[0], attrs);
}
static const kt_op_class op_pad_class = {"Pad", sizeof(pad_attrs), op_pad_build};
kt_sym *kt_op_pad(kt_sym *x, kt_shape before, kt_shape after, double constant_value) {
    pad_attrs a = {{0}, {0}, constant_value};
    if (kt_failed(x)) return kt_fail_object(kt_check(x));
    const int n = kt_sym_shape(x).ndim;
    if (before.ndim != n || after.ndim != n)
        return kt_fail_object(KT_FAIL(KT_EINVAL, "pad: expected a width for each of %d axes", n));
    memcpy(a.before, before.dim, sizeof *a.before * (size_t)n);
    memcpy(a.after, after.dim, sizeof *a.after * (size_t)n);
    return kt_op_apply(&op_pad_class, 1, &x, &a);
}

typedef struct {
    int repeats, axis;
} repeat_attrs;
static kt_val *repeat_build(kt_graph *g, int n, kt_val **in, const void *attrs) {
    (void)n;
    const repeat_attrs *a = attrs;
    const int axis = kt_axis(a->axis, in[0]->spec.shape.ndim);
    if (axis < 0)
        return kt_graph_fail(g, KT_FAIL(KT_EINVAL, "repeat: axis %d is out of range", a->axis));
    const kt_shape whole = in[0]->spec.shape;
    const int64_t inner = kt_shape_range(&whole, axis + 1, whole.ndim);
    const kt_shape rows = {3, {kt_shape_range(&whole, 0, axis), whole.dim[axis], inner}};
    kt_val *y = kt_g_repeat_nd(g, kt_g_reshape(g, in[0], rows), &a->repeats);
    kt_shape out = whole;
    out.dim[axis] *= a->repeats;
    return kt_g_reshape(g, y, out);
}
static const kt_op_class repeat_class = {"Repeat", sizeof(repeat_attrs), repeat_build};
kt_sym *kt_op_repeat(kt_sym *x, int repeats, int axis) {
    if (repeats < 0)
        return kt_fail_object(KT_FAIL(KT_EINVAL, "repeat: expected repeats >= 0, got %d", repeats));
    return kt_op_apply(&repeat_class, 1, &x, &(repeat_attrs){repeats, axis});
}
