/* Two dense layers of one width, before and after kt_model_quantize(): docs/performance.md.
 *
 *     bench_int8 [THREADS] */
#include <keratin/keratin.h>

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* Microseconds of a prediction, the best of some rounds. */
static double predict(kt_model *m, const kt_tensor *x, kt_tensor *y) {
    double best = 1e9;
    for (int round = 0; round < 7; round++) {
        const double start = now();
        int n = 0;
        for (; now() - start < 0.15; n++)
            if (kt_model_predict_into(m, x, y)) return -1;
        const double each = (now() - start) / n;
        if (each < best) best = each;
    }
    return best * 1e6;
}

static int measure(int width, int batch) {
    kt_model *m = kt_sequential(
        kt_list(kt_input({width}), kt_dense(width, .activation = "relu"), kt_dense(width)));
    kt_tensor *x = kt_tensor_new(KT_FLOAT32, kt_dims(batch, width), NULL);
    kt_tensor *y = kt_tensor_new(KT_FLOAT32, kt_dims(batch, width), NULL);
    for (int i = 0; i < batch * width; i++) (void)kt_tensor_set(x, i, (i * 37 % 101 - 50) / 50.0);
    const double floats = predict(m, x, y);
    const kt_status st = kt_model_quantize(m, "int8");
    const double ints = st ? -1 : predict(m, x, y);
    if (ints < 0) fprintf(stderr, "%s\n", kt_error_message());
    printf("2 x Dense(%d), batch %d: float32 %.1f us, int8 %.1f us\n", width, batch, floats, ints);
    const void *all[] = {m, x, y};
    for (int i = 0; i < 3; i++) kt_free(all[i]);
    return ints < 0;
}

int main(int argc, char **argv) {
    static const int widths[] = {128, 512, 1024, 4096}, batches[] = {1, 32, 256};
    int failed = 0;
    if (argc > 1) kt_set_num_threads(atoi(argv[1]));
    printf("%s, %d threads\n", kt_isa(), kt_num_threads());
    for (int w = 0; w < 4; w++)
        for (int b = 0; b < 3 && !failed; b++)
            if (widths[w] * batches[b] < 1 << 19) failed = measure(widths[w], batches[b]);
    return failed;
}
