/* The test harness, on cmocka.
 *
 *     #include "testing/kt_test.h"
 *
 *     KT_TEST(dense, rejects_zero_units) {
 *         kt_check_fails(kt_dense(0), KT_EINVAL, "units: expected a positive integer");
 *     }
 *
 * A test registers itself: no list to keep, and no main() to write. The tests of a folder become
 * one executable: `./test_x` runs them all, `./test_x dense` those whose "group.name" contains the
 * word, `./test_x --list` names them. After each test kt_clear_session() runs, so a test frees
 * nothing that it only built; an object that is left then fails the test. cmocka's assert_* macros
 * are there as well. */
#ifndef KT_TESTING_KT_TEST_H
#define KT_TESTING_KT_TEST_H

#include <keratin/error.h>

/* cmocka.h wants these before it */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

typedef struct kt_test_case {
    const char *group, *name;
    void (*run)(void **state);
    struct kt_test_case *next;
    char *full_name; /* "group.name", made by main */
} kt_test_case;

/** Adds a test to those that main() runs; KT_TEST does it. */
void kt_test_register(kt_test_case *test);

#define KT_TEST(group_, name_)                                                                     \
    static void group_##__##name_(void **kt_unused);                                               \
    __attribute__((constructor)) static void group_##__##name_##_register(void) {                  \
        static kt_test_case test = {#group_, #name_, group_##__##name_, NULL, NULL};               \
        kt_test_register(&test);                                                                   \
    }                                                                                              \
    static void group_##__##name_(__attribute__((unused)) void **kt_unused)

/** The call returned this status. */
#define kt_check_status(expression, want)                                                          \
    kt_check_status_at((int)(expression), (want), #expression, __FILE__, __LINE__)
/** The error message of this thread contains the text. */
#define kt_check_message_has(text) kt_check_message_has_at((text), __FILE__, __LINE__)
/** Making the object failed with this status and a message that contains the text. */
#define kt_check_fails(object, want, text)                                                         \
    do {                                                                                           \
        kt_check_status_at((int)kt_check(object), (want), #object, __FILE__, __LINE__);            \
        kt_check_message_has_at((text), __FILE__, __LINE__);                                       \
    } while (0)
/** |got - want| <= atol + rtol * |want|; NaN is near NaN, an infinity is near itself. */
#define kt_check_near(got, want, rtol, atol)                                                       \
    kt_check_near_at((got), (want), (rtol), (atol), #got, __FILE__, __LINE__)
/** Equal strings, or both NULL; shows where they part. */
#define kt_check_str(got, want) kt_check_str_at((got), (want), #got, __FILE__, __LINE__)

void kt_check_status_at(int got, kt_status want, const char *what, const char *file, int line);
void kt_check_message_has_at(const char *text, const char *file, int line);
void kt_check_near_at(
    double got,
    double want,
    double rtol,
    double atol,
    const char *what,
    const char *file,
    int line);
void kt_check_str_at(
    const char *got, const char *want, const char *what, const char *file, int line);

#endif
