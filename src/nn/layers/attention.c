/* Attention: softmax(scores of query and key) value.  keras.layers.Attention, AdditiveAttention
 *
 * Scores:  Attention            query . key, times scale with use_scale
 *          Attention "concat"   concat_score_weight sum tanh(scale (query + key))
 *          AdditiveAttention    sum scale tanh(query + key), one scale for each feature
 *
 * Inputs are query, value and (or value again) key; masks those of query and value. */
#include "nn/layers/attend.h"

#include <keratin/layers.h>

#include <string.h>

/* taken off scores that are left out, as in Keras; float16 ends before */
#define MASKED(x) (kt_sym_dtype(x) == KT_FLOAT16 ? 65504 : 1e9)

typedef struct {
    kt_var *scale, *concat_score_weight; /* NULL where not used */
} attention;

typedef struct {
    double dropout;
    int64_t seed;
} attention_dropout;

static kt_status dropout_check(double dropout) {
    if (dropout >= 0 && dropout <= 1) return KT_OK;
    return KT_FAIL(KT_EINVAL, "dropout: expected a number between 0 and 1, got %g", dropout);
}

static bool is_concat(const kt_attention_args *a) { return !strcmp(a->score_mode, "concat"); }

static kt_status attention_init(kt_layer *l) {
    const kt_attention_args *a = kt_layer_args(l);
    kt_layer_set_spec(l, (kt_input_spec){.min_ndim = 3});
    if (a->score_mode && (!strcmp(a->score_mode, "dot") || is_concat(a)))
        return dropout_check(a->dropout);
    KT_FAIL(
        KT_EINVAL, "score_mode: unknown value \"%.60s\"", a->score_mode ? a->score_mode : "None");
    return kt_error_expected("\"dot\" or \"concat\"");
}

static kt_status attention_build(kt_layer *l, const kt_shape *in) {
    const kt_attention_args *a = kt_layer_args(l);
    attention *d = kt_layer_state(l);
    (void)in;
    if (a->use_scale) d->scale = kt_add_weight(l, "scale", {KT_SCALAR}, .initializer = "ones");
    if (is_concat(a))
        d->concat_score_weight = kt_add_weight(
            l, "concat_score_weight", {KT_SCALAR}, .initializer = "ones");
    return kt_check(l);
}

static kt_sym *swapped(kt_sym *x) {
    kt_shape axes = kt_sym_shape(x);
    const int n = axes.ndim;
    for (int i = 0; i < n; i++) axes.dim[i] = i < n - 2 ? i : 2 * n - 3 - i;
    return kt_op_transpose(x, axes);
}

/* query i + key j: (…, queries, keys, features) */
static kt_sym *pairs(kt_sym *query, kt_sym *key) {
    return kt_op_add(kt_op_expand_dims(query, -2), kt_op_expand_dims(key, -3));
}

/* Which query sees which key; NULL: every one. */
static kt_sym *score_mask(const kt_trace *t) {
    kt_sym *m = t->in_mask && t->in_mask[1] ? kt_op_expand_dims(t->in_mask[1], -2) : NULL;
    if (!t->use_causal_mask) return m;
    const kt_shape q = kt_sym_shape(t->in[0]), v = kt_sym_shape(t->in[1]);
    return kt_both_masks(m, kt_causal_mask(kt_shape_dim(&q, -2), kt_shape_dim(&v, -2)));
}

static kt_status apply_scores(
    kt_layer *l, kt_trace *t, kt_sym *scores, const attention_dropout *d) {
    kt_sym *mask = score_mask(t), *query_mask = t->in_mask ? t->in_mask[0] : NULL;
    if (t->attention_mask)
        return KT_FAIL(KT_EINVAL, "attention_mask: %s takes none; use masks", l->class_name);
    if (mask) scores = kt_op_where(mask, scores, kt_op_subtract(scores, kt_num(MASKED(scores))));
    kt_sym *weights = kt_op_softmax(scores, -1);
    if (t->training && d->dropout == 1) weights = kt_op_multiply(weights, kt_num(0));
    if (t->training && d->dropout > 0 && d->dropout < 1)
        weights = kt_random_dropout(l, weights, d->dropout, d->seed);
    kt_sym *y = kt_op_matmul(weights, t->in[1]);
    if (query_mask) y = kt_op_where(kt_op_expand_dims(query_mask, -1), y, kt_num(0));
    t->out[0] = y;
    t->out_mask[0] = query_mask;
    if (t->return_attention_scores) {
        t->out[1] = weights;
        t->n_out = 2;
    }
    return kt_check(y);
}

static kt_status attention_call(kt_layer *l, kt_trace *t) {
    const kt_attention_args *a = kt_layer_args(l);
    const attention *d = kt_layer_state(l);
    kt_sym *key = t->n_in > 2 ? t->in[2] : t->in[1], *scores;
    if (is_concat(a)) {
        kt_sym *sum = pairs(t->in[0], key);
        if (d->scale) sum = kt_op_multiply(kt_value(d->scale), sum);
        scores = kt_op_multiply(
            kt_value(d->concat_score_weight), kt_op_sum(kt_op_tanh(sum), -1, false));
    } else {
        scores = kt_op_matmul(t->in[0], swapped(key));
        if (d->scale) scores = kt_op_multiply(scores, kt_value(d->scale));
    }
    return apply_scores(l, t, scores, &(attention_dropout){a->dropout, a->seed});
}

#define F(name) KT_F(kt_attention_args, name)
static const kt_field attention_fields[] = {
    F(use_scale), F(score_mode), F(dropout), F(seed), KT_F_END};
#undef F

const kt_layer_class kt_class_attention = {
    .name = "Attention",
    .args_size = sizeof(kt_attention_args),
    .state_size = sizeof(attention),
    .fields = attention_fields,
    .defaults = &(const kt_attention_args){KT_ATTENTION_DEFAULTS},
    .init = attention_init,
    .build = attention_build,
    .call = attention_call,
    .min_inputs = 2,
    .max_inputs = 3,
    .supports_masking = true,
    .computes_mask = true,
    .attends = true,
};

kt_layer *kt_attention_new(const kt_attention_args *a) {
    return kt_layer_new(&kt_class_attention, a);
}

/* AdditiveAttention
 * --------------------------------------------------------------------------------- */

static kt_status additive_attention_init(kt_layer *l) {
    const kt_additive_attention_args *a = kt_layer_args(l);
    kt_layer_set_spec(l, (kt_input_spec){.min_ndim = 3});
    return dropout_check(a->dropout);
}

static kt_status additive_attention_build(kt_layer *l, const kt_shape *in) {
    const kt_additive_attention_args *a = kt_layer_args(l);
    attention *d = kt_layer_state(l);
    if (a->use_scale)
        d->scale = kt_add_weight(
            l, "scale", {kt_shape_dim(in, -1)}, .initializer = "glorot_uniform");
    return kt_check(l);
}

static kt_status additive_attention_call(kt_layer *l, kt_trace *t) {
    const kt_additive_attention_args *a = kt_layer_args(l);
    const attention *d = kt_layer_state(l);
    kt_sym *sum = kt_op_tanh(pairs(t->in[0], t->n_in > 2 ? t->in[2] : t->in[1]));
    if (d->scale) sum = kt_op_multiply(kt_value(d->scale), sum);
    const attention_dropout drop = {a->dropout, KT_NONE};
    return apply_scores(l, t, kt_op_sum(sum, -1, false), &drop);
}

#define F(name) KT_F(kt_additive_attention_args, name)
static const kt_field additive_attention_fields[] = {F(use_scale), F(dropout), KT_F_END};
#undef F

const kt_layer_class kt_class_additive_attention = {
    .name = "AdditiveAttention",
    .args_size = sizeof(kt_additive_attention_args),
    .state_size = sizeof(attention),
    .fields = additive_attention_fields,
    .defaults = &(const kt_additive_attention_args){KT_ADDITIVE_ATTENTION_DEFAULTS},
    .init = additive_attention_init,
    .build = additive_attention_build,
    .call = additive_attention_call,
    .min_inputs = 2,
    .max_inputs = 3,
    .supports_masking = true,
    .computes_mask = true,
    .attends = true,
};

kt_layer *kt_additive_attention_new(const kt_additive_attention_args *a) {
    return kt_layer_new(&kt_class_additive_attention, a);
}
