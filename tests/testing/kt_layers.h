/* Helpers for tests of layers: the contract that every layer keeps, values and gradients of real
 * Keras, gradients against central differences.
 *
 *     kt_check_layer(kt_dense(4), .input = {2, 3}, .output = {2, 4}, .n_trainable = 2);
 *     kt_check_gradients(kt_dense(4, .activation = "tanh"), .input = {2, 3});
 *     kt_check_golden("layers_slice", "dense_3x4", kt_dense(5));
 *
 * Shapes are those of the data, the batch axis included; KT_NONE stands for an axis that kt_input()
 * leaves open (the data then have 5 there). */
#ifndef KT_TESTING_KT_LAYERS_H
#define KT_TESTING_KT_LAYERS_H

#include "nn/layer.h"
#include "runtime/program.h"
#include "testing/kt_test.h"

#include <keratin/keratin.h>

/** What is checked; every layer is adopted, so it is gone afterwards. */
typedef struct kt_layer_check {
    size_t size;
    kt_layer *layer;
    int64_t input[KT_MAX_RANK], input1[KT_MAX_RANK], input2[KT_MAX_RANK];
    int64_t output[KT_MAX_RANK];
    int n_trainable, n_other; ///< weights
    int64_t n_params;         ///< 0: not checked
    const char *dtype;        ///< of the inputs; default: the layer's
    int training;             ///< default false
    bool empty_batch; ///< gradients: 0 rows in place of open axes; gradients of weights are 0
    double tolerance; ///< gradients: relative to the largest one; default 1e-7
} kt_layer_check;

/** Output shape through kt_call on kt_input (with an open batch and without), number of weights, a
 * second call that makes no new ones, predict on data, weights out and in again. */
#define kt_check_layer(...) KT_CALL(kt_check_layer_with, kt_layer_check, , __VA_ARGS__)
void kt_check_layer_with(const kt_layer_check *c);

/** Gradients of sum(y * random) by every float input and trainable weight against central
 * differences, in float64. */
#define KT_GRADIENT_DEFAULTS .tolerance = 1e-7,
#define kt_check_gradients(...)                                                                    \
    do {                                                                                           \
        kt_set_dtype_policy("float64");                                                            \
        KT_CALL(kt_check_gradients_with, kt_layer_check, KT_GRADIENT_DEFAULTS, __VA_ARGS__);       \
        kt_set_dtype_policy("float32");                                                            \
    } while (0)
void kt_check_gradients_with(const kt_layer_check *c);

/** CASE of tests/golden/FILE.npz: inputs x0 …, weights w0 …, output y; where they are there also
 * mask (or mask0 … for each input), attention_mask, the mask of the output y_mask, a second output
 * y1, and gradients dx0 …, dw0 … of sum(y * c). w_all and dw_all are all weights one by
 * one; without c, element i of it is (7 i mod 11 - 4.5) / 4. */
typedef struct kt_golden_check {
    size_t size;
    const char *file, *name;
    kt_layer *layer;
    int training; ///< default false
    bool use_causal_mask, return_attention_scores;
    bool masks;  ///< without y_mask in the file the output must have no mask
    double rtol; ///< default 1e-5, also of the largest element of an array
} kt_golden_check;
#define KT_GOLDEN_DEFAULTS .rtol = 1e-5,
#define kt_check_golden(...)                                                                       \
    KT_CALL(kt_check_golden_with, kt_golden_check, KT_GOLDEN_DEFAULTS, __VA_ARGS__)
void kt_check_golden_with(const kt_golden_check *c);
/** Largest error of kt_check_golden so far, in units of its tolerance. */
double kt_golden_worst(void);

/** One call of a layer as a program of its own, outside of any model. */
#define KT_RIG_MAX 64
typedef struct kt_layer_rig {
    kt_layer *layer; ///< adopted
    int n_in, n_vars;
    kt_spec in[KT_RIG_MAX], out;
    kt_var *var[KT_RIG_MAX]; ///< all weights, as get_weights orders them
    bool has_mask;           ///< of input 0
    kt_spec mask;
    unsigned masks; ///< bit i: input i has a mask of the form masks_in[i]; not with has_mask
    kt_spec masks_in[3];
    bool has_attention_mask;
    kt_spec attention_mask;
    bool training, use_causal_mask, return_attention_scores;
    int out_mask, out1; ///< which output holds the mask of y and output 1 of the call, 0: none
    kt_spec out1_spec;
    int in_grad[KT_RIG_MAX], var_grad[KT_RIG_MAX]; ///< which output holds the gradient, -1: none
    kt_program *program;
    kt_cpu_run *run;
} kt_layer_rig;
/** Set layer, n_in, in (and masks, training, …) first. Program inputs: in, mask, masks,
 * attention_mask, then c in the form of the output. Outputs: y, sum(y * c), the gradients, then
 * what out_mask and out1 say. */
kt_status kt_rig_start(kt_layer_rig *r);
void kt_rig_stop(kt_layer_rig *r);
void *kt_rig_c(const kt_layer_rig *r);
/** Program input of the mask of input i (of `masks`), and of the attention mask (i = 3). */
void *kt_rig_mask(const kt_layer_rig *r, int i);

/** n rows of noise in [low, high) in a new floating tensor. */
kt_tensor *kt_test_tensor(kt_dtype dtype, kt_shape shape, double low, double high, uint64_t *seed);

#endif
