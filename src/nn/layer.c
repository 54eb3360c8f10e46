/* Making layers, their weights, names and parts. Calling them is call.c. */
#include "nn/layer.h"

#include "base/mem.h"
#include "base/rng.h"
#include "base/str.h"
#include "nn/constraints/constraint.h"
#include "nn/initializers/initializer.h"
#include "nn/quantize.h"
#include "nn/regularizers/regularizer.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

typedef kt_layer_tail layer_tail;
#define ACTIVITY "activity_regularizer"

/* What the end of an args struct owns: the activity regularizer, where KT_LAYER_ARGS brought it. */
static const kt_field *tail_fields(const kt_layer_class *cls, kt_field *out) {
    const size_t at = cls->args_size - sizeof(layer_tail) - sizeof(kt_ref);
    bool own = cls->ends_in_name;
    for (const kt_field *f = cls->fields; f && f->type; f++)
        own = own || !strcmp(f->name, ACTIVITY);
    out[0] = own ? (kt_field)KT_F_END : (kt_field){ACTIVITY, at, sizeof(kt_ref), KT_FIELD_REF};
    out[1] = (kt_field)KT_F_END;
    return out;
}

kt_ref *kt_layer_activity_of(const kt_layer_class *cls, const void *args) {
    kt_field tail[2];
    const kt_field *f = tail_fields(cls, tail);
    if (f->type) return (kt_ref *)(uintptr_t)((const char *)args + f->offset);
    return kt_layer_arg(cls, args, ACTIVITY, KT_FIELD_REF);
}

static void layer_destroy(void *self) {
    kt_layer *l = self;
    if (l->cls->destroy && l->state) l->cls->destroy(l);
    for (int i = 0; i < l->vars.n; i++) {
        if (l->vars.v[i]->owner == l) l->vars.v[i]->owner = NULL; /* a wrapper holds others' */
        kt_release(l->vars.v[i]);
    }
    for (int i = 0; i < l->children.n; i++) {
        if (l->children.v[i]->parent == l) l->children.v[i]->parent = NULL;
        kt_release(l->children.v[i]);
    }
    for (int i = 0; i < l->parts.n; i++) kt_release(l->parts.v[i]);
    kt_vec_free(&l->vars);
    kt_vec_free(&l->children);
    kt_vec_free(&l->parts);
    if (l->args) {
        void (*give_back)(void *, const kt_field *) = l->obj.status ? kt_args_return
                                                                    : kt_args_release;
        kt_field tail[2];
        give_back(l->args, l->cls->fields);
        give_back(l->args, tail_fields(l->cls, tail));
    }
    kt_mem_free(l->args);
    kt_mem_free(l->state);
    kt_mem_free(l->name);
    kt_mem_free(l->index);
    kt_mem_free(l->built_for);
}

static kt_status layer_dtype(kt_layer *l, const char *dtype) {
    const char *name = dtype;
    kt_policy p;
    if (!name && l->cls->default_dtype) name = l->cls->default_dtype(l->args);
    if (!name) name = kt_dtype_policy();
    if (l->cls->any_dtype && kt_dtype_is_int(kt_dtype_of(name))) {
        l->dtype = l->variable_dtype = kt_dtype_of(name);
        return KT_OK;
    }
    if (kt_policy_of(name, &p)) {
        l->dtype = p.compute;
        l->variable_dtype = p.variable;
        return KT_OK;
    }
    const kt_dtype source = kt_quant_policy(name);
    if (source && kt_layer_arg(l->cls, l->args, "quantization_config", KT_FIELD_REF)) {
        l->quant.on = true;
        l->dtype = l->variable_dtype = source;
        return KT_OK;
    }
    if (source)
        return KT_FAIL(KT_EUNSUPPORTED, "dtype \"%.60s\": %s has no int8 form", name, l->cls->name);
    if (kt_policy_is_quantized(name))
        return KT_FAIL(KT_EUNSUPPORTED, "dtype \"%.60s\": quantization is not supported", name);
    if (kt_dtype_of(name) == KT_NO_DTYPE)
        return KT_FAIL(KT_EINVAL, "dtype: unknown name \"%.60s\"", name);
    return KT_FAIL(KT_EUNSUPPORTED, "dtype: layers do not compute in \"%.60s\"", name);
}

static kt_status layer_args(kt_layer *l, const void *args) {
    const kt_layer_class *cls = l->cls;
    kt_field own[2];
    const kt_field *tail = tail_fields(cls, own);
    void *copy = kt_alloc(cls->args_size);
    if (!copy) return KT_ENOMEM;
    kt_status st = kt_args_read(copy, args, cls->args_size, cls->defaults);
    if (st == KT_OK) st = kt_args_check(copy, cls->fields);
    if (st == KT_OK) st = kt_args_check(copy, tail);
    if (st == KT_OK) st = kt_args_keep(copy, cls->fields);
    if (st == KT_OK) {
        st = kt_args_keep(copy, tail);
        if (st) kt_args_return(copy, cls->fields);
    }
    if (st)
        kt_mem_free(copy);
    else
        l->args = copy;
    return st;
}

/* Wrong names are found where they were written, not when weights are made. */
static kt_status check_refs(const kt_layer *l, const kt_field *fields) {
    kt_status st = KT_OK;
    for (const kt_field *f = fields; f && f->type && st == KT_OK; f++)
        if (f->type == KT_FIELD_REF)
            st = kt_component_check(f->name, *(const kt_ref *)((char *)l->args + f->offset));
    return st;
}

static kt_status layer_init(kt_layer *l, const void *args) {
    kt_field common[2];
    kt_status st = layer_args(l, args);
    if (st) return st;
    layer_tail *tail = kt_layer_tail_of(l->cls, l->args);
    const layer_tail given = *tail;
    tail->name = tail->dtype = NULL; /* the strings are the caller's: keep copies */
    l->trainable = given.trainable;
    l->no_autocast = !given.autocast;
    if (given.name && !(l->name = kt_strdup(given.name))) return KT_ENOMEM;
    if (given.name && (!*given.name || strchr(given.name, '/')))
        return KT_FAIL(KT_EINVAL, "name: expected a text without \"/\", got \"%.60s\"", given.name);
    st = check_refs(l, l->cls->fields);
    if (st == KT_OK) st = check_refs(l, tail_fields(l->cls, common));
    if (st == KT_OK) st = layer_dtype(l, given.dtype);
    if (st == KT_OK && !(l->state = kt_alloc(l->cls->state_size))) st = KT_ENOMEM;
    const kt_ref *activity = kt_layer_activity_of(l->cls, l->args);
    if (st == KT_OK && activity) st = kt_layer_activity(l, *activity);
    if (st == KT_OK && l->cls->init) st = l->cls->init(l);
    return st ? st : kt_numbers_check(l->args, l->cls->fields);
}

kt_layer *kt_layer_new(const kt_layer_class *cls, const void *args) {
    kt_layer *l = kt_obj_new(sizeof *l, KT_KIND_LAYER, layer_destroy);
    if (!l) return kt_fail_object(KT_ENOMEM);
    l->cls = cls;
    l->class_name = cls->name;
    const kt_status st = layer_init(l, args);
    if (st == KT_OK) return l;
    kt_obj_fail(l, st);
    if (l->name)
        kt_layer_context(l, st);
    else
        kt_error_context("in %s", cls->name);
    kt_free(l);
    return kt_fail_object(st);
}

void *kt_layer_arg(
    const kt_layer_class *cls, const void *args, const char *name, kt_field_type type) {
    for (const kt_field *f = cls->fields; f && f->type; f++)
        if (f->type == type && !strcmp(f->name, name)) return (char *)(uintptr_t)args + f->offset;
    return NULL;
}

/* An argument of a copy: layers, alone or in a list, are copied as well. */
static kt_ref copy_argument(kt_ref ref) {
    if (kt_is(ref, KT_KIND_LAYER)) return kt_layer_copy(ref, ((const kt_layer *)ref)->name, NULL);
    bool any = false;
    const int n = kt_is(ref, KT_KIND_LIST) ? kt_list_len(ref) : 0;
    for (int i = 0; i < n; i++) any = any || kt_is(kt_list_get(ref, i), KT_KIND_LAYER);
    const void **items = any ? kt_alloc_array(n, sizeof *items) : NULL;
    if (!items) return any ? kt_fail_object(KT_ENOMEM) : ref;
    for (int i = 0; i < n; i++) items[i] = copy_argument(kt_list_get(ref, i));
    const kt_list_t *list = kt_list_of(n, items);
    kt_mem_free(items);
    return list;
}

kt_layer *kt_layer_copy(const kt_layer *l, const char *name, kt_layer_edit *edit) {
    void *args = kt_alloc(l->cls->args_size);
    if (!args) return kt_fail_object(KT_ENOMEM);
    memcpy(args, l->args, l->cls->args_size);
    *(size_t *)args = l->cls->args_size;
    layer_tail *tail = kt_layer_tail_of(l->cls, args);
    *tail = (layer_tail){name, kt_layer_policy(l), l->trainable, tail->autocast};
    for (const kt_field *f = l->cls->fields; f && f->type; f++) {
        kt_ref *ref = (kt_ref *)(void *)((char *)args + f->offset);
        if (f->type == KT_FIELD_REF) *ref = copy_argument(*ref);
    }
    if (edit) edit(l->cls, args);
    kt_layer *copy = kt_layer_new(l->cls, args);
    for (const kt_field *f = l->cls->fields; kt_failed(copy) && f && f->type; f++) {
        const kt_ref *new = (const kt_ref *)(const void *)((char *)args + f->offset);
        const kt_ref *old = (const kt_ref *)(const void *)((char *)l->args + f->offset);
        if (f->type == KT_FIELD_REF && *new != *old) kt_drop(*new);
    }
    kt_mem_free(args);
    return copy;
}

const void *kt_layer_args(const kt_layer *l) { return l->args; }
void *kt_layer_state(const kt_layer *l) { return l->state; }
int kt_layer_n_inputs(const kt_layer *l) { return l->n_inputs; }
kt_dtype kt_layer_dtype(const kt_layer *l) { return l->dtype; }
kt_dtype kt_layer_variable_dtype(const kt_layer *l) { return l->variable_dtype; }
void kt_layer_set_spec(kt_layer *l, kt_input_spec spec) { l->spec = spec; }

kt_status kt_layer_require(const kt_layer *l, const char *what) {
    char got[96];
    if (kt_is(l, KT_KIND_LAYER)) return kt_check(l);
    if (l && kt_failed(l)) return kt_check(l);
    return KT_FAIL(
        KT_EINVAL, "%s: expected a layer, got %s", what, kt_ref_describe(l, got, sizeof got));
}

kt_status kt_layer_keep(kt_layer *l, kt_component *c) {
    if (!c) return KT_OK;
    kt_adopt(c);
    const kt_status st = kt_vec_push(&l->parts, c);
    if (st) kt_unadopt(c);
    return st;
}

kt_status kt_layer_activation(kt_layer *l, const kt_component **out, kt_ref ref) {
    kt_component *c;
    kt_status st = kt_activation_get(&c, ref);
    if (st == KT_OK) st = kt_layer_keep(l, c);
    if (st == KT_OK && kt_is(ref, KT_KIND_LAYER)) /* its weights are weights of this layer */
        st = kt_check(kt_add_sublayer(l, (kt_layer *)(uintptr_t)ref));
    *out = st ? NULL : c;
    return st;
}

kt_status kt_layer_activity(kt_layer *l, kt_ref ref) {
    kt_component *c;
    kt_status st = kt_regularizer_get(&c, ref);
    if (st == KT_OK) st = kt_layer_keep(l, c);
    if (st == KT_OK) l->activity_regularizer = c;
    return st;
}

/* Weights
 * ------------------------------------------------------------------------------------------ */

/* First value: the key comes from the session's seed and the path, so neither the order of
 * construction nor the number of threads matters. */
static kt_status weight_fill(kt_var *v) {
    const kt_component *c = v->initializer;
    const kt_initializer_class *cls = (const kt_initializer_class *)c->cls;
    const char *path = kt_var_path(v);
    if (!v->path) return KT_ENOMEM; /* another key would give other weights */
    return cls->fill(c, kt_rng_key(kt_seed(), path), &v->spec, kt_var_data(v));
}

static kt_status weight_parts(kt_layer *l, kt_var *v, const kt_weight_args *a) {
    kt_component *init = NULL, *reg = NULL, *con = NULL;
    const char *fallback = kt_dtype_is_float(v->spec.dtype) ? "glorot_uniform" : "zeros";
    kt_status st = kt_initializer_get(&init, a->initializer ? a->initializer : fallback);
    if (st == KT_OK) st = kt_regularizer_get(&reg, a->regularizer);
    if (st == KT_OK) st = kt_constraint_get(&con, a->constraint);
    v->initializer = kt_adopt(init);
    v->regularizer = kt_adopt(reg);
    v->constraint = kt_adopt(con);
    v->fill = weight_fill;
    v->owner = l;
    return st;
}

static kt_status weight_args_check(const kt_weight_args *a) {
    static const char *const how[] = {"none", "mean", "sum", "only_first_replica", NULL};
    int unused;
    if (a->overwrite_with_gradient)
        return KT_FAIL(KT_EUNSUPPORTED, "overwrite_with_gradient: weights are not replaced so");
    return a->aggregation ? kt_arg_word("aggregation", a->aggregation, how, &unused) : KT_OK;
}

static kt_status weight_make(kt_layer *l, const kt_weight_args *a, kt_var **out) {
    const kt_status wrong = weight_args_check(a);
    if (wrong) return wrong;
    const kt_dtype dtype = a->dtype ? kt_dtype_of(a->dtype) : l->variable_dtype;
    const kt_shape shape = a->shape[0] == KT_SCALAR ? (kt_shape){0, {0}}
                                                    : kt_shape_of_field(a->shape);
    if (dtype == KT_NO_DTYPE) return KT_FAIL(KT_EINVAL, "dtype: unknown name \"%.60s\"", a->dtype);
    for (int i = 0; i < shape.ndim; i++) {
        if (shape.dim[i] >= 0) continue;
        KT_FAIL(KT_ESHAPE, "weight \"%s\": dimension %d is open", a->name, i);
        return kt_error_hint("the last axis of the input must be known when the layer is built");
    }
    kt_var *v = kt_var_new(a->name ? a->name : "variable", (kt_spec){dtype, shape}, a->trainable);
    if (kt_failed(v)) return kt_check(v);
    kt_adopt(v);
    v->no_autocast = !a->autocast;
    kt_status st = weight_parts(l, v, a);
    if (st == KT_OK) st = kt_vec_push(&l->vars, v);
    if (st)
        kt_release(v);
    else
        *out = v;
    return st;
}

kt_var *kt_add_weight_with(const kt_weight_args *args) {
    kt_var *v = NULL;
    const kt_status st = weight_make(args->layer, args, &v);
    if (st == KT_OK) return v;
    kt_obj_fail(args->layer, st);
    return kt_fail_object(st);
}

kt_layer *kt_add_sublayer(kt_layer *parent, kt_layer *child) {
    return kt_add_sublayer_as(parent, NULL, child);
}

kt_layer *kt_add_sublayer_as(kt_layer *parent, const char *attribute, kt_layer *child) {
    const kt_status st = kt_layer_require(child, "sub-layer");
    if (st) return kt_fail_object(st);
    kt_adopt(child);
    if (kt_vec_push(&parent->children, child)) {
        kt_unadopt(child); /* it floats again: the caller has it still */
        return kt_fail_object(KT_ENOMEM);
    }
    if (!child->parent) child->parent = parent;
    if (attribute) child->attribute = attribute;
    return child;
}

/* Names
 * -------------------------------------------------------------------------------------------- */

typedef struct {
    char base[64];
    int n;
} name_count;
static pthread_mutex_t names_lock = PTHREAD_MUTEX_INITIALIZER;
static KT_VEC(name_count) name_counts; /* under the lock */

static void forget_names(void) {
    pthread_mutex_lock(&names_lock);
    kt_vec_free(&name_counts);
    pthread_mutex_unlock(&names_lock);
}

/* How often this base was given before; -1: out of memory. */
static int count_name(const char *base) {
    int i = 0, n = 0;
    pthread_mutex_lock(&names_lock);
    while (i < name_counts.n && strcmp(name_counts.v[i].base, base) != 0) i++;
    if (i < name_counts.n) {
        n = ++name_counts.v[i].n;
    } else {
        name_count fresh = {{0}, 0};
        snprintf(fresh.base, sizeof fresh.base, "%s", base);
        if (kt_vec_push(&name_counts, fresh)) n = -1;
    }
    pthread_mutex_unlock(&names_lock);
    return n;
}

char *kt_auto_name(const char *class_name) {
    char base[64], name[96];
    kt_snake_case(class_name, base, sizeof base);
    kt_on_clear_session(forget_names);
    const int n = count_name(base);
    if (n < 0) return NULL;
    if (n)
        snprintf(name, sizeof name, "%s_%d", base, n);
    else
        snprintf(name, sizeof name, "%s", base);
    return kt_strdup(name);
}

const char *kt_layer_name(kt_layer *l) {
    if (!kt_is(l, KT_KIND_LAYER)) return "";
    if (!l->name) l->name = kt_auto_name(l->class_name);
    return l->name ? l->name : "";
}

kt_status kt_layer_ensure_name(kt_layer *l) { return *kt_layer_name(l) ? KT_OK : KT_ENOMEM; }

const char *kt_layer_class_name(const kt_layer *l) {
    return kt_is(l, KT_KIND_LAYER) ? l->class_name : "";
}

void kt_layer_path(kt_layer *l, char *buf, size_t size) {
    kt_layer *chain[32];
    int n = 0;
    size_t at = 0;
    for (kt_layer *p = l; p && n < 32; p = p->parent) chain[n++] = p;
    buf[0] = 0;
    while (n-- > 0 && at < size) {
        const int wrote = snprintf(
            buf + at, size - at, "%s%s", at ? "/" : "", kt_layer_name(chain[n]));
        at += (size_t)(wrote > 0 ? wrote : 0);
    }
}

const char *kt_var_name(const kt_var *v) { return kt_is(v, KT_KIND_VAR) ? v->name : ""; }

const char *kt_var_path(kt_var *v) {
    char path[512];
    if (!kt_is(v, KT_KIND_VAR)) return "";
    if (v->path) return v->path;
    path[0] = 0;
    if (v->owner) kt_layer_path(v->owner, path, sizeof path - 80);
    const size_t at = strlen(path);
    snprintf(path + at, sizeof path - at, "%s%.70s", at ? "/" : "", v->name);
    v->path = kt_strdup(path);
    return v->path ? v->path : v->name;
}

kt_status kt_var_keras_path(kt_var *v, kt_str *out) {
    kt_layer *chain[64];
    int n = 0;
    bool model = false;
    for (kt_layer *l = v->owner; l && n < 64 && !model; l = l->parent) {
        if (!strcmp(l->cls->name, "Functional")) break;
        model = !strcmp(l->cls->name, "Sequential");
        chain[n++] = l;
    }
    if (!v->owner) kt_str_add(out, kt_var_path(v));
    while (n-- > 0) kt_str_addf(out, "%s/", kt_layer_name(chain[n]));
    if (v->owner) kt_str_add(out, v->name);
    return out->status;
}

/* Walking
 * ------------------------------------------------------------------------------------------ */

kt_status kt_layer_walk(kt_layer *l, kt_layer_visit *visit, void *data) {
    KT_VEC(kt_layer *) stack = {0, 0, NULL};
    kt_status st = kt_vec_push(&stack, l);
    while (st == KT_OK && stack.n) {
        kt_layer *top = stack.v[--stack.n];
        st = visit(top, data);
        for (int i = top->children.n; st == KT_OK && i-- > 0;)
            st = kt_vec_push(&stack, top->children.v[i]);
    }
    kt_vec_free(&stack);
    return st;
}

typedef struct {
    kt_var_list *trainable, *others;
    bool now;
} collect_job;

/* A layer may appear twice inside a model, and a wrapper may hold a weight of what it wraps. */
static bool was_collected(const kt_var_list *list, const kt_var *v) {
    for (int i = 0; list && i < list->n; i++)
        if (list->v[i] == v) return true;
    return false;
}

/* Was any layer around this one switched off? (Keras sets the flag on every sub-layer, so one look
 * does.) */
static kt_status collect_visit(kt_layer *l, void *data) {
    const collect_job *j = data;
    for (int pass = 0; pass < 2; pass++) {
        for (int i = 0; i < l->vars.n; i++) {
            kt_var *v = l->vars.v[i];
            if (v->trainable != (pass == 0)) continue;
            const kt_layer *own = v->owner ? v->owner : l;
            const bool on = own->trainable && !v->frozen;
            kt_var_list *to = (v->trainable && (!j->now || on)) || !j->others ? j->trainable
                                                                              : j->others;
            if (was_collected(j->trainable, v) || was_collected(j->others, v)) continue;
            if (kt_vec_push(to, v)) return KT_ENOMEM;
        }
    }
    return KT_OK;
}

kt_status kt_layer_collect(
    kt_layer *l, kt_var_list *trainable, kt_var_list *others, bool trainable_now) {
    collect_job j = {trainable, others, trainable_now};
    return kt_layer_walk(l, collect_visit, &j);
}

static kt_status trainable_visit(kt_layer *l, void *data) {
    l->trainable = *(const bool *)data;
    for (int i = 0; i < l->vars.n && l->trainable; i++) l->vars.v[i]->frozen = false; /* as Keras */
    return KT_OK;
}

kt_status kt_set_trainable(kt_layer *l, bool trainable) {
    const kt_status st = kt_layer_require(l, "kt_set_trainable");
    return st ? st : kt_layer_walk(l, trainable_visit, &trainable);
}

bool kt_trainable(const kt_layer *l) { return kt_is(l, KT_KIND_LAYER) && l->trainable; }
bool kt_layer_built(const kt_layer *l) { return kt_is(l, KT_KIND_LAYER) && l->built; }

/* Reading and writing weights
 * ---------------------------------------------------------------------- */

static kt_status all_weights(const kt_layer *l, kt_var_list *out) {
    *out = (kt_var_list){0, 0, NULL};
    const kt_status st = kt_layer_require(l, "layer");
    return st ? st : kt_layer_collect((kt_layer *)(uintptr_t)l, out, NULL, false);
}

int kt_layer_n_weights(const kt_layer *l) {
    kt_var_list all;
    const int n = all_weights(l, &all) == KT_OK ? all.n : 0;
    kt_vec_free(&all);
    return n;
}

kt_var *kt_layer_weight(const kt_layer *l, int i) {
    kt_var_list all;
    kt_var *v = all_weights(l, &all) == KT_OK && i >= 0 && i < all.n ? all.v[i] : NULL;
    kt_vec_free(&all);
    return v;
}

int64_t kt_layer_count_params(const kt_layer *l) {
    kt_var_list all;
    int64_t n = 0;
    if (all_weights(l, &all) == KT_OK)
        for (int i = 0; i < all.n; i++) n += kt_shape_size(&all.v[i]->spec.shape);
    kt_vec_free(&all);
    return n;
}

kt_tensor *kt_var_value(kt_var *v) {
    if (!kt_is(v, KT_KIND_VAR)) return kt_fail_object(KT_FAIL(KT_EINVAL, "expected a variable"));
    const kt_status st = kt_var_ensure(v);
    return st ? kt_fail_object(st) : kt_tensor_new(v->spec.dtype, v->spec.shape, kt_var_data(v));
}

kt_status kt_var_assign(kt_var *v, const kt_tensor *value) {
    char want[KT_SHAPE_STR], got[KT_SHAPE_STR];
    if (!kt_is(v, KT_KIND_VAR)) return KT_FAIL(KT_EINVAL, "expected a variable");
    if (kt_failed(value)) return kt_check(value);
    if (!kt_shape_equal(&value->shape, &v->spec.shape)) {
        KT_FAIL(KT_ESHAPE, "the shape of a weight does not fit variable \"%s\"", kt_var_path(v));
        kt_error_expected("%s", kt_shape_str(&v->spec.shape, want, sizeof want));
        return kt_error_got("%s", kt_shape_str(&value->shape, got, sizeof got));
    }
    if (value->dtype == KT_STRING)
        return KT_FAIL(KT_EDTYPE, "variable \"%s\": expected numbers, got texts", kt_var_path(v));
    const kt_status st = kt_store_touch(v->store);
    if (st == KT_OK) kt_var_write(v, value->data, value->dtype);
    return st;
}

kt_list_t *kt_get_weights(kt_layer *l) {
    kt_var_list all;
    kt_status st = all_weights(l, &all);
    const void **items = kt_alloc_array(all.n + 1, sizeof *items);
    for (int i = 0; st == KT_OK && items && i < all.n; i++) items[i] = kt_var_value(all.v[i]);
    kt_list_t *list = st || !items ? kt_fail_object(st ? st : KT_ENOMEM)
                                   : kt_list_own(kt_list_of(all.n, items));
    kt_mem_free(items);
    kt_vec_free(&all);
    return list;
}

kt_status kt_set_weights(kt_layer *l, const kt_list_t *weights) {
    kt_var_list all;
    kt_status st = all_weights(l, &all);
    if (st == KT_OK && kt_failed(weights)) st = kt_check(weights);
    if (st == KT_OK && kt_list_len(weights) != all.n)
        st = KT_FAIL(
            KT_ESHAPE,
            "layer \"%s\" has %d weights, got %d",
            kt_layer_name(l),
            all.n,
            kt_list_len(weights));
    for (int i = 0; st == KT_OK && i < all.n; i++) { /* look at all before writing any */
        const kt_tensor *t = kt_list_get(weights, i);
        if (!kt_is(t, KT_KIND_TENSOR))
            st = KT_FAIL(KT_EINVAL, "weight %d is not a tensor", i);
        else if (!kt_shape_equal(&t->shape, &all.v[i]->spec.shape))
            st = kt_var_assign(all.v[i], t);
    }
    for (int i = 0; st == KT_OK && i < all.n; i++)
        st = kt_var_assign(all.v[i], kt_list_get(weights, i));
    kt_vec_free(&all);
    return st;
}
