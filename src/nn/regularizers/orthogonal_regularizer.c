/* OrthogonalRegularizer: with the rows (columns) of w brought to length 1 as x, p = x xT and n
 * rows,
 *
 *   factor / 2 * sum(|p| off the diagonal) / (n (n - 1) / 2)
 *
 * keras.regularizers.OrthogonalRegularizer. Keras' 1 / 1e-7 at most for rows of zeros is a floor
 * under the square here, whose gradient is 0 and not 0 inf; of a single row the penalty is 0 and
 * not 0 / 0. */
#include "nn/regularizers/regularizer.h"

#include <string.h>

typedef kt_reg_orthogonal_regularizer_args orthogonal_args;

/* An n by n constant: 0 on the diagonal, 1 elsewhere. */
static kt_sym *off_diagonal(int64_t n) {
    kt_tensor *t = kt_tensor_new(KT_FLOAT32, kt_dims(n, n), NULL);
    float *v = kt_tensor_data(t);
    for (int64_t i = 0; v && i < n * n; i++) v[i] = i % (n + 1) ? 1 : 0;
    kt_sym *s = kt_const(t);
    kt_free(t);
    return s;
}

static kt_sym *orthogonal_penalty(const kt_component *c, kt_sym *w) {
    const orthogonal_args *a = kt_args_of(c);
    const kt_shape s = kt_sym_shape(w), reversed = {0, {0}};
    char text[KT_SHAPE_STR];
    if (kt_failed(w)) return w;
    if (s.ndim != 2) {
        KT_FAIL(KT_ESHAPE, "OrthogonalRegularizer: expected a weight with two axes");
        return kt_fail_object(kt_error_got("%s", kt_shape_str(&s, text, sizeof text)));
    }
    const int axis = strcmp(a->mode, "rows") == 0 ? 1 : 0;
    const int64_t n = s.dim[1 - axis];
    kt_sym *square = kt_op_maximum(kt_num(1e-14), kt_op_sum(kt_op_square(w), axis, true));
    kt_sym *x = kt_op_multiply(w, kt_op_rsqrt(square)), *xt = kt_op_transpose(x, reversed);
    kt_sym *p = axis == 1 ? kt_op_matmul(x, xt) : kt_op_matmul(xt, x);
    kt_sym *mask = off_diagonal(n);
    kt_sym *pairs = kt_op_multiply(kt_op_abs(p), kt_op_cast(mask, kt_dtype_name(kt_sym_dtype(w))));
    kt_free(mask);
    const double count = n > 1 ? (double)n * (double)(n - 1) / 2 : 1;
    return kt_op_multiply(kt_op_sum(pairs, KT_NONE, false), kt_num(a->factor * 0.5 / count));
}

static kt_status orthogonal_init(kt_component *c) {
    static const char *const modes[] = {"rows", "columns", NULL};
    int mode;
    const kt_status st = kt_arg_word(
        "mode", ((const orthogonal_args *)kt_args_of(c))->mode, modes, &mode);
    return st ? st : kt_reg_init(c);
}

static const kt_field orthogonal_fields[] = {
    KT_F(orthogonal_args, factor), KT_F(orthogonal_args, mode), KT_F_END};
static const orthogonal_args orthogonal_defaults = {
    .size = sizeof(orthogonal_args), KT_REG_ORTHOGONAL_REGULARIZER_DEFAULTS};

const kt_regularizer_class kt_regularizer_class_orthogonal_regularizer = {
    .base =
        {.kind = KT_KIND_REGULARIZER,
         .name = "OrthogonalRegularizer",
         .args_size = sizeof(orthogonal_args),
         .fields = orthogonal_fields,
         .defaults = &orthogonal_defaults,
         .init = orthogonal_init},
    .penalty = orthogonal_penalty};

kt_regularizer *kt_reg_orthogonal_regularizer_new(const kt_reg_orthogonal_regularizer_args *args) {
    return kt_component_new(&kt_regularizer_class_orthogonal_regularizer.base, args);
}
