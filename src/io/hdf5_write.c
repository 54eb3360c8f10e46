/* Writing HDF5: what is to be in the file. See hdf5.h; hdf5_layout.c makes the bytes of it.
 *
 * Groups and data sets live in an arena, children sorted by name. Attributes become messages at
 * once, and so do strings of variable length: their heap stands first in the file, so that their
 * addresses are known. The format is the one of h5py's defaults, without times and gaps. */
#include "io/hdf5_writer.h"

#include <stdlib.h>

enum { HEAP_HEAD = 16, HEAP_MIN = 4096, HEAP_OBJECTS_MAX = 60000, MESSAGE_MAX = 65528 };

void kt_h5_put(kt_str *b, uint64_t v, int bytes) {
    unsigned char p[8];
    for (int i = 0; i < bytes; i++) p[i] = (unsigned char)(v >> 8 * i);
    kt_str_addn(b, (const char *)p, (size_t)bytes);
}

void kt_h5_pad(kt_str *b, size_t to) {
    static const char zeros[8] = {0};
    while (b->n < to && !b->status) kt_str_addn(b, zeros, to - b->n < 8 ? to - b->n : 8);
}

void kt_h5_patch(kt_str *b, size_t at, uint64_t v) {
    for (int i = 0; i < 8 && !b->status; i++) b->s[at + (size_t)i] = (char)(v >> 8 * i);
}

/* An error sticks: the first one is what kt_hdf5_layout() returns. */
static kt_status fail(kt_hdf5_writer *w, kt_status st) {
    if (!w->status) w->status = st;
    return st;
}

/* Items ------------------------------------------------------------------------------------------
 */

static kt_hdf5_item *new_item(kt_hdf5_writer *w, const char *name, size_t n) {
    kt_hdf5_item *item = kt_arena_alloc(w->arena, sizeof *item);
    char *copy = item ? kt_arena_alloc(w->arena, n + 1) : NULL;
    if (!copy || kt_vec_push(&w->items, item)) return NULL;
    if (n) memcpy(copy, name, n);
    item->name = copy;
    item->writer = w;
    return item;
}

kt_hdf5_writer *kt_hdf5_writer_new(void) {
    kt_hdf5_writer *w = kt_alloc(sizeof *w);
    if (!w) return NULL;
    w->arena = kt_arena_new();
    if (w->arena && new_item(w, "", 0)) return w;
    kt_hdf5_writer_free(w);
    return NULL;
}

void kt_hdf5_writer_free(kt_hdf5_writer *w) {
    if (!w) return;
    for (int i = 0; i < w->items.n; i++) {
        kt_vec_free(&w->items.v[i]->children);
        kt_str_free(&w->items.v[i]->messages);
    }
    kt_vec_free(&w->items);
    kt_vec_free(&w->parts);
    kt_str_free(&w->heap);
    kt_str_free(&w->head);
    kt_arena_free(w->arena);
    kt_mem_free(w);
}

kt_hdf5_item *kt_hdf5_writer_root(kt_hdf5_writer *w) { return w ? w->items.v[0] : NULL; }

/* Where the child of that name is, or would be. */
static int child_place(const kt_hdf5_item *group, const char *name, size_t n, bool *there) {
    int low = 0, high = group->children.n;
    *there = false;
    while (low < high) {
        const int mid = low + (high - low) / 2;
        const char *other = group->children.v[mid]->name;
        int order = strncmp(other, name, n);
        if (order == 0) order = other[n] != 0;
        if (order == 0) return *there = true, mid;
        if (order < 0)
            low = mid + 1;
        else
            high = mid;
    }
    return low;
}

static kt_status refuse(kt_hdf5_writer *w, const char *path, const char *why) {
    char quoted[KT_QUOTE_SIZE];
    return fail(
        w,
        KT_FAIL(
            KT_EINVAL,
            "hdf5: cannot write \"%s\": %s",
            kt_quote(path, strlen(path), quoted, sizeof quoted),
            why));
}

/* The child of that name, made if it is not there; NULL on error, or if it is there and must be
 * new. */
static kt_hdf5_item *child(kt_hdf5_item *group, const char *path, size_t n, bool must_be_new) {
    kt_hdf5_writer *w = group->writer;
    bool there;
    if (group->is_data) return refuse(w, path, "a data set cannot hold something"), NULL;
    if (n == 1 && path[0] == '.') return refuse(w, path, "\".\" is no name"), NULL;
    const int at = child_place(group, path, n, &there);
    if (there && must_be_new) return refuse(w, path, "there is something of that name"), NULL;
    if (there) return group->children.v[at];
    kt_hdf5_item *item = new_item(w, path, n);
    if (!item || kt_vec_push(&group->children, item)) return fail(w, KT_ENOMEM), NULL;
    kt_hdf5_item **v = group->children.v;
    memmove(v + at + 1, v + at, (size_t)(group->children.n - 1 - at) * sizeof *v);
    v[at] = item;
    return item;
}

/* Walks to the path, making groups on the way; the last one must be new if it shall hold data. */
static kt_hdf5_item *walk(kt_hdf5_item *under, const char *path, bool data) {
    kt_hdf5_item *item = under;
    while (item && *path == '/') path++;
    if (item && data && !*path) return refuse(item->writer, path, "a data set needs a name"), NULL;
    while (item && *path) {
        const size_t n = strcspn(path, "/");
        const char *next = path + n;
        while (*next == '/') next++;
        item = child(item, path, n, data && !*next);
        path = next;
    }
    return item;
}

kt_hdf5_item *kt_hdf5_put_group(kt_hdf5_item *under, const char *path) {
    kt_hdf5_item *item = walk(under, path, false);
    if (item && item->is_data) return refuse(item->writer, path, "a data set is there"), NULL;
    return item;
}

kt_hdf5_item *kt_hdf5_put_data(
    kt_hdf5_item *under, const char *path, kt_dtype dtype, kt_shape shape, const void *data) {
    const kt_spec spec = {dtype, shape};
    const int64_t bytes = kt_spec_bytes(&spec);
    if (!under) return NULL;
    if (bytes < 0 || dtype == KT_STRING)
        return refuse(under->writer, path, "its shape or dtype cannot be stored"), NULL;
    kt_hdf5_item *item = walk(under, path, true);
    if (!item) return NULL;
    item->is_data = true;
    item->spec = spec;
    item->data = data;
    item->bytes = (uint64_t)bytes;
    if (dtype == KT_BFLOAT16) kt_hdf5_put_text(item, "dtype", "bfloat16", 8, true);
    return item;
}

kt_hdf5_item *kt_hdf5_put_copy(
    kt_hdf5_item *under, const char *path, kt_dtype dtype, kt_shape shape, const void *data) {
    kt_hdf5_item *item = kt_hdf5_put_data(under, path, dtype, shape, data);
    if (!item) return NULL;
    item->data = kt_arena_copy(item->writer->arena, data, (size_t)item->bytes);
    return item->data ? item : (fail(item->writer, KT_ENOMEM), NULL);
}

/* Types and shapes -------------------------------------------------------------------------------
 */

/* Machines that store the highest byte first say so in the type; readers swap. */
void kt_h5_put_type(kt_str *b, kt_dtype dtype) {
    static const struct {
        uint8_t sign, exponent_at, exponent, mantissa;
        uint32_t bias;
    } floats[KT_DTYPE_COUNT] = {
        [KT_FLOAT16] = {15, 10, 5, 10, 15},
        [KT_FLOAT32] = {31, 23, 8, 23, 127},
        [KT_FLOAT64] = {63, 52, 11, 52, 1023},
    };
    const uint64_t size = kt_dtype_size(dtype);
    const unsigned big = kt_machine_is_big() && size > 1;
    if (dtype == KT_BOOL) {
        kt_h5_put(b, 0x00000218, 4); /* two values of */
        kt_h5_put(b, 1, 4);
        kt_h5_put(b, 0x00000810, 4); /* a signed integer */
        kt_h5_put(b, 1, 4);
        kt_h5_put(b, 8u << 16, 4);
        kt_str_addn(b, "FALSE\0\0\0TRUE\0\0\0\0\0\1", 18);
    } else if (dtype == KT_BFLOAT16) {
        kt_h5_put(b, 0x00000015, 4); /* opaque, no tag */
        kt_h5_put(b, size, 4);
    } else if (floats[dtype].sign) {
        kt_h5_put(b, 0x11, 1);
        kt_h5_put(b, 0x20 | big, 1); /* the leading 1 is implied */
        kt_h5_put(b, floats[dtype].sign, 2);
        kt_h5_put(b, size, 4);
        kt_h5_put(b, size * 8 << 16, 4);
        kt_h5_put(b, floats[dtype].exponent_at, 1);
        kt_h5_put(b, floats[dtype].exponent, 1);
        kt_h5_put(b, 0, 1);
        kt_h5_put(b, floats[dtype].mantissa, 1);
        kt_h5_put(b, floats[dtype].bias, 4);
    } else {
        kt_h5_put(b, 0x10, 1);
        kt_h5_put(b, (dtype == KT_UINT8 ? 0 : 8) | big, 3);
        kt_h5_put(b, size, 4);
        kt_h5_put(b, size * 8 << 16, 4);
    }
}

void kt_h5_put_space(kt_str *b, const kt_shape *shape) {
    kt_h5_put(b, 1, 1);
    kt_h5_put(b, (uint64_t)shape->ndim, 1);
    kt_h5_put(b, shape->ndim > 0, 6); /* flag 1: the largest shape stands there too */
    for (int twice = 0; twice < 2; twice++)
        for (int d = 0; d < shape->ndim; d++) kt_h5_put(b, (uint64_t)shape->dim[d], 8);
}

/* Attributes -------------------------------------------------------------------------------------
 */

static bool has_attr(const kt_hdf5_item *item, const char *name) {
    const kt_str *m = &item->messages;
    for (size_t at = 0; at + 16 < m->n;) {
        const unsigned char *p = (const unsigned char *)m->s + at;
        if (strcmp((const char *)p + 16, name) == 0) return true;
        at += 8u + kt_le16(p + 2);
    }
    return false;
}

/* Message 0x0C, version 1: name, type and shape, each filled up to 8 bytes, and the value. */
static kt_status add_attr(
    kt_hdf5_item *item,
    const char *name,
    const kt_str *type,
    const kt_shape *shape,
    const void *data,
    size_t size) {
    char quoted[KT_QUOTE_SIZE];
    kt_hdf5_writer *w = item->writer;
    kt_str body = {0}, *m = &item->messages;
    if (!name[0] || has_attr(item, name)) return refuse(w, name, "an attribute of that name");
    const size_t n_name = strlen(name) + 1;
    const size_t n_space = 8 + 16 * (size_t)shape->ndim;
    kt_h5_put(&body, 1, 2);
    kt_h5_put(&body, n_name, 2);
    kt_h5_put(&body, type->n, 2);
    kt_h5_put(&body, n_space, 2);
    kt_str_addn(&body, name, n_name);
    kt_h5_pad(&body, (body.n + 7) / 8 * 8);
    if (type->n) kt_str_addn(&body, type->s, type->n);
    kt_h5_pad(&body, (body.n + 7) / 8 * 8);
    kt_h5_put_space(&body, shape);
    if (size <= MESSAGE_MAX && size) kt_str_addn(&body, data, size);
    kt_h5_pad(&body, (body.n + 7) / 8 * 8);
    kt_status st = type->status ? type->status : body.status;
    if (!st && (size > MESSAGE_MAX || body.n > MESSAGE_MAX || n_name > UINT16_MAX)) {
        kt_quote(name, strlen(name), quoted, sizeof quoted);
        st = KT_FAIL(KT_ELIMIT, "hdf5: attribute \"%s\" has more than 64 KiB", quoted);
        kt_error_got("%zu bytes", size);
    }
    if (!st) {
        kt_h5_put(m, 0x0C, 2);
        kt_h5_put(m, body.n, 2);
        kt_h5_put(m, 0, 4);
        kt_str_addn(m, body.s, body.n);
        item->n_messages++;
        st = m->status;
    }
    kt_str_free(&body);
    return st ? fail(w, st) : KT_OK;
}

kt_status kt_hdf5_put_attr(
    kt_hdf5_item *item, const char *name, kt_dtype dtype, kt_shape shape, const void *data) {
    const kt_spec spec = {dtype, shape};
    const int64_t bytes = kt_spec_bytes(&spec);
    if (!item) return kt_error_last();
    if (bytes < 0 || dtype == KT_BFLOAT16)
        return refuse(item->writer, name, "its shape or dtype cannot be stored");
    kt_str type = {0};
    kt_h5_put_type(&type, dtype);
    const kt_status st = add_attr(item, name, &type, &shape, data, (size_t)bytes);
    kt_str_free(&type);
    return st;
}

/* Ends a collection: its size, and the free space that fills it up to the least size. */
void kt_h5_heap_close(kt_hdf5_writer *w) {
    kt_str *b = &w->heap;
    if (!w->heap_objects) return;
    const size_t n = b->n - w->heap_start, left = n < HEAP_MIN ? HEAP_MIN - n : 0;
    if (left >= 16) {
        kt_h5_put(b, 0, 8);
        kt_h5_put(b, left, 8);
    }
    kt_h5_pad(b, w->heap_start + (left ? HEAP_MIN : n));
    kt_h5_patch(b, w->heap_start + 8, b->n - w->heap_start);
    w->heap_objects = 0;
}

/* Puts a string into the heap, and its reference into `ref`: length, address, number. */
static void heap_add(kt_hdf5_writer *w, kt_str *ref, const char *text, size_t n) {
    kt_str *b = &w->heap;
    if (w->heap_objects == HEAP_OBJECTS_MAX) kt_h5_heap_close(w);
    if (!w->heap_objects) {
        w->heap_start = b->n;
        kt_str_addn(b, "GCOL\1\0\0\0", 8);
        kt_h5_put(b, 0, 8);
    }
    kt_h5_put(b, (uint64_t)++w->heap_objects, 8); /* reference count 0, as HDF5 does */
    kt_h5_put(b, n, 8);
    if (n) kt_str_addn(b, text, n);
    kt_h5_pad(b, (b->n + 7) / 8 * 8);
    kt_h5_put(ref, n, 4);
    kt_h5_put(ref, KT_H5_HEAP_AT + w->heap_start, 8);
    kt_h5_put(ref, (uint64_t)w->heap_objects, 4);
}

static void put_vlen_type(kt_str *type, bool utf8) {
    kt_h5_put(type, utf8 ? 0x00010119 : 0x00000119, 4); /* variable length, a string, its set */
    kt_h5_put(type, 16, 4);
    kt_h5_put(type, 0x00000010, 4); /* of bytes */
    kt_h5_put(type, 1, 4);
    kt_h5_put(type, 8u << 16, 4);
}

kt_status kt_hdf5_put_text(
    kt_hdf5_item *item, const char *name, const char *text, size_t n, bool utf8) {
    if (!item) return kt_error_last();
    kt_hdf5_writer *w = item->writer;
    if (n > UINT32_MAX) return fail(w, KT_FAIL(KT_ELIMIT, "hdf5: a string of 4 GiB or more"));
    kt_str type = {0}, ref = {0};
    put_vlen_type(&type, utf8);
    heap_add(w, &ref, text, n);
    kt_status st = ref.status ? ref.status : w->heap.status;
    if (!st) st = add_attr(item, name, &type, &(kt_shape){0}, ref.s, ref.n);
    kt_str_free(&ref);
    kt_str_free(&type);
    return st ? fail(w, st) : KT_OK;
}

/* Strings from … to-1 as one attribute of fixed length. */
static kt_status put_fixed(
    kt_hdf5_item *item, const char *name, const char *const *v, int n, size_t width) {
    kt_str type = {0}, data = {0};
    kt_h5_put(&type, 0x00000113, 4); /* filled up with 0 bytes */
    kt_h5_put(&type, width, 4);
    for (int i = 0; i < n; i++) {
        kt_str_add(&data, v[i]);
        kt_h5_pad(&data, width * (size_t)(i + 1));
    }
    const kt_shape shape = {1, {n}};
    kt_status st = data.status;
    if (!st) st = add_attr(item, name, &type, &shape, data.s, data.n);
    kt_str_free(&data);
    kt_str_free(&type);
    return st;
}

/* Strings as references into the heap: what h5py makes of a list of bytes. */
static kt_status put_variable(kt_hdf5_item *item, const char *name, const char *const *v, int n) {
    kt_str type = {0}, refs = {0};
    put_vlen_type(&type, false);
    for (int i = 0; i < n; i++) heap_add(item->writer, &refs, v[i], strlen(v[i]));
    const kt_shape shape = {1, {n}};
    kt_status st = refs.status ? refs.status : item->writer->heap.status;
    if (!st) st = add_attr(item, name, &type, &shape, refs.s, refs.n);
    kt_str_free(&refs);
    kt_str_free(&type);
    return st ? fail(item->writer, st) : KT_OK;
}

static size_t widest(const char *const *v, int n) {
    size_t width = 1;
    for (int i = 0; i < n; i++)
        if (strlen(v[i]) > width) width = strlen(v[i]);
    return width;
}

/* NumPy's array_split: the first n % parts of them have one more. */
kt_status kt_hdf5_put_names(kt_hdf5_item *item, const char *name, const char *const *v, int n) {
    enum { LIMIT = 64512 }; /* Keras' HDF5_OBJECT_HEADER_LIMIT */
    if (!item) return kt_error_last();
    if (n == 0) return kt_hdf5_put_attr(item, name, KT_FLOAT64, kt_dims(0), NULL);
    const size_t width = widest(v, n); /* before it is split: every part has that width */
    int parts = 1;
    if (width > LIMIT)
        return fail(
            item->writer, KT_FAIL(KT_ELIMIT, "hdf5: a name of %zu bytes in %s", width, name));
    while (((size_t)(n + parts - 1) / (size_t)parts) * width > LIMIT) parts++;
    if (parts == 1 && n <= LIMIT / 16) return put_variable(item, name, v, n);
    if (parts == 1) return put_fixed(item, name, v, n, width);
    kt_status st = KT_OK;
    for (int i = 0, at = 0; i < parts && !st; i++) {
        char part[256];
        const int m = n / parts + (i < n % parts);
        snprintf(part, sizeof part, "%s%d", name, i);
        st = put_fixed(item, part, v + at, m, width);
        at += m;
    }
    return st;
}
