/* kt_op_*, continued: arrays of one value, in another dtype, of numbers between two ends. */
#include "base/error.h"
#include "nn/symbolic/symbolic.h"

#include <keratin/ops_creation.h>
#include <keratin/runtime.h>

#include <string.h>

KT_OP_BUILD(copy) {
    (void)g, (void)n, (void)attrs;
    return in[0];
}
static const kt_op_class copy_class = {"Copy", 0, copy_build, NULL};
kt_sym *kt_op_copy(kt_sym *x) { return kt_op_apply(&copy_class, 1, &x, NULL); }

/* In the form of another ----------------------------------------------------------------------- */

typedef struct {
    int dtype; ///< KT_NO_DTYPE: that of the operand
    double value;
} like_attrs;
static kt_val *like_build(kt_graph *g, int n, kt_val **in, const void *attrs) {
    const like_attrs *a = attrs;
    (void)n;
    kt_spec spec = in[0]->spec;
    if (a->dtype != KT_NO_DTYPE) spec.dtype = (kt_dtype)a->dtype;
    return kt_g_const(g, a->value, spec);
}
static kt_val *full_like_build(kt_graph *g, int n, kt_val **in, const void *attrs) {
    const like_attrs *a = attrs;
    (void)n;
    const kt_dtype d = a->dtype != KT_NO_DTYPE ? (kt_dtype)a->dtype : in[0]->spec.dtype;
    return kt_g_broadcast(g, kt_g_cast(g, in[1], d), in[0]->spec.shape);
}
static const kt_op_class zeros_like_class = {"ZerosLike", sizeof(like_attrs), like_build, NULL},
                         ones_like_class = {"OnesLike", sizeof(like_attrs), like_build, NULL},
                         full_like_class = {"FullLike", sizeof(like_attrs), full_like_build, NULL};

static kt_sym *like(const kt_op_class *op, int n, kt_sym *const *in, const char *dtype, double v) {
    like_attrs a;
    memset(&a, 0, sizeof a);
    a.dtype = dtype ? kt_dtype_of(dtype) : KT_NO_DTYPE;
    a.value = v;
    if (dtype && a.dtype == KT_NO_DTYPE)
        return kt_fail_object(KT_FAIL(KT_EINVAL, "dtype: unknown name \"%.60s\"", dtype));
    return kt_op_apply(op, n, in, &a);
}
kt_sym *kt_op_zeros_like(kt_sym *x, const char *dtype) {
    return like(&zeros_like_class, 1, &x, dtype, 0);
}
kt_sym *kt_op_ones_like(kt_sym *x, const char *dtype) {
    return like(&ones_like_class, 1, &x, dtype, 1);
}
kt_sym *kt_op_full_like(kt_sym *x, kt_sym *fill_value, const char *dtype) {
    kt_sym *in[2] = {x, fill_value};
    return like(&full_like_class, 2, in, dtype, 0);
}
static kt_status ones_finish(int n, kt_sym *const *in, void *attrs) {
    (void)n, (void)in;
    ((like_attrs *)attrs)->value = 1;
    return KT_OK;
}

/* A dtype; a number of elements ---------------------------------------------------------------- */

typedef struct {
    int dtype;
    kt_shape shape;
    const char *sparse, *ragged; ///< NULL: no tensor is sparse or ragged here
} dtype_attrs;
KT_OP_BUILD(array) {
    const int d = ((const dtype_attrs *)attrs)->dtype;
    (void)n;
    return d == KT_NO_DTYPE ? in[0] : kt_g_cast(g, in[0], (kt_dtype)d);
}
KT_OP_BUILD(empty_like) {
    kt_spec spec = in[0]->spec;
    const int d = ((const dtype_attrs *)attrs)->dtype;
    (void)n;
    if (d != KT_NO_DTYPE) spec.dtype = (kt_dtype)d;
    return kt_g_const(g, 0, spec);
}
/* Into the range of the dtype first. */
KT_OP_BUILD(saturate_cast) {
    const kt_dtype d = (kt_dtype)((const dtype_attrs *)attrs)->dtype;
    kt_val *x = in[0];
    (void)n;
    if (d == KT_BOOL || d == KT_UINT8) x = kt_g_clip(g, x, 0, d == KT_BOOL ? 1 : 255);
    if (d == KT_INT32)
        x = kt_g_clip(g, x, INT32_MIN, kt_dtype_is_float(x->spec.dtype) ? 2147483520.0 : INT32_MAX);
    return kt_g_cast(g, x, d);
}
KT_OP_BUILD(full) {
    const dtype_attrs *a = attrs;
    const kt_dtype d = a->dtype == KT_NO_DTYPE ? kt_dtype_of(kt_floatx()) : (kt_dtype)a->dtype;
    (void)n;
    return kt_g_broadcast(g, kt_g_cast(g, in[0], d), a->shape);
}
KT_OP_BUILD(size) {
    (void)n, (void)attrs;
    return kt_g_const(g, (double)kt_shape_size(&in[0]->spec.shape), (kt_spec){KT_INT32, {0, {0}}});
}
#define WITH_DTYPE(fn, camel)                                                                      \
    static const kt_op_class fn##_class = {camel, sizeof(dtype_attrs), fn##_build, NULL};          \
    kt_sym *kt_op_##fn(kt_sym *x, const char *dtype) {                                             \
        dtype_attrs a;                                                                             \
        memset(&a, 0, sizeof a);                                                                   \
        a.dtype = dtype ? kt_dtype_of(dtype) : KT_NO_DTYPE;                                        \
        if (dtype && a.dtype == KT_NO_DTYPE)                                                       \
            return kt_fail_object(KT_FAIL(KT_EINVAL, "dtype: unknown name \"%.60s\"", dtype));     \
        return kt_op_apply(&fn##_class, 1, &x, &a);                                                \
    }
WITH_DTYPE(array, "Array")
WITH_DTYPE(empty_like, "EmptyLike")
WITH_DTYPE(saturate_cast, "SaturateCast")
#define convert_to_tensor_build array_build
WITH_DTYPE(convert_to_tensor, "ConvertToTensor")
static const kt_op_class full_class = {"Full", sizeof(dtype_attrs), full_build, NULL},
                         size_class = {"Size", 0, size_build, NULL};
kt_sym *kt_op_full(kt_shape shape, kt_sym *fill_value, const char *dtype) {
    dtype_attrs a;
    memset(&a, 0, sizeof a);
    a.shape = shape;
    a.dtype = dtype ? kt_dtype_of(dtype) : KT_NO_DTYPE;
    if (dtype && a.dtype == KT_NO_DTYPE)
        return kt_fail_object(KT_FAIL(KT_EINVAL, "dtype: unknown name \"%.60s\"", dtype));
    return kt_op_apply(&full_class, 1, &fill_value, &a);
}
kt_sym *kt_op_size(kt_sym *x) { return kt_op_apply(&size_class, 1, &x, NULL); }

/* Numbers between two ends --------------------------------------------------------------------- */

typedef struct {
    int64_t num;
    int axis, dtype;
    bool endpoint;
    double base; ///< of logspace
} space_attrs;

static kt_val *spaced(kt_graph *g, kt_val **in, const space_attrs *a, const char *op) {
    if (a->num < 0 || a->num > (1 << 24))
        return kt_graph_fail(g, KT_FAIL(KT_EINVAL, "%s: num %lld", op, (long long)a->num));
    if (!kt_op_pair(g, in, true)) return NULL;
    kt_val *start = in[0], *way = kt_g_sub(g, in[1], in[0]);
    if (!way) return NULL;
    start = kt_g_broadcast(g, start, way->spec.shape);
    const int ndim = way->spec.shape.ndim + 1, axis = kt_op_axis(g, op, a->axis, ndim);
    if (axis < 0) return NULL;
    kt_shape s = {ndim, {0}};
    for (int i = 0; i < ndim; i++) s.dim[i] = i == axis ? a->num : 1;
    double *share = kt_arena_alloc(g->arena, sizeof *share * (size_t)(a->num + 1));
    if (!share) return kt_graph_fail(g, KT_ENOMEM);
    const double parts = a->endpoint && a->num > 1 ? (double)(a->num - 1) : (double)a->num;
    for (int64_t i = 0; i < a->num; i++) share[i] = (double)i / parts;
    kt_val *at = kt_g_cast(g, kt_g_array(g, share, (kt_spec){KT_FLOAT64, s}), way->spec.dtype);
    way = kt_g_mul(g, kt_g_expand_dims(g, way, axis), at);
    return kt_g_add(g, kt_g_expand_dims(g, start, axis), way);
}
static kt_val *space_dtype(kt_graph *g, kt_val *y, const space_attrs *a) {
    if (a->dtype == KT_NO_DTYPE || !y) return y;
    if (!kt_dtype_is_float((kt_dtype)a->dtype)) y = kt_g_floor(g, y);
    return kt_g_cast(g, y, (kt_dtype)a->dtype);
}
KT_OP_BUILD(linspace) {
    (void)n;
    return space_dtype(g, spaced(g, in, attrs, "linspace"), attrs);
}
KT_OP_BUILD(logspace) {
    (void)n;
    kt_val *y = spaced(g, in, attrs, "logspace");
    y = y ? kt_g_pow(g, kt_g_num(g, ((const space_attrs *)attrs)->base, y), y) : NULL;
    return space_dtype(g, y, attrs);
}
static const kt_op_class linspace_class = {"Linspace", sizeof(space_attrs), linspace_build, NULL},
                         logspace_class = {"Logspace", sizeof(space_attrs), logspace_build, NULL};
static kt_sym *space(
    const kt_op_class *op, kt_sym **in, int64_t count, bool endpoint, double base, int axis) {
    space_attrs a;
    memset(&a, 0, sizeof a);
    a.num = count;
    a.endpoint = endpoint;
    a.base = base;
    a.axis = axis;
    a.dtype = KT_NO_DTYPE;
    return kt_op_apply(op, 2, in, &a);
}
kt_sym *kt_op_linspace(kt_sym *start, kt_sym *stop, int num, bool endpoint, int axis) {
    return space(&linspace_class, (kt_sym *[]){start, stop}, num, endpoint, 0, axis);
}
kt_sym *kt_op_logspace(kt_sym *start, kt_sym *stop, int num, bool endpoint, double base, int axis) {
    return space(&logspace_class, (kt_sym *[]){start, stop}, num, endpoint, base, axis);
}

/* Files ---------------------------------------------------------------------------------------- */

static const kt_field like_fields[] = {KT_F_AS(like_attrs, dtype, KT_FIELD_DTYPE), KT_F_END};
static const kt_field dtype_fields[] = {KT_F_AS(dtype_attrs, dtype, KT_FIELD_DTYPE), KT_F_END};
static const kt_field convert_fields[] = {
    KT_F_AS(dtype_attrs, dtype, KT_FIELD_DTYPE),
    KT_F(dtype_attrs, sparse),
    KT_F(dtype_attrs, ragged),
    KT_F_END};
static const kt_field full_fields[] = {
    KT_F(dtype_attrs, shape), KT_F_AS(dtype_attrs, dtype, KT_FIELD_DTYPE), KT_F_END};
static const kt_field linspace_fields[] = {
    KT_F(space_attrs, num),
    KT_F(space_attrs, endpoint),
    KT_F_AS(space_attrs, dtype, KT_FIELD_DTYPE),
    KT_F(space_attrs, axis),
    KT_F_END};
static const kt_field logspace_fields[] = {
    KT_F(space_attrs, num),
    KT_F(space_attrs, endpoint),
    KT_F(space_attrs, base),
    KT_F_AS(space_attrs, dtype, KT_FIELD_DTYPE),
    KT_F(space_attrs, axis),
    KT_F_END};

const kt_op_form kt_op_forms_creation[] = {
    {&copy_class, "numpy", 1, NULL, NULL, NULL},
    {&zeros_like_class, "numpy", 1, like_fields, NULL, NULL},
    {&ones_like_class, "numpy", 1, like_fields, ones_finish, NULL},
    {&full_like_class, "numpy", 2, like_fields, NULL, NULL},
    {&array_class, "numpy", 1, dtype_fields, NULL, NULL},
    {&empty_like_class, "numpy", 1, dtype_fields, NULL, NULL},
    {&saturate_cast_class, "core", 1, dtype_fields, NULL, NULL},
    {&convert_to_tensor_class, "core", 1, convert_fields, NULL, NULL},
    {&full_class, "numpy", 1, full_fields, NULL, NULL},
    {&size_class, "numpy", 1, NULL, NULL, NULL},
    {&linspace_class, "numpy", 2, linspace_fields, NULL, NULL},
    {&logspace_class, "numpy", 2, logspace_fields, NULL, NULL},
    {NULL, NULL, 0, NULL, NULL, NULL}};
