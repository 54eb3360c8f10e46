/* Calling layers: recorded calls and traced ones, training, masks, names, weights, variables. */
#include "testing/kt_layers.h"
#include "testing/kt_models.h"

#include <keratin/sys/layer.h>

#include <string.h>

/* A layer that says what it was called with: x + 1 while training, x - 1 otherwise; its mask, if
 * any, is multiplied in. */
typedef struct {
    size_t size;
    KT_LAYER_ARGS
} probe_args;

static kt_status probe_call(kt_layer *l, kt_trace *t) {
    (void)l;
    kt_sym *y = kt_op_add(t->in[0], kt_num(t->training ? 1 : -1));
    if (t->in_mask[0]) {
        kt_sym *mask = kt_op_cast(t->in_mask[0], "float32");
        y = kt_op_multiply(y, kt_op_expand_dims(mask, -1));
    }
    t->out[0] = y;
    return kt_check(y);
}

static const kt_layer_class probe_class = {
    .name = "Probe", .args_size = sizeof(probe_args), .call = probe_call, .supports_masking = true};
static kt_layer *probe_new(const probe_args *a) { return kt_layer_new(&probe_class, a); }
#define probe(...) KT_CALL(probe_new, probe_args, KT_LAYER_DEFAULTS, __VA_ARGS__)

/* Two outputs: x + 1 and x * 2. */
static kt_status pair_call(kt_layer *l, kt_trace *t) {
    (void)l;
    t->n_out = 2;
    t->out[0] = kt_op_add(t->in[0], kt_num(1));
    t->out[1] = kt_op_multiply(t->in[0], kt_num(2));
    return kt_check(t->out[1]);
}
static const kt_layer_class pair_class = {
    .name = "Pair", .args_size = sizeof(probe_args), .call = pair_call};
static kt_layer *pair_new(const probe_args *a) { return kt_layer_new(&pair_class, a); }
#define pair(...) KT_CALL(pair_new, probe_args, KT_LAYER_DEFAULTS, __VA_ARGS__)

/* Inside a call: item 1 minus item 0 of a pair. */
typedef struct {
    kt_layer *pair;
} diff_state;
static kt_status diff_init(kt_layer *l) {
    diff_state *s = kt_layer_state(l);
    s->pair = kt_add_sublayer(l, pair());
    return kt_check(s->pair);
}
static kt_status diff_call(kt_layer *l, kt_trace *t) {
    const diff_state *s = kt_layer_state(l);
    kt_sym *both = kt_call(s->pair, t->in[0]);
    t->out[0] = kt_op_subtract(kt_item(both, 1), kt_item(both, 0));
    return kt_check(t->out[0]);
}
static const kt_layer_class diff_class = {
    .name = "Diff",
    .args_size = sizeof(probe_args),
    .state_size = sizeof(diff_state),
    .init = diff_init,
    .call = diff_call};
static kt_layer *diff_new(const probe_args *a) { return kt_layer_new(&diff_class, a); }
#define diff(...) KT_CALL(diff_new, probe_args, KT_LAYER_DEFAULTS, __VA_ARGS__)

static kt_tensor *ten(void) { return kt_floats_tensor(kt_dims(1, 1), KT_VALUES(10)); }
#define PREDICT(m, x) kt_model_predict(m, x, .verbose = 0)

KT_TEST(call, training_is_what_the_call_says_else_what_runs) {
    static const int says[] = {KT_AUTO, false, true};
    static const double predicted[] = {9, 9, 11}, trained[] = {11, 9, 11};
    for (int i = 0; i < 3; i++) {
        kt_sym *x = kt_input({1});
        kt_model *m = kt_functional(x, kt_call(probe(), x, .training = says[i]));
        kt_check_values(PREDICT(m, ten()), 0, 0, predicted[i]);
        kt_check_status(kt_model_compile(m, "sgd", "mae"), KT_OK);
        kt_tensor *zero = kt_floats_tensor(kt_dims(1, 1), KT_VALUES(0));
        kt_logs *l = kt_model_train_on_batch(m, ten(), zero);
        kt_check_near(kt_logs_get(l, "loss"), trained[i], 0, 0);
        kt_check_near(
            kt_logs_get(kt_model_test_on_batch(m, ten(), zero), "loss"), predicted[i], 0, 0);
        kt_free(m);
    }
}

/* What the call of a model says holds for the layers inside, unless they say otherwise. */
KT_TEST(call, training_goes_into_models) {
    kt_sym *x = kt_input({1});
    kt_sym *y = kt_call(probe(), kt_call(probe(), x, .training = false));
    kt_model *inner = kt_functional(x, y);
    kt_sym *z = kt_input({1});
    kt_model *m = kt_functional(z, kt_call(inner, z, .training = true));
    kt_check_values(PREDICT(inner, ten()), 0, 0, 8);
    kt_check_values(PREDICT(m, ten()), 0, 0, 10);
    kt_free(m);
}

KT_TEST(call, several_outputs_are_items) {
    kt_sym *x = kt_input({1});
    kt_sym *both = kt_call(pair(), x);
    kt_model *m = kt_functional(x, kt_list(kt_item(both, 1), both));
    kt_list_t *y = kt_model_predict_list(m, ten(), .verbose = 0);
    kt_check_values(kt_list_get(y, 0), 0, 0, 20);
    kt_check_values(kt_list_get(y, 1), 0, 0, 11);
    kt_check_fails(kt_item(both, 2), KT_EINVAL, "no output 2");
    kt_check_fails(kt_item(x, 1), KT_EINVAL, "no output 1");
    kt_check_fails(kt_item(NULL, 0), KT_EINVAL, "");
    kt_check_fails(kt_sequential(kt_list(kt_input({1}), pair())), KT_EINVAL, "has several outputs");
    kt_free(m);
}

KT_TEST(call, several_outputs_are_items_inside_a_layer_too) {
    kt_model *m = kt_sequential(kt_list(kt_input({1}), diff()));
    kt_check_values(PREDICT(m, ten()), 0, 0, 9);
    kt_free(m);
}

/* A mask given in a call reaches the layer and, passed on, those behind it. */
KT_TEST(call, masks_flow) {
    kt_sym *x = kt_input({3, 1}), *mask = kt_input({3}, .dtype = "bool");
    kt_sym *y = kt_call(probe(), x, .mask = mask);
    kt_model *m = kt_functional(kt_list(x, mask), kt_call(probe(), kt_call(kt_dropout(0.5), y)));
    kt_check_ok(m);
    kt_tensor *in = kt_floats_tensor(kt_dims(1, 3, 1), KT_VALUES(5, 6, 7));
    kt_tensor *yes = kt_tensor_new(KT_BOOL, kt_dims(1, 3), (unsigned char[]){1, 0, 1});
    kt_check_values(PREDICT(m, kt_list(in, yes)), 0, 0, 3, 0, 5);
    kt_free(m);
}

KT_TEST(call, names_count_in_order_of_data_flow) {
    kt_layer *a = kt_dense(2), *b = kt_dense(2), *c = kt_dense(2, .name = "mine");
    kt_sym *x = kt_input({2});
    kt_model *m = kt_functional(x, kt_call(a, kt_call(c, kt_call(b, x))));
    kt_check_str(kt_layer_name(b), "dense");
    kt_check_str(kt_layer_name(a), "dense_1");
    kt_check_str(kt_layer_name(c), "mine");
    kt_check_str(kt_layer_name(m), "functional");
    kt_check_str(kt_layer_name(kt_model_layer(m, 0)), "input_layer");
    kt_free(m);
    kt_clear_session(); /* starts them anew */
    kt_layer *d = kt_dense(1);
    kt_check_str(kt_layer_name(d), "dense");
}

KT_TEST(call, weights_are_made_at_the_first_call) {
    kt_layer *d = kt_dense(2);
    assert_int_equal(kt_layer_n_weights(d), 0);
    kt_check_fails(kt_get_weights(d), KT_OK, "");
    kt_call(d, kt_input({3}));
    assert_int_equal(kt_layer_n_weights(d), 2);
    kt_layer *e = kt_dense(2);
    kt_check_status(kt_layer_build(e, kt_dims(KT_NONE, 3)), KT_OK);
    kt_check_status(
        kt_layer_build(e, kt_dims(KT_NONE, 9)), KT_OK); /* built already: nothing to do */
    assert_int_equal(kt_layer_count_params(e), 8);
    kt_layer *f = kt_dense(2);
    kt_check_status(kt_layer_build(f, kt_dims(4)), KT_ESHAPE);
    kt_check_status(kt_layer_build(f, (kt_shape){0, {0}}), KT_ESHAPE);
    kt_check_status(kt_layer_build(f, (kt_shape){.ndim = -1}), KT_EINVAL);
    kt_check_status(kt_layer_build(f, (kt_shape){.ndim = 99}), KT_EINVAL);
    kt_check_status(kt_layer_build(f, kt_dims(2, -3)), KT_EINVAL);
    assert_false(kt_layer_built(f));
}

KT_TEST(call, variables_have_names_paths_and_values) {
    kt_layer *d = kt_dense(2, .name = "d", .kernel_initializer = "ones");
    kt_model *m = kt_sequential(kt_list(kt_input({3}), d), .name = "m");
    kt_var *kernel = kt_layer_weight(d, 0), *bias = kt_layer_weight(d, 1);
    kt_check_str(kt_var_name(kernel), "kernel");
    kt_check_str(kt_var_path(bias), "m/d/bias");
    kt_check_values(kt_var_value(kernel), 0, 0, 1, 1, 1, 1, 1, 1);
    kt_check_status(kt_var_assign(bias, kt_floats_tensor(kt_dims(2), KT_VALUES(3, 4))), KT_OK);
    kt_check_values(kt_var_value(bias), 0, 0, 3, 4);
    kt_check_status(
        kt_var_assign(bias, kt_floats_tensor(kt_dims(1, 2), KT_VALUES(3, 4))), KT_ESHAPE);
    kt_check_message_has("variable \"m/d/bias\"");
    kt_tensor *ints = kt_tensor_new(KT_INT64, kt_dims(2), (int64_t[]){7, 8});
    kt_check_status(kt_var_assign(bias, ints), KT_OK); /* converted */
    kt_check_values(kt_var_value(bias), 0, 0, 7, 8);
    assert_ptr_equal(kt_layer_weight(m, 1), bias);
    assert_null(kt_layer_weight(m, 2));
    assert_null(kt_layer_weight(m, -1));
    kt_free(m);
}

/* A value is only worth something inside the call that it belongs to. */
static kt_sym *stolen;
static kt_status thief_call(kt_layer *l, kt_trace *t) {
    (void)l;
    t->out[0] = stolen ? kt_op_add(t->in[0], stolen) : t->in[0];
    return kt_check(t->out[0]);
}
static const kt_layer_class thief_class = {
    .name = "Thief", .args_size = sizeof(probe_args), .call = thief_call};

KT_TEST(call, symbols_of_models_do_not_work_inside_calls) {
    stolen = kt_input({1});
    kt_layer *thief = kt_layer_new(
        &thief_class, &(probe_args){sizeof(probe_args), KT_LAYER_DEFAULTS});
    kt_check_fails(
        kt_call(thief, kt_input({1})), KT_ESTATE, "of another model or trace is used here");
    kt_check_message_has("Thief");
    stolen = NULL;
    kt_check_ok(kt_call(thief, kt_input({1})));
}

static kt_status silent_call(kt_layer *l, kt_trace *t) {
    (void)l, (void)t;
    return KT_OK; /* no output */
}
static kt_status refusing_call(kt_layer *l, kt_trace *t) {
    (void)l, (void)t;
    return KT_ECANCELED; /* no message */
}

KT_TEST(call, layers_that_do_not_keep_their_word) {
    static const kt_layer_class silent = {
        .name = "Silent", .args_size = sizeof(probe_args), .call = silent_call};
    static const kt_layer_class refusing = {
        .name = "Refusing", .args_size = sizeof(probe_args), .call = refusing_call};
    const probe_args a = {sizeof a, KT_LAYER_DEFAULTS};
    kt_check_fails(kt_call(kt_layer_new(&silent, &a), kt_input({1})), KT_EINVAL, "Silent");
    kt_check_status(kt_check(kt_call(kt_layer_new(&refusing, &a), kt_input({1}))), KT_ECANCELED);
}

/* An argument of every layer, wherever its struct has it. */
KT_TEST(call, activity_regularizer_is_checked) {
    kt_check_fails(kt_flatten(.activity_regularizer = "l3"), KT_EINVAL, "activity_regularizer");
    kt_check_message_has("did you mean \"l1\"?");
    kt_check_fails(kt_dense(2, .activity_regularizer = "l3"), KT_EINVAL, "activity_regularizer");
    kt_check_fails(
        kt_flatten(.activity_regularizer = kt_init_zeros()), KT_EINVAL, "activity_regularizer");
    kt_check_fails(kt_flatten(.activity_regularizer = kt_reg_l2(-1)), KT_EINVAL, "expected");
    kt_regularizer *r = kt_reg_l2(0.5); /* still there after a layer that could not be made */
    kt_check_fails(kt_dense(0, .activity_regularizer = r), KT_EINVAL, "units");
    kt_check_fails(kt_repeat_vector(0, .activity_regularizer = r), KT_EINVAL, "n: expected");
    kt_layer *l = kt_repeat_vector(2, .activity_regularizer = r);
    kt_check_status(kt_check(l), KT_OK);
    assert_non_null(strstr(kt_text_str(kt_get_config(l)), "\"l2\": 0.5"));
}

KT_TEST(call, autocast) {
    kt_sym *x = kt_input({3}, .dtype = "float64");
    assert_int_equal(kt_sym_dtype(kt_call(kt_identity(), x)), KT_FLOAT32);
    assert_int_equal(kt_sym_dtype(kt_call(kt_identity(.autocast = false), x)), KT_FLOAT64);
}

KT_TEST(call, weights_take_the_arguments_of_keras) {
    kt_layer *a = kt_flatten(), *b = kt_flatten(), *c = kt_flatten();
    kt_var *w = kt_add_weight(
        a, "w", {2}, .trainable = false, .autocast = false, .aggregation = "only_first_replica");
    kt_check_status(kt_check(w), KT_OK);
    assert_string_equal(kt_var_name(w), "w");
    kt_check_fails(
        kt_add_weight(b, "w", {2}, .aggregation = "means"), KT_EINVAL, "did you mean \"mean\"?");
    kt_check_fails(
        kt_add_weight(c, "w", {2}, .overwrite_with_gradient = true),
        KT_EUNSUPPORTED,
        "overwrite_with_gradient");
    const void *all[] = {a, b, c};
    for (int i = 0; i < 3; i++) kt_free(all[i]);
}
