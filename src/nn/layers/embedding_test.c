/* Embedding and Masking: the contract, values of real Keras, indices out of range. */
#include "testing/kt_layers.h"
#include "testing/kt_models.h"

KT_TEST(embedding, keeps_the_layer_contract) {
    kt_check_layer(
        kt_embedding(10, 4),
        .input = {2, KT_NONE},
        .output = {2, KT_NONE, 4},
        .dtype = "int32",
        .n_trainable = 1,
        .n_params = 40);
    kt_check_layer(
        kt_embedding(10, 4), .input = {2}, .output = {2, 4}, .dtype = "int32", .n_trainable = 1);
    kt_check_layer(kt_embedding(10, 4), .input = {2, 3}, .output = {2, 3, 4}, .n_trainable = 1);
}

KT_TEST(embedding, is_that_of_keras) {
    kt_check_golden("sequences", "embedding", kt_embedding(6, 3));
    kt_check_golden("sequences", "embedding_mask_zero", kt_embedding(6, 3, .mask_zero = true));
    kt_check_golden("sequences", "embedding_one_axis", kt_embedding(6, 3));
    kt_check_golden("sequences", "embedding_floats", kt_embedding(6, 3));
}

KT_TEST(embedding, takes_first_values) {
    kt_tensor *w = kt_floats_tensor(kt_dims(2, 2), KT_VALUES(1, 2, 3, 4));
    kt_layer *l = kt_embedding(2, 2, .weights = kt_list(w));
    kt_check_status(kt_layer_build(l, kt_dims(1, 1)), KT_OK);
    kt_check_values(kt_var_value(kt_layer_weight(l, 0)), 0, 0, 1, 2, 3, 4);
    kt_free(l);
    kt_layer *bad = kt_embedding(
        3, 2, .weights = kt_floats_tensor(kt_dims(2, 2), KT_VALUES(1, 2, 3, 4)));
    kt_check_status(kt_layer_build(bad, kt_dims(1, 1)), KT_ESHAPE);
    kt_check_status(kt_layer_build(kt_embedding(3, 2, .weights = "x"), kt_dims(1, 1)), KT_EINVAL);
}

static kt_tensor *look_up(kt_tensor *ids, const char *dtype) {
    kt_model *m = kt_sequential(kt_list(kt_input({3}, .dtype = dtype), kt_embedding(7, 2)));
    kt_tensor *y = kt_model_predict(m, ids, .verbose = 0);
    kt_free(m);
    return y;
}

KT_TEST(embedding, names_an_index_that_is_out_of_range) {
    kt_tensor *t = kt_tensor_new(KT_INT32, kt_dims(2, 3), (const int32_t[]){0, 6, 1, 2, 7, 3});
    kt_check_fails(look_up(t, "int32"), KT_EINVAL, "an index is out of range");
    kt_check_message_has("0 to 6");
    kt_check_message_has("7 at position (1, 1)");
    kt_check_message_has("embedding");
    t = kt_tensor_new(KT_INT64, kt_dims(1, 3), (const int64_t[]){0, -1, 1});
    kt_check_fails(look_up(t, "int32"), KT_EINVAL, "-1 at position (0, 1)");
    t = kt_tensor_new(KT_INT64, kt_dims(1, 3), (const int64_t[]){0, INT64_C(1) << 32, 1});
    kt_check_fails(look_up(t, "int32"), KT_EDTYPE, "does not fit");
    kt_check_fails(look_up(t, "int64"), KT_EINVAL, "at position (0, 1)");
    kt_check_fails(look_up(t, "float32"), KT_EINVAL, "at position (0, 1)");
}

KT_TEST(embedding, rejects_wrong_arguments) {
    kt_check_fails(kt_embedding(0, 2), KT_EINVAL, "input_dim: expected a positive integer, got 0");
    kt_check_fails(kt_embedding(2, -1), KT_EINVAL, "output_dim: expected a positive integer");
    kt_check_fails(
        kt_embedding(2, 2, .quantization_config = "int8"), KT_EINVAL, "quantization_config");
}

KT_TEST(masking, keeps_the_layer_contract) {
    kt_check_layer(kt_masking(), .input = {2, KT_NONE, 3}, .output = {2, KT_NONE, 3});
    kt_check_gradients(kt_masking(-1), .input = {2, 4, 3});
}

KT_TEST(masking, is_that_of_keras) {
    kt_check_golden("sequences", "masking", kt_masking());
    kt_check_golden("sequences", "masking_value", kt_masking(-1));
}
