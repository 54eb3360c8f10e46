/* JSON of real Keras (tools/golden/configs.py), read and written again; bad JSON. */
#include "base/mem.h"
#include "base/obj.h"
#include "base/str.h"
#include "io/json.h"
#include "io/npz.h"
#include "testing/kt_test.h"

#include <keratin/keratin.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The text of a golden model; free with kt_mem_free. */
static char *golden(const char *name) {
    kt_npz *npz;
    kt_check_status(kt_npz_open(&npz, "tests/golden/configs.npz"), KT_OK);
    kt_tensor *t = kt_npz_read(npz, name);
    assert_false(kt_failed(t));
    const size_t n = (size_t)kt_tensor_size(t);
    char *text = kt_alloc(n + 1);
    memcpy(text, kt_tensor_data(t), n);
    kt_npz_close(npz);
    return text;
}

static void check_round(const char *name) {
    char *text = golden(name);
    kt_model *m = kt_model_from_json(text);
    if (kt_failed(m)) fprintf(stderr, "%s: %s\n", name, kt_error_message());
    assert_false(kt_failed(m));
    kt_text *again = kt_model_to_json(m);
    if (kt_failed(again)) fprintf(stderr, "%s: %s\n", name, kt_error_message());
    kt_check_str(kt_text_str(again), text);
    kt_mem_free(text);
}

#define ROUND(name)                                                                                \
    KT_TEST(configs, name) { check_round(#name); }
ROUND(sequential)
ROUND(compiled)
ROUND(compiled_objects)
ROUND(not_built)
ROUND(operations)
ROUND(nested)
ROUND(dicts)
ROUND(one_in_a_list)
ROUND(pictures)

/* Texts that are wrong ------------------------------------------------------------------------ */

static const char *const replacements[] = {
    "null", "1", "-1", "0", "1e30", "true", "\"x\"", "[]", "{}", "[1, 2]", "{\"a\": 1}", "NaN"};
#define N_REPLACEMENTS ((int)(sizeof replacements / sizeof *replacements))

/* The document with its k-th value replaced; counts values in *n. */
static void emit(kt_str *out, const kt_json *v, int *n, int k, const char *by) {
    if ((*n)++ == k) {
        kt_str_add(out, by);
        return;
    }
    const bool list = kt_json_is(v, KT_JSON_LIST), dict = kt_json_is(v, KT_JSON_DICT);
    if (!list && !dict) {
        kt_json_write(out, v, KT_NONE);
        return;
    }
    kt_str_add(out, list ? "[" : "{");
    void *it = dict ? kt_json_iter(v) : NULL;
    for (int i = 0; i < kt_json_len(v); i++) {
        if (i) kt_str_add(out, ", ");
        if (dict) kt_str_addf(out, "\"%s\": ", kt_json_iter_key(it));
        emit(out, dict ? kt_json_iter_value(it) : kt_json_at(v, i), n, k, by);
        if (dict) it = kt_json_next(v, it);
    }
    kt_str_add(out, list ? "]" : "}");
}

static bool is_file_status(kt_status st) {
    return st == KT_OK || st == KT_EFORMAT || st == KT_EUNSUPPORTED || st == KT_EREFUSED ||
           st == KT_ELIMIT;
}

static void check_replacements(const char *name, int step) {
    char *text = golden(name);
    kt_json *v;
    kt_check_status(kt_json_parse(&v, text, strlen(text), NULL), KT_OK);
    kt_str all = {0};
    int n = 0, total = 0;
    emit(&all, v, &total, -1, "");
    kt_str_free(&all);
    for (int k = 0; k < total; k += step)
        for (int r = 0; r < N_REPLACEMENTS; r++) {
            kt_str s = {0};
            n = 0;
            emit(&s, v, &n, k, replacements[r]);
            kt_model *m = kt_model_from_json(s.s);
            if (!is_file_status(kt_check(m)))
                fprintf(
                    stderr, "%s, value %d, %s: %s\n", name, k, replacements[r], kt_error_message());
            assert_true(is_file_status(kt_check(m)));
            kt_free(m);
            kt_clear_session();
            assert_true(kt_obj_count() == 0);
            kt_str_free(&s);
        }
    kt_json_free(v);
    kt_mem_free(text);
}

KT_TEST(configs, wrong_values_in_a_stack) { check_replacements("compiled_objects", 1); }
KT_TEST(configs, wrong_values_in_a_graph) { check_replacements("operations", 3); }
KT_TEST(configs, wrong_values_in_nested_models) { check_replacements("nested", 3); }

static const struct {
    const char *entry;
    kt_status want;
    const char *says;
} refused[] = {
    {"{\"module\": \"keras.layers\", \"class_name\": \"Lambda\", \"config\": {\"name\": \"l\"}}",
     KT_EREFUSED,
     "Lambda"},
    {"{\"module\": \"os\", \"class_name\": \"system\", \"config\": {}}", KT_EREFUSED, "os"},
    {"{\"module\": \"keras.utils\", \"class_name\": \"get_file\", \"config\": {}}",
     KT_EREFUSED,
     "keras.utils"},
    {"{\"module\": \"keras.layers\", \"class_name\": \"Dense\", \"config\": {\"units\": 1}, "
     "\"registered_name\": \"evil>Dense\"}",
     KT_EREFUSED,
     "evil>Dense"},
    {"{\"module\": \"keras.layers\", \"class_name\": \"TFSMLayer\", \"config\": {}}",
     KT_EREFUSED,
     "TFSMLayer"},
    {"{\"module\": \"mine\", \"class_name\": \"Own\", \"config\": {}, \"registered_name\": "
     "\"mine>Own\"}",
     KT_EUNSUPPORTED,
     "mine>Own"},
    {"{\"module\": \"keras.layers\", \"class_name\": \"NoSuch\", \"config\": {}}",
     KT_EUNSUPPORTED,
     "NoSuch"},
    {"{\"module\": \"keras.layers\", \"class_name\": \"Dense\", \"config\": {\"units\": 1, "
     "\"bogus\": 3}}",
     KT_EUNSUPPORTED,
     "bogus"},
    {"{\"module\": \"keras.layers\", \"class_name\": \"Dense\", \"config\": {\"units\": 1, "
     "\"\": 3}}",
     KT_EUNSUPPORTED,
     "no argument \"\""},
    {"{\"module\": \"keras.layers\", \"class_name\": \"Dense\", \"config\": {\"units\": 1, "
     "\"{\\\"name\": 3}}",
     KT_EUNSUPPORTED,
     "no argument"},
    {"{\"module\": \"keras.layers\", \"class_name\": \"IntegerLookup\", \"config\": "
     "{\"vocabulary\": "
     "\"/etc/passwd\"}}",
     KT_EREFUSED,
     "vocabulary: a path"},
    {"{\"module\": \"keras.layers\", \"class_name\": \"Dense\", \"config\": {\"units\": 0}}",
     KT_EFORMAT,
     "units"},
    {"{\"module\": \"keras.layers\", \"class_name\": \"Dense\", \"config\": {\"units\": 2.5}}",
     KT_EFORMAT,
     "units"},
    {"{\"module\": \"keras.layers\", \"class_name\": \"Dropout\", \"config\": {\"rate\": 1.5}}",
     KT_EFORMAT,
     "rate"},
    {"{\"module\": \"keras.layers\", \"class_name\": \"Dense\", \"config\": {\"units\": 1, "
     "\"name\": \"../x\"}}",
     KT_EFORMAT,
     "name"},
};

KT_TEST(configs, what_is_refused_and_why) {
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        kt_str s = {0};
        kt_str_addf(
            &s,
            "{\"module\": \"keras\", \"class_name\": \"Sequential\", \"config\": {\"name\": \"s\", "
            "\"layers\": [%s]}}",
            refused[i].entry);
        kt_check_fails(kt_model_from_json(s.s), refused[i].want, refused[i].says);
        kt_str_free(&s);
    }
    kt_check_fails(kt_model_from_json("[1, 2"), KT_EFORMAT, "line 1");
    kt_check_fails(kt_model_from_json(NULL), KT_EINVAL, "no text");
}

KT_TEST(configs, short_forms_and_lists) {
    kt_optimizer *o = kt_deserialize(
        "optimizer", "sgd:learning_rate=0.5,nesterov=True,momentum=0.9");
    kt_check_near(kt_opt_learning_rate(o), 0.5, 1e-6, 0);
    assert_non_null(strstr(kt_text_str(kt_get_config(o)), "\"nesterov\": true"));
    kt_check_status(kt_check(kt_deserialize("loss", "mse")), KT_OK);
    kt_list_t *l = kt_deserialize("metric", "[\"mae\", {\"class_name\": \"AUC\", \"config\": {}}]");
    assert_int_equal(kt_list_len(l), 2);
    kt_check_status(kt_check(kt_deserialize("callback", "early_stopping:patience=3")), KT_OK);
    kt_check_fails(kt_deserialize("optimizer", "adamm"), KT_EUNSUPPORTED, "adamm");
    kt_check_fails(kt_deserialize("optimizer", "adam:rate"), KT_EFORMAT, "rate");
    kt_check_fails(kt_deserialize("thing", "adam"), KT_EINVAL, "thing");
    kt_check_status(kt_check(kt_from_config("Dense", "{\"units\": 3}")), KT_OK);
    kt_check_status(kt_check(kt_from_config("losses.Huber", "{\"delta\": 2.0}")), KT_OK);
    kt_loss *h = kt_from_config("losses.Huber", "{\"delta\": 2.0}");
    assert_non_null(strstr(kt_text_str(kt_get_config(h)), "\"delta\": 2.0"));
}

/* What the outputs of a model say for x = 1. */
static void check_outputs(kt_model *m, const double *want, int n) {
    if (kt_failed(m)) fail_msg("%s", kt_error_message());
    kt_tensor *x = kt_tensor_new(KT_FLOAT32, kt_dims(1, 1), NULL);
    kt_tensor_set(x, 0, 1);
    kt_list_t *got = kt_model_predict_list(m, x, .verbose = 0);
    assert_int_equal(kt_list_len(got), n);
    for (int i = 0; i < n; i++)
        kt_check_near(kt_tensor_get(kt_list_get(got, i), 0), want[i], 1e-6, 0);
    kt_free(got);
    kt_free(x);
    kt_free(m);
}

/* Keras counts the calls of a functional model from 1 at the ends of a model, and from 0 in calls;
 * Keras 1 and 2 from 1 everywhere. */
KT_TEST(configs, calls_of_models_inside_are_counted_as_keras_does) {
    static const double want[] = {1, 2, 3};
    kt_sym *in = kt_input({1}), *x = kt_input({1});
    kt_model *inner = kt_functional(
        in, kt_call(kt_dense(1, .kernel_initializer = "ones"), in), .name = "inner");
    kt_sym *a = kt_call(inner, x);
    kt_sym *twice = kt_call(kt_dense(1, .kernel_initializer = kt_init_constant(2)), x);
    kt_sym *b = kt_call(inner, twice);
    kt_sym *c = kt_call(kt_dense(1, .kernel_initializer = kt_init_constant(3)), a);
    kt_model *m = kt_functional(x, kt_list(a, b, c));
    kt_text *text = kt_model_to_json(m);
    assert_non_null(
        strstr(kt_text_str(text), "\"output_layers\": [[\"inner\", 1, 0], [\"inner\", 2"));
    assert_non_null(strstr(kt_text_str(text), "\"keras_history\": [\"inner\", 0, 0]"));
    check_outputs(kt_model_from_json(kt_text_str(text)), want, 3);
    kt_free(text);
    kt_free(m);
    check_outputs(
        kt_model_from_json(
            "{\"class_name\": \"Functional\", \"keras_version\": \"2.15.0\", \"backend\": "
            "\"tensorflow\", \"config\": {\"name\": \"m\", \"layers\": ["
            "{\"class_name\": \"InputLayer\", \"name\": \"x\", \"inbound_nodes\": [], \"config\": "
            "{\"batch_input_shape\": [null, 1], \"dtype\": \"float32\", \"name\": \"x\"}},"
            "{\"class_name\": \"Dense\", \"name\": \"two\", \"inbound_nodes\": [[[\"x\", 0, 0, "
            "{}]]],"
            " \"config\": {\"name\": \"two\", \"units\": 1, \"kernel_initializer\": "
            "{\"class_name\": \"Constant\", \"config\": {\"value\": 2}}}},"
            "{\"class_name\": \"Functional\", \"name\": \"s\", \"inbound_nodes\": "
            "[[[\"x\", 0, 0, {}]], [[\"two\", 0, 0, {}]]], \"config\": {\"name\": \"s\", "
            "\"layers\": [{\"class_name\": \"InputLayer\", \"name\": \"i\", \"inbound_nodes\": [], "
            "\"config\": {\"batch_input_shape\": [null, 1], \"dtype\": \"float32\", \"name\": "
            "\"i\"}}, {\"class_name\": \"Dense\", \"name\": \"d\", \"inbound_nodes\": "
            "[[[\"i\", 0, 0, {}]]], \"config\": {\"name\": \"d\", \"units\": 1, "
            "\"kernel_initializer\": {\"class_name\": \"Ones\", \"config\": {}}}}], "
            "\"input_layers\": [[\"i\", 0, 0]], \"output_layers\": [[\"d\", 0, 0]]}},"
            "{\"class_name\": \"Dense\", \"name\": \"e\", \"inbound_nodes\": [[[\"s\", 1, 0, "
            "{}]]], "
            "\"config\": {\"name\": \"e\", \"units\": 1, \"kernel_initializer\": "
            "{\"class_name\": \"Constant\", \"config\": {\"value\": 3}}}}], "
            "\"input_layers\": [[\"x\", 0, 0]], \"output_layers\": "
            "[[\"s\", 1, 0], [\"s\", 2, 0], [\"e\", 0, 0]]}}"),
        want,
        3);
}
