/* Course, "Dense(): a detailed explanation", syntax: every argument of Dense. */
#include <keratin/keratin.h>
#include <stdio.h>

int main(void) {
    // tf.keras.layers.Dense(units, activation=None, use_bias=True,
    //                       kernel_initializer='glorot_uniform', bias_initializer='zeros',
    //                       kernel_regularizer=None, bias_regularizer=None,
    //                       activity_regularizer=None,
    //                       kernel_constraint=None, bias_constraint=None)
    kt_layer *layer = kt_dense(
            .units = 10,
            .activation = "softmax",
            .use_bias = true,
            .kernel_initializer = "glorot_uniform",
            .bias_initializer = "zeros",
            .kernel_regularizer = kt_reg_l2(0.01), // tf.keras.regularizers.l2(0.01)
            .bias_regularizer = NULL,              // None
            .activity_regularizer = NULL,
            .kernel_constraint = kt_con_max_norm(2.0), // tf.keras.constraints.max_norm(2.0)
            .bias_constraint = NULL);
    kt_model *model = kt_sequential(kt_list(kt_input({20}), layer));
    kt_model_summary(model);

    const int failed = kt_failed(model);
    if (failed) fprintf(stderr, "%s\n", kt_error_message()); /* the cause, wherever it was */
    kt_free(model);
    kt_clear_session();
    return failed;
}
