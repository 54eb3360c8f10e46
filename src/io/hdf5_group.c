/* Old groups of HDF5: a B-tree of symbol table nodes, names in a local heap. See hdf5.h.
 *
 * The tree is read level by level, which keeps the order and needs no stack. Names must rise
 * through the whole group and lie between the keys of their leaf: otherwise a reader that searches
 * sees another group than one that lists.
 *
 * Layout: HDF5 File Format Specification 3.0, III.A.1 (B-tree), III.B (nodes), III.D (heap). */
#include "io/hdf5_file.h"

enum { LEVEL_MAX = 32, TREE_HEAD = 24, HEAP_HEAD = 32, TABLE_HEAD = 8, SYMBOL = 40 };

typedef struct h5_heap {
    const char *names; /* a copy in the arena, ended by a 0 byte that is not the file's */
    uint64_t size;
    uint64_t left; /* bytes of names that may still be used: each name is used once */
} h5_heap;

typedef struct h5_leaf { /* a symbol table node, and the keys that enclose its names */
    uint64_t address, low, high;
} h5_leaf;
typedef KT_VEC(h5_leaf) h5_leaves;

kt_status kt_h5_name_check(const char *name, size_t n) {
    if (n == 0) return kt_h5_bad("an object without a name");
    if (memchr(name, '/', n) || memchr(name, 0, n) || (n == 1 && name[0] == '.'))
        return kt_h5_bad("a name that cannot stand in a path");
    return KT_OK;
}

static kt_status heap_read(kt_hdf5 *h, uint64_t address, h5_heap *heap) {
    kt_status st = kt_h5_claim(h, address, HEAP_HEAD);
    const unsigned char *p = st ? NULL : kt_h5_view(h, address, HEAP_HEAD, &st);
    if (!p) return st;
    if (memcmp(p, "HEAP", 4) != 0 || p[4] != 0)
        return kt_h5_bad("a group's heap of names without its signature");
    const uint64_t size = kt_le64(p + 8), data = kt_le64(p + 24);
    st = kt_h5_claim(h, data, size);
    const unsigned char *bytes = st ? NULL : kt_h5_view(h, data, size, &st);
    if (!bytes) return st;
    char *copy = kt_arena_alloc(h->arena, (size_t)size + 1);
    if (!copy) return KT_ENOMEM;
    if (size) memcpy(copy, bytes, (size_t)size);
    *heap = (h5_heap){.names = copy, .size = size, .left = size};
    return KT_OK;
}

static kt_status heap_name(h5_heap *heap, uint64_t offset, const char **name) {
    if (offset >= heap->size) return kt_h5_bad("a name lies outside its heap");
    *name = heap->names + offset;
    const size_t n = strnlen(*name, (size_t)(heap->size - offset));
    if (n == heap->size - offset) return kt_h5_bad("a name without an end");
    return KT_OK;
}

/* The same for a link: no two of them share their bytes. */
static kt_status link_name(h5_heap *heap, uint64_t offset, const char **name) {
    const kt_status st = heap_name(heap, offset, name);
    if (st) return st;
    const size_t n = strlen(*name);
    if (n + 1 > heap->left) return kt_h5_bad("names overlap in their heap");
    heap->left -= n + 1;
    return kt_h5_name_check(*name, n);
}

/* One node of the tree: adds its children. `level` is what its parent asks for, -1 at the root. */
static kt_status tree_node(kt_hdf5 *h, uint64_t address, int *level, h5_leaves *out) {
    const uint64_t most = 2 * (uint64_t)h->internal_k;
    const uint64_t size = TREE_HEAD + most * 16 + 8;
    kt_status st = kt_h5_claim(h, address, size);
    const unsigned char *p = st ? NULL : kt_h5_view(h, address, size, &st);
    if (!p) return st;
    if (memcmp(p, "TREE", 4) != 0 || p[4] != 0)
        return kt_h5_bad("a group's tree without its signature");
    const uint64_t n = kt_le16(p + 6);
    if (n > most || p[5] > LEVEL_MAX) return kt_h5_bad("a group's tree has too large a node");
    if (*level >= 0 && p[5] != *level) return kt_h5_bad("a group's tree has a node of wrong level");
    *level = p[5];
    for (uint64_t i = 0; i < n; i++) {
        const unsigned char *key = p + TREE_HEAD + i * 16;
        const h5_leaf leaf = {kt_le64(key + 8), kt_le64(key), kt_le64(key + 16)};
        if (kt_vec_push(out, leaf)) return KT_ENOMEM;
    }
    return KT_OK;
}

static kt_status tree_leaves(kt_hdf5 *h, uint64_t root, h5_leaves *leaves) {
    int level = -1;
    kt_status st = tree_node(h, root, &level, leaves);
    for (int left = level; left > 0 && !st; left--) {
        h5_leaves next = {0};
        for (int i = 0; i < leaves->n && !st; i++) {
            level = left - 1;
            st = tree_node(h, leaves->v[i].address, &level, &next);
        }
        kt_vec_free(leaves);
        *leaves = next;
    }
    return st;
}

static kt_status symbols(
    kt_hdf5 *h, const h5_leaf *leaf, h5_heap *heap, const char **last, kt_h5_links *out) {
    const uint64_t most = 2 * (uint64_t)h->leaf_k, size = TABLE_HEAD + most * SYMBOL;
    const char *low = "", *high = "";
    kt_status st = kt_h5_claim(h, leaf->address, size);
    const unsigned char *p = st ? NULL : kt_h5_view(h, leaf->address, size, &st);
    if (!p) return st;
    if (memcmp(p, "SNOD", 4) != 0 || p[4] != 1)
        return kt_h5_bad("a symbol table node without its signature");
    const uint64_t n = kt_le16(p + 6);
    if (n > most) return kt_h5_bad("a symbol table node has too many entries");
    if ((st = heap_name(heap, leaf->low, &low)) || (st = heap_name(heap, leaf->high, &high)))
        return st;
    for (uint64_t i = 0; i < n; i++) {
        const unsigned char *e = p + TABLE_HEAD + i * SYMBOL;
        kt_h5_link link = {.address = kt_le64(e + 8), .made = -1};
        if ((st = link_name(heap, kt_le64(e), &link.name))) return st;
        if (kt_le32(e + 16) == 2) return KT_FAIL(KT_EREFUSED, "hdf5: a soft link");
        if (kt_le32(e + 16) > 2) return kt_h5_bad("a symbol table entry of unknown kind");
        if (*last && strcmp(*last, link.name) >= 0)
            return kt_h5_bad("the names of a group are not in order");
        if (strcmp(low, link.name) >= 0 || strcmp(link.name, high) > 0)
            return kt_h5_bad("a name is not where its group's tree says");
        *last = link.name;
        if (kt_vec_push(out, link)) return KT_ENOMEM;
    }
    return KT_OK;
}

kt_status kt_h5_table_read(kt_hdf5 *h, uint64_t table, uint64_t names, kt_h5_links *out) {
    h5_heap heap = {0};
    h5_leaves leaves = {0};
    const char *last = NULL;
    kt_status st = heap_read(h, names, &heap);
    if (!st) st = tree_leaves(h, table, &leaves);
    for (int i = 0; i < leaves.n && !st; i++) st = symbols(h, &leaves.v[i], &heap, &last, out);
    kt_vec_free(&leaves);
    return st;
}
