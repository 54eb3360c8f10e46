/* Layers that choose among others at random, once for the batch.
 *
 *   RandAugment  num_ops times one of eleven
 *   AugMix       b x + (1 - b) sum w_i chain_i(x): each chain is chain_depth times one of eleven
 *                (or seven) or none; b has a beta, w a Dirichlet distribution
 *
 * The programs hold all of them, and each step takes what was drawn. (In Keras the chains of AugMix
 * are fixed when a graph is traced, and differ from batch to batch without one.)
 * keras.layers.RandAugment, AugMix */
#include "base/error.h"
#include "nn/pictures/pictures.h"

#include <keratin/layers.h>

#include <string.h>

#define PARTS 11
typedef struct {
    kt_augment self;
    kt_augment part[PARTS];
    int n;
} mix;

/* Sets the parts up: all get the same factors. */
static void set_parts(mix *m, const kt_augment *const *how, int n) {
    m->n = n;
    for (int i = 0; i < n; i++) {
        kt_augment *p = &m->part[i];
        *p = *how[i];
        p->layer = m->self.layer;
        p->seed = m->self.seed;
        p->first = m->self.first;
        p->interpolation = m->self.interpolation;
        memcpy(p->values, m->self.values, sizeof p->values);
        memcpy(p->range[0], m->self.range[0], sizeof p->range[0]);
        memcpy(p->range[1], m->self.range[0], sizeof p->range[1]);
        if (how[i] == &kt_aug_posterization) {
            const int bits = (int)(8 * m->self.range[0][1]);
            p->range[0][0] = 1;
            p->range[0][1] = bits > 1 ? bits : 1;
        }
    }
}

/* A whole number below n. */
static kt_val *draw_number(const kt_augment *a, kt_graph *g, int n) {
    kt_val *u = kt_draw(a->layer, 1, 1, (const double[]){0, n}, a->seed);
    return kt_g_clip(g, kt_g_floor(g, u), 0, n - 1);
}

/* What every part draws. */
typedef kt_val *part_draws[PARTS][KT_DRAWS];
static kt_status draw_all(const mix *m, kt_graph *g, const kt_shape *shape, part_draws d) {
    memset(d, 0, sizeof(part_draws));
    for (int i = 0; i < m->n; i++) {
        const kt_augment *p = &m->part[i];
        const kt_status st = p->draw ? p->draw(p, g, shape, d[i]) : KT_OK;
        if (st) return st;
    }
    return g->status;
}

/* Through part number `which`; as it is for a number beyond. */
static kt_val *one_of(const mix *m, kt_graph *g, kt_val *x, kt_val *which, part_draws d) {
    kt_val *y = x;
    for (int i = 0; i < m->n && x; i++) {
        kt_val *z = m->part[i].apply(&m->part[i], g, x, d[i]);
        y = kt_g_select(g, kt_g_eq(g, which, kt_g_num(g, i, which)), z, y);
    }
    return y;
}

static kt_status check_times(int n, const char *what) {
    if (n >= 0 && n <= 64) return KT_OK;
    return KT_FAIL(
        n < 0 ? KT_EINVAL : KT_ELIMIT, "%s: expected a number from 0 to 64, got %d", what, n);
}

/* RandAugment ---------------------------------------------------------------------------------- */

static kt_val *rand_augment(const kt_augment *a, kt_graph *g, kt_val *x, kt_val *const *none) {
    const mix *m = (const mix *)a;
    const kt_rand_augment_args *args = kt_layer_args(a->layer);
    part_draws d;
    (void)none;
    const kt_status st = draw_all(m, g, &x->spec.shape, d);
    if (st) return kt_graph_fail(g, st);
    for (int i = 0; i < args->num_ops && x; i++) x = one_of(m, g, x, draw_number(a, g, m->n), d);
    return x;
}

static kt_status rand_augment_init(kt_layer *l) {
    static const kt_augment how = {.apply = rand_augment, .each = true, .low = 0, .high = 1};
    static const kt_augment *const parts[] = {
        &kt_aug_shear,
        &kt_aug_translation,
        &kt_aug_rotation,
        &kt_aug_brightness,
        &kt_aug_color_degeneration,
        &kt_aug_contrast,
        &kt_aug_sharpness,
        &kt_aug_posterization,
        &kt_aug_solarization,
        &kt_aug_auto_contrast,
        &kt_aug_equalization};
    const kt_rand_augment_args *a = kt_layer_args(l);
    kt_status st = kt_augment_init(l, &how);
    if (st == KT_OK) st = check_times(a->num_ops, "num_ops");
    if (st == KT_OK) set_parts(kt_layer_state(l), parts, PARTS);
    return st;
}

/* AugMix --------------------------------------------------------------------------------------- */

static kt_val *chain(const mix *m, kt_graph *g, kt_val *x, int depth) {
    part_draws d;
    for (int i = 0; i < depth && x; i++) {
        const kt_status st = draw_all(m, g, &x->spec.shape, d);
        if (st) return kt_graph_fail(g, st);
        x = one_of(m, g, x, draw_number(&m->self, g, m->n + 1), d);
    }
    return x;
}

static kt_val *aug_mix(const kt_augment *a, kt_graph *g, kt_val *x, kt_val *const *none) {
    const kt_aug_mix_args *args = kt_layer_args(a->layer);
    const kt_dtype dtype = x->spec.dtype;
    const int n = args->num_chains;
    (void)none;
    kt_val *alpha = kt_g_const(g, args->alpha, (kt_spec){KT_FLOAT32, {0, {0}}});
    kt_val *weight = n ? kt_draw_log_gamma(a->layer, kt_dims(n), alpha, a->seed) : NULL;
    kt_val *share = kt_draw_log_gamma(a->layer, kt_dims(2), alpha, a->seed);
    if (!share || (n && !weight)) return NULL;
    if (n) weight = kt_g_cast(g, kt_g_softmax(g, weight, 0), dtype);
    share = kt_g_cast(g, kt_g_softmax(g, share, 0), dtype);
    kt_val *y = kt_g_mul(g, x, kt_g_slice_axis(g, share, 0, 0, 1));
    for (int i = 0; i < n; i++) {
        kt_val *z = chain((const mix *)a, g, x, args->chain_depth);
        z = kt_g_mul(g, z, kt_g_slice_axis(g, weight, 0, i, i + 1));
        y = kt_g_add(g, y, kt_g_mul(g, z, kt_g_slice_axis(g, share, 0, 1, 2)));
    }
    return kt_g_clip(g, y, a->values[0], a->values[1]);
}

static kt_status aug_mix_init(kt_layer *l) {
    static const kt_augment how = {.apply = aug_mix, .each = true, .low = 0, .high = 1};
    static const kt_augment *const parts[] = {
        &kt_aug_shear,
        &kt_aug_translation,
        &kt_aug_rotation,
        &kt_aug_posterization,
        &kt_aug_solarization,
        &kt_aug_auto_contrast,
        &kt_aug_equalization,
        &kt_aug_brightness,
        &kt_aug_color_degeneration,
        &kt_aug_contrast,
        &kt_aug_sharpness};
    const kt_aug_mix_args *a = kt_layer_args(l);
    kt_status st = kt_augment_init(l, &how);
    if (st == KT_OK) st = check_times(a->num_chains, "num_chains");
    if (st == KT_OK) st = check_times(a->chain_depth, "chain_depth");
    if (st == KT_OK && a->num_chains * a->chain_depth > 256) /* the program holds them all */
        st = KT_FAIL(KT_ELIMIT, "num_chains * chain_depth: more than 256");
    if (st == KT_OK && !(a->alpha > 0))
        st = KT_FAIL(KT_EINVAL, "alpha: expected more than 0, got %g", a->alpha);
    if (st == KT_OK) set_parts(kt_layer_state(l), parts, a->all_ops ? PARTS : 7);
    return st;
}

/* Classes -------------------------------------------------------------------------------------- */

#define F(name) KT_F(kt_rand_augment_args, name)
static const kt_field rand_augment_fields[] = {
    F(value_range),
    F(num_ops),
    F(factor),
    F(factors),
    F(interpolation),
    F(seed),
    F(data_format),
    F(bounding_box_format),
    KT_F_END};
#undef F
#define F(name) KT_F(kt_aug_mix_args, name)
static const kt_field aug_mix_fields[] = {
    F(value_range),
    F(num_chains),
    F(chain_depth),
    F(factor),
    F(factors),
    F(alpha),
    F(all_ops),
    F(interpolation),
    F(seed),
    F(data_format),
    F(bounding_box_format),
    KT_F_END};
#undef F

KT_AUGMENT_CLASS_OF(mix, rand_augment, "RandAugment", KT_RAND_AUGMENT_DEFAULTS)
KT_AUGMENT_CLASS_OF(mix, aug_mix, "AugMix", KT_AUG_MIX_DEFAULTS)
