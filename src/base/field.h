/* Working on structs through their field tables: copying arguments with what they refer to, giving
 * it back. See keratin/sys/field.h for the tables. */
#ifndef KT_BASE_FIELD_H
#define KT_BASE_FIELD_H

#include "base/obj.h"

#include <keratin/sys/field.h>

/** dst (size bytes) = the defaults (NULL: zeros), then as much of src as both sides know; then
 * strings, lists and arrays are copied and objects adopted. src->size says what the caller knows; 0
 * is an error ("use the macro"), more than `size` too ("built against newer headers"). On failure
 * dst holds nothing. */
kt_status kt_args_copy(
    void *dst, const void *src, size_t size, const void *defaults, const kt_field *fields);
/** The first half of it, for verbs, which borrow what the struct refers to. */
kt_status kt_args_read(void *dst, const void *src, size_t size, const void *defaults);
/** The second half: copies and adopts. On failure it holds nothing. */
kt_status kt_args_keep(void *args, const kt_field *fields);
/** Gives back what kt_args_copy took. */
void kt_args_release(void *args, const kt_field *fields);
/** The same for a constructor that failed: objects float again (kt_unadopt). */
void kt_args_return(void *args, const kt_field *fields);
/** The first failed object among the arguments' references, KT_OK if none. */
kt_status kt_args_check(const void *args, const kt_field *fields);

#endif
