/* bits: functions of two whole numbers, element by element: and, or, xor, shifts (beyond the width:
 * 0, or the sign), the greatest common divisor and the least common multiple, which are not
 * negative. keras.ops.bitwise_and and its kind, gcd, lcm
 *
 * A primitive, as the elementwise families compute in floating types. No gradient. */
#include "base/error.h"
#include "ops/build.h"

#include <string.h>

static int64_t element(const void *x, kt_dtype d, int64_t i) {
    return d == KT_INT64 ? ((const int64_t *)x)[i] : (int64_t)kt_elem_get(x, d, i);
}

static uint64_t size_of(int64_t v) { return v < 0 ? 0 - (uint64_t)v : (uint64_t)v; }

static uint64_t divisor(uint64_t a, uint64_t b) {
    while (b) {
        const uint64_t rest = a % b;
        a = b;
        b = rest;
    }
    return a;
}

/* As an int64 whose low bits are the result. */
static int64_t value_of(bits_kind kind, int64_t a, int64_t b) {
    const uint64_t x = (uint64_t)a, y = (uint64_t)b;
    switch (kind) {
    case KT_BITS_AND:
        return (int64_t)(x & y);
    case KT_BITS_OR:
        return (int64_t)(x | y);
    case KT_BITS_XOR:
        return (int64_t)(x ^ y);
    case KT_BITS_LEFT:
        return b < 0 || b > 63 ? 0 : (int64_t)(x << y);
    case KT_BITS_RIGHT:
        if (a < 0) return b < 0 || b > 63 ? -1 : (int64_t) ~(~x >> y);
        return b < 0 || b > 63 ? 0 : (int64_t)(x >> y);
    case KT_BITS_GCD:
        return (int64_t)divisor(size_of(a), size_of(b));
    default:
        return a && b ? (int64_t)(size_of(a) / divisor(size_of(a), size_of(b)) * size_of(b)) : 0;
    }
}

static kt_status bits_ref(const kt_kargs *k) {
    const bits_kind kind = (bits_kind)((const bits_attrs *)k->node->attrs)->kind;
    const kt_spec *s = &k->node->out[0]->spec;
    const int64_t n = kt_shape_size(&s->shape);
    for (int64_t i = 0; i < n; i++) {
        const int64_t y = value_of(
            kind, element(k->in[0], s->dtype, i), element(k->in[1], s->dtype, i));
        if (s->dtype == KT_INT64)
            ((int64_t *)k->out[0])[i] = y;
        else if (s->dtype == KT_INT32)
            ((int32_t *)k->out[0])[i] = (int32_t)(uint32_t)(uint64_t)y;
        else if (s->dtype == KT_INT8)
            ((int8_t *)k->out[0])[i] = (int8_t)(uint8_t)(uint64_t)y;
        else
            ((uint8_t *)k->out[0])[i] = (uint8_t)(uint64_t)y;
    }
    return KT_OK;
}

static kt_status bits_infer(const kt_node *n, kt_spec *out) {
    const int kind = ((const bits_attrs *)n->attrs)->kind;
    *out = n->in[0]->spec;
    if (n->in[1]->spec.dtype != out->dtype || !kt_shape_equal(&n->in[1]->spec.shape, &out->shape))
        return KT_FAIL(KT_ESHAPE, "bits: operands of different shapes or dtypes");
    if (kind < KT_BITS_AND || kind > KT_BITS_LCM) return KT_FAIL(KT_EINVAL, "bits: unknown kind");
    const bool logical = kind <= KT_BITS_XOR && out->dtype == KT_BOOL;
    if (logical || (!kt_dtype_is_float(out->dtype) && out->dtype != KT_BOOL)) return KT_OK;
    KT_FAIL(KT_EDTYPE, "bits: the dtype of the operands");
    kt_error_expected("an integer one%s", kind <= KT_BITS_XOR ? ", or bool" : "");
    return kt_error_got("%s", kt_dtype_name(out->dtype));
}

#define TWO(d, from, to)                                                                           \
    .in = {                                                                                        \
        {.dim = {3, 7}, .dtype = d, .low = from, .high = to},                                      \
        {.dim = {3, 7}, .dtype = d, .low = from, .high = to},                                      \
    }
static const kt_sample bits_samples[] = {
    {TWO(KT_INT32, -90, 90), .attrs = &(bits_attrs){KT_BITS_AND}},
    {TWO(KT_UINT8, 0, 250), .attrs = &(bits_attrs){KT_BITS_OR}},
    {TWO(KT_INT64, -90, 90), .attrs = &(bits_attrs){KT_BITS_XOR}},
    {TWO(KT_INT32, 0, 30), .attrs = &(bits_attrs){KT_BITS_LEFT}},
    {TWO(KT_INT32, -9, 30), .attrs = &(bits_attrs){KT_BITS_RIGHT}},
    {TWO(KT_INT32, -90, 90), .attrs = &(bits_attrs){KT_BITS_GCD}},
    {TWO(KT_INT64, -90, 90), .attrs = &(bits_attrs){KT_BITS_LCM}},
    {TWO(KT_FLOAT32, 0, 9), .attrs = &(bits_attrs){KT_BITS_LCM}, .want = KT_EDTYPE},
    {.in = {{.dim = {3}, .dtype = KT_INT32}, {.dim = {4}, .dtype = KT_INT32}},
     .attrs = &(bits_attrs){KT_BITS_AND},
     .want = KT_ESHAPE},
    KT_SAMPLES_END};
static const kt_field bits_fields[] = {KT_F(bits_attrs, kind), KT_F_END};

const kt_opdef kt_opdef_bits = {
    .name = "bits",
    .n_in = 2,
    .flags = KT_OP_ELEMENTWISE,
    .attrs_size = sizeof(bits_attrs),
    .attrs = bits_fields,
    .infer = bits_infer,
    .ref = {NULL, NULL, bits_ref},
    .samples = bits_samples,
};

kt_val *kt_g_bits(kt_graph *g, bits_kind kind, kt_val *a, kt_val *b) {
    kt_val *in[2] = {a, b};
    kt_shape s;
    if (!a || !b) return NULL;
    if (kt_shape_broadcast(&a->spec.shape, &b->spec.shape, &s))
        return kt_graph_fail(g, KT_FAIL(KT_ESHAPE, "bits: the operands do not go together"));
    for (int i = 0; i < 2; i++)
        if (!(in[i] = kt_g_broadcast(g, in[i], s))) return NULL;
    kt_node *n = kt_graph_add(g, &kt_opdef_bits, 2, in, &(bits_attrs){kind});
    return n ? n->out[0] : NULL;
}
