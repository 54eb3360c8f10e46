/* Model.summary: which rows and columns there are and what stands in them. How they are drawn is
 * table.c. The rules, as far as they surprise, are in tests/golden/summary/README.md. */
#include "model/summary.h"

#include "base/locale.h"
#include "base/log.h"
#include "model/compile.h"
#include "model/model.h"
#include "nn/optimizers/optimizer.h"

#include <math.h>
#include <regex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
    kt_summary_args args;
    kt_model *m;
    bool connected; ///< the model is no plain chain: show what is connected to what
    kt_table table;
} summary;

/* Cells ---------------------------------------------------------------------------------------- */

#define COUNT_SIZE 32

/* 1234567 -> "1,234,567" */
static const char *count_text(int64_t count, char *buf) {
    char plain[COUNT_SIZE];
    const int n = snprintf(plain, sizeof plain, "%lld", (long long)count);
    int at = 0;
    for (int i = 0; i < n; i++) {
        if (i && (n - i) % 3 == 0) buf[at++] = ',';
        buf[at++] = plain[i];
    }
    buf[at] = 0;
    return buf;
}

static void add_number(kt_text *t, int64_t n) {
    char text[COUNT_SIZE];
    snprintf(text, sizeof text, "%lld", (long long)n);
    kt_text_add(t, KT_STYLE_NUMBER, text);
}

static void add_shape(kt_text *t, const kt_shape *s) {
    kt_text_add(t, KT_STYLE_PLAIN, "(");
    for (int i = 0; i < s->ndim; i++) {
        if (i) kt_text_add(t, KT_STYLE_PLAIN, ", ");
        if (s->dim[i] == KT_NONE)
            kt_text_add(t, KT_STYLE_NONE, "None");
        else
            add_number(t, s->dim[i]);
    }
    kt_text_add(t, KT_STYLE_PLAIN, ")");
}

static kt_text name_cell(kt_layer *l, int level) {
    kt_text t = {.text = {.n = 0}};
    for (int i = 0; i < level; i++) kt_text_add(&t, KT_STYLE_PLAIN, "   ");
    if (level) kt_text_add(&t, KT_STYLE_PLAIN, "\u2514 ");
    kt_text_add_name(&t, kt_layer_name(l));
    kt_text_add(&t, KT_STYLE_PLAIN, " (");
    kt_text_add(&t, KT_STYLE_CLASS, kt_layer_class_name(l));
    kt_text_add(&t, KT_STYLE_PLAIN, ")");
    return t;
}

/* The outputs of the last call of a layer in the model that it belongs to. */
static kt_text shape_cell(const kt_layer *l, const kt_model *owner) {
    const kt_model_state *s = kt_model_of(owner);
    const kt_call_node *call = NULL;
    for (int i = s->nodes.n; !call && i-- > 0;)
        if (s->nodes.v[i].call->layer == l) call = s->nodes.v[i].call;
    kt_text t = {.text = {.n = 0}};
    if (!call) kt_text_add(&t, KT_STYLE_PLAIN, "?");
    if (call && call->n_out > 1) kt_text_add(&t, KT_STYLE_PLAIN, "[");
    for (int i = 0; call && i < call->n_out; i++) {
        if (i) kt_text_add(&t, KT_STYLE_PLAIN, ", ");
        add_shape(&t, &call->out[i].shape);
    }
    if (call && call->n_out > 1) kt_text_add(&t, KT_STYLE_PLAIN, "]");
    return t;
}

static kt_text params_cell(const kt_layer *l) {
    char count[COUNT_SIZE];
    kt_text t = {.text = {.n = 0}};
    kt_text_add(&t, KT_STYLE_NUMBER, count_text(l->built ? kt_layer_count_params(l) : 0, count));
    if (!l->built) kt_text_add(&t, KT_STYLE_PLAIN, " (unbuilt)");
    return t;
}

static bool is_model_input(const kt_model_state *s, int node) {
    for (int i = 0; i < s->n_in; i++)
        if (s->in_node[i] == node) return true;
    return false;
}

/* name[call][output] of each input of each call of the layer. */
static kt_text connections_cell(const kt_layer *l, const kt_model *m) {
    const kt_model_state *s = kt_model_of(m);
    kt_text t = {.text = {.n = 0}};
    for (int i = 0; i < s->nodes.n; i++) {
        const kt_model_node *n = &s->nodes.v[i];
        if (n->call->layer != l || is_model_input(s, i)) continue;
        for (int k = 0; k < n->call->n_in; k++) {
            if (t.text.n) kt_text_add(&t, KT_STYLE_PLAIN, ", ");
            kt_text_add_name(&t, kt_layer_name(s->nodes.v[n->src_node[k]].call->layer));
            kt_text_add(&t, KT_STYLE_PLAIN, "[");
            add_number(&t, kt_model_node_index(s, n->src_node[k]));
            kt_text_add(&t, KT_STYLE_PLAIN, "][");
            add_number(&t, n->src_index[k]);
            kt_text_add(&t, KT_STYLE_PLAIN, "]");
        }
    }
    if (!t.text.n) kt_text_add(&t, KT_STYLE_PLAIN, "-");
    return t;
}

static kt_text trainable_cell(const kt_layer *l) {
    kt_text t = {.text = {.n = 0}};
    if (!kt_layer_n_weights(l))
        kt_text_add(&t, KT_STYLE_BOLD, "-");
    else if (kt_trainable(l))
        kt_text_add(&t, KT_STYLE_YES, "Y");
    else
        kt_text_add(&t, KT_STYLE_NO, "N");
    return t;
}

/* Rows ----------------------------------------------------------------------------------------- */

static kt_status add_cell(summary *s, kt_text t) {
    kt_status st = t.text.status ? t.text.status : t.style.status;
    if (st == KT_OK) st = kt_vec_push(&s->table.cells, t);
    if (st) kt_text_free(&t);
    return st;
}

static kt_status add_row(summary *s, kt_layer *l, const kt_model *owner, int level) {
    kt_status st = add_cell(s, name_cell(l, level));
    if (st == KT_OK) st = add_cell(s, shape_cell(l, owner));
    if (st == KT_OK) st = add_cell(s, params_cell(l));
    if (st == KT_OK && s->connected) st = add_cell(s, connections_cell(l, s->m));
    if (st == KT_OK && s->args.show_trainable) st = add_cell(s, trainable_cell(l));
    return st;
}

typedef struct {
    kt_layer *layer;
    const kt_model *owner;
    int level;
} row;

/* Operations have a class name of their own, and are not among Keras' `layers`. */
static bool is_operation(const kt_layer *l) { return l->class_name != l->cls->name; }

/* A layer and, where wanted, what is inside it. */
static kt_status add_rows(summary *s, kt_layer *from) {
    KT_VEC(row) stack = {0, 0, NULL};
    kt_status st = kt_vec_push(&stack, ((row){from, s->m, 0}));
    while (st == KT_OK && stack.n) {
        const row top = stack.v[--stack.n];
        st = add_row(s, top.layer, top.owner, top.level);
        if (!s->args.expand_nested || !kt_is_model(top.layer)) continue;
        for (int i = top.layer->children.n; st == KT_OK && i-- > 0;) {
            kt_layer *inner = top.layer->children.v[i];
            const row below = {inner, top.layer, top.level + 1};
            if (!is_operation(inner)) st = kt_vec_push(&stack, below);
        }
    }
    kt_vec_free(&stack);
    return st;
}

/* First and last layer whose name begins with a match of the pattern; -1 if there is none. */
static kt_status find_layers(const kt_model *m, const char *pattern, int *first, int *last) {
    kt_str anchored = {0};
    regex_t re;
    kt_str_addf(&anchored, "^(%s)", pattern ? pattern : "");
    if (anchored.status) return kt_str_free(&anchored), KT_ENOMEM;
    const bool bad = regcomp(&re, anchored.s, REG_EXTENDED | REG_NOSUB) != 0;
    kt_str_free(&anchored);
    if (bad) return KT_FAIL(KT_EINVAL, "layer_range: \"%.60s\" is no pattern", pattern);
    *first = *last = -1;
    for (int i = 0; i < m->children.n; i++) {
        if (regexec(&re, kt_layer_name(m->children.v[i]), 0, NULL, 0)) continue;
        if (*first < 0) *first = i;
        *last = i;
    }
    regfree(&re);
    if (*first >= 0) return KT_OK;
    return KT_FAIL(KT_EINVAL, "layer_range: no layer of the model matches \"%.60s\"", pattern);
}

static kt_status add_layers(summary *s) {
    const kt_names_t *range = &s->args.layer_range;
    int from = 0, to = s->m->children.n - 1;
    kt_status st = KT_OK;
    if (range->n) {
        int first[2] = {0}, last[2] = {0};
        if (range->n != 2)
            return KT_FAIL(KT_EINVAL, "layer_range: expected 2 names, got %d", range->n);
        for (int i = 0; st == KT_OK && i < 2; i++)
            st = find_layers(s->m, range->v[i], &first[i], &last[i]);
        if (st) return st;
        const bool turned = first[0] > last[1];
        from = first[turned];
        to = last[!turned];
    }
    for (int i = from; st == KT_OK && i <= to; i++) st = add_rows(s, s->m->children.v[i]);
    return st;
}

/* Columns -------------------------------------------------------------------------------------- */

static int *node_depths(const kt_model_state *s) {
    int *depth = kt_alloc_array(s->nodes.n + 1, sizeof *depth);
    for (int i = s->nodes.n; depth && i-- > 0;) {
        const kt_model_node *n = &s->nodes.v[i];
        for (int k = 0; k < n->call->n_in && !is_model_input(s, i); k++)
            if (depth[n->src_node[k]] < depth[i] + 1) depth[n->src_node[k]] = depth[i] + 1;
    }
    return depth;
}

/* A chain: one input per call, one call per depth, no layer called twice. */
static kt_status is_connected(const kt_model *m, bool *connected) {
    const kt_model_state *s = kt_model_of(m);
    *connected = false;
    if (s->is_sequential) return KT_OK;
    int *depth = node_depths(s), deepest = -1;
    if (!depth) return KT_ENOMEM;
    for (int i = 0; i < s->nodes.n; i++) {
        if (depth[i] > deepest) deepest = depth[i];
        if (s->nodes.v[i].call->n_in > 1 || kt_model_node_index(s, i) > 0) *connected = true;
    }
    if (s->nodes.n > deepest + 1) *connected = true;
    kt_mem_free(depth);
    return KT_OK;
}

/* Column ends as shares of the width; those of Keras unless others are given. */
static kt_status column_ends(const summary *s, int n, double *ends) {
    static const double chain[] = {0.45, 0.80, 1.0}, connected[] = {0.3, 0.56, 0.74, 1.0};
    const kt_floats_t *given = &s->args.positions;
    const int own = n - s->args.show_trainable;
    if (given->n && given->n != own)
        return KT_FAIL(KT_EINVAL, "positions: expected %d numbers, got %d", own, given->n);
    for (int i = 0; i < own; i++) {
        ends[i] = given->n ? given->v[i] : s->connected ? connected[i] : chain[i];
        if (s->args.show_trainable) ends[i] *= 0.90;
    }
    if (s->args.show_trainable) ends[own] = 1.0;
    return KT_OK;
}

static kt_status set_widths(summary *s, int screen) {
    kt_table *t = &s->table;
    double ends[KT_TABLE_COLUMNS] = {0};
    const int most = (s->connected ? 108 : 88) + (s->args.show_trainable ? 12 : 0);
    const int line = s->args.line_length;
    t->width = line ? line : most < screen - 4 ? most : screen - 4;
    kt_status st = column_ends(s, t->n_columns, ends);
    int at = 0;
    for (int i = 0; st == KT_OK && i < t->n_columns; i++) {
        const double end = trunc(ends[i] * t->width);
        if (!(end - at >= 4)) {
            st = KT_FAIL(
                KT_EINVAL, "line_length: no room for the column \"%s\"", t->column[i].title);
            kt_error_hint(
                "columns need 4 characters: give a greater line_length or other positions");
        } else if (end > 1e6) {
            st = KT_FAIL(KT_ELIMIT, "line_length: more than a million characters");
        } else {
            t->column[i].width = (int)end - at;
            at = (int)end;
        }
    }
    return st;
}

static kt_status set_columns(summary *s, int screen) {
    kt_table *t = &s->table;
    t->column[t->n_columns++] = (kt_table_column){"Layer (type)", KT_LEFT, 0};
    t->column[t->n_columns++] = (kt_table_column){"Output Shape", KT_LEFT, 0};
    t->column[t->n_columns++] = (kt_table_column){"Param #", KT_RIGHT, 0};
    if (s->connected) t->column[t->n_columns++] = (kt_table_column){"Connected to", KT_LEFT, 0};
    if (s->args.show_trainable)
        t->column[t->n_columns++] = (kt_table_column){"Trainable", KT_CENTER, 0};
    return set_widths(s, screen);
}

/* Title and footer ----------------------------------------------------------------------------- */

typedef struct {
    int64_t count, bytes;
} total;

static void total_add(total *t, const kt_var *v) {
    t->count += kt_shape_size(&v->spec.shape);
    t->bytes += kt_spec_bytes(&v->spec);
}

static void add_bytes(kt_text *t, int64_t bytes) {
    static const char *const units[] = {"B", "KB", "MB", "GB", "TB", "PB"};
    char text[64];
    double size = (double)bytes;
    int unit = 0;
    for (; unit < 5 && size >= 1024; unit++) size /= 1024;
    kt_snprintf(text, sizeof text, " (%.2f %s)", size, units[unit]);
    kt_text_add(t, KT_STYLE_PLAIN, text);
}

typedef struct {
    kt_str *out;
    int screen;
    kt_colors colors;
} target;

static kt_status draw_total(const target *to, const char *what, const total *sum) {
    char count[COUNT_SIZE];
    kt_text t = {.text = {.n = 0}};
    kt_text_add(&t, KT_STYLE_BOLD, what);
    kt_text_add(&t, KT_STYLE_NUMBER, count_text(sum->count, count));
    add_bytes(&t, sum->bytes);
    const kt_status st = kt_text_draw(to->out, &t, to->screen, to->colors);
    kt_text_free(&t);
    return st;
}

static kt_status draw_title(const target *to, kt_model *m) {
    kt_text t = {.text = {.n = 0}};
    kt_text_add_name(&t, "Model: \"");
    kt_text_add_name(&t, kt_layer_name(m));
    kt_text_add_name(&t, "\"");
    if (t.style.s) memset(t.style.s, KT_STYLE_BOLD, t.style.n);
    const kt_status st = kt_text_draw(to->out, &t, to->screen, to->colors);
    kt_text_free(&t);
    return st;
}

/* An optimizer counts once its variables are there: from the first training step on. */
static bool total_optimizer(const kt_model *m, total *sum) {
    const struct kt_compiled *c = kt_model_of(m)->compiled;
    const int n = c && c->optimizer ? kt_optimizer_n_vars(c->optimizer) : 0;
    for (int i = 0; i < n; i++) total_add(sum, kt_optimizer_var(c->optimizer, i));
    return n > 0;
}

static kt_status draw_footer(const target *to, kt_model *m) {
    kt_var_list trainable = {0, 0, NULL}, others = {0, 0, NULL};
    total train = {0, 0}, fixed = {0, 0}, opt = {0, 0};
    kt_status st = kt_layer_collect(m, &trainable, &others, true);
    for (int i = 0; i < trainable.n; i++) total_add(&train, trainable.v[i]);
    for (int i = 0; i < others.n; i++) total_add(&fixed, others.v[i]);
    kt_vec_free(&trainable);
    kt_vec_free(&others);
    const bool optimized = total_optimizer(m, &opt);
    const total all = {
        train.count + fixed.count + opt.count, train.bytes + fixed.bytes + opt.bytes};
    if (st == KT_OK) st = draw_total(to, " Total params: ", &all);
    if (st == KT_OK) st = draw_total(to, " Trainable params: ", &train);
    if (st == KT_OK) st = draw_total(to, " Non-trainable params: ", &fixed);
    if (st == KT_OK && optimized) st = draw_total(to, " Optimizer params: ", &opt);
    return st;
}

/* All of it ------------------------------------------------------------------------------------ */

kt_status kt_model_summary_text(
    kt_str *out, const kt_summary_args *args, int screen, kt_colors colors) {
    summary s = {.m = args->model};
    const target to = {out, screen, colors};
    if (!args->size || args->size > sizeof s.args)
        return KT_FAIL(KT_EINVAL, "summary: size of the arguments: use the macro");
    memcpy(&s.args, args, args->size);
    kt_status st = kt_model_require(s.m, "summary");
    if (st == KT_OK) st = is_connected(s.m, &s.connected);
    if (st == KT_OK) st = set_columns(&s, screen);
    if (st == KT_OK) st = add_layers(&s);
    if (st == KT_OK) st = draw_title(&to, s.m);
    if (st == KT_OK) st = kt_table_draw(out, &s.table, screen, colors);
    if (st == KT_OK) st = draw_footer(&to, s.m);
    kt_table_free(&s.table);
    return st ? st : out->status;
}

static bool env_is(const char *name, const char *value) {
    const char *v = getenv(name);
    return v && !strcmp(v, value);
}

static kt_colors terminal_colors(void) {
    const char *term = getenv("TERM"), *none = getenv("NO_COLOR");
    const char *dash = term ? strrchr(term, '-') : NULL;
    if (!kt_out_is_terminal() || env_is("TERM", "dumb") || env_is("TERM", "unknown"))
        return KT_COLORS_OFF;
    if (none && *none) return KT_COLORS_BOLD;
    if (env_is("COLORTERM", "truecolor") || env_is("COLORTERM", "24bit")) return KT_COLORS_256;
    return dash && !strcmp(dash, "-256color") ? KT_COLORS_256 : KT_COLORS_16;
}

kt_status kt_model_summary_with(const kt_summary_args *args) {
    kt_str text = {0};
    const bool printed = args->size < sizeof *args || !args->print_fn;
    const kt_colors colors = printed ? terminal_colors() : KT_COLORS_OFF;
    const kt_status st = kt_model_summary_text(&text, args, kt_out_width(), colors);
    if (st == KT_OK && printed)
        kt_out(text.s, text.n);
    else if (st == KT_OK)
        args->print_fn(text.s, args->data);
    kt_str_free(&text);
    return st;
}
