/* The common part of all optimizers: arguments, learning rate, iterations, names. keras.optimizers
 *
 * Common arguments stand at different places in the structs of the classes; kt_opt_init copies them
 * by name into the state, so that the rest of the code sees one struct. */
#include "nn/optimizers/optimizer.h"

#include "base/mem.h"
#include "nn/layer.h"
#include "nn/optimizers/rule.h"
#include "nn/schedules/schedule.h"

#include <float.h>
#include <math.h>
#include <regex.h>
#include <string.h>

static const kt_field common_fields[] = {KT_OPT_FIELDS(kt_opt_common), KT_F_END};

static void copy_common(const kt_component *c, kt_opt_common *out) {
    for (const kt_field *to = common_fields; to->type; to++)
        for (const kt_field *f = c->cls->fields; f->type; f++)
            if (!strcmp(f->name, to->name))
                memcpy((char *)out + to->offset, (const char *)c->args + f->offset, f->size);
}

kt_status kt_opt_in_range(const char *name, double value, double low, double high) {
    if (value >= low && value <= high) return KT_OK;
    return KT_FAIL(
        KT_EINVAL, "%s: expected a number between %g and %g, got %g", name, low, high, value);
}

static kt_status check_numbers(const kt_component *c) {
    for (const kt_field *f = c->cls->fields; f->type; f++) {
        if (f->type != KT_FIELD_DOUBLE) continue;
        double v;
        memcpy(&v, (const char *)c->args + f->offset, sizeof v);
        if (isnan(v)) return KT_FAIL(KT_EINVAL, "%s: expected a number, got nan", f->name);
    }
    return KT_OK;
}

static kt_status check_rate(double lr) {
    if (lr >= 0 && lr <= FLT_MAX) return KT_OK; /* the variable is a float */
    return KT_FAIL(KT_EINVAL, "learning_rate: expected a float32 >= 0, got %g", lr);
}

static kt_status check_common(const kt_opt_common *a) {
    const int clips = (a->clipnorm != KT_NONE_F) + (a->clipvalue != KT_NONE_F) +
                      (a->global_clipnorm != KT_NONE_F);
    const int64_t k = a->gradient_accumulation_steps, freq = a->ema_overwrite_frequency;
    if (clips > 1)
        return KT_FAIL(KT_EINVAL, "only one of clipnorm, clipvalue and global_clipnorm can be set");
    if (k != KT_NONE && k != 0 && k < 2)
        return KT_FAIL(
            KT_EINVAL,
            "gradient_accumulation_steps: expected an integer >= 2, got %lld",
            (long long)k);
    if (a->loss_scale_factor == 0)
        return KT_FAIL(KT_EINVAL, "loss_scale_factor: expected a number other than 0");
    if (!a->use_ema) return KT_OK;
    if (freq != KT_NONE && freq < 0)
        return KT_FAIL(
            KT_EINVAL,
            "ema_overwrite_frequency: expected an integer >= 1, got %lld",
            (long long)freq);
    return kt_opt_in_range("ema_momentum", a->ema_momentum, 0, 1);
}

/* A number or a schedule: whoever gives both has made a mistake. */
static kt_status take_schedule(kt_component *c, kt_opt_state *s) {
    const kt_status st = kt_schedule_get(&s->schedule, s->a.schedule);
    if (st) return st;
    kt_adopt(s->schedule);
    kt_opt_common standard = {0};
    copy_common(
        &(kt_component){.cls = c->cls, .args = (void *)(uintptr_t)c->cls->defaults}, &standard);
    if (s->schedule && s->a.learning_rate != standard.learning_rate)
        return KT_FAIL(KT_EINVAL, "learning_rate: give a number or a schedule, not both");
    return KT_OK;
}

kt_status kt_opt_scalar(kt_var **out, const char *name, kt_dtype dtype, double value) {
    kt_var *v = kt_var_new(name, (kt_spec){dtype, {0, {0}}}, false);
    if (kt_failed(v)) return kt_check(v);
    *out = kt_adopt(v);
    kt_var_set_scalar(v, value);
    return v->initialized ? KT_OK : KT_ENOMEM;
}

kt_status kt_opt_init(kt_component *c) {
    kt_opt_common common = {0};
    copy_common(c, &common);
    return kt_opt_init_with(c, &common);
}

kt_status kt_opt_init_with(kt_component *c, const kt_opt_common *common) {
    kt_opt_state *s = kt_state_of(c);
    s->a = *common;
    kt_status st = check_numbers(c);
    if (st == KT_OK) st = check_rate(s->a.learning_rate);
    if (st == KT_OK) st = check_common(&s->a);
    if (st == KT_OK) st = take_schedule(c, s);
    if (st == KT_OK) st = kt_opt_scalar(&s->iteration, "iteration", KT_INT64, 0);
    if (st == KT_OK && !s->schedule)
        st = kt_opt_scalar(&s->lr, "learning_rate", kt_dtype_of(kt_floatx()), s->a.learning_rate);
    if (st || !s->a.name) return st;
    c->name = kt_strdup(s->a.name);
    return c->name ? KT_OK : KT_ENOMEM;
}

void kt_opt_destroy(kt_component *c) {
    kt_opt_state *s = kt_state_of(c);
    kt_opt_layout_free(&s->layout);
    for (int i = 0; i < s->excluded.n; i++) kt_mem_free(s->excluded.v[i]);
    kt_vec_free(&s->excluded);
    kt_release(s->schedule);
    kt_release(s->iteration);
    kt_release(s->lr);
    kt_release(s->step_counter);
    kt_release(s->dynamic_scale);
}

/* Patterns ------------------------------------------------------------------------------------- */

kt_status kt_opt_pattern_check(const char *name, const char *pattern) {
    regex_t re;
    if (!pattern || regcomp(&re, pattern, REG_EXTENDED | REG_NOSUB))
        return KT_FAIL(
            KT_EINVAL, "%s: \"%.60s\" is no regular expression", name, pattern ? pattern : "None");
    regfree(&re);
    return KT_OK;
}

bool kt_opt_pattern_found(const char *pattern, const char *text) {
    regex_t re;
    if (regcomp(&re, pattern, REG_EXTENDED | REG_NOSUB)) return false;
    const bool found = regexec(&re, text, 0, NULL, 0) == 0;
    regfree(&re);
    return found;
}

/* Public --------------------------------------------------------------------------------------- */

kt_status kt_optimizer_get(kt_component **out, kt_ref ref) {
    return kt_component_get(out, ref, KT_KIND_OPTIMIZER, kt_optimizer_registry(), "optimizer");
}

static kt_status require(const kt_optimizer *opt) {
    char got[96];
    if (kt_is(opt, KT_KIND_OPTIMIZER)) return kt_check(opt);
    if (opt && kt_failed(opt)) return kt_check(opt);
    return KT_FAIL(
        KT_EINVAL, "expected an optimizer, got %s", kt_ref_describe(opt, got, sizeof got));
}

/* Whose rate, count and slots they are: those of the optimizer inside, if there is one. */
static kt_opt_state *working(const kt_component *opt) {
    kt_opt_state *s = kt_state_of(opt);
    return s->inner ? kt_state_of(s->inner) : s;
}

double kt_opt_learning_rate(const kt_optimizer *opt) {
    if (require(opt)) return NAN;
    const kt_opt_state *s = working(opt);
    if (s->schedule) return kt_sched_value(s->schedule, (int64_t)kt_var_scalar(s->iteration));
    return kt_var_scalar(s->lr);
}

kt_status kt_opt_set_learning_rate(kt_optimizer *opt, double learning_rate) {
    kt_status st = require(opt);
    if (st == KT_OK) st = check_rate(learning_rate);
    if (st) return st;
    const kt_opt_state *s = working(opt);
    if (!s->lr) {
        KT_FAIL(KT_ESTATE, "learning_rate: it comes from a schedule and cannot be set");
        return kt_error_hint("make the optimizer with a number to set it later");
    }
    kt_var_set_scalar(s->lr, learning_rate);
    return KT_OK;
}

int64_t kt_opt_iterations(const kt_optimizer *opt) {
    if (require(opt)) return 0;
    const kt_opt_state *s = working(opt);
    const int64_t k = s->a.gradient_accumulation_steps;
    return (int64_t)kt_var_scalar(s->iteration) / (k > 1 ? k : 1);
}

const char *kt_opt_name(kt_optimizer *opt) {
    if (require(opt)) return "";
    if (!opt->name) opt->name = kt_auto_name(opt->cls->name);
    return opt->name ? opt->name : "";
}

kt_status kt_opt_exclude_from_weight_decay(kt_optimizer *opt, kt_names_t var_names) {
    kt_status st = require(opt);
    if (st) return st;
    kt_opt_state *s = working(opt);
    if (s->layout.n)
        return KT_FAIL(KT_ESTATE, "exclude_from_weight_decay: the optimizer is in use already");
    for (int i = 0; i < var_names.n && st == KT_OK; i++)
        st = kt_opt_pattern_check("exclude_from_weight_decay", var_names.v[i]);
    for (int i = 0; i < var_names.n && st == KT_OK; i++) {
        char *copy = kt_strdup(var_names.v[i]);
        st = copy ? kt_vec_push(&s->excluded, copy) : KT_ENOMEM;
        if (st) kt_mem_free(copy);
    }
    return st;
}

kt_component *kt_optimizer_inner(const kt_component *opt) {
    return ((const kt_opt_state *)kt_state_of(opt))->inner;
}

kt_sym *kt_optimizer_scale_loss(const kt_component *opt, kt_sym *loss) {
    const kt_opt_state *s = kt_state_of(opt);
    if (s->dynamic_scale) return kt_op_multiply(loss, kt_value(s->dynamic_scale));
    const double f = s->a.loss_scale_factor;
    return f == KT_NONE_F ? loss : kt_op_multiply(loss, kt_num(f));
}

int kt_optimizer_n_vars(const kt_component *opt) {
    return ((const kt_opt_state *)kt_state_of(opt))->layout.listed.n;
}

kt_var *kt_optimizer_var(const kt_component *opt, int i) {
    const kt_opt_layout *l = &((const kt_opt_state *)kt_state_of(opt))->layout;
    return i >= 0 && i < l->listed.n ? l->listed.v[i] : NULL;
}

kt_status kt_optimizer_own_vars(kt_component *opt, kt_var **out, int *n) {
    kt_status st = KT_OK;
    *n = 0;
    for (; opt && st == KT_OK; opt = kt_optimizer_inner(opt)) {
        const kt_opt_state *s = kt_state_of(opt);
        st = kt_opt_name_scalar(opt, s->iteration);
        if (st == KT_OK && s->lr) st = kt_opt_name_scalar(opt, s->lr);
        out[(*n)++] = s->iteration;
        if (s->lr) out[(*n)++] = s->lr;
    }
    return st;
}

int kt_optimizer_n_weights(const kt_component *opt) { return working(opt)->layout.n; }

static const kt_opt_entry *entry_of(const kt_component *opt, int i) {
    const kt_opt_layout *l = &working(opt)->layout;
    return i >= 0 && i < l->n ? &l->entry[l->by_rank[i]] : NULL;
}

kt_var *kt_optimizer_weight(const kt_component *opt, int i) {
    const kt_opt_entry *e = entry_of(opt, i);
    return e ? e->var : NULL;
}

kt_var *kt_optimizer_average(const kt_component *opt, int i) {
    const kt_opt_layout *l = &working(opt)->layout;
    const kt_opt_entry *e = entry_of(opt, i);
    return e && l->average >= 0 ? e->slot[l->average] : NULL;
}

void kt_optimizer_finalize(kt_component *opt) {
    for (int i = 0; i < kt_optimizer_n_weights(opt); i++) {
        const kt_var *average = kt_optimizer_average(opt, i);
        if (average)
            kt_var_write(kt_optimizer_weight(opt, i), kt_var_data(average), average->spec.dtype);
    }
}

kt_var *kt_optimizer_lr(const kt_component *opt) { return working(opt)->lr; }
