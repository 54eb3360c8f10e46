/* Graph to graph, in the order of passes.def. A pass keeps results within rounding and leaves a
 * legal graph. KT_VERIFY=1 checks that between passes, KT_DUMP=1 prints the graph after each. */
#ifndef KT_PASSES_PASSES_H
#define KT_PASSES_PASSES_H

#include "ir/graph.h"

typedef kt_status kt_pass_fn(kt_graph *g);
typedef struct kt_pass {
    const char *name;
    kt_pass_fn *run;
} kt_pass;

/** All passes in order, ended by one without a name; one by name (tests). */
const kt_pass *kt_pass_all(void);
kt_pass_fn *kt_pass_find(const char *name);
kt_status kt_passes_run(kt_graph *g);

#endif
