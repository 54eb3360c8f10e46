/* Callbacks by name, and file names of checkpoints. */
#include "base/str.h"
#include "model/callback.h"
#include "nn/component.h"
#include "testing/kt_test.h"

#include <keratin/keratin.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

KT_TEST(registry, knows_callbacks_by_their_names) {
    static const char *const names[] = {
        "early_stopping", "reduce_lr_on_plateau", "terminate_on_nan", "EarlyStopping"};
    kt_component *c;
    for (int i = 0; i < 4; i++)
        assert_int_equal(
            kt_component_get(&c, names[i], KT_KIND_CALLBACK, kt_callback_registry, "callback"),
            KT_OK);
    static const char *const incomplete[] = {
        "csv_logger",
        "model_checkpoint",
        "learning_rate_scheduler",
        "backup_and_restore",
        "early_stoping"};
    for (int i = 0; i < 5; i++)
        assert_int_equal(
            kt_component_get(&c, incomplete[i], KT_KIND_CALLBACK, kt_callback_registry, "callback"),
            KT_EINVAL);
}

KT_TEST(registry, checkpoints_want_names_that_say_the_format) {
    kt_check_fails(kt_cb_model_checkpoint("x"), KT_EINVAL, "expected a name that ends in .keras");
    kt_check_fails(
        kt_cb_model_checkpoint("x.keras", .save_weights_only = true), KT_EINVAL, ".weights.h5");
    kt_check_fails(kt_cb_model_checkpoint("x.keras", .save_freq = 0), KT_EINVAL, "save_freq");
    kt_check_fails(kt_cb_model_checkpoint("x.keras", .mode = "up"), KT_EINVAL, "mode");
    kt_check_fails(kt_cb_model_checkpoint(NULL), KT_EINVAL, "filepath");
}

static kt_status fit_for(int epochs, kt_callback *c) {
    kt_model *m = kt_sequential(kt_list(kt_input({2}), kt_dense(1)));
    kt_model_compile(m, "sgd", "mse");
    kt_tensor *x = kt_tensor_new(KT_FLOAT32, kt_dims(4, 2), NULL);
    kt_tensor *y = kt_tensor_new(KT_FLOAT32, kt_dims(4, 1), NULL);
    kt_history *h = kt_model_fit(m, x, y, .epochs = epochs, .verbose = 0, .callbacks = c);
    const kt_status st = kt_check(h);
    kt_free(h);
    kt_free(x);
    kt_free(y);
    kt_free(m);
    return st;
}
static kt_status fit_with(kt_callback *c) { return fit_for(2, c); }

KT_TEST(registry, checkpoint_names_that_cannot_be_filled_in_are_errors) {
    static const char *const bad[] = {
        "{val_loss}.keras",
        "{epoch:x}.keras",
        "{loss:d}.keras",
        "{epoch.keras",
        "{epoch:.2d}.keras",
        "{loss:.3}.keras",
        "{epoch:1000}.keras",
        "{epoch:,}.keras"};
    for (int i = 0; i < (int)(sizeof bad / sizeof *bad); i++) {
        assert_int_equal(fit_with(kt_cb_model_checkpoint(bad[i])), KT_EINVAL);
        assert_non_null(strstr(kt_error_message(), "filepath"));
    }
}

/* As Python's format() has them: of an epoch and of a loss, which is 0 here. */
KT_TEST(registry, checkpoint_names_have_the_formats_of_python) {
    static const char *const names[][2] = {
        {"{epoch:+.2f}", "+1.00"},
        {"{epoch:%}", "100.000000%"},
        {"{epoch:*^7}", "***1***"},
        {"{epoch:=+5}", "+   1"},
        {"{epoch:<4}", "1   "},
        {"{epoch:04}", "0001"},
        {"{epoch:-<+8.1f}", "+1.0----"},
        {"{epoch: d}", " 1"},
        {"{epoch:^9.1%}", " 100.0%  "},
        {"{epoch:+08.2e}", "+1.00e+00"},
        {"{{{epoch:G}}}", "{1}"},
        {"{loss}", "0.0"},
        {"{loss:6.1%}", "  0.0%"},
        {"{loss:8}", "     0.0"},
        {"{loss:<+7.1f}", "+0.0   "},
        {"{loss:012.3e}", "0000.000e+00"}};
    char folder[] = "/tmp/keratin_XXXXXX", path[100];
    assert_non_null(mkdtemp(folder));
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        snprintf(path, sizeof path, "%s/%s.keras", folder, names[i][0]);
        assert_int_equal(fit_for(1, kt_cb_model_checkpoint(path)), KT_OK);
        snprintf(path, sizeof path, "%s/%s.keras", folder, names[i][1]);
        if (access(path, F_OK)) fail_msg("%s: no %s", names[i][0], path);
        unlink(path);
    }
    rmdir(folder);
}

KT_TEST(registry, schedules_set_the_rate_by_epoch) {
    kt_check_fails(kt_cb_learning_rate_scheduler(), KT_EINVAL, "got None");
    kt_check_fails(
        kt_cb_learning_rate_scheduler(.epoch_schedule = "x"), KT_EINVAL, "expected a schedule");
    kt_schedule *s = kt_sched_piecewise_constant_decay(kt_floats(0), kt_floats(0.5, 0.25));
    assert_int_equal(fit_with(kt_cb_learning_rate_scheduler(.epoch_schedule = s)), KT_OK);
}
