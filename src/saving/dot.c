/* A model in the language of Graphviz.  keras.utils.model_to_dot
 *
 * Keras' tables, colours and edges. Nodes are numbered in the order they are met, where Keras
 * writes addresses. Names are text from strangers: what HTML-like labels would read as markup is
 * written as an entity. */
#include <keratin/plot.h>

#include "base/vec.h"
#include "model/model.h"
#include "saving/text.h"

#include <string.h>

typedef struct {
    int from, to;
} edge;

typedef struct {
    const kt_model_to_dot_args *a;
    kt_str out;
    KT_VEC(const kt_layer *) drawn;  /* the number of a layer is its place */
    KT_VEC(const kt_model *) models; /* whose edges are drawn */
    KT_VEC(edge) edges;
} picture;

static int number_of(const picture *p, const kt_layer *l) {
    for (int i = 0; i < p->drawn.n; i++)
        if (p->drawn.v[i] == l) return i;
    return -1;
}

static void add_text(kt_str *out, const char *text) {
    for (; *text; text++) {
        const unsigned char c = (unsigned char)*text;
        if (strchr("<>&\"\\{}|", c))
            kt_str_addf(out, "&#%d;", c);
        else
            kt_str_addn(out, c < 32 || c == 127 ? " " : text, 1);
    }
}

/* Cells */

/* The calls of a layer in the model it is drawn for; *call is the first. */
static int calls_of(const kt_model *m, const kt_layer *l, const kt_model_node **call) {
    const kt_model_state *s = kt_model_of(m);
    int n = 0;
    for (int i = 0; i < s->nodes.n; i++) {
        if (s->nodes.v[i].call->layer != l) continue;
        if (!n++) *call = &s->nodes.v[i];
    }
    return n;
}

static void add_shape(kt_str *out, const kt_spec *s) {
    char text[KT_SHAPE_STR];
    kt_str_add(out, kt_shape_str(&s->shape, text, sizeof text));
}

static void add_input_shapes(kt_str *out, const kt_model *m, const kt_model_node *node) {
    const kt_model_state *s = kt_model_of(m);
    const int n = node->call->n_in;
    if (n > 1) kt_str_add(out, "[");
    for (int i = 0; i < n; i++) {
        const kt_call_node *from = s->nodes.v[node->src_node[i]].call;
        if (i) kt_str_add(out, ", ");
        add_shape(out, &from->out[node->src_index[i]]);
    }
    if (n > 1) kt_str_add(out, "]");
}

static void add_outputs(kt_str *out, const kt_call_node *call, bool dtypes) {
    if (call->n_out > 1) kt_str_add(out, "[");
    for (int i = 0; i < call->n_out; i++) {
        if (i) kt_str_add(out, ", ");
        if (dtypes)
            kt_str_add(out, kt_dtype_name(call->out[i].dtype));
        else
            add_shape(out, &call->out[i]);
    }
    if (call->n_out > 1) kt_str_add(out, "]");
}

#define WHITE "<td bgcolor=\"white\"><font point-size=\"14\">"

/* A layer that is called several times has no one shape: Keras writes "?". */
static void add_shape_cells(picture *p, const kt_model *m, const kt_layer *l) {
    const kt_model_node *node = NULL;
    const bool one = calls_of(m, l, &node) == 1;
    kt_str *out = &p->out;
    if (p->a->show_shapes && !kt_layer_is_input(l)) {
        kt_str_add(out, WHITE "Input shape: <b>");
        one ? add_input_shapes(out, m, node) : kt_str_add(out, "?");
        kt_str_add(out, "</b></font></td>");
    }
    if (p->a->show_shapes) {
        kt_str_add(out, WHITE "Output shape: <b>");
        one ? add_outputs(out, node->call, false) : kt_str_add(out, "?");
        kt_str_add(out, "</b></font></td>");
    }
    if (p->a->show_dtype) {
        kt_str_add(out, WHITE "Output dtype: <b>");
        one ? add_outputs(out, node->call, true) : kt_str_add(out, "?");
        kt_str_add(out, "</b></font></td>");
    }
}

/* NULL: the layer has no argument of that name. */
static const char *activation_of(const kt_layer *l) {
    for (const kt_field *f = l->cls->fields; f && f->type != KT_FIELD_END; f++) {
        if (strcmp(f->name, "activation") != 0 || f->type != KT_FIELD_REF) continue;
        kt_ref ref = *(const kt_ref *)(const void *)((const char *)l->args + f->offset);
        if (!ref) return "linear";
        if (kt_is(ref, KT_KIND_ACTIVATION)) return ((const kt_component *)ref)->cls->name;
        return kt_is_obj(ref) ? "?" : ref;
    }
    return NULL;
}

static void add_head(picture *p, kt_layer *l, int columns) {
    kt_str *out = &p->out;
    kt_str_addf(
        out,
        "<tr><td colspan=\"%d\" bgcolor=\"black\"><font point-size=\"16\" color=\"white\"><b>",
        columns);
    add_text(out, p->a->show_layer_names ? kt_layer_name(l) : l->class_name);
    kt_str_add(out, "</b>");
    if (p->a->show_layer_names) {
        kt_str_add(out, " (");
        add_text(out, l->class_name);
        kt_str_add(out, ")");
    }
    kt_str_add(out, "</font></td></tr>");
    const char *activation = p->a->show_layer_activations ? activation_of(l) : NULL;
    if (!activation) return;
    kt_str_addf(
        out,
        "<tr><td bgcolor=\"white\" colspan=\"%d\"><font point-size=\"14\">Activation: <b>",
        columns);
    add_text(out, activation);
    kt_str_add(out, "</b></font></td></tr>");
}

static kt_status add_node(picture *p, const kt_model *m, kt_layer *l) {
    const kt_model_to_dot_args *a = p->a;
    kt_str *out = &p->out;
    const int columns = 2 * a->show_shapes + a->show_dtype + a->show_trainable;
    if (number_of(p, l) >= 0) return KT_OK;
    const bool judged = a->show_trainable && kt_layer_n_weights(l) > 0;
    kt_str_addf(
        out,
        "%d [border=0, fontname=Helvetica, margin=0, label=<<table border=\"0\" "
        "cellborder=\"1\" bgcolor=\"black\" cellpadding=\"10\">",
        p->drawn.n);
    add_head(p, l, columns ? columns : 1);
    if (a->show_shapes || a->show_dtype || judged) kt_str_add(out, "<tr>");
    add_shape_cells(p, m, l);
    if (judged)
        kt_str_addf(
            out,
            "<td bgcolor=\"%s\"><font point-size=\"14\" color=\"white\"><b>%s</b></font></td>",
            kt_trainable(l) ? "forestgreen" : "firebrick",
            kt_trainable(l) ? "Trainable" : "Non-trainable");
    if (a->show_shapes || a->show_dtype || judged) kt_str_add(out, "</tr>");
    kt_str_add(out, "</table>>];\n");
    return kt_vec_push(&p->drawn, l);
}

/* Models inside models become clusters: a stack of those that are open. */
typedef struct {
    const kt_model *m;
    int next;
} level;

static kt_status add_nodes(picture *p, const kt_model *top) {
    KT_VEC(level) open = {0, 0, NULL};
    kt_status st = kt_vec_push(&open, ((level){top, 0}));
    if (!st) st = kt_vec_push(&p->models, top);
    while (!st && open.n) {
        level *now = &open.v[open.n - 1];
        const kt_model *m = now->m;
        if (now->next == m->children.n) {
            if (--open.n) kt_str_add(&p->out, "}\n");
            continue;
        }
        kt_layer *l = m->children.v[now->next++];
        if (!p->a->expand_nested || !kt_is_model(l)) {
            st = add_node(p, m, l);
            continue;
        }
        kt_str_addf(
            &p->out, "subgraph cluster_%d {\nstyle=dashed;\nlabeljust=l;\nlabel=\"", p->models.n);
        add_text(&p->out, kt_layer_name(l));
        kt_str_add(&p->out, "\";\n");
        st = kt_vec_push(&p->models, l);
        if (!st) st = kt_vec_push(&open, ((level){l, 0}));
    }
    kt_vec_free(&open);
    return st;
}

/* Edges */

/* With models expanded an edge leads to the layer inside that makes or takes the tensor. */
static const kt_layer *inner_source(const kt_layer *l, int output) {
    while (kt_is_model(l) && kt_model_of(l)->n_out > output) {
        const kt_model_state *s = kt_model_of(l);
        const int node = s->out_node[output];
        output = s->out_index[output];
        l = s->nodes.v[node].call->layer;
    }
    return l;
}

static const kt_layer *inner_target(const kt_layer *l, int input) {
    while (kt_is_model(l)) {
        const kt_model_state *s = kt_model_of(l);
        if (s->is_sequential)
            l = l->children.n ? l->children.v[0] : NULL;
        else
            l = input < s->n_in ? s->nodes.v[s->in_node[input]].call->layer : NULL;
        if (!l) break;
        if (s->is_sequential) input = 0;
    }
    return l;
}

static kt_status add_edge(picture *p, const kt_layer *from, const kt_layer *to) {
    const edge e = {number_of(p, from), number_of(p, to)};
    if (e.from < 0 || e.to < 0) return KT_OK; /* the input of a Sequential has no box */
    for (int i = 0; i < p->edges.n; i++)
        if (p->edges.v[i].from == e.from && p->edges.v[i].to == e.to) return KT_OK;
    kt_str_addf(&p->out, "%d -> %d [penwidth=2];\n", e.from, e.to);
    return kt_vec_push(&p->edges, e);
}

static kt_status add_edges(picture *p, const kt_model *m) {
    const kt_model_state *s = kt_model_of(m);
    kt_status st = KT_OK;
    for (int i = 0; i < s->nodes.n; i++) {
        const kt_model_node *n = &s->nodes.v[i];
        if (kt_layer_is_input(n->call->layer)) continue;
        for (int k = 0; k < n->call->n_in && !st; k++) {
            const kt_layer *from = s->nodes.v[n->src_node[k]].call->layer, *to = n->call->layer;
            if (p->a->expand_nested) {
                from = inner_source(from, n->src_index[k]);
                to = inner_target(to, k);
            }
            st = add_edge(p, from, to);
        }
    }
    return st;
}

static kt_status draw(picture *p) {
    const kt_model_to_dot_args *a = p->a;
    kt_str_addf(
        &p->out,
        "digraph G {\nconcentrate=True;\ndpi=%d;\nrankdir=%s;\nsplines=%s;\nnode [shape=record];\n",
        a->dpi,
        a->rankdir,
        a->splines);
    kt_status st = add_nodes(p, a->model);
    for (int i = 0; i < p->models.n && !st; i++) st = add_edges(p, p->models.v[i]);
    kt_str_add(&p->out, "}\n");
    return st;
}

static kt_status check(const kt_model_to_dot_args *a) {
    static const char *const directions[] = {"TB", "LR", "BT", "RL"};
    static const char *const splines[] = {"ortho", "curved", "polyline", "spline", "line"};
    bool direction = false, spline = false;
    const kt_status st = kt_model_require(a->model, "kt_model_to_dot");
    if (st) return st;
    for (int i = 0; i < 4; i++) direction = direction || !strcmp(a->rankdir, directions[i]);
    for (int i = 0; i < 5; i++) spline = spline || !strcmp(a->splines, splines[i]);
    if (!direction)
        return KT_FAIL(KT_EINVAL, "rankdir: expected TB, LR, BT or RL, got \"%.20s\"", a->rankdir);
    if (!spline)
        return KT_FAIL(
            KT_EINVAL,
            "splines: expected ortho, curved, polyline, spline or line, got \"%.20s\"",
            a->splines);
    if (a->dpi < 1) return KT_FAIL(KT_EINVAL, "dpi: expected a positive number, got %d", a->dpi);
    if (kt_model_of(a->model)->nodes.n) return KT_OK;
    return KT_FAIL(KT_ESTATE, "this model has not yet been built: call it on data first");
}

kt_text *kt_model_to_dot_with(const kt_model_to_dot_args *given) {
    static const kt_model_to_dot_args defaults = {KT_MODEL_TO_DOT_DEFAULTS};
    kt_model_to_dot_args a;
    picture p = {.a = &a};
    kt_status st = kt_args_read(&a, given, sizeof a, &defaults);
    if (!st) st = check(&a);
    if (st) return kt_fail_object(st);
    st = draw(&p);
    kt_vec_free(&p.drawn);
    kt_vec_free(&p.models);
    kt_vec_free(&p.edges);
    if (!st) return kt_text_take(&p.out);
    kt_str_free(&p.out);
    return kt_fail_object(st);
}
