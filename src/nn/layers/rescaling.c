/* Rescaling: x * scale + offset, in the layer's dtype.  keras.layers.Rescaling */
#include "nn/layer.h"

#include <keratin/layers.h>

#include <math.h>

static kt_status check(const char *what, double number, kt_floats_t list) {
    for (int i = 0; i < list.n && isfinite(number); i++) number = list.v[i];
    if (isfinite(number)) return KT_OK;
    return KT_FAIL(KT_EINVAL, "%s: expected finite numbers, got %g", what, number);
}

static kt_status rescaling_init(kt_layer *l) {
    const kt_rescaling_args *a = kt_layer_args(l);
    const kt_status st = check("scale", a->scale, a->scales);
    return st ? st : check("offset", a->offset, a->offsets);
}

static kt_status rescaling_build(kt_layer *l, const kt_shape *in) {
    const kt_rescaling_args *a = kt_layer_args(l);
    const int64_t channels = kt_shape_dim(in, -1);
    const int n[] = {a->scales.n, a->offsets.n};
    for (int i = 0; i < 2; i++) {
        if (n[i] <= 1 || n[i] == channels || channels == 1) continue;
        KT_FAIL(KT_ESHAPE, "%s do not fit the input", i ? "offsets" : "scales");
        kt_error_expected("%lld numbers, one for each channel", (long long)channels);
        return kt_error_got("%d", n[i]);
    }
    return KT_OK;
}

/* A number, or one for each channel. */
static kt_sym *numbers(double number, kt_floats_t list, kt_sym *like) {
    if (!list.n) return kt_num(number);
    kt_graph *g = kt_tracer_current()->g;
    kt_val *v = kt_g_array(g, list.v, (kt_spec){KT_FLOAT64, {1, {list.n}}});
    return kt_wrap(kt_g_cast(g, v, kt_sym_dtype(like)));
}

static kt_status rescaling_call(kt_layer *l, kt_trace *t) {
    const kt_rescaling_args *a = kt_layer_args(l);
    kt_sym *x = kt_op_cast(t->in[0], kt_dtype_name(kt_layer_dtype(l)));
    if (kt_failed(x)) return kt_check(x);
    x = kt_op_multiply(x, numbers(a->scale, a->scales, x));
    t->out[0] = kt_failed(x) ? x : kt_op_add(x, numbers(a->offset, a->offsets, x));
    return kt_check(t->out[0]);
}

#define F(name) KT_F(kt_rescaling_args, name)
static const kt_field rescaling_fields[] = {F(scale), F(offset), F(scales), F(offsets), KT_F_END};
#undef F

const kt_layer_class kt_class_rescaling = {
    .name = "Rescaling",
    .args_size = sizeof(kt_rescaling_args),
    .fields = rescaling_fields,
    .init = rescaling_init,
    .build = rescaling_build,
    .call = rescaling_call,
    .supports_masking = true,
};

kt_layer *kt_rescaling_new(const kt_rescaling_args *a) {
    return kt_layer_new(&kt_class_rescaling, a);
}
