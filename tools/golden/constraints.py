"""constraints.npz: every constraint on some weights.

WEIGHT     the weights: matrix (4,5), kernel (3,3,2,4), vector (6), zeros (2,3), small (4,5)
CASE/y     constraint(weight);  meta.cases[CASE] = {"class", "args", "weight"}
"""

import numpy as np

import golden

keras = golden.start()
members, cases = {}, {}
weights = {
    "matrix": golden.normal("matrix", 4, 5, scale=2),
    "kernel": golden.normal("kernel", 3, 3, 2, 4),
    "vector": golden.normal("vector", 6),
    "zeros": np.zeros((2, 3), np.float32),
    "small": golden.normal("small", 4, 5, scale=1e-3),
}
members.update(weights)


def case(cls, args, names, suffix=""):
    for w in names:
        name = f"{cls}{suffix}.{w}"
        y = getattr(keras.constraints, cls)(**args)(keras.ops.convert_to_tensor(weights[w]))
        members[f"{name}/y"] = y.numpy()
        cases[name] = {"class": cls, "args": args, "weight": w}


case("NonNeg", {}, weights)
case("MaxNorm", {}, weights)
case("MaxNorm", {"max_value": 0.5, "axis": 1}, ["matrix"], "_axis_1")
case("MaxNorm", {"max_value": 0.7, "axis": [0, 1, 2]}, ["kernel"], "_conv")
case("MaxNorm", {"max_value": 1, "axis": -1}, ["matrix", "kernel"], "_last")
case("UnitNorm", {}, weights)
case("UnitNorm", {"axis": 1}, ["matrix"], "_axis_1")
case("UnitNorm", {"axis": [0, 1, 2]}, ["kernel"], "_conv")
case("MinMaxNorm", {}, weights)
case("MinMaxNorm", {"min_value": 0.5, "max_value": 2.0}, weights, "_range")
case("MinMaxNorm", {"min_value": 1.0, "max_value": 1.5, "rate": 0.3}, weights, "_rate")
case("MinMaxNorm", {"min_value": 0.2, "max_value": 0.6, "axis": [0, 1, 2]}, ["kernel"], "_conv")

golden.save("constraints", members, "every constraint", cases)
