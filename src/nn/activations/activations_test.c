/* Every activation against real Keras (tests/golden/activations.npz), forward and gradient;
 * gradients against differences in double; names, arguments and their errors. */
#include "io/npz.h"
#include "nn/activations/activation.h"
#include "testing/graphs.h"
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
    const kt_traced r = kt_trace_run(
        apply, get(ref), x, own ? kt_npz_member(npz, name, "c") : NULL);
    kt_check_status(r.status, KT_OK);
    snprintf(what, sizeof what, "%s/y", name);
    kt_check_tensor(
        r.y, kt_npz_member(npz, name, "y"), kt_npz_member(npz, name, "jax_y"), 1e-5, 5e-7, what);
    snprintf(what, sizeof what, "%s/dx", name);
    kt_check_tensor(
        r.dx, kt_npz_member(npz, name, "dx"), kt_npz_member(npz, name, "jax_dx"), 1e-5, 2e-6, what);
}

KT_TEST(activations, match_keras) {
    static const char *const plain[] = {
        "relu",        "relu6",       "leaky_relu",     "elu",      "celu",         "selu",
        "gelu",        "silu",        "hard_silu",      "sigmoid",  "hard_sigmoid", "hard_tanh",
        "log_sigmoid", "softplus",    "sparse_sigmoid", "softsign", "sparse_plus",  "squareplus",
        "soft_shrink", "hard_shrink", "tanh_shrink",    "tanh",     "exponential",  "linear",
        "mish",        "softmax",     "log_softmax",    "glu"};
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
    check_case(npz, "glu_3d", "glu");
    check_case(npz, "softmax_axis_1", kt_act_softmax(1));
    check_case(npz, "log_softmax_axis_1", kt_act_log_softmax(1));
    check_case(npz, "glu_axis_1", kt_act_glu(.axis = -2));
    kt_npz_close(npz);
}

/* Keras up to 3.15 adds up the running sums and is wrong where more than one element is left
 * (issue 23425, mended in August 2026), so its golden values are of no use. This is the
 * definition: sorted, k = the last with 1 + k z_k > sum z_1 … z_k, tau = (that sum - 1) / k. */
static double sparsemax_tau(const double *x, int n) {
    double z[256], sum = 0, tau = 0;
    for (int i = 0; i < n; i++) {
        int at = i;
        for (; at > 0 && z[at - 1] < x[i]; at--) z[at] = z[at - 1];
        z[at] = x[i];
    }
    for (int k = 1; k <= n; k++) {
        sum += z[k - 1];
        if (1 + k * z[k - 1] > sum) tau = (sum - 1) / k;
    }
    return tau;
}

static void check_sparsemax(const double *x, int n, double tolerance, kt_dtype dtype) {
    double y[256], dx[256], mean = 0;
    kt_tensor *c = kt_tensor_new(KT_FLOAT64, kt_dims(1, n), NULL);
    const double tau = sparsemax_tau(x, n);
    int support = 0;
    for (int i = 0; i < n; i++) kt_tensor_set(c, i, sin(i));
    for (int i = 0; i < n; i++) {
        y[i] = x[i] > tau ? x[i] - tau : 0;
        mean += x[i] > tau ? sin(i) : 0;
        support += x[i] > tau;
    }
    for (int i = 0; i < n; i++) dx[i] = x[i] > tau ? sin(i) - mean / support : 0;
    kt_tensor *in = kt_tensor_cast(kt_tensor_new(KT_FLOAT64, kt_dims(1, n), x), dtype);
    const kt_traced r = kt_trace_run(apply, get("sparsemax"), in, kt_tensor_cast(c, dtype));
    kt_check_status(r.status, KT_OK);
    kt_tensor *want_y = kt_tensor_new(KT_FLOAT64, kt_dims(1, n), y);
    kt_tensor *want_dx = kt_tensor_new(KT_FLOAT64, kt_dims(1, n), dx);
    kt_check_tensor(r.y, want_y, NULL, tolerance, tolerance, "sparsemax");
    kt_check_tensor(r.dx, want_dx, NULL, tolerance, tolerance, "sparsemax's gradient");
}

KT_TEST(activations, sparsemax_projects_onto_the_simplex) {
    uint64_t state = 1;
    double x[256];
    for (int round = 0; round < 200; round++) {
        const int n = round < 20 ? round + 1 : 1 + (int)(kt_test_random(&state) * 255);
        const double scale = pow(10, 3 * kt_test_random(&state) - 2.5);
        for (int i = 0; i < n; i++) x[i] = (float)(scale * (kt_test_random(&state) - 0.5));
        check_sparsemax(x, n, 1e-12, KT_FLOAT64);
        check_sparsemax(x, n, 2e-6, KT_FLOAT32);
    }
    for (int n = 1; n <= 250; n += 83) { /* geometric: what takes Newton's method longest */
        for (int i = 0; i < n; i++) x[i] = -pow(0.7, i);
        check_sparsemax(x, n, 1e-12, KT_FLOAT64);
        for (int i = 0; i < n; i++) x[i] = 1e4 - i * (i % 2 ? 1e3 : 1e-3);
        check_sparsemax(x, n, 1e-11, KT_FLOAT64);
    }
}

/* Gradients of all activations with names, against central differences in double away from the
 * kinks. */
KT_TEST(activations, gradients_match_differences) {
    double v[24];
    uint64_t state = 3;
    for (int i = 0; i < 24; i++) v[i] = (i % 2 ? -1 : 1) * (0.07 + 0.39 * kt_test_random(&state));
    for (const kt_class *const *cls = kt_activation_registry(); *cls; cls++) {
        if (!(*cls)->defaults) continue;
        kt_component *a = get((*cls)->name);
        kt_tensor *x = kt_tensor_new(KT_FLOAT64, kt_dims(4, 6), v);
        const kt_traced r = kt_trace_run(apply, a, x, NULL);
        kt_check_status(r.status, KT_OK);
        kt_tensor *c = kt_tensor_new(KT_FLOAT64, kt_tensor_shape(r.y), NULL);
        for (int64_t i = 0; i < kt_tensor_size(c); i++) kt_tensor_set(c, i, cos((double)i));
        kt_tensor *dx = kt_trace_run(apply, a, x, c).dx;
        for (int i = 0; i < 24; i++) {
            double change = 0;
            for (int side = -1; side <= 1; side += 2) {
                kt_tensor_set(x, i, v[i] + side * 1e-6);
                const kt_tensor *y = kt_trace_run(apply, a, x, NULL).y;
                for (int64_t k = 0; k < kt_tensor_size(y); k++)
                    change += side * kt_tensor_get(y, k) * kt_tensor_get(c, k);
            }
            kt_tensor_set(x, i, v[i]);
            kt_check_near_at(
                kt_tensor_get(dx, i), change / 2e-6, 1e-6, 1e-7, (*cls)->name, __FILE__, __LINE__);
        }
    }
}

/* Infinities, NaN, and float values whose naive formula overflows. */
KT_TEST(activations, keep_their_limits) {
    static const struct {
        const char *name;
        float low, high; /* at -1e30 and 1e30 */
    } limits[] = {
        {"relu", 0, 1e30F},
        {"relu6", 0, 6},
        {"leaky_relu", -2e29F, 1e30F},
        {"elu", -1, 1e30F},
        {"celu", -1, 1e30F},
        {"selu", -1.7580993F, 1.050701e30F},
        {"gelu", 0, 1e30F},
        {"silu", 0, 1e30F},
        {"hard_silu", 0, 1e30F},
        {"mish", 0, 1e30F},
        {"sigmoid", 0, 1},
        {"hard_sigmoid", 0, 1},
        {"tanh", -1, 1},
        {"hard_tanh", -1, 1},
        {"log_sigmoid", -1e30F, 0},
        {"softplus", 0, 1e30F},
        {"sparse_plus", 0, 1e30F},
        {"sparse_sigmoid", 0, 1},
        {"softsign", -1, 1},
        {"soft_shrink", -1e30F, 1e30F},
        {"exponential", 0, INFINITY}};
    kt_tensor *x = kt_tensor_new(KT_FLOAT32, kt_dims(3), (float[]){-1e30F, 1e30F, NAN});
    for (size_t i = 0; i < sizeof limits / sizeof *limits; i++) {
        const kt_traced r = kt_trace_run(apply, get(limits[i].name), x, NULL);
        kt_tensor *want = kt_tensor_new(
            KT_FLOAT32, kt_dims(3), (float[]){limits[i].low, limits[i].high, NAN});
        kt_check_tensor(r.y, want, NULL, 1e-6, 0, limits[i].name);
        for (int k = 0; k < 2; k++)
            if (isnan(kt_tensor_get(r.dx, k))) fail_msg("%s: slope is NaN", limits[i].name);
    }
}

KT_TEST(activations, threshold_keeps_fractions) {
    const double v[] = {0.5, 1, 2};
    kt_tensor *x = kt_tensor_new(KT_FLOAT64, kt_dims(3), v);
    const kt_traced r = kt_trace_run(apply, kt_act_threshold(1, 0.3), x, NULL);
    kt_tensor *want = kt_tensor_new(KT_FLOAT64, kt_dims(3), (double[]){0.3, 0.3, 2});
    kt_check_tensor(r.y, want, NULL, 1e-15, 0, "threshold");
    assert_int_equal(kt_tensor_dtype(r.y), KT_FLOAT64);
}

KT_TEST(activations, primitives_stay_visible) {
    static const char *const names[] = {"relu", "sigmoid", "tanh", "softmax", "log_softmax"};
    for (int i = 0; i < 5; i++) {
        kt_tracer t;
        kt_graph *g = kt_graph_new();
        kt_tracer_begin(&t, g, false, NULL);
        kt_sym *x = kt_wrap(kt_g_input(g, (kt_spec){KT_FLOAT32, {2, {2, 3}}}));
        kt_val *y = kt_unwrap(kt_activation_apply(get(names[i]), x), NULL);
        kt_check_str(y->def->op->name, names[i]);
        assert_ptr_equal(kt_activation_apply(get("linear"), x), x);
        assert_ptr_equal(kt_activation_apply(NULL, x), x);
        kt_tracer_end(&t);
        kt_graph_free(g);
    }
}

KT_TEST(activations, are_found_by_name) {
    kt_component *c;
    kt_check_status(kt_activation_get(&c, NULL), KT_OK);
    assert_null(c);
    kt_check_str(get("swish")->cls->name, "silu");
    kt_check_str(get("hard_swish")->cls->name, "hard_silu");
    kt_activation_fn *own = kt_act_relu(.max_value = 6);
    assert_ptr_equal(get(own), own);
    kt_check_status(kt_activation_get(&c, "relo"), KT_EINVAL);
    kt_check_message_has("activation: unknown name \"relo\"");
    kt_check_message_has("did you mean \"relu\"?");
    kt_check_status(kt_activation_get(&c, "ReLU"), KT_EINVAL); /* case matters, as in Keras */
    kt_check_status(kt_activation_get(&c, "threshold"), KT_EINVAL);
    kt_check_message_has("activation: \"threshold\" needs arguments");
    kt_check_status(kt_activation_get(&c, kt_list("relu")), KT_EINVAL);
    kt_check_message_has("got a list");
}

KT_TEST(activations, refuse_nan) {
    kt_check_fails(
        kt_act_relu(.max_value = NAN), KT_EINVAL, "max_value: expected a number, got nan");
    kt_check_fails(kt_act_leaky_relu(NAN), KT_EINVAL, "negative_slope");
    kt_check_fails(kt_act_elu(NAN), KT_EINVAL, "alpha");
    kt_check_fails(kt_act_celu(NAN), KT_EINVAL, "alpha");
    kt_check_fails(kt_act_squareplus(NAN), KT_EINVAL, "b: expected a number");
    kt_check_fails(kt_act_soft_shrink(NAN), KT_EINVAL, "threshold");
    kt_check_fails(kt_act_threshold(0, NAN), KT_EINVAL, "default_value");
    kt_check_fails(kt_act_custom(NULL), KT_EINVAL, "kt_act_custom: expected a function");
}

KT_TEST(activations, refuse_shapes) {
    kt_tensor *x = kt_tensor_new(KT_FLOAT32, kt_dims(2, 3), NULL);
    kt_check_status(kt_trace_run(apply, kt_act_softmax(2), x, NULL).status, KT_EINVAL);
    kt_check_status(kt_trace_run(apply, kt_act_sparsemax(2), x, NULL).status, KT_EINVAL);
    kt_check_status(kt_trace_run(apply, kt_act_glu(2), x, NULL).status, KT_EINVAL);
    kt_check_message_has("glu: axis 2 is out of range for shape (2, 3)");
    kt_check_status(kt_trace_run(apply, kt_act_glu(), x, NULL).status, KT_ESHAPE);
    kt_check_message_has("(2, 3) with axis -1");
}

static kt_sym *shifted_cube(kt_sym *x, void *data) {
    return kt_op_add(kt_op_power(x, kt_num(3)), kt_num(*(const double *)data));
}

KT_TEST(activations, take_functions_and_layers) {
    double shift = 0.5;
    const float v[] = {-2, -1, 0.5F, 2};
    kt_tensor *x = kt_tensor_new(KT_FLOAT32, kt_dims(1, 4), v);
    kt_activation_fn *f = kt_act_custom(shifted_cube, .data = &shift);
    kt_check_str(f->name, "shifted_cube");
    kt_traced r = kt_trace_run(apply, get(f), x, NULL);
    kt_check_near(kt_tensor_get(r.y, 0), -7.5, 1e-6, 0);
    kt_check_near(kt_tensor_get(r.dx, 3), 12, 1e-6, 0);
    r = kt_trace_run(apply, get(kt_relu(.negative_slope = 0.25)), x, NULL);
    kt_check_near(kt_tensor_get(r.y, 0), -0.5, 1e-6, 0);
    kt_check_near(kt_tensor_get(r.y, 3), 2, 1e-6, 0);
}
