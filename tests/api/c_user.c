/* A program as a user writes it: run.sh compiles it from C99 to C23 against installed headers. */
#include <keratin/keratin.h>

#include <stdio.h>
#include <string.h>

int main(void) {
    if (strcmp(kt_version(), KT_VERSION) != 0) {
        fprintf(stderr, "header %s, library %s\n", KT_VERSION, kt_version());
        return 1;
    }
    kt_tensor *x = kt_tensor_new(KT_FLOAT32, kt_dims(2, 3), (float[]){1, 2, 3, 4, 5, 6});
    kt_model *m = kt_sequential(
        kt_list(kt_input({3}), kt_dense(4, .activation = "relu"), kt_dense(1, .use_bias = false)));
    kt_tensor *y = kt_model_predict(m, x);
    if (kt_failed(y)) {
        fprintf(stderr, "%s\n", kt_error_message());
        return 1;
    }
    const int rows = (int)kt_tensor_dim(y, 0);
    kt_free(m);
    kt_clear_session();
    return rows != 2;
}
