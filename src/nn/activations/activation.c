/* Finding and applying activations. See activation.h. */
#include "nn/activations/activation.h"

#include "nn/activations/layer_fn.h"

const kt_act_plain_args kt_act_plain_defaults = {sizeof(kt_act_plain_args)};
const kt_field kt_act_plain_fields[] = {KT_F_END};

kt_status kt_activation_get(kt_component **out, kt_ref ref) {
    if (!kt_is(ref, KT_KIND_LAYER))
        return kt_component_get(
            out, ref, KT_KIND_ACTIVATION, kt_activation_registry(), "activation");
    kt_component *c = kt_activation_of_layer(ref);
    *out = kt_failed(c) ? NULL : c;
    return kt_check(c);
}

kt_sym *kt_activation_apply(const kt_component *a, kt_sym *x) {
    if (!a || kt_failed(x)) return x;
    return ((const kt_activation_class *)a->cls)->apply(a, x);
}

kt_sym *kt_act_scale(kt_sym *x, double c) { return c == 1 ? x : kt_op_multiply(x, kt_num(c)); }

kt_sym *kt_act_shift(kt_sym *x, double c) { return kt_op_add(x, kt_num(c)); }

kt_sym *kt_act_cut6(kt_sym *x) { return kt_op_minimum(kt_num(6), kt_op_relu(x)); }
