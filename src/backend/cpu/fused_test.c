/* Fused regions: random programs against the interpreter of the op, with every way of reading an
 * input, outputs over inputs, long and short rows, any number of threads. */
#include "base/pool.h"
#include "ir/attrs.h"
#include "ops/build.h"
#include "ops/families.h"
#include "testing/graphs.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
    uint64_t seed;
    kt_micro_input inputs[8];
    kt_micro steps[40];
    short outs[4];
    kt_spec specs[4];
    fused_attrs a;
} program;

static int pick(program *p, int n) { return (int)(kt_test_random(&p->seed) * n); }

/* Functions that stay finite on moderate values. */
static int safe_row(program *p, const kt_opdef *const *family, int kind) {
    static const char *const names[][6] = {
        {"neg", "relu", "tanh", "sigmoid", "abs", "square"},
        {"add", "sub", "mul", "mul", "maximum", "relu_grad"},
        {"lt", "le", "gt", "ge", "eq", "ne"}};
    const kt_opdef *op = kt_op_find(names[kind][pick(p, 6)]);
    return kt_family_row(family, op);
}

static void random_step(program *p, int i, int n_regs) {
    kt_micro *m = &p->steps[i];
    *m = (kt_micro){0};
    m->a = (short)pick(p, n_regs);
    m->b = (short)pick(p, n_regs);
    m->c = (short)pick(p, n_regs);
    const int kind = pick(p, 10);
    if (kind < 3) {
        m->kind = KT_MICRO_UNARY;
        m->fn = (short)safe_row(p, kt_unary_ops, 0);
    } else if (kind < 7) {
        m->kind = KT_MICRO_BINARY;
        m->fn = (short)safe_row(p, kt_binary_ops, 1);
    } else if (kind < 8) {
        m->kind = KT_MICRO_COMPARE;
        m->fn = (short)safe_row(p, kt_compare_ops, 2);
    } else if (kind < 9) {
        m->kind = KT_MICRO_SELECT;
    } else {
        m->kind = KT_MICRO_CONST;
        m->value = (float)pick(p, 5) - 2;
    }
}

/* Whole, number, row, column, a column of rows, or blocks: [a, b, c] seen as any of them. */
static kt_micro_input random_access(program *p, int64_t a, int64_t b, int64_t c) {
    switch (pick(p, 10)) {
    case 0:
        return (kt_micro_input){1, 1, 0};
    case 1:
        return (kt_micro_input){1, c, 0};
    case 2:
        return (kt_micro_input){c, a * b, 0};
    case 3:
        return (kt_micro_input){c, b, 0};
    case 4:
        return (kt_micro_input){1, b * c, 0};
    case 5:
        return (kt_micro_input){1, c, b * c}; /* a row for each a */
    case 6:
        return pick(p, 2) ? (kt_micro_input){c, 1, c} : (kt_micro_input){c, b, b * c};
    default:
        return (kt_micro_input){1, a * b * c, 0};
    }
}

/* How long the input must be that is read so. */
static int64_t length_of(const kt_micro_input *r, int64_t size) {
    return r->block && size ? size / r->block * r->mod : r->mod;
}

static kt_graph *random_region(uint64_t seed, int64_t a, int64_t b, int64_t c) {
    static const kt_dtype dtypes[] = {
        KT_FLOAT32, KT_FLOAT32, KT_FLOAT32, KT_INT32, KT_INT64, KT_UINT8, KT_BOOL};
    program p = {.seed = seed};
    kt_graph *g = kt_graph_new();
    kt_val *in[8];
    const int n_in = 1 + pick(&p, 5), n_steps = 1 + pick(&p, 30), n_out = 1 + pick(&p, 3);
    for (int i = 0; i < n_in; i++) {
        p.inputs[i] = random_access(&p, a, b, c);
        const int64_t length = length_of(&p.inputs[i], a * b * c);
        in[i] = kt_g_input(g, (kt_spec){dtypes[pick(&p, 7)], {1, {length}}});
        /* a value that dies here, so that the planner may put an output over it */
        if (in[i]->spec.dtype == KT_FLOAT32) in[i] = kt_g_neg(g, in[i]);
    }
    for (int i = 0; i < n_steps; i++) random_step(&p, i, n_in + i);
    for (int i = 0; i < n_out; i++) {
        p.outs[i] = (short)(n_in + n_steps - 1 - pick(&p, i ? n_in + n_steps : 1));
        p.specs[i] = (kt_spec){pick(&p, 4) ? KT_FLOAT32 : KT_BOOL, {3, {a, b, c}}};
    }
    p.a = (fused_attrs){a * b * c, n_in, n_steps, n_out, p.steps, p.inputs, p.outs, p.specs};
    kt_node *n = kt_graph_add(g, kt_op_find("fused"), n_in, in, &p.a);
    kt_check_status(g->status, KT_OK);
    for (int i = 0; i < n_out; i++) {
        const bool real = n->out[i]->spec.dtype == KT_FLOAT32;
        kt_val *y = real && pick(&p, 2) ? kt_g_neg(g, n->out[i]) : n->out[i];
        assert_int_equal(kt_vec_push(&g->outputs, y), 0);
    }
    /* attributes lie in `p`: the text form brings them into the graph */
    char *text = kt_graph_text(g);
    kt_graph_free(g);
    g = kt_graph_of(text);
    free(text);
    return g;
}

static void check_region(uint64_t seed, int64_t a, int64_t b, int64_t c) {
    char what[80];
    kt_graph *g = random_region(seed, a, b, c);
    snprintf(what, sizeof what, "region %d of (%d, %d, %d)", (int)seed, (int)a, (int)b, (int)c);
    kt_run_result want = kt_run_naive_seeded(g, seed), got = kt_run_seeded(g, seed);
    kt_check_same(&got, &want, 1e-5, what);
    kt_run_free(&got);
    kt_run_free(&want);
    kt_graph_free(g);
}

KT_TEST(fused, random_regions_equal_the_interpreter) {
    static const int64_t shapes[][3] = {
        {1, 1, 1},
        {2, 3, 4},
        {5, 1, 7},
        {3, 40, 11},
        {2, 3, 600},
        {1, 4, 1500},
        {7, 600, 1},
        {2, 2, 513},
        {1, 1, 3000},
        {0, 2, 3}};
    for (int i = 0; i < 2000; i++) {
        const int64_t *s = shapes[i % 10];
        check_region((uint64_t)i, s[0], s[1], s[2]);
    }
}

KT_TEST(fused, threads_do_not_change_results) {
    static const int threads[] = {1, 2, 3, 8};
    for (uint64_t seed = 0; seed < 12; seed++) {
        kt_run_result first = {0};
        for (int i = 0; i < 4; i++) {
            kt_graph *g = random_region(seed, 3, 170, 301);
            kt_pool_set_threads(threads[i]);
            kt_run_result r = kt_run_seeded(g, seed);
            if (i) kt_check_same(&r, &first, 0, "threads");
            if (i)
                kt_run_free(&r);
            else
                first = r;
            kt_graph_free(g);
        }
        kt_run_free(&first);
    }
    kt_pool_set_threads(0);
}
