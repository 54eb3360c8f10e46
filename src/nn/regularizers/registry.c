/* The list of regularizers: names in layers, documentation, files. */
#include "nn/regularizers/regularizer.h"

#define KT_REGULARIZER(name) &kt_regularizer_class_##name.base,
static const kt_class *const regularizers[] = {
#include "nn/regularizers/regularizers.def"
    NULL};

const kt_class *const *kt_regularizer_registry(void) { return regularizers; }
