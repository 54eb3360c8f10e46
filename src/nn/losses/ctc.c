/* ctc: connectionist temporal classification. Not there yet: its recursion over time wants a
 * primitive of its own, and until then the name says so instead of being unknown. Keras: CTC. */
#include "nn/losses/plain.h"

static kt_status ctc_init(kt_component *c) {
    (void)c;
    return KT_FAIL(KT_EUNSUPPORTED, "the loss CTC is not supported yet");
}

static kt_sym *ctc_call(const kt_component *c, kt_sym *t, kt_sym *p) {
    (void)c, (void)t, (void)p;
    return kt_fail_object(KT_EUNSUPPORTED);
}

const kt_loss_class kt_loss_class_ctc = {
    .base =
        {.kind = KT_KIND_LOSS,
         .name = "CTC",
         .args_size = sizeof(kt_loss_args),
         .fields = kt_loss_plain_fields,
         .defaults = &kt_loss_plain_defaults,
         .init = ctc_init},
    .call = ctc_call};

kt_loss *kt_loss_ctc_new(const kt_loss_args *args) {
    return kt_component_new(&kt_loss_class_ctc.base, args);
}
