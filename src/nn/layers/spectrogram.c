/* STFTSpectrogram, MelSpectrogram: short-time Fourier transforms as convolutions with cosines and
 * sines under a window (the initializer STFT makes them).
 *
 * The first has them as weights. The second has constants, mirrors the signal at its ends, and sums
 * magnitudes over triangles that are equally wide on the mel scale, 1127 log(1 + f / 700).
 * keras.layers.STFTSpectrogram, keras.layers.MelSpectrogram */
#include "nn/initializers/initializer.h"
#include "nn/spatial.h"

#include <keratin/layers.h>
#include <keratin/ops_windows.h>

#include <math.h>
#include <string.h>

#define EPSILON 1e-7 /* keras.config.epsilon() */

static kt_status positive(const char *what, int64_t n) {
    if (n >= 1 && n <= INT64_C(1) << 30) return KT_OK;
    return KT_FAIL(KT_EINVAL, "%s: expected a positive number, got %lld", what, (long long)n);
}

/* STFTSpectrogram ------------------------------------------------------------------------------ */

typedef kt_stft_spectrogram_args stft_args;
enum { LOG, MAGNITUDE, PSD, REAL, IMAG, ANGLE, STFT };
typedef struct {
    int mode;
    bool first;
    int64_t step, bins;
    kt_var *real, *imag;
} stft_state;

static kt_status stft_init(kt_layer *l) {
    static const char *const modes[] = {
        "log", "magnitude", "psd", "real", "imag", "angle", "stft", NULL};
    const stft_args *a = kt_layer_args(l);
    stft_state *s = kt_layer_state(l);
    kt_pad_mode padding;
    kt_status st = kt_arg_word("mode", a->mode, modes, &s->mode);
    if (st == KT_OK) st = positive("frame_length", a->frame_length);
    if (st == KT_OK && a->frame_length < 2)
        st = KT_FAIL(KT_EINVAL, "frame_length: expected 2 or more, got 1");
    if (st == KT_OK) st = kt_padding_get(a->padding, false, &padding);
    if (st == KT_OK) st = kt_data_format_get(a->data_format, &s->first);
    if (st) return st;
    s->step = a->frame_step == KT_NONE ? a->frame_length / 2 : a->frame_step;
    if (s->step < 1 || s->step > a->frame_length)
        return KT_FAIL(
            KT_EINVAL,
            "frame_step: expected 1 to frame_length (%lld), got %lld",
            (long long)a->frame_length,
            (long long)s->step);
    int64_t length = 2;
    while (length < a->frame_length) length *= 2;
    if (a->fft_length != KT_NONE) length = a->fft_length;
    if (length < a->frame_length || length > INT64_C(1) << 30)
        return KT_FAIL(
            KT_EINVAL,
            "fft_length: expected frame_length (%lld) or more, got %lld",
            (long long)a->frame_length,
            (long long)length);
    s->bins = length / 2 + 1;
    kt_layer_set_spec(l, (kt_input_spec){.ndim = 3});
    return KT_OK;
}

static kt_var *add_kernel(kt_layer *l, const char *name, const char *side) {
    const stft_args *a = kt_layer_args(l);
    const stft_state *s = kt_layer_state(l);
    return kt_add_weight(
        l,
        name,
        {a->frame_length, 1, s->bins},
        .initializer = kt_init_stft(
            side, .window = a->window, .scaling = a->scaling, .periodic = a->periodic));
}

static kt_status stft_build(kt_layer *l, const kt_shape *in) {
    stft_state *s = kt_layer_state(l);
    (void)in;
    if (s->mode != IMAG) s->real = add_kernel(l, "real_kernel", "real");
    if (s->mode != REAL) s->imag = add_kernel(l, "imag_kernel", "imag");
    return KT_OK;
}

static kt_sym *power_of(kt_sym *real, kt_sym *imag) {
    return kt_op_add(kt_op_square(real), kt_op_square(imag));
}

/* All but the first and the last bin stand for two frequencies. */
static kt_sym *both_sides(kt_sym *power, int64_t bins) {
    if (bins <= 2) return power;
    const kt_shape one = kt_dims(0, 0, 1);
    kt_sym *inner = kt_op_slice(power, 2, 1, bins - 1);
    return kt_op_add(power, kt_op_pad(inner, one, one, 0));
}

/* (n, frames, bins) from the two products */
static kt_sym *in_mode(const stft_state *s, kt_sym *real, kt_sym *imag) {
    switch (s->mode) {
    case REAL:
        return real;
    case IMAG:
        return imag;
    case ANGLE:
        return kt_op_arctan2(imag, real);
    case STFT:
        return kt_op_concatenate(kt_list(real, imag), -1);
    case PSD:
        return both_sides(power_of(real, imag), s->bins);
    default:
        break;
    }
    kt_sym *y = kt_op_sqrt(kt_op_maximum(power_of(real, imag), kt_num(EPSILON)));
    return s->mode == LOG ? kt_op_log(kt_op_maximum(y, kt_num(EPSILON))) : y;
}

/* (batch x channels, frames, bins) in the order that was asked for */
static kt_sym *arranged(const kt_layer *l, kt_sym *y, int64_t channels) {
    const stft_args *a = kt_layer_args(l);
    const stft_state *s = kt_layer_state(l);
    if (kt_check(y)) return y;
    const kt_shape d = kt_sym_shape(y);
    const int64_t n = channels ? d.dim[0] / channels : 0, frames = d.dim[1], bins = d.dim[2];
    y = kt_op_reshape(y, kt_dims(n, channels, frames, bins));
    if (a->expand_dims) return s->first ? y : kt_op_transpose(y, kt_dims(0, 2, 3, 1));
    y = kt_op_transpose(y, s->first ? kt_dims(0, 1, 3, 2) : kt_dims(0, 2, 1, 3));
    if (s->first) return kt_op_reshape(y, kt_dims(n, channels * bins, frames));
    return kt_op_reshape(y, kt_dims(n, frames, channels * bins));
}

static kt_status stft_call(kt_layer *l, kt_trace *t) {
    const stft_args *a = kt_layer_args(l);
    const stft_state *s = kt_layer_state(l);
    kt_sym *x = t->in[0], *side[2] = {NULL, NULL};
    if (!kt_dtype_is_float(kt_sym_dtype(x)))
        return KT_FAIL(
            KT_EDTYPE, "expected floating numbers, got %s", kt_dtype_name(kt_sym_dtype(x)));
    if (!s->first) x = kt_op_swapaxes(x, 1, 2);
    const kt_shape d = kt_sym_shape(x); /* batch, channels, time */
    x = kt_op_reshape(x, kt_dims(d.dim[0] * d.dim[1], d.dim[2], 1));
    for (int i = 0; i < 2; i++) {
        const kt_var *kernel = i ? s->imag : s->real;
        if (kernel)
            side[i] = kt_op_conv(
                x,
                kt_value((kt_var *)kernel),
                .strides = s->step,
                .padding = a->padding,
                .data_format = "channels_last");
    }
    t->out[0] = arranged(l, in_mode(s, side[0], side[1]), d.dim[1]);
    return kt_check(t->out[0]);
}

#define F(name) KT_F(stft_args, name)
static const kt_field stft_fields[] = {
    F(mode),
    F(frame_length),
    F(frame_step),
    F(fft_length),
    F(window),
    F(periodic),
    F(scaling),
    F(padding),
    F(expand_dims),
    F(data_format),
    KT_F_END};
#undef F

const kt_layer_class kt_class_stft_spectrogram = {
    .name = "STFTSpectrogram",
    .args_size = sizeof(stft_args),
    .state_size = sizeof(stft_state),
    .fields = stft_fields,
    .defaults = &(const stft_args){KT_STFT_SPECTROGRAM_DEFAULTS},
    .init = stft_init,
    .build = stft_build,
    .call = stft_call,
};
kt_layer *kt_stft_spectrogram_new(const stft_args *a) {
    return kt_layer_new(&kt_class_stft_spectrogram, a);
}

/* MelSpectrogram ------------------------------------------------------------------------------- */

typedef kt_mel_spectrogram_args mel_args;
typedef struct {
    int64_t length; /* of the window */
    double max_freq;
} mel_state;

static kt_status mel_init(kt_layer *l) {
    static const char *const windows[] = {"hann", "hamming", NULL};
    const mel_args *a = kt_layer_args(l);
    mel_state *s = kt_layer_state(l);
    int window;
    kt_status st = positive("fft_length", a->fft_length);
    s->length = a->sequence_length == KT_NONE ? a->fft_length : a->sequence_length;
    if (st == KT_OK) st = positive("sequence_length", s->length);
    if (st == KT_OK) st = positive("sequence_stride", a->sequence_stride);
    if (st == KT_OK) st = positive("sampling_rate", a->sampling_rate);
    if (st == KT_OK) st = positive("num_mel_bins", a->num_mel_bins);
    if (st == KT_OK && a->window) st = kt_arg_word("window", a->window, windows, &window);
    if (st) return st;
    if (a->fft_length < 2 || a->fft_length < s->length) {
        KT_FAIL(KT_EINVAL, "fft_length is too small");
        kt_error_expected("2 or more, and sequence_length (%lld) or more", (long long)s->length);
        return kt_error_got("%lld", (long long)a->fft_length);
    }
    s->max_freq = a->max_freq == KT_NONE_F ? (double)(a->sampling_rate / 2) : a->max_freq;
    kt_layer_set_spec(l, (kt_input_spec){.min_ndim = 1, .max_ndim = 2});
    return KT_OK;
}

/* The kernel (length, 1, bins) of a transform. */
static kt_val *transform(const kt_layer *l, kt_graph *g, const char *side, int64_t bins) {
    const mel_args *a = kt_layer_args(l);
    const int64_t length = ((const mel_state *)kt_layer_state(l))->length;
    const kt_spec spec = {KT_FLOAT32, {3, {length, 1, bins}}};
    /* Windows of even lengths only are periodic in TensorFlow. */
    kt_component *c = kt_init_stft(
        side, .window = a->window, .scaling = NULL, .periodic = length % 2 == 0);
    float *data = kt_arena_alloc(g->arena, sizeof *data * (size_t)(length * bins));
    kt_status st = data ? kt_check(c) : KT_ENOMEM;
    if (st == KT_OK) st = kt_initializer_class_stft.fill(c, 0, &spec, data);
    kt_free(c);
    return st ? kt_graph_fail(g, st) : kt_g_array(g, data, spec);
}

static double mel_of(double hertz) { return 1127 * log(1 + hertz / 700); }

/* (bins, bands): a triangle for each band; the first bin, frequency 0, is in none. */
static kt_val *mel_matrix(const kt_layer *l, kt_graph *g, int64_t bins) {
    const mel_args *a = kt_layer_args(l);
    const int64_t n = a->num_mel_bins;
    const double low = mel_of(a->min_freq);
    const double step = (mel_of(((const mel_state *)kt_layer_state(l))->max_freq) - low) /
                        (double)(n + 1);
    float *m = kt_arena_alloc(g->arena, sizeof *m * (size_t)(bins * n));
    if (!m) return kt_graph_fail(g, KT_ENOMEM);
    memset(m, 0, sizeof *m * (size_t)n);
    for (int64_t i = 1; i < bins; i++) {
        const double hertz = (double)a->sampling_rate / 2 * (double)i / (double)(bins - 1);
        const double at = (mel_of(hertz) - low) / step;
        for (int64_t k = 0; k < n; k++)
            m[i * n + k] = (float)fmax(0, fmin(at - (double)k, (double)k + 2 - at));
    }
    return kt_g_array(g, m, (kt_spec){KT_FLOAT32, {2, {bins, n}}});
}

/* Of x (batch, samples) the magnitudes (batch, frames, bins). */
static kt_sym *magnitudes(const kt_layer *l, kt_graph *g, kt_sym *x) {
    const mel_args *a = kt_layer_args(l);
    const int64_t length = ((const mel_state *)kt_layer_state(l))->length;
    const int64_t edge = a->fft_length / 2, bins = edge + 1;
    const int64_t before = (a->fft_length - length) / 2; /* the window is in the middle */
    kt_sym *side[2];
    x = kt_op_pad_mode(x, kt_dims(0, edge), kt_dims(0, edge), "reflect");
    if (kt_check(x)) return x;
    const kt_shape d = kt_sym_shape(x);
    x = kt_op_slice(x, 1, before, d.dim[1] - (a->fft_length - length - before));
    x = kt_op_expand_dims(x, 2);
    for (int i = 0; i < 2; i++)
        side[i] = kt_op_conv(
            x,
            kt_wrap(transform(l, g, i ? "imag" : "real", bins)),
            .strides = a->sequence_stride,
            .data_format = "channels_last");
    return kt_op_sqrt(power_of(side[0], side[1]));
}

static kt_sym *decibels(const mel_args *a, kt_sym *x) {
    const double per_log = 10 / log(10), ref = log(fmax(fabs(a->ref_power), a->min_power));
    x = kt_op_multiply(kt_op_log(kt_op_maximum(x, kt_num(a->min_power))), kt_num(per_log));
    x = kt_op_subtract(x, kt_num(per_log * ref));
    kt_sym *most = kt_op_max(x, KT_NONE, false);
    return kt_op_maximum(x, kt_op_subtract(most, kt_num(a->top_db)));
}

static kt_status mel_call(kt_layer *l, kt_trace *t) {
    const mel_args *a = kt_layer_args(l);
    kt_graph *g = kt_tracer_current()->g;
    const bool alone = kt_sym_shape(t->in[0]).ndim == 1;
    kt_sym *x = kt_op_cast(t->in[0], "float32");
    x = magnitudes(l, g, alone ? kt_op_expand_dims(x, 0) : x);
    if (a->mag_exp != 1) x = kt_op_power(x, kt_num(a->mag_exp));
    x = kt_op_matmul(x, kt_wrap(mel_matrix(l, g, a->fft_length / 2 + 1)));
    if (a->power_to_db) x = decibels(a, x);
    x = kt_op_cast(kt_op_swapaxes(x, 1, 2), kt_dtype_name(kt_layer_dtype(l)));
    t->out[0] = alone ? kt_op_squeeze(x, 0) : x;
    return kt_check(t->out[0]);
}

#define F(name) KT_F(mel_args, name)
static const kt_field mel_fields[] = {
    F(fft_length),
    F(sequence_stride),
    F(sequence_length),
    F(window),
    F(sampling_rate),
    F(num_mel_bins),
    F(min_freq),
    F(max_freq),
    F(power_to_db),
    F(top_db),
    F(mag_exp),
    F(min_power),
    F(ref_power),
    KT_F_END};
#undef F

const kt_layer_class kt_class_mel_spectrogram = {
    .name = "MelSpectrogram",
    .args_size = sizeof(mel_args),
    .state_size = sizeof(mel_state),
    .fields = mel_fields,
    .defaults = &(const mel_args){KT_MEL_SPECTROGRAM_DEFAULTS},
    .init = mel_init,
    .call = mel_call,
};
kt_layer *kt_mel_spectrogram_new(const mel_args *a) {
    return kt_layer_new(&kt_class_mel_spectrogram, a);
}
