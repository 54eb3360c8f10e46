/* The reverse sweep: what it visits, what it adds up, where it stops. The gradients of single ops
 * are tested from their samples (ops/registry_test.c). */
#include "ops/build.h"
#include "testing/graphs.h"

#include <math.h>
#include <string.h>

static const kt_spec row = {KT_FLOAT64, {1, {3}}};

static kt_val *total(kt_graph *g, kt_val *x) { return kt_g_sum(g, x, kt_axes_all(x), false); }

/* Runs a graph with one input (1, 2, 3) and checks its outputs one after the other. */
static void check_outputs(kt_graph *g, const double *want) {
    double x[3] = {1, 2, 3};
    void *in[1] = {x};
    kt_run_result r = kt_run_graph(g, in, NULL);
    kt_check_status(r.status, KT_OK);
    for (int i = 0; i < r.n; i++)
        for (int64_t k = 0; k < kt_shape_size(&r.spec[i].shape); k++)
            kt_check_near(((double *)r.data[i])[k], *want++, 1e-12, 1e-12);
    kt_run_free(&r);
    kt_graph_free(g);
}

static void output(kt_graph *g, kt_val *v) { assert_int_equal(kt_vec_push(&g->outputs, v), 0); }

KT_TEST(grad, uses_that_meet_are_added) {
    kt_graph *g = kt_graph_new();
    kt_val *x = kt_g_input(g, row), *y = kt_g_square(g, x), *dx;
    kt_val *z = kt_g_add(g, kt_g_mul(g, y, x), y); /* x^3 + x^2, y used twice, x three times */
    kt_check_status(kt_grad(g, total(g, z), 1, &x, &dx), KT_OK);
    output(g, dx);
    check_outputs(g, (double[]){5, 16, 33});
}

KT_TEST(grad, stop_gradient_makes_a_constant) {
    kt_graph *g = kt_graph_new();
    kt_val *x = kt_g_input(g, row), *dx;
    kt_val *z = kt_g_mul(g, x, kt_g_stop_gradient(g, kt_g_square(g, x)));
    kt_check_status(kt_grad(g, total(g, z), 1, &x, &dx), KT_OK);
    output(g, z);
    output(g, dx);
    check_outputs(g, (double[]){1, 8, 27, 1, 4, 9});
}

KT_TEST(grad, what_does_not_matter_gets_zeros) {
    kt_graph *g = kt_graph_new();
    kt_val *x = kt_g_input(g, row), *aside = kt_g_exp(g, x), *wrt[2] = {x, aside}, *dx[2];
    kt_check_status(kt_grad(g, total(g, kt_g_square(g, x)), 2, wrt, dx), KT_OK);
    output(g, dx[0]);
    output(g, dx[1]);
    check_outputs(g, (double[]){2, 4, 6, 0, 0, 0});
}

KT_TEST(grad, a_value_between_may_be_asked_for) {
    kt_graph *g = kt_graph_new();
    kt_val *x = kt_g_input(g, row), *y = kt_g_square(g, x), *wrt[2] = {y, x}, *dx[2];
    kt_check_status(kt_grad(g, total(g, kt_g_square(g, y)), 2, wrt, dx), KT_OK);
    output(g, dx[0]);
    output(g, dx[1]);
    check_outputs(g, (double[]){2, 8, 18, 4, 32, 108});
}

static int count_ops(const kt_graph *g, int from, const char *name) {
    int n = 0;
    for (int i = from; i < g->nodes.n; i++) n += !strcmp(g->nodes.v[i]->op->name, name);
    return n;
}

/* Two products; only the weights of the second are asked for: one product comes back, not three. */
KT_TEST(grad, frozen_weights_cost_nothing) {
    kt_graph *g = kt_graph_new();
    const kt_spec square = {KT_FLOAT64, {2, {3, 3}}};
    kt_val *x = kt_g_input(g, square), *w1 = kt_g_input(g, square), *w2 = kt_g_input(g, square),
           *dw;
    kt_val *h = kt_g_tanh(g, kt_g_matmul(g, x, w1, false, false));
    kt_val *loss = total(g, kt_g_matmul(g, h, w2, false, false));
    const int n = g->nodes.n;
    kt_check_status(kt_grad(g, loss, 1, &w2, &dw), KT_OK);
    assert_int_equal(count_ops(g, n, "matmul"), 1);
    assert_int_equal(count_ops(g, n, "square"), 0);
    kt_graph_free(g);
}

KT_TEST(grad, backward_nodes_belong_to_their_layer) {
    kt_graph *g = kt_graph_new();
    kt_val *x = kt_g_input(g, row), *dx;
    g->scope = "model/layer";
    kt_val *y = kt_g_exp(g, x);
    g->scope = "loss";
    kt_val *loss = total(g, y);
    const int n = g->nodes.n;
    kt_check_status(kt_grad(g, loss, 1, &x, &dx), KT_OK);
    kt_check_str(g->scope, "loss");
    kt_check_str(dx->def->scope, "model/layer");
    assert_true(g->nodes.n > n);
    kt_graph_free(g);
}

/* The gradient of a gradient: d/dx of sum((d sum(x^3) / dx)^2) = 36 x^3. */
KT_TEST(grad, twice) {
    kt_graph *g = kt_graph_new();
    kt_val *x = kt_g_input(g, row), *dx, *ddx;
    kt_val *loss = total(g, kt_g_mul(g, kt_g_square(g, x), x));
    kt_check_status(kt_grad(g, loss, 1, &x, &dx), KT_OK);
    kt_check_status(kt_grad(g, total(g, kt_g_square(g, dx)), 1, &x, &ddx), KT_OK);
    output(g, ddx);
    check_outputs(g, (double[]){36, 288, 972});
}

KT_TEST(grad, needs_a_scalar) {
    kt_graph *g = kt_graph_new();
    kt_val *x = kt_g_input(g, row), *dx;
    kt_check_status(kt_grad(g, x, 1, &x, &dx), KT_EINTERNAL);
    kt_graph_free(g);
}

/* Parts of an array: their gradients are put together, not added up, in whatever order they come;
 * parts that overlap are added. */
KT_TEST(grad, parts_are_put_together) {
    const kt_shape one = {1, {1}}, two = {1, {2}};
    for (int overlap = 0; overlap < 2; overlap++) {
        kt_graph *g = kt_graph_new();
        kt_val *x = kt_g_input(g, row), *dx;
        kt_val *a = kt_g_view(g, x, 0, one), *b = kt_g_view(g, x, overlap ? 0 : 1, two);
        kt_val *loss = kt_g_add(g, total(g, kt_g_square(g, a)), total(g, kt_g_square(g, b)));
        const int n = g->nodes.n;
        kt_check_status(kt_grad(g, loss, 1, &x, &dx), KT_OK);
        assert_int_equal(count_ops(g, n, "add"), overlap);
        output(g, dx);
        check_outputs(g, overlap ? (double[]){4, 4, 0} : (double[]){2, 4, 6});
    }
}

KT_TEST(grad, an_array_of_parts) {
    kt_graph *g = kt_graph_new();
    kt_val *x = kt_g_input(g, row), *dx, *in[2] = {x, kt_g_square(g, x)};
    kt_val *all = kt_g_pack(g, 2, in, (int64_t[]){1, 4}, 8);
    kt_check_status(kt_grad(g, total(g, kt_g_square(g, all)), 1, &x, &dx), KT_OK);
    output(g, dx);
    check_outputs(g, (double[]){2 + 4, 4 + 32, 6 + 108});
}
