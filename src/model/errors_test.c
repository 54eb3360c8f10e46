/* Wrong input: every case gives its documented status and a message that names what was wrong,
 * nothing leaks, and the model trains on afterwards. */
#include "testing/kt_layers.h"
#include "testing/kt_models.h"

#include <math.h>
#include <string.h>

#define N 24

typedef struct {
    kt_model *m;
    kt_blobs d;
} rig;

static rig make(void) { return (rig){kt_small_model(5, 8, 3), kt_make_blobs(N, 5, 3)}; }

static void still_trains(const rig *r) {
    const double before = kt_logs_get(kt_model_test_on_batch(r->m, r->d.x, r->d.y), "loss");
    kt_check_ok(kt_model_fit(r->m, r->d.x, r->d.y, .epochs = 5, .verbose = 0));
    const double after = kt_logs_get(kt_model_test_on_batch(r->m, r->d.x, r->d.y), "loss");
    assert_true(isfinite(after) && after < before);
    kt_free(r->m);
}

static kt_tensor *zeros(kt_dtype dtype, kt_shape s) { return kt_tensor_new(dtype, s, NULL); }
#define FLOATS(...) zeros(KT_FLOAT32, kt_dims(__VA_ARGS__))
#define INTS(...) zeros(KT_INT32, kt_dims(__VA_ARGS__))

KT_TEST(errors, data_that_do_not_fit) {
    const rig r = make();
    kt_tensor *x = r.d.x, *y = r.d.y;
    kt_check_fails(kt_model_fit(r.m, FLOATS(N, 4), y, .verbose = 0), KT_ESHAPE, "do not fit input");
    kt_check_message_has("expected: float32 (None, 5)");
    kt_check_message_has("float32 (24, 4)");
    kt_check_message_has("in fit of model \"sequential\"");
    kt_check_fails(kt_model_predict(r.m, FLOATS(N, 5, 2), .verbose = 0), KT_ESHAPE, "(24, 5, 2)");
    kt_check_message_has("in predict of model");
    kt_check_fails(
        kt_model_evaluate(r.m, FLOATS(N, 3), y, .verbose = 0), KT_ESHAPE, "in evaluate of model");
    kt_check_fails(kt_model_train_on_batch(r.m, FLOATS(5), y), KT_ESHAPE, "do not fit input");
    kt_check_fails(
        kt_model_fit(r.m, zeros(KT_FLOAT32, (kt_shape){0, {0}}), y, .verbose = 0),
        KT_ESHAPE,
        "batch axis, got a scalar");
    kt_check_fails(
        kt_model_fit(r.m, kt_list(x, x), y, .verbose = 0),
        KT_EINVAL,
        "expected 1, one for each input of the model, got 2");
    kt_check_fails(
        kt_model_fit(r.m, x, kt_list(y, y), .verbose = 0),
        KT_EINVAL,
        "expected 1, one for each output of the model, got 2");
    still_trains(&r);
}

KT_TEST(errors, labels_that_do_not_fit) {
    const rig r = make();
    kt_check_fails(kt_model_fit(r.m, r.d.x, FLOATS(N, 2), .verbose = 0), KT_ESHAPE, "(24, 2)");
    kt_check_message_has("in the loss of output \"dense_1\"");
    kt_check_fails(kt_model_fit(r.m, r.d.x, INTS(N, 3, 2), .verbose = 0), KT_ESHAPE, "(24, 3, 2)");
    kt_check_status(kt_model_compile(r.m, "adam", "mse"), KT_OK);
    kt_check_fails(kt_model_fit(r.m, r.d.x, FLOATS(N, 2), .verbose = 0), KT_ESHAPE, "(24, 2)");
    kt_check_status(
        kt_model_compile(r.m, kt_opt_adam(0.01), "sparse_categorical_crossentropy"), KT_OK);
    still_trains(&r);
}

/* Classes are 0 … 2. */
KT_TEST(errors, labels_out_of_range) {
    const rig r = make();
    static const double wrong[] = {3, 1000000, -1, -2000000000.0, NAN};
    for (int i = 0; i < 5; i++) {
        kt_tensor *y = kt_tensor_cast(r.d.y, KT_FLOAT32);
        kt_tensor_set(y, 7, wrong[i]);
        kt_check_fails(
            kt_model_fit(r.m, r.d.x, y, .batch_size = 5, .verbose = 0), KT_EINVAL, "label");
        kt_check_message_has("in fit of model");
        kt_check_fails(kt_model_evaluate(r.m, r.d.x, y, .verbose = 0), KT_EINVAL, "label");
    }
    kt_tensor *y = kt_tensor_copy(r.d.y);
    kt_tensor_set(y, 23, 3);
    kt_check_fails(kt_model_train_on_batch(r.m, r.d.x, y), KT_EINVAL, "a label is out of range");
    kt_check_message_has("0 to 2");
    kt_check_message_has("3 in row 23 of the batch");
    still_trains(&r);
}

KT_TEST(errors, lengths_that_differ) {
    const rig r = make();
    kt_tensor *x = r.d.x, *y = r.d.y;
    kt_check_fails(kt_model_fit(r.m, x, INTS(N + 1), .verbose = 0), KT_ESHAPE, "different lengths");
    kt_check_message_has("24 rows, as in x");
    kt_check_message_has("25 rows in y");
    kt_check_fails(
        kt_model_fit(r.m, x, y, .sample_weight = FLOATS(N - 1), .verbose = 0),
        KT_ESHAPE,
        "23 rows in sample_weight");
    kt_check_fails(kt_model_evaluate(r.m, x, INTS(1), .verbose = 0), KT_ESHAPE, "1 rows in y");
    kt_check_fails(
        kt_model_fit(r.m, x, y, .validation_x = x, .validation_y = INTS(2), .verbose = 0),
        KT_ESHAPE,
        "2 rows in y");
    kt_check_fails(kt_model_fit(r.m, x, y, .validation_x = x, .verbose = 0), KT_EINVAL, "got None");
    kt_check_fails(
        kt_model_fit(r.m, x, y, .sample_weight = FLOATS(N, 7), .verbose = 0), KT_ESHAPE, "");
    kt_check_fails(
        kt_model_fit(r.m, x, y, .sample_weight = kt_list(y, y), .verbose = 0),
        KT_EINVAL,
        "sample_weight: expected 1, one for each output of the model, got 2");
    still_trains(&r);
}

KT_TEST(errors, empty_data) {
    const rig r = make();
    kt_check_fails(kt_model_fit(r.m, FLOATS(0, 5), INTS(0), .verbose = 0), KT_EINVAL, "empty");
    kt_check_fails(kt_model_evaluate(r.m, FLOATS(0, 5), INTS(0), .verbose = 0), KT_EINVAL, "empty");
    kt_check_fails(kt_model_predict(r.m, FLOATS(0, 5), .verbose = 0), KT_EINVAL, "empty");
    kt_check_fails(kt_model_train_on_batch(r.m, FLOATS(0, 5), INTS(0)), KT_EINVAL, "empty");
    kt_check_fails(kt_model_predict_on_batch(r.m, FLOATS(0, 5)), KT_EINVAL, "empty");
    kt_check_status(kt_model_predict_into(r.m, FLOATS(0, 5), FLOATS(0, 3)), KT_EINVAL);
    still_trains(&r);
}

KT_TEST(errors, numbers_that_make_no_sense) {
    const rig r = make();
    kt_tensor *x = r.d.x, *y = r.d.y;
#define FIT(...) kt_model_fit(r.m, x, y, .verbose = 0, __VA_ARGS__)
    kt_check_fails(
        FIT(.batch_size = 0), KT_EINVAL, "batch_size: expected a positive integer, got 0");
    kt_check_ok(FIT(.batch_size = INT64_MAX));
    kt_check_ok(
        FIT(.batch_size = INT64_MAX, .validation_split = 0.5, .steps_per_epoch = INT64_MAX));
    kt_check_fails(FIT(.batch_size = -5), KT_EINVAL, "got -5");
    kt_check_fails(FIT(.epochs = -1), KT_EINVAL, "epochs");
    kt_check_fails(FIT(.initial_epoch = -1), KT_EINVAL, "epochs");
    kt_check_fails(FIT(.validation_split = 1), KT_EINVAL, "validation_split");
    kt_check_fails(FIT(.validation_split = -0.1), KT_EINVAL, "validation_split");
    kt_check_fails(FIT(.validation_split = NAN), KT_EINVAL, "validation_split");
    kt_check_fails(FIT(.validation_split = 0.99), KT_EINVAL, "leaves a part empty");
    kt_check_fails(FIT(.validation_freq = 0), KT_EINVAL, "validation_freq");
    kt_check_fails(FIT(.steps_per_epoch = 0), KT_EINVAL, "steps_per_epoch");
    kt_check_fails(
        FIT(.validation_split = 0.5, .validation_batch_size = 0), KT_EINVAL, "batch_size");
    kt_check_fails(
        FIT(.validation_split = 0.5, .validation_steps = 0), KT_EINVAL, "validation_steps");
#undef FIT
    kt_check_fails(
        kt_model_evaluate(r.m, x, y, .batch_size = 0, .verbose = 0), KT_EINVAL, "batch_size");
    kt_check_fails(kt_model_evaluate(r.m, x, y, .steps = 0, .verbose = 0), KT_EINVAL, "steps");
    kt_check_ok(
        kt_model_predict(r.m, x, .batch_size = INT64_MAX, .steps = INT64_MAX, .verbose = 0));
    kt_check_fails(
        kt_model_predict(r.m, x, .batch_size = -1, .verbose = 0), KT_EINVAL, "batch_size");
    kt_check_fails(kt_model_predict(r.m, x, .steps = 0, .verbose = 0), KT_EINVAL, "steps");
    still_trains(&r);
}

KT_TEST(errors, weights_of_classes) {
    const rig r = make();
    const kt_class_weight nan[] = {{0, NAN}, {-1, 0}}, fine[] = {{0, 2}, {-1, 0}};
    kt_check_fails(
        kt_model_fit(
            r.m, r.d.x, r.d.y, .class_weight = fine, .sample_weight = FLOATS(N), .verbose = 0),
        KT_EINVAL,
        "class_weight and sample_weight cannot go together");
    kt_check_fails(
        kt_model_fit(r.m, r.d.x, r.d.y, .class_weight = nan, .verbose = 0),
        KT_EINVAL,
        "class_weight: expected finite numbers");
    kt_sym *in = kt_input({5});
    kt_layer *head = kt_dense(3);
    kt_sym *out = kt_call(head, in);
    kt_model *two = kt_functional(in, kt_list(out, out));
    kt_check_status(kt_model_compile(two, "sgd", "mse"), KT_OK);
    kt_check_fails(
        kt_model_fit(
            two, r.d.x, kt_list(r.d.onehot, r.d.onehot), .class_weight = fine, .verbose = 0),
        KT_EINVAL,
        "only for models with one output");
    kt_free(two);
    still_trains(&r);
}

KT_TEST(errors, before_compile) {
    const kt_blobs d = kt_make_blobs(N, 5, 3);
    kt_model *m = kt_sequential(kt_list(kt_input({5}), kt_dense(3)));
    kt_check_fails(kt_model_fit(m, d.x, d.y, .verbose = 0), KT_ESTATE, "fit before compile");
    kt_check_message_has("call kt_model_compile first");
    kt_check_fails(
        kt_model_evaluate(m, d.x, d.y, .verbose = 0), KT_ESTATE, "evaluate before compile");
    kt_check_fails(
        kt_model_train_on_batch(m, d.x, d.y), KT_ESTATE, "train_on_batch before compile");
    kt_check_fails(kt_model_test_on_batch(m, d.x, d.y), KT_ESTATE, "test_on_batch before compile");
    kt_check_ok(kt_model_predict(m, d.x, .verbose = 0)); /* needs none */
    kt_free(m);
}

KT_TEST(errors, names_nobody_knows) {
    const rig r = make();
#define COMPILE(...) kt_check_status(kt_model_compile(r.m, __VA_ARGS__), KT_EINVAL)
    COMPILE("adma", "mse");
    kt_check_message_has("optimizer: unknown name \"adma\"");
    kt_check_message_has("did you mean \"adam\"?");
    kt_check_message_has("in compile of model \"sequential\"");
    COMPILE("adam", "msee");
    kt_check_message_has("did you mean \"mse\"?");
    COMPILE("adam", "mean_sqared_error");
    kt_check_message_has("did you mean \"mean_squared_error\"?");
    COMPILE("adam", "mse", .metrics = kt_list("acuracy"));
    kt_check_message_has("did you mean \"accuracy\"?");
    COMPILE("adam", "mse", .metrics = "");
    COMPILE("", "mse");
    COMPILE("quite something else", "mse");
    assert_null(strstr(kt_error_message(), "did you mean"));
    COMPILE("adam", kt_dict("dense_2", "mse"));
    kt_check_message_has("did you mean \"dense_1\"?");
#undef COMPILE
    still_trains(&r); /* with the compile that was in force */
}

KT_TEST(errors, hyper_parameters_that_are_no_numbers) {
    const rig r = make();
    kt_check_fails(kt_opt_adam(NAN), KT_EINVAL, "learning_rate");
    kt_check_fails(kt_opt_adam(-0.1), KT_EINVAL, "learning_rate");
    kt_check_fails(kt_opt_adam(INFINITY), KT_EINVAL, "learning_rate");
    kt_check_fails(kt_opt_sgd(0.1, .momentum = NAN), KT_EINVAL, "momentum");
    kt_check_fails(kt_opt_sgd(0.1, .momentum = -1), KT_EINVAL, "momentum");
    kt_check_fails(kt_opt_adam(.clipnorm = NAN), KT_EINVAL, "clipnorm");
    kt_check_fails(kt_reg_l2(NAN), KT_EINVAL, "l2");
    kt_check_fails(kt_dense(3, .kernel_regularizer = kt_reg_l2(NAN)), KT_EINVAL, "l2");
    kt_check_fails(kt_rescaling(NAN), KT_EINVAL, "scale");
    kt_check_status(kt_model_compile(r.m, kt_opt_adam(NAN), "mse"), KT_EINVAL);
    kt_check_message_has("learning_rate");
    still_trains(&r);
}

KT_TEST(errors, kinds_that_are_wrong) {
    const rig r = make();
    kt_tensor *x = r.d.x, *y = r.d.y;
    kt_check_status(kt_model_compile(r.m, kt_dense(3), "mse"), KT_EINVAL);
    kt_check_message_has("optimizer: expected a name or an optimizer, got a layer");
    kt_check_status(kt_model_compile(r.m, "adam", kt_opt_adam()), KT_EINVAL);
    kt_check_message_has("loss");
    kt_check_message_has("got an optimizer");
    kt_check_status(kt_model_compile(r.m, "adam", "mse", .metrics = kt_list(x)), KT_EINVAL);
    kt_check_message_has("got a tensor");
    kt_check_fails(
        kt_model_fit(r.m, r.m, y, .verbose = 0), KT_EINVAL, "x: expected a tensor, got a");
    kt_check_fails(kt_model_fit(r.m, "x", y, .verbose = 0), KT_EINVAL, "got \"x\"");
    kt_check_fails(kt_model_fit(r.m, x, "y", .verbose = 0), KT_EINVAL, "y: expected a tensor");
    kt_check_fails(kt_model_fit(r.m, kt_list(x, "y"), y, .verbose = 0), KT_EINVAL, "got \"y\"");
    kt_check_fails(
        kt_model_fit(r.m, x, y, .callbacks = "early", .verbose = 0), KT_EINVAL, "callbacks");
    kt_check_fails(
        kt_model_fit(r.m, x, y, .callbacks = kt_list(kt_opt_adam()), .verbose = 0),
        KT_EINVAL,
        "expected a callback, got an optimizer");
    kt_check_fails(
        kt_model_fit(r.m, x, y, .sample_weight = "w", .verbose = 0), KT_EINVAL, "sample_weight");
    kt_check_fails(kt_model_predict(kt_dense(3), x, .verbose = 0), KT_EINVAL, "expected a model");
    kt_check_fails(
        kt_model_fit((kt_model *)x, x, y, .verbose = 0),
        KT_EINVAL,
        "expected a model, got a tensor");
    kt_check_status(kt_model_compile((kt_model *)x, "sgd", "mse"), KT_EINVAL);
    kt_check_fails(kt_call((kt_layer *)x, kt_input({3})), KT_EINVAL, "expected a layer");
    kt_check_fails(kt_call(kt_dense(1), x), KT_EINVAL, "expected a symbolic tensor, got a tensor");
    kt_check_fails(kt_call(kt_dense(1), kt_num(3)), KT_EINVAL, "not a tensor of a model");
    kt_check_fails(kt_get_weights((kt_layer *)x), KT_EINVAL, "expected a layer");
    kt_check_status(kt_set_trainable((kt_layer *)x, true), KT_EINVAL);
    kt_check_status(kt_var_assign((kt_var *)x, x), KT_EINVAL);
    still_trains(&r);
}

KT_TEST(errors, nothing_at_all) {
    const rig r = make();
    kt_tensor *x = r.d.x, *y = r.d.y;
    kt_check_fails(kt_model_fit(NULL, x, y, .verbose = 0), KT_EINVAL, "expected a model, got None");
    kt_check_fails(kt_model_fit(r.m, NULL, y, .verbose = 0), KT_EINVAL, "x: expected a tensor");
    kt_check_fails(kt_model_fit(r.m, x, NULL, .verbose = 0), KT_EINVAL, "y: expected a tensor");
    kt_check_fails(kt_model_evaluate(NULL, x, y, .verbose = 0), KT_EINVAL, "expected a model");
    kt_check_fails(kt_model_predict(NULL, x, .verbose = 0), KT_EINVAL, "expected a model");
    kt_check_fails(kt_model_predict(r.m, NULL, .verbose = 0), KT_EINVAL, "x: expected a tensor");
    kt_check_fails(kt_model_train_on_batch(NULL, x, y), KT_EINVAL, "expected a model");
    kt_check_fails(kt_model_test_on_batch(r.m, x, NULL), KT_EINVAL, "y: expected a tensor");
    kt_check_fails(kt_model_predict_on_batch(r.m, NULL), KT_EINVAL, "x: expected a tensor");
    kt_check_fails(kt_model_predict_on_batch(NULL, x), KT_EINVAL, "expected a model");
    kt_check_fails(
        kt_model_fit(r.m, x, kt_list(kt_none), .verbose = 0), KT_EINVAL, "y: array 0 is None");
    kt_check_status(kt_model_compile(NULL, "sgd", "mse"), KT_EINVAL);
    kt_check_status(kt_model_summary(NULL), KT_EINVAL);
    kt_check_status(kt_model_stop_training(NULL), KT_EINVAL);
    kt_check_fails(kt_call(NULL, kt_input({3})), KT_EINVAL, "expected a layer, got None");
    kt_check_fails(kt_call(kt_dense(3), NULL), KT_EINVAL, "got None");
    kt_check_fails(kt_get_weights(NULL), KT_EINVAL, "expected a layer");
    kt_check_status(kt_set_weights(NULL, kt_list(x)), KT_EINVAL);
    kt_check_status(kt_layer_build(NULL, kt_dims(1, 2)), KT_EINVAL);
    kt_check_status(kt_set_trainable(NULL, true), KT_EINVAL);
    kt_check_fails(kt_var_value(NULL), KT_EINVAL, "expected a variable");
    kt_check_status(kt_var_assign(NULL, x), KT_EINVAL);
    kt_check_status(kt_var_assign(kt_layer_weight(r.m, 0), NULL), KT_EINVAL);
    kt_check_fails(kt_op_add(NULL, kt_input({3})), KT_EINVAL, "");
    kt_check_fails(kt_op_concatenate(NULL, 0), KT_EINVAL, "");
    assert_int_equal(kt_layer_n_weights(NULL), 0);
    assert_null(kt_layer_weight(NULL, 0));
    assert_null(kt_layer_weight(r.m, 99));
    assert_int_equal(kt_layer_count_params(NULL), 0);
    kt_check_str(kt_layer_name(NULL), "");
    kt_check_str(kt_layer_class_name(NULL), "");
    kt_check_str(kt_var_name(NULL), "");
    kt_check_str(kt_var_path(NULL), "");
    assert_false(kt_trainable(NULL) || kt_layer_built(NULL));
    assert_int_equal(kt_model_n_layers(NULL), 0);
    assert_null(kt_model_layer(NULL, 0));
    assert_null(kt_model_get_layer(NULL, "a"));
    assert_null(kt_model_input(NULL, 0));
    assert_int_equal(kt_logs_len(NULL), 0);
    assert_int_equal(kt_history_len(NULL), 0);
    assert_true(isnan(kt_logs_get(NULL, "loss")) && isnan(kt_history_get(NULL, "loss", 0)));
    kt_free(NULL);
    assert_null(kt_retain(NULL));
    still_trains(&r);
}

/* A failure goes through everything that is built from it, with the message of its cause. */
KT_TEST(errors, failures_travel) {
    const rig r = make();
    kt_layer *bad = kt_dense(-7);
    kt_sym *x = kt_input({3});
#define TRAVELS(what) kt_check_fails(what, KT_EINVAL, "units: expected a positive integer, got -7")
    TRAVELS(bad);
    TRAVELS(kt_call(bad, x));
    kt_sym *y = kt_call(bad, x);
    TRAVELS(kt_call(kt_dense(3), y));
    TRAVELS(kt_call(kt_add(), kt_list(x, y)));
    TRAVELS(kt_op_add(x, y));
    TRAVELS(kt_op_add(y, kt_num(1)));
    TRAVELS(kt_op_concatenate(kt_list(x, y), -1));
    TRAVELS(kt_item(y, 0));
    kt_model *m = kt_functional(x, y);
    TRAVELS(m);
    TRAVELS(kt_sequential(kt_list(kt_input({3}), kt_dense(4), bad)));
    kt_check_status(kt_model_compile(m, "adam", "mse"), KT_EINVAL);
    TRAVELS(kt_model_fit(m, r.d.x, r.d.y, .verbose = 0));
    TRAVELS(kt_model_evaluate(m, r.d.x, r.d.y, .verbose = 0));
    TRAVELS(kt_model_predict(m, r.d.x, .verbose = 0));
    kt_check_status(kt_model_predict_into(m, r.d.x, r.d.x), KT_EINVAL);
    kt_check_status(kt_model_summary(m), KT_EINVAL);
    kt_check_status(kt_sequential_add(m, kt_dense(3)), KT_EINVAL);
    kt_check_status(kt_set_weights(m, kt_get_weights(m)), KT_EINVAL);
    assert_int_equal(kt_layer_n_weights(m), 0);
    TRAVELS(kt_model_fit(r.m, kt_model_predict(m, r.d.x, .verbose = 0), r.d.y, .verbose = 0));
    TRAVELS(kt_model_fit(r.m, r.d.x, kt_list(bad), .verbose = 0));
    TRAVELS(kt_model_fit(r.m, r.d.x, r.d.y, .callbacks = kt_list(bad), .verbose = 0));
    kt_check_status(kt_model_compile(r.m, bad, "mse"), KT_EINVAL);
    kt_check_status(kt_model_compile(r.m, "sgd", kt_list(bad)), KT_EINVAL);
    kt_check_message_has("got -7");
    kt_free(m);
    kt_free(bad);
#undef TRAVELS
    still_trains(&r);
}

/* What a failed constructor was given stays the user's. */
KT_TEST(errors, parts_of_a_failure_can_be_used_again) {
    kt_layer *d = kt_dense(3);
    kt_optimizer *opt = kt_opt_adam(0.01);
    kt_sym *x = kt_input({5});
    kt_check_status(kt_check(kt_sequential(kt_list(kt_input({5}), d, kt_dense(0)))), KT_EINVAL);
    kt_check_status(kt_check(kt_call(d, kt_input({5, KT_NONE}))), KT_ESHAPE);
    kt_check_status(kt_check(kt_functional(kt_input({5}), kt_call(d, x))), KT_EINVAL);
    kt_model *m = kt_functional(x, kt_call(d, x));
    kt_check_ok(m);
    kt_check_status(kt_model_compile(m, opt, "no such loss"), KT_EINVAL);
    kt_check_status(kt_model_compile(m, opt, "mse"), KT_OK);
    const kt_blobs b = kt_make_blobs(N, 5, 3);
    kt_check_ok(kt_model_fit(m, b.x, b.onehot, .verbose = 0));
    kt_free(m);
}

/* A layer of one model, used after another model that had it could not be made or run. */
KT_TEST(errors, a_shared_layer_survives_errors_of_the_other_model) {
    const rig r = make();
    kt_layer *first = kt_model_layer(r.m, 0);
    kt_sym *x = kt_input({5}), *wrong = kt_input({6});
    kt_check_fails(kt_call(first, wrong), KT_ESHAPE, "last axis 5");
    kt_model *other = kt_functional(x, kt_call(kt_dense(2), kt_call(first, x)));
    kt_check_ok(other);
    kt_check_status(kt_model_compile(other, "adam", "mse"), KT_OK);
    kt_check_fails(
        kt_model_fit(other, r.d.x, FLOATS(N, 7), .verbose = 0), KT_ESHAPE, "in fit of model");
    kt_check_fails(kt_model_predict(other, FLOATS(2, 9), .verbose = 0), KT_ESHAPE, "(2, 9)");
    kt_free(other);
    still_trains(&r);
}

KT_TEST(errors, lossy_casts_are_refused) {
    kt_sym *ids = kt_input({4}, .dtype = "int32");
    kt_model *m = kt_functional(ids, kt_call(kt_dense(2), ids));
    kt_check_fails(
        kt_model_predict(m, FLOATS(3, 4), .verbose = 0), KT_EDTYPE, "a cast would lose fractions");
    kt_check_ok(kt_model_predict(m, INTS(3, 4), .verbose = 0));
    kt_tensor *wide = zeros(KT_INT64, kt_dims(3, 4));
    kt_check_ok(kt_model_predict(m, wide, .verbose = 0));
    kt_tensor_set(wide, 5, 4294967296.0);
    kt_check_fails(
        kt_model_predict(m, wide, .verbose = 0), KT_EDTYPE, "4294967296 does not fit into int32");
    const rig r = make();
    kt_tensor *y = kt_tensor_cast(r.d.y, KT_INT64);
    kt_check_ok(kt_model_train_on_batch(r.m, r.d.x, y));
    kt_tensor_set(y, 5, 4294967296.0); /* would be class 0 */
    kt_check_fails(kt_model_train_on_batch(r.m, r.d.x, y), KT_EDTYPE, "y: 4294967296");
    kt_free(r.m);
    kt_check_ok(kt_model_predict(m, zeros(KT_UINT8, kt_dims(3, 4)), .verbose = 0));
    kt_free(m);
}

/* Bindings fill structs themselves. */
KT_TEST(errors, argument_structs_without_a_size) {
    const rig r = make();
    kt_check_fails(
        kt_model_fit_with(&(kt_fit_args){.model = r.m, .x = r.d.x, .y = r.d.y}), KT_EINVAL, "size");
    kt_check_fails(
        kt_model_predict_with(&(kt_predict_args){.model = r.m, .x = r.d.x}), KT_EINVAL, "size");
    kt_check_fails(
        kt_model_evaluate_with(&(kt_evaluate_args){.model = r.m, .x = r.d.x}), KT_EINVAL, "size");
    kt_check_status(
        kt_model_compile_with(&(kt_compile_args){.model = r.m, .loss = "mse"}), KT_EINVAL);
    kt_check_message_has("size");
    kt_check_fails(kt_sequential_new(&(kt_sequential_args){.name = "m"}), KT_EINVAL, "size");
    kt_check_fails(
        kt_dense_new(&(kt_dense_args){.size = 100000, .units = 3}), KT_EINVAL, "newer headers");
    kt_check_fails(
        kt_call_with(&(kt_call_args){.layer = kt_dense(3), .inputs = kt_input({2})}),
        KT_EINVAL,
        "size");
    still_trains(&r);
}

/* Everything above in one go leaves nothing behind. */
KT_TEST(errors, nothing_leaks) {
    kt_clear_session();
    const int64_t start = kt_obj_count();
    for (int turn = 0; turn < 2; turn++) {
        const rig r = make();
        kt_model_fit(r.m, r.d.x, INTS(3), .verbose = 0);
        kt_model_compile(r.m, kt_opt_adam(NAN), "mse");
        kt_model_compile(r.m, kt_opt_adam(), "mze");
        kt_model_compile(r.m, kt_opt_adam(), "mse", .metrics = kt_list(kt_metric_auc(), "mea"));
        kt_sequential(kt_list(kt_input({3}), kt_dense(3), kt_dense(0)));
        kt_sym *x = kt_input({3});
        kt_functional(x, kt_call(kt_add(), kt_list(x, kt_input({4}))));
        kt_functional(x, kt_op_add(kt_call(kt_dense(2), x), kt_call(kt_dense(3), x)));
        kt_call(kt_dense(2, .kernel_initializer = kt_init_constant(1), .bias_constraint = "x"), x);
        still_trains(&r);
        kt_clear_session();
        assert_int_equal(kt_obj_count(), start);
    }
}

KT_TEST(errors, lists_and_dicts_of_data) {
    const rig r = make();
    kt_tensor *x = r.d.x, *y = r.d.y;
    kt_check_fails(
        kt_model_fit(r.m, kt_list_of(0, NULL), y, .verbose = 0), KT_EINVAL, "got 0 arrays");
    kt_check_fails(kt_model_fit(r.m, x, kt_list_of(0, NULL), .verbose = 0), KT_EINVAL, "got 0");
    kt_check_fails(
        kt_model_predict(r.m, kt_list(kt_none), .verbose = 0), KT_EINVAL, "array 0 is None");
    kt_check_fails(
        kt_model_fit(r.m, kt_dict("wrong", x), y, .verbose = 0),
        KT_EINVAL,
        "the dict has no \"input_layer");
    kt_check_fails(kt_dict("x"), KT_EINVAL, "names and objects in turn");
    kt_list_t *used = kt_list(x);
    kt_check_ok(kt_model_predict(r.m, used, .verbose = 0));
    kt_check_fails(
        kt_model_predict(r.m, used, .verbose = 0), KT_ESTATE, "used up by an earlier call");
    kt_list_t *kept = kt_retain(kt_list(x));
    for (int i = 0; i < 2; i++) kt_check_ok(kt_model_predict(r.m, kept, .verbose = 0));
    kt_free(kept);
    still_trains(&r);
}

/* kt_input(.batch_size = 4) means it. */
KT_TEST(errors, a_fixed_batch_size_is_kept) {
    kt_model *m = kt_sequential(kt_list(kt_input({5}, .batch_size = 4), kt_dense(1)));
    kt_check_ok(kt_model_predict(m, FLOATS(4, 5), .verbose = 0));
    kt_check_ok(kt_model_predict(m, FLOATS(8, 5), .batch_size = 4, .verbose = 0));
    kt_check_fails(kt_model_predict(m, FLOATS(5, 5), .verbose = 0), KT_ESHAPE, "(4, 5)");
    kt_free(m);
}

/* A program that failed to run does not stay behind half done. */
KT_TEST(errors, a_failed_step_leaves_the_next_one_whole) {
    const rig r = make();
    kt_weights_copy before = kt_copy_weights(r.m);
    kt_check_status(
        kt_model_compile(r.m, kt_opt_sgd(0.0), "sparse_categorical_crossentropy"), KT_OK);
    const double want = kt_logs_get(kt_model_train_on_batch(r.m, r.d.x, r.d.y), "loss");
    kt_tensor *wrong = kt_tensor_copy(r.d.y);
    kt_tensor_set(wrong, N - 1, 77);
    kt_check_fails(kt_model_train_on_batch(r.m, r.d.x, wrong), KT_EINVAL, "label");
    assert_true(kt_weights_same(r.m, &before));
    kt_check_near(kt_logs_get(kt_model_train_on_batch(r.m, r.d.x, r.d.y), "loss"), want, 0, 0);
    kt_weights_copy_free(&before);
    kt_free(r.m);
}

/* What a user reads: who complains, what it got, what may help; nothing twice. */
KT_TEST(errors, messages_say_who_and_what) {
    kt_check_fails(
        kt_call(kt_add(), kt_input({3})), KT_EINVAL, "expected 2 to 16 inputs, got 1 in layer Add");
    kt_check_fails(kt_call(kt_dense(4), FLOATS(2, 3)), KT_EINVAL, "got a tensor in layer Dense");
    kt_check_message_has("hint:     data go through a model");
    kt_check_fails(kt_op_reshape(kt_input({3}), kt_dims(-1, 5)), KT_ESHAPE, "(-1, 5)");
    kt_check_fails(kt_dense(3, .kernel_initializer = "glorot"), KT_EINVAL, "\"glorot_normal\"?");
    kt_check_fails(kt_batch_normalization(.momentum = NAN), KT_EINVAL, "got nan in BatchNorm");
    kt_check_fails(kt_layer_normalization(.epsilon = NAN), KT_EINVAL, "epsilon: expected a number");
    kt_check_fails(kt_loss_huber(.delta = NAN), KT_EINVAL, "got nan in Huber");
    kt_check_fails(kt_sched_exponential_decay(NAN, 10, 0.5), KT_EINVAL, "initial_learning_rate");
    kt_check_fails(kt_reg_l2(-1), KT_EINVAL, "in L2");
    kt_check_fails(kt_load_model("LICENSE"), KT_EFORMAT, "in file \"LICENSE\"");
    const char *first = strstr(kt_error_message(), "in file");
    assert_non_null(first);
    assert_null(strstr(first + 1, "in file"));
    kt_check_fails(
        kt_model_from_json(
            "{\"class_name\": \"Sequential\", \"config\": {\"layers\": [{\"class_name\": "
            "\"Dense\", \"config\": {\"units\": -1, \"name\": \"d\"}}]}}"),
        KT_EFORMAT,
        "got -1 in layer \"d\" (Dense) in layer Sequential");
}
