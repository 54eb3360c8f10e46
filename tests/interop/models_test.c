/* Models of every layer type and optimizer: written, read, trained on. With KT_INTEROP_OUT set to a
 * folder the files stay there, with what they predict and become, for interop.py, which opens them
 * in real Keras (make interop). */
#include "base/fs.h"
#include "base/mem.h"
#include "io/npz.h"
#include "nn/layer.h"
#include "testing/kt_layers.h"
#include "testing/kt_models.h"
#include "testing/kt_test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define BATCH 6
typedef struct {
    const char *class_name, *config; ///< JSON with single quotes
    int64_t shape[KT_MAX_RANK];
    int n_in;      ///< inputs of that shape, 0: one
    int ids;       ///< integers below this
    bool texts;    ///< a text each
    bool random;   ///< training draws random numbers
    bool alone;    ///< Keras on TensorFlow trains it otherwise (docs/differences.md)
    bool merged;   ///< LoRA: what is loaded goes on otherwise than what was saved, as in Keras
    bool quantize; ///< to int8, before it is trained
    bool sgd;      ///< some bias has no gradient but rounding, which other optimizers scale up
} layer_case;

static const layer_case cases[] = {
#define CASE(name, json, ...) {.class_name = name, .config = json, .shape = __VA_ARGS__},
#include "cases.def"
#undef CASE
};
#define N_CASES ((int)(sizeof cases / sizeof *cases))

static const char *const optimizers[] = {
    "adam:learning_rate=0.01",
    "sgd:learning_rate=0.05,momentum=0.9,nesterov=True",
    "rmsprop:learning_rate=0.01,momentum=0.5,centered=True",
    "adamw:learning_rate=0.01",
    "adagrad:learning_rate=0.05",
    "adadelta:learning_rate=0.5",
    "adamax:learning_rate=0.01",
    "nadam:learning_rate=0.01",
    "ftrl:learning_rate=0.05",
    "lion:learning_rate=0.001",
    "lamb:learning_rate=0.01",
    "adafactor:learning_rate=0.01",
    "adam:learning_rate=0.01,amsgrad=True,use_ema=True",
    "sgd:learning_rate=0.05,clipnorm=0.5,weight_decay=0.01",
    ("sgd:learning_rate={\"class_name\": \"ExponentialDecay\", \"module\": "
     "\"keras.optimizers.schedules\", \"config\": {\"initial_learning_rate\": 0.1, "
     "\"decay_steps\": 2, \"decay_rate\": 0.5}}"),
    ("LossScaleOptimizer:inner_optimizer={\"class_name\": \"Adamax\", \"module\": "
     "\"keras.optimizers\", \"config\": {\"learning_rate\": 0.01}},dynamic_growth_steps=2"),
};
#define SGD 1
#define N_OPTIMIZERS ((int)(sizeof optimizers / sizeof *optimizers))
static const char *const losses[] = {"mse", "mae", "huber", "log_cosh"};

static kt_tensor *data_of(const layer_case *c, uint64_t *seed) {
    kt_shape s = {1, {BATCH}};
    for (int i = 0; c->shape[i]; i++) s.dim[s.ndim++] = c->shape[i];
    static const char *const texts[BATCH] = {
        "The cat", "a dog, a DOG!", "", "b", "stop-me now", "Ärger \xe6\x97\xa5 a b"};
    if (c->texts) return kt_tensor_new(KT_STRING, s, texts);
    if (!c->ids) return kt_test_tensor(KT_FLOAT32, s, -1, 1, seed);
    return kt_test_tensor(KT_INT32, s, 0, c->ids, seed);
}

static kt_sym *placeholder(const layer_case *c) {
    kt_input_args a = {
        .size = sizeof a,
        .batch_size = KT_NONE,
        .dtype = c->texts ? "string"
                 : c->ids ? "int32"
                          : NULL};
    memcpy(a.shape, c->shape, sizeof a.shape);
    return kt_input_new(&a);
}

static kt_model *build(const layer_case *c) {
    const void *in[3];
    const int n = c->n_in ? c->n_in : 1;
    char config[1024];
    snprintf(config, sizeof config, "%s", c->config);
    for (char *p = config; *p; p++)
        if (*p == '\'') *p = '"';
    kt_layer *l = kt_from_config(c->class_name, config);
    if (kt_failed(l)) fprintf(stderr, "%s: %s\n", c->class_name, kt_error_message());
    for (int i = 0; i < n; i++) in[i] = placeholder(c);
    kt_sym *x = kt_call(l, n == 1 ? (kt_ref)in[0] : kt_list_of(n, in));
    if (!kt_failed(x) && kt_sym_shape(x).ndim > 2) x = kt_call(kt_flatten(), x);
    kt_sym *y = kt_call(kt_dense(2), x);
    return kt_functional(n == 1 ? (kt_ref)in[0] : kt_list_of(n, in), y);
}

typedef struct {
    kt_npz *unused;
    int n;
    const char *names[64];
    const kt_tensor *arrays[64];
    char text[64][16];
} members;

static void add(members *m, const char *what, int i, const kt_tensor *t) {
    assert_true(m->n < 64);
    snprintf(m->text[m->n], sizeof m->text[m->n], "%s%d", what, i);
    m->names[m->n] = m->text[m->n];
    m->arrays[m->n++] = t;
}

static kt_ref inputs(kt_tensor *const *x, int n) {
    return n == 1 ? (kt_ref)x[0] : kt_list_of(n, (const void *const *)x);
}

static void check_same_file(const char *a, const char *b) {
    unsigned char *da, *db;
    size_t na, nb;
    kt_check_status(kt_fs_load(&da, &na, a, 1 << 26), KT_OK);
    kt_check_status(kt_fs_load(&db, &nb, b, 1 << 26), KT_OK);
    assert_int_equal(na, nb);
    assert_memory_equal(da, db, na);
    kt_mem_free(da);
    kt_mem_free(db);
}

static void steps(kt_model *m, kt_tensor *const *x, int n, kt_tensor *y, int count) {
    for (int i = 0; i < count; i++) kt_check_ok(kt_model_train_on_batch(m, inputs(x, n), y));
}

/* Two steps, saved; loaded again it predicts the same, and goes on the same. */
static void check_case(const layer_case *c, int number, const char *folder) {
    char path[300], again[300], data[300];
    const int n = c->n_in ? c->n_in : 1;
    uint64_t seed = (uint64_t)number + 1;
    kt_tensor *x[3];
    members out = {0};
    kt_set_random_seed(seed);
    snprintf(path, sizeof path, "%s/%03d_%s.keras", folder, number, c->class_name);
    snprintf(again, sizeof again, "%s/again.keras", folder);
    snprintf(data, sizeof data, "%s/%03d_%s.npz", folder, number, c->class_name);
    kt_model *m = build(c);
    if (kt_failed(m)) fprintf(stderr, "%s: %s\n", c->class_name, kt_error_message());
    kt_check_ok(m);
    if (c->quantize) kt_check_status(kt_model_quantize(m, "int8"), KT_OK);
    for (int i = 0; i < n; i++) add(&out, "x", i, kt_retain(x[i] = data_of(c, &seed)));
    kt_tensor *y = kt_test_tensor(KT_FLOAT32, kt_dims(BATCH, 2), -1, 1, &seed);
    add(&out, "y", 0, kt_retain(y));
    const char *optimizer = optimizers[c->sgd ? SGD : number % N_OPTIMIZERS];
    kt_check_status(
        kt_model_compile(
            m,
            kt_deserialize("optimizer", optimizer),
            losses[number % 4],
            .metrics = kt_list("mae")),
        KT_OK);
    steps(m, x, n, y, 2);
    const kt_status st = kt_model_save(m, path);
    if (st) fprintf(stderr, "%s: %s\n", c->class_name, kt_error_message());
    kt_check_status(st, KT_OK);
    kt_tensor *p = kt_model_predict(m, inputs(x, n), .verbose = 0);
    add(&out, "p", 0, p);
    kt_model *loaded = kt_load_model(path);
    if (kt_failed(loaded)) fprintf(stderr, "%s: %s\n", c->class_name, kt_error_message());
    kt_check_ok(loaded);
    const double near = c->merged ? 1e-6 : 0;
    kt_check_tensors_near(kt_model_predict(loaded, inputs(x, n), .verbose = 0), p, near, near);
    kt_check_status(kt_model_save(loaded, again), KT_OK);
    check_same_file(path, again);
    unlink(again);
    if (!c->random) {
        if (!c->merged) steps(m, x, n, y, 3);
        steps(loaded, x, n, y, 3);
        kt_list_t *w = kt_get_weights(c->merged ? loaded : m), *v = kt_get_weights(loaded);
        for (int i = 0; i < kt_list_len(w); i++) {
            kt_check_tensors_near(kt_list_get(v, i), kt_list_get(w, i), 1e-6, 1e-7);
            if (!c->alone) add(&out, "w", i, kt_list_get(w, i));
        }
    }
    if (getenv("KT_INTEROP_OUT"))
        kt_check_status(kt_npz_write(data, out.n, out.names, out.arrays), KT_OK);
    else
        unlink(path);
    for (int i = 0; i <= n; i++) kt_free(out.arrays[i]);
}

KT_TEST(interop, models_of_every_layer) {
    char temporary[] = "/tmp/keratin_interop_XXXXXX";
    const char *folder = getenv("KT_INTEROP_OUT");
    if (!folder) folder = mkdtemp(temporary);
    assert_non_null(folder);
    for (int i = 0; i < N_CASES; i++) check_case(&cases[i], i, folder);
    if (!getenv("KT_INTEROP_OUT")) rmdir(folder);
}

/* Every class of the registry stands among the cases. */
KT_TEST(interop, no_layer_is_left_out) {
    const kt_layer_class *const *all = kt_layer_all();
    static const char *const inside[] = {
        "LSTMCell", "GRUCell", "SimpleRNNCell", "StackedRNNCells", "InputLayer", NULL};
    int missing = 0;
    for (int i = 0; all[i]; i++) {
        bool known = false;
        for (int k = 0; k < N_CASES; k++)
            known = known || !strcmp(cases[k].class_name, all[i]->name);
        for (int k = 0; inside[k]; k++) known = known || !strcmp(inside[k], all[i]->name);
        if (!known) fprintf(stderr, "no case for %s\n", all[i]->name), missing++;
    }
    assert_int_equal(missing, 0);
}
