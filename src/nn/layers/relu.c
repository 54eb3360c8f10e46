/* ReLU: f(x) = max_value if x >= max_value; x if threshold <= x < max_value;
 * negative_slope (x - threshold) otherwise.  keras.layers.ReLU */
#include "nn/layer.h"

#include <keratin/layers.h>

static kt_status relu_init(kt_layer *l) {
    const kt_relu_args *a = kt_layer_args(l);
    if (a->max_value != KT_NONE_F && !(a->max_value >= 0))
        return KT_FAIL(
            KT_EINVAL, "max_value: expected None or a number >= 0, got %g", a->max_value);
    if (!(a->negative_slope >= 0))
        return KT_FAIL(
            KT_EINVAL, "negative_slope: expected a number >= 0, got %g", a->negative_slope);
    if (!(a->threshold >= 0))
        return KT_FAIL(KT_EINVAL, "threshold: expected a number >= 0, got %g", a->threshold);
    return KT_OK;
}

static kt_status relu_call(kt_layer *l, kt_trace *t) {
    const kt_relu_args *a = kt_layer_args(l);
    kt_sym *x = t->in[0], *y;
    if (a->threshold == 0 && a->negative_slope == 0) {
        y = kt_op_relu(x);
    } else {
        kt_sym *low = kt_op_multiply(
            kt_op_subtract(x, kt_num(a->threshold)), kt_num(a->negative_slope));
        y = kt_op_where(kt_op_greater_equal(x, kt_num(a->threshold)), x, low);
    }
    if (a->max_value != KT_NONE_F) y = kt_op_minimum(y, kt_num(a->max_value));
    t->out[0] = y;
    return kt_check(y);
}

#define F(name) KT_F(kt_relu_args, name)
static const kt_field relu_fields[] = {F(max_value), F(negative_slope), F(threshold), KT_F_END};
#undef F

const kt_layer_class kt_class_relu = {
    .name = "ReLU",
    .args_size = sizeof(kt_relu_args),
    .fields = relu_fields,
    .defaults = &(const kt_relu_args){KT_RELU_DEFAULTS},
    .init = relu_init,
    .call = relu_call,
    .supports_masking = true,
};

kt_layer *kt_relu_new(const kt_relu_args *a) { return kt_layer_new(&kt_class_relu, a); }
