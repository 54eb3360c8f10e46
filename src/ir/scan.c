/* The cursor that reads graph text. See scan.h. */
#include "ir/scan.h"

#include "base/error.h"
#include "base/locale.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static void skip_blanks(kt_scan *s) {
    while (*s->at == ' ' || *s->at == '\t' || *s->at == '\r') s->at++;
}

bool kt_scan_char(kt_scan *s, char c) {
    skip_blanks(s);
    if (*s->at != c) return false;
    s->at++;
    return true;
}

bool kt_scan_end(kt_scan *s) {
    skip_blanks(s);
    if (*s->at == '#') s->at += strcspn(s->at, "\n");
    return *s->at == 0 || *s->at == '\n';
}

bool kt_scan_word(kt_scan *s, char word[KT_SCAN_WORD]) {
    size_t n = 0;
    skip_blanks(s);
    while (kt_is_alpha(s->at[n]) || kt_is_digit(s->at[n]) || s->at[n] == '_') n++;
    if (n == 0 || n >= KT_SCAN_WORD) return false;
    memcpy(word, s->at, n);
    word[n] = 0;
    s->at += n;
    return true;
}

/* strtoll and strtod skip line breaks as well, so what comes first is looked at before. */
static bool number_starts(kt_scan *s, const char *more) {
    skip_blanks(s);
    const char c = *s->at;
    return c && (kt_is_digit(c) || strchr(more, c));
}

bool kt_scan_int(kt_scan *s, int64_t *value) {
    char *end;
    if (!number_starts(s, "-")) return false;
    errno = 0;
    const long long v = strtoll(s->at, &end, 10);
    if (end == s->at || errno) return false;
    *value = v;
    s->at = end;
    return true;
}

bool kt_scan_double(kt_scan *s, double *value) {
    char *end;
    if (!number_starts(s, "-in")) return false;
    const double v = kt_strtod(s->at, &end);
    if (end == s->at) return false;
    *value = v;
    s->at = end;
    return true;
}

bool kt_scan_shape(kt_scan *s, kt_shape *shape) {
    kt_shape r = {0, {0}};
    if (!kt_scan_char(s, '(')) return false;
    while (!kt_scan_char(s, ')')) {
        if (r.ndim == KT_MAX_RANK || !kt_scan_int(s, &r.dim[r.ndim])) return false;
        r.ndim++;
        if (kt_scan_char(s, ',')) continue;
        if (!kt_scan_char(s, ')')) return false;
        break;
    }
    *shape = r;
    return kt_shape_size(shape) >= 0;
}

bool kt_scan_spec(kt_scan *s, kt_spec *spec) {
    char word[KT_SCAN_WORD];
    if (!kt_scan_word(s, word)) return false;
    spec->dtype = kt_dtype_of(word);
    return spec->dtype != KT_NO_DTYPE && kt_scan_shape(s, &spec->shape);
}

bool kt_scan_quoted(kt_scan *s, char *text, size_t size) {
    size_t n = 0;
    if (!kt_scan_char(s, '"')) return false;
    while (*s->at != '"') {
        if (*s->at == '\\') s->at++;
        if (*s->at == 0 || *s->at == '\n' || n + 1 >= size) return false;
        text[n++] = *s->at++;
    }
    s->at++;
    text[n] = 0;
    return true;
}

kt_status kt_scan_fail(const kt_scan *s, const char *expected) {
    int n = (int)strcspn(s->at, "\n");
    KT_FAIL(KT_EFORMAT, "graph text, line %d: expected %s", s->line, expected);
    return kt_error_got("\"%.*s\"", n > 40 ? 40 : n, s->at);
}
