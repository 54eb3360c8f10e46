/* Our own look at the directory of a zip archive, before libzip parses it. See zip.h.
 *
 * A zip file says everything twice (local header and central directory) and may hold bytes that
 * belong to nobody; attacks live in the difference. So: exactly one end record, which ends the
 * file; the directory ends where the end record begins; members lie side by side from offset 0 on,
 * without gap or overlap; both headers of a member agree in every field; names are relative paths
 * that cannot be misread. Only stored and deflated members, not encrypted, one disk. Cost: one
 * pass, bounded by the directory's size.
 *
 * Layout: APPNOTE.TXT 6.3.9, sections 4.3.7 (local), 4.3.12 (central), 4.3.14 to 16 (ends), 4.5.3.
 */
#include "io/zip.h"

#include "base/mem.h"

#include <stdlib.h>

enum {
    END_SIZE = 22,
    END64_SIZE = 56,
    LOCATOR_SIZE = 20,
    CENTRAL_SIZE = 46,
    LOCAL_SIZE = 30,
    COMMENT_MAX = 65535,
    NAME_MAX_BYTES = 1024,
    DEFLATE_RATIO_MAX = 1032,
};
#define SIG_LOCAL 0x04034B50u
#define SIG_CENTRAL 0x02014B50u
#define SIG_END 0x06054B50u
#define SIG_END64 0x06064B50u
#define SIG_LOCATOR 0x07064B50u
#define SIG_DESCRIPTOR 0x08074B50u
#define FLAG_DESCRIPTOR 8
#define FLAGS_REFUSED (1 | 1 << 5 | 1 << 6 | 1 << 13) /* encrypted (three ways), patched */

static kt_status bytes_at(const kt_zip_bytes *b, uint64_t offset, void *to, size_t size) {
    if (offset > b->size || size > b->size - offset)
        return KT_FAIL(
            KT_EFORMAT,
            "zip: an offset points outside the file (%llu of %llu)",
            (unsigned long long)offset,
            (unsigned long long)b->size);
    if (b->file) return kt_fs_read_at(b->file, offset, to, size);
    if (size) memcpy(to, b->memory + offset, size);
    return KT_OK;
}

static kt_status malformed(const char *what) { return KT_FAIL(KT_EFORMAT, "zip: %s", what); }

/* Names ------------------------------------------------------------------------------------------
 */

/* Length of the UTF-8 sequence at p (no overlong forms, no surrogates), 0 if it is none. */
static int utf8_length(const unsigned char *p, size_t n) {
    const unsigned char c = p[0];
    const int len = c < 0x80 ? 1 : c >= 0xC2 && c < 0xE0 ? 2 : c >= 0xE0 && c < 0xF0 ? 3 : 4;
    if ((c >= 0x80 && c < 0xC2) || c > 0xF4 || (size_t)len > n) return 0;
    for (int i = 1; i < len; i++)
        if ((p[i] & 0xC0) != 0x80) return 0;
    if (c == 0xE0 && p[1] < 0xA0) return 0;
    if (c == 0xED && p[1] > 0x9F) return 0;
    if (c == 0xF0 && p[1] < 0x90) return 0;
    if (c == 0xF4 && p[1] > 0x8F) return 0;
    return len;
}

/* One component between slashes: not empty, not "." or "..", no dot or blank at its end (which some
 * systems drop, so that two names would be one). */
static bool component_ok(const char *s, size_t n) {
    return n > 0 && s[n - 1] != '.' && s[n - 1] != ' ';
}

static const char *name_fault(const char *name, size_t n) {
    if (n == 0) return "it is empty";
    if (n > NAME_MAX_BYTES) return "it is longer than 1024 bytes";
    if (name[0] == '/') return "it is an absolute path";
    for (size_t i = 0; i < n;) {
        const unsigned char c = (unsigned char)name[i];
        const int len = utf8_length((const unsigned char *)name + i, n - i);
        if (len == 0) return "it is not valid UTF-8";
        if (c < 0x20 || c == 0x7F) return "it holds a control character";
        if (c == '\\' || (c == ':' && i == 1)) return "it holds a backslash or a drive letter";
        i += (size_t)len;
    }
    for (size_t start = 0, i = 0; i <= n; i++) {
        if (i < n && name[i] != '/') continue;
        if (i == n && start == n) break; /* "folder/" */
        if (!component_ok(name + start, i - start)) return "it holds an empty or dotted component";
        start = i + 1;
    }
    return NULL;
}

kt_status kt_zip_name_check(const char *name, size_t n) {
    char quoted[KT_QUOTE_SIZE];
    const char *fault = name_fault(name, n);
    if (!fault) return KT_OK;
    return KT_FAIL(
        KT_EREFUSED,
        "zip: the member name \"%s\" is refused: %s",
        kt_quote(name, n, quoted, sizeof quoted),
        fault);
}

/* End records ------------------------------------------------------------------------------------
 */

typedef struct {
    uint64_t position;        /* where the end records begin */
    uint64_t n, size, offset; /* of the central directory */
} zip_end;

/* Searches the tail for the end record. A second one that could be meant, or a signature hidden in
 * the comment, makes the archive ambiguous. */
static kt_status find_end(const kt_zip_bytes *b, uint64_t *position, unsigned char *record) {
    if (b->size < END_SIZE) return malformed("too short to be an archive");
    const uint64_t most = END_SIZE + COMMENT_MAX;
    const size_t n = (size_t)(b->size < most ? b->size : most);
    unsigned char *tail = kt_alloc(n);
    if (!tail) return KT_ENOMEM;
    kt_status st = bytes_at(b, b->size - n, tail, n);
    int found = 0;
    size_t at = 0;
    for (size_t i = 0; !st && i + END_SIZE <= n; i++) {
        if (kt_le32(tail + i) != SIG_END) continue;
        /* after the true end record, any further signature sits in its comment */
        if (found == 0 && i + END_SIZE + kt_le16(tail + i + 20) != n) continue;
        if (found++ == 0) at = i;
    }
    if (!st && found == 0) {
        malformed("no end record at the end of the file");
        st = kt_error_hint("the file is probably cut off: was it copied or downloaded to the end?");
    }
    if (!st && found > 1) st = malformed("more than one end record");
    if (!st) {
        *position = b->size - n + at;
        memcpy(record, tail + at, END_SIZE);
    }
    kt_mem_free(tail);
    return st;
}

/* A field of the old record must equal that of the new one, unless it is all ones ("look there").
 */
static bool agrees(uint64_t old, uint64_t ones, uint64_t now) { return old == ones || old == now; }

/* A zip64 end record and its locator stand right before the end record, or there is none. */
static kt_status read_end64(const kt_zip_bytes *b, zip_end *e) {
    unsigned char locator[LOCATOR_SIZE] = {0}, r[END64_SIZE] = {0};
    const bool wanted = e->offset == UINT32_MAX || e->size == UINT32_MAX;
    if (e->position < LOCATOR_SIZE) return wanted ? malformed("a zip64 record is missing") : KT_OK;
    kt_status st = bytes_at(b, e->position - LOCATOR_SIZE, locator, sizeof locator);
    if (st) return st;
    if (kt_le32(locator) != SIG_LOCATOR)
        return wanted ? malformed("a zip64 record is missing") : KT_OK;
    const uint64_t at = kt_le64(locator + 8);
    if (kt_le32(locator + 4) != 0 || kt_le32(locator + 16) > 1)
        return KT_FAIL(KT_EUNSUPPORTED, "zip: archives of several disks are not supported");
    st = bytes_at(b, at, r, sizeof r);
    if (st) return st;
    if (kt_le32(r) != SIG_END64 || kt_le64(r + 4) != END64_SIZE - 12 ||
        at + END64_SIZE + LOCATOR_SIZE != e->position)
        return malformed("the zip64 end record is damaged");
    if (kt_le32(r + 16) != 0 || kt_le32(r + 20) != 0 || kt_le64(r + 24) != kt_le64(r + 32))
        return KT_FAIL(KT_EUNSUPPORTED, "zip: archives of several disks are not supported");
    const uint64_t n = kt_le64(r + 32), size = kt_le64(r + 40), offset = kt_le64(r + 48);
    if (!agrees(e->n, UINT16_MAX, n) || !agrees(e->size, UINT32_MAX, size) ||
        !agrees(e->offset, UINT32_MAX, offset))
        return malformed("the end records contradict each other");
    *e = (zip_end){.position = at, .n = n, .size = size, .offset = offset};
    return KT_OK;
}

static kt_status read_end(const kt_zip_bytes *b, zip_end *e) {
    unsigned char r[END_SIZE] = {0};
    kt_status st = find_end(b, &e->position, r);
    if (st) return st;
    if (kt_le16(r + 4) != 0 || kt_le16(r + 6) != 0 || kt_le16(r + 8) != kt_le16(r + 10))
        return KT_FAIL(KT_EUNSUPPORTED, "zip: archives of several disks are not supported");
    e->n = kt_le16(r + 10);
    e->size = kt_le32(r + 12);
    e->offset = kt_le32(r + 16);
    st = read_end64(b, e);
    if (st) return st;
    if (e->offset > e->position || e->size > e->position - e->offset)
        return malformed("the directory reaches into its end record");
    if (e->offset + e->size != e->position)
        return KT_FAIL(
            KT_EREFUSED,
            "zip: %llu bytes stand before the archive or inside it that belong to no member",
            (unsigned long long)(e->position - e->offset - e->size));
    return KT_OK;
}

/* Headers ----------------------------------------------------------------------------------------
 */

/* One zip64 field. It holds the values that are all ones in the header, in the order size, stored,
 * offset; some writers (Python with force_zip64) repeat the others too, which must then be equal.
 */
static kt_status take_zip64(const unsigned char *p, size_t left, uint64_t *fields[3]) {
    size_t wanted = 0;
    for (int i = 0; i < 3; i++) wanted += fields[i] && *fields[i] == UINT32_MAX;
    const bool all = left != wanted * 8;
    for (int i = 0; i < 3; i++) {
        if (!fields[i] || (!all && *fields[i] != UINT32_MAX)) continue;
        const bool needed = *fields[i] == UINT32_MAX;
        if (left < 8 && needed) return malformed("a zip64 field is too short");
        if (left < 8) break;
        const uint64_t v = kt_le64(p);
        if (needed)
            *fields[i] = v;
        else if (v != *fields[i])
            return malformed("a zip64 field contradicts its header");
        p += 8;
        left -= 8;
    }
    if (left == 4 && kt_le32(p) == 0) left = 0; /* the disk */
    return left ? malformed("a zip64 field is too long") : KT_OK;
}

/* Completes size, stored size and offset (a NULL one stands in no field) from the extra fields. */
static kt_status apply_zip64(const unsigned char *extra, size_t n, uint64_t *fields[3]) {
    bool wanted = false, seen = false;
    for (int i = 0; i < 3; i++) wanted = wanted || (fields[i] && *fields[i] == UINT32_MAX);
    while (n >= 4) {
        const unsigned id = kt_le16(extra);
        const size_t len = kt_le16(extra + 2);
        if (len > n - 4) return malformed("an extra field is longer than its header says");
        if (id == 1) {
            if (seen) return malformed("a doubled zip64 field");
            seen = true;
            const kt_status st = take_zip64(extra + 4, len, fields);
            if (st) return st;
        }
        extra += 4 + len;
        n -= 4 + len;
    }
    if (n) return malformed("an extra field is damaged");
    return wanted && !seen ? malformed("a zip64 field is missing") : KT_OK;
}

static kt_status mode_check(const unsigned char *h, const char *name, size_t n) {
    char quoted[KT_QUOTE_SIZE];
    const bool is_folder = name[n - 1] == '/', unix_made = h[5] == 3;
    const unsigned type = unix_made ? kt_le32(h + 38) >> 28 : 0; /* S_IFMT >> 12 */
    const bool says_folder = type == 4 || (kt_le32(h + 38) & 0x10);
    if (type != 0 && type != 4 && type != 8)
        return KT_FAIL(
            KT_EREFUSED,
            "zip: member \"%s\" is a link or a device",
            kt_quote(name, n, quoted, sizeof quoted));
    if (says_folder && !is_folder)
        return KT_FAIL(
            KT_EREFUSED,
            "zip: member \"%s\" says that it is a folder",
            kt_quote(name, n, quoted, sizeof quoted));
    return KT_OK;
}

static kt_status sizes_check(const kt_zip_entry *e, const kt_zip_options *o) {
    char quoted[KT_QUOTE_SIZE];
    const size_t n = strlen(e->name);
    kt_quote(e->name, n, quoted, sizeof quoted);
    if (e->name[n - 1] == '/' && e->size)
        return KT_FAIL(KT_EREFUSED, "zip: folder \"%s\" holds data", quoted);
    if (e->method == 0 && e->size != e->stored)
        return KT_FAIL(KT_EFORMAT, "zip: the two sizes of stored member \"%s\" differ", quoted);
    if (e->method == 0) return KT_OK;
    if (e->size > o->inflated_max)
        return KT_FAIL(
            KT_ELIMIT,
            "zip: member \"%s\" declares %llu bytes, over the limit of %llu",
            quoted,
            (unsigned long long)e->size,
            (unsigned long long)o->inflated_max);
    if (e->stored == 0 || e->size / DEFLATE_RATIO_MAX > e->stored)
        return KT_FAIL(
            KT_EFORMAT,
            "zip: member \"%s\" declares more bytes than deflate can make of %llu",
            quoted,
            (unsigned long long)e->stored);
    return KT_OK;
}

static kt_status packing_check(const kt_zip_entry *e, int disk, const kt_zip_options *o) {
    const bool streamed = (e->flags & FLAG_DESCRIPTOR) && e->method == 0 && !(o && o->streamed);
    if (disk || (e->flags & FLAGS_REFUSED) || (e->method != 0 && e->method != 8))
        return KT_FAIL(
            KT_EUNSUPPORTED,
            "zip: a member is encrypted, on another disk, or packed in another way than deflate "
            "(flags 0x%x, method %d)",
            (unsigned)e->flags,
            e->method);
    if (!streamed) return KT_OK;
    KT_FAIL(KT_EUNSUPPORTED, "zip: a member that is not deflated has its size behind it");
    return kt_error_hint("it was written into a stream: unpack the archive and zip it again");
}

/* One central header at `h`, `n` bytes left; *used says how long it is. */
static kt_status read_central(
    kt_zip_entry *e, const unsigned char *h, size_t n, size_t *used, const kt_zip_options *o) {
    if (n < CENTRAL_SIZE || kt_le32(h) != SIG_CENTRAL)
        return malformed("the directory holds something that is no entry");
    const size_t n_name = kt_le16(h + 28), n_extra = kt_le16(h + 30);
    *used = CENTRAL_SIZE + n_name + n_extra + kt_le16(h + 32);
    if (*used > n) return malformed("an entry is longer than the directory");
    const char *name = (const char *)h + CENTRAL_SIZE;
    kt_status st = kt_zip_name_check(name, n_name);
    if (!st) st = mode_check(h, name, n_name);
    if (st) return st;
    e->flags = kt_le16(h + 8);
    e->method = kt_le16(h + 10);
    e->crc = kt_le32(h + 16);
    e->stored = kt_le32(h + 20);
    e->size = kt_le32(h + 24);
    e->offset = kt_le32(h + 42);
    st = packing_check(e, kt_le16(h + 34), o);
    if (st) return st;
    uint64_t *fields[3] = {&e->size, &e->stored, &e->offset};
    st = apply_zip64(h + CENTRAL_SIZE + n_name, n_extra, fields);
    if (st) return st;
    if (!(e->name = kt_alloc(n_name + 1))) return KT_ENOMEM;
    memcpy(e->name, name, n_name);
    return sizes_check(e, o);
}

/* The bytes behind a member's data when its sizes were not known in front. The signature is
 * optional. */
static kt_status read_descriptor(const kt_zip_bytes *b, kt_zip_entry *e) {
    unsigned char d[24] = {0};
    const uint64_t left = b->size - e->data_end;
    kt_status st = bytes_at(b, e->data_end, d, left < sizeof d ? (size_t)left : sizeof d);
    if (st) return st;
    const unsigned char *p = kt_le32(d) == SIG_DESCRIPTOR ? d + 4 : d;
    const bool short_form = kt_le32(p + 4) == e->stored && kt_le32(p + 8) == e->size;
    const bool long_form = p == d + 4 && kt_le64(p + 4) == e->stored && kt_le64(p + 12) == e->size;
    if (kt_le32(p) != e->crc || (!short_form && !long_form))
        return malformed("a data descriptor contradicts the directory");
    e->data_end += (uint64_t)(p - d) + (short_form ? 12 : 20);
    return KT_OK;
}

/* Everything that the directory said must stand in the local header again. */
static kt_status check_local(const kt_zip_bytes *b, kt_zip_entry *e, uint64_t limit) {
    unsigned char h[LOCAL_SIZE] = {0}, *rest;
    kt_status st = bytes_at(b, e->offset, h, sizeof h);
    if (st) return st;
    const size_t n_name = kt_le16(h + 26), n_extra = kt_le16(h + 28);
    if (kt_le32(h) != SIG_LOCAL || n_name != strlen(e->name) || kt_le16(h + 6) != e->flags ||
        kt_le16(h + 8) != e->method)
        return malformed("a local header contradicts the directory");
    if (!(rest = kt_alloc(n_name + n_extra))) return KT_ENOMEM;
    st = bytes_at(b, e->offset + LOCAL_SIZE, rest, n_name + n_extra);
    uint64_t size = kt_le32(h + 22), stored = kt_le32(h + 18);
    const uint32_t crc = kt_le32(h + 14);
    if (!st && memcmp(rest, e->name, n_name) != 0)
        st = malformed("a local header has another name than the directory");
    uint64_t *fields[3] = {&size, &stored, NULL};
    if (!st) st = apply_zip64(rest + n_name, n_extra, fields);
    kt_mem_free(rest);
    if (st) return st;
    const bool later = (e->flags & FLAG_DESCRIPTOR) && !crc && !size && !stored;
    if (!later && (size != e->size || stored != e->stored || crc != e->crc))
        return malformed("the sizes in a local header contradict the directory");
    const uint64_t start = e->offset + LOCAL_SIZE + n_name + n_extra;
    if (start > limit || e->stored > limit - start)
        return malformed("a member reaches into the directory");
    e->data_at = start;
    e->data_end = start + e->stored;
    return e->flags & FLAG_DESCRIPTOR ? read_descriptor(b, e) : KT_OK;
}

/* All members together ---------------------------------------------------------------------------
 */

static int by_offset(const void *a, const void *b) {
    const kt_zip_entry *const *x = a, *const *y = b;
    return ((*x)->offset > (*y)->offset) - ((*x)->offset < (*y)->offset);
}

static int by_name(const void *a, const void *b) {
    const kt_zip_entry *const *x = a, *const *y = b;
    return strcmp((*x)->name, (*y)->name);
}

static int lower(int c) { return c >= 'A' && c <= 'Z' ? c + 32 : c; }

static int by_folded_name(const void *a, const void *b) {
    const kt_zip_entry *const *x = a, *const *y = b;
    const char *p = (*x)->name, *q = (*y)->name;
    while (*p && lower((unsigned char)*p) == lower((unsigned char)*q)) p++, q++;
    return lower((unsigned char)*p) - lower((unsigned char)*q);
}

static kt_status check_duplicates(kt_zip_entry **sorted, int n, bool case_matters) {
    int (*const compare)(const void *, const void *) = case_matters ? by_name : by_folded_name;
    char quoted[KT_QUOTE_SIZE];
    qsort(sorted, (size_t)n, sizeof *sorted, compare);
    for (int i = 1; i < n; i++) {
        const char *name = sorted[i]->name;
        if (compare(&sorted[i - 1], &sorted[i]) == 0)
            return KT_FAIL(
                KT_EFORMAT,
                "zip: more than one member is named \"%s\"",
                kt_quote(name, strlen(name), quoted, sizeof quoted));
    }
    return KT_OK;
}

/* Side by side from 0 to the directory. */
static kt_status check_layout(kt_zip_entry **sorted, int n, uint64_t end) {
    uint64_t at = 0;
    qsort(sorted, (size_t)n, sizeof *sorted, by_offset);
    for (int i = 0; i <= n; i++) {
        const uint64_t next = i < n ? sorted[i]->offset : end;
        if (next < at) return malformed("two members share bytes");
        if (next > at)
            return KT_FAIL(
                KT_EREFUSED,
                "zip: %llu bytes at offset %llu belong to no member",
                (unsigned long long)(next - at),
                (unsigned long long)at);
        if (i < n) at = sorted[i]->data_end;
    }
    return KT_OK;
}

static kt_status read_entries(
    kt_zip_dir *dir, const kt_zip_bytes *b, const zip_end *e, const kt_zip_options *o) {
    const size_t n = (size_t)e->size;
    size_t at = 0, used = 0;
    unsigned char *bytes = kt_alloc(n);
    dir->entries = kt_alloc_array((int64_t)e->n, sizeof *dir->entries);
    kt_status st = bytes && dir->entries ? bytes_at(b, e->offset, bytes, n) : KT_ENOMEM;
    while (!st && dir->n < (int)e->n) {
        st = read_central(&dir->entries[dir->n++], bytes + at, n - at, &used, o);
        at += used;
    }
    if (!st && at != n) st = malformed("bytes follow the last entry of the directory");
    kt_mem_free(bytes);
    return st;
}

static kt_status check_members(
    kt_zip_dir *dir, const kt_zip_bytes *b, const zip_end *e, const kt_zip_options *o) {
    kt_status st = KT_OK;
    for (int i = 0; i < dir->n && !st; i++) st = check_local(b, &dir->entries[i], e->offset);
    kt_zip_entry **sorted = st ? NULL : kt_alloc_array(dir->n, sizeof(kt_zip_entry *));
    if (!sorted) return st ? st : KT_ENOMEM;
    for (int i = 0; i < dir->n; i++) sorted[i] = &dir->entries[i];
    st = check_duplicates(sorted, dir->n, o->case_matters);
    if (!st) st = check_layout(sorted, dir->n, e->offset);
    kt_mem_free(sorted);
    return st;
}

kt_status kt_zip_dir_read(kt_zip_dir *dir, const kt_zip_bytes *b, const kt_zip_options *options) {
    zip_end end = {0};
    *dir = (kt_zip_dir){0};
    kt_status st = read_end(b, &end);
    if (!st && end.n > options->members_max)
        st = KT_FAIL(
            KT_ELIMIT,
            "zip: %llu members, over the limit of %llu",
            (unsigned long long)end.n,
            (unsigned long long)options->members_max);
    if (!st && end.size / CENTRAL_SIZE < end.n) st = malformed("the directory is too short");
    /* names, extra fields and comments have at most 64 KiB each */
    if (!st && end.size > end.n * (CENTRAL_SIZE + 3 * (uint64_t)UINT16_MAX))
        st = malformed("the directory is too long");
    if (!st) st = read_entries(dir, b, &end, options);
    if (!st) st = check_members(dir, b, &end, options);
    if (st) kt_zip_dir_free(dir);
    return st;
}

void kt_zip_dir_free(kt_zip_dir *dir) {
    for (int i = 0; i < dir->n; i++) kt_mem_free(dir->entries[i].name);
    kt_mem_free(dir->entries);
    *dir = (kt_zip_dir){0};
}
