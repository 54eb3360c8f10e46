/* Text as an object: what get_config(), to_json() and their like return. */
#ifndef KT_SAVING_TEXT_H
#define KT_SAVING_TEXT_H

#include "base/str.h"

#include <keratin/saving.h>

/** A new floating text that takes over the string (which is empty afterwards), or a failed object.
 */
kt_text *kt_text_take(kt_str *s);

#endif
