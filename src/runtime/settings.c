/* Seed, dtype policy, threads. */
#include "runtime/settings.h"

#include "backend/cpu/kernels/kernels.h"
#include "base/error.h"
#include "base/pool.h"

#include <string.h>
#include <sys/random.h>
#include <time.h>

static struct {
    bool seeded;
    uint64_t seed;
    const char *policy;
} global = {false, 0, "float32"};

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

kt_status kt_set_dtype_policy(const char *name) {
    static const char *const known[] = {"float32", "float64"};
    for (int i = 0; name && i < 2; i++) {
        if (strcmp(known[i], name) != 0) continue;
        global.policy = known[i];
        return KT_OK;
    }
    if (name && kt_policy_is_quantized(name))
        return KT_FAIL(
            KT_EUNSUPPORTED, "dtype policy \"%.40s\": quantization is not supported", name);
    if (name && (kt_dtype_of(name) != KT_NO_DTYPE || !strncmp(name, "mixed_", 6)))
        return KT_FAIL(KT_EUNSUPPORTED, "dtype policy \"%.40s\" is not there yet", name);
    return KT_FAIL(KT_EINVAL, "dtype policy: unknown name \"%.40s\"", name ? name : "None");
}

const char *kt_dtype_policy(void) { return global.policy; }

void kt_set_num_threads(int n) { kt_pool_set_threads(n); }

int kt_num_threads(void) { return kt_pool_threads(); }

const char *kt_isa(void) { return kt_kernels_get()->name; }
