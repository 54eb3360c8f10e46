/* The table of fast float32 kernels of one instruction set. Every file of this folder is compiled
 * once per level (KT_ISA = portable, avx2, avx512), each level fills one table, and
 * kt_kernels_get() picks the best one that the processor and the variable KT_ISA (the cap:
 * "portable", "avx2", "avx512") allow.
 *
 * Kernels take plain pointers and know no graph. Those that take a range run on the calling
 * thread; gemm splits its own work over the pool. */
#ifndef KT_CPU_KERNELS_H
#define KT_CPU_KERNELS_H

#include "backend/cpu/kernels/attention.h"
#include "backend/cpu/kernels/conv.h"
#include "backend/cpu/kernels/depthwise.h"
#include "backend/cpu/kernels/int8.h"
#include "backend/cpu/kernels/pool.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
#define KT_UNARY(name, value, grad) KT_UN_##name,
#include "ir/unary.def"
#undef KT_UNARY
    KT_UN_COUNT
};
enum {
#define KT_BINARY(name, value, da, db) KT_BIN_##name,
#include "ir/binary.def"
#undef KT_BINARY
    KT_BIN_COUNT
};
enum {
#define KT_COMPARE(name, value) KT_CMP_##name,
#include "ir/compare.def"
#undef KT_COMPARE
    KT_CMP_COUNT
};

/** What a gemm does to each result: c = f(c + bias). An index into the unary family, or
 * KT_EPI_NONE. relu, tanh, sigmoid are worth a fused form. */
#define KT_EPI_NONE (-1)

/** C[m,n] (+)= op(A)[m,k] op(B)[k,n], row-major; ta: A is stored [k,m]; tb: B is stored [n,k]. */
typedef struct kt_gemm {
    int64_t m, n, k;
    const float *a, *b;
    float *c;
    int64_t lda, ldb, ldc; ///< elements from one stored row to the next
    bool ta, tb;
    bool accumulate;   ///< add to what C holds (bias and epilogue then come after the sum)
    const float *bias; ///< [n] or NULL
    int epilogue;      ///< KT_UN_… or KT_EPI_NONE
} kt_gemm;

/** Adam's scalars of one step; alpha = lr * sqrt(1 - b2^t) / (1 - b1^t). Keras' formula:
 * m += (g-m)(1-b1); v += (g*g-v)(1-b2); p -= m*alpha / (sqrt(v)+eps). */
typedef struct kt_adam_scalars {
    float alpha, one_minus_b1, one_minus_b2, epsilon;
} kt_adam_scalars;

/** Philox 4x32-10: key of the stream, first element's counter. Element i uses word i%4 of block
 * i/4. */
typedef struct kt_philox {
    uint32_t key[2];
    uint32_t counter[2]; ///< high words (step, call); the low 64 bits count blocks
} kt_philox;

/** One time step of a recurrent layer for some rows; ops/rnn.c has the formulas. Rows follow each
 * other but for x and z, which have their distance. What the input gives to the gates is z, which
 * may lie where the gates will; or z is the bias (ldz 0) and x with `packed_x` gives the rest.
 * h_new must not be h. */
typedef struct kt_rnn_step {
    int64_t rows, units;
    const float *packed; ///< recurrent weights, from rnn_pack
    int64_t inputs;      ///< numbers in a row of x; 0: no x
    const float *x, *packed_x;
    const float *z, *bias; ///< bias: gru only, of the recurrent product
    float *gates, *inner;  ///< inner: gru only
    const float *h, *c;    ///< c: lstm only
    float *h_new, *c_new;
    int64_t ldx, ldz;
    bool stream; ///< lstm: gates go past the caches; they begin on lines, units fill lines
} kt_rnn_step;
/** The states after a step from its gates, the same bits as rnn_step gave: rows that follow each
 * other. */
typedef struct kt_rnn_states {
    int64_t rows, units;
    const float *gates, *h, *c;    ///< c: lstm only
    float *h_new, *c_new, *tanh_c; ///< of c_new
} kt_rnn_states;
/** The elementwise part of a step back, one row. dz may be gates; dh becomes what does not go
 * through the recurrent product, dc what goes to the step before. */
typedef struct kt_rnn_back {
    int64_t units;
    const float *gates, *dy; ///< dy NULL: nothing
    const float *h, *extra;  ///< gru only: h before the step, what the reset gate scaled
    const float *c, *tanh_c; ///< lstm only: c before the step, tanh of c after it
    float *dz, *inner, *dh, *dc;
} kt_rnn_back;
enum { KT_RNN_SIMPLE, KT_RNN_GRU, KT_RNN_LSTM, KT_RNN_COUNT };

/** Rows of n elements; stats [rows][2]: mean and 1 / sqrt(variance + epsilon). */
typedef struct kt_layer_norm {
    int64_t rows, n;
    const float *x, *gamma, *beta;
    float epsilon;
    float *y, *stats;
} kt_layer_norm;
typedef struct kt_layer_norm_grad {
    int64_t rows, n;
    const float *x, *gamma, *stats, *dy;
    float *dx, *dgamma, *dbeta; ///< dgamma, dbeta: added to
} kt_layer_norm_grad;

typedef struct kt_kernels {
    const char *name; ///< "portable", "avx2", "avx512"
    int lanes;        ///< floats in a vector register

    /* Strips: y may be the same array as any input; no alignment is assumed, 64 bytes is fast.
     * The s variants take one scalar in place of an array. Booleans are 0 and 1 as float. */
    void (*unary[KT_UN_COUNT])(float *y, const float *x, int64_t n);
    void (*binary[KT_BIN_COUNT])(float *y, const float *a, const float *b, int64_t n);
    void (*binary_vs[KT_BIN_COUNT])(float *y, const float *a, float b, int64_t n);
    void (*binary_sv[KT_BIN_COUNT])(float *y, float a, const float *b, int64_t n);
    void (*compare[KT_CMP_COUNT])(float *y, const float *a, const float *b, int64_t n);
    void (*compare_vs[KT_CMP_COUNT])(float *y, const float *a, float b, int64_t n);
    void (*select)(float *y, const float *c, const float *a, const float *b, int64_t n);
    void (*muladd)(float *y, const float *a, const float *b, const float *c, int64_t n); ///< a*b+c
    void (*fill)(float *y, float v, int64_t n);
    void (*from_u8)(float *y, const uint8_t *x, int64_t n); ///< also bool
    void (*from_i32)(float *y, const int32_t *x, int64_t n);
    void (*from_i64)(float *y, const int64_t *x, int64_t n);
    void (*to_bool)(uint8_t *y, const float *x, int64_t n); ///< 1 where x != 0

    /* Reductions of a row-major [rows, cols] block. The shape of the sum is fixed by the sizes
     * alone. */
    float (*sum)(const float *x, int64_t n);
    float (*max)(const float *x, int64_t n); ///< NaN if any is; -inf for n = 0
    float (*min)(const float *x, int64_t n);
    float (*dot)(const float *a, const float *b, int64_t n);
    /** y[cols] = sum over rows */
    void (*sum_rows)(float *y, const float *x, int64_t rows, int64_t cols, int64_t ldx);
    int64_t (*argmax)(const float *x, int64_t n); ///< first of the largest

    /* Rows [rows, cols], contiguous. */
    void (*softmax)(float *y, const float *x, int64_t rows, int64_t cols);
    void (*log_softmax)(float *y, const float *x, int64_t rows, int64_t cols);
    /** loss[r] = -log softmax(x)[label[r]], p = softmax(x). Labels were checked by the caller. */
    void (*sparse_xent)(
        float *loss, float *p, const float *x, const int32_t *label, int64_t rows, int64_t cols);
    /** dx = (p - onehot(label)) * dloss[r] */
    void (*sparse_xent_grad)(
        float *dx,
        const float *p,
        const int32_t *label,
        const float *dloss,
        int64_t rows,
        int64_t cols);

    void (*adam)(float *p, float *m, float *v, const float *g, int64_t n, const kt_adam_scalars *s);
    /** y = x * scale where the uniform number of element first+i is >= rate, else 0. */
    void (*dropout)(
        float *y,
        const float *x,
        int64_t n,
        int64_t first,
        float rate,
        float scale,
        const kt_philox *r);
    /** Uniform numbers in [0, 1): 24 random bits each, elements first … first+n-1 of the stream. */
    void (*uniform)(float *y, int64_t n, int64_t first, const kt_philox *r);
    void (*transpose)(float *y, const float *x, int64_t rows, int64_t cols); ///< y[cols, rows]

    /** y = the largest cell, the mean of each window. */
    void (*max_pool)(float *y, const float *x, const kt_pool_cells *w);
    void (*avg_pool)(float *y, const float *x, const kt_pool_cells *w);
    /** dx = dy at the first largest cell and 0 at the others, a share of dy at each; or dx += that.
     */
    void (*max_pool_grad)(float *dx, const float *x, const float *dy, const kt_pool_cells *w);
    void (*avg_pool_grad)(float *dx, const float *dy, const kt_pool_cells *w);

    void (*layer_norm)(const kt_layer_norm *a);
    void (*layer_norm_grad)(const kt_layer_norm_grad *a);
    /** y and stats from q, k, v; dq, dk, dv from these and dy. */
    void (*attention_forward)(const kt_attention *a);
    void (*attention_back)(const kt_attention *a);

    /* Recurrent layers. Weights w [depth, gates x units] are packed for a step; for the way back
     * w [n, gates] is, n of them. Floats that it takes: */
    int64_t (*rnn_packed)(int kind, int64_t units, int64_t depth);
    int64_t (*rnn_packed_back)(int64_t n, int64_t gates);
    void (*rnn_pack)(float *to, int kind, int64_t units, int64_t depth, const float *w);
    void (*rnn_pack_back)(float *to, int64_t n, int64_t gates, const float *w);
    void (*rnn_step[KT_RNN_COUNT])(const kt_rnn_step *s);
    void (*rnn_states[KT_RNN_COUNT])(const kt_rnn_states *s);
    void (*rnn_back[KT_RNN_COUNT])(const kt_rnn_back *b);
    /** d [rows, n] = dz [rows, gates] w^T, or d += that. */
    void (*rnn_back_product)(
        float *d,
        int64_t ldd,
        const float *dz,
        int64_t ldz,
        int64_t rows,
        int64_t n,
        int64_t gates,
        const float *packed,
        bool add);

    /* Convolutions: see conv.c and conv_sparse.c. */
    int64_t conv_panel; ///< filters of a panel
    void (*conv_pack)(float *to, const float *kernel, int64_t ld, int64_t rows, int64_t cols);
    void (*conv_row)(const kt_conv_row *r);
    void (*conv_back)(const kt_conv_back *b);
    void (*pool_row)(const kt_pool_row *r);
    void (*sparse_lists)(const kt_sparse_lists *l);
    void (*sparse_kernel)(float *dk, const kt_sparse *s); ///< dk += sum over the list of value x
    void (*sparse_input)(const float *kernel, const kt_sparse *s); ///< x += value kernel
    const kt_patch_kernels *patch;
    void (*few_kernel)(float *dk, const kt_few *f);
    void (*few_bias)(float *dbias, const kt_few *f); ///< dbias += dy where a tap has it
    /* Sparse rows: value[k] in column index[k]. y[cols] = their product with w [.., cols];
     * dw[index[k]] += value[k] * dy[cols]. */
    void (*sparse_row)(
        float *y,
        const float *value,
        const int32_t *index,
        int64_t n,
        const float *w,
        int64_t cols);
    void (*sparse_scatter)(
        float *dw,
        const float *value,
        const int32_t *index,
        int64_t n,
        const float *dy,
        int64_t cols);
    /** Is every index greater than the one before, and all in 0 … limit-1? */
    bool (*ascending)(const int32_t *index, int64_t n, int32_t limit);
    /** Where x [n <= 65536] is not 0, and how many; writes up to 16 places more. *ones becomes
     * false if one of these is not 1. */
    int64_t (*nonzeros)(const float *x, int64_t n, uint16_t *column, bool *ones);
    void (*from_u16)(int32_t *y, const uint16_t *x, int64_t n);
    /* Rows of n floats, ldto and ld apart. Rows of a table by index, one after the other; and back:
     * added to the rows first … end-1 of the table, in order, others left out. */
    void (*copy_rows)(
        float *to, int64_t ldto, const float *from, int64_t ld, int64_t rows, int64_t n);
    void (*gather)(float *to, const float *table, const int32_t *index, int64_t n, int64_t row);
    void (*scatter)(
        float *table,
        int64_t first,
        int64_t end,
        const float *from,
        const int32_t *index,
        int64_t n,
        int64_t row);

    /** y = sum over the taps of x k. */
    void (*depth_row)(float *y, const float *x, const float *k, const kt_depth *d);
    /** dk += sum over the places of x dy, for d->cols taps. */
    void (*depth_kernel)(float *dk, const float *x, const float *dy, const kt_depth *d);

    /** Rounds rows of x; then blocks of rows and columns of the product. */
    void (*int8_quantize)(const kt_int8 *a, int64_t row, int64_t rows);
    void (*int8_block)(const kt_int8 *a, int64_t row, int64_t rows, int64_t col, int64_t cols);

    /** Bytes of scratch that gemm wants for this call (0 is possible), for the memory plan. */
    size_t (*gemm_scratch)(const kt_gemm *g);
    void (*gemm)(const kt_gemm *g, void *scratch);
} kt_kernels;

/** The table in use; chosen once. */
const kt_kernels *kt_kernels_get(void);
/** The table of a level, NULL if this build or processor lacks it: for tests. */
const kt_kernels *kt_kernels_level(const char *name);

#endif
