#!/usr/bin/env python3
"""What real Keras makes of the old .h5 files in ../shared/corpus: tests/golden/legacy.npz, read by
src/saving/legacy_test.c.

Keras 3 itself loads few of them, so this script builds each model layer by layer from its config, in its own words,
with Keras' layers (hard_sigmoid as it was before Keras 3), sets the weights in the order of the file, and predicts.
Members: FILE/y0, FILE/y1, … the outputs (at most 600 numbers of each), where FILE is the name of the file; `meta`.
Inputs come from numbers(), which the test has too: two samples, five steps where a length is open.
"""
import json
import os
import sys

import golden

keras = golden.start()
import h5py  # noqa: E402
import numpy as np  # noqa: E402

L = keras.layers
CORPUS = golden.ROOT.parent / "shared" / "corpus"


@keras.saving.register_keras_serializable()
def old_hard_sigmoid(x):
    return keras.ops.clip(0.2 * x + 0.5, 0, 1)


def act(name):
    return old_hard_sigmoid if name == "hard_sigmoid" else name


def text(v):
    return v.decode() if isinstance(v, bytes) else str(v)


def first_shape(entry):
    c = entry["config"]
    if isinstance(c, dict):
        for key in ("batch_input_shape", "batch_shape"):
            if c.get(key):
                return c[key]
        if "layer" in c:
            return first_shape(c["layer"])
        c = c["layers"]
    return first_shape(c[0])


def numbers(shape, n_ids):
    i = np.arange(np.prod(shape), dtype=np.int64)
    # id 0 is masked, and backends disagree about a masked first step
    flat = i * 31 % (n_ids - 1) + 1 if n_ids else (i * 7919 % 17 - 8) / 64
    return flat.reshape(shape).astype("float32")


def layer(e, new):
    """A Keras layer from an entry; what only training needs is left out."""
    n, c = e["class_name"], e["config"]
    if n == "Sequential":
        return sequential(e, new)
    if n in ("Model", "Functional"):
        return functional(e, new)
    a = (lambda x: x) if new else act
    keep = {k: c[k] for k in ("name", "units", "filters", "kernel_size", "strides", "padding", "data_format",
                              "use_bias", "pool_size", "rate", "axis", "epsilon", "momentum", "center", "scale",
                              "target_shape", "n", "depth_multiplier", "max_value", "negative_slope", "threshold",
                              "return_sequences", "return_state", "go_backwards", "stateful", "input_dim",
                              "output_dim", "mask_zero", "merge_mode", "size", "keepdims", "dilation_rate") if k in c}
    if n in ("Dense", "Conv1D", "ConvLSTM2D"):
        keep.pop("axis", None)
    if n != "Embedding":
        keep.pop("input_dim", None)
        keep.pop("output_dim", None)
    if n == "BatchNormalization" and isinstance(keep["axis"], list):
        keep["axis"] = keep["axis"][0]
    if n in ("Dense", "Conv2D", "DepthwiseConv2D", "LSTM", "GRU", "SimpleRNN", "Activation", "ConvLSTM2D"):
        keep["activation"] = a(c["activation"])
    if n in ("LSTM", "GRU", "ConvLSTM2D"):
        keep["recurrent_activation"] = a(c["recurrent_activation"])
    if n == "GRU":
        keep["reset_after"] = c.get("reset_after", False)
    if n in ("Bidirectional", "TimeDistributed"):
        return getattr(L, n)(layer(c["layer"], new), **keep)
    return getattr(L, n)(**keep)


def sequential(e, new):
    c = e["config"]
    entries = c if isinstance(c, list) else c["layers"]
    m = keras.Sequential([keras.Input(batch_shape=first_shape(e))])
    for entry in entries:
        if entry["class_name"] != "InputLayer":
            m.add(layer(entry, new))
    if isinstance(c, dict):
        m.name = c["name"]
    return m


def functional(e, new):
    c, made = e["config"], {}

    def ref(r):
        return made[r[0], r[1]][r[2]]

    todo = list(c["layers"])
    layers = {}
    while todo:
        entry = todo.pop(0)
        name = entry["name"]
        if entry["class_name"] == "InputLayer":
            cc = entry["config"]
            made[name, 0] = [keras.Input(batch_shape=cc.get("batch_input_shape") or cc["batch_shape"], name=name)]
            continue
        calls = [[[r] if isinstance(r, str) else r for r in call] for call in entry["inbound_nodes"]]
        if any((r[0], r[1]) not in made for call in calls for r in call):
            todo.append(entry)
            continue
        layers.setdefault(name, layer(entry, new))
        for i, call in enumerate(calls):
            xs = [ref(r) for r in call]
            if len(xs) > 1 and entry["class_name"] in ("LSTM", "GRU"):
                y = layers[name](xs[0], initial_state=xs[1:])
            else:
                y = layers[name](xs if len(xs) > 1 else xs[0])
            made[name, i] = y if isinstance(y, (list, tuple)) else [y]
    ends = [[ref(r) for r in c[k]] for k in ("input_layers", "output_layers")]
    m = keras.Model(*[x[0] if len(x) == 1 else x for x in ends], name=c["name"])
    m._kt_layers = [layers[x["name"]] for x in c["layers"] if x["name"] in layers]
    return m


def set_weights(m, g):
    order = getattr(m, "_kt_layers", None) or m.layers
    mine = [x for x in order if x.weights]
    files = [text(n) for n in g.attrs["layer_names"]]
    files = [n for n in files if len(g[n].attrs["weight_names"])]
    assert len(mine) == len(files), (len(mine), len(files))
    by_name = {x.name: x for x in mine}
    for i, n in enumerate(files):
        x = by_name.get(n, mine[i])
        values = [g[n][w][()] for w in g[n].attrs["weight_names"]]
        for v, value in zip(x.trainable_weights + x.non_trainable_weights, values, strict=True):
            assert v.shape == value.shape, (n, v.path, v.shape, value.shape)
            v.assign(value)


def main():
    members, cases = {}, {}
    for p in sorted([*CORPUS.glob("models/*"), *CORPUS.glob("weights/*")]):
        if p.read_bytes()[:4] != b"\x89HDF":
            continue
        with h5py.File(p, "r") as f:
            if "model_config" not in f.attrs:
                continue
            raw = text(f.attrs["model_config"])
            if "Lambda" in raw or "TextVectorization" in raw:
                continue
            version = text(f.attrs["keras_version"])
            keras.backend.clear_session()
            try:
                if version[0] == "3":
                    m = keras.saving.load_model(p, compile=False) if p.suffix == ".h5" else None
                else:
                    m = layer(json.loads(raw), False)
                    set_weights(m, f["model_weights"])
            except Exception as e:
                print(p.name, version, type(e).__name__, str(e)[:300], file=sys.stderr)
                continue
        dims = [x.input_dim for x in m.layers if isinstance(x, L.Embedding)]
        xs = [numbers([2 if i == 0 and d is None else 5 if d is None else d for i, d in enumerate(t.shape)],
                      dims[min(k, len(dims) - 1)] if dims and len(t.shape) == 2 else 0)
              for k, t in enumerate(m.inputs)]
        ys = m.predict(xs, verbose=0)
        ys = ys if isinstance(ys, list) else [ys]
        for i, y in enumerate(ys):
            members[f"{p.name}/y{i}"] = np.asarray(y, "float32").ravel()[:600]
        cases[p.name] = {"keras": version}
    golden.save("legacy", members, "predictions of old .h5 files", cases)


if __name__ == "__main__":
    main()
