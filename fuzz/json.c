/* Fuzz target: what parses must write itself as text that parses to the same text again. */
#include "fuzz.h"

#include "io/json.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    kt_json *v, *again;
    const kt_json_limits limits = {.bytes_max = 1 << 20, .values_max = 100000};
    if (kt_json_parse(&v, (const char *)data, size, &limits)) return 0;
    kt_str a = {0}, b = {0};
    kt_json_write(&a, v, KT_NONE);
    FUZZ_CHECK(!a.status && kt_json_parse(&again, a.s, a.n, NULL) == KT_OK);
    kt_json_write(&b, again, KT_NONE);
    FUZZ_CHECK(!b.status && !strcmp(a.s, b.s));
    kt_str_free(&a);
    kt_str_free(&b);
    kt_json_free(v);
    kt_json_free(again);
    return 0;
}
