/* See archive.h. */
#include "saving/archive.h"

#include "base/error.h"
#include "base/mem.h"
#include "io/weights_npz.h"
#include "model/compile.h"
#include "nn/layers/lookup.h"
#include "nn/optimizers/optimizer.h"
#include "saving/configs.h"
#include "saving/legacy.h"
#include "saving/weights_h5.h"
#include "tensor/tensor.h"

#include <keratin/saving.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define KERAS_VERSION "3.15.1"
#define CONFIG_MAX ((uint64_t)64 << 20)
#define ASSET_FREE ((uint64_t)4 << 20)

/* Opening -------------------------------------------------------------------------------------- */

static bool read_head(const char *path, unsigned char *head) {
    kt_fs_file f;
    if (kt_fs_open(&f, path)) return false;
    const bool read = f.size >= 4 && kt_fs_read_at(&f, 0, head, 4) == KT_OK;
    kt_fs_close(&f);
    return read;
}

bool kt_archive_is(const char *path) {
    unsigned char head[4];
    return read_head(path, head) && !memcmp(head, "PK", 2) && head[2] < 8 && head[3] < 9;
}

static bool begins_with_pk(const char *path) {
    unsigned char head[4];
    return read_head(path, head) && !memcmp(head, "PK", 2);
}

static kt_status read_member(
    const kt_archive *a, const char *name, uint64_t most, char **text, size_t *size) {
    const int i = kt_zip_find(a->zip, name);
    *text = NULL;
    if (i < 0) return KT_ENOTFOUND;
    const uint64_t n = kt_zip_entry_at(a->zip, i)->size;
    if (n > most)
        return KT_FAIL(
            KT_ELIMIT,
            "%s has %llu bytes, at most %llu",
            name,
            (unsigned long long)n,
            (unsigned long long)most);
    char *data = kt_alloc((size_t)n + 1);
    if (!data) return KT_ENOMEM;
    const kt_status st = kt_zip_read(a->zip, i, data);
    if (st) {
        kt_mem_free(data);
        return st;
    }
    *text = data;
    *size = (size_t)n;
    return KT_OK;
}

static kt_status read_parts(kt_archive *a) {
    char *text = NULL;
    size_t size = 0;
    kt_status st = read_member(a, "config.json", CONFIG_MAX, &a->config_text, &size);
    if (st == KT_ENOTFOUND) return KT_FAIL(KT_EFORMAT, "there is no config.json in the archive");
    if (st == KT_OK) st = kt_json_parse(&a->config, a->config_text, size, NULL);
    if (st) {
        if (st == kt_error_last()) kt_error_context("in config.json");
        return st;
    }
    st = read_member(
        a, "metadata.json", CONFIG_MAX, &text, &size); /* for information only, as in Keras */
    if (st == KT_OK && kt_json_parse(&a->metadata, text, size, NULL)) a->metadata = NULL;
    kt_mem_free(text);
    if (st && st != KT_ENOTFOUND) return st;
    a->weights = kt_zip_find(a->zip, "model.weights.h5");
    const int npz = kt_zip_find(a->zip, "model.weights.npz");
    if (npz < 0) return KT_OK;
    if (a->weights >= 0) return KT_FAIL(KT_EFORMAT, "there are two kinds of weights");
    a->weights = npz;
    a->npz = true;
    return KT_OK;
}

static kt_status open_with(kt_archive *a, kt_status st) {
    a->weights = -1;
    if (st == KT_OK) st = read_parts(a);
    if (st) kt_archive_close(a);
    return st;
}

kt_status kt_archive_open(kt_archive *a, const char *path) {
    *a = (kt_archive){0};
    const kt_status st = kt_zip_open(&a->zip, path, NULL);
    if (st != KT_EFORMAT || begins_with_pk(path)) return open_with(a, st);
    KT_FAIL(KT_EFORMAT, "this is no file of a model: neither a zip archive nor HDF5");
    return kt_error_expected("what Keras or kt_model_save() wrote: .keras, .h5, .json");
}

kt_status kt_archive_open_memory(kt_archive *a, const void *data, size_t size) {
    *a = (kt_archive){0};
    return open_with(a, kt_zip_open_memory(&a->zip, data, size, NULL));
}

void kt_archive_close(kt_archive *a) {
    kt_json_free(a->config);
    kt_json_free(a->metadata);
    kt_mem_free(a->config_text);
    if (a->zip) kt_zip_close(a->zip);
    *a = (kt_archive){.weights = -1};
}

kt_status kt_archive_weights(kt_archive *a, kt_hdf5 **out, uint64_t bytes_max) {
    *out = NULL;
    if (a->weights < 0) return KT_FAIL(KT_EFORMAT, "there is no model.weights.h5 in the archive");
    const kt_zip_entry *e = kt_zip_entry_at(a->zip, a->weights);
    if (e->method && e->size > bytes_max)
        return KT_FAIL(
            KT_ELIMIT,
            "%s unpacks to %llu bytes, more than the model needs",
            e->name,
            (unsigned long long)e->size);
    const kt_status st = a->npz ? kt_weights_npz_open(out, a->zip, a->weights, bytes_max)
                                : kt_hdf5_open_zip(out, a->zip, a->weights, NULL);
    if (st && st == kt_error_last()) kt_error_context("in %s", e->name);
    return st;
}

/* Loading -------------------------------------------------------------------------------------- */

static kt_status count_bytes(const kt_weight_tree *t, uint64_t *bytes) {
    *bytes = 0;
    for (int i = 0; i < t->vars.n; i++) {
        const int64_t n = kt_spec_bytes(&t->vars.v[i]->spec);
        if (n < 0 || *bytes + (uint64_t)n > (uint64_t)1 << 60)
            return KT_FAIL(KT_EFORMAT, "the architecture has more weights than can be counted");
        *bytes += (uint64_t)n;
    }
    return KT_OK;
}

/* What LoRA adds stands in no file: a rank that makes much of little is no sensible one. */
#define LORA_TIMES 64
#define LORA_FREE ((double)(1 << 20))
static kt_status check_lora(const kt_weight_tree *t, uint64_t have) {
    double bytes = 0;
    for (int i = 0; i < t->groups.n; i++) {
        const kt_layer *l = t->groups.v[i].layer;
        if (!l || !l->lora.a) continue;
        bytes += (double)kt_spec_bytes(&l->lora.a->spec) + (double)kt_spec_bytes(&l->lora.b->spec);
    }
    if (bytes <= LORA_FREE + LORA_TIMES * (double)have) return KT_OK;
    return KT_FAIL(
        KT_ELIMIT,
        "lora_rank makes %.0f bytes of weights more, the file has %.0f",
        bytes,
        (double)have);
}

/* More parameters than the file can hold: found before any memory is asked for. *bytes is what the
 * model needs. */
static kt_status check_size(const kt_archive *a, const kt_weight_tree *t, uint64_t *bytes) {
    const kt_status st = count_bytes(t, bytes);
    const uint64_t have = a->weights < 0 ? 0 : kt_zip_entry_at(a->zip, a->weights)->size;
    if (st || *bytes <= have) return st ? st : check_lora(t, have);
    return KT_FAIL(
        KT_EFORMAT,
        "the architecture has %llu bytes of weights, %s has %llu",
        (unsigned long long)*bytes,
        a->npz ? "model.weights.npz" : "model.weights.h5",
        (unsigned long long)have);
}

/* What deflated weights may unpack to: with an optimizer's state, and what stands around it. */
static uint64_t budget_of(uint64_t bytes) { return 8 * bytes + ((uint64_t)16 << 20); }

kt_status kt_build_optimizer(kt_model *m) {
    kt_component *o = (kt_component *)(uintptr_t)kt_model_optimizer(m);
    kt_var_list trainable = {0, 0, NULL}, others = {0, 0, NULL};
    kt_status st = o ? kt_layer_collect(m, &trainable, &others, true) : KT_OK;
    for (int i = 0; i < trainable.n && st == KT_OK; i++) st = kt_var_ensure(trainable.v[i]);
    if (st == KT_OK && trainable.n) st = kt_optimizer_build(o, trainable.n, trainable.v);
    kt_vec_free(&trainable);
    kt_vec_free(&others);
    return st;
}

void kt_resume_steps(kt_model *m) {
    const kt_component *o = kt_model_optimizer(m);
    kt_var *counter = kt_model_of(m)->counter;
    if (!o || !counter || !kt_optimizer_n_vars(o) || kt_var_ensure(counter)) return;
    if (kt_optimizer_inner(o)) o = kt_optimizer_inner(o); /* it counts */
    kt_var_set_scalar(counter, kt_var_scalar(kt_optimizer_var(o, 0)));
}

/* How many variables of the optimizer the file has. */
static int count_state(const kt_hdf5 *h, const kt_model *m) {
    const kt_hdf5_node *vars = kt_hdf5_find(kt_hdf5_root(h), "optimizer/vars");
    return vars && kt_model_is_compiled(m) ? kt_hdf5_count(vars) : 0;
}

/* Keras builds the optimizer also where the file has only what it has before. */
static kt_status load_state(kt_hdf5 *h, kt_model *m, int n_stored) {
    kt_component *opt = (kt_component *)(uintptr_t)kt_model_optimizer(m);
    kt_weight_tree t = {0};
    kt_var *own[4];
    int n_own = 0;
    kt_status st = kt_build_optimizer(m);
    if (st == KT_OK && opt) st = kt_optimizer_own_vars(opt, own, &n_own);
    if (st == KT_OK && n_stored == n_own && opt && kt_optimizer_n_vars(opt) != n_own) {
        kt_model_of(m)->optimizer_unbuilt = true;
        return KT_OK;
    }
    if (st == KT_OK) st = kt_weight_tree_make(&t, m, true);
    if (st == KT_OK) st = kt_weights_h5_get(h, &t, false);
    if (st == KT_OK) kt_resume_steps(m);
    kt_weight_tree_free(&t);
    return st;
}

/* The optimizer gets its variables when the weights are there already: averages start as copies of
 * them. */
static kt_status load_weights(kt_archive *a, kt_model *m) {
    kt_weight_tree t;
    kt_hdf5 *h = NULL;
    uint64_t bytes = 0;
    kt_status st = kt_weight_tree_make(&t, m, false);
    if (st == KT_OK) st = check_size(a, &t, &bytes);
    if (st == KT_OK && (t.vars.n || a->weights >= 0))
        st = kt_archive_weights(a, &h, budget_of(bytes));
    if (st == KT_OK && h) st = kt_weights_h5_get(h, &t, false);
    kt_weight_tree_free(&t);
    const int n_stored = st == KT_OK && h ? count_state(h, m) : 0;
    if (n_stored) st = load_state(h, m, n_stored);
    if (h) kt_hdf5_close(h);
    return st;
}

/* assets/layers/integer_lookup/vocabulary.txt, for a layer inside of it below that name; the caller
 * frees it. */
static char *asset_path(const kt_weight_group *g, const char *inside) {
    if (!inside) inside = "";
    const size_t size = strlen(g->path) + strlen(inside) + sizeof "assets///vocabulary.txt";
    const char *a = *g->path ? "/" : "", *b = *inside ? "/" : "";
    char *path = kt_alloc(size);
    if (path) snprintf(path, size, "assets/%s%s%s%svocabulary.txt", g->path, a, inside, b);
    return path;
}

/* Words deflate four or five to one, and each becomes an entry of a table: a little that swells to
 * a lot is no vocabulary. */
static uint64_t asset_most(const kt_archive *a, const char *path) {
    const int i = kt_zip_find(a->zip, path);
    const uint64_t stored = i < 0 ? 0 : kt_zip_entry_at(a->zip, i)->stored;
    const uint64_t most = ASSET_FREE + (stored < CONFIG_MAX ? 16 * stored : CONFIG_MAX);
    return most < CONFIG_MAX ? most : CONFIG_MAX;
}

static kt_status load_assets(const kt_archive *a, kt_model *m) {
    kt_weight_tree t = {0};
    kt_status st = kt_weight_tree_make(&t, m, false);
    for (int i = 0; i < t.groups.n && st == KT_OK; i++) {
        kt_layer *l = t.groups.v[i].layer;
        if (!kt_lookup_has_asset(l)) continue;
        char *text = NULL, *path = asset_path(&t.groups.v[i], NULL);
        size_t size = 0;
        st = path ? read_member(a, path, asset_most(a, path), &text, &size) : KT_ENOMEM;
        if (st == KT_OK) st = kt_lookup_take_asset(l, text, size);
        if (st == KT_ENOTFOUND) st = KT_OK; /* a layer that knew none yet */
        if (st) kt_layer_context(l, st);
        kt_mem_free(text);
        kt_mem_free(path);
    }
    kt_weight_tree_free(&t);
    return st;
}

static kt_status keep_date(const kt_archive *a, kt_model *m) {
    const char *date = kt_json_get_text(a->metadata, "date_saved");
    kt_model_state *s = m->state;
    if (!date || strlen(date) >= sizeof s->date_saved) return KT_OK;
    snprintf(s->date_saved, sizeof s->date_saved, "%s", date);
    s->date_step = s->counter ? (int64_t)kt_var_scalar(s->counter) : 0;
    return KT_OK;
}

static kt_model *model_of(const kt_archive *a, bool compile) {
    const char *version = kt_json_get_text(a->metadata, "keras_version");
    const kt_legacy_origin from = kt_legacy_origin_of(version, NULL);
    return version && from.major < 3 ? kt_legacy_model_of_json(a->config, &from, compile)
                                     : kt_model_of_json(a->config, compile);
}

kt_status kt_archive_budget_of(kt_model *m, uint64_t *bytes_max) {
    uint64_t bytes = 0;
    kt_weight_tree t = {0};
    kt_status st = kt_weight_tree_make(&t, m, false);
    if (st == KT_OK) st = count_bytes(&t, &bytes);
    kt_weight_tree_free(&t);
    *bytes_max = budget_of(bytes);
    return st;
}

uint64_t kt_archive_budget(const kt_archive *a) {
    const kt_zip_entry *e = a->weights < 0 ? NULL : kt_zip_entry_at(a->zip, a->weights);
    if (!e || (e->method == 0 && !a->npz)) return UINT64_MAX; /* stored: as large as the file */
    uint64_t most = 0;
    kt_model *m = model_of(a, false);
    const kt_status st = kt_failed(m) ? kt_check(m) : kt_archive_budget_of(m, &most);
    if (!kt_failed(m)) kt_drop(m);
    if (st == KT_OK) return most;
    kt_error_clear();
    const uint64_t least = (uint64_t)48 << 20;
    return e->stored > least / 4 ? 4 * e->stored : least;
}

kt_model *kt_archive_load(kt_archive *a, bool compile) {
    kt_model *m = model_of(a, compile);
    if (kt_failed(m)) return m;
    kt_status st = KT_OK;
    const bool built = !kt_model_of(m)->is_sequential || kt_model_of(m)->n_in;
    if (built) st = load_weights(a, m);
    if (st == KT_OK) st = load_assets(a, m);
    if (st == KT_OK) st = keep_date(a, m);
    if (st == KT_OK) return m;
    kt_drop(m);
    return kt_fail_object(st);
}

/* Saving --------------------------------------------------------------------------------------- */

/* A model that is saved as it was loaded keeps its date, so that saving it again gives the same
 * bytes. */
static kt_json *metadata(const kt_model *m) {
    const kt_model_state *s = kt_model_of(m);
    char date[40];
    const time_t now = time(NULL);
    struct tm local;
    const bool same = *s->date_saved && s->counter &&
                      s->date_step == (int64_t)kt_var_scalar(s->counter);
    if (same)
        snprintf(date, sizeof date, "%s", s->date_saved);
    else if (
        !localtime_r(&now, &local) || !strftime(date, sizeof date, "%Y-%m-%d@%H:%M:%S", &local))
        snprintf(date, sizeof date, "1970-01-01@00:00:00");
    kt_json *o = kt_json_new_dict();
    kt_status st = kt_json_put(o, "keras_version", kt_json_new_str(KERAS_VERSION));
    if (st == KT_OK) st = kt_json_put(o, "date_saved", kt_json_new_str(date));
    if (st == KT_OK) return o;
    kt_json_free(o);
    return NULL;
}

static kt_status add_json(kt_zip_writer *z, const char *name, kt_json *v) {
    kt_str s = {0};
    if (!v) return kt_json_failed();
    kt_json_write(&s, v, KT_NONE);
    kt_json_free(v);
    kt_status st = s.status;
    if (st == KT_OK) st = kt_zip_add(z, name, &(kt_zip_part){s.s, s.n}, 1);
    kt_str_free(&s);
    return st;
}

static kt_status add_weights(kt_zip_writer *z, const kt_weight_tree *t) {
    const kt_zip_part *parts;
    int n;
    kt_hdf5_writer *w = kt_hdf5_writer_new();
    kt_status st = w ? kt_weights_h5_put(w, t) : KT_ENOMEM;
    if (st == KT_OK) st = kt_hdf5_layout(w, &parts, &n);
    if (st == KT_OK) st = kt_zip_add(z, "model.weights.h5", parts, n);
    if (w) kt_hdf5_writer_free(w);
    return st;
}

static kt_status add_assets(kt_zip_writer *z, const kt_weight_tree *t) {
    kt_status st = KT_OK;
    for (int i = 0; i < t->groups.n && st == KT_OK; i++) {
        const kt_layer *l = t->groups.v[i].layer;
        if (!kt_lookup_has_asset(l)) continue;
        kt_str s = {0};
        const char *inside = kt_lookup_inside(l);
        st = kt_lookup_put_asset(l, &s);
        for (int k = 0; k < 1 + (inside != NULL) && st == KT_OK; k++) {
            char *path = asset_path(&t->groups.v[i], k ? inside : NULL);
            st = path ? kt_zip_add(z, path, &(kt_zip_part){s.s, s.n}, 1) : KT_ENOMEM;
            kt_mem_free(path);
        }
        kt_str_free(&s);
    }
    return st;
}

kt_status kt_archive_save(kt_model *m, const char *path, bool optimizer) {
    kt_weight_tree t = {0};
    kt_zip_writer z = {0};
    kt_json *config = kt_write_layer(m); /* what cannot be written is found before anything is */
    kt_status st = config ? KT_OK : kt_json_failed();
    if (st == KT_OK) st = kt_weight_tree_to_save(&t, m, optimizer, NULL);
    bool begun = false;
    if (st == KT_OK) begun = (st = kt_zip_begin(&z, path)) == KT_OK;
    if (st == KT_OK) st = add_json(&z, "metadata.json", metadata(m));
    if (st == KT_OK) {
        st = add_json(&z, "config.json", config);
        config = NULL;
    }
    if (st == KT_OK) st = add_weights(&z, &t);
    if (st == KT_OK) st = add_assets(&z, &t);
    if (st == KT_OK) st = kt_zip_commit(&z);
    if (begun) kt_zip_abort(&z);
    kt_json_free(config);
    kt_weight_tree_free(&t);
    return st;
}
