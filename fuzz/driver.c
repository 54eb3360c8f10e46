/* Runs a fuzz target over the files of its corpus, without libFuzzer: every finding stays a test,
 * with any compiler and any sanitizer.
 *
 *     fuzz_npy fuzz/corpora/npy [FILE or FOLDER ...] */
#include "fuzz.h"

#include <dirent.h>

static int n_inputs;

static int run_file(const char *path) {
    FILE *f = fopen(path, "rb");
    if (!f || fseek(f, 0, SEEK_END) != 0) {
        fprintf(stderr, "cannot read %s\n", path);
        if (f) fclose(f);
        return 1;
    }
    const long size = ftell(f);
    rewind(f);
    /* exactly so long, so that a sanitizer sees the first byte behind it */
    uint8_t *data = malloc(size > 0 ? (size_t)size : 1);
    const int ok = data && fread(data, 1, (size_t)size, f) == (size_t)size;
    fclose(f);
    if (ok) LLVMFuzzerTestOneInput(data, (size_t)size);
    free(data);
    n_inputs++;
    return !ok;
}

static int run_folder(const char *path) {
    char file[4096];
    int failed = 0;
    DIR *folder = opendir(path);
    if (!folder) return run_file(path);
    for (const struct dirent *e; (e = readdir(folder));) {
        if (e->d_name[0] == '.') continue;
        snprintf(file, sizeof file, "%s/%s", path, e->d_name);
        failed |= run_file(file);
    }
    closedir(folder);
    return failed;
}

int main(int argc, char **argv) {
    int failed = 0;
    for (int i = 1; i < argc; i++) failed |= run_folder(argv[i]);
    printf("%d inputs\n", n_inputs);
    return failed || n_inputs == 0;
}
