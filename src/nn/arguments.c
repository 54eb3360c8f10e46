/* See arguments.h. */
#include "nn/arguments.h"

kt_status kt_arg_numbers(kt_component *c) {
    for (const kt_field *f = c->cls->fields; f->type; f++) {
        if (f->type != KT_FIELD_DOUBLE) continue;
        const double v = *(const double *)((const char *)kt_args_of(c) + f->offset);
        if (v != v) return KT_FAIL(KT_EINVAL, "%s: expected a number, got nan", f->name);
    }
    return KT_OK;
}
