/* The one place that calls malloc. Counts allocations (tests of the step loop read the count) and
 * can make the n-th one fail (`make torture`). */
#ifndef KT_BASE_MEM_H
#define KT_BASE_MEM_H

#include <keratin/error.h>

/** Zeroed memory, or NULL with KT_ENOMEM set. A size of 0 gives a valid pointer. */
void *kt_alloc(size_t size);
/** n elements of `size` bytes, zeroed, overflow checked. */
void *kt_alloc_array(int64_t n, size_t size);
/** Grows a block that kt_alloc gave; new bytes are not zeroed. The old block lives on if it
 * fails. */
void *kt_realloc(void *p, size_t size);
/** Zeroed memory aligned to 64 bytes (2 MiB and huge pages asked for from 2 MiB on); free with
 * kt_mem_free_aligned. */
void *kt_alloc_aligned(size_t size);
void kt_mem_free(void *p);
void kt_mem_free_aligned(void *p);
char *kt_strdup(const char *s);
/** Allocations so far in this process; the n-th from now on fails (0: none does). */
int64_t kt_mem_count(void);
/** For memory that is handed out in pieces (arenas): counts as an allocation; true (KT_ENOMEM set)
 * when this one is to fail. */
bool kt_mem_point(size_t size);
void kt_mem_fail_after(int64_t n);

#endif
