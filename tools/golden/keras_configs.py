"""Writes src/saving/configs.def: what real Keras writes for each of its classes (keys, order, defaults).

Not a golden file: run it by hand when the version of Keras changes (three minutes).

    python keras_configs.py
"""
import importlib
import inspect
import json

import golden

keras = golden.start()
from keras import layers as L  # noqa: E402
from keras import saving  # noqa: E402

# What classes need to be made; None: not a class of files.
ARGUMENTS = {
"Dense":dict(units=2),"EinsumDense":dict(equation="ab,bc->ac",output_shape=3),"Embedding":dict(input_dim=5,output_dim=2),
"Conv1D":dict(filters=2,kernel_size=3),"Conv2D":dict(filters=2,kernel_size=3),"Conv3D":dict(filters=2,kernel_size=3),
"Conv1DTranspose":dict(filters=2,kernel_size=3),"Conv2DTranspose":dict(filters=2,kernel_size=3),"Conv3DTranspose":dict(filters=2,kernel_size=3),
"SeparableConv1D":dict(filters=2,kernel_size=3),"SeparableConv2D":dict(filters=2,kernel_size=3),"DepthwiseConv1D":dict(kernel_size=3),"DepthwiseConv2D":dict(kernel_size=3),
"ConvLSTM1D":dict(filters=2,kernel_size=3),"ConvLSTM2D":dict(filters=2,kernel_size=3),"ConvLSTM3D":dict(filters=2,kernel_size=3),
"AdaptiveAveragePooling1D":dict(output_size=2),"AdaptiveAveragePooling2D":dict(output_size=2),"AdaptiveAveragePooling3D":dict(output_size=2),
"AdaptiveMaxPooling1D":dict(output_size=2),"AdaptiveMaxPooling2D":dict(output_size=2),"AdaptiveMaxPooling3D":dict(output_size=2),
"Activation":dict(activation="relu"),"AlphaDropout":dict(rate=.5),"Dropout":dict(rate=.5),"GaussianDropout":dict(rate=.5),"GaussianNoise":dict(stddev=.5),
"SpatialDropout1D":dict(rate=.5),"SpatialDropout2D":dict(rate=.5),"SpatialDropout3D":dict(rate=.5),
"CategoryEncoding":dict(num_tokens=4),"CenterCrop":dict(height=2,width=2),"Dot":dict(axes=1),"Reshape":dict(target_shape=(-1,)),"Permute":dict(dims=(2,1)),"RepeatVector":dict(n=2),
"GRU":dict(units=2),"LSTM":dict(units=2),"SimpleRNN":dict(units=2),"GRUCell":dict(units=2),"LSTMCell":dict(units=2),"SimpleRNNCell":dict(units=2),
"RNN":dict(cell=lambda:L.LSTMCell(2)),"StackedRNNCells":dict(cells=lambda:[L.LSTMCell(2),L.LSTMCell(3)]),
"Bidirectional":dict(layer=lambda:L.LSTM(2)),"TimeDistributed":dict(layer=lambda:L.Dense(2)),"Wrapper":dict(layer=lambda:L.Dense(2)),"SpectralNormalization":dict(layer=lambda:L.Dense(2)),
"MultiHeadAttention":dict(num_heads=2,key_dim=2),"GroupQueryAttention":dict(head_dim=2,num_query_heads=2,num_key_value_heads=2),
"Rescaling":dict(scale=.5),"Discretization":dict(num_bins=3),"Hashing":dict(num_bins=3),"HashedCrossing":dict(num_bins=3),"MaxNumBoundingBoxes":dict(max_number=3),
"Pipeline":dict(layers=lambda:[L.ReLU()]),"RandomBrightness":dict(factor=.1),"RandomContrast":dict(factor=.1),"RandomCrop":dict(height=2,width=2),"RandomHue":dict(factor=.1),
"RandomColorDegeneration":dict(factor=.1),"RandomPosterization":dict(factor=4),"RandomRotation":dict(factor=.1),"RandomSaturation":dict(factor=.1),"RandomSharpness":dict(factor=.1),
"RandomTranslation":dict(height_factor=.1,width_factor=.1),"RandomZoom":dict(height_factor=.1),"Resizing":dict(height=2,width=2),"ReversibleEmbedding":dict(input_dim=5,output_dim=2),
"TernaryDense":dict(units=2),"ZeroPadding1D":{},"Lambda":None,"TorchModuleWrapper":None,"TFSMLayer":None,"JaxLayer":None,"FlaxLayer":None,"InputLayer":dict(shape=(2,)),
"IoU":dict(num_classes=2,target_class_ids=[0]),"MeanIoU":dict(num_classes=2),"OneHotIoU":dict(num_classes=2,target_class_ids=[0]),"OneHotMeanIoU":dict(num_classes=2),
"PrecisionAtRecall":dict(recall=.5),"RecallAtPrecision":dict(precision=.5),"SensitivityAtSpecificity":dict(specificity=.5),"SpecificityAtSensitivity":dict(sensitivity=.5),
"MeanMetricWrapper":None,"Metric":None,"Loss":None,"Layer":None,"Initializer":None,"Regularizer":None,"Constraint":None,"Optimizer":None,"LossScaleOptimizer":dict(inner_optimizer=lambda:keras.optimizers.SGD()),
"MultiOptimizer":None,"OptimizerMap":None,"LearningRateSchedule":None,
"ExponentialDecay":dict(initial_learning_rate=.1,decay_steps=3,decay_rate=.5),"InverseTimeDecay":dict(initial_learning_rate=.1,decay_steps=3,decay_rate=.5),
"CosineDecay":dict(initial_learning_rate=.1,decay_steps=3),"CosineDecayRestarts":dict(initial_learning_rate=.1,first_decay_steps=3),"PolynomialDecay":dict(initial_learning_rate=.1,decay_steps=3),
"PiecewiseConstantDecay":dict(boundaries=[1,2],values=[.1,.2,.3]),
}

for d in "123":
    ARGUMENTS[f"AveragePooling{d}D"] = dict(pool_size=2)
SHAPES = [[(4,)], [(5, 4)], [(6, 6, 3)], [(5, 5, 5, 3)], [(5, 6, 6, 3)], [(5, 4, 4, 4, 3)], [(4,), (4,)],
          [(5, 4), (5, 4)]]
MODULES = ("constraints", "initializers", "layers", "losses", "metrics", "optimizers", "optimizers.schedules",
           "quantizers", "regularizers")
QUANTIZERS = ("AbsMaxQuantizer", "Int8QuantizationConfig")
BUILD_WHEN_NOT_TRIED = {"STFTSpectrogram", "GroupNormalization", "GRUCell", "LSTMCell", "SimpleRNNCell",
                        "StackedRNNCells", "Equalization"}


def make(c, name):
    return c(**{k: (v() if callable(v) else v) for k, v in ARGUMENTS.get(name, {}).items()})


def tried(c, name):
    """(build_config, kwargs) of a call on the first shape that works."""
    for shapes in SHAPES:
        try:
            keras.backend.clear_session()
            o = make(c, name)
            ins = [keras.Input(s, dtype="int32" if "Embedding" in name else None) for s in shapes]
            separate = name in ("MultiHeadAttention", "GroupQueryAttention")
            y = o(ins[0], ins[-1]) if separate else o(ins[0] if len(ins) == 1 else ins)
            entries = json.loads(keras.Model(ins, y).to_json())["config"]["layers"]
            entry = [e for e in entries if e["class_name"] == name][0]
            return entry.get("build_config"), entry["inbound_nodes"][0]["kwargs"]
        except Exception:
            continue
    return name in BUILD_WHEN_NOT_TRIED, {}


# Layers that keras.applications brings along without exporting them: tried like the others.
APPLICATIONS = {"convnext": {"LayerScale": dict(init_values=1e-6, projection_dim=4),
                             "StochasticDepth": dict(drop_path_rate=.1)},
                "inception_resnet_v2": {"CustomScaleLayer": dict(scale=.17)}}


def applications():
    for module, classes in APPLICATIONS.items():
        m = importlib.import_module(f"keras.src.applications.{module}")
        for name, arguments in classes.items():
            ARGUMENTS[name] = arguments
            o = saving.serialize_keras_object(make(getattr(m, name), name))
            build, kwargs = tried(getattr(m, name), name)
            config = {k: plain(k, v) for k, v in o["config"].items()}
            yield o["module"], o["class_name"], bool(build), kwargs, config | {"name": None}


def plain(key, value):
    if isinstance(value, dict):
        return {}
    if isinstance(value, list) and value and isinstance(value[0], dict):
        return []
    return value


def literal(s):
    s = s.replace("\\", "\\\\").replace('"', '\\"')
    parts = []
    while s:
        n = 86
        while n < len(s) and s[n - 1] == "\\":
            n -= 1
        parts.append('"' + s[:n] + '"')
        s = s[n:]
    return "\n    ".join(parts)


def rows():
    for module in MODULES:
        m = keras.optimizers.schedules if module == "optimizers.schedules" else getattr(keras, module)
        for name in sorted(dir(m)):
            c = getattr(m, name)
            own = inspect.isclass(c) and c.__name__ in (name, "GroupedQueryAttention")
            if not own or ARGUMENTS.get(name, {}) is None or module == "quantizers" and name not in QUANTIZERS:
                continue
            o = saving.serialize_keras_object(make(c, name))
            if o["module"] != f"keras.{module}":
                continue
            config = {k: plain(k, v) for k, v in o["config"].items()}
            build, kwargs = None, {}
            if module == "layers":
                config["name"] = None
                if name != "InputLayer":
                    build, kwargs = tried(c, name)
            yield o["module"], o["class_name"], bool(build), kwargs, config


HEAD = """/* What real Keras 3.15.1 writes for each of its classes: the keys of the config in their order, with
 * the values that the class has by default (objects as {}), whether an entry of the class gets a
 * build_config, and the call arguments that it writes for a plain call. Written by
 * tools/golden/keras_configs.py; not to be edited by hand.
 *
 *   KT_CONFIG(module, class, has build_config, kwargs, config) */
"""


def main():
    text = HEAD
    for module, name, builds, kwargs, config in sorted([*rows(), *applications()], key=lambda r: r[:2]):
        text += f'KT_CONFIG(\n    "{module}",\n    "{name}",\n    {"true" if builds else "false"},\n'
        text += f"    {literal(json.dumps(kwargs))},\n    {literal(json.dumps(config))})\n"
    (golden.ROOT / "src" / "saving" / "configs.def").write_text(text)


if __name__ == "__main__":
    main()
