/* Recurrent layers against real Keras: outputs, states, gradients, masks, stateful calls.
 *
 * A case is one flat member of tests/golden/FILE.npz, as tools/golden/sequences.py writes it:
 * weights; for each output y and a random c of its shape; gradients of the sum of all outputs times
 * their c: of x, of the initial states, of the weights; of a stateful layer y of a second call. */
#ifndef KT_TESTING_KT_RECURRENT_H
#define KT_TESTING_KT_RECURRENT_H

#include "testing/kt_layers.h"

#define KT_RECURRENT_MAX 16

/** One call of a layer as a program: all outputs, then gradients of the sum of outputs times c by
 * x, states and trainable weights. Program inputs: x, mask, states, then one c per output. */
typedef struct kt_recurrent_call {
    kt_layer *layer; ///< adopted
    bool training;
    kt_spec x, mask, state[KT_RECURRENT_MAX];
    int n_state, n_out, n_var, n_wrt;
    bool has_mask;
    kt_spec out[KT_RECURRENT_MAX];
    kt_var *var[KT_RECURRENT_MAX];
    kt_program *program;
    kt_cpu_run *run;
} kt_recurrent_call;
void kt_recurrent_start(kt_recurrent_call *c);
void kt_recurrent_stop(kt_recurrent_call *c);

/** Case `name` of a file; its input is the member x/X, its mask mask/MASK (NULL: none), its first
 * states STATE/0 …. */
void kt_check_recurrent(
    const char *file,
    const char *name,
    kt_layer *l,
    const char *x,
    const char *mask,
    const char *state,
    int n_state);

#endif
