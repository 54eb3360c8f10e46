/* Files and paths. Reading checks sizes before memory is asked for; writing goes to a new file
 * beside the old one, which is replaced only when everything is on the disk: a failed save leaves
 * the old file. */
#ifndef KT_BASE_FS_H
#define KT_BASE_FS_H

#include "base/str.h"

/** Appends $KERAS_HOME (default ~/.keras), "/" and `relative`. KT_ENOTFOUND if there is no home. */
kt_status kt_fs_keras_path(kt_str *out, const char *relative);
/** Is there something at this path? */
bool kt_fs_exists(const char *path);

/** Makes the folders of a file's path that are not there yet. */
kt_status kt_fs_make_folders(const char *path);

/** A file open for reading: a regular file of known size, read by position. */
typedef struct kt_fs_file {
    int fd;
    uint64_t size;
    const char *path; /* borrowed from kt_fs_open */
} kt_fs_file;
/** KT_ENOTFOUND, KT_EPERM or KT_EIO with the reason; folders and devices are KT_EREFUSED. */
kt_status kt_fs_open(kt_fs_file *file, const char *path);
/** Exactly `size` bytes from `offset`; KT_EFORMAT beyond the end. */
kt_status kt_fs_read_at(const kt_fs_file *file, uint64_t offset, void *data, size_t size);
void kt_fs_close(kt_fs_file *file);

/** The whole file in one block (one byte of 0 behind it), free with kt_mem_free; KT_ELIMIT above
 * limit. */
kt_status kt_fs_load(unsigned char **data, size_t *size, const char *path, uint64_t limit);

/** A file being written: begin, put …, commit. kt_fs_abort() after any of them removes what is not
 * committed and is harmless after commit. Devices and pipes are written directly. */
typedef struct kt_fs_writer {
    int fd;
    char *path, *temp; /* temp is NULL when writing directly */
    uint64_t size;     /* bytes written */
} kt_fs_writer;
kt_status kt_fs_begin(kt_fs_writer *w, const char *path);
kt_status kt_fs_put(kt_fs_writer *w, const void *data, size_t size);
/** Data to disk, rename over the old file, folder to disk. */
kt_status kt_fs_commit(kt_fs_writer *w);
void kt_fs_abort(kt_fs_writer *w);
/** All of that for one block. */
kt_status kt_fs_save(const char *path, const void *data, size_t size);

/** The n-th system call of this file from now on fails with EIO (0: none does), for tests. */
void kt_fs_fail_after(int64_t n);

#endif
