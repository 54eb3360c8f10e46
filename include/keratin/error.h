/* Errors: a function that makes something returns an object (a *failed object* if it could not);
 * a function that does something returns a kt_status. Nothing prints and nothing exits. */
#ifndef KERATIN_ERROR_H
#define KERATIN_ERROR_H

#include <keratin/base.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef enum kt_status {
    KT_OK = 0,
    KT_EINVAL = -1,        ///< an argument's value is wrong
    KT_ESHAPE = -2,        ///< shapes do not fit
    KT_EDTYPE = -3,        ///< a dtype does not fit
    KT_ESTATE = -4,        ///< called at the wrong time (fit before compile)
    KT_ENOTFOUND = -5,     ///< no such file or name
    KT_EPERM = -6,         ///< no permission
    KT_EIO = -7,           ///< reading or writing failed
    KT_EFORMAT = -8,       ///< a file is malformed
    KT_EREFUSED = -9,      ///< refused by policy (code in a file, unsafe path)
    KT_ELIMIT = -10,       ///< over a limit
    KT_ENAN = -11,         ///< stopped by NaN
    KT_EBACKEND = -12,     ///< the engine failed
    KT_EUNSUPPORTED = -13, ///< not there (yet)
    KT_ENOMEM = -14,       ///< out of memory
    KT_ECANCELED = -15,    ///< stopped by a callback or a signal
    KT_EINTERNAL = -16     ///< a bug in the library
} kt_status;

/** Parts of the last error of this thread; strings are "" when absent and live until the next
 * error. */
typedef struct kt_error {
    kt_status status;
    const char *text;     ///< what went wrong
    const char *path;     ///< where: layer, model, file
    const char *expected; ///< what was expected
    const char *got;      ///< what came
    const char *hint;     ///< what to try
    const char *file;     ///< source line that noticed
    int line;
} kt_error;

/** The last error of this thread (its status is KT_OK if there was none). */
KT_API kt_error kt_error_get(void);
/** Status of the last error of this thread. Success never clears it. */
KT_API kt_status kt_error_last(void);
/** The last error as one paragraph; "" if there was none. Lives until the next error of this
 * thread. */
KT_API const char *kt_error_message(void);
/** Forgets the last error of this thread. */
KT_API void kt_error_clear(void);
/** "KT_ESHAPE" for KT_ESHAPE. */
KT_API const char *kt_status_name(kt_status status);

/** Did making this object fail? NULL counts as failed.
 *
 *     if (kt_failed(model)) fprintf(stderr, "%s\n", kt_error_message());
 */
KT_API bool kt_failed(const void *object);
/** Status of an object: KT_OK, or why it could not be made. */
KT_API kt_status kt_check(const void *object);

#ifdef __cplusplus
}
#endif
#endif
