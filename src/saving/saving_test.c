/* Texts, and what a model says about compile. */
#include "saving/text.h"
#include "testing/kt_models.h"
#include "testing/kt_test.h"

#include <keratin/keratin.h>

#include <stdio.h>
#include <string.h>

KT_TEST(saving, texts_own_their_characters) {
    kt_str s = {0};
    kt_str_add(&s, "{}");
    kt_text *t = kt_text_take(&s);
    assert_null(s.s);
    kt_check_str(kt_text_str(t), "{}");
    assert_int_equal(kt_text_len(t), 2);
    kt_check_str(kt_text_str(NULL), "");
    kt_check_str(kt_text_str(kt_text_take(&s)), ""); /* nothing was added */
}

KT_TEST(saving, models_know_if_they_are_compiled) {
    kt_model *m = kt_sequential(kt_list(kt_input({2}), kt_dense(1)));
    assert_false(kt_model_is_compiled(m));
    assert_null(kt_model_optimizer(m));
    kt_optimizer *sgd = kt_opt_sgd();
    kt_check_status(kt_model_compile(m, sgd, "mse"), KT_OK);
    assert_true(kt_model_is_compiled(m));
    assert_ptr_equal(kt_model_optimizer(m), sgd);
    assert_false(kt_model_is_compiled(NULL));
}

/* Keras writes "training": false for every plain call of Dropout, and a model gives its layers its
 * own flag all the same. */
KT_TEST(saving, a_file_does_not_switch_dropout_off) {
    kt_sym *x = kt_input({64});
    kt_model *m = kt_functional(x, kt_call(kt_dropout(0.5), x, .training = false));
    kt_text *json = kt_model_to_json(m);
    kt_check_ok(json);
    assert_non_null(strstr(kt_text_str(json), "\"training\": false"));
    kt_model *loaded = kt_model_from_json(kt_text_str(json));
    kt_check_ok(loaded);
    float ones[64];
    for (int i = 0; i < 64; i++) ones[i] = 1;
    kt_tensor *t = kt_retain(kt_tensor_new(KT_FLOAT32, kt_dims(1, 64), ones));
    kt_check_status(kt_model_compile(loaded, "sgd", "mse"), KT_OK);
    kt_logs *trained = kt_model_train_on_batch(loaded, t, t);
    kt_logs *tested = kt_model_test_on_batch(loaded, t, t);
    kt_check_near(kt_logs_get(trained, "loss"), 1, 0, 1e-6); /* 0 or 2 in place of each 1 */
    kt_check_near(kt_logs_get(tested, "loss"), 0, 0, 0);
    const void *all[] = {json, trained, tested, loaded, m, t};
    for (int i = 0; i < 6; i++) kt_free(all[i]);
}

/* What model.quantize() leaves in a file. */
KT_TEST(saving, other_quantized_layers_say_that_they_are) {
    static const struct {
        const char *config, *says;
    } cases[] = {
        {"'dtype': {'module': 'keras.dtype_policies', 'class_name': 'QuantizedDTypePolicy', "
         "'config': {'mode': 'int8', 'source_name': 'float16'}, 'registered_name': null}",
         "QuantizedDTypePolicy: quantization \"int8\""},
        {"'dtype': {'module': 'keras.dtype_policies', 'class_name': 'QuantizedFloat8DTypePolicy', "
         "'config': {'mode': 'float8', 'source_name': 'float32', 'amax_history_length': 1024}}",
         "QuantizedFloat8DTypePolicy: quantization"},
        {"'dtype': {'module': 'keras.dtype_policies', 'class_name': 'Int4DTypePolicy', 'config': "
         "{'mode': 'int4/128', 'source_name': 'float32'}, 'registered_name': null}",
         "Int4DTypePolicy: quantization"},
        {"'dtype': 'float8_from_float32'", "\"float8_from_float32\": quantization"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char config[512];
        snprintf(config, sizeof config, "{'units': 3, %s}", cases[i].config);
        for (char *p = config; *p; p++)
            if (*p == '\'') *p = '"';
        kt_check_fails(kt_from_config("Dense", config), KT_EUNSUPPORTED, cases[i].says);
    }
}

/* Also of classes that cannot do without arguments. */
KT_TEST(saving, keys_that_are_missing_have_their_defaults) {
    static const char *const cases[][3] = {
        {"MeanIoU", "{\"num_classes\": 2}", "\"ignore_class\": null"},
        {"OneHotIoU", "{\"num_classes\": 2, \"target_class_ids\": [0]}", "\"axis\": -1"},
        {"BinaryIoU", "{}", "\"target_class_ids\": [0, 1]"},
        {"PrecisionAtRecall", "{\"recall\": 0.5}", "\"num_thresholds\": 200"},
        {"CosineDecay",
         "{\"initial_learning_rate\": 1.0, \"decay_steps\": 3}",
         "\"warmup_target\": null"},
        {"CosineDecayRestarts",
         "{\"initial_learning_rate\": 1.0, \"first_decay_steps\": 3}",
         "\"t_mul\": 2.0"},
        {"PolynomialDecay",
         "{\"initial_learning_rate\": 1.0, \"decay_steps\": 3}",
         "\"end_learning_rate\": 0.0001"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        void *object = kt_from_config(cases[i][0], cases[i][1]);
        kt_check_ok(object);
        kt_text *config = kt_get_config(object);
        kt_check_ok(config);
        if (!strstr(kt_text_str(config), cases[i][2]))
            kt_check_str(kt_text_str(config), cases[i][2]);
        kt_free(config);
        kt_free(object);
    }
    kt_metric *binary = kt_metric_binary_io_u();
    kt_text *config = kt_get_config(binary);
    assert_non_null(strstr(kt_text_str(config), "\"target_class_ids\": [0, 1]"));
    kt_free(config);
    kt_free(binary);
}

/* Keras takes the old keys too, and complains about other values. */
KT_TEST(saving, older_loss_scale_optimizers_have_more_keys) {
#define OLD(clipnorm)                                                                              \
    "{\"name\": \"l\", \"weight_decay\": null, \"clipnorm\": " clipnorm                            \
    ", \"use_ema\": false, \"ema_momentum\": 0.99, \"ema_overwrite_frequency\": null, "            \
    "\"inner_optimizer\": {\"module\": \"keras.optimizers\", \"class_name\": \"SGD\", "            \
    "\"config\": "                                                                                 \
    "{\"learning_rate\": 0.5}}, \"initial_scale\": 8.0}"
    kt_optimizer *o = kt_from_config("LossScaleOptimizer", OLD("null"));
    kt_check_ok(o);
    kt_check_near(kt_opt_learning_rate(o), 0.5, 0, 0);
    kt_free(o);
    kt_check_fails(
        kt_from_config("LossScaleOptimizer", OLD("1.0")),
        KT_EUNSUPPORTED,
        "LossScaleOptimizer has no argument \"clipnorm\"");
#undef OLD
}
