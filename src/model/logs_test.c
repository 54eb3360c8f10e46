/* Logs and history. */
#include "model/logs.h"

#include "testing/kt_test.h"

#include <math.h>
#include <stdio.h>

KT_TEST(logs, keep_names_in_order_and_replace_values) {
    kt_logs *l = kt_logs_new();
    kt_check_status(kt_logs_set(l, "loss", 0.5), KT_OK);
    kt_check_status(kt_logs_set(l, "accuracy", 0.75), KT_OK);
    kt_check_status(kt_logs_set(l, "loss", 0.25), KT_OK);
    assert_int_equal(kt_logs_len(l), 2);
    kt_check_str(kt_logs_name(l, 0), "loss");
    kt_check_str(kt_logs_name(l, 1), "accuracy");
    kt_check_str(kt_logs_name(l, 2), NULL);
    kt_check_str(kt_logs_name(l, -1), NULL);
    assert_true(kt_logs_get(l, "loss") == 0.25 && kt_logs_value(l, 1) == 0.75);
    assert_true(isnan(kt_logs_get(l, "los")) && isnan(kt_logs_value(l, 2)));
    assert_true(isnan(kt_logs_get(l, NULL)));
}

KT_TEST(logs, of_nothing_are_empty) {
    assert_int_equal(kt_logs_len(NULL), 0);
    assert_true(isnan(kt_logs_get(NULL, "loss")));
    assert_int_equal(kt_history_len(NULL), 0);
    assert_int_equal(kt_history_n_names(NULL), 0);
    assert_true(isnan(kt_history_get(NULL, "loss", 0)));
    assert_int_equal(kt_history_epoch(kt_history_new(), -1), -1);
}

KT_TEST(logs, that_come_again_do_not_allocate) {
    static const char *const names[] = {"accuracy", "loss", "learning_rate"};
    kt_logs *l = kt_logs_new();
    for (int i = 0; i < 3; i++) kt_check_status(kt_logs_set(l, names[i], i), KT_OK);
    const int64_t before = kt_mem_count();
    for (int step = 0; step < 10; step++) {
        kt_logs_clear(l);
        assert_int_equal(kt_logs_len(l), 0);
        for (int i = 0; i < 2 + step % 2; i++) kt_check_status(kt_logs_set(l, names[i], i), KT_OK);
        assert_true(isnan(kt_logs_get(l, names[2])) == !(step % 2));
    }
    assert_int_equal(kt_mem_count(), before);
}

KT_TEST(logs, forget_names_that_do_not_come_again) {
    kt_logs *l = kt_logs_new();
    for (int i = 0; i < 40; i++) {
        char name[8];
        snprintf(name, sizeof name, "m%d", i);
        kt_check_status(kt_logs_set(l, name, i), KT_OK);
    }
    kt_logs_clear(l);
    kt_check_status(kt_logs_set(l, "m0", 7), KT_OK);
    kt_check_status(kt_logs_set(l, "m2", 8), KT_OK);
    kt_check_status(kt_logs_set(l, "m1", 9), KT_OK);
    assert_int_equal(kt_logs_len(l), 3);
    kt_check_str(kt_logs_name(l, 1), "m2");
    assert_true(kt_logs_get(l, "m1") == 9);
}

/* The second epoch was validated, the first was not. */
static kt_history *two_epochs(void) {
    kt_history *h = kt_history_new();
    kt_logs *l = kt_logs_new();
    kt_check_status(kt_logs_set(l, "loss", 0.5), KT_OK);
    kt_check_status(kt_history_add(h, 4, l), KT_OK);
    kt_check_status(kt_logs_set(l, "loss", 0.25), KT_OK);
    kt_check_status(kt_logs_set(l, "val_loss", 0.375), KT_OK);
    kt_check_status(kt_history_add(h, 5, l), KT_OK);
    return h;
}

KT_TEST(history, holds_copies_by_epoch) {
    kt_history *h = two_epochs();
    assert_int_equal(kt_history_len(h), 2);
    assert_int_equal(kt_history_epoch(h, 0), 4);
    assert_int_equal(kt_history_epoch(h, -1), 5);
    assert_int_equal(kt_history_epoch(h, 2), -1);
    assert_true(kt_history_get(h, "loss", 0) == 0.5 && kt_history_get(h, "loss", -1) == 0.25);
    assert_true(isnan(kt_history_get(h, "val_loss", 0)));
    assert_true(kt_history_get(h, "val_loss", 1) == 0.375);
    assert_true(isnan(kt_history_get(h, "loss", -3)) && isnan(kt_history_get(h, "loss", 2)));
}

KT_TEST(history, names_every_value_of_any_epoch) {
    kt_history *h = two_epochs();
    assert_int_equal(kt_history_n_names(h), 2);
    kt_check_str(kt_history_name(h, 0), "loss");
    kt_check_str(kt_history_name(h, 1), "val_loss");
    kt_check_str(kt_history_name(h, 2), NULL);
    kt_check_str(kt_history_name(h, -1), NULL);
}

KT_TEST(logs, hold_several_values) {
    kt_logs *l = kt_logs_new();
    kt_check_status(kt_logs_set_values(l, "f1", (const float[]){0.25f, 0.75f, 0.5f}, 3), KT_OK);
    kt_check_status(kt_logs_set(l, "loss", 2), KT_OK);
    kt_check_near(kt_logs_get(l, "f1"), 0.5, 0, 0);
    kt_floats_t v = kt_logs_values(l, "f1");
    assert_true(v.n == 3 && v.v[0] == 0.25 && v.v[2] == 0.5);
    v = kt_logs_values(l, "loss");
    assert_true(v.n == 1 && v.v[0] == 2);
    assert_int_equal(kt_logs_values(l, "acc").n, 0);
    kt_history *h = kt_history_new();
    kt_check_status(kt_history_add(h, 0, l), KT_OK);
    kt_logs_clear(l);
    kt_check_status(kt_logs_set(l, "f1", 1), KT_OK); /* the same name, one value now */
    assert_int_equal(kt_logs_values(l, "f1").n, 1);
    v = kt_history_values(h, "f1", -1);
    assert_true(v.n == 3 && v.v[1] == 0.75);
    assert_int_equal(kt_history_values(h, "f1", 1).n, 0);
    kt_free(h);
    kt_free(l);
}
