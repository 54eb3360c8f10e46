/* Paths of weights in Keras 3 files. See weights_tree.h.
 *
 * Keras names what a model or list holds by class, not by name: the second Dense layer is
 * layers/dense_1 whatever it is called. What a layer holds is named after the attribute. */
#include "saving/weights_tree.h"

#include "base/str.h"
#include "model/compile.h"
#include "nn/lora.h"
#include "nn/optimizers/optimizer.h"
#include "saving/archive.h"

#include <stdio.h>
#include <string.h>

#define DEPTH_MAX 64
#define KEY_SIZE 128

static kt_status tree_walk(kt_weight_tree *t, kt_layer *l, const char *path, int depth);

static bool is_skipped(const kt_weight_tree *t, const void *object) {
    if (t->skip == object) return true;
    for (int i = 0; i < kt_list_len(t->skip); i++)
        if (kt_list_get(t->skip, i) == object) return true;
    return false;
}

static bool was_visited(const kt_weight_tree *t, const kt_layer *l) {
    for (int i = 0; i < t->groups.n; i++)
        if (t->groups.v[i].layer == l) return true;
    return false;
}

static char *join(const char *path, const char *key) {
    const size_t n = strlen(path) + strlen(key) + 2;
    char *s = kt_alloc(n);
    if (s) snprintf(s, n, "%s%s%s", path, *path && *key ? "/" : "", key);
    return s;
}

/* Trainable ones first, as Keras keeps them in two lists; those of quantized layers by name:
 * kernel, bias, kernel_scale. What LoRA added is part of the kernel. */
static kt_status push_vars(kt_weight_tree *t, const kt_layer *l) {
    const bool in_order = l->quant.scale != NULL;
    for (int pass = in_order; pass < 2; pass++)
        for (int i = 0; i < l->vars.n; i++)
            if ((in_order || l->vars.v[i]->trainable == !pass) &&
                !kt_lora_is_part(l, l->vars.v[i]) && kt_vec_push(&t->vars, l->vars.v[i]))
                return KT_ENOMEM;
    return KT_OK;
}

/* A layer that a list holds: its class, and _1, _2 … for further ones of that class. */
static void list_key(kt_layer *const *items, int i, char *key, size_t size) {
    int before = 0;
    kt_snake_case(items[i]->class_name, key, size);
    for (int k = 0; k < i; k++) before += !strcmp(items[k]->class_name, items[i]->class_name);
    const size_t n = strlen(key);
    if (before) snprintf(key + n, size - n, "_%d", before);
}

static kt_status walk_list(
    kt_weight_tree *t, int n, kt_layer *const *items, const char *path, int depth) {
    kt_status st = KT_OK;
    for (int i = 0; i < n && st == KT_OK; i++) {
        char key[KEY_SIZE];
        list_key(items, i, key, sizeof key);
        char *below = join(path, key);
        st = below ? tree_walk(t, items[i], below, depth) : KT_ENOMEM;
        kt_mem_free(below);
    }
    return st;
}

/* What Keras lists as model.layers: no operations; of a Sequential no input either. */
static kt_status walk_model(kt_weight_tree *t, kt_layer *m, const char *path, int depth) {
    KT_VEC(kt_layer *) layers = {0, 0, NULL};
    kt_status st = KT_OK;
    for (int i = 0; i < m->children.n && st == KT_OK; i++) {
        kt_layer *l = m->children.v[i];
        if (!strcmp(l->cls->name, "Operation")) continue;
        if (kt_layer_is_input(l) && kt_model_of(m)->is_sequential) continue;
        st = kt_vec_push(&layers, l);
    }
    char *below = join(path, "layers");
    if (!below) st = KT_ENOMEM;
    if (st == KT_OK) st = walk_list(t, layers.n, layers.v, below, depth);
    kt_mem_free(below);
    kt_vec_free(&layers);
    return st;
}

/* Sub-layers by attribute; those that stand in a list attribute ("cells/") follow each other. */
static kt_status walk_parts(kt_weight_tree *t, kt_layer *l, const char *path, int depth) {
    kt_status st = KT_OK;
    for (int i = 0, n = 1; i < l->children.n && st == KT_OK; i += n, n = 1) {
        const char *attribute = l->children.v[i]->attribute;
        const size_t len = attribute ? strlen(attribute) : 0;
        char key[KEY_SIZE];
        if (len && attribute[len - 1] == '/') {
            snprintf(key, sizeof key, "%.*s", (int)len - 1, attribute);
            while (i + n < l->children.n && l->children.v[i + n]->attribute &&
                   !strcmp(l->children.v[i + n]->attribute, attribute))
                n++;
        } else if (len) {
            snprintf(key, sizeof key, "%s", attribute);
        } else {
            list_key(l->children.v, i, key, sizeof key);
        }
        char *below = join(path, key);
        if (!below)
            st = KT_ENOMEM;
        else if (len && attribute[len - 1] == '/')
            st = walk_list(t, n, l->children.v + i, below, depth);
        else
            st = tree_walk(t, l->children.v[i], below, depth);
        kt_mem_free(below);
    }
    return st;
}

/* Layers without weights that Keras' class holds and ours does not need: empty groups in files. */
static const struct {
    const char *class_name, *attribute, *name;
} empty_parts[] = {
    {"MultiHeadAttention", "_dropout_layer", "dropout"},
    {"MultiHeadAttention", "_softmax", "softmax"},
    {"GroupedQueryAttention", "_dropout_layer", "dropout"},
    {"GroupedQueryAttention", "_softmax", "softmax"},
};

static kt_status add_empty(kt_weight_tree *t, kt_layer *l, const char *path) {
    for (size_t i = 0; i < sizeof empty_parts / sizeof *empty_parts; i++) {
        if (strcmp(l->class_name, empty_parts[i].class_name) != 0) continue;
        kt_weight_group g = {
            join(path, empty_parts[i].attribute), empty_parts[i].name, l, t->vars.n, 0};
        if (!g.path || kt_vec_push(&t->groups, g)) {
            kt_mem_free(g.path);
            return KT_ENOMEM;
        }
    }
    return KT_OK;
}

static kt_status tree_walk(kt_weight_tree *t, kt_layer *l, const char *path, int depth) {
    if (was_visited(t, l) || is_skipped(t, l)) return KT_OK;
    if (depth > DEPTH_MAX)
        return KT_FAIL(KT_ELIMIT, "layers are nested more than %d deep", DEPTH_MAX);
    kt_weight_group g = {join(path, ""), kt_layer_name(l), l, t->vars.n, 0};
    if (!g.path || push_vars(t, l)) {
        kt_mem_free(g.path);
        return KT_ENOMEM;
    }
    g.n = t->vars.n - g.first;
    if (kt_vec_push(&t->groups, g)) {
        kt_mem_free(g.path);
        return KT_ENOMEM;
    }
    if (kt_is_model(l)) return walk_model(t, l, path, depth + 1);
    const kt_status st = walk_parts(t, l, path, depth + 1);
    return st ? st : add_empty(t, l, path);
}

/* One that is not built has its own few variables. */
static kt_status add_optimizer(
    kt_weight_tree *t, kt_component *opt, const char *path, bool unbuilt) {
    kt_var *own[4];
    int n = kt_optimizer_n_vars(opt);
    if (is_skipped(t, opt)) return KT_OK;
    unbuilt = unbuilt || !n;
    const kt_status st = unbuilt ? kt_optimizer_own_vars(opt, own, &n) : KT_OK;
    if (st) return st;
    kt_weight_group g = {join(path, ""), kt_opt_name(opt), NULL, t->vars.n, n};
    if (!g.path || kt_vec_push(&t->groups, g)) {
        kt_mem_free(g.path);
        return KT_ENOMEM;
    }
    for (int i = 0; i < n; i++)
        if (kt_vec_push(&t->vars, unbuilt ? own[i] : kt_optimizer_var(opt, i))) return KT_ENOMEM;
    kt_component *inner = kt_optimizer_inner(opt);
    return inner ? add_optimizer(t, inner, "optimizer/inner_optimizer", unbuilt) : KT_OK;
}

static kt_status check_skipped(kt_ref skip) {
    char got[96];
    const bool list = kt_is(skip, KT_KIND_LIST);
    for (int i = 0; skip && i < (list ? kt_list_len(skip) : 1); i++) {
        const void *item = list ? kt_list_get(skip, i) : skip;
        if (kt_is_obj(item) && kt_failed(item)) return kt_check(item);
        if (!kt_is(item, KT_KIND_LAYER) && !kt_is(item, KT_KIND_OPTIMIZER))
            return KT_FAIL(
                KT_EINVAL,
                "objects_to_skip: expected layers or an optimizer, got %s",
                kt_ref_describe(item, got, sizeof got));
    }
    return KT_OK;
}

static kt_status make_tree(
    kt_weight_tree *t, kt_model *m, bool optimizer, kt_ref skip, bool unbuilt) {
    memset(t, 0, sizeof *t);
    const kt_compiled *c = kt_model_of(m)->compiled;
    kt_status st = check_skipped(skip);
    t->skip = st ? NULL : skip;
    if (st == KT_OK) st = tree_walk(t, m, "", 0);
    if (st || !optimizer || !c || !c->optimizer) return st;
    return add_optimizer(t, c->optimizer, "optimizer", unbuilt);
}

kt_status kt_weight_tree_make_but(kt_weight_tree *t, kt_model *m, bool optimizer, kt_ref skip) {
    return make_tree(t, m, optimizer, skip, false);
}

bool kt_saves_unbuilt(kt_model *m) {
    const kt_component *opt = kt_model_optimizer(m);
    return !kt_optimizer_n_vars(opt) ||
           (kt_model_of(m)->optimizer_unbuilt && !kt_opt_iterations(opt));
}

/* A built one is built again: for what is trainable now. */
kt_status kt_weight_tree_to_save(kt_weight_tree *t, kt_model *m, bool optimizer, kt_ref skip) {
    kt_component *opt = (kt_component *)(uintptr_t)kt_model_optimizer(m);
    const bool unbuilt = opt && kt_saves_unbuilt(m);
    const kt_status st = optimizer && opt && !unbuilt ? kt_build_optimizer(m) : KT_OK;
    memset(t, 0, sizeof *t);
    return st ? st : make_tree(t, m, optimizer, skip, unbuilt);
}

kt_status kt_weight_tree_make(kt_weight_tree *t, kt_model *m, bool optimizer) {
    return kt_weight_tree_make_but(t, m, optimizer, NULL);
}

void kt_weight_tree_free(kt_weight_tree *t) {
    for (int i = 0; i < t->groups.n; i++) kt_mem_free(t->groups.v[i].path);
    kt_vec_free(&t->groups);
    kt_vec_free(&t->vars);
}
