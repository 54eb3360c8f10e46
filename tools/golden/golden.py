"""Shared by the golden scripts: start Keras on a chosen backend, write .npz files.

A golden file is a plain zip of .npy members (deflate, version 1.0 headers, little-endian, C order,
no pickles). The member `meta` is UTF-8 JSON in a uint8 array; it names the Keras version, the
backend, the seed, what the file holds, and (under "cases") how each case was made.
Time stamps are fixed, so the same numbers give the same bytes.

Call `start()` before importing keras.
"""

import io
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import zipfile
from importlib.metadata import version

import numpy as np

ROOT = pathlib.Path(__file__).resolve().parents[2]
OUT = pathlib.Path(os.environ.get("KT_GOLDEN_OUT", ROOT / "tests" / "golden"))
SEED = 20240607  # arbitrary, but the same everywhere


def start(backend="tensorflow"):
    """Chooses the backend, keeps it quiet and on one thread, and returns the keras module."""
    os.environ["KERAS_BACKEND"] = backend
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
    os.environ["TF_ENABLE_ONEDNN_OPTS"] = "0"  # plain kernels: the same rounding on every CPU type
    os.environ["CUDA_VISIBLE_DEVICES"] = ""
    os.environ["JAX_PLATFORMS"] = "cpu"
    os.environ.setdefault("KERAS_HOME", tempfile.mkdtemp(prefix="keratin-keras-home-"))
    if backend == "tensorflow":
        import tensorflow as tf

        tf.config.threading.set_intra_op_parallelism_threads(1)
        tf.config.threading.set_inter_op_parallelism_threads(1)
        tf.get_logger().setLevel("ERROR")
    import keras

    keras.utils.set_random_seed(SEED)
    return keras


def rng(name):
    """A generator of its own for each case: adding a case does not change the others."""
    return np.random.default_rng([SEED, *name.encode()])


def normal(name, *shape, scale=1.0):
    return (rng(name).standard_normal(shape) * scale).astype(np.float32)


def plain(value):
    """Makes a value fit for JSON: tuples, NumPy scalars and arrays, Keras objects."""
    if isinstance(value, dict):
        return {str(k): plain(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(v) for v in value]
    if isinstance(value, np.ndarray):
        return value.tolist()
    if isinstance(value, np.generic):
        return value.item()
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if hasattr(value, "get_config"):
        return {"class_name": type(value).__name__, "config": plain(value.get_config())}
    if hasattr(value, "name") and isinstance(value.name, str):
        return value.name
    if callable(value):
        return value.__name__
    raise TypeError(f"cannot put {value!r} into JSON")


def text(value):
    """UTF-8 bytes of a string, or of the JSON of anything else, as a uint8 array."""
    if not isinstance(value, str):
        value = json.dumps(plain(value))
    return np.frombuffer(value.encode(), dtype=np.uint8)


def array(value):
    """A C-order little-endian array; bool stays bool, float64 is kept where Keras gave it."""
    a = np.asarray(value)
    if a.dtype.hasobject:
        raise TypeError("no pickles in golden files")
    return np.ascontiguousarray(a, dtype=a.dtype.newbyteorder("<")).reshape(a.shape)


def save(name, members, what, cases=None, backend="tensorflow", **more):
    import keras

    meta = {
        "what": what,
        "keras": keras.__version__,
        "backend": backend,
        "versions": {p: version(p) for p in ("tensorflow-cpu", "jax", "numpy", "rich")},
        "seed": SEED,
        **more,
    }
    if cases is not None:
        meta["cases"] = cases
    members = {**members, "meta": text(meta)}
    OUT.mkdir(parents=True, exist_ok=True)
    path = OUT / f"{name}.npz"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as z:
        for key in members:
            buffer = io.BytesIO()
            np.lib.format.write_array(
                buffer, array(members[key]), version=(1, 0), allow_pickle=False
            )
            info = zipfile.ZipInfo(f"{key}.npy")  # dated 1980: the bytes depend on the numbers only
            info.compress_type = zipfile.ZIP_DEFLATED
            z.writestr(info, buffer.getvalue())
    print(f"{path.name}: {len(members)} members, {path.stat().st_size} bytes")
    return path


def part():
    """The backend this process is to run its part on, if `add_part` started it; else None."""
    return sys.argv[2] if sys.argv[1:2] == ["--part"] else None


def hand_over(members, cases):
    """Ends the process that runs a part: gives members and cases back to `add_part`."""
    np.savez(sys.argv[3], **members, **{"": text(cases)})
    sys.exit(0)


def run_part(script, backend):
    """Runs `script` again with another backend; returns the members and cases it hands over."""
    with tempfile.TemporaryDirectory() as d:
        out = os.path.join(d, "part.npz")
        subprocess.run([sys.executable, script, "--part", backend, out], check=True)
        with np.load(out) as z:
            return {k: z[k] for k in z.files if k}, json.loads(z[""].tobytes())


def add_part(script, backend, members, cases):
    """Adds the cases that `script` makes with another backend."""
    new_members, new_cases = run_part(script, backend)
    members.update(new_members)
    cases.update({k: {**v, "backend": backend} for k, v in new_cases.items()})


def add_differences(script, backend, members):
    """Where another backend disagrees about CASE/X, adds what it says as CASE/BACKEND_X."""
    for key, theirs in run_part(script, backend)[0].items():
        ours = members[key]
        same = np.isclose(theirs, ours, 2e-4, 1e-6, equal_nan=True)
        if not same.all():
            case, _, what = key.rpartition("/")
            members[f"{case}/{backend}_{what}"] = theirs
            print(f"  {backend} disagrees: {key} {ours[~same].ravel()[:4]} {theirs[~same].ravel()[:4]}")
