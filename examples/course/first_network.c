/* Course, unit "Building a neural network with Keras" (5.1): digits with one hidden layer.
 *
 *     first_network [--smoke]        needs mnist.npz, but for --smoke
 */
#include <keratin/keratin.h>
#include <stdio.h>
#include <string.h>

/* For --smoke: a few pictures of nothing. */
static void make_up(kt_splits *d) {
    d->x_train = kt_tensor_new(KT_UINT8, kt_dims(320, 28, 28), NULL);
    d->y_train = kt_tensor_new(KT_UINT8, kt_dims(320), NULL);
    d->x_test = kt_tensor_slice(d->x_train, 0, 64);
    d->y_test = kt_tensor_slice(d->y_train, 0, 64);
}

/* train_images / 255.0 */
static kt_tensor *scaled(const kt_tensor *images) {
    kt_tensor *t = kt_tensor_cast(images, KT_FLOAT32);
    float *x = kt_tensor_data(t);
    for (int64_t i = 0; i < kt_tensor_size(t); i++) x[i] /= 255.0f;
    return t;
}

int main(int argc, char **argv) {
    const bool smoke = argc > 1 && !strcmp(argv[1], "--smoke");

    // (train_images, train_labels), (test_images, test_labels) = mnist.load_data()
    kt_splits d = {0};
    if (smoke)
        make_up(&d);
    else if (kt_data_mnist(&d))
        return fprintf(stderr, "%s\n", kt_error_message()), 1;

    // train_images = train_images / 255.0
    // test_images = test_images / 255.0
    kt_tensor *train_images = scaled(d.x_train);
    kt_tensor *test_images = scaled(d.x_test);

    // train_labels = to_categorical(train_labels, 10)
    // test_labels = to_categorical(test_labels, 10)
    kt_tensor *train_labels = kt_to_categorical(d.y_train, 10);
    kt_tensor *test_labels = kt_to_categorical(d.y_test, 10);

    // model = Sequential([
    //     Flatten(input_shape=(28, 28)),
    //     Dense(128, activation='relu'),
    //     Dense(10, activation='softmax')
    // ])
    kt_model *model = kt_sequential(kt_list(
        kt_input({28, 28}),
        kt_flatten(),
        kt_dense(128, .activation = "relu"),
        kt_dense(10, .activation = "softmax")));

    // model.compile(optimizer='adam', loss='categorical_crossentropy', metrics=['accuracy'])
    kt_model_compile(model, "adam", "categorical_crossentropy", .metrics = kt_list("accuracy"));

    // model.fit(train_images, train_labels, epochs=5, batch_size=32, validation_split=0.2)
    kt_model_fit(
        model,
        train_images,
        train_labels,
        .epochs = smoke ? 1 : 5,
        .batch_size = 32,
        .validation_split = 0.2);

    // test_loss, test_acc = model.evaluate(test_images, test_labels)
    // print(f'Test Accuracy: {test_acc}')
    kt_logs *test = kt_model_evaluate(model, test_images, test_labels);
    const int failed = kt_failed(test);
    if (failed)
        fprintf(stderr, "%s\n", kt_error_message()); /* the cause, wherever above it was */
    else
        printf("Test Accuracy: %g\n", kt_logs_get(test, "accuracy"));
    kt_free(model);
    kt_clear_session();
    return failed;
}
