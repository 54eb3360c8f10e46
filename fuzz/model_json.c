/* Fuzz target: configurations to models. What becomes a model writes itself as text that becomes
 * the same text again. */
#include "fuzz.h"

#include "base/mem.h"
#include "base/obj.h"
#include "mutators.h"

#include <keratin/keratin.h>

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    char *text = kt_alloc(size + 1);
    memcpy(text, data, size);
    kt_model *m = kt_model_from_json(text);
    if (!kt_failed(m)) {
        kt_text *a = kt_model_to_json(m);
        if (!kt_failed(a)) {
            kt_model *again = kt_model_from_json(kt_text_str(a));
            FUZZ_CHECK(!kt_failed(again));
            kt_text *b = kt_model_to_json(again);
            FUZZ_CHECK(!strcmp(kt_text_str(a), kt_text_str(b)));
        }
    }
    kt_mem_free(text);
    kt_clear_session();
    FUZZ_CHECK(kt_obj_count() == 0);
    return 0;
}

#ifdef KT_FUZZ
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned int seed) {
    const size_t n = seed % 4 ? mutate_json(data, size, max_size, seed) : 0;
    return n ? n : LLVMFuzzerMutate(data, size, max_size);
}
#endif
