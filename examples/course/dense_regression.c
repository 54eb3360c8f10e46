/* Course, "Dense(): a detailed explanation", use case 3: a number. */
#include <keratin/keratin.h>
#include <stdio.h>

int main(void) {
    // model = Sequential([
    //     Dense(64, activation='relu', input_shape=(15,)),
    //     Dense(32, activation='relu'),
    //     Dense(1)
    // ])
    kt_model *model = kt_sequential(kt_list(
        kt_input({15}),
        kt_dense(64, .activation = "relu"),
        kt_dense(32, .activation = "relu"),
        kt_dense(1)));

    // model.compile(optimizer='adam', loss='mean_squared_error', metrics=['mae'])
    kt_model_compile(model, "adam", "mean_squared_error", .metrics = kt_list("mae"));
    kt_model_summary(model);

    const int failed = kt_failed(model);
    if (failed) fprintf(stderr, "%s\n", kt_error_message()); /* the cause, wherever it was */
    kt_free(model);
    kt_clear_session();
    return failed;
}
