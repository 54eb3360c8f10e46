/* "crossentropy", "ce": binary, sparse categorical or categorical cross-entropy, whichever the
 * shapes of labels and output say. Keras: the convenience names of compile(loss=…). */
#include "nn/losses/plain.h"

typedef struct {
    kt_component *binary, *sparse, *categorical; ///< adopted
} choice;

static kt_status choice_init(kt_component *c) {
    choice *s = kt_state_of(c);
    s->binary = kt_adopt(kt_loss_binary_crossentropy());
    s->sparse = kt_adopt(kt_loss_sparse_categorical_crossentropy());
    s->categorical = kt_adopt(kt_loss_categorical_crossentropy());
    const bool made = !kt_failed(s->binary) && !kt_failed(s->sparse) && !kt_failed(s->categorical);
    return made ? kt_loss_init(c) : KT_ENOMEM;
}

static void choice_destroy(kt_component *c) {
    const choice *s = kt_state_of(c);
    kt_release(s->binary);
    kt_release(s->sparse);
    kt_release(s->categorical);
}

void kt_label_form(const kt_shape *y_true, const kt_shape *y_pred, bool *binary, bool *sparse) {
    const int64_t last_true = kt_shape_dim(y_true, -1), last_pred = kt_shape_dim(y_pred, -1);
    *binary = last_pred == 1;
    *sparse = y_true->ndim < y_pred->ndim || (last_true == 1 && last_pred > 1);
}

static kt_sym *choice_call(const kt_component *c, kt_sym *t, kt_sym *p) {
    const choice *s = kt_state_of(c);
    const kt_shape st = kt_sym_shape(t), sp = kt_sym_shape(p);
    bool binary, sparse;
    kt_label_form(&st, &sp, &binary, &sparse);
    return kt_loss_per_sample(binary ? s->binary : sparse ? s->sparse : s->categorical, t, p);
}

static const kt_loss_class choice_class = {
    .base =
        {.kind = KT_KIND_LOSS,
         .name = "Crossentropy",
         .args_size = sizeof(kt_loss_args),
         .state_size = sizeof(choice),
         .fields = kt_loss_plain_fields,
         .defaults = &kt_loss_plain_defaults,
         .init = choice_init,
         .destroy = choice_destroy},
    .call = choice_call};

kt_component *kt_loss_crossentropy_new(void) {
    return kt_component_new(&choice_class.base, &kt_loss_plain_defaults);
}
