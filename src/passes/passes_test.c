/* Passes on printed graphs: text in, text out. */
#include "passes/passes.h"

#include "testing/graphs.h"

#include <stdio.h>
#include <stdlib.h>

#define X "%0 = input() {index=0, dtype=float32, shape=(2, 3)} : float32 (2, 3)\n"
#define X_END "inputs %0\n"
#define NUM(id, value)                                                                             \
    "%" #id " = const() {value=" #value ", dtype=float32, shape=(2, 3)} : float32 (2, 3)\n"
#define M23 " : float32 (2, 3)\n"

/* Canonicalises, drops what is dead, and compares. */
static void check_becomes(const char *before, const char *after) {
    kt_graph *g = kt_graph_of(before);
    kt_run_result want = kt_run_naive_seeded(g, 3);
    kt_run_pass(g, "canonicalize");
    kt_run_pass(g, "dce");
    char *text = kt_graph_text(g);
    kt_check_str(text, after);
    free(text);
    kt_run_result got = kt_run_naive_seeded(g, 3);
    kt_check_same(&got, &want, 1e-6, before);
    kt_run_free(&got);
    kt_run_free(&want);
    kt_graph_free(g);
}

static void check_identity(const char *before) { check_becomes(before, X X_END "outputs %0\n"); }

KT_TEST(canonicalize, what_does_nothing_goes_away) {
    check_identity(X NUM(1, 1.0) "%2 = mul(%0, %1)" M23 X_END "outputs %2\n");
    check_identity(X NUM(1, 1.0) "%2 = mul(%1, %0)" M23 X_END "outputs %2\n");
    check_identity(X NUM(1, 1.0) "%2 = div(%0, %1)" M23 X_END "outputs %2\n");
    check_identity(X NUM(1, 1.0) "%2 = pow(%0, %1)" M23 X_END "outputs %2\n");
    check_identity(X NUM(1, 0.0) "%2 = add(%1, %0)" M23 X_END "outputs %2\n");
    check_identity(X NUM(1, 0.0) "%2 = sub(%0, %1)" M23 X_END "outputs %2\n");
    check_identity(X "%1 = neg(%0)" M23 "%2 = neg(%1)" M23 X_END "outputs %2\n");
    check_identity(X "%1 = cast(%0) {dtype=float32}" M23 X_END "outputs %1\n");
    check_identity(X "%1 = stop_gradient(%0)" M23 X_END "outputs %1\n");
    check_identity(X "%1 = reshape(%0) {shape=(2, 3)}" M23 X_END "outputs %1\n");
    check_identity(X "%1 = broadcast(%0) {shape=(2, 3)}" M23 X_END "outputs %1\n");
    check_identity(
        X "%1 = reshape(%0) {shape=(6,)} : float32 (6,)\n%2 = reshape(%1) {shape=(2, 3)}" M23 X_END
          "outputs %2\n");
    check_identity(
        X "%1 = transpose(%0) {perm=[1, 0]} : float32 (3, 2)\n%2 = transpose(%1) {perm=[1, 0]}" M23
            X_END "outputs %2\n");
    check_identity(X "%1 = slice(%0) {start=[0, 0], length=[2, 3], step=[1, 1]}" M23 X_END
                     "outputs %1\n");
    check_identity(X "%1 = pad(%0) {before=[0, 0], after=[0, 0], value=0.0}" M23 X_END
                     "outputs %1\n");
    check_identity(X "%1 = concat(%0) {axis=1}" M23 X_END "outputs %1\n");
}

KT_TEST(canonicalize, arithmetic) {
    check_becomes(
        X NUM(1, 0.0) "%2 = sub(%1, %0)" M23 X_END "outputs %2\n",
        X "%1 = neg(%0)" M23 X_END "outputs %1\n");
    check_becomes(
        X NUM(1, 4.0) "%2 = div(%0, %1)" M23 X_END "outputs %2\n",
        X NUM(1, 0.25) "%2 = mul(%0, %1)" M23 X_END "outputs %2\n");
    check_becomes(
        X NUM(1, 3.0) "%2 = div(%0, %1)" M23 X_END "outputs %2\n",
        X NUM(1, 3.0) "%2 = div(%0, %1)" M23 X_END "outputs %2\n");
    check_becomes(
        X NUM(1, 3.0) NUM(2, 0.5) "%3 = mul(%0, %1)" M23 "%4 = mul(%2, %3)" M23 X_END
                                  "outputs %4\n",
        X NUM(1, 1.5) "%2 = mul(%0, %1)" M23 X_END "outputs %2\n");
    check_becomes(
        X "%1 = neg(%0)" M23 "%2 = add(%1, %0)" M23 X_END "outputs %2\n",
        X "%1 = sub(%0, %0)" M23 X_END "outputs %1\n");
    check_becomes(
        X NUM(1, 2.0) "%2 = pow(%0, %1)" M23 X_END "outputs %2\n",
        X "%1 = square(%0)" M23 X_END "outputs %1\n");
    check_becomes(
        X NUM(1, 0.0) "%2 = maximum(%0, %1)" M23 X_END "outputs %2\n",
        X "%1 = relu(%0)" M23 X_END "outputs %1\n");
    check_becomes(
        X NUM(1, -1.0) "%2 = mul(%0, %1)" M23 X_END "outputs %2\n",
        X "%1 = neg(%0)" M23 X_END "outputs %1\n");
}

KT_TEST(canonicalize, numbers_keep_being_numbers) {
    check_becomes(
        "%0 = const() {value=2.5, dtype=float32, shape=()} : float32 ()\n"
        "%1 = broadcast(%0) {shape=(2, 3)}" M23
        "%2 = transpose(%1) {perm=[1, 0]} : float32 (3, 2)\n"
        "%3 = reduce(%2) {kind=0, axes=1, keepdims=0} : float32 (2,)\noutputs %3\n",
        "%0 = const() {value=7.5, dtype=float32, shape=(2,)} : float32 (2,)\noutputs %0\n");
}

KT_TEST(canonicalize, shapes) {
    check_becomes(
        "%0 = input() {index=0, dtype=float32, shape=(2, 1, 3)} : float32 (2, 1, 3)\n"
        "%1 = transpose(%0) {perm=[1, 0, 2]} : float32 (1, 2, 3)\n"
        "%2 = reduce(%1) {kind=0, axes=1, keepdims=0} : float32 (2, 3)\ninputs %0\noutputs %2\n",
        "%0 = input() {index=0, dtype=float32, shape=(2, 1, 3)} : float32 (2, 1, 3)\n"
        "%1 = reshape(%0) {shape=(2, 3)} : float32 (2, 3)\ninputs %0\noutputs %1\n");
    check_becomes(
        X "%1 = view(%0) {slot=0, offset=1, shape=(4,)} : float32 (4,)\n"
          "%2 = reshape(%1) {shape=(2, 2)} : float32 (2, 2)\n"
          "%3 = view(%2) {slot=0, offset=1, shape=(2,)} : float32 (2,)\n" X_END "outputs %3\n",
        X "%1 = view(%0) {slot=0, offset=2, shape=(2,)} : float32 (2,)\n" X_END "outputs %1\n");
}

KT_TEST(canonicalize, transposes_go_into_products) {
    check_becomes(
        X "%1 = transpose(%0) {perm=[1, 0]} : float32 (3, 2)\n"
          "%2 = matmul(%0, %1) {ta=0, tb=0, bias=0, epilogue=0} : float32 (2, 2)\n"
          "%3 = matmul(%1, %1) {ta=1, tb=0, bias=0, epilogue=0} : float32 (2, 2)\n" X_END
          "outputs %2, %3\n",
        X "%1 = matmul(%0, %0) {ta=0, tb=1, bias=0, epilogue=0} : float32 (2, 2)\n"
          "%2 = matmul(%0, %0) {ta=0, tb=1, bias=0, epilogue=0} : float32 (2, 2)\n" X_END
          "outputs %1, %2\n");
}

KT_TEST(canonicalize, classes_need_no_probabilities) {
#define CLASS(id, of) "%" #id " = argmax(%" #of ") {axis=1} : int32 (2,)\n"
    check_becomes(
        X "%1 = softmax(%0) {axis=1}" M23 CLASS(2, 1) X_END "outputs %2\n",
        X CLASS(1, 0) X_END "outputs %1\n");
    const char *other = X "%1 = softmax(%0) {axis=0}" M23 CLASS(2, 1) X_END "outputs %2\n";
    check_becomes(other, other);
}

KT_TEST(fold, computes_what_is_known) {
    kt_check_pass(
        "fold",
        NUM(0, 2.0) NUM(1, 3.0) "%2 = mul(%0, %1)" M23
                                "%3 = cast(%2) {dtype=int32} : int32 (2, 3)\noutputs %3\n",
        NUM(0, 2.0) NUM(1, 3.0) NUM(2, 6.0) "%3 = const() {value=6.0, dtype=int32, shape=(2, 3)} : "
                                            "int32 (2, 3)\noutputs %3\n");
    kt_check_pass(
        "fold",
        "%0 = const() {value=0.0, dtype=float32, shape=(3,), data=[1.0, 2.0, 4.0]} : float32 (3,)\n"
        "%1 = reduce(%0) {kind=0, axes=1, keepdims=0} : float32 ()\n"
        "%2 = view(%0) {slot=0, offset=1, shape=(2,)} : float32 (2,)\n"
        "%3 = concat(%2, %2) {axis=0} : float32 (4,)\noutputs %1, %3\n",
        "%0 = const() {value=0.0, dtype=float32, shape=(3,), data=[1.0, 2.0, 4.0]} : float32 (3,)\n"
        "%1 = const() {value=7.0, dtype=float32, shape=()} : float32 ()\n"
        "%2 = const() {value=0.0, dtype=float32, shape=(2,), data=[2.0, 4.0]} : float32 (2,)\n"
        "%3 = const() {value=0.0, dtype=float32, shape=(4,), data=[2.0, 4.0, 2.0, 4.0]} : float32 "
        "(4,)\n"
        "outputs %1, %3\n");
}

/* Axes that lie apart go one after the other; those of length 1 are no reason. */
KT_TEST(canonicalize, reduces_in_turn) {
    kt_check_pass(
        "canonicalize",
        "%0 = input() {index=0, dtype=float32, shape=(4, 2, 3, 5)} : float32 (4, 2, 3, 5)\n"
        "%1 = reduce(%0) {kind=0, axes=10, keepdims=0} : float32 (4, 3)\n"
        "inputs %0\noutputs %1\n",
        "%0 = input() {index=0, dtype=float32, shape=(4, 2, 3, 5)} : float32 (4, 2, 3, 5)\n"
        "%1 = reduce(%0) {kind=0, axes=2, keepdims=1} : float32 (4, 1, 3, 5)\n"
        "%2 = reduce(%1) {kind=0, axes=10, keepdims=0} : float32 (4, 3)\n"
        "inputs %0\noutputs %2\n");
    const char
        *one = "%0 = input() {index=0, dtype=float32, shape=(4, 2, 1, 5)} : float32 (4, 2, 1, 5)\n"
               "%1 = reduce(%0) {kind=2, axes=10, keepdims=0} : float32 (4, 1)\n"
               "inputs %0\noutputs %1\n";
    kt_check_pass("canonicalize", one, one);
}

KT_TEST(fold, leaves_random_numbers_and_errors_alone) {
    const char *text = "%0 = const() {value=1.0, dtype=int64, shape=()} : int64 ()\n"
                       "%1 = uniform(%0) {rate=0.0, key=7, shape=(2,)} : float32 (2,)\n"
                       "%2 = const() {value=9.0, dtype=int32, shape=(1,)} : int32 (1,)\n"
                       "%3 = gather(%1, %2) : float32 (1,)\n"
                       "%4 = const() {value=1.0, dtype=float32, shape=(2,)} : float32 (2,)\n"
                       "%5 = gather(%4, %2) : float32 (1,)\n"
                       "outputs %3, %5\n";
    kt_check_pass("fold", text, text);
}

KT_TEST(cse, equal_nodes_become_one) {
    kt_check_pass(
        "cse",
        X "%1 = exp(%0)" M23 "%2 = exp(%0)" M23 NUM(3, 2.0) NUM(4, 2.0)
            NUM(5, 3.0) "%6 = mul(%1, %3)" M23 "%7 = mul(%2, %4)" M23 "%8 = mul(%2, %5)" M23
                        "%9 = reduce(%7) {kind=0, axes=1, keepdims=0} : float32 (3,)\n"
                        "%10 = reduce(%6) {kind=0, axes=1, keepdims=0} : float32 (3,)\n"
                        "%11 = reduce(%6) {kind=1, axes=1, keepdims=0} : float32 (3,)\n" X_END
                        "outputs %8, %9, %10, %11\n",
        X "%1 = exp(%0)" M23 NUM(2, 2.0)
            NUM(3, 3.0) "%4 = mul(%1, %2)" M23 "%5 = mul(%1, %3)" M23
                        "%6 = reduce(%4) {kind=0, axes=1, keepdims=0} : float32 (3,)\n"
                        "%7 = reduce(%4) {kind=1, axes=1, keepdims=0} : float32 (3,)\n" X_END
                        "outputs %5, %6, %6, %7\n");
}

KT_TEST(cse, random_numbers_and_assignments_stay) {
    const char *text = "slot 0 \"s\" : int64 ()\n"
                       "%0 = var() {index=0, dtype=int64, shape=()} : int64 ()\n"
                       "%1 = uniform(%0) {rate=0.0, key=7, shape=(2,)} : float32 (2,)\n"
                       "%2 = uniform(%0) {rate=0.0, key=7, shape=(2,)} : float32 (2,)\n"
                       "%3 = assign(%0) {slot=0, offset=0, shape=()} : int64 ()\n"
                       "%4 = assign(%0) {slot=0, offset=0, shape=()} : int64 ()\n"
                       "outputs %1, %2\n";
    kt_check_pass("cse", text, text);
}

KT_TEST(dce, keeps_inputs_outputs_and_assignments) {
    kt_check_pass(
        "dce",
        "slot 0 \"a\" : float32 (2, 3)\nslot 1 \"b\" : float32 (2, 3)\n" X
        "%1 = var() {index=0, dtype=float32, shape=(2, 3)}" M23
        "%2 = var() {index=1, dtype=float32, shape=(2, 3)}" M23 "%3 = exp(%1)" M23
        "%4 = exp(%2)" M23 "%5 = assign(%4) {slot=0, offset=0, shape=(2, 3)}" M23 X_END,
        "slot 0 \"a\" : float32 (2, 3)\nslot 1 \"b\" : float32 (2, 3)\n" X
        "%1 = var() {index=1, dtype=float32, shape=(2, 3)}" M23 "%2 = exp(%1)" M23
        "%3 = assign(%2) {slot=0, offset=0, shape=(2, 3)}" M23 X_END);
}

/* Fused regions too have a text that says everything. */
static void check_reads_back(kt_graph *g) {
    char *text = kt_graph_text(g);
    kt_graph *again = kt_graph_of(text);
    char *text_again = kt_graph_text(again);
    kt_check_str(text_again, text);
    free(text);
    free(text_again);
    kt_graph_free(again);
}

/* All passes on random graphs: same results, and a second run of everything finds nothing new to
 * break. */
KT_TEST(passes, random_graphs_keep_their_meaning) {
    setenv("KT_VERIFY", "1", 1);
    for (int i = 0; i < 1500; i++) {
        char what[40];
        kt_graph *g = kt_random_graph(10 + i % 120, (uint64_t)i);
        snprintf(what, sizeof what, "random graph %d", i);
        kt_run_result want = kt_run_naive_seeded(g, (uint64_t)i);
        if (kt_passes_run(g)) fail_msg("%s: %s", what, kt_error_message());
        check_reads_back(g);
        kt_run_result got = kt_run_naive_seeded(g, (uint64_t)i);
        kt_check_same(&got, &want, 1e-5, what);
        kt_run_free(&got);
        got = kt_run_seeded(g, (uint64_t)i);
        kt_check_same(&got, &want, 1e-5, what);
        kt_run_free(&got);
        kt_run_free(&want);
        kt_graph_free(g);
    }
    unsetenv("KT_VERIFY");
}
