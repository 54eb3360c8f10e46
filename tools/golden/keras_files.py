"""Files by real Keras (tests/golden/files) with what they predict, and their weights after three more steps."""
import shutil

import numpy as np

import golden

keras = golden.start()
from keras import layers as L  # noqa: E402

OUT = golden.OUT / "files"
members = {}


def case(name, m, x, y, loss, optimizer, metrics=(), train=True, weights=False):
    """Trains two steps, saves, predicts, trains three more."""
    xs = x if isinstance(x, list) else [x]
    if train:
        m.compile(optimizer, loss, metrics=list(metrics))
        for _ in range(2):
            m.train_on_batch(x, y)
    m.save(OUT / f"{name}.keras")
    if weights:
        m.save_weights(OUT / f"{name}.weights.h5")
    for i, v in enumerate(xs):
        members[f"{name}.x{i}"] = v
    p = m.predict(x, verbose=0)
    for i, v in enumerate(p if isinstance(p, list) else [p]):
        members[f"{name}.p{i}"] = v
    if train:
        members[f"{name}.y"] = y
        for _ in range(3):
            m.train_on_batch(x, y)
        for i, w in enumerate(m.get_weights()):
            members[f"{name}.w{i}"] = w


def main():
    shutil.rmtree(OUT, ignore_errors=True)
    OUT.mkdir(parents=True)
    x, y = golden.normal("mlp", 8, 5), golden.normal("mlp_y", 8, 2)
    m = keras.Sequential([keras.Input((5,)), L.Dense(4, "tanh"), L.Dense(2)], name="mlp")
    case("mlp", m, x, y, "mse", "adam", ["mae"], weights=True)
    m = keras.Sequential([keras.Input((5,)), L.Dense(4, "tanh"), L.Dense(2)])
    schedule = keras.optimizers.schedules.ExponentialDecay(0.1, 2, 0.5)
    case("schedule", m, x, y, keras.losses.LogCosh(), keras.optimizers.SGD(schedule, momentum=0.9))

    i = keras.Input((6, 6, 3))
    h = L.BatchNormalization()(L.Conv2D(4, 3, use_bias=False)(i))
    a = L.MaxPooling2D(2)(L.Activation("relu")(h))
    h = L.Concatenate()([L.Flatten()(a), L.GlobalAveragePooling2D()(h) * 2.0])
    m = keras.Model(i, L.Dense(3, "softmax")(h), name="pictures")
    case("pictures", m, golden.normal("pictures", 4, 6, 6, 3), np.array([0, 2, 1, 2], np.int32),
         "sparse_categorical_crossentropy", keras.optimizers.RMSprop(0.01, momentum=0.5, centered=True))

    ids = golden.rng("ids").integers(0, 7, (4, 5)).astype(np.int32)
    i = keras.Input((5,), dtype="int32")
    h = L.Embedding(7, 3, mask_zero=True)(i)
    h = L.Bidirectional(L.LSTM(2, return_sequences=True))(h)
    m = keras.Model(i, L.Dense(1)(L.GRU(3)(h)))
    case("tokens", m, ids, golden.normal("tokens_y", 4, 1), "mse", keras.optimizers.SGD(0.1))

    i = keras.Input((4, 6))
    h = L.LayerNormalization()(i + L.MultiHeadAttention(2, 3)(i, i, use_causal_mask=True))
    h = L.TimeDistributed(L.Dense(3))(h)
    inner = keras.Sequential([keras.Input((4, 3)), L.Flatten(), L.Dense(2, name="inside")], name="inner")
    m = keras.Model(i, inner(h))
    case("attention", m, golden.normal("attention", 3, 4, 6), golden.normal("attention_y", 3, 2), "mse",
         keras.optimizers.SGD(0.1, weight_decay=0.01))

    p, q = keras.Input((3,), name="p"), keras.Input((3,), name="q")
    d = L.Dense(2, name="shared")
    m = keras.Model([p, q], [d(p), L.Add()([d(p), d(q)])])
    case("two", m, [golden.normal("p", 3, 3), golden.normal("q", 3, 3)], None, None, None, train=False)

    # Beside initial states Keras 3 does not look at the mask (and passes it on).
    e, d = keras.Input((5,), dtype="int32", name="e"), keras.Input((5,), dtype="int32", name="d")
    words = L.Embedding(7, 3, mask_zero=True)
    states = L.Bidirectional(L.LSTM(2, return_state=True))(words(e))[1:]
    h = L.Bidirectional(L.LSTM(2, return_sequences=True))(words(d), initial_state=states)
    h = L.GRU(4, return_sequences=True)(h, initial_state=L.Concatenate()([states[0], states[2]]))
    m = keras.Model([e, d], L.SimpleRNN(2)(h))
    ids = golden.rng("seq2seq").integers(0, 4, (4, 10)).astype(np.int32)
    case("states", m, [ids[:, :5], ids[:, 5:]], None, None, None, train=False)
    golden.save("files", members, "Keras files: predictions, weights after three more steps")


if __name__ == "__main__":
    main()
