/* How fast are convolutions, forward and back, over shapes of known networks? A program of its own,
 * not a test.
 *
 *     bench_conv [word]      rows whose name contains the word
 *
 * GFLOP/s of a convolution with bias and relu, of its gradient for the picture and for the kernel;
 * then the same three with a pool of 2 x 2 behind, as fuse_pool makes them, in GFLOP/s of what the
 * chain of single ops would compute ("dense": every result alive, the worst case for lists). Each
 * figure is the best of many runs. KT_ISA and KT_NUM_THREADS apply. */
#include "backend/cpu/cpu.h"
#include "backend/cpu/kernels/kernels.h"
#include "base/pool.h"
#include "ops/build.h"
#include "passes/passes.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

typedef struct {
    const char *name;
    int64_t n, h, w, c, k, filters;
    int stride;
    bool same;
} shape;

static const shape shapes[] = {
    {"mnist1", 32, 28, 28, 1, 3, 32, 1, false},
    {"mnist2", 32, 13, 13, 32, 3, 64, 1, false},
    {"cifar1", 32, 32, 32, 3, 3, 32, 1, true},
    {"cifar2", 32, 32, 32, 32, 3, 32, 1, true},
    {"lenet1", 32, 28, 28, 1, 5, 6, 1, true},
    {"lenet2", 32, 14, 14, 6, 5, 16, 1, false},
    {"vgg1", 2, 224, 224, 3, 3, 64, 1, true},
    {"vgg2", 2, 112, 112, 64, 3, 128, 1, true},
    {"vgg3", 4, 56, 56, 128, 3, 256, 1, true},
    {"vgg4", 4, 28, 28, 256, 3, 512, 1, true},
    {"vgg5", 8, 14, 14, 512, 3, 512, 1, true},
    {"resnet1", 2, 224, 224, 3, 7, 64, 2, true},
    {"resnet2", 4, 56, 56, 64, 3, 64, 1, true},
    {"resnet3", 8, 28, 28, 128, 3, 128, 1, true},
    {"resnet4", 8, 14, 14, 256, 3, 256, 1, true},
    {"resnet5", 8, 7, 7, 512, 3, 512, 1, true},
    {"strided", 8, 56, 56, 64, 3, 128, 2, true},
    {"point1", 8, 56, 56, 64, 1, 256, 1, true},
    {"point2", 8, 14, 14, 1024, 1, 256, 1, true},
    {"points", 8, 56, 56, 256, 1, 128, 2, true},
    {"five", 8, 28, 28, 32, 5, 64, 1, true},
    {"narrow", 16, 28, 28, 16, 3, 16, 1, true},
    {"odd", 16, 30, 30, 20, 3, 50, 1, false},
};

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* Seconds of one run of a graph, data at random. */
static double time_graph(kt_graph *g, bool fuse) {
    kt_cpu_code *code = NULL;
    kt_cpu_run *run = NULL;
    if (fuse && (kt_pass_find("fuse_pool")(g) || kt_pass_find("fuse_epilogue")(g))) return 0;
    if (kt_pass_find("dce")(g) || kt_cpu_compile(g, &code) || kt_cpu_run_new(code, NULL, &run))
        return 0;
    for (int i = 0; i < g->inputs.n; i++) {
        const int64_t n = kt_shape_size(&g->inputs.v[i]->spec.shape);
        float *x = kt_cpu_input(run, i);
        for (int64_t k = 0; k < n; k++) x[k] = (float)rand() / (float)RAND_MAX - 0.4f;
    }
    double best = 1e9, start = now();
    for (int i = 0; i < 200 && (i < 3 || now() - start < 0.25); i++) {
        const double t = now();
        if (kt_cpu_execute(run)) return 0;
        if (i && now() - t < best) best = now() - t;
    }
    kt_cpu_run_free(run);
    kt_cpu_code_free(code);
    return best;
}

static kt_val *input4(kt_graph *g, int64_t a, int64_t b, int64_t c, int64_t d) {
    return kt_g_input(g, (kt_spec){KT_FLOAT32, {4, {a, b, c, d}}});
}

enum { FORWARD, INPUT, KERNEL, POOL, POOL_INPUT, POOL_KERNEL, N_WHAT };

/* What of the backward pass a pooled graph gives; the forward pass comes with it. */
static kt_val *pooled(
    kt_graph *g, int what, const conv_attrs *a, kt_val *x, kt_val *k, kt_val *bias) {
    const pool_attrs p = {.window = {2, 2}, .stride = {2, 2}};
    kt_val *y = kt_g_relu(g, kt_g_add(g, kt_g_conv2d(g, x, k, a), bias));
    kt_val *m = kt_g_max_pool2d(g, y, &p), *grad = NULL, *of = what == POOL_INPUT ? x : k;
    if (what == POOL) return m;
    kt_val *loss = kt_g_sum(g, kt_g_mul(g, m, kt_g_input(g, m->spec)), kt_axes_all(m), false);
    return kt_grad(g, loss, 1, &of, &grad) ? NULL : grad;
}

static double time_shape(const shape *s, int what, double *flops) {
    kt_graph *g = kt_graph_new();
    conv_attrs a = {.stride = {s->stride, s->stride}, .dilation = {1, 1}, .groups = 1};
    const int64_t dims[2] = {s->h, s->w};
    int64_t out[2];
    for (int i = 0; i < 2; i++) {
        out[i] = s->same ? (dims[i] + s->stride - 1) / s->stride : (dims[i] - s->k) / s->stride + 1;
        const int64_t missing = (out[i] - 1) * s->stride + s->k - dims[i];
        a.before[i] = missing > 0 ? (int)(missing / 2) : 0;
        a.after[i] = missing > 0 ? (int)(missing - missing / 2) : 0;
    }
    kt_val *x = input4(g, s->n, s->h, s->w, s->c), *k = input4(g, s->k, s->k, s->c, s->filters);
    kt_val *bias = kt_g_input(g, (kt_spec){KT_FLOAT32, {1, {s->filters}}}), *y;
    kt_val *dy = input4(g, s->n, out[0], out[1], s->filters);
    if (what == FORWARD)
        y = kt_g_relu(g, kt_g_add(g, kt_g_conv2d(g, x, k, &a), bias));
    else if (what == INPUT)
        y = kt_g_conv2d_grad_input(g, dy, k, x->spec.shape, &a);
    else if (what == KERNEL)
        y = kt_g_conv2d_grad_kernel(g, x, dy, k->spec.shape, &a);
    else
        y = pooled(g, what, &a, x, k, bias);
    *flops = 2.0 * (double)(s->n * out[0] * out[1] * s->k * s->k * s->c * s->filters);
    if (g->status || kt_vec_push(&g->outputs, y)) return 0;
    const double t = time_graph(g, true);
    kt_graph_free(g);
    return t;
}

int main(int argc, char **argv) {
    printf("%s, %d threads, GFLOP/s\n", kt_kernels_get()->name, kt_pool_threads());
    printf("%-10s%9s%9s%9s%9s%9s%9s\n", "", "forward", "dx", "dk", "pooled", "dx", "dk");
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        double t[N_WHAT], flops;
        if (argc > 1 && !strstr(shapes[i].name, argv[1])) continue;
        for (int what = 0; what < N_WHAT; what++) t[what] = time_shape(&shapes[i], what, &flops);
        for (int what = POOL_INPUT; what < N_WHAT; what++) t[what] -= t[POOL];
        printf("%-10s", shapes[i].name);
        for (int what = 0; what < N_WHAT; what++) printf("%9.0f", flops / t[what] * 1e-9);
        printf("\n");
    }
    return 0;
}
