/* The list of constraints: names in layers, documentation, files. */
#include "nn/constraints/constraint.h"

#define KT_CONSTRAINT(name) &kt_constraint_class_##name.base,
static const kt_class *const constraints[] = {
#include "nn/constraints/constraints.def"
    NULL};

const kt_class *const *kt_constraint_registry(void) { return constraints; }
