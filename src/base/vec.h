/* Growable arrays: `struct { int n, cap; T *v; }` and one function. */
#ifndef KT_BASE_VEC_H
#define KT_BASE_VEC_H

#include "base/mem.h"

/** Declares a vector of T. */
#define KT_VEC(T)                                                                                  \
    struct {                                                                                       \
        int n, cap;                                                                                \
        T *v;                                                                                      \
    }

/** Room for one element more; KT_ENOMEM leaves the vector as it is. */
static inline kt_status kt_vec_grow(int n, int *cap, void **v, size_t size) {
    if (n < *cap) return KT_OK;
    const int more = *cap ? *cap * 2 : 8;
    void *p = kt_realloc(*v, (size_t)more * size);
    if (!p) return KT_ENOMEM;
    *v = p;
    *cap = more;
    return KT_OK;
}

/** `kt_status st = kt_vec_push(&vec, value);` */
#define kt_vec_push(vec, value)                                                                    \
    (kt_vec_grow((vec)->n, &(vec)->cap, (void **)&(vec)->v, sizeof *(vec)->v) == KT_OK             \
         ? ((vec)->v[(vec)->n++] = (value), KT_OK)                                                 \
         : KT_ENOMEM)
#define kt_vec_free(vec) (kt_mem_free((vec)->v), (vec)->v = NULL, (vec)->n = (vec)->cap = 0)

#endif
