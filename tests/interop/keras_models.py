"""Models of every layer type that real Keras writes, for test_interop to go on with (make interop).

    python keras_models.py FOLDER

The layers are those of cases.def. Half of the models are trained for two steps before they are
saved, every third goes into a legacy .h5. Beside each file lies what Keras then predicts and what
its weights are after three more steps. When test_interop has written the models again,

    python keras_models.py --compare FOLDER

finds the same configurations in both.
"""
import glob
import json
import os
import re
import sys
import zipfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "tools", "golden"))
import golden  # noqa: E402

HERE = os.path.dirname(os.path.abspath(__file__))
BATCH = 6
SGD, ADAFACTOR, N_OPTIMIZERS = 1, 11, 18  # in make_optimizer
APART = ("MultiHeadAttention", "GroupedQueryAttention")  # called with arrays, not with a list
LOSSES = ["mse", "mae", "huber", "log_cosh"]


def read_cases():
    """class name, config, shape, options of each CASE; C strings, Keras' JSON with single quotes."""
    with open(os.path.join(HERE, "cases.def"), encoding="utf-8") as f:
        text = f.read().split("*/", 1)[1]
    pattern = r'CASE\(\s*"(\w+)",\s*((?:"[^"]*"\s*)+),\s*\{([\d, ]*)\}\s*(.*?)\)\s*(?=CASE|$)'
    for name, config, shape, options in re.findall(pattern, text, re.S):
        config = "".join(re.findall(r'"([^"]*)"', config)).replace("'", '"')
        given = dict(re.findall(r"\.(\w+) = (\w+)", options))
        yield name, json.loads(config), [int(n) for n in shape.split(",")], given


def make_optimizer(keras, i):
    o = keras.optimizers
    makers = [
        lambda: o.Adam(0.01),
        lambda: o.SGD(0.05, momentum=0.9, nesterov=True),
        lambda: o.RMSprop(0.01, momentum=0.5, centered=True),
        lambda: o.AdamW(0.01, weight_decay=0.01),
        lambda: o.Adagrad(0.05),
        lambda: o.Adadelta(0.5),
        lambda: o.Adamax(0.01),
        lambda: o.Nadam(0.01),
        lambda: o.Ftrl(0.05),
        lambda: o.Lion(0.001),
        lambda: o.Lamb(0.01),
        lambda: o.Adafactor(0.01),
        lambda: o.Adam(0.01, amsgrad=True, use_ema=True),
        lambda: o.SGD(0.05, clipnorm=0.5, weight_decay=0.01),
        lambda: o.SGD(o.schedules.ExponentialDecay(0.1, decay_steps=2, decay_rate=0.5)),
        lambda: o.RMSprop(0.01, clipvalue=0.1),
        lambda: o.Adam(0.01, global_clipnorm=0.5),
        lambda: o.LossScaleOptimizer(o.RMSprop(0.01), initial_scale=64.0, dynamic_growth_steps=3),
    ]
    return makers[i]()


def layer_class(keras, name):
    """Of keras.layers, or one that an application brings along."""
    from keras.src.applications import convnext, inception_resnet_v2

    for place in (keras.layers, convnext, inception_resnet_v2):
        if hasattr(place, name):
            return getattr(place, name)
    raise ValueError(name)


def build(keras, name, config, shape, given):
    if name == "TextVectorization":  # whose from_config knows no defaults
        config = {"standardize": "lower_and_strip_punctuation", "split": "whitespace", "ngrams": None, **config}
    layer = layer_class(keras, name.replace("Grouped", "Group")).from_config(config)
    dtype = "string" if "texts" in given else "int32" if "ids" in given else "float32"
    ins = [keras.Input(shape, dtype=dtype) for _ in range(int(given.get("n_in", 1)))]
    x = layer(*ins) if name in APART else layer(ins if len(ins) > 1 else ins[0])
    if None in x.shape[1:]:
        x = keras.layers.GlobalAveragePooling1D()(x)
    elif x.ndim > 2:
        x = keras.layers.Flatten()(x)
    return keras.Model(ins if len(ins) > 1 else ins[0], keras.layers.Dense(2)(x))


def data_for(name, shape, given):
    rng = golden.rng(name)
    xs = []
    for _ in range(int(given.get("n_in", 1))):
        if "texts" in given:
            words = ["The", "cat", "a", "dog!", "b", "Ärger", "T"]
            import numpy as np
            xs.append(np.array([[" ".join(rng.choice(words, rng.integers(0, 6)))] for _ in range(BATCH)]))
        elif "ids" in given:
            xs.append(rng.integers(0, int(given["ids"]), (BATCH, *shape)).astype("int32"))
        else:
            xs.append(rng.uniform(-1, 1, (BATCH, *shape)).astype("float32"))
    return xs, rng.uniform(-1, 1, (BATCH, 2)).astype("float32")


def write_model(keras, np, folder, number, case):
    name, config, shape, given = case
    stem = f"{number:03d}_{name}"
    m = build(keras, name, config, shape, given)
    which = SGD if "sgd" in given else number % N_OPTIMIZERS
    # Keras fails to write these as .h5: two data sets get one name, a config holds a module
    legacy = number % 3 == 2 and which != ADAFACTOR and not name.startswith(("Rand", "Solarization", "AugMix", "MixUp", "CutMix"))
    m.compile(make_optimizer(keras, which), LOSSES[number // 2 % 4], metrics=["mae"], run_eagerly=True)
    xs, y = data_for(stem, shape, given)
    x = xs if len(xs) > 1 else xs[0]
    if "texts" in given:  # predict takes no others
        import tensorflow as tf

        x = tf.constant(x)
    for _ in range(2 * (number % 2)):
        m.train_on_batch(x, y)
    m.save(os.path.join(folder, stem + (".h5" if legacy else ".keras")))
    arrays = {f"x{i}": v for i, v in enumerate(xs)}
    arrays |= {"y0": y, "p0": m.predict(x, verbose=0)}
    if "merged" in given and not legacy:  # LoRA: a model goes on otherwise when it was saved and loaded
        m = keras.saving.load_model(os.path.join(folder, stem + ".keras"))
        m.run_eagerly = True
    if "random" not in given and "alone" not in given:
        for _ in range(3):
            m.train_on_batch(x, y)
        arrays |= {f"w{i}": w for i, w in enumerate(m.get_weights())}
    np.savez(os.path.join(folder, stem + ".npz"), **arrays)


def write(folder):
    keras = golden.start()
    import logging

    import numpy as np

    logging.getLogger("absl").setLevel("ERROR")  # that .h5 is old is known
    os.makedirs(folder, exist_ok=True)
    cases = list(read_cases())
    for number, case in enumerate(cases):
        write_model(keras, np, folder, number, case)
        keras.backend.clear_session()
    print(f"Keras {keras.__version__} wrote {len(cases)} models")
    return 0


def config_of(path):
    with zipfile.ZipFile(path) as z:
        return json.loads(z.read("config.json"))


def first_difference(a, b, where="config"):
    if isinstance(a, dict) and isinstance(b, dict):
        for k in [*a, *b]:
            if k == "shared_object_id":  # an address in the memory of Python
                continue
            if k not in a or k not in b:
                return f"{where}.{k} is in one of them only"
            found = first_difference(a[k], b[k], f"{where}.{k}")
            if found:
                return found
    elif isinstance(a, list) and isinstance(b, list) and len(a) == len(b):
        for i, (u, v) in enumerate(zip(a, b)):
            found = first_difference(u, v, f"{where}[{i}]")
            if found:
                return found
    elif a != b or isinstance(a, bool) != isinstance(b, bool):
        return f"{where}: {json.dumps(a)[:80]} became {json.dumps(b)[:80]}"
    return None


def compare(folder):
    paths = sorted(glob.glob(os.path.join(folder, "*.keras")))
    bad = 0
    for path in paths:
        why = first_difference(config_of(path), config_of(os.path.join(folder, "again", os.path.basename(path))))
        if "TextVectorization" in path and why and why.endswith("shape: [null, 1, 4] became [null, 4]"):
            continue  # which it is, whatever Keras writes (docs/differences.md)
        if why:
            bad += 1
            print(f"{os.path.basename(path)}: {why}")
    print(f"{len(paths) - bad} of {len(paths)} configurations of Keras are written again as they were")
    return 1 if bad or not paths else 0


if __name__ == "__main__":
    sys.exit(compare(sys.argv[2]) if sys.argv[1] == "--compare" else write(sys.argv[1]))
