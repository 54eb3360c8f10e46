/* See attend.h. Keras: keras.src.layers.attention.multi_head_attention */
#include "nn/layers/attend.h"

#include <stdio.h>
#include <string.h>

kt_status kt_attend_check(int sliding_window, int flash_attention, double dropout) {
    if (sliding_window < 0)
        return KT_FAIL(
            KT_EINVAL,
            "sliding_window: expected a positive integer or None, got %d",
            sliding_window);
    if (!(dropout >= 0 && dropout <= 1))
        return KT_FAIL(KT_EINVAL, "dropout: expected a number between 0 and 1, got %g", dropout);
    if (flash_attention != true || dropout == 0) return KT_OK;
    KT_FAIL(KT_EINVAL, "Dropout is not supported when flash attention is enabled");
    return kt_error_hint("set dropout to 0.0 to use flash attention");
}

kt_status kt_attend_shapes(const kt_layer *l, const kt_shape *in) {
    if (l->n_inputs < 3) return KT_OK;
    bool ok = in[1].ndim == in[2].ndim;
    for (int i = 1; ok && i < in[1].ndim - 1; i++) ok = in[1].dim[i] == in[2].dim[i];
    if (ok) return KT_OK;
    char a[KT_SHAPE_STR], b[KT_SHAPE_STR];
    KT_FAIL(KT_ESHAPE, "all dimensions of value and key, except the last one, must be equal");
    return kt_error_got(
        "value %s and key %s",
        kt_shape_str(&in[1], a, sizeof a),
        kt_shape_str(&in[2], b, sizeof b));
}

/* Masks
 * -------------------------------------------------------------------------------------------- */

/* 0, 1, 2 … as (1, n, 1) or (1, 1, n). */
static kt_val *positions(kt_graph *g, int64_t n, bool rows) {
    int32_t *v = kt_arena_alloc(g->arena, sizeof *v * (size_t)(n + 1));
    if (!v) return kt_graph_fail(g, KT_ENOMEM);
    for (int64_t i = 0; i < n; i++) v[i] = (int32_t)i;
    const kt_shape s = rows ? (kt_shape){3, {1, n, 1}} : (kt_shape){3, {1, 1, n}};
    return kt_g_array(g, v, (kt_spec){KT_INT32, s});
}

kt_sym *kt_causal_mask(int64_t queries, int64_t keys) {
    kt_graph *g = kt_tracer_current()->g;
    return kt_wrap(kt_g_ge(g, positions(g, queries, true), positions(g, keys, false)));
}

kt_sym *kt_window_mask(int64_t queries, int64_t keys, int window) {
    kt_graph *g = kt_tracer_current()->g;
    kt_val *apart = kt_g_sub(g, positions(g, queries, true), positions(g, keys, false));
    apart = apart ? kt_g_abs(g, apart) : NULL;
    return kt_wrap(apart ? kt_g_lt(g, apart, kt_g_num(g, window, apart)) : NULL);
}

kt_sym *kt_both_masks(kt_sym *a, kt_sym *b) { return a && b ? kt_op_logical_and(a, b) : a ? a : b; }

/* All that says which query sees which key, (batch, queries, keys); NULL: everything. The causal
 * mask is left out if it is the only one and the caller can do without. */
static kt_sym *call_mask(const kt_attend_how *how, const kt_trace *t, bool *only_causal) {
    const int64_t queries = kt_sym_shape(t->in[0]).dim[1], keys = kt_sym_shape(t->in[1]).dim[1];
    kt_sym *m = NULL;
    for (int i = 0; i < t->n_in && t->in_mask; i++)
        if (t->in_mask[i]) m = kt_both_masks(m, kt_op_expand_dims(t->in_mask[i], i ? -2 : -1));
    *only_causal = t->use_causal_mask && !m && !t->attention_mask && !how->sliding_window;
    if (*only_causal) return NULL;
    if (t->use_causal_mask) m = kt_both_masks(m, kt_causal_mask(queries, keys));
    if (how->sliding_window)
        m = kt_both_masks(m, kt_window_mask(queries, keys, how->sliding_window));
    if (t->attention_mask) m = kt_both_masks(kt_op_cast(t->attention_mask, "bool"), m);
    return m;
}

/* New axes before those of queries and keys, for the heads (and other axes). */
static kt_sym *mask_like_scores(kt_sym *mask, int ndim, int n_axes) {
    while (mask && !kt_failed(mask) && kt_sym_shape(mask).ndim < ndim)
        mask = kt_op_expand_dims(mask, -2 * n_axes - 1);
    return mask;
}

/* Products
 * ----------------------------------------------------------------------------------------- */

typedef struct {
    char scores[48], combine[48];
} equations;

/* Queries have the letters a b c …; keys the same but for the axes that are attended over. */
static void make_equations(const kt_attend_how *how, int ndim, equations *e) {
    char target[KT_MAX_RANK + 1] = "", source[KT_MAX_RANK + 1] = "", product[2 * KT_MAX_RANK] = "";
    int n = 0;
    char next = (char)('a' + ndim);
    for (int i = 0; i < ndim; i++) {
        bool attended = false;
        for (int k = 0; k < how->n_axes; k++) attended = attended || how->axes[k] == i;
        target[i] = (char)('a' + i);
        source[i] = attended ? next++ : target[i];
        if (!attended && i < ndim - 1) product[n++] = target[i];
    }
    for (int k = 0; k < how->n_axes; k++) product[n++] = target[how->axes[k]];
    for (int k = 0; k < how->n_axes; k++) product[n++] = source[how->axes[k]];
    snprintf(e->scores, sizeof e->scores, "%s,%s->%s", source, target, product);
    snprintf(e->combine, sizeof e->combine, "%s,%s->%s", product, source, target);
}

static kt_sym *dropped(const kt_attend_how *how, kt_layer *l, const kt_trace *t, kt_sym *scores) {
    if (!t->training || how->dropout == 0) return scores;
    if (how->dropout == 1) return kt_op_multiply(scores, kt_num(0));
    return kt_random_dropout(l, scores, how->dropout, how->seed);
}

static kt_status attend_by_scores(
    const kt_attend_how *how,
    kt_layer *l,
    const kt_trace *t,
    kt_sym *const qkv[3],
    kt_sym *mask,
    kt_sym **out,
    kt_sym **scores) {
    kt_graph *g = kt_tracer_current()->g;
    equations e;
    make_equations(how, kt_sym_shape(qkv[0]).ndim, &e);
    kt_sym *s = kt_op_einsum(e.scores, qkv[1], kt_op_multiply(qkv[0], kt_num(how->scale)));
    kt_val *v = kt_unwrap(s, NULL);
    if (!v) return g->status;
    const int ndim = v->spec.shape.ndim;
    kt_val *m = mask ? kt_unwrap(mask_like_scores(mask, ndim, how->n_axes), NULL) : NULL;
    if (m) m = kt_g_broadcast(g, m, v->spec.shape);
    if (mask && !m) return g->status;
    int bits = 0;
    for (int k = 1; k <= how->n_axes; k++) bits |= 1 << (ndim - k);
    s = kt_wrap(kt_softmax_masked(g, v, bits, m));
    *out = kt_op_einsum(e.combine, dropped(how, l, t, s), qkv[2]);
    *scores = s;
    return kt_check(*out);
}

kt_status kt_attend(
    const kt_attend_how *how,
    kt_layer *l,
    const kt_trace *t,
    kt_sym *const qkv[3],
    kt_sym **out,
    kt_sym **scores) {
    bool causal;
    *scores = NULL;
    for (int i = 0; i < 3; i++)
        if (kt_failed(qkv[i])) return kt_check(qkv[i]);
    if (how->flash && t->return_attention_scores) {
        KT_FAIL(KT_EINVAL, "returning attention scores is not supported with flash attention");
        return kt_error_hint("leave flash_attention out to get them");
    }
    kt_sym *mask = call_mask(how, t, &causal);
    if (mask && kt_failed(mask)) return kt_check(mask);
    const kt_shape q = kt_sym_shape(qkv[0]), k = kt_sym_shape(qkv[1]);
    if (how->dropout == 0 && !t->return_attention_scores && q.ndim == 4 && how->axes[0] == 1) {
        mask = mask_like_scores(mask, 4, 1);
        *out = kt_op_dot_product_attention(qkv[0], qkv[1], qkv[2], mask, how->scale, causal);
        return kt_check(*out);
    }
    if (causal) mask = kt_causal_mask(q.dim[1], k.dim[1]);
    return attend_by_scores(how, l, t, qkv, mask, out, scores);
}

/* Projections
 * -------------------------------------------------------------------------------------- */

kt_layer *kt_attend_projection(
    kt_layer *l, const char *attribute, kt_einsum_dense_args e, const kt_shape *in) {
    e.dtype = kt_layer_policy(l);
    e.trainable = l->trainable;
    kt_layer *p = kt_add_sublayer_as(l, attribute, kt_einsum_dense_new(&e));
    const kt_status st = kt_failed(p) ? kt_check(p) : kt_layer_build(p, *in);
    return st ? kt_fail_object(st) : p;
}

kt_status kt_attend_built(const kt_layer *l) {
    const kt_attend_state *d = kt_layer_state(l);
    kt_layer *const all[] = {d->query, d->key, d->gate, d->value, d->output};
    kt_status st = KT_OK;
    for (int i = 0; i < 5 && st == KT_OK; i++)
        if (all[i]) st = kt_check(all[i]);
    return st;
}

kt_status kt_attend_call(kt_layer *l, kt_trace *t, kt_sym *const qkv[3]) {
    const kt_attend_state *d = kt_layer_state(l);
    kt_sym *scores, *y;
    const kt_status st = kt_attend(&d->how, l, t, qkv, &y, &scores);
    if (st) return st;
    if (d->gate) y = kt_op_multiply(y, kt_call(d->gate, t->in[0]));
    t->out[0] = kt_call(d->output, y);
    t->out_mask[0] = t->in_mask ? t->in_mask[0] : NULL;
    if (t->return_attention_scores) {
        t->out[1] = scores;
        t->n_out = 2;
    }
    return kt_check(t->out[0]);
}
