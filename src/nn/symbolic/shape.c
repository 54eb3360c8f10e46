/* kt_op_*, continued: functions that move, tile and stack elements; variance. Each is composed of
 * the builders of ops/build.h. */
#include "base/error.h"
#include "nn/axes.h"
#include "nn/symbolic/symbolic.h"
#include "runtime/settings.h"

#include <keratin/runtime.h>

#include <stdio.h>
#include <string.h>

typedef struct {
    int64_t n, axis; /* KT_NONE: all axes, or the flat array */
    int other;
} move_attrs;

KT_OP_BUILD(flip) {
    kt_val *x = in[0];
    const int mask = kt_op_axes(g, "flip", x, ((const move_attrs *)attrs)->axis);
    (void)n;
    if (g->status) return NULL;
    for (int i = 0; x && i < KT_MAX_RANK; i++)
        if (mask >> i & 1) x = kt_g_reverse(g, x, i);
    return x;
}
static const kt_op_class flip_class = {"Flip", sizeof(move_attrs), flip_build, NULL};
kt_sym *kt_op_flip(kt_sym *x, kt_tuple axis) {
    return kt_op_apply(&flip_class, 1, &x, &(move_attrs){0, axis, 0});
}

typedef struct {
    char shift[100]; ///< "1", or "[1, -2]", one for each axis
    kt_tuple axis;
} roll_attrs;

/* The last `shift` elements first. */
static kt_val *rolled(kt_graph *g, kt_val *x, int axis, int64_t by) {
    const int64_t len = x->spec.shape.dim[axis];
    const int64_t shift = len ? (by % len + len) % len : 0;
    if (shift == 0) return x;
    kt_val *parts[2] = {
        kt_g_slice_axis(g, x, axis, len - shift, len), kt_g_slice_axis(g, x, axis, 0, len - shift)};
    return parts[0] && parts[1] ? kt_g_concat(g, 2, parts, axis) : NULL;
}
KT_OP_BUILD(roll) {
    const roll_attrs *a = attrs;
    int64_t by[KT_MAX_RANK] = {0};
    int axes[KT_MAX_RANK];
    kt_val *x = in[0];
    const int n_by = kt_op_numbers(a->shift, KT_MAX_RANK, by), n_axes = kt_axes_list(a->axis, axes);
    (void)n;
    if (a->axis == KT_NONE) {
        x = kt_g_reshape(g, x, kt_dims(-1));
        return x ? kt_g_reshape(g, rolled(g, x, 0, by[0]), in[0]->spec.shape) : NULL;
    }
    if (n_by != n_axes && n_by != 1)
        return kt_graph_fail(g, KT_FAIL(KT_EINVAL, "roll: %d shifts for %d axes", n_by, n_axes));
    for (int i = 0; x && i < n_axes; i++) {
        const int axis = kt_op_axis(g, "roll", axes[i], x->spec.shape.ndim);
        if (axis < 0) return NULL;
        x = rolled(g, x, axis, by[n_by > 1 ? i : 0]);
    }
    return x;
}
static const kt_op_class roll_class = {"Roll", sizeof(roll_attrs), roll_build, NULL};
kt_sym *kt_op_roll(kt_sym *x, int64_t shift, kt_tuple axis) {
    roll_attrs a;
    memset(&a, 0, sizeof a);
    snprintf(a.shift, sizeof a.shift, "%lld", (long long)shift);
    a.axis = axis;
    return kt_op_apply(&roll_class, 1, &x, &a);
}

static kt_val *swapaxes_build(kt_graph *g, int n, kt_val **in, const void *attrs) {
    const move_attrs *a = attrs;
    const int ndim = in[0]->spec.shape.ndim, axis = kt_op_axis(g, "swapaxes", a->axis, ndim);
    const int other = axis < 0 ? -1 : kt_op_axis(g, "swapaxes", a->other, ndim);
    int perm[KT_MAX_RANK];
    (void)n;
    if (other < 0) return NULL;
    for (int i = 0; i < ndim; i++) perm[i] = i == axis ? other : i == other ? axis : i;
    return kt_g_transpose(g, in[0], perm);
}
static const kt_op_class swapaxes_class = {"Swapaxes", sizeof(move_attrs), swapaxes_build, NULL};
kt_sym *kt_op_swapaxes(kt_sym *x, int axis1, int axis2) {
    return kt_op_apply(&swapaxes_class, 1, &x, &(move_attrs){0, axis1, axis2});
}

typedef struct {
    kt_shape repeats;
} tile_attrs;
/* A new axis before each, broadcast, joined. */
static kt_val *tile_build(kt_graph *g, int n, kt_val **in, const void *attrs) {
    const kt_shape *times = &((const tile_attrs *)attrs)->repeats;
    kt_val *x = in[0];
    (void)n;
    while (x && x->spec.shape.ndim < times->ndim) x = kt_g_expand_dims(g, x, 0);
    for (int i = 0; x && i < times->ndim; i++) {
        const int axis = x->spec.shape.ndim - times->ndim + i;
        kt_shape s = x->spec.shape;
        if (times->dim[i] == 1) continue;
        if (times->dim[i] < 0 || s.ndim == KT_MAX_RANK)
            return kt_graph_fail(
                g, KT_FAIL(KT_EINVAL, "tile: expected 0 or more times, and a free axis"));
        x = kt_g_expand_dims(g, x, axis);
        if (!x) return NULL;
        kt_shape wide = x->spec.shape;
        wide.dim[axis] = times->dim[i];
        s.dim[axis] *= times->dim[i];
        x = kt_g_reshape(g, kt_g_broadcast(g, x, wide), s);
    }
    return x;
}
static const kt_op_class tile_class = {"Tile", sizeof(tile_attrs), tile_build, NULL};
kt_sym *kt_op_tile(kt_sym *x, kt_shape repeats) {
    return kt_op_apply(&tile_class, 1, &x, &(tile_attrs){repeats});
}

static kt_val *stack_build(kt_graph *g, int n, kt_val **in, const void *attrs) {
    const int ndim = in[0]->spec.shape.ndim;
    const int axis = kt_op_axis(g, "stack", ((const move_attrs *)attrs)->axis, ndim + 1);
    kt_val *parts[KT_OP_MAX_IN];
    kt_dtype d = in[0]->spec.dtype;
    if (axis < 0) return NULL;
    for (int i = 1; i < n; i++) d = kt_op_promote(d, in[i]->spec.dtype);
    for (int i = 0; i < n; i++) {
        if (!kt_shape_equal(&in[i]->spec.shape, &in[0]->spec.shape))
            return kt_graph_fail(g, KT_FAIL(KT_ESHAPE, "stack: operands must have one shape"));
        if (!(parts[i] = kt_g_expand_dims(g, kt_g_cast(g, in[i], d), axis))) return NULL;
    }
    return kt_g_concat(g, n, parts, axis);
}
static const kt_op_class stack_class = {"Stack", sizeof(move_attrs), stack_build, NULL};
kt_sym *kt_op_stack(kt_ref xs, int axis) {
    kt_sym *in[KT_OP_MAX_IN];
    const int n = kt_is(xs, KT_KIND_LIST) ? kt_list_len(xs) : 1;
    if (kt_failed(xs)) return kt_fail_object(kt_check(xs));
    if (n < 1 || n > KT_OP_MAX_IN)
        return kt_fail_object(KT_FAIL(KT_ELIMIT, "stack: expected 1 to %d", KT_OP_MAX_IN));
    for (int i = 0; i < n; i++)
        in[i] = (kt_sym *)(uintptr_t)(kt_is(xs, KT_KIND_LIST) ? kt_list_get(xs, i) : xs);
    kt_sym *y = kt_op_apply(&stack_class, n, in, &(move_attrs){0, axis, 0});
    if (kt_is(xs, KT_KIND_LIST)) kt_drop(xs);
    return y;
}

/* Variance and standard deviation */
typedef struct {
    kt_tuple axis;
    bool keepdims, root;
} var_attrs;
static kt_val *var_build(kt_graph *g, int n, kt_val **in, const void *attrs) {
    const var_attrs *a = attrs;
    const int bits = kt_op_axes(g, a->root ? "std" : "var", in[0], a->axis);
    (void)n;
    if (g->status) return NULL;
    kt_val *x = kt_dtype_is_float(in[0]->spec.dtype)
                    ? in[0]
                    : kt_g_cast(g, in[0], kt_dtype_of(kt_floatx()));
    kt_val *off = kt_g_sub(g, x, kt_g_mean(g, x, bits, true));
    kt_val *var = kt_g_mean(g, kt_g_square(g, off), bits, a->keepdims);
    return a->root ? kt_g_sqrt(g, var) : var;
}
static const kt_op_class var_class = {"Var", sizeof(var_attrs), var_build, NULL};
kt_sym *kt_op_var(kt_sym *x, kt_tuple axis, bool keepdims) {
    return kt_op_apply(&var_class, 1, &x, &(var_attrs){axis, keepdims, false});
}
static const kt_op_class std_class = {"Std", sizeof(var_attrs), var_build, NULL};
kt_sym *kt_op_std(kt_sym *x, kt_tuple axis, bool keepdims) {
    return kt_op_apply(&std_class, 1, &x, &(var_attrs){axis, keepdims, true});
}

/* Files */
static const kt_field flip_fields[] = {KT_F(move_attrs, axis), KT_F_END};
static const kt_field roll_fields[] = {
    KT_F_AS(roll_attrs, shift, KT_FIELD_TEXT), KT_F(roll_attrs, axis), KT_F_END};
static const kt_field swapaxes_fields[] = {
    KT_F_NAMED(move_attrs, axis, "axis1", KT_FIELD_INT64),
    KT_F_NAMED(move_attrs, other, "axis2", KT_FIELD_INT),
    KT_F_END};
static const kt_field tile_fields[] = {KT_F(tile_attrs, repeats), KT_F_END};
static const kt_field var_fields[] = {KT_F(var_attrs, axis), KT_F(var_attrs, keepdims), KT_F_END};

/* Std: the root is what the class has beyond Var. */
static kt_status std_finish(int n, kt_sym *const *in, void *attrs) {
    (void)n, (void)in;
    ((var_attrs *)attrs)->root = true;
    return KT_OK;
}

const kt_op_form kt_op_forms_shape[] = {
    {&flip_class, "numpy", 1, flip_fields, NULL, NULL},
    {&roll_class, "numpy", 1, roll_fields, NULL, NULL},
    {&swapaxes_class, "numpy", 1, swapaxes_fields, NULL, NULL},
    {&tile_class, "numpy", 1, tile_fields, NULL, NULL},
    {&stack_class, "numpy", KT_OP_LIST, flip_fields, NULL, NULL},
    {&var_class, "numpy", 1, var_fields, NULL, NULL},
    {&std_class, "numpy", 1, var_fields, std_finish, NULL},
    {NULL, NULL, 0, NULL, NULL, NULL}};
