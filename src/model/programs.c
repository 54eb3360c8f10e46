/* Tracing a model into programs: one training step (forward, losses, gradients, update, metrics),
 * one test step, prediction, and the reading of results. */
#include "model/programs.h"

#include "backend/cpu/profile.h"
#include "base/mem.h"
#include "nn/losses/loss.h"
#include "nn/metrics/metric.h"
#include "nn/optimizers/optimizer.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

typedef struct {
    kt_model *m;
    kt_model_state *s;
    kt_compiled *c;
    const kt_batch_specs *specs;
    kt_graph *g;
    kt_tracer tr;
    kt_sym *x[KT_MAX_TENSORS], *y[KT_MAX_TENSORS], *w[KT_MAX_TENSORS], *pred[KT_MAX_TENSORS];
} builder;

static kt_sym *num_like(const kt_sym *s, double v) {
    return kt_op_cast(kt_num(v), kt_dtype_name(kt_sym_dtype(s)));
}

/* The model sees an array; what can do with less looks through it (passes/sparse.c). */
static kt_val *sparse_input(kt_graph *g, const kt_spec *x, int64_t cap) {
    kt_val *value = kt_g_input(g, (kt_spec){x->dtype, {1, {cap}}});
    kt_val *offset = kt_g_input(g, (kt_spec){KT_INT32, {1, {x->shape.dim[0] + 1}}});
    kt_val *index = kt_g_input(g, (kt_spec){KT_INT32, {1, {cap}}});
    return kt_g_sparse_to_dense(g, value, offset, index, x->shape.dim[1]);
}

static kt_status make_inputs(builder *b) {
    const kt_batch_specs *sp = b->specs;
    for (int i = 0; i < sp->n_x; i++)
        b->x[i] = kt_wrap(
            sp->sparse_cap[i] ? sparse_input(b->g, &sp->x[i], sp->sparse_cap[i])
                              : kt_g_input(b->g, sp->x[i]));
    for (int i = 0; i < sp->n_y; i++) b->y[i] = kt_wrap(kt_g_input(b->g, sp->y[i]));
    for (int i = 0; i < sp->n_y; i++)
        if (sp->has_weight[i]) b->w[i] = kt_wrap(kt_g_input(b->g, sp->w[i]));
    return b->g->status;
}

static kt_status forward(builder *b, bool training) {
    kt_sym *mask[KT_MAX_TENSORS] = {NULL};
    kt_trace t = {.n_in = b->specs->n_x, .in = b->x, .in_mask = mask, .training = training};
    const kt_status st = kt_layer_trace_call(b->m, &t);
    for (int i = 0; st == KT_OK && i < t.n_out; i++) b->pred[i] = t.out[i];
    return st;
}

/* total += value * n, count += n */
static kt_status track_mean(const kt_mean_vars *m, kt_sym *value, double n) {
    kt_sym *v = kt_op_multiply(kt_op_cast(value, "float32"), kt_num(n));
    kt_status st = kt_assign(m->total, kt_op_add(kt_value(m->total), v));
    if (st == KT_OK) st = kt_assign(m->count, kt_op_add(kt_value(m->count), kt_num(n)));
    return st;
}

static kt_sym *add_terms(kt_sym *sum, kt_sym *term) { return sum ? kt_op_add(sum, term) : term; }

/* Weight regularizers count for trainable weights only. */
static kt_sym *add_weight_penalties(builder *b, kt_sym *loss) {
    kt_var_list trainable = {0, 0, NULL}, others = {0, 0, NULL};
    kt_status st = kt_layer_collect(b->m, &trainable, &others, true);
    for (int i = 0; st == KT_OK && i < trainable.n; i++) {
        const kt_component *r = trainable.v[i]->regularizer;
        if (!r) continue;
        loss = add_terms(
            loss, ((const kt_regularizer_class *)r->cls)->penalty(r, kt_value(trainable.v[i])));
    }
    kt_vec_free(&trainable);
    kt_vec_free(&others);
    return st ? kt_fail_object(st) : loss;
}

static kt_status total_loss(builder *b, kt_sym **out) {
    const double batch = (double)b->specs->x[0].shape.dim[0];
    kt_sym *loss = NULL;
    kt_status st = KT_OK;
    for (int i = 0; i < b->c->n_out && st == KT_OK; i++) {
        if (!b->c->loss[i]) continue;
        kt_sym *term = kt_loss_value(b->c->loss[i], b->y[i], b->pred[i], b->w[i], b->pred[i]->mask);
        st = kt_check(term);
        if (st) return kt_error_context("in the loss of output \"%s\"", b->s->out_name[i]), st;
        if (kt_sym_shape(term).ndim) {
            KT_FAIL(KT_ESHAPE, "the loss of output \"%s\" is no scalar", b->s->out_name[i]);
            return kt_error_hint(
                "reduction \"none\" gives one value per sample: compile with another");
        }
        if (b->c->out_loss) st = track_mean(&b->c->out_loss[i], term, batch);
        if (b->c->loss_weight[i] != 1) term = kt_op_multiply(term, kt_num(b->c->loss_weight[i]));
        loss = add_terms(loss, term);
    }
    for (int i = 0; i < b->tr.losses.n; i++) loss = add_terms(loss, kt_wrap(b->tr.losses.v[i]));
    loss = add_weight_penalties(b, loss);
    if (!loss) {
        KT_FAIL(KT_ESTATE, "there is nothing to minimise: the model was compiled without a loss");
        return kt_error_hint("give kt_model_compile a loss");
    }
    if (st == KT_OK) st = kt_check(loss);
    if (st == KT_OK) st = track_mean(&b->c->total_loss, loss, batch);
    *out = loss;
    return st;
}

/* Masks travel with the outputs: metrics that respect them look there. */
static kt_status update_metrics(builder *b) {
    for (int i = 0; i < b->c->metrics.n; i++) {
        const kt_metric_entry *e = &b->c->metrics.v[i];
        kt_sym *w = e->weighted ? b->w[e->output] : NULL;
        const kt_status st = kt_metric_update(e->metric, b->y[e->output], b->pred[e->output], w);
        if (st) return kt_error_context("in metric \"%s\"", e->name), st;
    }
    return KT_OK;
}

static kt_status apply_gradients(builder *b, kt_sym *loss, const kt_var_list *vars) {
    kt_val **wrt = kt_arena_alloc(b->g->arena, sizeof *wrt * (size_t)(vars->n + 1));
    kt_val **grad = kt_arena_alloc(b->g->arena, sizeof *grad * (size_t)(vars->n + 1));
    if (!wrt || !grad) return KT_ENOMEM;
    for (int i = 0; i < vars->n; i++)
        if (!(wrt[i] = kt_tracer_var(&b->tr, vars->v[i]))) return b->g->status;
    kt_val *v = kt_unwrap(kt_optimizer_scale_loss(b->c->optimizer, loss), NULL);
    kt_status st = v ? kt_grad(b->g, v, vars->n, wrt, grad) : b->g->status;
    if (st == KT_OK) st = kt_optimizer_apply(b->c->optimizer, vars->n, vars->v, grad);
    return st;
}

static kt_status resolve_metrics(builder *b) {
    kt_shape y_true[KT_MAX_TENSORS], y_pred[KT_MAX_TENSORS];
    for (int i = 0; i < b->c->n_out; i++) {
        y_true[i] = kt_sym_shape(b->y[i]);
        y_pred[i] = kt_sym_shape(b->pred[i]);
    }
    return kt_compiled_resolve(b->m, b->c->n_out, y_true, y_pred);
}

/* Layers that are called with training=True draw anew in each batch. */
static kt_status count_draws(builder *b) {
    if (!b->tr.drew) return KT_OK;
    return kt_assign(b->s->draws, kt_op_subtract(kt_value(b->s->draws), kt_num(1)));
}

static kt_status trace_step(builder *b, bool train, const kt_var_list *vars) {
    kt_sym *loss = NULL;
    kt_status st = forward(b, train);
    if (st == KT_OK) st = total_loss(b, &loss);
    if (st == KT_OK) st = resolve_metrics(b);
    if (st == KT_OK) st = update_metrics(b);
    if (st || !train) return st ? st : count_draws(b);
    if (vars->n) st = apply_gradients(b, loss, vars);
    if (st == KT_OK) st = kt_assign(b->s->counter, kt_op_add(kt_value(b->s->counter), kt_num(1)));
    return st;
}

static kt_status trace_predict(builder *b) {
    kt_status st = forward(b, false);
    if (st == KT_OK) st = count_draws(b);
    for (int i = 0; st == KT_OK && i < b->s->n_out; i++)
        if (kt_vec_push(&b->g->outputs, kt_unwrap(b->pred[i], NULL))) return KT_ENOMEM;
    return st;
}

static kt_status push_result(builder *b, kt_sym *value) {
    kt_val *v = kt_unwrap(kt_op_cast(value, "float32"), NULL);
    return v ? kt_vec_push(&b->g->outputs, v) : b->g->status;
}

static kt_sym *mean_result(const kt_mean_vars *m) {
    kt_sym *count = kt_value(m->count), *total = kt_value(m->total);
    return kt_op_where(
        kt_op_equal(count, num_like(count, 0)), num_like(total, 0), kt_op_divide(total, count));
}

/* Outputs: loss, each output's loss, each metric. */
static kt_status trace_results(builder *b) {
    kt_status st = push_result(b, mean_result(&b->c->total_loss));
    for (int i = 0; st == KT_OK && b->c->out_loss && i < b->c->n_out; i++)
        if (b->c->out_loss[i].name) st = push_result(b, mean_result(&b->c->out_loss[i]));
    for (int i = 0; st == KT_OK && i < b->c->metrics.n; i++)
        st = push_result(b, kt_metric_result(b->c->metrics.v[i].metric));
    return st;
}

/* Weights get their first values, and one place for all that is trained, before anything reads
 * them. */
static kt_status prepare_vars(builder *b, kt_program_kind kind, kt_var_list *trainable) {
    kt_var_list others = {0, 0, NULL};
    kt_status st = kt_layer_collect(b->m, trainable, &others, true);
    if (st == KT_OK && kind == KT_TRAIN && trainable->n)
        st = kt_optimizer_build(b->c->optimizer, trainable->n, trainable->v);
    for (int i = 0; st == KT_OK && i < trainable->n; i++) st = kt_var_ensure(trainable->v[i]);
    for (int i = 0; st == KT_OK && i < others.n; i++) st = kt_var_ensure(others.v[i]);
    if (st == KT_OK) st = kt_var_ensure(kind == KT_TRAIN ? b->s->counter : b->s->draws);
    kt_vec_free(&others);
    return st;
}

static kt_status build_program(builder *b, kt_program_kind kind, kt_program **out) {
    kt_var_list vars = {0, 0, NULL};
    kt_status st = prepare_vars(b, kind, &vars);
    b->g = st ? NULL : kt_graph_new();
    if (st == KT_OK && !b->g) st = KT_ENOMEM;
    if (st == KT_OK) {
        const bool train = kind == KT_TRAIN;
        kt_tracer_begin(&b->tr, b->g, train, train ? b->s->counter : b->s->draws);
        st = kind == KT_RESULTS ? KT_OK : make_inputs(b);
        if (st == KT_OK && kind == KT_PREDICT)
            st = trace_predict(b);
        else if (st == KT_OK && kind == KT_RESULTS)
            st = trace_results(b);
        else if (st == KT_OK)
            st = trace_step(b, kind == KT_TRAIN, &vars);
        const kt_status end = kt_tracer_end(&b->tr);
        if (st == KT_OK) st = end;
        if (st == KT_OK)
            st = kt_program_new(b->g, out);
        else
            kt_graph_free(b->g);
    }
    kt_vec_free(&vars);
    return st;
}

/* Cache
 * -------------------------------------------------------------------------------------------- */

static int flatten_specs(const kt_batch_specs *s, kt_program_kind kind, kt_spec *out) {
    int n = 0;
    if (kind == KT_RESULTS) return 0;
    for (int i = 0; i < s->n_x; i++) {
        out[n++] = s->x[i];
        out[n++] = (kt_spec){KT_INT32, {1, {s->sparse_cap[i]}}};
    }
    for (int i = 0; kind != KT_PREDICT && i < s->n_y; i++) {
        out[n++] = s->y[i];
        out[n++] = s->has_weight[i] ? s->w[i] : (kt_spec){KT_NO_DTYPE, {0, {0}}};
    }
    return n;
}

static bool same_specs(int n, const kt_spec *a, const kt_spec *b) {
    for (int i = 0; i < n; i++)
        if (a[i].dtype != b[i].dtype || !kt_shape_equal(&a[i].shape, &b[i].shape)) return false;
    return true;
}

static void cached_free(kt_cached_program *p) {
    kt_mem_free(p->specs);
    kt_program_free(p->program);
}

void kt_model_forget_programs(kt_model *m, bool predict_too) {
    kt_model_state *s = m->state;
    int kept = 0;
    for (int i = 0; i < s->programs.n; i++) {
        if (s->programs.v[i].kind == KT_PREDICT && !predict_too)
            s->programs.v[kept++] = s->programs.v[i];
        else
            cached_free(&s->programs.v[i]);
    }
    s->programs.n = kept;
}

#define MAX_PROGRAMS 32 /* ragged batches must not pile up without end */

static kt_status cache_add(kt_model_state *s, kt_cached_program p, const kt_spec *specs) {
    p.specs = kt_alloc_array(p.n_specs + 1, sizeof *p.specs);
    if (p.specs) memcpy(p.specs, specs, sizeof *specs * (size_t)p.n_specs);
    if (s->programs.n == MAX_PROGRAMS) {
        cached_free(&s->programs.v[0]);
        memmove(s->programs.v, s->programs.v + 1, sizeof *s->programs.v * (MAX_PROGRAMS - 1));
        s->programs.n--;
    }
    if (p.specs && kt_vec_push(&s->programs, p) == KT_OK) return KT_OK;
    cached_free(&p);
    return KT_ENOMEM;
}

static kt_program *cache_find(kt_model *m, kt_program_kind kind, int n, const kt_spec *specs) {
    kt_model_state *s = m->state;
    if (s->layout != kt_layout_version()) kt_model_forget_programs(m, true);
    for (int i = s->programs.n; i-- > 0;) {
        const kt_cached_program *p = &s->programs.v[i];
        if (p->kind == kind && p->n_specs == n && same_specs(n, p->specs, specs)) return p->program;
    }
    return NULL;
}

static kt_status program_get(
    kt_model *m, kt_program_kind kind, const kt_batch_specs *specs, kt_program **out) {
    kt_model_state *s = m->state;
    kt_spec flat[4 * KT_MAX_TENSORS];
    const int n = flatten_specs(specs, kind, flat);
    *out = cache_find(m, kind, n, flat);
    if (*out) return KT_OK;
    builder b = {.m = m, .s = s, .c = s->compiled, .specs = specs};
    kt_cached_program p = {kind, n, NULL, NULL};
    const int64_t start = kt_profile_clock();
    kt_status st = build_program(&b, kind, &p.program);
    if (st) return st;
    kt_program_made(p.program, start, kt_profile_clock());
    if (s->layout != kt_layout_version()) kt_model_forget_programs(m, true); /* weights moved */
    s->layout = kt_layout_version();
    st = cache_add(s, p, flat);
    if (st == KT_OK) *out = p.program;
    return st;
}

/* One lock for all models: looking up is quick, and making a program is rare. */
static pthread_mutex_t programs_lock = PTHREAD_MUTEX_INITIALIZER;

kt_status kt_lease_begin(
    kt_lease *l, kt_model *m, kt_program_kind kind, const kt_batch_specs *specs) {
    *l = (kt_lease){NULL, NULL};
    pthread_mutex_lock(&programs_lock);
    kt_status st = program_get(m, kind, specs, &l->program);
    if (st == KT_OK) kt_program_ref(l->program);
    pthread_mutex_unlock(&programs_lock);
    if (st) {
        l->program = NULL;
        return st;
    }
    st = kt_program_acquire(l->program, &l->run);
    if (st) kt_lease_end(l);
    return st;
}

void kt_lease_end(kt_lease *l) {
    if (!l->program) return;
    kt_program_release(l->program, l->run);
    kt_program_free(l->program);
    l->program = NULL;
}

/* Results
 * ------------------------------------------------------------------------------------------ */

/* In the order of trace_results. */
static const char *result_name(const kt_compiled *c, int i) {
    if (i == 0) return c->total_loss.name;
    i--;
    for (int k = 0; c->out_loss && k < c->n_out; k++)
        if (c->out_loss[k].name && i-- == 0) return c->out_loss[k].name;
    return c->metrics.v[i].name;
}

/* The result that follows `last` (-1: none) by name. */
static int next_result(const kt_compiled *c, int n, int last) {
    int next = -1;
    for (int i = 0; i < n; i++) {
        const int behind = last < 0 ? 1 : strcmp(result_name(c, i), result_name(c, last));
        if (behind < 0 || (behind == 0 && i <= last)) continue;
        if (next < 0 || strcmp(result_name(c, i), result_name(c, next)) < 0) next = i;
    }
    return next;
}

static kt_status read_results(
    const kt_compiled *c,
    const kt_graph *g,
    const kt_cpu_run *run,
    const char *prefix,
    kt_logs *logs) {
    char name[200]; /* names of results have at most 180 bytes */
    int i = next_result(c, g->outputs.n, -1);
    for (; i >= 0; i = next_result(c, g->outputs.n, i)) {
        snprintf(name, sizeof name, "%s%s", prefix, result_name(c, i));
        const kt_status st = kt_logs_set_values(
            logs, name, kt_cpu_output(run, i), kt_shape_size(&g->outputs.v[i]->spec.shape));
        if (st) return st;
    }
    return KT_OK;
}

kt_status kt_model_results(kt_model *m, const char *prefix, kt_logs *logs) {
    const kt_batch_specs none = {0};
    kt_lease l;
    kt_status st = kt_lease_begin(&l, m, KT_RESULTS, &none);
    if (st) return st;
    st = kt_cpu_execute(l.run);
    const kt_graph *g = kt_program_graph(l.program);
    if (st == KT_OK) st = read_results(kt_model_of(m)->compiled, g, l.run, prefix, logs);
    kt_lease_end(&l);
    return st;
}
