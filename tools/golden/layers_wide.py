"""layers_wide.npz: activation, normalization, merging, reshaping and attention layers: forward,
gradients, masks.

CASE/x0 …             inputs            CASE/w_all   weights in get_weights() order, one by one
CASE/mask0 …          Keras masks of the inputs, where they have one
CASE/attention_mask   that argument of attention layers
CASE/y, CASE/y1       outputs           (c           element i is (7 i mod 11 - 4.5) / 4)
CASE/y_mask           Keras mask of y, if it has one
CASE/dx0 …            d sum(y * c) / dx
CASE/dw_all           the same for the weights (all are trained)
meta.cases[CASE] = {"class", "args", "call", "config": layer.get_config(), "paths": of the weights}
"""

import zlib

import numpy as np

import golden

keras = golden.start("tensorflow")
import tensorflow as tf  # noqa: E402
from keras.src import backend  # noqa: E402

L = keras.layers
members, cases = {}, {}


def short(name, *shape, scale=1.0):
    """Random numbers of few bits, which make a small file; never 0, and not equal to those of other
    names."""
    offset = (2 * (zlib.crc32(name.encode()) % 8) + 1) / 16
    v = (np.round(golden.normal(name, *shape, scale=scale) * 64) + offset) / 64
    return v.astype(np.float32)


def case(name, cls, args, *xs, masks=(), listed=None, attention_mask=None, call=None):
    """listed: the layer takes a list (default: if there are several inputs)."""
    layer = getattr(L, cls)(**args, name=name)
    listed = len(xs) > 1 if listed is None else listed
    kw = dict(call or {})
    members.update({f"{name}/x{i}": x for i, x in enumerate(xs)})
    members.update({f"{name}/mask{i}": m for i, m in enumerate(masks) if m is not None})
    if attention_mask is not None:
        members[f"{name}/attention_mask"] = attention_mask
        kw["attention_mask"] = tf.constant(attention_mask)

    def run():
        for t, m in zip(ts, masks):
            if m is not None:
                backend.set_keras_mask(t, tf.constant(m))
        return layer(ts, **kw) if listed else layer(*ts, **kw)

    ts = [tf.constant(x) for x in xs]
    run()
    weights = []
    for i, v in enumerate(layer.weights):
        weights.append(short(f"{name}/w{i}", *v.shape, scale=0.5))
    layer.set_weights(weights)
    with tf.GradientTape() as tape:
        for t in ts:
            tape.watch(t)
        y = run()
        y, *more = y if isinstance(y, (list, tuple)) else [y]
        c = (np.arange(y.shape.num_elements()) * 7 % 11 - 4.5).astype(np.float32) / 4
        c = c.reshape(y.shape)
        s = tf.reduce_sum(y * c)
    y_mask = backend.get_keras_mask(y)
    dw, dx = tape.gradient(s, [[v.value for v in layer.trainable_variables], ts])
    assert len(weights) == len(dw)
    if weights:
        members[f"{name}/w_all"] = np.concatenate([w.ravel() for w in weights])
        members[f"{name}/dw_all"] = np.concatenate([np.array(g).ravel() for g in dw])
    members[f"{name}/y"] = np.array(y)
    members.update({f"{name}/y{i + 1}": np.array(m) for i, m in enumerate(more)})
    if y_mask is not None:
        members[f"{name}/y_mask"] = np.array(y_mask)
    members.update({f"{name}/dx{i}": np.array(g) for i, g in enumerate(dx) if g is not None})
    cases[name] = {"class": cls, "args": args, "call": call or {}, "config": layer.get_config(),
                   "paths": [v.path for v in layer.weights]}


def x(name, *shape, scale=1.0):
    return short(f"x/{name}", *shape, scale=scale)


def lengths(steps, *n):
    return np.arange(steps)[None, :] < np.array(n)[:, None]


a4 = x("a4", 2, 3, 4, 5)
a3, b3, c3 = (x(n, 3, 4, 5) for n in "abc")
a2, b2 = x("a2", 4, 6), x("b2", 4, 6)

case("leaky_relu", "LeakyReLU", {}, a3)
case("leaky_relu_steep", "LeakyReLU", {"negative_slope": 1.5}, a3)
case("elu", "ELU", {}, a3)
case("elu_alpha", "ELU", {"alpha": 0.3}, a3)
case("prelu", "PReLU", {}, a3)
case("prelu_shared", "PReLU", {"shared_axes": [1, 2]}, a4)
case("prelu_shared_1", "PReLU", {"shared_axes": 1}, a3)
case("identity", "Identity", {}, a3, masks=[lengths(4, 4, 1, 0)])
case("permute", "Permute", {"dims": [3, 1, 2]}, a4)
case("permute_2", "Permute", {"dims": [2, 1]}, a3)
case("repeat_vector", "RepeatVector", {"n": 3}, a2)
case("softmax_axes", "Softmax", {"axis": [1, 2]}, a4)
case("softmax_axes_apart", "Softmax", {"axis": [1, -1]}, a4)
m3 = golden.rng("m3").random((3, 4, 5)) < 0.6
m3[1, 2] = False
case("softmax_masked", "Softmax", {}, a3, masks=[m3])
case("softmax_masked_axes", "Softmax", {"axis": [1, 2]}, a3, masks=[m3])

case("layer_norm", "LayerNormalization", {}, a3)
case("layer_norm_2d", "LayerNormalization", {}, a2)
case("layer_norm_axis_1", "LayerNormalization", {"axis": 1, "epsilon": 0.1}, a4)
case("layer_norm_axes", "LayerNormalization", {"axis": [3, 1]}, a4)
case("layer_norm_last_two", "LayerNormalization", {"axis": [-1, -2]}, a4)
case("layer_norm_no_center", "LayerNormalization", {"center": False}, a3)
case("layer_norm_no_scale", "LayerNormalization", {"scale": False}, a3)
case("layer_norm_plain", "LayerNormalization", {"scale": False, "center": False}, a3)
case("layer_norm_rms", "LayerNormalization", {"rms_scaling": True}, a3)
case("layer_norm_wide", "LayerNormalization", {}, x("wide", 5, 67, scale=3) + np.float32(10))
case("layer_norm_mask", "LayerNormalization", {}, a3, masks=[lengths(4, 4, 1, 0)])
case("group_norm", "GroupNormalization", {"groups": 2}, x("g", 3, 5, 6))
case("group_norm_pictures", "GroupNormalization", {"groups": 3, "epsilon": 0.1}, x("p", 2, 3, 4, 6))
case("group_norm_instance", "GroupNormalization", {"groups": -1}, a4)
case("group_norm_one", "GroupNormalization", {"groups": 1}, a3)
case("group_norm_axis_1", "GroupNormalization", {"groups": 2, "axis": 1}, x("f", 2, 4, 3, 3))
case("group_norm_axis_minus_2", "GroupNormalization", {"groups": 2, "axis": -2}, a4)
case("group_norm_vector", "GroupNormalization", {"groups": 3}, a2)
case("group_norm_no_scale", "GroupNormalization", {"groups": 2, "scale": False}, x("g", 3, 5, 6))
case("group_norm_no_center", "GroupNormalization", {"groups": 2, "center": False}, x("g", 3, 5, 6))
case("rms_norm", "RMSNormalization", {}, a3)
case("rms_norm_axes", "RMSNormalization", {"axis": [-1, -2], "epsilon": 0.01}, a3)
case("unit_norm", "UnitNormalization", {}, a3)
case("unit_norm_axis_1", "UnitNormalization", {"axis": 1}, a3)
case("unit_norm_axes", "UnitNormalization", {"axis": [1, 2]}, a4)

m1, m2, m4 = lengths(4, 4, 2, 0), lengths(4, 1, 3, 2), lengths(4, 3, 0, 1)
for cls in ("Add", "Multiply", "Average", "Maximum", "Minimum"):
    case(cls.lower(), cls, {}, a3, b3)
    case(f"{cls.lower()}_3", cls, {}, a3, b3, c3)
    case(f"{cls.lower()}_broadcast", cls, {}, a3, x("one", 3, 1, 5))
    case(f"{cls.lower()}_ranks", cls, {}, x("v", 3, 5), b3)
    case(f"{cls.lower()}_masks", cls, {}, a3, b3, masks=[m1, m2])
    case(f"{cls.lower()}_masks_3", cls, {}, a3, b3, c3, masks=[m1, m2, m4])
    case(f"{cls.lower()}_mask_first", cls, {}, a3, b3, masks=[m1, None])
    case(f"{cls.lower()}_mask_second", cls, {}, a3, b3, masks=[None, m2])
case("subtract", "Subtract", {}, a3, b3)
case("subtract_broadcast", "Subtract", {}, a3, x("one", 3, 1, 5))
case("subtract_masks", "Subtract", {}, a3, b3, masks=[m1, m2])
case("concatenate_masks", "Concatenate", {}, a3, b3, masks=[m1, m2])
case("concatenate_masks_axis_1", "Concatenate", {"axis": 1}, a3, b3, masks=[m1, m2])
case("concatenate_mask_first", "Concatenate", {}, a3, b3, masks=[m1, None])
case("concatenate_mask_second_axis_1", "Concatenate", {"axis": -2}, a3, b3, masks=[None, m2])
case("dot", "Dot", {"axes": 1}, a2, b2)
case("dot_last", "Dot", {"axes": -1}, a3, b3)
case("dot_pair", "Dot", {"axes": [2, 1]}, a3, x("d", 3, 5, 2))
case("dot_axis_1", "Dot", {"axes": 1}, a3, x("e", 3, 4, 2))
case("dot_vector", "Dot", {"axes": [1, 2]}, x("v", 3, 5), b3)
case("dot_matrix_vector", "Dot", {"axes": [2, 1]}, b3, x("v", 3, 5))
case("dot_4d", "Dot", {"axes": [2, 3]}, x("h", 2, 3, 5, 4), a4)
case("dot_normalize", "Dot", {"axes": 1, "normalize": True}, a2, b2)
case("dot_normalize_3d", "Dot", {"axes": [2, 1], "normalize": True}, a3, x("d", 3, 5, 2))

E = {"output_shape": [None, 6], "bias_axes": "d"}
case("einsum_dense", "EinsumDense", {"equation": "abc,cd->abd"} | E, a3)
case("einsum_dense_no_bias", "EinsumDense",
     {"equation": "ab,bc->ac", "output_shape": 7, "activation": "relu"}, a2)
case("einsum_dense_heads", "EinsumDense",
     {"equation": "abc,cde->abde", "output_shape": [None, 2, 3], "bias_axes": "de"}, a3)
case("einsum_dense_join", "EinsumDense",
     {"equation": "abcd,cde->abe", "output_shape": [None, 6], "bias_axes": "e"}, a4)
case("einsum_dense_left", "EinsumDense",
     {"equation": "...x,xy->...y", "output_shape": 6, "bias_axes": "y"}, a4)
case("einsum_dense_right", "EinsumDense",
     {"equation": "ab...,bd->ad...", "output_shape": 6, "bias_axes": "d"}, a4)
case("einsum_dense_batch", "EinsumDense",
     {"equation": "abc,bcd->adb", "output_shape": [6, 4], "bias_axes": "db"}, a3)
case("einsum_dense_turned", "EinsumDense",
     {"equation": "abc,db->acd", "output_shape": [None, 7]}, a3)
case("einsum_dense_bias_middle", "EinsumDense",
     {"equation": "abc,cde->abde", "output_shape": [None, 2, 3], "bias_axes": "d"}, a3)

q, v, k = x("q", 3, 5, 6), x("v", 3, 4, 6), x("k", 3, 4, 6)
qm, vm, km = lengths(5, 5, 2, 0), lengths(4, 4, 2, 1), lengths(4, 3, 4, 2)
am = golden.rng("am").random((3, 5, 4)) < 0.6
am[..., 0] = True
scores, causal = {"return_attention_scores": True}, {"use_causal_mask": True}
for name, cls, args in (("attention", "Attention", {}), ("additive", "AdditiveAttention", {})):
    case(name, cls, args, q, v)
    case(f"{name}_key", cls, args, q, v, k)
    case(f"{name}_masks", cls, args, q, v, masks=[qm, vm])
    case(f"{name}_value_mask", cls, args, q, v, k, masks=[None, vm, None])
    case(f"{name}_causal", cls, args, q, v, call=causal)
    case(f"{name}_causal_masks", cls, args, q, v, k, masks=[qm, vm, km], call=causal)
    case(f"{name}_scores", cls, args, q, v, call=scores)
case("attention_scale", "Attention", {"use_scale": True}, q, v)
case("attention_concat", "Attention", {"score_mode": "concat"}, q, v)
case("attention_concat_scale", "Attention", {"score_mode": "concat", "use_scale": True}, q, v, k)
case("additive_no_scale", "AdditiveAttention", {"use_scale": False}, q, v)

M = {"num_heads": 2, "key_dim": 3}
G = {"head_dim": 3, "num_query_heads": 4, "num_key_value_heads": 2}
for name, cls, args in (("mha", "MultiHeadAttention", M), ("gqa", "GroupQueryAttention", G)):
    def mha(what, *xs, more={}, **kw):
        case(f"{name}_{what}", cls, args | more, *xs, listed=False, **kw)  # noqa: B023
    mha("self", q, q)
    mha("cross", q, v)
    mha("key", q, v, k)
    mha("no_bias", q, v, more={"use_bias": False})
    mha("gate", q, v, more={"use_gate": True})
    mha("masks", q, v, masks=[qm, vm])
    mha("masks_key", q, v, k, masks=[None, vm, km])
    mha("attention_mask", q, v, attention_mask=am)
    mha("attention_mask_masks", q, v, attention_mask=am, masks=[qm, vm], call=causal)
    mha("causal", q, q, call=causal)
    mha("causal_scores", q, v, call=causal | scores)
    mha("scores", q, v, k, call=scores)
    mha("masks_scores", q, v, masks=[qm, vm], call=scores)
    mha("window", q, q, more={"sliding_window": 2})
    mha("window_causal", q, q, more={"sliding_window": 2}, call=causal)
M2 = M | {"value_dim": 4}
case("mha_value_dim", "MultiHeadAttention", M2, q, v, listed=False)
case("mha_output_shape", "MultiHeadAttention", M2 | {"output_shape": 7}, q, v, listed=False)
case("mha_output_shape_2", "MultiHeadAttention", M | {"output_shape": [2, 3]}, q, v, listed=False)
pq, pv = x("pq", 2, 3, 4, 6), x("pv", 2, 3, 5, 6)
case("mha_pictures", "MultiHeadAttention", M, pq, pq, listed=False)
case("mha_axis_2", "MultiHeadAttention", M | {"attention_axes": 2}, pq, pv, listed=False)
case("mha_axis_minus_2", "MultiHeadAttention", M | {"attention_axes": [-2]}, pq, pv, listed=False)
case("mha_axes", "MultiHeadAttention", M | {"attention_axes": [1, 2]}, pq, pv, listed=False)
case("mha_axes_scores", "MultiHeadAttention", M | {"attention_axes": [1, 2]}, pq, pv, listed=False,
     call=scores)

golden.save("layers_wide", members, "normalization, merging, reshaping, attention layers", cases)
