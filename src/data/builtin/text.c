/* Word numbers as Keras' loaders prepare them. See text.h. The order of the steps is theirs, with
 * what follows from it: start_char counts for maxlen, and is itself filtered by num_words and
 * skip_top; without num_words the largest number becomes oov_char, as Keras compares with <. */
#include "data/builtin/text.h"

#include "base/error.h"
#include "base/mem.h"
#include "tensor/sequences.h"

static kt_status range_check(const char *name, int64_t v, bool may_be_none) {
    if (v == KT_NONE && may_be_none) return KT_OK;
    if (v >= INT32_MIN && v <= INT32_MAX) return KT_OK;
    return KT_FAIL(KT_EINVAL, "%s: expected an integer of 32 bits", name);
}

kt_status kt_text_options_check(const kt_text_options *o) {
    kt_status st = range_check("start_char", o->start_char, true);
    if (st == KT_OK) st = range_check("oov_char", o->oov_char, true);
    if (st == KT_OK) st = range_check("index_from", o->index_from, false);
    if (st == KT_OK) st = range_check("skip_top", o->skip_top, false);
    if (st == KT_OK) st = range_check("num_words", o->num_words, true);
    return st ? st : range_check("maxlen", o->maxlen, true);
}

static int64_t length_of(const kt_texts *t, int64_t text, const kt_text_options *o) {
    return kt_sequences_len(t->raw, text) + (o->start_char != KT_NONE);
}

static void leave_out_long(kt_texts *t, const kt_text_options *o) {
    int64_t kept = 0;
    if (o->maxlen == KT_NONE || o->maxlen == 0) return;
    for (int64_t i = 0; i < t->n; i++)
        if (length_of(t, t->order[i], o) < o->maxlen) t->order[kept++] = t->order[i];
    t->n = kept;
}

kt_status kt_texts_read(
    kt_texts *t,
    kt_npz *npz,
    const char *x,
    const char *y,
    kt_mt19937 *mt,
    const kt_text_options *o) {
    *t = (kt_texts){0};
    t->raw = kt_npz_read_sequences(npz, x);
    if (kt_failed(t->raw)) return kt_check(t->raw);
    t->labels = kt_npz_read(npz, y);
    if (kt_failed(t->labels)) return kt_check(t->labels);
    t->n = kt_sequences_count(t->raw);
    const kt_shape shape = kt_tensor_shape(t->labels);
    if (shape.ndim != 1 || shape.dim[0] != t->n)
        return KT_FAIL(
            KT_EFORMAT, "\"%s\" has not one label for each of %lld texts", y, (long long)t->n);
    t->order = kt_builtin_order(mt, t->n);
    if (!t->order) return KT_ENOMEM;
    leave_out_long(t, o);
    return KT_OK;
}

void kt_texts_free(kt_texts *t) {
    kt_free(t->raw);
    kt_free(t->labels);
    kt_mem_free(t->order);
}

kt_status kt_text_find_num_words(kt_text_options *o, const kt_texts *sets, int n) {
    int64_t largest = INT64_MIN, texts = 0;
    for (int set = 0; set < n; set++) {
        const kt_texts *t = &sets[set];
        texts += t->n;
        for (int64_t i = 0; i < t->n; i++) {
            const int32_t *ids = kt_sequences_get(t->raw, t->order[i]);
            for (int64_t k = 0; k < kt_sequences_len(t->raw, t->order[i]); k++)
                if (ids[k] + o->index_from > largest) largest = ids[k] + o->index_from;
        }
    }
    if (texts == 0)
        return KT_FAIL(KT_EINVAL, "maxlen: no text is shorter than %lld", (long long)o->maxlen);
    if (o->num_words != KT_NONE && o->num_words != 0) return KT_OK;
    if (o->start_char != KT_NONE && o->start_char > largest) largest = o->start_char;
    if (largest > INT32_MAX)
        return KT_FAIL(KT_EINVAL, "index_from: word numbers would not fit 32 bits");
    o->num_words = largest;
    return KT_OK;
}

/* Appends a word number, or what stands for it; returns the new end. */
static int64_t add_word(int32_t *to, int64_t at, int64_t word, const kt_text_options *o) {
    if (word < o->skip_top || word >= o->num_words) {
        if (o->oov_char == KT_NONE) return at;
        word = o->oov_char;
    }
    to[at] = (int32_t)word; /* skip_top, num_words and oov_char fit, and so does what is between */
    return at + 1;
}

kt_sequences *kt_texts_write(
    const kt_texts *t, int64_t start, int64_t stop, const kt_text_options *o) {
    int64_t total = 0, at = 0;
    for (int64_t i = start; i < stop; i++) total += length_of(t, t->order[i], o);
    kt_sequences *s = kt_sequences_make(stop - start, total);
    if (kt_failed(s)) return s;
    for (int64_t i = start; i < stop; i++) {
        const int32_t *ids = kt_sequences_get(t->raw, t->order[i]);
        const int64_t n = kt_sequences_len(t->raw, t->order[i]);
        if (o->start_char != KT_NONE) at = add_word(s->ids, at, o->start_char, o);
        for (int64_t k = 0; k < n; k++) at = add_word(s->ids, at, ids[k] + o->index_from, o);
        s->offset[i - start + 1] = at;
    }
    return s;
}

kt_status kt_text_splits_fail(kt_text_splits *splits, kt_status status) {
    kt_free(splits->x_train);
    kt_free(splits->y_train);
    kt_free(splits->x_test);
    kt_free(splits->y_test);
    splits->x_train = splits->x_test = kt_fail_object(status);
    splits->y_train = splits->y_test = kt_fail_object(status);
    return status;
}
