/* The test harness: the list of tests, main(), and checks that explain themselves.
 *
 * cmocka has filters of its own, but sees them only as patterns on the whole name and prints the
 * tests it leaves out; here a plain part of the name is enough. */
#include "testing/kt_test.h"

#include "base/mem.h"
#include "base/obj.h"

#include <keratin/runtime.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static kt_test_case *first, **last = &first;

void kt_test_register(kt_test_case *test) {
    *last = test;
    last = &test->next;
}

/* Every test starts from nothing: no objects, no error, no setting of the test before. */
static int64_t objects;

static int begin(void **state) {
    (void)state;
    objects = kt_obj_count();
    return 0;
}

/* What a test leaves after kt_clear_session() has leaked: something still holds it. */
static int clear(void **state) {
    (void)state;
    kt_mem_fail_after(0);
    kt_clear_session();
    kt_error_clear();
    kt_set_dtype_policy("float32");
    kt_set_num_threads(0);
    const int64_t left = kt_obj_count() - objects;
    if (left) print_error("%d objects left over\n", (int)left);
    return left ? -1 : 0;
}

static void name_tests(void) {
    for (kt_test_case *t = first; t; t = t->next) {
        const size_t size = strlen(t->group) + strlen(t->name) + 2;
        t->full_name = malloc(size);
        if (!t->full_name) abort();
        snprintf(t->full_name, size, "%s.%s", t->group, t->name);
    }
}

static void free_names(void) {
    for (kt_test_case *t = first; t; t = t->next) free(t->full_name);
}

/* Returns the number of tests that failed, or -1 when no test matches. */
static int run_matching(const char *program, const char *filter) {
    size_t n = 0, n_all = 0;
    for (const kt_test_case *t = first; t; t = t->next) n_all++;
    struct CMUnitTest *tests = calloc(n_all + 1, sizeof *tests);
    if (!tests) abort();
    for (const kt_test_case *t = first; t; t = t->next) {
        if (!strstr(t->full_name, filter)) continue;
        tests[n++] = (struct CMUnitTest){
            .name = t->full_name, .test_func = t->run, .setup_func = begin, .teardown_func = clear};
    }
    const int failed = n ? _cmocka_run_group_tests(program, tests, n, NULL, NULL) : -1;
    free(tests);
    return failed;
}

int main(int argc, char **argv) {
    int failed = 0;
    const char *argument = argc > 1 ? argv[1] : "";
    name_tests();
    if (strcmp(argument, "--list") == 0) {
        for (const kt_test_case *t = first; t; t = t->next) puts(t->full_name);
    } else {
        failed = run_matching(argv[0], argument);
        if (failed < 0) fprintf(stderr, "%s: no test contains \"%s\"\n", argv[0], argument);
    }
    free_names();
    return failed != 0;
}

void kt_check_status_at(int got, kt_status want, const char *what, const char *file, int line) {
    if (got == (int)want) return;
    print_error(
        "%s\n  gave %s, expected %s\n  message: %s\n",
        what,
        kt_status_name((kt_status)got),
        kt_status_name(want),
        kt_error_message());
    _fail(file, line);
}

void kt_check_message_has_at(const char *text, const char *file, int line) {
    if (strstr(kt_error_message(), text)) return;
    print_error("expected in the message: %s\n  message: %s\n", text, kt_error_message());
    _fail(file, line);
}

void kt_check_near_at(
    double got,
    double want,
    double rtol,
    double atol,
    const char *what,
    const char *file,
    int line) {
    if (isnan(want) ? isnan(got) : got == want) return;
    if (isfinite(want) && fabs(got - want) <= atol + rtol * fabs(want)) return;
    print_error(
        "%s\n  got      %.9g\n  expected %.9g\n  off by   %.3g (rtol %g, atol %g)\n",
        what,
        got,
        want,
        fabs(got - want),
        rtol,
        atol);
    _fail(file, line);
}

void kt_check_str_at(
    const char *got, const char *want, const char *what, const char *file, int line) {
    if (got == want || (got && want && strcmp(got, want) == 0)) return;
    size_t same = 0;
    while (got && want && got[same] == want[same]) same++;
    print_error(
        "%s\n  got      \"%s\"\n  expected \"%s\"\n  equal up to character %zu\n",
        what,
        got ? got : "(null)",
        want ? want : "(null)",
        same);
    _fail(file, line);
}
