"""regularizers.npz: every regularizer on some weights, value and gradient.

WEIGHT            the weights: matrix (4,5), kernel (3,3,2,4), vector (6), zeros (2,3)
CASE/y, CASE/dx   penalty and its gradient (at 0 TensorFlow's: sign(0) = 0)
meta.cases[CASE] = {"class", "args", "weight"}
activity/x, activity/w0, activity/w1, activity/NAME/losses, activity/NAME/loss:
  Dense(3, activity_regularizer=L2(0.1)) (and ActivityRegularization(l1=0.1, l2=0.2) as a layer):
  layer.losses after one call on x; they are divided by the batch size.
total/…: what compile reports for Dense(3, kernel L2(0.1), bias L1(0.2), activity L1(0.3)) + mse:
  total/x, total/y, total/w0, total/w1, total/loss (evaluate, one batch), total/grad0, total/grad1
"""

import numpy as np

import golden

keras = golden.start()
import tensorflow as tf  # noqa: E402

R = keras.regularizers
members, cases = {}, {}
weights = {
    "matrix": golden.normal("matrix", 4, 5),
    "kernel": golden.normal("kernel", 3, 3, 2, 4),
    "vector": golden.normal("vector", 6),
    "zeros": np.zeros((2, 3), np.float32),
}
members.update(weights)


def case(cls, args, names=tuple(weights), suffix=""):
    for w in names:
        name = f"{cls}{suffix}.{w}"
        x = tf.constant(weights[w])
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = getattr(R, cls)(**args)(x)
        members[f"{name}/y"] = y.numpy()
        dx = tape.gradient(y, x, unconnected_gradients=tf.UnconnectedGradients.ZERO)
        members[f"{name}/dx"] = dx.numpy()
        cases[name] = {"class": cls, "args": args, "weight": w}


case("L1", {})
case("L1", {"l1": 0.3}, suffix="_0.3")
case("L2", {})
case("L2", {"l2": 0.3}, suffix="_0.3")
case("L1L2", {})
case("L1L2", {"l1": 0.1, "l2": 0.2}, suffix="_both")
case("OrthogonalRegularizer", {}, ["matrix"])
case("OrthogonalRegularizer", {"factor": 0.5, "mode": "columns"}, ["matrix"], "_columns")
case("OrthogonalRegularizer", {"factor": 0.5, "mode": "rows"}, ["matrix"], "_rows")

x, w0, w1 = golden.normal("x", 5, 4), golden.normal("w0", 4, 3), golden.normal("w1", 3)
members |= {"activity/x": x, "activity/w0": w0, "activity/w1": w1}
dense = keras.layers.Dense(3, activity_regularizer=R.L2(0.1))
dense.build(x.shape)
dense.set_weights([w0, w1])
dense(x)
members["activity/dense/losses"] = np.array([v.numpy() for v in dense.losses])
layer = keras.layers.ActivityRegularization(l1=0.1, l2=0.2)
layer(x)
members["activity/layer/losses"] = np.array([v.numpy() for v in layer.losses])

dense = keras.layers.Dense(
    3,
    kernel_regularizer=R.L2(0.1),
    bias_regularizer=R.L1(0.2),
    activity_regularizer=R.L1(0.3),
)
model = keras.Sequential([keras.Input((4,)), dense])
model.set_weights([w0, w1])
model.compile("sgd", "mse")
y = golden.normal("y", 5, 3)
members |= {"total/x": x, "total/y": y, "total/w0": w0, "total/w1": w1}
members["total/loss"] = np.float32(model.evaluate(x, y, batch_size=5, verbose=0))
with tf.GradientTape() as tape:
    p = model(x, training=True)
    loss = model.compute_loss(x, y, p)
for i, g in enumerate(tape.gradient(loss, [v.value for v in model.trainable_variables])):
    members[f"total/grad{i}"] = g.numpy()

golden.save("regularizers", members, "every regularizer, value and gradient", cases)
