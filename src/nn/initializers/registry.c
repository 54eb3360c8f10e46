/* The list of initializers: names in layers, documentation, files. */
#include "nn/initializers/initializer.h"

#define KT_INITIALIZER(name) &kt_initializer_class_##name.base,
static const kt_class *const initializers[] = {
#include "nn/initializers/initializers.def"
    NULL};

const kt_class *const *kt_initializer_registry(void) { return initializers; }
