/* hash_bins: whole numbers or texts to bins, as TensorFlow hashes them. keras.layers.Hashing,
 * HashedCrossing, StringLookup
 *
 *   KT_HASH_FARM   FarmHash Fingerprint64 of the decimal text, modulo bins
 *   KT_HASH_SIP    SipHash-2-4 of the decimal text with a key of 128 bits, modulo bins
 *   KT_HASH_CROSS  the numbers of all inputs, or Fingerprint64 of their texts, mixed one after the
 *                  other (FingerprintCat64), modulo
 *   KT_HASH_MODULO the number itself modulo bins, not negative: no hash, but all 64 bits too
 *
 * A primitive, because 64 bits of every number count and elementwise kernels compute in floats.
 * Written from the published algorithms: FarmHash (farmhashna, G. Pike, MIT licence) and "SipHash:
 * a fast short-input PRF" (Aumasson and Bernstein). No gradient. */
#include "base/error.h"
#include "ops/build.h"

#include <string.h>

/* FarmHash ------------------------------------------------------------------------------------- */

#define K0 UINT64_C(0xc3a5c85c97cb3127)
#define K1 UINT64_C(0xb492b66fbe98f273)
#define K2 UINT64_C(0x9ae16a3b2f90404f)

/* Little-endian whatever the machine is. */
static uint64_t fetch(const unsigned char *s, int n) {
    uint64_t v = 0;
    for (int i = n; i-- > 0;) v = v << 8 | s[i];
    return v;
}

static uint64_t rotate(uint64_t v, int by) { return v >> by | v << (64 - by); }
static uint64_t shift_mix(uint64_t v) { return v ^ v >> 47; }

static uint64_t mix(uint64_t u, uint64_t v, uint64_t mul) {
    const uint64_t a = shift_mix((u ^ v) * mul);
    return shift_mix((v ^ a) * mul) * mul;
}

typedef struct {
    uint64_t a, b;
} pair;

static pair weak_pair(const unsigned char *s, uint64_t a, uint64_t b) {
    const uint64_t last = fetch(s + 24, 8);
    a += fetch(s, 8);
    b = rotate(b + a + last, 21);
    const uint64_t c = a;
    a += fetch(s + 8, 8) + fetch(s + 16, 8);
    b += rotate(a, 44);
    return (pair){a + last, b + c};
}

/* x, y, z and two pairs take 64 bytes in. */
typedef struct {
    uint64_t x, y, z;
    pair v, w;
} farm_state;

static void farm_block(farm_state *f, const unsigned char *s, uint64_t mul, uint64_t nine) {
    uint64_t x = rotate(f->x + f->y + f->v.a + fetch(s + 8, 8), 37) * mul;
    f->y = rotate(f->y + f->v.b + fetch(s + 48, 8), 42) * mul;
    x ^= f->w.b * nine;
    f->y += f->v.a * nine + fetch(s + 40, 8);
    const uint64_t z = rotate(f->z + f->w.a, 33) * mul;
    f->v = weak_pair(s, f->v.b * mul, x + f->w.a);
    f->w = weak_pair(s + 32, z + f->w.b, f->y + fetch(s + 16, 8));
    f->x = z;
    f->z = x;
}

static uint64_t farm_long(const unsigned char *s, size_t n) {
    farm_state f = {.x = 81, .y = 81 * K1 + 113};
    const size_t whole = (n - 1) / 64 * 64, rest = (n - 1) & 63;
    f.z = shift_mix(f.y * K2 + 113) * K2;
    f.x = f.x * K2 + fetch(s, 8);
    for (size_t i = 0; i < whole; i += 64) farm_block(&f, s + i, K1, 1);
    const uint64_t mul = K1 + ((f.z & 0xff) << 1);
    f.w.a += rest;
    f.v.a += f.w.a;
    f.w.a += f.v.a;
    farm_block(&f, s + whole + rest - 63, mul, 9);
    return mix(
        mix(f.v.a, f.w.a, mul) + shift_mix(f.y) * K0 + f.z, mix(f.v.b, f.w.b, mul) + f.x, mul);
}

static uint64_t farm_64(const unsigned char *s, size_t n) {
    const uint64_t mul = K2 + n * 2, a = fetch(s, 8) * K2, b = fetch(s + 8, 8);
    const uint64_t c = fetch(s + n - 8, 8) * mul, d = fetch(s + n - 16, 8) * K2;
    const uint64_t y = rotate(a + b, 43) + rotate(c, 30) + d;
    const uint64_t z = mix(y, a + rotate(b + K2, 18) + c, mul);
    const uint64_t e = fetch(s + 16, 8) * mul, f = fetch(s + 24, 8);
    const uint64_t g = (y + fetch(s + n - 32, 8)) * mul, h = (z + fetch(s + n - 24, 8)) * mul;
    return mix(rotate(e + f, 43) + rotate(g, 30) + h, e + rotate(f + a, 18) + g, mul);
}

static uint64_t farm(const unsigned char *s, size_t n) {
    const uint64_t mul = K2 + n * 2;
    if (n > 64) return farm_long(s, n);
    if (n > 32) return farm_64(s, n);
    if (n == 0) return K2;
    if (n > 16) {
        const uint64_t a = fetch(s, 8) * K1, b = fetch(s + 8, 8), c = fetch(s + n - 8, 8) * mul;
        const uint64_t d = fetch(s + n - 16, 8) * K2;
        return mix(rotate(a + b, 43) + rotate(c, 30) + d, a + rotate(b + K2, 18) + c, mul);
    }
    if (n >= 8) {
        const uint64_t a = fetch(s, 8) + K2, b = fetch(s + n - 8, 8);
        return mix(rotate(b, 37) * mul + a, (rotate(a, 25) + b) * mul, mul);
    }
    if (n >= 4) return mix(n + (fetch(s, 4) << 3), fetch(s + n - 4, 4), mul);
    const uint32_t y = s[0] + ((uint32_t)s[n >> 1] << 8);
    const uint32_t z = (uint32_t)n + ((uint32_t)s[n - 1] << 2);
    return shift_mix(y * K2 ^ z * K0) * K2;
}

/* SipHash-2-4 ---------------------------------------------------------------------------------- */

static void sip_rounds(uint64_t v[4], int n) {
    while (n-- > 0) {
        v[0] += v[1];
        v[2] += v[3];
        v[1] = rotate(v[1], 64 - 13) ^ v[0];
        v[3] = rotate(v[3], 64 - 16) ^ v[2];
        v[0] = rotate(v[0], 32);
        v[2] += v[1];
        v[0] += v[3];
        v[1] = rotate(v[1], 64 - 17) ^ v[2];
        v[3] = rotate(v[3], 64 - 21) ^ v[0];
        v[2] = rotate(v[2], 32);
    }
}

static uint64_t sip(const unsigned char *s, size_t n, const int64_t key[2]) {
    const uint64_t k0 = (uint64_t)key[0], k1 = (uint64_t)key[1];
    uint64_t v[4] = {
        k0 ^ UINT64_C(0x736f6d6570736575),
        k1 ^ UINT64_C(0x646f72616e646f6d),
        k0 ^ UINT64_C(0x6c7967656e657261),
        k1 ^ UINT64_C(0x7465646279746573)};
    for (size_t i = 0; i <= n; i += 8) { /* the last word has what is left, and the length */
        const bool whole = n - i >= 8;
        const uint64_t m = whole ? fetch(s + i, 8) : fetch(s + i, (int)(n - i)) | (uint64_t)n << 56;
        v[3] ^= m;
        sip_rounds(v, 2);
        v[0] ^= m;
    }
    v[2] ^= 0xff;
    sip_rounds(v, 4);
    return v[0] ^ v[1] ^ v[2] ^ v[3];
}

/* The op --------------------------------------------------------------------------------------- */

#define NUMBER_MAX 20 /* "-9223372036854775808" */

/* The decimal text, at the end of the buffer; its length. */
static size_t decimal(unsigned char text[NUMBER_MAX], int64_t x) {
    uint64_t rest = x < 0 ? 0 - (uint64_t)x : (uint64_t)x;
    size_t n = 0;
    do {
        text[NUMBER_MAX - ++n] = (unsigned char)('0' + rest % 10);
    } while (rest /= 10);
    if (x < 0) text[NUMBER_MAX - ++n] = '-';
    return n;
}

static uint64_t hash_text(const hash_attrs *a, int64_t x) {
    unsigned char text[NUMBER_MAX];
    const size_t n = decimal(text, x);
    return a->kind == KT_HASH_SIP ? sip(text + NUMBER_MAX - n, n, a->key)
                                  : farm(text + NUMBER_MAX - n, n);
}

/* What the crossing takes of input j. */
static int64_t feature(const kt_kargs *k, int j, int64_t i) {
    if (k->node->in[j]->spec.dtype != KT_STRING) return ((const int64_t *)k->in[j])[i];
    const char *text = ((const char *const *)k->in[j])[i];
    return (int64_t)farm((const unsigned char *)(text ? text : ""), text ? strlen(text) : 0);
}

static uint64_t hash_string(const hash_attrs *a, const char *text) {
    const unsigned char *s = (const unsigned char *)(text ? text : "");
    const size_t n = strlen((const char *)s);
    return a->kind == KT_HASH_SIP ? sip(s, n, a->key) : farm(s, n);
}

/* What TensorFlow begins a cross with, and its FingerprintCat64. */
#define CROSS_BEGIN UINT64_C(0xDECAFCAFFE)
static uint64_t cross(uint64_t so_far, int64_t x) {
    const uint64_t mul = UINT64_C(0xc6a4a7935bd1e995);
    const uint64_t mixed = ((so_far ^ mul) ^ (shift_mix((uint64_t)x * mul) * mul)) * mul;
    return shift_mix(shift_mix(mixed) * mul);
}

static kt_status hash_bins_ref(const kt_kargs *k) {
    const hash_attrs *a = k->node->attrs;
    const int64_t n = kt_shape_size(&k->node->out[0]->spec.shape);
    int64_t *y = k->out[0];
    if (a->kind == KT_HASH_CROSS) {
        for (int64_t i = 0; i < n; i++) {
            uint64_t h = CROSS_BEGIN;
            for (int j = 0; j < k->node->n_in; j++) h = cross(h, feature(k, j, i));
            y[i] = (int64_t)(h % (uint64_t)a->bins);
        }
        return KT_OK;
    }
    const bool texts = k->node->in[0]->spec.dtype == KT_STRING;
    for (int64_t i = 0; i < n && texts; i++)
        y[i] = (int64_t)(hash_string(a, ((const char *const *)k->in[0])[i]) % (uint64_t)a->bins);
    for (int64_t i = 0; i < n && !texts; i++) {
        const int64_t x = ((const int64_t *)k->in[0])[i];
        const uint64_t h = a->kind == KT_HASH_MODULO ? 0 : hash_text(a, x);
        int64_t bin = (int64_t)(h % (uint64_t)a->bins);
        if (a->kind == KT_HASH_MODULO) bin = (x % a->bins + a->bins) % a->bins;
        y[i] = !a->masked ? bin : x == a->mask ? 0 : bin + 1;
    }
    return KT_OK;
}

static kt_status hash_bins_infer(const kt_node *n, kt_spec *out) {
    const hash_attrs *a = n->attrs;
    *out = (kt_spec){KT_INT64, n->in[0]->spec.shape};
    const bool texts = (n->n_in == 1 && a->kind <= KT_HASH_SIP) || a->kind == KT_HASH_CROSS;
    for (int i = 0; i < n->n_in; i++) {
        const kt_dtype dtype = n->in[i]->spec.dtype;
        if (dtype != KT_INT64 && (dtype != KT_STRING || !texts || a->masked))
            return KT_FAIL(KT_EDTYPE, "hash_bins: expected int64 numbers or texts");
        if (!kt_shape_equal(&n->in[i]->spec.shape, &out->shape))
            return KT_FAIL(KT_ESHAPE, "hash_bins: expected inputs of one shape");
    }
    if (a->bins >= 1 && a->kind >= KT_HASH_FARM && a->kind <= KT_HASH_MODULO) return KT_OK;
    return KT_FAIL(KT_EINVAL, "hash_bins: expected at least one bin, got %lld", (long long)a->bins);
}

static const kt_sample hash_bins_samples[] = {
    {.in = {{.dim = {3, 5}, .dtype = KT_INT64, .low = -1000, .high = 100000}},
     .attrs = &(hash_attrs){.kind = KT_HASH_FARM, .bins = 7}},
    {.in = {{.dim = {5}, .dtype = KT_INT64}},
     .attrs = &(hash_attrs){.kind = KT_HASH_SIP, .bins = 97, .key = {133, -137}, .masked = true}},
    {.in = {{.dim = {4}, .dtype = KT_INT64}, {.dim = {4}, .dtype = KT_INT64}},
     .attrs = &(hash_attrs){.kind = KT_HASH_CROSS, .bins = 1000}},
    {.in = {{.dim = {6}, .dtype = KT_INT64, .low = -9, .high = 9}},
     .attrs = &(hash_attrs){.kind = KT_HASH_MODULO, .bins = 3}},
    {.in = {{.dim = {4}, .dtype = KT_STRING}}, .attrs = &(hash_attrs){.bins = 7}},
    {.in = {{.dim = {4}, .dtype = KT_STRING}, {.dim = {4}, .dtype = KT_INT64}},
     .attrs = &(hash_attrs){.kind = KT_HASH_CROSS, .bins = 1000}},
    {.in = {{.dim = {4}}}, .attrs = &(hash_attrs){.bins = 7}, .want = KT_EDTYPE},
    {.in = {{.dim = {4}, .dtype = KT_INT64}}, .attrs = &(hash_attrs){.bins = 0}, .want = KT_EINVAL},
    {.in = {{.dim = {4}, .dtype = KT_INT64}, {.dim = {3}, .dtype = KT_INT64}},
     .attrs = &(hash_attrs){.kind = KT_HASH_CROSS, .bins = 3},
     .want = KT_ESHAPE},
    KT_SAMPLES_END};
static const kt_field hash_bins_fields[] = {
    KT_F(hash_attrs, kind),
    KT_F(hash_attrs, bins),
    KT_F_AS(hash_attrs, key, KT_FIELD_INT64S),
    KT_F(hash_attrs, masked),
    KT_F(hash_attrs, mask),
    KT_F_END};

const kt_opdef kt_opdef_hash_bins = {
    .name = "hash_bins",
    .n_in = -1,
    .flags = KT_OP_TEXTS,
    .attrs_size = sizeof(hash_attrs),
    .attrs = hash_bins_fields,
    .infer = hash_bins_infer,
    .ref = {NULL, NULL, hash_bins_ref},
    .samples = hash_bins_samples,
};

kt_val *kt_g_hash_bins(kt_graph *g, int n, kt_val *const *in, const hash_attrs *a) {
    kt_node *node = kt_graph_add(g, &kt_opdef_hash_bins, n, in, a);
    return node ? node->out[0] : NULL;
}
