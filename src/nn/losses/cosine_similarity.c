/* cosine_similarity: -sum(t p) along an axis, t and p scaled to length 1 (a zero vector stays
 * zero). Keras: CosineSimilarity (the metric of that name has the opposite sign). */
#include "nn/losses/loss.h"

typedef kt_loss_cosine_similarity_args cosine_args;

static kt_sym *cosine_call(const kt_component *c, kt_sym *t, kt_sym *p) {
    const int axis = ((const cosine_args *)kt_args_of(c))->axis;
    const kt_status st = kt_loss_operands(c, &t, &p);
    if (st) return kt_fail_object(st);
    kt_sym *both = kt_op_multiply(kt_l2_normalize(t, axis), kt_l2_normalize(p, axis));
    return kt_op_negative(kt_op_sum(both, axis, false));
}

static const kt_field cosine_fields[] = {KT_F(cosine_args, axis), KT_LOSS_FIELDS(cosine_args)};
static const cosine_args cosine_defaults = {
    .size = sizeof(cosine_args), KT_LOSS_COSINE_SIMILARITY_DEFAULTS};

const kt_loss_class kt_loss_class_cosine_similarity = {
    .base =
        {.kind = KT_KIND_LOSS,
         .name = "CosineSimilarity",
         .args_size = sizeof(cosine_args),
         .fields = cosine_fields,
         .defaults = &cosine_defaults,
         .init = kt_loss_init},
    .call = cosine_call};

kt_loss *kt_loss_cosine_similarity_new(const kt_loss_cosine_similarity_args *args) {
    return kt_component_new(&kt_loss_class_cosine_similarity.base, args);
}
