/* Object headers of HDF5: the list of messages that says what an object is. See hdf5.h.
 *
 * Both versions: 1 (what h5py writes by default) and 2 (with check sums). A header is one or more
 * blocks; continuation messages name the further ones, which are claimed like everything else, so a
 * loop of them ends at once.
 *
 * Layout: HDF5 File Format Specification 3.0, IV.A. */
#include "io/hdf5_file.h"

#include <stdlib.h>

enum {
    MSG_NIL = 0x00,
    MSG_SPACE = 0x01,
    MSG_LINK_INFO = 0x02,
    MSG_TYPE = 0x03,
    MSG_FILL_OLD = 0x04,
    MSG_FILL = 0x05,
    MSG_LINK = 0x06,
    MSG_EXTERNAL = 0x07,
    MSG_LAYOUT = 0x08,
    MSG_GROUP_INFO = 0x0A,
    MSG_FILTERS = 0x0B,
    MSG_ATTRIBUTE = 0x0C,
    MSG_CONTINUE = 0x10,
    MSG_TABLE = 0x11,
    MSG_ATTR_INFO = 0x15,
    MSG_LAST_KNOWN = 0x18,
    FLAG_SHARED = 2,
    FLAG_MUST_KNOW = 128 | 8,
    BLOCKS_MAX = 4096,
};

typedef struct h5_parse {
    kt_hdf5 *h;
    kt_hdf5_node *node;
    kt_h5_header *out;
    KT_VEC(kt_h5_range) blocks;
    bool has_space, has_type, has_layout, has_filters;
    uint64_t stored; /* bytes that the layout says */
    bool compact;
    int flags;             /* of a version 2 header */
    int64_t n, n_declared; /* messages of a version 1 header */
    bool has_link_info, has_attr_info;
    kt_h5_dense_info dense_links, dense_attrs; /* heap undefined: none */
} h5_parse;

static kt_status unsupported(h5_parse *p, const char *why) {
    if (!p->node->why) p->node->why = why;
    return KT_OK;
}

static kt_status once(bool *seen) {
    if (*seen) return kt_h5_bad("a message stands twice in an object header");
    *seen = true;
    return KT_OK;
}

/* Messages ---------------------------------------------------------------------------------------
 */

/* Versions 3 and 4. Before HDF5 1.6.3 (2004) there were others. */
static kt_status layout(h5_parse *p, kt_h5_cursor *c) {
    const uint64_t version = kt_h5_uint(c, 1);
    if (!c->bad && (version == 1 || version == 2))
        return unsupported(p, "a layout message of the time before HDF5 1.6");
    if (!c->bad && (version < 3 || version > 5))
        return kt_h5_bad("a layout message of unknown version");
    const uint64_t kind = kt_h5_uint(c, 1);
    if (kind == 0) {
        p->stored = kt_h5_uint(c, 2);
        p->node->offset = c->at;
        p->compact = true;
        kt_h5_take(c, (size_t)p->stored);
    } else if (kind == 1) {
        p->node->offset = kt_h5_uint(c, 8);
        p->stored = kt_h5_uint(c, 8);
    } else if (kind == 3 && version > 3) {
        return KT_FAIL(KT_EREFUSED, "hdf5: a virtual data set, which names other files");
    } else if (kind == 2) {
        return unsupported(p, "a chunked data set");
    } else {
        return kt_h5_bad("a layout of unknown kind");
    }
    return c->bad ? kt_h5_bad("a layout message is too short") : KT_OK;
}

/* The first filter gives its name to the reason; it counts more than the chunks under it. */
static kt_status filters(h5_parse *p, kt_h5_cursor *c) {
    static const char *const names[] = {
        "a filtered data set (a filter of its user)",
        "a compressed data set (gzip)",
        "a filtered data set (shuffle)",
        "a filtered data set (fletcher32)",
        "a compressed data set (szip)",
        "a compressed data set (nbit)",
        "a compressed data set (scale-offset)",
    };
    const uint64_t version = kt_h5_uint(c, 1), n = kt_h5_uint(c, 1);
    kt_h5_take(c, version == 1 ? 6 : 0);
    const uint64_t id = kt_h5_uint(c, 2);
    if (n == 0) return KT_OK;
    if (c->bad || version < 1 || version > 2) return kt_h5_bad("filters that cannot be read");
    p->node->why = names[id < sizeof names / sizeof *names ? id : 0];
    return KT_OK;
}

/* Where many links or attributes are kept; `largest`: bytes of the number that comes next. */
static kt_status dense_info(kt_h5_cursor *c, bool *seen, size_t largest, kt_h5_dense_info *out) {
    const uint64_t version = kt_h5_uint(c, 1), flags = kt_h5_uint(c, 1);
    if (flags & 1) kt_h5_take(c, largest);
    out->heap = kt_h5_uint(c, 8);
    out->names = kt_h5_uint(c, 8);
    out->made = flags & 2 ? kt_h5_uint(c, 8) : KT_H5_UNDEFINED;
    const bool dense = out->heap != KT_H5_UNDEFINED;
    if (c->bad || version != 0 || dense != (out->names != KT_H5_UNDEFINED) ||
        (!dense && out->made != KT_H5_UNDEFINED))
        return kt_h5_bad("a message about dense storage that cannot be read");
    return once(seen);
}

static kt_status add_link(h5_parse *p, kt_h5_cursor *c) {
    const uint64_t version = kt_h5_uint(c, 1), flags = kt_h5_uint(c, 1);
    const uint64_t kind = flags & 8 ? kt_h5_uint(c, 1) : 0;
    const uint64_t made = flags & 4 ? kt_h5_uint(c, 8) : KT_H5_UNDEFINED;
    if (flags & 16) kt_h5_take(c, 1);
    const uint64_t n = kt_h5_uint(c, 1 << (flags & 3));
    if (c->bad || version != 1 || n > c->left) return kt_h5_bad("a link that cannot be read");
    const char *name = (const char *)kt_h5_take(c, (size_t)n);
    kt_status st = kt_h5_name_check(name, (size_t)n);
    if (st) return st;
    if (kind != 0)
        return KT_FAIL(
            KT_EREFUSED,
            "hdf5: %s",
            kind == 1    ? "a soft link"
            : kind == 64 ? "a link to another file"
                         : "a user's link");
    kt_h5_link link = {.address = kt_h5_uint(c, 8), .made = made > INT64_MAX ? -1 : (int64_t)made};
    if (c->bad) return kt_h5_bad("a link that cannot be read");
    char *copy = kt_arena_alloc(p->h->arena, (size_t)n + 1);
    if (!copy) return KT_ENOMEM;
    memcpy(copy, name, (size_t)n);
    link.name = copy;
    p->out->has_links = true;
    return kt_vec_push(&p->out->links, link);
}

static kt_status add_attribute(h5_parse *p, kt_h5_cursor *c) {
    kt_hdf5 *h = p->h;
    kt_h5_attr attr;
    if (h->nodes.n + (int64_t)h->attrs.n >= h->limits.objects_max)
        return KT_FAIL(
            KT_ELIMIT,
            "hdf5: more than %lld objects and attributes",
            (long long)h->limits.objects_max);
    const kt_status st = kt_h5_attr_read(&attr, c, h->arena);
    return st ? st : kt_vec_push(&h->attrs, attr);
}

static kt_status add_block(h5_parse *p, uint64_t offset, uint64_t size) {
    if (p->blocks.n == BLOCKS_MAX)
        return KT_FAIL(KT_ELIMIT, "hdf5: an object header of more than %d blocks", BLOCKS_MAX);
    const kt_status st = kt_h5_claim(p->h, offset, size);
    return st ? st : kt_vec_push(&p->blocks, ((kt_h5_range){offset, offset + size}));
}

static kt_status message(h5_parse *p, uint64_t kind, uint64_t flags, kt_h5_cursor *c) {
    kt_status st = KT_OK;
    if (flags & FLAG_SHARED)
        return KT_FAIL(KT_EUNSUPPORTED, "hdf5: a message kept elsewhere (a committed type)");
    switch (kind) {
    case MSG_SPACE:
        st = once(&p->has_space);
        return st ? st : kt_h5_space_read(&p->node->space, c);
    case MSG_TYPE:
        st = once(&p->has_type);
        return st ? st : kt_h5_type_read(&p->node->type, c);
    case MSG_LAYOUT:
        st = once(&p->has_layout);
        return st ? st : layout(p, c);
    case MSG_FILTERS:
        st = once(&p->has_filters);
        return st ? st : filters(p, c);
    case MSG_LINK_INFO:
        p->out->has_links = true;
        return dense_info(c, &p->has_link_info, 8, &p->dense_links);
    case MSG_LINK:
        return add_link(p, c);
    case MSG_GROUP_INFO:
        p->out->has_links = true;
        return KT_OK;
    case MSG_ATTRIBUTE:
        return add_attribute(p, c);
    case MSG_ATTR_INFO:
        return dense_info(c, &p->has_attr_info, 2, &p->dense_attrs);
    case MSG_EXTERNAL:
        return KT_FAIL(KT_EREFUSED, "hdf5: a data set whose data are in other files");
    case MSG_CONTINUE: {
        const uint64_t offset = kt_h5_uint(c, 8), size = kt_h5_uint(c, 8);
        if (c->bad) return kt_h5_bad("a continuation message is too short");
        return add_block(p, offset, size);
    }
    case MSG_TABLE:
        if ((st = once(&p->out->has_table))) return st;
        p->out->table = kt_h5_uint(c, 8);
        p->out->heap = kt_h5_uint(c, 8);
        return c->bad ? kt_h5_bad("a symbol table message is too short") : KT_OK;
    default:
        if (kind > MSG_LAST_KNOWN && flags & FLAG_MUST_KNOW)
            return kt_h5_bad("an unknown message that must be understood");
        return KT_OK; /* NIL, fill values, times, comments */
    }
}

/* Blocks -----------------------------------------------------------------------------------------
 */

/* The bytes of a block again: a message may have moved the window. */
static kt_status block_at(h5_parse *p, kt_h5_range r, kt_h5_cursor *c) {
    kt_status st;
    const unsigned char *bytes = kt_h5_view(p->h, r.from, r.to - r.from, &st);
    *c = (kt_h5_cursor){.p = bytes, .left = (size_t)(r.to - r.from), .at = r.from};
    return st;
}

static kt_status block_v1(h5_parse *p, kt_h5_cursor *c) {
    while (c->left >= 8) {
        const uint64_t kind = kt_h5_uint(c, 2), size = kt_h5_uint(c, 2), flags = kt_h5_uint(c, 1);
        kt_h5_take(c, 3);
        if (size % 8 != 0 || size > c->left)
            return kt_h5_bad("a message is longer than its object header");
        if (++p->n > p->n_declared)
            return kt_h5_bad("an object header has more messages than it says");
        kt_h5_cursor m = {.p = c->p, .left = (size_t)size, .at = c->at};
        const kt_status st = message(p, kind, flags, &m);
        if (st) return st;
        kt_h5_take(c, (size_t)size);
    }
    return c->left ? kt_h5_bad("an object header ends within a message") : KT_OK;
}

static kt_status block_v2(h5_parse *p, kt_h5_cursor *c) {
    const size_t head = p->flags & 4 ? 6 : 4;
    while (c->left >= head) { /* less is a gap */
        const uint64_t kind = kt_h5_uint(c, 1), size = kt_h5_uint(c, 2), flags = kt_h5_uint(c, 1);
        kt_h5_take(c, head - 4);
        if (size > c->left) return kt_h5_bad("a message is longer than its object header");
        kt_h5_cursor m = {.p = c->p, .left = (size_t)size, .at = c->at};
        const kt_status st = message(p, kind, flags, &m);
        if (st) return st;
        kt_h5_take(c, (size_t)size);
    }
    return KT_OK;
}

/* Check sum and signature of a block of version 2, which the cursor then has behind it. `head` is
 * what stands before the messages. */
static kt_status enter_v2(kt_h5_cursor *c, const char *sign, size_t head) {
    if (c->left < head + 4 || memcmp(c->p, sign, 4) != 0)
        return kt_h5_bad("an object header without its signature");
    if (kt_h5_checksum(c->p, c->left - 4) != kt_le32(c->p + c->left - 4))
        return kt_h5_bad("the check sum of an object header is wrong");
    kt_h5_take(c, head);
    c->left -= 4;
    return KT_OK;
}

static kt_status read_v1(h5_parse *p, kt_h5_cursor *c) {
    kt_h5_take(c, 2);
    p->n_declared = (int64_t)kt_h5_uint(c, 2);
    kt_h5_take(c, 4); /* number of links */
    const uint64_t size = kt_h5_uint(c, 4);
    kt_status st = kt_h5_claim(p->h, p->node->address, 16);
    if (!st) st = add_block(p, p->node->address + 16, size);
    for (int i = 0; i < p->blocks.n && !st; i++) {
        st = block_at(p, p->blocks.v[i], c);
        if (!st) st = block_v1(p, c);
    }
    if (!st && p->n != p->n_declared)
        st = kt_h5_bad("an object header has fewer messages than it says");
    return st;
}

static kt_status read_v2(h5_parse *p, kt_h5_cursor *c) {
    kt_h5_take(c, 4);
    const uint64_t version = kt_h5_uint(c, 1);
    p->flags = (int)kt_h5_uint(c, 1);
    if (version != 2 || p->flags & 0xC0) return kt_h5_bad("an object header of unknown version");
    const size_t times = p->flags & 32 ? 16 : 0, phases = p->flags & 16 ? 4 : 0;
    kt_h5_take(c, times + phases);
    const int n = 1 << (p->flags & 3);
    const uint64_t size = kt_h5_uint(c, n);
    const size_t head = 6 + times + phases + (size_t)n;
    if (c->bad || size > p->h->size) return kt_h5_bad("an object header is longer than the file");
    kt_status st = add_block(p, p->node->address, head + size + 4);
    for (int i = 0; i < p->blocks.n && !st; i++) {
        st = block_at(p, p->blocks.v[i], c);
        if (!st) st = enter_v2(c, i ? "OCHK" : "OHDR", i ? 4 : head);
        if (!st) st = block_v2(p, c);
    }
    return st;
}

/* The whole ---------------------------------------------------------------------------------------
 */

static int by_name(const void *a, const void *b) {
    return strcmp(((const kt_h5_attr *)a)->name, ((const kt_h5_attr *)b)->name);
}

static kt_status sort_attributes(h5_parse *p) {
    kt_hdf5_node *n = p->node;
    n->n_attrs = p->h->attrs.n - n->attrs;
    if (n->n_attrs == 0) return KT_OK;
    kt_h5_attr *a = p->h->attrs.v + n->attrs;
    qsort(a, (size_t)n->n_attrs, sizeof *a, by_name);
    for (int i = 1; i < n->n_attrs; i++)
        if (strcmp(a[i - 1].name, a[i].name) == 0)
            return kt_h5_bad("an attribute stands twice in an object header");
    return KT_OK;
}

/* Keras stores bfloat16 as two opaque bytes and an attribute dtype = "bfloat16"; nobody else has a
 * use for that. */
static void see_bfloat16(h5_parse *p) {
    kt_hdf5_node *n = p->node;
    if (n->type.kind != KT_H5_OPAQUE || n->type.size != 2) return;
    for (int i = n->attrs; i < p->h->attrs.n; i++)
        if (strcmp(p->h->attrs.v[i].name, "dtype") == 0)
            n->type = (kt_h5_type){.kind = KT_H5_NUMBER, .size = 2, .elem = {'B', 2, false}};
}

static kt_status finish_data(h5_parse *p) {
    kt_hdf5_node *n = p->node;
    n->is_data = true;
    if (!p->has_space || !p->has_type) return kt_h5_bad("a data set without shape or type");
    see_bfloat16(p);
    if (n->type.kind == KT_H5_OTHER || n->type.kind == KT_H5_OPAQUE) unsupported(p, n->type.why);
    if (n->type.kind == KT_H5_FIXED || n->type.kind == KT_H5_VLEN) unsupported(p, "strings");
    if (n->space.null) unsupported(p, "a data set without a value");
    if (n->space.rank > KT_MAX_RANK) unsupported(p, "more than 8 dimensions");
    if (n->why) return KT_OK;
    if (n->space.n > INT64_MAX / n->type.size || p->stored != n->space.n * n->type.size)
        return kt_h5_bad("a data set has another length than its shape and type say");
    if (p->stored == 0) n->offset = 0; /* whatever stood there is not looked at */
    if (p->stored == 0 || p->compact) return KT_OK;
    if (n->offset == KT_H5_UNDEFINED) return kt_h5_bad("a data set without data");
    return kt_h5_claim(p->h, n->offset, p->stored);
}

/* The messages in a heap, each as if it stood in the header. */
static kt_status add_dense(h5_parse *p, const kt_h5_dense_info *info, bool links) {
    kt_hdf5 *h = p->h;
    kt_h5_dense_list list = {0};
    if (info->heap == KT_H5_UNDEFINED) return KT_OK;
    if (links ? p->out->links.n : h->attrs.n - p->node->attrs)
        return kt_h5_bad("an object with messages here and in a heap");
    kt_status st = kt_h5_dense_read(h, info, links, &list);
    for (int i = 0; i < list.n && !st; i++) {
        const kt_h5_blob *at = &list.v[i].at;
        const unsigned char *bytes = kt_h5_view(h, at->offset, at->size, &st);
        kt_h5_cursor c = {.p = bytes, .left = (size_t)at->size, .at = at->offset};
        if (!st) st = links ? add_link(p, &c) : add_attribute(p, &c);
        if (!st && links && c.left) st = kt_h5_bad("a link is shorter than its place");
        if (st) break;
        const char *name = links ? p->out->links.v[p->out->links.n - 1].name
                                 : h->attrs.v[h->attrs.n - 1].name;
        if (kt_h5_checksum((const unsigned char *)name, strlen(name)) != list.v[i].hash)
            st = kt_h5_bad("a name is not where its index says");
    }
    kt_vec_free(&list);
    return st;
}

static kt_status finish(h5_parse *p) {
    kt_status st = add_dense(p, &p->dense_links, true);
    if (!st) st = add_dense(p, &p->dense_attrs, false);
    if (st) return st;
    const bool group = p->out->has_table || p->out->has_links;
    if (p->out->has_table && p->out->has_links) return kt_h5_bad("a group of two kinds");
    if (group && (p->has_layout || p->has_type || p->has_space))
        return kt_h5_bad("an object that is group and data set");
    st = sort_attributes(p);
    if (st || group) return st;
    if (p->has_layout || p->has_filters || p->has_space) {
        if (!p->has_layout) return kt_h5_bad("a data set without a layout");
        return finish_data(p);
    }
    if (!p->has_type) return kt_h5_bad("an object that is neither group nor data set");
    return KT_FAIL(KT_EUNSUPPORTED, "hdf5: a committed type is not supported");
}

kt_status kt_h5_header_read(kt_hdf5 *h, kt_hdf5_node *node, kt_h5_header *out) {
    kt_status st;
    h5_parse p = {.h = h, .node = node, .out = out};
    p.dense_links.heap = p.dense_attrs.heap = KT_H5_UNDEFINED;
    node->attrs = h->attrs.n;
    if (node->address > h->size) return kt_h5_bad("an object lies outside the file");
    const uint64_t rest = h->size - node->address;
    const unsigned char *head = kt_h5_view(h, node->address, rest < 32 ? rest : 32, &st);
    if (!head) return st;
    kt_h5_cursor c = {.p = head, .left = (size_t)(rest < 32 ? rest : 32), .at = node->address};
    if (c.left < 16) return kt_h5_bad("an object lies outside the file");
    if (memcmp(head, "OHDR", 4) == 0)
        st = read_v2(&p, &c);
    else if (head[0] == 1)
        st = read_v1(&p, &c);
    else
        st = kt_h5_bad("an object header of unknown version");
    if (!st) st = finish(&p);
    kt_vec_free(&p.blocks);
    return st;
}
