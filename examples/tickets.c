/* Several inputs and outputs over texts: how urgent is a ticket, and whose is it? The model of
 * Keras' guide to the functional API, with LSTMs over title and body, on tickets that are made up.
 *
 *     tickets [--smoke]
 */
#include <keratin/keratin.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WORDS = 1000, TITLE = 10, BODY = 40, TAGS = 12, DEPARTMENTS = 4 };

static kt_model *ticket_router(void) {
    kt_sym *title = kt_input({KT_NONE}, .name = "title", .dtype = "int32");
    kt_sym *body = kt_input({KT_NONE}, .name = "body", .dtype = "int32");
    kt_sym *tags = kt_input({TAGS}, .name = "tags");

    kt_sym *t = kt_call(kt_lstm(32), kt_call(kt_embedding(WORDS, 16), title));
    kt_sym *b = kt_call(kt_lstm(32), kt_call(kt_embedding(WORDS, 16), body));
    kt_sym *x = kt_call(kt_concatenate(), kt_list(t, b, tags));

    kt_sym *priority = kt_call(kt_dense(1, .name = "priority"), x);
    kt_sym *department = kt_call(kt_dense(DEPARTMENTS, .name = "department"), x);

    kt_model *m = kt_functional(kt_list(title, body, tags), kt_list(priority, department));
    kt_model_compile(
        m,
        .optimizer = kt_opt_rmsprop(1e-3),
        .loss = kt_list(
            kt_loss_binary_crossentropy(.from_logits = true),
            kt_loss_categorical_crossentropy(.from_logits = true)),
        .loss_weights = kt_floats(1.0, 0.2),
        .metrics = kt_dict("department", "categorical_accuracy"));
    return m;
}

/* Words of a text: every third is about anything, the others about the department. */
static void write_text(kt_tensor *text, int64_t row, int64_t length, int department) {
    for (int64_t k = 0; k < length; k++) {
        const int word = k % 3 ? department * 50 + rand() % 50 : rand() % WORDS;
        kt_tensor_set(text, row * length + k, word);
    }
}

int main(int argc, char **argv) {
    const bool smoke = argc > 1 && !strcmp(argv[1], "--smoke");
    const int64_t n = smoke ? 64 : 2000;
    srand(1);
    kt_set_random_seed(1);
    kt_tensor *title = kt_tensor_new(KT_INT32, kt_dims(n, TITLE), NULL);
    kt_tensor *body = kt_tensor_new(KT_INT32, kt_dims(n, BODY), NULL);
    kt_tensor *tags = kt_tensor_new(KT_FLOAT32, kt_dims(n, TAGS), NULL);
    kt_tensor *priority = kt_tensor_new(KT_FLOAT32, kt_dims(n, 1), NULL);
    kt_tensor *department = kt_tensor_new(KT_INT32, kt_dims(n), NULL);
    for (int64_t i = 0; i < n; i++) {
        const int whose = rand() % DEPARTMENTS, tag = rand() % TAGS;
        write_text(title, i, TITLE, whose);
        write_text(body, i, BODY, whose);
        kt_tensor_set(tags, i * TAGS + tag, 1);
        kt_tensor_set(priority, i, tag < 3);
        kt_tensor_set(department, i, whose);
    }

    kt_model *m = ticket_router();
    kt_model_summary(m);
    kt_history *h = kt_model_fit(
        m,
        kt_list(title, body, tags),
        kt_list(priority, kt_to_categorical(department, DEPARTMENTS)),
        .epochs = smoke ? 1 : 5,
        .validation_split = 0.2);
    const int failed = kt_failed(h);
    if (failed) fprintf(stderr, "%s\n", kt_error_message()); /* the cause, wherever it was */
    kt_free(m);
    kt_clear_session();
    return failed;
}
