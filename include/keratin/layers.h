/* All layers. Arguments, defaults and names are Keras' own. */
#ifndef KERATIN_LAYERS_H
#define KERATIN_LAYERS_H

#include <keratin/layers/activation.h>
#include <keratin/layers/applications.h>
#include <keratin/layers/attention.h>
#include <keratin/layers/audio_preprocessing.h>
#include <keratin/layers/base.h>
#include <keratin/layers/convolutional.h>
#include <keratin/layers/core.h>
#include <keratin/layers/image_augmentation.h>
#include <keratin/layers/image_preprocessing.h>
#include <keratin/layers/merging.h>
#include <keratin/layers/normalization.h>
#include <keratin/layers/pooling.h>
#include <keratin/layers/preprocessing.h>
#include <keratin/layers/recurrent.h>
#include <keratin/layers/regularization.h>
#include <keratin/layers/reshaping.h>

#endif
