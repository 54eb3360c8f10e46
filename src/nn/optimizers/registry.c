/* The optimizers that a name can mean: optimizers.def. */
#include "nn/kinds.h"

#define KT_OPTIMIZER(name) extern const kt_optimizer_class kt_opt_##name##_class;
#include "nn/optimizers/optimizers.def"
#undef KT_OPTIMIZER

const kt_class *const *kt_optimizer_registry(void) {
#define KT_OPTIMIZER(name) &kt_opt_##name##_class.base,
    static const kt_class *const all[] = {
#include "nn/optimizers/optimizers.def"
        NULL};
#undef KT_OPTIMIZER
    return all;
}
