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

static kt_sym *merge_aligned(kt_sym *x, int ndim) {
    const kt_shape s = kt_sym_shape(x);
    return s.ndim == ndim ? x : kt_op_reshape(x, merge_pad(s, ndim));
}

kt_status kt_merge_fold(kt_trace *t, kt_merge_fn *f) {
    int ndim = 0;
    for (int i = 0; i < t->n_in; i++)
        if (kt_sym_shape(t->in[i]).ndim > ndim) ndim = kt_sym_shape(t->in[i]).ndim;
    kt_sym *y = merge_aligned(t->in[0], ndim);
    for (int i = 1; i < t->n_in; i++) y = f(y, merge_aligned(t->in[i], ndim));
    t->out[0] = y;
    return kt_check(y);
}
