"""sequences.npz: Embedding, Masking and recurrent layers: one layer, and small models in training.

One layer, as in layers_more.py: CASE/x0, w0 …, y, c, dx0, dw0 …, mask, config.

Recurrent layers: one member CASE, flat: weights; for each output y and random c of its shape; then
the gradients of the sum of all outputs times their c: of x, of the initial states, of the trainable
weights; of a stateful layer y of a second call. x is the member x/NAME, mask mask/NAME, the initial
states are state/0 … . meta.cases[CASE] has the names.

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


def case(name, layer, x):
    x = np.asarray(x)
    layer.build(x.shape)
    put_weights(name, layer)
    members[f"{name}/config"] = golden.text(layer.get_config())
    members[f"{name}/x0"] = x
    t = tf.constant(x)
    with tf.GradientTape() as tape:
        tape.watch(t)
        y = layer(t)
        c = golden.normal(f"c/{name}", *y.shape)
        total = tf.reduce_sum(y * c)
    members[f"{name}/y"] = np.array(y)
    members[f"{name}/c"] = c
    dx, dw = tape.gradient(total, [t, [v.value for v in layer.trainable_variables]])
    if dx is not None:
        members[f"{name}/dx0"] = np.array(dx)
    for i, g in enumerate(dw):
        members[f"{name}/dw{i}"] = np.array(tf.convert_to_tensor(g))
    cases[name] = {}


inputs, masks, first = {}, {}, {}


def run(name, layer, x="seq", mask=None, states=0):
    """A recurrent layer: all of it in one member."""
    t = tf.constant(inputs[x])
    layer.build(tuple(t.shape))
    layer.set_weights(
        [golden.normal(f"{name}/w{i}", *v.shape, scale=0.5) for i, v in enumerate(layer.weights)]
    )
    flat = [*layer.get_weights()]
    kw = {} if mask is None else {"mask": tf.constant(np.array(masks[mask], bool))}
    begin = [tf.constant(first[i]) for i in range(states)]
    if states:
        kw["initial_state"] = begin
    with tf.GradientTape() as tape:
        tape.watch([t, *begin])
        ys = layer(t, **kw)
        ys = list(ys) if isinstance(ys, (list, tuple)) else [ys]
        cs = [golden.normal(f"c{i}/{name}", *y.shape) for i, y in enumerate(ys)]
        total = tf.add_n([tf.reduce_sum(y * c) for y, c in zip(ys, cs)])
    for y, c in zip(ys, cs):
        flat += [np.array(y), c]
    wrt = [t, *begin, *[v.value for v in layer.trainable_variables]]
    for v, g in zip(wrt, tape.gradient(total, wrt)):
        flat.append(np.zeros(v.shape, np.float32) if g is None else np.array(g))
    if getattr(layer, "stateful", False):
        flat.append(np.array(layer(t, **kw)))
    members[name] = np.concatenate([np.asarray(a, np.float32).ravel() for a in flat])
    cases[name] = {"x": x, "mask": mask, "states": states, "outputs": len(ys)}


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

# Recurrent layers. seq: 3 rows, 5 steps. Masks: right-padded (a row without padding, a row of
# nothing else), left-padded, with holes.
inputs["seq"] = golden.normal("seq", 3, 5, 2)
inputs["wide"] = golden.normal("wide", 7, 3, 5)
inputs["short"] = inputs["seq"][:, :1]
masks["right"] = [[1, 1, 1, 1, 1], [1, 1, 0, 0, 0], [0, 0, 0, 0, 0]]
masks["left"] = [[1, 1, 1, 1, 1], [0, 0, 0, 1, 1], [0, 0, 0, 0, 1]]
masks["holes"] = [[1, 0, 1, 1, 0], [0, 1, 0, 1, 1], [0, 0, 1, 0, 0]]
for i in range(4):
    first[i] = golden.normal(f"state{i}", 3, 4, scale=0.5)
members.update({f"x/{k}": v for k, v in inputs.items()})
members.update({f"mask/{k}": np.array(v, bool) for k, v in masks.items()})
members.update({f"state/{k}": v for k, v in first.items()})
SEQ, STATE = {"return_sequences": True}, {"return_state": True}
BOTH = SEQ | STATE


def recurrent(name, cls, n, **plain):
    """The arguments that every recurrent layer has; n: number of states."""
    make = lambda **kw: getattr(L, cls)(4, **plain, **kw)  # noqa: E731
    run(name, make())
    run(f"{name}_seq", make(**SEQ))
    run(f"{name}_state", make(**BOTH), states=n)
    run(f"{name}_backwards", make(go_backwards=True, **BOTH))
    run(f"{name}_no_bias", make(use_bias=False, unroll=True))
    run(f"{name}_right", make(**BOTH), mask="right")
    run(f"{name}_left", make(**BOTH), mask="left")
    run(f"{name}_holes", make(**BOTH), mask="holes", states=n)
    run(f"{name}_holes_last", make(**STATE), mask="holes", states=n)
    run(f"{name}_holes_back", make(go_backwards=True, **BOTH), mask="holes")
    run(f"{name}_zero", make(zero_output_for_mask=True, **BOTH), mask="holes", states=n)
    run(f"{name}_zero_last", make(zero_output_for_mask=True), mask="right")
    run(f"{name}_stateful", make(stateful=True, **SEQ), mask="holes")
    run(f"{name}_stateful_plain", make(stateful=True))


recurrent("simple_rnn", "SimpleRNN", 1)
recurrent("gru", "GRU", 1)
recurrent("gru_before", "GRU", 1, reset_after=False)
recurrent("lstm", "LSTM", 2)
hard = {"activation": "relu", "recurrent_activation": "hard_sigmoid"}
recurrent("lstm_hard", "LSTM", 2, **hard)
recurrent("gru_hard", "GRU", 1, **hard)
run("simple_rnn_relu", L.SimpleRNN(4, activation="relu", return_sequences=True), mask="holes")
run("simple_rnn_linear", L.SimpleRNN(4, activation=None))
run("lstm_wide", L.LSTM(19, return_sequences=True), "wide")
run("gru_wide", L.GRU(19, return_sequences=True), "wide")
run("lstm_one_step", L.LSTM(4), "short")
run("lstm_no_forget", L.LSTM(4, unit_forget_bias=False, bias_initializer="ones"))
run("rnn_lstm_cell", L.RNN(L.LSTMCell(4), **BOTH), mask="holes")
run("rnn_gru_cell", L.RNN(L.GRUCell(4, reset_after=False), go_backwards=True))
run("rnn_simple_cell", L.RNN(L.SimpleRNNCell(4), zero_output_for_mask=True, **SEQ), mask="left")
run("rnn_stacked", L.RNN([L.LSTMCell(4), L.GRUCell(3)], return_sequences=True), mask="holes")
run("rnn_stacked_simple", L.RNN(L.StackedRNNCells([L.SimpleRNNCell(3), L.SimpleRNNCell(2)])))

for mode in ("concat", "sum", "mul", "ave", None):
    run(f"bidirectional_{mode}", L.Bidirectional(L.LSTM(4, **BOTH), merge_mode=mode), mask="holes")
    run(f"bidirectional_{mode}_last", L.Bidirectional(L.GRU(4), merge_mode=mode))
run("bidirectional_right", L.Bidirectional(L.LSTM(4, **SEQ)), mask="right")
run("bidirectional_state", L.Bidirectional(L.LSTM(4, **BOTH)), states=4)
run("bidirectional_gru", L.Bidirectional(L.GRU(4, **BOTH)), states=2)
back = L.GRU(4, go_backwards=True, reset_after=False, return_sequences=True)
run("bidirectional_backward", L.Bidirectional(L.LSTM(4, **SEQ), backward_layer=back), mask="left")
run("bidirectional_rnn", L.Bidirectional(L.RNN(L.SimpleRNNCell(4), **SEQ)))
run("bidirectional_stateful", L.Bidirectional(L.GRU(4, stateful=True, **SEQ)))
run("time_distributed", L.TimeDistributed(L.Dense(4, "tanh")))

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

gold = golden.normal("gold", 4, 5, 2)
want = (golden.normal("want", 4, 1) > 0).astype(np.float32)
text = np.array([[3, 1, 0, 0, 0], [5, 2, 2, 4, 1], [1, 0, 0, 0, 0], [0, 2, 0, 3, 0]], np.int32)
words = [L.Embedding(6, 3, mask_zero=True), L.LSTM(4), L.Dense(1, "sigmoid")]
model("text_lstm", words, text, want, "binary_crossentropy", ["accuracy"])
words = [L.Embedding(6, 3, mask_zero=True), L.GRU(4, return_sequences=True), L.SimpleRNN(3),
         L.Dense(1, "sigmoid")]
model("text_gru", words, text, want, "binary_crossentropy", ["accuracy"])
model("tagger", [L.Embedding(6, 3, mask_zero=True), L.LSTM(4, return_sequences=True), L.Dense(3, "softmax")],
      one, tags, "sparse_categorical_crossentropy", ["accuracy"], ["accuracy"])
model("stacked_lstm", [L.LSTM(4, return_sequences=True), L.LSTM(3), L.Dense(1)], gold, want, "mse",
      ["mae"], optimizer="adam", rate=0.01)

golden.save("sequences", members, "Embedding, Masking, recurrent layers", cases)
