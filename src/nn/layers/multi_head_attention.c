/* MultiHeadAttention: queries look for keys and take the mean of the values, in several heads at
 * once.  keras.layers.MultiHeadAttention
 *
 *   out = W_out softmax(mask, (W_q query)(W_k key)^T / sqrt(key_dim)) W_v value
 *
 * The projections are EinsumDense layers named query, key, value, attention_output (and gate), so
 * weights have Keras' shapes and paths. */
#include "nn/axes.h"
#include "nn/layers/attend.h"

#include <keratin/layers.h>

#include <math.h>

static kt_status mha_init(kt_layer *l) {
    const kt_multi_head_attention_args *a = kt_layer_args(l);
    kt_attend_state *d = kt_layer_state(l);
    if (a->num_heads <= 0)
        return KT_FAIL(KT_EINVAL, "num_heads: expected a positive integer, got %d", a->num_heads);
    if (a->key_dim <= 0)
        return KT_FAIL(KT_EINVAL, "key_dim: expected a positive integer, got %d", a->key_dim);
    if (a->value_dim < 0)
        return KT_FAIL(
            KT_EINVAL, "value_dim: expected a positive integer or None, got %d", a->value_dim);
    l->activity_regularizer = NULL; /* it is one of the projections, not of what they make */
    d->how = (kt_attend_how){
        .scale = 1 / sqrt(a->key_dim),
        .dropout = a->dropout,
        .seed = a->seed,
        .sliding_window = a->sliding_window,
        .flash = a->flash_attention == true,
    };
    kt_layer_set_spec(l, (kt_input_spec){.min_ndim = 3, .max_ndim = KT_MAX_RANK - 1});
    return kt_attend_check(a->sliding_window, a->flash_attention, a->dropout);
}

/* "abc,cde->abde": `bound` axes at the end are summed over, `made` new ones come. */
static void projection_equation(int ndim, int bound, int made, char *equation, char *bias) {
    char *p = equation;
    for (int i = 0; i < ndim; i++) *p++ = (char)('a' + i);
    *p++ = ',';
    for (int i = ndim - bound; i < ndim + made; i++) *p++ = (char)('a' + i);
    *p++ = '-';
    *p++ = '>';
    for (int i = 0; i < ndim - bound; i++) *p++ = (char)('a' + i);
    for (int i = 0; i < made; i++) *p++ = bias[i] = (char)('a' + ndim + i);
    *p = bias[made] = 0;
}

/* A projection of inputs of a shape whose last `bound` axes go, to `made` axes. */
static kt_layer *projection(
    kt_layer *l,
    const char *attribute,
    const char *name,
    const char *activation,
    const kt_shape *in,
    int bound,
    const kt_shape *made) {
    const kt_multi_head_attention_args *a = kt_layer_args(l);
    char equation[4 * KT_MAX_RANK], bias[KT_MAX_RANK + 1];
    projection_equation(in->ndim, bound, made->ndim, equation, bias);
    kt_einsum_dense_args e = {
        KT_PROJECTION_ARGS(a),
        .equation = equation,
        .activation = activation,
        .bias_axes = a->use_bias ? bias : NULL,
        .name = name,
    };
    int n = 0;
    for (int i = 1; i < in->ndim - bound; i++) e.output_shape[n++] = KT_NONE;
    for (int i = 0; i < made->ndim; i++) e.output_shape[n++] = made->dim[i];
    return kt_attend_projection(l, attribute, e, in);
}

static kt_status mha_axes(kt_layer *l, int query_ndim) {
    const kt_multi_head_attention_args *a = kt_layer_args(l);
    kt_attend_how *how = &((kt_attend_state *)kt_layer_state(l))->how;
    int axes[KT_MAX_RANK], bits = 0;
    int n = kt_axes_list(a->attention_axes, axes);
    for (int i = 0; i < n; i++) { /* of the projected queries, which have one axis more */
        const int at = axes[i] < 0 ? query_ndim + axes[i] : axes[i];
        if (at < 1 || at > query_ndim - 2)
            return KT_FAIL(
                KT_EINVAL,
                "attention_axes: axis %d is out of range for a query of %d axes",
                axes[i],
                query_ndim);
        bits |= 1 << at;
    }
    if (n == 0) bits = (1 << (query_ndim - 1)) - 2;
    how->n_axes = 0;
    for (int i = 0; i < query_ndim; i++)
        if (bits >> i & 1) how->axes[how->n_axes++] = i;
    return KT_OK;
}

static kt_status mha_build(kt_layer *l, const kt_shape *in) {
    const kt_multi_head_attention_args *a = kt_layer_args(l);
    kt_attend_state *d = kt_layer_state(l);
    const kt_shape key = l->n_inputs > 2 ? in[2] : in[1], value = in[1];
    const int64_t value_dim = a->value_dim ? a->value_dim : a->key_dim;
    const kt_shape keys = {2, {a->num_heads, a->key_dim}}, values = {2, {a->num_heads, value_dim}};
    kt_shape output = kt_shape_of_field(a->output_shape), context = in[0];
    if (!output.ndim) output = (kt_shape){1, {kt_shape_dim(&in[0], -1)}};
    kt_status st = kt_attend_shapes(l, in);
    if (st == KT_OK && in[0].ndim != in[1].ndim)
        st = KT_FAIL(
            KT_ESHAPE,
            "query and value: expected as many axes, got %d and %d",
            in[0].ndim,
            in[1].ndim);
    if (st == KT_OK && in[0].ndim - 1 + output.ndim > KT_MAX_RANK - 1)
        st = KT_FAIL(KT_ELIMIT, "output_shape: too many axes");
    if (st == KT_OK) st = mha_axes(l, in[0].ndim);
    if (st) return st;
    context.dim[context.ndim - 1] = a->num_heads;
    context.dim[context.ndim++] = value_dim;
    d->query = projection(l, "query_dense", "query", NULL, &in[0], 1, &keys);
    d->key = projection(l, "key_dense", "key", NULL, &key, 1, &keys);
    d->gate = a->use_gate ? projection(l, "_gate_dense", "gate", "sigmoid", &in[0], 1, &values)
                          : NULL;
    d->value = projection(l, "value_dense", "value", NULL, &value, 1, &values);
    d->output = projection(l, "output_dense", "attention_output", NULL, &context, 2, &output);
    return kt_attend_built(l);
}

static kt_status mha_call(kt_layer *l, kt_trace *t) {
    const kt_attend_state *d = kt_layer_state(l);
    kt_sym *const qkv[3] = {
        kt_call(d->query, t->in[0]),
        kt_call(d->key, t->n_in > 2 ? t->in[2] : t->in[1]),
        kt_call(d->value, t->in[1])};
    return kt_attend_call(l, t, qkv);
}

#define F(name) KT_F(kt_multi_head_attention_args, name)
static const kt_field mha_fields[] = {
    F(num_heads),
    F(key_dim),
    F(value_dim),
    F(dropout),
    F(use_bias),
    F(output_shape),
    F(attention_axes),
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

const kt_layer_class kt_class_multi_head_attention = {
    .name = "MultiHeadAttention",
    .args_size = sizeof(kt_multi_head_attention_args),
    .state_size = sizeof(kt_attend_state),
    .fields = mha_fields,
    .defaults = &(const kt_multi_head_attention_args){KT_MULTI_HEAD_ATTENTION_DEFAULTS},
    .init = mha_init,
    .build = mha_build,
    .call = mha_call,
    .min_inputs = 2,
    .max_inputs = 3,
    .supports_masking = true,
    .computes_mask = true,
    .attends = true,
};

kt_layer *kt_multi_head_attention_new(const kt_multi_head_attention_args *a) {
    return kt_layer_new(&kt_class_multi_head_attention, a);
}
