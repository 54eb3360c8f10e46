/* Which variables a model has and where a Keras 3 file keeps them: a flat list of groups, in the
 * order in which Keras walks a model. Files that store weights are written from it and read into
 * it. */
#ifndef KT_SAVING_WEIGHTS_TREE_H
#define KT_SAVING_WEIGHTS_TREE_H

#include "base/vec.h"
#include "model/model.h"

/** The own variables of a layer (without its sub-layers), or of the optimizer. */
typedef struct kt_weight_group {
    char *path;       ///< "layers/lstm/cell"; "" for the model itself; "optimizer"
    const char *name; ///< of the layer, borrowed
    kt_layer *layer;  ///< NULL: the optimizer
    int first, n;     ///< variables of kt_weight_tree.vars
} kt_weight_group;

typedef struct kt_weight_tree {
    KT_VEC(kt_weight_group) groups;
    KT_VEC(kt_var *) vars; ///< borrowed from the layers
} kt_weight_tree;

/** Of a model that is built. With `optimizer`, its variables are the last group (if the model is
 * compiled and the optimizer has some). Free with kt_weight_tree_free, also after an error. */
kt_status kt_weight_tree_make(kt_weight_tree *t, kt_model *m, bool optimizer);
void kt_weight_tree_free(kt_weight_tree *t);

#endif
