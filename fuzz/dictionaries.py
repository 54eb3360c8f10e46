#!/usr/bin/env python3
"""Writes the dictionaries of the fuzz targets into a folder: words of the formats, and every string of the seed
configurations (names of classes and arguments, which no fuzzer guesses).

    fuzz/dictionaries.py build/fuzzing"""
import json
import pathlib
import struct
import sys
import zipfile

ROOT = pathlib.Path(__file__).resolve().parents[1]


def le(value, size):
    return value.to_bytes(size, "little")


def strings_of(value, out):
    if isinstance(value, dict):
        for key, item in value.items():
            out.add(key)
            strings_of(item, out)
    elif isinstance(value, list):
        for item in value:
            strings_of(item, out)
    elif isinstance(value, str) and len(value) < 60:
        out.add(value)


def config_words():
    out = set()
    for path in sorted((ROOT / "fuzz/corpora/model_json").iterdir()):
        try:
            strings_of(json.loads(path.read_bytes()), out)
        except ValueError:
            pass  # a finding that is no JSON
    for path in sorted((ROOT / "tests/golden/files").glob("*.keras")):
        with zipfile.ZipFile(path) as z:
            strings_of(json.loads(z.read("config.json")), out)
    return [b'"' + word.encode() + b'"' for word in sorted(out)]


JSON = [b"{", b"}", b"[", b"]", b":", b",", b'"', b"true", b"false", b"null", b"NaN", b"Infinity", b"-Infinity", b"\\u0000",
        b"\\ud800", b"\\udc00", b"1e999", b"-0", b"1e-999", b"9223372036854775807", b"0.5", b"\xef\xbb\xbf"]
ZIP = [b"PK\1\2", b"PK\3\4", b"PK\5\6", b"PK\6\6", b"PK\6\7", b"PK\7\x08", b"../", b"config.json", b"model.weights.h5",
       b"metadata.json", b"\xff\xff\xff\xff", b"\xff\xff", le(8, 2), le(1, 2) + le(16, 2), b"a.npy"]
HDF5 = [b"\x89HDF\r\n\x1a\n", b"TREE", b"HEAP", b"SNOD", b"GCOL", b"OHDR", b"OCHK", b"FRHP", b"BTHD", le(2**64 - 1, 8),
        le(1, 2), le(3, 2), le(8, 2), le(12, 2), le(16, 2), le(17, 2), b"layers", b"vars", b"0", b"layer_names",
        b"weight_names", b"model_config", b"training_config", b"model_weights", b"keras_version", b"backend", b"2.2.4",
        b"theano", b"tensorflow", b"optimizer_weights", b"dense", b"kernel:0", b"bias:0", b"\x11\x20\x1f\0\4\0\0\0"]
NPY = [b"\x93NUMPY\1\0", b"\x93NUMPY\2\0", b"\x93NUMPY\3\0", b"{'descr': '", b"'fortran_order': ", b"True", b"False",
       b"'shape': (", b"<f4", b">f8", b"|b1", b"|O", b"<U4", b"), }"]
CSV = [b",", b";", b'"', b'""', b"\r\n", b"nan", b"inf", b"NA", b"1e400", b"0x1p3", b"\xef\xbb\xbf", b"-0"]
PICKLE = [b"\x80\4", b"\x95", b"cnumpy.core.multiarray\n_reconstruct\n", b"cnumpy\nndarray\n", b"cnumpy\ndtype\n", b"U\1b",
          b"\x8c\5numpy", b"(", b")", b"}", b"]", b"\x85", b"\x86", b"\x87", b"R", b"b", b".", b"q\0", b"h\0", b"\x94", b"e",
          b"a", b"K\1", b"M\1\0", b"J\1\0\0\0", b"\x8a\1\1", b"X\4\0\0\0data", b"labels", b"U\2O8", b"t", b"s", b"u"]

DICTIONARIES = {
    "csv": CSV, "graph": [b"f32", b"add", b"matmul", b"shape", b"-1", b"%0", b"->"], "h5_file": HDF5 + config_words(), "hdf5": HDF5, "idx": [struct.pack(">I", 0x803), b"\x1f\x8b\x08"],
    "json": JSON, "keras_file": JSON + ZIP + HDF5 + config_words(), "model_json": JSON + config_words(), "npy": NPY,
    "npz": NPY + ZIP, "pickle": PICKLE, "zip": ZIP}


def main(folder):
    folder.mkdir(parents=True, exist_ok=True)
    for name, words in DICTIONARIES.items():
        lines = ['"' + "".join(f"\\x{c:02x}" for c in word) + '"\n' for word in words if word]
        (folder / f"{name}.dict").write_text("".join(lines))


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]))
