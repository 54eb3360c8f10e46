/* Basics that every other header stands on: export macro, version, optional arguments, references
 * to "a name or an object", lists, ownership.
 *
 * Ownership in three lines: constructors return a *floating* object; whoever receives it (a
 * constructor, compile, fit) adopts it. kt_free() gives up what you still hold, kt_retain() keeps
 * one more. kt_clear_session() frees what was built and never adopted. */
#ifndef KERATIN_BASE_H
#define KERATIN_BASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(_WIN32)
#define KT_API __declspec(dllexport)
#elif defined(__GNUC__)
#define KT_API __attribute__((visibility("default")))
#else
#define KT_API
#endif

#define KT_VERSION "0.1.0"

/** Version of the library that runs (KT_VERSION is that of the header it was compiled with).
 *
 *     puts(kt_version());  // "0.1.0"
 */
KT_API const char *kt_version(void);

#define KT_MAX_RANK 8

/** A dimension that is not known yet (None), and "None" for integers. */
#define KT_NONE INT64_MIN
/** "None" for floating-point arguments: a value nobody passes on purpose. */
#define KT_NONE_F (-1.7976931348623157e+308)
/** Three-valued switches such as `training`: decide for me. */
#define KT_AUTO (-1)

/** A name ("relu") or an object (kt_reg_l2(0.01)); NULL is None. Used only where Keras takes
 * both. */
typedef const void *kt_ref;

/** One to three small integers: `3` means the same in each place, kt_hw(3, 5) is (3, 5). */
typedef int64_t kt_tuple;
#define kt_hw(h, w) ((kt_tuple)(INT64_C(2) << 60 | (int64_t)(h) << 20 | (int64_t)(w)))
#define kt_dhw(d, h, w)                                                                            \
    ((kt_tuple)(INT64_C(3) << 60 | (int64_t)(d) << 40 | (int64_t)(h) << 20 | (int64_t)(w)))
/** Two numbers, before and after, for each axis: kt_pairs(1, 2) is (1, 2), kt_pairs(1, 2, 3, 4) is
 * ((1, 2), (3, 4)), kt_pairs(1, 2, 3, 4, 5, 6) for three axes. Below 32768, with three pairs below
 * 1024. */
#define kt_pairs(...) KT_PAIRS_OF(__VA_ARGS__, 3, 0, 2, 0, 1, 0)(__VA_ARGS__)
#define KT_PAIRS_OF(a, b, c, d, e, f, n, ...) KT_PAIRS_##n
#define KT_PAIRS_1(a, b) kt_hw(a, b)
#define KT_PAIRS_2(a, b, c, d)                                                                     \
    ((kt_tuple)(INT64_C(4) << 60 | KT_PAIR(a, b, 15) << 30 | KT_PAIR(c, d, 15)))
#define KT_PAIRS_3(a, b, c, d, e, f)                                                               \
    ((kt_tuple)(INT64_C(5) << 60 | KT_FOUR(a, b, c, d) << 20 | KT_PAIR(e, f, 10)))
#define KT_FOUR(a, b, c, d) (KT_PAIR(a, b, 10) << 20 | KT_PAIR(c, d, 10))
#define KT_PAIR(a, b, bits) ((int64_t)(a) << (bits) | (int64_t)(b))

/** The form of an array: ndim dimensions, KT_NONE where one is open. */
typedef struct kt_shape {
    int ndim;
    int64_t dim[KT_MAX_RANK];
} kt_shape;

/** kt_dims(2, 3) is the shape (2, 3); kt_shape_of(n, dims) is the function behind it. */
#define kt_dims(...)                                                                               \
    kt_shape_of((int)(sizeof((int64_t[]){__VA_ARGS__}) / sizeof(int64_t)), (int64_t[]){__VA_ARGS__})
KT_API kt_shape kt_shape_of(int ndim, const int64_t *dims);
/** Dimension i; a negative i counts from the end. 0 if there is no such dimension. */
KT_API int64_t kt_shape_dim(const kt_shape *shape, int i);

/** Lists of plain values, with their length. Keras: [1.0, 0.2], [12, 36] and ["relu", "tanh"]. */
typedef struct kt_floats_t {
    const double *v;
    int n;
} kt_floats_t;
typedef struct kt_ints_t {
    const int64_t *v;
    int n;
} kt_ints_t;
typedef struct kt_names_t {
    const char *const *v;
    int n;
} kt_names_t;
#define kt_floats(...)                                                                             \
    ((kt_floats_t){(const double[]){__VA_ARGS__}, sizeof((double[]){__VA_ARGS__}) / sizeof(double)})
#define kt_ints(...)                                                                               \
    ((kt_ints_t){                                                                                  \
        (const int64_t[]){__VA_ARGS__}, sizeof((int64_t[]){__VA_ARGS__}) / sizeof(int64_t)})
#define kt_names(...)                                                                              \
    ((kt_names_t){                                                                                 \
        (const char *const[]){__VA_ARGS__},                                                        \
        sizeof((const char *[]){__VA_ARGS__}) / sizeof(char *)})

/* Every options struct starts with `size`. That one member does three jobs: positional arguments
 * continue after it, it proves the struct was filled by the macro, and it tells a newer library
 * which fields an older caller knows. */
#if defined(__GNUC__)
#define KT_CALL(fn, type, defaults, ...)                                                           \
    __extension__({                                                                                \
        _Pragma("GCC diagnostic push") _Pragma("GCC diagnostic ignored \"-Woverride-init\"")       \
            _Pragma("GCC diagnostic ignored \"-Wmissing-braces\"")                                 \
                fn(&(type){defaults.size = sizeof(type), __VA_ARGS__});                            \
        _Pragma("GCC diagnostic pop")                                                              \
    })
#else
#define KT_CALL(fn, type, defaults, ...) fn(&(type){defaults.size = sizeof(type), __VA_ARGS__})
#endif

/** A list of objects or names, in order: kt_list("accuracy", kt_metric_auc()). No comma at the end.
 * The list adopts its floating items. kt_list_new() is the function behind it, for other languages:
 * its array ends in kt_list_end. */
typedef struct kt_list_s kt_list_t;
KT_API extern const char kt_list_end[];
#define kt_list(...) kt_list_new((const void *const[]){__VA_ARGS__, kt_list_end})
KT_API kt_list_t *kt_list_new(const void *const *items);
KT_API kt_list_t *kt_list_of(int n, const void *const *items);
/** Number of items; item i, borrowed (NULL when out of range). */
KT_API int kt_list_len(const kt_list_t *list);
KT_API const void *kt_list_get(const kt_list_t *list, int i);
/** Names and objects in turn: kt_dict("priority", bce, "department", cce). */
#define kt_dict(...) kt_dict_new((const void *const[]){__VA_ARGS__, kt_list_end})
KT_API kt_list_t *kt_dict_new(const void *const *items);
/** "No loss for this output" inside a list. */
KT_API extern const char kt_none[];

/** Gives up your reference. NULL, failed objects and objects that others own are fine. */
KT_API void kt_free(const void *object);
/** Keeps one reference more; returns its argument.  Pair with kt_free(). */
KT_API void *kt_retain(const void *object);
/** Frees what was built and never adopted, and starts automatic names anew.
 * keras.utils.clear_session */
KT_API void kt_clear_session(void);

#ifdef __cplusplus
}
#endif
#endif
