/* Course, unit "Keras Loss Functions" (3.2): the loss for a problem. */
#include <keratin/keratin.h>
#include <stdio.h>

int main(void) {
    // Binary Classification
    // model.compile(optimizer='adam', loss='binary_crossentropy', metrics=['accuracy'])
    kt_model *model = kt_sequential(kt_list(kt_input({8}), kt_dense(1, .activation = "sigmoid")));
    kt_model_compile(model, "adam", "binary_crossentropy", .metrics = kt_list("accuracy"));

    // Multiclass Classification
    // model.compile(optimizer='adam', loss='categorical_crossentropy', metrics=['accuracy'])
    kt_model_compile(model, "adam", "categorical_crossentropy", .metrics = kt_list("accuracy"));

    // Regression
    // model.compile(optimizer='adam', loss='mean_squared_error', metrics=['mae'])
    kt_model_compile(model, "adam", "mean_squared_error", .metrics = kt_list("mae"));

    const int failed = kt_failed(model);
    if (failed) fprintf(stderr, "%s\n", kt_error_message()); /* the cause, wherever it was */
    kt_free(model);
    kt_clear_session();
    return failed;
}
