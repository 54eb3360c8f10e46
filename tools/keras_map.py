#!/usr/bin/env python3
"""docs/keras-map.md: which public name of Keras is there in C, in which header, and how it differs.

    tools/keras_map.py           write the map
    tools/keras_map.py --check   fail if the map that is checked in is stale (part of `make check`)
    tools/keras_map.py --names   write tools/keras_names.txt from real Keras; run it with its Python:
                                 $(tools/golden/env.sh)/bin/python tools/keras_map.py --names

The Keras side is tools/keras_names.txt: names, arguments, defaults. The C side is read from the headers,
where everything follows one pattern: a macro that ends in KT_CALL(function, struct, defaults), or a prototype.
Names are matched without case and underscores, so ReLU is kt_relu and IoU is kt_metric_io_u.
"""
import inspect
import os
import re
import sys

NAMES = "tools/keras_names.txt"
MAP = "docs/keras-map.md"
HEADERS = "include/keratin"

# ---- the Keras side ------------------------------------------------------------------------------

# Section of the names file: module of Keras.
MODULES = {
    "models": "", "layers": "layers", "activations": "activations", "initializers": "initializers",
    "regularizers": "regularizers", "constraints": "constraints", "losses": "losses",
    "metrics": "metrics", "optimizers": "optimizers", "schedules": "optimizers.schedules",
    "callbacks": "callbacks", "datasets": "datasets", "ops": "ops", "random": "random",
    "applications": "applications", "saving": "saving", "utils": "utils", "config": "config",
}
TOP_LEVEL = ("Input", "Model", "Sequential")


def default_text(value):
    if isinstance(value, tuple) and len(set(value)) == 1: # (1, 1): the same in each place
        value = value[0]
    return repr(value) if isinstance(value, (bool, int, float, str, type(None))) else "..."


def signature_text(thing):
    """The arguments as text: `units, activation=None, **kwargs`."""
    if inspect.isclass(thing) and thing.__name__ == "Model":
        return "inputs, outputs, name=None, trainable=True" # of a functional one
    try:
        thing = thing.__init__ if inspect.isclass(thing) else thing
        parameters = list(inspect.signature(thing).parameters.values())
    except (TypeError, ValueError):
        return "..."
    out = []
    for p in parameters:
        if p.name == "self":
            continue
        star = {p.VAR_POSITIONAL: "*", p.VAR_KEYWORD: "**"}.get(p.kind, "")
        default = "" if p.default is p.empty else "=" + default_text(p.default)
        out.append(star + p.name + default)
    return ", ".join(out)


def members(section, module):
    """(name, object) for every public name of a module; data sets and applications are functions in
    modules of their own."""
    for name in sorted(vars(module)):
        thing = getattr(module, name)
        if name.startswith("_") or (section == "models" and name not in TOP_LEVEL):
            continue
        if section == "datasets" and inspect.ismodule(thing):
            yield name, thing.load_data
        elif section == "applications" and not inspect.ismodule(thing):
            yield name, thing
        elif callable(thing) and not inspect.ismodule(thing):
            yield name, thing


def write_names():
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
    import keras

    lines = ["# Public names of Keras %s and their arguments, for tools/keras_map.py, which wrote this:"
             % keras.__version__,
             "#     $(tools/golden/env.sh)/bin/python tools/keras_map.py --names",
             "# `a.X = Y`: another name for Y. No parentheses: an attribute."]
    for section, path in MODULES.items():
        module = keras
        for part in filter(None, path.split(".")):
            module = getattr(module, part)
        things = list(members(section, module))
        seen = {id(t): n for n, t in things if n == getattr(t, "__name__", "")}
        for name, thing in things:
            first = seen.setdefault(id(thing), name)
            lines.append("%s.%s" % (section, name) + (
                " = " + first if first != name else "(%s)" % signature_text(thing)))
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    for name in sorted(n for n in dir(model) if not n.startswith("_")):
        described = inspect.getattr_static(type(model), name, None)
        is_method = inspect.isfunction(described) or isinstance(described, (classmethod, staticmethod))
        lines.append("methods." + name + (
            "(%s)" % signature_text(getattr(model, name)) if is_method else ""))
    lines = [line.replace("(...)", "") for line in lines]
    with open(NAMES, "w", encoding="utf-8") as f:
        f.write("\n".join(lines) + "\n")
    print("%s: %d names" % (NAMES, len(lines) - 3))


def read_names():
    """version, {section: [(names, arguments)]}: aliases and functions beside their class are together;
    arguments are [(name, default or None)], None for attributes."""
    sections, version, aliases = {}, "", []
    with open(NAMES, encoding="utf-8") as f:
        for line in f:
            line = line.rstrip("\n")
            if line.startswith("#"):
                version = version or re.search(r"Keras (\S+)", line).group(1)
                continue
            section, _, rest = line.partition(".")
            name = re.match(r"\w+", rest).group()
            entries = sections.setdefault(section, [])
            if " = " in rest and "(" not in rest:
                aliases.append((entries, rest.split(" = ")[1], name))
                continue
            arguments = None
            if rest.endswith(")"):
                arguments = [tuple((a.split("=", 1) + [None])[:2])
                             for a in split_commas(rest[len(name) + 1:-1])]
            twin = next((e for e in entries if section != "ops" and squash(e[0][0]) == squash(name)),
                        None)
            if twin:
                twin[0].append(name)
            else:
                entries.append(([name], arguments))
    for entries, first, name in aliases:
        next(e for e in entries if first in e[0])[0].append(name)
    return version, sections


# ---- the C side ----------------------------------------------------------------------------------

def split_commas(text):
    """Splits at commas that are in no bracket and no string."""
    parts, depth, quote, part = [], 0, "", ""
    for c in text:
        if quote:
            quote = "" if c == quote else quote
        elif c in "\"'":
            quote = c
        depth += (c in "([{") - (c in ")]}") if not quote else 0
        if c == "," and depth == 0 and not quote:
            parts.append(part.strip())
            part = ""
        else:
            part += c
    return [p for p in parts + [part.strip()] if p]


class Headers:
    """Functions and macros of the public headers: {name: (header, fields, defaults, returns)}, where
    fields are [(name, type)] and defaults {name: text}, or None for plain functions."""

    def __init__(self):
        self.calls, self.unsupported, self.macros = {}, set(), {}
        text = {}
        for folder, _, names in os.walk(HEADERS):
            for name in names:
                path = os.path.join(folder, name)
                with open(path, encoding="utf-8") as f:
                    text[os.path.relpath(path, HEADERS)] = f.read()
        for header in sorted(text):
            self.find_unsupported(text[header])
            text[header] = re.sub(r"/\*.*?\*/|//[^\n]*", " ", text[header], flags=re.DOTALL)
            text[header] = text[header].replace("\\\n", " ")
            for m in re.finditer(r"^#define (KT_\w+)(?:\(\w*\))?[ \t]*(.*)$", text[header], re.M):
                self.macros[m.group(1)] = m.group(2).strip()
        self.structs = {}
        for header in sorted(text):
            for m in re.finditer(r"typedef struct \w+ \{(.*?)\} (\w+);", text[header], re.DOTALL):
                self.structs[m.group(2)] = self.fields(m.group(1))
        for header in sorted(text):
            self.read_calls(header, text[header])

    def find_unsupported(self, text):
        for m in re.finditer(r"/\*\*(?:(?!\*/).)*\bNot supported yet\b(?:(?!\*/).)*\*/(.*?)\(", text,
                             re.DOTALL):
            self.unsupported.add(re.findall(r"\w+", m.group(1))[-1])

    def expand(self, text):
        """With the object-like macros of the library replaced (KT_LAYER_ARGS and the like)."""
        for _ in range(5):
            text = re.sub(r"\bKT_\w*(?:ARGS|DEFAULTS)\b",
                          lambda m: self.macros.get(m.group(), m.group()), text)
        return text

    def fields(self, body):
        out = []
        for declaration in self.expand(body).split(";"):
            declaration = re.sub(r"\bconst\b", " ", declaration)
            words = re.match(r"\s*(\w+)\s+(.*)", declaration, re.DOTALL)
            for item in split_commas(words.group(2)) if words else []:
                name = re.search(r"\w+", item).group()
                pointer = "*" if "*" in item or words.group(1) == "kt_ref" else ""
                out.append((name, words.group(1) + pointer + ("[]" if "[" in item else "")))
        return [f for f in out if f[0] != "size"]

    def read_calls(self, header, text):
        returns = {}
        for m in re.finditer(r"KT_API ([\w ]+?\s\*?)\s*(\w+)\(([^;]*)\);", text):
            returns[m.group(2)] = m.group(1).strip()
            parameters = [] if m.group(3).strip() == "void" else split_commas(m.group(3))
            fields = [(re.findall(r"\w+", p)[-1], "") for p in parameters]
            self.calls[m.group(2)] = (header, fields, None, m.group(1).strip())
        for m in re.finditer(r"#define (kt_\w+)\(\.\.\.\)\s+KT_CALL\((.*)\)\s*$", text, re.M):
            function, struct, *rest = split_commas(m.group(2).replace(", ,", ",")) + [""]
            defaults = {}
            for item in split_commas(self.expand(",".join(rest))):
                field = re.match(r"\.(\w+)\s*=\s*(.*)", item)
                if field:
                    defaults[field.group(1)] = field.group(2).strip()
            self.calls.pop(function, None)
            self.calls[m.group(1)] = (header, self.structs[struct], defaults, returns[function])


# ---- matching ------------------------------------------------------------------------------------

PREFIX = {
    "models": ["kt_"], "layers": ["kt_"], "activations": ["kt_act_"], "initializers": ["kt_init_"],
    "regularizers": ["kt_reg_"], "constraints": ["kt_con_"], "losses": ["kt_loss_"],
    "metrics": ["kt_metric_"], "optimizers": ["kt_opt_"], "schedules": ["kt_sched_"],
    "callbacks": ["kt_cb_"], "datasets": ["kt_data_"], "ops": ["kt_op_"], "random": ["kt_random_"],
    "applications": ["kt_app_"], "saving": ["kt_"], "utils": ["kt_"], "config": ["kt_"],
    "methods": ["kt_model_", "kt_sequential_", "kt_layer_", "kt_"],
}
# What a function of that section returns, where the prefix alone could be anything.
RETURNS = {"layers": ("kt_layer *",), "ops": ("kt_sym *",)}
# Names that the mechanical translation does not give.
SAME = {
    "models.Model": ["kt_functional"], "layers.InputLayer": ["kt_input"], "layers.Input": ["kt_input"],
    "callbacks.LambdaCallback": ["kt_cb_lambda"], "callbacks.History": ["kt_history_get"],
    "utils.PyDataset": ["kt_generator_new"],
    "ops.ndim": ["kt_sym_shape"], "ops.shape": ["kt_sym_shape"], "ops.dtype": ["kt_sym_dtype"],
    "ops.get_item": ["kt_op_strided_slice"], "ops.convert_to_tensor": ["kt_const"],
    "methods.layers": ["kt_model_n_layers", "kt_model_layer"],
    "methods.inputs": ["kt_model_input"], "methods.outputs": ["kt_model_output"],
    "methods.weights": ["kt_layer_n_weights", "kt_layer_weight"],
    "methods.variables": ["kt_layer_n_weights", "kt_layer_weight"],
    "methods.trainable": ["kt_trainable", "kt_set_trainable"], "methods.dtype_policy": [],
}
# What the arguments alone do not tell.
NOTES = {
    "callbacks.History": "what `kt_model_fit` returns", "utils.PyDataset": "a function",
    "ops.slice": "one axis", "ops.get_item": "one axis", "ops.ndim": "`.ndim` of it",
    "ops.squeeze": "one axis",
    "ops.clip": "limits are numbers", "ops.reshape": "with the batch axis",
}
# Their one line above says it all.
BRIEF = ("callbacks.History", "utils.PyDataset", "ops.slice")
# Not a thing of its own in C; the row says what there is instead.
INSTEAD = {
    "deserialize": "", "serialize": "",
    "get": "every argument takes a name or an object",
    "layers.Layer": "`sys/layer.h`: a layer of your own",
    "initializers.Initializer": "`kt_init_custom`", "regularizers.Regularizer": "`kt_reg_custom`",
    "constraints.Constraint": "`kt_con_custom`", "losses.Loss": "`kt_loss_custom`",
    "metrics.Metric": "`kt_metric_custom`", "metrics.MeanMetricWrapper": "`kt_metric_custom`",
    **{"metrics." + name: "a loss in the list of metrics" for name in (
        "huber", "log_cosh", "binary_focal_crossentropy", "categorical_focal_crossentropy")},
    "callbacks.Callback": "`kt_cb_lambda`", "callbacks.CallbackList": "`kt_list`",
    "callbacks.ProgbarLogger": "`.verbose` of fit, evaluate, predict",
}
# Arguments of every layer, which Keras takes through **kwargs.
LAYER_ARGUMENTS = ["activity_regularizer", "name", "dtype", "trainable", "autocast"]
# Fields that have no counterpart in Python, or are explained once for all (see the notes).
OUR_OWN = {"data", "fn", "text", "schedule", "loss_weights_by_name"}
TITLES = {
    "models": "Models", "methods": "Methods of models and layers", "layers": "Layers",
    "activations": "Activations", "initializers": "Initializers", "regularizers": "Regularizers",
    "constraints": "Constraints", "losses": "Losses", "metrics": "Metrics",
    "optimizers": "Optimizers", "schedules": "Learning rate schedules", "callbacks": "Callbacks",
    "datasets": "Data sets", "ops": "Operations", "random": "Random numbers",
    "applications": "Applications", "saving": "Saving", "utils": "Utilities", "config": "Configuration",
}


def squash(name):
    return name.replace("_", "").lower()


def find_calls(headers, section, names):
    """C names for a thing of Keras."""
    for name in names:
        if section + "." + name in SAME:
            return SAME[section + "." + name]
    wanted = {prefix + squash(n) for prefix in PREFIX[section] for n in names}
    found = []
    for prefix in PREFIX[section]:
        for call, (_, _, _, returns) in headers.calls.items():
            if call.startswith(prefix) and prefix + squash(call[len(prefix):]) in wanted and (
                    section not in RETURNS or returns in RETURNS[section]):
                found.append(call)
        if found:
            return found
    return []


def same_default(keras, ours, kind):
    """Is the text of a default of Keras the same value as that of a field (None: left out)?"""
    if keras == "None" and not ours and (kind in ("bool", "int") or kind.endswith("[]")):
        return True
    if kind.endswith("*") or kind in ("kt_floats_t", "kt_names_t"):
        ours = ours or "NULL"
    ours = ours or ("false" if kind == "bool" else "0")
    if keras in ("None", "...", "'auto'") and ours in ("NULL", "KT_NONE", "KT_NONE_F", "KT_AUTO"):
        return True
    if keras == "..." and kind == "kt_tuple": # ((1, 1), (1, 1)): the golden files compare those
        return True
    words = {"True": "true", "False": "false", "None": "NULL"}
    keras = words.get(keras, keras.replace("'", '"'))
    try:
        return float(keras) == float(ours)
    except ValueError:
        return keras == ours


def differences(section, arguments, fields, defaults):
    """(missing, added, defaults that differ, out of order) of a call."""
    keras = [a for a in arguments if not a[0].startswith("*")]
    if section == "activations":
        keras = keras[1:] # x
    names = [a[0] for a in keras]
    if section == "layers" and any(a[0] == "**kwargs" for a in arguments):
        names += [n for n in LAYER_ARGUMENTS if n not in names]
    ours = dict(fields)
    missing = [n for n in names if n not in ours]
    added = [n for n in ours if n not in names and n not in OUR_OWN]
    if section == "methods" and added and added[0] in ("model", "layer"):
        added = added[1:] # self
    if section == "callbacks" and any(a[0] == "**kwargs" for a in arguments):
        added = []
    if defaults is None: # operands and options by position: names do not matter
        n = min(len(missing), len(added))
        return missing[n:], added[n:], [], []
    other = ["`%s` is %s" % (n, defaults.get(n) or "unset") for n, d in keras
             if n in ours and d is not None and n not in ("name", "dtype", "data_format", "batch_size")
             and not same_default(d, defaults.get(n), ours[n])]
    keyword = set(names) - {a[0] for a in keras} # only by keyword: their order says nothing
    common = [n for n in ours if n in names and n not in keyword]
    names = [n for n in names if n not in keyword]
    return missing, added, other, [n for n, k in zip(common, (n for n in names if n in ours)) if n != k]


def code(names):
    return ", ".join("`%s`" % n for n in names)


def describe(section, names, arguments, headers, calls):
    key = section + "." + names[0]
    notes = [NOTES[key]] if key in NOTES else []
    if key in BRIEF or section == "datasets":
        return "".join(notes)
    for call in calls:
        _, fields, defaults, _ = headers.calls[call]
        if arguments is None or call in headers.unsupported or len(calls) > 1:
            continue
        missing, added, other, order = differences(section, arguments, fields, defaults)
        if missing:
            notes.append("without " + code(missing))
        if added:
            notes.append("with " + code(added))
        if other:
            notes.append("default of " + ", ".join(other))
        if order:
            notes.append("order " + code(order))
    return "; ".join(notes)


def section_text(headers, section, entries, used):
    """Lines of a section, number of names there, number of all."""
    rows, absent, there = [], [], 0
    n = len(entries)
    for names, arguments in entries:
        shown = ", ".join("`%s`" % name for name in names)
        instead = next((INSTEAD[k] for k in (section + "." + names[0], names[0]) if k in INSTEAD), None)
        calls = find_calls(headers, section, names)
        if calls and calls[0] in headers.unsupported:
            absent.append(code(names[:1]) + " (fails with `KT_EUNSUPPORTED`)")
        elif calls:
            there += 1
            used.update(calls)
            header = headers.calls[calls[0]][0]
            rows.append("| %s | %s | %s | %s |" % (
                shown, code(calls), header, describe(section, names, arguments, headers, calls)))
        elif instead is not None:
            n -= 1
            if instead:
                rows.append("| %s | – | | %s |" % (shown, instead))
        else:
            absent.append(code(names[:1]))
    lines = ["## %s: %d of %d" % (TITLES[section], there, n), ""]
    if rows:
        lines += ["| Keras | C | header | differs |", "|---|---|---|---|"] + rows + [""]
    if absent:
        lines += ["Not there: " + ", ".join(absent) + ".", ""]
    return lines, there, n


INTRO = """# What of Keras is there

Public names of Keras %s, and what they are in C. Written by `tools/keras_map.py` from the headers and
`tools/keras_names.txt`; `make check` fails when it is out of date. [differences.md](differences.md) says what
behaves differently on purpose.

How to read the tables: several Keras names in a row mean the same (an alias, or the function beside its class).
*without* names arguments of Keras that the call does not take, *with* those that Keras does not have, *order* those
that come in another order (as they come here). What stands in no row: every optimizer has `.schedule`, where
Python has `learning_rate=schedule`; a function of your own comes with `.data`, which it is given at each call. `get`, `serialize` and `deserialize` of the modules are
not counted: an argument takes a name or an object as it is.
"""


def make_map():
    version, sections = read_names()
    headers = Headers()
    used, body, counts, total, total_there = set(), [], [], 0, 0
    for section in ["models", "methods"] + [s for s in MODULES if s != "models"]:
        lines, there, n = section_text(headers, section, sections[section], used)
        body += lines
        title = TITLES[section]
        anchor = re.sub(r"[^a-z0-9 -]", "", ("%s: %d of %d" % (title, there, n)).lower())
        counts.append("| [%s](#%s) | %d | %d |" % (title, anchor.replace(" ", "-"), there, n))
        total, total_there = total + n, total_there + there
    lines = INTRO.strip() % version
    lines = lines.split("\n") + ["", "| module | there | of |", "|---|--:|--:|"] + counts
    lines += ["| together | %d | %d |" % (total_there, total), ""] + body
    rest = {}
    for call, (header, _, _, _) in headers.calls.items():
        if call not in used and call not in headers.unsupported:
            rest.setdefault(header, []).append(call)
    lines += ["## Only in C", ""]
    lines += ["- %s: %s" % (header, code(rest[header])) for header in sorted(rest)]
    return "\n".join(lines) + "\n"


def check():
    """What is wrong with the map, "" if nothing."""
    try:
        with open(MAP, encoding="utf-8") as f:
            stale = f.read() != make_map()
    except FileNotFoundError:
        stale = True
    return "%s is out of date: run tools/keras_map.py" % MAP if stale else ""


def main(arguments):
    os.chdir(os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
    if arguments == ["--names"]:
        write_names()
    elif arguments == ["--check"]:
        wrong = check()
        print(wrong or "keras_map: ok")
        return 1 if wrong else 0
    elif arguments:
        print(__doc__)
        return 2
    else:
        with open(MAP, "w", encoding="utf-8") as f:
            f.write(make_map())
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
