/* Zeros, Ones, Constant: one value everywhere. Identity: gain on the diagonal of a matrix.
 * keras.initializers.Zeros, Ones, Constant, Identity. For every dtype. */
#include "nn/initializers/initializer.h"

#include <string.h>

typedef kt_init_constant_args constant_args;
typedef kt_init_identity_args identity_args;
typedef struct {
    size_t size;
} no_args;

static kt_status fill_with(double value, const kt_spec *spec, void *data) {
    const int64_t n = kt_shape_size(&spec->shape);
    if (value == 0) {
        memset(data, 0, (size_t)kt_spec_bytes(spec));
    } else if (spec->dtype == KT_FLOAT32) {
        float *y = data;
        for (int64_t i = 0; i < n; i++) y[i] = (float)value;
    } else {
        for (int64_t i = 0; i < n; i++) kt_elem_set(data, spec->dtype, i, value);
    }
    return KT_OK;
}

static kt_status zeros_fill(const kt_component *c, uint64_t key, const kt_spec *spec, void *data) {
    (void)c, (void)key;
    return fill_with(0, spec, data);
}

static kt_status ones_fill(const kt_component *c, uint64_t key, const kt_spec *spec, void *data) {
    (void)c, (void)key;
    return fill_with(1, spec, data);
}

static kt_status constant_fill(
    const kt_component *c, uint64_t key, const kt_spec *spec, void *data) {
    (void)key;
    return fill_with(((const constant_args *)kt_args_of(c))->value, spec, data);
}

static kt_status identity_fill(
    const kt_component *c, uint64_t key, const kt_spec *spec, void *data) {
    (void)key;
    if (spec->shape.ndim != 2) return kt_init_shape_error(c, spec, "two axes");
    const double gain = ((const identity_args *)kt_args_of(c))->gain;
    const int64_t rows = spec->shape.dim[0], columns = spec->shape.dim[1];
    fill_with(0, spec, data);
    for (int64_t i = 0; i < rows && i < columns; i++)
        kt_elem_set(data, spec->dtype, i * columns + i, gain);
    return KT_OK;
}

static const kt_field no_fields[] = {KT_F_END};
static const no_args no_defaults = {sizeof(no_args)};
static const kt_field constant_fields[] = {KT_F(constant_args, value), KT_F_END};
static const constant_args constant_defaults = {
    .size = sizeof(constant_args), KT_INIT_CONSTANT_DEFAULTS};
static const kt_field identity_fields[] = {KT_F(identity_args, gain), KT_F_END};
static const identity_args identity_defaults = {
    .size = sizeof(identity_args), KT_INIT_IDENTITY_DEFAULTS};

const kt_initializer_class kt_initializer_class_zeros = {
    .base =
        {.kind = KT_KIND_INITIALIZER,
         .name = "Zeros",
         .aliases = {"zero"},
         .args_size = sizeof(no_args),
         .fields = no_fields,
         .defaults = &no_defaults},
    .fill = zeros_fill};
const kt_initializer_class kt_initializer_class_ones = {
    .base =
        {.kind = KT_KIND_INITIALIZER,
         .name = "Ones",
         .aliases = {"one"},
         .args_size = sizeof(no_args),
         .fields = no_fields,
         .defaults = &no_defaults},
    .fill = ones_fill};
const kt_initializer_class kt_initializer_class_constant = {
    .base =
        {.kind = KT_KIND_INITIALIZER,
         .name = "Constant",
         .args_size = sizeof(constant_args),
         .fields = constant_fields,
         .defaults = &constant_defaults},
    .fill = constant_fill};
const kt_initializer_class kt_initializer_class_identity = {
    .base =
        {.kind = KT_KIND_INITIALIZER,
         .name = "Identity",
         .aliases = {"IdentityInitializer"},
         .args_size = sizeof(identity_args),
         .fields = identity_fields,
         .defaults = &identity_defaults},
    .fill = identity_fill};

kt_initializer *kt_init_zeros(void) {
    return kt_component_new(&kt_initializer_class_zeros.base, &no_defaults);
}
kt_initializer *kt_init_ones(void) {
    return kt_component_new(&kt_initializer_class_ones.base, &no_defaults);
}
kt_initializer *kt_init_constant_new(const kt_init_constant_args *args) {
    return kt_component_new(&kt_initializer_class_constant.base, args);
}
kt_initializer *kt_init_identity_new(const kt_init_identity_args *args) {
    return kt_component_new(&kt_initializer_class_identity.base, args);
}
