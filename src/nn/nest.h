/* Tensors in lists and dicts that stand in lists and dicts: the structures that models take and
 * return. Flat, a list comes in its order and a dict in the order of its keys, as Keras has it. */
#ifndef KT_NN_NEST_H
#define KT_NN_NEST_H

#include <keratin/layers.h>

typedef struct kt_nest kt_nest;
struct kt_nest {
    int leaf;      ///< number of the tensor; -1: a list or a dict
    int n;         ///< items
    kt_nest *item; ///< in the order in which they were given
    char **key;    ///< of a dict; NULL: a list
};

/** Flattens a tensor, kt_list or kt_dict into leaf[most], *n of them; the structure into *out
 * (NULL: not wanted), for kt_nest_free(). `what` begins the messages. */
kt_status kt_nest_take(
    kt_nest **out, kt_ref ref, const char *what, int most, int *n, kt_sym **leaf);
void kt_nest_free(kt_nest *nest);
/** The key under which a dict at the top holds tensor i itself; NULL: there is none. */
const char *kt_nest_key(const kt_nest *nest, int i);

#endif
