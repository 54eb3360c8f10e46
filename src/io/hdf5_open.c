/* Opening an HDF5 file: the bytes and who uses them, the superblock, the walk over all objects.
 * See hdf5.h.
 *
 * Every piece of metadata is *claimed* before it is parsed. Claims may not exceed the file in sum,
 * which bounds all work, and in the end no two of them may overlap. The walk is breadth first over
 * one array: children stand beside each other, and nothing recurses.
 *
 * Layout: HDF5 File Format Specification 3.0, section II. */
#include "io/hdf5_file.h"

#include <stdlib.h>

enum { WINDOW = 16384, SUPER_0 = 96, SUPER_1 = 100, SUPER_2 = 48 };
static const unsigned char signature[8] = {0x89, 'H', 'D', 'F', '\r', '\n', 0x1A, '\n'};

kt_status kt_h5_bad(const char *what) { return KT_FAIL(KT_EFORMAT, "hdf5: %s", what); }

kt_status kt_h5_in_file(const kt_hdf5 *h, kt_status st) {
    if (h->path) kt_error_context("in file \"%s\"", h->path);
    return st;
}

uint64_t kt_h5_uint(kt_h5_cursor *c, int bytes) {
    uint64_t v = 0;
    const unsigned char *p = kt_h5_take(c, (size_t)bytes);
    for (int i = 0; p && i < bytes; i++) v |= (uint64_t)p[i] << 8 * i;
    return v;
}

const unsigned char *kt_h5_take(kt_h5_cursor *c, size_t n) {
    if (c->bad || n > c->left) return c->bad = true, NULL;
    const unsigned char *p = c->p;
    c->p += n;
    c->at += n;
    c->left -= n;
    return p;
}

/* Bytes ------------------------------------------------------------------------------------------
 */

static kt_status check_range(const kt_hdf5 *h, uint64_t offset, uint64_t size) {
    if (offset <= h->size && size <= h->size - offset) return KT_OK;
    return KT_FAIL(
        KT_EFORMAT,
        "hdf5: something lies outside the file (%llu bytes at %llu of %llu)",
        (unsigned long long)size,
        (unsigned long long)offset,
        (unsigned long long)h->size);
}

/* Fills the window from `offset` on; `size` bytes are known to be there. */
static kt_status fill_window(kt_hdf5 *h, uint64_t offset, size_t size) {
    const uint64_t rest = h->size - offset;
    const size_t want = size > WINDOW ? size : rest < WINDOW ? (size_t)rest : WINDOW;
    if (want > h->window_cap) {
        unsigned char *w = kt_realloc(h->window, want);
        if (!w) return KT_ENOMEM;
        h->window = w;
        h->window_cap = want;
    }
    h->window_n = 0;
    const kt_status st = kt_fs_read_at(h->disk, h->base + offset, h->window, want);
    if (st) return st;
    h->window_at = offset;
    h->window_n = want;
    return KT_OK;
}

const unsigned char *kt_h5_view(kt_hdf5 *h, uint64_t offset, uint64_t size, kt_status *st) {
    *st = check_range(h, offset, size);
    if (*st) return NULL;
    if (h->memory) return h->memory + h->base + offset;
    const bool inside = offset >= h->window_at && offset - h->window_at <= h->window_n &&
                        size <= h->window_n - (offset - h->window_at);
    if (!inside) *st = fill_window(h, offset, (size_t)size);
    return *st ? NULL : h->window + (offset - h->window_at);
}

kt_source kt_h5_source(const kt_hdf5 *h, uint64_t offset, uint64_t size) {
    if (h->memory) return kt_source_of_memory(h->memory + h->base + offset, (size_t)size);
    kt_source s = kt_source_of_file(h->disk);
    s.offset = h->base + offset;
    s.left = size;
    return s;
}

kt_status kt_h5_claim(kt_hdf5 *h, uint64_t offset, uint64_t size) {
    const kt_status st = check_range(h, offset, size);
    if (st || size == 0) return st;
    if (size > h->work) return kt_h5_bad("parts of the file overlap");
    h->work -= size;
    return kt_vec_push(&h->claims, ((kt_h5_range){offset, offset + size}));
}

static int by_start(const void *a, const void *b) {
    const kt_h5_range *x = a, *y = b;
    return x->from < y->from ? -1 : x->from > y->from;
}

static kt_status check_claims(kt_hdf5 *h) {
    kt_h5_range *c = h->claims.v;
    qsort(c, (size_t)h->claims.n, sizeof *c, by_start);
    for (int i = 1; i < h->claims.n; i++)
        if (c[i].from < c[i - 1].to)
            return KT_FAIL(
                KT_EFORMAT,
                "hdf5: parts of the file overlap at offset %llu",
                (unsigned long long)c[i].from);
    return KT_OK;
}

bool kt_h5_claimed(const kt_hdf5 *h, uint64_t offset, uint64_t size) {
    int low = 0, high = h->claims.n; /* the first claim that ends behind offset */
    while (low < high) {
        const int mid = low + (high - low) / 2;
        if (h->claims.v[mid].to <= offset)
            low = mid + 1;
        else
            high = mid;
    }
    return low < h->claims.n && h->claims.v[low].from < offset + size;
}

/* Bob Jenkins' lookup3, hashlittle(), with initial value 0. */
uint32_t kt_h5_checksum(const unsigned char *p, size_t n) {
#define ROT(x, k) ((x) << (k) | (x) >> (32 - (k)))
    uint32_t a, b, c;
    a = b = c = 0xDEADBEEFu + (uint32_t)n;
    for (; n > 12; n -= 12, p += 12) {
        a += kt_le32(p);
        b += kt_le32(p + 4);
        c += kt_le32(p + 8);
        a = (a - c) ^ ROT(c, 4), c += b;
        b = (b - a) ^ ROT(a, 6), a += c;
        c = (c - b) ^ ROT(b, 8), b += a;
        a = (a - c) ^ ROT(c, 16), c += b;
        b = (b - a) ^ ROT(a, 19), a += c;
        c = (c - b) ^ ROT(b, 4), b += a;
    }
    if (n == 0) return c;
    unsigned char tail[12] = {0};
    memcpy(tail, p, n);
    a += kt_le32(tail);
    b += kt_le32(tail + 4);
    c += kt_le32(tail + 8);
    c = (c ^ b) - ROT(b, 14);
    a = (a ^ c) - ROT(c, 11);
    b = (b ^ a) - ROT(a, 25);
    c = (c ^ b) - ROT(b, 16);
    a = (a ^ c) - ROT(c, 4);
    b = (b ^ a) - ROT(a, 14);
    return (c ^ b) - ROT(b, 24);
#undef ROT
}

/* The superblock ---------------------------------------------------------------------------------
 */

static kt_status check_ends(kt_hdf5 *h, uint64_t base, uint64_t end) {
    if (base != 0)
        return KT_FAIL(KT_EUNSUPPORTED, "hdf5: a file with a user block is not supported");
    if (end > h->size)
        return KT_FAIL(
            KT_EFORMAT,
            "hdf5: the file is cut off: it should have %llu bytes and has %llu",
            (unsigned long long)end,
            (unsigned long long)h->size);
    if (end < h->size) /* another file may be hidden there; HDF5 cuts its files to their end */
        return KT_FAIL(
            KT_EREFUSED,
            "hdf5: %llu bytes follow the end of the file",
            (unsigned long long)(h->size - end));
    h->work = end;
    return KT_OK;
}

/* Versions 0 and 1: the root is a symbol table entry. */
static kt_status super_old(kt_hdf5 *h, int version, kt_h5_cursor *c, uint64_t *root) {
    const uint64_t free_space = kt_h5_uint(c, 1), root_table = kt_h5_uint(c, 1);
    kt_h5_take(c, 1);
    const uint64_t shared = kt_h5_uint(c, 1), offsets = kt_h5_uint(c, 1);
    const uint64_t lengths = kt_h5_uint(c, 1);
    kt_h5_take(c, 1);
    h->leaf_k = (int)kt_h5_uint(c, 2);
    h->internal_k = (int)kt_h5_uint(c, 2);
    kt_h5_take(c, version ? 8 : 4); /* consistency flags; K of chunks */
    const uint64_t base = kt_h5_uint(c, 8);
    kt_h5_take(c, 8); /* free space, which nobody keeps in the file */
    const uint64_t end = kt_h5_uint(c, 8), driver = kt_h5_uint(c, 8);
    kt_h5_take(c, 8); /* the root's name */
    *root = kt_h5_uint(c, 8);
    const uint64_t cached = kt_h5_uint(c, 4);
    kt_h5_take(c, 20);
    if (c->bad) return kt_h5_bad("the file ends within its superblock");
    if (free_space || root_table || shared) return kt_h5_bad("unknown versions in the superblock");
    if (offsets != 8 || lengths != 8)
        return KT_FAIL(KT_EUNSUPPORTED, "hdf5: addresses of another size than 8 bytes");
    if (!h->leaf_k || !h->internal_k) return kt_h5_bad("the superblock allows empty nodes only");
    if (driver != KT_H5_UNDEFINED)
        return KT_FAIL(KT_EUNSUPPORTED, "hdf5: a file of several parts is not supported");
    if (cached > 1) return kt_h5_bad("the root is no group");
    return check_ends(h, base, end);
}

static kt_status super_new(kt_hdf5 *h, const unsigned char *all, kt_h5_cursor *c, uint64_t *root) {
    const uint64_t offsets = kt_h5_uint(c, 1), lengths = kt_h5_uint(c, 1);
    const uint64_t flags = kt_h5_uint(c, 1), base = kt_h5_uint(c, 8);
    const uint64_t extension = kt_h5_uint(c, 8), end = kt_h5_uint(c, 8);
    *root = kt_h5_uint(c, 8);
    const uint64_t sum = kt_h5_uint(c, 4);
    if (c->bad) return kt_h5_bad("the file ends within its superblock");
    if (offsets != 8 || lengths != 8)
        return KT_FAIL(KT_EUNSUPPORTED, "hdf5: addresses of another size than 8 bytes");
    if (sum != kt_h5_checksum(all, SUPER_2 - 4))
        return kt_h5_bad("the check sum of the superblock is wrong");
    if (flags & 1) return kt_h5_bad("the file was not closed by the program that wrote it");
    if (extension != KT_H5_UNDEFINED)
        return KT_FAIL(KT_EUNSUPPORTED, "hdf5: a superblock extension is not supported");
    h->leaf_k = 4;
    h->internal_k = 16;
    return check_ends(h, base, end);
}

static kt_status read_super(kt_hdf5 *h, uint64_t *root) {
    kt_status st;
    if (h->size < sizeof signature + 1) return kt_h5_bad("not an HDF5 file: too short");
    const size_t n = h->size < SUPER_1 ? (size_t)h->size : SUPER_1;
    const unsigned char *p = kt_h5_view(h, 0, n, &st);
    if (!p) return st;
    if (memcmp(p, signature, sizeof signature) != 0)
        return kt_h5_bad("not an HDF5 file: the signature is missing");
    const int version = p[8];
    kt_h5_cursor c = {.p = p + 9, .left = n - 9, .at = 9};
    if (version > 3)
        return KT_FAIL(KT_EUNSUPPORTED, "hdf5: superblock version %d is not supported", version);
    st = version < 2 ? super_old(h, version, &c, root) : super_new(h, p, &c, root);
    return st ? st : kt_h5_claim(h, 0, version == 0 ? SUPER_0 : version == 1 ? SUPER_1 : SUPER_2);
}

/* The walk ---------------------------------------------------------------------------------------
 */

static kt_status too_many(const char *what, long long max) {
    return KT_FAIL(KT_ELIMIT, "hdf5: more than %lld %s", max, what);
}

static int by_name(const void *a, const void *b) {
    return strcmp(((const kt_h5_link *)a)->name, ((const kt_h5_link *)b)->name);
}

/* Names twice: two readers could take different ones. Symbol tables come sorted, links do not. */
static kt_status sort_links(kt_h5_links *links) {
    char quoted[KT_QUOTE_SIZE];
    qsort(links->v, (size_t)links->n, sizeof *links->v, by_name);
    for (int i = 1; i < links->n; i++) {
        const char *name = links->v[i].name;
        if (strcmp(links->v[i - 1].name, name) == 0)
            return KT_FAIL(
                KT_EFORMAT,
                "hdf5: the name \"%s\" stands twice in a group",
                kt_quote(name, strlen(name), quoted, sizeof quoted));
    }
    return KT_OK;
}

static kt_status add_children(kt_hdf5 *h, int parent, const kt_h5_links *links) {
    const int depth = h->nodes.v[parent].depth + 1;
    bool ordered = links->n > 0;
    if (links->n && depth > h->limits.depth_max)
        return too_many("groups in each other", h->limits.depth_max);
    if (h->nodes.n + (int64_t)h->attrs.n + links->n > h->limits.objects_max)
        return too_many("objects and attributes", h->limits.objects_max);
    const int first = h->nodes.n;
    for (int i = 0; i < links->n; i++) {
        const kt_h5_link *l = &links->v[i];
        const kt_hdf5_node node = {
            .file = h,
            .name = l->name,
            .parent = parent,
            .depth = depth,
            .made = l->made,
            .address = l->address};
        ordered = ordered && l->made >= 0;
        if (kt_vec_push(&h->nodes, node)) return KT_ENOMEM;
    }
    kt_hdf5_node *p = &h->nodes.v[parent];
    p->first = first;
    p->n = links->n;
    p->has_order = ordered;
    return KT_OK;
}

static kt_status visit(kt_hdf5 *h, int i) {
    kt_h5_header header = {0};
    kt_hdf5_node node = h->nodes.v[i]; /* a copy: the array may move */
    kt_status st = kt_h5_header_read(h, &node, &header);
    if (!st) h->nodes.v[i] = node;
    if (!st && header.has_table) st = kt_h5_table_read(h, header.table, header.heap, &header.links);
    if (!st && header.links.n) st = sort_links(&header.links);
    if (!st) st = add_children(h, i, &header.links);
    kt_vec_free(&header.links);
    return st;
}

/* An object that is met twice has two names, or is a group inside itself: Keras writes neither. Its
 * second visit would claim its bytes again, so that overlap is what is reported. */
static kt_status walk(kt_hdf5 *h, uint64_t root) {
    char path[KT_QUOTE_SIZE];
    const kt_hdf5_node node = {.file = h, .name = "", .parent = -1, .made = -1, .address = root};
    if (kt_vec_push(&h->nodes, node)) return KT_ENOMEM;
    for (int i = 0; i < h->nodes.n; i++) {
        kt_status st = visit(h, i);
        if (st == KT_ELIMIT && check_claims(h)) st = KT_EFORMAT; /* a group inside itself */
        if (st) {
            kt_error_context("in object \"%s\"", kt_hdf5_path(&h->nodes.v[i], path, sizeof path));
            return st;
        }
    }
    if (h->nodes.v[0].is_data) return kt_h5_bad("the root is no group");
    return check_claims(h);
}

static kt_status open_file(kt_hdf5 **out, kt_hdf5 *h, const kt_hdf5_limits *limits) {
    uint64_t root = 0;
    if (limits) h->limits = *limits;
    if (h->limits.objects_max <= 0) h->limits.objects_max = 262144;
    if (h->limits.depth_max <= 0) h->limits.depth_max = 64;
    h->arena = kt_arena_new();
    kt_status st = h->arena ? read_super(h, &root) : KT_ENOMEM;
    if (!st) st = walk(h, root);
    if (st) {
        kt_h5_in_file(h, st);
        kt_hdf5_close(h);
        return st;
    }
    *out = h;
    return KT_OK;
}

static kt_hdf5 *new_file(const char *path) {
    kt_hdf5 *h = kt_alloc(sizeof *h);
    if (!h) return NULL;
    h->opened.fd = -1;
    if (path && !(h->path = kt_strdup(path))) {
        kt_mem_free(h);
        return NULL;
    }
    return h;
}

kt_status kt_hdf5_open(kt_hdf5 **out, const char *path, const kt_hdf5_limits *limits) {
    *out = NULL;
    kt_hdf5 *h = new_file(path ? path : "");
    if (!h) return KT_ENOMEM;
    const kt_status st = kt_fs_open(&h->opened, h->path);
    if (st) {
        kt_hdf5_close(h);
        return st;
    }
    h->disk = &h->opened;
    h->size = h->opened.size;
    return open_file(out, h, limits);
}

kt_status kt_hdf5_open_memory(
    kt_hdf5 **out, const void *data, size_t size, const kt_hdf5_limits *limits) {
    *out = NULL;
    kt_hdf5 *h = new_file(NULL);
    if (!h) return KT_ENOMEM;
    h->memory = data ? data : (const void *)"";
    h->size = size;
    return open_file(out, h, limits);
}

kt_status kt_hdf5_open_owned(kt_hdf5 **out, void *data, size_t size, const kt_hdf5_limits *limits) {
    *out = NULL;
    kt_hdf5 *h = new_file(NULL);
    if (!h) {
        kt_mem_free(data);
        return KT_ENOMEM;
    }
    h->memory = h->inflated = data;
    h->size = size;
    return open_file(out, h, limits);
}

kt_status kt_hdf5_open_zip(kt_hdf5 **out, kt_zip *z, int i, const kt_hdf5_limits *limits) {
    kt_zip_bytes bytes;
    *out = NULL;
    const kt_zip_entry *e = kt_zip_entry_at(z, i);
    kt_hdf5 *h = new_file(e ? e->name : NULL);
    if (!h) return KT_ENOMEM;
    kt_status st = KT_OK;
    if (e && e->method != 0) { /* inflate: the size was checked when the archive was opened */
        h->inflated = e->size < SIZE_MAX ? kt_alloc((size_t)e->size) : NULL;
        st = h->inflated ? kt_zip_read(z, i, h->inflated) : KT_ENOMEM;
        h->memory = h->inflated;
        h->size = e->size;
    } else {
        st = kt_zip_member_bytes(z, i, &bytes, &h->base);
        if (!st) {
            h->memory = bytes.memory;
            h->disk = bytes.file;
            h->size = e->size;
        }
    }
    if (!st) return open_file(out, h, limits);
    kt_hdf5_close(h);
    return st;
}

void kt_hdf5_close(kt_hdf5 *h) {
    if (!h) return;
    for (int i = 0; i < h->heaps.n; i++) kt_mem_free(h->heaps.v[i].blobs);
    kt_vec_free(&h->heaps);
    kt_vec_free(&h->claims);
    kt_vec_free(&h->attrs);
    kt_vec_free(&h->nodes);
    kt_arena_free(h->arena);
    kt_mem_free(h->window);
    kt_mem_free(h->inflated);
    kt_mem_free(h->path);
    kt_fs_close(&h->opened);
    kt_mem_free(h);
}

bool kt_hdf5_is(const char *path) {
    unsigned char head[sizeof signature];
    kt_fs_file f;
    if (kt_fs_open(&f, path)) return false;
    const bool is = f.size >= sizeof head && !kt_fs_read_at(&f, 0, head, sizeof head) &&
                    memcmp(head, signature, sizeof head) == 0;
    kt_fs_close(&f);
    return is;
}
