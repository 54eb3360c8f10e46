/* What IMDB and Reuters share: word numbers shifted, filtered and cut as Keras' loaders do. */
#ifndef KT_DATA_BUILTIN_TEXT_H
#define KT_DATA_BUILTIN_TEXT_H

#include "data/builtin/builtin.h"

typedef struct kt_text_options {
    int64_t num_words, skip_top, maxlen, start_char, oov_char, index_from;
} kt_text_options;

/** One set of texts: as it is in the file, and which of them in which order. */
typedef struct kt_texts {
    kt_sequences *raw;
    kt_tensor *labels;
    int64_t *order;
    int64_t n; ///< texts in `order`
} kt_texts;

kt_status kt_text_options_check(const kt_text_options *o);
/** Reads two members of an archive, shuffles, and leaves out what is too long. */
kt_status kt_texts_read(
    kt_texts *t,
    kt_npz *npz,
    const char *x,
    const char *y,
    kt_mt19937 *mt,
    const kt_text_options *o);
void kt_texts_free(kt_texts *t);
/** Sets num_words where it is not given: the largest number in the n sets. */
kt_status kt_text_find_num_words(kt_text_options *o, const kt_texts *sets, int n);
/** Texts start … stop-1, finished. */
kt_sequences *kt_texts_write(
    const kt_texts *t, int64_t start, int64_t stop, const kt_text_options *o);
/** All four become failed objects; returns the status. */
kt_status kt_text_splits_fail(kt_text_splits *splits, kt_status status);

#endif
