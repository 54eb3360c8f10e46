/* The CPU engine: runs a planned graph. A kt_cpu_code is immutable and may be shared; a kt_cpu_run
 * is one execution context with its own arena. */
#ifndef KT_BACKEND_CPU_H
#define KT_BACKEND_CPU_H

#include "ir/kernel.h"
#include "ir/plan.h"

/** How an op runs: the first row of impls.def that supports a node wins, else the reference
 * kernel. */
typedef struct kt_impl {
    const char *op, *name;
    bool (*supports)(const kt_node *n); ///< NULL: every node of the op
    kt_kernel *run;
    size_t (*scratch)(const kt_node *n); ///< NULL: none
    /** Makes what `run` finds in kt_kargs.state, in the arena of the graph, once per program. NULL:
     * nothing. */
    kt_status (*prepare)(kt_graph *g, const kt_node *n, void **state);
} kt_impl;

/** The implementation of a node; NULL (and *ref set) when its reference kernel serves. */
const kt_impl *kt_cpu_impl(const kt_node *n, kt_kernel **ref);
/** Every implementation with a row of its own, ended by NULL: for tests. */
const kt_impl *const *kt_cpu_impls(void);
/** Tests: reference kernels only. */
void kt_cpu_set_reference_only(bool on);

typedef struct kt_cpu_code kt_cpu_code;
typedef struct kt_cpu_run kt_cpu_run;

/** Plans the graph (which must outlive the code) and picks kernels. */
kt_status kt_cpu_compile(kt_graph *g, kt_cpu_code **out);
void kt_cpu_code_free(kt_cpu_code *c);
const kt_plan *kt_cpu_plan(const kt_cpu_code *c);
/** When the program was made, by kt_profile_clock: profiles say how long it took. */
void kt_cpu_made(kt_cpu_code *c, int64_t start, int64_t end);

/** A context. slots[i] is the memory of slot i and must stay where it is. */
kt_status kt_cpu_run_new(const kt_cpu_code *c, void *const *slots, kt_cpu_run **out);
void kt_cpu_run_free(kt_cpu_run *r);
/** The context's own buffer of input i, which the next runs read. */
void *kt_cpu_input(kt_cpu_run *r, int i);
/** Runs read input i from `data` (aligned to its elements, never written) until it is bound again
 * or its own buffer is asked for. */
void kt_cpu_bind(kt_cpu_run *r, int i, const void *data);
const void *kt_cpu_output(const kt_cpu_run *r, int i);
/** Runs every node in order; the first error stops it. Slots assigned in place may then be half
 * new. */
kt_status kt_cpu_execute(kt_cpu_run *r);

#endif
