/* Course, unit "Callbacks & Model Saving" (7.2), and the functions load_model, clone_model and
 * model_from_json of "Detailed explanation of Keras functions". */
#include <keratin/keratin.h>
#include <stdio.h>

int main(void) {
    // model = Sequential([
    //     Dense(64, activation='relu', input_shape=(32,)),
    //     Dense(10, activation='softmax')
    // ])
    kt_model *model = kt_sequential(kt_list(
        kt_input({32}), kt_dense(64, .activation = "relu"), kt_dense(10, .activation = "softmax")));

    // model.save('my_model.h5')
    if (kt_model_save(model, "my_model.h5")) return fprintf(stderr, "%s\n", kt_error_message()), 1;

    // loaded_model = load_model('my_model.h5')
    kt_model *loaded_model = kt_load_model("my_model.h5");

    // loaded_model.summary()
    kt_model_summary(loaded_model);

    // model_copy = clone_model(model)
    kt_model *model_copy = kt_clone_model(model);

    // json_string = model.to_json()
    // new_model = tf.keras.models.model_from_json(json_string)
    kt_text *json_string = kt_model_to_json(model);
    kt_model *new_model = kt_model_from_json(kt_text_str(json_string));

    const int failed = kt_failed(loaded_model) || kt_failed(model_copy) || kt_failed(new_model);
    if (failed) fprintf(stderr, "%s\n", kt_error_message()); /* the cause, wherever it was */
    kt_clear_session(); /* frees the models and the text: nobody else holds them */
    return failed;
}
