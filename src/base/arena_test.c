/* Arenas: alignment, zeroed memory, many sizes, running out. */
#include "base/arena.h"

#include "base/mem.h"
#include "testing/kt_test.h"

#include <string.h>

KT_TEST(arena, gives_zeroed_aligned_memory) {
    kt_arena *a = kt_arena_new();
    assert_non_null(a);
    for (size_t size = 0; size < 3000; size += 37) {
        unsigned char *p = kt_arena_alloc(a, size);
        assert_non_null(p);
        assert_int_equal((uintptr_t)p % 16, 0);
        for (size_t i = 0; i < size; i++) assert_int_equal(p[i], 0);
        memset(p, 0xFF, size); /* the next one must not lie in it */
    }
    kt_arena_free(a);
}

KT_TEST(arena, gives_large_blocks) {
    kt_arena *a = kt_arena_new();
    char *small = kt_arena_strdup(a, "small");
    char *large = kt_arena_alloc(a, 5 << 20);
    assert_non_null(large);
    large[(5 << 20) - 1] = 1;
    kt_check_str(small, "small");
    const int copy[3] = {1, 2, 3};
    assert_memory_equal(kt_arena_copy(a, copy, sizeof copy), copy, sizeof copy);
    kt_arena_free(a);
}

KT_TEST(arena, running_out_of_memory_is_an_error) {
    kt_mem_fail_after(1);
    assert_null(kt_arena_new());
    kt_arena *a = kt_arena_new();
    for (int n = 1; n <= 2; n++) { /* the piece; the block that it needs */
        kt_mem_fail_after(n);
        assert_null(kt_arena_alloc(a, 100));
        assert_int_equal(kt_error_last(), KT_ENOMEM);
    }
    assert_non_null(kt_arena_alloc(a, 100));
    kt_mem_fail_after(2);
    assert_null(kt_arena_alloc(a, 5000)); /* a block of its own */
    assert_non_null(kt_arena_strdup(a, "still room"));
    kt_mem_fail_after(0);
    kt_arena_free(a);
    kt_arena_free(NULL);
}
