"""features.npz: layers that prepare features (categories, hashes): real Keras on TensorFlow.

CASE/x0 …  inputs as they go in; int64 ones use all of their bits
CASE/y     output
meta.cases[CASE] = {"class", "args"}
"""

import numpy as np

import golden

keras = golden.start("tensorflow")
L = keras.layers
members, cases = {}, {}
I64 = np.iinfo(np.int64)
WIDE = np.array([0, 1, -1, 9, 10, 99, 100, -100, 999, 1000, 12345, -98765, 1234567, 9999999, 10000000, 123456789,
                 -123456789, 10**12, 10**15 + 7, 10**16, -(10**16), 2**53 + 1, 10**17 + 3, 10**18 + 9, -(10**18) - 11,
                 I64.max, I64.min, I64.min + 1], "int64").reshape(7, 4)


def case(name, cls, args, *x, adapt=None, **kw):
    layer = getattr(L, cls)(**args)
    if adapt is not None:
        layer.adapt(adapt)
        members[f"{name}/adapt"] = adapt
    y = np.array(layer(list(x) if len(x) > 1 else x[0], **kw))
    x = (*x, *kw.values())
    members.update({f"{name}/x{i}": v for i, v in enumerate(x)})
    members[f"{name}/y"] = y
    cases[name] = {"class": cls, "args": args}
    return layer


def ids(name, high, *shape, dtype="int32", low=0):
    return golden.rng(name).integers(low, high, shape).astype(dtype)


def category_encoding():
    x = ids("ce", 6, 5, 3)
    for mode in "one_hot", "multi_hot", "count":
        case(f"encoding_{mode}", "CategoryEncoding", {"num_tokens": 6, "output_mode": mode}, x)
        case(f"encoding_{mode}_last_1", "CategoryEncoding", {"num_tokens": 6, "output_mode": mode}, x[:, :1])
        case(f"encoding_{mode}_axis", "CategoryEncoding", {"num_tokens": 6, "output_mode": mode}, x[:, 0])
        case(f"encoding_{mode}_int64", "CategoryEncoding", {"num_tokens": 6, "output_mode": mode}, x.astype("int64"))
        case(f"encoding_{mode}_3d", "CategoryEncoding", {"num_tokens": 6, "output_mode": mode}, ids("c3", 6, 2, 4, 3))
    case("encoding_beyond", "CategoryEncoding", {"num_tokens": 4, "output_mode": "count"}, x)
    case("encoding_one_hot_beyond", "CategoryEncoding", {"num_tokens": 4, "output_mode": "one_hot"}, x - 1)
    case("encoding_float", "CategoryEncoding", {"num_tokens": 6, "output_mode": "one_hot"}, x.astype("float32") + 0.5)
    case("encoding_dtype", "CategoryEncoding", {"num_tokens": 6, "output_mode": "count", "dtype": "int32"}, x)
    w = golden.normal("ce/w", 5, 3)
    case("encoding_weights", "CategoryEncoding", {"num_tokens": 6, "output_mode": "count"}, x, count_weights=w)


def hashing():
    for i, bins in enumerate((3, 1000, 2**31 - 1)):
        case(f"hashing_{i}", "Hashing", {"num_bins": bins}, WIDE)
        case(f"hashing_salt_{i}", "Hashing", {"num_bins": bins, "salt": 133}, WIDE)
        case(f"hashing_salts_{i}", "Hashing", {"num_bins": bins, "salt": [133, 2**60 + 137]}, WIDE)
    case("hashing_mask", "Hashing", {"num_bins": 5, "mask_value": 2**53 + 1 - 1}, WIDE)
    case("hashing_mask_100", "Hashing", {"num_bins": 5, "mask_value": -100}, WIDE)
    case("hashing_mask_salt", "Hashing", {"num_bins": 5, "mask_value": 0, "salt": 7}, WIDE)
    case("hashing_one_bin", "Hashing", {"num_bins": 1, "mask_value": 0}, WIDE)
    case("hashing_int32", "Hashing", {"num_bins": 11}, ids("h", 5000, 4, 3, low=-5000))
    case("hashing_int32_out", "Hashing", {"num_bins": 11, "dtype": "int32"}, ids("h", 5000, 4, 3))
    f = np.array([[1.5, -2.7, 3.0], [0.0, 7.25, 123456.75]], "float32")
    case("hashing_float", "Hashing", {"num_bins": 11}, f)
    case("hashing_float_mask", "Hashing", {"num_bins": 11, "mask_value": 3}, f)
    x = ids("h2", 100000, 4, 3, dtype="int64")
    for mode in "one_hot", "multi_hot", "count":
        case(f"hashing_{mode}", "Hashing", {"num_bins": 6, "output_mode": mode}, x)
        case(f"hashing_{mode}_last_1", "Hashing", {"num_bins": 6, "output_mode": mode, "mask_value": 5}, x[:, :1])
    case("hashing_axis_one_hot", "Hashing", {"num_bins": 6, "output_mode": "one_hot"}, x[:, 0])
    case("hashing_3d_one_hot", "Hashing", {"num_bins": 4, "output_mode": "one_hot"}, x.reshape(2, 2, 3))
    case("hashing_3d_count", "Hashing", {"num_bins": 4, "output_mode": "count"}, x.reshape(2, 2, 3))


def hashed_crossing():
    a, b, c = WIDE.reshape(28, 1), WIDE[::-1].reshape(28, 1).copy(), ids("hc", 50, 28, 1)
    case("crossing", "HashedCrossing", {"num_bins": 5}, a, b)
    case("crossing_wide", "HashedCrossing", {"num_bins": 2**31 - 1}, a, b)
    case("crossing_3", "HashedCrossing", {"num_bins": 1000}, a, c, b)
    case("crossing_axis", "HashedCrossing", {"num_bins": 7}, a[:, 0], c[:, 0])
    case("crossing_one_hot", "HashedCrossing", {"num_bins": 4, "output_mode": "one_hot"}, c, a)
    case("crossing_axis_one_hot", "HashedCrossing", {"num_bins": 4, "output_mode": "one_hot"}, c[:, 0], a[:, 0])
    case("crossing_int32", "HashedCrossing", {"num_bins": 9, "dtype": "int32"}, c, c)


def discretization():
    x = golden.normal("d", 5, 3)
    x[0, 0], x[1, 1], x[2, 2], x[3, 0] = 0, 1, np.inf, -np.inf
    x[4, 2] = np.nan
    edges = {"bin_boundaries": [-0.5, 0.0, 0.1, 1.0]}
    for mode in "int", "one_hot", "multi_hot", "count":
        case(f"bins_{mode}", "Discretization", {**edges, "output_mode": mode}, x)
        case(f"bins_{mode}_last_1", "Discretization", {**edges, "output_mode": mode}, x[:, :1])
    case("bins_int32", "Discretization", edges, ids("d2", 3, 4, 2, low=-2))
    case("bins_one_edge", "Discretization", {"bin_boundaries": [0.25], "output_mode": "one_hot"}, x[:, :1])
    data = golden.normal("d/data", 240, 3) ** 3
    for n, bins, epsilon in (3, 4, 0.01), (40, 4, 0.01), (40, 7, 0.1), (240, 5, 0.01), (240, 100, 0.006), (1, 3, 0.01):
        name = f"bins_adapt_{n}_{bins}"
        layer = case(name, "Discretization", {"num_bins": bins, "epsilon": epsilon}, x, adapt=data[:n])
        members[f"{name}/edges"] = np.array(layer.bin_boundaries, "float64")
    layer = L.Discretization(num_bins=6, epsilon=0.02)
    layer.adapt([data[:100], data[100:110], data[110:]])
    members["bins_batches/adapt"], members["bins_batches/edges"] = data, np.array(layer.bin_boundaries, "float64")


def integer_lookup():
    vocab = [12, 36, 1138, 42, int(I64.max), -(2**53) - 1]
    x = np.array([[12, 1138, 42], [42, 7, 36], [-7, -1, 2**53], [I64.max, -(2**53) - 1, I64.max - 1], [42, 42, 0]])
    lookup = lambda name, x, adapt=None, **args: case(f"lookup_{name}", "IntegerLookup", args, x, adapt=adapt)  # noqa: E731
    lookup("int", x, vocabulary=vocab)
    lookup("int32", x[:2].astype("int32"), vocabulary=vocab)
    lookup("mask", x, vocabulary=vocab, mask_token=0)
    lookup("oov_3", x, vocabulary=vocab, num_oov_indices=3)
    lookup("oov_3_mask", x, vocabulary=vocab, num_oov_indices=3, mask_token=0)
    lookup("oov_0", x[:1], vocabulary=vocab, num_oov_indices=0)
    lookup("farm", x, vocabulary=vocab, num_oov_indices=5, oov_method="farmhash")
    lookup("sip", x, vocabulary=vocab, num_oov_indices=5, oov_method="farmhash", salt=[133, 137])
    lookup("special", x, vocabulary=[0, -1, *vocab], mask_token=0)
    at = np.array([[0, 1, 2], [3, 9, -1], [8, 7, 2**40]])
    lookup("invert", at, vocabulary=vocab, invert=True)
    lookup("invert_mask", at, vocabulary=vocab, invert=True, mask_token=0, oov_token=-9, num_oov_indices=2)
    for mode in "one_hot", "multi_hot", "count":
        lookup(mode, x, vocabulary=vocab, output_mode=mode)
        lookup(f"{mode}_mask", x, vocabulary=vocab, output_mode=mode, mask_token=0, num_oov_indices=2)
        lookup(f"{mode}_pad", x[:, :1], vocabulary=vocab, output_mode=mode, max_tokens=10, pad_to_max_tokens=True)
    idf = [0.25, 0.75, 0.6, 0.4, 0.5, 1.5]
    lookup("tf_idf", x, vocabulary=vocab, idf_weights=idf, output_mode="tf_idf")
    lookup("tf_idf_special", x, vocabulary=[-1, *vocab], idf_weights=[0.9, *idf], output_mode="tf_idf")
    lookup("tf_idf_pad", x, vocabulary=vocab, idf_weights=idf, output_mode="tf_idf", max_tokens=9, pad_to_max_tokens=True)
    data = ids("l/data", 9, 12, 4, dtype="int64", low=-2)
    for name, args in (("int", {}), ("max", {"max_tokens": 5, "mask_token": 0}), ("count", {"output_mode": "count"}),
                       ("tf_idf", {"output_mode": "tf_idf", "max_tokens": 7, "mask_token": 3}),
                       ("tf_idf_pad", {"output_mode": "tf_idf", "max_tokens": 20, "pad_to_max_tokens": True})):
        layer = lookup(f"adapt_{name}", data[:5], adapt=data, **args)
        members[f"lookup_adapt_{name}/vocabulary"] = np.array(layer.get_vocabulary(), "int64")
    lookup("adapt_axis", data[:5], adapt=data[:, 0], output_mode="tf_idf")


category_encoding()
discretization()
integer_lookup()
hashing()
hashed_crossing()
golden.save("features", members, "Layers that prepare features: categories, hashes", cases)
