/* Finding and applying regularizers. See regularizer.h. */
#include "nn/regularizers/regularizer.h"

#include <math.h>

kt_status kt_regularizer_get(kt_component **out, kt_ref ref) {
    return kt_component_get(
        out, ref, KT_KIND_REGULARIZER, kt_regularizer_registry(), "regularizer");
}

kt_sym *kt_regularizer_penalty(const kt_component *c, kt_sym *w) {
    return ((const kt_regularizer_class *)c->cls)->penalty(c, w);
}

kt_status kt_reg_init(kt_component *c) {
    for (const kt_field *f = c->cls->fields; f->type; f++) {
        if (f->type != KT_FIELD_DOUBLE) continue;
        const double v = *(const double *)((const char *)kt_args_of(c) + f->offset);
        if (!(v >= 0) || isinf(v))
            return KT_FAIL(KT_EINVAL, "%s: expected a finite number >= 0, got %g", f->name, v);
    }
    return KT_OK;
}
