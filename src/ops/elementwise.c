/* The elementwise families: one row of unary.def, binary.def or compare.def makes one op. Operands
 * have equal shapes (builders broadcast first). Reference kernels exist for float and double; other
 * dtypes go through double, which is exact for everything up to 2^53. */
#include "base/error.h"
#include "ops/build.h"
#include "tensor/half.h"

#define KT_REF_SELF "ops/elementwise_ref.h"
#include "ir/ref_types.h"

/* Gradients: the words used in the third column of the .def files. */
#define NONE NULL
#define UN(f, x) kt_g_##f(g, x)
#define BIN(f, a, b) kt_g_##f(g, a, b)
#define NUM(c) kt_g_num(g, c, dy)
#define SCALE(x, c) kt_g_scale(g, x, c)
#define NEG(x) kt_g_neg(g, x)
#define ADD(a, b) kt_g_add(g, a, b)
#define SUB(a, b) kt_g_sub(g, a, b)
#define MUL(a, b) kt_g_mul(g, a, b)
#define DIV(a, b) kt_g_div(g, a, b)
/* y = a^b: d/db = y log a, and 0 where a is not positive (as TensorFlow and JAX have it) */
#define POW_LOG(y, a) kt_g_mul(g, y, kt_g_log(g, kt_g_select(g, kt_g_gt(g, a, NUM(0)), a, NUM(1))))
#define PICK(dy, cmp, a, b) kt_g_select(g, kt_g_##cmp(g, a, b), dy, NUM(0))
#define SQSUM(a, b) kt_g_add(g, kt_g_square(g, a), kt_g_square(g, b))

#define KT_UNARY(name, value, grad)                                                                \
    static kt_val *name##_grad(kt_graph *g, kt_val *x, kt_val *y, kt_val *dy) {                    \
        (void)g, (void)x, (void)y, (void)dy;                                                       \
        return grad;                                                                               \
    }
#include "ir/unary.def"
#undef KT_UNARY
#define KT_BINARY(name, value, da, db)                                                             \
    static kt_val *name##_grad_a(kt_graph *g, kt_val *a, kt_val *b, kt_val *y, kt_val *dy) {       \
        (void)g, (void)a, (void)b, (void)y, (void)dy;                                              \
        return da;                                                                                 \
    }                                                                                              \
    static kt_val *name##_grad_b(kt_graph *g, kt_val *a, kt_val *b, kt_val *y, kt_val *dy) {       \
        (void)g, (void)a, (void)b, (void)y, (void)dy;                                              \
        return db;                                                                                 \
    }
#include "ir/binary.def"
#undef KT_BINARY

static kt_status unary_infer(const kt_node *n, kt_spec *out) {
    *out = n->in[0]->spec;
    if (out->dtype != KT_BOOL) return KT_OK;
    return KT_FAIL(KT_EDTYPE, "%s: expected a number, got bool", n->op->name);
}

static kt_status binary_infer(const kt_node *n, kt_spec *out) {
    *out = n->in[0]->spec;
    if (n->in[0]->spec.dtype == n->in[1]->spec.dtype &&
        kt_shape_equal(&n->in[0]->spec.shape, &n->in[1]->spec.shape))
        return KT_OK;
    char a[KT_SHAPE_STR], b[KT_SHAPE_STR];
    KT_FAIL(KT_EDTYPE, "%s: operands differ", n->op->name);
    return kt_error_got(
        "%s and %s",
        kt_spec_str(&n->in[0]->spec, a, sizeof a),
        kt_spec_str(&n->in[1]->spec, b, sizeof b));
}

static kt_status compare_infer(const kt_node *n, kt_spec *out) {
    const kt_status st = binary_infer(n, out);
    out->dtype = KT_BOOL;
    return st;
}

/* Integers and bool: computed in double. */
#define ANY_LOOP                                                                                   \
    const kt_spec *s = &k->node->in[0]->spec;                                                      \
    const int64_t n = kt_shape_size(&s->shape);                                                    \
    for (int64_t i = 0; i < n; i++)

#define T double
#define M(f) f
#define KT_UNARY(name, value, grad)                                                                \
    static kt_status name##_any(const kt_kargs *k) {                                               \
        ANY_LOOP {                                                                                 \
            const double x = kt_elem_get(k->in[0], s->dtype, i);                                   \
            kt_elem_set(k->out[0], s->dtype, i, value);                                            \
        }                                                                                          \
        return KT_OK;                                                                              \
    }
#include "ir/unary.def"
#undef KT_UNARY
#define ANY_BINARY(name, value, out_dtype)                                                         \
    static kt_status name##_any(const kt_kargs *k) {                                               \
        ANY_LOOP {                                                                                 \
            const double a = kt_elem_get(k->in[0], s->dtype, i);                                   \
            const double b = kt_elem_get(k->in[1], s->dtype, i);                                   \
            kt_elem_set(k->out[0], out_dtype, i, value);                                           \
        }                                                                                          \
        return KT_OK;                                                                              \
    }
#define KT_BINARY(name, value, da, db) ANY_BINARY(name, value, s->dtype)
#include "ir/binary.def"
#undef KT_BINARY
#define KT_COMPARE(name, value) ANY_BINARY(name, value, KT_BOOL)
#include "ir/compare.def"
#undef KT_COMPARE
#undef T
#undef M

/* The gradients by op, so that one vjp serves each family. */
typedef kt_val *unary_grad(kt_graph *g, kt_val *x, kt_val *y, kt_val *dy);
typedef kt_val *binary_grad(kt_graph *g, kt_val *a, kt_val *b, kt_val *y, kt_val *dy);

#define KT_UNARY(name, value, grad)                                                                \
    static kt_status name##_vjp(                                                                   \
        kt_graph *g, const kt_node *n, kt_val *const *dy, kt_val **dx, const bool *want) {         \
        (void)want;                                                                                \
        dx[0] = name##_grad(g, n->in[0], n->out[0], dy[0]);                                        \
        return g->status;                                                                          \
    }
#include "ir/unary.def"
#undef KT_UNARY
#define KT_BINARY(name, value, da, db)                                                             \
    static kt_status name##_vjp(                                                                   \
        kt_graph *g, const kt_node *n, kt_val *const *dy, kt_val **dx, const bool *want) {         \
        if (want[0]) dx[0] = name##_grad_a(g, n->in[0], n->in[1], n->out[0], dy[0]);               \
        if (want[1]) dx[1] = name##_grad_b(g, n->in[0], n->in[1], n->out[0], dy[0]);               \
        return g->status;                                                                          \
    }
#include "ir/binary.def"
#undef KT_BINARY

/* Values stay away from kinks and poles: 0.3 … 0.9 suits every function of the families. */
static const kt_sample unary_samples[] = {
    {.in = {{.dim = {3, 5}, .low = 0.3, .high = 0.9}}},
    {.in = {{.dim = {1}, .low = 0.3, .high = 0.9}}},
    KT_SAMPLES_END};
static const kt_sample binary_samples[] = {
    {.in = {{.dim = {4, 3}, .low = 1.1, .high = 1.9}, {.dim = {4, 3}, .low = 0.3, .high = 0.9}}},
    {.in = {{.dim = {2, 3}}, {.dim = {3, 2}}}, .want = KT_EDTYPE},
    KT_SAMPLES_END};

#define KT_UNARY(name_, value, grad)                                                               \
    const kt_opdef kt_opdef_##name_ = {                                                            \
        .name = #name_,                                                                            \
        .n_in = 1,                                                                                 \
        .flags = KT_OP_ELEMENTWISE,                                                                \
        .infer = unary_infer,                                                                      \
        .vjp = name_##_vjp,                                                                        \
        .ref = {name_##_float, name_##_double, name_##_any},                                       \
        .samples = unary_samples,                                                                  \
    };
#include "ir/unary.def"
#undef KT_UNARY
#define KT_BINARY(name_, value, da, db)                                                            \
    const kt_opdef kt_opdef_##name_ = {                                                            \
        .name = #name_,                                                                            \
        .n_in = 2,                                                                                 \
        .flags = KT_OP_ELEMENTWISE,                                                                \
        .infer = binary_infer,                                                                     \
        .vjp = name_##_vjp,                                                                        \
        .ref = {name_##_float, name_##_double, name_##_any},                                       \
        .samples = binary_samples,                                                                 \
    };
#include "ir/binary.def"
#undef KT_BINARY
#define KT_COMPARE(name_, value)                                                                   \
    const kt_opdef kt_opdef_##name_ = {                                                            \
        .name = #name_,                                                                            \
        .n_in = 2,                                                                                 \
        .flags = KT_OP_ELEMENTWISE,                                                                \
        .infer = compare_infer,                                                                    \
        .ref = {name_##_float, name_##_double, name_##_any},                                       \
        .samples = binary_samples,                                                                 \
    };
#include "ir/compare.def"
#undef KT_COMPARE
