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

static kt_val *uniform(kt_tracer *tr, kt_layer *l, kt_shape shape, int64_t seed) {
    const kt_spec spec = {l->dtype, shape};
    return kt_g_uniform(tr->g, kt_tracer_counter(tr), stream_key(tr, l, seed), spec);
}

kt_sym *kt_random_uniform(kt_layer *l, kt_shape shape, int64_t seed) {
    kt_tracer *tr = kt_tracer_current();
    return tr ? kt_wrap(uniform(tr, l, shape, seed)) : kt_fail_object(KT_ESTATE);
}

/* Box and Muller: sqrt(-2 log u) cos(2 pi v) of two uniform numbers, u in (0, 1]. */
kt_sym *kt_random_normal(kt_layer *l, kt_shape shape, int64_t seed) {
    kt_tracer *tr = kt_tracer_current();
    if (!tr) return kt_fail_object(KT_ESTATE);
    kt_graph *g = tr->g;
    kt_val *u = uniform(tr, l, shape, seed), *v = uniform(tr, l, shape, seed);
    kt_val *radius = kt_g_sqrt(g, kt_g_scale(g, kt_g_log(g, kt_g_shift(g, kt_g_neg(g, u), 1)), -2));
    return kt_wrap(kt_g_mul(g, radius, kt_g_cos(g, kt_g_scale(g, v, 6.283185307179586))));
}
