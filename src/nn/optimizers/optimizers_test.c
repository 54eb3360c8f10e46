/* Optimizers against Keras (tests/golden/optimizers.npz), and how they lie in memory. */
#include "io/npz.h"
#include "nn/optimizers/optimizer.h"
#include "runtime/program.h"
#include "testing/kt_test.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define N_VARS 3
#define STEPS 100

/* A training program whose gradients are its inputs. */
typedef struct {
    int n;
    kt_var *var[N_VARS];
    kt_optimizer *opt;
    kt_program *program;
    kt_cpu_run *run;
} rig;

static kt_status trace(const rig *r, kt_graph *g) {
    kt_tracer t;
    kt_val *grad[N_VARS];
    kt_tracer_begin(&t, g, true, NULL);
    for (int i = 0; i < r->n; i++) grad[i] = kt_g_input(g, r->var[i]->spec);
    kt_optimizer_apply(r->opt, r->n, r->var, grad);
    return kt_tracer_end(&t);
}

static void rig_start(rig *r) {
    kt_graph *g = kt_graph_new();
    assert_non_null(g);
    assert_int_equal(kt_optimizer_build(r->opt, r->n, r->var), KT_OK);
    assert_int_equal(trace(r, g), KT_OK);
    assert_int_equal(kt_program_new(g, &r->program), KT_OK);
    assert_int_equal(kt_program_acquire(r->program, &r->run), KT_OK);
}

static void rig_stop(rig *r) {
    kt_program_release(r->program, r->run);
    kt_program_free(r->program);
    r->program = NULL;
    r->run = NULL;
}

static void rig_free(rig *r) {
    rig_stop(r);
    kt_release(r->opt);
    for (int i = 0; i < r->n; i++) kt_release(r->var[i]);
}

static kt_var *make_var(const char *name, kt_shape shape, const kt_tensor *start) {
    kt_var *v = kt_var_new(name, (kt_spec){KT_FLOAT32, shape}, true);
    assert_int_equal(kt_check(v), KT_OK);
    kt_adopt(v);
    assert_int_equal(kt_var_ensure(v), KT_OK);
    if (start) kt_var_write(v, kt_tensor_data(start), kt_tensor_dtype(start));
    return v;
}

/* Golden curves ------------------------------------------------------------------------------------ */

static kt_npz *golden;
static kt_tensor *grads[N_VARS];

static kt_tensor *member(const char *name, const char *part, int i) {
    char key[96];
    snprintf(key, sizeof key, "%s%s%s%d", name, *name ? "/" : "", part, i);
    kt_tensor *t = kt_npz_read(golden, key);
    if (kt_failed(t)) print_message("%s: %s\n", key, kt_error_message());
    assert_int_equal(kt_check(t), KT_OK);
    return t;
}

static double worst;

static void check_array(const char *name, const char *part, int i, const void *got, int64_t from, int64_t n, kt_dtype dtype) {
    kt_tensor *want = member(name, part, i);
    for (int64_t k = 0; k < n; k++) {
        const double w = kt_tensor_get(want, from + k), g = kt_elem_get(got, dtype, k);
        const double off = fabs(g - w) / (fabs(w) + 1e-2);
        if (off > worst) worst = off;
        if (!(off <= 1e-5)) print_message("%s/%s%d[%d]: %.9g, Keras %.9g\n", name, part, i, (int)(from + k), g, w);
        assert_true(off <= 1e-5);
    }
    kt_free(want);
}

static void check_vars(const rig *r, const char *name, int kept) {
    for (int i = 0; i < N_VARS; i++) {
        const int64_t n = kt_shape_size(&r->var[i]->spec.shape);
        check_array(name, "var", i, kt_var_data(r->var[i]), kept * n, n, KT_FLOAT32);
    }
}

static void check_state(const rig *r, const char *name) {
    char key[96];
    for (int i = 0; i < kt_optimizer_n_vars(r->opt); i++) {
        const kt_var *v = kt_optimizer_var(r->opt, i);
        check_array(name, "state", i, kt_var_data(v), 0, kt_shape_size(&v->spec.shape), v->spec.dtype);
    }
    snprintf(key, sizeof key, "%s/state%d", name, kt_optimizer_n_vars(r->opt));
    for (int i = 0; i < kt_npz_count(golden); i++) assert_string_not_equal(kt_npz_name(golden, i), key);
}

static void one_step(const rig *r, int step) {
    for (int i = 0; i < r->n; i++) {
        const int64_t n = kt_shape_size(&r->var[i]->spec.shape);
        memcpy(
            kt_cpu_input(r->run, i),
            (const float *)kt_tensor_data(grads[i]) + step * n,
            (size_t)n * sizeof(float));
    }
    assert_int_equal(kt_cpu_execute(r->run), KT_OK);
}

static void open_golden(void) {
    assert_int_equal(kt_npz_open(&golden, "tests/golden/optimizers.npz"), KT_OK);
    for (int i = 0; i < N_VARS; i++) grads[i] = kt_adopt(member("", "grads", i));
}

static void close_golden(void) {
    for (int i = 0; i < N_VARS; i++) kt_release(grads[i]);
    kt_npz_close(golden);
}

static rig golden_rig(kt_optimizer *opt) {
    static const char *const names[N_VARS] = {"kernel", "bias", "conv"};
    rig r = {.n = N_VARS, .opt = kt_adopt(opt)};
    for (int i = 0; i < N_VARS; i++) {
        kt_tensor *start = member("", "start", i);
        r.var[i] = make_var(names[i], kt_tensor_shape(start), start);
        kt_free(start);
    }
    return r;
}

static void check_case(const char *name, kt_optimizer *opt, const void *constraint) {
    static const int kept[] = {1, 2, 10, 100};
    if (kt_failed(opt)) print_message("%s: %s\n", name, kt_error_message());
    assert_int_equal(kt_check(opt), KT_OK);
    rig r = golden_rig(opt);
    r.var[0]->constraint = kt_adopt(constraint);
    rig_start(&r);
    for (int step = 0; step < STEPS; step++) {
        one_step(&r, step);
        for (int k = 0; k < 4; k++)
            if (step + 1 == kept[k]) check_vars(&r, name, k);
    }
    check_state(&r, name);
    if (kt_optimizer_average(opt, 0)) {
        kt_optimizer_finalize(opt);
        for (int i = 0; i < N_VARS; i++) {
            const int64_t n = kt_shape_size(&r.var[i]->spec.shape);
            check_array(name, "final", i, kt_var_data(r.var[i]), 0, n, KT_FLOAT32);
        }
    }
    rig_free(&r);
}

static kt_optimizer *excluding(kt_optimizer *opt, kt_names_t names) {
    assert_int_equal(kt_opt_exclude_from_weight_decay(opt, names), KT_OK);
    return opt;
}

/* keras.constraints.MaxNorm(0.8, axis=0) */
static kt_sym *max_norm(const kt_component *c, kt_sym *w) {
    (void)c;
    kt_sym *norm = kt_op_sqrt(kt_op_sum(kt_op_square(w), 0, true));
    kt_sym *wanted = kt_op_clip(norm, 0, 0.8);
    return kt_op_multiply(w, kt_op_divide(wanted, kt_op_add(norm, kt_num(1e-7))));
}
typedef struct {
    size_t size;
} max_norm_args;
static const kt_constraint_class max_norm_class = {
    {.kind = KT_KIND_CONSTRAINT, .name = "MaxNorm", .args_size = sizeof(max_norm_args)}, max_norm};

typedef struct {
    const char *name;
    kt_optimizer *opt;
    const void *constraint;
} opt_case;

static void check_cases(int n, const opt_case *cases) {
    open_golden();
    for (int i = 0; i < n; i++) {
        worst = 0;
        check_case(cases[i].name, cases[i].opt, cases[i].constraint);
        if (getenv("KT_VERBOSE")) print_message("%-28s %.2g\n", cases[i].name, worst);
    }
    close_golden();
}
#define CHECK_CASES(cases) check_cases((int)(sizeof(cases) / sizeof *(cases)), cases)

#define EVERYTHING                                                                                  \
    .weight_decay = 0.01, .global_clipnorm = 1.0, .use_ema = true, .ema_momentum = 0.95,            \
    .ema_overwrite_frequency = 6, .gradient_accumulation_steps = 3

KT_TEST(optimizers, sgd_matches_keras) {
    const opt_case cases[] = {
        {"SGD", kt_opt_sgd(), NULL},
        {"SGD.momentum", kt_opt_sgd(0.1, 0.9), NULL},
        {"SGD.nesterov", kt_opt_sgd(0.1, .momentum = 0.9, .nesterov = true), NULL},
        {"SGD.weight_decay", kt_opt_sgd(0.1, .weight_decay = 0.01), NULL},
        {"SGD.weight_decay_excluded",
         excluding(kt_opt_sgd(0.1, .weight_decay = 0.01), kt_names("bias")),
         NULL},
        {"SGD.clipnorm", kt_opt_sgd(0.1, .clipnorm = 0.5), NULL},
        {"SGD.clipvalue", kt_opt_sgd(0.1, .clipvalue = 0.1), NULL},
        {"SGD.global_clipnorm", kt_opt_sgd(0.1, .global_clipnorm = 0.7), NULL},
        {"SGD.ema", kt_opt_sgd(0.1, .use_ema = true, .ema_momentum = 0.9), NULL},
        {"SGD.ema_overwrite",
         kt_opt_sgd(0.1, .use_ema = true, .ema_momentum = 0.9, .ema_overwrite_frequency = 10),
         NULL},
        {"SGD.accumulate", kt_opt_sgd(0.1, .gradient_accumulation_steps = 4), NULL},
        {"SGD.loss_scale_factor", kt_opt_sgd(0.1, .loss_scale_factor = 8), NULL},
        {"SGD.constraint",
         kt_opt_sgd(0.1),
         kt_component_new(&max_norm_class.base, &(max_norm_args){sizeof(max_norm_args)})},
        {"SGD.schedule",
         kt_opt_sgd(.schedule = kt_sched_exponential_decay(0.1, 10, 0.8, .staircase = true)),
         NULL},
        {"SGD.everything", kt_opt_sgd(0.1, .momentum = 0.9, EVERYTHING), NULL},
    };
    CHECK_CASES(cases);
}

KT_TEST(optimizers, rmsprop_matches_keras) {
    const opt_case cases[] = {
        {"RMSprop", kt_opt_rmsprop(), NULL},
        {"RMSprop.momentum", kt_opt_rmsprop(0.01, .momentum = 0.9), NULL},
        {"RMSprop.centered", kt_opt_rmsprop(0.01, .centered = true, .rho = 0.8), NULL},
        {"RMSprop.centered_momentum",
         kt_opt_rmsprop(0.01, .centered = true, .momentum = 0.5, .epsilon = 1e-3),
         NULL},
    };
    CHECK_CASES(cases);
}

KT_TEST(optimizers, adam_matches_keras) {
    kt_schedule *s = kt_sched_cosine_decay(0, 60, 0.1, .warmup_target = 0.05, .warmup_steps = 20);
    const opt_case cases[] = {
        {"Adam", kt_opt_adam(), NULL},
        {"Adam.options", kt_opt_adam(0.02, 0.8, 0.9, .epsilon = 1e-3), NULL},
        {"Adam.amsgrad", kt_opt_adam(0.02, .amsgrad = true, .beta_2 = 0.9), NULL},
        {"Adam.weight_decay", kt_opt_adam(0.02, .weight_decay = 0.05), NULL},
        {"Adam.accumulate", kt_opt_adam(0.02, .gradient_accumulation_steps = 4), NULL},
        {"Adam.clipnorm", kt_opt_adam(0.02, .clipnorm = 0.5), NULL},
        {"Adam.everything", kt_opt_adam(0.02, EVERYTHING), NULL},
        {"Adam.schedule", kt_opt_adam(.schedule = s), NULL},
    };
    CHECK_CASES(cases);
}
