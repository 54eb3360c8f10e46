/* Models under the policies of 16 bits, against TensorFlow and JAX (tests/golden/half.npz).
 *
 * The two do not agree bit by bit: compilers leave roundings out where they fuse operations. So the
 * measure is theirs: how far they are from each other, and from the same model in float32. What is
 * computed here must not be further from the nearer one than that and two steps of the type. */
#include "base/mem.h"
#include "io/npz.h"
#include "nn/optimizers/optimizer.h"
#include "tensor/tensor.h"
#include "testing/kt_models.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define FILE_NAME "tests/golden/half.npz"

typedef struct {
    kt_npz *z;
    const char *name, *policy;
    bool mean; /* compare means of arrays, not their worst elements */
} half_case;

static bool has(const half_case *c, const char *part) {
    char key[128];
    snprintf(key, sizeof key, "%s/%s", c->name, part);
    for (int i = 0; i < kt_npz_count(c->z); i++)
        if (!strcmp(kt_npz_name(c->z, i), key)) return true;
    return false;
}

static kt_tensor *read(const half_case *c, const char *part) {
    char key[128];
    snprintf(key, sizeof key, "%s/%s", c->name, part);
    kt_tensor *t = kt_npz_read(c->z, key);
    kt_check_ok(t);
    return t;
}

/* What a backend says: CASE/POLICY/BACKEND[/PART]; NULL where it cannot do it. */
static kt_tensor *said(const half_case *c, const char *backend, const char *part) {
    char key[96];
    snprintf(key, sizeof key, "%s/%s%s", c->policy, backend, part);
    return has(c, key) ? read(c, key) : NULL;
}

static kt_list_t *read_list(const half_case *c, const char *prefix) {
    const void *items[64];
    int n = 0;
    for (char part[24];; n++) {
        snprintf(part, sizeof part, "%s%d", prefix, n);
        if (!has(c, part)) return kt_list_of(n, items);
        items[n] = read(c, part);
    }
}

/* How often a text names the policy. */
static int count_policy(const char *text, const char *policy) {
    char object[64];
    int n = 0;
    snprintf(object, sizeof object, "\"config\": {\"name\": \"%s\"}", policy);
    while ((text = strstr(text, object))) text++, n++;
    return n;
}

/* From the JSON of Keras, with the weights of the case; back again it names the same policies. */
static kt_model *read_model(const half_case *c) {
    char part[64];
    snprintf(part, sizeof part, "%s/json", c->policy);
    kt_tensor *t = read(c, part);
    const size_t n = (size_t)kt_tensor_size(t);
    char *text = kt_alloc(n + 1);
    memcpy(text, kt_tensor_data(t), n);
    kt_set_dtype_policy(c->policy); /* the model's own: its file does not say it */
    kt_model *m = kt_model_from_json(text);
    kt_set_dtype_policy("float32");
    kt_check_ok(m);
    kt_text *again = kt_model_to_json(m);
    kt_check_ok(again);
    assert_int_equal(count_policy(kt_text_str(again), c->policy), count_policy(text, c->policy));
    kt_mem_free(text);
    const bool mixed = !strncmp(c->policy, "mixed_", 6);
    for (int i = 0; i < kt_layer_n_weights(m); i++) {
        const kt_tensor *w = kt_var_value(kt_layer_weight(m, i));
        const char *dtype = kt_dtype_name(kt_tensor_dtype(w));
        kt_check_str(dtype, mixed ? "float32" : c->policy);
    }
    kt_check_status(kt_set_weights(m, read_list(c, "w")), KT_OK);
    return m;
}

static double step_of(const char *policy) {
    return strstr(policy, "bfloat16") ? 0x1p-7 : 0x1p-10; /* of numbers near 1 */
}

static double distance(const half_case *c, const kt_tensor *a, const kt_tensor *b) {
    const int64_t n = kt_tensor_size(a);
    double most = 0, sum = 0;
    assert_int_equal(n, kt_tensor_size(b));
    for (int64_t i = 0; i < n; i++) {
        const double d = fabs(kt_tensor_get(a, i) - kt_tensor_get(b, i));
        most = fmax(most, d);
        sum += d / (double)n;
    }
    return c->mean ? sum : most;
}

static double largest(const kt_tensor *a) {
    double most = 0;
    for (int64_t i = 0; i < kt_tensor_size(a); i++) most = fmax(most, fabs(kt_tensor_get(a, i)));
    return most;
}

/* The error in units of what is allowed; `scale`: what the type rounds. */
static double judge(
    const half_case *c,
    const kt_tensor *got,
    const kt_tensor *tf,
    const kt_tensor *jax,
    const kt_tensor *wide,
    double scale) {
    const kt_tensor *one = tf ? tf : jax, *other = jax ? jax : tf;
    const double noise = fmax(distance(c, one, wide), distance(c, other, wide));
    const double allowed = fmax(distance(c, one, other), noise) + step_of(c->policy) / 2 * scale;
    return fmin(distance(c, got, one), distance(c, got, other)) / allowed;
}

static void check_judged(const half_case *c, const char *what, double error, double *worst) {
    *worst = fmax(*worst, error);
    if (error <= 1) return;
    print_error(
        "%s under %s: %s is off by %g of what is allowed\n", c->name, c->policy, what, error);
    fail();
}

/* All outputs as one array. */
static kt_tensor *stacked(const kt_list_t *list) {
    const kt_tensor *first = kt_list_get(list, 0);
    const int64_t n = kt_tensor_size(first);
    kt_tensor *all = kt_tensor_new(kt_tensor_dtype(first), kt_dims(kt_list_len(list), n), NULL);
    for (int i = 0; i < kt_list_len(list); i++)
        memcpy(
            (char *)all->data + (size_t)i * (size_t)kt_tensor_bytes(first),
            kt_tensor_data(kt_list_get(list, i)),
            (size_t)kt_tensor_bytes(first));
    return all;
}

static void check_forward(const half_case *c, double *worst) {
    kt_model *m = read_model(c);
    kt_tensor *y = stacked(kt_model_predict_list(m, read_list(c, "x"), .verbose = 0));
    kt_tensor *tf = said(c, "tensorflow", ""), *jax = said(c, "jax", ""),
              *wide = read(c, "float32");
    char part[64], dtype[16];
    snprintf(part, sizeof part, "%s/dtype", c->policy);
    const kt_tensor *name = read(c, part);
    snprintf(dtype, sizeof dtype, "%.*s", (int)name->shape.dim[0], (const char *)name->data);
    kt_check_str(kt_dtype_name(kt_tensor_dtype(y)), dtype);
    check_judged(c, "the output", judge(c, y, tf, jax, wide, largest(wide)), worst);
    kt_free(m);
}

static double optimizer_number(const kt_optimizer *o, const char *name) {
    int i = 0;
    while (strcmp(kt_optimizer_var(o, i)->name, name)) i++;
    return kt_var_scalar(kt_optimizer_var(o, i));
}

/* Three steps: losses, weights, and under mixed_float16 what became of the scale. */
static void check_training(const half_case *c, double *worst) {
    kt_model *m = read_model(c);
    kt_list_t *before = read_list(c, "w");
    kt_tensor *x = read(c, "x0"), *y = read(c, "y");
    kt_tensor *loss = kt_tensor_new(KT_FLOAT64, kt_dims(3), NULL);
    kt_optimizer *o = strstr(c->name, "adam") ? kt_opt_adam(0.01)
                                              : kt_opt_sgd(0.05, .momentum = 0.9);
    const char *name = strstr(c->name, "dense")  ? "sparse_categorical_crossentropy"
                       : strstr(c->name, "norm") ? "mae"
                                                 : "mse";
    kt_check_status(kt_model_compile(m, o, name), KT_OK);
    for (int i = 0; i < 3; i++) {
        kt_logs *l = kt_model_train_on_batch(m, x, y);
        kt_check_ok(l);
        kt_elem_set(loss->data, KT_FLOAT64, i, kt_logs_get(l, "loss"));
        kt_model_reset_metrics(m);
    }
    kt_tensor *tf = said(c, "tensorflow", "/loss"), *jax = said(c, "jax", "/loss");
    kt_tensor *wide = read(c, "float32/loss");
    check_judged(c, "the loss", judge(c, loss, tf, jax, wide, largest(wide)), worst);
    for (int i = 0; i < kt_layer_n_weights(m); i++) {
        char part[24];
        snprintf(part, sizeof part, "/v%d", i);
        tf = said(c, "tensorflow", part);
        jax = said(c, "jax", part);
        snprintf(part, sizeof part, "float32/v%d", i);
        wide = read(c, part);
        kt_tensor *got = kt_var_value(kt_layer_weight(m, i));
        const bool mixed = !strncmp(c->policy, "mixed_", 6); /* else the weights are rounded */
        const double moved = mixed ? distance(c, wide, kt_list_get(before, i)) : largest(wide);
        snprintf(part, sizeof part, "weight %d", i);
        check_judged(c, part, judge(c, got, tf, jax, wide, moved), worst);
    }
    if (!strcmp(c->policy, "mixed_float16")) {
        const kt_tensor *scale = said(c, "tensorflow", "/scale");
        const kt_optimizer *scaled = kt_model_optimizer(m);
        kt_check_str(scaled->cls->name, "LossScaleOptimizer");
        assert_true(optimizer_number(scaled, "dynamic_scale") == kt_tensor_get(scale, 0));
        assert_true(optimizer_number(scaled, "step_counter") == kt_tensor_get(scale, 1));
    }
    kt_free(m);
}

static double check_all(bool training, int n_expected) {
    half_case c = {0};
    double worst = 0;
    int n = 0;
    kt_check_status(kt_npz_open(&c.z, FILE_NAME), KT_OK);
    for (int i = 0; i < kt_npz_count(c.z); i++) {
        char name[96], *policy;
        snprintf(name, sizeof name, "%s", kt_npz_name(c.z, i));
        char *end = strstr(name, "/json");
        if (!end || strstr(name, "/float32/") || training == !!strncmp(name, "train_", 6)) continue;
        *end = 0;
        policy = strchr(name, '/');
        *policy++ = 0;
        c.name = name;
        c.policy = policy;
        c.mean = strstr(name, "adam") != NULL; /* of a gradient near 0 Adam makes a whole step */
        if (training)
            check_training(&c, &worst);
        else
            check_forward(&c, &worst);
        n++;
    }
    assert_int_equal(n, n_expected);
    kt_npz_close(c.z);
    return worst;
}

KT_TEST(half, models_compute_what_keras_does) {
    print_message("largest error: %.2f of what is allowed\n", check_all(false, 86));
}

KT_TEST(half, models_learn_what_keras_learns) {
    print_message("largest error: %.2f of what is allowed\n", check_all(true, 18));
}
