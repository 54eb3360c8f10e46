"""loss_scale.npz: LossScaleOptimizer around other optimizers, over batches of which some are not finite.

x (4, 3), y (4, 2), w0, w1       data and first weights of one Dense(2)
bad (8)                          which of the steps get x with an infinity in it
CASE/loss, scale, counter (8)    the loss of each step, then dynamic_scale and step_counter after it
CASE/inner (8)                   iteration of the optimizer inside after each step
CASE/v0, v1                      the weights after all
CASE/names                       paths of its variables, one a line
meta.cases: the configuration.
"""

import golden
import numpy as np

keras = golden.start("tensorflow")
O = keras.optimizers
members, cases = {}, {}
members["x"], members["y"] = x, y = golden.normal("x", 4, 3), golden.normal("y", 4, 2)
members["w0"], members["w1"] = golden.normal("w0", 3, 2), golden.normal("w1", 2)
members["bad"] = bad = np.array([0, 0, 0, 1, 1, 0, 0, 0], bool)
worse = x.copy()
worse[1, 2] = np.inf


def run(name, inner, **kw):
    keras.utils.clear_session()
    m = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2, kernel_constraint="max_norm")])
    m.set_weights([members["w0"], members["w1"]])
    o = O.LossScaleOptimizer(inner, **kw)
    m.compile(o, "mse")
    loss, scale, counter, steps = [], [], [], []
    for b in bad:
        loss.append(m.train_on_batch(worse if b else x, y))
        m.reset_metrics()
        scale.append(float(o.dynamic_scale))
        counter.append(int(o.step_counter))
        steps.append(int(o.inner_optimizer._iterations))
    members[f"{name}/loss"] = np.array(loss, np.float64)
    members[f"{name}/scale"] = np.array(scale, np.float64)
    members[f"{name}/counter"], members[f"{name}/inner"] = np.array(counter), np.array(steps)
    members[f"{name}/v0"], members[f"{name}/v1"] = m.get_weights()
    members[f"{name}/names"] = golden.text("\n".join(v.path for v in o.variables))
    cases[name] = o.get_config()


run("sgd", O.SGD(0.1), initial_scale=64.0, dynamic_growth_steps=2)
run("adam", O.Adam(0.05, amsgrad=True, clipnorm=0.5), dynamic_growth_steps=3)
run("momentum", O.SGD(0.1, momentum=0.9, gradient_accumulation_steps=2, weight_decay=0.01),
    initial_scale=8.0, dynamic_growth_steps=1)
run("average", O.RMSprop(0.05, use_ema=True, ema_momentum=0.5, ema_overwrite_frequency=2),
    initial_scale=1024.0)
run("nadam", O.Nadam(0.05, loss_scale_factor=4.0), initial_scale=1024.0)

golden.save("loss_scale", members, "LossScaleOptimizer", cases)
