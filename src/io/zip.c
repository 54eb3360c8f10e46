/* Reading archives through libzip, behind our own look at the directory. See zip.h.
 *
 * libzip then opens the same file descriptor (not the path a second time) with its consistency
 * checks on, and must see the same members. Members are read in order, straight to where the caller
 * wants them. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* F_DUPFD_CLOEXEC */
#endif
#include "io/zip.h"

#include "base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <libdeflate.h>
#include <unistd.h>
#include <zip.h>

struct kt_zip {
    kt_fs_file file;
    kt_zip_bytes bytes;
    kt_zip_dir dir;
    zip_t *archive;
    zip_file_t *member; /* the one being read */
    uint64_t left;      /* bytes of it not read yet */
    const kt_zip_entry *entry;
};

static kt_status from_libzip(zip_error_t *e, const char *what) {
    const int code = zip_error_code_zip(e);
    const kt_status st = code == ZIP_ER_MEMORY                             ? KT_ENOMEM
                         : errno == ENOMEM /* it does not always say so */ ? KT_ENOMEM
                         : code == ZIP_ER_READ || code == ZIP_ER_SEEK      ? KT_EIO
                         : code == ZIP_ER_COMPNOTSUPP || code == ZIP_ER_ENCRNOTSUPP
                             ? KT_EUNSUPPORTED
                             : KT_EFORMAT;
    KT_FAIL(st, "zip: %s: %s", what, zip_error_strerror(e));
    zip_error_fini(e);
    return st;
}

/* The same members in the same order with the same sizes, or somebody is being fooled. */
static kt_status compare(const kt_zip *z) {
    if (zip_get_num_entries(z->archive, 0) != z->dir.n)
        return KT_FAIL(KT_EFORMAT, "zip: two readings of the directory differ in length");
    for (int i = 0; i < z->dir.n; i++) {
        const kt_zip_entry *e = &z->dir.entries[i];
        zip_stat_t s;
        if (zip_stat_index(z->archive, (zip_uint64_t)i, ZIP_FL_ENC_RAW, &s) < 0)
            return from_libzip(zip_get_error(z->archive), "cannot look at a member");
        if (strcmp(s.name, e->name) != 0 || s.size != e->size || s.comp_size != e->stored ||
            s.crc != e->crc || s.comp_method != e->method)
            return KT_FAIL(KT_EFORMAT, "zip: two readings of the directory differ in entry %d", i);
    }
    return KT_OK;
}

static kt_status open_archive(kt_zip *z, const void *data, size_t size) {
    zip_error_t error;
    zip_error_init(&error);
    errno = 0;
    zip_source_t *source = NULL;
    if (data) {
        source = zip_source_buffer_create(data, size, 0, &error);
    } else {
        const int fd = fcntl(z->file.fd, F_DUPFD_CLOEXEC, 0);
        FILE *stream = fd < 0 ? NULL : fdopen(fd, "rb");
        if (!stream && fd >= 0) close(fd);
        if (!stream && errno == ENOMEM) return KT_FAIL(KT_ENOMEM, "zip: out of memory");
        if (!stream) return KT_FAIL(KT_EIO, "zip: cannot open the file a second time");
        source = zip_source_filep_create(stream, 0, -1, &error);
        if (!source) fclose(stream);
    }
    if (!source) return from_libzip(&error, "cannot open the archive");
    z->archive = zip_open_from_source(source, ZIP_RDONLY | ZIP_CHECKCONS, &error);
    if (!z->archive) {
        zip_source_free(source);
        return from_libzip(&error, "cannot open the archive");
    }
    zip_error_fini(&error);
    return compare(z);
}

static kt_status open_any(
    kt_zip **out, const char *path, const void *data, size_t size, const kt_zip_options *options) {
    kt_zip_options o = options ? *options : (kt_zip_options){0};
    if (!o.members_max || o.members_max > INT32_MAX) o.members_max = 65536;
    if (!o.inflated_max) o.inflated_max = (uint64_t)4 << 30;
    *out = NULL;
    kt_zip *z = kt_alloc(sizeof *z);
    if (!z) return KT_ENOMEM;
    z->file.fd = -1;
    kt_status st = path ? kt_fs_open(&z->file, path) : KT_OK;
    z->bytes = (kt_zip_bytes){
        .memory = data, .file = path ? &z->file : NULL, .size = path ? z->file.size : size};
    if (!st) {
        st = kt_zip_dir_read(&z->dir, &z->bytes, &o);
        if (!st) st = open_archive(z, data, size);
        if (st && path) kt_error_context("in file \"%s\"", path);
    }
    if (st)
        kt_zip_close(z);
    else
        *out = z;
    return st;
}

kt_status kt_zip_open(kt_zip **out, const char *path, const kt_zip_options *options) {
    return open_any(out, path ? path : "", NULL, 0, options);
}

kt_status kt_zip_open_memory(
    kt_zip **out, const void *data, size_t size, const kt_zip_options *options) {
    return open_any(out, NULL, data ? data : "", size, options);
}

void kt_zip_close(kt_zip *z) {
    if (!z) return;
    if (z->member) zip_fclose(z->member);
    if (z->archive) zip_discard(z->archive);
    kt_fs_close(&z->file);
    kt_zip_dir_free(&z->dir);
    kt_mem_free(z);
}

int kt_zip_count(const kt_zip *z) { return z->dir.n; }

const kt_zip_entry *kt_zip_entry_at(const kt_zip *z, int i) {
    return i >= 0 && i < z->dir.n ? &z->dir.entries[i] : NULL;
}

int kt_zip_find(const kt_zip *z, const char *name) {
    for (int i = 0; i < z->dir.n; i++)
        if (strcmp(z->dir.entries[i].name, name) == 0) return i;
    return -1;
}

/* Up to `size` bytes; less only at the end of the member. libzip verifies the check sum there. */
static kt_status member_some(kt_zip *z, void *data, size_t size, size_t *got) {
    char quoted[KT_QUOTE_SIZE];
    errno = 0;
    const zip_int64_t n = zip_fread(z->member, data, size);
    *got = n > 0 ? (size_t)n : 0;
    if (n >= 0) return KT_OK;
    const char *name = z->entry->name;
    from_libzip(zip_file_get_error(z->member), "cannot read a member");
    return kt_error_context(
        "in member \"%s\"", kt_quote(name, strlen(name), quoted, sizeof quoted));
}

static kt_status member_read(kt_source *s, void *data, size_t size) {
    kt_zip *z = s->stream;
    char *to = data;
    z->left -= size;
    while (size > 0) {
        size_t got;
        const kt_status st = member_some(z, to, size, &got);
        if (st) return st;
        if (got == 0) return KT_FAIL(KT_EFORMAT, "zip: a member is shorter than it declares");
        to += got;
        size -= got;
    }
    return KT_OK;
}

kt_status kt_zip_member_open(kt_zip *z, int i, kt_source *source) {
    char quoted[KT_QUOTE_SIZE];
    const kt_zip_entry *e = kt_zip_entry_at(z, i);
    if (!e) return KT_FAIL(KT_ENOTFOUND, "zip: no member %d", i);
    if (z->member) return KT_FAIL(KT_ESTATE, "zip: another member is being read");
    const size_t n = strlen(e->name);
    if (e->name[n - 1] == '/')
        return KT_FAIL(
            KT_EREFUSED, "zip: \"%s\" is a folder", kt_quote(e->name, n, quoted, sizeof quoted));
    errno = 0;
    z->member = zip_fopen_index(z->archive, (zip_uint64_t)i, 0);
    if (!z->member) return from_libzip(zip_get_error(z->archive), "cannot open a member");
    z->entry = e;
    z->left = e->size;
    *source = (kt_source){.read = member_read, .left = e->size, .stream = z};
    return KT_OK;
}

kt_status kt_zip_member_close(kt_zip *z) {
    unsigned char extra;
    size_t got = 0;
    kt_status st = KT_OK;
    if (!z->member) return KT_OK;
    if (z->left > 0)
        st = KT_FAIL(
            KT_EFORMAT,
            "zip: %llu bytes of a member were not expected",
            (unsigned long long)z->left);
    else
        st = member_some(z, &extra, 1, &got); /* at the end libzip compares the check sum */
    if (!st && got) st = KT_FAIL(KT_EFORMAT, "zip: a member is longer than it declares");
    kt_zip_member_drop(z);
    return st;
}

void kt_zip_member_drop(kt_zip *z) {
    if (z->member) zip_fclose(z->member);
    z->member = NULL;
}

kt_status kt_zip_read(kt_zip *z, int i, void *data) {
    kt_source s = {0};
    kt_status st = kt_zip_member_open(z, i, &s);
    if (st) return st;
    st = kt_source_read(&s, data, (size_t)s.left);
    if (!st) return kt_zip_member_close(z);
    kt_zip_member_drop(z);
    return st;
}

/* Straight from the file and in large blocks: libzip's own sum takes longer than all the rest of
 * loading a model. */
static kt_status sum_of(const kt_zip_bytes *b, uint64_t offset, uint64_t n, uint32_t *crc) {
    enum { BLOCK = 256 << 10 };
    *crc = 0;
    if (b->memory) {
        if (n) *crc = libdeflate_crc32(0, b->memory + offset, (size_t)n);
        return KT_OK;
    }
    unsigned char *block = kt_alloc(BLOCK);
    kt_status st = block ? KT_OK : KT_ENOMEM;
    while (!st && n > 0) {
        const size_t step = n < BLOCK ? (size_t)n : BLOCK;
        st = kt_fs_read_at(b->file, offset, block, step);
        if (!st) *crc = libdeflate_crc32(*crc, block, step);
        offset += step;
        n -= step;
    }
    kt_mem_free(block);
    return st;
}

kt_status kt_zip_member_bytes(kt_zip *z, int i, kt_zip_bytes *bytes, uint64_t *offset) {
    char quoted[KT_QUOTE_SIZE];
    const kt_zip_entry *e = kt_zip_entry_at(z, i);
    if (!e) return KT_FAIL(KT_ENOTFOUND, "zip: no member %d", i);
    if (e->method != 0)
        return KT_FAIL(KT_EUNSUPPORTED, "zip: a deflated member cannot be read in any order");
    uint32_t crc;
    *offset = e->data_at;
    *bytes = z->bytes;
    const kt_status st = sum_of(&z->bytes, *offset, e->stored, &crc);
    if (st || crc == e->crc) return st;
    KT_FAIL(KT_EFORMAT, "zip: cannot read a member: CRC error");
    return kt_error_context(
        "in member \"%s\"", kt_quote(e->name, strlen(e->name), quoted, sizeof quoted));
}
