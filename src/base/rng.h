/* Random numbers from counters: Philox 4x32-10. Number i of a stream is a pure function of (key,
 * counter, i), so results do not depend on threads, chunks or the order in which layers were
 * made. */
#ifndef KT_BASE_RNG_H
#define KT_BASE_RNG_H

#include <stdint.h>

/** One block: four 32-bit words from a 64-bit key and a 128-bit counter (block, call). */
void kt_philox_block(uint64_t key, uint64_t call, uint64_t block, uint32_t out[4]);
/** Number i of the stream as a word; as a float in [0, 1) with 24 bits; as a double with 53 bits (i
 * and a second word). */
uint32_t kt_rng_word(uint64_t key, uint64_t call, uint64_t i);
float kt_rng_float(uint64_t key, uint64_t call, uint64_t i);
double kt_rng_double(uint64_t key, uint64_t call, uint64_t i);
/** Doubles 2 pair and 2 pair + 1, for the price of one. */
void kt_rng_doubles(uint64_t key, uint64_t call, uint64_t pair, double out[2]);
/** A key from a seed and a name path ("sequential/dense/kernel"), by FNV-1a and a mixing step. */
uint64_t kt_rng_key(uint64_t seed, const char *path);

#endif
