/* Pictures of models: boxes, edges, clusters, and names that are no markup. */
#include "testing/kt_test.h"

#include <keratin/keratin.h>

#include <string.h>

static int count(const char *text, const char *what) {
    int n = 0;
    for (const char *at = strstr(text, what); at; at = strstr(at + 1, what)) n++;
    return n;
}

static kt_model *two_branches(void) {
    kt_sym *x = kt_input({4}, .name = "a<b");
    kt_sym *h = kt_call(kt_dense(3, .activation = "relu"), x);
    kt_model *inner = kt_sequential(
        kt_list(kt_input({3}), kt_dense(2), kt_dropout(0.1)), .name = "inner");
    kt_sym *z = kt_call(inner, h);
    return kt_functional(x, kt_call(kt_concatenate(), kt_list(z, h)));
}

KT_TEST(dot, draws_layers_and_edges) {
    kt_model *m = two_branches();
    kt_text *t = kt_model_to_dot(m, .show_shapes = true, .show_layer_activations = true);
    assert_int_equal(kt_check(t), KT_OK);
    const char *s = kt_text_str(t);
    assert_int_equal(count(s, "<table"), 4);
    assert_int_equal(count(s, " -> "), 4);
    assert_int_equal(count(s, "a&#60;b"), 1);
    assert_int_equal(count(s, "Activation: <b>relu</b>"), 1);
    assert_int_equal(count(s, "Input shape: <b>[(None, 2), (None, 3)]</b>"), 1);
    kt_free(t);
    kt_free(m);
}

KT_TEST(dot, expands_models_inside_models) {
    kt_model *m = two_branches();
    kt_text *t = kt_model_to_dot(m, .expand_nested = true);
    const char *s = kt_text_str(t);
    assert_int_equal(count(s, "subgraph cluster_"), 1);
    assert_int_equal(count(s, "<table"), 5);
    assert_int_equal(count(s, " -> "), 5);
    kt_free(t);
    kt_free(m);
}

KT_TEST(dot, refuses_what_graphviz_does_not_know) {
    kt_model *m = two_branches(), *unbuilt = kt_sequential(kt_list(kt_dense(1)));
    assert_int_equal(kt_check(kt_model_to_dot(m, .rankdir = "XY")), KT_EINVAL);
    assert_int_equal(kt_check(kt_model_to_dot(m, .splines = "x")), KT_EINVAL);
    assert_int_equal(kt_check(kt_model_to_dot(m, .dpi = 0)), KT_EINVAL);
    assert_int_equal(kt_check(kt_model_to_dot(unbuilt)), KT_ESTATE);
    assert_int_equal(kt_check(kt_model_to_dot(NULL)), KT_EINVAL);
    kt_free(m);
    kt_free(unbuilt);
}
