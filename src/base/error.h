/* Setting errors. Lower code says what went wrong; three boundaries (layer call, model verb, file)
 * add where. Passing a failure on never touches the message. */
#ifndef KT_BASE_ERROR_H
#define KT_BASE_ERROR_H

#include <keratin/error.h>

#if defined(__GNUC__)
#define KT_PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))
#else
#define KT_PRINTF(fmt, args)
#endif

/** Records a new error and returns its status: `return KT_FAIL(KT_EINVAL, "units: …", …);` */
#define KT_FAIL(status, ...) kt_error_set((status), __FILE__, __LINE__, __VA_ARGS__)

kt_status kt_error_set(kt_status status, const char *file, int line, const char *fmt, ...)
    KT_PRINTF(4, 5);
/** Parts of the error just set; each returns its status, so the last one can be returned. */
kt_status kt_error_expected(const char *fmt, ...) KT_PRINTF(1, 2);
kt_status kt_error_got(const char *fmt, ...) KT_PRINTF(1, 2);
kt_status kt_error_hint(const char *fmt, ...) KT_PRINTF(1, 2);
/** Adds a frame to the path of the error: `in layer "dense_1" (Dense)`. Inner frames come first. */
kt_status kt_error_context(const char *fmt, ...) KT_PRINTF(1, 2);

/** Gives the error just set another status (an argument from a file is the file's fault); returns
 * it. */
kt_status kt_error_restate(kt_status status);

/** Replaces a number wherever it stands as a word in the error just set: stand-ins must not be
 * read. */
void kt_error_rename_number(int64_t number, const char *name);

/** The static failed object of a status: what a constructor returns that could not. */
void *kt_fail_object(kt_status status);
/** The candidate nearest to `name` (edit distance at most 1 + a third of its length), or NULL. */
const char *kt_nearest(const char *name, const char *const *candidates, int n);

/** The index of a word in a list (ended by NULL). KT_EINVAL, with the nearest one as a hint, if it
 * is not there. */
kt_status kt_arg_word(const char *argument, const char *word, const char *const *words, int *out);

/** Broken invariants: fatal in debug builds, unchecked in release. Wrong *input* is never an
 * assert. */
#if defined(KT_DEBUG)
#include <assert.h>
#define KT_ASSERT(cond) assert(cond)
#else
#define KT_ASSERT(cond) ((void)0)
#endif

#endif
