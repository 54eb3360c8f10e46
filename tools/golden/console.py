"""console/NAME.txt: the exact bytes that fit, evaluate, predict and Progbar write.

Keras' clock is replaced by a scripted one, so that the times on the screen are known: a callback
that stands before the progress bar moves the clock by `seconds` at the end of every training, test
and predict batch; nothing else takes time. Everything runs twice, with stdout a regular file and a
(raw, 80 columns) terminal; the script fails where the bytes differ and that is not expected.

console/fit.json      per NAME: "seconds" per batch, "calls" (Python), "logs" (full precision)
console/progbar.json  per NAME: Progbar arguments, [time, current, values, finalize] of each update
console.npz           x (48,4) y (48) x_val (16,4) y_val (16) w0 (4,3) w1 (3), two-output weights
"""

import json
import math
import os
import pty
import sys
import tempfile
import termios
import threading
import tty
import types

import numpy as np

import golden

keras = golden.start()
from keras.src.utils import progbar as progbar_module  # noqa: E402

now = 0.0
progbar_module.time = types.SimpleNamespace(time=lambda: now)
DIR = golden.OUT / "console"
DIR.mkdir(parents=True, exist_ok=True)


def captured(run, terminal, encoding="utf-8"):
    """Runs with file descriptor 1 being a terminal or a file; returns the bytes written to it."""
    global now
    now = 1000.0
    sys.stdout.flush()
    keep_fd, keep_out = os.dup(1), sys.stdout
    data = bytearray()
    if terminal:
        master, out = pty.openpty()
        tty.setraw(out)  # no "\n" -> "\r\n": we want what Keras wrote
        termios.tcsetwinsize(out, (24, 80))

        def drain():
            try:
                while chunk := os.read(master, 65536):
                    data.extend(chunk)
            except OSError:  # the other end is closed
                pass

        reader = threading.Thread(target=drain)
        reader.start()
    else:
        out, path = tempfile.mkstemp()
    os.dup2(out, 1)
    os.close(out)
    sys.stdout = open(1, "w", encoding=encoding, closefd=False, newline="")
    try:
        run()
    finally:
        sys.stdout.flush()
        os.dup2(keep_fd, 1)
        os.close(keep_fd)
        sys.stdout = keep_out
    if terminal:
        reader.join()
        os.close(master)
        return bytes(data)
    with open(path, "rb") as f:
        data = f.read()
    os.unlink(path)
    return data


def both(name, run, encoding="utf-8", differ=False):
    file, terminal = captured(run, False, encoding), captured(run, True, encoding)
    if differ:
        assert file != terminal
        (DIR / f"{name}.tty.txt").write_bytes(terminal)
    else:
        assert file == terminal, name
    (DIR / f"{name}.txt").write_bytes(file)


# ---- fit, evaluate, predict ---------------------------------------------------------------------

g = golden.rng("console")
Y = g.integers(0, 3, 64)
X = (g.standard_normal((3, 4))[Y] * 1.5 + g.standard_normal((64, 4))).astype(np.float32)
x, y, x_val, y_val = X[:48], Y[:48], X[48:], Y[48:]
w = [golden.normal("console/w0", 4, 3, scale=0.5), golden.normal("console/w1", 3, scale=0.1)]
v = [golden.normal("console/v0", 4, 2, scale=0.5), golden.normal("console/v1", 2, scale=0.1)]
fits = {}


class Tick(keras.callbacks.Callback):
    def __init__(self, seconds, logs):
        super().__init__()
        self.seconds, self.logs = seconds, logs

    def tick(self, batch, logs=None):
        global now
        now += self.seconds

    on_train_batch_end = on_test_batch_end = on_predict_batch_end = tick

    def keep(self, kind, logs):
        self.logs.append([kind, {k: float(v) for k, v in (logs or {}).items()}])

    def on_epoch_end(self, epoch, logs=None):
        self.keep(f"epoch {epoch}", logs)

    def on_test_end(self, logs=None):
        self.keep("test", logs)


def model():
    keras.backend.clear_session()
    m = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3, activation="softmax")])
    m.set_weights(w)
    m.compile(keras.optimizers.SGD(0.1), "sparse_categorical_crossentropy", metrics=["accuracy"])
    return m


def two_outputs():
    keras.backend.clear_session()
    i = keras.Input((4,))
    a = keras.layers.Dense(3, activation="softmax", name="kind")(i)
    b = keras.layers.Dense(2, name="size")(i)
    m = keras.Model(i, [a, b])
    m.set_weights(w + v)
    m.compile(
        keras.optimizers.SGD(0.1),
        ["sparse_categorical_crossentropy", "mse"],
        metrics=[["accuracy"], ["mae"]],
    )
    return m


def unknown(batch=16, x=x, y=y):
    """A data set whose length Keras cannot know."""
    import tensorflow as tf

    def batches():
        for i in range(0, len(x), batch):
            yield x[i : i + batch], y[i : i + batch]

    spec = (tf.TensorSpec((None, 4), tf.float32), tf.TensorSpec((None,), tf.int64))
    return tf.data.Dataset.from_generator(batches, output_signature=spec)


def check(logs):
    """A printed digit must not hang on the last bit of a float32."""
    for _, values in logs:
        for k, value in values.items():
            if math.isfinite(value) and value != 0:
                digits = 4 if abs(value) > 1e-3 else 4 - math.floor(math.log10(abs(value)))
                part = abs(value) * 10**digits % 1
                assert abs(part - 0.5) > 0.002, (k, value)


def fit(name, calls, seconds=0.06, make=model, encoding="utf-8"):
    """`calls` is Python over m (the model), x, y, x_val, y_val, K (keras.callbacks), tick."""
    logs = []

    def run():
        logs.clear()
        tick = Tick(seconds, logs)
        scope = {**globals(), "K": keras.callbacks, "m": make(), "tick": tick}
        exec(calls, scope)

    here = os.getcwd()
    with tempfile.TemporaryDirectory() as d:
        os.chdir(d)
        both(name, run, encoding)
        os.chdir(here)
    check(logs)
    fits[name] = {"seconds": seconds, "model": make.__name__, "calls": calls, "logs": list(logs)}


F = "m.fit(x, y, batch_size=16, shuffle=False, callbacks=[tick], "
V = "validation_data=(x_val, y_val), "
fit("fit", F + "epochs=2)")
fit("fit_verbose_2", F + "epochs=2, verbose=2)")
fit("fit_verbose_0", F + "epochs=2, verbose=0)")
fit("fit_one_epoch", F + "epochs=1)")
fit("fit_one_epoch_verbose_2", F + "epochs=1, verbose=2)")
fit("fit_val", F + V + "epochs=2)")
fit("fit_val_verbose_2", F + V + "epochs=2, verbose=2)")
fit("fit_validation_freq", F + V + "epochs=2, validation_freq=2)")
fit("fit_validation_split", F + "epochs=1, validation_split=0.25)")
fit("fit_initial_epoch", F + "epochs=4, initial_epoch=2)")
fit("fit_steps_per_epoch", F + "epochs=3, steps_per_epoch=1)")
fit("fit_out_of_data", F + "epochs=3, steps_per_epoch=2)")
fit("fit_ten_epochs", F + "epochs=10)")
fit("fit_one_step", "m.fit(x, y, batch_size=48, callbacks=[tick], epochs=2)")
small = "m.fit(x, y, batch_size=1, shuffle=False, callbacks=[tick], "
fit("fit_throttled", small + "epochs=1)", seconds=0.0041)
fit("fit_microseconds", small + "epochs=1)", seconds=0.000123)
fit("fit_no_time", small + "epochs=1)", seconds=0.0)
fit("fit_seconds", F + "epochs=1)", seconds=2.5)
fit("fit_minutes", "m.fit(x, y, batch_size=4, shuffle=False, callbacks=[tick])", seconds=45.0)
fit("fit_hours", "m.fit(x, y, batch_size=4, shuffle=False, callbacks=[tick])", seconds=900.0)
fit("fit_unknown", "m.fit(unknown(), callbacks=[tick], epochs=2)")
fit("fit_unknown_val", "m.fit(unknown(), validation_data=unknown(8, x_val, y_val), "
    "callbacks=[tick], epochs=2)")
fit("fit_unknown_verbose_2", "m.fit(unknown(), callbacks=[tick], epochs=2, verbose=2)")
fit("fit_two_outputs", "m.fit(x, [y, x[:, :2]], batch_size=16, shuffle=False, callbacks=[tick])",
    make=two_outputs)
fit("fit_ascii", F + "epochs=2)", encoding="ascii")

C = F.replace("[tick]", "[tick, {}]")
fit("callback_learning_rate", C.format("K.LearningRateScheduler(lambda e, r: r * 0.5, verbose=1)")
    + "epochs=2)")
fit("callback_reduce_lr", C.format("K.ReduceLROnPlateau('loss', patience=1, min_delta=10, "
    "cooldown=1, verbose=1)") + "epochs=5)")
fit("callback_early_stopping", C.format("K.EarlyStopping('val_loss', patience=1, min_delta=10, "
    "restore_best_weights=True, verbose=1)") + V + "epochs=5)")
fit("callback_checkpoint", C.format("K.ModelCheckpoint('{epoch:02d}.keras', verbose=1)")
    + "epochs=2)")
fit("callback_checkpoint_best", C.format("K.ModelCheckpoint('best.keras', verbose=1, "
    "save_best_only=True)") + V + "epochs=2)")
fit("callback_checkpoint_worse", C.format("K.ModelCheckpoint('best.keras', mode='max', verbose=1, "
    "save_best_only=True)") + V + "epochs=2)")
fit("callback_terminate_on_nan", "m.fit(x * np.float32('nan'), y, batch_size=16, shuffle=False, "
    "callbacks=[tick, K.TerminateOnNaN()], epochs=2)")

E = "m.evaluate(x, y, batch_size=16, callbacks=[tick]"
P = "m.predict(x, batch_size=16, callbacks=[tick]"
fit("evaluate", E + ")")
fit("evaluate_verbose_2", E + ", verbose=2)")
fit("evaluate_unknown", "m.evaluate(unknown(), callbacks=[tick])")
fit("evaluate_two_outputs", "m.evaluate(x, [y, x[:, :2]], batch_size=16, callbacks=[tick])",
    make=two_outputs)
fit("predict", P + ")")
fit("predict_verbose_2", P + ", verbose=2)")
fit("predict_one_step", "m.predict(x[:1], callbacks=[tick])", seconds=0.0123)
fit("predict_unknown", "m.predict(unknown().map(lambda a, b: a), callbacks=[tick])")
fit("fit_evaluate_predict", F + "epochs=1)\n" + E + ")\n" + P + ")")

# ---- Progbar by itself --------------------------------------------------------------------------

bars = {}


def bar(name, updates, **args):
    """updates: (seconds since the start, current, values[, finalize])."""

    def run():
        global now
        p = keras.utils.Progbar(**args)
        start = now
        for at, current, values, *finalize in updates:
            now = start + at
            p.update(current, values, *finalize)

    both(f"progbar_{name}", run)
    bars[name] = {"args": args, "updates": [[*u, None][:4] for u in updates]}


L1 = [["loss", 0.5]]
bar("eta", [(1.0, 1, L1), (61.0, 2, L1), (62.0, 3, L1), (63.0, 4, L1), (63.5, 100, L1)], target=100)
bar("eta_minute", [(1.0, 1, L1), (2.0, 2, L1), (3.0, 41, L1), (43.0, 42, L1)], target=62)
bar("eta_60_s", [(1.0, 1, L1), (2.0, 2, L1)], target=62)  # exactly 60 is still seconds
bar("eta_61_s", [(1.0, 1, L1), (2.0, 2, L1)], target=63)
bar("eta_3600_s", [(1.0, 1, L1), (2.0, 2, L1)], target=3602)  # exactly 3600 is still minutes
bar("eta_3601_s", [(1.0, 1, L1), (2.0, 2, L1)], target=3603)
bar("eta_days", [(1.0, 1, L1), (1001.0, 2, L1)], target=1000)
bar("step_units", [(10.0, 1, []), (10.0005, 2, [], None), (11.0, 3, []), (13.5, 4, []),
                   (15.5, 5, [])], target=5)
bar("step_1_ms", [(0.5, 1, []), (0.501, 2, [], True)], target=2)
bar("step_999_us", [(0.5, 1, []), (0.5009996, 2, [], True)], target=2)
bar("step_999_ms", [(0.5, 1, []), (1.4996, 2, [], True)], target=2)
bar("step_half_even", [(0.5, 1, []), (3.0, 2, [], True)], target=2)  # 2.5 s prints as 2
bar("zero_time", [(0.0, 1, L1), (0.0, 2, L1)], target=2)
bar("start_at_zero", [(1.0, 0, L1), (2.0, 1, L1), (3.0, 2, L1)], target=2)
bar("interval", [(0.01 * i, i, [["loss", 1.0 / i]]) for i in range(1, 21)], target=20)
bar("interval_custom", [(0.11 * i, i, L1) for i in range(1, 11)], target=10, interval=0.3)
bar("averages", [(0.1, 1, [["loss", 1.0]]), (0.2, 2, [["loss", 2.0]]), (0.3, 4, [["loss", 6.0]]),
                 (0.4, 5, [["loss", 3.25]])], target=5)
bar("stateful", [(0.1, 1, [["loss", 1.0], ["lr", 0.1]]), (0.2, 2, [["loss", 2.0], ["lr", 0.2]]),
                 (0.3, 3, [["lr", 0.3], ["loss", 3.0]])], target=4, stateful_metrics=["lr"])
bar("late_value", [(0.1, 1, L1), (0.2, 2, [["acc", 0.25], ["loss", 0.75]])], target=2)
bar("shrinking", [(0.1, 1, [["loss", 123456.0]]), (0.2, 2, [["loss", 1.0]]),
                  (0.3, 3, [["loss", 0.25]])], target=3, stateful_metrics=["loss"])
bar("unknown", [(0.1, 1, L1), (0.2, 2, L1), (0.3, 12345678, L1), (1.6, 12345679, L1, True)],
    target=None)
bar("target_zero", [(0.1, 0, L1), (0.2, 1, L1)], target=0)
bar("past_target", [(0.1, 1, L1), (0.2, 2, L1), (0.3, 3, L1)], target=2)
bar("width_7", [(0.1 * i, i, []) for i in range(1, 11)], target=10, width=7)
bar("width_1", [(0.1 * i, i, []) for i in range(1, 4)], target=3, width=1)
bar("target_1", [(0.25, 1, L1)], target=1)
bar("target_1000", [(0.1, 1, L1), (0.2, 49, L1), (0.3, 50, L1), (0.4, 999, L1), (0.5, 1000, L1)],
    target=1000)
bar("sample_unit", [(0.1, 1, L1), (0.2, 2, L1)], target=2, unit_name="sample")
VALUES = [0.0, 1e-3, 0.00100001, 0.0010001, 9.9999e-4, 1e-10, -0.5, -1e-3, -5e-4, 0.00005, 0.12345,
          0.99995, 0.99996, 1.0, 12.5, 123456.789, 1e6, 1.5e10, 1e22, 1e-45, float("inf"),
          float("-inf"), float("nan")]
values = [[f"v{i}", v] for i, v in enumerate(VALUES)]
bar("values", [(0.5, 1, values)], target=1)
bar("values_verbose_2", [(0.5, 1, values)], target=1, verbose=2)  # no abs(): negatives print as %e
bar("verbose_2", [(0.5, 1, L1), (1.0, 2, L1), (1.75, 3, L1)], target=3, verbose=2)
bar("verbose_0", [(0.5, 1, L1), (1.0, 2, L1)], target=2, verbose=0)


def coloured_summary():
    # Keras writes it through a console that is made once stdout is what it is.
    keras.backend.clear_session()
    os.environ["COLUMNS"], os.environ["TERM"] = "80", "xterm-256color"
    m = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3), keras.layers.Dropout(0.5)])
    m.layers[0].trainable = False
    m.summary(show_trainable=True)


both("summary", coloured_summary, differ=True)

(DIR / "fit.json").write_text(json.dumps(golden.plain(fits), indent=1) + "\n")
(DIR / "progbar.json").write_text(json.dumps(golden.plain(bars), indent=1) + "\n")
golden.save(
    "console",
    {"x": x, "y": y, "x_val": x_val, "y_val": y_val, "w0": w[0], "w1": w[1], "v0": v[0],
     "v1": v[1]},
    "data and weights behind console/fit.json; model(): Dense(3, softmax) with w0, w1; "
    "two_outputs(): heads kind = Dense(3, softmax) with w0, w1 and size = Dense(2) with v0, v1",
)
