/* Where readers get their bytes: in order, from a file, from memory or from a member of an archive.
 *
 * Readers never see a length that they may trust: every read says how many bytes it wants and gets
 * all of them or an error, and `left` bounds what a size found in a header may claim. */
#ifndef KT_IO_SOURCE_H
#define KT_IO_SOURCE_H

#include "base/fs.h"

#include <string.h>

#define KT_SOURCE_UNKNOWN UINT64_MAX /* a compressed stream: the end is where it ends */

typedef struct kt_source kt_source;
struct kt_source {
    kt_status (*read)(kt_source *self, void *data, size_t size);
    uint64_t left; /* bytes not read yet */
    /* What read() needs: one of these. */
    const unsigned char *memory;
    const kt_fs_file *file;
    uint64_t offset;
    void *stream;
};

kt_source kt_source_of_memory(const void *data, size_t size);
/** The file must stay open. */
kt_source kt_source_of_file(const kt_fs_file *file);
/** Exactly `size` bytes; KT_EFORMAT when fewer are left. */
kt_status kt_source_read(kt_source *s, void *data, size_t size);

/* Little-endian and big-endian integers at p, whose bytes the caller has checked to exist. */
static inline uint16_t kt_le16(const unsigned char *p) { return (uint16_t)(p[0] | p[1] << 8); }
static inline uint32_t kt_le32(const unsigned char *p) {
    return (uint32_t)kt_le16(p) | (uint32_t)kt_le16(p + 2) << 16;
}
static inline uint64_t kt_le64(const unsigned char *p) {
    return (uint64_t)kt_le32(p) | (uint64_t)kt_le32(p + 4) << 32;
}
static inline uint32_t kt_be32(const unsigned char *p) {
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

/** Text from a file made fit for a message: control characters and bytes that are no ASCII become
 * \xNN, long text is cut. Returns buf. */
const char *kt_quote(const char *text, size_t n, char *buf, size_t size);
#define KT_QUOTE_SIZE 160

#endif
