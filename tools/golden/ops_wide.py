"""More models of one operation (ops.py has the first ones, and the form): sorting, running sums, quantiles, splitting,
several axes, products, norms, images."""
import json

import numpy as np

import golden
import ops as models

from keras import ops  # noqa: E402

case, X, Y, M = models.case, models.X, models.Y, models.M


def plus(f):  # predict() wants a batch axis
    return lambda a: a + ops.cast(f(a), "float32")


def order():
    case("sort_none", plus(lambda a: ops.mean(ops.cumsum(ops.sort(a, axis=None)))))
    case("sort_axis", lambda a: ops.sort(a, axis=1))
    case("sort_ids", lambda a: ops.sort(a), (7,), ids=4)
    case("argsort", lambda a: ops.argsort(a))
    case("argsort_axis", lambda a: ops.argsort(a, axis=-2))
    case("argsort_ties", lambda a: ops.argsort(a), (9,), ids=3)
    case("top_k_all", lambda a: ops.top_k(a, 4))
    case("top_k_unsorted", lambda a: ops.sum(ops.top_k(a, 3, sorted=False)[0], axis=-1), (9,), ids=3)
    case("top_k_indices", lambda a: ops.top_k(a, 2)[1])
    case("in_top_k", lambda a, b: ops.in_top_k(ops.argmax(a, axis=-1), b, 2), (4,), (4,))
    case("cumsum", lambda a: ops.cumsum(a, axis=-1))
    case("cumsum_none", plus(lambda a: ops.max(ops.cumsum(a))))
    case("cumsum_ids", lambda a: ops.cumsum(a, axis=1), (5,), ids=9)
    case("cumsum_dtype", lambda a: ops.cumsum(a, axis=1, dtype="float32"), (5,), ids=9)
    case("cumprod_last", lambda a: ops.cumprod(a, axis=-1))
    case("nancumsum", lambda a: ops.nancumsum(ops.sqrt(a), axis=1))
    case("nancumprod", lambda a: ops.nancumprod(ops.log(a), axis=2))
    case("take_along_axis", lambda a, b: ops.take_along_axis(a, ops.argsort(b, axis=1), axis=1), X, Y)
    case("take_along_one", lambda a: ops.take_along_axis(a, ops.argmax(a, axis=-1, keepdims=True), axis=-1))
    case("median", plus(ops.median))
    case("median_axis", lambda a: ops.median(a, axis=-1))
    case("median_axes", lambda a: ops.median(a, axis=(1, 2), keepdims=True))
    case("quantile", lambda a: ops.quantile(a, 0.3, axis=-1))
    case("quantile_two", lambda a: ops.transpose(ops.quantile(a, [0.1, 0.75], axis=1), (1, 0, 2)))
    case("quantile_axes", lambda a: ops.quantile(a, 0.4, axis=(1, 2)))  # a model of Keras forgets the method
    case("percentile", lambda a: ops.percentile(a, 30, axis=1, keepdims=True))
    case("searchsorted", lambda a: ops.searchsorted(np.array([-0.5, 0.0, 0.5], "float32"), ops.ravel(a)) + 0, (1,))
    case("searchsorted_right", lambda a: ops.searchsorted(np.array([1, 3, 3, 5], "int32"), ops.ravel(a), side="right"),
         (1,), ids=7)
    case("digitize", lambda a: ops.digitize(a, np.array([-0.5, 0.0, 0.5], "float32")))
    case("isin", lambda a: ops.isin(a, np.array([1, 3], "int32")), (6,), ids=5)


def axes():
    case("expand_dims_three", lambda a: ops.expand_dims(a, (-1, 1, 2)))
    case("squeeze_two", lambda a: ops.squeeze(a, (1, -1)), (1, 4, 1))
    case("flip_two", lambda a: ops.flip(a, (1, -1)))
    case("roll_two", lambda a: ops.roll(a, (1, 2), axis=(1, -1)))
    case("roll_none", lambda a: ops.roll(a, 5))
    case("moveaxis_two", lambda a: ops.moveaxis(a, (1, 2), (2, 1)))
    case("moveaxis_three", lambda a: ops.moveaxis(a, (-1, 1), (1, -1)), (2, 3, 4))
    case("einsum_one", lambda a: ops.einsum("bij->bji", a))
    case("einsum_sum", lambda a: ops.einsum("bij->b", a))
    case("einsum_ellipsis", lambda a, b: ops.einsum("...ij,...jk->...ik", a, b), X, M)
    case("einsum_four", lambda a, b: ops.einsum("bij,bjk,bij,bjk->bik", a, b, a, b), X, M)


def parts():
    case("split_last", lambda a: ops.split(a, 2, axis=-1)[1])
    case("split_three", lambda a: ops.split(a, [1, 3], axis=-1))
    case("array_split", lambda a: ops.array_split(a, 2, axis=1))
    case("hsplit", lambda a: ops.hsplit(a, [1]))
    case("dsplit", lambda a: ops.dsplit(a, 2))
    case("vsplit", lambda a: a + ops.vsplit(a, 1)[0])
    case("unstack_last", lambda a: ops.unstack(a, axis=-1))
    case("meshgrid", lambda a, b: a + ops.sum(ops.meshgrid(ops.mean(a, 0), ops.mean(b, 0))[1]), (3,), (4,))
    case("meshgrid_ij", lambda a, b: a + ops.meshgrid(ops.mean(a, 0), ops.mean(b, 0), indexing="ij")[0][0, 0], (3,), (4,))
    case("unravel_index", lambda a: ops.unravel_index(a, (3, 4)), (), ids=12)  # Keras mixes up those of more axes
    case("slice", lambda a: ops.slice(a, (0, 1, 0), (2, 2, 3)))
    case("slice_update", lambda a, b: ops.slice_update(a, (0, 1, 2), b), X, (2, 2))
    case("scatter_update", lambda a: ops.scatter_update(a, np.array([[0, 1], [1, 2]]), np.ones((2, 4), "float32")))
    case("scatter_update_again",
         lambda a: ops.scatter_update(a, np.array([[0, 1, 2], [0, 1, 2], [1, 0, 0]]), np.array([5, 6, 7], "float32")))
    case("scatter_update_add",
         lambda a: ops.scatter_update(a, np.array([[0, 1], [0, 1]]), np.ones((2, 4), "float32"), reduction="add"))


def products():
    w = golden.normal("w", 4, 2)
    case("tensordot_one", lambda a: ops.tensordot(a, w, axes=1))
    case("tensordot_lists", lambda a: ops.tensordot(a, golden.normal("v", 4, 3, 2), axes=[[2, 1], [0, 1]]))
    case("tensordot_zero", lambda a: ops.tensordot(a, w, axes=0), (3,))
    case("dot", lambda a: ops.dot(a, w))
    case("dot_vector", lambda a: ops.dot(a, w[:, 0]))
    case("dot_scalar", lambda a: ops.dot(a, 2.5))
    case("inner", lambda a: ops.inner(a, w.T))
    case("vdot", lambda a, b: a + ops.vdot(a, b), X, Y)
    case("dot_ids", lambda a: ops.dot(a, np.array([3, 1, 2], "int32")), (3,), ids=9)
    case("kron", lambda a: ops.kron(a, np.array([[1.0, 2.0]], "float32")), (3,))
    case("cdist", lambda a, b: ops.cdist(a, b), X, (2, 4))
    case("cross", lambda a, b: ops.cross(a, b), (2, 3), (2, 3))
    case("cross_two", lambda a, b: ops.cross(a, b), (4, 2), (4, 2))
    case("cross_mixed", lambda a, b: ops.cross(a, b), (4, 3), (4, 2))
    case("cross_axis", lambda a, b: ops.cross(a, b, axis=1), (3, 2), (3, 2))
    case("diagonal", lambda a: ops.diagonal(a, axis1=1, axis2=2))
    case("diagonal_offset", lambda a: ops.diagonal(a, offset=-1, axis1=1, axis2=2))
    case("diagonal_above", lambda a: ops.diagonal(a, 2, -2, -1))
    case("trace", lambda a: ops.trace(a, axis1=1, axis2=2), (4, 4))
    case("diag", lambda a: ops.sum(a) + ops.diag(ops.mean(a, axis=0), k=1), (3,))
    case("diag_back", lambda a: ops.sum(a) + ops.diag(ops.diag(ops.mean(a, axis=0), k=-2), k=-2), (3,))
    case("diagflat", lambda a: ops.diagflat(a), (1,))


def pads():
    case("pad_symmetric", lambda a: ops.pad(a, ((0, 0), (2, 3), (0, 1)), mode="symmetric"))
    case("pad_reflect_two", lambda a: ops.pad(a, ((0, 0), (2, 2), (3, 1)), mode="reflect"))
    case("pad_ids", lambda a: ops.pad(a, ((0, 0), (1, 1)), constant_values=7), (3,), ids=5)


def norms():
    w, v = golden.normal("gamma", 4), golden.normal("beta", 4)
    case("layer_norm", lambda a: ops.layer_normalization(a, w, v))
    case("layer_norm_plain", lambda a: ops.layer_normalization(a, epsilon=1e-3))
    case("layer_norm_beta", lambda a: ops.layer_normalization(a, beta=v))
    case("layer_norm_axis", lambda a: ops.layer_normalization(a, golden.normal("g3", 3), axis=1))
    case("layer_norm_axes", lambda a: ops.layer_normalization(a, axis=(1, 2)))
    case("layer_norm_tensor", lambda a, b: ops.layer_normalization(a, gamma=ops.mean(b, axis=0)), X, (4,))
    case("rms_norm", lambda a: ops.rms_normalization(a, w))
    case("rms_norm_plain", lambda a: ops.rms_normalization(a, axis=(1, 2), epsilon=1e-2))
    case("batch_norm", lambda a: ops.batch_normalization(a, w, np.abs(v), -1, offset=v, scale=w))
    case("batch_norm_axis", lambda a, b: ops.batch_normalization(
        a, ops.mean(b, 0), ops.var(b, 0), 1, offset=ops.max(b, 0), scale=ops.min(b, 0)), X, (3,))
    case("moments", lambda a: ops.moments(a, axes=[1]))
    case("moments_axes", lambda a: ops.moments(a, axes=[1, 2], keepdims=True))
    q = (3, 2, 4)
    case("attention_bias", lambda a, b: ops.dot_product_attention(a, a, a, bias=b), q, (2, 3, 3))
    case("attention_mask", lambda a: ops.dot_product_attention(a, a, a, mask=np.eye(3, dtype=bool)[None, None]), q)
    case("attention_all", lambda a, b: ops.dot_product_attention(
        a, a, a, bias=b, mask=np.tri(3, k=1, dtype=bool)[None, None], scale=0.2, is_causal=True), q, (2, 3, 3))
    case("bce", lambda a, b: ops.binary_crossentropy(ops.sigmoid(a), ops.sigmoid(b)), X, Y)
    case("bce_logits", lambda a, b: ops.binary_crossentropy(ops.sigmoid(a), b, from_logits=True), X, Y)
    case("cce", lambda a, b: ops.categorical_crossentropy(ops.softmax(a), ops.softmax(b)), X, Y)
    case("cce_logits", lambda a, b: ops.categorical_crossentropy(ops.softmax(a), b, from_logits=True), X, Y)
    case("scce", lambda a: ops.sparse_categorical_crossentropy(ops.argmax(a, axis=-1), ops.softmax(a)))
    case("scce_logits", lambda a: ops.sparse_categorical_crossentropy(ops.argmin(a, -1), a, from_logits=True))


def functions():
    for name in "cbrt sinc signbit isposinf isneginf isreal nan_to_num array".split():
        case(name, lambda a: getattr(ops, name)(ops.floor(a) / 2))
    case("nan_to_num_of", lambda a: ops.nan_to_num(ops.log(ops.floor(a)), nan=3.0, neginf=-7.5))
    case("nan_to_num_high", lambda a: ops.nan_to_num(ops.reciprocal(ops.floor(a))))
    case("array_dtype", lambda a: ops.array(a, dtype="int32"))
    case("saturate_cast", lambda a: ops.saturate_cast(a * 200, "uint8"))
    case("full", lambda a: a + ops.full((3, 4), ops.mean(a)))
    case("size", lambda a: a + ops.cast(ops.size(a), "float32"))
    for name in "fmod fmax fmin heaviside logaddexp2".split():
        case(name, lambda a, b: getattr(ops, name)(a, b), X, Y)
    case("fmax_nan", lambda a, b: ops.fmax(ops.sqrt(a), b), X, Y)
    case("fmod_ids", lambda a, b: ops.fmod(a, b + 1), (5,), (5,), ids=9)
    case("ldexp", lambda a: ops.ldexp(a, ops.cast(ops.round(a), "int32")))
    case("isclose", lambda a, b: ops.isclose(a, b, rtol=0.2, atol=0.3), X, Y)
    case("isclose_nan", lambda a: ops.isclose(ops.sqrt(a), ops.sqrt(a), equal_nan=True))
    case("allclose", lambda a: ops.logical_or(a > 0, ops.allclose(a, a)))
    for name in "nansum nanmean nanmax nanmin nanprod nanvar nanstd".split():
        case(name, lambda a: getattr(ops, name)(ops.sqrt(a), axis=1))
        case(name + "_all", plus(lambda a: getattr(ops, name)(ops.sqrt(a))))
    case("nansum_ids", lambda a: ops.nansum(a, axis=1), (5,), ids=9)
    case("ptp", lambda a: ops.ptp(a, axis=-1, keepdims=True))
    case("average_weights", lambda a: ops.average(a, axis=-1, weights=np.array([1, 2, 3, 4], "float32")))
    case("average_tensor", lambda a, b: ops.average(a, axis=1, weights=ops.exp(b)), X, Y)
    case("average_plain", lambda a: ops.average(a, axis=1))
    case("linspace", lambda a, b: ops.moveaxis(ops.linspace(a, b, num=5), 0, -1), X, Y)
    case("linspace_open", lambda a: ops.linspace(a, a + 2, num=4, endpoint=False, axis=-1))
    case("logspace", lambda a: ops.logspace(a, a + 1, num=3, base=2, axis=-1))
    case("trapezoid", lambda a: ops.trapezoid(a, dx=0.5))


def options():
    case("round_two", lambda a: ops.round(a, 1))
    case("round_tens", lambda a: ops.round(a * 50, -1))
    case("round_ids", lambda a: ops.round(a, -1), (5,), ids=30)
    case("max_initial", lambda a: ops.max(a, axis=-1, initial=0.5))
    case("min_initial", lambda a: ops.min(a, axis=1, initial=-0.1, keepdims=True))
    case("prod_dtype", lambda a: ops.prod(a, axis=1, dtype="float32"), (3,), ids=5)
    for ord in (2, 3, 0, np.inf, -np.inf, -1):
        case(f"norm_{ord}", lambda a: ops.norm(a, ord=ord, axis=-1))
    for ord in (None, "fro", 1, -1, np.inf, -np.inf):
        case(f"norm_matrix_{ord}", lambda a: ops.norm(a, ord=ord, axis=(1, 2), keepdims=ord == 1))
    case("matmul_ids", lambda a: ops.matmul(ops.expand_dims(a, 2), ops.expand_dims(a, 1)), (3,), ids=9)
    case("take_last", lambda a: ops.take(a, -1, axis=1))
    case("take_negative", lambda a: ops.take(a, np.array([-1, 0, -2]), axis=-1))


def images():
    P, C = models.PICTURE, (4, 6, 3)
    for name in ("nearest", "bilinear", "bicubic", "lanczos3", "lanczos5"):
        if name != "bicubic":  # whose weights TensorFlow rounds, without antialias (UpSampling2D is as on JAX too)
            case("resize_" + name, lambda a: ops.image.resize(a, (9, 4), interpolation=name), P)
        if name != "nearest":
            case("resize_smooth_" + name, lambda a: ops.image.resize(a, (3, 7), interpolation=name, antialias=True), P)
    case("resize_crop", lambda a: ops.image.resize(a, (4, 4), crop_to_aspect_ratio=True), (6, 9, 2))
    case("resize_pad", lambda a: ops.image.resize(a, (4, 4), pad_to_aspect_ratio=True, fill_value=0.5), (6, 10, 2))
    case("resize_first", lambda a: ops.image.resize(a, (3, 3), data_format="channels_first"), (2, 5, 4))
    case("grayscale", ops.image.rgb_to_grayscale, C)
    case("pad_images", lambda a: ops.image.pad_images(a, 1, 2, target_height=8, target_width=9), C)
    case("pad_images_all", lambda a: ops.image.pad_images(a, 1, 2, 0, 1), C)
    case("crop_images", lambda a: ops.image.crop_images(a, 1, 2, target_height=2, target_width=3), C)
    case("crop_images_all", lambda a: ops.image.crop_images(a, 1, 0, 1, 2), C)
    case("extract_patches", lambda a: ops.image.extract_patches(a, 2), C)
    case("extract_patches_same", lambda a: ops.image.extract_patches(a, (3, 2), (1, 2), padding="same"), C)
    case("depth_to_space", lambda a: ops.depth_to_space(a, 2), (2, 3, 8))
    case("space_to_depth", lambda a: ops.space_to_depth(a, 2), (4, 6, 3))
    case("depth_to_space_first", lambda a: ops.depth_to_space(a, 2, data_format="channels_first"), (8, 2, 3))
    case("fliplr", ops.fliplr)
    case("flipud", ops.flipud)
    case("rot90", lambda a: ops.rot90(a, axes=(1, 2)))
    case("rot90_three", lambda a: ops.rot90(a, k=3, axes=(2, 1)))
    case("rot90_two", lambda a: ops.rot90(a, k=2, axes=(1, -1)), (4, 4))
    case("dstack", lambda a, b: ops.dstack([a, b]), (3,), (3,))
    case("extract_sequences", lambda a: ops.extract_sequences(a, 4, 2), (3, 11))
    case("vander", lambda a: ops.vander(a, 3), ())
    case("select", lambda a, b: ops.select([a > 0, b > 0], [a, b], default=1.5), X, Y)
    case("multi_hot", lambda a: ops.multi_hot(a, 5), (4,), ids=5)
    case("segment_sum", lambda a: ops.segment_sum(a, ops.argmax(ops.mean(a, -1), -1), num_segments=3))
    case("fft", lambda a, b: ops.fft((a, b))[0], X, Y)  # what there is not: named
    case("svd", lambda a: ops.svd(a)[1])
    case("psnr", lambda a, b: a + ops.psnr(a, b, 2.0), X, Y)


def main():
    models.members.clear()
    order()
    axes()
    parts()
    products()
    pads()
    norms()
    functions()
    options()
    images()
    models.members["configs"] = golden.text(json.dumps(models.configs))
    models.members["inputs"] = golden.text(json.dumps(models.inputs))
    golden.save("ops_wide", models.members, "more models of one operation: JSON, inputs, outputs")


if __name__ == "__main__":
    main()
