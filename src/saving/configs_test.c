/* JSON of real Keras (tools/golden/configs.py), read and written again; bad JSON. */
#include "base/mem.h"
#include "io/npz.h"
#include "testing/kt_test.h"

#include <keratin/keratin.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The text of a golden model; free with kt_mem_free. */
static char *golden(const char *name) {
    kt_npz *npz;
    kt_check_status(kt_npz_open(&npz, "tests/golden/configs.npz"), KT_OK);
    kt_tensor *t = kt_npz_read(npz, name);
    assert_false(kt_failed(t));
    const size_t n = (size_t)kt_tensor_size(t);
    char *text = kt_alloc(n + 1);
    memcpy(text, kt_tensor_data(t), n);
    kt_npz_close(npz);
    return text;
}

static void check_round(const char *name) {
    char *text = golden(name);
    kt_model *m = kt_model_from_json(text);
    if (kt_failed(m)) fprintf(stderr, "%s: %s\n", name, kt_error_message());
    assert_false(kt_failed(m));
    kt_text *again = kt_model_to_json(m);
    if (kt_failed(again)) fprintf(stderr, "%s: %s\n", name, kt_error_message());
    kt_check_str(kt_text_str(again), text);
    kt_mem_free(text);
}

#define ROUND(name)                                                                                \
    KT_TEST(configs, name) { check_round(#name); }
ROUND(sequential)
ROUND(compiled)
ROUND(compiled_objects)
ROUND(not_built)
ROUND(operations)
ROUND(nested)
ROUND(dicts)
ROUND(one_in_a_list)
ROUND(pictures)
