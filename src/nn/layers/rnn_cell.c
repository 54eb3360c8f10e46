/* What SimpleRNNCell, GRUCell and LSTMCell have in common: arguments, weights, dropout.
 *
 * Dropout masks belong to a call of the whole sequence: while the loop of rnn.c runs, the masks of
 * the first step serve all others, as in Keras. */
#include "nn/layers/rnn.h"

#include <string.h>

static double rate_of(double rate) { return rate < 0 ? 0 : rate > 1 ? 1 : rate; }

kt_status rnn_cell_init(kt_layer *l, const rnn_cell_args *a) {
    rnn_cell *c = kt_layer_state(l);
    if (a->units <= 0)
        return KT_FAIL(KT_EINVAL, "units: expected a positive integer, got %d", a->units);
    if (!(a->dropout == a->dropout) || !(a->recurrent_dropout == a->recurrent_dropout))
        return KT_FAIL(KT_EINVAL, "dropout: expected numbers from 0 to 1, got NaN");
    c->units = a->units;
    c->dropout = rate_of(a->dropout);
    c->recurrent_dropout = rate_of(a->recurrent_dropout);
    c->seed = a->seed;
    kt_layer_set_spec(l, (kt_input_spec){.min_ndim = 2});
    kt_status st = kt_layer_activation(l, &c->activation, a->activation);
    if (st == KT_OK) st = kt_layer_activation(l, &c->recurrent_activation, a->recurrent_activation);
    return st;
}

kt_status rnn_cell_build(kt_layer *l, const kt_shape *in, const rnn_cell_args *a) {
    rnn_cell *c = kt_layer_state(l);
    const int64_t n_in = kt_shape_dim(in, -1), wide = (int64_t)a->units * a->gates;
    c->kernel = kt_add_weight(
        l,
        "kernel",
        {n_in, wide},
        .initializer = a->kernel_initializer,
        .regularizer = a->kernel_regularizer,
        .constraint = a->kernel_constraint);
    c->recurrent = kt_add_weight(
        l,
        "recurrent_kernel",
        {a->units, wide},
        .initializer = a->recurrent_initializer,
        .regularizer = a->recurrent_regularizer,
        .constraint = a->recurrent_constraint);
    if (a->use_bias)
        c->bias = kt_add_weight(
            l,
            "bias",
            {a->bias[0], a->bias[1]},
            .initializer = a->bias_initializer,
            .regularizer = a->bias_regularizer,
            .constraint = a->bias_constraint);
    kt_layer_set_spec(l, (kt_input_spec){.min_ndim = 2, .axis = -1, .axis_dim = n_in});
    return kt_check(l);
}

kt_status rnn_cell_check(const kt_layer *l, const kt_trace *t) {
    int64_t size[RNN_MAX_STATES];
    const int n = l->cls->state_sizes(l, size);
    if (t->n_initial_state == n) return KT_OK;
    KT_FAIL(KT_EINVAL, "a cell needs its states");
    kt_error_expected("%d in initial_state", n);
    return kt_error_got("%d", t->n_initial_state);
}

static kt_sym *make_mask(kt_layer *l, kt_sym *x, double rate) {
    kt_graph *g = kt_tracer_current()->g;
    const rnn_cell *c = kt_layer_state(l);
    const kt_val *v = kt_unwrap(x, NULL);
    if (!v) return kt_fail_object(g->status);
    if (rate >= 1) return kt_wrap(kt_g_const(g, 0, v->spec));
    return kt_random_dropout(l, kt_wrap(kt_g_const(g, 1, v->spec)), rate, c->seed);
}

kt_sym *rnn_cell_drop(kt_layer *l, int which, int i, kt_sym *x, bool training) {
    rnn_cell *c = kt_layer_state(l);
    const double rate = which ? c->recurrent_dropout : c->dropout;
    if (!training || rate <= 0) return x;
    kt_sym *mask = c->looping ? c->drop[which][i] : NULL;
    if (!mask) mask = make_mask(l, x, rate);
    if (c->looping) c->drop[which][i] = mask;
    return kt_op_multiply(x, mask);
}

kt_sym *rnn_cell_drop_all(kt_layer *l, int i, kt_sym *x) {
    rnn_cell *c = kt_layer_state(l);
    kt_spec step = {kt_sym_dtype(x), kt_sym_shape(x)};
    for (int k = 0; k + 1 < step.shape.ndim; k++) step.shape.dim[k] = step.shape.dim[k + 1];
    step.shape.ndim--;
    if (!c->drop[0][i])
        c->drop[0][i] = make_mask(
            l, kt_wrap(kt_g_const(kt_tracer_current()->g, 1, step)), c->dropout);
    return kt_op_multiply(x, c->drop[0][i]);
}

bool rnn_activation_is(const kt_component *c, const char *name) {
    return c && !strcmp(c->cls->name, name);
}

static kt_val *value_of(kt_sym *x) { return x ? kt_unwrap(x, NULL) : NULL; }

void rnn_run_sequence(kt_layer *l, rnn_kind kind, kt_sym *bias, kt_sym *bias_r, rnn_sequence *s) {
    const rnn_cell *c = kt_layer_state(l);
    kt_graph *g = kt_tracer_current()->g;
    kt_sym *x = s->x;
    kt_val *end[2] = {NULL, NULL};
    if (s->training && c->dropout > 0) { /* one mask for all time steps */
        const kt_shape in = kt_sym_shape(x);
        const kt_spec step = {kt_sym_dtype(x), {3, {in.dim[0], 1, in.dim[2]}}};
        x = kt_op_multiply(x, make_mask(l, kt_wrap(kt_g_const(g, 1, step)), c->dropout));
    }
    const kt_rnn_in in = {
        .x = value_of(x),
        .kernel = value_of(kt_value(c->kernel)),
        .r = value_of(kt_value(c->recurrent)),
        .bias = value_of(bias),
        .bias_r = value_of(bias_r),
        .state = {value_of(s->state[0]), kind == RNN_LSTM ? value_of(s->state[1]) : NULL},
        .mask = s->mask};
    s->y = kt_wrap(g->status ? NULL : kt_g_rnn(g, kind, &in, &s->attrs, end));
    for (int i = 0; i < (kind == RNN_LSTM ? 2 : 1); i++) s->state[i] = kt_wrap(end[i]);
}

kt_sym *rnn_gate(kt_sym *x, int i, int units) {
    return kt_op_slice(x, -1, (int64_t)i * units, (int64_t)(i + 1) * units);
}
