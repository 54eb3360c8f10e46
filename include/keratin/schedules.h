/* Learning rates that follow the number of steps. Keras: keras.optimizers.schedules.
 *
 * A schedule is handed to an optimizer: kt_opt_adam(.schedule = kt_sched_cosine_decay(0.01, 1000)).
 * The optimizer asks it at every step, inside the training program, with the count of batches seen
 * so far. The first steps of a new optimizer see 0, 1, 2 … */
#ifndef KERATIN_SCHEDULES_H
#define KERATIN_SCHEDULES_H

#include <keratin/tensor.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct kt_component kt_schedule;

/** initial_learning_rate * decay_rate ^ (step / decay_steps).
 *
 * Keras: ExponentialDecay.  Errors: decay_steps <= 0.
 *
 *     kt_sched_exponential_decay(0.1, 1000, 0.96, .staircase = true)
 */
typedef struct kt_sched_exponential_decay_args {
    size_t size; ///< set by the macro
    double initial_learning_rate;
    double decay_steps; ///< > 0
    double decay_rate;
    bool staircase;   ///< default false; true: step / decay_steps is rounded down
    const char *name; ///< default "ExponentialDecay"
} kt_sched_exponential_decay_args;
#define KT_SCHED_EXPONENTIAL_DECAY_DEFAULTS .name = "ExponentialDecay",
#define kt_sched_exponential_decay(...)                                                            \
    KT_CALL(                                                                                       \
        kt_sched_exponential_decay_new,                                                            \
        kt_sched_exponential_decay_args,                                                           \
        KT_SCHED_EXPONENTIAL_DECAY_DEFAULTS,                                                       \
        __VA_ARGS__)
KT_API kt_schedule *kt_sched_exponential_decay_new(const kt_sched_exponential_decay_args *args);

/** initial_learning_rate / (1 + decay_rate * step / decay_steps).
 *
 * Keras: InverseTimeDecay.  Errors: decay_steps <= 0.
 *
 *     kt_sched_inverse_time_decay(0.1, 1, 0.5)
 */
typedef struct kt_sched_inverse_time_decay_args {
    size_t size;
    double initial_learning_rate;
    double decay_steps; ///< > 0
    double decay_rate;
    bool staircase;   ///< default false; true: step / decay_steps is rounded down
    const char *name; ///< default "InverseTimeDecay"
} kt_sched_inverse_time_decay_args;
#define KT_SCHED_INVERSE_TIME_DECAY_DEFAULTS .name = "InverseTimeDecay",
#define kt_sched_inverse_time_decay(...)                                                           \
    KT_CALL(                                                                                       \
        kt_sched_inverse_time_decay_new,                                                           \
        kt_sched_inverse_time_decay_args,                                                          \
        KT_SCHED_INVERSE_TIME_DECAY_DEFAULTS,                                                      \
        __VA_ARGS__)
KT_API kt_schedule *kt_sched_inverse_time_decay_new(const kt_sched_inverse_time_decay_args *args);

/** From initial_learning_rate to end_learning_rate along (1 - step / decay_steps) ^ power.
 *
 * Keras: PolynomialDecay.  Errors: decay_steps <= 0.
 *
 *     kt_sched_polynomial_decay(0.1, 10000, 0.01, .power = 0.5)
 */
typedef struct kt_sched_polynomial_decay_args {
    size_t size;
    double initial_learning_rate;
    double decay_steps;       ///< > 0
    double end_learning_rate; ///< default 0.0001
    double power;             ///< default 1: a straight line
    bool cycle;       ///< default false; true: starts anew beyond decay_steps, longer each time
    const char *name; ///< default "PolynomialDecay"
} kt_sched_polynomial_decay_args;
#define KT_SCHED_POLYNOMIAL_DECAY_DEFAULTS                                                         \
    .end_learning_rate = 0.0001, .power = 1.0, .name = "PolynomialDecay",
#define kt_sched_polynomial_decay(...)                                                             \
    KT_CALL(                                                                                       \
        kt_sched_polynomial_decay_new,                                                             \
        kt_sched_polynomial_decay_args,                                                            \
        KT_SCHED_POLYNOMIAL_DECAY_DEFAULTS,                                                        \
        __VA_ARGS__)
KT_API kt_schedule *kt_sched_polynomial_decay_new(const kt_sched_polynomial_decay_args *args);

/** values[i] up to and including step boundaries[i], the last value after that.
 *
 * Keras: PiecewiseConstantDecay.  Errors: values must be one longer than boundaries.
 *
 *     kt_sched_piecewise_constant_decay(kt_floats(1000, 5000), kt_floats(1, 0.5, 0.1))
 */
typedef struct kt_sched_piecewise_constant_decay_args {
    size_t size;
    kt_floats_t boundaries; ///< steps, rising
    kt_floats_t values;     ///< one more than boundaries
    const char *name;       ///< default "PiecewiseConstant"
} kt_sched_piecewise_constant_decay_args;
#define KT_SCHED_PIECEWISE_CONSTANT_DECAY_DEFAULTS .name = "PiecewiseConstant",
#define kt_sched_piecewise_constant_decay(...)                                                     \
    KT_CALL(                                                                                       \
        kt_sched_piecewise_constant_decay_new,                                                     \
        kt_sched_piecewise_constant_decay_args,                                                    \
        KT_SCHED_PIECEWISE_CONSTANT_DECAY_DEFAULTS,                                                \
        __VA_ARGS__)
KT_API kt_schedule *kt_sched_piecewise_constant_decay_new(
    const kt_sched_piecewise_constant_decay_args *args);

/** Half a cosine from initial_learning_rate down to alpha times it, after an optional linear
 * warm-up.
 *
 * With warmup_target the rate first rises from initial_learning_rate to warmup_target in
 * warmup_steps, then decays from there. Keras: CosineDecay.  Errors: decay_steps <= 0.
 *
 *     kt_sched_cosine_decay(0.0, 1000, .warmup_target = 0.1, .warmup_steps = 100)
 */
typedef struct kt_sched_cosine_decay_args {
    size_t size;
    double initial_learning_rate;
    double decay_steps;   ///< > 0; without the steps of the warm-up
    double alpha;         ///< default 0: the end, as a part of the rate that decays
    const char *name;     ///< default "CosineDecay"
    double warmup_target; ///< default KT_NONE_F: no warm-up
    double warmup_steps;  ///< default 0
} kt_sched_cosine_decay_args;
#define KT_SCHED_COSINE_DECAY_DEFAULTS .name = "CosineDecay", .warmup_target = KT_NONE_F,
#define kt_sched_cosine_decay(...)                                                                 \
    KT_CALL(                                                                                       \
        kt_sched_cosine_decay_new,                                                                 \
        kt_sched_cosine_decay_args,                                                                \
        KT_SCHED_COSINE_DECAY_DEFAULTS,                                                            \
        __VA_ARGS__)
KT_API kt_schedule *kt_sched_cosine_decay_new(const kt_sched_cosine_decay_args *args);

/** Cosine decay that starts anew after first_decay_steps, then after t_mul times as many, and so
 * on; each start is m_mul times as high. Keras: CosineDecayRestarts.
 *
 * Errors: first_decay_steps <= 0.
 *
 *     kt_sched_cosine_decay_restarts(0.1, 1000, .m_mul = 0.8)
 */
typedef struct kt_sched_cosine_decay_restarts_args {
    size_t size;
    double initial_learning_rate;
    double first_decay_steps; ///< > 0
    double t_mul;             ///< default 2
    double m_mul;             ///< default 1
    double alpha;             ///< default 0: the end, as a part of initial_learning_rate
    const char *name;         ///< default "SGDRDecay"
} kt_sched_cosine_decay_restarts_args;
#define KT_SCHED_COSINE_DECAY_RESTARTS_DEFAULTS .t_mul = 2.0, .m_mul = 1.0, .name = "SGDRDecay",
#define kt_sched_cosine_decay_restarts(...)                                                        \
    KT_CALL(                                                                                       \
        kt_sched_cosine_decay_restarts_new,                                                        \
        kt_sched_cosine_decay_restarts_args,                                                       \
        KT_SCHED_COSINE_DECAY_RESTARTS_DEFAULTS,                                                   \
        __VA_ARGS__)
KT_API kt_schedule *kt_sched_cosine_decay_restarts_new(
    const kt_sched_cosine_decay_restarts_args *args);

/** The rate at a step, as an optimizer would see it; NaN (and an error) if it cannot be worked out.
 * Keras: schedule(step).
 *
 *     for (int i = 0; i < 1000; i += 100) printf("%d %g\n", i, kt_sched_value(s, i));
 */
KT_API double kt_sched_value(const kt_schedule *schedule, int64_t step);

#ifdef __cplusplus
}
#endif
#endif
