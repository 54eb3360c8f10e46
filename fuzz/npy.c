/* Fuzz target: .npy files. What is read must be written back as the same array, and nothing may
 * leak. */
#include "fuzz.h"

#include "base/obj.h"
#include "base/str.h"
#include "io/npy.h"
#include "tensor/tensor.h"

#include <string.h>

static void check_round_trip(const kt_tensor *t) {
    kt_str file = {0};
    FUZZ_CHECK(kt_npy_header(&file, t) == KT_OK);
    kt_str_addn(&file, kt_tensor_data(t), kt_tensor_bytes(t));
    kt_tensor *again = kt_npy_parse(file.s, file.n);
    FUZZ_CHECK(!kt_failed(again));
    FUZZ_CHECK(again->dtype == t->dtype && kt_shape_equal(&again->shape, &t->shape));
    if (kt_tensor_bytes(t)) FUZZ_CHECK(memcmp(again->data, t->data, kt_tensor_bytes(t)) == 0);
    kt_free(again);
    kt_str_free(&file);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    char text[256];
    kt_tensor *t = kt_npy_parse(data, size);
    if (!kt_failed(t)) {
        check_round_trip(t);
        kt_tensor_str(t, text, sizeof text);
    }
    kt_free(t);
    FUZZ_CHECK(kt_obj_count() == 0);
    return 0;
}
