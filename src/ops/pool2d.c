/* max_pool2d, avg_pool2d: the largest, the mean of each window of pictures [n, h, w, c].
 * keras.ops.max_pool, keras.ops.average_pool
 *
 * Cells of the padding take no part: they never are the maximum and do not count for the mean, so
 * "same" needs no -inf and no correction. The gradient of the maximum goes to the first largest
 * cell of the window, row by row, as in TensorFlow. A NaN counts as the largest. */
#define KT_REF_SELF "ops/pool2d.c"
#ifdef KT_T

/* The first largest cell of channel c in the window at `place`. */
static int64_t KT_REF(pool_best)(const kt_window *w, const T *x, int64_t place, int64_t c) {
    int64_t best = -1;
    for (int64_t t = 0; t < kt_window_taps(w); t++) {
        const int64_t cell = kt_window_cell(w, place, t);
        if (cell < 0) continue;
        const T v = x[cell * w->channels + c], max = best < 0 ? v : x[best * w->channels + c];
        if (best < 0 || v > max || (v != v && max == max)) best = cell;
    }
    return best;
}

static kt_status KT_REF(max_pool2d)(const kt_kargs *k) {
    const kt_window w = pool_forward_window(k->node);
    const T *x = k->in[0];
    T *y = k->out[0];
    for (int64_t p = 0; p < kt_window_places(&w); p++)
        for (int64_t c = 0; c < w.channels; c++)
            *y++ = x[KT_REF(pool_best)(&w, x, p, c) * w.channels + c];
    return KT_OK;
}

static kt_status KT_REF(max_pool2d_grad)(const kt_kargs *k) {
    const kt_window w = pool_forward_window(k->node);
    const T *x = k->in[0], *dy = k->in[1];
    T *dx = k->out[0];
    memset(dx, 0, (size_t)kt_shape_size(&k->node->out[0]->spec.shape) * sizeof(T));
    for (int64_t p = 0; p < kt_window_places(&w); p++)
        for (int64_t c = 0; c < w.channels; c++)
            dx[KT_REF(pool_best)(&w, x, p, c) * w.channels + c] += *dy++;
    return KT_OK;
}

static kt_status KT_REF(avg_pool2d)(const kt_kargs *k) {
    const kt_window w = pool_forward_window(k->node);
    T *y = k->out[0];
    for (int64_t p = 0; p < kt_window_places(&w); p++, y += w.channels) {
        int64_t count = 0;
        for (int64_t c = 0; c < w.channels; c++) y[c] = 0;
        for (int64_t t = 0; t < kt_window_taps(&w); t++) {
            const int64_t cell = kt_window_cell(&w, p, t);
            const T *x = (const T *)k->in[0] + cell * w.channels * (cell > 0);
            for (int64_t c = 0; cell >= 0 && c < w.channels; c++) y[c] += x[c];
            count += cell >= 0;
        }
        for (int64_t c = 0; c < w.channels; c++) y[c] /= (T)count;
    }
    return KT_OK;
}

static kt_status KT_REF(avg_pool2d_grad)(const kt_kargs *k) {
    const kt_window w = pool_backward_window(k->node);
    const T *dy = k->in[0];
    memset(k->out[0], 0, (size_t)kt_shape_size(&k->node->out[0]->spec.shape) * sizeof(T));
    for (int64_t p = 0; p < kt_window_places(&w); p++, dy += w.channels) {
        int64_t count = 0;
        for (int64_t t = 0; t < kt_window_taps(&w); t++) count += kt_window_cell(&w, p, t) >= 0;
        for (int64_t t = 0; t < kt_window_taps(&w); t++) {
            const int64_t cell = kt_window_cell(&w, p, t);
            T *dx = (T *)k->out[0] + cell * w.channels * (cell > 0);
            for (int64_t c = 0; cell >= 0 && c < w.channels; c++) dx[c] += dy[c] / (T)count;
        }
    }
    return KT_OK;
}

#else
#include "base/error.h"
#include "ir/window.h"
#include "ops/build.h"

static kt_window pool_forward_window(const kt_node *n) {
    const kt_val *y = n->n_in == 2 ? n->in[1] : n->out[0];
    return kt_pool_window(&n->in[0]->spec.shape, &y->spec.shape, n->attrs);
}

static kt_window pool_backward_window(const kt_node *n) {
    return kt_pool_window(&n->out[0]->spec.shape, &n->in[0]->spec.shape, n->attrs);
}

#include "ir/ref_types.h"

/* The shape of y for a shape of x. With less padding than window every window sees a cell. */
static kt_status pool_shape(const char *op, const pool_attrs *a, const kt_shape *x, kt_shape *y) {
    char s[KT_SHAPE_STR];
    for (int i = 0; i < 2; i++) {
        if (a->window[i] < 1 || a->stride[i] < 1)
            return KT_FAIL(KT_EINVAL, "%s: expected windows and strides of at least 1", op);
        if (a->before[i] < 0 || a->after[i] < 0 || a->before[i] >= a->window[i] ||
            a->after[i] >= a->window[i])
            return KT_FAIL(KT_EINVAL, "%s: expected less padding than window", op);
    }
    if (x->ndim != 4) {
        KT_FAIL(KT_ESHAPE, "%s: expected pictures (n, h, w, c)", op);
        return kt_error_got("%s", kt_shape_str(x, s, sizeof s));
    }
    *y = *x;
    for (int i = 0; i < 4; i++) /* shapes may come out of a text */
        if (x->dim[i] < 0 || x->dim[i] > INT64_C(1) << 40)
            return KT_FAIL(KT_ELIMIT, "%s: axes are too long", op);
    for (int i = 0; i < 2; i++) {
        const int64_t n = x->dim[1 + i];
        y->dim[1 + i] = kt_window_out(n, a->window[i], a->stride[i], 1, a->before[i], a->after[i]);
        if (n > 0 && y->dim[1 + i] > 0) continue;
        KT_FAIL(KT_ESHAPE, "%s: the window is larger than the picture", op);
        kt_error_expected(
            "a window that fits into %lld x %lld", (long long)x->dim[1], (long long)x->dim[2]);
        kt_error_got("a window of %d x %d", a->window[0], a->window[1]);
        return kt_error_hint("padding \"same\" uses what there is");
    }
    return KT_OK;
}

static kt_status pool_infer(const kt_node *n, kt_spec *out) {
    *out = n->in[0]->spec;
    return pool_shape(n->op->name, n->attrs, &n->in[0]->spec.shape, &out->shape);
}

static kt_status pool_grad_check(const kt_node *n, const kt_shape *x, const kt_spec *dy) {
    kt_shape y;
    const kt_status st = pool_shape(n->op->name, n->attrs, x, &y);
    if (st) return st;
    if (kt_shape_equal(&y, &dy->shape) && dy->dtype == n->in[0]->spec.dtype) return KT_OK;
    char want[KT_SHAPE_STR], got[KT_SHAPE_STR];
    KT_FAIL(KT_ESHAPE, "%s: the gradient has another form than the result", n->op->name);
    kt_error_expected("%s", kt_shape_str(&y, want, sizeof want));
    return kt_error_got("%s", kt_spec_str(dy, got, sizeof got));
}

static kt_status max_pool2d_grad_infer(const kt_node *n, kt_spec *out) {
    *out = n->in[0]->spec;
    return pool_grad_check(n, &out->shape, &n->in[1]->spec);
}

static kt_status avg_pool2d_grad_infer(const kt_node *n, kt_spec *out) {
    *out = (kt_spec){n->in[0]->spec.dtype, ((const pool_attrs *)n->attrs)->shape};
    return pool_grad_check(n, &out->shape, &n->in[0]->spec);
}

static kt_val *pool_node(
    kt_graph *g,
    const kt_opdef *op,
    int n_in,
    kt_val *const *in,
    kt_shape shape,
    const pool_attrs *a) {
    pool_attrs attrs = *a;
    attrs.shape = shape;
    kt_node *n = kt_graph_add(g, op, n_in, in, &attrs);
    return n ? n->out[0] : NULL;
}

extern const kt_opdef kt_opdef_max_pool2d_grad, kt_opdef_avg_pool2d_grad;

static kt_status max_pool2d_vjp(
    kt_graph *g, const kt_node *n, kt_val *const *dy, kt_val **dx, const bool *want) {
    (void)want;
    kt_val *in[2] = {n->in[0], dy[0]};
    dx[0] = pool_node(g, &kt_opdef_max_pool2d_grad, 2, in, (kt_shape){0, {0}}, n->attrs);
    return g->status;
}

static kt_status avg_pool2d_vjp(
    kt_graph *g, const kt_node *n, kt_val *const *dy, kt_val **dx, const bool *want) {
    (void)want;
    const kt_shape *x = &n->in[0]->spec.shape;
    dx[0] = pool_node(g, &kt_opdef_avg_pool2d_grad, 1, dy, *x, n->attrs);
    return g->status;
}

static kt_status avg_pool2d_grad_vjp(
    kt_graph *g, const kt_node *n, kt_val *const *d, kt_val **dx, const bool *want) {
    (void)want;
    dx[0] = kt_g_avg_pool2d(g, d[0], n->attrs);
    return g->status;
}

#define ATTRS(...)                                                                                 \
    .attrs = &(const pool_attrs) { __VA_ARGS__ }

static const kt_sample pool_samples[] = {
    {.in = {{.dim = {2, 6, 4, 3}}}, ATTRS(.window = {2, 2}, .stride = {2, 2})},
    {.in = {{.dim = {2, 7, 5, 33}}}, ATTRS(.window = {2, 2}, .stride = {2, 2})},
    {.in = {{.dim = {2, 7, 6, 3}}}, ATTRS(.window = {3, 2}, .stride = {2, 1})},
    {.in = {{.dim = {2, 5, 7, 17}}},
     ATTRS(.window = {3, 2}, .stride = {2, 2}, .before = {1, 0}, .after = {1, 1})},
    {.in = {{.dim = {2, 8, 5, 3}}}, ATTRS(.window = {1, 2}, .stride = {3, 3})},
    {.in = {{.dim = {2, 7, 5, 3}}},
     ATTRS(.window = {3, 1}, .stride = {2, 1}, .before = {1, 0}, .after = {1, 0})},
    {.in = {{.dim = {1, 3, 2, 2}}},
     ATTRS(.window = {3, 4}, .stride = {2, 1}, .before = {1, 3}, .after = {1, 1})},
    {.in = {{.dim = {2, 3, 5, 1}}}, ATTRS(.window = {4, 2}, .stride = {1, 1}), .want = KT_ESHAPE},
    {.in = {{.dim = {2, 3, 5, 1}}}, ATTRS(.window = {2, 2}), .want = KT_EINVAL},
    {.in = {{.dim = {2, 3, 5, 1}}},
     ATTRS(.window = {2, 2}, .stride = {1, 1}, .after = {2, 2}),
     .want = KT_EINVAL},
    {.in = {{.dim = {3, 5, 1}}}, ATTRS(.window = {2, 2}, .stride = {1, 1}), .want = KT_ESHAPE},
    KT_SAMPLES_END};

static const kt_sample max_pool2d_grad_samples[] = {
    {.in = {{.dim = {2, 6, 4, 3}}, {.dim = {2, 3, 2, 3}}},
     ATTRS(.window = {2, 2}, .stride = {2, 2})},
    {.in = {{.dim = {2, 7, 5, 33}}, {.dim = {2, 3, 2, 33}}},
     ATTRS(.window = {2, 2}, .stride = {2, 2})},
    {.in = {{.dim = {2, 7, 6, 18}}, {.dim = {2, 3, 5, 18}}},
     ATTRS(.window = {3, 2}, .stride = {2, 1})},
    {.in = {{.dim = {2, 6, 4, 3}}, {.dim = {2, 3, 3, 3}}},
     ATTRS(.window = {2, 2}, .stride = {2, 2}),
     .want = KT_ESHAPE},
    KT_SAMPLES_END};

static const kt_sample avg_pool2d_grad_samples[] = {
    {.in = {{.dim = {2, 3, 5, 3}}},
     ATTRS(.shape = {4, {2, 7, 6, 3}}, .window = {3, 2}, .stride = {2, 1})},
    {.in = {{.dim = {2, 3, 5, 3}}},
     ATTRS(.shape = {4, {2, 6, 5, 3}}, .window = {2, 1}, .stride = {2, 1})},
    {.in = {{.dim = {2, 3, 2, 19}}},
     ATTRS(.shape = {4, {2, 6, 4, 19}}, .window = {2, 2}, .stride = {2, 2})},
    {.in = {{.dim = {2, 3, 5, 3}}},
     ATTRS(.shape = {4, {2, 7, 9, 3}}, .window = {3, 2}, .stride = {2, 1}),
     .want = KT_ESHAPE},
    KT_SAMPLES_END};

#define GEOMETRY                                                                                   \
    KT_F_AS(pool_attrs, window, KT_FIELD_INTS), KT_F_AS(pool_attrs, stride, KT_FIELD_INTS),        \
        KT_F_AS(pool_attrs, before, KT_FIELD_INTS), KT_F_AS(pool_attrs, after, KT_FIELD_INTS)
static const kt_field pool_fields[] = {GEOMETRY, KT_F_END};
static const kt_field pool_grad_fields[] = {KT_F(pool_attrs, shape), GEOMETRY, KT_F_END};
#undef GEOMETRY

const kt_opdef kt_opdef_max_pool2d = {
    .name = "max_pool2d",
    .n_in = 1,
    .attrs_size = sizeof(pool_attrs),
    .attrs = pool_fields,
    .infer = pool_infer,
    .vjp = max_pool2d_vjp,
    .ref = KT_REFS(max_pool2d),
    .samples = pool_samples,
};
/* Inputs: x, dy. Which cell was the largest is found out again: cheaper than to write it down. */
const kt_opdef kt_opdef_max_pool2d_grad = {
    .name = "max_pool2d_grad",
    .n_in = 2,
    .attrs_size = sizeof(pool_attrs),
    .attrs = pool_fields,
    .infer = max_pool2d_grad_infer,
    .ref = KT_REFS(max_pool2d_grad),
    .samples = max_pool2d_grad_samples,
};
const kt_opdef kt_opdef_avg_pool2d = {
    .name = "avg_pool2d",
    .n_in = 1,
    .attrs_size = sizeof(pool_attrs),
    .attrs = pool_fields,
    .infer = pool_infer,
    .vjp = avg_pool2d_vjp,
    .ref = KT_REFS(avg_pool2d),
    .samples = pool_samples,
};
const kt_opdef kt_opdef_avg_pool2d_grad = {
    .name = "avg_pool2d_grad",
    .n_in = 1,
    .attrs_size = sizeof(pool_attrs),
    .attrs = pool_grad_fields,
    .infer = avg_pool2d_grad_infer,
    .vjp = avg_pool2d_grad_vjp,
    .ref = KT_REFS(avg_pool2d_grad),
    .samples = avg_pool2d_grad_samples,
};

kt_val *kt_g_max_pool2d(kt_graph *g, kt_val *x, const pool_attrs *a) {
    return pool_node(g, &kt_opdef_max_pool2d, 1, &x, (kt_shape){0, {0}}, a);
}

kt_val *kt_g_avg_pool2d(kt_graph *g, kt_val *x, const pool_attrs *a) {
    return pool_node(g, &kt_opdef_avg_pool2d, 1, &x, (kt_shape){0, {0}}, a);
}
#endif
