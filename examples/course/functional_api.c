/* Course, unit "Keras Functional API" (6.2 and 5.1): a graph of layers. */
#include <keratin/keratin.h>
#include <stdio.h>

int main(void) {
    // input_layer = Input(shape=(784,))
    // hidden_layer = Dense(128, activation='relu')(input_layer)
    // output_layer = Dense(10, activation='softmax')(hidden_layer)
    kt_sym *input_layer = kt_input({784});
    kt_sym *hidden_layer = kt_call(kt_dense(128, .activation = "relu"), input_layer);
    kt_sym *output_layer = kt_call(kt_dense(10, .activation = "softmax"), hidden_layer);

    // model = Model(inputs=input_layer, outputs=output_layer)
    kt_model *model = kt_functional(.inputs = input_layer, .outputs = output_layer);

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
