/* Region allocator: graphs, plans and traces live in one and die as a whole. Memory is zeroed. */
#ifndef KT_BASE_ARENA_H
#define KT_BASE_ARENA_H

#include <keratin/error.h>

typedef struct kt_arena kt_arena;

kt_arena *kt_arena_new(void);
void kt_arena_free(kt_arena *a);
/** Zeroed, 16-byte aligned; NULL when out of memory (message set). */
void *kt_arena_alloc(kt_arena *a, size_t size);
void *kt_arena_copy(kt_arena *a, const void *data, size_t size);
char *kt_arena_strdup(kt_arena *a, const char *s);

#endif
