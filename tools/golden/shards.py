"""Weights in several files by real Keras (tests/golden/shards), with what the model predicts with them."""
import shutil

import golden

keras = golden.start()
from keras import layers as L  # noqa: E402


def main():
    out = golden.OUT / "shards"
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir(parents=True)
    i = keras.Input((5, 4))
    m = keras.Model(i, L.Dense(2)(L.LSTM(6)(L.Dense(3)(i))))
    x = golden.normal("shards", 3, 5, 4)
    m.compile("adam", "mse")
    m.train_on_batch(x, golden.normal("shards_y", 3, 2))
    m.save_weights(out / "m.weights.json", max_shard_size=600 / 1024**3)
    golden.save("shards", {"x0": x, "p0": m.predict(x, verbose=0)}, "predictions with the weights in shards/")


if __name__ == "__main__":
    main()
