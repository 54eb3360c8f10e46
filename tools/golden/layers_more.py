"""layers_more.npz: Dense, Conv2D, MaxPooling2D, BatchNormalization, Reshape: forward and gradients.

CASE/x0           input             CASE/w0 …    weights in get_weights() order
CASE/y            output            CASE/c       random, of y's shape
CASE/dx0          d sum(y * c) / dx0
CASE/dw0 …        the same for the trainable weights, numbered as in get_weights(); those that are
                  not trainable have no member
CASE/config       layer.get_config() as JSON
BatchNormalization has, instead of x0, y, dx0, dw:
CASE/call0/x … call2/x, CASE/callN/y, callN/c, callN/dx, callN/dwI and callN/wI: three calls in a
row, the weights being those after the call (a training call moves the statistics)
CASE/mask         of its calls, if any (the Keras mask of x)
meta.cases[CASE] = {"class", "args", "call"}, and "backend": "jax" for what TensorFlow cannot do on
a CPU (channels_first).
"""

import inspect

import numpy as np

import golden

keras = golden.start(golden.part() or "tensorflow")
if golden.part():
    import jax
else:
    import tensorflow as tf
L = keras.layers
members, cases = {}, {}


def call(layer, x, name, training, mask=None):
    """One call: output, c, d/dx and d/dw of sum(y * c). Updates the layer's state if it trains."""
    kw = {} if mask is None else {"mask": mask}
    if "training" in inspect.signature(layer.call).parameters:
        kw["training"] = training
    tv = [v.value for v in layer.trainable_variables]
    ntv = [v.value for v in layer.non_trainable_variables]
    if golden.part():
        run = lambda tv, x: layer.stateless_call(tv, ntv, x, **kw)  # noqa: E731
        y, state = run(tv, x)
        c = golden.normal(f"c/{name}", *y.shape)
        dw, dx = jax.grad(lambda tv, x: (run(tv, x)[0] * c).sum(), (0, 1))(tv, x)
        for v, new in zip(layer.non_trainable_variables, state):
            v.assign(new)
    else:
        t = tf.constant(x)
        with tf.GradientTape() as tape:
            tape.watch(t)
            y = layer(t, **kw)
            c = golden.normal(f"c/{name}", *y.shape)
            s = tf.reduce_sum(y * c)
        dw, dx = tape.gradient(s, [tv, t])
    place = [i for i, v in enumerate(layer.weights) if any(v is t for t in layer.trainable_variables)]
    return np.array(y), c, np.array(dx), {i: np.array(g) for i, g in zip(place, dw)}


def make(name, cls, args, shape, positive=()):
    layer = getattr(L, cls)(**args, name=name)
    layer.build(shape)
    weights = []
    for i, v in enumerate(layer.weights):
        w = golden.normal(f"{name}/w{i}", *v.shape, scale=0.5)
        weights.append(np.abs(w) + 0.5 if v.name in positive else w)
    layer.set_weights(weights)
    for i, w in enumerate(layer.get_weights()):
        members[f"{name}/w{i}"] = w
    members[f"{name}/config"] = golden.text(layer.get_config())
    return layer


def case(name, cls, args, x, training=False):
    layer = make(name, cls, args, x.shape)
    y, c, dx, dw = call(layer, x, name, training)
    members.update({f"{name}/x0": x, f"{name}/y": y, f"{name}/c": c, f"{name}/dx0": dx})
    members.update({f"{name}/dw{i}": g for i, g in dw.items()})
    cases[name] = {"class": cls, "args": args, "call": {"training": training}}


def batch_norm(name, args, shape, training=True, mask=None, trainable=True):
    layer = make(name, "BatchNormalization", args, shape, ("moving_variance",))
    layer.trainable = trainable
    if mask is not None:
        members[f"{name}/mask"] = mask
    for n in range(3):
        x = golden.normal(f"{name}/x{n}", *shape, scale=2) + np.float32(1)
        y, c, dx, dw = call(layer, x, f"{name}/{n}", training, mask)
        at = f"{name}/call{n}"
        members.update({f"{at}/x": x, f"{at}/y": y, f"{at}/c": c, f"{at}/dx": dx})
        members.update({f"{at}/dw{i}": g for i, g in dw.items()})
        members.update({f"{at}/w{i}": w for i, w in enumerate(layer.get_weights())})
    cases[name] = {
        "class": "BatchNormalization",
        "args": args,
        "call": {"training": training} | ({"mask": "member"} if mask is not None else {}),
        "trainable": trainable,
    }


def x(*shape, scale=1.0):
    return golden.normal(f"x{shape}{scale}", *shape, scale=scale)


first = {"data_format": "channels_first"}
if golden.part():
    conv = {"filters": 3, "kernel_size": 3}
    case("conv2d_channels_first", "Conv2D", conv | first, x(2, 2, 6, 5))
    case("conv2d_channels_first_same", "Conv2D",
         conv | first | {"padding": "same", "strides": 2, "activation": "relu"}, x(2, 2, 6, 5))
    case("conv2d_channels_first_groups", "Conv2D",
         {"filters": 4, "kernel_size": [2, 3], "groups": 2} | first, x(2, 4, 5, 5))
    case("max_pooling2d_channels_first", "MaxPooling2D", {"padding": "same"} | first, x(2, 3, 5, 5))
    case("max_pooling2d_channels_first_3x2", "MaxPooling2D",
         {"pool_size": [3, 2], "strides": [2, 1]} | first, x(2, 3, 7, 6))
    batch_norm("batch_normalization_axis_1_images", {"axis": 1}, (3, 2, 4, 4))
    golden.hand_over(members, cases)

D = {"units": 4}
case("dense", "Dense", D, x(5, 3))
case("dense_relu", "Dense", D | {"activation": "relu"}, x(5, 3))
case("dense_softmax", "Dense", D | {"activation": "softmax"}, x(5, 3))
case("dense_sigmoid", "Dense", D | {"activation": "sigmoid"}, x(5, 3))
case("dense_tanh_3d", "Dense", D | {"activation": "tanh"}, x(2, 3, 5))
case("dense_no_bias", "Dense", D | {"use_bias": False}, x(5, 3))

image = x(2, 7, 6, 3)
C = {"filters": 4, "kernel_size": 3}
case("conv2d", "Conv2D", C, image)
case("conv2d_relu", "Conv2D", C | {"activation": "relu"}, image)
case("conv2d_no_bias", "Conv2D", C | {"use_bias": False}, image)
case("conv2d_same", "Conv2D", C | {"padding": "same"}, image)
case("conv2d_strides", "Conv2D", C | {"strides": 2}, image)
case("conv2d_same_strides", "Conv2D", C | {"padding": "same", "strides": 2}, image)
case("conv2d_same_strides_3x2", "Conv2D", C | {"padding": "same", "strides": [3, 2]}, image)
case("conv2d_even_kernel_same", "Conv2D",
     {"filters": 2, "kernel_size": [2, 4], "padding": "same"}, image)
case("conv2d_dilation", "Conv2D", C | {"dilation_rate": 2}, image)
case("conv2d_dilation_same", "Conv2D", C | {"dilation_rate": [2, 3], "padding": "same"}, image)
case("conv2d_1x1", "Conv2D", {"filters": 5, "kernel_size": 1}, image)
case("conv2d_1x1_strides", "Conv2D", {"filters": 5, "kernel_size": 1, "strides": 2}, image)
case("conv2d_5x1", "Conv2D", {"filters": 2, "kernel_size": [5, 1]}, image)
case("conv2d_groups", "Conv2D", {"filters": 6, "kernel_size": 3, "groups": 3}, image)
case("conv2d_groups_same", "Conv2D",
     {"filters": 4, "kernel_size": 3, "groups": 2, "padding": "same", "strides": 2}, x(2, 6, 6, 4))
case("conv2d_depthwise", "Conv2D", {"filters": 3, "kernel_size": 3, "groups": 3}, image)
case("conv2d_whole_image", "Conv2D", {"filters": 3, "kernel_size": [7, 6]}, image)
case("conv2d_one_channel", "Conv2D", {"filters": 8, "kernel_size": 3}, x(3, 6, 6, 1))
case("conv2d_wide", "Conv2D", {"filters": 17, "kernel_size": 3, "padding": "same"}, x(1, 5, 5, 9))

case("max_pooling2d", "MaxPooling2D", {}, image)
case("max_pooling2d_same", "MaxPooling2D", {"padding": "same"}, image)
case("max_pooling2d_3_2", "MaxPooling2D", {"pool_size": 3, "strides": 2}, image)
case("max_pooling2d_3_2_same", "MaxPooling2D", {"pool_size": 3, "strides": 2, "padding": "same"}, image)
case("max_pooling2d_overlap", "MaxPooling2D", {"pool_size": [3, 2], "strides": 1}, image)
case("max_pooling2d_gap", "MaxPooling2D", {"pool_size": 2, "strides": 3}, image)
case("max_pooling2d_negative", "MaxPooling2D", {"pool_size": 3, "strides": 1, "padding": "same"},
     -np.abs(image) - np.float32(1))
case("max_pooling2d_ties", "MaxPooling2D", {}, np.round(image))

batch_norm("batch_normalization", {}, (6, 5))
batch_norm("batch_normalization_images", {"momentum": 0.8}, (3, 4, 4, 2))
batch_norm("batch_normalization_inference", {}, (6, 5), training=False)
batch_norm("batch_normalization_frozen", {}, (6, 5), trainable=False)
batch_norm("batch_normalization_no_scale", {"scale": False, "epsilon": 0.1}, (6, 5))
batch_norm("batch_normalization_no_center", {"center": False}, (6, 5))
batch_norm("batch_normalization_plain", {"center": False, "scale": False, "momentum": 0.5}, (6, 5))
batch_norm("batch_normalization_axis_1", {"axis": 1}, (4, 3, 5))
batch_norm("batch_normalization_one_sample", {}, (1, 3))
mask = np.array([[1, 1, 0, 0], [1, 1, 1, 0], [1, 0, 0, 0]], bool)
batch_norm("batch_normalization_mask", {}, (3, 4, 5), mask=mask)

case("reshape", "Reshape", {"target_shape": [6, 7, 3]}, image)
case("reshape_minus_1", "Reshape", {"target_shape": [-1, 9]}, image)
case("reshape_flat", "Reshape", {"target_shape": [-1]}, image)

golden.add_part(__file__, "jax", members, cases)
golden.save("layers_more", members, "Dense, Conv2D, MaxPooling2D, BatchNormalization, Reshape", cases)
