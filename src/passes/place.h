/* Offsets for blocks of memory that live for a while. */
#ifndef KT_PASSES_PLACE_H
#define KT_PASSES_PLACE_H

#include "base/arena.h"

typedef struct kt_block {
    int64_t bytes, offset;
    int start, end; ///< alive from node start to node end, both included
    int id;         ///< whose it is: the caller's business
} kt_block;

/** Gives every block an offset so that blocks alive at the same time do not overlap. *total is the
 * bytes needed, *lower_bound the most bytes alive at once; nodes are numbered 0 … n_nodes. Reorders
 * the blocks. */
kt_status kt_place_blocks(
    kt_arena *arena, kt_block *b, int n, int n_nodes, int64_t *total, int64_t *lower_bound);

#endif
