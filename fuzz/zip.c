/* Fuzz target: zip archives. What opens gives every member, or an error, and never more bytes than
 * it declares. */
#include "fuzz.h"

#include "base/mem.h"
#include "io/zip.h"

#include <string.h>

static void read_member(kt_zip *z, int i) {
    kt_zip_bytes bytes;
    uint64_t offset;
    const kt_zip_entry *e = kt_zip_entry_at(z, i);
    FUZZ_CHECK(kt_zip_name_check(e->name, strlen(e->name)) == KT_OK);
    FUZZ_CHECK(kt_zip_find(z, e->name) == i);
    if (e->size > 1 << 20) return;
    unsigned char *data = kt_alloc((size_t)e->size);
    FUZZ_CHECK(data);
    const kt_status st = kt_zip_read(z, i, data);
    if (!st && e->method == 0 && kt_zip_member_bytes(z, i, &bytes, &offset) == KT_OK) {
        FUZZ_CHECK(offset <= bytes.size && e->size <= bytes.size - offset);
        FUZZ_CHECK(!memcmp(bytes.memory + offset, data, (size_t)e->size));
    }
    kt_mem_free(data);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    const kt_zip_options options = {.inflated_max = 1 << 24};
    kt_zip *z;
    if (kt_zip_open_memory(&z, data, size, &options) == KT_OK) {
        FUZZ_CHECK((uint64_t)kt_zip_count(z) <= size / 76); /* two headers each */
        for (int i = 0; i < kt_zip_count(z); i++) read_member(z, i);
        kt_zip_close(z);
    }
    return 0;
}
