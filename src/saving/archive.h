/* Keras 3's .keras: a zip archive of metadata.json, config.json and model.weights.h5. */
#ifndef KT_SAVING_ARCHIVE_H
#define KT_SAVING_ARCHIVE_H

#include "io/hdf5.h"
#include "io/json.h"
#include "model/model.h"

/** The parts of an archive, found and read; weights stay where they are. */
typedef struct kt_archive {
    kt_zip *zip;
    kt_json *config, *metadata; ///< metadata NULL if there is none
    char *config_text;
    int weights; ///< member of model.weights.h5 or .npz; -1: none
    bool npz;
} kt_archive;

/** KT_EFORMAT … as kt_zip_open; needs config.json. */
kt_status kt_archive_open(kt_archive *a, const char *path);
kt_status kt_archive_open_memory(kt_archive *a, const void *data, size_t size);
void kt_archive_close(kt_archive *a);
/** The weights file; what deflated weights may take is limited to `bytes_max`. */
kt_status kt_archive_weights(kt_archive *a, kt_hdf5 **out, uint64_t bytes_max);
/** What deflated weights may take when nothing is to be loaded: what the architecture needs; where
 * it cannot be built here, 48 MiB or four times what is stored. */
uint64_t kt_archive_budget(const kt_archive *a);
/** The same for a model that is there. */
kt_status kt_archive_budget_of(kt_model *m, uint64_t *bytes_max);
/** Does the file begin like a zip archive? */
bool kt_archive_is(const char *path);

/** Gives a compiled model's optimizer its variables; nothing to do for others. */
kt_status kt_build_optimizer(kt_model *m);

/** Random numbers of training go on behind the steps that the optimizer has made. */
void kt_resume_steps(kt_model *m);

kt_model *kt_archive_load(kt_archive *a, bool compile);
kt_status kt_archive_save(kt_model *m, const char *path, bool optimizer);

#endif
