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
    int64_t rows; /* that go in; -1: nobody knows */
    int n_out;
    kt_tensor *out[KT_MAX_TENSORS];
    int64_t used[KT_MAX_TENSORS]; /* rows of out that have been written */
    kt_callback_list cb;
    kt_progbar bar;
} predict_run;

/* The same array with room for more rows. */
static kt_status make_room(predict_run *r, int i, int64_t room) {
    kt_tensor *old = r->out[i];
    kt_shape shape = old->shape;
    shape.dim[0] = room;
    kt_tensor *t = kt_tensor_new(old->dtype, shape, NULL);
    if (kt_failed(t)) return kt_check(t);
    const size_t row = (size_t)kt_shape_range(&shape, 1, shape.ndim) * kt_dtype_size(t->dtype);
    kt_status st = KT_OK;
    if (t->dtype == KT_STRING)
        st = kt_tensor_put_texts(
            t, 0, old->data, r->used[i] * kt_shape_range(&shape, 1, shape.ndim));
    else
        memcpy(t->data, old->data, (size_t)r->used[i] * row);
    if (st) return kt_free(t), st;
    kt_free(old);
    r->out[i] = t;
    return KT_OK;
}

/* Gives the room back that was not needed. */
static kt_status trim(predict_run *r) {
    for (int i = 0; i < r->n_out; i++) {
        if (r->used[i] == r->out[i]->shape.dim[0]) continue;
        kt_tensor *t = kt_tensor_slice(r->out[i], 0, r->used[i]);
        if (kt_failed(t)) return kt_check(t);
        kt_tensor *own = kt_tensor_copy(t);
        kt_free(t);
        if (kt_failed(own)) return kt_check(own);
        kt_free(r->out[i]);
        r->out[i] = own;
    }
    return KT_OK;
}

/* Outputs are made when the first batch shows their shapes. Mostly they have a row for each row
 * that goes in; others are put together along their first axis just the same, as in Keras. */
static kt_status take_output(predict_run *r, int i, const kt_spec *batch, int64_t n) {
    kt_spec s = *batch;
    if (s.shape.ndim < 1)
        return KT_FAIL(
            KT_ESHAPE, "output %d is a single number: predict cannot put batches together", i);
    const int64_t rows = s.shape.dim[0], want = r->used[i] + rows;
    if (!r->out[i]) {
        if (rows == n && r->rows > 0) s.shape.dim[0] = r->rows;
        r->out[i] = kt_tensor_new(s.dtype, s.shape, NULL);
        return kt_check(r->out[i]);
    }
    s.shape.dim[0] = r->out[i]->shape.dim[0];
    if (!kt_shape_equal(&s.shape, &r->out[i]->shape)) {
        KT_FAIL(KT_ESHAPE, "output %d has another shape in each batch", i);
        return kt_error_hint("choose a batch_size that takes all rows at once");
    }
    if (want <= s.shape.dim[0]) return KT_OK;
    return make_room(r, i, want < 2 * s.shape.dim[0] ? 2 * s.shape.dim[0] : want);
}

/* Texts are copied too: they lie in the input or in the program. */
static kt_status copy_output(predict_run *r, int i, const void *from, int64_t rows) {
    kt_tensor *t = r->out[i];
    const int64_t width = kt_shape_range(&t->shape, 1, t->shape.ndim), at = r->used[i] * width;
    const size_t size = kt_dtype_size(t->dtype);
    r->used[i] += rows;
    if (t->dtype == KT_STRING) return kt_tensor_put_texts(t, at, from, rows * width);
    memcpy((char *)t->data + (size_t)at * size, from, (size_t)(rows * width) * size);
    return KT_OK;
}

/* Rows first … of the feed. */
static kt_status predict_batch(predict_run *r, const kt_feed *f, int64_t first, int64_t n) {
    kt_batch_specs specs;
    kt_lease l;
    kt_feed_specs(f, n, &specs);
    kt_status st = kt_lease_begin(&l, r->m, KT_PREDICT, &specs);
    if (st) return st;
    const kt_graph *g = kt_program_graph(l.program);
    r->n_out = g->outputs.n;
    for (int i = 0; i < r->n_out && st == KT_OK; i++)
        st = take_output(r, i, &g->outputs.v[i]->spec, n);
    if (st == KT_OK) {
        kt_feed_fill(f, l.run, false, NULL, first, n);
        st = kt_cpu_execute(l.run);
    }
    for (int i = 0; i < r->n_out && st == KT_OK; i++)
        st = copy_output(r, i, kt_cpu_output(l.run, i), g->outputs.v[i]->spec.shape.dim[0]);
    kt_lease_end(&l);
    return st;
}

static kt_status predict_step(
    predict_run *r, const kt_feed *f, int64_t first, int64_t n, int64_t step) {
    kt_status st = KT_OK;
    if (r->cb.wants[KT_ON_PREDICT_BATCH_BEGIN] && kt_step_begins(step, r->every))
        st = kt_callbacks_run(&r->cb, KT_ON_PREDICT_BATCH_BEGIN, r->m, step, NULL);
    if (st == KT_OK) st = predict_batch(r, f, first, n);
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
    int64_t step = 0;
    for (; (r->steps < 0 || step < r->steps) && st == KT_OK; step++) {
        kt_gen_batch b;
        st = kt_generator_next(r->gen, r->m, true, &b);
        if (st || b.end) break;
        st = predict_step(r, &b.feed, 0, b.feed.n, step);
        kt_generator_done(&b);
    }
    if (st) return st;
    if (!step) return KT_FAIL(KT_EINVAL, "the generator gives no batches");
    r->steps = step;
    kt_progbar_set_target(&r->bar, step);
    return KT_OK;
}

static kt_status predict_rows(predict_run *r) {
    kt_status st = KT_OK;
    for (int64_t step = 0, at = 0, n; at < r->rows && st == KT_OK; step++, at += n) {
        n = r->rows - at < r->batch ? r->rows - at : r->batch;
        st = predict_step(r, &r->feed, at, n, step);
    }
    return st;
}

static kt_status predict_loop(predict_run *r) {
    kt_status st = kt_callbacks_run(&r->cb, KT_ON_PREDICT_BEGIN, r->m, 0, NULL);
    if (st == KT_OK) st = r->gen ? predict_generator(r) : predict_rows(r);
    if (st == KT_OK) st = trim(r);
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
    if (st == KT_OK && a->batch_size < 1 && a->batch_size != KT_NONE)
        st = KT_FAIL(
            KT_EINVAL,
            "batch_size: expected a positive integer, got %lld",
            (long long)a->batch_size);
    if (st == KT_OK && a->steps < 1 && a->steps != KT_NONE)
        st = KT_FAIL(
            KT_EINVAL, "steps: expected a positive integer, got %lld", (long long)a->steps);
    r->gen = kt_as_generator(a->x);
    if (st == KT_OK && !r->gen) st = kt_feed_open(&r->feed, r->m, a->x, NULL, NULL, true);
    if (st == KT_OK && !r->gen) st = kt_feed_find_sparse(&r->feed);
    r->batch = kt_batch_size(a->batch_size, r->gen ? 0 : r->feed.n, a->steps);
    if (st == KT_OK) st = kt_callbacks_begin(&r->cb, a->callbacks);
    if (st == KT_OK) {
        const struct kt_compiled *c = kt_model_of(r->m)->compiled;
        r->every = c ? c->args.steps_per_execution : 1;
        r->steps = r->gen ? kt_generator_length(r->gen) : kt_batches(r->feed.n, r->batch);
        r->rows = r->gen ? -1 : r->feed.n;
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
    if (s->dtype == KT_STRING)
        return KT_FAIL(KT_EUNSUPPORTED, "texts do not go into a given tensor");
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
