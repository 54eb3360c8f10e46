/* IntegerLookup: tokens to their place in a vocabulary, or back.  keras.layers.IntegerLookup
 *
 * A call looks the token up among the sorted keys (the primitive search) and takes the index that
 * goes with it; what is not found shares the oov indices. The vocabulary stands in programs as a
 * constant, so a new one makes them be traced again. */
#include "nn/layers/encode.h"
#include "nn/layers/lookup.h"

#include "base/mem.h"
#include "runtime/var.h"
#include "tensor/tensor.h"

#include <keratin/layers.h>
#include <keratin/runtime.h>

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef kt_integer_lookup_args lookup_args;
typedef struct {
    int64_t token;
    int32_t index;
} entry;
typedef struct {
    kt_encode_mode mode;
    bool known;
    int64_t n;       ///< tokens of the vocabulary, without what stands before them
    int64_t *tokens; ///< in their order
    int64_t n_weights;
    float *weights; ///< of "tf_idf", one for each element of the result; NULL: none
} lookup_state;

static bool has(int64_t v) { return v != KT_NONE; }

/* Where the oov indices begin, and the vocabulary behind them. */
static int64_t oov_start(const lookup_args *a, const lookup_state *s) {
    return has(a->mask_token) && s->mode == KT_ENCODE_INT;
}
static int64_t token_start(const lookup_args *a, const lookup_state *s) {
    return oov_start(a, s) + a->num_oov_indices;
}

static int64_t special(const lookup_args *a, const lookup_state *s, int64_t i) {
    return i < oov_start(a, s) ? a->mask_token : a->oov_token;
}

/* Setting the vocabulary ----------------------------------------------------------------------- */

static int by_token(const void *a, const void *b) {
    const int64_t x = ((const entry *)a)->token, y = ((const entry *)b)->token;
    return (x > y) - (x < y);
}

/* What the vocabulary must not hold: a token twice, the mask, with invert the oov token. */
static kt_status check_tokens(const lookup_args *a, const int64_t *tokens, int64_t n) {
    entry *all = kt_alloc_array(n + 1, sizeof *all);
    kt_status st = all ? KT_OK : KT_ENOMEM;
    for (int64_t i = 0; i < n && all; i++) all[i] = (entry){tokens[i], (int32_t)i};
    if (all) qsort(all, (size_t)n, sizeof *all, by_token);
    for (int64_t i = 0; i < n && st == KT_OK; i++) {
        const long long t = (long long)all[i].token;
        if (i && all[i - 1].token == all[i].token)
            st = KT_FAIL(
                KT_EINVAL, "The passed vocabulary has at least one repeated term: %lld", t);
        else if (has(a->mask_token) && all[i].token == a->mask_token)
            st = KT_FAIL(KT_EINVAL, "vocabulary: the mask token %lld is inside it", t);
        else if (a->invert && has(a->oov_token) && all[i].token == a->oov_token)
            st = KT_FAIL(KT_EINVAL, "vocabulary: the OOV token %lld is inside it", t);
    }
    kt_mem_free(all);
    return st;
}

/* Weights of all elements of the result: before those given their mean, behind them zeros. */
static kt_status set_weights(
    const lookup_args *a, lookup_state *s, const double *w, int64_t n, int64_t before) {
    const int64_t all = a->pad_to_max_tokens && a->max_tokens > n + before ? a->max_tokens
                                                                           : n + before;
    float *weights = kt_alloc_array(all + 1, sizeof *weights);
    double sum = 0;
    if (!weights) return KT_ENOMEM;
    for (int64_t i = 0; i < n; i++) sum += w[i];
    for (int64_t i = 0; i < all; i++)
        weights[i] = (float)(i < before ? sum / (double)n : i < before + n ? w[i - before] : 0);
    kt_mem_free(s->weights);
    s->weights = weights;
    s->n_weights = all;
    return KT_OK;
}

/* `given` may begin with the special tokens. Weights go with all of it; NULL: they stay. */
static kt_status set_vocabulary(kt_layer *l, const int64_t *given, int64_t n, const double *w) {
    lookup_args *a = l->args;
    lookup_state *s = l->state;
    const int64_t start = token_start(a, s);
    bool found = n >= start;
    for (int64_t i = 0; i < start && found; i++) found = given[i] == special(a, s, i);
    const int64_t skip = found ? start : 0, size = n - skip + start;
    if (n == 0) return KT_FAIL(KT_EINVAL, "Cannot set an empty vocabulary.");
    if ((has(a->max_tokens) && size > a->max_tokens) || size > INT32_MAX - 1)
        return KT_FAIL(
            KT_EINVAL,
            "Attempted to set a vocabulary larger than the maximum vocab size: %lld tokens",
            (long long)size);
    kt_status st = check_tokens(a, given + skip, n - skip);
    int64_t *tokens = st ? NULL : kt_alloc_array(n - skip + 1, sizeof *tokens);
    if (st == KT_OK && !tokens) st = KT_ENOMEM;
    if (st == KT_OK && w) st = set_weights(a, s, w, n, found ? 0 : start);
    if (st) {
        kt_mem_free(tokens);
        return st;
    }
    if (n > skip) memcpy(tokens, given + skip, sizeof *tokens * (size_t)(n - skip));
    kt_mem_free(s->tokens);
    s->tokens = tokens;
    s->n = n - skip;
    s->known = true;
    a->vocabulary_size = size;
    kt_layout_changed();
    return KT_OK;
}

/* Arguments ------------------------------------------------------------------------------------ */

static kt_status check_modes(const lookup_args *a, const lookup_state *s) {
    const bool farm = a->oov_method && !strcmp(a->oov_method, "farmhash");
    if (!farm && (!a->oov_method || strcmp(a->oov_method, "floormod") != 0))
        return KT_FAIL(KT_EINVAL, "oov_method: expected \"floormod\" or \"farmhash\"");
    if (a->salt.n && !farm)
        return KT_FAIL(KT_EINVAL, "`salt` can only be used when `oov_method='farmhash'`");
    if (a->invert && !has(a->oov_token))
        return KT_FAIL(KT_EINVAL, "oov_token: invert needs one, for indices of no token");
    if (a->invert && s->mode != KT_ENCODE_INT)
        return KT_FAIL(KT_EINVAL, "`output_mode` must be `'int'` when `invert` is true");
    if (a->idf_weights.n && s->mode != KT_ENCODE_TF_IDF)
        return KT_FAIL(
            KT_EINVAL, "`idf_weights` should only be set if `output_mode` is `'tf_idf'`");
    if (!a->vocabulary.n && a->idf_weights.n)
        return KT_FAIL(KT_EINVAL, "idf_weights: they go with a vocabulary, which is missing");
    if (a->vocabulary.n && s->mode == KT_ENCODE_TF_IDF && a->idf_weights.n != a->vocabulary.n) {
        KT_FAIL(KT_EINVAL, "`idf_weights` must be the same length as vocabulary");
        kt_error_expected("%d", a->vocabulary.n);
        return kt_error_got("%d", a->idf_weights.n);
    }
    return KT_OK;
}

static kt_status lookup_init(kt_layer *l) {
    const lookup_args *a = kt_layer_args(l);
    lookup_state *s = kt_layer_state(l);
    const char *mode = a->output_mode;
    if (mode && !strcmp(mode, "binary")) mode = "multi_hot"; /* older names */
    if (mode && !strcmp(mode, "tf-idf")) mode = "tf_idf";
    kt_status st = kt_encode_mode_of(&s->mode, mode, (1u << KT_ENCODE_MODES) - 1);
    if (st == KT_OK) st = kt_encode_refuse_sparse(a->sparse);
    if (st == KT_OK) st = check_modes(a, s);
    if (st == KT_OK) st = kt_encode_salt(&((lookup_args *)l->args)->salt);
    if (st) return st;
    if (has(a->max_tokens) && (a->max_tokens <= 1 || a->max_tokens > INT32_MAX))
        return KT_FAIL(
            KT_EINVAL, "`max_tokens` must be greater than 1, got %lld", (long long)a->max_tokens);
    if (a->num_oov_indices < 0)
        return KT_FAIL(
            KT_EINVAL, "num_oov_indices: expected 0 or more, got %d", a->num_oov_indices);
    if (a->pad_to_max_tokens && !has(a->max_tokens))
        return KT_FAIL(KT_EINVAL, "If pad_to_max_tokens is True, must set `max_tokens`");
    if (!a->vocabulary_dtype || strcmp(a->vocabulary_dtype, "int64") != 0)
        return KT_FAIL(KT_EINVAL, "Only `vocabulary_dtype='int64'` is supported");
    if (has(a->vocabulary_size) && (a->vocabulary_size < 0 || a->vocabulary_size > INT32_MAX))
        return KT_FAIL(KT_EINVAL, "vocabulary_size: %lld", (long long)a->vocabulary_size);
    l->no_autocast = true;
    if (!a->vocabulary.n) return KT_OK;
    return set_vocabulary(
        l, a->vocabulary.v, a->vocabulary.n, a->idf_weights.n ? a->idf_weights.v : NULL);
}

static void lookup_destroy(kt_layer *l) {
    lookup_state *s = kt_layer_state(l);
    kt_mem_free(s->tokens);
    kt_mem_free(s->weights);
}

/* Calling -------------------------------------------------------------------------------------- */

#define NOWHERE INT32_MAX /* an index that counts nowhere */

/* Sorted keys (int64) and the index of each (int32): of the vocabulary, and of the mask token. */
static bool table(kt_graph *g, const lookup_args *a, const lookup_state *s, kt_val *out[2]) {
    const int64_t masks = has(a->mask_token), n = s->n + masks, start = token_start(a, s);
    entry *all = kt_alloc_array(n + 1, sizeof *all);
    int64_t *keys = kt_alloc_array(n + 1, sizeof *keys);
    int32_t *index = kt_alloc_array(n + 1, sizeof *index);
    if (all && keys && index) {
        for (int64_t i = 0; i < s->n; i++) all[i] = (entry){s->tokens[i], (int32_t)(start + i)};
        if (masks) all[s->n] = (entry){a->mask_token, s->mode == KT_ENCODE_INT ? 0 : NOWHERE};
        qsort(all, (size_t)n, sizeof *all, by_token);
        for (int64_t i = 0; i < n; i++) {
            keys[i] = all[i].token;
            index[i] = all[i].index;
        }
        out[0] = kt_g_array(g, keys, (kt_spec){KT_INT64, kt_dims(n)});
        out[1] = kt_g_array(g, index, (kt_spec){KT_INT32, kt_dims(n)});
    } else {
        kt_graph_fail(g, KT_ENOMEM);
    }
    kt_mem_free(all);
    kt_mem_free(keys);
    kt_mem_free(index);
    return g->status == KT_OK;
}

/* The index of each token that is in no vocabulary. */
static kt_val *oov_index(kt_graph *g, const lookup_args *a, const lookup_state *s, kt_val *x) {
    hash_attrs h;
    memset(&h, 0, sizeof h);
    h.kind = strcmp(a->oov_method, "farmhash") ? KT_HASH_MODULO
             : a->salt.n                       ? KT_HASH_SIP
                                               : KT_HASH_FARM;
    for (int i = 0; i < 2 && a->salt.n; i++) h.key[i] = a->salt.v[i];
    h.bins = a->num_oov_indices > 1 ? a->num_oov_indices : 1;
    kt_val *bin = kt_g_cast(g, kt_g_hash_bins(g, 1, &x, &h), KT_INT32);
    return bin ? kt_g_shift(g, bin, (double)oov_start(a, s)) : NULL;
}

/* int32 */
static kt_val *look_up(kt_graph *g, const lookup_args *a, const lookup_state *s, kt_val *x) {
    kt_val *keys[2] = {NULL, NULL};
    if (!s->known || s->n + has(a->mask_token) == 0) { /* one key, which nothing passes */
        keys[0] = kt_g_const(g, 0, (kt_spec){KT_INT64, kt_dims(1)});
        if (!s->known) return kt_g_search(g, x, keys[0], KT_SEARCH_NEVER);
        return oov_index(g, a, s, x);
    }
    if (!table(g, a, s, keys)) return NULL;
    kt_val *at = kt_g_search(g, x, keys[0], a->num_oov_indices ? KT_SEARCH_EXACT : KT_SEARCH_KNOWN);
    if (!at) return NULL;
    kt_val *missing = kt_g_lt(g, at, kt_g_num(g, 0, at));
    kt_val *index = kt_g_gather(g, keys[1], kt_g_maximum(g, at, kt_g_num(g, 0, at)));
    if (!a->num_oov_indices) return index;
    return kt_g_select(g, missing, oov_index(g, a, s, x), index);
}

/* Indices to tokens, int64; the oov token for all others. */
static kt_val *tokens_of(kt_graph *g, const lookup_args *a, const lookup_state *s, kt_val *x) {
    const int64_t start = token_start(a, s), n = s->n + start;
    int64_t *tokens = kt_alloc_array(n + 2, sizeof *tokens);
    if (!tokens) return kt_graph_fail(g, KT_ENOMEM);
    for (int64_t i = 0; i < n; i++) tokens[i] = i < start ? special(a, s, i) : s->tokens[i - start];
    tokens[n] = a->oov_token; /* beyond on either side */
    kt_val *all = kt_g_array(g, tokens, (kt_spec){KT_INT64, kt_dims(n + 1)});
    kt_mem_free(tokens);
    kt_val *at = kt_g_cast(g, kt_g_clip(g, x, -1, (double)n), KT_INT32);
    if (!at) return NULL;
    at = kt_g_select(g, kt_g_lt(g, at, kt_g_num(g, 0, at)), kt_g_num(g, (double)n, at), at);
    return kt_g_gather(g, all, at);
}

static kt_val *encoded(kt_graph *g, const lookup_args *a, const lookup_state *s, kt_val *index) {
    const int64_t depth = a->pad_to_max_tokens ? a->max_tokens : a->vocabulary_size;
    const kt_encode_mode mode = s->mode == KT_ENCODE_TF_IDF ? KT_ENCODE_COUNT : s->mode;
    if (s->mode == KT_ENCODE_INT) return kt_g_cast(g, index, KT_INT64);
    if (!has(depth)) {
        kt_graph_fail(
            g,
            KT_FAIL(
                KT_ESTATE,
                "When using `output_mode=%s` and `pad_to_max_tokens=False`, you must set the "
                "layer's vocabulary before calling it.",
                a->output_mode));
        return NULL;
    }
    kt_val *y = kt_encode(g, index, mode, depth, kt_dtype_of(kt_floatx()), NULL);
    if (s->mode != KT_ENCODE_TF_IDF || !s->known || !y) return y;
    if (s->n_weights != depth)
        return kt_graph_fail(g, KT_FAIL(KT_ESTATE, "idf_weights do not go with the vocabulary"));
    kt_val *w = kt_g_array(g, s->weights, (kt_spec){KT_FLOAT32, kt_dims(depth)});
    return kt_g_mul(g, y, kt_g_cast(g, w, y->spec.dtype));
}

static kt_status lookup_call(kt_layer *l, kt_trace *t) {
    const lookup_args *a = kt_layer_args(l);
    const lookup_state *s = kt_layer_state(l);
    kt_graph *g = kt_tracer_current()->g;
    kt_val *x = kt_unwrap(t->in[0], NULL), *y;
    if (!x) return g->status;
    if (x->spec.dtype == KT_BOOL)
        return KT_FAIL(KT_EDTYPE, "IntegerLookup: expected integers, got bool");
    x = kt_g_cast(g, x, KT_INT64);
    if (a->invert && s->known)
        y = tokens_of(g, a, s, x);
    else
        y = encoded(g, a, s, look_up(g, a, s, x));
    t->out[0] = kt_wrap(y);
    return kt_check(t->out[0]);
}

static const kt_field lookup_fields[] = {
    KT_F(lookup_args, max_tokens),
    KT_F(lookup_args, num_oov_indices),
    KT_F(lookup_args, mask_token),
    KT_F(lookup_args, oov_token),
    KT_F(lookup_args, vocabulary),
    KT_F(lookup_args, vocabulary_dtype),
    KT_F(lookup_args, idf_weights),
    KT_F(lookup_args, invert),
    KT_F(lookup_args, output_mode),
    KT_F(lookup_args, sparse),
    KT_F(lookup_args, pad_to_max_tokens),
    KT_F(lookup_args, oov_method),
    KT_F(lookup_args, salt),
    KT_F(lookup_args, vocabulary_size),
    KT_F_END};

const kt_layer_class kt_class_integer_lookup = {
    .name = "IntegerLookup",
    .args_size = sizeof(lookup_args),
    .state_size = sizeof(lookup_state),
    .fields = lookup_fields,
    .defaults = &(const lookup_args){KT_INTEGER_LOOKUP_DEFAULTS},
    .init = lookup_init,
    .call = lookup_call,
    .destroy = lookup_destroy,
};

kt_layer *kt_integer_lookup_new(const kt_integer_lookup_args *a) {
    return kt_layer_new(&kt_class_integer_lookup, a);
}

/* Adapting ------------------------------------------------------------------------------------- */

static kt_status require(const kt_layer *l, const char *what) {
    const kt_status st = kt_layer_require(l, what);
    if (st || l->cls == &kt_class_integer_lookup) return st;
    return KT_FAIL(KT_EINVAL, "%s: expected an IntegerLookup layer", what);
}

typedef struct {
    int64_t token, document, count, documents;
} tally;

static int by_place(const void *a, const void *b) {
    const tally *x = a, *y = b;
    if (x->token != y->token) return x->token < y->token ? -1 : 1;
    return (x->document > y->document) - (x->document < y->document);
}

/* The most frequent first, of equal ones the larger token. */
static int by_count(const void *a, const void *b) {
    const tally *x = a, *y = b;
    if (x->count != y->count) return x->count < y->count ? 1 : -1;
    return x->token < y->token ? 1 : x->token > y->token ? -1 : 0;
}

/* Sorted by token and document, each token once: how often, and in how many documents. */
static int64_t tally_up(tally *all, int64_t n, const lookup_args *a) {
    int64_t kept = 0;
    qsort(all, (size_t)n, sizeof *all, by_place);
    for (int64_t i = 0; i < n; i++) {
        const int64_t token = all[i].token;
        if ((has(a->mask_token) && token == a->mask_token) ||
            (has(a->oov_token) && token == a->oov_token))
            continue;
        if (!kept || all[kept - 1].token != token) {
            all[kept++] = (tally){token, all[i].document, 1, 1};
            continue;
        }
        tally *t = &all[kept - 1];
        t->count++;
        t->documents += t->document != all[i].document;
        t->document = all[i].document;
    }
    qsort(all, (size_t)kept, sizeof *all, by_count);
    return kept;
}

static kt_status learn(kt_layer *l, tally *all, int64_t n, int64_t n_documents) {
    const lookup_args *a = kt_layer_args(l);
    lookup_state *s = kt_layer_state(l);
    const int64_t start = token_start(a, s);
    const int64_t room = has(a->max_tokens) ? a->max_tokens - start : INT32_MAX - start - 1;
    int64_t kept = tally_up(all, n, a);
    if (kept > room) kept = room > 0 ? room : 0;
    int64_t *tokens = kt_alloc_array(start + kept + 1, sizeof *tokens);
    double *weights = kt_alloc_array(start + kept + 1, sizeof *weights), sum = 0;
    kt_status st = tokens && weights ? KT_OK : KT_ENOMEM;
    for (int64_t i = 0; i < kept && st == KT_OK; i++) {
        tokens[start + i] = all[i].token;
        weights[start + i] = log(1 + (double)n_documents / (double)(1 + all[i].documents));
        sum += weights[start + i];
    }
    for (int64_t i = 0; i < start && st == KT_OK; i++) {
        tokens[i] = special(a, s, i);
        weights[i] = sum / (double)kept;
    }
    if (st == KT_OK && start + kept == 0)
        st = KT_FAIL(KT_EINVAL, "adapt: there are no tokens but the special ones");
    if (st == KT_OK)
        st = set_vocabulary(l, tokens, start + kept, s->mode == KT_ENCODE_TF_IDF ? weights : NULL);
    kt_mem_free(tokens);
    kt_mem_free(weights);
    return st;
}

static kt_status check_integers(const kt_tensor *t, const char *what) {
    if (!kt_is(t, KT_KIND_TENSOR))
        return t && kt_failed(t) ? kt_check(t) : KT_FAIL(KT_EINVAL, "%s: expected an array", what);
    if (!kt_dtype_is_int(kt_tensor_dtype(t)))
        return KT_FAIL(
            KT_EDTYPE, "%s: expected integers, got %s", what, kt_dtype_name(kt_tensor_dtype(t)));
    return KT_OK;
}

static int64_t integer_at(const kt_tensor *t, int64_t i) {
    const void *data = kt_tensor_data(t);
    return kt_tensor_dtype(t) == KT_INT64 ? ((const int64_t *)data)[i]
                                          : (int64_t)kt_tensor_get(t, i);
}

kt_status kt_integer_lookup_adapt(kt_layer *l, const kt_tensor *data) {
    kt_status st = require(l, "kt_integer_lookup_adapt");
    if (st == KT_OK) st = check_integers(data, "adapt");
    if (st) return st;
    const lookup_args *a = kt_layer_args(l);
    const lookup_state *s = kt_layer_state(l);
    const int64_t n = kt_tensor_size(data);
    if (a->vocabulary.n)
        return KT_FAIL(KT_ESTATE, "adapt: the layer was given a static vocabulary");
    if (n == 0) return KT_FAIL(KT_EINVAL, "adapt: the data are empty");
    if (s->mode == KT_ENCODE_TF_IDF && data->shape.ndim > 2)
        return KT_FAIL(KT_ESHAPE, "adapt: expected documents of tokens, (documents, tokens)");
    const int64_t documents = data->shape.ndim ? data->shape.dim[0] : 1;
    tally *all = kt_alloc_array(n, sizeof *all);
    if (!all) return KT_ENOMEM;
    for (int64_t i = 0; i < n; i++)
        all[i] = (tally){integer_at(data, i), i / (n / documents), 0, 0};
    st = learn(l, all, n, documents);
    kt_mem_free(all);
    return st;
}

kt_status kt_integer_lookup_set_vocabulary(
    kt_layer *l, const kt_tensor *vocabulary, const kt_tensor *idf_weights) {
    kt_status st = require(l, "kt_integer_lookup_set_vocabulary");
    if (st == KT_OK) st = check_integers(vocabulary, "vocabulary");
    if (st) return st;
    const lookup_state *s = kt_layer_state(l);
    const bool wants = s->mode == KT_ENCODE_TF_IDF;
    const int64_t n = kt_tensor_size(vocabulary);
    if (wants && !kt_is(idf_weights, KT_KIND_TENSOR))
        return KT_FAIL(KT_EINVAL, "`idf_weights` must be set if output_mode is 'tf_idf'");
    if (!wants && idf_weights)
        return KT_FAIL(
            KT_EINVAL, "`idf_weights` should only be set if `output_mode` is `'tf_idf'`");
    if (wants && kt_tensor_size(idf_weights) != n)
        return KT_FAIL(KT_EINVAL, "`idf_weights` must be the same length as vocabulary");
    int64_t *tokens = kt_alloc_array(n + 1, sizeof *tokens);
    double *weights = kt_alloc_array(n + 1, sizeof *weights);
    st = tokens && weights ? KT_OK : KT_ENOMEM;
    for (int64_t i = 0; i < n && st == KT_OK; i++) {
        tokens[i] = integer_at(vocabulary, i);
        if (wants) weights[i] = kt_tensor_get(idf_weights, i);
    }
    if (st == KT_OK) st = set_vocabulary(l, tokens, n, wants ? weights : NULL);
    kt_mem_free(tokens);
    kt_mem_free(weights);
    return st;
}

kt_tensor *kt_integer_lookup_vocabulary(const kt_layer *l, bool include_special_tokens) {
    const kt_status st = require(l, "kt_integer_lookup_vocabulary");
    if (st) return kt_fail_object(st);
    const lookup_args *a = kt_layer_args(l);
    const lookup_state *s = l->state;
    const int64_t start = include_special_tokens ? token_start(a, s) : 0;
    kt_tensor *t = kt_tensor_new(KT_INT64, kt_dims(start + s->n), NULL);
    int64_t *to = kt_failed(t) ? NULL : t->data;
    for (int64_t i = 0; to && i < start + s->n; i++)
        to[i] = i < start ? special(a, s, i) : s->tokens[i - start];
    return t;
}

/* Files ---------------------------------------------------------------------------------------- */

static bool has_asset(const kt_layer *l) {
    return !((const lookup_args *)kt_layer_args(l))->vocabulary.n;
}

static kt_status put_asset(const kt_layer *l, kt_str *text) {
    kt_tensor *t = kt_integer_lookup_vocabulary(l, true);
    if (kt_failed(t)) return kt_check(t);
    for (int64_t i = 0; i < kt_tensor_size(t); i++)
        kt_str_addf(text, "%s%" PRId64, i ? "\n" : "", integer_at(t, i));
    kt_free(t);
    return text->status;
}

static kt_status take_asset(kt_layer *l, const char *text, size_t size) {
    lookup_state *s = kt_layer_state(l);
    int64_t n = 0, most = 1;
    for (size_t i = 0; i < size; i++) most += text[i] == '\n';
    int64_t *tokens = kt_alloc_array(most, sizeof *tokens);
    kt_status st = tokens ? KT_OK : KT_ENOMEM;
    for (const char *p = text, *end = text + size; p < end && st == KT_OK;) {
        char line[32], *rest;
        const char *stop = memchr(p, '\n', (size_t)(end - p));
        size_t len = (size_t)((stop ? stop : end) - p);
        if (len && p[len - 1] == '\r') len--;
        if (len == 0 && !stop) break;
        snprintf(line, sizeof line, "%.*s", (int)(len < 31 ? len : 31), p);
        const long long v = strtoll(line, &rest, 10);
        if (!len || *rest || len > 20) {
            bool last = true; /* empty lines at the end are nothing */
            for (const char *q = p; q < end; q++) last = last && (*q == '\n' || *q == '\r');
            if (last) break;
            st = KT_FAIL(KT_EFORMAT, "vocabulary.txt: line %lld is no integer", (long long)n + 1);
        }
        if (st == KT_OK) tokens[n++] = (int64_t)v;
        p = stop ? stop + 1 : end;
    }
    if (st == KT_OK && n) st = set_vocabulary(l, tokens, n, NULL);
    if (st == KT_OK && s->mode == KT_ENCODE_TF_IDF && n && s->n_weights < n)
        st = KT_FAIL(
            KT_EFORMAT,
            "idf_weights: %lld of them for %lld tokens",
            (long long)s->n_weights,
            (long long)n);
    kt_mem_free(tokens);
    return st;
}

static kt_lookup_weights weights_of(kt_layer *l) {
    lookup_state *s = l->state;
    return (kt_lookup_weights){s->mode == KT_ENCODE_TF_IDF, &s->n_weights, &s->weights};
}

const kt_lookup_files kt_integer_lookup_files = {
    &kt_class_integer_lookup, has_asset, put_asset, take_asset, weights_of};
