/* The elementwise families as lists. See families.h. */
#include "ops/families.h"

#define KT_UNARY(name, value, grad) extern const kt_opdef kt_opdef_##name;
#define KT_BINARY(name, value, da, db) extern const kt_opdef kt_opdef_##name;
#define KT_COMPARE(name, value) extern const kt_opdef kt_opdef_##name;
#include "ir/binary.def"
#include "ir/compare.def"
#include "ir/unary.def"
#undef KT_UNARY
#undef KT_BINARY
#undef KT_COMPARE

#define KT_UNARY(name, value, grad) &kt_opdef_##name,
#define KT_BINARY(name, value, da, db) &kt_opdef_##name,
#define KT_COMPARE(name, value) &kt_opdef_##name,
const kt_opdef *const kt_unary_ops[] = {
#include "ir/unary.def"
    NULL};
const kt_opdef *const kt_binary_ops[] = {
#include "ir/binary.def"
    NULL};
const kt_opdef *const kt_compare_ops[] = {
#include "ir/compare.def"
    NULL};

int kt_family_row(const kt_opdef *const *family, const kt_opdef *op) {
    for (int i = 0; family[i]; i++)
        if (family[i] == op) return i;
    return -1;
}
