/* kt-check: long, because it is a list of cases
 *
 * The layer fixtures of Keras.js (other people's): what Keras 2 computed for some 300 layers, one
 * sample each. They lie in ../shared/corpus/keras-js; CASES.tsv lists them and says in words how
 * each layer was made, which is written out here. A case of the list that has no line fails the
 * last test. */
#include "base/fs.h"
#include "base/mem.h"
#include "io/json.h"
#include "testing/kt_test.h"

#include <keratin/keratin.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FOLDER "../shared/corpus/keras-js"
#define MAX_CASES 400

/* Reading the fixtures
 * --------------------------------------------------------------------------------- */

static kt_json *fixtures; /* of the file that was read last */
static char fixtures_path[256];
static bool absent;

static bool read_fixtures(const char *path) {
    unsigned char *text;
    size_t size;
    if (fixtures && !strcmp(path, fixtures_path)) return true;
    if (kt_fs_load(&text, &size, path, 1 << 24)) return false;
    kt_json_free(fixtures);
    kt_check_status(kt_json_parse(&fixtures, (const char *)text, size, NULL), KT_OK);
    kt_mem_free(text);
    snprintf(fixtures_path, sizeof fixtures_path, "%s", path);
    return true;
}

/* {"data": [...], "shape": [...]}; with a batch axis of 1 in front if `batch`. */
static kt_tensor *tensor_of(const kt_json *object, bool batch) {
    const kt_json *shape = kt_json_get(object, "shape"), *data = kt_json_get(object, "data");
    kt_shape s = {batch, {1}};
    assert_true(kt_json_len(shape) < KT_MAX_RANK);
    for (int i = 0; i < kt_json_len(shape); i++)
        s.dim[s.ndim++] = kt_json_int(kt_json_at(shape, i));
    kt_tensor *t = kt_tensor_new(KT_FLOAT32, s, NULL);
    kt_check_status(kt_check(t), KT_OK);
    assert_int_equal(kt_tensor_size(t), kt_json_len(data));
    for (int i = 0; i < kt_json_len(data); i++)
        ((float *)kt_tensor_data(t))[i] = (float)kt_json_number(kt_json_at(data, i));
    return t;
}

/* Checking
 * --------------------------------------------------------------------------------------------- */

static char seen[MAX_CASES][64];
static int n_seen;
static double worst;
static bool twice; /* layers that keep their state were called before */

/* convolutional.Conv2D.0 is in layers/convolutional/Conv2D.json, activations.… in
 * activations.json. */
static const kt_json *find_case(const char *name) {
    char path[256], group[64], cls[64];
    if (sscanf(name, "%63[^.].%63[^.]", group, cls) != 2) return NULL;
    if (!strcmp(group, "activations"))
        snprintf(path, sizeof path, FOLDER "/activations.json");
    else if (!strcmp(group, "advanced_activations"))
        snprintf(path, sizeof path, FOLDER "/layers/%s.json", group);
    else
        snprintf(path, sizeof path, FOLDER "/layers/%s/%s.json", group, cls);
    if (!read_fixtures(path)) return NULL;
    const kt_json *found = kt_json_get(fixtures, name);
    if (!found) print_error("%s: no such case\n", name);
    assert_non_null(found);
    return found;
}

static kt_sym *open_case(const char *name, const kt_json **at) {
    if (!absent && !(*at = find_case(name))) {
        print_message("keras-js: no " FOLDER ", so nothing is compared\n");
        absent = true;
    }
    if (absent) return NULL;
    assert_true(n_seen < MAX_CASES);
    snprintf(seen[n_seen++], sizeof *seen, "%s", name);
    kt_tensor *x = tensor_of(kt_json_get(*at, "input"), true);
    kt_input_args a = {.size = sizeof a, .batch_size = 1};
    const kt_shape s = kt_tensor_shape(x);
    for (int i = 1; i < s.ndim; i++) a.shape[i - 1] = s.dim[i];
    kt_free(x);
    return kt_input_new(&a);
}

static void set_weights(kt_model *m, const kt_json *weights) {
    const void *w[16];
    const int n = kt_json_len(weights);
    assert_true(n <= 16);
    if (n == 0) return;
    for (int i = 0; i < n; i++) w[i] = tensor_of(kt_json_at(weights, i), false);
    kt_list_t *list = kt_list_of(n, w);
    kt_check_status(kt_set_weights(m, list), KT_OK);
    kt_free(list);
}

static void close_case(const char *name, const kt_json *at, kt_sym *x, kt_sym *y) {
    kt_model *m = kt_functional(x, y);
    if (kt_check(m)) print_error("%s\n", name);
    kt_check_status(kt_check(m), KT_OK);
    set_weights(m, kt_json_get(at, "weights"));
    kt_tensor *in = tensor_of(kt_json_get(at, "input"), true);
    kt_tensor *want = tensor_of(kt_json_get(at, "expected"), true);
    kt_tensor *got = kt_model_predict(m, in, .verbose = 0);
    if (twice) {
        kt_free(got);
        got = kt_model_predict(m, in, .verbose = 0);
    }
    kt_check_status(kt_check(got), KT_OK);
    assert_int_equal(kt_tensor_size(got), kt_tensor_size(want));
    for (int64_t i = 0; i < kt_tensor_size(want); i++) {
        const double g = kt_tensor_get(got, i), w = kt_tensor_get(want, i);
        /* inputs, weights and results were cut to six decimals */
        const double off = fabs(g - w) / (1e-5 + 1e-5 * fabs(w));
        worst = fmax(worst, off);
        if (off <= 1) continue;
        print_error("%s: element %d: got %.7g, expected %.7g\n", name, (int)i, g, w);
        fail();
    }
    kt_free(in);
    kt_free(want);
    kt_free(got);
    kt_free(m);
}

/* One layer on the input. */
static void check(const char *name, kt_layer *l) {
    const kt_json *at;
    kt_sym *x = open_case(name, &at);
    if (x)
        close_case(name, at, x, kt_call(l, x));
    else
        kt_free(l);
}

static void check_twice(const char *name, kt_layer *l) {
    twice = true;
    check(name, l);
    twice = false;
}

/* Dense(2) first, then the layer. */
static void check_behind(const char *name, kt_layer *dense, kt_layer *l) {
    const kt_json *at;
    kt_sym *x = open_case(name, &at);
    if (x)
        close_case(name, at, x, kt_call(l, kt_call(dense, x)));
    else
        kt_free(dense), kt_free(l);
}

/* n Dense(2) side by side, each row three times if `repeat`, merged. */
static void check_merge(const char *name, kt_layer *l, int n, bool repeat) {
    const kt_json *at;
    const void *side[8];
    kt_sym *x = open_case(name, &at);
    for (int i = 0; x && i < n; i++) {
        kt_sym *y = kt_call(kt_dense(2), x);
        side[i] = repeat ? kt_call(kt_repeat_vector(3), y) : y;
    }
    if (x)
        close_case(name, at, x, kt_call(l, kt_list_of(n, side)));
    else
        kt_free(l);
}

/* Keras 2 had another one. */
static kt_sym *old_hard_sigmoid(kt_sym *x, void *data) {
    (void)data;
    return kt_op_clip(kt_op_add(kt_op_multiply(x, kt_num(0.2)), kt_num(0.5)), 0, 1);
}
#define OLD_SIGMOID kt_act_custom(old_hard_sigmoid)

KT_TEST(keras_js, activations) {
    check("activations.softmax.0", kt_activation("softmax"));
    check("activations.softmax.1", kt_activation("softmax"));
    check("activations.softmax.2", kt_activation("softmax"));
    check("activations.elu.0", kt_activation("elu"));
    check("activations.elu.1", kt_activation("elu"));
    check("activations.elu.2", kt_activation("elu"));
    check("activations.selu.0", kt_activation("selu"));
    check("activations.selu.1", kt_activation("selu"));
    check("activations.selu.2", kt_activation("selu"));
    check("activations.softplus.0", kt_activation("softplus"));
    check("activations.softplus.1", kt_activation("softplus"));
    check("activations.softplus.2", kt_activation("softplus"));
    check("activations.softsign.0", kt_activation("softsign"));
    check("activations.softsign.1", kt_activation("softsign"));
    check("activations.softsign.2", kt_activation("softsign"));
    check("activations.relu.0", kt_activation("relu"));
    check("activations.relu.1", kt_activation("relu"));
    check("activations.relu.2", kt_activation("relu"));
    check("activations.tanh.0", kt_activation("tanh"));
    check("activations.tanh.1", kt_activation("tanh"));
    check("activations.tanh.2", kt_activation("tanh"));
    check("activations.sigmoid.0", kt_activation("sigmoid"));
    check("activations.sigmoid.1", kt_activation("sigmoid"));
    check("activations.sigmoid.2", kt_activation("sigmoid"));
    check("activations.hard_sigmoid.0", kt_activation(OLD_SIGMOID));
    check("activations.hard_sigmoid.1", kt_activation(OLD_SIGMOID));
    check("activations.hard_sigmoid.2", kt_activation(OLD_SIGMOID));
    check("activations.linear.0", kt_activation("linear"));
    check("activations.linear.1", kt_activation("linear"));
    check("activations.linear.2", kt_activation("linear"));
    check("activations.elu.3", kt_elu(0.5));
    check("activations.relu.3", kt_relu(0.5));
    check("activations.relu.4", kt_relu(.negative_slope = 0.3));
    check("advanced_activations.LeakyReLU.0", kt_leaky_relu(0.4));
    check("advanced_activations.PReLU.0", kt_prelu());
    check("advanced_activations.ELU.0", kt_elu(1.1));
    check("advanced_activations.ThresholdedReLU.0", kt_relu(.threshold = 0.9));
}

KT_TEST(keras_js, convolutional) {
    check("convolutional.Conv1D.0", kt_conv1d(4, 3));
    check("convolutional.Conv1D.1", kt_conv1d(4, 3, .use_bias = false));
    check(
        "convolutional.Conv1D.2",
        kt_conv1d(2, 3, .strides = 2, .padding = "same", .activation = "sigmoid"));
    check("convolutional.Conv1D.3", kt_conv1d(2, 7, .padding = "same", .activation = "tanh"));
    check(
        "convolutional.Conv1D.4",
        kt_conv1d(2, 7, .padding = "same", .dilation_rate = 2, .activation = "tanh"));
    check("convolutional.Conv2D.0", kt_conv2d(4, 3));
    check("convolutional.Conv2D.1", kt_conv2d(4, 3, .use_bias = false));
    check("convolutional.Conv2D.2", kt_conv2d(4, 3, .strides = 2, .activation = "relu"));
    check("convolutional.Conv2D.3", kt_conv2d(5, 4, .strides = kt_hw(2, 1), .activation = "relu"));
    check("convolutional.Conv2D.4", kt_conv2d(4, 3, .padding = "same", .activation = "relu"));
    check(
        "convolutional.Conv2D.5",
        kt_conv2d(4, 3, .strides = 2, .padding = "same", .activation = "relu"));
    check(
        "convolutional.Conv2D.6",
        kt_conv2d(4, 3, .strides = kt_hw(3, 2), .padding = "same", .activation = "relu"));
    check("convolutional.Conv2D.7", kt_conv2d(4, 3, .dilation_rate = 2));
    check("convolutional.Conv2D.8", kt_conv2d(4, 3, .dilation_rate = 2, .use_bias = false));
    check("convolutional.Conv2D.9", kt_conv2d(4, 3, .dilation_rate = 3, .activation = "relu"));
    check(
        "convolutional.Conv2D.10",
        kt_conv2d(3, 4, .padding = "same", .dilation_rate = 2, .activation = "relu"));
    check(
        "convolutional.Conv2D.11",
        kt_conv2d(4, 3, .padding = "same", .dilation_rate = 4, .activation = "relu"));
    check("convolutional.Conv2DTranspose.0", kt_conv2d_transpose(4, 3, .use_bias = false));
    check("convolutional.Conv2DTranspose.1", kt_conv2d_transpose(4, 3));
    check(
        "convolutional.Conv2DTranspose.2",
        kt_conv2d_transpose(4, 3, .strides = 2, .activation = "relu"));
    check(
        "convolutional.Conv2DTranspose.3",
        kt_conv2d_transpose(4, 3, .padding = "same", .activation = "relu"));
    check(
        "convolutional.Conv2DTranspose.4",
        kt_conv2d_transpose(5, 3, .strides = 2, .padding = "same", .activation = "relu"));
    check(
        "convolutional.Conv2DTranspose.5",
        kt_conv2d_transpose(3, kt_hw(2, 3), .padding = "same", .activation = "relu"));
    check("convolutional.Conv3D.0", kt_conv3d(4, 3));
    check("convolutional.Conv3D.1", kt_conv3d(2, 3, .activation = "sigmoid", .use_bias = false));
    check("convolutional.Conv3D.2", kt_conv3d(2, 3, .padding = "same", .activation = "relu"));
    check(
        "convolutional.Conv3D.3",
        kt_conv3d(
            2,
            kt_dhw(3, 3, 2),
            .strides = kt_dhw(2, 1, 1),
            .padding = "same",
            .activation = "relu"));
    check(
        "convolutional.Conv3D.4",
        kt_conv3d(2, 3, .strides = kt_dhw(3, 3, 2), .padding = "same", .activation = "relu"));
    check(
        "convolutional.Conv3D.5",
        kt_conv3d(2, 3, .dilation_rate = kt_dhw(2, 1, 1), .activation = "relu"));
    check(
        "convolutional.Conv3D.6",
        kt_conv3d(2, 3, .padding = "same", .dilation_rate = kt_dhw(1, 2, 1), .activation = "relu"));
    check("convolutional.Cropping1D.0", kt_cropping1d(kt_pairs(1, 1)));
    check("convolutional.Cropping1D.1", kt_cropping1d(kt_pairs(2, 3)));
    check("convolutional.Cropping1D.2", kt_cropping1d(2));
    check("convolutional.Cropping2D.0", kt_cropping2d(kt_pairs(1, 1, 1, 1)));
    check(
        "convolutional.Cropping2D.1",
        kt_cropping2d(kt_pairs(1, 1, 1, 1), .data_format = "channels_first"));
    check("convolutional.Cropping2D.2", kt_cropping2d(kt_pairs(4, 2, 3, 1)));
    check(
        "convolutional.Cropping2D.3",
        kt_cropping2d(kt_pairs(4, 2, 3, 1), .data_format = "channels_first"));
    check("convolutional.Cropping2D.4", kt_cropping2d(kt_hw(2, 3)));
    check("convolutional.Cropping2D.5", kt_cropping2d(1)); /* the list says 4 */
    check("convolutional.Cropping3D.0", kt_cropping3d(kt_pairs(1, 1, 1, 1, 1, 1)));
    check(
        "convolutional.Cropping3D.1",
        kt_cropping3d(kt_pairs(1, 1, 1, 1, 1, 1), .data_format = "channels_first"));
    check("convolutional.Cropping3D.2", kt_cropping3d(kt_pairs(3, 2, 2, 1, 2, 3)));
    check(
        "convolutional.Cropping3D.3",
        kt_cropping3d(kt_pairs(3, 2, 2, 1, 2, 3), .data_format = "channels_first"));
    check("convolutional.Cropping3D.4", kt_cropping3d(kt_dhw(1, 2, 3)));
    check("convolutional.Cropping3D.5", kt_cropping3d(2));
    check("convolutional.SeparableConv2D.0", kt_separable_conv2d(4, 3));
    check(
        "convolutional.SeparableConv2D.1",
        kt_separable_conv2d(4, 3, .depth_multiplier = 2, .activation = "relu"));
    check(
        "convolutional.SeparableConv2D.2",
        kt_separable_conv2d(16, 3, .depth_multiplier = 3, .activation = "relu"));
    check(
        "convolutional.SeparableConv2D.3",
        kt_separable_conv2d(4, 3, .strides = 2, .activation = "relu"));
    check(
        "convolutional.SeparableConv2D.4",
        kt_separable_conv2d(4, 3, .padding = "same", .activation = "relu"));
    check(
        "convolutional.SeparableConv2D.5",
        kt_separable_conv2d(
            4,
            3,
            .padding = "same",
            .depth_multiplier = 2,
            .activation = "relu",
            .use_bias = false));
    check(
        "convolutional.SeparableConv2D.6",
        kt_separable_conv2d(
            4, 3, .strides = 2, .padding = "same", .depth_multiplier = 2, .activation = "relu"));
    check("convolutional.UpSampling1D.0", kt_up_sampling1d(2));
    check("convolutional.UpSampling1D.1", kt_up_sampling1d(3));
    check("convolutional.UpSampling2D.0", kt_up_sampling2d(2));
    check("convolutional.UpSampling2D.1", kt_up_sampling2d(2, .data_format = "channels_first"));
    check("convolutional.UpSampling2D.2", kt_up_sampling2d(kt_hw(3, 2)));
    check(
        "convolutional.UpSampling2D.3",
        kt_up_sampling2d(kt_hw(1, 3), .data_format = "channels_first"));
    check("convolutional.UpSampling2D.4", kt_up_sampling2d(2));
    check("convolutional.UpSampling3D.0", kt_up_sampling3d(2));
    check("convolutional.UpSampling3D.1", kt_up_sampling3d(2, .data_format = "channels_first"));
    check("convolutional.UpSampling3D.2", kt_up_sampling3d(kt_dhw(1, 3, 2)));
    check(
        "convolutional.UpSampling3D.3",
        kt_up_sampling3d(kt_dhw(2, 1, 2), .data_format = "channels_first"));
    check("convolutional.UpSampling3D.4", kt_up_sampling3d(2));
    check("convolutional.ZeroPadding1D.0", kt_zero_padding1d(1));
    check("convolutional.ZeroPadding1D.1", kt_zero_padding1d(3));
    check("convolutional.ZeroPadding1D.2", kt_zero_padding1d(kt_pairs(3, 2)));
    check("convolutional.ZeroPadding2D.0", kt_zero_padding2d(1));
    check("convolutional.ZeroPadding2D.1", kt_zero_padding2d(1, .data_format = "channels_first"));
    check("convolutional.ZeroPadding2D.2", kt_zero_padding2d(kt_hw(3, 2)));
    check(
        "convolutional.ZeroPadding2D.3",
        kt_zero_padding2d(kt_hw(3, 2), .data_format = "channels_first"));
    check("convolutional.ZeroPadding2D.4", kt_zero_padding2d(kt_pairs(1, 2, 3, 4)));
    check("convolutional.ZeroPadding2D.5", kt_zero_padding2d(2));
    check("convolutional.ZeroPadding3D.0", kt_zero_padding3d(1));
    check("convolutional.ZeroPadding3D.1", kt_zero_padding3d(1, .data_format = "channels_first"));
    check("convolutional.ZeroPadding3D.2", kt_zero_padding3d(kt_dhw(3, 2, 2)));
    check(
        "convolutional.ZeroPadding3D.3",
        kt_zero_padding3d(kt_dhw(3, 2, 2), .data_format = "channels_first"));
    check("convolutional.ZeroPadding3D.4", kt_zero_padding3d(kt_pairs(1, 2, 3, 4, 3, 1)));
    check("convolutional.ZeroPadding3D.5", kt_zero_padding3d(2));
}

KT_TEST(keras_js, pooling) {
    check("pooling.AveragePooling1D.0", kt_average_pooling1d(.pool_size = 2));
    check("pooling.AveragePooling1D.1", kt_average_pooling1d(.pool_size = 2, .strides = 1));
    check("pooling.AveragePooling1D.2", kt_average_pooling1d(.pool_size = 2, .strides = 3));
    check("pooling.AveragePooling1D.3", kt_average_pooling1d(.pool_size = 2, .padding = "same"));
    check(
        "pooling.AveragePooling1D.4",
        kt_average_pooling1d(.pool_size = 2, .strides = 1, .padding = "same"));
    check(
        "pooling.AveragePooling1D.5",
        kt_average_pooling1d(.pool_size = 2, .strides = 3, .padding = "same"));
    check("pooling.AveragePooling1D.6", kt_average_pooling1d(.pool_size = 3));
    check(
        "pooling.AveragePooling1D.7",
        kt_average_pooling1d(.pool_size = 3, .strides = 1, .padding = "same"));
    check(
        "pooling.AveragePooling1D.8",
        kt_average_pooling1d(.pool_size = 3, .strides = 3, .padding = "same"));
    check("pooling.AveragePooling2D.0", kt_average_pooling2d(.pool_size = 2));
    check("pooling.AveragePooling2D.1", kt_average_pooling2d(.pool_size = 2, .strides = 1));
    check(
        "pooling.AveragePooling2D.2", kt_average_pooling2d(.pool_size = 2, .strides = kt_hw(2, 1)));
    check("pooling.AveragePooling2D.3", kt_average_pooling2d(.pool_size = 3));
    check("pooling.AveragePooling2D.4", kt_average_pooling2d(.pool_size = 3, .strides = 3));
    check("pooling.AveragePooling2D.5", kt_average_pooling2d(.pool_size = 2, .padding = "same"));
    check(
        "pooling.AveragePooling2D.6",
        kt_average_pooling2d(.pool_size = 2, .strides = 1, .padding = "same"));
    check(
        "pooling.AveragePooling2D.7",
        kt_average_pooling2d(.pool_size = 2, .strides = kt_hw(2, 1), .padding = "same"));
    check("pooling.AveragePooling2D.8", kt_average_pooling2d(.pool_size = 3, .padding = "same"));
    check(
        "pooling.AveragePooling2D.9",
        kt_average_pooling2d(.pool_size = 3, .strides = 3, .padding = "same"));
    check(
        "pooling.AveragePooling2D.10",
        kt_average_pooling2d(.pool_size = 3, .strides = 2, .data_format = "channels_first"));
    check(
        "pooling.AveragePooling2D.11",
        kt_average_pooling2d(
                .pool_size = 3, .strides = 1, .padding = "same", .data_format = "channels_first"));
    check(
        "pooling.AveragePooling2D.12",
        kt_average_pooling2d(.pool_size = 2, .data_format = "channels_first"));
    check("pooling.AveragePooling3D.0", kt_average_pooling3d(.pool_size = 2));
    check("pooling.AveragePooling3D.1", kt_average_pooling3d(.pool_size = 2, .strides = 1));
    check(
        "pooling.AveragePooling3D.2",
        kt_average_pooling3d(.pool_size = 2, .strides = kt_dhw(2, 1, 1)));
    check("pooling.AveragePooling3D.3", kt_average_pooling3d(.pool_size = 3));
    check("pooling.AveragePooling3D.4", kt_average_pooling3d(.pool_size = 3, .strides = 3));
    check("pooling.AveragePooling3D.5", kt_average_pooling3d(.pool_size = 2, .padding = "same"));
    check(
        "pooling.AveragePooling3D.6",
        kt_average_pooling3d(.pool_size = 2, .strides = 1, .padding = "same"));
    check(
        "pooling.AveragePooling3D.7",
        kt_average_pooling3d(.pool_size = 2, .strides = kt_dhw(1, 2, 1), .padding = "same"));
    check("pooling.AveragePooling3D.8", kt_average_pooling3d(.pool_size = 3, .padding = "same"));
    check(
        "pooling.AveragePooling3D.9",
        kt_average_pooling3d(.pool_size = 3, .strides = 3, .padding = "same"));
    check(
        "pooling.AveragePooling3D.10",
        kt_average_pooling3d(.pool_size = 3, .strides = 2, .data_format = "channels_first"));
    check(
        "pooling.AveragePooling3D.11",
        kt_average_pooling3d(
                .pool_size = 3, .strides = 1, .padding = "same", .data_format = "channels_first"));
    check(
        "pooling.AveragePooling3D.12",
        kt_average_pooling3d(.pool_size = 2, .data_format = "channels_first"));
    check("pooling.GlobalAveragePooling1D.0", kt_global_average_pooling1d());
    check("pooling.GlobalAveragePooling1D.1", kt_global_average_pooling1d());
    check("pooling.GlobalAveragePooling1D.2", kt_global_average_pooling1d());
    check("pooling.GlobalAveragePooling2D.0", kt_global_average_pooling2d());
    check(
        "pooling.GlobalAveragePooling2D.1",
        kt_global_average_pooling2d(.data_format = "channels_first"));
    check("pooling.GlobalAveragePooling2D.2", kt_global_average_pooling2d());
    check("pooling.GlobalAveragePooling3D.0", kt_global_average_pooling3d());
    check(
        "pooling.GlobalAveragePooling3D.1",
        kt_global_average_pooling3d(.data_format = "channels_first"));
    check("pooling.GlobalAveragePooling3D.2", kt_global_average_pooling3d());
    check("pooling.GlobalMaxPooling1D.0", kt_global_max_pooling1d());
    check("pooling.GlobalMaxPooling1D.1", kt_global_max_pooling1d());
    check("pooling.GlobalMaxPooling1D.2", kt_global_max_pooling1d());
    check("pooling.GlobalMaxPooling2D.0", kt_global_max_pooling2d());
    check("pooling.GlobalMaxPooling2D.1", kt_global_max_pooling2d(.data_format = "channels_first"));
    check("pooling.GlobalMaxPooling2D.2", kt_global_max_pooling2d());
    check("pooling.GlobalMaxPooling3D.0", kt_global_max_pooling3d());
    check("pooling.GlobalMaxPooling3D.1", kt_global_max_pooling3d(.data_format = "channels_first"));
    check("pooling.GlobalMaxPooling3D.2", kt_global_max_pooling3d());
    check("pooling.MaxPooling1D.0", kt_max_pooling1d(.pool_size = 2));
    check("pooling.MaxPooling1D.1", kt_max_pooling1d(.pool_size = 2, .strides = 1));
    check("pooling.MaxPooling1D.2", kt_max_pooling1d(.pool_size = 2, .strides = 3));
    check("pooling.MaxPooling1D.3", kt_max_pooling1d(.pool_size = 2, .padding = "same"));
    check(
        "pooling.MaxPooling1D.4",
        kt_max_pooling1d(.pool_size = 2, .strides = 1, .padding = "same"));
    check(
        "pooling.MaxPooling1D.5",
        kt_max_pooling1d(.pool_size = 2, .strides = 3, .padding = "same"));
    check("pooling.MaxPooling1D.6", kt_max_pooling1d(.pool_size = 3));
    check(
        "pooling.MaxPooling1D.7",
        kt_max_pooling1d(.pool_size = 3, .strides = 1, .padding = "same"));
    check(
        "pooling.MaxPooling1D.8",
        kt_max_pooling1d(.pool_size = 3, .strides = 3, .padding = "same"));
    check("pooling.MaxPooling2D.0", kt_max_pooling2d(.pool_size = 2));
    check("pooling.MaxPooling2D.1", kt_max_pooling2d(.pool_size = 2, .strides = 1));
    check("pooling.MaxPooling2D.2", kt_max_pooling2d(.pool_size = 2, .strides = kt_hw(2, 1)));
    check("pooling.MaxPooling2D.3", kt_max_pooling2d(.pool_size = 3));
    check("pooling.MaxPooling2D.4", kt_max_pooling2d(.pool_size = 3, .strides = 3));
    check("pooling.MaxPooling2D.5", kt_max_pooling2d(.pool_size = 2, .padding = "same"));
    check(
        "pooling.MaxPooling2D.6",
        kt_max_pooling2d(.pool_size = 2, .strides = 1, .padding = "same"));
    check(
        "pooling.MaxPooling2D.7",
        kt_max_pooling2d(.pool_size = 2, .strides = kt_hw(2, 1), .padding = "same"));
    check("pooling.MaxPooling2D.8", kt_max_pooling2d(.pool_size = 3, .padding = "same"));
    check(
        "pooling.MaxPooling2D.9",
        kt_max_pooling2d(.pool_size = 3, .strides = 3, .padding = "same"));
    check(
        "pooling.MaxPooling2D.10",
        kt_max_pooling2d(.pool_size = 3, .strides = 2, .data_format = "channels_first"));
    check(
        "pooling.MaxPooling2D.11",
        kt_max_pooling2d(
                .pool_size = 3, .strides = 1, .padding = "same", .data_format = "channels_first"));
    check(
        "pooling.MaxPooling2D.12",
        kt_max_pooling2d(.pool_size = 2, .data_format = "channels_first"));
    check("pooling.MaxPooling3D.0", kt_max_pooling3d(.pool_size = 2));
    check("pooling.MaxPooling3D.1", kt_max_pooling3d(.pool_size = 2, .strides = 1));
    check("pooling.MaxPooling3D.2", kt_max_pooling3d(.pool_size = 2, .strides = kt_dhw(2, 1, 1)));
    check("pooling.MaxPooling3D.3", kt_max_pooling3d(.pool_size = 3));
    check("pooling.MaxPooling3D.4", kt_max_pooling3d(.pool_size = 3, .strides = 3));
    check("pooling.MaxPooling3D.5", kt_max_pooling3d(.pool_size = 2, .padding = "same"));
    check(
        "pooling.MaxPooling3D.6",
        kt_max_pooling3d(.pool_size = 2, .strides = 1, .padding = "same"));
    check(
        "pooling.MaxPooling3D.7",
        kt_max_pooling3d(.pool_size = 2, .strides = kt_dhw(1, 2, 1), .padding = "same"));
    check("pooling.MaxPooling3D.8", kt_max_pooling3d(.pool_size = 3, .padding = "same"));
    check(
        "pooling.MaxPooling3D.9",
        kt_max_pooling3d(.pool_size = 3, .strides = 3, .padding = "same"));
    check(
        "pooling.MaxPooling3D.10",
        kt_max_pooling3d(.pool_size = 3, .strides = 2, .data_format = "channels_first"));
    check(
        "pooling.MaxPooling3D.11",
        kt_max_pooling3d(
                .pool_size = 3, .strides = 1, .padding = "same", .data_format = "channels_first"));
    check(
        "pooling.MaxPooling3D.12",
        kt_max_pooling3d(.pool_size = 2, .data_format = "channels_first"));
}

KT_TEST(keras_js, core) {
    for (int i = 0; i < 2; i++) { /* the second three ran on another machine */
        static const char *const names[] = {
            "core.Dense.0",
            "core.Dense.1",
            "core.Dense.2",
            "core.Dense.3",
            "core.Dense.4",
            "core.Dense.5"};
        check(names[3 * i], kt_dense(2));
        check(names[3 * i + 1], kt_dense(2, .activation = "sigmoid"));
        check(names[3 * i + 2], kt_dense(2, .activation = "softplus", .use_bias = false));
    }
    check_behind("core.Dropout.0", kt_dense(2), kt_dropout(0.4));
    check_behind("noise.GaussianNoise.0", kt_dense(2), kt_gaussian_noise(0.1));
    check_behind("noise.GaussianDropout.0", kt_dense(2), kt_gaussian_dropout(0.4));
    check("core.Flatten.0", kt_flatten());
    check("core.Flatten.1", kt_flatten());
    check("core.Flatten.2", kt_flatten());
    check("core.Permute.0", kt_permute({2, 1}));
    check("core.Permute.1", kt_permute({3, 2, 1}));
    check("core.Permute.2", kt_permute({2, 1, 3}));
    check("core.Permute.3", kt_permute({3, 1, 2, 4}));
    check("core.RepeatVector.0", kt_repeat_vector(7));
    check("core.Reshape.0", kt_reshape({2, 3}));
    check("core.Reshape.1", kt_reshape({6}));
    check("core.Reshape.2", kt_reshape({4, 3}));
    check("embeddings.Embedding.0", kt_embedding(5, 3));
    check("embeddings.Embedding.1", kt_embedding(20, 5, .mask_zero = true));
    check("embeddings.Embedding.2", kt_embedding(33, 2));
}

KT_TEST(keras_js, merge) {
#define ALL(name, layer)                                                                           \
    check_merge("merge." name ".0", layer, 2, false);                                              \
    check_merge("merge." name ".1", layer, 3, false);                                              \
    check_merge("merge." name ".2", layer, 4, false)
    ALL("Add", kt_add());
    ALL("Average", kt_average());
    ALL("Maximum", kt_maximum());
    ALL("Minimum", kt_minimum());
    ALL("Multiply", kt_multiply());
    check_merge("merge.Subtract.0", kt_subtract(), 2, false);
    check_merge("merge.Concatenate.0", kt_concatenate(), 2, false);
    check_merge("merge.Concatenate.1", kt_concatenate(-1), 2, true);
    check_merge("merge.Concatenate.2", kt_concatenate(-2), 2, true);
    check_merge("merge.Concatenate.3", kt_concatenate(1), 2, true);
    check_merge("merge.Concatenate.4", kt_concatenate(2), 2, true);
    check_merge("merge.Concatenate.5", kt_concatenate(-1), 3, true);
    check_merge("merge.Concatenate.6", kt_concatenate(-1), 4, true);
    check_merge("merge.Dot.0", kt_dot(1), 2, true);
    check_merge("merge.Dot.1", kt_dot(2), 2, true);
    check_merge("merge.Dot.2", kt_dot(1, .normalize = true), 2, true);
    check_merge("merge.Dot.3", kt_dot(2, .normalize = true), 2, true);
    check_merge("merge.Dot.4", kt_dot(kt_axes(2, 2), .normalize = true), 2, true);
}

KT_TEST(keras_js, normalization) {
    check("normalization.BatchNormalization.0", kt_batch_normalization(.epsilon = 1e-5));
    check("normalization.BatchNormalization.1", kt_batch_normalization(.epsilon = 1e-2));
    check("normalization.BatchNormalization.2", kt_batch_normalization(1, .epsilon = 1e-5));
    check("normalization.BatchNormalization.3", kt_batch_normalization(2, .epsilon = 1e-5));
    check(
        "normalization.BatchNormalization.4",
        kt_batch_normalization(3, .epsilon = 1e-5, .scale = false));
    check(
        "normalization.BatchNormalization.5",
        kt_batch_normalization(.epsilon = 1e-5, .center = false));
    check(
        "normalization.BatchNormalization.6",
        kt_batch_normalization(.epsilon = 1e-3, .center = false, .scale = false));
}

KT_TEST(keras_js, recurrent) {
    check("recurrent.GRU.0", kt_gru(4, .recurrent_activation = OLD_SIGMOID, .reset_after = false));
    check(
        "recurrent.GRU.1",
        kt_gru(
            5, .activation = "sigmoid", .recurrent_activation = "sigmoid", .reset_after = false));
    check(
        "recurrent.GRU.2",
        kt_gru(
            4,
            .recurrent_activation = OLD_SIGMOID,
            .return_sequences = true,
            .reset_after = false));
    check(
        "recurrent.GRU.3",
        kt_gru(4, .recurrent_activation = OLD_SIGMOID, .go_backwards = true, .reset_after = false));
    check(
        "recurrent.GRU.4",
        kt_gru(
            4,
            .recurrent_activation = OLD_SIGMOID,
            .return_sequences = true,
            .go_backwards = true,
            .reset_after = false));
    check_twice(
        "recurrent.GRU.5",
        kt_gru(4, .recurrent_activation = OLD_SIGMOID, .stateful = true, .reset_after = false));
    check_twice(
        "recurrent.GRU.6",
        kt_gru(
            4,
            .recurrent_activation = OLD_SIGMOID,
            .return_sequences = true,
            .stateful = true,
            .reset_after = false));
    check_twice(
        "recurrent.GRU.7",
        kt_gru(
            4,
            .recurrent_activation = OLD_SIGMOID,
            .go_backwards = true,
            .stateful = true,
            .reset_after = false));
    check_twice(
        "recurrent.GRU.8",
        kt_gru(
            4,
            .recurrent_activation = OLD_SIGMOID,
            .use_bias = false,
            .return_sequences = true,
            .go_backwards = true,
            .stateful = true,
            .reset_after = false));
    check("recurrent.LSTM.0", kt_lstm(4, .recurrent_activation = OLD_SIGMOID));
    check(
        "recurrent.LSTM.1", kt_lstm(5, .activation = "sigmoid", .recurrent_activation = "sigmoid"));
    check(
        "recurrent.LSTM.2",
        kt_lstm(4, .recurrent_activation = OLD_SIGMOID, .return_sequences = true));
    check(
        "recurrent.LSTM.3", kt_lstm(4, .recurrent_activation = OLD_SIGMOID, .go_backwards = true));
    check(
        "recurrent.LSTM.4",
        kt_lstm(
            4,
            .recurrent_activation = OLD_SIGMOID,
            .return_sequences = true,
            .go_backwards = true));
    check_twice(
        "recurrent.LSTM.5", kt_lstm(4, .recurrent_activation = OLD_SIGMOID, .stateful = true));
    check_twice(
        "recurrent.LSTM.6",
        kt_lstm(
            4, .recurrent_activation = OLD_SIGMOID, .return_sequences = true, .stateful = true));
    check_twice(
        "recurrent.LSTM.7",
        kt_lstm(4, .recurrent_activation = OLD_SIGMOID, .go_backwards = true, .stateful = true));
    check_twice(
        "recurrent.LSTM.8",
        kt_lstm(
            4,
            .recurrent_activation = OLD_SIGMOID,
            .return_sequences = true,
            .go_backwards = true,
            .stateful = true));
    check("recurrent.SimpleRNN.0", kt_simple_rnn(4));
    check("recurrent.SimpleRNN.1", kt_simple_rnn(5, .activation = "sigmoid"));
    check("recurrent.SimpleRNN.2", kt_simple_rnn(4, .return_sequences = true));
    check("recurrent.SimpleRNN.3", kt_simple_rnn(4, .go_backwards = true));
    check(
        "recurrent.SimpleRNN.4", kt_simple_rnn(4, .return_sequences = true, .go_backwards = true));
    check_twice("recurrent.SimpleRNN.5", kt_simple_rnn(4, .stateful = true));
    check_twice(
        "recurrent.SimpleRNN.6", kt_simple_rnn(4, .return_sequences = true, .stateful = true));
    check_twice("recurrent.SimpleRNN.7", kt_simple_rnn(4, .go_backwards = true, .stateful = true));
    check_twice(
        "recurrent.SimpleRNN.8",
        kt_simple_rnn(
            4,
            .use_bias = false,
            .return_sequences = true,
            .go_backwards = true,
            .stateful = true));
}

KT_TEST(keras_js, wrappers) {
    static const char *const modes[] = {"sum", "mul", "concat", "ave"};
    char name[40];
    for (int i = 0; i < 4; i++) {
        snprintf(name, sizeof name, "wrappers.Bidirectional.%d", i);
        check(name, kt_bidirectional(kt_simple_rnn(4), modes[i]));
    }
    check(
        "wrappers.Bidirectional.4",
        kt_bidirectional(kt_simple_rnn(4, .return_sequences = true), "concat"));
    check(
        "wrappers.Bidirectional.5",
        kt_bidirectional(kt_gru(
            4,
            .recurrent_activation = OLD_SIGMOID,
            .return_sequences = true,
            .reset_after = false)));
    check(
        "wrappers.Bidirectional.6",
        kt_bidirectional(
            kt_lstm(4, .recurrent_activation = OLD_SIGMOID, .return_sequences = true)));
    check(
        "wrappers.Bidirectional.7",
        kt_bidirectional(kt_simple_rnn(4, .return_sequences = true), "sum"));
    check("wrappers.TimeDistributed.0", kt_time_distributed(kt_dense(4)));
    check("wrappers.TimeDistributed.1", kt_time_distributed(kt_conv2d(6, 3)));
}

static bool was_seen(const char *name) {
    for (int i = 0; i < n_seen; i++)
        if (!strcmp(seen[i], name)) return true;
    return false;
}

KT_TEST(keras_js, zz_every_case_has_a_line) { /* the last test */
    int n = 0;
    unsigned char *list;
    size_t size;
    kt_json_free(fixtures);
    fixtures = NULL;
    if (absent || !n_seen) return;
    kt_check_status(kt_fs_load(&list, &size, FOLDER "/CASES.tsv", 1 << 20), KT_OK);
    for (char *line = strtok((char *)list, "\n"); line; line = strtok(NULL, "\n")) {
        line[strcspn(line, "\t")] = 0;
        if (!strcmp(line, "case")) continue;
        n++;
        if (was_seen(line)) continue;
        print_error("%s has no line\n", line);
        fail();
    }
    print_message(
        "keras-js: %d of %d cases, largest error %.2f of the tolerance\n", n_seen, n, worst);
    kt_mem_free(list);
}
