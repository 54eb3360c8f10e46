/* Settings of the session that Keras keeps globally too. Public setters: keratin/runtime.h. */
#ifndef KT_RUNTIME_SETTINGS_H
#define KT_RUNTIME_SETTINGS_H

#include <keratin/runtime.h>

/** The session's seed: what kt_set_random_seed set, else drawn from the system once. */
uint64_t kt_seed(void);
/** Is it a policy of Keras' quantization ("int8_from_float32")? There is none here. */
bool kt_policy_is_quantized(const char *name);

/** A dtype policy: what layers compute in, and what their weights have. */
typedef struct kt_policy {
    kt_dtype compute, variable;
} kt_policy;
/** By its name; false: there is no such policy. */
bool kt_policy_of(const char *name, kt_policy *out);
const char *kt_policy_name(kt_policy p);

#endif
