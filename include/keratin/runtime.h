/* Settings of the library as a whole. */
#ifndef KERATIN_RUNTIME_H
#define KERATIN_RUNTIME_H

#include <keratin/tensor.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Seeds everything random: initial weights, dropout, shuffling. Keras:
 * keras.utils.set_random_seed. Without a call the seed is taken from the system, so runs differ.
 *
 *     kt_set_random_seed(42);
 */
KT_API void kt_set_random_seed(uint64_t seed);

/** The policy of layers whose `dtype` is left out: "float32" (default), "float64", "float16",
 * "bfloat16", or with weights in float32 and computation in 16 bits "mixed_float16",
 * "mixed_bfloat16". Computation in 16 bits is rounded as the type asks for after each operation; it
 * saves no time here. Keras: keras.config.set_dtype_policy. Unknown names: KT_EINVAL; those of
 * quantization: KT_EUNSUPPORTED.
 *
 *     kt_set_dtype_policy("mixed_float16");
 */
KT_API kt_status kt_set_dtype_policy(const char *name);
KT_API const char *kt_dtype_policy(void);

/** The floating type of inputs, losses, metrics and of numbers made from integers: "float32"
 * (default), "float16", "bfloat16" or "float64". As long as no dtype policy is set it is the
 * policy, too; as long as it is "float32" a policy of "float64" widens it. Keras:
 * keras.config.set_floatx, keras.config.floatx. Other names: KT_EINVAL.
 *
 *     kt_set_floatx("float64");
 */
KT_API kt_status kt_set_floatx(const char *name);
KT_API const char *kt_floatx(void);

/** Threads that work is split over; 0 is the default: the processors this process may use, or
 * KT_NUM_THREADS. Results do not depend on it. */
KT_API void kt_set_num_threads(int n);
KT_API int kt_num_threads(void);

/** The instruction set that kernels were chosen for: "portable", "avx2" or "avx512". The
 * environment variable KT_ISA caps it.
 *
 *     puts(kt_isa());
 */
KT_API const char *kt_isa(void);

/** Where progress bars, summaries and printed tensors go instead of stdout; NULL: stdout again. */
typedef void kt_output_fn(const char *text, size_t n, void *data);
KT_API void kt_set_output(kt_output_fn *fn, void *data);
/** Where warnings go instead of stderr, in lines; NULL: stderr again. */
KT_API void kt_set_log(kt_output_fn *fn, void *data);

#ifdef __cplusplus
}
#endif
#endif
