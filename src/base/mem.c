/* Memory: the only file that calls the C allocator. See mem.h. */
#include "base/mem.h"

#include "base/error.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#if defined(__linux__)
#include <sys/mman.h>
#endif

static atomic_llong mem_count;
static atomic_llong mem_fail_at = -1;

int64_t kt_mem_count(void) { return atomic_load(&mem_count); }

void kt_mem_fail_after(int64_t n) {
    atomic_store(&mem_fail_at, n > 0 ? atomic_load(&mem_count) + n : -1);
}

static bool mem_must_fail(void) {
    const long long at = atomic_fetch_add(&mem_count, 1) + 1;
    return at == atomic_load(&mem_fail_at);
}

static void *mem_checked(void *p, size_t size) {
    if (!p) KT_FAIL(KT_ENOMEM, "out of memory: %zu bytes", size);
    return p;
}

bool kt_mem_point(size_t size) {
    if (!mem_must_fail()) return false;
    mem_checked(NULL, size);
    return true;
}

void *kt_alloc(size_t size) {
    return mem_checked(mem_must_fail() ? NULL : calloc(1, size ? size : 1), size);
}

void *kt_alloc_array(int64_t n, size_t size) {
    if (n < 0 || (size && (uint64_t)n > SIZE_MAX / 2 / size)) {
        KT_FAIL(KT_ENOMEM, "out of memory: %lld elements of %zu bytes", (long long)n, size);
        return NULL;
    }
    return kt_alloc((size_t)n * size);
}

void *kt_realloc(void *p, size_t size) {
    return mem_checked(mem_must_fail() ? NULL : realloc(p, size ? size : 1), size);
}

#define HUGE_PAGE ((size_t)2 << 20)

void *kt_alloc_aligned(size_t size) {
    if (size > SIZE_MAX / 2) return mem_checked(NULL, size);
    const size_t align = size >= HUGE_PAGE ? HUGE_PAGE : 64;
    const size_t padded = (size + 63) / 64 * 64 + (size ? 0 : 64);
    void *p = NULL;
    if (mem_must_fail() || posix_memalign(&p, align, padded)) p = NULL;
    if (!p) return mem_checked(NULL, size);
#if defined(__linux__)
    if (size >= HUGE_PAGE) madvise(p, padded, MADV_HUGEPAGE);
#endif
    memset(p, 0, padded);
    return p;
}

void kt_mem_free(void *p) { free(p); }

void kt_mem_free_aligned(void *p) { free(p); }

char *kt_strdup(const char *s) {
    const size_t n = strlen(s) + 1;
    char *copy = kt_alloc(n);
    if (copy) memcpy(copy, s, n);
    return copy;
}
