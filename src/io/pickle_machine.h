/* The stack machine behind pickle.h: what a pickle says, without doing any of it.
 *
 * Lists do not own their items. The items of one list are appended in a row (a child is complete
 * before its parent gets it), so all integers lie in one array, all other items in another, and a
 * list is a range of one of them; a pickle whose appends go back and forth is not written by any
 * Python and refused. The entries of a dict are a chain, since Python writes them in thousands. So
 * a list costs what its items cost, and freeing is a few calls.
 *
 * A global is a word of the table in pickle_machine.c. What a pickle makes by calling one is an
 * object that remembers the word and its state, for pickle.c to look at.
 *
 * Budgets: a list may be referred to again and again (memo), so what a few bytes can ask for is
 * checked where it is made (MAX_…) and where it is copied out (no more than the pickle has). */
#ifndef KT_IO_PICKLE_MACHINE_H
#define KT_IO_PICKLE_MACHINE_H

#include "base/vec.h"
#include "io/elem.h"

typedef enum kt_pkl_kind {
    V_MARK,
    V_NONE,
    V_BOOL,   /* v */
    V_INT,    /* v */
    V_TEXT,   /* n bytes of the pickle from v */
    V_TUPLE,  /* n items from v */
    V_LIST,   /* lists[v] */
    V_DICT,   /* dicts[v] */
    V_GLOBAL, /* v: one of kt_pkl_global */
    V_DTYPE,  /* dtypes[v] */
    V_ARRAY,  /* arrays[v] */
    V_OBJECT, /* objects[v] */
    V_OTHER,  /* known and never looked at: a float, an empty set */
} kt_pkl_kind;

typedef enum kt_pkl_global {
    G_RECONSTRUCT,
    G_SCALAR,
    G_NDARRAY,
    G_DTYPE,
    G_BFLOAT16,
    G_VARIABLE,    /* keras.src.backend.Variable */
    G_PARTIAL,     /* functools.partial, of G_TF_VARIABLE only */
    G_TF_VARIABLE, /* what TensorFlow makes its variables with */
    G_TF_DTYPE,    /* … and dtypes: inert */
    G_JAX_ARRAY,
    G_INERT, /* regularizers and constraints of Keras */
} kt_pkl_global;

typedef struct kt_pkl_value {
    int64_t v;
    uint32_t n;
    kt_pkl_kind kind;
} kt_pkl_value;

typedef struct kt_pkl_list {
    bool ints; /* items are numbers of `ints`, else values of `items` */
    int start, n;
} kt_pkl_list;

typedef struct kt_pkl_pair {
    kt_pkl_value key, value;
    int next; /* of `pairs`; -1: the last one */
} kt_pkl_pair;

typedef struct kt_pkl_dict {
    int first, last, n; /* of `pairs`; -1 while there are none */
} kt_pkl_dict;

typedef struct kt_pkl_array {
    kt_elem elem; /* kind 'O': objects; 'B': bfloat16 */
    bool fortran;
    kt_shape shape;
    kt_pkl_value content; /* V_LIST or V_TEXT; V_NONE before BUILD */
} kt_pkl_array;

typedef struct kt_pkl_object {
    kt_pkl_global made_by;
    kt_pkl_value state; /* V_DICT, or V_NONE before BUILD */
} kt_pkl_object;

typedef struct kt_pkl {
    const unsigned char *data;
    size_t size, at;
    bool variables; /* Keras' variables are known, not only what data sets need */
    KT_VEC(kt_pkl_value) stack;
    KT_VEC(kt_pkl_value) memo;
    KT_VEC(kt_pkl_value) items;
    KT_VEC(int32_t) ints;
    KT_VEC(kt_pkl_list) lists;
    KT_VEC(kt_pkl_dict) dicts;
    KT_VEC(kt_pkl_pair) pairs;
    KT_VEC(kt_elem) dtypes;
    KT_VEC(kt_pkl_array) arrays;
    KT_VEC(kt_pkl_object) objects;
} kt_pkl;

/** The whole pickle; *out is what is on the stack at its end. Free with kt_pkl_release, also after
 * an error. */
kt_status kt_pkl_run(kt_pkl *p, kt_pkl_value *out);
void kt_pkl_release(kt_pkl *p);

bool kt_pkl_is_text(const kt_pkl *p, kt_pkl_value v, const char *text);
/** The value of a key among the first 1,000; V_MARK if it is not there or `dict` is none. */
kt_pkl_value kt_pkl_get(const kt_pkl *p, kt_pkl_value dict, const char *key);
kt_status kt_pkl_over_limit(void);

#endif
