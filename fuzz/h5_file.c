/* Fuzz target: whole .h5 files, as models, and as weights (old form and Keras 3's) for a model that
 * is there already. A model that loads is saved in the old form. */
#include "fuzz.h"

#include "base/obj.h"
#include "io/hdf5.h"
#include "saving/legacy.h"
#include "saving/weights_h5.h"

#include <keratin/keratin.h>

static kt_model *small_model(void) {
    return kt_sequential(kt_list(
        kt_input({5}), kt_dense(4, "tanh", .name = "dense"), kt_dense(2, .name = "dense_1")));
}

static void load_weights(kt_hdf5 *h, bool by_name) {
    kt_weight_tree t;
    kt_model *m = small_model();
    FUZZ_CHECK(!kt_failed(m));
    if (kt_legacy_is_weights(h)) {
        (void)kt_legacy_load_weights(m, h, by_name, by_name);
        return;
    }
    FUZZ_CHECK(kt_weight_tree_make(&t, m, false) == KT_OK);
    (void)kt_weights_h5_get(h, &t, by_name);
    kt_weight_tree_free(&t);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    kt_hdf5 *h;
    if (kt_hdf5_open_memory(&h, data, size, NULL) == KT_OK) {
        if (kt_legacy_is_model(h)) {
            kt_model *m = kt_legacy_load_model(h, "x.h5", true);
            FUZZ_CHECK(m != NULL);
            kt_free(m);
        }
        load_weights(h, false);
        load_weights(h, true);
        kt_hdf5_close(h);
    }
    kt_clear_session();
    FUZZ_CHECK(kt_obj_count() == 0);
    return 0;
}
