/* House prices: Boston (13 numbers a row) and California (8), for regression.
 * keras.datasets.boston_housing.load_data, keras.datasets.california_housing.load_data
 *
 * Both are one table in an archive, shuffled and split here as Keras does it. */
#include "base/error.h"
#include "base/field.h"
#include "base/mem.h"
#include "data/builtin/builtin.h"

#define SMALL_ROWS 600

typedef struct {
    const char *path, *title, *file;
    double test_split;
    int64_t seed;
    int64_t n_rows; /* the first so many; all if KT_NONE */
} housing;

static kt_status split_rows(
    kt_splits *s, const kt_tensor *x, const kt_tensor *y, const housing *h) {
    kt_mt19937 mt;
    int64_t n = kt_tensor_dim(x, 0);
    if (h->n_rows != KT_NONE && h->n_rows < n) n = h->n_rows;
    kt_status st = kt_builtin_rng(&mt, h->seed);
    if (st) return st;
    int64_t *order = kt_builtin_order(&mt, n);
    if (!order) return KT_ENOMEM;
    const int64_t n_train = kt_builtin_n_train(n, h->test_split);
    s->x_train = kt_builtin_rows(x, order, n_train);
    s->y_train = kt_builtin_rows(y, order, n_train);
    s->x_test = kt_builtin_rows(x, order + n_train, n - n_train);
    s->y_test = kt_builtin_rows(y, order + n_train, n - n_train);
    kt_mem_free(order);
    const kt_tensor *const parts[] = {s->x_train, s->y_train, s->x_test, s->y_test};
    for (int i = 0; i < 4 && !st; i++) st = kt_check(parts[i]);
    return st;
}

static kt_status read_table(kt_splits *s, const housing *h) {
    kt_str path = {0};
    kt_npz *npz = NULL;
    kt_status st = kt_builtin_open(&npz, &path, h->path, h->title, h->file);
    if (!st) {
        kt_tensor *x = kt_npz_read(npz, "x"), *y = kt_failed(x) ? NULL : kt_npz_read(npz, "y");
        st = kt_failed(x) ? kt_check(x) : kt_check(y);
        if (!st) st = kt_splits_check(&(kt_splits){x, y, x, y}, 2);
        if (st == KT_EFORMAT && !kt_failed(y)) kt_error_context("in file \"%s\"", path.s);
        if (!st) st = split_rows(s, x, y, h);
        kt_free(x);
        kt_free(y);
    }
    kt_npz_close(npz);
    kt_str_free(&path);
    return st;
}

static kt_status load(kt_splits *s, const housing *h) {
    if (!s) return KT_FAIL(KT_EINVAL, "splits: expected a pointer to kt_splits, got NULL");
    *s = (kt_splits){0};
    kt_status st = KT_OK;
    if (!(h->test_split >= 0 && h->test_split < 1))
        st = KT_FAIL(
            KT_EINVAL, "test_split: expected 0 <= test_split < 1, got %.17g", h->test_split);
    if (!st) st = read_table(s, h);
    return st ? kt_splits_fail(s, st) : KT_OK;
}

kt_status kt_data_boston_housing_with(const kt_data_boston_housing_args *args) {
    kt_data_boston_housing_args a;
    const kt_status st = kt_args_read(&a, args, sizeof a, NULL);
    if (st) return st;
    return load(
        a.splits,
        &(housing){a.path, "Boston housing", "boston_housing.npz", a.test_split, a.seed, KT_NONE});
}

kt_status kt_data_california_housing_with(const kt_data_california_housing_args *args) {
    static const char *const versions[] = {"large", "small", NULL};
    kt_data_california_housing_args a;
    int version;
    kt_status st = kt_args_read(&a, args, sizeof a, NULL);
    if (st) return st;
    st = kt_arg_word("version", a.version, versions, &version);
    if (st && a.splits) *a.splits = (kt_splits){0};
    if (st) return a.splits ? kt_splits_fail(a.splits, st) : st;
    return load(
        a.splits,
        &(housing){
            a.path,
            "California housing",
            "california_housing.npz",
            a.test_split,
            a.seed,
            version ? SMALL_ROWS : KT_NONE});
}
