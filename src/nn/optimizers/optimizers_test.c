/* Optimizers against Keras (tests/golden/optimizers.npz), and how they lie in memory. */
#include "io/npz.h"
#include "nn/optimizers/optimizer.h"
#include "runtime/program.h"
#include "testing/kt_test.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define N_VARS 3 /* of the golden file */
#define MAX_VARS 4
#define STEPS 100
#define N_CASES 52 /* a new one in the golden file needs a row below */

/* A training program whose gradients are its inputs. */
typedef struct {
    int n;
    kt_var *var[MAX_VARS];
    kt_optimizer *opt;
    kt_program *program;
    kt_cpu_run *run;
} rig;

static kt_status trace(const rig *r, kt_graph *g) {
    kt_tracer t;
    kt_val *grad[MAX_VARS];
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

/* Golden curves -------------------------------------------------------------------------------- */

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

static void check_array(
    const char *name,
    const char *part,
    int i,
    const void *got,
    int64_t from,
    int64_t n,
    kt_dtype dtype) {
    kt_tensor *want = member(name, part, i);
    for (int64_t k = 0; k < n; k++) {
        const double w = kt_tensor_get(want, from + k), g = kt_elem_get(got, dtype, k);
        const double off = fabs(g - w) / (fabs(w) + 1e-2);
        if (off > worst) worst = off;
        if (!(off <= 1e-5))
            print_message("%s/%s%d[%d]: %.9g, Keras %.9g\n", name, part, i, (int)(from + k), g, w);
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
        check_array(
            name, "state", i, kt_var_data(v), 0, kt_shape_size(&v->spec.shape), v->spec.dtype);
    }
    snprintf(key, sizeof key, "%s/state%d", name, kt_optimizer_n_vars(r->opt));
    for (int i = 0; i < kt_npz_count(golden); i++)
        assert_string_not_equal(kt_npz_name(golden, i), key);
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
    int curves = 0;
    for (int i = 0; i < kt_npz_count(golden); i++)
        curves += strstr(kt_npz_name(golden, i), "/var0") != NULL;
    assert_int_equal(curves, N_CASES);
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

#define EVERYTHING                                                                                 \
    .weight_decay = 0.01, .global_clipnorm = 1.0, .use_ema = true, .ema_momentum = 0.95,           \
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

KT_TEST(optimizers, rules_over_flat_memory_match_keras) {
    const opt_case cases[] = {
        {"AdamW", kt_opt_adamw(), NULL},
        {"AdamW.options", kt_opt_adamw(0.02, 0.1, .amsgrad = true), NULL},
        {"AdamW.excluded",
         excluding(kt_opt_adamw(0.02, .weight_decay = 0.1), kt_names("bias", "con")),
         NULL},
        {"Adagrad", kt_opt_adagrad(), NULL},
        {"Adagrad.options",
         kt_opt_adagrad(0.1, .initial_accumulator_value = 0, .epsilon = 1e-3),
         NULL},
        {"Adamax", kt_opt_adamax(), NULL},
        {"Adamax.options", kt_opt_adamax(0.02, .beta_1 = 0.8, .beta_2 = 0.9), NULL},
        {"Nadam", kt_opt_nadam(), NULL},
        {"Nadam.options", kt_opt_nadam(0.02, .beta_1 = 0.8, .beta_2 = 0.95), NULL},
        {"Adadelta", kt_opt_adadelta(), NULL},
        {"Adadelta.options", kt_opt_adadelta(1.0, .rho = 0.9, .epsilon = 1e-5), NULL},
        {"Ftrl", kt_opt_ftrl(), NULL},
        {"Ftrl.l1_l2",
         kt_opt_ftrl(0.1, .l1_regularization_strength = 0.05, .l2_regularization_strength = 0.1),
         NULL},
        {"Ftrl.options",
         kt_opt_ftrl(
             0.1,
             .learning_rate_power = -0.7,
             .beta = 0.2,
             .l2_shrinkage_regularization_strength = 0.1,
             .initial_accumulator_value = 0.3),
         NULL},
        {"Lion", kt_opt_lion(), NULL},
        {"Lion.options", kt_opt_lion(0.01, .beta_1 = 0.8, .weight_decay = 0.1), NULL},
        {"ScheduleFreeAdamW", kt_opt_schedule_free_adamw(), NULL},
        {"ScheduleFreeAdamW.options",
         kt_opt_schedule_free_adamw(0.02, .warmup_steps = 10, .weight_decay = 0.01, .beta_1 = 0.8),
         NULL},
    };
    CHECK_CASES(cases);
}

KT_TEST(optimizers, rules_per_variable_match_keras) {
    const opt_case cases[] = {
        {"Adafactor", kt_opt_adafactor(), NULL},
        {"Adafactor.options",
         kt_opt_adafactor(
             0.05,
             .relative_step = false,
             .beta_2_decay = -0.6,
             .clip_threshold = 0.5,
             .epsilon_2 = 0.1,
             .weight_decay = 0.01),
         NULL},
        {"Lamb", kt_opt_lamb(), NULL},
        {"Lamb.options", kt_opt_lamb(0.02, .weight_decay = 0.05, .beta_1 = 0.8), NULL},
        {"Muon", kt_opt_muon(), NULL},
        {"Muon.options",
         kt_opt_muon(
             0.02,
             .nesterov = false,
             .rms_rate = KT_NONE_F,
             .ns_steps = 3,
             .momentum = 0.8,
             .adam_lr_ratio = 0.5,
             .weight_decay = 0.1),
         NULL},
        {"Muon.exclude_layers", kt_opt_muon(0.02, .exclude_layers = kt_names("kern")), NULL},
    };
    CHECK_CASES(cases);
}

/* Memory --------------------------------------------------------------------------------------- */

/* Variables v0, v1 … of these sizes, all elements `value`. */
static rig small_rig(kt_optimizer *opt, int n, const int64_t *size, double value) {
    rig r = {.n = n, .opt = kt_adopt(opt)};
    assert_int_equal(kt_check(opt), KT_OK);
    for (int i = 0; i < n; i++) {
        char name[16];
        snprintf(name, sizeof name, "v%d", i);
        r.var[i] = make_var(name, kt_dims(size[i]), NULL);
        for (int64_t k = 0; k < size[i]; k++)
            kt_elem_set(kt_var_data(r.var[i]), KT_FLOAT32, k, value);
    }
    return r;
}

/* A step in which every gradient is `g`. */
static void step_all(const rig *r, double g) {
    for (int i = 0; i < r->n; i++)
        for (int64_t k = 0; k < kt_shape_size(&r->var[i]->spec.shape); k++)
            kt_elem_set(kt_cpu_input(r->run, i), r->var[i]->spec.dtype, k, g);
    assert_int_equal(kt_cpu_execute(r->run), KT_OK);
}

static void check_all(const kt_var *v, double want) {
    for (int64_t k = 0; k < kt_shape_size(&v->spec.shape); k++)
        kt_check_near(kt_elem_get(kt_var_data(v), v->spec.dtype, k), want, 1e-5, 1e-6);
}

static int count_nodes(const kt_graph *g, const char *op) {
    int n = 0;
    for (int i = 0; i < g->nodes.n; i++) {
        const kt_node *node = g->nodes.v[i];
        if (node->dead || node->op->flags & (KT_OP_LEAF | KT_OP_ALIAS)) continue;
        n += !op || !strcmp(node->op->name, op);
    }
    return n;
}

/* Assignments that were left as copies of arrays. The iteration may be copied: a fused region that
 * needs its old and its new value keeps the old one alive. */
static int count_copies(const kt_graph *g) {
    int n = 0;
    for (int i = 0; i < g->nodes.n; i++) {
        const kt_node *node = g->nodes.v[i];
        if (node->dead || strcmp(node->op->name, "assign")) continue;
        n += kt_shape_size(&node->in[0]->spec.shape) > 1;
    }
    return n;
}

KT_TEST(optimizers, update_in_place) {
    kt_optimizer *all[] = {
        kt_opt_sgd(),
        kt_opt_sgd(.momentum = 0.9, .nesterov = true),
        kt_opt_rmsprop(.momentum = 0.9, .centered = true),
        kt_opt_adam(),
        kt_opt_adam(.amsgrad = true),
        kt_opt_adam(.clipnorm = 1),
        kt_opt_adam(EVERYTHING),
        kt_opt_adam(.schedule = kt_sched_cosine_decay(0.1, 100)),
        kt_opt_adamw(),
        kt_opt_adagrad(),
        kt_opt_adamax(),
        kt_opt_nadam(),
        kt_opt_adadelta(),
        kt_opt_ftrl(),
        kt_opt_lion(),
        kt_opt_lamb(),
        kt_opt_adafactor(),
        kt_opt_muon(),
        kt_opt_schedule_free_adamw(),
    };
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        rig r = small_rig(all[i], 3, (const int64_t[]){3, 20, 5}, 1);
        rig_start(&r);
        if (count_copies(kt_program_graph(r.program)))
            print_message("%s copies\n", kt_opt_name(r.opt));
        assert_int_equal(count_copies(kt_program_graph(r.program)), 0);
        rig_free(&r);
    }
}

KT_TEST(optimizers, adam_is_one_node_for_all_weights) {
    rig r = small_rig(kt_opt_adam(), 4, (const int64_t[]){3, 20, 5, 1}, 1);
    rig_start(&r);
    assert_int_equal(count_nodes(kt_program_graph(r.program), "adam"), 1);
    assert_in_range(count_nodes(kt_program_graph(r.program), NULL), 1, 12);
    rig_free(&r);
}

KT_TEST(optimizers, share_variables) {
    rig all = small_rig(kt_opt_sgd(0.5), 4, (const int64_t[]){3, 20, 5, 7}, 1);
    rig part = {.n = 2, .opt = kt_adopt(kt_opt_adam(0.25))};
    rig_start(&all);
    part.var[0] = kt_adopt(all.var[3]); /* the other order, with a gap between them */
    part.var[1] = kt_adopt(all.var[1]);
    rig_start(&part);
    assert_int_equal(count_nodes(kt_program_graph(part.program), "adam"), 2);
    step_all(&all, 1);
    for (int i = 0; i < 4; i++) check_all(all.var[i], 0.5);
    step_all(&part, -3);
    for (int i = 0; i < 4; i++) check_all(all.var[i], i % 2 ? 0.75 : 0.5);
    step_all(&all, 1);
    for (int i = 0; i < 4; i++) check_all(all.var[i], i % 2 ? 0.25 : 0);
    kt_check_str(kt_optimizer_var(part.opt, 2)->path, "adam/v3_momentum");
    kt_check_str(kt_optimizer_var(part.opt, 4)->name, "v1_momentum");
    check_all(kt_optimizer_var(part.opt, 4), -0.3);
    rig_free(&part);
    rig_free(&all);
}

KT_TEST(optimizers, span_extents_of_others) {
    rig a = small_rig(kt_opt_sgd(), 2, (const int64_t[]){3, 4}, 1);
    rig b = small_rig(kt_opt_sgd(), 2, (const int64_t[]){5, 1}, 1);
    rig both = {.n = 4, .opt = kt_adopt(kt_opt_sgd(0.5, .momentum = 0.5))};
    rig_start(&a);
    rig_start(&b);
    for (int i = 0; i < 4; i++) both.var[i] = kt_adopt(i % 2 ? b.var[i / 2] : a.var[i / 2]);
    rig_start(&both);
    step_all(&both, 1);
    step_all(&both, 1);
    for (int i = 0; i < 4; i++) check_all(both.var[i], 1 - 0.5 - 0.75);
    rig_free(&both);
    rig_free(&b);
    rig_free(&a);
}

KT_TEST(optimizers, keep_their_state_when_built_again) {
    rig r = small_rig(kt_opt_sgd(0.5, 0.5), 2, (const int64_t[]){3, 4}, 1);
    rig_start(&r);
    step_all(&r, 1);
    const kt_var *slot = kt_optimizer_var(r.opt, 2);
    rig_stop(&r);
    rig_start(&r); /* the same variables: nothing happens */
    assert_ptr_equal(kt_optimizer_var(r.opt, 2), slot);
    check_all(slot, -0.5);
    rig_stop(&r);
    assert_int_equal(kt_optimizer_build(r.opt, 1, &r.var[1]), KT_OK); /* one of them is frozen */
    assert_int_equal(kt_optimizer_n_vars(r.opt), 3);
    check_all(kt_optimizer_var(r.opt, 2), -0.5);
    assert_int_equal(kt_opt_iterations(r.opt), 1);
    rig_start(&r); /* the other one is new now: start anew */
    assert_int_equal(kt_opt_iterations(r.opt), 0);
    for (int i = 2; i < 4; i++) check_all(kt_optimizer_var(r.opt, i), 0);
    rig_free(&r);
}

KT_TEST(optimizers, serve_several_dtypes) {
    static const kt_dtype dtypes[3] = {KT_FLOAT64, KT_FLOAT32, KT_FLOAT16};
    rig r = {.n = 3, .opt = kt_adopt(kt_opt_adam(0.25, .global_clipnorm = 1e6))};
    for (int i = 0; i < r.n; i++) {
        r.var[i] = kt_adopt(kt_var_new("w", (kt_spec){dtypes[i], kt_dims(5)}, true));
        assert_int_equal(kt_var_ensure(r.var[i]), KT_OK);
    }
    rig_start(&r);
    step_all(&r, 2);
    for (int i = 0; i < r.n; i++) check_all(r.var[i], -0.25);
    rig_free(&r);
}

/* Traces --------------------------------------------------------------------------------------- */

KT_TEST(optimizers, leave_variables_without_gradient_alone) {
    rig r = small_rig(kt_opt_sgd(0.5, .weight_decay = 1), 3, (const int64_t[]){3, 20, 5}, 1);
    kt_graph *g = kt_graph_new();
    kt_tracer t;
    kt_val *grad[3] = {NULL, NULL, NULL};
    assert_int_equal(kt_optimizer_build(r.opt, 3, r.var), KT_OK);
    kt_tracer_begin(&t, g, true, NULL);
    grad[1] = kt_g_const(g, 1, r.var[1]->spec);
    assert_int_equal(kt_optimizer_apply(r.opt, 3, r.var, grad), KT_OK);
    assert_int_equal(kt_tracer_end(&t), KT_OK);
    assert_int_equal(kt_program_new(g, &r.program), KT_OK);
    assert_int_equal(kt_program_acquire(r.program, &r.run), KT_OK);
    assert_int_equal(kt_cpu_execute(r.run), KT_OK);
    for (int i = 0; i < 3; i++) check_all(r.var[i], i == 1 ? 0 : 1);
    g = kt_graph_new();
    kt_tracer_begin(&t, g, true, NULL);
    grad[1] = NULL;
    kt_check_status(kt_optimizer_apply(r.opt, 3, r.var, grad), KT_EINVAL);
    kt_check_message_has("no gradients for any variable");
    kt_tracer_end(&t);
    kt_graph_free(g);
    rig_free(&r);
}

KT_TEST(optimizers, take_up_what_the_trace_has_assigned) {
    rig r = small_rig(kt_opt_sgd(0.5, 0.5), 2, (const int64_t[]){3, 4}, 1);
    kt_graph *g = kt_graph_new();
    kt_tracer t;
    assert_int_equal(kt_optimizer_build(r.opt, 2, r.var), KT_OK);
    kt_tracer_begin(&t, g, true, NULL);
    kt_val *grad[2] = {kt_g_const(g, 1, r.var[0]->spec), kt_g_const(g, 1, r.var[1]->spec)};
    assert_int_equal(kt_assign(r.var[0], kt_op_multiply(kt_value(r.var[0]), kt_num(4))), KT_OK);
    assert_int_equal(kt_optimizer_apply(r.opt, 2, r.var, grad), KT_OK);
    assert_int_equal(kt_tracer_end(&t), KT_OK);
    assert_int_equal(kt_program_new(g, &r.program), KT_OK);
    assert_int_equal(kt_program_acquire(r.program, &r.run), KT_OK);
    assert_int_equal(kt_cpu_execute(r.run), KT_OK);
    check_all(r.var[0], 3.5);
    check_all(r.var[1], 0.5);
    rig_free(&r);
}

/* Settings ------------------------------------------------------------------------------------- */

KT_TEST(optimizers, learning_rate_may_change_between_steps) {
    rig r = small_rig(
        kt_opt_sgd(0.5, .gradient_accumulation_steps = 2), 1, (const int64_t[]){3}, 1);
    rig_start(&r);
    kt_check_near(kt_opt_learning_rate(r.opt), 0.5, 0, 0);
    assert_int_equal(kt_opt_set_learning_rate(r.opt, 0.25), KT_OK);
    step_all(&r, 1);
    assert_int_equal(kt_opt_iterations(r.opt), 0);
    step_all(&r, 1);
    assert_int_equal(kt_opt_iterations(r.opt), 1);
    check_all(r.var[0], 0.75);
    kt_check_status(kt_opt_set_learning_rate(r.opt, NAN), KT_EINVAL);
    kt_check_status(kt_opt_set_learning_rate(r.opt, -1), KT_EINVAL);
    rig_free(&r);
}

KT_TEST(optimizers, learning_rate_may_be_a_schedule) {
    kt_schedule *s = kt_sched_piecewise_constant_decay(kt_floats(0), kt_floats(0.5, 0.25));
    rig r = small_rig(kt_opt_sgd(.schedule = s), 1, (const int64_t[]){3}, 1);
    rig_start(&r);
    assert_null(kt_optimizer_lr(r.opt));
    assert_int_equal(kt_optimizer_n_vars(r.opt), 1);
    kt_check_near(kt_opt_learning_rate(r.opt), 0.5, 0, 0);
    step_all(&r, 1);
    kt_check_near(kt_opt_learning_rate(r.opt), 0.25, 0, 0);
    step_all(&r, 1);
    check_all(r.var[0], 0.25);
    kt_check_status(kt_opt_set_learning_rate(r.opt, 1), KT_ESTATE);
    kt_check_message_has("comes from a schedule");
    rig_free(&r);
}

KT_TEST(optimizers, have_names) {
    static const char *const names[] = {
        "rmsprop", "RMSprop", "adamw", "ADAM", "sgd", "lamb", "muon"};
    kt_component *opt = NULL;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        assert_int_equal(kt_optimizer_get(&opt, names[i]), KT_OK);
        assert_non_null(opt);
    }
    kt_check_status(kt_optimizer_get(&opt, "adm"), KT_EINVAL);
    kt_check_message_has("did you mean \"adam\"?");
    kt_check_status(kt_optimizer_get(&opt, kt_sched_cosine_decay(0.1, 10)), KT_EINVAL);
    kt_check_message_has("optimizer: expected a name or an optimizer, got a schedule");
    kt_check_str(kt_opt_name(kt_opt_rmsprop()), "rm_sprop");
    kt_check_str(kt_opt_name(kt_opt_rmsprop()), "rm_sprop_1");
    kt_check_str(kt_opt_name(kt_opt_adam(.name = "mine")), "mine");
}

KT_TEST(optimizers, reject_bad_arguments) {
    kt_check_fails(kt_opt_sgd(-1), KT_EINVAL, "learning_rate: expected a float32 >= 0, got -1");
    kt_check_fails(
        kt_opt_sgd(1e39), KT_EINVAL, "learning_rate: expected a float32 >= 0, got 1e+39");
    kt_check_fails(kt_opt_sgd(NAN), KT_EINVAL, "learning_rate: expected a number, got nan");
    kt_check_fails(kt_opt_sgd(0.1, 1.5), KT_EINVAL, "momentum: expected a number between 0 and 1");
    kt_check_fails(
        kt_opt_adam(.clipnorm = 1, .clipvalue = 1), KT_EINVAL, "only one of clipnorm, clipvalue");
    kt_check_fails(
        kt_opt_adam(.gradient_accumulation_steps = 1),
        KT_EINVAL,
        "gradient_accumulation_steps: expected an integer >= 2, got 1");
    kt_check_fails(kt_opt_adam(.use_ema = true, .ema_momentum = 2), KT_EINVAL, "ema_momentum");
    kt_check_fails(
        kt_opt_adam(.use_ema = true, .ema_overwrite_frequency = -1),
        KT_EINVAL,
        "ema_overwrite_frequency: expected an integer >= 1, got -1");
    kt_check_fails(
        kt_opt_adam(0.1, .schedule = kt_sched_cosine_decay(0.1, 10)),
        KT_EINVAL,
        "learning_rate: give a number or a schedule, not both");
    kt_check_fails(kt_opt_adam(.schedule = "cosine_decay"), KT_EINVAL, "needs arguments");
    kt_check_fails(
        kt_opt_adam(.schedule = kt_sched_cosine_decay(0.1, 0)), KT_EINVAL, "decay_steps");
    kt_check_fails(kt_opt_adamw(.weight_decay = KT_NONE_F), KT_EINVAL, "weight_decay");
    kt_check_fails(kt_opt_lion(.beta_1 = 0), KT_EINVAL, "beta_1");
    kt_check_fails(kt_opt_ftrl(.learning_rate_power = 1), KT_EINVAL, "learning_rate_power");
    kt_check_fails(kt_opt_ftrl(.l1_regularization_strength = -1), KT_EINVAL, "l1_regularization");
    kt_check_fails(
        kt_opt_muon(.exclude_layers = kt_names("(")), KT_EINVAL, "\"(\" is no regular expression");
    kt_check_status(kt_opt_exclude_from_weight_decay(kt_opt_adam(), kt_names("[")), KT_EINVAL);
    assert_true(isnan(kt_opt_learning_rate(NULL)));
    kt_check_message_has("expected an optimizer, got None");
}

KT_TEST(optimizers, say_what_they_were_not_built_for) {
    rig r = small_rig(kt_opt_adam(), 2, (const int64_t[]){3, 4}, 1);
    kt_graph *g = kt_graph_new();
    assert_int_equal(kt_optimizer_build(r.opt, 1, r.var), KT_OK);
    kt_check_status(trace(&r, g), KT_ESTATE);
    kt_check_message_has("was not built for variable \"v1\"");
    kt_graph_free(g);
    kt_check_status(kt_opt_exclude_from_weight_decay(r.opt, kt_names("b")), KT_ESTATE);
    rig_free(&r);
}
