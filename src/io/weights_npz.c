/* Weights that Keras stored as .npz. See weights_npz.h. */
#include "io/weights_npz.h"

#include "base/error.h"
#include "base/mem.h"
#include "io/npy.h"
#include "io/pickle.h"

#include <string.h>

#define ROOT "__root__"
#define KEY_MAX 200

/* Turns one dict into a group of data sets. */
typedef struct {
    kt_hdf5_item *vars;
} copying;

static kt_status copy_array(void *with, const kt_pickle_array *a) {
    const copying *c = with;
    char key[KEY_MAX + 1];
    if (a->key_n < 1 || a->key_n > KEY_MAX || memchr(a->key, 0, a->key_n) ||
        memchr(a->key, '/', a->key_n))
        return KT_FAIL(KT_EFORMAT, "a variable has a name that is none");
    memcpy(key, a->key, a->key_n);
    key[a->key_n] = 0;
    kt_source s = kt_source_of_memory(a->data, a->bytes);
    kt_tensor *t = kt_tensor_new(a->dtype, a->shape, NULL);
    kt_status st = kt_check(t);
    if (st == KT_OK) st = kt_elem_read(&s, &a->elem, t->data, kt_tensor_size(t));
    if (st == KT_OK && a->fortran && a->shape.ndim > 1) {
        t = kt_npy_in_c_order(t);
        st = kt_check(t);
    }
    if (st == KT_OK) kt_hdf5_put_copy(c->vars, key, t->dtype, t->shape, t->data);
    kt_free(t);
    return st;
}

/* A part of the path called "vars" would be taken for the group of variables beside it. */
static bool is_path(const char *path) {
    while (*path) {
        const size_t n = strcspn(path, "/");
        if (!n || (n == 4 && !memcmp(path, "vars", 4))) return false;
        path += n + (path[n] == '/');
    }
    return true;
}

static kt_status copy_member(kt_hdf5_writer *w, kt_zip *z, int i) {
    const kt_zip_entry *e = kt_zip_entry_at(z, i);
    char path[1024], quoted[KT_QUOTE_SIZE];
    const size_t n = strlen(e->name), end = strlen(".npy");
    kt_quote(e->name, n, quoted, sizeof quoted);
    if (n <= end || n >= sizeof path || strcmp(e->name + n - end, ".npy") != 0)
        return KT_FAIL(KT_EFORMAT, "npz: member \"%s\" is no .npy array", quoted);
    memcpy(path, e->name, n - end);
    path[n - end] = 0;
    const bool root = !strcmp(path, ROOT);
    if (!is_path(path)) return KT_FAIL(KT_EFORMAT, "npz: \"%s\" is no path of a layer", quoted);
    kt_hdf5_item *group = kt_hdf5_writer_root(w);
    if (!root) group = kt_hdf5_put_group(group, path);
    copying c = {kt_hdf5_put_group(group, "vars")};
    const char *name = strrchr(path, '/');
    kt_hdf5_put_text(c.vars, "name", name ? name + 1 : path, strlen(name ? name + 1 : path), true);
    kt_source s;
    kt_status st = kt_zip_member_open(z, i, &s);
    if (st == KT_OK) {
        st = kt_npy_read_arrays(&s, copy_array, &c);
        if (st)
            kt_zip_member_drop(z);
        else
            st = kt_zip_member_close(z);
    }
    if (st && st == kt_error_last()) kt_error_context("in array \"%s\"", quoted);
    return st;
}

/* Deflated members together may take bytes_max; stored ones are as large as the file. */
static kt_status check_sizes(const kt_zip *z, uint64_t bytes_max) {
    uint64_t bytes = 0;
    for (int i = 0; i < kt_zip_count(z); i++) {
        const kt_zip_entry *e = kt_zip_entry_at(z, i);
        if (!e->method) continue;
        if (e->size > bytes_max - bytes)
            return KT_FAIL(KT_ELIMIT, "npz: the arrays unpack to more than the model needs");
        bytes += e->size;
    }
    return KT_OK;
}

static kt_status copy_all(kt_hdf5_writer *w, const void *data, size_t size, uint64_t bytes_max) {
    kt_zip *z;
    kt_status st = kt_zip_open_memory(
        &z, data, size, &(kt_zip_options){.case_matters = true, .streamed = true});
    if (st) return st;
    st = check_sizes(z, bytes_max);
    for (int i = 0; i < kt_zip_count(z) && st == KT_OK; i++) st = copy_member(w, z, i);
    kt_zip_close(z);
    return st;
}

/* The file that the writer describes, in one piece. */
static kt_status open_written(kt_hdf5 **out, kt_hdf5_writer *w) {
    const kt_zip_part *parts;
    int n;
    size_t size = 0, at = 0;
    const kt_status st = kt_hdf5_layout(w, &parts, &n);
    if (st) return st;
    for (int i = 0; i < n; i++) size += parts[i].size;
    char *bytes = kt_alloc(size);
    if (!bytes) return KT_ENOMEM;
    for (int i = 0; i < n; at += parts[i++].size) memcpy(bytes + at, parts[i].data, parts[i].size);
    return kt_hdf5_open_owned(out, bytes, size, NULL);
}

kt_status kt_weights_npz_open(kt_hdf5 **out, kt_zip *z, int i, uint64_t bytes_max) {
    const kt_zip_entry *e = kt_zip_entry_at(z, i);
    *out = NULL;
    void *data = e->size < SIZE_MAX ? kt_alloc((size_t)e->size) : NULL;
    kt_hdf5_writer *w = data ? kt_hdf5_writer_new() : NULL;
    kt_status st = w ? kt_zip_read(z, i, data) : KT_ENOMEM;
    if (st == KT_OK) st = copy_all(w, data, (size_t)e->size, bytes_max);
    kt_mem_free(data);
    if (st == KT_OK) st = open_written(out, w);
    if (w) kt_hdf5_writer_free(w);
    return st;
}
