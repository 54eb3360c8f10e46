/* See capture.h. */
#include "testing/capture.h"

#include "base/str.h"
#include "testing/kt_test.h"

#include <keratin/runtime.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static kt_str captured;

static void take(const char *text, size_t n, void *data) {
    (void)data;
    kt_str_addn(&captured, text, n);
}

static void forget(void) { kt_str_free(&captured); }

void kt_capture_begin(void) {
    static int registered;
    if (!registered++) atexit(forget);
    kt_str_free(&captured);
    kt_str_add(&captured, "");
    kt_set_output(take, NULL);
}

const char *kt_capture_end(void) {
    kt_set_output(NULL, NULL);
    return captured.s ? captured.s : "";
}

static char *file_text(const char *path) {
    FILE *f = fopen(path, "rb");
    if (!f) fail_msg("no file %s", path);
    fseek(f, 0, SEEK_END);
    const long size = ftell(f);
    rewind(f);
    char *text = calloc(1, (size_t)size + 1);
    const size_t got = text ? fread(text, 1, (size_t)size, f) : 0;
    fclose(f);
    assert_int_equal((long)got, size);
    return text;
}

/* The line around what differs, control codes made visible. */
static void print_line(const char *what, const char *line, size_t n, size_t differs) {
    const size_t from = differs > 40 ? differs - 40 : 0, to = from + 120 < n ? from + 120 : n;
    fprintf(stderr, "%s: ", what);
    for (size_t i = from; i < to; i++) {
        const unsigned char c = (unsigned char)line[i];
        if (c < 32 || c == 127)
            fprintf(stderr, "\\x%02x", (unsigned)c);
        else
            fputc(c, stderr);
    }
    fputc('\n', stderr);
}

void kt_check_golden_text(const char *text, const char *path) {
    char *want = file_text(path);
    const char *a = text, *b = want;
    for (int line = 1; *a || *b; line++) {
        const size_t na = strcspn(a, "\n"), nb = strcspn(b, "\n");
        if (na != nb || memcmp(a, b, na) != 0 || a[na] != b[nb]) {
            size_t differs = 0;
            while (a[differs] && a[differs] == b[differs]) differs++;
            print_line("got ", a, na + (a[na] != 0), differs);
            print_line("want", b, nb + (b[nb] != 0), differs);
            free(want);
            fail_msg("%s:%d differs", path, line);
        }
        a += na + (a[na] != 0);
        b += nb + (b[nb] != 0);
    }
    free(want);
}
