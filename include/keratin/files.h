/* Arrays in files: NumPy's .npy and .npz, and tables of numbers as CSV. */
#ifndef KERATIN_FILES_H
#define KERATIN_FILES_H

#include <keratin/tensor.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Reads a .npy file. NumPy: numpy.load.
 *
 * Small integers become int32 or int64, arrays in Fortran's order are put into C's. Arrays of
 * Python objects are refused (KT_EREFUSED), other kinds are KT_EUNSUPPORTED.
 *
 *     kt_tensor *x = kt_load_npy("x.npy");
 */
KT_API kt_tensor *kt_load_npy(const char *path);
/** Writes exactly what numpy.save writes; an old file is replaced once the new one is whole.
 *
 *     kt_save_npy("x.npy", x);
 */
KT_API kt_status kt_save_npy(const char *path, const kt_tensor *t);

/** Reads a .npz file: names and arrays in turn, as kt_dict() makes them. NumPy: numpy.load.
 *
 * The arrays go with the list; kt_retain() keeps one longer.
 *
 *     kt_list_t *d = kt_load_npz("d.npz");
 *     for (int i = 0; i < kt_list_len(d); i += 2)
 *         printf("%s\n", (const char *)kt_list_get(d, i));
 */
KT_API kt_list_t *kt_load_npz(const char *path);
/** The arrays of a list that kt_dict() made, as numpy.savez(path, **arrays) writes them.
 *
 *     kt_save_npz("d.npz", kt_dict("x", x, "y", y));
 */
KT_API kt_status kt_save_npz(const char *path, const kt_list_t *arrays);

/** Reads a table of numbers: float32 (rows, columns).
 *
 * With `target` that column does not go into the result but to *y: int64 (rows,) if all of it are
 * integers, else float32. An empty field, NA and NaN are NaN. Errors: KT_EFORMAT for a field that
 * is no number and for lines of different length, KT_ENOTFOUND for a target that is not there.
 *
 *     kt_tensor *x = kt_load_csv("iris.csv", .target = "species", .y = &y);
 *
 * With the dtype "string" the fields of the result are texts, as they stand there (without their
 * quotes); the target is numbers still.
 */
typedef struct kt_load_csv_args {
    size_t size;
    const char *path;
    const char *target;    ///< name of a column, or its number from 0 (negative from the end)
    kt_tensor **y;         ///< where the target goes
    const char *separator; ///< one character, default ","
    int header; ///< KT_AUTO (default): the first line has names if a field of it is no number; for
                ///< texts if that of the target is none, so never without a target
    const char *dtype; ///< default "float32"; "string"
} kt_load_csv_args;
#define KT_LOAD_CSV_DEFAULTS .separator = ",", .header = KT_AUTO, .dtype = "float32",
#define kt_load_csv(...)                                                                           \
    KT_CALL(kt_load_csv_with, kt_load_csv_args, KT_LOAD_CSV_DEFAULTS, __VA_ARGS__)
KT_API kt_tensor *kt_load_csv_with(const kt_load_csv_args *args);

#ifdef __cplusplus
}
#endif
#endif
