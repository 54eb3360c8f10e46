/* Weights of old files: layouts of other backends and versions, names, what does not fit; and the
 * old form written and read again. */
#include "saving/legacy.h"

#include "base/mem.h"
#include "io/npz.h"
#include "testing/kt_test.h"

#include <keratin/keratin.h>

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* A file in memory ----------------------------------------------------------------------------- */

typedef struct array {
    kt_shape shape;
    double first, step; ///< values first, first + step, …
} array;

typedef struct file {
    kt_hdf5_writer *w;
    const char *layers[8];
    int n;
} file;

static file file_begin(void) { return (file){.w = kt_hdf5_writer_new()}; }

static void add_layer(file *f, const char *name, int n, const array *arrays) {
    char names[16][8];
    const char *list[16];
    kt_hdf5_item *g = kt_hdf5_put_group(kt_hdf5_writer_root(f->w), name);
    for (int i = 0; i < n; i++) {
        snprintf(names[i], sizeof names[i], "w%d", i);
        kt_tensor *t = kt_tensor_new(KT_FLOAT32, arrays[i].shape, NULL);
        for (int64_t k = 0; k < kt_tensor_size(t); k++)
            kt_tensor_set(t, k, arrays[i].first + arrays[i].step * (double)k);
        kt_hdf5_put_copy(g, list[i] = names[i], KT_FLOAT32, arrays[i].shape, kt_tensor_data(t));
        kt_free(t);
    }
    kt_hdf5_put_names(g, "weight_names", list, n);
    f->layers[f->n++] = name;
}

/* Writes the file and reads it into the model. */
static kt_status load(file *f, kt_model *m, const kt_legacy_weights_options *o) {
    const kt_zip_part *parts;
    int n;
    size_t size = 0, at = 0;
    kt_hdf5 *h;
    kt_hdf5_put_names(kt_hdf5_writer_root(f->w), "layer_names", f->layers, f->n);
    kt_check_status(kt_hdf5_layout(f->w, &parts, &n), KT_OK);
    for (int i = 0; i < n; i++) size += parts[i].size;
    unsigned char *bytes = kt_alloc(size);
    for (int i = 0; i < n; at += parts[i++].size) memcpy(bytes + at, parts[i].data, parts[i].size);
    kt_hdf5_writer_free(f->w);
    kt_check_status(kt_hdf5_open_memory(&h, bytes, size, NULL), KT_OK);
    const kt_status st = kt_legacy_read_weights(m, kt_legacy_weights_group(h), o);
    kt_hdf5_close(h);
    kt_mem_free(bytes);
    return st;
}

static double weight(const kt_layer *l, int i, int64_t at) {
    kt_tensor *t = kt_var_value(kt_layer_weight(l, i));
    const double v = kt_tensor_get(t, at);
    kt_free(t);
    return v;
}

static void check_weight(const kt_layer *l, int i, int n, const double *want) {
    for (int k = 0; k < n; k++)
        if (weight(l, i, k) != want[k])
            fail_msg("weight %d, element %d: %g, not %g", i, k, weight(l, i, k), want[k]);
}
#define CHECK_WEIGHT(l, i, ...)                                                                    \
    check_weight(                                                                                  \
        (l), (i), sizeof((double[]){__VA_ARGS__}) / sizeof(double), (double[]){__VA_ARGS__})

static kt_legacy_weights_options from(const char *version, const char *backend) {
    return (kt_legacy_weights_options){.from = kt_legacy_origin_of(version, backend)};
}

/* Convolutions --------------------------------------------------------------------------------- */

static kt_layer *conv(void) { return kt_conv2d(1, kt_hw(2, 3), .use_bias = false, .name = "c"); }

static kt_status load_conv(kt_layer *c, kt_shape shape, const char *version, const char *backend) {
    kt_model *m = kt_sequential(kt_list(kt_input({4, 4, 2}), c));
    file f = file_begin();
    add_layer(&f, "c", 1, &(array){shape, 0, 1});
    const kt_legacy_weights_options o = from(version, backend);
    return load(&f, m, &o);
}

KT_TEST(legacy_weights, kernels_of_theano_are_flipped) {
    kt_layer *c = conv(), *d = conv(), *e = conv();
    kt_check_status(load_conv(c, kt_dims(2, 3, 2, 1), "2.0.8", "theano"), KT_OK);
    CHECK_WEIGHT(c, 0, 10, 11, 8, 9, 6, 7, 4, 5, 2, 3, 0, 1);
    kt_check_status(load_conv(d, kt_dims(2, 3, 2, 1), "2.0.8", "tensorflow"), KT_OK);
    CHECK_WEIGHT(d, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11);
    kt_check_status(load_conv(e, kt_dims(2, 3, 2, 1), "2.1.0", "cntk"), KT_OK);
    CHECK_WEIGHT(e, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11);
}

KT_TEST(legacy_weights, kernels_in_theanos_order_are_transposed) {
    kt_layer *c = conv(), *d = conv();
    /* (out, in, rows, cols) = (1, 2, 2, 3): channel 0 has 0 … 5, channel 1 has 6 … 11 */
    kt_check_status(load_conv(c, kt_dims(1, 2, 2, 3), NULL, NULL), KT_OK);
    CHECK_WEIGHT(c, 0, 5, 11, 4, 10, 3, 9, 2, 8, 1, 7, 0, 6);
    kt_check_status(load_conv(d, kt_dims(1, 2, 2, 3), "1.2.2", "tensorflow"), KT_OK);
    CHECK_WEIGHT(d, 0, 0, 6, 1, 7, 2, 8, 3, 9, 4, 10, 5, 11);
    kt_check_status(load_conv(conv(), kt_dims(1, 2, 2, 3), "2.2.4", "tensorflow"), KT_ESHAPE);
    kt_check_message_has("(2, 3, 2, 1)");
    kt_check_message_has("(1, 2, 2, 3)");
    kt_check_status(load_conv(conv(), kt_dims(1, 2, 3, 3), NULL, NULL), KT_ESHAPE);
}

KT_TEST(legacy_weights, conv1d_of_keras_1_had_four_axes) {
    kt_layer *c = kt_conv1d(2, 3, .use_bias = false, .name = "c");
    kt_model *m = kt_sequential(kt_list(kt_input({5, 1}), c));
    file f = file_begin();
    add_layer(&f, "c", 1, &(array){kt_dims(3, 1, 1, 2), 0, 1});
    const kt_legacy_weights_options o = from("1.2.2", NULL);
    kt_check_status(load(&f, m, &o), KT_OK);
    CHECK_WEIGHT(c, 0, 0, 1, 2, 3, 4, 5);
}

/* Recurrent layers ----------------------------------------------------------------------------- */

/* Every gate's arrays hold one number: 10 gate + part. */
static void add_gates(file *f, const char *name, int gates) {
    array a[12];
    for (int g = 0; g < gates; g++) {
        a[3 * g] = (array){kt_dims(2, 1), 10 * g, 0};
        a[3 * g + 1] = (array){kt_dims(1, 1), 10 * g + 1, 0};
        a[3 * g + 2] = (array){kt_dims(1), 10 * g + 2, 0};
    }
    add_layer(f, name, 3 * gates, a);
}

KT_TEST(legacy_weights, gates_of_keras_1_were_arrays_of_their_own) {
    kt_layer *l = kt_lstm(1, .name = "l", .return_sequences = true);
    kt_layer *g = kt_gru(1, .name = "g", .reset_after = false);
    kt_model *m = kt_sequential(kt_list(kt_input({3, 2}), l));
    kt_model *n = kt_sequential(kt_list(kt_input({3, 2}), g));
    const kt_legacy_weights_options o = from("1.2.2", NULL);
    file f = file_begin(), h = file_begin();
    add_gates(&f, "l", 4);
    add_gates(&h, "g", 3);
    kt_check_status(load(&f, m, &o), KT_OK); /* i, c, f, o -> i, f, c, o */
    CHECK_WEIGHT(l, 0, 0, 20, 10, 30, 0, 20, 10, 30);
    CHECK_WEIGHT(l, 1, 1, 21, 11, 31);
    CHECK_WEIGHT(l, 2, 2, 22, 12, 32);
    kt_check_status(load(&h, n, &o), KT_OK);
    CHECK_WEIGHT(g, 0, 0, 10, 20, 0, 10, 20);
    CHECK_WEIGHT(g, 1, 1, 11, 21);
    CHECK_WEIGHT(g, 2, 2, 12, 22);
}

/* Two units, three inputs: each gate's kernel is reshaped from C to Fortran order. */
KT_TEST(legacy_weights, cudnn_lstm) {
    kt_layer *l = kt_lstm(2, .name = "l");
    kt_model *m = kt_sequential(kt_list(kt_input({4, 3}), l));
    file f = file_begin();
    add_layer(
        &f, "l", 3, (array[]){{kt_dims(3, 8), 0, 1}, {kt_dims(2, 8), 0, 1}, {kt_dims(16), 0, 1}});
    const kt_legacy_weights_options o = from("2.2.4", "tensorflow");
    kt_check_status(load(&f, m, &o), KT_OK);
    /* gate 0 is [[0, 1], [8, 9], [16, 17]]: its values in order, filled in by columns */
    static const double gate[3][2] = {{0, 9}, {1, 16}, {8, 17}};
    for (int i = 0; i < 3; i++)
        for (int j = 0; j < 8; j++)
            assert_true(weight(l, 0, i * 8 + j) == gate[i][j % 2] + j / 2 * 2);
    for (int i = 0; i < 2; i++)
        for (int j = 0; j < 8; j++) /* transposed gate by gate */
            assert_true(weight(l, 1, i * 8 + j) == j % 2 * 8 + j / 2 * 2 + i);
    for (int j = 0; j < 8; j++) assert_true(weight(l, 2, j) == j + (8 + j));
}

KT_TEST(legacy_weights, cudnn_gru) {
    kt_layer *l = kt_gru(2, .name = "l");
    kt_model *m = kt_sequential(kt_list(kt_input({4, 2}), l));
    file f = file_begin();
    add_layer(
        &f, "l", 3, (array[]){{kt_dims(2, 6), 0, 1}, {kt_dims(2, 6), 0, 1}, {kt_dims(12), 0, 1}});
    const kt_legacy_weights_options o = from("2.2.4", "tensorflow");
    kt_check_status(load(&f, m, &o), KT_OK);
    for (int i = 0; i < 2; i++)
        for (int j = 0; j < 6; j++)
            assert_true(weight(l, 1, i * 6 + j) == j % 2 * 6 + j / 2 * 2 + i);
    for (int j = 0; j < 12; j++) assert_true(weight(l, 2, j) == j);
    kt_layer *old = kt_gru(2, .name = "l", .reset_after = false);
    kt_model *n = kt_sequential(kt_list(kt_input({4, 2}), old));
    file g = file_begin();
    add_layer(
        &g, "l", 3, (array[]){{kt_dims(2, 6), 0, 1}, {kt_dims(2, 6), 0, 1}, {kt_dims(12), 0, 1}});
    kt_check_status(load(&g, n, &o), KT_ESHAPE); /* other formulas: Keras refuses it too */
}

/* Names and numbers ---------------------------------------------------------------------------- */

static kt_model *two_dense(kt_layer **a, kt_layer **b) {
    *a = kt_dense(2, .name = "a", .kernel_initializer = "zeros");
    *b = kt_dense(1, .name = "b", .kernel_initializer = "zeros");
    return kt_sequential(kt_list(kt_input({1}), *a, *b));
}

static const array dense_a[] = {{{2, {1, 2}}, 1, 1}, {{1, {2}}, 3, 1}};
static const array dense_b[] = {{{2, {2, 1}}, 5, 1}, {{1, {1}}, 7, 1}};

KT_TEST(legacy_weights, in_order_or_by_name) {
    kt_layer *a, *b;
    kt_legacy_weights_options o = from("2.2.4", "tensorflow");
    kt_model *m = two_dense(&a, &b);
    file f = file_begin();
    add_layer(&f, "x", 2, dense_a);
    add_layer(&f, "nothing", 0, NULL);
    add_layer(&f, "y", 2, dense_b);
    kt_check_status(load(&f, m, &o), KT_OK); /* names do not matter */
    CHECK_WEIGHT(a, 0, 1, 2);
    CHECK_WEIGHT(b, 1, 7);
    m = two_dense(&a, &b);
    o.by_name = true;
    file g = file_begin();
    add_layer(&g, "other", 1, &(array){kt_dims(5), 0, 1});
    add_layer(&g, "b", 2, dense_b);
    kt_check_status(load(&g, m, &o), KT_OK);
    CHECK_WEIGHT(a, 0, 0, 0);
    CHECK_WEIGHT(b, 0, 5, 6);
}

KT_TEST(legacy_weights, what_does_not_fit_changes_nothing) {
    kt_layer *a, *b;
    kt_legacy_weights_options o = from("2.2.4", "tensorflow");
    kt_model *m = two_dense(&a, &b);
    file f = file_begin(), g = file_begin(), h = file_begin(), i = file_begin();
    add_layer(&f, "a", 2, dense_a);
    kt_check_status(load(&f, m, &o), KT_ESHAPE);
    kt_check_message_has("the number of layers with weights does not fit");
    add_layer(&g, "a", 2, dense_a);
    add_layer(&g, "b", 1, dense_b);
    kt_check_status(load(&g, m, &o), KT_ESHAPE);
    kt_check_message_has("layer \"b\" of the model, \"b\" of the file");
    add_layer(&h, "a", 2, dense_a);
    add_layer(&h, "b", 2, dense_a);
    kt_check_status(load(&h, m, &o), KT_ESHAPE);
    kt_check_message_has("b/kernel");
    file j = file_begin(); /* a layer without its list of weights */
    kt_hdf5_put_copy(kt_hdf5_writer_root(j.w), "a/kernel", KT_INT32, (kt_shape){0}, &(int){1});
    j.layers[j.n++] = "a";
    kt_check_status(load(&j, m, &o), KT_EFORMAT);
    kt_check_message_has("there is no attribute \"weight_names\"");
    CHECK_WEIGHT(a, 0, 0, 0);
    o.skip_mismatch = true;
    add_layer(&i, "a", 2, dense_a);
    add_layer(&i, "b", 2, (array[]){{kt_dims(3, 1), 5, 1}, {kt_dims(1), 7, 1}});
    kt_check_status(load(&i, m, &o), KT_OK);
    CHECK_WEIGHT(a, 0, 1, 2);
    CHECK_WEIGHT(b, 0, 0, 0); /* left alone */
    CHECK_WEIGHT(b, 1, 7);
}

/* Written and read ----------------------------------------------------------------------------- */

static kt_model *trained(void) {
    kt_model *inner = kt_sequential(
        kt_list(kt_input({3}), kt_dense(3, .activation = "tanh"), kt_batch_normalization()),
        .name = "inner");
    kt_model *m = kt_sequential(kt_list(kt_input({3}), inner, kt_dropout(0.1), kt_dense(2)));
    kt_model_compile(m, .optimizer = "adam", .loss = "mse", .metrics = kt_list("mae"));
    kt_tensor *x = kt_tensor_new(KT_FLOAT32, kt_dims(8, 3), NULL);
    kt_tensor *y = kt_tensor_new(KT_FLOAT32, kt_dims(8, 2), NULL);
    for (int i = 0; i < 24; i++) kt_tensor_set(x, i, (i * 7 % 11 - 5) / 4.0);
    for (int i = 0; i < 16; i++) kt_tensor_set(y, i, (i * 5 % 7 - 3) / 2.0);
    assert_false(kt_failed(kt_model_fit(m, x, y, .epochs = 2, .verbose = 0)));
    return m;
}

static kt_model *reload(const char *path) {
    kt_hdf5 *h;
    kt_check_status(kt_hdf5_open(&h, path, NULL), KT_OK);
    assert_true(kt_legacy_is_model(h));
    kt_model *m = kt_legacy_load_model(h, path, true);
    kt_hdf5_close(h);
    if (kt_failed(m)) fail_msg("%s", kt_error_message());
    return m;
}

KT_TEST(legacy_weights, a_saved_model_comes_back) {
    char first[] = "/tmp/kt_legacy_XXXXXX", second[] = "/tmp/kt_legacy_XXXXXX";
    close(mkstemp(first));
    close(mkstemp(second));
    kt_model *m = trained();
    kt_check_status(kt_legacy_save(m, first, true), KT_OK);
    kt_model *n = reload(first);
    assert_int_equal(kt_layer_n_weights(n), kt_layer_n_weights(m));
    for (int i = 0; i < kt_layer_n_weights(m); i++)
        for (int64_t k = 0; k < kt_tensor_size(kt_var_value(kt_layer_weight(m, i))); k++)
            assert_true(weight(n, i, k) == weight(m, i, k));
    kt_check_status(kt_legacy_save(n, second, true), KT_OK); /* the state too: same bytes */
    unsigned char *a, *b;
    size_t n_a, n_b;
    kt_check_status(kt_fs_load(&a, &n_a, first, 1 << 20), KT_OK);
    kt_check_status(kt_fs_load(&b, &n_b, second, 1 << 20), KT_OK);
    assert_int_equal(n_a, n_b);
    assert_memory_equal(a, b, n_a);
    kt_mem_free(a);
    kt_mem_free(b);
    unlink(first);
    unlink(second);
}

/* Through the public functions. */
KT_TEST(legacy_weights, files_by_name) {
    char folder[] = "/tmp/kt_legacy_XXXXXX", path[64], weights[64];
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/m.h5", folder);
    snprintf(weights, sizeof weights, "%s/w.h5", folder);
    kt_model *m = trained();
    kt_check_status(kt_model_save(m, path), KT_OK);
    kt_model *n = kt_load_model(path);
    if (kt_failed(n)) fail_msg("%s", kt_error_message());
    assert_true(kt_model_is_compiled(n));
    kt_check_status(kt_model_save_weights(m, weights), KT_OK);
    kt_check_fails(kt_load_model(weights), KT_EFORMAT, "holds weights and no model");
    kt_model *p = trained();
    kt_check_status(kt_model_load_weights(p, weights), KT_OK);
    kt_check_status(kt_model_load_weights(p, path, .by_name = true), KT_OK);
    for (int i = 0; i < kt_layer_n_weights(m); i++) {
        assert_true(weight(n, i, 0) == weight(m, i, 0));
        assert_true(weight(p, i, 0) == weight(m, i, 0));
    }
    unlink(path);
    unlink(weights);
    rmdir(folder);
}

/* Files that fit and files that do not: what real Keras does with them (load_weights.py). */

static kt_model *made(int which) {
    static const struct {
        const char *name;
        int units, bias; /* units 0: Activation, -1: BatchNormalization */
    } layers[][3] = {
        {{"a", 3, 1}, {"b", 2, 1}},
        {{"a", 3, 0}, {"b", 2, 1}},
        {{"a", 0, 0}, {"b", 2, 1}},
        {{"a", 5, 1}, {"b", 2, 1}},
        {{"x", 3, 1}, {"b", 2, 1}},
        {{"a", 3, 1}, {"c", 3, 1}, {"b", 2, 1}},
        {{"a", 3, 1}, {"b", -1, 0}},
        {{"b", 3, 1}, {"a", 2, 1}},
        {{"a", 3, 0}, {"b", 2, 0}},
        {{"a", 3, 1}, {"r", 0, 0}, {"b", 2, 1}},
        {{"a", 3, 1}, {"b", 4, 1}},
    };
    kt_sym *in = kt_input({4}), *x = in;
    for (int i = 0; i < 3 && layers[which][i].name; i++) {
        const char *name = layers[which][i].name;
        const int units = layers[which][i].units;
        if (units > 0)
            x = kt_call(kt_dense(units, .use_bias = layers[which][i].bias, .name = name), x);
        else if (units)
            x = kt_call(kt_batch_normalization(.name = name), x);
        else
            x = kt_call(kt_activation("relu", .name = name), x);
    }
    return kt_functional(in, x);
}

static void fill(kt_model *m, double value) {
    for (int i = 0; i < kt_layer_n_weights(m); i++) {
        kt_var *v = kt_layer_weight(m, i);
        kt_tensor *t = kt_tensor_new(KT_FLOAT32, kt_tensor_shape(kt_var_value(v)), NULL);
        for (int64_t k = 0; k < kt_tensor_size(t); k++) kt_tensor_set(t, k, value);
        kt_check_status(kt_var_assign(v, t), KT_OK);
        kt_free(t);
    }
}

KT_TEST(legacy_weights, outcomes_are_those_of_keras) {
    enum { MODELS = 11, WAYS = 6, WEIGHTS = 6 };
    char folder[] = "/tmp/kt_legacy_XXXXXX", path[MODELS][2][64];
    kt_npz *npz;
    kt_check_status(kt_npz_open(&npz, "tests/golden/load_weights.npz"), KT_OK);
    kt_tensor *want = kt_npz_read(npz, "outcomes");
    kt_npz_close(npz);
    assert_int_equal(kt_tensor_size(want), MODELS * MODELS * WAYS * WEIGHTS);
    assert_non_null(mkdtemp(folder));
    for (int i = 0; i < MODELS; i++) {
        kt_model *m = made(i);
        fill(m, 7);
        for (int old = 0; old < 2; old++) {
            snprintf(path[i][old], 64, "%s/%d%s.h5", folder, i, old ? "" : ".weights");
            kt_check_status(kt_model_save_weights(m, path[i][old]), KT_OK);
        }
    }
    for (int at = 0; at < MODELS * MODELS * WAYS; at++) {
        const int way = at % WAYS, from = at / WAYS % MODELS, which = at / WAYS / MODELS;
        kt_model *m = made(which);
        fill(m, 1);
        const kt_status st = kt_model_load_weights(
            m, path[from][way < 4], .by_name = way == 2 || way == 3, .skip_mismatch = way % 2);
        for (int i = 0; i < WEIGHTS; i++) {
            const int was = (int)kt_tensor_get(want, (int64_t)at * WEIGHTS + i);
            const bool there = i < kt_layer_n_weights(m);
            const int is = st ? -2 : there ? (int)weight(m, i, 0) : -1;
            if (is != was || (st && there && weight(m, i, 0) != 1))
                fail_msg(
                    "model %d, file %d, way %d, weight %d: %d, Keras %d (%s)",
                    which,
                    from,
                    way,
                    i,
                    is,
                    was,
                    kt_error_message());
        }
        kt_error_clear();
        kt_free(m);
    }
    for (int i = 0; i < MODELS; i++)
        for (int old = 0; old < 2; old++) unlink(path[i][old]);
    rmdir(folder);
}
