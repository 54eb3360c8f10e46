"""augment.npz: layers that vary pictures at random: what they give outside of training, and in
training where the ranges leave no choice, or with the random numbers handed to them.

CASE/x0, CASE/y   input and output
CASE/d0 …         random numbers, as transform_images() takes them
meta.cases[CASE] = {"class", "args", "training"}
"""

import numpy as np

import golden

keras = golden.start("tensorflow")
L = keras.layers
members, cases = {}, {}


def pixels(name, *shape, dtype="float32", high=255):
    """Whole numbers and quarters: the file stays small."""
    x = golden.rng(name).integers(0, 4 * high + 1, shape) / 4
    return np.floor(x).astype(dtype) if "int" in dtype else x.astype(dtype)


def keep(name, cls, args, x, y, training, draws=()):
    members[f"{name}/x0"] = x
    members[f"{name}/y"] = np.array(y)
    members.update({f"{name}/d{i}": np.array(d) for i, d in enumerate(draws)})
    cases[name] = {"class": cls, "args": args, "training": training}


def case(name, cls, args, *shape, training=True, dtype="float32", high=255, x=None):
    x = pixels(name, *shape, dtype=dtype, high=high) if x is None else x
    layer = getattr(L, cls)(**args)
    keep(name, cls, args, x, layer(x, training=training), training)


def given(name, cls, args, shape, draws, **transformation):
    """With these random numbers; `draws` is how they go into the file."""
    x = pixels(name, *shape)
    layer = getattr(L, cls)(**args)
    tensors = {k: keras.ops.convert_to_tensor(v) for k, v in transformation.items()}
    keep(name, cls, args, x, layer.transform_images(keras.ops.convert_to_tensor(x), tensors), True, draws)


FIRST = {"data_format": "channels_first"}
RGB = (2, 4, 5, 3)


def histograms():
    flat = pixels("flat", *RGB)
    flat[0, :, :, 1] = 7  # one value in the channel of a picture
    case("auto_contrast", "AutoContrast", {}, x=flat)
    case("auto_contrast_predict", "AutoContrast", {}, *RGB, training=False)
    case("auto_contrast_range", "AutoContrast", {"value_range": (20, 200)}, x=flat)
    case("auto_contrast_uint8", "AutoContrast", {}, *RGB, dtype="uint8", high=90)
    case("auto_contrast_first", "AutoContrast", FIRST, 2, 2, 3, 4)
    case("auto_contrast_alone", "AutoContrast", {}, 3, 4, 2)
    flat = flat.copy()
    flat[..., 1] = 7
    case("equalization", "Equalization", {}, x=flat)
    case("equalization_predict", "Equalization", {}, *RGB, training=False)
    case("equalization_range", "Equalization", {"value_range": (0, 100)}, *RGB, high=100)
    case("equalization_bins", "Equalization", {"bins": 16}, *RGB)
    case("equalization_uint8", "Equalization", {}, 3, 16, 16, 2, dtype="uint8", high=60)
    case("equalization_all", "Equalization", {}, x=np.arange(512, dtype="float32").reshape(2, 16, 16, 1) % 256)
    local = "ContrastLimitedAdaptiveHistogramEqualization"
    case("local", local, {"tile_grid_size": (2, 3)}, 2, 12, 15, 2)
    case("local_padded", local, {"tile_grid_size": (3, 2), "clip_limit": 1.5}, 1, 10, 9, 3, training=False)
    case("local_range", local, {"tile_grid_size": (2, 2), "value_range": (0, 100), "clip_limit": 0.0}, 1, 8, 8, 1,
         high=100)
    case("local_first", local, {"tile_grid_size": (2, 2), **FIRST}, 1, 2, 7, 8)
    case("local_uint8", local, {"tile_grid_size": (2, 2)}, 2, 9, 8, 1, dtype="uint8", high=80)
    case("local_alone", local, {}, 9, 10, 1)
    case("boxes_uint8", "MaxNumBoundingBoxes", {"max_number": 3}, *RGB, dtype="uint8")
    case("equalization_first", "Equalization", FIRST, 2, 2, 3, 4)


def colors():
    case("invert", "RandomInvert", {"factor": (1.0, 1.0)}, *RGB)
    case("invert_range", "RandomInvert", {"factor": (1.0, 1.0), "value_range": (0, 200)}, *RGB)
    case("invert_never", "RandomInvert", {"factor": 0.0}, *RGB)
    case("invert_uint8", "RandomInvert", {"factor": (1.0, 1.0)}, *RGB, dtype="uint8")
    case("grayscale", "RandomGrayscale", {"factor": 1.0}, *RGB)
    case("grayscale_first", "RandomGrayscale", {"factor": 1.0, **FIRST}, 2, 3, 4, 5)
    case("grayscale_uint8", "RandomGrayscale", {"factor": 1.0}, *RGB, dtype="uint8")
    case("grayscale_gray", "RandomGrayscale", {"factor": 1.0}, 2, 3, 4, 1)
    case("grayscale_never", "RandomGrayscale", {"factor": 0.0}, *RGB)
    for bits in 1, 3, 8:
        case(f"posterization_{bits}", "RandomPosterization", {"factor": (bits, bits)}, *RGB)
    case("posterization_2", "RandomPosterization", {"factor": 2}, *RGB)
    case("posterization_range", "RandomPosterization", {"factor": (2, 2), "value_range": (0, 100)}, *RGB, high=100)
    case("posterization_uint8", "RandomPosterization", {"factor": (3, 3)}, *RGB, dtype="uint8")
    for name, f in ("", 0.3), ("_back", -0.2), ("_gray", 1.0):
        case(f"degeneration{name}", "RandomColorDegeneration", {"factor": (f, f)}, *RGB)
    case("degeneration_first", "RandomColorDegeneration", {"factor": (0.6, 0.6), **FIRST}, 2, 3, 4, 5)
    case("degeneration_range", "RandomColorDegeneration",
         {"factor": (0.6, 0.6), "value_range": (50, 180)}, *RGB)


def blurs():
    for name, f in ("smooth", 0.0), ("same", 0.5), ("sharp", 0.9):
        case(f"sharpness_{name}", "RandomSharpness", {"factor": (f, f)}, *RGB)
    case("sharpness_first", "RandomSharpness", {"factor": (0.2, 0.2), **FIRST}, 2, 2, 4, 5)
    case("sharpness_range", "RandomSharpness", {"factor": (0.8, 0.8), "value_range": (20, 200)}, *RGB)
    always = {"factor": (1.0, 1.0), "sigma": (0.7, 0.7)}
    case("blur", "RandomGaussianBlur", always, *RGB)
    case("blur_5", "RandomGaussianBlur", {**always, "kernel_size": 5}, *RGB)
    case("blur_two_sizes", "RandomGaussianBlur", {**always, "kernel_size": (3, 5)}, *RGB)
    case("blur_first", "RandomGaussianBlur", {**always, **FIRST}, 2, 2, 4, 5)
    case("blur_none", "RandomGaussianBlur", {**always, "sigma": (0.0, 0.0)}, *RGB)
    case("blur_never", "RandomGaussianBlur", {**always, "factor": (0.0, 0.0)}, *RGB)
    case("blur_range", "RandomGaussianBlur", {**always, "value_range": (20, 200)}, *RGB)


def warps():
    factors = [[0.2, -0.1], [-0.35, -0.6]]
    draws = np.array(factors, "float32").T[..., None]
    for name, args in (("", {}), ("_nearest", {"interpolation": "nearest"}),
                       ("_constant", {"fill_mode": "constant", "fill_value": 3.0}),
                       ("_wrap", {"fill_mode": "wrap"})):
        given(f"shear{name}", "RandomShear", {"x_factor": 0.9, "y_factor": 0.9, **args}, RGB, draws,
              shear_factor=np.array(factors, "float32"))


    f = np.array([[0.3, -0.2, -0.4, 0.1], [-0.1, 0.45, 0.2, -0.3]], "float32")  # x1, y2, x3, y3
    for name, args in ("", {}), ("_nearest", {"interpolation": "nearest", "fill_value": 9.0}):
        h, w = 4, 5
        start = np.array([[[0, 0], [w - 1, 0], [0, h - 1], [w - 1, h - 1]]] * 2, "float32")
        factor = np.zeros((2, 4, 2), "float32")
        factor[:, 1, 0], factor[:, 2, 1], factor[:, 3, 0], factor[:, 3, 1] = f.T
        factor[:, 0], factor[:, 1, 1], factor[:, 2, 0] = 0.25, -0.3, 0.35  # of corners that stay on their side
        apply = np.array([True, True])
        given(f"perspective{name}", "RandomPerspective", args, RGB, [apply.reshape(2, 1, 1, 1), *f.T[..., None]],
              apply_perspective=apply, start_points=start, end_points=start + start * factor)


def hues():
    for name, f in ("gray", 0.0), ("pale", 0.3), ("same", 0.5), ("strong", 0.8), ("full", 1.0):
        case(f"saturation_{name}", "RandomSaturation", {"factor": (f, f)}, *RGB)
    case("saturation_range", "RandomSaturation", {"factor": (0.9, 0.9), "value_range": (0, 1)}, *RGB)
    case("saturation_first", "RandomSaturation", {"factor": (0.2, 0.2), **FIRST}, 2, 3, 4, 5)
    flat = pixels("hue/flat", *RGB)
    flat[0, 0] = 7  # no hue
    flat[0, 1] = 0
    case("saturation_flat", "RandomSaturation", {"factor": (0.6, 0.6)}, x=flat)
    f = np.array([0.3, -0.45], "float32")
    given("hue", "RandomHue", {"factor": 1.0}, RGB, [f.reshape(2, 1, 1, 1)], factor=f)
    given("hue_range", "RandomHue", {"factor": 1.0, "value_range": (0, 300)}, RGB, [f.reshape(2, 1, 1, 1)], factor=f)
    case("hue_none", "RandomHue", {"factor": 0.0}, x=flat)
    case("jitter", "RandomColorJitter",
         {"brightness_factor": (0.1, 0.1), "contrast_factor": 0.0, "saturation_factor": (0.7, 0.7), "hue_factor": 0.0},
         *RGB)
    case("jitter_two", "RandomColorJitter",
         {"brightness_factor": (-0.2, -0.2), "saturation_factor": (0.1, 0.1), "value_range": (20, 200)}, *RGB)
    case("jitter_nothing", "RandomColorJitter", {}, *RGB)


def inside(box, shape):
    """Keras' masks of boxes x0, x1, y0, y1."""
    y, x = np.meshgrid(np.arange(shape[1]), np.arange(shape[2]), indexing="ij")
    x0, x1, y0, y1 = (v[:, None, None, None] for v in box)
    x, y = x[None, :, :, None], y[None, :, :, None]
    return np.repeat((x >= x0) & (x < x1) & (y >= y0) & (y < y1), shape[3], axis=3)


BOX = np.array([[0.5, 1.0], [3.5, 4.25], [1.0, 0.25], [2.75, 3.0]], "float32")


def mixes():
    one = BOX[..., None, None, None]
    yes, masks = np.array([True, True]), inside(BOX, RGB)
    noise = golden.normal("noise", *RGB)
    noise = (np.round(noise * 8) / 8).astype("float32")
    given("erasing", "RandomErasing", {}, RGB, [*one, yes.reshape(2, 1, 1, 1), noise],
          apply_erasing=yes, batch_masks=masks, fill_value=np.clip(noise * 255, 0, 255))
    case("erasing_all", "RandomErasing", {"factor": (1.0, 1.0), "scale": (1.0, 1.0), "fill_value": 30.0}, *RGB)
    case("erasing_color", "RandomErasing",
         {"factor": (1.0, 1.0), "scale": (1.0, 1.0), "fill_value": (30.0, 60.0, 90.0), "value_range": (40, 80)}, *RGB)
    case("erasing_none", "RandomErasing", {"scale": 0.0, "fill_value": 30.0}, *RGB)
    order, weight = np.array([1, 0], "int32"), np.array([0.25, 0.875], "float32")
    how = [*one, order, weight.reshape(2, 1, 1, 1)]
    labels = np.array([[0.0, 1.0], [1.0, 0.0]], "float32")
    for name, cls, args, more in (
            ("mix_up", "MixUp", {}, {}), ("cut_mix", "CutMix", {}, {"batch_masks": masks})):
        given(name, cls, args, RGB, how, permutation_order=order, mix_weight=weight, **more)
        tensors = {"permutation_order": order, "mix_weight": weight}
        members[f"{name}/x1"] = labels
        members[f"{name}/y1"] = np.array(getattr(L, cls)(**args).transform_labels(labels, tensors))
        x = pixels(name, *RGB)
        y = getattr(L, cls)(**args)({"images": x, "labels": labels}, training=False)
        keep(f"{name}_predict", cls, args, x, y["images"], False)
        members[f"{name}_predict/x1"], members[f"{name}_predict/y1"] = labels, np.array(y["labels"])
        case(f"{name}_predict_alone", cls, args, 4, 5, 3, training=False)


def elastic():
    import tensorflow as tf

    seed = tf.constant([3, 5])
    shape = (1, 28, 24, 1)  # a sigma of 1.08: the kernel has 7 cells
    noise = tf.random.stateless_normal(shape[:3], seed).numpy()[..., None]
    yes, strength = np.array([True]), np.float32(0.9)
    for name, args in (("", {}), ("_nearest", {"interpolation": "nearest"}), ("_wrap", {"fill_mode": "wrap"}),
                       ("_constant", {"fill_mode": "constant", "fill_value": 3.0, "value_range": (20, 200)}),
                       ("_edge", {"fill_mode": "nearest"})):
        keras.src.backend.tensorflow.image.draw_seed = lambda _: seed
        given(f"elastic{name}", "RandomElasticTransform", args, shape,
              [yes.reshape(1, 1, 1, 1), strength.reshape(1), noise] if not name else [],
              apply_transform=yes, distortion_factor=strength, seed=seed)


def predictions():
    for name, cls, args in (
            ("invert", "RandomInvert", {}), ("grayscale", "RandomGrayscale", {}),
            ("posterization", "RandomPosterization", {"factor": 3}),
            ("degeneration", "RandomColorDegeneration", {"factor": 0.5}),
            ("sharpness", "RandomSharpness", {"factor": 0.2}), ("blur", "RandomGaussianBlur", {}),
            ("shear", "RandomShear", {"x_factor": 0.2}), ("aug_mix", "AugMix", {}),
            ("saturation", "RandomSaturation", {"factor": 0.2}), ("hue", "RandomHue", {"factor": 0.2}),
            ("jitter", "RandomColorJitter", {"hue_factor": 0.5}), ("erasing", "RandomErasing", {}),
            ("perspective", "RandomPerspective", {}), ("elastic", "RandomElasticTransform", {}),
            ("rand_augment", "RandAugment", {})):
        case(f"{name}_predict", cls, args, *RGB, training=False)


histograms()
colors()
blurs()
warps()
hues()
mixes()
elastic()
predictions()
golden.save("augment", members, __doc__, cases)
