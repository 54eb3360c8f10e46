/* 100 steps of ScheduleFreeAdamW as in Keras on JAX (tests/golden/schedule_free.npz): what a few
 * steps hide (warming up, the average that moves slower and slower) shows here. */
#include "io/npz.h"
#include "testing/kt_models.h"

#include <keratin/keratin.h>

#include <stdio.h>

static kt_npz *golden;

static kt_tensor *member(const char *name, const char *key, int i) {
    char path[64], number[16] = "";
    if (i >= 0) snprintf(number, sizeof number, "%d", i);
    snprintf(path, sizeof path, "%s%s%s%s", name, *name ? "/" : "", key, number);
    kt_tensor *t = kt_npz_read(golden, path);
    kt_check_ok(t);
    return t;
}

static void check(const char *name, kt_optimizer *o) {
    kt_check_status(kt_npz_open(&golden, "tests/golden/schedule_free.npz"), KT_OK);
    kt_model *m = kt_sequential(
        kt_list(kt_input({6}), kt_dense(5, .activation = "tanh"), kt_dense(2)));
    for (int i = 0; i < 4; i++)
        kt_check_status(kt_var_assign(kt_layer_weight(m, i), member("", "w", i)), KT_OK);
    kt_check_status(kt_model_compile(m, o, "mse"), KT_OK);
    kt_tensor *x = kt_retain(member("", "x", -1)), *y = kt_retain(member("", "y", -1));
    kt_tensor *loss = kt_retain(member(name, "loss", -1));
    for (int i = 0; i < 100; i++) {
        const int row = 8 * (i % 4);
        kt_logs *l = kt_model_train_on_batch(
            m, kt_tensor_slice(x, row, row + 8), kt_tensor_slice(y, row, row + 8));
        kt_check_ok(l);
        kt_check_near(kt_logs_get(l, "loss"), kt_tensor_get(loss, i), 1e-4, 1e-6);
        kt_free(l);
    }
    for (int i = 0; i < 4; i++)
        kt_check_tensors_near(
            kt_var_value(kt_layer_weight(m, i)), member(name, "v", i), 1e-4, 1e-5);
    const void *all[] = {x, y, loss, m};
    for (int i = 0; i < 4; i++) kt_free(all[i]);
    kt_npz_close(golden);
    kt_clear_session();
}

KT_TEST(schedule_free, goes_a_hundred_steps_as_keras) {
    check("plain", kt_opt_schedule_free_adamw(0.02));
    check(
        "warmup",
        kt_opt_schedule_free_adamw(0.05, .warmup_steps = 20, .weight_decay = 0.01, .beta_1 = 0.95));
}
