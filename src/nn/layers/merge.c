/* See merge.h. Keras: keras.src.layers.merging.base_merge */
#include "nn/layers/merge.h"

/* (batch, a, b) beside (batch, x, a, b) becomes (batch, 1, a, b). */
static kt_shape merge_pad(kt_shape s, int ndim) {
    const int extra = ndim - s.ndim;
    if (extra <= 0 || s.ndim == 0) return s;
    for (int i = ndim; i-- > 1 + extra;) s.dim[i] = s.dim[i - extra];
    for (int i = 1; i <= extra; i++) s.dim[i] = 1;
    s.ndim = ndim;
    return s;
}

static int merge_ndim(int n, const kt_shape *in) {
    int most = 0;
    for (int i = 0; i < n; i++)
        if (in[i].ndim > most) most = in[i].ndim;
    return most;
}

static bool dims_go_together(int64_t a, int64_t b) {
    return a == b || a == 1 || b == 1 || a == KT_NONE || b == KT_NONE;
}

kt_status kt_merge_build(kt_layer *l, const kt_shape *in) {
    const int n = kt_layer_n_inputs(l), ndim = merge_ndim(n, in);
    const kt_shape first = merge_pad(in[0], ndim);
    for (int i = 1; i < n; i++) {
        const kt_shape s = merge_pad(in[i], ndim);
        bool ok = true;
        for (int d = 0; d < ndim; d++) ok = ok && dims_go_together(first.dim[d], s.dim[d]);
        if (ok) continue;
        char a[KT_SHAPE_STR], b[KT_SHAPE_STR];
        KT_FAIL(KT_ESHAPE, "inputs have incompatible shapes");
        return kt_error_got(
            "%s and %s", kt_shape_str(&in[0], a, sizeof a), kt_shape_str(&in[i], b, sizeof b));
    }
    return KT_OK;
}

kt_sym *kt_merge_input(const kt_trace *t, int i) {
    int ndim = 0;
    for (int k = 0; k < t->n_in; k++)
        if (kt_sym_shape(t->in[k]).ndim > ndim) ndim = kt_sym_shape(t->in[k]).ndim;
    const kt_shape s = kt_sym_shape(t->in[i]);
    return s.ndim == ndim ? t->in[i] : kt_op_reshape(t->in[i], merge_pad(s, ndim));
}

kt_status kt_merge_fold(kt_trace *t, kt_merge_fn *f) {
    kt_sym *y = kt_merge_input(t, 0);
    for (int i = 1; i < t->n_in; i++) y = f(y, kt_merge_input(t, i));
    t->out[0] = y;
    return kt_check(y);
}

kt_sym *kt_merge_mask(const kt_trace *t, int i) { return t->in_mask ? t->in_mask[i] : NULL; }

kt_status kt_merge_masks(kt_trace *t) {
    kt_sym *m = kt_merge_mask(t, 0);
    for (int i = 1; m && i < t->n_in; i++)
        m = kt_merge_mask(t, i) ? kt_op_logical_or(m, kt_merge_mask(t, i)) : NULL;
    t->out_mask[0] = m;
    return m ? kt_check(m) : KT_OK;
}

/* A masked step takes the other side's value; a step that all cut off keeps the last one. */
kt_status kt_merge_extreme(kt_trace *t, kt_merge_fn *f) {
    kt_sym *y = kt_merge_input(t, 0), *seen = NULL;
    if (kt_merge_mask(t, 0) && y == t->in[0]) seen = kt_op_expand_dims(kt_merge_mask(t, 0), -1);
    for (int i = 1; i < t->n_in; i++) {
        kt_sym *x = kt_merge_input(t, i), *mask = kt_merge_mask(t, i);
        mask = mask && x == t->in[i] ? kt_op_expand_dims(mask, -1) : NULL;
        if (mask) x = kt_op_where(mask, x, y);
        if (seen) y = kt_op_where(seen, y, x);
        seen = seen && mask ? kt_op_logical_or(seen, mask) : NULL;
        y = f(y, x);
    }
    t->out[0] = y;
    const kt_status st = kt_check(y);
    return st ? st : kt_merge_masks(t);
}
