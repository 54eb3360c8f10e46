/* Dynamic storage allocation, offline: lifetimes are known. The problem is hard in general, but
 * greedy at the lowest free offset is within a few per cent if large blocks go first. Which order
 * is best differs from graph to graph, so several are tried, and the first one that reaches the
 * lower bound ends the search. Ties are broken by start and id: the same graph gives the same plan
 * everywhere. */
#include "passes/place.h"

#include <stdlib.h>
#include <string.h>

static int by_id(const kt_block *x, const kt_block *y) {
    if (x->start != y->start) return x->start < y->start ? -1 : 1;
    return x->id < y->id ? -1 : x->id > y->id;
}

static int by_size(const void *a, const void *b) {
    const kt_block *x = a, *y = b;
    if (x->bytes != y->bytes) return x->bytes < y->bytes ? 1 : -1;
    return by_id(x, y);
}

static int by_area(const void *a, const void *b) {
    const kt_block *x = a, *y = b;
    const double p = (double)x->bytes * (x->end - x->start + 1);
    const double q = (double)y->bytes * (y->end - y->start + 1);
    if (p != q) return p < q ? 1 : -1;
    return by_id(x, y);
}

static int by_length(const void *a, const void *b) {
    const kt_block *x = a, *y = b;
    const int p = x->end - x->start, q = y->end - y->start;
    if (p != q) return p < q ? 1 : -1;
    return by_size(a, b);
}

static int by_start(const void *a, const void *b) {
    const kt_block *x = a, *y = b;
    if (x->start != y->start) return x->start < y->start ? -1 : 1;
    return by_size(a, b);
}

static int (*const orders[])(const void *, const void *) = {by_size, by_area, by_length, by_start};
#define ORDERS (int)(sizeof orders / sizeof *orders)

/* The block at the lowest offset free for all its life. placed[0 … n-1] are sorted by offset. */
static void place(kt_block *b, kt_block **placed, int n) {
    int64_t at = 0;
    for (int i = 0; i < n; i++) {
        const kt_block *p = placed[i];
        if (p->start > b->end || b->start > p->end) continue;
        if (p->offset >= at + b->bytes) break;
        if (p->offset + p->bytes > at) at = p->offset + p->bytes;
    }
    b->offset = at;
    int i = n;
    for (; i > 0 && placed[i - 1]->offset > at; i--) placed[i] = placed[i - 1];
    placed[i] = b;
}

static int64_t place_all(kt_block *b, kt_block **placed, int n) {
    int64_t total = 0;
    for (int i = 0; i < n; i++) {
        place(&b[i], placed, i);
        if (b[i].offset + b[i].bytes > total) total = b[i].offset + b[i].bytes;
    }
    return total;
}

/* change[t]: bytes that start to live at node t, less those that ended before. */
static int64_t most_alive(const kt_block *b, int n, int64_t *change, int n_nodes) {
    int64_t alive = 0, most = 0;
    memset(change, 0, sizeof *change * (size_t)(n_nodes + 2));
    for (int i = 0; i < n; i++) {
        change[b[i].start] += b[i].bytes;
        change[b[i].end + 1] -= b[i].bytes;
    }
    for (int t = 0; t <= n_nodes; t++) {
        alive += change[t];
        if (alive > most) most = alive;
    }
    return most;
}

kt_status kt_place_blocks(
    kt_arena *arena, kt_block *b, int n, int n_nodes, int64_t *total, int64_t *lower_bound) {
    kt_block **placed = kt_arena_alloc(arena, sizeof(kt_block *) * (size_t)(n + 1));
    kt_block *best = kt_arena_alloc(arena, sizeof *best * (size_t)(n + 1));
    int64_t *change = kt_arena_alloc(arena, sizeof *change * (size_t)(n_nodes + 2));
    if (!placed || !best || !change) return KT_ENOMEM;
    *lower_bound = most_alive(b, n, change, n_nodes);
    *total = INT64_MAX;
    for (int i = 0; i<ORDERS && * total> * lower_bound; i++) {
        qsort(b, (size_t)n, sizeof *b, orders[i]);
        const int64_t size = place_all(b, placed, n);
        if (size >= *total) continue;
        *total = size;
        if (n) memcpy(best, b, sizeof *b * (size_t)n);
    }
    if (n)
        memcpy(b, best, sizeof *b * (size_t)n);
    else
        *total = 0;
    return KT_OK;
}
