/* Out of memory, everywhere: a scenario runs with its first allocation failing, then with its
 * second, and so on until it runs through. Each time it must say KT_ENOMEM, crash nowhere (ASan),
 * leak nothing (the count of objects; LeakSanitizer for the rest), and leave the library so that
 * the next run works.
 *
 * KT_TORTURE_STEP=n tries every n-th allocation only. */
#include "base/mem.h"
#include "base/obj.h"
#include "base/str.h"
#include "nn/kinds.h"
#include "testing/kt_models.h"

#include <stdlib.h>

typedef kt_status scenario(void);

/* The number of allocations of a run that nothing disturbs. */
static int64_t count_allocations(scenario *run) {
    kt_clear_session();
    const int64_t before = kt_mem_count();
    kt_check_status(run(), KT_OK);
    const int64_t n = kt_mem_count() - before;
    kt_clear_session();
    return n;
}

static int step_of_environment(void) {
    const char *s = getenv("KT_TORTURE_STEP");
    const int step = s ? (int)strtol(s, NULL, 10) : 1;
    return step > 0 ? step : 1;
}

static void torture(scenario *run) {
    kt_set_num_threads(1);
    kt_set_random_seed(1);
    run(); /* what is made once and kept: thread pool, tables */
    const int64_t n = count_allocations(run), objects = kt_obj_count();
    const int step = step_of_environment();
    int64_t survived = 0;
    for (int64_t i = 1; i <= n; i += step) {
        kt_error_clear();
        kt_mem_fail_after(i);
        const kt_status st = run();
        kt_mem_fail_after(0);
        kt_clear_session();
        if (st == KT_OK) survived++; /* something it could do without */
        if ((st && st != KT_ENOMEM) || kt_obj_count() != objects) {
            print_error(
                "allocation %d of %d: %s, %d objects left; message: %s\n",
                (int)i,
                (int)n,
                kt_status_name(st),
                (int)(kt_obj_count() - objects),
                kt_error_message());
            fail();
        }
        if (st && kt_error_last() != KT_ENOMEM) {
            print_error(
                "allocation %d: the last error is not KT_ENOMEM: %s\n", (int)i, kt_error_message());
            fail();
        }
    }
    kt_check_status(run(), KT_OK);
    kt_clear_session();
    kt_set_num_threads(0);
    print_message("%d allocations, %d survived\n", (int)n, (int)survived);
}

static kt_status first_of(kt_status a, kt_status b) { return a ? a : b; }

static kt_status finish(kt_model *m, kt_status st) {
    kt_free(m);
    return st;
}

/* Scenarios
 * ------------------------------------------------------------------------------------------ */

static kt_status sequential_run(void) {
    const kt_blobs d = kt_make_blobs(7, 4, 3);
    kt_model *m = kt_sequential(kt_list(
        kt_input({4}),
        kt_dense(5, .activation = "relu", .kernel_regularizer = kt_reg_l2(0.01)),
        kt_dropout(0.2),
        kt_dense(3, .activation = "softmax", .name = "head")));
    kt_status st = kt_check(m);
    if (st == KT_OK)
        st = kt_model_compile(
            m,
            kt_opt_adam(0.01),
            "sparse_categorical_crossentropy",
            .metrics = kt_list("accuracy", kt_metric_sparse_categorical_crossentropy()));
    if (st == KT_OK)
        st = kt_check(
            kt_model_fit(m, d.x, d.y, .batch_size = 4, .verbose = 0, .validation_split = 0.3));
    if (st == KT_OK) st = kt_check(kt_model_evaluate(m, d.x, d.y, .verbose = 0));
    if (st == KT_OK) st = kt_check(kt_model_predict(m, d.x, .verbose = 0));
    return finish(m, st);
}

static kt_status functional_run(void) {
    const kt_blobs d = kt_make_blobs(6, 4, 3);
    kt_sym *a = kt_input({4}), *b = kt_input({4});
    kt_layer *shared = kt_dense(3, .activation = "tanh");
    kt_sym *x = kt_call(kt_concatenate(), kt_list(kt_call(shared, a), kt_call(shared, b)));
    kt_sym *y = kt_op_multiply(kt_op_add(x, kt_num(1)), kt_num(2));
    kt_sym *p = kt_call(kt_dense(3, .name = "p"), y);
    kt_sym *q = kt_call(kt_dense(1, .name = "q"), kt_call(kt_add(), kt_list(a, b)));
    kt_model *m = kt_functional(kt_list(a, b), kt_list(p, q));
    kt_status st = kt_check(m);
    if (st == KT_OK)
        st = kt_model_compile(
            m,
            kt_opt_sgd(0.1, .momentum = 0.9),
            kt_dict("p", "mse", "q", kt_loss_mean_absolute_error()),
            .loss_weights = kt_floats(1, 0.5));
    kt_tensor *t = kt_tensor_new(KT_FLOAT32, kt_dims(6, 1), NULL);
    if (st == KT_OK)
        st = kt_check(kt_model_train_on_batch(m, kt_list(d.x, d.x), kt_list(d.onehot, t)));
    if (st == KT_OK) st = kt_check(kt_model_predict_list(m, kt_list(d.x, d.x), .verbose = 0));
    return finish(m, st);
}

/* A model made by add, and weights out and in. */
static kt_status grown_run(void) {
    kt_model *m = kt_sequential(.name = "grown");
    kt_status st = first_of(kt_check(m), KT_OK);
    if (st == KT_OK) st = kt_sequential_add(m, kt_dense(3, .kernel_constraint = "non_neg"));
    if (st == KT_OK) st = kt_sequential_add(m, kt_relu(.max_value = 6));
    if (st == KT_OK) st = kt_sequential_add(m, kt_dense(2));
    if (st == KT_OK) st = kt_layer_build(m, kt_dims(KT_NONE, 4));
    if (st == KT_OK) st = kt_sequential_pop(m);
    if (st == KT_OK) st = kt_sequential_add(m, kt_dense(1));
    if (st == KT_OK) st = kt_set_weights(m, kt_get_weights(m));
    if (st == KT_OK) {
        kt_tensor *x = kt_tensor_new(KT_FLOAT32, kt_dims(2, 4), NULL);
        kt_tensor *y = kt_tensor_new(KT_FLOAT32, kt_dims(2, 1), NULL);
        st = kt_model_predict_into(m, x, y);
    }
    return finish(m, st);
}

static kt_status compiled_twice_run(void) {
    const kt_blobs d = kt_make_blobs(5, 4, 3);
    kt_model *m = kt_sequential(kt_list(kt_input({4}), kt_dense(3)));
    kt_status st = kt_check(m);
    if (st == KT_OK) st = kt_model_compile(m, "rmsprop", "mse", .metrics = kt_list("mae"));
    if (st == KT_OK) st = kt_check(kt_model_train_on_batch(m, d.x, d.onehot));
    if (st == KT_OK) st = kt_set_trainable(m, false);
    if (st == KT_OK) st = kt_model_compile(m, kt_opt_adam(.clipnorm = 1), kt_loss_huber());
    if (st == KT_OK) st = kt_check(kt_model_train_on_batch(m, d.x, d.onehot));
    return finish(m, st);
}

/* Pictures: convolution, pooling, batch normalization, reshaping. */
static kt_status pictures_run(void) {
    kt_model *m = kt_sequential(kt_list(
        kt_input({6, 6, 1}),
        kt_conv2d(2, 3, .activation = "relu"),
        kt_batch_normalization(),
        kt_max_pooling2d(2),
        kt_reshape({8}),
        kt_dense(1)));
    kt_status st = kt_check(m);
    kt_tensor *x = kt_tensor_new(KT_FLOAT32, kt_dims(3, 6, 6, 1), NULL);
    kt_tensor *y = kt_tensor_new(KT_FLOAT32, kt_dims(3, 1), NULL);
    if (st == KT_OK) st = kt_model_compile(m, "adam", "mse");
    if (st == KT_OK) st = kt_check(kt_model_train_on_batch(m, x, y));
    if (st == KT_OK) st = kt_check(kt_model_predict(m, x, .verbose = 0));
    return finish(m, st);
}

/* Windows of one to three axes, what is composed of them, and the functions behind the layers. */
static kt_status windows_run(void) {
    kt_sym *x = kt_input({4, 4, 2});
    kt_sym *y = kt_call(kt_separable_conv2d(2, 2, .depth_multiplier = 2), x);
    y = kt_call(kt_conv2d_transpose(2, 2, 2, "same"), y);
    y = kt_call(kt_up_sampling2d(2, .interpolation = "bicubic"), y);
    y = kt_call(kt_cropping2d(kt_pairs(1, 2, 0, 3)), kt_call(kt_zero_padding2d(1), y));
    y = kt_op_max_pool(y, 2, .padding = "same");
    y = kt_call(kt_adaptive_average_pooling2d(2), y);
    y = kt_call(
        kt_conv3d(1, 2, .data_format = "channels_first"), kt_call(kt_reshape({1, 2, 2, 2}), y));
    y = kt_call(kt_conv1d(2, 1, .padding = "causal"), kt_call(kt_reshape({1, 1}), y));
    kt_model *m = kt_functional(x, kt_call(kt_global_average_pooling1d(), y));
    kt_status st = kt_check(m);
    kt_tensor *in = kt_tensor_new(KT_FLOAT32, kt_dims(2, 4, 4, 2), NULL);
    kt_tensor *want = kt_tensor_new(KT_FLOAT32, kt_dims(2, 2), NULL);
    if (st == KT_OK) st = kt_model_compile(m, "sgd", "mse");
    if (st == KT_OK) st = kt_check(kt_model_train_on_batch(m, in, want));
    return finish(m, st);
}

/* Sequences: masks, layers made of layers, copies, states, a loop over a cell. */
static kt_status sequences_run(void) {
    kt_sym *x = kt_input({3}, .dtype = "int32", .batch_size = 2);
    kt_sym *e = kt_call(kt_embedding(4, 2, .mask_zero = true), x);
    kt_layer *gru = kt_gru(2, .return_sequences = true, .stateful = true);
    kt_sym *h = kt_call(kt_bidirectional(gru, "sum"), e);
    h = kt_call(kt_time_distributed(kt_dense(2)), h);
    h = kt_call(
        kt_rnn(kt_list(kt_simple_rnn_cell(2), kt_lstm_cell(2, .recurrent_dropout = 0.5))), h);
    kt_model *m = kt_functional(x, kt_call(kt_dense(1), h));
    kt_status st = kt_check(m);
    kt_tensor *ids = kt_tensor_new(KT_INT32, kt_dims(2, 3), (const int32_t[]){1, 2, 0, 3, 0, 1});
    kt_tensor *y = kt_tensor_new(KT_FLOAT32, kt_dims(2, 1), NULL);
    if (st == KT_OK) st = kt_model_compile(m, "adam", "mse");
    if (st == KT_OK) st = kt_check(kt_model_train_on_batch(m, ids, y));
    if (st == KT_OK) st = kt_reset_states(m);
    if (st == KT_OK) st = kt_check(kt_model_predict(m, ids, .verbose = 0));
    return finish(m, st);
}

static void nowhere(const char *text, size_t n, void *data) { (void)text, (void)n, (void)data; }

/* Everything that prints, and callbacks. */
static kt_status talking_run(void) {
    const kt_blobs d = kt_make_blobs(6, 4, 3);
    kt_model *m = kt_small_model(4, 3, 3);
    kt_set_output(nowhere, NULL);
    kt_status st = kt_model_summary(m);
    if (st == KT_OK)
        st = kt_check(kt_model_fit(
            m,
            d.x,
            d.y,
            .epochs = 2,
            .validation_split = 0.5,
            .callbacks = kt_list(
                kt_cb_early_stopping("val_loss", .restore_best_weights = true),
                kt_cb_reduce_lr_on_plateau(.patience = 1),
                kt_cb_terminate_on_nan())));
    kt_set_output(NULL, NULL);
    return finish(m, st);
}

static kt_status two_batches(kt_batch *batch, void *data) {
    int *n = data;
    *batch = (kt_batch){NULL, NULL, NULL};
    if ((*n)++ % 3 == 2) return KT_OK; /* gone through */
    const kt_blobs d = kt_make_blobs(4, 4, 3);
    batch->x = d.x;
    batch->y = d.y;
    kt_free(d.onehot);
    return KT_OK;
}

static kt_status generator_run(void) {
    int n = 0;
    kt_model *m = kt_small_model(4, 3, 3);
    kt_status st = kt_check(m);
    if (st == KT_OK)
        st = kt_check(
            kt_model_fit(m, kt_generator_new(two_batches, &n), .epochs = 2, .verbose = 0));
    return finish(m, st);
}

/* One model, trained for a step with whatever `name` is. */
static struct {
    const char *name;
    enum { OPTIMIZER, LOSS, METRIC } is;
} part;

static kt_status part_run(void) {
    const kt_blobs d = kt_make_blobs(5, 4, 3);
    const void *opt = part.is == OPTIMIZER ? part.name : "sgd";
    const void *loss = part.is == LOSS ? part.name : "mse";
    const void *metric = part.is == METRIC ? part.name : NULL;
    kt_model *m = kt_sequential(kt_list(kt_input({4}), kt_dense(3, .activation = "sigmoid")));
    kt_status st = kt_check(m);
    if (st == KT_OK) st = kt_model_compile(m, opt, loss, .metrics = metric);
    if (st == KT_OK) st = kt_check(kt_model_train_on_batch(m, d.x, d.onehot));
    return finish(m, st);
}

/* Classes that need arguments, other labels, or are not there yet are left out. */
static void torture_parts(const kt_class *const *registry, int is) {
    char name[64];
    for (int i = 0; registry[i]; i++) {
        kt_snake_case(registry[i]->name, name, sizeof name);
        part.name = name;
        part.is = is;
        const kt_status st = part_run();
        kt_clear_session();
        if (st == KT_OK)
            torture(part_run);
        else
            print_message("%s left out: %s\n", name, kt_error_get().text);
    }
}

KT_TEST(torture, every_optimizer) { torture_parts(kt_optimizer_registry(), OPTIMIZER); }
KT_TEST(torture, every_loss) { torture_parts(kt_loss_registry(), LOSS); }
KT_TEST(torture, every_metric) { torture_parts(kt_metric_registry(), METRIC); }
KT_TEST(torture, pictures) { torture(pictures_run); }
KT_TEST(torture, windows) { torture(windows_run); }
KT_TEST(torture, sequences) { torture(sequences_run); }
KT_TEST(torture, talking) { torture(talking_run); }
KT_TEST(torture, generators) { torture(generator_run); }
KT_TEST(torture, sequential) { torture(sequential_run); }
KT_TEST(torture, functional) { torture(functional_run); }
KT_TEST(torture, grown) { torture(grown_run); }
KT_TEST(torture, compiled_twice) { torture(compiled_twice_run); }
