/* Looking things up in an open HDF5 file and reading them. See hdf5.h. */
#include "io/hdf5_file.h"

#include <stdio.h>

/* Nodes ------------------------------------------------------------------------------------------
 */

const kt_hdf5_node *kt_hdf5_root(const kt_hdf5 *h) { return &h->nodes.v[0]; }

static const kt_hdf5_node *find_child(const kt_hdf5_node *g, const char *name, size_t n) {
    int low = g->first, high = g->first + g->n;
    while (low < high) {
        const int mid = low + (high - low) / 2;
        const kt_hdf5_node *c = &g->file->nodes.v[mid];
        int order = strncmp(c->name, name, n);
        if (order == 0) order = c->name[n] != 0;
        if (order == 0) return c;
        if (order < 0)
            low = mid + 1;
        else
            high = mid;
    }
    return NULL;
}

const kt_hdf5_node *kt_hdf5_find(const kt_hdf5_node *group, const char *path) {
    const kt_hdf5_node *node = group;
    while (node && *path) {
        const size_t n = strcspn(path, "/");
        if (n > 0) node = find_child(node, path, n);
        path += n + (path[n] == '/');
    }
    return node;
}

int kt_hdf5_count(const kt_hdf5_node *group) { return group ? group->n : 0; }

const kt_hdf5_node *kt_hdf5_child(const kt_hdf5_node *group, int i) {
    return group && i >= 0 && i < group->n ? &group->file->nodes.v[group->first + i] : NULL;
}

bool kt_hdf5_has_order(const kt_hdf5_node *group) { return group && group->has_order; }

const kt_hdf5_node *kt_hdf5_child_made(const kt_hdf5_node *group, int i) {
    if (!kt_hdf5_has_order(group) || i < 0 || i >= group->n) return kt_hdf5_child(group, i);
    const kt_hdf5_node *c = &group->file->nodes.v[group->first];
    for (int k = 0; k < group->n; k++) { /* numbers may have gaps: count those before */
        int before = 0;
        for (int j = 0; j < group->n; j++)
            before += c[j].made < c[k].made || (c[j].made == c[k].made && j < k);
        if (before == i) return &c[k];
    }
    return NULL;
}

const char *kt_hdf5_name(const kt_hdf5_node *node) { return node ? node->name : NULL; }

const kt_hdf5_node *kt_hdf5_parent(const kt_hdf5_node *node) {
    return node && node->parent >= 0 ? &node->file->nodes.v[node->parent] : NULL;
}

const char *kt_hdf5_path(const kt_hdf5_node *node, char *buf, size_t size) {
    char text[KT_QUOTE_SIZE];
    size_t at = sizeof text;
    for (const kt_hdf5_node *n = node; n && n->parent >= 0; n = kt_hdf5_parent(n)) {
        const size_t len = strlen(n->name);
        if (len + 1 > at) {
            at = 0; /* too long: the last parts say most */
            break;
        }
        at -= len;
        memcpy(text + at, n->name, len);
        text[--at] = '/';
    }
    if (at == sizeof text) text[--at] = '/';
    return kt_quote(text + at, sizeof text - at, buf, size);
}

bool kt_hdf5_is_group(const kt_hdf5_node *node) { return node && !node->is_data; }
bool kt_hdf5_is_data(const kt_hdf5_node *node) { return node && node->is_data; }

kt_shape kt_hdf5_shape(const kt_hdf5_node *data) {
    kt_shape s = {0};
    if (!kt_hdf5_is_data(data)) return s;
    s.ndim = data->space.rank < KT_MAX_RANK ? data->space.rank : KT_MAX_RANK;
    memcpy(s.dim, data->space.dim, sizeof s.dim);
    return s;
}

/* Data -------------------------------------------------------------------------------------------
 */

static kt_dtype elem_dtype(const kt_elem *e) {
    return e->kind == 'B' ? KT_BFLOAT16 : kt_elem_dtype(e);
}

/* Elements as they are, into an array of elem_dtype(e). */
static kt_status read_elems(kt_source *s, const kt_elem *e, void *to, int64_t n) {
    if (e->kind != 'B') return kt_elem_read(s, e, to, n);
    const kt_status st = kt_source_read(s, to, (size_t)n * 2);
    uint16_t *v = to;
    for (int64_t i = 0; !st && kt_machine_is_big() && i < n; i++)
        v[i] = (uint16_t)(v[i] << 8 | v[i] >> 8);
    return st;
}

/* The same into an array of another dtype, by way of a small one. */
static kt_status read_converted(
    kt_source *s, const kt_elem *e, void *to, kt_dtype dtype, int64_t n) {
    double block[1024];
    const kt_dtype from = elem_dtype(e);
    const int64_t step = (int64_t)(sizeof block / kt_dtype_size(from));
    for (int64_t at = 0; at < n; at += step) {
        const int64_t m = n - at < step ? n - at : step;
        const kt_status st = read_elems(s, e, block, m);
        if (st) return st;
        kt_elem_convert((char *)to + (size_t)at * kt_dtype_size(dtype), dtype, block, from, m);
    }
    return KT_OK;
}

static kt_status read_at(
    const kt_hdf5 *h, uint64_t offset, const kt_elem *e, void *to, kt_dtype dtype, int64_t n) {
    kt_source s = kt_h5_source(h, offset, (uint64_t)n * (uint64_t)e->size);
    if (n == 0) return KT_OK;
    return dtype == elem_dtype(e) ? read_elems(&s, e, to, n) : read_converted(&s, e, to, dtype, n);
}

static kt_status in_node(const kt_hdf5_node *node, const char *what, kt_status st) {
    char path[KT_QUOTE_SIZE];
    kt_error_context("in %s \"%s\"", what, kt_hdf5_path(node, path, sizeof path));
    return kt_h5_in_file(node->file, st);
}

kt_status kt_hdf5_check(const kt_hdf5_node *data) {
    if (!data) return KT_FAIL(KT_ENOTFOUND, "hdf5: there is no such data set");
    if (!data->is_data)
        return in_node(
            data,
            "object",
            KT_FAIL(KT_EFORMAT, "hdf5: a group stands where a data set is expected"));
    if (!data->why) return KT_OK;
    return in_node(
        data, "data set", KT_FAIL(KT_EUNSUPPORTED, "hdf5: %s: not supported", data->why));
}

kt_dtype kt_hdf5_dtype(const kt_hdf5_node *data) {
    return kt_hdf5_is_data(data) && !data->why ? elem_dtype(&data->type.elem) : KT_NO_DTYPE;
}

kt_status kt_hdf5_read_into(const kt_hdf5_node *data, void *to, kt_dtype dtype, int64_t n) {
    kt_status st = kt_hdf5_check(data);
    if (st) return st;
    if ((uint64_t)n != data->space.n) {
        char text[KT_SHAPE_STR];
        const kt_shape shape = kt_hdf5_shape(data);
        KT_FAIL(KT_ESHAPE, "hdf5: a data set has another number of elements than are wanted");
        kt_error_expected("%lld elements", (long long)n);
        kt_error_got("shape %s", kt_shape_str(&shape, text, sizeof text));
        return in_node(data, "data set", KT_ESHAPE);
    }
    if (dtype <= KT_NO_DTYPE || dtype >= KT_DTYPE_COUNT)
        return KT_FAIL(KT_EDTYPE, "hdf5: no dtype to read to");
    st = read_at(data->file, data->offset, &data->type.elem, to, dtype, n);
    return st ? in_node(data, "data set", st) : KT_OK;
}

kt_tensor *kt_hdf5_read(const kt_hdf5_node *data) {
    kt_status st = kt_hdf5_check(data);
    if (st) return kt_fail_object(st);
    kt_tensor *t = kt_tensor_new(kt_hdf5_dtype(data), kt_hdf5_shape(data), NULL);
    if (kt_failed(t)) return t;
    st = kt_hdf5_read_into(data, t->data, t->dtype, (int64_t)data->space.n);
    if (!st) return t;
    kt_free(t);
    return kt_fail_object(st);
}

/* Attributes -------------------------------------------------------------------------------------
 */

int kt_hdf5_attr_count(const kt_hdf5_node *node) { return node ? node->n_attrs : 0; }

const char *kt_hdf5_attr_name(const kt_hdf5_node *node, int i) {
    return node && i >= 0 && i < node->n_attrs ? node->file->attrs.v[node->attrs + i].name : NULL;
}

static const kt_h5_attr *find_attr(const kt_hdf5_node *node, const char *name) {
    int low = node ? node->attrs : 0, high = node ? node->attrs + node->n_attrs : 0;
    while (low < high) {
        const int mid = low + (high - low) / 2;
        const int order = strcmp(node->file->attrs.v[mid].name, name);
        if (order == 0) return &node->file->attrs.v[mid];
        if (order < 0)
            low = mid + 1;
        else
            high = mid;
    }
    return NULL;
}

bool kt_hdf5_has_attr(const kt_hdf5_node *node, const char *name) {
    return find_attr(node, name) != NULL;
}

static kt_status in_attr(const kt_hdf5_node *node, const char *name, kt_status st) {
    char quoted[KT_QUOTE_SIZE];
    kt_error_context("in attribute \"%s\"", kt_quote(name, strlen(name), quoted, sizeof quoted));
    return in_node(node, "object", st);
}

static kt_status need_attr(const kt_h5_attr **a, const kt_hdf5_node *node, const char *name) {
    char quoted[KT_QUOTE_SIZE];
    if (!node) return KT_FAIL(KT_ENOTFOUND, "hdf5: there is no such object");
    *a = find_attr(node, name);
    if (*a) return KT_OK;
    return in_node(
        node,
        "object",
        KT_FAIL(
            KT_ENOTFOUND,
            "hdf5: there is no attribute \"%s\"",
            kt_quote(name, strlen(name), quoted, sizeof quoted)));
}

kt_tensor *kt_hdf5_attr_read(const kt_hdf5_node *node, const char *name) {
    const kt_h5_attr *a;
    kt_status st = need_attr(&a, node, name);
    if (st) return kt_fail_object(st);
    if (a->type.kind != KT_H5_NUMBER || a->space.null || a->space.rank > KT_MAX_RANK) {
        const char *why = a->type.kind == KT_H5_FIXED || a->type.kind == KT_H5_VLEN ? "strings"
                          : a->type.why                                             ? a->type.why
                                        : "no value that an array can hold";
        KT_FAIL(KT_EDTYPE, "hdf5: the attribute is expected to be numbers");
        kt_error_got("%s", why);
        return kt_fail_object(in_attr(node, name, KT_EDTYPE));
    }
    kt_shape shape = {.ndim = a->space.rank};
    memcpy(shape.dim, a->space.dim, sizeof shape.dim);
    kt_tensor *t = kt_tensor_new(elem_dtype(&a->type.elem), shape, NULL);
    if (kt_failed(t)) return t;
    st = read_at(node->file, a->offset, &a->type.elem, t->data, t->dtype, (int64_t)a->space.n);
    if (!st) return t;
    kt_free(t);
    return kt_fail_object(in_attr(node, name, st));
}

/* Strings ----------------------------------------------------------------------------------------
 */

void kt_hdf5_strings_free(kt_hdf5_strings *s) {
    kt_mem_free(s->v); /* one block: pointers, then characters */
    *s = (kt_hdf5_strings){0};
}

/* Where the characters of each string are. */
static kt_status locate(kt_hdf5 *h, const kt_h5_attr *a, kt_h5_blob *at) {
    kt_status st = KT_OK;
    for (uint64_t i = 0; i < a->space.n && !st; i++) {
        const uint64_t offset = a->offset + i * a->type.size;
        at[i] = (kt_h5_blob){offset, a->type.size};
        if (a->type.kind == KT_H5_VLEN) st = kt_h5_heap_find(h, offset, &at[i]);
    }
    return st;
}

static kt_status copy_strings(
    const kt_hdf5 *h, const kt_h5_blob *at, kt_hdf5_strings *out, char *to) {
    kt_status st = KT_OK;
    for (int i = 0; i < out->n && !st; i++) {
        const size_t size = (size_t)at[i].size;
        kt_source s = kt_h5_source(h, at[i].offset, at[i].size);
        if (size) st = kt_source_read(&s, to, size);
        size_t n = size; /* trailing zeros are padding, others would hide text from C */
        while (n > 0 && to[n - 1] == 0) n--;
        if (!st && memchr(to, 0, n)) st = kt_h5_bad("a string with a 0 byte inside");
        out->v[i] = to;
        to += size + 1;
    }
    return st;
}

static kt_status read_strings(kt_hdf5 *h, const kt_h5_attr *a, kt_hdf5_strings *out) {
    const size_t n = (size_t)a->space.n;
    uint64_t total = 0;
    if (a->space.n > INT32_MAX) return KT_FAIL(KT_ELIMIT, "hdf5: too many strings");
    kt_h5_blob *at = kt_alloc_array((int64_t)n, sizeof *at);
    if (!at) return KT_ENOMEM;
    kt_status st = locate(h, a, at);
    /* each size is at most that of the file, and so is their sum unless two share their bytes */
    for (size_t i = 0; i < n && total <= h->size; i++) total += at[i].size;
    if (!st && total > h->size) st = kt_h5_bad("strings overlap in the heap");
    char **v = st ? NULL : kt_alloc((size_t)total + n * (sizeof *v + 1));
    if (!st && !v) st = KT_ENOMEM;
    if (!st) {
        *out = (kt_hdf5_strings){v, (int)n};
        st = copy_strings(h, at, out, (char *)(v + n));
        if (st) kt_hdf5_strings_free(out);
    }
    kt_mem_free(at);
    return st;
}

kt_status kt_hdf5_attr_strings(kt_hdf5_strings *out, const kt_hdf5_node *node, const char *name) {
    const kt_h5_attr *a;
    *out = (kt_hdf5_strings){0};
    kt_status st = need_attr(&a, node, name);
    if (st) return st;
    if (a->space.rank > 0 && a->space.n == 0) return KT_OK;
    if (a->space.null || (a->type.kind != KT_H5_FIXED && a->type.kind != KT_H5_VLEN)) {
        KT_FAIL(KT_EDTYPE, "hdf5: the attribute is expected to be strings");
        kt_error_got("%s", a->space.null ? "no value" : a->type.why ? a->type.why : "numbers");
        return in_attr(node, name, KT_EDTYPE);
    }
    st = read_strings(node->file, a, out);
    return st ? in_attr(node, name, st) : KT_OK;
}

/* Appends: pointers move, characters stay in blocks of their own until the end. */
static kt_status join(kt_hdf5_strings *out, const kt_hdf5_strings *more) {
    size_t bytes = 0, old = 0;
    for (int i = 0; i < out->n; i++) old += strlen(out->v[i]) + 1;
    for (int i = 0; i < more->n; i++) bytes += strlen(more->v[i]) + 1;
    const size_t n = (size_t)out->n + (size_t)more->n;
    char **v = kt_alloc(n * sizeof *v + old + bytes);
    if (!v) return KT_ENOMEM;
    char *to = (char *)(v + n);
    for (size_t i = 0; i < n; i++) {
        const char *from = i < (size_t)out->n ? out->v[i] : more->v[i - (size_t)out->n];
        const size_t size = strlen(from) + 1;
        memcpy(v[i] = to, from, size);
        to += size;
    }
    kt_hdf5_strings_free(out);
    *out = (kt_hdf5_strings){v, (int)n};
    return KT_OK;
}

kt_status kt_hdf5_attr_names(kt_hdf5_strings *out, const kt_hdf5_node *node, const char *name) {
    *out = (kt_hdf5_strings){0};
    char part[256];
    snprintf(part, sizeof part, "%s0", name);
    if (find_attr(node, name) || !find_attr(node, part))
        return kt_hdf5_attr_strings(out, node, name);
    kt_status st = KT_OK;
    for (int i = 0; !st && find_attr(node, part); i++) {
        kt_hdf5_strings more;
        st = kt_hdf5_attr_strings(&more, node, part);
        if (!st) st = join(out, &more);
        kt_hdf5_strings_free(&more);
        snprintf(part, sizeof part, "%s%d", name, i + 1);
    }
    if (st) kt_hdf5_strings_free(out);
    return st;
}

kt_status kt_hdf5_attr_text(char **text, size_t *n, const kt_hdf5_node *node, const char *name) {
    kt_hdf5_strings s;
    *text = NULL;
    *n = 0;
    kt_status st = kt_hdf5_attr_strings(&s, node, name);
    if (st) return st;
    if (s.n != 1) {
        KT_FAIL(KT_EFORMAT, "hdf5: the attribute is expected to be one string");
        kt_error_got("%d strings", s.n);
        st = in_attr(node, name, KT_EFORMAT);
    } else if (!(*text = kt_strdup(s.v[0]))) {
        st = KT_ENOMEM;
    } else {
        *n = strlen(*text);
    }
    kt_hdf5_strings_free(&s);
    return st;
}
