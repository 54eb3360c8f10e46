"""half.npz: models under the policies mixed_float16 and mixed_bfloat16, what TensorFlow and JAX make of them.

CASE/POLICY/json               the model, model.to_json()
CASE/w0 …, CASE/x0 …           weights in get_weights() order, inputs (the same for every policy)
CASE/POLICY/tensorflow, jax    model.predict(), as float32 (JAX on CPUs has no attention in float16)
CASE/POLICY/dtype              and its dtype
CASE/float32                   the same under the policy float32
train_CASE/POLICY/json, w0 …   a model, x0, y: three steps of train_on_batch
train_CASE/POLICY/BACKEND/loss (3), v0 … (weights after), scale (dynamic_scale, step_counter; mixed_float16)
meta.cases[train_CASE]: optimizer configuration and loss.
"""

import golden
import numpy as np

keras = golden.start(golden.part() or "tensorflow")
backend = golden.part() or "tensorflow"
L, K = keras.layers, keras
members, cases = {}, {}
MIXED = ("mixed_float16", "mixed_bfloat16")


def chain(shape, *layers, dtype=None):
    def build():
        x = i = K.Input(shape, dtype=dtype)
        for layer in layers:
            x = layer()(x)
        return K.Model(i, x)

    return build


def attend(cls, heads=False, **kw):
    def build():
        q, v = K.Input((4, 6)), K.Input((5, 6))
        args = {"num_heads": 2, "key_dim": 3} if heads else {}
        return K.Model([q, v], cls(**args, **kw)(q, v) if heads else cls(**kw)([q, v]))

    return build


def merged(cls, **kw):
    def build():
        a, b = K.Input((3, 4)), K.Input((3, 4))
        return K.Model([a, b], cls(**kw)([a, b]))

    return build


def last_is_float():
    i = K.Input((6,))
    x = L.Dense(8, activation="relu")(i)
    return K.Model(i, L.Dense(3, activation="softmax", dtype="float32")(x))


def masked(layer):
    def build():
        i = K.Input((5,), dtype="int32")
        return K.Model(i, layer()(L.Embedding(7, 4, mask_zero=True)(i)))

    return build


def operations():
    i = K.Input((4, 3))
    o = K.ops
    x = o.exp(i) * 0.3 + 1e-4
    x = o.where(x > 1, o.sqrt(x), o.sum(x, axis=-1, keepdims=True) / 7)
    return K.Model(i, o.matmul(x, o.transpose(L.Dense(3)(i), (0, 2, 1))))


def activations(names):
    def build():
        i = K.Input((9,))
        return K.Model(i, [L.Activation(n)(i) for n in names.split()])

    return build


d = lambda n, **kw: (lambda: L.Dense(n, **kw))  # noqa: E731
FORWARD = {
    "dense": chain((7,), d(5)),
    "dense_relu_twice": chain((7,), d(9, activation="relu"), d(4)),
    "dense_softmax": chain((7,), d(5, activation="softmax")),
    "last_is_float": last_is_float,
    "activations": activations("elu gelu selu softplus softsign swish mish hard_sigmoid exponential log_softmax relu6"),
    "more_activations": activations("sigmoid tanh leaky_relu hard_silu celu tanh_shrink soft_shrink sparse_plus "
                                    "squareplus log_sigmoid hard_tanh"),
    "conv1d_causal": chain((8, 3), lambda: L.Conv1D(4, 3, padding="causal", activation="relu")),
    "conv2d": chain((7, 6, 3), lambda: L.Conv2D(5, 3, padding="same", activation="tanh"), lambda: L.Conv2D(4, 2, strides=2)),
    "conv3d": chain((4, 4, 4, 2), lambda: L.Conv3D(3, 2)),
    "conv2d_transpose": chain((4, 5, 3), lambda: L.Conv2DTranspose(4, 3, strides=2)),
    "depthwise": chain((6, 6, 3), lambda: L.DepthwiseConv2D(3, depth_multiplier=2)),
    "separable": chain((6, 6, 3), lambda: L.SeparableConv2D(4, 3, activation="gelu")),
    "pools": chain((8, 8, 3), lambda: L.AveragePooling2D(3, 2), lambda: L.MaxPooling2D(2)),
    "global_average": chain((6, 6, 3), lambda: L.GlobalAveragePooling2D()),
    "global_max": chain((6, 3), lambda: L.GlobalMaxPooling1D()),
    "batch_norm": chain((5, 4), lambda: L.BatchNormalization()),
    "layer_norm": chain((5, 6), lambda: L.LayerNormalization()),
    "group_norm": chain((5, 6), lambda: L.GroupNormalization(3)),
    "rms_norm": chain((5, 6), lambda: L.RMSNormalization()),
    "unit_norm": chain((5, 6), lambda: L.UnitNormalization()),
    "spectral_norm": chain((6,), lambda: L.SpectralNormalization(L.Dense(4))),
    "embedding": chain((5,), lambda: L.Embedding(7, 4), d(3), dtype="int32"),
    "masked_average": masked(lambda: L.GlobalAveragePooling1D()),
    "masked_lstm": masked(lambda: L.LSTM(3)),
    "simple_rnn": chain((6, 3), lambda: L.SimpleRNN(4, return_sequences=True)),
    "lstm": chain((6, 3), lambda: L.LSTM(4, return_sequences=True)),
    "gru": chain((6, 3), lambda: L.GRU(4)),
    "bidirectional": chain((6, 3), lambda: L.Bidirectional(L.GRU(3, return_sequences=True))),
    "conv_lstm": chain((3, 5, 4, 2), lambda: L.ConvLSTM2D(3, 2)),
    "time_distributed": chain((4, 5), lambda: L.TimeDistributed(L.Dense(3, activation="sigmoid"))),
    "attention": attend(L.Attention, use_scale=True),
    "additive_attention": attend(L.AdditiveAttention),
    "multi_head": attend(L.MultiHeadAttention, True),
    "multi_head_self": chain((5, 6), lambda: SelfAttention()),
    "softmax": chain((4, 5), lambda: L.Softmax(axis=1)),
    "prelu": chain((5,), lambda: L.PReLU()),
    "dropout": chain((5,), lambda: L.Dropout(0.5), lambda: L.GaussianNoise(0.5)),
    "rescaling": chain((5, 3), lambda: L.Rescaling(1 / 127.5, -1)),
    "average": merged(L.Average),
    "dot": merged(L.Dot, axes=2, normalize=True),
    "up_sampling": chain((3, 4, 2), lambda: L.UpSampling2D(2, interpolation="bilinear")),
    "einsum": chain((5, 6), lambda: L.EinsumDense("abc,cde->abde", (None, 2, 3), bias_axes="e")),
    "operations": operations,
}


def SelfAttention():
    attention = L.MultiHeadAttention(2, 4)
    return lambda x: attention(x, x, use_causal_mask=True)


def start(build, policy, name):
    keras.utils.clear_session()
    keras.config.set_dtype_policy(policy)
    m = build()
    keras.config.set_dtype_policy("float32")
    weights = []
    for i, v in enumerate(m.weights):
        w = golden.normal(f"{name}/w{i}", *v.shape, scale=0.4)
        weights.append(np.abs(w) + 0.5 if "variance" in v.path else w)
    m.set_weights(weights)
    return m, weights


def inputs(m, name, rows):
    x = []
    for i, t in enumerate(m.inputs):
        shape = (rows, *t.shape[1:])
        ids = golden.rng(f"{name}/x{i}").integers(0, 7, shape).astype(np.int32)
        x.append(ids if "int" in t.dtype else golden.normal(f"{name}/x{i}", *shape))
    return x


def predict(m, x):
    y = m.predict(x if len(x) > 1 else x[0], verbose=0)
    y = y if isinstance(y, list) else [y]
    return np.stack([np.asarray(a).astype(np.float32) for a in y]), str(y[0].dtype)


def forward(name, build):
    for policy in (*MIXED, "float32"):
        m, weights = start(build, policy, name)
        x = inputs(m, name, 3)
        if policy == "float32":
            members[f"{name}/float32"], _ = predict(m, x)
            members.update({f"{name}/x{i}": a for i, a in enumerate(x)})
            members.update({f"{name}/w{i}": a for i, a in enumerate(weights)})
        else:
            members[f"{name}/{policy}/json"] = golden.text(m.to_json())
            try:
                members[f"{name}/{policy}/{backend}"], dtype = predict(m, x)
                members[f"{name}/{policy}/dtype"] = golden.text(dtype)
            except ValueError as e:  # XLA for CPUs has no product of float16 with a sum in float32
                assert "F16_F16_F32" in str(e) and backend == "jax", e
    cases[name] = {}


TRAIN = {
    "dense": (chain((6,), d(8, activation="relu"), d(3, activation="softmax")), "sparse_categorical_crossentropy"),
    "conv": (chain((6, 6, 2), lambda: L.Conv2D(4, 3, use_bias=False), L.BatchNormalization, lambda: L.ReLU(),
                   lambda: L.MaxPooling2D(2), L.Flatten, d(3, dtype="float32")), "mse"),
    "gru": (chain((5, 3), lambda: L.GRU(4), d(3)), "mse"),
    "norm": (chain((4, 6), d(6, activation="gelu"), lambda: L.LayerNormalization(), L.GlobalAveragePooling1D, d(3)), "mae"),
}
OPTIMIZERS = {"sgd": lambda: keras.optimizers.SGD(0.05, momentum=0.9), "adam": lambda: keras.optimizers.Adam(0.01)}


def train(name, policy, optimizer):
    build, loss = TRAIN[name]
    case = f"train_{name}_{optimizer}"
    m, weights = start(build, policy, case)
    x = inputs(m, case, 8)[0]
    y = golden.normal(f"{case}/y", 8, 3)
    if "sparse" in loss:
        y = np.argmax(y, 1).astype(np.int32)
    o = OPTIMIZERS[optimizer]()
    m.compile(o, loss)
    cases[case] = {"optimizer": o.get_config(), "loss": loss}
    members[f"{case}/{policy}/json"] = golden.text(m.to_json())
    members.update({f"{case}/w{i}": a for i, a in enumerate(weights)})
    members.update({f"{case}/x0": x, f"{case}/y": y})
    losses = []
    for _ in range(3):
        losses.append(m.train_on_batch(x, y))
        m.reset_metrics()
    at = f"{case}/{policy}" if policy == "float32" else f"{case}/{policy}/{backend}"
    members[f"{at}/loss"] = np.array(losses, np.float64)
    members.update({f"{at}/v{i}": np.asarray(w).astype(np.float32) for i, w in enumerate(m.get_weights())})
    if policy == "mixed_float16":
        members[f"{at}/scale"] = np.array([float(m.optimizer.dynamic_scale), int(m.optimizer.step_counter)])


for name, build in FORWARD.items():
    forward(name, build)
for name in TRAIN:
    for optimizer in OPTIMIZERS:
        pure = ("bfloat16", "float16") if (name, optimizer) == ("dense", "sgd") else ()  # Adam fails in them
        for policy in (*MIXED, "float32", *pure):
            train(name, policy, optimizer)

if golden.part():
    golden.hand_over({k: v for k, v in members.items() if "/jax" in k}, {})
golden.add_part(__file__, "jax", members, cases)
golden.save("half", members, "models in 16 bits", cases)
