/* GroupQueryAttention: attention in which several heads of queries share a head of keys and values.
 * keras.layers.GroupQueryAttention (whose class name is GroupedQueryAttention)
 *
 * Keys and values are repeated for the heads that share them. */
#include "nn/layers/attend.h"

#include <keratin/layers.h>

#include <math.h>

static kt_status gqa_init(kt_layer *l) {
    const kt_group_query_attention_args *a = kt_layer_args(l);
    kt_attend_state *d = kt_layer_state(l);
    const struct {
        const char *name;
        int value;
    } sizes[] = {
        {"head_dim", a->head_dim},
        {"num_query_heads", a->num_query_heads},
        {"num_key_value_heads", a->num_key_value_heads}};
    for (int i = 0; i < 3; i++)
        if (sizes[i].value <= 0)
            return KT_FAIL(
                KT_EINVAL,
                "%s: expected a positive integer, got %d",
                sizes[i].name,
                sizes[i].value);
    if (a->num_query_heads % a->num_key_value_heads)
        return KT_FAIL(
            KT_EINVAL,
            "num_query_heads must be divisible by num_key_value_heads, got %d and %d",
            a->num_query_heads,
            a->num_key_value_heads);
    d->how = (kt_attend_how){
        .scale = 1 / sqrt(a->head_dim),
        .dropout = a->dropout,
        .seed = a->seed,
        .sliding_window = a->sliding_window,
        .flash = a->flash_attention == true,
        .n_axes = 1,
        .axes = {1},
    };
    kt_layer_set_spec(l, (kt_input_spec){.ndim = 3});
    return kt_attend_check(a->sliding_window, a->flash_attention, a->dropout);
}

static kt_layer *gqa_part(
    kt_layer *l,
    const char *attribute,
    const char *name,
    const char *activation,
    const char *equation,
    const char *bias,
    kt_shape in,
    const int64_t *out) {
    const kt_group_query_attention_args *a = kt_layer_args(l);
    const kt_einsum_dense_args e = {
        KT_PROJECTION_ARGS(a),
        .equation = equation,
        .output_shape = {KT_NONE, out[0], out[1]},
        .activation = activation,
        .bias_axes = a->use_bias ? bias : NULL,
        .name = name,
    };
    return kt_attend_projection(l, attribute, e, &in);
}

static kt_status gqa_build(kt_layer *l, const kt_shape *in) {
    const kt_group_query_attention_args *a = kt_layer_args(l);
    kt_attend_state *d = kt_layer_state(l);
    const int64_t queries[2] = {a->num_query_heads, a->head_dim},
                  keys[2] = {a->num_key_value_heads, a->head_dim}, out[2] = {in[0].dim[2], 0};
    const kt_status st = kt_attend_shapes(l, in);
    if (st) return st;
    if (in[0].dim[2] != in[1].dim[2])
        return KT_FAIL(
            KT_ESHAPE,
            "the last dimension of query and value must be equal, got %lld and %lld",
            (long long)in[0].dim[2],
            (long long)in[1].dim[2]);
    const kt_shape context = {4, {in[0].dim[0], in[0].dim[1], queries[0], queries[1]}};
    d->query = gqa_part(l, "_query_dense", "query", NULL, "bqm,muh->bquh", "uh", in[0], queries);
    d->key = gqa_part(
        l, "_key_dense", "key", NULL, "bkm,mvh->bkvh", "vh", l->n_inputs > 2 ? in[2] : in[1], keys);
    if (a->use_gate)
        d->gate = gqa_part(
            l, "_gate_dense", "gate", "sigmoid", "bqm,muh->bquh", "uh", in[0], queries);
    d->value = gqa_part(l, "_value_dense", "value", NULL, "bkm,mvh->bkvh", "vh", in[1], keys);
    d->output = gqa_part(
        l, "_output_dense", "attention_output", NULL, "bquh,uhm->bqm", "m", context, out);
    return kt_attend_built(l);
}

/* (batch, keys, heads, dim): each head n times. */
static kt_sym *repeat_heads(kt_sym *x, int n) {
    kt_shape s = kt_sym_shape(x);
    if (n == 1 || kt_failed(x)) return x;
    x = kt_op_broadcast_to(
        kt_op_expand_dims(x, 3), kt_dims(s.dim[0], s.dim[1], s.dim[2], n, s.dim[3]));
    s.dim[2] *= n;
    return kt_op_reshape(x, s);
}

static kt_status gqa_call(kt_layer *l, kt_trace *t) {
    const kt_group_query_attention_args *a = kt_layer_args(l);
    const kt_attend_state *d = kt_layer_state(l);
    const int n = a->num_query_heads / a->num_key_value_heads;
    kt_sym *const qkv[3] = {
        kt_call(d->query, t->in[0]),
        repeat_heads(kt_call(d->key, t->n_in > 2 ? t->in[2] : t->in[1]), n),
        repeat_heads(kt_call(d->value, t->in[1]), n)};
    return kt_attend_call(l, t, qkv);
}

#define F(name) KT_F(kt_group_query_attention_args, name)
static const kt_field gqa_fields[] = {
    F(head_dim),
    F(num_query_heads),
    F(num_key_value_heads),
    F(dropout),
    F(use_bias),
    F(sliding_window),
    F(flash_attention),
    F(kernel_initializer),
    F(bias_initializer),
    F(kernel_regularizer),
    F(bias_regularizer),
    F(activity_regularizer),
    F(kernel_constraint),
    F(bias_constraint),
    F(use_gate),
    F(seed),
    KT_F_END,
};
#undef F

const kt_layer_class kt_class_group_query_attention = {
    .name = "GroupedQueryAttention",
    .args_size = sizeof(kt_group_query_attention_args),
    .state_size = sizeof(kt_attend_state),
    .fields = gqa_fields,
    .defaults = &(const kt_group_query_attention_args){KT_GROUP_QUERY_ATTENTION_DEFAULTS},
    .init = gqa_init,
    .build = gqa_build,
    .call = gqa_call,
    .min_inputs = 2,
    .max_inputs = 3,
    .supports_masking = true,
    .computes_mask = true,
    .attends = true,
};

kt_layer *kt_group_query_attention_new(const kt_group_query_attention_args *a) {
    return kt_layer_new(&kt_class_group_query_attention, a);
}
