/* What the files of convolutions share. */
#ifndef KT_OPS_CONV_H
#define KT_OPS_CONV_H

#include <keratin/error.h>

#include "ir/attrs.h"

/** The shape of a convolution's result; an error names `op`. */
kt_status kt_conv_shape(
    const char *op, const conv_attrs *a, const kt_shape *x, const kt_shape *kernel, kt_shape *y);

#endif
