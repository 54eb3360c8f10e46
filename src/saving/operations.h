/* What reading and writing of operations share: operations.c, operations_write.c. */
#ifndef KT_SAVING_OPERATIONS_H
#define KT_SAVING_OPERATIONS_H

#include "nn/layers/operation.h"

#include "base/error.h"
#include "base/mem.h"
#include "saving/configs.h"
#include "tensor/tensor.h"

/* The arguments of call() by a form's list of names (tracer.h), one after the other. */
typedef struct {
    const char *rest; ///< starts as form->call
    char name[24];
    bool optional, keyword;
    const kt_field *field; ///< an attribute; NULL: a tensor
} kt_call_argument;

bool kt_next_argument(kt_call_argument *a, const kt_field *fields);
bool kt_is_call_argument(const kt_op_form *form, const char *name);
/** Lists of lists are kept as their JSON. */
bool kt_is_json_text(const kt_field *f);

/** What Keras' constructors have beside ours, at its default. */
typedef struct {
    const char *class_name, *key, *value;
} kt_op_constant;
extern const kt_op_constant kt_op_constants[]; ///< ended by NULL

#endif
