"""sequences.npz: Embedding, Masking and recurrent layers: one layer, and small models in training.

One layer, as in layers_more.py: CASE/x0, w0 …, y (or y0 … of several outputs), c (c0 …), dx0, dw0 …,
mask, config; with an initial state CASE/s0 … and ds0 …; of a stateful layer y, y_2: two calls in a
row. d is the gradient of the sum of all outputs times their c.

Models: CASE/x, CASE/t (targets), w0 … (first weights), CASE/loss (of three steps), CASE/NAME (a
metric after each step), v0 … (weights after the steps), CASE/p (predictions at the start).
"""

import golden
import numpy as np

keras = golden.start("tensorflow")
import tensorflow as tf  # noqa: E402

L = keras.layers
members, cases = {}, {}


def put_weights(name, layer):
    layer.set_weights(
        [golden.normal(f"{name}/w{i}", *v.shape, scale=0.5) for i, v in enumerate(layer.weights)]
    )
    for i, w in enumerate(layer.get_weights()):
        members[f"{name}/w{i}"] = w


def case(name, layer, x, mask=None, state=(), training=False):
    x = np.asarray(x)
    layer.build(x.shape)
    put_weights(name, layer)
    members[f"{name}/config"] = golden.text(layer.get_config())
    members[f"{name}/x0"] = x
    kw = {} if mask is None else {"mask": np.asarray(mask, bool)}
    t = tf.constant(x)
    states = [tf.constant(s) for s in state]
    if states:
        kw["initial_state"] = states
    if mask is not None:
        members[f"{name}/mask"] = kw["mask"]
    with tf.GradientTape() as tape:
        tape.watch(t)
        for s in states:
            tape.watch(s)
        ys = layer(t, **kw)
        several = isinstance(ys, (list, tuple))
        ys = list(ys) if several else [ys]
        cs = [golden.normal(f"c{i}/{name}", *y.shape) for i, y in enumerate(ys)]
        total = tf.add_n([tf.reduce_sum(y * c) for y, c in zip(ys, cs)])
    for i, (y, c) in enumerate(zip(ys, cs)):
        tail = str(i) if several else ""
        members[f"{name}/y{tail}"] = np.array(y)
        members[f"{name}/c{tail}"] = c
    wrt = [t] + states + [v.value for v in layer.trainable_variables]
    grads = [None if g is None else np.array(tf.convert_to_tensor(g)) for g in tape.gradient(total, wrt)]
    if grads[0] is not None:
        members[f"{name}/dx0"] = grads[0]
    for i, s in enumerate(state):
        members[f"{name}/s{i}"] = s
        members[f"{name}/ds{i}"] = grads[1 + i]
    for i, g in enumerate(grads[1 + len(states):]):
        members[f"{name}/dw{i}"] = g
    if getattr(layer, "stateful", False):
        members[f"{name}/y_2"] = np.array(layer(t, **kw))
    cases[name] = {"outputs": len(ys)}


def model(name, layers, x, t, loss, metrics=(), weighted=(), optimizer="sgd", rate=0.1):
    keras.utils.clear_session()
    m = keras.Sequential([keras.Input(x.shape[1:], dtype=x.dtype), *layers])
    put_weights(name, m)
    opt = keras.optimizers.get(optimizer)
    opt.learning_rate = rate
    m.compile(opt, loss, metrics=list(metrics), weighted_metrics=list(weighted))
    members[f"{name}/x"], members[f"{name}/t"] = x, t
    members[f"{name}/p"] = m.predict(x, verbose=0)
    logs = [m.fit(x, t, batch_size=len(x), verbose=0).history for _ in range(3)]
    for key in logs[0]:
        members[f"{name}/{key}"] = np.array([h[key][0] for h in logs])
    for i, w in enumerate(m.get_weights()):
        members[f"{name}/v{i}"] = w
    cases[name] = {"optimizer": optimizer, "rate": rate, "loss": loss}


ids = np.array([[3, 1, 0, 0], [5, 0, 2, 0], [0, 0, 0, 0]], np.int32)
case("embedding", L.Embedding(6, 3), ids)
case("embedding_mask_zero", L.Embedding(6, 3, mask_zero=True), ids)
case("embedding_one_axis", L.Embedding(6, 3), ids[:, 0])
case("embedding_floats", L.Embedding(6, 3), ids.astype(np.float32) + np.float32(0.75) * (ids < 5))
x = golden.normal("masking", 3, 4, 2)
x[0, 2:] = 0
x[1, 1] = 0
x[2, :, 0] = 0
case("masking", L.Masking(), x)
case("masking_value", L.Masking(-1.0), np.where(x == 0, np.float32(-1), x))

one = np.array([[3, 1, 0, 0], [5, 0, 2, 0], [1, 1, 4, 2]], np.int32)
tags = np.array([[1, 0, 2, 2], [0, 1, 1, 0], [2, 2, 0, 1]], np.int32)
tokens = [L.Embedding(6, 3, mask_zero=True), L.Dense(4, "tanh"), L.Dense(3, "softmax")]
model("tags", tokens, one, tags, "sparse_categorical_crossentropy", ["accuracy"], ["accuracy"])
model("tags_none", [L.Embedding(6, 3), L.Dense(3, "softmax")], one, tags,
      "sparse_categorical_crossentropy", ["accuracy"])
real = golden.normal("real", 3, 4, 2)
model("masked_mse", [L.Masking(), L.Dense(2)], x, real, "mse", ["mae"], ["mae"])
model("masked_adam", [L.Masking(), L.Activation("tanh"), L.Dropout(0.0), L.Dense(2)], x, real, "mae",
      ["mse"], optimizer="adam", rate=0.01)

golden.save("sequences", members, "Embedding, Masking, recurrent layers", cases)
