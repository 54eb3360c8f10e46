/* Where every value of a graph lives: what the memory planner decides and an engine obeys. */
#ifndef KT_IR_PLAN_H
#define KT_IR_PLAN_H

#include "ir/graph.h"

typedef enum kt_place_kind {
    KT_AT_ARENA, ///< in the program's scratch memory
    KT_AT_CONST, ///< in memory that is filled once, when the program is made
    KT_AT_SLOT,  ///< in a slot: weights, optimizer state
    KT_AT_INPUT  ///< in the buffer of an input
} kt_place_kind;

typedef struct kt_place {
    kt_place_kind kind;
    int index;      ///< which slot or input
    int64_t offset; ///< bytes from its start
} kt_place;

typedef struct kt_plan {
    kt_place *place;  ///< by value id
    int64_t *scratch; ///< by node index: arena offset of its scratch, -1: none
    int64_t arena_bytes, const_bytes;
    int64_t lower_bound; ///< most bytes alive at once: no plan can be smaller
} kt_plan;

/** Bytes of scratch that the engine wants for a node. */
typedef size_t kt_scratch_fn(const kt_node *n);

/** Plans a graph (arena memory of the graph). Assignments whose value can be computed right into
 * its slot are marked dead; call it last. */
kt_status kt_plan_memory(kt_graph *g, kt_scratch_fn *scratch, kt_plan *plan);

#endif
