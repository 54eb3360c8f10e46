#!/usr/bin/env python3
"""Writes the seed inputs of fuzz/corpora/{npy,idx,npz,zip,csv,pickle} with NumPy. Findings are added beside them by hand,
under names that begin with `found_`; this script does not touch those."""
import gzip
import io
import pathlib
import pickle
import struct
import zipfile

import numpy as np

CORPORA = pathlib.Path(__file__).resolve().parent / "corpora"


def write(kind, name, data):
    folder = CORPORA / kind
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(data)


def npy(a, version=None):
    out = io.BytesIO()
    np.lib.format.write_array(out, a, version=version)
    return out.getvalue()


def npy_seeds():
    for t in ("<f2", "<f4", ">f4", "<f8", "|i1", "<i2", ">i4", "<i8", "|u1", ">u2", "<u4", "<u8", "|b1"):
        write("npy", "dtype_" + t.strip("<>|") + ("_big" if t[0] == ">" else ""), npy(np.arange(3).astype(t)))
    write("npy", "scalar", npy(np.array(1.5, "f4")))
    write("npy", "empty", npy(np.zeros((0, 3), "f4")))
    write("npy", "fortran", npy(np.asfortranarray(np.arange(12, dtype="i4").reshape(2, 3, 2))))
    write("npy", "rank_8", npy(np.ones((1, 2, 1, 1, 1, 1, 1, 1), "u1")))
    write("npy", "version_2", npy(np.arange(2.0), (2, 0)))
    write("npy", "version_3", npy(np.arange(2.0), (3, 0)))
    write("npy", "fields", npy(np.zeros(1, [("a", "f4")])))
    write("npy", "text", npy(np.array(["ab"])))
    write("npy", "object", npy(np.array([None], object)))


def idx(code, shape, data):
    return struct.pack(">BBBB", 0, 0, code, len(shape)) + struct.pack(f">{len(shape)}I", *shape) + data


def idx_seeds():
    sizes = {0x08: 1, 0x09: 1, 0x0B: 2, 0x0C: 4, 0x0D: 4, 0x0E: 8}
    for code, size in sizes.items():
        plain = idx(code, (2, 3), bytes(range(6 * size)))
        write("idx", f"plain_{code}", plain)
        write("idx", f"gzip_{code}", gzip.compress(plain, mtime=0))
    write("idx", "zeros", gzip.compress(idx(8, (100, 28, 28), bytes(78400)), mtime=0))
    write("idx", "bomb", gzip.compress(idx(14, (2**32 - 1,) * 3, b""), mtime=0))
    write("idx", "two_members", gzip.compress(idx(8, (2,), b"a"), mtime=0) + gzip.compress(b"b", mtime=0))


def archive(members, method, comment=b"", flags=0):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as z:
        for name, data in members:
            info = zipfile.ZipInfo(name)
            info.compress_type = method
            z.writestr(info, data)
        z.comment = comment
    return out.getvalue()


def write_zip(name, data):
    write("npz", name, data)
    write("zip", name, data)


def npz_seeds():
    a, b = npy(np.arange(4, dtype="f4")), npy(np.array(7))
    for name, method in (("stored", zipfile.ZIP_STORED), ("deflated", zipfile.ZIP_DEFLATED)):
        write_zip(name, archive([("a.npy", a), ("b.npy", b)], method))
    out = io.BytesIO()
    np.savez(out, x=np.arange(3))  # with zip64 fields in the local headers
    write_zip("savez", out.getvalue())
    stream = io.BytesIO()
    stream.seekable = lambda: False  # so that Python writes data descriptors
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as z:
        z.writestr(zipfile.ZipInfo("a.npy"), a, zipfile.ZIP_DEFLATED)
    write_zip("descriptor", stream.getvalue())
    write_zip("empty", archive([], zipfile.ZIP_STORED))
    write_zip("comment", archive([("a.npy", b)], zipfile.ZIP_STORED, b"PK\5\6 comment"))
    write_zip("twice", archive([("a.npy", b), ("A.npy", b)], zipfile.ZIP_STORED))
    write_zip("path", archive([("../a.npy", b)], zipfile.ZIP_STORED))
    write_zip("no_array", archive([("a.txt", b"hello")], zipfile.ZIP_STORED))
    write_zip("zeros", archive([("a.npy", npy(np.zeros(50000)))], zipfile.ZIP_DEFLATED))


def csv_seeds():
    texts = {
        "numbers": b"1,2\n3,4\n", "names": b"a,b,y\n1,2,0\n3,4.5,1\n", "quotes": b'"a","b ""c"""\r\n"1",2\r\n',
        "missing": b",NA\nnan,-inf\n", "mark": b"\xef\xbb\xbfa\n1\n", "blank_lines": b"\n\r\n1\r2\n\n",
        "ragged": b"1,2\n3\n", "open_quote": b'1,"2\n', "word": b"1,x\n", "hex": b"1,0x10\n", "zero": b"1,\0\n",
        "long": b"1" * 100 + b"\n", "empty": b""}
    for name, text in texts.items():
        write("csv", name, b"\0" + text)
    write("csv", "target_name", b"\x0c" + texts["names"])
    write("csv", "target_number", b"\x08" + texts["numbers"])
    write("csv", "semicolon", b"\x10" + texts["names"].replace(b",", b";"))


def pickle_seeds():
    ragged = np.empty(4, object)
    ragged[:] = [[1, 300, 70000], [], [-5], [2, 2]]
    batch = {"data": np.arange(12, dtype="u1").reshape(2, 6), "labels": [3, 255], "filenames": ["a", "b"]}
    for protocol in (3, 4, 5):
        write("pickle", f"ragged_{protocol}", pickle.dumps(ragged, protocol))
        write("pickle", f"batch_{protocol}", pickle.dumps(batch, protocol))
    write("pickle", "call", b"\x80\x02cos\nsystem\nU\x02id\x85R.")
    for name in ("reuters", "imdb_py2"):
        with np.load(CORPORA.parents[1] / "tests" / "golden" / "data.npz") as golden:
            members = zipfile.ZipFile(io.BytesIO(golden[f"files/{name}.npz"].tobytes()))
        data = members.read(members.namelist()[0])
        write("pickle", name, data[data.index(b"\n") + 1:])
    for name, layer in (("pictures", "layers/conv2d"), ("series_jax", "layers/dense"), ("series", "optimizer")):
        whole = (CORPORA.parents[1] / "tests" / "golden" / "weights_npz" / f"{name}.keras").read_bytes()
        weights = zipfile.ZipFile(io.BytesIO(zipfile.ZipFile(io.BytesIO(whole)).read("model.weights.npz")))
        data = weights.read(f"{layer}.npy")
        write("pickle", f"weights_{name}", data[data.index(b"\n") + 1:])
        write("keras_file", f"npz_{name}", whole)


if __name__ == "__main__":
    csv_seeds()
    npy_seeds()
    idx_seeds()
    npz_seeds()
    pickle_seeds()
