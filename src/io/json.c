/* See json.h. jansson has no NaN: such tokens travel as strings that begin with a control character
 * no other part of the library makes. Its parser recurses, so a scan before it counts depth and
 * values; the scan knows only what strings and brackets are. */
#include "io/json.h"

#include "base/mem.h"
#include "io/source.h"

#include <errno.h>
#include <jansson.h>
#include <math.h>
#include <pthread.h>
#include <string.h>

#define MARK "\x7f"
static const char *const special[3] = {"NaN", "Infinity", "-Infinity"};

/* Reading */

typedef struct {
    const char *text;
    size_t size;
    int depth, depth_max;
    int64_t values, values_max;
    bool in_string, escaped;
    int n_special;
    size_t string_n; /* bytes of the string so far */
} scan;
#define STRING_MAX ((size_t)16 << 20) /* the parser doubles its buffer */

/* Is one of the three tokens at p? Its length, 0 if not. */
static size_t special_at(const char *p, const char *end) {
    for (int i = 2; i >= 0; i--) {
        const size_t n = strlen(special[i]);
        if ((size_t)(end - p) >= n && !memcmp(p, special[i], n)) return n;
    }
    return 0;
}

static void scan_string_byte(scan *s, char c) {
    s->string_n++;
    if (s->escaped)
        s->escaped = false;
    else if (c == '\\')
        s->escaped = true;
    else if (c == '"')
        s->in_string = false;
}

static kt_status scan_text(scan *s) {
    const char *end = s->text + s->size;
    for (const char *p = s->text; p < end; p++) {
        if (s->in_string) {
            scan_string_byte(s, *p);
            if (s->string_n <= STRING_MAX) continue;
            return KT_FAIL(KT_ELIMIT, "JSON: a string of more than %zu bytes", STRING_MAX);
        }
        if (*p == '"') s->in_string = true, s->string_n = 0;
        if (*p == '{' || *p == '[') s->depth++;
        if (*p == '}' || *p == ']') s->depth--;
        if (*p == '{' || *p == '[' || *p == ',' || *p == ':') s->values++;
        if (s->depth > s->depth_max)
            return KT_FAIL(KT_ELIMIT, "JSON: nested deeper than %d", s->depth_max);
        if (s->values > s->values_max)
            return KT_FAIL(KT_ELIMIT, "JSON: more than %lld values", (long long)s->values_max);
        const size_t n = *p == 'N' || *p == 'I' || *p == '-' ? special_at(p, end) : 0;
        if (!n) continue;
        s->n_special++;
        p += n - 1;
    }
    return KT_OK;
}

/* The text with its NaN tokens as marked strings. */
static char *replace_special(const scan *s, size_t *size) {
    char *out = kt_alloc(s->size + 8 * (size_t)s->n_special + 1);
    size_t at = 0;
    bool in_string = false, escaped = false;
    const char *end = s->text + s->size;
    for (const char *p = s->text; out && p < end; p++) {
        const size_t n = in_string ? 0 : special_at(p, end);
        if (n) {
            at += (size_t)snprintf(out + at, n + 9, "\"\\u007f%.*s\"", (int)n, p);
            p += n - 1;
            continue;
        }
        if (in_string && !escaped && *p == '\\')
            escaped = true;
        else {
            if (*p == '"' && !escaped) in_string = !in_string;
            escaped = false;
        }
        out[at++] = *p;
    }
    *size = at;
    return out;
}

/* jansson (2.14) calls some failed allocations syntax errors, and for others drops a character from
 * the middle of a string without a word. So its allocator, whichever that is, is asked through one
 * that notes a failure. */
static json_malloc_t next_malloc;
static json_free_t next_free;
static pthread_once_t noting_once = PTHREAD_ONCE_INIT;
static _Thread_local bool no_memory;

static void *noting_malloc(size_t size) {
    void *p = next_malloc(size);
    if (!p) no_memory = true;
    return p;
}

static void note_from_now_on(void) {
    json_get_alloc_funcs(&next_malloc, &next_free);
    json_set_alloc_funcs(noting_malloc, next_free);
}

/* For programs that unload this library and keep jansson. */
static __attribute__((destructor)) void note_no_more(void) {
    json_malloc_t now;
    json_free_t then;
    json_get_alloc_funcs(&now, &then);
    if (now == noting_malloc) json_set_alloc_funcs(next_malloc, then);
}

static kt_status parse_error(const json_error_t *e) {
    char what[200];
    if (json_error_code(e) == json_error_out_of_memory)
        return KT_FAIL(KT_ENOMEM, "JSON: out of memory");
    kt_quote(e->text, strlen(e->text), what, sizeof what);
    return KT_FAIL(KT_EFORMAT, "JSON: %s, at line %d, column %d", what, e->line, e->column);
}

kt_status kt_json_parse(
    kt_json **out, const char *text, size_t size, const kt_json_limits *limits) {
    const kt_json_limits none = {0}, *l = limits ? limits : &none;
    const size_t bytes_max = l->bytes_max ? l->bytes_max : (size_t)64 << 20;
    scan s = {
        .text = text,
        .size = size,
        .depth_max = l->depth_max ? l->depth_max : 128,
        .values_max = l->values_max ? l->values_max : 1000000,
    };
    *out = NULL;
    if (size > bytes_max)
        return KT_FAIL(KT_ELIMIT, "JSON: %zu bytes, more than the limit of %zu", size, bytes_max);
    if (size >= 3 && !memcmp(text, "\xef\xbb\xbf", 3))
        return KT_FAIL(KT_EFORMAT, "JSON: the text begins with a byte order mark");
    const kt_status st = scan_text(&s);
    if (st) return st;
    char *replaced = NULL;
    if (s.n_special) {
        replaced = replace_special(&s, &size);
        if (!replaced) return KT_ENOMEM;
        text = replaced;
    }
    json_error_t error;
    pthread_once(&noting_once, note_from_now_on);
    no_memory = false;
    *out = json_loadb(text, size, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &error);
    kt_mem_free(replaced);
    if (no_memory) {
        json_decref(*out);
        *out = NULL;
        return KT_FAIL(KT_ENOMEM, "JSON: out of memory");
    }
    return *out ? KT_OK : parse_error(&error);
}

void kt_json_free(kt_json *v) { json_decref(v); }
kt_json *kt_json_ref(kt_json *v) { return json_incref(v); }

/* Looking */

/* Index into `special` of a marked string, -1 if it is none. */
static int special_of(const kt_json *v) {
    const char *s = json_is_string(v) ? json_string_value(v) : "";
    if (*s != *MARK) return -1;
    for (int i = 0; i < 3; i++)
        if (!strcmp(s + 1, special[i])) return i;
    return -1;
}

kt_json_type kt_json_kind(const kt_json *v) {
    if (json_is_boolean(v)) return KT_JSON_BOOL;
    if (json_is_integer(v)) return KT_JSON_INT;
    if (json_is_real(v) || special_of(v) >= 0) return KT_JSON_REAL;
    if (json_is_string(v)) return KT_JSON_STR;
    if (json_is_array(v)) return KT_JSON_LIST;
    return json_is_object(v) ? KT_JSON_DICT : KT_JSON_NULL;
}

const char *kt_json_kind_name(const kt_json *v) {
    static const char *const names[] = {
        "null", "a bool", "an integer", "a number", "a string", "a list", "a dict"};
    return names[kt_json_kind(v)];
}

kt_json *kt_json_get(const kt_json *dict, const char *key) { return json_object_get(dict, key); }
kt_json *kt_json_at(const kt_json *list, int i) {
    return i < 0 ? NULL : json_array_get(list, (size_t)i);
}
const char *kt_json_text(const kt_json *str) {
    return kt_json_is(str, KT_JSON_STR) ? json_string_value(str) : NULL;
}
const char *kt_json_get_text(const kt_json *dict, const char *key) {
    return kt_json_text(kt_json_get(dict, key));
}
int kt_json_len(const kt_json *v) {
    return (int)(json_is_array(v) ? json_array_size(v) : json_object_size(v));
}
int64_t kt_json_int(const kt_json *v) { return json_integer_value(v); }
bool kt_json_bool(const kt_json *v) { return json_is_true(v); }
bool kt_json_is_number(const kt_json *v) {
    return kt_json_is(v, KT_JSON_INT) || kt_json_is(v, KT_JSON_REAL);
}

double kt_json_number(const kt_json *v) {
    const int at = special_of(v);
    if (at > 0) return at == 1 ? INFINITY : -INFINITY;
    return json_is_number(v) ? json_number_value(v) : NAN;
}

void *kt_json_iter(const kt_json *dict) { return json_object_iter((json_t *)(uintptr_t)dict); }
void *kt_json_next(const kt_json *dict, void *it) {
    return json_object_iter_next((json_t *)(uintptr_t)dict, it);
}
const char *kt_json_iter_key(void *it) { return json_object_iter_key(it); }
kt_json *kt_json_iter_value(void *it) { return json_object_iter_value(it); }

/* Making */

kt_json *kt_json_new_dict(void) { return json_object(); }
kt_json *kt_json_new_list(void) { return json_array(); }
kt_json *kt_json_new_null(void) { return json_null(); }
kt_json *kt_json_new_bool(bool v) { return json_boolean(v); }
kt_json *kt_json_new_int(int64_t v) { return json_integer(v); }
kt_json *kt_json_new_real(double v) {
    if (isnan(v)) return json_string_nocheck(MARK "NaN");
    if (isinf(v)) return json_string_nocheck(v > 0 ? MARK "Infinity" : MARK "-Infinity");
    return json_real(v);
}
kt_json *kt_json_new_str(const char *v) { return json_string(v); }

static kt_status made(int failed) {
    return failed ? KT_FAIL(KT_ENOMEM, "out of memory (or a text that is no UTF-8)") : KT_OK;
}
kt_status kt_json_put(kt_json *dict, const char *key, kt_json *value) {
    return made(json_object_set_new(dict, key, value));
}
kt_status kt_json_add(kt_json *list, kt_json *value) {
    return made(json_array_append_new(list, value));
}

/* Writing */

/* One code point of valid UTF-8, and how many bytes it takes. */
static int decode(const unsigned char *s, uint32_t *c) {
    if (*s < 0x80) return *c = *s, 1;
    if (*s < 0xe0) return *c = (uint32_t)(*s & 31) << 6 | (s[1] & 63), 2;
    if (*s < 0xf0)
        return *c = (uint32_t)(*s & 15) << 12 | (uint32_t)(s[1] & 63) << 6 | (s[2] & 63), 3;
    *c = (uint32_t)(*s & 7) << 18 | (uint32_t)(s[1] & 63) << 12 | (uint32_t)(s[2] & 63) << 6 |
         (s[3] & 63);
    return 4;
}

static void write_string(kt_str *out, const char *text) {
    static const char plain[] = "\"\\\n\r\t\b\f", letter[] = "\"\\nrtbf";
    kt_str_add(out, "\"");
    for (const unsigned char *s = (const unsigned char *)text; *s;) {
        uint32_t c;
        s += decode(s, &c);
        const char *known = c < 0x80 ? strchr(plain, (int)c) : NULL;
        if (known)
            kt_str_addf(out, "\\%c", letter[known - plain]);
        else if (c >= 0x20 && c < 0x7f)
            kt_str_addn(out, (const char *)s - 1, 1);
        else if (c < 0x10000)
            kt_str_addf(out, "\\u%04x", c);
        else
            kt_str_addf(
                out, "\\u%04x\\u%04x", 0xd800 + ((c - 0x10000) >> 10), 0xdc00 + (c & 0x3ff));
    }
    kt_str_add(out, "\"");
}

static void write_break(kt_str *out, int64_t indent, int depth) {
    if (indent == KT_NONE) return;
    kt_str_add(out, "\n");
    kt_str_repeat(out, " ", (int)(indent < 0 || indent > 40 ? 0 : indent) * depth);
}

static void write_value(kt_str *out, const kt_json *v, int64_t indent, int depth);

/* Depth is that of a document that was parsed (limited) or of a model (nested as deep). */
static void write_container(kt_str *out, const kt_json *v, int64_t indent, int depth) {
    const bool list = json_is_array(v);
    const int n = kt_json_len(v);
    kt_str_add(out, list ? "[" : "{");
    void *it = list ? NULL : kt_json_iter(v);
    for (int i = 0; i < n; i++) {
        if (i) kt_str_add(out, indent == KT_NONE ? ", " : ",");
        write_break(out, indent, depth + 1);
        if (!list) {
            write_string(out, kt_json_iter_key(it));
            kt_str_add(out, ": ");
        }
        write_value(out, list ? kt_json_at(v, i) : kt_json_iter_value(it), indent, depth + 1);
        if (!list) it = kt_json_next(v, it);
    }
    if (n) write_break(out, indent, depth);
    kt_str_add(out, list ? "]" : "}");
}

static void write_value(kt_str *out, const kt_json *v, int64_t indent, int depth) {
    const int at = special_of(v);
    switch (kt_json_kind(v)) {
    case KT_JSON_NULL:
        kt_str_add(out, "null");
        break;
    case KT_JSON_BOOL:
        kt_str_add(out, json_is_true(v) ? "true" : "false");
        break;
    case KT_JSON_INT:
        kt_str_addf(out, "%lld", (long long)json_integer_value(v));
        break;
    case KT_JSON_REAL:
        if (at >= 0)
            kt_str_add(out, special[at]);
        else
            kt_str_double(out, json_real_value(v));
        break;
    case KT_JSON_STR:
        write_string(out, json_string_value(v));
        break;
    case KT_JSON_LIST:
    case KT_JSON_DICT:
        write_container(out, v, indent, depth);
        break;
    }
}

void kt_json_write(kt_str *out, const kt_json *v, int64_t indent) {
    write_value(out, v, indent, 0);
}
