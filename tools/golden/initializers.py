"""initializers.npz: statistics of the random initializers, exact values of the others.

CASE/stats (4) float64       mean, standard deviation, minimum, maximum
CASE/quantiles (9) float64   at 0.1, 1, 5, 25, 50, 75, 95, 99, 99.9 per cent
CASE/count                   how many values they are made of (many seeds are pooled, so that the
                             mean is within std / sqrt(count))
CASE/y                       exact values, for those that are not random
CASE/gram                    orthogonal only: the largest difference of QᵀQ (or QQᵀ for wide) to
                             gain² times the identity, over all seeds
meta.cases[CASE] = {"class", "args", "shape"}
"""

import math

import numpy as np

import golden

keras = golden.start()
members, cases = {}, {}
QUANTILES = [0.001, 0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99, 0.999]
SHAPES = [(256, 128), (3, 3, 16, 32), (100,), (5, 64, 16)]


def label(cls, shape, suffix):
    return f"{cls}{suffix}.{'x'.join(map(str, shape)) or 'scalar'}"


def random(cls, args=None, shapes=SHAPES, suffix=""):
    for shape in shapes:
        seeds = max(8, 1_000_000 // math.prod(shape)) if cls != "Orthogonal" else 8
        draws = [
            getattr(keras.initializers, cls)(**(args or {}), seed=golden.SEED + i)(shape).numpy()
            for i in range(min(seeds, 400))
        ]
        name = label(cls, shape, suffix)
        v = np.concatenate([d.ravel() for d in draws]).astype(np.float64)
        members[f"{name}/stats"] = np.array([v.mean(), v.std(), v.min(), v.max()])
        members[f"{name}/quantiles"] = np.quantile(v, QUANTILES)
        members[f"{name}/count"] = np.int64(v.size)
        if cls == "Orthogonal":
            worst = 0.0
            for d in draws:
                m = d.reshape(-1, d.shape[-1]).astype(np.float64)
                m = m if m.shape[0] >= m.shape[1] else m.T
                eye = np.eye(m.shape[1]) * (args or {}).get("gain", 1.0) ** 2
                worst = max(worst, np.abs(m.T @ m - eye).max())
            members[f"{name}/gram"] = np.float64(worst)
        cases[name] = {"class": cls, "args": args or {}, "shape": shape}


def exact(cls, args, shape, suffix="", dtype=None):
    name = label(cls, shape, suffix)
    members[f"{name}/y"] = getattr(keras.initializers, cls)(**args)(shape, dtype=dtype).numpy()
    cases[name] = {"class": cls, "args": args, "shape": shape, "dtype": dtype}


for cls in ("RandomNormal", "RandomUniform", "TruncatedNormal", "GlorotNormal", "GlorotUniform",
            "HeNormal", "HeUniform", "LecunNormal", "LecunUniform", "VarianceScaling"):
    random(cls)
one = SHAPES[:1]
random("RandomNormal", {"mean": 1.0, "stddev": 2.0}, one, "_args")
random("RandomUniform", {"minval": -1.0, "maxval": 3.0}, one, "_args")
random("TruncatedNormal", {"mean": 1.0, "stddev": 2.0}, one, "_args")
for mode in ("fan_in", "fan_out", "fan_avg"):
    for distribution in ("truncated_normal", "untruncated_normal", "uniform"):
        args = {"scale": 2.0, "mode": mode, "distribution": distribution}
        random("VarianceScaling", args, SHAPES[:2], f"_{mode}_{distribution}")
random("GlorotUniform", {"input_axes": [0], "output_axes": [1, 2]}, [(32, 4, 16)], "_axes")
random("HeNormal", {"input_axes": [0, 1], "output_axes": [2]}, [(4, 16, 32)], "_axes")
random("Orthogonal", None, [(128, 64), (64, 128), (64, 64), (3, 3, 4, 16), (1, 1, 4, 16)])
random("Orthogonal", {"gain": 1.5}, [(64, 32)], "_gain")

exact("Zeros", {}, (2, 3))
exact("Zeros", {}, ())
exact("Ones", {}, (2, 3))
exact("Ones", {}, (2, 3), "_int", "int32")
exact("Constant", {"value": 2.5}, (2, 3))
exact("Constant", {}, (2,))
exact("Identity", {}, (3, 5))
exact("Identity", {"gain": 0.3}, (4, 4))
exact("Identity", {"gain": 2.0}, (5, 3))
for side in ("real", "imag"):
    exact("STFT", {"side": side}, (8, 1, 5), f"_{side}")
    exact("STFT", {"side": side, "window": "hamming", "scaling": "spectrum", "periodic": True},
          (8, 1, 9), f"_{side}_hamming")
    exact("STFT", {"side": side, "window": None, "scaling": None}, (6, 1, 4), f"_{side}_plain")

golden.save("initializers", members, "initializers", cases, quantiles=QUANTILES)
