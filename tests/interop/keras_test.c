/* Models that real Keras wrote (keras_models.py, by `make interop`): they predict what Keras
 * predicts, and three more steps lead where they lead in Keras. KT_INTEROP_IN is their folder; each
 * is written again into its folder "again", where keras_models.py compares the configurations. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* glob under -std=c11 */
#endif
#include "base/fs.h"
#include "testing/kt_models.h"
#include "testing/kt_test.h"

#include <glob.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* An array of the file, by letter and number; NULL if there is none. */
static kt_tensor *array(const kt_list_t *data, char letter, int i) {
    char name[16];
    snprintf(name, sizeof name, "%c%d", letter, i);
    for (int k = 0; k < kt_list_len(data); k += 2)
        if (!strcmp(kt_list_get(data, k), name))
            return (kt_tensor *)(uintptr_t)kt_list_get(data, k + 1);
    return NULL;
}

/* In units of the tolerance: 1e-4 of each value and 1e-5 of the largest, as interop.py has it. */
static double distance(const kt_tensor *got, const kt_tensor *want) {
    double far = 0, largest = 1;
    if (kt_tensor_size(got) != kt_tensor_size(want)) return HUGE_VAL;
    const int64_t n = kt_tensor_size(want);
    for (int64_t i = 0; i < n; i++) largest = fmax(largest, fabs(kt_tensor_get(want, i)));
    for (int64_t i = 0; i < n; i++) {
        const double w = kt_tensor_get(want, i), off = fabs(kt_tensor_get(got, i) - w);
        const double units = off / (1e-4 * fabs(w) + 1e-5 * largest);
        if (!(units <= far)) far = units;
    }
    return far;
}

static bool agrees(
    const char *path, const char *what, const kt_tensor *got, const kt_tensor *want) {
    const double far = distance(got, want);
    if (far <= 1) return true;
    fprintf(stderr, "%s: %s differ: %.3g times the tolerance\n", path, what, far);
    return false;
}

static kt_ref inputs(const kt_list_t *data) {
    const void *x[4];
    int n = 0;
    while (n < 4 && (x[n] = array(data, 'x', n))) n++;
    return n == 1 ? (kt_ref)x[0] : kt_list_of(n, x);
}

static bool write_again(kt_model *m, const char *path) {
    char again[512];
    const char *slash = strrchr(path, '/');
    snprintf(again, sizeof again, "%.*s/again%s", (int)(slash - path), path, slash);
    return kt_fs_make_folders(again) == KT_OK && kt_model_save(m, again) == KT_OK;
}

static bool check(const char *path, const char *data_path) {
    kt_list_t *data = kt_load_npz(data_path);
    kt_check_ok(data);
    kt_model *m = kt_load_model(path);
    kt_tensor *p = kt_model_predict(m, inputs(data), .verbose = 0);
    bool ok = !kt_failed(p) && write_again(m, path);
    if (!ok)
        fprintf(stderr, "%s: %s\n", path, kt_error_message());
    else
        ok = agrees(path, "predictions", p, array(data, 'p', 0));
    for (int i = 0; i < 3 && ok && array(data, 'w', 0); i++) {
        kt_logs *logs = kt_model_train_on_batch(m, inputs(data), array(data, 'y', 0));
        ok = !kt_failed(logs);
        if (!ok) fprintf(stderr, "%s: %s\n", path, kt_error_message());
        kt_free(logs);
    }
    kt_list_t *w = ok ? kt_get_weights(m) : NULL;
    for (int i = 0; ok && array(data, 'w', i); i++)
        ok = i < kt_list_len(w) &&
             agrees(path, "weights after three steps", kt_list_get(w, i), array(data, 'w', i));
    kt_free(w);
    kt_free(p);
    kt_free(m);
    kt_free(data);
    return ok;
}

KT_TEST(interop, models_of_keras_go_on) {
    const char *folder = getenv("KT_INTEROP_IN");
    char pattern[512];
    glob_t found;
    if (!folder) {
        print_message("KT_INTEROP_IN is not set: make interop has Keras write models for this\n");
        return;
    }
    snprintf(pattern, sizeof pattern, "%s/*.npz", folder);
    assert_int_equal(glob(pattern, 0, NULL, &found), 0);
    int good = 0;
    for (size_t i = 0; i < found.gl_pathc; i++) {
        char path[512];
        const char *data = found.gl_pathv[i];
        snprintf(path, sizeof path, "%.*s.keras", (int)strlen(data) - 4, data);
        if (!kt_fs_exists(path))
            snprintf(path, sizeof path, "%.*s.h5", (int)strlen(data) - 4, data);
        good += check(path, data);
        kt_clear_session();
    }
    printf("%d of %zu models of Keras go on as they do there\n", good, found.gl_pathc);
    assert_int_equal(good, (int)found.gl_pathc);
    assert_true(good >= 100);
    globfree(&found);
}
