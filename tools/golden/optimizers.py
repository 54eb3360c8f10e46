"""optimizers.npz: 100 steps of every optimizer and its options, with given gradients.

start0 (4,3), start1 (3), start2 (2,2,3,2)   the variables "kernel", "bias", "conv" before step 1
grads0 (100,4,3), grads1, grads2             the gradient of each step, whatever the variables are
CASE/var0, var1, var2                        the variables after steps 1, 2, 10 and 100, stacked
CASE/state0 …                                optimizer.variables after step 100, in their order
CASE/final0 …                                EMA only: after finalize_variable_values at the end
meta.cases[CASE] = {"class", "args", "variables" (path and shape of each state)}, and
"exclude_from_weight_decay" or "constraint" (on "kernel") where there is one. A learning rate that
is a schedule stands in "args" as {"class_name", "config"}. "backend" where it was not TensorFlow.
"""

import numpy as np

import golden

# ScheduleFreeAdamW comes from JAX: on TensorFlow what should be the old z is read after its update.
keras = golden.start(golden.part() or "tensorflow")
O = keras.optimizers
STEPS, KEPT = 100, (1, 2, 10, 100)
SHAPES = {"kernel": (4, 3), "bias": (3,), "conv": (2, 2, 3, 2)}
members, cases = {}, {}

starts = [golden.normal(f"start {n}", *s) for n, s in SHAPES.items()]
grads = []
for n, s in SHAPES.items():
    # A steady part, noise, and a size that changes by a factor of 10 along the way.
    g = golden.normal(f"steady {n}", *s, scale=0.3) + golden.normal(f"noise {n}", STEPS, *s)
    size = np.linspace(1, 0.1, STEPS).reshape(-1, *[1] * len(s))
    grads.append((g * size).astype(np.float32))
members |= {f"start{i}": v for i, v in enumerate(starts)}
members |= {f"grads{i}": v for i, v in enumerate(grads)}


def case(name, cls, args=None, exclude=None, constraint=None):
    args = args or {}
    variables = [
        keras.Variable(v, name=n, dtype="float32") for n, v in zip(SHAPES, starts, strict=True)
    ]
    if constraint:
        variables[0].constraint = constraint
    optimizer = getattr(O, cls)(**args)
    if exclude:
        optimizer.exclude_from_weight_decay(var_names=exclude)
    optimizer.build(variables)
    kept = []
    for step in range(STEPS):
        optimizer.apply([keras.ops.convert_to_tensor(g[step]) for g in grads])
        if step + 1 in KEPT:
            kept.append([v.numpy().copy() for v in variables])
    for i in range(len(variables)):
        members[f"{name}/var{i}"] = np.stack([k[i] for k in kept])
    for i, v in enumerate(optimizer.variables):
        members[f"{name}/state{i}"] = v.numpy().copy()
    if args.get("use_ema"):
        optimizer.finalize_variable_values(variables)
        for i, v in enumerate(variables):
            members[f"{name}/final{i}"] = v.numpy().copy()
    cases[name] = {
        "class": cls,
        "args": args,
        "variables": [[v.path, list(v.shape)] for v in optimizer.variables],
    }
    if exclude:
        cases[name]["exclude_from_weight_decay"] = exclude
    if constraint:
        cases[name]["constraint"] = golden.plain(constraint)


if golden.part():
    for v in list(members):
        del members[v]  # the other process has them
    case("ScheduleFreeAdamW", "ScheduleFreeAdamW")
    case("ScheduleFreeAdamW.options", "ScheduleFreeAdamW",
         {"learning_rate": 0.02, "warmup_steps": 10, "weight_decay": 0.01, "beta_1": 0.8})
    golden.hand_over(members, cases)

lr = {"learning_rate": 0.1}
case("SGD", "SGD")
case("SGD.momentum", "SGD", lr | {"momentum": 0.9})
case("SGD.nesterov", "SGD", lr | {"momentum": 0.9, "nesterov": True})
case("SGD.weight_decay", "SGD", lr | {"weight_decay": 0.01})
case("SGD.weight_decay_excluded", "SGD", lr | {"weight_decay": 0.01}, exclude=["bias"])
case("SGD.clipnorm", "SGD", lr | {"clipnorm": 0.5})
case("SGD.clipvalue", "SGD", lr | {"clipvalue": 0.1})
case("SGD.global_clipnorm", "SGD", lr | {"global_clipnorm": 0.7})
case("SGD.ema", "SGD", lr | {"use_ema": True, "ema_momentum": 0.9})
case("SGD.ema_overwrite", "SGD",
     lr | {"use_ema": True, "ema_momentum": 0.9, "ema_overwrite_frequency": 10})
case("SGD.accumulate", "SGD", lr | {"gradient_accumulation_steps": 4})
case("SGD.loss_scale_factor", "SGD", lr | {"loss_scale_factor": 8.0})
case("SGD.constraint", "SGD", lr, constraint=keras.constraints.MaxNorm(0.8))
case("SGD.schedule", "SGD",
     {"learning_rate": O.schedules.ExponentialDecay(0.1, 10, 0.8, staircase=True)})
everything = {"weight_decay": 0.01, "global_clipnorm": 1.0, "use_ema": True, "ema_momentum": 0.95,
              "ema_overwrite_frequency": 6, "gradient_accumulation_steps": 3}
case("SGD.everything", "SGD", lr | {"momentum": 0.9} | everything)

case("RMSprop", "RMSprop")
case("RMSprop.momentum", "RMSprop", {"learning_rate": 0.01, "momentum": 0.9})
case("RMSprop.centered", "RMSprop", {"learning_rate": 0.01, "centered": True, "rho": 0.8})
case("RMSprop.centered_momentum", "RMSprop",
     {"learning_rate": 0.01, "centered": True, "momentum": 0.5, "epsilon": 1e-3})

case("Adam", "Adam")
case("Adam.options", "Adam", {"learning_rate": 0.02, "beta_1": 0.8, "beta_2": 0.9, "epsilon": 1e-3})
case("Adam.amsgrad", "Adam", {"learning_rate": 0.02, "amsgrad": True, "beta_2": 0.9})
case("Adam.weight_decay", "Adam", {"learning_rate": 0.02, "weight_decay": 0.05})
case("Adam.accumulate", "Adam", {"learning_rate": 0.02, "gradient_accumulation_steps": 4})
case("Adam.clipnorm", "Adam", {"learning_rate": 0.02, "clipnorm": 0.5})
case("Adam.everything", "Adam", {"learning_rate": 0.02} | everything)
case("Adam.schedule", "Adam",
     {"learning_rate": O.schedules.CosineDecay(0.0, 60, 0.1, warmup_target=0.05, warmup_steps=20)})

case("AdamW", "AdamW")
case("AdamW.options", "AdamW", {"learning_rate": 0.02, "weight_decay": 0.1, "amsgrad": True})
case("AdamW.excluded", "AdamW", {"learning_rate": 0.02, "weight_decay": 0.1}, exclude=["bias", "con"])
case("Adagrad", "Adagrad")
case("Adagrad.options", "Adagrad",
     {"learning_rate": 0.1, "initial_accumulator_value": 0.0, "epsilon": 1e-3})
case("Adamax", "Adamax")
case("Adamax.options", "Adamax", {"learning_rate": 0.02, "beta_1": 0.8, "beta_2": 0.9})
case("Nadam", "Nadam")
case("Nadam.options", "Nadam", {"learning_rate": 0.02, "beta_1": 0.8, "beta_2": 0.95})
case("Adadelta", "Adadelta")
case("Adadelta.options", "Adadelta", {"learning_rate": 1.0, "rho": 0.9, "epsilon": 1e-5})
case("Ftrl", "Ftrl")
case("Ftrl.l1_l2", "Ftrl", {"learning_rate": 0.1, "l1_regularization_strength": 0.05,
     "l2_regularization_strength": 0.1})
case("Ftrl.options", "Ftrl", {"learning_rate": 0.1, "learning_rate_power": -0.7, "beta": 0.2,
     "l2_shrinkage_regularization_strength": 0.1, "initial_accumulator_value": 0.3})
case("Lion", "Lion")
case("Lion.options", "Lion", {"learning_rate": 0.01, "beta_1": 0.8, "weight_decay": 0.1})
case("Adafactor", "Adafactor")
case("Adafactor.options", "Adafactor", {"learning_rate": 0.05, "relative_step": False,
     "beta_2_decay": -0.6, "clip_threshold": 0.5, "epsilon_2": 0.1, "weight_decay": 0.01})
case("Lamb", "Lamb")
case("Lamb.options", "Lamb", {"learning_rate": 0.02, "weight_decay": 0.05, "beta_1": 0.8})
case("Muon", "Muon")
case("Muon.options", "Muon", {"learning_rate": 0.02, "nesterov": False, "rms_rate": None,
     "ns_steps": 3, "momentum": 0.8, "adam_lr_ratio": 0.5, "weight_decay": 0.1})
case("Muon.exclude_layers", "Muon", {"learning_rate": 0.02, "exclude_layers": ["kern"]})

golden.add_part(__file__, "jax", members, cases)
golden.save("optimizers", members, "100 steps of every optimizer with given gradients", cases,
            kept_steps=KEPT)
