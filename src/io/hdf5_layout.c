/* Writing HDF5: the bytes. See hdf5_write.c.
 *
 * Superblock, strings, then objects from the leaves to the root, so that every address is known
 * when it is written, then the data. Version 0 with symbol tables, as h5py writes by default: every
 * reader knows it. Nothing depends on time or memory addresses: equal contents, equal bytes.
 *
 * Layout: HDF5 File Format Specification 3.0, II.A, III.A.1, III.B, III.D, IV.A. */
#include "io/hdf5_writer.h"

enum {
    LEAF = 8,    /* entries of a symbol table node: twice the superblock's 4 */
    BRANCH = 32, /* children of a tree node: twice its 16 */
    SYMBOL = 40,
    LEAF_SIZE = 8 + LEAF * SYMBOL,
    BRANCH_SIZE = 24 + BRANCH * 16 + 8,
};
#define UNDEFINED UINT64_MAX

static void put_prefix(kt_str *b, int n_messages, size_t size) {
    kt_h5_put(b, 1, 2);
    kt_h5_put(b, (uint64_t)n_messages, 2);
    kt_h5_put(b, 1, 4); /* names that the object has */
    kt_h5_put(b, size, 8);
}

static void put_message(kt_str *b, unsigned kind, unsigned flags, size_t size) {
    kt_h5_put(b, kind, 2);
    kt_h5_put(b, size, 2);
    kt_h5_put(b, flags, 4);
}

static void put_attributes(kt_str *b, const kt_hdf5_item *item) {
    if (item->messages.n) kt_str_addn(b, item->messages.s, item->messages.n);
}

/* Shape, type, fill value (none), layout (contiguous), attributes. */
static void put_data(kt_str *b, kt_hdf5_item *d) {
    kt_str type = {0};
    kt_h5_put_type(&type, d->spec.dtype);
    kt_h5_pad(&type, (type.n + 7) / 8 * 8);
    const size_t n_space = 8 + 16 * (size_t)d->spec.shape.ndim;
    d->address = b->n;
    put_prefix(b, 4 + d->n_messages, 8 * 4 + n_space + type.n + 8 + 24 + d->messages.n);
    put_message(b, 1, 0, n_space);
    kt_h5_put_space(b, &d->spec.shape);
    put_message(b, 3, 1, type.n);
    if (type.status)
        b->status = type.status;
    else
        kt_str_addn(b, type.s, type.n);
    put_message(b, 5, 1, 8);
    kt_h5_put(b, 0x01020202, 8); /* version 2, space late, written if set, default */
    put_message(b, 8, 0, 24);
    kt_h5_put(b, 0x0103, 2);
    d->data_at = b->n;
    kt_h5_put(b, UNDEFINED, 8);
    kt_h5_put(b, d->bytes, 8);
    kt_h5_put(b, 0, 6);
    put_attributes(b, d);
    kt_str_free(&type);
}

/* One name of a group: offset in its heap, object, and for groups where their parts are. */
static void put_symbol(kt_str *b, const kt_hdf5_item *child, uint64_t name) {
    kt_h5_put(b, name, 8);
    kt_h5_put(b, child->address, 8);
    kt_h5_put(b, !child->is_data, 8);
    kt_h5_put(b, child->is_data ? 0 : child->tree, 8);
    kt_h5_put(b, child->is_data ? 0 : child->names, 8);
}

/* The heap of names; where each of them is goes to offsets[1 …], offset 0 is "". */
static void put_names(kt_str *b, kt_hdf5_item *g, uint64_t *offsets) {
    uint64_t size = 8;
    for (int i = 0; i < g->children.n; i++) {
        offsets[i] = size;
        size += (strlen(g->children.v[i]->name) + 8) / 8 * 8;
    }
    g->names = b->n;
    kt_str_addn(b, "HEAP\0\0\0\0", 8);
    kt_h5_put(b, size, 8);
    kt_h5_put(b, 1, 8); /* nothing is free */
    kt_h5_put(b, b->n + 8, 8);
    const size_t start = b->n;
    for (int i = 0; i < g->children.n; i++) {
        kt_h5_pad(b, start + offsets[i]);
        kt_str_add(b, g->children.v[i]->name);
    }
    kt_h5_pad(b, start + size);
}

/* One level of the tree over n nodes that stand from `below` on, each `size` bytes; `last` has for
 * each the name that ends it, and gets the same of this level. Returns how many nodes it has. */
static int put_level(kt_str *b, int level, int n, uint64_t below, size_t size, uint64_t *last) {
    const int nodes = n ? (n + BRANCH - 1) / BRANCH : 1;
    const uint64_t start = b->n;
    uint64_t before = 0; /* the name that ends the node before */
    for (int k = 0; k < nodes; k++) {
        const int from = k * BRANCH, to = from + BRANCH < n ? from + BRANCH : n;
        const size_t end = b->n + BRANCH_SIZE;
        kt_str_addn(b, "TREE\0", 5);
        kt_h5_put(b, (uint64_t)level, 1);
        kt_h5_put(b, (uint64_t)(to - from), 2);
        kt_h5_put(b, k ? start + (uint64_t)(k - 1) * BRANCH_SIZE : UNDEFINED, 8);
        kt_h5_put(b, k + 1 < nodes ? start + (uint64_t)(k + 1) * BRANCH_SIZE : UNDEFINED, 8);
        kt_h5_put(b, before, 8);
        for (int i = from; i < to; i++) {
            kt_h5_put(b, below + (uint64_t)i * size, 8);
            kt_h5_put(b, before = last[i], 8);
        }
        last[k] = before;
        kt_h5_pad(b, end);
    }
    return nodes;
}

static kt_status put_group(kt_str *b, kt_hdf5_item *g) {
    const int n = g->children.n;
    uint64_t *offsets = kt_alloc_array(n + 1, sizeof *offsets);
    if (!offsets) return KT_ENOMEM;
    put_names(b, g, offsets);
    uint64_t below = b->n;
    for (int i = 0; i < n; i += LEAF) {
        const int m = n - i < LEAF ? n - i : LEAF;
        const size_t end = b->n + LEAF_SIZE;
        kt_str_addn(b, "SNOD\1\0", 6);
        kt_h5_put(b, (uint64_t)m, 2);
        for (int k = i; k < i + m; k++) put_symbol(b, g->children.v[k], offsets[k]);
        kt_h5_pad(b, end);
        offsets[i / LEAF] = offsets[i + m - 1]; /* these are read already */
    }
    int nodes = (n + LEAF - 1) / LEAF, level = 0;
    size_t size = LEAF_SIZE;
    do {
        const uint64_t here = b->n;
        nodes = put_level(b, level++, nodes, below, size, offsets);
        below = g->tree = here;
        size = BRANCH_SIZE;
    } while (nodes > 1);
    kt_mem_free(offsets);
    g->address = b->n;
    put_prefix(b, 1 + g->n_messages, 24 + g->messages.n);
    put_message(b, 0x11, 0, 16);
    kt_h5_put(b, g->tree, 8);
    kt_h5_put(b, g->names, 8);
    put_attributes(b, g);
    return KT_OK;
}

static void put_super(kt_str *b, const kt_hdf5_item *root) {
    kt_str_addn(b, "\x89HDF\r\n\x1A\n\0\0\0\0\0\x08\x08\0", 16);
    kt_h5_put(b, LEAF / 2, 2);
    kt_h5_put(b, BRANCH / 2, 2);
    kt_h5_put(b, 0, 4);
    kt_h5_put(b, 0, 8);
    kt_h5_put(b, UNDEFINED, 8); /* nobody keeps free space */
    kt_h5_put(b, 0, 8);         /* the end: later */
    kt_h5_put(b, UNDEFINED, 8);
    put_symbol(b, root, 0);
}

/* Data sets one behind the other, each at a multiple of 8. */
static kt_status add_data(kt_hdf5_writer *w) {
    static const char zeros[8] = {0};
    uint64_t at = w->head.n;
    for (int i = 0; i < w->items.n; i++) {
        const kt_hdf5_item *d = w->items.v[i];
        if (!d->is_data || !d->bytes) continue;
        const size_t gap = (size_t)(-at & 7);
        if (gap && kt_vec_push(&w->parts, ((kt_zip_part){zeros, gap}))) return KT_ENOMEM;
        at += gap;
        kt_h5_patch(&w->head, d->data_at, at);
        if (kt_vec_push(&w->parts, ((kt_zip_part){d->data, (size_t)d->bytes}))) return KT_ENOMEM;
        at += d->bytes;
    }
    kt_h5_patch(&w->head, 40, at);
    return KT_OK;
}

static kt_status layout(kt_hdf5_writer *w) {
    kt_str *b = &w->head, super = {0};
    kt_status st = KT_OK;
    kt_h5_heap_close(w);
    kt_h5_pad(b, KT_H5_HEAP_AT);
    if (w->heap.n) kt_str_addn(b, w->heap.s, w->heap.n);
    for (int i = w->items.n - 1; i >= 0 && !st; i--) {
        kt_hdf5_item *item = w->items.v[i];
        if (item->n_messages > UINT16_MAX - 4)
            st = KT_FAIL(KT_ELIMIT, "hdf5: too many attributes on one object");
        else if (item->is_data)
            put_data(b, item);
        else
            st = put_group(b, item);
    }
    put_super(&super, w->items.v[0]);
    if (!st) st = super.status ? super.status : w->heap.status ? w->heap.status : b->status;
    if (!st) {
        memcpy(b->s, super.s, super.n);
        st = kt_vec_push(&w->parts, ((kt_zip_part){b->s, b->n}));
    }
    if (!st) st = add_data(w);
    kt_str_free(&super);
    return st;
}

kt_status kt_hdf5_layout(kt_hdf5_writer *w, const kt_zip_part **parts, int *n) {
    if (!w) return KT_ENOMEM;
    if (!w->status && !w->parts.n) w->status = layout(w);
    *parts = w->parts.v;
    *n = w->status ? 0 : w->parts.n;
    return w->status;
}

kt_status kt_hdf5_save(kt_hdf5_writer *w, const char *path) {
    kt_fs_writer file;
    const kt_zip_part *parts;
    int n;
    kt_status st = kt_hdf5_layout(w, &parts, &n);
    if (!st) st = kt_fs_begin(&file, path);
    if (st) return st;
    for (int i = 0; i < n && !st; i++) st = kt_fs_put(&file, parts[i].data, parts[i].size);
    if (!st) return kt_fs_commit(&file);
    kt_fs_abort(&file);
    return st;
}
