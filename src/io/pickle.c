/* A small stack machine for pickles. See pickle.h.
 *
 * Lists do not own their items. The items of one list are appended in a row (a child is complete
 * before its parent gets it), so all integers lie in one array, all other items in another, and a
 * list is a range of one of them; a pickle whose appends go back and forth is not written by any
 * Python and refused. So a list costs what its items cost, and freeing is three calls.
 *
 * Budgets: a list may be referred to again and again (memo), so what a few bytes can ask for is
 * checked where it is made (MAX_…) and where lists are copied out (no more ids than bytes). */
#include "io/pickle.h"

#include "base/error.h"
#include "base/vec.h"
#include "io/source.h"
#include "tensor/sequences.h"
#include "tensor/tensor.h"

enum { MAX_STACK = 1 << 16, MAX_MADE = 1 << 21, MAX_INTS = 1 << 28 };

typedef enum {
    V_MARK,
    V_NONE,
    V_BOOL,   /* v */
    V_INT,    /* v */
    V_TEXT,   /* n bytes of the pickle from v */
    V_TUPLE,  /* n items from v */
    V_LIST,   /* lists[v] */
    V_DICT,   /* lists[v]: keys and values in turn */
    V_GLOBAL, /* v: a name in globals[] */
    V_DTYPE,  /* v: 'O' or 'u' */
    V_ARRAY,  /* arrays[v] */
} kind;

typedef struct {
    int64_t v;
    uint32_t n;
    kind kind;
} value;

typedef struct {
    bool ints; /* items are numbers of `ints`, else values of `items` */
    int start, n;
} list;

typedef struct {
    int ndim, dtype;
    int64_t dim[2];
    value content; /* V_LIST or V_TEXT; V_NONE before BUILD */
} array;

typedef struct {
    const unsigned char *data;
    size_t size, at;
    KT_VEC(value) stack;
    KT_VEC(value) memo;
    KT_VEC(value) items;
    KT_VEC(int32_t) ints;
    KT_VEC(list) lists;
    KT_VEC(array) arrays;
} pickle;

static kt_status cut_short(void) { return KT_FAIL(KT_EFORMAT, "pickle: the data end too early"); }
static kt_status malformed(const pickle *p, const char *what) {
    return KT_FAIL(KT_EFORMAT, "pickle: %s before byte %zu", what, p->at);
}
static kt_status refused(const pickle *p, const char *what) {
    KT_FAIL(KT_EREFUSED, "pickle: %s before byte %zu", what, p->at);
    return kt_error_hint(
        "only lists of integers and arrays of bytes are read; pickles can run code");
}
static kt_status over_limit(void) {
    return KT_FAIL(KT_ELIMIT, "pickle: more parts than a data set has");
}

/* Stack, memo and what is made --------------------------------------------------------------------
 */

static kt_status push(pickle *p, value v) {
    return p->stack.n < MAX_STACK ? kt_vec_push(&p->stack, v) : over_limit();
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
    if (i == MAX_MADE) return over_limit();
    if (i == (uint64_t)p->memo.n) return kt_vec_push(&p->memo, v);
    p->memo.v[i] = v;
    return KT_OK;
}

static kt_status get(pickle *p, uint64_t i) {
    if (i >= (uint64_t)p->memo.n || p->memo.v[i].kind == V_MARK)
        return malformed(p, "the memo is asked for what it has not");
    return push(p, p->memo.v[i]);
}

static kt_status push_list(pickle *p, kind which) {
    if (p->lists.n == MAX_MADE) return over_limit();
    const kt_status st = kt_vec_push(&p->lists, ((list){0}));
    return st ? st : push(p, (value){.kind = which, .v = p->lists.n - 1});
}

/* The last n values of the stack become a tuple. */
static kt_status push_tuple(pickle *p, int n) {
    if (n > p->stack.n) return malformed(p, "a tuple lacks items");
    if (p->items.n > MAX_MADE - n) return over_limit();
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
        return refused(p, "a list of a kind that no data set has");
    if (is_int ? v.v != (int32_t)v.v || end == MAX_INTS : end == MAX_MADE) return over_limit();
    const kt_status st = is_int ? kt_vec_push(&p->ints, (int32_t)v.v) : kt_vec_push(&p->items, v);
    if (st == KT_OK) l->n++;
    return st;
}

/* Everything from `first` on goes to the list or dict below it; `below` is 1 if a mark lies
 * between. */
static kt_status append(pickle *p, int first, int below, kind which) {
    const int at = first - 1 - below, n = p->stack.n - first;
    if (first < 0 || at < 0 || n < 0 || p->stack.v[at].kind != which)
        return malformed(p, "items without a list or dict");
    if (which == V_DICT && n % 2) return malformed(p, "a key without a value");
    list *l = &p->lists.v[p->stack.v[at].v];
    for (int i = first; i < p->stack.n; i++) {
        const value v = p->stack.v[i];
        if (v.kind == V_MARK) return malformed(p, "a mark is left over");
        if (which == V_DICT && v.kind == V_INT) return refused(p, "a dict of numbers");
        const kt_status st = append_one(p, l, v);
        if (st) return st;
    }
    p->stack.n = at + 1;
    return KT_OK;
}

/* NumPy arrays ------------------------------------------------------------------------------------
 */

enum { G_RECONSTRUCT, G_NDARRAY, G_DTYPE };
static const struct {
    const char *module, *name;
    int which;
} globals[] = {
    {"numpy.core.multiarray", "_reconstruct", G_RECONSTRUCT},
    {"numpy._core.multiarray", "_reconstruct", G_RECONSTRUCT},
    {"numpy", "ndarray", G_NDARRAY},
    {"numpy", "dtype", G_DTYPE},
};

static bool is_text(const pickle *p, value v, const char *text) {
    return v.kind == V_TEXT && v.n == strlen(text) && !memcmp(p->data + v.v, text, v.n);
}

static kt_status push_global(pickle *p, value module, value name) {
    char a[KT_QUOTE_SIZE], b[KT_QUOTE_SIZE];
    for (size_t i = 0; i < sizeof globals / sizeof *globals; i++)
        if (is_text(p, module, globals[i].module) && is_text(p, name, globals[i].name))
            return push(p, (value){.kind = V_GLOBAL, .v = globals[i].which});
    if (module.kind != V_TEXT || name.kind != V_TEXT) return malformed(p, "a name is no text");
    refused(p, "it calls what no data set needs");
    return kt_error_got(
        "%s.%s",
        kt_quote((const char *)p->data + module.v, module.n, a, sizeof a),
        kt_quote((const char *)p->data + name.v, name.n, b, sizeof b));
}

/* _reconstruct(ndarray, (0,), b'b') makes an empty array, dtype('O8', False, True) a dtype; BUILD
 * fills them in. */
static kt_status reduce(pickle *p) {
    value args, fn;
    kt_status st = pop(p, &args);
    if (st == KT_OK) st = pop(p, &fn);
    if (st) return st;
    if (fn.kind != V_GLOBAL || args.kind != V_TUPLE || args.n != 3)
        return refused(p, "a call that makes no array");
    const value *a = p->items.v + args.v;
    if (fn.v == G_RECONSTRUCT && a[0].kind == V_GLOBAL && a[0].v == G_NDARRAY) {
        if (p->arrays.n == 16) return over_limit();
        st = kt_vec_push(&p->arrays, ((array){.content.kind = V_NONE}));
        return st ? st : push(p, (value){.kind = V_ARRAY, .v = p->arrays.n - 1});
    }
    if (fn.v == G_DTYPE &&
        (is_text(p, a[0], "O8") || is_text(p, a[0], "O4") || is_text(p, a[0], "O")))
        return push(p, (value){.kind = V_DTYPE, .v = 'O'});
    if (fn.v == G_DTYPE && is_text(p, a[0], "u1"))
        return push(p, (value){.kind = V_DTYPE, .v = 'u'});
    return refused(p, "an array of a kind that no data set has");
}

/* (version, shape, dtype, is it in Fortran's order, items) */
static kt_status build_array(pickle *p, array *a, value state) {
    const value *s = p->items.v + state.v;
    if (state.n != 5 || s[1].kind != V_TUPLE || s[2].kind != V_DTYPE || s[3].kind != V_BOOL)
        return refused(p, "an array of a kind that no data set has");
    if (a->content.kind != V_NONE) return refused(p, "an array that is filled twice");
    if (s[1].n < 1 || s[1].n > 2 || (s[3].v && s[1].n > 1))
        return refused(p, "an array of a shape that no data set has");
    *a = (array){.ndim = (int)s[1].n, .dtype = (int)s[2].v, .content = s[4]};
    for (int i = 0; i < a->ndim; i++) {
        const value d = p->items.v[s[1].v + i];
        if (d.kind != V_INT || d.v < 0) return malformed(p, "a shape that is none");
        a->dim[i] = d.v;
    }
    const bool is_list = a->content.kind == V_LIST && a->dtype == 'O';
    return is_list || (a->content.kind == V_TEXT && a->dtype == 'u')
               ? KT_OK
               : refused(p, "an array of a kind that no data set has");
}

/* The state of a dtype says nothing that its name does not: byte orders of bytes and objects. */
static kt_status build(pickle *p) {
    value state;
    const kt_status st = pop(p, &state);
    if (st) return st;
    if (p->stack.n == 0 || state.kind != V_TUPLE) return refused(p, "a state without an array");
    const value target = p->stack.v[p->stack.n - 1];
    if (target.kind == V_DTYPE) return KT_OK;
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
    if (n > 8) return over_limit();
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

static kt_status unknown(const pickle *p, int code) {
    refused(p, "an instruction that no data set needs");
    return kt_error_got("opcode 0x%02x", code);
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
        return push_list(p, V_LIST);
    case 'a':
        return append(p, p->stack.n - 1, 0, V_LIST);
    case 'e':
        return append(p, above_mark(p), 1, V_LIST);
    case '}':
        return push_list(p, V_DICT);
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

static kt_status step(pickle *p, int code) {
    uint64_t skipped;
    switch (code) {
    case 0x95:
        return take(p, 8, &skipped); /* the length of a frame: for readers of streams */
    case 'N':
        return push(p, (value){.kind = V_NONE});
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

/* The whole pickle; *out is what is on the stack at its end. */
static kt_status run(pickle *p, value *out) {
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

static void release(pickle *p) {
    kt_vec_free(&p->stack);
    kt_vec_free(&p->memo);
    kt_vec_free(&p->items);
    kt_vec_free(&p->ints);
    kt_vec_free(&p->lists);
    kt_vec_free(&p->arrays);
}

/* What was read -----------------------------------------------------------------------------------
 */

static kt_status not_lists(const char *got) {
    KT_FAIL(KT_EFORMAT, "pickle: no list of sequences");
    kt_error_expected("an array of lists of integers");
    return kt_error_got("%s", got);
}

/* The list of lists; its items are p->items.v + start. */
static kt_status find_lists(const pickle *p, value v, list *out) {
    if (v.kind != V_ARRAY) return not_lists("something else");
    const array *a = &p->arrays.v[v.v];
    if (a->dtype != 'O' || a->ndim != 1 || a->content.kind != V_LIST)
        return not_lists("another kind of array");
    *out = p->lists.v[a->content.v];
    if (out->n != a->dim[0] || (out->n && out->ints)) return not_lists("another number of lists");
    int64_t total = 0;
    for (int i = 0; i < out->n; i++) {
        const value item = p->items.v[out->start + i];
        if (item.kind != V_LIST) return not_lists("an item that is no list");
        const list *l = &p->lists.v[item.v];
        if (l->n && !l->ints) return not_lists("a list of something else");
        total += l->n;
    }
    if (total > (int64_t)p->size) return over_limit(); /* the same lists many times */
    return KT_OK;
}

static kt_sequences *sequences_of(const pickle *p, const list *lists) {
    int64_t total = 0;
    for (int i = 0; i < lists->n; i++) total += p->lists.v[p->items.v[lists->start + i].v].n;
    kt_sequences *s = kt_sequences_make(lists->n, total);
    if (kt_failed(s)) return s;
    for (int i = 0; i < lists->n; i++) {
        const list *l = &p->lists.v[p->items.v[lists->start + i].v];
        if (l->n)
            memcpy(s->ids + s->offset[i], p->ints.v + l->start, (size_t)l->n * sizeof *s->ids);
        s->offset[i + 1] = s->offset[i] + l->n;
    }
    return s;
}

kt_sequences *kt_pickle_sequences(const void *data, size_t size) {
    pickle p = {.data = data, .size = size};
    value v;
    list lists = {0};
    kt_status st = run(&p, &v);
    if (st == KT_OK) st = find_lists(&p, v, &lists);
    kt_sequences *s = st ? kt_fail_object(st) : sequences_of(&p, &lists);
    release(&p);
    return s;
}

/* The value of a key; V_MARK if it is not there. */
static value look_up(const pickle *p, const list *dict, const char *key) {
    for (int i = 0; i < dict->n; i += 2)
        if (is_text(p, p->items.v[dict->start + i], key)) return p->items.v[dict->start + i + 1];
    return (value){.kind = V_MARK};
}

static kt_status batch_of(
    const pickle *p, value dict, const char *key, kt_tensor **x, kt_tensor **y) {
    if (dict.kind != V_DICT) return KT_FAIL(KT_EFORMAT, "pickle: no batch of pictures: no dict");
    const list *entries = &p->lists.v[dict.v];
    const value data = look_up(p, entries, "data"), labels = look_up(p, entries, key);
    if (data.kind != V_ARRAY || labels.kind != V_LIST)
        return KT_FAIL(
            KT_EFORMAT, "pickle: the dict lacks the array \"data\" or the list \"%s\"", key);
    const array *a = &p->arrays.v[data.v];
    const list *l = &p->lists.v[labels.v];
    if (a->ndim != 2 || a->content.kind != V_TEXT || (l->n && !l->ints) || l->n != a->dim[0])
        return KT_FAIL(KT_EFORMAT, "pickle: \"data\" and \"%s\" do not fit together", key);
    if (a->dim[1] > UINT32_MAX || a->dim[0] * a->dim[1] != (int64_t)a->content.n)
        return KT_FAIL(KT_EFORMAT, "pickle: the array \"data\" has another length than its shape");
    *x = kt_tensor_new(KT_UINT8, kt_dims(a->dim[0], a->dim[1]), p->data + a->content.v);
    *y = kt_tensor_new(KT_UINT8, kt_dims(l->n), NULL);
    if (kt_failed(*x) || kt_failed(*y)) return KT_ENOMEM;
    for (int i = 0; i < l->n; i++) {
        const int32_t label = p->ints.v[l->start + i];
        if (label < 0 || label > UINT8_MAX)
            return KT_FAIL(KT_EFORMAT, "pickle: label %d at position %d", (int)label, i);
        kt_tensor_set(*y, i, label);
    }
    return KT_OK;
}

kt_status kt_pickle_batch(
    const void *data, size_t size, const char *labels, kt_tensor **x, kt_tensor **y) {
    pickle p = {.data = data, .size = size};
    value v;
    *x = *y = NULL;
    kt_status st = run(&p, &v);
    if (st == KT_OK) st = batch_of(&p, v, labels, x, y);
    release(&p);
    if (st == KT_OK) return st;
    kt_free(*x);
    kt_free(*y);
    *x = *y = kt_fail_object(st);
    return st;
}
