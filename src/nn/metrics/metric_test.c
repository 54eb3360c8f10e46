/* Metrics beyond the golden values: names, resolution by shapes, errors, small graphs, odd inputs.
 * */
#include "nn/metrics/metric.h"
#include "runtime/program.h"
#include "testing/kt_test.h"

#include <keratin/keratin.h>

#include <math.h>
#include <string.h>

/* One batch of float32 predictions through a metric; the value after it (its first element). */
static double update(
    kt_metric *m,
    kt_dtype labels,
    kt_shape st,
    const void *y_true,
    kt_shape sp,
    const float *y_pred,
    const float *weight) {
    kt_graph *g = kt_graph_new();
    kt_tracer t;
    kt_tracer_begin(&t, g, false, NULL);
    kt_sym *in[3] = {
        kt_wrap(kt_g_input(g, (kt_spec){labels, st})),
        kt_wrap(kt_g_input(g, (kt_spec){KT_FLOAT32, sp})),
        weight ? kt_wrap(kt_g_input(g, (kt_spec){KT_FLOAT32, {1, {st.dim[0]}}})) : NULL};
    if (kt_metric_update(m, in[0], in[1], in[2])) fail_msg("%s", kt_error_message());
    kt_sym *value = kt_metric_result(m);
    if (kt_failed(value)) fail_msg("%s", kt_error_message());
    assert_int_equal(kt_vec_push(&g->outputs, kt_unwrap(value, NULL)), KT_OK);
    assert_int_equal(kt_tracer_end(&t), KT_OK);
    kt_program *program = NULL;
    kt_cpu_run *run = NULL;
    assert_int_equal(kt_program_new(g, &program), KT_OK);
    assert_int_equal(kt_program_acquire(program, &run), KT_OK);
    const size_t label_bytes = (size_t)kt_shape_size(&st) * kt_dtype_size(labels);
    memcpy(kt_cpu_input(run, 0), y_true, label_bytes);
    memcpy(kt_cpu_input(run, 1), y_pred, sizeof(float) * (size_t)kt_shape_size(&sp));
    if (weight) memcpy(kt_cpu_input(run, 2), weight, sizeof(float) * (size_t)st.dim[0]);
    if (kt_cpu_execute(run)) fail_msg("%s", kt_error_message());
    const double out = kt_elem_get(
        kt_cpu_output(run, 0), kt_program_graph(program)->outputs.v[0]->spec.dtype, 0);
    kt_program_release(program, run);
    kt_program_free(program);
    return out;
}

static kt_component *get(kt_ref ref, kt_shape y_true, kt_shape y_pred) {
    kt_component *c = NULL;
    if (kt_metric_get(&c, ref, &y_true, &y_pred)) fail_msg("%s", kt_error_message());
    return c;
}

static void check_class(const char *name, kt_shape y_true, kt_shape y_pred, const char *want) {
    kt_component *c = get(name, y_true, y_pred);
    kt_check_str(c->cls->name, want);
    kt_check_str(kt_metric_name(c), name);
}

KT_TEST(metrics, accuracy_is_resolved_by_shapes) {
    check_class("accuracy", kt_dims(8), kt_dims(8, 1), "BinaryAccuracy");
    check_class("acc", kt_dims(8, 1), kt_dims(8, 1), "BinaryAccuracy");
    check_class("Accuracy", kt_dims(8), kt_dims(8, 3), "SparseCategoricalAccuracy");
    check_class("accuracy", kt_dims(8, 1), kt_dims(8, 3), "SparseCategoricalAccuracy");
    check_class("accuracy", kt_dims(8, 5), kt_dims(8, 5, 3), "SparseCategoricalAccuracy");
    check_class("accuracy", kt_dims(8, 3), kt_dims(8, 3), "CategoricalAccuracy");
    check_class("ce", kt_dims(8), kt_dims(8, 1), "BinaryCrossentropy");
    check_class("crossentropy", kt_dims(8), kt_dims(8, 3), "SparseCategoricalCrossentropy");
    check_class("crossentropy", kt_dims(8, 3), kt_dims(8, 3), "CategoricalCrossentropy");
    check_class("mse", kt_dims(8), kt_dims(8, 1), "MeanSquaredError");
    check_class("AUC", kt_dims(8), kt_dims(8, 1), "AUC");
}

KT_TEST(metrics, names) {
    kt_component *c = get(kt_metric_log_cosh_error(), kt_dims(1), kt_dims(1));
    kt_check_str(kt_metric_name(c), "logcosh");
    kt_check_str(kt_metric_name(kt_metric_f_beta_score()), "fbeta_score");
    kt_check_str(kt_metric_name(kt_metric_binary_accuracy()), "binary_accuracy");
    kt_check_str(kt_metric_name(kt_metric_mean_absolute_error(.name = "mae")), "mae");
    kt_metric *first = kt_metric_auc(), *second = kt_metric_auc();
    kt_check_str(kt_metric_name(second), "auc"); /* in the order of asking */
    kt_check_str(kt_metric_name(first), "auc_1");
    kt_check_str(kt_metric_name(kt_metric_mean_io_u(3)), "mean_io_u");
}

KT_TEST(metrics, every_class_has_its_name) {
    const kt_class *const *all = kt_metric_registry();
    const kt_shape s = kt_dims(4, 3);
    int n = 0;
    for (; all[n]; n++) {
        kt_component *c = NULL;
        if (!strcmp(all[n]->name, "Accuracy")) continue; /* means something else as a name */
        kt_check_status(
            kt_metric_get(&c, all[n]->name, &s, &s), all[n]->needs_arguments ? KT_EINVAL : KT_OK);
        if (c) kt_check_str(kt_metric_name(c), all[n]->name);
    }
    assert_int_equal(n, 44);
    assert_int_equal(kt_metric_direction(kt_metric_auc()), 1);
    assert_int_equal(kt_metric_direction(kt_metric_poisson()), -1);
    assert_int_equal(kt_metric_direction(kt_metric_sum()), 0);
}

KT_TEST(metrics, a_loss_is_a_metric) {
    kt_model *m = kt_sequential(kt_list(kt_input({2}), kt_dense(3)));
    kt_status st = kt_model_compile(
        m, "sgd", "mse", .metrics = kt_list(kt_loss_huber(0.5), kt_loss_mean_squared_error()));
    kt_check_status(st, KT_OK);
    kt_tensor *x = kt_tensor_new(KT_FLOAT32, kt_dims(4, 2), (float[]){1, 2, -1, 3, 0, 1, 2, 2});
    kt_tensor *y = kt_tensor_new(KT_FLOAT32, kt_dims(4, 3), NULL);
    kt_logs *logs = kt_model_evaluate(m, x, y, .verbose = 0);
    kt_check_status(kt_check(logs), KT_OK);
    kt_check_near(kt_logs_get(logs, "mean_squared_error"), kt_logs_get(logs, "loss"), 1e-6, 0);
    assert_true(kt_logs_get(logs, "huber_loss") > 0);
    kt_free(m);
    kt_component *c = NULL;
    const kt_shape s = kt_dims(4, 3);
    kt_check_status(kt_metric_get(&c, kt_loss_huber(.reduction = "avg"), &s, &s), KT_EINVAL);
    kt_check_message_has("reduction");
}

KT_TEST(metrics, wrong_arguments) {
    const kt_shape s = kt_dims(4, 3);
    kt_component *c = NULL;
    kt_check_status(kt_metric_get(&c, "presicion", &s, &s), KT_EINVAL);
    kt_check_message_has("did you mean \"precision\"?");
    kt_check_status(kt_metric_get(&c, "mean_io_u", &s, &s), KT_EINVAL);
    kt_check_message_has("needs arguments");
    kt_check_fails(kt_metric_precision(kt_floats(0.5, 1.5)), KT_EINVAL, "numbers in [0, 1]");
    kt_check_fails(kt_metric_recall(.top_k = 0), KT_EINVAL, "top_k: expected a positive");
    kt_check_fails(kt_metric_auc(1), KT_EINVAL, "num_thresholds: expected an integer > 1");
    kt_check_fails(kt_metric_auc(.curve = "ROCK"), KT_EINVAL, "curve: expected");
    kt_check_fails(kt_metric_auc(.summation_method = NULL), KT_EINVAL, "summation_method");
    kt_check_fails(kt_metric_auc(.num_labels = 2), KT_EINVAL, "multi_label only");
    kt_check_fails(kt_metric_precision_at_recall(1.1), KT_EINVAL, "recall: expected");
    kt_check_fails(kt_metric_top_k_categorical_accuracy(0), KT_EINVAL, "k: expected");
    kt_check_fails(kt_metric_io_u(3, kt_floats(3)), KT_EINVAL, "class numbers 0 to 2, got 3");
    kt_check_fails(kt_metric_io_u(3), KT_EINVAL, "at least one");
    kt_check_fails(kt_metric_f1_score("mean"), KT_EINVAL, "average: expected");
    kt_check_fails(kt_metric_f_beta_score(.beta = 0), KT_EINVAL, "beta: expected");
    kt_check_fails(kt_metric_r2_score("sum"), KT_EINVAL, "class_aggregation");
    kt_check_fails(kt_metric_mean(.dtype = "float33"), KT_EINVAL, "dtype: unknown name");
    kt_check_fails(kt_metric_custom(NULL), KT_EINVAL, "expected a function");
}

/* An update that must fail while it is traced. */
static void check_update(
    kt_metric *m, kt_shape st, kt_shape sp, const kt_shape *sw, kt_status want, const char *text) {
    kt_graph *g = kt_graph_new();
    kt_tracer t;
    kt_tracer_begin(&t, g, false, NULL);
    kt_sym *y_true = kt_wrap(kt_g_input(g, (kt_spec){KT_FLOAT32, st}));
    kt_sym *y_pred = kt_wrap(kt_g_input(g, (kt_spec){KT_FLOAT32, sp}));
    kt_sym *w = sw ? kt_wrap(kt_g_input(g, (kt_spec){KT_FLOAT32, *sw})) : NULL;
    kt_check_status(kt_metric_update(m, y_true, y_pred, w), want);
    if (text) kt_check_message_has(text);
    kt_tracer_end(&t);
    kt_graph_free(g);
}

KT_TEST(metrics, shapes_that_do_not_fit) {
    const kt_shape three = kt_dims(3);
    check_update(
        kt_metric_categorical_accuracy(),
        kt_dims(4),
        kt_dims(4, 3),
        NULL,
        KT_ESHAPE,
        "class numbers use sparse_categorical_accuracy");
    check_update(
        kt_metric_sparse_categorical_accuracy(),
        kt_dims(4, 3),
        kt_dims(4, 3),
        NULL,
        KT_ESHAPE,
        "one-hot labels use categorical_accuracy");
    check_update(
        kt_metric_mean_squared_error(),
        kt_dims(4, 3),
        kt_dims(4, 3),
        &three,
        KT_ESHAPE,
        "sample weights or mask do not fit");
    check_update(kt_metric_f1_score(), kt_dims(4), kt_dims(4), NULL, KT_ESHAPE, "(batch, outputs)");
    check_update(
        kt_metric_precision(.class_id = 3),
        kt_dims(4, 3),
        kt_dims(4, 3),
        NULL,
        KT_EINVAL,
        "class_id");
    check_update(
        kt_metric_precision(.top_k = 2),
        kt_dims(4),
        kt_dims(4),
        NULL,
        KT_ESHAPE,
        "(batch, classes)");
    check_update(
        kt_metric_auc(.multi_label = true), kt_dims(4), kt_dims(4), NULL, KT_ESHAPE, "multi_label");
    check_update(
        kt_metric_mean_io_u(3), kt_dims(4), kt_dims(4, 3), NULL, KT_ESHAPE, "sparse_y_pred");
    kt_metric *r2 = kt_metric_r2_score();
    check_update(r2, kt_dims(4, 3), kt_dims(4, 3), NULL, KT_OK, NULL);
    check_update(
        r2, kt_dims(4, 2), kt_dims(4, 2), NULL, KT_ESHAPE, "does not fit what was collected");
}

/* What every step of training pays for "accuracy". */
KT_TEST(metrics, accuracies_are_few_nodes) {
    kt_metric *m[2] = {kt_metric_sparse_categorical_accuracy(), kt_metric_binary_accuracy()};
    for (int i = 0; i < 2; i++) {
        kt_graph *g = kt_graph_new();
        kt_tracer t;
        kt_tracer_begin(&t, g, true, NULL);
        const kt_spec labels = {i ? KT_FLOAT32 : KT_INT32, {1, {128}}};
        kt_sym *y_true = kt_wrap(kt_g_input(g, labels));
        kt_sym *y_pred = kt_wrap(kt_g_input(g, (kt_spec){KT_FLOAT32, {2, {128, i ? 1 : 10}}}));
        assert_int_equal(kt_metric_update(m[i], y_true, y_pred, NULL), KT_OK);
        assert_int_equal(kt_tracer_end(&t), KT_OK);
        int computing = 0;
        for (int k = 0; k < g->nodes.n; k++)
            computing += !(g->nodes.v[k]->op->flags & (KT_OP_LEAF | KT_OP_ALIAS | KT_OP_EFFECT));
        assert_in_range(computing, 1, 9);
        kt_graph_free(g);
    }
}

KT_TEST(metrics, variables) {
    kt_metric *m = kt_metric_binary_accuracy();
    assert_int_equal(kt_metric_n_vars(m), 0);
    kt_check_fails(kt_metric_result(m), KT_ESTATE, "\"binary_accuracy\" has seen no batch");
    kt_metric_reset(m);
    const float t[] = {1, 0, 1}, p[] = {0.9f, 0.8f, 0.7f}, w[] = {1, 2, 5};
    kt_check_near(update(m, KT_FLOAT32, kt_dims(3), t, kt_dims(3, 1), p, w), 6 / 8.0, 1e-6, 0);
    assert_int_equal(kt_metric_n_vars(m), 2);
    kt_check_str(kt_metric_var(m, 0)->name, "total");
    kt_check_str(kt_metric_var(m, 1)->name, "count");
    assert_null(kt_metric_var(m, 2));
    kt_check_near(kt_var_scalar(kt_metric_var(m, 1)), 8, 0, 0);
    kt_metric_reset(m);
    kt_check_near(kt_var_scalar(kt_metric_var(m, 1)), 0, 0, 0);
    kt_check_near(update(m, KT_FLOAT32, kt_dims(3), t, kt_dims(3), p, NULL), 2 / 3.0, 1e-6, 0);
}

/* As Keras: values of a sample are averaged before its weight is applied. */
KT_TEST(metrics, weights_of_samples_serve_time_steps) {
    kt_metric *m = kt_metric_sparse_categorical_accuracy();
    const int32_t t[] = {0, 1, 2, 1};
    const float p[] = {0.9f, 0.1f, 0, 0.2f, 0.7f, 0.1f, 0.1f, 0.2f, 0.7f, 0.5f, 0.3f, 0.2f};
    const float w[] = {1, 3};
    kt_check_near(update(m, KT_INT32, kt_dims(2, 2), t, kt_dims(2, 2, 3), p, w), 0.625, 1e-6, 0);
}

KT_TEST(metrics, top_k_with_few_classes) {
    const float p[] = {1, 0, 0, 0, 1, 0, 0, 0, 1};
    const int32_t t[] = {0, 5, -1};
    kt_metric *m = kt_metric_sparse_top_k_categorical_accuracy(9);
    kt_check_near(update(m, KT_INT32, kt_dims(3), t, kt_dims(3, 3), p, NULL), 1 / 3.0, 1e-6, 0);
    m = kt_metric_sparse_top_k_categorical_accuracy(2);
    kt_check_near(update(m, KT_INT32, kt_dims(3), t, kt_dims(3, 3), p, NULL), 1 / 3.0, 1e-6, 0);
}

KT_TEST(metrics, area_under_the_gain_curve) {
    const float t[] = {0, 1, 1, 0, 1, 0}, p[] = {0.1f, 0.8f, 0.4f, 0.35f, 0.9f, 0.6f};
    kt_metric *m = kt_metric_auc(10, "PRGAIN");
    kt_check_near(
        update(m, KT_FLOAT32, kt_dims(6), t, kt_dims(6, 1), p, NULL), 0.70833331, 1e-6, 0);
    m = kt_metric_auc(10, "PRGAIN", "minoring");
    kt_check_near(update(m, KT_FLOAT32, kt_dims(6), t, kt_dims(6), p, NULL), 0.66666663, 1e-6, 0);
}

KT_TEST(metrics, numbers_out_of_range_do_no_harm) {
    const float t[] = {1, 0, 1, 0}, p[] = {NAN, INFINITY, -5, 0};
    update(kt_metric_auc(), KT_FLOAT32, kt_dims(4), t, kt_dims(4), p, NULL);
    update(kt_metric_precision_at_recall(0.5), KT_FLOAT32, kt_dims(4), t, kt_dims(4), p, NULL);
    update(kt_metric_precision(), KT_FLOAT32, kt_dims(4), t, kt_dims(4), p, NULL);
    update(kt_metric_mean_io_u(2), KT_FLOAT32, kt_dims(4), t, kt_dims(4), p, NULL);
    kt_metric *top = kt_metric_precision(.top_k = 1);
    update(top, KT_FLOAT32, kt_dims(2, 2), t, kt_dims(2, 2), p, NULL);
}

static kt_sym *worst(kt_sym *y_true, kt_sym *y_pred, void *data) {
    kt_sym *e = kt_op_abs(kt_op_subtract(y_true, y_pred));
    return kt_op_multiply(kt_op_max(e, -1, false), kt_num(*(const double *)data));
}

KT_TEST(metrics, a_function_of_the_user) {
    double scale = 10;
    const float t[] = {1, 2, 3, 4}, p[] = {1, 0, 3.5f, 3};
    kt_metric *m = kt_metric_custom(worst, &scale);
    kt_check_str(kt_metric_name(m), "worst");
    kt_check_near(update(m, KT_FLOAT32, kt_dims(2, 2), t, kt_dims(2, 2), p, NULL), 15, 1e-6, 0);
}

KT_TEST(metrics, mean_and_sum_take_values) {
    kt_graph *g = kt_graph_new();
    kt_tracer t;
    kt_tracer_begin(&t, g, false, NULL);
    kt_sym *x = kt_wrap(kt_g_input(g, (kt_spec){KT_FLOAT32, {1, {3}}}));
    assert_int_equal(kt_metric_update(kt_metric_mean(), x, NULL, NULL), KT_OK);
    kt_check_status(kt_metric_update(kt_metric_auc(), x, NULL, NULL), KT_EINVAL);
    kt_check_message_has("needs y_true and y_pred");
    kt_tracer_end(&t);
    kt_graph_free(g);
}

/* Variables follow the dtype policy, as Keras' follow floatx. */
KT_TEST(metrics, dtype) {
    const double t[] = {1, 0};
    const float p[] = {1, 1};
    assert_int_equal(kt_set_dtype_policy("float64"), KT_OK);
    kt_metric *m = kt_metric_mean_squared_error();
    update(m, KT_FLOAT64, kt_dims(2), t, kt_dims(2), p, NULL);
    assert_int_equal(kt_metric_var(m, 0)->spec.dtype, KT_FLOAT64);
    assert_int_equal(kt_set_dtype_policy("float32"), KT_OK);
    m = kt_metric_auc(.dtype = "float64");
    update(m, KT_FLOAT64, kt_dims(2), t, kt_dims(2), p, NULL);
    assert_int_equal(kt_metric_var(m, 0)->spec.dtype, KT_FLOAT64);
}
