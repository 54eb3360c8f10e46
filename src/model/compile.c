/* compile(): turns names and objects into an optimizer, losses and metrics.  keras.Model.compile */
#include "model/compile.h"

#include "base/mem.h"
#include "base/str.h"
#include "nn/losses/loss.h"
#include "nn/metrics/metric.h"
#include "nn/optimizers/optimizer.h"

#include <keratin/saving.h>

#include <math.h>
#include <stdio.h>
#include <string.h>

static const kt_field compile_fields[] = {
    KT_F(kt_compile_args, optimizer),
    KT_F(kt_compile_args, loss),
    KT_F(kt_compile_args, loss_weights),
    KT_F(kt_compile_args, metrics),
    KT_F(kt_compile_args, weighted_metrics),
    KT_F(kt_compile_args, run_eagerly),
    KT_F(kt_compile_args, steps_per_execution),
    KT_F(kt_compile_args, jit_compile),
    KT_F(kt_compile_args, auto_scale_loss),
    KT_F_END};

static void mean_free(kt_mean_vars *m) {
    kt_release(m->total);
    kt_release(m->count);
    kt_mem_free(m->name);
}

void kt_compiled_free(kt_compiled *c) {
    if (!c) return;
    kt_release(c->optimizer);
    for (int i = 0; i < c->n_out; i++) {
        if (c->loss) kt_release(c->loss[i]);
        if (c->out_loss) mean_free(&c->out_loss[i]);
    }
    for (int i = 0; i < c->metrics.n; i++) {
        kt_release(c->metrics.v[i].metric);
        kt_mem_free(c->metrics.v[i].name);
    }
    for (int i = 0; i < c->n_named; i++) kt_mem_free((void *)(uintptr_t)c->named[i].output);
    kt_mem_free(c->named);
    mean_free(&c->total_loss);
    kt_vec_free(&c->metrics);
    kt_mem_free(c->loss);
    kt_mem_free(c->loss_weight);
    kt_mem_free(c->out_loss);
    if (c->args.size) kt_args_release(&c->args, compile_fields);
    kt_mem_free(c);
}

/* A variable pair that holds a running mean. */
static kt_status mean_make(kt_mean_vars *m, const char *name) {
    const kt_spec scalar = {KT_FLOAT32, {0, {0}}};
    m->name = kt_strdup(name);
    m->total = kt_adopt(kt_var_new("total", scalar, false));
    m->count = kt_adopt(kt_var_new("count", scalar, false));
    if (!m->name) return KT_ENOMEM;
    kt_status st = kt_check(m->total);
    if (st == KT_OK) st = kt_check(m->count);
    if (st == KT_OK) st = kt_var_ensure(m->total);
    return st ? st : kt_var_ensure(m->count);
}

/* Argument `spec` (one item, a list, a dict by output name) for output i: NULL if there is none. */
static kt_status pick_for_output(
    kt_ref spec, int i, int n_out, char *const *names, const char *what, kt_ref *out) {
    *out = spec;
    if (!kt_is(spec, KT_KIND_LIST)) return KT_OK;
    const kt_list_t *list = spec;
    if (kt_list_is_dict(list)) {
        *out = NULL;
        for (int k = 0; k < kt_list_len(list); k += 2)
            if (names && !strcmp(kt_list_get(list, k), names[i])) *out = kt_list_get(list, k + 1);
        return KT_OK;
    }
    if (kt_list_len(list) != n_out)
        return KT_FAIL(
            KT_EINVAL,
            "%s: expected %d, one for each output of the model, got %d",
            what,
            n_out,
            kt_list_len(list));
    *out = kt_list_get(list, i);
    return KT_OK;
}

/* The output of that name. */
static kt_status find_output(
    const char *key, int n_out, char *const *names, const char *what, int *out) {
    if (!names) {
        KT_FAIL(KT_ESTATE, "%s: the outputs of the model have no names yet", what);
        return kt_error_hint("begin the model with kt_input()");
    }
    for (*out = 0; *out < n_out; ++*out)
        if (!strcmp(names[*out], key)) return KT_OK;
    KT_FAIL(KT_EINVAL, "%s: the model has no output \"%.60s\"", what, key);
    kt_error_expected("\"%.60s\"%s", names[0], n_out > 1 ? " and the other outputs" : "");
    const char *near = kt_nearest(key, (const char *const *)names, n_out);
    return near ? kt_error_hint("did you mean \"%s\"?", near) : KT_EINVAL;
}

static kt_status check_dict_names(kt_ref spec, int n_out, char *const *names, const char *what) {
    kt_status st = KT_OK;
    const bool dict = kt_is(spec, KT_KIND_LIST) && kt_list_is_dict(spec);
    for (int k = 0, i; dict && k < kt_list_len(spec) && st == KT_OK; k += 2)
        st = find_output(kt_list_get(spec, k), n_out, names, what, &i);
    return st;
}

/* loss_weights by the names of outputs: a copy for files, and the numbers. */
static kt_status take_named_weights(
    kt_compiled *c, const kt_model_state *s, const kt_loss_weight *given) {
    kt_status st = KT_OK;
    int n = 0, i;
    if (c->args.loss_weights.n)
        return KT_FAIL(
            KT_EINVAL, "loss_weights: expected one of the list and loss_weights_by_name, got both");
    while (given[n].output) n++;
    c->named = kt_alloc_array(n + 1, sizeof *c->named);
    if (!c->named) return KT_ENOMEM;
    for (i = 0; i < c->n_out; i++) c->loss_weight[i] = KT_NONE_F;
    for (int k = 0; k < n && st == KT_OK; k++) {
        st = find_output(given[k].output, c->n_out, s->out_name, "loss_weights", &i);
        if (st) return st;
        c->loss_weight[i] = given[k].weight;
        c->named[k] = (kt_loss_weight){kt_strdup(given[k].output), given[k].weight};
        if (!c->named[c->n_named++].output) return KT_ENOMEM;
    }
    return KT_OK;
}

static kt_status take_weights(
    kt_compiled *c, const kt_model_state *s, const kt_loss_weight *by_name) {
    kt_status st = KT_OK;
    const int n = c->args.loss_weights.n;
    for (int i = 0; i < c->n_out; i++)
        c->loss_weight[i] = n ? c->args.loss_weights.v[i < n ? i : 0] : 1;
    if (by_name) st = take_named_weights(c, s, by_name);
    for (int i = 0; i < c->n_out && st == KT_OK; i++) {
        const double w = c->loss_weight[i];
        if (w == KT_NONE_F && c->loss[i])
            st = KT_FAIL(KT_EINVAL, "loss_weights: none for output \"%s\"", s->out_name[i]);
        else if (!isfinite(w))
            st = KT_FAIL(KT_EINVAL, "loss_weights: expected finite numbers, got %g", w);
    }
    return st;
}

static kt_status resolve_losses(
    kt_compiled *c, const kt_model_state *s, const kt_loss_weight *by_name) {
    kt_status st = check_dict_names(c->args.loss, c->n_out, s->out_name, "loss");
    c->loss = kt_alloc_array(c->n_out, sizeof *c->loss);
    c->loss_weight = kt_alloc_array(c->n_out, sizeof *c->loss_weight);
    if (!c->loss || !c->loss_weight) return KT_ENOMEM;
    if (c->args.loss_weights.n && c->args.loss_weights.n != c->n_out)
        return KT_FAIL(
            KT_EINVAL,
            "loss_weights: expected %d, one for each output of the model, got %d",
            c->n_out,
            c->args.loss_weights.n);
    for (int i = 0; i < c->n_out && st == KT_OK; i++) {
        kt_ref ref;
        kt_component *loss = NULL;
        st = pick_for_output(c->args.loss, i, c->n_out, s->out_name, "loss", &ref);
        if (st == KT_OK && ref && ref != (kt_ref)kt_none) st = kt_loss_get(&loss, ref);
        c->loss[i] = st ? NULL : kt_adopt(loss);
    }
    return st ? st : take_weights(c, s, by_name);
}

/* "crossentropy" and the like need shapes; other wrong names should be found at compile, not at
 * fit. */
static kt_status add_metric(kt_compiled *c, int output, kt_ref ref, bool weighted) {
    char got[96];
    if (ref == (kt_ref)kt_none) return KT_OK;
    if (kt_is_obj(ref) && !kt_is(ref, KT_KIND_METRIC) && !kt_is(ref, KT_KIND_LOSS))
        return KT_FAIL(
            KT_EINVAL,
            "metrics: expected a name or a metric, got %s",
            kt_ref_describe(ref, got, sizeof got));
    if (!kt_is_obj(ref)) {
        kt_component *probe = NULL;
        const kt_shape any = {2, {KT_NONE, 1}};
        const kt_status st = kt_metric_get(&probe, ref, &any, &any);
        if (st) return st;
        kt_drop(probe);
    }
    return kt_vec_push(&c->metrics, ((kt_metric_entry){output, ref, weighted, NULL, NULL}));
}

static kt_status add_metrics(kt_compiled *c, const kt_model_state *s, kt_ref spec, bool weighted) {
    if (!spec) return KT_OK;
    kt_status st = check_dict_names(spec, c->n_out, s->out_name, "metrics");
    const bool is_list = kt_is(spec, KT_KIND_LIST) && !kt_list_is_dict(spec);
    for (int i = 0; i < c->n_out && st == KT_OK; i++) {
        kt_ref mine = spec;
        if (c->n_out > 1 || (kt_is(spec, KT_KIND_LIST) && !is_list)) {
            /* a flat list of names goes to the only output that there is, else item i is output
             * i's */
            st = pick_for_output(spec, i, c->n_out, s->out_name, "metrics", &mine);
        }
        const bool several = kt_is(mine, KT_KIND_LIST);
        const int n = several ? kt_list_len(mine) : mine ? 1 : 0;
        for (int k = 0; k < n && st == KT_OK; k++) {
            kt_ref item = several ? kt_list_get(mine, k) : mine;
            if (kt_is(item, KT_KIND_LIST) && kt_list_len(item) == 1) item = kt_list_get(item, 0);
            st = add_metric(c, i, item, weighted);
        }
    }
    return st;
}

/* Under mixed_float16 gradients would be lost without a scaled loss: Keras, too, wraps what it is
 * given. Files have the optimizer that was given. */
static kt_status resolve_optimizer(kt_compiled *c, const kt_model *m) {
    kt_component *opt = NULL;
    if (!c->args.optimizer)
        return KT_FAIL(KT_EINVAL, "optimizer: expected a name or an optimizer, got None");
    kt_status st = kt_optimizer_get(&opt, c->args.optimizer);
    const bool mixed = m->dtype == KT_FLOAT16 && m->variable_dtype == KT_FLOAT32;
    c->scales_loss = st == KT_OK && mixed && c->args.auto_scale_loss && !kt_optimizer_inner(opt);
    if (c->scales_loss) {
        opt = kt_opt_loss_scale_optimizer(opt, .name = "loss_scale_optimizer");
        st = kt_check(opt);
    }
    c->optimizer = st ? NULL : kt_adopt(opt);
    return st;
}

static kt_status compiled_fill(kt_compiled *c, const kt_model *m, const kt_compile_args *a) {
    const kt_model_state *s = m->state;
    kt_compile_args given = {0};
    kt_status st = kt_args_read(&given, a, sizeof given, NULL);
    if (st == KT_OK) st = kt_args_copy(&c->args, a, sizeof c->args, NULL, compile_fields);
    if (st) {
        c->args.size = 0;
        return st;
    }
    c->args.loss_weights_by_name = NULL;  /* the array is the caller's */
    c->n_out = s->nodes.n ? s->n_out : 1; /* a deferred Sequential has one */
    if (c->args.steps_per_execution < 1)
        return KT_FAIL(
            KT_EINVAL,
            "steps_per_execution: expected a positive integer, got %d",
            c->args.steps_per_execution);
    st = resolve_optimizer(c, m);
    if (st == KT_OK) st = resolve_losses(c, s, given.loss_weights_by_name);
    if (st == KT_OK) st = add_metrics(c, s, c->args.metrics, false);
    if (st == KT_OK) st = add_metrics(c, s, c->args.weighted_metrics, true);
    if (st == KT_OK) st = mean_make(&c->total_loss, "loss");
    int n_losses = 0;
    for (int i = 0; i < c->n_out; i++) n_losses += c->loss && c->loss[i];
    if (st || n_losses < 2) return st;
    c->out_loss = kt_alloc_array(c->n_out, sizeof *c->out_loss);
    if (!c->out_loss) return KT_ENOMEM;
    for (int i = 0; i < c->n_out && st == KT_OK; i++) {
        char name[160];
        if (!c->loss[i]) continue;
        snprintf(name, sizeof name, "%.150s_loss", s->out_name[i]);
        st = mean_make(&c->out_loss[i], name);
    }
    return st;
}

kt_status kt_model_compile_with(const kt_compile_args *a) {
    kt_status st = kt_model_require(a->model, "kt_model_compile");
    if (st) return st;
    kt_model_state *s = a->model->state;
    kt_compiled *c = kt_alloc(sizeof *c);
    if (!c) return KT_ENOMEM;
    st = compiled_fill(c, a->model, a);
    if (st) { /* the old compile stays in force */
        kt_compile_args args = c->args;
        c->args.size = 0;
        kt_compiled_free(c);
        if (args.size) kt_args_return(&args, compile_fields); /* last: they float again */
        kt_error_context("in compile of model \"%s\"", kt_layer_name(a->model));
        return st;
    }
    kt_model_forget_programs(a->model, false);
    kt_compiled_free(s->compiled);
    s->compiled = c;
    return KT_OK;
}

bool kt_model_is_compiled(const kt_model *m) {
    return kt_is_model(m) && kt_model_of(m)->compiled != NULL;
}

kt_component *kt_model_optimizer(const kt_model *m) {
    if (kt_model_require(m, "kt_model_optimizer")) return NULL;
    const kt_compiled *c = kt_model_of(m)->compiled;
    return c ? c->optimizer : NULL;
}

/* Metrics by shapes
 * -------------------------------------------------------------------------------- */

static kt_status name_metric(kt_compiled *c, const kt_model_state *s, int at) {
    kt_metric_entry *e = &c->metrics.v[at];
    char output[80] = "", base[160], name[176];
    const char *own = kt_metric_name(e->metric);
    bool taken = false;
    if (c->n_out > 1) snprintf(output, sizeof output, "%.70s_", s->out_name[e->output]);
    snprintf(base, sizeof base, "%s%.70s", output, own);
    for (int i = 0; i < at && e->weighted; i++)
        taken = taken || !strcmp(c->metrics.v[i].name, base);
    if (taken) snprintf(base, sizeof base, "%sweighted_%.70s", output, own);
    snprintf(name, sizeof name, "%s", base);
    taken = true;
    for (int n = 1; taken; n++) { /* a second one of the same name gets _1 */
        taken = false;
        for (int i = 0; i < at; i++) taken = taken || !strcmp(c->metrics.v[i].name, name);
        if (taken) snprintf(name, sizeof name, "%s_%d", base, n);
    }
    e->name = kt_strdup(name);
    return e->name ? KT_OK : KT_ENOMEM;
}

kt_status kt_compiled_resolve(
    kt_model *m, int n_out, const kt_shape *y_true, const kt_shape *y_pred) {
    kt_model_state *s = m->state;
    kt_compiled *c = s->compiled;
    kt_status st = KT_OK;
    if (c->resolved) return KT_OK;
    for (int i = 0; i < c->metrics.n && st == KT_OK; i++) {
        kt_metric_entry *e = &c->metrics.v[i];
        if (e->output >= n_out || e->metric) continue;
        kt_component *metric = NULL;
        st = kt_metric_get(&metric, e->ref, &y_true[e->output], &y_pred[e->output]);
        e->metric = st ? NULL : kt_adopt(metric);
        const kt_metric_class *cls = st ? NULL : (const kt_metric_class *)metric->cls;
        if (st == KT_OK && cls->build)
            st = cls->build(metric, &y_true[e->output], &y_pred[e->output]);
        if (st == KT_OK && !e->name) st = name_metric(c, s, i);
    }
    c->resolved = st == KT_OK;
    return st;
}

void kt_compiled_reset(kt_compiled *c) {
    kt_var_set_scalar(c->total_loss.total, 0);
    kt_var_set_scalar(c->total_loss.count, 0);
    for (int i = 0; c->out_loss && i < c->n_out; i++) {
        if (!c->out_loss[i].name) continue;
        kt_var_set_scalar(c->out_loss[i].total, 0);
        kt_var_set_scalar(c->out_loss[i].count, 0);
    }
    for (int i = 0; i < c->metrics.n; i++)
        if (c->metrics.v[i].metric) kt_metric_reset(c->metrics.v[i].metric);
}
