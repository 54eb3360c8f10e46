/* Host arrays: a dtype, a shape, C-ordered data. */
#ifndef KERATIN_TENSOR_H
#define KERATIN_TENSOR_H

#include <keratin/error.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef enum kt_dtype {
    KT_NO_DTYPE = 0,
    KT_FLOAT32,
    KT_FLOAT64,
    KT_INT32,
    KT_INT64,
    KT_UINT8,
    KT_BOOL,
    KT_FLOAT16,  ///< storage only
    KT_BFLOAT16, ///< storage only
    KT_INT8,
    KT_STRING, ///< texts: an element is a `const char *`, UTF-8 ended by 0
    KT_DTYPE_COUNT
} kt_dtype;

typedef struct kt_tensor kt_tensor;

/** "float32" for KT_FLOAT32, and back (KT_NO_DTYPE if unknown); bytes of one element. */
KT_API const char *kt_dtype_name(kt_dtype dtype);
KT_API kt_dtype kt_dtype_of(const char *name);
KT_API size_t kt_dtype_size(kt_dtype dtype);

/** A new array with a copy of `data` (zeros when data is NULL).
 *
 *     kt_tensor *x = kt_tensor_new(KT_FLOAT32, kt_dims(2, 3), (float[]){1, 2, 3, 4, 5, 6});
 */
KT_API kt_tensor *kt_tensor_new(kt_dtype dtype, kt_shape shape, const void *data);
/** An array of texts, (n,): kt_strings("a cat", "the dog"). They are copied, as kt_tensor_new()
 * copies those of a `const char *` array given with KT_STRING (empty texts when that is NULL).
 * Layers that look words up take them, models through kt_input(.dtype = "string"). */
#define kt_strings(...)                                                                            \
    kt_tensor_new(                                                                                 \
        KT_STRING,                                                                                 \
        kt_dims(sizeof((const char *[]){__VA_ARGS__}) / sizeof(char *)),                           \
        (const char *[]){__VA_ARGS__})
/** Text i in C order, borrowed; NULL where there is none, or the elements are no texts. */
KT_API const char *kt_tensor_text(const kt_tensor *t, int64_t i);
/** An array over the caller's memory, which is not copied and must outlive it. */
KT_API kt_tensor *kt_tensor_wrap(kt_dtype dtype, kt_shape shape, void *data);
/** Rows start … stop-1 along axis 0, sharing the memory of `t`, which stays alive as long as the
 * slice. */
KT_API kt_tensor *kt_tensor_slice(const kt_tensor *t, int64_t start, int64_t stop);
/** A copy; kt_tensor_cast converts the elements; kt_tensor_reshape shares memory under another
 * shape. */
KT_API kt_tensor *kt_tensor_copy(const kt_tensor *t);
KT_API kt_tensor *kt_tensor_cast(const kt_tensor *t, kt_dtype dtype);
KT_API kt_tensor *kt_tensor_reshape(const kt_tensor *t, kt_shape shape);

/** What kind of elements there are, and the form they are in. */
KT_API kt_dtype kt_tensor_dtype(const kt_tensor *t);
KT_API kt_shape kt_tensor_shape(const kt_tensor *t);
/** Number of elements; length of axis i (negative from the end). */
KT_API int64_t kt_tensor_size(const kt_tensor *t);
KT_API int64_t kt_tensor_dim(const kt_tensor *t, int i);
/** The elements, borrowed. */
KT_API void *kt_tensor_data(const kt_tensor *t);
/** Element i in C order as a double (0 when out of range), and how to write one. */
KT_API double kt_tensor_get(const kt_tensor *t, int64_t i);
KT_API kt_status kt_tensor_set(kt_tensor *t, int64_t i, double value);
/** Index of the largest element of row `row` of a 2-D array (or of a 1-D array, row 0): the first
 * of equals, the first NaN if there is one; -1 if there is no such row or it is empty. */
KT_API int64_t kt_tensor_argmax(const kt_tensor *t, int64_t row);
/** As NumPy prints it: into `buf` (always terminated; returns the full length), or to the text
 * output. */
KT_API size_t kt_tensor_str(const kt_tensor *t, char *buf, size_t size);
KT_API void kt_tensor_print(const kt_tensor *t);

#ifdef __cplusplus
}
#endif
#endif
