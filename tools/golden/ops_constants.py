"""keras.ops that make constant arrays: what they hold."""
import numpy as np

import golden

keras = golden.start()
from keras import ops  # noqa: E402


def main():
    out = {
        "eye": np.eye(3, 5, k=1, dtype="float32"),  # TensorFlow's eye(3, 5, k=1) has 4 rows
        "eye_back": ops.eye(4, k=-2, dtype="int32"), "identity": ops.identity(3),
        "tri": ops.tri(3, 4, k=1), "arange": ops.arange(0, 10, 3), "arange_back": ops.arange(1.5, -1, -0.5),
        "zeros": ops.zeros((2, 3), "int32"), "ones": ops.ones((2, 2)),
    }
    for n in (1, 2, 7, 12):
        for name in ("bartlett", "blackman", "hamming", "hanning"):
            out[f"{name}_{n}"] = getattr(ops, name)(n)
        out[f"kaiser_{n}"] = ops.kaiser(n, 8.6)
    golden.save("ops_constants", {k: np.asarray(v) for k, v in out.items()}, "constant arrays")


if __name__ == "__main__":
    main()
