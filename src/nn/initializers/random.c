/* RandomNormal, TruncatedNormal (nothing further than two stddev from the mean), RandomUniform
 * (minval <= w < maxval).  keras.initializers.RandomNormal, TruncatedNormal, RandomUniform */
#include "nn/initializers/draw.h"
#include "nn/initializers/initializer.h"

typedef kt_init_normal_args normal_args;
typedef kt_init_random_uniform_args uniform_args;

static kt_status normal_fill(const kt_component *c, uint64_t key, const kt_spec *spec, void *data) {
    const normal_args *a = kt_args_of(c);
    return kt_draw_fill(KT_DRAW_NORMAL, a->mean, a->stddev, kt_init_key(a->seed, key), spec, data);
}

static kt_status truncated_fill(
    const kt_component *c, uint64_t key, const kt_spec *spec, void *data) {
    const normal_args *a = kt_args_of(c);
    return kt_draw_fill(
        KT_DRAW_TRUNCATED, a->mean, a->stddev, kt_init_key(a->seed, key), spec, data);
}

static kt_status uniform_fill(
    const kt_component *c, uint64_t key, const kt_spec *spec, void *data) {
    const uniform_args *a = kt_args_of(c);
    return kt_draw_fill(
        KT_DRAW_UNIFORM, a->minval, a->maxval, kt_init_key(a->seed, key), spec, data);
}

static const kt_field normal_fields[] = {
    KT_F(normal_args, mean), KT_F(normal_args, stddev), KT_F(normal_args, seed), KT_F_END};
static const normal_args normal_defaults = {.size = sizeof(normal_args), KT_INIT_NORMAL_DEFAULTS};
static const kt_field uniform_fields[] = {
    KT_F(uniform_args, minval), KT_F(uniform_args, maxval), KT_F(uniform_args, seed), KT_F_END};
static const uniform_args uniform_defaults = {
    .size = sizeof(uniform_args), KT_INIT_RANDOM_UNIFORM_DEFAULTS};

const kt_initializer_class kt_initializer_class_random_normal = {
    .base =
        {.kind = KT_KIND_INITIALIZER,
         .name = "RandomNormal",
         .aliases = {"normal"},
         .args_size = sizeof(normal_args),
         .fields = normal_fields,
         .defaults = &normal_defaults},
    .fill = normal_fill};
const kt_initializer_class kt_initializer_class_truncated_normal = {
    .base =
        {.kind = KT_KIND_INITIALIZER,
         .name = "TruncatedNormal",
         .args_size = sizeof(normal_args),
         .fields = normal_fields,
         .defaults = &normal_defaults},
    .fill = truncated_fill};
const kt_initializer_class kt_initializer_class_random_uniform = {
    .base =
        {.kind = KT_KIND_INITIALIZER,
         .name = "RandomUniform",
         .aliases = {"uniform"},
         .args_size = sizeof(uniform_args),
         .fields = uniform_fields,
         .defaults = &uniform_defaults},
    .fill = uniform_fill};

kt_initializer *kt_init_random_normal_new(const kt_init_normal_args *args) {
    return kt_component_new(&kt_initializer_class_random_normal.base, args);
}
kt_initializer *kt_init_truncated_normal_new(const kt_init_normal_args *args) {
    return kt_component_new(&kt_initializer_class_truncated_normal.base, args);
}
kt_initializer *kt_init_random_uniform_new(const kt_init_random_uniform_args *args) {
    return kt_component_new(&kt_initializer_class_random_uniform.base, args);
}
