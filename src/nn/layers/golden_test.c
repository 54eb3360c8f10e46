/* Every layer against real Keras: values (tests/golden/layers_slice.npz) and gradients
 * (layers_more.npz). A case of the files that has no row here fails the last test. */
#include "io/npz.h"
#include "testing/kt_layers.h"

#include <stdio.h>
#include <string.h>

/* X(case, layer) for calls in inference mode, T(case, layer) for calls with training=True. */
#define SLICE(X, T)                                                                                \
    X("dense_3x4", kt_dense(5))                                                                    \
    X("dense_relu_3x4", kt_dense(5, .activation = "relu"))                                         \
    X("dense_no_bias", kt_dense(5, .use_bias = false))                                             \
    X("dense_3d", kt_dense(6, .activation = "relu"))                                               \
    X("dense_4d", kt_dense(2))                                                                     \
    X("dense_softmax", kt_dense(7, .activation = "softmax"))                                       \
    X("dense_softmax_3d", kt_dense(3, .activation = "softmax"))                                    \
    X("dense_softmax_huge", kt_dense(7, .activation = "softmax"))                                  \
    X("dense_tanh", kt_dense(9, .activation = "tanh"))                                             \
    X("dense_sigmoid", kt_dense(1, .activation = "sigmoid"))                                       \
    X("dense_batch_of_one", kt_dense(17))                                                          \
    X("dense_wide", kt_dense(67, .activation = "relu"))                                            \
    X("flatten_2d", kt_flatten())                                                                  \
    X("flatten_3d", kt_flatten())                                                                  \
    X("flatten_4d", kt_flatten())                                                                  \
    X("flatten_vector", kt_flatten())                                                              \
    X("flatten_channels_first", kt_flatten("channels_first"))                                      \
    X("activation_relu", kt_activation("relu"))                                                    \
    X("activation_tanh", kt_activation("tanh"))                                                    \
    X("activation_sigmoid", kt_activation("sigmoid"))                                              \
    X("activation_softmax", kt_activation("softmax"))                                              \
    X("activation_elu", kt_activation("elu"))                                                      \
    X("activation_selu", kt_activation("selu"))                                                    \
    X("activation_gelu", kt_activation("gelu"))                                                    \
    X("activation_silu", kt_activation("silu"))                                                    \
    X("activation_softplus", kt_activation("softplus"))                                            \
    X("activation_exponential", kt_activation("exponential"))                                      \
    X("activation_linear", kt_activation("linear"))                                                \
    X("relu", kt_relu())                                                                           \
    X("relu_max_value", kt_relu(6))                                                                \
    X("relu_negative_slope", kt_relu(.negative_slope = 0.1))                                       \
    X("relu_threshold", kt_relu(.threshold = 1))                                                   \
    X("relu_all", kt_relu(5, 0.2, 0.5))                                                            \
    X("relu_max_value_zero", kt_relu(0, 0.3))                                                      \
    X("softmax", kt_softmax())                                                                     \
    X("softmax_axis_1", kt_softmax(1))                                                             \
    X("softmax_axis_0", kt_softmax(0))                                                             \
    X("softmax_huge", kt_softmax())                                                                \
    X("softmax_axis_1_2", kt_softmax(kt_axes(1, 2)))                                               \
    X("softmax_mask", kt_softmax())                                                                \
    X("dropout_inference", kt_dropout(0.5))                                                        \
    X("dropout_default", kt_dropout(0.9))                                                          \
    T("dropout_rate_zero", kt_dropout(0))                                                          \
    X("rescaling", kt_rescaling(1.0 / 255))                                                        \
    X("rescaling_offset", kt_rescaling(1 / 127.5, -1))                                             \
    X("rescaling_per_channel",                                                                     \
      kt_rescaling(.scales = kt_floats(0.5, 2), .offsets = kt_floats(1, -1)))                      \
    X("rescaling_float", kt_rescaling(0.5, 2))                                                     \
    X("add_2", kt_add())                                                                           \
    X("add_3", kt_add())                                                                           \
    X("add_broadcast", kt_add())                                                                   \
    X("add_ranks", kt_add())                                                                       \
    X("concatenate", kt_concatenate())                                                             \
    X("concatenate_axis_1", kt_concatenate(1))                                                     \
    X("concatenate_axis_0", kt_concatenate(0))                                                     \
    X("concatenate_axis_minus_2", kt_concatenate(-2))                                              \
    X("multiply_2", kt_multiply())                                                                 \
    X("multiply_3", kt_multiply())                                                                 \
    X("average_2", kt_average())                                                                   \
    X("average_3", kt_average())                                                                   \
    X("maximum_2", kt_maximum())                                                                   \
    X("maximum_3", kt_maximum())                                                                   \
    X("minimum_2", kt_minimum())                                                                   \
    X("minimum_3", kt_minimum())                                                                   \
    X("subtract", kt_subtract())

#define MORE(X, T)                                                                                 \
    X("dense", kt_dense(4))                                                                        \
    X("dense_relu", kt_dense(4, .activation = "relu"))                                             \
    X("dense_softmax", kt_dense(4, .activation = "softmax"))                                       \
    X("dense_sigmoid", kt_dense(4, .activation = "sigmoid"))                                       \
    X("dense_tanh_3d", kt_dense(4, .activation = "tanh"))                                          \
    X("dense_no_bias", kt_dense(4, .use_bias = false))                                             \
    X("conv2d", kt_conv2d(4, 3))                                                                   \
    X("conv2d_relu", kt_conv2d(4, 3, .activation = "relu"))                                        \
    X("conv2d_no_bias", kt_conv2d(4, 3, .use_bias = false))                                        \
    X("conv2d_same", kt_conv2d(4, 3, .padding = "same"))                                           \
    X("conv2d_strides", kt_conv2d(4, 3, 2))                                                        \
    X("conv2d_same_strides", kt_conv2d(4, 3, 2, "same"))                                           \
    X("conv2d_same_strides_3x2", kt_conv2d(4, 3, kt_hw(3, 2), "same"))                             \
    X("conv2d_even_kernel_same", kt_conv2d(2, kt_hw(2, 4), .padding = "same"))                     \
    X("conv2d_dilation", kt_conv2d(4, 3, .dilation_rate = 2))                                      \
    X("conv2d_dilation_same", kt_conv2d(4, 3, .dilation_rate = kt_hw(2, 3), .padding = "same"))    \
    X("conv2d_1x1", kt_conv2d(5, 1))                                                               \
    X("conv2d_1x1_strides", kt_conv2d(5, 1, 2))                                                    \
    X("conv2d_5x1", kt_conv2d(2, kt_hw(5, 1)))                                                     \
    X("conv2d_groups", kt_conv2d(6, 3, .groups = 3))                                               \
    X("conv2d_groups_same", kt_conv2d(4, 3, 2, "same", .groups = 2))                               \
    X("conv2d_depthwise", kt_conv2d(3, 3, .groups = 3))                                            \
    X("conv2d_whole_image", kt_conv2d(3, kt_hw(7, 6)))                                             \
    X("conv2d_one_channel", kt_conv2d(8, 3))                                                       \
    X("conv2d_wide", kt_conv2d(17, 3, .padding = "same"))                                          \
    X("conv2d_channels_first", kt_conv2d(3, 3, .data_format = "channels_first"))                   \
    X("conv2d_channels_first_same",                                                                \
      kt_conv2d(3, 3, 2, "same", "channels_first", .activation = "relu"))                          \
    X("conv2d_channels_first_groups",                                                              \
      kt_conv2d(4, kt_hw(2, 3), .groups = 2, .data_format = "channels_first"))                     \
    X("max_pooling2d", kt_max_pooling2d())                                                         \
    X("max_pooling2d_same", kt_max_pooling2d(.padding = "same"))                                   \
    X("max_pooling2d_3_2", kt_max_pooling2d(3, 2))                                                 \
    X("max_pooling2d_3_2_same", kt_max_pooling2d(3, 2, "same"))                                    \
    X("max_pooling2d_overlap", kt_max_pooling2d(kt_hw(3, 2), 1))                                   \
    X("max_pooling2d_gap", kt_max_pooling2d(2, 3))                                                 \
    X("max_pooling2d_negative", kt_max_pooling2d(3, 1, "same"))                                    \
    X("max_pooling2d_ties", kt_max_pooling2d())                                                    \
    X("max_pooling2d_channels_first",                                                              \
      kt_max_pooling2d(.padding = "same", .data_format = "channels_first"))                        \
    X("max_pooling2d_channels_first_3x2",                                                          \
      kt_max_pooling2d(kt_hw(3, 2), kt_hw(2, 1), .data_format = "channels_first"))                 \
    X("reshape", kt_reshape({6, 7, 3}))                                                            \
    X("reshape_minus_1", kt_reshape({-1, 9}))                                                      \
    X("reshape_flat", kt_reshape({-1}))

/* Cases whose layer or option is not there yet: a beginning of their names. */
static const char *const missing_slice[] = {NULL};
static const char *const missing_more[] = {
    "batch_normalization", /* three calls in a row: batch_normalization_test.c */
    NULL};

#define NAME(case_, layer) case_,
static const char *const names_slice[] = {SLICE(NAME, NAME) NULL};
static const char *const names_more[] = {MORE(NAME, NAME) NULL};
#undef NAME

static void check_slice(void) {
#define X(case_, layer) kt_check_golden("layers_slice", case_, layer);
#define T(case_, layer) kt_check_golden("layers_slice", case_, layer, true);
    SLICE(X, T)
#undef X
#undef T
}

static void check_more(void) {
#define X(case_, layer) kt_check_golden("layers_more", case_, layer);
#define T(case_, layer) kt_check_golden("layers_more", case_, layer, true);
    MORE(X, T)
#undef X
#undef T
}

KT_TEST(layers_golden, values_are_those_of_keras) {
    check_slice();
    print_message("largest error: %.2f of the tolerance\n", kt_golden_worst());
}

KT_TEST(layers_golden, gradients_are_those_of_keras) {
    check_more();
    print_message("largest error: %.2f of the tolerance\n", kt_golden_worst());
}

static bool is_listed(const char *const *list, const char *name, bool begins) {
    for (int i = 0; list[i]; i++)
        if (begins ? !strncmp(name, list[i], strlen(list[i])) : !strcmp(name, list[i])) return true;
    return false;
}

/* Every CASE/config of the file has a row, or is said to be missing. */
static void check_complete(const char *file, const char *const *names, const char *const *missing) {
    char path[96], name[96];
    kt_npz *z;
    int n = 0, done = 0;
    snprintf(path, sizeof path, "tests/golden/%s.npz", file);
    kt_check_status(kt_npz_open(&z, path), KT_OK);
    for (int i = 0; i < kt_npz_count(z); i++) {
        const char *key = kt_npz_name(z, i), *part = strstr(key, "/config");
        if (!part || part[7]) continue;
        snprintf(name, sizeof name, "%.*s", (int)(part - key), key);
        n++;
        if (is_listed(names, name, false)) done++;
        if (is_listed(names, name, false) || is_listed(missing, name, true)) continue;
        print_error("%s.npz: case \"%s\" has no row\n", file, name);
        fail();
    }
    print_message("%s: %d of %d cases\n", file, done, n);
    kt_npz_close(z);
}

KT_TEST(layers_golden, every_case_has_a_row) {
    check_complete("layers_slice", names_slice, missing_slice);
    check_complete("layers_more", names_more, missing_more);
}
