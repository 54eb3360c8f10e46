/* The callbacks that are known by name. */
#include "model/callback.h"

#define KT_CALLBACK(name) extern const kt_callback_class kt_callback_class_##name;
#include "callbacks/callbacks.def"
#undef KT_CALLBACK

const kt_class *const kt_callback_registry[] = {
#define KT_CALLBACK(name) &kt_callback_class_##name.base,
#include "callbacks/callbacks.def"
#undef KT_CALLBACK
    NULL,
};
