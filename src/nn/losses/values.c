/* What losses and metrics do to their operands: dtypes, ranks, the logits behind a probability,
 * and small formulas of their own. See loss.h. */
#include "nn/losses/loss.h"

extern const kt_opdef kt_opdef_reshape, kt_opdef_softmax;

kt_sym *kt_sym_cast(kt_sym *x, kt_dtype dtype) {
    return kt_sym_dtype(x) == dtype ? x : kt_op_cast(x, kt_dtype_name(dtype));
}

kt_sym *kt_sym_plain(kt_sym *x, kt_sym *mask) {
    if (kt_failed(x) || x->mask == mask) return x;
    kt_sym *copy = kt_wrap(kt_unwrap(x, NULL));
    if (!kt_failed(copy)) copy->mask = mask;
    return copy;
}

kt_sym *kt_sym_scale(kt_sym *x, double c) { return c == 1 ? x : kt_op_multiply(x, kt_num(c)); }

kt_sym *kt_sym_shift(kt_sym *x, double c) { return kt_op_add(x, kt_num(c)); }

kt_sym *kt_sym_from(double c, kt_sym *x) { return kt_op_subtract(kt_num(c), x); }

kt_sym *kt_divide_no_nan(kt_sym *a, kt_sym *b) {
    kt_sym *zero = kt_op_equal(b, kt_num(0));
    kt_sym *quotient = kt_op_divide(a, kt_op_where(zero, kt_num(1), b));
    return kt_op_where(zero, kt_num(0), quotient);
}

kt_sym *kt_sum_axes(kt_sym *x, int axes) {
    kt_val *v = kt_failed(x) ? NULL : kt_unwrap(x, NULL);
    if (!v) return kt_fail_object(kt_failed(x) ? kt_check(x) : kt_tracer_current()->g->status);
    return kt_wrap(kt_g_sum(kt_tracer_current()->g, v, axes, false));
}

/* Brings `small`, of one axis less, and `large` to one rank if large ends in an axis of 1. */
static void align(kt_sym **small, kt_sym **large, bool expand_rank_1) {
    const kt_shape s = kt_sym_shape(*large);
    if (kt_shape_dim(&s, -1) != 1) return;
    if (s.ndim == 2 && expand_rank_1)
        *small = kt_op_expand_dims(*small, -1);
    else
        *large = kt_op_squeeze(*large, -1);
}

void kt_same_rank(kt_sym **a, kt_sym **b, bool expand_rank_1) {
    if (kt_failed(*a) || kt_failed(*b)) return;
    const int ra = kt_sym_shape(*a).ndim, rb = kt_sym_shape(*b).ndim;
    if (ra == rb + 1)
        align(b, a, expand_rank_1);
    else if (rb == ra + 1)
        align(a, b, expand_rank_1);
}

kt_status kt_loss_shape_error(const kt_component *c, const kt_sym *y_true, const char *expected) {
    char got[KT_SHAPE_STR + 16];
    KT_FAIL(KT_ESHAPE, "%s: the labels do not fit the output", c->name ? c->name : c->cls->name);
    kt_error_expected("y_true %s", expected);
    return kt_error_got("y_true %s", kt_spec_str(&y_true->spec, got, sizeof got));
}

kt_status kt_loss_operands(const kt_component *c, kt_sym **y_true, kt_sym **y_pred) {
    if (kt_failed(*y_pred)) return kt_check(*y_pred);
    if (kt_failed(*y_true)) return kt_check(*y_true);
    if (!kt_dtype_is_float(kt_sym_dtype(*y_pred)))
        *y_pred = kt_sym_cast(*y_pred, kt_dtype_of(kt_floatx()));
    const kt_sym *given = *y_true;
    *y_true = kt_sym_cast(*y_true, kt_sym_dtype(*y_pred));
    kt_same_rank(y_true, y_pred, true);
    if (kt_failed(*y_pred)) return kt_check(*y_pred);
    if (kt_failed(*y_true)) return kt_check(*y_true);
    const kt_shape t = kt_sym_shape(*y_true), p = kt_sym_shape(*y_pred);
    char expected[KT_SHAPE_STR];
    if (kt_shape_equal(&t, &p)) return KT_OK;
    return kt_loss_shape_error(c, given, kt_shape_str(&p, expected, sizeof expected));
}

/* Class numbers given where one-hot rows are wanted, and the other way round, are the two frequent
 * mistakes: both get a hint. */
kt_status kt_one_hot_labels(const kt_component *c, kt_sym **t, kt_sym **p, const char *sparse) {
    const kt_shape st = kt_sym_shape(*t), sp = kt_sym_shape(*p);
    bool numbers = kt_shape_dim(&sp, -1) > 1 && st.ndim <= sp.ndim && st.ndim + 1 >= sp.ndim;
    for (int i = 0; numbers && i + 1 < sp.ndim; i++) numbers = st.dim[i] == sp.dim[i];
    const kt_status failed = kt_loss_operands(c, t, p);
    if (failed == KT_ESHAPE && numbers)
        kt_error_hint("for labels that are class numbers use %s", sparse);
    return failed;
}

kt_status kt_class_labels(const kt_component *c, kt_sym **t, kt_shape p, const char *one_hot) {
    if (kt_failed(*t)) return kt_check(*t);
    kt_shape s = kt_sym_shape(*t), want = p;
    char text[KT_SHAPE_STR];
    if (p.ndim < 1) return KT_FAIL(KT_ESHAPE, "%s: the output has no class axis", c->cls->name);
    want.ndim--;
    if (s.ndim == p.ndim && kt_shape_dim(&s, -1) == 1) {
        *t = kt_op_squeeze(*t, -1);
        s.ndim--;
    }
    if (kt_shape_equal(&s, &want)) return kt_check(*t);
    kt_loss_shape_error(c, *t, kt_shape_str(&want, text, sizeof text));
    if (kt_shape_equal(&s, &p)) kt_error_hint("for one-hot labels use %s", one_hot);
    return KT_ESHAPE;
}

kt_sym *kt_logits_of(kt_sym *y_pred, bool from_logits, const kt_opdef *op, int axis) {
    const kt_val *v = kt_failed(y_pred) ? NULL : kt_unwrap(y_pred, NULL);
    if (v && (v->def->op == &kt_opdef_softmax || v->def->op == &kt_opdef_sigmoid))
        return kt_wrap(v->def->in[0]);
    if (from_logits) return y_pred;
    if (!v) return NULL;
    const kt_shape shape = v->spec.shape;
    const bool by_rows = op == &kt_opdef_softmax;
    while (v->def->op == &kt_opdef_reshape) {
        const kt_val *in = v->def->in[0];
        if (by_rows && kt_shape_dim(&in->spec.shape, -1) != kt_shape_dim(&shape, -1)) return NULL;
        v = in;
    }
    if (v->def->op != op) return NULL;
    if (by_rows) { /* through a reshape the last axis only */
        const int at = kt_axis(axis, shape.ndim), of = ((const axis_attrs *)v->def->attrs)->axis;
        if (at != shape.ndim - 1 || of != v->spec.shape.ndim - 1) return NULL;
    }
    return kt_op_reshape(kt_wrap(v->def->in[0]), shape);
}

kt_sym *kt_smooth_labels(kt_sym *y_true, double smoothing, double n) {
    if (smoothing == 0) return y_true;
    return kt_sym_shift(kt_sym_scale(y_true, 1 - smoothing), smoothing / n);
}

kt_sym *kt_l2_normalize(kt_sym *x, int axis) {
    kt_sym *norm = kt_op_rsqrt(kt_op_sum(kt_op_square(x), axis, true));
    return kt_op_multiply(x, kt_op_minimum(norm, kt_num(1 / KT_LOSS_EPSILON)));
}
