/* All layers. Arguments, defaults and names are Keras' own. */
#ifndef KERATIN_LAYERS_H
#define KERATIN_LAYERS_H

#include <keratin/layers/base.h>
#include <keratin/layers/core.h>

#endif
