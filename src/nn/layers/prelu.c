/* PReLU: x, or alpha x where x is negative; alpha is learned, one number per element of a sample.
 * keras.layers.PReLU
 *
 * max(x, 0) - alpha max(-x, 0), as Keras writes it: both gradients are 0 at 0. */
#include "nn/axes.h"
#include "nn/layer.h"

#include <keratin/layers.h>

typedef struct {
    kt_var *alpha;
} prelu;

/* The axes along which alpha has length 1, as bits. */
static kt_status prelu_shared(const kt_prelu_args *a, const kt_shape *in, int *bits) {
    int axes[KT_MAX_RANK];
    char s[KT_SHAPE_STR];
    const int n = kt_axes_list(a->shared_axes, axes);
    *bits = 0;
    for (int i = 0; i < n; i++) {
        if (axes[i] <= 0 || axes[i] >= in->ndim) {
            KT_FAIL(KT_EINVAL, "shared_axes: axis %d is out of range", axes[i]);
            kt_error_expected("axes from 1 to %d (0 is the batch)", in->ndim - 1);
            return kt_error_got("an input of shape %s", kt_shape_str(in, s, sizeof s));
        }
        *bits |= 1 << axes[i];
    }
    return KT_OK;
}

static kt_status prelu_build(kt_layer *l, const kt_shape *in) {
    const kt_prelu_args *a = kt_layer_args(l);
    prelu *d = kt_layer_state(l);
    kt_weight_args w = {
        .size = sizeof w,
        .layer = l,
        .name = "alpha",
        .shape = {KT_SCALAR},
        .initializer = a->alpha_initializer,
        .regularizer = a->alpha_regularizer,
        .constraint = a->alpha_constraint,
        .trainable = true,
        .autocast = true,
    };
    int shared;
    const kt_status st = prelu_shared(a, in, &shared);
    if (st) return st;
    for (int i = 1; i < in->ndim; i++) w.shape[i - 1] = shared >> i & 1 ? 1 : in->dim[i];
    d->alpha = kt_add_weight_with(&w);
    kt_layer_set_spec(l, (kt_input_spec){.ndim = in->ndim});
    return kt_check(l);
}

static kt_status prelu_call(kt_layer *l, kt_trace *t) {
    const prelu *d = kt_layer_state(l);
    kt_sym *low = kt_op_relu(kt_op_negative(t->in[0]));
    low = kt_op_multiply(low, kt_value(d->alpha));
    t->out[0] = kt_op_subtract(kt_op_relu(t->in[0]), low);
    return kt_check(t->out[0]);
}

#define F(name) KT_F(kt_prelu_args, name)
static const kt_field prelu_fields[] = {
    F(alpha_initializer), F(alpha_regularizer), F(alpha_constraint), F(shared_axes), KT_F_END};
#undef F

const kt_layer_class kt_class_prelu = {
    .name = "PReLU",
    .args_size = sizeof(kt_prelu_args),
    .state_size = sizeof(prelu),
    .fields = prelu_fields,
    .defaults = &(const kt_prelu_args){KT_PRELU_DEFAULTS},
    .build = prelu_build,
    .call = prelu_call,
    .supports_masking = true,
};

kt_layer *kt_prelu_new(const kt_prelu_args *a) { return kt_layer_new(&kt_class_prelu, a); }
