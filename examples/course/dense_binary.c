/* Course, "Dense(): a detailed explanation", use case 1: yes or no. */
#include <keratin/keratin.h>
#include <stdio.h>

int main(void) {
    // model = Sequential([
    //     Dense(64, activation='relu', input_shape=(10,)),
    //     Dense(32, activation='relu'),
    //     Dense(1, activation='sigmoid')
    // ])
    kt_model *model = kt_sequential(kt_list(
        kt_input({10}),
        kt_dense(64, .activation = "relu"),
        kt_dense(32, .activation = "relu"),
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
