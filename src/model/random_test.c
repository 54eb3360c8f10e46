/* Random models: calls, shared layers, operators, models inside models, put together by chance.
 * Whatever comes out must have right gradients, give the same outputs for every division into
 * batches, and train to the same bits with any number of threads. */
#include "testing/graphs.h"
#include "testing/kt_layers.h"
#include "testing/kt_models.h"

#include <stdlib.h>
#include <string.h>

#define VALUES 12
#define IN_A 4
#define IN_B 3

typedef struct {
    uint64_t seed;
    int n;
    kt_sym *v[VALUES]; /* (None, k) each */
    kt_layer *shared;  /* takes IN_A */
} growing;

static int pick(growing *g, int n) { return (int)(kt_test_random(&g->seed) * n); }

static kt_sym *any(growing *g) { return g->v[pick(g, g->n)]; }

static int64_t width(const kt_sym *x) {
    const kt_shape s = kt_sym_shape(x);
    return s.dim[s.ndim - 1];
}

/* No kinks: differences would see them. */
static const char *smooth(growing *g) {
    static const char *const names[] = {"tanh", "sigmoid", "softplus", "gelu", "silu", "linear"};
    return names[pick(g, 6)];
}

static kt_sym *dense(growing *g, kt_sym *x, int units) {
    return kt_call(kt_dense(units, .activation = smooth(g), .use_bias = pick(g, 3) > 0), x);
}

/* x in a form that goes together with y. */
static kt_sym *fit_to(growing *g, kt_sym *x, kt_sym *y) {
    if (width(x) == width(y)) return x;
    if (pick(g, 3) == 0) return kt_op_mean(x, -1, true); /* broadcast */
    return dense(g, x, (int)width(y));
}

static kt_sym *in_model(growing *g, kt_sym *x) {
    return kt_call(
        kt_sequential(kt_list(kt_dense(3, .activation = smooth(g)), kt_dense(1 + pick(g, 4)))), x);
}

static kt_sym *grow_one(growing *g) {
    kt_sym *x = any(g), *y = any(g);
    switch (pick(g, 14)) {
    case 0:
    case 1:
        return dense(g, x, 1 + pick(g, 6));
    case 2:
        return kt_call(kt_add(), kt_list(y, fit_to(g, x, y)));
    case 3:
        return kt_op_multiply(y, fit_to(g, x, y));
    case 4:
        return kt_call(kt_concatenate(), kt_list(x, y));
    case 5:
        return kt_call(kt_softmax(), x);
    case 6:
        return kt_call(kt_rescaling(0.5, 0.1), x);
    case 7:
        return kt_op_subtract(kt_op_tanh(x), kt_num(0.3));
    case 8:
        return kt_call(kt_dropout(0.4), x);
    case 9:
        return kt_call(g->shared, width(x) == IN_A ? x : dense(g, x, IN_A));
    case 10:
        return kt_op_divide(x, kt_op_add(kt_op_square(fit_to(g, y, x)), kt_num(1)));
    case 11:
        return in_model(g, x);
    case 12:
        return width(x) > 1 ? kt_op_slice(x, -1, 0, width(x) - 1)
                            : kt_op_exp(kt_op_negative(kt_op_square(x)));
    default:
        return kt_call(kt_flatten(), kt_op_reshape(x, kt_dims(KT_NONE, 1, width(x))));
    }
}

static kt_model *random_model(uint64_t seed) {
    growing g = {.seed = seed, .shared = kt_dense(3, .activation = "tanh")};
    kt_sym *a = kt_input({IN_A}), *b = kt_input({IN_B});
    g.v[g.n++] = a;
    g.v[g.n++] = b;
    while (g.n < VALUES) {
        kt_sym *y = grow_one(&g);
        kt_check_ok(y);
        g.v[g.n++] = y;
    }
    kt_sym *last = kt_call(
        kt_concatenate(), kt_list(a, b, g.v[VALUES - 1], g.v[VALUES - 2], g.v[VALUES - 3]));
    kt_model *m = kt_functional(kt_list(a, b), kt_call(kt_dense(2), last));
    kt_check_ok(m);
    return m;
}

#define SEEDS 150

KT_TEST(random_models, have_the_right_gradients) {
    kt_set_random_seed(1);
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        print_message("%s%d", seed == 1 ? "seeds " : " ", (int)seed);
        kt_check_gradients(
            random_model(seed), .input = {3, IN_A}, .input1 = {3, IN_B}, .training = seed % 2);
        kt_clear_session();
    }
    print_message("\n");
}

KT_TEST(random_models, give_the_same_whatever_the_batches) {
    kt_set_random_seed(1);
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        uint64_t noise = seed;
        kt_model *m = random_model(seed);
        kt_list_t *x = kt_retain(kt_list(
            kt_test_tensor(KT_FLOAT32, kt_dims(23, IN_A), -1, 1, &noise),
            kt_test_tensor(KT_FLOAT32, kt_dims(23, IN_B), -1, 1, &noise)));
        kt_tensor *whole = kt_model_predict(m, x, .batch_size = 23, .verbose = 0);
        for (int batch = 1; batch < 23; batch += 5) {
            kt_tensor *y = kt_model_predict(m, x, .batch_size = batch, .verbose = 0);
            kt_check_tensors_near(y, whole, 1e-4, 1e-5);
        }
        kt_free(x);
        kt_free(m);
        kt_clear_session();
    }
}

static kt_weights_copy trained(uint64_t seed, int threads) {
    uint64_t noise = seed;
    kt_clear_session();
    kt_set_random_seed(seed);
    kt_set_num_threads(threads);
    kt_model *m = random_model(seed);
    kt_list_t *x = kt_list(
        kt_test_tensor(KT_FLOAT32, kt_dims(50, IN_A), -1, 1, &noise),
        kt_test_tensor(KT_FLOAT32, kt_dims(50, IN_B), -1, 1, &noise));
    kt_tensor *y = kt_test_tensor(KT_FLOAT32, kt_dims(50, 2), -1, 1, &noise);
    kt_check_status(kt_model_compile(m, "adam", "mse"), KT_OK);
    kt_check_ok(kt_model_fit(m, x, y, .batch_size = 16, .epochs = 2, .verbose = 0));
    kt_weights_copy w = kt_copy_weights(m);
    kt_free(m);
    return w;
}

KT_TEST(random_models, train_to_the_same_bits) {
    for (uint64_t seed = 1; seed <= SEEDS; seed += 3) {
        kt_weights_copy a = trained(seed, 1), b = trained(seed, 3);
        assert_int_equal(a.n, b.n);
        assert_memory_equal(a.v, b.v, sizeof *a.v * (size_t)a.n);
        kt_weights_copy_free(&a);
        kt_weights_copy_free(&b);
    }
}
