/* A small stack machine for pickles. See pickle_machine.h. */
#include "io/pickle_machine.h"

#include "base/error.h"
#include "io/source.h"

enum { MAX_STACK = 1 << 16, MAX_MADE = 1 << 21, MAX_ARRAYS = 1 << 16, MAX_INTS = 1 << 28 };

typedef kt_pkl pickle;
typedef kt_pkl_value value;
typedef kt_pkl_kind kind;
typedef kt_pkl_list list;
typedef kt_pkl_dict dict;
typedef kt_pkl_array array;
typedef kt_pkl_object object;

static kt_status cut_short(void) { return KT_FAIL(KT_EFORMAT, "pickle: the data end too early"); }
static kt_status malformed(const pickle *p, const char *what) {
    return KT_FAIL(KT_EFORMAT, "pickle: %s before byte %zu", what, p->at);
}
static kt_status refused(const pickle *p, const char *what) {
    KT_FAIL(KT_EREFUSED, "pickle: %s before byte %zu", what, p->at);
    return kt_error_hint(
        "only lists of integers and arrays of numbers are read; pickles can run code");
}
kt_status kt_pkl_over_limit(void) {
    return KT_FAIL(KT_ELIMIT, "pickle: more parts than such a file has");
}

static kt_status unknown(const pickle *p, int code) {
    refused(p, "an instruction that no such file needs");
    return kt_error_got("opcode 0x%02x", code);
}

/* Stack, memo and what is made --------------------------------------------------------------------
 */

static kt_status push(pickle *p, value v) {
    return p->stack.n < MAX_STACK ? kt_vec_push(&p->stack, v) : kt_pkl_over_limit();
}

/* The top of the stack, which must not be a mark. */
static kt_status pop(pickle *p, value *out) {
    if (p->stack.n == 0 || p->stack.v[p->stack.n - 1].kind == V_MARK)
        return malformed(p, "a value is missing");
    *out = p->stack.v[--p->stack.n];
    return KT_OK;
}

/* Index of the value above the last mark; -1 if there is none. */
static int above_mark(const pickle *p) {
    int i = p->stack.n;
    while (i > 0 && p->stack.v[i - 1].kind != V_MARK) i--;
    return i > 0 ? i : -1;
}

static kt_status put(pickle *p, uint64_t i) {
    if (p->stack.n == 0 || p->stack.v[p->stack.n - 1].kind == V_MARK)
        return malformed(p, "nothing to remember");
    const value v = p->stack.v[p->stack.n - 1];
    if (i == (uint64_t)p->memo.n + 1) { /* numbers begin with 0 or with 1 */
        const kt_status st = kt_vec_push(&p->memo, ((value){.kind = V_MARK}));
        if (st) return st;
    }
    if (i > (uint64_t)p->memo.n) return refused(p, "a memo that is not in order");
    if (i == MAX_MADE) return kt_pkl_over_limit();
    if (i == (uint64_t)p->memo.n) return kt_vec_push(&p->memo, v);
    p->memo.v[i] = v;
    return KT_OK;
}

static kt_status get(pickle *p, uint64_t i) {
    if (i >= (uint64_t)p->memo.n || p->memo.v[i].kind == V_MARK)
        return malformed(p, "the memo is asked for what it has not");
    return push(p, p->memo.v[i]);
}

static kt_status push_list(pickle *p) {
    if (p->lists.n == MAX_MADE) return kt_pkl_over_limit();
    const kt_status st = kt_vec_push(&p->lists, ((list){0}));
    return st ? st : push(p, (value){.kind = V_LIST, .v = p->lists.n - 1});
}

static kt_status push_dict(pickle *p) {
    if (p->dicts.n == MAX_MADE) return kt_pkl_over_limit();
    const kt_status st = kt_vec_push(&p->dicts, ((dict){-1, -1, 0}));
    return st ? st : push(p, (value){.kind = V_DICT, .v = p->dicts.n - 1});
}

/* The last n values of the stack become a tuple. */
static kt_status push_tuple(pickle *p, int n) {
    if (n > p->stack.n) return malformed(p, "a tuple lacks items");
    if (p->items.n > MAX_MADE - n) return kt_pkl_over_limit();
    const value tuple = {.kind = V_TUPLE, .v = p->items.n, .n = (uint32_t)n};
    for (int i = p->stack.n - n; i < p->stack.n; i++) {
        if (p->stack.v[i].kind == V_MARK) return malformed(p, "a tuple lacks items");
        const kt_status st = kt_vec_push(&p->items, p->stack.v[i]);
        if (st) return st;
    }
    p->stack.n -= n;
    return push(p, tuple);
}

static kt_status append_one(pickle *p, list *l, value v) {
    const bool is_int = v.kind == V_INT;
    const int end = is_int ? p->ints.n : p->items.n;
    if (l->n == 0) {
        l->ints = is_int;
        l->start = end;
    }
    if (l->ints != is_int || l->start + l->n != end)
        return refused(p, "a list of a kind that no such file has");
    if (is_int ? v.v != (int32_t)v.v || end == MAX_INTS : end == MAX_MADE)
        return kt_pkl_over_limit();
    const kt_status st = is_int ? kt_vec_push(&p->ints, (int32_t)v.v) : kt_vec_push(&p->items, v);
    if (st == KT_OK) l->n++;
    return st;
}

static kt_status append_pair(pickle *p, dict *d, value key, value v) {
    if (key.kind != V_TEXT) return refused(p, "a dict with keys that are no texts");
    if (p->pairs.n == MAX_MADE) return kt_pkl_over_limit();
    const kt_status st = kt_vec_push(&p->pairs, ((kt_pkl_pair){key, v, -1}));
    if (st) return st;
    const int i = p->pairs.n - 1;
    if (d->n++)
        p->pairs.v[d->last].next = i;
    else
        d->first = i;
    d->last = i;
    return KT_OK;
}

/* Everything from `first` on goes to the list or dict below it; `below` is 1 if a mark lies
 * between. */
static kt_status append(pickle *p, int first, int below, kind which) {
    const int at = first - 1 - below, n = p->stack.n - first, step = which == V_DICT ? 2 : 1;
    if (first < 0 || at < 0 || n < 0 || p->stack.v[at].kind != which)
        return malformed(p, "items without a list or dict");
    if (n % step) return malformed(p, "a key without a value");
    const int64_t to = p->stack.v[at].v;
    for (int i = first; i < p->stack.n; i++)
        if (p->stack.v[i].kind == V_MARK) return malformed(p, "a mark is left over");
    kt_status st = KT_OK;
    for (int i = first; i < p->stack.n && st == KT_OK; i += step)
        st = which == V_DICT ? append_pair(p, &p->dicts.v[to], p->stack.v[i], p->stack.v[i + 1])
                             : append_one(p, &p->lists.v[to], p->stack.v[i]);
    if (st == KT_OK) p->stack.n = at + 1;
    return st;
}

/* What can be called ------------------------------------------------------------------------------
 */

static const struct {
    const char *module, *name; /* name NULL: every one */
    kt_pkl_global which;
} globals[] = {
    {"numpy.core.multiarray", "_reconstruct", G_RECONSTRUCT},
    {"numpy._core.multiarray", "_reconstruct", G_RECONSTRUCT},
    {"numpy", "ndarray", G_NDARRAY},
    {"numpy", "dtype", G_DTYPE},
    /* from here on: for variables of Keras only */
    {"numpy.core.multiarray", "scalar", G_SCALAR},
    {"numpy._core.multiarray", "scalar", G_SCALAR},
    {"ml_dtypes", "bfloat16", G_BFLOAT16},
    {"keras.src.backend", "Variable", G_VARIABLE},
    {"functools", "partial", G_PARTIAL},
    {"tensorflow.python.ops.resource_variable_ops", "ResourceVariable", G_TF_VARIABLE},
    {"tensorflow.python.framework.dtypes", "as_dtype", G_TF_DTYPE},
    {"jax._src.array", "_reconstruct_array", G_JAX_ARRAY},
    {"keras.src.regularizers.regularizers", NULL, G_INERT},
    {"keras.src.constraints.constraints", NULL, G_INERT},
};
enum { N_FOR_DATA = 4, N_GLOBALS = sizeof globals / sizeof *globals };

bool kt_pkl_is_text(const pickle *p, value v, const char *text) {
    return v.kind == V_TEXT && v.n == strlen(text) && !memcmp(p->data + v.v, text, v.n);
}

kt_pkl_value kt_pkl_get(const kt_pkl *p, kt_pkl_value of, const char *key) {
    int left = of.kind == V_DICT ? 1000 : 0;
    for (int i = left ? p->dicts.v[of.v].first : -1; i >= 0 && left--; i = p->pairs.v[i].next)
        if (kt_pkl_is_text(p, p->pairs.v[i].key, key)) return p->pairs.v[i].value;
    return (value){.kind = V_MARK};
}

static kt_status push_global(pickle *p, value module, value name) {
    char a[KT_QUOTE_SIZE], b[KT_QUOTE_SIZE];
    if (module.kind != V_TEXT || name.kind != V_TEXT) return malformed(p, "a name is no text");
    for (int i = 0; i < (p->variables ? N_GLOBALS : N_FOR_DATA); i++)
        if (kt_pkl_is_text(p, module, globals[i].module) &&
            (!globals[i].name || kt_pkl_is_text(p, name, globals[i].name)))
            return push(p, (value){.kind = V_GLOBAL, .v = globals[i].which});
    refused(p, "it calls what no such file needs");
    return kt_error_got(
        "%s.%s",
        kt_quote((const char *)p->data + module.v, module.n, a, sizeof a),
        kt_quote((const char *)p->data + name.v, name.n, b, sizeof b));
}

/* What a tuple holds; NULL for an empty one. */
static const value *items_of(const pickle *p, value tuple) {
    return tuple.n ? p->items.v + tuple.v : NULL;
}

static bool is_global(value v, kt_pkl_global which) {
    return v.kind == V_GLOBAL && v.v == (int64_t)which;
}

static kt_status push_array(pickle *p, array a) {
    if (p->arrays.n == MAX_ARRAYS) return kt_pkl_over_limit();
    const kt_status st = kt_vec_push(&p->arrays, a);
    return st ? st : push(p, (value){.kind = V_ARRAY, .v = p->arrays.n - 1});
}

static kt_status push_object(pickle *p, kt_pkl_global made_by, value state) {
    if (p->objects.n == MAX_MADE) return kt_pkl_over_limit();
    const kt_status st = kt_vec_push(&p->objects, ((object){made_by, state}));
    return st ? st : push(p, (value){.kind = V_OBJECT, .v = p->objects.n - 1});
}

/* dtype('f4', False, True): kind and size; BUILD adds the order of the bytes. */
static kt_status push_dtype(pickle *p, value name) {
    kt_elem e = {0};
    const char *text = name.kind == V_TEXT ? (const char *)p->data + name.v : "";
    if (is_global(name, G_BFLOAT16)) {
        e = (kt_elem){.kind = 'B', .size = 2};
    } else if (name.kind == V_TEXT && name.n >= 1 && name.n <= 2) {
        e = (kt_elem){.kind = text[0], .size = name.n == 2 ? text[1] - '0' : 0};
        if (e.kind == 'O' && (e.size == 0 || e.size == 4 || e.size == 8)) e.size = 1;
    }
    e.big = kt_machine_is_big();
    const bool known = p->variables || e.kind == 'O' || (e.kind == 'u' && e.size == 1);
    if (!known || e.size < 1 ||
        (e.kind != 'O' && e.kind != 'B' && kt_elem_dtype(&e) == KT_NO_DTYPE))
        return refused(p, "an array of a kind that no such file has");
    if (p->dtypes.n == MAX_MADE) return kt_pkl_over_limit();
    const kt_status st = kt_vec_push(&p->dtypes, e);
    return st ? st : push(p, (value){.kind = V_DTYPE, .v = p->dtypes.n - 1});
}

/* (3, '<', None, None, None, -1, -1, 0): of this only the order of the bytes says something that
 * the name does not. */
static kt_status build_dtype(const pickle *p, kt_elem *e, value state) {
    if (state.n < 2) return refused(p, "a dtype of a kind that no such file has");
    const value order = items_of(p, state)[1];
    if (kt_pkl_is_text(p, order, "<"))
        e->big = false;
    else if (kt_pkl_is_text(p, order, ">"))
        e->big = true;
    else if (!kt_pkl_is_text(p, order, "|") && !kt_pkl_is_text(p, order, "="))
        return refused(p, "a dtype of a kind that no such file has");
    return KT_OK;
}

/* (version, shape, dtype, is it in Fortran's order, items) */
static kt_status build_array(const pickle *p, array *a, value state) {
    const value *s = items_of(p, state);
    if (state.n != 5 || s[1].kind != V_TUPLE || s[2].kind != V_DTYPE || s[3].kind != V_BOOL)
        return refused(p, "an array of a kind that no such file has");
    if (a->content.kind != V_NONE) return refused(p, "an array that is filled twice");
    if (s[1].n > KT_MAX_RANK ||
        (!p->variables && (s[1].n < 1 || s[1].n > 2 || (s[3].v && s[1].n > 1))))
        return refused(p, "an array of a shape that no such file has");
    *a = (array){.elem = p->dtypes.v[s[2].v], .fortran = s[3].v, .content = s[4]};
    a->shape.ndim = (int)s[1].n;
    for (int i = 0; i < a->shape.ndim; i++) {
        const value d = p->items.v[s[1].v + i];
        if (d.kind != V_INT || d.v < 0) return malformed(p, "a shape that is none");
        a->shape.dim[i] = d.v;
    }
    return a->content.kind == (a->elem.kind == 'O' ? V_LIST : V_TEXT)
               ? KT_OK
               : refused(p, "an array of a kind that no such file has");
}

/* scalar(dtype, bytes) */
static kt_status push_scalar(pickle *p, const value *a) {
    if (a[0].kind != V_DTYPE || a[1].kind != V_TEXT || p->dtypes.v[a[0].v].kind == 'O')
        return refused(p, "a number of a kind that no such file has");
    return push_array(p, (array){.elem = p->dtypes.v[a[0].v], .content = a[1]});
}

/* _reconstruct_array(_reconstruct, (ndarray, (0,), b'b'), state of the array, …) */
static kt_status push_jax(pickle *p, const value *a) {
    array made = {.content.kind = V_NONE};
    if (!is_global(a[0], G_RECONSTRUCT) || a[1].kind != V_TUPLE || a[2].kind != V_TUPLE)
        return refused(p, "an array of a kind that no such file has");
    const kt_status st = build_array(p, &made, a[2]);
    return st ? st : push_array(p, made);
}

/* A call of something that a pickle made: of a variable's partial. */
static kt_status call_object(pickle *p, value fn, value args) {
    const object *o = &p->objects.v[fn.v];
    if (o->made_by != G_PARTIAL || o->state.kind != V_DICT || args.n)
        return refused(p, "a call that makes no array");
    return push_object(p, G_TF_VARIABLE, o->state);
}

/* _reconstruct(ndarray, (0,), b'b') makes an empty array, which BUILD fills in. */
static kt_status reduce(pickle *p) {
    value args, fn;
    kt_status st = pop(p, &args);
    if (st == KT_OK) st = pop(p, &fn);
    if (st) return st;
    if (args.kind == V_TUPLE && fn.kind == V_OBJECT) return call_object(p, fn, args);
    if (fn.kind != V_GLOBAL || args.kind != V_TUPLE)
        return refused(p, "a call that makes no array");
    const value *a = items_of(p, args);
    const uint32_t n = args.n;
    if (fn.v == G_RECONSTRUCT && n == 3 && is_global(a[0], G_NDARRAY))
        return push_array(p, (array){.content.kind = V_NONE});
    if (fn.v == G_DTYPE && n == 3) return push_dtype(p, a[0]);
    if (fn.v == G_SCALAR && n == 2) return push_scalar(p, a);
    if (fn.v == G_JAX_ARRAY && n == 4) return push_jax(p, a);
    if (fn.v == G_TF_DTYPE && n == 1) return push(p, (value){.kind = V_OTHER});
    if (fn.v == G_PARTIAL && n == 1 && is_global(a[0], G_TF_VARIABLE))
        return push_object(p, G_PARTIAL, (value){.kind = V_NONE});
    return refused(p, "a call that makes no array");
}

/* NEWOBJ: an object whose state BUILD brings. */
static kt_status new_object(pickle *p) {
    value args, fn;
    if (!p->variables) return unknown(p, 0x81);
    kt_status st = pop(p, &args);
    if (st == KT_OK) st = pop(p, &fn);
    if (st) return st;
    if (args.kind != V_TUPLE || args.n || (!is_global(fn, G_VARIABLE) && !is_global(fn, G_INERT)))
        return refused(p, "an object that no such file has");
    return push_object(p, (kt_pkl_global)fn.v, (value){.kind = V_NONE});
}

/* A dict; of a partial (function, arguments, dict of named ones, attributes). */
static kt_status build_object(const pickle *p, object *o, value state) {
    if (o->made_by == G_PARTIAL && state.kind == V_TUPLE && state.n == 4) {
        const value *s = items_of(p, state);
        if (is_global(s[0], G_TF_VARIABLE) && s[1].kind == V_TUPLE && !s[1].n) state = s[2];
    }
    if (state.kind != V_DICT || o->state.kind != V_NONE || o->made_by == G_TF_VARIABLE)
        return refused(p, "a state of a kind that no such file has");
    o->state = state;
    return KT_OK;
}

static kt_status build(pickle *p) {
    value state;
    const kt_status st = pop(p, &state);
    if (st) return st;
    if (p->stack.n == 0) return refused(p, "a state without an array");
    const value target = p->stack.v[p->stack.n - 1];
    if (target.kind == V_OBJECT) return build_object(p, &p->objects.v[target.v], state);
    if (state.kind != V_TUPLE) return refused(p, "a state without an array");
    if (target.kind == V_DTYPE) return build_dtype(p, &p->dtypes.v[target.v], state);
    return target.kind == V_ARRAY ? build_array(p, &p->arrays.v[target.v], state)
                                  : refused(p, "a state without an array");
}

/* Opcodes ----------------------------------------------------------------------------------------
 */

/* An unsigned number of `bytes` bytes, little-endian. */
static kt_status take(pickle *p, int bytes, uint64_t *out) {
    *out = 0;
    if (p->size - p->at < (size_t)bytes) return cut_short();
    for (int i = 0; i < bytes; i++) *out |= (uint64_t)p->data[p->at++] << 8 * i;
    return KT_OK;
}

static kt_status push_text(pickle *p, int length_bytes) {
    uint64_t n;
    const kt_status st = take(p, length_bytes, &n);
    if (st) return st;
    if (n > p->size - p->at) return cut_short();
    p->at += (size_t)n;
    return push(p, (value){.kind = V_TEXT, .v = (int64_t)(p->at - n), .n = (uint32_t)n});
}

/* A line of text, as protocol 2 writes names. */
static kt_status take_line(pickle *p, value *out) {
    const unsigned char *start = p->data + p->at;
    const unsigned char *end = memchr(start, '\n', p->size - p->at);
    if (!end || end - start > 1000) return malformed(p, "a name that does not end");
    *out = (value){.kind = V_TEXT, .v = (int64_t)p->at, .n = (uint32_t)(end - start)};
    p->at += out->n + 1;
    return KT_OK;
}

static kt_status push_number(pickle *p, int bytes) {
    uint64_t n;
    const kt_status st = take(p, bytes, &n);
    if (st) return st;
    const int unused = 64 - 8 * bytes; /* J and long integers have a sign */
    const int64_t v = bytes == 0 ? 0 : bytes < 3 ? (int64_t)n : (int64_t)(n << unused) >> unused;
    return push(p, (value){.kind = V_INT, .v = v});
}

static kt_status push_long(pickle *p) {
    uint64_t n;
    const kt_status st = take(p, 1, &n);
    if (st) return st;
    if (n > 8) return kt_pkl_over_limit();
    if (n != 1 && n != 2) return push_number(p, (int)n);
    uint64_t bits; /* short ones have a sign too, unlike K and M */
    const kt_status taken = take(p, (int)n, &bits);
    const int unused = 64 - 8 * (int)n;
    return taken ? taken
                 : push(p, (value){.kind = V_INT, .v = (int64_t)(bits << unused) >> unused});
}

static kt_status at_number(pickle *p, int bytes, kt_status (*then)(pickle *p, uint64_t i)) {
    uint64_t i;
    const kt_status st = take(p, bytes, &i);
    return st ? st : then(p, i);
}

static kt_status name_of_two(pickle *p, bool lines) {
    value module, name;
    kt_status st = lines ? take_line(p, &module) : pop(p, &name);
    if (st == KT_OK) st = lines ? take_line(p, &name) : pop(p, &module);
    return st ? st : push_global(p, module, name);
}

static kt_status tuple_from_mark(pickle *p) {
    const int first = above_mark(p);
    if (first < 0) return malformed(p, "a tuple lacks its mark");
    const int n = p->stack.n - first;
    const kt_status st = push_tuple(p, n);
    if (st) return st;
    p->stack.v[p->stack.n - 2] = p->stack.v[p->stack.n - 1]; /* over the mark */
    p->stack.n--;
    return KT_OK;
}

static kt_status structure_step(pickle *p, int code) {
    switch (code) {
    case '(':
        return push(p, (value){.kind = V_MARK});
    case ')':
        return push_tuple(p, 0);
    case 't':
        return tuple_from_mark(p);
    case 0x85:
        return push_tuple(p, 1);
    case 0x86:
        return push_tuple(p, 2);
    case 0x87:
        return push_tuple(p, 3);
    case ']':
        return push_list(p);
    case 'a':
        return append(p, p->stack.n - 1, 0, V_LIST);
    case 'e':
        return append(p, above_mark(p), 1, V_LIST);
    case '}':
        return push_dict(p);
    case 's':
        return append(p, p->stack.n - 2, 0, V_DICT);
    case 'u':
        return append(p, above_mark(p), 1, V_DICT);
    case 'c':
        return name_of_two(p, true);
    case 0x93:
        return name_of_two(p, false);
    case 'R':
        return reduce(p);
    case 0x81:
        return new_object(p);
    case 'b':
        return build(p);
    case 'q':
        return at_number(p, 1, put);
    case 'r':
        return at_number(p, 4, put);
    case 0x94:
        return put(p, (uint64_t)p->memo.n);
    case 'h':
        return at_number(p, 1, get);
    case 'j':
        return at_number(p, 4, get);
    default:
        return unknown(p, code);
    }
}

static kt_status push_other(pickle *p, int bytes) {
    uint64_t skipped;
    const kt_status st = take(p, bytes, &skipped);
    return st ? st : push(p, (value){.kind = V_OTHER});
}

static kt_status step(pickle *p, int code) {
    uint64_t skipped;
    switch (code) {
    case 0x95:
        return take(p, 8, &skipped); /* the length of a frame: for readers of streams */
    case 'N':
        return push(p, (value){.kind = V_NONE});
    case 'G':
        return p->variables ? push_other(p, 8) : unknown(p, code);
    case 0x8f:
        return p->variables ? push_other(p, 0) : unknown(p, code);
    case 0x88:
        return push(p, (value){.kind = V_BOOL, .v = 1});
    case 0x89:
        return push(p, (value){.kind = V_BOOL});
    case 'K':
        return push_number(p, 1);
    case 'M':
        return push_number(p, 2);
    case 'J':
        return push_number(p, 4);
    case 0x8a:
        return push_long(p);
    case 'U':
    case 'C':
    case 0x8c:
        return push_text(p, 1);
    case 'T':
    case 'B':
    case 'X':
        return push_text(p, 4);
    default:
        return structure_step(p, code);
    }
}

kt_status kt_pkl_run(pickle *p, value *out) {
    uint64_t protocol = 0;
    if (p->size > UINT32_MAX)
        return KT_FAIL(KT_ELIMIT, "pickle: %zu bytes are more than are read", p->size);
    if (p->size < 2 || p->data[0] != 0x80)
        return KT_FAIL(KT_EFORMAT, "not a pickle of protocol 2 to 5");
    p->at = 1;
    kt_status st = take(p, 1, &protocol);
    if (st == KT_OK && (protocol < 2 || protocol > 5))
        st = KT_FAIL(KT_EUNSUPPORTED, "pickle: protocol %d is not read", (int)protocol);
    while (st == KT_OK) {
        if (p->at == p->size) return cut_short();
        const int code = p->data[p->at++];
        if (code == '.') break;
        st = step(p, code);
    }
    if (st) return st;
    if (p->stack.n != 1 || p->at != p->size) return malformed(p, "something is left over");
    return pop(p, out);
}

void kt_pkl_release(pickle *p) {
    kt_vec_free(&p->stack);
    kt_vec_free(&p->memo);
    kt_vec_free(&p->items);
    kt_vec_free(&p->ints);
    kt_vec_free(&p->lists);
    kt_vec_free(&p->dicts);
    kt_vec_free(&p->pairs);
    kt_vec_free(&p->dtypes);
    kt_vec_free(&p->arrays);
    kt_vec_free(&p->objects);
}
