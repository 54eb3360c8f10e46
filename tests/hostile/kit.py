"""What the hostile files are made with: zip archives and HDF5 files written by hand, every field of which can be
wrong, .npy files, and a small honest model to start from. Standard library only."""
import json
import math
import pathlib
import struct
import zipfile
import zlib

ROOT = pathlib.Path(__file__).resolve().parents[2]
GOLDEN = ROOT / "tests/golden/files"
OK, MALFORMED, REFUSED, LIMIT, UNSUPPORTED = 0, 3, 4, 7, 9
UNDEFINED = 2**64 - 1

CASES = []


class Case:
    """One file and what the command must say about it."""

    def __init__(self, line, name, data, code, suffix, says, args, files, slow, room):
        self.line, self.name, self.data, self.says, self.args, self.files = line, name, data, says, args, files
        self.codes = code if isinstance(code, tuple) else (code,)
        self.file = f"{line}_{name}{suffix}"
        self.slow, self.room = slow, room


def case(line, name, data, code, suffix=".keras", says=None, args=("check", "{}"), files=(), slow=1, room=0):
    """Registers a file: `data` is bytes, or a function that writes to a path. `says` must stand in the message.
    `slow` multiplies the limit of time, `room` adds to that of memory (MiB)."""
    CASES.append(Case(line, name, data, code, suffix, says, args, dict(files), slow, room))


def u8(*v):
    return bytes(v)


def u16(v):
    return struct.pack("<H", v)


def u32(v):
    return struct.pack("<I", v)


def u64(v):
    return struct.pack("<Q", v)


# Zip ------------------------------------------------------------------------------------------------------------------

class Member:
    """A member; what is in `local` and `central` replaces single fields of the two headers."""

    def __init__(self, name, data=b"", method=0, flags=0, stored=None, mode=0, made=0x031E, local=None, central=None,
                 extra_local=b"", extra_central=b"", tail=b"", drop_local=False, **both):
        self.name = name.encode() if isinstance(name, str) else name
        self.raw = data
        if stored is None:
            stored = zlib.compress(data, 9)[2:-4] if method == 8 else data
        self.stored = stored
        self.fields = {"version": 20, "flags": flags, "method": method, "time": 0, "date": 0x21,
                       "crc": zlib.crc32(data), "csize": len(stored), "size": len(data)}
        self.fields.update(both)
        self.local, self.central = dict(local or {}), dict(central or {})
        self.extra_local, self.extra_central = extra_local, extra_central
        self.mode, self.made, self.tail, self.drop_local = mode, made, tail, drop_local


def local_header(m):
    f = {"name": m.name, **m.fields, **m.local}
    return struct.pack("<IHHHHHIIIHH", 0x04034B50, f["version"], f["flags"], f["method"], f["time"], f["date"], f["crc"],
                       f["csize"], f["size"], f.get("n_name", len(f["name"])), f.get("n_extra", len(m.extra_local))
                       ) + f["name"] + m.extra_local


def central_header(m, offset):
    f = {"name": m.name, "offset": offset, "disk": 0, "comment": b"", **m.fields, **m.central}
    return struct.pack("<IHHHHHHIIIHHHHHII", 0x02014B50, m.made, f["version"], f["flags"], f["method"], f["time"],
                       f["date"], f["crc"], f["csize"], f["size"], f.get("n_name", len(f["name"])),
                       f.get("n_extra", len(m.extra_central)), len(f["comment"]), f["disk"], 0, m.mode << 16,
                       f["offset"]) + f["name"] + m.extra_central + f["comment"]


def make_zip(members, before=b"", between=b"", after=b"", comment=b"", end=None, zip64=None):
    """The archive. `end` replaces fields of the end record (n, n_disk, size, offset, disk, disk_cd), `zip64` adds the
    records of 64 bits with such fields replaced."""
    out, directory = bytearray(before), b""
    for m in members:
        offset = len(out)
        if not m.drop_local:
            out += local_header(m) + m.stored + m.tail
        directory += central_header(m, offset)
    out += between
    start = len(out)
    out += directory
    e = {"n": len(members), "size": len(directory), "offset": start, "disk": 0, "disk_cd": 0, "n_comment": len(comment)}
    if zip64 is not None:
        z = {**e, "length": 44, "locator": len(out), "disks": 1, **zip64}
        out += struct.pack("<IQHHIIQQQQ", 0x06064B50, z["length"], 45, 45, z["disk"], z["disk_cd"], z.get("n_disk", z["n"]),
                           z["n"], z["size"], z["offset"])
        out += struct.pack("<IIQI", 0x07064B50, 0, z["locator"], z["disks"])
    e.update(end or {})
    out += struct.pack("<IHHHHIIH", 0x06054B50, e["disk"], e["disk_cd"], e.get("n_disk", e["n"]), e["n"], e["size"],
                       e["offset"], e["n_comment"]) + comment + after
    return bytes(out)


# HDF5 -----------------------------------------------------------------------------------------------------------------

def checksum(data):
    """Bob Jenkins' lookup3, hashlittle(), as HDF5 uses it."""
    mask = 0xFFFFFFFF

    def rot(x, k):
        return (x << k | x >> (32 - k)) & mask
    a = b = c = (0xDEADBEEF + len(data)) & mask
    while len(data) > 12:
        x, y, z = struct.unpack("<III", data[:12])
        a, b, c = a + x & mask, b + y & mask, c + z & mask
        a = (a - c & mask) ^ rot(c, 4)
        c = c + b & mask
        b = (b - a & mask) ^ rot(a, 6)
        a = a + c & mask
        c = (c - b & mask) ^ rot(b, 8)
        b = b + a & mask
        a = (a - c & mask) ^ rot(c, 16)
        c = c + b & mask
        b = (b - a & mask) ^ rot(a, 19)
        a = a + c & mask
        c = (c - b & mask) ^ rot(b, 4)
        b = b + a & mask
        data = data[12:]
    if not data:
        return c
    x, y, z = struct.unpack("<III", data + bytes(12 - len(data)))
    a, b, c = a + x & mask, b + y & mask, c + z & mask
    c = (c ^ b) - rot(b, 14) & mask
    a = (a ^ c) - rot(c, 11) & mask
    b = (b ^ a) - rot(a, 25) & mask
    c = (c ^ b) - rot(b, 16) & mask
    a = (a ^ c) - rot(c, 4) & mask
    b = (b ^ a) - rot(a, 14) & mask
    return (c ^ b) - rot(b, 24) & mask


F32 = bytes.fromhex("11201f0004000000 0000 2000 17 08 00 17 7f000000".replace(" ", ""))
F64 = bytes.fromhex("11203f0008000000 0000 4000 34 0b 00 34 ff030000".replace(" ", ""))
F32_BIG = bytes.fromhex("11211f0004000000 0000 2000 17 08 00 17 7f000000".replace(" ", ""))
I64 = bytes.fromhex("1008000008000000 0000 4000".replace(" ", ""))


def fixed_string(size):
    return u8(0x13, 0, 0, 0) + u32(size)


VLEN_STRING = u8(0x19, 1, 0, 0) + u32(16) + fixed_string(1)


def space(shape, version=1, flags=0):
    if version == 2:
        return u8(2, len(shape), flags, int(bool(shape))) + b"".join(u64(d) for d in shape)
    return u8(1, len(shape), flags) + bytes(5) + b"".join(u64(d) for d in shape)


def pad8(data):
    return data + bytes(-len(data) % 8)


def message(kind, data, flags=0):
    data = pad8(data)
    return u16(kind) + u16(len(data)) + u8(flags, 0, 0, 0) + data


def attribute(name, kind, dims, value):
    """An attribute message of version 1."""
    name = name.encode() + b"\0"
    body = u8(1, 0) + u16(len(name)) + u16(len(kind)) + u16(len(dims)) + pad8(name) + pad8(kind) + pad8(dims) + value
    return message(12, body)


def attribute_text(name, text):
    return attribute(name, fixed_string(max(1, len(text))), space(()), text or b"\0")


def attribute_names(name, names):
    size = max([1, *map(len, names)])
    return attribute(name, fixed_string(size), space((len(names),)), b"".join(n.ljust(size, b"\0") for n in names))


class Data:
    """A data set; anything about it can be other than it should."""

    def __init__(self, shape, raw=None, kind=F32, dims=None, layout=None, extra=b"", n_extra=0, size=None, messages=None,
                 count=0):
        n = math.prod(shape) * struct.unpack("<I", kind[4:8])[0]
        self.raw = bytes(n) if raw is None else raw
        self.kind, self.dims = kind, space(shape) if dims is None else dims
        self.layout, self.extra, self.n_extra = layout, extra, n_extra
        self.size, self.messages, self.count = len(self.raw) if size is None else size, messages, count


class Group:
    def __init__(self, children=None, attrs=(), extra=b"", n_extra=0):
        self.children = dict(children or {})
        self.attrs, self.extra, self.n_extra = list(attrs), extra, n_extra


class H5:
    """A file of superblock 0 with symbol tables. `at` says where the parts of each object are: at["/layers"]["tree"]."""

    def __init__(self, root, heap=None):
        self.b = bytearray(96)
        self.at = {"": {}}
        self.heap_at = None
        if heap is not None:
            self.heap_at = len(self.b)
            body = b"".join(u16(i + 1) + u16(0) + u32(0) + u64(len(s)) + pad8(s) for i, s in enumerate(heap))
            size = max(4096, 16 + len(body) + 16)
            self.b += b"GCOL\1\0\0\0" + u64(size) + body
            self.b += u16(0) + bytes(6) + u64(self.heap_at + size - len(self.b)) if len(self.b) + 16 <= self.heap_at + size \
                else b""
            self.b += bytes(self.heap_at + size - len(self.b))
        self.group("", root)
        r = self.at[""]
        self.b[:96] = (b"\x89HDF\r\n\x1a\n" + bytes(5) + u8(8, 8, 0) + u16(4) + u16(16) + u32(0) + u64(0) +
                       u64(UNDEFINED) + u64(len(self.b)) + u64(UNDEFINED) + u64(0) + u64(r["header"]) + u32(1) + u32(0) +
                       u64(r["tree"]) + u64(r["heap"]))

    def put(self, data):
        self.b += bytes(-len(self.b) % 8)
        start = len(self.b)
        self.b += data
        return start

    def object_header(self, messages, n, count=0):
        return self.put(u8(1, 0) + u16(n) + u32(1) + u32(len(messages)) + u32(0) + messages)

    def data(self, path, d):
        where = self.at[path] = {}
        where["raw"] = self.put(d.raw) if d.raw else UNDEFINED
        if d.messages is not None:
            where["header"] = self.object_header(d.messages(where["raw"]), d.count)
            return where["header"]
        layout = u8(3, 1) + u64(where["raw"]) + u64(d.size) if d.layout is None else d.layout(where["raw"], d.size)
        messages, n = b"", 0
        for key, m in (("space", message(1, d.dims)), ("type", message(3, d.kind, 1)), ("fill", message(5, u8(2, 2, 2, 0), 1)),
                       ("layout", message(8, layout))):
            where[key] = len(messages) + 8
            messages += m
            n += 1
        messages += d.extra
        where["header"] = self.object_header(messages, n + d.n_extra)
        for key in ("space", "type", "fill", "layout"):
            where[key] += where["header"] + 16
        return where["header"]

    def group(self, path, g):
        names = sorted(g.children)
        entries = []
        where = self.at[path] = {"entry": {}}
        for name in names:
            child, child_path = g.children[name], f"{path}/{name}"
            if isinstance(child, Group):
                self.group(child_path, child)
                c = self.at[child_path]
                entries.append((name, c["header"], 1, u64(c["tree"]) + u64(c["heap"])))
            elif isinstance(child, Data):
                entries.append((name, self.data(child_path, child), 0, bytes(16)))
            else:  # (address, kind, scratch): an entry by hand
                entries.append((name, *child))
        text, offsets = bytearray(8), []
        for name in names:
            offsets.append(len(text))
            text += pad8(name.encode() + b"\0")
        where["heap"] = self.put(b"HEAP\0\0\0\0" + u64(len(text)) + u64(1) + u64(len(self.b) + -len(self.b) % 8 + 32))
        where["names"] = self.put(bytes(text))
        keys, leaves = [0], []
        for i in range(0, len(names), 8):
            body = b""
            part = entries[i:i + 8]
            leaf = self.put(b"")
            for k, (name, address, kind, scratch) in enumerate(part):
                where["entry"][name] = leaf + 8 + 40 * k
                body += u64(offsets[i + k]) + u64(address) + u32(kind) + u32(0) + scratch
            self.put((b"SNOD\1\0" + u16(len(part)) + body).ljust(328, b"\0"))
            leaves.append(leaf)
            keys.append(offsets[i + len(part) - 1])
        where["leaves"] = leaves
        tree = b"TREE\0\0" + u16(len(leaves)) + u64(UNDEFINED) * 2 + u64(keys[0])
        for leaf, key in zip(leaves, keys[1:]):
            tree += u64(leaf) + u64(key)
        where["tree"] = self.put(tree.ljust(544, b"\0"))
        messages = message(17, u64(where["tree"]) + u64(where["heap"])) + b"".join(g.attrs) + g.extra
        where["header"] = self.object_header(messages, 1 + len(g.attrs) + g.n_extra)

    def patch(self, offset, data):
        self.b[offset:offset + len(data)] = data
        return self

    def bytes(self):
        return bytes(self.b)


# .npy -----------------------------------------------------------------------------------------------------------------

def npy(header, data, version=(1, 0), size=None):
    text = header.encode() if isinstance(header, str) else header
    n = 2 if version[0] == 1 else 4
    text += b" " * (-(6 + 2 + n + len(text) + 1) % 64) + b"\n"
    return b"\x93NUMPY" + bytes(version) + (len(text) if size is None else size).to_bytes(n, "little") + text + data


def npy_of(shape, descr="<f4", fortran=False, data=None):
    dims = "(" + "".join(f"{d}, " for d in shape).rstrip() + ")"
    if data is None:
        data = bytes(math.prod(shape) * int(descr[2:]))
    return npy(f"{{'descr': '{descr}', 'fortran_order': {fortran}, 'shape': {dims}, }}", data)


# An honest model --------------------------------------------------------------------------------------------------------

def golden_config(name="mlp"):
    with zipfile.ZipFile(GOLDEN / f"{name}.keras") as z:
        return json.loads(z.read("config.json"))


def mlp_config(compiled=False):
    """Input (5,), Dense(4, tanh), Dense(2), as real Keras wrote it."""
    config = golden_config()
    if not compiled:
        config["compile_config"] = None
    return config


SHAPES = {"dense": ((5, 4), (4,)), "dense_1": ((4, 2), (2,))}


def mlp_weights(**layers):
    """The tree of model.weights.h5 for it; keywords replace groups of layers."""
    tree = {}
    for name, shapes in SHAPES.items():
        tree[name] = Group({"vars": Group({str(i): Data(s) for i, s in enumerate(shapes)})})
    tree.update(layers)
    return Group({"layers": Group(tree)})


def keras_file(config=None, weights=None, metadata=b'{"keras_version": "3.15.1", "date_saved": "2026-01-01@00:00:00"}',
               extra=(), text=None, method=0):
    """A .keras archive; `text` is config.json itself."""
    text = json.dumps(mlp_config() if config is None else config).encode() if text is None else text
    weights = H5(mlp_weights()).bytes() if weights is None else weights
    members = [Member("metadata.json", metadata)] if metadata is not None else []
    members += [Member("config.json", text)]
    if weights is not False:
        members.append(Member("model.weights.h5", weights, method))
    return make_zip(members + list(extra))


def legacy_attrs(config, training=None):
    attrs = [attribute_text("model_config", json.dumps(config).encode()), attribute_text("keras_version", b"2.15.0"),
             attribute_text("backend", b"tensorflow")]
    if training is not None:
        attrs.append(attribute_text("training_config", json.dumps(training).encode()))
    return attrs


def legacy_config():
    dense = {"trainable": True, "dtype": "float32", "activation": "linear", "use_bias": True}
    return {"class_name": "Sequential", "config": {"name": "old", "layers": [
        {"class_name": "InputLayer", "config": {"batch_input_shape": [None, 5], "dtype": "float32", "name": "x"}},
        {"class_name": "Dense", "config": {"name": "dense", "units": 4, **dense}},
        {"class_name": "Dense", "config": {"name": "dense_1", "units": 2, **dense}}]}}


def legacy_weights(**layers):
    tree = {}
    for name, shapes in SHAPES.items():
        tree[name] = Group({name: Group({"kernel:0": Data(shapes[0]), "bias:0": Data(shapes[1])})},
                           [attribute_names("weight_names", [f"{name}/kernel:0".encode(), f"{name}/bias:0".encode()])])
    tree.update(layers)
    return Group(tree, [attribute_names("layer_names", [b"dense", b"dense_1"])])


def legacy_file(config=None, weights=None):
    """A whole model as Keras 2 wrote it."""
    return H5(Group({"model_weights": legacy_weights() if weights is None else weights},
                    legacy_attrs(legacy_config() if config is None else config)))
