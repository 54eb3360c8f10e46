/* Dense storage of HDF5: where a group with many links, or an object with many attributes, keeps
 * them. See hdf5.h.
 *
 * The messages stand in a fractal heap: blocks whose sizes double from row to row, together one
 * space of addresses. A B-tree of version 2 lists them by the hash of their names, a second one, if
 * there is one, in the order in which they were made. Both must list the same, in order, each
 * message once and none in the place of another; blocks and nodes are claimed, which bounds all
 * work. Recursion ends where the format does: 64 rows, 16 levels.
 *
 * Layout: HDF5 File Format Specification 3.0, III.G (fractal heap), III.A.2 (B-tree). */
#include "io/hdf5_file.h"

#include <stdlib.h>

enum {
    HEAP_SIZE = 146,
    TREE_SIZE = 38,
    NODE_REST = 10, /* signature, version, type, check sum */
    LEVEL_MAX = 16,
    LINK_ID = 7,
    ATTR_ID = 8,
    HUGE_RECORD = 24,
    TREE_HUGE = 1,
    TREE_LINKS = 5,
    TREE_LINKS_MADE = 6,
    TREE_ATTRS = 8,
    TREE_ATTRS_MADE = 9,
};

typedef struct block { /* a direct block: its place among the heap's addresses, and in the file */
    uint64_t from, size, at;
} block;

typedef struct heap {
    kt_hdf5 *h;
    uint64_t address;
    int id, offset_bytes, length_bytes, bits;
    bool summed; /* direct blocks have check sums */
    uint64_t width, start, direct_max, objects, huge_tree;
    int direct_rows;
    KT_VEC(block) blocks;
    kt_str huge; /* records of the tree of huge objects */
} heap;

typedef struct tree {
    kt_hdf5 *h;
    int type;
    uint64_t node, record, n;
    uint64_t most[LEVEL_MAX + 1]; /* records of a node at this depth; 0: a leaf */
    int count_bytes, total_bytes[LEVEL_MAX + 1];
    kt_str records; /* in their order */
} tree;

static int log2_of(uint64_t v) {
    int n = 0;
    while (v >>= 1) n++;
    return n;
}

/* Bytes for numbers up to v. */
static int bytes_for(uint64_t v) { return log2_of(v) / 8 + 1; }
static bool is_power(uint64_t v) { return v && !(v & (v - 1)); }

static uint64_t uint_at(const unsigned char *p, int bytes) {
    uint64_t v = 0;
    for (int i = 0; i < bytes; i++) v |= (uint64_t)p[i] << 8 * i;
    return v;
}

/* Claimed bytes with their signature, version 0, and the check sum behind them. */
static kt_status enter(
    kt_hdf5 *h, uint64_t address, uint64_t size, const char *sign, const unsigned char **out) {
    kt_status st;
    const unsigned char *p = kt_h5_view(h, address, size, &st);
    if (!p) return st;
    if (memcmp(p, sign, 4) != 0 || p[4] != 0)
        return kt_h5_bad("a part of dense storage without its signature");
    if (kt_h5_checksum(p, (size_t)size - 4) != kt_le32(p + size - 4))
        return kt_h5_bad("the check sum of a part of dense storage is wrong");
    *out = p;
    return KT_OK;
}

/* B-trees of version 2 ------------------------------------------------------------------------- */

static uint64_t pointer_size(const tree *t, int depth) {
    return 8 + (uint64_t)t->count_bytes + (uint64_t)(depth > 1 ? t->total_bytes[depth - 1] : 0);
}

static void tree_sizes(tree *t, int depth) {
    uint64_t all = t->most[0] = (t->node - NODE_REST) / t->record;
    t->count_bytes = bytes_for(all);
    for (int d = 1; d <= depth; d++) {
        const uint64_t pointer = pointer_size(t, d), room = t->node - NODE_REST;
        t->most[d] = room < pointer ? 0 : (room - pointer) / (t->record + pointer);
        const bool large = all > UINT64_MAX / (t->most[d] + 2);
        all = large ? UINT64_MAX : (t->most[d] + 1) * all + t->most[d];
        t->total_bytes[d] = bytes_for(all);
    }
}

static kt_status tree_node(tree *t, uint64_t address, uint64_t n, int depth);

/* A node's records with what hangs between them. `p` is a copy. */
static kt_status tree_inner(tree *t, const unsigned char *p, uint64_t n, int depth) {
    const uint64_t pointer = pointer_size(t, depth);
    const unsigned char *records = p + 6, *children = records + n * t->record;
    kt_status st = KT_OK;
    for (uint64_t i = 0; i <= n && !st; i++) {
        const unsigned char *c = children + i * pointer;
        const size_t before = t->records.n;
        st = tree_node(t, kt_le64(c), uint_at(c + 8, t->count_bytes), depth - 1);
        const uint64_t got = (t->records.n - before) / t->record;
        if (!st && depth > 1 && got != uint_at(c + 8 + t->count_bytes, t->total_bytes[depth - 1]))
            st = kt_h5_bad("a B-tree has another number of records than it says");
        if (!st && i < n)
            kt_str_addn(&t->records, (const char *)records + i * t->record, t->record);
    }
    return st ? st : t->records.status;
}

static kt_status tree_node(tree *t, uint64_t address, uint64_t n, int depth) {
    const unsigned char *p;
    if (n == 0 || n > t->most[depth]) return kt_h5_bad("a B-tree has a node of wrong size");
    const uint64_t size = 6 + n * t->record + (depth ? (n + 1) * pointer_size(t, depth) : 0);
    kt_status st = kt_h5_claim(t->h, address, t->node);
    if (!st) st = enter(t->h, address, size + 4, depth ? "BTIN" : "BTLF", &p);
    if (st) return st;
    if (p[5] != t->type) return kt_h5_bad("a B-tree has a node of another type");
    if (!depth) {
        kt_str_addn(&t->records, (const char *)p + 6, (size_t)(n * t->record));
        return t->records.status;
    }
    unsigned char *copy = kt_alloc((size_t)size);
    if (!copy) return KT_ENOMEM;
    memcpy(copy, p, (size_t)size);
    st = tree_inner(t, copy, n, depth);
    kt_mem_free(copy);
    return st;
}

/* All records of a tree, one behind the other in t->records. */
static kt_status tree_read(tree *t, kt_hdf5 *h, uint64_t address, int type, uint64_t record) {
    const unsigned char *p;
    *t = (tree){.h = h, .type = type, .record = record};
    kt_status st = kt_h5_claim(h, address, TREE_SIZE);
    if (!st) st = enter(h, address, TREE_SIZE, "BTHD", &p);
    if (st) return st;
    t->node = kt_le32(p + 6);
    const int depth = kt_le16(p + 12);
    const uint64_t root = kt_le64(p + 16), in_root = kt_le16(p + 24);
    t->n = kt_le64(p + 26);
    if (p[5] != type || kt_le16(p + 10) != record || depth > LEVEL_MAX ||
        t->node < NODE_REST + record || t->node > 1 << 20)
        return kt_h5_bad("a B-tree of version 2 that cannot be read");
    if (t->n > (uint64_t)h->limits.objects_max)
        return KT_FAIL(
            KT_ELIMIT,
            "hdf5: more than %lld objects and attributes",
            (long long)h->limits.objects_max);
    tree_sizes(t, depth);
    if (t->n || in_root) st = tree_node(t, root, in_root, depth);
    if (!st && t->records.n != t->n * record)
        st = kt_h5_bad("a B-tree has another number of records than it says");
    return st;
}

/* The fractal heap ----------------------------------------------------------------------------- */

static kt_status heap_head(heap *f, int id) {
    const unsigned char *p;
    kt_status st = kt_h5_claim(f->h, f->address, HEAP_SIZE);
    if (!st) st = enter(f->h, f->address, HEAP_SIZE, "FRHP", &p);
    if (st && st != KT_EFORMAT) return st;
    if (st) { /* one with filters is longer, its check sum elsewhere */
        const unsigned char *q = kt_h5_view(f->h, f->address, 9, &(kt_status){KT_OK});
        if (!q || memcmp(q, "FRHP", 4) != 0 || kt_le16(q + 7) == 0) return st;
        return KT_FAIL(KT_EUNSUPPORTED, "hdf5: a filtered heap");
    }
    const uint64_t length_max = kt_le32(p + 10);
    f->id = kt_le16(p + 5);
    f->summed = p[9] & 2;
    f->huge_tree = kt_le64(p + 22);
    f->objects = kt_le64(p + 70) + kt_le64(p + 86) + kt_le64(p + 102);
    f->width = kt_le16(p + 110);
    f->start = kt_le64(p + 112);
    f->direct_max = kt_le64(p + 120);
    f->bits = kt_le16(p + 128);
    if (kt_le16(p + 7) != 0) return KT_FAIL(KT_EUNSUPPORTED, "hdf5: a filtered heap");
    if (f->id != id || !is_power(f->width) || !is_power(f->start) || !is_power(f->direct_max) ||
        f->start < 32 || f->direct_max < f->start || f->direct_max > (uint64_t)1 << 31 ||
        f->bits > 56 || (uint64_t)1 << f->bits < f->direct_max || !length_max)
        return kt_h5_bad("a fractal heap that cannot be read");
    f->offset_bytes = (f->bits + 7) / 8;
    f->length_bytes = bytes_for(f->direct_max < length_max ? f->direct_max : length_max);
    f->direct_rows = log2_of(f->direct_max) - log2_of(f->start) + 2;
    if (1 + f->offset_bytes + f->length_bytes > id)
        return kt_h5_bad("a fractal heap that cannot be read");
    return KT_OK;
}

/* Signature, whose heap, which of its addresses: what all blocks begin with. */
static kt_status block_head(
    const heap *f, const unsigned char *p, const char *sign, uint64_t from) {
    if (memcmp(p, sign, 4) != 0 || p[4] != 0)
        return kt_h5_bad("a block of a heap without its signature");
    if (kt_le64(p + 5) != f->address || uint_at(p + 13, f->offset_bytes) != from)
        return kt_h5_bad("a block of another heap, or of another place");
    return KT_OK;
}

static uint64_t block_head_size(const heap *f) {
    return 13 + (uint64_t)f->offset_bytes + (f->summed ? 4 : 0);
}

static kt_status direct_block(heap *f, uint64_t address, uint64_t from, uint64_t size) {
    kt_status st = kt_h5_claim(f->h, address, size);
    const unsigned char *p = st ? NULL : kt_h5_view(f->h, address, size, &st);
    if (!p) return st;
    st = block_head(f, p, "FHDB", from);
    if (!st && f->summed) { /* over the block with 0 in its place */
        const size_t at = 13 + (size_t)f->offset_bytes;
        unsigned char *copy = kt_alloc((size_t)size);
        if (!copy) return KT_ENOMEM;
        memcpy(copy, p, (size_t)size);
        memset(copy + at, 0, 4);
        if (kt_h5_checksum(copy, (size_t)size) != kt_le32(p + at))
            st = kt_h5_bad("the check sum of a part of dense storage is wrong");
        kt_mem_free(copy);
    }
    return st ? st : kt_vec_push(&f->blocks, ((block){from, size, address}));
}

static uint64_t row_size(const heap *f, int row) { return f->start << (row ? row - 1 : 0); }

/* A table of blocks, `rows` rows of `width`, the large ones tables themselves. */
static kt_status indirect_block(heap *f, uint64_t address, uint64_t from, int rows) {
    const uint64_t n = (uint64_t)rows * f->width, head = 13 + (uint64_t)f->offset_bytes;
    const uint64_t size = head + n * 8 + 4;
    const unsigned char *p;
    if (rows < 1) return kt_h5_bad("a fractal heap has a table without rows");
    kt_status st = kt_h5_claim(f->h, address, size);
    if (!st) st = enter(f->h, address, size, "FHIB", &p);
    if (!st) st = block_head(f, p, "FHIB", from);
    unsigned char *copy = st ? NULL : kt_alloc((size_t)n * 8 + 1);
    if (!copy) return st ? st : KT_ENOMEM;
    memcpy(copy, p + head, (size_t)n * 8);
    for (uint64_t i = 0; i < n && !st; i++) {
        const int row = (int)(i / f->width);
        const uint64_t child = kt_le64(copy + i * 8), bytes = row_size(f, row);
        if (child != KT_H5_UNDEFINED)
            st = row < f->direct_rows
                     ? direct_block(f, child, from, bytes)
                     : indirect_block(
                           f, child, from, log2_of(bytes) - log2_of(f->start * f->width) + 1);
        from += bytes;
    }
    kt_mem_free(copy);
    return st;
}

/* Number of the i-th large message. */
static uint64_t huge_id(const heap *f, uint64_t i) {
    return kt_le64((const unsigned char *)f->huge.s + i * HUGE_RECORD + 16);
}

static kt_status heap_open(heap *f, int id) {
    kt_status st = heap_head(f, id), bad;
    const unsigned char *p = st ? NULL : kt_h5_view(f->h, f->address, HEAP_SIZE, &bad);
    if (!p) return st ? st : bad;
    const uint64_t root = kt_le64(p + 132);
    const int rows = kt_le16(p + 140);
    const int most = f->bits - log2_of(f->start) - log2_of(f->width) + 1;
    if (rows > (most < 0 ? 0 : most)) return kt_h5_bad("a fractal heap has too many rows");
    if (root != KT_H5_UNDEFINED)
        st = rows ? indirect_block(f, root, 0, rows) : direct_block(f, root, 0, f->start);
    if (!st && f->huge_tree != KT_H5_UNDEFINED) {
        tree t;
        st = tree_read(&t, f->h, f->huge_tree, TREE_HUGE, HUGE_RECORD);
        f->huge = t.records;
        for (uint64_t i = 1; i < t.n && !st; i++)
            if (huge_id(f, i - 1) >= huge_id(f, i))
                st = kt_h5_bad("the large messages of a heap are not in order");
    }
    return st;
}

/* Messages ------------------------------------------------------------------------------------- */

static kt_status find_managed(const heap *f, uint64_t offset, uint64_t size, kt_h5_blob *out) {
    int low = 0, high = f->blocks.n; /* the first block behind the offset */
    while (low < high) {
        const int mid = low + (high - low) / 2;
        if (f->blocks.v[mid].from <= offset)
            low = mid + 1;
        else
            high = mid;
    }
    const block *b = low ? &f->blocks.v[low - 1] : NULL;
    const uint64_t at = b ? offset - b->from : 0;
    if (!b || at < block_head_size(f) || at >= b->size || size > b->size - at || !size)
        return kt_h5_bad("a message lies outside its heap");
    *out = (kt_h5_blob){b->at + at, size};
    return KT_OK;
}

static kt_status find_huge(const heap *f, uint64_t id, kt_h5_blob *out) {
    uint64_t low = 0, high = f->huge.n / HUGE_RECORD;
    while (low < high) {
        const uint64_t mid = low + (high - low) / 2;
        if (huge_id(f, mid) < id)
            low = mid + 1;
        else
            high = mid;
    }
    if (low == f->huge.n / HUGE_RECORD || huge_id(f, low) != id)
        return kt_h5_bad("a message that is not in its heap");
    const unsigned char *r = (const unsigned char *)f->huge.s + low * HUGE_RECORD;
    *out = (kt_h5_blob){kt_le64(r), kt_le64(r + 8)};
    return out->size ? kt_h5_claim(f->h, out->offset, out->size)
                     : kt_h5_bad("a message without bytes");
}

static kt_status find_message(const heap *f, const unsigned char *id, kt_h5_blob *out) {
    const int kind = id[0] >> 4;
    if (kind == 0)
        return find_managed(
            f,
            uint_at(id + 1, f->offset_bytes),
            uint_at(id + 1 + f->offset_bytes, f->length_bytes),
            out);
    if (kind == 1) return find_huge(f, uint_at(id + 1, f->id - 1), out);
    return kt_h5_bad("a message that cannot be found in its heap");
}

static int by_offset(const void *a, const void *b) {
    const uint64_t x = ((const kt_h5_dense *)a)->at.offset, y = ((const kt_h5_dense *)b)->at.offset;
    return x < y ? -1 : x > y;
}

static kt_status check_apart(kt_h5_dense_list *list) {
    if (list->n) qsort(list->v, (size_t)list->n, sizeof *list->v, by_offset);
    for (int i = 1; i < list->n; i++) {
        const kt_h5_blob *a = &list->v[i - 1].at, *b = &list->v[i].at;
        if (b->offset - a->offset < a->size) return kt_h5_bad("messages overlap in their heap");
    }
    return KT_OK;
}

static kt_status add_messages(const heap *f, const tree *t, bool links, kt_h5_dense_list *out) {
    uint32_t last = 0;
    for (uint64_t i = 0; i < t->n; i++) {
        const unsigned char *r = (const unsigned char *)t->records.s + i * t->record;
        kt_h5_dense m = {.hash = kt_le32(links ? r : r + 13)};
        if (m.hash < last) return kt_h5_bad("the names of dense storage are not in order");
        last = m.hash;
        if (!links && r[8] & 2)
            return KT_FAIL(KT_EUNSUPPORTED, "hdf5: a message kept elsewhere (a shared attribute)");
        const kt_status st = find_message(f, links ? r + 4 : r, &m.at);
        if (st) return st;
        if (kt_vec_push(out, m)) return KT_ENOMEM;
    }
    return KT_OK;
}

static int by_id(const void *a, const void *b, void *size) {
    return memcmp(a, b, *(const size_t *)size);
}

/* The identifiers of both trees, sorted, are the same. */
static kt_status check_same(const tree *t, int at, const tree *made, int made_at, size_t id) {
    if (t->n != made->n) return kt_h5_bad("the two indices of dense storage differ");
    unsigned char *ids = kt_alloc_array((int64_t)t->n + 1, 2 * id);
    if (!ids) return KT_ENOMEM;
    unsigned char *others = ids + t->n * id;
    for (uint64_t i = 0; i < t->n; i++) {
        memcpy(ids + i * id, t->records.s + i * t->record + at, id);
        memcpy(others + i * id, made->records.s + i * made->record + made_at, id);
    }
    qsort_r(ids, (size_t)t->n, id, by_id, &id);
    qsort_r(others, (size_t)t->n, id, by_id, &id);
    const bool same = !memcmp(ids, others, (size_t)t->n * id);
    kt_mem_free(ids);
    return same ? KT_OK : kt_h5_bad("the two indices of dense storage differ");
}

static kt_status check_order(kt_hdf5 *h, const tree *t, uint64_t address, bool links) {
    tree made;
    kt_status st = links ? tree_read(&made, h, address, TREE_LINKS_MADE, 8 + LINK_ID)
                         : tree_read(&made, h, address, TREE_ATTRS_MADE, ATTR_ID + 5);
    if (!st) st = links ? check_same(t, 4, &made, 8, LINK_ID) : check_same(t, 0, &made, 0, ATTR_ID);
    kt_str_free(&made.records);
    return st;
}

kt_status kt_h5_dense_read(
    kt_hdf5 *h, const kt_h5_dense_info *info, bool links, kt_h5_dense_list *out) {
    heap f = {.h = h, .address = info->heap};
    tree t = {0};
    kt_status st = heap_open(&f, links ? LINK_ID : ATTR_ID);
    if (!st)
        st = links ? tree_read(&t, h, info->names, TREE_LINKS, 4 + LINK_ID)
                   : tree_read(&t, h, info->names, TREE_ATTRS, ATTR_ID + 9);
    if (!st && t.n != f.objects)
        st = kt_h5_bad("a heap has another number of messages than its index");
    if (!st && info->made != KT_H5_UNDEFINED) st = check_order(h, &t, info->made, links);
    if (!st) st = add_messages(&f, &t, links, out);
    if (!st) st = check_apart(out);
    kt_vec_free(&f.blocks);
    kt_str_free(&f.huge);
    kt_str_free(&t.records);
    return st;
}
