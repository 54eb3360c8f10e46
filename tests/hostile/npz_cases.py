"""H16 of the checklist: model.weights.npz, that is pickles of variables, in a .keras file. The honest ones are those of
real Keras in tests/golden/weights_npz; the bad ones put other pickles in the place of one of theirs."""
import io
import random
import zipfile

from kit import LIMIT, MALFORMED, OK, REFUSED, ROOT, UNSUPPORTED, Member, case, make_zip, npy, u32

HEAD = "{'descr': '|O', 'fortran_order': False, 'shape': (), }"
ARRAY = b"cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\0\x85C\1b\x87R(K\1%scnumpy\ndtype\n\x8c\2f4\x89\x88\x87R\x89%stb"
ANY = (OK, MALFORMED, REFUSED, LIMIT, UNSUPPORTED)


def members_of(name):
    whole = zipfile.ZipFile(ROOT / f"tests/golden/weights_npz/{name}.keras")
    weights = zipfile.ZipFile(io.BytesIO(whole.read("model.weights.npz")))
    return whole.read("config.json"), {n: weights.read(n) for n in weights.namelist()}


def archive(config, arrays, **options):
    npz = make_zip([Member(n, d, **options) for n, d in arrays.items()])
    return make_zip([Member("config.json", config), Member("model.weights.npz", npz)])


def pickles(config, arrays):
    """Other pickles in the place of a layer's."""
    f4 = ARRAY % (b"K\2\x85", b"C\x08aaaabbbb")
    large = ARRAY % (b"M\xf4\1\x85", b"B" + u32(2000) + bytes(2000))
    for name, text, code in (
            ("system", b"\x80\2cos\nsystem\nX\2\0\0\0id\x85R.", REFUSED),
            ("system_in_a_dict", b"\x80\4}\x8c\0010cposix\nsystem\n\x8c\2id\x85Rs.", REFUSED),
            ("system_by_stack", b"\x80\4\x8c\2os\x8c\6system\x93\x8c\2id\x85R.", REFUSED),
            ("system_as_state", b"\x80\4}\x8c\0010ckeras.src.backend\nVariable\n)\x81cos\nsystem\nbs.", REFUSED),
            ("partial_of_system", b"\x80\4}\x8c\0010cfunctools\npartial\ncos\nsystem\n\x85Rs.", REFUSED),
            ("partial_of_a_dtype", b"\x80\4}\x8c\0010cfunctools\npartial\ncnumpy\ndtype\n\x85Rs.", REFUSED),
            ("lambda", b"\x80\4}\x8c\0010ckeras.src.layers.core.lambda_layer\nLambda\n)\x81s.", REFUSED),
            ("regularizer_called", b"\x80\4}\x8c\0010ckeras.src.regularizers.regularizers\nL2\n)Rs.", REFUSED),
            ("jax_of_eval", b"\x80\4}\x8c\0010cjax._src.array\n_reconstruct_array\n(cbuiltins\neval\n)))tRs.", REFUSED),
            ("inst", b"\x80\2(ios\nsystem\n.", REFUSED), ("persistent", b"\x80\4Pid\n.", REFUSED),
            ("extension", b"\x80\2\x82\1.", REFUSED), ("protocol_0", b"(lp0\n.", MALFORMED),
            ("list_in_itself", b"\x80\4]q\0h\0a.", (MALFORMED, REFUSED)), ("dict_in_itself", b"\x80\4}q\0\x8c\0010h\0s.", (MALFORMED, REFUSED)),
            ("state_in_itself", b"\x80\4}\x8c\0010ckeras.src.backend\nVariable\n)\x81q\0}\x8c\6_valueh\0sbs.", (MALFORMED, REFUSED)),
            ("memo_of_4_billion", b"\x80\4Nr" + u32(2**32 - 1) + b".", REFUSED), ("memo_empty", b"\x80\4j" + u32(7) + b".", MALFORMED),
            ("text_of_4_GiB", b"\x80\4X" + u32(2**32 - 1) + b"a.", MALFORMED), ("marks", b"\x80\4" + b"(" * 10**6, LIMIT),
            ("dicts", b"\x80\4" + b"}0" * 10**6, REFUSED), ("arrays", b"\x80\4](" + ARRAY % (b")", b"C\4aaaa") * 70000 + b"e.", LIMIT),
            ("shape_2_62", b"\x80\4}\x8c\0010" + ARRAY % (b"\x8a\x08" + bytes(7) + b"\x40\x85", b"C\4aaaa") + b"s.", MALFORMED),
            ("shape_product", b"\x80\4}\x8c\0010" + ARRAY % ((b"\x8a\5\0\0\0\0\1") * 2 + b"\x86", b"C\4aaaa") + b"s.", MALFORMED),
            ("rank_9", b"\x80\4}\x8c\0010" + ARRAY % (b"(" + b"K\1" * 9 + b"t", b"C\4aaaa") + b"s.", REFUSED),
            ("copies", b"\x80\4}(\x8c\0010" + large + b"q\0" + b"".join(b"\x8c\4%04dh\0" % i for i in range(99)) + b"u.", LIMIT),
            ("other_shape", b"\x80\4}(\x8c\0010" + f4 + b"\x8c\0011" + f4 + b"u.", MALFORMED),
            ("no_variables", b"\x80\4}.", MALFORMED), ("number", b"\x80\4K\1.", MALFORMED)):
        case("H16", f"npz_{name}", archive(config, {**arrays, "layers/dense.npy": npy(HEAD, text)}), code, slow=2)


def members(config, arrays):
    honest = arrays["layers/dense.npy"]
    for name in ("layers/dense/vars.npy", "vars.npy", "layers//dense.npy", "../dense.npy", "/dense.npy", "layers/dense"):
        case("H16", "npz_member_" + name.replace("/", "_"), archive(config, {**arrays, name: honest}), (MALFORMED, REFUSED))
    case("H16", "npz_more_layers", archive(config, {**arrays, "layers/other.npy": honest}), OK)
    case("H16", "npz_deep", archive(config, {**arrays, "a/" * 70 + "b.npy": honest}), LIMIT)
    case("H16", "npz_without_root", archive(config, {k: v for k, v in arrays.items() if "root" not in k}), OK)
    case("H16", "npz_without_a_layer", archive(config, {k: v for k, v in arrays.items() if "dense" not in k}), MALFORMED)
    case("H16", "npz_numbers", archive(config, {**arrays, "layers/dense.npy": npy("{'descr': '<f4', 'fortran_order': False, 'shape': (15,), }", bytes(60))}), MALFORMED)
    case("H16", "npz_one_axis", archive(config, {**arrays, "layers/dense.npy": honest.replace(b"(), }   ", b"(1,), } ")}), MALFORMED)
    case("H16", "npz_deflated", archive(config, arrays, method=8), OK)
    case("H16", "npz_bomb", lambda p: p.write_bytes(archive(config, {**arrays, "layers/x.npy": npy(HEAD, b"\x80\4B" + u32(200 << 20) + bytes(200 << 20) + b".")}, method=8)), LIMIT, slow=2)
    case("H16", "npz_empty", archive(config, {}), MALFORMED)
    case("H16", "npz_no_zip", make_zip([Member("config.json", config), Member("model.weights.npz", b"hello")]), MALFORMED)


def damaged(name, member):
    """The pickle cut, and with other bytes, in an archive that is whole."""
    config, arrays = members_of(name)
    data = arrays[member]
    rng = random.Random(f"{name} {member}")
    for n in range(1, len(data), 23):
        case("H16", f"npz_{name}_cut_at_{n}", archive(config, {**arrays, member: data[:n]}), (MALFORMED, REFUSED))
    for i in range(60):
        bad = bytearray(data)
        for _ in range(rng.choice((1, 1, 1, 2, 8))):
            bad[rng.randrange(128, len(bad))] = rng.randrange(256)
        case("H16", f"npz_{name}_flipped_{i}", archive(config, {**arrays, member: bytes(bad)}), ANY)


def add():
    for name in ("pictures", "series", "series_jax"):
        case("H16", f"npz_honest_{name}", (ROOT / f"tests/golden/weights_npz/{name}.keras").read_bytes(), OK)
    series = members_of("series")
    pickles(*series)
    members(*series)
    damaged("series", "layers/dense.npy")
    damaged("series_jax", "layers/dense.npy")
    damaged("pictures", "optimizer.npy")
