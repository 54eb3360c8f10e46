/* Layers that vary pictures at random against real Keras (tests/golden/augment.npz), with ranges
 * that leave no choice or with the random numbers of the file in place of those drawn; what is
 * drawn; and wrong arguments. A case of the file that has no row here fails the last test of
 * values. */
#include "io/npz.h"
#include "nn/pictures/pictures.h"
#include "testing/kt_layers.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define FIRST .data_format = "channels_first"
#define V(...) .value_range = kt_floats(__VA_ARGS__)
#define F(f) .factors = kt_floats(f, f)

#define LOCAL(tiles, ...)                                                                          \
    kt_contrast_limited_adaptive_histogram_equalization(.tile_grid_size = tiles, ##__VA_ARGS__)
#define HISTOGRAMS(X)                                                                              \
    X("auto_contrast", true, kt_auto_contrast())                                                   \
    X("auto_contrast_predict", false, kt_auto_contrast())                                          \
    X("auto_contrast_range", true, kt_auto_contrast(V(20, 200)))                                   \
    X("auto_contrast_uint8", true, kt_auto_contrast())                                             \
    X("auto_contrast_first", true, kt_auto_contrast(FIRST))                                        \
    X("auto_contrast_alone", true, kt_auto_contrast())                                             \
    X("equalization", true, kt_equalization())                                                     \
    X("equalization_predict", false, kt_equalization())                                            \
    X("equalization_range", true, kt_equalization(V(0, 100)))                                      \
    X("equalization_bins", true, kt_equalization(.bins = 16))                                      \
    X("equalization_uint8", true, kt_equalization())                                               \
    X("equalization_all", true, kt_equalization())                                                 \
    X("local", true, LOCAL(kt_hw(2, 3)))                                                           \
    X("local_padded", false, LOCAL(kt_hw(3, 2), .clip_limit = 1.5))                                \
    X("local_range", true, LOCAL(2, V(0, 100), .clip_limit = 0))                                   \
    X("local_first", true, LOCAL(2, FIRST))                                                        \
    X("local_uint8", true, LOCAL(2))                                                               \
    X("local_alone", true, LOCAL(8))                                                               \
    X("boxes_uint8", true, kt_max_num_bounding_boxes(3))                                           \
    X("equalization_first", true, kt_equalization(FIRST))
#define COLORS(X)                                                                                  \
    X("invert", true, kt_random_invert(F(1)))                                                      \
    X("invert_range", true, kt_random_invert(F(1), V(0, 200)))                                     \
    X("invert_never", true, kt_random_invert(0))                                                   \
    X("invert_uint8", true, kt_random_invert(F(1)))                                                \
    X("grayscale", true, kt_random_grayscale(1))                                                   \
    X("grayscale_first", true, kt_random_grayscale(1, FIRST))                                      \
    X("grayscale_uint8", true, kt_random_grayscale(1))                                             \
    X("grayscale_gray", true, kt_random_grayscale(1))                                              \
    X("grayscale_never", true, kt_random_grayscale(0))                                             \
    X("posterization_1", true, kt_random_posterization(F(1)))                                      \
    X("posterization_3", true, kt_random_posterization(F(3)))                                      \
    X("posterization_8", true, kt_random_posterization(F(8)))                                      \
    X("posterization_2", true, kt_random_posterization(2))                                         \
    X("posterization_range", true, kt_random_posterization(F(2), V(0, 100)))                       \
    X("posterization_uint8", true, kt_random_posterization(F(3)))                                  \
    X("degeneration", true, kt_random_color_degeneration(F(0.3)))                                  \
    X("degeneration_back", true, kt_random_color_degeneration(F(-0.2)))                            \
    X("degeneration_gray", true, kt_random_color_degeneration(F(1)))                               \
    X("degeneration_first", true, kt_random_color_degeneration(F(0.6), FIRST))                     \
    X("degeneration_range", true, kt_random_color_degeneration(F(0.6), V(50, 180)))
#define BLURRED(...) kt_random_gaussian_blur(F(1), .sigmas = kt_floats(0.7, 0.7), ##__VA_ARGS__)
#define BLURS(X)                                                                                   \
    X("sharpness_smooth", true, kt_random_sharpness(F(0)))                                         \
    X("sharpness_same", true, kt_random_sharpness(F(0.5)))                                         \
    X("sharpness_sharp", true, kt_random_sharpness(F(0.9)))                                        \
    X("sharpness_first", true, kt_random_sharpness(F(0.2), FIRST))                                 \
    X("sharpness_range", true, kt_random_sharpness(F(0.8), V(20, 200)))                            \
    X("blur", true, BLURRED(.seed = 1))                                                            \
    X("blur_5", true, BLURRED(.kernel_size = 5))                                                   \
    X("blur_two_sizes", true, BLURRED(.kernel_size = kt_hw(3, 5)))                                 \
    X("blur_first", true, BLURRED(FIRST))                                                          \
    X("blur_none", true, kt_random_gaussian_blur(F(1), .sigmas = kt_floats(0, 0)))                 \
    X("blur_never", true, kt_random_gaussian_blur(F(0)))                                           \
    X("blur_range", true, BLURRED(V(20, 200)))
#define SHEAR(...) given(kt_random_shear(__VA_ARGS__))
#define WARPS(X)                                                                                   \
    X("shear", true, SHEAR(0.9, 0.9))                                                              \
    X("shear_nearest", true, SHEAR(0.9, 0.9, "nearest"))                                           \
    X("shear_constant", true, SHEAR(0.9, 0.9, .fill_mode = "constant", .fill_value = 3))           \
    X("shear_wrap", true, SHEAR(0.9, 0.9, .fill_mode = "wrap"))                                    \
    X("perspective", true, given(kt_random_perspective()))                                         \
    X("perspective_nearest",                                                                       \
      true,                                                                                        \
      given(kt_random_perspective(.interpolation = "nearest", .fill_value = 9)))
#define HUES(X)                                                                                    \
    X("saturation_gray", true, kt_random_saturation(F(0)))                                         \
    X("saturation_pale", true, kt_random_saturation(F(0.3)))                                       \
    X("saturation_same", true, kt_random_saturation(F(0.5)))                                       \
    X("saturation_strong", true, kt_random_saturation(F(0.8)))                                     \
    X("saturation_full", true, kt_random_saturation(F(1)))                                         \
    X("saturation_range", true, kt_random_saturation(F(0.9), V(0, 1)))                             \
    X("saturation_first", true, kt_random_saturation(F(0.2), FIRST))                               \
    X("saturation_flat", true, kt_random_saturation(F(0.6)))                                       \
    X("hue", true, given(kt_random_hue(1)))                                                        \
    X("hue_range", true, given(kt_random_hue(1, V(0, 300))))                                       \
    X("hue_none", true, kt_random_hue(0))                                                          \
    X("jitter",                                                                                    \
      true,                                                                                        \
      kt_random_color_jitter(                                                                      \
              .brightness_factors = kt_floats(0.1, 0.1),                                           \
              .contrast_factor = 0,                                                                \
              .saturation_factors = kt_floats(0.7, 0.7),                                           \
              .hue_factor = 0))                                                                    \
    X("jitter_two",                                                                                \
      true,                                                                                        \
      kt_random_color_jitter(                                                                      \
              .brightness_factors = kt_floats(-0.2, -0.2),                                         \
              .saturation_factors = kt_floats(0.1, 0.1),                                           \
              V(20, 200)))                                                                         \
    X("jitter_nothing", true, kt_random_color_jitter())
#define ELASTIC(...) given(kt_random_elastic_transform(__VA_ARGS__))
#define WHOLE F(1), .scales = kt_floats(1, 1)
#define MIXES(X)                                                                                   \
    X("erasing", true, given(kt_random_erasing()))                                                 \
    X("erasing_all", true, kt_random_erasing(WHOLE, .fill_value = 30))                             \
    X("erasing_color",                                                                             \
      true,                                                                                        \
      kt_random_erasing(WHOLE, .fill_values = kt_floats(30, 60, 90), V(40, 80)))                   \
    X("erasing_none", true, kt_random_erasing(.scale = 0, .fill_value = 30))                       \
    X("mix_up", true, given(kt_mix_up()))                                                          \
    X("mix_up_predict", false, kt_mix_up())                                                        \
    X("mix_up_predict_alone", false, kt_mix_up())                                                  \
    X("cut_mix", true, given(kt_cut_mix()))                                                        \
    X("cut_mix_predict", false, kt_cut_mix())                                                      \
    X("cut_mix_predict_alone", false, kt_cut_mix())                                                \
    X("elastic", true, ELASTIC(.scale = 1))                                                        \
    X("elastic_nearest", true, ELASTIC(.interpolation = "nearest"))                                \
    X("elastic_wrap", true, ELASTIC(.fill_mode = "wrap"))                                          \
    X("elastic_constant", true, ELASTIC(.fill_mode = "constant", .fill_value = 3, V(20, 200)))     \
    X("elastic_edge", true, ELASTIC(.fill_mode = "nearest"))
#define PREDICTS(X)                                                                                \
    X("invert_predict", false, kt_random_invert())                                                 \
    X("grayscale_predict", false, kt_random_grayscale())                                           \
    X("posterization_predict", false, kt_random_posterization(3))                                  \
    X("degeneration_predict", false, kt_random_color_degeneration(0.5))                            \
    X("sharpness_predict", false, kt_random_sharpness(0.2))                                        \
    X("blur_predict", false, kt_random_gaussian_blur())                                            \
    X("shear_predict", false, kt_random_shear(0.2))                                                \
    X("saturation_predict", false, kt_random_saturation(0.2))                                      \
    X("hue_predict", false, kt_random_hue(0.2))                                                    \
    X("jitter_predict", false, kt_random_color_jitter(.hue_factor = 0.5))                          \
    X("erasing_predict", false, kt_random_erasing())                                               \
    X("perspective_predict", false, kt_random_perspective())                                       \
    X("elastic_predict", false, kt_random_elastic_transform())                                     \
    X("aug_mix_predict", false, kt_aug_mix())                                                      \
    X("rand_augment_predict", false, kt_rand_augment())
#define ALL(X) HISTOGRAMS(X) COLORS(X) BLURS(X) WARPS(X) HUES(X) MIXES(X) PREDICTS(X)

#define NAME(case_, training, layer) case_,
static const char *const names[] = {ALL(NAME) NULL};
#undef NAME

/* The random numbers of the case that is checked, CASE/d0 …, in place of those that the layer
 * draws. */
static const char *checking;

static kt_status draw_given(const kt_augment *a, kt_graph *g, const kt_shape *shape, kt_val **d) {
    const char *drawn = strncmp(checking, "elastic", 7) ? checking : "elastic"; /* is all of them */
    char key[64];
    kt_npz *z;
    (void)a;
    (void)shape;
    kt_check_status(kt_npz_open(&z, "tests/golden/augment.npz"), KT_OK);
    for (int i = 0; i < kt_npz_count(z); i++)
        for (int k = 0; k < KT_DRAWS; k++) {
            snprintf(key, sizeof key, "%s/d%d", drawn, k);
            if (strcmp(key, kt_npz_name(z, i)) != 0) continue;
            kt_tensor *t = kt_npz_read(z, key);
            d[k] = kt_g_array(g, t->data, (kt_spec){kt_tensor_dtype(t), kt_tensor_shape(t)});
            kt_free(t);
        }
    kt_npz_close(z);
    assert_non_null(d[0]);
    return g->status;
}

static kt_layer *given(kt_layer *l) {
    kt_check_status(kt_check(l), KT_OK);
    ((kt_augment *)kt_layer_state(l))->draw = draw_given;
    return l;
}

#define CHECK(case_, training_, layer)                                                             \
    checking = case_;                                                                              \
    kt_check_golden("augment", case_, layer, .training = training_);
KT_TEST(augment, histograms_are_those_of_keras){HISTOGRAMS(CHECK)}

KT_TEST(augment, colors_are_those_of_keras){COLORS(CHECK)}

KT_TEST(augment, blurs_are_those_of_keras){BLURS(CHECK)}

KT_TEST(augment, warps_are_those_of_keras){WARPS(CHECK)}

KT_TEST(augment, hues_are_those_of_keras){HUES(CHECK)}

KT_TEST(augment, mixes_are_those_of_keras){MIXES(CHECK)}

KT_TEST(augment, predictions_are_those_of_keras){PREDICTS(CHECK)}

KT_TEST(augment, every_case_has_a_row) {
    kt_npz *z;
    kt_check_status(kt_npz_open(&z, "tests/golden/augment.npz"), KT_OK);
    for (int i = 0; i < kt_npz_count(z); i++) {
        const char *key = kt_npz_name(z, i), *part = strstr(key, "/y");
        bool found = !part;
        for (int k = 0; !found && names[k]; k++)
            found = strlen(names[k]) == (size_t)(part - key) &&
                    !strncmp(names[k], key, strlen(names[k]));
        if (!found) print_error("augment.npz: \"%s\" has no row\n", key);
        assert_true(found);
    }
    kt_npz_close(z);
}

/* What a layer makes of pictures while training. */
static kt_tensor *trained(kt_layer *layer, kt_tensor *x) {
    const kt_shape shape = kt_tensor_shape(x);
    kt_sym *in = kt_input({shape.dim[1], shape.dim[2], shape.dim[3]});
    kt_model *m = kt_functional(in, kt_call(layer, in, .training = true));
    kt_tensor *y = kt_model_predict(m, x, .verbose = 0, .batch_size = (int)shape.dim[0]);
    kt_check_status(kt_check(y), KT_OK);
    kt_free(m);
    return y;
}

static kt_tensor *pictures(int64_t n) {
    kt_tensor *x = kt_tensor_new(KT_FLOAT32, kt_dims(n, 5, 6, 3), NULL);
    for (int64_t i = 0; i < kt_tensor_size(x); i++)
        kt_tensor_set(x, i, (double)(i % 90 * 37 % 256));
    return x;
}

/* Pictures of 64 that are all the same that differ from the first afterwards. */
static int differing(kt_layer *layer) {
    kt_tensor *x = pictures(64), *y = trained(layer, x);
    int n = 0;
    for (int64_t i = 90; i < kt_tensor_size(y); i += 90) {
        bool same = true;
        for (int64_t k = 0; k < 90; k++)
            same = same && kt_tensor_get(y, i + k) == kt_tensor_get(y, k);
        n += !same;
    }
    kt_free(x);
    kt_free(y);
    return n;
}

/* Ends beyond the usual ones, which Keras takes as well. */
KT_TEST(augment, wide_ranges_do_no_harm) {
    kt_tensor *x = pictures(2);
    kt_free(trained(kt_random_posterization(.factors = kt_floats(-3, 12)), x));
    kt_free(trained(kt_random_erasing(.scales = kt_floats(-1, 3)), x));
    kt_free(trained(kt_random_gaussian_blur(.sigmas = kt_floats(-2, 9)), x));
    kt_free(trained(kt_random_elastic_transform(.scales = kt_floats(-5, 30)), x));
    kt_free(trained(kt_cut_mix(.factors = kt_floats(0, 5)), x));
    kt_free(x);
    kt_check_fails(
        kt_call(
            kt_random_elastic_transform(.scales = kt_floats(0, 1e300)),
            kt_input({5, 6, 3}),
            .training = true),
        KT_ELIMIT,
        "a blur of more than");
}

KT_TEST(augment, every_picture_has_its_own_draw) {
    kt_set_random_seed(7);
    const double half[] = {0.5, 0.5};
    assert_in_range(differing(kt_random_invert(.factors = {half, 2})), 16, 48);
    assert_in_range(differing(kt_random_grayscale()), 16, 48);
    assert_in_range(differing(kt_random_gaussian_blur(.factors = {half, 2})), 16, 48);
    assert_in_range(differing(kt_random_posterization(4)), 24, 60); /* 1, 2 or 3 bits */
    assert_true(differing(kt_random_color_degeneration(0.5)) > 60);
    assert_true(differing(kt_random_sharpness(1)) > 60);
    assert_true(differing(kt_random_shear(0.4, 0.4)) > 60);
    assert_true(differing(kt_random_saturation(.factors = kt_floats(0.1, 0.8))) > 60);
    assert_true(differing(kt_random_hue(0.7)) > 60);
    assert_true(differing(kt_random_color_jitter(.brightness_factor = 0.2)) > 60);
    assert_true(differing(kt_random_erasing(F(1))) > 50); /* a box may lie between the cells */
    assert_in_range(
        differing(kt_random_erasing()), 16, 63); /* every second, with or without the first */
    assert_true(differing(kt_random_perspective(.factors = kt_floats(1, 1))) > 60);
    assert_in_range(differing(kt_random_perspective(1, 0.5)), 16, 63);
    assert_true(differing(kt_random_elastic_transform(F(1), .scales = kt_floats(1, 1))) > 60);
    assert_int_equal(differing(kt_cut_mix()), 0);
    assert_int_equal(differing(kt_equalization()), 0);
}

/* Of the gamma distribution: its logarithm has the mean digamma(alpha). */
typedef struct {
    size_t size;
    double alpha;
    KT_LAYER_ARGS
} gamma_args;
static kt_status gamma_call(kt_layer *l, kt_trace *t) {
    kt_graph *g = kt_tracer_current()->g;
    const double alpha = ((const gamma_args *)kt_layer_args(l))->alpha;
    const kt_shape shape = kt_unwrap(t->in[0], NULL)->spec.shape;
    kt_val *a = kt_g_const(g, alpha, (kt_spec){KT_FLOAT32, {0, {0}}});
    t->out[0] = kt_wrap(kt_draw_log_gamma(l, shape, a, 7));
    return kt_check(t->out[0]);
}
static const kt_layer_class gamma_class = {
    .name = "Gamma", .args_size = sizeof(gamma_args), .call = gamma_call};

KT_TEST(augment, gamma_numbers_have_their_distribution) {
    /* alpha, digamma(alpha), trigamma(alpha) */
    static const double known[][3] = {
        {0.2, -5.289039896592188, 26.267377205946286},
        {1, -0.5772156649015329, 1.6449340668482264},
        {4.5, 1.3888709263595289, 0.24872510303901026}};
    for (int i = 0; i < 3; i++) {
        kt_tensor *x = kt_tensor_new(KT_FLOAT32, kt_dims(200, 10, 10, 3), NULL);
        gamma_args a = {sizeof a, known[i][0], KT_LAYER_DEFAULTS};
        kt_tensor *y = trained(kt_layer_new(&gamma_class, &a), x);
        const int64_t n = kt_tensor_size(y);
        double sum = 0, squares = 0;
        for (int64_t k = 0; k < n; k++) {
            const double v = kt_tensor_get(y, k) - known[i][1];
            sum += v;
            squares += v * v;
        }
        const double deviation = sqrt(known[i][2] / (double)n);
        assert_true(fabs(sum / (double)n) < 4 * deviation);
        assert_true(fabs(squares / (double)n / known[i][2] - 1) < 0.05);
        kt_free(x);
        kt_free(y);
    }
}

static bool close_to(kt_tensor *a, kt_tensor *b) {
    for (int64_t i = 0; i < kt_tensor_size(a); i++)
        if (fabs(kt_tensor_get(a, i) - kt_tensor_get(b, i)) > 1e-3) return false;
    return true;
}

/* With the factor 0 each of the eleven has one thing to do. */
KT_TEST(augment, rand_augment_takes_each_of_its_layers) {
    kt_tensor *x = pictures(2), *want[6];
    bool seen[6] = {false};
    want[0] = x;
    want[1] = trained(kt_random_sharpness(F(0)), x);
    want[2] = trained(kt_random_posterization(F(1)), x);
    want[3] = trained(kt_random_invert(F(1)), x); /* solarization with the threshold 0 */
    want[4] = trained(kt_auto_contrast(), x);
    want[5] = trained(kt_equalization(), x);
    for (int seed = 0; seed < 60; seed++) {
        kt_tensor *y = trained(kt_rand_augment(.num_ops = 1, .factor = 0, .seed = seed), x);
        int i = 5;
        while (i >= 0 && !close_to(y, want[i])) i--;
        assert_in_range(i, 0, 5);
        seen[i] = true;
        kt_free(y);
    }
    for (int i = 0; i < 6; i++) assert_true(seen[i] || close_to(want[i], x));
    kt_tensor *y = trained(kt_rand_augment(.num_ops = 0), x);
    assert_true(close_to(x, y));
    kt_free(y);
    for (int i = 0; i < 6; i++) kt_free(want[i]);
}

#define GRADIENTS(layer)                                                                           \
    kt_check_gradients(layer, .input = {2, 4, 5, 3}, .training = true, .tolerance = 1e-5)
KT_TEST(augment, gradients_go_through) {
    GRADIENTS(kt_auto_contrast(V(-1, 1)));
    GRADIENTS(kt_random_invert(F(1)));
    GRADIENTS(kt_random_grayscale(1));
    GRADIENTS(kt_random_color_degeneration(F(0.3), V(-9, 9)));
    GRADIENTS(kt_random_sharpness(F(0.9), V(-9, 9)));
    GRADIENTS(kt_random_gaussian_blur(F(1), .kernel_size = 5, V(-9, 9)));
    GRADIENTS(kt_random_shear(0.3, 0.3));
    GRADIENTS(kt_random_perspective(F(1), .scale = 0.5));
    GRADIENTS(kt_random_elastic_transform(F(1), V(-9, 9)));
    GRADIENTS(kt_random_hue(F(0.3), V(-9, 9)));
    GRADIENTS(kt_random_erasing(F(1), V(-9, 9)));
    GRADIENTS(kt_cut_mix());
    GRADIENTS(kt_mix_up());
}

/* Picture i of 32 holds i in each cell, and so do the labels of two classes, i and 1. Gives the
 * mean of each picture afterwards, and its labels. */
static void mix(kt_layer *layer, double mean[32], double label[32][2], int *n_values) {
    kt_tensor *x = kt_tensor_new(KT_FLOAT32, kt_dims(32, 8, 8, 1), NULL);
    kt_tensor *l = kt_tensor_new(KT_FLOAT32, kt_dims(32, 2), NULL);
    for (int i = 0; i < 32 * 64; i++) kt_tensor_set(x, i, i / 64);
    for (int i = 0; i < 64; i++) kt_tensor_set(l, i, i % 2 ? 1 : i / 2);
    kt_sym *images = kt_input({8, 8, 1}), *classes = kt_input({2});
    kt_sym *y = kt_call(layer, kt_dict("labels", classes, "images", images), .training = true);
    kt_model *m = kt_functional(kt_list(images, classes), kt_list(kt_item(y, 0), kt_item(y, 1)));
    kt_list_t *out = kt_model_predict_list(m, kt_list(x, l), .verbose = 0);
    kt_check_status(kt_check(out), KT_OK);
    const kt_tensor *pictures = kt_list_get(out, 0), *labels = kt_list_get(out, 1);
    for (int i = 0; i < 32; i++) {
        mean[i] = 0;
        n_values[i] = 1;
        for (int k = 0; k < 64; k++) {
            const double v = kt_tensor_get(pictures, 64 * i + k);
            mean[i] += v / 64;
            if (v != kt_tensor_get(pictures, 64 * i)) n_values[i] = 2;
        }
        for (int k = 0; k < 2; k++) label[i][k] = kt_tensor_get(labels, 2 * i + k);
    }
    kt_free(out);
    kt_free(m);
    kt_free(x);
    kt_free(l);
}

KT_TEST(augment, labels_are_mixed_as_the_pictures_are) {
    double mean[32], label[32][2], off = 0;
    int n_values[32], changed = 0, patched = 0;
    kt_set_random_seed(7);
    mix(kt_mix_up(1), mean, label, n_values);
    for (int i = 0; i < 32; i++) {
        assert_int_equal(n_values[i], 1);
        assert_true(fabs(mean[i] - label[i][0]) < 1e-4);
        assert_true(fabs(label[i][1] - 1) < 1e-6); /* shares sum to 1 */
        changed += fabs(mean[i] - i) > 0.01;
    }
    assert_true(changed > 20);
    mix(kt_cut_mix(.factors = kt_floats(1, 1)), mean, label, n_values);
    for (int i = 0; i < 32; i++) {
        off += fabs(mean[i] - label[i][0]) / 32; /* boxes do not end where cells do */
        assert_true(fabs(label[i][1] - 1) < 1e-6);
        patched += n_values[i] == 2;
    }
    assert_true(patched > 8);
    assert_true(off < 2);
}

KT_TEST(augment, aug_mix_mixes) {
    kt_tensor *x = pictures(2);
    kt_tensor *same = trained(kt_aug_mix(.chain_depth = 0), x); /* the weights sum to 1 */
    assert_true(close_to(x, same));
    int changed = 0;
    for (int seed = 0; seed < 8; seed++) {
        kt_tensor *y = trained(kt_aug_mix(.seed = seed, .all_ops = seed % 2), x);
        for (int64_t i = 0; i < kt_tensor_size(y); i++)
            assert_true(kt_tensor_get(y, i) >= 0 && kt_tensor_get(y, i) <= 255);
        changed += !close_to(x, y);
        kt_free(y);
    }
    assert_true(changed > 5);
    kt_free(same);
    kt_free(x);
}

KT_TEST(augment, shapes_and_types) {
    kt_check_layer(
        kt_aug_mix(),
        .input = {KT_NONE, KT_NONE, KT_NONE, 3},
        .output = {KT_NONE, KT_NONE, KT_NONE, 3});
    kt_check_layer(
        kt_rand_augment(FIRST),
        .input = {KT_NONE, 3, 6, 7},
        .output = {KT_NONE, 3, 6, 7},
        .training = true);
    kt_check_layer(LOCAL(2), .input = {KT_NONE, 6, 7, 2}, .output = {KT_NONE, 6, 7, 2});
    kt_check_layer(
        kt_equalization(),
        .input = {KT_NONE, 6, 7, 2},
        .output = {KT_NONE, 6, 7, 2},
        .training = true);
    kt_check_layer(
        kt_random_elastic_transform(),
        .input = {KT_NONE, 6, 7, 2},
        .output = {KT_NONE, 6, 7, 2},
        .training = true);
    static const char *const policies[] = {"mixed_float16", "bfloat16", "float64"};
    for (int i = 0; i < 3; i++) {
        kt_set_dtype_policy(policies[i]);
        kt_check_layer(
            kt_aug_mix(), .input = {2, 6, 7, 3}, .output = {2, 6, 7, 3}, .training = true);
        kt_check_layer(
            kt_rand_augment(), .input = {2, 6, 7, 3}, .output = {2, 6, 7, 3}, .training = true);
        kt_check_layer(
            kt_random_hue(0.2), .input = {2, 6, 7, 3}, .output = {2, 6, 7, 3}, .training = true);
        kt_check_layer(
            kt_random_perspective(),
            .input = {2, 6, 7, 3},
            .output = {2, 6, 7, 3},
            .training = true);
        kt_check_layer(
            kt_random_elastic_transform(),
            .input = {2, 6, 7, 3},
            .output = {2, 6, 7, 3},
            .training = true);
        kt_check_layer(
            kt_random_erasing(), .input = {2, 6, 7, 3}, .output = {2, 6, 7, 3}, .training = true);
        kt_check_layer(
            kt_cut_mix(), .input = {2, 6, 7, 3}, .output = {2, 6, 7, 3}, .training = true);
        kt_check_layer(
            kt_mix_up(), .input = {2, 6, 7, 3}, .output = {2, 6, 7, 3}, .training = true);
        kt_check_layer(LOCAL(2), .input = {2, 6, 7, 3}, .output = {2, 6, 7, 3});
        kt_check_layer(
            kt_random_gaussian_blur(),
            .input = {2, 6, 7, 3},
            .output = {2, 6, 7, 3},
            .training = true);
    }
    kt_set_dtype_policy("float32");
}

KT_TEST(augment, wrong_arguments) {
    kt_check_status(kt_check(kt_random_zoom(1)), KT_OK); /* from -1, which may not be given */
    kt_check_fails(kt_random_zoom(-1), KT_EINVAL, "height_factor: expected more than -1");
    kt_check_fails(
        kt_random_zoom(0, .width_factors = kt_floats(-1, 0)), KT_EINVAL, "width_factor: expected");
    kt_check_fails(kt_auto_contrast(V(1)), KT_EINVAL, "value_range: expected two");
    kt_check_fails(kt_equalization(.bins = 0), KT_EINVAL, "bins");
    kt_check_fails(LOCAL(kt_hw(0, 2)), KT_EINVAL, "tile_grid_size");
    kt_check_fails(kt_random_invert(1.5), KT_EINVAL, "factor is out of range");
    kt_check_fails(kt_random_grayscale(-0.1), KT_EINVAL, "factor is out of range");
    kt_check_fails(kt_random_posterization(9), KT_EINVAL, "factor is out of range");
    kt_check_fails(kt_random_posterization(), KT_EINVAL, "factor is out of range");
    kt_check_fails(kt_random_color_degeneration(2), KT_EINVAL, "factor is out of range");
    kt_check_fails(kt_random_sharpness(F(2)), KT_EINVAL, "factor is out of range");
    kt_check_status(kt_check(kt_random_sharpness(.factors = kt_floats(-1, 0.5))), KT_OK);
    kt_check_fails(kt_aug_mix(.factors = kt_floats(0.5, 2)), KT_EINVAL, "factor is out of range");
    kt_check_fails(kt_random_sharpness(-0.5), KT_EINVAL, "factor is out of range");
    kt_check_fails(kt_random_gaussian_blur(.kernel_size = 4), KT_EINVAL, "odd");
    kt_check_fails(kt_random_gaussian_blur(.sigma = 2), KT_EINVAL, "sigma is out of range");
    kt_check_fails(kt_random_shear(-0.5), KT_EINVAL, "x_factor is out of range");
    kt_check_fails(kt_random_shear(.y_factors = kt_floats(-0.1, 0.2)), KT_EINVAL, "y_factor");
    kt_check_status(kt_check(kt_random_shear(.y_factors = kt_floats(-0.1, 0.1))), KT_OK);
    kt_check_fails(kt_random_shear(.fill_mode = "mirror"), KT_EINVAL, "fill_mode");
    kt_check_fails(kt_rand_augment(.num_ops = -1), KT_EINVAL, "num_ops");
    kt_check_fails(kt_rand_augment(.num_ops = 65), KT_ELIMIT, "num_ops");
    kt_check_fails(kt_aug_mix(.alpha = 0), KT_EINVAL, "alpha");
    kt_check_fails(kt_aug_mix(.num_chains = 60, .chain_depth = 5), KT_ELIMIT, "num_chains * chain");
    kt_check_fails(kt_aug_mix(.factor = 2), KT_EINVAL, "factor is out of range");
    kt_check_fails(kt_aug_mix(.interpolation = "cubic"), KT_EINVAL, "interpolation");
    kt_check_fails(kt_random_hue(-0.5), KT_EINVAL, "factor is out of range");
    kt_check_fails(
        kt_random_color_jitter(.saturation_factor = 2), KT_EINVAL, "saturation_factor is out of");
    kt_check_fails(kt_random_perspective(.scale = 1.5), KT_EINVAL, "scale");
    kt_check_fails(kt_random_elastic_transform(.scale = -1), KT_EINVAL, "scale is out of range");
    kt_check_fails(kt_random_erasing(.scale = 2), KT_EINVAL, "scale is out of range");
    kt_check_fails(kt_random_erasing(.fill_values = kt_floats(1, 2)), KT_EINVAL, "fill_value");
    kt_check_fails(kt_mix_up(0), KT_EINVAL, "alpha");
    kt_check_fails(kt_cut_mix(2), KT_EINVAL, "factor is out of range");
    kt_sym *x = kt_input({4, 4, 2}), *l = kt_input({3});
    kt_check_fails(
        kt_call(kt_mix_up(), kt_dict("images", x, "segmentation_masks", l)),
        KT_EUNSUPPORTED,
        "segmentation_masks");
    kt_check_fails(
        kt_call(kt_cut_mix(), kt_dict("images", x, "bounding_boxes", l)),
        KT_EUNSUPPORTED,
        "bounding_boxes");
    kt_check_fails(kt_call(kt_mix_up(), kt_dict("labels", l)), KT_EUNSUPPORTED, "labels");
    kt_check_fails(kt_call(kt_mix_up(), kt_list(l, x)), KT_ESHAPE, "images: expected 3 or 4");
    kt_check_fails(
        kt_call(kt_mix_up(), kt_list(x, kt_input({3, 2})), .training = true),
        KT_ESHAPE,
        "labels: expected");
    kt_check_fails(kt_call(kt_random_saturation(), x, .training = true), KT_ESHAPE, "3 channels");
    kt_check_fails(kt_call(kt_random_grayscale(), x, .training = true), KT_ESHAPE, "3 channels");
}
