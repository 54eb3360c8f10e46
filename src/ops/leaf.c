/* Leaves and memory: input, const, var, assign, view, pack. They compute nothing; the planner
 * places them (an input is the caller's batch, a var is a slot, a view lies inside its input). */
#include "base/error.h"
#include "base/str.h"
#include "ir/scan.h"
#include "ops/build.h"

#include <string.h>

static kt_status leaf_infer(const kt_node *n, kt_spec *out) {
    const leaf_attrs *a = n->attrs;
    *out = (kt_spec){(kt_dtype)a->dtype, a->shape};
    return KT_OK;
}

static kt_status const_infer(const kt_node *n, kt_spec *out) {
    const const_attrs *a = n->attrs;
    *out = (kt_spec){(kt_dtype)a->dtype, a->shape};
    return KT_OK;
}

/* Runs once, when the program is made: constants live in memory of their own. */
static kt_status const_ref(const kt_kargs *k) {
    const const_attrs *a = k->node->attrs;
    const int64_t n = kt_shape_size(&a->shape);
    if (a->data)
        memcpy(k->out[0], a->data, (size_t)n * kt_dtype_size((kt_dtype)a->dtype));
    else
        for (int64_t i = 0; i < n; i++) kt_elem_set(k->out[0], (kt_dtype)a->dtype, i, a->value);
    return KT_OK;
}

static kt_status assign_infer(const kt_node *n, kt_spec *out) {
    *out = n->in[0]->spec;
    return KT_OK;
}

static kt_status view_infer(const kt_node *n, kt_spec *out) {
    const view_attrs *a = n->attrs;
    *out = (kt_spec){n->in[0]->spec.dtype, a->shape};
    const int64_t have = kt_shape_size(&n->in[0]->spec.shape), want = kt_shape_size(&a->shape);
    if (a->offset >= 0 && want >= 0 && want <= have && a->offset <= have - want) return KT_OK;
    return KT_FAIL(
        KT_ESHAPE,
        "view of %lld elements at %lld goes past the end (%lld)",
        (long long)want,
        (long long)a->offset,
        (long long)have);
}

static kt_status pack_infer(const kt_node *n, kt_spec *out) {
    const pack_attrs *a = n->attrs;
    int64_t at = 0;
    for (int i = 0; i < n->n_in; i++) {
        const int64_t size = kt_shape_size(&n->in[i]->spec.shape);
        if (!a->offsets || a->offsets[i] < at || size > a->size || a->offsets[i] > a->size - size)
            return KT_FAIL(KT_EINTERNAL, "pack: input %d overlaps another or does not fit", i);
        if (n->in[i]->spec.dtype != n->in[0]->spec.dtype)
            return KT_FAIL(KT_EDTYPE, "pack: input %d has another dtype", i);
        at = a->offsets[i] + size;
    }
    *out = (kt_spec){n->in[0]->spec.dtype, {1, {a->size}}};
    return KT_OK;
}

/* Copies what the planner did not place inside the result already, and clears the gaps. */
static kt_status pack_ref(const kt_kargs *k) {
    const pack_attrs *a = k->node->attrs;
    const size_t e = kt_dtype_size(k->node->in[0]->spec.dtype);
    char *out = k->out[0];
    int64_t at = 0;
    for (int i = 0; i < k->node->n_in; i++) {
        const int64_t n = kt_shape_size(&k->node->in[i]->spec.shape);
        memset(out + (size_t)at * e, 0, (size_t)(a->offsets[i] - at) * e);
        char *to = out + (size_t)a->offsets[i] * e;
        if (to != k->in[i]) memcpy(to, k->in[i], (size_t)n * e);
        at = a->offsets[i] + n;
    }
    memset(out + (size_t)at * e, 0, (size_t)(a->size - at) * e);
    return KT_OK;
}

/* Parts of an array and the array of parts are each other's gradients: nothing is copied, and the
 * sweep (grad/) puts the parts of one array together. */
static kt_status view_vjp(
    kt_graph *g, const kt_node *n, kt_val *const *dy, kt_val **dx, const bool *want) {
    (void)want;
    const int64_t at = ((const view_attrs *)n->attrs)->offset;
    const kt_shape *whole = &n->in[0]->spec.shape;
    kt_val *flat = kt_g_pack(g, 1, dy, &at, kt_shape_size(whole));
    dx[0] = kt_g_reshape(g, flat, *whole);
    return g->status;
}

static kt_status pack_vjp(
    kt_graph *g, const kt_node *n, kt_val *const *dy, kt_val **dx, const bool *want) {
    const pack_attrs *a = n->attrs;
    for (int i = 0; i < n->n_in; i++)
        if (want[i]) dx[i] = kt_g_view(g, dy[0], a->offsets[i], n->in[i]->spec.shape);
    return g->status;
}

/* Arrays behind pointers as text: `, data=[1.0, 2.0]` and `, offsets=[0, 16]`. */
static void const_print(const kt_node *n, kt_str *out) {
    const const_attrs *a = n->attrs;
    if (!a->data) return;
    kt_str_add(out, ", data=[");
    for (int64_t i = 0; i < kt_shape_size(&a->shape); i++) {
        if (i) kt_str_add(out, ", ");
        if (a->dtype == KT_INT64)
            kt_str_addf(out, "%lld", (long long)((const int64_t *)a->data)[i]);
        else
            kt_str_double(out, kt_elem_get(a->data, (kt_dtype)a->dtype, i));
    }
    kt_str_add(out, "]");
}

static kt_status const_parse(kt_graph *g, const char *key, kt_scan *text, int n_in, void *attrs) {
    const_attrs *a = attrs;
    const kt_spec spec = {(kt_dtype)a->dtype, a->shape};
    const int64_t bytes = kt_spec_bytes(&spec), size = kt_shape_size(&a->shape);
    (void)n_in;
    /* every element takes two characters or more, so the text bounds what is allocated */
    if (strcmp(key, "data") || bytes < 0 || a->data || size > (int64_t)strlen(text->at))
        return kt_scan_fail(text, "the attribute data, once, behind dtype and shape");
    void *data = kt_arena_alloc(g->arena, (size_t)bytes);
    if (!data) return KT_ENOMEM;
    if (!kt_scan_char(text, '[')) return kt_scan_fail(text, "'['");
    for (int64_t i = 0; i < size; i++) {
        double v;
        int64_t whole;
        if (i && !kt_scan_char(text, ','))
            return kt_scan_fail(text, "as many numbers as the shape says");
        if (a->dtype == KT_INT64 && kt_scan_int(text, &whole))
            ((int64_t *)data)[i] = whole;
        else if (kt_scan_double(text, &v))
            kt_elem_set(data, spec.dtype, i, v);
        else
            return kt_scan_fail(text, "a number");
    }
    a->data = data;
    return kt_scan_char(text, ']')
               ? KT_OK
               : kt_scan_fail(text, "']' after as many numbers as the shape says");
}

static void pack_print(const kt_node *n, kt_str *out) {
    const pack_attrs *a = n->attrs;
    for (int i = 0; i < n->n_in; i++)
        kt_str_addf(out, "%s%lld", i ? ", " : ", offsets=[", (long long)a->offsets[i]);
    kt_str_add(out, "]");
}

static kt_status pack_parse(kt_graph *g, const char *key, kt_scan *text, int n_in, void *attrs) {
    pack_attrs *a = attrs;
    if (strcmp(key, "offsets") || a->offsets)
        return kt_scan_fail(text, "the attribute offsets, once");
    int64_t *offsets = kt_arena_alloc(g->arena, sizeof *offsets * (size_t)(n_in + 1));
    if (!offsets) return KT_ENOMEM;
    if (!kt_scan_char(text, '[')) return kt_scan_fail(text, "'['");
    for (int i = 0; i < n_in; i++)
        if ((i && !kt_scan_char(text, ',')) || !kt_scan_int(text, &offsets[i]))
            return kt_scan_fail(text, "one offset for each input");
    a->offsets = offsets;
    return kt_scan_char(text, ']') ? KT_OK
                                   : kt_scan_fail(text, "']' after one offset for each input");
}

static const kt_field leaf_fields[] = {
    KT_F(leaf_attrs, index),
    KT_F_AS(leaf_attrs, dtype, KT_FIELD_DTYPE),
    KT_F(leaf_attrs, shape),
    KT_F_END};
static const kt_field const_fields[] = {
    KT_F(const_attrs, value),
    KT_F_AS(const_attrs, dtype, KT_FIELD_DTYPE),
    KT_F(const_attrs, shape),
    KT_F_END};
static const kt_field view_fields[] = {
    KT_F(view_attrs, slot), KT_F(view_attrs, offset), KT_F(view_attrs, shape), KT_F_END};
static const kt_sample view_samples[] = {
    {.in = {{.dim = {3, 4}}}, .attrs = &(view_attrs){0, 5, {2, {2, 3}}}},
    {.in = {{.dim = {3, 4}}}, .attrs = &(view_attrs){0, 5, {2, {2, 4}}}, .want = KT_ESHAPE},
    KT_SAMPLES_END};
static const kt_field pack_fields[] = {KT_F(pack_attrs, size), KT_F_END};

const kt_opdef kt_opdef_input = {
    .name = "input",
    .flags = KT_OP_LEAF | KT_OP_TEXTS,
    .attrs_size = sizeof(leaf_attrs),
    .attrs = leaf_fields,
    .infer = leaf_infer,
};
const kt_opdef kt_opdef_var = {
    .name = "var",
    .flags = KT_OP_LEAF,
    .attrs_size = sizeof(leaf_attrs),
    .attrs = leaf_fields,
    .infer = leaf_infer,
};
const kt_opdef kt_opdef_const = {
    .name = "const",
    .flags = KT_OP_LEAF,
    .attrs_size = sizeof(const_attrs),
    .attrs = const_fields,
    .attrs_print = const_print,
    .attrs_parse = const_parse,
    .infer = const_infer,
    .ref = {const_ref, const_ref, const_ref},
};
const kt_opdef kt_opdef_assign = {
    .name = "assign",
    .n_in = 1,
    .flags = KT_OP_EFFECT,
    .attrs_size = sizeof(view_attrs),
    .attrs = view_fields,
    .infer = assign_infer,
};
const kt_opdef kt_opdef_view = {
    .name = "view",
    .n_in = 1,
    .flags = KT_OP_ALIAS,
    .attrs_size = sizeof(view_attrs),
    .attrs = view_fields,
    .infer = view_infer,
    .vjp = view_vjp,
    .samples = view_samples,
};
const kt_opdef kt_opdef_pack = {
    .name = "pack",
    .n_in = -1,
    .attrs_size = sizeof(pack_attrs),
    .attrs = pack_fields,
    .attrs_print = pack_print,
    .attrs_parse = pack_parse,
    .infer = pack_infer,
    .vjp = pack_vjp,
    .ref = {pack_ref, pack_ref, pack_ref},
};

static kt_val *first_out(kt_node *n) { return n ? n->out[0] : NULL; }

kt_val *kt_g_input(kt_graph *g, kt_spec spec) {
    const leaf_attrs a = {g->inputs.n, spec.dtype, spec.shape};
    kt_val *v = first_out(kt_graph_add(g, &kt_opdef_input, 0, NULL, &a));
    if (v && kt_vec_push(&g->inputs, v)) return kt_graph_fail(g, KT_ENOMEM);
    return v;
}

kt_val *kt_g_const(kt_graph *g, double value, kt_spec spec) {
    const const_attrs a = {value, spec.dtype, spec.shape, NULL};
    return first_out(kt_graph_add(g, &kt_opdef_const, 0, NULL, &a));
}

kt_val *kt_g_array(kt_graph *g, const void *data, kt_spec spec) {
    const size_t bytes = (size_t)kt_shape_size(&spec.shape) * kt_dtype_size(spec.dtype);
    const const_attrs a = {0, spec.dtype, spec.shape, kt_arena_copy(g->arena, data, bytes)};
    if (!a.data) return kt_graph_fail(g, KT_ENOMEM);
    return first_out(kt_graph_add(g, &kt_opdef_const, 0, NULL, &a));
}

kt_val *kt_g_var(kt_graph *g, int slot) {
    if (slot < 0) return NULL;
    kt_slot *s = &g->slots.v[slot];
    if (s->val) return s->val;
    const leaf_attrs a = {slot, s->spec.dtype, s->spec.shape};
    kt_val *v = first_out(kt_graph_add(g, &kt_opdef_var, 0, NULL, &a));
    g->slots.v[slot].val = v;
    return v;
}

void kt_g_assign(kt_graph *g, int slot, int64_t offset, kt_val *value) {
    if (slot < 0 || !value) return;
    const view_attrs a = {slot, offset, value->spec.shape};
    kt_graph_add(g, &kt_opdef_assign, 1, &value, &a);
}

kt_val *kt_g_view(kt_graph *g, kt_val *x, int64_t offset, kt_shape shape) {
    const view_attrs a = {0, offset, shape};
    return first_out(kt_graph_add(g, &kt_opdef_view, 1, &x, &a));
}

kt_val *kt_g_pack(kt_graph *g, int n, kt_val *const *in, const int64_t *offsets, int64_t size) {
    const pack_attrs a = {kt_arena_copy(g->arena, offsets, sizeof *offsets * (size_t)n), size};
    if (!a.offsets) return kt_graph_fail(g, KT_ENOMEM);
    return first_out(kt_graph_add(g, &kt_opdef_pack, n, in, &a));
}
