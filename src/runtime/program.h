/* A program: a graph made ready to run. Immutable; contexts (arena and input buffers) are made on
 * demand and kept, so several threads may run one program at once if it assigns nothing. */
#ifndef KT_RUNTIME_PROGRAM_H
#define KT_RUNTIME_PROGRAM_H

#include "backend/cpu/cpu.h"
#include "runtime/var.h"

typedef struct kt_program kt_program;

/** Optimises, plans and compiles. Takes the graph, also when it fails. Slot keys are kt_store. */
kt_status kt_program_new(kt_graph *g, kt_program **out);
/** Counted references: a program lives until the last one is freed. */
kt_program *kt_program_ref(kt_program *p);
void kt_program_free(kt_program *p);
/** When it was made, tracing included: for profiles. */
void kt_program_made(kt_program *p, int64_t start, int64_t end);
const kt_graph *kt_program_graph(const kt_program *p);
const kt_plan *kt_program_plan(const kt_program *p);

/** A context of this program for the calling thread alone, until it is given back. */
kt_status kt_program_acquire(kt_program *p, kt_cpu_run **run);
void kt_program_release(kt_program *p, kt_cpu_run *run);

#endif
