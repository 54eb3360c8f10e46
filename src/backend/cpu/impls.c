/* Choosing how an op runs. */
#include "backend/cpu/impls.h"

#include "backend/cpu/kernels/kernels.h"
#include "ir/opdef.h"

#include <string.h>

#define KT_IMPL(op, name) extern const kt_impl impl_##op##_##name;
#include "backend/cpu/impls.def"
#undef KT_IMPL

#define KT_IMPL(op, name) &impl_##op##_##name,
static const kt_impl *const impls[] = {
#include "backend/cpu/impls.def"
    NULL};
#undef KT_IMPL

static bool reference_only;

const kt_impl *const *kt_cpu_impls(void) { return impls; }

void kt_cpu_set_reference_only(bool on) { reference_only = on; }

static kt_kernel *ref_kernel(const kt_node *n) {
    const kt_dtype d = n->n_in ? n->in[0]->spec.dtype : n->out[0]->spec.dtype;
    return n->op->ref[d == KT_FLOAT32 ? 0 : d == KT_FLOAT64 ? 1 : 2];
}

const kt_impl *kt_cpu_impl(const kt_node *n, kt_kernel **ref) {
    for (int i = 0; !reference_only && impls[i]; i++)
        if (!strcmp(impls[i]->op, n->op->name) && (!impls[i]->supports || impls[i]->supports(n)))
            return impls[i];
    /* families share one implementation each */
    const kt_impl *family = reference_only ? NULL : kt_cpu_elementwise_impl(n);
    *ref = ref_kernel(n);
    return family;
}
