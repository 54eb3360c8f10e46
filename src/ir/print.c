/* Graphs as text: one node a line, stable from run to run, so that passes can be tested by
 * comparing text.
 *
 *     slot 0 "dense/kernel" : float32 (4, 2)
 *     %0 = input() {index=0, dtype=float32, shape=(3, 4)} : float32 (3, 4)
 *     %1 = var() {index=0, dtype=float32, shape=(4, 2)} : float32 (4, 2)
 *     %2 = matmul(%0, %1) {ta=0, tb=0, bias=0, epilogue=0} : float32 (3, 2)  # dense
 *     inputs %0
 *     outputs %2
 *
 * Attributes come from the field tables (and attrs_print for arrays behind pointers); what follows
 * # is the scope, for people only. */
#include "base/str.h"
#include "ir/opdef.h"

#include <string.h>

/* Arrays as long as a rank show the axes that are there. */
static int array_len(const kt_node *n, const kt_field *f, size_t size) {
    const int all = (int)(f->size / size);
    const int rank = n->n_in ? n->in[0]->spec.shape.ndim : all;
    return all == KT_MAX_RANK && rank < all ? rank : all;
}

static void print_ints(const kt_node *n, const kt_field *f, const char *p, kt_str *out) {
    const bool wide = f->type == KT_FIELD_INT64S;
    const int len = array_len(n, f, wide ? sizeof(int64_t) : sizeof(int));
    kt_str_add(out, "[");
    for (int i = 0; i < len; i++) {
        const long long v = wide ? (long long)((const int64_t *)p)[i] : ((const int *)p)[i];
        kt_str_addf(out, "%s%lld", i ? ", " : "", v);
    }
    kt_str_add(out, "]");
}

static kt_status print_field(const kt_node *n, const kt_field *f, kt_str *out) {
    const char *p = (const char *)n->attrs + f->offset;
    char shape[KT_SHAPE_STR];
    kt_str_addf(out, "%s=", f->name);
    switch (f->type) {
    case KT_FIELD_INT:
        kt_str_addf(out, "%d", *(const int *)p);
        break;
    case KT_FIELD_BOOL:
        kt_str_addf(out, "%d", *(const bool *)p);
        break;
    case KT_FIELD_DOUBLE:
        kt_str_double(out, *(const double *)p);
        break;
    case KT_FIELD_INT64:
        kt_str_addf(out, "%lld", (long long)*(const int64_t *)p);
        break;
    case KT_FIELD_DIMS:
        kt_str_add(out, kt_shape_str((const kt_shape *)p, shape, sizeof shape));
        break;
    case KT_FIELD_DTYPE:
        kt_str_add(out, kt_dtype_name((kt_dtype) * (const int *)p));
        break;
    case KT_FIELD_INTS:
    case KT_FIELD_INT64S:
        print_ints(n, f, p, out);
        break;
    default:
        return KT_FAIL(KT_EUNSUPPORTED, "%s: attribute %s has no text", n->op->name, f->name);
    }
    return KT_OK;
}

static kt_status print_attrs(const kt_node *n, kt_str *out) {
    if (!n->op->attrs_size) return KT_OK;
    if (!n->op->attrs) return KT_FAIL(KT_EUNSUPPORTED, "%s: no field table", n->op->name);
    kt_str_add(out, " {");
    for (const kt_field *f = n->op->attrs; f->type; f++) {
        if (f != n->op->attrs) kt_str_add(out, ", ");
        const kt_status st = print_field(n, f, out);
        if (st) return st;
    }
    if (n->op->attrs_print) n->op->attrs_print(n, out);
    kt_str_add(out, "}");
    return KT_OK;
}

static void print_vals(int n, kt_val *const *v, kt_str *out) {
    for (int i = 0; i < n; i++) kt_str_addf(out, "%s%%%d", i ? ", " : "", v[i]->id);
}

static kt_status print_node(const kt_node *n, kt_str *out) {
    char spec[KT_SHAPE_STR];
    print_vals(n->n_out, n->out, out);
    kt_str_addf(out, " = %s(", n->op->name);
    print_vals(n->n_in, n->in, out);
    kt_str_add(out, ")");
    const kt_status st = print_attrs(n, out);
    for (int i = 0; i < n->n_out; i++)
        kt_str_addf(
            out, "%s%s", i ? ", " : " : ", kt_spec_str(&n->out[i]->spec, spec, sizeof spec));
    if (n->scope) kt_str_addf(out, "  # %s", n->scope);
    kt_str_add(out, "\n");
    return st;
}

static void print_slot(int i, const kt_slot *s, kt_str *out) {
    char spec[KT_SHAPE_STR];
    kt_str_addf(out, "slot %d \"", i);
    for (const char *c = s->name; *c; c++) {
        if (*c == '"' || *c == '\\') kt_str_add(out, "\\");
        kt_str_addn(out, *c == '\n' ? " " : c, 1);
    }
    kt_str_addf(out, "\" : %s\n", kt_spec_str(&s->spec, spec, sizeof spec));
}

kt_status kt_graph_print(const kt_graph *g, kt_str *out) {
    kt_status st = KT_OK;
    for (int i = 0; i < g->slots.n; i++) print_slot(i, &g->slots.v[i], out);
    for (int i = 0; i < g->nodes.n && st == KT_OK; i++) st = print_node(g->nodes.v[i], out);
    if (g->inputs.n) {
        kt_str_add(out, "inputs ");
        print_vals(g->inputs.n, g->inputs.v, out);
        kt_str_add(out, "\n");
    }
    if (g->outputs.n) {
        kt_str_add(out, "outputs ");
        print_vals(g->outputs.n, g->outputs.v, out);
        kt_str_add(out, "\n");
    }
    return st ? st : out->status;
}
