/* Fuzz target: pickles of data sets and of weights. Nothing may ask for more memory than its bytes
 * are worth, and nothing may leak. */
#include "fuzz.h"

#include "base/obj.h"
#include "io/pickle.h"

static kt_status count_bytes(void *with, const kt_pickle_array *a) {
    *(uint64_t *)with += a->bytes;
    return KT_OK;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    kt_tensor *x, *y;
    kt_sequences *s = kt_pickle_sequences(data, size);
    int64_t total = 0;
    for (int64_t i = 0; i < kt_sequences_count(s); i++) total += kt_sequences_len(s, i);
    FUZZ_CHECK((uint64_t)total <= size);
    kt_free(s);
    if (kt_pickle_batch(data, size, "labels", &x, &y) == KT_OK) {
        FUZZ_CHECK((uint64_t)kt_tensor_size(x) <= size);
        kt_free(x);
        kt_free(y);
    }
    uint64_t bytes = 0;
    kt_pickle_arrays(data, size, count_bytes, &bytes);
    FUZZ_CHECK(bytes <= size);
    FUZZ_CHECK(kt_obj_count() == 0);
    return 0;
}
