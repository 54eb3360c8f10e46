/* Summaries of the models that tools/golden/summary.py made with Keras, character for character. */
#include "model/summary.h"

#include "base/mem.h"
#include "base/str.h"
#include "model/model.h"
#include "testing/capture.h"
#include "testing/kt_models.h"
#include "testing/kt_test.h"

#include <keratin/keratin.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The models; names are those of the script. --------------------------------------------------- */

static kt_model *mlp(void) {
    return kt_sequential(kt_list(
        kt_input({784}),
        kt_dense(128, .activation = "relu"),
        kt_dropout(0.2),
        kt_dense(10, .activation = "softmax")));
}

static kt_model *mlp_without_input(void) {
    kt_model *m = kt_sequential(kt_list(kt_dense(16, .activation = "relu"), kt_dense(3)));
    kt_check_status(kt_layer_build(m, kt_dims(KT_NONE, 8)), KT_OK);
    return m;
}

static kt_model *unbuilt(void) {
    return kt_sequential(kt_list(kt_dense(16, .activation = "relu"), kt_flatten(), kt_dense(3)));
}

static kt_model *empty(void) { return kt_sequential(); }
static kt_model *input_only(void) { return kt_sequential(kt_list(kt_input({4}))); }

static kt_model *fixed_batch(void) {
    return kt_sequential(
        kt_list(kt_input({12, 7}, .batch_size = 32), kt_dense(5), kt_flatten(), kt_dense(1)),
        .name = "fixed");
}

static kt_model *functional_chain(void) {
    kt_sym *i = kt_input({20});
    kt_sym *x = kt_call(kt_dense(16, .activation = "relu"), i);
    return kt_functional(i, kt_call(kt_dense(4), x), .name = "chain");
}

static kt_model *residual(void) {
    kt_sym *i = kt_input({8}, .name = "features");
    kt_sym *x = kt_call(kt_dense(16, .activation = "relu"), i);
    kt_sym *y = kt_call(kt_dense(16), x);
    kt_sym *z = kt_call(kt_add(), kt_list(x, y));
    z = kt_call(kt_activation("relu"), z);
    kt_sym *c = kt_call(kt_concatenate(), kt_list(z, i));
    return kt_functional(i, kt_call(kt_dense(2, .name = "head"), c));
}

static kt_model *two_in_two_out(void) {
    kt_sym *a = kt_input({8}, .name = "title"), *b = kt_input({4}, .name = "tags");
    kt_sym *d = kt_call(kt_dense(8), a);
    kt_sym *x = kt_call(kt_concatenate(), kt_list(d, b));
    kt_sym *p = kt_call(kt_dense(1, .name = "priority"), x);
    kt_sym *q = kt_call(kt_dense(4, .name = "department"), x);
    return kt_functional(kt_list(a, b), kt_list(p, q));
}

/* An operation prints as the layer of the same name does. */
static kt_model *shared(void) {
    kt_sym *a = kt_input({8}), *b = kt_input({8});
    kt_layer *d = kt_dense(4, .name = "encoder");
    kt_sym *x = kt_call(d, a), *y = kt_call(d, b);
    kt_sym *z = kt_op_subtract(x, y);
    return kt_functional(kt_list(a, b), kt_call(kt_dense(1), z));
}

static kt_model *nested(void) {
    kt_layer *base = kt_sequential(
        kt_list(kt_input({8}), kt_dense(16), kt_dense(4)), .name = "base");
    kt_layer *inner = kt_sequential(kt_list(kt_input({4}), kt_dense(5)), .name = "inner");
    kt_layer *middle = kt_sequential(kt_list(kt_input({4}), inner, kt_dense(6)), .name = "middle");
    return kt_sequential(kt_list(kt_input({8}), base, middle, kt_dense(1)), .name = "outer");
}

static kt_model *nested_functional(void) {
    kt_sym *i = kt_input({8});
    kt_sym *x = kt_call(kt_dense(6), i);
    kt_sym *y = kt_call(kt_dense(6), x);
    kt_sym *sum = kt_call(kt_add(), kt_list(x, y));
    kt_model *block = kt_functional(i, sum, .name = "block");
    kt_sym *j = kt_input({8}, .name = "data");
    kt_sym *z = kt_call(block, j);
    kt_sym *c = kt_call(kt_concatenate(), kt_list(z, j));
    return kt_functional(j, kt_call(kt_dense(1), c), .name = "whole");
}

static kt_model *frozen(void) {
    kt_model *m = mlp();
    kt_check_status(kt_set_trainable(kt_model_layer(m, 0), false), KT_OK);
    return m;
}

static kt_model *frozen_residual(void) {
    kt_model *m = residual();
    kt_check_status(kt_set_trainable(kt_model_get_layer(m, "dense_1"), false), KT_OK);
    return m;
}

static kt_model *compiled_untrained(void) {
    kt_model *m = mlp();
    kt_check_status(kt_model_compile(m, "adam", "sparse_categorical_crossentropy"), KT_OK);
    return m;
}

static kt_model *train(kt_model *m, kt_ref optimizer) {
    kt_check_status(kt_model_compile(m, optimizer, "sparse_categorical_crossentropy"), KT_OK);
    kt_tensor *x = kt_tensor_new(KT_FLOAT32, kt_dims(2, 784), NULL);
    kt_tensor *y = kt_tensor_new(KT_INT64, kt_dims(2), NULL);
    kt_check_status(kt_check(kt_model_train_on_batch(m, x, y)), KT_OK);
    return m;
}

static kt_model *trained(void) { return train(mlp(), "adam"); }
static kt_model *trained_sgd(void) { return train(mlp(), "sgd"); }
static kt_model *trained_momentum(void) { return train(mlp(), kt_opt_sgd(0.1, .momentum = 0.9)); }
static kt_model *trained_rmsprop_frozen(void) { return train(frozen(), "rmsprop"); }

#define X20 "xxxxxxxxxxxxxxxxxxxx"

static kt_model *long_names(void) {
    kt_sym *i = kt_input({8}, .name = "the_input_with_a_name_that_is_long_enough_to_wrap");
    kt_layer *wide = kt_dense(
        16, .name = "a_dense_layer_whose_name_does_not_fit_into_its_column_at_all");
    kt_sym *x = kt_call(wide, i);
    kt_sym *y = kt_call(kt_dense(16, .name = "short"), i);
    kt_sym *z = kt_call(kt_concatenate(.name = "joined_here"), kt_list(x, y, i));
    return kt_functional(
        i, kt_call(kt_dense(1), z), .name = "a_model_with_a_name_" X20 X20 X20 X20);
}

/* Such a tensor has too many elements for us, so it gets these dimensions only for the summary. */
static kt_model *long_names_sequential(void) {
    kt_model *m = kt_sequential(kt_list(
        kt_input({8, 10, 20, 30, 40, 5}),
        kt_dense(16, .name = "a_dense_layer_whose_name_does_not_fit_into_its_column_at_all"),
        kt_dense(16, .name = "thirty_three_columns_is_the_cell_"),
        kt_relu(.name = "two words")));
    for (int i = 0; i < kt_model_of(m)->nodes.n; i++) {
        kt_shape *s = &kt_model_of(m)->nodes.v[i].call->out[0].shape;
        s->dim[2] = 1000;
        s->dim[3] = 2000;
        s->dim[5] = 4000;
    }
    return m;
}

static kt_model *large(void) {
    return kt_sequential(kt_list(kt_input({30000}), kt_dense(10000), kt_dense(1)), .name = "large");
}

static kt_model *unknown_dims(void) {
    return kt_sequential(kt_list(kt_input({KT_NONE, KT_NONE, 4}), kt_dense(8), kt_dense(2)));
}

static kt_model *operations(void) {
    kt_sym *i = kt_input({6});
    kt_sym *t = kt_op_tanh(kt_op_multiply(i, kt_num(2.0)));
    kt_sym *x = kt_op_add(t, kt_call(kt_dense(6), i));
    return kt_functional(i, kt_op_mean(x, -1, false));
}

static kt_model *bracket_names(void) {
    return kt_sequential(kt_list(kt_input({4}), kt_dense(2, .name = "[bold]x[0]")), .name = "m[0]");
}

/* The cases ------------------------------------------------------------------------------------ */

typedef struct {
    const char *name;
    kt_model *(*make)(void);
    int screen; ///< default 80
    kt_summary_args args;
} golden_case;

#define POSITIONS(...)                                                                             \
    .positions = {(const double[]){__VA_ARGS__}, sizeof((double[]){__VA_ARGS__}) / sizeof(double)}

static const char *const two_layers[] = {"dense", "dropout"};
static const char *const two_patterns[] = {"dense.*", "act.*"};

// clang-format off
static kt_model *batch_norm(void) {
    return kt_sequential(kt_list(
        kt_input({28, 28, 1}),
        kt_conv2d(8, 3, .activation = "relu"),
        kt_batch_normalization(),
        kt_max_pooling2d(),
        kt_flatten(),
        kt_dense(10, .activation = "softmax")));
}

static kt_model *several_outputs(void) {
    kt_sym *i = kt_input({5, 3}), *y = kt_call(kt_lstm(4, .return_state = true), i);
    const void *parts[] = {kt_item(y, 0), kt_item(y, 1), kt_item(y, 2)};
    return kt_functional(i, kt_call(kt_add(), kt_list_of(3, parts)));
}

static const golden_case cases[] = {
    {"batch_norm", batch_norm, 0, {0}},
    {"several_outputs", several_outputs, 0, {0}},
    {"mlp", mlp, 0, {0}},
    {"mlp_without_input", mlp_without_input, 0, {0}},
    {"unbuilt", unbuilt, 0, {0}},
    {"empty", empty, 0, {0}},
    {"input_only", input_only, 0, {0}},
    {"fixed_batch", fixed_batch, 0, {0}},
    {"functional_chain", functional_chain, 0, {0}},
    {"residual", residual, 0, {0}},
    {"two_in_two_out", two_in_two_out, 0, {0}},
    {"shared", shared, 0, {0}},
    {"nested", nested, 0, {0}},
    {"nested_expanded", nested, 0, {.expand_nested = true}},
    {"nested_expanded_trainable", nested, 0, {.expand_nested = true, .show_trainable = true}},
    {"nested_functional", nested_functional, 0, {0}},
    {"nested_functional_expanded", nested_functional, 0, {.expand_nested = true}},
    {"show_trainable", mlp, 0, {.show_trainable = true}},
    {"frozen", frozen, 0, {.show_trainable = true}},
    {"frozen_residual", frozen_residual, 0, {.show_trainable = true}},
    {"line_60", mlp, 0, {.line_length = 60}},
    {"line_80", mlp, 0, {.line_length = 80}},
    {"line_120_cut", mlp, 0, {.line_length = 120}},
    {"line_120", mlp, 200, {.line_length = 120}},
    {"line_60_residual", residual, 0, {.line_length = 60}},
    {"line_120_residual", residual, 200, {.line_length = 120}},
    {"line_40_residual", residual, 0, {.line_length = 40}},
    {"columns_100", mlp, 100, {0}},
    {"columns_200", mlp, 200, {0}},
    {"columns_100_residual", residual, 100, {0}},
    {"columns_200_residual", residual, 200, {0}},
    {"columns_200_trainable", frozen_residual, 200, {.show_trainable = true}},
    {"columns_60", mlp, 60, {0}},
    {"columns_60_residual", residual, 60, {0}},
    {"positions", mlp, 0, {POSITIONS(0.3, 0.6, 1.0)}},
    {"positions_residual", residual, 0, {POSITIONS(0.4, 0.6, 0.7, 1.0)}},
    {"positions_shrink", mlp, 0, {POSITIONS(0.6, 1.2, 2.0)}},
    {"positions_short", mlp, 0, {POSITIONS(0.3, 0.6, 0.8)}},
    {"positions_absolute", mlp, 0, {POSITIONS(0.5, 0.75, 3)}},
    {"layer_range", mlp, 0, {.layer_range = {two_layers, 2}}},
    {"layer_range_regex", residual, 0, {.layer_range = {two_patterns, 2}}},
    {"trained", trained, 0, {0}},
    {"compiled_untrained", compiled_untrained, 0, {0}},
    {"trained_sgd", trained_sgd, 0, {0}},
    {"trained_momentum", trained_momentum, 0, {0}},
    {"trained_rmsprop_frozen", trained_rmsprop_frozen, 0, {0}},
    {"long_names", long_names, 0, {0}},
    {"long_names_sequential", long_names_sequential, 0, {0}},
    {"long_names_wide", long_names, 200, {0}},
    {"large", large, 0, {0}},
    {"unknown_dims", unknown_dims, 0, {0}},
    {"operations", operations, 0, {0}},
    {"bracket_names", bracket_names, 0, {0}},
};
// clang-format on

static void check_case(const golden_case *c) {
    char path[128];
    kt_str text = {0};
    kt_clear_session();
    kt_summary_args args = c->args;
    args.size = sizeof args;
    args.model = c->make();
    kt_check_status(
        kt_model_summary_text(&text, &args, c->screen ? c->screen : 80, KT_COLORS_OFF), KT_OK);
    snprintf(path, sizeof path, "tests/golden/summary/%s.txt", c->name);
    kt_check_golden_text(text.s, path);
    kt_str_free(&text);
}

KT_TEST(summary, is_that_of_keras) {
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) check_case(&cases[i]);
}

static kt_model *small(void) {
    kt_model *m = kt_sequential(kt_list(kt_input({4}), kt_dense(3), kt_dropout(0.5)));
    kt_check_status(kt_set_trainable(kt_model_layer(m, 0), false), KT_OK);
    return m;
}

KT_TEST(summary, has_the_colours_of_keras) {
    kt_str text = {0};
    const kt_summary_args args = {.size = sizeof args, .model = small(), .show_trainable = true};
    kt_check_status(kt_model_summary_text(&text, &args, 80, KT_COLORS_256), KT_OK);
    kt_check_golden_text(text.s, "tests/golden/console/summary.tty.txt");
    kt_str_free(&text);
}

KT_TEST(summary, goes_to_the_output) {
    setenv("COLUMNS", "80", 1);
    kt_capture_begin();
    kt_check_status(kt_model_summary(small(), .show_trainable = true), KT_OK);
    kt_check_golden_text(kt_capture_end(), "tests/golden/console/summary.txt");
    unsetenv("COLUMNS");
}

KT_TEST(summary, makes_control_characters_harmless) {
    kt_capture_begin();
    kt_model *m = kt_sequential(kt_list(kt_input({4}), kt_dense(3, .name = "a\033[2Jb\n")));
    kt_check_status(kt_model_summary(m), KT_OK);
    const char *text = kt_capture_end();
    assert_null(strchr(text, '\033'));
    assert_non_null(strstr(text, "a?[2Jb? (Dense)"));
}

KT_TEST(summary, survives_every_failed_allocation) {
    kt_model *m = residual();
    const kt_summary_args args = {.size = sizeof args, .model = m};
    kt_status st = KT_ENOMEM;
    for (int n = 1; st; n++) {
        kt_str text = {0};
        kt_mem_fail_after(n);
        st = kt_model_summary_text(&text, &args, 80, KT_COLORS_OFF);
        kt_mem_fail_after(0);
        if (st)
            kt_check_status(st, KT_ENOMEM);
        else
            kt_check_golden_text(text.s, "tests/golden/summary/residual.txt");
        kt_str_free(&text);
    }
}

KT_TEST(summary, says_what_is_wrong) {
    kt_model *m = mlp();
    kt_capture_begin();
    kt_check_status(kt_model_summary(m, .line_length = 15), KT_EINVAL);
    kt_check_message_has("line_length: no room for the column \"Param #\"");
    kt_check_status(kt_model_summary(m, .line_length = -5), KT_EINVAL);
    kt_check_status(kt_model_summary(m, .positions = kt_floats(0.5, 1.0)), KT_EINVAL);
    kt_check_message_has("positions: expected 3 numbers, got 2");
    kt_check_status(kt_model_summary(m, .layer_range = kt_names("dense", "conv")), KT_EINVAL);
    kt_check_message_has("layer_range: no layer of the model matches \"conv\"");
    kt_check_status(kt_model_summary(m, .layer_range = kt_names("dense")), KT_EINVAL);
    kt_check_status(kt_model_summary(m, .layer_range = kt_names("(", "dense")), KT_EINVAL);
    kt_check_status(kt_model_summary(kt_dense(3)), KT_EINVAL);
    kt_check_message_has("expected a model, got a layer");
    kt_check_status(kt_model_summary(NULL), KT_EINVAL);
    kt_check_status(kt_model_summary_with(&(kt_summary_args){.model = m}), KT_EINVAL);
    kt_check_str(kt_capture_end(), "");
}

static void keep(const char *text, void *data) { *(char **)data = kt_strdup(text); }

KT_TEST(summary, goes_where_it_is_told) {
    kt_model *m = kt_small_model(3, 4, 2);
    char *text = NULL;
    kt_check_status(kt_model_summary(m, .print_fn = keep, .data = &text), KT_OK);
    assert_non_null(strstr(text, "Total params"));
    assert_null(strchr(text, 27)); /* no colours */
    kt_mem_free(text);
    kt_free(m);
}
