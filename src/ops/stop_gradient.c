/* stop_gradient: the same value, but no gradient flows back through it.  keras.ops.stop_gradient
 *
 * An alias without a rule for its gradient: the sweep stops there by itself, and canonicalisation
 * takes the node out once gradients are taken. */
#include "ops/build.h"

static kt_status stop_gradient_infer(const kt_node *n, kt_spec *out) {
    *out = n->in[0]->spec;
    return KT_OK;
}

static const kt_sample stop_gradient_samples[] = {{.in = {{.dim = {3, 4}}}}, KT_SAMPLES_END};

const kt_opdef kt_opdef_stop_gradient = {
    .name = "stop_gradient",
    .n_in = 1,
    .flags = KT_OP_ALIAS,
    .infer = stop_gradient_infer,
    .samples = stop_gradient_samples,
};

kt_val *kt_g_stop_gradient(kt_graph *g, kt_val *x) {
    kt_node *n = kt_graph_add(g, &kt_opdef_stop_gradient, 1, &x, NULL);
    return n ? n->out[0] : NULL;
}
