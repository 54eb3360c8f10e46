/* Checks of arguments that many components share. */
#ifndef KT_NN_ARGUMENTS_H
#define KT_NN_ARGUMENTS_H

#include "nn/component.h"

/** `init` of components that only ask their numbers not to be NaN: KT_EINVAL names the argument. */
kt_status kt_arg_numbers(kt_component *c);

#endif
