/* Philox 4x32-10 (Salmon, Moraes, Dror, Shaw: Parallel random numbers: as easy as 1, 2, 3; SC
 * 2011). */
#include "base/rng.h"

void kt_philox_block(uint64_t key, uint64_t call, uint64_t block, uint32_t out[4]) {
    uint32_t k0 = (uint32_t)key, k1 = (uint32_t)(key >> 32);
    uint32_t c0 = (uint32_t)block, c1 = (uint32_t)(block >> 32);
    uint32_t c2 = (uint32_t)call, c3 = (uint32_t)(call >> 32);
    for (int round = 0; round < 10; round++) {
        const uint64_t a = (uint64_t)0xD2511F53u * c0, b = (uint64_t)0xCD9E8D57u * c2;
        c0 = (uint32_t)(b >> 32) ^ c1 ^ k0;
        c2 = (uint32_t)(a >> 32) ^ c3 ^ k1;
        c1 = (uint32_t)b;
        c3 = (uint32_t)a;
        k0 += 0x9E3779B9u;
        k1 += 0xBB67AE85u;
    }
    out[0] = c0;
    out[1] = c1;
    out[2] = c2;
    out[3] = c3;
}

uint32_t kt_rng_word(uint64_t key, uint64_t call, uint64_t i) {
    uint32_t out[4];
    kt_philox_block(key, call, i / 4, out);
    return out[i % 4];
}

float kt_rng_float(uint64_t key, uint64_t call, uint64_t i) {
    return (float)(kt_rng_word(key, call, i) >> 8) * 0x1p-24f;
}

static double to_double(const uint32_t word[2]) {
    const uint64_t high = word[0], low = word[1];
    return (double)((high << 21) ^ (low >> 11)) * 0x1p-53;
}

void kt_rng_doubles(uint64_t key, uint64_t call, uint64_t pair, double out[2]) {
    uint32_t word[4];
    kt_philox_block(key, call, pair, word);
    out[0] = to_double(word);
    out[1] = to_double(word + 2);
}

double kt_rng_double(uint64_t key, uint64_t call, uint64_t i) {
    double two[2];
    kt_rng_doubles(key, call, i / 2, two);
    return two[i % 2];
}

uint64_t kt_rng_key(uint64_t seed, const char *path) {
    uint64_t h = 0xcbf29ce484222325u ^ seed * 0x9e3779b97f4a7c15u;
    for (const unsigned char *p = (const unsigned char *)path; *p; p++)
        h = (h ^ *p) * 0x100000001b3u;
    h = (h ^ h >> 32) * 0xd6e8feb86659fd93u;
    return h ^ h >> 32;
}
