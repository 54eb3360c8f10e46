"""data.npz: data sets and utilities on small files made here, read by Keras' own loaders.

pad/CASE, categorical/CASE, normalize/CASE   results of keras.utils
files/NAME                                   the bytes of a data set's file
CASE/x_train/ids, CASE/x_train/lengths …     what load_data makes of it (x arrays as they are)
meta.cases[CASE] = {"loader", "file", "args"}
"""

import io
import os
import struct
import tempfile

import numpy as np

import golden

keras = golden.start()
from keras.src.datasets import boston_housing, california_housing, cifar100, imdb, reuters

members, cases = {}, {}
folder = tempfile.mkdtemp()

# ---- utilities -----------------------------------------------------------------------------------

SEQUENCES = [[1], [], [2, 3], [4, 5, 6, 7, 8]]
for name, args in {
    "plain": {}, "short": {"maxlen": 3}, "post": {"maxlen": 4, "padding": "post"},
    "cut_post": {"maxlen": 2, "truncating": "post"}, "float": {"dtype": "float32", "value": -1.5},
    "both_post": {"maxlen": 3, "padding": "post", "truncating": "post", "value": 9},
}.items():
    members[f"pad/{name}"] = keras.utils.pad_sequences(SEQUENCES, **args)
LABELS = {"row": np.array([0, 2, 1]), "column": np.array([[3], [0]]), "table": np.array([[1, 0], [2, 1]])}
for name, x in LABELS.items():
    members[f"categorical/{name}"] = keras.utils.to_categorical(x).astype("f4")
    members[f"categorical/{name}_6"] = keras.utils.to_categorical(x, 6).astype("f4")
X = golden.normal("normalize", 3, 4)
X[1] = 0
members["normalize/x"] = X
for order in (0, 1, 2, 3, np.inf, -np.inf):
    members[f"normalize/{order}"] = keras.utils.normalize(X, order=order)
members["normalize/middle"] = keras.utils.normalize(X.reshape(3, 2, 2), axis=1)

# ---- pickles as Python 2 wrote them --------------------------------------------------------------


def py2_int(v):
    return b"K" + bytes([v]) if 0 <= v < 256 else (
        b"M" + struct.pack("<H", v) if 0 <= v < 65536 else b"J" + struct.pack("<i", v))


def py2_str(s):
    return b"U" + bytes([len(s)]) + s if len(s) < 256 else b"T" + struct.pack("<I", len(s)) + s


class Py2:
    """Protocol 2 as cPickle writes it: memo numbers from 1, batches of 1000."""

    def __init__(self):
        self.memo = 0

    def put(self):
        self.memo += 1
        return b"q" + bytes([self.memo]) if self.memo < 256 else b"r" + struct.pack("<I", self.memo)

    def list_of(self, items):
        out = b"]" + self.put()
        for i in range(0, len(items), 1000):
            batch = items[i:i + 1000]
            body = b"".join(self.list_of(v) if isinstance(v, list) else py2_int(v) for v in batch)
            out += body + b"a" if len(batch) == 1 else b"(" + body + b"e"
        return out

    def array(self, shape, dtype, content):
        out = b"cnumpy.core.multiarray\n_reconstruct\n" + self.put() + b"cnumpy\nndarray\n" + self.put()
        out += b"K\0\x85U\x01b\x87R" + self.put() + b"(K\x01"
        out += b"".join(py2_int(d) for d in shape) + bytes([0x84 + len(shape)])
        out += b"cnumpy\ndtype\n" + self.put() + py2_str(dtype) + b"K\0K\x01\x87R" + self.put()
        out += b"(K\x03U\x01|NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xff"
        out += (b"K?" if dtype == b"O8" else b"K\0") + b"tb\x89" + content() + b"tb"
        return out


def py2_sequences(sequences):
    p = Py2()
    pickle = b"\x80\x02" + p.array((len(sequences),), b"O8", lambda: p.list_of(sequences)) + b"."
    out = io.BytesIO()
    np.lib.format.write_array_header_1_0(
        out, {"descr": "|O", "fortran_order": False, "shape": (len(sequences),)})
    return out.getvalue() + pickle


def objects(sequences):
    a = np.empty(len(sequences), object)
    a[:] = sequences
    return a


def npy(a):
    out = io.BytesIO()
    np.lib.format.write_array(out, a)
    return out.getvalue()


def file_of(name, arrays):
    import zipfile

    path = os.path.join(folder, name)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as z:
        for member, data in arrays.items():
            z.writestr(zipfile.ZipInfo(member + ".npy"), data, zipfile.ZIP_DEFLATED)
    members[f"files/{name}"] = np.fromfile(path, "u1")


# ---- data sets -----------------------------------------------------------------------------------


def texts(name, n, longest=12, words=60):
    r = golden.rng(name)
    return [[int(v) for v in r.integers(1, words, r.integers(1, longest))] for _ in range(n)]


def labels(name, n, classes):
    return golden.rng(name).integers(0, classes, n)


def case(name, module, file, x_key="x", **args):
    module.get_file = lambda *a, **k: os.path.join(folder, file)
    (x_train, y_train), (x_test, y_test) = module.load_data(**args)
    for part, x, y in (("train", x_train, y_train), ("test", x_test, y_test)):
        members[f"{name}/y_{part}"] = np.asarray(y)
        if x.dtype == object or x.ndim == 2 and module in (imdb, reuters):
            members[f"{name}/x_{part}/lengths"] = np.array([len(s) for s in x])
            members[f"{name}/x_{part}/ids"] = np.array([v for s in x for v in s], "i4")
        else:
            members[f"{name}/x_{part}"] = x
    cases[name] = {"loader": module.__name__.split(".")[-1], "file": file, "args": golden.plain(args)}


train, test = texts("train", 40), texts("test", 25)
train[7] = [300, 70000, 5] + train[7]
ys = {"y_train": npy(labels("y", 40, 2)), "y_test": npy(labels("z", 25, 2))}
file_of("imdb_py2.npz", {"x_train": py2_sequences(train), "x_test": py2_sequences(test), **ys})
file_of("imdb_py3.npz", {"x_train": npy(objects(train)), "x_test": npy(objects(test)), **ys})
case("imdb_plain", imdb, "imdb_py2.npz")
case("imdb_words", imdb, "imdb_py3.npz", num_words=30, skip_top=5)
case("imdb_drop", imdb, "imdb_py2.npz", num_words=30, skip_top=5, oov_char=None, seed=7)
case("imdb_raw", imdb, "imdb_py3.npz", start_char=None, index_from=0, maxlen=8, num_words=50)
case("imdb_moved", imdb, "imdb_py2.npz", start_char=None, index_from=10, oov_char=4, num_words=40)
wires = texts("wires", 61, longest=30)
file_of("reuters.npz", {"x": py2_sequences(wires), "y": npy(labels("w", 61, 46))})
case("reuters_plain", reuters, "reuters.npz")
case("reuters_split", reuters, "reuters.npz", test_split=0.35, num_words=40, maxlen=15, seed=3)
table = golden.normal("table", 23, 13).astype("f8")
file_of("boston_housing.npz", {"x": npy(table), "y": npy(table[:, 0] * 2)})
case("boston_plain", boston_housing, "boston_housing.npz")
case("boston_split", boston_housing, "boston_housing.npz", test_split=0.3, seed=42)
table = np.tile(golden.normal("table", 31, 2), (21, 1))
table[:, 0] = np.arange(len(table))
file_of("california_housing.npz", {"x": npy(table), "y": npy(table[:, 0] * 2)})
case("california_large", california_housing, "california_housing.npz")
case("california_small", california_housing, "california_housing.npz", version="small", test_split=0.25)



def py2_batch(n, label_lists):
    """A batch of CIFAR: pictures of few colours, and lists of labels."""
    p = Py2()
    pixels = (golden.rng("cifar").integers(0, 4, (n, 3 * 1024)) * 80).astype("u1").tobytes()
    out = b"\x80\x02}" + p.put() + b"(" + py2_str(b"filenames") + p.put() + b"]" + p.put()
    out += b"(" + b"".join(py2_str(b"a.png") + p.put() for _ in range(n)) + b"e"
    for key, labels in label_lists.items():
        out += py2_str(key) + p.put() + p.list_of(labels)
    raw = b"T" + struct.pack("<I", len(pixels)) + pixels
    return out + py2_str(b"data") + p.put() + p.array((n, 3072), b"u1", lambda: raw + p.put()) + b"u."


os.makedirs(os.path.join(folder, "cifar-100-python"))
for name, n in (("train", 3), ("test", 2)):
    batch = py2_batch(n, {b"fine_labels": [7, 99, 0][:n], b"coarse_labels": [3, 19, 1][:n]})
    members[f"files/{name}"] = np.frombuffer(batch, "u1")
    with open(os.path.join(folder, "cifar-100-python", name), "wb") as f:
        f.write(batch)
for mode in ("fine", "coarse"):
    cifar100.get_file = lambda *a, **k: folder
    (x_train, y_train), (x_test, y_test) = cifar100.load_data(mode)
    for part, value in (("x_train", x_train), ("y_train", y_train), ("x_test", x_test), ("y_test", y_test)):
        members[f"cifar100_{mode}/{part}"] = value
    cases[f"cifar100_{mode}"] = {"loader": "cifar100", "file": "train, test", "args": {"label_mode": mode}}

golden.save("data", members, "data sets and utilities on small files", cases)
