/* CTC against real Keras (tests/golden/ctc.npz), and labels that do not fit. */
#include "io/npz.h"
#include "nn/losses/loss.h"
#include "runtime/program.h"
#include "testing/kt_test.h"

#include <keratin/keratin.h>

#include <math.h>
#include <stdio.h>
#include <string.h>

typedef struct {
    kt_program *program;
    kt_cpu_run *run;
} ctc_run;

/* Outputs: the reduced loss, the gradient of its sum by y_pred. */
static kt_status run_ctc(
    ctc_run *r, const kt_tensor *y_true, const kt_tensor *y_pred, const char *reduction) {
    kt_graph *g = kt_graph_new();
    kt_tracer t;
    kt_val *dx = NULL;
    kt_tracer_begin(&t, g, true, NULL);
    kt_sym *st = kt_wrap(
        kt_g_input(g, (kt_spec){kt_tensor_dtype(y_true), kt_tensor_shape(y_true)}));
    kt_sym *sp = kt_wrap(kt_g_input(g, (kt_spec){KT_FLOAT32, kt_tensor_shape(y_pred)}));
    kt_loss *loss = kt_loss_ctc(.reduction = reduction);
    kt_sym *value = kt_loss_value(loss, st, sp, NULL, NULL);
    kt_check_status(kt_check(value), KT_OK);
    kt_val *y = kt_unwrap(value, NULL), *x = kt_unwrap(sp, NULL);
    kt_check_status(kt_grad(g, kt_g_sum(g, y, kt_axes_all(y), false), 1, &x, &dx), KT_OK);
    assert_int_equal(kt_vec_push(&g->outputs, y), 0);
    assert_int_equal(kt_vec_push(&g->outputs, dx), 0);
    kt_check_status(kt_tracer_end(&t), KT_OK);
    kt_check_status(kt_program_new(g, &r->program), KT_OK);
    kt_check_status(kt_program_acquire(r->program, &r->run), KT_OK);
    memcpy(kt_cpu_input(r->run, 0), kt_tensor_data(y_true), kt_tensor_bytes(y_true));
    memcpy(kt_cpu_input(r->run, 1), kt_tensor_data(y_pred), kt_tensor_bytes(y_pred));
    kt_free(loss);
    return kt_cpu_execute(r->run);
}

static void done(ctc_run *r) {
    kt_program_release(r->program, r->run);
    kt_program_free(r->program);
}

static kt_tensor *member(kt_npz *npz, const char *name, const char *part) {
    char path[64];
    snprintf(path, sizeof path, "%s/%s", name, part);
    kt_tensor *t = kt_npz_read(npz, path);
    kt_check_status(kt_check(t), KT_OK);
    return t;
}

static void check_near(const void *got, const kt_tensor *want) {
    for (int64_t i = 0; i < kt_tensor_size(want); i++)
        kt_check_near(((const float *)got)[i], kt_tensor_get(want, i), 1e-5, 1e-5);
}

KT_TEST(ctc, as_keras) {
    static const char *const names[] = {"plain", "repeated", "empty", "just_fits"};
    kt_npz *npz;
    ctc_run r;
    kt_check_status(kt_npz_open(&npz, "tests/golden/ctc.npz"), KT_OK);
    for (int i = 0; i < 4; i++) {
        kt_tensor *y_true = member(npz, names[i], "y_true");
        kt_tensor *y_pred = member(npz, names[i], "y_pred");
        kt_check_status(run_ctc(&r, y_true, y_pred, "none"), KT_OK);
        check_near(kt_cpu_output(r.run, 0), member(npz, names[i], "loss"));
        check_near(kt_cpu_output(r.run, 1), member(npz, names[i], "grad"));
        done(&r);
        kt_check_status(run_ctc(&r, y_true, y_pred, "sum_over_batch_size"), KT_OK);
        check_near(kt_cpu_output(r.run, 0), member(npz, names[i], "mean"));
        done(&r);
    }
    kt_npz_close(npz);
}

/* Two equal labels need a blank between them: three steps. */
KT_TEST(ctc, labels_that_do_not_fit) {
    ctc_run r;
    kt_tensor *y_true = kt_tensor_new(KT_FLOAT32, kt_dims(1, 2), (float[]){1, 1});
    kt_tensor *y_pred = kt_tensor_new(KT_FLOAT32, kt_dims(1, 2, 3), NULL);
    kt_check_status(run_ctc(&r, y_true, y_pred, "none"), KT_OK);
    assert_true(isinf(*(const float *)kt_cpu_output(r.run, 0)));
    for (int i = 0; i < 6; i++) assert_true(((const float *)kt_cpu_output(r.run, 1))[i] == 0);
    done(&r);
    kt_tensor_set(y_true, 1, 3);
    kt_check_status(run_ctc(&r, y_true, y_pred, "none"), KT_EINVAL);
    kt_check_message_has("3 in row 0 of the batch");
    done(&r);
}

KT_TEST(ctc, wrong_shapes) {
    kt_model *m = kt_sequential(kt_list(kt_input({4, 3}), kt_dense(3)));
    kt_model_compile(m, "sgd", "ctc");
    kt_tensor *x = kt_tensor_new(KT_FLOAT32, kt_dims(2, 4, 3), NULL);
    kt_check_status(
        kt_check(kt_model_train_on_batch(m, x, kt_tensor_new(KT_INT32, kt_dims(2), NULL))),
        KT_ESHAPE);
    kt_check_message_has("labels (batch, n) and logits (batch, steps, classes)");
    kt_check_status(
        kt_check(kt_model_train_on_batch(m, x, kt_tensor_new(KT_INT32, kt_dims(2, 2), NULL))),
        KT_OK);
    kt_free(m);
}
