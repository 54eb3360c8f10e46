/* ConvLSTM1D, ConvLSTM2D, ConvLSTM3D: an LSTM whose products are convolutions.
 * keras.layers.ConvLSTM2D
 *
 *     i, f, o = recurrent_activation, g = activation of conv(x, kernel) + bias + conv(h, recurrent)
 *     c = f c + i g; h = o activation(c)
 *
 * RNN with a cell of its own, which Keras does not export either. What the input gives to the gates
 * is one convolution over all time steps. States are pictures: (batch, filters) with the axes that
 * the convolution of one step gives, in the order of data_format. */
#include "nn/layers/rnn.h"
#include "nn/spatial.h"

#include "ir/window.h"

#include <keratin/ops_windows.h>

typedef struct {
    rnn_cell rnn; /* first: what all cells have */
    int rank, size[3];
    int64_t axes[3]; /* of the input, fixed when it is built */
    bool channels_first;
} conv_cell;

/* The cell ------------------------------------------------------------------------------------- */

static kt_status cell_init(kt_layer *l) {
    const kt_conv_lstm_args *a = kt_layer_args(l);
    conv_cell *d = kt_layer_state(l);
    kt_pad_mode mode;
    if (a->filters <= 0)
        return KT_FAIL(KT_EINVAL, "filters: expected a positive integer, got %d", a->filters);
    d->rank = kt_layer_rank(l);
    kt_status st = kt_layer_windows(l, a->kernel_size, a->strides, a->dilation_rate, d->size);
    if (st == KT_OK) st = kt_padding_get(a->padding, false, &mode);
    if (st == KT_OK) st = kt_data_format_get(a->data_format, &d->channels_first);
    if (st) return st;
    const rnn_cell_args c = {
        .units = a->filters,
        .activation = a->activation,
        .recurrent_activation = a->recurrent_activation,
        .dropout = a->dropout,
        .recurrent_dropout = a->recurrent_dropout,
        .seed = a->seed};
    return rnn_cell_init(l, &c);
}

static kt_status fix_axes(conv_cell *d, const kt_shape *in) {
    for (int i = 0; i < d->rank; i++) {
        d->axes[i] = in->dim[(d->channels_first ? 2 : 1) + i];
        if (d->axes[i] != KT_NONE) continue;
        KT_FAIL(KT_ESHAPE, "all axes of the input but batch and time must be known");
        return kt_error_hint("give their lengths in kt_input()");
    }
    return KT_OK;
}

static kt_var *add_kernel(
    kt_layer *l, const char *name, int64_t in, kt_ref init, kt_ref regularizer, kt_ref constraint) {
    const conv_cell *d = kt_layer_state(l);
    int64_t s[KT_MAX_RANK] = {0};
    for (int i = 0; i < d->rank; i++) s[i] = d->size[i];
    s[d->rank] = in;
    s[d->rank + 1] = 4 * (int64_t)d->rnn.units;
    return kt_add_weight(
        l,
        name,
        {s[0], s[1], s[2], s[3], s[4]},
        .initializer = init,
        .regularizer = regularizer,
        .constraint = constraint);
}

static kt_status cell_build(kt_layer *l, const kt_shape *in) {
    const kt_conv_lstm_args *a = kt_layer_args(l);
    conv_cell *d = kt_layer_state(l);
    rnn_cell *c = &d->rnn;
    int64_t channels;
    kt_status st = kt_layer_channels(in, d->channels_first, &channels);
    if (st == KT_OK) st = fix_axes(d, in);
    if (st) return st;
    c->kernel = add_kernel(
        l, "kernel", channels, a->kernel_initializer, a->kernel_regularizer, a->kernel_constraint);
    c->recurrent = add_kernel(
        l,
        "recurrent_kernel",
        a->filters,
        a->recurrent_initializer,
        a->recurrent_regularizer,
        a->recurrent_constraint);
    if (a->use_bias)
        c->bias = kt_add_weight(
            l,
            "bias",
            {4 * (int64_t)a->filters},
            .initializer = a->bias_initializer,
            .regularizer = a->bias_regularizer,
            .constraint = a->bias_constraint);
    if (c->bias && a->unit_forget_bias) c->bias->fill = rnn_forget_fill;
    return kt_check(l);
}

static int cell_states(const kt_layer *l, int64_t *size) {
    size[0] = size[1] = ((const kt_conv_lstm_args *)kt_layer_args(l))->filters;
    return 2;
}

static kt_sym *conv(const kt_layer *l, kt_sym *x, kt_sym *kernel, bool recurrent) {
    const kt_conv_lstm_args *a = kt_layer_args(l);
    if (recurrent) return kt_op_conv(x, kernel, .padding = "same");
    return kt_op_conv(x, kernel, a->strides, a->padding, .dilation_rate = a->dilation_rate);
}

/* All gates of [n, …, channels]. With dropout every gate sees an x of its own, `part`. */
static kt_sym *gates_of(
    kt_layer *l, kt_sym *x, kt_sym **part, const kt_var *kernel, bool recurrent) {
    const conv_cell *d = kt_layer_state(l);
    kt_sym *w = kt_value((kt_var *)(uintptr_t)kernel), *z[4];
    if (!part) return conv(l, x, w, recurrent);
    for (int i = 0; i < 4; i++) z[i] = conv(l, part[i], rnn_gate(w, i, d->rnn.units), recurrent);
    return kt_op_concatenate(kt_list(z[0], z[1], z[2], z[3]), -1);
}

/* [time, batch, …] as [time batch, …, channels] */
static kt_sym *fold(const conv_cell *d, kt_sym *x) {
    kt_shape s = kt_sym_shape(x);
    s.dim[0] *= s.dim[1];
    for (int i = 1; i + 1 < s.ndim; i++) s.dim[i] = s.dim[i + 1];
    s.ndim--;
    x = kt_op_reshape(x, s);
    return d->channels_first ? kt_channels_last(x) : x;
}

/* Rate 1 drops nothing here, in Keras neither. */
static bool drops(double rate, bool training) { return training && rate > 0 && rate < 1; }

kt_sym *rnn_conv_project(kt_layer *l, kt_sym *x, bool training) {
    const conv_cell *d = kt_layer_state(l);
    const rnn_cell *c = &d->rnn;
    const kt_shape in = kt_sym_shape(x);
    kt_sym *part[4], *z;
    if (kt_failed(x)) return x;
    if (drops(c->dropout, training)) {
        for (int i = 0; i < 4; i++) part[i] = fold(d, rnn_cell_drop_all(l, i, x));
        z = gates_of(l, NULL, part, c->kernel, false);
    } else {
        z = gates_of(l, fold(d, x), NULL, c->kernel, false);
    }
    if (c->bias) z = kt_op_add(z, kt_value(c->bias));
    kt_shape s = kt_sym_shape(z);
    for (int i = s.ndim; i-- > 1;) s.dim[i + 1] = s.dim[i];
    s.ndim++;
    s.dim[0] = in.dim[0];
    s.dim[1] = in.dim[1];
    return kt_op_reshape(z, s);
}

/* in[0] is what rnn_conv_project() gave for this step. */
static kt_status cell_call(kt_layer *l, kt_trace *t) {
    const conv_cell *d = kt_layer_state(l);
    const rnn_cell *c = &d->rnn;
    kt_sym *h = t->initial_state[0], *part[4], *gate[4], *z = t->in[0];
    if (drops(c->recurrent_dropout, t->training)) {
        for (int i = 0; i < 4; i++) {
            part[i] = rnn_cell_drop(l, 1, i, h, true);
            if (d->channels_first) part[i] = kt_channels_last(part[i]);
        }
        z = kt_op_add(z, gates_of(l, NULL, part, c->recurrent, true));
    } else {
        if (d->channels_first) h = kt_channels_last(h);
        z = kt_op_add(z, gates_of(l, h, NULL, c->recurrent, true));
    }
    for (int i = 0; i < 4; i++) {
        gate[i] = rnn_gate(z, i, c->units);
        if (d->channels_first) gate[i] = kt_channels_first(gate[i]);
        gate[i] = kt_activation_apply(i == 2 ? c->activation : c->recurrent_activation, gate[i]);
    }
    t->n_out = 3;
    t->out[2] = kt_op_add(
        kt_op_multiply(gate[1], t->initial_state[1]), kt_op_multiply(gate[0], gate[2]));
    t->out[0] = t->out[1] = kt_op_multiply(gate[3], kt_activation_apply(c->activation, t->out[2]));
    return kt_check(t->out[0]);
}

/* The layer ------------------------------------------------------------------------------------ */

/* States for inputs (batch, time, …). */
static kt_status state_shape(const kt_layer *cell, const kt_shape *in, kt_shape *out) {
    const kt_conv_lstm_args *a = kt_layer_args(cell);
    const conv_cell *d = cell->state;
    const int first = d->channels_first ? 2 : 1;
    int stride[3] = {1, 1, 1}, dilation[3] = {1, 1, 1};
    kt_pad_mode mode;
    kt_tuple_get(a->strides, d->rank, "strides", stride); /* checked by init */
    kt_tuple_get(a->dilation_rate, d->rank, "dilation_rate", dilation);
    kt_padding_get(a->padding, false, &mode);
    *out = (kt_shape){d->rank + 2, {in->dim[0]}};
    out->dim[d->channels_first ? 1 : d->rank + 1] = d->rnn.units;
    for (int i = 0; i < d->rank; i++) {
        int before = 0, after = 0;
        const int64_t n = in->dim[first + 1 + i];
        if (n != d->axes[i]) {
            KT_FAIL(KT_ESHAPE, "shape mismatch");
            kt_error_expected(
                "axis %d of length %lld (fixed when the layer was built)",
                first + 1 + i,
                (long long)d->axes[i]);
            return kt_error_got("%lld", (long long)n);
        }
        if (mode == KT_PAD_SAME)
            kt_same_padding(n, d->size[i], stride[i], dilation[i], &before, &after);
        out->dim[first + i] = kt_window_out(n, d->size[i], stride[i], dilation[i], before, after);
        if (out->dim[first + i] < 1)
            return KT_FAIL(
                KT_ESHAPE,
                "kernel_size: %d is larger than axis %d of the input, %lld",
                d->size[i],
                first + 1 + i,
                (long long)n);
    }
    return KT_OK;
}

static kt_status layer_init(kt_layer *l, const kt_layer_class *cell) {
    const kt_conv_lstm_args *a = kt_layer_args(l);
    rnn_layer *r = kt_layer_state(l);
    kt_conv_lstm_args own = *a;
    RNN_OPTIONS(r, a);
    r->state_shape = state_shape;
    own.name = "conv_lstm_cell";
    own.dtype = kt_layer_policy(l);
    own.activity_regularizer = NULL; /* the layer's, once for the sequence */
    const kt_status st = rnn_init_own(l, kt_layer_new(cell, &own), KT_AUTO);
    kt_layer_set_spec(l, (kt_input_spec){.ndim = kt_layer_rank(l) + 3});
    return st;
}

#define F(name) KT_F(kt_conv_lstm_args, name)
static const kt_field conv_lstm_fields[] = {
    F(return_sequences),
    F(return_state),
    F(go_backwards),
    F(stateful),
    F(unroll),
    F(zero_output_for_mask),
    F(filters),
    F(kernel_size),
    F(strides),
    F(padding),
    F(data_format),
    F(dilation_rate),
    F(activation),
    F(recurrent_activation),
    F(use_bias),
    F(kernel_initializer),
    F(recurrent_initializer),
    F(bias_initializer),
    F(unit_forget_bias),
    F(kernel_regularizer),
    F(recurrent_regularizer),
    F(bias_regularizer),
    F(activity_regularizer),
    F(kernel_constraint),
    F(recurrent_constraint),
    F(bias_constraint),
    F(dropout),
    F(recurrent_dropout),
    F(seed),
    KT_F_END,
};
#undef F

bool rnn_is_conv_cell(const kt_layer_class *c) { return c->call == cell_call; }

#define CLASS(rank)                                                                                \
    static const kt_layer_class cell##rank##d = {                                                  \
        .name = "ConvLSTM" #rank "DCell",                                                          \
        .args_size = sizeof(kt_conv_lstm_args),                                                    \
        .state_size = sizeof(conv_cell),                                                           \
        .fields = conv_lstm_fields,                                                                \
        .defaults = &(const kt_conv_lstm_args){KT_CONV_LSTM_DEFAULTS},                             \
        .init = cell_init,                                                                         \
        .build = cell_build,                                                                       \
        .call = cell_call,                                                                         \
        .state_sizes = cell_states,                                                                \
    };                                                                                             \
    static kt_status init##rank##d(kt_layer *l) { return layer_init(l, &cell##rank##d); }          \
    const kt_layer_class kt_class_conv_lstm##rank##d = {                                           \
        .name = "ConvLSTM" #rank "D",                                                              \
        .args_size = sizeof(kt_conv_lstm_args),                                                    \
        .state_size = sizeof(rnn_layer),                                                           \
        .fields = conv_lstm_fields,                                                                \
        .defaults = &(const kt_conv_lstm_args){KT_CONV_LSTM_DEFAULTS},                             \
        .init = init##rank##d,                                                                     \
        .build = rnn_build,                                                                        \
        .call = rnn_call,                                                                          \
        .destroy = rnn_destroy,                                                                    \
        .supports_masking = true,                                                                  \
        .computes_mask = true,                                                                     \
    };                                                                                             \
    kt_layer *kt_conv_lstm##rank##d_new(const kt_conv_lstm_args *a) {                              \
        return kt_layer_new(&kt_class_conv_lstm##rank##d, a);                                      \
    }
CLASS(1)
CLASS(2)
CLASS(3)
