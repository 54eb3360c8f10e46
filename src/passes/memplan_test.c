/* The memory plan: what shares memory must not change results. Every graph is run as planned and by
 * the naive runner, which keeps each value in memory of its own. */
#include "ir/plan.h"
#include "testing/graphs.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void check_run(kt_graph *g, uint64_t seed, const char *what) {
    kt_run_result want = kt_run_naive_seeded(g, seed);
    kt_cpu_set_reference_only(true);
    kt_run_result got = kt_run_seeded(g, seed);
    kt_cpu_set_reference_only(false);
    kt_check_same(&got, &want, 0, what);
    kt_run_free(&got);
    kt_run_free(&want);
}

static void check_text(const char *text) {
    kt_graph *g = kt_graph_of(text);
    check_run(g, 1, text);
    kt_graph_free(g);
}

static void check_fast(const char *text) {
    kt_graph *g = kt_graph_of(text);
    kt_run_result want = kt_run_naive_seeded(g, 1), got = kt_run_seeded(g, 1);
    kt_check_same(&got, &want, 1e-6, text);
    kt_run_free(&got);
    kt_run_free(&want);
    kt_graph_free(g);
}

KT_TEST(memplan, random_graphs_keep_their_meaning) {
    for (int i = 0; i < 1000; i++) {
        char what[40];
        kt_graph *g = kt_random_graph(20 + i % 100, (uint64_t)i);
        snprintf(what, sizeof what, "random graph %d", i);
        check_run(g, (uint64_t)i, what);
        kt_graph_free(g);
    }
}

/* Blocks of different values overlap only if one is an alias, lies inside the other, or they do not
 * live at once; random graphs above check the meaning, this one the sizes. */
KT_TEST(memplan, peak_is_near_the_lower_bound) {
    int64_t planned = 0, bound = 0;
    for (int i = 0; i < 60; i++) {
        kt_graph *g = kt_random_graph(150, (uint64_t)i + 1000);
        kt_plan plan;
        kt_check_status(kt_plan_memory(g, NULL, &plan), KT_OK);
        assert_true(plan.arena_bytes >= plan.lower_bound);
        planned += plan.arena_bytes;
        bound += plan.lower_bound;
        kt_graph_free(g);
    }
    print_message("planned %lld bytes, lower bound %lld\n", (long long)planned, (long long)bound);
    assert_true((double)planned <= 1.05 * (double)bound);
}

#define VAR(id, slot)                                                                              \
    "%" #id " = var() {index=" #slot ", dtype=float32, shape=(4,)} : float32 (4,)\n"
#define SLOTS "slot 0 \"a\" : float32 (4,)\nslot 1 \"b\" : float32 (4,)\n"
#define ASSIGN(id, v, slot)                                                                        \
    "%" #id " = assign(%" #v ") {slot=" #slot ", offset=0, shape=(4,)} : float32 (4,)\n"
#define OP1(id, op, v) "%" #id " = " op "(%" #v ") : float32 (4,)\n"
#define OP2(id, op, v, w) "%" #id " = " op "(%" #v ", %" #w ") : float32 (4,)\n"

KT_TEST(memplan, a_variable_read_after_its_update_is_the_old_one) {
    check_text(SLOTS VAR(0, 0) OP1(1, "tanh", 0) ASSIGN(2, 1, 0)
                   OP2(3, "add", 0, 1) "outputs %3, %1\n");
    check_text(SLOTS VAR(0, 0) OP1(1, "tanh", 0) ASSIGN(2, 1, 0) "outputs %0\n");
}

KT_TEST(memplan, variables_swap) {
    check_text(SLOTS VAR(0, 0) VAR(1, 1) ASSIGN(2, 0, 1) ASSIGN(3, 1, 0));
    check_text(SLOTS VAR(0, 0) VAR(1, 1) OP1(2, "neg", 0) OP1(3, "neg", 1) ASSIGN(4, 2, 1)
                   ASSIGN(5, 3, 0));
    check_text(SLOTS VAR(0, 0) VAR(1, 1) OP1(2, "neg", 0) ASSIGN(3, 2, 1) ASSIGN(4, 1, 0));
}

KT_TEST(memplan, an_output_that_is_a_variable_is_the_old_one) {
    check_text(SLOTS VAR(0, 0) VAR(1, 1) ASSIGN(2, 1, 0) "outputs %0, %1\n");
}

KT_TEST(memplan, one_value_in_two_slots) {
    check_text(SLOTS VAR(0, 0) OP1(1, "tanh", 0) ASSIGN(2, 1, 0) ASSIGN(3, 1, 1) "outputs %1\n");
}

KT_TEST(memplan, a_slot_assigned_twice_keeps_the_last) {
    check_text(SLOTS VAR(0, 0) OP1(1, "tanh", 0) ASSIGN(2, 1, 0) ASSIGN(3, 0, 0));
    check_text(SLOTS VAR(0, 0) OP1(1, "tanh", 0) OP1(2, "neg", 1) ASSIGN(3, 1, 0)
                   ASSIGN(4, 2, 0) "outputs %1\n");
}

#define HALVES                                                                                     \
    "slot 0 \"w\" : float32 (8,)\n"                                                                \
    "%0 = var() {index=0, dtype=float32, shape=(8,)} : float32 (8,)\n"                             \
    "%1 = view(%0) {slot=0, offset=0, shape=(4,)} : float32 (4,)\n"                                \
    "%2 = view(%0) {slot=0, offset=4, shape=(4,)} : float32 (4,)\n"
#define ASSIGN_AT(id, v, at)                                                                       \
    "%" #id " = assign(%" #v ") {slot=0, offset=" #at ", shape=(4,)} : float32 (4,)\n"

KT_TEST(memplan, two_segments_of_one_slot) {
    check_text(HALVES OP1(3, "tanh", 1) OP1(4, "neg", 2) ASSIGN_AT(5, 3, 0) ASSIGN_AT(6, 4, 4));
    check_text(HALVES OP1(3, "tanh", 1) OP1(4, "neg", 2) ASSIGN_AT(5, 3, 4) ASSIGN_AT(6, 4, 0));
    check_text(HALVES ASSIGN_AT(3, 1, 4) ASSIGN_AT(4, 2, 0) "outputs %0\n");
    check_text(HALVES OP1(3, "tanh", 1) OP2(4, "add", 2, 3) ASSIGN_AT(5, 4, 4) ASSIGN_AT(6, 3, 0));
}

KT_TEST(memplan, a_pack_made_in_a_slot_is_not_early) {
    check_text(HALVES OP1(3, "tanh", 2) OP1(
        4, "neg", 1) "%5 = pack(%3, %4) {size=8, offsets=[0, 4]} : float32 (8,)\n"
                     "%6 = assign(%5) {slot=0, offset=0, shape=(8,)} : float32 (8,)\n");
}

/* The plan of a small graph, by value: which slots results go to without a copy. */
static kt_place place_of(const char *text, int id) {
    kt_graph *g = kt_graph_of(text);
    kt_plan plan;
    kt_check_status(kt_plan_memory(g, NULL, &plan), KT_OK);
    const kt_place p = plan.place[id];
    kt_graph_free(g);
    return p;
}

KT_TEST(memplan, updates_happen_in_place) {
    assert_int_equal(
        place_of(SLOTS VAR(0, 0) OP1(1, "tanh", 0) ASSIGN(2, 1, 0), 1).kind, KT_AT_SLOT);
    const kt_place p = place_of(
        HALVES OP1(3, "tanh", 1) OP1(4, "neg", 2) ASSIGN_AT(5, 4, 4) ASSIGN_AT(6, 3, 0), 4);
    assert_int_equal(p.kind, KT_AT_SLOT);
    assert_int_equal(p.offset, 16);
}

/* The first row of x is read beside x: over x, later strips would see the new first row. */
KT_TEST(memplan, a_region_does_not_overwrite_what_it_reads_twice) {
    check_fast("%0 = input() {index=0, dtype=float32, shape=(5, 900)} : float32 (5, 900)\n"
               "%1 = neg(%0) : float32 (5, 900)\n"
               "%2 = view(%1) {slot=0, offset=0, shape=(900,)} : float32 (900,)\n"
               "%3 = fused(%1, %2) {size=4500, read=[1 4500, 1 900], code=[add 0 1], "
               "out=[2 float32 (5, 900)]} : float32 (5, 900)\n"
               "inputs %0\noutputs %3\n");
}

KT_TEST(memplan, planning_again_gives_the_same) {
    kt_graph *g = kt_graph_of(SLOTS VAR(0, 0) VAR(1, 1) ASSIGN(2, 0, 1) ASSIGN(3, 1, 0));
    kt_plan a, b;
    kt_check_status(kt_plan_memory(g, NULL, &a), KT_OK);
    const int n = g->nodes.n;
    kt_check_status(kt_plan_memory(g, NULL, &b), KT_OK);
    assert_int_equal(g->nodes.n, n);
    assert_int_equal(a.arena_bytes, b.arena_bytes);
    kt_graph_free(g);
}
