/* Every loss against real Keras (tests/golden/losses.npz): values under each reduction, with and
 * without weights and masks, and gradients. */
#include "io/npz.h"
#include "nn/losses/loss.h"
#include "runtime/program.h"
#include "testing/kt_test.h"

#include <stdio.h>
#include <string.h>

#define RTOL 1e-5
#define ATOL 1e-6

/* The loss of a case, built with a reduction `r`. */
#define CASES(X)                                                                                   \
    X("MeanSquaredError", kt_loss_mean_squared_error(.reduction = r))                              \
    X("MeanSquaredError.weights_per_step", kt_loss_mean_squared_error(.reduction = r))             \
    X("MeanSquaredError.weights_column", kt_loss_mean_squared_error(r))                            \
    X("MeanSquaredError.rank_1", kt_loss_mean_squared_error(.reduction = r))                       \
    X("MeanSquaredError.true_rank_1", kt_loss_mean_squared_error(.reduction = r))                  \
    X("MeanSquaredError.mask", kt_loss_mean_squared_error(.reduction = r))                         \
    X("MeanAbsoluteError", kt_loss_mean_absolute_error(.reduction = r))                            \
    X("MeanAbsoluteError.mask", kt_loss_mean_absolute_error(.reduction = r))                       \
    X("MeanAbsolutePercentageError", kt_loss_mean_absolute_percentage_error(.reduction = r))       \
    X("MeanAbsolutePercentageError.zeros", kt_loss_mean_absolute_percentage_error(r))              \
    X("MeanSquaredLogarithmicError", kt_loss_mean_squared_logarithmic_error(.reduction = r))       \
    X("MeanSquaredLogarithmicError.zeros", kt_loss_mean_squared_logarithmic_error(r))              \
    X("LogCosh", kt_loss_log_cosh(.reduction = r))                                                 \
    X("LogCosh.large", kt_loss_log_cosh(.reduction = r))                                           \
    X("Huber", kt_loss_huber(.reduction = r))                                                      \
    X("Huber.delta", kt_loss_huber(0.3, .reduction = r))                                           \
    X("Poisson", kt_loss_poisson(.reduction = r))                                                  \
    X("Poisson.zeros", kt_loss_poisson(.reduction = r))                                            \
    X("CosineSimilarity", kt_loss_cosine_similarity(.reduction = r))                               \
    X("CosineSimilarity.axis_1", kt_loss_cosine_similarity(1, .reduction = r))                     \
    X("CosineSimilarity.zeros", kt_loss_cosine_similarity(.reduction = r))                         \
    X("BinaryCrossentropy", kt_loss_binary_crossentropy(.reduction = r))                           \
    X("BinaryCrossentropy.edge", kt_loss_binary_crossentropy(.reduction = r))                      \
    X("BinaryCrossentropy.logits", kt_loss_binary_crossentropy(true, .reduction = r))              \
    X("BinaryCrossentropy.logits_edge", kt_loss_binary_crossentropy(true, .reduction = r))         \
    X("BinaryCrossentropy.smoothing",                                                              \
      kt_loss_binary_crossentropy(.label_smoothing = 0.2, .reduction = r))                         \
    X("BinaryCrossentropy.logits_smoothing",                                                       \
      kt_loss_binary_crossentropy(true, 0.1, .reduction = r))                                      \
    X("BinaryCrossentropy.axis_0", kt_loss_binary_crossentropy(.axis = 0, .reduction = r))         \
    X("BinaryCrossentropy.one_output", kt_loss_binary_crossentropy(.reduction = r))                \
    X("BinaryCrossentropy.mask", kt_loss_binary_crossentropy(.reduction = r))                      \
    X("BinaryCrossentropy.soft", kt_loss_binary_crossentropy(.reduction = r))                      \
    X("BinaryFocalCrossentropy", kt_loss_binary_focal_crossentropy(.reduction = r))                \
    X("BinaryFocalCrossentropy.edge", kt_loss_binary_focal_crossentropy(.reduction = r))           \
    X("BinaryFocalCrossentropy.logits",                                                            \
      kt_loss_binary_focal_crossentropy(.from_logits = true, .reduction = r))                      \
    X("BinaryFocalCrossentropy.logits_edge",                                                       \
      kt_loss_binary_focal_crossentropy(.from_logits = true, .reduction = r))                      \
    X("BinaryFocalCrossentropy.smoothing",                                                         \
      kt_loss_binary_focal_crossentropy(.label_smoothing = 0.2, .reduction = r))                   \
    X("BinaryFocalCrossentropy.logits_smoothing",                                                  \
      kt_loss_binary_focal_crossentropy(                                                           \
              .from_logits = true, .label_smoothing = 0.1, .reduction = r))                        \
    X("BinaryFocalCrossentropy.axis_0",                                                            \
      kt_loss_binary_focal_crossentropy(.axis = 0, .reduction = r))                                \
    X("BinaryFocalCrossentropy.one_output", kt_loss_binary_focal_crossentropy(.reduction = r))     \
    X("BinaryFocalCrossentropy.balanced",                                                          \
      kt_loss_binary_focal_crossentropy(true, 0.3, 1.5, .reduction = r))                           \
    X("BinaryFocalCrossentropy.gamma_5",                                                           \
      kt_loss_binary_focal_crossentropy(.gamma = 5, .reduction = r))                               \
    X("CategoricalCrossentropy", kt_loss_categorical_crossentropy(.reduction = r))                 \
    X("CategoricalCrossentropy.edge", kt_loss_categorical_crossentropy(.reduction = r))            \
    X("CategoricalCrossentropy.logits", kt_loss_categorical_crossentropy(true, .reduction = r))    \
    X("CategoricalCrossentropy.logits_edge",                                                       \
      kt_loss_categorical_crossentropy(true, .reduction = r))                                      \
    X("CategoricalCrossentropy.smoothing",                                                         \
      kt_loss_categorical_crossentropy(.label_smoothing = 0.1, .reduction = r))                    \
    X("CategoricalCrossentropy.logits_smoothing",                                                  \
      kt_loss_categorical_crossentropy(true, 0.3, .reduction = r))                                 \
    X("CategoricalCrossentropy.axis_1",                                                            \
      kt_loss_categorical_crossentropy(.axis = 1, .reduction = r))                                 \
    X("CategoricalCrossentropy.logits_axis_1",                                                     \
      kt_loss_categorical_crossentropy(true, .axis = 1, .reduction = r))                           \
    X("CategoricalCrossentropy.soft", kt_loss_categorical_crossentropy(.reduction = r))            \
    X("CategoricalCrossentropy.not_normalised", kt_loss_categorical_crossentropy(.reduction = r))  \
    X("CategoricalCrossentropy.3d_mask", kt_loss_categorical_crossentropy(.reduction = r))         \
    X("CategoricalFocalCrossentropy", kt_loss_categorical_focal_crossentropy(.reduction = r))      \
    X("CategoricalFocalCrossentropy.edge", kt_loss_categorical_focal_crossentropy(.reduction = r)) \
    X("CategoricalFocalCrossentropy.logits",                                                       \
      kt_loss_categorical_focal_crossentropy(.from_logits = true, .reduction = r))                 \
    X("CategoricalFocalCrossentropy.logits_edge",                                                  \
      kt_loss_categorical_focal_crossentropy(.from_logits = true, .reduction = r))                 \
    X("CategoricalFocalCrossentropy.smoothing",                                                    \
      kt_loss_categorical_focal_crossentropy(.label_smoothing = 0.1, .reduction = r))              \
    X("CategoricalFocalCrossentropy.logits_smoothing",                                             \
      kt_loss_categorical_focal_crossentropy(                                                      \
              .from_logits = true, .label_smoothing = 0.3, .reduction = r))                        \
    X("CategoricalFocalCrossentropy.axis_1",                                                       \
      kt_loss_categorical_focal_crossentropy(.axis = 1, .reduction = r))                           \
    X("CategoricalFocalCrossentropy.logits_axis_1",                                                \
      kt_loss_categorical_focal_crossentropy(.from_logits = true, .axis = 1, .reduction = r))      \
    X("CategoricalFocalCrossentropy.soft", kt_loss_categorical_focal_crossentropy(.reduction = r)) \
    X("CategoricalFocalCrossentropy.not_normalised",                                               \
      kt_loss_categorical_focal_crossentropy(.reduction = r))                                      \
    X("CategoricalFocalCrossentropy.options",                                                      \
      kt_loss_categorical_focal_crossentropy(0.6, 3, .reduction = r))                              \
    X("CategoricalFocalCrossentropy.alpha_list",                                                   \
      kt_loss_categorical_focal_crossentropy(                                                      \
              .alphas = kt_floats(0.1, 0.2, 0.3, 0.25, 0.15), .reduction = r))                     \
    X("CategoricalGeneralizedCrossEntropy",                                                        \
      kt_loss_categorical_generalized_cross_entropy(.reduction = r))                               \
    X("CategoricalGeneralizedCrossEntropy.q",                                                      \
      kt_loss_categorical_generalized_cross_entropy(0.8, .reduction = r))                          \
    X("CategoricalHinge", kt_loss_categorical_hinge(.reduction = r))                               \
    X("KLDivergence", kt_loss_kl_divergence(.reduction = r))                                       \
    X("KLDivergence.zeros", kt_loss_kl_divergence(.reduction = r))                                 \
    X("SparseCategoricalCrossentropy", kt_loss_sparse_categorical_crossentropy(.reduction = r))    \
    X("SparseCategoricalCrossentropy.column",                                                      \
      kt_loss_sparse_categorical_crossentropy(.reduction = r))                                     \
    X("SparseCategoricalCrossentropy.float_labels",                                                \
      kt_loss_sparse_categorical_crossentropy(.reduction = r))                                     \
    X("SparseCategoricalCrossentropy.edge",                                                        \
      kt_loss_sparse_categorical_crossentropy(.reduction = r))                                     \
    X("SparseCategoricalCrossentropy.logits",                                                      \
      kt_loss_sparse_categorical_crossentropy(true, .reduction = r))                               \
    X("SparseCategoricalCrossentropy.logits_edge",                                                 \
      kt_loss_sparse_categorical_crossentropy(true, .reduction = r))                               \
    X("SparseCategoricalCrossentropy.3d", kt_loss_sparse_categorical_crossentropy(.reduction = r)) \
    X("SparseCategoricalCrossentropy.3d_mask",                                                     \
      kt_loss_sparse_categorical_crossentropy(.reduction = r))                                     \
    X("SparseCategoricalCrossentropy.ignore_class",                                                \
      kt_loss_sparse_categorical_crossentropy(false, 2, r))                                        \
    X("SparseCategoricalCrossentropy.ignore_minus_1",                                              \
      kt_loss_sparse_categorical_crossentropy(true, .ignore_class = -1, .reduction = r))           \
    X("SparseCategoricalCrossentropy.ignore_3d",                                                   \
      kt_loss_sparse_categorical_crossentropy(.ignore_class = 0, .reduction = r))                  \
    X("Hinge", kt_loss_hinge(.reduction = r))                                                      \
    X("Hinge.zero_one", kt_loss_hinge(.reduction = r))                                             \
    X("Hinge.mixed", kt_loss_hinge(.reduction = r))                                                \
    X("SquaredHinge", kt_loss_squared_hinge(.reduction = r))                                       \
    X("SquaredHinge.zero_one", kt_loss_squared_hinge(.reduction = r))                              \
    X("SquaredHinge.mixed", kt_loss_squared_hinge(.reduction = r))                                 \
    X("Dice", kt_loss_dice(.reduction = r))                                                        \
    X("Dice.axis", kt_loss_dice(.axis = kt_dhw(1, 2, 3), .reduction = r))                          \
    X("Dice.axis_channels", kt_loss_dice(.axis = kt_hw(1, 2), .reduction = r))                     \
    X("Dice.zeros", kt_loss_dice(.reduction = r))                                                  \
    X("Tversky", kt_loss_tversky(.reduction = r))                                                  \
    X("Tversky.axis", kt_loss_tversky(.axis = kt_dhw(1, 2, 3), .reduction = r))                    \
    X("Tversky.axis_channels", kt_loss_tversky(0.3, 0.8, r, .axis = kt_hw(1, 2)))                  \
    X("Tversky.zeros", kt_loss_tversky(.reduction = r))                                            \
    X("Tversky.options", kt_loss_tversky(0.3, 0.8, .reduction = r))                                \
    X("Circle", kt_loss_circle(.reduction = r))                                                    \
    X("Circle.options", kt_loss_circle(32, 0.2, .reduction = r))                                   \
    X("Circle.keep_diagonal", kt_loss_circle(.remove_diagonal = false, .reduction = r))

static const char *const names[] = {
#define NAME(name, make) name,
    CASES(NAME)
#undef NAME
};

static kt_loss *make_loss(const char *name, const char *r) {
#define MAKE(name_, make)                                                                          \
    if (!strcmp(name, name_)) return make;
    CASES(MAKE)
#undef MAKE
    return NULL;
}

typedef struct {
    kt_npz *npz;
    const char *name; ///< of the case
    int failures;
} golden;

/* An array of the case, NULL if there is none of that name. */
static kt_tensor *member(const golden *g, const char *part) {
    char path[160];
    snprintf(path, sizeof path, "%s/%s", g->name, part);
    for (int i = 0; i < kt_npz_count(g->npz); i++)
        if (!strcmp(kt_npz_name(g->npz, i), path)) return kt_npz_read(g->npz, path);
    return NULL;
}

static bool same(const kt_tensor *want, const float *got) {
    for (int64_t i = 0; want && i < kt_tensor_size(want); i++) {
        const double w = kt_tensor_get(want, i), d = (double)got[i] - w;
        if (w == w ? !(d <= ATOL + RTOL * (w < 0 ? -w : w) && -d <= ATOL + RTOL * (w < 0 ? -w : w))
                   : got[i] == got[i])
            return false;
    }
    return want != NULL;
}

/* Keras on TensorFlow, or on JAX where they differ. */
static void compare(golden *g, const char *part, const kt_val *v, const float *got) {
    char jax[80];
    snprintf(jax, sizeof jax, "jax_%s", part);
    kt_tensor *want = member(g, part);
    const kt_shape shape = want ? kt_tensor_shape(want) : (kt_shape){0, {0}};
    const bool shapes = kt_shape_equal(&shape, &v->spec.shape);
    if (shapes && (same(want, got) || same(member(g, jax), got))) return;
    char is[KT_SHAPE_STR];
    print_message("%s/%s differs: %s", g->name, part, kt_shape_str(&v->spec.shape, is, sizeof is));
    for (int64_t i = 0; shapes && i < kt_tensor_size(want) && i < 24; i++)
        print_message(" %g(%g)", (double)got[i], kt_tensor_get(want, i));
    print_message("\n");
    g->failures++;
}

static kt_sym *input(kt_graph *g, const kt_tensor *t) {
    return t ? kt_wrap(kt_g_input(g, (kt_spec){kt_tensor_dtype(t), kt_tensor_shape(t)})) : NULL;
}

static void feed(kt_cpu_run *run, int *at, const kt_tensor *t) {
    if (t) memcpy(kt_cpu_input(run, (*at)++), kt_tensor_data(t), kt_tensor_bytes(t));
}

/* Runs a loss on the data of a case and compares value and gradient. */
static void check(golden *c, const char *reduction, bool weighted) {
    kt_tensor *y_true = member(c, "y_true"), *y_pred = member(c, "y_pred");
    kt_tensor *weight = weighted ? member(c, "weight") : NULL, *mask = member(c, "mask");
    kt_loss *loss = make_loss(c->name, reduction);
    kt_graph *g = kt_graph_new();
    kt_tracer t;
    kt_val *dx = NULL;
    kt_tracer_begin(&t, g, true, NULL);
    kt_sym *st = input(g, y_true), *sp = input(g, y_pred), *sw = input(g, weight);
    kt_sym *sm = input(g, mask);
    kt_sym *value = kt_loss_value(loss, st, sp, sw, sm);
    assert_int_equal(kt_check(value), KT_OK);
    kt_val *y = kt_unwrap(value, NULL), *x = kt_unwrap(sp, NULL);
    kt_val *total = kt_g_sum(g, y, kt_axes_all(y), false);
    assert_int_equal(kt_grad(g, total, 1, &x, &dx), KT_OK);
    assert_int_equal(kt_vec_push(&g->outputs, y), KT_OK);
    assert_int_equal(kt_vec_push(&g->outputs, dx), KT_OK);
    assert_int_equal(kt_tracer_end(&t), KT_OK);

    kt_program *program = NULL;
    kt_cpu_run *run = NULL;
    assert_int_equal(kt_program_new(g, &program), KT_OK);
    assert_int_equal(kt_program_acquire(program, &run), KT_OK);
    int at = 0;
    feed(run, &at, y_true);
    feed(run, &at, y_pred);
    feed(run, &at, weight);
    feed(run, &at, mask);
    if (kt_cpu_execute(run)) fail_msg("%s: %s", c->name, kt_error_message());
    char part[64];
    snprintf(part, sizeof part, "%s%s", weighted ? "weighted_" : "", reduction);
    if (!weighted && !strncmp(reduction, "mean", 4))
        snprintf(part, sizeof part, "sum_over_batch_size");
    const kt_graph *done = kt_program_graph(program);
    compare(c, part, done->outputs.v[0], kt_cpu_output(run, 0));
    if (!strcmp(reduction, "sum_over_batch_size"))
        compare(c, weighted ? "weighted_grad" : "grad", done->outputs.v[1], kt_cpu_output(run, 1));
    kt_program_release(program, run);
    kt_program_free(program);
    kt_free(loss);
}

KT_TEST(losses, golden) {
    static const char *const reductions[] = {
        "none", "sum", "sum_over_batch_size", "mean", "mean_with_sample_weight"};
    golden c = {NULL, NULL, 0};
    assert_int_equal(kt_npz_open(&c.npz, "tests/golden/losses.npz"), KT_OK);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        c.name = names[i];
        const bool weights = member(&c, "weight") != NULL;
        for (int r = 0; r < 5; r++) {
            check(&c, reductions[r], false);
            if (weights) check(&c, reductions[r], true);
        }
        kt_clear_session();
    }
    kt_npz_close(c.npz);
    assert_int_equal(c.failures, 0);
}

/* A case added to the golden file must be added here. */
KT_TEST(losses, golden_cases_are_all_tested) {
    kt_npz *npz = NULL;
    int missing = 0;
    assert_int_equal(kt_npz_open(&npz, "tests/golden/losses.npz"), KT_OK);
    for (int i = 0; i < kt_npz_count(npz); i++) {
        const char *name = kt_npz_name(npz, i), *slash = strchr(name, '/');
        if (!slash || strcmp(slash, "/y_pred") != 0) continue;
        bool found = false;
        for (size_t k = 0; k < sizeof names / sizeof *names; k++)
            found = found || (strlen(names[k]) == (size_t)(slash - name) &&
                              !strncmp(names[k], name, (size_t)(slash - name)));
        if (!found) print_message("not tested: %s\n", name);
        missing += !found;
    }
    kt_npz_close(npz);
    assert_int_equal(missing, 0);
}
