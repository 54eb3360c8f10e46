/* Dot: sum of products along one axis of each of two inputs, sample by sample.  keras.layers.Dot
 *
 * A matrix product of (batch, other axes of a, axis) and (batch, axis, other axes of b). */
#include "nn/axes.h"
#include "nn/layer.h"

#include <keratin/layers.h>

#define EPSILON 1e-7 /* keras.config.epsilon() */

/* The axis of each input; a plain number stands for both. */
static void dot_axes(const kt_dot_args *a, int ndim0, int ndim1, int *axis0, int *axis1) {
    int axes[KT_MAX_RANK] = {0};
    const int n = kt_axes_list(a->axes, axes);
    *axis0 = kt_axis(axes[0], ndim0);
    *axis1 = kt_axis(axes[n > 1 ? 1 : 0], ndim1);
}

static kt_status dot_init(kt_layer *l) {
    const kt_dot_args *a = kt_layer_args(l);
    int axes[KT_MAX_RANK];
    const int n = kt_axes_list(a->axes, axes);
    kt_layer_set_spec(l, (kt_input_spec){.min_ndim = 2});
    if (n == 1 || n == 2) return KT_OK;
    return KT_FAIL(KT_EINVAL, "axes: expected one number or two, got %d", n);
}

static kt_status dot_build(kt_layer *l, const kt_shape *in) {
    const kt_dot_args *a = kt_layer_args(l);
    int axis0, axis1;
    char s0[KT_SHAPE_STR], s1[KT_SHAPE_STR];
    dot_axes(a, in[0].ndim, in[1].ndim, &axis0, &axis1);
    kt_shape_str(&in[0], s0, sizeof s0);
    kt_shape_str(&in[1], s1, sizeof s1);
    if (axis0 < 0 || axis1 < 0) {
        KT_FAIL(KT_EINVAL, "axes: out of range");
        return kt_error_got("inputs of shapes %s and %s", s0, s1);
    }
    if (axis0 == 0 || axis1 == 0)
        return KT_FAIL(KT_EINVAL, "axes: axis 0 is the batch and cannot be summed over");
    const int64_t n0 = in[0].dim[axis0], n1 = in[1].dim[axis1];
    if (n0 == n1 || n0 == KT_NONE || n1 == KT_NONE) return KT_OK;
    KT_FAIL(KT_ESHAPE, "inputs have incompatible shapes");
    kt_error_expected("axis %d of the first as long as axis %d of the second", axis0, axis1);
    return kt_error_got("%s and %s", s0, s1);
}

static kt_sym *normalized(kt_sym *x, int axis) {
    kt_sym *square = kt_op_sum(kt_op_square(x), axis, true);
    return kt_op_multiply(x, kt_op_minimum(kt_op_rsqrt(square), kt_num(1 / EPSILON)));
}

/* x with `axis` at the end (or second), and its other axes, the batch aside, as one. */
static kt_sym *as_matrices(kt_sym *x, int axis, bool last) {
    const kt_shape s = kt_sym_shape(x);
    kt_shape perm = {s.ndim, {0}};
    int64_t others = 1;
    int at = 1;
    if (!last) perm.dim[at++] = axis;
    for (int i = 1; i < s.ndim; i++) {
        if (i == axis) continue;
        perm.dim[at++] = i;
        others *= s.dim[i];
    }
    if (last) perm.dim[at] = axis;
    x = kt_op_transpose(x, perm);
    return kt_op_reshape(
        x, last ? kt_dims(s.dim[0], others, s.dim[axis]) : kt_dims(s.dim[0], s.dim[axis], others));
}

static kt_status dot_call(kt_layer *l, kt_trace *t) {
    const kt_dot_args *a = kt_layer_args(l);
    const kt_shape s[2] = {kt_sym_shape(t->in[0]), kt_sym_shape(t->in[1])};
    int axis[2];
    dot_axes(a, s[0].ndim, s[1].ndim, &axis[0], &axis[1]);
    if (s[0].dim[0] != s[1].dim[0]) return KT_FAIL(KT_ESHAPE, "inputs have different batch sizes");
    kt_shape to = {1, {s[0].dim[0]}};
    kt_sym *x[2];
    for (int k = 0; k < 2; k++) {
        x[k] = a->normalize ? normalized(t->in[k], axis[k]) : t->in[k];
        x[k] = as_matrices(x[k], axis[k], k == 0);
        for (int i = 1; i < s[k].ndim; i++) {
            if (i == axis[k]) continue;
            if (to.ndim == KT_MAX_RANK) return KT_FAIL(KT_ELIMIT, "more than %d axes", KT_MAX_RANK);
            to.dim[to.ndim++] = s[k].dim[i];
        }
    }
    if (to.ndim == 1) to.dim[to.ndim++] = 1;
    t->out[0] = kt_op_reshape(kt_op_matmul(x[0], x[1]), to);
    return kt_check(t->out[0]);
}

#define F(name) KT_F(kt_dot_args, name)
static const kt_field dot_fields[] = {F(axes), F(normalize), KT_F_END};
#undef F

const kt_layer_class kt_class_dot = {
    .name = "Dot",
    .args_size = sizeof(kt_dot_args),
    .fields = dot_fields,
    .init = dot_init,
    .build = dot_build,
    .call = dot_call,
    .min_inputs = 2,
    .max_inputs = 2,
};

kt_layer *kt_dot_new(const kt_dot_args *a) { return kt_layer_new(&kt_class_dot, a); }
