/* Text: the builder, numbers as Python writes them, Keras' snake case. */
#include "base/str.h"

#include "base/mem.h"
#include "testing/kt_test.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

KT_TEST(str, builds_text) {
    kt_str b = {0};
    kt_str_add(&b, "a");
    kt_str_addn(&b, "bcdef", 2);
    kt_str_addf(&b, "-%d-%s", 7, "x");
    kt_str_repeat(&b, "=+", 3);
    kt_str_repeat(&b, "no", 0);
    kt_str_repeat(&b, "no", -1);
    kt_check_str(b.s, "abc-7-x=+=+=+");
    assert_int_equal(b.n, strlen(b.s));
    kt_str_free(&b);
    assert_null(b.s);
}

KT_TEST(str, long_formats_fit) {
    char big[1000];
    kt_str b = {0};
    memset(big, 'q', sizeof big - 1);
    big[sizeof big - 1] = 0;
    kt_str_addf(&b, "<%s>", big);
    assert_int_equal(b.n, 1001);
    assert_int_equal(b.s[1000], '>');
    kt_str_free(&b);
}

KT_TEST(str, running_out_of_memory_sticks) {
    kt_str b = {0};
    kt_str_add(&b, "first");
    kt_mem_fail_after(1);
    kt_str_repeat(&b, "more than there is room for ", 10);
    kt_mem_fail_after(0);
    assert_int_equal(b.status, KT_ENOMEM);
    kt_str_add(&b, "again");
    assert_null(strstr(b.s, "again"));
    kt_str_free(&b);
}

/* What repr() of Python 3 prints. */
KT_TEST(str, numbers_are_written_as_python_does) {
    static const struct {
        double v;
        const char *text;
    } cases[] = {
        {0.0, "0.0"},
        {-0.0, "-0.0"},
        {1.0, "1.0"},
        {0.1, "0.1"},
        {0x1.5555555555555p-2, "0.3333333333333333"},
        {1e16, "1e+16"},
        {1e15, "1000000000000000.0"},
        {0x1.b69b4ba630f35p+56, "1.2345678901234568e+17"},
        {1e-4, "0.0001"},
        {1e-5, "1e-05"},
        {0x0.0000000000001p-1022, "5e-324"},
        {0x1.fffffffffffffp+1023, "1.7976931348623157e+308"},
        {-2.5, "-2.5"},
        {100.0, "100.0"},
        {1e22, "1e+22"},
        {0x1.3333333333334p-2, "0.30000000000000004"},
        {0x1p53, "9007199254740992.0"},
        {INFINITY, "inf"},
        {-INFINITY, "-inf"},
        {NAN, "nan"},
    };
    for (int i = 0; i < (int)(sizeof cases / sizeof cases[0]); i++) {
        kt_str b = {0};
        kt_str_double(&b, cases[i].v);
        kt_check_str(b.s, cases[i].text);
        if (!isnan(cases[i].v)) assert_true(strtod(b.s, NULL) == cases[i].v);
        kt_str_free(&b);
    }
}

/* What keras.src.utils.naming.to_snake_case gives. */
KT_TEST(str, snake_case_is_that_of_keras) {
    static const char *const cases[][2] = {
        {"Dense", "dense"},
        {"MaxPooling2D", "max_pooling2d"},
        {"Conv2D", "conv2d"},
        {"ReLU", "re_lu"},
        {"GRU", "gru"},
        {"PReLU", "p_re_lu"},
        {"Conv2DTranspose", "conv2d_transpose"},
        {"SparseTopKCategoricalAccuracy", "sparse_top_k_categorical_accuracy"},
        {"MeanIoU", "mean_io_u"},
        {"F1Score", "f1_score"},
        {"AUC", "auc"},
        {"TFSMLayer", "tfsm_layer"},
        {"LogCosh", "log_cosh"},
        {"KLDivergence", "kl_divergence"},
        {"RMSprop", "rm_sprop"},
        {"SGD", "sgd"},
        {"AdamW", "adam_w"},
        {"HashedCrossing", "hashed_crossing"},
        {"my_layer", "my_layer"},
        {"MyLayer2", "my_layer2"},
        {"ABTest", "ab_test"},
        {"A", "a"},
        {"", ""},
    };
    char got[64];
    for (int i = 0; i < (int)(sizeof cases / sizeof cases[0]); i++) {
        kt_snake_case(cases[i][0], got, sizeof got);
        kt_check_str(got, cases[i][1]);
    }
}

KT_TEST(str, snake_case_is_cut_to_its_buffer) {
    for (size_t size = 1; size < 12; size++) {
        char got[16];
        memset(got, '#', sizeof got);
        kt_snake_case("MaxPooling2D", got, size);
        assert_true(strlen(got) < size);
        assert_int_equal(got[size], '#');
    }
}
