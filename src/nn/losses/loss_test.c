/* Losses beyond the golden values: names, errors, the look through softmax and sigmoid, user
 * functions. */
#include "nn/losses/loss.h"
#include "runtime/program.h"
#include "testing/kt_test.h"

#include <math.h>
#include <string.h>

extern const kt_opdef kt_opdef_sparse_xent;

/* A graph under construction with inputs of float32 or int32. */
typedef struct {
    kt_graph *g;
    kt_tracer t;
    kt_program *program;
    kt_cpu_run *run;
} fixture;

static void begin(fixture *f) {
    *f = (fixture){.g = kt_graph_new()};
    kt_tracer_begin(&f->t, f->g, true, NULL);
}

static kt_sym *input(fixture *f, kt_dtype dtype, kt_shape shape) {
    return kt_wrap(kt_g_input(f->g, (kt_spec){dtype, shape}));
}

/* Ends the trace and makes a program of it; the outputs are those pushed so far. */
static void ready(fixture *f) {
    assert_int_equal(kt_tracer_end(&f->t), KT_OK);
    assert_int_equal(kt_program_new(f->g, &f->program), KT_OK);
    assert_int_equal(kt_program_acquire(f->program, &f->run), KT_OK);
}

static void give_up(fixture *f) {
    kt_tracer_end(&f->t);
    kt_graph_free(f->g);
}

static void done(fixture *f) {
    kt_program_release(f->program, f->run);
    kt_program_free(f->program);
}

static void output(fixture *f, kt_sym *value) {
    if (kt_failed(value)) fail_msg("%s", kt_error_message());
    assert_int_equal(kt_vec_push(&f->g->outputs, kt_unwrap(value, NULL)), KT_OK);
}

static float result(const fixture *f) { return *(const float *)kt_cpu_output(f->run, 0); }

#define FEED(f, i, T, ...)                                                                         \
    memcpy(kt_cpu_input((f)->run, i), (T[])__VA_ARGS__, sizeof((T[])__VA_ARGS__))

KT_TEST(losses, names) {
    static const struct {
        const char *name, *class_name, *own;
    } rows[] = {
        {"mse", "MeanSquaredError", "mean_squared_error"},
        {"MSE", "MeanSquaredError", "mean_squared_error"},
        {"mean_squared_error", "MeanSquaredError", "mean_squared_error"},
        {"MeanSquaredError", "MeanSquaredError", "mean_squared_error"},
        {"bce", "BinaryCrossentropy", "binary_crossentropy"},
        {"kld", "KLDivergence", "kl_divergence"},
        {"huber", "Huber", "huber_loss"},
        {"ce", "Crossentropy", "crossentropy"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        kt_component *c = NULL;
        assert_int_equal(kt_loss_get(&c, rows[i].name), KT_OK);
        kt_check_str(c->cls->name, rows[i].class_name);
        kt_check_str(kt_loss_name(c), rows[i].own);
    }
    kt_component *c = NULL;
    assert_int_equal(kt_loss_get(&c, NULL), KT_OK);
    assert_null(c);
    kt_loss *mine = kt_loss_huber(2, .name = "mine");
    assert_int_equal(kt_loss_get(&c, mine), KT_OK);
    assert_ptr_equal(c, mine);
    kt_check_str(kt_loss_name(c), "mine");
}

KT_TEST(losses, every_class_has_its_name) {
    const kt_class *const *all = kt_loss_registry();
    int n = 0;
    for (; all[n]; n++) {
        kt_component *c = NULL;
        kt_check_status(kt_loss_get(&c, all[n]->name), KT_OK);
    }
    assert_int_equal(n, 22);
}

KT_TEST(losses, wrong_arguments) {
    kt_component *c = NULL;
    kt_check_status(kt_loss_get(&c, "mean_sqared_error"), KT_EINVAL);
    kt_check_message_has("did you mean \"mean_squared_error\"?");
    assert_null(c);
    kt_check_status(kt_loss_get(&c, kt_list("mse")), KT_EINVAL);
    kt_check_message_has("loss: expected a name or a loss, got a list");
    kt_check_fails(kt_loss_huber(.reduction = "avg"), KT_EINVAL, "reduction: unknown name \"avg\"");
    kt_check_fails(kt_loss_poisson(.dtype = "int32"), KT_EINVAL, "dtype: expected a floating");
    kt_check_fails(
        kt_loss_categorical_generalized_cross_entropy(1), KT_EINVAL, "q: expected 0 < q < 1");
    kt_check_fails(kt_loss_custom(NULL), KT_EINVAL, "expected a function, got NULL");
    kt_check_fails(
        kt_loss_huber_new(&(kt_loss_huber_args){.delta = 1}), KT_EINVAL, "use the macro");
}

static void check_shapes(
    kt_loss *loss,
    kt_dtype dtype,
    kt_shape y_true,
    kt_shape y_pred,
    kt_status want,
    const char *text) {
    fixture f;
    begin(&f);
    kt_sym *value = kt_loss_value(
        loss, input(&f, dtype, y_true), input(&f, KT_FLOAT32, y_pred), NULL, NULL);
    kt_check_status(kt_check(value), want);
    if (text) kt_check_message_has(text);
    give_up(&f);
}

KT_TEST(losses, shapes_that_do_not_fit) {
    kt_loss *cce = kt_loss_categorical_crossentropy();
    kt_loss *scce = kt_loss_sparse_categorical_crossentropy();
    kt_loss *mse = kt_loss_mean_squared_error();
    check_shapes(
        cce,
        KT_INT32,
        kt_dims(4),
        kt_dims(4, 3),
        KT_ESHAPE,
        "for labels that are class numbers use sparse_categorical_crossentropy");
    kt_check_message_has("expected: y_true (4, 3)");
    kt_check_message_has("y_true int32 (4,)");
    check_shapes(cce, KT_INT32, kt_dims(4, 1), kt_dims(4, 3), KT_ESHAPE, "class numbers");
    check_shapes(
        scce,
        KT_FLOAT32,
        kt_dims(4, 3),
        kt_dims(4, 3),
        KT_ESHAPE,
        "for one-hot labels use categorical_crossentropy");
    check_shapes(scce, KT_INT32, kt_dims(5), kt_dims(4, 3), KT_ESHAPE, "y_true (4,)");
    check_shapes(mse, KT_FLOAT32, kt_dims(4, 1), kt_dims(4, 3), KT_ESHAPE, "do not fit");
    check_shapes(mse, KT_FLOAT32, kt_dims(4), kt_dims(4, 1), KT_OK, NULL);
    check_shapes(mse, KT_INT32, kt_dims(4, 1), kt_dims(4), KT_OK, NULL);
    kt_loss *axis = kt_loss_sparse_categorical_crossentropy(.axis = 1);
    check_shapes(axis, KT_INT32, kt_dims(4, 2), kt_dims(4, 3, 2), KT_EUNSUPPORTED, "last axis");
    check_shapes(
        kt_loss_dice(.axis = kt_hw(1, 5)),
        KT_INT32,
        kt_dims(4, 2),
        kt_dims(4, 2),
        KT_EINVAL,
        "axis");
    check_shapes(kt_loss_circle(), KT_INT32, kt_dims(4, 2), kt_dims(4, 3), KT_ESHAPE, "embeddings");
}

KT_TEST(losses, weights_that_do_not_fit) {
    fixture f;
    begin(&f);
    kt_sym *t = input(&f, KT_FLOAT32, kt_dims(4, 3)), *p = input(&f, KT_FLOAT32, kt_dims(4, 3));
    kt_sym *w = input(&f, KT_FLOAT32, kt_dims(3));
    kt_check_fails(
        kt_loss_value(kt_loss_mean_squared_error(), t, p, w, NULL),
        KT_ESHAPE,
        "mean_squared_error: sample weights or mask do not fit");
    give_up(&f);
}

/* Keras 3 cannot do this: one weight for each sample of a sequence output. */
KT_TEST(losses, weights_of_samples_serve_time_steps) {
    fixture f;
    begin(&f);
    kt_sym *t = input(&f, KT_FLOAT32, kt_dims(2, 2, 1)),
           *p = input(&f, KT_FLOAT32, kt_dims(2, 2, 1));
    kt_sym *w = input(&f, KT_FLOAT32, kt_dims(2));
    output(&f, kt_loss_value(kt_loss_mean_absolute_error(.reduction = "sum"), t, p, w, NULL));
    ready(&f);
    FEED(&f, 0, float, {0, 0, 0, 0});
    FEED(&f, 1, float, {1, 2, 3, 4});
    FEED(&f, 2, float, {10, 1});
    assert_int_equal(kt_cpu_execute(f.run), KT_OK);
    kt_check_near(result(&f), 10 * 3 + 7, 1e-6, 0);
    done(&f);
}

KT_TEST(losses, a_mask_may_be_empty) {
    fixture f;
    begin(&f);
    kt_sym *t = input(&f, KT_FLOAT32, kt_dims(2, 1)), *p = input(&f, KT_FLOAT32, kt_dims(2, 1));
    kt_sym *m = input(&f, KT_BOOL, kt_dims(2));
    output(&f, kt_loss_value(kt_loss_mean_squared_error(), t, p, NULL, m));
    ready(&f);
    FEED(&f, 0, float, {0, 0});
    FEED(&f, 1, float, {1, 2});
    FEED(&f, 2, uint8_t, {0, 0});
    assert_int_equal(kt_cpu_execute(f.run), KT_OK);
    kt_check_near(result(&f), 0, 0, 0);
    done(&f);
}

/* Softmax of these logits is exactly 0 for the label: only its input still knows the loss. */
static void check_softmax(kt_loss *loss, kt_dtype labels, bool sparse, bool reshaped) {
    fixture f;
    begin(&f);
    kt_sym *t = input(&f, labels, sparse ? kt_dims(1) : kt_dims(1, 2));
    kt_sym *x = input(&f, KT_FLOAT32, reshaped ? kt_dims(1, 1, 2) : kt_dims(1, 2));
    kt_sym *p = kt_op_softmax(x, -1);
    if (reshaped) p = kt_op_reshape(p, kt_dims(1, 2));
    kt_sym *value = kt_loss_value(loss, t, p, NULL, NULL);
    kt_val *dx = NULL, *wrt = kt_unwrap(x, NULL);
    assert_int_equal(kt_grad(f.g, kt_unwrap(value, NULL), 1, &wrt, &dx), KT_OK);
    output(&f, value);
    assert_int_equal(kt_vec_push(&f.g->outputs, dx), KT_OK);
    ready(&f);
    if (sparse)
        FEED(&f, 0, int32_t, {0});
    else
        FEED(&f, 0, float, {1, 0});
    FEED(&f, 1, float, {0, 200});
    assert_int_equal(kt_cpu_execute(f.run), KT_OK);
    kt_check_near(result(&f), 200, 1e-6, 0);
    const float *d = kt_cpu_output(f.run, 1);
    kt_check_near(d[0], -1, 1e-6, 0);
    kt_check_near(d[1], 1, 1e-6, 0);
    done(&f);
}

KT_TEST(losses, cross_entropy_of_a_softmax_uses_its_input) {
    check_softmax(kt_loss_sparse_categorical_crossentropy(), KT_INT32, true, false);
    check_softmax(kt_loss_sparse_categorical_crossentropy(), KT_INT32, true, true);
    check_softmax(kt_loss_categorical_crossentropy(), KT_FLOAT32, false, false);
    check_softmax(kt_loss_categorical_crossentropy(), KT_FLOAT32, false, true);
    kt_component *c = NULL;
    assert_int_equal(kt_loss_get(&c, "crossentropy"), KT_OK);
    check_softmax(c, KT_INT32, true, false);
    check_softmax(c, KT_FLOAT32, false, false);
}

KT_TEST(losses, sparse_cross_entropy_is_one_primitive_on_the_logits) {
    fixture f;
    begin(&f);
    kt_sym *t = input(&f, KT_INT32, kt_dims(8)), *x = input(&f, KT_FLOAT32, kt_dims(8, 5));
    kt_loss *loss = kt_loss_sparse_categorical_crossentropy();
    const kt_sym *y = kt_loss_per_sample(loss, t, kt_op_softmax(x, -1));
    assert_ptr_equal(y->val->def->op, &kt_opdef_sparse_xent);
    assert_ptr_equal(y->val->def->in[0], x->val);
    assert_ptr_equal(y->val->def->in[1], t->val);
    give_up(&f);
}

KT_TEST(losses, binary_cross_entropy_of_a_sigmoid_uses_its_input) {
    fixture f;
    begin(&f);
    kt_sym *t = input(&f, KT_FLOAT32, kt_dims(2)), *x = input(&f, KT_FLOAT32, kt_dims(2, 1));
    output(&f, kt_loss_value(kt_loss_binary_crossentropy(), t, kt_op_sigmoid(x), NULL, NULL));
    ready(&f);
    FEED(&f, 0, float, {0, 1});
    FEED(&f, 1, float, {100, -300});
    assert_int_equal(kt_cpu_execute(f.run), KT_OK);
    kt_check_near(result(&f), 200, 1e-6, 0);
    done(&f);
}

KT_TEST(losses, a_label_out_of_range_is_named) {
    fixture f;
    begin(&f);
    kt_sym *t = input(&f, KT_INT64, kt_dims(3)), *x = input(&f, KT_FLOAT32, kt_dims(3, 4));
    kt_loss *loss = kt_loss_sparse_categorical_crossentropy(.from_logits = true);
    output(&f, kt_loss_value(loss, t, x, NULL, NULL));
    ready(&f);
    FEED(&f, 0, int64_t, {0, 7, 1});
    kt_check_status(kt_cpu_execute(f.run), KT_EINVAL);
    kt_check_message_has("7 in row 1 of the batch");
    done(&f);
}

static kt_sym *cube(kt_sym *y_true, kt_sym *y_pred, void *data) {
    kt_sym *e = kt_op_abs(kt_op_subtract(y_true, y_pred));
    ++*(int *)data;
    return kt_op_mean(kt_op_power(e, kt_num(3)), -1, false);
}

static kt_sym *nothing(kt_sym *y_true, kt_sym *y_pred, void *data) {
    (void)y_true, (void)y_pred, (void)data;
    return NULL;
}

KT_TEST(losses, a_function_of_the_user) {
    int calls = 0;
    fixture f;
    begin(&f);
    kt_loss *loss = kt_loss_custom(cube, .data = &calls);
    kt_check_str(kt_loss_name(loss), "cube");
    kt_check_str(kt_loss_name(kt_loss_custom(cube, &calls, .name = "third_power")), "third_power");
    kt_check_str(kt_loss_name(kt_loss_custom(.fn = cube)), "custom");
    kt_sym *t = input(&f, KT_INT32, kt_dims(2)), *p = input(&f, KT_FLOAT32, kt_dims(2, 1));
    output(&f, kt_loss_value(loss, t, p, NULL, NULL));
    kt_check_fails(
        kt_loss_value(kt_loss_custom(nothing), t, p, NULL, NULL),
        KT_EINVAL,
        "loss \"nothing\" returned NULL");
    ready(&f);
    FEED(&f, 0, int32_t, {1, 2});
    FEED(&f, 1, float, {3, 3});
    assert_int_equal(kt_cpu_execute(f.run), KT_OK);
    kt_check_near(result(&f), (8 + 1) / 2.0, 1e-6, 0);
    assert_int_equal(calls, 1);
    done(&f);
}

KT_TEST(losses, dtype) {
    fixture f;
    begin(&f);
    kt_sym *t = input(&f, KT_FLOAT32, kt_dims(2)), *p = input(&f, KT_FLOAT32, kt_dims(2));
    kt_sym *value = kt_loss_value(kt_loss_log_cosh(.dtype = "float64"), t, p, NULL, NULL);
    assert_int_equal(kt_sym_dtype(value), KT_FLOAT64);
    value = kt_loss_value(kt_loss_hinge(), t, kt_op_cast(p, "float64"), NULL, NULL);
    assert_int_equal(kt_sym_dtype(value), KT_FLOAT64);
    give_up(&f);
}
