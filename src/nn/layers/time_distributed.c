/* TimeDistributed: a layer on every time step.  keras.layers.TimeDistributed
 *
 * Time steps become rows of one larger batch, which gives the same wherever rows do not know of
 * each other. Where they do while training (batch statistics, states), the layer is called once for
 * each step, as Keras does. */
#include "nn/layers/rnn.h"

typedef struct {
    kt_layer *layer;
} time_distributed;

static kt_status time_distributed_init(kt_layer *l) {
    const kt_time_distributed_args *a = kt_layer_args(l);
    time_distributed *d = kt_layer_state(l);
    kt_layer *inner = (kt_layer *)(uintptr_t)a->layer;
    const kt_status st = kt_layer_require(inner, "layer");
    if (st) return st;
    kt_layer_set_spec(l, (kt_input_spec){.min_ndim = 3});
    d->layer = kt_add_sublayer_as(l, "layer", inner);
    return kt_failed(d->layer) ? kt_check(d->layer) : KT_OK;
}

static kt_shape without_time(kt_shape s) {
    for (int i = 1; i + 1 < s.ndim; i++) s.dim[i] = s.dim[i + 1];
    s.ndim--;
    return s;
}

static kt_status time_distributed_build(kt_layer *l, const kt_shape *in) {
    const time_distributed *d = kt_layer_state(l);
    const kt_shape step = without_time(in[0]);
    return kt_layer_ensure_built(d->layer, 1, &step);
}

static kt_status keeps_something(kt_layer *l, void *data) {
    const rnn_layer *r = rnn_of(l);
    for (int i = 0; i < l->vars.n; i++)
        if (!l->vars.v[i]->trainable) *(bool *)data = true;
    if (r && r->stateful) *(bool *)data = true;
    return KT_OK;
}

static kt_status check_mask(const kt_trace *t) {
    const kt_shape *x = &t->in[0]->spec.shape;
    if (!t->in_mask || !t->in_mask[0]) return KT_OK;
    const kt_shape *m = &t->in_mask[0]->spec.shape;
    if (m->ndim >= 2 && m->dim[0] == x->dim[0] && m->dim[1] == x->dim[1]) return KT_OK;
    char got[KT_SHAPE_STR];
    KT_FAIL(KT_ESHAPE, "the mask does not go with the input");
    kt_error_expected("(%lld, %lld, …)", (long long)x->dim[0], (long long)x->dim[1]);
    return kt_error_got("%s", kt_shape_str(m, got, sizeof got));
}

/* Keras calls the inner layer below its __call__: an activity regularizer of it is not heard. */
static kt_status call_inner(
    kt_layer *inner, const kt_trace *t, kt_val *x, kt_val *mask, kt_trace *c) {
    kt_sym *in = kt_wrap(x), *m = mask ? kt_wrap(mask) : NULL;
    kt_component *activity = inner->activity_regularizer;
    *c = (kt_trace){.n_in = 1, .in = &in, .in_mask = &m, .training = t->training};
    inner->activity_regularizer = NULL;
    const kt_status st = kt_failed(in) ? kt_check(in) : kt_layer_trace_call(inner, c);
    inner->activity_regularizer = activity;
    c->in = c->in_mask = NULL;
    return st;
}

/* [batch, time, …] as [batch time, …] */
static kt_val *fold(kt_graph *g, kt_val *x) {
    kt_shape s = x->spec.shape;
    const int64_t rows = s.dim[0] * s.dim[1];
    s = without_time(s);
    s.dim[0] = rows;
    return kt_g_reshape(g, x, s);
}

static kt_status call_folded(kt_layer *inner, kt_trace *t, kt_val *x, kt_val *mask) {
    kt_graph *g = kt_tracer_current()->g;
    kt_trace c;
    const kt_shape *in = &t->in[0]->spec.shape;
    const kt_status st = call_inner(inner, t, fold(g, x), mask ? fold(g, mask) : NULL, &c);
    for (int i = 0; i < c.n_out && st == KT_OK; i++) {
        kt_shape s = c.out[i]->spec.shape;
        if (s.ndim < 1 || s.ndim == KT_MAX_RANK)
            return KT_FAIL(KT_ESHAPE, "the inner layer gives too few or too many axes");
        for (int k = s.ndim; k-- > 1;) s.dim[k + 1] = s.dim[k];
        s.ndim++;
        s.dim[0] = in->dim[0];
        s.dim[1] = in->dim[1];
        t->out[i] = kt_wrap(kt_g_reshape(g, kt_unwrap(c.out[i], NULL), s));
    }
    t->n_out = c.n_out;
    return st;
}

static kt_status call_steps(kt_layer *inner, kt_trace *t, kt_val *x, kt_val *mask) {
    kt_graph *g = kt_tracer_current()->g;
    const int64_t n = x->spec.shape.dim[1];
    kt_val **y = kt_arena_alloc(g->arena, sizeof *y * (size_t)(n + 1));
    kt_status st = y && n <= INT32_MAX ? KT_OK : KT_ENOMEM;
    for (int64_t i = 0; i < n && st == KT_OK; i++) {
        kt_trace c;
        kt_val *m = mask ? kt_g_slice_axis(g, mask, 1, i, i + 1) : NULL;
        kt_val *step = kt_g_slice_axis(g, x, 1, i, i + 1);
        if (!step || (mask && !m)) return g->status;
        st = call_inner(inner, t, kt_g_squeeze(g, step, 1), m ? kt_g_squeeze(g, m, 1) : NULL, &c);
        if (st == KT_OK) y[i] = kt_g_expand_dims(g, kt_unwrap(c.out[0], NULL), 1);
    }
    if (st) return st;
    t->out[0] = kt_wrap(kt_g_concat(g, (int)n, y, 1));
    return kt_check(t->out[0]);
}

static kt_status time_distributed_call(kt_layer *l, kt_trace *t) {
    const time_distributed *d = kt_layer_state(l);
    kt_tracer *tr = kt_tracer_current();
    bool apart = false;
    kt_status st = check_mask(t);
    kt_val *x = kt_unwrap(t->in[0], NULL), *mask = NULL;
    if (t->in_mask && t->in_mask[0]) mask = kt_unwrap(t->in_mask[0], NULL);
    if (st || !x) return st ? st : tr->g->status;
    if (t->training) kt_layer_walk(d->layer, keeps_something, &apart);
    if (tr->inferring || x->spec.shape.dim[1] < 1) apart = false;
    return (apart ? call_steps : call_folded)(d->layer, t, x, mask);
}

static const kt_field time_distributed_fields[] = {KT_F(kt_time_distributed_args, layer), KT_F_END};

const kt_layer_class kt_class_time_distributed = {
    .name = "TimeDistributed",
    .args_size = sizeof(kt_time_distributed_args),
    .state_size = sizeof(time_distributed),
    .fields = time_distributed_fields,
    .defaults = &(const kt_time_distributed_args){KT_TIME_DISTRIBUTED_DEFAULTS},
    .init = time_distributed_init,
    .build = time_distributed_build,
    .call = time_distributed_call,
    .supports_masking = true,
};

kt_layer *kt_time_distributed_new(const kt_time_distributed_args *a) {
    return kt_layer_new(&kt_class_time_distributed, a);
}
