/* The update as nodes of the training program, in Keras' order: unscale, accumulate, clip, decay,
 * rule, average, constrain, count.
 *
 * The unit is a piece: a run of neighbouring variables that are all treated alike, seen as one flat
 * array (their gradients are packed, which the planner turns into computing them in place), or one
 * variable in its own shape where something needs it. Weights and slots are read and assigned
 * through their stores, piece by piece, so that a rule is one pass over memory however many
 * variables there are.
 *
 * What happens only now and then (accumulation, overwriting with averages) is chosen by select:
 * both sides are computed. That is right, though not the fastest. */
#include "nn/optimizers/rule.h"
#include "nn/schedules/schedule.h"

#include <keratin/ops_elementwise.h>

typedef struct {
    const kt_opt_entry *first;
    int count;
    bool own_shape; /* one variable, in its shape */
    bool updated;   /* has gradients; otherwise only its average moves */
    bool in_trace;  /* assigned before in this trace: its value is not in memory */
    kt_shape shape;
    kt_dtype dtype; /* of computation */
    kt_val *p, *g, *slot[KT_OPT_SLOTS];
} piece;

typedef struct {
    kt_component *opt;
    const kt_optimizer_class *cls;
    kt_opt_state *s;
    kt_opt_layout *l;
    kt_tracer *t;
    kt_graph *g;
    kt_val **grad; /* by entry */
    int n;
    piece *pieces;
    kt_val *next; /* batches with this one, int64 */
    kt_val *done; /* updates with this one: the step number, from 1 */
    kt_val *now;  /* bool: this batch ends in an update; NULL: every one does */
    kt_val *lr;
    kt_val *new_scalar;
    kt_val *scale;  /* that gradients are divided by; NULL: none */
    kt_val *finite; /* bool: this update counts; NULL: every one does */
    kt_opt_step shared[KT_DTYPE_COUNT];
    bool has_shared[KT_DTYPE_COUNT];
} update;

static kt_val *num(update *u, double value, const kt_val *like) {
    return kt_g_num(u->g, value, like);
}

/* Clock ---------------------------------------------------------------------------------------- */

static kt_val *every(update *u, kt_val *count, int64_t n) {
    kt_val *rest = kt_g_mod(u->g, count, num(u, (double)n, count));
    return kt_g_eq(u->g, rest, num(u, 0, count));
}

static kt_val *plus_one(update *u, kt_val *x) { return kt_g_add(u->g, x, num(u, 1, x)); }

/* The old count is read before the new one is made, which can then be computed in place. */
static void read_clock(update *u) {
    const int64_t k = u->s->a.gradient_accumulation_steps;
    kt_val *it = kt_tracer_var(u->t, u->s->iteration);
    kt_val *updates = k > 1 ? kt_g_floor_div(u->g, it, num(u, (double)k, it)) : NULL;
    if (u->s->lr)
        u->lr = kt_tracer_var(u->t, u->s->lr);
    else
        u->lr = kt_unwrap(kt_schedule_call(u->s->schedule, kt_wrap(it)), NULL);
    u->next = plus_one(u, it);
    u->done = k > 1 ? plus_one(u, updates) : u->next;
    u->now = k > 1 ? every(u, u->next, k) : NULL;
}

/* Learning rate, step number and what the rule makes of them: once per dtype. */
static kt_opt_step *shared(update *u, kt_dtype dtype) {
    kt_opt_step *s = &u->shared[dtype];
    if (u->has_shared[dtype]) return s;
    u->has_shared[dtype] = true;
    s->lr = kt_wrap(kt_g_cast(u->g, u->lr, dtype));
    s->t = kt_wrap(kt_g_cast(u->g, u->done, dtype));
    if (u->l->scalar)
        s->scalar = kt_wrap(kt_g_cast(u->g, kt_tracer_var(u->t, u->l->scalar), dtype));
    if (u->cls->share && u->cls->share(u->opt, s)) return s;
    if (s->new_scalar && !u->new_scalar) u->new_scalar = kt_unwrap(s->new_scalar, NULL);
    return s;
}

/* Pieces --------------------------------------------------------------------------------------- */

static kt_dtype compute_dtype(kt_dtype d) {
    return d == KT_FLOAT16 || d == KT_BFLOAT16 ? KT_FLOAT32 : d;
}

static bool assigned_before(const update *u, const kt_var *v) {
    for (int i = 0; i < u->t->vars.n; i++)
        if (u->t->vars.v[i].var == v) return u->t->vars.v[i].assigned;
    return false;
}

static piece piece_of(const update *u, int i) {
    const kt_opt_entry *e = &u->l->entry[i];
    piece p = {.first = e, .count = 1, .dtype = compute_dtype(e->var->spec.dtype)};
    p.updated = u->grad[i] != NULL;
    p.in_trace = assigned_before(u, e->var);
    const bool by_norm = u->s->a.clipnorm != KT_NONE_F && u->s->a.clipnorm > 0;
    p.own_shape = u->cls->per_variable || p.in_trace || by_norm || e->var->constraint;
    return p;
}

static bool joins(const piece *a, const piece *b) {
    return !a->own_shape && !b->own_shape && a->updated == b->updated &&
           a->first->segment == b->first->segment && a->first->decay == b->first->decay;
}

static void finish_shape(piece *p) {
    const kt_opt_entry *last = p->first + p->count - 1;
    if (p->own_shape)
        p->shape = p->first->var->spec.shape;
    else
        p->shape = kt_dims(last->offset + kt_shape_size(&last->var->spec.shape) - p->first->offset);
}

static kt_status make_pieces(update *u) {
    u->pieces = kt_arena_alloc(u->g->arena, sizeof *u->pieces * (size_t)(u->l->n + 1));
    if (!u->pieces) return KT_ENOMEM;
    for (int i = 0; i < u->l->n; i++) {
        const piece p = piece_of(u, i);
        piece *last = u->n ? &u->pieces[u->n - 1] : NULL;
        if ((!p.updated && u->l->average < 0) || !kt_dtype_is_float(p.dtype)) continue;
        if (kt_shape_size(&p.first->var->spec.shape) == 0) continue;
        if (last && last->first + last->count == p.first && joins(last, &p))
            last->count++;
        else
            u->pieces[u->n++] = p;
    }
    for (int i = 0; i < u->n; i++) finish_shape(&u->pieces[i]);
    return KT_OK;
}

/* Memory of a variable (and of its neighbours), as the program found it. */
static kt_val *read_memory(update *u, const kt_var *v, kt_shape shape, kt_dtype dtype) {
    const kt_spec flat = {v->store->dtype, {1, {v->store->size}}};
    kt_val *all = kt_g_var(u->g, kt_graph_slot(u->g, v->store, v->name, flat));
    return kt_g_cast(u->g, kt_g_view(u->g, all, v->offset, shape), dtype);
}

static void write_memory(update *u, const kt_var *v, kt_val *value) {
    const kt_spec flat = {v->store->dtype, {1, {v->store->size}}};
    const int slot = kt_graph_slot(u->g, v->store, v->name, flat);
    kt_g_assign(u->g, slot, v->offset, kt_g_cast(u->g, value, v->store->dtype));
}

/* Slots of one variable keep their own shape; those of a run are as flat as the run. */
static kt_shape slot_shape(const piece *p, int i) {
    return p->own_shape ? p->first->slot[i]->spec.shape : p->shape;
}

static void read_piece(update *u, piece *p) {
    kt_var *v = p->first->var;
    p->p = p->in_trace ? kt_g_cast(u->g, kt_tracer_var(u->t, v), p->dtype)
                       : read_memory(u, v, p->shape, p->dtype);
    for (int i = 0; i < KT_OPT_SLOTS; i++)
        if (p->first->slot[i])
            p->slot[i] = read_memory(u, p->first->slot[i], slot_shape(p, i), p->dtype);
}

/* Nothing changes in an update that does not count. */
static kt_val *if_finite(update *u, kt_val *new, kt_val *old) {
    return u->finite && new ? kt_g_select(u->g, u->finite, new, old) : new;
}

static void write_slot(update *u, const piece *p, int i, kt_val *value) {
    if (!value || value == p->slot[i]) return;
    write_memory(u, p->first->slot[i], if_finite(u, value, p->slot[i]));
}

/* Gradients ------------------------------------------------------------------------------------ */

static kt_val *pack_gradients(update *u, const piece *p) {
    kt_val **in = kt_arena_alloc(u->g->arena, sizeof *in * (size_t)p->count);
    int64_t *at = kt_arena_alloc(u->g->arena, sizeof *at * (size_t)p->count);
    if (!in || !at) return kt_graph_fail(u->g, KT_ENOMEM);
    const kt_opt_entry *all = u->l->entry;
    for (int i = 0; i < p->count; i++) {
        in[i] = kt_g_cast(u->g, u->grad[p->first - all + i], p->dtype);
        at[i] = p->first[i].offset - p->first->offset;
    }
    if (p->count == 1) return kt_g_reshape(u->g, in[0], p->shape);
    return kt_g_pack(u->g, p->count, in, at, p->shape.dim[0]);
}

/* g = (g + what was gathered) / k; what is gathered next is 0 after an update. */
static kt_val *accumulate(update *u, piece *p, kt_val *g) {
    const int a = u->l->accumulator;
    if (a < 0) return g;
    kt_val *sum = kt_g_add(u->g, g, p->slot[a]);
    write_slot(u, p, a, kt_g_select(u->g, u->now, num(u, 0, sum), sum));
    return kt_g_div(u->g, sum, num(u, (double)u->s->a.gradient_accumulation_steps, sum));
}

static void read_gradient(update *u, piece *p) {
    const double factor = u->s->a.loss_scale_factor;
    p->g = pack_gradients(u, p);
    if (u->scale && p->g) p->g = kt_g_div(u->g, p->g, kt_g_cast(u->g, u->scale, p->dtype));
    if (factor != KT_NONE_F && p->g) p->g = kt_g_div(u->g, p->g, num(u, factor, p->g));
    p->g = accumulate(u, p, p->g);
}

static kt_val *sum_of_squares(update *u, kt_val *g) {
    return kt_g_sum(u->g, kt_g_square(u->g, g), kt_axes_all(g), false);
}

/* g c / max(|g|, c) */
static void clip_norm(update *u, piece *p, double c) {
    kt_val *norm = kt_g_sqrt(u->g, sum_of_squares(u, p->g));
    kt_val *limit = num(u, c, norm);
    p->g = kt_g_mul(u->g, p->g, kt_g_div(u->g, limit, kt_g_maximum(u->g, norm, limit)));
}

/* g c min(1/|G|, 1/c) + (|G| - |G|): not finite where |G| is not. */
static void clip_global(update *u, double c) {
    kt_val *sum = NULL;
    for (int i = 0; i < u->n; i++) {
        if (!u->pieces[i].updated) continue;
        kt_val *part = sum_of_squares(u, u->pieces[i].g);
        if (sum && part) part = kt_g_add(u->g, sum, kt_g_cast(u->g, part, sum->spec.dtype));
        sum = part;
    }
    kt_val *norm = kt_g_sqrt(u->g, sum);
    kt_val *least = kt_g_minimum(u->g, kt_g_reciprocal(u->g, norm), num(u, 1 / c, norm));
    kt_val *scale = kt_g_add(u->g, kt_g_scale(u->g, least, c), kt_g_sub(u->g, norm, norm));
    for (int i = 0; i < u->n; i++) {
        piece *p = &u->pieces[i];
        if (p->updated) p->g = kt_g_mul(u->g, p->g, kt_g_cast(u->g, scale, p->dtype));
    }
}

static void clip_gradients(update *u) {
    const kt_opt_common *a = &u->s->a;
    for (int i = 0; i < u->n; i++) {
        piece *p = &u->pieces[i];
        if (!p->updated || !p->g) continue;
        if (a->clipnorm > 0)
            clip_norm(u, p, a->clipnorm);
        else if (a->clipvalue > 0)
            p->g = kt_g_clip(u->g, p->g, -a->clipvalue, a->clipvalue);
    }
    if (a->global_clipnorm > 0) clip_global(u, a->global_clipnorm);
}

/* Update --------------------------------------------------------------------------------------- */

static kt_val *when(update *u, kt_val *new, kt_val *old) {
    return u->now && new &&new != old ? kt_g_select(u->g, u->now, new, old) : new;
}

static kt_val *decay_weights(update *u, const piece *p, const kt_opt_step *s) {
    if (p->first->decay == 0) return p->p;
    kt_val *rate = kt_g_scale(u->g, kt_unwrap(s->lr, NULL), p->first->decay);
    return kt_g_sub(u->g, p->p, kt_g_mul(u->g, p->p, rate));
}

/* Decay and rule; returns the new weights and writes the new slots. */
static kt_val *run_rule(update *u, const piece *p) {
    kt_opt_step s = *shared(u, p->dtype);
    s.p = kt_wrap(decay_weights(u, p, &s));
    s.g = kt_wrap(p->g);
    s.var = p->own_shape ? p->first->var : NULL;
    for (int i = 0; i < u->l->n_slots; i++)
        if (p->slot[i]) s.slot[i] = kt_wrap(p->slot[i]);
    const kt_status st = u->cls->step(u->opt, &s);
    if (st) return kt_graph_fail(u->g, st);
    for (int i = 0; i < u->l->n_slots; i++)
        if (s.new_slot[i]) write_slot(u, p, i, when(u, kt_unwrap(s.new_slot[i], NULL), p->slot[i]));
    return when(u, kt_unwrap(s.new_p, NULL), p->p);
}

/* average = m average + (1 - m) w, m = 0 at first; now and then it becomes the weights. */
static kt_val *average(update *u, const piece *p, kt_val *w) {
    const int a = u->l->average;
    const int64_t freq = u->s->a.ema_overwrite_frequency;
    if (a < 0 || !w) return w;
    kt_val *later = kt_g_ne(u->g, u->done, num(u, 1, u->done));
    kt_val *m = kt_g_scale(u->g, kt_g_cast(u->g, later, p->dtype), u->s->a.ema_momentum);
    kt_val *old = kt_g_mul(u->g, p->slot[a], m);
    kt_val *rest = kt_g_sub(u->g, num(u, 1, m), m);
    kt_val *new = kt_g_add(u->g, old, kt_g_mul(u->g, w, rest));
    write_slot(u, p, a, new);
    return freq > 0 ? kt_g_select(u->g, every(u, u->done, freq), new, w) : w;
}

static kt_val *constrain(const piece *p, kt_val *w) {
    const kt_component *c = p->first->var->constraint;
    if (!c || !p->own_shape || !p->updated || !w) return w;
    return kt_unwrap(((const kt_constraint_class *)c->cls)->project(c, kt_wrap(w)), NULL);
}

static void update_piece(update *u, const piece *p) {
    kt_val *w = p->updated ? run_rule(u, p) : p->p;
    w = constrain(p, average(u, p, w));
    if (!w || w == p->p) return;
    w = if_finite(u, w, p->p);
    if (p->in_trace)
        kt_assign(p->first->var, kt_wrap(w));
    else
        write_memory(u, p->first->var, w);
}

static void write_clock(update *u) {
    if (u->new_scalar) {
        kt_val *old = kt_tracer_var(u->t, u->l->scalar);
        kt_val *new = kt_g_cast(u->g, u->new_scalar, u->l->scalar->spec.dtype);
        kt_assign(u->l->scalar, kt_wrap(if_finite(u, when(u, new, old), old)));
    }
    kt_val *count = kt_tracer_var(u->t, u->s->iteration);
    kt_assign(u->s->iteration, kt_wrap(if_finite(u, u->next, count)));
}

static kt_status match_gradients(update *u, int n, kt_var *const *vars, kt_val *const *grads) {
    const kt_opt_layout *l = u->l;
    int given = 0;
    u->grad = kt_arena_alloc(u->g->arena, sizeof *u->grad * (size_t)(l->n + 1));
    if (!u->grad) return KT_ENOMEM;
    for (int i = 0; i < n; i++) {
        int at = i < l->n ? l->by_rank[i] : 0;
        if (i >= l->n || l->entry[at].var != vars[i])
            for (at = 0; at < l->n && l->entry[at].var != vars[i];) at++;
        if (at == l->n)
            return KT_FAIL(
                KT_ESTATE, "the optimizer was not built for variable \"%s\"", vars[i]->name);
        u->grad[at] = grads[i];
        given += grads[i] != NULL;
    }
    if (given || u->g->status) return u->g->status;
    return KT_FAIL(KT_EINVAL, "no gradients for any variable");
}

static kt_status apply(
    kt_component *opt,
    int n,
    kt_var *const *vars,
    kt_val *const *grads,
    kt_val *scale,
    kt_val *finite) {
    update u = {.opt = opt, .cls = (const kt_optimizer_class *)opt->cls, .s = kt_state_of(opt)};
    u.l = &u.s->layout;
    u.t = kt_tracer_current();
    u.g = u.t->g;
    u.scale = scale;
    u.finite = finite;
    kt_status st = match_gradients(&u, n, vars, grads);
    if (st == KT_OK) st = make_pieces(&u);
    if (st) return kt_graph_fail(u.g, st), st;
    read_clock(&u);
    for (int i = 0; i < u.n; i++) {
        read_piece(&u, &u.pieces[i]);
        if (u.pieces[i].updated) read_gradient(&u, &u.pieces[i]);
    }
    clip_gradients(&u);
    for (int i = 0; i < u.n && u.g->status == KT_OK; i++) update_piece(&u, &u.pieces[i]);
    write_clock(&u);
    return u.g->status;
}

/* LossScaleOptimizer --------------------------------------------------------------------------- */

static kt_sym *all_finite(int n, kt_val *const *grads) {
    kt_sym *all = NULL;
    for (int i = 0; i < n; i++) {
        if (!grads[i]) continue;
        kt_sym *one = kt_op_all(kt_op_isfinite(kt_wrap(grads[i])), KT_NONE, false);
        all = all ? kt_op_logical_and(all, one) : one;
    }
    return all;
}

/* After growth_steps good steps the scale doubles, after a bad one it is halved. */
static kt_status move_scale(const kt_opt_state *s, kt_sym *finite) {
    kt_sym *count = kt_value(s->step_counter), *scale = kt_value(s->dynamic_scale);
    kt_sym *zero = kt_op_cast(kt_num(0), "int64"), *next = kt_op_add(count, kt_num(1));
    kt_sym *full = kt_op_equal(count, kt_num((double)(s->growth_steps - 1)));
    kt_sym *grown = kt_op_where(full, kt_op_multiply(scale, kt_num(2)), scale);
    next = kt_op_where(kt_op_logical_and(finite, kt_op_logical_not(full)), next, zero);
    const kt_status st = kt_assign(s->step_counter, next);
    scale = kt_op_where(finite, grown, kt_op_multiply(scale, kt_num(0.5)));
    return st ? st : kt_assign(s->dynamic_scale, scale);
}

static kt_status apply_scaled(
    const kt_opt_state *s, int n, kt_var *const *vars, kt_val *const *grads) {
    kt_sym *finite = all_finite(n, grads);
    if (!finite) return apply(s->inner, n, vars, grads, NULL, NULL);
    kt_val *scale = kt_unwrap(kt_value(s->dynamic_scale), NULL), *good = kt_unwrap(finite, NULL);
    if (!scale || !good) return kt_tracer_current()->g->status;
    const kt_status st = apply(s->inner, n, vars, grads, scale, good);
    return st ? st : move_scale(s, finite);
}

kt_status kt_optimizer_apply(kt_component *opt, int n, kt_var *const *vars, kt_val *const *grads) {
    const kt_opt_state *s = kt_state_of(opt);
    if (!kt_tracer_current())
        return KT_FAIL(KT_ESTATE, "an optimizer is applied outside of a training program");
    if (n == 0) return KT_OK;
    return s->inner ? apply_scaled(s, n, vars, grads) : apply(opt, n, vars, grads, NULL, NULL);
}
