"""training.npz: what compile, fit, evaluate and the arguments common to all layers do.

activity/json, activity_wide/json   to_json() of models with activity_regularizer on many layers
activity/x, y, w0 …                 data and weights of the model of activity/json, which ends in mse
activity/history (2)                loss of fit(epochs=2, batch_size=4, shuffle=False); 10 rows
activity/val (2)                    val_loss with the first 7 rows, batches of 4
activity/evaluate                   loss of evaluate(batch_size=3) afterwards
activity/final0 …                   the weights then
penalty/CASE/x, w0 …, losses        layer.losses of one call of a layer with activity_regularizer
heads/x, y_p, y_q, w0 …             a model with outputs p (4 units) and q (1 unit)
heads/CASE/names, values            the history of one epoch (batch_size=4, shuffle=False, 10 rows):
                                    names, one a line, in Keras' order; one value each; on JAX,
                                    where the losses of single outputs are means over rows, jax_values
heads/CASE/config                   get_compile_config() as JSON
renorm/CASE/…                       as for BatchNormalization in layers_more.npz; config
curves/x, y, w0 …                   data and first weights of a small network
curves/CASE/optimizer               as JSON
curves/CASE/loss (100), final       the loss of each step before its update; all weights after it
curves/CASE/fitted                  with use_ema: the weights after fit() went on for two epochs
meta.cases says how each case was made.
"""

import numpy as np

import golden

keras = golden.start(golden.part() or "tensorflow")
L, R = keras.layers, keras.regularizers
members, cases = {}, {}


def fresh():
    keras.utils.clear_session()


def set_weights(layer, name):
    values = [golden.normal(f"{name}/w{i}", *v.shape, scale=0.4) for i, v in enumerate(layer.weights)]
    values = [abs(w) + 0.5 if "variance" in v.name else w for w, v in zip(values, layer.weights)]
    layer.set_weights(values)
    for i, w in enumerate(values):
        members[f"{name}/w{i}"] = w


# ---- activity_regularizer of every layer ----------------------------------------------------------

fresh()
model = keras.Sequential([
    keras.Input((6,)),
    L.Dense(4, activation="tanh", activity_regularizer=R.L2(0.1)),
    L.Reshape((2, 2), activity_regularizer="l1"),
    L.Flatten(activity_regularizer=R.L1L2(0.02, 0.03)),
    L.BatchNormalization(activity_regularizer=R.L1(0.05)),
    L.Dropout(0.0, activity_regularizer="l2"),
    L.Dense(2, kernel_regularizer=R.L2(0.01)),
])
members["activity/json"] = golden.text(model.to_json())
x, y = golden.normal("activity/x", 10, 6), golden.normal("activity/y", 10, 2)
members |= {"activity/x": x, "activity/y": y}
set_weights(model, "activity")
model.compile(keras.optimizers.SGD(0.05), "mse")
h = model.fit(x, y, batch_size=4, epochs=2, shuffle=False, verbose=0, validation_data=(x[:7], y[:7]),
              validation_batch_size=4)
members["activity/history"] = np.array(h.history["loss"], np.float64)
members["activity/val"] = np.array(h.history["val_loss"], np.float64)
members["activity/evaluate"] = np.array(model.evaluate(x, y, batch_size=3, verbose=0), np.float64)
for i, w in enumerate(model.get_weights()):
    members[f"activity/final{i}"] = w

fresh()
a, b = keras.Input((4, 3)), keras.Input((4, 3))
reg = {"activity_regularizer": "l2"}
z = L.Add(**reg)([a, b])
z = L.Concatenate(**reg)([z, L.Multiply(**reg)([a, b])])
z = L.Bidirectional(L.LSTM(2, return_sequences=True, **reg), **reg)(z)
z = L.TimeDistributed(L.Dense(3), **reg)(z)
z = L.MultiHeadAttention(2, 3, **reg)(z, z)
z = L.GroupQueryAttention(2, 2, 1, **reg)(z, z)
z = L.LayerNormalization(**reg)(z)
z = L.Conv1D(3, 2, **reg)(z)
z = L.MaxPooling1D(2, **reg)(z)
z = L.Activation("relu", **reg)(z)
z = L.GlobalAveragePooling1D(**reg)(z)
z = L.Rescaling(0.5, **reg)(z)
z = L.PReLU(**reg)(z)
members["activity_wide/json"] = golden.text(keras.Model([a, b], z, name="wide").to_json())


def penalty(name, layer, shape, n=1, **call):
    xs = [golden.normal(f"penalty/{name}/x{i}", *shape) for i in range(n)]
    layer(*xs, **call) if n > 1 else layer(xs[0], **call)
    set_weights(layer, f"penalty/{name}")
    layer(*xs, **call) if n > 1 else layer(xs[0], **call)
    for i, v in enumerate(xs):
        members[f"penalty/{name}/x{i}"] = v
    members[f"penalty/{name}/losses"] = np.array([float(v) for v in layer.losses])
    cases[f"penalty/{name}"] = golden.plain(layer.get_config())


penalty("flatten", L.Flatten(activity_regularizer=R.L1(0.1)), (3, 2, 2))
penalty("mha", L.MultiHeadAttention(2, 3, activity_regularizer=R.L2(0.1)), (2, 3, 4), 2)
penalty("gqa", L.GroupQueryAttention(2, 4, 2, activity_regularizer=R.L2(0.1)), (2, 3, 4), 2)
penalty("lstm", L.LSTM(3, return_sequences=True, return_state=True, activity_regularizer=R.L2(0.1)), (2, 3, 4))
penalty("bidirectional", L.Bidirectional(L.GRU(2, activity_regularizer=R.L1(0.2)), activity_regularizer=R.L2(0.1)),
        (2, 3, 4))
penalty("conv", L.Conv2D(2, 2, activity_regularizer=R.L2(0.1)), (2, 3, 4, 1))

# ---- several outputs -----------------------------------------------------------------------------

fresh()
i = keras.Input((3,), name="i")
d = L.Dense(5, activation="tanh", name="d")(i)
heads = keras.Model(i, [L.Dense(4, activation="softmax", name="p")(d), L.Dense(1, name="q")(d)])
x = golden.normal("heads/x", 10, 3)
y_p = golden.rng("heads/y_p").integers(0, 4, (10,)).astype(np.int32)
y_q = golden.normal("heads/y_q", 10, 1)
members |= {"heads/x": x, "heads/y_p": y_p, "heads/y_q": y_q}
set_weights(heads, "heads")
start = heads.get_weights()
scce, w = "sparse_categorical_crossentropy", np.linspace(0.5, 1.5, 10).astype(np.float32)
members["heads/w"] = w


def case(name, compile_args, y=None, heads=heads, **fit):
    heads.set_weights(start)
    heads.compile(keras.optimizers.SGD(0.1), **compile_args)
    h = heads.fit(x, [y_p, y_q] if y is None else y, batch_size=4, shuffle=False, verbose=0, **fit)
    members[f"heads/{name}/names"] = golden.text("\n".join(h.history))
    members[f"heads/{name}/values"] = np.array([v[0] for v in h.history.values()], np.float64)
    members[f"heads/{name}/config"] = golden.text(heads.get_compile_config())
    cases[f"heads/{name}"] = {"compile": golden.plain(compile_args), "fit": sorted(fit)}


case("lists", {"loss": [scce, "mse"], "loss_weights": [0.5, 2.0], "metrics": [["accuracy"], ["mae", "mse"]]})
case("dicts", {"loss": {"q": "mse", "p": scce}, "loss_weights": {"q": 2.0, "p": 0.5},
               "metrics": {"q": ["mae"], "p": "accuracy"}}, {"q": y_q, "p": y_p})
case("one_loss", {"loss": [None, "mae"], "metrics": {"q": ["mse"]}})
case("sample_weight_list", {"loss": [scce, "mse"], "metrics": [["accuracy"], ["mae"]],
                            "weighted_metrics": [["accuracy"], ["mae"]]}, sample_weight=[w, 1 / w])
by_name = keras.Model(i, {"p": heads.output[0], "q": heads.output[1]})  # else Keras takes no dict
case("sample_weight_dict", {"loss": {"p": scce, "q": "mse"}, "weighted_metrics": {"q": ["mae"]}},
     {"p": y_p, "q": y_q}, by_name, sample_weight={"q": 1 / w, "p": w})
case("validation", {"loss": [scce, "mse"], "metrics": [["accuracy"], ["mae"]]},
     validation_split=0.3, validation_batch_size=2)

# ---- BatchNormalization with renorm ---------------------------------------------------------------

def renorm(name, shape, training=True, **args):
    import tensorflow as tf

    fresh()
    layer = L.BatchNormalization(renorm=True, **args)
    layer.build(shape)
    at = f"renorm/{name}"
    for i, v in enumerate(layer.weights):
        w = golden.normal(f"{at}/w{i}", *v.shape, scale=0.5)
        v.assign(abs(w) + 0.5 if "variance" in v.name or "stddev" in v.name else w)
    for i, w in enumerate(layer.get_weights()):
        members[f"{at}/w{i}"] = w
    members[f"{at}/config"] = golden.text(layer.get_config())
    for n in range(3):
        x = golden.normal(f"{at}/x{n}", *shape, scale=2) + np.float32(1)
        t = tf.constant(x)
        with tf.GradientTape() as tape:
            tape.watch(t)
            y = layer(t, training=training)
            c = golden.normal(f"{at}/c{n}", *y.shape)
            s = tf.reduce_sum(y * c)
        dw, dx = tape.gradient(s, [[v.value for v in layer.trainable_variables], t])
        at_n = f"{at}/call{n}"
        members.update({f"{at_n}/x": x, f"{at_n}/y": np.array(y), f"{at_n}/c": c, f"{at_n}/dx": np.array(dx)})
        members.update({f"{at_n}/dw{i}": np.array(g) for i, g in enumerate(dw)})
        members.update({f"{at_n}/w{i}": w for i, w in enumerate(layer.get_weights())})


if not golden.part():
    renorm("plain", (6, 3))
    renorm("clipped", (4, 2, 3), renorm_clipping={"rmax": 1.5, "rmin": 0.7, "dmax": 0.3}, renorm_momentum=0.8,
           momentum=0.9)
    renorm("bare", (5, 2), center=False, scale=False, renorm_clipping={"rmin": 0.9}, epsilon=0.1)
    renorm("inference", (6, 3), training=False)

# ---- 100 steps of every optimizer ----------------------------------------------------------------

def curves():
    """A small network on three blobs; step s takes rows from 16 (s mod 7), the 7th batch has 4."""
    fresh()
    g = golden.rng("curves")
    y = g.integers(0, 3, 100)
    x = (g.standard_normal((3, 8))[y] * 1.5 + g.standard_normal((100, 8))).astype(np.float32)
    m = keras.Sequential([
        keras.Input((8,)), L.Dense(6, activation="tanh"), L.Dense(3, activation="softmax")])
    start = [golden.normal(f"curves/w{i}", *w.shape, scale=0.5) for i, w in enumerate(m.get_weights())]
    y = y.astype(np.int32)
    members.update({"curves/x": x, "curves/y": y})
    members.update({f"curves/w{i}": w for i, w in enumerate(start)})
    everything = {"weight_decay": 0.01, "use_ema": True, "ema_momentum": 0.9, "gradient_accumulation_steps": 3}
    rules = {
        "SGD": {"learning_rate": 0.1}, "RMSprop": {}, "Adam": {}, "AdamW": {}, "Adamax": {}, "Nadam": {},
        "Adagrad": {"learning_rate": 0.1}, "Adadelta": {"learning_rate": 1.0}, "Ftrl": {"learning_rate": 0.1},
        "Lion": {"learning_rate": 0.003}, "Adafactor": {"learning_rate": 0.01}, "Lamb": {},
        "Muon": {"learning_rate": 0.02},
    }
    runs = {name: (name, args) for name, args in rules.items()}
    for name in ("SGD", "RMSprop", "Adam"):
        for option in (
            {"weight_decay": 0.02}, {"clipnorm": 0.1}, {"clipvalue": 0.02}, {"global_clipnorm": 0.1},
            {"use_ema": True, "ema_momentum": 0.9, "ema_overwrite_frequency": 7},
            {"gradient_accumulation_steps": 4},
        ):
            short = list(option)[-1] if "use_ema" in option else list(option)[0]
            runs[f"{name}.{short}"] = (name, rules[name] | option)
        runs[f"{name}.clipvalue_and_all"] = (name, rules[name] | everything | {"clipvalue": 0.05})
        runs[f"{name}.clipnorm_and_all"] = (name, rules[name] | everything | {"clipnorm": 0.2})
        runs[f"{name}.global_clipnorm_and_all"] = (
            name, rules[name] | everything | {"global_clipnorm": 0.3, "ema_overwrite_frequency": 5})
    runs["SGD.momentum"] = ("SGD", {"learning_rate": 0.05, "momentum": 0.9})
    runs["SGD.nesterov_and_all"] = ("SGD", {"learning_rate": 0.05, "momentum": 0.9, "nesterov": True} | everything)
    runs["RMSprop.centered"] = ("RMSprop", {"centered": True, "momentum": 0.5})
    runs["Adam.amsgrad"] = ("Adam", {"amsgrad": True, "weight_decay": 0.01})
    for name, (cls, args) in runs.items():
        m.set_weights(start)
        m.compile(getattr(keras.optimizers, cls)(**args), "sparse_categorical_crossentropy")
        members[f"curves/{name}/optimizer"] = golden.text(keras.saving.serialize_keras_object(m.optimizer))
        losses = []
        for s in range(100):
            rows = slice(16 * (s % 7), 16 * (s % 7) + 16)
            m.reset_metrics()
            losses.append(m.train_on_batch(x[rows], y[rows]))
        members[f"curves/{name}/loss"] = np.array(losses, np.float32)
        members[f"curves/{name}/final"] = np.concatenate([w.ravel() for w in m.get_weights()])
        if "use_ema" in args:  # fit ends with the averages
            m.fit(x, y, batch_size=16, epochs=2, shuffle=False, verbose=0)
            members[f"curves/{name}/fitted"] = np.concatenate([w.ravel() for w in m.get_weights()])


if not golden.part():
    curves()

if golden.part():
    golden.hand_over({k: v for k, v in members.items() if k.endswith("values")}, {})
golden.add_differences(__file__, "jax", members)  # the losses of single outputs: see differences.md
golden.save("training", members, "fit, evaluate and compile with the arguments of all layers", cases)
