/* What the class of a loss without arguments of its own looks like. Names of such losses only
 * differ in `name`, `aliases` and `call`. */
#ifndef KT_NN_LOSSES_PLAIN_H
#define KT_NN_LOSSES_PLAIN_H

#include "nn/losses/loss.h"

extern const kt_field kt_loss_plain_fields[];
extern const kt_loss_args kt_loss_plain_defaults;

#define KT_LOSS_PLAIN(name_)                                                                       \
    .kind = KT_KIND_LOSS, .name = (name_), .args_size = sizeof(kt_loss_args),                      \
    .fields = kt_loss_plain_fields, .defaults = &kt_loss_plain_defaults, .init = kt_loss_init

#endif
