/* Reuters: 11,228 newswires as word numbers, 46 topics.  keras.datasets.reuters.load_data
 *
 * One set in the file, shuffled, filtered, and then split. */
#include "base/error.h"
#include "base/field.h"
#include "data/builtin/text.h"

static kt_status write_splits(
    kt_text_splits *s, const kt_texts *t, double test_split, const kt_text_options *options) {
    const int64_t n = kt_builtin_n_train(t->n, test_split);
    s->x_train = kt_texts_write(t, 0, n, options);
    s->y_train = kt_builtin_rows(t->labels, t->order, n);
    s->x_test = kt_texts_write(t, n, t->n, options);
    s->y_test = kt_builtin_rows(t->labels, t->order + n, t->n - n);
    const void *const parts[] = {s->x_train, s->y_train, s->x_test, s->y_test};
    for (int i = 0; i < 4; i++)
        if (kt_failed(parts[i])) return kt_check(parts[i]);
    return KT_OK;
}

static kt_status read_set(kt_texts *t, kt_npz *npz, int64_t seed, kt_text_options *options) {
    kt_mt19937 mt;
    kt_status st = kt_builtin_rng(&mt, seed);
    if (!st) st = kt_texts_read(t, npz, "x", "y", &mt, options);
    return st ? st : kt_text_find_num_words(options, t, 1);
}

kt_status kt_data_reuters_with(const kt_data_reuters_args *args) {
    kt_data_reuters_args a;
    kt_str path = {0};
    kt_npz *npz = NULL;
    kt_texts texts = {0};
    kt_status st = kt_args_read(&a, args, sizeof a, NULL);
    if (st) return st;
    if (!a.splits)
        return KT_FAIL(KT_EINVAL, "splits: expected a pointer to kt_text_splits, got NULL");
    *a.splits = (kt_text_splits){0};
    kt_text_options options = {
        a.num_words, a.skip_top, a.maxlen, a.start_char, a.oov_char, a.index_from};
    st = kt_text_options_check(&options);
    if (!st && !(a.test_split >= 0 && a.test_split <= 1))
        st = KT_FAIL(
            KT_EINVAL, "test_split: expected 0 <= test_split <= 1, got %.17g", a.test_split);
    if (!st) st = kt_builtin_open(&npz, &path, a.path, "Reuters", "reuters.npz");
    if (!st) st = read_set(&texts, npz, a.seed, &options);
    if (!st) st = write_splits(a.splits, &texts, a.test_split, &options);
    kt_texts_free(&texts);
    kt_npz_close(npz);
    kt_str_free(&path);
    return st ? kt_text_splits_fail(a.splits, st) : KT_OK;
}

kt_names_t kt_data_reuters_label_names(void) {
    static const char *const names[] = {
        "cocoa",        "grain",   "veg-oil",   "earn",
        "acq",          "wheat",   "copper",    "housing",
        "money-supply", "coffee",  "sugar",     "trade",
        "reserves",     "ship",    "cotton",    "carcass",
        "crude",        "nat-gas", "cpi",       "money-fx",
        "interest",     "gnp",     "meal-feed", "alum",
        "oilseed",      "gold",    "tin",       "strategic-metal",
        "livestock",    "retail",  "ipi",       "iron-steel",
        "rubber",       "heat",    "jobs",      "lei",
        "bop",          "zinc",    "orange",    "pet-chem",
        "dlr",          "gas",     "silver",    "wpi",
        "hog",          "lead",
    };
    return (kt_names_t){names, sizeof names / sizeof *names};
}
