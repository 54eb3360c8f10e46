/* See monitor.h. */
#include "callbacks/monitor.h"

#include "base/log.h"
#include "base/str.h"
#include "model/compile.h"

#include <math.h>
#include <string.h>

kt_status kt_monitor_init(kt_monitor *m, const char *name, const char *mode, double min_delta) {
    *m = (kt_monitor){.name = name, .mode = mode, .min_delta = fabs(min_delta)};
    if (!name) return KT_FAIL(KT_EINVAL, "monitor: expected the name of a value, got None");
    if (isnan(min_delta)) return KT_FAIL(KT_EINVAL, "min_delta: expected a number, got nan");
    if (mode && !strcmp(mode, "min"))
        m->sign = -1;
    else if (mode && !strcmp(mode, "max"))
        m->sign = 1;
    else if (!mode || strcmp(mode, "auto") != 0)
        return KT_FAIL(
            KT_EINVAL,
            "mode: expected \"auto\", \"min\" or \"max\", got \"%.60s\"",
            mode ? mode : "None");
    return KT_OK;
}

void kt_monitor_reset(kt_monitor *m) { m->has_best = m->warned = false; }

static bool has_part(const char *name, const char *const *parts) {
    for (; *parts; parts++)
        if (strstr(name, *parts)) return true;
    return false;
}

/* Scores are to rise, errors to fall; of counts, means and classes of the user nobody knows. */
static int metric_sign(const char *class_name) {
    static const char *const scores[] = {
        "Accuracy",
        "Precision",
        "Recall",
        "AUC",
        "IoU",
        "Score",
        "Similarity",
        "Correlation",
        "Sensitivity",
        NULL};
    static const char *const errors[] = {
        "Error", "Crossentropy", "Hinge", "Divergence", "Poisson", "Loss", "Huber", NULL};
    return has_part(class_name, scores) ? 1 : has_part(class_name, errors) ? -1 : 0;
}

kt_status kt_monitor_resolve(kt_monitor *m, const char *class_name, const kt_model *model) {
    if (m->sign) return KT_OK;
    const char *name = strncmp(m->name, "val_", 4) ? m->name : m->name + 4;
    const size_t n = strlen(name);
    if (!strcmp(name, "loss") || (n > 5 && !strcmp(name + n - 5, "_loss"))) m->sign = -1;
    const kt_compiled *c = kt_model_of(model)->compiled;
    for (int i = 0; c && i < c->metrics.n; i++) {
        const kt_metric_entry *e = &c->metrics.v[i];
        if (e->metric && e->name && !strcmp(e->name, name))
            m->sign = metric_sign(e->metric->cls->name);
    }
    if (m->sign) return KT_OK;
    KT_FAIL(
        KT_EINVAL,
        "%s: is \"%.60s\" better when it is greater or when it is less?",
        class_name,
        m->name);
    return kt_error_hint("say .mode = \"max\" or .mode = \"min\"");
}

bool kt_monitor_value(kt_monitor *m, const char *what, const kt_logs *logs, double *value) {
    kt_str names = {0};
    for (int i = 0; i < kt_logs_len(logs); i++) {
        if (!strcmp(kt_logs_name(logs, i), m->name)) {
            *value = kt_logs_value(logs, i);
            kt_str_free(&names);
            return true;
        }
        kt_str_addf(&names, "%s%s", i ? "," : "", kt_logs_name(logs, i));
    }
    if (!m->warned)
        kt_log(
            "keratin: warning: %s `%s` which is not available. Available metrics are: %s\n",
            what,
            m->name,
            names.s ? names.s : "");
    m->warned = true;
    kt_str_free(&names);
    return false;
}

bool kt_monitor_is_better(const kt_monitor *m, double value, double than) {
    const float a = (float)(value - m->sign * m->min_delta), b = (float)than;
    return m->sign > 0 ? a > b : a < b;
}

bool kt_monitor_improves(kt_monitor *m, double value) {
    if (m->has_best && !kt_monitor_is_better(m, value, m->best)) return false;
    m->has_best = true;
    m->best = value;
    return true;
}
