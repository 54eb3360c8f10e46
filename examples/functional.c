/* Several inputs and outputs: which department gets a customer's ticket, and is it urgent?
 *
 * The model of Keras' guide to the functional API, on tickets that are made up: words are counted
 * from a vocabulary of 40, title and body go through the same layer, and tags come beside them.
 *
 *     functional [--smoke]
 */
#include <keratin/keratin.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WORDS = 40, TAGS = 6, DEPARTMENTS = 4 };

static kt_model *ticket_router(void) {
    kt_sym *title = kt_input({WORDS}, .name = "title");
    kt_sym *body = kt_input({WORDS}, .name = "body");
    kt_sym *tags = kt_input({TAGS}, .name = "tags");

    kt_layer *words = kt_dense(32, .activation = "relu", .name = "words");
    kt_sym *t = kt_call(words, title), *b = kt_call(words, body); /* the same weights */
    kt_sym *x = kt_call(kt_concatenate(), kt_list(t, b, tags));
    x = kt_call(kt_dropout(0.2), x);

    kt_sym *urgent = kt_call(kt_dense(1, .activation = "sigmoid", .name = "urgent"), x);
    kt_sym *department = kt_call(
        kt_dense(DEPARTMENTS, .activation = "softmax", .name = "department"), x);
    return kt_functional(kt_list(title, body, tags), kt_list(urgent, department), .name = "router");
}

/* Each department has ten words of its own; tickets with tag 0 are urgent. */
static void write_tickets(int64_t n, kt_tensor **x, kt_tensor **y) {
    for (int i = 0; i < 2; i++) x[i] = kt_tensor_new(KT_FLOAT32, kt_dims(n, WORDS), NULL);
    x[2] = kt_tensor_new(KT_FLOAT32, kt_dims(n, TAGS), NULL);
    y[0] = kt_tensor_new(KT_FLOAT32, kt_dims(n, 1), NULL);
    y[1] = kt_tensor_new(KT_INT32, kt_dims(n), NULL);
    for (int64_t row = 0; row < n; row++) {
        const int department = rand() % DEPARTMENTS, tag = rand() % TAGS;
        for (int k = 0; k < 12; k++) { /* every third word is about something else */
            const int word = k % 3 ? department * 10 + rand() % 10 : rand() % WORDS;
            const int64_t at = row * WORDS + word;
            kt_tensor *text = x[k < 4 ? 0 : 1];
            kt_tensor_set(text, at, kt_tensor_get(text, at) + 1);
        }
        kt_tensor_set(x[2], row * TAGS + tag, 1);
        kt_tensor_set(y[0], row, tag == 0);
        kt_tensor_set(y[1], row, department);
    }
}

int main(int argc, char **argv) {
    const bool smoke = argc > 1 && !strcmp(argv[1], "--smoke");
    kt_tensor *x[3], *y[2];
    srand(1);
    kt_set_random_seed(1);
    write_tickets(smoke ? 256 : 4000, x, y);

    kt_model *m = ticket_router();
    kt_model_summary(m);
    kt_model_compile(
        m,
        kt_opt_rmsprop(3e-3),
        kt_dict("urgent", "binary_crossentropy", "department", "sparse_categorical_crossentropy"),
        .loss_weights = kt_floats(1.0, 0.5),
        .metrics = kt_dict("department", "accuracy"));
    kt_history *h = kt_model_fit(
        m,
        kt_list(x[0], x[1], x[2]),
        kt_list(y[0], y[1]),
        .epochs = smoke ? 1 : 8,
        .validation_split = 0.2);
    /* one array for each output, in the order of kt_functional() */
    kt_list_t *p = kt_model_predict_list(m, kt_list(x[0], x[1], x[2]), .verbose = 0);
    const bool failed = kt_failed(h) || kt_failed(p);
    if (failed) fprintf(stderr, "%s\n", kt_error_message()); /* the cause, wherever it was */
    for (int64_t row = 0; row < 3 && !failed; row++)
        printf(
            "ticket %d: urgent %.2f (is %.0f), department %d (is %.0f)\n",
            (int)row,
            kt_tensor_get(kt_list_get(p, 0), row),
            kt_tensor_get(y[0], row),
            (int)kt_tensor_argmax(kt_list_get(p, 1), row),
            kt_tensor_get(y[1], row));
    kt_free(m);
    kt_clear_session(); /* and the arrays, the history, the predictions */
    return failed;
}
