/* The list of layers: tests, coverage table and (with the files) loaders walk it. */
#include "nn/layer.h"

#include <string.h>

#define KT_LAYER_ALIAS(name, x)
#define KT_LAYER(x) extern const kt_layer_class kt_class_##x;
#include "nn/layers/layers.def"
#undef KT_LAYER

#define KT_LAYER(x) &kt_class_##x,
static const kt_layer_class *const layers[] = {
#include "nn/layers/layers.def"
    NULL};
#undef KT_LAYER
#undef KT_LAYER_ALIAS

#define KT_LAYER(x)
#define KT_LAYER_ALIAS(name, x) {name, &kt_class_##x},
static const struct {
    const char *name;
    const kt_layer_class *cls;
} aliases[] = {
#include "nn/layers/layers.def"
};

const kt_layer_class *const *kt_layer_all(void) { return layers; }

const kt_layer_class *kt_layer_find(const char *class_name) {
    for (int i = 0; layers[i]; i++)
        if (!strcmp(layers[i]->name, class_name)) return layers[i];
    for (size_t i = 0; i < sizeof aliases / sizeof *aliases; i++)
        if (!strcmp(aliases[i].name, class_name)) return aliases[i].cls;
    return NULL;
}
