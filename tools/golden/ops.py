"""Models of one operation or a few (keras.ops between Input and Model): their JSON as Keras writes it, inputs, what
they predict. `configs` is a JSON dict of model.to_json() by case, `inputs` one of the names of the input members;
CASE/p0 … are the outputs."""
import json

import numpy as np

import golden

keras = golden.start()
from keras import ops  # noqa: E402

X, Y, M = (3, 4), (3, 4), (4, 5)  # shapes without the batch
PICTURE = (6, 5, 2)
members, configs, inputs = {}, {}, {}


def numbers(i, shape, ids, positive):
    key = f"x{i}_{'x'.join(map(str, shape))}{'_ids' + str(ids) if ids else ''}{'_positive' if positive else ''}"
    if ids:
        x = golden.rng(key).integers(0, ids, (2, *shape)).astype(np.int32)
    else:
        x = golden.normal(key, 2, *shape)
    members[key] = np.abs(x) + np.float32(0.1) if positive else x
    return key


def case(name, fn, *shapes, ids=0, positive=False):
    shapes = shapes or (X,)
    keras.backend.clear_session()
    ins = [keras.Input(s, dtype="int32" if ids else "float32", name=f"in{i}") for i, s in enumerate(shapes)]
    m = keras.Model(ins[0] if len(ins) == 1 else ins, fn(*ins), name="m")
    configs[name] = json.loads(m.to_json())
    inputs[name] = [numbers(i, s, ids, positive) for i, s in enumerate(shapes)]
    xs = [members[k] for k in inputs[name]]
    p = m(xs[0] if len(xs) == 1 else xs)
    for i, v in enumerate(p if isinstance(p, (list, tuple)) else [p]):
        members[f"{name}/p{i}"] = np.asarray(v)


UNARY = """negative abs sign square sqrt rsqrt reciprocal exp expm1 log log1p sin cos tan arcsin arccos arctan sinh
cosh tanh arcsinh arccosh arctanh erf sigmoid softplus relu floor ceil round trunc stop_gradient logical_not
zeros_like ones_like copy log2 log10 exp2 isnan isinf isfinite deg2rad rad2deg relu6 softsign silu log_sigmoid
leaky_relu hard_sigmoid hard_silu elu selu gelu celu tanh_shrink hard_tanh hard_shrink soft_shrink squareplus
sparse_plus sparse_sigmoid mean sum std var max min prod any all argmax argmin amax average softmax log_softmax flip
logsumexp count_nonzero diff fabs tril triu glu normalize""".split()

FOLDS = "mean sum std var max min prod any all argmax argmin amax average logsumexp count_nonzero".split()
BINARY = """add subtract multiply divide true_divide power maximum minimum floor_divide mod arctan2 equal not_equal less
less_equal greater greater_equal logical_and logical_or logical_xor hypot logaddexp divide_no_nan""".split()


def main():
    for name in UNARY:
        if name in ("arcsin", "arccos", "arctanh"):
            case(name, lambda x: getattr(ops, name)(ops.multiply(x, 0.2)))
        elif name == "arccosh":
            case(name, lambda x: ops.arccosh(x + 1), positive=True)
        elif name in FOLDS:  # predict() wants a batch axis
            case(name, lambda x: x + ops.cast(getattr(ops, name)(x), "float32"))
        else:
            case(name, lambda x: getattr(ops, name)(x), positive=name in "sqrt rsqrt log log1p log2 log10".split())
    case("sort", lambda a: ops.sort(a))
    case("top_k", lambda a: ops.top_k(a, 2))
    case("cumprod", lambda a: ops.cumprod(a, axis=1))
    case("tensordot", lambda a: ops.tensordot(a, np.ones((4, 2), "float32"), axes=1))
    case("pad_reflect", lambda a: ops.pad(a, ((0, 0), (1, 1), (0, 0)), mode="reflect"))
    case("roll_axes", lambda a: ops.roll(a, (1, -1), axis=(1, 2)))
    case("expand_dims_two", lambda a: ops.expand_dims(a, (1, -1)))
    case("einsum_three", lambda a, b, c: ops.einsum("bij,bjk,bik->bi", a, b, c), X, M, (3, 5))
    case("squeeze_none", lambda x: ops.squeeze(x), (1, 4))
    case("transpose_none", lambda a: a + ops.sum(ops.transpose(a)))
    case("ravel", lambda a: a + ops.sum(ops.ravel(a)))
    case("threshold", lambda a: ops.threshold(a, 0.1, -2))
    case("add_half_to_ids", lambda a: a + 0.5, (3,), ids=9)
    case("add_one_to_ids", lambda a: a + 1, (3,), ids=9)
    case("halve_ids", lambda a: a / 2, (3,), ids=9)
    case("split_one", lambda a: ops.split(a, 2, axis=-1)[1])
    case("gate", lambda a: (lambda h: h[0] * ops.sigmoid(h[1]))(ops.split(a, 2, axis=-1)))
    for name in BINARY:
        case(name, lambda a, b: getattr(ops, name)(a, b), X, Y, positive=name == "power")
        if name in ("add", "subtract", "power", "greater"):
            case(name + "_number", lambda a: getattr(ops, name)(a, 2), X, positive=name == "power")
            case(name + "_rnumber", lambda a: getattr(ops, name)(2.5, a), X, positive=name == "power")
    case("add_array", lambda a: a + np.arange(4, dtype="float32"), X)
    case("operators", lambda a, b: (a - b) * 2 / (1 + a * a) - -b, X, Y)
    case("matmul", lambda a, b: ops.matmul(a, b), X, M)
    case("matmul_operator", lambda a, b: a @ b, X, M)
    case("outer", lambda a, b: ops.outer(a, b), (), ())
    case("einsum", lambda a, b: ops.einsum("bij,bjk->bik", a, b), X, M)
    case("where", lambda a, b: ops.where(a > 0, a, b), X, Y)
    case("where_number", lambda a: ops.where(a > 0, a, 0.0), X)
    case("clip", lambda a: ops.clip(a, -0.5, 0.5))
    case("cast", lambda a: ops.cast(a, "int32"))
    case("cast_ids", lambda a: ops.cast(a, "float32"), ids=9)
    for name in "mean sum std max prod any logsumexp amax count_nonzero".split():
        case(name + "_axis", lambda a: getattr(ops, name)(a, axis=-1))
        if name != "count_nonzero":
            case(name + "_axes", lambda a: getattr(ops, name)(a, axis=(1, 2), keepdims=True))
    case("argmax_axis", lambda a: ops.argmax(a, axis=-1))
    case("argmin_axis", lambda a: ops.argmin(a, axis=1, keepdims=True))
    case("softmax_axis", lambda a: ops.softmax(a, axis=1))
    case("expand_dims", lambda a: ops.expand_dims(a, 1))
    case("squeeze", lambda a: ops.squeeze(a, 1), (1, 4))
    case("one_hot", lambda a: ops.one_hot(a, 5), (3,), ids=5)
    case("one_hot_axis", lambda a: ops.one_hot(a, 5, axis=1, dtype="int32"), (3,), ids=5)
    case("take", lambda a: ops.take(a, np.array([1, 0]), axis=1))
    case("take_ids", lambda a: ops.take(np.arange(10, dtype="float32"), a), (3,), ids=10)
    case("reshape", lambda a: ops.reshape(a, (-1, 12)))
    case("reshape_two", lambda a: ops.reshape(a, (-1, 2, 6)))
    case("broadcast_to", lambda a: a + ops.broadcast_to(ops.mean(a, axis=(0, 1), keepdims=True), (1, 3, 4)))
    case("transpose", lambda a: ops.transpose(a, (0, 2, 1)))
    case("concatenate", lambda a, b: ops.concatenate([a, b], axis=-1), X, Y)
    case("concatenate_axis", lambda a, b: ops.concatenate([a, b], axis=1), X, Y)
    case("append", lambda a, b: ops.append(a, b, axis=1), X, Y)
    case("stack", lambda a, b: ops.stack([a, b], axis=1), X, Y)
    case("stack_last", lambda a, b: ops.stack([a, b], axis=-1), X, Y)
    case("hstack", lambda a, b: ops.hstack([a, b]), X, Y)
    case("vstack", lambda a, b: a + ops.mean(ops.vstack([a, b]), axis=0), X, Y)
    case("get_item", lambda a: a[:, 1:3])
    case("get_item_one", lambda a: a[:, -1])
    case("get_item_ellipsis", lambda a: a[..., 0])
    case("get_item_new", lambda a: a[:, None, 1, :2])
    case("get_item_step", lambda a: a[:, ::2, 3:0:-1])
    case("tile", lambda a: ops.tile(a, (1, 2, 3)))
    case("tile_one", lambda a: ops.tile(a, 2))
    case("repeat", lambda a: ops.repeat(a, 2, axis=1))
    case("flip_axis", lambda a: ops.flip(a, axis=1))
    case("roll", lambda a: ops.roll(a, 1, axis=-1))
    case("swapaxes", lambda a: ops.swapaxes(a, 1, 2))
    case("moveaxis", lambda a: ops.moveaxis(a, 1, -1))
    case("zeros_like_dtype", lambda a: ops.zeros_like(a, dtype="int32"))
    case("ones_like_dtype", lambda a: ops.ones_like(a, dtype="bool"))
    case("full_like", lambda a: ops.full_like(a, 2.5))
    case("pad", lambda a: ops.pad(a, ((0, 0), (1, 2), (0, 1))))
    case("pad_value", lambda a: ops.pad(a, ((0, 0), (1, 2), (0, 1)), constant_values=2))
    case("split", lambda a: ops.split(a, 2, axis=-1))
    case("split_at", lambda a: ops.split(a, [1], axis=-1))
    case("unstack", lambda a: ops.unstack(a, axis=1))
    case("norm_axis", lambda a: ops.norm(a, axis=-1, keepdims=True))
    case("norm_one", lambda a: ops.norm(a, ord=1, axis=1))
    case("normalize_axis", lambda a: ops.normalize(a, axis=1))
    case("leaky_relu_slope", lambda a: ops.leaky_relu(a, 0.3))
    case("elu_alpha", lambda a: ops.elu(a, 0.7))
    case("gelu_exact", lambda a: ops.gelu(a, approximate=False))
    case("attention", lambda q, k, v: ops.dot_product_attention(q, k, v), (3, 2, 4), (5, 2, 4), (5, 2, 4))
    case("attention_causal", lambda q: ops.dot_product_attention(q, q, q, is_causal=True, scale=0.3), (3, 2, 4))
    k = golden.normal("kernel", 3, 2, 2, 4)
    case("conv", lambda a: ops.conv(a, k, strides=(2, 1), padding="same"), PICTURE)
    case("conv_dilated", lambda a: ops.conv(a, k, dilation_rate=2, padding="same"), PICTURE)
    case("conv_two", lambda a, b: ops.conv(a, ops.reshape(ops.mean(b, axis=0), (3, 2, 2, 4)), 1), PICTURE, (48,))
    case("depthwise_conv", lambda a: ops.depthwise_conv(a, k, 1, "valid"), PICTURE)
    case("separable_conv", lambda a: ops.separable_conv(a, k, golden.normal("point", 1, 1, 8, 3), 1), PICTURE)
    case("max_pool", lambda a: ops.max_pool(a, 2), PICTURE)
    case("max_pool_wide", lambda a: ops.max_pool(a, (3, 2), (2, 1), "same"), PICTURE)
    case("average_pool", lambda a: ops.average_pool(a, 2, 1, "same"), PICTURE)
    members["configs"], members["inputs"] = golden.text(json.dumps(configs)), golden.text(json.dumps(inputs))
    golden.save("ops", members, "models of one operation: JSON, inputs, outputs")


if __name__ == "__main__":
    main()
