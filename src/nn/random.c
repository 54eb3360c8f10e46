/* Random numbers of a call, for layers: dropout, uniform, normal.
 *
 * A stream is keyed by the seed (of the layer, or of the session), the path of the layer and how
 * many streams the program drew before; the numbers also depend on the counter of calls. So a run
 * can be repeated whatever the number of threads and the order in which layers were made. */
#include "nn/layer.h"

#include "base/rng.h"
#include "runtime/settings.h"

#include <stdio.h>
#include <string.h>

static int64_t stream_key(kt_tracer *tr, kt_layer *l, int64_t seed) {
    char path[560];
    kt_layer_path(l, path, sizeof path - 24);
    const size_t at = strlen(path);
    snprintf(path + at, sizeof path - at, "#%d", tr->n_random++);
    return (int64_t)kt_rng_key(seed == KT_NONE ? kt_seed() : (uint64_t)seed, path);
}

kt_sym *kt_random_dropout(kt_layer *l, kt_sym *x, double rate, int64_t seed) {
    kt_tracer *tr = kt_tracer_current();
    kt_val *v = tr ? kt_unwrap(x, NULL) : NULL;
    if (!v) return kt_fail_object(tr ? tr->g->status : KT_ESTATE);
    kt_val *counter = kt_tracer_counter(tr);
    return kt_wrap(kt_g_dropout(tr->g, v, counter, rate, stream_key(tr, l, seed)));
}

/* 16 bits would round some numbers up to 1, which no number of [0, 1) is, and of which the
 * logarithm below makes an infinity. */
static kt_dtype wide(const kt_layer *l) { return l->dtype == KT_FLOAT64 ? KT_FLOAT64 : KT_FLOAT32; }

static kt_val *uniform(kt_tracer *tr, kt_layer *l, kt_shape shape, int64_t seed) {
    const kt_spec spec = {wide(l), shape};
    return kt_g_uniform(tr->g, kt_tracer_counter(tr), stream_key(tr, l, seed), spec);
}

kt_val *kt_random_floats(kt_layer *l, kt_shape shape, int64_t seed) {
    kt_tracer *tr = kt_tracer_current();
    return kt_g_cast(tr->g, uniform(tr, l, shape, seed), KT_FLOAT32);
}

kt_sym *kt_random_uniform(kt_layer *l, kt_shape shape, int64_t seed) {
    kt_tracer *tr = kt_tracer_current();
    if (!tr) return kt_fail_object(KT_ESTATE);
    kt_val *u = uniform(tr, l, shape, seed);
    if (l->dtype == KT_FLOAT16) u = kt_g_minimum(tr->g, u, kt_g_num(tr->g, 1 - 0x1p-11, u));
    if (l->dtype == KT_BFLOAT16) u = kt_g_minimum(tr->g, u, kt_g_num(tr->g, 1 - 0x1p-8, u));
    return kt_wrap(kt_g_cast(tr->g, u, l->dtype));
}

/* Box and Muller: sqrt(-2 log u) cos(2 pi v) of two uniform numbers, u in (0, 1]. */
kt_sym *kt_random_normal(kt_layer *l, kt_shape shape, int64_t seed) {
    kt_tracer *tr = kt_tracer_current();
    if (!tr) return kt_fail_object(KT_ESTATE);
    kt_graph *g = tr->g;
    kt_val *u = uniform(tr, l, shape, seed), *v = uniform(tr, l, shape, seed);
    kt_val *radius = kt_g_sqrt(g, kt_g_scale(g, kt_g_log(g, kt_g_shift(g, kt_g_neg(g, u), 1)), -2));
    kt_val *n = kt_g_mul(g, radius, kt_g_cos(g, kt_g_scale(g, v, 6.283185307179586)));
    return kt_wrap(kt_g_cast(g, n, l->dtype));
}
