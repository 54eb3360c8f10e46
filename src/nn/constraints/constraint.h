/* Constraints: what layers and optimizers need of them, and what the files of this folder share. */
#ifndef KT_NN_CONSTRAINT_H
#define KT_NN_CONSTRAINT_H

#include "nn/kinds.h"

#include <keratin/constraints.h>

/** A name or an object; NULL gives NULL. */
kt_status kt_constraint_get(kt_component **out, kt_ref ref);
/** The weight as the constraint wants it, inside a trace. */
kt_sym *kt_constraint_project(const kt_component *c, kt_sym *w);

#define KT_CONSTRAINT(name) extern const kt_constraint_class kt_constraint_class_##name;
#include "nn/constraints/constraints.def"
#undef KT_CONSTRAINT

#endif
