/* Course, unit "Keras for Computer Vision" (8.1): a CNN on colour pictures. */
#include <keratin/keratin.h>
#include <stdio.h>

int main(void) {
    // model = Sequential([
    //     Conv2D(32, kernel_size=(3,3), activation='relu', input_shape=(64,64,3)),
    //     MaxPooling2D(pool_size=(2,2)),
    //     Flatten(),
    //     Dense(128, activation='relu'),
    //     Dense(10, activation='softmax')
    // ])
    kt_model *model = kt_sequential(kt_list(
        kt_input({64, 64, 3}),
        kt_conv2d(32, .kernel_size = kt_hw(3, 3), .activation = "relu"),
        kt_max_pooling2d(.pool_size = kt_hw(2, 2)),
        kt_flatten(),
        kt_dense(128, .activation = "relu"),
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
