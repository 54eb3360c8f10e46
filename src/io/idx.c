/* IDX reader over zlib. See idx.h.
 *
 * The sizes in the header are checked before memory is asked for: against the bytes that exist, or,
 * in a compressed file, against the 1032 bytes that deflate can make of one. Then exactly so many
 * bytes are read, the check sum is verified, and anything that follows is an error. */
#include "io/idx.h"

#include "base/mem.h"
#include "io/elem.h"

#include <zlib.h>

#define IDX_FILE_MAX ((uint64_t)1 << 30)
#define DEFLATE_RATIO_MAX 1032 /* 258 bytes from a code of 2 bits */

/* zlib asks us for memory too, so that failing allocations are tested here as everywhere. */
static voidpf gz_alloc(voidpf unused, uInt n, uInt size) {
    (void)unused;
    return kt_alloc_array((int64_t)n, size);
}
static void gz_free(voidpf unused, voidpf p) {
    (void)unused;
    kt_mem_free(p);
}

static kt_status gz_fail(const z_stream *z, int code) {
    if (code == Z_MEM_ERROR) return KT_FAIL(KT_ENOMEM, "out of memory in zlib");
    if (code == Z_BUF_ERROR) return KT_FAIL(KT_EFORMAT, "the compressed data end too early");
    return KT_FAIL(
        KT_EFORMAT, "the compressed data are damaged: %s", z->msg ? z->msg : "no stream");
}

/* Exactly `size` bytes. The input is all in memory (at most IDX_FILE_MAX, which fits avail_in). */
static kt_status gz_read(kt_source *s, void *data, size_t size) {
    z_stream *z = s->stream;
    unsigned char *to = data;
    while (size > 0) {
        z->next_out = to;
        z->avail_out = size < IDX_FILE_MAX ? (uInt)size : (uInt)IDX_FILE_MAX;
        const uInt wanted = z->avail_out;
        const int code = inflate(z, Z_NO_FLUSH);
        const uInt got = wanted - z->avail_out;
        to += got;
        size -= got;
        if (size == 0) return KT_OK;
        if (code == Z_STREAM_END) return KT_FAIL(KT_EFORMAT, "the data end too early");
        if (code != Z_OK) return gz_fail(z, code);
    }
    return KT_OK;
}

/* After the last element: the end of the stream with a right check sum, and nothing behind it. */
static kt_status gz_finish(z_stream *z) {
    unsigned char extra;
    z->next_out = &extra;
    z->avail_out = 1;
    const int code = inflate(z, Z_FINISH);
    if (z->avail_out == 0) return KT_FAIL(KT_EFORMAT, "there are more data than the header says");
    if (code != Z_STREAM_END) return gz_fail(z, code == Z_OK ? Z_BUF_ERROR : code);
    if (z->avail_in) return KT_FAIL(KT_EFORMAT, "%u bytes follow the compressed data", z->avail_in);
    return KT_OK;
}

static kt_status idx_header(kt_source *s, kt_elem *e, kt_shape *shape) {
    static const struct {
        unsigned char code;
        kt_elem elem;
    } types[] = {
        {0x08, {'u', 1, true}},
        {0x09, {'i', 1, true}},
        {0x0B, {'i', 2, true}},
        {0x0C, {'i', 4, true}},
        {0x0D, {'f', 4, true}},
        {0x0E, {'f', 8, true}},
    };
    unsigned char magic[4], dim[4];
    kt_status st = kt_source_read(s, magic, sizeof magic);
    if (st) return st;
    e->kind = 0;
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (types[i].code == magic[2]) *e = types[i].elem;
    if (magic[0] || magic[1] || !e->kind || magic[3] > KT_MAX_RANK) {
        KT_FAIL(KT_EFORMAT, "not an IDX file");
        kt_error_expected(
            "bytes 0 0 TYPE NDIM with TYPE 8, 9, 11 to 14 and NDIM <= %d", KT_MAX_RANK);
        return kt_error_got("bytes %d %d %d %d", magic[0], magic[1], magic[2], magic[3]);
    }
    *shape = (kt_shape){.ndim = magic[3]};
    for (int i = 0; i < shape->ndim; i++) {
        st = kt_source_read(s, dim, sizeof dim);
        if (st) return st;
        shape->dim[i] = kt_be32(dim);
    }
    return KT_OK;
}

/* `most` is how many bytes of data the file can hold at all. */
static kt_status idx_array(kt_source *s, uint64_t most, kt_tensor **out) {
    kt_elem e;
    kt_shape shape;
    char text[KT_SHAPE_STR];
    kt_status st = idx_header(s, &e, &shape);
    if (st) return st;
    const int64_t n = kt_shape_size(&shape);
    if (n < 0 || (uint64_t)n > most / (uint64_t)e.size) {
        KT_FAIL(KT_EFORMAT, "the header of the IDX file claims more data than the file can hold");
        kt_error_expected("at most %llu bytes", (unsigned long long)most);
        return kt_error_got(
            "shape %s of %d bytes each", kt_shape_str(&shape, text, sizeof text), e.size);
    }
    *out = kt_tensor_new(kt_elem_dtype(&e), shape, NULL);
    if (kt_failed(*out)) return kt_check(*out);
    return kt_elem_read(s, &e, kt_tensor_data(*out), n);
}

static kt_status idx_plain(const unsigned char *data, size_t size, kt_tensor **out) {
    kt_source s = kt_source_of_memory(data, size);
    const kt_status st = idx_array(&s, size, out);
    if (st || s.left == 0) return st;
    return KT_FAIL(
        KT_EFORMAT, "%llu bytes follow the data of the IDX file", (unsigned long long)s.left);
}

static kt_status idx_gzip(const unsigned char *data, size_t size, kt_tensor **out) {
    z_stream z = {.zalloc = gz_alloc, .zfree = gz_free};
    if (size > IDX_FILE_MAX) return KT_FAIL(KT_ELIMIT, "IDX files above 1 GiB are not read");
    z.next_in = (Bytef *)(uintptr_t)data;
    z.avail_in = (uInt)size;
    if (inflateInit2(&z, 16 + MAX_WBITS) != Z_OK)
        return KT_FAIL(KT_ENOMEM, "out of memory in zlib");
    kt_source s = {.read = gz_read, .left = KT_SOURCE_UNKNOWN, .stream = &z};
    kt_status st = idx_array(&s, (uint64_t)size * DEFLATE_RATIO_MAX, out);
    if (!st) st = gz_finish(&z);
    inflateEnd(&z);
    return st;
}

kt_tensor *kt_idx_parse(const void *data, size_t size) {
    const unsigned char *bytes = data;
    kt_tensor *t = NULL;
    const bool gzip = size >= 2 && bytes[0] == 0x1F && bytes[1] == 0x8B;
    const kt_status st = gzip ? idx_gzip(bytes, size, &t) : idx_plain(bytes, size, &t);
    if (st == KT_OK) return t;
    kt_free(t);
    return kt_fail_object(st);
}

kt_tensor *kt_idx_read(const char *path) {
    unsigned char *data;
    size_t size;
    const kt_status st = kt_fs_load(&data, &size, path, IDX_FILE_MAX);
    if (st) return kt_fail_object(st);
    kt_tensor *t = kt_idx_parse(data, size);
    kt_mem_free(data);
    if (kt_failed(t)) kt_error_context("in file \"%s\"", path);
    return t;
}
