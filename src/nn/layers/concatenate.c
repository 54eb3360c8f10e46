/* Concatenate: inputs one after the other along an axis.  keras.layers.Concatenate */
#include "nn/layers/merge.h"

#include <keratin/layers.h>

static kt_status concatenate_build(kt_layer *l, const kt_shape *in) {
    const kt_concatenate_args *a = kt_layer_args(l);
    const int axis = kt_axis(a->axis, in[0].ndim);
    char sa[KT_SHAPE_STR], sb[KT_SHAPE_STR];
    if (axis < 0)
        return KT_FAIL(
            KT_EINVAL,
            "axis %d is out of range for shape %s",
            a->axis,
            kt_shape_str(&in[0], sa, sizeof sa));
    for (int i = 1; i < kt_layer_n_inputs(l); i++) {
        bool ok = in[i].ndim == in[0].ndim;
        for (int d = 0; ok && d < in[0].ndim; d++)
            ok = d == axis || in[i].dim[d] == in[0].dim[d] || in[i].dim[d] == KT_NONE ||
                 in[0].dim[d] == KT_NONE;
        if (ok) continue;
        KT_FAIL(KT_ESHAPE, "inputs differ outside the concatenation axis");
        kt_error_expected("equal shapes but for axis %d", a->axis);
        return kt_error_got(
            "%s and %s", kt_shape_str(&in[0], sa, sizeof sa), kt_shape_str(&in[i], sb, sizeof sb));
    }
    return KT_OK;
}

/* The mask of input i; all true if it has none. */
static kt_sym *concatenate_mask(const kt_trace *t, int i) {
    kt_shape s = kt_sym_shape(t->in[i]), m;
    if (!kt_merge_mask(t, i)) {
        s.ndim--;
        return kt_op_cast(kt_op_broadcast_to(kt_num(1), s), "bool");
    }
    m = kt_sym_shape(kt_merge_mask(t, i));
    if (m.ndim == s.ndim - 1) return kt_merge_mask(t, i);
    char a[KT_SHAPE_STR], b[KT_SHAPE_STR];
    return kt_fail_object(KT_FAIL(
        KT_ESHAPE,
        "mask %s does not go with input %s",
        kt_shape_str(&m, a, sizeof a),
        kt_shape_str(&s, b, sizeof b)));
}

/* Along the last axis a step counts that counts in any input; along others masks are put together
 * like their inputs. */
static kt_status concatenate_masks(kt_trace *t, int axis) {
    const void *masks[KT_OP_MAX_IN];
    int n = 0;
    for (int i = 0; i < t->n_in; i++) n += kt_merge_mask(t, i) != NULL;
    const int ndim = kt_sym_shape(t->in[0]).ndim;
    const bool last = kt_axis(axis, ndim) == ndim - 1;
    if (!n) return KT_OK;
    if (last && n < t->n_in) {
        t->out_mask[0] = concatenate_mask(&(kt_trace){.n_in = 1, .in = t->in}, 0);
        return kt_check(t->out_mask[0]);
    }
    if (last) return kt_merge_masks(t);
    for (int i = 0; i < t->n_in; i++) masks[i] = concatenate_mask(t, i);
    t->out_mask[0] = kt_op_concatenate(kt_list_of(t->n_in, masks), kt_axis(axis, ndim));
    return kt_check(t->out_mask[0]);
}

static kt_status concatenate_call(kt_layer *l, kt_trace *t) {
    const kt_concatenate_args *a = kt_layer_args(l);
    const void *items[KT_OP_MAX_IN];
    for (int i = 0; i < t->n_in; i++) items[i] = t->in[i];
    t->out[0] = kt_op_concatenate(kt_list_of(t->n_in, items), a->axis);
    const kt_status st = kt_check(t->out[0]);
    return st ? st : concatenate_masks(t, a->axis);
}

static const kt_field concatenate_fields[] = {KT_F(kt_concatenate_args, axis), KT_F_END};

const kt_layer_class kt_class_concatenate = {
    .name = "Concatenate",
    .args_size = sizeof(kt_concatenate_args),
    .fields = concatenate_fields,
    .defaults = &(const kt_concatenate_args){KT_CONCATENATE_DEFAULTS},
    .build = concatenate_build,
    .call = concatenate_call,
    .min_inputs = 1,
    .max_inputs = KT_OP_MAX_IN,
    .supports_masking = true,
    .computes_mask = true,
};

kt_layer *kt_concatenate_new(const kt_concatenate_args *a) {
    return kt_layer_new(&kt_class_concatenate, a);
}
