"""Shapes of models that are more than lists: nested inputs and outputs, models that begin inside another one,
operations in an .h5. Files as byte arrays, and what they predict (flat, dicts by their keys).

    NAME/file, NAME/x0 …, NAME/p0 …
"""
import os
import tempfile

import numpy as np

import golden

keras = golden.start()
from keras import layers as L  # noqa: E402
from keras import ops, tree  # noqa: E402

members = {}


def keep(name, m, form="keras"):
    flat = tree.flatten(m._inputs_struct)
    xs = [golden.normal(f"{name}{i}", 2, *t.shape[1:]) for i, t in enumerate(flat)]
    with tempfile.TemporaryDirectory() as d:
        path = os.path.join(d, f"m.{form}")
        m.save(path)
        data = np.fromfile(path, np.uint8)
    members[f"{name}/file"] = data
    for i, x in enumerate(xs):
        members[f"{name}/x{i}"] = x
    p = m.predict(tree.pack_sequence_as(m._inputs_struct, xs), verbose=0)
    for i, v in enumerate(tree.flatten(p)):
        members[f"{name}/p{i}"] = v


def inputs():
    return [keras.Input((4,), name="a"), keras.Input((4,), name="b"), keras.Input((3,), name="c")]


def main():
    a, b, c = inputs()
    one, two, three = [L.Dense(2, name=n)(x) for n, x in (("one", a), ("two", b), ("three", c))]
    keep("dicts", keras.Model({"b": b, "a": a, "g": [c]}, {"p": one, "a": [two, {"z": three, "y": one}]}, name="dicts"))
    keep("lists", keras.Model([a, (b, [c])], [one, [two], (three, one)], name="lists"))

    a, b, _ = inputs()
    shared = L.Dense(2, name="shared")
    inner = keras.Model({"a": a, "b": b}, {"z": shared(a), "y": [shared(b)]}, name="inner")
    q = keras.Input((4,), name="q")
    r = inner({"b": q, "a": ops.tanh(q)})
    keep("called", keras.Model(q, L.Subtract(name="less")([r["z"], r["y"][0]]), name="outer"))

    a, _, _ = inputs()
    middle = L.Dense(3, activation="tanh", name="middle")(a)
    last = L.Dense(2, name="last")(middle)
    keep("tail", keras.Model(middle, last, name="tail"))

    a, b, _ = inputs()
    x = ops.relu(L.Dense(4, name="first")(a)) * 0.5 + ops.softmax(b)
    x = ops.concatenate([x[:, 1:3], ops.exp(x), ops.flip(x, 1)], axis=1)
    x = ops.reshape(L.Dense(6, name="second")(x), (-1, 2, 3))
    keep("operations", keras.Model([a, b], [L.Flatten(name="flat")(x), ops.max(x, axis=1)], name="operations"), "h5")
    e, d = keras.Input((5, 2), name="e"), keras.Input((4, 2), name="d")  # other lengths; d is met first from the output
    shared = L.Dense(3, name="shared")
    x, y = shared(e), shared(d)
    _, state = L.GRU(3, return_state=True, name="encoder")(x)
    z = L.GRU(3, name="decoder")(y, initial_state=state)
    keep("states", keras.Model([e, d], L.Dense(2, name="out")(z), name="states"))
    golden.save("graphs", members, "nested ends, models inside others, operations in an .h5")


if __name__ == "__main__":
    main()
