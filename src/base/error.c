/* The thread's last error: fixed buffers, because reporting "out of memory" must not allocate. */
#include "base/error.h"

#include "base/locale.h"
#include "base/obj.h"

#include <ctype.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

typedef struct {
    kt_status status;
    char text[512], path[768], expected[384], got[384], hint[384], message[2560];
    const char *file;
    int line;
} error_state;

static _Thread_local error_state last;

static const struct {
    kt_status status;
    const char *name;
} status_names[] = {
    {KT_OK, "KT_OK"},
    {KT_EINVAL, "KT_EINVAL"},
    {KT_ESHAPE, "KT_ESHAPE"},
    {KT_EDTYPE, "KT_EDTYPE"},
    {KT_ESTATE, "KT_ESTATE"},
    {KT_ENOTFOUND, "KT_ENOTFOUND"},
    {KT_EPERM, "KT_EPERM"},
    {KT_EIO, "KT_EIO"},
    {KT_EFORMAT, "KT_EFORMAT"},
    {KT_EREFUSED, "KT_EREFUSED"},
    {KT_ELIMIT, "KT_ELIMIT"},
    {KT_ENAN, "KT_ENAN"},
    {KT_EBACKEND, "KT_EBACKEND"},
    {KT_EUNSUPPORTED, "KT_EUNSUPPORTED"},
    {KT_ENOMEM, "KT_ENOMEM"},
    {KT_ECANCELED, "KT_ECANCELED"},
    {KT_EINTERNAL, "KT_EINTERNAL"},
};
#define N_STATUS ((int)(sizeof status_names / sizeof status_names[0]))

const char *kt_status_name(kt_status status) {
    for (int i = 0; i < N_STATUS; i++)
        if (status_names[i].status == status) return status_names[i].name;
    return "KT_EINTERNAL";
}

/* Names come from files: what a terminal would obey must not get there. Callers quote names so that
 * the bytes can be seen; this is for those who do not. */
static void disarm(char *text) {
    for (unsigned char *p = (unsigned char *)text; *p; p++)
        if ((*p < 32 && *p != '\n') || *p == 127) *p = '?';
}

kt_status kt_error_set(kt_status status, const char *file, int line, const char *fmt, ...) {
    char text[sizeof last.text]; /* the arguments may point into the old message */
    va_list ap;
    va_start(ap, fmt);
    kt_vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    disarm(text);
    const char *src = strstr(file, "src/");
    kt_error_clear();
    memcpy(last.text, text, sizeof text);
    last.status = status;
    last.file = src ? src + 4 : file;
    last.line = line;
    return status;
}

#define APPEND_PART(part)                                                                          \
    va_list ap;                                                                                    \
    va_start(ap, fmt);                                                                             \
    kt_vsnprintf(last.part, sizeof last.part, fmt, ap);                                            \
    va_end(ap);                                                                                    \
    disarm(last.part);                                                                             \
    return last.status

kt_status kt_error_expected(const char *fmt, ...) { APPEND_PART(expected); }
kt_status kt_error_got(const char *fmt, ...) { APPEND_PART(got); }
kt_status kt_error_hint(const char *fmt, ...) { APPEND_PART(hint); }

kt_status kt_error_context(const char *fmt, ...) {
    char text[sizeof last.path];
    const size_t used = strlen(last.path);
    va_list ap;
    va_start(ap, fmt);
    kt_vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    disarm(text);
    const size_t n = strlen(text), sep = used && text[0] != ',' ? 1 : 0;
    if (n <= used && !strcmp(last.path + used - n, text)) return last.status; /* said already */
    if (used + sep + n >= sizeof last.path) return last.status;
    if (sep) last.path[used] = ' ';
    memcpy(last.path + used + sep, text, n + 1);
    return last.status;
}

static void rename_in(char *text, size_t size, const char *digits, const char *name) {
    const size_t n = strlen(digits), m = strlen(name);
    for (char *at = strstr(text, digits); at; at = strstr(at, digits)) {
        const bool word = (at == text || !isdigit((unsigned char)at[-1])) &&
                          !isdigit((unsigned char)at[n]);
        if (word && strlen(text) + m < size + n) {
            memmove(at + m, at + n, strlen(at + n) + 1);
            memcpy(at, name, m);
        }
        at += word ? m : n;
    }
}

void kt_error_rename_number(int64_t number, const char *name) {
    char digits[24];
    snprintf(digits, sizeof digits, "%lld", (long long)number);
    rename_in(last.text, sizeof last.text, digits, name);
    rename_in(last.expected, sizeof last.expected, digits, name);
    rename_in(last.got, sizeof last.got, digits, name);
}

kt_status kt_error_restate(kt_status status) {
    last.status = status;
    return status;
}

kt_status kt_error_last(void) { return last.status; }

void kt_error_clear(void) {
    last.status = KT_OK;
    last.text[0] = last.path[0] = last.expected[0] = last.got[0] = last.hint[0] = 0;
    last.message[0] = 0;
    last.file = "";
    last.line = 0;
}

kt_error kt_error_get(void) {
    return (kt_error){
        last.status,
        last.text,
        last.path,
        last.expected,
        last.got,
        last.hint,
        last.file ? last.file : "",
        last.line};
}

static size_t message_line(size_t at, const char *label, const char *value) {
    if (!value[0] || at >= sizeof last.message) return at;
    const int n = snprintf(
        last.message + at, sizeof last.message - at, "\n  %-9s %s", label, value);
    return at + (size_t)(n > 0 ? n : 0);
}

const char *kt_error_message(void) {
    if (last.status == KT_OK) return "";
    const int n = snprintf(
        last.message, sizeof last.message, "%s%s%s", last.text, last.path[0] ? " " : "", last.path);
    size_t at = (size_t)(n > 0 ? n : 0);
    at = message_line(at, "expected:", last.expected);
    at = message_line(at, "got:", last.got);
    at = message_line(at, "hint:", last.hint);
    if (at < sizeof last.message && last.file)
        snprintf(
            last.message + at,
            sizeof last.message - at,
            "\n  at        %s:%d",
            last.file,
            last.line);
    return last.message;
}

/* One static object per status; index is -status, 0 is unused. */
#define FAILED(code)                                                                               \
    { .magic = KT_MAGIC, .kind = KT_KIND_FAILED, .status = (signed char)(code) }
static const kt_obj failed_objects[] = {
    FAILED(KT_EINTERNAL),
    FAILED(KT_EINVAL),
    FAILED(KT_ESHAPE),
    FAILED(KT_EDTYPE),
    FAILED(KT_ESTATE),
    FAILED(KT_ENOTFOUND),
    FAILED(KT_EPERM),
    FAILED(KT_EIO),
    FAILED(KT_EFORMAT),
    FAILED(KT_EREFUSED),
    FAILED(KT_ELIMIT),
    FAILED(KT_ENAN),
    FAILED(KT_EBACKEND),
    FAILED(KT_EUNSUPPORTED),
    FAILED(KT_ENOMEM),
    FAILED(KT_ECANCELED),
    FAILED(KT_EINTERNAL),
};

void *kt_fail_object(kt_status status) {
    const int i = status < 0 && -status < N_STATUS ? -status : 0;
    return (void *)(uintptr_t)&failed_objects[i]; /* nobody writes to a failed object */
}

static int edit_distance(const char *a, const char *b) {
    int row[64];
    const int la = (int)strlen(a), lb = (int)strlen(b);
    if (la > 60 || lb > 60) return INT_MAX;
    for (int j = 0; j <= lb; j++) row[j] = j;
    for (int i = 1; i <= la; i++) {
        int diagonal = row[0];
        row[0] = i;
        for (int j = 1; j <= lb; j++) {
            const int up = row[j], cost = a[i - 1] != b[j - 1];
            int best = diagonal + cost;
            if (up + 1 < best) best = up + 1;
            if (row[j - 1] + 1 < best) best = row[j - 1] + 1;
            diagonal = up;
            row[j] = best;
        }
    }
    return row[lb];
}

const char *kt_nearest(const char *name, const char *const *candidates, int n) {
    const char *best = NULL;
    int best_distance = 2 + (int)strlen(name) / 3;
    for (int i = 0; i < n; i++) {
        const int d = edit_distance(name, candidates[i]);
        if (d < best_distance) {
            best_distance = d;
            best = candidates[i];
        }
    }
    const size_t length = strlen(name);
    for (int i = 0; i < n && !best && length > 2; i++) /* "glorot" */
        if (!strncmp(candidates[i], name, length)) best = candidates[i];
    return best;
}

kt_status kt_arg_word(const char *argument, const char *word, const char *const *words, int *out) {
    int n = 0;
    for (; words[n]; n++) {
        if (!word || strcmp(words[n], word) != 0) continue;
        *out = n;
        return KT_OK;
    }
    const char *near = word ? kt_nearest(word, words, n) : NULL;
    KT_FAIL(KT_EINVAL, "%s: unknown name \"%.60s\"", argument, word ? word : "None");
    if (near) kt_error_hint("did you mean \"%s\"?", near);
    return KT_EINVAL;
}
