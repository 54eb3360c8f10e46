/* sparse_categorical_crossentropy: -log p[label]; from logits: -log softmax(x)[label].
 *
 * All cases end in the one primitive sparse_xent: probabilities that come from a softmax of the
 * same graph give way to its input, others become log(clip(p, 1e-7, 1 - 1e-7)), as Keras does on
 * TensorFlow. Samples of ignore_class get loss 0 and a mask, so that the mean is over the others.
 * Keras: SparseCategoricalCrossentropy. */
#include "nn/losses/loss.h"

typedef kt_loss_sparse_categorical_crossentropy_args scce_args;

extern const kt_opdef kt_opdef_softmax;

static kt_sym *scce_rows(const scce_args *a, kt_sym *p) {
    kt_sym *logits = a->from_logits ? p : NULL; /* Keras masks p, so that it is no longer known */
    if (a->ignore_class == KT_NONE) logits = kt_logits_of(p, a->from_logits, &kt_opdef_softmax, -1);
    if (!logits) logits = kt_op_log(kt_op_clip(p, KT_LOSS_EPSILON, 1 - KT_LOSS_EPSILON));
    const kt_shape s = kt_sym_shape(logits);
    return kt_op_reshape(logits, (kt_shape){2, {-1, kt_shape_dim(&s, -1)}});
}

static kt_sym *scce_call(const kt_component *c, kt_sym *t, kt_sym *p) {
    const scce_args *a = kt_args_of(c);
    if (kt_failed(p)) return p;
    if (!kt_dtype_is_float(kt_sym_dtype(p))) p = kt_sym_cast(p, kt_dtype_of(kt_floatx()));
    const kt_shape shape = kt_sym_shape(p);
    if (shape.ndim < 1 || kt_axis(a->axis, shape.ndim) != shape.ndim - 1)
        return kt_fail_object(KT_FAIL(
            KT_EUNSUPPORTED, "%s: the classes must be on the last axis (axis = -1)", c->name));
    const kt_status st = kt_class_labels(c, &t, shape, "categorical_crossentropy");
    if (st) return kt_fail_object(st);
    if (kt_dtype_is_float(kt_sym_dtype(t))) /* NaN is no class */
        t = kt_op_where(kt_op_equal(t, t), t, kt_num(-1));
    t = kt_sym_cast(t, KT_INT32);
    const kt_shape positions = kt_sym_shape(t);
    kt_sym *valid = NULL;
    if (a->ignore_class != KT_NONE) {
        valid = kt_op_not_equal(t, kt_num((double)a->ignore_class));
        t = kt_op_where(valid, t, kt_num(0));
    }
    kt_sym *rows = scce_rows(a, p), *labels = kt_op_reshape(t, (kt_shape){1, {-1}});
    if (kt_failed(rows) || kt_failed(labels)) return kt_failed(rows) ? rows : labels;
    kt_graph *g = kt_tracer_current()->g;
    kt_sym *y = kt_wrap(kt_g_sparse_xent(g, kt_unwrap(rows, NULL), kt_unwrap(labels, NULL)));
    y = kt_op_reshape(y, positions);
    if (valid) y = kt_sym_plain(kt_op_where(valid, y, kt_num(0)), valid);
    return y;
}

static const kt_field scce_fields[] = {
    KT_F(scce_args, from_logits),
    KT_F(scce_args, ignore_class),
    KT_F(scce_args, axis),
    KT_LOSS_FIELDS(scce_args)};
static const scce_args scce_defaults = {
    .size = sizeof(scce_args), KT_LOSS_SPARSE_CATEGORICAL_CROSSENTROPY_DEFAULTS};

const kt_loss_class kt_loss_class_sparse_categorical_crossentropy = {
    .base =
        {.kind = KT_KIND_LOSS,
         .name = "SparseCategoricalCrossentropy",
         .args_size = sizeof(scce_args),
         .fields = scce_fields,
         .defaults = &scce_defaults,
         .init = kt_loss_init},
    .call = scce_call};

kt_loss *kt_loss_sparse_categorical_crossentropy_new(
    const kt_loss_sparse_categorical_crossentropy_args *args) {
    return kt_component_new(&kt_loss_class_sparse_categorical_crossentropy.base, args);
}
