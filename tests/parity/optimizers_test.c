/* 100 training steps with every optimizer, alone and with decay, clipping, averages and accumulated
 * gradients, against real Keras (tests/golden/training.npz): the loss of each step, the weights
 * after the last, and with use_ema what fit() leaves. (ScheduleFreeAdamW: src/nn/optimizers, whose
 * golden file comes from JAX.) */
#include "base/mem.h"
#include "io/npz.h"
#include "testing/kt_models.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define STEPS 100
#define BATCH 16
#define ROWS 100
#define MUST 1e-4

static kt_npz *z;

static kt_tensor *read(const char *fmt, const char *name) {
    char key[96];
    snprintf(key, sizeof key, fmt, name);
    kt_tensor *t = kt_npz_read(z, key);
    kt_check_ok(t);
    return t;
}

static kt_optimizer *read_optimizer(const char *name) {
    kt_tensor *t = read("curves/%s/optimizer", name);
    const size_t n = (size_t)kt_tensor_size(t);
    char *text = kt_alloc(n + 1);
    memcpy(text, kt_tensor_data(t), n);
    kt_optimizer *o = kt_deserialize("optimizer", text);
    kt_check_ok(o);
    kt_mem_free(text);
    return o;
}

static kt_model *network(void) {
    const void *w[4];
    char part[8];
    kt_model *m = kt_sequential(kt_list(
        kt_input({8}), kt_dense(6, .activation = "tanh"), kt_dense(3, .activation = "softmax")));
    for (int i = 0; i < 4; i++) {
        snprintf(part, sizeof part, "w%d", i);
        w[i] = read("curves/%s", part);
    }
    kt_check_status(kt_set_weights(m, kt_list_of(4, w)), KT_OK);
    return m;
}

/* The largest difference of a weight, relative to the largest weight. */
static double weights_off(kt_model *m, const kt_tensor *want) {
    kt_weights_copy got = kt_copy_weights(m);
    double most = 0, off = 0;
    assert_int_equal(got.n, kt_tensor_size(want));
    for (int64_t i = 0; i < got.n; i++) {
        most = fmax(most, fabs(kt_tensor_get(want, i)));
        off = fmax(off, fabs(got.v[i] - kt_tensor_get(want, i)));
    }
    kt_weights_copy_free(&got);
    return off / most;
}

static double losses_off(
    kt_model *m, const kt_tensor *x, const kt_tensor *y, const kt_tensor *want) {
    double worst = 0;
    for (int s = 0; s < STEPS; s++) {
        const int64_t from = BATCH * (s % 7), to = from + BATCH < ROWS ? from + BATCH : ROWS;
        kt_tensor *xs = kt_tensor_slice(x, from, to), *ys = kt_tensor_slice(y, from, to);
        kt_logs *l = kt_model_train_on_batch(m, xs, ys);
        kt_check_ok(l);
        const double w = kt_tensor_get(want, s);
        const double off = fabs(kt_logs_get(l, "loss") - w) / fmax(fabs(w), 1e-3);
        worst = off <= worst ? worst : off;
        kt_free(l);
        kt_free(xs);
        kt_free(ys);
    }
    return worst;
}

static bool has_fitted(const char *name) {
    char key[96];
    snprintf(key, sizeof key, "curves/%s/fitted", name);
    for (int i = 0; i < kt_npz_count(z); i++)
        if (!strcmp(kt_npz_name(z, i), key)) return true;
    return false;
}

static void check_curve(const char *name) {
    kt_tensor *x = read("curves/%s", "x"), *y = read("curves/%s", "y");
    kt_model *m = network();
    kt_check_status(
        kt_model_compile(m, read_optimizer(name), "sparse_categorical_crossentropy"), KT_OK);
    const double losses = losses_off(m, x, y, read("curves/%s/loss", name));
    const double weights = weights_off(m, read("curves/%s/final", name));
    double fitted = 0;
    if (has_fitted(name)) {
        kt_check_ok(kt_model_fit(
            m, x, y, .batch_size = BATCH, .epochs = 2, .shuffle = false, .verbose = 0));
        fitted = weights_off(m, read("curves/%s/fitted", name));
    }
    print_message("%-28s losses %.1e, weights %.1e, fitted %.1e\n", name, losses, weights, fitted);
    if (!(losses <= MUST && weights <= 10 * MUST && fitted <= 10 * MUST)) {
        print_error("%s goes another way than Keras\n", name);
        fail();
    }
    kt_free(m);
    kt_clear_session();
}

static int check_all(bool combined) {
    int n = 0;
    kt_check_status(kt_npz_open(&z, "tests/golden/training.npz"), KT_OK);
    for (int i = 0; i < kt_npz_count(z); i++) {
        char name[64];
        int end = 0;
        if (sscanf(kt_npz_name(z, i), "curves/%63[^/]/optimizer%n", name, &end) != 1 || !end)
            continue;
        if (combined != (strchr(name, '.') != NULL)) continue;
        check_curve(name);
        n++;
    }
    kt_npz_close(z);
    return n;
}

KT_TEST(optimizers, a_hundred_steps_follow_keras) { assert_int_equal(check_all(false), 13); }

KT_TEST(optimizers, so_they_do_with_all_options_together) { assert_int_equal(check_all(true), 31); }
