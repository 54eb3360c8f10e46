/* The list of ops: what tests, printer and parser walk. */
#include "ir/opdef.h"

#include <string.h>

#define KT_OP(name) extern const kt_opdef kt_opdef_##name;
#define KT_UNARY(name, value, grad) KT_OP(name)
#define KT_BINARY(name, value, da, db) KT_OP(name)
#define KT_COMPARE(name, value) KT_OP(name)
#include "ir/binary.def"
#include "ir/compare.def"
#include "ir/unary.def"
#include "ops/ops.def"
#undef KT_OP

#define KT_OP(name) &kt_opdef_##name,
static const kt_opdef *const ops[] = {
#include "ir/binary.def"
#include "ir/compare.def"
#include "ir/unary.def"
#include "ops/ops.def"
    NULL};

const kt_opdef *const *kt_opdef_all(void) { return ops; }

const kt_opdef *kt_op_find(const char *name) {
    for (int i = 0; ops[i]; i++)
        if (!strcmp(ops[i]->name, name)) return ops[i];
    return NULL;
}
