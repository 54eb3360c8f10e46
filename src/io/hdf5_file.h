/* What the files of the HDF5 reader share: bytes with a limit, nodes, attributes. See hdf5.h. */
#ifndef KT_IO_HDF5_FILE_H
#define KT_IO_HDF5_FILE_H

#include "base/arena.h"
#include "base/str.h"
#include "base/vec.h"
#include "io/elem.h"
#include "io/hdf5.h"

#define KT_H5_UNDEFINED UINT64_MAX /* the address of nothing */
#define KT_H5_RANK_MAX 32          /* of the format; arrays of the library have KT_MAX_RANK */

/* Little-endian fields, one after the other. Reading beyond the end gives 0 and sets `bad`, which
 * is looked at once all fields are read. */
typedef struct kt_h5_cursor {
    const unsigned char *p;
    size_t left;
    uint64_t at; /* of p in the file */
    bool bad;
} kt_h5_cursor;
uint64_t kt_h5_uint(kt_h5_cursor *c, int bytes);
/** The next n bytes, NULL at the end. */
const unsigned char *kt_h5_take(kt_h5_cursor *c, size_t n);

typedef enum kt_h5_kind {
    KT_H5_NUMBER, /* and bools, by `elem` */
    KT_H5_FIXED,  /* string of `size` bytes */
    KT_H5_VLEN,   /* string of any length, in the global heap */
    KT_H5_OPAQUE, /* bytes without a meaning: bfloat16, if the data set says so */
    KT_H5_OTHER,  /* not supported: `why` */
} kt_h5_kind;

typedef struct kt_h5_type {
    kt_h5_kind kind;
    uint32_t size; /* bytes of one element */
    kt_elem elem;
    const char *why; /* "compound elements" */
} kt_h5_type;

typedef struct kt_h5_space {
    int rank; /* may exceed KT_MAX_RANK: then `why` of the data set says so */
    int64_t dim[KT_MAX_RANK];
    uint64_t n; /* elements */
    bool null;  /* no value at all */
} kt_h5_space;

typedef struct kt_h5_attr {
    const char *name;
    kt_h5_type type;
    kt_h5_space space;
    uint64_t offset; /* of its value; there are n * size bytes */
} kt_h5_attr;

struct kt_hdf5_node {
    kt_hdf5 *file;
    const char *name;
    int parent, depth;       /* index of the parent, -1 for the root */
    int first, n;            /* children, beside each other */
    int64_t made;            /* place in the order of creation, -1 if not recorded */
    uint64_t address;        /* of the object header */
    bool is_data, has_order; /* has_order: all children have `made` */
    int attrs, n_attrs;      /* in file->attrs */
    /* a data set */
    const char *why; /* not readable, because; NULL otherwise */
    kt_h5_type type;
    kt_h5_space space;
    uint64_t offset; /* of the data */
};

typedef struct kt_h5_range {
    uint64_t from, to;
} kt_h5_range;

typedef struct kt_h5_blob { /* an object of a global heap */
    uint64_t offset, size;
} kt_h5_blob;

typedef struct kt_h5_heap {
    uint64_t address, end;
    int n;
    kt_h5_blob *blobs; /* by index */
} kt_h5_heap;

struct kt_hdf5 {
    kt_fs_file opened;           /* fd -1 unless opened by path */
    const kt_fs_file *disk;      /* where the bytes are: a file … */
    const unsigned char *memory; /* … or memory */
    unsigned char *inflated;     /* memory that is ours */
    char *path;                  /* for messages, NULL if there is none */
    uint64_t base, size;         /* the HDF5 file in there; size: to its declared end */
    kt_hdf5_limits limits;
    unsigned char *window; /* bytes of the file around the last place looked at */
    size_t window_cap, window_n;
    uint64_t window_at;
    int leaf_k, internal_k; /* entries of symbol table nodes and B-tree nodes, halved */
    uint64_t work;          /* bytes that may still be claimed */
    kt_arena *arena;
    KT_VEC(kt_hdf5_node) nodes;
    KT_VEC(kt_h5_attr) attrs;
    KT_VEC(kt_h5_range) claims; /* sorted once the walk is done */
    KT_VEC(kt_h5_heap) heaps;
};

/** KT_EFORMAT with "hdf5: " before the text. */
kt_status kt_h5_bad(const char *what);
/** The bytes at an offset, checked against the end; good until the next call. NULL with the error
 * set. */
const unsigned char *kt_h5_view(kt_hdf5 *h, uint64_t offset, uint64_t size, kt_status *st);
/** Marks bytes as used for one purpose; too many of them in all means that they overlap. */
kt_status kt_h5_claim(kt_hdf5 *h, uint64_t offset, uint64_t size);
/** Are these bytes claimed by something? Once the claims are sorted. */
bool kt_h5_claimed(const kt_hdf5 *h, uint64_t offset, uint64_t size);
/** A source of `size` bytes from an offset. */
kt_source kt_h5_source(const kt_hdf5 *h, uint64_t offset, uint64_t size);
/** Adds "in file …" where there is one. */
kt_status kt_h5_in_file(const kt_hdf5 *h, kt_status st);
/** Jenkins' lookup3, the check sum of the format. */
uint32_t kt_h5_checksum(const unsigned char *p, size_t n);

/* hdf5_type.c: the messages that describe elements. */
kt_status kt_h5_type_read(kt_h5_type *type, kt_h5_cursor *c);
kt_status kt_h5_space_read(kt_h5_space *space, kt_h5_cursor *c);
kt_status kt_h5_attr_read(kt_h5_attr *attr, kt_h5_cursor *c, kt_arena *arena);

/* What an object header says beside what the node keeps. */
typedef struct kt_h5_link {
    const char *name;
    uint64_t address;
    int64_t made;
} kt_h5_link;
typedef KT_VEC(kt_h5_link) kt_h5_links;
typedef struct kt_h5_header {
    bool has_table; /* an old group */
    uint64_t table, heap;
    bool has_links; /* a new one */
    kt_h5_links links;
} kt_h5_header;

/** Where an object keeps links or attributes that are many: a heap, an index by name, and one by
 * the order in which they were made. KT_H5_UNDEFINED: there is none. */
typedef struct kt_h5_dense_info {
    uint64_t heap, names, made;
} kt_h5_dense_info;
typedef struct kt_h5_dense {
    kt_h5_blob at;
    uint32_t hash; ///< of the name
} kt_h5_dense;
typedef KT_VEC(kt_h5_dense) kt_h5_dense_list;
/** hdf5_dense.c: where the messages stand. */
kt_status kt_h5_dense_read(
    kt_hdf5 *h, const kt_h5_dense_info *info, bool links, kt_h5_dense_list *out);

/** hdf5_header.c: reads the object header of a node, which it completes. */
kt_status kt_h5_header_read(kt_hdf5 *h, kt_hdf5_node *node, kt_h5_header *out);
/** hdf5_group.c: the links of an old group, in the order of their names. */
kt_status kt_h5_table_read(kt_hdf5 *h, uint64_t table, uint64_t heap, kt_h5_links *out);
/** hdf5_heap.c: the string whose reference stands at `offset`. */
kt_status kt_h5_heap_find(kt_hdf5 *h, uint64_t offset, kt_h5_blob *out);
/** hdf5_group.c: a name that can stand between slashes. */
kt_status kt_h5_name_check(const char *name, size_t n);

#endif
