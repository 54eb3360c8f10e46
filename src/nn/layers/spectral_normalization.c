/* SpectralNormalization: another layer, whose kernel is divided by its largest singular value
 * before each call in training.  keras.layers.SpectralNormalization
 *
 *     v = |u W^T|, u = |v W|  (power_iterations times; |x|: x by its length)     W = W / (v W u^T)
 *
 * W is the kernel as (…, outputs). The new kernel is assigned: the gradient is that of the kernel
 * as it then is and takes no part of the division, as in Keras on TensorFlow, and the update starts
 * from it. The kernel is a weight of both layers, so files have it twice. */
#include "nn/layer.h"

#include <keratin/initializers.h>
#include <keratin/layers.h>
#include <keratin/ops_norms.h>

#include <string.h>

typedef struct {
    kt_layer *layer;
    kt_var *kernel, *vector_u;
} spectral;

static kt_status spectral_init(kt_layer *l) {
    const kt_spectral_normalization_args *a = kt_layer_args(l);
    spectral *d = kt_layer_state(l);
    kt_layer *inner = (kt_layer *)(uintptr_t)a->layer;
    const kt_status st = kt_layer_require(inner, "layer");
    if (st) return st;
    if (a->power_iterations <= 0)
        return KT_FAIL(
            KT_EINVAL,
            "power_iterations: expected a positive integer, got %d",
            a->power_iterations);
    d->layer = kt_add_sublayer_as(l, "layer", inner);
    return kt_failed(d->layer) ? kt_check(d->layer) : KT_OK;
}

static kt_status find_kernel(const kt_layer *inner, kt_var **out) {
    for (int i = 0; i < inner->vars.n && !*out; i++) {
        const char *name = inner->vars.v[i]->name;
        if (!strcmp(name, "kernel") || !strcmp(name, "embeddings")) *out = inner->vars.v[i];
    }
    if (!*out || (*out)->spec.shape.ndim < 1)
        return KT_FAIL(
            KT_EINVAL, "layer: %s has neither \"kernel\" nor \"embeddings\"", inner->class_name);
    if (inner->lora.a)
        return KT_FAIL(KT_EUNSUPPORTED, "SpectralNormalization of a kernel with LoRA");
    return KT_OK;
}

static kt_status spectral_build(kt_layer *l, const kt_shape *in) {
    spectral *d = kt_layer_state(l);
    d->kernel = NULL;
    kt_status st = kt_layer_ensure_built(d->layer, 1, in);
    if (st == KT_OK) st = find_kernel(d->layer, &d->kernel);
    if (st) return kt_layer_context(d->layer, st);
    if (kt_vec_push(&l->vars, d->kernel)) return KT_ENOMEM;
    kt_adopt(d->kernel);
    d->vector_u = kt_add_weight(
        l,
        "vector_u",
        {1, kt_shape_dim(&d->kernel->spec.shape, -1)},
        .initializer = kt_init_truncated_normal(.stddev = 0.02),
        .dtype = kt_dtype_name(d->kernel->spec.dtype),
        .trainable = false);
    if (in->ndim)
        kt_layer_set_spec(l, (kt_input_spec){.axis = -1, .axis_dim = kt_shape_dim(in, -1)});
    return kt_check(l);
}

static kt_sym *unit(kt_sym *row) { return kt_op_normalize(row, -1, 2, KT_NONE_F); }

/* What was read before would have gradients of its own, which the update does not add. */
static kt_status check_fresh(const spectral *d) {
    const kt_tracer *t = kt_tracer_current();
    for (int i = 0; i < t->vars.n; i++)
        if (t->vars.v[i].var == d->kernel)
            return KT_FAIL(
                KT_EUNSUPPORTED,
                "the normalized kernel of \"%s\" is used a second time in one training step",
                kt_layer_name(d->layer));
    return KT_OK;
}

static kt_status normalize_kernel(const kt_layer *l) {
    const kt_spectral_normalization_args *a = kt_layer_args(l);
    const spectral *d = kt_layer_state(l);
    kt_status st = check_fresh(d);
    if (st) return st;
    kt_sym *kernel = kt_value(d->kernel), *u = kt_value(d->vector_u), *old = u, *v = NULL;
    kt_sym *w = kt_op_reshape(kernel, kt_dims(-1, kt_shape_dim(&d->kernel->spec.shape, -1)));
    kt_sym *turned = kt_op_transpose(w, (kt_shape){0, {0}});
    for (int i = 0; i < a->power_iterations; i++) {
        v = unit(kt_op_matmul(u, turned));
        u = unit(kt_op_matmul(v, w));
    }
    kt_sym *sigma = kt_op_matmul(kt_op_matmul(v, w), kt_op_transpose(u, (kt_shape){0, {0}}));
    kt_sym *divided = kt_op_divide(kernel, kt_op_reshape(sigma, (kt_shape){0, {0}}));
    kt_sym *none = kt_op_all(kt_op_equal(kernel, kt_num(0)), KT_NONE, false);
    st = kt_assign(d->vector_u, kt_op_where(none, old, u));
    return st ? st : kt_assign(d->kernel, kt_op_where(none, kernel, divided));
}

static kt_status spectral_call(kt_layer *l, kt_trace *t) {
    const spectral *d = kt_layer_state(l);
    kt_trace c = {.n_in = 1, .in = t->in, .in_mask = t->in_mask, .training = t->training};
    kt_status st = t->training ? normalize_kernel(l) : KT_OK;
    const char *dtype = kt_dtype_name(kt_sym_dtype(t->in[0]));
    if (st == KT_OK) st = kt_layer_trace_call(d->layer, &c);
    if (st) return st;
    t->out[0] = kt_op_cast(c.out[0], dtype);
    return kt_check(t->out[0]);
}

#define F(name) KT_F(kt_spectral_normalization_args, name)
static const kt_field spectral_fields[] = {F(layer), F(power_iterations), KT_F_END};
#undef F

const kt_layer_class kt_class_spectral_normalization = {
    .name = "SpectralNormalization",
    .args_size = sizeof(kt_spectral_normalization_args),
    .state_size = sizeof(spectral),
    .fields = spectral_fields,
    .defaults = &(const kt_spectral_normalization_args){KT_SPECTRAL_NORMALIZATION_DEFAULTS},
    .init = spectral_init,
    .build = spectral_build,
    .call = spectral_call,
};

kt_layer *kt_spectral_normalization_new(const kt_spectral_normalization_args *a) {
    return kt_layer_new(&kt_class_spectral_normalization, a);
}
