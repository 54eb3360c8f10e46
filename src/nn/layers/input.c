/* InputLayer: where data enter a model.  keras.layers.InputLayer, keras.Input */
#include "base/mem.h"
#include "nn/layer.h"

#include <keratin/layers.h>

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
    const kt_shape s = a->shape[0] == KT_SCALAR ? (kt_shape){0, {0}} : kt_shape_of_field(a->shape);
    const char *dtype = a->dtype ? a->dtype : kt_dtype_policy();
    if (a->sparse) return KT_FAIL(KT_EUNSUPPORTED, "kt_input: sparse inputs are not supported");
    if (a->batch_size != KT_NONE && a->batch_size < 1)
        return KT_FAIL(
            KT_EINVAL,
            "batch_size: expected None or a positive integer, got %lld",
            (long long)a->batch_size);
    if (s.ndim == 0 && a->shape[0] != KT_SCALAR) {
        KT_FAIL(KT_EINVAL, "kt_input: the shape is missing");
        return kt_error_hint("{KT_SCALAR} is the shape without axes");
    }
    if (s.ndim + 1 > KT_MAX_RANK)
        return KT_FAIL(KT_ELIMIT, "kt_input: at most %d axes", KT_MAX_RANK - 1);
    out->dtype = kt_dtype_of(dtype);
    if (out->dtype == KT_NO_DTYPE)
        return KT_FAIL(KT_EINVAL, "dtype: unknown name \"%.60s\"", dtype);
    out->shape = (kt_shape){s.ndim + 1, {a->batch_size}};
    for (int i = 0; i < s.ndim; i++) {
        out->shape.dim[i + 1] = s.dim[i];
        if (s.dim[i] != KT_NONE && s.dim[i] < 0)
            return KT_FAIL(
                KT_EINVAL, "shape: expected positive dimensions, got %lld", (long long)s.dim[i]);
    }
    return KT_OK;
}

kt_sym *kt_input_new(const kt_input_args *a) {
    kt_spec spec;
    const kt_status st = a->size ? input_spec(a, &spec) : KT_FAIL(KT_EINVAL, "kt_input: size is 0");
    if (st) return kt_fail_object(st);
    input_layer_args args = {.size = sizeof args, .name = a->name, .trainable = true};
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
