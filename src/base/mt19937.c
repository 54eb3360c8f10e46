/* MT19937 (Matsumoto, Nishimura: Mersenne twister, TOMACS 1998) with NumPy's seeding, bounded
 * numbers (masked rejection) and Fisher-Yates from the end. */
#include "base/mt19937.h"

void kt_mt_seed(kt_mt19937 *mt, uint32_t seed) {
    for (uint32_t i = 0; i < KT_MT_WORDS; i++) {
        mt->word[i] = seed;
        seed = UINT32_C(1812433253) * (seed ^ seed >> 30) + i + 1;
    }
    mt->at = KT_MT_WORDS;
}

static void refill(kt_mt19937 *mt) {
    uint32_t *w = mt->word;
    for (int i = 0; i < KT_MT_WORDS; i++) {
        const uint32_t next = w[(i + 1) % KT_MT_WORDS];
        const uint32_t y = (w[i] & 0x80000000u) | (next & 0x7fffffffu);
        w[i] = w[(i + 397) % KT_MT_WORDS] ^ y >> 1 ^ (y & 1 ? 0x9908b0dfu : 0);
    }
    mt->at = 0;
}

uint32_t kt_mt_word(kt_mt19937 *mt) {
    if (mt->at == KT_MT_WORDS) refill(mt);
    uint32_t y = mt->word[mt->at++];
    y ^= y >> 11;
    y ^= y << 7 & 0x9d2c5680u;
    y ^= y << 15 & 0xefc60000u;
    return y ^ y >> 18;
}

/* Evenly from 0 … max: NumPy takes one word if it is enough, two otherwise, the high one first. */
static uint64_t interval(kt_mt19937 *mt, uint64_t max) {
    uint64_t mask = max, value;
    for (int shift = 1; shift < 64; shift *= 2) mask |= mask >> shift;
    do {
        value = kt_mt_word(mt);
        if (max > UINT32_MAX) value = value << 32 | kt_mt_word(mt);
        value &= mask;
    } while (value > max);
    return value;
}

void kt_mt_shuffle(kt_mt19937 *mt, int64_t *v, int64_t n) {
    for (int64_t i = n - 1; i > 0; i--) {
        const int64_t j = (int64_t)interval(mt, (uint64_t)i), kept = v[i];
        v[i] = v[j];
        v[j] = kept;
    }
}
