/* What the built-in data sets share. */
#ifndef KT_DATA_BUILTIN_H
#define KT_DATA_BUILTIN_H

#include "base/str.h"

#include <keratin/data.h>

/** All four arrays become failed objects of this status (the good ones are freed); returns it. */
kt_status kt_splits_fail(kt_splits *splits, kt_status status);
/** Do rows of x and y go together? KT_EFORMAT otherwise. */
kt_status kt_splits_check(const kt_splits *splits, int x_ndim);

#endif
