"""layers_slice.npz: forward passes of the first layers, inference mode.

CASE/x0 …     inputs            CASE/w0 …  weights in get_weights() order
CASE/y        output            CASE/config  layer.get_config() as JSON
meta.cases[CASE] = {"class", "args", "call"}: what to construct and how to call it.
"""

import numpy as np

import golden

keras = golden.start()
L = keras.layers
members, cases = {}, {}


def case(name, cls, args, *inputs, **call):
    layer = getattr(L, cls)(**args, name=name)
    arg = inputs[0] if len(inputs) == 1 else list(inputs)
    layer.build(arg.shape if len(inputs) == 1 else [i.shape for i in arg])
    weights = [
        golden.normal(f"{name}/w{i}", *w.shape, scale=0.5) for i, w in enumerate(layer.get_weights())
    ]
    layer.set_weights(weights)
    y = layer(arg, **call)
    for i, x in enumerate(inputs):
        members[f"{name}/x{i}"] = x
    for i, w in enumerate(layer.get_weights()):
        members[f"{name}/w{i}"] = w
    for k, v in call.items():
        if isinstance(v, np.ndarray):
            members[f"{name}/{k}"] = v
    members[f"{name}/y"] = keras.ops.convert_to_numpy(y)
    members[f"{name}/config"] = golden.text(layer.get_config())
    cases[name] = {
        "class": cls,
        "args": golden.plain(args),
        "call": {k: "member" if isinstance(v, np.ndarray) else v for k, v in call.items()},
    }


def x(name, *shape, scale=1.0):
    return golden.normal(f"x/{name}", *shape, scale=scale)


case("dense_3x4", "Dense", {"units": 5}, x("a", 3, 4))
case("dense_relu_3x4", "Dense", {"units": 5, "activation": "relu"}, x("a", 3, 4))
case("dense_no_bias", "Dense", {"units": 5, "use_bias": False}, x("a", 3, 4))
case("dense_3d", "Dense", {"units": 6, "activation": "relu"}, x("b", 2, 3, 4))
case("dense_4d", "Dense", {"units": 2}, x("c", 2, 3, 2, 5))
case("dense_softmax", "Dense", {"units": 7, "activation": "softmax"}, x("d", 4, 8))
case("dense_softmax_3d", "Dense", {"units": 3, "activation": "softmax"}, x("b", 2, 3, 4))
case("dense_softmax_huge", "Dense", {"units": 7, "activation": "softmax"}, x("d", 4, 8, scale=1e4))
case("dense_tanh", "Dense", {"units": 9, "activation": "tanh"}, x("d", 4, 8))
case("dense_sigmoid", "Dense", {"units": 1, "activation": "sigmoid"}, x("d", 4, 8))
case("dense_batch_of_one", "Dense", {"units": 17}, x("e", 1, 33))
case("dense_wide", "Dense", {"units": 67, "activation": "relu"}, x("f", 5, 131))

case("flatten_2d", "Flatten", {}, x("g", 3, 4))
case("flatten_3d", "Flatten", {}, x("h", 2, 3, 4))
case("flatten_4d", "Flatten", {}, x("i", 2, 3, 2, 4))
case("flatten_vector", "Flatten", {}, x("j", 3))
case("flatten_channels_first", "Flatten", {"data_format": "channels_first"}, x("i", 2, 3, 2, 4))

for a in ("relu", "tanh", "sigmoid", "softmax", "elu", "selu", "gelu", "silu", "softplus",
          "exponential", "linear"):
    case(f"activation_{a}", "Activation", {"activation": a}, x("k", 3, 6, scale=3.0))

wide = x("l", 4, 9, scale=4.0)
case("relu", "ReLU", {}, wide)
case("relu_max_value", "ReLU", {"max_value": 6.0}, wide)
case("relu_negative_slope", "ReLU", {"negative_slope": 0.1}, wide)
case("relu_threshold", "ReLU", {"threshold": 1.0}, wide)
case("relu_all", "ReLU", {"max_value": 5.0, "negative_slope": 0.2, "threshold": 0.5}, wide)
case("relu_max_value_zero", "ReLU", {"max_value": 0.0, "negative_slope": 0.3}, wide)

cube = x("m", 2, 3, 4, scale=2.0)
case("softmax", "Softmax", {}, cube)
case("softmax_axis_1", "Softmax", {"axis": 1}, cube)
case("softmax_axis_0", "Softmax", {"axis": 0}, cube)
case("softmax_axis_1_2", "Softmax", {"axis": (1, 2)}, cube)
case("softmax_huge", "Softmax", {}, cube * np.float32(5e3))
mask = np.array([[1, 1, 0, 1], [1, 0, 0, 0], [0, 0, 0, 0]], dtype=bool)
case("softmax_mask", "Softmax", {}, x("n", 3, 4), mask=mask)

case("dropout_inference", "Dropout", {"rate": 0.5}, x("o", 3, 4), training=False)
case("dropout_default", "Dropout", {"rate": 0.9}, x("o", 3, 4))
case("dropout_rate_zero", "Dropout", {"rate": 0.0}, x("o", 3, 4), training=True)

pixels = golden.rng("pixels").integers(0, 256, (2, 3, 3, 2)).astype(np.uint8)
case("rescaling", "Rescaling", {"scale": 1 / 255}, pixels)
case("rescaling_offset", "Rescaling", {"scale": 1 / 127.5, "offset": -1.0}, pixels)
case("rescaling_float", "Rescaling", {"scale": 0.5, "offset": 2.0}, x("p", 3, 4))
case("rescaling_per_channel", "Rescaling", {"scale": [0.5, 2.0], "offset": [1.0, -1.0]}, pixels)

a, b, c = x("q", 2, 3, 4), x("r", 2, 3, 4), x("s", 2, 3, 4)
for cls in ("Add", "Multiply", "Average", "Maximum", "Minimum"):
    case(f"{cls.lower()}_2", cls, {}, a, b)
    case(f"{cls.lower()}_3", cls, {}, a, b, c)
case("subtract", "Subtract", {}, a, b)
case("add_broadcast", "Add", {}, a, x("t", 2, 1, 4))
case("add_ranks", "Add", {}, a, x("u", 2, 4))
case("concatenate", "Concatenate", {}, a, x("v", 2, 3, 2))
case("concatenate_axis_1", "Concatenate", {"axis": 1}, a, x("w", 2, 5, 4), x("y", 2, 1, 4))
case("concatenate_axis_0", "Concatenate", {"axis": 0}, a, b)
case("concatenate_axis_minus_2", "Concatenate", {"axis": -2}, a, x("w", 2, 5, 4))

golden.save("layers_slice", members, "forward passes of the first layers, inference mode", cases)
