/* Fusion on printed graphs: which nodes become one, and which must not. */
#include "ops/build.h"
#include "ops/families.h"
#include "testing/graphs.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define X "%0 = input() {index=0, dtype=float32, shape=(2, 3)} : float32 (2, 3)\n"
#define ROW "%1 = input() {index=1, dtype=float32, shape=(3,)} : float32 (3,)\n"
#define ROWS(id, of) "%" #id " = broadcast(%" #of ") {shape=(2, 3)} : float32 (2, 3)\n"
#define M23 " : float32 (2, 3)\n"

static void check_fuses(const char *pass, const char *before, const char *after) {
    kt_graph *g = kt_graph_of(before);
    kt_run_result want = kt_run_naive_seeded(g, 3);
    kt_run_pass(g, pass);
    kt_run_pass(g, "dce");
    char *text = kt_graph_text(g);
    kt_check_str(text, after);
    free(text);
    kt_run_result got = kt_run_seeded(g, 3);
    kt_check_same(&got, &want, 1e-6, before);
    kt_run_free(&got);
    kt_run_free(&want);
    kt_graph_free(g);
}

/* Products ------------------------------------------------------------------------------------- */

#define W "%2 = input() {index=2, dtype=float32, shape=(3, 3)} : float32 (3, 3)\n"
#define LEAVES X ROW W
#define END3 "inputs %0, %1, %2\n"
#define PRODUCT "%3 = matmul(%0, %2) {ta=0, tb=0, bias=0, epilogue=0}" M23

/* "@relu@" in a text becomes the number of the epilogue. */
static char *with_epilogue(const char *text, const char *name) {
    char mark[32], *out = calloc(1, strlen(text) + 32);
    snprintf(mark, sizeof mark, "@%s@", name);
    const char *at = strstr(text, mark);
    assert_non_null(out);
    assert_non_null(at);
    const int row = kt_family_row(kt_unary_ops, kt_op_find(name));
    snprintf(
        out, strlen(text) + 32, "%.*s%d%s", (int)(at - text), text, row + 1, at + strlen(mark));
    return out;
}

static void check_product(const char *before, const char *after, const char *name) {
    char *want = name ? with_epilogue(after, name) : strdup(after);
    check_fuses("fuse_epilogue", before, want);
    free(want);
}

KT_TEST(fuse_epilogue, takes_bias_and_activation) {
    check_product(
        LEAVES PRODUCT ROWS(4, 1) "%5 = add(%4, %3)" M23 END3 "outputs %5\n",
        LEAVES "%3 = matmul(%0, %2, %1) {ta=0, tb=0, bias=1, epilogue=0}" M23 END3 "outputs %3\n",
        NULL);
    check_product(
        LEAVES PRODUCT ROWS(4, 1) "%5 = add(%3, %4)" M23 "%6 = relu(%5)" M23 END3 "outputs %6\n",
        LEAVES "%3 = matmul(%0, %2, %1) {ta=0, tb=0, bias=1, epilogue=@relu@}" M23 END3
               "outputs %3\n",
        "relu");
    check_product(
        LEAVES PRODUCT "%4 = tanh(%3)" M23 END3 "outputs %4\n",
        LEAVES "%3 = matmul(%0, %2) {ta=0, tb=0, bias=0, epilogue=@tanh@}" M23 END3 "outputs %3\n",
        "tanh");
}

KT_TEST(fuse_epilogue, leaves_what_others_need) {
    /* the sum is an output too, so it stays, but the bias goes in */
    check_product(
        LEAVES PRODUCT ROWS(4, 1) "%5 = add(%3, %4)" M23 "%6 = relu(%5)" M23 END3
                                  "outputs %5, %6\n",
        LEAVES "%3 = matmul(%0, %2, %1) {ta=0, tb=0, bias=1, epilogue=0}" M23
               "%4 = relu(%3)" M23 END3 "outputs %3, %4\n",
        NULL);
    check_product(
        LEAVES PRODUCT ROWS(4, 1) "%5 = add(%3, %4)" M23 END3 "outputs %3, %5\n",
        LEAVES PRODUCT ROWS(4, 1) "%5 = add(%3, %4)" M23 END3 "outputs %3, %5\n",
        NULL);
}

KT_TEST(fuse_epilogue, a_column_is_no_bias) {
    const char *text = X
        "%1 = input() {index=1, dtype=float32, shape=(2, 1)} : float32 (2, 1)\n" W PRODUCT ROWS(
            4, 1) "%5 = add(%3, %4)" M23 END3 "outputs %5\n";
    check_product(text, text, NULL);
}

KT_TEST(fuse_epilogue, sees_through_reshapes) {
#define CUBE " {shape=(2, 1, 3)} : float32 (2, 1, 3)\n"
    check_product(
        LEAVES PRODUCT
        "%4 = reshape(%3)" CUBE "%5 = broadcast(%1)" CUBE
        "%6 = add(%4, %5) : float32 (2, 1, 3)\n%7 = sigmoid(%6) : float32 (2, 1, 3)\n" END3
        "outputs %7\n",
        LEAVES "%3 = matmul(%0, %2, %1) {ta=0, tb=0, bias=1, epilogue=@sigmoid@}" M23
               "%4 = reshape(%3)" CUBE END3 "outputs %4\n",
        "sigmoid");
}

/* Regions -------------------------------------------------------------------------------------- */

#define END1 "inputs %0\n"
#define END2 "inputs %0, %1\n"
#define NUM(id, value) "%" #id " = const() {value=" #value ", dtype=float32, shape=(2, 3)}" M23

KT_TEST(fuse, a_chain_becomes_one_node) {
    check_fuses(
        "fuse",
        X ROW NUM(2, 0.5) ROWS(3, 1) "%4 = mul(%0, %2)" M23 "%5 = add(%4, %3)" M23
                                     "%6 = exp(%5)" M23 END2 "outputs %6\n",
        X ROW
        "%2 = fused(%0, %1) {size=6, read=[1 6, 1 3], code=[const 0.5, mul 0 2, add 3 1, exp 4], "
        "out=[5 float32 (2, 3)]}" M23 END2 "outputs %2\n");
}

KT_TEST(fuse, several_results_and_bools) {
    check_fuses(
        "fuse",
        X "%1 = exp(%0)" M23 "%2 = neg(%1)" M23
          "%3 = lt(%0, %2) : bool (2, 3)\n%4 = select(%3, %1, %2)" M23 END1 "outputs %1, %3, %4\n",
        X "%1, %2, %3 = fused(%0) {size=6, read=[1 6], code=[exp 0, neg 1, lt 0 2, select 3 1 2], "
          "out=[1 float32 (2, 3), 3 bool (2, 3), 4 float32 (2, 3)]} : float32 (2, 3), bool (2, 3), "
          "float32 (2, 3)\n" END1 "outputs %1, %2, %3\n");
}

KT_TEST(fuse, columns_integers_and_reshapes) {
    check_fuses(
        "fuse",
        "%0 = input() {index=0, dtype=uint8, shape=(2, 3)} : uint8 (2, 3)\n"
        "%1 = input() {index=1, dtype=float32, shape=(2, 1)} : float32 (2, 1)\n"
        "%2 = cast(%0) {dtype=float32}" M23 ROWS(
            3, 1) "%4 = sub(%2, %3)" M23
                  "%5 = reshape(%4) {shape=(6,)} : float32 (6,)\n%6 = neg(%5) : float32 (6,)\n"
                  "%7 = cast(%6) {dtype=bool} : bool (6,)\n" END2 "outputs %7\n",
        "%0 = input() {index=0, dtype=uint8, shape=(2, 3)} : uint8 (2, 3)\n"
        "%1 = input() {index=1, dtype=float32, shape=(2, 1)} : float32 (2, 1)\n"
        "%2 = fused(%0, %1) {size=6, read=[1 6, 3 2], code=[sub 0 1, neg 2, const 0.0, ne 3 4], "
        "out=[5 bool (6,)]}"
        " : bool (6,)\n" END2 "outputs %2\n");
}

/* A row for each picture; short ones would cut a region into short strips. */
KT_TEST(fuse, rows_of_blocks) {
    check_fuses(
        "fuse",
        "%0 = input() {index=0, dtype=float32, shape=(2, 40, 16)} : float32 (2, 40, 16)\n"
        "%1 = input() {index=1, dtype=float32, shape=(2, 1, 16)} : float32 (2, 1, 16)\n"
        "%2 = broadcast(%1) {shape=(2, 40, 16)} : float32 (2, 40, 16)\n"
        "%3 = mul(%0, %2) : float32 (2, 40, 16)\n" END2 "outputs %3\n",
        "%0 = input() {index=0, dtype=float32, shape=(2, 40, 16)} : float32 (2, 40, 16)\n"
        "%1 = input() {index=1, dtype=float32, shape=(2, 1, 16)} : float32 (2, 1, 16)\n"
        "%2 = fused(%0, %1) {size=1280, read=[1 1280, 1 16 640], code=[mul 0 1], out=[2 float32 "
        "(2, 40, 16)]} : float32 (2, 40, 16)\n" END2 "outputs %2\n");
    const char
        *text = "%0 = input() {index=0, dtype=float32, shape=(2, 30, 16)} : float32 (2, 30, 16)\n"
                "%1 = input() {index=1, dtype=float32, shape=(2, 1, 16)} : float32 (2, 1, 16)\n"
                "%2 = broadcast(%1) {shape=(2, 30, 16)} : float32 (2, 30, 16)\n"
                "%3 = mul(%0, %2) : float32 (2, 30, 16)\n" END2 "outputs %3\n";
    check_fuses("fuse", text, text);
}

KT_TEST(fuse, a_region_does_not_wait_for_itself) {
    /* exp -> softmax -> mul: the product needs the softmax, which needs exp */
    const char *text = X "%1 = exp(%0)" M23 "%2 = softmax(%1) {axis=1}" M23
                         "%3 = mul(%1, %2)" M23 END1 "outputs %3\n";
    check_fuses("fuse", text, text);
}

KT_TEST(fuse, what_the_backward_pass_needs_is_computed_there) {
    /* 1 - y belongs to the product with what comes back (%3), not to y */
    check_fuses(
        "fuse",
        X "%1 = sigmoid(%0)" M23 "%2 = neg(%0)" M23 "%3 = softmax(%1) {axis=1}" M23 NUM(
            4, 1.0) "%5 = sub(%4, %1)" M23 "%6 = mul(%3, %5)" M23 END1 "outputs %2, %6\n",
        X "%1 = sigmoid(%0)" M23 "%2 = neg(%0)" M23 "%3 = softmax(%1) {axis=1}" M23
          "%4 = fused(%1, %3) {size=6, read=[1 6, 1 6], code=[const 1.0, sub 2 0, mul 1 3], out=[4 "
          "float32 (2, 3)]}" M23 END1 "outputs %2, %4\n");
}

KT_TEST(fuse, numbers_go_together_without_being_connected) {
    check_fuses(
        "fuse",
        "%0 = input() {index=0, dtype=float32, shape=()} : float32 ()\n"
        "%1 = input() {index=1, dtype=float32, shape=(1,)} : float32 (1,)\n"
        "%2 = exp(%0) : float32 ()\n%3 = log1p(%1) : float32 (1,)\n" END2 "outputs %2, %3\n",
        "%0 = input() {index=0, dtype=float32, shape=()} : float32 ()\n"
        "%1 = input() {index=1, dtype=float32, shape=(1,)} : float32 (1,)\n"
        "%2, %3 = fused(%0, %1) {size=1, read=[1 1, 1 1], code=[exp 0, log1p 1], "
        "out=[2 float32 (), 3 float32 (1,)]} : float32 (), float32 (1,)\n" END2 "outputs %2, %3\n");
}

KT_TEST(fuse, other_dtypes_stay) {
    const char *text = "%0 = input() {index=0, dtype=float64, shape=(4,)} : float64 (4,)\n"
                       "%1 = exp(%0) : float64 (4,)\n%2 = neg(%1) : float64 (4,)\n" END1
                       "outputs %2\n";
    check_fuses("fuse", text, text);
}

/* More inputs, outputs and steps than one region takes. */
KT_TEST(fuse, large_regions_are_split) {
    kt_graph *g = kt_graph_new();
    kt_val *v = kt_g_input(g, (kt_spec){KT_FLOAT32, {1, {5}}});
    for (int i = 0; i < 300; i++) {
        kt_val *more = i % 7 ? v : kt_g_input(g, (kt_spec){KT_FLOAT32, {1, {5}}});
        v = i % 2 ? kt_g_tanh(g, v) : kt_g_add(g, v, more);
        if (i % 11 == 0 && g->outputs.n < 15) assert_int_equal(kt_vec_push(&g->outputs, v), 0);
        if (g->inputs.n > 20) break;
    }
    for (int i = 0; i < 200; i++) v = kt_g_sin(g, v);
    assert_int_equal(kt_vec_push(&g->outputs, v), 0);
    kt_run_result want = kt_run_naive_seeded(g, 3);
    kt_run_pass(g, "fuse");
    assert_true(g->nodes.n - g->inputs.n >= 2);
    assert_true(g->nodes.n - g->inputs.n <= 12);
    kt_run_result got = kt_run_seeded(g, 3);
    kt_check_same(&got, &want, 1e-5, "large region");
    kt_run_free(&got);
    kt_run_free(&want);
    kt_graph_free(g);
}

/* A graph of several windows, with everything depending on everything before. */
KT_TEST(fuse, long_graphs) {
    kt_graph *g = kt_graph_new();
    kt_val *v[3000];
    uint64_t seed = 1;
    for (int i = 0; i < 4; i++) v[i] = kt_g_input(g, (kt_spec){KT_FLOAT32, {1, {i < 2 ? 5 : 1}}});
    for (int i = 4; i < 3000; i++) {
        kt_val *a = v[(int)(kt_test_random(&seed) * i)],
               *b = v[i - 1 - (int)(kt_test_random(&seed) * 3)];
        v[i] = i % 3 ? kt_g_tanh(g, kt_g_add(g, a, b)) : kt_g_sum(g, a, 1, true);
    }
    for (int i = 0; i < 20; i++) assert_int_equal(kt_vec_push(&g->outputs, v[2999 - 100 * i]), 0);
    kt_run_result want = kt_run_naive_seeded(g, 3);
    kt_run_pass(g, "fuse");
    kt_run_result got = kt_run_naive_seeded(g, 3);
    kt_check_same(&got, &want, 1e-4, "long graph");
    kt_run_free(&got);
    kt_run_free(&want);
    kt_graph_free(g);
}
