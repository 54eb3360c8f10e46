"""Models whose weights real Keras stored as .npz (tests/golden/weights_npz), under TensorFlow and JAX, each with the same
model in the ordinary form beside it, and what it predicts."""
import os
import shutil
import subprocess
import sys

import golden

BACKEND = sys.argv[1] if len(sys.argv) > 1 else "tensorflow"
keras = golden.start(BACKEND)
from keras import layers as L  # noqa: E402
from keras.src.saving import saving_lib  # noqa: E402


def pictures():
    i = keras.Input((5, 5, 1))
    x = L.BatchNormalization()(L.Conv2D(2, 3, kernel_regularizer="l2", kernel_constraint=keras.constraints.MaxNorm(2.0))(i))
    head = keras.Sequential([keras.Input((18,)), L.Dropout(0.1), L.Dense(2)], name="head")
    return keras.Model(i, head(L.Flatten()(x)))


def series():
    return keras.Sequential([keras.Input((4, 3)), L.LSTM(3), L.Dense(2)])


MODELS = {"tensorflow": {"pictures": pictures, "series": series}, "jax": {"series_jax": series}}


def main():
    out = golden.OUT / "weights_npz"
    if BACKEND == "tensorflow":
        shutil.rmtree(out, ignore_errors=True)
        out.mkdir(parents=True)
    for name, make in MODELS[BACKEND].items():
        m = make()
        x = golden.normal(name, 3, *m.input_shape[1:])
        m.compile("adam", "mse")
        m.train_on_batch(x, golden.normal(name + "_y", 3, 2))
        saving_lib.save_model(m, out / f"{name}.keras", weights_format="npz")
        m.save(out / f"{name}_h5.keras")
        golden.save(f"weights_npz/{name}", {"x": x, "p": m.predict(x, verbose=0)}, "predictions of the models beside it")
    if BACKEND == "tensorflow":
        subprocess.run([sys.executable, "-W", "ignore", __file__, "jax"], env={**os.environ, "KERAS_BACKEND": "jax"}, check=True)


if __name__ == "__main__":
    main()
