/* Running a function on symbolic tensors (an activation, a penalty, a projection) once, with its
 * gradient. */
#ifndef KT_TESTING_TRACE_H
#define KT_TESTING_TRACE_H

#include "nn/tracer.h"
#include "testing/kt_test.h"

typedef kt_sym *kt_trace_fn(kt_sym *x, const void *data);

/** y = fn(x) and dx = d sum(y c) / dx as new tensors (c NULL: ones); both NULL if status is not 0.
 */
typedef struct kt_traced {
    kt_status status;
    kt_tensor *y, *dx;
} kt_traced;
kt_traced kt_trace_run(kt_trace_fn *fn, const void *data, const kt_tensor *x, const kt_tensor *c);

/** Element by element: |got - want| <= atol + rtol |want|, equal infinities, NaN with NaN. With
 * `other` (which may be NULL) each element may be near that instead. Says which element differs
 * first. */
void kt_check_tensor(
    const kt_tensor *got,
    const kt_tensor *want,
    const kt_tensor *other,
    double rtol,
    double atol,
    const char *what);

/** Array "CASE/PART" of a .npz file, NULL if it has none of that name. */
struct kt_npz;
kt_tensor *kt_npz_member(struct kt_npz *npz, const char *name, const char *part);

#endif
