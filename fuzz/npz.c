/* Fuzz target: .npz archives, which is the zip reader and the .npy reader together. The mutator
 * puts archives together again with the right check sums. */
#include "fuzz.h"

#include "base/obj.h"
#include "io/npz.h"
#include "mutators.h"
#include "tensor/tensor.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    kt_npz *npz;
    if (kt_npz_open_memory(&npz, data, size) == KT_OK) {
        for (int i = 0; i < kt_npz_count(npz); i++) {
            kt_tensor *t = kt_npz_read(npz, kt_npz_name(npz, i));
            if (!kt_failed(t)) FUZZ_CHECK(kt_tensor_bytes(t) <= 4 * 1032 * size);
            kt_free(t);
        }
        kt_npz_close(npz);
    }
    FUZZ_CHECK(kt_obj_count() == 0);
    return 0;
}

#ifdef KT_FUZZ
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned int seed) {
    return mutate_zip(data, size, max_size, seed);
}
#endif
