/* Models that are more than lists, by real Keras (tools/golden/graphs.py) and made here: nested
 * inputs and outputs, models that begin inside another one, operations in an .h5. They predict the
 * same, and saved, loaded and saved again they are the same file. With KT_INTEROP_OUT set to a
 * folder they are written there as graph_NAME.keras for interop.py (make interop). */
#include "base/fs.h"
#include "base/mem.h"
#include "io/npz.h"
#include "model/model.h"
#include "testing/kt_layers.h"
#include "testing/kt_models.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MOST 4
typedef struct {
    int n_in, n_out;
    kt_tensor *x[MOST], *p[MOST];
} data;

static kt_ref inputs(const data *d) {
    return d->n_in == 1 ? (kt_ref)d->x[0] : kt_list_of(d->n_in, (const void *const *)d->x);
}

static void check_predictions(kt_model *m, const data *d) {
    kt_list_t *p = kt_model_predict_list(m, inputs(d), .verbose = 0);
    kt_check_ok(p);
    assert_int_equal(kt_list_len(p), d->n_out);
    for (int i = 0; i < d->n_out; i++)
        kt_check_tensors_near(kt_list_get(p, i), d->p[i], 1e-5, 1e-6);
}

static void check_same_file(const char *a, const char *b) {
    unsigned char *da, *db;
    size_t na, nb;
    kt_check_status(kt_fs_load(&da, &na, a, 1 << 24), KT_OK);
    kt_check_status(kt_fs_load(&db, &nb, b, 1 << 24), KT_OK);
    assert_int_equal(na, nb);
    assert_memory_equal(da, db, na);
    kt_mem_free(da);
    kt_mem_free(db);
}

static void keep(kt_model *m, const char *name, const data *d) {
    const char *folder = getenv("KT_INTEROP_OUT"), *names[2 * MOST];
    const kt_tensor *arrays[2 * MOST];
    char path[300], text[2 * MOST][16];
    if (!folder) return;
    snprintf(path, sizeof path, "%s/graph_%s.keras", folder, name);
    kt_check_status(kt_model_save(m, path), KT_OK);
    for (int i = 0; i < d->n_in + d->n_out; i++) {
        const bool out = i >= d->n_in;
        snprintf(text[i], sizeof text[i], "%c%d", out ? 'p' : 'x', out ? i - d->n_in : i);
        names[i] = text[i];
        arrays[i] = out ? d->p[i - d->n_in] : d->x[i];
    }
    snprintf(path, sizeof path, "%s/graph_%s.npz", folder, name);
    kt_check_status(kt_npz_write(path, d->n_in + d->n_out, names, arrays), KT_OK);
}

/* Through a file of that form and back, twice. */
static void check_form(kt_model *m, const data *d, const char *form) {
    char a[64], b[64];
    snprintf(a, sizeof a, "/tmp/keratin_graph_%d_a%s", (int)getpid(), form);
    snprintf(b, sizeof b, "/tmp/keratin_graph_%d_b%s", (int)getpid(), form);
    kt_check_status(kt_model_save(m, a), KT_OK);
    kt_model *again = kt_load_model(a);
    if (kt_failed(again)) fprintf(stderr, "%s\n", kt_error_message());
    kt_check_ok(again);
    check_predictions(again, d);
    kt_check_status(kt_model_save(again, b), KT_OK);
    check_same_file(a, b);
    unlink(a);
    unlink(b);
}

static void check_forms(kt_model *m, const data *d) {
    check_predictions(m, d);
    check_form(m, d, ".keras");
    check_form(m, d, ".h5");
}

static kt_tensor *member(kt_npz *npz, const char *name, const char *what, int i) {
    char key[64];
    snprintf(key, sizeof key, i < 0 ? "%s/%s" : "%s/%s%d", name, what, i);
    for (int k = 0; k < kt_npz_count(npz); k++)
        if (!strcmp(kt_npz_name(npz, k), key)) return kt_npz_read(npz, key);
    return NULL;
}

/* A file of Keras; its text has `has` in it, and ours afterwards too. */
static void check_case(const char *name, const char *form, const char *has) {
    char path[64];
    data d = {0};
    kt_npz *npz;
    kt_check_status(kt_npz_open(&npz, "tests/golden/graphs.npz"), KT_OK);
    snprintf(path, sizeof path, "/tmp/keratin_graph_%d%s", (int)getpid(), form);
    kt_tensor *bytes = member(npz, name, "file", -1);
    kt_check_status(kt_fs_save(path, kt_tensor_data(bytes), (size_t)kt_tensor_size(bytes)), KT_OK);
    while (d.n_in < MOST && (d.x[d.n_in] = member(npz, name, "x", d.n_in))) d.n_in++;
    while (d.n_out < MOST && (d.p[d.n_out] = member(npz, name, "p", d.n_out))) d.n_out++;
    for (int i = 0; i < d.n_in; i++) kt_retain(d.x[i]);
    kt_model *m = kt_load_model(path);
    if (kt_failed(m)) fprintf(stderr, "%s: %s\n", name, kt_error_message());
    kt_check_ok(m);
    unlink(path);
    check_forms(m, &d);
    const char *text = kt_text_str(kt_model_to_json(m));
    if (!strstr(text, has)) fprintf(stderr, "%s: %s\n", name, text);
    assert_non_null(strstr(text, has));
    keep(m, name, &d);
    for (int i = 0; i < d.n_in; i++) kt_free(d.x[i]);
    kt_npz_close(npz);
}

KT_TEST(graphs, dicts) {
    check_case(
        "dicts",
        ".keras",
        "\"input_layers\": {\"b\": [\"b\", 0, 0], \"a\": [\"a\", 0, 0], \"g\": [[\"c\", 0, 0]]}, "
        "\"output_layers\": {\"p\": [\"one\", 0, 0], \"a\": [[\"two\", 0, 0], {\"z\": [\"three\", "
        "0, 0], \"y\": [\"one\", 0, 0]}]}");
}

KT_TEST(graphs, lists) {
    check_case(
        "lists",
        ".keras",
        "\"input_layers\": [[\"a\", 0, 0], [[\"b\", 0, 0], [[\"c\", 0, 0]]]], \"output_layers\": "
        "[[\"one\", 0, 0], [[\"two\", 0, 0]], [[\"three\", 0, 0], [\"one\", 0, 0]]]");
}

KT_TEST(graphs, models_called_with_dicts) {
    check_case("called", ".keras", "\"kwargs\": {\"mask\": {\"a\": null, \"b\": null}}");
}

KT_TEST(graphs, models_that_begin_inside_another) {
    check_case("tail", ".keras", "\"name\": \"keras_tensor");
}

KT_TEST(graphs, operations_without_a_module) {
    check_case(
        "operations", ".h5", "\"module\": \"keras.src.ops.numpy\", \"class_name\": \"Flip\"");
}

KT_TEST(graphs, states_and_lengths) {
    check_case(
        "states",
        ".keras",
        "{\"shapes_dict\": {\"sequences_shape\": [null, 4, 3], \"initial_state_shape\": [null, "
        "3]}}");
    check_case("states", ".keras", "\"build_config\": {\"input_shape\": [null, 5, 2]}");
    check_case(
        "states",
        ".keras",
        "\"kwargs\": {\"initial_state\": {\"class_name\": \"__keras_tensor__\", \"config\": "
        "{\"shape\": [null, 3], \"dtype\": \"float32\", \"keras_history\": [\"encoder\", 0, 1]}}}");
}

/* Made here ------------------------------------------------------------------------------------ */

static void predict(kt_model *m, data *d) {
    kt_check_ok(m);
    kt_list_t *p = kt_model_predict_list(m, inputs(d), .verbose = 0);
    kt_check_ok(p);
    assert_true(kt_list_len(p) <= MOST);
    for (d->n_out = 0; d->n_out < kt_list_len(p); d->n_out++)
        d->p[d->n_out] = kt_retain((kt_tensor *)(uintptr_t)kt_list_get(p, d->n_out));
}

static void release(data *d) {
    for (int i = 0; i < d->n_in; i++) kt_free(d->x[i]);
    for (int i = 0; i < d->n_out; i++) kt_free(d->p[i]);
}

static kt_tensor *random_rows(int64_t n, uint64_t seed) {
    return kt_retain(kt_test_tensor(KT_FLOAT32, kt_dims(3, n), -1, 1, &seed));
}

KT_TEST(graphs, a_part_has_an_input_of_its_own) {
    kt_sym *x = kt_input({4}, .name = "x");
    kt_sym *mid = kt_call(kt_dense(3, "tanh", .name = "first"), x);
    kt_sym *y = kt_call(kt_dense(2, .name = "second"), mid);
    kt_sym *z = kt_call(kt_concatenate(.name = "both"), kt_list(y, mid, x));
    kt_model *whole = kt_functional(x, z);
    kt_model *m = kt_functional(kt_list(mid, x), z, .name = "part");
    kt_check_ok(m);
    assert_int_equal(kt_model_n_layers(m), 4); /* two inputs, second, both */
    assert_null(kt_model_get_layer(m, "first"));
    kt_check_str(kt_model_input_name(m, 0), "keras_tensorCLONE");
    kt_check_str(kt_model_input_name(m, 1), "x");
    assert_int_equal(kt_list_len(kt_get_weights(m)), 2);
    data d = {.n_in = 2, .x = {random_rows(3, 1), random_rows(4, 2)}};
    predict(m, &d);
    check_forms(m, &d);
    keep(m, "part", &d);
    release(&d);
    kt_check_ok(whole); /* shares the layers */
    assert_ptr_equal(kt_model_get_layer(whole, "second"), kt_model_get_layer(m, "second"));
}

KT_TEST(graphs, one_output_of_a_call_may_be_an_input) {
    kt_sym *x = kt_input({5, 2});
    kt_sym *all = kt_call(kt_lstm(3, .return_state = true, .name = "lstm"), x);
    kt_sym *state = kt_item(all, 2);
    kt_model *m = kt_functional(state, kt_call(kt_dense(2), state));
    kt_check_ok(m);
    assert_null(kt_model_get_layer(m, "lstm"));
    kt_check_fails(/* the other output still needs x */
                   kt_functional(state, kt_call(kt_add(), kt_list(state, kt_item(all, 0)))),
                   KT_EINVAL,
                   "give every kt_input()");
    data d = {.n_in = 1, .x = {random_rows(3, 3)}};
    predict(m, &d);
    check_forms(m, &d);
    release(&d);
}

KT_TEST(graphs, nested_ends) {
    kt_sym *a = kt_input({4}, .name = "a"), *b = kt_input({3}, .name = "b");
    kt_sym *y = kt_call(kt_dense(2, .name = "y"), a), *z = kt_call(kt_dense(1, .name = "z"), b);
    kt_model *m = kt_functional(
        kt_dict("b", b, "a", a), kt_dict("second", kt_list(z, y), "first", y), .name = "nested");
    kt_check_ok(m);
    kt_check_str(kt_model_input_name(m, 0), "a"); /* flat, dicts are sorted */
    kt_check_str(kt_model_output_name(m, 0), "first");
    kt_check_str(kt_model_output_name(m, 1), "z");
    data d = {.n_in = 2, .x = {random_rows(4, 4), random_rows(3, 5)}};
    predict(m, &d);
    check_forms(m, &d);
    keep(m, "nested", &d);
    release(&d);
    /* called with the same structure, or flat */
    kt_sym *q = kt_input({4}), *r = kt_input({3});
    kt_sym *out = kt_call(m, kt_dict("b", r, "a", q));
    kt_model *outer = kt_functional(kt_list(q, r), kt_list(kt_item(out, 0), kt_item(out, 1)));
    d = (data){.n_in = 2, .x = {random_rows(4, 4), random_rows(3, 5)}};
    predict(outer, &d);
    check_forms(outer, &d);
    keep(outer, "outer", &d);
    release(&d);
}

KT_TEST(graphs, a_layer_may_take_a_dict) {
    kt_sym *images = kt_input({4, 5, 1}, .name = "x"), *labels = kt_input({2}, .name = "l");
    kt_layer *mix = kt_mix_up(.name = "mix");
    kt_sym *y = kt_call(mix, kt_dict("labels", labels, "images", images));
    kt_model *m = kt_functional(
        kt_list(images, labels), kt_list(kt_item(y, 0), kt_item(y, 1)), .name = "dict");
    kt_check_ok(m);
    const char *json = kt_text_str(kt_model_to_json(m));
    assert_non_null(strstr(json, "\"args\": [{\"images\": {\"class_name\""));
    assert_non_null(
        strstr(json, "\"input_shape\": {\"images\": [null, 4, 5, 1], \"labels\": [null, 2]}"));
    uint64_t seed = 9;
    data d = {.n_in = 2, .x = {NULL, random_rows(2, 5)}};
    d.x[0] = kt_retain(kt_test_tensor(KT_FLOAT32, kt_dims(3, 4, 5, 1), -1, 1, &seed));
    predict(m, &d);
    check_forms(m, &d);
    keep(m, "dict", &d);
    release(&d);
    kt_str masks = {0};
    kt_str_add(&masks, json);
    for (char *at = masks.s; (at = strstr(at, "\"labels\": {")) != NULL; at++) at[1] = 'm';
    kt_check_fails(kt_model_from_json(masks.s), KT_EUNSUPPORTED, "input \"mabels\"");
    kt_str_free(&masks);
}

/* Built at its first call, which is not the one that a walk from the outputs meets first. */
KT_TEST(graphs, a_shared_layer_keeps_what_it_was_built_for) {
    kt_layer *shared = kt_dense(3, .name = "shared");
    kt_sym *e = kt_input({5, 2}, .name = "e"), *d = kt_input({4, 2}, .name = "d");
    kt_sym *x = kt_call(shared, e), *y = kt_call(shared, d);
    x = kt_call(kt_global_average_pooling1d(), x);
    y = kt_call(kt_global_average_pooling1d(), y);
    kt_model *m = kt_functional(kt_list(e, d), kt_call(kt_subtract(), kt_list(y, x)));
    kt_check_ok(m);
    uint64_t seed = 9;
    data in = {.n_in = 2};
    in.x[0] = kt_retain(kt_test_tensor(KT_FLOAT32, kt_dims(3, 5, 2), -1, 1, &seed));
    in.x[1] = kt_retain(kt_test_tensor(KT_FLOAT32, kt_dims(3, 4, 2), -1, 1, &seed));
    const char *built = "\"build_config\": {\"input_shape\": [null, 5, 2]}";
    assert_non_null(strstr(kt_text_str(kt_model_to_json(m)), built));
    predict(m, &in);
    assert_non_null(strstr(kt_text_str(kt_model_to_json(m)), built));
    check_forms(m, &in);
    kt_model *again = kt_model_from_json(kt_text_str(kt_model_to_json(m)));
    kt_check_str(kt_text_str(kt_model_to_json(again)), kt_text_str(kt_model_to_json(m)));
    keep(m, "shared", &in);
    release(&in);
}

KT_TEST(graphs, outputs_in_a_dict_go_by_their_keys) {
    kt_sym *x = kt_input({4});
    kt_sym *y = kt_call(kt_dense(1, .name = "dy"), x), *z = kt_call(kt_dense(1, .name = "dz"), x);
    kt_model *m = kt_functional(x, kt_dict("z", z, "y", y));
    kt_check_status(kt_model_compile(m, "sgd", kt_dict("y", "mae", "z", "mse")), KT_OK);
    data d = {.n_in = 1, .x = {random_rows(4, 6)}};
    kt_tensor *t = random_rows(1, 7);
    kt_logs *logs = kt_model_train_on_batch(m, d.x[0], kt_dict("y", t, "z", t));
    kt_check_ok(logs);
    kt_free(logs);
    kt_check_status(kt_model_compile(m, "sgd", kt_dict("dy", "mae", "dz", "mse")), KT_EINVAL);
    kt_free(t);
    release(&d);
}

/* Names of the optimizer's variables in an .h5, where the file is `path`. */
static void check_slots(kt_model *m, const char *path, int n, const char *const *want) {
    kt_tensor *x = random_rows(4, 8), *y = random_rows(1, 9);
    kt_check_status(kt_model_compile(m, kt_opt_sgd(.momentum = 0.5, .name = "sgd"), "mse"), KT_OK);
    kt_logs *logs = kt_model_train_on_batch(m, x, y);
    kt_check_ok(logs);
    kt_free(logs);
    kt_check_status(kt_model_save(m, path), KT_OK);
    kt_file *f = kt_file_open(path);
    kt_check_ok(f);
    for (int i = 0; i < n; i++) {
        char name[128];
        snprintf(name, sizeof name, "optimizer_weights/sgd/%s", want[i]);
        if (kt_file_find_var(f, name) < 0) fprintf(stderr, "no %s\n", name);
        assert_true(kt_file_find_var(f, name) >= 0);
    }
    kt_model *again = kt_load_model(path);
    kt_check_ok(again);
    for (int i = 0; i < 2; i++) { /* the state is there, and of the right weights */
        kt_model *one = i ? again : m;
        logs = kt_model_train_on_batch(one, x, y);
        kt_check_ok(logs);
        kt_free(logs);
    }
    kt_list_t *a = kt_get_weights(m), *b = kt_get_weights(again);
    for (int i = 0; i < kt_list_len(a); i++)
        kt_check_tensors_near(kt_list_get(b, i), kt_list_get(a, i), 0, 0);
    kt_free(x);
    kt_free(y);
    unlink(path);
}

static kt_model *part(const char *name) {
    kt_sym *x = kt_input({4});
    return kt_functional(x, kt_call(kt_dense(4, .name = "same"), x), .name = name);
}

KT_TEST(graphs, names_of_slots_are_those_of_keras) {
    static const char *const plain[] = {"same_kernel_momentum", "seq_one_bias_momentum"};
    static const char *const twice[] = {
        "same_kernel_momentum", "same_kernel_momentum_1", "same_bias_momentum_1"};
    char path[64];
    snprintf(path, sizeof path, "/tmp/keratin_graph_%d_slots.h5", (int)getpid());
    kt_sym *x = kt_input({4});
    kt_model *seq = kt_sequential(
        kt_list(kt_input({4}), kt_dense(1, .name = "one")), .name = "seq");
    check_slots(kt_functional(x, kt_call(seq, kt_call(part("a"), x))), path, 2, plain);
    x = kt_input({4}); /* two of a name, which Keras cannot save */
    kt_sym *y = kt_call(kt_dense(1), kt_call(part("b"), kt_call(part("a"), x)));
    check_slots(kt_functional(x, y), path, 3, twice);
}

KT_TEST(graphs, rejects_wrong_structures) {
    kt_sym *x = kt_input({4}), *y = kt_call(kt_dense(1), x);
    kt_check_fails(kt_functional(x, kt_list(y, kt_list_of(0, NULL))), KT_EINVAL, "without tensors");
    kt_check_fails(kt_functional(x, kt_list_of(0, NULL)), KT_EINVAL, "outputs: a list without");
    kt_check_fails(kt_functional(x, kt_dict("a", y, "a", x)), KT_EINVAL, "twice");
    kt_check_fails(kt_functional(x, kt_dict("a", "b")), KT_EINVAL, "outputs: expected a symbolic");
    kt_check_fails(kt_functional(x, kt_list(kt_list(y, kt_num(1)))), KT_EINVAL, "outputs");
    kt_ref deep = y;
    for (int i = 0; i < 20; i++) deep = kt_list(deep);
    kt_check_fails(kt_functional(x, deep), KT_ELIMIT, "deep");
    kt_sym *scalar = kt_op_sum(y, KT_NONE, false);
    kt_check_fails(kt_functional(scalar, kt_op_exp(scalar)), KT_ESHAPE, "batch axis");
}
