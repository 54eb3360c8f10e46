/* Course, unit "Keras for NLP" (7.1 and 4.1): word vectors and an LSTM. Keras 3 has no
 * input_length any more: kt_input() says it. */
#include <keratin/keratin.h>
#include <stdio.h>

int main(void) {
    // model = Sequential([
    //     Embedding(input_dim=10000, output_dim=128, input_length=100),
    //     LSTM(64),
    //     Dense(1, activation='sigmoid')
    // ])
    kt_model *model = kt_sequential(kt_list(
        kt_input({100}, .dtype = "int32"),
        kt_embedding(.input_dim = 10000, .output_dim = 128),
        kt_lstm(64),
        kt_dense(1, .activation = "sigmoid")));

    // model.compile(optimizer='adam', loss='binary_crossentropy', metrics=['accuracy'])
    kt_model_compile(model, "adam", "binary_crossentropy", .metrics = kt_list("accuracy"));

    // model.summary()
    kt_model_summary(model);

    const int failed = kt_failed(model);
    if (failed) fprintf(stderr, "%s\n", kt_error_message()); /* the cause, wherever it was */
    kt_free(model);
    kt_clear_session();
    return failed;
}
