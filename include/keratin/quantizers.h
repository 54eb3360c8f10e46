/* Computing with small integers after training. Keras: keras.quantizers, Model.quantize.
 *
 *     kt_model_quantize(model, "int8");
 *
 * makes the large weights of Dense, EinsumDense and Embedding layers int8, a quarter of the memory,
 * each column with a scale of its own. Products then are products of integers: every row of the
 * inputs is rounded to 8 bits as well, by its largest element. */
#ifndef KERATIN_QUANTIZERS_H
#define KERATIN_QUANTIZERS_H

#include <keratin/axes.h>
#include <keratin/layers/base.h>

#ifdef __cplusplus
extern "C" {
#endif

/** A quantizer, or a quantization config. */
typedef struct kt_component kt_quantizer;

/** Integers clip(round(x scale), value_range), with scale = value_range[1] / (max |x| + epsilon)
 * along `axis`.
 *
 * Keras: AbsMaxQuantizer.  Errors: a value_range that is not two whole numbers within -128 … 127,
 * the greater one positive; another output_dtype than "int8".
 *
 *     kt_quant_abs_max_quantizer(.value_range = kt_floats(-100, 100))
 */
typedef struct kt_quant_abs_max_quantizer_args {
    size_t size;              ///< set by the macro
    kt_tuple axis;            ///< default KT_NONE: where it is used says so, else -1
    kt_floats_t value_range;  ///< default (-127, 127)
    double epsilon;           ///< default 1e-7
    const char *output_dtype; ///< default "int8"
} kt_quant_abs_max_quantizer_args;
#define KT_QUANT_ABS_MAX_QUANTIZER_DEFAULTS                                                        \
    .axis = KT_NONE, .epsilon = 1e-7, .output_dtype = "int8",
#define kt_quant_abs_max_quantizer(...)                                                            \
    KT_CALL(                                                                                       \
        kt_quant_abs_max_quantizer_new,                                                            \
        kt_quant_abs_max_quantizer_args,                                                           \
        KT_QUANT_ABS_MAX_QUANTIZER_DEFAULTS,                                                       \
        __VA_ARGS__)
KT_API kt_quantizer *kt_quant_abs_max_quantizer_new(const kt_quant_abs_max_quantizer_args *args);

/** How a layer is quantized to int8: for kt_layer_quantize() and kt_model_quantize(), and the
 * argument quantization_config of layers that are made with the dtype "int8_from_float32".
 *
 * Keras: Int8QuantizationConfig.  Errors: anything but quantizers.
 *
 *     kt_quant_int8_quantization_config(.activation_quantizer = NULL) // weights only
 */
typedef struct kt_quant_int8_quantization_config_args {
    size_t size;
    kt_ref weight_quantizer; ///< default NULL: the largest element of each column; its axis must
                             ///< be that of the layer (0 for Dense, -1 for Embedding)
    kt_ref activation_quantizer; ///< default "default": kt_quant_abs_max_quantizer(); NULL: inputs
                                 ///< are not rounded
} kt_quant_int8_quantization_config_args;
#define KT_QUANT_INT8_QUANTIZATION_CONFIG_DEFAULTS .activation_quantizer = "default",
#define kt_quant_int8_quantization_config(...)                                                     \
    KT_CALL(                                                                                       \
        kt_quant_int8_quantization_config_new,                                                     \
        kt_quant_int8_quantization_config_args,                                                    \
        KT_QUANT_INT8_QUANTIZATION_CONFIG_DEFAULTS,                                                \
        __VA_ARGS__)
KT_API kt_quantizer *kt_quant_int8_quantization_config_new(
    const kt_quant_int8_quantization_config_args *args);

/** Quantizes a layer that is built: its kernel (the table of an Embedding) becomes int8 and is
 * trained no more, with "kernel_scale" beside it; its dtype policy becomes "int8_from_float32".
 * What flows back to its inputs, to the bias and to LoRA still does. Keras: Layer.quantize.
 *
 * Errors: KT_EINVAL for neither mode nor config, a mode that is none, contradictory ones;
 * KT_EUNSUPPORTED for the modes int4, float8, gptq and awq and for layers that have no int8 form;
 * KT_ESTATE for a layer that is not built, quantized already or being trained.
 *
 *     kt_layer_quantize(layer, "int8")
 *     kt_layer_quantize(layer, .config = kt_quant_int8_quantization_config())
 */
typedef struct kt_layer_quantize_args {
    size_t size;
    kt_layer *layer;
    const char *mode; ///< "int8"; may be left out where there is a config
    kt_ref config;    ///< default NULL: kt_quant_int8_quantization_config()
} kt_layer_quantize_args;
#define kt_layer_quantize(...)                                                                     \
    KT_CALL(kt_layer_quantize_with, kt_layer_quantize_args, , __VA_ARGS__)
KT_API kt_status kt_layer_quantize_with(const kt_layer_quantize_args *args);

/** Quantizes every layer of a model, at any depth, that has an int8 form and no layers inside; the
 * others stay as they are. Compile again before it is trained. Keras: Model.quantize.
 *
 * Errors: as kt_layer_quantize(); then no layer was changed, but for KT_ENOMEM.
 *
 *     kt_model_quantize(model, "int8", .filters = kt_list("^encoder", "head"));
 */
typedef struct kt_model_quantize_args {
    size_t size;
    kt_model *model;
    const char *mode;
    kt_ref config;
    kt_ref filters; ///< default NULL: all; else a regular expression (POSIX, extended) or a list of
                    ///< them: layers in whose name one is found
} kt_model_quantize_args;
#define kt_model_quantize(...)                                                                     \
    KT_CALL(kt_model_quantize_with, kt_model_quantize_args, , __VA_ARGS__)
KT_API kt_status kt_model_quantize_with(const kt_model_quantize_args *args);

/** "int8", or NULL for a layer that is not quantized. Keras: Layer.quantization_mode */
KT_API const char *kt_layer_quantization_mode(const kt_layer *layer);

/** abs_max_quantize: *scale = high / (max |x| + epsilon) along `axis`, whose length becomes 1; the
 * result is clip(round(x *scale), low, high) as int8. Keras: keras.quantizers.abs_max_quantize.
 *
 *     kt_sym *scale, *in = kt_input({5});
 *     kt_sym *q = kt_op_abs_max_quantize(&scale, in, -1, -127, 127, 1e-7);
 */
KT_API kt_sym *kt_op_abs_max_quantize(
    kt_sym **scale, kt_sym *x, kt_tuple axis, double low, double high, double epsilon);

#ifdef __cplusplus
}
#endif
#endif
