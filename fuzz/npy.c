/* Fuzz target: .npy files. What is read must be written back as the same array, and nothing may
 * leak. */
#include "fuzz.h"

#include "base/mem.h"
#include "base/obj.h"
#include "base/str.h"
#include "base/tokens.h"
#include "io/npy.h"
#include "io/npy_text.h"
#include "tensor/tensor.h"

#include <string.h>

/* Bytes that are no UTF-8 do not come back. */
static void check_texts(const kt_tensor *got, const kt_tensor *want) {
    for (int64_t i = 0; i < kt_tensor_size(want); i++) {
        const char *s = kt_tensor_text(want, i);
        FUZZ_CHECK(!kt_utf8_is(s, strlen(s)) || !strcmp(s, kt_tensor_text(got, i)));
    }
}

static void check_round_trip(const kt_tensor *t) {
    kt_str file = {0};
    void *texts = NULL;
    size_t size = kt_tensor_bytes(t);
    FUZZ_CHECK(kt_npy_header(&file, t) == KT_OK);
    if (t->dtype == KT_STRING) FUZZ_CHECK(kt_npy_text_data(t, &texts, &size) == KT_OK);
    kt_str_addn(&file, texts ? texts : kt_tensor_data(t), size);
    kt_mem_free(texts);
    kt_tensor *again = kt_npy_parse(file.s, file.n);
    FUZZ_CHECK(!kt_failed(again));
    FUZZ_CHECK(again->dtype == t->dtype && kt_shape_equal(&again->shape, &t->shape));
    if (t->dtype == KT_STRING)
        check_texts(again, t);
    else if (kt_tensor_bytes(t))
        FUZZ_CHECK(memcmp(again->data, t->data, kt_tensor_bytes(t)) == 0);
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
