/* Schedules: registry, the call from an optimizer, and the value of a schedule on its own. */
#include "nn/schedules/schedule.h"

#include "runtime/program.h"

#include <math.h>

#define KT_SCHEDULE(name) extern const kt_schedule_class kt_sched_##name##_class;
#include "nn/schedules/schedules.def"
#undef KT_SCHEDULE

const kt_class *const *kt_schedule_registry(void) {
#define KT_SCHEDULE(name) &kt_sched_##name##_class.base,
    static const kt_class *const all[] = {
#include "nn/schedules/schedules.def"
        NULL};
#undef KT_SCHEDULE
    return all;
}

kt_status kt_schedule_get(kt_component **out, kt_ref ref) {
    return kt_component_get(out, ref, KT_KIND_SCHEDULE, kt_schedule_registry(), "schedule");
}

kt_status kt_schedule_steps(const char *name, double steps) {
    if (steps > 0) return KT_OK;
    return KT_FAIL(KT_EINVAL, "%s: expected a number > 0, got %g", name, steps);
}

kt_sym *kt_schedule_call(const kt_component *c, kt_sym *step) {
    const kt_schedule_class *cls = (const kt_schedule_class *)c->cls;
    return cls->call(c, kt_op_cast(step, kt_floatx()));
}

/* A program of its own: the step in, the rate out. */
static kt_status trace_value(const kt_component *c, kt_program **out) {
    kt_tracer t;
    kt_graph *g = kt_graph_new();
    if (!g) return KT_ENOMEM;
    kt_tracer_begin(&t, g, false, NULL);
    kt_val *step = kt_g_input(g, (kt_spec){KT_INT64, {0, {0}}});
    kt_val *rate = kt_g_cast(g, kt_unwrap(kt_schedule_call(c, kt_wrap(step)), NULL), KT_FLOAT64);
    if (rate && kt_vec_push(&g->outputs, rate)) kt_graph_fail(g, KT_ENOMEM);
    if (!rate) kt_graph_fail(g, KT_EINTERNAL);
    kt_tracer_end(&t);
    return kt_program_new(g, out);
}

static kt_status run_value(kt_program *p, int64_t step, double *value) {
    kt_cpu_run *run = NULL;
    kt_status st = kt_program_acquire(p, &run);
    if (st) return st;
    *(int64_t *)kt_cpu_input(run, 0) = step;
    st = kt_cpu_execute(run);
    if (st == KT_OK) *value = *(const double *)kt_cpu_output(run, 0);
    kt_program_release(p, run);
    return st;
}

double kt_sched_value(const kt_schedule *schedule, int64_t step) {
    char got[96];
    double value = NAN;
    kt_program *p = NULL;
    if (schedule && kt_failed(schedule)) return NAN;
    if (!kt_is(schedule, KT_KIND_SCHEDULE)) {
        KT_FAIL(
            KT_EINVAL, "expected a schedule, got %s", kt_ref_describe(schedule, got, sizeof got));
        return NAN;
    }
    if (trace_value(schedule, &p) == KT_OK) run_value(p, step, &value);
    kt_program_free(p);
    return value;
}
