/* The global heap of HDF5, where strings of variable length are. See hdf5.h.
 *
 * A collection is indexed the first time a string of it is wanted, once: its bytes must be nobody
 * else's. An object's reference count is not looked at, since HDF5 writes 0 there.
 *
 * Layout: HDF5 File Format Specification 3.0, III.E. */
#include "io/hdf5_file.h"

enum { HEAD = 16, OBJECT_HEAD = 16, COLLECTION_MIN = 4096, HEAPS_MAX = 16384 };

static kt_status add_blob(kt_h5_heap *heap, int *cap, uint64_t index, kt_h5_blob blob) {
    if ((int)index >= *cap) {
        int more = *cap ? *cap : 16;
        while (more <= (int)index) more *= 2;
        kt_h5_blob *v = kt_realloc(heap->blobs, (size_t)more * sizeof *v);
        if (!v) return KT_ENOMEM;
        memset(v + *cap, 0, (size_t)(more - *cap) * sizeof *v);
        heap->blobs = v;
        *cap = more;
    }
    if (heap->blobs[index].offset) return kt_h5_bad("a number stands twice in a heap");
    heap->blobs[index] = blob;
    if ((int)index >= heap->n) heap->n = (int)index + 1;
    return KT_OK;
}

/* Objects stand one behind the other; number 0 is what is free and ends the list. */
static kt_status index_blobs(kt_hdf5 *h, kt_h5_heap *heap, uint64_t end) {
    int cap = 0;
    for (uint64_t at = heap->address + HEAD; end - at >= OBJECT_HEAD;) {
        kt_status st;
        const unsigned char *p = kt_h5_view(h, at, OBJECT_HEAD, &st);
        if (!p) return st;
        const uint64_t index = kt_le16(p), size = kt_le64(p + 8);
        if (index == 0) break;
        if (size > end - at - OBJECT_HEAD) return kt_h5_bad("a string lies outside its heap");
        at += OBJECT_HEAD;
        st = add_blob(heap, &cap, index, (kt_h5_blob){at, size});
        if (st) return st;
        const uint64_t step = (size + 7) / 8 * 8;
        if (step > end - at) break; /* the last one need not be padded */
        at += step;
    }
    return KT_OK;
}

static kt_status load_heap(kt_hdf5 *h, uint64_t address) {
    kt_status st;
    kt_h5_heap heap = {.address = address};
    const unsigned char *p = kt_h5_view(h, address, HEAD, &st);
    if (!p) return st;
    if (memcmp(p, "GCOL", 4) != 0 || p[4] != 1) return kt_h5_bad("a heap without its signature");
    const uint64_t size = kt_le64(p + 8);
    if (size < COLLECTION_MIN) return kt_h5_bad("a heap is too small");
    if (size > h->size - address) return kt_h5_bad("a heap is longer than the file");
    if (h->heaps.n == HEAPS_MAX) return KT_FAIL(KT_ELIMIT, "hdf5: more than %d heaps", HEAPS_MAX);
    bool overlaps = kt_h5_claimed(h, address, size);
    for (int i = 0; i < h->heaps.n && !overlaps; i++) {
        const kt_h5_heap *other = &h->heaps.v[i];
        overlaps = address < other->end && other->address < address + size;
    }
    if (overlaps) return kt_h5_bad("parts of the file overlap: a heap and something else");
    heap.end = address + size;
    st = index_blobs(h, &heap, heap.end);
    if (st) { /* stays as an empty one, so that it is not gone through again */
        kt_mem_free(heap.blobs);
        heap.blobs = NULL;
        heap.n = 0;
    }
    if (!kt_vec_push(&h->heaps, heap)) return st;
    kt_mem_free(heap.blobs);
    return KT_ENOMEM;
}

/* The string whose reference stands at `offset`: length, address of the heap, number in it. */
kt_status kt_h5_heap_find(kt_hdf5 *h, uint64_t offset, kt_h5_blob *out) {
    kt_status st;
    const unsigned char *p = kt_h5_view(h, offset, 16, &st);
    if (!p) return st;
    const uint64_t size = kt_le32(p), address = kt_le64(p + 4);
    const uint32_t index = kt_le32(p + 12);
    *out = (kt_h5_blob){0};
    if (size == 0) return KT_OK; /* "" has no place */
    int i = h->heaps.n - 1;      /* the last one is the likeliest */
    while (i >= 0 && h->heaps.v[i].address != address) i--;
    if (i < 0) {
        if ((st = load_heap(h, address))) return st;
        i = h->heaps.n - 1;
    }
    const kt_h5_heap *heap = &h->heaps.v[i];
    if (index >= (uint32_t)heap->n || !heap->blobs[index].offset)
        return kt_h5_bad("a string that is not in its heap");
    if (size > heap->blobs[index].size) return kt_h5_bad("a string is longer than its place");
    *out = (kt_h5_blob){heap->blobs[index].offset, size};
    return KT_OK;
}
