/* TensorFlow functions in models of tf.keras 2.4 to 2.15 (x * 2, tf.concat(…)), which it saved as
 * layers TFOpLambda and SlicingOpLambda: they become the operations that Keras 3 would have. A
 * node is [layer, node, tensor, arguments by name], or a list of these where the function takes a
 * list; the first operand of 1 - x is ["_CONSTANT_VALUE", -1, 1.0, …]. Names are looked up in the
 * table, nothing else. */
#include "saving/legacy.h"

#include "io/source.h"

#include <stdio.h>
#include <string.h>

#define UNARY(function, module, name)                                                              \
    { function, module, name, {NULL}, "{}" }
#define BINARY(function, name)                                                                     \
    { function, "numpy", name, {"y"}, "{}" }
#define FOLD(function, name)                                                                       \
    { function, "numpy", name, {NULL}, "{\"axis\": null, \"keepdims\": false}" }

static const struct function {
    const char *function, *module, *name; ///< of TensorFlow; module and class of Keras 3
    const char *operands[2];              ///< what comes by name besides the first
    const char *config;                   ///< JSON: Keras 3's arguments, with defaults
} functions[] = {
    BINARY("__operators__.add", "Add"),
    BINARY("math.add", "Add"),
    BINARY("math.subtract", "Subtract"),
    BINARY("math.multiply", "Multiply"),
    BINARY("math.truediv", "Divide"),
    BINARY("math.divide", "Divide"),
    BINARY("math.divide_no_nan", "DivideNoNan"),
    BINARY("math.pow", "Power"),
    BINARY("math.floordiv", "FloorDivide"),
    BINARY("math.floormod", "Mod"),
    BINARY("math.maximum", "Maximum"),
    BINARY("math.minimum", "Minimum"),
    BINARY("math.equal", "Equal"),
    BINARY("__operators__.eq", "Equal"),
    BINARY("math.not_equal", "NotEqual"),
    BINARY("__operators__.ne", "NotEqual"),
    BINARY("math.greater", "Greater"),
    BINARY("math.greater_equal", "GreaterEqual"),
    BINARY("math.less", "Less"),
    BINARY("math.less_equal", "LessEqual"),
    BINARY("math.logical_and", "LogicalAnd"),
    BINARY("math.logical_or", "LogicalOr"),
    BINARY("math.atan2", "Arctan2"),
    UNARY("math.logical_not", "numpy", "LogicalNot"),
    UNARY("math.negative", "numpy", "Negative"),
    UNARY("math.abs", "numpy", "Absolute"),
    UNARY("math.sign", "numpy", "Sign"),
    UNARY("math.square", "numpy", "Square"),
    UNARY("math.sqrt", "numpy", "Sqrt"),
    UNARY("math.rsqrt", "math", "Rsqrt"),
    UNARY("math.reciprocal", "numpy", "Reciprocal"),
    UNARY("math.exp", "numpy", "Exp"),
    UNARY("math.expm1", "numpy", "Expm1"),
    UNARY("math.log", "numpy", "Log"),
    UNARY("math.log1p", "numpy", "Log1p"),
    UNARY("math.sin", "numpy", "Sin"),
    UNARY("math.cos", "numpy", "Cos"),
    UNARY("math.tanh", "numpy", "Tanh"),
    UNARY("math.erf", "math", "Erf"),
    UNARY("math.floor", "numpy", "Floor"),
    UNARY("math.ceil", "numpy", "Ceil"),
    UNARY("math.round", "numpy", "Round"),
    UNARY("math.sigmoid", "nn", "Sigmoid"),
    UNARY("math.softplus", "nn", "Softplus"),
    UNARY("nn.sigmoid", "nn", "Sigmoid"),
    UNARY("nn.tanh", "numpy", "Tanh"),
    UNARY("nn.softplus", "nn", "Softplus"),
    UNARY("nn.relu", "nn", "Relu"),
    UNARY("nn.relu6", "nn", "Relu6"),
    UNARY("nn.selu", "nn", "Selu"),
    UNARY("nn.softsign", "nn", "Softsign"),
    UNARY("identity", "numpy", "Copy"),
    UNARY("stop_gradient", "core", "StopGradient"),
    {"nn.elu", "nn", "Elu", {NULL}, "{\"alpha\": 1.0}"},
    {"nn.leaky_relu", "nn", "LeakyRelu", {NULL}, "{\"negative_slope\": 0.2}"},
    {"nn.gelu", "nn", "Gelu", {NULL}, "{\"approximate\": false}"},
    {"nn.softmax", "nn", "Softmax", {NULL}, "{\"axis\": -1}"},
    {"nn.log_softmax", "nn", "LogSoftmax", {NULL}, "{\"axis\": -1}"},
    FOLD("math.reduce_sum", "Sum"),
    FOLD("math.reduce_mean", "Mean"),
    FOLD("math.reduce_max", "Max"),
    FOLD("math.reduce_min", "Min"),
    FOLD("math.reduce_prod", "Prod"),
    FOLD("math.reduce_any", "Any"),
    FOLD("math.reduce_all", "All"),
    FOLD("math.reduce_std", "Std"),
    FOLD("math.reduce_variance", "Var"),
    {"math.reduce_logsumexp", "math", "Logsumexp", {NULL}, "{\"axis\": null, \"keepdims\": false}"},
    {"linalg.matmul", "numpy", "Matmul", {"b"}, "{}"},
    {"where", "numpy", "Where", {"x", "y"}, "{}"},
    {"concat", "numpy", "Concatenate", {NULL}, "{\"axis\": 0}"},
    {"stack", "numpy", "Stack", {NULL}, "{\"axis\": 0}"},
    {"reshape", "numpy", "Reshape", {NULL}, "{\"newshape\": null}"},
    {"transpose", "numpy", "Transpose", {NULL}, "{\"axes\": null}"},
    {"compat.v1.transpose", "numpy", "Transpose", {NULL}, "{\"axes\": null}"},
    {"expand_dims", "numpy", "ExpandDims", {NULL}, "{\"axis\": null}"},
    {"squeeze", "numpy", "Squeeze", {NULL}, "{\"axis\": null}"},
    {"compat.v1.squeeze", "numpy", "Squeeze", {NULL}, "{\"axis\": null}"},
    {"tile", "numpy", "Tile", {NULL}, "{\"repeats\": null}"},
    {"cast", "core", "Cast", {NULL}, "{\"dtype\": null}"},
    {"clip_by_value", "numpy", "Clip", {NULL}, "{\"x_min\": null, \"x_max\": null}"},
    {"zeros_like", "numpy", "ZerosLike", {NULL}, "{\"dtype\": null}"},
    {"ones_like", "numpy", "OnesLike", {NULL}, "{\"dtype\": null}"},
    {"__operators__.getitem", "numpy", "GetItem", {"slice_spec"}, "{}"},
};

/* Arguments that have another name in Keras 3. */
static const char *renamed(const char *class_name, const char *key) {
    static const char *const names[][3] = {
        {"Reshape", "shape", "newshape"},
        {"Transpose", "perm", "axes"},
        {"Clip", "clip_value_min", "x_min"},
        {"Clip", "clip_value_max", "x_max"},
        {"Tile", "multiples", "repeats"},
        {"LeakyRelu", "alpha", "negative_slope"}};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (!strcmp(names[i][0], class_name) && !strcmp(names[i][1], key)) return names[i][2];
    return key;
}

bool kt_legacy_is_op(const kt_json *entry) {
    const char *c = kt_json_get_text(entry, "class_name");
    c = c ? kt_legacy_plain_class(c) : "";
    return !strcmp(c, "TFOpLambda") || !strcmp(c, "SlicingOpLambda");
}

/* {"start": 1, "stop": null, "step": null}, or an index: as Keras 3 writes it. */
static kt_status add_index(kt_json *list, const kt_json *v) {
    kt_json *slice = NULL;
    if (!kt_json_is(v, KT_JSON_DICT) || kt_json_get(v, "class_name")) /* {"__ellipsis__"} */
        return kt_json_add(list, kt_json_ref((kt_json *)(uintptr_t)v));
    kt_json *config = NULL;
    kt_status st = kt_legacy_copy(&config, v);
    if (!st) st = kt_legacy_wrap(&slice, "builtins", "__slice__", config);
    return st ? st : kt_json_add(list, slice);
}

static kt_status index_of(kt_json **out, const kt_json *v) {
    const bool list = kt_json_is(v, KT_JSON_LIST);
    kt_json *to = *out = kt_json_new_list();
    kt_status st = to ? KT_OK : KT_FAIL(KT_ENOMEM, "out of memory");
    for (int i = 0; i < (list ? kt_json_len(v) : 1) && !st; i++)
        st = add_index(to, list ? kt_json_at(v, i) : v);
    if (!st) return KT_OK;
    kt_json_free(to);
    *out = NULL;
    return st;
}

/* The first operand: a tensor, or ["_CONSTANT_VALUE", -1, 1.0, …]. */
static kt_status add_operand(kt_json *args, const kt_json *v) {
    const char *name = kt_json_text(kt_json_at(v, 0));
    kt_json *t = NULL;
    if (name && !strcmp(name, "_CONSTANT_VALUE") && kt_json_len(v) < 3)
        return KT_FAIL(KT_EFORMAT, "inbound_nodes: a constant without a value");
    if (name && !strcmp(name, "_CONSTANT_VALUE"))
        return kt_json_add(args, kt_json_ref(kt_json_at(v, 2)));
    const kt_status st = kt_legacy_value(&t, v);
    return st ? st : kt_json_add(args, t);
}

/* What may be left out: nothing, a name for the graph, a switch that is off. */
static bool is_idle(const char *key, const kt_json *v) {
    return kt_json_kind(v) == KT_JSON_NULL || !strcmp(key, "name") ||
           (kt_json_is(v, KT_JSON_BOOL) && !kt_json_bool(v));
}

static kt_status take_arguments(
    const struct function *f, kt_json *args, kt_json *config, const kt_json *given) {
    kt_status st = KT_OK;
    for (int i = 0; i < 2 && f->operands[i] && !st; i++) {
        const kt_json *v = kt_json_get(given, f->operands[i]);
        kt_json *x = NULL;
        if (!v) return KT_FAIL(KT_EFORMAT, "%s: there is no \"%s\"", f->function, f->operands[i]);
        st = !strcmp(f->operands[i], "slice_spec") ? index_of(&x, v) : kt_legacy_value(&x, v);
        if (!st) st = kt_json_add(args, x);
    }
    for (void *it = kt_json_iter(given); it && !st; it = kt_json_next(given, it)) {
        const char *key = kt_json_iter_key(it), *name = renamed(f->name, key);
        const kt_json *v = kt_json_iter_value(it);
        bool operand = false;
        for (int i = 0; i < 2 && f->operands[i]; i++)
            operand = operand || !strcmp(f->operands[i], key);
        if (operand) continue;
        if (kt_json_get(config, name) && strcmp(name, "name") != 0)
            st = kt_legacy_put(config, name, v);
        else if (!is_idle(key, v))
            st = KT_FAIL(
                KT_EUNSUPPORTED, "%s: argument \"%.40s\" is not supported", f->function, key);
    }
    return st;
}

/* Operands of a list come one after the other, each with the arguments; so they do here. */
static kt_status op_node(
    const struct function *f, kt_json *node, kt_json *config, const kt_json *call) {
    const bool many = kt_json_is(kt_json_at(call, 0), KT_JSON_LIST);
    kt_json *args = kt_json_new_list(), *to = args;
    const kt_json *first = many ? kt_json_at(call, 0) : call;
    kt_status st = args ? KT_OK : KT_FAIL(KT_ENOMEM, "out of memory");
    if (!st && many) st = kt_json_add(args, to = kt_json_new_list());
    for (int i = 0; i < (many ? kt_json_len(call) : 1) && !st; i++)
        st = add_operand(to, many ? kt_json_at(call, i) : call);
    if (!st) st = take_arguments(f, args, config, kt_json_at(first, 3));
    if (!st)
        st = kt_json_put(node, "args", args);
    else
        kt_json_free(args);
    return st ? st : kt_json_put(node, "kwargs", kt_json_new_dict());
}

kt_status kt_legacy_op(kt_json **out, const kt_json *entry) {
    const kt_json *old = kt_json_get(entry, "config"), *calls = kt_json_get(entry, "inbound_nodes");
    const char *function = kt_json_get_text(old, "function"), *name = kt_json_get_text(old, "name");
    const struct function *f = NULL;
    char module[64], quoted[KT_QUOTE_SIZE];
    if (!function || !name) return KT_FAIL(KT_EFORMAT, "TFOpLambda without a function or a name");
    for (size_t i = 0; i < sizeof functions / sizeof *functions; i++)
        if (!strcmp(functions[i].function, function)) f = &functions[i];
    if (!f)
        return KT_FAIL(
            KT_EUNSUPPORTED,
            "the function tf.%s does not exist here",
            kt_quote(function, strlen(function), quoted, sizeof quoted));
    if (kt_json_len(calls) != 1)
        return KT_FAIL(KT_EUNSUPPORTED, "tf.%s: expected one call", function);
    kt_json *config = NULL, *node = kt_json_new_dict(), *nodes = kt_json_new_list(), *op = NULL;
    kt_status st = node && nodes ? KT_OK : KT_FAIL(KT_ENOMEM, "out of memory");
    if (!st) st = kt_json_parse(&config, f->config, strlen(f->config), NULL);
    if (!st) st = op_node(f, node, config, kt_json_at(calls, 0));
    if (!st) st = kt_json_put(config, "name", kt_json_new_str(name));
    snprintf(module, sizeof module, "keras.src.ops.%s", f->module);
    if (!st) st = kt_legacy_wrap(&op, module, f->name, kt_json_ref(config));
    if (!st) st = kt_json_add(nodes, kt_json_ref(node));
    if (!st) st = kt_json_put(op, "inbound_nodes", kt_json_ref(nodes));
    kt_json_free(config);
    kt_json_free(node);
    kt_json_free(nodes);
    if (!st) {
        *out = op;
        return KT_OK;
    }
    kt_json_free(op);
    *out = NULL;
    return st;
}
