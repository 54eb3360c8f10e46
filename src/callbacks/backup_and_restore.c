/* Training that goes on where it was cut off.  keras.callbacks.BackupAndRestore
 *
 * The folder holds latest.weights.h5 (with the optimizer's state) and training_metadata.json, the
 * same files as Keras', so that either goes on where the other stopped. With double_checkpoint the
 * state before lies beside them as .bkp, and is taken when the latest cannot be read.
 *
 * Each file is replaced as a whole. What stands in training_metadata.json stands in the file of the
 * weights too, as an attribute: a run that is killed between the two goes on exactly where it was.
 * Keras does not know the attribute, nor writes it: then the other file counts. */
#include "base/fs.h"
#include "base/log.h"
#include "base/mem.h"
#include "io/json.h"
#include "model/callback.h"
#include "model/model.h"
#include "saving/archive.h"
#include "saving/weights_h5.h"

#include <keratin/callbacks.h>
#include <keratin/saving.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define WEIGHTS "latest.weights.h5"
#define METADATA "training_metadata.json"
#define METADATA_MAX ((uint64_t)1 << 16)

typedef struct {
    int64_t epoch; ///< that would come next
    int64_t last_batch, batches;
} backup;

static kt_status backup_init(kt_component *c) {
    const kt_cb_backup_and_restore_args *a = kt_args_of(c);
    if (!a->backup_dir || !*a->backup_dir)
        return KT_FAIL(KT_EINVAL, "backup_dir: expected the name of a folder, got none");
    if (strlen(a->backup_dir) > 3800) return KT_FAIL(KT_EINVAL, "backup_dir: too long");
    if (a->save_freq == KT_NONE || a->save_freq > 0) return KT_OK;
    return KT_FAIL(
        KT_EINVAL,
        "save_freq: expected a positive number of batches, got %lld",
        (long long)a->save_freq);
}

typedef struct {
    char text[4096];
} path;

static path path_of(kt_component *c, const char *name, const char *end) {
    const kt_cb_backup_and_restore_args *a = kt_args_of(c);
    path p;
    snprintf(p.text, sizeof p.text, "%.3800s/%s%s", a->backup_dir, name, end);
    return p;
}

/* Saving --------------------------------------------------------------------------------------- */

static kt_status copy_file(const path *from, const path *to) {
    unsigned char *data;
    size_t n;
    if (!kt_fs_exists(from->text)) return KT_OK;
    kt_status st = kt_fs_load(&data, &n, from->text, UINT64_MAX);
    if (st) return st;
    st = kt_fs_save(to->text, data, n);
    kt_mem_free(data);
    return st;
}

static kt_status save_weights(kt_model *m, const char *to, const char *training) {
    kt_weight_tree t;
    kt_status st = kt_weight_tree_to_save(&t, m, true, NULL);
    if (!st) st = kt_weights_h5_save(&t, to, training);
    kt_weight_tree_free(&t);
    if (st && st == kt_error_last()) kt_error_context("in file \"%.300s\"", to);
    return st;
}

static kt_status save(kt_component *c, kt_model *m) {
    const kt_cb_backup_and_restore_args *a = kt_args_of(c);
    const backup *s = kt_state_of(c);
    const path weights = path_of(c, WEIGHTS, ""), metadata = path_of(c, METADATA, "");
    char text[96];
    kt_status st = kt_fs_make_folders(weights.text);
    if (!st && a->double_checkpoint) {
        const path old_weights = path_of(c, WEIGHTS, ".bkp");
        const path old_metadata = path_of(c, METADATA, ".bkp");
        st = copy_file(&weights, &old_weights);
        if (!st) st = copy_file(&metadata, &old_metadata);
    }
    const int n = snprintf(
        text,
        sizeof text,
        "{\"epoch\": %lld, \"batch\": %lld}",
        (long long)s->epoch,
        (long long)s->last_batch);
    if (!st) st = save_weights(m, weights.text, text);
    return st ? st : kt_fs_save(metadata.text, text, (size_t)n);
}

/* Batches come one by one, or several at once with steps_per_execution. */
static bool is_due(kt_component *c, int64_t batch) {
    const kt_cb_backup_and_restore_args *a = kt_args_of(c);
    backup *s = kt_state_of(c);
    s->batches += batch <= s->last_batch ? batch + 1 : batch - s->last_batch;
    s->last_batch = batch;
    if (s->batches < a->save_freq) return false;
    s->batches = 0;
    return true;
}

/* Loading -------------------------------------------------------------------------------------- */

static kt_status epoch_of(int64_t *epoch, const char *text, size_t n) {
    kt_json *v = NULL;
    kt_status st = kt_json_parse(&v, text, n, NULL);
    const kt_json *e = kt_json_get(v, "epoch");
    *epoch = kt_json_is(e, KT_JSON_INT) ? kt_json_int(e) : -1;
    if (!st && (*epoch < 0 || *epoch > INT32_MAX))
        st = KT_FAIL(KT_EFORMAT, "there is no number of an \"epoch\"");
    kt_json_free(v);
    return st;
}

static kt_status read_epoch(const path *metadata, int64_t *epoch) {
    unsigned char *text;
    size_t n;
    kt_status st = kt_fs_load(&text, &n, metadata->text, METADATA_MAX);
    if (st) return st;
    st = epoch_of(epoch, (const char *)text, n);
    if (st && st == kt_error_last()) kt_error_context("in file \"%.300s\"", metadata->text);
    kt_mem_free(text);
    return st;
}

/* The epoch that belongs to the weights; KT_ENOTFOUND if Keras wrote them. */
static kt_status epoch_of_weights(const path *weights, int64_t *epoch) {
    kt_hdf5 *h;
    char *text = NULL;
    size_t n;
    kt_status st = kt_hdf5_open(&h, weights->text, NULL);
    if (st) return st;
    const bool there = kt_hdf5_has_attr(kt_hdf5_root(h), "training_metadata");
    if (there) st = kt_hdf5_attr_text(&text, &n, kt_hdf5_root(h), "training_metadata");
    if (there && !st) st = epoch_of(epoch, text, n);
    if (st && st == kt_error_last()) kt_error_context("in file \"%.300s\"", weights->text);
    kt_mem_free(text);
    kt_hdf5_close(h);
    return there ? st : KT_ENOTFOUND;
}

/* The epoch is read first: nothing changes when it cannot be. */
static kt_status load(kt_component *c, kt_model *m, const char *end) {
    backup *s = kt_state_of(c);
    const path weights = path_of(c, WEIGHTS, end), metadata = path_of(c, METADATA, end);
    const bool has_weights = kt_fs_exists(weights.text);
    int64_t epoch = 0;
    kt_status st = has_weights ? epoch_of_weights(&weights, &epoch) : KT_ENOTFOUND;
    if (st == KT_ENOTFOUND)
        st = kt_fs_exists(metadata.text) ? read_epoch(&metadata, &epoch) : KT_OK;
    if (!st && has_weights) {
        st = kt_build_optimizer(m);
        if (!st) st = kt_model_load_weights(m, weights.text);
    }
    if (st) return st;
    s->epoch = epoch;
    kt_model_of(m)->resume_epoch = (int)epoch;
    return KT_OK;
}

static kt_status restore(kt_component *c, kt_model *m) {
    const path weights = path_of(c, WEIGHTS, ".bkp"), metadata = path_of(c, METADATA, ".bkp");
    const path latest = path_of(c, WEIGHTS, ""), latest_metadata = path_of(c, METADATA, "");
    *(backup *)kt_state_of(c) = (backup){0};
    const kt_status st = load(c, m, "");
    if (!st) return KT_OK;
    char why[240];
    snprintf(why, sizeof why, "%s %s", kt_error_get().text, kt_error_get().path);
    if (st == KT_ENOMEM || !kt_fs_exists(weights.text) || load(c, m, ".bkp")) {
        KT_FAIL(st, "BackupAndRestore: %s", why);
        kt_error_context("in folder \"%.300s\"", path_of(c, "", "").text);
        return kt_error_hint("remove the folder to begin at the beginning");
    }
    kt_error_clear();
    kt_log("keratin: warning: %s; going on from the state before\n", why);
    const kt_status copied = copy_file(&weights, &latest);
    return copied ? copied : copy_file(&metadata, &latest_metadata);
}

/* The end -------------------------------------------------------------------------------------- */

/* Keras removes the folder with whatever is in it; here only what the callback wrote goes. */
static kt_status clear(kt_component *c) {
    const kt_cb_backup_and_restore_args *a = kt_args_of(c);
    static const char *const names[] = {WEIGHTS, METADATA};
    for (int i = 0; i < 4; i++) {
        const path p = path_of(c, names[i % 2], i < 2 ? "" : ".bkp");
        if (unlink(p.text) && errno != ENOENT)
            return KT_FAIL(KT_EIO, "cannot remove \"%.300s\": %s", p.text, strerror(errno));
    }
    if (rmdir(a->backup_dir) && errno != ENOENT && errno != ENOTEMPTY && errno != EEXIST)
        return KT_FAIL(KT_EIO, "cannot remove \"%.300s\": %s", a->backup_dir, strerror(errno));
    return KT_OK;
}

static kt_status backup_on(
    kt_component *c, kt_hook_id hook, kt_model *m, int64_t index, kt_logs *logs) {
    const kt_cb_backup_and_restore_args *a = kt_args_of(c);
    backup *s = kt_state_of(c);
    (void)logs;
    if (hook == KT_ON_TRAIN_BEGIN) return restore(c, m);
    if (hook == KT_ON_TRAIN_BATCH_END) return is_due(c, index) ? save(c, m) : KT_OK;
    if (hook == KT_ON_TRAIN_END) return a->delete_checkpoint ? clear(c) : KT_OK;
    if (hook != KT_ON_EPOCH_END) return KT_OK;
    s->epoch = index + 1;
    s->last_batch = 0;
    return a->save_freq == KT_NONE ? save(c, m) : KT_OK;
}

static bool backup_wants(const kt_component *c, kt_hook_id hook) {
    const kt_cb_backup_and_restore_args *a = kt_args_of(c);
    if (hook == KT_ON_TRAIN_BATCH_END) return a->save_freq != KT_NONE;
    return hook == KT_ON_TRAIN_BEGIN || hook == KT_ON_EPOCH_END || hook == KT_ON_TRAIN_END;
}

#define F(name) KT_F(kt_cb_backup_and_restore_args, name)
static const kt_field backup_fields[] = {
    F(backup_dir),
    F(save_freq),
    F(double_checkpoint),
    F(delete_checkpoint),
    KT_F_END,
};
#undef F

static const kt_cb_backup_and_restore_args backup_defaults = {
    .size = sizeof backup_defaults, KT_CB_BACKUP_AND_RESTORE_DEFAULTS};

extern const kt_callback_class kt_callback_class_backup_and_restore;
const kt_callback_class kt_callback_class_backup_and_restore = {
    .base =
        {
            .kind = KT_KIND_CALLBACK,
            .name = "BackupAndRestore",
            .args_size = sizeof(kt_cb_backup_and_restore_args),
            .state_size = sizeof(backup),
            .fields = backup_fields,
            .defaults = &backup_defaults,
            .init = backup_init,
        },
    .on = backup_on,
    .wants = backup_wants,
};

kt_callback *kt_cb_backup_and_restore_new(const kt_cb_backup_and_restore_args *a) {
    return kt_component_new(&kt_callback_class_backup_and_restore.base, a);
}
