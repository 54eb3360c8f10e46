#!/usr/bin/env python3
"""Arrays and what NumPy prints for them: tests/golden/numpy_print.npz, read by src/tensor/print_test.c.

Needs NumPy 2.3 or later only (earlier ones choose the exponent form differently). Members: CASE/x, the
array, and CASE/text, the UTF-8 bytes of str(x). Dates are fixed: equal arrays, equal bytes.
"""
import io
import os
import pathlib
import zipfile

import numpy as np

ROOT = pathlib.Path(__file__).resolve().parents[2]
OUT = pathlib.Path(os.environ.get("KT_GOLDEN_OUT", ROOT / "tests" / "golden"))
FLOATS = ("float16", "float32", "float64")


def fixed_cases():
    f = np.float32
    yield "floats", np.array([1, 2.5, -3.25], f)
    yield "whole", np.array([1, 2, 3], f)
    yield "tenths", np.array([[0.1, 0.2], [0.3, 0.7]], f)
    yield "columns", np.array([1.5, -10.25, 100.125], f)
    yield "zeros", np.zeros((2, 3), f)
    yield "minus_zero", np.array([-0.0, 0.0], f)
    yield "cut_to_8_places", np.array([np.pi, 2 / 3, 1e-3 / 3])
    yield "small", np.array([1e-5, 0.5], f)
    yield "ten_thousandth", np.array([1e-4, 5e-4], f)
    yield "ratio_1000", np.array([1.0, 1000.0])
    yield "ratio_1001", np.array([1.0, 1001.0])
    yield "exact_digits", np.array([0.1, 1.00000012e-5, 16777217.0], f)
    yield "large_exponent", np.array([1e-300, 1e300, -1e5])
    yield "subnormal", np.array([5e-324, 2.2250738585072014e-308])
    yield "powers_of_two", 2.0 ** np.arange(-44, 60, 8)
    yield "half_limits", np.array([6e-8, 65504, 1.001], np.float16)
    yield "nan", np.array([np.nan, 1, np.inf, -np.inf], f)
    yield "only_nan", np.array([np.nan, np.nan])
    yield "only_minus_inf", np.array([[-np.inf]])
    yield "nan_and_exponent", np.array([np.nan, 1e10, -np.inf])
    yield "bools", np.array([[True, False], [False, False]])
    yield "bytes", np.arange(0, 256, 17, dtype=np.uint8).reshape(4, 4)
    yield "ints", np.array([-100, 5, 99999], np.int32)
    yield "int64_limits", np.array([-(2**63), 2**63 - 1, 0])
    yield "empty", np.zeros((0,), f)
    yield "empty_rows", np.zeros((0, 3), f)
    yield "empty_columns", np.zeros((3, 0), np.int32)
    yield "one", np.ones((1, 1, 1, 1), f)
    yield "wrapped", np.arange(40, dtype=f) / 8
    yield "wrapped_rows", (np.arange(60) * 1237 % 1000).reshape(2, 30)
    yield "wide_items", np.array([[-1.2345678901234e-100] * 5] * 2)
    yield "cube", np.arange(24).reshape(2, 3, 4)
    yield "rank_5", np.arange(32, dtype=f).reshape(2, 2, 2, 2, 2)
    yield "size_1000", np.arange(1000)
    yield "size_1001", np.arange(1001)
    yield "summary_rows", np.arange(3000, dtype=f).reshape(1000, 3)
    yield "summary_columns", np.arange(3000, dtype=f).reshape(3, 1000)
    yield "summary_both", np.arange(4000).reshape(50, 80)
    yield "summary_cube", np.arange(28 * 28 * 7, dtype=np.uint8).reshape(7, 28, 28)
    yield "summary_hides_large", np.where(np.arange(2000) == 1000, 1e9, 0.5)
    yield "summary_bools", np.arange(1200) % 3 == 0
    yield "softmax", np.array([[0.01, 0.9, 0.09], [3.2e-5, 0.999, 0.000968]], f)


def scalar_cases():
    values = [0.0, -0.0, 1, 0.1, 1 / 3, 999, 1000, 12345, 999999, 1e6, 1234567, 1e8, 1e15, 1e16,
              1e-3, 1e-4, 1.2345e-4, 1e-5, 6e-8, 3e38, 1.7e308, np.nan, np.inf, -np.inf]
    for dtype in FLOATS:
        for i, v in enumerate(values):
            yield f"scalar_{dtype}_{i}", np.array(v).astype(dtype)
    yield "scalar_true", np.array(True)
    yield "scalar_int", np.array(-7, np.int32)
    yield "scalar_byte", np.array(200, np.uint8)


def random_cases():
    rng = np.random.default_rng(20240607)
    for dtype in FLOATS:
        size = np.dtype(dtype).itemsize
        for i in range(8):
            yield f"bits_{dtype}_{i}", np.frombuffer(rng.bytes(size * 12), dtype).reshape(4, 3)
        for i in range(-6, 9, 2):
            yield f"normal_{dtype}_{i}", (rng.standard_normal((3, 5)) * 10.0**i).astype(dtype)


def main():
    if str(np.array([1e6], np.float32)) != "[1.e+06]":
        raise SystemExit(f"NumPy {np.__version__} prints by older rules; 2.3 or later is needed")
    OUT.mkdir(parents=True, exist_ok=True)
    path = OUT / "numpy_print.npz"
    n = 0
    with np.errstate(all="ignore"), zipfile.ZipFile(path, "w") as z:
        for cases in (fixed_cases, scalar_cases, random_cases):
            for name, x in cases():
                text = np.frombuffer(str(x).encode(), np.uint8)
                for key, member in ((f"{name}/x", x), (f"{name}/text", text)):
                    buffer = io.BytesIO()
                    np.lib.format.write_array(buffer, np.asarray(member), allow_pickle=False)
                    info = zipfile.ZipInfo(f"{key}.npy")
                    info.compress_type = zipfile.ZIP_DEFLATED
                    z.writestr(info, buffer.getvalue(), compresslevel=9)
                n += 1
    print(f"{path.name}: {n} cases, {path.stat().st_size} bytes, NumPy {np.__version__}")


if __name__ == "__main__":
    main()
