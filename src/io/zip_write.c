/* Writing archives: stored members, no dates, zip64 only where needed. See zip.h.
 *
 * Ours and not libzip's because a save must go through kt_fs_writer (fsync, rename), must not copy
 * the weights once more, and must give equal bytes for equal contents. */
#include "io/zip.h"

#include "base/mem.h"

#include <libdeflate.h>

#define DATE_1980 0x0021u /* 1 January 1980, the earliest date that zip has */
#define MODE_FILE (0100644u << 16)

static void put16(kt_str *b, unsigned v) {
    const char bytes[2] = {(char)(v & 255), (char)(v >> 8 & 255)};
    kt_str_addn(b, bytes, sizeof bytes);
}
static void put32(kt_str *b, uint32_t v) {
    put16(b, v & 0xFFFF);
    put16(b, v >> 16);
}
static void put64(kt_str *b, uint64_t v) {
    put32(b, (uint32_t)v);
    put32(b, (uint32_t)(v >> 32));
}

static uint32_t low32(uint64_t v) { return v >= UINT32_MAX ? UINT32_MAX : (uint32_t)v; }

static bool is_ascii(const char *s) {
    for (; *s; s++)
        if ((unsigned char)*s >= 0x80) return false;
    return true;
}

static uint32_t parts_crc(const kt_zip_part *parts, int n) {
    uint32_t crc = 0;
    for (int i = 0; i < n; i++)
        if (parts[i].size) crc = libdeflate_crc32(crc, parts[i].data, parts[i].size);
    return crc;
}

/* The fields that both headers share: version, flags, method, date, crc, sizes, lengths. */
static void put_common(
    kt_str *b, const char *name, uint32_t crc, uint64_t size, unsigned version, size_t n_extra) {
    put16(b, version);
    put16(b, is_ascii(name) ? 0 : 1u << 11); /* bit 11: the name is UTF-8 */
    put16(b, 0);
    put16(b, 0);
    put16(b, DATE_1980);
    put32(b, crc);
    put32(b, low32(size));
    put32(b, low32(size));
    put16(b, (unsigned)strlen(name));
    put16(b, (unsigned)n_extra);
}

static void put_local(kt_str *b, const char *name, uint32_t crc, uint64_t size) {
    const bool large = size >= UINT32_MAX;
    put32(b, 0x04034B50u);
    put_common(b, name, crc, size, large ? 45 : 20, large ? 20 : 0);
    kt_str_add(b, name);
    if (!large) return;
    put16(b, 1);
    put16(b, 16);
    put64(b, size);
    put64(b, size);
}

static void put_central(kt_str *b, const char *name, uint32_t crc, uint64_t size, uint64_t offset) {
    const bool large = size >= UINT32_MAX, far = offset >= UINT32_MAX;
    const size_t n = (large ? 16u : 0u) + (far ? 8u : 0u);
    const unsigned version = n ? 45 : 20;
    put32(b, 0x02014B50u);
    put16(b, 3u << 8 | version); /* made by unix: the mode below counts */
    put_common(b, name, crc, size, version, n ? n + 4 : 0);
    put16(b, 0); /* comment */
    put16(b, 0); /* disk */
    put16(b, 0); /* internal attributes */
    put32(b, MODE_FILE);
    put32(b, low32(offset));
    kt_str_add(b, name);
    if (!n) return;
    put16(b, 1);
    put16(b, (unsigned)n);
    if (large) put64(b, size), put64(b, size);
    if (far) put64(b, offset);
}

kt_status kt_zip_begin(kt_zip_writer *w, const char *path) {
    *w = (kt_zip_writer){0};
    return kt_fs_begin(&w->file, path);
}

kt_status kt_zip_add(kt_zip_writer *w, const char *name, const kt_zip_part *parts, int n) {
    uint64_t size = 0;
    for (int i = 0; i < n; i++) size += parts[i].size;
    kt_status st = kt_zip_name_check(name, strlen(name));
    if (st) return st;
    const uint32_t crc = parts_crc(parts, n);
    const uint64_t offset = w->file.size;
    kt_str local = {0};
    put_local(&local, name, crc, size);
    put_central(&w->directory, name, crc, size, offset);
    st = local.status ? local.status : w->directory.status;
    if (!st) st = kt_fs_put(&w->file, local.s, local.n);
    kt_str_free(&local);
    for (int i = 0; i < n && !st; i++) st = kt_fs_put(&w->file, parts[i].data, parts[i].size);
    if (!st) w->n++;
    return st;
}

static void put_end64(kt_str *b, uint64_t n, uint64_t size, uint64_t offset) {
    put32(b, 0x06064B50u);
    put64(b, 44); /* what follows */
    put16(b, 3u << 8 | 45);
    put16(b, 45);
    put32(b, 0);
    put32(b, 0);
    put64(b, n);
    put64(b, n);
    put64(b, size);
    put64(b, offset);
    put32(b, 0x07064B50u);
    put32(b, 0);
    put64(b, offset + size);
    put32(b, 1);
}

kt_status kt_zip_commit(kt_zip_writer *w) {
    kt_str *b = &w->directory;
    const uint64_t offset = w->file.size, size = b->n;
    if (w->n >= UINT16_MAX || size >= UINT32_MAX || offset >= UINT32_MAX)
        put_end64(b, w->n, size, offset);
    const unsigned n = w->n >= UINT16_MAX ? UINT16_MAX : (unsigned)w->n;
    put32(b, 0x06054B50u);
    put32(b, 0);
    put16(b, n);
    put16(b, n);
    put32(b, low32(size));
    put32(b, low32(offset));
    put16(b, 0);
    kt_status st = b->status;
    if (!st) st = kt_fs_put(&w->file, b->s, b->n);
    if (!st) st = kt_fs_commit(&w->file);
    kt_zip_abort(w);
    return st;
}

void kt_zip_abort(kt_zip_writer *w) {
    kt_fs_abort(&w->file);
    kt_str_free(&w->directory);
}
