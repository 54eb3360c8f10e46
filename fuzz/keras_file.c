/* Fuzz target: whole .keras files: zip, JSON, configuration to graph, weights. A file that loads is
 * saved and loaded again. */
#include "fuzz.h"

#include "base/obj.h"
#include "saving/archive.h"

#include <keratin/keratin.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    kt_archive a;
    if (kt_archive_open_memory(&a, data, size) == KT_OK) {
        kt_model *m = kt_archive_load(&a, true);
        FUZZ_CHECK(m != NULL);
        kt_free(m);
        kt_archive_close(&a);
    }
    kt_clear_session();
    FUZZ_CHECK(kt_obj_count() == 0);
    return 0;
}
