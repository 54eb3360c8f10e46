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


def main():
    models.members.clear()
    order()
    axes()
    parts()
    models.members["configs"] = golden.text(json.dumps(models.configs))
    models.members["inputs"] = golden.text(json.dumps(models.inputs))
    golden.save("ops_wide", models.members, "more models of one operation: JSON, inputs, outputs")


if __name__ == "__main__":
    main()
