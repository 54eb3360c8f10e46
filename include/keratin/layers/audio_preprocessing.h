/* Layers that turn sound into spectrograms: see layers.h. */
#ifndef KERATIN_LAYERS_AUDIO_PREPROCESSING_H
#define KERATIN_LAYERS_AUDIO_PREPROCESSING_H

#include <keratin/layers/base.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Short-time Fourier transform of each channel, as a convolution whose kernels are weights
 * (real_kernel, imag_kernel: frame_length, 1, fft_length / 2 + 1), so it can be trained.
 *
 * Keras: keras.layers.STFTSpectrogram.  Shape: (batch, time, channels) -> (batch, frames, channels
 * * bins), with expand_dims (batch, frames, bins, channels); channels_first: (batch, channels,
 * time) -> (batch, channels * bins, frames), (batch, channels, frames, bins). bins is fft_length /
 * 2 + 1, with mode "stft" twice that. Windows are those of kt_init_stft() by name; no arrays.
 * Errors: a frame_length below 2; a frame_step that is not in 1 … frame_length; an fft_length below
 * frame_length; unknown words; integers as input.
 *
 *     kt_stft_spectrogram("log", 256, .frame_step = 64)
 */
typedef struct kt_stft_spectrogram_args {
    size_t size;
    const char *mode;     ///< default "log"; "magnitude", "psd", "real", "imag", "angle", "stft"
    int64_t frame_length; ///< default 256
    int64_t frame_step;   ///< default KT_NONE: half of frame_length
    int64_t fft_length;   ///< default KT_NONE: the power of two that is not below frame_length
    const char *window;   ///< default "hann"
    bool periodic;
    const char *scaling; ///< default "density"; "spectrum", NULL: none
    const char *padding; ///< default "valid"; "same"
    bool expand_dims;
    const char *data_format; ///< default that of the session
    KT_LAYER_ARGS
} kt_stft_spectrogram_args;
#define KT_STFT_SPECTROGRAM_DEFAULTS                                                               \
    .mode = "log", .frame_length = 256, .frame_step = KT_NONE, .fft_length = KT_NONE,              \
    .window = "hann", .scaling = "density", .padding = "valid", KT_LAYER_DEFAULTS
#define kt_stft_spectrogram(...)                                                                   \
    KT_CALL(                                                                                       \
        kt_stft_spectrogram_new,                                                                   \
        kt_stft_spectrogram_args,                                                                  \
        KT_STFT_SPECTROGRAM_DEFAULTS,                                                              \
        __VA_ARGS__)
KT_API kt_layer *kt_stft_spectrogram_new(const kt_stft_spectrogram_args *args);

/** Spectrogram in bands that are equally wide on the mel scale.
 *
 * Keras: keras.layers.MelSpectrogram.  Shape: (batch, samples) -> (batch, num_mel_bins, 1 + samples
 * / sequence_stride); a signal without a batch likewise. The decibels of top_db count from the
 * loudest of the whole batch. The signal is mirrored at its ends, so it must be longer than half of
 * fft_length. Errors: that, numbers that are not positive, an fft_length below sequence_length,
 * another window than "hann", "hamming" or NULL.
 *
 *     kt_mel_spectrogram(.num_mel_bins = 64, .sampling_rate = 8000)
 */
typedef struct kt_mel_spectrogram_args {
    size_t size;
    int64_t fft_length;      ///< default 2048
    int64_t sequence_stride; ///< samples from frame to frame, default 512
    int64_t sequence_length; ///< of the window, default KT_NONE: fft_length
    const char *window;      ///< default "hann"; "hamming", NULL: none
    int64_t sampling_rate;   ///< default 16000
    int64_t num_mel_bins;    ///< default 128
    double min_freq;         ///< default 20
    double max_freq;         ///< default KT_NONE_F: half of sampling_rate
    bool power_to_db;        ///< default true
    double top_db;           ///< default 80
    double mag_exp;          ///< default 2
    double min_power;        ///< default 1e-10
    double ref_power;        ///< default 1
    KT_LAYER_ARGS
} kt_mel_spectrogram_args;
#define KT_MEL_SPECTROGRAM_DEFAULTS                                                                \
    .fft_length = 2048, .sequence_stride = 512, .sequence_length = KT_NONE, .window = "hann",      \
    .sampling_rate = 16000, .num_mel_bins = 128, .min_freq = 20, .max_freq = KT_NONE_F,            \
    .power_to_db = true, .top_db = 80, .mag_exp = 2, .min_power = 1e-10, .ref_power = 1,           \
    KT_LAYER_DEFAULTS
#define kt_mel_spectrogram(...)                                                                    \
    KT_CALL(                                                                                       \
        kt_mel_spectrogram_new, kt_mel_spectrogram_args, KT_MEL_SPECTROGRAM_DEFAULTS, __VA_ARGS__)
KT_API kt_layer *kt_mel_spectrogram_new(const kt_mel_spectrogram_args *args);

#ifdef __cplusplus
}
#endif
#endif
