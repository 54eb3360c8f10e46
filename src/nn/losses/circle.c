/* circle: metric learning over the pairs of a batch. With d = max(1 - e_i . e_j, 0) for embeddings
 * e and m = margin, for each row i
 *
 *   softplus(logsumexp over j of the same class  of -gamma (m + d) (m - d)
 *          + logsumexp over j of another class of  gamma max(1 + m - d, 0) (1 - m - d))
 *
 * Rows with loss 0 (no pair of one kind) get a mask and do not count in the mean. Keras: Circle. */
#include "nn/losses/loss.h"

typedef kt_loss_circle_args circle_args;

#define NO_PAIR (-1e30) /* exp() of it is 0, and unlike -inf it makes no NaN */

/* log(sum(exp(x))) along axis 1 over the pairs that are marked; about NO_PAIR if none is. */
static kt_sym *logsumexp_where(kt_sym *pairs, kt_sym *x) {
    x = kt_op_where(pairs, x, kt_num(NO_PAIR));
    kt_sym *max = kt_op_stop_gradient(kt_op_max(x, 1, true));
    kt_sym *sum = kt_op_sum(kt_op_exp(kt_op_subtract(x, max)), 1, true);
    return kt_op_squeeze(kt_op_add(kt_op_log(sum), max), 1);
}

/* i != j for all pairs, as bool [n, n]. */
static kt_sym *off_diagonal(int64_t n) {
    kt_tracer *t = kt_tracer_current();
    int32_t *number = kt_arena_alloc(t->g->arena, sizeof *number * (size_t)n);
    if (!number) return kt_fail_object(KT_ENOMEM);
    for (int64_t i = 0; i < n; i++) number[i] = (int32_t)i;
    kt_sym *row = kt_wrap(kt_g_array(t->g, number, (kt_spec){KT_INT32, {1, {n}}}));
    return kt_op_not_equal(kt_op_expand_dims(row, 1), kt_op_expand_dims(row, 0));
}

static kt_status circle_operands(const kt_component *c, kt_sym **t, kt_sym **p) {
    if (kt_failed(*t) || kt_failed(*p)) return kt_check(kt_failed(*t) ? *t : *p);
    if (!kt_dtype_is_float(kt_sym_dtype(*p))) *p = kt_sym_cast(*p, kt_dtype_of(kt_floatx()));
    const kt_shape sp = kt_sym_shape(*p), st = kt_sym_shape(*t);
    if (sp.ndim != 2 || kt_shape_size(&st) != sp.dim[0] || st.ndim < 1)
        return kt_loss_shape_error(
            c, *t, "(batch,) of class numbers, with y_pred (batch, n) of embeddings");
    *t = kt_op_reshape(kt_sym_cast(*t, KT_INT32), (kt_shape){1, {sp.dim[0]}});
    return kt_check(*t);
}

static kt_sym *circle_call(const kt_component *c, kt_sym *t, kt_sym *p) {
    const circle_args *a = kt_args_of(c);
    const kt_status st = circle_operands(c, &t, &p);
    if (st) return kt_fail_object(st);
    const double m = a->margin;
    kt_sym *cosine = kt_op_matmul(p, kt_op_transpose(p, (kt_shape){0, {0}}));
    kt_sym *d = kt_op_maximum(kt_sym_from(1, cosine), kt_num(0));
    kt_sym *same = kt_op_equal(kt_op_expand_dims(t, 1), kt_op_expand_dims(t, 0));
    kt_sym *other = kt_op_not_equal(kt_op_expand_dims(t, 1), kt_op_expand_dims(t, 0));
    if (a->remove_diagonal) same = kt_op_multiply(same, off_diagonal(kt_sym_shape(p).dim[0]));
    kt_sym *positive = kt_op_multiply(
        kt_op_maximum(kt_sym_shift(d, m), kt_num(0)), kt_sym_scale(kt_sym_from(m, d), -a->gamma));
    kt_sym *negative = kt_op_multiply(
        kt_op_maximum(kt_sym_from(1 + m, d), kt_num(0)),
        kt_sym_scale(kt_sym_from(1 - m, d), a->gamma));
    kt_sym *y = kt_op_softplus(
        kt_op_add(logsumexp_where(same, positive), logsumexp_where(other, negative)));
    return kt_sym_plain(y, kt_op_greater(y, kt_num(0)));
}

static const kt_field circle_fields[] = {
    KT_F(circle_args, gamma),
    KT_F(circle_args, margin),
    KT_F(circle_args, remove_diagonal),
    KT_LOSS_FIELDS(circle_args)};
static const circle_args circle_defaults = {.size = sizeof(circle_args), KT_LOSS_CIRCLE_DEFAULTS};

const kt_loss_class kt_loss_class_circle = {
    .base =
        {.kind = KT_KIND_LOSS,
         .name = "Circle",
         .args_size = sizeof(circle_args),
         .fields = circle_fields,
         .defaults = &circle_defaults,
         .init = kt_loss_init},
    .call = circle_call};

kt_loss *kt_loss_circle_new(const kt_loss_circle_args *args) {
    return kt_component_new(&kt_loss_class_circle.base, args);
}
