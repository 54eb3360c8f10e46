/* Callbacks, driven hook by hook with logs made up here; tests/console has them inside fit. */
#include "base/mem.h"
#include "model/callback.h"
#include "model/compile.h"
#include "testing/capture.h"
#include "testing/kt_test.h"

#include <keratin/keratin.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A training without steps: the weight of the model is the number of the epoch, from 1. */
typedef struct {
    kt_model *m;
    kt_callback_list list;
    kt_logs *logs;
    const char *name; ///< of the value
} rig;

static void rig_begin(rig *r, kt_callback *cb, const char *name) {
    r->m = kt_sequential(kt_list(kt_input({1}), kt_dense(1, .use_bias = false)));
    r->name = name;
    r->logs = kt_logs_new();
    kt_check_status(kt_model_compile(r->m, kt_opt_sgd(0.1), "mse"), KT_OK);
    kt_check_status(kt_callbacks_begin(&r->list, cb), KT_OK);
}

static void set_weight(kt_model *m, double value) {
    kt_check_status(
        kt_var_assign(
            kt_layer_weight(m, 0),
            kt_tensor_new(KT_FLOAT32, kt_dims(1, 1), &(float){(float)value})),
        KT_OK);
}

static double weight(kt_model *m) { return kt_tensor_get(kt_var_value(kt_layer_weight(m, 0)), 0); }

static double rate(const rig *r) {
    return kt_opt_learning_rate(kt_model_of(r->m)->compiled->optimizer);
}

static kt_status hook(rig *r, kt_hook_id id, int64_t index) {
    return kt_callbacks_run(&r->list, id, r->m, index, r->logs);
}

static kt_status one_epoch(rig *r, int epoch, double value) {
    kt_status st = hook(r, KT_ON_EPOCH_BEGIN, epoch);
    kt_logs_clear(r->logs);
    if (r->name) kt_check_status(kt_logs_set(r->logs, r->name, value), KT_OK);
    set_weight(r->m, epoch + 1);
    return st ? st : hook(r, KT_ON_EPOCH_END, epoch);
}

/* Returns how many epochs there were. */
static int train(rig *r, int n, const double *values) {
    int epoch = 0;
    kt_model_of(r->m)->stop_training = false;
    kt_check_status(hook(r, KT_ON_TRAIN_BEGIN, 0), KT_OK);
    while (epoch < n && !kt_model_of(r->m)->stop_training) {
        kt_check_status(one_epoch(r, epoch, values[epoch]), KT_OK);
        epoch++;
    }
    kt_check_status(hook(r, KT_ON_TRAIN_END, 0), KT_OK);
    return epoch;
}

/* One training with one callback; the epochs it had. */
static int train_with(kt_callback *cb, const char *name, int n, const double *values) {
    rig r;
    rig_begin(&r, cb, name);
    const int epochs = train(&r, n, values);
    kt_callbacks_end(&r.list);
    return epochs;
}

/* Lists ---------------------------------------------------------------------------------------- */

static kt_status count(kt_model *m, int64_t index, const kt_logs *logs, void *data) {
    (void)m;
    (void)logs;
    *(int *)data += (int)index;
    return KT_OK;
}

static kt_status refuse(kt_model *m, int64_t index, const kt_logs *logs, void *data) {
    (void)m;
    (void)index;
    (void)logs;
    (void)data;
    return KT_ECANCELED;
}

KT_TEST(callbacks, are_asked_only_for_what_they_want) {
    int sum = 0;
    kt_callback_list list;
    kt_list_t *two = kt_list(
        kt_cb_lambda(.on_epoch_end = count, .data = &sum),
        kt_cb_lambda(.on_epoch_end = count, .on_train_begin = count, .data = &sum));
    kt_check_status(kt_callbacks_begin(&list, two), KT_OK);
    assert_int_equal(list.n, 2);
    assert_true(list.wants[KT_ON_EPOCH_END] && list.wants[KT_ON_TRAIN_BEGIN]);
    assert_false(list.wants[KT_ON_TRAIN_BATCH_END]);
    kt_check_status(kt_callbacks_run(&list, KT_ON_EPOCH_END, NULL, 3, NULL), KT_OK);
    kt_check_status(kt_callbacks_run(&list, KT_ON_TRAIN_BEGIN, NULL, 10, NULL), KT_OK);
    kt_check_status(kt_callbacks_run(&list, KT_ON_TRAIN_END, NULL, 100, NULL), KT_OK);
    assert_int_equal(sum, 16);
    kt_callbacks_end(&list);
    kt_check_status(kt_callbacks_begin(&list, two), KT_OK); /* they are still there */
    kt_callbacks_end(&list);
}

KT_TEST(callbacks, stop_at_the_first_that_fails) {
    int sum = 0;
    kt_callback_list list;
    kt_list_t *three = kt_list(
        kt_cb_lambda(.on_epoch_end = count, .data = &sum),
        kt_cb_lambda(.on_epoch_end = refuse),
        kt_cb_lambda(.on_epoch_end = count, .data = &sum));
    kt_check_status(kt_callbacks_begin(&list, three), KT_OK);
    kt_check_status(kt_callbacks_run(&list, KT_ON_EPOCH_END, NULL, 1, NULL), KT_ECANCELED);
    assert_int_equal(sum, 1);
    kt_check_message_has("a callback (LambdaCallback) returned this");
    kt_callbacks_end(&list);
}

KT_TEST(callbacks, must_be_callbacks) {
    kt_callback_list list;
    kt_check_status(kt_callbacks_begin(&list, NULL), KT_OK);
    assert_int_equal(list.n, 0);
    kt_callbacks_end(&list);
    kt_check_status(kt_callbacks_begin(&list, "early_stopping"), KT_EINVAL);
    kt_check_message_has("callbacks: expected a callback, got \"early_stopping\"");
    kt_check_status(kt_callbacks_begin(&list, kt_list(kt_cb_lambda(), kt_dense(2))), KT_EINVAL);
    kt_check_message_has("got a layer");
    kt_check_status(kt_callbacks_begin(&list, kt_cb_early_stopping(.mode = "up")), KT_EINVAL);
    kt_callbacks_end(&list);
}

/* Each allocation of a training fails in turn; the next one goes well. */
KT_TEST(callbacks, survive_every_failed_allocation) {
    char path[] = "/tmp/kt_csv_XXXXXX";
    close(mkstemp(path));
    rig r;
    kt_capture_begin();
    kt_callback *stop = kt_cb_early_stopping("loss", .restore_best_weights = true, .verbose = 1);
    kt_callback *reduce = kt_cb_reduce_lr_on_plateau("loss", .patience = 1, .verbose = 1);
    kt_callback *csv = kt_cb_csv_logger(path);
    rig_begin(&r, NULL, NULL);
    kt_status st = KT_ENOMEM;
    for (int n = 1; st; n++) {
        kt_logs_clear(r.logs);
        kt_check_status(kt_logs_set(r.logs, "loss", 1), KT_OK);
        kt_list_t *all = kt_list(stop, reduce, csv);
        kt_mem_fail_after(n);
        st = kt_callbacks_begin(&r.list, all);
        if (st == KT_OK) st = hook(&r, KT_ON_TRAIN_BEGIN, 0);
        for (int e = 0; e < 3 && st == KT_OK; e++) st = hook(&r, KT_ON_EPOCH_END, e);
        if (st == KT_OK) st = hook(&r, KT_ON_TRAIN_END, 0);
        kt_mem_fail_after(0);
        if (st) kt_check_status(st, KT_ENOMEM);
        kt_callbacks_end(&r.list);
    }
    kt_capture_end();
    unlink(path);
}

/* Early stopping ------------------------------------------------------------------------------- */

KT_TEST(early_stopping, waits_for_patience) {
    const double loss[] = {1.0, 0.5, 0.6, 0.7, 0.4, 0.5, 0.6, 0.7, 0.8};
    const char *name = "val_loss";
    assert_int_equal(train_with(kt_cb_early_stopping(), name, 9, loss), 3);
    assert_int_equal(train_with(kt_cb_early_stopping(.patience = 2), name, 9, loss), 4);
    assert_int_equal(train_with(kt_cb_early_stopping(.patience = 3), name, 9, loss), 8);
    assert_int_equal(train_with(kt_cb_early_stopping(.patience = 5), name, 9, loss), 9);
    assert_int_equal(train_with(kt_cb_early_stopping(.mode = "max"), name, 9, loss), 2);
    assert_int_equal(train_with(kt_cb_early_stopping(.start_from_epoch = 3), name, 9, loss), 6);
}

KT_TEST(early_stopping, never_stops_after_the_first_epoch) {
    const double loss[] = {NAN, NAN, NAN};
    assert_int_equal(train_with(kt_cb_early_stopping("loss"), "loss", 3, loss), 2);
}

KT_TEST(early_stopping, wants_more_than_min_delta) {
    const double acc[] = {0.5, 0.55, 0.58, 0.61, 0.7, 0.71};
    kt_callback *cb = kt_cb_early_stopping("acc", 0.1, .patience = 2, .mode = "max");
    assert_int_equal(train_with(cb, "acc", 6, acc), 3);
    cb = kt_cb_early_stopping("acc", -0.1, .patience = 3, .mode = "max");
    assert_int_equal(train_with(cb, "acc", 6, acc), 6);
}

KT_TEST(early_stopping, compares_with_a_baseline) {
    const double loss[] = {0.9, 0.8, 0.7, 0.6, 0.3, 0.35, 0.36};
    kt_callback *cb = kt_cb_early_stopping("loss", .patience = 3, .baseline = 0.5);
    assert_int_equal(train_with(cb, "loss", 7, loss), 7);
    cb = kt_cb_early_stopping("loss", .patience = 2, .baseline = 0.35);
    assert_int_equal(train_with(cb, "loss", 7, loss), 7);
}

KT_TEST(early_stopping, gives_the_best_weights_back) {
    const double loss[] = {1.0, 0.5, 0.6, 0.7, 0.8};
    rig r;
    kt_capture_begin();
    rig_begin(
        &r,
        kt_cb_early_stopping("loss", .patience = 2, .verbose = 1, .restore_best_weights = true),
        "loss");
    assert_int_equal(train(&r, 5, loss), 4);
    assert_true(weight(r.m) == 2);
    assert_int_equal(train(&r, 3, loss), 3); /* also where nothing stopped it */
    assert_true(weight(r.m) == 2);
    kt_callbacks_end(&r.list);
    kt_check_str(
        kt_capture_end(),
        "Epoch 4: early stopping\n"
        "Restoring model weights from the end of the best epoch: 2.\n"
        "Restoring model weights from the end of the best epoch: 2.\n");
}

KT_TEST(early_stopping, leaves_the_weights_alone_otherwise) {
    const double loss[] = {1.0, 0.5, 0.6, 0.7, 0.8};
    rig r;
    kt_capture_begin();
    rig_begin(&r, kt_cb_early_stopping("loss", .patience = 1), "loss");
    assert_int_equal(train(&r, 5, loss), 3);
    assert_true(weight(r.m) == 3);
    kt_callbacks_end(&r.list);
    kt_check_str(kt_capture_end(), "");
}

/* A warning goes to stderr, so only that nothing else happens is seen here. */
KT_TEST(early_stopping, goes_on_without_its_value) {
    const double loss[] = {1.0, 2.0, 3.0};
    assert_int_equal(train_with(kt_cb_early_stopping(), "loss", 3, loss), 3);
    assert_int_equal(train_with(kt_cb_early_stopping(), NULL, 3, loss), 3);
}

KT_TEST(early_stopping, knows_directions_by_the_metric) {
    const double values[] = {0.5, 0.6, 0.7};
    kt_callback *cb = kt_cb_early_stopping("val_accuracy", .restore_best_weights = true);
    rig r;
    rig_begin(&r, cb, "val_accuracy");
    kt_check_status(
        kt_model_compile(r.m, "sgd", "mse", .metrics = kt_list("accuracy", "mae")), KT_OK);
    const float two[] = {1, 2};
    kt_tensor *x = kt_tensor_new(KT_FLOAT32, kt_dims(2, 1), two);
    kt_check_status(kt_check(kt_model_train_on_batch(r.m, x, x)), KT_OK);
    assert_int_equal(train(&r, 3, values), 3);
    kt_callbacks_end(&r.list);
    kt_check_status(kt_callbacks_begin(&r.list, kt_cb_early_stopping("mae")), KT_OK);
    r.name = "mae";
    assert_int_equal(train(&r, 3, values), 2);
    kt_callbacks_end(&r.list);
}

KT_TEST(early_stopping, says_what_is_wrong) {
    rig r;
    rig_begin(&r, kt_cb_early_stopping("speed"), "speed");
    kt_check_status(hook(&r, KT_ON_TRAIN_BEGIN, 0), KT_OK);
    kt_check_status(one_epoch(&r, 0, 1.0), KT_EINVAL);
    kt_check_message_has("is \"speed\" better when it is greater or when it is less?");
    kt_callbacks_end(&r.list);
    kt_check_fails(
        kt_cb_early_stopping(.mode = "up"),
        KT_EINVAL,
        "mode: expected \"auto\", \"min\" or \"max\", got \"up\"");
    kt_check_fails(kt_cb_early_stopping(.monitor = NULL), KT_EINVAL, "monitor");
    kt_check_fails(kt_cb_early_stopping(.min_delta = NAN), KT_EINVAL, "min_delta");
}

/* Learning rates ------------------------------------------------------------------------------- */

KT_TEST(reduce_lr, reduces_cools_down_and_stops_at_the_least) {
    const double loss[] = {1, 1, 1, 1, 1, 1, 1, 1};
    const double want[] = {0.1, 0.05, 0.05, 0.025, 0.025, 0.02, 0.02, 0.02};
    rig r;
    rig_begin(
        &r,
        kt_cb_reduce_lr_on_plateau("loss", 0.5, .patience = 1, .cooldown = 2, .min_lr = 0.02),
        "loss");
    kt_check_status(hook(&r, KT_ON_TRAIN_BEGIN, 0), KT_OK);
    for (int e = 0; e < 8; e++) {
        const double before = rate(&r);
        kt_check_status(one_epoch(&r, e, loss[e]), KT_OK);
        kt_check_near(rate(&r), want[e], 1e-6, 0);
        kt_check_near(kt_logs_get(r.logs, "learning_rate"), before, 0, 0);
    }
    kt_callbacks_end(&r.list);
}

KT_TEST(reduce_lr, prints_as_python_does) {
    const double loss[] = {1, 1};
    rig r;
    kt_capture_begin();
    rig_begin(&r, kt_cb_reduce_lr_on_plateau("loss", .patience = 1, .verbose = 1), "loss");
    assert_int_equal(train(&r, 2, loss), 2);
    kt_callbacks_end(&r.list);
    kt_check_str(
        kt_capture_end(),
        "\nEpoch 2: ReduceLROnPlateau reducing learning rate to 0.010000000149011612.\n");
}

KT_TEST(reduce_lr, says_what_is_wrong) {
    const double loss[] = {1, 1};
    kt_check_fails(kt_cb_reduce_lr_on_plateau(.factor = 1.0), KT_EINVAL, "factor: expected");
    kt_check_fails(kt_cb_reduce_lr_on_plateau(.factor = NAN), KT_EINVAL, "factor: expected");
    rig r;
    rig_begin(&r, kt_cb_reduce_lr_on_plateau("loss", .patience = 1), "loss");
    kt_opt_adam_args adam = {.size = sizeof adam, KT_OPT_ADAM_DEFAULTS};
    adam.schedule = kt_sched_exponential_decay(0.1, 10, 0.5);
    kt_check_status(kt_model_compile(r.m, kt_opt_adam_new(&adam), "mse"), KT_OK);
    kt_check_status(hook(&r, KT_ON_TRAIN_BEGIN, 0), KT_OK);
    kt_check_status(one_epoch(&r, 0, loss[0]), KT_OK);
    kt_check_status(one_epoch(&r, 1, loss[1]), KT_ESTATE);
    kt_check_message_has("it comes from a schedule");
    kt_callbacks_end(&r.list);
}

static double halve(int epoch, double lr, void *data) {
    *(int *)data += epoch;
    return lr * 0.5;
}

static double not_a_number(int epoch, double lr, void *data) {
    (void)epoch;
    (void)lr;
    (void)data;
    return NAN;
}

KT_TEST(learning_rate_scheduler, sets_the_rate_before_each_epoch) {
    const double loss[] = {1, 1, 1};
    int epochs = 0;
    rig r;
    kt_capture_begin();
    rig_begin(&r, kt_cb_learning_rate_scheduler(halve, 1, &epochs), "loss");
    assert_int_equal(train(&r, 3, loss), 3);
    assert_int_equal(epochs, 0 + 1 + 2);
    kt_check_near(rate(&r), 0.0125, 1e-6, 0);
    kt_check_near(kt_logs_get(r.logs, "learning_rate"), 0.0125, 1e-6, 0);
    kt_callbacks_end(&r.list);
    assert_non_null(strstr(
        kt_capture_end(),
        "\nEpoch 1: LearningRateScheduler setting learning rate to 0.05000000074505806.\n"));
}

KT_TEST(learning_rate_scheduler, says_what_is_wrong) {
    rig r;
    kt_check_fails(kt_cb_learning_rate_scheduler(), KT_EINVAL, "schedule: expected a function");
    rig_begin(&r, kt_cb_learning_rate_scheduler(not_a_number), "loss");
    kt_check_status(one_epoch(&r, 0, 1), KT_EINVAL);
    kt_check_message_has("learning_rate: expected a float32");
    kt_callbacks_end(&r.list);
}

/* Terminate on NaN ----------------------------------------------------------------------------- */

KT_TEST(terminate_on_nan, stops_or_fails) {
    rig r;
    kt_capture_begin();
    rig_begin(&r, kt_cb_terminate_on_nan(), NULL);
    kt_check_status(kt_logs_set(r.logs, "accuracy", NAN), KT_OK);
    kt_check_status(hook(&r, KT_ON_TRAIN_BATCH_END, 3), KT_OK); /* no loss, no matter */
    kt_check_status(kt_logs_set(r.logs, "loss", 1e30), KT_OK);
    kt_check_status(hook(&r, KT_ON_TRAIN_BATCH_END, 4), KT_OK);
    assert_false(kt_model_of(r.m)->stop_training);
    kt_check_status(kt_logs_set(r.logs, "loss", -INFINITY), KT_OK);
    kt_check_status(hook(&r, KT_ON_TRAIN_BATCH_END, 5), KT_OK);
    assert_true(kt_model_of(r.m)->stop_training);
    kt_callbacks_end(&r.list);
    kt_check_str(kt_capture_end(), "Batch 5: Invalid loss, terminating training\n");
    rig_begin(&r, kt_cb_terminate_on_nan(.raise_error = true), NULL);
    kt_check_status(kt_logs_set(r.logs, "loss", NAN), KT_OK);
    kt_check_status(hook(&r, KT_ON_TRAIN_BATCH_END, 7), KT_ENAN);
    kt_check_message_has("the loss is NaN or infinite at batch 7");
    kt_callbacks_end(&r.list);
}

/* CSV ------------------------------------------------------------------------------------------ */

static void csv_epoch(rig *r, int epoch, double loss, double val_loss) {
    kt_logs_clear(r->logs);
    kt_check_status(kt_logs_set(r->logs, "loss", loss), KT_OK);
    kt_check_status(kt_logs_set(r->logs, "a,b", epoch), KT_OK);
    if (val_loss > 0) kt_check_status(kt_logs_set(r->logs, "val_loss", val_loss), KT_OK);
    kt_check_status(hook(r, KT_ON_EPOCH_END, epoch), KT_OK);
}

static void csv_train(kt_callback *cb, double val_loss) {
    rig r;
    rig_begin(&r, cb, NULL);
    kt_check_status(hook(&r, KT_ON_TRAIN_BEGIN, 0), KT_OK);
    csv_epoch(&r, 0, 0.5, val_loss);
    csv_epoch(&r, 1, 0.10000000149011612, 0.25);
    kt_check_status(hook(&r, KT_ON_TRAIN_END, 0), KT_OK);
    kt_callbacks_end(&r.list);
}

static void check_file(const char *path, const char *want) {
    char text[1024] = "";
    FILE *f = fopen(path, "rb");
    assert_non_null(f);
    text[fread(text, 1, sizeof text - 1, f)] = 0;
    fclose(f);
    kt_check_str(text, want);
}

/* The texts are what Keras wrote for the same logs. */
KT_TEST(csv_logger, writes_what_keras_writes) {
    char path[] = "/tmp/kt_csv_XXXXXX";
    close(mkstemp(path));
    csv_train(kt_cb_csv_logger(path), 0.75);
    const char *first = "epoch,\"a,b\",loss,val_loss\r\n"
                        "0,0.0,0.5,0.75\r\n"
                        "1,1.0,0.10000000149011612,0.25\r\n";
    check_file(path, first);
    csv_train(kt_cb_csv_logger(path, .append = true), 0.75);
    check_file(
        path,
        "epoch,\"a,b\",loss,val_loss\r\n"
        "0,0.0,0.5,0.75\r\n"
        "1,1.0,0.10000000149011612,0.25\r\n"
        "0,0.0,0.5,0.75\r\n"
        "1,1.0,0.10000000149011612,0.25\r\n");
    csv_train(kt_cb_csv_logger(path, ";"), 0);
    check_file(
        path,
        "epoch;a,b;loss;val_a,b;val_loss\r\n"
        "0;0.0;0.5;NA;NA\r\n"
        "1;1.0;0.10000000149011612;NA;0.25\r\n");
    unlink(path);
    csv_train(kt_cb_csv_logger(path, .append = true), 0.75);
    check_file(path, first);
    unlink(path);
}

KT_TEST(csv_logger, says_what_is_wrong) {
    rig r;
    kt_check_fails(kt_cb_csv_logger(), KT_EINVAL, "filename: expected");
    kt_check_fails(kt_cb_csv_logger("x", ";;"), KT_EINVAL, "separator: expected one character");
    kt_check_fails(kt_cb_csv_logger("x", "\""), KT_EINVAL, "separator: expected one character");
    rig_begin(&r, kt_cb_csv_logger("/tmp/no/such/folder/log.csv"), NULL);
    kt_check_status(hook(&r, KT_ON_TRAIN_BEGIN, 0), KT_ENOTFOUND);
    kt_check_message_has("cannot write \"/tmp/no/such/folder/log.csv\"");
    kt_callbacks_end(&r.list);
}
