/* What the files of the HDF5 writer share. See hdf5.h. */
#ifndef KT_IO_HDF5_WRITER_H
#define KT_IO_HDF5_WRITER_H

#include "base/arena.h"
#include "base/vec.h"
#include "io/elem.h"
#include "io/hdf5.h"

#include <stdio.h>

#define KT_H5_HEAP_AT 96 /* the heap stands behind the superblock */

struct kt_hdf5_item {
    kt_hdf5_writer *writer;
    const char *name;
    bool is_data;
    KT_VEC(kt_hdf5_item *) children; /* by name */
    kt_str messages;                 /* attributes */
    int n_messages;
    /* a data set */
    kt_spec spec;
    const void *data;
    uint64_t bytes;
    size_t data_at; /* in the head: where its address belongs */
    /* once it has its place */
    uint64_t address, tree, names;
};

struct kt_hdf5_writer {
    kt_status status; /* the first error */
    kt_arena *arena;
    KT_VEC(kt_hdf5_item *) items; /* a child stands behind its parent; 0 is the root */
    kt_str heap;                  /* collections of strings */
    size_t heap_start;            /* of the last one */
    int heap_objects;             /* in it */
    kt_str head;                  /* everything but data */
    KT_VEC(kt_zip_part) parts;
};

/** Little-endian number of that many bytes. */
void kt_h5_put(kt_str *b, uint64_t v, int bytes);
/** Zeros up to a length. */
void kt_h5_pad(kt_str *b, size_t to);
/** Overwrites 8 bytes. */
void kt_h5_patch(kt_str *b, size_t at, uint64_t v);
void kt_h5_put_type(kt_str *b, kt_dtype dtype);
void kt_h5_put_space(kt_str *b, const kt_shape *shape);
void kt_h5_heap_close(kt_hdf5_writer *w);

#endif
