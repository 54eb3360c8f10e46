/* Reading and writing .npy. See npy.h.
 *
 * The header is a Python literal and is read by a parser of exactly that literal, never evaluated.
 * The bytes that its shape asks for must be those that are there before an array is made, so a
 * header cannot ask for memory that the file does not fill. */
#include "io/npy.h"

#include "base/mem.h"
#include "io/elem.h"
#include "io/npy_text.h"

#include <stdio.h>

#define HEADER_MAX (64 * 1024)
#define PREFIX_SIZE 10 /* magic, version, 16-bit length */

typedef struct {
    kt_elem elem;
    bool fortran;
    kt_shape shape;
} npy_info;

/* The literal -------------------------------------------------------------------------------------
 */

typedef struct {
    const char *p, *end;
} npy_text;

static kt_status bad_header(const char *what) {
    return KT_FAIL(KT_EFORMAT, "npy: the header is malformed: %s", what);
}

static void skip_blanks(npy_text *t) {
    while (t->p < t->end && *t->p == ' ') t->p++;
}

static bool take(npy_text *t, char c) {
    skip_blanks(t);
    if (t->p == t->end || *t->p != c) return false;
    t->p++;
    return true;
}

static bool take_word(npy_text *t, const char *word) {
    const size_t n = strlen(word);
    skip_blanks(t);
    if ((size_t)(t->end - t->p) < n || memcmp(t->p, word, n) != 0) return false;
    t->p += n;
    return true;
}

/* A string without escapes, between either kind of quotes, into buf. */
static bool take_string(npy_text *t, char *buf, size_t size) {
    skip_blanks(t);
    if (t->p == t->end || (*t->p != '\'' && *t->p != '"')) return false;
    const char quote = *t->p++;
    const char *start = t->p;
    while (t->p < t->end && *t->p != quote && *t->p != '\\') t->p++;
    if (t->p == t->end || *t->p == '\\' || (size_t)(t->p - start) >= size) return false;
    memcpy(buf, start, (size_t)(t->p - start));
    buf[t->p - start] = 0;
    t->p++;
    return true;
}

/* Decimal digits, and the L that Python 2 wrote behind them. */
static bool take_number(npy_text *t, int64_t *out) {
    int64_t v = 0;
    skip_blanks(t);
    const char *start = t->p;
    for (; t->p < t->end && *t->p >= '0' && *t->p <= '9'; t->p++) {
        if (v > (INT64_MAX - 9) / 10) return false;
        v = v * 10 + (*t->p - '0');
    }
    if (t->p == start || (*start == '0' && t->p - start > 1)) return false;
    if (t->p < t->end && *t->p == 'L') t->p++;
    *out = v;
    return true;
}

static kt_status parse_shape(npy_text *t, kt_shape *shape) {
    bool comma = true;
    *shape = (kt_shape){0};
    if (!take(t, '(')) return bad_header("shape is no tuple");
    while (!take(t, ')')) {
        int64_t d;
        if (!comma) return bad_header("shape is no tuple of numbers");
        if (!take_number(t, &d)) return bad_header("shape is no tuple of numbers");
        if (shape->ndim == KT_MAX_RANK)
            return KT_FAIL(KT_ELIMIT, "npy: arrays of more than %d dimensions", KT_MAX_RANK);
        shape->dim[shape->ndim++] = d;
        comma = take(t, ',');
    }
    return shape->ndim == 1 && !comma ? bad_header("shape is a number, not a tuple") : KT_OK;
}

/* "U12": characters, each of 4 bytes, or "S12": bytes. */
static kt_status parse_text_size(const char *d, kt_elem *e) {
    const int64_t most = INT32_MAX / 4;
    int64_t n = 0;
    const char *p = d + 1;
    for (; *p >= '0' && *p <= '9' && n <= most; p++) n = 10 * n + (*p - '0');
    if (*p || n < 1 || n > most)
        return KT_FAIL(
            KT_EUNSUPPORTED, "npy: texts are not supported with dtype '%c' of that length", *d);
    e->size = (int)n * (*d == 'U' ? 4 : 1);
    return KT_OK;
}

/* "<f4": byte order, kind, size. */
static kt_status parse_descr(npy_text *t, kt_elem *e) {
    char descr[32], quoted[KT_QUOTE_SIZE];
    skip_blanks(t);
    if (t->p < t->end && *t->p == '[')
        return KT_FAIL(KT_EUNSUPPORTED, "npy: arrays with named fields are not supported");
    if (!take_string(t, descr, sizeof descr)) return bad_header("descr is no string");
    kt_quote(descr, strlen(descr), quoted, sizeof quoted);
    const char *d = descr;
    const char order = strchr("<>|=", *d) && *d ? *d++ : '=';
    *e = (kt_elem){.kind = *d, .big = order == '>' || (order == '=' && kt_machine_is_big())};
    if (*d && d[1] >= '1' && d[1] <= '8' && !d[2]) e->size = d[1] - '0';
    if (*d == 'U' || *d == 'S') return parse_text_size(d, e);
    if (*d == 'O' || kt_elem_dtype(e) != KT_NO_DTYPE) return KT_OK;
    KT_FAIL(KT_EUNSUPPORTED, "npy: elements of this type are not supported");
    kt_error_expected("bool, integers, float16, float32, float64 or texts");
    return kt_error_got("dtype '%s'", quoted);
}

/* {'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), } in any order, each key once. */
static kt_status parse_literal(npy_text *t, npy_info *info) {
    enum { DESCR = 1, ORDER = 2, SHAPE = 4 };
    int seen = 0;
    bool comma = true;
    if (!take(t, '{')) return bad_header("no dict");
    while (!take(t, '}')) {
        char key[16];
        if (!comma || !take_string(t, key, sizeof key) || !take(t, ':'))
            return bad_header("no key where one is expected");
        const int which = !strcmp(key, "descr")           ? DESCR
                          : !strcmp(key, "fortran_order") ? ORDER
                          : !strcmp(key, "shape")         ? SHAPE
                                                          : 0;
        if (!which || (seen & which)) return bad_header("an unknown or doubled key");
        seen |= which;
        kt_status st = KT_OK;
        if (which == DESCR)
            st = parse_descr(t, &info->elem);
        else if (which == SHAPE)
            st = parse_shape(t, &info->shape);
        else if (take_word(t, "True"))
            info->fortran = true;
        else if (!take_word(t, "False"))
            st = bad_header("fortran_order is no boolean");
        if (st) return st;
        comma = take(t, ',');
    }
    if (seen != (DESCR | ORDER | SHAPE))
        return bad_header("descr, fortran_order or shape is missing");
    if (take(t, '\n')) skip_blanks(t);
    return t->p == t->end ? KT_OK : bad_header("text follows the dict");
}

/* Reading ----------------------------------------------------------------------------------------
 */

static kt_status read_header(kt_source *s, npy_info *info) {
    unsigned char h[PREFIX_SIZE] = {0}, more[2] = {0};
    if (s->left < PREFIX_SIZE) return KT_FAIL(KT_EFORMAT, "npy: too short to be a .npy file");
    kt_status st = kt_source_read(s, h, sizeof h);
    if (st) return st;
    if (memcmp(h, "\x93NUMPY", 6) != 0) return KT_FAIL(KT_EFORMAT, "npy: not a .npy file");
    if (h[6] < 1 || h[6] > 3 || h[7] != 0)
        return KT_FAIL(KT_EUNSUPPORTED, "npy: version %d.%d is not supported", h[6], h[7]);
    uint32_t n = kt_le16(h + 8);
    if (h[6] > 1) {
        st = kt_source_read(s, more, sizeof more);
        n |= (uint32_t)kt_le16(more) << 16;
    }
    if (!st && n > s->left) st = KT_FAIL(KT_EFORMAT, "npy: the header is longer than the file");
    if (!st && n > HEADER_MAX) st = KT_FAIL(KT_ELIMIT, "npy: the header has %u bytes", n);
    if (st) return st;
    char *text = kt_alloc(n);
    if (!text) return KT_ENOMEM;
    st = kt_source_read(s, text, n);
    if (!st) st = parse_literal(&(npy_text){text, text + n}, info);
    kt_mem_free(text);
    return st;
}

/* The data must be exactly as long as shape and dtype say. */
static kt_status check_length(const kt_source *s, const npy_info *info) {
    char text[KT_SHAPE_STR];
    const int64_t n = kt_shape_size(&info->shape);
    const uint64_t size = (uint64_t)info->elem.size;
    if (n >= 0 && s->left % size == 0 && s->left / size == (uint64_t)n) return KT_OK;
    KT_FAIL(KT_EFORMAT, "npy: the data have another length than the header says");
    kt_error_expected(
        "shape %s of %d bytes each",
        kt_shape_str(&info->shape, text, sizeof text),
        info->elem.size);
    return kt_error_got("%llu bytes of data", (unsigned long long)s->left);
}

/* From the order in which the first index runs fastest to the one in which the last does. */
static void fortran_to_c(char *to, const char *from, const kt_shape *shape, size_t size) {
    int64_t index[KT_MAX_RANK] = {0}, stride[KT_MAX_RANK], at = 0;
    const int64_t n = kt_shape_size(shape);
    for (int d = 0; d < shape->ndim; d++) stride[d] = d ? stride[d - 1] * shape->dim[d - 1] : 1;
    for (int64_t i = 0; i < n; i++) {
        memcpy(to + (size_t)i * size, from + (size_t)at * size, size);
        for (int d = shape->ndim - 1; d >= 0; d--) {
            at += stride[d];
            if (++index[d] < shape->dim[d]) break;
            at -= stride[d] * shape->dim[d];
            index[d] = 0;
        }
    }
}

kt_tensor *kt_npy_in_c_order(kt_tensor *t) {
    kt_tensor *c = kt_tensor_new(t->dtype, t->shape, NULL);
    if (!kt_failed(c)) fortran_to_c(c->data, t->data, &t->shape, kt_dtype_size(t->dtype));
    if (!kt_failed(c) && t->dtype == KT_STRING) { /* texts of t, which goes */
        kt_tensor *own = kt_tensor_copy(c);
        kt_free(c);
        c = own;
    }
    kt_free(t);
    return c;
}

kt_tensor *kt_npy_read_source(kt_source *s) {
    npy_info info = {0};
    kt_status st = read_header(s, &info);
    if (!st && info.elem.kind == 'O') {
        st = KT_FAIL(KT_EREFUSED, "npy: the array holds pickled Python objects");
        kt_error_hint("pickles can run code; save the array with a plain dtype");
    }
    if (!st) st = check_length(s, &info);
    if (st) return kt_fail_object(st);
    const bool texts = info.elem.kind == 'U' || info.elem.kind == 'S';
    kt_tensor *t = texts ? kt_npy_read_texts(s, &info.elem, info.shape)
                         : kt_tensor_new(kt_elem_dtype(&info.elem), info.shape, NULL);
    if (kt_failed(t)) return t;
    if (!texts) st = kt_elem_read(s, &info.elem, t->data, kt_tensor_size(t));
    if (st) {
        kt_free(t);
        return kt_fail_object(st);
    }
    return info.fortran && info.shape.ndim > 1 ? kt_npy_in_c_order(t) : t;
}

/* The pickle of an object array with that many axes. */
static kt_status read_pickle(
    kt_source *s, int ndim, npy_info *info, unsigned char **data, size_t *size) {
    kt_status st = read_header(s, info);
    *data = NULL;
    if (!st && (info->elem.kind != 'O' || info->shape.ndim != ndim))
        st = KT_FAIL(
            KT_EFORMAT,
            ndim ? "npy: expected one axis of lists, that is dtype '|O'"
                 : "npy: expected an object without axes, that is dtype '|O'");
    if (st) return st;
    *size = (size_t)s->left;
    *data = kt_alloc(*size);
    return *data ? kt_source_read(s, *data, *size) : KT_ENOMEM;
}

kt_status kt_npy_read_arrays(kt_source *s, kt_pickle_each each, void *with) {
    npy_info info = {0};
    unsigned char *data;
    size_t size;
    kt_status st = read_pickle(s, 0, &info, &data, &size);
    if (st == KT_OK) st = kt_pickle_arrays(data, size, each, with);
    kt_mem_free(data);
    return st;
}

kt_sequences *kt_npy_read_sequences(kt_source *s) {
    npy_info info = {0};
    unsigned char *data;
    size_t size;
    const kt_status st = read_pickle(s, 1, &info, &data, &size);
    kt_sequences *q = st ? kt_fail_object(st) : kt_pickle_sequences(data, size);
    kt_mem_free(data);
    if (kt_failed(q) || kt_sequences_count(q) == info.shape.dim[0]) return q;
    kt_free(q);
    return kt_fail_object(
        KT_FAIL(KT_EFORMAT, "npy: the pickle has another number of lists than the header says"));
}

kt_tensor *kt_npy_parse(const void *data, size_t size) {
    kt_source s = kt_source_of_memory(data, size);
    return kt_npy_read_source(&s);
}

kt_tensor *kt_npy_read(const char *path) {
    kt_fs_file file;
    const kt_status st = kt_fs_open(&file, path);
    if (st) return kt_fail_object(st);
    kt_source s = kt_source_of_file(&file);
    kt_tensor *t = kt_npy_read_source(&s);
    kt_fs_close(&file);
    if (kt_failed(t)) kt_error_context("in file \"%s\"", path);
    return t;
}

/* Writing ----------------------------------------------------------------------------------------
 */

/* NumPy leaves room for the first dimension to grow to 21 digits, and aligns the data to 64 bytes.
 */
kt_status kt_npy_header(kt_str *out, const kt_tensor *t) {
    static const char *const kinds[KT_DTYPE_COUNT] = {
        [KT_FLOAT32] = "f4",
        [KT_FLOAT64] = "f8",
        [KT_INT32] = "i4",
        [KT_INT64] = "i8",
        [KT_UINT8] = "u1",
        [KT_BOOL] = "b1",
        [KT_FLOAT16] = "f2",
        [KT_BFLOAT16] = "f4",
        [KT_INT8] = "i1",
    };
    char shape[KT_SHAPE_STR], texts[24];
    kt_str text = {0};
    if (t->dtype == KT_STRING)
        snprintf(texts, sizeof texts, "U%lld", (long long)kt_npy_text_width(t));
    const char order = kt_dtype_size(t->dtype) == 1 ? '|' : kt_machine_is_big() ? '>' : '<';
    kt_str_addf(
        &text,
        "{'descr': '%c%s', 'fortran_order': False, 'shape': %s, }",
        order,
        t->dtype == KT_STRING ? texts : kinds[t->dtype],
        kt_shape_str(&t->shape, shape, sizeof shape));
    if (t->shape.ndim > 0) {
        char digits[24];
        const int n = snprintf(digits, sizeof digits, "%lld", (long long)t->shape.dim[0]);
        kt_str_repeat(&text, " ", 21 - n);
    }
    kt_str_repeat(&text, " ", (int)(64 - (PREFIX_SIZE + text.n + 1) % 64));
    kt_str_add(&text, "\n");
    const char prefix[PREFIX_SIZE] = {
        '\x93', 'N', 'U', 'M', 'P', 'Y', 1, 0, (char)(text.n & 255), (char)(text.n >> 8)};
    kt_str_addn(out, prefix, sizeof prefix);
    if (!text.status) kt_str_addn(out, text.s, text.n);
    const kt_status st = text.status ? text.status : out->status;
    kt_str_free(&text);
    return st;
}

static kt_status write_array(const char *path, const kt_tensor *t) {
    kt_fs_writer w;
    kt_str header = {0};
    void *texts = NULL;
    size_t size = kt_tensor_bytes(t);
    kt_status st = kt_npy_header(&header, t);
    if (!st && t->dtype == KT_STRING) st = kt_npy_text_data(t, &texts, &size);
    if (!st) st = kt_fs_begin(&w, path);
    if (!st) {
        st = kt_fs_put(&w, header.s, header.n);
        if (!st) st = kt_fs_put(&w, texts ? texts : t->data, size);
        if (!st)
            st = kt_fs_commit(&w);
        else
            kt_fs_abort(&w);
    }
    kt_mem_free(texts);
    kt_str_free(&header);
    return st;
}

kt_status kt_npy_write(const char *path, const kt_tensor *t) {
    if (!kt_is(t, KT_KIND_TENSOR))
        return kt_failed(t) && t ? kt_check(t)
                                 : KT_FAIL(KT_EINVAL, "npy: expected an array to write");
    if (t->dtype != KT_BFLOAT16) return write_array(path, t);
    kt_tensor *wide = kt_tensor_cast(t, KT_FLOAT32);
    const kt_status st = kt_failed(wide) ? kt_check(wide) : write_array(path, wide);
    kt_free(wide);
    return st;
}
