"""pictures.npz: image preprocessing layers: what they give outside of training, and in training
where the factors leave no choice (both ends are the same).  Plain bicubic is done by JAX: TensorFlow
looks its weights up in a coarse table.

CASE/x0, CASE/y   input and output
meta.cases[CASE] = {"class", "args", "training"}
"""

import numpy as np

import golden

keras = golden.start(golden.part() or "tensorflow")
L = keras.layers
members, cases = {}, {}


def pixels(name, *shape, dtype="float32"):
    """Whole numbers and quarters: the file stays small."""
    x = golden.rng(name).integers(0, 1021, shape) / 4
    return np.floor(x).astype(dtype) if "int" in dtype else x.astype(dtype)


def case(name, cls, args, *shape, training=False, dtype="float32"):
    x = pixels(name, *shape, dtype=dtype)
    layer = getattr(L, cls)(**args)
    members[f"{name}/x0"] = x
    members[f"{name}/y"] = np.array(layer(x, training=training))
    cases[name] = {"class": cls, "args": args, "training": training}


R = "Resizing"
BICUBIC = {"height": 4, "width": 9, "interpolation": "bicubic"}
if golden.part():
    case("resizing_bicubic", R, BICUBIC, 2, 7, 5, 3)
    golden.hand_over(members, cases)
for kind in ("nearest", "bilinear", "bicubic", "lanczos3", "lanczos5", "area"):
    if kind != "bicubic":
        case(f"resizing_{kind}", R, {"height": 4, "width": 9, "interpolation": kind}, 2, 7, 5, 3)
    case(f"resizing_{kind}_antialias", R,
         {"height": 3, "width": 4, "interpolation": kind, "antialias": True}, 1, 8, 9, 2)
case("resizing_crop", R, {"height": 4, "width": 4, "crop_to_aspect_ratio": True}, 2, 5, 8, 2)
case("resizing_crop_tall", R, {"height": 3, "width": 7, "crop_to_aspect_ratio": True}, 1, 9, 4, 2)
case("resizing_pad", R,
     {"height": 4, "width": 6, "pad_to_aspect_ratio": True, "fill_value": 7.0}, 2, 8, 5, 1)
# from odd to odd sizes: no value lies half way between two integers
case("resizing_uint8", R, {"height": 7, "width": 3}, 2, 5, 5, 3, dtype="uint8")
case("resizing_uint8_lanczos", R,
     {"height": 7, "width": 7, "interpolation": "lanczos3"}, 1, 4, 4, 3, dtype="uint8")
case("resizing_alone", R, {"height": 3, "width": 5}, 4, 4, 2)
case("resizing_first", R, {"height": 3, "width": 5, "data_format": "channels_first"}, 2, 2, 4, 6)
C = "CenterCrop"
case("center_crop", C, {"height": 3, "width": 4}, 2, 6, 7, 2)
case("center_crop_uint8", C, {"height": 3, "width": 4}, 2, 6, 7, 2, dtype="uint8")
case("center_crop_first", C, {"height": 3, "width": 2, "data_format": "channels_first"}, 2, 2, 4, 5)
case("center_crop_alone", C, {"height": 2, "width": 3}, 5, 6, 2)
case("center_crop_smaller", C, {"height": 6, "width": 4}, 2, 4, 7, 2)
case("center_crop_smaller_both", C, {"height": 6, "width": 5}, 1, 4, 3, 2)

# Both ends of a range the same: one transformation for all.
for mode in ("reflect", "wrap", "constant", "nearest"):
    for kind in ("bilinear", "nearest"):
        how = {"fill_mode": mode, "interpolation": kind, "fill_value": 3.0}
        end = f"_{mode}_{kind}"
        case("rotation" + end, "RandomRotation", {"factor": (0.13, 0.13), **how}, 2, 7, 9, 2, training=True)
        case("zoom" + end, "RandomZoom",
             {"height_factor": (0.63, 0.63), "width_factor": (-0.3, -0.3), **how}, 2, 7, 5, 2, training=True)
        case("translation" + end, "RandomTranslation",
             {"height_factor": (0.27, 0.27), "width_factor": (-0.83, -0.83), **how}, 2, 5, 7, 2, training=True)
first = {"data_format": "channels_first"}
case("rotation_first", "RandomRotation", {"factor": (-0.3, -0.3), **first}, 2, 2, 7, 5, training=True)
case("rotation_alone", "RandomRotation", {"factor": (0.4, 0.4)}, 6, 5, 2, training=True)
case("rotation_uint8", "RandomRotation", {"factor": (0.05, 0.05)}, 1, 6, 5, 2, training=True, dtype="uint8")
case("zoom_one_factor", "RandomZoom", {"height_factor": (0.9, 0.9)}, 1, 6, 6, 1, training=True)
case("translation_zero", "RandomTranslation", {"height_factor": 0.0, "width_factor": 0.0}, 1, 4, 4, 1, training=True)
for name, cls, args in (
        ("flip", "RandomFlip", {}), ("rotation", "RandomRotation", {"factor": 0.2}),
        ("zoom", "RandomZoom", {"height_factor": 0.2}),
        ("translation", "RandomTranslation", {"height_factor": 0.2, "width_factor": 0.1}),
        ("contrast", "RandomContrast", {"factor": 0.2}), ("brightness", "RandomBrightness", {"factor": 0.2}),
        ("solarization", "Solarization", {"threshold_factor": 0.5}),
        ("random_crop", "RandomCrop", {"height": 3, "width": 2, "seed": 3})):
    case(f"{name}_predict", cls, args, 2, 4, 5, 1)
case("contrast", "RandomContrast", {"factor": (0.0, 0.0)}, 2, 4, 5, 2, training=True)
case("brightness", "RandomBrightness", {"factor": (0.3, 0.3)}, 2, 4, 5, 2, training=True)
case("brightness_range", "RandomBrightness",
     {"factor": (-0.3, -0.3), "value_range": (20, 200)}, 2, 4, 5, 2, training=True)
case("solarization", "Solarization", {}, 2, 4, 5, 2, training=True)
case("solarization_range", "Solarization", {"value_range": (10, 200)}, 2, 4, 5, 2, training=True)
case("random_crop_same", "RandomCrop", {"height": 4, "width": 5, "seed": 3}, 2, 4, 5, 1, training=True)
case("random_crop_wide", "RandomCrop", {"height": 3, "width": 7, "seed": 3}, 2, 6, 5, 1, training=True)
case("random_crop_small", "RandomCrop",
     {"height": 7, "width": 8, "seed": 3, **first}, 2, 1, 4, 5, training=True)

golden.add_part(__file__, "jax", members, cases)
golden.save("pictures", members, __doc__, cases)
