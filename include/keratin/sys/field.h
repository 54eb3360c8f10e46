/* Field tables: a struct described member by member. They give config, cloning, printing and checks
 * of argument structs and of op attributes without code of their own. */
#ifndef KERATIN_SYS_FIELD_H
#define KERATIN_SYS_FIELD_H

#include <keratin/base.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef enum kt_field_type {
    KT_FIELD_END = 0,
    KT_FIELD_INT,
    KT_FIELD_BOOL,
    KT_FIELD_DOUBLE,
    KT_FIELD_INT64, ///< also kt_tuple
    KT_FIELD_SHAPE, ///< int64_t[KT_MAX_RANK], ends at the first 0
    KT_FIELD_DIMS,  ///< kt_shape
    KT_FIELD_REF,   ///< name or object
    KT_FIELD_STR,
    KT_FIELD_FLOATS,
    KT_FIELD_NAMES,
    KT_FIELD_DTYPE,  ///< int that holds a kt_dtype
    KT_FIELD_INTS,   ///< int[n], every element counts
    KT_FIELD_INT64S, ///< int64_t[n], every element counts
    KT_FIELD_TEXT,   ///< char[n], ended by 0
    KT_FIELD_INTLIST ///< kt_ints_t
} kt_field_type;

typedef struct kt_field {
    const char *name;
    size_t offset, size;
    kt_field_type type;
} kt_field;

/** Name, offset and type of a member in one word: KT_F(kt_dense_args, units). */
#define KT_F(T, member)                                                                            \
    { #member, offsetof(T, member), sizeof(((T *)0)->member), KT_F_TYPE(((T *)0)->member) }
#define KT_F_TYPE(x)                                                                               \
    _Generic((x), \
        int: KT_FIELD_INT, \
        bool: KT_FIELD_BOOL, \
        double: KT_FIELD_DOUBLE, \
        int64_t: KT_FIELD_INT64, \
        int64_t *: KT_FIELD_SHAPE, \
        kt_shape: KT_FIELD_DIMS, \
        const void *: KT_FIELD_REF, \
        const char *: KT_FIELD_STR, \
        kt_floats_t: KT_FIELD_FLOATS, \
        kt_ints_t: KT_FIELD_INTLIST, \
        kt_names_t: KT_FIELD_NAMES)
/** KT_F where the C type does not tell the kind: KT_F_AS(cast_attrs, dtype, KT_FIELD_DTYPE). */
#define KT_F_AS(T, member, type)                                                                   \
    { #member, offsetof(T, member), sizeof(((T *)0)->member), type }
/** The same under another name: KT_F_NAMED(clip_attrs, low, "x_min", KT_FIELD_DOUBLE). */
#define KT_F_NAMED(T, member, name, type)                                                          \
    { name, offsetof(T, member), sizeof(((T *)0)->member), type }
#define KT_F_END                                                                                   \
    { 0, 0, 0, KT_FIELD_END }

#ifdef __cplusplus
}
#endif
#endif
