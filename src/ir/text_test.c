/* Text form and verifier: what was printed reads back, and rubbish is refused without harm. */
#include "base/str.h"
#include "ops/build.h"
#include "testing/graphs.h"

#include <stdlib.h>
#include <string.h>

KT_TEST(text, random_graphs_read_back) {
    for (int i = 0; i < 200; i++) {
        kt_graph *g = kt_random_graph(60, (uint64_t)i);
        char *text = kt_graph_text(g);
        kt_graph *again = kt_graph_of(text);
        char *text_again = kt_graph_text(again);
        kt_check_str(text_again, text);
        free(text);
        free(text_again);
        kt_graph_free(g);
        kt_graph_free(again);
    }
}

KT_TEST(text, one_node_a_line) {
    kt_graph *g = kt_graph_new();
    const kt_spec row = {KT_FLOAT32, {1, {2}}};
    kt_val *x = kt_g_input(g, (kt_spec){KT_FLOAT32, {2, {3, 2}}});
    const int slot = kt_graph_slot(g, g, "a \"b\"", row);
    g->scope = "model/dense";
    kt_val *old = kt_g_var(g, slot), *step = kt_g_array(g, (float[]){0.5f, -2}, row);
    kt_g_assign(g, slot, 0, kt_g_add(g, old, step));
    kt_val *perm = kt_g_transpose(g, x, (int[]){1, 0});
    assert_int_equal(kt_vec_push(&g->outputs, perm), 0);
    char *text = kt_graph_text(g);
    kt_check_str(
        text,
        "slot 0 \"a \\\"b\\\"\" : float32 (2,)\n"
        "%0 = input() {index=0, dtype=float32, shape=(3, 2)} : float32 (3, 2)\n"
        "%1 = var() {index=0, dtype=float32, shape=(2,)} : float32 (2,)  # model/dense\n"
        "%2 = const() {value=0.0, dtype=float32, shape=(2,), data=[0.5, -2.0]} : float32 (2,)"
        "  # model/dense\n"
        "%3 = add(%1, %2) : float32 (2,)  # model/dense\n"
        "%4 = assign(%3) {slot=0, offset=0, shape=(2,)} : float32 (2,)  # model/dense\n"
        "%5 = transpose(%0) {perm=[1, 0]} : float32 (2, 3)  # model/dense\n"
        "inputs %0\n"
        "outputs %5\n");
    kt_graph *again = kt_graph_of(text);
    kt_check_str(again->slots.v[0].name, "a \"b\"");
    assert_ptr_equal(again->slots.v[0].val->def, again->nodes.v[1]);
    free(text);
    kt_graph_free(g);
    kt_graph_free(again);
}

#define IN "%0 = input() {index=0, dtype=float32, shape=(2, 3)} : float32 (2, 3)\ninputs %0\n"

KT_TEST(text, mistakes_are_named) {
    static const char *const bad[][2] = {
        {"nonsense\n", "line 1"},
        {IN "%1 = frobnicate(%0) : float32 (2, 3)\n", "an op that exists"},
        {IN "%1 = neg(%7) : float32 (2, 3)\n", "a value defined before"},
        {IN "%1 = neg(%0) : float32 (3, 2)\n", "the types that this op gives"},
        {IN "%1 = neg(%0, %0) : float32 (2, 3)\n", "as many inputs"},
        {IN "%0 = neg(%0) : float32 (2, 3)\n", "not used before"},
        {IN "%1 = neg(%0) : float32 (2, 3) and more\n", "the end of the line"},
        {IN "%1 = reduce(%0) {kind=9, axes=1, keepdims=0} : float32 (3,)\n", "no such kind"},
        {IN "%1 = reduce(%0) {kind=0, kind=0} : float32 (3,)\n", "each attribute once"},
        {IN "%1 = reduce(%0) {colour=0} : float32 (3,)\n", "an attribute of this op"},
        {IN "%1 = one_hot(%0) {depth=99999999999999999999, dtype=float32} : float32 (2, 3)\n",
         "an integer"},
        {IN "%1 = broadcast(%0) {shape=(9999999999, 9999999999, 2, 3)} : float32 (1,)\n",
         "a shape"},
        {"%0 = const() {value=0.0, dtype=float32, shape=(9,), data=[1.0]} : float32 (9,)\n",
         "as many numbers"},
        {"%0 = const() {data=[1.0], dtype=float32, shape=(1,)} : float32 (1,)\n",
         "behind dtype and shape"},
        {"%0 = var() {index=3, dtype=float32, shape=(1,)} : float32 (1,)\n", "no such slot"},
        {"slot 0 \"x\" : float32 (2,)\n%0 = var() {index=0, dtype=float32, shape=(1,)} : float32 "
         "(1,)\n",
         "the slot looks different"},
        {"slot 0 \"x\" : float32 (2,)\n" IN
         "%1 = assign(%0) {slot=0, offset=0, shape=(2, 3)} : float32 (2, 3)\n",
         "past the end of a slot"},
        {"%0 = input() {index=1, dtype=float32, shape=(2,)} : float32 (2,)\ninputs %0\n",
         "not the input"},
        {IN "%1 = matmul(%0, %0, %0) {ta=0, tb=1, bias=0, epilogue=0} : float32 (2, 2)\n",
         "matmul: 3 inputs"},
        {IN "%1 = scatter_add(%0, %0) {shape=(2, 3)} : float32 (2, 3)\n", "int32 indices"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        kt_graph *g = kt_graph_parse(bad[i][0]);
        if (g) fail_msg("accepted: %s", bad[i][0]);
        if (!strstr(kt_error_message(), bad[i][1]))
            fail_msg("%s\nfor %s", kt_error_message(), bad[i][0]);
    }
}

/* Characters changed, left out and doubled: every result is a legal graph or an error. */
KT_TEST(text, damaged_text_is_harmless) {
    static const char letters[] = "%0123456789(),{}[]=:-. \nabcdefnrux\"#";
    uint64_t seed = 5;
    int legal = 0;
    for (int i = 0; i < 20; i++) {
        kt_graph *g = kt_random_graph(25, (uint64_t)i);
        char *text = kt_graph_text(g);
        const size_t n = strlen(text);
        for (int k = 0; k < 100; k++) {
            char *copy = strdup(text);
            for (int edits = 0; edits < 1 + k % 4; edits++)
                copy[(size_t)(kt_test_random(&seed) * (double)n)] = letters[(
                    size_t)(kt_test_random(&seed) * (double)(sizeof letters - 1))];
            kt_graph *damaged = kt_graph_parse(copy);
            legal += damaged != NULL;
            kt_graph_free(damaged);
            free(copy);
        }
        free(text);
        kt_graph_free(g);
    }
    assert_true(legal > 0);
}

/* Verifier ------------------------------------------------------------------------------------- */

static kt_graph *small(void) {
    return kt_graph_of(
        IN "%1 = neg(%0) : float32 (2, 3)\n%2 = exp(%1) : float32 (2, 3)\noutputs %2\n");
}

static void check_broken(kt_graph *g, const char *text) {
    kt_check_status(kt_graph_verify(g), KT_EINTERNAL);
    kt_check_message_has(text);
    kt_graph_free(g);
}

KT_TEST(verify, finds_what_passes_break) {
    kt_graph *g = small(); /* order */
    kt_node *n = g->nodes.v[1];
    g->nodes.v[1] = g->nodes.v[2];
    g->nodes.v[2] = n;
    check_broken(g, "not defined before it");

    g = small(); /* a removed node that is still used */
    g->nodes.v[1]->dead = true;
    kt_graph_sweep(g);
    check_broken(g, "not defined before it");

    g = small(); /* a result that does not follow from the inputs */
    g->nodes.v[2]->out[0]->spec.shape.dim[0] = 5;
    check_broken(g, "not what infer says");

    g = small();
    g->nodes.v[2]->out[0]->id = 1;
    check_broken(g, "used twice");

    g = small();
    g->nodes.n = 2;
    check_broken(g, "output 0 is not defined");

    g = small();
    g->nodes.v[1]->n_in = 0;
    check_broken(g, "number of inputs");
}

KT_TEST(graph, a_failure_travels) {
    kt_graph *g = kt_graph_new();
    kt_val *x = kt_g_input(g, (kt_spec){KT_FLOAT32, {2, {2, 3}}});
    kt_val *bad = kt_g_matmul(g, x, x, false, false);
    assert_null(bad);
    assert_null(kt_g_exp(g, kt_g_add(g, bad, x)));
    kt_check_status(g->status, KT_ESHAPE);
    kt_check_message_has("matmul: shapes do not go together");
    kt_graph_free(g);
}

KT_TEST(graph, results_that_no_memory_holds_are_refused) {
    kt_graph *g = kt_graph_new();
    kt_val *x = kt_g_input(g, (kt_spec){KT_FLOAT32, {1, {1}}});
    assert_null(kt_g_broadcast(g, x, (kt_shape){1, {INT64_C(1) << 41}}));
    kt_check_status(g->status, KT_ELIMIT);
    kt_graph_free(g);
}
