/* Dense: y = activation(x . kernel + bias).  keras.layers.Dense */
#include "nn/lora.h"
#include "nn/quantize.h"

#include <keratin/layers.h>

typedef struct {
    kt_var *kernel, *bias; /* bias is NULL when use_bias is false */
    const kt_component *activation;
} dense;

static kt_status dense_init(kt_layer *l) {
    const kt_dense_args *a = kt_layer_args(l);
    dense *d = kt_layer_state(l);
    if (a->units <= 0)
        return KT_FAIL(KT_EINVAL, "units: expected a positive integer, got %d", a->units);
    kt_layer_set_spec(l, (kt_input_spec){.min_ndim = 2});
    const kt_status st = kt_lora_check(a->lora_rank, a->quantization_config);
    return st ? st : kt_layer_activation(l, &d->activation, a->activation);
}

static kt_status dense_build(kt_layer *l, const kt_shape *in) {
    const kt_dense_args *a = kt_layer_args(l);
    dense *d = kt_layer_state(l);
    const int64_t n_in = kt_shape_dim(in, -1);
    d->kernel = kt_add_weight(
        l,
        "kernel",
        {n_in, a->units},
        .initializer = a->kernel_initializer,
        .regularizer = a->kernel_regularizer,
        .constraint = a->kernel_constraint);
    if (a->use_bias)
        d->bias = kt_add_weight(
            l,
            "bias",
            {a->units},
            .initializer = a->bias_initializer,
            .regularizer = a->bias_regularizer,
            .constraint = a->bias_constraint);
    kt_layer_set_spec(l, (kt_input_spec){.min_ndim = 2, .axis = -1, .axis_dim = n_in});
    const kt_shape scales = {1, {a->units}};
    const kt_status st = kt_quant_built(l, d->kernel, 1, (const int[]){1}, &scales);
    if (st) return st;
    return kt_lora_build(l, a->lora_rank, KT_NONE_F); /* Keras forgets lora_alpha here */
}

static kt_status dense_call(kt_layer *l, kt_trace *t) {
    const dense *d = kt_layer_state(l);
    kt_sym *y = l->quant.scale ? kt_quant_product(l, "...a,ab->...b", t->in[0])
                               : kt_op_matmul(t->in[0], kt_lora_value(l, d->kernel));
    if (d->bias) y = kt_op_add(y, kt_value(d->bias));
    t->out[0] = kt_activation_apply(d->activation, y);
    return kt_check(t->out[0]);
}

#define F(name) KT_F(kt_dense_args, name) /* name, offset and type (by _Generic) in one word */
static const kt_field dense_fields[] = {
    F(units),
    F(activation),
    F(use_bias),
    F(kernel_initializer),
    F(bias_initializer),
    F(kernel_regularizer),
    F(bias_regularizer),
    F(activity_regularizer),
    F(kernel_constraint),
    F(bias_constraint),
    F(lora_rank),
    F(lora_alpha),
    F(quantization_config),
    KT_F_END,
};
#undef F

const kt_layer_class kt_class_dense = {
    .name = "Dense",
    .args_size = sizeof(kt_dense_args),
    .state_size = sizeof(dense),
    .fields = dense_fields,
    .defaults = &(const kt_dense_args){KT_DENSE_DEFAULTS},
    .init = dense_init,
    .build = dense_build,
    .call = dense_call,
    .supports_masking = true,
};

kt_layer *kt_dense_new(const kt_dense_args *a) { return kt_layer_new(&kt_class_dense, a); }
