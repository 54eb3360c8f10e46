/* What the files of this folder give to table.c, per level. See kernels.h for what each does. */
#ifndef KT_KERNELS_PARTS_H
#define KT_KERNELS_PARTS_H

#include "backend/cpu/kernels/kernels.h"
#include "backend/cpu/kernels/vec.h"

/* strips.c */
#define KT_UNARY(name, value, grad) void KT_FN(kt_un_##name)(float *y, const float *x, int64_t n);
#include "ir/unary.def"
#undef KT_UNARY
#define KT_BINARY(name, value, da, db)                                                             \
    void KT_FN(kt_bin_##name)(float *y, const float *a, const float *b, int64_t n);                \
    void KT_FN(kt_bin_vs_##name)(float *y, const float *a, float b, int64_t n);                    \
    void KT_FN(kt_bin_sv_##name)(float *y, float a, const float *b, int64_t n);
#include "ir/binary.def"
#undef KT_BINARY
#define KT_COMPARE(name, value)                                                                    \
    void KT_FN(kt_cmp_##name)(float *y, const float *a, const float *b, int64_t n);                \
    void KT_FN(kt_cmp_vs_##name)(float *y, const float *a, float b, int64_t n);
#include "ir/compare.def"
#undef KT_COMPARE
void KT_FN(kt_select)(float *y, const float *c, const float *a, const float *b, int64_t n);
void KT_FN(kt_muladd)(float *y, const float *a, const float *b, const float *c, int64_t n);
void KT_FN(kt_fill)(float *y, float v, int64_t n);
void KT_FN(kt_from_u8)(float *y, const uint8_t *x, int64_t n);
void KT_FN(kt_from_i32)(float *y, const int32_t *x, int64_t n);
void KT_FN(kt_from_i64)(float *y, const int64_t *x, int64_t n);
void KT_FN(kt_to_bool)(uint8_t *y, const float *x, int64_t n);

/* reduce.c */
float KT_FN(kt_sum)(const float *x, int64_t n);
float KT_FN(kt_max)(const float *x, int64_t n);
float KT_FN(kt_min)(const float *x, int64_t n);
float KT_FN(kt_dot)(const float *a, const float *b, int64_t n);
void KT_FN(kt_sum_rows)(float *y, const float *x, int64_t rows, int64_t cols, int64_t ldx);
int64_t KT_FN(kt_argmax)(const float *x, int64_t n);

/* rows.c */
void KT_FN(kt_softmax)(float *y, const float *x, int64_t rows, int64_t cols);
void KT_FN(kt_log_softmax)(float *y, const float *x, int64_t rows, int64_t cols);
void KT_FN(kt_sparse_xent)(
    float *loss, float *p, const float *x, const int32_t *label, int64_t rows, int64_t cols);
void KT_FN(kt_sparse_xent_grad)(
    float *dx,
    const float *p,
    const int32_t *label,
    const float *dloss,
    int64_t rows,
    int64_t cols);

/* layer_norm.c */
void KT_FN(kt_layer_norm)(const kt_layer_norm *a);
void KT_FN(kt_layer_norm_grad)(const kt_layer_norm_grad *a);

/* attention.c */
void KT_FN(kt_attention_forward)(const kt_attention *a);
void KT_FN(kt_attention_back)(const kt_attention *a);

/* int8.c */
void KT_FN(kt_int8_quantize)(const kt_int8 *a, int64_t row, int64_t rows);
void KT_FN(kt_int8_block)(const kt_int8 *a, int64_t row, int64_t rows, int64_t col, int64_t cols);

/* conv.c, conv_sparse.c */
void KT_FN(kt_conv_pack)(float *to, const float *kernel, int64_t ld, int64_t rows, int64_t cols);
void KT_FN(kt_conv_row)(const kt_conv_row *r);
void KT_FN(kt_conv_back)(const kt_conv_back *b);
void KT_FN(kt_pool_row)(const kt_pool_row *r);
void KT_FN(kt_sparse_lists)(const kt_sparse_lists *l);
void KT_FN(kt_sparse_kernel)(float *dk, const kt_sparse *s);
void KT_FN(kt_sparse_input)(const float *kernel, const kt_sparse *s);
extern const kt_patch_kernels KT_FN(kt_patch);
void KT_FN(kt_few_kernel)(float *dk, const kt_few *f);
void KT_FN(kt_few_bias)(float *dbias, const kt_few *f);

/* adam.c, random.c, transpose.c, pool.c, gemm.c */
void KT_FN(kt_adam)(
    float *p, float *m, float *v, const float *g, int64_t n, const kt_adam_scalars *s);
void KT_FN(kt_uniform)(float *y, int64_t n, int64_t first, const kt_philox *r);
void KT_FN(kt_dropout)(
    float *y,
    const float *x,
    int64_t n,
    int64_t first,
    float rate,
    float scale,
    const kt_philox *r);
void KT_FN(kt_transpose)(float *y, const float *x, int64_t rows, int64_t cols);
/** The same for a part of a larger array: ldx and ldy are the lengths of stored rows. */
void KT_FN(kt_transpose_ld)(
    float *y, int64_t ldy, const float *x, int64_t ldx, int64_t rows, int64_t cols);

/* pool.c */
void KT_FN(kt_max_pool)(float *y, const float *x, const kt_pool_cells *w);
void KT_FN(kt_avg_pool)(float *y, const float *x, const kt_pool_cells *w);
void KT_FN(kt_max_pool_grad)(float *dx, const float *x, const float *dy, const kt_pool_cells *w);
void KT_FN(kt_avg_pool_grad)(float *dx, const float *dy, const kt_pool_cells *w);

/* depthwise.c */
void KT_FN(kt_depth_row)(float *y, const float *x, const float *k, const kt_depth *d);
void KT_FN(kt_depth_kernel)(float *dk, const float *x, const float *dy, const kt_depth *d);
/* sparse.c */
void KT_FN(kt_sparse_row)(
    float *y, const float *value, const int32_t *index, int64_t n, const float *w, int64_t cols);
void KT_FN(kt_sparse_scatter)(
    float *dw, const float *value, const int32_t *index, int64_t n, const float *dy, int64_t cols);
bool KT_FN(kt_ascending)(const int32_t *index, int64_t n, int32_t limit);
int64_t KT_FN(kt_nonzeros)(const float *x, int64_t n, uint16_t *column, bool *ones);
void KT_FN(kt_from_u16)(int32_t *y, const uint16_t *x, int64_t n);
void KT_FN(kt_copy_rows)(
    float *to, int64_t ldto, const float *from, int64_t ld, int64_t rows, int64_t n);
void KT_FN(kt_gather)(float *to, const float *table, const int32_t *index, int64_t n, int64_t row);
void KT_FN(kt_scatter)(
    float *table,
    int64_t first,
    int64_t end,
    const float *from,
    const int32_t *index,
    int64_t n,
    int64_t row);

/* rnn.c */
int64_t KT_FN(kt_rnn_packed)(int kind, int64_t units, int64_t depth);
int64_t KT_FN(kt_rnn_packed_back)(int64_t n, int64_t gates);
void KT_FN(kt_rnn_pack)(float *to, int kind, int64_t units, int64_t depth, const float *w);
void KT_FN(kt_rnn_pack_back)(float *to, int64_t n, int64_t gates, const float *w);
void KT_FN(kt_rnn_step_simple)(const kt_rnn_step *s);
void KT_FN(kt_rnn_step_gru)(const kt_rnn_step *s);
void KT_FN(kt_rnn_step_lstm)(const kt_rnn_step *s);
void KT_FN(kt_rnn_states_simple)(const kt_rnn_states *s);
void KT_FN(kt_rnn_states_gru)(const kt_rnn_states *s);
void KT_FN(kt_rnn_states_lstm)(const kt_rnn_states *s);
void KT_FN(kt_rnn_back_simple)(const kt_rnn_back *b);
void KT_FN(kt_rnn_back_gru)(const kt_rnn_back *b);
void KT_FN(kt_rnn_back_lstm)(const kt_rnn_back *b);
void KT_FN(kt_rnn_back_product)(
    float *d,
    int64_t ldd,
    const float *dz,
    int64_t ldz,
    int64_t rows,
    int64_t n,
    int64_t gates,
    const float *packed,
    bool add);

size_t KT_FN(kt_gemm_scratch)(const kt_gemm *g);
void KT_FN(kt_gemm)(const kt_gemm *g, void *scratch);

extern const kt_kernels KT_FN(kt_kernels);

#endif
