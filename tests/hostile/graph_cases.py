"""G1 to G15 of the checklist: configurations that are JSON, but no model that may be loaded."""
import json

from kit import (LIMIT, MALFORMED, OK, REFUSED, UNSUPPORTED, H5, Data, Group, case, golden_config, keras_file, legacy_attrs,
                 legacy_config, legacy_file, legacy_weights, mlp_config, mlp_weights)


def obj(module, class_name, registered=None, **config):
    return {"module": module, "class_name": class_name, "config": config, "registered_name": registered, "build_config": None}


def layer(class_name, module="keras.layers", registered=None, name="x", **config):
    return obj(module, class_name, registered, name=name, trainable=True, dtype="float32", **config)


def stack(*layers, shape=(None, 5), name="bad"):
    first = obj("keras.layers", "InputLayer", batch_shape=list(shape), dtype="float32", sparse=False, name="in")
    return {**obj("keras", "Sequential", name=name, trainable=True, dtype="float32", layers=[first, *layers]),
            "compile_config": None}


def bad_layer(line, name, value, code, shape=(None, 5), **more):
    """A stack of this one layer, as JSON: nothing but the configuration can be wrong."""
    case(line, name, json.dumps(stack(value, shape=shape)).encode(), code, suffix=".json", **more)


def with_layer(value):
    config = mlp_config()
    config["config"]["layers"].append(value)
    return config


def dense(units=3, name="d", **more):
    return layer("Dense", name=name, units=units, activation="linear", use_bias=True, **more)


def tensor(name, node=0, index=0, shape=(None, 5)):
    return {"class_name": "__keras_tensor__",
            "config": {"shape": list(shape), "dtype": "float32", "keras_history": [name, node, index]}}


def node(*args, **kwargs):
    return {"args": list(args), "kwargs": kwargs}


def functional(layers, inputs=(("in", 0, 0),), outputs=(("d", 0, 0),), name="graph"):
    first = {**obj("keras.layers", "InputLayer", batch_shape=[None, 5], dtype="float32", sparse=False, name="in"),
             "name": "in", "inbound_nodes": []}
    return {**obj("keras", "Functional", name=name, trainable=True, layers=[first, *layers],
                  input_layers=[list(i) for i in inputs], output_layers=[list(o) for o in outputs]), "compile_config": None}


def called(value, *nodes):
    return {**value, "name": value["config"]["name"], "inbound_nodes": list(nodes)}


def add_graph(line, name, config, code, **more):
    case(line, name, json.dumps(config).encode(), code, suffix=".json", **more)


CODE = "4wEAAAAAAAAAAAAAAAABAAAAAQAAAEMAAABzBAAAAHwAUwCpAU6pAKkB2gF4cgIAAAByAgAAAPoBPNoIPGxhbWJkYT4BAAAA8wAAAAA="


def code(canary):
    lambdas = {
        "bytecode": layer("Lambda", function={"class_name": "__lambda__", "config": {"code": CODE, "defaults": None,
                                                                                     "closure": None}}),
        "bytecode_old": layer("Lambda", function=[CODE, None, None], function_type="lambda"),
        "named": layer("Lambda", function="my_function", function_type="function"),
        "object": layer("Lambda", function=obj("builtins", "function", "my_function")),
        "os_system": layer("Lambda", function=obj("os", "system", None), arguments={"command": "id"}),
        "no_function": layer("Lambda"), "in_keras_module": layer("Lambda", module="keras.src.layers.core.lambda_layer")}
    for key, value in lambdas.items():
        bad_layer("G1", key, value, REFUSED, says="Lambda")
        case("G1", key, keras_file(with_layer(value)), REFUSED)
    wrapped = {"time_distributed": layer("TimeDistributed", layer=layer("Lambda", name="inner", function="f")),
               "bidirectional": layer("Bidirectional", layer=layer("Lambda", name="inner", function="f")),
               "in_model": stack(layer("Lambda", name="inner", function="f"), name="inside")}
    for key, value in wrapped.items():
        bad_layer("G1", "inside_" + key, value, REFUSED, shape=(None, 4, 5) if key != "in_model" else (None, 5))
    activation = {"class_name": "__lambda__", "config": {"code": CODE, "defaults": None, "closure": None}}
    for key in ("activation", "kernel_initializer", "kernel_regularizer", "kernel_constraint"):
        bad_layer("G1", f"bytecode_as_{key}", layer("Dense", units=3, **{key: activation}), REFUSED)
    old = legacy_config()
    old["config"]["layers"].append({"class_name": "Lambda", "config": {
        "name": "l", "function": {"class_name": "__tuple__", "items": [CODE, None, None]}, "function_type": "lambda",
        "module": "__main__", "output_shape": None, "output_shape_type": "raw", "arguments": {}}})
    case("G1", "legacy", legacy_file(old).bytes(), REFUSED, suffix=".h5", says="Lambda")


def wrappers(canary):
    for name, config in (("TFSMLayer", {"filepath": canary}), ("TorchModuleWrapper", {"state": "gASVIQ=="}),
                         ("JaxLayer", {"call_fn": "f"}), ("FlaxLayer", {"call_fn": "f"})):
        bad_layer("G2", name, layer(name, **config), REFUSED)
        bad_layer("G2", name + "_exported", layer(name, module="keras.src.export", **config), REFUSED)
    for module, name in (("os", "system"), ("subprocess", "Popen"), ("builtins", "eval"), ("builtins", "exec"),
                         ("keras.src.utils.python_utils", "func_load"), ("importlib", "import_module"), ("posix", "system"),
                         ("tensorflow", "io"), ("numpy", "load"), ("keras.src.saving.saving_lib", "load_model"),
                         ("keras.src.utils.file_utils", "get_file"), ("keras.utils", "get_file"),
                         ("keras.src.legacy.saving", "json_utils"), ("", "system"), ("../os", "system"), ("__main__", "evil"),
                         ("keras.layers.__builtins__", "eval"), ("keras.layers/../os", "system")):
        key = (module or "empty").replace("/", "_") + "_" + name
        refused = (REFUSED, UNSUPPORTED)  # never run; a module of the table without such a class is not supported
        bad_layer("G2", "layer_" + key, obj(module, name, None, name="x"), refused)
        bad_layer("G2", "activation_" + key, layer("Dense", units=3, activation=obj(module, name, None)), refused)
        bad_layer("G2", "function_" + key, layer("Dense", units=3, activation={
            "module": module, "class_name": "function", "config": name, "registered_name": name}), refused)
    bad_layer("G2", "tensor_value", layer("Dense", units=3, kernel_initializer={
        "class_name": "__tensor__", "config": {"value": [0.0] * 100000, "dtype": "float32"}}), (REFUSED, UNSUPPORTED, MALFORMED))
    bad_layer("G2", "numpy_value", layer("Dense", units={"class_name": "__numpy__", "config": {"value": [3], "dtype": "int64"}}),
              MALFORMED)
    for name in ("get_file", "load_model", "enable_unsafe_deserialization", "deserialize_keras_object", "load_weights",
                 "model_from_json", "clone_model", "set_floatx", "keras.config.enable_unsafe_deserialization"):
        short = name.replace(".", "_")
        bad_layer("G3", "layer_" + short, layer(name, module="keras.src.saving"), (REFUSED, UNSUPPORTED))
        bad_layer("G3", "class_" + short, layer(name), (REFUSED, UNSUPPORTED))
        bad_layer("G3", "activation_" + short, layer("Dense", units=3, activation=name), (REFUSED, UNSUPPORTED))
        bad_layer("G3", "initializer_" + short, layer("Dense", units=3, kernel_initializer=obj(
            "keras.utils", name, None, origin="file://" + canary + "/secret.txt")), (REFUSED, UNSUPPORTED))
    for registered in ("Custom>Dense", "my_package>Dense", "Evil", "Lambda", "keras.layers>Dense"):
        bad_layer("G4", registered.replace(">", "_"), layer("Dense", registered=registered, units=3), REFUSED)
        bad_layer("G4", "initializer_" + registered.replace(">", "_"), layer("Dense", units=3, kernel_initializer=obj(
            "keras.initializers", "Zeros", registered)), REFUSED)
    bad_layer("G4", "own_module", layer("Dense", module="my_code", registered="Custom>Dense", units=3), UNSUPPORTED)


def unknown():
    bad_layer("G5", "class", layer("NoSuchLayer"), UNSUPPORTED, says="NoSuchLayer")
    bad_layer("G5", "argument", layer("Dense", units=3, spice=7), UNSUPPORTED, says="spice")
    bad_layer("G5", "argument_false", layer("Dense", units=3, spice=False), UNSUPPORTED, says="spice")
    bad_layer("G5", "class_of_case", layer("dense", units=3), UNSUPPORTED)
    bad_layer("G5", "activation", layer("Dense", units=3, activation="no_such"), UNSUPPORTED, says="no_such")
    bad_layer("G5", "initializer", layer("Dense", units=3, kernel_initializer=obj("keras.initializers", "Magic")), UNSUPPORTED,
              says="Magic")
    bad_layer("G5", "long_class", layer("X" * 10**6), UNSUPPORTED)
    bad_layer("G5", "long_argument", layer("Dense", units=3, **{"x" * 10**6: 1}), UNSUPPORTED)
    bad_layer("G5", "escape_in_class", layer("De\x1b[2Jnse"), UNSUPPORTED)
    bad_layer("G5", "escape_in_argument", layer("Dense", units=3, **{"\x1b[2J": 1}), UNSUPPORTED)
    bad_layer("G5", "missing_argument", layer("Dense"), MALFORMED)
    for key in ("class_name", "config"):
        value = dense()
        del value[key]
        bad_layer("G5", "no_" + key, value, MALFORMED)
    model = mlp_config()
    model["class_name"] = "MyModel"
    model["module"], model["registered_name"] = "my_code", "Custom>MyModel"
    case("G5", "model_class", keras_file(model), UNSUPPORTED, says="MyModel")
    case("G5", "string_input", json.dumps({**stack(dense()), "config": {**stack(dense())["config"], "layers": [
        obj("keras.layers", "InputLayer", batch_shape=[None, 5], dtype="string", name="in"), dense()]}}).encode(),
        MALFORMED, suffix=".json", says="texts")


def circles():
    a = functional([called(dense(name="d"), node(tensor("in")))])
    add_graph("G6", "honest", a, OK)
    add_graph("G6", "self", functional([called(dense(5), node(tensor("d")))]), MALFORMED)
    add_graph("G6", "two", functional([called(dense(5, "a"), node(tensor("d"))), called(dense(5), node(tensor("a")))]), MALFORMED)
    ring = [called(dense(5, f"d{i}" if i else "d"), node(tensor(f"d{i - 1}" if i > 1 else "d" if i else "d2999")))
            for i in range(3000)]
    add_graph("G6", "ring_of_3000", functional(ring), MALFORMED)
    for key, t in {"missing_layer": tensor("ghost"), "call_1": tensor("in", 1), "call_minus_1": tensor("in", -1),
                   "call_2_40": tensor("in", 2**40), "output_1": tensor("in", 0, 1), "output_minus_1": tensor("in", 0, -1),
                   "output_2_40": tensor("in", 0, 2**40), "name_number": tensor(7), "name_null": tensor(None),
                   "call_float": tensor("in", 0.0), "call_text": tensor("in", "0"), "name_empty": tensor("")}.items():
        add_graph("G6", key, functional([called(dense(), node(t))]), MALFORMED)
        if key not in ("name_number", "name_null"):
            add_graph("G6", "output_" + key, functional([called(dense(), node(tensor("in")))],
                                                        outputs=[t["config"]["keras_history"]]), MALFORMED)
        add_graph("G6", "input_" + key, functional([called(dense(), node(tensor("in")))], inputs=[t["config"]["keras_history"]]),
                  MALFORMED)
    for key, history in {"none": None, "empty": [], "short": ["in", 0], "dict": {}, "text": "in", "long": ["in", 0, 0, 0]}.items():
        t = tensor("in")
        t["config"]["keras_history"] = history
        add_graph("G6", "history_" + key, functional([called(dense(), node(t))]), (OK, MALFORMED) if key == "long" else MALFORMED)
    add_graph("G6", "twins", functional([called(dense(), node(tensor("in"))), called(dense(), node(tensor("in")))]), MALFORMED)
    add_graph("G6", "twin_of_input", functional([called(dense(name="in"), node(tensor("in")))]), MALFORMED)
    add_graph("G6", "no_inputs", functional([called(dense(), node(tensor("in")))], inputs=[]), MALFORMED)
    add_graph("G6", "no_outputs", functional([called(dense(), node(tensor("in")))], outputs=[]), MALFORMED)
    add_graph("G6", "input_is_dense", functional([called(dense(), node(tensor("in")))], inputs=[("d", 0, 0)]), MALFORMED)
    add_graph("G6", "output_is_input", functional([called(dense(), node(tensor("in")))], outputs=[("in", 0, 0)]), (OK, MALFORMED))
    add_graph("G6", "input_not_reached", functional([called(dense(), node(tensor("in"))), called(obj(
        "keras.layers", "InputLayer", batch_shape=[None, 5], dtype="float32", name="in2")), ],
        inputs=[("in2", 0, 0)]), MALFORMED)
    add_graph("G6", "never_called", functional([called(dense(), node(tensor("in"))), called(dense(name="idle"))]), (OK, MALFORMED))
    add_graph("G6", "no_tensors", functional([called(dense(), node())]), MALFORMED)
    add_graph("G6", "many_tensors", functional([called(dense(), node([tensor("in")] * 10000))]), (MALFORMED, LIMIT))
    add_graph("G6", "nulls_in_a_dict", functional([called(dense(), node({f"{i}": None for i in range(200000)}))]),
              (MALFORMED, LIMIT))
    add_graph("G6", "100000_calls", functional([called(dense(5), *[node(tensor("in"))] * 100000)]), (OK, LIMIT), slow=10)
    add_graph("G6", "1000001_calls", functional([called(dense(5), *[node(tensor("in"))] * 1000001)]), LIMIT, slow=4)
    add_graph("G6", "100001_layers", functional([called(dense(name=f"d{i}"), node(tensor("in"))) for i in range(100001)]), LIMIT, slow=4)
    # each of these waits for one tensor after the other of a long chain: their number of waits must not be trusted
    n = 150
    waiting = [called(layer("Add", name=f"w{k}"), node([tensor(f"a{i}") for i in range(n)])) for k in range(n)]
    chain = [called(dense(5, f"a{i}"), node(tensor(f"a{i - 1}" if i else "in"))) for i in range(n)]
    add_graph("G6", "waiting_for_a_chain", functional(waiting + chain, outputs=[("w0", 0, 0)]), (MALFORMED, LIMIT))
    add_graph("G6", "chain_backwards_5000", functional(
        [called(dense(5, f"d{i}" if i else "d"), node(tensor(f"d{i + 1}" if i < 4999 else "in"))) for i in range(5000)]),
        (OK, LIMIT), slow=4)
    inner = functional([called(dense(), node(tensor("in")))], name="graph")
    add_graph("G6", "model_with_its_name_inside", functional([called(inner, node(tensor("in")))], outputs=[("graph", 0, 0)]), (OK, MALFORMED))
    for key, v in {"text": "x", "number": 3, "dict": {}, "list_of_numbers": [1], "list_of_text": ["in"], "list_of_lists": [["in"]]}.items():
        add_graph("G6", "nodes_" + key, functional([{**called(dense()), "inbound_nodes": v}]), MALFORMED)


def layer_names():
    for key, name, code in (("slash", "a/b", MALFORMED), ("parent", "../../x", MALFORMED), ("dots", "..", (OK, MALFORMED)),
                            ("newline", "a\nb", OK), ("escape", "\x1b[2Jdense", OK), ("delete", "a\x7f", OK),
                            ("million", "x" * 10**6, OK), ("empty", "", MALFORMED), ("unicode", "größe €", OK),
                            ("right_to_left", "\u202edense", OK), ("percent", "%s%n%s%n", OK), ("quote", 'a"b', OK)):
        bad_layer("G7", key, dense(name=name), code)
        add_graph("G7", "graph_" + key, functional([called(dense(name=name), node(tensor("in")))], outputs=[(name, 0, 0)]), code)
        model = stack(dense(), name=name)
        add_graph("G7", "model_" + key, model, code)
        case("G7", "summary_" + key, json.dumps(model).encode(), (0, 3), suffix=".json", args=("summary", "{}"))
    case("G7", "group_parent", H5(Group({"..": Group({"x": Data((1,))})})).bytes(), (OK, MALFORMED), suffix=".weights.h5")
    case("G7", "group_newline", H5(Group({"a\n\x1b[2J": Data((1,))})).bytes(), (OK, MALFORMED), suffix=".weights.h5")
    case("G7", "legacy_layer_name", legacy_file(json.loads(json.dumps(legacy_config()).replace('"dense"', '"../dense"'))).bytes(),
         MALFORMED, suffix=".h5")


def dims():
    for key, shape in {"zero": [None, 0], "negative": [None, -5], "fraction": [None, 5.5], "text": [None, "5"], "true": [None, True],
                       "list": [None, [5]], "2_40_1": [None, 2**40 + 1], "2_62": [None, 2**62], "2_63": [None, 2**63],
                       "product": [None, 2**31, 2**31, 2**31], "rank_9": [None] + [1] * 8, "rank_1000": [None] * 1000, "empty": [],
                       "none": None, "text_alone": "5", "minus_2": [None, -2], "batch_minus": [-3, 5], "batch_zero": [0, 5],
                       "huge_fits": [None, 2**40]}.items():
        code = LIMIT if key.startswith("rank") else (MALFORMED, LIMIT)
        bad_layer("G8", "input_" + key, dense(), code, shape=()) if shape is None else \
            case("G8", "input_" + key, json.dumps(stack(dense(), shape=shape)).encode(), code, suffix=".json")
    for key, target in {"zero": [0], "minus_2": [-2], "two_unknown": [-1, -1], "product": [2**31, 2**31, 2**31], "wrong": [7], "rank_9": [1] * 9,
                        "2_62": [2**62], "fraction": [2.5], "text": ["5"]}.items():
        bad_layer("G8", "reshape_" + key, layer("Reshape", target_shape=target), (MALFORMED, LIMIT))


BAD_NUMBERS = {"zero": 0, "minus_1": -1, "minus_2_31": -2**31, "2_31": 2**31, "2_40": 2**40, "2_62": 2**62}


def arguments():
    image, series, volume = (None, 8, 8, 3), (None, 8, 3), (None, 4, 4, 4, 2)
    limit = (MALFORMED, LIMIT)
    windows = [("Conv1D", series, ("filters", "kernel_size", "strides", "dilation_rate", "groups")),
               ("Conv2D", image, ("filters", "kernel_size", "strides", "dilation_rate", "groups")),
               ("Conv3D", volume, ("filters", "kernel_size", "strides")),
               ("DepthwiseConv2D", image, ("kernel_size", "strides", "depth_multiplier")),
               ("SeparableConv2D", image, ("filters", "kernel_size", "strides", "depth_multiplier")),
               ("Conv2DTranspose", image, ("filters", "kernel_size", "strides")),
               ("MaxPooling2D", image, ("pool_size", "strides")), ("AveragePooling1D", series, ("pool_size", "strides"))]
    base = {"filters": 2, "kernel_size": 2}
    for class_name, shape, keys in windows:
        have = {k: v for k, v in base.items() if "Pool" not in class_name and not ("Depth" in class_name and k == "filters")}
        for key in keys:
            for name, v in BAD_NUMBERS.items():
                bad_layer("G9", f"{class_name}_{key}_{name}", layer(class_name, **{**have, key: v}), limit, shape=shape)
    bad_layer("G9", "groups_not_dividing", layer("Conv2D", filters=4, kernel_size=1, groups=2), MALFORMED, shape=image)
    bad_layer("G9", "groups_not_dividing_filters", layer("Conv2D", filters=4, kernel_size=1, groups=3), MALFORMED, shape=image)
    bad_layer("G9", "kernel_beyond", layer("Conv2D", filters=4, kernel_size=9), MALFORMED, shape=image)
    bad_layer("G9", "dilation_times_kernel", layer("Conv2D", filters=1, kernel_size=2**19, dilation_rate=2**19), limit, shape=image)
    bad_layer("G9", "strides_and_dilation", layer("Conv2D", filters=1, kernel_size=2, strides=2, dilation_rate=2), MALFORMED, shape=image)
    bad_layer("G9", "padding_word", layer("Conv2D", filters=1, kernel_size=2, padding="sideways"), MALFORMED, shape=image)
    bad_layer("G9", "format_word", layer("Conv2D", filters=1, kernel_size=2, data_format="sideways"), MALFORMED, shape=image)
    for class_name in ("Dense", "SimpleRNN", "LSTM", "GRU"):
        for name, v in BAD_NUMBERS.items():
            code = MALFORMED if v <= 0 else limit
            bad_layer("G9", f"{class_name}_units_{name}", layer(class_name, units=v), code, shape=(None, 5) if class_name == "Dense" else series)
    for name, v in BAD_NUMBERS.items():
        bad_layer("G9", f"heads_{name}", called(layer("MultiHeadAttention", num_heads=v, key_dim=2)), (MALFORMED, LIMIT, UNSUPPORTED), shape=series)
        bad_layer("G9", f"RepeatVector_{name}", layer("RepeatVector", n=v), limit)
        bad_layer("G9", f"UpSampling2D_{name}", layer("UpSampling2D", size=v), limit, shape=image)
        bad_layer("G9", f"Cropping2D_{name}", layer("Cropping2D", cropping=v), (OK,) if v == 0 else limit, shape=image)
        bad_layer("G9", f"ZeroPadding2D_{name}", layer("ZeroPadding2D", padding=v), (OK,) if v == 0 else limit, shape=image)
        bad_layer("G9", f"Resizing_{name}", layer("Resizing", height=v, width=3), (MALFORMED, LIMIT, UNSUPPORTED), shape=image)
    cells = layer("StackedRNNCells", cells=[layer("LSTMCell", units=2, name="a"), layer("GRUCell", units=2, name="b")])
    for steps in (10**6, 2**31, 2**40):
        bad_layer("G9", f"rnn_of_{steps}_steps", layer("RNN", cell=cells), (OK, MALFORMED, LIMIT), shape=(None, steps, 3))
        bad_layer("G9", f"unrolled_{steps}_steps", layer("LSTM", units=2, unroll=True), (OK, MALFORMED, LIMIT), shape=(None, steps, 3))
        bad_layer("G9", f"distributed_{steps}_steps", layer("TimeDistributed", layer=dense()), (OK, MALFORMED, LIMIT), shape=(None, steps, 3))
    for name, v in {"pairs_short": [[1]], "pairs_text": [["1", "2"], [1, 2]], "pairs_negative": [[-1, 0], [0, 0]], "four": [1, 2, 3, 4],
                    "nested": [[[1]]], "empty": []}.items():
        bad_layer("G9", f"ZeroPadding2D_{name}", layer("ZeroPadding2D", padding=v), MALFORMED, shape=image)
    bad_layer("G9", "MaxPooling_beyond", layer("MaxPooling2D", pool_size=9), MALFORMED, shape=image)
    for name, v in BAD_NUMBERS.items():
        if v != 2**31:
            bad_layer("G11", f"Embedding_input_dim_{name}", layer("Embedding", input_dim=v, output_dim=2), limit)
        bad_layer("G11", f"Embedding_output_dim_{name}", layer("Embedding", input_dim=3, output_dim=v), limit)


def sizes():
    for key, units, code in (("2_20", 2**20, MALFORMED), ("2_31_1", 2**31 - 1, MALFORMED), ("5", 5, MALFORMED), ("3", 3, MALFORMED)):
        config = mlp_config()
        config["config"]["layers"][1]["config"]["units"] = units
        case("G10", f"units_{key}", keras_file(config), code)
        old = legacy_config()
        old["config"]["layers"][1]["config"]["units"] = units
        case("G10", f"legacy_units_{key}", legacy_file(old).bytes(), code, suffix=".h5")
    deep = stack(*[dense(2**15, f"d{i}") for i in range(50)])
    case("G10", "fifty_layers_of_4_GiB", keras_file(deep), MALFORMED)
    many = stack(*[dense(5, f"d{i}") for i in range(3000)])
    case("G10", "3000_layers_without_weights", keras_file(many), MALFORMED, slow=3)
    add_graph("G10", "json_alone_of_4_TiB", stack(dense(2**20, "a"), dense(2**20, "b")), (OK, MALFORMED, LIMIT))
    table = stack(layer("Embedding", input_dim=3, output_dim=2, name="e"))

    def emb(shape):
        return H5(Group({"layers": Group({"embedding": Group({"vars": Group({"0": Data(shape)})})})})).bytes()
    case("G11", "table_honest", keras_file(table, emb((3, 2))), OK)
    for shape in ((2, 2), (4, 2), (3, 3), (6,), (2, 3), (3, 2, 1)):
        case("G11", f"table_{'x'.join(map(str, shape))}", keras_file(table, emb(shape)), MALFORMED)
    bad_layer("G11", "vocabulary_huge", layer("StringLookup", vocabulary=["w%d" % i for i in range(200000)]), MALFORMED)  # fed with numbers
    bad_layer("G11", "ngrams", layer("TextVectorization", ngrams=2**31 - 1, max_tokens=2**31 - 1), LIMIT)


def paths(canary):
    for key, v in (("path", canary + "/secret.txt"), ("url", "http://127.0.0.1:1/x"), ("file_url", "file://" + canary + "/secret.txt"),
                   ("relative", "../../secret.txt")):
        for class_name in ("StringLookup", "IntegerLookup", "TextVectorization"):
            bad_layer("G12", f"{class_name}_{key}", layer(class_name, vocabulary=v), (REFUSED, UNSUPPORTED))
        bad_layer("G12", f"weights_{key}", layer("Embedding", input_dim=3, output_dim=2, weights=v), (REFUSED, UNSUPPORTED, MALFORMED))


def hyper():
    numbers = {"minus": -0.5, "nan": float("nan"), "minus_infinity": float("-inf"), "infinity": float("inf")}
    for key, v in {**numbers, "one": 1.0, "two": 2.0}.items():
        for class_name in ("Dropout", "SpatialDropout1D", "GaussianDropout", "AlphaDropout"):
            code = (OK, MALFORMED) if key == "one" else MALFORMED
            bad_layer("G13", f"{class_name}_{key}", layer(class_name, rate=v), code, shape=(None, 5, 3) if "Spatial" in class_name else (None, 5))
    for key, v in numbers.items():
        bad_layer("G13", f"noise_{key}", layer("GaussianNoise", stddev=v), MALFORMED)
        bad_layer("G13", f"batch_epsilon_{key}", layer("BatchNormalization", epsilon=v), MALFORMED)
        bad_layer("G13", f"batch_momentum_{key}", layer("BatchNormalization", momentum=v), MALFORMED)
        bad_layer("G13", f"layer_epsilon_{key}", layer("LayerNormalization", epsilon=v), MALFORMED)
        bad_layer("G13", f"leaky_{key}", layer("LeakyReLU", negative_slope=v), (OK, MALFORMED) if "inf" in key else MALFORMED)
        bad_layer("G13", f"l2_{key}", layer("Dense", units=3, kernel_regularizer=obj("keras.regularizers", "L2", None, l2=v)), MALFORMED)
        bad_layer("G13", f"stddev_{key}", layer("Dense", units=3, kernel_initializer=obj(
            "keras.initializers", "RandomNormal", None, mean=0.0, stddev=v, seed=None)), MALFORMED)
        bad_layer("G13", f"recurrent_dropout_{key}", layer("LSTM", units=2, recurrent_dropout=v),
                  MALFORMED if key == "nan" else OK, shape=(None, 5, 3))  # Keras brings them into 0 to 1
        for name, optimizer in (("lr", {"learning_rate": v}), ("beta", {"learning_rate": 0.1, "beta_1": v}),
                                ("epsilon", {"learning_rate": 0.1, "epsilon": v}), ("clip", {"learning_rate": 0.1, "clipnorm": v})):
            code = OK if (name, key) == ("clip", "infinity") else MALFORMED
            case("G13", f"adam_{name}_{key}", compiled({"optimizer": obj("keras.optimizers", "Adam", None, **optimizer), "loss": "mse"}), code)
        case("G13", f"sgd_momentum_{key}", compiled({"optimizer": obj("keras.optimizers", "SGD", None, learning_rate=0.1, momentum=v),
                                                     "loss": "mse"}), MALFORMED)
    case("G13", "sgd_momentum_2", compiled({"optimizer": obj("keras.optimizers", "SGD", None, learning_rate=0.1, momentum=2.0),
                                            "loss": "mse"}), MALFORMED)
    bad_layer("G13", "batch_momentum_2", layer("BatchNormalization", momentum=2.0), MALFORMED)
    for class_name, key in (("BatchNormalization", "axis"), ("LayerNormalization", "axis"), ("Softmax", "axis"), ("Concatenate", "axis")):
        for v in (2, -3, 8, 2**31, -2**31, 2**40, 0.5, "x"):
            bad_layer("G13", f"{class_name}_axis_{v}", layer(class_name, axis=v), (MALFORMED, LIMIT))
    for v in ([0], [2, 2], [1, 3], [-1]):
        bad_layer("G13", f"permute_{v[0]}_{len(v)}", layer("Permute", dims=v), MALFORMED, shape=(None, 5, 3))


def compiled(config):
    model = mlp_config()
    model["compile_config"] = {"optimizer": obj("keras.optimizers", "SGD", None, learning_rate=0.1), "loss": "mse",
                               "loss_weights": None, "metrics": None, "weighted_metrics": None, **config}
    return keras_file(model)


def compile_configs():
    for class_name, key in (("AUC", "num_thresholds"), ("MeanIoU", "num_classes"), ("SensitivityAtSpecificity", "num_thresholds"),
                            ("TopKCategoricalAccuracy", "k"), ("F1Score", "threshold")):
        for name, v in {**BAD_NUMBERS, "2_30": 2**30}.items():
            value = {"specificity": 0.5} if class_name.startswith("Sensitivity") else {}
            case("G14", f"{class_name}_{name}", compiled({"metrics": [obj("keras.metrics", class_name, None, name="m", dtype="float32",
                                                                         **value, **{key: v})]}), (OK, MALFORMED, LIMIT))
    case("G14", "honest", compiled({}), OK)
    case("G14", "loss", compiled({"loss": "no_such_loss"}), UNSUPPORTED, says="no_such_loss")
    case("G14", "loss_object", compiled({"loss": obj("keras.losses", "NoSuchLoss")}), UNSUPPORTED, says="NoSuchLoss")
    case("G14", "loss_custom", compiled({"loss": obj("my_code", "MyLoss", "Custom>MyLoss")}), UNSUPPORTED, says="MyLoss")
    case("G14", "optimizer", compiled({"optimizer": "no_such"}), UNSUPPORTED)
    case("G14", "optimizer_custom", compiled({"optimizer": obj("my_code", "Mine", "Custom>Mine")}), UNSUPPORTED)
    case("G14", "metric", compiled({"metrics": ["no_such"]}), UNSUPPORTED)
    case("G14", "metric_custom", compiled({"metrics": [obj("my_code", "Mine", "Custom>Mine")]}), UNSUPPORTED)
    case("G14", "metric_module", compiled({"metrics": [obj("os", "system")]}), REFUSED)
    case("G14", "loss_function_module", compiled({"loss": {"module": "os", "class_name": "function", "config": "system",
                                                           "registered_name": "system"}}), (REFUSED, UNSUPPORTED))
    case("G14", "too_many_losses", compiled({"loss": ["mse"] * 9}), (MALFORMED, LIMIT))
    case("G14", "loss_weights_text", compiled({"loss_weights": "x"}), MALFORMED)
    case("G14", "losses_million", compiled({"loss": ["mse"] * 10**6}), (MALFORMED, LIMIT), slow=2)
    case("G14", "metrics_deep", compiled({"metrics": json.loads("[" * 100 + '"mae"' + "]" * 100)}), (MALFORMED, LIMIT))
    case("G14", "schedule_module", compiled({"optimizer": obj("keras.optimizers", "SGD", None, learning_rate=obj("os", "system"))}),
         REFUSED)
    case("G14", "schedule_wrong", compiled({"optimizer": obj("keras.optimizers", "SGD", None, learning_rate=obj(
        "keras.optimizers.schedules", "ExponentialDecay", None, initial_learning_rate=0.1, decay_steps=0, decay_rate=0.5))}),
         (OK, MALFORMED))


def blow_up():
    """Each model calls the one before twice: 2^40 layers if somebody expanded them."""
    inner = functional([called(dense(5), node(tensor("in")))], name="m0")
    for i in range(1, 40):
        below = f"m{i - 1}"
        inner = functional([called(inner, node(tensor("in")), node(tensor(below, 0)))], outputs=[(below, 1, 0)], name=f"m{i}")
    add_graph("G15", "twice_40", inner, (LIMIT, OK))
    small = functional([called(dense(5), node(tensor("in")))], name="m0")
    for i in range(1, 12):
        below = f"m{i - 1}"
        small = functional([called(small, node(tensor("in")), node(tensor(below, 0)))], outputs=[(below, 1, 0)], name=f"m{i}")
    add_graph("G15", "twice_12", small, (OK, LIMIT))
    shared = functional([called(dense(5), *[node(tensor("in"))] * 1000)], outputs=[("d", 999, 0)])
    add_graph("G15", "shared_1000", shared, OK)
    arrays = [[0.0] * 1000] + [0.0] * 9999  # looks like (10000, 1000) to whoever reads the first row only
    for key in ("kernel_initializer", "activation", "mean"):
        bad_layer("G15", f"array_as_{key}", layer("Dense", units=3, **{key: arrays}), (MALFORMED, UNSUPPORTED))
    big = [[0.0] * 100000] + [0.0] * 99999
    bad_layer("G15", "normalization_mean", layer("Normalization", axis=-1, mean=big, variance=big), (MALFORMED, UNSUPPORTED))


def add(canary):
    code(canary)
    wrappers(canary)
    for part in (unknown, circles, layer_names, dims, arguments, sizes, compile_configs, blow_up, hyper):
        part()
    paths(canary)
