"""texts.npz: StringLookup, TextVectorization, Hashing and HashedCrossing of texts: real Keras on TensorFlow.

CASE/x0 …    inputs: texts as '|S', indices as int64
CASE/adapt   what the layer was adapted to
CASE/y       output; texts as '|S'
CASE/vocabulary  of adapted layers, '|S'
meta.cases[CASE] = {"class", "args"}
"""

import numpy as np

import golden

keras = golden.start("tensorflow")
L = keras.layers
members, cases = {}, {}


def raw(x):
    """Texts as bytes: what TensorFlow has."""
    x = np.asarray(x)
    if x.dtype.kind == "U":
        return np.char.encode(x, "utf-8")
    return np.array([i for i in x.ravel()], "S").reshape(x.shape) if x.dtype.kind == "O" else x


def case(name, cls, args, x, adapt=None):
    layer = getattr(L, cls)(**args)
    if adapt is not None:
        layer.adapt(raw(adapt))
        members[f"{name}/adapt"] = raw(adapt)
        members[f"{name}/vocabulary"] = raw(layer.get_vocabulary())
    inputs = [raw(i) if np.asarray(i).dtype.kind in "US" else np.asarray(i) for i in (x if isinstance(x, tuple) else (x,))]
    y = layer(inputs if len(inputs) > 1 else inputs[0])
    members.update({f"{name}/x{i}": v for i, v in enumerate(inputs)})
    members[f"{name}/y"] = raw(y.numpy())
    cases[name] = {"class": cls, "args": args}


def string_lookup():
    vocab = ["a", "bb", "Ärger", "[UNK]x", "z" * 40, "日本"]
    x = np.array([["a", "bb", "q"], ["Ärger", "", "z" * 40], ["日本", "zz", "日"], ["a", "a", "bb"],
                  ["[UNK]", "b" * 17, "c" * 70]])
    long = np.array([["x" * n + "y"] for n in (0, 1, 3, 7, 8, 15, 16, 31, 32, 33, 62, 63, 64, 65, 127, 128, 129, 300)])
    lookup = lambda name, x, adapt=None, **args: case(f"lookup_{name}", "StringLookup", args, x, adapt)  # noqa: E731
    lookup("int", x, vocabulary=vocab)
    lookup("rank_1", x[:, 0], vocabulary=vocab)
    lookup("mask", x, vocabulary=vocab, mask_token="")
    lookup("oov_0", x[:1, :2], vocabulary=vocab, num_oov_indices=0)
    lookup("oov_3", x, vocabulary=vocab, num_oov_indices=3)
    lookup("oov_long", long, vocabulary=vocab, num_oov_indices=1000003)
    lookup("oov_salt", long, vocabulary=vocab, num_oov_indices=1000003, salt=[133, 137], mask_token="")
    lookup("special", x, vocabulary=["", "[UNK]", *vocab], mask_token="")
    at = np.array([[-3, 0, 1], [2, 3, 4], [5, 6, 7], [8, 9, 100]], "int64")
    lookup("invert", at, vocabulary=vocab, invert=True)
    lookup("invert_mask", at, vocabulary=vocab, invert=True, mask_token="", oov_token="<?>", num_oov_indices=2)
    for mode in "one_hot", "multi_hot", "count":
        lookup(mode, x, vocabulary=vocab, output_mode=mode)
        lookup(f"{mode}_mask", x, vocabulary=vocab, output_mode=mode, mask_token="", num_oov_indices=2)
        lookup(f"{mode}_pad", x[:, :1], vocabulary=vocab, output_mode=mode, max_tokens=10, pad_to_max_tokens=True)
    idf = [0.25, 0.75, 0.6, 0.4, 0.5, 1.5]
    lookup("tf_idf", x, vocabulary=vocab, idf_weights=idf, output_mode="tf_idf")
    data = np.array([["b", "a", "b"], ["é", "a", "c"], ["", "[UNK]", "b"], ["c", "Z", "z"]])
    for name, args in {"int": {}, "max": {"max_tokens": 4, "mask_token": ""}, "count": {"output_mode": "count"},
                       "tf_idf": {"output_mode": "tf_idf", "max_tokens": 5},
                       "pad": {"output_mode": "tf_idf", "max_tokens": 20, "pad_to_max_tokens": True}}.items():
        lookup(f"adapt_{name}", data, data, **args)


def hashing():
    x = np.array([["a", "", "Ärger", "z" * 40], ["日本", "x" * 17, "y" * 70, "[UNK]"], ["a", "1", "-7", "w" * 130]])
    n = np.array([[1, -5, 10**12], [0, 3, -7], [4, 4, 2**40]], "int64")
    for name, args in {"": {"num_bins": 2**31 - 1}, "_salt": {"num_bins": 1000003, "salt": [133, 137]},
                       "_mask": {"num_bins": 7, "mask_value": ""}, "_one_bin": {"num_bins": 1, "mask_value": "a"},
                       "_mask_salt": {"num_bins": 7, "mask_value": "Ärger", "salt": 9},
                       "_count": {"num_bins": 5, "mask_value": "a", "output_mode": "count"}}.items():
        case("hashing" + name, "Hashing", args, x)
    case("hashing_one_hot", "Hashing", {"num_bins": 5, "output_mode": "one_hot"}, x[:, :1])
    cross = lambda name, *x, **args: case("crossing_" + name, "HashedCrossing", args, x)  # noqa: E731
    cross("texts", x[:, 0], x[:, 3], num_bins=2**31 - 1)
    cross("mixed", x[:, 2], n[:, 0], x[:, 1], num_bins=1000003)
    cross("numbers_first", n[:, :1], x[:, 2:3], num_bins=4, output_mode="one_hot")


TEXTS = ["The cat, the CAT; and a dog!", "  a\tb\nc\x0bd\x0ce\rf  ", "", "!!! ... ???", "don't stop-me_now (x)",
         "ÄÖÜ äöü Straße ÀÉ", "日本語 テスト", "a a a b", "the dog - the end", "x" * 200 + " Y", "one", "\u00a0nb\u2003sp"]


def text_vectorization():
    text = lambda name, x, adapt=None, **args: case(f"text_{name}", "TextVectorization", args, x, adapt)  # noqa: E731
    vocab = ["the", "cat", "dog", "a", "dont", "stopmenow", "straße", "Straße", "äöü", "日本語", "x" * 200, "b", "the cat", "a a"]
    x = np.array(TEXTS)
    text("int", x, vocabulary=vocab)
    text("int_column", x[:, None], vocabulary=vocab)
    text("int_3d", x.reshape(4, 3, 1), vocabulary=vocab)
    text("length_3", x, vocabulary=vocab, output_sequence_length=3)
    text("length_9", x[:, None], vocabulary=vocab, output_sequence_length=9)
    for how in "lower", "strip_punctuation", None:
        text(f"standardize_{how}", x, vocabulary=vocab, standardize=how, output_sequence_length=6)
    letters = ["a", "b", "t", "h", "e", " ", "日", "本", "Ä", "ä", "t h", "\ufffd"]
    text("character", x, vocabulary=letters, split="character")
    text("character_ngrams", x, vocabulary=letters, split="character", ngrams=2, output_sequence_length=30)
    whole = np.array([["a", "b", "the cat"], ["a", "", "x"], ["The Cat!", "b", "b"]])
    text("whole", whole, vocabulary=vocab, split=None)
    text("whole_length", whole, vocabulary=vocab, split=None, output_sequence_length=5)
    text("whole_short", whole, vocabulary=vocab, split=None, output_sequence_length=2)
    text("whole_count", whole, vocabulary=vocab, split=None, output_mode="count")
    text("ngrams_2", x, vocabulary=vocab, ngrams=2, output_sequence_length=12)
    text("ngrams_tuple", x, vocabulary=vocab, ngrams=(3, 1), output_sequence_length=12)
    text("ngrams_only_2", x, vocabulary=vocab, ngrams=(2,), output_mode="count")
    for mode in "multi_hot", "count":
        text(mode, x, vocabulary=vocab, output_mode=mode)
        text(f"{mode}_column", x[:, None], vocabulary=vocab, output_mode=mode)
        text(f"{mode}_pad", x, vocabulary=vocab, output_mode=mode, max_tokens=20, pad_to_max_tokens=True, ngrams=2)
    idf = [0.25 + 0.125 * i for i in range(len(vocab))]
    text("tf_idf", x, vocabulary=vocab, output_mode="tf_idf", idf_weights=idf)
    text("tf_idf_pad", x, vocabulary=vocab, output_mode="tf_idf", idf_weights=idf, max_tokens=20, pad_to_max_tokens=True)
    for name, args in {"int": {"output_sequence_length": 8}, "max": {"max_tokens": 6}, "count": {"output_mode": "count"},
                       "ngrams": {"output_mode": "multi_hot", "ngrams": 2, "max_tokens": 30},
                       "letters": {"split": "character", "standardize": None, "output_sequence_length": 40},
                       "whole": {"split": None},
                       "tf_idf": {"output_mode": "tf_idf", "max_tokens": 12},
                       "pad": {"output_mode": "tf_idf", "max_tokens": 60, "pad_to_max_tokens": True}}.items():
        text(f"adapt_{name}", x[:, None], x[:, None], **args)
    bad = np.array([b"a\xff b", b"\xe2\x82", b"\xf0\x9f\x98\x80\xc3", b"\xed\xa0\x80x", b"\xe2!\x82\xac"], "S")
    text("bad_words", bad, vocabulary=letters, output_sequence_length=4)
    text("bad_letters", bad, vocabulary=letters, split="character", output_sequence_length=6)
    text("bad_letters_raw", bad, vocabulary=letters, split="character", standardize=None, output_sequence_length=6)


string_lookup()
text_vectorization()
hashing()
golden.save("texts", members, "Texts: StringLookup, TextVectorization, Hashing, HashedCrossing", cases)
