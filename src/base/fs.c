/* Files and paths over POSIX calls. See fs.h.
 *
 * Saving: a new file beside the target (a rename is atomic only within one file system), write,
 * fsync, rename, fsync of the folder. A failed fsync is an error and is never tried again: the
 * kernel may have dropped the pages and would report success. A process that is killed leaves a new
 * file behind. Whoever writes holds a lock on it, which ends with the process: the next save of the
 * same target removes what it can lock. Error texts are our own, so that they
 * do not depend on the locale and need no strerror, which is not thread-safe. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* O_CLOEXEC, realpath under -std=c11 */
#endif
#include "base/fs.h"

#include "base/mem.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static atomic_llong fs_calls_left; /* 0: no failure planned */

void kt_fs_fail_after(int64_t n) { atomic_store(&fs_calls_left, n > 0 ? n : 0); }

static bool fs_must_fail(void) {
    if (atomic_load(&fs_calls_left) <= 0 || atomic_fetch_sub(&fs_calls_left, 1) != 1) return false;
    errno = EIO;
    return true;
}

static const struct {
    int code;
    kt_status status;
    const char *text;
} fs_errors[] = {
    {ENOENT, KT_ENOTFOUND, "no such file or directory"},
    {ENOTDIR, KT_ENOTFOUND, "a part of the path is not a directory"},
    {EACCES, KT_EPERM, "permission denied"},
    {EPERM, KT_EPERM, "operation not permitted"},
    {EROFS, KT_EPERM, "the file system is read-only"},
    {EISDIR, KT_EREFUSED, "it is a directory"},
    {ELOOP, KT_EIO, "too many symbolic links"},
    {ENAMETOOLONG, KT_EIO, "the name is too long"},
    {ENOSPC, KT_EIO, "no space left on the device"},
    {EDQUOT, KT_EIO, "the disk quota is used up"},
    {EFBIG, KT_EIO, "the file would be too large"},
    {EMFILE, KT_EIO, "too many open files"},
    {ENFILE, KT_EIO, "too many open files in the system"},
    {EIO, KT_EIO, "input/output error"},
    {ENOMEM, KT_ENOMEM, "out of memory"},
};

/* Sets the error of the system call that just failed: `cannot open "x.npy": permission denied`. */
static kt_status fs_fail(const char *verb, const char *path) {
    const int code = errno;
    for (size_t i = 0; i < sizeof fs_errors / sizeof *fs_errors; i++)
        if (fs_errors[i].code == code)
            return KT_FAIL(
                fs_errors[i].status, "cannot %s \"%s\": %s", verb, path, fs_errors[i].text);
    return KT_FAIL(KT_EIO, "cannot %s \"%s\": system error %d", verb, path, code);
}

kt_status kt_fs_keras_path(kt_str *out, const char *relative) {
    const char *keras = getenv("KERAS_HOME"), *home = getenv("HOME");
    if (keras && keras[0])
        kt_str_addf(out, "%s/%s", keras, relative);
    else if (home && home[0])
        kt_str_addf(out, "%s/.keras/%s", home, relative);
    else
        return KT_FAIL(KT_ENOTFOUND, "KERAS_HOME and HOME are not set: no folder to look in");
    return out->status;
}

bool kt_fs_exists(const char *path) {
    struct stat st;
    return stat(path, &st) == 0;
}

kt_status kt_fs_make_folders(const char *path) {
    kt_str folder = {0};
    for (const char *slash = strchr(path, '/'); slash; slash = strchr(slash + 1, '/')) {
        if (slash == path) continue;
        kt_str_free(&folder);
        kt_str_addn(&folder, path, (size_t)(slash - path));
        kt_status st = folder.status;
        if (!st && mkdir(folder.s, 0777) && errno != EEXIST)
            st = fs_fail("make the folder", folder.s);
        if (!st) continue;
        kt_str_free(&folder);
        return st;
    }
    kt_str_free(&folder);
    return KT_OK;
}

/* Reading ----------------------------------------------------------------------------------------
 */

kt_status kt_fs_open(kt_fs_file *file, const char *path) {
    struct stat st;
    *file = (kt_fs_file){.fd = -1, .path = path};
    if (!path || !path[0]) return KT_FAIL(KT_EINVAL, "path: expected the name of a file, got none");
    /* O_NONBLOCK: opening a FIFO must not wait for a writer. It changes nothing for regular files.
     */
    const int fd = fs_must_fail() ? -1 : open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0) return fs_fail("open", path);
    kt_status status = KT_OK;
    if (fs_must_fail() || fstat(fd, &st) < 0)
        status = fs_fail("look at", path);
    else if (!S_ISREG(st.st_mode))
        status = KT_FAIL(
            KT_EREFUSED,
            "cannot read \"%s\": it is %s, not a regular file",
            path,
            S_ISDIR(st.st_mode) ? "a directory" : "a device or pipe");
    if (status) {
        close(fd);
        return status;
    }
    file->fd = fd;
    file->size = (uint64_t)st.st_size;
    return KT_OK;
}

#define FS_CHUNK ((size_t)1 << 30) /* some systems refuse more than 2 GiB at once */

kt_status kt_fs_read_at(const kt_fs_file *file, uint64_t offset, void *data, size_t size) {
    char *to = data;
    if (offset > file->size || size > file->size - offset)
        return KT_FAIL(
            KT_EFORMAT,
            "the file ends too early: %llu bytes wanted at offset %llu of %llu",
            (unsigned long long)size,
            (unsigned long long)offset,
            (unsigned long long)file->size);
    while (size > 0) {
        const size_t want = size < FS_CHUNK ? size : FS_CHUNK;
        const ssize_t got = fs_must_fail() ? -1 : pread(file->fd, to, want, (off_t)offset);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return fs_fail("read", file->path);
        if (got == 0) return KT_FAIL(KT_EIO, "\"%s\" became shorter while being read", file->path);
        to += got;
        offset += (uint64_t)got;
        size -= (size_t)got;
    }
    return KT_OK;
}

void kt_fs_close(kt_fs_file *file) {
    if (file->fd >= 0) close(file->fd);
    file->fd = -1;
}

kt_status kt_fs_load(unsigned char **data, size_t *size, const char *path, uint64_t limit) {
    kt_fs_file file;
    *data = NULL;
    *size = 0;
    kt_status st = kt_fs_open(&file, path);
    if (st) return st;
    if (file.size > limit || file.size >= SIZE_MAX)
        st = KT_FAIL(
            KT_ELIMIT,
            "\"%s\" has %llu bytes, over the limit of %llu",
            path,
            (unsigned long long)file.size,
            (unsigned long long)limit);
    else if (!(*data = kt_alloc((size_t)file.size + 1)))
        st = KT_ENOMEM;
    else
        st = kt_fs_read_at(&file, 0, *data, (size_t)file.size);
    if (st == KT_OK) *size = (size_t)file.size;
    kt_fs_close(&file);
    if (st) {
        kt_mem_free(*data);
        *data = NULL;
    }
    return st;
}

/* Writing ----------------------------------------------------------------------------------------
 */

/* A few hard-to-guess letters. Safety comes from O_EXCL; this only avoids collisions. */
static uint64_t fs_random(void) {
    static atomic_ullong counter;
    struct timespec now;
    uint64_t r = 0;
    const int fd = open("/dev/urandom", O_RDONLY | O_CLOEXEC);
    const bool ok = fd >= 0 && read(fd, &r, sizeof r) == (ssize_t)sizeof r;
    if (fd >= 0) close(fd);
    if (ok) return r;
    clock_gettime(CLOCK_REALTIME, &now);
    r = (uint64_t)now.tv_nsec ^ (uint64_t)getpid() << 32 ^ atomic_fetch_add(&counter, 1) << 20;
    return r * 0x9E3779B97F4A7C15u;
}

/* Is this the name of a new file for `name`: ".name.0123456789abcdef.tmp"? */
static bool is_temp_of(const char *entry, const char *name) {
    const size_t n = strnlen(name, 200);
    if (entry[0] != '.' || strncmp(entry + 1, name, n) != 0) return false;
    const char *rest = entry + 1 + n;
    return strlen(rest) == 21 && rest[0] == '.' && strspn(rest + 1, "0123456789abcdef") == 16 &&
           !strcmp(rest + 17, ".tmp");
}

/* Removes a file that a killed process left: a plain file of ours that nobody has locked. */
static void remove_stale(int folder, const char *entry) {
    struct stat st;
    const int fd = openat(folder, entry, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0) return;
    if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_nlink == 1 && st.st_uid == geteuid() &&
        flock(fd, LOCK_EX | LOCK_NB) == 0)
        unlinkat(folder, entry, 0);
    close(fd);
}

/* Best effort: what cannot be removed stays. */
static void remove_stales(const char *path, const char *name) {
    kt_str folder = {0};
    kt_str_addn(&folder, name == path ? "." : path, name == path ? 1 : (size_t)(name - path));
    DIR *d = folder.status ? NULL : opendir(folder.s);
    kt_str_free(&folder);
    if (!d) return;
    for (const struct dirent *e; (e = readdir(d));)
        if (is_temp_of(e->d_name, name)) remove_stale(dirfd(d), e->d_name);
    closedir(d);
}

/* Locks a new file. Somebody who cleans up may have been faster, between open and lock: then it is
 * gone. Where there are no locks nobody cleans up either. */
static bool lock_temp(int fd) {
    struct stat st;
    const bool locked = flock(fd, LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK;
    return locked && fstat(fd, &st) == 0 && st.st_nlink > 0;
}

/* Opens a new file beside w->path: "folder/.name.0123456789abcdef.tmp". */
static kt_status writer_open_temp(kt_fs_writer *w, mode_t mode) {
    const char *slash = strrchr(w->path, '/');
    const char *name = slash ? slash + 1 : w->path;
    remove_stales(w->path, name);
    for (int tries = 0; tries < 16; tries++) {
        kt_str temp = {0};
        kt_str_addn(&temp, w->path, (size_t)(name - w->path));
        kt_str_addf(&temp, ".%.200s.%016llx.tmp", name, (unsigned long long)fs_random());
        if (temp.status) return kt_str_free(&temp), KT_ENOMEM;
        w->fd = fs_must_fail() ? -1 : open(temp.s, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
        if (w->fd >= 0 && lock_temp(w->fd)) {
            w->temp = temp.s;
            return KT_OK;
        }
        const int code = w->fd >= 0 ? EEXIST : errno;
        if (w->fd >= 0) unlink(temp.s), close(w->fd);
        w->fd = -1;
        kt_str_free(&temp);
        errno = code;
        if (code != EEXIST) break;
    }
    return fs_fail("write", w->path);
}

kt_status kt_fs_begin(kt_fs_writer *w, const char *path) {
    struct stat st;
    *w = (kt_fs_writer){.fd = -1};
    if (!path || !path[0]) return KT_FAIL(KT_EINVAL, "path: expected the name of a file, got none");
    const bool there = stat(path, &st) == 0;
    if (there && S_ISDIR(st.st_mode)) return errno = EISDIR, fs_fail("write", path);
    /* Writing through a symbolic link keeps the link, as open() would. */
    char *real = there ? realpath(path, NULL) : NULL;
    if (there && !real) return fs_fail("write", path);
    w->path = kt_strdup(real ? real : path);
    kt_mem_free(real); /* the C allocator is behind kt_mem_free too */
    if (!w->path) return KT_ENOMEM;
    kt_status status = KT_OK;
    if (there && !S_ISREG(st.st_mode)) {
        w->fd = fs_must_fail() ? -1 : open(path, O_WRONLY | O_CLOEXEC);
        if (w->fd < 0) status = fs_fail("write", path);
    } else {
        status = writer_open_temp(w, 0666);
        /* Best effort: the file may belong to somebody else, who then gets our default mode. */
        if (!status && there && fchmod(w->fd, st.st_mode & 0777) < 0) errno = 0;
    }
    if (status) kt_fs_abort(w);
    return status;
}

kt_status kt_fs_put(kt_fs_writer *w, const void *data, size_t size) {
    const char *from = data;
    while (size > 0) {
        const size_t want = size < FS_CHUNK ? size : FS_CHUNK;
        const ssize_t put = fs_must_fail() ? -1 : write(w->fd, from, want);
        if (put < 0 && errno == EINTR) continue;
        if (put < 0) return fs_fail("write", w->path);
        from += put;
        w->size += (uint64_t)put;
        size -= (size_t)put;
    }
    return KT_OK;
}

/* Makes the rename itself durable. File systems that cannot sync folders say EINVAL: nothing to do.
 */
static kt_status sync_folder(const char *path) {
    const char *slash = strrchr(path, '/');
    kt_str folder = {0};
    kt_str_addn(&folder, slash ? path : ".", slash ? (size_t)(slash - path) + 1 : 1);
    if (folder.status) return kt_str_free(&folder), KT_ENOMEM;
    kt_status st = KT_OK;
    const int fd = fs_must_fail() ? -1 : open(folder.s, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0 && errno != EACCES) st = fs_fail("open", folder.s); /* EACCES: write-only folder */
    if (fd >= 0 && (fs_must_fail() || fsync(fd) < 0) && errno != EINVAL)
        st = fs_fail("sync", folder.s);
    if (fd >= 0) close(fd);
    kt_str_free(&folder);
    return st;
}

kt_status kt_fs_commit(kt_fs_writer *w) {
    kt_status st = KT_OK;
    if (w->temp && (fs_must_fail() || fsync(w->fd) < 0)) st = fs_fail("sync", w->path);
    const int fd = w->fd, locked = w->temp ? fcntl(fd, F_DUPFD_CLOEXEC, 0) : -1; /* till renamed */
    w->fd = -1;
    if (close(fd) < 0 && errno != EINTR && !st) st = fs_fail("close", w->path);
    if (!st && w->temp && locked < 0) st = fs_fail("lock", w->path);
    if (!st && w->temp) {
        if (fs_must_fail() || rename(w->temp, w->path) < 0) {
            st = fs_fail("replace", w->path);
        } else {
            kt_mem_free(w->temp); /* there is nothing left to remove */
            w->temp = NULL;
            st = sync_folder(w->path);
        }
    }
    if (locked >= 0) close(locked);
    kt_fs_abort(w);
    return st;
}

void kt_fs_abort(kt_fs_writer *w) {
    if (w->fd >= 0) close(w->fd);
    if (w->temp) unlink(w->temp);
    kt_mem_free(w->temp);
    kt_mem_free(w->path);
    *w = (kt_fs_writer){.fd = -1};
}

kt_status kt_fs_save(const char *path, const void *data, size_t size) {
    kt_fs_writer w;
    kt_status st = kt_fs_begin(&w, path);
    if (!st) st = kt_fs_put(&w, data, size);
    if (!st) return kt_fs_commit(&w);
    kt_fs_abort(&w);
    return st;
}
