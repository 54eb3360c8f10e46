/* How fast are single layers, forward alone and forward with all gradients? A program of its own,
 * not a test; bench/layers_tf.py times the same rows with TensorFlow, compiled (tf.function).
 *
 *     bench_layers [word]      rows whose name contains the word
 *
 * Milliseconds, the best of many runs. "all" computes y, and the gradients of sum(y c) by the input
 * and by every weight. KT_ISA and KT_NUM_THREADS apply. */
#include "backend/cpu/kernels/kernels.h"
#include "base/pool.h"
#include "nn/layer.h"
#include "runtime/program.h"

#include <keratin/keratin.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* Seconds of one run, data at random; -1 if it fails. */
static double time_program(kt_program *p) {
    kt_cpu_run *run = NULL;
    if (kt_program_acquire(p, &run)) return -1;
    const kt_graph *g = kt_program_graph(p);
    for (int i = 0; i < g->inputs.n; i++) {
        const int64_t n = kt_shape_size(&g->inputs.v[i]->spec.shape);
        float *x = kt_cpu_input(run, i);
        for (int64_t k = 0; k < n; k++) x[k] = (float)rand() / (float)RAND_MAX - 0.5f;
    }
    double best = 1e9, start = now();
    for (int i = 0; i < 500 && (i < 4 || now() - start < 0.25); i++) {
        const double t = now();
        if (kt_cpu_execute(run)) return -1;
        if (i && now() - t < best) best = now() - t;
    }
    kt_program_release(p, run);
    return best;
}

static kt_status push(kt_graph *g, kt_val *v) {
    return v ? kt_vec_push(&g->outputs, v) : g->status;
}

static kt_status gradients(kt_tracer *tr, kt_layer *l, kt_val *x, kt_val *y) {
    kt_graph *g = tr->g;
    kt_val *wrt[8] = {x}, *dx[8];
    int n = 1;
    kt_val *loss = kt_g_sum(g, kt_g_mul(g, y, kt_g_input(g, y->spec)), kt_axes_all(y), false);
    for (int i = 0; i < kt_layer_n_weights(l) && n < 8; i++)
        if (kt_layer_weight(l, i)->trainable) wrt[n++] = kt_tracer_var(tr, kt_layer_weight(l, i));
    kt_status st = kt_grad(g, loss, n, wrt, dx);
    for (int i = 0; i < n && st == KT_OK; i++) st = push(g, dx[i]);
    return st;
}

static double time_layer(kt_layer *l, kt_shape shape, bool all) {
    kt_tracer tr;
    kt_program *p = NULL;
    kt_graph *g = kt_graph_new();
    kt_tracer_begin(&tr, g, all, NULL);
    kt_val *x = kt_g_input(g, (kt_spec){KT_FLOAT32, shape});
    kt_sym *y = kt_call(l, kt_wrap(x), .training = all);
    kt_status st = kt_check(y);
    for (int i = 0; i < kt_layer_n_weights(l) && !st; i++)
        st = kt_var_ensure(kt_layer_weight(l, i));
    if (!st) st = push(g, kt_unwrap(y, NULL));
    if (!st && all) st = gradients(&tr, l, x, kt_unwrap(y, NULL));
    const kt_status end = kt_tracer_end(&tr);
    if (!st) st = end;
    if (!st) st = kt_program_new(g, &p); /* takes the graph */
    const double t = st ? -1 : time_program(p);
    if (st) fprintf(stderr, "%s\n", kt_error_message());
    kt_program_free(p);
    return 1e3 * t;
}

static const char *word = "";

static void row(const char *name, kt_layer *l, kt_shape shape) {
    if (!strstr(name, word)) return;
    kt_adopt(l);
    const double forward = time_layer(l, shape, false), all = time_layer(l, shape, true);
    printf("%-24s%10.3f%10.3f\n", name, forward, all);
    fflush(stdout);
    kt_release(l);
}

static void convolutions(void) {
    const kt_shape text = kt_dims(32, 200, 64), map = kt_dims(32, 28, 28, 32),
                   clip = kt_dims(4, 16, 32, 32, 8);
    row("conv1d", kt_conv1d(64, 5, .padding = "causal"), text);
    row("conv1d dilated", kt_conv1d(64, 5, .dilation_rate = 2), text);
    row("conv2d", kt_conv2d(64, 3, .padding = "same"), map);
    row("conv2d first", kt_conv2d(64, 3, .data_format = "channels_first"), kt_dims(32, 32, 28, 28));
    row("conv2d dilated", kt_conv2d(64, 3, .dilation_rate = 2), map);
    row("conv2d groups", kt_conv2d(64, 3, .groups = 4), map);
    row("conv3d", kt_conv3d(16, 3, .padding = "same"), clip);
    row("conv3d strided", kt_conv3d(16, 3, .strides = 2), clip);
    row("depthwise1d", kt_depthwise_conv1d(5, .padding = "same"), text);
    row("depthwise2d", kt_depthwise_conv2d(3, .padding = "same"), map);
    row("depthwise2d strided", kt_depthwise_conv2d(3, 2, "same"), map);
    row("depthwise2d times 2", kt_depthwise_conv2d(3, .depth_multiplier = 2), map);
    row("separable1d", kt_separable_conv1d(64, 5, .padding = "same"), text);
    row("separable2d", kt_separable_conv2d(64, 3, .padding = "same"), map);
    row("transpose1d", kt_conv1d_transpose(32, 4, .strides = 2, .padding = "same"), text);
    row("transpose2d",
        kt_conv2d_transpose(32, 3, .strides = 2, .padding = "same"),
        kt_dims(32, 14, 14, 64));
    row("transpose3d",
        kt_conv3d_transpose(8, 3, .strides = 2, .padding = "same"),
        kt_dims(4, 8, 16, 16, 16));
}

static void pools(void) {
    const kt_shape text = kt_dims(32, 200, 64), map = kt_dims(32, 28, 28, 32),
                   clip = kt_dims(4, 16, 32, 32, 8), wide = kt_dims(8, 56, 56, 256);
    row("max1d", kt_max_pooling1d(2), text);
    row("max2d", kt_max_pooling2d(2), map);
    row("max2d 3/2 same", kt_max_pooling2d(3, 2, "same"), map);
    row("max2d wide", kt_max_pooling2d(2), wide);
    row("max3d", kt_max_pooling3d(2), clip);
    row("average1d", kt_average_pooling1d(2), text);
    row("average2d", kt_average_pooling2d(2), map);
    row("average2d 3/2 same", kt_average_pooling2d(3, 2, "same"), map);
    row("average2d wide", kt_average_pooling2d(2), wide);
    row("average2d pictures", kt_average_pooling2d(2), kt_dims(32, 128, 128, 3));
    row("average3d", kt_average_pooling3d(2), clip);
    row("global average2d", kt_global_average_pooling2d(), wide);
    row("global max2d", kt_global_max_pooling2d(), wide);
}

static void sizes(void) {
    const kt_shape text = kt_dims(32, 200, 64), map = kt_dims(32, 28, 28, 32),
                   clip = kt_dims(4, 16, 32, 32, 8), rgb = kt_dims(8, 128, 128, 3);
    row("up1d", kt_up_sampling1d(2), text);
    row("up2d", kt_up_sampling2d(2), map);
    row("up3d", kt_up_sampling3d(2), clip);
    row("up2d bilinear", kt_up_sampling2d(2, .interpolation = "bilinear"), map);
    row("up2d bilinear pictures", kt_up_sampling2d(2, .interpolation = "bilinear"), rgb);
    row("up2d bicubic", kt_up_sampling2d(2, .interpolation = "bicubic"), map);
    row("up2d lanczos3", kt_up_sampling2d(2, .interpolation = "lanczos3"), map);
    row("padding1d", kt_zero_padding1d(2), text);
    row("padding2d", kt_zero_padding2d(2), map);
    row("padding3d", kt_zero_padding3d(1), clip);
    row("cropping2d", kt_cropping2d(2), map);
}

int main(int argc, char **argv) {
    if (argc > 1) word = argv[1];
    printf("%s, %d threads, ms\n", kt_kernels_get()->name, kt_pool_threads());
    printf("%-24s%10s%10s\n", "", "forward", "all");
    convolutions();
    pools();
    sizes();
    kt_clear_session();
    return 0;
}
