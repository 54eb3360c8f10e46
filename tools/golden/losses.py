"""losses.npz: every exported loss but CTC, with options, reductions, weights, masks and gradients.

CASE/y_true, CASE/y_pred
CASE/none  CASE/sum  CASE/sum_over_batch_size
           the class called with that reduction and no weight; without weights "mean" and
           "mean_with_sample_weight" give what "sum_over_batch_size" gives (asserted here)
CASE/weight            sample weights; CASE/weighted_REDUCTION with them, all five reductions
CASE/grad              d (sum_over_batch_size) / d y_pred;  CASE/weighted_grad with the weights
CASE/mask              present where y_pred carries a Keras mask; then all results are with it
CASE/fn                what the function gives, where that differs from the class's "none"
CASE/jax_NAME          what JAX says, where it differs from TensorFlow: at edges and outside the
                       domain. A test may then accept either.
meta.cases[CASE] = {"class", "args", "function"}.
(SparseCategoricalCrossentropy has an `axis`, but any other than the last raises: there is no case.)
"""

import numpy as np

import golden

keras = golden.start(golden.part() or "tensorflow")
from keras.src import backend  # noqa: E402

if golden.part():
    import jax
else:
    import tensorflow as tf

REDUCTIONS = ("none", "sum", "sum_over_batch_size", "mean", "mean_with_sample_weight")
members, cases = {}, {}


def function_name(cls):
    out = "".join("_" + c.lower() if c.isupper() else c for c in cls)[1:]
    return out.replace("k_l_", "kl_")


def run(cls, args, reduction, y_true, y_pred, weight, mask):
    loss = getattr(keras.losses, cls)(**args, reduction=reduction)
    if golden.part():
        f = lambda p: loss(y_true, p, sample_weight=weight)  # noqa: E731
        return np.array(f(y_pred)), np.array(jax.grad(lambda p: f(p).sum())(y_pred))
    p = tf.constant(y_pred)
    with tf.GradientTape() as tape:
        tape.watch(p)
        q = tf.identity(p)
        if mask is not None:
            backend.set_keras_mask(q, tf.constant(mask))
        value = loss(tf.constant(y_true), q, sample_weight=weight)
    return value.numpy(), tape.gradient(value, p).numpy()


def case(name, cls, args, y_true, y_pred, weight=None, mask=None):
    if golden.part() and mask is not None:
        return
    members[f"{name}/y_true"], members[f"{name}/y_pred"] = y_true, y_pred
    if mask is not None:
        members[f"{name}/mask"] = mask
    if weight is None and cls not in ("Dice", "Tversky", "Circle"):
        # One weight for each value: Keras 3 does not broadcast (batch,) over (batch, time).
        shape = run(cls, args, "none", y_true, y_pred, None, mask)[0].shape
        weight = golden.rng(f"weight/{name}").uniform(0, 2, shape).astype(np.float32)
    for prefix, w in (("", None), ("weighted_", weight)):
        if prefix and w is None:
            continue
        if prefix:
            members[f"{name}/weight"] = w
        for r in REDUCTIONS:
            value, grad = run(cls, args, r, y_true, y_pred, w, mask)
            if not prefix and r.startswith("mean"):
                assert np.allclose(value, members[f"{name}/sum_over_batch_size"], 1e-6, equal_nan=True)
                continue
            members[f"{name}/{prefix}{r}"] = value
            if r == "sum_over_batch_size":
                members[f"{name}/{prefix}grad"] = grad
    if mask is None and not name.endswith("one_output"):  # only the class lines up the ranks
        q = {"q": 0.5} if cls == "CategoricalGeneralizedCrossEntropy" else {}
        got = getattr(keras.losses, function_name(cls))(y_true, y_pred, **q | args)
        got, none = keras.ops.convert_to_numpy(got), members[f"{name}/none"]
        if got.shape != none.shape or not np.array_equal(got, none, equal_nan=True):
            members[f"{name}/fn"] = got
    cases[name] = {"class": cls, "args": args, "function": function_name(cls)}


def u(name, *shape, low=0.0, high=1.0):
    return golden.rng(f"u/{name}").uniform(low, high, shape).astype(np.float32)


def n(name, *shape, scale=1.0):
    return golden.normal(f"n/{name}", *shape, scale=scale)


def prob(name, *shape):
    p = np.exp(n(name, *shape, scale=1.5))
    return (p / p.sum(-1, keepdims=True)).astype(np.float32)


def ids(name, *shape, of):
    return golden.rng(f"ids/{name}").integers(0, of, shape)


def hot(i, of):
    return np.eye(of, dtype=np.float32)[i]


i23 = ids("i23", 2, 3, of=5)
lc3 = n("lc3", 2, 5, 3, scale=2)
pc3 = np.moveaxis(prob("pc3", 2, 3, 5), -1, 1)
S = "SparseCategoricalCrossentropy"

# regression
t, p = n("t", 4, 5), n("p", 4, 5)
t3, p3 = n("t3", 2, 3, 4), n("p3", 2, 3, 4)
w3 = u("w3", 2, 3)
tp, pp = u("tp", 4, 5, high=4), u("pp", 4, 5, high=4)
pp_odd = pp.copy()
pp_odd[0, :3] = [0.0, -0.5, 1e-9]
tp_odd = tp.copy()
tp_odd[1, :2] = [0.0, 1e-9]
for cls, a, b in (
    ("MeanSquaredError", t, p),
    ("MeanAbsoluteError", t, p),
    ("MeanAbsolutePercentageError", t, p),
    ("MeanSquaredLogarithmicError", tp, pp),
    ("LogCosh", t, p),
    ("Huber", t, p),
    ("Poisson", tp, pp),
    ("CosineSimilarity", t, p),
):
    case(cls, cls, {}, a, b)
case("MeanSquaredError.weights_per_step", "MeanSquaredError", {}, t3, p3, weight=w3)
case("MeanSquaredError.weights_column", "MeanSquaredError", {}, t, p, weight=u("wc", 4, 1))
case("MeanSquaredError.rank_1", "MeanSquaredError", {}, t[:, 0], p[:, 0])
case("MeanSquaredError.true_rank_1", "MeanSquaredError", {}, t[:, 0], p[:, :1])
mask = np.array([[1, 1, 0], [1, 0, 0]], bool)
case("MeanSquaredError.mask", "MeanSquaredError", {}, t3, p3, mask=mask, weight=w3)
case("MeanAbsoluteError.mask", "MeanAbsoluteError", {}, t3, p3, mask=mask)
case("MeanAbsolutePercentageError.zeros", "MeanAbsolutePercentageError", {}, tp_odd, pp_odd)
case("MeanSquaredLogarithmicError.zeros", "MeanSquaredLogarithmicError", {}, tp_odd, pp_odd)
case("Poisson.zeros", "Poisson", {}, tp_odd, np.maximum(pp_odd, 0))
case("LogCosh.large", "LogCosh", {}, t * 1000, p)
case("Huber.delta", "Huber", {"delta": 0.3}, t, p)
case("CosineSimilarity.axis_1", "CosineSimilarity", {"axis": 1}, t3, p3)
case("CosineSimilarity.zeros", "CosineSimilarity", {}, t, p * (np.arange(4) > 0)[:, None].astype("f"))

# binary
yb, pb = ids("yb", 4, 5, of=2).astype(np.float32), u("pb", 4, 5, low=0.02, high=0.98)
pb_edge = pb.copy()
pb_edge[0] = [0.0, 1.0, 1e-9, 1 - 1e-7, 0.5]
yb_edge = yb.copy()
yb_edge[0] = [1.0, 0.0, 1.0, 0.0, 1.0]
logits = n("logits", 4, 5, scale=3)
logits_edge = logits.copy()
logits_edge[0] = [1e4, -1e4, 100, -100, 0]
for cls in ("BinaryCrossentropy", "BinaryFocalCrossentropy"):
    case(cls, cls, {}, yb, pb)
    case(f"{cls}.edge", cls, {}, yb_edge, pb_edge)
    case(f"{cls}.logits", cls, {"from_logits": True}, yb, logits)
    case(f"{cls}.logits_edge", cls, {"from_logits": True}, yb_edge, logits_edge)
    case(f"{cls}.smoothing", cls, {"label_smoothing": 0.2}, yb, pb)
    case(f"{cls}.logits_smoothing", cls, {"from_logits": True, "label_smoothing": 0.1}, yb, logits)
    case(f"{cls}.axis_0", cls, {"axis": 0}, yb, pb, weight=u("w0", 5))
    case(f"{cls}.one_output", cls, {}, yb[:, 0], pb[:, :1])
case("BinaryCrossentropy.mask", "BinaryCrossentropy", {}, yb[:2, :3, None], pb[:2, :3, None], mask=mask)
case("BinaryCrossentropy.soft", "BinaryCrossentropy", {}, u("soft", 4, 5), pb)
case("BinaryFocalCrossentropy.balanced", "BinaryFocalCrossentropy",
     {"apply_class_balancing": True, "alpha": 0.3, "gamma": 1.5}, yb, pb)
case("BinaryFocalCrossentropy.gamma_5", "BinaryFocalCrossentropy", {"gamma": 5.0}, yb, pb)

# categorical
i5 = ids("i5", 4, of=5)
yc, pc = hot(i5, 5), prob("pc", 4, 5)
pc_edge = np.array([[1, 0, 0, 0, 0], [0, 0.5, 0.5, 0, 0], [2, 1, 1, 0.5, 0.5], [0.2] * 5], np.float32)
yc3 = np.moveaxis(hot(ids("yc3", 2, 3, of=5), 5), -1, 1)
for cls in ("CategoricalCrossentropy", "CategoricalFocalCrossentropy"):
    case(cls, cls, {}, yc, pc)
    case(f"{cls}.edge", cls, {}, np.roll(hot(np.arange(4), 5), 1, 1), pc_edge)
    case(f"{cls}.logits", cls, {"from_logits": True}, yc, logits)
    case(f"{cls}.logits_edge", cls, {"from_logits": True}, yc, logits_edge)
    case(f"{cls}.smoothing", cls, {"label_smoothing": 0.1}, yc, pc)
    case(f"{cls}.logits_smoothing", cls, {"from_logits": True, "label_smoothing": 0.3}, yc, logits)
    case(f"{cls}.axis_1", cls, {"axis": 1}, yc3, pc3)
    case(f"{cls}.logits_axis_1", cls, {"from_logits": True, "axis": 1}, yc3, lc3)
    case(f"{cls}.soft", cls, {}, prob("softlabels", 4, 5), pc)
    case(f"{cls}.not_normalised", cls, {}, yc, u("nn", 4, 5, low=0.1, high=3))
case("CategoricalFocalCrossentropy.options", "CategoricalFocalCrossentropy",
     {"alpha": 0.6, "gamma": 3.0}, yc, pc)
case("CategoricalFocalCrossentropy.alpha_list", "CategoricalFocalCrossentropy",
     {"alpha": [0.1, 0.2, 0.3, 0.25, 0.15]}, yc, pc)
case("CategoricalCrossentropy.3d_mask", "CategoricalCrossentropy", {},
     hot(ids("hm", 2, 3, of=5), 5), prob("pm", 2, 3, 5), mask=mask)
case("CategoricalGeneralizedCrossEntropy", "CategoricalGeneralizedCrossEntropy", {}, i5, pc)
case("CategoricalGeneralizedCrossEntropy.q", "CategoricalGeneralizedCrossEntropy", {"q": 0.8}, i5, pc)
case("CategoricalHinge", "CategoricalHinge", {}, yc, logits)
case("KLDivergence", "KLDivergence", {}, prob("kt", 4, 5), prob("kp", 4, 5))
case("KLDivergence.zeros", "KLDivergence", {}, yc, pc_edge)

# sparse categorical
case(S, S, {}, i5, pc)
case(f"{S}.column", S, {}, i5[:, None], pc)
case(f"{S}.float_labels", S, {}, i5.astype(np.float32), pc)
case(f"{S}.edge", S, {}, np.array([1, 2, 0, 4]), pc_edge)
case(f"{S}.logits", S, {"from_logits": True}, i5, logits)
case(f"{S}.logits_edge", S, {"from_logits": True}, i5, logits_edge)
case(f"{S}.3d", S, {}, i23, prob("s3", 2, 3, 5), weight=w3)
case(f"{S}.3d_mask", S, {}, i23, prob("s3", 2, 3, 5), mask=mask)
case(f"{S}.ignore_class", S, {"ignore_class": 2}, np.array([2, 0, 2, 4]), pc)
case(f"{S}.ignore_minus_1", S, {"ignore_class": -1, "from_logits": True},
     np.array([-1, 0, 3, -1]), logits)
case(f"{S}.ignore_3d", S, {"ignore_class": 0}, np.array([[0, 1, 2], [3, 0, 0]]), prob("s4", 2, 3, 5))

# hinge: labels in {0, 1} become {-1, 1}; one label outside switches that off for the whole batch
for cls in ("Hinge", "SquaredHinge"):
    case(cls, cls, {}, yb * 2 - 1, logits)
    case(f"{cls}.zero_one", cls, {}, yb, logits)
    case(f"{cls}.mixed", cls, {}, np.where(np.arange(20).reshape(4, 5) == 7, -1, yb).astype("f"), logits)

# overlap and metric learning
ym, pm = ids("ym", 2, 4, 4, 2, of=2).astype(np.float32), u("pm", 2, 4, 4, 2)
for cls, more in (("Dice", {}), ("Tversky", {"alpha": 0.3, "beta": 0.8})):
    case(cls, cls, {}, ym, pm)
    case(f"{cls}.axis", cls, {"axis": [1, 2, 3]}, ym, pm)
    case(f"{cls}.axis_channels", cls, {"axis": [1, 2]} | more, ym, pm)
    case(f"{cls}.zeros", cls, {}, ym * 0, pm * 0)
case("Tversky.options", "Tversky", {"alpha": 0.3, "beta": 0.8}, ym, pm)
e = n("emb", 6, 4)
e /= np.linalg.norm(e, axis=1, keepdims=True)
labels = np.array([0, 1, 0, 2, 1, 0])
case("Circle", "Circle", {}, labels, e)
case("Circle.options", "Circle", {"gamma": 32.0, "margin": 0.2}, labels, e)
case("Circle.keep_diagonal", "Circle", {"remove_diagonal": False}, labels, e)

if golden.part():
    golden.hand_over(members, cases)
golden.add_differences(__file__, "jax", members)
golden.save("losses", members, "every exported loss but CTC", cases)
for k, v in members.items():
    if not np.isfinite(v).all():
        print("  not finite:", k)
print("  function differs from class:", [k for k in members if k.endswith("/fn")])
