"""Texts, and what only the command reads: vocabularies in configurations and archives, .npy of texts, tables of texts,
histories, labels, and names that reach a drawing."""
import json

from graph_cases import bad_layer, called, dense, functional, layer, node, obj, stack, tensor
from kit import (LIMIT, MALFORMED, OK, REFUSED, UNSUPPORTED, H5, Data, Group, Member, case, fixed_string, keras_file, make_zip,
                 mlp_config, npy, npy_of)

WORDS = b"\n[UNK]\ngood\nbad\nfilm\n"
ANY = (OK, MALFORMED, REFUSED, LIMIT, UNSUPPORTED)


def text_layer(class_name="TextVectorization", vocabulary=None, **more):
    args = {"max_tokens": 20, "vocabulary": vocabulary, "output_mode": "int"}
    if class_name == "TextVectorization":
        args.update(standardize="lower_and_strip_punctuation", split="whitespace", ngrams=None, output_sequence_length=4,
                    pad_to_max_tokens=False, sparse=False, ragged=False, idf_weights=None, encoding="utf-8", vocabulary_size=5)
    else:
        args.update(num_oov_indices=1, mask_token=None, oov_token="[UNK]", invert=False,
                    pad_to_max_tokens=False, idf_weights=None, sparse=False, encoding="utf-8", vocabulary_size=4)
    return layer(class_name, name="words", **{**args, **more})


def text_config(*args, **more):
    config = stack(text_layer(*args, **more), shape=(None, 1))
    config["config"]["layers"][0]["config"]["dtype"] = "string"
    return config


def text_file(words=WORDS, config=None, path="assets/layers/text_vectorization/vocabulary.txt", method=0, extra=(),
              **member):
    """A .keras file of such a layer, with the vocabulary as Keras writes it."""
    members = [] if words is None else [Member(path, words, method, **member)]
    return keras_file(text_config() if config is None else config, weights=H5(Group({"layers": Group({})})).bytes(),
                      extra=[*members, *extra])


GOOD = text_file()


def vocabularies():
    """In the archive, as adapt() leaves them."""
    case("G11", "words_honest", GOOD, OK)
    case("G11", "words_deflated", text_file(method=8), OK)
    for name, (words, code) in {
            "latin1": (b"\n[UNK]\ncaf\xe9\n", MALFORMED), "surrogate": (b"\n[UNK]\n\xed\xa0\x80\n", MALFORMED), "cut": (b"\n[UNK]\na\xe2\x82", MALFORMED),
            "nul": (b"\n[UNK]\na\0b\n", (MALFORMED, UNSUPPORTED)), "only_nul": (b"\0" * 100, (MALFORMED, UNSUPPORTED)), "twice": (b"\n[UNK]\na\na\n", MALFORMED),
            "empty": (b"", (OK, MALFORMED)), "one_line": (b"\n", (OK, MALFORMED)), "too_many": (b"\n[UNK]\n" + b"".join(b"w%d\n" % i for i in range(100)), MALFORMED),
            "utf16": ("\n[UNK]\na\n".encode("utf-16"), MALFORMED), "escape": (b"\n[UNK]\n\x1b[2J\n", OK), "carriage": (b"\r\n[UNK]\r\na\r\n", (OK, MALFORMED)),
            "one_of_10_MB": (b"\n[UNK]\n" + b"x" * 10**7, (OK, LIMIT)), "blank_lines": (b"\n" * 15, (OK, MALFORMED))}.items():
        case("G11", f"words_{name}", text_file(words), code, slow=3)
    many = text_config(max_tokens=None)
    case("G11", "words_million", lambda p: p.write_bytes(text_file(b"\n[UNK]\n" + b"".join(b"w%d\n" % i for i in range(10**6)), many)), (OK, MALFORMED, LIMIT), slow=3, room=200)
    case("G11", "words_64_MiB_deflated", lambda p: p.write_bytes(text_file(b"\n[UNK]\n" + b"x" * (64 << 20), many, method=8)), LIMIT, slow=3)
    case("G11", "words_64_MiB_of_lines", lambda p: p.write_bytes(text_file(b"\n" * (64 << 20), many, method=8)), (MALFORMED, LIMIT), slow=3)
    case("G11", "words_declare_3_GiB", text_file(method=8, size=3 << 30), (MALFORMED, LIMIT))
    case("G11", "words_crc", text_file(crc=1), MALFORMED)
    case("G11", "words_missing", text_file(None), (OK, MALFORMED))
    case("G11", "words_symlink", text_file(b"/etc/passwd", mode=0o120777), REFUSED)
    case("G11", "words_in_two_places", text_file(extra=[Member("assets/layers/text_vectorization/_lookup_layer/vocabulary.txt", b"\n[UNK]\nother\n")]), (OK, MALFORMED))
    case("G11", "words_folder", text_file(b"", path="assets/layers/text_vectorization/vocabulary.txt/"), (OK, MALFORMED, REFUSED))
    case("G11", "words_case", text_file(path="assets/layers/text_vectorization/Vocabulary.TXT"), (OK, MALFORMED))


def configurations():
    def words(name, code, class_name="TextVectorization", **more):
        for c in (class_name,) if class_name != "TextVectorization" else ("TextVectorization", "StringLookup"):
            if c == "StringLookup" and any(k in more for k in ("ngrams", "split", "standardize", "output_sequence_length", "ragged")):
                continue
            case("G11", f"{c}_{name}", json.dumps(text_config(c, **more)).encode(), code, suffix=".json")
    words("honest", OK, vocabulary=["a", "b"])
    words("vocabulary_twice", MALFORMED, vocabulary=["a", "a"])
    words("vocabulary_empty", (OK, MALFORMED), vocabulary=[])
    words("vocabulary_numbers", MALFORMED, vocabulary=[1, 2])
    words("vocabulary_mixed", MALFORMED, vocabulary=["a", 2])
    words("vocabulary_null", MALFORMED, vocabulary=["a", None])
    words("vocabulary_nested", MALFORMED, vocabulary=[["a"], ["b"]])
    words("vocabulary_dict", MALFORMED, vocabulary={"a": 1})
    words("vocabulary_nul", MALFORMED, vocabulary=["a\0b"])
    words("vocabulary_path", (REFUSED, MALFORMED), vocabulary="/etc/passwd")
    words("vocabulary_url", (REFUSED, MALFORMED), vocabulary="https://example.org/words.txt")
    words("vocabulary_escape", OK, vocabulary=["\x1b[31mred", "a\nb"])
    words("vocabulary_too_long", MALFORMED, vocabulary=[f"w{i}" for i in range(50)])
    words("vocabulary_200000", (OK, LIMIT), vocabulary=[f"w{i}" for i in range(200000)], max_tokens=None)
    words("vocabulary_one_of_8_MB", (OK, LIMIT), vocabulary=["x" * (8 << 20)])
    for name, v in {"0": 0, "minus": -1, "2_31": 2**31, "2_62": 2**62, "half": 2.5, "true": True, "text": "20"}.items():
        words(f"max_tokens_{name}", (OK, MALFORMED, LIMIT) if name in ("2_31", "2_62") else MALFORMED, max_tokens=v)
        words(f"vocabulary_size_{name}", (OK, MALFORMED, LIMIT), vocabulary_size=v)
    for name, v in {"0": 0, "minus": -3, "2_31": 2**31, "2_40": 2**40, "list": [4, 4], "text": "4"}.items():
        words(f"sequence_length_{name}", MALFORMED if name in ("minus", "text") else (OK, MALFORMED, LIMIT), output_sequence_length=v)
    for name, v in {"0": 0, "minus": -1, "2_31": 2**31, "million": 10**6, "empty": [], "list_0": [0], "many": list(range(1, 100000)), "twice": [2, 2], "text": "2",
                    "float": 1.5}.items():
        words(f"ngrams_{name}", (OK, MALFORMED, LIMIT, UNSUPPORTED), ngrams=v)
    for mode in ("binary", "nothing", "", "count", 7, None):
        words(f"output_mode_{mode}", (OK, MALFORMED, UNSUPPORTED), output_mode=mode)
    for mode in ("multi_hot", "count", "tf_idf"):
        words(f"{mode}_of_2_40", (MALFORMED, LIMIT, UNSUPPORTED), output_mode=mode, max_tokens=2**40, pad_to_max_tokens=True, output_sequence_length=None, vocabulary=["a"])
    for key in ("split", "standardize"):
        for name, v in {"unknown": "nothing", "number": 3, "bytecode": {"class_name": "__lambda__", "config": {"code": "4wEA"}},
                        "function": obj("builtins", "function", "system"), "os": obj("os", "system", None)}.items():
            words(f"{key}_{name}", (MALFORMED, REFUSED, UNSUPPORTED), **{key: v})
    for name, v in {"other": "utf-16", "nothing": "", "long": "x" * 10**6, "number": 8}.items():
        words(f"encoding_{name}", (MALFORMED, UNSUPPORTED), encoding=v)
    for name, v in {"0": 0, "minus": -1, "2_31": 2**31, "2_62": 2**62}.items():
        words(f"oov_{name}", (OK, MALFORMED, LIMIT), class_name="StringLookup", num_oov_indices=v, vocabulary=["a"])
    words("mask_is_oov", (OK, MALFORMED), class_name="StringLookup", mask_token="[UNK]", vocabulary=["a"])
    words("mask_number", MALFORMED, class_name="StringLookup", mask_token=0, vocabulary=["a"])
    words("idf_of_other_length", MALFORMED, output_mode="tf_idf", vocabulary=["a", "b"], idf_weights=[1.0], output_sequence_length=None)
    words("idf_nan", (OK, MALFORMED, UNSUPPORTED), output_mode="tf_idf", vocabulary=["a"], idf_weights=[float("nan")], output_sequence_length=None)
    for class_name in ("Dense", "Conv1D", "Embedding", "Normalization"):
        config = stack(layer(class_name, units=3, filters=2, kernel_size=1, input_dim=3, output_dim=2) if class_name != "Dense" else dense(), shape=(None, 1))
        config["config"]["layers"][0]["config"]["dtype"] = "string"
        case("G11", f"text_into_{class_name}", json.dumps(config).encode(), (MALFORMED, UNSUPPORTED), suffix=".json")


def text_arrays():
    """.npy and .npz of texts, for a model that takes texts and for one that takes numbers."""
    files = {"text.keras": GOOD, "numbers.keras": keras_file()}

    def texts(name, data, code, more=()):
        code = code if isinstance(code, tuple) else (code,)
        case("D5", f"texts_{name}", data, code, suffix=".npy", slow=2)
        case("D5", f"texts_{name}_as_x", data, (*code, 1, *more), suffix=".npy", args=("predict", "{folder}/text.keras", "--x", "{}"), files=files, slow=2)
        case("D5", f"texts_{name}_to_numbers", data, tuple({c for c in code if c} | {1}), suffix=".npy", args=("predict", "{folder}/numbers.keras", "--x", "{}"), files=files, slow=2)
        if isinstance(data, bytes):
            case("D5", f"texts_{name}", make_zip([Member("arr_0.npy", data)]), code, suffix=".npz", slow=2)

    def head(descr, shape, order="False"):
        return f"{{'descr': '{descr}', 'fortran_order': {order}, 'shape': {shape}, }}"
    u = "goodfilm".encode("utf-32-le")
    texts("honest", npy(head("<U4", "(2, 1)"), u), OK)
    texts("big_endian", npy(head(">U4", "(2, 1)"), "goodfilm".encode("utf-32-be")), OK)
    texts("bytes", npy(head("|S4", "(2, 1)"), b"goodfilm"), OK)
    texts("fortran", npy(head("<U4", "(1, 2)", "True"), u), OK)
    texts("fortran_3", npy(head("|S1", "(2, 2, 2)", "True"), b"abcdefgh"), (OK, MALFORMED, UNSUPPORTED))
    texts("latin1", npy(head("|S4", "(2, 1)"), b"caf\xe9\xff\xfe\xfd\xfc"), (OK, MALFORMED))
    texts("nul_inside", npy(head("|S4", "(2, 1)"), b"a\0bcgood"), (MALFORMED, UNSUPPORTED))
    texts("nul_inside_wide", npy(head("<U4", "(2, 1)"), "a\0bcgood".encode("utf-32-le")), (MALFORMED, UNSUPPORTED))
    texts("surrogate", npy(head("<U4", "(2, 1)"), b"\0\xd8\0\0" * 8), MALFORMED)
    texts("beyond", npy(head("<U4", "(2, 1)"), b"\xff" * 32), MALFORMED)
    texts("other_end", npy(head(">U4", "(2, 1)"), u), MALFORMED)
    texts("escape", npy(head("|S4", "(2, 1)"), b"\x1b[2J\x1b[0m"), OK)
    texts("no_end", npy(head("U4", "(2, 1)"), u), (OK, MALFORMED, UNSUPPORTED))
    for size in ("0", "-1", "00004", "4.0", "", "4x", " 4", "536870911", "536870912", "1073741824", "2147483647", "2147483648", "4294967300", "18446744073709551620", "9" * 1000):
        name = size if len(size) < 30 else "digits"
        for kind in ("<U", "|S"):
            code = (OK, MALFORMED, LIMIT, UNSUPPORTED) if size in ("00004", "0") else (MALFORMED, LIMIT, UNSUPPORTED)
            texts(f"size_{kind[1]}{name.replace('.', '_').replace(' ', '_')}", npy(head(kind + size, "(2, 1)"), u if kind == "<U" else b"goodfilm"), code)
    for kind in ("<U0", "|S0", "<U1", "|S1", "<U536870911", "|S2147483647"):
        for rows in (0, 2**31, 2**40, 2**62):
            code = (OK, MALFORMED, LIMIT, UNSUPPORTED) if rows == 0 else (MALFORMED, LIMIT, UNSUPPORTED)
            texts(f"{kind[1:]}_rows_{rows}", npy(head(kind, f"({rows}, 1)"), b""), code)
    texts("cut", npy(head("<U4", "(2, 1)"), u[:-1]), MALFORMED)
    texts("behind", npy(head("<U4", "(2, 1)"), u + b"x"), MALFORMED)
    case("D5", "texts_1_MiB_of_letters", npy(head("|S1", f"({1 << 20},)"), b"a" * (1 << 20)), OK, suffix=".npy", slow=2)
    case("D5", "texts_4_MiB_of_nothing", lambda p: p.write_bytes(npy(head("|S1", f"({4 << 20},)"), bytes(4 << 20))), (OK, LIMIT), suffix=".npy", slow=3, room=16)
    case("D5", "texts_one_of_32_MiB", lambda p: p.write_bytes(npy(head(f"|S{32 << 20}", "(1,)"), b"a" * (32 << 20))), (OK, LIMIT), suffix=".npy", slow=2)
    case("D5", "texts_wide_of_256_MiB_deflated", lambda p: p.write_bytes(make_zip([Member("a.npy", npy(head(f"<U{64 << 20}", "(1,)"), b"a\0\0\0" * (64 << 20)), 8)])), (OK, LIMIT), suffix=".npz", slow=4, room=400)
    case("D5", "npz_200_arrays_as_x", make_zip([Member(f"arr_{i}.npy", npy_of((3, 5))) for i in range(200)]), (1, LIMIT), suffix=".npz",
         args=("predict", "{folder}/numbers.keras", "--x", "{}"), files=files)
    case("D5", "npz_numbers_with_holes_as_x", make_zip([Member(f"arr_{i}.npy", npy_of((3, 5))) for i in (0, 2**31, 2**64)]), 1, suffix=".npz",
         args=("predict", "{folder}/numbers.keras", "--x", "{}"), files=files)
    case("D5", "npz_wild_names_as_x", make_zip([Member(n + ".npy", npy_of((3, 5))) for n in ("%n%s%n", "\u202eabc", "a" * 1000)]), (1, REFUSED), suffix=".npz",
         args=("predict", "{folder}/numbers.keras", "--x", "{}"), files=files)


def text_tables():
    files = {"text.keras": GOOD}
    for name, (text, code) in {
            "honest": (b"text,label\ngood film,1\n", OK), "quotes": (b'text,label\n"a ""good"", film\nof two lines",1\r\n', OK),
            "bom": (b"\xef\xbb\xbftext,label\ngood,1\n", OK), "two_boms": (b"\xef\xbb\xbf\xef\xbb\xbftext,label\ngood,1\n", (OK, 5)),
            "carriage": (b"text,label\rgood,1\rbad,0\r", OK), "crcrlf": (b"text,label\r\r\ngood,1\r\r\n", (OK, MALFORMED)),
            "open_quote": (b'text,label\n"good,1\nbad,0\n', MALFORMED), "open_quote_at_end": (b'text,label\ngood,1\n"', MALFORMED),
            "quote_then_text": (b'text,label\n"good"x,1\n', MALFORMED), "quote_inside": (b'text,label\ngo"od,1\n', (OK, MALFORMED)),
            "nul": (b"text,label\ngo\0od,1\n", MALFORMED), "latin1": (b"text,label\ncaf\xe9,1\n", (OK, MALFORMED)), "utf16": ("text,label\ngood,1\n".encode("utf-16"), MALFORMED),
            "escape": (b"text,label\n\x1b[2J,1\n", OK), "no_rows": (b"text,label\n", MALFORMED), "short_row": (b"text,label\ngood\n", MALFORMED),
            "long_row": (b"text,label\ngood,1,2\n", MALFORMED), "empty_fields": (b"text,label\n,1\n,0\n", OK), "label_empty": (b"text,label\ngood,\n", (OK, MALFORMED)),
            "field_of_16_MiB": (b"text,label\n" + b"x" * (16 << 20) + b",1\n", (OK, LIMIT)), "quoted_of_16_MiB": (b'text,label\n"' + b'""' * (8 << 20) + b'",1\n', (OK, LIMIT)),
            "commas": (b"text,label\n" + b"," * 10**6 + b"\n", (MALFORMED, LIMIT)), "names_twice": (b"label,label\ngood,1\n", (OK, MALFORMED, 1, 5)),
            "million_rows": (b"text,label\n" + b"a,1\n" * 10**6, (OK, LIMIT))}.items():
        case("D5", f"csv_texts_{name}", text, code if isinstance(code, tuple) else (code,), suffix=".csv",
             args=("predict", "{folder}/text.keras", "--x", "{}", "--target", "label", "--quiet"), files=files, slow=5 if len(text) > 10**6 else 1,
             room=160 if len(text) > 10**6 else 0)


def histories():
    for name, (text, code) in {
            "honest": (b'{"loss": [1, 0.5]}', OK), "nan": (b'{"loss": [NaN, 1]}', (OK, MALFORMED)), "null": (b'{"loss": [null, 1]}', OK), "1e999": (b'{"loss": [1e999, 1]}', (OK, MALFORMED)),
            "1e308": (b'{"loss": [1e308, -1e308]}', OK), "list": (b"[1]", MALFORMED), "texts": (b'{"loss": ["a"]}', MALFORMED), "nested": (b'{"loss": [[[1]]]}', MALFORMED),
            "twice": (b'{"loss": [1], "loss": [2]}', MALFORMED), "deep": (b'{"loss": ' + b"[" * 10**5 + b"]" * 10**5 + b"}", (MALFORMED, LIMIT)),
            "open": (b"[" * 10**6, (MALFORMED, LIMIT)), "nothing": (b"{}", OK), "empty": (b"", MALFORMED), "no_values": (b'{"loss": []}', (OK, MALFORMED)),
            "names": (json.dumps({'</text><script>alert(1)</script>&"\x1b': [1, 2]}).encode(), OK), "number": (b'{"loss": 3}', MALFORMED),
            "names_300": (json.dumps({f"m{i}": [1, 2] for i in range(300)}).encode(), (OK, MALFORMED, LIMIT)), "values_4000": (json.dumps({"loss": [1] * 4000}).encode(), (OK, LIMIT)),
            "big_integer": (b'{"loss": [' + b"9" * 400 + b"]}", (OK, MALFORMED)), "lone": (b'{"a\\ud800": [1]}', MALFORMED), "nul": (b'{"a\\u0000": [1]}', MALFORMED),
            "utf8": (b'{"a\xff": [1]}', MALFORMED), "trailing": (b'{"a": [1]} x', MALFORMED)}.items():
        case("D5", f"history_{name}", text, code, suffix=".history", args=("plot", "--history", "{}", "-o", "-"), slow=2)


def label_files():
    model = {"model.keras": keras_file(), "x.npy": npy_of((1, 5))}
    for name, (text, code) in {
            "lines": (b"a\nb\n", OK), "json": (b'["a", "b"]', OK), "dict": (b'{"0": ["n1", "a"], "1": ["n2", "b"]}', OK), "numbers": (b"[1, 2]", (OK, MALFORMED)), "null": (b"[null, null]", (OK, MALFORMED)),
            "nested": (b'[["a", ["b"]], []]', (OK, MALFORMED)), "few": (b"a\n", OK), "empty": (b"", (OK, MALFORMED)), "escape": (b"\x1b[2J\nb\n", OK), "escape_json": (b'["\\u001b[2J", "b"]', OK), "nul": (b"a\0b\nc\n", (OK, MALFORMED)),
            "latin1": (b"caf\xe9\nb\n", (OK, MALFORMED)), "deep": (b"[" * 10**5, (MALFORMED, LIMIT)), "trailing": (b"[] x", MALFORMED), "negative": (b'{"-1": "a"}', OK), "17_MiB": (b"a" * (17 << 20), LIMIT)}.items():
        case("D5", f"labels_{name}", text, code, suffix=".txt", args=("predict", "{folder}/model.keras", "--x", "{folder}/x.npy", "--top", "2", "--labels", "{}"), files=model)
        case("D5", f"labels_as_json_{name}", text, code, suffix=".txt", args=("predict", "{folder}/model.keras", "--x", "{folder}/x.npy", "--top", "2", "--labels", "{}", "--json"), files=model)


def components():
    """What stands in options may be JSON too."""
    files = {"x.npy": npy_of((3, 5)), "y.npy": npy_of((3, 2))}
    fit = ("fit", "{}", "--x", "{folder}/x.npy", "--y", "{folder}/y.npy", "--quiet")
    for name, args in {
            "optimizer_lambda": ("--loss", "mse", "--optimizer", '{"class_name": "__lambda__", "config": {"code": "4wEA"}}'), "optimizer_os": ("--loss", "mse", "--optimizer", '{"module": "os", "class_name": "system", "config": {}}'),
            "loss_deep": ("--loss", "[" * 1000), "loss_twice": ("--loss", '{"class_name": "Huber", "config": {"delta": 1, "delta": 2}}'), "callback_nan": ("--loss", "mse", "--callback", "early_stopping:min_delta=NaN"),
            "callback_digits": ("--loss", "mse", "--callback", "early_stopping:patience=" + "9" * 400), "callback_bytes": ("--loss", "mse", "--callback", "csv_logger:filename=a\x1b[31m/b"), "callback_json": ("--loss", "mse", "--callback", '{"class_name": "EarlyStopping"'),
            "callback_percent": ("--loss", "mse", "--callback", "model_checkpoint:filepath={folder}/%n%s{epoch}{loss:999999999.999999999f}.keras"), "metrics_dict": ("--loss", "mse", "--metrics", '{"ghost": ["mae"]}'),
            "metrics_2000": ("--loss", "mse", "--metrics", ",".join(["mae"] * 2000)), "class_weight": ("--loss", "mse", "--class-weight", ",".join(f"{i}:1" for i in range(8000)))}.items():
        case("D5", f"option_{name}", keras_file(), (1, 2, 4, 5, 7) if name not in ("metrics_2000", "class_weight", "callback_nan") else (0, 1, 2, 7), args=(*fit, *args), files=files, slow=3)
    huge = {"dense_2_31": (dense(2**31 - 1), (None, 2**31 - 1)), "dense_terabytes": (dense(10**6), (None, 10**6)), "embedding": (layer("Embedding", input_dim=2**31 - 1, output_dim=2**20), (None, 5))}
    for name, (value, shape) in huge.items():
        text = json.dumps(stack(value, shape=shape)).encode()
        for command in ("summary", "info"):
            case("G8", f"{command}_{name}", text, (OK, MALFORMED, LIMIT), suffix=".json", args=(command, "{}"))
        case("G8", f"fit_{name}", text, (1, MALFORMED, LIMIT), suffix=".json", args=(*fit, "--loss", "mse"), files=files, room=64)
        if name != "dense_terabytes":  # a sanitizer reports that there is no such memory
            case("G8", f"convert_{name}", text, (MALFORMED, LIMIT), suffix=".json",
                 args=("convert", "{}", "{folder}/out.keras"), room=64)


def drawings():
    """Names reach Graphviz and tables."""
    for i, name in enumerate(('"];x[label="', "<b>&amp;</b>", "]]>", "a\\", "\x1b[31m", "%s%n", "\u202e", "-->", "a\nb", "}{|", "x" * 100000)):
        text = json.dumps(functional([called(dense(3, name=name), node(tensor("in")))], outputs=[(name, 0, 0)])).encode()
        case("G7", f"drawn_{i}", text, (OK, MALFORMED, REFUSED), suffix=".json", args=("plot", "{}", "-o", "-", "--show-layer-names"))
        case("G7", f"summed_{i}", text, (OK, MALFORMED, REFUSED), suffix=".json", args=("summary", "{}"))
        case("G7", f"told_{i}", text, (OK, MALFORMED, REFUSED), suffix=".json", args=("summary", "{}", "--json"))


def arrays_of_texts_in_hdf5():
    weights = H5(Group({"layers": Group({"words": Group({"vars": Group({"0": Data((2,), b"goodfilm", fixed_string(4))})})})})).bytes()
    case("H9", "fixed_strings", weights, (OK, MALFORMED, UNSUPPORTED), suffix=".weights.h5")
    case("H9", "fixed_strings_for_words", keras_file(text_config(), weights=weights, extra=[Member("assets/layers/text_vectorization/vocabulary.txt", WORDS)]), ANY)


def add():
    for part in (vocabularies, configurations, text_arrays, text_tables, histories, label_files, components, drawings, arrays_of_texts_in_hdf5):
        part()
