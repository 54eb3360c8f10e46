/* Activation functions. Keras: keras.activations.
 *
 * A layer takes them by name or as an object:
 *
 *     kt_dense(64, .activation = "relu")
 *     kt_dense(64, .activation = kt_act_relu(.max_value = 6))
 *
 * The name stands for the function with Keras' defaults; NULL (None) is "linear". Constructors
 * return a floating object, which the layer adopts. Names are Keras' function names, with "swish"
 * for silu and "hard_swish" for hard_silu. A layer is accepted too, as in Keras: .activation =
 * kt_relu(). */
#ifndef KERATIN_ACTIVATIONS_H
#define KERATIN_ACTIVATIONS_H

#include <keratin/ops.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct kt_component kt_activation_fn;

/** x above the threshold, at most max_value; negative_slope (x - threshold) below it.
 *
 * Keras: relu.  Errors: an argument that is NaN.
 *
 *     kt_act_relu(.negative_slope = 0.1)
 */
typedef struct kt_act_relu_args {
    size_t size;           ///< set by the macro
    double negative_slope; ///< default 0
    double max_value;      ///< default KT_NONE_F: no ceiling
    double threshold;      ///< default 0
} kt_act_relu_args;
#define KT_ACT_RELU_DEFAULTS .max_value = KT_NONE_F,
#define kt_act_relu(...)                                                                           \
    KT_CALL(kt_act_relu_new, kt_act_relu_args, KT_ACT_RELU_DEFAULTS, __VA_ARGS__)
KT_API kt_activation_fn *kt_act_relu_new(const kt_act_relu_args *args);

/** min(max(x, 0), 6). Keras: relu6.
 *
 *     kt_act_relu6()
 */
KT_API kt_activation_fn *kt_act_relu6(void);

/** x, or negative_slope x where x is negative.
 *
 * Keras: leaky_relu (the layer LeakyReLU has another default).  Errors: NaN.
 *
 *     kt_act_leaky_relu(0.01)
 */
typedef struct kt_act_leaky_relu_args {
    size_t size;
    double negative_slope; ///< default 0.2
} kt_act_leaky_relu_args;
#define KT_ACT_LEAKY_RELU_DEFAULTS .negative_slope = 0.2,
#define kt_act_leaky_relu(...)                                                                     \
    KT_CALL(kt_act_leaky_relu_new, kt_act_leaky_relu_args, KT_ACT_LEAKY_RELU_DEFAULTS, __VA_ARGS__)
KT_API kt_activation_fn *kt_act_leaky_relu_new(const kt_act_leaky_relu_args *args);

/** The argument of elu and celu. */
typedef struct kt_act_alpha_args {
    size_t size;
    double alpha; ///< default 1
} kt_act_alpha_args;
#define KT_ACT_ALPHA_DEFAULTS .alpha = 1,

/** x, or alpha (e^x - 1) where x is negative. Keras: elu.  Errors: NaN.
 *
 *     kt_act_elu(.alpha = 0.5)
 */
#define kt_act_elu(...)                                                                            \
    KT_CALL(kt_act_elu_new, kt_act_alpha_args, KT_ACT_ALPHA_DEFAULTS, __VA_ARGS__)
KT_API kt_activation_fn *kt_act_elu_new(const kt_act_alpha_args *args);

/** x, or alpha (e^(x / alpha) - 1) where x is negative: slope 1 at 0 for every alpha.
 *
 * Keras: celu.  Errors: NaN.
 *
 *     kt_act_celu(.alpha = 2)
 */
#define kt_act_celu(...)                                                                           \
    KT_CALL(kt_act_celu_new, kt_act_alpha_args, KT_ACT_ALPHA_DEFAULTS, __VA_ARGS__)
KT_API kt_activation_fn *kt_act_celu_new(const kt_act_alpha_args *args);

/** 1.0507 elu(x, 1.6733): keeps mean 0 and variance 1. Keras: selu.
 *
 *     kt_act_selu()
 */
KT_API kt_activation_fn *kt_act_selu(void);

/** x Phi(x), Phi being the normal distribution.
 *
 * Keras: gelu.
 *
 *     kt_act_gelu(.approximate = true)
 */
typedef struct kt_act_gelu_args {
    size_t size;
    bool approximate; ///< default false; true: x (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3))) / 2
} kt_act_gelu_args;
#define KT_ACT_GELU_DEFAULTS
#define kt_act_gelu(...)                                                                           \
    KT_CALL(kt_act_gelu_new, kt_act_gelu_args, KT_ACT_GELU_DEFAULTS, __VA_ARGS__)
KT_API kt_activation_fn *kt_act_gelu_new(const kt_act_gelu_args *args);

/** x sigmoid(x). Keras: silu, swish.
 *
 *     kt_act_silu()
 */
KT_API kt_activation_fn *kt_act_silu(void);
/** x hard_sigmoid(x). Keras: hard_silu, hard_swish.
 *
 *     kt_act_hard_silu()
 */
KT_API kt_activation_fn *kt_act_hard_silu(void);
/** x tanh(softplus(x)). Keras: mish.
 *
 *     kt_act_mish()
 */
KT_API kt_activation_fn *kt_act_mish(void);

/** 1 / (1 + e^-x). Keras: sigmoid.
 *
 *     kt_act_sigmoid()
 */
KT_API kt_activation_fn *kt_act_sigmoid(void);
/** x / 6 + 1/2, cut to 0 … 1 (Keras 2 had x / 5 + 1/2). Keras: hard_sigmoid.
 *
 *     kt_act_hard_sigmoid()
 */
KT_API kt_activation_fn *kt_act_hard_sigmoid(void);
/** min(max(x / 5 + 1/2, 0), 1): what hard_sigmoid was before Keras 3; files of Keras 1 and 2 mean
 * this one. */
KT_API kt_activation_fn *kt_act_keras2_hard_sigmoid(void);
/** log(sigmoid(x)) = -softplus(-x). Keras: log_sigmoid.
 *
 *     kt_act_log_sigmoid()
 */
KT_API kt_activation_fn *kt_act_log_sigmoid(void);
/** (x + 1) / 2, cut to 0 … 1. Keras: sparse_sigmoid.
 *
 *     kt_act_sparse_sigmoid()
 */
KT_API kt_activation_fn *kt_act_sparse_sigmoid(void);

/** tanh(x). Keras: tanh.
 *
 *     kt_act_tanh()
 */
KT_API kt_activation_fn *kt_act_tanh(void);
/** x cut to -1 … 1. Keras: hard_tanh.
 *
 *     kt_act_hard_tanh()
 */
KT_API kt_activation_fn *kt_act_hard_tanh(void);
/** x - tanh(x). Keras: tanh_shrink.
 *
 *     kt_act_tanh_shrink()
 */
KT_API kt_activation_fn *kt_act_tanh_shrink(void);

/** log(1 + e^x), without overflow. Keras: softplus.
 *
 *     kt_act_softplus()
 */
KT_API kt_activation_fn *kt_act_softplus(void);
/** 0 below -1, (x + 1)^2 / 4 up to 1, x above. Keras: sparse_plus.
 *
 *     kt_act_sparse_plus()
 */
KT_API kt_activation_fn *kt_act_sparse_plus(void);
/** x / (1 + |x|). Keras: softsign.
 *
 *     kt_act_softsign()
 */
KT_API kt_activation_fn *kt_act_softsign(void);

/** (x + sqrt(x^2 + b)) / 2.
 *
 * Keras: squareplus.  Errors: b is NaN.
 *
 *     kt_act_squareplus(.b = 0.5)
 */
typedef struct kt_act_squareplus_args {
    size_t size;
    double b; ///< default 4
} kt_act_squareplus_args;
#define KT_ACT_SQUAREPLUS_DEFAULTS .b = 4,
#define kt_act_squareplus(...)                                                                     \
    KT_CALL(kt_act_squareplus_new, kt_act_squareplus_args, KT_ACT_SQUAREPLUS_DEFAULTS, __VA_ARGS__)
KT_API kt_activation_fn *kt_act_squareplus_new(const kt_act_squareplus_args *args);

/** The argument of soft_shrink and hard_shrink. */
typedef struct kt_act_shrink_args {
    size_t size;
    double threshold; ///< default 0.5
} kt_act_shrink_args;
#define KT_ACT_SHRINK_DEFAULTS .threshold = 0.5,

/** x moved towards 0 by the threshold, 0 where it would cross it. Keras: soft_shrink.  Errors: NaN.
 *
 *     kt_act_soft_shrink(1.5)
 */
#define kt_act_soft_shrink(...)                                                                    \
    KT_CALL(kt_act_soft_shrink_new, kt_act_shrink_args, KT_ACT_SHRINK_DEFAULTS, __VA_ARGS__)
KT_API kt_activation_fn *kt_act_soft_shrink_new(const kt_act_shrink_args *args);

/** x where |x| is above the threshold, else 0. Keras: hard_shrink.  Errors: NaN.
 *
 *     kt_act_hard_shrink(.threshold = 1)
 */
#define kt_act_hard_shrink(...)                                                                    \
    KT_CALL(kt_act_hard_shrink_new, kt_act_shrink_args, KT_ACT_SHRINK_DEFAULTS, __VA_ARGS__)
KT_API kt_activation_fn *kt_act_hard_shrink_new(const kt_act_shrink_args *args);

/** x where it is above the threshold, else default_value.
 *
 * Keras: threshold (both arguments are required, so the name alone will not do).  Errors: NaN.
 *
 *     kt_act_threshold(1, -7)
 */
typedef struct kt_act_threshold_args {
    size_t size;
    double threshold;
    double default_value;
} kt_act_threshold_args;
#define KT_ACT_THRESHOLD_DEFAULTS
#define kt_act_threshold(...)                                                                      \
    KT_CALL(kt_act_threshold_new, kt_act_threshold_args, KT_ACT_THRESHOLD_DEFAULTS, __VA_ARGS__)
KT_API kt_activation_fn *kt_act_threshold_new(const kt_act_threshold_args *args);

/** e^x. Keras: exponential.
 *
 *     kt_act_exponential()
 */
KT_API kt_activation_fn *kt_act_exponential(void);
/** x. Keras: linear, and None.
 *
 *     kt_act_linear()
 */
KT_API kt_activation_fn *kt_act_linear(void);

/** The argument of the functions along an axis. */
typedef struct kt_act_axis_args {
    size_t size;
    int axis; ///< default -1
} kt_act_axis_args;
#define KT_ACT_AXIS_DEFAULTS .axis = -1,

/** e^x / sum(e^x) along an axis. Keras: softmax.  Errors (when called): axis out of range.
 *
 *     kt_act_softmax(.axis = 1)
 */
#define kt_act_softmax(...)                                                                        \
    KT_CALL(kt_act_softmax_new, kt_act_axis_args, KT_ACT_AXIS_DEFAULTS, __VA_ARGS__)
KT_API kt_activation_fn *kt_act_softmax_new(const kt_act_axis_args *args);

/** log(softmax(x)) along an axis, without underflow. Keras: log_softmax.  Errors: as softmax.
 *
 *     kt_act_log_softmax()
 */
#define kt_act_log_softmax(...)                                                                    \
    KT_CALL(kt_act_log_softmax_new, kt_act_axis_args, KT_ACT_AXIS_DEFAULTS, __VA_ARGS__)
KT_API kt_activation_fn *kt_act_log_softmax_new(const kt_act_axis_args *args);

/** The nearest point of the simplex: like softmax with true zeros. Keras: sparsemax.  Errors: as
 * softmax.
 *
 *     kt_act_sparsemax()
 */
#define kt_act_sparsemax(...)                                                                      \
    KT_CALL(kt_act_sparsemax_new, kt_act_axis_args, KT_ACT_AXIS_DEFAULTS, __VA_ARGS__)
KT_API kt_activation_fn *kt_act_sparsemax_new(const kt_act_axis_args *args);

/** a sigmoid(b), where a and b are the halves of x along an axis.
 *
 * Keras: glu.  Shape: that axis becomes half as long.  Errors (when called): axis out of range,
 * odd length.
 *
 *     kt_act_glu()
 */
#define kt_act_glu(...) KT_CALL(kt_act_glu_new, kt_act_axis_args, KT_ACT_AXIS_DEFAULTS, __VA_ARGS__)
KT_API kt_activation_fn *kt_act_glu_new(const kt_act_axis_args *args);

/** A function of your own, made of kt_op_* functions; the gradient comes by itself. `data` is
 * yours and must live as long as the object. Keras: any callable.  Errors: fn is NULL.
 *
 *     static kt_sym *cube(kt_sym *x, void *data) {
 *         (void)data;
 *         return kt_op_power(x, kt_num(3));
 *     }
 *     kt_dense(8, .activation = kt_act_custom(cube))
 */
typedef kt_sym *kt_act_fn(kt_sym *x, void *data);
typedef struct kt_act_custom_args {
    size_t size;
    kt_act_fn *fn;
    void *data;
    const char *name; ///< default: the function's
    const char *text; ///< set by the macro
} kt_act_custom_args;
#define KT_ACT_CUSTOM_DEFAULTS(text_) .text = text_,
#define kt_act_custom(...)                                                                         \
    KT_CALL(                                                                                       \
        kt_act_custom_new, kt_act_custom_args, KT_ACT_CUSTOM_DEFAULTS(#__VA_ARGS__), __VA_ARGS__)
KT_API kt_activation_fn *kt_act_custom_new(const kt_act_custom_args *args);

#ifdef __cplusplus
}
#endif
#endif
