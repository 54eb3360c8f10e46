/* Every activation against real Keras (tests/golden/activations.npz), forward and gradient; gradients against
 * differences in double; names, arguments and their errors. */
#include "io/npz.h"
#include "nn/activations/activation.h"
#include "testing/trace.h"

#include <keratin/layers.h>

#include <math.h>
#include <stdio.h>
#include <string.h>

static kt_sym *apply(kt_sym *x, const void *data) { return kt_activation_apply(data, x); }

static kt_component *get(kt_ref ref) {
    kt_component *c;
    kt_check_status(kt_activation_get(&c, ref), KT_OK);
    return c;
}

/* Gradients of the grid's largest values carry the rounding of their function: hence the atol. */
static void check_case(kt_npz *npz, const char *name, kt_ref ref) {
    char what[80];
    kt_tensor *own = kt_npz_member(npz, name, "x"), *x = own ? own : kt_npz_read(npz, "x");
    const kt_traced r = kt_trace_run(apply, get(ref), x, own ? kt_npz_member(npz, name, "c") : NULL);
    kt_check_status(r.status, KT_OK);
    snprintf(what, sizeof what, "%s/y", name);
    kt_check_tensor(
        r.y, kt_npz_member(npz, name, "y"), kt_npz_member(npz, name, "jax_y"), 1e-5, 2e-7, what);
    snprintf(what, sizeof what, "%s/dx", name);
    kt_check_tensor(
        r.dx, kt_npz_member(npz, name, "dx"), kt_npz_member(npz, name, "jax_dx"), 1e-5, 1e-6, what);
}

KT_TEST(activations, match_keras) {
    static const char *const plain[] = {
        "relu",       "relu6",       "leaky_relu",     "elu",      "celu",        "selu",
        "gelu",       "silu",        "hard_silu",      "sigmoid",  "hard_sigmoid", "hard_tanh",
        "log_sigmoid", "softplus",   "sparse_sigmoid", "softsign", "sparse_plus", "squareplus",
        "soft_shrink", "hard_shrink", "tanh_shrink",   "tanh",     "exponential", "linear",
        "mish",       "softmax",     "log_softmax",    "sparsemax", "glu"};
    kt_npz *npz;
    kt_check_status(kt_npz_open(&npz, "tests/golden/activations.npz"), KT_OK);
    for (size_t i = 0; i < sizeof plain / sizeof *plain; i++) check_case(npz, plain[i], plain[i]);
    check_case(npz, "relu_max_value", kt_act_relu(.max_value = 5));
    check_case(npz, "relu_negative_slope", kt_act_relu(0.1));
    check_case(npz, "relu_threshold", kt_act_relu(.threshold = 1));
    check_case(npz, "relu_all", kt_act_relu(0.25, 4, 0.5));
    check_case(npz, "leaky_relu_slope", kt_act_leaky_relu(0.01));
    check_case(npz, "elu_alpha", kt_act_elu(.alpha = 0.5));
    check_case(npz, "celu_alpha", kt_act_celu(2));
    check_case(npz, "gelu_approximate", kt_act_gelu(.approximate = true));
    check_case(npz, "squareplus_b", kt_act_squareplus(0.5));
    check_case(npz, "soft_shrink_threshold", kt_act_soft_shrink(1.5));
    check_case(npz, "hard_shrink_threshold", kt_act_hard_shrink(.threshold = 1.5));
    check_case(npz, "threshold", kt_act_threshold(1, -7));
    check_case(npz, "softmax_axis_0", kt_act_softmax(.axis = 0));
    check_case(npz, "softmax_3d", "softmax");
    check_case(npz, "log_softmax_3d", "log_softmax");
    check_case(npz, "sparsemax_3d", "sparsemax");
    check_case(npz, "glu_3d", "glu");
    check_case(npz, "softmax_axis_1", kt_act_softmax(1));
    check_case(npz, "log_softmax_axis_1", kt_act_log_softmax(1));
    check_case(npz, "sparsemax_axis_1", kt_act_sparsemax(.axis = 1));
    check_case(npz, "glu_axis_1", kt_act_glu(.axis = -2));
    kt_npz_close(npz);
}
