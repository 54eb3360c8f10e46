/* InputLayer: where data enter a model.  keras.layers.InputLayer, keras.Input */
#include "base/mem.h"
#include "nn/layer.h"

#include <keratin/layers.h>

#include <string.h>

typedef struct {
    size_t size;
    int64_t batch_shape[KT_MAX_RANK];
    KT_LAYER_ARGS
} input_layer_args;

static kt_status input_call(kt_layer *l, kt_trace *t) {
    (void)l;
    t->out[0] = t->in[0];
    return KT_OK;
}

static const kt_field input_fields[] = {KT_F(input_layer_args, batch_shape), KT_F_END};

const kt_layer_class kt_class_input_layer = {
    .name = "InputLayer",
    .args_size = sizeof(input_layer_args),
    .fields = input_fields,
    .call = input_call,
    .supports_masking = true,
};

bool kt_layer_is_input(const kt_layer *l) { return l->cls == &kt_class_input_layer; }

static kt_status input_spec(const kt_input_args *a, kt_spec *out) {
    kt_shape s = a->shape[0] == KT_SCALAR ? (kt_shape){0, {0}} : kt_shape_of_field(a->shape);
    int64_t batch_size = a->batch_size;
    const char *dtype = a->dtype ? a->dtype : kt_floatx();
    const char *refused = a->sparse     ? "sparse"
                          : a->ragged   ? "ragged"
                          : a->tensor   ? "tensor"
                          : a->optional ? "optional"
                                        : NULL;
    if (refused) return KT_FAIL(KT_EUNSUPPORTED, "%s: such inputs are not supported", refused);
    if (a->batch_shape[0] && (a->shape[0] || a->batch_size != KT_NONE))
        return KT_FAIL(KT_EINVAL, "batch_shape: expected no shape or batch_size beside it");
    if (a->batch_shape[0]) {
        s = kt_shape_of_field(a->batch_shape);
        batch_size = s.dim[0];
        s.ndim--;
        memmove(s.dim, s.dim + 1, sizeof *s.dim * (size_t)s.ndim);
    }
    if (batch_size != KT_NONE && batch_size < 1)
        return KT_FAIL(
            KT_EINVAL,
            "batch_size: expected None or a positive integer, got %lld",
            (long long)batch_size);
    if (s.ndim == 0 && a->shape[0] != KT_SCALAR && !a->batch_shape[0]) {
        KT_FAIL(KT_EINVAL, "shape: it is missing");
        return kt_error_hint("{KT_SCALAR} is the shape without axes");
    }
    if (s.ndim + 1 > KT_MAX_RANK)
        return KT_FAIL(KT_ELIMIT, "shape: at most %d axes", KT_MAX_RANK - 1);
    out->dtype = kt_dtype_of(dtype);
    if (out->dtype == KT_NO_DTYPE)
        return KT_FAIL(KT_EINVAL, "dtype: unknown name \"%.60s\"", dtype);
    out->shape = (kt_shape){s.ndim + 1, {batch_size}};
    for (int i = 0; i < s.ndim; i++) {
        out->shape.dim[i + 1] = s.dim[i];
        if (s.dim[i] != KT_NONE && s.dim[i] < 0)
            return KT_FAIL(
                KT_EINVAL, "shape: expected positive dimensions, got %lld", (long long)s.dim[i]);
    }
    return KT_OK;
}

kt_sym *kt_input_new(const kt_input_args *given) {
    kt_spec spec;
    kt_input_args a;
    kt_status st = kt_args_read(&a, given, sizeof a, &(kt_input_args){KT_INPUT_DEFAULTS});
    if (st == KT_OK) st = input_spec(&a, &spec);
    if (st) {
        kt_error_context("in kt_input");
        return kt_fail_object(st);
    }
    input_layer_args args = {.size = sizeof args, .name = a.name, KT_LAYER_DEFAULTS};
    for (int i = 0; i < spec.shape.ndim; i++) args.batch_shape[i] = spec.shape.dim[i];
    kt_layer *l = kt_layer_new(&kt_class_input_layer, &args);
    kt_call_node *node = kt_failed(l) ? NULL : kt_alloc(sizeof *node);
    if (!node) {
        const kt_status why = kt_failed(l) ? kt_check(l) : KT_ENOMEM;
        kt_drop(l);
        return kt_fail_object(why);
    }
    l->built = true;
    atomic_store(&node->refs, 1);
    node->layer = kt_adopt(l);
    node->training = KT_AUTO;
    node->n_out = 1;
    node->out = kt_alloc(sizeof *node->out);
    if (node->out) node->out[0] = spec;
    kt_sym *s = node->out ? kt_sym_of_node(node, 0) : kt_fail_object(KT_ENOMEM);
    kt_call_node_unref(node);
    return s;
}
