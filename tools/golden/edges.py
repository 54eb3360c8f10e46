"""edges.npz: layers at the edges of what they take: axes of length 0 and 1, strides longer than the
input, dilation beyond it, groups that do not divide, zeros, sequences that are masked throughout.

Arguments and shapes are drawn at random (with fixed seeds), many of them impossible. cases[i] is
{"class", "config", "in": shapes, "zeros", "ids": how many, or 0, "mask": "", "none", "all", "some"}
with "error": true, or with "y": shape. Inputs and weights are formulas (`noise`, `weight` below),
so the file holds only results: `y`, all outputs one behind the other, and `g`, for each float input
and each trainable weight in order the sum of its gradient times a pattern. The loss is sum(y * c).

Everything runs on JAX, which does all of this on a CPU. The test is tests/parity/edges_test.c.
"""

import warnings

import numpy as np

import golden

keras = golden.start("jax")
import jax  # noqa: E402

L = keras.layers
warnings.filterwarnings("ignore")


def noise(shape, i):
    return np.sin(1.7 * np.arange(np.prod(shape, dtype=int)) + i).astype("float32").reshape(shape)


def weight(shape, i):
    return (0.5 * np.cos(2.3 * np.arange(np.prod(shape, dtype=int)) + i)).astype("float32").reshape(shape)


def pattern(n, a, b, c, d):
    return ((np.arange(n) * a % b - c) / d).astype("float32")


# ---- drawing -------------------------------------------------------------------------------------

def draw(r, *choices):
    return choices[r.integers(len(choices))]


def per_axis(r, rank, *choices):
    """One for all axes, or one for each."""
    if r.random() < 0.5:
        return draw(r, *choices)
    return [draw(r, *choices) for _ in range(rank)]


def layout(r, shape):
    """channels_first sometimes: the shape, and the argument."""
    if r.random() < 0.25:
        return (shape[0], shape[-1], *shape[1:-1]), {"data_format": "channels_first"}
    return shape, {}


def picture(r, rank):
    return (draw(r, 0, 1, 1, 2), *(draw(r, 0, 1, 1, 2, 3, 4, 5, 6) for _ in range(rank)),
            draw(r, 1, 1, 2, 3, 4))


def conv(rank, kind):
    def make(r):
        shape, where = layout(r, picture(r, rank))
        a = {"kernel_size": per_axis(r, rank, 1, 1, 2, 3, 4), "padding": draw(r, "valid", "same"),
             "use_bias": bool(draw(r, True, False)), **where}
        if draw(r, True, False):
            a["strides"] = per_axis(r, rank, 1, 2, 3, 5)
        else:
            a["dilation_rate"] = per_axis(r, rank, 1, 2, 3)
        if draw(r, *[False] * 9, True):
            a["strides"] = a["dilation_rate"] = 2
        if kind == "conv" and rank == 1 and draw(r, False, True):
            a["padding"] = "causal"
        if kind in ("conv", "transpose", "separable"):
            a["filters"] = draw(r, 1, 2, 3, 4)
        if kind == "conv" and draw(r, False, False, True):
            a["groups"] = groups = draw(r, 2, 3)
            if draw(r, True, True, False):
                a["filters"] = groups * draw(r, 1, 2)
                at = 1 if where else len(shape) - 1
                shape = (*shape[:at], groups * draw(r, 1, 2), *shape[at + 1:])
        if kind in ("depthwise", "separable"):
            a["depth_multiplier"] = draw(r, 1, 1, 2)
        if kind in ("depthwise", "separable") and "strides" in a and not isinstance(a["strides"], int):
            a["strides"] = a["strides"][0] if draw(r, True, True, False) else a["strides"]
        if kind == "transpose" and draw(r, False, False, True):
            a["output_padding"] = draw(r, 0, 1, 2)
        return a, [shape]
    return make


def pool(rank):
    def make(r):
        shape, where = layout(r, picture(r, rank))
        return {"pool_size": per_axis(r, rank, 1, 2, 3, 4), "padding": draw(r, "valid", "same"),
                "strides": draw(r, None, per_axis(r, rank, 1, 2, 3, 7)), **where}, [shape]
    return make


def global_pool(rank):
    def make(r):
        shape, where = layout(r, picture(r, rank))
        return {"keepdims": bool(draw(r, True, False)), **where}, [shape]
    return make


def around(rank, name, largest):
    def make(r):
        shape, where = layout(r, picture(r, rank))
        one = lambda: int(r.integers(largest + 1))  # noqa: E731
        if draw(r, True, False):
            v = one()
        elif rank == 1:
            v = [one(), one()]
        else:
            v = [[one(), one()] for _ in range(rank)]
        return {name: v, **where}, [shape]
    return make


def up_sampling(rank):
    def make(r):
        shape, where = layout(r, picture(r, rank))
        a = {"size": draw(r, 1, 2, 3) if rank == 1 else per_axis(r, rank, 1, 2, 3), **where}
        if rank == 1:
            a.pop("data_format", 0)
            shape = picture(r, 1)
        if rank == 2:
            a["interpolation"] = draw(r, "nearest", "bilinear", "bicubic", "lanczos3", "lanczos5")
        return a, [shape]
    return make


def recurrent(more):
    def make(r):
        a = {"units": draw(r, 1, 2, 3), "return_sequences": bool(draw(r, True, False)),
             "go_backwards": bool(draw(r, True, False)), "unroll": bool(draw(r, False, False, True))}
        if more == "GRU":
            a["reset_after"] = bool(draw(r, True, False))
        return a, [(draw(r, 0, 1, 2), draw(r, 1, 1, 2, 3), draw(r, 1, 2))]
    return make


def any_shape(r, low=2, high=4):
    return tuple(draw(r, 0, 1, 1, 2, 3, 4) for _ in range(r.integers(low, high + 1)))


def norm(kind):
    def make(r):
        shape = any_shape(r)
        axis = int(r.integers(-len(shape) - (r.random() < 0.1), len(shape)))
        a = {"axis": axis}
        if kind == "group":
            a["groups"] = draw(r, -1, 1, 2, 3)
        if kind != "unit":
            a["center"], a["scale"] = bool(draw(r, True, False)), bool(draw(r, True, False))
        if kind == "layer" and draw(r, True, False):
            a["axis"] = sorted(set(int(i) for i in r.integers(1, len(shape), 2)))
        return a, [shape]
    return make


def merge(n):
    def make(r):
        shape = any_shape(r)
        other = tuple(1 if r.random() < 0.3 else d if r.random() < 0.95 else d + 1 for d in shape[1:])
        return {}, [shape, (shape[0], *other)] + [shape] * (n - 2)
    return make


def dot(r):
    b, k = draw(r, 0, 1, 2), draw(r, 1, 2, 3)
    a = {"axes": draw(r, 1, 2, -1, [1, 2], [2, 1], 3), "normalize": bool(draw(r, True, False))}
    if draw(r, True, False):
        return {**a, "axes": 1}, [(b, k), (b, draw(r, k, k, k + 1))]
    return a, [(b, draw(r, k, 1), k), (b, k, draw(r, k, 2))]


def concatenate(r):
    shape = any_shape(r)
    axis = int(r.integers(-len(shape), len(shape) + 1))
    other = list(shape)
    if -len(shape) <= axis < len(shape):
        other[axis] = draw(r, 0, 1, 2)
    return {"axis": axis}, [shape, tuple(other)]


def attention(r):
    b, tq, tv, d = draw(r, 0, 1, 2), draw(r, 1, 2, 3), draw(r, 1, 2), draw(r, 1, 3)
    return ({"use_scale": bool(draw(r, True, False)), "score_mode": draw(r, "dot", "concat")},
            [(b, tq, d), (b, tv, d)])


def multi_head(r):
    b, tq, tv = draw(r, 0, 1, 2), draw(r, 1, 2, 3), draw(r, 1, 2)
    a = {"num_heads": draw(r, 1, 2), "key_dim": draw(r, 1, 2), "use_bias": bool(draw(r, True, False))}
    if draw(r, True, False):
        a["value_dim"], a["output_shape"] = draw(r, 1, 3), [draw(r, 1, 2)]
    return a, [(b, tq, draw(r, 1, 2)), (b, tv, draw(r, 1, 3))]


def plain(args):
    return lambda r: (args(r), [any_shape(r)])


def permute(r):
    shape = any_shape(r)
    dims = [int(i) + 1 for i in r.permutation(len(shape) - 1)]
    if r.random() < 0.15:
        dims[0] = draw(r, 0, dims[-1], 9)
    return {"dims": dims}, [shape]


def prelu(r):
    shape = any_shape(r)
    shared = [i for i in range(1, len(shape)) if r.random() < 0.4]
    return {"shared_axes": shared or None}, [shape]


MAKERS = {
    **{f"Conv{d}D": conv(d, "conv") for d in (1, 2, 3)},
    **{f"Conv{d}DTranspose": conv(d, "transpose") for d in (1, 2, 3)},
    **{f"DepthwiseConv{d}D": conv(d, "depthwise") for d in (1, 2)},
    **{f"SeparableConv{d}D": conv(d, "separable") for d in (1, 2)},
    **{f"{k}Pooling{d}D": pool(d) for k in ("Max", "Average") for d in (1, 2, 3)},
    **{f"Global{k}Pooling{d}D": global_pool(d) for k in ("Max", "Average") for d in (1, 2, 3)},
    **{f"ZeroPadding{d}D": around(d, "padding", 3) for d in (1, 2, 3)},
    **{f"Cropping{d}D": around(d, "cropping", 3) for d in (1, 2, 3)},
    **{f"UpSampling{d}D": up_sampling(d) for d in (1, 2, 3)},
    "Embedding": lambda r: ({"input_dim": draw(r, 1, 2, 5), "output_dim": draw(r, 1, 2)}, [any_shape(r, 1, 3)]),
    **{k: recurrent(k) for k in ("SimpleRNN", "GRU", "LSTM")},
    "LayerNormalization": norm("layer"),
    "GroupNormalization": norm("group"),
    "UnitNormalization": norm("unit"),
    "LeakyReLU": plain(lambda r: {"negative_slope": draw(r, 0.0, 0.3, 1.0)}),
    "PReLU": prelu,
    "ELU": plain(lambda r: {"alpha": draw(r, 0.0, 0.5, 1.0)}),
    "Permute": permute,
    "RepeatVector": lambda r: ({"n": draw(r, 1, 2, 3)}, [any_shape(r, 2, 2 + (r.random() < 0.2))]),
    "Identity": plain(lambda r: {}),
    "ActivityRegularization": plain(lambda r: {"l1": 0.5, "l2": draw(r, 0.0, 0.25)}),
    "SpatialDropout1D": lambda r: ({"rate": 0.5}, [any_shape(r, 3, 3 + (r.random() < 0.2))]),
    "GaussianNoise": plain(lambda r: {"stddev": draw(r, 0.0, 1.0)}),
    "AlphaDropout": plain(lambda r: {"rate": 0.5}),
    "Subtract": merge(2),
    **{k: merge(3) for k in ("Add", "Multiply", "Average", "Maximum", "Minimum")},
    "Concatenate": concatenate,
    "Dot": dot,
    "Attention": attention,
    "AdditiveAttention": lambda r: ({"use_scale": bool(draw(r, True, False))}, attention(r)[1]),
    "MultiHeadAttention": multi_head,
}

# ---- running -------------------------------------------------------------------------------------


def run(case, layer, inputs):
    kw = {}
    x = [np.arange(np.prod(s, dtype=int)).reshape(s).astype("int32") * 5 % case["ids"] if case["ids"] else
         np.zeros(s, "float32") if case["zeros"] else noise(s, i) for i, s in enumerate(inputs)]
    if case["mask"]:
        at = np.arange(np.prod(inputs[0][:2], dtype=int)).reshape(inputs[0][:2])
        kw["mask"] = np.array({"none": at < 0, "all": at >= 0, "some": at % 3 != 1}[case["mask"]])
    call = lambda x: x if len(x) > 1 else x[0]  # noqa: E731
    if case["class"] == "MultiHeadAttention":
        layer.build(inputs[0], inputs[1])
    elif len(inputs) > 1:
        layer.build([tuple(s) for s in inputs])
    else:
        layer.build(tuple(inputs[0]))
    tv = [v for v in layer.trainable_variables]
    for i, v in enumerate(layer.weights):
        v.assign(weight(v.shape, i))

    def forward(tv_values, x):
        args = x if case["class"] == "MultiHeadAttention" else [call(x)]
        y, _ = layer.stateless_call(tv_values, [v.value for v in layer.non_trainable_variables], *args, **kw)
        return y

    values = [v.value for v in tv]

    def loss(tv, x):
        y = forward(tv, x)
        c = pattern(y.size, 7, 11, 4.5, 4).reshape(y.shape)
        return (y * c).sum(), y

    step = jax.jit(jax.value_and_grad(loss, (0, 1), has_aux=True, allow_int=True))
    (_, y), (dw, dx) = step(values, x)
    y = np.array(y)
    grads = ([] if case["ids"] else list(dx)) + list(dw)
    return y, [float((np.array(g).ravel() * pattern(g.size, 3, 7, 3, 2)).sum()) for g in grads]


def make(name, i):
    r = golden.rng(f"edges/{name}/{i}")
    args, inputs = MAKERS[name](r)
    case = {"class": name, "config": args, "in": inputs, "zeros": bool(r.random() < 0.15),
            "ids": args["input_dim"] if name == "Embedding" else 0, "mask": ""}
    if name in ("SimpleRNN", "GRU", "LSTM"):
        case["mask"] = draw(r, "", "none", "all", "some")
    try:
        kw = {k: tuple(map(tuple, v)) if isinstance(v, list) and v and isinstance(v[0], list) else
              tuple(v) if isinstance(v, list) and k not in ("axis", "shared_axes") else v
              for k, v in args.items()}
        y, g = run(case, getattr(L, name)(**kw), inputs)
    except Exception as e:
        return {**case, "error": True, "_why": f"{type(e).__name__}: {str(e)[:150]}"}, None, None
    return {**case, "y": y.shape, "grads": len(g)}, y, g


if __name__ == "__main__":
    cases, ys, gs = [], [], []
    for name in MAKERS:
        n = 16 if "Conv" in name else 8
        for i in range(n):
            case, y, g = make(name, i)
            why = case.pop("_why", None)
            if why and __import__("os").environ.get("EDGES_WHY"):
                print(name, case["config"], case["in"], why)
            cases.append(case)
            if y is not None:
                ys.append(y.astype("float32").ravel())
                gs += g
    members = {"y": np.concatenate(ys), "g": np.array(gs)}
    golden.save("edges", members, "layers at the edges of what they take", cases=cases, backend="jax")
    print(len(cases), "cases,", sum("error" in c for c in cases), "errors")
