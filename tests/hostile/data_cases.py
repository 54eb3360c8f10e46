"""D5 of the checklist, and what the arguments of the command take: .npy, .npz, .csv, pickles in data sets."""
import pickle
import struct

from kit import (LIMIT, MALFORMED, OK, REFUSED, UNSUPPORTED, Member, case, keras_file, make_zip, npy, npy_of, u16, u32, u64)

MODEL = {"model.keras": keras_file()}
PREDICT = ("predict", "{folder}/model.keras", "--x", "{}")
GOOD = npy_of((3, 5))


def array(line, name, data, code, **more):
    """As a file that check looks into, as input of a model, and inside an .npz."""
    case(line, name, data, code, suffix=".npy", **more)
    bad = tuple(c for c in (code if isinstance(code, tuple) else (code,)))
    case(line, name + "_as_x", data, bad if OK not in bad else (*bad, 1), suffix=".npy", args=PREDICT, files=MODEL)
    case(line, name, make_zip([Member("arr_0.npy", data)]) if isinstance(data, bytes) else data, bad, suffix=".npz")


def header(text, data=bytes(60), version=(1, 0), size=None):
    return npy(text, data, version, size)


def arrays():
    array("D5", "honest", GOOD, OK)
    for n in (*range(0, 12), 64, 127, 128, 129, len(GOOD) - 1):
        array("D5", f"cut_at_{n}", GOOD[:n], MALFORMED)
    array("D5", "bytes_behind", GOOD + b"x", MALFORMED)
    for name, shape in {"negative": "(-3, 5)", "2_62": f"({2**62}, 5)", "2_63": f"({2**63}, 1)", "2_64": f"({2**64 + 3}, 5)", "product": f"({2**32}, {2**32})",
                        "digits": "(" + "9" * 10000 + ",)", "rank_9": "(1, 1, 1, 1, 1, 1, 1, 1, 15)", "rank_10000": "(" + "1, " * 10000 + ")",
                        "float": "(3.0, 5)", "text": "('3', 5)", "list": "[3, 5]", "none": "None", "nested": "((3, 5),)", "no_end": "(3, 5", "one_more": "(4, 5)",
                        "one_less": "(2, 5)", "true": "(True, 15)", "hex": "(0x3, 5)", "expression": "(1+2, 5)", "zero_of_2_62": f"(0, {2**62})", "empty": "()"}.items():
        code = (OK, MALFORMED, LIMIT) if name == "zero_of_2_62" else (MALFORMED, LIMIT)
        array("D5", f"shape_{name}", header(f"{{'descr': '<f4', 'fortran_order': False, 'shape': {shape}, }}"), code)
    for name, descr in {"object": "'|O'", "object_8": "'|O8'", "object_8_little": "'<O8'", "objects_in_fields": "[('a', '|O')]"}.items():
        array("D5", f"descr_{name}", header(f"{{'descr': {descr}, 'fortran_order': False, 'shape': (3, 5), }}", b"\x80\4cos\nsystem\n(S'id'\ntR."),
              (REFUSED, UNSUPPORTED) if "fields" in name else REFUSED)
    for name, descr in {"fields": "[('a', '<f4')]", "text": "'<U4'", "bytes": "'|S5'", "complex": "'<c8'", "void": "'|V4'", "date": "'<M8[s]'", "longdouble": "'<f16'",
                        "nothing": "''", "size_0": "'<f0'", "size_2_31": "'<f2147483648'", "size_minus": "'<f-4'", "size_3": "'<f3'", "no_order": "'f4'", "letter": "'<z4'",
                        "number": "4", "none": "None", "long": "'" + "<" * 20000 + "'"}.items():
        code = (OK, MALFORMED, UNSUPPORTED) if name == "no_order" else (MALFORMED, UNSUPPORTED, LIMIT)
        array("D5", f"descr_{name}", header(f"{{'descr': {descr}, 'fortran_order': False, 'shape': (3, 5), }}"), code)
    whole = "{'descr': '<f4', 'fortran_order': False, 'shape': (3, 5), }"
    for name, text in {"call": "__import__('os').system('id')", "no_braces": whole[1:-2], "twice": whole.replace("'shape'", "'descr': '<f8', 'shape'"),
                       "extra": whole.replace("'shape'", "'x': 1, 'shape'"), "missing": "{'descr': '<f4', 'shape': (3, 5), }", "nothing": "", "trailing": whole + " x",
                       "lambda": "{'descr': (lambda: '<f4')(), 'fortran_order': False, 'shape': (3, 5), }", "fortran_1": whole.replace("False", "1"),
                       "fortran_text": whole.replace("False", "'False'"), "nul": whole.replace("3", "3\0"), "latin1": whole.replace("descr", "d\xe9scr"),
                       "brackets": "{" * 30000, "quotes": "'" * 30000, "backslash": whole.replace("<f4", "\\x3cf4")}.items():
        data = header(text.encode("latin-1"), version=(2, 0) if len(text) > 60000 else (1, 0))
        array("D5", f"header_{name}", data, (OK, MALFORMED) if name == "backslash" else MALFORMED)
    for v in ((0, 0), (0, 1), (4, 0), (255, 255), (1, 1)):
        array("D5", f"version_{v[0]}_{v[1]}", b"\x93NUMPY" + bytes(v) + GOOD[8:], (OK, MALFORMED, UNSUPPORTED) if v == (1, 1) else (MALFORMED, UNSUPPORTED))
    array("D5", "header_of_4_GiB", b"\x93NUMPY\2\0" + u32(2**32 - 1) + GOOD[10:], (MALFORMED, LIMIT))
    array("D5", "header_length_0", b"\x93NUMPY\1\0" + u16(0) + bytes(60), MALFORMED)
    array("D5", "signature", b"\x93NUMPZ" + GOOD[6:], MALFORMED)
    array("D5", "fortran", npy_of((3, 5), fortran=True), OK)
    array("D5", "big_endian", npy_of((3, 5), ">f8"), OK)

    def sparse(path):
        path.write_bytes(npy("{'descr': '<f4', 'fortran_order': False, 'shape': (%d, 5), }" % (2**30), b""))
    case("D5", "20_GiB_declared", sparse, (MALFORMED, LIMIT), suffix=".npy")
    case("D5", "20_GiB_declared_as_x", sparse, (MALFORMED, LIMIT), suffix=".npy", args=PREDICT, files=MODEL)
    case("D5", "wrong_shape_as_x", npy_of((3, 4)), 1, suffix=".npy", args=PREDICT, files=MODEL)
    case("D5", "no_rows_as_x", npy_of((0, 5)), (OK, 1), suffix=".npy", args=PREDICT, files=MODEL)
    case("D5", "rank_0_as_x", npy("{'descr': '<f4', 'fortran_order': False, 'shape': (), }", bytes(4)), 1, suffix=".npy", args=PREDICT, files=MODEL)


def archives():
    case("D5", "npz_empty", make_zip([]), (OK, MALFORMED), suffix=".npz")
    for name, member in {"parent": "../a.npy", "absolute": "/etc/a.npy", "no_npy": "a.txt", "nul": "a\0.npy"}.items():
        case("D5", f"npz_{name}", make_zip([Member(member, GOOD)]), REFUSED if name != "no_npy" else (OK, MALFORMED, REFUSED), suffix=".npz")
    case("D5", "npz_twice", make_zip([Member("a.npy", GOOD), Member("a.npy", GOOD)]), MALFORMED, suffix=".npz")
    case("D5", "npz_case", make_zip([Member("a.npy", GOOD), Member("A.npy", GOOD)]), OK, suffix=".npz")
    case("D5", "npz_bomb", lambda p: p.write_bytes(make_zip([Member("a.npy", npy_of((10**7, 5)), method=8)])), OK, suffix=".npz", slow=3, room=200)  # all zeros, as honest data may be
    case("D5", "npz_declares_4_GiB", make_zip([Member("a.npy", npy_of((3, 5)), method=8, size=2**32 - 2)]), (MALFORMED, LIMIT), suffix=".npz")
    shape = "{'descr': '<f4', 'fortran_order': False, 'shape': (%d,), }"
    case("D5", "npz_shape_bomb", make_zip([Member("a.npy", npy(shape % 2**40, bytes(60)))]), (MALFORMED, LIMIT), suffix=".npz")
    case("D5", "npz_crc", make_zip([Member("a.npy", GOOD, crc=1)]), MALFORMED, suffix=".npz")
    case("D5", "npz_as_x_without_name", make_zip([Member("zzz.npy", GOOD)]), (OK, 1, 2, 5), suffix=".npz", args=PREDICT, files=MODEL)


def tables():
    row = b"1,2,3,4,5\n"
    for name, (text, code) in {
            "honest": (row, OK), "empty": (b"", (1, MALFORMED)), "blank": (b"\n\n\n", (1, MALFORMED)), "nul": (b"1,2\0,3,4,5\n", MALFORMED),
            "open_quote": (b'1,2,3,4,"5\n' + row, MALFORMED), "quote_inside": (b'1,2,3,4"x",5\n', MALFORMED), "text": (row + b"1,2,x,4,5\n", MALFORMED),
            "short_row": (row + b"1,2,3,4\n", MALFORMED), "long_row": (row + b"1,2,3,4,5,6\n", MALFORMED), "columns_million": (b"1," * 10**6 + b"1\n", (1, MALFORMED, LIMIT)),
            "binary": (bytes(range(256)) * 10, MALFORMED), "utf16": ("1,2,3,4,5\n".encode("utf-16"), MALFORMED), "huge_number": (b"1,2,3,4," + b"9" * 100000 + b"\n", (OK, MALFORMED)),
            "hex": (b"1,2,3,4,0x10\n", (OK, MALFORMED)), "1e999": (b"1,2,3,4,1e999\n", (OK, MALFORMED)), "formula": (b"1,2,3,4,=cmd|x\n", MALFORMED),
            "escape": (b"\x1b[2Ja,b,c,d,e\n" + row + b"1,2,3,4,\x1b[2J\n", MALFORMED), "no_newline": (row[:-1], OK), "carriage": (row.replace(b"\n", b"\r"), OK),
            "many_rows": (row * 100000, OK), "quotes_million": (b'"' * 10**6, (1, MALFORMED)), "wrong_columns": (b"1,2,3\n", (1, MALFORMED))}.items():
        case("D5", f"csv_{name}", text, code, suffix=".csv", args=PREDICT, files=MODEL, slow=3 if name == "many_rows" else 1)
    case("D5", "csv_one_line_of_200_MiB", lambda p: p.write_bytes(b"1" * (200 << 20)), (MALFORMED, LIMIT, 1), suffix=".csv", args=PREDICT, files=MODEL, slow=3)


class Evil:
    def __reduce__(self):
        import os
        return os.system, ("id",)


def pickles():
    """Data sets of Keras hold pickles: what reads them runs no code."""
    import os  # noqa: F401

    def member(body, shape="(2,)"):
        return npy(f"{{'descr': '|O', 'fortran_order': False, 'shape': {shape}, }}", body)

    def reuters(name, body, code=(REFUSED, MALFORMED, UNSUPPORTED, LIMIT)):
        data = make_zip([Member("x.npy", member(body)), Member("y.npy", npy_of((2,), "<i8"))])
        case("D5", f"pickle_{name}", b"unused", code, suffix=".txt", args=("evaluate", "{folder}/model.keras", "--data", "reuters", "--loss", "mse"),
             files={**MODEL, "keras/datasets/reuters.npz": data})
    for protocol in range(6):
        reuters(f"system_{protocol}", pickle.dumps(Evil(), protocol))
        reuters(f"in_list_{protocol}", pickle.dumps([[1, 2], Evil()], protocol))
    for name, body in {
            "system": b"cos\nsystem\n(S'id'\ntR.", "eval": b"cbuiltins\neval\n(S'1'\ntR.", "stack_global": b"\x80\4\x8c\2os\x8c\6system\x93\x8c\2id\x85R.",
            "inst": b"(S'id'\nios\nsystem\n.", "obj": b"(cos\nsystem\nS'id'\no.", "build": b"cbuiltins\nobject\n)R}S'__class__'\ncos\nsystem\nsb.",
            "newobj": b"\x80\2cos\nsystem\n\x85\x81.", "persistent": b"P1\n.", "binpersistent": b"I1\nQ.", "extension": b"\x82\1.", "empty": b"", "stop": b".",
            "no_stop": b"]", "underflow": b"R.", "memo": b"h\xff.", "memo_long": b"j\xff\xff\xff\xff.", "put_2_32": b"]r\xff\xff\xff\xff.", "frame_2_63": b"\x80\4\x95" + u64(2**63),
            "string_2_63": b"\x80\4\x8d" + u64(2**63), "string_2_32": b"X" + u32(2**32 - 1), "bytes_2_63": b"\x80\4\x8e" + u64(2**63), "long_2_31": b"\x8b" + u32(2**31 - 1),
            "long_minus": b"\x8b" + u32(2**32 - 1), "marks": b"(" * 10**6, "lists": b"]" * 10**6, "nested": b"]" * 10**5 + b"a" * (10**5 - 1) + b".",
            "itself": b"]q\0h\0a.", "dups": b"]" + b"2" * 10**6 + b".", "tuples": b")" + b"\x85" * 10**6 + b".", "protocol_99": b"\x80\x63.", "text_number": b"I" + b"9" * 100000 + b"\n.",
            "unicode_escape": b"V\\ud800\n.", "long_line": b"c" + b"x" * 10**6, "negative_length": b"T" + struct.pack("<i", -1)}.items():
        reuters(name, body, (REFUSED, MALFORMED, UNSUPPORTED, LIMIT))


def add(canary):
    for part in (arrays, archives, tables, pickles):
        part()
