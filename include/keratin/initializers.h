/* First values of weights. Keras: keras.initializers.
 *
 * A layer takes them by name, as an object, or as a tensor of the weight's shape:
 *
 *     kt_dense(64, .kernel_initializer = "he_normal")
 *     kt_dense(64, .kernel_initializer = kt_init_random_normal(.stddev = 0.1, .seed = 7))
 *
 * Constructors return a floating object, which the layer adopts. Names are Keras' class names, the
 * same in snake case, and "normal", "uniform", "zero", "one".
 *
 * Random ones draw from a seed: without one (KT_NONE) it comes from the session's seed and the
 * path of the weight, so every weight gets numbers of its own, the same in each run after
 * kt_set_random_seed(). With one, equal shapes get equal values. Numbers do not depend on threads
 * or on the order in which layers are made. They are not Keras' own, only of the same
 * distribution. Weights that are no floating-point numbers are KT_EDTYPE, arguments that are NaN
 * KT_EINVAL. */
#ifndef KERATIN_INITIALIZERS_H
#define KERATIN_INITIALIZERS_H

#include <keratin/axes.h>
#include <keratin/tensor.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct kt_component kt_initializer;

/** 0 everywhere. Keras: Zeros, zeros.
 *
 *     kt_init_zeros()
 */
KT_API kt_initializer *kt_init_zeros(void);
/** 1 everywhere. Keras: Ones, ones.
 *
 *     kt_init_ones()
 */
KT_API kt_initializer *kt_init_ones(void);

/** One value everywhere, converted to the dtype. Keras: Constant, constant.
 *
 *     kt_init_constant(0.1)
 */
typedef struct kt_init_constant_args {
    size_t size;  ///< set by the macro
    double value; ///< default 0
} kt_init_constant_args;
#define KT_INIT_CONSTANT_DEFAULTS
#define kt_init_constant(...)                                                                      \
    KT_CALL(kt_init_constant_new, kt_init_constant_args, KT_INIT_CONSTANT_DEFAULTS, __VA_ARGS__)
KT_API kt_initializer *kt_init_constant_new(const kt_init_constant_args *args);

/** gain on the diagonal of a matrix, 0 elsewhere.
 *
 * Keras: Identity, identity.  Errors (when a weight is made): another rank than 2.
 *
 *     kt_init_identity(.gain = 0.5)
 */
typedef struct kt_init_identity_args {
    size_t size;
    double gain; ///< default 1
} kt_init_identity_args;
#define KT_INIT_IDENTITY_DEFAULTS .gain = 1,
#define kt_init_identity(...)                                                                      \
    KT_CALL(kt_init_identity_new, kt_init_identity_args, KT_INIT_IDENTITY_DEFAULTS, __VA_ARGS__)
KT_API kt_initializer *kt_init_identity_new(const kt_init_identity_args *args);

/** A random orthogonal matrix, uniform among all: its columns (its rows, if it is wide) are
 * orthogonal and have length `gain`. More axes: all but the last one together are the rows.
 *
 * Keras: Orthogonal, orthogonal.  Errors (when a weight is made): fewer than two axes.
 *
 *     kt_init_orthogonal(.gain = 1.4)
 */
typedef struct kt_init_orthogonal_args {
    size_t size;
    double gain;  ///< default 1
    int64_t seed; ///< default KT_NONE
} kt_init_orthogonal_args;
#define KT_INIT_ORTHOGONAL_DEFAULTS .gain = 1, .seed = KT_NONE,
#define kt_init_orthogonal(...)                                                                    \
    KT_CALL(                                                                                       \
        kt_init_orthogonal_new, kt_init_orthogonal_args, KT_INIT_ORTHOGONAL_DEFAULTS, __VA_ARGS__)
KT_API kt_initializer *kt_init_orthogonal_new(const kt_init_orthogonal_args *args);

/** The arguments of the two normal distributions. */
typedef struct kt_init_normal_args {
    size_t size;
    double mean;   ///< default 0
    double stddev; ///< default 0.05
    int64_t seed;  ///< default KT_NONE
} kt_init_normal_args;
#define KT_INIT_NORMAL_DEFAULTS .stddev = 0.05, .seed = KT_NONE,

/** Normal distribution. Keras: RandomNormal, random_normal, normal.
 *
 *     kt_init_random_normal(0, 0.1)
 */
#define kt_init_random_normal(...)                                                                 \
    KT_CALL(kt_init_random_normal_new, kt_init_normal_args, KT_INIT_NORMAL_DEFAULTS, __VA_ARGS__)
KT_API kt_initializer *kt_init_random_normal_new(const kt_init_normal_args *args);

/** Normal distribution without what is more than two stddev from the mean (which makes the standard
 * deviation 0.88 stddev). Keras: TruncatedNormal, truncated_normal.
 *
 *     kt_init_truncated_normal(.stddev = 0.02)
 */
#define kt_init_truncated_normal(...)                                                              \
    KT_CALL(kt_init_truncated_normal_new, kt_init_normal_args, KT_INIT_NORMAL_DEFAULTS, __VA_ARGS__)
KT_API kt_initializer *kt_init_truncated_normal_new(const kt_init_normal_args *args);

/** Uniform distribution, minval <= w < maxval. Keras: RandomUniform, random_uniform, uniform.
 *
 *     kt_init_random_uniform(-1, 1, .seed = 3)
 */
typedef struct kt_init_random_uniform_args {
    size_t size;
    double minval; ///< default -0.05
    double maxval; ///< default 0.05
    int64_t seed;  ///< default KT_NONE
} kt_init_random_uniform_args;
#define KT_INIT_RANDOM_UNIFORM_DEFAULTS .minval = -0.05, .maxval = 0.05, .seed = KT_NONE,
#define kt_init_random_uniform(...)                                                                \
    KT_CALL(                                                                                       \
        kt_init_random_uniform_new,                                                                \
        kt_init_random_uniform_args,                                                               \
        KT_INIT_RANDOM_UNIFORM_DEFAULTS,                                                           \
        __VA_ARGS__)
KT_API kt_initializer *kt_init_random_uniform_new(const kt_init_random_uniform_args *args);

/** Variance scale / n, n being the number of inputs or outputs of a unit.
 *
 * Keras: VarianceScaling.  A weight (…, in, out) has fan_in = in and fan_out = out times the
 * product of the leading axes; input_axes and output_axes, given together, say otherwise.
 * Errors: scale <= 0, unknown mode or distribution; (when a weight is made) axes out of range.
 *
 *     kt_init_variance_scaling(2, "fan_out", .distribution = "uniform")
 */
typedef struct kt_init_variance_scaling_args {
    size_t size;
    double scale;     ///< default 1
    const char *mode; ///< "fan_in" (default), "fan_out", "fan_avg"
    /** "truncated_normal" (default; also "normal"), "untruncated_normal", "uniform" */
    const char *distribution;
    int64_t seed;         ///< default KT_NONE
    kt_tuple input_axes;  ///< one axis or kt_axes(…); default KT_NONE
    kt_tuple output_axes; ///< default KT_NONE
} kt_init_variance_scaling_args;
#define KT_INIT_VARIANCE_SCALING_DEFAULTS                                                          \
    .scale = 1, .mode = "fan_in", .distribution = "truncated_normal", KT_INIT_FAN_DEFAULTS
#define kt_init_variance_scaling(...)                                                              \
    KT_CALL(                                                                                       \
        kt_init_variance_scaling_new,                                                              \
        kt_init_variance_scaling_args,                                                             \
        KT_INIT_VARIANCE_SCALING_DEFAULTS,                                                         \
        __VA_ARGS__)
KT_API kt_initializer *kt_init_variance_scaling_new(const kt_init_variance_scaling_args *args);

/** The arguments of the named cases of variance_scaling. */
typedef struct kt_init_fan_args {
    size_t size;
    int64_t seed;         ///< default KT_NONE
    kt_tuple input_axes;  ///< one axis or kt_axes(…); default KT_NONE
    kt_tuple output_axes; ///< default KT_NONE
} kt_init_fan_args;
#define KT_INIT_FAN_DEFAULTS .seed = KT_NONE, .input_axes = KT_NONE, .output_axes = KT_NONE,

/** Uniform, limit sqrt(6 / (fan_in + fan_out)). Keras: GlorotUniform.
 *
 *     kt_init_glorot_uniform(.seed = 7)
 */
#define kt_init_glorot_uniform(...)                                                                \
    KT_CALL(kt_init_glorot_uniform_new, kt_init_fan_args, KT_INIT_FAN_DEFAULTS, __VA_ARGS__)
KT_API kt_initializer *kt_init_glorot_uniform_new(const kt_init_fan_args *args);
/** Truncated normal, variance 2 / (fan_in + fan_out). Keras: GlorotNormal.
 *
 *     kt_init_glorot_normal()
 */
#define kt_init_glorot_normal(...)                                                                 \
    KT_CALL(kt_init_glorot_normal_new, kt_init_fan_args, KT_INIT_FAN_DEFAULTS, __VA_ARGS__)
KT_API kt_initializer *kt_init_glorot_normal_new(const kt_init_fan_args *args);
/** Uniform, limit sqrt(6 / fan_in). Keras: HeUniform.
 *
 *     kt_init_he_uniform()
 */
#define kt_init_he_uniform(...)                                                                    \
    KT_CALL(kt_init_he_uniform_new, kt_init_fan_args, KT_INIT_FAN_DEFAULTS, __VA_ARGS__)
KT_API kt_initializer *kt_init_he_uniform_new(const kt_init_fan_args *args);
/** Truncated normal, variance 2 / fan_in. Keras: HeNormal.
 *
 *     kt_init_he_normal()
 */
#define kt_init_he_normal(...)                                                                     \
    KT_CALL(kt_init_he_normal_new, kt_init_fan_args, KT_INIT_FAN_DEFAULTS, __VA_ARGS__)
KT_API kt_initializer *kt_init_he_normal_new(const kt_init_fan_args *args);
/** Uniform, limit sqrt(3 / fan_in). Keras: LecunUniform.
 *
 *     kt_init_lecun_uniform()
 */
#define kt_init_lecun_uniform(...)                                                                 \
    KT_CALL(kt_init_lecun_uniform_new, kt_init_fan_args, KT_INIT_FAN_DEFAULTS, __VA_ARGS__)
KT_API kt_initializer *kt_init_lecun_uniform_new(const kt_init_fan_args *args);
/** Truncated normal, variance 1 / fan_in. Keras: LecunNormal.
 *
 *     kt_init_lecun_normal()
 */
#define kt_init_lecun_normal(...)                                                                  \
    KT_CALL(kt_init_lecun_normal_new, kt_init_fan_args, KT_INIT_FAN_DEFAULTS, __VA_ARGS__)
KT_API kt_initializer *kt_init_lecun_normal_new(const kt_init_fan_args *args);

/** Kernels (frame length, 1, bins) of a convolution that does a short-time Fourier transform.
 *
 * Keras: STFT.  Errors: unknown side, window or scaling; (when a weight is made) another shape.
 *
 *     kt_init_stft("imag", .window = "hamming")
 */
typedef struct kt_init_stft_args {
    size_t size;
    const char *side; ///< "real" (default) or "imag"
    /** "hann" (default), "hamming", "blackman", "boxcar", "bartlett", "triang", "cosine",
     * "nuttall", "blackmanharris", "flattop"; NULL: none */
    const char *window;
    const char *scaling; ///< "density" (default), "spectrum" or NULL: none
    bool periodic;       ///< default false
} kt_init_stft_args;
#define KT_INIT_STFT_DEFAULTS .side = "real", .window = "hann", .scaling = "density",
#define kt_init_stft(...)                                                                          \
    KT_CALL(kt_init_stft_new, kt_init_stft_args, KT_INIT_STFT_DEFAULTS, __VA_ARGS__)
KT_API kt_initializer *kt_init_stft_new(const kt_init_stft_args *args);

/** First values of your own: fn gets the new weight, all 0, and writes its elements. `seed`
 * differs from weight to weight and follows the session's seed. `data` is yours and must live as
 * long as the object. Keras: any callable.  Errors: fn is NULL; what fn returns.
 *
 *     static kt_status ramp(kt_tensor *w, uint64_t seed, void *data) {
 *         (void)seed, (void)data;
 *         for (int64_t i = 0; i < kt_tensor_size(w); i++) kt_tensor_set(w, i, (double)i);
 *         return KT_OK;
 *     }
 *     kt_dense(8, .bias_initializer = kt_init_custom(ramp))
 */
typedef kt_status kt_init_fn(kt_tensor *w, uint64_t seed, void *data);
typedef struct kt_init_custom_args {
    size_t size;
    kt_init_fn *fn;
    void *data;
    const char *name; ///< default: the function's
    const char *text; ///< set by the macro
} kt_init_custom_args;
#define KT_INIT_CUSTOM_DEFAULTS(text_) .text = text_,
#define kt_init_custom(...)                                                                        \
    KT_CALL(                                                                                       \
        kt_init_custom_new,                                                                        \
        kt_init_custom_args,                                                                       \
        KT_INIT_CUSTOM_DEFAULTS(#__VA_ARGS__),                                                     \
        __VA_ARGS__)
KT_API kt_initializer *kt_init_custom_new(const kt_init_custom_args *args);

#ifdef __cplusplus
}
#endif
#endif
