/* Weights in the HDF5 layout of Keras 3. See weights_h5.h.
 *
 * A group's variables are the data sets <path>/vars/0, 1 …; the attribute `name` of vars is the
 * layer's name, for people only. */
#include "saving/weights_h5.h"

#include "base/log.h"
#include "base/str.h"
#include "nn/layers/lookup.h"
#include "nn/lora.h"
#include "runtime/var.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define IDF "idf_weights" /* of lookup layers, which has no variables */

/* Writing */

kt_status kt_weights_h5_put(kt_hdf5_writer *w, const kt_weight_tree *t) {
    for (int i = 0; i < t->groups.n; i++) {
        const kt_weight_group *g = &t->groups.v[i];
        const kt_status st = kt_weights_h5_put_group(w, t, g, 0, g->n);
        if (st) return st;
    }
    return KT_OK;
}

/* The weights of a lookup layer, and once more for the one inside of it. */
static kt_status put_idf(kt_hdf5_writer *w, const kt_weight_group *g, kt_hdf5_item *vars) {
    const char *inside = kt_lookup_inside(g->layer), *name = "string_lookup";
    int64_t n = 0;
    const float *idf = kt_lookup_weights_of(g->layer, &n);
    if (idf) kt_hdf5_put_copy(vars, IDF, KT_FLOAT32, kt_dims(n), idf);
    if (!inside) return KT_OK;
    kt_hdf5_item *at = kt_hdf5_writer_root(w);
    if (*g->path) at = kt_hdf5_put_group(at, g->path);
    at = kt_hdf5_put_group(kt_hdf5_put_group(at, inside), "vars");
    if (idf) kt_hdf5_put_copy(at, IDF, KT_FLOAT32, kt_dims(n), idf);
    return kt_hdf5_put_text(at, "name", name, strlen(name), true);
}

kt_status kt_weights_h5_put_group(
    kt_hdf5_writer *w, const kt_weight_tree *t, const kt_weight_group *g, int from, int to) {
    kt_hdf5_item *at = kt_hdf5_writer_root(w);
    if (*g->path) at = kt_hdf5_put_group(at, g->path);
    at = kt_hdf5_put_group(at, "vars");
    kt_status st = kt_hdf5_put_text(at, "name", g->name, strlen(g->name), true);
    if (st == KT_OK && from == 0) st = put_idf(w, g, at);
    for (int k = from; k < to && st == KT_OK; k++) {
        kt_var *v = t->vars.v[g->first + k];
        char key[16];
        snprintf(key, sizeof key, "%d", k);
        void *merged = NULL;
        st = kt_var_ensure(v);
        if (st == KT_OK) st = kt_lora_merged(g->layer, v, &merged);
        if (merged)
            kt_hdf5_put_copy(at, key, v->spec.dtype, v->spec.shape, merged);
        else if (st == KT_OK)
            kt_hdf5_put_data(at, key, v->spec.dtype, v->spec.shape, kt_var_data(v));
        kt_mem_free(merged);
    }
    return st;
}

kt_status kt_weights_h5_save(const kt_weight_tree *t, const char *path, const char *training) {
    kt_hdf5_writer *w = kt_hdf5_writer_new();
    kt_status st = w ? kt_weights_h5_put(w, t) : KT_ENOMEM;
    if (st == KT_OK && training)
        st = kt_hdf5_put_text(
            kt_hdf5_writer_root(w), "training_metadata", training, strlen(training), true);
    if (st == KT_OK) st = kt_hdf5_save(w, path);
    if (w) kt_hdf5_writer_free(w);
    return st;
}

/* Reading */

#define OLD_LAYERS "_layer_checkpoint_dependencies"

/* tf.keras 2.13 lists a layer that has weights twice: its third Dense is dense_4, and there is no
 * dense_1. NULL if `name` is no such name. */
static const kt_hdf5_node *find_doubled(const kt_hdf5_node *at, const char *name) {
    char key[160];
    const char *tail = strrchr(name, '_');
    const size_t n = tail ? (size_t)(tail - name) : 0;
    if (!n || n > 120 || !tail[1] || strspn(tail + 1, "0123456789") != strlen(tail + 1))
        return NULL;
    snprintf(key, sizeof key, "%.*s_1", (int)n, name);
    if (strlen(tail) > 8 || kt_hdf5_find(at, key)) return NULL;
    snprintf(key, sizeof key, "%.*s_%ld", (int)n, name, 2 * strtol(tail + 1, NULL, 10));
    return kt_hdf5_find(at, key);
}

/* tf.keras 2.12 to 2.14: every "layers" is called so. */
static const kt_hdf5_node *find_old(const kt_hdf5_node *at, const char *path) {
    while (at && *path) {
        char key[160];
        const size_t n = strcspn(path, "/");
        if (n >= sizeof key) return NULL;
        snprintf(key, sizeof key, "%.*s", (int)n, path);
        const kt_hdf5_node *doubled = find_doubled(at, key);
        at = doubled ? doubled : kt_hdf5_find(at, strcmp(key, "layers") ? key : OLD_LAYERS);
        path += n + (path[n] == '/');
    }
    return at;
}

/* Written under Windows: one group whose name has the path, with backslashes. */
static const kt_hdf5_node *find_windows(const kt_hdf5_node *root, const char *path, bool old) {
    kt_str s = {0};
    for (const char *p = path; *p;) {
        const size_t n = strcspn(p, "/");
        const bool layers = old && n == 6 && !memcmp(p, "layers", 6);
        kt_str_addn(&s, layers ? OLD_LAYERS : p, layers ? strlen(OLD_LAYERS) : n);
        p += n;
        if (*p++ == '/')
            kt_str_addn(&s, "\\", 1);
        else
            break;
    }
    const kt_hdf5_node *at = s.status || !s.s ? NULL : kt_hdf5_find(root, s.s);
    kt_str_free(&s);
    return at;
}

/* Where a group's variables are; NULL if the file has none. */
static const kt_hdf5_node *find_vars(const kt_hdf5 *h, const kt_weight_group *g) {
    const kt_hdf5_node *root = kt_hdf5_root(h), *at = kt_hdf5_find(root, g->path);
    const kt_hdf5_node *vars = at ? kt_hdf5_find(at, "vars") : NULL;
    if (kt_hdf5_find(root, OLD_LAYERS)) at = find_old(root, g->path);
    for (int old = 0; !at && old < 2 && strchr(g->path, '/'); old++)
        at = find_windows(root, g->path, old);
    return vars || !at ? vars : kt_hdf5_find(at, "vars");
}

/* The weights of a lookup layer in one of the files, NULL. */
static const kt_hdf5_node *find_idf(const kt_weight_files *f, const kt_weight_group *g) {
    for (int i = 0; i < f->n && kt_lookup_wants_weights(g->layer); i++) {
        const kt_hdf5_node *vars = find_vars(f->h[i], g);
        const kt_hdf5_node *data = vars ? kt_hdf5_find(vars, IDF) : NULL;
        if (data) return data;
    }
    return NULL;
}

static kt_status read_idf(const kt_weight_files *f, const kt_weight_group *g) {
    const kt_hdf5_node *data = find_idf(f, g);
    if (!data) return KT_OK;
    kt_tensor *t = kt_hdf5_read(data);
    const kt_status st = kt_failed(t) ? kt_check(t) : kt_lookup_take_weights(g->layer, t);
    kt_free(t);
    return st;
}

/* How many variables of a group there are in all files; -1: no file has such a group. */
static int count_stored(const kt_weight_files *f, const kt_weight_group *g) {
    int n = -1;
    for (int i = 0; i < f->n; i++) {
        const kt_hdf5_node *vars = find_vars(f->h[i], g);
        if (vars) n = (n < 0 ? 0 : n) + kt_hdf5_count(vars);
    }
    if (find_idf(f, g)) n--;
    return n;
}

/* Files of tf.keras know no variable for the learning rate, which is the second one here. */
static bool lacks_learning_rate(const kt_weight_group *g, int n_stored) {
    return !g->layer && g->n > 1 && n_stored == g->n - 1;
}

/* Data set for variable k; -1 in *number: the file has none and need not have. */
static const kt_hdf5_node *find_var(
    const kt_weight_files *f, const kt_weight_group *g, int k, int *number) {
    char key[16];
    *number = k;
    if (lacks_learning_rate(g, count_stored(f, g))) *number = k == 1 ? -1 : k > 1 ? k - 1 : k;
    snprintf(key, sizeof key, "%d", *number);
    for (int i = 0; i < f->n && *number >= 0; i++) {
        const kt_hdf5_node *vars = find_vars(f->h[i], g);
        const kt_hdf5_node *data = vars ? kt_hdf5_find(vars, key) : NULL;
        if (data) return data;
    }
    return NULL;
}

static void say_where(const kt_weight_group *g) {
    if (g->layer)
        kt_error_context("in layer \"%s\" (%s)", g->name, kt_layer_class_name(g->layer));
    else
        kt_error_context("in optimizer \"%s\"", g->name);
}

static kt_status check_var(const kt_hdf5_node *data, const kt_var *v, int number) {
    char want[KT_SHAPE_STR], got[KT_SHAPE_STR];
    if (!data || !kt_hdf5_is_data(data))
        return KT_FAIL(KT_ESHAPE, "the file has no variable %d (%s)", number, v->name);
    const kt_status st = kt_hdf5_check(data);
    const kt_shape shape = kt_hdf5_shape(data);
    if (st || kt_shape_equal(&shape, &v->spec.shape)) return st;
    KT_FAIL(KT_ESHAPE, "variable %d (%s) has another shape in the file", number, v->name);
    kt_error_expected("%s", kt_shape_str(&v->spec.shape, want, sizeof want));
    return kt_error_got("%s", kt_shape_str(&shape, got, sizeof got));
}

/* *fits: how many variables there are before the first that is not as it should be. */
static kt_status check_group(
    const kt_weight_tree *t, const kt_weight_group *g, const kt_weight_files *f, int *fits) {
    const int found = count_stored(f, g), stored = found < 0 ? 0 : found;
    kt_status st = KT_OK;
    *fits = 0;
    if (stored != g->n && !(found >= 0 && lacks_learning_rate(g, stored))) {
        KT_FAIL(KT_ESHAPE, "another number of variables in the file");
        kt_error_expected("%d", g->n);
        st = kt_error_got("%d", stored);
        if (!stored) st = kt_error_hint("the file holds nothing at \"%s/vars\"", g->path);
    }
    for (int k = 0; k < g->n && st == KT_OK; k++) {
        int number;
        const kt_hdf5_node *data = find_var(f, g, k, &number);
        if (number >= 0) st = check_var(data, t->vars.v[g->first + k], number);
        if (st == KT_OK) *fits = k + 1;
    }
    if (st) say_where(g);
    return st;
}

/* The first n variables. */
static kt_status read_group(
    const kt_weight_tree *t, const kt_weight_group *g, const kt_weight_files *f, int n) {
    kt_status st = KT_OK;
    for (int k = 0; k < n && st == KT_OK; k++) {
        int number;
        kt_var *v = t->vars.v[g->first + k];
        const kt_hdf5_node *data = find_var(f, g, k, &number);
        if (number < 0) continue;
        st = kt_hdf5_read_into(data, kt_var_data(v), v->spec.dtype, kt_shape_size(&v->spec.shape));
        if (st == KT_OK) v->initialized = true;
    }
    if (st == KT_OK && g->layer && n == g->n) kt_lora_clear(g->layer);
    if (st == KT_OK && g->layer) st = read_idf(f, g);
    return st;
}

/* A group that does not fit and may be left alone: not damaged data, just others. An optimizer that
 * has never trained has its step and learning rate in the file and nothing else: no loss. */
static bool may_skip(const kt_weight_group *g, kt_status st, int n_stored, bool skip_mismatch) {
    if (st != KT_ESHAPE || (g->layer && !skip_mismatch)) return false;
    const kt_error e = kt_error_get();
    if (g->layer || n_stored < 1 || n_stored > 2)
        kt_log(
            "keratin: warning: left as it was: %s %s (expected %s, got %s)\n",
            e.text,
            e.path,
            e.expected,
            e.got);
    kt_error_clear();
    return true;
}

kt_status kt_weights_h5_get(kt_hdf5 *h, const kt_weight_tree *t, bool skip_mismatch) {
    return kt_weights_h5_get_all(&(kt_weight_files){1, &h}, t, skip_mismatch);
}

kt_status kt_weights_h5_get_all(
    const kt_weight_files *f, const kt_weight_tree *t, bool skip_mismatch) {
    KT_VEC(int) fits = {0, 0, NULL};
    kt_status st = KT_OK;
    for (int i = 0; i < t->groups.n && st == KT_OK; i++) {
        const kt_weight_group *g = &t->groups.v[i];
        int n;
        st = check_group(t, g, f, &n);
        if (st && may_skip(g, st, count_stored(f, g), skip_mismatch)) {
            st = KT_OK;
            if (!g->layer) n = 0;
        }
        if (st == KT_OK) st = kt_vec_push(&fits, n);
    }
    for (int i = 0; i < t->vars.n && st == KT_OK; i++) st = kt_store_touch(t->vars.v[i]->store);
    for (int i = 0; i < t->groups.n && st == KT_OK; i++)
        st = read_group(t, &t->groups.v[i], f, fits.v[i]);
    kt_vec_free(&fits);
    return st;
}
