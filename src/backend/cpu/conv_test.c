/* Fast convolutions and pools against the reference kernels over many shapes, and one result for
 * any number of threads. */
#include "base/pool.h"
#include "ops/build.h"
#include "testing/graphs.h"

#include <math.h>
#include <stdio.h>

typedef struct {
    int64_t n, h, w, c, kh, kw, filters;
    int sh, sw, dh, dw, groups;
    bool same;
} shape;

static const shape shapes[] = {
    {1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, false}, /* the smallest */
    {2, 5, 5, 3, 3, 3, 4, 1, 1, 1, 1, 1, false},
    {2, 5, 6, 3, 3, 3, 4, 1, 1, 1, 1, 1, true},
    {3, 9, 8, 2, 3, 2, 5, 2, 3, 1, 1, 1, true},
    {3, 9, 8, 2, 3, 2, 5, 3, 1, 1, 1, 1, false},
    {2, 12, 9, 3, 3, 3, 4, 1, 1, 2, 3, 1, true},
    {2, 12, 9, 3, 3, 3, 4, 1, 1, 2, 3, 1, false},
    {2, 8, 8, 6, 3, 3, 9, 1, 1, 1, 1, 3, true},
    {2, 8, 8, 6, 3, 3, 9, 2, 2, 1, 1, 3, true},
    {2, 7, 7, 6, 3, 3, 9, 1, 1, 1, 2, 3, true},
    {2, 9, 9, 16, 3, 3, 16, 1, 1, 1, 1, 16, true}, /* one channel each */
    {2, 9, 9, 8, 3, 3, 16, 2, 1, 1, 1, 8, false},
    {2, 9, 9, 21, 3, 3, 21, 2, 3, 1, 1, 21, true},
    {2, 9, 10, 21, 3, 3, 21, 2, 3, 1, 1, 21, false},
    {2, 11, 12, 5, 3, 3, 5, 1, 1, 2, 3, 5, true},
    {2, 11, 12, 5, 3, 3, 5, 1, 1, 3, 2, 5, false},
    {2, 13, 12, 18, 3, 3, 18, 2, 3, 2, 2, 18, true}, /* strides and dilation */
    {2, 23, 22, 18, 4, 3, 18, 4, 3, 6, 2, 18, false},
    {2, 4, 3, 17, 9, 8, 17, 1, 1, 1, 1, 17, true}, /* a kernel that is larger */
    {2, 4, 3, 17, 9, 8, 17, 3, 2, 1, 1, 17, true},
    {2, 5, 5, 17, 1, 1, 17, 1, 1, 1, 1, 17, true},
    {2, 5, 5, 17, 1, 1, 17, 3, 2, 1, 1, 17, true}, /* cells that no window sees */
    {2, 1, 40, 33, 1, 7, 33, 1, 1, 1, 1, 33, true},
    {3, 20, 31, 40, 3, 3, 40, 1, 1, 1, 1, 40, true},
    {4, 6, 7, 24, 1, 1, 40, 1, 1, 1, 1, 1, false}, /* the picture is the matrix */
    {4, 6, 7, 24, 1, 1, 40, 2, 2, 1, 1, 1, false},
    {4, 6, 7, 24, 1, 1, 40, 1, 1, 1, 1, 2, false},
    {5, 6, 7, 3, 6, 7, 4, 1, 1, 1, 1, 1, false}, /* and here */
    {5, 6, 7, 3, 6, 7, 4, 1, 1, 1, 1, 1, true},
    {2, 1, 30, 4, 1, 5, 8, 1, 2, 1, 1, 1, true},
    {2, 30, 1, 4, 5, 1, 8, 2, 1, 1, 1, 1, true},
    {32, 28, 28, 1, 3, 3, 32, 1, 1, 1, 1, 1, false}, /* of an MNIST network */
    {32, 13, 13, 32, 3, 3, 64, 1, 1, 1, 1, 1, false},
    {3, 40, 40, 3, 7, 7, 16, 2, 2, 1, 1, 1, true},
    {1, 60, 60, 17, 3, 3, 18, 1, 1, 1, 1, 1, true},  /* a picture of several blocks */
    {2, 7, 7, 160, 3, 3, 33, 1, 1, 1, 1, 1, true},   /* slices of taps */
    {3, 6, 5, 600, 2, 2, 21, 1, 1, 1, 1, 1, true},   /* of one tap each */
    {2, 5, 5, 300, 2, 3, 300, 1, 1, 1, 1, 1, false}, /* no room for partial sums */
    {1, 5, 5, 1100, 3, 3, 7, 1, 1, 1, 1, 1, true},
    {70, 3, 3, 5, 2, 2, 3, 1, 1, 1, 1, 1, true}, /* many pictures in a block */
    {0, 5, 5, 3, 3, 3, 4, 1, 1, 1, 1, 1, true},  /* none */
};

static void name_of(const shape *s, char *text, size_t size) {
    snprintf(
        text,
        size,
        "%dx%dx%dx%d, kernel %dx%dx%d, strides %d %d, dilation %d %d, groups %d%s",
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
        s->dw,
        s->groups,
        s->same ? ", same" : "");
}

static int64_t positions(int64_t n, int64_t k, int stride, int dilation, int *before, int *after) {
    const int64_t seen = (k - 1) * dilation + 1;
    const int64_t places = (n + stride - 1) / stride, missing = (places - 1) * stride + seen - n;
    if (!before) return (n - seen) / stride + 1;
    *before = missing > 0 ? (int)(missing / 2) : 0;
    *after = missing > 0 ? (int)(missing - missing / 2) : 0;
    return places;
}

static kt_val *input4(kt_graph *g, int64_t a, int64_t b, int64_t c, int64_t d) {
    return kt_g_input(g, (kt_spec){KT_FLOAT32, {4, {a, b, c, d}}});
}

static void output(kt_graph *g, kt_val *v) {
    kt_check_status(g->status, KT_OK);
    assert_int_equal(kt_vec_push(&g->outputs, v), 0);
}

/* y, y with bias and a function of the unary family, dx and dk */
static kt_graph *conv_graph(const shape *s) {
    kt_graph *g = kt_graph_new();
    conv_attrs a = {.stride = {s->sh, s->sw}, .dilation = {s->dh, s->dw}, .groups = s->groups};
    const int64_t oh = positions(
        s->h, s->kh, s->sh, s->dh, s->same ? &a.before[0] : NULL, &a.after[0]);
    const int64_t ow = positions(
        s->w, s->kw, s->sw, s->dw, s->same ? &a.before[1] : NULL, &a.after[1]);
    kt_val *in[3] = {
        input4(g, s->n, s->h, s->w, s->c),
        input4(g, s->kh, s->kw, s->c / s->groups, s->filters),
        kt_g_input(g, (kt_spec){KT_FLOAT32, {1, {s->filters}}})};
    kt_val *dy = input4(g, s->n, oh, ow, s->filters);
    output(g, kt_g_conv2d(g, in[0], in[1], &a));
    output(g, kt_g_conv2d_grad_input(g, dy, in[1], in[0]->spec.shape, &a));
    output(g, kt_g_conv2d_grad_kernel(g, in[0], dy, in[1]->spec.shape, &a));
    a.bias = true;
    a.epilogue = 1;
    kt_node *fused = kt_graph_add(g, in[0] ? kt_op_find("conv2d") : NULL, 3, in, &a);
    output(g, fused ? fused->out[0] : NULL);
    return g;
}

static pool_attrs pool_of(const shape *s) {
    pool_attrs a = {.window = {(int)s->kh, (int)s->kw}, .stride = {s->sh, s->sw}};
    positions(s->h, s->kh, s->sh, 1, s->same ? &a.before[0] : NULL, &a.after[0]);
    positions(s->w, s->kw, s->sw, 1, s->same ? &a.before[1] : NULL, &a.after[1]);
    return a;
}

static kt_graph *max_gradient(const shape *s) {
    kt_graph *g = kt_graph_new();
    const pool_attrs a = pool_of(s);
    kt_val *x = input4(g, s->n, s->h, s->w, s->c), *y = kt_g_max_pool2d(g, x, &a), *dx;
    kt_val *loss = kt_g_mul(g, y, kt_g_input(g, y->spec));
    loss = kt_g_sum(g, loss, kt_axes_all(y), false);
    kt_check_status(kt_grad(g, loss, 1, &x, &dx), KT_OK);
    output(g, dx);
    return g;
}

/* Max and mean, forward and backward; the kernel is the window. */
static kt_graph *pool_graph(const shape *s) {
    kt_graph *g = kt_graph_new();
    const pool_attrs a = pool_of(s);
    kt_val *x = input4(g, s->n, s->h, s->w, s->c), *dx;
    for (int mean = 0; mean < 2; mean++) {
        kt_val *y = (mean ? kt_g_avg_pool2d : kt_g_max_pool2d)(g, x, &a);
        output(g, y);
        kt_val *loss = kt_g_sum(g, kt_g_mul(g, y, y), kt_axes_all(y), false);
        kt_check_status(kt_grad(g, loss, 1, &x, &dx), KT_OK);
        output(g, dx);
    }
    return g;
}

static kt_run_result run(kt_graph *g, bool reference, int threads) {
    kt_pool_set_threads(threads);
    kt_cpu_set_reference_only(reference);
    const kt_run_result r = kt_run_seeded(g, 5);
    kt_cpu_set_reference_only(false);
    kt_pool_set_threads(0);
    kt_check_status(r.status, KT_OK);
    return r;
}

static void check(kt_graph *(*make)(const shape *), double tolerance) {
    static const int threads[] = {1, 2, 3, 8};
    char name[160];
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        kt_graph *g = make(&shapes[i]);
        kt_run_result want = run(g, true, 1), one = {0};
        name_of(&shapes[i], name, sizeof name);
        for (int t = 0; t < 4; t++) {
            kt_run_result got = run(g, false, threads[t]);
            kt_check_same(&got, t ? &one : &want, t ? 0 : tolerance, name);
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

KT_TEST(conv, equals_reference_for_any_number_of_threads) { check(conv_graph, 1e-5); }

KT_TEST(pool, equals_reference_for_any_number_of_threads) { check(pool_graph, 1e-6); }

/* Equal cells, zeros of both signs, infinities and NaN, which counts as the largest. */
KT_TEST(pool, gradients_go_to_the_first_largest_cell) {
    static const float values[] = {-INFINITY, -1, -0.0f, 0, 1, INFINITY, NAN, NAN};
    static const shape windows[] = {
        {2, 9, 8, 3, 2, 2, 0, 2, 2, 1, 1, 1, false},
        {2, 9, 8, 21, 3, 3, 0, 2, 2, 1, 1, 1, true},
        {2, 9, 8, 35, 4, 3, 0, 1, 2, 1, 1, 1, false}};
    float x[2 * 9 * 8 * 35], weight[2 * 9 * 8 * 35];
    uint64_t seed = 3;
    for (size_t i = 0; i < sizeof x / sizeof *x; i++) {
        x[i] = values[(int)(8 * kt_test_random(&seed))];
        weight[i] = (float)(kt_test_random(&seed) - 0.5);
    }
    for (size_t i = 0; i < sizeof windows / sizeof *windows; i++) {
        kt_graph *g = max_gradient(&windows[i]);
        void *in[] = {x, weight};
        kt_run_result got = kt_run_graph(g, in, NULL), want = kt_run_naive(g, in, NULL);
        kt_check_same(&got, &want, 1e-6, "the gradient of a max pool");
        kt_run_free(&got);
        kt_run_free(&want);
        kt_graph_free(g);
    }
}
