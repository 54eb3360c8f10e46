/* Finding and applying constraints; NonNeg: max(w, 0).  keras.constraints.get, NonNeg */
#include "nn/constraints/constraint.h"

kt_status kt_constraint_get(kt_component **out, kt_ref ref) {
    return kt_component_get(out, ref, KT_KIND_CONSTRAINT, kt_constraint_registry(), "constraint");
}

kt_sym *kt_constraint_project(const kt_component *c, kt_sym *w) {
    return ((const kt_constraint_class *)c->cls)->project(c, w);
}

typedef struct {
    size_t size;
} no_args;

static kt_sym *non_neg_project(const kt_component *c, kt_sym *w) {
    (void)c;
    return kt_op_maximum(w, kt_num(0));
}

static const kt_field no_fields[] = {KT_F_END};
static const no_args no_defaults = {sizeof(no_args)};

const kt_constraint_class kt_constraint_class_non_neg = {
    .base =
        {.kind = KT_KIND_CONSTRAINT,
         .name = "NonNeg",
         .args_size = sizeof(no_args),
         .fields = no_fields,
         .defaults = &no_defaults},
    .project = non_neg_project};

kt_constraint *kt_con_non_neg(void) {
    return kt_component_new(&kt_constraint_class_non_neg.base, &no_defaults);
}
