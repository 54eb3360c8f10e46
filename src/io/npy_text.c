/* Arrays of texts in .npy files: '<U12' has 12 code points of 4 bytes for each element, '|S12' 12
 * bytes; zeros fill up what is shorter. */
#include "io/npy_text.h"

#include "base/mem.h"

#include <string.h>

#define MAX_POINT 0x10ffff

static void put_utf8(kt_str *out, uint32_t c) {
    char b[4];
    const int n = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
    static const unsigned char lead[] = {0, 0, 0xc0, 0xe0, 0xf0};
    for (int i = n - 1; i > 0; i--, c >>= 6) b[i] = (char)(0x80 | (c & 0x3f));
    b[0] = (char)(lead[n] | c);
    kt_str_addn(out, b, (size_t)n);
}

static uint32_t point_at(const unsigned char *p, bool big) {
    uint32_t v = 0;
    for (int i = 0; i < 4; i++) v = v << 8 | p[big ? i : 3 - i];
    return v;
}

/* One element, ended by 0. */
static kt_status add_text(kt_str *out, const unsigned char *p, const kt_elem *e, int64_t at) {
    const int step = e->kind == 'U' ? 4 : 1;
    int n = e->size / step;
    for (; n > 0; n--)
        if (step == 1 ? p[n - 1] : point_at(p + (n - 1) * step, e->big)) break;
    for (int i = 0; i < n; i++) {
        const uint32_t c = step == 1 ? p[i] : point_at(p + i * step, e->big);
        if (!c) return KT_FAIL(KT_EUNSUPPORTED, "npy: text %lld has a NUL inside", (long long)at);
        if (step == 4 && (c > MAX_POINT || (c >= 0xd800 && c < 0xe000)))
            return KT_FAIL(
                KT_EFORMAT, "npy: text %lld has %#lx, no character", (long long)at, (long)c);
        if (step == 1)
            kt_str_addn(out, (const char *)&p[i], 1);
        else
            put_utf8(out, c);
    }
    kt_str_addn(out, "", 1);
    return out->status;
}

kt_tensor *kt_npy_read_texts(kt_source *s, const kt_elem *e, kt_shape shape) {
    const int64_t n = kt_shape_size(&shape);
    unsigned char *one = kt_alloc((size_t)e->size);
    const char **text = kt_alloc_array(n + 1, sizeof *text);
    kt_str all = {0};
    kt_status st = one && text ? KT_OK : KT_ENOMEM;
    for (int64_t i = 0; i < n && st == KT_OK; i++) {
        st = kt_source_read(s, one, (size_t)e->size);
        if (st == KT_OK) st = add_text(&all, one, e, i);
    }
    const char *at = all.s; /* where it stays, now that it does not grow */
    for (int64_t i = 0; i < n && st == KT_OK; i++, at += strlen(at) + 1) text[i] = at;
    kt_tensor *t = st ? kt_fail_object(st) : kt_tensor_new(KT_STRING, shape, text);
    kt_str_free(&all);
    kt_mem_free(one);
    kt_mem_free(text);
    return t;
}

/* The code point at *s, which goes behind it; bytes that are no UTF-8 are U+FFFD each. */
static uint32_t next_point(const unsigned char **s) {
    const unsigned char *p = *s;
    const int n = *p < 0x80 ? 1 : *p < 0xc2 ? 0 : *p < 0xe0 ? 2 : *p < 0xf0 ? 3 : *p < 0xf5 ? 4 : 0;
    uint32_t c = n > 1 ? *p & (0x7fu >> n) : *p;
    bool ok = n > 0;
    for (int i = 1; i < n && ok; i++) {
        ok = (p[i] & 0xc0) == 0x80;
        c = c << 6 | (p[i] & 0x3f);
    }
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    ok = ok && c >= least[n] && c <= MAX_POINT && !(c >= 0xd800 && c < 0xe000);
    *s += ok ? n : 1;
    return ok ? c : 0xfffd;
}

int64_t kt_npy_text_width(const kt_tensor *t) {
    int64_t width = 1;
    for (int64_t i = 0; i < kt_tensor_size(t); i++) {
        const unsigned char *p = (const unsigned char *)kt_tensor_text(t, i);
        int64_t n = 0;
        for (; *p; n++) next_point(&p);
        if (n > width) width = n;
    }
    return width;
}

kt_status kt_npy_text_data(const kt_tensor *t, void **data, size_t *size) {
    const int64_t width = kt_npy_text_width(t), n = kt_tensor_size(t);
    *data = NULL;
    if (width > INT32_MAX / 4 || (n && width > INT64_MAX / 8 / n))
        return KT_FAIL(KT_ELIMIT, "npy: a text of %lld characters", (long long)width);
    uint32_t *all = kt_alloc_array(n * width + 1, sizeof *all);
    if (!all) return KT_ENOMEM;
    for (int64_t i = 0; i < n; i++) {
        const unsigned char *p = (const unsigned char *)kt_tensor_text(t, i);
        for (int64_t k = 0; *p; k++) all[i * width + k] = next_point(&p);
    }
    *data = all;
    *size = (size_t)(n * width) * sizeof *all;
    return KT_OK;
}
