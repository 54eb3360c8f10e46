/* Layers that prepare features against real Keras (tests/golden/features.npz). A case of the file
 * that has no row here fails the last test. */
#include "io/npz.h"
#include "testing/kt_layers.h"
#include "testing/kt_models.h"

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

#define EDGES .bin_boundaries = kt_floats(-0.5, 0, 0.1, 1)
#define BINS_OF(X, mode)                                                                           \
    X("bins_" mode, kt_discretization(EDGES, .output_mode = mode))                                 \
    X("bins_" mode "_last_1", kt_discretization(EDGES, .output_mode = mode))
#define BINS(X)                                                                                    \
    BINS_OF(X, "int")                                                                              \
    BINS_OF(X, "one_hot")                                                                          \
    BINS_OF(X, "multi_hot")                                                                        \
    BINS_OF(X, "count")                                                                            \
    X("bins_int32", kt_discretization(EDGES))                                                      \
    X("bins_one_edge",                                                                             \
      kt_discretization(.bin_boundaries = kt_floats(0.25), .output_mode = "one_hot"))
#define ADAPT(X)                                                                                   \
    X("bins_adapt_3_4", kt_discretization(.num_bins = 4))                                          \
    X("bins_adapt_40_4", kt_discretization(.num_bins = 4))                                         \
    X("bins_adapt_40_7", kt_discretization(.num_bins = 7, .epsilon = 0.1))                         \
    X("bins_adapt_240_5", kt_discretization(.num_bins = 5))                                        \
    X("bins_adapt_240_100", kt_discretization(.num_bins = 100, .epsilon = 0.006))                  \
    X("bins_adapt_1_3", kt_discretization(.num_bins = 3))

#define VOCABULARY 12, 36, 1138, 42, INT64_MAX, -(INT64_C(1) << 53) - 1
#define WORDS .vocabulary = kt_ints(VOCABULARY)
#define IDF .idf_weights = kt_floats(0.25, 0.75, 0.6, 0.4, 0.5, 1.5)
#define LOOKUP_OF(X, mode)                                                                         \
    X("lookup_" mode, kt_integer_lookup(WORDS, .output_mode = mode))                               \
    X("lookup_" mode "_mask",                                                                      \
      kt_integer_lookup(WORDS, .output_mode = mode, .mask_token = 0, .num_oov_indices = 2))        \
    X("lookup_" mode "_pad",                                                                       \
      kt_integer_lookup(10, WORDS, .output_mode = mode, .pad_to_max_tokens = true))
#define LOOKUPS(X)                                                                                 \
    X("lookup_int", kt_integer_lookup(WORDS))                                                      \
    X("lookup_int32", kt_integer_lookup(WORDS))                                                    \
    X("lookup_mask", kt_integer_lookup(WORDS, .mask_token = 0))                                    \
    X("lookup_oov_3", kt_integer_lookup(WORDS, .num_oov_indices = 3))                              \
    X("lookup_oov_3_mask", kt_integer_lookup(WORDS, .num_oov_indices = 3, .mask_token = 0))        \
    X("lookup_oov_0", kt_integer_lookup(WORDS, .num_oov_indices = 0))                              \
    X("lookup_farm", kt_integer_lookup(WORDS, .num_oov_indices = 5, .oov_method = "farmhash"))     \
    X("lookup_sip",                                                                                \
      kt_integer_lookup(                                                                           \
          WORDS, .num_oov_indices = 5, .oov_method = "farmhash", .salt = kt_ints(133, 137)))       \
    X("lookup_special",                                                                            \
      kt_integer_lookup(.vocabulary = kt_ints(0, -1, VOCABULARY), .mask_token = 0))                \
    X("lookup_invert", kt_integer_lookup(WORDS, .invert = true))                                   \
    X("lookup_invert_mask",                                                                        \
      kt_integer_lookup(                                                                           \
          WORDS, .invert = true, .mask_token = 0, .oov_token = -9, .num_oov_indices = 2))          \
    LOOKUP_OF(X, "one_hot")                                                                        \
    LOOKUP_OF(X, "multi_hot")                                                                      \
    LOOKUP_OF(X, "count")
#define TF_IDF .output_mode = "tf_idf"
#define WEIGHTED(X)                                                                                \
    X("lookup_tf_idf", kt_integer_lookup(WORDS, IDF, TF_IDF))                                      \
    X("lookup_tf_idf_special",                                                                     \
      kt_integer_lookup(                                                                           \
              .vocabulary = kt_ints(-1, VOCABULARY),                                               \
              .idf_weights = kt_floats(0.9, 0.25, 0.75, 0.6, 0.4, 0.5, 1.5),                       \
              TF_IDF))                                                                             \
    X("lookup_tf_idf_pad", kt_integer_lookup(9, WORDS, IDF, TF_IDF, .pad_to_max_tokens = true))
#define LEARNT(X)                                                                                  \
    X("lookup_adapt_int", kt_integer_lookup())                                                     \
    X("lookup_adapt_max", kt_integer_lookup(5, .mask_token = 0))                                   \
    X("lookup_adapt_count", kt_integer_lookup(.output_mode = "count"))                             \
    X("lookup_adapt_tf_idf", kt_integer_lookup(7, .mask_token = 3, TF_IDF))                        \
    X("lookup_adapt_tf_idf_pad", kt_integer_lookup(20, TF_IDF, .pad_to_max_tokens = true))         \
    X("lookup_adapt_axis", kt_integer_lookup(TF_IDF))

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
KT_TEST(features_golden, category_encoding){
    ENCODINGS(CLOSE)} KT_TEST(features_golden, discretization) {
    BINS(EXACT)
}

static kt_tensor *member(const char *name, const char *part) {
    char key[96];
    kt_npz *z;
    snprintf(key, sizeof key, "%s/%s", name, part);
    kt_check_status(kt_npz_open(&z, "tests/golden/features.npz"), KT_OK);
    kt_tensor *t = kt_npz_read(z, key);
    if (kt_failed(t)) fail_msg("%s: %s", key, kt_error_message());
    kt_npz_close(z);
    return t;
}

/* The boundaries, to the bit. */
static void check_edges(const char *name, kt_layer *l) {
    kt_tensor *want = member(name, "edges");
    const kt_discretization_args *a = kt_layer_args(l);
    assert_int_equal(a->bin_boundaries.n, kt_tensor_size(want));
    for (int i = 0; i < a->bin_boundaries.n; i++)
        if (a->bin_boundaries.v[i] != kt_tensor_get(want, i))
            fail_msg(
                "%s, edge %d: got %.9g, Keras %.9g",
                name,
                i,
                a->bin_boundaries.v[i],
                kt_tensor_get(want, i));
    kt_free(want);
}

static void adapted(const char *name, kt_layer *l) {
    kt_tensor *data = member(name, "adapt");
    kt_check_status(kt_discretization_adapt(l, data), KT_OK);
    kt_free(data);
    check_edges(name, l);
    kt_check_golden("features", name, l, .rtol = 1e-12);
}
KT_TEST(features_golden, discretization_adapts) {
#define ADAPTED(case_, layer) adapted(case_, layer);
    ADAPT(ADAPTED)
}
KT_TEST(features_golden, discretization_adapts_to_batches) {
    kt_tensor *all = member("bins_batches", "adapt");
    const float *v = kt_tensor_data(all);
    kt_layer *l = kt_discretization(.num_bins = 6, .epsilon = 0.02);
    kt_list_t *batches = kt_list(
        kt_tensor_new(KT_FLOAT32, kt_dims(100, 3), v),
        kt_tensor_new(KT_FLOAT32, kt_dims(10, 3), v + 300),
        kt_tensor_new(KT_FLOAT32, kt_dims(130, 3), v + 330));
    kt_check_status(kt_discretization_adapt(l, batches), KT_OK);
    check_edges("bins_batches", l);
    kt_free(l);
    kt_free(all);
}

KT_TEST(features_golden, integer_lookup) {
    LOOKUPS(EXACT)
    WEIGHTED(CLOSE)
}

static void learnt(const char *name, kt_layer *l) {
    kt_tensor *data = member(name, "adapt");
    kt_check_status(kt_integer_lookup_adapt(l, data), KT_OK);
    kt_free(data);
    if (strcmp(name, "lookup_adapt_axis") != 0) {
        kt_tensor *want = member(name, "vocabulary"), *got = kt_integer_lookup_vocabulary(l, true);
        kt_check_tensors_near(got, want, 0, 0);
        kt_free(want);
        kt_free(got);
    }
    kt_check_golden("features", name, l, .rtol = 1e-6);
}
KT_TEST(features_golden, integer_lookup_adapts) {
#define LEARN(case_, layer) learnt(case_, layer);
    LEARNT(LEARN)
}

KT_TEST(features_golden, hashing){HASHES(EXACT)} KT_TEST(features_golden, hashed_crossing) {
    CROSSINGS(EXACT)
}

#define NAME(case_, layer) case_,
static const char *const names[] = {ENCODINGS(NAME) BINS(NAME) ADAPT(NAME) LOOKUPS(NAME) WEIGHTED(
    NAME) LEARNT(NAME) HASHES(NAME) CROSSINGS(NAME) NULL};

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
