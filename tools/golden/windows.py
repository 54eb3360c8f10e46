"""windows.npz: convolutions, pools, padding, cropping, up-sampling: forward and gradients.

CASE/x0, w0 …     input and weights in the order of get_weights(), c as below
CASE/y, dx0, dw0 … output, and gradients of sum(y * c) by input and weights
CASE/mask         the Keras mask of x, if any
meta.cases[CASE] = {"class", "args"}, and "backend": "jax" for what TensorFlow cannot do on a CPU
(channels_first, output_padding that TensorFlow refuses) or does with a table (bicubic).
"""

import numpy as np

import golden

keras = golden.start(golden.part() or "tensorflow")
if golden.part():
    import jax
else:
    import tensorflow as tf
L = keras.layers
members, cases = {}, {}


def values(name, *shape):
    """Few bits: the file stays small."""
    return np.round(golden.normal(name, *shape) * 32).astype(np.float32) / 32


def call(layer, x, name, kw):
    """Output, c, d/dx and d/dw of sum(y * c)."""
    tv = [v.value for v in layer.trainable_variables]
    c = values(f"c/{name}", *layer.compute_output_shape(x.shape))
    if golden.part():
        run = lambda tv, x: layer.stateless_call(tv, [], x, **kw)[0]  # noqa: E731
        dw, dx = jax.grad(lambda tv, x: (run(tv, x) * c).sum(), (0, 1))(tv, x)
        return np.array(run(tv, x)), c, np.array(dx), [np.array(g) for g in dw]
    t = tf.constant(x)
    with tf.GradientTape() as tape:
        tape.watch(t)
        y = layer(t, **kw)
        s = tf.reduce_sum(y * c)
    dw, dx = tape.gradient(s, [tv, t])
    return np.array(y), c, np.array(dx), [np.array(g) for g in dw]


def case(name, cls, args, *shape, mask=None):
    x = golden.normal(f"x/{name}", *shape) if "Max" in cls else values(f"x/{name}", *shape) # no ties
    layer = getattr(L, cls)(**args)
    layer.build(shape)
    layer.set_weights([values(f"{name}/w{i}", *v.shape)
                       for i, v in enumerate(layer.weights)])
    kw = {} if mask is None else {"mask": mask}
    y, c, dx, dw = call(layer, x, name, kw)
    members.update({f"{name}/x0": x, f"{name}/y": y, f"{name}/c": c, f"{name}/dx0": dx})
    for i, (w, g) in enumerate(zip(layer.get_weights(), dw)):
        members.update({f"{name}/w{i}": w, f"{name}/dw{i}": g})
    if mask is not None:
        members[f"{name}/mask"] = mask
    cases[name] = {"class": cls, "args": args}


first = {"data_format": "channels_first"}
BEYOND = {"pool_size": 9, "strides": 4, "padding": "same"}


def on_jax():
    case("conv1d_channels_first", "Conv1D", {"filters": 3, "kernel_size": 3, **first}, 2, 2, 7)
    case("conv1d_channels_first_causal", "Conv1D",
         {"filters": 3, "kernel_size": 3, "padding": "causal", "activation": "sigmoid", **first}, 2, 2, 7)
    case("conv3d_channels_first", "Conv3D",
         {"filters": 3, "kernel_size": 2, "strides": 2, "padding": "same", **first}, 2, 2, 5, 4, 3)
    case("conv3d_groups", "Conv3D", {"filters": 4, "kernel_size": 2, "groups": 2}, 1, 3, 4, 3, 4)
    case("depthwise_conv1d_channels_first", "DepthwiseConv1D",
         {"kernel_size": 3, "depth_multiplier": 2, **first}, 2, 3, 7)
    case("depthwise_conv2d_channels_first", "DepthwiseConv2D",
         {"kernel_size": 3, "strides": 2, "padding": "same", **first}, 2, 3, 6, 5)
    case("depthwise_conv2d_strides_3x2", "DepthwiseConv2D",
         {"kernel_size": 3, "strides": [3, 2]}, 2, 8, 7, 3)
    case("separable_conv1d_channels_first", "SeparableConv1D",
         {"filters": 4, "kernel_size": 3, **first}, 2, 3, 7)
    case("separable_conv2d_channels_first", "SeparableConv2D",
         {"filters": 4, "kernel_size": 3, "padding": "same", **first}, 2, 3, 5, 4)
    T = {"filters": 3, "kernel_size": 3}
    case("conv1d_transpose_channels_first", "Conv1DTranspose", T | {"strides": 2, **first}, 2, 2, 4)
    case("conv2d_transpose_channels_first", "Conv2DTranspose",
         T | {"strides": 2, "padding": "same", **first}, 2, 2, 4, 3)
    case("conv3d_transpose_channels_first", "Conv3DTranspose", T | {"strides": 2, **first}, 1, 2, 2, 3, 2)
    case("conv2d_transpose_dilation", "Conv2DTranspose", T | {"dilation_rate": 2}, 2, 4, 3, 2)
    case("conv2d_transpose_dilation_same", "Conv2DTranspose",
         T | {"dilation_rate": [2, 3], "padding": "same"}, 2, 4, 5, 2)
    case("conv3d_transpose_dilation", "Conv3DTranspose", T | {"dilation_rate": 2}, 1, 3, 2, 3, 2)
    case("conv2d_transpose_even_same_0", "Conv2DTranspose",
         {"filters": 2, "kernel_size": 4, "strides": 2, "padding": "same", "output_padding": 0}, 2, 4, 3, 2)
    case("conv2d_transpose_even_same_1", "Conv2DTranspose",
         {"filters": 2, "kernel_size": 4, "strides": 2, "padding": "same", "output_padding": 1}, 2, 4, 3, 2)
    case("max_pooling1d_channels_first", "MaxPooling1D", {"pool_size": 3, "strides": 2, **first}, 2, 3, 8)
    case("average_pooling3d_channels_first", "AveragePooling3D",
         {"pool_size": 2, "padding": "same", **first}, 2, 2, 3, 5, 4)
    for rank, shape in (1, (2, 7, 3)), (2, (2, 7, 6, 3)), (3, (2, 5, 6, 4, 3)):
        case(f"average_pooling{rank}d_window_beyond_same", f"AveragePooling{rank}D", BEYOND, *shape)
    for kind in "Average", "Max": # the gradient of the maximum is noise on TensorFlow
        case(f"adaptive_{kind.lower()}_pooling2d_channels_first", f"Adaptive{kind}Pooling2D",
             {"output_size": [1, 4], **first}, 2, 3, 6, 5)
    case("global_max_pooling2d_channels_first", "GlobalMaxPooling2D", first, 2, 3, 4, 5)
    case("global_average_pooling3d_channels_first", "GlobalAveragePooling3D",
         {"keepdims": True, **first}, 2, 3, 2, 4, 5)
    case("zero_padding2d_channels_first", "ZeroPadding2D", {"padding": [[1, 0], [2, 3]], **first}, 2, 2, 3, 4)
    case("cropping2d_channels_first", "Cropping2D", {"cropping": [[1, 0], [2, 1]], **first}, 2, 2, 4, 5)
    case("up_sampling2d_channels_first", "UpSampling2D", {"size": [2, 3], **first}, 2, 2, 3, 4)
    case("up_sampling3d_channels_first", "UpSampling3D", first, 1, 2, 2, 3, 2)
    for kind in "bilinear", "bicubic", "lanczos3", "lanczos5":
        case(f"up_sampling2d_{kind}_3x4", "UpSampling2D", {"size": [3, 4], "interpolation": kind}, 1, 4, 5, 2)
    case("up_sampling2d_bilinear_channels_first", "UpSampling2D",
         {"interpolation": "bilinear", **first}, 1, 2, 3, 4)


def on_tensorflow():
    for rank, shape in (1, (2, 9, 3)), (3, (2, 5, 6, 4, 2)):
        name, cls, C = f"conv{rank}d", f"Conv{rank}D", {"filters": 4, "kernel_size": 3}
        case(name, cls, C, *shape)
        case(f"{name}_same", cls, C | {"padding": "same", "activation": "relu"}, *shape)
        case(f"{name}_even_same_strides", cls, {"filters": 3, "kernel_size": 2, "strides": 3, "padding": "same"}, *shape)
        case(f"{name}_strides", cls, C | {"strides": 2, "use_bias": False}, *shape)
        case(f"{name}_dilation", cls, {"filters": 2, "kernel_size": 2, "dilation_rate": 2, "padding": "same"}, *shape)
        case(f"{name}_size_1", cls, {"filters": 5, "kernel_size": 1}, *shape)
        case(f"{name}_stride_beyond", cls, {"filters": 2, "kernel_size": 2, "strides": 20}, *shape)
        case(f"{name}_dilation_beyond", cls,
             {"filters": 2, "kernel_size": 3, "dilation_rate": 11, "padding": "same"}, *shape)
    case("conv1d_causal", "Conv1D", {"filters": 4, "kernel_size": 3, "padding": "causal"}, 2, 9, 3)
    case("conv1d_causal_dilation", "Conv1D",
         {"filters": 4, "kernel_size": 3, "padding": "causal", "dilation_rate": 4}, 2, 9, 3)
    case("conv1d_causal_strides", "Conv1D",
         {"filters": 4, "kernel_size": 4, "padding": "causal", "strides": 2}, 2, 9, 3)
    case("conv1d_groups", "Conv1D", {"filters": 6, "kernel_size": 3, "groups": 3}, 2, 7, 3)
    case("conv1d_one_step", "Conv1D", {"filters": 3, "kernel_size": 5, "padding": "same"}, 2, 1, 2)
    case("conv3d_mixed", "Conv3D",
         {"filters": 3, "kernel_size": [1, 3, 2], "strides": [2, 1, 2], "padding": "same"}, 2, 4, 5, 4, 2)
    case("conv3d_depth_only", "Conv3D", {"filters": 3, "kernel_size": [3, 1, 1]}, 2, 5, 3, 3, 2)
    for rank, shape in (1, (2, 5, 2)), (2, (2, 4, 3, 2)), (3, (1, 2, 3, 2, 2)):
        name, cls, T = f"conv{rank}d_transpose", f"Conv{rank}DTranspose", {"filters": 3, "kernel_size": 3}
        case(name, cls, T, *shape)
        case(f"{name}_same", cls, T | {"padding": "same"}, *shape)
        case(f"{name}_strides", cls, T | {"strides": 2, "activation": "tanh"}, *shape)
        case(f"{name}_strides_same", cls, T | {"strides": 2, "padding": "same"}, *shape)
        case(f"{name}_wide_stride", cls, {"filters": 2, "kernel_size": 2, "strides": 3}, *shape)
        case(f"{name}_wide_stride_same", cls,
             {"filters": 2, "kernel_size": 2, "strides": 3, "padding": "same"}, *shape)
        case(f"{name}_output_padding", cls, T | {"strides": 2, "output_padding": 1}, *shape)
        case(f"{name}_output_padding_same", cls,
             T | {"strides": 2, "output_padding": 1, "padding": "same"}, *shape)
        case(f"{name}_output_padding_0_same", cls,
             {"filters": 2, "kernel_size": 3, "strides": 3, "output_padding": 0, "padding": "same",
              "use_bias": False}, *shape)
    case("conv2d_transpose_kernel_4_same", "Conv2DTranspose",
         {"filters": 2, "kernel_size": 4, "strides": 2, "padding": "same"}, 2, 4, 3, 2)
    D = {"kernel_size": 3}
    case("depthwise_conv1d", "DepthwiseConv1D", D, 2, 7, 3)
    case("depthwise_conv1d_multiplier", "DepthwiseConv1D",
         D | {"depth_multiplier": 2, "strides": 2, "padding": "same"}, 2, 7, 3)
    case("depthwise_conv1d_dilation", "DepthwiseConv1D", D | {"dilation_rate": 2, "padding": "same"}, 2, 7, 3)
    case("depthwise_conv2d", "DepthwiseConv2D", D, 2, 6, 5, 3)
    case("depthwise_conv2d_same", "DepthwiseConv2D",
         {"kernel_size": [2, 3], "padding": "same", "activation": "relu"}, 2, 6, 5, 3)
    case("depthwise_conv2d_multiplier", "DepthwiseConv2D",
         D | {"depth_multiplier": 3, "strides": 2, "padding": "same"}, 2, 6, 5, 3)
    case("depthwise_conv2d_dilation", "DepthwiseConv2D", D | {"dilation_rate": 2}, 2, 6, 7, 3)
    case("depthwise_conv2d_dilation_strides", "DepthwiseConv2D",
         D | {"dilation_rate": 2, "strides": 2, "padding": "same"}, 2, 6, 7, 3)
    case("depthwise_conv2d_no_bias", "DepthwiseConv2D", D | {"use_bias": False}, 2, 6, 5, 17)
    S = {"filters": 4, "kernel_size": 3}
    case("separable_conv1d", "SeparableConv1D", S, 2, 7, 3)
    case("separable_conv1d_same", "SeparableConv1D",
         S | {"padding": "same", "strides": 2, "depth_multiplier": 2}, 2, 7, 3)
    case("separable_conv2d", "SeparableConv2D", S, 2, 6, 5, 3)
    case("separable_conv2d_same", "SeparableConv2D",
         S | {"padding": "same", "strides": 2, "depth_multiplier": 2, "activation": "relu"}, 2, 6, 5, 3)
    case("separable_conv2d_dilation", "SeparableConv2D", S | {"dilation_rate": 2, "use_bias": False}, 2, 6, 7, 3)
    for kind in "Max", "Average":
        low = kind.lower()
        for rank, shape in (1, (2, 7, 3)), (2, (2, 7, 6, 3)), (3, (2, 5, 6, 4, 3)):
            name, cls, P = f"{low}_pooling{rank}d", f"{kind}Pooling{rank}D", {"pool_size": 2}
            case(name, cls, P, *shape)
            case(f"{name}_same", cls, P | {"padding": "same"}, *shape)
            case(f"{name}_3_2", cls, {"pool_size": 3, "strides": 2}, *shape)
            case(f"{name}_3_2_same", cls, {"pool_size": 3, "strides": 2, "padding": "same"}, *shape)
            case(f"{name}_overlap", cls, {"pool_size": 3, "strides": 1, "padding": "same"}, *shape)
            case(f"{name}_gap_same", cls, {"pool_size": 2, "strides": 3, "padding": "same"}, *shape)
            case(f"{name}_stride_beyond", cls, {"pool_size": 2, "strides": 9}, *shape)
            if kind == "Max": # TensorFlow's gradient of the mean is not that of what it computes
                case(f"{name}_window_beyond_same", cls, BEYOND, *shape)
            case(f"global_{name}", f"Global{cls}", {}, *shape)
            case(f"global_{name}_keepdims", f"Global{cls}", {"keepdims": True}, *shape)
        case(f"{low}_pooling3d_mixed", f"{kind}Pooling3D",
             {"pool_size": [3, 1, 2], "strides": [1, 2, 1], "padding": "same"}, 2, 5, 4, 3, 2)
        for rank, shape in (1, (2, 7, 3)), (2, (2, 7, 6, 3)), (3, (1, 5, 6, 4, 2)):
            name, cls = f"adaptive_{low}_pooling{rank}d", f"Adaptive{kind}Pooling{rank}D"
            case(name, cls, {"output_size": 2}, *shape)
            case(f"{name}_3", cls, {"output_size": 3}, *shape)
        case(f"adaptive_{low}_pooling2d_5x6", f"Adaptive{kind}Pooling2D", {"output_size": [5, 6]}, 2, 7, 6, 3)
    mask = np.array([[1, 1, 0, 0], [1, 1, 1, 0], [0, 1, 0, 1]], bool)
    case("global_average_pooling1d_mask", "GlobalAveragePooling1D", {}, 3, 4, 2, mask=mask)
    case("global_average_pooling1d_mask_keepdims", "GlobalAveragePooling1D", {"keepdims": True}, 3, 4, 2, mask=mask)
    case("zero_padding1d", "ZeroPadding1D", {}, 2, 4, 3)
    case("zero_padding1d_pair", "ZeroPadding1D", {"padding": [2, 0]}, 2, 4, 3)
    case("zero_padding2d", "ZeroPadding2D", {}, 2, 3, 4, 2)
    case("zero_padding2d_each", "ZeroPadding2D", {"padding": [1, 2]}, 2, 3, 4, 2)
    case("zero_padding2d_pairs", "ZeroPadding2D", {"padding": [[1, 0], [2, 3]]}, 2, 3, 4, 2)
    case("zero_padding3d", "ZeroPadding3D", {}, 2, 2, 3, 2, 2)
    case("zero_padding3d_each", "ZeroPadding3D", {"padding": [0, 1, 2]}, 2, 2, 3, 2, 2)
    case("zero_padding3d_pairs", "ZeroPadding3D", {"padding": [[1, 0], [0, 2], [3, 1]]}, 2, 2, 3, 2, 2)
    case("cropping1d", "Cropping1D", {}, 2, 5, 3)
    case("cropping1d_pair", "Cropping1D", {"cropping": [2, 0]}, 2, 5, 3)
    case("cropping2d", "Cropping2D", {}, 2, 4, 5, 2)
    case("cropping2d_each", "Cropping2D", {"cropping": [1, 2]}, 2, 4, 5, 2)
    case("cropping2d_pairs", "Cropping2D", {"cropping": [[1, 0], [0, 3]]}, 2, 4, 5, 2)
    case("cropping3d", "Cropping3D", {}, 2, 4, 3, 5, 2)
    case("cropping3d_pairs", "Cropping3D", {"cropping": [[1, 0], [0, 2], [3, 1]]}, 2, 4, 3, 5, 2)
    case("up_sampling1d", "UpSampling1D", {}, 2, 3, 2)
    case("up_sampling1d_3", "UpSampling1D", {"size": 3}, 2, 3, 2)
    case("up_sampling2d", "UpSampling2D", {}, 2, 3, 4, 2)
    case("up_sampling2d_1x3", "UpSampling2D", {"size": [1, 3]}, 2, 3, 4, 2)
    case("up_sampling3d", "UpSampling3D", {}, 1, 2, 3, 2, 2)
    case("up_sampling3d_mixed", "UpSampling3D", {"size": [1, 2, 3]}, 1, 2, 3, 2, 2)
    for kind in "bilinear", "bicubic", "lanczos3", "lanczos5":
        case(f"up_sampling2d_{kind}", "UpSampling2D", {"interpolation": kind}, 1, 4, 5, 2)
    case("up_sampling2d_bilinear_one_row", "UpSampling2D", {"interpolation": "bilinear"}, 1, 1, 3, 2)
    case("up_sampling2d_lanczos5_one_cell", "UpSampling2D", {"interpolation": "lanczos5"}, 1, 1, 1, 2)


if golden.part():
    on_jax()
    golden.hand_over(members, cases)
on_tensorflow()
golden.add_part(__file__, "jax", members, cases)
golden.save("windows", members, "Convolutions, pools, padding, cropping, up-sampling", cases)
