"""lora.npz: layers with low-rank adaptation, alone in a model that ends in mse.

CASE/x, t, w0 …    data and weights, the matrices a and b of LoRA included
CASE/p             predictions
CASE/loss (3)      losses of three steps, regularizers included
CASE/v0 …          the weights then
CASE/own0 …        what save_own_variables() writes for the adapted layer after these steps
enable/…           as CASE, LoRA enabled by enable_lora(2, lora_alpha=6) on a built Dense
meta.cases: configuration of the adapted layer, names of its weights, those that are trained.
"""

import golden
import numpy as np

keras = golden.start("tensorflow")
L = keras.layers
members, cases = {}, {}


def run(name, layer, x, rest=(), optimizer="sgd", rate=0.1, enable=None):
    keras.utils.clear_session()
    ids = x.dtype == np.int32
    m = keras.Sequential([keras.Input(x.shape[1:], dtype=x.dtype.name), layer, *rest])
    if enable:
        enable(layer)
    for i, v in enumerate(m.weights):
        members[f"{name}/w{i}"] = golden.normal(f"{name}/w{i}", *v.shape, scale=0.5)
    m.set_weights([members[f"{name}/w{i}"] for i in range(len(m.weights))])
    t = golden.normal(f"{name}/t", *m.compute_output_shape(x.shape))
    members[f"{name}/x"], members[f"{name}/t"] = x, t
    members[f"{name}/p"] = m.predict(x, verbose=0)
    o = keras.optimizers.get(optimizer)
    o.learning_rate = rate
    m.compile(o, "mse")
    logs = [m.fit(x, t, batch_size=len(x), verbose=0).history["loss"][0] for _ in range(3)]
    members[f"{name}/loss"] = np.array(logs)
    for i, w in enumerate(m.get_weights()):
        members[f"{name}/v{i}"] = w
    own = {}
    layer.save_own_variables(own)
    for k, v in own.items():
        members[f"{name}/own{k}"] = keras.ops.convert_to_numpy(v)
    cases[name] = {
        "config": {k: v for k, v in layer.get_config().items() if "lora" in k},
        "weights": [v.name for v in layer.weights], "ids": bool(ids),
        "trained": [v.name for v in layer.trainable_weights]}


def normal(*shape):
    return golden.normal("x" + str(shape), *shape)


flat = lambda: [L.Flatten()]  # noqa: E731
lora = {"lora_rank": 2, "lora_alpha": 6}
run("dense", L.Dense(4, activation="tanh", kernel_regularizer="l2", **lora), normal(3, 5))
run("dense_3d", L.Dense(4, use_bias=False, lora_rank=1), normal(3, 2, 5), optimizer="adam", rate=0.01)
run("einsum", L.EinsumDense("abc,cde->abde", (2, 2, 3), bias_axes="de", **lora), normal(3, 2, 4))
run("embedding", L.Embedding(7, 3, embeddings_regularizer="l2", **lora),
    np.array([[1, 6, 1], [0, 3, 5]], np.int32), optimizer="adam", rate=0.01)
run("conv1d", L.Conv1D(4, 3, padding="causal", **lora), normal(2, 6, 3))
run("conv2d", L.Conv2D(4, (3, 2), groups=2, kernel_regularizer="l1", **lora), normal(2, 5, 4, 4))
run("conv2d_pool", L.Conv2D(4, 3, activation="relu", lora_rank=3), normal(2, 6, 6, 1),
    [L.MaxPooling2D(), L.Flatten(), L.Dense(2)], optimizer="adam", rate=0.01)
run("conv3d", L.Conv3D(2, 2, lora_rank=2), normal(1, 3, 3, 4, 2))
run("enable", L.Dense(4), normal(3, 5), enable=lambda d: d.enable_lora(2, lora_alpha=6))

golden.save("lora", members, "layers with lora_rank", cases)
