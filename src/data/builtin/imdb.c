/* IMDB: 50,000 film reviews as word numbers, half of them for test.
 * keras.datasets.imdb.load_data
 *
 * imdb.npz holds object arrays, that is pickles; io/pickle.h reads their one shape. The words
 * themselves are in another file: kt_data_imdb_word_index(). */
#include "base/error.h"
#include "base/field.h"
#include "data/builtin/text.h"

static kt_status write_splits(
    kt_text_splits *s, const kt_texts *sets, const kt_text_options *options) {
    s->x_train = kt_texts_write(&sets[0], 0, sets[0].n, options);
    s->y_train = kt_builtin_rows(sets[0].labels, sets[0].order, sets[0].n);
    s->x_test = kt_texts_write(&sets[1], 0, sets[1].n, options);
    s->y_test = kt_builtin_rows(sets[1].labels, sets[1].order, sets[1].n);
    const void *const parts[] = {s->x_train, s->y_train, s->x_test, s->y_test};
    for (int i = 0; i < 4; i++)
        if (kt_failed(parts[i])) return kt_check(parts[i]);
    return KT_OK;
}

/* Two shuffles from one generator, the training set first. */
static kt_status read_sets(kt_texts *sets, kt_npz *npz, int64_t seed, kt_text_options *options) {
    kt_mt19937 mt;
    kt_status st = kt_builtin_rng(&mt, seed);
    if (!st) st = kt_texts_read(&sets[0], npz, "x_train", "y_train", &mt, options);
    if (!st) st = kt_texts_read(&sets[1], npz, "x_test", "y_test", &mt, options);
    for (int i = 0; i < 2 && !st; i++)
        if (sets[i].n == 0)
            st = KT_FAIL(
                KT_EINVAL, "maxlen: no text is shorter than %lld", (long long)options->maxlen);
    return st ? st : kt_text_find_num_words(options, sets, 2);
}

kt_status kt_data_imdb_with(const kt_data_imdb_args *args) {
    kt_data_imdb_args a;
    kt_str path = {0};
    kt_npz *npz = NULL;
    kt_texts sets[2] = {0};
    kt_status st = kt_args_read(&a, args, sizeof a, NULL);
    if (st) return st;
    if (!a.splits)
        return KT_FAIL(KT_EINVAL, "splits: expected a pointer to kt_text_splits, got NULL");
    *a.splits = (kt_text_splits){0};
    kt_text_options options = {
        a.num_words, a.skip_top, a.maxlen, a.start_char, a.oov_char, a.index_from};
    st = kt_text_options_check(&options);
    if (!st) st = kt_builtin_open(&npz, &path, a.path, "IMDB", "imdb.npz");
    if (!st) st = read_sets(sets, npz, a.seed, &options);
    if (!st) st = write_splits(a.splits, sets, &options);
    for (int i = 0; i < 2; i++) kt_texts_free(&sets[i]);
    kt_npz_close(npz);
    kt_str_free(&path);
    return st ? kt_text_splits_fail(a.splits, st) : KT_OK;
}
