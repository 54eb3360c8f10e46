/* Mutators that keep what hides the rest from a fuzzer: a zip archive is taken apart, one member is
 * changed, and it is put together again with the right check sums; JSON gets another value at a
 * random place. Used by targets built with libFuzzer (KT_FUZZ) only. */
#ifndef KT_FUZZ_MUTATORS_H
#define KT_FUZZ_MUTATORS_H
#ifdef KT_FUZZ

#include "base/error.h"
#include "base/mem.h"
#include "io/zip.h"

#include <jansson.h>
#include <string.h>
#include <zlib.h>

size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max_size);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned int seed);

static unsigned fuzz_next(unsigned *seed) { return (*seed = *seed * 1664525u + 1013904223u) >> 8; }

/* JSON ----------------------------------------------------------------------------------------- */

/* The k-th value below `v`, counted in *k, and what holds it. */
static json_t *json_nth(json_t *v, int *k, json_t **holder, const char **key, size_t *index) {
    const char *name;
    json_t *item, *found = NULL;
    size_t i;
    if (json_is_object(v)) {
        json_object_foreach(v, name, item) {
            if (!(*k)--) return *holder = v, *key = name, item;
            if ((found = json_nth(item, k, holder, key, index))) return found;
        }
    } else if (json_is_array(v)) {
        json_array_foreach(v, i, item) {
            if (!(*k)--) return *holder = v, *key = NULL, *index = i, item;
            if ((found = json_nth(item, k, holder, key, index))) return found;
        }
    }
    return NULL;
}

static int json_values(const json_t *v) {
    const char *key;
    json_t *item;
    size_t i;
    int n = 0;
    if (json_is_object(v)) {
        json_object_foreach((json_t *)(uintptr_t)v, key, item) n += 1 + json_values(item);
    } else if (json_is_array(v)) {
        json_array_foreach(v, i, item) n += 1 + json_values(item);
    }
    return n;
}

static json_t *json_other_value(json_t *root, int n, unsigned *seed) {
    static const char *const words[] = {
        "", "relu", "same", "channels_first", "float16", "dense", "Dense", "adam"};
    static const double reals[] = {0, -1, 0.5, 1e-7, 1e300, 1, 2, 4294967296.0};
    const unsigned choice = fuzz_next(seed) % 10, r = fuzz_next(seed);
    json_t *holder;
    const char *key;
    size_t index;
    int k = (int)(r % (unsigned)n);
    switch (choice) {
    case 0:
        return json_integer((json_int_t)(r % 9) - 2);
    case 1:
        return json_integer((json_int_t)1 << r % 63);
    case 2:
        return json_real(reals[r % 8]);
    case 3:
        return json_string(words[r % 8]);
    case 4:
        return r & 1 ? json_true() : json_false();
    case 5:
        return json_null();
    case 6:
        return r & 1 ? json_array() : json_object();
    default:
        return json_deep_copy(json_nth(root, &k, &holder, &key, &index));
    }
}

/* Puts another value in a random place, drops one, or doubles one; 0 if the text is no JSON. */
static size_t mutate_json(uint8_t *data, size_t size, size_t max_size, unsigned seed) {
    json_error_t error;
    json_t *root = json_loadb((const char *)data, size, 0, &error), *holder = NULL;
    const int n = root ? json_values(root) : 0;
    size_t index = 0, written = 0;
    const char *key = NULL;
    int k = n ? (int)(fuzz_next(&seed) % (unsigned)n) : 0;
    if (n && json_nth(root, &k, &holder, &key, &index)) {
        const unsigned how = fuzz_next(&seed) % 8;
        char copy[256] = "";
        if (key) snprintf(copy, sizeof copy, "%s", key);
        json_t *v = json_other_value(root, n, &seed);
        if (how == 0 && key)
            json_object_del(holder, copy);
        else if (how == 0)
            json_array_remove(holder, index);
        else if (how == 1 && !key)
            json_array_insert(holder, index, v);
        else if (key)
            json_object_set(holder, copy, v);
        else
            json_array_set(holder, index, v);
        json_decref(v);
        written = json_dumpb(root, (char *)data, max_size, JSON_COMPACT);
        if (written > max_size) written = 0;
    }
    json_decref(root);
    return written;
}

/* Zip ------------------------------------------------------------------------------------------ */

typedef struct fuzz_member {
    char name[64];
    uint8_t *data;
    size_t size;
} fuzz_member;

static uint8_t *put_le(uint8_t *p, uint64_t v, int bytes) {
    for (int i = 0; i < bytes; i++, v >>= 8) *p++ = (uint8_t)v;
    return p;
}

static uint8_t *put_head(uint8_t *p, const fuzz_member *m, int central, size_t offset) {
    const uint32_t crc = (uint32_t)crc32(0, m->data, (uInt)m->size);
    p = put_le(p, central ? 0x02014B50 : 0x04034B50, 4);
    p = put_le(p, central ? 0x0014031E : 20, central ? 4 : 2);
    p = put_le(p, 0, 8); /* flags, stored, time, date */
    p = put_le(p, crc, 4);
    p = put_le(p, m->size, 4);
    p = put_le(p, m->size, 4);
    p = put_le(p, strlen(m->name), 2);
    p = put_le(p, 0, 2);
    if (central) p = put_le(p, 0, 10); /* comment, disk, attributes */
    if (central) p = put_le(p, offset, 4);
    memcpy(p, m->name, strlen(m->name));
    return p + strlen(m->name);
}

/* The members as an archive; 0 if it has no room. */
static size_t put_zip(uint8_t *out, size_t max_size, const fuzz_member *m, int n) {
    size_t need = 22, at[16], size;
    for (int i = 0; i < n; i++) need += 76 + 2 * strlen(m[i].name) + m[i].size;
    if (need > max_size) return 0;
    uint8_t *p = out;
    for (int i = 0; i < n; i++) {
        at[i] = (size_t)(p - out);
        p = put_head(p, &m[i], 0, 0);
        memcpy(p, m[i].data, m[i].size);
        p += m[i].size;
    }
    const size_t start = (size_t)(p - out);
    for (int i = 0; i < n; i++) p = put_head(p, &m[i], 1, at[i]);
    size = (size_t)(p - out) - start;
    p = put_le(p, 0x06054B50, 8);
    p = put_le(p, (uint64_t)n, 2);
    p = put_le(p, (uint64_t)n, 2);
    p = put_le(p, size, 4);
    p = put_le(p, start, 4);
    return (size_t)(put_le(p, 0, 2) - out);
}

static int take_members(kt_zip *z, fuzz_member *m, size_t room) {
    const int n = kt_zip_count(z);
    if (n < 1 || n > 16) return 0;
    for (int i = 0; i < n; i++) {
        const kt_zip_entry *e = kt_zip_entry_at(z, i);
        if (strlen(e->name) >= sizeof m->name || e->size > room) return 0;
        snprintf(m[i].name, sizeof m[i].name, "%s", e->name);
        m[i].size = (size_t)e->size;
        m[i].data = kt_alloc(room);
        if (!m[i].data || kt_zip_read(z, i, m[i].data)) return 0;
    }
    return n;
}

/* Changes one member of an archive; the bytes themselves where it is none, and now and then. */
static size_t mutate_zip(uint8_t *data, size_t size, size_t max_size, unsigned seed) {
    fuzz_member m[16] = {{{0}, NULL, 0}};
    size_t written = 0;
    kt_zip *z = NULL;
    if (fuzz_next(&seed) % 16 && kt_zip_open_memory(&z, data, size, NULL) == KT_OK) {
        const int n = take_members(z, m, max_size);
        kt_zip_close(z);
        if (n) {
            fuzz_member *one = &m[fuzz_next(&seed) % (unsigned)n];
            const bool json = one->size && one->data[0] == '{' && fuzz_next(&seed) % 4;
            size_t changed = json ? mutate_json(one->data, one->size, max_size, seed) : 0;
            one->size = changed ? changed : LLVMFuzzerMutate(one->data, one->size, max_size);
            written = put_zip(data, max_size, m, n);
        }
    }
    for (int i = 0; i < 16; i++) kt_mem_free(m[i].data);
    kt_error_clear();
    return written ? written : LLVMFuzzerMutate(data, size, max_size);
}

#endif
#endif
