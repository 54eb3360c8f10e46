/* Functional models: several inputs and outputs, shared layers, models inside models, operators. */
#include "testing/kt_layers.h"
#include "testing/kt_models.h"

#include <string.h>

/* A layer without bias whose kernel is known: y = x . kernel */
static kt_layer *linear(const char *name, int64_t n_in, int units, const double *kernel) {
    kt_layer *l = kt_dense(units, .use_bias = false, .name = name);
    kt_check_status(kt_layer_build(l, kt_dims(KT_NONE, n_in)), KT_OK);
    kt_check_status(
        kt_var_assign(kt_layer_weight(l, 0), kt_floats_tensor(kt_dims(n_in, units), kernel)),
        KT_OK);
    return l;
}

static kt_tensor *predict(kt_model *m, kt_ref x) { return kt_model_predict(m, x, .verbose = 0); }

KT_TEST(functional, one_input_one_output) {
    kt_sym *x = kt_input({2});
    kt_model *m = kt_functional(x, kt_call(linear("l", 2, 1, KT_VALUES(1, 10)), x));
    kt_check_ok(m);
    kt_check_values(
        predict(m, kt_floats_tensor(kt_dims(3, 2), KT_VALUES(1, 2, 3, 4, 5, 6))),
        1e-6,
        0,
        21,
        43,
        65);
    kt_free(m);
}

KT_TEST(functional, several_inputs_and_outputs) {
    kt_sym *a = kt_input({2}, .name = "a"), *b = kt_input({1}, .name = "b");
    kt_sym *both = kt_call(kt_concatenate(), kt_list(a, b));
    kt_sym *sum = kt_call(linear("sum", 3, 1, KT_VALUES(1, 1, 1)), both);
    kt_sym *wide = kt_call(linear("wide", 1, 3, KT_VALUES(1, 2, 3)), b);
    kt_model *m = kt_functional(kt_list(a, b), kt_list(sum, wide, both), .name = "net");
    kt_check_ok(m);
    kt_tensor *xa = kt_floats_tensor(kt_dims(2, 2), KT_VALUES(1, 2, 3, 4));
    kt_tensor *xb = kt_floats_tensor(kt_dims(2, 1), KT_VALUES(10, 20));
    kt_list_t *y = kt_model_predict_list(m, kt_list(xa, xb), .verbose = 0);
    kt_check_ok(y);
    assert_int_equal(kt_list_len(y), 3);
    kt_check_values(kt_list_get(y, 0), 1e-6, 0, 13, 27);
    kt_check_values(kt_list_get(y, 1), 1e-6, 0, 10, 20, 30, 20, 40, 60);
    kt_check_values(kt_list_get(y, 2), 1e-6, 0, 1, 2, 10, 3, 4, 20);
    kt_check_str(kt_layer_name(m), "net");
    kt_check_fails(
        kt_model_predict(m, kt_list(xa, xb), .verbose = 0), KT_EINVAL, "the model has 3 outputs");
    kt_check_message_has("kt_model_predict_list");
    kt_free(m);
}

KT_TEST(functional, layers_stand_in_keras_order) {
    kt_sym *a = kt_input({2}, .name = "a"), *b = kt_input({2}, .name = "b");
    kt_sym *left = kt_call(kt_dense(3, .name = "left"), a);
    kt_sym *right = kt_call(kt_dense(3, .name = "right_1"), b);
    right = kt_call(kt_dense(3, .name = "right_2"), right);
    kt_sym *y = kt_call(kt_add(.name = "add"), kt_list(left, right));
    kt_model *m = kt_functional(kt_list(a, b), y);
    static const char *const want[] = {"b", "a", "right_1", "left", "right_2", "add"};
    assert_int_equal(kt_model_n_layers(m), 6);
    for (int i = 0; i < 6; i++) kt_check_str(kt_layer_name(kt_model_layer(m, i)), want[i]);
    assert_null(kt_model_layer(m, 6));
    assert_null(kt_model_layer(m, -1));
    assert_ptr_equal(kt_model_get_layer(m, "left"), kt_model_layer(m, 3));
    assert_null(kt_model_get_layer(m, "middle"));
    assert_null(kt_model_get_layer(m, NULL));
    assert_ptr_equal(kt_model_input(m, 1), b);
    assert_ptr_equal(kt_model_output(m, 0), y);
    assert_null(kt_model_output(m, 1));
    kt_free(m);
}

KT_TEST(functional, a_shared_layer_has_one_set_of_weights) {
    kt_sym *a = kt_input({2}), *b = kt_input({2});
    kt_layer *shared = linear("shared", 2, 1, KT_VALUES(1, 2));
    kt_sym *y = kt_op_subtract(kt_call(shared, a), kt_call(shared, b));
    kt_model *m = kt_functional(kt_list(a, b), y);
    kt_check_ok(m);
    assert_int_equal(kt_layer_n_weights(m), 1);
    kt_tensor *xa = kt_floats_tensor(kt_dims(1, 2), KT_VALUES(5, 6));
    kt_tensor *xb = kt_floats_tensor(kt_dims(1, 2), KT_VALUES(1, 1));
    kt_check_values(predict(m, kt_list(xa, xb)), 1e-6, 0, 14);
    /* d mse / dw = 2 e (xa - xb): both calls give their part */
    kt_check_status(kt_model_compile(m, kt_opt_sgd(0.5), "mse"), KT_OK);
    kt_tensor *t = kt_floats_tensor(kt_dims(1, 1), KT_VALUES(13));
    kt_check_ok(kt_model_train_on_batch(m, kt_list(xa, xb), t));
    kt_check_values(kt_var_value(kt_layer_weight(m, 0)), 1e-6, 0, 1 - 4, 2 - 5);
    kt_free(m);
}

KT_TEST(functional, models_are_layers) {
    kt_sym *x = kt_input({2});
    kt_model *inner = kt_functional(
        x, kt_call(linear("l", 2, 2, KT_VALUES(1, 2, 3, 4)), x), .name = "in");
    kt_model *stack = kt_sequential(
        kt_list(inner, linear("last", 2, 1, KT_VALUES(1, 1))), .name = "st");
    kt_sym *a = kt_input({2}), *b = kt_input({2});
    kt_sym *y = kt_call(kt_add(), kt_list(kt_call(stack, a), kt_call(stack, b)));
    kt_model *m = kt_functional(kt_list(a, b), y, .name = "outer");
    kt_check_ok(m);
    assert_int_equal(kt_layer_n_weights(m), 2);
    kt_check_str(kt_var_path(kt_layer_weight(m, 0)), "outer/st/in/l/kernel");
    kt_tensor *one = kt_floats_tensor(kt_dims(1, 2), KT_VALUES(1, 0));
    kt_tensor *two = kt_floats_tensor(kt_dims(1, 2), KT_VALUES(0, 1));
    kt_check_values(predict(m, kt_list(one, two)), 1e-6, 0, 10);
    kt_check_values(predict(stack, one), 1e-6, 0, 3);
    kt_free(m);
}

KT_TEST(functional, an_inner_model_may_have_several_outputs) {
    kt_sym *x = kt_input({2});
    kt_sym *p = kt_call(linear("p", 2, 1, KT_VALUES(1, 1)), x);
    kt_sym *q = kt_call(linear("q", 2, 1, KT_VALUES(1, -1)), x);
    kt_model *inner = kt_functional(x, kt_list(p, q));
    kt_sym *in = kt_input({2});
    kt_sym *both = kt_call(inner, in);
    kt_model *m = kt_functional(in, kt_op_multiply(kt_item(both, 0), kt_item(both, 1)));
    kt_check_ok(m);
    kt_check_values(predict(m, kt_floats_tensor(kt_dims(1, 2), KT_VALUES(5, 3))), 1e-6, 0, 16);
    kt_check_fails(kt_item(both, 2), KT_EINVAL, "no output 2");
    kt_check_fails(kt_item(both, -1), KT_EINVAL, "no output -1");
    kt_free(m);
}

KT_TEST(functional, operators_become_layers) {
    kt_sym *x = kt_input({3});
    kt_sym *half = kt_num(0.5);
    kt_sym *y = kt_op_add(kt_op_multiply(x, half), kt_op_square(kt_op_subtract(kt_num(1), x)));
    y = kt_op_concatenate(kt_list(y, kt_op_multiply(half, y)), -1); /* a number may be used again */
    kt_model *m = kt_functional(x, y);
    kt_check_ok(m);
    kt_check_values(
        predict(m, kt_floats_tensor(kt_dims(1, 3), KT_VALUES(1, 2, 4))),
        1e-6,
        0,
        0.5,
        2,
        11,
        0.25,
        1,
        5.5);
    kt_check_str(kt_layer_class_name(kt_model_layer(m, 1)), "Subtract");
    kt_free(m);
}

KT_TEST(functional, constants_take_part) {
    kt_sym *x = kt_input({3});
    kt_tensor *c = kt_floats_tensor(kt_dims(3), KT_VALUES(1, 10, 100));
    kt_sym *k = kt_const(c);
    kt_model *m = kt_functional(x, kt_op_add(kt_op_multiply(x, k), k));
    kt_check_ok(m);
    kt_tensor *in = kt_floats_tensor(kt_dims(2, 3), KT_VALUES(1, 2, 3, 4, 5, 6));
    kt_check_values(predict(m, in), 1e-6, 0, 2, 30, 400, 5, 60, 700);
    kt_free(m);
}

/* Shape operators see an open batch axis. */
KT_TEST(functional, operators_keep_the_batch_axis_open) {
    kt_sym *x = kt_input({2, 6});
    kt_sym *y = kt_op_reshape(x, kt_dims(KT_NONE, 3, 4));
    y = kt_op_sum(kt_op_slice(y, 1, 1, KT_NONE), -1, false);
    const kt_shape s = kt_sym_shape(y);
    assert_int_equal(s.ndim, 2);
    assert_int_equal(s.dim[0], KT_NONE);
    assert_int_equal(s.dim[1], 2);
    kt_model *m = kt_functional(x, y);
    kt_tensor *in = kt_floats_tensor(
        kt_dims(1, 2, 6), KT_VALUES(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12));
    kt_check_values(predict(m, in), 1e-6, 0, 26, 42);
    kt_free(m);
}

KT_TEST(functional, a_model_may_begin_inside_another) {
    kt_sym *x = kt_input({2});
    kt_sym *mid = kt_call(linear("first", 2, 2, KT_VALUES(1, 0, 0, 2)), x);
    kt_sym *y = kt_call(linear("second", 2, 1, KT_VALUES(1, 1)), mid);
    kt_model *whole = kt_functional(x, y), *head = kt_functional(mid, y);
    kt_model *body = kt_functional(x, mid);
    kt_check_ok(whole);
    kt_check_ok(head);
    kt_tensor *in = kt_floats_tensor(kt_dims(1, 2), KT_VALUES(3, 4));
    kt_check_values(predict(whole, in), 1e-6, 0, 11);
    kt_check_values(predict(head, in), 1e-6, 0, 7);
    kt_check_values(predict(body, in), 1e-6, 0, 3, 8);
    kt_free(whole); /* the others keep what they need */
    kt_check_values(predict(head, in), 1e-6, 0, 7);
    kt_check_values(predict(body, in), 1e-6, 0, 3, 8);
    kt_free(head);
    kt_free(body);
}

KT_TEST(functional, an_output_may_be_an_input) {
    kt_sym *x = kt_input({2});
    kt_model *m = kt_functional(x, x);
    kt_check_ok(m);
    kt_check_values(predict(m, kt_floats_tensor(kt_dims(1, 2), KT_VALUES(3, 4))), 0, 0, 3, 4);
    kt_free(m);
}

KT_TEST(functional, an_output_may_come_twice) {
    kt_sym *x = kt_input({2});
    kt_sym *y = kt_call(linear("l", 2, 1, KT_VALUES(1, 1)), x);
    kt_model *m = kt_functional(x, kt_list(y, y));
    kt_check_ok(m);
    kt_tensor *in = kt_floats_tensor(kt_dims(1, 2), KT_VALUES(3, 4));
    kt_list_t *out = kt_model_predict_list(m, in, .verbose = 0);
    kt_check_values(kt_list_get(out, 0), 0, 0, 7);
    kt_check_values(kt_list_get(out, 1), 0, 0, 7);
    kt_free(m);
}

KT_TEST(functional, a_deep_chain_links) {
    kt_sym *x = kt_input({1}), *y = x;
    for (int i = 0; i < 500; i++) y = kt_op_add(y, kt_num(1));
    kt_model *m = kt_functional(x, y);
    kt_check_ok(m);
    kt_check_values(predict(m, kt_floats_tensor(kt_dims(1, 1), KT_VALUES(0.5))), 1e-6, 0, 500.5);
    kt_free(m);
}

KT_TEST(functional, rejects_wrong_arguments) {
    kt_sym *x = kt_input({2}, .name = "x"), *other = kt_input({2}, .name = "other");
    kt_sym *y = kt_call(kt_add(), kt_list(x, other));
    kt_check_fails(kt_functional(x, y), KT_EINVAL, "input \"other\"");
    kt_check_message_has("give every kt_input()");
    kt_check_fails(kt_functional(x), KT_EINVAL, "outputs: expected a symbolic tensor");
    kt_check_fails(kt_functional(.outputs = y), KT_EINVAL, "inputs: expected a symbolic tensor");
    kt_check_fails(kt_functional(kt_dense(2), y), KT_EINVAL, "got a layer");
    kt_check_fails(kt_functional(x, kt_dense(0)), KT_EINVAL, "units");
    kt_check_fails(kt_functional("x", y), KT_EINVAL, "got \"x\"");
    kt_check_fails(kt_functional(x, kt_num(1)), KT_EINVAL, "outputs");
    kt_model *m = kt_functional(kt_list(x, other), y); /* nothing was spoiled */
    kt_check_ok(m);
    kt_free(m);
}

KT_TEST(functional, rejects_two_layers_of_one_name) {
    kt_sym *x = kt_input({2});
    kt_sym *y = kt_call(kt_dense(2, .name = "d"), kt_call(kt_dense(2, .name = "d"), x));
    kt_check_fails(kt_functional(x, y), KT_EINVAL, "two layers are named \"d\"");
}

KT_TEST(functional, rejects_wrong_numbers_of_inputs) {
    kt_sym *a = kt_input({2}), *b = kt_input({2});
    kt_model *m = kt_functional(kt_list(a, b), kt_call(kt_add(), kt_list(a, b)), .name = "two");
    kt_sym *x = kt_input({2});
    kt_check_fails(
        kt_call(m, x), KT_EINVAL, "inputs: expected 2, one for each input of the model, got 1");
    kt_check_fails(kt_call(m, kt_list(x, kt_input({3}))), KT_ESHAPE, "shape mismatch at input");
    kt_check_message_has("(None, 2)");
    kt_check_message_has("(None, 3)");
    kt_free(m);
}

/* A table of many columns: one input and one output for each. */
KT_TEST(functional, takes_sixteen_inputs_and_outputs) {
    const void *in[KT_MAX_TENSORS], *out[KT_MAX_TENSORS], *x[KT_MAX_TENSORS];
    assert_true(KT_MAX_TENSORS >= 16);
    for (int i = 0; i < KT_MAX_TENSORS; i++) {
        in[i] = kt_input({1});
        x[i] = kt_tensor_new(KT_FLOAT32, kt_dims(3, 1), NULL);
        kt_tensor_set((kt_tensor *)(uintptr_t)x[i], 2, i);
    }
    kt_sym *sum = kt_call(kt_add(), kt_list_of(KT_MAX_TENSORS, in));
    for (int i = 0; i < KT_MAX_TENSORS; i++)
        out[i] = kt_call(kt_dense(1, .kernel_initializer = kt_init_constant(i)), sum);
    kt_model *m = kt_functional(kt_list_of(KT_MAX_TENSORS, in), kt_list_of(KT_MAX_TENSORS, out));
    kt_list_t *y = kt_model_predict_list(m, kt_list_of(KT_MAX_TENSORS, x), .verbose = 0);
    if (kt_failed(y)) fail_msg("%s", kt_error_message());
    assert_int_equal(kt_list_len(y), KT_MAX_TENSORS);
    const double all = KT_MAX_TENSORS * (KT_MAX_TENSORS - 1) / 2.;
    for (int i = 0; i < KT_MAX_TENSORS; i++)
        kt_check_near(kt_tensor_get(kt_list_get(y, i), 2), i * all, 1e-5, 0);
    kt_free(y);
    kt_free(m);
}
