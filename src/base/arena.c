/* Blocks of growing size, chained; nothing is freed before the arena is. */
#include "base/arena.h"

#include "base/mem.h"

#include <string.h>

typedef struct arena_block {
    struct arena_block *next;
    size_t size, used;
    _Alignas(16) unsigned char data[];
} arena_block;

struct kt_arena {
    arena_block *head;
    size_t next_size;
};

kt_arena *kt_arena_new(void) {
    kt_arena *a = kt_alloc(sizeof *a);
    if (a) a->next_size = 4096;
    return a;
}

void kt_arena_free(kt_arena *a) {
    if (!a) return;
    for (arena_block *b = a->head, *next; b; b = next) {
        next = b->next;
        kt_mem_free(b);
    }
    kt_mem_free(a);
}

void *kt_arena_alloc(kt_arena *a, size_t size) {
    size = (size + 15) / 16 * 16;
    if (kt_mem_point(size)) return NULL;
    if (!a->head || a->head->size - a->head->used < size) {
        const size_t cap = size > a->next_size ? size : a->next_size;
        arena_block *b = kt_alloc(sizeof *b + cap);
        if (!b) return NULL;
        b->size = cap;
        b->next = a->head;
        a->head = b;
        if (a->next_size < (1u << 20)) a->next_size *= 2;
    }
    void *p = a->head->data + a->head->used;
    a->head->used += size;
    return p;
}

void *kt_arena_copy(kt_arena *a, const void *data, size_t size) {
    void *p = kt_arena_alloc(a, size);
    if (p && size) memcpy(p, data, size);
    return p;
}

char *kt_arena_strdup(kt_arena *a, const char *s) { return kt_arena_copy(a, s, strlen(s) + 1); }
