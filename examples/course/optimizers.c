/* Course, unit "Keras Optimizers" (2.2): the same model with other optimizers. */
#include <keratin/keratin.h>
#include <stdio.h>

int main(void) {
    kt_model *model = kt_sequential(
        kt_list(kt_input({784}), kt_dense(10, .activation = "softmax")));

    // model.compile(optimizer=Adam(learning_rate=0.001), loss='categorical_crossentropy',
    //               metrics=['accuracy'])
    kt_model_compile(
        model,
        .optimizer = kt_opt_adam(.learning_rate = 0.001),
        .loss = "categorical_crossentropy",
        .metrics = kt_list("accuracy"));

    // model.compile(optimizer=SGD(learning_rate=0.01, momentum=0.9), …)
    kt_model_compile(model, kt_opt_sgd(0.01, .momentum = 0.9), "categorical_crossentropy");

    // model.compile(optimizer=RMSprop(learning_rate=0.001), …)
    kt_model_compile(model, kt_opt_rmsprop(0.001), "categorical_crossentropy");

    // model.compile(optimizer=Adagrad(learning_rate=0.01), …)
    kt_model_compile(model, kt_opt_adagrad(0.01), "categorical_crossentropy");
    kt_model_summary(model);

    const int failed = kt_failed(model);
    if (failed) fprintf(stderr, "%s\n", kt_error_message()); /* the cause, wherever it was */
    kt_free(model);
    kt_clear_session();
    return failed;
}
