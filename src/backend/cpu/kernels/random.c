/* Counter-based random numbers: Philox 4x32-10 (Salmon et al., SC 2011).
 *
 * Element i of a stream is word i % 4 of block i / 4, whoever computes it and in whatever
 * pieces. A vector holds one word of LANES blocks, so a group of 4 LANES elements is made at
 * once; a range that starts or ends inside a group makes the whole group and uses a part. */
#include "backend/cpu/kernels/parts.h"
#include "backend/cpu/kernels/turn.h"

#define GROUP (4 * LANES)

/* The words of LANES/2 blocks, each in the lower half of a 64-bit lane. Only lower halves are
 * multiplied, so the products can stay where they are, and nothing needs to be cut off. */
KT_INLINE void philox_rounds(vu64 w[4], uint32_t k0, uint32_t k1) {
#pragma GCC unroll 10
    for (int round = 0; round < 10; round++) {
        const vu64 p0 = vu64_mul_low(w[0], 0xd2511f53u), p2 = vu64_mul_low(w[2], 0xcd9e8d57u);
        w[0] = (p2 >> 32) ^ w[1] ^ (uint64_t)k0;
        w[1] = p2;
        w[2] = (p0 >> 32) ^ w[3] ^ (uint64_t)k1;
        w[3] = p0;
        k0 += 0x9e3779b9u;
        k1 += 0xbb67ae85u;
    }
}

/* Blocks block, block+2, block+4 …; the upper half of the counter is the same for all of a
 * group. */
KT_INLINE void philox_blocks(vu64 w[4], uint64_t block, const kt_philox *r) {
    static const uint64_t even[] = {0, 2, 4, 6, 8, 10, 12, 14};
    vu64 step;
    memcpy(&step, even, sizeof step);
    w[0] = step + (block & 0xffffffffu);
    w[1] = (vu64){0} + (block >> 32);
    w[2] = (vu64){0} + (uint64_t)r->counter[0];
    w[3] = (vu64){0} + (uint64_t)r->counter[1];
    philox_rounds(w, r->key[0], r->key[1]);
}

/* The uniform numbers of group g in order: 24 bits of each word, exact in float */
KT_INLINE void uniform_group(vf u[4], int64_t g, const kt_philox *r) {
    vu64 a[4], b[4];
    vf v[4];
    philox_blocks(a, (uint64_t)g * LANES, r);
    philox_blocks(b, (uint64_t)g * LANES + 1, r);
#pragma GCC unroll 4
    for (int k = 0; k < 4; k++) {
        const vu64 both = (a[k] & 0xffffffffu) | b[k] << 32;
        const vi bits = (vi)(both >> 8 & 0x00ffffff00ffffffu);
        v[k] = __builtin_convertvector(bits, vf) * 0x1p-24f;
    }
    const vf even_low = INTERLEAVE_LO(v[0], v[2]), odd_low = INTERLEAVE_LO(v[1], v[3]);
    const vf even_high = INTERLEAVE_HI(v[0], v[2]), odd_high = INTERLEAVE_HI(v[1], v[3]);
    u[0] = INTERLEAVE_LO(even_low, odd_low);
    u[1] = INTERLEAVE_HI(even_low, odd_low);
    u[2] = INTERLEAVE_LO(even_high, odd_high);
    u[3] = INTERLEAVE_HI(even_high, odd_high);
}

/* The numbers of elements first … first+n-1, which lie in one group */
static void uniform_part(float *y, int64_t n, int64_t first, const kt_philox *r) {
    vf u[4];
    float t[GROUP];
    uniform_group(u, first / GROUP, r);
    for (int k = 0; k < 4; k++) vf_store(t + k * LANES, u[k]);
    memcpy(y, t + first % GROUP, (size_t)n * sizeof *y);
}

/* How many elements from `at` belong to one group */
static int64_t part_length(int64_t at, int64_t left) {
    const int64_t m = GROUP - at % GROUP;
    return m < left ? m : left;
}

void KT_FN(kt_uniform)(float *y, int64_t n, int64_t first, const kt_philox *r) {
    int64_t m;
    for (int64_t i = 0; i < n; i += m) {
        m = part_length(first + i, n - i);
        if (m < GROUP) {
            uniform_part(y + i, m, first + i, r);
            continue;
        }
        vf u[4];
        uniform_group(u, (first + i) / GROUP, r);
        for (int k = 0; k < 4; k++) vf_store(y + i + k * LANES, u[k]);
    }
}

KT_INLINE vf drop(vf x, vf u, float rate, float scale) {
    return (vf)((vi)(x * scale) & (vi)(u >= rate));
}

void KT_FN(kt_dropout)(
    float *y,
    const float *x,
    int64_t n,
    int64_t first,
    float rate,
    float scale,
    const kt_philox *r) {
    int64_t m;
    for (int64_t i = 0; i < n; i += m) {
        vf u[4];
        m = part_length(first + i, n - i);
        if (m == GROUP) {
            uniform_group(u, (first + i) / GROUP, r);
            for (int k = 0; k < 4; k++) {
                const vf v = vf_load(x + i + k * LANES);
                vf_store(y + i + k * LANES, drop(v, u[k], rate, scale));
            }
            continue;
        }
        float t[GROUP];
        uniform_part(t, m, first + i, r);
        for (int64_t j = 0; j < m; j += LANES) {
            const int64_t left = m - j < LANES ? m - j : LANES;
            const vf v = vf_load_n(x + i + j, left);
            vf_store_n(y + i + j, drop(v, vf_load_n(t + j, left), rate, scale), left);
        }
    }
}
