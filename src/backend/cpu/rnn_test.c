/* Recurrent ops: the kernels of this level against the reference, at sizes around the vector length
 * and the tiles, with masks of every kind, and with every number of threads. */
#include "base/pool.h"
#include "ops/build.h"
#include "testing/graphs.h"

#include <math.h>
#include <stdio.h>

/* One op, and the gradients of sum(y * y) + sum(h) by all of its float operands, if it keeps what
 * they need. */
static kt_graph *graph_of(
    int k, int64_t b, int64_t t, int64_t f, int64_t u, bool masked, const rnn_attrs *a) {
    kt_graph *g = kt_graph_new();
    const int64_t gates = k == RNN_SIMPLE ? 1 : k == RNN_GRU ? 3 : 4;
    const kt_spec state = {KT_FLOAT32, {2, {b, u}}}, row = {KT_FLOAT32, {1, {gates * u}}};
    kt_val *wrt[6], *dx[6], *end[2] = {NULL, NULL};
    const int n = k == RNN_SIMPLE ? 5 : 6;
    wrt[0] = kt_g_input(g, (kt_spec){KT_FLOAT32, {3, {b, t, f}}});
    wrt[1] = kt_g_input(g, (kt_spec){KT_FLOAT32, {2, {f, gates * u}}});
    wrt[2] = kt_g_input(g, (kt_spec){KT_FLOAT32, {2, {u, gates * u}}});
    wrt[3] = kt_g_input(g, row);
    wrt[4] = kt_g_input(g, state);
    wrt[5] = k == RNN_SIMPLE ? NULL : kt_g_input(g, k == RNN_GRU ? row : state);
    const kt_rnn_in in = {
        .x = wrt[0],
        .kernel = kt_g_scale(g, wrt[1], 1 / sqrt((double)f)),
        .r = kt_g_scale(g, wrt[2], 1 / sqrt((double)u)), /* or small errors grow */
        .bias = wrt[3],
        .bias_r = k == RNN_GRU ? wrt[5] : NULL,
        .state = {wrt[4], k == RNN_LSTM ? wrt[5] : NULL},
        .mask = masked ? kt_g_input(g, (kt_spec){KT_BOOL, {2, {b, t}}}) : NULL};
    kt_val *y = kt_g_rnn(g, (rnn_kind)k, &in, a, end);
    kt_val *loss = kt_g_sum(g, kt_g_square(g, y), kt_axes_all(y), false);
    for (int i = 0; i < 2 && end[i]; i++)
        loss = kt_g_add(g, loss, kt_g_sum(g, end[i], kt_axes_all(end[i]), false));
    assert_int_equal(kt_vec_push(&g->outputs, y), 0);
    assert_int_equal(kt_vec_push(&g->outputs, end[0]), 0);
    if (a->forget) return g;
    kt_check_status(kt_grad(g, loss, n, wrt, dx), KT_OK);
    for (int i = 0; i < n; i++) assert_int_equal(kt_vec_push(&g->outputs, dx[i]), 0);
    return g;
}

static void compare(int k, int64_t b, int64_t t, int64_t f, int64_t u, int form) {
    char what[80];
    const rnn_attrs a = {.backwards = form & 1, .zero_masked = form & 2, .sequences = form & 4};
    snprintf(
        what,
        sizeof what,
        "kind %d, %dx%dx%d, %d units, form %d",
        k,
        (int)b,
        (int)t,
        (int)f,
        (int)u,
        form);
    kt_graph *g = graph_of(k, b, t, f, u, form & 8, &a);
    kt_cpu_set_reference_only(true);
    kt_run_result want = kt_run_seeded(g, 5);
    kt_cpu_set_reference_only(false);
    kt_graph_free(g);
    kt_run_result first = {0};
    for (int threads = 1; threads <= 3; threads++) {
        kt_pool_set_threads(threads);
        g = graph_of(k, b, t, f, u, form & 8, &a);
        kt_run_result got = kt_run_seeded(g, 5);
        kt_check_status(got.status, KT_OK);
        kt_check_same(&got, &want, 2e-5, what);
        if (threads > 1) kt_check_same(&got, &first, 0, what);
        if (threads > 1)
            kt_run_free(&got);
        else
            first = got;
        kt_graph_free(g);
    }
    kt_pool_set_threads(0);
    kt_run_free(&first);
    kt_run_free(&want);
}

KT_TEST(rnn, kernels_equal_the_reference_at_all_sizes) {
    static const int64_t units[] = {1, 3, 4, 7, 8, 15, 16, 17, 33, 64, 70};
    static const int64_t rows[] = {1, 2, 5, 6, 7, 11, 33, 70};
    static const int64_t inputs[] = {1, 2, 5, 8, 15, 16, 17, 31, 33, 64, 65};
    for (int k = RNN_SIMPLE; k <= RNN_LSTM; k++) {
        for (size_t i = 0; i < sizeof units / sizeof *units; i++)
            compare(k, 3 + (int64_t)i % 4, 3, 1 + (int64_t)i, units[i], (int)(i * 5 % 16));
        for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
            compare(k, rows[i], 4, 3, 9, (int)(i * 3 % 16));
        for (int form = 0; form < 16; form++) compare(k, 9, 5, 4, 20, form);
        for (size_t i = 0; i < sizeof inputs / sizeof *inputs; i++)
            compare(k, 10, 3, inputs[i], units[10 - i], (int)(i * 7 % 16));
        compare(k, 2, 1, 2, 5, 12);
        compare(k, 40, 30, 20, 48, 12);
        compare(k, 300, 9, 3, 5, 8);    /* chunks of more rows than a tile's worth */
        compare(k, 20, 2, 1000, 40, 8); /* weights that are not small */
    }
    compare(RNN_LSTM, 66, 1000, 1, 16, 9); /* gates of 16 MiB, which go past the caches */
}

/* Without a gradient the same bits, from any kernel. */
static void forget(int k, int64_t b, int64_t t, int64_t f, int64_t u, int form) {
    rnn_attrs a = {.backwards = form & 1, .zero_masked = form & 2, .sequences = form & 4};
    for (int reference = 0; reference < 2; reference++) {
        kt_cpu_set_reference_only(reference);
        kt_run_result run[2];
        for (int i = 0; i < 2; i++) {
            a.forget = i;
            kt_graph *g = graph_of(k, b, t, f, u, form & 8, &a);
            run[i] = kt_run_seeded(g, 5);
            kt_check_status(run[i].status, KT_OK);
            kt_graph_free(g);
        }
        run[0].n = run[1].n; /* y and h; the others are gradients */
        kt_check_same(&run[1], &run[0], 0, "forget");
        run[0].n = k == RNN_SIMPLE ? 7 : 8;
        for (int i = 0; i < 2; i++) kt_run_free(&run[i]);
    }
    kt_cpu_set_reference_only(false);
}

KT_TEST(rnn, keeps_nothing_that_nobody_reads) {
    for (int k = RNN_SIMPLE; k <= RNN_LSTM; k++) {
        for (int form = 0; form < 16; form++) forget(k, 9, 19, 4, 20, form);
        forget(k, 3, 10, 4, 20, 12); /* few rows */
        forget(k, 70, 17, 5, 7, 4);
        forget(k, 20, 9, 1000, 40, 8); /* weights that are not small */
        forget(k, 9, 1, 2, 3, 0);
    }
}
