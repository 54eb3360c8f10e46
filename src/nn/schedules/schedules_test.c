/* Schedules against Keras: tests/golden/schedules.npz. */
#include "io/npz.h"
#include "nn/schedules/schedule.h"
#include "testing/kt_test.h"

#include <keratin/tensor.h>

#include <math.h>
#include <stdio.h>
#include <string.h>

typedef struct {
    const char *name;
    kt_schedule *s;
} schedule_case;

/* To 1e-6, and to 1e-7 of the highest value: 1 + cos(x) loses digits near 0. */
static void check_case(kt_npz *z, const kt_tensor *steps, const schedule_case *c) {
    char key[96];
    double top = 0;
    assert_int_equal(kt_check(c->s), KT_OK);
    snprintf(key, sizeof key, "%s/y", c->name);
    kt_tensor *y = kt_npz_read(z, key);
    assert_int_equal(kt_check(y), KT_OK);
    for (int64_t i = 0; i < kt_tensor_size(y); i++) top = fmax(top, kt_tensor_get(y, i));
    for (int64_t i = 0; i < kt_tensor_size(steps); i++) {
        const double step = kt_tensor_get(steps, i), want = kt_tensor_get(y, i);
        const double got = kt_sched_value(c->s, (int64_t)step);
        if (fabs(got - want) > 1e-6 * fabs(want) + 1e-7 * top)
            print_message("%s at step %g: %.9g, Keras %.9g\n", key, step, got, want);
        kt_check_near(got, want, 1e-6, 1e-7 * top);
    }
    kt_free(y);
}

static int count_curves(const kt_npz *z) {
    int n = 0;
    for (int i = 0; i < kt_npz_count(z); i++) n += strstr(kt_npz_name(z, i), "/y") != NULL;
    return n;
}

KT_TEST(schedules, match_keras) {
    const schedule_case cases[] = {
        {"ExponentialDecay", kt_sched_exponential_decay(0.1, 100, 0.9)},
        {"ExponentialDecay.staircase", kt_sched_exponential_decay(0.1, 7, 0.9, .staircase = true)},
        {"InverseTimeDecay", kt_sched_inverse_time_decay(0.1, 100, 0.5)},
        {"InverseTimeDecay.staircase", kt_sched_inverse_time_decay(0.1, 7, 0.5, true)},
        {"PiecewiseConstantDecay",
         kt_sched_piecewise_constant_decay(kt_floats(5, 100, 700), kt_floats(1, 0.5, 0.1, 0.01))},
        {"PiecewiseConstantDecay.one",
         kt_sched_piecewise_constant_decay(kt_floats(10), kt_floats(1.0, 0.5))},
        {"PolynomialDecay", kt_sched_polynomial_decay(0.1, 100)},
        {"PolynomialDecay.power", kt_sched_polynomial_decay(0.1, 200, 0.01, 2)},
        {"PolynomialDecay.root", kt_sched_polynomial_decay(0.1, 200, .power = 0.5)},
        {"PolynomialDecay.cycle", kt_sched_polynomial_decay(0.1, 100, 0.01, .cycle = true)},
        {"PolynomialDecay.cycle_power",
         kt_sched_polynomial_decay(0.1, 9, .power = 3, .cycle = true)},
        {"CosineDecay", kt_sched_cosine_decay(0.1, 200)},
        {"CosineDecay.alpha", kt_sched_cosine_decay(0.1, 100, 0.2)},
        {"CosineDecay.warmup",
         kt_sched_cosine_decay(0, 200, .warmup_target = 0.1, .warmup_steps = 30)},
        {"CosineDecay.warmup_alpha",
         kt_sched_cosine_decay(0.02, 100, .alpha = 0.1, .warmup_target = 0.3, .warmup_steps = 100)},
        {"CosineDecay.warmup_steps_only", kt_sched_cosine_decay(0.1, 100, .warmup_steps = 50)},
        {"CosineDecay.warmup_target_only", kt_sched_cosine_decay(0.1, 100, .warmup_target = 0.5)},
        {"CosineDecayRestarts", kt_sched_cosine_decay_restarts(0.1, 100)},
        {"CosineDecayRestarts.equal", kt_sched_cosine_decay_restarts(0.1, 9, 1.0, 0.9)},
        {"CosineDecayRestarts.options", kt_sched_cosine_decay_restarts(0.1, 10, 1.5, 0.8, 0.05)},
    };
    const int n = (int)(sizeof cases / sizeof *cases);
    kt_npz *z = NULL;
    assert_int_equal(kt_npz_open(&z, "tests/golden/schedules.npz"), KT_OK);
    assert_int_equal(count_curves(z), n);
    kt_tensor *steps = kt_npz_read(z, "steps");
    for (int i = 0; i < n; i++) check_case(z, steps, &cases[i]);
    kt_npz_close(z);
}

KT_TEST(schedules, follow_the_dtype_policy) {
    assert_int_equal(kt_set_dtype_policy("float64"), KT_OK);
    kt_schedule *s = kt_sched_exponential_decay(0.1, 3, 0.5);
    kt_check_near(kt_sched_value(s, 1), 0.1 * pow(0.5, 1.0 / 3), 1e-14, 0);
    assert_int_equal(kt_set_dtype_policy("float32"), KT_OK);
}

KT_TEST(schedules, reject_bad_arguments) {
    kt_check_fails(
        kt_sched_exponential_decay(0.1, 0, 0.9), KT_EINVAL, "decay_steps: expected a number > 0");
    kt_check_fails(kt_sched_cosine_decay(0.1, -1), KT_EINVAL, "decay_steps");
    kt_check_fails(kt_sched_cosine_decay_restarts(0.1), KT_EINVAL, "first_decay_steps");
    kt_check_fails(
        kt_sched_piecewise_constant_decay(kt_floats(1, 2), kt_floats(1, 2)),
        KT_EINVAL,
        "values: expected one more than boundaries, got 2 and 2");
    assert_true(isnan(kt_sched_value(NULL, 0)));
    kt_check_message_has("expected a schedule");
}
