/* Layers that prepare features against real Keras (tests/golden/features.npz). A case of the file
 * that has no row here fails the last test. */
#include "io/npz.h"
#include "testing/kt_layers.h"

#include <stdio.h>
#include <string.h>

#define ENCODING_OF(X, mode)                                                                       \
    X("encoding_" mode, kt_category_encoding(6, mode))                                             \
    X("encoding_" mode "_last_1", kt_category_encoding(6, mode))                                   \
    X("encoding_" mode "_axis", kt_category_encoding(6, mode))                                     \
    X("encoding_" mode "_int64", kt_category_encoding(6, mode))                                    \
    X("encoding_" mode "_3d", kt_category_encoding(6, mode))
#define ENCODINGS(X)                                                                               \
    ENCODING_OF(X, "one_hot")                                                                      \
    ENCODING_OF(X, "multi_hot")                                                                    \
    ENCODING_OF(X, "count")                                                                        \
    X("encoding_beyond", kt_category_encoding(4, "count"))                                         \
    X("encoding_one_hot_beyond", kt_category_encoding(4, "one_hot"))                               \
    X("encoding_float", kt_category_encoding(6, "one_hot"))                                        \
    X("encoding_dtype", kt_category_encoding(6, "count", .dtype = "int32"))                        \
    X("encoding_weights", kt_category_encoding(6, "count"))

#define SALTS kt_ints(133, (INT64_C(1) << 60) + 137)
#define HASHING_OF(X, i, bins)                                                                     \
    X("hashing_" i, kt_hashing(bins))                                                              \
    X("hashing_salt_" i, kt_hashing(bins, .salt = kt_ints(133)))                                   \
    X("hashing_salts_" i, kt_hashing(bins, .salt = SALTS))
#define HASHING_MODE(X, mode)                                                                      \
    X("hashing_" mode, kt_hashing(6, .output_mode = mode))                                         \
    X("hashing_" mode "_last_1", kt_hashing(6, 5, .output_mode = mode))
#define HASHES(X)                                                                                  \
    HASHING_OF(X, "0", 3)                                                                          \
    HASHING_OF(X, "1", 1000)                                                                       \
    HASHING_OF(X, "2", INT32_MAX)                                                                  \
    X("hashing_mask", kt_hashing(5, INT64_C(1) << 53))                                             \
    X("hashing_mask_100", kt_hashing(5, -100))                                                     \
    X("hashing_mask_salt", kt_hashing(5, 0, .salt = kt_ints(7)))                                   \
    X("hashing_one_bin", kt_hashing(1, 0))                                                         \
    X("hashing_int32", kt_hashing(11))                                                             \
    X("hashing_int32_out", kt_hashing(11, .dtype = "int32"))                                       \
    X("hashing_float", kt_hashing(11))                                                             \
    X("hashing_float_mask", kt_hashing(11, 3))                                                     \
    HASHING_MODE(X, "one_hot")                                                                     \
    HASHING_MODE(X, "multi_hot")                                                                   \
    HASHING_MODE(X, "count")                                                                       \
    X("hashing_axis_one_hot", kt_hashing(6, .output_mode = "one_hot"))                             \
    X("hashing_3d_one_hot", kt_hashing(4, .output_mode = "one_hot"))                               \
    X("hashing_3d_count", kt_hashing(4, .output_mode = "count"))

#define CROSSINGS(X)                                                                               \
    X("crossing", kt_hashed_crossing(5))                                                           \
    X("crossing_wide", kt_hashed_crossing(INT32_MAX))                                              \
    X("crossing_3", kt_hashed_crossing(1000))                                                      \
    X("crossing_axis", kt_hashed_crossing(7))                                                      \
    X("crossing_one_hot", kt_hashed_crossing(4, "one_hot"))                                        \
    X("crossing_axis_one_hot", kt_hashed_crossing(4, "one_hot"))                                   \
    X("crossing_int32", kt_hashed_crossing(9, .dtype = "int32"))

#define CLOSE(case_, layer) kt_check_golden("features", case_, layer, .rtol = 1e-6);
#define EXACT(case_, layer) kt_check_golden("features", case_, layer, .rtol = 1e-12);
KT_TEST(features_golden, category_encoding){ENCODINGS(CLOSE)} KT_TEST(features_golden, hashing){
    HASHES(EXACT)} KT_TEST(features_golden, hashed_crossing) {
    CROSSINGS(EXACT)
}

#define NAME(case_, layer) case_,
static const char *const names[] = {ENCODINGS(NAME) HASHES(NAME) CROSSINGS(NAME) NULL};

KT_TEST(features_golden, every_case_has_a_row) {
    char name[96];
    kt_npz *z;
    kt_check_status(kt_npz_open(&z, "tests/golden/features.npz"), KT_OK);
    for (int i = 0; i < kt_npz_count(z); i++) {
        const char *key = kt_npz_name(z, i), *part = strstr(key, "/x0");
        int at = 0;
        if (!part) continue;
        snprintf(name, sizeof name, "%.*s", (int)(part - key), key);
        while (names[at] && strcmp(names[at], name) != 0) at++;
        if (names[at]) continue;
        print_error("features.npz: case \"%s\" has no row\n", name);
        fail();
    }
    kt_npz_close(z);
}
