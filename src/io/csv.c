/* Reading CSV. See csv.h.
 *
 * The text is gone through twice: first every line is counted and its fields with it, so that
 * tables are asked for once the file has shown that it fills them; then numbers are read. Fields
 * may stand in quotes, lines may end in LF, CR LF or CR, blank lines are passed over. An empty
 * field, NA and NaN are NaN. */
#include "io/csv.h"

#include "base/fs.h"
#include "base/locale.h"
#include "base/mem.h"
#include "base/str.h"
#include "io/source.h"
#include "tensor/tensor.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define MAX_BYTES ((uint64_t)8 << 30)
#define MAX_COLUMNS (1 << 20)
#define MAX_NUMBER 64 /* characters of a number */

typedef struct {
    const char *p, *end;
    char separator;
    int64_t line; /* of p, from 1 */
} csv_text;

typedef struct {
    const char *s;
    size_t n;
    bool quoted;
} csv_field;

typedef struct {
    csv_text body;                 /* behind the header */
    int64_t rows, columns, target; /* target: -1 for none */
    bool texts;
} csv_table;

static kt_status bad(const csv_text *t, const char *what) {
    return KT_FAIL(KT_EFORMAT, "csv: line %lld: %s", (long long)t->line, what);
}

static bool at_line_end(const csv_text *t) {
    return t->p == t->end || *t->p == '\n' || *t->p == '\r';
}

static void next_line(csv_text *t) {
    if (t->p < t->end && *t->p == '\r') t->p++;
    if (t->p < t->end && *t->p == '\n') t->p++;
    t->line++;
}

static void skip_blank_lines(csv_text *t) {
    while (t->p < t->end && at_line_end(t)) {
        if (*t->p == '\r' && t->p + 1 < t->end && t->p[1] == '\n') t->p++;
        t->p++;
        t->line++;
    }
}

/* "a ""b""": what is between the quotes, doubled ones included. */
static kt_status quoted_field(csv_text *t, csv_field *f) {
    const char *start = ++t->p;
    for (; t->p < t->end; t->p++) {
        if (*t->p == '\n') t->line++;
        if (*t->p != '"') continue;
        if (t->p + 1 == t->end || t->p[1] != '"') break;
        t->p++;
    }
    if (t->p == t->end) return bad(t, "a quote is not closed");
    *f = (csv_field){start, (size_t)(t->p - start), true};
    t->p++;
    return at_line_end(t) || *t->p == t->separator ? KT_OK : bad(t, "text follows a closing quote");
}

/* The next field of the line; *last when the line ends behind it. */
static kt_status take_field(csv_text *t, csv_field *f, bool *last) {
    kt_status st = KT_OK;
    while (t->p < t->end && *t->p == ' ' && t->separator != ' ') t->p++;
    if (t->p < t->end && *t->p == '"') {
        st = quoted_field(t, f);
    } else {
        const char *start = t->p;
        while (!at_line_end(t) && *t->p != t->separator) t->p++;
        size_t n = (size_t)(t->p - start);
        while (n && strchr(" \t", start[n - 1]) && start[n - 1]) n--;
        *f = (csv_field){start, n, false};
    }
    *last = at_line_end(t);
    if (!st && !*last) t->p++;
    return st;
}

/* Numbers -------------------------------------------------------------------------------------- */

static bool is_word(const char *s, size_t n, const char *word) {
    return n == strlen(word) && !strncasecmp(s, word, n);
}

static bool is_missing(const char *s, size_t n) {
    return n == 0 || is_word(s, n, "na") || is_word(s, n, "nan") || is_word(s, n, "null");
}

static bool take_number(const csv_field *f, double *v) {
    char text[MAX_NUMBER], *end;
    *v = NAN;
    if (is_missing(f->s, f->n)) return true;
    if (f->n >= sizeof text) return false;
    memcpy(text, f->s, f->n);
    text[f->n] = 0;
    const char *digits = text + (*text == '-' || *text == '+');
    if (is_word(digits, strlen(digits), "inf") || is_word(digits, strlen(digits), "infinity")) {
        *v = *text == '-' ? -INFINITY : INFINITY;
        return true;
    }
    if (strspn(digits, "0123456789.eE+-") != strlen(digits)) return false; /* no hex, no words */
    *v = kt_strtod(text, &end);
    return end != text && !*end;
}

static kt_status no_number(const csv_text *t, const csv_field *f, int64_t column) {
    char quoted[KT_QUOTE_SIZE];
    KT_FAIL(
        KT_EFORMAT,
        "csv: line %lld: column %lld is no number",
        (long long)t->line,
        (long long)column + 1);
    kt_error_got("\"%s\"", kt_quote(f->s, f->n, quoted, sizeof quoted));
    return kt_error_hint(
        memchr(f->s, ';', f->n) || memchr(f->s, '\t', f->n)
            ? "columns are separated by commas"
            : "words must be turned into numbers first");
}

/* The table ------------------------------------------------------------------------------------ */

static kt_status count_fields(csv_text *t, int64_t *columns, bool *all_numbers) {
    bool last = false;
    *columns = 0;
    *all_numbers = true;
    while (!last) {
        csv_field f;
        double v;
        const kt_status st = take_field(t, &f, &last);
        if (st) return st;
        if (*all_numbers && !take_number(&f, &v)) *all_numbers = false;
        if (++*columns > MAX_COLUMNS)
            return KT_FAIL(KT_ELIMIT, "csv: more than %d columns", MAX_COLUMNS);
    }
    return KT_OK;
}

/* The column named so in the header; else the column with that number. */
static kt_status find_target(csv_table *c, csv_text header, bool has_header, const char *target) {
    bool last = !has_header;
    char *end;
    for (int64_t i = 0; !last; i++) {
        csv_field f;
        const kt_status st = take_field(&header, &f, &last);
        if (st) return st;
        if (f.n != strlen(target) || memcmp(f.s, target, f.n) != 0) continue;
        c->target = i;
        return KT_OK;
    }
    const long long n = strtoll(target, &end, 10);
    if (end != target && !*end && n < c->columns && n >= -c->columns) {
        c->target = n < 0 ? n + c->columns : n;
        return KT_OK;
    }
    KT_FAIL(KT_ENOTFOUND, "csv: there is no column \"%.60s\"", target);
    return kt_error_expected(
        has_header ? "a name from the first line, or a number below %lld"
                   : "a number below %lld (the file has no names)",
        (long long)c->columns);
}

static kt_status count_rows(csv_table *c, csv_text t) {
    for (skip_blank_lines(&t); t.p < t.end; skip_blank_lines(&t)) {
        int64_t columns;
        bool numbers;
        const kt_status st = count_fields(&t, &columns, &numbers);
        if (st) return st;
        if (columns != c->columns) {
            bad(&t, "another number of fields than the lines above it");
            kt_error_expected("%lld fields", (long long)c->columns);
            return kt_error_got("%lld", (long long)columns);
        }
        c->rows++;
        next_line(&t);
    }
    return c->rows ? KT_OK : KT_FAIL(KT_EFORMAT, "csv: there are no rows");
}

/* Is that field of the line a number? */
static kt_status is_number_at(csv_text t, int64_t column, bool *is) {
    bool last = false;
    double v;
    for (int64_t i = 0; !last; i++) {
        csv_field f;
        const kt_status st = take_field(&t, &f, &last);
        if (st) return st;
        if (i == column) *is = take_number(&f, &v);
    }
    return KT_OK;
}

static kt_status look(csv_table *c, csv_text t, const kt_csv_options *o) {
    bool numbers;
    if (memchr(t.p, 0, (size_t)(t.end - t.p)))
        return KT_FAIL(KT_EFORMAT, "csv: the file is no text: it has bytes of 0");
    if (t.end - t.p >= 3 && !memcmp(t.p, "\xEF\xBB\xBF", 3)) t.p += 3; /* byte order mark */
    skip_blank_lines(&t);
    csv_text first = t;
    kt_status st = count_fields(&t, &c->columns, &numbers);
    if (st) return st;
    bool has_header = o->header == KT_AUTO ? !numbers : o->header != 0;
    c->target = -1;
    c->texts = o->texts;
    if (o->texts && o->header == KT_AUTO) {
        has_header = o->target != NULL;
        if (o->target) st = find_target(c, first, true, o->target);
        if (!st && o->target) st = is_number_at(first, c->target, &numbers);
        has_header = has_header && !numbers;
    }
    if (!st && o->target) st = find_target(c, first, has_header, o->target);
    next_line(&t);
    c->body = has_header ? t : first;
    if (!st) st = count_rows(c, c->body);
    if (st && !c->rows && has_header && first.p < first.end)
        kt_error_hint("the first line was taken for names; fields are separated by commas");
    return st;
}

/* The text of a field, ended by 0; "" stands for one quote in a field that has some around it. */
static void put_text(kt_str *out, const csv_field *f) {
    for (size_t i = 0; i < f->n; i++) {
        kt_str_addn(out, &f->s[i], 1);
        if (f->quoted && f->s[i] == '"') i++;
    }
    kt_str_addn(out, "", 1);
}

/* Reads the numbers; integer targets are first taken as such. Fields that are no target go to x, or
 * one behind the other to `texts`. */
static kt_status fill(const csv_table *c, kt_tensor *x, double *y, kt_str *texts) {
    csv_text t = c->body;
    float *to = x ? x->data : NULL;
    for (int64_t row = 0; row < c->rows; row++, next_line(&t)) {
        bool last = false;
        skip_blank_lines(&t);
        for (int64_t column = 0; !last; column++) {
            csv_field f;
            double v;
            const kt_status st = take_field(&t, &f, &last);
            if (st) return st;
            if (column != c->target && c->texts) {
                put_text(texts, &f);
                if (texts->status) return texts->status;
                continue;
            }
            if (!take_number(&f, &v)) return no_number(&t, &f, column);
            if (column == c->target)
                y[row] = v;
            else
                *to++ = (float)v;
        }
    }
    return KT_OK;
}

static kt_tensor *target_tensor(const double *y, int64_t n) {
    bool integers = true;
    for (int64_t i = 0; i < n && integers; i++)
        integers = y[i] == floor(y[i]) && fabs(y[i]) <= 0x1p53;
    kt_tensor *t = kt_tensor_new(integers ? KT_INT64 : KT_FLOAT32, kt_dims(n), NULL);
    if (!kt_failed(t)) kt_elem_convert(t->data, t->dtype, y, KT_FLOAT64, n);
    return t;
}

static kt_tensor *text_tensor(const kt_str *texts, kt_shape shape) {
    const int64_t n = kt_shape_size(&shape);
    const char **all = kt_alloc_array(n + 1, sizeof *all), *p = texts->s;
    if (!all) return kt_fail_object(KT_ENOMEM);
    for (int64_t i = 0; i < n; i++, p += strlen(p) + 1) all[i] = p;
    kt_tensor *t = kt_tensor_new(KT_STRING, shape, all);
    kt_mem_free(all);
    return t;
}

static kt_status make_tensors(const csv_table *c, kt_tensor **x, kt_tensor **y) {
    const bool split = c->target >= 0;
    const kt_shape shape = kt_dims(c->rows, c->columns - split);
    kt_str texts = {0};
    *x = c->texts ? NULL : kt_tensor_new(KT_FLOAT32, shape, NULL);
    kt_status st = *x ? kt_check(*x) : KT_OK;
    double *target = st || !split ? NULL : kt_alloc_array(c->rows, sizeof *target);
    if (!st && split && !target) st = KT_ENOMEM;
    if (!st) st = fill(c, *x, target, &texts);
    if (!st && c->texts) {
        *x = text_tensor(&texts, shape);
        st = kt_check(*x);
    }
    kt_str_free(&texts);
    if (!st && split) {
        *y = target_tensor(target, c->rows);
        st = kt_check(*y);
    }
    kt_mem_free(target);
    if (!st) return KT_OK;
    kt_free(*x);
    *x = *y = NULL;
    return st;
}

kt_status kt_csv_parse(
    const char *text, size_t size, const kt_csv_options *o, kt_tensor **x, kt_tensor **y) {
    csv_table c = {.rows = 0};
    *x = *y = NULL;
    const kt_status st = look(&c, (csv_text){text, text + size, o->separator, 1}, o);
    return st ? st : make_tensors(&c, x, y);
}

kt_status kt_csv_read(const char *path, const kt_csv_options *o, kt_tensor **x, kt_tensor **y) {
    unsigned char *data;
    size_t size;
    *x = *y = NULL;
    kt_status st = kt_fs_load(&data, &size, path, MAX_BYTES);
    if (st) return st;
    st = kt_csv_parse((const char *)data, size, o, x, y);
    kt_mem_free(data);
    if (st) kt_error_context("in file \"%s\"", path);
    return st;
}
