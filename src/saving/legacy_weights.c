/* Weights of .h5 files in the old form: layer_names, and weight_names of each layer. See legacy.h.
 *
 * Two steps: a plan, which finds for every variable what it gets and checks all shapes, then the
 * reading, right into the variables. What an old version or backend laid out differently is
 * converted when the plan is made (legacy_convert.c), which takes memory for those weights only.
 *
 * Order: in a layer first what is trained, then the rest (BatchNormalization in a model in a
 * model!), as the layer's own flags say. */
#include "saving/legacy_plan.h"

#include "base/log.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What the file has for one layer. */
typedef struct saved_layer {
    char *name; ///< borrowed from names
    kt_legacy_nodes weights;
} saved_layer;

typedef struct saved_file {
    kt_hdf5_strings names;
    KT_VEC(saved_layer) layers;
    kt_legacy_nodes top; ///< weights of the model itself
} saved_file;

static void free_saved(saved_file *s) {
    for (int i = 0; i < s->layers.n; i++) kt_vec_free(&s->layers.v[i].weights);
    kt_vec_free(&s->layers);
    kt_vec_free(&s->top);
    kt_hdf5_strings_free(&s->names);
}

static kt_status no_such(const char *what, const char *name) {
    char quoted[KT_QUOTE_SIZE];
    return KT_FAIL(
        KT_EFORMAT,
        "the file names %s \"%s\" and does not have it",
        what,
        kt_quote(name, strlen(name), quoted, sizeof quoted));
}

/* The names in an attribute; one that is missing is the file's fault. */
static kt_status read_names(kt_hdf5_strings *out, const kt_hdf5_node *group, const char *attr) {
    const kt_status st = kt_hdf5_attr_names(out, group, attr);
    return st == KT_ENOTFOUND ? kt_error_restate(KT_EFORMAT) : st;
}

/* Keras 2 leaves the attribute out for layers that keep their state otherwise (TextVectorization):
 * their groups are empty. */
kt_status kt_legacy_nodes_read(kt_legacy_nodes *out, const kt_hdf5_node *group, const char *attr) {
    kt_hdf5_strings names;
    kt_status st = kt_hdf5_attr_names(&names, group, attr);
    if (st == KT_ENOTFOUND && kt_hdf5_count(group) == 0) return kt_error_clear(), KT_OK;
    if (st == KT_ENOTFOUND) st = kt_error_restate(KT_EFORMAT);
    for (int i = 0; i < names.n && !st; i++) {
        const kt_hdf5_node *d = kt_hdf5_find(group, names.v[i]);
        st = d ? kt_hdf5_check(d) : no_such("a weight", names.v[i]);
        if (!st) st = kt_vec_push(out, d);
    }
    kt_hdf5_strings_free(&names);
    return st;
}

static int compare_texts(const void *a, const void *b) {
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* A layer that stands twice would leave another one of the model without weights. */
static kt_status check_twice(const kt_hdf5_strings *names) {
    char quoted[KT_QUOTE_SIZE];
    kt_status st = KT_OK;
    char **sorted = kt_alloc_array(names->n + 1, sizeof *sorted);
    if (!sorted) return KT_ENOMEM;
    for (int i = 0; i < names->n; i++) sorted[i] = names->v[i];
    qsort(sorted, (size_t)names->n, sizeof *sorted, compare_texts);
    for (int i = 1; i < names->n && !st; i++)
        if (!strcmp(sorted[i], sorted[i - 1]))
            st = KT_FAIL(
                KT_EFORMAT,
                "the file names layer \"%s\" twice",
                kt_quote(sorted[i], strlen(sorted[i]), quoted, sizeof quoted));
    kt_mem_free(sorted);
    return st;
}

static kt_status read_saved(saved_file *out, const kt_hdf5_node *group) {
    kt_status st = read_names(&out->names, group, "layer_names");
    if (!st) st = check_twice(&out->names);
    for (int i = 0; i < out->names.n && !st; i++) {
        saved_layer layer = {.name = out->names.v[i]};
        const kt_hdf5_node *g = kt_hdf5_find(group, layer.name);
        st = kt_hdf5_is_group(g) ? kt_legacy_nodes_read(&layer.weights, g, "weight_names")
                                 : no_such("a layer", layer.name);
        if (!st) st = kt_vec_push(&out->layers, layer);
        if (st) kt_vec_free(&layer.weights);
    }
    const kt_hdf5_node *top = kt_hdf5_find(group, "top_level_model_weights");
    return st || !kt_hdf5_is_group(top) ? st : kt_legacy_nodes_read(&out->top, top, "weight_names");
}

/* The next layer with weights from i on; the number of layers if there is none. */
static int next_saved(const saved_file *s, int i) {
    while (i < s->layers.n && !s->layers.v[i].weights.n) i++;
    return i;
}

/* Layers of the model -------------------------------------------------------------------------- */

typedef struct own_layer {
    kt_layer *layer;
    kt_var_list vars; ///< in the order of files
} own_layer;
typedef struct own_layers {
    KT_VEC(own_layer) layers;
    int *by_name; ///< indices, for finding: files may name tens of thousands
} own_layers;

static void free_own(own_layers *own) {
    for (int i = 0; i < own->layers.n; i++) kt_vec_free(&own->layers.v[i].vars);
    kt_vec_free(&own->layers);
    kt_mem_free(own->by_name);
}

static kt_status file_order(kt_layer *l, kt_var_list *out) {
    kt_var_list others = {0};
    kt_status st = kt_layer_collect(l, out, &others, true);
    for (int i = 0; i < others.n && !st; i++) st = kt_vec_push(out, others.v[i]);
    kt_vec_free(&others);
    return st;
}

static const char *own_name(const own_layer *own) {
    return own->layer->name ? own->layer->name : own->layer->class_name;
}

static int compare_own(const void *a, const void *b, void *data) {
    const own_layers *own = data;
    const int x = *(const int *)a, y = *(const int *)b;
    const int c = strcmp(own_name(&own->layers.v[x]), own_name(&own->layers.v[y]));
    return c ? c : x - y;
}

static kt_status read_own(own_layers *out, kt_layer *m) {
    kt_status st = KT_OK;
    for (int i = 0; i < m->children.n && !st; i++) {
        own_layer own = {.layer = m->children.v[i]};
        st = file_order(own.layer, &own.vars);
        if (!st) st = kt_vec_push(&out->layers, own);
        if (st) kt_vec_free(&own.vars);
    }
    if (st) return st;
    out->by_name = kt_alloc_array(out->layers.n + 1, sizeof(int));
    if (!out->by_name) return KT_ENOMEM;
    for (int i = 0; i < out->layers.n; i++) out->by_name[i] = i;
    qsort_r(out->by_name, (size_t)out->layers.n, sizeof(int), compare_own, out);
    return KT_OK;
}

static int next_own(const own_layers *own, int i) {
    while (i < own->layers.n && !own->layers.v[i].vars.n) i++;
    return i;
}

/* The first layer of that name; -1: none. */
static int find_own(const own_layers *own, const char *name) {
    int low = 0, high = own->layers.n;
    while (low < high) {
        const int mid = low + (high - low) / 2;
        if (strcmp(own_name(&own->layers.v[own->by_name[mid]]), name) < 0)
            low = mid + 1;
        else
            high = mid;
    }
    if (low == own->layers.n) return -1;
    const int found = own->by_name[low];
    return strcmp(own_name(&own->layers.v[found]), name) ? -1 : found;
}

/* Files of whole models name the layers that the model has: names then say more than order. */
static bool same_names(const own_layers *own, const saved_file *saved) {
    int n = 0;
    for (int i = next_own(own, 0); i < own->layers.n; i = next_own(own, i + 1)) n++;
    for (int i = next_saved(saved, 0); i < saved->layers.n; i = next_saved(saved, i + 1), n--) {
        const int k = find_own(own, saved->layers.v[i].name);
        if (k < 0 || !own->layers.v[k].vars.n) return false;
    }
    return n == 0;
}

/* The plan ------------------------------------------------------------------------------------- */

static kt_status wrong_count(const own_layer *own, const saved_layer *saved) {
    char name[KT_QUOTE_SIZE];
    KT_FAIL(
        KT_ESHAPE,
        "the number of weights does not fit: layer \"%.80s\" of the model, \"%s\" of the file",
        own_name(own),
        kt_quote(saved->name, strlen(saved->name), name, sizeof name));
    kt_error_expected("%d weights", own->vars.n);
    return kt_error_got("%d", saved->weights.n);
}

/* `skip_count`: a layer with another number of weights is left alone. */
static kt_status plan_layer(
    kt_legacy_plan *plan,
    const own_layer *own,
    const saved_layer *saved,
    bool skip_shape,
    bool skip_count) {
    char name[KT_QUOTE_SIZE];
    kt_status st = kt_legacy_convert(plan, &own->vars, &saved->weights, skip_shape);
    if (st == KT_ENOTFOUND) {
        if (!skip_count) return wrong_count(own, saved);
        kt_log(
            "weights of layer \"%.80s\" are left alone: %d in the model, %d in the file\n",
            own_name(own),
            own->vars.n,
            saved->weights.n);
        st = KT_OK;
    }
    if (st)
        kt_error_context(
            "in layer \"%s\"", kt_quote(saved->name, strlen(saved->name), name, sizeof name));
    return st;
}

static kt_status plan_by_name(
    kt_legacy_plan *plan, const own_layers *own, const saved_file *saved, bool skip) {
    kt_status st = KT_OK;
    for (int i = 0; i < saved->layers.n && !st; i++) {
        const int k = find_own(own, saved->layers.v[i].name);
        if (k >= 0) st = plan_layer(plan, &own->layers.v[k], &saved->layers.v[i], skip, skip);
    }
    return st;
}

/* Only the shapes may differ with skip_mismatch, as in Keras. */
static kt_status plan_in_order(
    kt_legacy_plan *plan, const own_layers *own, const saved_file *saved, bool skip) {
    kt_status st = KT_OK;
    int n_own = 0, n_saved = 0;
    for (int i = next_own(own, 0); i < own->layers.n; i = next_own(own, i + 1)) n_own++;
    for (int i = next_saved(saved, 0); i < saved->layers.n; i = next_saved(saved, i + 1)) n_saved++;
    if (n_own != n_saved) {
        KT_FAIL(KT_ESHAPE, "the number of layers with weights does not fit");
        kt_error_expected("%d layers, as in the model", n_own);
        return kt_error_got("%d in the file", n_saved);
    }
    for (int i = next_own(own, 0), k = next_saved(saved, 0); i < own->layers.n && !st;
         i = next_own(own, i + 1), k = next_saved(saved, k + 1))
        st = plan_layer(plan, &own->layers.v[i], &saved->layers.v[k], skip, false);
    return st;
}

/* Models have no weights of their own here; a file of weights that has some is for another one. */
static kt_status check_top(const saved_file *saved, const kt_legacy_weights_options *o) {
    if (!saved->top.n || o->whole_model || (o->by_name && o->skip_mismatch)) return KT_OK;
    KT_FAIL(KT_ESHAPE, "the number of weights of the model itself does not fit");
    kt_error_expected("none");
    return kt_error_got("%d", saved->top.n);
}

void kt_legacy_plan_free(kt_legacy_plan *plan) {
    for (int i = 0; i < plan->n; i++) kt_free(plan->v[i].value);
    kt_mem_free(plan->v);
    *plan = (kt_legacy_plan){0};
}

/* All memory first: nothing but reading can fail once a weight has changed. */
kt_status kt_legacy_plan_run(const kt_legacy_plan *plan) {
    kt_status st = KT_OK;
    for (int i = 0; i < plan->n && !st; i++) st = kt_store_touch(plan->v[i].var->store);
    for (int i = 0; i < plan->n && !st; i++) {
        const kt_legacy_item *item = &plan->v[i];
        kt_var *v = item->var;
        if (item->value)
            kt_var_write(v, item->value->data, item->value->dtype);
        else
            st = kt_hdf5_read_into(
                item->node, kt_var_data(v), v->spec.dtype, kt_shape_size(&v->spec.shape));
        v->initialized = true;
    }
    return st;
}

kt_status kt_legacy_read_weights(
    kt_layer *m, const kt_hdf5_node *group, const kt_legacy_weights_options *o) {
    saved_file saved = {0};
    own_layers own = {0};
    kt_legacy_plan plan = {.from = o->from};
    kt_status st = read_saved(&saved, group);
    if (!st) st = read_own(&own, m);
    if (!st) st = check_top(&saved, o);
    if (!st && (o->by_name || (o->whole_model && same_names(&own, &saved))))
        st = plan_by_name(&plan, &own, &saved, o->skip_mismatch);
    else if (!st)
        st = plan_in_order(&plan, &own, &saved, o->skip_mismatch);
    if (!st) st = kt_legacy_plan_run(&plan);
    kt_legacy_plan_free(&plan);
    free_own(&own);
    free_saved(&saved);
    return st;
}
