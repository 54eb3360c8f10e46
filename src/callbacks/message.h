/* What callbacks tell the user, where progress bars go. */
#ifndef KT_CALLBACKS_MESSAGE_H
#define KT_CALLBACKS_MESSAGE_H

#include "base/error.h"

/** A printf'd text through base/log.h, at most 511 bytes. */
void kt_message(const char *fmt, ...) KT_PRINTF(1, 2);
/** "Epoch 3: NAME VERB learning rate to 0.05.", epoch from 0. */
void kt_message_rate(const char *name, const char *verb, int64_t epoch, double rate);

#endif
