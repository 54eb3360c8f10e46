/* Fuzz target: HDF5 files. Opens, walks over everything, reads every data set and attribute. */
#include "fuzz.h"

#include "base/obj.h"
#include "io/hdf5.h"

static void read_attributes(const kt_hdf5_node *node) {
    for (int i = 0; i < kt_hdf5_attr_count(node); i++) {
        const char *name = kt_hdf5_attr_name(node, i);
        kt_hdf5_strings s;
        if (kt_hdf5_attr_names(&s, node, name) == KT_OK) kt_hdf5_strings_free(&s);
        kt_free(kt_hdf5_attr_read(node, name));
    }
}

static void read_node(const kt_hdf5_node *node, size_t size) {
    char path[KT_QUOTE_SIZE];
    kt_hdf5_path(node, path, sizeof path);
    read_attributes(node);
    if (kt_hdf5_is_data(node)) {
        kt_tensor *t = kt_hdf5_read(node);
        if (!kt_failed(t)) FUZZ_CHECK(kt_tensor_bytes(t) <= 4 * size);
        kt_free(t);
    }
    for (int i = 0; i < kt_hdf5_count(node); i++) { /* at most 64 deep */
        const kt_hdf5_node *child = kt_hdf5_child(node, i);
        FUZZ_CHECK(kt_hdf5_find(node, kt_hdf5_name(child)) == child);
        read_node(child, size);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    kt_hdf5 *h;
    if (kt_hdf5_open_memory(&h, data, size, NULL) == KT_OK) {
        read_node(kt_hdf5_root(h), size);
        kt_hdf5_close(h);
    }
    FUZZ_CHECK(kt_obj_count() == 0);
    return 0;
}
