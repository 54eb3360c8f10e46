/* What goes out: error paragraphs, JSON, and the library's own text. */
#include "cli/cli.h"

#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

cli_settings cli = {.verbose = 2};

/* Errors --------------------------------------------------------------------------------------- */

int cli_exit_code(kt_status status) {
    switch (status) {
    case KT_OK:
        return EXIT_OK;
    case KT_EFORMAT:
        return 3;
    case KT_EREFUSED:
        return 4;
    case KT_ENOTFOUND:
    case KT_EPERM:
        return 5;
    case KT_EIO:
        return 6;
    case KT_ENOMEM:
    case KT_ELIMIT:
        return 7;
    case KT_ENAN:
        return 8;
    case KT_EUNSUPPORTED:
        return 9;
    default:
        return EXIT_FAILED;
    }
}

/* What came from a file or the command line does not steer the terminal. */
static void put_plain(const char *text) {
    for (; *text; text++)
        if (((unsigned char)*text < 32 && *text != '\n') || *text == 127)
            fprintf(stderr, "\\x%02x", (unsigned char)*text);
        else
            fputc(*text, stderr);
}

static void error_part(const char *label, const char *text) {
    if (!text || !*text) return;
    fprintf(stderr, "\n  %-9s ", label);
    put_plain(text);
}

/* Does the path name a file only that the text names already? */
static bool is_named(const char *text, const char *path) {
    return !strncmp(path, "in file \"", 9) && strstr(text, path + 8) != NULL;
}

static void report_json(const cli_problem *p, const char *text) {
    cli_json j = {.out = stdout};
    cli_json_open(&j, NULL, '{');
    cli_json_open(&j, "error", '{');
    cli_json_string(&j, "code", p->code);
    cli_json_int(&j, "exit", p->exit);
    cli_json_string(&j, "message", text);
    cli_json_string(&j, "path", p->path ? p->path : "");
    cli_json_string(&j, "expected", p->expected ? p->expected : "");
    cli_json_string(&j, "got", p->got ? p->got : "");
    cli_json_string(&j, "hint", p->hint ? p->hint : "");
    cli_json_close(&j, '}');
    cli_json_close(&j, '}');
}

/* One paragraph: what failed, where, expected, got, hint. */
static int report(const cli_problem *given, const char *given_text) {
    char room[5][1024];
    const char *text = cli_said(given_text, room[0], sizeof room[0]);
    const cli_problem said = {
        .exit = given->exit,
        .code = given->code,
        .path = cli_said(given->path, room[1], sizeof room[1]),
        .expected = cli_said(given->expected, room[2], sizeof room[2]),
        .got = cli_said(given->got, room[3], sizeof room[3]),
        .hint = cli_said(given->hint, room[4], sizeof room[4])};
    const cli_problem *p = &said;
    cli.last_exit = p->exit;
    const bool has_path = p->path && *p->path && !is_named(text, p->path);
    fputs("keratin: ", stderr);
    put_plain(text);
    if (has_path) fputc(' ', stderr), put_plain(p->path);
    error_part("expected:", p->expected);
    error_part("got:", p->got);
    error_part("hint:", p->hint);
    fputc('\n', stderr);
    if (cli.json) report_json(p, text);
    return p->exit;
}

static int library_error(int exit) {
    const kt_error e = kt_error_get();
    const cli_problem p = {
        .exit = exit,
        .code = kt_status_name(e.status),
        .path = e.path,
        .expected = e.expected,
        .got = e.got,
        .hint = e.hint};
    return report(&p, e.status ? e.text : "the run failed, and nothing says why");
}

int cli_fail(void) {
    const kt_status st = kt_error_last();
    return library_error(st ? cli_exit_code(st) : EXIT_FAILED);
}

int cli_bad_name(const char *text) {
    const kt_status st = kt_error_last();
    const bool json = *text == '{' || *text == '[';
    const bool usage = st == KT_EINVAL || st == KT_EFORMAT || (st == KT_EUNSUPPORTED && !json);
    return usage ? library_error(EXIT_USAGE) : cli_fail();
}

int cli_error(const cli_problem *p, const char *fmt, ...) {
    char text[1024];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    return report(p, text);
}

int cli_usage(const cli_command *cmd, const char *fmt, ...) {
    char text[1024], hint[128];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    const char *name = cmd ? cmd->name : cli.command;
    snprintf(hint, sizeof hint, "keratin %s%s--help", name ? name : "", name ? " " : "");
    return report(&(cli_problem){.exit = EXIT_USAGE, .code = "KT_EINVAL", .hint = hint}, text);
}

void cli_note(const char *fmt, ...) {
    if (cli.quiet) return;
    va_list ap;
    va_start(ap, fmt);
    vfprintf(stderr, fmt, ap);
    va_end(ap);
}

/* The library's text --------------------------------------------------------------------------- */

/* Drops escape sequences; one may be cut at the end of a piece. */
static void without_colors(const char *text, size_t n, void *data) {
    static bool inside;
    FILE *out = data;
    for (size_t i = 0; i < n; i++) {
        if (text[i] == '\033') inside = true;
        if (!inside) fputc(text[i], out);
        if (inside && text[i] == 'm') inside = false;
    }
    fflush(out);
}

static void with_colors(const char *text, size_t n, void *data) {
    fwrite(text, 1, n, data);
    fflush(data);
}

/* Warnings. */
static void to_stderr(const char *text, size_t n, void *data) {
    char room[4096];
    (void)n, (void)data;
    if (!cli.quiet) fputs(cli_said(text, room, sizeof room), stderr);
}

void cli_warnings_to_stderr(void) { kt_set_log(to_stderr, NULL); }

void cli_text_to(FILE *out) { kt_set_output(cli.no_color ? without_colors : with_colors, out); }

void cli_print_name(const char *name, int width) {
    int n = 0;
    for (const unsigned char *c = (const unsigned char *)name; *c; c++) {
        if (*c < 32 || *c == 127)
            n += printf("\\x%02x", *c);
        else
            putchar(*c), n += (*c & 0xC0) != 0x80;
    }
    if (n < width) printf("%*s", width - n, "");
}

/* JSON ----------------------------------------------------------------------------------------- */

/* Bytes of the character at p, which is not ASCII; 0: it is no UTF-8. Labels and names of files may
 * be anything. */
static int utf8_length(const unsigned char *p) {
    const int n = p[0] < 0xc2 ? 0 : p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : p[0] < 0xf5 ? 4 : 0;
    for (int i = 1; i < n; i++)
        if ((p[i] & 0xc0) != 0x80) return 0;
    const bool overlong = (p[0] == 0xe0 && p[1] < 0xa0) || (p[0] == 0xf0 && p[1] < 0x90);
    const bool beyond = (p[0] == 0xed && p[1] > 0x9f) || (p[0] == 0xf4 && p[1] > 0x8f);
    return overlong || beyond ? 0 : n;
}

static void json_text(FILE *out, const char *text) {
    fputc('"', out);
    for (const unsigned char *p = (const unsigned char *)text; *p; p++) {
        const int n = *p < 0x80 ? 1 : utf8_length(p);
        if (*p == '"' || *p == '\\')
            fprintf(out, "\\%c", *p);
        else if (*p < 32 || *p == 127)
            fprintf(out, "\\u%04x", *p);
        else if (!n)
            fputs("\\ufffd", out);
        else
            fwrite(p, 1, (size_t)n, out), p += n - 1;
    }
    fputc('"', out);
}

/* Comma, line and key in front of a value. Arrays of numbers stay on their line. */
static void json_next(cli_json *j, const char *key) {
    if (!j->first && j->depth) fputs(key ? "," : ", ", j->out);
    if (key) {
        fprintf(j->out, "\n%*s", 2 * j->depth, "");
        json_text(j->out, key);
        fputs(": ", j->out);
    }
    j->first = false;
}

void cli_json_open(cli_json *j, const char *key, char bracket) {
    json_next(j, key);
    fputc(bracket, j->out);
    j->depth++;
    j->first = true;
}

void cli_json_close(cli_json *j, char bracket) {
    j->depth--;
    if (bracket == '}' && !j->first) fprintf(j->out, "\n%*s", 2 * j->depth, "");
    fputc(bracket, j->out);
    j->first = false;
    if (!j->depth) fputc('\n', j->out);
}

void cli_json_string(cli_json *j, const char *key, const char *value) {
    json_next(j, key);
    if (value)
        json_text(j->out, value);
    else
        fputs("null", j->out);
}

/* The shortest digits that read back, as Python's repr has. */
void cli_json_number(cli_json *j, const char *key, double value) {
    char text[40];
    json_next(j, key);
    if (isnan(value)) {
        fputs("null", j->out);
        return;
    }
    if (isinf(value)) {
        fputs(value > 0 ? "1e999" : "-1e999", j->out);
        return;
    }
    for (int digits = 15; digits <= 17; digits++) {
        snprintf(text, sizeof text, "%.*g", digits, value);
        if (strtod(text, NULL) == value) break;
    }
    fputs(text, j->out);
    if (!strpbrk(text, ".e")) fputs(".0", j->out);
}

void cli_json_numbers(cli_json *j, const char *key, const double *v, int n) {
    if (n == 1) {
        cli_json_number(j, key, *v);
        return;
    }
    cli_json_open(j, key, '[');
    for (int i = 0; i < n; i++) cli_json_number(j, NULL, v[i]);
    cli_json_close(j, ']');
}

void cli_json_int(cli_json *j, const char *key, int64_t value) {
    json_next(j, key);
    fprintf(j->out, "%lld", (long long)value);
}

void cli_json_bool(cli_json *j, const char *key, bool value) {
    json_next(j, key);
    fputs(value ? "true" : "false", j->out);
}

void cli_json_tensor(cli_json *j, const char *key, const kt_tensor *t) {
    const kt_shape shape = kt_tensor_shape(t);
    const kt_dtype dtype = kt_tensor_dtype(t);
    const int64_t n = kt_tensor_size(t);
    int64_t row[KT_MAX_RANK + 1]; /* elements of one entry at each depth */
    row[shape.ndim] = 1;
    for (int d = shape.ndim; d-- > 0;) row[d] = row[d + 1] * shape.dim[d];
    if (n == 0 && shape.ndim) {
        cli_json_open(j, key, '[');
        cli_json_close(j, ']');
        return;
    }
    for (int64_t i = 0; i < n; i++) {
        for (int d = 0; d < shape.ndim; d++)
            if (i % row[d] == 0) cli_json_open(j, d || i ? NULL : key, '[');
        const char *own = shape.ndim ? NULL : key;
        if (dtype == KT_BOOL)
            cli_json_bool(j, own, kt_tensor_get(t, i) != 0);
        else if (dtype == KT_INT32 || dtype == KT_INT64 || dtype == KT_UINT8 || dtype == KT_INT8)
            cli_json_int(j, own, (int64_t)kt_tensor_get(t, i));
        else
            cli_json_number(j, own, kt_tensor_get(t, i));
        for (int d = shape.ndim; d-- > 0;)
            if ((i + 1) % row[d] == 0) cli_json_close(j, ']');
    }
}

void cli_json_output(const char *name) {
    cli_json j = {.out = stdout};
    if (!cli.json || !strcmp(name, "-")) return;
    cli_json_open(&j, NULL, '{');
    cli_json_string(&j, "output", name);
    cli_json_close(&j, '}');
}

/* Each becomes something of its own length that is no number either. */
void cli_json_repair(char *text) {
    bool quoted = false;
    for (; *text; text++) {
        if (quoted && *text == '\\' && text[1])
            text++;
        else if (*text == '"')
            quoted = !quoted;
        else if (!quoted && !strncmp(text, "-Infinity", 9))
            memcpy(text, "     null", 9);
        else if (!quoted && !strncmp(text, "Infinity", 8))
            memcpy(text, "    null", 8);
        else if (!quoted && !strncmp(text, "NaN", 3))
            memcpy(text, "\"\" ", 3), text += 2;
    }
}
