/* What the adapters of this folder share. */
#ifndef KT_CPU_IMPLS_H
#define KT_CPU_IMPLS_H

#include "backend/cpu/cpu.h"
#include "backend/cpu/kernels/kernels.h"
#include "base/pool.h"
#include "ir/attrs.h"
#include "ir/opdef.h"

/** The strip implementation of an elementwise op, NULL if the node is not one that strips can
 * do. */
const kt_impl *kt_cpu_elementwise_impl(const kt_node *n);

static inline bool is_f32(const kt_val *v) { return v->spec.dtype == KT_FLOAT32; }
static inline int64_t val_size(const kt_val *v) { return kt_shape_size(&v->spec.shape); }

/** Runs fn(arg, first, n) over 0 … total-1 in pieces of `piece` (a multiple of 64), in parallel
 * when the work is worth it (cost_ns per element). Pieces do not depend on the number of
 * threads. */
typedef kt_status kt_range_fn(void *arg, int64_t first, int64_t n);
kt_status kt_cpu_range(kt_range_fn *fn, void *arg, int64_t total, int64_t piece, double cost_ns);

#endif
