/* Printing arrays exactly as NumPy 2 does (numpy.array2string with its defaults: precision 8,
 * threshold 1000, 3 items at the edges, lines of 75 characters, floats with as many digits as they
 * need).
 *
 * Two passes: the first looks at the elements that will be shown and decides on one format for all
 * (decimal or exponent, columns before and after the point), the second writes. Scalars are printed
 * in full, as str() of a NumPy scalar. bfloat16, which NumPy lacks, follows the same rules. */
#include "base/log.h"
#include "base/str.h"
#include "tensor/decimal.h"
#include "tensor/tensor.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PRECISION = 8, THRESHOLD = 1000, EDGE = 3, LINE_WIDTH = 75 };

typedef struct {
    const kt_tensor *t;
    kt_str *out;
    bool summary;  /* only the edges are shown */
    bool exponent; /* 1.5e+10 */
    int left;      /* columns before the point, or of a whole item */
    int right;     /* places after it */
    int exp_size;  /* digits of the exponent */
    int column;    /* of the line being written */
    int64_t index[KT_MAX_RANK];
} printer;

/* Elements
 * ----------------------------------------------------------------------------------------- */

/* Is the middle of n positions left out? */
static bool is_cut(const printer *p, int64_t n) { return p->summary && n > (int64_t)2 * EDGE; }

/* The position after i of n. */
static int64_t next_shown(const printer *p, int64_t i, int64_t n) {
    return is_cut(p, n) && i == EDGE - 1 ? n - EDGE : i + 1;
}

/* Steps to the next element that will be shown; false (and back at the first) after the last. */
static bool step(printer *p) {
    const kt_shape *s = &p->t->shape;
    for (int d = s->ndim - 1; d >= 0; d--) {
        p->index[d] = next_shown(p, p->index[d], s->dim[d]);
        if (p->index[d] < s->dim[d]) return true;
        p->index[d] = 0;
    }
    return false;
}

static int64_t offset(const printer *p) {
    int64_t at = 0;
    for (int d = 0; d < p->t->shape.ndim; d++) at = at * p->t->shape.dim[d] + p->index[d];
    return at;
}

static double value(const printer *p) { return kt_elem_get(p->t->data, p->t->dtype, offset(p)); }

/* int64 does not fit into a double. */
static long long int_value(const printer *p) {
    int64_t v = 0;
    const char *from = (const char *)p->t->data + (size_t)offset(p) * kt_dtype_size(p->t->dtype);
    kt_elem_convert(&v, KT_INT64, from, p->t->dtype, 1);
    return v;
}

/* Measuring
 * ---------------------------------------------------------------------------------------- */

static int max_int(int a, int b) { return a > b ? a : b; }

static int digits_of(int v) {
    int n = 1;
    for (v = abs(v); v >= 10; v /= 10) n++;
    return n;
}

/* NumPy compares in the dtype of the array: its 0.0001 is what float32 makes of that. */
static double in_dtype(double v, kt_dtype dtype) {
    char element[8];
    kt_elem_set(element, dtype, 0, v);
    return kt_elem_get(element, dtype, 0);
}

/* From here on numbers get an exponent, because digits beyond would not be meant. */
static double large_limit(kt_dtype dtype, double of_float64) {
    return dtype == KT_FLOAT64 ? of_float64 : dtype == KT_FLOAT32 ? 1e6 : 1e3;
}

static bool needs_exponent(double smallest, double largest, kt_dtype dtype) {
    if (largest == 0) return false; /* nothing but zeros */
    return largest >= large_limit(dtype, 1e8) || smallest < in_dtype(0.0001, dtype) ||
           in_dtype(largest / smallest, dtype) > 1000;
}

static kt_decimal digits_for(const printer *p, double v) {
    const kt_decimal r = kt_decimal_shortest(v, p->t->dtype);
    if (kt_decimal_places(&r, p->exponent) <= PRECISION) return r;
    return kt_decimal_rounded(v, p->exponent, PRECISION);
}

static void measure_digits(printer *p) {
    do {
        const double v = value(p);
        if (!isfinite(v)) continue;
        const kt_decimal r = digits_for(p, v);
        const int whole = p->exponent ? 1 : max_int(r.point, 1);
        p->left = max_int(p->left, whole + r.negative);
        p->right = max_int(p->right, kt_decimal_places(&r, p->exponent));
        p->exp_size = max_int(p->exp_size, digits_of(kt_decimal_exponent(&r)));
    } while (step(p));
}

static void measure_floats(printer *p) {
    double smallest = INFINITY, largest = 0;
    bool special = false, minus_inf = false;
    do {
        const double v = value(p), a = fabs(v);
        special = special || !isfinite(v);
        minus_inf = minus_inf || (isinf(v) && v < 0);
        if (!isfinite(v) || a == 0) continue;
        smallest = a < smallest ? a : smallest;
        largest = a > largest ? a : largest;
    } while (step(p));
    p->exponent = needs_exponent(smallest, largest, p->t->dtype);
    p->exp_size = p->exponent ? 2 : 0;
    measure_digits(p);
    if (!p->exponent) p->exp_size = 0;
    const int behind = 1 + p->right + (p->exponent ? p->exp_size + 2 : 0);
    if (special) p->left = max_int(p->left, 3 + minus_inf - behind); /* room for "nan", "-inf" */
}

static void measure_ints(printer *p) {
    char text[32];
    do p->left = max_int(p->left, snprintf(text, sizeof text, "%lld", int_value(p)));
    while (step(p));
}

/* Items
 * -------------------------------------------------------------------------------------------- */

/* Digits first … first+n-1. */
static void put_digits(kt_str *b, const kt_decimal *r, int first, int n) {
    for (int i = first; i < first + n; i++) {
        const char c = kt_decimal_digit(r, i);
        kt_str_addn(b, &c, 1);
    }
}

static void put_exponent(kt_str *b, int e, int width) {
    kt_str_addf(b, "e%c%0*d", e < 0 ? '-' : '+', width, abs(e));
}

static const char *special_name(double v) { return isnan(v) ? "nan" : v < 0 ? "-inf" : "inf"; }

static void put_decimal(const printer *p, kt_str *b, double v) {
    const kt_decimal r = digits_for(p, v);
    const int whole = max_int(r.point, 1), places = kt_decimal_places(&r, false);
    kt_str_repeat(b, " ", p->left - whole - r.negative);
    if (r.negative) kt_str_add(b, "-");
    put_digits(b, &r, r.point - whole, whole);
    kt_str_add(b, ".");
    put_digits(b, &r, r.point, places);
    kt_str_repeat(b, " ", p->right - places);
}

/* All items have p->right places: where the shortest text is too short, NumPy goes on with the
 * digits of the exact value and not with zeros. */
static void put_scientific(const printer *p, kt_str *b, double v) {
    kt_decimal r = kt_decimal_shortest(v, p->t->dtype);
    if (kt_decimal_places(&r, true) != p->right) r = kt_decimal_rounded(v, true, p->right);
    kt_str_repeat(b, " ", p->left - 1 - r.negative);
    if (r.negative) kt_str_add(b, "-");
    put_digits(b, &r, 0, 1);
    kt_str_add(b, ".");
    put_digits(b, &r, 1, p->right);
    put_exponent(b, kt_decimal_exponent(&r), p->exp_size);
}

/* Python's repr. */
static void put_text(kt_str *b, const char *s) {
    const char quote = strchr(s, '\'') && !strchr(s, '"') ? '"' : '\'';
    kt_str_addn(b, &quote, 1);
    for (; *s; s++) {
        const unsigned char c = (unsigned char)*s;
        if (c == (unsigned char)quote || c == '\\')
            kt_str_addf(b, "\\%c", c);
        else if (c == '\n' || c == '\t' || c == '\r')
            kt_str_add(b, c == '\n' ? "\\n" : c == '\t' ? "\\t" : "\\r");
        else if (c < 32 || c == 127)
            kt_str_addf(b, "\\x%02x", c);
        else
            kt_str_addn(b, s, 1);
    }
    kt_str_addn(b, &quote, 1);
}

static void put_item(const printer *p, kt_str *b) {
    if (p->t->dtype == KT_STRING) {
        put_text(b, kt_tensor_text(p->t, offset(p)));
        return;
    }
    const double v = value(p);
    const int width = p->left + 1 + p->right + (p->exponent ? p->exp_size + 2 : 0);
    if (p->t->dtype == KT_BOOL)
        kt_str_add(b, v != 0 ? " True" : "False");
    else if (!kt_dtype_is_float(p->t->dtype))
        kt_str_addf(b, "%*lld", p->left, int_value(p));
    else if (!isfinite(v))
        kt_str_addf(b, "%*s", width, special_name(v));
    else if (p->exponent)
        put_scientific(p, b, v);
    else
        put_decimal(p, b, v);
}

/* Lines
 * -------------------------------------------------------------------------------------------- */

static void strip_blanks(kt_str *b) {
    while (b->n > 0 && b->s[b->n - 1] == ' ') b->s[--b->n] = 0;
}

/* Adds a word to the row; begins a new line if it does not fit and the line has a word already. */
static void put_word(printer *p, int axis, const char *word, size_t n) {
    const int prefix = axis + 1, width = LINE_WIDTH - axis - 1; /* one column for each bracket */
    if (p->column + (int)n > width && p->column > prefix) {
        strip_blanks(p->out);
        kt_str_add(p->out, "\n");
        kt_str_repeat(p->out, " ", prefix);
        p->column = prefix;
    }
    kt_str_addn(p->out, word, n);
    p->column += (int)n;
}

static void put_blank(printer *p) {
    kt_str_add(p->out, " ");
    p->column++;
}

static void put_row(printer *p, int axis) {
    const int64_t n = p->t->shape.dim[axis];
    kt_str word = {0};
    p->column = axis + 1;
    for (int64_t i = 0; i < n; i = next_shown(p, i, n)) {
        if (i > 0) put_blank(p);
        if (is_cut(p, n) && i == n - EDGE) {
            put_word(p, axis, "...", 3);
            put_blank(p);
        }
        word.n = 0;
        p->index[axis] = i;
        put_item(p, &word);
        if (!word.status)
            put_word(p, axis, word.s, word.n);
        else
            p->out->status = word.status;
    }
    kt_str_free(&word);
}

/* Blocks are separated by as many line ends as they have axes. */
static void put_separator(printer *p, int axis) {
    kt_str_repeat(p->out, "\n", p->t->shape.ndim - axis - 1);
    kt_str_repeat(p->out, " ", axis + 1);
}

/* The depth of this recursion is the rank, at most 8. */
static void put_axis(printer *p, int axis) {
    const int64_t n = p->t->shape.dim[axis];
    kt_str_add(p->out, "[");
    if (axis == p->t->shape.ndim - 1) {
        put_row(p, axis);
    } else {
        for (int64_t i = 0; i < n; i = next_shown(p, i, n)) {
            if (i > 0) put_separator(p, axis);
            if (is_cut(p, n) && i == n - EDGE) {
                kt_str_add(p->out, "...");
                put_separator(p, axis);
            }
            p->index[axis] = i;
            put_axis(p, axis + 1);
        }
    }
    p->index[axis] = 0;
    kt_str_add(p->out, "]");
}

/* str() of a NumPy scalar: all digits, "1.0" and not "1.", an exponent only for extremes. */
static void put_finite(kt_str *b, double v, kt_dtype dtype) {
    const kt_decimal r = kt_decimal_shortest(v, dtype);
    const double a = fabs(v);
    const bool exponent = a != 0 && (a >= large_limit(dtype, 1e16) || a < 1e-4);
    const int places = kt_decimal_places(&r, exponent), whole = exponent ? 1 : max_int(r.point, 1);
    const int first = exponent ? 0 : r.point - whole;
    if (r.negative) kt_str_add(b, "-");
    put_digits(b, &r, first, whole);
    if (places || !exponent) kt_str_add(b, ".");
    put_digits(b, &r, first + whole, places || exponent ? places : 1);
    if (exponent) put_exponent(b, kt_decimal_exponent(&r), 2);
}

static void put_scalar(kt_str *b, const printer *p) {
    const double v = value(p);
    if (p->t->dtype == KT_STRING)
        kt_str_add(b, kt_tensor_text(p->t, 0));
    else if (p->t->dtype == KT_BOOL)
        kt_str_add(b, v != 0 ? "True" : "False");
    else if (!kt_dtype_is_float(p->t->dtype))
        kt_str_addf(b, "%lld", int_value(p));
    else if (!isfinite(v))
        kt_str_add(b, special_name(v));
    else
        put_finite(b, v, p->t->dtype);
}

static void put_array(printer *p) {
    p->summary = kt_tensor_size(p->t) > THRESHOLD;
    if (kt_dtype_is_float(p->t->dtype))
        measure_floats(p);
    else if (p->t->dtype != KT_BOOL && p->t->dtype != KT_STRING)
        measure_ints(p);
    put_axis(p, 0);
}

static void put_tensor(kt_str *b, const kt_tensor *t) {
    printer p = {.t = t, .out = b};
    if (kt_failed(t) || !kt_is(t, KT_KIND_TENSOR))
        kt_str_addf(b, "<failed: %s>", kt_status_name(kt_failed(t) ? kt_check(t) : KT_EINVAL));
    else if (kt_tensor_size(t) == 0)
        kt_str_add(b, "[]");
    else if (t->shape.ndim == 0)
        put_scalar(b, &p);
    else
        put_array(&p);
}

size_t kt_tensor_str(const kt_tensor *t, char *buf, size_t size) {
    kt_str b = {0};
    put_tensor(&b, t);
    const size_t n = b.status ? 0 : b.n;
    if (size) snprintf(buf, size, "%s", n ? b.s : "");
    kt_str_free(&b);
    return n;
}

void kt_tensor_print(const kt_tensor *t) {
    kt_str b = {0};
    put_tensor(&b, t);
    kt_str_add(&b, "\n");
    if (!b.status) kt_out(b.s, b.n);
    kt_str_free(&b);
}
