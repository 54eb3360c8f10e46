"""curves_slice.npz: 50 training steps of a small MLP, per-batch losses and final weights.

Model: Dense(16, relu), Dense(8, tanh), Dense(5, softmax) on 20 inputs, 200 samples.
Order: no shuffling. Step s (from 0) takes rows [16·(s mod 13), …) : 12 batches of 16 and a last
one of 8, then from the front again; that is what fit(batch_size=16, shuffle=False) does.

init/w0 … w5, x (200,20), y (200) int64, y_onehot (200,5) float32
CASE/loss (50)     loss of each batch before its update (no running mean)
CASE/final/w0 …    weights after the 50th update
fit/KEY (4)        history of fit(epochs=4, shuffle=False, validation on the first 40 rows) for
                   Adam(0.01) with sparse_categorical_crossentropy and metrics=["accuracy"],
                   keys loss, accuracy, val_loss, val_accuracy; fit/final/w0 …
CASE is OPTIMIZER.LOSS; meta.cases says class and arguments.
"""

import numpy as np

import golden

keras = golden.start()
BATCH, STEPS = 16, 50
OPTIMIZERS = {
    "sgd": ("SGD", {"learning_rate": 0.05}),
    "sgd_momentum": ("SGD", {"learning_rate": 0.05, "momentum": 0.9}),
    "sgd_nesterov": ("SGD", {"learning_rate": 0.05, "momentum": 0.9, "nesterov": True}),
    "adam": ("Adam", {"learning_rate": 0.01}),
    "rmsprop": ("RMSprop", {"learning_rate": 0.01}),
}
LOSSES = ("sparse_categorical_crossentropy", "categorical_crossentropy", "mse")


def model():
    m = keras.Sequential(
        [
            keras.Input((20,)),
            keras.layers.Dense(16, activation="relu"),
            keras.layers.Dense(8, activation="tanh"),
            keras.layers.Dense(5, activation="softmax"),
        ]
    )
    m.set_weights(init)
    return m


# Five blobs, so that there is something to learn.
g = golden.rng("curves")
y = g.integers(0, 5, 200)
centres = g.standard_normal((5, 20))
x = (centres[y] + g.standard_normal((200, 20))).astype(np.float32)
onehot = np.eye(5, dtype=np.float32)[y]
shapes = [(20, 16), (16,), (16, 8), (8,), (8, 5), (5,)]
init = [golden.normal(f"init{i}", *s, scale=0.25) for i, s in enumerate(shapes)]

members = {"x": x, "y": y, "y_onehot": onehot}
members |= {f"init/w{i}": w for i, w in enumerate(init)}
cases = {}
per_epoch = -(-len(x) // BATCH)
for opt, (cls, args) in OPTIMIZERS.items():
    for loss in LOSSES:
        name = f"{opt}.{loss}"
        target = y if loss.startswith("sparse") else onehot
        m = model()
        m.compile(getattr(keras.optimizers, cls)(**args), loss)
        losses = []
        for s in range(STEPS):
            rows = slice(BATCH * (s % per_epoch), BATCH * (s % per_epoch) + BATCH)
            m.reset_metrics()  # or train_on_batch would return the mean since the last reset
            losses.append(m.train_on_batch(x[rows], target[rows]))
        members[f"{name}/loss"] = np.array(losses, np.float32)
        for i, w in enumerate(m.get_weights()):
            members[f"{name}/final/w{i}"] = w
        cases[name] = {
            "optimizer": cls,
            "args": args,
            "loss": loss,
            "target": "y" if target is y else "y_onehot",
        }

m = model()
m.compile(keras.optimizers.Adam(0.01), "sparse_categorical_crossentropy", metrics=["accuracy"])
h = m.fit(
    x, y, batch_size=BATCH, epochs=4, shuffle=False, validation_data=(x[:40], y[:40]), verbose=0
)
for k, v in h.history.items():
    members[f"fit/{k}"] = np.array(v, np.float64)
for i, w in enumerate(m.get_weights()):
    members[f"fit/final/w{i}"] = w

golden.save(
    "curves_slice",
    members,
    "50 training steps of a small MLP",
    cases,
    layers=["Dense(16, relu)", "Dense(8, tanh)", "Dense(5, softmax)"],
    batch_size=BATCH,
    steps=STEPS,
    order="step s takes rows from 16*(s mod 13); the 13th batch has 8 rows",
)
