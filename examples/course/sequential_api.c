/* Course, unit "Keras Sequential API" (6.1 and 1.1): layers in a row. */
#include <keratin/keratin.h>
#include <stdio.h>

int main(void) {
    // model = Sequential([
    //     Dense(128, activation='relu', input_shape=(784,)),
    //     Dense(10, activation='softmax')
    // ])
    kt_model *model = kt_sequential(kt_list(
        kt_input({784}),
        kt_dense(128, .activation = "relu"),
        kt_dense(10, .activation = "softmax")));

    // model.compile(optimizer='adam', loss='categorical_crossentropy', metrics=['accuracy'])
    kt_model_compile(model, "adam", "categorical_crossentropy", .metrics = kt_list("accuracy"));

    // model.summary()
    kt_model_summary(model);

    const int failed = kt_failed(model);
    if (failed) fprintf(stderr, "%s\n", kt_error_message()); /* the cause, wherever it was */
    kt_free(model);
    kt_clear_session();
    return failed;
}
