/* What is the newswire about? 46 topics, newswires as multi-hot rows of 10,000 words, as in
 * Chollet's book (about 79 % of the test newswires after 9 epochs).
 *
 *     reuters_mlp [--smoke]        needs reuters.npz, but for --smoke
 */
#include <keratin/keratin.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WORDS = 10000, TOPICS = 46 };

/* For --smoke: newswires in which every fourth word is one of the topic. */
static void make_up(kt_text_splits *d) {
    enum { N = 256, LENGTH = 20 };
    static int64_t lengths[N];
    static int32_t ids[N * LENGTH];
    d->y_train = kt_tensor_new(KT_INT64, kt_dims(N), NULL);
    for (int i = 0; i < N * LENGTH; i++) {
        lengths[i / LENGTH] = LENGTH;
        ids[i] = i % 4 ? rand() % WORDS : 10 * (i / LENGTH % TOPICS) + rand() % 10;
        kt_tensor_set(d->y_train, i / LENGTH, i / LENGTH % TOPICS);
    }
    d->x_train = kt_sequences_new(N, lengths, ids);
    d->x_test = kt_sequences_slice(d->x_train, 0, 64);
    d->y_test = kt_tensor_slice(d->y_train, 0, 64);
}

static kt_model *network(void) {
    kt_model *m = kt_sequential(kt_list(
        kt_input({WORDS}),
        kt_dense(64, .activation = "relu"),
        kt_dense(64, .activation = "relu"),
        kt_dense(TOPICS, .activation = "softmax")));
    kt_model_compile(m, "adam", "categorical_crossentropy", .metrics = kt_list("accuracy"));
    return m;
}

int main(int argc, char **argv) {
    const bool smoke = argc > 1 && !strcmp(argv[1], "--smoke");
    kt_set_random_seed(1);
    kt_text_splits d = {0};
    if (smoke)
        make_up(&d);
    else if (kt_data_reuters(&d, .num_words = WORDS))
        return fprintf(stderr, "%s\n", kt_error_message()), 1;
    kt_tensor *x_train = kt_sequences_to_matrix(d.x_train, WORDS);
    kt_tensor *x_test = kt_sequences_to_matrix(d.x_test, WORDS);

    kt_model *m = network();
    kt_model_fit(
        m,
        x_train,
        kt_to_categorical(d.y_train, TOPICS),
        .batch_size = 512,
        .epochs = smoke ? 1 : 9,
        .validation_split = 0.1);
    kt_tensor *y_test = kt_to_categorical(d.y_test, TOPICS);
    kt_logs *test = kt_model_evaluate(m, x_test, y_test, .verbose = 0);
    kt_tensor *p = kt_model_predict(m, kt_tensor_slice(x_test, 0, 1), .verbose = 0);
    const int failed = kt_failed(test) || kt_failed(p);
    if (failed)
        fprintf(stderr, "%s\n", kt_error_message()); /* the cause, wherever above it was */
    else
        printf(
            "test accuracy %.4f; the first is about %s\n",
            kt_logs_get(test, "accuracy"),
            kt_data_reuters_label_names().v[kt_tensor_argmax(p, 0)]);
    kt_free(m);
    kt_clear_session();
    return failed;
}
