/* Course, "Dense(): a detailed explanation", use case 2: one of ten classes. */
#include <keratin/keratin.h>
#include <stdio.h>

int main(void) {
    // model = Sequential([
    //     Dense(128, activation='relu', input_shape=(20,)),
    //     Dense(64, activation='relu'),
    //     Dense(10, activation='softmax')
    // ])
    kt_model *model = kt_sequential(kt_list(
        kt_input({20}),
        kt_dense(128, .activation = "relu"),
        kt_dense(64, .activation = "relu"),
        kt_dense(10, .activation = "softmax")));

    // model.compile(optimizer='adam', loss='categorical_crossentropy', metrics=['accuracy'])
    kt_model_compile(model, "adam", "categorical_crossentropy", .metrics = kt_list("accuracy"));
    kt_model_summary(model);

    const int failed = kt_failed(model);
    if (failed) fprintf(stderr, "%s\n", kt_error_message()); /* the cause, wherever it was */
    kt_free(model);
    kt_clear_session();
    return failed;
}
