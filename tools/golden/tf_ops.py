"""Functions of TensorFlow in models of tf.keras (TFOpLambda, SlicingOpLambda): .h5 files as byte arrays, and what
they predict. Needs the package tf_keras (Keras 2) beside the oracle's TensorFlow:

    pip install --no-deps --target /tmp/tf_keras tf_keras && PYTHONPATH=/tmp/tf_keras python tf_ops.py
"""
import os
import tempfile

import numpy as np

import golden

golden.start()
import tensorflow as tf  # noqa: E402
import tf_keras as keras  # noqa: E402

L = keras.layers
members = {}


def case(name, fn, n):
    keras.backend.clear_session()
    keras.utils.set_random_seed(3)
    ins = [keras.Input((3, 4), name=f"in{i}") for i in range(n)]
    m = keras.Model(ins[0] if n == 1 else ins, fn(*ins))
    xs = [golden.normal(f"{name}{i}", 2, 3, 4) for i in range(n)]
    with tempfile.TemporaryDirectory() as d:
        path = os.path.join(d, "m.h5")
        m.save(path)
        members[f"{name}/h5"] = np.fromfile(path, np.uint8)
    p = m.predict(xs[0] if n == 1 else xs, verbose=0)
    for i, x in enumerate(xs):
        members[f"{name}/x{i}"] = x
    for i, v in enumerate(p if isinstance(p, list) else [p]):
        members[f"{name}/p{i}"] = v


def arithmetic(a, b):
    x = L.Dense(4, name="first")(a * 2.0 + b)
    x = 1 - x
    x = tf.math.maximum(x, 0.1) / (tf.exp(-tf.abs(x)) + 1.0)
    y = tf.where(x > 0.3, x, 0.0) ** 2
    z = tf.matmul(x, tf.transpose(y, [0, 2, 1]))
    return [x, y, z, tf.cast(a >= b, "float32"), tf.add(tf.square(a), tf.sqrt(tf.abs(b)))]


def shapes(a, b):
    x = tf.concat([a, b], axis=-1)
    y = tf.reshape(x[:, 1:, ::2], (-1, 8))
    z = tf.squeeze(tf.expand_dims(x[:, 0], 1), 1)
    s = tf.stack([z, z], axis=1)
    return [y, s, x[:, -1, 2:5], x[..., 0:1], tf.tile(z, [1, 2]), L.Dense(2)(y)]


def folds(a):
    x = tf.reduce_mean(a, axis=1)
    y = tf.reduce_sum(a, axis=[1, 2], keepdims=True)
    z = tf.nn.softmax(tf.nn.leaky_relu(x, alpha=0.3))
    clipped = tf.clip_by_value(x, -0.1, 0.5)
    return [x, y, z, clipped, tf.reduce_max(a, axis=-1), tf.nn.gelu(x), tf.sigmoid(x) - tf.tanh(x)]


def main():
    case("arithmetic", arithmetic, 2)
    case("shapes", shapes, 2)
    case("folds", folds, 1)
    keras.backend.clear_session()
    case("missing", lambda a: tf.math.cumsum(a, axis=1), 1)
    golden.save("tf_ops", members, "models of tf.keras with functions of TensorFlow")


if __name__ == "__main__":
    main()
