"""conv_lstm.npz: ConvLSTM1D to 3D, and models with them in training. Form: as sequences.py."""

import golden
import numpy as np

keras = golden.start("tensorflow")
import tensorflow as tf  # noqa: E402

L = keras.layers
members, cases, inputs, masks, first = {}, {}, {}, {}, {}


def run(name, layer, x, mask=None, state=None, states=0, xla=False):
    """xla: TensorFlow's own kernels do not know channels_first on a CPU."""
    t = tf.constant(inputs[x])
    layer.build(tuple(t.shape))
    layer.set_weights(
        [golden.normal(f"{name}/w{i}", *v.shape, scale=0.5) for i, v in enumerate(layer.weights)]
    )
    flat = [*layer.get_weights()]
    kw = {} if mask is None else {"mask": tf.constant(np.array(masks[mask], bool))}
    begin = [tf.constant(first[f"{state}/{i}"]) for i in range(states)]
    if states:
        kw["initial_state"] = begin
    wrt = [t, *begin, *[v.value for v in layer.trainable_variables]]

    def step(t, begin):
        with tf.GradientTape() as tape:
            tape.watch([t, *begin])
            ys = layer(t, **kw)
            ys = list(ys) if isinstance(ys, (list, tuple)) else [ys]
            cs = [golden.normal(f"c{i}/{name}", *y.shape) for i, y in enumerate(ys)]
            total = tf.add_n([tf.reduce_sum(y * c) for y, c in zip(ys, cs)])
        wrt = [t, *begin, *[v.value for v in layer.trainable_variables]]
        return ys, [tf.constant(c) for c in cs], tape.gradient(total, wrt)

    ys, cs, gs = (tf.function(step, jit_compile=True) if xla else step)(t, begin)
    for y, c in zip(ys, cs):
        flat += [np.array(y), np.array(c)]
    for v, g in zip(wrt, gs):
        flat.append(np.zeros(v.shape, np.float32) if g is None else np.array(g))
    if getattr(layer, "stateful", False):
        flat.append(np.array(layer(t, **kw)))
    members[name] = np.concatenate([np.asarray(a, np.float32).ravel() for a in flat])
    cases[name] = {"x": x, "mask": mask, "states": states, "outputs": len(ys)}


def model(name, layers, x, t, loss, optimizer="sgd", rate=0.1):
    keras.utils.clear_session()
    m = keras.Sequential([keras.Input(x.shape[1:]), *layers])
    m.set_weights(
        [golden.normal(f"{name}/w{i}", *v.shape, scale=0.5) for i, v in enumerate(m.weights)]
    )
    for i, w in enumerate(m.get_weights()):
        members[f"{name}/w{i}"] = w
    opt = keras.optimizers.get(optimizer)
    opt.learning_rate = rate
    m.compile(opt, loss)
    members[f"{name}/x"], members[f"{name}/t"] = x, t
    members[f"{name}/p"] = m.predict(x, verbose=0)
    logs = [m.fit(x, t, batch_size=len(x), verbose=0).history["loss"][0] for _ in range(3)]
    members[f"{name}/loss"] = np.array(logs)
    for i, w in enumerate(m.get_weights()):
        members[f"{name}/v{i}"] = w


inputs["rows"] = golden.normal("rows", 2, 3, 6, 2)
inputs["pictures"] = golden.normal("pictures", 2, 3, 5, 4, 2)
inputs["first"] = golden.normal("first", 2, 3, 2, 5, 4)  # channels_first
inputs["volumes"] = golden.normal("volumes", 2, 2, 3, 4, 3, 2)
masks["holes"] = [[1, 0, 1], [0, 1, 1]]
masks["right"] = [[1, 1, 0], [0, 0, 0]]
for i in range(2):
    first[f"state2/{i}"] = golden.normal(f"state2/{i}", 2, 3, 3, 3, scale=0.5)
    first[f"state1/{i}"] = golden.normal(f"state1/{i}", 2, 6, 3, scale=0.5)
members.update({f"x/{k}": v for k, v in inputs.items()})
members.update({f"mask/{k}": np.array(v, bool) for k, v in masks.items()})
members.update(first)
BOTH = {"return_sequences": True, "return_state": True}
C1, C2, C3 = L.ConvLSTM1D, L.ConvLSTM2D, L.ConvLSTM3D

run("plain", C2(3, (3, 2)), "pictures")
run("seq", C2(3, 3, padding="same", return_sequences=True), "pictures")
run("states", C2(3, (3, 2), **BOTH), "pictures", state="state2", states=2)
run("backwards", C2(3, (3, 2), go_backwards=True, **BOTH), "pictures")
run("holes", C2(3, (3, 2), **BOTH), "pictures", mask="holes", state="state2", states=2)
run("right", C2(3, (3, 2), return_state=True), "pictures", mask="right")
run("zero", C2(3, (3, 2), zero_output_for_mask=True, **BOTH), "pictures", mask="holes")
run("strides", C2(3, 2, strides=(2, 1), padding="same", **BOTH), "pictures")
run("dilation", C2(3, 2, dilation_rate=2, **BOTH), "pictures")
run("no_bias", C2(3, 2, use_bias=False, unroll=True), "pictures")
run("hard", C2(3, 2, activation="relu", recurrent_activation="hard_sigmoid", **BOTH), "pictures")
turned = C2(3, (3, 2), data_format="channels_first", **BOTH)
run("channels_first", turned, "first", mask="holes", xla=True)
run("stateful", C2(3, 2, stateful=True, return_sequences=True), "pictures", mask="holes")
run("stateful_plain", C2(3, 2, padding="same", stateful=True), "pictures")
run("rows", C1(3, 3), "rows")
run("rows_all", C1(3, 3, padding="same", **BOTH), "rows", mask="holes", state="state1", states=2)
run("volumes", C3(2, (2, 3, 2), **BOTH), "volumes")
run("volumes_same", C3(2, 2, padding="same", go_backwards=True), "volumes")
run("both_ways", L.Bidirectional(C1(3, 3, padding="same", return_sequences=True)), "rows")

clip, want = golden.normal("clip", 4, 3, 6, 5, 1), golden.normal("want", 4, 2)
stack = lambda: [  # noqa: E731
    C2(3, 3, padding="same", return_sequences=True), C2(2, 3), L.Flatten(), L.Dense(2)]
model("train_sgd", stack(), clip, want, "mse")
model("train_adam", stack(), clip, want, "mse", optimizer="adam", rate=0.01)

golden.save("conv_lstm", members, "ConvLSTM1D, ConvLSTM2D, ConvLSTM3D", cases)
