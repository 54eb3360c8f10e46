/* Layers that put something else into a box of each picture, or over all of it, while training.
 *
 *   RandomErasing  noise or a color in a box, with a probability
 *   CutMix         the same box of another picture of the batch; labels are mixed by its area
 *   MixUp          w x + (1 - w) of another picture, labels likewise; w has a beta distribution
 *   MaxNumBoundingBoxes  nothing: it is for boxes, which are no input here
 *
 * keras.layers.RandomErasing, CutMix, MixUp, MaxNumBoundingBoxes */
#include "base/error.h"
#include "base/mem.h"
#include "nn/pictures/pictures.h"

#include <keratin/layers.h>

/* Boxes ---------------------------------------------------------------------------------------- */

/* Where a box of that share [n, 1, 1, 1] of the side begins and ends. */
static void draw_side(const kt_augment *a, kt_graph *g, kt_val *share, int64_t side, kt_val **d) {
    if (!share) return;
    kt_val *length = kt_g_scale(g, share, (double)side);
    kt_val *u = kt_draw(a->layer, share->spec.shape.dim[0], 4, (const double[]){0, 1}, a->seed);
    kt_val *free_part = kt_g_shift(g, kt_g_neg(g, length), (double)side);
    d[0] = kt_g_mul(g, u, free_part);
    d[1] = kt_g_add(g, d[0], length);
}

/* 0 … n - 1 along an axis of four. */
static kt_val *steps(kt_graph *g, int64_t n, int axis) {
    float *v = kt_arena_alloc(g->arena, sizeof *v * (size_t)(n + 1));
    if (!v) return kt_graph_fail(g, KT_ENOMEM);
    for (int64_t i = 0; i < n; i++) v[i] = (float)i;
    kt_shape shape = kt_dims(1, 1, 1, 1);
    shape.dim[axis] = n;
    return kt_g_array(g, v, (kt_spec){KT_FLOAT32, shape});
}

/* y in the boxes d[0] <= column < d[1], d[2] <= row < d[3], x around them. */
static kt_val *in_boxes(kt_graph *g, kt_val *x, kt_val *y, kt_val *const *d) {
    kt_val *column = steps(g, x->spec.shape.dim[2], 2), *row = steps(g, x->spec.shape.dim[1], 1);
    kt_val *past_start = kt_g_minimum(g, kt_g_sub(g, column, d[0]), kt_g_sub(g, row, d[2]));
    kt_val *past_end = kt_g_maximum(g, kt_g_sub(g, column, d[1]), kt_g_sub(g, row, d[3]));
    kt_val *zero = kt_g_num(g, 0, column);
    y = kt_g_select(g, kt_g_lt(g, past_end, zero), y, x);
    return kt_g_select(g, kt_g_ge(g, past_start, zero), y, x);
}

/* RandomErasing -------------------------------------------------------------------------------- */

static kt_status draw_erasing(const kt_augment *a, kt_graph *g, const kt_shape *shape, kt_val **d) {
    const int64_t n = shape->dim[0];
    kt_val *across = kt_g_sqrt(g, kt_draw(a->layer, n, 4, a->range[1], a->seed));
    kt_val *down = kt_g_sqrt(g, kt_draw(a->layer, n, 4, a->range[1], a->seed));
    draw_side(a, g, across, shape->dim[2], d);
    draw_side(a, g, down, shape->dim[1], d + 2);
    d[4] = kt_draw_chance(a->layer, n, a->range[0], a->seed);
    const kt_random_erasing_args *args = kt_layer_args(a->layer);
    if (args->fill_value == KT_NONE_F && !args->fill_values.n)
        d[5] = kt_unwrap(kt_random_normal(a->layer, *shape, a->seed), NULL);
    return g->status;
}

static kt_val *erase(const kt_augment *a, kt_graph *g, kt_val *x, kt_val *const *d) {
    const kt_random_erasing_args *args = kt_layer_args(a->layer);
    const kt_floats_t *list = &args->fill_values;
    kt_val *fill = d[5] ? kt_g_scale(g, kt_g_cast(g, d[5], x->spec.dtype), a->values[1])
                        : kt_g_num(g, args->fill_value, x);
    if (list->n && x->spec.shape.dim[3] != 3)
        return kt_graph_fail(
            g, KT_FAIL(KT_ESHAPE, "fill_value: three numbers for pictures without 3 channels"));
    if (list->n) {
        fill = kt_g_array(g, list->v, (kt_spec){KT_FLOAT64, {1, {3}}});
        fill = fill ? kt_g_cast(g, fill, x->spec.dtype) : NULL;
    }
    fill = kt_g_clip(g, fill, a->values[0], a->values[1]);
    return kt_g_select(g, d[4], in_boxes(g, x, fill, d), x);
}

/* scale as the two ends that it stands for, which is how files have it. */
static kt_status settle_scale(kt_layer *l, double range[2]) {
    kt_random_erasing_args *a = l->args;
    double *v = a->scales.n ? NULL : kt_alloc_array(2, sizeof *v);
    if (a->scales.n) return kt_augment_factor(l, "scale", false, 0, 1, range);
    if (!v) return KT_ENOMEM;
    v[0] = 0.02;
    v[1] = 0.33;
    kt_status st = KT_OK;
    if (a->scale != KT_NONE_F) st = kt_augment_factor(l, "scale", false, 0, 1, v);
    kt_mem_free((void *)(uintptr_t)a->scales.v);
    a->scales = (kt_floats_t){v, 2};
    range[0] = v[0];
    range[1] = v[1];
    return st;
}

static kt_status random_erasing_init(kt_layer *l) {
    static const kt_augment how = {.draw = draw_erasing, .apply = erase, .low = 0, .high = 1};
    const kt_random_erasing_args *a = kt_layer_args(l);
    kt_status st = kt_augment_init(l, &how);
    if (st == KT_OK) st = settle_scale(l, ((kt_augment *)kt_layer_state(l))->range[1]);
    if (st == KT_OK && a->fill_values.n && a->fill_values.n != 3)
        st = KT_FAIL(
            KT_EINVAL, "fill_value: expected one number or three, got %d", a->fill_values.n);
    return st;
}

/* CutMix and MixUp ----------------------------------------------------------------------------- */

/* Both leave in d[4] the numbers of the other pictures, int32 [n], and in d[5] the own share. */
static kt_val *draw_others(const kt_augment *a, int64_t n) {
    kt_val *u = kt_draw(a->layer, n, 1, (const double[]){0, 1}, a->seed);
    return kt_g_argsort(kt_tracer_current()->g, u, 0, KT_NONE, false);
}

/* For each picture a number with the distribution beta(alpha, alpha): [n, 1, 1, 1]. */
static kt_val *draw_beta(const kt_augment *a, kt_graph *g, int64_t n, kt_val *alpha) {
    kt_val *p = kt_draw_log_gamma(a->layer, kt_dims(n, 1, 1, 1), alpha, a->seed);
    kt_val *q = kt_draw_log_gamma(a->layer, kt_dims(n, 1, 1, 1), alpha, a->seed);
    return kt_g_sigmoid(g, kt_g_sub(g, p, q));
}

/* w a + (1 - w) b */
static kt_val *mixed(kt_graph *g, kt_val *w, kt_val *a, kt_val *b) {
    w = kt_g_cast(g, w, a->spec.dtype);
    kt_val *rest = kt_g_shift(g, kt_g_neg(g, w), 1);
    return kt_g_add(g, kt_g_mul(g, w, a), kt_g_mul(g, rest, b));
}

static kt_status draw_cut(const kt_augment *a, kt_graph *g, const kt_shape *shape, kt_val **d) {
    const int64_t n = shape->dim[0];
    const double cells = (double)shape->dim[1] * (double)shape->dim[2];
    kt_val *alpha = kt_g_reshape(g, kt_draw(a->layer, 1, 1, a->range[0], a->seed), (kt_shape){0});
    kt_val *share = draw_beta(a, g, n, kt_g_shift(g, alpha, 1e-6));
    share = kt_g_sqrt(g, kt_g_shift(g, kt_g_neg(g, share), 1));
    draw_side(a, g, share, shape->dim[2], d);
    draw_side(a, g, share, shape->dim[1], d + 2);
    d[4] = draw_others(a, n);
    kt_val *box = kt_g_mul(g, kt_g_sub(g, d[1], d[0]), kt_g_sub(g, d[3], d[2]));
    box = kt_g_div(g, box, kt_g_num(g, cells > 0 ? cells : 1, box));
    d[5] = kt_g_shift(g, kt_g_neg(g, box), 1);
    return g->status;
}
static kt_val *cut_mix(const kt_augment *a, kt_graph *g, kt_val *x, kt_val *const *d) {
    (void)a;
    return in_boxes(g, x, kt_g_gather(g, x, d[4]), d);
}

static kt_status draw_mix(const kt_augment *a, kt_graph *g, const kt_shape *shape, kt_val **d) {
    const kt_mix_up_args *args = kt_layer_args(a->layer);
    kt_val *alpha = kt_g_const(g, args->alpha, (kt_spec){KT_FLOAT32, {0, {0}}});
    d[4] = draw_others(a, shape->dim[0]);
    d[5] = draw_beta(a, g, shape->dim[0], alpha);
    return g->status;
}
static kt_val *mix_up(const kt_augment *a, kt_graph *g, kt_val *x, kt_val *const *d) {
    (void)a;
    return mixed(g, d[5], x, kt_g_gather(g, x, d[4]));
}

/* Labels (batch, classes) by the shares of the pictures. */
static kt_val *mix_labels(kt_graph *g, kt_val *y, kt_val *const *d) {
    if (!y) return NULL;
    if (y->spec.shape.ndim != 2)
        return kt_graph_fail(
            g,
            KT_FAIL(
                KT_ESHAPE, "labels: expected (batch, classes), got %d axes", y->spec.shape.ndim));
    kt_val *share = kt_g_reshape(g, d[5], kt_dims(y->spec.shape.dim[0], 1));
    return share ? mixed(g, share, y, kt_g_gather(g, y, d[4])) : NULL;
}

/* Pictures and, in a second input, their labels. One picture alone has none to be mixed with. */
static kt_status pair_call(kt_layer *l, kt_trace *t) {
    const kt_augment *a = kt_layer_state(l);
    kt_graph *g = kt_tracer_current()->g;
    kt_val *d[KT_DRAWS] = {NULL}, *y = NULL;
    kt_pictures p;
    const int axes = t->in[0]->spec.shape.ndim;
    if (axes != 3 && axes != 4)
        return KT_FAIL(KT_ESHAPE, "images: expected 3 or 4 axes, got %d", axes);
    kt_val *x = kt_pictures_in(l, t, a->first ? "channels_first" : NULL, false, &p);
    if (x && t->n_in > 1) y = kt_g_cast(g, kt_unwrap(t->in[1], NULL), kt_layer_dtype(l));
    if (!x || (t->n_in > 1 && !y)) return g->status;
    if (t->training && !p.alone) {
        if (y && y->spec.shape.ndim && y->spec.shape.dim[0] != x->spec.shape.dim[0])
            return KT_FAIL(KT_ESHAPE, "labels: not as many as pictures");
        const kt_status st = a->draw(a, g, &x->spec.shape, d);
        if (st) return st;
        x = a->apply(a, g, x, d);
        if (y) y = mix_labels(g, y, d);
    }
    if (t->n_in > 1 && y) t->out[1] = kt_wrap(y);
    t->n_out = t->n_in;
    return t->n_in > 1 && !y ? g->status : kt_pictures_out(t, x, &p);
}

/* The labels are another matter than what kt_augment_init() says of inputs. */
static kt_status pair_init(kt_layer *l, const kt_augment *how) {
    const kt_status st = kt_augment_init(l, how);
    kt_layer_set_spec(l, (kt_input_spec){0});
    return st;
}

static kt_status mix_up_init(kt_layer *l) {
    static const kt_augment how = {.draw = draw_mix, .apply = mix_up};
    const kt_mix_up_args *a = kt_layer_args(l);
    if (!(a->alpha > 0)) return KT_FAIL(KT_EINVAL, "alpha: expected more than 0, got %g", a->alpha);
    return pair_init(l, &how);
}

static kt_status cut_mix_init(kt_layer *l) {
    static const kt_augment how = {.draw = draw_cut, .apply = cut_mix, .low = 0, .high = 1};
    return pair_init(l, &how);
}

/* MaxNumBoundingBoxes -------------------------------------------------------------------------- */

static kt_val *leave(const kt_augment *a, kt_graph *g, kt_val *x, kt_val *const *d) {
    (void)a;
    (void)g;
    (void)d;
    return x;
}
static const kt_augment leaving = {.apply = leave, .as_is = true};
KT_AUGMENT_INIT(max_num_bounding_boxes, leaving)

/* Classes -------------------------------------------------------------------------------------- */

#define F(name) KT_F(kt_random_erasing_args, name)
static const kt_field random_erasing_fields[] = {
    F(factor),
    F(scale),
    F(fill_value),
    F(value_range),
    F(seed),
    F(data_format),
    F(factors),
    F(scales),
    F(fill_values),
    F(bounding_box_format),
    KT_F_END};
#undef F
#define COMMON(T) KT_F(T, seed), KT_F(T, data_format), KT_F(T, bounding_box_format), KT_F_END
static const kt_field cut_mix_fields[] = {
    KT_F(kt_cut_mix_args, factor), KT_F(kt_cut_mix_args, factors), COMMON(kt_cut_mix_args)};
static const kt_field mix_up_fields[] = {KT_F(kt_mix_up_args, alpha), COMMON(kt_mix_up_args)};

#define F(name) KT_F(kt_max_num_bounding_boxes_args, name)
static const kt_field max_num_bounding_boxes_fields[] = {
    F(max_number), F(fill_value), F(data_format), F(bounding_box_format), KT_F_END};
#undef F

KT_AUGMENT_CLASS(max_num_bounding_boxes, "MaxNumBoundingBoxes", KT_MAX_NUM_BOUNDING_BOXES_DEFAULTS)
KT_AUGMENT_CLASS(random_erasing, "RandomErasing", KT_RANDOM_ERASING_DEFAULTS)

static const char *const pair_keys[] = {"images", "labels", NULL};
#define PAIR_CLASS(fn, keras, ...)                                                                 \
    const kt_layer_class kt_class_##fn = {                                                         \
        .name = keras,                                                                             \
        .args_size = sizeof(kt_##fn##_args),                                                       \
        .state_size = sizeof(kt_augment),                                                          \
        .fields = fn##_fields,                                                                     \
        .defaults = &(const kt_##fn##_args){__VA_ARGS__},                                          \
        .init = fn##_init,                                                                         \
        .call = pair_call,                                                                         \
        .min_inputs = 1,                                                                           \
        .max_inputs = 2,                                                                           \
        .input_keys = pair_keys,                                                                   \
    };                                                                                             \
    kt_layer *kt_##fn##_new(const kt_##fn##_args *a) { return kt_layer_new(&kt_class_##fn, a); }
PAIR_CLASS(cut_mix, "CutMix", KT_CUT_MIX_DEFAULTS)
PAIR_CLASS(mix_up, "MixUp", KT_MIX_UP_DEFAULTS)
