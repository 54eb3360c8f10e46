/* Activation functions as operations: keras.ops.gelu(x) between kt_input() and kt_functional() is
 * an operation of its own in Keras' files. Each stands for the activation of its name. */
#include "base/error.h"
#include "nn/activations/activation.h"
#include "nn/tracer.h"

#include <keratin/ops_activations.h>

#include <string.h>

typedef struct { /* every argument that one of them has */
    double negative_slope, alpha, threshold, default_value, b;
    int axis;
    bool approximate;
} act_attrs;

static kt_val *act_build(
    kt_graph *g,
    kt_val *x,
    const kt_activation_class *cls,
    const kt_field *fields,
    const void *attrs) {
    unsigned char args[64] __attribute__((aligned(16))) = {0};
    if (cls->base.args_size > sizeof args) return kt_graph_fail(g, KT_EINTERNAL);
    if (cls->base.defaults) memcpy(args, cls->base.defaults, cls->base.args_size);
    *(size_t *)(void *)args = cls->base.args_size;
    for (const kt_field *f = fields; f && f->type; f++)
        for (const kt_field *to = cls->base.fields; to && to->type; to++)
            if (!strcmp(to->name, f->name) && to->size == f->size)
                memcpy(args + to->offset, (const char *)attrs + f->offset, f->size);
    kt_component *c = kt_component_new(&cls->base, args);
    if (kt_failed(c)) return kt_graph_fail(g, kt_check(c));
    kt_val *y = kt_unwrap(kt_activation_apply(c, kt_wrap(x)), NULL);
    kt_drop(c);
    return y;
}

static const kt_field slope_fields[] = {KT_F(act_attrs, negative_slope), KT_F_END};
static const kt_field alpha_fields[] = {KT_F(act_attrs, alpha), KT_F_END};
static const kt_field threshold_fields[] = {KT_F(act_attrs, threshold), KT_F_END};
static const kt_field b_fields[] = {KT_F(act_attrs, b), KT_F_END};
static const kt_field axis_fields[] = {KT_F(act_attrs, axis), KT_F_END};
static const kt_field approximate_fields[] = {KT_F(act_attrs, approximate), KT_F_END};
static const kt_field two_fields[] = {
    KT_F(act_attrs, threshold), KT_F(act_attrs, default_value), KT_F_END};

#define ACT(fn, camel, fields)                                                                     \
    static kt_val *fn##_build(kt_graph *g, int n, kt_val **in, const void *attrs) {                \
        (void)n;                                                                                   \
        return act_build(g, in[0], &kt_activation_class_##fn, fields, attrs);                      \
    }                                                                                              \
    static const kt_op_class fn##_class = {camel, sizeof(act_attrs), fn##_build, NULL};
#define PLAIN(fn, camel)                                                                           \
    ACT(fn, camel, NULL)                                                                           \
    kt_sym *kt_op_##fn(kt_sym *x) { return kt_op_apply(&fn##_class, 1, &x, &(act_attrs){0}); }
#define WITH(fn, camel, fields, type, arg)                                                         \
    ACT(fn, camel, fields)                                                                         \
    kt_sym *kt_op_##fn(kt_sym *x, type arg) {                                                      \
        act_attrs a;                                                                               \
        memset(&a, 0, sizeof a);                                                                   \
        a.arg = arg;                                                                               \
        return kt_op_apply(&fn##_class, 1, &x, &a);                                                \
    }
PLAIN(relu6, "Relu6")
PLAIN(softsign, "Softsign")
PLAIN(silu, "Silu")
PLAIN(log_sigmoid, "LogSigmoid")
PLAIN(hard_sigmoid, "HardSigmoid")
PLAIN(hard_silu, "HardSilu")
PLAIN(selu, "Selu")
PLAIN(tanh_shrink, "TanhShrink")
PLAIN(hard_tanh, "HardTanh")
PLAIN(sparse_plus, "SparsePlus")
PLAIN(sparse_sigmoid, "SparseSigmoid")
WITH(leaky_relu, "LeakyRelu", slope_fields, double, negative_slope)
WITH(elu, "Elu", alpha_fields, double, alpha)
WITH(celu, "Celu", alpha_fields, double, alpha)
WITH(gelu, "Gelu", approximate_fields, bool, approximate)
WITH(hard_shrink, "HardShrink", threshold_fields, double, threshold)
WITH(soft_shrink, "SoftShrink", threshold_fields, double, threshold)
ACT(threshold, "Threshold", two_fields)
kt_sym *kt_op_threshold(kt_sym *x, double threshold, double default_value) {
    act_attrs a;
    memset(&a, 0, sizeof a);
    a.threshold = threshold;
    a.default_value = default_value;
    return kt_op_apply(&threshold_class, 1, &x, &a);
}
WITH(squareplus, "Squareplus", b_fields, double, b)
WITH(glu, "Glu", axis_fields, int, axis)
WITH(sparsemax, "Sparsemax", axis_fields, int, axis)

const kt_op_form kt_op_forms_activations[] = {
    {&relu6_class, "nn", 1, NULL, NULL, NULL},
    {&softsign_class, "nn", 1, NULL, NULL, NULL},
    {&silu_class, "nn", 1, NULL, NULL, NULL},
    {&log_sigmoid_class, "nn", 1, NULL, NULL, NULL},
    {&hard_sigmoid_class, "nn", 1, NULL, NULL, NULL},
    {&hard_silu_class, "nn", 1, NULL, NULL, NULL},
    {&selu_class, "nn", 1, NULL, NULL, NULL},
    {&tanh_shrink_class, "nn", 1, NULL, NULL, NULL},
    {&hard_tanh_class, "nn", 1, NULL, NULL, NULL},
    {&sparse_plus_class, "nn", 1, NULL, NULL, NULL},
    {&sparse_sigmoid_class, "nn", 1, NULL, NULL, NULL},
    {&leaky_relu_class, "nn", 1, slope_fields, NULL, NULL},
    {&elu_class, "nn", 1, alpha_fields, NULL, NULL},
    {&celu_class, "nn", 1, alpha_fields, NULL, NULL},
    {&gelu_class, "nn", 1, approximate_fields, NULL, NULL},
    {&hard_shrink_class, "nn", 1, threshold_fields, NULL, NULL},
    {&soft_shrink_class, "nn", 1, threshold_fields, NULL, NULL},
    {&threshold_class, "nn", 1, two_fields, NULL, NULL},
    {&squareplus_class, "nn", 1, b_fields, NULL, NULL},
    {&glu_class, "nn", 1, axis_fields, NULL, NULL},
    {&sparsemax_class, "nn", 1, axis_fields, NULL, NULL},
    {NULL, NULL, 0, NULL, NULL, NULL}};
