"""What load_weights does with files that fit and files that do not, by order and by name, with and without skip_mismatch.

outcomes (model, file, way, weight): 1 the weight stayed, 7 it came from the file, -1 there is none, -2 an error. Models and
files are those of MODELS, in their order; WAYS are (old .h5?, by_name, skip_mismatch)."""
import pathlib
import tempfile
import warnings

import golden

keras = golden.start()
import h5py  # noqa: E402
import numpy as np  # noqa: E402
from keras import layers as L  # noqa: E402
from keras.src.legacy.saving import legacy_h5_format  # noqa: E402

# names; d: Dense (units, use_bias), r: Activation, b: BatchNormalization. legacy_weights_test.c has the same list.
MODELS = [
    "a:d3b b:d2b", "a:d3 b:d2b", "a:r b:d2b", "a:d5b b:d2b", "x:d3b b:d2b", "a:d3b c:d3b b:d2b", "a:d3b b:b", "b:d3b a:d2b",
    "a:d3 b:d2", "a:d3b r:r b:d2b", "a:d3b b:d4b"]
WAYS = [(1, 0, 0), (1, 0, 1), (1, 1, 0), (1, 1, 1), (0, 0, 0), (0, 0, 1)]


def layer(text):
    name, kind = text.split(":")
    if kind[0] == "d":
        return L.Dense(int(kind[1]), name=name, use_bias=kind.endswith("b"))
    return L.BatchNormalization(name=name) if kind == "b" else L.Activation("relu", name=name)


def model(spec, value):
    m = keras.Sequential([keras.Input((4,)), *map(layer, spec.split())])
    for w in m.weights:
        w.assign(np.full(w.shape, value))
    return m


def main():
    warnings.simplefilter("ignore")
    folder = pathlib.Path(tempfile.mkdtemp())
    for i, spec in enumerate(MODELS):
        m = model(spec, 7.0)
        m.save_weights(folder / f"{i}.weights.h5")
        with h5py.File(folder / f"{i}.h5", "w") as f:
            legacy_h5_format.save_weights_to_hdf5_group(f, m)
    out = np.full((len(MODELS), len(MODELS), len(WAYS), 6), -1, np.int32)
    for i, spec in enumerate(MODELS):
        for k in range(len(MODELS)):
            for n, (old, by_name, skip) in enumerate(WAYS):
                m = model(spec, 1.0)
                try:
                    m.load_weights(folder / (f"{k}.h5" if old else f"{k}.weights.h5"), skip_mismatch=bool(skip),
                                   **({"by_name": True} if by_name else {}))
                    out[i, k, n, :len(m.weights)] = [w.numpy().flat[0] for w in m.weights]
                except Exception:
                    out[i, k, n] = -2
    golden.save("load_weights", {"outcomes": out}, "what load_weights does, see the script")


if __name__ == "__main__":
    main()
