/* Fuzz target: whole .keras files: zip, JSON, configuration to graph, weights. A file that loads is
 * saved, and what was saved loads. */
#include "fuzz.h"

#include "base/obj.h"
#include "mutators.h"
#include "saving/archive.h"

#include <keratin/keratin.h>

#include <string.h>
#include <unistd.h>

static void save_and_load(kt_model *m) {
    char path[64];
    snprintf(path, sizeof path, "/dev/shm/keratin_fuzz_%d.keras", (int)getpid());
    const kt_status st = kt_model_save(m, path);
    if (st) { /* what was not built has no weights to save */
        FUZZ_CHECK(st == KT_ESTATE || st == KT_EUNSUPPORTED);
        return;
    }
    kt_model *again = kt_load_model(path);
    if (kt_failed(again)) fprintf(stderr, "%s\n", kt_error_message());
    FUZZ_CHECK(!kt_failed(again));
    kt_free(again);
    unlink(path);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    kt_archive a;
    if (kt_archive_open_memory(&a, data, size) == KT_OK) {
        kt_model *m = kt_archive_load(&a, true);
        FUZZ_CHECK(m != NULL);
        if (!kt_failed(m)) save_and_load(m);
        kt_free(m);
        kt_archive_close(&a);
    }
    kt_clear_session();
    FUZZ_CHECK(kt_obj_count() == 0);
    return 0;
}

#ifdef KT_FUZZ
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned int seed) {
    return mutate_zip(data, size, max_size, seed);
}
#endif
