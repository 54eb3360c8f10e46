/* Schedules: the learning rate as a function of the step. Each class is a `call` over symbols,
 * which the optimizer puts into its training program. */
#ifndef KT_NN_SCHEDULES_SCHEDULE_H
#define KT_NN_SCHEDULES_SCHEDULE_H

#include "base/error.h"
#include "nn/tracer.h"

#include <keratin/schedules.h>

kt_status kt_schedule_get(kt_component **out, kt_ref ref);
/** Inside a trace: the rate at a step (an int64 scalar), in the floating type of the policy. */
kt_sym *kt_schedule_call(const kt_component *c, kt_sym *step);
#define KT_PI 3.14159265358979323846
/** KT_EINVAL unless steps > 0; `name` is the argument's. */
kt_status kt_schedule_steps(const char *name, double steps);

#endif
