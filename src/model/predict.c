/* predict, predict_on_batch.  keras.Model.predict
 *
 * One sample must be cheap: the arrays are checked, the program is found, run, and its outputs
 * copied. */
#include "model/loops.h"

#include <string.h>

typedef struct {
    kt_model *m;
    kt_feed feed;
    int64_t batch, steps, rows; /* rows that come out */
    int n_out;
    kt_tensor *out[KT_MAX_TENSORS];
    kt_callback_list cb;
    kt_progbar bar;
} predict_run;

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

static kt_status predict_batch(predict_run *r, int64_t first, int64_t n) {
    kt_batch_specs specs;
    kt_lease l;
    kt_feed_specs(&r->feed, n, &specs);
    kt_status st = kt_lease_begin(&l, r->m, KT_PREDICT, &specs);
    if (st) return st;
    if (!r->n_out) st = make_outputs(r, l.program, n);
    if (st == KT_OK) {
        kt_feed_fill(&r->feed, l.run, false, NULL, first, n);
        st = kt_cpu_execute(l.run);
    }
    if (st == KT_OK) copy_outputs(r, l.run, first, n);
    kt_lease_end(&l);
    return st;
}

static kt_status predict_loop(predict_run *r) {
    kt_status st = kt_callbacks_run(&r->cb, KT_ON_PREDICT_BEGIN, r->m, 0, NULL);
    for (int64_t step = 0, at = 0, n; at < r->rows && st == KT_OK; step++, at += n) {
        n = r->rows - at < r->batch ? r->rows - at : r->batch;
        if (r->cb.wants[KT_ON_PREDICT_BATCH_BEGIN])
            st = kt_callbacks_run(&r->cb, KT_ON_PREDICT_BATCH_BEGIN, r->m, step, NULL);
        if (st == KT_OK) st = predict_batch(r, at, n);
        if (st == KT_OK && r->cb.wants[KT_ON_PREDICT_BATCH_END])
            st = kt_callbacks_run(&r->cb, KT_ON_PREDICT_BATCH_END, r->m, step, NULL);
        if (st == KT_OK && r->bar.verbose == 1 && kt_progbar_due(&r->bar, step + 1))
            kt_progbar_update(&r->bar, step + 1, NULL, false);
    }
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
    if (st == KT_OK) st = kt_feed_open(&r->feed, r->m, a->x, NULL, NULL, true);
    if (st == KT_OK) st = kt_callbacks_begin(&r->cb, a->callbacks);
    if (st == KT_OK) {
        r->steps = kt_batches(r->feed.n, r->batch);
        r->rows = r->feed.n;
        if (a->steps != KT_NONE && a->steps < r->steps) {
            r->steps = a->steps;
            r->rows = r->steps * r->batch;
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
    if (st == KT_OK) memcpy(y->data, kt_cpu_output(l.run, 0), bytes);
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
