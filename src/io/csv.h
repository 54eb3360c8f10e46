/* Comma separated values (RFC 4180): a table of numbers, with or without names of columns above
 * it. */
#ifndef KT_IO_CSV_H
#define KT_IO_CSV_H

#include <keratin/tensor.h>

typedef struct kt_csv_options {
    char separator;
    int header;         ///< KT_AUTO, true, false
    const char *target; ///< column that goes to *y; NULL: all go to *x
    bool texts;         ///< *x is texts
} kt_csv_options;

/** Reads a file: *x is float32 (rows, columns), *y (rows,) int64 where all are integers, else
 * float32. Both are NULL when it fails. */
kt_status kt_csv_read(
    const char *path, const kt_csv_options *options, kt_tensor **x, kt_tensor **y);
/** The same from memory; a byte of 0 must stand behind the data. */
kt_status kt_csv_parse(
    const char *text, size_t size, const kt_csv_options *options, kt_tensor **x, kt_tensor **y);

#endif
