/* The list of activations: names in layers, documentation, files. */
#include "nn/activations/activation.h"

#define KT_ACTIVATION(fn) &kt_activation_class_##fn.base,
static const kt_class *const activations[] = {
#include "nn/activations/activations.def"
    NULL};

const kt_class *const *kt_activation_registry(void) { return activations; }
