/* A look into files of models or weights, without building anything. See saving.h. */
#include "base/error.h"
#include "base/mem.h"
#include "base/obj.h"
#include "io/npy.h"
#include "io/npz.h"
#include "saving/archive.h"
#include "saving/configs.h"
#include "saving/legacy.h"
#include "saving/shards.h"
#include "tensor/tensor.h"

#include <keratin/saving.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
    char *path, *layer;
    kt_shape shape;
    kt_dtype dtype;
    const kt_hdf5_node *node; ///< NULL: of an .npz or .npy
} file_var;

typedef struct {
    const char *name, *class_name;
} file_layer;

struct kt_file {
    kt_obj obj;
    const char *format;
    kt_archive archive;
    kt_hdf5 *h;
    kt_weight_files shards;
    kt_npz *npz;
    kt_tensor *npy; ///< adopted
    kt_json *config;
    kt_str compile;
    char *text, *version, *backend; ///< of the config; from attributes
    kt_arena *arena;
    KT_VEC(file_layer) layers;
    KT_VEC(file_var) vars;
};

static void file_destroy(void *self) {
    kt_file *f = self;
    for (int i = 0; i < f->vars.n; i++) {
        kt_mem_free(f->vars.v[i].path);
        kt_mem_free(f->vars.v[i].layer);
    }
    kt_vec_free(&f->vars);
    kt_vec_free(&f->layers);
    if (f->h) kt_hdf5_close(f->h);
    kt_shards_close(&f->shards);
    if (f->npz) kt_npz_close(f->npz);
    kt_release(f->npy);
    kt_json_free(f->config);
    kt_archive_close(&f->archive);
    kt_str_free(&f->compile);
    kt_mem_free(f->text);
    kt_mem_free(f->version);
    kt_mem_free(f->backend);
    if (f->arena) kt_arena_free(f->arena);
}

/* Variables ------------------------------------------------------------------------------------ */

static kt_status add_var(
    kt_file *f, const char *path, const char *layer, kt_spec spec, const kt_hdf5_node *node) {
    file_var v = {kt_strdup(path), kt_strdup(layer), spec.shape, spec.dtype, node};
    if (v.path && v.layer && kt_vec_push(&f->vars, v) == KT_OK) return KT_OK;
    kt_mem_free(v.path);
    kt_mem_free(v.layer);
    return KT_ENOMEM;
}

/* The layer a data set belongs to: the name that Keras 3 writes beside it, or the group below
 * model_weights (or the root) of old files. */
static kt_status layer_of(const kt_hdf5_node *data, const char *path, kt_str *out) {
    const kt_hdf5_node *group = kt_hdf5_parent(data);
    char *name = NULL;
    size_t n;
    if (group && kt_hdf5_has_attr(group, "name") &&
        kt_hdf5_attr_text(&name, &n, group, "name") == KT_OK) {
        kt_str_addn(out, name, n);
        kt_mem_free(name);
        return out->status;
    }
    if (!strncmp(path, "model_weights/", 14)) path += 14;
    if (!strncmp(path, "optimizer", 9)) return kt_str_add(out, ""), out->status;
    kt_str_addn(out, path, strcspn(path, "/"));
    return out->status;
}

/* Recursion is limited by the reader (64 groups deep). */
static kt_status add_nodes(kt_file *f, const kt_hdf5_node *group, const char *prefix) {
    kt_status st = KT_OK;
    for (int i = 0; i < kt_hdf5_count(group) && st == KT_OK; i++) {
        const kt_hdf5_node *node = kt_hdf5_child_made(group, i);
        kt_str path = {0}, layer = {0};
        kt_str_addf(&path, "%s%s%s", prefix, *prefix ? "/" : "", kt_hdf5_name(node));
        st = path.status;
        if (st == KT_OK && kt_hdf5_is_group(node)) {
            st = add_nodes(f, node, path.s);
        } else if (st == KT_OK) {
            st = layer_of(node, path.s, &layer);
            const kt_spec spec = {kt_hdf5_dtype(node), kt_hdf5_shape(node)};
            if (st == KT_OK) st = add_var(f, path.s, layer.s ? layer.s : "", spec, node);
        }
        kt_str_free(&path);
        kt_str_free(&layer);
    }
    return st;
}

/* The i-th number in a path decides before its digits do: vars/2 before vars/10. */
static int compare_vars(const void *pa, const void *pb) {
    const char *a = ((const file_var *)pa)->path, *b = ((const file_var *)pb)->path;
    const bool oa = !strncmp(a, "optimizer", 9), ob = !strncmp(b, "optimizer", 9);
    if (oa != ob) return oa - ob;
    while (*a && *a == *b) a++, b++;
    char *ea, *eb;
    const long na = strtol(a, &ea, 10), nb = strtol(b, &eb, 10);
    if (ea != a && eb != b && na != nb) return na < nb ? -1 : 1;
    return (unsigned char)*a - (unsigned char)*b;
}

/* Layers --------------------------------------------------------------------------------------- */

static kt_status list_layers(kt_file *f, const kt_json *model) {
    const kt_json *config = kt_json_get(model, "config");
    const kt_json *list = kt_json_is(config, KT_JSON_LIST) ? config : kt_json_get(config, "layers");
    kt_status st = KT_OK;
    for (int i = 0; i < kt_json_len(list) && st == KT_OK; i++) {
        const kt_json *l = kt_json_at(list, i);
        const char *name = kt_json_get_text(l, "name");
        const char *class_name = kt_json_get_text(l, "class_name");
        if (!name) name = kt_json_get_text(kt_json_get(l, "config"), "name");
        st = kt_vec_push(
            &f->layers, ((file_layer){name ? name : "", class_name ? class_name : ""}));
    }
    return st;
}

typedef struct {
    const char *name;
    int at;
} group_name;

static int by_group_name(const void *pa, const void *pb) {
    const group_name *a = pa, *b = pb;
    const int c = strcmp(a->name, b->name);
    return c ? c : a->at - b->at;
}

/* Weights alone: the layers that hold some, each where it is met first. Sorting finds what comes
 * again: a file may have a hundred thousand of them. */
static kt_status list_groups(kt_file *f) {
    kt_status st = KT_OK;
    const int n = f->vars.n;
    group_name *names = kt_alloc_array(n + 1, sizeof *names);
    bool *again = kt_alloc_array(n + 1, sizeof *again);
    if (!names || !again) st = KT_ENOMEM;
    for (int i = 0; i < n && st == KT_OK; i++) names[i] = (group_name){f->vars.v[i].layer, i};
    if (st == KT_OK && n) qsort(names, (size_t)n, sizeof *names, by_group_name);
    for (int i = 1; i < n && st == KT_OK; i++)
        again[names[i].at] = !strcmp(names[i - 1].name, names[i].name);
    for (int i = 0; i < n && st == KT_OK; i++) {
        const char *name = f->vars.v[i].layer;
        if (*name && !again[i] && !kt_file_var_is_optimizer(f, i))
            st = kt_vec_push(&f->layers, ((file_layer){name, ""}));
    }
    kt_mem_free(names);
    kt_mem_free(again);
    return st;
}

/* Formats -------------------------------------------------------------------------------------- */

static kt_status open_archive(kt_file *f, const char *path) {
    kt_status st = kt_archive_open(&f->archive, path);
    f->format = "keras";
    if (st) return st;
    f->config = kt_json_ref(f->archive.config);
    f->text = f->archive.config_text;
    f->archive.config_text = NULL;
    if (f->archive.weights < 0) return KT_OK;
    st = kt_archive_weights(&f->archive, &f->h, kt_archive_budget(&f->archive));
    return st ? st : add_nodes(f, kt_hdf5_root(f->h), "");
}

static kt_status attribute(const kt_hdf5_node *node, const char *name, char **out) {
    size_t n;
    *out = NULL;
    if (!kt_hdf5_has_attr(node, name)) return KT_OK;
    return kt_hdf5_attr_text(out, &n, node, name);
}

static kt_status open_hdf5(kt_file *f, const char *path) {
    char *training = NULL;
    kt_status st = kt_hdf5_open(&f->h, path, NULL);
    if (st) return st;
    const kt_hdf5_node *root = kt_hdf5_root(f->h);
    const kt_hdf5_node *weights = kt_hdf5_find(root, "model_weights");
    const bool legacy = weights || kt_hdf5_has_attr(root, "layer_names") ||
                        kt_hdf5_has_attr(root, "layer_names0");
    f->format = legacy ? "legacy weights" : "weights.h5";
    st = attribute(root, "keras_version", &f->version);
    if (st == KT_OK && !f->version && weights)
        st = attribute(weights, "keras_version", &f->version);
    if (st == KT_OK) st = attribute(root, "backend", &f->backend);
    if (st == KT_OK && !f->backend && weights) st = attribute(weights, "backend", &f->backend);
    if (st == KT_OK) st = attribute(root, "model_config", &f->text);
    if (st == KT_OK && f->text) {
        f->format = "h5";
        st = kt_legacy_see_code(f->text, kt_json_parse(&f->config, f->text, strlen(f->text), NULL));
    }
    if (st == KT_OK) st = attribute(root, "training_config", &training);
    if (st == KT_OK && training) kt_str_add(&f->compile, training);
    kt_mem_free(training);
    if (st == KT_OK) st = f->compile.status;
    return st ? st : add_nodes(f, root, "");
}

static kt_status open_npz(kt_file *f, const char *path) {
    kt_status st = kt_npz_open(&f->npz, path);
    f->format = "npz";
    for (int i = 0; st == KT_OK && i < kt_npz_count(f->npz); i++) {
        kt_tensor *t = kt_npz_read(f->npz, kt_npz_name(f->npz, i));
        st = kt_check(t);
        if (st == KT_OK)
            st = add_var(f, kt_npz_name(f->npz, i), "", (kt_spec){t->dtype, t->shape}, NULL);
        kt_free(t);
    }
    return st;
}

static kt_status open_npy(kt_file *f, const char *path) {
    kt_tensor *t = kt_npy_read(path);
    f->format = "npy";
    if (kt_failed(t)) return kt_check(t);
    f->npy = kt_adopt(t);
    return add_var(f, "array", "", (kt_spec){t->dtype, t->shape}, NULL);
}

static kt_status open_shards(kt_file *f, const char *path) {
    kt_status st = kt_shards_open(&f->shards, path);
    f->format = "weights.json";
    for (int i = 0; i < f->shards.n && st == KT_OK; i++)
        st = add_nodes(f, kt_hdf5_root(f->shards.h[i]), "");
    return st;
}

static kt_status open_json(kt_file *f, const char *path) {
    size_t n;
    unsigned char *text;
    kt_status st = kt_fs_load(&text, &n, path, (uint64_t)64 << 20);
    f->format = "json";
    if (st) return st;
    f->text = (char *)text;
    return kt_json_parse(&f->config, f->text, n, NULL);
}

static bool begins_with(const char *path, const char *magic, size_t n) {
    kt_fs_file file;
    char head[8];
    if (kt_fs_open(&file, path)) return false;
    const bool same = file.size >= n && kt_fs_read_at(&file, 0, head, n) == KT_OK &&
                      !memcmp(head, magic, n);
    kt_fs_close(&file);
    return same;
}

static bool ends_with(const char *path, const char *end) {
    const size_t n = strlen(path), k = strlen(end);
    return n >= k && !strcmp(path + n - k, end);
}

static kt_status open_any(kt_file *f, const char *path) {
    if (kt_hdf5_is(path)) return open_hdf5(f, path);
    if (begins_with(path, "\x93NUMPY", 6)) return open_npy(f, path);
    if (kt_is_shards(path)) return open_shards(f, path);
    if (ends_with(path, ".json")) return open_json(f, path);
    if (ends_with(path, ".npz")) return open_npz(f, path);
    return open_archive(f, path);
}

static kt_status describe(kt_file *f) {
    const kt_json *compile = kt_json_get(f->config, "compile_config");
    if (f->vars.n) qsort(f->vars.v, (size_t)f->vars.n, sizeof *f->vars.v, compare_vars);
    if (f->archive.metadata) {
        const char *v = kt_json_get_text(f->archive.metadata, "keras_version");
        f->version = v ? kt_strdup(v) : NULL;
    } else if (!f->version && kt_json_get_text(f->config, "keras_version")) {
        f->version = kt_strdup(kt_json_get_text(f->config, "keras_version"));
    }
    if (!f->compile.s && kt_json_len(compile)) kt_json_write(&f->compile, compile, KT_NONE);
    if (f->compile.status) return f->compile.status;
    return f->config ? list_layers(f, f->config) : list_groups(f);
}

kt_file *kt_file_open(const char *path) {
    if (!path || !*path)
        return kt_fail_object(KT_FAIL(KT_EINVAL, "path: expected the name of a file, got none"));
    kt_file *f = kt_obj_new(sizeof *f, KT_KIND_OTHER, file_destroy);
    if (!f) return kt_fail_object(KT_ENOMEM);
    f->format = "";
    f->archive.weights = -1;
    kt_status st = open_any(f, path);
    if (st == KT_OK) st = describe(f);
    if (st == KT_OK) return f;
    if (st == kt_error_last()) kt_error_context("in file \"%.300s\"", path);
    kt_free(f);
    return kt_fail_object(st);
}

/* Looking -------------------------------------------------------------------------------------- */

static const kt_file *file_of(const kt_file *f) { return kt_is(f, KT_KIND_OTHER) ? f : NULL; }
static const char *or_empty(const char *s) { return s ? s : ""; }

const char *kt_file_format(const kt_file *f) { return file_of(f) ? f->format : ""; }
const char *kt_file_keras_version(const kt_file *f) {
    return file_of(f) ? or_empty(f->version) : "";
}
const char *kt_file_date_saved(const kt_file *f) {
    return file_of(f) ? or_empty(kt_json_get_text(f->archive.metadata, "date_saved")) : "";
}
const char *kt_file_backend(const kt_file *f) { return file_of(f) ? or_empty(f->backend) : ""; }
const char *kt_file_config(const kt_file *f) { return file_of(f) && f->config ? f->text : NULL; }
const char *kt_file_compile_config(const kt_file *f) { return file_of(f) ? f->compile.s : NULL; }
const char *kt_file_model_class(const kt_file *f) {
    return file_of(f) ? or_empty(kt_json_get_text(f->config, "class_name")) : "";
}
const char *kt_file_model_name(const kt_file *f) {
    return file_of(f) ? or_empty(kt_json_get_text(kt_json_get(f->config, "config"), "name")) : "";
}

int kt_file_n_layers(const kt_file *f) { return file_of(f) ? f->layers.n : 0; }
static const file_layer *layer_at(const kt_file *f, int i) {
    return i >= 0 && i < kt_file_n_layers(f) ? &f->layers.v[i] : NULL;
}
const char *kt_file_layer_name(const kt_file *f, int i) {
    return layer_at(f, i) ? layer_at(f, i)->name : "";
}
const char *kt_file_layer_class(const kt_file *f, int i) {
    return layer_at(f, i) ? layer_at(f, i)->class_name : "";
}

int kt_file_n_vars(const kt_file *f) { return file_of(f) ? f->vars.n : 0; }
static const file_var *var_at(const kt_file *f, int i) {
    return i >= 0 && i < kt_file_n_vars(f) ? &f->vars.v[i] : NULL;
}
const char *kt_file_var_path(const kt_file *f, int i) {
    return var_at(f, i) ? var_at(f, i)->path : "";
}
const char *kt_file_var_layer(const kt_file *f, int i) {
    return var_at(f, i) ? var_at(f, i)->layer : "";
}
kt_shape kt_file_var_shape(const kt_file *f, int i) {
    return var_at(f, i) ? var_at(f, i)->shape : (kt_shape){0, {0}};
}
kt_dtype kt_file_var_dtype(const kt_file *f, int i) {
    return var_at(f, i) ? var_at(f, i)->dtype : KT_NO_DTYPE;
}
bool kt_file_var_is_optimizer(const kt_file *f, int i) {
    return !strncmp(kt_file_var_path(f, i), "optimizer", 9);
}
int kt_file_find_var(const kt_file *f, const char *path) {
    for (int i = 0; path && i < kt_file_n_vars(f); i++)
        if (!strcmp(f->vars.v[i].path, path)) return i;
    return -1;
}

kt_tensor *kt_file_var_read(kt_file *f, int i) {
    const file_var *v = var_at(f, i);
    if (kt_is_obj(f) && kt_failed(f)) return kt_fail_object(kt_check(f));
    if (!v) return kt_fail_object(KT_FAIL(KT_ENOTFOUND, "kt_file_var_read: no variable %d", i));
    if (v->node) return kt_hdf5_read(v->node);
    return f->npz ? kt_npz_read(f->npz, v->path) : kt_tensor_copy(f->npy);
}

/* Checking ------------------------------------------------------------------------------------- */

static kt_status check_values(const kt_tensor *t, const char *path) {
    if (!kt_dtype_is_float(t->dtype)) return KT_OK;
    for (int64_t i = 0; i < kt_tensor_size(t); i++)
        if (!isfinite(kt_tensor_get(t, i)))
            return KT_FAIL(KT_EFORMAT, "\"%.200s\" holds NaN or infinity", path);
    return KT_OK;
}

kt_status kt_file_check_with(const kt_file_check_args *given) {
    kt_file_check_args a;
    kt_status st = kt_args_read(&a, given, sizeof a, NULL);
    kt_file *f = st ? kt_fail_object(st) : kt_file_open(a.path);
    if (kt_failed(f)) return kt_check(f);
    const bool model = f->config != NULL;
    for (int i = 0; i < kt_file_n_vars(f) && st == KT_OK; i++) {
        kt_tensor *t = kt_file_var_read(f, i);
        st = kt_check(t);
        if (st == KT_OK && a.strict) st = check_values(t, kt_file_var_path(f, i));
        kt_free(t);
    }
    if (st && st == kt_error_last()) kt_error_context("in file \"%.300s\"", a.path);
    kt_free(f);
    if (st || !model) return st;
    kt_model *m = kt_load_model(a.path);
    st = kt_check(m);
    kt_free(m);
    return st;
}
