/* The Mersenne twister as NumPy's RandomState uses it: the shuffles of Keras' data sets depend on
 * it. For random numbers of our own see rng.h. */
#ifndef KT_BASE_MT19937_H
#define KT_BASE_MT19937_H

#include <stdint.h>

#define KT_MT_WORDS 624

typedef struct kt_mt19937 {
    uint32_t word[KT_MT_WORDS];
    int at;
} kt_mt19937;

/** numpy.random.RandomState(seed) */
void kt_mt_seed(kt_mt19937 *mt, uint32_t seed);
uint32_t kt_mt_word(kt_mt19937 *mt);
/** RandomState.shuffle of n numbers. */
void kt_mt_shuffle(kt_mt19937 *mt, int64_t *v, int64_t n);

#endif
