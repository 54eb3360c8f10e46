"""Models as JSON by real Keras: what model_from_json must read and to_json must write again, byte for byte."""
import numpy as np

import golden

golden.start()

def models():
    import keras
    from keras import layers as L
    from keras import ops

    def fresh():
        keras.utils.clear_session()

    fresh()
    m = keras.Sequential([
        keras.Input((4,)),
        L.Dense(3, activation="relu", kernel_regularizer=keras.regularizers.L2(0.01), kernel_constraint="max_norm"),
        L.Dropout(0.5, seed=3),
        L.Dense(2, activation="softmax"),
    ])
    yield "sequential", m
    m.compile("adam", "mse", metrics=["mae"])
    yield "compiled", m
    m.compile(
        keras.optimizers.SGD(keras.optimizers.schedules.ExponentialDecay(0.1, 10, 0.5), momentum=0.9),
        keras.losses.BinaryCrossentropy(label_smoothing=0.1),
        metrics=[keras.metrics.AUC(), "accuracy"],
        weighted_metrics=["mse"],
    )
    yield "compiled_objects", m
    fresh()
    yield "not_built", keras.Sequential([L.Dense(3), L.Flatten()])
    fresh()
    a = keras.Input((4,), name="a")
    b = keras.Input((4,), dtype="int32", name="b")
    d = L.Dense(3)
    x = d(a) * 2.0 + d(a)
    y = L.Flatten()(L.Embedding(5, 3)(b))
    z = L.Concatenate()([x, y])
    z = ops.mean(z, axis=-1, keepdims=True)
    z = ops.reshape(z, (-1, 1))
    w = -(1.0 - ops.maximum(z[:, 0:1], 0.5))
    w = ops.softmax(w)
    w = ops.expand_dims(w, 1)
    w = ops.concatenate([w, w], axis=1)
    w = ops.cast(ops.squeeze(w[:, 0:1], 1), "float32")
    w = ops.divide(ops.clip(w, -1.0, 1.0), np.ones((1,), "float32"))
    yield "operations", keras.Model([a, b], [w, z], name="operations")
    fresh()
    inner = keras.Sequential([keras.Input((3,)), L.Dense(3)], name="inner")
    i = keras.Input((3,))
    yield "nested", keras.Model(i, L.Dropout(0.2)(inner(inner(i)), training=True))
    fresh()
    i = {"p": keras.Input((3,), name="p"), "q": keras.Input((3,), name="q")}
    yield "dicts", keras.Model(i, {"s": L.Add()([i["p"], i["q"]])})
    fresh()
    i = keras.Input((3,))
    yield "one_in_a_list", keras.Model([i], [L.Dense(1)(i)])
    fresh()
    i = keras.Input((8, 8, 3))
    x = L.Conv2D(4, (3, 5), strides=2, padding="same", use_bias=False)(i)
    x = L.BatchNormalization()(x)
    x = L.ReLU(max_value=6.0)(x)
    x = L.MaxPooling2D(2)(x)
    x = L.Rescaling(0.5, offset=1.0)(x)
    x = L.Reshape((-1, 4))(x)
    x = L.Softmax()(x)
    yield "pictures", keras.Model(i, L.Activation("tanh")(x))


def main():
    out = {}
    for name, m in models():
        out[name] = np.frombuffer(m.to_json().encode(), np.uint8)
    golden.save("configs", out, "models as JSON")


if __name__ == "__main__":
    main()
