/* Zip archives (.keras, .npz): reading what cannot be misread, writing stored members.
 *
 * Opening checks the whole directory (SAFETY.md, Z1 to Z13) before libzip sees the file: an archive
 * that two readers could understand differently is refused. Nothing is ever unpacked to disk. */
#ifndef KT_IO_ZIP_H
#define KT_IO_ZIP_H

#include "io/source.h"

typedef struct kt_zip kt_zip;

/** The bytes of an archive: in memory or in a file. */
typedef struct kt_zip_bytes {
    const unsigned char *memory;
    const kt_fs_file *file;
    uint64_t size;
} kt_zip_bytes;

/** Limits; 0 means the default. */
typedef struct kt_zip_options {
    uint64_t members_max;  ///< default 65,536
    uint64_t inflated_max; ///< bytes of one deflated member, default 4 GiB
    bool case_matters;     ///< allow names that differ in case only (arrays named "W" and "w")
    bool streamed;         ///< allow stored members whose sizes follow them: written into a stream
} kt_zip_options;

typedef struct kt_zip_entry {
    char *name;        /* checked: relative, no "..", valid UTF-8, no control characters */
    uint64_t size;     /* bytes of the member */
    uint64_t stored;   /* bytes it takes in the archive */
    uint64_t offset;   /* of its local header */
    uint64_t data_at;  /* offset of its bytes */
    uint64_t data_end; /* offset behind its bytes (and data descriptor) */
    uint32_t crc;
    int method; /* 0 stored, 8 deflated */
    int flags;
} kt_zip_entry;

/** Opens and checks an archive; options may be NULL. KT_EFORMAT, KT_EREFUSED, KT_ELIMIT,
 * KT_EUNSUPPORTED, or what kt_fs_open says. *out is NULL when it fails. Close with kt_zip_close. */
kt_status kt_zip_open(kt_zip **out, const char *path, const kt_zip_options *options);
/** The same over memory, which must stay. */
kt_status kt_zip_open_memory(
    kt_zip **out, const void *data, size_t size, const kt_zip_options *options);
void kt_zip_close(kt_zip *z);

int kt_zip_count(const kt_zip *z);
const kt_zip_entry *kt_zip_entry_at(const kt_zip *z, int i);
/** Index of the member of that name; -1 if there is none. */
int kt_zip_find(const kt_zip *z, const char *name);

/** A member as a source of bytes. One at a time; end with kt_zip_member_close, which checks that
 * the member was read to its end, that it has one, and the check sum. */
kt_status kt_zip_member_open(kt_zip *z, int i, kt_source *source);
kt_status kt_zip_member_close(kt_zip *z);
/** Ends the member after an error, whose message stays. */
void kt_zip_member_drop(kt_zip *z);
/** Where the bytes of a stored member are, for reading them in any order; its check sum is compared
 * now, in one pass. KT_EUNSUPPORTED for a deflated one. The archive must stay open. */
kt_status kt_zip_member_bytes(kt_zip *z, int i, kt_zip_bytes *bytes, uint64_t *offset);
/** A whole member into `data`, which has room for its size. */
kt_status kt_zip_read(kt_zip *z, int i, void *data);

/* Writing ----------------------------------------------------------------------------------------
 */

/** An archive being written. Members are stored, dates are 1980-01-01: equal contents, equal bytes.
 */
typedef struct kt_zip_writer {
    kt_fs_writer file;
    kt_str directory;
    uint64_t n;
} kt_zip_writer;

typedef struct kt_zip_part {
    const void *data;
    size_t size;
} kt_zip_part;

kt_status kt_zip_begin(kt_zip_writer *w, const char *path);
/** Adds a member made of `n` parts, one after the other. */
kt_status kt_zip_add(kt_zip_writer *w, const char *name, const kt_zip_part *parts, int n);
/** Writes the directory and puts the file in its place. */
kt_status kt_zip_commit(kt_zip_writer *w);
void kt_zip_abort(kt_zip_writer *w);

/* Between zip.c and zip_dir.c --------------------------------------------------------------------
 */

typedef struct kt_zip_dir {
    kt_zip_entry *entries;
    int n;
} kt_zip_dir;
/** KT_EREFUSED for a name that could become a path outside, KT_OK otherwise. */
kt_status kt_zip_name_check(const char *name, size_t n);

/** Reads and checks the directory. */
kt_status kt_zip_dir_read(kt_zip_dir *dir, const kt_zip_bytes *b, const kt_zip_options *options);
void kt_zip_dir_free(kt_zip_dir *dir);

#endif
