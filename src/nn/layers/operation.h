/* What a recorded operation is made of, for files. See operation.c. */
#ifndef KT_NN_OPERATION_H
#define KT_NN_OPERATION_H

#include "nn/layer.h"

typedef struct kt_operation_args {
    size_t size;
    const kt_op_class *op;
    unsigned char attrs[192];
    int n_operands;
    /* an operand that is a number or a constant stands here, the others (NULL) are inputs in order;
     * adopted by the layer, as the user may go on using it */
    const kt_sym *fixed[KT_OP_MAX_IN];
    KT_LAYER_ARGS
} kt_operation_args;

bool kt_layer_is_operation(const kt_layer *l);
static inline const kt_operation_args *kt_operation_of(const kt_layer *l) { return l->args; }

#endif
