/* Layers that the networks of keras.applications bring along: see layers.h. Keras exports none of
 * them, but files of ConvNeXt and InceptionResNetV2 are made of them. */
#ifndef KERATIN_LAYERS_APPLICATIONS_H
#define KERATIN_LAYERS_APPLICATIONS_H

#include <keratin/layers/base.h>

#ifdef __cplusplus
extern "C" {
#endif

/** x times a trained number for each channel. Keras: LayerScale of keras.applications.convnext;
 * Touvron and others, Going deeper with image transformers, 2021.
 *
 * Errors: projection_dim that is neither 1 nor the length of the last axis.
 *
 *     kt_layer_scale(1e-6, 96)
 */
typedef struct kt_layer_scale_args {
    size_t size;
    double init_values;     ///< what each number starts with
    int64_t projection_dim; ///< how many: the channels of the input
    KT_LAYER_ARGS
} kt_layer_scale_args;
#define KT_LAYER_SCALE_DEFAULTS KT_LAYER_DEFAULTS
#define kt_layer_scale(...)                                                                        \
    KT_CALL(kt_layer_scale_new, kt_layer_scale_args, KT_LAYER_SCALE_DEFAULTS, __VA_ARGS__)
KT_API kt_layer *kt_layer_scale_new(const kt_layer_scale_args *args);

/** While training, samples are zero with this probability, the others grow by 1 / (1 - rate).
 *
 * Keras: StochasticDepth of keras.applications.convnext; Huang and others, Deep networks with
 * stochastic depth, 2016.
 *
 *     kt_stochastic_depth(0.1)
 */
typedef struct kt_stochastic_depth_args {
    size_t size;
    double drop_path_rate; ///< 0 <= drop_path_rate <= 1
    KT_LAYER_ARGS
} kt_stochastic_depth_args;
#define KT_STOCHASTIC_DEPTH_DEFAULTS KT_LAYER_DEFAULTS
#define kt_stochastic_depth(...)                                                                   \
    KT_CALL(                                                                                       \
        kt_stochastic_depth_new,                                                                   \
        kt_stochastic_depth_args,                                                                  \
        KT_STOCHASTIC_DEPTH_DEFAULTS,                                                              \
        __VA_ARGS__)
KT_API kt_layer *kt_stochastic_depth_new(const kt_stochastic_depth_args *args);

/** The first of two inputs plus scale times the second.
 *
 * Keras: CustomScaleLayer of keras.applications.inception_resnet_v2.
 *
 *     kt_sym *y = kt_call(kt_custom_scale_layer(0.17), kt_list(a, b));
 */
typedef struct kt_custom_scale_layer_args {
    size_t size;
    double scale;
    KT_LAYER_ARGS
} kt_custom_scale_layer_args;
#define KT_CUSTOM_SCALE_LAYER_DEFAULTS KT_LAYER_DEFAULTS
#define kt_custom_scale_layer(...)                                                                 \
    KT_CALL(                                                                                       \
        kt_custom_scale_layer_new,                                                                 \
        kt_custom_scale_layer_args,                                                                \
        KT_CUSTOM_SCALE_LAYER_DEFAULTS,                                                            \
        __VA_ARGS__)
KT_API kt_layer *kt_custom_scale_layer_new(const kt_custom_scale_layer_args *args);

#ifdef __cplusplus
}
#endif

#endif
