/* StringLookup: texts to their place in a vocabulary, or back.  keras.layers.StringLookup
 *
 * A call looks the text up among the sorted ones (the primitive text_find) and takes the index that
 * goes with it; what is not found shares the oov indices, by its hash. What it has in common with
 * TextVectorization stands in words.c. */
#include "nn/layers/lookup.h"
#include "nn/layers/words.h"

#include "base/mem.h"
#include "tensor/tensor.h"

#include <keratin/layers.h>

#include <string.h>

typedef kt_string_lookup_args lookup_args;

static kt_status check_words(const lookup_args *a) {
    if (!a->encoding || strcmp(a->encoding, "utf-8") != 0)
        return KT_FAIL(KT_EUNSUPPORTED, "encoding: \"utf-8\" is the only one");
    if (!a->oov_method ||
        (strcmp(a->oov_method, "farmhash") != 0 && strcmp(a->oov_method, "floormod") != 0))
        return KT_FAIL(KT_EINVAL, "oov_method: expected \"floormod\" or \"farmhash\"");
    return KT_OK;
}

static kt_status lookup_init(kt_layer *l) {
    lookup_args *a = l->args;
    kt_words *w = kt_layer_state(l);
    w->max_tokens = a->max_tokens;
    w->num_oov = a->num_oov_indices;
    w->mask = a->mask_token;
    w->oov = a->oov_token;
    w->invert = a->invert;
    w->pad = a->pad_to_max_tokens;
    w->size = a->vocabulary_size;
    kt_status st = kt_words_check(w, a->output_mode, a->vocabulary, a->idf_weights);
    if (st == KT_OK) st = kt_encode_refuse_sparse(a->sparse);
    if (st == KT_OK) st = check_words(a);
    if (st == KT_OK) st = kt_encode_salt(&a->salt);
    l->no_autocast = true;
    if (st || !a->vocabulary.n) return st;
    st = kt_words_set(
        w, a->vocabulary.v, a->vocabulary.n, a->idf_weights.n ? a->idf_weights.v : NULL);
    a->vocabulary_size = w->size;
    return st;
}

static void lookup_destroy(kt_layer *l) { kt_words_free(kt_layer_state(l)); }

/* Calling -------------------------------------------------------------------------------------- */

/* The index of each text that is in no vocabulary. */
static kt_val *oov_index(kt_graph *g, const lookup_args *a, const kt_words *w, kt_val *x) {
    hash_attrs h;
    memset(&h, 0, sizeof h);
    h.kind = a->salt.n ? KT_HASH_SIP : KT_HASH_FARM;
    for (int i = 0; i < 2 && a->salt.n; i++) h.key[i] = a->salt.v[i];
    h.bins = a->num_oov_indices > 1 ? a->num_oov_indices : 1;
    kt_val *bin = kt_g_cast(g, kt_g_hash_bins(g, 1, &x, &h), KT_INT32);
    return bin ? kt_g_shift(g, bin, (double)(kt_words_start(w) - a->num_oov_indices)) : NULL;
}

/* int32 */
static kt_val *look_up(kt_graph *g, const lookup_args *a, const kt_words *w, kt_val *x) {
    const search_kind kind = !w->known            ? KT_SEARCH_NEVER
                             : a->num_oov_indices ? KT_SEARCH_EXACT
                                                  : KT_SEARCH_KNOWN;
    kt_val *t[3];
    if (!kt_words_table(w, g, t)) return NULL;
    kt_val *at = kt_g_text_find(g, x, t[0], t[1], kind);
    if (!at || !w->known) return at;
    kt_val *missing = kt_g_lt(g, at, kt_g_num(g, 0, at));
    kt_val *index = kt_g_gather(g, t[2], kt_g_maximum(g, at, kt_g_num(g, 0, at)));
    if (!a->num_oov_indices) return index;
    return kt_g_select(g, missing, oov_index(g, a, w, x), index);
}

/* Indices to texts; the oov token for all others. The table is that of all of them in order. */
static kt_val *texts_of(kt_graph *g, const kt_words *w, kt_val *x) {
    kt_tensor *all = kt_words_tensor(w, true);
    if (kt_failed(all)) return kt_graph_fail(g, kt_check(all));
    const int64_t n = kt_tensor_size(all);
    kt_str bytes = {0};
    int32_t *start = kt_alloc_array(n + 1, sizeof *start);
    for (int64_t i = 0; i <= n && start; i++) { /* the oov token, beyond on either side */
        const char *s = i < n ? kt_tensor_text(all, i) : w->oov;
        start[i] = (int32_t)bytes.n;
        kt_str_addn(&bytes, s, strlen(s) + 1);
    }
    kt_val *t[2] = {NULL, NULL};
    if (start && !bytes.status && bytes.n <= INT32_MAX) {
        t[0] = kt_g_array(g, bytes.s, (kt_spec){KT_UINT8, kt_dims((int64_t)bytes.n)});
        t[1] = kt_g_array(g, start, (kt_spec){KT_INT32, kt_dims(n + 1)});
    } else {
        kt_graph_fail(g, KT_ENOMEM);
    }
    kt_free(all);
    kt_mem_free(start);
    kt_str_free(&bytes);
    kt_val *at = kt_g_cast(g, kt_g_clip(g, x, -1, (double)n), KT_INT32);
    if (!at || !t[1]) return NULL;
    at = kt_g_select(g, kt_g_lt(g, at, kt_g_num(g, 0, at)), kt_g_num(g, (double)n, at), at);
    return kt_g_text_pick(g, t[0], t[1], at);
}

static kt_val *encoded(kt_graph *g, const kt_words *w, kt_val *index) {
    const kt_encode_mode mode = w->mode == KT_ENCODE_TF_IDF ? KT_ENCODE_COUNT : w->mode;
    if (w->mode == KT_ENCODE_INT) return kt_g_cast(g, index, KT_INT64);
    const int64_t depth = kt_words_depth(w, g);
    if (!depth) return NULL;
    kt_val *y = kt_encode(g, index, mode, depth, kt_dtype_of(kt_floatx()), NULL);
    return kt_words_weighted(w, g, y);
}

static kt_status lookup_call(kt_layer *l, kt_trace *t) {
    const lookup_args *a = kt_layer_args(l);
    const kt_words *w = kt_layer_state(l);
    kt_graph *g = kt_tracer_current()->g;
    kt_val *x = kt_unwrap(t->in[0], NULL), *y;
    if (!x) return g->status;
    const bool whole = kt_dtype_is_int(x->spec.dtype);
    if (a->invert ? !whole : x->spec.dtype != KT_STRING)
        return KT_FAIL(
            KT_EDTYPE,
            "StringLookup: expected %s, got %s",
            a->invert ? "integers" : "texts (dtype string)",
            kt_dtype_name(x->spec.dtype));
    if (a->invert)
        y = texts_of(g, w, kt_g_cast(g, x, KT_INT64));
    else
        y = encoded(g, w, look_up(g, a, w, x));
    t->out[0] = kt_wrap(y);
    return kt_check(t->out[0]);
}

static const kt_field lookup_fields[] = {
    KT_F(lookup_args, max_tokens),
    KT_F(lookup_args, num_oov_indices),
    KT_F(lookup_args, mask_token),
    KT_F(lookup_args, oov_token),
    KT_F(lookup_args, vocabulary),
    KT_F(lookup_args, idf_weights),
    KT_F(lookup_args, invert),
    KT_F(lookup_args, output_mode),
    KT_F(lookup_args, pad_to_max_tokens),
    KT_F(lookup_args, sparse),
    KT_F(lookup_args, encoding),
    KT_F(lookup_args, salt),
    KT_F(lookup_args, oov_method),
    KT_F(lookup_args, vocabulary_size),
    KT_F_END};

const kt_layer_class kt_class_string_lookup = {
    .name = "StringLookup",
    .args_size = sizeof(lookup_args),
    .state_size = sizeof(kt_words),
    .fields = lookup_fields,
    .defaults = &(const lookup_args){KT_STRING_LOOKUP_DEFAULTS},
    .init = lookup_init,
    .call = lookup_call,
    .destroy = lookup_destroy,
};

kt_layer *kt_string_lookup_new(const kt_string_lookup_args *a) {
    return kt_layer_new(&kt_class_string_lookup, a);
}

/* The vocabulary ------------------------------------------------------------------------------- */

static kt_status require(const kt_layer *l, const char *what) {
    const kt_status st = kt_layer_require(l, what);
    if (st || l->cls == &kt_class_string_lookup) return st;
    return KT_FAIL(KT_EINVAL, "%s: expected a StringLookup layer", what);
}

kt_status kt_string_lookup_adapt(kt_layer *l, const kt_tensor *data) {
    kt_status st = require(l, "kt_string_lookup_adapt");
    if (st == KT_OK) st = kt_words_check_texts(data);
    if (st) return st;
    lookup_args *a = l->args;
    kt_words *w = l->state;
    const int64_t n = kt_tensor_size(data);
    if (a->vocabulary.n)
        return KT_FAIL(KT_ESTATE, "adapt: the layer was given a static vocabulary");
    if (w->mode == KT_ENCODE_TF_IDF && data->shape.ndim > 2)
        return KT_FAIL(KT_ESHAPE, "adapt: expected documents of tokens, (documents, tokens)");
    const int64_t documents = data->shape.ndim ? data->shape.dim[0] : 1;
    kt_word_counts *c = kt_word_counts_new();
    if (!c) return KT_ENOMEM;
    for (int64_t i = 0; i < n && st == KT_OK; i++)
        st = kt_word_counts_add(c, kt_tensor_text(data, i), i / (n / documents));
    if (st == KT_OK) st = kt_words_learn(w, c, documents);
    kt_word_counts_free(c);
    a->vocabulary_size = w->size;
    return st;
}

kt_status kt_string_lookup_set_vocabulary(
    kt_layer *l, const kt_tensor *vocabulary, const kt_tensor *idf_weights) {
    kt_status st = require(l, "kt_string_lookup_set_vocabulary");
    if (st) return st;
    st = kt_words_set_arrays(l->state, vocabulary, idf_weights);
    ((lookup_args *)l->args)->vocabulary_size = ((const kt_words *)l->state)->size;
    return st;
}

kt_tensor *kt_string_lookup_vocabulary(const kt_layer *l, bool include_special_tokens) {
    const kt_status st = require(l, "kt_string_lookup_vocabulary");
    return st ? kt_fail_object(st) : kt_words_tensor(l->state, include_special_tokens);
}

/* Files ---------------------------------------------------------------------------------------- */

static bool has_asset(const kt_layer *l) {
    return !((const lookup_args *)kt_layer_args(l))->vocabulary.n;
}
static kt_status put_asset(const kt_layer *l, kt_str *text) {
    return kt_words_put_asset(l->state, text);
}
static kt_status take_asset(kt_layer *l, const char *text, size_t size) {
    const kt_status st = kt_words_take_asset(l->state, text, size);
    ((lookup_args *)l->args)->vocabulary_size = ((const kt_words *)l->state)->size;
    return st;
}
static kt_lookup_weights weights_of(kt_layer *l) {
    kt_words *w = l->state;
    return (kt_lookup_weights){w->mode == KT_ENCODE_TF_IDF, &w->n_weights, &w->weights};
}

const kt_lookup_files kt_string_lookup_files = {
    &kt_class_string_lookup, has_asset, put_asset, take_asset, weights_of};
