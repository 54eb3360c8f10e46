"""H1 to H16 of the checklist, and the facts of B1.7: HDF5 files written by hand, most as .weights.h5 files, some as
weights of a .keras file or whole models. Those that h5py wrote (tests/golden/hdf5.npz) are given too."""
import json
import struct
import zipfile

from kit import (F32, F32_BIG, F64, I64, LIMIT, MALFORMED, OK, REFUSED, ROOT, UNDEFINED, UNSUPPORTED, VLEN_STRING, H5, Data,
                 Group, Member, attribute, attribute_names, attribute_text, case, checksum, fixed_string, keras_file,
                 legacy_attrs, legacy_config, legacy_file, legacy_weights, message, mlp_config, mlp_weights, npy_of, make_zip,
                 space, u8, u16, u32, u64)

DENSE = "/layers/dense"
VAR = "/layers/dense/vars/0"


def honest():
    return H5(mlp_weights())


def file(line, name, h5, code, **more):
    """As a file of weights, and as the weights of a .keras file."""
    data = h5 if isinstance(h5, bytes) else h5.bytes()
    case(line, name, data, code, suffix=".weights.h5", **more)
    case(line, name, keras_file(weights=data), code, **more)


def patched(line, name, offset, data, code):
    file(line, name, honest().patch(offset, data), code)


def with_var(data):
    """The tree with another first kernel."""
    return H5(mlp_weights(dense=Group({"vars": Group({"0": data, "1": Data((4,))})})))


def var(line, name, data, code, **more):
    file(line, name, with_var(data), code, **more)


def superblock():
    h = honest()
    n = len(h.b)
    file("H1", "honest", h, OK)
    for k in (0, 1, 7):
        patched("H1", f"signature_{k}", k, b"X", MALFORMED)
    for v in (4, 5, 255):
        patched("H1", f"version_{v}", 8, u8(v), UNSUPPORTED)
    for v in (2, 3):
        patched("H1", f"version_{v}_without_sum", 8, u8(v), (MALFORMED, UNSUPPORTED))
    for k, at in (("free_space", 9), ("root_table", 10), ("shared", 12)):
        patched("H1", k + "_version", at, u8(1), MALFORMED)
    for k, at in (("offsets", 13), ("lengths", 14)):
        for v in (0, 4, 2, 16, 255):
            patched("H1", f"{k}_{v}", at, u8(v), UNSUPPORTED)
    patched("H1", "leaf_0", 16, u16(0), MALFORMED)
    patched("H1", "internal_0", 18, u16(0), MALFORMED)
    patched("H1", "leaf_65535", 16, u16(65535), MALFORMED)
    patched("H1", "internal_65535", 18, u16(65535), MALFORMED)
    for v in (512, 1, 2**63):
        patched("H1", f"base_{v}", 24, u64(v), UNSUPPORTED)
    for k, v in (("1_more", n + 1), ("2_63", 2**63), ("undefined", UNDEFINED), ("2_40", 2**40)):
        patched("H1", f"end_{k}", 40, u64(v), MALFORMED)
    for k, v in (("1_less", n - 1), ("zero", 0), ("half", n // 2)):
        patched("H1", f"end_{k}", 40, u64(v), (MALFORMED, REFUSED))
    for v in (0, 96, 2**63):
        patched("H1", f"driver_{v}", 48, u64(v), UNSUPPORTED)
    for k, v in (("0", 0), ("odd", 97), ("end", n), ("last", n - 8), ("2_63", 2**63), ("undefined", UNDEFINED)):
        patched("H1", f"root_{k}", 64, u64(v), MALFORMED)
    for v in (2, 3, 2**32 - 1):
        patched("H1", f"root_kind_{v}", 72, u32(v), MALFORMED)
    case("H1", "user_block", bytes(512) + h.bytes(), MALFORMED, suffix=".weights.h5")
    case("H1", "bytes_behind_the_end", h.bytes() + b"hidden", REFUSED, suffix=".weights.h5")
    case("H1", "zip_behind_the_end", h.bytes() + keras_file(), REFUSED, suffix=".weights.h5")
    for k in (8, 9, 50, 95, 96, n // 2, n - 1):
        case("H1", f"cut_at_{k}", h.bytes()[:k], MALFORMED, suffix=".weights.h5")
    new = bytearray(b"\x89HDF\r\n\x1a\n" + u8(2, 8, 8, 0) + u64(0) + u64(UNDEFINED) + u64(48) + u64(48))
    case("H1", "version_2_sum", bytes(new) + u32(0xDEAD), MALFORMED, suffix=".weights.h5")
    case("H1", "version_2_root_at_end", bytes(new) + u32(checksum(bytes(new))), MALFORMED, suffix=".weights.h5")
    new[11] = 1
    case("H1", "version_2_left_open", bytes(new) + u32(checksum(bytes(new))), MALFORMED, suffix=".weights.h5")
    new[11] = 0
    new[20:28] = u64(48)
    case("H1", "version_2_extension", bytes(new) + u32(checksum(bytes(new))), UNSUPPORTED, suffix=".weights.h5")


def links(canary):
    for place, tree in (("root", lambda e: Group({"layers": e})), ("middle", lambda e: Group({"layers": Group({"dense": e})})),
                        ("leaf", lambda e: Group({"layers": Group({"dense": Group({"vars": Group({"0": e})})})}))):
        file("H2", f"soft_{place}", H5(tree((0, 2, u32(0) + bytes(12)))), REFUSED)
        for kind in (3, 255):
            file("H2", f"kind_{kind}_{place}", H5(tree((0, kind, bytes(16)))), MALFORMED)
    target = (canary + "/secret.h5").encode()

    def new_group(kind, name, body):
        """A group of link messages with one link of this kind."""
        link = u8(1, 8, kind, len(name)) + name + body
        return Data((), messages=lambda raw: message(2, u8(0, 0) + u64(UNDEFINED) * 2) + message(6, link), count=2)
    external = u8(0) + target + b"\0/layers\0"
    for place in ("root", "deep"):
        tree = Group({"layers": new_group(64, b"dense", u16(len(external)) + external)})
        file("H2", f"external_{place}", H5(tree if place == "root" else Group({"layers": Group({"dense": tree})})), REFUSED)
    file("H2", "soft_message", H5(Group({"layers": new_group(1, b"dense", u16(5) + b"/else")})), REFUSED)
    file("H2", "user_defined", H5(Group({"layers": new_group(65, b"dense", u16(4) + b"abcd")})), REFUSED)
    file("H2", "link_kind_2", H5(Group({"layers": new_group(2, b"dense", u64(0))})), (MALFORMED, REFUSED))
    file("H2", "hard_to_nowhere", H5(Group({"layers": new_group(0, b"dense", u64(2**50))})), MALFORMED)
    file("H2", "hard_to_superblock", H5(Group({"layers": new_group(0, b"dense", u64(0))})), MALFORMED)
    # external storage: the data of a data set are bytes of another file
    slot = u8(1, 0, 0, 0) + u16(1) + u16(1) + u64(96) + u64(0) + u64(0) + u64(80)
    var("H3", "external_storage", Data((5, 4), extra=message(7, slot), n_extra=1), REFUSED)
    h = legacy_file(weights=legacy_weights(dense=Group({"dense": Group({
        "kernel:0": Data((5, 4), extra=message(7, slot), n_extra=1), "bias:0": Data((4,))})},
        [attribute_names("weight_names", [b"dense/kernel:0", b"dense/bias:0"])])))
    case("H3", "external_storage_legacy", h.bytes(), REFUSED, suffix=".h5")
    for version in (3, 4):
        var("H3", f"virtual_{version}", Data((5, 4), layout=lambda raw, n, v=version: u8(v, 3) + u64(raw) + u32(0)),
            MALFORMED if version == 3 else (REFUSED, UNSUPPORTED))
    for kind, name in ((0, "object"), (1, "region")):
        reference = u8(0x17, kind, 0, 0) + u32(8 if kind == 0 else 12)
        var("H3", f"reference_{name}", Data((5, 4), kind=reference), REFUSED)
        attr = attribute("r", reference, space(()), bytes(16))
        file("H3", f"reference_attribute_{name}", H5(Group(mlp_weights().children, [attr])), REFUSED)
    var("H3", "vlen_of_references", Data((1,), kind=u8(0x19, 0, 0, 0) + u32(16) + u8(0x17, 0, 0, 0) + u32(8)), REFUSED)
    shared = u16(3) + u16(16) + u8(2, 0, 0, 0) + u8(2, 0) + bytes(6) + u64(96)

    def committed(raw):
        return message(1, space((5, 4))) + shared + message(8, u8(3, 1) + u64(raw) + u64(80))
    var("H3", "shared_type", Data((5, 4), messages=committed, count=3), UNSUPPORTED)
    file("H3", "committed_type", H5(Group({"layers": Group({"t": Data((), raw=b"", messages=lambda raw: message(3, F32), count=1)})})),
         UNSUPPORTED)


def filters():
    for number, name in ((1, "deflate"), (2, "shuffle"), (3, "fletcher32"), (4, "szip"), (5, "nbit"), (6, "scale_offset"),
                         (32001, "blosc"), (32015, "zstd"), (65535, "last")):
        m = u8(1, 1) + bytes(6) + u16(number) + u16(0) + u16(0) + u16(1) + u32(6) + u32(0)
        var("H4", name, Data((5, 4), extra=message(11, m), n_extra=1), UNSUPPORTED)
        chunk = Data((5, 4), layout=lambda raw, n: u8(3, 2, 3) + u64(raw) + u32(5) + u32(4) + u32(4), extra=message(11, m), n_extra=1)
        var("H4", name + "_chunked", chunk, UNSUPPORTED)
    var("H4", "none_in_pipeline", Data((5, 4), extra=message(11, u8(1, 0) + bytes(6)), n_extra=1), (OK, UNSUPPORTED, MALFORMED))
    var("H4", "count_255", Data((5, 4), extra=message(11, u8(1, 255) + bytes(6)), n_extra=1), (UNSUPPORTED, MALFORMED))
    for name, dims in (("honest", (5, 4, 4)), ("zero", (0, 0, 4)), ("larger", (500, 400, 4)), ("huge", (2**32 - 1, 2**32 - 1, 4)),
                       ("element_0", (5, 4, 0)), ("one_axis", (20, 4))):
        layout = u8(3, 2, len(dims))
        var("H5", "chunk_" + name, Data((5, 4), layout=lambda raw, n, a=layout, d=dims: a + u64(raw) + b"".join(map(u32, d))),
            (UNSUPPORTED, MALFORMED))
    var("H5", "no_tree", Data((5, 4), layout=lambda raw, n: u8(3, 2, 3) + u64(UNDEFINED) + u32(5) + u32(4) + u32(4)), (UNSUPPORTED, MALFORMED))
    var("H5", "rank_255", Data((5, 4), layout=lambda raw, n: u8(3, 2, 255) + u64(raw)), (UNSUPPORTED, MALFORMED))
    var("H5", "rank_0", Data((5, 4), layout=lambda raw, n: u8(3, 2, 0) + u64(raw)), (UNSUPPORTED, MALFORMED))
    tree = with_var(Data((5, 4), raw=b"TREE\1\0\1\0".ljust(200, b"\xff"),
                         layout=lambda raw, n: u8(3, 2, 3) + u64(raw) + u32(5) + u32(4) + u32(4)))
    raw = tree.at[VAR]["raw"]
    file("H5", "tree_is_its_own_child", tree.patch(raw + 8, u64(raw) * 20), (UNSUPPORTED, MALFORMED))


def addresses():
    h = honest()
    n = len(h.b)
    where = h.at[VAR]
    layout = where["layout"]
    for k, v in (("0", 0), ("1", 1), ("superblock", 90), ("own_header", where["header"]), ("end", n), ("last", n - 1), ("2_63", 2**63),
                 ("undefined", UNDEFINED), ("wrap", 2**64 - 80), ("other", h.at["/layers/dense_1/vars/0"]["raw"]),
                 ("half_other", h.at["/layers/dense_1/vars/0"]["raw"] + 16), ("tree", h.at[DENSE]["tree"])):
        patched("H6", f"address_{k}", layout + 2, u64(v), MALFORMED)
    for v in (0, 1, 79, 81, 2**31, 2**32, 2**63, UNDEFINED):
        patched("H6", f"size_{v}", layout + 10, u64(v), MALFORMED)
    for v in (1, 2, 4, 5, 255):
        patched("H6", f"layout_version_{v}", layout, u8(v), OK if v in (4, 5) else (MALFORMED, UNSUPPORTED))
    for v in (0, 4, 255):
        patched("H6", f"layout_class_{v}", layout + 1, u8(v), MALFORMED)
    for axis in (0, 1):
        for v in (0, 1, 3, 6, 2**31, 2**32, 2**62, 2**63, UNDEFINED):
            patched("H6", f"dim_{axis}_{v}", where["space"] + 8 + 8 * axis, u64(v), MALFORMED)
    h = honest().patch(where["space"] + 8, u64(2**32) + u64(2**32))
    file("H6", "product_wraps_to_0", h.patch(layout + 10, u64(0)), MALFORMED)
    file("H6", "giant_shape_and_size", honest().patch(where["space"] + 8, u64(2**38)).patch(layout + 10, u64(2**42)), MALFORMED)
    for v in (0, 1, 3, 9, 32, 33, 255):
        patched("H6", f"rank_{v}", where["space"] + 1, u8(v), (MALFORMED, UNSUPPORTED))
    for v in (0, 2, 3, 255):
        patched("H6", f"space_version_{v}", where["space"], u8(v), MALFORMED)
    var("H6", "compact", Data((5, 4), raw=b"", layout=lambda raw, n: u8(3, 0) + u16(80) + bytes(80)), OK)
    for v in (0, 79, 81, 65535):
        var("H6", f"compact_{v}", Data((5, 4), raw=b"", layout=lambda raw, n, v=v: u8(3, 0) + u16(v) + bytes(80)), MALFORMED)
    var("H6", "null_space", Data((), dims=u8(2, 0, 0, 2), raw=b"", size=0), (MALFORMED, UNSUPPORTED))
    var("H6", "max_dims", Data((5, 4), dims=space((5, 4), flags=1) + u64(5) + u64(UNDEFINED)), (OK, UNSUPPORTED))
    var("H6", "max_dims_cut", Data((5, 4), dims=space((5, 4), flags=1)), MALFORMED)


def groups():
    h = honest()
    root, dense, layers = h.at[""], h.at[DENSE], h.at["/layers"]
    tree, heap, leaf = dense["tree"], dense["heap"], dense["leaves"][0]
    patched("H7", "tree_signature", tree, b"EERT", MALFORMED)
    patched("H7", "tree_type_1", tree + 4, u8(1), MALFORMED)
    for v in (1, 2, 32, 33, 255):
        patched("H7", f"tree_level_{v}", tree + 5, u8(v), MALFORMED)
    for v in (2, 32, 33, 65535):
        patched("H7", f"tree_entries_{v}", tree + 6, u16(v), MALFORMED)
    for key, at in (("tree", tree), ("leaf", leaf)):  # an empty group: nothing is wrong but what is missing
        case("H7", f"no_entries_in_{key}", keras_file(weights=honest().patch(at + 6, u16(0)).bytes()), MALFORMED)
    for k, v in (("itself", tree), ("root", root["tree"]), ("header", dense["header"]), ("0", 0), ("end", len(h.b)), ("2_63", 2**63),
                 ("undefined", UNDEFINED), ("other_leaf", layers["leaves"][0])):
        patched("H7", f"child_{k}", tree + 32, u64(v), MALFORMED)
    file("H7", "tree_its_own_child", honest().patch(tree + 5, u8(1)).patch(tree + 32, u64(tree)), MALFORMED)
    patched("H7", "leaf_signature", leaf, b"DONS", MALFORMED)
    patched("H7", "leaf_version", leaf + 4, u8(2), MALFORMED)
    for v in (2, 8, 9, 65535):
        patched("H7", f"leaf_entries_{v}", leaf + 6, u16(v), MALFORMED)
    size = len(b"vars") + 8
    for k, v in (("beyond", 4096), ("end", 16), ("empty", 0), ("2_63", 2**63), ("undefined", UNDEFINED)):
        patched("H7", f"name_{k}", leaf + 8, u64(v), MALFORMED)
    for k, v in (("beyond", 4096), ("2_63", 2**63)):
        patched("H7", f"key_{k}", tree + 24, u64(v), MALFORMED)
        patched("H7", f"key_last_{k}", tree + 40, u64(v), MALFORMED)
    patched("H7", "heap_signature", heap, b"PAEH", MALFORMED)
    patched("H7", "heap_version", heap + 4, u8(1), MALFORMED)
    for k, v in (("0", 0), ("1", 1), ("8", 8), ("2_31", 2**31), ("2_63", 2**63), ("undefined", UNDEFINED), ("file", len(h.b))):
        patched("H7", f"heap_size_{k}", heap + 8, u64(v), MALFORMED)
        patched("H7", f"heap_data_{k}", heap + 24, u64(v), MALFORMED)
    patched("H7", "no_terminator", dense["names"] + 8, b"v" * size, MALFORMED)
    two = h.at[VAR.rsplit("/", 1)[0]]
    names = two["names"]
    patched("H7", "unsorted", names + 8, b"2\0\0\0\0\0\0\0", MALFORMED)
    patched("H7", "same_name_twice", names + 8, b"1\0\0\0\0\0\0\0", MALFORMED)
    for k, name in (("slash", b"a/b\0"), ("dot", b".\0"), ("nothing", b"\0")):
        patched("H7", f"name_is_{k}", names + 8, name, MALFORMED)
    for k, path in (("root", ""), ("parent", "/layers"), ("itself", DENSE), ("sibling", "/layers/dense_1")):
        patched("H7", f"hard_link_to_{k}", dense["entry"]["vars"] + 8, u64(h.at[path]["header"]), MALFORMED)
    patched("H7", "data_under_two_names", two["entry"]["1"] + 8, u64(h.at[VAR]["header"]), MALFORMED)
    deep = Group({"x": Data((1,))})
    for _ in range(60):
        deep = Group({"g": deep})
    file("H7", "depth_62", H5(deep), (OK, MALFORMED))
    for _ in range(10):
        deep = Group({"g": deep})
    file("H7", "depth_72", H5(deep), (LIMIT, MALFORMED))
    for _ in range(900):
        deep = Group({"g": deep})
    case("H7", "depth_972", lambda p: p.write_bytes(H5(deep).bytes()), LIMIT, suffix=".weights.h5")
    flat = Group({f"d{i:05}": Data((1,)) for i in range(250)})
    case("H7", "250_in_a_group", H5(Group({"layers": flat})).bytes(), OK, suffix=".weights.h5")
    case("H11", "group_for_data", H5(mlp_weights(dense=Group({"vars": Group({"0": Group({}), "1": Data((4,))})}))).bytes(), (OK,),
         suffix=".weights.h5")
    case("H11", "group_for_data", keras_file(weights=H5(mlp_weights(dense=Group({"vars": Group({"0": Group({}), "1": Data((4,))})}))).bytes()),
         MALFORMED)
    case("H11", "data_for_group", keras_file(weights=H5(mlp_weights(dense=Group({"vars": Data((4,))}))).bytes()), MALFORMED)
    case("H11", "data_for_layer", keras_file(weights=H5(mlp_weights(dense=Data((4,)))).bytes()), MALFORMED)
    case("H11", "data_for_layers", keras_file(weights=H5(Group({"layers": Data((4,))})).bytes()), MALFORMED)
    case("H11", "data_for_root", H5(Group({})).patch(64, u64(0)).bytes(), MALFORMED, suffix=".weights.h5")
    h = legacy_file()
    case("H11", "legacy_data_for_group", H5(Group({"model_weights": Data((1,))}, legacy_attrs(legacy_config()))).bytes(), MALFORMED, suffix=".h5")
    for layer in ("dense", "dense_1"):
        case("H11", f"legacy_group_for_data_{layer}", legacy_file(weights=legacy_weights(**{layer: Group(
            {layer: Group({"kernel:0": Group({}), "bias:0": Group({})})},
            [attribute_names("weight_names", [f"{layer}/kernel:0".encode(), f"{layer}/bias:0".encode()])])})).bytes(), MALFORMED, suffix=".h5")


def headers():
    h = honest()
    for key, where in (("data", h.at[VAR]["header"]), ("group", h.at[DENSE]["header"]), ("root", h.at[""]["header"])):
        for v in (0, 2, 3, 255):
            patched("H8", f"{key}_version_{v}", where, u8(v), MALFORMED)
        for v in (0, 1 if key == "data" else 2, 3, 5, 65535):
            patched("H8", f"{key}_messages_{v}", where + 2, u16(v), MALFORMED)
        for v in (0, 8, 4096, 2**31, 2**32 - 1):
            patched("H8", f"{key}_size_{v}", where + 8, u32(v), MALFORMED)
        for v in (1, 7, 4000, 65528, 65535):
            patched("H8", f"{key}_first_message_size_{v}", where + 18, u16(v), MALFORMED)
        for v in (0x17, 0xFF, 0xFFFF):
            m = honest().patch(where + 16, u16(v))
            file("H8", f"{key}_unknown_{v}", m, (MALFORMED, UNSUPPORTED, OK) if key == "data" else (MALFORMED, UNSUPPORTED))
            file("H8", f"{key}_unknown_must_know_{v}", honest().patch(where + 16, u16(v)).patch(where + 20, u8(8)), MALFORMED)
    for key, target in (("itself", None), ("0", 0), ("end", len(h.b)), ("2_63", 2**63), ("undefined", UNDEFINED)):
        h2 = with_var(Data((5, 4), extra=message(16, u64(target or 0) + u64(64)), n_extra=1))
        at = h2.at[VAR]["header"]
        if target is None:
            h2.patch(h2.at[VAR]["layout"] + 24 + 8, u64(at + 16))
        file("H8", f"continuation_{key}", h2, MALFORMED)
    for size in (1, 2**63, UNDEFINED):
        file("H8", f"continuation_size_{size}", with_var(Data((5, 4), extra=message(16, u64(96) + u64(size)), n_extra=1)), MALFORMED)
    long = b"".join(message(0, b"") for _ in range(60000))
    case("H8", "60000_empty_messages", with_var(Data((5, 4), extra=long, n_extra=60000)).bytes(), OK, suffix=".weights.h5")
    for kind, name in ((1, "space"), (3, "type"), (8, "layout")):
        extra = message(kind, {1: space((5, 4)), 3: F32, 8: u8(3, 1) + u64(0) + u64(80)}[kind])
        var("H8", f"two_{name}s", Data((5, 4), extra=extra, n_extra=1), MALFORMED)
    var("H8", "data_and_group", Data((5, 4), extra=message(17, u64(0) + u64(0)), n_extra=1), MALFORMED)
    for drop in ("space", "type", "layout"):
        def some(raw, drop=drop):
            parts = {"space": message(1, space((5, 4))), "type": message(3, F32), "layout": message(8, u8(3, 1) + u64(raw) + u64(80))}
            return b"".join(v for k, v in parts.items() if k != drop)
        var("H8", f"no_{drop}", Data((5, 4), messages=some, count=2), MALFORMED)
    var("H8", "nothing", Data((5, 4), messages=lambda raw: b"", count=0), (MALFORMED, UNSUPPORTED))


def types():
    ok = {"big_endian": F32_BIG, "float64": F64, "int64": I64}
    for name, kind in ok.items():
        raw = bytes(20 * struct.unpack("<I", kind[4:8])[0])
        var("H9", name, Data((5, 4), kind=kind, raw=raw), OK)
    base = bytearray(F32)

    def changed(at, value, start=base):
        out = bytearray(start)
        out[at:at + len(value)] = value
        return bytes(out)
    for name, kind in {
            "precision_0": changed(10, u16(0)), "precision_33": changed(10, u16(33)), "precision_65535": changed(10, u16(65535)),
            "offset_1": changed(8, u16(1)), "offset_65535": changed(8, u16(65535)), "size_0": changed(4, u32(0)),
            "version_0": changed(0, u8(0x01)), "version_6": changed(0, u8(0x61)), "class_11": changed(0, u8(0x1B)),
            "class_15": changed(0, u8(0x1F)), "cut": bytes(base[:9])}.items():
        var("H9", name, Data((5, 4), kind=kind, raw=bytes(80)), (MALFORMED, UNSUPPORTED))
    for name, kind in {
            "size_2_32": changed(4, u32(2**32 - 1)), "size_3": changed(4, u32(3)), "size_16": changed(4, u32(16)),
            "vax": changed(1, u8(0x60)), "sign_0": changed(2, u8(0)), "no_hidden_bit": changed(1, u8(0)), "bias_0": changed(16, u32(0)),
            "exponent_at_255": changed(12, u8(255)), "exponent_size_255": changed(13, u8(255)), "mantissa_at_200": changed(14, u8(200)),
            "compound": u8(0x16, 1, 0, 0) + u32(8) + b"a\0\0\0\0\0\0\0" + u32(0) + bytes(28) + F32, "compound_0": u8(0x16, 0, 0, 0) + u32(4),
            "compound_65535": u8(0x16, 255, 255, 0) + u32(4), "array": u8(0x2A, 0, 0, 0) + u32(8) + u8(1, 0, 0, 0) + u32(2) + u32(0) + F32,
            "opaque": u8(0x15, 0, 0, 0) + u32(4), "bitfield": u8(0x14, 0, 0, 0) + u32(4) + u16(0) + u16(32), "time": u8(0x12, 0, 0, 0) + u32(4) + u16(32),
            "string": fixed_string(4), "vlen_string": VLEN_STRING, "vlen_sequence": u8(0x19, 0, 0, 0) + u32(16) + F32,
            "vlen_of_vlen": u8(0x19, 0, 0, 0) + u32(16) + VLEN_STRING, "vlen_size_4": u8(0x19, 1, 0, 0) + u32(4) + fixed_string(1),
            "enum": u8(0x18, 2, 0, 0) + u32(4) + F32, "enum_of_enum": u8(0x18, 2, 0, 0) + u32(1) + u8(0x18, 0, 0, 0) + u32(1),
            "integer_precision_0": u8(0x10, 8, 0, 0) + u32(4) + u16(0) + u16(0), "integer_offset": u8(0x10, 8, 0, 0) + u32(4) + u16(8) + u16(16),
            "integer_16_bytes": u8(0x10, 8, 0, 0) + u32(16) + u16(0) + u16(128)}.items():
        size = struct.unpack("<I", kind[4:8])[0]
        var("H9", name, Data((5, 4), kind=kind, raw=bytes(min(20 * size, 400))), (MALFORMED, UNSUPPORTED))


def attributes():
    def with_attrs(*attrs, heap=None):
        return H5(Group(mlp_weights().children, list(attrs)), heap=heap)
    file("H10", "honest", with_attrs(attribute_text("a", b"x")), OK)
    good = attribute("a", fixed_string(4), space((2,)), b"abcdefgh")
    body = good[8:]
    for name, m in {
            "version_0": u8(0) + body[1:], "version_4": u8(4) + body[1:], "name_0": body[:2] + u16(0) + body[4:],
            "name_1": body[:2] + u16(1) + body[4:], "name_65535": body[:2] + u16(65535) + body[4:], "type_65535": body[:4] + u16(65535) + body[6:],
            "type_0": body[:4] + u16(0) + body[6:], "space_65535": body[:6] + u16(65535), "space_0": body[:6] + u16(0) + body[8:],
            "empty": b"", "cut": body[:20]}.items():
        file("H10", name, with_attrs(message(12, m)), MALFORMED)
    for name, dims in {"2_40": (2**40,), "2_62": (2**62,), "2_63": (2**63,), "product": (2**32, 2**32), "one_more": (3,), "rank_33": (1,) * 33}.items():
        file("H10", f"dims_{name}", with_attrs(attribute("a", fixed_string(4), space(dims), b"abcdefgh")), MALFORMED)
    file("H10", "string_of_2_32", with_attrs(attribute("a", fixed_string(2**32 - 1), space(()), b"x")), MALFORMED)
    file("H10", "twice", with_attrs(attribute_text("a", b"x"), attribute_text("a", b"y")), MALFORMED)
    file("H10", "name_without_end", with_attrs(message(12, u8(1, 0) + u16(8) + u16(8) + u16(8) + b"abcdefgh" + fixed_string(1) + space(()) + b"x")), MALFORMED)
    file("H10", "name_with_nul", with_attrs(attribute("a\0b", fixed_string(1), space(()), b"x")), MALFORMED)
    many = [attribute_text(f"a{i}", b"x") for i in range(60000)]
    case("H10", "60000_attributes", lambda p: p.write_bytes(H5(Group({}, many)).bytes()), (OK, MALFORMED, LIMIT), suffix=".weights.h5")
    info = message(21, u8(0, 0) + u64(2**40) + u64(2**40))
    file("H10", "dense_attributes", H5(Group(mlp_weights().children, [], extra=info, n_extra=1)), (UNSUPPORTED, MALFORMED))
    # strings of variable length: the legacy configuration stands in the global heap
    config = json.dumps(legacy_config()).encode()

    def vlen(size, heap, index, at=96, blobs=(config,)):
        attrs = legacy_attrs(legacy_config())
        attrs[0] = attribute("model_config", VLEN_STRING, space(()), u32(size) + u64(heap) + u32(index))
        return H5(Group({"model_weights": legacy_weights()}, attrs), heap=list(blobs)).bytes()
    n = len(config)
    case("H10", "vlen_honest", vlen(n, 96, 1), OK, suffix=".h5")
    for name, data in {
            "heap_0": vlen(n, 0, 1), "heap_undefined": vlen(n, UNDEFINED, 1), "heap_end": vlen(n, 2**40, 1), "heap_odd": vlen(n, 97, 1),
            "index_0": vlen(n, 96, 0), "index_2": vlen(n, 96, 2), "index_65535": vlen(n, 96, 65535), "index_2_32": vlen(n, 96, 2**32 - 1),
            "length_1_more": vlen(n + 1, 96, 1), "length_2_32": vlen(2**32 - 1, 96, 1), "length_0": vlen(0, 96, 1),
            "length_1_less": vlen(n - 1, 96, 1)}.items():
        case("H10", "vlen_" + name, data, MALFORMED, suffix=".h5")
    h = bytearray(vlen(n, 96, 1))
    for name, at, v in (("signature", 96, b"LOCG"), ("version", 100, u8(2)), ("size_0", 104, u64(0)), ("size_100", 104, u64(100)),
                        ("size_2_63", 104, u64(2**63)), ("size_overlaps", 104, u64(8192)), ("blob_2_63", 120, u64(2**63)), ("blob_wrap", 120, u64(UNDEFINED)),
                        ("blob_4096", 120, u64(4096))):
        bad = bytearray(h)
        bad[at:at + len(v)] = v
        case("H10", "heap_" + name, bytes(bad), MALFORMED, suffix=".h5")
    case("H10", "reference_count_0", bytes(h), OK, suffix=".h5")  # what HDF5 writes


def shapes():
    for name, shape in {"transposed": (4, 5), "flat": (20,), "one_more": (6, 4), "one_less": (4, 4), "rank_3": (5, 4, 1), "scalar": (), "empty": (0,),
                        "rank_8": (5, 4, 1, 1, 1, 1, 1, 1)}.items():
        case("H12", name, keras_file(weights=with_var(Data(shape)).bytes()), MALFORMED)
        case("H12", "legacy_" + name, legacy_file(weights=legacy_weights(dense=Group({"dense": Group({
            "kernel:0": Data(shape), "bias:0": Data((4,))})}, [attribute_names("weight_names", [b"dense/kernel:0", b"dense/bias:0"])]))).bytes(),
            MALFORMED, suffix=".h5")
    case("H12", "fewer", keras_file(weights=H5(mlp_weights(dense=Group({"vars": Group({"0": Data((5, 4))})}))).bytes()), MALFORMED)
    case("H12", "more", keras_file(weights=H5(mlp_weights(dense=Group({"vars": Group({"0": Data((5, 4)), "1": Data((4,)), "2": Data((4,))})}))).bytes()),
         MALFORMED)
    case("H12", "none", keras_file(weights=H5(mlp_weights(dense=Group({"vars": Group({})}))).bytes()), MALFORMED)
    case("H12", "no_layer", keras_file(weights=H5(Group({"layers": Group({})})).bytes()), MALFORMED)
    case("H12", "no_layers", keras_file(weights=H5(Group({})).bytes()), MALFORMED)
    case("H12", "string_weights", keras_file(weights=with_var(Data((5, 4), kind=fixed_string(4))).bytes()), (MALFORMED, UNSUPPORTED))
    for key in ("nan", "inf", "-inf"):
        raw = struct.pack("<20f", *([float(key)] * 20))
        data = keras_file(weights=with_var(Data((5, 4), raw=raw)).bytes())
        case("H13", key, data, OK)
        case("H13", key + "_strict", data, MALFORMED, args=("check", "--strict", "{}"))


def proofs():
    """Files that h5py wrote, damaged by tools/golden/hdf5.py, with the status in their name."""
    codes = {"KT_EFORMAT": MALFORMED, "KT_EREFUSED": REFUSED, "KT_ELIMIT": LIMIT, "KT_EUNSUPPORTED": UNSUPPORTED}
    with zipfile.ZipFile(ROOT / "tests/golden/hdf5.npz") as z:
        for name in z.namelist():
            data = z.read(name)
            body = data[10 + struct.unpack("<H", data[8:10])[0]:]
            kind, *rest = name[:-4].split("/")
            if kind == "bad":
                case("H14", "_".join(rest), body, codes[rest[0]], suffix=".weights.h5")
            elif kind == "weak":  # opens, but a data set in it cannot be read
                case("H14", "weak_" + "_".join(rest), body, (OK, UNSUPPORTED, MALFORMED), suffix=".weights.h5")
            elif kind == "good":
                case("H14", "good_" + "_".join(rest), body, (OK, UNSUPPORTED), suffix=".weights.h5")
    for target in ("hdf5", "h5_file"):
        folder = ROOT / "fuzz/corpora" / target
        for path in sorted(folder.glob("found_*")):
            case("H14", path.name, path.read_bytes(), (OK, MALFORMED, REFUSED, LIMIT, UNSUPPORTED), suffix=".h5")


def summed_end(data, at, size):
    """Where the check sum of a part of dense storage stands."""
    if size:
        return at + size - 4
    n = at + 6
    while checksum(data[at:n]) != struct.unpack_from("<I", data, n)[0]:
        n += 1
    return n


def dense():
    """Fractal heaps and B-trees of version 2, which h5py writes with libver="latest": one field changed, the check sum
    set right."""
    with zipfile.ZipFile(ROOT / "tests/golden/hdf5.npz") as z:
        files = {}
        for name in ("dense_links", "dense_links_1300", "dense_attributes", "dense_attributes_large"):
            data = z.read(f"good/{name}.npy")
            files[name] = data[10 + struct.unpack("<H", data[8:10])[0]:]
    sizes = {b"FRHP": 146, b"BTHD": 38}

    def field(name, sign, at, value, code, label):
        b = bytearray(files[name])
        part = b.index(sign)
        end = summed_end(files[name], part, sizes.get(sign))
        b[part + at:part + at + len(value)] = value(part) if callable(value) else value
        b[end:end + 4] = u32(checksum(bytes(b[part:end])))
        case("H7", f"{name}_{sign.decode()}_{at}_{label}", bytes(b), code, suffix=".weights.h5")
    links, deep, attrs, large = files
    for name in (links, attrs):
        for label, value in (("0", 0), ("self", files[name].index(b"FRHP")), ("end", len(files[name])), ("far", 2**63), ("none", UNDEFINED)):
            field(name, b"FRHP", 132, u64(value), MALFORMED, label)
            field(name, b"BTHD", 16, u64(value), MALFORMED, label)
        for label, value in (("0", 0), ("1", 1), ("max", 65535)):
            field(name, b"FRHP", 140, u16(value), OK if value == 0 else MALFORMED, label)
            field(name, b"FRHP", 110, u16(value), (OK, MALFORMED), label)
            field(name, b"FRHP", 128, u16(value), MALFORMED, label)
            field(name, b"BTHD", 24, u16(value), MALFORMED, label)
            field(name, b"BTHD", 12, u16(value), OK if value == 0 else MALFORMED, label)
        for label, value in (("0", 0), ("1", 1), ("2_31", 2**31), ("2_62", 2**62), ("2_63", 2**63), ("max", UNDEFINED)):
            field(name, b"FRHP", 112, u64(value), MALFORMED, label)
            field(name, b"FRHP", 120, u64(value), (OK, MALFORMED), label)
            field(name, b"BTHD", 26, u64(value), (MALFORMED, LIMIT), label)
        for label, value in (("0", 0), ("1", 1), ("max", 2**32 - 1)):
            field(name, b"BTHD", 6, u32(value), MALFORMED, label)
            field(name, b"FRHP", 10, u32(value), (OK, MALFORMED), label)
        for k in range(6, 28):  # the first record: hash, place and size of a message
            for value in (0, 1, 0x10, 0x20, 0x40, 0xFF):
                field(name, b"BTLF", k, u8(value), (OK, MALFORMED, UNSUPPORTED, REFUSED), str(value))
    data = files[deep]
    inner, table = data.index(b"BTIN"), data.index(b"FHIB")
    first_child = summed_end(data, inner, None) - inner
    for back in range(8, 60, 1):  # pointers stand before the check sum
        field(deep, b"BTIN", first_child - back, u64(inner), MALFORMED, f"itself_{back}")
    head = 13 + 4
    for label, value in (("itself", table), ("heap", data.index(b"FRHP")), ("0", 0), ("none", UNDEFINED), ("far", 2**62)):
        for k in (0, 1, 5):
            field(deep, b"FHIB", head + 8 * k, u64(value), MALFORMED, f"{k}_{label}")
    field(deep, b"FHIB", head + 8, data[table + head:table + head + 8], MALFORMED, "twice")
    huge = files[large].rindex(b"BTHD")
    case("H7", "large_attributes_cut", files[large][:huge + 20], MALFORMED, suffix=".weights.h5")
    for k in range(0, len(files[links]), 61):
        case("H7", f"dense_cut_{k}", files[links][:k], MALFORMED, suffix=".weights.h5")


def legacy():
    h = legacy_file()
    case("H15", "honest", h.bytes(), OK, suffix=".h5")
    case("H15", "named_keras", h.bytes(), OK)  # the bytes count, not the name
    case("H15", "zip_named_h5", keras_file(), OK, suffix=".h5")
    case("H15", "weights_alone", H5(legacy_weights()).bytes(), OK, suffix=".h5")
    names = [b"dense", b"dense_1"]
    tree = legacy_weights()
    split = Group(tree.children, [attribute_names("layer_names0", names[:1]), attribute_names("layer_names1", names[1:])])
    case("H15", "names_in_chunks", legacy_file(weights=split).bytes(), OK, suffix=".h5")

    def listed(*attrs):
        return legacy_file(weights=Group(legacy_weights().children, list(attrs))).bytes()
    case("H15", "chunk_missing", listed(attribute_names("layer_names0", names[:1]), attribute_names("layer_names2", names[1:])), MALFORMED, suffix=".h5")
    case("H15", "no_names", listed(), MALFORMED, suffix=".h5")
    case("H15", "names_of_ghosts", listed(attribute_names("layer_names", [b"dense", b"ghost"])), MALFORMED, suffix=".h5")
    case("H15", "names_twice", listed(attribute_names("layer_names", [b"dense", b"dense"])), MALFORMED, suffix=".h5")
    case("H15", "names_are_paths", listed(attribute_names("layer_names", [b"../model_weights/dense", b"dense_1"])), MALFORMED, suffix=".h5")
    case("H15", "names_are_absolute", listed(attribute_names("layer_names", [b"/etc/passwd", b"dense_1"])), MALFORMED, suffix=".h5")
    case("H15", "names_are_numbers", listed(attribute("layer_names", F32, space((2,)), bytes(8))), MALFORMED, suffix=".h5")
    for value in (b"/etc/passwd", b"../../dense_1/dense_1/kernel:0", b"dense/ghost", b"", b"dense/kernel:0/x", b"dense//kernel:0/../kernel:0"):
        bad = Group({"dense": Group({"kernel:0": Data((5, 4)), "bias:0": Data((4,))})}, [attribute_names("weight_names", [value, b"dense/bias:0"])])
        case("H15", "weight_name_" + (value.decode().replace("/", "_").replace(":", "_") or "empty"), legacy_file(weights=legacy_weights(dense=bad)).bytes(),
             MALFORMED, suffix=".h5")
    for name, text, code in (("not_json", b"hello", MALFORMED), ("empty", b"", MALFORMED), ("null", b"null", MALFORMED), ("list", b"[]", MALFORMED),
                             ("number", b"3", MALFORMED), ("deep", b"[" * 3000, LIMIT), ("yaml", b"backend: tensorflow\nclass_name: Model\n", (MALFORMED, REFUSED))):
        attrs = legacy_attrs(legacy_config())
        attrs[0] = attribute_text("model_config", text)
        case("H15", "config_" + name, H5(Group({"model_weights": legacy_weights()}, attrs)).bytes(), code, suffix=".h5")
    for name, training in (("list", []), ("no_loss", {"optimizer_config": {"class_name": "SGD", "config": {"lr": 0.1}}}), ("deep", {"loss": {"a": {"b": {"c": "mse"}}}}),
                           ("lambda", {"loss": "lambda x: x"}), ("number", {"loss": 3, "optimizer_config": 3})):
        code = (OK, MALFORMED, UNSUPPORTED, REFUSED)
        data = H5(Group({"model_weights": legacy_weights()}, legacy_attrs(legacy_config(), training))).bytes()
        case("H15", "training_" + name, data, code, suffix=".h5")
    for name, version in (("empty", b""), ("long", b"2." + b"9" * 5000), ("text", b"keras"), ("minus", b"-1.-1"), ("new", b"99.0"), ("dots", b"....")):
        attrs = legacy_attrs(legacy_config())
        attrs[1] = attribute_text("keras_version", version)
        case("H15", "version_" + name, H5(Group({"model_weights": legacy_weights()}, attrs)).bytes(), (OK, MALFORMED, UNSUPPORTED), suffix=".h5")
    for backend in (b"theano", b"cntk", b"plaidml", b"x" * 5000, b"jax", b""):
        attrs = legacy_attrs(legacy_config())
        attrs[2] = attribute_text("backend", backend)
        case("H15", "backend_" + backend.decode()[:10], H5(Group({"model_weights": legacy_weights()}, attrs)).bytes(), (OK, MALFORMED, UNSUPPORTED), suffix=".h5")


def shards(canary):
    """A .weights.json beside shard files, or inside the archive."""
    weights = honest().bytes()
    refused = (MALFORMED, REFUSED, LIMIT, UNSUPPORTED, 5)

    def config(shard_map):
        return json.dumps({"metadata": {"total_size": 152}, "weight_map": shard_map}).encode()
    for name, m in {"missing": {"/layers/dense/vars": ["model_00001.weights.h5"]}, "path": {"/layers/dense/vars": ["../../secret.h5"]},
                    "absolute": {"/layers/dense/vars": [canary + "/secret.h5"]}, "itself": {"/layers/dense/vars": ["model.weights.json"]},
                    "twice": {"/layers/dense/vars": ["model_00000.weights.h5", "model_00000.weights.h5"]},
                    "number": {"/layers/dense/vars": 3}, "text": "x", "million": {f"/l{i}": ["model_00000.weights.h5"] for i in range(10**5)}}.items():
        case("H16", name, make_zip([Member("config.json", json.dumps(mlp_config()).encode()), Member("model.weights.json", config(m)),
                                    Member("model_00000.weights.h5", weights)]), refused, slow=2)
        case("H16", name, config(m), refused, suffix=".weights.json", files={"model_00000.weights.h5": weights}, slow=2)
    for name, data in (("npz_object", make_zip([Member("__root__.npy", npy_of((1,), "|O8", data=b"\x80\3cos\nsystem\nX\2\0\0\0id\x85R."))])),
                       ("npz_pickle", make_zip([Member("a.npy", npy_of((1,), "|O8", data=b"\x80\4."))]))):
        case("H16", name, make_zip([Member("config.json", json.dumps(mlp_config()).encode()), Member("model.weights.npz", data)]),
             (REFUSED, MALFORMED))


def facts():
    """B1.7: what real libraries write or tolerate."""
    h = honest()
    file("B1.7", "fill_value_flag_constant", h, OK)
    layout = h.at[VAR]["layout"]
    patched("B1.7", "size_0_loads_elsewhere", layout + 10, u64(0), MALFORMED)
    patched("B1.7", "size_2_63_loads_elsewhere", layout + 10, u64(2**63), MALFORMED)
    patched("B1.7", "undefined_address_is_zeros_elsewhere", layout + 2, u64(UNDEFINED), MALFORMED)
    patched("B1.7", "65535_messages_load_elsewhere", h.at[VAR]["header"] + 2, u16(65535), MALFORMED)
    signature = with_var(Data((5, 4), raw=b"PK\5\6".ljust(80, b"\0")))
    file("B1.7", "end_of_directory_in_weights", signature, OK)
    many = with_var(Data((5, 4), raw=b"PK\5\6PK\1\2PK\3\4PK\6\6PK\6\7".ljust(80, b"\0")))
    file("B1.7", "signatures_in_weights", many, OK)
    case("B1.7", "config_bom", keras_file(text=b"\xef\xbb\xbf" + json.dumps(mlp_config()).encode()), MALFORMED)
    case("B1.7", "config_utf16", keras_file(text=json.dumps(mlp_config()).encode("utf-16")), MALFORMED)
    emoji = json.dumps(mlp_config()).replace('"dense"', '"dense\\ud83d\\ude00"', 1)
    case("B1.7", "non_bmp_name", emoji.encode(), (OK, MALFORMED), suffix=".json")
    old = json.dumps(mlp_config()).replace('"name": "mlp"', '"name": "mlp", "shared_object_id": 140095553702416')
    case("B1.7", "shared_object_id", old.encode(), (OK, UNSUPPORTED), suffix=".json")


def add(canary):
    superblock()
    links(canary)
    for part in (filters, addresses, groups, headers, types, attributes, shapes, proofs, dense, legacy):
        part()
    shards(canary)
    facts()
