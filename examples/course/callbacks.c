/* Course, units "Keras Callbacks" (4.2) and "Callbacks & Model Saving" (7.1): stop early, keep the
 * best model, slow down. The digits and the model are those of first_network.c.
 *
 *     course_callbacks [--smoke]        needs mnist.npz, but for --smoke
 */
#include <keratin/keratin.h>
#include <stdio.h>
#include <string.h>

/* For --smoke: a few pictures of nothing. */
static void make_up(kt_splits *d) {
    d->x_train = kt_tensor_new(KT_UINT8, kt_dims(320, 28, 28), NULL);
    d->y_train = kt_tensor_new(KT_UINT8, kt_dims(320), NULL);
}

int main(int argc, char **argv) {
    const bool smoke = argc > 1 && !strcmp(argv[1], "--smoke");
    kt_splits d = {0};
    if (smoke)
        make_up(&d);
    else if (kt_data_mnist(&d))
        return fprintf(stderr, "%s\n", kt_error_message()), 1;
    kt_tensor *train_images = d.x_train;
    kt_tensor *train_labels = kt_to_categorical(d.y_train, 10);
    kt_model *model = kt_sequential(kt_list(
        kt_input({28, 28}),
        kt_rescaling(1.0 / 255),
        kt_flatten(),
        kt_dense(128, .activation = "relu"),
        kt_dense(10, .activation = "softmax")));
    kt_model_compile(model, "adam", "categorical_crossentropy", .metrics = kt_list("accuracy"));

    // callbacks = [
    //     EarlyStopping(monitor='val_loss', patience=5),
    //     ModelCheckpoint('best_model.h5', save_best_only=True),
    //     ReduceLROnPlateau(monitor='val_loss', factor=0.1, patience=3)
    // ]
    kt_ref callbacks = kt_list(
        kt_cb_early_stopping(.monitor = "val_loss", .patience = 5),
        kt_cb_model_checkpoint("best_model.h5", .save_best_only = true),
        kt_cb_reduce_lr_on_plateau(.monitor = "val_loss", .factor = 0.1, .patience = 3));

    // model.fit(train_images, train_labels, epochs=50, batch_size=32, validation_split=0.2,
    //           callbacks=callbacks)
    kt_history *h = kt_model_fit(
        model,
        train_images,
        train_labels,
        .epochs = smoke ? 2 : 50,
        .batch_size = 32,
        .validation_split = 0.2,
        .callbacks = callbacks);

    const int failed = kt_failed(h);
    if (failed) fprintf(stderr, "%s\n", kt_error_message()); /* the cause, wherever it was */
    kt_free(model);
    kt_clear_session();
    return failed;
}
