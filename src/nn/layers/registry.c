/* The list of layers: tests, coverage table and (with the files) loaders walk it. */
#include "nn/layer.h"

#include <string.h>

#define KT_LAYER(x) extern const kt_layer_class kt_class_##x;
#include "nn/layers/layers.def"
#undef KT_LAYER

#define KT_LAYER(x) &kt_class_##x,
static const kt_layer_class *const layers[] = {
#include "nn/layers/layers.def"
    NULL};

const kt_layer_class *const *kt_layer_all(void) { return layers; }

const kt_layer_class *kt_layer_find(const char *class_name) {
    for (int i = 0; layers[i]; i++)
        if (!strcmp(layers[i]->name, class_name)) return layers[i];
    return NULL;
}
