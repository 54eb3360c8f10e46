"""Z1 to Z14 of the checklist: the container."""
import json
import stat
import struct

from kit import (LIMIT, MALFORMED, OK, REFUSED, UNSUPPORTED, H5, Member, case, central_header, keras_file, local_header,
                 make_zip, mlp_config, mlp_weights, npy_of, u16, u32, u64)

CONFIG = json.dumps(mlp_config()).encode()
META = b'{"keras_version": "3.15.1", "date_saved": "2026-01-01@00:00:00"}'
WEIGHTS = H5(mlp_weights()).bytes()


def members(**replace):
    """The three members of an honest file; keywords give some of them other options."""
    out = []
    for key, name, data in (("metadata", "metadata.json", META), ("config", "config.json", CONFIG),
                            ("weights", "model.weights.h5", WEIGHTS)):
        options = {"name": name, "data": data, **replace.get(key, {})}
        out.append(Member(**options))
    return out


def archive(more=(), zip_options=None, **replace):
    return make_zip(members(**replace) + list(more), **(zip_options or {}))


def ends():
    honest = keras_file()
    case("Z1", "empty", b"", MALFORMED)
    for n in range(1, 22):
        case("Z1", f"only_{n}_bytes", honest[:n], MALFORMED)
        case("Z1", f"last_{n}_bytes", honest[-n:], MALFORMED)
    case("Z1", "end_record_alone", honest[-22:], (MALFORMED, REFUSED))
    case("Z1", "no_end_record", honest[:-22], MALFORMED)
    case("Z1", "zeros", bytes(4096), MALFORMED)
    case("Z1", "no_members", make_zip([]), MALFORMED)
    comment = b"PK\5\6" + bytes(18)
    for n in (22, 1000, 65535):
        hidden = comment.ljust(n, b"x")
        case("Z1", f"end_in_comment_{n}", make_zip(members(), comment=hidden), MALFORMED)
        case("Z1", f"end_at_end_of_comment_{n}", make_zip(members(), comment=b"x" * (n - 22) + comment), MALFORMED)
    case("Z1", "comment", make_zip(members(), comment=b"hello"), OK)
    case("Z1", "comment_65535", make_zip(members(), comment=b"x" * 65535), OK)
    for delta in (1, -1, 100, 65000):
        n = 50 + delta
        case("Z1", f"comment_length_off_by_{delta}", make_zip(members(), comment=b"x" * 50, end={"n_comment": n}), MALFORMED)
    case("Z1", "bytes_behind_the_end", honest + b"x", MALFORMED)
    case("Z1", "two_archives", honest + honest, (MALFORMED, REFUSED))
    for n in (0, 1, 2, 4, 5, 100):
        case("Z1", f"{n}_entries_of_3", make_zip(members(), end={"n": n, "n_disk": n}), MALFORMED)


def truncated():
    small = make_zip([Member("metadata.json", b"{}"), Member("config.json", b"{}")])
    for n in range(22, len(small)):
        case("Z2", f"cut_at_{n}", small[:n], MALFORMED)
    honest = keras_file()
    for n in range(1, len(honest), 997):
        case("Z2", f"honest_cut_at_{n}", honest[:n], MALFORMED)


def contradictions():
    for field, value in (("name", b"Config.json"), ("size", len(CONFIG) - 1), ("size", len(CONFIG) + 1), ("csize", 1),
                         ("crc", 1), ("method", 8), ("flags", 2), ("n_name", 5), ("n_name", 300), ("n_extra", 40000)):
        case("Z3", f"local_{field}_{value if isinstance(value, int) else 'other'}",
             archive(config={"local": {field: value}}), MALFORMED)
    for field, value in (("name", b"Config.json"), ("size", len(CONFIG) - 1), ("size", len(CONFIG) + 1), ("csize", 1),
                         ("crc", 1), ("method", 8), ("offset", 1), ("offset", 0), ("n_name", 5), ("n_name", 60000)):
        case("Z3", f"central_{field}_{value if isinstance(value, int) else 'other'}",
             archive(config={"central": {field: value}}), MALFORMED)
    case("Z3", "utf8_flag_in_one", archive(config={"local": {"flags": 0x800}}), MALFORMED)
    case("Z3", "no_local_header", archive(config={"drop_local": True}), MALFORMED)


def overlaps():
    m = members()
    data = bytearray(make_zip(m))
    start = len(data) - 22 - sum(46 + len(x.name) for x in m)
    second = start + 46 + len(m[0].name)
    for name, offset in (("same_as_first", 0), ("inside_first", 10), ("behind_end", len(data)), ("2_31", 2**31),
                         ("2_32_minus_2", 2**32 - 2), ("in_directory", start), ("last_byte", len(data) - 1)):
        bad = bytearray(data)
        struct.pack_into("<I", bad, second + 42, offset)
        case("Z4", f"offset_{name}", bytes(bad), MALFORMED)
    quine = Member("config.json", CONFIG)
    case("Z4", "member_over_directory", archive(weights={"local": {"csize": len(WEIGHTS) + 40, "size": len(WEIGHTS) + 40},
                                                         "central": {"csize": len(WEIGHTS) + 40, "size": len(WEIGHTS) + 40}}),
         MALFORMED)
    for name, v in (("wrap", 2**64 - 100), ("2_63", 2**63), ("ones", 2**64 - 1), ("end", len(data))):
        case("Z4", f"offset64_{name}", archive(config={"central": {"offset": 0xFFFFFFFF}, "extra_central": u16(1) + u16(8) + u64(v)}),
             MALFORMED)
    for name, v in (("wrap", 2**64 - 100), ("2_63", 2**63), ("2_40", 2**40)):
        extra = u16(1) + u16(16) + u64(v) + u64(v)
        case("Z4", f"size64_{name}", archive(config={"size": 0xFFFFFFFF, "csize": 0xFFFFFFFF, "extra_local": extra,
                                                     "extra_central": extra}), MALFORMED)
    for field, v in (("offset", 2**32 - 2), ("offset", 1), ("size", 2**32 - 2), ("size", 1), ("offset", 2**31)):
        case("Z4", f"directory_{field}_{v}", make_zip(members(), end={field: v}), (MALFORMED, REFUSED))
    # many entries that share one local header: the bomb without nesting
    one, out = Member("config.json", CONFIG), bytearray()
    out += local_header(one) + one.stored
    directory = b"".join(central_header(Member(f"x{i}", CONFIG), 0) for i in range(1000))
    end = struct.pack("<IHHHHIIH", 0x06054B50, 0, 0, 1000, 1000, len(directory), len(out), 0)
    case("Z4", "thousand_entries_one_member", bytes(out) + directory + end, MALFORMED)
    case("Z4", "quine", make_zip([quine, quine]), MALFORMED)


def duplicates():
    for name in ("config.json", "Config.json", "CONFIG.JSON", "model.weights.h5", "Model.Weights.H5", "metadata.json"):
        case("Z5", f"second_{name}", archive([Member(name, b"{}")]), MALFORMED)
    for name in ("config.json.", "config.json ", "config.json/", "./config.json", "config.json\0.txt", "config.json\0"):
        case("Z5", f"almost_{name.encode().hex()[-8:]}", archive([Member(name, b"{}")]), (MALFORMED, REFUSED))
    case("Z5", "doubled_unrelated", archive([Member("a.txt", b"1"), Member("a.txt", b"2")]), MALFORMED)
    case("Z5", "unrelated", archive([Member("a.txt", b"1"), Member("assets/b.txt", b"2")]), OK)


def names():
    bad = {"parent": "../config.json", "deep_parent": "a/../../config.json", "parent_end": "a/..", "absolute": "/etc/passwd",
           "two_slashes": "//config.json", "drive": "C:/config.json", "drive_backslash": "C:\\config.json",
           "backslash": "a\\b", "parent_backslash": "..\\x", "nul": "a\0b", "empty_component": "a//b", "dot": "./a",
           "dot_inside": "a/./b", "newline": "a\nb", "escape": "a\x1b[31mb", "delete": "a\x7fb", "long": "x" * 1025,
           "long_60000": "x" * 60000, "dots": "...", "blank_end": "a /b", "unc": "\\\\host\\share"}
    for key, name in bad.items():
        case("Z6", key, archive([Member(name, b"x")]), REFUSED)
    for key, name in {"latin1": b"caf\xe9", "overlong": b"a\xc0\xafb", "surrogate": b"\xed\xa0\x80", "cut": b"a\xe2\x82",
                      "beyond": b"\xf5\x80\x80\x80", "lone": b"\x80"}.items():
        case("Z6", f"utf8_{key}", archive([Member(name, b"x")]), REFUSED)
        case("Z6", f"utf8_flag_{key}", archive([Member(name, b"x", flags=0x800)]), REFUSED)
    case("Z6", "empty_name", archive([Member("", b"x")]), REFUSED)
    case("Z6", "legal_unicode", archive([Member("assets/größe €.txt", b"x", flags=0x800)]), OK)
    case("Z6", "legal_1024", archive([Member("x" * 1024, b"x")]), OK)


def modes():
    for key, mode in (("symlink", stat.S_IFLNK), ("fifo", stat.S_IFIFO), ("char", stat.S_IFCHR), ("block", stat.S_IFBLK),
                      ("socket", stat.S_IFSOCK)):
        case("Z7", f"{key}_beside", archive([Member("x", b"/etc/passwd", mode=mode | 0o777)]), REFUSED)
        case("Z7", f"{key}_config", archive(config={"mode": mode | 0o777}), REFUSED)
        case("Z7", f"{key}_weights", archive(weights={"mode": mode | 0o777, "data": b"/etc/passwd"}), REFUSED)
    case("Z7", "folder_mode_on_file", archive(config={"mode": stat.S_IFDIR | 0o777}), REFUSED)
    case("Z7", "folder_for_config", make_zip([Member("config.json/", b"")]), (MALFORMED, REFUSED))
    case("Z7", "folder_for_weights", make_zip([Member("config.json", CONFIG), Member("model.weights.h5/", b"")]),
         (MALFORMED, REFUSED))
    case("Z7", "folder_with_data", archive([Member("assets/", b"data", mode=stat.S_IFDIR | 0o777)]), (MALFORMED, REFUSED))
    case("Z7", "folder", archive([Member("assets/", b"", mode=stat.S_IFDIR | 0o777)]), OK)


def kinds():
    for flag, name in ((1, "encrypted"), (0x40, "strong_encryption"), (0x2000, "masked"), (0x20, "patched")):
        case("Z8", name, archive(config={"flags": flag}), UNSUPPORTED)
    for method in (1, 6, 9, 12, 14, 93, 95, 97, 98, 99, 255, 65535):
        case("Z8", f"method_{method}", archive(config={"method": method, "stored": CONFIG}), UNSUPPORTED)
    for end in ({"disk": 1}, {"disk_cd": 1}, {"disk": 65535, "disk_cd": 65535}, {"n": 3, "n_disk": 2}):
        case("Z8", "disks_" + "_".join(f"{k}{v}" for k, v in end.items()), make_zip(members(), end=end), UNSUPPORTED)
    case("Z8", "member_on_disk_1", archive(config={"central": {"disk": 1}}), UNSUPPORTED)
    tail = b"PK\7\x08" + u32(0) + u32(len(CONFIG)) * 2
    case("Z8", "stored_with_descriptor", archive(config={"flags": 8, "tail": tail}), UNSUPPORTED, says="zip it again")


def later(**replace):
    """A large file, made when it is its turn."""
    return lambda path: path.write_bytes(archive(**{k: {**v, "data": v["data"]()} for k, v in replace.items()}))


def bombs():
    big = 200 << 20
    for mib in (65, 200):
        case("Z9", f"config_of_{mib}_MiB", later(config={"data": lambda mib=mib: b" " * (mib << 20), "method": 8}), LIMIT)
    case("Z9", "metadata_of_65_MiB", later(metadata={"data": lambda: b" " * (65 << 20), "method": 8}), LIMIT)
    case("Z9", "weights_of_200_MiB", later(weights={"data": lambda: bytes(big), "method": 8}), LIMIT)
    case("Z9", "weights_then_200_MiB", later(weights={"data": lambda: WEIGHTS + bytes(big), "method": 8}), LIMIT)
    case("Z9", "weights_declare_3_GiB", archive(weights={"method": 8, "size": 3 << 30}), (MALFORMED, LIMIT))
    case("Z9", "weights_declare_2_40", archive(weights={
        "method": 8, "size": 0xFFFFFFFF, "extra_local": u16(1) + u16(16) + u64(2**40) + u64(len(Member("x", WEIGHTS, 8).stored)),
        "extra_central": u16(1) + u16(8) + u64(2**40), "local": {"csize": 0xFFFFFFFF}}), (MALFORMED, LIMIT))
    for key, n in (("declares_less", -100), ("declares_one_less", -1), ("declares_one_more", 1), ("declares_1000_more", 1000)):
        case("Z9", f"config_{key}", archive(config={"method": 8, "size": len(CONFIG) + n}), MALFORMED)
        case("Z9", f"weights_{key}", archive(weights={"method": 8, "size": len(WEIGHTS) + n}), MALFORMED)
    case("Z9", "config_declares_nothing", archive(config={"method": 8, "size": 0}), MALFORMED)
    deflated = Member("x", WEIGHTS, 8).stored
    case("Z9", "deflate_cut", archive(weights={"method": 8, "stored": deflated[:-20]}), MALFORMED)
    case("Z9", "deflate_garbage", archive(weights={"method": 8, "stored": b"\xff" * 500}), MALFORMED)
    case("Z9", "deflate_then_garbage", archive(weights={"method": 8, "stored": deflated + b"x" * 50}), (OK, MALFORMED))
    case("Z9", "deflate_empty", archive(weights={"method": 8, "stored": b""}), MALFORMED)
    case("Z9", "honest_zeros", keras_file(method=8), OK)


def sums():
    case("Z10", "stored_longer", archive(config={"size": len(CONFIG) + 1}), MALFORMED)
    case("Z10", "stored_shorter", archive(config={"size": len(CONFIG) - 1}), MALFORMED)
    case("Z10", "stored_nothing", archive(config={"size": 0}), MALFORMED)
    for key in ("config", "weights", "metadata"):
        case("Z10", f"crc_{key}", archive(**{key: {"crc": 0xDEADBEEF}}), MALFORMED)
        case("Z10", f"crc_deflated_{key}", archive(**{key: {"crc": 0xDEADBEEF, "method": 8}}), MALFORMED)
    broken = bytearray(WEIGHTS)
    broken[-1] ^= 1
    case("Z10", "one_bit_of_weights", archive(weights={"data": bytes(broken), "crc": Member("x", WEIGHTS).fields["crc"]}), MALFORMED)


def counts():
    def many(path):
        members = [Member(f"{i:x}") for i in range(65537)]
        path.write_bytes(make_zip(members, zip64={}, end={"n": 65535, "n_disk": 65535}))
    case("Z11", "65537_members", many, LIMIT)

    def million(path):
        n, out = 10**6, bytearray()
        name_at = [f"{i:05x}".encode() for i in range(n)]
        local = struct.pack("<IHHHHHIIIHH", 0x04034B50, 20, 0, 0, 0, 0x21, 0, 0, 0, 5, 0)
        for name in name_at:
            out += local + name
        start = len(out)
        for i, name in enumerate(name_at):
            out += struct.pack("<IHHHHHHIIIHHHHHII", 0x02014B50, 0x314, 20, 0, 0, 0, 0x21, 0, 0, 0, 5, 0, 0, 0, 0, 0, 35 * i)
            out += name
        size, here = len(out) - start, len(out)
        out += struct.pack("<IQHHIIQQQQ", 0x06064B50, 44, 45, 45, 0, 0, n, n, size, start)
        out += struct.pack("<IIQI", 0x07064B50, 0, here, 1)
        out += struct.pack("<IHHHHIIH", 0x06054B50, 0, 0, 65535, 65535, size & 0xFFFFFFFF, start, 0)
        path.write_bytes(out)
    case("Z11", "million_members", million, LIMIT)
    case("Z11", "2_40_entries_declared", make_zip(members(), zip64={"n": 2**40}, end={"n": 65535, "n_disk": 65535}), LIMIT)
    case("Z11", "60000_entries_declared", make_zip(members(), end={"n": 60000, "n_disk": 60000}), MALFORMED)


def zip64():
    case("Z12", "honest", make_zip(members(), zip64={}), OK)
    case("Z12", "honest_ones", make_zip(members(), zip64={}, end={"n": 65535, "n_disk": 65535, "size": 2**32 - 1, "offset": 2**32 - 1}), OK)
    case("Z12", "record_missing", make_zip(members(), end={"offset": 2**32 - 1}), MALFORMED)
    for field, v in (("n", 2), ("size", 1), ("offset", 5), ("length", 45), ("length", 2**63), ("locator", 0),
                     ("locator", 2**63), ("locator", 2**64 - 4)):
        case("Z12", f"{field}_{v}", make_zip(members(), zip64={field: v}), MALFORMED)
    for field, v in (("disk", 1), ("disk_cd", 1), ("disks", 2), ("n_disk", 2)):
        case("Z12", f"{field}_{v}", make_zip(members(), zip64={field: v}), UNSUPPORTED)
    n = len(CONFIG)
    field = u16(1) + u16(16) + u64(n) + u64(n)
    ones = {"size": 0xFFFFFFFF, "csize": 0xFFFFFFFF}
    case("Z12", "field_honest", archive(config={**ones, "extra_local": field, "extra_central": field}), OK)
    case("Z12", "field_missing", archive(config=ones), MALFORMED)
    case("Z12", "field_missing_locally", archive(config={**ones, "extra_central": field}), MALFORMED)
    case("Z12", "field_missing_centrally", archive(config={**ones, "extra_local": field}), MALFORMED)
    case("Z12", "field_doubled", archive(config={**ones, "extra_local": field * 2, "extra_central": field * 2}), MALFORMED)
    case("Z12", "field_contradicts", archive(config={"extra_central": u16(1) + u16(16) + u64(n + 1) + u64(n)}), MALFORMED)
    case("Z12", "field_short", archive(config={**ones, "extra_local": field, "extra_central": u16(1) + u16(8) + u64(n)}), MALFORMED)
    case("Z12", "field_long", archive(config={**ones, "extra_local": field, "extra_central": u16(1) + u16(40) + u64(n) * 5}), MALFORMED)
    case("Z12", "field_beyond", archive(config={"extra_central": u16(1) + u16(60000)}), MALFORMED)
    case("Z12", "extra_damaged", archive(config={"extra_central": b"\1"}), MALFORMED)
    case("Z12", "extra_unknown", archive(config={"extra_central": u16(0x7777) + u16(4) + b"1234",
                                                 "extra_local": u16(0x7777) + u16(4) + b"1234"}), OK)

    def sparse(path):
        """A member of more than 4 GiB that is really there (as a hole)."""
        size = (4 << 30) + 4096
        crc = 0xB875D37F  # of that many zeros
        extra = u16(1) + u16(16) + u64(size) * 2
        ones32 = {"size": 0xFFFFFFFF, "csize": 0xFFFFFFFF, "crc": crc, "version": 45}
        big = Member("filler", b"", extra_local=extra, extra_central=extra, **ones32)
        head, directory = bytearray(), b""
        for m in members():
            directory += central_header(m, len(head))
            head += local_header(m) + m.stored
        directory += central_header(big, len(head))
        head += local_header(big)
        start = len(head) + size
        with open(path, "wb") as f:
            f.write(head)
            f.truncate(start)
            f.seek(start)
            f.write(directory)
            f.write(struct.pack("<IQHHIIQQQQ", 0x06064B50, 44, 45, 45, 0, 0, 4, 4, len(directory), start))
            f.write(struct.pack("<IIQI", 0x07064B50, 0, start + len(directory), 1))
            f.write(struct.pack("<IHHHHIIH", 0x06054B50, 0, 0, 4, 4, len(directory), 0xFFFFFFFF, 0))
    case("Z12", "member_of_4_GiB", sparse, OK, slow=10)


def polyglots():
    png = b"\x89PNG\r\n\x1a\n" + bytes(200)
    pdf = b"%PDF-1.7\n" + b"%" * 300 + b"\n"
    case("Z13", "prepended_1", make_zip(members(), before=b"x"), REFUSED)
    case("Z13", "shell_script", make_zip(members(), before=b"#!/bin/sh\nexit 1\n"), REFUSED)
    case("Z13", "png", make_zip(members(), before=png), REFUSED)
    case("Z13", "pdf", make_zip(members(), before=pdf), REFUSED)
    case("Z13", "elf", make_zip(members(), before=b"\x7fELF" + bytes(500)), REFUSED)
    case("Z13", "hdf5_before", make_zip(members(), before=WEIGHTS), (MALFORMED, REFUSED))
    case("Z13", "prepended_unadjusted", b"#!/bin/sh\n" + make_zip(members()), REFUSED)
    case("Z13", "between_members_and_directory", make_zip(members(), between=b"hidden"), REFUSED)
    case("Z13", "between_members", archive(config={"tail": b"hidden"}), REFUSED)
    case("Z13", "zip_in_a_gap", archive(config={"tail": make_zip([Member("x", b"y")])}), (MALFORMED, REFUSED))
    case("Z13", "renamed_png", png, MALFORMED)
    case("Z13", "renamed_gzip", b"\x1f\x8b\x08" + bytes(100), MALFORMED)
    case("Z13", "renamed_tar", b"config.json".ljust(257, b"\0") + b"ustar\x0000" + bytes(760), MALFORMED)


def parts():
    npz = make_zip([Member("layers/dense/vars.npy", npy_of((1,)))])
    case("Z14", "no_config", make_zip([Member("metadata.json", META), Member("model.weights.h5", WEIGHTS)]), MALFORMED, says="config.json")
    case("Z14", "config_in_folder", make_zip([Member("model/config.json", CONFIG), Member("model.weights.h5", WEIGHTS)]), MALFORMED)
    case("Z14", "two_kinds_of_weights", archive([Member("model.weights.npz", npz)]), MALFORMED)
    case("Z14", "no_weights", make_zip([Member("config.json", CONFIG)]), MALFORMED, says="weights")
    case("Z14", "empty_weights", archive(weights={"data": b""}), MALFORMED)
    case("Z14", "weights_are_json", archive(weights={"data": b"{}"}), MALFORMED)
    case("Z14", "weights_are_zip", archive(weights={"data": keras_file()}), MALFORMED)
    case("Z14", "no_metadata", keras_file(metadata=None), OK)
    case("Z14", "newer_metadata", keras_file(metadata=b'{"keras_version": "99.0.0"}'), OK)
    case("Z14", "metadata_without_version", keras_file(metadata=b"{}"), OK)
    case("Z14", "metadata_no_json", keras_file(metadata=b"hello"), (OK, MALFORMED))
    case("Z14", "metadata_version_number", keras_file(metadata=b'{"keras_version": 3}'), (OK, MALFORMED))
    case("Z14", "metadata_version_long", keras_file(metadata=b'{"keras_version": "' + b"9" * 10**6 + b'"}'), (OK, MALFORMED))
    case("Z14", "metadata_deep", keras_file(metadata=b"[" * 10**6), (OK, MALFORMED, LIMIT))


def add():
    for part in (ends, truncated, contradictions, overlaps, duplicates, names, modes, kinds, bombs, sums, counts, zip64,
                 polyglots, parts):
        part()
