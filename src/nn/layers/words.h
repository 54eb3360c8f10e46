/* A vocabulary of texts: what StringLookup and TextVectorization know, and how they ask it. */
#ifndef KT_NN_LAYERS_WORDS_H
#define KT_NN_LAYERS_WORDS_H

#include "base/str.h"
#include "nn/layers/encode.h"

typedef struct kt_words {
    kt_encode_mode mode;
    int64_t max_tokens; ///< KT_NONE: any number
    int num_oov;        ///< indices for what is not known
    const char *mask;   ///< NULL: none
    const char *oov;    ///< stands for what is not known; NULL: nothing does
    bool invert, pad;
    bool known;
    int64_t n;          ///< tokens, without what stands before them
    char *bytes;        ///< all of them, each ended by 0
    const char **token; ///< in their order
    int64_t n_weights;
    float *weights; ///< of "tf_idf", one for each element of the result; NULL: none
    int64_t size;   ///< with what stands before them; KT_NONE: nobody knows
} kt_words;

/** What the arguments of both layers must keep. */
kt_status kt_words_check(kt_words *w, const char *mode, kt_names_t vocabulary, kt_floats_t weights);
/** `given` may begin with the special tokens. Weights go with all of it; NULL: they stay. */
kt_status kt_words_set(kt_words *w, const char *const *given, int64_t n, const double *weights);
/** The same from arrays that a user gives; weights may be NULL. */
kt_status kt_words_set_arrays(kt_words *w, const kt_tensor *vocabulary, const kt_tensor *weights);
void kt_words_free(kt_words *w);
/** Of the vocabulary, behind what stands before it. */
int64_t kt_words_start(const kt_words *w);
/** A new array of texts. */
kt_tensor *kt_words_tensor(const kt_words *w, bool special);

/** KT_EDTYPE for what is no array of texts, KT_EINVAL for one without any. */
kt_status kt_words_check_texts(const kt_tensor *data);

/* Adapting: all tokens are counted, then the most frequent make the vocabulary. */
typedef struct kt_word_counts kt_word_counts;
kt_word_counts *kt_word_counts_new(void);
kt_status kt_word_counts_add(kt_word_counts *c, const char *token, int64_t document);
kt_status kt_words_learn(kt_words *w, const kt_word_counts *c, int64_t n_documents);
void kt_word_counts_free(kt_word_counts *c);

/* Calling */
/** The vocabulary as constants: bytes, starts, indices (and the mask token's). */
bool kt_words_table(const kt_words *w, kt_graph *g, kt_val *out[3]);
/** Length of vectors; an error if nobody knows it yet. */
int64_t kt_words_depth(const kt_words *w, kt_graph *g);
/** Counts times the weights of "tf_idf"; other modes leave y as it is. */
kt_val *kt_words_weighted(const kt_words *w, kt_graph *g, kt_val *y);

/** The vocabulary for looking up outside of a program; kt_words_index_free() it. */
typedef struct kt_words_index kt_words_index;
kt_words_index *kt_words_index_new(const kt_words *w);
/** Index of a token; KT_NONE if it is none of them. */
int64_t kt_words_index_of(const kt_words_index *x, const char *token);
void kt_words_index_free(kt_words_index *x);

/* Files: see lookup.h */
kt_status kt_words_put_asset(const kt_words *w, kt_str *text);
kt_status kt_words_take_asset(kt_words *w, const char *text, size_t size);

#endif
