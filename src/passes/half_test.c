/* The half pass: values against the reference kernels that compute on 16-bit arrays. */
#include "ops/build.h"
#include "passes/passes.h"
#include "tensor/half.h"

#include "testing/graphs.h"

#include <string.h>

static kt_val *input(kt_graph *g, kt_dtype d) { return kt_g_input(g, (kt_spec){d, kt_dims(3, 5)}); }

static void add_output(kt_graph *g, kt_val *v) {
    assert_non_null(v);
    kt_check_status(kt_vec_push(&g->outputs, v), KT_OK);
}

/* + - * / sqrt and comparisons, a weight that is read and assigned, casts both ways. Rounding what
 * float32 gives is rounding the exact result for all of these. */
static kt_graph *arithmetic(kt_dtype half, void *key) {
    kt_graph *g = kt_graph_new();
    kt_val *a = input(g, half), *b = input(g, half), *f = input(g, KT_FLOAT32);
    const int slot = kt_graph_slot(g, key, "w", (kt_spec){half, kt_dims(32)});
    kt_val *w = kt_g_view(g, kt_g_var(g, slot), 16, kt_dims(3, 5));
    kt_val *sum = kt_g_add(g, kt_g_mul(g, a, b), kt_g_num(g, 0.1, a));
    kt_val *root = kt_g_sqrt(g, kt_g_abs(g, kt_g_sub(g, sum, w)));
    kt_val *part = kt_g_div(g, root, kt_g_shift(g, kt_g_square(g, b), 0.3));
    add_output(g, kt_g_select(g, kt_g_gt(g, a, b), part, root));
    add_output(g, kt_g_cast(g, part, KT_FLOAT32));
    add_output(g, kt_g_mul(g, kt_g_cast(g, kt_g_scale(g, f, 3), half), sum));
    kt_g_assign(g, slot, 16, kt_g_scale(g, kt_g_add(g, w, part), 1.0 / 3));
    kt_check_status(g->status, KT_OK);
    return g;
}

static void check_same_bits(kt_dtype half) {
    int key;
    for (uint64_t seed = 1; seed < 20; seed++) {
        kt_graph *g = arithmetic(half, &key), *plain = arithmetic(half, &key);
        kt_run_result want = kt_run_naive_seeded(plain, seed);
        kt_check_status(kt_passes_run(g), KT_OK);
        kt_check_status(kt_graph_verify(g), KT_OK);
        kt_run_result got = kt_run_seeded(g, seed);
        assert_int_equal(got.n, want.n);
        for (int i = 0; i < got.n; i++) {
            assert_int_equal(got.spec[i].dtype, want.spec[i].dtype);
            assert_memory_equal(got.data[i], want.data[i], kt_spec_bytes(&want.spec[i]));
        }
        kt_run_free(&got);
        kt_run_free(&want);
        kt_graph_free(g);
        kt_graph_free(plain);
    }
}

KT_TEST(half, arithmetic_is_that_of_the_type) {
    check_same_bits(KT_FLOAT16);
    check_same_bits(KT_BFLOAT16);
}

/* A product adds up in float32 and is rounded once; constants are rounded, arrays too. */
KT_TEST(half, sums_are_rounded_once) {
    kt_check_pass(
        "half",
        "%0 = input() {index=0, dtype=float16, shape=(2, 3)} : float16 (2, 3)\n"
        "%1 = const() {value=0.1, dtype=float16, shape=(3, 4)} : float16 (3, 4)\n"
        "%2 = matmul(%0, %1) {ta=0, tb=0, bias=0, epilogue=0} : float16 (2, 4)\n"
        "%3 = relu(%2) : float16 (2, 4)\n"
        "%4 = transpose(%3) {perm=[1, 0]} : float16 (4, 2)\n"
        "inputs %0\noutputs %4\n",
        "%0 = input() {index=0, dtype=float16, shape=(2, 3)} : float16 (2, 3)\n"
        "%1 = const() {value=0.0999755859375, dtype=float32, shape=(3, 4)} : float32 (3, 4)\n"
        "%2 = cast(%0) {dtype=float32} : float32 (2, 3)\n"
        "%3 = matmul(%2, %1) {ta=0, tb=0, bias=0, epilogue=0} : float32 (2, 4)\n"
        "%4 = round_float16(%3) : float32 (2, 4)\n"
        "%5 = relu(%4) : float32 (2, 4)\n"
        "%6 = transpose(%5) {perm=[1, 0]} : float32 (4, 2)\n"
        "%7 = cast(%6) {dtype=float16} : float16 (4, 2)\n"
        "inputs %0\noutputs %7\n");
}

/* What float32 does not hold is rounded from what it is, not twice. */
KT_TEST(half, wide_numbers_are_rounded_once) {
    kt_graph *g = kt_graph_new();
    const double x = 1 + 0x1p-11 + 0x1p-40; /* float32 would make a tie of it */
    void *in[1] = {(double[1]){x}};
    add_output(g, kt_g_cast(g, kt_g_input(g, (kt_spec){KT_FLOAT64, kt_dims(1)}), KT_FLOAT16));
    kt_check_status(kt_passes_run(g), KT_OK);
    kt_run_result r = kt_run_graph(g, in, NULL);
    assert_true(kt_elem_get(r.data[0], KT_FLOAT16, 0) == 1 + 0x1p-10);
    kt_run_free(&r);
    kt_graph_free(g);
}

KT_TEST(half, other_graphs_stay_as_they_are) {
    for (uint64_t seed = 1; seed < 10; seed++) {
        kt_graph *g = kt_random_graph(40, seed);
        const int n = g->nodes.n, n_vals = g->n_vals;
        kt_run_pass(g, "half");
        assert_int_equal(g->nodes.n, n);
        assert_int_equal(g->n_vals, n_vals);
        kt_graph_free(g);
    }
}
