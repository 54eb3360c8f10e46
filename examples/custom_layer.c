/* A layer of your own: y = x w + b, as in Keras' guide to making layers by subclassing.
 *
 * Built-in layers are written the same way; `src/nn/layers/dense.c` is the longer version of this.
 *
 *     custom_layer [--smoke]
 */
#include <keratin/keratin.h>
#include <keratin/sys/layer.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Its arguments, as Python's __init__ has them … */
typedef struct {
    size_t size; /* set by the macro */
    int units;
    KT_LAYER_ARGS /* activity_regularizer, name, dtype, trainable, autocast */
} linear_args;

/* … and what it keeps, as Python's self.w and self.b. */
typedef struct {
    kt_var *w, *b;
} linear_state;

static kt_status linear_build(kt_layer *l, const kt_shape *in) {
    const linear_args *a = kt_layer_args(l);
    linear_state *s = kt_layer_state(l);
    s->w = kt_add_weight(l, "w", {kt_shape_dim(in, -1), a->units}, .initializer = "random_normal");
    s->b = kt_add_weight(l, "b", {a->units}, .initializer = "zeros");
    return kt_check(l); /* a weight that could not be made marks its layer as failed */
}

static kt_status linear_call(kt_layer *l, kt_trace *t) {
    const linear_state *s = kt_layer_state(l);
    t->out[0] = kt_op_add(kt_op_matmul(t->in[0], kt_value(s->w)), kt_value(s->b));
    return kt_check(t->out[0]);
}

static const kt_field linear_fields[] = {KT_F(linear_args, units), KT_F_END};
static const kt_layer_class linear_class = {
    .name = "Linear",
    .package = "my_package",
    .args_size = sizeof(linear_args),
    .state_size = sizeof(linear_state),
    .fields = linear_fields,
    .build = linear_build,
    .call = linear_call,
};
static kt_layer *linear_new(const linear_args *a) { return kt_layer_new(&linear_class, a); }
#define linear(...) KT_CALL(linear_new, linear_args, KT_LAYER_DEFAULTS, __VA_ARGS__)

int main(int argc, char **argv) {
    const bool smoke = argc > 1 && !strcmp(argv[1], "--smoke");
    const int64_t n = smoke ? 64 : 2000;
    kt_set_random_seed(1);
    srand(1);

    /* y = 3 x0 - 2 x1 + 1 */
    kt_tensor *x = kt_tensor_new(KT_FLOAT32, kt_dims(n, 2), NULL);
    kt_tensor *y = kt_tensor_new(KT_FLOAT32, kt_dims(n, 1), NULL);
    for (int64_t i = 0; i < n; i++) {
        const double a = rand() / (double)RAND_MAX, b = rand() / (double)RAND_MAX;
        kt_tensor_set(x, 2 * i, a);
        kt_tensor_set(x, 2 * i + 1, b);
        kt_tensor_set(y, i, 3 * a - 2 * b + 1);
    }

    kt_layer *head = linear(1, .name = "head");
    kt_model *m = kt_sequential(kt_list(kt_input({2}), head));
    kt_model_summary(m);
    kt_model_compile(m, kt_opt_sgd(0.1), "mse");
    kt_history *h = kt_model_fit(m, x, y, .epochs = smoke ? 1 : 20, .verbose = 2);
    const bool failed = kt_failed(h);
    if (failed) fprintf(stderr, "%s\n", kt_error_message()); /* the cause, wherever it was */
    for (int i = 0; i < kt_layer_n_weights(head) && !failed; i++) {
        kt_var *weight = kt_layer_weight(head, i);
        printf("%s\n", kt_var_path(weight)); /* 3, -2 and 1 in the end */
        kt_tensor_print(kt_var_value(weight));
    }
    kt_free(m);
    kt_clear_session(); /* and the arrays, the history, the copies of the weights */
    return failed;
}
