/* Reading and writing .npz. See npz.h.
 *
 * The length that a .npy header asks for must equal the length of its member, and that is bounded
 * by the archive: by its bytes if stored, by what deflate can make of them if not (zip.c). */
#include "io/npz.h"

#include "base/mem.h"
#include "io/npy.h"
#include "io/npy_text.h"
#include "io/zip.h"
#include "tensor/tensor.h"

#define NPY_SUFFIX ".npy"

struct kt_npz {
    kt_zip *zip;
    char *path;   /* for messages; NULL for memory */
    char **names; /* member names without ".npy", in their order */
};

static kt_status in_file(const kt_npz *npz, kt_status st) {
    if (npz->path) kt_error_context("in file \"%s\"", npz->path);
    return st;
}

static kt_status collect_names(kt_npz *npz) {
    char quoted[KT_QUOTE_SIZE];
    const int n = kt_zip_count(npz->zip);
    npz->names = kt_alloc_array(n, sizeof *npz->names);
    if (!npz->names) return KT_ENOMEM;
    for (int i = 0; i < n; i++) {
        const char *name = kt_zip_entry_at(npz->zip, i)->name;
        const size_t len = strlen(name), suffix = strlen(NPY_SUFFIX);
        if (len <= suffix || strcmp(name + len - suffix, NPY_SUFFIX) != 0)
            return KT_FAIL(
                KT_EFORMAT,
                "npz: member \"%s\" is no .npy array",
                kt_quote(name, len, quoted, sizeof quoted));
        npz->names[i] = kt_strdup(name);
        if (!npz->names[i]) return KT_ENOMEM;
        npz->names[i][len - suffix] = 0;
    }
    return KT_OK;
}

static kt_status open_any(kt_npz **out, const char *path, const void *data, size_t size) {
    const kt_zip_options options = {.case_matters = true};
    *out = NULL;
    kt_npz *npz = kt_alloc(sizeof *npz);
    if (!npz) return KT_ENOMEM;
    kt_status st = path ? kt_zip_open(&npz->zip, path, &options)
                        : kt_zip_open_memory(&npz->zip, data, size, &options);
    if (!st && path && !(npz->path = kt_strdup(path))) st = KT_ENOMEM;
    if (!st && (st = collect_names(npz))) in_file(npz, st);
    if (st)
        kt_npz_close(npz);
    else
        *out = npz;
    return st;
}

kt_status kt_npz_open(kt_npz **out, const char *path) {
    return open_any(out, path ? path : "", NULL, 0);
}

kt_status kt_npz_open_memory(kt_npz **out, const void *data, size_t size) {
    return open_any(out, NULL, data, size);
}

void kt_npz_close(kt_npz *npz) {
    if (!npz) return;
    for (int i = 0; npz->names && i < kt_npz_count(npz); i++) kt_mem_free(npz->names[i]);
    kt_mem_free(npz->names);
    kt_mem_free(npz->path);
    kt_zip_close(npz->zip);
    kt_mem_free(npz);
}

int kt_npz_count(const kt_npz *npz) { return kt_zip_count(npz->zip); }

const char *kt_npz_name(const kt_npz *npz, int i) {
    return i >= 0 && i < kt_npz_count(npz) ? npz->names[i] : NULL;
}

static void *not_found(const kt_npz *npz, const char *name) {
    char quoted[KT_QUOTE_SIZE];
    const int n = kt_npz_count(npz);
    const char *near = kt_nearest(name, (const char *const *)npz->names, n);
    KT_FAIL(
        KT_ENOTFOUND,
        "npz: there is no array \"%s\"",
        kt_quote(name, strlen(name), quoted, sizeof quoted));
    if (near)
        kt_error_hint("did you mean \"%s\"?", kt_quote(near, strlen(near), quoted, sizeof quoted));
    return kt_fail_object(in_file(npz, KT_ENOTFOUND));
}

static void *read_tensor(kt_source *s) { return kt_npy_read_source(s); }
static void *read_sequences(kt_source *s) { return kt_npy_read_sequences(s); }

static void *read_member(kt_npz *npz, const char *name, void *(*read)(kt_source *s)) {
    char quoted[KT_QUOTE_SIZE];
    kt_source source;
    int i = 0;
    while (i < kt_npz_count(npz) && strcmp(npz->names[i], name) != 0) i++;
    if (i == kt_npz_count(npz)) return not_found(npz, name);
    kt_status st = kt_zip_member_open(npz->zip, i, &source);
    if (st) return kt_fail_object(in_file(npz, st));
    void *t = read(&source);
    st = kt_check(t);
    if (st)
        kt_zip_member_drop(npz->zip);
    else
        st = kt_zip_member_close(npz->zip);
    if (!st) return t;
    kt_free(t);
    kt_error_context("in array \"%s\"", kt_quote(name, strlen(name), quoted, sizeof quoted));
    return kt_fail_object(in_file(npz, st));
}

kt_tensor *kt_npz_read(kt_npz *npz, const char *name) {
    return read_member(npz, name, read_tensor);
}

kt_sequences *kt_npz_read_sequences(kt_npz *npz, const char *name) {
    return read_member(npz, name, read_sequences);
}

static kt_status add_array(kt_zip_writer *w, const char *name, const kt_tensor *t) {
    kt_str header = {0}, member = {0};
    kt_tensor *wide = t->dtype == KT_BFLOAT16 ? kt_tensor_cast(t, KT_FLOAT32) : NULL;
    const kt_tensor *array = wide ? wide : t;
    void *texts = NULL;
    size_t size = kt_tensor_bytes(array);
    kt_status st = kt_check(array);
    if (!st) st = kt_npy_header(&header, array);
    if (!st && array->dtype == KT_STRING) st = kt_npy_text_data(array, &texts, &size);
    if (!st) {
        const kt_zip_part parts[] = {
            {header.s, header.n}, {texts ? texts : kt_tensor_data(array), size}};
        kt_str_addf(&member, "%s" NPY_SUFFIX, name);
        st = member.status ? member.status : kt_zip_add(w, member.s, parts, 2);
    }
    kt_str_free(&member);
    kt_str_free(&header);
    kt_mem_free(texts);
    kt_free(wide);
    return st;
}

kt_status kt_npz_write(
    const char *path, int n, const char *const *names, const kt_tensor *const *arrays) {
    kt_zip_writer w;
    for (int i = 0; i < n; i++) {
        if (kt_failed(arrays[i]) && arrays[i]) return kt_check(arrays[i]);
        if (!kt_is(arrays[i], KT_KIND_TENSOR) || !names[i])
            return KT_FAIL(KT_EINVAL, "npz: expected a name and an array at position %d", i);
        for (int j = 0; j < i; j++)
            if (strcmp(names[i], names[j]) == 0)
                return KT_FAIL(KT_EINVAL, "npz: two arrays are named \"%s\"", names[i]);
    }
    kt_status st = kt_zip_begin(&w, path);
    if (st) return st;
    for (int i = 0; i < n && !st; i++) st = add_array(&w, names[i], arrays[i]);
    if (!st) return kt_zip_commit(&w);
    kt_zip_abort(&w);
    return st;
}
