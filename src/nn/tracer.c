/* Tracers and symbols. See tracer.h. */
#include "nn/tracer.h"

#include "base/mem.h"

static _Thread_local kt_tracer *current;

kt_tracer *kt_tracer_current(void) { return current; }

kt_tracer *kt_tracer_suspend(void) {
    kt_tracer *t = current;
    current = NULL;
    return t;
}

void kt_tracer_resume(kt_tracer *t) { current = t; }

void kt_tracer_begin(kt_tracer *t, kt_graph *g, bool training, kt_var *counter) {
    *t = (kt_tracer){.g = g, .training = training, .counter = counter, .outer = current};
    current = t;
}

kt_status kt_tracer_end(kt_tracer *t) {
    for (int i = 0; i < t->vars.n && t->g->status == KT_OK; i++) {
        const kt_traced_var *tv = &t->vars.v[i];
        const kt_spec flat = {tv->var->store->dtype, {1, {tv->var->store->size}}};
        if (!tv->assigned) continue;
        kt_g_assign(
            t->g,
            kt_graph_slot(t->g, tv->var->store, tv->var->name, flat),
            tv->var->offset,
            tv->val);
    }
    kt_vec_free(&t->vars);
    kt_vec_free(&t->losses);
    current = t->outer;
    return t->g->status;
}

static kt_sym *arena_sym(kt_tracer *t) {
    kt_sym *s = kt_arena_alloc(t->g->arena, sizeof *s);
    if (!s) return kt_graph_fail(t->g, KT_ENOMEM);
    s->obj.magic = KT_MAGIC;
    s->obj.kind = KT_KIND_SYM;
    atomic_store(&s->obj.owners, 1); /* the arena's: adoption and release never destroy it */
    s->tracer = t;
    return s;
}

kt_sym *kt_wrap(kt_val *v) {
    kt_tracer *t = current;
    kt_sym *s = t && v ? arena_sym(t) : NULL;
    if (!s) return kt_fail_object(t && t->g->status ? t->g->status : KT_EINTERNAL);
    s->val = v;
    s->spec = v->spec;
    return s;
}

bool kt_sym_is_node(const kt_sym *s) { return s->node != NULL; }

kt_val *kt_unwrap(kt_sym *s, const kt_val *like) {
    kt_tracer *t = current;
    if (!t) return NULL;
    if (!kt_is(s, KT_KIND_SYM) || kt_failed(s)) {
        const kt_status st = s && kt_is_obj(s) && kt_failed(s)
                                 ? kt_check(s)
                                 : KT_FAIL(KT_EINVAL, "expected a symbolic tensor");
        return kt_graph_fail(t->g, st);
    }
    if (s->is_num) {
        const kt_dtype d = like ? like->spec.dtype : kt_dtype_of(kt_floatx());
        return kt_g_const(t->g, s->num, (kt_spec){d == KT_BOOL ? KT_INT32 : d, {0, {0}}});
    }
    if (s->constant)
        return kt_g_array(
            t->g, s->constant->data, (kt_spec){s->constant->dtype, s->constant->shape});
    if (s->tracer == t) return s->val;
    KT_FAIL(KT_ESTATE, "a symbolic tensor of another model or trace is used here");
    return kt_graph_fail(t->g, KT_ESTATE);
}

static kt_traced_var *traced_var(kt_tracer *t, kt_var *v) {
    for (int i = 0; i < t->vars.n; i++)
        if (t->vars.v[i].var == v) return &t->vars.v[i];
    const kt_spec flat = {v->store->dtype, {1, {v->store->size}}};
    const int slot = kt_graph_slot(t->g, v->store, v->name, flat);
    kt_val *all = kt_g_var(t->g, slot);
    const kt_traced_var tv = {v, kt_g_view(t->g, all, v->offset, v->spec.shape), false};
    if (!tv.val || kt_vec_push(&t->vars, tv)) return kt_graph_fail(t->g, KT_ENOMEM);
    return &t->vars.v[t->vars.n - 1];
}

kt_val *kt_tracer_var(kt_tracer *t, kt_var *v) {
    const kt_traced_var *tv = traced_var(t, v);
    return tv ? tv->val : NULL;
}

kt_sym *kt_value(kt_var *v) {
    if (kt_failed(v)) return kt_fail_object(kt_check(v));
    if (!current) return kt_fail_object(KT_FAIL(KT_ESTATE, "kt_value() outside of a layer's call"));
    kt_val *x = kt_tracer_var(current, v);
    const kt_dtype to = current->autocast;
    const bool cast = to != KT_NO_DTYPE && !v->no_autocast && kt_dtype_is_float(v->spec.dtype);
    return kt_wrap(cast ? kt_g_cast(current->g, x, to) : x);
}

kt_status kt_assign(kt_var *v, kt_sym *value) {
    if (kt_failed(v)) return kt_check(v);
    if (!current) return KT_FAIL(KT_ESTATE, "kt_assign() outside of a layer's call");
    kt_traced_var *tv = traced_var(current, v);
    kt_val *x = tv ? kt_unwrap(value, tv->val) : NULL;
    if (!x) return current->g->status;
    x = kt_g_broadcast(current->g, kt_g_cast(current->g, x, v->spec.dtype), v->spec.shape);
    if (!x) return current->g->status;
    tv->val = x;
    tv->assigned = true;
    return KT_OK;
}

kt_val *kt_tracer_counter(kt_tracer *t) {
    t->drew = true;
    if (!t->counter) return kt_g_const(t->g, 0, (kt_spec){KT_INT64, {0, {0}}});
    return kt_tracer_var(t, t->counter);
}

kt_status kt_add_loss(kt_sym *loss) {
    kt_tracer *t = current;
    if (!t) return KT_FAIL(KT_ESTATE, "kt_add_loss() outside of a layer's call");
    kt_val *v = kt_unwrap(loss, NULL);
    if (!v) return t->g->status;
    if (kt_shape_size(&v->spec.shape) != 1)
        return kt_graph_fail(t->g, KT_FAIL(KT_ESHAPE, "kt_add_loss: expected a scalar")), KT_ESHAPE;
    v = kt_g_reshape(t->g, v, (kt_shape){0, {0}});
    return v && kt_vec_push(&t->losses, v) == KT_OK ? KT_OK : KT_ENOMEM;
}

/* Model-level symbols
 * ------------------------------------------------------------------------------ */

void kt_call_node_unref(kt_call_node *node) {
    if (!node || atomic_fetch_sub(&node->refs, 1) > 1) return;
    void (*give_back)(const void *) = node->abandoned ? kt_unadopt : kt_release;
    for (int i = 0; node->in && i < node->n_in; i++) give_back(node->in[i]);
    give_back(node->layer);
    kt_mem_free(node->in);
    kt_mem_free(node->out);
    kt_mem_free(node);
}

static void sym_destroy(void *self) {
    kt_sym *s = self;
    kt_call_node_unref(s->node);
    kt_release(s->constant);
}

static kt_sym *heap_sym(void) { return kt_obj_new(sizeof(kt_sym), KT_KIND_SYM, sym_destroy); }

kt_sym *kt_sym_of_node(kt_call_node *node, int index) {
    kt_sym *s = heap_sym();
    if (!s) return kt_fail_object(KT_ENOMEM);
    atomic_fetch_add(&node->refs, 1);
    s->node = node;
    s->index = index;
    s->spec = node->out[index];
    return s;
}

kt_sym *kt_item(const kt_sym *call, int i) {
    if (kt_failed(call)) return kt_fail_object(kt_check(call));
    if (kt_is(call, KT_KIND_SYM) && i >= 0 && i < call->n_outs) return call->outs[i];
    if (!kt_is(call, KT_KIND_SYM) || !call->node || i < 0 || i >= call->node->n_out)
        return kt_fail_object(KT_FAIL(KT_EINVAL, "kt_item: this call has no output %d", i));
    return kt_sym_of_node(call->node, i);
}

kt_sym *kt_num(double value) {
    kt_sym *s = current ? arena_sym(current) : heap_sym();
    if (!s) return kt_fail_object(KT_ENOMEM);
    s->is_num = true;
    s->num = value;
    s->spec.dtype = kt_dtype_of(kt_floatx());
    return s;
}

kt_sym *kt_const(const kt_tensor *t) {
    char got[96];
    if (kt_failed(t)) return kt_fail_object(kt_check(t));
    if (!kt_is(t, KT_KIND_TENSOR))
        return kt_fail_object(KT_FAIL(
            KT_EINVAL, "kt_const: expected a tensor, got %s", kt_ref_describe(t, got, sizeof got)));
    if (current) return kt_wrap(kt_g_array(current->g, t->data, (kt_spec){t->dtype, t->shape}));
    kt_sym *s = heap_sym();
    if (!s) return kt_fail_object(KT_ENOMEM);
    s->constant = kt_adopt(t);
    s->spec = (kt_spec){t->dtype, t->shape};
    return s;
}

kt_dtype kt_sym_dtype(const kt_sym *x) {
    return kt_is(x, KT_KIND_SYM) ? x->spec.dtype : KT_NO_DTYPE;
}

kt_shape kt_sym_shape(const kt_sym *x) {
    return kt_is(x, KT_KIND_SYM) ? x->spec.shape : (kt_shape){0, {0}};
}
