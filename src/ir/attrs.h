/* Attribute structs of the primitives. Data only: passes and kernels read them too. */
#ifndef KT_IR_ATTRS_H
#define KT_IR_ATTRS_H

#include "tensor/tensor.h"

typedef struct
{ /* const: every element has this value; with `data` a whole array (borrowed by the arena) */
    double value;
    int dtype;
    kt_shape shape;
    const void *data;
} const_attrs;
typedef struct { /* input, var: which one, and what it looks like */
    int index;
    int dtype;
    kt_shape shape;
} leaf_attrs;
typedef struct { /* assign: slot and first element; view: elements offset … of a contiguous value */
    int slot;
    int64_t offset;
    kt_shape shape;
} view_attrs;
typedef struct { /* pack: first element of each input inside the flat result, and its length */
    const int64_t *offsets;
    int64_t size;
} pack_attrs;
typedef struct {
    int dtype;
} cast_attrs;
typedef struct { /* broadcast, reshape: the result's shape */
    kt_shape shape;
} shape_attrs;
typedef struct {
    int perm[KT_MAX_RANK];
} transpose_attrs;
typedef struct {
    int axis;
} axis_attrs;
typedef struct {
    int axis;
    int64_t k; ///< only so many of the sorted elements
    bool descending;
} argsort_attrs;
typedef struct {
    int axis;
    bool backwards;
} recurrence_attrs;
typedef struct { /* cholesky, lu: added to the diagonal first (random matrices are not definite) */
    double shift;
} cholesky_attrs;
typedef struct { /* solve_triangular: which triangle, its transpose, ones on its diagonal */
    bool lower, trans, unit;
} triangular_attrs;
typedef struct {
    bool complete;
} qr_attrs;
typedef enum {
    KT_BITS_AND,
    KT_BITS_OR,
    KT_BITS_XOR,
    KT_BITS_LEFT,
    KT_BITS_RIGHT,
    KT_BITS_GCD,
    KT_BITS_LCM
} bits_kind;
typedef struct {
    int kind; ///< bits_kind
} bits_attrs;
typedef enum { KT_RED_SUM, KT_RED_MAX, KT_RED_MIN, KT_RED_PROD } kt_reduce_kind;
typedef struct
{ /* reduce: bit i of axes set: axis i goes to length 1, or goes away without keepdims */
    int kind;
    int axes;
    bool keepdims;
} reduce_attrs;
typedef struct
{ /* matmul of the last two axes; leading axes must be equal. bias and epilogue: fusion */
    bool ta, tb;
    bool bias;    ///< input 2 is added to each row
    int epilogue; ///< 1 + index into the unary family; 0: none
} matmul_attrs;
typedef struct {
    int blank; ///< class that means nothing was said
} ctc_attrs;
typedef struct { /* sparse_matmul, sparse_to_dense: columns of the sparse matrix; is it turned? */
    int64_t width;
    bool ta;
} sparse_attrs;
typedef struct { /* slice: start (inclusive), length and step per axis; pad is its mirror */
    int64_t start[KT_MAX_RANK], length[KT_MAX_RANK], step[KT_MAX_RANK];
} slice_attrs;
typedef struct {
    int64_t before[KT_MAX_RANK], after[KT_MAX_RANK];
    double value;
} pad_attrs;
typedef struct {
    int64_t depth;
    int dtype;
} one_hot_attrs;
typedef struct { /* int8_matmul: how a row of x becomes integers */
    double low, high, epsilon;
} int8_matmul_attrs;
typedef enum {
    KT_SEARCH_LEFT,
    KT_SEARCH_RIGHT,
    KT_SEARCH_EXACT,
    KT_SEARCH_KNOWN,
    KT_SEARCH_NEVER
} search_kind;
typedef struct { /* search */
    int kind;
} search_attrs;
typedef enum { KT_TOKENS_WHOLE, KT_TOKENS_WORDS, KT_TOKENS_LETTERS } kt_tokens_split;
#define KT_NGRAMS_MAX 16
typedef struct { /* text_find: an error where nothing is found, as KT_SEARCH_… */
    int kind;
} text_find_attrs;
typedef struct {               /* text_tokens: how texts become tokens, and what stands for those */
    bool lower, strip;         ///< of ASCII letters; ASCII punctuation goes away
    int split;                 ///< kt_tokens_split
    int ngrams[KT_NGRAMS_MAX]; ///< how many tokens make one, in turn; ends at the first 0
    bool counts;   ///< how often each index occurs, float32, in place of the indices, int64
    int64_t width; ///< of the result's last axis
    int oov;       ///< index of what is not found
    bool known;    ///< false: there is no vocabulary yet, an error when it runs
} text_tokens_attrs;
typedef enum { KT_HASH_FARM, KT_HASH_SIP, KT_HASH_CROSS, KT_HASH_MODULO } kt_hash_kind;
typedef struct { /* hash_bins: which function, how many bins, key of KT_HASH_SIP */
    int kind;
    int64_t bins;
    int64_t key[2];
    bool masked; ///< `mask` goes to bin 0, anything else to 1 … bins
    int64_t mask;
} hash_attrs;
typedef struct { /* layer_norm and its gradient: the last `axes` axes are normalized together */
    int axes;
    double epsilon;
} layer_norm_attrs;
typedef struct { /* attention and its gradient */
    double scale;
    bool causal; ///< no query sees a later key
} attention_attrs;
#define ATTENTION_MASKED (-0x1.6666p+127f) /* the score of what is left out: 0.7 of the lowest */
typedef struct { /* dropout, random: rate, key of the stream; input 1 is the int64 call counter */
    double rate;
    int64_t key;
    kt_shape shape;
} random_attrs;
typedef struct { /* conv2d: pictures NHWC, kernel HWIO; and its gradients. bias, epilogue: fusion */
    kt_shape shape; ///< conv2d_grad_…: of the gradient
    int stride[2], dilation[2], before[2], after[2];
    int groups;   ///< each sees its share of the input's channels only
    bool bias;    ///< input 2 is added to each row
    int epilogue; ///< 1 + index into the unary family; 0: none
} conv_attrs;
typedef struct {    /* max_pool2d, avg_pool2d and their gradients: pictures NHWC */
    kt_shape shape; ///< avg_pool2d_grad: of the gradient
    int window[2], stride[2], before[2], after[2];
} pool_attrs;
typedef struct {      /* simple_rnn, gru, lstm and their gradients */
    bool backwards;   ///< from the last time step to the first
    bool zero_masked; ///< the output of a masked step is 0, not the output before it
    bool sequences;   ///< y holds every step in the order of the loop, not the last one only
    bool no_dx;       ///< gradients: that of x is not wanted, output 0 is empty
    bool forget;      ///< no gradient follows: nothing is kept for it
} rnn_attrs;
typedef enum { RNN_SIMPLE, RNN_GRU, RNN_LSTM } rnn_kind;
typedef struct { /* conv2d_pool and its gradients: windows side by side over what conv2d gives */
    conv_attrs conv; ///< bias: input 2; no epilogue
    int window[2];
    bool relu; ///< between the two
} conv_pool_attrs;
/** The largest cell of a window as a byte: its tap, or this number where relu stopped it. */
#define KT_POOL_DEAD 255

/** One step of a fused region. Registers 0 … n_in-1 are the inputs as float; step i makes register
 * n_in + i from earlier ones. Booleans are 0 and 1. */
typedef enum {
    KT_MICRO_UNARY,   ///< f(a)
    KT_MICRO_BINARY,  ///< f(a, b)
    KT_MICRO_COMPARE, ///< f(a, b)
    KT_MICRO_SELECT,  ///< a ? b : c
    KT_MICRO_CONST    ///< value
} kt_micro_kind;
typedef struct {
    short kind, fn; ///< fn: row of unary.def, binary.def or compare.def
    short a, b, c;
    float value;
} kt_micro;
/** How a region reads an input: its element i is element (i / div % mod) of the input; with a
 * block, of part (i / block) of the input, each part being mod elements long. */
typedef struct {
    int64_t div, mod;
    int64_t block; ///< a multiple of div mod; 0: none
} kt_micro_input;
typedef struct {
    int64_t size; ///< elements of the region, and of each output
    int n_in, n_steps, n_out;
    const kt_micro *steps;
    const kt_micro_input *inputs; ///< one per input
    const short *outs;            ///< register of each output
    const kt_spec *specs;         ///< what each output looks like: float32 or bool
} fused_attrs;
#define KT_FUSED_MAX_IN 32
#define KT_FUSED_MAX_REGS 128 /* inputs and steps */

#endif
