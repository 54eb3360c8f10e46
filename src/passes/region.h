/* Which elementwise nodes go together into one fused region: the half of the fuse pass that only
 * looks. */
#ifndef KT_PASSES_REGION_H
#define KT_PASSES_REGION_H

#include "passes/rewrite.h"

/** What an operand is, seen through reshapes and broadcasts: a number, or how a value is read. */
typedef struct kt_source {
    kt_val *v; ///< NULL: a number
    double num;
    kt_micro_input read;
} kt_source;
kt_source kt_source_of(kt_val *v);
/** Is it read element by element? */
bool kt_source_is_whole(const kt_source *s, int64_t size);

/** Can this node be a step of a region? */
bool kt_fusable(const kt_node *n);

/** Finds regions: *region_of[i] is the index of the region's last node, -1 for nodes outside. Node
 * i is g->nodes.v[i]; def[id] is the index of the node that defines a value. */
kt_status kt_find_regions(kt_graph *g, const int *def, int *region_of);

#endif
