/* Byte sources. See source.h. */
#include "io/source.h"

#include <stdio.h>

static kt_status memory_read(kt_source *s, void *data, size_t size) {
    if (size) memcpy(data, s->memory + s->offset, size);
    s->offset += size;
    return KT_OK;
}

static kt_status file_read(kt_source *s, void *data, size_t size) {
    const kt_status st = kt_fs_read_at(s->file, s->offset, data, size);
    s->offset += size;
    return st;
}

kt_source kt_source_of_memory(const void *data, size_t size) {
    return (kt_source){.read = memory_read, .left = size, .memory = data};
}

kt_source kt_source_of_file(const kt_fs_file *file) {
    return (kt_source){.read = file_read, .left = file->size, .file = file};
}

kt_status kt_source_read(kt_source *s, void *data, size_t size) {
    if (size > s->left)
        return KT_FAIL(
            KT_EFORMAT,
            "the data end too early: %llu bytes more are wanted, %llu are left",
            (unsigned long long)size,
            (unsigned long long)s->left);
    const kt_status st = s->read(s, data, size);
    if (!st && s->left != KT_SOURCE_UNKNOWN) s->left -= size;
    return st;
}

const char *kt_quote(const char *text, size_t n, char *buf, size_t size) {
    size_t at = 0;
    for (size_t i = 0; i < n; i++) {
        const unsigned char c = (unsigned char)text[i];
        const bool plain = c >= 0x20 && c < 0x7F && c != '\\';
        if (at + (plain ? 1 : 4) + 4 > size) { /* room for "..." */
            at += (size_t)snprintf(buf + at, size - at, "...");
            break;
        }
        at += (size_t)snprintf(buf + at, size - at, plain ? "%c" : "\\x%02x", c);
    }
    buf[at < size ? at : size - 1] = 0;
    return buf;
}
