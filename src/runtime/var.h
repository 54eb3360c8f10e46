/* Variables: named memory that graphs read and assign. The memory is a kt_store; several variables
 * may share one (a flat extent), so that an optimizer passes over all weights at once. */
#ifndef KT_RUNTIME_VAR_H
#define KT_RUNTIME_VAR_H

#include "tensor/tensor.h"

typedef struct kt_var kt_var;

typedef struct kt_store {
    atomic_int refs;
    kt_dtype dtype;
    int64_t size; ///< elements
    void *data;   ///< NULL until kt_store_touch
} kt_store;

kt_store *kt_store_new(kt_dtype dtype, int64_t size);
kt_store *kt_store_ref(kt_store *s);
void kt_store_unref(kt_store *s);
/** Makes sure that there is memory (zeros at first). */
kt_status kt_store_touch(kt_store *s);

struct kt_var {
    kt_obj obj;
    char *name,
        *path; ///< "kernel", "sequential/dense/kernel" (path NULL until the layer has its name)
    kt_spec spec;
    kt_store *store;
    int64_t offset; ///< first element inside the store
    bool trainable;
    bool no_autocast;             ///< read as it is, also where layers compute in another dtype
    bool frozen;                  ///< made to be trained, but is not any more (nn/lora.h)
    bool initialized;             ///< the first value is there
    bool in_extent;               ///< the store is a flat extent
    kt_status (*fill)(kt_var *v); ///< writes the first value; NULL: zeros
    const void *initializer, *regularizer, *constraint; ///< adopted; the business of nn/
    void *owner;                                        ///< the layer, borrowed
};

kt_var *kt_var_new(const char *name, kt_spec spec, bool trainable);
/** Memory with the first value in it. */
kt_status kt_var_ensure(kt_var *v);
void *kt_var_data(const kt_var *v);
/** Copies n = size elements in or out, converting. */
void kt_var_read(const kt_var *v, void *out, kt_dtype dtype);
void kt_var_write(kt_var *v, const void *in, kt_dtype dtype);
double kt_var_scalar(const kt_var *v);
void kt_var_set_scalar(kt_var *v, double value);

/** Moves variables of one dtype that have no extent yet into a new one, 64-byte aligned; keeps
 * values. */
kt_status kt_extent_make(int n, kt_var *const *vars);
/** Grows whenever a variable moves: programs made before then look at the wrong memory. */
uint64_t kt_layout_version(void);
/** Something else that programs were made for is no longer so. */
void kt_layout_changed(void);

/** Runs of neighbouring memory that some variables cover: what an optimizer updates in one pass. */
typedef struct kt_segment {
    kt_store *store;
    int64_t offset, size;
    int first, count; ///< variables first … first+count-1 of the (sorted) list lie in it
} kt_segment;
/** Sorts `vars` by memory and finds their segments; `out` has room for n. Returns how many. */
int kt_segments(int n, kt_var **vars, kt_segment *out);

#endif
