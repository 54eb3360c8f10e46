/* Autoencoder: 784 pixels through 32 numbers and back, as in Keras' blog. Encoder and decoder are
 * models that the autoencoder shares, so they can be used alone afterwards.
 *
 *     autoencoder [--smoke]        needs mnist.npz, but for --smoke
 */
#include <keratin/keratin.h>
#include <stdio.h>
#include <string.h>

static kt_tensor *pictures(bool smoke) {
    kt_splits d = {0};
    if (smoke) { /* a bright square that moves */
        kt_tensor *x = kt_tensor_new(KT_FLOAT32, kt_dims(256, 784), NULL);
        for (int i = 0; i < 256 * 49; i++)
            kt_tensor_set(x, i / 49 * 784 + (i / 49 % 16 + i % 7) * 28 + 8 + i / 7 % 7, 1);
        return x;
    }
    kt_data_mnist(&d);
    kt_tensor *x = kt_tensor_cast(
        kt_tensor_reshape(d.x_train, kt_dims(kt_tensor_dim(d.x_train, 0), 784)), KT_FLOAT32);
    float *v = kt_tensor_data(x);
    for (int64_t i = 0; i < kt_tensor_size(x); i++) v[i] /= 255;
    return x;
}

static void show(const float *pixel) {
    for (int row = 0; row < 28; row += 2) {
        fputs("    ", stdout);
        for (int col = 0; col < 28; col++) {
            const float ink = pixel[row * 28 + col];
            putchar(" .:-=+*#%@"[ink < 0 ? 0 : ink > 1 ? 9 : (int)(ink * 9)]);
        }
        putchar('\n');
    }
}

int main(int argc, char **argv) {
    const bool smoke = argc > 1 && !strcmp(argv[1], "--smoke");
    kt_set_random_seed(1);
    kt_tensor *x = pictures(smoke);
    kt_model *encoder = kt_sequential(
        kt_list(kt_input({784}), kt_dense(32, .activation = "relu")), .name = "encoder");
    kt_model *decoder = kt_sequential(
        kt_list(kt_input({32}), kt_dense(784, .activation = "sigmoid")), .name = "decoder");
    kt_model *autoencoder = kt_sequential(kt_list(encoder, decoder));
    kt_model_compile(autoencoder, "adam", "binary_crossentropy");
    kt_history *h = kt_model_fit(
        autoencoder, x, x, .batch_size = 256, .epochs = smoke ? 1 : 20, .validation_split = 0.1);

    kt_tensor *code = kt_model_predict(encoder, kt_tensor_slice(x, 0, 2), .verbose = 0);
    kt_tensor *again = kt_model_predict(decoder, code, .verbose = 0);
    const int failed = kt_failed(h) || kt_failed(again);
    if (failed) fprintf(stderr, "%s\n", kt_error_message()); /* the cause, wherever it was */
    for (int i = 0; i < 2 && !failed; i++) {
        printf("picture %d and what 32 numbers keep of it:\n", i);
        show((const float *)kt_tensor_data(x) + i * 784);
        show((const float *)kt_tensor_data(again) + i * 784);
    }
    kt_free(autoencoder);
    kt_clear_session();
    return failed;
}
