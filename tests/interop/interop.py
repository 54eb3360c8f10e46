"""Opens the models that test_interop wrote (make interop) in real Keras: predictions, three more steps.

    python interop.py FOLDER
"""
import glob
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "tools", "golden"))
import golden  # noqa: E402

keras = golden.start()
import numpy as np  # noqa: E402
import tensorflow as tf  # noqa: E402


def distance(got, want, step=0.0):
    """In units of the tolerance: 1e-4 of each value and 1e-5 of the largest; with a step of 16 bits two of these."""
    if step:
        got, want = np.asarray(got).astype(np.float64), np.asarray(want, np.float64)
        return float(np.max(np.abs(got - want)) / (2 * step * np.max(np.abs(want))))
    got, want = np.asarray(got, np.float64), np.asarray(want, np.float64)
    same = (got == want) | (np.isnan(got) & np.isnan(want))
    got, want = got[~same], want[~same]
    scale = 1e-5 * max(1.0, float(np.max(np.abs(want), initial=0)))
    return float(np.max(np.abs(got - want) / (1e-4 * np.abs(want) + scale), initial=0))


def check(path):
    data = np.load(path.replace(".keras", ".npz"))
    step = 0.0  # of the type, from 1 to the next number
    if os.path.basename(path).startswith("half_"):
        step = 2.0**-7 if "bfloat16" in path else 2.0**-10
        policy = os.path.basename(path)[len("half_0_"):-len(".keras")]
        keras.config.set_dtype_policy(policy)  # of a model itself Keras forgets it
    m = keras.saving.load_model(path)
    if step and m.layers[0].dtype_policy.name != policy:
        return f"its layers have the dtype policy {m.layers[0].dtype_policy.name}"
    m.run_eagerly = True  # small models: tracing takes longer than all steps
    if os.path.exists(path.replace(".keras", ".weights.json")):  # other weights, in several files
        m.load_weights(path.replace(".keras", ".weights.json"))
    xs = [data[k] for k in data.files if k[0] == "x"]
    xs = [tf.constant(v) if v.dtype.kind == "U" else v for v in xs]  # predict takes no other texts
    x = xs[0] if len(xs) == 1 else xs
    if os.path.basename(path).startswith("graph_"):
        x = keras.tree.pack_sequence_as(m.input, xs)
    got = keras.tree.flatten(m.predict(x, verbose=0))
    far = max(distance(v, data[f"p{i}"], step) for i, v in enumerate(got))
    if far > 1:
        return f"predictions differ: {far:.3g} times the tolerance"
    if "w0" in data.files:
        for _ in range(3):
            m.train_on_batch(x, data["y0"])
        worst = max(distance(w, data[f"w{i}"], step) for i, w in enumerate(m.get_weights()))
        if worst > 1:
            return f"weights after three more steps differ: {worst:.3g} times the tolerance"
    return None


def check_backup(folder):
    """Training that was cut off here goes on in Keras (src/callbacks/backup_test.c)."""
    data = np.load(os.path.join(folder, "backup.npz"))
    m = keras.Sequential([keras.Input((4,)), keras.layers.Dense(5, "tanh"), keras.layers.Dense(1)])
    m.compile(keras.optimizers.Adam(0.01), "mse")
    backup = keras.callbacks.BackupAndRestore(os.path.join(folder, "backup"))
    how = dict(epochs=5, batch_size=4, shuffle=False, verbose=0)
    epochs = m.fit(data["x"], data["y"], callbacks=[backup], **how).epoch
    worst = max(distance(w, data[f"w{i}"]) for i, w in enumerate(m.get_weights()))
    if epochs != [2, 3, 4] or worst > 1:
        return f"epochs {epochs}, weights {worst:.3g} times the tolerance"
    return None


def main(folder):
    bad, cut_off = 0, None
    if os.path.exists(os.path.join(folder, "backup.npz")):
        cut_off = check_backup(folder)
        print(f"backup: {cut_off or 'training goes on in Keras'}")
    paths = sorted(glob.glob(os.path.join(folder, "*.keras")))
    for path in paths:
        try:
            why = check(path)
        except Exception as e:
            why = f"{type(e).__name__}: {str(e).strip()[:300]}"
        keras.backend.clear_session()
        keras.config.set_dtype_policy("float32")
        if why:
            bad += 1
            print(f"{os.path.basename(path)}: {why}")
    print(f"{len(paths) - bad} of {len(paths)} models agree with Keras {keras.__version__}")
    return 1 if bad or cut_off or not paths else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
