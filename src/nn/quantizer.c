/* Quantizers and quantization configs: arguments of quantization. See quantize.h.
 * keras.quantizers.AbsMaxQuantizer, Int8QuantizationConfig, abs_max_quantize */
#include "base/mem.h"
#include "nn/axes.h"
#include "nn/quantize.h"
#include "tensor/tensor.h"

#include <math.h>
#include <string.h>

typedef kt_quant_abs_max_quantizer_args abs_max_args;
typedef kt_quant_int8_quantization_config_args int8_args;

static const kt_class abs_max_class, int8_class;

static const double abs_max_range[2] = {-127, 127};

static kt_status abs_max_init(kt_component *c) {
    abs_max_args *a = c->args;
    double *standard = a->value_range.n ? NULL : kt_alloc_array(2, sizeof *standard);
    if (!a->value_range.n && !standard) return KT_ENOMEM;
    if (standard) {
        memcpy(standard, abs_max_range, sizeof abs_max_range);
        kt_mem_free((void *)(uintptr_t)a->value_range.v);
        a->value_range = (kt_floats_t){standard, 2};
    }
    const double *r = a->value_range.v;
    if (!a->output_dtype || strcmp(a->output_dtype, "int8"))
        return KT_FAIL(
            kt_dtype_of(a->output_dtype) ? KT_EUNSUPPORTED : KT_EINVAL,
            "output_dtype: expected \"int8\", got \"%.40s\"",
            a->output_dtype ? a->output_dtype : "None");
    if (a->value_range.n != 2 || !(r[0] >= -128 && r[1] <= 127 && r[0] <= r[1] && r[1] > 0) ||
        r[0] != floor(r[0]) || r[1] != floor(r[1]))
        return KT_FAIL(KT_EINVAL, "value_range: expected two whole numbers within -128 to 127");
    if (!(a->epsilon >= 0 && a->epsilon - a->epsilon == 0))
        return KT_FAIL(KT_EINVAL, "epsilon: expected a number >= 0, got %g", a->epsilon);
    int axes[KT_MAX_RANK];
    if (a->axis != KT_NONE) a->axis = kt_axes_of(kt_axes_list(a->axis, axes), axes);
    return KT_OK;
}

/* A config has quantizers, "default" among them as the one that it means. */
static kt_status check_quantizer(const char *what, kt_ref ref) {
    char got[96];
    const kt_component *c = ref;
    if (!ref || (kt_is(ref, KT_KIND_QUANTIZER) && c->cls == &abs_max_class)) return KT_OK;
    return KT_FAIL(
        KT_EINVAL, "%s: expected a quantizer, got %s", what, kt_ref_describe(ref, got, sizeof got));
}

static kt_status int8_init(kt_component *c) {
    int8_args *a = c->args;
    const kt_ref given = a->activation_quantizer;
    if (given && !kt_is_obj(given) && !strcmp(given, "default")) {
        kt_quantizer *own = kt_quant_abs_max_quantizer();
        if (kt_failed(own)) return kt_check(own);
        a->activation_quantizer = kt_adopt(own);
        kt_mem_free((void *)(uintptr_t)given); /* the copy of a name */
    }
    const kt_status st = check_quantizer("weight_quantizer", a->weight_quantizer);
    return st ? st : check_quantizer("activation_quantizer", a->activation_quantizer);
}

static const kt_field abs_max_fields[] = {
    KT_F(abs_max_args, axis),
    KT_F(abs_max_args, value_range),
    KT_F(abs_max_args, epsilon),
    KT_F(abs_max_args, output_dtype),
    KT_F_END};
static const kt_field int8_fields[] = {
    KT_F(int8_args, weight_quantizer), KT_F(int8_args, activation_quantizer), KT_F_END};

static const abs_max_args abs_max_defaults = {
    .size = sizeof(abs_max_args),
    .axis = KT_NONE,
    .value_range = {abs_max_range, 2},
    .epsilon = 1e-7,
    .output_dtype = "int8"};
static const int8_args int8_defaults = {
    .size = sizeof(int8_args), KT_QUANT_INT8_QUANTIZATION_CONFIG_DEFAULTS};

static const kt_class abs_max_class = {
    .kind = KT_KIND_QUANTIZER,
    .name = "AbsMaxQuantizer",
    .args_size = sizeof(abs_max_args),
    .fields = abs_max_fields,
    .defaults = &abs_max_defaults,
    .init = abs_max_init};
static const kt_class int8_class = {
    .kind = KT_KIND_QUANTIZER,
    .name = "Int8QuantizationConfig",
    .args_size = sizeof(int8_args),
    .fields = int8_fields,
    .defaults = &int8_defaults,
    .init = int8_init};

const kt_class *const *kt_quantizer_registry(void) {
    static const kt_class *const all[] = {&abs_max_class, &int8_class, NULL};
    return all;
}

kt_quantizer *kt_quant_abs_max_quantizer_new(const abs_max_args *args) {
    return kt_component_new(&abs_max_class, args);
}

kt_quantizer *kt_quant_int8_quantization_config_new(const int8_args *args) {
    return kt_component_new(&int8_class, args);
}

kt_status kt_quant_check(kt_ref config) {
    char got[96];
    const kt_component *c = config;
    if (!config) return KT_OK;
    if (kt_is_obj(config) && kt_failed(config)) return kt_check(config);
    if (kt_is(config, KT_KIND_QUANTIZER) && c->cls == &int8_class) return KT_OK;
    return KT_FAIL(
        KT_EINVAL,
        "quantization_config: expected an Int8QuantizationConfig, got %s",
        kt_ref_describe(config, got, sizeof got));
}

kt_sym *kt_op_abs_max_quantize(
    kt_sym **scale, kt_sym *x, kt_tuple axis, double low, double high, double epsilon) {
    kt_sym *most = kt_op_max(kt_op_abs(x), axis, true);
    kt_sym *s = kt_op_divide(kt_num(high), kt_op_add(most, kt_num(epsilon)));
    kt_sym *q = kt_op_clip(kt_op_round(kt_op_multiply(x, s)), low, high);
    *scale = s;
    return kt_op_cast(q, "int8");
}
