/* Programs that call setlocale(): numbers in files, options and messages stay as they are.
 *
 * The locales are compiled from the C library's sources (Debian's package locales) into a folder of
 * the test: machines have few of them ready. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* mkdtemp under -std=c11 */
#endif
#include "base/fs.h"
#include "base/locale.h"
#include "base/mem.h"
#include "base/str.h"
#include "testing/kt_layers.h"
#include "testing/kt_models.h"
#include "testing/kt_test.h"

#include <keratin/keratin.h>

#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char dir[64];

static const char *at(const char *name) {
    static char path[4][128];
    static int next;
    char *p = path[next++ % 4];
    snprintf(p, sizeof path[0], "%s/%s", dir, name);
    return p;
}

static void remove_folder(void) {
    char line[128];
    snprintf(line, sizeof line, "rm -r %s", dir);
    if (system(line)) perror(line);
}

/* False, and said so, where the sources are not installed. */
static bool enter(const char *name) {
    char line[256];
    if (!dir[0]) {
        snprintf(dir, sizeof dir, "/tmp/kt_locale_XXXXXX");
        assert_non_null(mkdtemp(dir));
        assert_int_equal(atexit(remove_folder), 0);
        setenv("LOCPATH", dir, 1);
    }
    snprintf(line, sizeof line, "localedef -i %s -f ISO-8859-1 %s/%s 2>/dev/null", name, dir, name);
    if (access("/usr/share/i18n/locales/de_DE", R_OK) || system(line) < 0) {
        print_message("the sources of locales are not here (Debian: locales): only C was tried\n");
        return false;
    }
    assert_non_null(setlocale(LC_ALL, name));
    return true;
}

static void leave(void) { setlocale(LC_ALL, "C"); }

static void check_text(kt_text *text, const char *what) {
    kt_check_ok(text);
    if (!strstr(kt_text_str(text), what)) fail_msg("no %s in %s", what, kt_text_str(text));
    kt_free(text);
}

static char said[8192];

static void listen(const char *text, size_t n, void *data) {
    (void)data;
    const size_t used = strlen(said);
    snprintf(said + used, sizeof said - used, "%.*s", (int)n, text);
}

static void has(const char *text, const char *what) {
    if (!strstr(text, what)) fail_msg("no \"%s\" in:\n%s", what, text);
}

static kt_model *trained(void) {
    kt_model *m = kt_sequential(kt_list(kt_input({2}), kt_dropout(0.25), kt_dense(300)));
    kt_tensor *x = kt_tensor_new(KT_FLOAT32, kt_dims(4, 2), NULL);
    kt_tensor *y = kt_tensor_new(KT_FLOAT32, kt_dims(4, 300), NULL);
    kt_check_status(
        kt_model_compile(m, kt_deserialize("optimizer", "adam:learning_rate=0.5"), "mse"), KT_OK);
    kt_callback *log = kt_cb_csv_logger(at("log.csv"));
    kt_callback *keep = kt_cb_model_checkpoint(at("at-{loss:.3f}.keras"), .verbose = 1);
    kt_check_ok(kt_model_fit(m, x, y, .callbacks = kt_list(log, keep), .verbose = 2));
    kt_model_summary(m);
    kt_free(x);
    kt_free(y);
    return m;
}

KT_TEST(locale, numbers_keep_their_point) {
    char text[16];
    if (enter("de_DE")) {
        snprintf(text, sizeof text, "%.1f", 0.5);
        assert_string_equal(text, "0,5"); /* it is on */
    }
    kt_set_output(listen, NULL);
    kt_model *m = trained();
    kt_set_output(NULL, NULL);
    has(said, "loss: 0.0000e+00");
    has(said, "3.52 KB");
    has(said, "at-0.000.keras");
    kt_optimizer *o = (kt_optimizer *)(uintptr_t)kt_model_optimizer(m);
    assert_float_equal(kt_opt_learning_rate(o), 0.5, 0);
    check_text(kt_model_to_json(m), "\"rate\": 0.25");
    kt_model *again = kt_load_model(at("at-0.000.keras"));
    kt_check_ok(again);
    check_text(kt_model_to_json(again), "\"rate\": 0.25");
    kt_free(again);
    kt_free(m);
    unsigned char *log;
    size_t n;
    kt_check_status(kt_fs_load(&log, &n, at("log.csv"), 4096), KT_OK);
    has((const char *)log, "0,0.0");
    kt_mem_free(log);
    leave();
}

KT_TEST(locale, tables_and_arrays_keep_their_point) {
    const char table[] = "a,b\n0.5,1.25\n-3e-2,7\n";
    enter("de_DE");
    kt_check_status(kt_fs_save(at("t.csv"), table, sizeof table - 1), KT_OK);
    kt_tensor *t = kt_load_csv(at("t.csv"));
    kt_check_ok(t);
    assert_float_equal(kt_tensor_get(t, 0), 0.5, 0);
    assert_float_equal(kt_tensor_get(t, 2), (double)-3e-2f, 0);
    said[0] = 0;
    kt_set_output(listen, NULL);
    kt_tensor_print(t);
    kt_set_output(NULL, NULL);
    has(said, "[ 0.5   1.25]");
    kt_free(t);
    kt_str b = {0};
    kt_str_double(&b, 0.1);
    kt_str_addf(&b, " %g", 1.5);
    assert_string_equal(b.s, "0.1 1.5");
    kt_str_free(&b);
    assert_true(kt_failed(kt_dropout(-0.5)));
    has(kt_error_message(), "got -0.5");
    leave();
}

/* Turkish has two letters i. */
KT_TEST(locale, names_keep_their_letters) {
    char name[32];
    enter("tr_TR");
    kt_snake_case("INPUTLayerI", name, sizeof name);
    assert_string_equal(name, "input_layer_i");
    kt_layer *l = kt_conv2d(2, 3, .padding = "VALID");
    kt_check_ok(l);
    kt_free(l);
    leave();
}
