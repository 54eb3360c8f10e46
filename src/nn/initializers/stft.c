/* STFT: kernels of a one-dimensional convolution that does a short-time Fourier transform,
 *
 *   w[t, 0, f] = cos(-2 pi t f / (2 (F - 1))) window[t] / scale     ("imag": sin)
 *
 * scale: density sqrt(sum window^2), spectrum sum |window|.  keras.initializers.STFT. Windows are
 * those of scipy.signal.get_window that need no parameter and are common; a periodic one is the
 * symmetric one of length T + 1 without its last value. */
#include "nn/initializers/initializer.h"

#include "base/mem.h"

#include <math.h>

typedef kt_init_stft_args stft_args;

#define PI 3.14159265358979323846

static const char *const side_names[] = {"real", "imag", NULL};
static const char *const scaling_names[] = {"density", "spectrum", NULL};

/* Sums of cosines first: a[0] - a[1] cos(x) + a[2] cos(2x) - …; then the others. */
enum { WINDOW_SUMS = 7, BARTLETT = WINDOW_SUMS, TRIANG, COSINE };
static const char *const window_names[] = {
    "boxcar",
    "hann",
    "hamming",
    "blackman",
    "nuttall",
    "blackmanharris",
    "flattop",
    "bartlett",
    "triang",
    "cosine",
    NULL};
static const double window_sums[WINDOW_SUMS][5] = {
    {1},
    {0.5, 0.5},
    {0.54, 0.46},
    {0.42, 0.5, 0.08},
    {0.3635819, 0.4891775, 0.1365995, 0.0106411},
    {0.35875, 0.48829, 0.14128, 0.01168},
    {0.21557895, 0.41663158, 0.277263158, 0.083578947, 0.006947368}};

typedef struct {
    int side, scaling, window; /* -1: none */
} stft_state;

/* Value t of a symmetric window of length n > 1. */
static double window_value(int window, int64_t t, int64_t n) {
    const double at = (double)t, last = (double)(n - 1), from_end = fmin(at, last - at);
    double sum = 0;
    if (window == BARTLETT) return 2 * from_end / last;
    if (window == TRIANG)
        return n % 2 ? 2 * (from_end + 1) / (last + 2) : (2 * from_end + 1) / (last + 1);
    if (window == COSINE) return sin(PI / (double)n * (at + 0.5));
    for (int i = 0; i < 5; i++)
        sum += (i % 2 ? -1 : 1) * window_sums[window][i] * cos(2 * PI * i * at / last);
    return sum;
}

static void window_fill(const stft_args *a, const stft_state *s, double *w, int64_t n) {
    double scale = s->scaling < 0 || s->window < 0 ? 1 : 0;
    for (int64_t t = 0; t < n; t++) {
        w[t] = s->window < 0 || n == 1 ? 1 : window_value(s->window, t, a->periodic ? n + 1 : n);
        if (s->window >= 0 && s->scaling == 0) scale += w[t] * w[t];
        if (s->window >= 0 && s->scaling == 1) scale += fabs(w[t]);
    }
    if (s->window >= 0 && s->scaling == 0) scale = sqrt(scale);
    for (int64_t t = 0; t < n; t++) w[t] /= scale;
}

static kt_status stft_fill(const kt_component *c, uint64_t key, const kt_spec *spec, void *data) {
    const stft_state *s = kt_state_of(c);
    const int64_t *dim = spec->shape.dim;
    (void)key;
    if (!kt_dtype_is_float(spec->dtype))
        return KT_FAIL(
            KT_EDTYPE, "STFT fills floating-point weights, not %s", kt_dtype_name(spec->dtype));
    if (spec->shape.ndim != 3 || dim[1] != 1 || dim[2] < 2)
        return kt_init_shape_error(c, spec, "(frame length, 1, bins), at least 2 bins");
    double *w = kt_alloc_array(dim[0], sizeof *w);
    if (!w) return KT_ENOMEM;
    window_fill(kt_args_of(c), s, w, dim[0]);
    const int64_t period = 2 * (dim[2] - 1);
    for (int64_t t = 0; t < dim[0]; t++)
        for (int64_t f = 0; f < dim[2]; f++) {
            const double angle = -2 * PI * (double)(t * f % period) / (double)period;
            const double v = s->side == 0 ? cos(angle) : sin(angle);
            kt_elem_set(data, spec->dtype, t * dim[2] + f, v * w[t]);
        }
    kt_mem_free(w);
    return KT_OK;
}

static kt_status stft_init(kt_component *c) {
    const stft_args *a = kt_args_of(c);
    stft_state *s = kt_state_of(c);
    s->scaling = s->window = -1;
    kt_status st = kt_arg_word("side", a->side, side_names, &s->side);
    if (st == KT_OK && a->window) st = kt_arg_word("window", a->window, window_names, &s->window);
    if (st == KT_OK && a->scaling)
        st = kt_arg_word("scaling", a->scaling, scaling_names, &s->scaling);
    return st;
}

static const kt_field stft_fields[] = {
    KT_F(stft_args, side),
    KT_F(stft_args, window),
    KT_F(stft_args, scaling),
    KT_F(stft_args, periodic),
    KT_F_END};
static const stft_args stft_defaults = {.size = sizeof(stft_args), KT_INIT_STFT_DEFAULTS};

const kt_initializer_class kt_initializer_class_stft = {
    .base =
        {.kind = KT_KIND_INITIALIZER,
         .name = "STFT",
         .aliases = {"STFTInitializer"},
         .args_size = sizeof(stft_args),
         .state_size = sizeof(stft_state),
         .fields = stft_fields,
         .defaults = &stft_defaults,
         .init = stft_init},
    .fill = stft_fill};

kt_initializer *kt_init_stft_new(const kt_init_stft_args *args) {
    return kt_component_new(&kt_initializer_class_stft.base, args);
}
