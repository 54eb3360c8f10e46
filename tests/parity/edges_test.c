/* Layers at the edges of what they take (tests/golden/edges.npz): axes of length 0 and 1, strides
 * longer than the input, dilation beyond it, groups that do not divide, zeros, sequences that are
 * masked throughout. What Keras refuses is an error here, what it computes has the same values and
 * gradients. tools/golden/edges.py says what the file holds. */
#include "io/json.h"
#include "io/npz.h"
#include "testing/kt_layers.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static kt_tensor *ys, *gs;
static int64_t y_at, g_at;

static kt_shape shape_of(const kt_json *list) {
    kt_shape s = {kt_json_len(list), {0}};
    for (int i = 0; i < s.ndim; i++) s.dim[i] = kt_json_int(kt_json_at(list, i));
    return s;
}

static const char *describe(const kt_json *c) {
    static char text[512];
    kt_str b = {0};
    kt_json_write(&b, c, KT_NONE);
    snprintf(text, sizeof text, "%s", b.s);
    kt_str_free(&b);
    return text;
}

/* Is an axis other than the batch empty? */
static bool has_empty_axis(const kt_json *shape) {
    for (int i = 1; i < kt_json_len(shape); i++)
        if (kt_json_int(kt_json_at(shape, i)) == 0) return true;
    return false;
}

/* Where we differ from Keras on JAX on purpose; docs/differences.md says why. `what` differs, and
 * NULL stands for an error here alone. */
static bool wanted(const kt_json *c, bool keras_fails, const char *what) {
    const char *name = kt_json_get_text(c, "class");
    const kt_json *config = kt_json_get(c, "config"), *in = kt_json_get(c, "in");
    const bool empty = has_empty_axis(kt_json_at(in, 0)) || has_empty_axis(kt_json_get(c, "y"));
    const bool merges = !strcmp(name, "Maximum") || !strcmp(name, "Minimum");
    if (keras_fails) /* JAX cannot; Keras on TensorFlow does what we do */
        return !strcmp(name, "MultiHeadAttention") && kt_json_get(config, "value_dim");
    if (what) /* slopes at kinks are those of TensorFlow; x0[0] = sin(0) */
        return !strcmp(what, "dx") && (merges || !strcmp(name, "LeakyReLU"));
    if (empty) return strstr(name, "Conv") || strstr(name, "Pooling") || strstr(name, "LayerNorm");
    return (!strcmp(name, "RepeatVector") && kt_json_len(kt_json_at(in, 0)) == 3) ||
           (!strcmp(name, "GroupNormalization") && !kt_json_int(kt_json_get(config, "axis")));
}

static double pattern(int64_t k, int a, int b, double c, double d) {
    return ((double)(k * a % b) - c) / d;
}

/* Inputs, mask, weights and c by their formulas. */
static void fill(const kt_layer_rig *r, const kt_json *c) {
    const int64_t ids = kt_json_int(kt_json_get(c, "ids"));
    for (int i = 0; i < r->n_in; i++) {
        void *x = kt_cpu_input(r->run, i);
        for (int64_t k = 0; k < kt_shape_size(&r->in[i].shape); k++) {
            if (ids)
                ((int32_t *)x)[k] = (int32_t)(k * 5 % ids);
            else
                ((float *)x)[k] = kt_json_bool(kt_json_get(c, "zeros"))
                                      ? 0
                                      : (float)sin(1.7 * (double)k + i);
        }
    }
    const char *mask = kt_json_get_text(c, "mask");
    for (int64_t k = 0; r->has_mask && k < kt_shape_size(&r->mask.shape); k++)
        ((uint8_t *)kt_cpu_input(r->run, r->n_in))[k] = *mask == 'a' ||
                                                        (*mask == 's' && k % 3 != 1);
    for (int i = 0; i < r->n_vars; i++) {
        kt_tensor *w = kt_tensor_new(KT_FLOAT32, r->var[i]->spec.shape, NULL);
        for (int64_t k = 0; k < kt_tensor_size(w); k++)
            kt_tensor_set(w, k, (float)(0.5 * cos(2.3 * (double)k + i)));
        kt_check_status(kt_var_assign(r->var[i], w), KT_OK);
        kt_free(w);
    }
    for (int64_t k = 0; k < kt_shape_size(&r->out.shape); k++)
        ((float *)kt_rig_c(r))[k] = (float)pattern(k, 7, 11, 4.5, 4);
}

static bool same(double got, double want, double most) {
    return got == want || (isnan(got) && isnan(want)) || fabs(got - want) <= 2e-5 * (most + 1);
}

/* 0, or what differs. */
static const char *compare(const kt_layer_rig *r, const kt_json *c) {
    const kt_shape want = shape_of(kt_json_get(c, "y"));
    const int64_t n = kt_shape_size(&want);
    const float *y = kt_cpu_output(r->run, 0);
    const char *what = NULL;
    double most = 0;
    if (!kt_shape_equal(&want, &r->out.shape)) what = "shape";
    for (int64_t k = 0; k < n; k++)
        if (isfinite(kt_tensor_get(ys, y_at + k)))
            most = fmax(most, fabs(kt_tensor_get(ys, y_at + k)));
    for (int64_t k = 0; k < n && !what; k++)
        if (!same(y[k], kt_tensor_get(ys, y_at + k), most)) what = "values";
    y_at += n;
    for (int i = 0; i < r->n_in + r->n_vars; i++) {
        const bool is_in = i < r->n_in;
        const int out = is_in ? r->in_grad[i] : r->var_grad[i - r->n_in];
        const kt_spec *spec = is_in ? &r->in[i] : &r->var[i - r->n_in]->spec;
        if (out < 0) continue;
        const float *g = kt_cpu_output(r->run, out);
        double sum = 0, size = 0;
        for (int64_t k = 0; k < kt_shape_size(&spec->shape); k++) {
            sum += g[k] * pattern(k, 3, 7, 3, 2);
            size += fabs((double)g[k]);
        }
        const double ours = sum, keras = kt_tensor_get(gs, g_at++);
        if (!what && !same(ours, keras, isfinite(size) ? size : 0)) what = is_in ? "dx" : "dw";
    }
    return what;
}

static kt_status start(kt_layer_rig *r, const kt_json *c) {
    kt_str config = {0};
    kt_json_write(&config, kt_json_get(c, "config"), KT_NONE);
    const kt_json *in = kt_json_get(c, "in");
    *r = (kt_layer_rig){.layer = kt_from_config(kt_json_get_text(c, "class"), config.s)};
    kt_str_free(&config);
    r->n_in = kt_json_len(in);
    for (int i = 0; i < r->n_in; i++)
        r->in[i] = (kt_spec){
            kt_json_int(kt_json_get(c, "ids")) ? KT_INT32 : KT_FLOAT32,
            shape_of(kt_json_at(in, i))};
    r->has_mask = *kt_json_get_text(c, "mask") != 0;
    r->mask = (kt_spec){KT_BOOL, {2, {r->in[0].shape.dim[0], r->in[0].shape.dim[1]}}};
    return kt_rig_start(r);
}

/* The results of the file that a case which fails here has. */
static void pass_over(const kt_json *c) {
    const kt_shape y = shape_of(kt_json_get(c, "y"));
    y_at += kt_shape_size(&y);
    g_at += kt_json_int(kt_json_get(c, "grads"));
}

/* 0 if the outcome is that of Keras, 1 if it differs on purpose, 2 if it is wrong. */
static int run_case(const kt_json *c) {
    kt_layer_rig r;
    const bool keras_fails = kt_json_bool(kt_json_get(c, "error"));
    const kt_status st = start(&r, c);
    const char *what = NULL;
    if (st) assert_true(*kt_error_message());
    if (!st && !keras_fails) {
        fill(&r, c);
        kt_check_status(kt_cpu_execute(r.run), KT_OK);
        what = compare(&r, c);
    } else if (!st) {
        what = "no error";
    } else if (!keras_fails) {
        pass_over(c);
    }
    const bool same_outcome = !what && !st == !keras_fails;
    const int outcome = same_outcome ? 0 : wanted(c, keras_fails, what) ? 1 : 2;
    if (outcome == 2) print_error("%s: %s\n", what ? what : kt_error_message(), describe(c));
    kt_rig_stop(&r);
    kt_clear_session();
    return outcome;
}

KT_TEST(edges, outcomes_are_those_of_keras) {
    kt_npz *z = NULL;
    kt_json *meta = NULL;
    int n[3] = {0, 0, 0};
    kt_check_status(kt_npz_open(&z, "tests/golden/edges.npz"), KT_OK);
    kt_tensor *text = kt_npz_read(z, "meta");
    ys = kt_retain(kt_npz_read(z, "y"));
    gs = kt_retain(kt_npz_read(z, "g"));
    kt_check_status(
        kt_json_parse(&meta, kt_tensor_data(text), (size_t)kt_tensor_size(text), NULL), KT_OK);
    kt_free(text);
    const kt_json *cases = kt_json_get(meta, "cases");
    assert_true(kt_json_len(cases) > 500);
    for (int i = 0; i < kt_json_len(cases); i++) n[run_case(kt_json_at(cases, i))]++;
    print_message("%d as Keras, %d otherwise on purpose\n", n[0], n[1]);
    assert_int_equal(y_at, kt_tensor_size(ys));
    assert_int_equal(g_at, kt_tensor_size(gs));
    kt_json_free(meta);
    kt_npz_close(z);
    kt_free(ys);
    kt_free(gs);
    if (n[2]) fail_msg("%d of the cases differ", n[2]);
}
