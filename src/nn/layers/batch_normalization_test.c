/* BatchNormalization: three calls in a row against real Keras (values, gradients, moving averages),
 * the contract, gradients by differences, what is recorded in a model, wrong arguments. */
#include "io/npz.h"
#include "testing/kt_layers.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

typedef struct {
    kt_npz *npz;
    const char *name;
    int call; ///< -1: members of the case itself
} golden;

/* CASE/PART, or CASE/callN/PART; NULL if there is none. */
static kt_tensor *member(const golden *g, const char *part) {
    char key[128];
    if (g->call < 0)
        snprintf(key, sizeof key, "%s/%s", g->name, part);
    else
        snprintf(key, sizeof key, "%s/call%d/%s", g->name, g->call, part);
    for (int i = 0; i < kt_npz_count(g->npz); i++)
        if (!strcmp(kt_npz_name(g->npz, i), key)) return kt_npz_read(g->npz, key);
    return NULL;
}

/* Within 1e-5 of the largest element of the array, or of 0.1. */
static void compare(const golden *g, const char *part, const float *got) {
    kt_tensor *want = member(g, part);
    assert_non_null(want);
    double most = 0.1;
    for (int64_t i = 0; i < kt_tensor_size(want); i++)
        most = fmax(most, fabs(kt_tensor_get(want, i)));
    for (int64_t i = 0; i < kt_tensor_size(want); i++) {
        const double w = kt_tensor_get(want, i);
        if (fabs((double)got[i] - w) <= 1e-5 * most) continue;
        print_error(
            "%s, call %d, %s[%d]: got %.9g, Keras %.9g\n",
            g->name,
            g->call,
            part,
            (int)i,
            (double)got[i],
            w);
        fail();
    }
    kt_free(want);
}

static void load(const golden *g, const char *part, void *to) {
    kt_tensor *t = member(g, part);
    assert_non_null(t);
    memcpy(to, kt_tensor_data(t), kt_tensor_size(t) * kt_dtype_size(kt_tensor_dtype(t)));
    kt_free(t);
}

static void start(golden *g, kt_layer_rig *r) {
    kt_tensor *mask = member(g, "mask");
    g->call = 0;
    kt_tensor *x = member(g, "x");
    assert_non_null(x);
    r->n_in = 1;
    r->in[0] = (kt_spec){KT_FLOAT32, kt_tensor_shape(x)};
    r->has_mask = mask != NULL;
    if (mask) r->mask = (kt_spec){KT_BOOL, kt_tensor_shape(mask)};
    kt_check_status(kt_rig_start(r), KT_OK);
    kt_free(x);
    kt_free(mask);
}

static void check_case_of(const char *file, const char *name, kt_layer *layer, bool training) {
    golden g = {NULL, name, -1};
    kt_layer_rig r = {.layer = layer, .training = training};
    char part[16];
    kt_check_status(kt_npz_open(&g.npz, file), KT_OK);
    start(&g, &r);
    for (int i = 0; i < r.n_vars; i++) {
        g.call = -1;
        snprintf(part, sizeof part, "w%d", i);
        load(&g, part, kt_var_data(r.var[i]));
    }
    for (g.call = 0; g.call < 3; g.call++) {
        load(&g, "x", kt_cpu_input(r.run, 0));
        load(&g, "c", kt_rig_c(&r));
        if (r.has_mask) load(&(golden){g.npz, name, -1}, "mask", kt_cpu_input(r.run, 1));
        kt_check_status(kt_cpu_execute(r.run), KT_OK);
        compare(&g, "y", kt_cpu_output(r.run, 0));
        compare(&g, "dx", kt_cpu_output(r.run, r.in_grad[0]));
        for (int i = 0; i < r.n_vars; i++) {
            snprintf(part, sizeof part, "w%d", i);
            compare(&g, part, kt_var_data(r.var[i]));
            snprintf(part, sizeof part, "dw%d", i);
            kt_tensor *dw = member(&g, part);
            if (dw) compare(&g, part, kt_cpu_output(r.run, r.var_grad[i]));
            kt_free(dw);
        }
    }
    kt_rig_stop(&r);
    kt_npz_close(g.npz);
}

static void check_case(const char *name, kt_layer *layer, bool training) {
    check_case_of("tests/golden/layers_more.npz", name, layer, training);
}

static kt_layer *frozen(void) {
    kt_layer *l = kt_batch_normalization();
    kt_check_status(kt_set_trainable(l, false), KT_OK);
    return l;
}

KT_TEST(batch_normalization, three_calls_are_those_of_keras) {
    check_case("batch_normalization", kt_batch_normalization(), true);
    check_case("batch_normalization_images", kt_batch_normalization(.momentum = 0.8), true);
    check_case("batch_normalization_inference", kt_batch_normalization(), false);
    check_case("batch_normalization_frozen", frozen(), true);
    check_case(
        "batch_normalization_no_scale",
        kt_batch_normalization(.scale = false, .epsilon = 0.1),
        true);
    check_case("batch_normalization_no_center", kt_batch_normalization(.center = false), true);
    check_case(
        "batch_normalization_plain",
        kt_batch_normalization(-1, 0.5, .center = false, .scale = false),
        true);
    check_case("batch_normalization_axis_1", kt_batch_normalization(1), true);
    check_case("batch_normalization_axis_1_images", kt_batch_normalization(1), true);
    check_case("batch_normalization_one_sample", kt_batch_normalization(), true);
    check_case("batch_normalization_mask", kt_batch_normalization(), true);
}

KT_TEST(batch_normalization, renorm_is_that_of_keras) {
    static const char file[] = "tests/golden/training.npz";
    const kt_floats_t clip = kt_floats(1.5, 0.7, 0.3), low = kt_floats(KT_NONE_F, 0.9, KT_NONE_F);
    check_case_of(file, "renorm/plain", kt_batch_normalization(.renorm = true), true);
    check_case_of(
        file,
        "renorm/clipped",
        kt_batch_normalization(
                .momentum = 0.9, .renorm = true, .renorm_clipping = clip, .renorm_momentum = 0.8),
        true);
    check_case_of(
        file,
        "renorm/bare",
        kt_batch_normalization(
                .epsilon = 0.1,
                .center = false,
                .scale = false,
                .renorm = true,
                .renorm_clipping = low),
        true);
    check_case_of(file, "renorm/inference", kt_batch_normalization(.renorm = true), false);
}

KT_TEST(batch_normalization, renorm_begins_at_the_root_of_the_variance) {
    kt_layer *l = kt_batch_normalization(
            .renorm = true, .moving_variance_initializer = kt_init_constant(9));
    kt_model *m = kt_sequential(kt_list(kt_input({2}), l));
    assert_int_equal(kt_layer_n_weights(l), 7);
    kt_check_str(kt_var_name(kt_layer_weight(l, 4)), "moving_stddev");
    kt_check_near(kt_tensor_get(kt_var_value(kt_layer_weight(l, 4)), 1), 3, 1e-6, 0);
    kt_check_near(kt_tensor_get(kt_var_value(kt_layer_weight(l, 6)), 0), 3, 1e-6, 0);
    kt_free(m);
    const kt_floats_t crossed = kt_floats(0.5, 0.7, 1), negative = kt_floats(2, 0, -1);
    kt_check_fails(
        kt_batch_normalization(.renorm = true, .renorm_clipping = crossed), KT_EINVAL, "rmax");
    kt_check_fails(
        kt_batch_normalization(.renorm = true, .renorm_clipping = negative), KT_EINVAL, "dmax");
    kt_check_fails(
        kt_batch_normalization(.renorm = true, .renorm_clipping = kt_floats(1, 2)),
        KT_EINVAL,
        "got 2 numbers");
}

KT_TEST(batch_normalization, keeps_the_layer_contract) {
    kt_check_layer(
        kt_batch_normalization(),
        .input = {2, 3},
        .output = {2, 3},
        .n_trainable = 2,
        .n_other = 2,
        .n_params = 12);
    kt_check_layer(
        kt_batch_normalization(.scale = false, .center = false),
        .input = {2, KT_NONE, KT_NONE, 3},
        .output = {2, KT_NONE, KT_NONE, 3},
        .n_other = 2,
        .training = true);
    kt_check_layer(
        kt_batch_normalization(1),
        .input = {2, 3, 4},
        .output = {2, 3, 4},
        .n_trainable = 2,
        .n_other = 2);
}

/* The variance is a difference of large numbers here; moving averages of the run before do not
 * matter. */
KT_TEST(batch_normalization, has_the_right_gradients) {
    kt_check_gradients(kt_batch_normalization(), .input = {6, 3}, .training = true);
    kt_check_gradients(kt_batch_normalization(), .input = {2, 3, 2, 4}, .training = true);
    kt_check_gradients(
        kt_batch_normalization(1, .scale = false), .input = {2, 3, 4}, .training = true);
    kt_check_gradients(kt_batch_normalization(.center = false), .input = {5, 2}, .training = true);
}

/* Numbers far from 0 keep their digits: the mean is taken off before anything is squared or
 * scaled. */
KT_TEST(batch_normalization, keeps_digits_far_from_zero) {
    kt_layer_rig r = {.layer = kt_batch_normalization(.epsilon = 0), .n_in = 1, .training = true};
    r.in[0] = (kt_spec){KT_FLOAT32, {2, {4, 1}}};
    kt_check_status(kt_rig_start(&r), KT_OK);
    memcpy(kt_cpu_input(r.run, 0), (float[]){10001, 10002, 10003, 10004}, 16);
    kt_check_status(kt_cpu_execute(r.run), KT_OK);
    const float *y = kt_cpu_output(r.run, 0);
    for (int i = 0; i < 4; i++) kt_check_near(y[i], (i - 1.5) / sqrt(1.25), 1e-6, 1e-6);
    kt_rig_stop(&r);
}

KT_TEST(batch_normalization, moves_its_averages_while_a_model_trains) {
    kt_layer *bn = kt_batch_normalization(.momentum = 0.5);
    kt_model *m = kt_sequential(kt_list(kt_input({1}), bn, kt_dense(1)));
    kt_check_status(kt_model_compile(m, "sgd", "mse"), KT_OK);
    kt_tensor *x = kt_tensor_new(KT_FLOAT32, kt_dims(4, 1), (float[]){2, 4, 6, 8});
    kt_check_status(kt_check(kt_model_fit(m, x, x, .epochs = 1, .verbose = 0)), KT_OK);
    kt_check_near(kt_tensor_get(kt_var_value(kt_layer_weight(bn, 2)), 0), 2.5, 1e-6, 0);
    kt_check_near(kt_tensor_get(kt_var_value(kt_layer_weight(bn, 3)), 0), 3, 1e-6, 0);
    kt_check_status(kt_check(kt_model_predict(m, x, .verbose = 0)), KT_OK);
    kt_check_near(kt_tensor_get(kt_var_value(kt_layer_weight(bn, 2)), 0), 2.5, 1e-6, 0);

    kt_check_status(kt_set_trainable(bn, false), KT_OK);
    kt_check_status(kt_model_compile(m, "sgd", "mse"), KT_OK);
    kt_check_status(kt_check(kt_model_fit(m, x, x, .epochs = 1, .verbose = 0)), KT_OK);
    kt_check_near(kt_tensor_get(kt_var_value(kt_layer_weight(bn, 2)), 0), 2.5, 1e-6, 0);
}

KT_TEST(batch_normalization, rejects_what_does_not_fit) {
    kt_check_fails(kt_batch_normalization(.synchronized = true), KT_EUNSUPPORTED, "synchronized");
    kt_check_fails(
        kt_call(kt_batch_normalization(2), kt_input({3})), KT_EINVAL, "axis 2 is out of range");
    kt_check_fails(
        kt_call(kt_batch_normalization(1), kt_input({KT_NONE, 3})),
        KT_ESHAPE,
        "must be known when the layer is built");
    kt_layer *l = kt_batch_normalization();
    kt_check_status(kt_check(kt_call(l, kt_input({3}))), KT_OK);
    kt_check_fails(kt_call(l, kt_input({4})), KT_ESHAPE, "last axis 3");
    kt_check_fails(kt_call(l, kt_input({2, 3})), KT_ESHAPE, "2 axes");
}
