/* What layers of pictures share: see pictures.h. */
#include "nn/layers/pictures.h"

#include "base/error.h"

#include <math.h>

kt_status kt_pictures_check(kt_layer *l, const char *data_format) {
    bool first;
    kt_layer_set_spec(l, (kt_input_spec){.min_ndim = 3, .max_ndim = 4});
    return kt_data_format_get(data_format, &first);
}

kt_val *kt_pictures_in(
    kt_layer *l, const kt_trace *t, const char *data_format, bool as_is, kt_pictures *p) {
    static const int last[] = {0, 2, 3, 1};
    kt_graph *g = kt_tracer_current()->g;
    kt_val *x = kt_unwrap(t->in[0], NULL);
    *p = (kt_pictures){.alone = x && x->spec.shape.ndim == 3};
    const kt_status st = kt_data_format_get(data_format, &p->first);
    if (!x || st) return st ? kt_graph_fail(g, st) : NULL;
    if (!as_is) x = kt_g_cast(g, x, kt_layer_dtype(l));
    if (p->alone) x = kt_g_expand_dims(g, x, 0);
    return p->first ? kt_g_transpose(g, x, last) : x;
}

kt_status kt_pictures_out(kt_trace *t, kt_val *x, const kt_pictures *p) {
    static const int first[] = {0, 3, 1, 2};
    kt_graph *g = kt_tracer_current()->g;
    if (p->first) x = kt_g_transpose(g, x, first);
    if (p->alone) x = kt_g_squeeze(g, x, 0);
    if (!x) return g->status;
    t->out[0] = kt_wrap(x);
    return kt_check(t->out[0]);
}

kt_status kt_factor_get(
    double v, kt_floats_t list, const char *what, double low, double high, double out[2]) {
    bool good = list.n == 2 || list.n == 0;
    out[0] = fmax(-fabs(v), low);
    out[1] = fabs(v);
    if (list.n == 2) {
        out[0] = fmin(list.v[0], list.v[1]);
        out[1] = fmax(list.v[0], list.v[1]);
    } else if (!(v >= low && v <= high)) {
        good = false;
    }
    if (good && out[0] >= low && out[1] <= high) return KT_OK;
    KT_FAIL(KT_EINVAL, "%s is out of range", what);
    kt_error_expected("one number, or two, from %g to %g", low, high);
    if (list.n && list.n != 2) return kt_error_got("%d numbers", list.n);
    return list.n ? kt_error_got("%g, %g", list.v[0], list.v[1]) : kt_error_got("%g", v);
}

kt_status kt_value_range_get(kt_floats_t list, double out[2]) {
    out[0] = 0;
    out[1] = 255;
    if (!list.n) return KT_OK;
    if (list.n != 2 || !isfinite(list.v[0]) || !isfinite(list.v[1]))
        return KT_FAIL(KT_EINVAL, "value_range: expected two finite numbers");
    out[0] = fmin(list.v[0], list.v[1]);
    out[1] = fmax(list.v[0], list.v[1]);
    return KT_OK;
}

kt_val *kt_draw(kt_layer *l, int64_t n, int ndim, const double range[2], int64_t seed) {
    kt_graph *g = kt_tracer_current()->g;
    kt_shape shape = {ndim, {n, 1, 1, 1}};
    kt_val *u = kt_unwrap(kt_random_uniform(l, shape, seed), NULL);
    u = u ? kt_g_cast(g, u, KT_FLOAT32) : NULL;
    return u ? kt_g_shift(g, kt_g_scale(g, u, range[1] - range[0]), range[0]) : NULL;
}
