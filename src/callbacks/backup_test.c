/* BackupAndRestore: training that is cut off goes on to the same end, here and from files of real
 * Keras (tools/golden/backup.py). With KT_INTEROP_OUT set to a folder, what is left of a training
 * that was cut off is written there, for interop.py (make interop). */
#include "base/fs.h"
#include "base/mem.h"
#include "io/npz.h"
#include "testing/kt_models.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static kt_model *model(bool dropout) {
    kt_model *m = kt_sequential(kt_list(kt_input({4}), kt_dense(5, "tanh")));
    if (dropout) kt_check_status(kt_sequential_add(m, kt_dropout(0.4)), KT_OK);
    kt_check_status(kt_sequential_add(m, kt_dense(1)), KT_OK);
    kt_check_status(kt_model_compile(m, kt_opt_adam(0.01), "mse"), KT_OK);
    return m;
}

static kt_tensor *rows(int64_t width, double scale) {
    double v[12 * 4];
    for (int i = 0; i < 12 * width; i++) v[i] = scale * ((i * 37) % 23 - 11) / 11.0;
    return kt_retain(kt_floats_tensor(kt_dims(12, width), v)); /* beyond clear_session */
}

typedef struct {
    const char *folder;
    kt_tensor *x, *y;
    int cut; /* epoch that does not begin; -1: none */
    bool shuffle, double_checkpoint, keep;
    int64_t save_freq;
} run;

static kt_status cut_off(kt_model *m, int64_t index, const kt_logs *logs, void *data) {
    (void)m, (void)logs;
    return index == ((const run *)data)->cut ? KT_ECANCELED : KT_OK;
}

/* How many epochs it had; the status if it failed. */
static int fit(kt_model *m, const run *r) {
    kt_callback *backup = kt_cb_backup_and_restore(
        r->folder,
        .save_freq = r->save_freq ? r->save_freq : KT_NONE,
        .double_checkpoint = r->double_checkpoint,
        .delete_checkpoint = !r->keep);
    kt_callback *cut = kt_cb_lambda(.on_epoch_begin = cut_off, .data = (void *)(uintptr_t)r);
    kt_history *h = kt_model_fit(
        m,
        r->x,
        r->y,
        .batch_size = 4,
        .epochs = 5,
        .verbose = 0,
        .shuffle = r->shuffle,
        .callbacks = r->folder ? kt_list(backup, cut) : NULL);
    const int n = kt_failed(h) ? (int)kt_check(h) : kt_history_len(h);
    kt_free(h);
    return n;
}

static run begin(char *folder, size_t size) {
    snprintf(folder, size, "/tmp/keratin_backup_%d", (int)getpid());
    return (run){.folder = folder, .x = rows(4, 1), .y = rows(1, 2), .cut = -1, .shuffle = true};
}

static void end(run *r) {
    kt_free(r->x);
    kt_free(r->y);
}

static void path_in(char *buf, size_t size, const char *folder, const char *name) {
    snprintf(buf, size, "%s/%s", folder, name);
}

static void check_text(const char *folder, const char *name, const char *want) {
    char path[128];
    unsigned char *data;
    size_t n;
    path_in(path, sizeof path, folder, name);
    kt_check_status(kt_fs_load(&data, &n, path, 1 << 16), KT_OK);
    kt_check_str((const char *)data, want);
    kt_mem_free(data);
}

static void damage(const char *folder, const char *name) {
    char path[128];
    path_in(path, sizeof path, folder, name);
    kt_check_status(kt_fs_save(path, "not what it was", 15), KT_OK);
}

/* With dropout and shuffling: random numbers go on too. */
KT_TEST(backup, a_training_that_was_cut_off_ends_as_if_it_had_not_been) {
    char folder[64];
    run r = begin(folder, sizeof folder), whole = r;
    kt_set_random_seed(5);
    kt_model *want = model(true);
    whole.folder = NULL;
    assert_int_equal(fit(want, &whole), 5);
    kt_weights_copy w = kt_copy_weights(want);
    kt_clear_session();
    kt_set_random_seed(5);
    r.cut = 2;
    assert_int_equal(fit(model(true), &r), KT_ECANCELED);
    check_text(folder, "training_metadata.json", "{\"epoch\": 2, \"batch\": 0}");
    r.cut = -1;
    kt_clear_session();        /* as a new process: random numbers go by the names of layers */
    kt_model *m = model(true); /* with weights of its own at first */
    assert_int_equal(fit(m, &r), 3);
    assert_false(kt_fs_exists(folder));
    assert_true(kt_weights_same(m, &w));
    kt_weights_copy_free(&w);
    end(&r);
}

KT_TEST(backup, goes_on_from_files_of_keras) {
    char folder[64], path[128], key[16];
    kt_npz *npz;
    run r = begin(folder, sizeof folder);
    end(&r);
    kt_check_status(kt_npz_open(&npz, "tests/golden/backup.npz"), KT_OK);
    path_in(path, sizeof path, folder, "latest.weights.h5");
    kt_check_status(kt_fs_make_folders(path), KT_OK);
    kt_tensor *bytes = kt_npz_read(npz, "weights");
    kt_check_status(kt_fs_save(path, kt_tensor_data(bytes), (size_t)kt_tensor_size(bytes)), KT_OK);
    path_in(path, sizeof path, folder, "training_metadata.json");
    bytes = kt_npz_read(npz, "metadata");
    kt_check_status(kt_fs_save(path, kt_tensor_data(bytes), (size_t)kt_tensor_size(bytes)), KT_OK);
    r.x = kt_retain(kt_npz_read(npz, "x"));
    r.y = kt_retain(kt_npz_read(npz, "y"));
    r.shuffle = false;
    kt_model *m = model(false);
    assert_int_equal(fit(m, &r), 3);
    kt_list_t *w = kt_get_weights(m);
    for (int i = 0; i < kt_list_len(w); i++) {
        snprintf(key, sizeof key, "w%d", i);
        kt_check_tensors_near(kt_list_get(w, i), kt_npz_read(npz, key), 1e-5, 1e-6);
    }
    kt_npz_close(npz);
    end(&r);
}

/* For Keras to go on with: the folder, and where training ends. */
KT_TEST(backup, leaves_what_keras_can_go_on_with) {
    const char *out = getenv("KT_INTEROP_OUT");
    char folder[64], path[300], text[4][16];
    const char *names[6] = {"x", "y"};
    const kt_tensor *arrays[6];
    run r = begin(folder, sizeof folder);
    if (out) snprintf(folder, sizeof folder, "%.50s/backup", out);
    r.shuffle = false;
    r.cut = 2;
    assert_int_equal(fit(model(false), &r), KT_ECANCELED);
    path_in(path, sizeof path, folder, "latest.weights.h5");
    assert_true(kt_fs_exists(path));
    run on = r;
    if (out) { /* the folder stays; the same from the beginning */
        on.folder = NULL;
    }
    on.cut = -1;
    kt_clear_session();
    kt_model *m = model(false);
    fit(m, &on);
    kt_list_t *w = kt_get_weights(m);
    arrays[0] = r.x, arrays[1] = r.y;
    for (int i = 0; i < 4; i++) {
        snprintf(text[i], sizeof text[i], "w%d", i);
        names[2 + i] = text[i];
        arrays[2 + i] = kt_list_get(w, i);
    }
    snprintf(path, sizeof path, "%s/backup.npz", out ? out : "/tmp");
    if (out) kt_check_status(kt_npz_write(path, 6, names, arrays), KT_OK);
    end(&r);
}

KT_TEST(backup, takes_the_state_before_when_the_latest_is_damaged) {
    static const char *const names[] = {"latest.weights.h5", "training_metadata.json"};
    char folder[64];
    for (int i = 0; i < 2; i++) {
        run r = begin(folder, sizeof folder);
        r.double_checkpoint = true;
        r.cut = 3;
        assert_int_equal(fit(model(false), &r), KT_ECANCELED);
        check_text(folder, "training_metadata.json.bkp", "{\"epoch\": 2, \"batch\": 0}");
        damage(folder, names[i]);
        r.cut = -1;
        assert_int_equal(fit(model(false), &r), i ? 2 : 3); /* the weights say the epoch too */
        assert_false(kt_fs_exists(folder));
        end(&r);
    }
}

/* Killed when the weights were in place and the metadata not: nothing is repeated. */
KT_TEST(backup, between_its_two_files_nothing_is_lost) {
    char folder[64], path[128];
    const char before[] = "{\"epoch\": 2, \"batch\": 0}";
    run r = begin(folder, sizeof folder), whole = r;
    whole.folder = NULL;
    for (int gone = 0; gone < 2; gone++) {
        kt_set_random_seed(5);
        kt_model *want = model(true);
        assert_int_equal(fit(want, &whole), 5);
        kt_weights_copy w = kt_copy_weights(want);
        kt_clear_session();
        kt_set_random_seed(5);
        r.cut = 3;
        assert_int_equal(fit(model(true), &r), KT_ECANCELED);
        path_in(path, sizeof path, folder, "training_metadata.json");
        if (gone)
            assert_int_equal(unlink(path), 0);
        else
            kt_check_status(kt_fs_save(path, before, sizeof before - 1), KT_OK);
        r.cut = -1;
        kt_clear_session();
        kt_model *m = model(true);
        assert_int_equal(fit(m, &r), 2);
        assert_true(kt_weights_same(m, &w));
        kt_weights_copy_free(&w);
        kt_clear_session();
    }
    end(&r);
}

KT_TEST(backup, damaged_files_end_the_fit_and_change_nothing) {
    static const char *const names[] = {"latest.weights.h5", "training_metadata.json"};
    char folder[64], path[128];
    for (int i = 0; i < 2; i++) {
        run r = begin(folder, sizeof folder);
        r.cut = 3;
        assert_int_equal(fit(model(false), &r), KT_ECANCELED);
        if (i) { /* weights as Keras writes them, so that only the other file says the epoch */
            path_in(path, sizeof path, folder, names[0]);
            kt_check_status(kt_model_save_weights(model(false), path), KT_OK);
        }
        damage(folder, names[i]);
        kt_model *m = model(false);
        kt_weights_copy w = kt_copy_weights(m);
        assert_int_equal(fit(m, &r), KT_EFORMAT);
        kt_check_message_has("BackupAndRestore");
        kt_check_message_has(folder);
        kt_check_message_has("remove the folder");
        assert_true(kt_weights_same(m, &w));
        kt_weights_copy_free(&w);
        for (int k = 0; k < 2; k++) {
            path_in(path, sizeof path, folder, names[k]);
            assert_int_equal(unlink(path), 0);
        }
        rmdir(folder);
        end(&r);
    }
}

KT_TEST(backup, saves_after_batches) {
    char folder[64], path[128];
    run r = begin(folder, sizeof folder);
    r.save_freq = 2; /* of three an epoch: after batches 1, 0 and 2, 1 … */
    r.keep = true;
    assert_int_equal(fit(model(false), &r), 5);
    check_text(folder, "training_metadata.json", "{\"epoch\": 4, \"batch\": 1}");
    r.keep = false;
    path_in(path, sizeof path, folder, "of_mine");
    kt_check_status(kt_fs_save(path, "x", 1), KT_OK);
    assert_int_equal(fit(model(false), &r), 1); /* only the last epoch is left */
    assert_true(kt_fs_exists(path));            /* what it did not write stays */
    unlink(path);
    assert_int_equal(rmdir(folder), 0);
    end(&r);
}

KT_TEST(backup, rejects_wrong_arguments) {
    kt_check_fails(kt_cb_backup_and_restore(NULL), KT_EINVAL, "backup_dir");
    kt_check_fails(kt_cb_backup_and_restore(""), KT_EINVAL, "backup_dir");
    kt_check_fails(kt_cb_backup_and_restore("x", .save_freq = 0), KT_EINVAL, "save_freq");
    run r = {.folder = "/proc/none", .x = rows(4, 1), .y = rows(1, 1), .cut = -1};
    assert_true(fit(model(false), &r) < 0);
    end(&r);
}
