/* The form of a recurrent op (ops/rnn.c), for reference and fast kernels alike. */
#ifndef KT_IR_RNN_H
#define KT_IR_RNN_H

#include "ir/attrs.h"
#include "ir/kernel.h"
#include "ir/opdef.h"

typedef struct rnn_dims {
    rnn_kind kind;
    int64_t b, t, f, u, gu; ///< batch, time, features, units, gates x units
    bool mask;              ///< the last operand is one
} rnn_dims;

static inline rnn_kind rnn_kind_of(const char *op) {
    return op[0] == 's' ? RNN_SIMPLE : op[0] == 'g' ? RNN_GRU : RNN_LSTM;
}

static inline int rnn_gates(const char *op) {
    const rnn_kind k = rnn_kind_of(op);
    return k == RNN_SIMPLE ? 1 : k == RNN_GRU ? 3 : 4;
}

/** The states before every so many steps of the loop are kept. The way back makes those between
 * again from the gates, which costs less than writing and reading them. */
#define RNN_SEGMENT 8
static inline int64_t rnn_segments(int64_t t) { return (t + RNN_SEGMENT - 1) / RNN_SEGMENT; }

/** The output that holds the gates; the states h and what else there is come after it. */
static inline int rnn_gates_out(rnn_kind kind) { return kind == RNN_LSTM ? 3 : 2; }

/** Of an op or of its gradient: both begin with x, kernel, r. */
static inline rnn_dims rnn_dims_of(const kt_node *n) {
    const kt_shape *x = &n->in[0]->spec.shape, *r = &n->in[2]->spec.shape;
    return (rnn_dims){
        .kind = rnn_kind_of(n->op->name),
        .b = x->dim[0],
        .t = x->dim[1],
        .f = x->dim[2],
        .u = r->dim[0],
        .gu = r->dim[1],
        .mask = n->n_in > n->op->n_in,
    };
}

static inline const uint8_t *rnn_mask(const kt_kargs *k) {
    return k->node->n_in > k->node->op->n_in ? k->in[k->node->n_in - 1] : NULL;
}

/** The first step of the loop that is not masked in row b; t if there is none. */
static inline int64_t rnn_first(
    const rnn_dims *d, const rnn_attrs *a, const uint8_t *mask, int64_t b) {
    int64_t s = 0;
    while (mask && s < d->t && !mask[b * d->t + (a->backwards ? d->t - 1 - s : s)]) s++;
    return s;
}

#endif
