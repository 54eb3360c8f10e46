/* What parses must write itself as text that parses to the same text again. */
#include "fuzz.h"

#include "io/json.h"

#include <stdlib.h>
#include <string.h>

KT_FUZZ(data, size) {
    kt_json *v, *again;
    const kt_json_limits limits = {.bytes_max = 1 << 20, .values_max = 100000};
    if (kt_json_parse(&v, (const char *)data, size, &limits)) return;
    kt_str a = {0}, b = {0};
    kt_json_write(&a, v, KT_NONE);
    if (a.status || kt_json_parse(&again, a.s, a.n, NULL)) abort();
    kt_json_write(&b, again, KT_NONE);
    if (b.status || strcmp(a.s, b.s)) abort();
    kt_str_free(&a);
    kt_str_free(&b);
    kt_json_free(v);
    kt_json_free(again);
}
