/* Optimizers: how a training step changes the weights. Keras: keras.optimizers.
 *
 * Given to kt_model_compile() by name ("adam": all defaults) or as an object. The learning rate is
 * a number that callbacks may change, or a schedule (schedules.h). What an optimizer keeps
 * (moments, averages) it makes when it is compiled with a model, and it belongs to those
 * weights. */
#ifndef KERATIN_OPTIMIZERS_H
#define KERATIN_OPTIMIZERS_H

#include <keratin/schedules.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct kt_component kt_optimizer;

/** Arguments that every optimizer takes; they end the struct. Of the three clips at most one is
 * given. `schedule` stands where Python has learning_rate=schedule. */
#define KT_OPT_ARGS                                                                                \
    double weight_decay; /* default KT_NONE_F; each step also takes w * this * rate off w */       \
    KT_OPT_MORE_ARGS
#define KT_OPT_MORE_ARGS                                                                           \
    double clipnorm;                 /* default KT_NONE_F; the norm of each gradient at most */    \
    double clipvalue;                /* default KT_NONE_F; each element within +- this */          \
    double global_clipnorm;          /* default KT_NONE_F; the norm of all gradients at most */    \
    bool use_ema;                    /* default false; keep a moving average of the weights */     \
    double ema_momentum;             /* default 0.99; 0 <= ema_momentum <= 1 */                    \
    int64_t ema_overwrite_frequency; /* default KT_NONE: the average is taken when fit ends */     \
    double loss_scale_factor;        /* default KT_NONE_F; loss times this, gradients divided */   \
    int64_t gradient_accumulation_steps; /* default KT_NONE; >= 2: update every so many batches */ \
    const char *name;                    /* default: the class name in snake case, numbered */     \
    kt_ref schedule;                     /* default NULL; in place of learning_rate */
#define KT_OPT_DEFAULTS .weight_decay = KT_NONE_F, KT_OPT_MORE_DEFAULTS
#define KT_OPT_MORE_DEFAULTS                                                                       \
    .clipnorm = KT_NONE_F, .clipvalue = KT_NONE_F, .global_clipnorm = KT_NONE_F,                   \
    .ema_momentum = 0.99, .ema_overwrite_frequency = KT_NONE, .loss_scale_factor = KT_NONE_F,      \
    .gradient_accumulation_steps = KT_NONE,

/** Gradient descent, with momentum if asked: w -= rate * g.
 *
 * With momentum m = momentum * m - rate * g; w += m (nesterov: w += momentum * m - rate * g).
 * Keras: keras.optimizers.SGD.  Errors: momentum outside 0 … 1.
 *
 *     kt_opt_sgd(0.1, .momentum = 0.9, .nesterov = true)
 */
typedef struct kt_opt_sgd_args {
    size_t size;
    double learning_rate; ///< default 0.01
    double momentum;      ///< default 0
    bool nesterov;        ///< default false
    KT_OPT_ARGS
} kt_opt_sgd_args;
#define KT_OPT_SGD_DEFAULTS .learning_rate = 0.01, KT_OPT_DEFAULTS
#define kt_opt_sgd(...) KT_CALL(kt_opt_sgd_new, kt_opt_sgd_args, KT_OPT_SGD_DEFAULTS, __VA_ARGS__)
KT_API kt_optimizer *kt_opt_sgd_new(const kt_opt_sgd_args *args);

/** Divides by a moving average of the size of gradients: w -= rate * g / sqrt(v + epsilon).
 *
 * Keras: keras.optimizers.RMSprop.
 *
 *     kt_opt_rmsprop(1e-3, .momentum = 0.9)
 */
typedef struct kt_opt_rmsprop_args {
    size_t size;
    double learning_rate; ///< default 0.001
    double rho;           ///< default 0.9: how slowly the average moves
    double momentum;      ///< default 0
    double epsilon;       ///< default 1e-7
    bool centered;        ///< default false; true: divides by an estimate of the deviation
    KT_OPT_ARGS
} kt_opt_rmsprop_args;
#define KT_OPT_RMSPROP_DEFAULTS .learning_rate = 0.001, .rho = 0.9, .epsilon = 1e-7, KT_OPT_DEFAULTS
#define kt_opt_rmsprop(...)                                                                        \
    KT_CALL(kt_opt_rmsprop_new, kt_opt_rmsprop_args, KT_OPT_RMSPROP_DEFAULTS, __VA_ARGS__)
KT_API kt_optimizer *kt_opt_rmsprop_new(const kt_opt_rmsprop_args *args);

/** Moving averages of gradients and their squares, corrected for their start at 0.
 *
 * w -= alpha * m / (sqrt(v) + epsilon), alpha = rate * sqrt(1 - beta_2^t) / (1 - beta_1^t).
 * Keras: keras.optimizers.Adam.
 *
 *     kt_opt_adam(1e-4)
 */
typedef struct kt_opt_adam_args {
    size_t size;
    double learning_rate; ///< default 0.001
    double beta_1;        ///< default 0.9
    double beta_2;        ///< default 0.999
    double epsilon;       ///< default 1e-7
    bool amsgrad;         ///< default false; true: the largest v so far
    KT_OPT_ARGS
} kt_opt_adam_args;
#define KT_OPT_ADAM_DEFAULTS                                                                       \
    .learning_rate = 0.001, .beta_1 = 0.9, .beta_2 = 0.999, .epsilon = 1e-7, KT_OPT_DEFAULTS
#define kt_opt_adam(...)                                                                           \
    KT_CALL(kt_opt_adam_new, kt_opt_adam_args, KT_OPT_ADAM_DEFAULTS, __VA_ARGS__)
KT_API kt_optimizer *kt_opt_adam_new(const kt_opt_adam_args *args);

/** Adam with weight decay. Keras: keras.optimizers.AdamW.  Errors: weight_decay = KT_NONE_F.
 *
 *     kt_opt_adamw(1e-3, .weight_decay = 0.01)
 */
typedef struct kt_opt_adamw_args {
    size_t size;
    double learning_rate; ///< default 0.001
    double weight_decay;  ///< default 0.004
    double beta_1;        ///< default 0.9
    double beta_2;        ///< default 0.999
    double epsilon;       ///< default 1e-7
    bool amsgrad;         ///< default false
    KT_OPT_MORE_ARGS
} kt_opt_adamw_args;
#define KT_OPT_ADAMW_DEFAULTS                                                                      \
    .learning_rate = 0.001, .weight_decay = 0.004, .beta_1 = 0.9, .beta_2 = 0.999,                 \
    .epsilon = 1e-7, KT_OPT_MORE_DEFAULTS
#define kt_opt_adamw(...)                                                                          \
    KT_CALL(kt_opt_adamw_new, kt_opt_adamw_args, KT_OPT_ADAMW_DEFAULTS, __VA_ARGS__)
KT_API kt_optimizer *kt_opt_adamw_new(const kt_opt_adamw_args *args);

/** Divides by the root of the sum of all squares so far. Keras: keras.optimizers.Adagrad.
 *
 *     kt_opt_adagrad(0.1)
 */
typedef struct kt_opt_adagrad_args {
    size_t size;
    double learning_rate;             ///< default 0.001
    double initial_accumulator_value; ///< default 0.1: where the sum starts
    double epsilon;                   ///< default 1e-7
    KT_OPT_ARGS
} kt_opt_adagrad_args;
#define KT_OPT_ADAGRAD_DEFAULTS                                                                    \
    .learning_rate = 0.001, .initial_accumulator_value = 0.1, .epsilon = 1e-7, KT_OPT_DEFAULTS
#define kt_opt_adagrad(...)                                                                        \
    KT_CALL(kt_opt_adagrad_new, kt_opt_adagrad_args, KT_OPT_ADAGRAD_DEFAULTS, __VA_ARGS__)
KT_API kt_optimizer *kt_opt_adagrad_new(const kt_opt_adagrad_args *args);

/** Adam with the largest gradient in place of the mean square. Keras: keras.optimizers.Adamax.
 *
 *     kt_opt_adamax()
 */
typedef struct kt_opt_adamax_args {
    size_t size;
    double learning_rate; ///< default 0.001
    double beta_1;        ///< default 0.9
    double beta_2;        ///< default 0.999
    double epsilon;       ///< default 1e-7
    KT_OPT_ARGS
} kt_opt_adamax_args;
#define KT_OPT_ADAMAX_DEFAULTS                                                                     \
    .learning_rate = 0.001, .beta_1 = 0.9, .beta_2 = 0.999, .epsilon = 1e-7, KT_OPT_DEFAULTS
#define kt_opt_adamax(...)                                                                         \
    KT_CALL(kt_opt_adamax_new, kt_opt_adamax_args, KT_OPT_ADAMAX_DEFAULTS, __VA_ARGS__)
KT_API kt_optimizer *kt_opt_adamax_new(const kt_opt_adamax_args *args);

/** Adam with Nesterov momentum. Keras: keras.optimizers.Nadam.
 *
 *     kt_opt_nadam()
 */
typedef struct kt_opt_nadam_args {
    size_t size;
    double learning_rate; ///< default 0.001
    double beta_1;        ///< default 0.9
    double beta_2;        ///< default 0.999
    double epsilon;       ///< default 1e-7
    KT_OPT_ARGS
} kt_opt_nadam_args;
#define KT_OPT_NADAM_DEFAULTS                                                                      \
    .learning_rate = 0.001, .beta_1 = 0.9, .beta_2 = 0.999, .epsilon = 1e-7, KT_OPT_DEFAULTS
#define kt_opt_nadam(...)                                                                          \
    KT_CALL(kt_opt_nadam_new, kt_opt_nadam_args, KT_OPT_NADAM_DEFAULTS, __VA_ARGS__)
KT_API kt_optimizer *kt_opt_nadam_new(const kt_opt_nadam_args *args);

/** Steps as large as earlier steps were, by gradients as large as earlier ones.
 *
 * Keras: keras.optimizers.Adadelta. The original paper has learning_rate 1.
 *
 *     kt_opt_adadelta(1.0)
 */
typedef struct kt_opt_adadelta_args {
    size_t size;
    double learning_rate; ///< default 0.001
    double rho;           ///< default 0.95: how slowly the averages move
    double epsilon;       ///< default 1e-7
    KT_OPT_ARGS
} kt_opt_adadelta_args;
#define KT_OPT_ADADELTA_DEFAULTS                                                                   \
    .learning_rate = 0.001, .rho = 0.95, .epsilon = 1e-7, KT_OPT_DEFAULTS
#define kt_opt_adadelta(...)                                                                       \
    KT_CALL(kt_opt_adadelta_new, kt_opt_adadelta_args, KT_OPT_ADADELTA_DEFAULTS, __VA_ARGS__)
KT_API kt_optimizer *kt_opt_adadelta_new(const kt_opt_adadelta_args *args);

/** Follow the regularized leader: sparse weights for large linear models.
 *
 * Keras: keras.optimizers.Ftrl.  Errors: a positive learning_rate_power; one of the others
 * negative.
 *
 *     kt_opt_ftrl(0.1, .l1_regularization_strength = 0.01)
 */
typedef struct kt_opt_ftrl_args {
    size_t size;
    double learning_rate;                        ///< default 0.001
    double learning_rate_power;                  ///< default -0.5; <= 0
    double initial_accumulator_value;            ///< default 0.1; >= 0
    double l1_regularization_strength;           ///< default 0; >= 0
    double l2_regularization_strength;           ///< default 0; >= 0
    double l2_shrinkage_regularization_strength; ///< default 0; >= 0
    double beta;                                 ///< default 0
    KT_OPT_ARGS
} kt_opt_ftrl_args;
#define KT_OPT_FTRL_DEFAULTS                                                                       \
    .learning_rate = 0.001, .learning_rate_power = -0.5, .initial_accumulator_value = 0.1,         \
    KT_OPT_DEFAULTS
#define kt_opt_ftrl(...)                                                                           \
    KT_CALL(kt_opt_ftrl_new, kt_opt_ftrl_args, KT_OPT_FTRL_DEFAULTS, __VA_ARGS__)
KT_API kt_optimizer *kt_opt_ftrl_new(const kt_opt_ftrl_args *args);

/** The sign of a moving average: every weight moves by the rate. Keras: keras.optimizers.Lion.
 *
 * Errors: beta_1 outside (0, 1].
 *
 *     kt_opt_lion(1e-4)
 */
typedef struct kt_opt_lion_args {
    size_t size;
    double learning_rate; ///< default 0.001
    double beta_1;        ///< default 0.9
    double beta_2;        ///< default 0.99
    KT_OPT_ARGS
} kt_opt_lion_args;
#define KT_OPT_LION_DEFAULTS .learning_rate = 0.001, .beta_1 = 0.9, .beta_2 = 0.99, KT_OPT_DEFAULTS
#define kt_opt_lion(...)                                                                           \
    KT_CALL(kt_opt_lion_new, kt_opt_lion_args, KT_OPT_LION_DEFAULTS, __VA_ARGS__)
KT_API kt_optimizer *kt_opt_lion_new(const kt_opt_lion_args *args);

/** Adam whose step is as long as the weights of the variable, times the rate: for large batches.
 *
 * Keras: keras.optimizers.Lamb.
 *
 *     kt_opt_lamb()
 */
typedef struct kt_opt_lamb_args {
    size_t size;
    double learning_rate; ///< default 0.001
    double beta_1;        ///< default 0.9
    double beta_2;        ///< default 0.999
    double epsilon;       ///< default 1e-7
    KT_OPT_ARGS
} kt_opt_lamb_args;
#define KT_OPT_LAMB_DEFAULTS                                                                       \
    .learning_rate = 0.001, .beta_1 = 0.9, .beta_2 = 0.999, .epsilon = 1e-7, KT_OPT_DEFAULTS
#define kt_opt_lamb(...)                                                                           \
    KT_CALL(kt_opt_lamb_new, kt_opt_lamb_args, KT_OPT_LAMB_DEFAULTS, __VA_ARGS__)
KT_API kt_optimizer *kt_opt_lamb_new(const kt_opt_lamb_args *args);

/** Adam with a row and a column in place of the matrix of squares: little memory.
 *
 * Keras: keras.optimizers.Adafactor. The rate is at most 1 / sqrt(t) and is scaled by the weights.
 *
 *     kt_opt_adafactor(0.01)
 */
typedef struct kt_opt_adafactor_args {
    size_t size;
    double learning_rate;  ///< default 0.001
    double beta_2_decay;   ///< default -0.8
    double epsilon_1;      ///< default 1e-30
    double epsilon_2;      ///< default 1e-3
    double clip_threshold; ///< default 1: longest step, as a root mean square
    bool relative_step;    ///< default true
    KT_OPT_ARGS
} kt_opt_adafactor_args;
#define KT_OPT_ADAFACTOR_DEFAULTS                                                                  \
    .learning_rate = 0.001, .beta_2_decay = -0.8, .epsilon_1 = 1e-30, .epsilon_2 = 1e-3,           \
    .clip_threshold = 1.0, .relative_step = true, KT_OPT_DEFAULTS
#define kt_opt_adafactor(...)                                                                      \
    KT_CALL(kt_opt_adafactor_new, kt_opt_adafactor_args, KT_OPT_ADAFACTOR_DEFAULTS, __VA_ARGS__)
KT_API kt_optimizer *kt_opt_adafactor_new(const kt_opt_adafactor_args *args);

/** Momentum made orthogonal, for matrices; AdamW for every other variable.
 *
 * Keras: keras.optimizers.Muon. Variables whose path holds a name of exclude_layers (a regular
 * expression), and embeddings, are left to AdamW too.
 *
 *     kt_opt_muon(0.02, .exclude_layers = kt_names("head"))
 */
typedef struct kt_opt_muon_args {
    size_t size;
    double learning_rate;     ///< default 0.001
    double adam_beta_1;       ///< default 0.9
    double adam_beta_2;       ///< default 0.999
    double adam_weight_decay; ///< default 0.004
    double epsilon;           ///< default 1e-7
    double weight_decay;      ///< default 0.004; of the matrices
    KT_OPT_MORE_ARGS
    kt_names_t exclude_layers; ///< default none
    bool exclude_embeddings;   ///< default true
    double muon_a;             ///< default 3.4445
    double muon_b;             ///< default -4.7750
    double muon_c;             ///< default 2.0315
    double adam_lr_ratio;      ///< default 1: rate of AdamW
    double momentum;           ///< default 0.95
    int ns_steps;              ///< default 5: Newton-Schulz steps
    bool nesterov;             ///< default true
    double rms_rate;           ///< default 0.2; KT_NONE_F: the step keeps its size
} kt_opt_muon_args;
#define KT_OPT_MUON_DEFAULTS                                                                       \
    .learning_rate = 0.001, .adam_beta_1 = 0.9, .adam_beta_2 = 0.999, .adam_weight_decay = 0.004,  \
    .epsilon = 1e-7, .weight_decay = 0.004, .exclude_embeddings = true, .muon_a = 3.4445,          \
    .muon_b = -4.7750, .muon_c = 2.0315, .adam_lr_ratio = 1.0, .momentum = 0.95, .ns_steps = 5,    \
    .nesterov = true, .rms_rate = 0.2, KT_OPT_MORE_DEFAULTS
#define kt_opt_muon(...)                                                                           \
    KT_CALL(kt_opt_muon_new, kt_opt_muon_args, KT_OPT_MUON_DEFAULTS, __VA_ARGS__)
KT_API kt_optimizer *kt_opt_muon_new(const kt_opt_muon_args *args);

/** AdamW that needs no schedule: it averages its own iterates.
 *
 * Keras: keras.optimizers.ScheduleFreeAdamW.
 *
 *     kt_opt_schedule_free_adamw(.warmup_steps = 100)
 */
typedef struct kt_opt_schedule_free_adamw_args {
    size_t size;
    double learning_rate; ///< default 0.0025
    double beta_1;        ///< default 0.9
    double beta_2;        ///< default 0.999
    double epsilon;       ///< default 1e-8
    int64_t warmup_steps; ///< default 0
    KT_OPT_ARGS
} kt_opt_schedule_free_adamw_args;
#define KT_OPT_SCHEDULE_FREE_ADAMW_DEFAULTS                                                        \
    .learning_rate = 0.0025, .beta_1 = 0.9, .beta_2 = 0.999, .epsilon = 1e-8, KT_OPT_DEFAULTS
#define kt_opt_schedule_free_adamw(...)                                                            \
    KT_CALL(                                                                                       \
        kt_opt_schedule_free_adamw_new,                                                            \
        kt_opt_schedule_free_adamw_args,                                                           \
        KT_OPT_SCHEDULE_FREE_ADAMW_DEFAULTS,                                                       \
        __VA_ARGS__)
KT_API kt_optimizer *kt_opt_schedule_free_adamw_new(const kt_opt_schedule_free_adamw_args *args);

/** Another optimizer, under a loss that is scaled up so that small gradients survive float16.
 *
 * A step with a gradient that is not finite is left out, and the scale is halved; after
 * dynamic_growth_steps good steps it doubles. Learning rate and iterations are those of the
 * optimizer inside, whose loss_scale_factor is taken away.
 * Keras: keras.optimizers.LossScaleOptimizer.
 * Errors: an inner_optimizer that is none, or a name; initial_scale <= 0; dynamic_growth_steps < 1.
 *
 *     kt_opt_loss_scale_optimizer(kt_opt_adam(), .initial_scale = 1024)
 */
typedef struct kt_opt_loss_scale_optimizer_args {
    size_t size;
    kt_ref inner_optimizer;
    double initial_scale;         ///< default 2^15
    int64_t dynamic_growth_steps; ///< default 2000
    const char *name;             ///< default "loss_scale_optimizer", numbered
} kt_opt_loss_scale_optimizer_args;
#define KT_OPT_LOSS_SCALE_OPTIMIZER_DEFAULTS .initial_scale = 32768, .dynamic_growth_steps = 2000,
#define kt_opt_loss_scale_optimizer(...)                                                           \
    KT_CALL(                                                                                       \
        kt_opt_loss_scale_optimizer_new,                                                           \
        kt_opt_loss_scale_optimizer_args,                                                          \
        KT_OPT_LOSS_SCALE_OPTIMIZER_DEFAULTS,                                                      \
        __VA_ARGS__)
KT_API kt_optimizer *kt_opt_loss_scale_optimizer_new(const kt_opt_loss_scale_optimizer_args *args);

/** The learning rate now: the number, or what the schedule says for the next step.
 *
 *     printf("%g\n", kt_opt_learning_rate(opt));
 */
KT_API double kt_opt_learning_rate(const kt_optimizer *opt);
/** A new learning rate, from the next step on. KT_EINVAL if negative or NaN; KT_ESTATE if there is
 * a schedule. Keras: optimizer.learning_rate = 0.01
 *
 *     kt_opt_set_learning_rate(opt, kt_opt_learning_rate(opt) / 10);
 */
KT_API kt_status kt_opt_set_learning_rate(kt_optimizer *opt, double learning_rate);
/** Updates so far (with gradient accumulation: batches / gradient_accumulation_steps, rounded
 * down).
 *
 *     kt_opt_iterations(opt)
 */
KT_API int64_t kt_opt_iterations(const kt_optimizer *opt);
/** Name ("adam"), borrowed. An automatic name is given when it is compiled or first asked for. */
KT_API const char *kt_opt_name(kt_optimizer *opt);
/** Takes variables out of weight decay: those in whose name one of these (extended regular
 * expressions) is found. Call it before compile (KT_ESTATE later). Keras:
 * optimizer.exclude_from_weight_decay(var_names=…)
 *
 *     kt_opt_exclude_from_weight_decay(opt, kt_names("bias", "gamma", "beta"));
 */
KT_API kt_status kt_opt_exclude_from_weight_decay(kt_optimizer *opt, kt_names_t var_names);

#ifdef __cplusplus
}
#endif
#endif
