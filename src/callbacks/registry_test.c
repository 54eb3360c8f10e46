/* Callbacks by name, and file names of checkpoints. */
#include "base/str.h"
#include "model/callback.h"
#include "nn/component.h"
#include "testing/kt_test.h"

#include <keratin/keratin.h>

#include <string.h>

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

static kt_status fit_with(kt_callback *c) {
    kt_model *m = kt_sequential(kt_list(kt_input({2}), kt_dense(1)));
    kt_model_compile(m, "sgd", "mse");
    kt_tensor *x = kt_tensor_new(KT_FLOAT32, kt_dims(4, 2), NULL);
    kt_tensor *y = kt_tensor_new(KT_FLOAT32, kt_dims(4, 1), NULL);
    kt_history *h = kt_model_fit(m, x, y, .epochs = 2, .verbose = 0, .callbacks = c);
    const kt_status st = kt_check(h);
    kt_free(h);
    kt_free(x);
    kt_free(y);
    kt_free(m);
    return st;
}

KT_TEST(registry, checkpoint_names_that_cannot_be_filled_in_are_errors) {
    static const char *const bad[] = {
        "{val_loss}.keras",
        "{epoch:x}.keras",
        "{loss:d}.keras",
        "{epoch.keras",
        "{epoch:.2d}.keras"};
    for (int i = 0; i < 5; i++) {
        assert_int_equal(fit_with(kt_cb_model_checkpoint(bad[i])), KT_EINVAL);
        assert_non_null(strstr(kt_error_message(), "filepath"));
    }
}

KT_TEST(registry, schedules_set_the_rate_by_epoch) {
    kt_check_fails(kt_cb_learning_rate_scheduler(), KT_EINVAL, "got None");
    kt_check_fails(
        kt_cb_learning_rate_scheduler(.epoch_schedule = "x"), KT_EINVAL, "expected a schedule");
    kt_schedule *s = kt_sched_piecewise_constant_decay(kt_floats(0), kt_floats(0.5, 0.25));
    assert_int_equal(fit_with(kt_cb_learning_rate_scheduler(.epoch_schedule = s)), KT_OK);
}
