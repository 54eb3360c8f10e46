/* The list of losses: names in compile(), documentation, files. */
#include "nn/losses/loss.h"

#define KT_LOSS(name) extern const kt_loss_class kt_loss_class_##name;
#include "nn/losses/losses.def"
#undef KT_LOSS

#define KT_LOSS(name) &kt_loss_class_##name.base,
static const kt_class *const losses[] = {
#include "nn/losses/losses.def"
    NULL};

const kt_class *const *kt_loss_registry(void) { return losses; }
