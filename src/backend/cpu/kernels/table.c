/* The table of this level, put together from the other files. */
#include "backend/cpu/kernels/gemm_tile.h"
#include "backend/cpu/kernels/parts.h"

#define KT_TEXT2(x) #x
#define KT_TEXT(x) KT_TEXT2(x)

const kt_kernels KT_FN(kt_kernels) = {
    .name = KT_TEXT(KT_ISA),
    .lanes = LANES,
#define KT_UNARY(name, value, grad) .unary[KT_UN_##name] = KT_FN(kt_un_##name),
#include "ir/unary.def"
#undef KT_UNARY
#define KT_BINARY(name, value, da, db)                                                             \
    .binary[KT_BIN_##name] = KT_FN(kt_bin_##name),                                                 \
    .binary_vs[KT_BIN_##name] = KT_FN(kt_bin_vs_##name),                                           \
    .binary_sv[KT_BIN_##name] = KT_FN(kt_bin_sv_##name),
#include "ir/binary.def"
#undef KT_BINARY
#define KT_COMPARE(name, value)                                                                    \
    .compare[KT_CMP_##name] = KT_FN(kt_cmp_##name),                                                \
    .compare_vs[KT_CMP_##name] = KT_FN(kt_cmp_vs_##name),
#include "ir/compare.def"
#undef KT_COMPARE
    .select = KT_FN(kt_select),
    .muladd = KT_FN(kt_muladd),
    .fill = KT_FN(kt_fill),
    .from_u8 = KT_FN(kt_from_u8),
    .from_i32 = KT_FN(kt_from_i32),
    .from_i64 = KT_FN(kt_from_i64),
    .to_bool = KT_FN(kt_to_bool),
    .sum = KT_FN(kt_sum),
    .max = KT_FN(kt_max),
    .min = KT_FN(kt_min),
    .dot = KT_FN(kt_dot),
    .sum_rows = KT_FN(kt_sum_rows),
    .argmax = KT_FN(kt_argmax),
    .softmax = KT_FN(kt_softmax),
    .log_softmax = KT_FN(kt_log_softmax),
    .sparse_xent = KT_FN(kt_sparse_xent),
    .sparse_xent_grad = KT_FN(kt_sparse_xent_grad),
    .adam = KT_FN(kt_adam),
    .dropout = KT_FN(kt_dropout),
    .uniform = KT_FN(kt_uniform),
    .transpose = KT_FN(kt_transpose),
    .max_pool = KT_FN(kt_max_pool),
    .avg_pool = KT_FN(kt_avg_pool),
    .max_pool_grad = KT_FN(kt_max_pool_grad),
    .avg_pool_grad = KT_FN(kt_avg_pool_grad),
    .layer_norm = KT_FN(kt_layer_norm),
    .layer_norm_grad = KT_FN(kt_layer_norm_grad),
    .attention_forward = KT_FN(kt_attention_forward),
    .attention_back = KT_FN(kt_attention_back),
    .rnn_packed = KT_FN(kt_rnn_packed),
    .rnn_packed_back = KT_FN(kt_rnn_packed_back),
    .rnn_pack = KT_FN(kt_rnn_pack),
    .rnn_pack_back = KT_FN(kt_rnn_pack_back),
    .rnn_step = {KT_FN(kt_rnn_step_simple), KT_FN(kt_rnn_step_gru), KT_FN(kt_rnn_step_lstm)},
    .rnn_states =
        {KT_FN(kt_rnn_states_simple), KT_FN(kt_rnn_states_gru), KT_FN(kt_rnn_states_lstm)},
    .rnn_back = {KT_FN(kt_rnn_back_simple), KT_FN(kt_rnn_back_gru), KT_FN(kt_rnn_back_lstm)},
    .rnn_back_product = KT_FN(kt_rnn_back_product),
    .conv_panel = TILE_COLS,
    .conv_pack = KT_FN(kt_conv_pack),
    .conv_row = KT_FN(kt_conv_row),
    .conv_back = KT_FN(kt_conv_back),
    .pool_row = KT_FN(kt_pool_row),
    .sparse_lists = KT_FN(kt_sparse_lists),
    .sparse_kernel = KT_FN(kt_sparse_kernel),
    .sparse_input = KT_FN(kt_sparse_input),
    .patch = &KT_FN(kt_patch),
    .few_kernel = KT_FN(kt_few_kernel),
    .few_bias = KT_FN(kt_few_bias),
    .depth_row = KT_FN(kt_depth_row),
    .depth_kernel = KT_FN(kt_depth_kernel),
    .sparse_row = KT_FN(kt_sparse_row),
    .sparse_scatter = KT_FN(kt_sparse_scatter),
    .ascending = KT_FN(kt_ascending),
    .nonzeros = KT_FN(kt_nonzeros),
    .from_u16 = KT_FN(kt_from_u16),
    .int8_quantize = KT_FN(kt_int8_quantize),
    .int8_block = KT_FN(kt_int8_block),
    .copy_rows = KT_FN(kt_copy_rows),
    .gather = KT_FN(kt_gather),
    .scatter = KT_FN(kt_scatter),
    .gemm_scratch = KT_FN(kt_gemm_scratch),
    .gemm = KT_FN(kt_gemm),
};
