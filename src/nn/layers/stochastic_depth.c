/* StochasticDepth: while training, whole samples are dropped.  keras.applications: ConvNeXt */
#include "nn/layers/noise.h"

#include <keratin/layers.h>

static kt_status stochastic_depth_init(kt_layer *l) {
    return kt_rate_check(((const kt_stochastic_depth_args *)kt_layer_args(l))->drop_path_rate);
}

static kt_status stochastic_depth_call(kt_layer *l, kt_trace *t) {
    const kt_stochastic_depth_args *a = kt_layer_args(l);
    kt_shape noise = kt_sym_shape(t->in[0]);
    for (int i = 1; i < noise.ndim; i++) noise.dim[i] = 1;
    t->out[0] = t->in[0];
    if (t->training && a->drop_path_rate > 0)
        t->out[0] = kt_dropout_shared(l, t->in[0], noise, a->drop_path_rate, KT_NONE);
    return kt_check(t->out[0]);
}

static const kt_field stochastic_depth_fields[] = {
    KT_F(kt_stochastic_depth_args, drop_path_rate), KT_F_END};

const kt_layer_class kt_class_stochastic_depth = {
    .name = "StochasticDepth",
    .args_size = sizeof(kt_stochastic_depth_args),
    .fields = stochastic_depth_fields,
    .init = stochastic_depth_init,
    .call = stochastic_depth_call,
};

kt_layer *kt_stochastic_depth_new(const kt_stochastic_depth_args *a) {
    return kt_layer_new(&kt_class_stochastic_depth, a);
}
