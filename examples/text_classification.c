/* Texts go into the model as they are: TextVectorization learns the words, embeddings are averaged,
 * one unit decides. The file that comes out takes texts too:
 *
 *     build/release/examples/text_classification
 *     printf '"Bad, long and boring."\n' > x.csv
 *     keratin predict text_classification.keras --x x.csv */
#include <keratin/keratin.h>
#include <stdio.h>
#include <string.h>

static const char *const texts[] = {
    "A wonderful film, I loved it!",
    "Dull and far too long.",
    "Great actors and a great story.",
    "The story is weak, the actors are bad.",
    "I loved every minute of it.",
    "I was bored; what a waste of time.",
    "Funny, warm, wonderful.",
    "Bad jokes, no story: boring.",
    "A great film to see again.",
    "Too long, too loud, simply bad."};
#define N ((int)(sizeof texts / sizeof *texts))

int main(int argc, char **argv) {
    const bool smoke = argc > 1 && !strcmp(argv[1], "--smoke");
    float label[N];
    for (int i = 0; i < N; i++) label[i] = i % 2 == 0;
    kt_tensor *x = kt_tensor_new(KT_STRING, kt_dims(N, 1), texts);
    kt_tensor *y = kt_tensor_new(KT_FLOAT32, kt_dims(N, 1), label);

    kt_layer *words = kt_retain(kt_text_vectorization(1000, .output_sequence_length = 12));
    kt_text_vectorization_adapt(words, x);
    const int n = (int)kt_text_vectorization_vocabulary_size(words);

    kt_sym *in = kt_input({1}, .dtype = "string");
    kt_sym *v = kt_call(kt_embedding(n, 8, .mask_zero = true), kt_call(words, in));
    kt_sym *out = kt_call(kt_dense(1, "sigmoid"), kt_call(kt_global_average_pooling1d(), v));
    kt_model *m = kt_functional(in, out);
    kt_model_compile(m, kt_opt_adam(0.05), "binary_crossentropy", .metrics = kt_list("accuracy"));
    kt_model_fit(m, x, y, .epochs = smoke ? 1 : 30, .verbose = smoke ? 2 : 0);

    kt_tensor *fresh = kt_strings("What a great, warm film!", "Bad, boring and too long.");
    kt_tensor *p = kt_model_predict(m, fresh, .verbose = 0);
    const bool failed = kt_failed(p) || (!smoke && kt_model_save(m, "text_classification.keras"));
    if (failed) fprintf(stderr, "%s\n", kt_error_message()); /* the cause, wherever it was */
    for (int i = 0; i < 2 && !failed; i++)
        printf("%.3f  %s\n", kt_tensor_get(p, i), kt_tensor_text(fresh, i));
    const void *all[] = {x, y, words, m, fresh, p};
    for (int i = 0; i < 6; i++) kt_free(all[i]);
    return failed;
}
