/* evaluate, test_on_batch, train_on_batch.  keras.Model.evaluate */
#include "model/loops.h"

#include <string.h>

typedef struct {
    kt_model *m;
    kt_progbar *bar;
    kt_callback_list *cb;
    kt_logs *logs;
    int64_t steps, every; /* steps -1: unknown */
} test_run;

static kt_status read_logs(test_run *r) {
    kt_logs_clear(r->logs);
    return kt_model_results(r->m, "", r->logs);
}

static kt_status test_after(test_run *r, int64_t step) {
    if (!kt_step_ends(step, r->every, step + 1 == r->steps)) return KT_OK;
    const bool wanted = r->cb && r->cb->wants[KT_ON_TEST_BATCH_END];
    kt_status st = wanted ? read_logs(r) : KT_OK;
    if (st == KT_OK && wanted)
        st = kt_callbacks_run(
            r->cb, KT_ON_TEST_BATCH_END, r->m, kt_step_index(step, r->every), r->logs);
    if (st || !r->bar || !kt_progbar_due(r->bar, step + 1)) return st;
    if (!wanted) st = read_logs(r);
    if (st == KT_OK) kt_progbar_update(r->bar, step + 1, r->logs, false);
    return st;
}

static kt_status test_step(test_run *r, const kt_feed *f, int64_t first, int64_t n, int64_t step) {
    kt_status st = KT_OK;
    if (r->cb && r->cb->wants[KT_ON_TEST_BATCH_BEGIN] && kt_step_begins(step, r->every))
        st = kt_callbacks_run(r->cb, KT_ON_TEST_BATCH_BEGIN, r->m, step, NULL);
    if (st == KT_OK) st = kt_feed_step(f, r->m, KT_TEST, NULL, first, n);
    return st ? st : test_after(r, step);
}

/* An endless generator needs `steps`; one that ends early has ended. */
static kt_status test_generator(test_run *r, const kt_test_data *d) {
    const int64_t steps = kt_test_steps(d);
    kt_status st = KT_OK;
    for (int64_t step = 0; (steps < 0 || step < steps) && st == KT_OK; step++) {
        kt_gen_batch b;
        st = kt_generator_next(d->gen, r->m, false, &b);
        if (st == KT_OK && b.end && steps < 0 && r->bar) kt_progbar_set_target(r->bar, step);
        if (st || b.end) break;
        st = test_step(r, &b.feed, 0, b.feed.n, step);
        kt_generator_done(&b);
    }
    return st;
}

static kt_status test_feed(test_run *r, const kt_test_data *d) {
    const kt_feed *f = &d->feed;
    kt_status st = KT_OK;
    for (int64_t step = 0, at = 0; at < f->n && st == KT_OK; step++) {
        const int64_t n = f->n - at < d->batch ? f->n - at : d->batch;
        if (d->steps != KT_NONE && step == d->steps) break;
        st = test_step(r, f, at, n, step);
        at += n;
    }
    return st;
}

int64_t kt_test_steps(const kt_test_data *d) {
    const int64_t all = d->gen ? kt_generator_length(d->gen) : kt_batches(d->feed.n, d->batch);
    return d->steps != KT_NONE && (all < 0 || d->steps < all) ? d->steps : all;
}

kt_status kt_run_test(kt_model *m, const kt_test_data *d, kt_progbar *bar, kt_callback_list *cb) {
    const int64_t every = kt_model_of(m)->compiled->args.steps_per_execution;
    test_run r = {m, bar, cb, kt_logs_new(), kt_test_steps(d), every};
    if (kt_failed(r.logs)) return kt_check(r.logs);
    kt_compiled_reset(kt_model_of(m)->compiled);
    kt_status st = cb ? kt_callbacks_run(cb, KT_ON_TEST_BEGIN, m, 0, NULL) : KT_OK;
    if (st == KT_OK) st = d->gen ? test_generator(&r, d) : test_feed(&r, d);
    if (st == KT_OK && cb && cb->wants[KT_ON_TEST_END]) {
        st = read_logs(&r);
        if (st == KT_OK) st = kt_callbacks_run(cb, KT_ON_TEST_END, m, 0, r.logs);
    }
    kt_free(r.logs);
    return st;
}

static kt_status require_compiled(kt_model *m, const char *verb) {
    const kt_status st = kt_model_require(m, verb);
    if (st || kt_model_of(m)->compiled) return st;
    KT_FAIL(KT_ESTATE, "%s before compile", verb + strlen("kt_model_"));
    return kt_error_hint("call kt_model_compile first");
}

static kt_status evaluate_open(const kt_evaluate_args *a, kt_test_data *d) {
    *d = (kt_test_data){.gen = kt_as_generator(a->x), .steps = a->steps};
    if (a->batch_size < 1 && a->batch_size != KT_NONE)
        return KT_FAIL(
            KT_EINVAL,
            "batch_size: expected a positive integer, got %lld",
            (long long)a->batch_size);
    if (d->steps < 1 && d->steps != KT_NONE)
        return KT_FAIL(
            KT_EINVAL, "steps: expected a positive integer, got %lld", (long long)d->steps);
    d->batch = kt_batch_size(a->batch_size, 0, KT_NONE);
    if (d->gen) return KT_OK;
    const kt_status st = kt_feed_open(&d->feed, a->model, a->x, a->y, a->sample_weight, false);
    d->batch = kt_batch_size(a->batch_size, d->feed.n, a->steps);
    return st ? st : kt_feed_find_sparse(&d->feed);
}

static kt_status evaluate_into(const kt_evaluate_args *a, kt_logs *logs) {
    kt_test_data d;
    kt_callback_list cb = {0};
    kt_progbar bar;
    kt_status st = evaluate_open(a, &d);
    if (st == KT_OK) st = kt_callbacks_begin(&cb, a->callbacks);
    if (st == KT_OK) {
        kt_progbar_begin(&bar, kt_test_steps(&d), a->verbose == KT_AUTO ? 1 : a->verbose, 0, 0);
        st = kt_run_test(a->model, &d, &bar, &cb);
        if (st == KT_OK) st = kt_model_results(a->model, "", logs);
        if (st == KT_OK) kt_progbar_update(&bar, bar.target, logs, true);
    }
    kt_callbacks_end(&cb);
    kt_feed_close(&d.feed);
    return st;
}

static kt_logs *finish(kt_status st, kt_logs *logs, kt_model *m, const char *verb) {
    if (st == KT_OK) return logs;
    kt_free(logs);
    if (kt_is_model(m)) kt_error_context("in %s of model \"%s\"", verb, kt_layer_name(m));
    return kt_fail_object(st);
}

kt_logs *kt_model_get_metrics_result(kt_model *m) {
    kt_logs *logs = kt_logs_new();
    kt_status st = kt_check(logs);
    if (st == KT_OK) st = require_compiled(m, "kt_model_get_metrics_result");
    if (st == KT_OK && !kt_model_of(m)->compiled->resolved) {
        KT_FAIL(KT_ESTATE, "the metrics have seen no batch yet");
        st = kt_error_hint("call it after kt_model_fit, evaluate or train_on_batch");
    }
    if (st == KT_OK) st = kt_model_results(m, "", logs);
    return finish(st, logs, m, "get_metrics_result");
}

kt_status kt_model_reset_metrics(kt_model *m) {
    const kt_status st = require_compiled(m, "kt_model_reset_metrics");
    if (st == KT_OK) kt_compiled_reset(kt_model_of(m)->compiled);
    return st;
}

kt_logs *kt_model_evaluate_with(const kt_evaluate_args *given) {
    static const kt_evaluate_args defaults = {KT_EVALUATE_DEFAULTS};
    kt_evaluate_args args, *a = &args;
    kt_status st = kt_args_read(a, given, sizeof args, &defaults);
    if (st) return kt_fail_object(st);
    kt_logs *logs = kt_logs_new();
    st = kt_check(logs);
    if (st == KT_OK) st = require_compiled(a->model, "kt_model_evaluate");
    if (st == KT_OK) st = evaluate_into(a, logs);
    return finish(st, logs, a->model, "evaluate");
}

static kt_logs *on_batch(const kt_on_batch_args *given, kt_program_kind kind, const char *verb) {
    kt_on_batch_args args, *a = &args;
    kt_feed f = {0};
    kt_status st = kt_args_read(a, given, sizeof args, NULL);
    if (st) return kt_fail_object(st);
    kt_logs *logs = kt_logs_new();
    st = kt_check(logs);
    if (st == KT_OK) st = require_compiled(a->model, verb);
    if (st == KT_OK) st = kt_feed_open(&f, a->model, a->x, a->y, a->sample_weight, false);
    if (st == KT_OK) st = kt_feed_find_sparse(&f);
    if (st == KT_OK) st = kt_feed_class_weight(&f, a->class_weight);
    if (st == KT_OK) {
        kt_compiled_reset(kt_model_of(a->model)->compiled);
        st = kt_feed_step(&f, a->model, kind, NULL, 0, f.n);
    }
    if (st == KT_OK) st = kt_model_results(a->model, "", logs);
    kt_feed_close(&f);
    return finish(st, logs, a->model, verb + sizeof "kt_model_" - 1);
}

kt_logs *kt_model_train_on_batch_with(const kt_on_batch_args *a) {
    return on_batch(a, KT_TRAIN, "kt_model_train_on_batch");
}

kt_logs *kt_model_test_on_batch_with(const kt_on_batch_args *a) {
    return on_batch(a, KT_TEST, "kt_model_test_on_batch");
}
