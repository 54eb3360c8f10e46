"""schedules.npz: every learning rate schedule at many steps.

steps   int64      CASE/y  float32: schedule(step) for each
meta.cases[CASE] = {"class", "args"}
"""

import numpy as np

import golden

keras = golden.start()
S = keras.optimizers.schedules
steps = np.array([*range(41), 50, 63, 64, 99, 100, 101, 150, 199, 200, 201, 250, 399, 400, 500, 699,
                  700, 701, 999, 1000, 1500, 10_000, 100_000, 1_000_000])
members, cases = {"steps": steps}, {}


def case(name, cls, **args):
    schedule = getattr(S, cls)(**args)
    members[f"{name}/y"] = np.array([np.float32(schedule(int(s))) for s in steps])
    cases[name] = {"class": cls, "args": args}


i = {"initial_learning_rate": 0.1}
case("ExponentialDecay", "ExponentialDecay", **i, decay_steps=100, decay_rate=0.9)
case("ExponentialDecay.staircase", "ExponentialDecay", **i, decay_steps=7, decay_rate=0.9,
     staircase=True)
case("InverseTimeDecay", "InverseTimeDecay", **i, decay_steps=100, decay_rate=0.5)
case("InverseTimeDecay.staircase", "InverseTimeDecay", **i, decay_steps=7, decay_rate=0.5,
     staircase=True)
case("PiecewiseConstantDecay", "PiecewiseConstantDecay", boundaries=[5, 100, 700],
     values=[1.0, 0.5, 0.1, 0.01])
case("PiecewiseConstantDecay.one", "PiecewiseConstantDecay", boundaries=[10], values=[1.0, 0.5])
case("PolynomialDecay", "PolynomialDecay", **i, decay_steps=100)
case("PolynomialDecay.power", "PolynomialDecay", **i, decay_steps=200, end_learning_rate=0.01,
     power=2.0)
case("PolynomialDecay.root", "PolynomialDecay", **i, decay_steps=200, power=0.5)
case("PolynomialDecay.cycle", "PolynomialDecay", **i, decay_steps=100, end_learning_rate=0.01,
     cycle=True)
case("PolynomialDecay.cycle_power", "PolynomialDecay", **i, decay_steps=9, power=3.0, cycle=True)
case("CosineDecay", "CosineDecay", **i, decay_steps=200)
case("CosineDecay.alpha", "CosineDecay", **i, decay_steps=100, alpha=0.2)
case("CosineDecay.warmup", "CosineDecay", initial_learning_rate=0.0, decay_steps=200,
     warmup_target=0.1, warmup_steps=30)
case("CosineDecay.warmup_alpha", "CosineDecay", initial_learning_rate=0.02, decay_steps=100,
     alpha=0.1, warmup_target=0.3, warmup_steps=100)
case("CosineDecay.warmup_steps_only", "CosineDecay", **i, decay_steps=100, warmup_steps=50)
case("CosineDecay.warmup_target_only", "CosineDecay", **i, decay_steps=100, warmup_target=0.5)
case("CosineDecayRestarts", "CosineDecayRestarts", **i, first_decay_steps=100)
case("CosineDecayRestarts.equal", "CosineDecayRestarts", **i, first_decay_steps=9, t_mul=1.0,
     m_mul=0.9)
case("CosineDecayRestarts.options", "CosineDecayRestarts", **i, first_decay_steps=10, t_mul=1.5,
     m_mul=0.8, alpha=0.05)

golden.save("schedules", members, "every learning rate schedule", cases)
for k, v in members.items():
    if not np.isfinite(v).all():
        print("  not finite:", k, steps[~np.isfinite(v)])
