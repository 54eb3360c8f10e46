/* Random numbers: the published vectors of Philox, ranges, keys. */
#include "base/rng.h"

#include "testing/kt_test.h"

#include <math.h>

/* Random123, kat_vectors: philox4x32 with 10 rounds. */
KT_TEST(rng, philox_gives_the_published_numbers) {
    static const struct {
        uint64_t key, call, block;
        uint32_t want[4];
    } cases[] = {
        {0, 0, 0, {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}},
        {UINT64_MAX, UINT64_MAX, UINT64_MAX, {0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}},
        {0x299f31d0a4093822,
         0x0370734413198a2e,
         0x85a308d3243f6a88,
         {0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}},
    };
    for (int i = 0; i < 3; i++) {
        uint32_t got[4];
        kt_philox_block(cases[i].key, cases[i].call, cases[i].block, got);
        assert_memory_equal(got, cases[i].want, sizeof got);
    }
}

KT_TEST(rng, words_are_those_of_the_blocks) {
    uint32_t block[4];
    for (uint64_t b = 0; b < 5; b++) {
        kt_philox_block(3, 4, b, block);
        for (uint64_t i = 0; i < 4; i++) assert_int_equal(kt_rng_word(3, 4, 4 * b + i), block[i]);
    }
}

KT_TEST(rng, numbers_spread_over_the_unit_interval) {
    double sum = 0, squares = 0;
    enum { N = 20000 };
    for (uint64_t i = 0; i < N; i++) {
        const float f = kt_rng_float(1, 2, i);
        const double d = kt_rng_double(1, 2, i);
        assert_true(f >= 0 && f < 1 && d >= 0 && d < 1);
        sum += d;
        squares += d * d;
    }
    kt_check_near(sum / N, 0.5, 0, 0.01);
    kt_check_near(squares / N, 1 / 3., 0, 0.01);
}

KT_TEST(rng, keys_tell_seeds_and_paths_apart) {
    assert_true(kt_rng_key(1, "a/kernel") == kt_rng_key(1, "a/kernel"));
    assert_true(kt_rng_key(1, "a/kernel") != kt_rng_key(2, "a/kernel"));
    assert_true(kt_rng_key(1, "a/kernel") != kt_rng_key(1, "b/kernel"));
    assert_true(kt_rng_key(1, "dense/kernel") != kt_rng_key(1, "dense/kernel_1"));
    assert_true(kt_rng_key(0, "") != kt_rng_key(1, ""));
}
