"""metrics.npz: every exported metric after each of 3 updates, without and with sample weights.

DATA/y_true0 … 2, DATA/y_pred0 … 2   batches of 5, 4 and 3 (Mean and Sum: only DATA/y_true)
DATA/weight0 … 2                     sample weights
CASE/result (3, …)                   result() after the 1st, 2nd, 3rd update_state, no weights
CASE/weighted (3, …)                 the same with the weights
CASE/state0 …, CASE/weighted_state0 …   the variables after the 3rd update, in their order
meta.cases[CASE] = {"class", "args", "data", "variables"}; several cases share one DATA.
MeanSquaredError.mask: DATA/mask0 … is the Keras mask of y_pred, no weights.
"""

import numpy as np

import golden

keras = golden.start()
from keras.src import backend  # noqa: E402

members, cases = {}, {}


def data(name, batches, weight_shape=lambda b: b[0].shape[:1], masks=None):
    """Stores batches under a name of their own, with weights; (batch size,) by default."""
    g = golden.rng(f"weight/{name}")
    for i, batch in enumerate(batches):
        for part, value in zip(("y_true", "y_pred"), batch):
            members[f"{name}/{part}{i}"] = value
        if masks is None:
            members[f"{name}/weight{i}"] = g.uniform(0, 2, weight_shape(batch)).astype(np.float32)
        else:
            members[f"{name}/mask{i}"] = masks[i]
    return name


def run(cls, args, name, weighted):
    metric = getattr(keras.metrics, cls)(**args)
    results = []
    for i in range(3):
        batch = [members.get(f"{name}/{part}{i}") for part in ("y_true", "y_pred")]
        batch = [keras.ops.convert_to_tensor(b) for b in batch if b is not None]
        if f"{name}/mask{i}" in members:
            backend.set_keras_mask(batch[1], keras.ops.convert_to_tensor(members[f"{name}/mask{i}"]))
        kw = {"sample_weight": members[f"{name}/weight{i}"]} if weighted else {}
        metric.update_state(*batch, **kw)
        results.append(np.array(metric.result()))
    return np.stack(results), metric.variables


def case(name, cls, args, of, weighted=True):
    for w in (False, True) if weighted else (False,):
        result, variables = run(cls, args, of, w)
        members[f"{name}/weighted" if w else f"{name}/result"] = result
        for i, v in enumerate(variables):
            members[f"{name}/{'weighted_' if w else ''}state{i}"] = v.numpy()
    cases[name] = {
        "class": cls,
        "args": args,
        "data": of,
        "variables": [v.name for v in variables],
    }


SIZES = (5, 4, 3)  # batches of different sizes, so that a mean of means shows


def each(make):
    return [make(golden.rng(f"batch{i}"), b) for i, b in enumerate(SIZES)]


def f32(x):
    return np.asarray(x, np.float32)


def softmax(z):
    e = np.exp(z - z.max(-1, keepdims=True))
    return f32(e / e.sum(-1, keepdims=True))


def hot(i, of):
    return np.eye(of, dtype=np.float32)[i]


def per_value(b):
    return b[0].shape


def per_step(b):
    return b[0].shape[:2]


# means
any3 = data("any3", each(lambda g, b: (f32(g.normal(size=(b, 3))),)))
scalars = data("scalars", [(f32(1.5),), (f32(-2.0),), (f32(4.0),)], lambda b: ())
for cls in ("Mean", "Sum"):
    case(cls, cls, {}, any3)
    case(f"{cls}.scalar", cls, {}, scalars)

# regression
reg_ = each(lambda g, b: (f32(g.normal(size=(b, 3))), f32(g.normal(size=(b, 3)))))
cube_ = each(lambda g, b: (f32(g.normal(size=(b, 3, 2))), f32(g.normal(size=(b, 3, 2)))))
masks = [golden.rng(f"mask{i}").uniform(size=(b, 3)) < 0.6 for i, b in enumerate(SIZES)]
reg = data("reg", reg_)
reg_axis_0 = data("reg_axis_0", reg_, lambda b: b[0].shape[1:])
pos = data("pos", each(lambda g, b: (f32(g.uniform(0, 3, (b, 3))), f32(g.uniform(0.01, 3, (b, 3))))))
near = data("near", [(t, f32(t + 0.3 * p)) for t, p in reg_])
for cls in ("MeanSquaredError", "RootMeanSquaredError", "MeanAbsoluteError",
            "MeanAbsolutePercentageError", "LogCoshError", "CosineSimilarity"):
    case(cls, cls, {}, reg)
for cls in ("MeanSquaredLogarithmicError", "Poisson"):
    case(cls, cls, {}, pos)
case("CosineSimilarity.axis_0", "CosineSimilarity", {"axis": 0}, reg_axis_0)
ranks = data("ranks", [(t[:, 0], p[:, :1]) for t, p in reg_])
case("MeanSquaredError.ranks", "MeanSquaredError", {}, ranks)
case("MeanSquaredError.3d", "MeanSquaredError", {}, data("cube", cube_, per_step))
masked = data("masked", cube_, masks=masks)
case("MeanSquaredError.mask", "MeanSquaredError", {}, masked, weighted=False)
for agg in ("uniform_average", "variance_weighted_average", None):
    case(f"R2Score.{agg or 'none'}", "R2Score", {"class_aggregation": agg}, near)
case("R2Score.adjusted", "R2Score", {"num_regressors": 2}, near)
for cls in ("PearsonCorrelation", "ConcordanceCorrelation"):
    case(cls, cls, {}, near)
    case(f"{cls}.axis_0", cls, {"axis": 0}, near, weighted=False)

# binary
binary_ = each(lambda g, b: (f32(g.integers(0, 2, (b, 3))), f32(g.uniform(0.01, 0.99, (b, 3)))))
logits_ = each(lambda g, b: (f32(g.integers(0, 2, (b, 3))), f32(g.normal(size=(b, 3)) * 3)))
binary, binlogits = data("binary", binary_), data("binlogits", logits_)
one = data("one", [(t[:, :1], p[:, :1]) for t, p in binary_])
at_threshold = data("at_threshold", [(f32([[1], [0]]), f32([[0.5], [0.5]]))] * 3)
signs = data("signs", [(t * 2 - 1, p) for t, p in logits_])
case("BinaryAccuracy", "BinaryAccuracy", {}, binary)
case("BinaryAccuracy.threshold", "BinaryAccuracy", {"threshold": 0.3}, binary)
case("BinaryAccuracy.one_output", "BinaryAccuracy", {}, one)
case("BinaryAccuracy.at_threshold", "BinaryAccuracy", {}, at_threshold)
case("BinaryCrossentropy", "BinaryCrossentropy", {}, binary)
case("BinaryCrossentropy.logits", "BinaryCrossentropy", {"from_logits": True}, binlogits)
case("BinaryCrossentropy.smoothing", "BinaryCrossentropy", {"label_smoothing": 0.2}, binary)
case("Hinge", "Hinge", {}, signs)
case("Hinge.zero_one", "Hinge", {}, binlogits)
case("SquaredHinge", "SquaredHinge", {}, signs)

# categorical
sparse_ = each(lambda g, b: (g.integers(0, 4, b), softmax(g.normal(size=(b, 4)) * 2)))
catlogits_ = each(lambda g, b: (hot(g.integers(0, 4, b), 4), f32(g.normal(size=(b, 4)) * 3)))
steps_ = each(lambda g, b: (g.integers(0, 4, (b, 2)), softmax(g.normal(size=(b, 2, 4)))))
tied = f32([[0.4, 0.4, 0.2, 0], [0.4, 0.4, 0.2, 0], [0.25] * 4])
sparse = data("sparse", sparse_)
steps = data("steps", steps_, per_value)
categorical = data("categorical", [(hot(t, 4), p) for t, p in sparse_])
catlogits = data("catlogits", catlogits_)
ties = data("ties", [(hot(np.array([0, 1, 2]), 4), tied)] * 3)
wide = data("wide", each(lambda g, b: (hot(g.integers(0, 9, b), 9), softmax(g.normal(size=(b, 9))))))
best_ids = [(t, np.argsort(-p, -1).astype(np.int64)) for t, p in sparse_]
case("Accuracy", "Accuracy", {}, data("equal", [(t, p.argmax(-1)) for t, p in sparse_]))
case("CategoricalAccuracy", "CategoricalAccuracy", {}, categorical)
case("CategoricalAccuracy.ties", "CategoricalAccuracy", {}, ties)
S = "SparseCategoricalAccuracy"
case(S, S, {}, sparse)
case(f"{S}.column", S, {}, data("column", [(t[:, None], p) for t, p in sparse_]))
case(f"{S}.steps", S, {}, steps)
for k in (1, 2, 3):
    case(f"TopKCategoricalAccuracy.{k}", "TopKCategoricalAccuracy", {"k": k}, categorical)
    case(f"SparseTopKCategoricalAccuracy.{k}", "SparseTopKCategoricalAccuracy", {"k": k}, sparse)
case("TopKCategoricalAccuracy.ties", "TopKCategoricalAccuracy", {"k": 1}, ties)
case("TopKCategoricalAccuracy.default", "TopKCategoricalAccuracy", {}, wide)
case("SparseTopKCategoricalAccuracy.sorted_ids", "SparseTopKCategoricalAccuracy",
     {"k": 2, "from_sorted_ids": True}, data("best_ids", best_ids))
S = "SparseCategoricalCrossentropy"
case("CategoricalCrossentropy", "CategoricalCrossentropy", {}, categorical)
case("CategoricalCrossentropy.logits", "CategoricalCrossentropy",
     {"from_logits": True, "label_smoothing": 0.1}, catlogits)
case(S, S, {}, sparse)
case(f"{S}.logits", S, {"from_logits": True},
     data("sparse_logits", [(t.argmax(-1), p) for t, p in catlogits_]))
case(f"{S}.ignore_class", S, {"ignore_class": 1}, sparse)
case("KLDivergence", "KLDivergence", {}, data("two", [(np.roll(p, 1, -1), p) for _, p in sparse_]))
case("CategoricalHinge", "CategoricalHinge", {}, catlogits)

# confusion counts
nothing = data("nothing", [(t * 0, p * 0) for t, p in binary_])
for cls in ("TruePositives", "TrueNegatives", "FalsePositives", "FalseNegatives"):
    case(cls, cls, {}, binary)
    case(f"{cls}.thresholds", cls, {"thresholds": [0.2, 0.5, 0.8]}, binary)
for cls in ("Precision", "Recall"):
    case(cls, cls, {}, binary)
    case(f"{cls}.threshold", cls, {"thresholds": 0.7}, binary)
    case(f"{cls}.thresholds", cls, {"thresholds": [0.0, 0.3, 0.6, 1.0]}, binary)
    case(f"{cls}.top_k", cls, {"top_k": 2}, categorical)
    case(f"{cls}.class_id", cls, {"class_id": 1}, categorical)
    case(f"{cls}.top_k_class_id", cls, {"top_k": 2, "class_id": 0}, categorical)
    case(f"{cls}.none_positive", cls, {}, nothing)
case("SensitivityAtSpecificity", "SensitivityAtSpecificity", {"specificity": 0.5}, one)
case("SensitivityAtSpecificity.one", "SensitivityAtSpecificity",
     {"specificity": 0.5, "num_thresholds": 1}, binary)
case("SpecificityAtSensitivity", "SpecificityAtSensitivity", {"sensitivity": 0.6}, one)
case("PrecisionAtRecall", "PrecisionAtRecall", {"recall": 0.5}, one)
case("PrecisionAtRecall.few", "PrecisionAtRecall", {"recall": 0.8, "num_thresholds": 5}, binary)
case("RecallAtPrecision", "RecallAtPrecision", {"precision": 0.6}, one)
case("RecallAtPrecision.class_id", "RecallAtPrecision", {"precision": 0.4, "class_id": 2}, categorical)

# AUC
edges = data("edges", [(f32([0, 1, 1, 0, 1]), f32([0, 1, 0.5, 0.5, 0.1]))] * 3)
only_ones = data("only_ones", [(t * 0 + 1, p) for t, p in binary_])
for curve in ("ROC", "PR"):
    for method in ("interpolation", "minoring", "majoring"):
        case(f"AUC.{curve}.{method}", "AUC",
             {"curve": curve, "summation_method": method, "num_thresholds": 20}, binary)
    case(f"AUC.{curve}", "AUC", {"curve": curve}, binary)
    case(f"AUC.{curve}.edges", "AUC", {"curve": curve, "num_thresholds": 11}, edges)
    case(f"AUC.{curve}.only_ones", "AUC", {"curve": curve, "num_thresholds": 5}, only_ones)
case("AUC.thresholds", "AUC", {"thresholds": [0.1, 0.25, 0.6]}, binary)
case("AUC.thresholds_even", "AUC", {"thresholds": [0.25, 0.5, 0.75]}, binary)
case("AUC.logits", "AUC", {"from_logits": True, "num_thresholds": 10}, binlogits)
case("AUC.multi_label", "AUC", {"multi_label": True, "num_thresholds": 10}, binary)
case("AUC.multi_label_weights", "AUC", {"multi_label": True, "num_labels": 3, "num_thresholds": 10,
     "label_weights": [0.2, 0.5, 0.3]}, binary)

# F scores
for average in (None, "micro", "macro", "weighted"):
    a = average or "none"
    case(f"F1Score.{a}", "F1Score", {"average": average}, categorical)
    case(f"FBetaScore.{a}", "FBetaScore", {"average": average, "beta": 2.0, "threshold": 0.4}, binary)
case("FBetaScore.half", "FBetaScore", {"beta": 0.5}, categorical)

# intersection over union
onehot_ = [(hot(t, 4), p) for t, p in steps_]
ids = data("ids", each(lambda g, b: (g.integers(0, 4, (b, 2)), g.integers(0, 4, (b, 2)))), per_value)
binary_each = data("binary_each", binary_, per_value)
onehot = data("onehot", onehot_, per_step)
onehot_ids = data("onehot_ids", [(t, p.argmax(-1)) for t, p in onehot_], per_step)
case("IoU", "IoU", {"num_classes": 4, "target_class_ids": [0]}, ids)
case("IoU.two", "IoU", {"num_classes": 4, "target_class_ids": [1, 3]}, ids)
case("IoU.dense", "IoU", {"num_classes": 4, "target_class_ids": [0, 2], "sparse_y_pred": False}, steps)
case("MeanIoU", "MeanIoU", {"num_classes": 4}, ids)
case("MeanIoU.ignore_class", "MeanIoU", {"num_classes": 4, "ignore_class": 1}, ids)
case("MeanIoU.absent_class", "MeanIoU", {"num_classes": 6}, ids)
# The counts are integers by default, and weights are truncated to them; not so with dtype float32.
case("IoU.float", "IoU", {"num_classes": 4, "target_class_ids": [0, 2], "dtype": "float32"}, ids)
case("MeanIoU.float", "MeanIoU", {"num_classes": 4, "dtype": "float32"}, ids)
case("BinaryIoU", "BinaryIoU", {}, binary_each)
case("BinaryIoU.one", "BinaryIoU", {"target_class_ids": [1], "threshold": 0.3}, binary_each)
case("OneHotIoU", "OneHotIoU", {"num_classes": 4, "target_class_ids": [0, 2]}, onehot)
case("OneHotMeanIoU", "OneHotMeanIoU", {"num_classes": 4}, onehot)
case("OneHotMeanIoU.sparse_pred", "OneHotMeanIoU", {"num_classes": 4, "sparse_y_pred": True}, onehot_ids)

golden.save("metrics", members, "every exported metric over 3 updates", cases)
for k, v in members.items():
    if not np.isfinite(v).all():
        print("  not finite:", k)
