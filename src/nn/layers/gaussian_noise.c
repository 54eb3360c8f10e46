/* GaussianNoise: while training, x plus numbers of mean 0 and deviation stddev.
 * keras.layers.GaussianNoise */
#include "nn/layer.h"

#include <keratin/layers.h>

static kt_status gaussian_noise_init(kt_layer *l) {
    const kt_gaussian_noise_args *a = kt_layer_args(l);
    if (a->stddev >= 0 && a->stddev <= 1) return KT_OK;
    return KT_FAIL(KT_EINVAL, "stddev: expected a number between 0 and 1, got %g", a->stddev);
}

static kt_status gaussian_noise_call(kt_layer *l, kt_trace *t) {
    const kt_gaussian_noise_args *a = kt_layer_args(l);
    t->out[0] = t->in[0];
    if (!t->training || a->stddev == 0) return KT_OK;
    kt_sym *noise = kt_random_normal(l, kt_sym_shape(t->in[0]), a->seed);
    t->out[0] = kt_op_add(t->in[0], kt_op_multiply(noise, kt_num(a->stddev)));
    return kt_check(t->out[0]);
}

#define F(name) KT_F(kt_gaussian_noise_args, name)
static const kt_field gaussian_noise_fields[] = {F(stddev), F(seed), KT_F_END};
#undef F

const kt_layer_class kt_class_gaussian_noise = {
    .name = "GaussianNoise",
    .args_size = sizeof(kt_gaussian_noise_args),
    .fields = gaussian_noise_fields,
    .defaults = &(const kt_gaussian_noise_args){KT_GAUSSIAN_NOISE_DEFAULTS},
    .init = gaussian_noise_init,
    .call = gaussian_noise_call,
    .supports_masking = true,
};

kt_layer *kt_gaussian_noise_new(const kt_gaussian_noise_args *a) {
    return kt_layer_new(&kt_class_gaussian_noise, a);
}
