/* Initializers: what layers need of them, and what the files of this folder share. */
#ifndef KT_NN_INITIALIZER_H
#define KT_NN_INITIALIZER_H

#include "nn/kinds.h"

#include <keratin/initializers.h>

/** A name, an initializer or a tensor (the values themselves); NULL gives NULL. */
kt_status kt_initializer_get(kt_component **out, kt_ref ref);

/* For the files of this folder. */

/** The key to draw with: from the seed if one was given, else `key`, the weight's own. */
uint64_t kt_init_key(int64_t seed, uint64_t key);
/** KT_ESHAPE with the shape that came. */
kt_status kt_init_shape_error(const kt_component *c, const kt_spec *spec, const char *expected);

#define KT_INITIALIZER(name) extern const kt_initializer_class kt_initializer_class_##name;
#include "nn/initializers/initializers.def"
#undef KT_INITIALIZER

/** The same initializer with these axes of the weight as inputs and outputs, if it goes by fans and
 * does not say itself which they are. *out floats, or is the object that was given. */
kt_status kt_initializer_with_axes(
    kt_component **out, kt_ref ref, int n_in, const int *in, int n_out, const int *outputs);

#endif
