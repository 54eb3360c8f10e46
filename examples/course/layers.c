/* Course, unit "Keras Layers" (1.2): different layers in one model. */
#include <keratin/keratin.h>
#include <stdio.h>

int main(void) {
    // model = Sequential([
    //     Conv2D(32, kernel_size=(3,3), activation='relu', input_shape=(28,28,1)),
    //     MaxPooling2D(pool_size=(2,2)),
    //     Flatten(),
    //     Dense(128, activation='relu'),
    //     Dropout(0.5),
    //     Dense(10, activation='softmax')
    // ])
    kt_model *model = kt_sequential(kt_list(
        kt_input({28, 28, 1}),
        kt_conv2d(32, .kernel_size = kt_hw(3, 3), .activation = "relu"),
        kt_max_pooling2d(.pool_size = kt_hw(2, 2)),
        kt_flatten(),
        kt_dense(128, .activation = "relu"),
        kt_dropout(0.5),
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
