/* Text to graph, the mirror of print.c: tests of passes write graphs down, and the fuzzer feeds it
 * rubbish. Nothing in the text is trusted: ops and attributes resolve through tables, arity and
 * shapes are checked by the same code that builders use, and the printed result types must be the
 * inferred ones. */
#include "base/error.h"
#include "ir/opdef.h"
#include "ir/scan.h"

#include <limits.h>
#include <string.h>

#define MAX_ID (1 << 20)
#define MAX_NAME 512

typedef KT_VEC(kt_val *) val_list;

typedef struct {
    kt_graph *g;
    kt_scan s;
    val_list by_id; /* NULL: no such value (yet) */
} parser;

static kt_status want_char(parser *p, char c) {
    const char text[] = {'\'', c, '\'', 0};
    return kt_scan_char(&p->s, c) ? KT_OK : kt_scan_fail(&p->s, text);
}

static kt_status parse_id(parser *p, int *id) {
    int64_t v;
    const kt_status st = want_char(p, '%');
    if (st) return st;
    if (!kt_scan_int(&p->s, &v) || v < 0 || v >= MAX_ID)
        return kt_scan_fail(&p->s, "a value number");
    *id = (int)v;
    return KT_OK;
}

/* Known values, as many as stand there, up to something else. */
static kt_status parse_uses(parser *p, val_list *list) {
    do {
        int id = 0;
        const kt_status st = parse_id(p, &id);
        if (st) return st;
        kt_val *v = id < p->by_id.n ? p->by_id.v[id] : NULL;
        if (!v) return kt_scan_fail(&p->s, "a value defined before");
        if (kt_vec_push(list, v)) return KT_ENOMEM;
    } while (kt_scan_char(&p->s, ','));
    return KT_OK;
}

static kt_status parse_ints(parser *p, const kt_field *f, char *to) {
    const bool wide = f->type == KT_FIELD_INT64S;
    const size_t size = wide ? sizeof(int64_t) : sizeof(int);
    kt_status st = want_char(p, '[');
    for (size_t i = 0; st == KT_OK && !kt_scan_char(&p->s, ']'); i++) {
        int64_t v;
        if (i) st = want_char(p, ',');
        if (st) return st;
        if (i * size >= f->size || !kt_scan_int(&p->s, &v) ||
            (!wide && (v < INT_MIN || v > INT_MAX)))
            return kt_scan_fail(&p->s, "an integer that fits");
        if (wide)
            ((int64_t *)to)[i] = v;
        else
            ((int *)to)[i] = (int)v;
    }
    return st;
}

static kt_status parse_int(parser *p, const kt_field *f, char *to) {
    int64_t v;
    if (!kt_scan_int(&p->s, &v)) return kt_scan_fail(&p->s, "an integer");
    const int64_t low = f->type == KT_FIELD_BOOL  ? 0
                        : f->type == KT_FIELD_INT ? INT_MIN
                                                  : INT64_MIN;
    const int64_t high = f->type == KT_FIELD_BOOL  ? 1
                         : f->type == KT_FIELD_INT ? INT_MAX
                                                   : INT64_MAX;
    if (v < low || v > high) return kt_scan_fail(&p->s, "an integer that fits");
    if (f->type == KT_FIELD_INT64)
        *(int64_t *)to = v;
    else if (f->type == KT_FIELD_INT)
        *(int *)to = (int)v;
    else
        *(bool *)to = v != 0;
    return KT_OK;
}

static kt_status parse_field(parser *p, const kt_field *f, char *attrs) {
    char *to = attrs + f->offset, word[KT_SCAN_WORD];
    switch (f->type) {
    case KT_FIELD_INT:
    case KT_FIELD_BOOL:
    case KT_FIELD_INT64:
        return parse_int(p, f, to);
    case KT_FIELD_DOUBLE:
        return kt_scan_double(&p->s, (double *)to) ? KT_OK : kt_scan_fail(&p->s, "a number");
    case KT_FIELD_DIMS:
        return kt_scan_shape(&p->s, (kt_shape *)to) ? KT_OK : kt_scan_fail(&p->s, "a shape");
    case KT_FIELD_DTYPE:
        *(int *)to = kt_scan_word(&p->s, word) ? (int)kt_dtype_of(word) : KT_NO_DTYPE;
        return *(int *)to ? KT_OK : kt_scan_fail(&p->s, "a dtype");
    case KT_FIELD_INTS:
    case KT_FIELD_INT64S:
        return parse_ints(p, f, to);
    default:
        return kt_scan_fail(&p->s, "an attribute with a text");
    }
}

/* Table attributes first, each at most once: what attrs_parse reads may rest on them. */
static kt_status parse_attrs(parser *p, const kt_opdef *op, int n_in, char *attrs) {
    unsigned seen = 0;
    bool extra = false;
    kt_status st = op->attrs_size ? want_char(p, '{') : KT_OK;
    if (st || !op->attrs_size) return st;
    while (st == KT_OK && !kt_scan_char(&p->s, '}')) {
        char word[KT_SCAN_WORD];
        int i = 0;
        if ((seen || extra) && (st = want_char(p, ','))) return st;
        if (!kt_scan_word(&p->s, word)) return kt_scan_fail(&p->s, "an attribute");
        if ((st = want_char(p, '='))) return st;
        while (op->attrs[i].type && strcmp(op->attrs[i].name, word)) i++;
        if (op->attrs[i].type) {
            if (extra || seen >> i & 1) return kt_scan_fail(&p->s, "each attribute once, in order");
            seen |= 1u << i;
            st = parse_field(p, &op->attrs[i], attrs);
        } else {
            extra = true;
            if (!op->attrs_parse) return kt_scan_fail(&p->s, "an attribute of this op");
            st = op->attrs_parse(p->g, word, &p->s, n_in, attrs);
        }
    }
    return st;
}

/* The op with its inputs and attributes, up to the colon. */
static kt_status parse_call(parser *p, kt_node **node) {
    char word[KT_SCAN_WORD];
    if (!kt_scan_word(&p->s, word)) return kt_scan_fail(&p->s, "an op");
    const kt_opdef *op = kt_op_find(word);
    if (!op || (op->attrs_size && !op->attrs))
        return kt_scan_fail(&p->s, "an op that exists before this");
    val_list in = {0};
    kt_status st = want_char(p, '(');
    if (st == KT_OK && !kt_scan_char(&p->s, ')')) {
        st = parse_uses(p, &in);
        if (st == KT_OK) st = want_char(p, ')');
    }
    char *attrs = st ? NULL : kt_arena_alloc(p->g->arena, op->attrs_size + 1);
    if (st == KT_OK && !attrs) st = KT_ENOMEM;
    if (st == KT_OK) st = parse_attrs(p, op, in.n, attrs);
    if (st == KT_OK && !kt_op_arity_ok(op, in.n))
        st = kt_scan_fail(&p->s, "as many inputs as the op takes");
    if (st == KT_OK) {
        *node = kt_graph_add(p->g, op, in.n, in.v, attrs);
        st = p->g->status;
    }
    kt_vec_free(&in);
    return st;
}

static kt_status define(parser *p, int id, kt_val *v) {
    while (p->by_id.n <= id)
        if (kt_vec_push(&p->by_id, NULL)) return KT_ENOMEM;
    if (p->by_id.v[id]) return kt_scan_fail(&p->s, "a value number not used before");
    p->by_id.v[id] = v;
    return KT_OK;
}

static void note_var(parser *p, const kt_node *n) {
    if (strcmp(n->op->name, "var")) return;
    const int64_t slot = *(const int *)n->attrs; /* leaf_attrs.index; verify checks it */
    if (slot >= 0 && slot < p->g->slots.n && !p->g->slots.v[slot].val)
        p->g->slots.v[slot].val = n->out[0];
}

static kt_status parse_node(parser *p) {
    int ids[KT_OP_MAX_OUT], n = 0;
    kt_node *node = NULL;
    kt_status st;
    do {
        if (n == KT_OP_MAX_OUT) return kt_scan_fail(&p->s, "fewer results");
        if ((st = parse_id(p, &ids[n++]))) return st;
    } while (kt_scan_char(&p->s, ','));
    if ((st = want_char(p, '=')) || (st = parse_call(p, &node))) return st;
    if (n != node->n_out) return kt_scan_fail(&p->s, "as many numbers as the op has results");
    for (int i = 0; i < n; i++) {
        kt_spec spec;
        if ((st = want_char(p, i ? ',' : ':'))) return st;
        if (!kt_scan_spec(&p->s, &spec) || spec.dtype != node->out[i]->spec.dtype ||
            !kt_shape_equal(&spec.shape, &node->out[i]->spec.shape))
            return kt_scan_fail(&p->s, "the types that this op gives");
        if ((st = define(p, ids[i], node->out[i]))) return st;
    }
    note_var(p, node);
    return KT_OK;
}

static kt_status parse_slot(parser *p) {
    int64_t index;
    char name[MAX_NAME];
    kt_spec spec;
    if (!kt_scan_int(&p->s, &index) || index != p->g->slots.n)
        return kt_scan_fail(&p->s, "the next slot");
    if (!kt_scan_quoted(&p->s, name, sizeof name)) return kt_scan_fail(&p->s, "a name in quotes");
    const kt_status st = want_char(p, ':');
    if (st) return st;
    if (!kt_scan_spec(&p->s, &spec)) return kt_scan_fail(&p->s, "a dtype and a shape");
    void *key = kt_arena_alloc(p->g->arena, 1); /* whose memory: nobody's, but each its own */
    if (!key) return KT_ENOMEM;
    return kt_graph_slot(p->g, key, name, spec) >= 0 ? KT_OK : p->g->status;
}

static kt_status parse_line(parser *p) {
    char word[KT_SCAN_WORD];
    if (*p->s.at == '%') return parse_node(p);
    if (!kt_scan_word(&p->s, word)) return kt_scan_fail(&p->s, "a node, slot, inputs or outputs");
    if (!strcmp(word, "slot")) return parse_slot(p);
    val_list list = {0};
    kt_status st = parse_uses(p, &list);
    const bool in = !strcmp(word, "inputs"), out = !strcmp(word, "outputs");
    if (st == KT_OK && !in && !out) st = kt_scan_fail(&p->s, "slot, inputs or outputs");
    for (int i = 0; i < list.n && st == KT_OK; i++)
        st = in ? kt_vec_push(&p->g->inputs, list.v[i]) : kt_vec_push(&p->g->outputs, list.v[i]);
    kt_vec_free(&list);
    return st;
}

kt_graph *kt_graph_parse(const char *text) {
    parser p = {.g = kt_graph_new(), .s = {text, 1}};
    if (!p.g) return NULL;
    kt_status st = KT_OK;
    for (; *p.s.at && st == KT_OK; p.s.line++) {
        if (!kt_scan_end(&p.s)) st = parse_line(&p);
        if (st == KT_OK && !kt_scan_end(&p.s)) st = kt_scan_fail(&p.s, "the end of the line");
        if (st == KT_OK && *p.s.at) p.s.at++;
    }
    if (st == KT_OK) st = kt_graph_verify(p.g);
    kt_vec_free(&p.by_id);
    if (st == KT_OK) return p.g;
    kt_graph_free(p.g);
    return NULL;
}
