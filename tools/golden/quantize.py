"""quantize.npz: layers and models after quantize("int8"); files/int8_*.keras: what Keras saves of them.

CASE/x, w0 …       data and weights before
CASE/q0 …          the weights after quantize(), in the order of layer.weights
CASE/p             predictions of the quantized model
CASE/t, loss, v0 … where it is trained: targets, losses of three steps, the weights then
CASE/own0 …        what save_own_variables() writes for the layer at the end
FILE/x, p          data and predictions of files/int8_FILE.keras
abs_max/x, q, s    abs_max_quantize(x, axis=(1, 2), value_range=(-100, 100), epsilon=0.5)
meta.cases: names, dtypes and whether they are trained of the weights
"""

import golden
import numpy as np

keras = golden.start("tensorflow")
L, Q = keras.layers, keras.quantizers
members, cases = {}, {}


def note(name, key, arrays):
    for i, v in enumerate(arrays):
        members[f"{name}/{key}{i}"] = keras.ops.convert_to_numpy(v)


def run(name, layer, x, mode="int8", config=None, train=False, lora=False):
    keras.utils.clear_session()
    m = keras.Sequential([keras.Input(x.shape[1:], dtype=x.dtype.name), layer])
    m.set_weights([golden.normal(f"{name}/w{i}", *v.shape, scale=0.5) for i, v in enumerate(m.weights)])
    note(name, "w", m.weights)
    layer.quantize(mode, config=config)
    if lora:
        layer.enable_lora(2, lora_alpha=6)
        layer.lora_kernel_b.assign(golden.normal(f"{name}/b", *layer.lora_kernel_b.shape, scale=0.3))
    note(name, "q", m.weights)
    members[f"{name}/x"], members[f"{name}/p"] = x, m.predict(x, verbose=0)
    if train:
        t = golden.normal(f"{name}/t", *members[f"{name}/p"].shape)
        m.compile(keras.optimizers.SGD(0.1), "mse")
        logs = [m.fit(x, t, batch_size=len(x), verbose=0).history["loss"][0] for _ in range(3)]
        members[f"{name}/t"], members[f"{name}/loss"] = t, np.array(logs)
        note(name, "v", m.weights)
    own = {}
    layer.save_own_variables(own)
    note(name, "own", own.values())
    cases[name] = {"weights": [[v.name, v.dtype, bool(v.trainable)] for v in m.weights]}


def normal(*shape):
    return golden.normal("x" + str(shape), *shape)


ids = np.array([[1, 6, 1], [0, 3, 5]], np.int32)
wide = Q.Int8QuantizationConfig(weight_quantizer=Q.AbsMaxQuantizer(axis=0, value_range=(-100, 90)),
                                activation_quantizer=Q.AbsMaxQuantizer(value_range=(-128, 64), epsilon=0.25))
weights_only = Q.Int8QuantizationConfig(activation_quantizer=None)
run("dense", L.Dense(4, activation="tanh", kernel_regularizer="l2"), normal(3, 5), train=True)
run("dense_3d", L.Dense(19, use_bias=False), normal(2, 3, 37))
run("dense_wide", L.Dense(4), normal(3, 5), None, wide)
run("dense_weights", L.Dense(4), normal(3, 5), None, weights_only, train=True)
run("dense_lora", L.Dense(4), normal(3, 5), train=True, lora=True)
run("einsum", L.EinsumDense("abc,cde->abde", (2, 2, 3), bias_axes="de"), normal(3, 2, 4), train=True)
run("einsum_two", L.EinsumDense("abcd,cde->abe", (2, 5), bias_axes="e"), normal(3, 2, 4, 3))
run("einsum_turned", L.EinsumDense("abc,dce->aedb", (3, 2, 2), activation="relu"), normal(3, 2, 4))
run("einsum_batch", L.EinsumDense("abc,bcd->abd", (2, 3)), normal(3, 2, 4))
run("einsum_lora", L.EinsumDense("abc,cde->abde", (2, 2, 3), bias_axes="de"), normal(3, 2, 4), train=True,
    lora=True)
run("einsum_weights", L.EinsumDense("abc,cde->abde", (2, 2, 3)), normal(3, 2, 4), None, weights_only)
run("embedding", L.Embedding(7, 3), ids)

x = normal(2, 3, 4)
q, s = Q.abs_max_quantize(x, axis=(1, 2), value_range=(-100, 100), epsilon=0.5)
members["abs_max/x"], members["abs_max/q"], members["abs_max/s"] = x, q.numpy(), s.numpy()


def save(name, m, x):
    m.set_weights([golden.normal(f"{name}/w{i}", *v.shape, scale=0.5) for i, v in enumerate(m.weights)])
    m.quantize("int8")
    members[f"{name}/x"], members[f"{name}/p"] = x, m.predict(x, verbose=0)
    golden.save_model(m, f"int8_{name}") if hasattr(golden, "save_model") else m.save(
        golden.OUT / "files" / f"int8_{name}.keras")


keras.utils.clear_session()
save("mlp", keras.Sequential([keras.Input((5,)), L.Dense(4, activation="relu"), L.Dense(3)], name="mlp"),
     normal(3, 5))
i = keras.Input((4,), dtype="int32", name="ids")
h = L.LSTM(3, return_sequences=True, name="lstm")(L.Embedding(9, 4, mask_zero=True, name="table")(i))
h = L.EinsumDense("abc,cde->abde", (None, 2, 2), bias_axes="de", name="einsum")(h)
h = L.Dense(3, activation="tanh", name="each")(L.Reshape((4, 4))(h))
save("text", keras.Model(i, L.Dense(2, name="head")(L.GlobalAveragePooling1D()(h)), name="text"),
     np.array([[1, 8, 3, 2], [5, 2, 7, 7], [4, 4, 1, 6]], np.int32))

golden.save("quantize", members, "layers and models after quantize", cases)
