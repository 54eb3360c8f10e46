/* Arrays in files, as programs read and write them. See keratin/files.h; the readers are in io/. */
#include <keratin/files.h>

#include "base/field.h"
#include "base/mem.h"
#include "io/csv.h"
#include "io/npy.h"
#include "io/npz.h"

#include <string.h>

static kt_status no_path(void) {
    return KT_FAIL(KT_EINVAL, "path: expected the name of a file, got none");
}

kt_tensor *kt_load_npy(const char *path) {
    return path ? kt_npy_read(path) : kt_fail_object(no_path());
}

kt_status kt_save_npy(const char *path, const kt_tensor *t) {
    return path ? kt_npy_write(path, t) : no_path();
}

/* Names and arrays in turn; whatever was read goes with the list, or with the failure. */
static kt_list_t *dict_of(kt_npz *npz) {
    const int n = kt_npz_count(npz);
    const void **items = kt_alloc_array(2 * (int64_t)n + 1, sizeof *items);
    if (!items) return kt_fail_object(KT_ENOMEM);
    kt_status st = KT_OK;
    int done = 0;
    for (; done < n && !st; done++) {
        kt_tensor *t = kt_npz_read(npz, kt_npz_name(npz, done));
        st = kt_check(t);
        items[2 * done] = kt_npz_name(npz, done);
        items[2 * done + 1] = t;
    }
    items[2 * (size_t)n] = kt_list_end;
    kt_list_t *list = st ? kt_fail_object(st) : kt_list_own(kt_dict_new(items));
    for (int i = 0; i < done && kt_failed(list); i++) kt_free(items[2 * i + 1]);
    kt_mem_free(items);
    return list;
}

kt_list_t *kt_load_npz(const char *path) {
    kt_npz *npz;
    if (!path) return kt_fail_object(no_path());
    const kt_status st = kt_npz_open(&npz, path);
    if (st) return kt_fail_object(st);
    kt_list_t *list = dict_of(npz);
    kt_npz_close(npz);
    return list;
}

static kt_status save_arrays(const char *path, const kt_list_t *arrays) {
    const int n = kt_list_len(arrays) / 2;
    const char **names = kt_alloc_array(n, sizeof *names);
    const kt_tensor **tensors = kt_alloc_array(n, sizeof *tensors);
    kt_status st = names && tensors ? KT_OK : KT_ENOMEM;
    for (int i = 0; i < n && !st; i++) {
        names[i] = kt_list_get(arrays, 2 * i);
        tensors[i] = kt_list_get(arrays, 2 * i + 1);
        if (!kt_is(tensors[i], KT_KIND_TENSOR))
            st = KT_FAIL(KT_EINVAL, "arrays: \"%.60s\" is no array", names[i]);
    }
    if (!st) st = kt_npz_write(path, n, names, tensors);
    kt_mem_free(names);
    kt_mem_free(tensors);
    return st;
}

kt_status kt_save_npz(const char *path, const kt_list_t *arrays) {
    kt_status st;
    if (!path)
        st = no_path();
    else if (kt_failed(arrays))
        st = arrays ? kt_check(arrays)
                    : KT_FAIL(KT_EINVAL, "arrays: expected kt_dict(…), got NULL");
    else if (!kt_list_is_dict(arrays))
        st = KT_FAIL(KT_EINVAL, "arrays: expected kt_dict(…)");
    else
        st = save_arrays(path, arrays);
    kt_drop(arrays);
    return st;
}

kt_tensor *kt_load_csv_with(const kt_load_csv_args *given) {
    static const kt_load_csv_args defaults = {KT_LOAD_CSV_DEFAULTS};
    kt_load_csv_args a;
    kt_tensor *x = NULL, *y = NULL;
    kt_status st = kt_args_read(&a, given, sizeof a, &defaults);
    if (!st && !a.path) st = no_path();
    if (!st && (!a.separator || strlen(a.separator) != 1 || strchr("\"\r\n", *a.separator)))
        st = KT_FAIL(KT_EINVAL, "separator: expected one character");
    const kt_dtype dtype = kt_dtype_of(a.dtype);
    if (!st && dtype != KT_FLOAT32 && dtype != KT_STRING)
        st = KT_FAIL(KT_EINVAL, "dtype: expected \"float32\" or \"string\"");
    if (!st && !a.target != !a.y)
        st = KT_FAIL(KT_EINVAL, "target and y: expected both or none of them");
    if (!st)
        st = kt_csv_read(
            a.path,
            &(kt_csv_options){
                .separator = *a.separator,
                .header = a.header,
                .target = a.target,
                .texts = dtype == KT_STRING},
            &x,
            &y);
    if (a.y) *a.y = st ? kt_fail_object(st) : y;
    return st ? kt_fail_object(st) : x;
}
