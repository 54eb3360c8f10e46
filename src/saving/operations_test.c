/* Models of operations by real Keras (tools/golden/ops.py): what they predict, and the same after
 * their JSON went through us. With KT_INTEROP_OUT set to a folder they are written there as
 * op_NAME.keras for interop.py (make interop). */
#include "base/fs.h"
#include "base/mem.h"
#include "io/json.h"
#include "io/npz.h"
#include "testing/kt_test.h"

#include <keratin/keratin.h>
#include <keratin/ops_creation.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static kt_json *parse(const kt_tensor *t) {
    kt_json *v = NULL;
    const char *text = kt_tensor_data(t);
    kt_check_status(kt_json_parse(&v, text, (size_t)kt_tensor_size(t), NULL), KT_OK);
    return v;
}

/* Kinds that Keras has and we do not, which must be named. */
static bool is_missing(const char *name) {
    static const char *const names[] = {"fft"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (!strcmp(names[i], name)) return true;
    return false;
}

static bool has(kt_npz *npz, const char *key) {
    for (int i = 0; i < kt_npz_count(npz); i++)
        if (!strcmp(kt_npz_name(npz, i), key)) return true;
    return false;
}

static void check_output(const char *name, const kt_tensor *got, const kt_tensor *want) {
    if (kt_tensor_size(got) != kt_tensor_size(want)) fprintf(stderr, "%s\n", name);
    assert_int_equal(kt_tensor_size(got), kt_tensor_size(want));
    for (int64_t i = 0; i < kt_tensor_size(want); i++) {
        const double a = kt_tensor_get(got, i), b = kt_tensor_get(want, i);
        if (isnan(a) && isnan(b)) continue;
        if (!(fabs(a - b) <= 2e-6 + 2e-5 * fabs(b)) && a != b) fprintf(stderr, "%s: ", name);
        if (a != b) kt_check_near(a, b, 2e-6, 2e-5);
    }
}

static void check_predictions(kt_npz *npz, const char *name, kt_model *m, kt_ref x) {
    char key[96];
    kt_list_t *p = kt_model_predict_list(m, x, .verbose = 0);
    if (kt_failed(p)) fprintf(stderr, "%s: %s\n", name, kt_error_message());
    assert_false(kt_failed(p));
    snprintf(key, sizeof key, "%s/p%d", name, kt_list_len(p));
    assert_false(has(npz, key));
    for (int i = 0; i < kt_list_len(p); i++) {
        snprintf(key, sizeof key, "%s/p%d", name, i);
        check_output(name, kt_list_get(p, i), kt_npz_read(npz, key));
    }
}

static void keep(kt_model *m, const char *name, kt_tensor *const *x, int n, kt_ref in) {
    static const char *const outputs[] = {"p0", "p1", "p2", "p3"};
    const char *folder = getenv("KT_INTEROP_OUT"), *names[7] = {"x0", "x1", "x2"};
    const kt_tensor *arrays[7];
    char path[300];
    if (!folder) return;
    snprintf(path, sizeof path, "%s/op_%s.keras", folder, name);
    kt_check_status(kt_model_save(m, path), KT_OK);
    kt_list_t *p = kt_model_predict_list(m, in, .verbose = 0);
    const int n_out = kt_list_len(p);
    assert_true(n_out <= 4);
    for (int i = 0; i < n; i++) arrays[i] = x[i];
    for (int i = 0; i < n_out; i++) {
        names[n + i] = outputs[i];
        arrays[n + i] = kt_list_get(p, i);
    }
    snprintf(path, sizeof path, "%s/op_%s.npz", folder, name);
    kt_check_status(kt_npz_write(path, n + n_out, names, arrays), KT_OK);
}

static void check_same_file(const char *name, const char *a, const char *b) {
    unsigned char *da, *db;
    size_t na, nb;
    kt_check_status(kt_fs_load(&da, &na, a, 1 << 24), KT_OK);
    kt_check_status(kt_fs_load(&db, &nb, b, 1 << 24), KT_OK);
    if (na != nb || memcmp(da, db, na) != 0) fprintf(stderr, "%s: the files differ\n", name);
    assert_true(na == nb && !memcmp(da, db, na));
    kt_mem_free(da);
    kt_mem_free(db);
}

/* The same through an .h5, in which operations have no module; saved again it is the same file. */
static void check_old_form(kt_npz *npz, const char *name, kt_model *m, kt_ref in) {
    char a[64], b[64];
    snprintf(a, sizeof a, "/tmp/keratin_ops_%d_a.h5", (int)getpid());
    snprintf(b, sizeof b, "/tmp/keratin_ops_%d_b.h5", (int)getpid());
    kt_check_status(kt_model_save(m, a), KT_OK);
    kt_model *again = kt_load_model(a);
    if (kt_failed(again)) fprintf(stderr, "%s.h5: %s\n", name, kt_error_message());
    assert_false(kt_failed(again));
    check_predictions(npz, name, again, in);
    kt_check_status(kt_model_save(again, b), KT_OK);
    check_same_file(name, a, b);
    unlink(a);
    unlink(b);
}

static void check_case(kt_npz *npz, const char *name, const kt_json *config, const kt_json *keys) {
    kt_str text = {0};
    kt_tensor *x[3];
    kt_json_write(&text, config, KT_NONE);
    kt_model *m = kt_model_from_json(text.s);
    kt_str_free(&text);
    if (is_missing(name)) {
        if (!kt_failed(m)) fprintf(stderr, "%s loads\n", name);
        kt_check_fails(m, KT_EUNSUPPORTED, "does not exist here");
        return;
    }
    if (kt_failed(m)) fprintf(stderr, "%s: %s\n", name, kt_error_message());
    assert_false(kt_failed(m));
    const int n = kt_json_len(keys);
    for (int i = 0; i < n; i++) x[i] = kt_npz_read(npz, kt_json_text(kt_json_at(keys, i)));
    kt_ref in = n == 1 ? (kt_ref)x[0] : kt_list_of(n, (const void *const *)x);
    kt_retain(in);
    check_predictions(npz, name, m, in);
    kt_text *first = kt_model_to_json(m);
    if (kt_failed(first)) fprintf(stderr, "%s: %s\n", name, kt_error_message());
    assert_false(kt_failed(first));
    kt_model *again = kt_model_from_json(kt_text_str(first));
    if (kt_failed(again)) fprintf(stderr, "%s: %s\n", name, kt_error_message());
    assert_false(kt_failed(again));
    check_predictions(npz, name, again, in);
    kt_check_str(kt_text_str(kt_model_to_json(again)), kt_text_str(first));
    if (strstr(kt_text_str(first), "_part_") && !strstr(name, "split") && !strstr(name, "stack"))
        fail_msg("%s: one operation became several in the file", name);
    check_old_form(npz, name, again, in);
    keep(m, name, x, n, in);
    kt_free((void *)(uintptr_t)in);
    kt_clear_session();
}

static void check_file(const char *path) {
    kt_npz *npz;
    kt_check_status(kt_npz_open(&npz, path), KT_OK);
    kt_json *configs = parse(kt_npz_read(npz, "configs"));
    kt_json *inputs = parse(kt_npz_read(npz, "inputs"));
    assert_true(kt_json_len(configs) > 20);
    for (void *it = kt_json_iter(configs); it; it = kt_json_next(configs, it)) {
        const char *name = kt_json_iter_key(it);
        check_case(npz, name, kt_json_iter_value(it), kt_json_get(inputs, name));
    }
    kt_json_free(configs);
    kt_json_free(inputs);
    kt_npz_close(npz);
}

KT_TEST(operations, of_keras) { check_file("tests/golden/ops.npz"); }
KT_TEST(operations, of_keras_wide) { check_file("tests/golden/ops_wide.npz"); }
KT_TEST(operations, of_keras_more) { check_file("tests/golden/ops_more.npz"); }

/* Integers keep their value on the way through a file, also those that no float holds. */
KT_TEST(operations, integer_constants) {
    static const int64_t large[] = {20000001, 9007199254740991, -9007199254740991};
    kt_sym *x = kt_input({3}, .dtype = "int64");
    kt_sym *c = kt_const(kt_tensor_new(KT_INT64, kt_dims(3), large));
    kt_sym *y = kt_op_add(kt_op_multiply(x, kt_num(16777217)), c);
    kt_text *json = kt_model_to_json(kt_functional(x, y));
    assert_false(kt_failed(json));
    assert_non_null(strstr(kt_text_str(json), "9007199254740991"));
    kt_model *m = kt_model_from_json(kt_text_str(json));
    if (kt_failed(m)) fail_msg("%s", kt_error_message());
    kt_check_str(kt_text_str(kt_model_to_json(m)), kt_text_str(json));
    kt_tensor *in = kt_tensor_new(KT_INT64, kt_dims(1, 3), (const int64_t[]){1, 0, 0});
    kt_tensor *p = kt_model_predict(m, in, .verbose = 0);
    if (kt_failed(p)) fail_msg("%s", kt_error_message());
    assert_int_equal(kt_tensor_dtype(p), KT_INT64);
    const int64_t *v = kt_tensor_data(p);
    assert_true(v[0] == 20000001 + 16777217 && v[1] == large[1] && v[2] == large[2]);
}

KT_TEST(operations, whole_lists_are_integers) {
    kt_sym *x = kt_input({2}, .dtype = "int32");
    kt_sym *c = kt_const(kt_tensor_new(KT_INT32, kt_dims(2), (const int32_t[]){5, 7}));
    kt_text *json = kt_model_to_json(kt_functional(x, kt_op_add(x, c)));
    const char *text = kt_text_str(json), *from = strstr(text, "{\"class_name\": \"__numpy__\"");
    assert_non_null(from);
    const char *end = strstr(from, "}}");
    kt_str plain = {0};
    kt_str_addf(&plain, "%.*s[5, 7]%s", (int)(from - text), text, end + 2);
    kt_model *m = kt_model_from_json(plain.s);
    kt_str_free(&plain);
    if (kt_failed(m)) fail_msg("%s", kt_error_message());
    kt_tensor *in = kt_tensor_new(KT_INT32, kt_dims(1, 2), (const int32_t[]){1, 2});
    kt_tensor *p = kt_model_predict(m, in, .verbose = 0);
    assert_int_equal(kt_tensor_dtype(p), KT_INT32);
    assert_int_equal(kt_tensor_get(p, 1), 9);
}

/* Masks of Keras' models go through it; it stays a row of the summary and of the file. */
KT_TEST(operations, convert_to_tensor) {
    kt_sym *x = kt_input({2}, .dtype = "int32");
    kt_sym *y = kt_op_convert_to_tensor(kt_op_convert_to_tensor(x, NULL), "float32");
    kt_text *json = kt_model_to_json(kt_functional(x, y));
    const char *text = kt_text_str(json), *form = "\"sparse\": null";
    assert_non_null(strstr(text, "\"class_name\": \"ConvertToTensor\""));
    kt_model *m = kt_model_from_json(text);
    if (kt_failed(m)) fail_msg("%s", kt_error_message());
    kt_check_str(kt_text_str(kt_model_to_json(m)), text);
    kt_tensor *in = kt_tensor_new(KT_INT32, kt_dims(1, 2), (const int32_t[]){1, 2});
    kt_tensor *p = kt_model_predict(m, in, .verbose = 0);
    assert_int_equal(kt_tensor_dtype(p), KT_FLOAT32);
    assert_int_equal(kt_tensor_get(p, 1), 2);
    const char *at = strstr(text, form);
    assert_non_null(at);
    static const char *const values[] = {"false", "true", "3"};
    static const kt_status expected[] = {KT_OK, KT_EUNSUPPORTED, KT_EFORMAT};
    for (int i = 0; i < 3; i++) {
        kt_str s = {0};
        kt_str_addf(
            &s, "%.*s\"sparse\": %s%s", (int)(at - text), text, values[i], at + strlen(form));
        kt_check_status(kt_check(kt_model_from_json(s.s)), expected[i]);
        kt_str_free(&s);
    }
}
