/* See words.h. keras: layers/preprocessing/index_lookup.py with vocabulary_dtype "string" */
#include "nn/layers/words.h"

#include "base/arena.h"
#include "base/mem.h"
#include "base/tokens.h"
#include "runtime/var.h"
#include "tensor/tensor.h"

#include <keratin/runtime.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
    const char *text;
    int32_t index;
} entry;

static bool has(int64_t v) { return v != KT_NONE; }

static int64_t oov_start(const kt_words *w) { return w->mask && w->mode == KT_ENCODE_INT; }
int64_t kt_words_start(const kt_words *w) { return oov_start(w) + w->num_oov; }

static const char *special(const kt_words *w, int64_t i) {
    const char *s = i < oov_start(w) ? w->mask : w->oov;
    return s ? s : "";
}

/* Setting -------------------------------------------------------------------------------------- */

kt_status kt_words_check(
    kt_words *w, const char *mode, kt_names_t vocabulary, kt_floats_t weights) {
    if (mode && !strcmp(mode, "binary")) mode = "multi_hot"; /* older names */
    if (mode && !strcmp(mode, "tf-idf")) mode = "tf_idf";
    const kt_status st = kt_encode_mode_of(&w->mode, mode, (1u << KT_ENCODE_MODES) - 1);
    if (st) return st;
    if (has(w->max_tokens) && (w->max_tokens <= 1 || w->max_tokens > INT32_MAX))
        return KT_FAIL(
            KT_EINVAL, "`max_tokens` must be greater than 1, got %lld", (long long)w->max_tokens);
    if (w->num_oov < 0)
        return KT_FAIL(KT_EINVAL, "num_oov_indices: expected 0 or more, got %d", w->num_oov);
    if (w->pad && !has(w->max_tokens))
        return KT_FAIL(KT_EINVAL, "If pad_to_max_tokens is True, must set `max_tokens`");
    if (w->invert && !w->oov)
        return KT_FAIL(KT_EINVAL, "oov_token: invert needs one, for indices of no token");
    if (w->invert && w->mode != KT_ENCODE_INT)
        return KT_FAIL(KT_EINVAL, "`output_mode` must be `'int'` when `invert` is true");
    if (has(w->size) && (w->size < 0 || w->size > INT32_MAX))
        return KT_FAIL(KT_EINVAL, "vocabulary_size: %lld", (long long)w->size);
    if (weights.n && w->mode != KT_ENCODE_TF_IDF)
        return KT_FAIL(
            KT_EINVAL, "`idf_weights` should only be set if `output_mode` is `'tf_idf'`");
    if (weights.n && !vocabulary.n)
        return KT_FAIL(KT_EINVAL, "idf_weights: they go with a vocabulary, which is missing");
    if (!vocabulary.n || w->mode != KT_ENCODE_TF_IDF || weights.n == vocabulary.n) return KT_OK;
    KT_FAIL(KT_EINVAL, "`idf_weights` must be the same length as vocabulary");
    kt_error_expected("%d", vocabulary.n);
    return kt_error_got("%d", weights.n);
}

static int by_text(const void *a, const void *b) {
    return strcmp(((const entry *)a)->text, ((const entry *)b)->text);
}

/* What the vocabulary must not hold: a token twice, the mask, with invert the oov token. */
static kt_status check_tokens(const kt_words *w, const char *const *token, int64_t n) {
    entry *all = kt_alloc_array(n + 1, sizeof *all);
    kt_status st = all ? KT_OK : KT_ENOMEM;
    for (int64_t i = 0; i < n && st == KT_OK; i++) {
        all[i] = (entry){token[i], (int32_t)i};
        if (w->mask && !strcmp(token[i], w->mask))
            st = KT_FAIL(KT_EINVAL, "vocabulary: the mask token \"%.60s\" is inside it", w->mask);
        else if (w->invert && w->oov && !strcmp(token[i], w->oov))
            st = KT_FAIL(KT_EINVAL, "vocabulary: the OOV token \"%.60s\" is inside it", w->oov);
    }
    if (st == KT_OK) qsort(all, (size_t)n, sizeof *all, by_text);
    for (int64_t i = 1; i < n && st == KT_OK; i++)
        if (!strcmp(all[i - 1].text, all[i].text))
            st = KT_FAIL(
                KT_EINVAL,
                "The passed vocabulary has at least one repeated term: \"%.60s\"",
                all[i].text);
    kt_mem_free(all);
    return st;
}

/* Weights of all elements of the result: before those given their mean, behind them zeros. */
static kt_status set_weights(kt_words *w, const double *given, int64_t n, int64_t before) {
    const int64_t all = w->pad && w->max_tokens > n + before ? w->max_tokens : n + before;
    float *weights = kt_alloc_array(all + 1, sizeof *weights);
    double sum = 0;
    if (!weights) return KT_ENOMEM;
    for (int64_t i = 0; i < n; i++) sum += given[i];
    for (int64_t i = 0; i < all; i++) {
        const bool inside = i >= before && i < before + n;
        weights[i] = (float)(i < before ? sum / (double)n : inside ? given[i - before] : 0);
    }
    kt_mem_free(w->weights);
    w->weights = weights;
    w->n_weights = all;
    return KT_OK;
}

static kt_status copy_tokens(kt_words *w, const char *const *token, int64_t n) {
    size_t size = 1;
    for (int64_t i = 0; i < n; i++) size += strlen(token[i]) + 1;
    char *bytes = kt_alloc(size), *p = bytes;
    const char **list = kt_alloc_array(n + 1, sizeof *list);
    const bool there = bytes && list;
    if (!there || size > INT32_MAX) {
        kt_mem_free(bytes);
        kt_mem_free(list);
        return there ? KT_FAIL(KT_ELIMIT, "vocabulary: more than 2 GiB") : KT_ENOMEM;
    }
    for (int64_t i = 0; i < n; i++) {
        const size_t length = strlen(token[i]) + 1;
        list[i] = memcpy(p, token[i], length);
        p += length;
    }
    kt_mem_free(w->bytes);
    kt_mem_free(w->token);
    w->bytes = bytes;
    w->token = list;
    w->n = n;
    return KT_OK;
}

kt_status kt_words_set(kt_words *w, const char *const *given, int64_t n, const double *weights) {
    const int64_t start = kt_words_start(w);
    bool found = n >= start;
    if (n == 0) return KT_FAIL(KT_EINVAL, "Cannot set an empty vocabulary.");
    for (int64_t i = 0; i < n; i++)
        if (!given[i]) return KT_FAIL(KT_EINVAL, "vocabulary: token %lld is NULL", (long long)i);
    for (int64_t i = 0; i < start && found; i++) found = !strcmp(given[i], special(w, i));
    const int64_t skip = found ? start : 0, size = n - skip + start;
    if ((has(w->max_tokens) && size > w->max_tokens) || size > INT32_MAX - 1)
        return KT_FAIL(
            KT_EINVAL,
            "Attempted to set a vocabulary larger than the maximum vocab size: %lld tokens",
            (long long)size);
    kt_status st = check_tokens(w, given + skip, n - skip);
    if (st == KT_OK) st = copy_tokens(w, given + skip, n - skip);
    if (st == KT_OK && weights) st = set_weights(w, weights, n, found ? 0 : start);
    if (st) return st;
    w->known = true;
    w->size = size;
    kt_layout_changed();
    return KT_OK;
}

kt_status kt_words_set_arrays(kt_words *w, const kt_tensor *vocabulary, const kt_tensor *weights) {
    const bool wants = w->mode == KT_ENCODE_TF_IDF, is = kt_is(vocabulary, KT_KIND_TENSOR);
    const int64_t n = is ? kt_tensor_size(vocabulary) : 0;
    if (!is || vocabulary->dtype != KT_STRING)
        return vocabulary && kt_failed(vocabulary)
                   ? kt_check(vocabulary)
                   : KT_FAIL(KT_EDTYPE, "vocabulary: expected an array of texts");
    if (wants && !kt_is(weights, KT_KIND_TENSOR))
        return KT_FAIL(KT_EINVAL, "`idf_weights` must be set if output_mode is 'tf_idf'");
    if (!wants && weights)
        return KT_FAIL(
            KT_EINVAL, "`idf_weights` should only be set if `output_mode` is `'tf_idf'`");
    if (wants && kt_tensor_size(weights) != n)
        return KT_FAIL(KT_EINVAL, "`idf_weights` must be the same length as vocabulary");
    double *numbers = kt_alloc_array(n + 1, sizeof *numbers);
    if (!numbers) return KT_ENOMEM;
    for (int64_t i = 0; i < n && wants; i++) numbers[i] = kt_tensor_get(weights, i);
    const kt_status st = kt_words_set(w, kt_tensor_data(vocabulary), n, wants ? numbers : NULL);
    kt_mem_free(numbers);
    return st;
}

void kt_words_free(kt_words *w) {
    kt_mem_free(w->bytes);
    kt_mem_free(w->token);
    kt_mem_free(w->weights);
}

kt_tensor *kt_words_tensor(const kt_words *w, bool with_special) {
    const int64_t start = with_special ? kt_words_start(w) : 0, n = w->n + start;
    const char **all = kt_alloc_array(n + 1, sizeof *all);
    if (!all) return kt_fail_object(KT_ENOMEM);
    for (int64_t i = 0; i < n; i++) all[i] = i < start ? special(w, i) : w->token[i - start];
    kt_tensor *t = kt_tensor_new(KT_STRING, kt_dims(n), all);
    kt_mem_free(all);
    return t;
}

/* Adapting ------------------------------------------------------------------------------------- */

kt_status kt_words_check_texts(const kt_tensor *data) {
    if (!kt_is(data, KT_KIND_TENSOR))
        return data && kt_failed(data) ? kt_check(data)
                                       : KT_FAIL(KT_EINVAL, "adapt: expected an array");
    if (data->dtype != KT_STRING)
        return KT_FAIL(
            KT_EDTYPE, "adapt: expected texts (dtype string), got %s", kt_dtype_name(data->dtype));
    return kt_tensor_size(data) ? KT_OK : KT_FAIL(KT_EINVAL, "adapt: the data are empty");
}

typedef struct {
    const char *text;
    int64_t count, documents, document;
} tally;

/* A hash table of places in the list of tallies: 1 + place, 0 for none. Half of it stays empty. */
struct kt_word_counts {
    kt_arena *arena;
    KT_VEC(tally) all;
    int32_t *slot;
    int64_t n_slots;
};

static uint64_t hash(const char *s) {
    uint64_t h = UINT64_C(1469598103934665603); /* FNV-1a */
    for (; *s; s++) h = (h ^ (unsigned char)*s) * UINT64_C(1099511628211);
    return h ^ h >> 32;
}

static int32_t *slot_of(const kt_word_counts *c, const char *token) {
    int64_t i = (int64_t)(hash(token) & (uint64_t)(c->n_slots - 1));
    while (c->slot[i] && strcmp(c->all.v[c->slot[i] - 1].text, token) != 0)
        i = (i + 1) & (c->n_slots - 1);
    return &c->slot[i];
}

static kt_status grow(kt_word_counts *c) {
    int32_t *old = c->slot;
    c->slot = kt_alloc_array(c->n_slots ? 2 * c->n_slots : 1024, sizeof *c->slot);
    if (!c->slot) {
        c->slot = old;
        return KT_ENOMEM;
    }
    c->n_slots = c->n_slots ? 2 * c->n_slots : 1024;
    for (int i = 0; i < c->all.n; i++) *slot_of(c, c->all.v[i].text) = i + 1;
    kt_mem_free(old);
    return KT_OK;
}

kt_word_counts *kt_word_counts_new(void) {
    kt_word_counts *c = kt_alloc(sizeof *c);
    if (!c) return NULL;
    c->arena = kt_arena_new();
    if (c->arena && grow(c) == KT_OK) return c;
    kt_word_counts_free(c);
    return NULL;
}

void kt_word_counts_free(kt_word_counts *c) {
    if (!c) return;
    if (c->arena) kt_arena_free(c->arena);
    kt_vec_free(&c->all);
    kt_mem_free(c->slot);
    kt_mem_free(c);
}

kt_status kt_word_counts_add(kt_word_counts *c, const char *token, int64_t document) {
    int32_t *slot = slot_of(c, token);
    if (!*slot) {
        tally t = {kt_arena_strdup(c->arena, token), 0, 0, -1};
        if (c->all.n >= INT32_MAX / 4) return KT_FAIL(KT_ELIMIT, "adapt: too many tokens");
        if (!t.text || kt_vec_push(&c->all, t)) return KT_ENOMEM;
        *slot = c->all.n;
        if (2 * (int64_t)c->all.n > c->n_slots && grow(c)) return KT_ENOMEM;
        slot = slot_of(c, token);
    }
    tally *t = &c->all.v[*slot - 1];
    t->count++;
    t->documents += t->document != document;
    t->document = document;
    return KT_OK;
}

/* The most frequent first, of equal ones the larger token. */
static int by_count(const void *a, const void *b) {
    const tally *x = a, *y = b;
    if (x->count != y->count) return x->count < y->count ? 1 : -1;
    return strcmp(y->text, x->text);
}

static bool is_special(const kt_words *w, const char *s) {
    return (w->mask && !strcmp(s, w->mask)) || (w->oov && !strcmp(s, w->oov));
}

kt_status kt_words_learn(kt_words *w, const kt_word_counts *c, int64_t n_documents) {
    const int64_t start = kt_words_start(w);
    const int64_t room = has(w->max_tokens) ? w->max_tokens - start : INT32_MAX - start - 1;
    const int64_t most = start + c->all.n + 1;
    tally *all = kt_alloc_array(c->all.n + 1, sizeof *all);
    const char **token = kt_alloc_array(most, sizeof *token);
    double *weights = kt_alloc_array(most, sizeof *weights), sum = 0;
    kt_status st = all && token && weights ? KT_OK : KT_ENOMEM;
    int64_t kept = 0;
    for (int i = 0; i < c->all.n && st == KT_OK; i++)
        if (!is_special(w, c->all.v[i].text)) all[kept++] = c->all.v[i];
    if (st == KT_OK) qsort(all, (size_t)kept, sizeof *all, by_count);
    if (kept > room) kept = room > 0 ? room : 0;
    for (int64_t i = 0; i < kept && st == KT_OK; i++) {
        token[start + i] = all[i].text;
        weights[start + i] = log(1 + (double)n_documents / (double)(1 + all[i].documents));
        sum += weights[start + i];
    }
    for (int64_t i = 0; i < start && st == KT_OK; i++) {
        token[i] = special(w, i);
        weights[i] = sum / (double)kept;
    }
    if (st == KT_OK && kept == 0)
        st = KT_FAIL(KT_EINVAL, "adapt: there are no tokens but the special ones");
    if (st == KT_OK)
        st = kt_words_set(w, token, start + kept, w->mode == KT_ENCODE_TF_IDF ? weights : NULL);
    kt_mem_free(all);
    kt_mem_free(token);
    kt_mem_free(weights);
    return st;
}

/* Calling -------------------------------------------------------------------------------------- */

#define NOWHERE INT32_MAX /* an index that counts nowhere */

struct kt_words_index {
    int64_t n;
    entry all[];
};

kt_words_index *kt_words_index_new(const kt_words *w) {
    const int64_t n = w->n + (w->mask != NULL), first = kt_words_start(w);
    kt_words_index *x = kt_alloc(sizeof *x + (size_t)n * sizeof *x->all);
    if (!x) return NULL;
    x->n = n;
    for (int64_t i = 0; i < w->n; i++) x->all[i] = (entry){w->token[i], (int32_t)(first + i)};
    if (w->mask) x->all[w->n] = (entry){w->mask, w->mode == KT_ENCODE_INT ? 0 : NOWHERE};
    qsort(x->all, (size_t)n, sizeof *x->all, by_text);
    return x;
}

int64_t kt_words_index_of(const kt_words_index *x, const char *token) {
    const entry key = {token, 0};
    const entry *e = bsearch(&key, x->all, (size_t)x->n, sizeof *x->all, by_text);
    return e ? e->index : KT_NONE;
}

void kt_words_index_free(kt_words_index *x) { kt_mem_free(x); }

/* Without any token there is one that nothing finds, as every array has an element. */
bool kt_words_table(const kt_words *w, kt_graph *g, kt_val *out[3]) {
    kt_words_index *x = kt_words_index_new(w);
    const int64_t n = x ? x->n : 0, m = n ? n : 1;
    int32_t *start = kt_alloc_array(m, sizeof *start), *index = kt_alloc_array(m, sizeof *index);
    kt_str bytes = {0};
    kt_str_addn(&bytes, "", 1); /* never none */
    for (int64_t i = 0; i < n && start && index; i++) {
        start[i] = (int32_t)bytes.n;
        index[i] = x->all[i].index;
        kt_str_addn(&bytes, x->all[i].text, strlen(x->all[i].text) + 1);
    }
    if (x && start && index && !bytes.status && bytes.n <= INT32_MAX) {
        out[0] = kt_g_array(g, bytes.s, (kt_spec){KT_UINT8, kt_dims((int64_t)bytes.n)});
        out[1] = kt_g_array(g, start, (kt_spec){KT_INT32, kt_dims(m)});
        out[2] = kt_g_array(g, index, (kt_spec){KT_INT32, kt_dims(m)});
    } else {
        kt_graph_fail(g, KT_ENOMEM);
    }
    kt_words_index_free(x);
    kt_mem_free(start);
    kt_mem_free(index);
    kt_str_free(&bytes);
    return g->status == KT_OK;
}

int64_t kt_words_depth(const kt_words *w, kt_graph *g) {
    const int64_t depth = w->pad ? w->max_tokens : w->size;
    if (has(depth)) return depth;
    kt_graph_fail(
        g,
        KT_FAIL(
            KT_ESTATE,
            "Unless `output_mode` is \"int\" or `pad_to_max_tokens` is set, you must set the "
            "layer's vocabulary before calling it."));
    return 0;
}

kt_val *kt_words_weighted(const kt_words *w, kt_graph *g, kt_val *y) {
    if (w->mode != KT_ENCODE_TF_IDF || !w->known || !y) return y;
    const kt_shape *s = &y->spec.shape;
    if (w->n_weights != s->dim[s->ndim - 1])
        return kt_graph_fail(g, KT_FAIL(KT_ESTATE, "idf_weights do not go with the vocabulary"));
    kt_val *weights = kt_g_array(g, w->weights, (kt_spec){KT_FLOAT32, kt_dims(w->n_weights)});
    return kt_g_mul(g, y, kt_g_cast(g, weights, y->spec.dtype));
}

/* Files ---------------------------------------------------------------------------------------- */

/* Bytes of the line end at p, 0 if there is none: what Python's splitlines() takes for one. */
static size_t line_end(const char *p, const char *end) {
    const unsigned char c = (unsigned char)*p;
    if (c == '\r') return p + 1 < end && p[1] == '\n' ? 2 : 1;
    if ((c >= '\n' && c <= '\f') || (c >= 0x1c && c <= 0x1e)) return 1;
    if (c == 0xc2 && p + 1 < end && (unsigned char)p[1] == 0x85) return 2;
    return c == 0xe2 && p + 2 < end && (unsigned char)p[1] == 0x80 &&
                   ((unsigned char)p[2] == 0xa8 || (unsigned char)p[2] == 0xa9)
               ? 3
               : 0;
}

kt_status kt_words_put_asset(const kt_words *w, kt_str *text) {
    kt_tensor *t = kt_words_tensor(w, true);
    kt_status st = kt_failed(t) ? kt_check(t) : KT_OK;
    const int64_t n = kt_tensor_size(t);
    for (int64_t i = 0; i < n && st == KT_OK; i++) {
        const char *s = kt_tensor_text(t, i), *end = s + strlen(s);
        for (const char *p = s; p < end && st == KT_OK; p++)
            if (line_end(p, end))
                st = KT_FAIL(
                    KT_EUNSUPPORTED,
                    "vocabulary.txt: token %lld has a line end inside, which files cannot keep",
                    (long long)i);
        if (i) kt_str_add(text, "\n");
        kt_str_add(text, s);
        if (st || *s || i < n - 1 || i < kt_words_start(w)) continue;
        KT_FAIL(KT_EUNSUPPORTED, "vocabulary.txt: the last token is \"\", which files cannot keep");
        st = kt_error_hint("the mask_token \"\" keeps it out of the vocabulary");
    }
    if (!kt_failed(t)) kt_free(t);
    return st ? st : text->status;
}

static int64_t split_lines(char *text, size_t size, const char **line) {
    int64_t n = 0;
    for (char *p = text, *end = text + size, *begin = p; p < end || begin < end;) {
        const size_t stop = p < end ? line_end(p, end) : 0;
        if (!stop && p < end) {
            p++;
            continue;
        }
        *p = 0;
        line[n++] = begin;
        p += stop;
        begin = p;
        if (!stop) break;
    }
    while (n && !*line[n - 1]) n--;
    return n;
}

kt_status kt_words_take_asset(kt_words *w, const char *text, size_t size) {
    int64_t most = 2;
    if (memchr(text, 0, size) || !kt_utf8_is(text, size))
        return KT_FAIL(KT_EFORMAT, "vocabulary.txt: it is no UTF-8 text");
    while (size && (text[size - 1] == '\n' || text[size - 1] == '\r')) size--; /* no tokens */
    for (size_t i = 0; i < size; i++) most += line_end(text + i, text + size) > 0;
    char *copy = kt_alloc(size + 1);
    const char **line = kt_alloc_array(most, sizeof *line);
    kt_status st = copy && line ? KT_OK : KT_ENOMEM;
    if (st == KT_OK) memcpy(copy, text, size);
    const int64_t n = st == KT_OK ? split_lines(copy, size, line) : 0;
    if (n) st = kt_words_set(w, line, n, NULL);
    if (st == KT_OK && w->mode == KT_ENCODE_TF_IDF && n && w->n_weights < n)
        st = KT_FAIL(
            KT_EFORMAT,
            "idf_weights: %lld of them for %lld tokens",
            (long long)w->n_weights,
            (long long)n);
    kt_mem_free(copy);
    kt_mem_free(line);
    return st;
}
