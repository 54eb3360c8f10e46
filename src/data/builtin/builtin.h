/* What the built-in data sets share. */
#ifndef KT_DATA_BUILTIN_H
#define KT_DATA_BUILTIN_H

#include "base/mt19937.h"
#include "base/str.h"
#include "io/npz.h"

#include <keratin/data.h>

/** All four arrays become failed objects of this status (the good ones are freed); returns it. */
kt_status kt_splits_fail(kt_splits *splits, kt_status status);
/** Do rows of x and y go together? KT_EFORMAT otherwise. */
kt_status kt_splits_check(const kt_splits *splits, int x_ndim);

/** The path of a file of a data set: `path` if it is absolute, else below $KERAS_HOME/datasets. */
kt_status kt_builtin_path(kt_str *out, const char *path);
/** The error for a file that is not there: which one, where it goes, where Keras gets it from. */
kt_status kt_builtin_absent(const char *title, const char *path, const char *url);
/** Opens the archive of a data set; `path` (empty before) receives its path. */
kt_status kt_builtin_open(
    kt_npz **npz, kt_str *path, const char *name, const char *title, const char *file);
#define KT_BUILTIN_URL "https://storage.googleapis.com/tensorflow/tf-keras-datasets/"

/** The generator of numpy.random.RandomState(seed). */
kt_status kt_builtin_rng(kt_mt19937 *mt, int64_t seed);
/** 0 … n-1, shuffled; NULL when out of memory. */
int64_t *kt_builtin_order(kt_mt19937 *mt, int64_t n);
/** A new array of those rows. */
kt_tensor *kt_builtin_rows(const kt_tensor *t, const int64_t *rows, int64_t n);
/** How many of n rows are for training: int(n * (1 - test_split)). */
int64_t kt_builtin_n_train(int64_t n, double test_split);

#endif
