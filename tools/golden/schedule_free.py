"""schedule_free.npz: 100 steps of ScheduleFreeAdamW in Keras on JAX (on TensorFlow it reads a value after
its own update, see docs/differences.md).

x (32, 6), y (32, 2)        data; step i takes the 8 rows from 8 (i mod 4) on
w0 …                        first weights of Dense(5, tanh), Dense(2)
CASE/loss (100)             the loss of each step before its update
CASE/v0 …                   the weights then
meta.cases: the configuration of the optimizer.
"""

import golden
import numpy as np

keras = golden.start("jax")
members, cases = {}, {}
members["x"], members["y"] = x, y = golden.normal("x", 32, 6), golden.normal("y", 32, 2)


def run(name, **kw):
    keras.utils.clear_session()
    L = keras.layers
    m = keras.Sequential([keras.Input((6,)), L.Dense(5, activation="tanh"), L.Dense(2)])
    for i, v in enumerate(m.weights):
        members[f"w{i}"] = golden.normal(f"w{i}", *v.shape, scale=0.5)
    m.set_weights([members[f"w{i}"] for i in range(4)])
    m.compile(keras.optimizers.ScheduleFreeAdamW(**kw), "mse")
    loss = []
    for i in range(100):
        rows = slice(8 * (i % 4), 8 * (i % 4) + 8)
        loss.append(float(m.train_on_batch(x[rows], y[rows])))
        m.reset_metrics()
    members[f"{name}/loss"] = np.array(loss)
    for i, w in enumerate(m.get_weights()):
        members[f"{name}/v{i}"] = w
    cases[name] = m.optimizer.get_config()


run("plain", learning_rate=0.02)
run("warmup", learning_rate=0.05, warmup_steps=20, weight_decay=0.01, beta_1=0.95)

golden.save("schedule_free", members, "ScheduleFreeAdamW", cases, backend="jax")
