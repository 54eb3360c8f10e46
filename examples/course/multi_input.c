/* Course, unit "Keras Functional API" (2.1): two inputs. */
#include <keratin/keratin.h>
#include <stdio.h>

int main(void) {
    // input_a = Input(shape=(64,))
    // input_b = Input(shape=(32,))
    kt_sym *input_a = kt_input({64});
    kt_sym *input_b = kt_input({32});

    // hidden_a = Dense(32, activation='relu')(input_a)
    // hidden_b = Dense(32, activation='relu')(input_b)
    kt_sym *hidden_a = kt_call(kt_dense(32, .activation = "relu"), input_a);
    kt_sym *hidden_b = kt_call(kt_dense(32, .activation = "relu"), input_b);

    // merged = concatenate([hidden_a, hidden_b])
    // output = Dense(1, activation='sigmoid')(merged)
    kt_sym *merged = kt_call(kt_concatenate(), kt_list(hidden_a, hidden_b));
    kt_sym *output = kt_call(kt_dense(1, .activation = "sigmoid"), merged);

    // model = Model(inputs=[input_a, input_b], outputs=output)
    kt_model *model = kt_functional(.inputs = kt_list(input_a, input_b), .outputs = output);

    // model.compile(optimizer='adam', loss='binary_crossentropy', metrics=['accuracy'])
    kt_model_compile(model, "adam", "binary_crossentropy", .metrics = kt_list("accuracy"));

    // model.summary()
    kt_model_summary(model);

    const int failed = kt_failed(model);
    if (failed) fprintf(stderr, "%s\n", kt_error_message()); /* the cause, wherever it was */
    kt_free(model);
    kt_clear_session();
    return failed;
}
