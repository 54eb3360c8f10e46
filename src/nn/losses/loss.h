/* Losses: what the training program needs of them (kt_loss_get, kt_loss_value), and what the loss
 * files share. Formulas live in one file each and give one value per sample; masks, weights and
 * the reduction are applied here, once. */
#ifndef KT_NN_LOSS_H
#define KT_NN_LOSS_H

#include "nn/tracer.h"

#include <keratin/losses.h>

#define KT_LOSS_EPSILON 1e-7 /* keras.config.epsilon() */

/** A name or an object; NULL gives NULL. "crossentropy" and "ce" choose by shapes when called. */
kt_status kt_loss_get(kt_component **out, kt_ref ref);
const char *kt_loss_name(const kt_component *loss);

/** The loss of a batch, inside a trace: a scalar (per-sample values with the reduction "none").
 * sample_weight and mask (of the output, without the feature axis) may be NULL. A mask is scaled by
 * total/valid when the reduction is a mean, and then is a weight. */
kt_sym *kt_loss_value(
    const kt_component *loss, kt_sym *y_true, kt_sym *y_pred, kt_sym *sample_weight, kt_sym *mask);
/** One value per sample, without weights; out->mask is set where samples do not count. */
kt_sym *kt_loss_per_sample(const kt_component *loss, kt_sym *y_true, kt_sym *y_pred);

/** Is the last axis of the output 1 (binary)? Else: are the labels class numbers (sparse)? */
void kt_label_form(const kt_shape *y_true, const kt_shape *y_pred, bool *binary, bool *sparse);

/** The loss behind "crossentropy": binary, sparse or categorical by the shapes of a batch. */
kt_component *kt_loss_crossentropy_new(void);

/* For the loss and metric files. All work inside a trace; a failed operand fails the result. */

/** Checks reduction and dtype, sets the name. `init` of every loss, or called by it. */
kt_status kt_loss_init(kt_component *c);
#define KT_LOSS_FIELDS(T) KT_F(T, reduction), KT_F(T, name), KT_F(T, dtype), KT_F_END

/** Where ranks differ by one and the last axis of the larger is 1: expands the other one if it has
 * rank 1 (and expand_rank_1), else squeezes. Keras: squeeze_or_expand_to_same_rank */
void kt_same_rank(kt_sym **a, kt_sym **b, bool expand_rank_1);
/** Brings both to y_pred's (floating) dtype and the same rank, and checks that they have one
 * shape. */
kt_status kt_loss_operands(const kt_component *c, kt_sym **y_true, kt_sym **y_pred);
/** kt_loss_operands() for one-hot labels; a hint names `sparse` when the labels look like class
 * numbers. */
kt_status kt_one_hot_labels(
    const kt_component *c, kt_sym **y_true, kt_sym **y_pred, const char *sparse);
/** Labels that are class numbers: drops a last axis of length 1, checks that they have y_pred's
 * shape without its last axis; a hint names `one_hot` when they look like one-hot rows. */
kt_status kt_class_labels(
    const kt_component *c, kt_sym **y_true, kt_shape y_pred, const char *one_hot);
/** KT_ESHAPE: "expected y_true like y_pred …, got …". */
kt_status kt_loss_shape_error(const kt_component *c, const kt_sym *y_true, const char *expected);
/** What a cross-entropy takes for logits, NULL for none: what a softmax or sigmoid was applied to,
 * if y_pred is the result of one, be it the one that goes with the loss or not, from_logits or not
 * (as Keras on TensorFlow); y_pred if it comes from logits; what `op` (a softmax over `axis`, a
 * sigmoid) was applied to, if y_pred is a reshaped result of that. */
kt_sym *kt_logits_of(kt_sym *y_pred, bool from_logits, const kt_opdef *op, int axis);
/** labels (1 - s) + s / n */
kt_sym *kt_smooth_labels(kt_sym *y_true, double smoothing, double n);
/** x * min(rsqrt(sum(x^2)), 1e7) along an axis. */
kt_sym *kt_l2_normalize(kt_sym *x, int axis);

/** The name of a function from the text of a macro's arguments ("cube, .data = &x" -> "cube"), to
 * be freed; "custom" if it does not start with one. */
char *kt_function_name(const char *text);

kt_sym *kt_sym_cast(kt_sym *x, kt_dtype dtype);
/** The same value without a mask. */
kt_sym *kt_sym_plain(kt_sym *x, kt_sym *mask);
/** a / b, 0 where b is 0. */
kt_sym *kt_divide_no_nan(kt_sym *a, kt_sym *b);
/** c x and x + c with a plain number. */
kt_sym *kt_sym_scale(kt_sym *x, double c);
kt_sym *kt_sym_shift(kt_sym *x, double c);
/** c - x */
kt_sym *kt_sym_from(double c, kt_sym *x);
/** Sum over a set of axes (bit mask). */
kt_sym *kt_sum_axes(kt_sym *x, int axes);

#endif
