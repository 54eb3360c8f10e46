/* Weights in several files: model.weights.json says which, model_00000.weights.h5 … beside it hold
 * them. Keras: save_weights(max_shard_size=…). */
#ifndef KT_SAVING_SHARDS_H
#define KT_SAVING_SHARDS_H

#include "saving/weights_h5.h"

bool kt_is_shards(const char *path); ///< by its name, ".weights.json"

/** Writes the map and its files; no file has more than gigabytes * 2^30 bytes of weights. KT_EINVAL
 * if one weight has more. The map comes last. */
kt_status kt_shards_save(const kt_weight_tree *t, const char *path, double gigabytes);

/** Opens every file that the map names; close also after an error. They stand in the map's own
 * folder: KT_EREFUSED for anything but a plain name that ends in .weights.h5. */
kt_status kt_shards_open(kt_weight_files *f, const char *path);
void kt_shards_close(kt_weight_files *f);

#endif
