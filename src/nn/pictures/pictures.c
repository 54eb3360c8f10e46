/* What layers of pictures share: see pictures.h. */
#include "nn/pictures/pictures.h"

#include "base/error.h"

#include <math.h>
#include <stdio.h>

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
    double v,
    kt_floats_t list,
    const char *what,
    bool each,
    double low,
    double high,
    double out[2]) {
    bool good = !list.n && v >= low && v <= high;
    out[0] = fmax(-fabs(v), low);
    out[1] = fabs(v);
    if (list.n == 2) {
        good = each ? list.v[0] >= low && list.v[0] <= high && list.v[1] >= low && list.v[1] <= high
                    : list.v[0] <= high && list.v[1] >= low;
        out[0] = fmin(list.v[0], list.v[1]);
        out[1] = fmax(list.v[0], list.v[1]);
    }
    if (good) return KT_OK;
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

kt_val *kt_g_take_cells(kt_graph *g, kt_val *x, int axis, kt_val *index) {
    static const int front[2][4] = {{1, 0, 2, 3}, {2, 0, 1, 3}},
                     back[2][4] = {{1, 0, 2, 3}, {1, 2, 0, 3}};
    x = kt_g_gather(g, kt_g_transpose(g, x, front[axis - 1]), index);
    return kt_g_transpose(g, x, back[axis - 1]);
}

kt_val *kt_g_gray(kt_graph *g, kt_val *x) {
    static const double share[] = {0.2989, 0.5870, 0.1140};
    const int64_t channels = x->spec.shape.dim[3];
    if (channels == 1) return x;
    if (channels != 3)
        return kt_graph_fail(
            g, KT_FAIL(KT_ESHAPE, "expected 3 channels or 1, got %lld", (long long)channels));
    const kt_dtype own = x->spec.dtype;
    kt_val *w = kt_g_array(g, share, (kt_spec){KT_FLOAT64, {1, {3}}});
    if (!kt_dtype_is_float(own)) x = kt_g_cast(g, x, KT_FLOAT32);
    if (!x || !w) return NULL;
    x = kt_g_sum(g, kt_g_mul(g, x, kt_g_cast(g, w, x->spec.dtype)), 1 << 3, true);
    return kt_g_cast(g, x, own);
}

kt_val *kt_values_moved(kt_graph *g, kt_val *x, const double from[2], const double to[2]) {
    if (!x || (from[0] == to[0] && from[1] == to[1])) return x;
    kt_val *length = kt_g_num(g, from[1] - from[0], x);
    x = kt_g_div(g, kt_g_shift(g, x, -from[0]), length);
    return kt_g_shift(g, kt_g_scale(g, x, to[1] - to[0]), to[0]);
}

kt_val *kt_draw(kt_layer *l, int64_t n, int ndim, const double range[2], int64_t seed) {
    kt_graph *g = kt_tracer_current()->g;
    kt_shape shape = {ndim, {n, 1, 1, 1}};
    kt_val *u = kt_random_floats(l, shape, seed);
    return u ? kt_g_shift(g, kt_g_scale(g, u, range[1] - range[0]), range[0]) : NULL;
}

kt_val *kt_draw_chance(kt_layer *l, int64_t n, const double range[2], int64_t seed) {
    kt_val *limit = kt_draw(l, n, 4, range, seed);
    kt_val *u = limit ? kt_draw(l, n, 4, (const double[]){0, 1}, seed) : NULL;
    return u ? kt_g_lt(kt_tracer_current()->g, u, limit) : NULL;
}

/* Candidate i of the last axis. */
static kt_val *candidate(kt_graph *g, kt_val *x, int i) {
    if (!x) return NULL;
    const int axis = x->spec.shape.ndim - 1;
    return kt_g_squeeze(g, kt_g_slice_axis(g, x, axis, i, i + 1), axis);
}

/* Marsaglia and Tsang, for alpha + 1: d v with d = alpha + 2/3, v = (1 + n / sqrt(9 d))^3 of a
 * normal n, taken when log u < n^2 / 2 + d - d v + d log v. That is so for 19 of 20 and more, so
 * eight candidates do instead of a loop. Times u^(1 / alpha) it is the number for alpha. */
#define CANDIDATES 8
kt_val *kt_draw_log_gamma(kt_layer *l, kt_shape shape, kt_val *alpha, int64_t seed) {
    kt_graph *g = kt_tracer_current()->g;
    kt_shape all = shape;
    all.dim[all.ndim++] = CANDIDATES;
    kt_val *n = kt_unwrap(kt_random_normal(l, all, seed), NULL);
    kt_val *u = kt_random_floats(l, all, seed), *power = kt_random_floats(l, shape, seed);
    if (!n || !u || !power || !alpha) return NULL;
    n = kt_g_cast(g, n, KT_FLOAT32);
    u = kt_g_log(g, kt_g_shift(g, kt_g_neg(g, u), 1));
    power = kt_g_log(g, kt_g_shift(g, kt_g_neg(g, power), 1));
    kt_val *d = kt_g_shift(g, alpha, 2.0 / 3);
    kt_val *c = kt_g_shift(g, kt_g_mul(g, n, kt_g_rsqrt(g, kt_g_scale(g, d, 9))), 1);
    kt_val *log_v = kt_g_scale(g, kt_g_log(g, kt_g_maximum(g, c, kt_g_num(g, 1e-20, c))), 3);
    kt_val *v = kt_g_mul(g, kt_g_square(g, c), c);
    kt_val *limit = kt_g_mul(g, d, kt_g_add(g, kt_g_sub(g, log_v, v), kt_g_num(g, 1, v)));
    limit = kt_g_add(g, limit, kt_g_scale(g, kt_g_square(g, n), 0.5));
    kt_val *taken = kt_g_lt(g, u, limit); /* where c is below 0 the limit is far below */
    kt_val *y = candidate(g, log_v, CANDIDATES - 1);
    for (int i = CANDIDATES - 2; i >= 0; i--)
        y = kt_g_select(g, candidate(g, taken, i), candidate(g, log_v, i), y);
    return kt_g_add(g, kt_g_add(g, y, kt_g_log(g, d)), kt_g_div(g, power, alpha));
}

/* An argument of the layer; NULL: its class has none of that name. */
static void *argument(const kt_layer *l, const char *name, kt_field_type type) {
    return kt_layer_arg(l->cls, l->args, name, type);
}
static const char *text(const kt_layer *l, const char *name) {
    const char *const *s = argument(l, name, KT_FIELD_STR);
    return s ? *s : NULL;
}

kt_status kt_augment_factor(
    kt_layer *l, const char *name, bool each, double low, double high, double range[2]) {
    char several[32];
    snprintf(several, sizeof several, "%ss", name);
    const double *one = argument(l, name, KT_FIELD_DOUBLE);
    const kt_floats_t *two = argument(l, several, KT_FIELD_FLOATS);
    return kt_factor_get(
        one ? *one : 0, two ? *two : (kt_floats_t){0}, name, each, low, high, range);
}

kt_status kt_augment_init(kt_layer *l, const kt_augment *how) {
    kt_augment *a = kt_layer_state(l);
    const kt_floats_t *values = argument(l, "value_range", KT_FIELD_FLOATS);
    const double *fill = argument(l, "fill_value", KT_FIELD_DOUBLE);
    const int64_t *seed = argument(l, "seed", KT_FIELD_INT64);
    kt_status st = KT_OK;
    *a = *how;
    a->layer = l;
    a->fill_mode = text(l, "fill_mode");
    a->interpolation = text(l, "interpolation");
    a->fill_value = fill ? *fill : 0;
    a->seed = seed ? *seed : KT_NONE;
    if (argument(l, "factor", KT_FIELD_DOUBLE))
        st = kt_augment_factor(l, "factor", a->each, a->low, a->high, a->range[0]);
    if (st == KT_OK) st = kt_value_range_get(values ? *values : (kt_floats_t){0}, a->values);
    if (st == KT_OK) st = kt_warp_check(a->fill_mode, a->interpolation);
    if (st == KT_OK) st = kt_data_format_get(text(l, "data_format"), &a->first);
    return st ? st : kt_pictures_check(l, text(l, "data_format"));
}

kt_val *kt_augmented(const kt_augment *a, kt_graph *g, kt_val *x) {
    kt_val *d[KT_DRAWS] = {NULL};
    const kt_status st = x && a->draw ? a->draw(a, g, &x->spec.shape, d) : KT_OK;
    if (st) return kt_graph_fail(g, st);
    return x ? a->apply(a, g, x, d) : NULL;
}

kt_status kt_augment_call(kt_layer *l, kt_trace *t) {
    const kt_augment *a = kt_layer_state(l);
    kt_graph *g = kt_tracer_current()->g;
    kt_pictures p;
    kt_val *x = kt_pictures_in(l, t, text(l, "data_format"), a->as_is, &p);
    if (!x) return g->status;
    if (t->training || a->always) x = kt_augmented(a, g, x);
    return kt_pictures_out(t, x, &p);
}
