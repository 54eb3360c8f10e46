/* Losses by name or object, and the value of a loss: per-sample values times weights, reduced.
 * Keras: losses/loss.py (reduce_weighted_values).
 *
 * One deliberate difference: weights of fewer axes than the values belong to the leading axes, so
 * weights per sample serve outputs with time steps. Keras aligns trailing axes there, which fails
 * or, with as many steps as samples, weights the wrong axis. */
#include "nn/losses/loss.h"

#include "base/mem.h"
#include "base/str.h"

#include <string.h>

typedef enum { REDUCE_NONE, REDUCE_SUM, REDUCE_MEAN, REDUCE_WEIGHTED, REDUCE_UNKNOWN } reduction;

static const char *text_argument(const kt_component *c, const char *name) {
    for (const kt_field *f = c->cls->fields; f && f->type; f++)
        if (!strcmp(f->name, name))
            return *(const char *const *)((const char *)c->args + f->offset);
    return NULL;
}

static reduction reduction_of(const char *name) {
    if (!name || !strcmp(name, "none")) return REDUCE_NONE;
    if (!strcmp(name, "sum")) return REDUCE_SUM;
    if (!strcmp(name, "sum_over_batch_size") || !strcmp(name, "mean")) return REDUCE_MEAN;
    return strcmp(name, "mean_with_sample_weight") != 0 ? REDUCE_UNKNOWN : REDUCE_WEIGHTED;
}

kt_status kt_loss_init(kt_component *c) {
    const char *name = text_argument(c, "name"), *how = text_argument(c, "reduction");
    const char *dtype = text_argument(c, "dtype");
    char snake[64];
    if (reduction_of(how) == REDUCE_UNKNOWN) {
        KT_FAIL(KT_EINVAL, "reduction: unknown name \"%.60s\"", how);
        return kt_error_expected(
            "\"sum_over_batch_size\", \"mean\", \"sum\", \"mean_with_sample_weight\" or \"none\"");
    }
    if (dtype && !kt_dtype_is_float(kt_dtype_of(dtype)))
        return KT_FAIL(KT_EINVAL, "dtype: expected a floating-point type, got \"%.60s\"", dtype);
    kt_snake_case(c->cls->name, snake, sizeof snake);
    if (!c->name) c->name = kt_strdup(name ? name : snake);
    return c->name ? KT_OK : KT_ENOMEM;
}

const char *kt_loss_name(const kt_component *loss) { return loss->name; }

kt_status kt_loss_get(kt_component **out, kt_ref ref) {
    *out = NULL;
    if (ref && !kt_is_obj(ref) && (!strcmp(ref, "crossentropy") || !strcmp(ref, "ce"))) {
        *out = kt_loss_crossentropy_new();
        return kt_check(*out);
    }
    return kt_component_get(out, ref, KT_KIND_LOSS, kt_loss_registry(), "loss");
}

kt_sym *kt_loss_per_sample(const kt_component *loss, kt_sym *y_true, kt_sym *y_pred) {
    const char *dtype = text_argument(loss, "dtype");
    if (dtype) y_pred = kt_op_cast(y_pred, dtype);
    kt_sym *values = ((const kt_loss_class *)loss->cls)->call(loss, y_true, y_pred);
    if (!values) return kt_fail_object(KT_FAIL(KT_EINVAL, "loss \"%s\" returned NULL", loss->name));
    return values;
}

static bool is_half(kt_dtype d) { return d == KT_FLOAT16 || d == KT_BFLOAT16; }

/* Losses are computed in floatx, whatever the model is computed in; what is wider stays so. */
static kt_sym *in_floatx(const kt_component *loss, kt_sym *y_pred) {
    const kt_dtype have = kt_sym_dtype(y_pred), want = kt_dtype_of(kt_floatx());
    if (text_argument(loss, "dtype") || !(is_half(have) || is_half(want))) return y_pred;
    return kt_dtype_is_float(have) ? kt_sym_cast(y_pred, want) : y_pred;
}

/* Weights of fewer axes than the values: one for each element of the leading axes. A single value,
 * as of Dice, is weighted by each of them. */
static kt_status align_weight(const kt_component *loss, kt_sym **values, kt_sym **weight) {
    kt_same_rank(values, weight, true);
    if (kt_failed(*values)) return kt_check(*values);
    if (kt_failed(*weight)) return kt_check(*weight);
    const kt_shape v = kt_sym_shape(*values), w = kt_sym_shape(*weight);
    bool fits = w.ndim <= v.ndim || v.ndim == 0;
    for (int i = 0; fits && v.ndim && i < w.ndim; i++) fits = w.dim[i] == v.dim[i] || w.dim[i] == 1;
    if (!fits) {
        char sv[KT_SHAPE_STR], sw[KT_SHAPE_STR];
        KT_FAIL(KT_ESHAPE, "%s: sample weights or mask do not fit the loss values", loss->name);
        kt_error_expected("%s or its leading axes", kt_shape_str(&v, sv, sizeof sv));
        return kt_error_got("%s", kt_shape_str(&w, sw, sizeof sw));
    }
    for (int i = w.ndim; w.ndim && i < v.ndim; i++) *weight = kt_op_expand_dims(*weight, -1);
    return kt_check(*weight);
}

/* The mask as a weight: with a mean, valid elements get total/valid, so that the mean is over
 * them. */
static kt_sym *mask_weight(kt_sym *mask, kt_sym *out_mask, kt_dtype dtype, reduction how) {
    kt_sym *m = mask ? kt_sym_cast(mask, dtype) : NULL;
    if (out_mask) {
        kt_sym *o = kt_sym_cast(out_mask, dtype);
        if (m) kt_same_rank(&m, &o, true);
        m = m ? kt_op_multiply(m, o) : o;
    }
    if (!m || how != REDUCE_MEAN) return m;
    const kt_shape shape = kt_sym_shape(m);
    kt_sym *valid = kt_op_sum(m, KT_NONE, false);
    return kt_op_multiply(m, kt_divide_no_nan(kt_num((double)kt_shape_size(&shape)), valid));
}

static kt_sym *reduce(kt_sym *values, kt_sym *weight, reduction how) {
    if (kt_failed(values) || how == REDUCE_NONE || kt_sym_shape(values).ndim == 0) return values;
    if (how == REDUCE_MEAN || (how == REDUCE_WEIGHTED && !weight))
        return kt_op_mean(values, KT_NONE, false);
    kt_sym *sum = kt_op_sum(values, KT_NONE, false);
    return how == REDUCE_SUM ? sum : kt_divide_no_nan(sum, kt_op_sum(weight, KT_NONE, false));
}

kt_sym *kt_loss_value(
    const kt_component *loss, kt_sym *y_true, kt_sym *y_pred, kt_sym *sample_weight, kt_sym *mask) {
    const reduction how = reduction_of(text_argument(loss, "reduction"));
    kt_sym *values = kt_loss_per_sample(loss, y_true, in_floatx(loss, y_pred));
    if (kt_failed(values)) return values;
    const kt_dtype dtype = kt_sym_dtype(values);
    if (!kt_dtype_is_float(dtype)) {
        KT_FAIL(KT_EDTYPE, "loss \"%s\": its values are no floating-point numbers", loss->name);
        kt_error_got("%s", kt_dtype_name(dtype));
        return kt_fail_object(KT_EDTYPE);
    }
    kt_sym *weight = mask_weight(mask, values->mask, dtype, how);
    if (sample_weight) {
        sample_weight = kt_sym_cast(sample_weight, dtype);
        if (weight) {
            kt_status st = align_weight(loss, &values, &weight);
            if (st == KT_OK) st = align_weight(loss, &values, &sample_weight);
            if (st) return kt_fail_object(st);
        }
        weight = weight ? kt_op_multiply(sample_weight, weight) : sample_weight;
    }
    if (weight) {
        const kt_status st = align_weight(loss, &values, &weight);
        if (st) return kt_fail_object(st);
        values = kt_op_multiply(values, weight);
    }
    return reduce(values, weight, how);
}
