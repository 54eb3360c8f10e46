/* ctc: connectionist temporal classification, see ops/ctc.c. y_true (batch, n) are class numbers,
 * 0 is the blank and fills short rows up; y_pred (batch, steps, classes) are logits. Every step
 * counts, and as many labels as there are others than 0. Keras: CTC. */
#include "nn/losses/plain.h"

static kt_sym *ctc_call(const kt_component *c, kt_sym *t, kt_sym *p) {
    if (kt_failed(t) || kt_failed(p)) return kt_failed(t) ? t : p;
    if (!kt_dtype_is_float(kt_sym_dtype(p))) p = kt_sym_cast(p, kt_dtype_of(kt_floatx()));
    const kt_shape labels = kt_sym_shape(t), logits = kt_sym_shape(p);
    if (labels.ndim != 2 || logits.ndim != 3 || labels.dim[0] != logits.dim[0]) {
        char a[KT_SHAPE_STR], b[KT_SHAPE_STR];
        KT_FAIL(KT_ESHAPE, "%s: y_true and y_pred do not go together", c->name);
        kt_error_expected("labels (batch, n) and logits (batch, steps, classes)");
        kt_error_got(
            "%s and %s", kt_shape_str(&labels, a, sizeof a), kt_shape_str(&logits, b, sizeof b));
        return kt_fail_object(KT_ESHAPE);
    }
    if (kt_dtype_is_float(kt_sym_dtype(t))) /* NaN is no class */
        t = kt_op_where(kt_op_equal(t, t), t, kt_num(-1));
    t = kt_sym_cast(t, KT_INT32);
    kt_sym *n_labels = kt_sym_cast(kt_op_not_equal(t, kt_num(0)), KT_INT32);
    n_labels = kt_sym_cast(kt_op_sum(n_labels, 1, false), KT_INT32);
    p = kt_op_log_softmax(p, -1);
    if (kt_failed(n_labels) || kt_failed(p)) return kt_failed(p) ? p : n_labels;
    kt_graph *g = kt_tracer_current()->g;
    kt_val *steps = kt_g_const(g, (double)logits.dim[1], (kt_spec){KT_INT32, {1, {logits.dim[0]}}});
    return kt_wrap(
        kt_g_ctc(g, kt_unwrap(p, NULL), kt_unwrap(t, NULL), kt_unwrap(n_labels, NULL), steps, 0));
}

const kt_loss_class kt_loss_class_ctc = {
    .base =
        {.kind = KT_KIND_LOSS,
         .name = "CTC",
         .args_size = sizeof(kt_loss_args),
         .fields = kt_loss_plain_fields,
         .defaults = &kt_loss_plain_defaults,
         .init = kt_loss_init},
    .call = ctc_call};

kt_loss *kt_loss_ctc_new(const kt_loss_args *args) {
    return kt_component_new(&kt_loss_class_ctc.base, args);
}
