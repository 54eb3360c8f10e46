/* Sequential models: a stack of layers.  keras.Sequential
 *
 * With kt_input() first the stack is linked at once, otherwise when the first data show their
 * shape. The layers are the model's children; the input placeholder is not among them, as in
 * Keras. */
#include "model/model.h"

#include "base/mem.h"

#include <keratin/layers.h>

static const kt_field sequential_fields[] = {KT_F(kt_sequential_args, layers), KT_F_END};

/* Links the stack from an input symbol. */
static kt_status sequential_link(kt_layer *l, kt_sym *in) {
    kt_sym *x = in;
    for (int i = 0; i < l->children.n && !kt_failed(x); i++) {
        x = kt_call(l->children.v[i], x);
        if (!kt_failed(x) && x->node->n_out != 1) {
            KT_FAIL(KT_EINVAL, "layer \"%s\" has several outputs", kt_layer_name(l->children.v[i]));
            x = kt_fail_object(kt_error_hint("use kt_functional() for it"));
        }
    }
    if (kt_failed(x)) return kt_check(x);
    kt_status st = kt_model_link(l, 1, &in, 1, &x);
    if (st == KT_OK)
        kt_mem_free(kt_auto_name("Functional")); /* Keras builds one inside and counts it */
    return st;
}

static kt_status sequential_relink(kt_layer *l, kt_sym *in) {
    kt_model_state *s = l->state;
    kt_adopt(in);
    kt_model_forget_programs(l, true);
    if (s->nodes.n) kt_model_unlink(l);
    const kt_status st = l->children.n ? sequential_link(l, in) : KT_OK;
    if (st == KT_OK && !l->children.n) { /* only the input is there yet */
        kt_release(s->pending_input);
        s->pending_input = in;
        return KT_OK;
    }
    st ? kt_unadopt(in) : kt_release(in);
    return st;
}

static kt_sym *sequential_input(const kt_model_state *s) {
    return s->n_in ? s->in[0] : s->pending_input;
}

static kt_status add_layer(kt_layer *l, kt_layer *child) {
    kt_model_state *s = l->state;
    kt_sym *in = sequential_input(s);
    if (kt_layer_is_input(child)) return KT_FAIL(KT_EINVAL, "an input can only come first");
    if (kt_layer_ensure_name(child)) return KT_ENOMEM;
    if (kt_model_get_layer(l, child->name)) {
        KT_FAIL(KT_EINVAL, "two layers are named \"%s\"", child->name);
        return kt_error_hint("names must be unique within a model");
    }
    if (kt_failed(kt_add_sublayer(l, child))) return KT_ENOMEM;
    const kt_status st = in ? sequential_relink(l, in) : KT_OK;
    if (st == KT_OK) return st;
    if (child->parent == l) child->parent = NULL; /* back to what it was */
    l->children.n--;
    kt_unadopt(child);
    if (in && l->children.n) {
        sequential_relink(l, in); /* it linked before, so it sets no error */
    }
    return st;
}

static kt_status sequential_add(kt_layer *l, kt_ref item) {
    char got[96];
    if (kt_is_obj(item) && kt_failed(item)) return kt_check(item);
    if (kt_is(item, KT_KIND_LAYER)) return add_layer(l, (kt_layer *)(uintptr_t)item);
    const kt_sym *s = kt_is(item, KT_KIND_SYM) ? item : NULL;
    const bool is_input = s && s->node && kt_layer_is_input(s->node->layer);
    if (is_input && sequential_input(l->state))
        return KT_FAIL(KT_EINVAL, "the model has its input already");
    if (is_input && !l->children.n) return sequential_relink(l, (kt_sym *)(uintptr_t)s);
    return KT_FAIL(
        KT_EINVAL,
        "expected a layer, or kt_input() first, got %s",
        kt_ref_describe(item, got, sizeof got));
}

static kt_status sequential_fill(kt_layer *l) {
    const kt_sequential_args *a = kt_layer_args(l);
    kt_model_state *s = l->state;
    if (!a->layers) return KT_OK;
    if (!kt_is(a->layers, KT_KIND_LIST)) return sequential_add(l, a->layers);
    kt_status st = KT_OK;
    kt_sym *in = NULL;
    for (int i = 0; i < kt_list_len(a->layers) && st == KT_OK; i++) {
        const void *item = kt_list_get(a->layers, i);
        if (i == 0 && kt_is(item, KT_KIND_SYM))
            st = sequential_add(l, item);
        else if (kt_is(item, KT_KIND_LAYER)) { /* link once, at the end */
            in = s->pending_input;
            s->pending_input = NULL;
            st = add_layer(l, (kt_layer *)(uintptr_t)item);
            s->pending_input = in;
        } else
            st = sequential_add(l, item);
    }
    if (st == KT_OK && s->pending_input && l->children.n) {
        in = s->pending_input;
        s->pending_input = NULL;
        st = sequential_link(l, in);
        kt_release(in);
    }
    return st;
}

static kt_status sequential_init(kt_layer *l) {
    ((kt_model_state *)l->state)->is_sequential = true;
    l->no_autocast = true;
    const kt_status st = sequential_fill(l);
    return st ? st : kt_layer_ensure_name(l);
}

kt_status kt_model_ensure_linked(kt_layer *l, const kt_spec *batch) {
    kt_model_state *s = l->state;
    if (s->nodes.n) return KT_OK;
    if (!l->children.n) return KT_FAIL(KT_ESTATE, "the model has no layers");
    kt_input_args in = {.size = sizeof in, .batch_size = KT_NONE};
    if (batch->shape.ndim < 1) return KT_FAIL(KT_ESHAPE, "the model needs data with a batch axis");
    in.shape[0] = KT_SCALAR;
    for (int i = 1; i < batch->shape.ndim; i++) in.shape[i - 1] = batch->shape.dim[i];
    if (batch->dtype == KT_STRING) in.dtype = kt_dtype_name(KT_STRING);
    kt_sym *x = kt_input_new(&in);
    const kt_status st = kt_failed(x) ? kt_check(x) : sequential_link(l, x);
    if (st) kt_drop(x);
    return st;
}

/* A stack without kt_input() is linked when it is first called, as layers are built. */
static kt_status sequential_build(kt_layer *l, const kt_shape *in) {
    kt_tracer *outer = kt_tracer_suspend();
    const kt_status st = kt_model_ensure_linked(l, &(kt_spec){l->dtype, in[0]});
    kt_tracer_resume(outer);
    return st;
}

static void sequential_destroy(kt_layer *l) {
    kt_release(((kt_model_state *)l->state)->pending_input);
    kt_model_destroy(l);
}

const kt_layer_class kt_class_sequential = {
    .name = "Sequential",
    .args_size = sizeof(kt_sequential_args),
    .state_size = sizeof(kt_model_state),
    .fields = sequential_fields,
    .init = sequential_init,
    .build = sequential_build,
    .call = kt_model_call,
    .destroy = sequential_destroy,
    .supports_masking = true,
    .computes_mask = true,
    .ends_in_name = true,
};

kt_model *kt_sequential_new(const kt_sequential_args *a) {
    return kt_layer_new(&kt_class_sequential, a);
}

static kt_status require_sequential(const kt_model *m, const char *verb) {
    const kt_status st = kt_model_require(m, verb);
    if (st || m->cls == &kt_class_sequential) return st;
    return KT_FAIL(KT_EINVAL, "%s: \"%s\" is not a Sequential model", verb, m->name);
}

kt_status kt_sequential_add(kt_model *m, kt_ref layer) {
    const kt_status st = require_sequential(m, "kt_sequential_add");
    return st ? st : sequential_add(m, layer);
}

kt_status kt_sequential_pop(kt_model *m) {
    kt_status st = require_sequential(m, "kt_sequential_pop");
    if (st) return st;
    if (!m->children.n) return KT_FAIL(KT_ESTATE, "there are no layers to pop");
    kt_sym *in = sequential_input(m->state);
    kt_layer *last = m->children.v[--m->children.n];
    if (last->parent == m) last->parent = NULL;
    if (in) st = sequential_relink(m, in);
    kt_unadopt(last);
    return st;
}
