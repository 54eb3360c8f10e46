/* Which number stands for which word: {"the": 1, "and": 2, …}.
 * keras.datasets.imdb.get_word_index, keras.datasets.reuters.get_word_index */
#include "base/error.h"
#include "base/fs.h"
#include "base/mem.h"
#include "base/obj.h"
#include "data/builtin/builtin.h"
#include "io/json.h"

#include <stdio.h>

#define INDEX_BYTES_MAX ((uint64_t)64 << 20)

struct kt_word_index {
    kt_obj obj;
    kt_json *dict;
    int64_t n;         /* the largest number + 1 */
    const char **word; /* by number, borrowed from dict; NULL where there is none */
};

static void word_index_destroy(void *self) {
    kt_word_index *w = self;
    kt_mem_free(w->word);
    kt_json_free(w->dict);
}

/* Numbers are positive, and no larger than a text of their words can need. */
static kt_status check_numbers(kt_word_index *w) {
    const int64_t most = 16 * (int64_t)kt_json_len(w->dict) + 1024;
    for (void *it = kt_json_iter(w->dict); it; it = kt_json_next(w->dict, it)) {
        const kt_json *v = kt_json_iter_value(it);
        const int64_t i = kt_json_int(v);
        if (!kt_json_is(v, KT_JSON_INT) || i < 0 || i > most)
            return KT_FAIL(
                KT_EFORMAT, "the number of the word \"%.40s\" is none", kt_json_iter_key(it));
        if (i >= w->n) w->n = i + 1;
    }
    return KT_OK;
}

static kt_status fill(kt_word_index *w, const unsigned char *text, size_t size) {
    kt_status st = kt_json_parse(&w->dict, (const char *)text, size, NULL);
    if (st) return st;
    if (!kt_json_is(w->dict, KT_JSON_DICT))
        return KT_FAIL(KT_EFORMAT, "expected a dict of words, got %s", kt_json_kind_name(w->dict));
    if ((st = check_numbers(w))) return st;
    w->word = kt_alloc_array(w->n, sizeof *w->word);
    if (!w->word) return KT_ENOMEM;
    for (void *it = kt_json_iter(w->dict); it; it = kt_json_next(w->dict, it))
        w->word[kt_json_int(kt_json_iter_value(it))] = kt_json_iter_key(it);
    return KT_OK;
}

static kt_word_index *load(const char *path, const char *title, const char *file) {
    char url[160];
    kt_str full = {0};
    unsigned char *text = NULL;
    size_t size = 0;
    kt_word_index *w = NULL;
    snprintf(url, sizeof url, KT_BUILTIN_URL "%s", file);
    kt_status st = kt_builtin_path(&full, path ? path : file);
    if (!st) st = kt_fs_load(&text, &size, full.s, INDEX_BYTES_MAX);
    if (st == KT_ENOTFOUND && full.s) st = kt_builtin_absent(title, full.s, url);
    if (!st && !(w = kt_obj_new(sizeof *w, KT_KIND_OTHER, word_index_destroy))) st = KT_ENOMEM;
    if (!st && (st = fill(w, text, size))) kt_error_context("in file \"%s\"", full.s);
    kt_mem_free(text);
    kt_str_free(&full);
    if (!st) return w;
    kt_free(w);
    return kt_fail_object(st);
}

kt_word_index *kt_data_imdb_word_index(const char *path) {
    return load(path, "IMDB word index", "imdb_word_index.json");
}

kt_word_index *kt_data_reuters_word_index(const char *path) {
    return load(path, "Reuters word index", "reuters_word_index.json");
}

int64_t kt_word_index_len(const kt_word_index *w) {
    return kt_failed(w) ? 0 : kt_json_len(w->dict);
}

int64_t kt_word_index_get(const kt_word_index *w, const char *word) {
    const kt_json *v = kt_failed(w) || !word ? NULL : kt_json_get(w->dict, word);
    return v ? kt_json_int(v) : -1;
}

const char *kt_word_index_word(const kt_word_index *w, int64_t i) {
    return kt_failed(w) || i < 0 || i >= w->n ? NULL : w->word[i];
}
