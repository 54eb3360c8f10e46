/* Checks of arguments that many components share. */
#ifndef KT_NN_ARGUMENTS_H
#define KT_NN_ARGUMENTS_H

#include "nn/component.h"

/** `init` of components that only ask their numbers not to be NaN: KT_EINVAL names the argument. */
kt_status kt_arg_numbers(kt_component *c);
/** The index of a word in a list (ended by NULL). KT_EINVAL, with the nearest one as a hint, if it
 * is not there. */
kt_status kt_arg_word(const char *argument, const char *word, const char *const *words, int *out);

#endif
