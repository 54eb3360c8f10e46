/* predict, predict_on_batch.  keras.Model.predict
 *
 * One sample must be cheap: the arrays are checked, the program is found, run, and its outputs
 * copied. */
#include "model/loops.h"

#include <string.h>

typedef struct {
    kt_model *m;
    kt_feed feed;
    const kt_generator *gen;
    int64_t batch, steps, every;
    int64_t rows; /* rows that come out, or that there is room for */
    int n_out;
    kt_tensor *out[KT_MAX_TENSORS];
    kt_callback_list cb;
    kt_progbar bar;
} predict_run;

/* From a generator: nobody knows how many rows come. Room for twice as many when it is full. */
static kt_status make_room(predict_run *r, int64_t rows) {
    if (rows <= r->rows) return KT_OK;
    const int64_t kept = r->rows, room = rows < 2 * kept ? 2 * kept : rows;
    for (int i = 0; i < r->n_out; i++) {
        kt_shape shape = r->out[i]->shape;
        shape.dim[0] = room;
        kt_tensor *t = kt_tensor_new(r->out[i]->dtype, shape, NULL);
        if (kt_failed(t)) return kt_check(t);
        const size_t row = (size_t)kt_shape_range(&shape, 1, shape.ndim) * kt_dtype_size(t->dtype);
        memcpy(t->data, r->out[i]->data, (size_t)kept * row);
        kt_free(r->out[i]);
        r->out[i] = t;
    }
    r->rows = room;
    return KT_OK;
}

/* Gives the room back that was not needed. */
static kt_status trim(predict_run *r, int64_t rows) {
    for (int i = 0; i < r->n_out; i++) {
        kt_tensor *t = kt_tensor_slice(r->out[i], 0, rows);
        if (kt_failed(t)) return kt_check(t);
        kt_tensor *own = kt_tensor_copy(t);
        kt_free(t);
        if (kt_failed(own)) return kt_check(own);
        kt_free(r->out[i]);
        r->out[i] = own;
    }
    return KT_OK;
}

/* Outputs are made when the first batch shows their shapes. */
static kt_status make_outputs(predict_run *r, const kt_program *p, int64_t batch) {
    const kt_graph *g = kt_program_graph(p);
    r->n_out = g->outputs.n;
    for (int i = 0; i < r->n_out; i++) {
        kt_spec s = g->outputs.v[i]->spec;
        if (s.shape.ndim < 1 || s.shape.dim[0] != batch)
            return KT_FAIL(
                KT_ESHAPE, "output %d has no batch axis: predict cannot put batches together", i);
        s.shape.dim[0] = r->rows;
        r->out[i] = kt_tensor_new(s.dtype, s.shape, NULL);
        if (kt_failed(r->out[i])) return kt_check(r->out[i]);
    }
    return KT_OK;
}

static void copy_outputs(predict_run *r, const kt_cpu_run *run, int64_t first, int64_t n) {
    for (int i = 0; i < r->n_out; i++) {
        const kt_tensor *t = r->out[i];
        const size_t row = (size_t)kt_shape_range(&t->shape, 1, t->shape.ndim) *
                           kt_dtype_size(t->dtype);
        memcpy((char *)t->data + (size_t)first * row, kt_cpu_output(run, i), (size_t)n * row);
    }
}

/* Rows first … of the feed; the outputs go to rows to … */
static kt_status predict_batch(
    predict_run *r, const kt_feed *f, int64_t first, int64_t n, int64_t to) {
    kt_batch_specs specs;
    kt_lease l;
    kt_feed_specs(f, n, &specs);
    kt_status st = kt_lease_begin(&l, r->m, KT_PREDICT, &specs);
    if (st) return st;
    if (!r->n_out) st = make_outputs(r, l.program, n);
    if (st == KT_OK) st = make_room(r, to + n);
    if (st == KT_OK) {
        kt_feed_fill(f, l.run, false, NULL, first, n);
        st = kt_cpu_execute(l.run);
    }
    if (st == KT_OK) copy_outputs(r, l.run, to, n);
    kt_lease_end(&l);
    return st;
}

static kt_status predict_step(
    predict_run *r, const kt_feed *f, int64_t first, int64_t n, int64_t to, int64_t step) {
    kt_status st = KT_OK;
    if (r->cb.wants[KT_ON_PREDICT_BATCH_BEGIN] && kt_step_begins(step, r->every))
        st = kt_callbacks_run(&r->cb, KT_ON_PREDICT_BATCH_BEGIN, r->m, step, NULL);
    if (st == KT_OK) st = predict_batch(r, f, first, n, to);
    if (st || !kt_step_ends(step, r->every, step + 1 == r->steps)) return st;
    if (r->cb.wants[KT_ON_PREDICT_BATCH_END])
        st = kt_callbacks_run(
            &r->cb, KT_ON_PREDICT_BATCH_END, r->m, kt_step_index(step, r->every), NULL);
    if (st == KT_OK && r->bar.verbose == 1 && kt_progbar_due(&r->bar, step + 1))
        kt_progbar_update(&r->bar, step + 1, NULL, false);
    return st;
}

/* An endless generator needs `steps`. */
static kt_status predict_generator(predict_run *r) {
    kt_status st = KT_OK;
    int64_t at = 0, step = 0;
    for (; (r->steps < 0 || step < r->steps) && st == KT_OK; step++) {
        kt_gen_batch b;
        st = kt_generator_next(r->gen, r->m, true, &b);
        if (st || b.end) break;
        st = predict_step(r, &b.feed, 0, b.feed.n, at, step);
        at += b.feed.n;
        kt_generator_done(&b);
    }
    if (st) return st;
    if (!step) return KT_FAIL(KT_EINVAL, "the generator gives no batches");
    r->steps = step;
    kt_progbar_set_target(&r->bar, step);
    return trim(r, at);
}

static kt_status predict_rows(predict_run *r) {
    kt_status st = KT_OK;
    for (int64_t step = 0, at = 0, n; at < r->rows && st == KT_OK; step++, at += n) {
        n = r->rows - at < r->batch ? r->rows - at : r->batch;
        st = predict_step(r, &r->feed, at, n, at, step);
    }
    return st;
}

static kt_status predict_loop(predict_run *r) {
    kt_status st = kt_callbacks_run(&r->cb, KT_ON_PREDICT_BEGIN, r->m, 0, NULL);
    if (st == KT_OK) st = r->gen ? predict_generator(r) : predict_rows(r);
    if (st == KT_OK) kt_progbar_update(&r->bar, r->steps, NULL, true);
    return st ? st : kt_callbacks_run(&r->cb, KT_ON_PREDICT_END, r->m, 0, NULL);
}

static kt_status predict_into(predict_run *r, const kt_predict_args *given) {
    static const kt_predict_args defaults = {KT_PREDICT_DEFAULTS};
    kt_predict_args args, *a = &args;
    kt_status st = kt_args_read(a, given, sizeof args, &defaults);
    if (st) return st;
    st = kt_model_require(a->model, "kt_model_predict");
    r->m = a->model;
    r->batch = a->batch_size == KT_NONE ? 32 : a->batch_size;
    if (st == KT_OK && r->batch < 1)
        st = KT_FAIL(
            KT_EINVAL, "batch_size: expected a positive integer, got %lld", (long long)r->batch);
    if (st == KT_OK && a->steps < 1 && a->steps != KT_NONE)
        st = KT_FAIL(
            KT_EINVAL, "steps: expected a positive integer, got %lld", (long long)a->steps);
    r->gen = kt_as_generator(a->x);
    if (st == KT_OK && !r->gen) st = kt_feed_open(&r->feed, r->m, a->x, NULL, NULL, true);
    if (st == KT_OK && !r->gen) st = kt_feed_find_sparse(&r->feed);
    if (st == KT_OK) st = kt_callbacks_begin(&r->cb, a->callbacks);
    if (st == KT_OK) {
        const struct kt_compiled *c = kt_model_of(r->m)->compiled;
        r->every = c ? c->args.steps_per_execution : 1;
        r->steps = r->gen ? kt_generator_length(r->gen) : kt_batches(r->feed.n, r->batch);
        r->rows = r->feed.n;
        if (a->steps != KT_NONE && (r->steps < 0 || a->steps < r->steps)) {
            r->steps = a->steps;
            if (!r->gen) r->rows = r->steps * r->batch;
        }
        kt_progbar_begin(&r->bar, r->steps, a->verbose == KT_AUTO ? 1 : a->verbose, 0, 0);
        st = predict_loop(r);
    }
    kt_callbacks_end(&r->cb);
    kt_feed_close(&r->feed);
    if (st == KT_OK) return st;
    for (int i = 0; i < r->n_out; i++) kt_free(r->out[i]);
    if (kt_is_model(a->model))
        kt_error_context("in predict of model \"%s\"", kt_layer_name(a->model));
    return st;
}

kt_tensor *kt_model_predict_with(const kt_predict_args *a) {
    predict_run r = {0};
    kt_status st = predict_into(&r, a);
    if (st == KT_OK && r.n_out == 1) return r.out[0];
    if (st == KT_OK) {
        for (int i = 0; i < r.n_out; i++) kt_free(r.out[i]);
        KT_FAIL(KT_EINVAL, "the model has %d outputs", r.n_out);
        st = kt_error_hint("kt_model_predict_list gives them all");
    }
    return kt_fail_object(st);
}

kt_list_t *kt_model_predict_list_with(const kt_predict_args *a) {
    predict_run r = {0};
    const void *items[KT_MAX_TENSORS];
    const kt_status st = predict_into(&r, a);
    if (st) return kt_fail_object(st);
    for (int i = 0; i < r.n_out; i++) items[i] = r.out[i];
    return kt_list_own(kt_list_of(r.n_out, items));
}

static kt_status check_target(const kt_program *p, const kt_tensor *y) {
    char want[KT_SHAPE_STR], got[KT_SHAPE_STR];
    const kt_graph *g = kt_program_graph(p);
    const kt_spec *s = &g->outputs.v[0]->spec;
    if (kt_failed(y)) return kt_check(y);
    if (g->outputs.n == 1 && y->dtype == s->dtype && kt_shape_equal(&y->shape, &s->shape))
        return KT_OK;
    KT_FAIL(KT_ESHAPE, "the output does not fit into the tensor given");
    kt_error_expected("%s", kt_spec_str(s, want, sizeof want));
    return kt_error_got("%s", kt_spec_str(&(kt_spec){y->dtype, y->shape}, got, sizeof got));
}

kt_status kt_model_predict_into(kt_model *m, const kt_tensor *x, kt_tensor *y) {
    kt_feed f;
    kt_batch_specs specs;
    kt_lease l;
    kt_status st = kt_model_require(m, "kt_model_predict_into");
    if (st == KT_OK) st = kt_feed_open(&f, m, x, NULL, NULL, true);
    if (st) return st; /* x is a tensor: there is no list to drop */
    kt_feed_specs(&f, f.n, &specs);
    st = kt_lease_begin(&l, m, KT_PREDICT, &specs);
    if (st) return st;
    st = check_target(l.program, y);
    if (st == KT_OK) {
        kt_feed_fill(&f, l.run, false, NULL, 0, f.n);
        st = kt_cpu_execute(l.run);
    }
    const size_t bytes = (size_t)kt_tensor_size(y) * kt_dtype_size(kt_tensor_dtype(y));
    if (st == KT_OK) memmove(y->data, kt_cpu_output(l.run, 0), bytes); /* x is read in place */
    kt_lease_end(&l);
    return st;
}

kt_tensor *kt_model_predict_on_batch(kt_model *m, kt_ref x) {
    const kt_tensor *t = kt_is(x, KT_KIND_TENSOR) ? x
                         : kt_is(x, KT_KIND_LIST) ? kt_list_get(x, 0)
                                                  : NULL;
    const int64_t n = t && t->shape.ndim && t->shape.dim[0] > 0 ? t->shape.dim[0] : 1;
    return kt_model_predict(m, x, n, 0);
}
