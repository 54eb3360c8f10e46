/* Recurrent ops: the kernels of this level against the reference, at sizes around the vector length
 * and the tiles, with masks of every kind, and with every number of threads. */
#include "base/pool.h"
#include "ops/build.h"
#include "testing/graphs.h"

#include <math.h>
#include <stdio.h>

typedef enum { SIMPLE, GRU, LSTM } kind;

/* One op, and the gradients of sum(y * w) + sum(h w) by all of its float operands. */
static kt_graph *graph_of(
    kind k, int64_t b, int64_t t, int64_t u, bool masked, const rnn_attrs *a) {
    kt_graph *g = kt_graph_new();
    const int64_t gates = k == SIMPLE ? 1 : k == GRU ? 3 : 4;
    const kt_spec state = {KT_FLOAT32, {2, {b, u}}};
    kt_val *wrt[4], *dx[4], *end, *c_end = NULL, *y;
    wrt[0] = kt_g_input(g, (kt_spec){KT_FLOAT32, {3, {b, t, gates * u}}});
    wrt[1] = kt_g_input(g, (kt_spec){KT_FLOAT32, {2, {u, gates * u}}});
    wrt[2] = kt_g_input(g, state);
    wrt[3] = k == SIMPLE
                 ? NULL
                 : kt_g_input(g, k == GRU ? (kt_spec){KT_FLOAT32, {1, {gates * u}}} : state);
    kt_val *mask = masked ? kt_g_input(g, (kt_spec){KT_BOOL, {2, {b, t}}}) : NULL;
    kt_val *r = kt_g_scale(g, wrt[1], 1 / sqrt((double)u)); /* or small errors grow */
    if (k == SIMPLE) y = kt_g_simple_rnn(g, wrt[0], r, wrt[2], mask, a, &end);
    if (k == GRU) y = kt_g_gru(g, wrt[0], r, wrt[3], wrt[2], mask, a, &end);
    if (k == LSTM) y = kt_g_lstm(g, wrt[0], r, wrt[2], wrt[3], mask, a, &end, &c_end);
    kt_val *loss = kt_g_sum(g, kt_g_square(g, y), kt_axes_all(y), false);
    loss = kt_g_add(g, loss, kt_g_sum(g, end, kt_axes_all(end), false));
    if (c_end) loss = kt_g_add(g, loss, kt_g_sum(g, c_end, kt_axes_all(c_end), false));
    kt_check_status(kt_grad(g, loss, k == SIMPLE ? 3 : 4, wrt, dx), KT_OK);
    assert_int_equal(kt_vec_push(&g->outputs, y), 0);
    assert_int_equal(kt_vec_push(&g->outputs, end), 0);
    for (int i = 0; i < (k == SIMPLE ? 3 : 4); i++)
        assert_int_equal(kt_vec_push(&g->outputs, dx[i]), 0);
    return g;
}

static void compare(kind k, int64_t b, int64_t t, int64_t u, int form) {
    char what[80];
    const rnn_attrs a = {form & 1, form & 2, form & 4};
    snprintf(what, sizeof what, "kind %d, %dx%dx%d, form %d", k, (int)b, (int)t, (int)u, form);
    kt_graph *g = graph_of(k, b, t, u, form & 8, &a);
    kt_cpu_set_reference_only(true);
    kt_run_result want = kt_run_seeded(g, 5);
    kt_cpu_set_reference_only(false);
    kt_graph_free(g);
    kt_run_result first = {0};
    for (int threads = 1; threads <= 3; threads++) {
        kt_pool_set_threads(threads);
        g = graph_of(k, b, t, u, form & 8, &a);
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
    for (int k = SIMPLE; k <= LSTM; k++) {
        for (size_t i = 0; i < sizeof units / sizeof *units; i++)
            compare(k, 3 + (int64_t)i % 4, 3, units[i], (int)(i * 5 % 16));
        for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
            compare(k, rows[i], 4, 9, (int)(i * 3 % 16));
        for (int form = 0; form < 16; form++) compare(k, 9, 5, 20, form);
        compare(k, 2, 1, 5, 12);
        compare(k, 40, 30, 48, 12);
    }
}
