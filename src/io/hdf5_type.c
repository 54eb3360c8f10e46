/* The messages of HDF5 that describe values: element type, shape, attribute. See hdf5.h.
 *
 * What is well-formed but not for us (compound elements, enumerations, …) is no error here: the
 * type says why, and whoever reads such a value is told. References are refused: they name other
 * objects.
 *
 * Layout: HDF5 File Format Specification 3.0, IV.A.2.b (space), .d (type), .m (attribute). */
#include "io/hdf5_file.h"

enum { FIXED_POINT, FLOATING, TIME, STRING, BITS, OPAQUE, COMPOUND, REFERENCE, ENUM, VLEN, ARRAY };

static kt_status other(kt_h5_type *t, const char *why) {
    t->kind = KT_H5_OTHER;
    t->why = why;
    return KT_OK;
}

static kt_status integer(kt_h5_type *t, uint32_t bits, kt_h5_cursor *c) {
    const uint64_t offset = kt_h5_uint(c, 2), precision = kt_h5_uint(c, 2);
    if (c->bad) return kt_h5_bad("a type message is too short");
    if (precision == 0 || offset + precision > (uint64_t)t->size * 8)
        return kt_h5_bad("an integer type has bits outside its bytes");
    t->elem = (kt_elem){.kind = bits & 8 ? 'i' : 'u', .big = bits & 1};
    if (offset != 0 || precision != (uint64_t)t->size * 8 || t->size > 8)
        return other(t, "integers of unusual width");
    t->elem.size = (int)t->size;
    t->kind = KT_H5_NUMBER;
    return kt_elem_dtype(&t->elem) == KT_NO_DTYPE ? other(t, "integers of unusual width") : KT_OK;
}

/* IEEE half, single and double only: everything else has fields elsewhere. */
static kt_status floating(kt_h5_type *t, uint32_t bits, kt_h5_cursor *c) {
    static const struct {
        unsigned size, precision, exponent_at, exponent, mantissa;
        uint64_t bias;
    } ieee[] = {{2, 16, 10, 5, 10, 15}, {4, 32, 23, 8, 23, 127}, {8, 64, 52, 11, 52, 1023}};
    const uint64_t offset = kt_h5_uint(c, 2), precision = kt_h5_uint(c, 2);
    const uint64_t exponent_at = kt_h5_uint(c, 1), exponent = kt_h5_uint(c, 1);
    const uint64_t mantissa_at = kt_h5_uint(c, 1), mantissa = kt_h5_uint(c, 1);
    const uint64_t bias = kt_h5_uint(c, 4);
    if (c->bad) return kt_h5_bad("a type message is too short");
    if (precision == 0 || offset + precision > (uint64_t)t->size * 8)
        return kt_h5_bad("a float type has bits outside its bytes");
    for (size_t i = 0; i < sizeof ieee / sizeof *ieee; i++) {
        const bool same = ieee[i].size == t->size && offset == 0 &&
                          precision == ieee[i].precision && exponent_at == ieee[i].exponent_at &&
                          exponent == ieee[i].exponent && mantissa_at == 0 &&
                          mantissa == ieee[i].mantissa && bias == ieee[i].bias;
        /* bits 4-5: the leading 1 is implied; 8-15: where the sign is; 6: VAX byte order */
        if (!same || (bits >> 4 & 3) != 2 || (bits >> 8 & 255) != t->size * 8 - 1 || bits & 64)
            continue;
        t->kind = KT_H5_NUMBER;
        t->elem = (kt_elem){.kind = 'f', .size = (int)t->size, .big = bits & 1};
        return KT_OK;
    }
    return other(t, "floats that are not IEEE half, single or double");
}

/* What h5py writes for bools: an enumeration of FALSE = 0 and TRUE = 1 over int8. */
static kt_status enumeration(kt_h5_type *t, int version, uint32_t bits, kt_h5_cursor *c) {
    static const unsigned char two_names[] = "FALSE\0\0\0TRUE\0\0\0", packed[] = "FALSE\0TRUE";
    const size_t n = version < 3 ? sizeof two_names : sizeof packed;
    const uint64_t head = kt_h5_uint(c, 1);
    kt_h5_take(c, 3);
    const uint64_t size = kt_h5_uint(c, 4);
    kt_h5_take(c, 4); /* bit offset, precision */
    if (c->bad) return kt_h5_bad("a type message is too short");
    if ((head & 15) != FIXED_POINT || size != t->size)
        return kt_h5_bad("an enumeration of something else than integers");
    if ((bits & 0xFFFF) != 2 || t->size != 1) return other(t, "an enumeration");
    /* the literals end in one 0 byte more than was written */
    const unsigned char *names = kt_h5_take(c, n), *values = kt_h5_take(c, 2);
    if (!names || !values) return other(t, "an enumeration");
    if (memcmp(names, version < 3 ? two_names : packed, n) != 0 || values[0] != 0 || values[1] != 1)
        return other(t, "an enumeration");
    t->kind = KT_H5_NUMBER;
    t->elem = (kt_elem){.kind = 'b', .size = 1};
    return KT_OK;
}

static kt_status variable(kt_h5_type *t, uint32_t bits, kt_h5_cursor *c) {
    const uint64_t base = kt_h5_uint(c, 1) & 15;
    if (c->bad) return kt_h5_bad("a type message is too short");
    if (base == REFERENCE) return KT_FAIL(KT_EREFUSED, "hdf5: references to other objects");
    if (t->size != 16) return kt_h5_bad("a variable-length type of another size than 16 bytes");
    if ((bits & 15) != 1) return other(t, "sequences of variable length");
    t->kind = KT_H5_VLEN;
    return KT_OK;
}

kt_status kt_h5_type_read(kt_h5_type *t, kt_h5_cursor *c) {
    const uint64_t head = kt_h5_uint(c, 1);
    const uint32_t bits = (uint32_t)kt_h5_uint(c, 3), size = (uint32_t)kt_h5_uint(c, 4);
    const int version = (int)(head >> 4);
    *t = (kt_h5_type){.size = size};
    if (c->bad) return kt_h5_bad("a type message is too short");
    if (version < 1 || version > 5) return kt_h5_bad("a type message of unknown version");
    if (size == 0) return kt_h5_bad("a type of no bytes");
    switch (head & 15) {
    case FIXED_POINT:
        return integer(t, bits, c);
    case FLOATING:
        return floating(t, bits, c);
    case STRING:
        if ((bits & 15) > 2 || (bits >> 4 & 15) > 1) return kt_h5_bad("a string of unknown kind");
        t->kind = KT_H5_FIXED;
        return KT_OK;
    case OPAQUE:
        t->why = "opaque elements";
        t->kind = KT_H5_OPAQUE;
        return KT_OK;
    case ENUM:
        return enumeration(t, version, bits, c);
    case VLEN:
        return variable(t, bits, c);
    case REFERENCE:
        return KT_FAIL(KT_EREFUSED, "hdf5: references to other objects");
    case TIME:
        return other(t, "times");
    case BITS:
        return other(t, "bit fields");
    case COMPOUND:
        return other(t, "compound elements");
    case ARRAY:
        return other(t, "arrays as elements");
    default:
        return kt_h5_bad("a type of unknown class");
    }
}

kt_status kt_h5_space_read(kt_h5_space *s, kt_h5_cursor *c) {
    const uint64_t version = kt_h5_uint(c, 1), rank = kt_h5_uint(c, 1), flags = kt_h5_uint(c, 1);
    uint64_t kind = rank > 0; /* 0 scalar, 1 array, 2 nothing */
    if (version == 1)
        kt_h5_take(c, 5);
    else if (version == 2)
        kind = kt_h5_uint(c, 1);
    else if (!c->bad)
        return kt_h5_bad("a shape message of unknown version");
    *s = (kt_h5_space){.rank = (int)rank, .n = kind == 2 ? 0 : 1, .null = kind == 2};
    if (!c->bad && (rank > KT_H5_RANK_MAX || kind > 2 || (kind != 1 && rank > 0)))
        return kt_h5_bad("a shape message that contradicts itself");
    bool overflow = false;
    for (uint64_t d = 0; d < rank; d++) {
        const uint64_t dim = kt_h5_uint(c, 8);
        overflow = overflow || dim > INT64_MAX || (dim && s->n > INT64_MAX / dim);
        s->n = overflow ? 1 : s->n * dim;
        if (d < KT_MAX_RANK) s->dim[d] = (int64_t)dim;
    }
    if (flags & 1) kt_h5_take(c, (size_t)rank * 8); /* how far it could grow */
    if (c->bad) return kt_h5_bad("a shape message is too short");
    return overflow ? kt_h5_bad("a shape has more elements than can be counted") : KT_OK;
}

static size_t padded(uint64_t n, int version) {
    return (size_t)(version == 1 ? (n + 7) / 8 * 8 : n);
}

kt_status kt_h5_attr_read(kt_h5_attr *a, kt_h5_cursor *c, kt_arena *arena) {
    const int version = (int)kt_h5_uint(c, 1);
    const uint64_t flags = kt_h5_uint(c, 1), n_name = kt_h5_uint(c, 2);
    const uint64_t n_type = kt_h5_uint(c, 2), n_space = kt_h5_uint(c, 2);
    if (version == 3) kt_h5_take(c, 1); /* character set of the name */
    if (!c->bad && (version < 1 || version > 3))
        return kt_h5_bad("an attribute message of unknown version");
    if (version > 1 && flags & 3)
        return KT_FAIL(KT_EUNSUPPORTED, "hdf5: an attribute of a type kept elsewhere (committed)");
    const char *name = (const char *)kt_h5_take(c, padded(n_name, version));
    kt_h5_cursor type = *c;
    const unsigned char *has_type = kt_h5_take(c, padded(n_type, version));
    kt_h5_cursor space = *c;
    const unsigned char *has_space = kt_h5_take(c, padded(n_space, version));
    if (!name || !has_type || !has_space) return kt_h5_bad("an attribute message is too short");
    type.left = (size_t)n_type;
    space.left = (size_t)n_space;
    if (n_name < 2 || memchr(name, 0, (size_t)n_name) != name + n_name - 1)
        return kt_h5_bad("an attribute without a proper name");
    kt_status st = kt_h5_type_read(&a->type, &type);
    if (!st) st = kt_h5_space_read(&a->space, &space);
    if (!st && a->space.n > c->left / a->type.size)
        st = kt_h5_bad("an attribute is longer than its message");
    a->offset = c->at;
    if (!st && !(a->name = kt_arena_copy(arena, name, (size_t)n_name))) st = KT_ENOMEM;
    return st;
}
