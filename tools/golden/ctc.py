"""ctc.npz: keras.losses.CTC, values and gradients.

CASE/y_true, CASE/y_pred   labels int32, logits      CASE/loss   one value per sample
CASE/grad                  gradient of sum(loss) by y_pred
"""

import numpy as np

import golden

keras = golden.start()
import tensorflow as tf

members, cases = {}, {}


def case(name, y_true, t, classes):
    y_true = np.array(y_true, "i4")
    y_pred = golden.normal(name, len(y_true), t, classes, scale=2.0)
    x = tf.constant(y_pred)
    with tf.GradientTape() as tape:
        tape.watch(x)
        loss = keras.losses.CTC(reduction=None)(y_true, x)
        total = tf.reduce_sum(loss)
    members[f"{name}/y_true"], members[f"{name}/y_pred"] = y_true, y_pred
    members[f"{name}/loss"] = loss.numpy()
    members[f"{name}/grad"] = tape.gradient(total, x).numpy()
    members[f"{name}/mean"] = keras.losses.CTC()(y_true, x).numpy()
    cases[name] = {"class": "CTC"}
    print(name, loss.numpy(), np.isfinite(members[f"{name}/grad"]).all())


case("plain", [[1, 2, 3], [4, 1, 0], [2, 0, 0]], 7, 5)
case("repeated", [[1, 1, 0, 0], [2, 2, 2, 0], [3, 1, 1, 3]], 8, 4)
case("empty", [[0, 0], [1, 0]], 4, 3)
case("just_fits", [[1, 2, 3], [1, 1, 0]], 3, 4)
golden.save("ctc", members, "CTC: values and gradients", cases)
