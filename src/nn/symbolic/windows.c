/* kt_op_*: convolutions, pools, padding. The arguments become numbers here, the work is that of
 * ops/compose/windows.c. */
#include "nn/spatial.h"

#include "base/field.h"
#include "nn/symbolic/symbolic.h"

#include <keratin/ops_windows.h>

#include <stdio.h>
#include <string.h>

typedef kt_val *conv_builder(kt_graph *g, kt_val *x, kt_val *kernel, const kt_conv_nd *a);

typedef struct { /* as given (for files), and as the work wants it */
    kt_tuple strides, dilation_rate, output_padding;
    const char *padding, *data_format; ///< never freed
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
    conv_class = {"Conv", sizeof(conv_op_attrs), conv_build, NULL},
    depthwise_conv_class = {"DepthwiseConv", sizeof(conv_op_attrs), depthwise_conv_build, NULL},
    separable_conv_class = {"SeparableConv", sizeof(conv_op_attrs), separable_conv_build, NULL},
    conv_transpose_class = {"ConvTranspose", sizeof(conv_op_attrs), conv_transpose_build, NULL};

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

/* The names in the spelling of files: they outlive what they were read from. */
static void keep_names(const char **padding, int mode, const char **format, bool first) {
    static const char *const modes[] = {"valid", "same", "causal"};
    *padding = modes[mode];
    *format = first ? "channels_first" : "channels_last";
}

/* Works out nd from what was given. */
static kt_status conv_finish_as(const char *what, int most, kt_sym *const *in, conv_op_attrs *a) {
    kt_pad_mode mode;
    int rank = 0;
    kt_status st = rank_of(in[0], what, most, &rank);
    if (st == KT_OK) st = kt_tuple_get(a->strides, rank, "strides", a->nd.stride);
    if (st == KT_OK) st = kt_tuple_get(a->dilation_rate, rank, "dilation_rate", a->nd.dilation);
    if (st == KT_OK) st = kt_padding_get(a->padding, rank == 1, &mode);
    if (st == KT_OK) st = kt_data_format_get(a->data_format, &a->channels_first);
    if (st) return st;
    a->nd.padding = (int)mode;
    keep_names(&a->padding, (int)mode, &a->data_format, a->channels_first);
    return KT_OK;
}

static kt_status conv_finish(int n, kt_sym *const *in, void *attrs) {
    (void)n;
    return conv_finish_as("conv", 3, in, attrs);
}
static kt_status depthwise_finish(int n, kt_sym *const *in, void *attrs) {
    (void)n;
    return conv_finish_as("depthwise_conv", 2, in, attrs);
}
static kt_status separable_finish(int n, kt_sym *const *in, void *attrs) {
    (void)n;
    return conv_finish_as("separable_conv", 2, in, attrs);
}
static kt_status transpose_finish(int n, kt_sym *const *in, void *attrs) {
    (void)n;
    conv_op_attrs *a = attrs;
    kt_status st = conv_finish_as("conv_transpose", 3, in, a);
    if (st) return st;
    const int rank = kt_sym_shape(in[0]).ndim - 2;
    for (int i = 0; i < 3; i++) a->nd.output_padding[i] = -1;
    st = kt_output_padding_get(a->output_padding, rank, a->nd.stride, a->nd.output_padding);
    if (st == KT_OK && a->nd.padding == KT_PAD_CAUSAL)
        st = KT_FAIL(KT_EINVAL, "padding: \"causal\" does not go with a transposed convolution");
    return st;
}

static kt_sym *apply_finished(
    const kt_op_class *op,
    kt_status (*finish)(int n, kt_sym *const *in, void *attrs),
    int n,
    kt_sym *const *in,
    void *attrs) {
    const kt_status st = finish(n, in, attrs);
    return st ? kt_fail_object(st) : kt_op_apply(op, n, in, attrs);
}

static kt_sym *conv_with(
    const kt_op_class *op,
    const kt_op_conv_args *given,
    kt_status (*finish)(int n, kt_sym *const *in, void *attrs)) {
    static const kt_op_conv_args defaults = {KT_OP_CONV_DEFAULTS};
    kt_op_conv_args a;
    conv_op_attrs attrs;
    memset(&attrs, 0, sizeof attrs);
    const kt_status st = kt_args_read(&a, given, sizeof a, &defaults);
    if (st) return kt_fail_object(st);
    attrs.strides = a.strides;
    attrs.dilation_rate = a.dilation_rate;
    attrs.padding = a.padding;
    attrs.data_format = a.data_format;
    return apply_finished(op, finish, 2, (kt_sym *[]){a.inputs, a.kernel}, &attrs);
}

kt_sym *kt_op_conv_with(const kt_op_conv_args *a) { return conv_with(&conv_class, a, conv_finish); }

kt_sym *kt_op_depthwise_conv_with(const kt_op_conv_args *a) {
    return conv_with(&depthwise_conv_class, a, depthwise_finish);
}

kt_sym *kt_op_separable_conv_with(const kt_op_separable_conv_args *given) {
    static const kt_op_separable_conv_args defaults = {KT_OP_CONV_DEFAULTS};
    kt_op_separable_conv_args a;
    conv_op_attrs attrs;
    memset(&attrs, 0, sizeof attrs);
    const kt_status st = kt_args_read(&a, given, sizeof a, &defaults);
    if (st) return kt_fail_object(st);
    attrs.strides = a.strides;
    attrs.dilation_rate = a.dilation_rate;
    attrs.padding = a.padding;
    attrs.data_format = a.data_format;
    kt_sym *in[3] = {a.inputs, a.depthwise_kernel, a.pointwise_kernel};
    return apply_finished(&separable_conv_class, separable_finish, 3, in, &attrs);
}

kt_sym *kt_op_conv_transpose_with(const kt_op_conv_transpose_args *given) {
    static const kt_op_conv_transpose_args defaults = {KT_OP_CONV_TRANSPOSE_DEFAULTS};
    kt_op_conv_transpose_args a;
    conv_op_attrs attrs;
    memset(&attrs, 0, sizeof attrs);
    const kt_status st = kt_args_read(&a, given, sizeof a, &defaults);
    if (st) return kt_fail_object(st);
    attrs.strides = a.strides;
    attrs.dilation_rate = a.dilation_rate;
    attrs.output_padding = a.output_padding;
    attrs.padding = a.padding;
    attrs.data_format = a.data_format;
    kt_sym *in[2] = {a.inputs, a.kernel};
    return apply_finished(&conv_transpose_class, transpose_finish, 2, in, &attrs);
}

/* Pools ---------------------------------------------------------------------------------------- */

typedef struct { /* as conv_op_attrs */
    kt_tuple pool_size, strides;
    const char *padding, *data_format;
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
static const kt_op_class max_pool_class = {"MaxPool", sizeof(pool_op_attrs), pool_build, NULL},
                         average_pool_class = {
                             "AveragePool", sizeof(pool_op_attrs), pool_build, NULL};

static kt_status pool_finish_as(const char *what, kt_sym *const *in, pool_op_attrs *a) {
    kt_pad_mode mode = KT_PAD_VALID;
    int rank = 0;
    const kt_tuple strides = a->strides == KT_NONE ? a->pool_size : a->strides;
    kt_status st = rank_of(in[0], what, 3, &rank);
    if (st == KT_OK) st = kt_tuple_get(a->pool_size, rank, "pool_size", a->nd.window);
    if (st == KT_OK) st = kt_tuple_get(strides, rank, "strides", a->nd.stride);
    if (st == KT_OK) st = kt_padding_get(a->padding, false, &mode);
    if (st == KT_OK) st = kt_data_format_get(a->data_format, &a->channels_first);
    if (st) return st;
    a->nd.same = mode == KT_PAD_SAME;
    keep_names(&a->padding, (int)mode, &a->data_format, a->channels_first);
    return KT_OK;
}

static kt_status max_pool_finish(int n, kt_sym *const *in, void *attrs) {
    (void)n;
    return pool_finish_as("max_pool", in, attrs);
}
static kt_status average_pool_finish(int n, kt_sym *const *in, void *attrs) {
    (void)n;
    ((pool_op_attrs *)attrs)->nd.average = true;
    return pool_finish_as("average_pool", in, attrs);
}

static kt_sym *pool_with(
    const kt_op_class *op,
    const kt_op_pool_args *given,
    kt_status (*finish)(int n, kt_sym *const *in, void *attrs)) {
    static const kt_op_pool_args defaults = {KT_OP_POOL_DEFAULTS};
    kt_op_pool_args a;
    pool_op_attrs attrs;
    memset(&attrs, 0, sizeof attrs);
    const kt_status st = kt_args_read(&a, given, sizeof a, &defaults);
    if (st) return kt_fail_object(st);
    attrs.pool_size = a.pool_size;
    attrs.strides = a.strides;
    attrs.padding = a.padding;
    attrs.data_format = a.data_format;
    return apply_finished(op, finish, 1, &a.inputs, &attrs);
}

kt_sym *kt_op_max_pool_with(const kt_op_pool_args *a) {
    return pool_with(&max_pool_class, a, max_pool_finish);
}
kt_sym *kt_op_average_pool_with(const kt_op_pool_args *a) {
    return pool_with(&average_pool_class, a, average_pool_finish);
}

/* Padding and repeating ------------------------------------------------------------------------ */

typedef struct {
    unsigned given;
    char mode[16];
    char width[136]; ///< "[[1, 1], [0, 2]]", "[1, 2]" for every axis, or "1"
} op_pad_attrs;

/* The border along one axis: the elements beside it the other way round; with the outermost one
 * (symmetric) or without it. */
static kt_val *mirrored(
    kt_graph *g, kt_val *x, int axis, int64_t before, int64_t after, bool symmetric) {
    const int64_t len = x->spec.shape.dim[axis], skip = !symmetric, most = len - skip;
    kt_val *parts[3];
    int n = 0;
    if (before > most || after > most) {
        KT_FAIL(
            KT_EINVAL,
            "pad: a border of %lld on axis %d",
            (long long)(before > after ? before : after),
            axis);
        kt_error_expected("at most %lld, as there is no more to mirror", (long long)most);
        return kt_graph_fail(g, KT_EINVAL);
    }
    if (before)
        parts[n++] = kt_g_reverse(g, kt_g_slice_axis(g, x, axis, skip, skip + before), axis);
    parts[n++] = x;
    if (after)
        parts[n++] = kt_g_reverse(
            g, kt_g_slice_axis(g, x, axis, len - skip - after, len - skip), axis);
    for (int i = 0; i < n; i++)
        if (!parts[i]) return NULL;
    return n > 1 ? kt_g_concat(g, n, parts, axis) : x;
}

extern const kt_opdef kt_opdef_const;

/* A value that is no constant is put where the padding is. */
static kt_val *pad_with(kt_graph *g, kt_val *x, pad_attrs *a, kt_val *value) {
    const const_attrs *c = value && value->def->op == &kt_opdef_const ? value->def->attrs : NULL;
    if (c && !c->data) a->value = c->value;
    kt_val *y = kt_g_pad(g, x, a);
    if (!value || (c && !c->data)) return y;
    kt_val *inside = kt_g_pad(g, kt_g_const(g, 1, (kt_spec){KT_BOOL, x->spec.shape}), a);
    return kt_g_select(g, inside, y, kt_g_cast(g, value, x->spec.dtype));
}

KT_OP_BUILD(op_pad) {
    const op_pad_attrs *a = attrs;
    int64_t v[2 * KT_MAX_RANK] = {0};
    const int ndim = in[0]->spec.shape.ndim;
    const int count = kt_op_numbers(a->width, 2 * KT_MAX_RANK, v);
    const bool symmetric = !strcmp(a->mode, "symmetric");
    pad_attrs p = {{0}, {0}, 0};
    kt_val *x = in[0];
    if (count != 2 * ndim && count > 2)
        return kt_graph_fail(
            g, KT_FAIL(KT_EINVAL, "pad: expected a width for each of %d axes", ndim));
    for (int i = 0; i < ndim; i++) {
        const bool each = count == 2 * ndim;
        p.before[i] = v[each ? 2 * i : 0];
        p.after[i] = v[each ? 2 * i + 1 : count - 1];
        if (p.before[i] < 0 || p.after[i] < 0)
            return kt_graph_fail(g, KT_FAIL(KT_EINVAL, "pad: expected widths >= 0 on axis %d", i));
    }
    if (!strcmp(a->mode, "constant")) return pad_with(g, x, &p, n > 1 ? in[1] : NULL);
    if (!symmetric && strcmp(a->mode, "reflect") != 0)
        return kt_graph_fail(g, KT_FAIL(KT_EUNSUPPORTED, "pad: mode \"%s\"", a->mode));
    if (n > 1)
        return kt_graph_fail(g, KT_FAIL(KT_EINVAL, "pad: a value with mode \"%s\"", a->mode));
    for (int i = 0; x && i < ndim; i++) x = mirrored(g, x, i, p.before[i], p.after[i], symmetric);
    return x;
}
static const kt_op_class op_pad_class = {"Pad", sizeof(op_pad_attrs), op_pad_build, NULL};

static kt_sym *pad(
    kt_sym *x, kt_shape before, kt_shape after, const char *mode, double constant_value) {
    op_pad_attrs a;
    int64_t v[2 * KT_MAX_RANK];
    char text[sizeof a.width];
    kt_sym *in[2] = {x, NULL};
    if (kt_failed(x)) return kt_fail_object(kt_check(x));
    const int n = kt_sym_shape(x).ndim;
    if (before.ndim != n || after.ndim != n)
        return kt_fail_object(KT_FAIL(KT_EINVAL, "pad: expected a width for each of %d axes", n));
    memset(&a, 0, sizeof a);
    const kt_status st = kt_op_text(a.mode, sizeof a.mode, mode, "pad: mode");
    if (st) return kt_fail_object(st);
    for (int i = 0; i < n; i++) {
        v[2 * i] = before.dim[i];
        v[2 * i + 1] = after.dim[i];
    }
    size_t at = 0;
    for (int i = 0; i < n && at < sizeof a.width; i++) {
        kt_op_numbers_text(text, sizeof text, 2, v + 2 * i);
        at += (size_t)snprintf(a.width + at, sizeof a.width - at, "%s%s", i ? ", " : "[", text);
    }
    if (at + 2 > sizeof a.width)
        return kt_fail_object(KT_FAIL(KT_ELIMIT, "pad: these widths do not fit into the model"));
    snprintf(a.width + at, sizeof a.width - at, n ? "]" : "[]");
    a.given = constant_value != 0 ? 3 : 1;
    if (a.given & 2) in[1] = kt_num(constant_value);
    return kt_op_apply(&op_pad_class, a.given & 2 ? 2 : 1, in, &a);
}
kt_sym *kt_op_pad(kt_sym *x, kt_shape before, kt_shape after, double constant_value) {
    return pad(x, before, after, "constant", constant_value);
}
kt_sym *kt_op_pad_mode(kt_sym *x, kt_shape before, kt_shape after, const char *mode) {
    return pad(x, before, after, mode ? mode : "constant", 0);
}

typedef struct {
    int repeats;
    int64_t axis; ///< KT_NONE: the flat array
} repeat_attrs;
static kt_val *repeat_build(kt_graph *g, int n, kt_val **in, const void *attrs) {
    (void)n;
    const repeat_attrs *a = attrs;
    kt_val *x = a->axis == KT_NONE ? kt_g_reshape(g, in[0], kt_dims(-1)) : in[0];
    if (!x) return NULL;
    const kt_shape whole = x->spec.shape;
    const bool far = a->axis < -KT_MAX_RANK || a->axis > KT_MAX_RANK;
    const int axis = a->axis == KT_NONE ? 0 : far ? -1 : kt_axis((int)a->axis, whole.ndim);
    if (axis < 0)
        return kt_graph_fail(
            g, KT_FAIL(KT_EINVAL, "repeat: axis %lld is out of range", (long long)a->axis));
    const int64_t inner = kt_shape_range(&whole, axis + 1, whole.ndim);
    const kt_shape rows = {3, {kt_shape_range(&whole, 0, axis), whole.dim[axis], inner}};
    kt_val *y = kt_g_repeat_nd(g, kt_g_reshape(g, x, rows), &a->repeats);
    kt_shape out = whole;
    out.dim[axis] *= a->repeats;
    return kt_g_reshape(g, y, out);
}
static kt_status repeat_finish(int n, kt_sym *const *in, void *attrs) {
    const int repeats = ((const repeat_attrs *)attrs)->repeats;
    (void)n, (void)in;
    return repeats >= 0 ? KT_OK
                        : KT_FAIL(KT_EINVAL, "repeat: expected repeats >= 0, got %d", repeats);
}
static const kt_op_class repeat_class = {"Repeat", sizeof(repeat_attrs), repeat_build, NULL};
kt_sym *kt_op_repeat(kt_sym *x, int repeats, int64_t axis) {
    repeat_attrs a;
    memset(&a, 0, sizeof a);
    a.repeats = repeats;
    a.axis = axis;
    return apply_finished(&repeat_class, repeat_finish, 1, &x, &a);
}

/* Files ---------------------------------------------------------------------------------------- */

static const kt_field conv_fields[] = {
    KT_F(conv_op_attrs, strides),
    KT_F(conv_op_attrs, padding),
    KT_F(conv_op_attrs, data_format),
    KT_F(conv_op_attrs, dilation_rate),
    KT_F_END};
static const kt_field conv_transpose_fields[] = {
    KT_F(conv_op_attrs, strides),
    KT_F(conv_op_attrs, padding),
    KT_F(conv_op_attrs, output_padding),
    KT_F(conv_op_attrs, data_format),
    KT_F(conv_op_attrs, dilation_rate),
    KT_F_END};
static const kt_field pool_fields[] = {
    KT_F(pool_op_attrs, pool_size),
    KT_F(pool_op_attrs, strides),
    KT_F(pool_op_attrs, padding),
    KT_F(pool_op_attrs, data_format),
    KT_F_END};
static const kt_field repeat_fields[] = {
    KT_F(repeat_attrs, repeats), KT_F(repeat_attrs, axis), KT_F_END};
static const kt_field pad_fields[] = {
    KT_F_NAMED(op_pad_attrs, width, "pad_width", KT_FIELD_TEXT),
    KT_F_AS(op_pad_attrs, mode, KT_FIELD_TEXT),
    KT_F_END};

const kt_op_form kt_op_forms_windows[] = {
    {&conv_class, "nn", 2, conv_fields, conv_finish, NULL},
    {&depthwise_conv_class, "nn", 2, conv_fields, depthwise_finish, NULL},
    {&separable_conv_class, "nn", 3, conv_fields, separable_finish, NULL},
    {&conv_transpose_class, "nn", 2, conv_transpose_fields, transpose_finish, NULL},
    {&max_pool_class, "nn", 1, pool_fields, max_pool_finish, NULL},
    {&average_pool_class, "nn", 1, pool_fields, average_pool_finish, NULL},
    {&op_pad_class, "numpy", 1, pad_fields, NULL, "x * constant_values?"},
    {&repeat_class, "numpy", 1, repeat_fields, repeat_finish, NULL},
    {NULL, NULL, 0, NULL, NULL, NULL}};
