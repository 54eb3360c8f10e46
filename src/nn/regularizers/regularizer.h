/* Regularizers: what layers need of them, and what the files of this folder share. */
#ifndef KT_NN_REGULARIZER_H
#define KT_NN_REGULARIZER_H

#include "nn/kinds.h"

#include <keratin/regularizers.h>

/** A name or an object; NULL gives NULL. */
kt_status kt_regularizer_get(kt_component **out, kt_ref ref);
/** The penalty of a weight, inside a trace: a scalar. */
kt_sym *kt_regularizer_penalty(const kt_component *c, kt_sym *w);

/** `init` of the built-in ones: every number among the arguments is finite and >= 0. */
kt_status kt_reg_init(kt_component *c);

#define KT_REGULARIZER(name) extern const kt_regularizer_class kt_regularizer_class_##name;
#include "nn/regularizers/regularizers.def"
#undef KT_REGULARIZER

#endif
