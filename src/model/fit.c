/* The training loop.  keras.Model.fit
 *
 * Per step: gather a batch into the program's inputs, run the program. Nothing else happens unless
 * a callback or the progress bar asks: metrics live in variables that the program itself
 * updates. */
#include "base/mem.h"
#include "base/rng.h"
#include "model/callback.h"
#include "model/feed.h"
#include "model/generator.h"
#include "model/loops.h"
#include "model/progbar.h"
#include "nn/optimizers/optimizer.h"
#include "runtime/settings.h"

#include <string.h>

typedef struct {
    const kt_fit_args *a;
    kt_model *m;
    kt_model_state *s;
    kt_feed train;
    const kt_generator *gen; /* in place of train */
    kt_test_data val;
    bool has_val;
    kt_callback_list callbacks;
    kt_progbar bar;
    int64_t *order, steps, batch, position, every;
    kt_history *history;
    kt_logs *logs;
    int verbose;
} fit_run;

/* Fisher-Yates with numbers of this epoch: the same seed gives the same order. */
static void shuffle_order(fit_run *r, int epoch) {
    const uint64_t key = kt_rng_key(kt_seed(), "shuffle");
    double number[2];
    for (int64_t i = 0; i < r->train.n; i++) r->order[i] = r->train.first + i;
    for (int64_t i = r->train.n; i-- > 1;) {
        if (i % 2 || i + 1 == r->train.n)
            kt_rng_doubles(key, (uint64_t)epoch, (uint64_t)i / 2, number);
        const int64_t j = (int64_t)(number[i % 2] * (double)(i + 1));
        const int64_t t = r->order[i];
        r->order[i] = r->order[j];
        r->order[j] = t;
    }
}

static kt_status check_args(const kt_fit_args *a) {
    if (a->batch_size < 1 && a->batch_size != KT_NONE)
        return KT_FAIL(
            KT_EINVAL,
            "batch_size: expected a positive integer, got %lld",
            (long long)a->batch_size);
    if (a->epochs < 0 || a->initial_epoch < 0)
        return KT_FAIL(
            KT_EINVAL,
            "epochs: expected numbers >= 0, got %d from %d",
            a->epochs,
            a->initial_epoch);
    if (!(a->validation_split >= 0 && a->validation_split < 1))
        return KT_FAIL(
            KT_EINVAL,
            "validation_split: expected a number in [0, 1), got %g",
            a->validation_split);
    if (a->validation_freq < 1)
        return KT_FAIL(
            KT_EINVAL, "validation_freq: expected a positive integer, got %d", a->validation_freq);
    if (a->steps_per_epoch != KT_NONE && a->steps_per_epoch < 1)
        return KT_FAIL(
            KT_EINVAL,
            "steps_per_epoch: expected a positive integer, got %lld",
            (long long)a->steps_per_epoch);
    if (a->validation_steps != KT_NONE && a->validation_steps < 1)
        return KT_FAIL(
            KT_EINVAL,
            "validation_steps: expected a positive integer, got %lld",
            (long long)a->validation_steps);
    return KT_OK;
}

/* The last rows are for validation. */
static kt_status split_data(fit_run *r) {
    const kt_fit_args *a = r->a;
    const int64_t cut = (int64_t)((double)r->train.n * (1 - a->validation_split));
    if (cut < 1 || cut >= r->train.n)
        return KT_FAIL(
            KT_EINVAL,
            "validation_split: %g of %lld rows leaves a part empty",
            a->validation_split,
            (long long)r->train.n);
    r->val.feed = kt_feed_slice(&r->train, cut, r->train.n);
    r->train.n = cut;
    return KT_OK;
}

static kt_status open_data(fit_run *r) {
    const kt_fit_args *a = r->a;
    kt_status st = KT_OK;
    r->gen = kt_as_generator(a->x);
    r->val = (kt_test_data){.gen = kt_as_generator(a->validation_x), .steps = a->validation_steps};
    r->val.batch = a->validation_batch_size == KT_NONE ? a->batch_size : a->validation_batch_size;
    if (r->val.batch < 1 && r->val.batch != KT_NONE)
        return KT_FAIL(
            KT_EINVAL,
            "validation_batch_size: expected a positive integer, got %lld",
            (long long)r->val.batch);
    r->has_val = a->validation_x || a->validation_split > 0;
    if (r->gen && (a->y || a->sample_weight || a->class_weight || a->validation_split > 0))
        return KT_FAIL(
            KT_EINVAL,
            "y, sample_weight, class_weight and validation_split do not go with a generator");
    if (!r->gen) st = kt_feed_open(&r->train, r->m, a->x, a->y, a->sample_weight, false);
    if (st == KT_OK && !r->gen) st = kt_feed_find_sparse(&r->train);
    if (st == KT_OK && a->validation_x && !r->val.gen)
        st = kt_feed_open(
            &r->val.feed,
            r->m,
            a->validation_x,
            a->validation_y,
            a->validation_sample_weight,
            false);
    if (st == KT_OK && a->validation_x && !r->val.gen) st = kt_feed_find_sparse(&r->val.feed);
    if (st == KT_OK && !a->validation_x && a->validation_split > 0) st = split_data(r);
    r->batch = kt_batch_size(a->batch_size, r->gen ? 0 : r->train.n, a->steps_per_epoch);
    r->val.batch = kt_batch_size(r->val.batch, r->val.gen ? 0 : r->val.feed.n, a->validation_steps);
    return st || r->gen ? st : kt_feed_class_weight(&r->train, a->class_weight); /* training only */
}
static kt_status before_step(fit_run *r, int64_t step) {
    if (!r->callbacks.wants[KT_ON_TRAIN_BATCH_BEGIN] || !kt_step_begins(step, r->every))
        return KT_OK;
    return kt_callbacks_run(&r->callbacks, KT_ON_TRAIN_BATCH_BEGIN, r->m, step, NULL);
}

static kt_status read_logs(fit_run *r) {
    kt_logs_clear(r->logs);
    return kt_model_results(r->m, "", r->logs);
}

/* Callbacks come before the bar, as in Keras: what they say stands above it. */
static kt_status after_step(fit_run *r, int64_t step) {
    if (!kt_step_ends(step, r->every, step + 1 == r->steps)) return KT_OK;
    const bool wanted = r->callbacks.wants[KT_ON_TRAIN_BATCH_END];
    kt_status st = wanted ? read_logs(r) : KT_OK;
    if (st == KT_OK && wanted)
        st = kt_callbacks_run(
            &r->callbacks, KT_ON_TRAIN_BATCH_END, r->m, kt_step_index(step, r->every), r->logs);
    if (st || !kt_progbar_due(&r->bar, step + 1)) return st;
    if (!wanted) st = read_logs(r);
    if (st == KT_OK) kt_progbar_update(&r->bar, step + 1, r->logs, false);
    return st;
}

/* n rows from the current position on */
static kt_status train_step(fit_run *r, int64_t n) {
    if (!r->a->shuffle) return kt_feed_step(&r->train, r->m, KT_TRAIN, NULL, r->position, n);
    return kt_feed_step(&r->train, r->m, KT_TRAIN, r->order + r->position, 0, n);
}

/* Arrays run through once per epoch; with steps_per_epoch the next epoch goes on where this one
 * stopped. */
static kt_status run_steps(fit_run *r, int epoch) {
    kt_status st = KT_OK;
    for (int64_t step = 0; step < r->steps && st == KT_OK && !r->s->stop_training; step++) {
        if (r->position >= r->train.n) {
            if (step == 0 || r->a->steps_per_epoch == KT_NONE)
                r->position = 0;
            else
                break;
        }
        if (r->position == 0 && r->a->shuffle) shuffle_order(r, epoch);
        const int64_t left = r->train.n - r->position, n = left < r->batch ? left : r->batch;
        st = before_step(r, step);
        if (st == KT_OK) st = train_step(r, n);
        r->position += n;
        if (st == KT_OK) st = after_step(r, step);
    }
    if (r->a->steps_per_epoch == KT_NONE) r->position = 0;
    return st;
}

/* One batch of the generator; one that ends before the epoch does is asked again. */
static kt_status generator_step(fit_run *r, int64_t step, bool *end) {
    kt_gen_batch b;
    kt_status st = kt_generator_next(r->gen, r->m, false, &b);
    if (st == KT_OK && b.end && (step == 0 || r->steps > 0))
        st = kt_generator_next(r->gen, r->m, false, &b);
    if (st) return st;
    *end = b.end;
    if (b.end) return step ? KT_OK : KT_FAIL(KT_EINVAL, "the generator gives no batches");
    st = before_step(r, step);
    if (st == KT_OK) st = kt_feed_step(&b.feed, r->m, KT_TRAIN, NULL, 0, b.feed.n);
    kt_generator_done(&b);
    return st ? st : after_step(r, step);
}

/* Without a known length the first pass tells how many steps an epoch has. */
static kt_status generator_steps(fit_run *r) {
    kt_status st = KT_OK;
    bool end = false;
    int64_t step = 0;
    for (; st == KT_OK && !end && !r->s->stop_training && (r->steps < 0 || step < r->steps); step++)
        st = generator_step(r, step, &end);
    if (st == KT_OK && r->steps < 0) {
        r->steps = end ? step - 1 : step;
        kt_progbar_set_target(&r->bar, r->steps);
    }
    return st;
}

static kt_status validate(fit_run *r) {
    kt_status st = kt_run_test(r->m, &r->val, NULL, &r->callbacks);
    if (st == KT_OK) st = kt_model_results(r->m, "val_", r->logs);
    if (st == KT_OK) kt_logs_sort(r->logs);
    return st;
}

static kt_status one_epoch(fit_run *r, int epoch) {
    kt_compiled_reset(r->s->compiled);
    kt_status st = kt_callbacks_run(&r->callbacks, KT_ON_EPOCH_BEGIN, r->m, epoch, NULL);
    kt_progbar_begin(&r->bar, r->steps, r->verbose, epoch + 1, r->a->epochs);
    if (st == KT_OK) st = r->gen ? generator_steps(r) : run_steps(r, epoch);
    if (st == KT_OK) st = read_logs(r);
    if (st == KT_OK && r->has_val && (epoch + 1) % r->a->validation_freq == 0) st = validate(r);
    if (st == KT_OK) st = kt_callbacks_run(&r->callbacks, KT_ON_EPOCH_END, r->m, epoch, r->logs);
    if (st == KT_OK) st = kt_history_add(r->history, epoch, r->logs);
    if (st == KT_OK) kt_progbar_update(&r->bar, r->steps, r->logs, true);
    return st;
}

static kt_status fit_open(fit_run *r) {
    kt_status st = kt_model_require(r->a->model, "kt_model_fit");
    if (st) return st;
    r->m = r->a->model;
    r->s = r->m->state;
    st = check_args(r->a);
    if (st == KT_OK && !r->s->compiled) {
        KT_FAIL(KT_ESTATE, "fit before compile");
        st = kt_error_hint("call kt_model_compile first");
    }
    if (st == KT_OK) st = open_data(r);
    if (st == KT_OK) st = kt_callbacks_begin(&r->callbacks, r->a->callbacks);
    if (st) return st;
    const int64_t all = kt_batches(r->train.n, r->batch);
    r->every = r->s->compiled->args.steps_per_execution;
    r->steps = r->gen ? kt_generator_length(r->gen) : all;
    if (r->a->steps_per_epoch != KT_NONE) r->steps = r->a->steps_per_epoch;
    r->verbose = r->a->verbose == KT_AUTO ? 1 : r->a->verbose;
    r->order = kt_alloc_array(r->train.n, sizeof *r->order);
    r->history = kt_history_new();
    r->logs = kt_logs_new();
    if (!r->order || kt_failed(r->history) || kt_failed(r->logs)) return KT_ENOMEM;
    r->s->stop_training = false;
    r->s->resume_epoch = 0;
    return KT_OK;
}

kt_history *kt_model_fit_with(const kt_fit_args *given) {
    static const kt_fit_args defaults = {KT_FIT_DEFAULTS};
    kt_fit_args args, *a = &args;
    fit_run r = {.a = a};
    kt_status st = kt_args_read(a, given, sizeof args, &defaults);
    if (st) return kt_fail_object(st);
    st = fit_open(&r);
    const bool opened = st == KT_OK;
    if (opened) st = kt_callbacks_run(&r.callbacks, KT_ON_TRAIN_BEGIN, r.m, 0, NULL);
    int e = opened && r.s->resume_epoch ? r.s->resume_epoch : a->initial_epoch;
    for (; e < a->epochs && st == KT_OK && !r.s->stop_training; e++) st = one_epoch(&r, e);
    if (st == KT_OK && opened) st = kt_callbacks_run(&r.callbacks, KT_ON_TRAIN_END, r.m, 0, r.logs);
    if (st == KT_OK) kt_optimizer_finalize(r.s->compiled->optimizer);
    kt_callbacks_end(&r.callbacks);
    kt_feed_close(&r.train);
    kt_feed_close(&r.val.feed);
    kt_mem_free(r.order);
    kt_free(r.logs);
    if (st == KT_OK) return r.history;
    kt_free(r.history);
    if (r.m) kt_error_context("in fit of model \"%s\"", kt_layer_name(r.m));
    return kt_fail_object(st);
}

kt_status kt_model_stop_training(kt_model *m) {
    const kt_status st = kt_model_require(m, "kt_model_stop_training");
    if (st == KT_OK) kt_model_of(m)->stop_training = true;
    return st;
}
