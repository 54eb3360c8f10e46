/* Finding initializers, and what several of them check. See initializer.h. */
#include "nn/initializers/initializer.h"

#include "base/rng.h"

/* A tensor as initializer: its values, converted. Keras: an array given as initializer. */
typedef struct {
    size_t size;
    kt_ref value;
} tensor_args;

static kt_status tensor_fill(const kt_component *c, uint64_t key, const kt_spec *spec, void *data) {
    const kt_tensor *t = ((const tensor_args *)kt_args_of(c))->value;
    char want[KT_SHAPE_STR];
    (void)key;
    if (!kt_shape_equal(&t->shape, &spec->shape))
        return kt_init_shape_error(c, spec, kt_shape_str(&t->shape, want, sizeof want));
    if (t->dtype == KT_STRING)
        return KT_FAIL(KT_EDTYPE, "initializer: expected numbers, got texts");
    kt_elem_convert(data, spec->dtype, t->data, t->dtype, kt_shape_size(&t->shape));
    return KT_OK;
}

static const kt_field tensor_fields[] = {KT_F(tensor_args, value), KT_F_END};
static const kt_initializer_class tensor_class = {
    .base =
        {.kind = KT_KIND_INITIALIZER,
         .name = "tensor",
         .args_size = sizeof(tensor_args),
         .fields = tensor_fields},
    .fill = tensor_fill};

kt_status kt_initializer_get(kt_component **out, kt_ref ref) {
    if (!kt_is(ref, KT_KIND_TENSOR) || kt_failed(ref))
        return kt_component_get(
            out, ref, KT_KIND_INITIALIZER, kt_initializer_registry(), "initializer");
    kt_component *c = kt_component_new(
        &tensor_class.base, &(tensor_args){sizeof(tensor_args), ref});
    *out = kt_failed(c) ? NULL : c;
    return kt_check(c);
}

uint64_t kt_init_key(int64_t seed, uint64_t key) {
    return seed == KT_NONE ? key : kt_rng_key((uint64_t)seed, "initializer");
}

kt_status kt_init_shape_error(const kt_component *c, const kt_spec *spec, const char *expected) {
    char got[KT_SHAPE_STR];
    KT_FAIL(KT_ESHAPE, "%s: the initializer does not fit the shape of the weight", c->cls->name);
    kt_error_expected("%s", expected);
    return kt_error_got("%s", kt_shape_str(&spec->shape, got, sizeof got));
}
