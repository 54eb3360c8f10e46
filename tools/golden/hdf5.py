#!/usr/bin/env python3
"""HDF5 files as byte arrays: tests/golden/hdf5.npz, read by src/io/hdf5_test.c. And, with --corpus, what h5py
sees in the model files of ../shared/corpus: tests/golden/hdf5_corpus.txt.

The small ones are the seeds of fuzz/corpora/hdf5 as well. Needs h5py and NumPy only. Members of the .npz: good/NAME (must open), weak/NAME (opens, but the data set "a"
cannot be read), bad/STATUS/NAME (must be refused with that status). Dates are fixed, but libver="latest" stores the time of day: look at what differs.
"""
import io
import os
import pathlib
import struct
import sys
import tempfile
import zipfile
import zlib

import h5py
import numpy as np

ROOT = pathlib.Path(__file__).resolve().parents[2]
OUT = pathlib.Path(os.environ.get("KT_GOLDEN_OUT", ROOT / "tests" / "golden"))


def made(fill, **options):
    """The bytes of a file that fill(f) filled."""
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "x.h5")
        with h5py.File(path, "w", **options) as f:
            fill(f)
        return pathlib.Path(path).read_bytes()


def dtypes(f):
    for t in ("<f2", "<f4", "<f8", ">f2", ">f4", ">f8", "i1", "<i2", ">i2", "<i4", ">i4", "<i8", ">i8", "u1", "<u2", "<u4",
              ">u4", "<u8"):
        name = {"<": "little_", ">": "big_"}.get(t[0], "") + t.strip("<>")
        f[f"{t.strip('<>')[0]}/{name}"] = np.array([[1, 2, 3], [100, 0, 7]], t)  # more than 8 would be dense
    f["d/bool"] = np.array([[True, False, True], [False, False, True]])
    bfloat = f.create_dataset("d/bfloat16", data=np.array([0x3F80, 0xC000], "<u2").view("V2"))
    bfloat.attrs["dtype"] = "bfloat16"
    f["d/scalar"] = np.float32(2.5)
    f["d/empty"] = np.zeros((0, 3), "f4")
    f["d/rank_8"] = np.ones((1, 2, 1, 1, 1, 1, 1, 1), "f4")
    plist = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    plist.set_layout(h5py.h5d.COMPACT)
    space = h5py.h5s.create_simple((3,))
    d = h5py.h5d.create(f["d"].id, b"compact", h5py.h5t.IEEE_F32LE, space, plist)
    d.write(h5py.h5s.ALL, h5py.h5s.ALL, np.array([1, 2, 3], "f4"))


def attributes(f):
    f.attrs["text"] = "h\u00e9llo"
    f.attrs["bytes"] = np.bytes_(b"fixed")
    f.attrs["empty"] = ""
    f.attrs["names"] = [b"a", b"long name", b"bc"]
    f.attrs["texts"] = ["x", "", "zz"]
    f.attrs["none"] = []
    f.attrs["int"] = 7
    f.attrs["floats"] = np.array([1.5, -2.5])
    f.attrs["flag"] = True
    f.attrs["big"] = np.array([258], ">i4")
    f.attrs["long"] = "0123456789" * 1000
    f.attrs["split0"] = [b"one", b"two"]
    f.attrs["split1"] = [b"three"]
    f.attrs["split2"] = ["four"]
    f.attrs["nothing"] = h5py.Empty("f4")
    f.attrs["pair"] = np.zeros((), [("a", "f4"), ("b", "i4")])
    f.create_group("g").attrs["name"] = "g's"
    f["x"] = np.float32(1)
    f["x"].attrs["unit"] = "m"


def many(n):
    def fill(f):
        for i in range(n):
            f[f"g/n{i * 7919 % n}"] = np.int32(i * 7919 % n)
    return fill


def numbered(n):
    def fill(f):
        for i in range(n):
            f.attrs[f"a{i * 7919 % n}"] = i * 7919 % n
    return fill


def large_attributes(f):
    for i in range(10):
        f.attrs[f"a{i}"] = np.full(100 * 3 ** (i % 6), i, "i4")  # up to 97,200 bytes: beside the heap's blocks
    f.attrs["text"] = "0123456789" * 700


def tree(f):
    f["layers/dense/vars/0"] = np.arange(6, dtype="f4").reshape(2, 3)
    f["layers/dense/vars/1"] = np.zeros(3, "f4")
    f["layers/dense_1/vars/0"] = np.ones((3, 1), "f4")
    f["layers"].attrs["name"] = "layers"
    f.create_group("nothing")


def good():
    yield "dtypes", made(dtypes)
    yield "dtypes_latest", made(dtypes, libver="latest")
    yield "dtypes_v110", made(dtypes, libver=("v110", "v110"))
    yield "dtypes_v108", made(dtypes, libver=("v108", "v108"))
    yield "attributes", made(attributes)
    yield "many_300", made(many(300))
    yield "tree", made(tree)
    yield "tree_latest", made(tree, libver="latest")
    yield "empty", made(lambda f: None)
    yield "dense_links_9", made(lambda f: [f.create_group(f"n{i}") for i in range(9)], libver="latest", track_order=True)
    yield "dense_links", made(many(20), libver="latest")
    yield "dense_links_1300", made(lambda f: [f.create_group(f"n{i * 7919 % 1300}") for i in range(1300)], libver="latest")
    yield "dense_links_made", made(many(40), libver="latest", track_order=True)
    yield "dense_attributes", made(numbered(20), libver="latest")
    yield "dense_attributes_made", made(numbered(120), libver="latest", track_order=True)
    yield "dense_attributes_large", made(large_attributes, libver="latest")
    yield "made", made(lambda f: [f.create_group(n) for n in "zayb"], track_order=True)


def weak():
    x = np.arange(64, dtype="f4").reshape(8, 8)
    yield "chunked", made(lambda f: f.create_dataset("a", data=x, chunks=(4, 4)))
    yield "gzip", made(lambda f: f.create_dataset("a", data=x, compression="gzip"))
    yield "shuffle", made(lambda f: f.create_dataset("a", data=x, shuffle=True))
    yield "fletcher32", made(lambda f: f.create_dataset("a", data=x, fletcher32=True))
    yield "scaleoffset", made(lambda f: f.create_dataset("a", data=x.astype("i4"), scaleoffset=4))
    yield "resizable", made(lambda f: f.create_dataset("a", data=x, maxshape=(None, 8)), libver="latest")
    yield "compound", made(lambda f: f.create_dataset("a", data=np.zeros(2, [("x", "f4")])))
    yield "strings", made(lambda f: f.create_dataset("a", data=["x", "y"]))
    yield "fixed_strings", made(lambda f: f.create_dataset("a", data=np.array([b"x"])))
    yield "sequences", made(lambda f: f.create_dataset("a", (2,), h5py.vlen_dtype("f4")))
    yield "array", made(lambda f: f.create_dataset("a", (2,), np.dtype(("f4", (3,)))))
    yield "complex", made(lambda f: f.create_dataset("a", data=np.zeros(2, "c8")))
    yield "opaque", made(lambda f: f.create_dataset("a", data=np.zeros(2, "V2")))
    yield "enum", made(lambda f: f.create_dataset("a", (2,), h5py.enum_dtype({"R": 0, "G": 1, "B": 2}, "i4")))
    yield "longdouble", made(lambda f: f.create_dataset("a", data=np.zeros(2, np.longdouble)))
    yield "null", made(lambda f: f.create_dataset("a", data=h5py.Empty("f4")))
    yield "rank_9", made(lambda f: f.create_dataset("a", data=np.zeros((1,) * 9, "f4")))


def external(f):
    f.create_dataset("a", (4,), "f4", external=[("/etc/hostname", 0, 16)])


def virtual(f):
    layout = h5py.VirtualLayout((4,), "f4")
    layout[:] = h5py.VirtualSource("other.h5", "a", (4,))
    f.create_virtual_dataset("a", layout)


def soft(f):
    f["x"] = np.zeros(2, "f4")
    f["a"] = h5py.SoftLink("/x")


def refused():
    yield "soft_link", made(soft)
    yield "soft_link_latest", made(soft, libver="latest")
    yield "external_link", made(lambda f: f.__setitem__("a", h5py.ExternalLink("other.h5", "/x")))
    yield "external_link_deep", made(lambda f: f.create_group("g/h").__setitem__("a", h5py.ExternalLink("o.h5", "/x")))
    yield "external_storage", made(external)
    yield "virtual", made(virtual, libver="latest")
    yield "reference", made(lambda f: f.attrs.__setitem__("r", f.create_group("g").ref))
    yield "references", made(lambda f: f.create_dataset("a", (2,), h5py.ref_dtype))


def unsupported():
    yield "committed_type", made(lambda f: f.__setitem__("t", np.dtype("f4")))

    def uses_committed(f):
        f["t"] = np.dtype("f4")
        f.create_dataset("a", (2,), f["t"])

    yield "uses_committed_type", made(uses_committed)
    yield "paged", made(lambda f: None, fs_strategy="page", libver="latest")


def patched(data, offset, form, *values):
    b = bytearray(data)
    struct.pack_into(form, b, offset, *values)
    return bytes(b)


def malformed():
    def two_names(f):
        f["x"] = np.zeros(2, "f4")
        f["a"] = f["x"]

    def cycle(f):
        g = f.create_group("g")
        g["g"] = g

    plain = made(lambda f: f.create_dataset("a", data=np.arange(3, dtype="f4")))
    at = plain.index(struct.pack("<BBQQ", 3, 1, plain.index(np.arange(3, dtype="<f4").tobytes()), 12)) + 2
    tree_at = plain.index(b"TREE")
    heap_at = plain.index(b"HEAP")
    snod_at = plain.index(b"SNOD")
    yield "user_block", made(lambda f: None, userblock_size=512)
    yield "two_names", made(two_names)
    yield "cycle", made(cycle)
    yield "late_space", made(lambda f: f.create_dataset("a", (3,), "f4"))
    yield "signature", patched(plain, 0, "B", 0x88)
    yield "cut", plain[:-1]
    yield "data_outside", patched(plain, at, "<Q", len(plain) - 11)
    yield "data_far", patched(plain, at, "<Q", 2**64 - 5)
    yield "data_size", patched(plain, at + 8, "<Q", 16)
    yield "data_size_0", patched(plain, at + 8, "<Q", 0)
    yield "data_overlaps", patched(plain, at, "<Q", 0)
    yield "root_address", patched(plain, 0x40, "<Q", 2**63)
    yield "tree_entries", patched(plain, tree_at + 6, "<H", 65535)
    yield "tree_level", patched(plain, tree_at + 5, "B", 1)
    yield "tree_own_child", patched(patched(plain, tree_at + 5, "B", 1), tree_at + 32, "<Q", tree_at)
    yield "heap_size", patched(plain, heap_at + 8, "<Q", 2**62)
    yield "name_outside", patched(plain, snod_at + 8, "<Q", 4096)
    yield "symbols", patched(plain, snod_at + 6, "<H", 9)
    yield "not_in_order", patched(made(lambda f: [f.create_group(n) for n in "ab"]), heap_at + 32 + 8, "B", ord("c"))
    latest = made(tree, libver="latest")
    yield "checksum_super", patched(latest, 44, "B", latest[44] ^ 1)
    head_at = latest.index(b"OHDR")
    yield "checksum_header", patched(latest, head_at + 20, "B", latest[head_at + 20] ^ 1)


SEEDS = ROOT / "fuzz" / "corpora" / "hdf5"


def pack(path):
    SEEDS.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as z:
        def add(name, data):
            if len(data) < 3000 or name == "good/dense_links_9":
                (SEEDS / name.replace("/", "_")).write_bytes(data)
            out = io.BytesIO()
            np.lib.format.write_array(out, np.frombuffer(data, np.uint8), version=(1, 0))
            info = zipfile.ZipInfo(name + ".npy", (1980, 1, 1, 0, 0, 0))
            info.compress_type = zipfile.ZIP_DEFLATED
            z.writestr(info, out.getvalue())

        for name, data in good():
            add("good/" + name, data)
        for name, data in weak():
            add("weak/" + name, data)
        for name, data in refused():
            add("bad/KT_EREFUSED/" + name, data)
        for name, data in unsupported():
            add("bad/KT_EUNSUPPORTED/" + name, data)
        for name, data in malformed():
            add("bad/KT_EFORMAT/" + name, data)


def walk_sum(f):
    """Number of data sets and a check sum over names, values and strings, in the order of names."""
    state = [0, 0]

    def add(data):
        state[1] = zlib.crc32(data, state[1])

    def visit(path, o):
        add(path.encode() + b"/\0")
        for name in sorted(o.attrs.keys(), key=str.encode):
            value = np.asarray(o.attrs[name])
            if value.dtype.kind not in "SOU":
                continue
            add(name.encode() + b"\0")
            for v in value.ravel():
                add((v.encode() if isinstance(v, str) else v) + b"\0")
        if isinstance(o, h5py.Dataset):
            state[0] += 1
            add(np.ascontiguousarray(o[()]).tobytes())
            return
        for key in sorted(o.keys(), key=str.encode):
            visit(path + "/" + key, o[key])

    visit("", f["/"])
    return state


def corpus(path):
    folder = ROOT.parent / "shared" / "corpus"
    lines = []
    for p in sorted([*folder.glob("models/*"), *folder.glob("weights/*")]):
        data = p.read_bytes()
        if data[:4] == b"PK\3\4":
            with zipfile.ZipFile(p) as z:
                if "model.weights.h5" not in z.namelist():
                    continue
                data = z.read("model.weights.h5")
        elif data[:4] != b"\x89HDF":
            continue
        with h5py.File(io.BytesIO(data), "r") as f:
            n, crc = walk_sum(f)
        lines.append(f"{n} {crc:08x} {p.relative_to(folder)}\n")
    path.write_text("".join(lines))


if __name__ == "__main__":
    pack(OUT / "hdf5.npz")
    if "--corpus" in sys.argv:
        corpus(OUT / "hdf5_corpus.txt")
