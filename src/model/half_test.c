/* Models under policies of 16 bits: the scaled loss, and what programs give and take. Values:
 * tests/parity/half_test.c. */
#include "nn/optimizers/optimizer.h"
#include "tensor/tensor.h"
#include "testing/kt_models.h"

#include <keratin/saving.h>

#include <string.h>

static kt_model *small(const char *policy) {
    kt_set_dtype_policy(policy);
    kt_model *m = kt_sequential(
        kt_list(kt_input({3}), kt_dense(4, .activation = "relu"), kt_dense(2)));
    kt_set_dtype_policy("float32");
    kt_check_ok(m);
    return m;
}

static bool scales(const kt_model *m) { return kt_optimizer_inner(kt_model_optimizer(m)) != NULL; }

static double number_of(const kt_model *m, const char *name) {
    const kt_optimizer *o = kt_model_optimizer(m);
    int i = 0;
    while (strcmp(kt_optimizer_var(o, i)->name, name)) i++;
    return kt_var_scalar(kt_optimizer_var(o, i));
}

KT_TEST(half, compile_scales_the_loss_of_mixed_float16_alone) {
    static const char *const policies[] = {
        "mixed_float16", "mixed_bfloat16", "float16", "bfloat16", "float32"};
    for (int i = 0; i < 5; i++) {
        kt_model *m = small(policies[i]);
        kt_optimizer *o = kt_adopt(kt_opt_adam());
        kt_check_status(kt_model_compile(m, o, "mse"), KT_OK);
        assert_true(scales(m) == (i == 0));
        kt_check_status(kt_model_compile(m, o, "no such loss"), KT_EINVAL);
        assert_true(scales(m) == (i == 0)); /* the old compile stays in force */
        kt_check_status(kt_model_compile(m, o, "mae"), KT_OK);
        assert_true(scales(m) == (i == 0));
        kt_check_status(kt_model_compile(m, "sgd", "mse", .auto_scale_loss = false), KT_OK);
        assert_false(scales(m));
        kt_optimizer *own = kt_opt_loss_scale_optimizer(kt_opt_sgd(), .initial_scale = 4);
        kt_check_status(kt_model_compile(m, own, "mse"), KT_OK);
        assert_ptr_equal(kt_model_optimizer(m), own); /* not once more */
        kt_release(o);
        kt_free(m);
    }
}

/* A gradient that float16 does not hold: the step is left out, the scale halved. */
KT_TEST(half, too_large_gradients_are_left_out) {
    kt_model *m = small("mixed_float16");
    kt_check_status(kt_model_compile(m, kt_opt_sgd(0.1), "mse"), KT_OK);
    kt_tensor *x = kt_floats_tensor(kt_dims(1, 3), KT_VALUES(0.1, 0.2, 0.3));
    kt_tensor *y = kt_floats_tensor(kt_dims(1, 2), KT_VALUES(1e4, -1e4));
    kt_weights_copy before = kt_copy_weights(m);
    kt_check_ok(kt_model_train_on_batch(m, x, y));
    assert_true(kt_weights_same(m, &before));
    assert_true(number_of(m, "dynamic_scale") == 16384);
    assert_true(number_of(m, "step_counter") == 0);
    y = kt_floats_tensor(kt_dims(1, 2), KT_VALUES(0.1, -0.1));
    kt_check_ok(kt_model_train_on_batch(m, x, y));
    assert_false(kt_weights_same(m, &before));
    assert_true(number_of(m, "step_counter") == 1);
    kt_weights_copy_free(&before);
    kt_free(m);
}

/* Files say what was given to compile, as those of Keras do. */
KT_TEST(half, files_have_the_optimizer_that_was_given) {
    kt_model *m = small("mixed_float16");
    kt_check_status(kt_model_compile(m, "adam", "mse"), KT_OK);
    const char *text = kt_text_str(kt_model_to_json(m));
    assert_non_null(strstr(text, "\"class_name\": \"Adam\""));
    assert_null(strstr(text, "LossScaleOptimizer"));
    kt_model *again = kt_model_from_json(text);
    kt_check_ok(again);
    assert_true(scales(again));
    kt_free(again);
    kt_free(m);
}

/* Arrays of 16 bits go in, come out, and into memory of the caller. */
KT_TEST(half, arrays_of_16_bits_go_in_and_come_out) {
    kt_model *m = small("mixed_float16");
    kt_tensor *x = kt_floats_tensor(kt_dims(2, 3), KT_VALUES(1, -2, 3, 0.1, 0.2, 0.3));
    kt_tensor *narrow = kt_tensor_cast(x, KT_FLOAT16);
    kt_tensor *out = kt_tensor_new(KT_FLOAT16, kt_dims(2, 2), NULL);
    kt_tensor *p = kt_model_predict(m, x, .verbose = 0),
              *q = kt_model_predict(m, narrow, .verbose = 0);
    kt_check_ok(p);
    kt_check_ok(q);
    assert_int_equal(kt_tensor_dtype(p), KT_FLOAT16);
    assert_memory_equal(p->data, q->data, kt_tensor_bytes(p));
    kt_check_status(kt_model_predict_into(m, x, out), KT_OK);
    assert_memory_equal(p->data, out->data, kt_tensor_bytes(p));
    kt_free(out);
    kt_free(m);
}
