/* Memory of training programs: the arena is planned near the lower bound (the most bytes that are
 * alive at once), and a convolution needs no more for its work than some pictures at a time,
 * however large the batch is. */
#include "model/model.h"
#include "runtime/program.h"
#include "testing/kt_models.h"

#define MIB (1024.0 * 1024.0)

static kt_model *cnn(void) {
    return kt_sequential(kt_list(
        kt_input({28, 28, 1}),
        kt_conv2d(32, 3, .activation = "relu"),
        kt_max_pooling2d(2),
        kt_conv2d(64, 3, .activation = "relu"),
        kt_max_pooling2d(2),
        kt_flatten(),
        kt_dropout(0.5),
        kt_dense(10, .activation = "softmax")));
}

/* Convolutions with nothing behind them that could be fused. */
static kt_model *plain_cnn(void) {
    return kt_sequential(kt_list(
        kt_input({32, 32, 3}),
        kt_conv2d(32, 3, .padding = "same", .activation = "tanh"),
        kt_conv2d(32, 3, .strides = 2, .activation = "tanh"),
        kt_separable_conv2d(64, 3, .activation = "tanh"),
        kt_average_pooling2d(2),
        kt_conv2d_transpose(16, 3, .strides = 2),
        kt_global_average_pooling2d(),
        kt_dense(10, .activation = "softmax")));
}

static kt_model *reviews(kt_layer *recurrent) {
    return kt_sequential(kt_list(
        kt_input({100}, .dtype = "int32"),
        kt_embedding(1000, 32),
        recurrent,
        kt_dense(10, .activation = "softmax")));
}
static kt_model *lstm(void) { return reviews(kt_lstm(64)); }
static kt_model *gru(void) { return reviews(kt_bidirectional(kt_gru(32))); }

static kt_model *attention(void) {
    kt_sym *in = kt_input({64}, .dtype = "int32"), *x = kt_call(kt_embedding(1000, 64), in);
    kt_sym *heads = kt_call(kt_multi_head_attention(4, 16), kt_list(x, x));
    x = kt_call(kt_layer_normalization(), kt_op_add(x, heads));
    x = kt_call(kt_layer_normalization(), kt_op_add(x, kt_call(kt_dense(64), x)));
    x = kt_call(kt_global_average_pooling1d(), x);
    return kt_functional(in, kt_call(kt_dense(10, .activation = "softmax"), x));
}

typedef struct {
    int64_t arena, bound;
} memory;

/* Of the program of one training step. */
static memory memory_of(kt_model *m, kt_shape shape, kt_dtype dtype) {
    memory out = {0, 0};
    kt_check_status(kt_model_compile(m, "adam", "sparse_categorical_crossentropy"), KT_OK);
    kt_logs *logs = kt_model_train_on_batch(
        m, kt_tensor_new(dtype, shape, NULL), kt_tensor_new(KT_INT32, kt_dims(shape.dim[0]), NULL));
    kt_check_status(kt_check(logs), KT_OK);
    const kt_model_state *s = kt_model_of(m);
    for (int i = 0; i < s->programs.n; i++) {
        if (s->programs.v[i].kind != KT_TRAIN) continue;
        const kt_plan *plan = kt_program_plan(s->programs.v[i].program);
        out = (memory){plan->arena_bytes, plan->lower_bound};
    }
    kt_free(m);
    kt_clear_session();
    assert_true(out.arena > 0);
    return out;
}

KT_TEST(memory, training_programs_are_planned_near_the_lower_bound) {
    const struct {
        const char *name;
        kt_model *(*make)(void);
        kt_shape shape;
        kt_dtype dtype;
    } rows[] = {
        {"cnn, batch 32", cnn, kt_dims(32, 28, 28, 1), KT_FLOAT32},
        {"cnn, batch 128", cnn, kt_dims(128, 28, 28, 1), KT_FLOAT32},
        {"unfused cnn, batch 32", plain_cnn, kt_dims(32, 32, 32, 3), KT_FLOAT32},
        {"LSTM, batch 32", lstm, kt_dims(32, 100), KT_INT32},
        {"two-way GRU, batch 32", gru, kt_dims(32, 100), KT_INT32},
        {"attention, batch 32", attention, kt_dims(32, 64), KT_INT32},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const memory m = memory_of(rows[i].make(), rows[i].shape, rows[i].dtype);
        print_message(
            "%-22s %6.2f MiB, lower bound %6.2f, ratio %.3f\n",
            rows[i].name,
            (double)m.arena / MIB,
            (double)m.bound / MIB,
            (double)m.arena / (double)m.bound);
        assert_true((double)m.arena <= 1.05 * (double)m.bound);
    }
}

/* What a step keeps for its way back grows with the batch: 61,000 numbers for each picture here.
 * What a convolution works on must not: the matrix of all windows of the second one alone would
 * take another 65,000. */
KT_TEST(memory, convolutions_work_on_some_pictures_at_a_time) {
    const memory few = memory_of(plain_cnn(), kt_dims(8, 32, 32, 3), KT_FLOAT32);
    const memory many = memory_of(plain_cnn(), kt_dims(128, 32, 32, 3), KT_FLOAT32);
    const double numbers = (double)(many.arena - few.arena) / 120 / sizeof(float);
    print_message("%.0f numbers for each picture\n", numbers);
    assert_true(numbers < 80000);
}
