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

#define ALL(X) SIZES(X)

#define NAME(case_, training, layer) case_,
static const char *const names[] = {ALL(NAME) NULL};
#undef NAME

#define CHECK(case_, training_, layer)                                                             \
    kt_check_golden("pictures", case_, layer, .training = training_);
KT_TEST(pictures, sizes_are_those_of_keras){SIZES(CHECK)}

KT_TEST(pictures, every_case_has_a_row) {
    kt_npz *z;
    kt_check_status(kt_npz_open(&z, "tests/golden/pictures.npz"), KT_OK);
    for (int i = 0; i < kt_npz_count(z); i++) {
        const char *key = kt_npz_name(z, i), *part = strstr(key, "/config");
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
