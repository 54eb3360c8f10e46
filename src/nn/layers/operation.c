/* Operations: a kt_op_*() call between kt_input() and kt_functional() becomes a node of the model,
 * played by a layer that holds the op and its attributes. Keras records its `Operation`s the same
 * way. */
#include "nn/layers/operation.h"
#include "base/mem.h"

#include <string.h>

typedef kt_operation_args operation_args;

static kt_status operation_call(kt_layer *l, kt_trace *t) {
    const operation_args *a = kt_layer_args(l);
    kt_sym *in[KT_OP_MAX_IN];
    int next = 0;
    for (int i = 0; i < a->n_operands; i++) {
        const kt_sym *s = a->fixed[i];
        in[i] = !s ? t->in[next++] : s->is_num ? kt_num(s->num) : kt_const(s->constant);
    }
    kt_sym *y = kt_op_apply(a->op, a->n_operands, in, a->attrs);
    t->out[0] = y;
    if (kt_failed(y) || !y->n_outs) return kt_check(y);
    t->n_out = y->n_outs;
    for (int i = 0; i < t->n_out; i++) t->out[i] = y->outs[i];
    return KT_OK;
}

static void operation_destroy(kt_layer *l) {
    const operation_args *a = kt_layer_args(l);
    for (int i = 0; i < a->n_operands; i++) kt_release(a->fixed[i]);
}

static const kt_field operation_fields[] = {KT_F_END};

static const kt_layer_class operation_base = {
    .name = "Operation",
    .args_size = sizeof(operation_args),
    .fields = operation_fields,
    .call = operation_call,
    .destroy = operation_destroy,
    .min_inputs = 1,
    .max_inputs = KT_OP_MAX_IN,
};

bool kt_layer_is_operation(const kt_layer *l) { return l->cls == &operation_base; }

kt_sym *kt_op_record(const kt_op_class *op, int n, kt_sym *const *in, const void *attrs) {
    operation_args args = {.size = sizeof args, .op = op, .n_operands = n, .trainable = true};
    const void *inputs[KT_OP_MAX_IN];
    int n_inputs = 0;
    if (n > KT_OP_MAX_IN || op->attrs_size > sizeof args.attrs)
        return kt_fail_object(KT_FAIL(KT_ELIMIT, "%s: too many operands", op->name));
    for (int i = 0; i < n; i++) {
        if (!kt_is(in[i], KT_KIND_SYM))
            return kt_fail_object(KT_FAIL(KT_EINVAL, "%s: expected a symbolic tensor", op->name));
        if (in[i]->node)
            inputs[n_inputs++] = in[i];
        else
            args.fixed[i] = in[i];
    }
    if (!n_inputs)
        return kt_fail_object(KT_FAIL(KT_EINVAL, "%s: no operand belongs to a model", op->name));
    if (op->attrs_size) memcpy(args.attrs, attrs, op->attrs_size);
    kt_layer *l = kt_layer_new(&operation_base, &args);
    if (kt_failed(l)) return kt_fail_object(kt_check(l));
    l->class_name = op->name;
    l->no_autocast = true;
    for (int i = 0; i < n; i++) kt_adopt(args.fixed[i]);
    return kt_call(l, kt_list_of(n_inputs, inputs));
}
