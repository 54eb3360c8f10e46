/* Seed, dtype policy and floatx, threads. */
#include "runtime/settings.h"

#include "backend/cpu/kernels/kernels.h"
#include "base/error.h"
#include "base/pool.h"
#include "tensor/tensor.h"

#include <string.h>
#include <sys/random.h>
#include <time.h>

static struct {
    bool seeded;
    uint64_t seed;
    const char *policy; /* NULL: nobody set one, floatx is it */
    const char *floatx; /* NULL: float32 */
} global = {false, 0, NULL, NULL};

void kt_set_random_seed(uint64_t seed) {
    global.seed = seed;
    global.seeded = true;
}

uint64_t kt_seed(void) {
    if (!global.seeded) {
        if (getrandom(&global.seed, sizeof global.seed, 0) != (ssize_t)sizeof global.seed)
            global.seed = (uint64_t)time(NULL);
        global.seeded = true;
    }
    return global.seed;
}

bool kt_policy_is_quantized(const char *name) {
    static const char *const start[] = {"int8_from_", "int4", "float8_from_", "gptq", "awq"};
    for (size_t i = 0; i < sizeof start / sizeof *start; i++)
        if (!strncmp(start[i], name, strlen(start[i])) && strstr(name, "_from_")) return true;
    return false;
}

/* Compute and variable dtype. A policy that is no mixed one has the name of its dtype. */
static const struct {
    const char *name;
    kt_policy policy;
} policies[] = {
    {"float32", {KT_FLOAT32, KT_FLOAT32}},
    {"float64", {KT_FLOAT64, KT_FLOAT64}},
    {"float16", {KT_FLOAT16, KT_FLOAT16}},
    {"bfloat16", {KT_BFLOAT16, KT_BFLOAT16}},
    {"mixed_float16", {KT_FLOAT16, KT_FLOAT32}},
    {"mixed_bfloat16", {KT_BFLOAT16, KT_FLOAT32}}};
#define N_POLICIES ((int)(sizeof policies / sizeof *policies))

static int find_policy(const char *name) {
    for (int i = 0; name && i < N_POLICIES; i++)
        if (!strcmp(policies[i].name, name)) return i;
    return -1;
}

bool kt_policy_of(const char *name, kt_policy *out) {
    const int i = find_policy(name);
    if (i >= 0) *out = policies[i].policy;
    return i >= 0;
}

const char *kt_policy_name(kt_policy p) {
    for (int i = 0; i < N_POLICIES; i++)
        if (policies[i].policy.compute == p.compute && policies[i].policy.variable == p.variable)
            return policies[i].name;
    return kt_dtype_name(p.compute);
}

kt_status kt_set_dtype_policy(const char *name) {
    const int i = find_policy(name);
    if (i >= 0) {
        global.policy = policies[i].name;
        return KT_OK;
    }
    if (name && kt_policy_is_quantized(name))
        return KT_FAIL(
            KT_EUNSUPPORTED, "dtype policy \"%.40s\": quantization is not supported", name);
    if (name && kt_dtype_of(name) != KT_NO_DTYPE)
        return KT_FAIL(KT_EUNSUPPORTED, "dtype policy \"%.40s\" is no floating type", name);
    return KT_FAIL(KT_EINVAL, "dtype policy: unknown name \"%.40s\"", name ? name : "None");
}

const char *kt_dtype_policy(void) { return global.policy ? global.policy : kt_floatx(); }

kt_status kt_set_floatx(const char *name) {
    const kt_dtype d = name ? kt_dtype_of(name) : KT_NO_DTYPE;
    if (!kt_dtype_is_float(d)) {
        KT_FAIL(KT_EINVAL, "floatx: unknown value \"%.40s\"", name ? name : "None");
        return kt_error_expected("\"float16\", \"bfloat16\", \"float32\" or \"float64\"");
    }
    global.floatx = d == KT_FLOAT32 ? NULL : kt_dtype_name(d);
    return KT_OK;
}

/* A policy of float64 widens what would be float32 otherwise. */
const char *kt_floatx(void) {
    if (global.floatx) return global.floatx;
    const bool wide = global.policy && !strcmp(global.policy, "float64");
    return kt_dtype_name(wide ? KT_FLOAT64 : KT_FLOAT32);
}

void kt_set_num_threads(int n) { kt_pool_set_threads(n); }

int kt_num_threads(void) { return kt_pool_threads(); }

const char *kt_isa(void) { return kt_kernels_get()->name; }
