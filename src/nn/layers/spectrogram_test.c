/* Spectrograms against real Keras (tests/golden/audio.npz), in both orders of axes, and what they
 * refuse. */
#include "testing/kt_layers.h"
#include "testing/kt_models.h"

#define CHANNELS .frame_step = 5, .fft_length = 20, .padding = "same"
#define MODE(X, mode)                                                                              \
    X("stft_" mode, kt_stft_spectrogram(mode, 16))                                                 \
    X("stft_" mode "_channels", kt_stft_spectrogram(mode, 16, CHANNELS))
#define STFTS(X)                                                                                   \
    MODE(X, "log")                                                                                 \
    MODE(X, "magnitude")                                                                           \
    MODE(X, "psd")                                                                                 \
    MODE(X, "real")                                                                                \
    MODE(X, "imag")                                                                                \
    MODE(X, "stft")                                                                                \
    X("stft_expand", kt_stft_spectrogram("log", 16, .expand_dims = true))                          \
    X("stft_spectrum",                                                                             \
      kt_stft_spectrogram(                                                                         \
          "log", 16, .scaling = "spectrum", .window = "hamming", .periodic = true))                \
    X("stft_plain", kt_stft_spectrogram("magnitude", 16, .window = "boxcar", .scaling = NULL))     \
    X("stft_odd", kt_stft_spectrogram("psd", 9, .fft_length = 11))
#define ANGLES(X) MODE(X, "angle")
#define MEL .num_mel_bins = 6
#define MELS(X)                                                                                    \
    X("mel_standard", kt_mel_spectrogram(64, 20, MEL))                                             \
    X("mel_alone", kt_mel_spectrogram(64, 20, MEL))                                                \
    X("mel_window", kt_mel_spectrogram(64, 20, 40, "hamming", 8000, MEL))                          \
    X("mel_odd_window", kt_mel_spectrogram(64, 20, 41, .mag_exp = 1, MEL))                         \
    X("mel_plain",                                                                                 \
      kt_mel_spectrogram(                                                                          \
          64, 20, .window = NULL, .power_to_db = false, .min_freq = 100, .max_freq = 6000, MEL))   \
    X("mel_db", kt_mel_spectrogram(64, 20, .top_db = 10, .ref_power = 0.1, .min_power = 1e-3, MEL))

KT_TEST(spectrogram, equals_keras) {
#define CLOSE(case_, layer) kt_check_golden("audio", case_, layer, .rtol = 2e-5);
    STFTS(CLOSE)
#define WIDER(case_, layer) kt_check_golden("audio", case_, layer, .rtol = 1e-4);
    ANGLES(WIDER) /* of small numbers */
    MELS(WIDER)   /* TensorFlow uses a fast transform; decibels */
}

KT_TEST(spectrogram, rejects_bad_arguments) {
    kt_check_fails(kt_stft_spectrogram("loud"), KT_EINVAL, "mode");
    kt_check_fails(kt_stft_spectrogram("log", 1), KT_EINVAL, "frame_length: expected 2 or more");
    kt_check_fails(kt_stft_spectrogram("log", 0), KT_EINVAL, "frame_length");
    kt_check_fails(kt_stft_spectrogram("log", 8, 9), KT_EINVAL, "frame_step: expected 1 to");
    kt_check_fails(kt_stft_spectrogram("log", 8, 4, 7), KT_EINVAL, "fft_length");
    kt_check_fails(kt_stft_spectrogram(.padding = "causal"), KT_EINVAL, "padding");
    kt_check_fails(kt_mel_spectrogram(8, 2, 9), KT_EINVAL, "fft_length");
    kt_check_fails(kt_mel_spectrogram(8, 0), KT_EINVAL, "sequence_stride");
    kt_check_fails(kt_mel_spectrogram(8, 2, .window = "blackman"), KT_EINVAL, "window");
    kt_check_fails(kt_mel_spectrogram(8, 2, .num_mel_bins = 0), KT_EINVAL, "num_mel_bins");
    kt_check_fails(
        kt_call(kt_stft_spectrogram(), kt_input({300, 1}, .dtype = "int32")),
        KT_EDTYPE,
        "expected floating numbers");
    kt_check_fails(kt_call(kt_mel_spectrogram(), kt_input({1000})), KT_EINVAL, "pad");
}

/* channels_first is channels_last turned. */
KT_TEST(spectrogram, of_channels_that_come_first) {
    for (int expand = 0; expand < 2; expand++) {
        kt_sym *x = kt_input({40, 2});
        kt_sym *a = kt_call(kt_stft_spectrogram("log", 16, .expand_dims = expand), x);
        kt_sym *b = kt_call(
            kt_stft_spectrogram("log", 16, .expand_dims = expand, .data_format = "channels_first"),
            kt_op_swapaxes(x, 1, 2));
        b = expand ? kt_op_transpose(b, kt_dims(0, 2, 3, 1)) : kt_op_swapaxes(b, 1, 2);
        kt_model *m = kt_functional(x, kt_op_max(kt_op_abs(kt_op_subtract(a, b)), -1, false));
        kt_tensor *in = kt_retain(kt_tensor_new(KT_FLOAT32, kt_dims(3, 40, 2), NULL));
        for (int64_t i = 0; i < kt_tensor_size(in); i++)
            kt_tensor_set(in, i, (double)(i * 37 % 101) / 50 - 1);
        kt_tensor *y = kt_model_predict(m, in, .verbose = 0);
        kt_check_ok(y);
        for (int64_t i = 0; i < kt_tensor_size(y); i++)
            kt_check_near(kt_tensor_get(y, i), 0, 0, 1e-6);
        kt_free(y);
        kt_free(in);
        kt_free(m);
    }
}
