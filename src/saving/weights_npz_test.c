/* Weights as .npz in a .keras file: those of real Keras (tools/golden/weights_npz.py) beside the
 * same model in the ordinary form. */
#include "base/fs.h"
#include "base/mem.h"
#include "io/npz.h"
#include "io/weights_npz.h"
#include "testing/kt_models.h"

#include <keratin/keratin.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define GOLDEN "tests/golden/weights_npz/"

static kt_tensor *golden(const char *name, const char *member) {
    char path[200];
    kt_npz *npz;
    snprintf(path, sizeof path, GOLDEN "%s.npz", name);
    kt_check_status(kt_npz_open(&npz, path), KT_OK);
    kt_tensor *t = kt_npz_read(npz, member);
    kt_npz_close(npz);
    return t;
}

/* Every variable, the optimizer's too, to the bit. */
static void check_same_variables(const char *path, const char *with) {
    kt_file *a = kt_file_open(path), *b = kt_file_open(with);
    kt_check_ok(a);
    kt_check_ok(b);
    assert_int_equal(kt_file_n_vars(a), kt_file_n_vars(b));
    assert_true(kt_file_n_vars(a) > 12);
    for (int i = 0; i < kt_file_n_vars(a); i++) {
        kt_check_str(kt_file_var_path(a, i), kt_file_var_path(b, i));
        kt_tensor *x = kt_file_var_read(a, i), *y = kt_file_var_read(b, i);
        kt_check_tensors_near(x, y, 0, 0);
        kt_free(x);
        kt_free(y);
    }
    kt_free(a);
    kt_free(b);
}

static void check_model(const char *name) {
    char path[200], twin[200], saved[] = "/tmp/keratin_npz_XXXXXX";
    snprintf(path, sizeof path, GOLDEN "%s.keras", name);
    snprintf(twin, sizeof twin, GOLDEN "%s_h5.keras", name);
    check_same_variables(path, twin);
    kt_check_status(kt_file_check(path), KT_OK);
    kt_model *m = kt_load_model(path);
    kt_check_ok(m);
    kt_tensor *p = kt_model_predict(m, golden(name, "x"), .verbose = 0);
    kt_check_tensors_near(p, golden(name, "p"), 1e-5, 1e-6);
    char ours[300];
    assert_non_null(mkdtemp(saved));
    snprintf(ours, sizeof ours, "%s/m.keras", saved);
    kt_check_status(kt_model_save(m, ours), KT_OK);
    check_same_variables(ours, twin); /* what was loaded into the model and its optimizer */
    kt_model *other = kt_load_model(twin);
    kt_tensor *x = golden(name, "x");
    kt_check_ok(kt_model_fit(other, x, golden(name, "p"), .verbose = 0));
    kt_check_status(kt_model_load_weights(other, path), KT_OK);
    kt_check_tensors_near(kt_model_predict(other, x, .verbose = 0), golden(name, "p"), 1e-5, 1e-6);
    unlink(ours);
    rmdir(saved);
    kt_clear_session();
}

KT_TEST(weights_npz, of_keras) {
    check_model("pictures");
    check_model("series");
}
KT_TEST(weights_npz, of_keras_on_jax) { check_model("series_jax"); }

/* Archives made here: a pickle in a member. */
typedef struct {
    const char *member, *pickle;
    size_t n;
    kt_status want;
    const char *says;
} hostile;

#define DICT(text) "\x80\4}\x8c\0010" text "s."
#define F4 "cnumpy\ndtype\n\x8c\2f4\x89\x88\x87R"
#define EMPTY                                                                                      \
    "cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\0\x85"                               \
    "C\1b\x87R"
#define ARRAY(shape, bytes) EMPTY "(K\1" shape F4 "\x89" bytes "tb"
#define VARIABLE(state) "ckeras.src.backend\nVariable\n)\x81" state "b"
#define H(name, text, want, says)                                                                  \
    { name, text, sizeof(text) - 1, want, says }

static const hostile bad[] = {
    H("a.npy", DICT("cos\nsystem\n\x8c\2id\x85R"), KT_EREFUSED, "os.system"),
    H("a.npy", DICT("cnumpy.core.multiarray\nfromstring\n"), KT_EREFUSED, "fromstring"),
    H("a.npy", DICT("ckeras.src.layers.core.lambda_layer\nLambda\n"), KT_EREFUSED, "Lambda"),
    H("a.npy", DICT("ckeras.src.backend\nVariable\n)R"), KT_EREFUSED, "makes no array"),
    H("a.npy", DICT("ckeras.src.backend\nVariable\nK\1\x85\x81"), KT_EREFUSED, "an object"),
    H("a.npy", DICT("cnumpy\nndarray\n)\x81"), KT_EREFUSED, "an object"),
    H("a.npy", DICT("cfunctools\npartial\ncnumpy\ndtype\n\x85R"), KT_EREFUSED, "no array"),
    H("a.npy", DICT(VARIABLE("}")), KT_EREFUSED, "is no array of numbers"),
    H("a.npy", DICT(VARIABLE("N")), KT_EREFUSED, "a state of a kind"),
    H("a.npy", DICT(VARIABLE("}\x8c\6_valueK\1s")), KT_EREFUSED, "is no array of numbers"),
    H("a.npy", DICT("K\1"), KT_EREFUSED, "is no array of numbers"),
    H("a.npy", DICT(EMPTY), KT_EREFUSED, "is no array of numbers"),
    H("a.npy", DICT(ARRAY("K\2\x85", "C\4aaaa")), KT_EFORMAT, "another length"),
    H("a.npy", DICT(ARRAY("J\xff\xff\xff\x7f\x85", "C\4aaaa")), KT_EFORMAT, "another length"),
    H("a.npy", DICT(ARRAY("K\1\x85", "C\5aaaaa")), KT_EFORMAT, "another length"),
    H("a.npy", "\x80\4}\x8c\3a/b" ARRAY("K\1\x85", "C\4aaaa") "s.", KT_EFORMAT, "a name"),
    H("a.npy", "\x80\4}K\1" ARRAY("K\1\x85", "C\4aaaa") "s.", KT_EREFUSED, "no texts"),
    H("a.npy", "\x80\4K\1.", KT_EFORMAT, "no dict of arrays"),
    H("a.txt", DICT(ARRAY("K\1\x85", "C\4aaaa")), KT_EFORMAT, "is no .npy array"),
    H("a/vars.npy", DICT(ARRAY("K\1\x85", "C\4aaaa")), KT_EFORMAT, "is no path of a layer"),
    H("a.npy",
      "\x80\4}(\x8c\0010" ARRAY(
          "K\2\x85", "C\10aaaabbbb") "q\0" /* the same eight bytes … */
                                     "\x8c\0011h\0\x8c\0012h\0\x8c\0013h\0\x8c\0014h\0\x8c\0015h\0"
                                     "\x8c\0016h\0\x8c\0017h\0"
                                     "\x8c\0018h\0\x8c\0019h\0\x8c\1ah\0\x8c\1bh\0\x8c\1ch\0\x8c\1d"
                                     "h\0\x8c\1eh\0\x8c\1fh\0"
                                     "\x8c\1gh\0\x8c\1hh\0\x8c\1ih\0\x8c\1jh\0\x8c\1kh\0\x8c\1lh\0"
                                     "\x8c\1mh\0\x8c\1nh\0"
                                     "\x8c\1oh\0\x8c\1ph\0\x8c\1qh\0\x8c\1rh\0\x8c\1sh\0\x8c\1th\0"
                                     "\x8c\1uh\0\x8c\1vh\0"
                                     "\x8c\1wh\0\x8c\1xh\0\x8c\1yh\0\x8c\1zh\0\x8c\1Ah\0\x8c\1Bh\0"
                                     "\x8c\1Ch\0\x8c\1Dh\0"
                                     "\x8c\1Eh\0\x8c\1Fh\0\x8c\1Gh\0\x8c\1Hh\0\x8c\1Ih\0\x8c\1Jh\0"
                                     "\x8c\1Kh\0\x8c\1Lh\0u.",
      KT_ELIMIT,
      "more parts"),
};

/* An .npz with one member in a file of a zip, as an archive has it. */
static kt_status open_made(const char *member, const char *pickle, size_t n, kt_hdf5 **out) {
    static const char
        head[] = "\x93NUMPY\1\0v\0{'descr': '|O', 'fortran_order': False, 'shape': (), }";
    char npy[128], path[100], inner[120];
    kt_zip_writer w;
    unsigned char *bytes;
    size_t size;
    kt_zip *z;
    memset(npy, ' ', sizeof npy);
    memcpy(npy, head, sizeof head - 1);
    npy[sizeof npy - 1] = '\n';
    snprintf(path, sizeof path, "/tmp/keratin_npz_%d", (int)getpid());
    snprintf(inner, sizeof inner, "%s.npz", path);
    kt_check_status(kt_zip_begin(&w, inner), KT_OK);
    const kt_zip_part parts[] = {{npy, sizeof npy}, {pickle, n}};
    kt_check_status(kt_zip_add(&w, member, parts, 2), KT_OK);
    kt_check_status(kt_zip_commit(&w), KT_OK);
    kt_check_status(kt_fs_load(&bytes, &size, inner, 1 << 20), KT_OK);
    kt_check_status(kt_zip_begin(&w, path), KT_OK);
    kt_check_status(kt_zip_add(&w, "model.weights.npz", &(kt_zip_part){bytes, size}, 1), KT_OK);
    kt_check_status(kt_zip_commit(&w), KT_OK);
    kt_mem_free(bytes);
    kt_check_status(kt_zip_open(&z, path, NULL), KT_OK);
    const kt_status st = kt_weights_npz_open(out, z, 0, 1 << 20);
    kt_zip_close(z);
    unlink(path);
    unlink(inner);
    return st;
}

KT_TEST(weights_npz, refuses_everything_else) {
    kt_hdf5 *h;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        kt_check_status(open_made(bad[i].member, bad[i].pickle, bad[i].n, &h), bad[i].want);
        kt_check_message_has(bad[i].says);
        assert_null(h);
    }
}

/* Big-endian, Fortran's order, numbers without axes, the memo, the root: what NumPy may write. */
KT_TEST(weights_npz, forms_of_arrays) {
    static const char
        text[] = "\x80\4}(\x8c\0010" EMPTY "(K\1K\2K\2\x86" F4 "(K\3\x8c\1>NNNJ\xff\xff\xff\xff"
                 "J\xff\xff\xff\xffK\0tb\x88"
                 "C\20\x3f\x80\0\0\x40\0\0\0\x40\x40\0\0\x40\x80\0\0tb"
                 "\x8c\0011cnumpy._core.multiarray\nscalar\ncnumpy\ndtype\n\x8c\2i8\x89\x88\x87R"
                 "C\10\7\0\0\0\0\0\0\0\x86Ru.";
    kt_hdf5 *h;
    kt_check_status(open_made("__root__.npy", text, sizeof text - 1, &h), KT_OK);
    const kt_hdf5_node *vars = kt_hdf5_find(kt_hdf5_root(h), "vars");
    assert_int_equal(kt_hdf5_count(vars), 2);
    kt_tensor *t = kt_hdf5_read(kt_hdf5_find(vars, "0"));
    for (int i = 0; i < 4; i++)
        assert_float_equal(kt_tensor_get(t, i), ((const float[]){1, 3, 2, 4})[i], 0);
    kt_tensor *n = kt_hdf5_read(kt_hdf5_find(vars, "1"));
    assert_int_equal(kt_tensor_shape(n).ndim, 0);
    assert_int_equal(kt_tensor_get(n, 0), 7);
    kt_free(t);
    kt_free(n);
    kt_hdf5_close(h);
}
