/* Fuzz target: CSV. The first byte chooses header and target; tables that are read are as large as
 * their text, and nothing may leak. */
#include "fuzz.h"

#include "base/mem.h"
#include "base/obj.h"
#include "io/csv.h"
#include "tensor/tensor.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size < 1) return 0;
    static const char *const targets[] = {NULL, "0", "-1", "y"};
    const kt_csv_options o = {
        .separator = data[0] & 16 ? ';' : ',',
        .header = (data[0] & 3) - 1,
        .target = targets[data[0] >> 2 & 3],
        .texts = data[0] & 32};
    kt_tensor *x, *y;
    char *text = kt_alloc(size);
    FUZZ_CHECK(text);
    memcpy(text, data + 1, size - 1);
    const kt_status st = kt_csv_parse(text, size - 1, &o, &x, &y);
    FUZZ_CHECK(st ? !x && !y : x && !o.target == !y);
    if (x) FUZZ_CHECK((uint64_t)kt_tensor_size(x) <= size);
    if (y) FUZZ_CHECK(kt_tensor_size(y) == kt_tensor_dim(x, 0));
    kt_free(x);
    kt_free(y);
    kt_mem_free(text);
    FUZZ_CHECK(kt_obj_count() == 0);
    return 0;
}
