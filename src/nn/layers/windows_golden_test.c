/* Convolutions, pools, padding, cropping and up-sampling against real Keras, values and gradients
 * (tests/golden/windows.npz). A case of the file that has no row here fails the last test. */
#include "io/npz.h"
#include "testing/kt_layers.h"

#include <stdio.h>
#include <string.h>

#define FIRST .data_format = "channels_first"
#define PAD2 kt_pairs(1, 0, 2, 3)
#define PAD3 kt_pairs(1, 0, 0, 2, 3, 1)

#define CONV_OF(X, name, new)                                                                      \
    X(name, new (4, 3))                                                                            \
    X(name "_same", new (4, 3, .padding = "same", .activation = "relu"))                           \
    X(name "_even_same_strides", new (3, 2, 3, "same"))                                            \
    X(name "_strides", new (4, 3, 2, .use_bias = false))                                           \
    X(name "_dilation", new (2, 2, .dilation_rate = 2, .padding = "same"))                         \
    X(name "_size_1", new (5, 1))                                                                  \
    X(name "_stride_beyond", new (2, 2, 20))                                                       \
    X(name "_dilation_beyond", new (2, 3, .dilation_rate = 11, .padding = "same"))

#define CONVS(X)                                                                                   \
    CONV_OF(X, "conv1d", kt_conv1d)                                                                \
    CONV_OF(X, "conv3d", kt_conv3d)                                                                \
    X("conv1d_channels_first", kt_conv1d(3, 3, FIRST))                                             \
    X("conv1d_channels_first_causal",                                                              \
      kt_conv1d(3, 3, .padding = "causal", .activation = "sigmoid", FIRST))                        \
    X("conv1d_causal", kt_conv1d(4, 3, .padding = "causal"))                                       \
    X("conv1d_causal_dilation", kt_conv1d(4, 3, .padding = "causal", .dilation_rate = 4))          \
    X("conv1d_causal_strides", kt_conv1d(4, 4, 2, "causal"))                                       \
    X("conv1d_groups", kt_conv1d(6, 3, .groups = 3))                                               \
    X("conv1d_one_step", kt_conv1d(3, 5, .padding = "same"))                                       \
    X("conv3d_channels_first", kt_conv3d(3, 2, 2, "same", "channels_first"))                       \
    X("conv3d_groups", kt_conv3d(4, 2, .groups = 2))                                               \
    X("conv3d_mixed", kt_conv3d(3, kt_dhw(1, 3, 2), kt_dhw(2, 1, 2), "same"))                      \
    X("conv3d_depth_only", kt_conv3d(3, kt_dhw(3, 1, 1)))

#define TRANSPOSE_OF(X, name, new)                                                                 \
    X(name, new (3, 3))                                                                            \
    X(name "_same", new (3, 3, .padding = "same"))                                                 \
    X(name "_strides", new (3, 3, 2, .activation = "tanh"))                                        \
    X(name "_strides_same", new (3, 3, 2, "same"))                                                 \
    X(name "_wide_stride", new (2, 2, 3))                                                          \
    X(name "_wide_stride_same", new (2, 2, 3, "same"))                                             \
    X(name "_output_padding", new (3, 3, 2, .output_padding = 1))                                  \
    X(name "_output_padding_same", new (3, 3, 2, "same", .output_padding = 1))                     \
    X(name "_output_padding_0_same", new (2, 3, 3, "same", .output_padding = 0, .use_bias = false))

#define TRANSPOSES(X)                                                                              \
    TRANSPOSE_OF(X, "conv1d_transpose", kt_conv1d_transpose)                                       \
    TRANSPOSE_OF(X, "conv2d_transpose", kt_conv2d_transpose)                                       \
    TRANSPOSE_OF(X, "conv3d_transpose", kt_conv3d_transpose)                                       \
    X("conv1d_transpose_channels_first", kt_conv1d_transpose(3, 3, 2, FIRST))                      \
    X("conv2d_transpose_channels_first", kt_conv2d_transpose(3, 3, 2, "same", FIRST))              \
    X("conv3d_transpose_channels_first", kt_conv3d_transpose(3, 3, 2, "valid", "channels_first"))  \
    X("conv2d_transpose_dilation", kt_conv2d_transpose(3, 3, .dilation_rate = 2))                  \
    X("conv2d_transpose_dilation_same",                                                            \
      kt_conv2d_transpose(3, 3, .dilation_rate = kt_hw(2, 3), .padding = "same"))                  \
    X("conv3d_transpose_dilation", kt_conv3d_transpose(3, 3, .dilation_rate = 2))                  \
    X("conv2d_transpose_even_same_0", kt_conv2d_transpose(2, 4, 2, "same", 0))                     \
    X("conv2d_transpose_even_same_1", kt_conv2d_transpose(2, 4, 2, "same", 1))                     \
    X("conv2d_transpose_kernel_4_same", kt_conv2d_transpose(2, 4, 2, "same"))

#define SEPARABLES(X)                                                                              \
    X("depthwise_conv1d", kt_depthwise_conv1d(3))                                                  \
    X("depthwise_conv1d_multiplier", kt_depthwise_conv1d(3, 2, "same", 2))                         \
    X("depthwise_conv1d_dilation", kt_depthwise_conv1d(3, .dilation_rate = 2, .padding = "same"))  \
    X("depthwise_conv1d_channels_first", kt_depthwise_conv1d(3, .depth_multiplier = 2, FIRST))     \
    X("depthwise_conv2d", kt_depthwise_conv2d(3))                                                  \
    X("depthwise_conv2d_same",                                                                     \
      kt_depthwise_conv2d(kt_hw(2, 3), .padding = "same", .activation = "relu"))                   \
    X("depthwise_conv2d_multiplier", kt_depthwise_conv2d(3, 2, "same", 3))                         \
    X("depthwise_conv2d_dilation", kt_depthwise_conv2d(3, .dilation_rate = 2))                     \
    X("depthwise_conv2d_dilation_strides", kt_depthwise_conv2d(3, 2, "same", .dilation_rate = 2))  \
    X("depthwise_conv2d_strides_3x2", kt_depthwise_conv2d(3, kt_hw(3, 2)))                         \
    X("depthwise_conv2d_no_bias", kt_depthwise_conv2d(3, .use_bias = false))                       \
    X("depthwise_conv2d_channels_first", kt_depthwise_conv2d(3, 2, "same", FIRST))                 \
    X("separable_conv1d", kt_separable_conv1d(4, 3))                                               \
    X("separable_conv1d_same", kt_separable_conv1d(4, 3, 2, "same", .depth_multiplier = 2))        \
    X("separable_conv1d_channels_first", kt_separable_conv1d(4, 3, FIRST))                         \
    X("separable_conv2d", kt_separable_conv2d(4, 3))                                               \
    X("separable_conv2d_same",                                                                     \
      kt_separable_conv2d(4, 3, 2, "same", .depth_multiplier = 2, .activation = "relu"))           \
    X("separable_conv2d_dilation",                                                                 \
      kt_separable_conv2d(4, 3, .dilation_rate = 2, .use_bias = false))                            \
    X("separable_conv2d_channels_first", kt_separable_conv2d(4, 3, .padding = "same", FIRST))

#define POOL_OF(X, name, kind, rank)                                                               \
    X(name, kt_##kind##_pooling##rank(2))                                                          \
    X(name "_same", kt_##kind##_pooling##rank(2, .padding = "same"))                               \
    X(name "_3_2", kt_##kind##_pooling##rank(3, 2))                                                \
    X(name "_3_2_same", kt_##kind##_pooling##rank(3, 2, "same"))                                   \
    X(name "_overlap", kt_##kind##_pooling##rank(3, 1, "same"))                                    \
    X(name "_gap_same", kt_##kind##_pooling##rank(2, 3, "same"))                                   \
    X(name "_stride_beyond", kt_##kind##_pooling##rank(2, 9))                                      \
    X(name "_window_beyond_same", kt_##kind##_pooling##rank(9, 4, "same"))                         \
    X("global_" name, kt_global_##kind##_pooling##rank())                                          \
    X("global_" name "_keepdims", kt_global_##kind##_pooling##rank(.keepdims = true))

#define POOLS(X)                                                                                   \
    POOL_OF(X, "max_pooling1d", max, 1d)                                                           \
    POOL_OF(X, "max_pooling2d", max, 2d)                                                           \
    POOL_OF(X, "max_pooling3d", max, 3d)                                                           \
    POOL_OF(X, "average_pooling1d", average, 1d)                                                   \
    POOL_OF(X, "average_pooling2d", average, 2d)                                                   \
    POOL_OF(X, "average_pooling3d", average, 3d)                                                   \
    X("max_pooling3d_mixed", kt_max_pooling3d(kt_dhw(3, 1, 2), kt_dhw(1, 2, 1), "same"))           \
    X("average_pooling3d_mixed", kt_average_pooling3d(kt_dhw(3, 1, 2), kt_dhw(1, 2, 1), "same"))   \
    X("max_pooling1d_channels_first", kt_max_pooling1d(3, 2, FIRST))                               \
    X("average_pooling3d_channels_first", kt_average_pooling3d(2, .padding = "same", FIRST))       \
    X("global_max_pooling2d_channels_first", kt_global_max_pooling2d("channels_first"))            \
    X("global_average_pooling3d_channels_first",                                                   \
      kt_global_average_pooling3d("channels_first", true))                                         \
    X("global_average_pooling1d_mask", kt_global_average_pooling1d())                              \
    X("global_average_pooling1d_mask_keepdims", kt_global_average_pooling1d(.keepdims = true))

#define ADAPTIVE_OF(X, kind)                                                                       \
    X("adaptive_" #kind "_pooling1d", kt_adaptive_##kind##_pooling1d(2))                           \
    X("adaptive_" #kind "_pooling1d_3", kt_adaptive_##kind##_pooling1d(3))                         \
    X("adaptive_" #kind "_pooling2d", kt_adaptive_##kind##_pooling2d(2))                           \
    X("adaptive_" #kind "_pooling2d_3", kt_adaptive_##kind##_pooling2d(3))                         \
    X("adaptive_" #kind "_pooling3d", kt_adaptive_##kind##_pooling3d(2))                           \
    X("adaptive_" #kind "_pooling3d_3", kt_adaptive_##kind##_pooling3d(3))                         \
    X("adaptive_" #kind "_pooling2d_5x6", kt_adaptive_##kind##_pooling2d(kt_hw(5, 6)))             \
    X("adaptive_" #kind "_pooling2d_channels_first",                                               \
      kt_adaptive_##kind##_pooling2d(kt_hw(1, 4), FIRST))
#define ADAPTIVE(X) ADAPTIVE_OF(X, average) ADAPTIVE_OF(X, max)

#define FORMS(X)                                                                                   \
    X("zero_padding1d", kt_zero_padding1d())                                                       \
    X("zero_padding1d_pair", kt_zero_padding1d(kt_pairs(2, 0)))                                    \
    X("zero_padding2d", kt_zero_padding2d())                                                       \
    X("zero_padding2d_each", kt_zero_padding2d(kt_hw(1, 2)))                                       \
    X("zero_padding2d_pairs", kt_zero_padding2d(PAD2))                                             \
    X("zero_padding2d_channels_first", kt_zero_padding2d(PAD2, "channels_first"))                  \
    X("zero_padding3d", kt_zero_padding3d())                                                       \
    X("zero_padding3d_each", kt_zero_padding3d(kt_dhw(0, 1, 2)))                                   \
    X("zero_padding3d_pairs", kt_zero_padding3d(PAD3))                                             \
    X("cropping1d", kt_cropping1d())                                                               \
    X("cropping1d_pair", kt_cropping1d(kt_pairs(2, 0)))                                            \
    X("cropping2d", kt_cropping2d())                                                               \
    X("cropping2d_each", kt_cropping2d(kt_hw(1, 2)))                                               \
    X("cropping2d_pairs", kt_cropping2d(kt_pairs(1, 0, 0, 3)))                                     \
    X("cropping2d_channels_first", kt_cropping2d(kt_pairs(1, 0, 2, 1), FIRST))                     \
    X("cropping3d", kt_cropping3d())                                                               \
    X("cropping3d_pairs", kt_cropping3d(PAD3))                                                     \
    X("up_sampling1d", kt_up_sampling1d())                                                         \
    X("up_sampling1d_3", kt_up_sampling1d(3))                                                      \
    X("up_sampling2d", kt_up_sampling2d())                                                         \
    X("up_sampling2d_1x3", kt_up_sampling2d(kt_hw(1, 3)))                                          \
    X("up_sampling2d_channels_first", kt_up_sampling2d(kt_hw(2, 3), FIRST))                        \
    X("up_sampling3d", kt_up_sampling3d())                                                         \
    X("up_sampling3d_mixed", kt_up_sampling3d(kt_dhw(1, 2, 3)))                                    \
    X("up_sampling3d_channels_first", kt_up_sampling3d(.data_format = "channels_first"))           \
    RESIZE_OF(X, "bilinear")                                                                       \
    RESIZE_OF(X, "bicubic")                                                                        \
    RESIZE_OF(X, "lanczos3")                                                                       \
    RESIZE_OF(X, "lanczos5")                                                                       \
    X("up_sampling2d_bilinear_channels_first", kt_up_sampling2d(2, "channels_first", "bilinear"))  \
    X("up_sampling2d_bilinear_one_row", kt_up_sampling2d(.interpolation = "bilinear"))             \
    X("up_sampling2d_lanczos5_one_cell", kt_up_sampling2d(.interpolation = "lanczos5"))

#define RESIZE_OF(X, kind)                                                                         \
    X("up_sampling2d_" kind, kt_up_sampling2d(.interpolation = kind))                              \
    X("up_sampling2d_" kind "_3x4", kt_up_sampling2d(kt_hw(3, 4), .interpolation = kind))

#define CHECK(case_, layer) kt_check_golden("windows", case_, layer);
#define GROUP(name, LIST)                                                                          \
    KT_TEST(windows_golden, name) {                                                                \
        LIST(CHECK)                                                                                \
        print_message("largest error: %.2f of the tolerance\n", kt_golden_worst());                \
    }
GROUP(convolutions, CONVS)
GROUP(transposed_convolutions, TRANSPOSES)
GROUP(depthwise_and_separable_convolutions, SEPARABLES)
GROUP(pools, POOLS)
GROUP(adaptive_pools, ADAPTIVE)
GROUP(forms, FORMS)

#define NAME(case_, layer) case_,
static const char *const names[] = {CONVS(NAME) TRANSPOSES(NAME) SEPARABLES(NAME) POOLS(NAME)
                                        ADAPTIVE(NAME) FORMS(NAME) NULL};

KT_TEST(windows_golden, every_case_has_a_row) {
    char name[96];
    kt_npz *z;
    kt_check_status(kt_npz_open(&z, "tests/golden/windows.npz"), KT_OK);
    for (int i = 0; i < kt_npz_count(z); i++) {
        const char *key = kt_npz_name(z, i), *part = strstr(key, "/x0");
        int at = 0;
        if (!part) continue;
        snprintf(name, sizeof name, "%.*s", (int)(part - key), key);
        while (names[at] && strcmp(names[at], name) != 0) at++;
        if (names[at]) continue;
        print_error("windows.npz: case \"%s\" has no row\n", name);
        fail();
    }
    kt_npz_close(z);
}
