/* Reshape: the same values in another shape; the batch axis stays.  keras.layers.Reshape */
#include "nn/layer.h"

#include <keratin/layers.h>

static kt_status reshape_init(kt_layer *l) {
    const kt_reshape_args *a = kt_layer_args(l);
    const kt_shape s = kt_shape_of_field(a->target_shape);
    int open = 0;
    if (s.ndim == 0) {
        KT_FAIL(KT_EINVAL, "target_shape: expected at least one dimension");
        return kt_error_hint("{KT_SCALAR} is the shape ()");
    }
    if (a->target_shape[0] == KT_SCALAR) return KT_OK;
    if (s.ndim == KT_MAX_RANK)
        return KT_FAIL(
            KT_ELIMIT, "target_shape: at most %d axes beside the batch axis", KT_MAX_RANK - 1);
    for (int i = 0; i < s.ndim; i++) {
        if (s.dim[i] < -1)
            return KT_FAIL(
                KT_EINVAL,
                "target_shape: expected dimensions above 0, or one -1, got %lld",
                (long long)s.dim[i]);
        open += s.dim[i] == -1;
    }
    return open > 1 ? KT_FAIL(KT_EINVAL, "target_shape: only one dimension may be -1") : KT_OK;
}

static kt_status reshape_mismatch(const kt_shape *in, const kt_shape *target) {
    char a[KT_SHAPE_STR], b[KT_SHAPE_STR];
    kt_shape rest = {in->ndim - 1, {0}}, to = {target->ndim - 1, {0}};
    for (int i = 0; i < rest.ndim; i++) rest.dim[i] = in->dim[i + 1];
    for (int i = 0; i < to.ndim; i++) to.dim[i] = target->dim[i + 1];
    KT_FAIL(KT_ESHAPE, "the number of elements must stay the same");
    kt_error_expected("an input of the size of target_shape %s", kt_shape_str(&to, b, sizeof b));
    return kt_error_got("%s, without the batch axis", kt_shape_str(&rest, a, sizeof a));
}

static kt_status reshape_call(kt_layer *l, kt_trace *t) {
    const kt_reshape_args *a = kt_layer_args(l);
    const kt_shape in = kt_sym_shape(t->in[0]), target = kt_shape_of_field(a->target_shape);
    kt_shape to = {1, {in.dim[0]}};
    int open = 0;
    int64_t size = 1, known = 1; /* of a sample: an empty batch must not leave -1 open */
    for (int i = 1; i < in.ndim; i++) size *= in.dim[i];
    for (int i = 0; a->target_shape[0] != KT_SCALAR && i < target.ndim; i++) {
        if (target.dim[i] == -1)
            open = to.ndim;
        else if (__builtin_mul_overflow(known, target.dim[i], &known))
            return KT_FAIL(KT_ELIMIT, "target_shape has more elements than can be counted");
        to.dim[to.ndim++] = target.dim[i];
    }
    if (open ? size % known : size != known) return reshape_mismatch(&in, &to);
    if (open) to.dim[open] = size / known;
    t->out[0] = kt_op_reshape(t->in[0], to);
    return kt_check(t->out[0]);
}

static const kt_field reshape_fields[] = {KT_F(kt_reshape_args, target_shape), KT_F_END};

const kt_layer_class kt_class_reshape = {
    .name = "Reshape",
    .args_size = sizeof(kt_reshape_args),
    .fields = reshape_fields,
    .defaults = &(const kt_reshape_args){KT_RESHAPE_DEFAULTS},
    .init = reshape_init,
    .call = reshape_call,
};

kt_layer *kt_reshape_new(const kt_reshape_args *a) { return kt_layer_new(&kt_class_reshape, a); }
