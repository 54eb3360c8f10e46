/* Fuzz target: IDX files, plain and gzipped. A header must not ask for more memory than a file of
 * its size can fill (libFuzzer's -rss_limit_mb and the assertion below), and nothing may leak. */
#include "fuzz.h"

#include "base/obj.h"
#include "io/idx.h"
#include "tensor/tensor.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    kt_tensor *t = kt_idx_parse(data, size);
    if (!kt_failed(t)) FUZZ_CHECK(kt_tensor_bytes(t) <= 4 * 1032 * size); /* int8 becomes int32 */
    kt_free(t);
    FUZZ_CHECK(kt_obj_count() == 0);
    return 0;
}
