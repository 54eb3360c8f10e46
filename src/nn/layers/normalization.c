/* Normalization: (x - mean) / sqrt(variance), or the way back, with moments that are given or taken
 * from data by kt_normalization_adapt(). They are weights then, next to a count that only files
 * still have.  keras.layers.Normalization */
#include "nn/axes.h"
#include "nn/layers/normalize.h"
#include "nn/tracer.h"

#include "base/error.h"
#include "base/mem.h"
#include "runtime/var.h"
#include "tensor/tensor.h"

#include <keratin/layers.h>

#include <math.h>
#include <string.h>

#define EPSILON 1e-7 /* the least deviation */

typedef kt_normalization_args norm_args;
typedef struct {
    kt_var *mean, *variance, *count; ///< NULL: they were given
    kt_shape in;
    int bits; ///< axes that keep moments of their own
} norm_state;

static kt_status norm_init(kt_layer *l) {
    const norm_args *a = kt_layer_args(l);
    const kt_ref given[2] = {a->mean, a->variance};
    if (!a->mean != !a->variance)
        return KT_FAIL(KT_EINVAL, "mean and variance go together: only one of them is given");
    for (int i = 0; i < 2 && a->mean; i++)
        if (!kt_is(given[i], KT_KIND_TENSOR))
            return KT_FAIL(KT_EINVAL, "%s: expected an array", i ? "variance" : "mean");
    if (!a->mean) return KT_OK;
    const kt_tensor *m = a->mean, *v = a->variance;
    if (!kt_shape_equal(&m->shape, &v->shape))
        return KT_FAIL(KT_EINVAL, "mean and variance must have one shape");
    int axes[KT_MAX_RANK];
    if (m->shape.ndim > kt_axes_list(a->axis, axes))
        return KT_FAIL(KT_EINVAL, "mean: expected no more axes than `axis` names");
    return KT_OK;
}

static kt_status norm_build(kt_layer *l, const kt_shape *in) {
    const norm_args *a = kt_layer_args(l);
    norm_state *d = kt_layer_state(l);
    kt_weight_args w = {.size = sizeof w, .layer = l, .initializer = "zeros", .trainable = false};
    int axes[KT_MAX_RANK], n = 0;
    kt_status st = KT_OK;
    d->bits = 0;
    d->in = *in;
    if (kt_axes_list(a->axis, axes)) st = kt_norm_axes(a->axis, in, &d->bits);
    if (st) return st;
    for (int i = 0; i < in->ndim; i++) {
        if (!(d->bits >> i & 1)) continue;
        if (in->dim[i] <= 0) return KT_FAIL(KT_ESHAPE, "the length of axis %d must be known", i);
        w.shape[n++] = in->dim[i];
    }
    if (a->mean) return KT_OK;
    if (!n) w.shape[0] = KT_SCALAR;
    w.name = "mean";
    d->mean = kt_add_weight_with(&w);
    w.name = "variance";
    w.initializer = "ones";
    d->variance = kt_add_weight_with(&w);
    d->count = kt_add_weight(
        l, "count", {KT_SCALAR}, .initializer = "zeros", .dtype = "int64", .trainable = false);
    return kt_check(l);
}

/* What was given, next to x: its axes belong to the last of those that keep moments. */
static kt_val *beside(kt_graph *g, const norm_state *d, const kt_tensor *t, const kt_val *x) {
    kt_shape s = {x->spec.shape.ndim, {0}};
    int from = t->shape.ndim - 1;
    for (int i = s.ndim - 1; i >= 0; i--)
        s.dim[i] = (d->bits >> i & 1) && from >= 0 ? t->shape.dim[from--] : 1;
    for (int i = 0; i < s.ndim; i++)
        if (s.dim[i] != 1 && s.dim[i] != x->spec.shape.dim[i])
            return kt_graph_fail(
                g, KT_FAIL(KT_ESHAPE, "mean and variance do not go with axis %d", i));
    const kt_spec spec = {t->dtype, s};
    return kt_g_cast(g, kt_g_array(g, kt_tensor_data(t), spec), x->spec.dtype);
}

static kt_status norm_call(kt_layer *l, kt_trace *t) {
    const norm_args *a = kt_layer_args(l);
    const norm_state *d = kt_layer_state(l);
    kt_graph *g = kt_tracer_current()->g;
    kt_val *x = kt_g_cast(g, kt_unwrap(t->in[0], NULL), l->dtype), *mean, *variance;
    if (!x) return g->status;
    if (x->spec.shape.ndim != d->in.ndim)
        return KT_FAIL(KT_ESHAPE, "the layer was built for %d axes", d->in.ndim);
    if (a->mean) {
        mean = beside(g, d, a->mean, x);
        variance = beside(g, d, a->variance, x);
    } else {
        mean = kt_norm_widen(g, d->mean, x, d->bits);
        variance = kt_norm_widen(g, d->variance, x, d->bits);
    }
    if (!mean || !variance) return g->status;
    kt_val *deviation = kt_g_sqrt(g, variance);
    deviation = kt_g_maximum(g, deviation, kt_g_num(g, EPSILON, x));
    kt_val *y = a->invert ? kt_g_add(g, mean, kt_g_mul(g, x, deviation))
                          : kt_g_div(g, kt_g_sub(g, x, mean), deviation);
    t->out[0] = kt_wrap(y);
    return kt_check(t->out[0]);
}

static const kt_field norm_fields[] = {
    KT_F(norm_args, axis),
    KT_F(norm_args, mean),
    KT_F(norm_args, variance),
    KT_F(norm_args, invert),
    KT_F_END};

const kt_layer_class kt_class_normalization = {
    .name = "Normalization",
    .args_size = sizeof(norm_args),
    .state_size = sizeof(norm_state),
    .fields = norm_fields,
    .defaults = &(const norm_args){KT_NORMALIZATION_DEFAULTS},
    .init = norm_init,
    .build = norm_build,
    .call = norm_call,
    .supports_masking = true,
};

kt_layer *kt_normalization_new(const kt_normalization_args *a) {
    return kt_layer_new(&kt_class_normalization, a);
}

/* Adapting ------------------------------------------------------------------------------------- */

/* The moment that element i of the data counts for. */
static int64_t slot_of(const kt_shape *s, int bits, int64_t i) {
    int64_t slot = 0, below = kt_shape_size(s);
    for (int a = 0; a < s->ndim; a++) {
        below /= s->dim[a];
        const int64_t at = i / below % s->dim[a];
        if (bits >> a & 1) slot = slot * s->dim[a] + at;
    }
    return slot;
}

/* Mean first, then squares around it: exact enough in double precision. */
static kt_status take_moments(const norm_state *d, const kt_tensor *data) {
    const int64_t n = kt_tensor_size(data), slots = kt_shape_size(&d->mean->spec.shape);
    const double each = (double)(n / slots);
    double *sum = kt_alloc_array(slots, sizeof *sum), *square = kt_alloc_array(slots, sizeof *sum);
    kt_status st = sum && square ? KT_OK : KT_ENOMEM;
    for (int64_t i = 0; i < n && st == KT_OK; i++)
        sum[slot_of(&data->shape, d->bits, i)] += kt_tensor_get(data, i) / each;
    for (int64_t i = 0; i < n && st == KT_OK; i++) {
        const int64_t k = slot_of(&data->shape, d->bits, i);
        const double off = kt_tensor_get(data, i) - sum[k];
        square[k] += off * off / each;
    }
    if (st == KT_OK) st = kt_var_ensure(d->mean);
    if (st == KT_OK) st = kt_var_ensure(d->variance);
    for (int64_t k = 0; k < slots && st == KT_OK; k++) {
        kt_elem_set(kt_var_data(d->mean), d->mean->spec.dtype, k, sum[k]);
        kt_elem_set(kt_var_data(d->variance), d->variance->spec.dtype, k, square[k]);
    }
    kt_mem_free(sum);
    kt_mem_free(square);
    return st;
}

kt_status kt_normalization_adapt(kt_layer *l, const kt_tensor *data) {
    kt_status st = kt_layer_require(l, "kt_normalization_adapt");
    if (st) return st;
    if (l->cls != &kt_class_normalization)
        return KT_FAIL(KT_EINVAL, "kt_normalization_adapt: expected a Normalization layer");
    if (!kt_is(data, KT_KIND_TENSOR))
        return data && kt_failed(data) ? kt_check(data)
                                       : KT_FAIL(KT_EINVAL, "adapt: expected an array");
    if (kt_tensor_size(data) == 0) return KT_FAIL(KT_EINVAL, "adapt: the data are empty");
    const norm_state *d = kt_layer_state(l);
    if (((const norm_args *)kt_layer_args(l))->mean)
        return KT_FAIL(KT_ESTATE, "adapt: mean and variance were given");
    if (!d->mean) st = kt_layer_build(l, data->shape);
    if (st) return st;
    bool fits = data->shape.ndim == d->in.ndim;
    for (int i = 0; i < d->in.ndim && fits; i++)
        fits = !(d->bits >> i & 1) || data->shape.dim[i] == d->in.dim[i];
    if (fits) return take_moments(d, data);
    char want[KT_SHAPE_STR], got[KT_SHAPE_STR];
    KT_FAIL(KT_ESHAPE, "adapt: the layer was built for other data");
    kt_error_expected("%s", kt_shape_str(&d->in, want, sizeof want));
    return kt_error_got("%s", kt_shape_str(&data->shape, got, sizeof got));
}
