/* conv2d, bias, relu and max_pool2d as one node: the pass and its kernels against the same graph
 * without passes, over many shapes, and one result for any number of threads. */
#include "base/pool.h"
#include "ops/build.h"
#include "testing/graphs.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
    int64_t n, h, w, c, kh, kw, filters;
    int sh, sw, dh, before, after, ph, pw;
    bool bias, relu;
} shape;

static const shape shapes[] = {
    {1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 1, 1, true, true}, /* the smallest */
    {2, 8, 8, 3, 3, 3, 4, 1, 1, 1, 0, 0, 2, 2, true, true},
    {2, 9, 7, 3, 3, 3, 4, 1, 1, 1, 1, 1, 2, 2, true, false},
    {3, 9, 9, 16, 3, 3, 20, 1, 1, 1, 0, 0, 2, 2, false, true},
    {3, 9, 9, 16, 3, 3, 33, 1, 1, 1, 1, 1, 2, 2, false, false},
    {2, 12, 13, 5, 2, 3, 7, 2, 1, 2, 1, 2, 3, 2, true, true},
    {2, 12, 13, 24, 3, 2, 70, 1, 2, 1, 0, 1, 2, 3, true, true},
    {32, 28, 28, 1, 3, 3, 32, 1, 1, 1, 0, 0, 2, 2, true, true}, /* of an MNIST network */
    {32, 13, 13, 32, 3, 3, 64, 1, 1, 1, 0, 0, 2, 2, true, true},
    {5, 28, 28, 3, 5, 5, 6, 1, 1, 1, 2, 2, 2, 2, true, true},
    {5, 17, 14, 6, 5, 5, 16, 1, 1, 1, 0, 0, 2, 2, true, true},
    {4, 1, 60, 8, 1, 7, 32, 1, 1, 1, 0, 0, 1, 5, true, true}, /* of one axis */
    {4, 60, 1, 8, 7, 1, 32, 1, 1, 1, 0, 0, 5, 1, true, true},
    {1, 90, 70, 48, 3, 3, 64, 1, 1, 1, 1, 1, 2, 2, true, true}, /* several bands */
    {9, 6, 6, 130, 3, 3, 150, 1, 1, 1, 1, 1, 2, 2, true, true}, /* parts of filters */
    {2, 20, 20, 3, 11, 11, 40, 4, 4, 1, 5, 5, 2, 2, true, true},
    {3, 10, 10, 64, 1, 1, 64, 1, 1, 1, 0, 0, 2, 2, true, true},
    {3, 12, 12, 4, 4, 4, 8, 1, 1, 1, 0, 3, 3, 3, true, true},
};

static void name_of(const shape *s, char *text, size_t size) {
    snprintf(
        text,
        size,
        "%dx%dx%dx%d, kernel %dx%dx%d, strides %d %d, dilation %d, padding %d %d, pool %d %d",
        (int)s->n,
        (int)s->h,
        (int)s->w,
        (int)s->c,
        (int)s->kh,
        (int)s->kw,
        (int)s->filters,
        s->sh,
        s->sw,
        s->dh,
        s->before,
        s->after,
        s->ph,
        s->pw);
}

static void output(kt_graph *g, kt_val *v) {
    kt_check_status(g->status, KT_OK);
    assert_int_equal(kt_vec_push(&g->outputs, v), 0);
}

/* With so few cells in a row nobody wants the gradient of the picture, or it is not fused. */
static bool is_first(const shape *s) { return s->kw * s->c < 16; }

/* The pooled picture, and the gradients of a sum weighted by an input that is 0 here and there. */
static kt_graph *make(const shape *s) {
    kt_graph *g = kt_graph_new();
    const conv_attrs a = {
        .stride = {s->sh, s->sw},
        .dilation = {s->dh, 1},
        .before = {s->before, s->before},
        .after = {s->after, s->after},
        .groups = 1};
    const pool_attrs p = {.window = {s->ph, s->pw}, .stride = {s->ph, s->pw}};
    kt_val *in[3], *grad[3];
    in[0] = kt_g_input(g, (kt_spec){KT_FLOAT32, {4, {s->n, s->h, s->w, s->c}}});
    in[1] = kt_g_input(g, (kt_spec){KT_FLOAT32, {4, {s->kh, s->kw, s->c, s->filters}}});
    in[2] = kt_g_input(g, (kt_spec){KT_FLOAT32, {1, {s->filters}}});
    kt_val *y = kt_g_conv2d(g, in[0], in[1], &a);
    const kt_shape full = y->spec.shape, line = {3, {full.dim[0], full.dim[2], full.dim[3]}};
    const bool flat = full.dim[1] == 1; /* as Conv1D does it */
    if (flat) y = kt_g_reshape(g, y, line);
    if (s->bias) y = kt_g_add(g, y, in[2]);
    if (s->relu) y = kt_g_relu(g, y);
    if (flat) y = kt_g_reshape(g, y, full);
    y = kt_g_max_pool2d(g, y, &p);
    kt_val *weight = kt_g_relu(g, kt_g_input(g, y->spec));
    kt_val *loss = kt_g_sum(g, kt_g_mul(g, y, weight), kt_axes_all(y), false);
    const int from = is_first(s), n = 2 + s->bias - from;
    kt_check_status(kt_grad(g, loss, n, in + from, grad), KT_OK);
    output(g, y);
    for (int i = 0; i < n; i++) output(g, grad[i]);
    return g;
}

static int count(const kt_graph *g, const char *op) {
    int n = 0;
    for (int i = 0; i < g->nodes.n; i++) n += !strcmp(g->nodes.v[i]->op->name, op);
    return n;
}

KT_TEST(conv_pool, equals_the_chain_for_any_number_of_threads) {
    static const int threads[] = {1, 2, 3, 8};
    char name[200];
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        kt_graph *g = make(&shapes[i]);
        kt_run_result want = kt_run_naive_seeded(g, 5), one = {0};
        name_of(&shapes[i], name, sizeof name);
        kt_run_pass(g, "fuse_pool");
        kt_run_pass(g, "dce");
        assert_int_equal(count(g, "conv2d_pool"), 1);
        assert_int_equal(count(g, "conv2d_pool_grad_input"), !is_first(&shapes[i]));
        assert_int_equal(count(g, "conv2d_pool_grad_kernel"), 1);
        for (int t = 0; t < 4; t++) {
            kt_pool_set_threads(threads[t]);
            kt_run_result got = kt_run_seeded(g, 5);
            kt_pool_set_threads(0);
            kt_check_same(&got, t ? &one : &want, t ? 0 : 2e-5, name);
            if (t)
                kt_run_free(&got);
            else
                one = got;
        }
        kt_run_free(&want);
        kt_run_free(&one);
        kt_graph_free(g);
    }
}

/* What others read stays; what does not fit is left alone. */
KT_TEST(conv_pool, leaves_what_others_need) {
    for (int i = 0; i < 4; i++) {
        kt_graph *g = kt_graph_new();
        const conv_attrs a = {.stride = {1, 1}, .dilation = {1, 1}, .groups = i == 2 ? 2 : 1};
        const pool_attrs p = {.window = {2, 2}, .stride = {i == 1 ? 1 : 2, 2}};
        kt_val *x = kt_g_input(g, (kt_spec){KT_FLOAT32, {4, {2, 8, 8, 4}}});
        kt_val *k = kt_g_input(g, (kt_spec){KT_FLOAT32, {4, {3, 3, i == 2 ? 2 : 4, 6}}});
        kt_val *y = kt_g_relu(g, kt_g_conv2d(g, x, k, &a));
        if (i == 0) output(g, y);
        output(g, kt_g_max_pool2d(g, y, &p));
        kt_run_pass(g, "fuse_pool");
        assert_int_equal(count(g, "conv2d_pool"), i == 3);
        kt_graph_free(g);
    }
}
