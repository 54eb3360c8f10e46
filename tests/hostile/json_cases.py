"""J1 to J6 of the checklist: config.json, .json files, and JSON in attributes of .h5 files."""
import copy
import json

from kit import (LIMIT, MALFORMED, OK, REFUSED, UNSUPPORTED, H5, Group, attribute_text, case, golden_config, keras_file,
                 legacy_attrs, legacy_config, legacy_weights, mlp_config)

TEXT = json.dumps(mlp_config())


def with_text(old, new, config=None):
    """config.json with one piece of its text replaced."""
    text = json.dumps(mlp_config() if config is None else config)
    assert old in text, old
    return text.replace(old, new, 1).encode() if isinstance(new, str) else text.encode().replace(old.encode(), new, 1)


def both(line, name, text, code, **more):
    """The text as config.json of an archive, and as a .json file."""
    case(line, name, keras_file(text=text), code, **more)
    case(line, name, text, code, suffix=".json", **more)


def model_config_file(text):
    attrs = legacy_attrs(legacy_config())
    attrs[0] = attribute_text("model_config", text)
    return H5(Group({"model_weights": legacy_weights()}, attrs)).bytes()


def depth():
    def at(n, pair="[]"):  # where Keras ignores what it does not know
        start, end = (pair[0] * n, pair[1] * n) if pair == "[]" else ('{"a":' * n + "0", "}" * n)
        return with_text('"build_config": {"input_shape": [null, 5]}', f'"build_config": {start}{end}')
    used = 4
    both("J1", "depth_128", at(128 - used), (OK, MALFORMED))
    for n in (129, 200, 1000):
        both("J1", f"depth_{n}", at(n - used), LIMIT)
        both("J1", f"depth_{n}_dicts", at(n - used, "{}"), LIMIT)
    for n in (10**5, 10**7):
        both("J1", f"open_{n}", b"[" * n, LIMIT)
        both("J1", f"open_dicts_{n}", b'{"a":' * (n // 5), LIMIT)
    both("J1", "depth_100000_balanced", b"[" * 10**5 + b"]" * 10**5, LIMIT)
    case("J1", "attribute_depth_10000", model_config_file(b"[" * 10000), LIMIT, suffix=".h5")
    nested = mlp_config()
    for i in range(60):
        nested = {"module": "keras", "class_name": "Sequential", "registered_name": None,
                  "config": {"name": f"m{i}", "trainable": True, "layers": [nested]}}
    both("J1", "models_in_models_60", json.dumps(nested).encode(), LIMIT)


def size():
    case("J2", "65_MiB", lambda p: p.write_bytes(b" " * (65 << 20) + TEXT.encode()), LIMIT, suffix=".json")
    both("J2", "10_million_values", b"[" + b"0," * 10**7 + b"0]", LIMIT)
    both("J2", "5_million_keys", b"{" + b'"":0,' * (5 * 10**6) + b'"":0}', LIMIT)
    case("J2", "one_string_of_50_MiB", lambda p: p.write_bytes(b'"' + b"x" * (50 << 20) + b'"'), (MALFORMED, LIMIT),
         suffix=".json", slow=4)
    both("J2", "million_escapes", b'"' + b"\\u0041" * 10**6 + b'"', MALFORMED)


def numbers():
    units = '"units": 4'
    for name, v in {"100000_digits": "9" * 10**5, "leading_zero": "04", "hex": "0x4", "plus": "+4", "octal": "0o4", "dot_first": ".4",
                    "dot_last": "4.", "exponent_empty": "4e", "underscore": "4_0", "minus": "-", "minus_minus": "--4",
                    "suffix": "4L", "infinity": "Infinity", "minus_infinity": "-Infinity", "nan": "NaN", "nan_small": "nan",
                    "inf": "inf", "1e999": "1e999", "minus_1e999": "-1e999", "1e-999": "1e-999", "comma": "4,5",
                    "blank": "4 4", "nothing": ""}.items():
        both("J3", f"units_{name}", with_text(units, f'"units": {v}'), MALFORMED)
    for name, v in {"2_63": str(2**63), "minus_2_63_1": str(-2**63 - 1), "2_64": str(2**64), "2_64_plus_4": str(2**64 + 4),
                    "fraction": "4.5", "float": "4.0", "exponent": "4e0", "true": "true", "string": '"4"', "null": "null", "list": "[4]",
                    "dict": '{"4": 4}', "minus_zero": "-0"}.items():
        both("J4", f"units_{name}", with_text(units, f'"units": {v}'), (OK, MALFORMED) if name in ("float", "exponent") else MALFORMED)
    drop = mlp_config()
    drop["config"]["layers"].insert(2, {
        "module": "keras.layers", "class_name": "LeakyReLU", "registered_name": None, "build_config": None,
        "config": {"name": "leaky", "trainable": True, "dtype": "float32", "negative_slope": 0.25}})
    for name, v, code in (("honest", "0.25", OK), ("minus_zero", "-0", OK), ("1e-999", "1e-999", (OK, MALFORMED)), ("1e999", "1e999", MALFORMED),
                          ("nan", "NaN", MALFORMED), ("infinity", "Infinity", OK), ("string", '"0.25"', MALFORMED),
                          ("true", "true", MALFORMED), ("400_digits", "0." + "3" * 400, OK), ("many_digits", "1" * 400, MALFORMED)):
        both("J3", f"slope_{name}", with_text('"negative_slope": 0.25', f'"negative_slope": {v}', drop), code)


def texts():
    name = '"name": "dense_1"'
    bad = {"duplicate_key": with_text('"units": 4', '"units": 4, "units": 5'),
           "duplicate_same": with_text('"units": 4', '"units": 4, "units": 4'),
           "duplicate_escaped": with_text('"units": 4', '"units": 4, "\\u0075nits": 5'),
           "duplicate_on_top": b'{"class_name": "Dense", ' + TEXT.encode()[1:],
           "lone_high": with_text(name, '"name": "a\\ud800"'), "lone_low": with_text(name, '"name": "a\\udc00"'),
           "swapped": with_text(name, '"name": "\\udc00\\ud800"'), "high_high": with_text(name, '"name": "\\ud800\\ud800"'),
           "nul_escape": with_text(name, '"name": "dense\\u0000_1"'), "nul_key": with_text('"units": 4', '"units": 4, "\\u0000": 1'),
           "nul_raw": with_text(name, b'"name": "dense\0_1"'), "control_raw": with_text(name, b'"name": "den\x01se"'),
           "newline_raw": with_text(name, b'"name": "den\nse"'), "tab_raw": with_text(name, b'"name": "den\tse"'),
           "utf8_cut": with_text(name, b'"name": "den\xe2\x82"'), "utf8_overlong": with_text(name, b'"name": "den\xc0\xaf"'),
           "utf8_surrogate": with_text(name, b'"name": "\xed\xa0\x80"'), "utf8_beyond": with_text(name, b'"name": "\xf5\x80\x80\x80"'),
           "utf8_lone": with_text(name, b'"name": "\x80"'), "latin1": with_text(name, b'"name": "caf\xe9"'),
           "bom": b"\xef\xbb\xbf" + TEXT.encode(), "utf16": TEXT.encode("utf-16"), "utf16be": TEXT.encode("utf-16-be"),
           "utf32": TEXT.encode("utf-32"), "trailing": TEXT.encode() + b" x", "trailing_brace": TEXT.encode() + b"}",
           "trailing_nul": TEXT.encode() + b"\0", "two_documents": TEXT.encode() * 2, "empty": b"", "blank": b"  \n",
           "single_quotes": TEXT.replace('"', "'").encode(), "comment": b"/* x */" + TEXT.encode(), "comment_end": TEXT.encode() + b"// x",
           "trailing_comma": with_text('"units": 4', '"units": 4,,'), "no_colon": with_text('"units": 4', '"units" 4'),
           "bad_escape": with_text(name, '"name": "\\x41"'), "escape_cut": with_text(name, '"name": "\\u00"'),
           "true_capital": with_text("true", "True"), "none": with_text("null", "None"), "python_tuple": with_text("[null, 5]", "(None, 5)")}
    for key, text in bad.items():
        both("J5", key, text, MALFORMED)
    for n in (1, 10, len(TEXT) // 2, len(TEXT) - 1):
        both("J5", f"cut_at_{n}", TEXT.encode()[:n], MALFORMED)
    for key, text in {"number": b"3", "string": b'"keras"', "null": b"null", "list": b"[]", "dict": b"{}", "true": b"true"}.items():
        both("J5", f"only_{key}", text, MALFORMED)
    both("J5", "pair", with_text(name, '"name": "\\ud83d\\ude00"', json.loads(TEXT)), (OK, MALFORMED, ))


def places(value, path=()):
    """All positions in a configuration, with what stands there."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        yield path + (key,), item
        yield from places(item, path + (key,))


def replaced(config, path, value):
    config = copy.deepcopy(config)
    at = config
    for key in path[:-1]:
        at = at[key]
    at[path[-1]] = value
    return config


WRONG = {"null": None, "true": True, "int": -7, "float": 0.5, "text": "\x1b[31mwrong", "list": [[]], "dict": {"wrong": []}}

# Where another type is no fault: a number may be written as an integer, null stands for "as it is by default" or "off"
# where Keras has such a default, and a component may be given by its name, which is then unknown (exit 9).
NULL_IS_FINE = ("module", "registered_name", "build_config", "compile_config", "name", "dtype", "activation", "initializer",
                "regularizer", "constraint", "input_shape", "shared_object_id", "sparse", "ragged", "optional", "loss",
                "loss_weights", "metrics", "weighted_metrics", "optimizer", "run_eagerly", "jit_compile",
                "steps_per_execution", "build_input_shape", "seed", "kwargs", "mask", "0", "1", "2", "3")
COMPONENTS = ("kernel_initializer", "bias_initializer", "kernel_regularizer", "bias_regularizer", "kernel_constraint",
              "bias_constraint", "activity_regularizer", "optimizer")


def required(path, kind, old):
    """The exit codes that another type at a place may have."""
    key = str(path[-1])
    if kind == "null":
        return (OK, MALFORMED) if key.endswith(NULL_IS_FINE) or isinstance(old, (int, float)) and not isinstance(old, bool) \
            else (MALFORMED, UNSUPPORTED) if key == "config" else MALFORMED
    if old is None:  # what the type should be does not follow from the file
        return (OK, MALFORMED, UNSUPPORTED, REFUSED)
    if "input_shape" in path or "build_input_shape" in path:  # lists and dicts of shapes are shapes of several inputs
        return (OK, MALFORMED) if kind in ("list", "dict") or kind == "int" and key in "01" else MALFORMED
    if kind == "int" and isinstance(old, float):
        return (OK, MALFORMED)
    if kind == "text" and (key in COMPONENTS or key in ("class_name", "activation", "module")):
        return (MALFORMED, UNSUPPORTED, REFUSED)
    if "compile_config" in path and key in ("loss", "metrics", "loss_weights") or key == "jit_compile":
        return (OK, MALFORMED, UNSUPPORTED)
    return MALFORMED


def wrong_types():
    """Another type at every place of a configuration."""
    config = golden_config("mlp")
    for path, old in places(config):
        for kind, value in WRONG.items():
            if type(value) is type(old):
                continue
            text = json.dumps(replaced(config, path, value)).encode()
            case("J6", "_".join(str(p) for p in path) + "_" + kind, text, required(path, kind, old), suffix=".json")


def add():
    for part in (depth, size, numbers, texts, wrong_types):
        part()
