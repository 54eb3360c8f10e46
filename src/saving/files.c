/* Saving and loading by name: which format a file is, and whose work that is. See saving.h. */
#include "base/error.h"
#include "base/mem.h"
#include "base/obj.h"
#include "saving/archive.h"
#include "saving/configs.h"
#include "saving/legacy.h"
#include "saving/shards.h"
#include "saving/weights_h5.h"

#include <keratin/saving.h>

#include <string.h>

static bool path_ends(const char *path, const char *end) {
    const size_t n = strlen(path), k = strlen(end);
    return n >= k && !strcmp(path + n - k, end);
}

static kt_status in_file(const char *path, kt_status st) {
    if (st && st == kt_error_last()) kt_error_context("in file \"%.300s\"", path);
    return st;
}

/* Saving --------------------------------------------------------------------------------------- */

static kt_status check_target(const char *path, bool overwrite, const char *verb) {
    if (!path || !*path) return KT_FAIL(KT_EINVAL, "%s: the path is missing", verb);
    if (overwrite || !kt_fs_exists(path)) return KT_OK;
    KT_FAIL(KT_ESTATE, "%s: \"%.300s\" exists already", verb, path);
    return kt_error_hint("overwrite = true replaces it");
}

kt_status kt_model_save_with(const kt_save_args *given) {
    static const kt_save_args defaults = {KT_SAVE_DEFAULTS.model = NULL};
    kt_save_args a;
    kt_status st = kt_args_read(&a, given, sizeof a, &defaults);
    if (st == KT_OK) st = kt_model_require(a.model, "kt_model_save");
    if (st == KT_OK) st = check_target(a.path, a.overwrite, "kt_model_save");
    if (st) return st;
    const bool h5 = a.format ? !strcmp(a.format, "h5")
                             : path_ends(a.path, ".h5") || path_ends(a.path, ".hdf5");
    const bool keras = a.format ? !strcmp(a.format, "keras") : path_ends(a.path, ".keras");
    if (!a.format && path_ends(a.path, ".weights.h5")) {
        KT_FAIL(KT_EINVAL, "kt_model_save: \"%.300s\" is a name for weights alone", a.path);
        return kt_error_hint("kt_model_save_weights() writes it");
    }
    if (!h5 && !keras) {
        KT_FAIL(KT_EINVAL, "kt_model_save: no format goes with \"%.300s\"", a.path);
        return kt_error_expected("a name that ends in .keras or .h5");
    }
    st = kt_check_quantized(a.model);
    if (st == KT_OK)
        st = h5 ? kt_legacy_save(a.model, a.path, a.include_optimizer)
                : kt_archive_save(a.model, a.path, a.include_optimizer);
    if (st && st == kt_error_last())
        kt_error_context("saving model \"%s\"", kt_layer_name(a.model));
    return in_file(a.path, st);
}

kt_status kt_model_save_weights_with(const kt_save_weights_args *given) {
    static const kt_save_weights_args defaults = {KT_SAVE_WEIGHTS_DEFAULTS.model = NULL};
    kt_save_weights_args a;
    kt_weight_tree t = {0};
    kt_status st = kt_args_read(&a, given, sizeof a, &defaults);
    if (st == KT_OK) st = kt_model_require(a.model, "kt_model_save_weights");
    if (st == KT_OK) st = check_target(a.path, a.overwrite, "kt_model_save_weights");
    if (st == KT_OK && kt_is_shards(a.path) != (a.max_shard_size != KT_NONE_F)) {
        KT_FAIL(KT_EINVAL, "kt_model_save_weights: the name is \"%.300s\"", a.path);
        st = kt_error_hint("max_shard_size and a name that ends in .weights.json go together");
    }
    const bool h5 = st == KT_OK && (path_ends(a.path, ".h5") || path_ends(a.path, ".hdf5"));
    if (h5 && !path_ends(a.path, ".weights.h5"))
        return in_file(a.path, kt_legacy_save_weights(a.model, a.path));
    if (st == KT_OK && !h5 && !kt_is_shards(a.path)) {
        KT_FAIL(KT_EINVAL, "kt_model_save_weights: the name is \"%.300s\"", a.path);
        st = kt_error_expected("a name that ends in .weights.h5");
    }
    if (st) return st;
    st = kt_weight_tree_to_save(&t, a.model, true, a.objects_to_skip); /* the optimizer's too */
    if (st == KT_OK && !h5) st = kt_shards_save(&t, a.path, a.max_shard_size);
    if (st == KT_OK && h5) st = kt_weights_h5_save(&t, a.path, NULL);
    kt_weight_tree_free(&t);
    return in_file(a.path, st);
}

/* Loading -------------------------------------------------------------------------------------- */

/* An argument that is wrong in a file is the file's fault. */
static kt_status of_file(kt_status st) {
    if (st == KT_EINVAL || st == KT_ESHAPE || st == KT_EDTYPE || st == KT_ESTATE)
        return kt_error_restate(KT_EFORMAT);
    return st;
}

static kt_model *load_json(const char *path) {
    unsigned char *text = NULL;
    size_t size = 0;
    kt_json *v = NULL;
    kt_status st = kt_fs_load(&text, &size, path, (uint64_t)64 << 20);
    if (st) return kt_fail_object(st);
    st = kt_json_parse(&v, (const char *)text, size, NULL);
    kt_mem_free(text);
    const char *version = kt_json_get_text(v, "keras_version"); /* of Keras 1 and 2 */
    const kt_legacy_origin from = kt_legacy_origin_of(version, NULL);
    kt_model *m = st                          ? kt_fail_object(st)
                  : version && from.major < 3 ? kt_legacy_model_of_json(v, &from, true)
                                              : kt_model_of_json(v, true);
    kt_json_free(v);
    return m;
}

static kt_model *load(const kt_load_args *a) {
    kt_archive archive;
    kt_hdf5 *h;
    kt_status st;
    if (kt_hdf5_is(a->path)) {
        st = kt_hdf5_open(&h, a->path, NULL);
        if (st) return kt_fail_object(st);
        kt_model *m = kt_legacy_load_model(h, a->path, a->compile);
        kt_hdf5_close(h);
        return m;
    }
    if (path_ends(a->path, ".json")) return load_json(a->path);
    if (path_ends(a->path, ".yaml") || path_ends(a->path, ".yml"))
        return kt_fail_object(KT_FAIL(KT_EREFUSED, "YAML is refused, as Keras refuses it"));
    st = kt_archive_open(&archive, a->path);
    if (st) return kt_fail_object(st);
    kt_model *m = kt_archive_load(&archive, a->compile);
    kt_archive_close(&archive);
    return m;
}

kt_model *kt_load_model_with(const kt_load_args *given) {
    static const kt_load_args defaults = {KT_LOAD_DEFAULTS.path = NULL};
    kt_load_args a;
    kt_status st = kt_args_read(&a, given, sizeof a, &defaults);
    if (st == KT_OK && (!a.path || !*a.path))
        st = KT_FAIL(KT_EINVAL, "kt_load_model: the path is missing");
    if (st) return kt_fail_object(st);
    kt_model *m = load(&a);
    if (!kt_failed(m)) return m;
    return kt_fail_object(in_file(a.path, of_file(kt_check(m))));
}

static kt_status load_shards(const kt_load_weights_args *a) {
    kt_weight_files f;
    kt_weight_tree t = {0};
    if (a->by_name) return KT_FAIL(KT_EINVAL, "by_name is for legacy .h5 files");
    kt_status st = kt_shards_open(&f, a->path);
    if (st == KT_OK) st = kt_weight_tree_make_but(&t, a->model, true, a->objects_to_skip);
    if (st == KT_OK) st = kt_weights_h5_get_all(&f, &t, a->skip_mismatch);
    kt_weight_tree_free(&t);
    kt_shards_close(&f);
    return st;
}

static kt_status load_weights(const kt_load_weights_args *a) {
    if (kt_is_shards(a->path)) return load_shards(a);
    kt_archive archive = {.weights = -1};
    kt_hdf5 *h = NULL;
    kt_status st;
    if (kt_hdf5_is(a->path)) {
        st = kt_hdf5_open(&h, a->path, NULL);
    } else {
        uint64_t most = 0;
        st = kt_archive_open(&archive, a->path);
        if (st == KT_OK) st = kt_archive_budget_of(a->model, &most);
        if (st == KT_OK) st = kt_archive_weights(&archive, &h, most);
    }
    const bool old = st == KT_OK && kt_legacy_is_weights(h);
    if (st == KT_OK && a->objects_to_skip && (old || archive.zip)) {
        st = KT_FAIL(KT_EINVAL, "objects_to_skip is for .weights.h5 files");
    } else if (old) {
        st = kt_legacy_load_weights(a->model, h, a->by_name, a->skip_mismatch);
    } else if (st == KT_OK && a->by_name) {
        st = KT_FAIL(KT_EINVAL, "by_name is for legacy .h5 files");
    } else if (st == KT_OK) {
        kt_weight_tree t;
        st = kt_weight_tree_make_but(&t, a->model, true, a->objects_to_skip);
        if (st == KT_OK) st = kt_weights_h5_get(h, &t, a->skip_mismatch);
        kt_weight_tree_free(&t);
    }
    if (h) kt_hdf5_close(h);
    kt_archive_close(&archive);
    return st;
}

kt_status kt_model_load_weights_with(const kt_load_weights_args *given) {
    kt_load_weights_args a;
    kt_status st = kt_args_read(&a, given, sizeof a, NULL);
    if (st == KT_OK) st = kt_model_require(a.model, "kt_model_load_weights");
    if (st == KT_OK && (!a.path || !*a.path))
        st = KT_FAIL(KT_EINVAL, "kt_model_load_weights: the path is missing");
    if (st) return st;
    if (kt_model_of(a.model)->is_sequential && !kt_model_of(a.model)->n_in) {
        KT_FAIL(KT_ESTATE, "the model is not built: there are no weights to load into");
        kt_error_hint("kt_input() as its first item, or a predict, builds it");
        return KT_ESTATE;
    }
    st = load_weights(&a);
    if (kt_is(a.objects_to_skip, KT_KIND_LIST)) kt_drop(a.objects_to_skip);
    if (st == KT_OK) kt_resume_steps(a.model);
    if (st == KT_ESHAPE || st == KT_EDTYPE) st = kt_error_restate(KT_EFORMAT);
    return in_file(a.path, st);
}
