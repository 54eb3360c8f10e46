/* text_find: where texts lie among sorted ones; int32, -1 where nowhere.
 * text_pick: texts by their index.
 * text_tokens: texts, cut into tokens, as the indices of those, or how often each occurs.
 *
 * Texts that a program knows (a vocabulary) are two arrays of numbers: all bytes, and where each
 * text begins. What goes from op to op is where a text lies in memory, in the caller's array or
 * among those bytes; both stay as long as the program runs.
 *
 * Primitives, because everything else computes with numbers. No gradients. */
#include "base/error.h"
#include "base/tokens.h"
#include "ops/build.h"

#include <string.h>

typedef struct {
    const char *bytes;
    const int32_t *start;
    int64_t n, n_bytes;
} text_table;

static text_table table_of(const kt_kargs *k, int at) {
    const kt_shape *bytes = &k->node->in[at]->spec.shape;
    const kt_shape *start = &k->node->in[at + 1]->spec.shape;
    return (text_table){k->in[at], k->in[at + 1], start->dim[0], bytes->dim[0]};
}

/* A graph may come from a file: no text may go on beyond the bytes. */
static kt_status check_table(const text_table *t) {
    bool ok = t->n == 0 || (t->n_bytes > 0 && !t->bytes[t->n_bytes - 1]);
    for (int64_t i = 0; i < t->n && ok; i++) ok = t->start[i] >= 0 && t->start[i] < t->n_bytes;
    return ok ? KT_OK : KT_FAIL(KT_EINVAL, "a text lies outside of the bytes given");
}

static kt_status infer_table(const kt_node *n, int at) {
    const kt_spec *bytes = &n->in[at]->spec, *start = &n->in[at + 1]->spec;
    if (bytes->dtype != KT_UINT8 || start->dtype != KT_INT32)
        return KT_FAIL(KT_EDTYPE, "%s: expected bytes and int32 positions", n->op->name);
    if (bytes->shape.ndim == 1 && start->shape.ndim == 1) return KT_OK;
    return KT_FAIL(KT_ESHAPE, "%s: expected texts along one axis", n->op->name);
}

static int64_t find(const text_table *t, const char *x) {
    int64_t low = 0, high = t->n;
    while (low < high) {
        const int64_t mid = low + (high - low) / 2;
        const int order = strcmp(t->bytes + t->start[mid], x);
        if (!order) return mid;
        if (order < 0)
            low = mid + 1;
        else
            high = mid;
    }
    return -1;
}

static kt_status no_vocabulary(void) {
    KT_FAIL(KT_ESTATE, "the layer knows no vocabulary yet");
    return kt_error_hint("give it as an argument, or let the layer adapt to data");
}

/* text_find ------------------------------------------------------------------------------------ */

static kt_status text_find_ref(const kt_kargs *k) {
    const int kind = ((const text_find_attrs *)k->node->attrs)->kind;
    const int64_t n = kt_shape_size(&k->node->out[0]->spec.shape);
    const text_table t = table_of(k, 1);
    const char *const *x = k->in[0];
    int32_t *y = k->out[0];
    const kt_status st = kind == KT_SEARCH_NEVER ? no_vocabulary() : check_table(&t);
    for (int64_t i = 0; i < n && st == KT_OK; i++) {
        y[i] = (int32_t)find(&t, x[i] ? x[i] : "");
        if (y[i] >= 0 || kind == KT_SEARCH_EXACT) continue;
        KT_FAIL(
            KT_EINVAL,
            "When `num_oov_indices=0` all inputs should be in vocabulary, found OOV values "
            "[%.60s]",
            x[i] ? x[i] : "");
        return kt_error_hint("consider setting `num_oov_indices=1`");
    }
    return st;
}

static kt_status text_find_infer(const kt_node *n, kt_spec *out) {
    const int kind = ((const text_find_attrs *)n->attrs)->kind;
    *out = (kt_spec){KT_INT32, n->in[0]->spec.shape};
    if (n->in[0]->spec.dtype != KT_STRING)
        return KT_FAIL(
            KT_EDTYPE, "text_find: expected texts, got %s", kt_dtype_name(n->in[0]->spec.dtype));
    if (kind < KT_SEARCH_EXACT || kind > KT_SEARCH_NEVER)
        return KT_FAIL(KT_EINVAL, "text_find: unknown kind %d", kind);
    return infer_table(n, 1);
}

/* text_pick ------------------------------------------------------------------------------------ */

static kt_status text_pick_ref(const kt_kargs *k) {
    const int64_t n = kt_shape_size(&k->node->out[0]->spec.shape);
    const text_table t = table_of(k, 0);
    const int32_t *index = k->in[2];
    const char **y = k->out[0];
    const kt_status st = check_table(&t);
    for (int64_t i = 0; i < n && st == KT_OK; i++) {
        if (index[i] < 0 || index[i] >= t.n)
            return kt_index_error(&k->node->in[2]->spec.shape, i, index[i], t.n);
        y[i] = t.bytes + t.start[index[i]];
    }
    return st;
}

static kt_status text_pick_infer(const kt_node *n, kt_spec *out) {
    *out = (kt_spec){KT_STRING, n->in[2]->spec.shape};
    if (n->in[2]->spec.dtype != KT_INT32)
        return KT_FAIL(KT_EDTYPE, "text_pick: expected int32 indices");
    return infer_table(n, 0);
}

/* text_tokens ---------------------------------------------------------------------------------- */

#define SHORT 128

/* Most tokens are short: those are compared at once. Longer ones are read anew each time. */
static int64_t find_token(const text_table *t, const kt_token *token) {
    char small[SHORT];
    kt_token copy = *token;
    int n = 0;
    for (int c = 0; n < SHORT && (c = kt_token_byte(&copy)) >= 0; n++) small[n] = (char)c;
    if (n < SHORT) {
        small[n] = 0;
        return find(t, small);
    }
    int64_t low = 0, high = t->n;
    while (low < high) {
        const int64_t mid = low + (high - low) / 2;
        const unsigned char *s = (const unsigned char *)t->bytes + t->start[mid];
        copy = *token;
        int c;
        while ((c = kt_token_byte(&copy)) >= 0 && *s == c) s++;
        if (c < 0 && !*s) return mid;
        if (c > (int)*s)
            low = mid + 1;
        else
            high = mid;
    }
    return -1;
}

typedef struct {
    const text_tokens_attrs *a;
    text_table t;
    const int32_t *index;
    int64_t *ids; ///< one of the two is there
    float *counts;
    int64_t n; ///< so far
} token_row;

static void take_token(token_row *r, const kt_token *token) {
    const int64_t at = find_token(&r->t, token), id = at < 0 ? r->a->oov : r->index[at];
    if (!r->counts)
        r->ids[r->n++] = id;
    else if (id >= 0 && id < r->a->width)
        r->counts[id]++;
}

static void take_text(token_row *r, const char *const *text, int64_t n) {
    const kt_token_rules rules = {r->a->lower, r->a->strip, r->a->split};
    static const int one[] = {1, 0};
    const int *width = r->a->ngrams[0] ? r->a->ngrams : one;
    for (int i = 0; i < KT_NGRAMS_MAX && width[i]; i++) {
        kt_tokens t = kt_tokens_in(&rules, text, n);
        while ((r->counts || r->n < r->a->width) && kt_tokens_next(&t)) {
            const kt_token token = kt_token_of(&t, width[i]);
            if (!token.left) break;
            take_token(r, &token);
        }
    }
}

static kt_status text_tokens_ref(const kt_kargs *k) {
    const text_tokens_attrs *a = k->node->attrs;
    const kt_shape *x = &k->node->in[0]->spec.shape, *y = &k->node->out[0]->spec.shape;
    const int64_t rows = kt_shape_range(y, 0, y->ndim - 1);
    const int64_t n = rows ? kt_shape_size(x) / rows : 0;
    token_row r = {.a = a, .t = table_of(k, 1), .index = k->in[3]};
    const kt_status st = a->known ? check_table(&r.t) : no_vocabulary();
    if (st) return st;
    memset(k->out[0], 0, (size_t)kt_spec_bytes(&k->node->out[0]->spec));
    for (int64_t i = 0; i < rows; i++) {
        r.n = 0;
        if (a->counts)
            r.counts = (float *)k->out[0] + i * a->width;
        else
            r.ids = (int64_t *)k->out[0] + i * a->width;
        take_text(&r, (const char *const *)k->in[0] + i * n, n);
    }
    return KT_OK;
}

/* The last axis is gone through, whatever has been split. */
static kt_status text_tokens_infer(const kt_node *n, kt_spec *out) {
    const text_tokens_attrs *a = n->attrs;
    *out = (kt_spec){a->counts ? KT_FLOAT32 : KT_INT64, n->in[0]->spec.shape};
    const kt_spec *index = &n->in[3]->spec;
    if (n->in[0]->spec.dtype != KT_STRING || index->dtype != KT_INT32)
        return KT_FAIL(
            KT_EDTYPE, "text_tokens: expected texts, got %s", kt_dtype_name(n->in[0]->spec.dtype));
    if (out->shape.ndim < 1 || !kt_shape_equal(&index->shape, &n->in[2]->spec.shape))
        return KT_FAIL(KT_ESHAPE, "text_tokens: expected texts along an axis, an index for each");
    if (a->width < 0 || a->split < KT_TOKENS_WHOLE || a->split > KT_TOKENS_LETTERS)
        return KT_FAIL(KT_EINVAL, "text_tokens: expected a width of 0 or more");
    for (int i = 0; i < KT_NGRAMS_MAX && a->ngrams[i]; i++)
        if (a->ngrams[i] < 0) return KT_FAIL(KT_EINVAL, "ngrams: expected 1 or more");
    out->shape.dim[out->shape.ndim - 1] = a->width;
    return infer_table(n, 1);
}

/* The registry --------------------------------------------------------------------------------- */

/* Random numbers are no table: what the samples check is the shapes. */
#define NO_TEXTS                                                                                   \
    {.dim = {1}, .dtype = KT_UINT8, .high = 1}, { .dim = {1}, .dtype = KT_INT32, .high = 1 }
static const kt_sample text_find_samples[] = {
    {.in = {{.dim = {3, 2}, .dtype = KT_STRING}, NO_TEXTS},
     .attrs = &(text_find_attrs){KT_SEARCH_EXACT}},
    {.in = {{.dim = {3}}, NO_TEXTS},
     .attrs = &(text_find_attrs){KT_SEARCH_EXACT},
     .want = KT_EDTYPE},
    {.in = {{.dim = {3}, .dtype = KT_STRING}, NO_TEXTS},
     .attrs = &(text_find_attrs){0},
     .want = KT_EINVAL},
    KT_SAMPLES_END};
static const kt_sample text_pick_samples[] = {
    {.in = {NO_TEXTS, {.dim = {2}, .dtype = KT_INT32, .high = 1}}},
    {.in = {NO_TEXTS, {.dim = {2}}}, .want = KT_EDTYPE},
    KT_SAMPLES_END};
static const kt_sample text_tokens_samples[] = {
    {.in = {{.dim = {3, 2}, .dtype = KT_STRING}, NO_TEXTS, {.dim = {1}, .dtype = KT_INT32}},
     .attrs = &(text_tokens_attrs){.width = 4, .known = true}},
    {.in = {{.dim = {3, 1}, .dtype = KT_STRING}, NO_TEXTS, {.dim = {1}, .dtype = KT_INT32}},
     .attrs =
         &(text_tokens_attrs){
             .width = 4,
             .known = true,
             .counts = true,
             .split = KT_TOKENS_WORDS,
             .ngrams = {1, 2}}},
    {.in = {{.dim = {3, 2}, .dtype = KT_STRING}, NO_TEXTS, {.dim = {2}, .dtype = KT_INT32}},
     .attrs = &(text_tokens_attrs){.width = 4, .known = true},
     .want = KT_ESHAPE},
    KT_SAMPLES_END};
static const kt_field text_find_fields[] = {KT_F(text_find_attrs, kind), KT_F_END};
static const kt_field text_tokens_fields[] = {
    KT_F(text_tokens_attrs, lower),
    KT_F(text_tokens_attrs, strip),
    KT_F(text_tokens_attrs, split),
    KT_F_AS(text_tokens_attrs, ngrams, KT_FIELD_INTS),
    KT_F(text_tokens_attrs, counts),
    KT_F(text_tokens_attrs, width),
    KT_F(text_tokens_attrs, oov),
    KT_F(text_tokens_attrs, known),
    KT_F_END};

const kt_opdef kt_opdef_text_find = {
    .name = "text_find",
    .n_in = 3,
    .flags = KT_OP_TEXTS,
    .attrs_size = sizeof(text_find_attrs),
    .attrs = text_find_fields,
    .infer = text_find_infer,
    .ref = {NULL, NULL, text_find_ref},
    .samples = text_find_samples,
};
const kt_opdef kt_opdef_text_pick = {
    .name = "text_pick",
    .n_in = 3,
    .flags = KT_OP_TEXTS,
    .infer = text_pick_infer,
    .ref = {NULL, NULL, text_pick_ref},
    .samples = text_pick_samples,
};
const kt_opdef kt_opdef_text_tokens = {
    .name = "text_tokens",
    .n_in = 4,
    .flags = KT_OP_TEXTS,
    .attrs_size = sizeof(text_tokens_attrs),
    .attrs = text_tokens_fields,
    .infer = text_tokens_infer,
    .ref = {NULL, NULL, text_tokens_ref},
    .samples = text_tokens_samples,
};

kt_val *kt_g_text_find(kt_graph *g, kt_val *x, kt_val *bytes, kt_val *starts, search_kind kind) {
    kt_val *in[] = {x, bytes, starts};
    kt_node *n = kt_graph_add(g, &kt_opdef_text_find, 3, in, &(text_find_attrs){kind});
    return n ? n->out[0] : NULL;
}

kt_val *kt_g_text_pick(kt_graph *g, kt_val *bytes, kt_val *starts, kt_val *index) {
    kt_val *in[] = {bytes, starts, index};
    kt_node *n = kt_graph_add(g, &kt_opdef_text_pick, 3, in, NULL);
    return n ? n->out[0] : NULL;
}

kt_val *kt_g_text_tokens(
    kt_graph *g,
    kt_val *x,
    kt_val *bytes,
    kt_val *starts,
    kt_val *index,
    const text_tokens_attrs *a) {
    kt_val *in[] = {x, bytes, starts, index};
    kt_node *n = kt_graph_add(g, &kt_opdef_text_tokens, 4, in, a);
    return n ? n->out[0] : NULL;
}
