/* Initializers against real Keras (tests/golden/initializers.npz): statistics of the random ones,
 * exact values of the others; seeds, dtypes, threads; names, arguments and their errors. */
#include "nn/initializers/initializer.h"

#include "base/pool.h"
#include "io/npz.h"
#include "testing/trace.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static kt_status fill(kt_ref ref, uint64_t key, kt_dtype dtype, kt_shape shape, kt_tensor **out) {
    kt_component *c;
    const kt_status st = kt_initializer_get(&c, ref);
    *out = kt_tensor_new(dtype, shape, NULL);
    const kt_spec spec = {dtype, shape};
    if (st) return st;
    return ((const kt_initializer_class *)c->cls)->fill(c, key, &spec, kt_tensor_data(*out));
}

static kt_tensor *filled(kt_ref ref, uint64_t key, kt_dtype dtype, kt_shape shape) {
    kt_tensor *t;
    kt_check_status(fill(ref, key, dtype, shape, &t), KT_OK);
    return t;
}

/* "GlorotUniform_axes.32x4x16/stats" -> "GlorotUniform_axes" and (32, 4, 16) */
static kt_shape split(const char *member, char *name, size_t size) {
    kt_shape s = {0, {0}};
    const char *p = strrchr(member, '.') + 1;
    snprintf(name, size, "%.*s", (int)(p - 1 - member), member);
    while (*p >= '0' && *p <= '9') {
        char *end;
        s.dim[s.ndim++] = strtol(p, &end, 10);
        p = *end == 'x' ? end + 1 : end;
    }
    return s;
}

static kt_ref scaling(const char *name) {
    char mode[8], distribution[32];
    if (sscanf(name, "VarianceScaling_fan_%3[a-z]_%31s", mode, distribution) != 2) return name;
    char full[16];
    snprintf(full, sizeof full, "fan_%s", mode);
    return kt_init_variance_scaling(2, full, distribution);
}

static kt_ref random_case(const char *name) {
    if (!strcmp(name, "RandomNormal_args")) return kt_init_random_normal(1, 2);
    if (!strcmp(name, "RandomUniform_args")) return kt_init_random_uniform(-1, 3);
    if (!strcmp(name, "TruncatedNormal_args")) return kt_init_truncated_normal(1, 2);
    if (!strcmp(name, "Orthogonal_gain")) return kt_init_orthogonal(1.5);
    if (!strcmp(name, "GlorotUniform_axes"))
        return kt_init_glorot_uniform(.input_axes = 0, .output_axes = kt_axes(1, 2));
    if (!strcmp(name, "HeNormal_axes"))
        return kt_init_he_normal(.input_axes = kt_hw(0, 1), .output_axes = kt_axes(-1));
    return scaling(name);
}

#define QUANTILES 9
static const double quantiles[QUANTILES] = {0.001, 0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99, 0.999};

typedef struct {
    double n, sum, squares, min, max, below[QUANTILES];
} statistics;

static void collect(statistics *s, const kt_tensor *t, const kt_tensor *at) {
    for (int64_t i = 0; i < kt_tensor_size(t); i++) {
        const double v = kt_tensor_get(t, i);
        s->n++;
        s->sum += v;
        s->squares += v * v;
        s->min = fmin(s->min, v);
        s->max = fmax(s->max, v);
        for (int q = 0; q < QUANTILES; q++) s->below[q] += v <= kt_tensor_get(at, q);
    }
}

/* Everything within five standard errors of the two samples' difference. */
static void check_statistics(kt_npz *npz, const char *member, kt_dtype dtype) {
    char name[64], path[96];
    const kt_shape shape = split(member, name, sizeof name);
    const kt_ref ref = random_case(name);
    snprintf(path, sizeof path, "%.*s", (int)(strchr(member, '/') - member), member);
    const kt_tensor *want = kt_npz_member(npz, path, "stats");
    const kt_tensor *at = kt_npz_member(npz, path, "quantiles");
    const double count = kt_tensor_get(kt_npz_member(npz, path, "count"), 0);
    const bool normal = strstr(name, "RandomNormal") || strstr(name, "untruncated") ||
                        strstr(name, "Orthogonal");
    statistics s = {.min = INFINITY, .max = -INFINITY};
    for (uint64_t key = 1; s.n < fmin(count, 100000); key++) {
        kt_tensor *t = filled(ref, key, dtype, shape);
        collect(&s, t, at);
        kt_free(t);
    }
    const double error = 5 * sqrt(1 / s.n + 1 / count), std = kt_tensor_get(want, 1);
    const double mean = s.sum / s.n, width = kt_tensor_get(want, 3) - kt_tensor_get(want, 2);
    kt_check_near_at(mean, kt_tensor_get(want, 0), 0, error * std, name, __FILE__, __LINE__);
    kt_check_near_at(sqrt(s.squares / s.n - mean * mean), std, error, 0, name, __FILE__, __LINE__);
    for (int q = 0; q < QUANTILES; q++) {
        const double p = quantiles[q];
        kt_check_near_at(
            s.below[q] / s.n, p, 0, error * sqrt(p * (1 - p)), name, __FILE__, __LINE__);
    }
    if (normal) return; /* no limits to reach */
    kt_check_near_at(s.min, kt_tensor_get(want, 2), 0, 1e-3 * width, name, __FILE__, __LINE__);
    kt_check_near_at(s.max, kt_tensor_get(want, 3), 0, 1e-3 * width, name, __FILE__, __LINE__);
}

static kt_npz *open_golden(void) {
    kt_npz *npz;
    kt_check_status(kt_npz_open(&npz, "tests/golden/initializers.npz"), KT_OK);
    return npz;
}

KT_TEST(initializers, have_keras_distributions) {
    kt_npz *npz = open_golden();
    int seen = 0;
    for (int i = 0; i < kt_npz_count(npz); i++) {
        const char *member = kt_npz_name(npz, i);
        if (!strstr(member, "/stats")) continue;
        check_statistics(npz, member, KT_FLOAT32);
        if (strstr(member, ".256x128")) check_statistics(npz, member, KT_FLOAT64);
        seen++;
    }
    assert_true(seen > 50);
    kt_npz_close(npz);
}

static kt_ref exact_case(const char *name) {
    if (!strcmp(name, "Constant")) return NULL;
    if (!strcmp(name, "STFT_real_hamming"))
        return kt_init_stft(.window = "hamming", .scaling = "spectrum", .periodic = true);
    if (!strcmp(name, "STFT_imag_hamming"))
        return kt_init_stft("imag", "hamming", "spectrum", true);
    if (!strcmp(name, "STFT_real_plain")) return kt_init_stft(.window = NULL, .scaling = NULL);
    if (!strcmp(name, "STFT_imag_plain")) return kt_init_stft("imag", NULL, NULL);
    if (!strcmp(name, "STFT_real")) return "STFT";
    if (!strcmp(name, "STFT_imag")) return kt_init_stft("imag");
    if (!strcmp(name, "Ones_int")) return "ones";
    return name;
}

KT_TEST(initializers, have_keras_values) {
    kt_npz *npz = open_golden();
    int seen = 0;
    for (int i = 0; i < kt_npz_count(npz); i++) {
        const char *member = kt_npz_name(npz, i);
        char name[64];
        if (!strstr(member, "/y") || !strchr(member, '.')) continue;
        split(member, name, sizeof name);
        const kt_tensor *want = kt_npz_read(npz, member);
        const kt_shape shape = kt_tensor_shape(want);
        kt_ref ref = exact_case(name);
        if (!strcmp(name, "Constant"))
            ref = shape.ndim == 2 ? (kt_ref)kt_init_constant(2.5) : "constant";
        if (!strcmp(name, "Identity") && shape.dim[0] == 4) ref = kt_init_identity(0.3);
        if (!strcmp(name, "Identity") && shape.dim[0] == 5) ref = kt_init_identity(.gain = 2);
        kt_tensor *got = filled(ref, 0, kt_tensor_dtype(want), shape);
        kt_check_tensor(got, want, NULL, 1e-5, 1e-6, member);
        seen++;
    }
    assert_true(seen >= 13);
    kt_npz_close(npz);
}

/* |columns . columns - gain^2 identity| of a tall matrix, rows of a wide one. */
static double gram_error(const kt_tensor *t, double gain) {
    const kt_shape s = kt_tensor_shape(t);
    const int64_t columns = s.dim[s.ndim - 1], rows = kt_tensor_size(t) / columns;
    const bool wide = rows < columns;
    const int64_t n = wide ? rows : columns, m = wide ? columns : rows;
    double worst = 0;
    for (int64_t a = 0; a < n; a++)
        for (int64_t b = 0; b <= a; b++) {
            double dot = 0;
            for (int64_t i = 0; i < m; i++)
                dot += kt_tensor_get(t, wide ? a * m + i : i * n + a) *
                       kt_tensor_get(t, wide ? b * m + i : i * n + b);
            worst = fmax(worst, fabs(dot - (a == b ? gain * gain : 0)));
        }
    return worst;
}

KT_TEST(initializers, orthogonal_is_orthogonal) {
    kt_npz *npz = open_golden();
    for (int i = 0; i < kt_npz_count(npz); i++) {
        const char *member = kt_npz_name(npz, i);
        char name[64];
        if (!strstr(member, "/gram")) continue;
        const kt_shape shape = split(member, name, sizeof name);
        const double gain = strstr(name, "gain") ? 1.5 : 1;
        const kt_ref ref = random_case(name);
        assert_true(
            gram_error(filled(ref, 5, KT_FLOAT32, shape), gain) <=
            fmax(kt_tensor_get(kt_npz_read(npz, member), 0), 2e-7));
        assert_true(gram_error(filled(ref, 5, KT_FLOAT64, shape), gain) < 1e-14);
    }
    kt_npz_close(npz);
    const kt_shape odd[] = {
        kt_dims(1, 1),
        kt_dims(9, 1),
        kt_dims(1, 9),
        kt_dims(17, 17),
        kt_dims(2, 3, 5),
        kt_dims(8, 24),
        kt_dims(70, 33)};
    for (size_t i = 0; i < sizeof odd / sizeof *odd; i++)
        assert_true(gram_error(filled("orthogonal", i, KT_FLOAT64, odd[i]), 1) < 1e-14);
    filled("orthogonal", 1, KT_FLOAT32, (kt_shape){2, {0, 3}});
}

/* Uniform among rotations and reflections: the determinant's sign and every element's mean are
 * even. */
KT_TEST(initializers, orthogonal_is_uniform) {
    double sum[4] = {0}, squares[4] = {0};
    int positive = 0;
    for (uint64_t key = 0; key < 20000; key++) {
        kt_tensor *t = filled("orthogonal", key, KT_FLOAT64, kt_dims(2, 2));
        const double *q = kt_tensor_data(t);
        positive += q[0] * q[3] - q[1] * q[2] > 0;
        for (int i = 0; i < 4; i++) {
            sum[i] += q[i];
            squares[i] += q[i] * q[i];
        }
        kt_free(t);
    }
    kt_check_near(positive / 20000.0, 0.5, 0, 0.02);
    for (int i = 0; i < 4; i++) {
        kt_check_near(sum[i] / 20000, 0, 0, 0.025);
        kt_check_near(squares[i] / 20000, 0.5, 0, 0.015);
    }
}

static bool same(const kt_tensor *a, const kt_tensor *b) {
    return !memcmp(kt_tensor_data(a), kt_tensor_data(b), kt_tensor_bytes(a));
}

KT_TEST(initializers, follow_seed_and_key) {
    const kt_shape s = kt_dims(7, 5);
    static const char *const names[] = {
        "glorot_uniform", "he_normal", "random_normal", "orthogonal", "variance_scaling"};
    for (int i = 0; i < 5; i++) {
        const kt_tensor *a = filled(names[i], 1, KT_FLOAT32, s);
        assert_true(same(a, filled(names[i], 1, KT_FLOAT32, s)));
        assert_false(same(a, filled(names[i], 2, KT_FLOAT32, s)));
    }
    kt_initializer *seeded = kt_init_glorot_uniform(.seed = 7);
    const kt_tensor *a = filled(seeded, 1, KT_FLOAT32, s);
    assert_true(same(a, filled(seeded, 2, KT_FLOAT32, s)));
    assert_false(same(a, filled(kt_init_glorot_uniform(8), 2, KT_FLOAT32, s)));
    assert_false(same(a, filled(kt_init_glorot_uniform(-1), 2, KT_FLOAT32, s)));
    assert_true(same(
        filled(kt_init_orthogonal(1, 3), 1, KT_FLOAT32, s),
        filled(kt_init_orthogonal(.seed = 3), 2, KT_FLOAT32, s)));
}

KT_TEST(initializers, do_not_depend_on_threads) {
    static const char *const names[] = {"random_uniform", "truncated_normal", "random_normal"};
    for (int i = 0; i < 3; i++)
        for (int d = KT_FLOAT32; d <= KT_FLOAT64; d++) {
            kt_pool_set_threads(1);
            const kt_tensor *a = filled(names[i], 9, (kt_dtype)d, kt_dims(300007));
            kt_pool_set_threads(4);
            assert_true(same(a, filled(names[i], 9, (kt_dtype)d, kt_dims(300007))));
            /* a longer array starts with the same numbers */
            const kt_tensor *longer = filled(names[i], 9, (kt_dtype)d, kt_dims(300010));
            assert_true(same(a, kt_tensor_slice(longer, 0, 300007)));
        }
    const kt_tensor *a = filled("orthogonal", 9, KT_FLOAT32, kt_dims(90, 61));
    kt_pool_set_threads(1);
    assert_true(same(a, filled("orthogonal", 9, KT_FLOAT32, kt_dims(90, 61))));
    kt_pool_set_threads(0);
}

/* The far tails, and a uniform limit that rounding could reach. */
KT_TEST(initializers, stay_within_their_limits) {
    const kt_shape many = kt_dims(1000000);
    double far = 0;
    const float *z = kt_tensor_data(filled(kt_init_random_normal(0, 1), 3, KT_FLOAT32, many));
    const float *t = kt_tensor_data(filled(kt_init_truncated_normal(0, 1), 3, KT_FLOAT32, many));
    const float *u = kt_tensor_data(
        filled(kt_init_random_uniform(1, 1.000001), 3, KT_FLOAT32, many));
    const float *flat = kt_tensor_data(filled(kt_init_random_uniform(3, 3), 3, KT_FLOAT32, many));
    const float *down = kt_tensor_data(filled(kt_init_random_uniform(1, -1), 3, KT_FLOAT32, many));
    for (int i = 0; i < 1000000; i++) {
        far = fmax(far, fabs(z[i]));
        if (!(fabsf(t[i]) <= 2)) fail_msg("truncated: %g", t[i]);
        if (!(u[i] >= 1 && u[i] < 1.000001F)) fail_msg("uniform: %g", u[i]);
        if (flat[i] != 3) fail_msg("uniform from 3 to 3: %g", flat[i]);
        if (!(down[i] <= 1 && down[i] > -1)) fail_msg("uniform from 1 to -1: %g", down[i]);
    }
    assert_true(far > 4.4 && far < 6.4);
}

KT_TEST(initializers, fill_other_dtypes) {
    const kt_shape s = kt_dims(2, 2);
    assert_int_equal(
        ((const int *)kt_tensor_data(filled(kt_init_constant(-3), 0, KT_INT32, s)))[3], -3);
    assert_true(kt_tensor_get(filled("ones", 0, KT_BOOL, s), 3) == 1);
    assert_true(kt_tensor_get(filled("identity", 0, KT_FLOAT16, s), 3) == 1);
    assert_true(kt_tensor_get(filled(kt_init_constant(0.1), 0, KT_FLOAT64, s), 1) == 0.1);
    assert_true(isnan(kt_tensor_get(filled(kt_init_constant(NAN), 0, KT_FLOAT32, s), 0)));
    const kt_tensor *half = filled(kt_init_random_uniform(1, 2), 0, KT_FLOAT16, kt_dims(100));
    for (int i = 0; i < 100; i++)
        assert_true(kt_tensor_get(half, i) >= 1 && kt_tensor_get(half, i) <= 2);
    kt_tensor *t;
    kt_check_status(fill("glorot_uniform", 0, KT_INT32, s, &t), KT_EDTYPE);
    kt_check_message_has("not int32");
    kt_check_status(fill("orthogonal", 0, KT_INT64, s, &t), KT_EDTYPE);
    kt_check_status(fill("stft", 0, KT_INT64, kt_dims(4, 1, 3), &t), KT_EDTYPE);
}

KT_TEST(initializers, refuse_shapes) {
    kt_tensor *t;
    kt_check_status(fill("identity", 0, KT_FLOAT32, kt_dims(3), &t), KT_ESHAPE);
    kt_check_message_has("Identity: the initializer does not fit the shape of the weight");
    kt_check_message_has("two axes");
    kt_check_status(fill("orthogonal", 0, KT_FLOAT32, kt_dims(3), &t), KT_ESHAPE);
    kt_check_message_has("at least two axes");
    kt_check_status(fill("stft", 0, KT_FLOAT32, kt_dims(8, 5), &t), KT_ESHAPE);
    kt_check_status(fill("stft", 0, KT_FLOAT32, kt_dims(8, 2, 5), &t), KT_ESHAPE);
    kt_check_status(fill("stft", 0, KT_FLOAT32, kt_dims(8, 1, 1), &t), KT_ESHAPE);
    kt_initializer *far = kt_init_he_normal(.input_axes = 5, .output_axes = 0);
    kt_check_status(fill(far, 0, KT_FLOAT32, kt_dims(2, 3), &t), KT_EINVAL);
    kt_check_message_has("input_axes: axis 5 is out of range for shape (2, 3)");
}

KT_TEST(initializers, refuse_arguments) {
    kt_check_fails(kt_init_variance_scaling(0), KT_EINVAL, "scale: expected a number > 0, got 0");
    kt_check_fails(kt_init_variance_scaling(NAN), KT_EINVAL, "scale");
    kt_check_fails(
        kt_init_variance_scaling(.mode = "fan_inn"), KT_EINVAL, "mode: unknown name \"fan_inn\"");
    kt_check_message_has("did you mean \"fan_in\"?");
    kt_check_fails(kt_init_variance_scaling(.mode = NULL), KT_EINVAL, "mode");
    kt_check_fails(
        kt_init_variance_scaling(.distribution = "uniforn"),
        KT_EINVAL,
        "did you mean \"uniform\"?");
    assert_false(kt_failed(kt_init_variance_scaling(.distribution = "Normal")));
    kt_check_fails(kt_init_random_normal(NAN), KT_EINVAL, "mean: expected a number, got nan");
    kt_check_fails(kt_init_truncated_normal(.stddev = NAN), KT_EINVAL, "stddev");
    kt_check_fails(kt_init_random_uniform(.maxval = NAN), KT_EINVAL, "maxval");
    kt_check_fails(kt_init_orthogonal(.gain = NAN), KT_EINVAL, "gain");
    kt_check_fails(kt_init_identity(NAN), KT_EINVAL, "gain");
    kt_check_fails(kt_init_stft("left"), KT_EINVAL, "side: unknown name \"left\"");
    kt_check_fails(kt_init_stft(.window = "han"), KT_EINVAL, "did you mean \"hann\"?");
    kt_check_fails(kt_init_stft(.scaling = "none"), KT_EINVAL, "scaling");
    kt_check_fails(kt_init_custom(NULL), KT_EINVAL, "kt_init_custom: expected a function");
}

KT_TEST(initializers, windows_match_scipy) {
    static const struct {
        const char *name;
        double at[2][3]; /* values 1, 2 and 3 of lengths 6 and 7 (periodic: of 5 and 6) */
    } windows[] = {
        {"boxcar", {{1, 1, 1}, {1, 1, 1}}},
        {"bartlett", {{0.4, 0.8, 0.8}, {1 / 3.0, 2 / 3.0, 1}}},
        {"triang", {{0.5, 5 / 6.0, 5 / 6.0}, {0.5, 0.75, 1}}},
        {"cosine", {{0.70710678, 0.96592583, 0.96592583}, {0.6234898, 0.90096887, 1}}},
        {"hann", {{0.3454915, 0.9045085, 0.9045085}, {0.25, 0.75, 1}}},
        {"blackman", {{0.20077014, 0.84922986, 0.84922986}, {0.13, 0.63, 1}}},
        {"nuttall", {{0.11051525, 0.7982581, 0.7982581}, {0.0613345, 0.5292298, 1}}},
        {"blackmanharris", {{0.10301149, 0.79383351, 0.79383351}, {0.055645, 0.520575, 1}}},
        {"flattop", {{-0.06771425, 0.60687215, 0.60687215}, {-0.05126316, 0.19821053, 1}}}};
    for (size_t i = 0; i < sizeof windows / sizeof *windows; i++)
        for (int k = 0; k < 2; k++) {
            kt_initializer *c = kt_init_stft(.window = windows[i].name, .scaling = NULL);
            const kt_tensor *t = filled(
                c, 0, KT_FLOAT64, kt_dims(6 + k, 1, 2)); /* f = 0: the window */
            for (int v = 0; v < 3; v++)
                kt_check_near_at(
                    kt_tensor_get(t, 2 * (v + 1)),
                    windows[i].at[k][v],
                    1e-6,
                    1e-8,
                    windows[i].name,
                    __FILE__,
                    __LINE__);
        }
}

static kt_status ramp(kt_tensor *w, uint64_t seed, void *data) {
    *(uint64_t *)data = seed;
    for (int64_t i = 0; i < kt_tensor_size(w); i++) kt_tensor_set(w, i, (double)i);
    return KT_OK;
}

static kt_status full(kt_tensor *w, uint64_t seed, void *data) {
    (void)w, (void)seed, (void)data;
    return KT_ELIMIT;
}

KT_TEST(initializers, take_functions_and_tensors) {
    uint64_t seed = 0;
    const float v[] = {1, 2, 3, 4};
    kt_initializer *own = kt_init_custom(ramp, .data = &seed);
    kt_check_str(own->name, "ramp");
    kt_check_near(kt_tensor_get(filled(own, 77, KT_FLOAT32, kt_dims(2, 2)), 3), 3, 0, 0);
    assert_true(seed == 77);
    kt_tensor *t, *given = kt_tensor_new(KT_FLOAT32, kt_dims(2, 2), v);
    kt_check_status(fill(kt_init_custom(full), 0, KT_FLOAT32, kt_dims(2), &t), KT_ELIMIT);
    kt_check_near(kt_tensor_get(filled(given, 0, KT_FLOAT64, kt_dims(2, 2)), 2), 3, 0, 0);
    kt_check_status(fill(given, 0, KT_FLOAT32, kt_dims(4), &t), KT_ESHAPE);
    kt_check_message_has("(2, 2)");
}

KT_TEST(initializers, are_found_by_name) {
    static const char *const names[][2] = {
        {"GlorotUniform", "GlorotUniform"},
        {"he_normal", "HeNormal"},
        {"zero", "Zeros"},
        {"one", "Ones"},
        {"normal", "RandomNormal"},
        {"uniform", "RandomUniform"},
        {"OrthogonalInitializer", "Orthogonal"},
        {"IdentityInitializer", "Identity"},
        {"stft", "STFT"},
        {"lecun_uniform", "LecunUniform"},
        {"constant", "Constant"}};
    kt_component *c;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        kt_check_status(kt_initializer_get(&c, names[i][0]), KT_OK);
        kt_check_str(c->cls->name, names[i][1]);
    }
    kt_check_status(kt_initializer_get(&c, NULL), KT_OK);
    assert_null(c);
    kt_check_status(kt_initializer_get(&c, "glorot_unifrom"), KT_EINVAL);
    kt_check_message_has("did you mean \"glorot_uniform\"?");
    kt_check_status(kt_initializer_get(&c, kt_init_variance_scaling(-1)), KT_EINVAL);
    kt_check_message_has("scale");
}
