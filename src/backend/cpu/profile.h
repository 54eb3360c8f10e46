/* Times of single nodes. KT_PROFILE=file.json writes a trace that chrome://tracing and Perfetto
 * open: one bar for the making of each program, with the size of its plan, and one per node and
 * execution, with its layer, kernel and result. */
#ifndef KT_CPU_PROFILE_H
#define KT_CPU_PROFILE_H

#include "ir/plan.h"

typedef struct kt_profile kt_profile;

/** What a trace says about a program. */
typedef struct kt_profile_program {
    int64_t start, end; ///< when it was made
    int n_steps;
    const kt_plan *plan;
} kt_profile_program;

/** A profile for one context, NULL unless KT_PROFILE is set. */
kt_profile *kt_profile_new(const kt_profile_program *of);
/** Nanoseconds of a clock that only goes forward. */
int64_t kt_profile_clock(void);
/** A node ran from start to end. Of very long runs only the first million are kept. */
void kt_profile_add(kt_profile *p, const kt_node *n, int64_t start, int64_t end);
/** Appends everything to the file (the first profile of the process starts it anew). NULL is
 * fine. */
void kt_profile_free(kt_profile *p);

#endif
