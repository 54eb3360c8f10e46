/* Layers of pictures against real Keras (tests/golden/pictures.npz), and wrong arguments. A case of
 * the file that has no row here fails the last test of values. */
#include "io/npz.h"
#include "testing/kt_layers.h"

#include <stdio.h>
#include <string.h>

#define FIRST .data_format = "channels_first"

#define RESIZED(X, kind)                                                                           \
    X("resizing_" kind, false, kt_resizing(4, 9, kind))                                            \
    X("resizing_" kind "_antialias", false, kt_resizing(3, 4, kind, .antialias = true))

#define SIZES(X)                                                                                   \
    RESIZED(X, "nearest")                                                                          \
    RESIZED(X, "bilinear")                                                                         \
    RESIZED(X, "bicubic")                                                                          \
    RESIZED(X, "lanczos3")                                                                         \
    RESIZED(X, "lanczos5")                                                                         \
    RESIZED(X, "area")                                                                             \
    X("resizing_crop", false, kt_resizing(4, 4, .crop_to_aspect_ratio = true))                     \
    X("resizing_crop_tall", false, kt_resizing(3, 7, .crop_to_aspect_ratio = true))                \
    X("resizing_pad", false, kt_resizing(4, 6, .pad_to_aspect_ratio = true, .fill_value = 7))      \
    X("resizing_uint8", false, kt_resizing(7, 3))                                                  \
    X("resizing_uint8_lanczos", false, kt_resizing(7, 7, "lanczos3"))                              \
    X("resizing_alone", false, kt_resizing(3, 5))                                                  \
    X("resizing_first", false, kt_resizing(3, 5, FIRST))                                           \
    X("center_crop", false, kt_center_crop(3, 4))                                                  \
    X("center_crop_uint8", false, kt_center_crop(3, 4))                                            \
    X("center_crop_first", false, kt_center_crop(3, 2, FIRST))                                     \
    X("center_crop_alone", false, kt_center_crop(2, 3))                                            \
    X("center_crop_smaller", false, kt_center_crop(6, 4))                                          \
    X("center_crop_smaller_both", false, kt_center_crop(6, 5))

#define HOW(mode, kind) .fill_mode = mode, .interpolation = kind, .fill_value = 3
#define WARPED(X, mode, kind)                                                                      \
    X("rotation_" mode "_" kind,                                                                   \
      true,                                                                                        \
      kt_random_rotation(.factors = kt_floats(0.13, 0.13), HOW(mode, kind)))                       \
    X("zoom_" mode "_" kind,                                                                       \
      true,                                                                                        \
      kt_random_zoom(                                                                              \
              .height_factors = kt_floats(0.63, 0.63),                                             \
              .width_factors = kt_floats(-0.3, -0.3),                                              \
              HOW(mode, kind)))                                                                    \
    X("translation_" mode "_" kind,                                                                \
      true,                                                                                        \
      kt_random_translation(                                                                       \
              .height_factors = kt_floats(0.27, 0.27),                                             \
              .width_factors = kt_floats(-0.83, -0.83),                                            \
              HOW(mode, kind)))
#define WARPED_MODE(X, mode) WARPED(X, mode, "bilinear") WARPED(X, mode, "nearest")
#define WARPS(X)                                                                                   \
    WARPED_MODE(X, "reflect")                                                                      \
    WARPED_MODE(X, "wrap")                                                                         \
    WARPED_MODE(X, "constant")                                                                     \
    WARPED_MODE(X, "nearest")                                                                      \
    X("rotation_first", true, kt_random_rotation(.factors = kt_floats(-0.3, -0.3), FIRST))         \
    X("rotation_alone", true, kt_random_rotation(.factors = kt_floats(0.4, 0.4)))                  \
    X("rotation_uint8", true, kt_random_rotation(.factors = kt_floats(0.05, 0.05)))                \
    X("zoom_one_factor", true, kt_random_zoom(.height_factors = kt_floats(0.9, 0.9)))              \
    X("translation_zero", true, kt_random_translation())
#define COLORS(X)                                                                                  \
    X("contrast", true, kt_random_contrast(.factors = kt_floats(0, 0)))                            \
    X("brightness", true, kt_random_brightness(.factors = kt_floats(0.3, 0.3)))                    \
    X("brightness_range",                                                                          \
      true,                                                                                        \
      kt_random_brightness(.factors = kt_floats(-0.3, -0.3), .value_range = kt_floats(20, 200)))   \
    X("solarization", true, kt_solarization())                                                     \
    X("solarization_range", true, kt_solarization(.value_range = kt_floats(10, 200)))              \
    X("random_crop_same", true, kt_random_crop(4, 5))                                              \
    X("random_crop_wide", true, kt_random_crop(3, 7))                                              \
    X("random_crop_small", true, kt_random_crop(7, 8, FIRST))
#define PREDICTS(X)                                                                                \
    X("flip_predict", false, kt_random_flip())                                                     \
    X("rotation_predict", false, kt_random_rotation(0.2))                                          \
    X("zoom_predict", false, kt_random_zoom(0.2))                                                  \
    X("translation_predict", false, kt_random_translation(0.2, 0.1))                               \
    X("contrast_predict", false, kt_random_contrast(0.2))                                          \
    X("brightness_predict", false, kt_random_brightness(0.2))                                      \
    X("solarization_predict", false, kt_solarization(.threshold_factor = 0.5))                     \
    X("random_crop_predict", false, kt_random_crop(3, 2))

#define ALL(X) SIZES(X) WARPS(X) COLORS(X) PREDICTS(X)

#define NAME(case_, training, layer) case_,
static const char *const names[] = {ALL(NAME) NULL};
#undef NAME

#define CHECK(case_, training_, layer)                                                             \
    kt_check_golden("pictures", case_, layer, .training = training_);
KT_TEST(pictures, sizes_are_those_of_keras){SIZES(CHECK)}

KT_TEST(pictures, warps_are_those_of_keras){
    WARPS(CHECK)} KT_TEST(pictures, colors_are_those_of_keras){
    COLORS(CHECK)} KT_TEST(pictures, predictions_are_those_of_keras){PREDICTS(CHECK)}

KT_TEST(pictures, every_case_has_a_row) {
    kt_npz *z;
    kt_check_status(kt_npz_open(&z, "tests/golden/pictures.npz"), KT_OK);
    for (int i = 0; i < kt_npz_count(z); i++) {
        const char *key = kt_npz_name(z, i), *part = strstr(key, "/y");
        bool found = !part;
        for (int k = 0; !found && names[k]; k++)
            found = strlen(names[k]) == (size_t)(part - key) &&
                    !strncmp(names[k], key, strlen(names[k]));
        if (!found) print_error("pictures.npz: \"%s\" has no row\n", key);
        assert_true(found);
    }
    kt_npz_close(z);
}

KT_TEST(pictures, shapes) {
    kt_check_layer(kt_resizing(4, 3), .input = {2, 9, 5, 3}, .output = {2, 4, 3, 3});
    kt_check_layer(kt_resizing(4, 3), .input = {KT_NONE, 9, 5, 3}, .output = {KT_NONE, 4, 3, 3});
    kt_check_layer(kt_center_crop(4, 3), .input = {KT_NONE, 9, 5, 3}, .output = {KT_NONE, 4, 3, 3});
}

/* Pictures of a batch that differ from the first after training=True on equal pictures, of 64. */
static int differing(kt_layer *layer) {
    const kt_shape shape = kt_dims(64, 4, 5, 1);
    kt_sym *in = kt_input({4, 5, 1});
    kt_model *m = kt_functional(in, kt_call(layer, in, .training = true));
    kt_tensor *x = kt_tensor_new(KT_FLOAT32, shape, NULL);
    for (int64_t i = 0; i < kt_tensor_size(x); i++) kt_tensor_set(x, i, (double)(i % 20 * 7));
    kt_tensor *y = kt_model_predict(m, x, .verbose = 0);
    kt_check_status(kt_check(y), KT_OK);
    int n = 0;
    for (int64_t i = 20; i < kt_tensor_size(y); i += 20) {
        bool same = true;
        for (int64_t k = 0; k < 20; k++)
            same = same && kt_tensor_get(y, i + k) == kt_tensor_get(y, k);
        n += !same;
    }
    kt_free(x);
    kt_free(y);
    kt_free(m);
    return n;
}

KT_TEST(pictures, every_picture_has_its_own_draw) {
    assert_true(differing(kt_random_rotation(0.2)) > 60);
    assert_true(differing(kt_random_zoom(0.2)) > 60);
    assert_true(differing(kt_random_translation(0.2, 0.2)) > 60);
    assert_true(differing(kt_random_contrast(0.2)) > 60);
    assert_true(differing(kt_random_brightness(0.2)) > 60);
    assert_true(differing(kt_solarization(0.5)) > 60);
    const int flipped = differing(kt_random_flip()); /* half of them */
    assert_in_range(flipped, 16, 48);
}

KT_TEST(pictures, crops_are_parts_of_the_picture) {
    double x[42];
    bool seen[42] = {false};
    for (int i = 0; i < 42; i++) x[i] = i;
    kt_tensor *t = kt_tensor_new(KT_FLOAT64, kt_dims(1, 6, 7, 1), x);
    int places = 0;
    for (int seed = 0; seed < 40; seed++) {
        kt_sym *in = kt_input({6, 7, 1});
        kt_layer *crop = kt_random_crop(3, 2, seed);
        kt_model *m = kt_functional(in, kt_call(crop, in, .training = true));
        kt_tensor *y = kt_model_predict(m, t, .verbose = 0);
        assert_int_equal(kt_tensor_size(y), 6);
        const int from = (int)kt_tensor_get(y, 0);
        assert_true(from >= 0 && from % 7 <= 5 && from / 7 <= 3);
        for (int i = 0; i < 6; i++)
            assert_int_equal((int)kt_tensor_get(y, i), from + i / 2 * 7 + i % 2);
        places += !seen[from];
        seen[from] = true;
        kt_free(y);
        kt_free(m);
    }
    assert_in_range(places, 13, 24);
    kt_free(t);
}

KT_TEST(pictures, wrong_arguments) {
    kt_check_fails(kt_resizing(0, 3), KT_EINVAL, "height and width");
    kt_check_fails(kt_resizing(3, 3, "cubic"), KT_EINVAL, "interpolation");
    kt_check_fails(kt_resizing(3, 3, .fill_mode = "reflect"), KT_EINVAL, "fill_mode");
    kt_check_fails(kt_resizing(3, 3, .data_format = "last"), KT_EINVAL, "data_format");
    kt_check_fails(
        kt_resizing(3, 3, .crop_to_aspect_ratio = true, .pad_to_aspect_ratio = true),
        KT_EINVAL,
        "only one");
    kt_check_fails(kt_center_crop(3, -1), KT_EINVAL, "height and width");
    kt_check_fails(kt_call(kt_center_crop(3, 3), kt_input({4})), KT_ESHAPE, "CenterCrop");
}
