/* VarianceScaling and its named cases: variance s = scale / max(1, n), n being fan_in, fan_out or
 * their mean,
 *
 *   truncated_normal    stddev sqrt(s) / 0.8796, cut at two of them: sqrt(s) after the cut
 *   untruncated_normal  stddev sqrt(s)
 *   uniform             limits -sqrt(3 s) … sqrt(3 s)
 *
 * Fans of a shape (…, in, out): in and out times the product of what comes before; of one axis:
 * its length; of none: 1. That is so for every kernel, also where it looks swapped (transposed and
 * depthwise convolution), as in Keras.  keras.initializers.VarianceScaling, GlorotNormal,
 * GlorotUniform, HeNormal, HeUniform, LecunNormal, LecunUniform */
#include "base/locale.h"
#include "nn/axes.h"
#include "nn/initializers/draw.h"
#include "nn/initializers/initializer.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

typedef kt_init_variance_scaling_args scaling_args;
typedef kt_init_fan_args fan_args;

typedef enum { FAN_IN, FAN_OUT, FAN_AVG } fan_mode;
static const char *const mode_names[] = {"fan_in", "fan_out", "fan_avg", NULL};

typedef enum { TRUNCATED, UNTRUNCATED, UNIFORM, NORMAL /* = TRUNCATED */ } distribution;
static const char *const distribution_names[] = {
    "truncated_normal", "untruncated_normal", "uniform", "normal", NULL};

#define TRUNCATED_STDDEV 0.87962566103423978 /* of a normal distribution cut at -2 and 2 */

/* What a class or its arguments come down to. */
typedef struct {
    double scale;
    int mode, distribution;
    int64_t seed;
    kt_tuple input_axes, output_axes;
} scaling;

static kt_status axes_product(const kt_shape *s, kt_tuple t, const char *argument, double *out) {
    int axes[KT_MAX_RANK];
    char text[KT_SHAPE_STR];
    const int n = kt_axes_list(t, axes);
    *out = 1;
    for (int i = 0; i < n; i++) {
        const int at = kt_axis(axes[i], s->ndim);
        if (at < 0)
            return KT_FAIL(
                KT_EINVAL,
                "%s: axis %d is out of range for shape %s",
                argument,
                axes[i],
                kt_shape_str(s, text, sizeof text));
        *out *= (double)s->dim[at];
    }
    return KT_OK;
}

static kt_status compute_fans(const scaling *f, const kt_shape *s, double *in, double *out) {
    const int64_t field = s->ndim > 2 ? kt_shape_range(s, 0, s->ndim - 2) : 1;
    if (f->input_axes != KT_NONE && f->output_axes != KT_NONE) {
        const kt_status st = axes_product(s, f->input_axes, "input_axes", in);
        return st ? st : axes_product(s, f->output_axes, "output_axes", out);
    }
    *in = *out = 1;
    if (s->ndim == 1) *in = *out = (double)s->dim[0];
    if (s->ndim > 1) {
        *in = (double)field * (double)s->dim[s->ndim - 2];
        *out = (double)field * (double)s->dim[s->ndim - 1];
    }
    return KT_OK;
}

static kt_status scaling_fill(
    const kt_component *c, uint64_t key, const kt_spec *spec, void *data) {
    const scaling *f = kt_state_of(c);
    double in, out;
    const kt_status st = compute_fans(f, &spec->shape, &in, &out);
    if (st) return st;
    const double n = f->mode == FAN_IN ? in : f->mode == FAN_OUT ? out : (in + out) / 2;
    const double variance = f->scale / fmax(1, n);
    key = kt_init_key(f->seed, key);
    if (f->distribution == UNIFORM) {
        const double limit = sqrt(3 * variance);
        return kt_draw_fill(KT_DRAW_UNIFORM, -limit, limit, key, spec, data);
    }
    if (f->distribution == UNTRUNCATED)
        return kt_draw_fill(KT_DRAW_NORMAL, 0, sqrt(variance), key, spec, data);
    const double stddev = sqrt(variance) / TRUNCATED_STDDEV;
    return kt_draw_fill(KT_DRAW_TRUNCATED, 0, stddev, key, spec, data);
}

static kt_status scaling_init(kt_component *c) {
    const scaling_args *a = kt_args_of(c);
    scaling *f = kt_state_of(c);
    char lower[64];
    *f = (scaling){a->scale, 0, 0, a->seed, a->input_axes, a->output_axes};
    if (!(a->scale > 0))
        return KT_FAIL(KT_EINVAL, "scale: expected a number > 0, got %g", a->scale);
    kt_status st = kt_arg_word("mode", a->mode, mode_names, &f->mode);
    snprintf(lower, sizeof lower, "%s", a->distribution ? a->distribution : "None");
    for (char *p = lower; *p; p++) *p = kt_lower(*p); /* as Keras */
    if (st == KT_OK) st = kt_arg_word("distribution", lower, distribution_names, &f->distribution);
    if (f->distribution == NORMAL) f->distribution = TRUNCATED;
    return st;
}

static const kt_field scaling_fields[] = {
    KT_F(scaling_args, scale),
    KT_F(scaling_args, mode),
    KT_F(scaling_args, distribution),
    KT_F(scaling_args, seed),
    KT_F(scaling_args, input_axes),
    KT_F(scaling_args, output_axes),
    KT_F_END};
static const scaling_args scaling_defaults = {
    .size = sizeof(scaling_args), KT_INIT_VARIANCE_SCALING_DEFAULTS};

const kt_initializer_class kt_initializer_class_variance_scaling = {
    .base =
        {.kind = KT_KIND_INITIALIZER,
         .name = "VarianceScaling",
         .args_size = sizeof(scaling_args),
         .state_size = sizeof(scaling),
         .fields = scaling_fields,
         .defaults = &scaling_defaults,
         .init = scaling_init},
    .fill = scaling_fill};

kt_initializer *kt_init_variance_scaling_new(const kt_init_variance_scaling_args *args) {
    return kt_component_new(&kt_initializer_class_variance_scaling.base, args);
}

kt_status kt_initializer_with_axes(
    kt_component **out, kt_ref ref, int n_in, const int *in, int n_out, const int *outputs) {
    const kt_status st = kt_initializer_get(out, ref);
    if (st || !*out) return st;
    const kt_class *cls = (*out)->cls;
    if (((const kt_initializer_class *)cls)->fill != scaling_fill) return KT_OK;
    union {
        scaling_args general;
        fan_args named;
    } a;
    memcpy(&a, (*out)->args, cls->args_size);
    const bool general = cls == &kt_initializer_class_variance_scaling.base;
    kt_tuple *from = general ? &a.general.input_axes : &a.named.input_axes;
    kt_tuple *to = general ? &a.general.output_axes : &a.named.output_axes;
    if (*from != KT_NONE && *to != KT_NONE) return KT_OK;
    *from = kt_axes_of(n_in, in);
    *to = kt_axes_of(n_out, outputs);
    kt_component *made = kt_component_new(cls, &a);
    if (!kt_is(ref, KT_KIND_INITIALIZER)) kt_free(*out);
    *out = kt_failed(made) ? NULL : made;
    return kt_check(made);
}

/* The named cases --------------------------------------------------------------------------------
 */

static kt_status named_init(kt_component *c, double scale, fan_mode mode, distribution d) {
    const fan_args *a = kt_args_of(c);
    *(scaling *)kt_state_of(c) = (scaling){
        scale, (int)mode, (int)d, a->seed, a->input_axes, a->output_axes};
    return KT_OK;
}

static const kt_field fan_fields[] = {
    KT_F(fan_args, seed), KT_F(fan_args, input_axes), KT_F(fan_args, output_axes), KT_F_END};
static const fan_args fan_defaults = {.size = sizeof(fan_args), KT_INIT_FAN_DEFAULTS};

#define NAMED(snake, camel, scale, mode, distribution)                                             \
    static kt_status snake##_init(kt_component *c) {                                               \
        return named_init(c, scale, mode, distribution);                                           \
    }                                                                                              \
    const kt_initializer_class kt_initializer_class_##snake = {                                    \
        .base =                                                                                    \
            {.kind = KT_KIND_INITIALIZER,                                                          \
             .name = camel,                                                                        \
             .args_size = sizeof(fan_args),                                                        \
             .state_size = sizeof(scaling),                                                        \
             .fields = fan_fields,                                                                 \
             .defaults = &fan_defaults,                                                            \
             .init = snake##_init},                                                                \
        .fill = scaling_fill};                                                                     \
    kt_initializer *kt_init_##snake##_new(const kt_init_fan_args *args) {                          \
        return kt_component_new(&kt_initializer_class_##snake.base, args);                         \
    }

NAMED(glorot_uniform, "GlorotUniform", 1, FAN_AVG, UNIFORM)
NAMED(glorot_normal, "GlorotNormal", 1, FAN_AVG, TRUNCATED)
NAMED(he_uniform, "HeUniform", 2, FAN_IN, UNIFORM)
NAMED(he_normal, "HeNormal", 2, FAN_IN, TRUNCATED)
NAMED(lecun_uniform, "LecunUniform", 1, FAN_IN, UNIFORM)
NAMED(lecun_normal, "LecunNormal", 1, FAN_IN, TRUNCATED)
