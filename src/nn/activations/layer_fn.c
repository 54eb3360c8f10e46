/* See layer_fn.h. */
#include "nn/activations/layer_fn.h"

#include "nn/kinds.h"

typedef struct {
    size_t size;
    kt_ref layer;
} layer_fn_args;

static kt_sym *layer_fn_apply(const kt_component *c, kt_sym *x) {
    const layer_fn_args *a = kt_args_of(c);
    return kt_call((kt_layer *)(uintptr_t)a->layer, x);
}

static const kt_field layer_fn_fields[] = {KT_F(layer_fn_args, layer), KT_F_END};

static const kt_activation_class layer_fn_class = {
    .base =
        {.kind = KT_KIND_ACTIVATION,
         .name = "layer",
         .args_size = sizeof(layer_fn_args),
         .fields = layer_fn_fields},
    .apply = layer_fn_apply};

kt_component *kt_activation_of_layer(const void *layer) {
    return kt_component_new(&layer_fn_class.base, &(layer_fn_args){sizeof(layer_fn_args), layer});
}
