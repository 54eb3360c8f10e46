/* TextVectorization: texts to indices of their tokens, or to vectors that count those.
 * keras.layers.TextVectorization
 *
 * Cleaning, splitting, joining and looking up is one primitive, text_tokens, which needs no memory
 * for tokens. The vocabulary is that of a StringLookup with the mask token "" (words.c).
 *
 * Arrays in a program have fixed sizes, so a model needs output_sequence_length for "int". */
#include "base/mem.h"
#include "base/tokens.h"
#include "nn/layers/lookup.h"
#include "nn/layers/words.h"
#include "runtime/var.h"
#include "tensor/tensor.h"

#include <keratin/layers.h>

#include <string.h>

typedef kt_text_vectorization_args text_args;
typedef struct {
    kt_words words;
    text_tokens_attrs tokens;
} text_state;

/* Arguments ------------------------------------------------------------------------------------ */

static kt_status check_standardize(const text_args *a, text_tokens_attrs *t) {
    const char *s = a->standardize;
    const bool both = s && !strcmp(s, "lower_and_strip_punctuation");
    t->lower = both || (s && !strcmp(s, "lower"));
    t->strip = both || (s && !strcmp(s, "strip_punctuation"));
    if (!s || t->lower || t->strip) return KT_OK;
    KT_FAIL(KT_EINVAL, "standardize: unknown value \"%.60s\"", s);
    return kt_error_expected(
        "\"lower_and_strip_punctuation\", \"lower\", \"strip_punctuation\" or None");
}

static kt_status check_split(const text_args *a, text_tokens_attrs *t) {
    const char *s = a->split;
    t->split = !s ? KT_TOKENS_WHOLE : *s == 'w' ? KT_TOKENS_WORDS : KT_TOKENS_LETTERS;
    if (!s || !strcmp(s, "whitespace") || !strcmp(s, "character")) return KT_OK;
    KT_FAIL(KT_EINVAL, "split: unknown value \"%.60s\"", s);
    return kt_error_expected("\"whitespace\", \"character\" or None");
}

/* 2 is (1, 2); (3, 0) is the tuple of 3 alone. */
static kt_status check_ngrams(const text_args *a, text_tokens_attrs *t) {
    const kt_ints_t g = a->ngrams;
    const bool up_to = g.n == 1, alone = g.n == 2 && g.v[1] == 0;
    const int64_t n = up_to ? g.v[0] : alone ? 1 : g.n;
    if (up_to && n < 1) return KT_FAIL(KT_EINVAL, "ngrams: expected 1 or more");
    if (n > KT_NGRAMS_MAX)
        return KT_FAIL(KT_ELIMIT, "ngrams: more than %d kinds of them", KT_NGRAMS_MAX);
    for (int i = 0; i < n; i++) {
        const int64_t width = up_to ? i + 1 : g.v[i];
        if (width < 1 || width > INT32_MAX) return KT_FAIL(KT_EINVAL, "ngrams: expected 1 or more");
        t->ngrams[i] = (int)width;
    }
    return KT_OK;
}

static kt_status check_output(const text_args *a, const kt_words *w) {
    const int64_t n = a->output_sequence_length;
    if (a->ragged) return KT_FAIL(KT_EUNSUPPORTED, "ragged: ragged outputs are not supported");
    if (w->mode == KT_ENCODE_ONE_HOT)
        return KT_FAIL(KT_EUNSUPPORTED, "output_mode: \"one_hot\" is not supported for texts");
    if (n != KT_NONE && w->mode != KT_ENCODE_INT)
        return KT_FAIL(
            KT_EINVAL, "`output_sequence_length` must not be set if `output_mode` is not 'int'.");
    if (n != KT_NONE && n < 0)
        return KT_FAIL(
            KT_EINVAL, "output_sequence_length: expected 0 or more, got %lld", (long long)n);
    if (!a->encoding || strcmp(a->encoding, "utf-8") != 0)
        return KT_FAIL(KT_EUNSUPPORTED, "encoding: \"utf-8\" is the only one");
    return kt_encode_refuse_sparse(a->sparse);
}

static kt_status text_init(kt_layer *l) {
    text_args *a = l->args;
    text_state *s = kt_layer_state(l);
    kt_words *w = &s->words;
    w->max_tokens = a->max_tokens;
    w->num_oov = 1;
    w->mask = "";
    w->oov = "[UNK]";
    w->pad = a->pad_to_max_tokens;
    w->size = a->vocabulary_size;
    kt_status st = kt_words_check(w, a->output_mode, a->vocabulary, a->idf_weights);
    if (st == KT_OK) st = check_output(a, w);
    if (st == KT_OK) st = check_standardize(a, &s->tokens);
    if (st == KT_OK) st = check_split(a, &s->tokens);
    if (st == KT_OK) st = check_ngrams(a, &s->tokens);
    s->tokens.counts = w->mode != KT_ENCODE_INT;
    s->tokens.oov = w->mode == KT_ENCODE_INT;
    l->no_autocast = true;
    if (st || !a->vocabulary.n) return st;
    st = kt_words_set(
        w, a->vocabulary.v, a->vocabulary.n, a->idf_weights.n ? a->idf_weights.v : NULL);
    a->vocabulary_size = w->size;
    return st;
}

static void text_destroy(kt_layer *l) { kt_words_free(&((text_state *)l->state)->words); }

/* Calling -------------------------------------------------------------------------------------- */

/* The texts with what is one row of tokens along the last axis. */
static kt_val *rows_of(kt_graph *g, const text_state *s, kt_val *x) {
    const kt_shape *shape = &x->spec.shape;
    const bool whole = s->tokens.split == KT_TOKENS_WHOLE;
    if (x->spec.dtype != KT_STRING) {
        KT_FAIL(
            KT_EDTYPE,
            "TextVectorization: expected texts (dtype string), got %s",
            kt_dtype_name(x->spec.dtype));
    } else if (shape->ndim < 1 || (whole && shape->ndim < 2)) {
        KT_FAIL(KT_EUNSUPPORTED, "texts that are not split: expected (batch, tokens)");
    } else if (!whole && shape->ndim > 1 && shape->dim[shape->ndim - 1] != 1) {
        KT_FAIL(
            KT_ESHAPE,
            "When using `TextVectorization` to tokenize strings, the input rank must be 1 or the "
            "last shape dimension must be 1.");
    } else if (s->tokens.counts && shape->ndim > 2) {
        KT_FAIL(KT_EUNSUPPORTED, "output_mode: vectors of texts of more than two axes");
    } else {
        return shape->ndim > 1 ? x : kt_g_expand_dims(g, x, 1);
    }
    return kt_graph_fail(g, kt_error_last());
}

/* As many as there are where nothing is split; -1: the texts decide. */
static int64_t length_of(const text_state *s, const text_args *a, int64_t n) {
    if (a->output_sequence_length != KT_NONE) return a->output_sequence_length;
    if (s->tokens.split != KT_TOKENS_WHOLE) return -1;
    if (!s->tokens.ngrams[0]) return n;
    int64_t sum = 0;
    for (int i = 0; i < KT_NGRAMS_MAX && s->tokens.ngrams[i]; i++)
        sum += n >= s->tokens.ngrams[i] ? n - s->tokens.ngrams[i] + 1 : 0;
    return sum;
}

static kt_val *tokens_of(kt_graph *g, const kt_layer *l, kt_val *x) {
    const text_state *s = l->state;
    text_tokens_attrs attrs = s->tokens;
    kt_val *t[3];
    x = rows_of(g, s, x);
    if (!x) return NULL;
    attrs.known = s->words.known;
    attrs.width = attrs.counts ? kt_words_depth(&s->words, g)
                               : length_of(s, l->args, x->spec.shape.dim[x->spec.shape.ndim - 1]);
    if (g->status || !kt_words_table(&s->words, g, t)) return NULL;
    if (attrs.width >= 0) return kt_g_text_tokens(g, x, t[0], t[1], t[2], &attrs);
    KT_FAIL(KT_EUNSUPPORTED, "output_sequence_length: a model needs one, its arrays do not grow");
    kt_error_hint("kt_text_vectorization_indices() gives arrays as wide as the longest text");
    return kt_graph_fail(g, KT_EUNSUPPORTED);
}

static kt_status text_call(kt_layer *l, kt_trace *t) {
    const text_state *s = kt_layer_state(l);
    kt_graph *g = kt_tracer_current()->g;
    kt_val *x = kt_unwrap(t->in[0], NULL);
    kt_val *y = x ? tokens_of(g, l, x) : NULL;
    if (s->tokens.counts) {
        y = y ? kt_g_cast(g, y, kt_dtype_of(kt_floatx())) : NULL;
        if (s->words.mode == KT_ENCODE_MULTI_HOT && y) y = kt_g_minimum(g, y, kt_g_num(g, 1, y));
        y = kt_words_weighted(&s->words, g, y);
    }
    if (!y) return g->status;
    t->out[0] = kt_wrap(y);
    return kt_check(t->out[0]);
}

static const kt_field text_fields[] = {
    KT_F(text_args, max_tokens),
    KT_F(text_args, standardize),
    KT_F(text_args, split),
    KT_F(text_args, ngrams),
    KT_F(text_args, output_mode),
    KT_F(text_args, output_sequence_length),
    KT_F(text_args, pad_to_max_tokens),
    KT_F(text_args, vocabulary),
    KT_F(text_args, idf_weights),
    KT_F(text_args, sparse),
    KT_F(text_args, ragged),
    KT_F(text_args, encoding),
    KT_F(text_args, vocabulary_size),
    KT_F_END};

const kt_layer_class kt_class_text_vectorization = {
    .name = "TextVectorization",
    .args_size = sizeof(text_args),
    .state_size = sizeof(text_state),
    .fields = text_fields,
    .defaults = &(const text_args){KT_TEXT_VECTORIZATION_DEFAULTS},
    .init = text_init,
    .call = text_call,
    .destroy = text_destroy,
};

kt_layer *kt_text_vectorization_new(const kt_text_vectorization_args *a) {
    return kt_layer_new(&kt_class_text_vectorization, a);
}

/* The vocabulary ------------------------------------------------------------------------------- */

static kt_status require(const kt_layer *l, const char *what) {
    const kt_status st = kt_layer_require(l, what);
    if (st || l->cls == &kt_class_text_vectorization) return st;
    return KT_FAIL(KT_EINVAL, "%s: expected a TextVectorization layer", what);
}

/* Rows of tokens as they lie in an array: how many, and how many texts each has. */
static kt_status rows_in(const text_state *s, const kt_tensor *data, int64_t *rows, int64_t *n) {
    const kt_shape *shape = &data->shape;
    const bool whole = s->tokens.split == KT_TOKENS_WHOLE;
    *n = shape->ndim > 1 ? shape->dim[shape->ndim - 1] : 1;
    *rows = *n ? kt_tensor_size(data) / *n : 0;
    if (whole || shape->ndim < 2 || *n == 1) return KT_OK;
    return KT_FAIL(
        KT_ESHAPE,
        "When using `TextVectorization` to tokenize strings, the input rank must be 1 or the last "
        "shape dimension must be 1.");
}

/* Goes through the tokens of a row; `take` gets each of them. */
typedef kt_status take_token(void *with, const char *token, int64_t row);

static kt_status each_token(
    const text_tokens_attrs *a,
    const char *const *text,
    int64_t n,
    int64_t row,
    take_token *take,
    void *with) {
    static const int one[] = {1, 0};
    const kt_token_rules rules = {a->lower, a->strip, a->split};
    const int *width = a->ngrams[0] ? a->ngrams : one;
    kt_status st = KT_OK;
    kt_str b = {0};
    for (int i = 0; i < KT_NGRAMS_MAX && width[i]; i++) {
        kt_tokens t = kt_tokens_in(&rules, text, n);
        while (st == KT_OK && kt_tokens_next(&t)) {
            kt_token token = kt_token_of(&t, width[i]);
            if (!token.left) break;
            b.n = 0;
            for (int c; (c = kt_token_byte(&token)) >= 0;) kt_str_addn(&b, &(char){(char)c}, 1);
            st = b.status ? b.status : take(with, b.n ? b.s : "", row);
        }
    }
    kt_str_free(&b);
    return st;
}

static kt_status count_token(void *with, const char *token, int64_t row) {
    return kt_word_counts_add(with, token, row);
}

kt_status kt_text_vectorization_adapt(kt_layer *l, const kt_tensor *data) {
    int64_t rows = 0, n = 0;
    kt_status st = require(l, "kt_text_vectorization_adapt");
    if (st == KT_OK) st = kt_words_check_texts(data);
    if (st) return st;
    text_args *a = l->args;
    text_state *s = l->state;
    if (a->vocabulary.n)
        return KT_FAIL(KT_ESTATE, "adapt: the layer was given a static vocabulary");
    st = rows_in(s, data, &rows, &n);
    if (st) return st;
    kt_word_counts *c = kt_word_counts_new();
    if (!c) return KT_ENOMEM;
    const char *const *text = kt_tensor_data(data);
    for (int64_t i = 0; i < rows && st == KT_OK; i++)
        st = each_token(&s->tokens, text + i * n, n, i, count_token, c);
    if (st == KT_OK) st = kt_words_learn(&s->words, c, rows);
    kt_word_counts_free(c);
    a->vocabulary_size = s->words.size;
    return st;
}

kt_status kt_text_vectorization_set_vocabulary(
    kt_layer *l, const kt_tensor *vocabulary, const kt_tensor *idf_weights) {
    kt_status st = require(l, "kt_text_vectorization_set_vocabulary");
    if (st) return st;
    kt_words *w = &((text_state *)l->state)->words;
    st = kt_words_set_arrays(w, vocabulary, idf_weights);
    ((text_args *)l->args)->vocabulary_size = w->size;
    return st;
}

kt_tensor *kt_text_vectorization_vocabulary(const kt_layer *l, bool include_special_tokens) {
    const kt_status st = require(l, "kt_text_vectorization_vocabulary");
    if (st) return kt_fail_object(st);
    return kt_words_tensor(&((const text_state *)l->state)->words, include_special_tokens);
}

int64_t kt_text_vectorization_vocabulary_size(const kt_layer *l) {
    if (require(l, "kt_text_vectorization_vocabulary_size")) return -1;
    const kt_words *w = &((const text_state *)l->state)->words;
    return w->n + kt_words_start(w);
}

typedef struct {
    const kt_words_index *index;
    int64_t *out; ///< NULL: only how long rows are is asked for
    int64_t row, n, longest, width;
} indexing;

static kt_status index_token(void *with, const char *token, int64_t row) {
    indexing *x = with;
    if (x->row != row) x->n = 0;
    x->row = row;
    if (x->out && x->n < x->width) {
        const int64_t id = kt_words_index_of(x->index, token);
        x->out[row * x->width + x->n] = id == KT_NONE ? 1 : id;
    }
    if (++x->n > x->longest) x->longest = x->n;
    return KT_OK;
}

static kt_tensor *indices_of(const text_state *s, const kt_tensor *texts, int64_t width) {
    int64_t rows = 0, n = 0;
    kt_status st = rows_in(s, texts, &rows, &n);
    indexing x = {.row = -1};
    const char *const *text = kt_tensor_data(texts);
    for (int64_t i = 0; i < rows && st == KT_OK && width < 0; i++)
        st = each_token(&s->tokens, text + i * n, n, i, index_token, &x);
    x.width = width < 0 ? x.longest : width;
    kt_shape shape = texts->shape;
    if (shape.ndim < 2) shape.ndim++;
    shape.dim[shape.ndim - 1] = x.width;
    kt_tensor *y = st ? kt_fail_object(st) : kt_tensor_new(KT_INT64, shape, NULL);
    kt_words_index *index = kt_failed(y) ? NULL : kt_words_index_new(&s->words);
    if (!kt_failed(y) && !index) st = KT_ENOMEM;
    x.index = index;
    x.row = -1;
    x.out = kt_tensor_data(y);
    for (int64_t i = 0; i < rows && index && st == KT_OK; i++)
        st = each_token(&s->tokens, text + i * n, n, i, index_token, &x);
    kt_words_index_free(index);
    if (st == KT_OK || kt_failed(y)) return y;
    kt_free(y);
    return kt_fail_object(st);
}

kt_tensor *kt_text_vectorization_indices(const kt_layer *l, const kt_tensor *texts) {
    kt_status st = require(l, "kt_text_vectorization_indices");
    if (st == KT_OK) st = kt_words_check_texts(texts);
    if (st) return kt_fail_object(st);
    const text_state *s = l->state;
    if (s->words.mode != KT_ENCODE_INT)
        st = KT_FAIL(KT_EINVAL, "kt_text_vectorization_indices: expected output_mode \"int\"");
    else if (!s->words.known)
        st = KT_FAIL(KT_ESTATE, "the layer knows no vocabulary yet");
    if (st) return kt_fail_object(st);
    return indices_of(s, texts, ((const text_args *)kt_layer_args(l))->output_sequence_length);
}

/* Files ---------------------------------------------------------------------------------------- */

static bool has_asset(const kt_layer *l) {
    return !((const text_args *)kt_layer_args(l))->vocabulary.n;
}
static kt_status put_asset(const kt_layer *l, kt_str *text) {
    return kt_words_put_asset(&((const text_state *)l->state)->words, text);
}
static kt_status take_asset(kt_layer *l, const char *text, size_t size) {
    kt_words *w = &((text_state *)l->state)->words;
    const kt_status st = kt_words_take_asset(w, text, size);
    ((text_args *)l->args)->vocabulary_size = w->size;
    return st;
}
static kt_lookup_weights weights_of(kt_layer *l) {
    kt_words *w = &((text_state *)l->state)->words;
    return (kt_lookup_weights){w->mode == KT_ENCODE_TF_IDF, &w->n_weights, &w->weights};
}

const kt_lookup_files kt_text_vectorization_files = {
    &kt_class_text_vectorization, has_asset, put_asset, take_asset, weights_of};
