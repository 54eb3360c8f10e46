"""What keras.callbacks.BackupAndRestore leaves of a training that was cut off after two epochs, and the weights with
which the training ends that goes on from there.

    weights, metadata (files as byte arrays), x, y, w0 …
"""
import os
import tempfile

import numpy as np

import golden

keras = golden.start()


def model():
    m = keras.Sequential([keras.Input((4,)), keras.layers.Dense(5, "tanh"), keras.layers.Dense(1)])
    m.compile(keras.optimizers.Adam(0.01), "mse")
    return m


class Cut(keras.callbacks.Callback):
    def on_epoch_begin(self, epoch, logs=None):
        if epoch == 2:
            raise KeyboardInterrupt


def main():
    x, y = golden.normal("x", 12, 4), golden.normal("y", 12, 1)
    with tempfile.TemporaryDirectory() as d:
        folder = os.path.join(d, "backup")
        how = dict(epochs=5, batch_size=4, shuffle=False, verbose=0)
        try:
            model().fit(x, y, callbacks=[keras.callbacks.BackupAndRestore(folder), Cut()], **how)
        except KeyboardInterrupt:
            pass
        members = {"x": x, "y": y}
        for key, name in (("weights", "latest.weights.h5"), ("metadata", "training_metadata.json")):
            members[key] = np.fromfile(os.path.join(folder, name), np.uint8)
        m = model()
        m.fit(x, y, callbacks=[keras.callbacks.BackupAndRestore(folder)], **how)
        for i, w in enumerate(m.get_weights()):
            members[f"w{i}"] = w
    golden.save("backup", members, "BackupAndRestore: the files, and where training ends")


if __name__ == "__main__":
    main()
