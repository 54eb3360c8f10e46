/* kt_op_*, continued: functions of whole numbers, by their bits and their divisors (ops/bits.c). */
#include "nn/symbolic/symbolic.h"

#include <keratin/ops_elementwise.h>

#define WHOLE(fn, camel, kind)                                                                     \
    KT_OP_BUILD(fn) {                                                                              \
        (void)n, (void)attrs;                                                                      \
        return kt_op_pair(g, in, false) ? kt_g_bits(g, kind, in[0], in[1]) : NULL;                 \
    }                                                                                              \
    static const kt_op_class fn##_class = {camel, 0, fn##_build, NULL};                            \
    kt_sym *kt_op_##fn(kt_sym *a, kt_sym *b) {                                                     \
        kt_sym *in[2] = {a, b};                                                                    \
        return kt_op_apply(&fn##_class, 2, in, NULL);                                              \
    }
WHOLE(bitwise_and, "BitwiseAnd", KT_BITS_AND)
WHOLE(bitwise_or, "BitwiseOr", KT_BITS_OR)
WHOLE(bitwise_xor, "BitwiseXor", KT_BITS_XOR)
WHOLE(bitwise_left_shift, "BitwiseLeftShift", KT_BITS_LEFT)
WHOLE(bitwise_right_shift, "BitwiseRightShift", KT_BITS_RIGHT)
WHOLE(left_shift, "LeftShift", KT_BITS_LEFT)
WHOLE(right_shift, "RightShift", KT_BITS_RIGHT)
WHOLE(gcd, "Gcd", KT_BITS_GCD)
WHOLE(lcm, "Lcm", KT_BITS_LCM)

/* All bits change: those of -1, in the types that have it. */
static kt_val *inverted(kt_graph *g, kt_val *x) {
    const kt_dtype d = x->spec.dtype;
    const double ones = d == KT_BOOL ? 1 : d == KT_UINT8 ? 255 : -1;
    return kt_g_bits(g, KT_BITS_XOR, x, kt_g_num(g, ones, x));
}

#define INVERT(fn, camel)                                                                          \
    KT_OP_BUILD(fn) {                                                                              \
        (void)n, (void)attrs;                                                                      \
        return inverted(g, in[0]);                                                                 \
    }                                                                                              \
    static const kt_op_class fn##_class = {camel, 0, fn##_build, NULL};                            \
    kt_sym *kt_op_##fn(kt_sym *x) { return kt_op_apply(&fn##_class, 1, &x, NULL); }
INVERT(bitwise_not, "BitwiseNot")
INVERT(bitwise_invert, "BitwiseInvert")

/* Files ---------------------------------------------------------------------------------------- */

const kt_op_form kt_op_forms_whole[] = {
    {&bitwise_and_class, "numpy", 2, NULL, NULL, NULL},
    {&bitwise_or_class, "numpy", 2, NULL, NULL, NULL},
    {&bitwise_xor_class, "numpy", 2, NULL, NULL, NULL},
    {&bitwise_left_shift_class, "numpy", 2, NULL, NULL, NULL},
    {&bitwise_right_shift_class, "numpy", 2, NULL, NULL, NULL},
    {&left_shift_class, "numpy", 2, NULL, NULL, NULL},
    {&right_shift_class, "numpy", 2, NULL, NULL, NULL},
    {&gcd_class, "numpy", 2, NULL, NULL, NULL},
    {&lcm_class, "numpy", 2, NULL, NULL, NULL},
    {&bitwise_not_class, "numpy", 1, NULL, NULL, NULL},
    {&bitwise_invert_class, "numpy", 1, NULL, NULL, NULL},
    {NULL, NULL, 0, NULL, NULL, NULL}};
