/* Helpers for tests of the engine: random data, running a graph once, comparing results. */
#ifndef KT_TESTING_GRAPHS_H
#define KT_TESTING_GRAPHS_H

#include "backend/cpu/cpu.h"
#include "testing/kt_test.h"

#define KT_RUN_MAX 32

/** A number in [0, 1); the sequence depends on *seed alone. */
double kt_test_random(uint64_t *seed);
/** n elements in [low, high). */
void kt_test_fill(void *data, kt_dtype dtype, int64_t n, double low, double high, uint64_t *seed);
/** Data for a spec: floats in [-1, 1), integers in [0, 4), bools. free() it. */
void *kt_test_data(const kt_spec *spec, uint64_t *seed);
void *kt_test_data_in(const kt_spec *spec, double low, double high, uint64_t *seed);

/** What a run of a graph left: its outputs, then its slots. */
typedef struct kt_run_result {
    kt_status status;
    int n;
    kt_spec spec[KT_RUN_MAX];
    void *data[KT_RUN_MAX];
} kt_run_result;

/** Compiles (not the passes) and runs a graph once. in[i] and slots[i] hold the data; slots are
 * copied first, so the caller's stay as they were. */
kt_run_result kt_run_graph(kt_graph *g, void *const *in, void *const *slots);
/** The same with data from a seed. */
kt_run_result kt_run_seeded(kt_graph *g, uint64_t seed);
/** The same with every value in memory of its own, reference kernels, no plan and no executor: the
 * meaning of a graph, to compare with. Assignments happen at the end, in order. */
kt_run_result kt_run_naive(kt_graph *g, void *const *in, void *const *slots);
kt_run_result kt_run_naive_seeded(kt_graph *g, uint64_t seed);
void kt_run_free(kt_run_result *r);
/** Fails the test unless both runs gave the same: floats within `tolerance` of the largest element
 * of their array (of 0.1 if all are smaller). */
void kt_check_same(
    const kt_run_result *got, const kt_run_result *want, double tolerance, const char *what);

/** A legal graph of about n random nodes, float32 for the most part, with slots that it reads and
 * assigns and several outputs. Kinds of nodes: elementwise functions, broadcasts, reshapes, views,
 * reductions, products, packs. Values stay moderate. */
kt_graph *kt_random_graph(int n, uint64_t seed);

/** A graph from text, which must be legal; a graph as text (free() it), numbered anew. */
kt_graph *kt_graph_of(const char *text);
char *kt_graph_text(kt_graph *g);
/** Runs one pass over a text and compares with the text expected. */
void kt_check_pass(const char *pass, const char *before, const char *after);
void kt_run_pass(kt_graph *g, const char *pass);

#endif
