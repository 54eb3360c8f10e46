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


def predictions():
    for name, cls, args in (
            ("invert", "RandomInvert", {}), ("grayscale", "RandomGrayscale", {}),
            ("posterization", "RandomPosterization", {"factor": 3}),
            ("degeneration", "RandomColorDegeneration", {"factor": 0.5}),
            ("sharpness", "RandomSharpness", {"factor": 0.2}), ("blur", "RandomGaussianBlur", {}),
            ("shear", "RandomShear", {"x_factor": 0.2}), ("aug_mix", "AugMix", {}),
            ("rand_augment", "RandAugment", {})):
        case(f"{name}_predict", cls, args, *RGB, training=False)


histograms()
colors()
blurs()
warps()
predictions()
golden.save("augment", members, __doc__, cases)
