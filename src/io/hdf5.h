/* HDF5 for the files that Keras writes: own strict reader and writer, no library.
 *
 * The corner of the format: superblock 0 to 3; groups as symbol tables or link messages; object
 * headers 1 and 2 (check sums compared); contiguous and compact data; numbers, bools, bfloat16 as
 * Keras stores it, fixed and variable-length strings; attributes in object headers. Chunks and
 * filters are named as unsupported when such data are read; soft and external links, external
 * storage, virtual data sets and references are refused wherever they stand (SAFETY.md, H1 to H11).
 *
 * Opening walks the whole file and checks it: every address against the end, no byte that belongs
 * to two things, names in order, no object under two names, depth and counts within limits. Work
 * and memory are thereby linear in the file's size. Data are read only when asked for, straight to
 * where the caller wants them. */
#ifndef KT_IO_HDF5_H
#define KT_IO_HDF5_H

#include "io/zip.h"
#include "tensor/tensor.h"

typedef struct kt_hdf5 kt_hdf5;
/** A group or a data set of an open file; lives until kt_hdf5_close. */
typedef struct kt_hdf5_node kt_hdf5_node;

/** Limits; 0 means the default. */
typedef struct kt_hdf5_limits {
    int64_t objects_max; ///< groups, data sets and attributes together, default 262,144
    int depth_max;       ///< groups in groups, default 64
} kt_hdf5_limits;

/** Does the file begin like HDF5? (A file named .keras may.) False too if it cannot be read. */
bool kt_hdf5_is(const char *path);
/** Opens and checks a file; limits may be NULL. KT_EFORMAT, KT_EREFUSED, KT_ELIMIT,
 * KT_EUNSUPPORTED, or what kt_fs_open says; *out is NULL then. Close with kt_hdf5_close. */
kt_status kt_hdf5_open(kt_hdf5 **out, const char *path, const kt_hdf5_limits *limits);
/** The same over memory, which must stay. */
kt_status kt_hdf5_open_memory(
    kt_hdf5 **out, const void *data, size_t size, const kt_hdf5_limits *limits);
/** The same over memory from kt_alloc, which it frees, also after an error. */
kt_status kt_hdf5_open_owned(kt_hdf5 **out, void *data, size_t size, const kt_hdf5_limits *limits);
/** The same over member i of an archive, which must stay open. A stored member is read in place
 * (after one pass that compares its check sum), a deflated one is inflated into memory, up to the
 * archive's `inflated_max`. */
kt_status kt_hdf5_open_zip(kt_hdf5 **out, kt_zip *z, int i, const kt_hdf5_limits *limits);
void kt_hdf5_close(kt_hdf5 *h);

/* Groups and data sets ---------------------------------------------------------------------------
 */

const kt_hdf5_node *kt_hdf5_root(const kt_hdf5 *h);
/** What stands at a path under a group: "layers/dense/vars/0". NULL (no error) if nothing does;
 * the group itself for "" and "/". */
const kt_hdf5_node *kt_hdf5_find(const kt_hdf5_node *group, const char *path);
/** Children in the order of their names (bytes compared); 0 and NULL for data sets and beyond. */
int kt_hdf5_count(const kt_hdf5_node *group);
const kt_hdf5_node *kt_hdf5_child(const kt_hdf5_node *group, int i);
/** The i-th child in the order in which they were made, where the file records that
 * (kt_hdf5_has_order), otherwise as kt_hdf5_child. */
const kt_hdf5_node *kt_hdf5_child_made(const kt_hdf5_node *group, int i);
bool kt_hdf5_has_order(const kt_hdf5_node *group);
/** Name in its group ("" for the root), NULL for NULL; its group (NULL for the root). */
const char *kt_hdf5_name(const kt_hdf5_node *node);
const kt_hdf5_node *kt_hdf5_parent(const kt_hdf5_node *node);
/** "/layers/dense/vars/0", quoted and cut for messages. Returns buf. */
const char *kt_hdf5_path(const kt_hdf5_node *node, char *buf, size_t size);
bool kt_hdf5_is_group(const kt_hdf5_node *node);
bool kt_hdf5_is_data(const kt_hdf5_node *node);

/** Shape of a data set, and the dtype that holds its elements without loss (int8, int16, uint16
 * give int32; uint32, uint64 int64). KT_NO_DTYPE where kt_hdf5_read would fail. */
kt_shape kt_hdf5_shape(const kt_hdf5_node *data);
kt_dtype kt_hdf5_dtype(const kt_hdf5_node *data);
/** KT_OK if the data set can be read, otherwise why not (chunked, filtered, compound …). */
kt_status kt_hdf5_check(const kt_hdf5_node *data);
/** A data set as an array of kt_hdf5_dtype(). */
kt_tensor *kt_hdf5_read(const kt_hdf5_node *data);
/** A data set of exactly n elements into `to`, converted to `dtype` (floats round as casts do).
 * Without conversion the bytes go straight to `to`. KT_ESHAPE if it has not n elements. */
kt_status kt_hdf5_read_into(const kt_hdf5_node *data, void *to, kt_dtype dtype, int64_t n);

/* Attributes -------------------------------------------------------------------------------------
 */

/** Strings, each followed by a 0 byte and without one inside. Free with kt_hdf5_strings_free. */
typedef struct kt_hdf5_strings {
    char **v;
    int n;
} kt_hdf5_strings;
void kt_hdf5_strings_free(kt_hdf5_strings *s);

int kt_hdf5_attr_count(const kt_hdf5_node *node);
/** Names of attributes, in their order (bytes compared); NULL beyond. */
const char *kt_hdf5_attr_name(const kt_hdf5_node *node, int i);
bool kt_hdf5_has_attr(const kt_hdf5_node *node, const char *name);
/** Fixed or variable-length strings, a scalar or an array of them; an empty array of anything is no
 * strings (Keras stores [] as float64). KT_ENOTFOUND, KT_EDTYPE if these are no strings. */
kt_status kt_hdf5_attr_strings(kt_hdf5_strings *out, const kt_hdf5_node *node, const char *name);
/** The same of an attribute that Keras split, because of its size, into name0, name1, … */
kt_status kt_hdf5_attr_names(kt_hdf5_strings *out, const kt_hdf5_node *node, const char *name);
/** One string (JSON, a version). *text ends in a 0 byte that n does not count; kt_mem_free. */
kt_status kt_hdf5_attr_text(char **text, size_t *n, const kt_hdf5_node *node, const char *name);
/** Numbers or bools of an attribute. */
kt_tensor *kt_hdf5_attr_read(const kt_hdf5_node *node, const char *name);

/* Writing ----------------------------------------------------------------------------------------
 *
 *     kt_hdf5_writer *w = kt_hdf5_writer_new();
 *     kt_hdf5_item *vars = kt_hdf5_put_group(kt_hdf5_writer_root(w), "layers/dense/vars");
 *     kt_hdf5_put_text(vars, "name", "dense", 5, true);
 *     kt_hdf5_put_data(vars, "0", KT_FLOAT32, kt_dims(784, 10), kernel);
 *     kt_status st = kt_hdf5_save(w, path);   // or kt_hdf5_layout() and kt_zip_add()
 *     kt_hdf5_writer_free(w);
 *
 * What h5py writes by default (superblock 0, symbol tables, contiguous data), without times: the
 * same calls give the same bytes. The first error sticks and comes back from kt_hdf5_layout and
 * kt_hdf5_save, so that nothing else need be checked: functions that get NULL for an item do
 * nothing.
 */

typedef struct kt_hdf5_writer kt_hdf5_writer;
/** A group or a data set to be written; lives as long as its writer. */
typedef struct kt_hdf5_item kt_hdf5_item;

/** With an empty root; NULL when out of memory. */
kt_hdf5_writer *kt_hdf5_writer_new(void);
void kt_hdf5_writer_free(kt_hdf5_writer *w);
kt_hdf5_item *kt_hdf5_writer_root(kt_hdf5_writer *w);
/** The group at a path, made with all groups on the way where they are not there yet. */
kt_hdf5_item *kt_hdf5_put_group(kt_hdf5_item *under, const char *path);
/** A new data set (bfloat16 as Keras stores it). The data are borrowed until the file is written;
 * kt_hdf5_put_copy copies them. */
kt_hdf5_item *kt_hdf5_put_data(
    kt_hdf5_item *under, const char *path, kt_dtype dtype, kt_shape shape, const void *data);
kt_hdf5_item *kt_hdf5_put_copy(
    kt_hdf5_item *under, const char *path, kt_dtype dtype, kt_shape shape, const void *data);
/** An attribute that is one string of variable length: what h5py makes of a Python str (utf8) or of
 * bytes (not utf8). */
kt_status kt_hdf5_put_text(
    kt_hdf5_item *item, const char *name, const char *text, size_t n, bool utf8);
/** An attribute that is an array of strings, as Keras writes lists of names: of variable length;
 * none of them gives an empty array of float64. Above Keras' limit of 64,512 bytes it is split into
 * name0, name1, …, arrays of strings of one fixed length. */
kt_status kt_hdf5_put_names(kt_hdf5_item *item, const char *name, const char *const *v, int n);
/** An attribute that is numbers (at most 64 KiB). */
kt_status kt_hdf5_put_attr(
    kt_hdf5_item *item, const char *name, kt_dtype dtype, kt_shape shape, const void *data);
/** The file as pieces to be written one behind the other: fit for kt_zip_add(). They live as long
 * as the writer, to which nothing can be added any more. */
kt_status kt_hdf5_layout(kt_hdf5_writer *w, const kt_zip_part **parts, int *n);
/** Writes the file in the place of what is at `path`, whole or not at all. */
kt_status kt_hdf5_save(kt_hdf5_writer *w, const char *path);

#endif
