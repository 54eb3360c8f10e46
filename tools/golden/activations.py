"""activations.npz: every function of keras.activations, forward and gradient.

x         the grid for elementwise functions: kinks, ordinary values, ±1e-8 … ±100, 0
CASE/y    f(x)        CASE/dx   d sum(f(x)) / dx
Functions along an axis (softmax, log_softmax, sparsemax, glu) have an input of their own:
CASE/x, CASE/y, CASE/c, CASE/dx = d sum(y * c) / dx.
meta.cases[CASE] = {"function", "args"}; "x": "grid" or "own".
CASE/jax_dx, CASE/jax_y: what JAX says, where it differs (gradients at kinks, mostly; at 0
TensorFlow's celu has slope 2). A test may then accept either.
"""

import numpy as np

import golden

keras = golden.start(golden.part() or "tensorflow")
if golden.part():
    import jax
else:
    import tensorflow as tf

SMALL = [1e-8, 1e-6, 1e-4, 1e-3, 0.01, 0.1, 0.25, 0.5, 0.75, 1, 1.5, 2, 2.5, 3, 3.5, 4, 5, 6, 6.5]
LARGE = [8, 10, 15, 20, 30, 50, 80, 88, 100]
up = np.array(SMALL + LARGE)
grid = np.concatenate([-up[::-1], [0.0], up, golden.normal("grid", 23, scale=2)]).astype(np.float32)
members, cases = {"x": grid}, {}


def gradient(f, x):
    if golden.part():
        return np.array(jax.grad(f)(x))
    x = tf.constant(x)
    with tf.GradientTape() as tape:
        tape.watch(x)
        s = f(x)
    return tape.gradient(s, x).numpy()


def case(name, function, args=None, own=None):
    args = args or {}
    f = lambda x: getattr(keras.activations, function)(x, **args)  # noqa: E731
    x = grid if own is None else own
    y = keras.ops.convert_to_numpy(f(keras.ops.convert_to_tensor(x)))
    c = np.ones(y.shape, np.float32)
    if own is not None:
        c = golden.normal(f"c/{name}", *y.shape)
        members[f"{name}/x"] = own
        members[f"{name}/c"] = c
    members[f"{name}/y"] = y
    members[f"{name}/dx"] = gradient(lambda x: keras.ops.sum(f(x) * c), x)
    cases[name] = {"function": function, "args": args, "x": "grid" if own is None else "own"}


for f in ("relu", "relu6", "leaky_relu", "elu", "celu", "selu", "gelu", "silu", "hard_silu",
          "hard_sigmoid", "hard_tanh", "sigmoid", "log_sigmoid", "sparse_sigmoid", "softplus",
          "sparse_plus", "squareplus", "softsign", "soft_shrink", "hard_shrink", "tanh",
          "tanh_shrink", "exponential", "linear", "mish"):
    case(f, f)
case("relu_max_value", "relu", {"max_value": 5.0})
case("relu_negative_slope", "relu", {"negative_slope": 0.1})
case("relu_threshold", "relu", {"threshold": 1.0})
case("relu_all", "relu", {"negative_slope": 0.25, "max_value": 4.0, "threshold": 0.5})
case("leaky_relu_slope", "leaky_relu", {"negative_slope": 0.01})
case("elu_alpha", "elu", {"alpha": 0.5})
case("celu_alpha", "celu", {"alpha": 2.0})
case("gelu_approximate", "gelu", {"approximate": True})
case("squareplus_b", "squareplus", {"b": 0.5})
case("soft_shrink_threshold", "soft_shrink", {"threshold": 1.5})
case("hard_shrink_threshold", "hard_shrink", {"threshold": 1.5})
case("threshold", "threshold", {"threshold": 1.0, "default_value": -7.0})

m = golden.normal("matrix", 5, 8, scale=3)
m[1] *= 30
m[2] = np.linspace(-1e4, 1e4, 8)
m[3] = 0
cube = golden.normal("cube", 2, 4, 6, scale=2)
for f in ("softmax", "log_softmax", "sparsemax", "glu"):
    case(f, f, own=m)
    case(f"{f}_3d", f, own=cube)
    case(f"{f}_axis_1", f, {"axis": 1}, own=cube)
case("softmax_axis_0", "softmax", {"axis": 0}, own=m)

if golden.part():
    golden.hand_over(members, cases)
golden.add_differences(__file__, "jax", members)
golden.save("activations", members, "keras.activations on a grid, forward and gradient", cases)
for k, v in members.items():
    if not np.isfinite(v).all():
        print("  not finite:", k, grid[~np.isfinite(v)] if v.shape == grid.shape else "")
