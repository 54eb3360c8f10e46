/* What users write themselves: layers as in API.md, layers made of layers, state, losses, metrics,
 * add_loss, activity regularizers. */
#include "testing/kt_layers.h"
#include "testing/kt_models.h"

#include <keratin/sys/layer.h>

#include <math.h>
#include <string.h>

/* API.md, "A layer of the user's own", word for word
 * ----------------------------------------------- */
typedef struct {
    size_t size;
    int units;
    KT_LAYER_ARGS /* activity_regularizer, name, dtype, trainable, autocast */
} linear_args;

typedef struct {
    kt_var *w, *b;
} linear_state;

static kt_status linear_build(kt_layer *l, const kt_shape *in) {
    const linear_args *a = kt_layer_args(l);
    linear_state *s = kt_layer_state(l);
    s->w = kt_add_weight(l, "w", {kt_shape_dim(in, -1), a->units}, .initializer = "random_normal");
    s->b = kt_add_weight(l, "b", {a->units}, .initializer = "zeros");
    return kt_check(l); /* a weight that could not be made marks its layer as failed */
}

static kt_status linear_call(kt_layer *l, kt_trace *t) {
    const linear_state *s = kt_layer_state(l);
    t->out[0] = kt_op_add(kt_op_matmul(t->in[0], kt_value(s->w)), kt_value(s->b));
    return kt_check(t->out[0]);
}

static const kt_field linear_fields[] = {KT_F(linear_args, units), KT_F_END};
static const kt_layer_class linear_class = {
    .name = "Linear",
    .package = "my_package",
    .args_size = sizeof(linear_args),
    .state_size = sizeof(linear_state),
    .fields = linear_fields,
    .build = linear_build,
    .call = linear_call,
};
static kt_layer *linear_new(const linear_args *a) { return kt_layer_new(&linear_class, a); }
#define linear(...) KT_CALL(linear_new, linear_args, KT_LAYER_DEFAULTS, __VA_ARGS__)

static kt_model *two_linears(void) {
    return kt_sequential(kt_list(kt_input({8}), linear(16), linear(4, .name = "head")));
}

KT_TEST(user, the_layer_of_the_manual) {
    kt_model *m = two_linears();
    kt_check_ok(m);
    assert_int_equal(kt_layer_count_params(m), 8 * 16 + 16 + 16 * 4 + 4);
    kt_check_str(kt_layer_name(kt_model_layer(m, 0)), "linear");
    kt_check_str(kt_layer_class_name(kt_model_layer(m, 0)), "Linear");
    kt_check_str(kt_var_path(kt_layer_weight(m, 2)), "sequential/head/w");
    const kt_blobs d = kt_make_blobs(64, 8, 4);
    kt_check_status(
        kt_model_compile(
            m,
            kt_opt_adam(0.01),
            kt_loss_sparse_categorical_crossentropy(.from_logits = true),
            .metrics = kt_list("accuracy")),
        KT_OK);
    kt_history *h = kt_model_fit(m, d.x, d.y, .epochs = 20, .verbose = 0);
    kt_check_ok(h);
    assert_true(kt_history_get(h, "accuracy", -1) > 0.9);
    kt_free(m);
}

KT_TEST(user, the_layer_of_the_manual_keeps_the_contract) {
    kt_check_layer(linear(4), .input = {2, 3}, .output = {2, 4}, .n_trainable = 2);
    kt_check_gradients(linear(4), .input = {3, 5});
}

/* A layer made of layers: y = tanh(x a) b + counter, which counts the training calls.
 * -------------- */
typedef struct {
    size_t size;
    int hidden;
    KT_LAYER_ARGS
} block_args;

typedef struct {
    kt_layer *first, *second;
    kt_var *calls;
} block_state;

static kt_status block_init(kt_layer *l) {
    const block_args *a = kt_layer_args(l);
    block_state *s = kt_layer_state(l);
    s->first = kt_add_sublayer(l, kt_dense(a->hidden, .activation = "tanh", .name = "first"));
    s->second = kt_add_sublayer(l, kt_dense(1, .name = "second"));
    return kt_failed(s->first) ? kt_check(s->first) : kt_check(s->second);
}

static kt_status block_build(kt_layer *l, const kt_shape *in) {
    block_state *s = kt_layer_state(l);
    (void)in;
    s->calls = kt_add_weight(l, "calls", {KT_SCALAR}, .initializer = "zeros", .trainable = false);
    return kt_check(l);
}

static kt_status block_call(kt_layer *l, kt_trace *t) {
    block_state *s = kt_layer_state(l);
    if (t->training) {
        const kt_status st = kt_assign(s->calls, kt_op_add(kt_value(s->calls), kt_num(1)));
        if (st) return st;
    }
    kt_sym *y = kt_call(s->second, kt_call(s->first, t->in[0]));
    t->out[0] = kt_op_add(y, kt_op_multiply(kt_value(s->calls), kt_num(0)));
    return kt_check(t->out[0]);
}

static const kt_field block_fields[] = {KT_F(block_args, hidden), KT_F_END};
static const kt_layer_class block_class = {
    .name = "Block",
    .args_size = sizeof(block_args),
    .state_size = sizeof(block_state),
    .fields = block_fields,
    .init = block_init,
    .build = block_build,
    .call = block_call,
};
static kt_layer *block_new(const block_args *a) { return kt_layer_new(&block_class, a); }
#define block(...) KT_CALL(block_new, block_args, KT_LAYER_DEFAULTS, __VA_ARGS__)

static double calls_of(kt_model *m) {
    for (int i = 0; i < kt_layer_n_weights(m); i++)
        if (!strcmp(kt_var_name(kt_layer_weight(m, i)), "calls"))
            return kt_tensor_get(kt_var_value(kt_layer_weight(m, i)), 0);
    return -1;
}

KT_TEST(user, a_layer_of_layers_trains_and_counts) {
    kt_model *m = kt_sequential(kt_list(kt_input({3}), block(5)));
    kt_check_ok(m);
    assert_int_equal(kt_layer_n_weights(m), 5);
    assert_int_equal(kt_layer_count_params(m), 15 + 5 + 5 + 1 + 1);
    kt_check_str(kt_var_path(kt_layer_weight(m, 0)), "sequential/block/calls"); /* own ones first */
    kt_check_str(kt_var_path(kt_layer_weight(m, 1)), "sequential/block/first/kernel");
    uint64_t seed = 1;
    kt_tensor *x = kt_test_tensor(KT_FLOAT32, kt_dims(10, 3), -1, 1, &seed);
    kt_tensor *y = kt_test_tensor(KT_FLOAT32, kt_dims(10, 1), -1, 1, &seed);
    kt_check_status(kt_model_compile(m, kt_opt_sgd(0.1), "mse"), KT_OK);
    kt_history *h = kt_model_fit(m, x, y, .batch_size = 4, .epochs = 20, .verbose = 0);
    kt_check_ok(h);
    assert_true(kt_history_get(h, "loss", -1) < kt_history_get(h, "loss", 0));
    kt_check_near(calls_of(m), 60, 0, 0);
    kt_check_ok(kt_model_predict(m, x, .verbose = 0));
    kt_check_ok(kt_model_evaluate(m, x, y, .verbose = 0));
    kt_check_near(calls_of(m), 60, 0, 0); /* only training calls count */
    kt_free(m);
}

KT_TEST(user, a_wrong_part_fails_the_whole) {
    kt_check_fails(block(0), KT_EINVAL, "units");
    kt_check_message_has("in Block");
}

/* Losses and metrics
 * --------------------------------------------------------------------------------- */

static kt_sym *cubes(kt_sym *y_true, kt_sym *y_pred, void *data) {
    kt_sym *e = kt_op_abs(kt_op_subtract(y_true, y_pred));
    return kt_op_multiply(
        kt_op_mean(kt_op_power(e, kt_num(3)), -1, false), kt_num(*(const double *)data));
}

static kt_sym *worst(kt_sym *y_true, kt_sym *y_pred, void *data) {
    (void)data;
    return kt_op_max(kt_op_abs(kt_op_subtract(y_true, y_pred)), -1, false);
}

/* p = 2 x */
static kt_model *times_two(void) {
    return kt_sequential(kt_list(
        kt_input({1}), kt_dense(1, .use_bias = false, .kernel_initializer = kt_init_constant(2))));
}
#define X2 kt_floats_tensor(kt_dims(2, 1), KT_VALUES(1, 2))
#define Y2 kt_floats_tensor(kt_dims(2, 1), KT_VALUES(1, 1))

KT_TEST(user, own_loss_and_metric) {
    static double factor = 10;
    kt_model *m = times_two();
    kt_check_status(
        kt_model_compile(
            m,
            kt_opt_sgd(0.01),
            kt_loss_custom(cubes, .data = &factor),
            .metrics = kt_list(kt_metric_custom(worst), "mae")),
        KT_OK);
    kt_logs *l = kt_model_train_on_batch(m, X2, Y2); /* errors 1 3 */
    kt_check_near(kt_logs_get(l, "loss"), 10 * (1 + 27) / 2., 1e-6, 0);
    kt_check_near(kt_logs_get(l, "worst"), 2, 1e-6, 0);
    kt_check_near(kt_logs_get(l, "mae"), 2, 1e-6, 0);
    /* d loss / dw = 10 (3 1 1 + 3 9 2) / 2 */
    kt_check_values(kt_var_value(kt_layer_weight(m, 0)), 1e-5, 0, 2 - 0.01 * 10 * (3 + 54) / 2);
    kt_free(m);
}

static kt_sym *broken(kt_sym *y_true, kt_sym *y_pred, void *data) {
    (void)data;
    return kt_op_reshape(kt_op_subtract(y_true, y_pred), kt_dims(7, 7));
}

KT_TEST(user, errors_of_own_functions_come_through) {
    kt_model *m = times_two();
    kt_check_status(kt_model_compile(m, "sgd", kt_loss_custom(broken)), KT_OK);
    kt_check_fails(kt_model_train_on_batch(m, X2, Y2), KT_ESHAPE, "in train_on_batch of model");
    kt_check_status(
        kt_model_compile(m, "sgd", "mse", .metrics = kt_list(kt_metric_custom(broken))), KT_OK);
    kt_check_fails(kt_model_train_on_batch(m, X2, Y2), KT_ESHAPE, "in metric \"broken\"");
    kt_check_status(kt_model_compile(m, "sgd", kt_loss_custom(NULL)), KT_EINVAL);
    kt_check_status(kt_model_compile(m, "sgd", "mse"), KT_OK);
    kt_check_ok(kt_model_train_on_batch(m, X2, Y2));
    kt_free(m);
}

/* add_loss
 * ------------------------------------------------------------------------------------------- */

typedef struct {
    size_t size;
    double factor;
    KT_LAYER_ARGS
} penalty_args;

static kt_status penalty_call(kt_layer *l, kt_trace *t) {
    const penalty_args *a = kt_layer_args(l);
    t->out[0] = t->in[0];
    kt_sym *p = kt_op_multiply(
        kt_op_mean(kt_op_square(t->in[0]), KT_NONE, false), kt_num(a->factor));
    return kt_add_loss(p);
}

static const kt_field penalty_fields[] = {KT_F(penalty_args, factor), KT_F_END};
static const kt_layer_class penalty_class = {
    .name = "Penalty",
    .args_size = sizeof(penalty_args),
    .fields = penalty_fields,
    .call = penalty_call,
};
static kt_layer *penalty_new(const penalty_args *a) { return kt_layer_new(&penalty_class, a); }
#define penalty(...) KT_CALL(penalty_new, penalty_args, KT_LAYER_DEFAULTS, __VA_ARGS__)

static kt_model *with_penalty(double factor) {
    return kt_sequential(kt_list(
        kt_input({1}),
        kt_dense(1, .use_bias = false, .kernel_initializer = kt_init_constant(2)),
        penalty(factor)));
}

KT_TEST(user, add_loss_adds_once_per_step) {
    kt_model *m = with_penalty(0.5);
    kt_check_status(kt_model_compile(m, kt_opt_sgd(0.0), "mse"), KT_OK);
    /* mse (1 + 9) / 2 = 5, penalty 0.5 (4 + 16) / 2 = 5 */
    for (int i = 0; i < 3; i++)
        kt_check_near(kt_logs_get(kt_model_train_on_batch(m, X2, Y2), "loss"), 10, 1e-6, 0);
    kt_check_near(kt_logs_get(kt_model_evaluate(m, X2, Y2, .verbose = 0), "loss"), 10, 1e-6, 0);
    kt_history *h = kt_model_fit(m, X2, Y2, .epochs = 2, .verbose = 0);
    kt_check_near(kt_history_get(h, "loss", 1), 10, 1e-6, 0);
    kt_free(m);
}

KT_TEST(user, add_loss_alone_is_enough_to_train) {
    kt_model *m = with_penalty(1);
    kt_check_status(kt_model_compile(m, kt_opt_sgd(0.1)), KT_OK);
    kt_logs *l = kt_model_train_on_batch(m, X2, Y2);
    kt_check_near(kt_logs_get(l, "loss"), 10, 1e-6, 0);
    kt_check_values(kt_var_value(kt_layer_weight(m, 0)), 1e-5, 0, 2 - 0.1 * 2 * 2 * (1 + 4) / 2);
    kt_free(m);
}

KT_TEST(user, add_loss_outside_of_a_call_is_an_error) {
    kt_check_status(kt_add_loss(kt_num(1)), KT_ESTATE);
    kt_check_status(kt_check(kt_value(NULL)), KT_EINVAL);
}

/* Keras divides an activity penalty by the batch size. */
KT_TEST(user, activity_regularizers_count) {
    kt_model *m = kt_sequential(kt_list(
        kt_input({1}),
        kt_dense(
            1,
            .use_bias = false,
            .kernel_initializer = kt_init_constant(2),
            .activity_regularizer = kt_reg_l2(0.5))));
    kt_check_status(kt_model_compile(m, kt_opt_sgd(0.0), "mse"), KT_OK);
    const double want = 5 + 0.5 * (4 + 16) / 2;
    kt_check_near(kt_logs_get(kt_model_train_on_batch(m, X2, Y2), "loss"), want, 1e-6, 0);
    kt_free(m);
}

KT_TEST(user, weight_regularizers_count) {
    kt_model *m = kt_sequential(kt_list(
        kt_input({1}),
        kt_dense(
            1,
            .kernel_initializer = kt_init_constant(2),
            .bias_initializer = kt_init_constant(0.5),
            .kernel_regularizer = kt_reg_l2(0.5),
            .bias_regularizer = kt_reg_l1(4))));
    kt_check_status(kt_model_compile(m, kt_opt_sgd(0.1), "mse"), KT_OK);
    kt_logs *l = kt_model_train_on_batch(m, X2, Y2); /* errors 1.5 3.5 */
    kt_check_near(kt_logs_get(l, "loss"), (2.25 + 12.25) / 2 + 2 + 2, 1e-6, 0);
    kt_check_values(
        kt_var_value(kt_layer_weight(m, 0)), 1e-5, 0, 2 - 0.1 * ((2 * 1.5 + 2 * 3.5 * 2) / 2 + 2));
    kt_check_values(kt_var_value(kt_layer_weight(m, 1)), 1e-5, 0, 0.5 - 0.1 * (1.5 + 3.5 + 4));
    /* frozen weights are not punished, as in Keras */
    kt_check_status(kt_set_trainable(m, false), KT_OK);
    kt_check_status(kt_model_compile(m, kt_opt_sgd(0.1), "mae"), KT_OK);
    kt_weights_copy w = kt_copy_weights(m);
    l = kt_model_train_on_batch(m, X2, Y2);
    kt_check_near(
        kt_logs_get(l, "loss"),
        (fabs(w.v[0] + w.v[1] - 1) + fabs(2 * w.v[0] + w.v[1] - 1)) / 2,
        1e-5,
        0);
    kt_weights_copy_free(&w);
    kt_free(m);
}

KT_TEST(user, constraints_hold_after_each_step) {
    kt_model *m = kt_sequential(
        kt_list(kt_input({1}), kt_dense(1, .use_bias = false, .kernel_constraint = "non_neg")));
    kt_check_status(kt_model_compile(m, kt_opt_sgd(10), "mse"), KT_OK);
    kt_tensor *y = kt_floats_tensor(kt_dims(2, 1), KT_VALUES(-5, -5));
    kt_check_ok(kt_model_train_on_batch(m, X2, y));
    assert_true(kt_tensor_get(kt_var_value(kt_layer_weight(m, 0)), 0) >= 0);
    kt_free(m);
}

/* A whole model in float64 against central differences: two branches, a shared layer, a nested
 * model, operators, penalties. */
static kt_model *branches(void) {
    kt_sym *a = kt_input({3}), *b = kt_input({2, 2});
    kt_layer *shared = kt_dense(4, .activation = "tanh", .kernel_regularizer = kt_reg_l2(0.01));
    kt_sym *p = kt_call(shared, a);
    kt_sym *q = kt_call(kt_dense(3, .activation = "sigmoid"), kt_call(kt_flatten(), b));
    q = kt_call(shared, q);
    kt_model *inner = kt_sequential(kt_list(kt_dense(3, .activation = "gelu"), penalty(0.1)));
    kt_sym *x = kt_call(inner, kt_call(kt_concatenate(), kt_list(p, q, kt_op_multiply(p, q))));
    kt_sym *y = kt_op_divide(x, kt_op_add(kt_op_square(x), kt_num(1)));
    return kt_functional(kt_list(a, b), kt_list(kt_call(kt_dense(2), y), kt_op_mean(y, 1, true)));
}

KT_TEST(user, gradients_of_a_whole_model) {
    kt_check_gradients(branches(), .input = {5, 3}, .input1 = {5, 2, 2});
    kt_check_gradients(branches(), .input = {1, 3}, .input1 = {1, 2, 2});
    kt_check_gradients(
        branches(), .input = {KT_NONE, 3}, .input1 = {KT_NONE, 2, 2}, .empty_batch = true);
}

/* The same through compile and train_on_batch: SGD with rate 1 shows the gradient as a difference
 * of weights. Coarser, because losses are reported as float32. */
KT_TEST(user, gradients_of_a_training_step) {
    kt_set_dtype_policy("float64");
    kt_set_random_seed(4);
    kt_model *m = branches();
    uint64_t seed = 9;
    kt_ref x = kt_retain(kt_list(
        kt_test_tensor(KT_FLOAT64, kt_dims(5, 3), -1, 1, &seed),
        kt_test_tensor(KT_FLOAT64, kt_dims(5, 2, 2), -1, 1, &seed)));
    kt_ref y = kt_retain(kt_list(
        kt_test_tensor(KT_FLOAT64, kt_dims(5, 2), -1, 1, &seed),
        kt_test_tensor(KT_FLOAT64, kt_dims(5, 1), -1, 1, &seed)));
    kt_check_status(
        kt_model_compile(m, kt_opt_sgd(1), "mse", .loss_weights = kt_floats(1, 0.3)), KT_OK);
    kt_list_t *start = kt_get_weights(m);
    kt_weights_copy before = kt_copy_weights(m);
    kt_check_ok(kt_model_train_on_batch(m, x, y));
    kt_weights_copy after = kt_copy_weights(m);
    kt_check_status(kt_set_weights(m, start), KT_OK);
    int64_t at = 0;
    for (int i = 0; i < kt_layer_n_weights(m); i++) {
        kt_var *v = kt_layer_weight(m, i);
        for (int64_t k = 0; k < kt_shape_size(&v->spec.shape); k++, at++) {
            double *w = (double *)kt_var_data(v) + k, loss[2];
            for (int up = 0; up < 2; up++) {
                *w = before.v[at] + (up ? 1e-4 : -1e-4);
                loss[up] = kt_logs_get(kt_model_test_on_batch(m, x, y), "loss");
            }
            *w = before.v[at];
            kt_check_near(before.v[at] - after.v[at], (loss[1] - loss[0]) / 2e-4, 1e-2, 2e-3);
        }
    }
    kt_set_dtype_policy("float32");
    kt_weights_copy_free(&before);
    kt_weights_copy_free(&after);
    kt_free(x);
    kt_free(y);
    kt_free(m);
}
