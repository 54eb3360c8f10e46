/* kl_divergence: sum over the last axis of t log(t / p), both clipped to 1e-7 … 1. Keras:
 * KLDivergence. */
#include "nn/losses/plain.h"

static kt_sym *kld_call(const kt_component *c, kt_sym *t, kt_sym *p) {
    const kt_status st = kt_loss_operands(c, &t, &p);
    if (st) return kt_fail_object(st);
    t = kt_op_clip(t, KT_LOSS_EPSILON, 1);
    p = kt_op_clip(p, KT_LOSS_EPSILON, 1);
    return kt_op_sum(kt_op_multiply(t, kt_op_log(kt_op_divide(t, p))), -1, false);
}

const kt_loss_class kt_loss_class_kl_divergence = {
    .base = {KT_LOSS_PLAIN("KLDivergence"), .aliases = {"kld", "KLD"}}, .call = kld_call};

kt_loss *kt_loss_kl_divergence_new(const kt_loss_args *args) {
    return kt_component_new(&kt_loss_class_kl_divergence.base, args);
}
