/* The progress bar by itself against the bytes of keras.utils.Progbar; tests/console has it inside
 * fit, evaluate and predict. */
#include "model/progbar.h"

#include "base/mem.h"
#include "model/logs.h"
#include "testing/capture.h"
#include "testing/kt_test.h"

#include <keratin/runtime.h>

#include <math.h>
#include <stdio.h>
#include <string.h>

static double now;
static double scripted(void) { return now; }

typedef struct {
    kt_progbar bar;
    kt_logs *logs;
} rig;

static void begin(rig *r, int64_t target, int verbose) {
    now = 1000;
    kt_progbar_set_clock(scripted);
    kt_capture_begin();
    r->logs = kt_logs_new();
    kt_progbar_begin(&r->bar, target, verbose, 1, 1);
}

/* What a loop does: logs are read only when they are shown. */
static void at(rig *r, double seconds, int64_t current, bool finalize) {
    now = 1000 + seconds;
    if (finalize || kt_progbar_due(&r->bar, current))
        kt_progbar_update(&r->bar, current, r->logs, finalize);
}

static void check(const char *name) {
    char path[128];
    snprintf(path, sizeof path, "tests/golden/console/progbar_%s.txt", name);
    kt_progbar_set_clock(NULL);
    kt_check_golden_text(kt_capture_end(), path);
}

static const struct {
    const char *name;
    int64_t target;
    bool has_loss;
    struct {
        double at;
        int64_t current;
        int finalize; ///< 1: although the target is not reached
    } update[6];
} cases[] = {
    {"eta", 100, true, {{1, 1, 0}, {61, 2, 0}, {62, 3, 0}, {63, 4, 0}, {63.5, 100, 0}}},
    {"eta_minute", 62, true, {{1, 1, 0}, {2, 2, 0}, {3, 41, 0}, {43, 42, 0}}},
    {"eta_60_s", 62, true, {{1, 1, 0}, {2, 2, 0}}},
    {"eta_61_s", 63, true, {{1, 1, 0}, {2, 2, 0}}},
    {"eta_3600_s", 3602, true, {{1, 1, 0}, {2, 2, 0}}},
    {"eta_3601_s", 3603, true, {{1, 1, 0}, {2, 2, 0}}},
    {"eta_days", 1000, true, {{1, 1, 0}, {1001, 2, 0}}},
    {"step_units", 5, false, {{10, 1, 0}, {10.0005, 2, 0}, {11, 3, 0}, {13.5, 4, 0}, {15.5, 5, 0}}},
    {"step_1_ms", 2, false, {{0.5, 1, 0}, {0.501, 2, 1}}},
    {"step_999_us", 2, false, {{0.5, 1, 0}, {0.5009996, 2, 1}}},
    {"step_999_ms", 2, false, {{0.5, 1, 0}, {1.4996, 2, 1}}},
    {"step_half_even", 2, false, {{0.5, 1, 0}, {3.0, 2, 1}}},
    {"zero_time", 2, true, {{0, 1, 0}, {0, 2, 0}}},
    {"start_at_zero", 2, true, {{1, 0, 0}, {2, 1, 0}, {3, 2, 0}}},
    {"unknown", -1, true, {{0.1, 1, 0}, {0.2, 2, 0}, {0.3, 12345678, 0}, {1.6, 12345679, 1}}},
    {"target_zero", 0, true, {{0.1, 0, 1}, {0.2, 1, 1}}},
    {"past_target", 2, true, {{0.1, 1, 0}, {0.2, 2, 0}, {0.3, 3, 0}}},
    {"target_1", 1, true, {{0.25, 1, 0}}},
    {"target_1000",
     1000,
     true,
     {{0.1, 1, 0}, {0.2, 49, 0}, {0.3, 50, 0}, {0.4, 999, 0}, {0.5, 1000, 0}}},
};

KT_TEST(progbar, writes_the_bytes_of_keras) {
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        rig r;
        begin(&r, cases[i].target, 1);
        if (cases[i].has_loss) kt_check_status(kt_logs_set(r.logs, "loss", 0.5), KT_OK);
        for (int k = 0; k < 6 && cases[i].update[k].at + cases[i].update[k].current > 0; k++) {
            const int64_t current = cases[i].update[k].current;
            const bool reached = cases[i].target > 0 && current >= cases[i].target;
            at(&r, cases[i].update[k].at, current, reached || cases[i].update[k].finalize);
        }
        check(cases[i].name);
    }
}

/* Keras averages what a bare Progbar is given; fit gives it averages. */
KT_TEST(progbar, draws_every_50_ms) {
    rig r;
    double sum = 0;
    begin(&r, 20, 1);
    for (int i = 1; i <= 20; i++) {
        sum += 1.0 / i;
        kt_check_status(kt_logs_set(r.logs, "loss", i < 20 ? sum / i : 1.0 / i), KT_OK);
        at(&r, 0.01 * i, i, i == 20);
    }
    check("interval");
}

KT_TEST(progbar, takes_values_that_come_late) {
    rig r;
    begin(&r, 2, 1);
    kt_check_status(kt_logs_set(r.logs, "loss", 0.5), KT_OK);
    at(&r, 0.1, 1, false);
    kt_check_status(kt_logs_set(r.logs, "acc", 0.25), KT_OK);
    kt_check_status(kt_logs_set(r.logs, "loss", 0.75), KT_OK);
    at(&r, 0.2, 2, true);
    check("late_value");
}

KT_TEST(progbar, wipes_what_a_longer_line_left) {
    static const double loss[] = {123456.0, 1.0, 0.25};
    rig r;
    begin(&r, 3, 1);
    for (int i = 0; i < 3; i++) {
        kt_check_status(kt_logs_set(r.logs, "loss", loss[i]), KT_OK);
        at(&r, 0.1 * (i + 1), i + 1, i == 2);
    }
    check("shrinking");
}

static void set_values(kt_logs *logs) {
    const double values[] = {
        0.0,   1e-3,   0.00100001, 0.0010001, 9.9999e-4, 1e-10,     -0.5, -1e-3,
        -5e-4, 5e-5,   0.12345,    0.99995,   0.99996,   1.0,       12.5, 123456.789,
        1e6,   1.5e10, 1e22,       1e-45,     INFINITY,  -INFINITY, -NAN,
    };
    for (int i = 0; i < (int)(sizeof values / sizeof *values); i++) {
        char name[8];
        snprintf(name, sizeof name, "v%d", i);
        kt_check_status(kt_logs_set(logs, name, values[i]), KT_OK);
    }
}

KT_TEST(progbar, writes_numbers_as_python_does) {
    rig r;
    for (int verbose = 1; verbose <= 2; verbose++) {
        begin(&r, 1, verbose);
        set_values(r.logs);
        at(&r, 0.5, 1, true);
        check(verbose == 1 ? "values" : "values_verbose_2");
    }
}

KT_TEST(progbar, is_silent_with_verbose_0) {
    rig r;
    begin(&r, 2, 0);
    at(&r, 0.5, 1, false);
    at(&r, 1.0, 2, true);
    check("verbose_0");
}

static void swallow(const char *text, size_t n, void *data) { (void)text, (void)n, (void)data; }

KT_TEST(progbar, does_not_allocate) {
    rig r;
    begin(&r, 1000, 1);
    set_values(r.logs);
    kt_capture_end();
    kt_set_output(swallow, NULL);
    const int64_t before = kt_mem_count();
    for (int i = 1; i <= 1000; i++) at(&r, 0.1 * i, i, i == 1000);
    assert_int_equal(kt_mem_count(), before);
    kt_set_output(NULL, NULL);
    kt_progbar_set_clock(NULL);
}

KT_TEST(progbar, runs_on_the_real_clock) {
    kt_progbar bar;
    kt_capture_begin();
    kt_progbar_begin(&bar, 3, 1, 2, 5);
    assert_true(kt_progbar_due(&bar, 1));
    kt_progbar_update(&bar, 1, NULL, false);
    assert_false(kt_progbar_due(&bar, 2));
    kt_progbar_update(&bar, 2, NULL, false);
    kt_progbar_set_target(&bar, 2);
    kt_progbar_update(&bar, 2, NULL, true);
    const char *text = kt_capture_end();
    assert_non_null(strstr(text, "Epoch 2/5\n"));
    assert_null(strstr(text, "2/3"));
    assert_non_null(strstr(text, "2/2"));
}
