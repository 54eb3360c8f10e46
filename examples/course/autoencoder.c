/* Course, "Dense(): a detailed explanation", use case 4: an autoencoder of two models. */
#include <keratin/keratin.h>
#include <stdio.h>

int main(void) {
    // input_dim = 100
    // encoding_dim = 32
    enum { input_dim = 100, encoding_dim = 32 };

    // encoder = Sequential([
    //     Dense(encoding_dim, activation='relu', input_shape=(input_dim,))
    // ])
    kt_model *encoder = kt_sequential(
        kt_list(kt_input({input_dim}), kt_dense(encoding_dim, .activation = "relu")));

    // decoder = Sequential([
    //     Dense(input_dim, activation='sigmoid')
    // ])
    kt_model *decoder = kt_sequential(kt_list(kt_dense(input_dim, .activation = "sigmoid")));

    // autoencoder = Sequential([encoder, decoder])
    kt_model *autoencoder = kt_sequential(kt_list(encoder, decoder));

    // autoencoder.compile(optimizer='adam', loss='binary_crossentropy')
    kt_model_compile(autoencoder, "adam", "binary_crossentropy");

    kt_tensor *x = kt_tensor_new(KT_FLOAT32, kt_dims(64, input_dim), NULL);
    kt_history *h = kt_model_fit(autoencoder, x, x);
    const int failed = kt_failed(h);
    if (failed) fprintf(stderr, "%s\n", kt_error_message()); /* the cause, wherever it was */
    kt_free(autoencoder);
    kt_clear_session();
    return failed;
}
