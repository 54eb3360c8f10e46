/* Configurations of Keras 1 and 2 in the words of Keras 3. */
#include "saving/legacy.h"

#include "testing/kt_test.h"

#include <stdio.h>

static kt_json *parse(const char *text) {
    kt_json *v;
    kt_check_status(kt_json_parse(&v, text, strlen(text), NULL), KT_OK);
    return v;
}

/* The config of the layer that an entry becomes, as JSON. */
static void check_layer(
    const char *version, const char *class_name, const char *config, const char *want) {
    char entry[2048];
    kt_json *out;
    kt_str text = {0};
    const kt_legacy_origin from = kt_legacy_origin_of(version, "tensorflow");
    snprintf(entry, sizeof entry, "{\"class_name\": \"%s\", \"config\": %s}", class_name, config);
    kt_json *v = parse(entry);
    kt_check_status(kt_legacy_layer(&out, v, &from), KT_OK);
    kt_str_addf(&text, "%s ", kt_json_get_text(out, "class_name"));
    kt_json_write(&text, kt_json_get(out, "config"), KT_NONE);
    kt_check_str(text.s, want);
    kt_str_free(&text);
    kt_json_free(out);
    kt_json_free(v);
}

KT_TEST(legacy_config, arguments_of_keras_1) {
    check_layer(
        "1.2.1",
        "Convolution2D",
        "{\"name\": \"c\", \"nb_filter\": 24, \"nb_row\": 5, \"nb_col\": 3, \"init\": \"zero\", "
        "\"border_mode\": \"same\", \"subsample\": [2, 2], \"dim_ordering\": \"th\", \"bias\": "
        "true, \"activation\": \"hard_sigmoid\", \"W_regularizer\": {\"name\": "
        "\"WeightRegularizer\", \"l1\": 0.0, \"l2\": 0.5}, \"b_constraint\": null}",
        "Conv2D {\"name\": \"c\", \"filters\": 24, \"kernel_initializer\": \"zeros\", \"padding\": "
        "\"same\", \"strides\": [2, 2], \"data_format\": \"channels_first\", \"use_bias\": true, "
        "\"activation\": \"keras2_hard_sigmoid\", \"kernel_regularizer\": {\"module\": "
        "\"keras.regularizers\", \"class_name\": \"L1L2\", \"config\": {\"l1\": 0.0, \"l2\": 0.5}, "
        "\"registered_name\": null}, \"bias_constraint\": null, \"kernel_size\": [5, 3]}");
    check_layer(
        "1.2.1",
        "LSTM",
        "{\"output_dim\": 3, \"inner_init\": \"orthogonal\", \"forget_bias_init\": \"one\", "
        "\"inner_activation\": \"sigmoid\", \"dropout_W\": 0.1, \"dropout_U\": 0.2, "
        "\"consume_less\": \"gpu\", \"input_dim\": 4, \"input_length\": 5, \"U_regularizer\": "
        "null}",
        "LSTM {\"units\": 3, \"recurrent_initializer\": \"orthogonal\", \"unit_forget_bias\": "
        "true, "
        "\"recurrent_activation\": \"sigmoid\", \"dropout\": 0.1, \"recurrent_dropout\": 0.2, "
        "\"recurrent_regularizer\": null}");
    check_layer("1.2.1", "Dropout", "{\"p\": 0.5}", "Dropout {\"rate\": 0.5}");
    check_layer("1.2.1", "GaussianNoise", "{\"sigma\": 0.5}", "GaussianNoise {\"stddev\": 0.5}");
    check_layer(
        "1.2.1",
        "MaxPooling1D",
        "{\"pool_length\": 2, \"stride\": 3, \"border_mode\": \"valid\"}",
        "MaxPooling1D {\"pool_size\": 2, \"strides\": 3, \"padding\": \"valid\"}");
    check_layer(
        "1.2.1",
        "AtrousConvolution1D",
        "{\"nb_filter\": 2, \"filter_length\": 3, \"atrous_rate\": 2}",
        "Conv1D {\"filters\": 2, \"kernel_size\": 3, \"dilation_rate\": 2}");
    check_layer(
        "1.2.1",
        "Embedding",
        "{\"input_dim\": 9, \"output_dim\": 4, \"init\": \"uniform\", \"dropout\": 0.0, "
        "\"W_constraint\": {\"name\": \"MaxNorm\", \"m\": 2, \"axis\": 0}}",
        "Embedding {\"input_dim\": 9, \"output_dim\": 4, \"embeddings_initializer\": \"uniform\", "
        "\"embeddings_constraint\": {\"module\": \"keras.constraints\", \"class_name\": "
        "\"MaxNorm\", \"config\": {\"max_value\": 2, \"axis\": 0}, \"registered_name\": null}}");
    check_layer(
        "1.2.1",
        "Merge",
        "{\"name\": \"m\", \"mode\": \"concat\", \"concat_axis\": -1, \"arguments\": {}}",
        "Concatenate {\"name\": \"m\", \"axis\": -1}");
    check_layer("1.2.1", "Merge", "{\"name\": \"m\", \"mode\": \"sum\"}", "Add {\"name\": \"m\"}");
}

KT_TEST(legacy_config, arguments_of_keras_2) {
    check_layer(
        "2.2.4",
        "CuDNNLSTM",
        "{\"units\": 3, \"return_sequences\": true}",
        "LSTM {\"units\": 3, \"return_sequences\": true, \"recurrent_activation\": \"sigmoid\", "
        "\"activation\": \"tanh\"}");
    check_layer(
        "2.2.4",
        "CuDNNGRU",
        "{\"units\": 3}",
        "GRU {\"units\": 3, \"recurrent_activation\": \"sigmoid\", \"activation\": \"tanh\", "
        "\"reset_after\": true}");
    check_layer(
        "2.2.4",
        "GRU",
        "{\"units\": 3, \"implementation\": 1}",
        "GRU {\"units\": 3, \"reset_after\": false}");
    check_layer(
        "2.15.0",
        "LSTM",
        "{\"units\": 3, \"time_major\": false, \"recurrent_activation\": \"hard_sigmoid\"}",
        "LSTM {\"units\": 3, \"recurrent_activation\": \"keras2_hard_sigmoid\"}");
    check_layer(
        "2.15.0",
        "BatchNormalization",
        "{\"axis\": [3], \"fused\": true, \"renorm\": false}",
        "BatchNormalization {\"axis\": 3}");
    check_layer("2.4.0", "LeakyReLU", "{\"alpha\": 0.1}", "LeakyReLU {\"negative_slope\": 0.1}");
    check_layer("2.4.0", "ThresholdedReLU", "{\"theta\": 1.0}", "ReLU {\"threshold\": 1.0}");
    check_layer(
        "2.4.0",
        "DepthwiseConv2D",
        "{\"kernel_size\": [3, 3], \"groups\": 1, \"kernel_initializer\": {\"class_name\": "
        "\"GlorotUniform\", \"config\": {}}}",
        "DepthwiseConv2D {\"kernel_size\": [3, 3]}");
    check_layer(
        "2.0.9",
        "Dense",
        "{\"batch_input_shape\": [null, 3], \"units\": 2, \"kernel_initializer\": {\"class_name\": "
        "\"VarianceScaling\", \"config\": {\"distribution\": \"normal\", \"dtype\": \"float32\"}}}",
        "Dense {\"units\": 2, \"kernel_initializer\": {\"module\": \"keras.initializers\", "
        "\"class_name\": \"VarianceScaling\", \"config\": {\"distribution\": "
        "\"truncated_normal\"}, \"registered_name\": null}}");
}

static void check_unsupported(const char *entry, const char *message) {
    kt_json *out, *v = parse(entry);
    const kt_legacy_origin from = kt_legacy_origin_of("2.2.4", NULL);
    kt_check_status(kt_legacy_model(&out, v, &from), KT_EUNSUPPORTED);
    kt_check_message_has(message);
    assert_null(out);
    kt_json_free(v);
}

KT_TEST(legacy_config, names_what_is_not_there) {
    check_unsupported(
        "{\"class_name\": \"LSTM\", \"config\": {\"time_major\": true}}", "LSTM: time_major");
    check_unsupported(
        "{\"class_name\": \"BatchNormalization\", \"config\": {\"mode\": 2}}",
        "BatchNormalization: a mode");
    check_unsupported(
        "{\"class_name\": \"Merge\", \"config\": {\"mode\": \"cos\"}}", "Merge: mode \"cos\"");
    check_unsupported(
        "{\"class_name\": \"Sequential\", \"config\": [{\"class_name\": \"Merge\", \"config\": "
        "{}}]}",
        "begins with Merge");
    check_unsupported(
        "{\"class_name\": \"Model\", \"config\": {\"layers\": [{\"class_name\": \"TFOpLambda\", "
        "\"name\": \"t\", \"config\": {\"function\": \"io.read_file\", \"name\": \"t\"}, "
        "\"inbound_nodes\": [[\"a\", 0, 0, {}]]}], "
        "\"output_layers\": []}}",
        "in layer \"t\"");
}

KT_TEST(legacy_config, bad_configs_are_errors) {
    static const char *const bad[] = {
        "[]",
        "{\"class_name\": \"Model\", \"config\": {\"layers\": [{\"class_name\": \"TFOpLambda\", "
        "\"name\": \"t\", \"config\": {\"function\": \"math.add\", \"name\": \"t\"}, "
        "\"inbound_nodes\": [[\"_CONSTANT_VALUE\", -1]]}], \"output_layers\": []}}",
        "{\"class_name\": \"Model\", \"config\": {\"layers\": [{\"class_name\": \"TFOpLambda\", "
        "\"name\": \"t\", \"config\": {\"function\": \"math.add\", \"name\": \"t\"}, "
        "\"inbound_nodes\": [[\"a\", 0, 0, {}]]}], \"output_layers\": []}}",
        "{}",
        "{\"class_name\": 3}",
        "{\"class_name\": \"Dense\"}",
        "{\"class_name\": \"Dense\", \"config\": []}",
        "{\"class_name\": \"Sequential\", \"config\": {}}",
        "{\"class_name\": \"Sequential\", \"config\": [3]}",
        "{\"class_name\": \"Model\", \"config\": {\"layers\": 3}}",
        "{\"class_name\": \"Convolution2D\", \"config\": {\"nb_row\": 3}}",
        ("{\"class_name\": \"Model\", \"config\": {\"layers\": [{\"class_name\": \"Dense\", "
         "\"config\": {}, \"inbound_nodes\": 3}]}}"),
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        kt_json *out, *v = parse(bad[i]);
        const kt_legacy_origin from = kt_legacy_origin_of(NULL, NULL);
        if (kt_legacy_model(&out, v, &from) != KT_EFORMAT) fail_msg("%s", bad[i]);
        kt_json_free(v);
    }
}

static void check_model(const char *version, const char *model, const char *want) {
    kt_json *out, *v = parse(model);
    kt_str text = {0};
    const kt_legacy_origin from = kt_legacy_origin_of(version, NULL);
    kt_check_status(kt_legacy_model(&out, v, &from), KT_OK);
    kt_json_write(&text, kt_json_get(out, "config"), KT_NONE);
    kt_check_str(text.s, want);
    kt_str_free(&text);
    kt_json_free(out);
    kt_json_free(v);
}

#define TENSOR(name, node, index)                                                                  \
    "{\"class_name\": \"__keras_tensor__\", \"config\": {\"keras_history\": [\"" name "\", " node  \
    ", " index "]}}"

KT_TEST(legacy_config, sequential_gets_its_input) {
    check_model(
        "1.2.1",
        "{\"class_name\": \"Sequential\", \"config\": [{\"class_name\": \"Flatten\", \"config\": "
        "{\"name\": \"f\", \"batch_input_shape\": [null, 2, 3]}}]}",
        "{\"layers\": [{\"module\": \"keras.layers\", \"class_name\": \"InputLayer\", \"config\": "
        "{\"batch_shape\": [null, 2, 3], \"dtype\": \"float32\", \"name\": \"f_input\"}, "
        "\"registered_name\": null}, {\"module\": \"keras.layers\", \"class_name\": \"Flatten\", "
        "\"config\": {\"name\": \"f\"}, \"registered_name\": null}]}");
}

KT_TEST(legacy_config, nodes_become_calls) {
    check_model(
        "2.2.4",
        "{\"class_name\": \"Model\", \"config\": {\"name\": \"m\", \"layers\": [{\"class_name\": "
        "\"LSTM\", \"name\": \"l\", \"config\": {\"units\": 2}, \"inbound_nodes\": [[[\"x\", 0, 0, "
        "{}], [\"h\", 0, 1, {}], [\"c\", 1, 0, {\"training\": true}]]]}, {\"class_name\": \"Add\", "
        "\"name\": \"a\", \"config\": {}, \"inbound_nodes\": [[[\"l\", 0, 0, {}], [\"l\", 0, 0, "
        "{}]]]}], \"input_layers\": [], \"output_layers\": [[\"a\", 0, 0]]}}",
        "{\"name\": \"m\", \"layers\": [{\"module\": \"keras.layers\", \"class_name\": \"LSTM\", "
        "\"config\": {\"units\": 2}, \"registered_name\": null, \"name\": \"l\", "
        "\"inbound_nodes\": [{\"args\": [" TENSOR(
            "x",
            "0",
            "0") "], \"kwargs\": {\"training\": "
                 "true, \"initial_state\": [" TENSOR("h", "0", "1") ", " TENSOR(
                     "c",
                     "1",
                     "0") "]}}]}, "
                          "{\"module\": \"keras.layers\", \"class_name\": \"Add\", \"config\": {}, "
                          "\"registered_name\": null, \"name\": \"a\", \"inbound_nodes\": "
                          "[{\"args\": [[" TENSOR("l", "0", "0") ", " TENSOR(
                              "l",
                              "0",
                              "0") "]], \"kwargs\": {}}]}], "
                                   "\"input_layers\": [], \"output_layers\": [[\"a\", 0, 0]]}");
}

static void check_compile(const char *training, const char *want) {
    kt_json *out, *v = parse(training);
    kt_str text = {0};
    const kt_legacy_origin from = kt_legacy_origin_of("2.2.4", NULL);
    kt_check_status(kt_legacy_compile(&out, v, &from), KT_OK);
    kt_json_write(&text, out, KT_NONE);
    kt_check_str(text.s, want);
    kt_str_free(&text);
    kt_json_free(out);
    kt_json_free(v);
}

KT_TEST(legacy_config, training_configs) {
    check_compile(
        "{\"optimizer_config\": {\"class_name\": \"Custom>Adam\", \"config\": {\"lr\": 0.5, "
        "\"decay\": 0.0, \"epsilon\": null, \"beta_1\": 0.9}}, \"loss\": \"mse\", \"metrics\": "
        "[\"acc\"], \"sample_weight_mode\": null}",
        "{\"optimizer\": {\"module\": \"keras.optimizers\", \"class_name\": \"Adam\", \"config\": "
        "{\"learning_rate\": 0.5, \"beta_1\": 0.9}, \"registered_name\": null}, \"loss\": \"mse\", "
        "\"metrics\": [\"acc\"], \"weighted_metrics\": null}");
    check_compile(
        "{\"optimizer_config\": {\"class_name\": \"SGD\", \"config\": {\"learning_rate\": 0.5, "
        "\"decay\": 0.25}}, \"loss\": {\"class_name\": \"CategoricalCrossentropy\", \"config\": "
        "{\"reduction\": \"auto\", \"from_logits\": true, \"fn\": \"x\"}}, \"metrics\": "
        "[[{\"class_name\": \"MeanMetricWrapper\", \"config\": {\"name\": \"accuracy\", \"fn\": "
        "\"binary_accuracy\"}}]]}",
        "{\"optimizer\": {\"module\": \"keras.optimizers\", \"class_name\": \"SGD\", \"config\": "
        "{\"learning_rate\": {\"module\": \"keras.optimizers.schedules\", \"class_name\": "
        "\"InverseTimeDecay\", \"config\": {\"initial_learning_rate\": 0.5, \"decay_steps\": 1, "
        "\"decay_rate\": 0.25, \"staircase\": false}, \"registered_name\": null}}, "
        "\"registered_name\": null}, \"loss\": {\"module\": \"keras.losses\", \"class_name\": "
        "\"CategoricalCrossentropy\", \"config\": {\"reduction\": \"sum_over_batch_size\", "
        "\"from_logits\": true}, \"registered_name\": null}, \"metrics\": [{\"module\": "
        "\"keras.metrics\", \"class_name\": \"BinaryAccuracy\", \"config\": {\"name\": "
        "\"accuracy\"}, \"registered_name\": null}], \"weighted_metrics\": null}");
}
