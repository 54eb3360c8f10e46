/* Element types of files. See elem.h. */
#include "io/elem.h"

bool kt_machine_is_big(void) {
    const uint16_t one = 1;
    unsigned char first;
    memcpy(&first, &one, 1);
    return first == 0;
}

kt_dtype kt_elem_dtype(const kt_elem *e) {
    static const struct {
        char kind;
        int size;
        kt_dtype dtype;
    } table[] = {
        {'f', 2, KT_FLOAT16},
        {'f', 4, KT_FLOAT32},
        {'f', 8, KT_FLOAT64},
        {'i', 1, KT_INT8},
        {'i', 2, KT_INT32},
        {'i', 4, KT_INT32},
        {'i', 8, KT_INT64},
        {'u', 1, KT_UINT8},
        {'u', 2, KT_INT32},
        {'u', 4, KT_INT64},
        {'u', 8, KT_INT64},
        {'b', 1, KT_BOOL},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        if (table[i].kind == e->kind && table[i].size == e->size) return table[i].dtype;
    return KT_NO_DTYPE;
}

static void swap_bytes(unsigned char *p, int64_t n, int size) {
    for (int64_t i = 0; i < n; i++, p += size) {
        for (int a = 0, b = size - 1; a < b; a++, b--) {
            const unsigned char t = p[a];
            p[a] = p[b];
            p[b] = t;
        }
    }
}

/* A file may hold any byte where a bool is expected; C allows 0 and 1 only. */
static void fix_bools(unsigned char *p, int64_t n) {
    for (int64_t i = 0; i < n; i++) p[i] = p[i] != 0;
}

static kt_status check_uint64(const void *data, int64_t n) {
    for (int64_t i = 0; i < n; i++) {
        int64_t v;
        memcpy(&v, (const char *)data + i * 8, sizeof v);
        if (v < 0)
            return KT_FAIL(
                KT_EUNSUPPORTED,
                "element %lld of a uint64 array is %llu, too large for int64",
                (long long)i,
                (unsigned long long)v);
    }
    return KT_OK;
}

/* Widens n small integers in the byte order of this machine. */
static void widen(const unsigned char *from, const kt_elem *e, void *to, int64_t n) {
    for (int64_t i = 0; i < n; i++, from += e->size) {
        int16_t i16;
        uint16_t u16;
        uint32_t u32;
        if (e->kind == 'i')
            memcpy(&i16, from, 2), ((int32_t *)to)[i] = i16;
        else if (e->size == 2)
            memcpy(&u16, from, 2), ((int32_t *)to)[i] = u16;
        else
            memcpy(&u32, from, 4), ((int64_t *)to)[i] = (int64_t)u32;
    }
}

kt_status kt_elem_read(kt_source *s, const kt_elem *e, void *data, int64_t n) {
    const bool swap = e->size > 1 && e->big != kt_machine_is_big();
    const size_t held = kt_dtype_size(kt_elem_dtype(e));
    if (held == (size_t)e->size) { /* straight into its final place */
        const kt_status st = kt_source_read(s, data, (size_t)n * held);
        if (st) return st;
        if (swap) swap_bytes(data, n, e->size);
        if (e->kind == 'b') fix_bools(data, n);
        return e->kind == 'u' && e->size == 8 ? check_uint64(data, n) : KT_OK;
    }
    unsigned char chunk[4096];
    const int64_t step = (int64_t)sizeof chunk / e->size;
    for (int64_t at = 0; at < n; at += step) {
        const int64_t m = n - at < step ? n - at : step;
        const kt_status st = kt_source_read(s, chunk, (size_t)(m * e->size));
        if (st) return st;
        if (swap) swap_bytes(chunk, m, e->size);
        widen(chunk, e, (char *)data + (size_t)at * held, m);
    }
    return KT_OK;
}
