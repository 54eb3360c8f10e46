/* Small valid files with damage: cut at every byte, and with bytes changed. Loading says KT_EFORMAT
 * for what is cut (formats without an end mark may still be whole), and for the rest anything but a
 * crash, an internal error or lost objects. ASan sees what is read outside.
 *
 * `step`: every how manieth byte of a file is changed, which keeps this short. */
#include "base/fs.h"
#include "base/mem.h"
#include "base/obj.h"
#include "io/csv.h"
#include "io/npy.h"
#include "io/npz.h"
#include "io/pickle.h"
#include "saving/archive.h"
#include "saving/legacy.h"
#include "saving/weights_h5.h"
#include "testing/kt_test.h"

#include <keratin/keratin.h>

#include <stdlib.h>
#include <string.h>

typedef kt_status reader(const unsigned char *data, size_t n);

static kt_status read_keras(const unsigned char *data, size_t n) {
    kt_archive a;
    kt_status st = kt_archive_open_memory(&a, data, n);
    if (st) return st;
    kt_model *m = kt_archive_load(&a, true);
    st = kt_check(m);
    kt_free(m);
    kt_archive_close(&a);
    return st;
}

/* Cut behind the archive inside, it is one with something in front of it. */
static kt_status read_keras_npz(const unsigned char *data, size_t n) {
    const kt_status st = read_keras(data, n);
    return st == KT_EREFUSED ? KT_EFORMAT : st;
}

static kt_status read_h5(const unsigned char *data, size_t n) {
    kt_hdf5 *h;
    kt_status st = kt_hdf5_open_memory(&h, data, n, NULL);
    if (st) return st;
    kt_model *m = kt_legacy_load_model(h, "damaged.h5", true);
    st = kt_check(m);
    kt_free(m);
    kt_hdf5_close(h);
    return st;
}

static kt_status read_weights(const unsigned char *data, size_t n) {
    kt_hdf5 *h;
    kt_weight_tree t;
    kt_status st = kt_hdf5_open_memory(&h, data, n, NULL);
    if (st) return st;
    kt_model *m = kt_sequential(kt_list(kt_input({5}), kt_dense(4, "tanh"), kt_dense(2)));
    kt_check_status(kt_weight_tree_make(&t, m, false), KT_OK);
    st = kt_weights_h5_get(h, &t, false);
    kt_weight_tree_free(&t);
    kt_hdf5_close(h);
    return st == KT_ESHAPE || st == KT_EDTYPE ? KT_EFORMAT : st;
}

static kt_status read_json(const unsigned char *data, size_t n) {
    char *text = kt_alloc(n + 1);
    memcpy(text, data, n);
    kt_model *m = kt_model_from_json(text);
    kt_mem_free(text);
    return kt_check(m);
}

static kt_status read_npy(const unsigned char *data, size_t n) {
    kt_tensor *t = kt_npy_parse(data, n);
    const kt_status st = kt_check(t);
    kt_free(t);
    return st;
}

static kt_status read_npz(const unsigned char *data, size_t n) {
    kt_npz *npz;
    kt_status st = kt_npz_open_memory(&npz, data, n);
    if (st) return st;
    for (int i = 0; i < kt_npz_count(npz) && !st; i++) {
        kt_tensor *t = kt_npz_read(npz, kt_npz_name(npz, i));
        st = kt_check(t);
        kt_free(t);
    }
    kt_npz_close(npz);
    return st;
}

static kt_status look_at(void *with, const kt_pickle_array *a) {
    for (size_t i = 0; i < a->bytes; i++) *(unsigned *)with += ((const unsigned char *)a->data)[i];
    return KT_OK;
}

static kt_status read_variables(const unsigned char *data, size_t n) {
    unsigned sum = 0;
    return kt_pickle_arrays(data, n, look_at, &sum);
}

static kt_status read_csv(const unsigned char *data, size_t n) {
    const kt_csv_options o = {.separator = ',', .header = -1, .target = "-1"};
    kt_tensor *x, *y;
    const kt_status st = kt_csv_parse((const char *)data, n, &o, &x, &y);
    kt_free(x);
    kt_free(y);
    return st;
}

/* Each run leaves nothing, and says nothing but what files can be accused of. */
static kt_status run(reader *read, const unsigned char *data, size_t n, size_t at) {
    unsigned char *copy = malloc(n ? n : 1); /* exactly so long, for the sanitizer */
    if (n) memcpy(copy, data, n);
    const kt_status st = read(copy, n);
    free(copy);
    kt_clear_session();
    if (kt_obj_count() || st == KT_EINTERNAL || st == KT_ENOMEM || st == KT_EIO)
        fail_msg("damage at %d: %s, %d objects", (int)at, kt_status_name(st), (int)kt_obj_count());
    return st;
}

/* `ends`: a cut file can be told from a whole one. */
static void check(reader *read, const unsigned char *data, size_t n, bool ends, size_t step) {
    static uint64_t random = 88172645463325252u;
    unsigned char *bad = malloc(n);
    kt_check_status(run(read, data, n, 0), KT_OK);
    for (size_t cut = 0; cut < n; cut++) {
        const kt_status st = run(read, data, cut, cut);
        if (ends) assert_int_equal(st, KT_EFORMAT);
    }
    memcpy(bad, data, n);
    for (size_t at = 0; at < n; at += step) {
        random ^= random << 13, random ^= random >> 7, random ^= random << 17;
        const size_t where = step > 1 ? random % n : at;
        const unsigned char was = bad[where];
        const unsigned bit = 1u << (random >> 40 & 7), any = (unsigned)(random >> 48);
        bad[where] = (unsigned char)(random >> 32 & 3 ? was ^ bit : any);
        run(read, bad, n, where);
        if (random >> 34 & 1) bad[where] = was; /* half of them stay for a while */
        if (at / step % 20 == 19) memcpy(bad, data, n);
    }
    free(bad);
}

static void check_file(reader *read, const char *path, bool ends, size_t step) {
    unsigned char *data;
    size_t n;
    kt_check_status(kt_fs_load(&data, &n, path, 1 << 24), KT_OK);
    check(read, data, n, ends, step);
    kt_mem_free(data);
}

KT_TEST(damage, keras) { check_file(read_keras, "tests/golden/files/two.keras", true, 7); }
KT_TEST(damage, h5) { check_file(read_h5, "fuzz/corpora/h5_file/mlp.h5", true, 7); }
KT_TEST(damage, weights) { check_file(read_weights, "tests/golden/files/mlp.weights.h5", true, 7); }
KT_TEST(damage, json) { check_file(read_json, "fuzz/corpora/model_json/sequential", true, 1); }
KT_TEST(damage, npy) { check_file(read_npy, "fuzz/corpora/npy/fortran", true, 1); }
KT_TEST(damage, npz) { check_file(read_npz, "fuzz/corpora/npz/stored", true, 1); }
KT_TEST(damage, npz_deflated) { check_file(read_npz, "fuzz/corpora/npz/deflated", true, 1); }
KT_TEST(damage, keras_npz) {
    check_file(read_keras_npz, "tests/golden/weights_npz/series_jax.keras", true, 7);
}
KT_TEST(damage, variables) {
    check_file(read_variables, "fuzz/corpora/pickle/weights_pictures", true, 1);
    check_file(read_variables, "fuzz/corpora/pickle/weights_series_jax", true, 1);
    check_file(read_variables, "fuzz/corpora/pickle/weights_series", true, 1);
}
KT_TEST(damage, csv) {
    const char table[] = "a,\"b \"\"c\"\"\",y\r\n1,2.5,0\n-3e2,nan,1\n,7,1\n";
    check(read_csv, (const unsigned char *)table, sizeof table - 1, false, 1);
}
