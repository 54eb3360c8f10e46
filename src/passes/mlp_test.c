/* A whole training step, as layers, losses, metrics and Adam trace it: optimised against plain, the
 * memory plan against its bound, and the time that compiling takes. */
#include "base/mem.h"
#include "ir/plan.h"
#include "ops/build.h"
#include "passes/passes.h"
#include "testing/graphs.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#define BATCH 32
#define LAYERS 4
static const int64_t width[LAYERS + 1] = {49, 64, 32, 16, 10};

typedef struct {
    kt_graph *g;
    int p, m, v, t, step, total, count, hits; /* slots */
    int64_t size;                             /* of the flat weights */
    kt_val *weights[2 * LAYERS], *grads[2 * LAYERS];
    int64_t offset[2 * LAYERS];
} mlp;

static int flat_slot(mlp *n, const char *name, kt_dtype dtype, int64_t size) {
    void *key = kt_arena_alloc(n->g->arena, 1);
    return kt_graph_slot(n->g, key, name, (kt_spec){dtype, {1, {size}}});
}

static kt_val *scalar_of(mlp *n, int slot) {
    return kt_g_view(n->g, kt_g_var(n->g, slot), 0, (kt_shape){0, {0}});
}

static void make_slots(mlp *n) {
    for (int i = 0; i < LAYERS; i++) { /* every variable starts on a cache line */
        n->offset[2 * i] = n->size;
        n->size += (width[i] * width[i + 1] + 15) / 16 * 16;
        n->offset[2 * i + 1] = n->size;
        n->size += (width[i + 1] + 15) / 16 * 16;
    }
    n->p = flat_slot(n, "p", KT_FLOAT32, n->size);
    n->m = flat_slot(n, "m", KT_FLOAT32, n->size);
    n->v = flat_slot(n, "v", KT_FLOAT32, n->size);
    n->t = flat_slot(n, "t", KT_INT64, 1);
    n->step = flat_slot(n, "step", KT_INT64, 1);
    n->total = flat_slot(n, "total", KT_FLOAT32, 1);
    n->count = flat_slot(n, "count", KT_FLOAT32, 1);
    n->hits = flat_slot(n, "hits", KT_FLOAT32, 1);
}

static kt_val *forward(mlp *n, kt_val *x) {
    static const kt_opdef *const activation[] = {
        &kt_opdef_relu, &kt_opdef_sigmoid, &kt_opdef_tanh, NULL};
    kt_graph *g = n->g;
    kt_val *y = kt_g_scale(g, kt_g_cast(g, x, KT_FLOAT32), 1.0 / 255);
    y = kt_g_reshape(g, y, (kt_shape){2, {BATCH, width[0]}});
    kt_val *p = kt_g_var(g, n->p);
    for (int i = 0; i < LAYERS; i++) {
        kt_val *w = kt_g_view(g, p, n->offset[2 * i], (kt_shape){2, {width[i], width[i + 1]}});
        kt_val *b = kt_g_view(g, p, n->offset[2 * i + 1], (kt_shape){1, {width[i + 1]}});
        n->weights[2 * i] = w;
        n->weights[2 * i + 1] = b;
        y = kt_g_add(g, kt_g_matmul(g, y, w, false, false), b);
        if (activation[i]) y = kt_g_unary(g, activation[i], y);
        if (i == 0) y = kt_g_dropout(g, y, scalar_of(n, n->step), 0.25, 99);
    }
    return y;
}

/* Penalty, mean loss, and the metrics: sum and count of the loss, hits. */
static kt_val *losses(mlp *n, kt_val *y, kt_val *label) {
    kt_graph *g = n->g;
    kt_val *loss = kt_g_mean(g, kt_g_sparse_xent(g, y, label), 1, false);
    kt_val *w = n->weights[0], *squares = kt_g_square(g, w);
    kt_val *penalty = kt_g_scale(g, kt_g_sum(g, squares, kt_axes_all(w), false), 0.01);
    loss = kt_g_add(g, loss, penalty);
    kt_val *hit = kt_g_cast(
        g, kt_g_eq(g, kt_g_argmax(g, kt_g_softmax(g, y, 1), 1), label), KT_FLOAT32);
    kt_val *sum = kt_g_scale(g, loss, BATCH);
    kt_g_assign(g, n->total, 0, kt_g_add(g, scalar_of(n, n->total), sum));
    kt_g_assign(g, n->count, 0, kt_g_shift(g, scalar_of(n, n->count), BATCH));
    kt_g_assign(g, n->hits, 0, kt_g_add(g, scalar_of(n, n->hits), kt_g_sum(g, hit, 1, false)));
    return loss;
}

/* alpha = rate sqrt(1 - b2^t) / (1 - b1^t) and the other numbers as one array. */
static kt_val *adam_numbers(mlp *n, kt_val *t) {
    kt_graph *g = n->g;
    kt_val *now = kt_g_cast(g, t, KT_FLOAT32), *one = kt_g_num(g, 1, now);
    kt_val *b1 = kt_g_num(g, 0.9, now), *b2 = kt_g_num(g, 0.999, now);
    b1 = kt_g_sub(g, one, kt_g_pow(g, b1, now));
    b2 = kt_g_sub(g, one, kt_g_pow(g, b2, now));
    kt_val *rate = kt_g_scale(g, kt_g_sqrt(g, b2), 0.001);
    kt_val *rest = kt_g_array(g, (float[]){0.1f, 0.001f, 1e-7f}, (kt_spec){KT_FLOAT32, {1, {3}}});
    kt_val *in[2] = {kt_g_div(g, rate, b1), rest};
    return kt_g_pack(g, 2, in, (int64_t[]){0, 1}, 4);
}

static void update(mlp *n) {
    kt_graph *g = n->g;
    kt_val *old = scalar_of(n, n->t), *t = kt_g_shift(g, old, 1), *out[3];
    kt_val *packed = kt_g_pack(g, 2 * LAYERS, n->grads, n->offset, n->size);
    kt_val *p = kt_g_var(g, n->p), *m = kt_g_var(g, n->m), *v = kt_g_var(g, n->v);
    kt_g_adam(g, p, m, v, packed, adam_numbers(n, t), out);
    kt_g_assign(g, n->p, 0, out[0]);
    kt_g_assign(g, n->m, 0, out[1]);
    kt_g_assign(g, n->v, 0, out[2]);
    kt_g_assign(g, n->t, 0, t);
    kt_g_assign(g, n->step, 0, kt_g_shift(g, scalar_of(n, n->step), 1));
}

static kt_graph *training_step(void) {
    mlp n = {.g = kt_graph_new()};
    make_slots(&n);
    kt_val *x = kt_g_input(n.g, (kt_spec){KT_UINT8, {3, {BATCH, 7, 7}}});
    kt_val *label = kt_g_input(n.g, (kt_spec){KT_INT32, {1, {BATCH}}});
    kt_val *y = forward(&n, x), *loss = losses(&n, y, label);
    kt_check_status(kt_grad(n.g, loss, 2 * LAYERS, n.weights, n.grads), KT_OK);
    update(&n);
    assert_int_equal(kt_vec_push(&n.g->outputs, loss), 0);
    assert_int_equal(kt_vec_push(&n.g->outputs, y), 0);
    kt_check_status(kt_graph_verify(n.g), KT_OK);
    return n.g;
}

typedef kt_run_result step_runner(kt_graph *g, void *const *in, void *const *slots);

static kt_run_result run_step(kt_graph *g, step_runner *run) {
    uint64_t seed = 4;
    void *in[2], *slots[8];
    in[0] = kt_test_data_in(&g->inputs.v[0]->spec, 0, 256, &seed);
    in[1] = kt_test_data_in(&g->inputs.v[1]->spec, 0, 10, &seed);
    for (int i = 0; i < g->slots.n; i++) {
        const bool square = i == 2; /* the mean of squares, away from 0: Adam divides by its root */
        slots[i] = kt_test_data_in(
            &g->slots.v[i].spec,
            square  ? 0.1
            : i > 2 ? 3
                    : -0.3,
            square  ? 1
            : i > 2 ? 9
                    : 0.3,
            &seed);
    }
    const kt_run_result r = run(g, in, slots);
    for (int i = 0; i < 2; i++) free(in[i]);
    for (int i = 0; i < g->slots.n; i++) free(slots[i]);
    return r;
}

KT_TEST(mlp, optimised_equals_plain) {
    kt_graph *g = training_step();
    kt_run_result want = run_step(g, kt_run_naive);
    const int before = g->nodes.n;
    setenv("KT_VERIFY", "1", 1);
    kt_check_status(kt_passes_run(g), KT_OK);
    unsetenv("KT_VERIFY");
    kt_run_result naive = run_step(g, kt_run_naive), got = run_step(g, kt_run_graph);
    kt_check_same(&naive, &want, 1e-5, "optimised, naive runner");
    kt_check_same(&got, &want, 1e-5, "optimised, planned");
    print_message("%d nodes, optimised %d\n", before, g->nodes.n);
    assert_true(g->nodes.n < 80);
    kt_run_free(&want);
    kt_run_free(&naive);
    kt_run_free(&got);
    kt_graph_free(g);
}

/* Weights, moments and counters are updated where they lie: no assignment is left to copy. */
KT_TEST(mlp, plan_is_tight_and_in_place) {
    kt_graph *g = training_step();
    kt_plan plan;
    kt_check_status(kt_passes_run(g), KT_OK);
    kt_check_status(kt_plan_memory(g, NULL, &plan), KT_OK);
    print_message(
        "planned %lld, bound %lld\n", (long long)plan.arena_bytes, (long long)plan.lower_bound);
    assert_true((double)plan.arena_bytes <= 1.05 * (double)plan.lower_bound);
    int copies = 0;
    for (int i = 0; i < g->nodes.n; i++)
        copies += g->nodes.v[i]->op->flags & KT_OP_EFFECT && !g->nodes.v[i]->dead;
    assert_int_equal(copies, 0);
    kt_graph_free(g);
}

static double seconds(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

KT_TEST(mlp, compiles_fast) {
    double best = 1;
    for (int i = 0; i < 5; i++) {
        kt_graph *g = training_step();
        kt_cpu_code *code = NULL;
        const double start = seconds();
        kt_check_status(kt_passes_run(g), KT_OK);
        kt_check_status(kt_cpu_compile(g, &code), KT_OK);
        const double took = seconds() - start;
        if (took < best) best = took;
        kt_cpu_code_free(code);
        kt_graph_free(g);
    }
    print_message("compiled in %.2f ms\n", best * 1e3);
    assert_true(best < 0.1); /* 10 ms is the goal; sanitizers need more */
}

/* Each allocation of passes, planner and executor fails in turn: an error every time, no leak. */
KT_TEST(mlp, out_of_memory_is_an_error) {
    kt_status st = KT_ENOMEM;
    for (int n = 1; st; n++) {
        kt_graph *g = training_step();
        kt_cpu_code *code = NULL;
        kt_mem_fail_after(n);
        st = kt_passes_run(g);
        if (st == KT_OK) st = kt_cpu_compile(g, &code);
        kt_mem_fail_after(0);
        if (st) kt_check_status(st, KT_ENOMEM);
        if (st == KT_OK) kt_cpu_code_free(code);
        kt_graph_free(g);
        assert_true(n < 1000);
    }
}
