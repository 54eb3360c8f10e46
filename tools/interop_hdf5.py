#!/usr/bin/env python3
"""Has a test write an HDF5 file and looks at it with h5py: tools/interop_hdf5.py [FOLDER OF test_io].

Needs h5py (the environment of tools/golden/env.sh has it). Then h5py adds to the file, which makes its library
split our tree nodes and grow our heaps."""
import os
import pathlib
import subprocess
import sys
import tempfile

import h5py
import numpy as np

ROOT = pathlib.Path(__file__).resolve().parents[1]


def check(f):
    assert sorted(f) == ["dtypes", "many", "nothing"], list(f)
    values = np.array([[1, 0, 1], [2, 100, 7]])
    g = f["dtypes"]
    for name in ("float16", "float32", "float64", "int32", "int64", "uint8"):
        assert g[name].dtype == np.dtype(name) and (g[name][()] == values).all(), name
    assert g["bool"].dtype == bool and (g["bool"][()] == (values != 0)).all()
    bits = g["bfloat16"][()].view("<u2").astype("<u4") << 16
    assert g["bfloat16"].attrs["dtype"] == "bfloat16" and (bits.view("<f4") == values).all()
    assert g["scalar"].shape == () and g["scalar"][()] == -5
    assert g["none"].shape == (0, 4) and g["none"].dtype == np.float32
    assert f.attrs["str"] == "h\u00e9" and f.attrs["empty"] == ""
    assert f.attrs["bytes"] in (b"abc", "abc"), f.attrs["bytes"]
    assert list(g.attrs["names"]) == ["a", "long name", "bc"] and g.attrs["no_names"].shape == (0,)
    assert list(g.attrs["floats"]) == [1.5, -2] and g.attrs["flag"]
    assert len(f["nothing"]) == 0
    many = f["many"]
    assert len(many) >= 10000 and all(many[f"n{i}"][()] == i for i in range(10000))


def main():
    program = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else ROOT / "build/release/tests") / "test_io"
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "x.h5")
        command = [program, "hdf5_write.writes_a_file_for_h5py"]
        subprocess.run(command, check=True, cwd=ROOT, env={**os.environ, "KT_HDF5_OUT": path}, stdout=subprocess.DEVNULL)
        with h5py.File(path, "r") as f:
            check(f)
        with h5py.File(path, "a") as f:
            for i in range(500):
                f[f"many/m{i}"] = np.float32(i)
                f[f"nothing/{i}"] = np.float32(i)
            f["dtypes"].attrs["more"] = "x" * 100
            f.create_group("layers/dense/vars")["0"] = np.ones((3, 4), "f4")
        with h5py.File(path, "r") as f:
            assert len(f["many"]) == 10500 and len(f["nothing"]) == 500 and f["layers/dense/vars/0"][2, 3] == 1
            assert f["dtypes"].attrs["more"] == "x" * 100
            assert sorted(f) == ["dtypes", "layers", "many", "nothing"]
    print("hdf5: h5py", h5py.__version__, "reads what we write, and adds to it")


if __name__ == "__main__":
    main()
