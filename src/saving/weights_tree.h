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
    kt_ref skip;           ///< layers or an optimizer that are left out: one, or a kt_list
} kt_weight_tree;

/** Of a model that is built. With `optimizer`, its variables are the last group (if the model is
 * compiled): of one that is not built the few it has by itself. Free with kt_weight_tree_free, also
 * after an error. */
kt_status kt_weight_tree_make(kt_weight_tree *t, kt_model *m, bool optimizer);
/** The same without some objects and what is inside them (NULL: all); KT_EINVAL if there are others
 * than layers and optimizers among them. */
kt_status kt_weight_tree_make_but(kt_weight_tree *t, kt_model *m, bool optimizer, kt_ref skip);
/** Has the optimizer of a compiled model only what it has before it is built? */
bool kt_saves_unbuilt(kt_model *m);
/** What is saved: the optimizer's variables as far as it has begun to train. */
kt_status kt_weight_tree_to_save(kt_weight_tree *t, kt_model *m, bool optimizer, kt_ref skip);
void kt_weight_tree_free(kt_weight_tree *t);

#endif
