"""audio.npz: spectrograms: real Keras on TensorFlow.

CASE/x0, w0 …, y   input, weights, output
meta.cases[CASE] = {"class", "args"}
"""

import numpy as np

import golden

keras = golden.start("tensorflow")
members, cases = {}, {}


def case(name, cls, args, *shape):
    x = golden.normal(name, *shape)
    layer = getattr(keras.layers, cls)(**args)
    members[f"{name}/x0"] = x
    members[f"{name}/y"] = np.array(layer(x))
    members.update({f"{name}/w{i}": np.array(w) for i, w in enumerate(layer.weights)})
    cases[name] = {"class": cls, "args": args}


def stft(name, *shape, **args):
    case(f"stft_{name}", "STFTSpectrogram", {"frame_length": 16, **args}, *(shape or (2, 40, 1)))


def mel(name, *shape, **args):
    args = {"fft_length": 64, "sequence_stride": 20, "num_mel_bins": 6, **args}
    case(f"mel_{name}", "MelSpectrogram", args, *(shape or (2, 150)))


for mode in "log", "magnitude", "psd", "real", "imag", "angle", "stft":
    stft(mode, mode=mode)
    stft(f"{mode}_channels", 2, 21, 3, mode=mode, frame_step=5, fft_length=20, padding="same")
stft("expand", 2, 30, 2, expand_dims=True)
stft("spectrum", scaling="spectrum", window="hamming", periodic=True)
stft("plain", window="boxcar", scaling=None, mode="magnitude")
stft("odd", frame_length=9, fft_length=11, mode="psd")
mel("standard")
mel("alone", 100)
mel("window", sequence_length=40, window="hamming", sampling_rate=8000)
mel("odd_window", sequence_length=41, mag_exp=1.0)
mel("plain", window=None, power_to_db=False, min_freq=100.0, max_freq=6000.0)
mel("db", top_db=10.0, ref_power=0.1, min_power=1e-3)
golden.save("audio", members, "Spectrograms", cases)
