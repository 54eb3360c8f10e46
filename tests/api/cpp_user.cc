// The same from C++, where the macros do not exist: structs and the functions behind the macros.
#include <keratin/keratin.h>

#include <cstdio>

// An argument struct of zeros that says its size. Keras' defaults stand in the macros, so C++ sets
// what differs from zero itself.
template <class T> static T arguments() {
    T a = {};
    a.size = sizeof a;
    return a;
}

int main() {
    const float values[] = {1, 2, 3, 4, 5, 6};
    const int64_t dims[] = {2, 3};
    kt_tensor *x = kt_tensor_new(KT_FLOAT32, kt_shape_of(2, dims), values);

    kt_input_args input = arguments<kt_input_args>();
    input.shape[0] = 3;
    input.batch_size = KT_NONE;
    kt_dense_args dense = arguments<kt_dense_args>();
    dense.units = 4;
    dense.activation = "relu";
    dense.use_bias = true;
    dense.kernel_initializer = "glorot_uniform";
    dense.bias_initializer = "zeros";
    dense.trainable = true;
    const void *layers[] = {kt_input_new(&input), kt_dense_new(&dense), kt_list_end};
    kt_sequential_args sequential = arguments<kt_sequential_args>();
    sequential.layers = kt_list_new(layers);
    kt_model *m = kt_sequential_new(&sequential);

    kt_predict_args predict = arguments<kt_predict_args>();
    predict.batch_size = 32;
    predict.steps = KT_NONE;
    predict.model = m;
    predict.x = x;
    kt_tensor *y = kt_model_predict_with(&predict);
    if (kt_failed(y)) {
        std::fprintf(stderr, "%s\n", kt_error_message());
        return 1;
    }
    const bool ok = kt_tensor_dim(y, 0) == 2;
    kt_free(m);
    kt_clear_session();
    return ok ? 0 : 1;
}
