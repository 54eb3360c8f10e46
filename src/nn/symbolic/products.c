/* kt_op_*, continued: products over axes, and diagonals. Integers are multiplied as float64, which
 * is exact up to 2^53. */
#include "base/error.h"
#include "nn/symbolic/symbolic.h"

#include <keratin/ops_products.h>

#include <stdio.h>
#include <string.h>

typedef struct {
    char equation[96];
} einsum_attrs;
/* The letters that the rest of the equation still needs, of those that two terms have; a term of
 * its own kind for the result. `used` has the terms behind and the output. */
static void einsum_keep(char *to, const char *term, size_t len, const char *used) {
    for (size_t i = 0; i < len; i++)
        if (strchr(used, term[i]) && (term[i] == '.' || !strchr(to, term[i])))
            if (term[i] != '.' || !strstr(to, "...")) strncat(to, term + i, 1);
}

/* From the left, two operands at a time; one alone goes with a 1. */
KT_OP_BUILD(einsum) {
    char text[96], pair[200], *rest;
    kt_dtype d = in[0]->spec.dtype;
    for (int i = 1; i < n; i++) d = kt_op_promote(d, in[i]->spec.dtype);
    snprintf(text, sizeof text, "%s", ((const einsum_attrs *)attrs)->equation);
    if (!kt_dtype_is_float(d)) {
        kt_val *wide[KT_OP_MAX_IN];
        for (int i = 0; i < n; i++)
            if (!(wide[i] = kt_g_cast(g, in[i], KT_FLOAT64))) return NULL;
        return kt_g_cast(g, einsum_build(g, n, wide, attrs), d);
    }
    kt_val *y = kt_g_cast(g, in[0], d);
    int commas = 0;
    for (const char *c = text; *c; c++) commas += *c == ',';
    if (commas != n - 1)
        return kt_graph_fail(
            g, KT_FAIL(KT_EINVAL, "einsum: \"%s\" has %d operands, got %d", text, commas + 1, n));
    if (n == 2) return kt_g_einsum(g, text, y, kt_g_cast(g, in[1], d));
    if (n == 1) {
        const char *arrow = strstr(text, "->");
        const int len = arrow ? (int)(arrow - text) : (int)strlen(text);
        snprintf(pair, sizeof pair, "%.*s,%s", len, text, text + len);
        return y ? kt_g_einsum(g, pair, y, kt_g_num(g, 1, y)) : NULL;
    }
    if (!strstr(text, "->"))
        return kt_graph_fail(
            g, KT_FAIL(KT_EUNSUPPORTED, "einsum: more than two operands without \"->\""));
    rest = text;
    for (int i = 1; i < n; i++) {
        char *comma = strchr(rest, ',');
        const size_t first = (size_t)(comma - rest), second = strcspn(comma + 1, ",-");
        char *behind = comma + 1 + second, kept[96] = "";
        einsum_keep(kept, rest, first, behind);
        einsum_keep(kept, comma + 1, second, behind);
        const bool last = i == n - 1;
        snprintf(
            pair,
            sizeof pair,
            "%.*s->%s",
            (int)(first + 1 + second),
            rest,
            last ? behind + 2 : kept);
        y = kt_g_einsum(g, pair, y, kt_g_cast(g, in[i], d));
        if (last || !y) return y;
        const size_t tail = strlen(behind) + 1, len = strlen(kept);
        if (len + tail > sizeof text) return kt_graph_fail(g, KT_EINTERNAL);
        memmove(text + len, behind, tail);
        memcpy(text, kept, len);
        rest = text;
    }
    return y;
}
static const kt_op_class einsum_class = {"Einsum", sizeof(einsum_attrs), einsum_build, NULL};
kt_sym *kt_op_einsum(const char *subscripts, kt_sym *a, kt_sym *b) {
    kt_sym *in[2] = {a, b};
    einsum_attrs attrs = {""};
    if (!subscripts || strlen(subscripts) >= sizeof attrs.equation)
        return kt_fail_object(KT_FAIL(
            KT_EINVAL,
            "einsum: expected an equation of up to %d letters",
            (int)sizeof attrs.equation - 1));
    memcpy(attrs.equation, subscripts, strlen(subscripts));
    return kt_op_apply(&einsum_class, 2, in, &attrs);
}

/* Sums of products over pairs of axes ---------------------------------------------------------- */

/* The axes of the list behind (first: before) the others, as a matrix; what is left into *rest. */
static kt_val *matrix(kt_graph *g, kt_val *x, int n, const int *axes, bool first, kt_shape *rest) {
    int perm[KT_MAX_RANK], mask = 0, at = first ? n : 0;
    int64_t inner = 1;
    *rest = (kt_shape){0, {0}};
    for (int i = 0; i < n; i++) mask |= 1 << axes[i];
    for (int i = 0; i < x->spec.shape.ndim; i++)
        if (!(mask >> i & 1)) {
            perm[at++] = i;
            rest->dim[rest->ndim++] = x->spec.shape.dim[i];
        }
    for (int i = 0; i < n; i++) {
        perm[first ? i : at + i] = axes[i];
        inner *= x->spec.shape.dim[axes[i]];
    }
    const int64_t outer = kt_shape_size(rest);
    x = kt_g_transpose(g, x, perm);
    return kt_g_reshape(g, x, first ? kt_dims(inner, outer) : kt_dims(outer, inner));
}

static kt_val *contract(
    kt_graph *g, const char *op, kt_val **in, int n, const int64_t *of_a, const int64_t *of_b) {
    kt_shape left, right;
    int a[KT_MAX_RANK], b[KT_MAX_RANK];
    kt_val *pair[2] = {in[0], in[1]};
    for (int i = 0; i < n; i++) {
        a[i] = kt_op_axis(g, op, of_a[i], pair[0]->spec.shape.ndim);
        b[i] = a[i] < 0 ? -1 : kt_op_axis(g, op, of_b[i], pair[1]->spec.shape.ndim);
        if (b[i] < 0) return NULL;
        const int64_t la = pair[0]->spec.shape.dim[a[i]], lb = pair[1]->spec.shape.dim[b[i]];
        if (la == lb) continue;
        KT_FAIL(KT_ESHAPE, "%s: axis %d of the first operand, %d of the second", op, a[i], b[i]);
        kt_error_expected("one length");
        kt_error_got("%lld and %lld", (long long)la, (long long)lb);
        return kt_graph_fail(g, KT_ESHAPE);
    }
    if (!kt_op_pair(g, pair, false)) return NULL;
    const kt_dtype d = pair[0]->spec.dtype;
    for (int i = 0; i < 2; i++)
        if (!kt_dtype_is_float(d)) pair[i] = kt_g_cast(g, pair[i], KT_FLOAT64);
    if (!pair[0] || !pair[1]) return NULL;
    pair[0] = matrix(g, pair[0], n, a, false, &left);
    pair[1] = matrix(g, pair[1], n, b, true, &right);
    if (left.ndim + right.ndim > KT_MAX_RANK)
        return kt_graph_fail(g, KT_FAIL(KT_ELIMIT, "%s: more than %d axes", op, KT_MAX_RANK));
    for (int i = 0; i < right.ndim; i++) left.dim[left.ndim++] = right.dim[i];
    kt_val *y = kt_g_matmul(g, pair[0], pair[1], false, false);
    return kt_g_cast(g, kt_g_reshape(g, y, left), d);
}

typedef struct {
    char axes[72]; ///< "2", "[1, 0]", "[[2, 1], [0, 1]]"
} tensordot_attrs;

KT_OP_BUILD(tensordot) {
    const char *text = ((const tensordot_attrs *)attrs)->axes;
    int64_t v[2 * KT_MAX_RANK] = {0}, a[KT_MAX_RANK], b[KT_MAX_RANK];
    int count = kt_op_numbers(text, 2 * KT_MAX_RANK, v);
    (void)n;
    if (*text != '[') {
        count = v[0] < 0 || v[0] > KT_MAX_RANK ? KT_MAX_RANK + 1 : (int)v[0];
        for (int i = 0; i < count && count <= KT_MAX_RANK; i++) {
            a[i] = i - count;
            b[i] = i;
        }
    } else {
        if (count % 2 || count > 2 * KT_MAX_RANK)
            return kt_graph_fail(
                g, KT_FAIL(KT_EINVAL, "tensordot: expected as many axes of both operands"));
        count /= 2;
        memcpy(a, v, sizeof *a * (size_t)count);
        memcpy(b, v + count, sizeof *b * (size_t)count);
    }
    if (count > KT_MAX_RANK)
        return kt_graph_fail(g, KT_FAIL(KT_EINVAL, "tensordot: axes are out of range"));
    return contract(g, "tensordot", in, count, a, b);
}

static kt_val *last_axes(kt_graph *g, const char *op, kt_val **in, int64_t of_b) {
    if (in[0]->spec.shape.ndim == 0 || in[1]->spec.shape.ndim == 0)
        return kt_op_pair(g, in, false) ? kt_g_mul(g, in[0], in[1]) : NULL;
    return contract(g, op, in, 1, &(int64_t){-1}, &of_b);
}
KT_OP_BUILD(dot) {
    (void)n, (void)attrs;
    return last_axes(g, "dot", in, in[1]->spec.shape.ndim < 2 ? -1 : -2);
}
KT_OP_BUILD(inner) {
    (void)n, (void)attrs;
    return last_axes(g, "inner", in, -1);
}
KT_OP_BUILD(vdot) {
    (void)n, (void)attrs;
    for (int i = 0; i < 2; i++) in[i] = kt_g_reshape(g, in[i], kt_dims(-1));
    return in[0] && in[1] ? last_axes(g, "vdot", in, -1) : NULL;
}
/* Every element of a times all of b. */
KT_OP_BUILD(kron) {
    kt_shape s[2], y = {0, {0}};
    (void)n, (void)attrs;
    if (!kt_op_pair(g, in, false)) return NULL;
    int ndim = in[0]->spec.shape.ndim;
    if (in[1]->spec.shape.ndim > ndim) ndim = in[1]->spec.shape.ndim;
    if (2 * ndim > KT_MAX_RANK)
        return kt_graph_fail(g, KT_FAIL(KT_ELIMIT, "kron: more than %d axes", KT_MAX_RANK / 2));
    for (int k = 0; k < 2; k++) { /* (a0, 1, a1, 1 …) and (1, b0, 1, b1 …) */
        const kt_shape own = in[k]->spec.shape;
        s[k] = (kt_shape){2 * ndim, {0}};
        for (int i = 0; i < ndim; i++) {
            const int at = i - (ndim - own.ndim);
            if (at >= 0 && own.dim[at] > INT32_MAX)
                return kt_graph_fail(g, KT_FAIL(KT_ELIMIT, "kron: an axis is too long"));
            s[k].dim[2 * i + k] = at < 0 ? 1 : own.dim[at];
            s[k].dim[2 * i + 1 - k] = 1;
        }
    }
    for (int i = 0; i < ndim; i++) y.dim[y.ndim++] = s[0].dim[2 * i] * s[1].dim[2 * i + 1];
    kt_val *all = kt_g_mul(g, kt_g_reshape(g, in[0], s[0]), kt_g_reshape(g, in[1], s[1]));
    return kt_g_reshape(g, all, y);
}
/* Distances of all rows of x from all of y. */
KT_OP_BUILD(cdist) {
    (void)n, (void)attrs;
    if (!kt_op_pair(g, in, true)) return NULL;
    if (in[0]->spec.shape.ndim < 2 || in[1]->spec.shape.ndim < 2)
        return kt_graph_fail(g, KT_FAIL(KT_ESHAPE, "cdist: expected two axes or more"));
    kt_val *off = kt_g_sub(g, kt_g_expand_dims(g, in[0], -2), kt_g_expand_dims(g, in[1], -3));
    kt_val *sq = kt_g_square(g, off);
    return sq ? kt_g_sqrt(g, kt_g_sum(g, sq, 1 << (sq->spec.shape.ndim - 1), false)) : NULL;
}

#define PAIR(fn, camel)                                                                            \
    static const kt_op_class fn##_class = {camel, 0, fn##_build, NULL};                            \
    kt_sym *kt_op_##fn(kt_sym *a, kt_sym *b) {                                                     \
        kt_sym *in[2] = {a, b};                                                                    \
        return kt_op_apply(&fn##_class, 2, in, NULL);                                              \
    }
PAIR(dot, "Dot")
PAIR(inner, "Inner")
PAIR(vdot, "Vdot")
PAIR(kron, "Kron")
PAIR(cdist, "CDist")

static const kt_op_class tensordot_class = {
    "Tensordot", sizeof(tensordot_attrs), tensordot_build, NULL};
kt_sym *kt_op_tensordot(kt_sym *a, kt_sym *b, int axes) {
    kt_sym *in[2] = {a, b};
    tensordot_attrs t;
    memset(&t, 0, sizeof t);
    snprintf(t.axes, sizeof t.axes, "%d", axes);
    return kt_op_apply(&tensordot_class, 2, in, &t);
}
kt_sym *kt_op_tensordot_axes(kt_sym *a, kt_sym *b, kt_shape axes_a, kt_shape axes_b) {
    kt_sym *in[2] = {a, b};
    tensordot_attrs t;
    char x[72], y[72];
    memset(&t, 0, sizeof t);
    kt_op_numbers_text(x, sizeof x, axes_a.ndim, axes_a.dim);
    kt_op_numbers_text(y, sizeof y, axes_b.ndim, axes_b.dim);
    if (axes_a.ndim != axes_b.ndim ||
        snprintf(t.axes, sizeof t.axes, "[%s, %s]", x, y) >= (int)sizeof t.axes)
        return kt_fail_object(KT_FAIL(KT_EINVAL, "tensordot: expected as many axes of both"));
    return kt_op_apply(&tensordot_class, 2, in, &t);
}

/* Cross products ------------------------------------------------------------------------------- */

typedef struct {
    int a, b, c;
    int64_t axis; ///< in place of the three
} cross_attrs;

/* Component i of vectors along the last axis; the third of two is 0. */
static kt_val *component(kt_graph *g, kt_val *x, int i) {
    const int last = x->spec.shape.ndim - 1;
    if (i >= x->spec.shape.dim[last]) return kt_g_num(g, 0, x);
    return kt_g_squeeze(g, kt_g_slice_axis(g, x, last, i, i + 1), last);
}

static kt_val *to_place(kt_graph *g, kt_val *x, int from, int to) {
    int perm[KT_MAX_RANK], at = 0;
    if (!x) return NULL;
    for (int i = 0; i < x->spec.shape.ndim; i++) {
        if (at == from) at++;
        perm[i] = i == to ? from : at++;
    }
    return kt_g_transpose(g, x, perm);
}

KT_OP_BUILD(cross) {
    const cross_attrs *a = attrs;
    const bool one = a->axis != KT_NONE;
    const int64_t of[2] = {one ? a->axis : a->a, one ? a->axis : a->b};
    bool flat = true;
    (void)n;
    if (!kt_op_pair(g, in, false)) return NULL;
    for (int k = 0; k < 2; k++) {
        const kt_shape *s = &in[k]->spec.shape;
        const int axis = kt_op_axis(g, "cross", of[k], s->ndim);
        if (axis < 0) return NULL;
        if (s->dim[axis] != 2 && s->dim[axis] != 3)
            return kt_graph_fail(g, KT_FAIL(KT_ESHAPE, "cross: expected vectors of 2 or 3"));
        flat = flat && s->dim[axis] == 2;
        in[k] = to_place(g, in[k], axis, s->ndim - 1);
        if (!in[k]) return NULL;
    }
    kt_val *c[3];
    for (int i = flat ? 2 : 0; i < 3; i++) {
        const int p = (i + 1) % 3, q = (i + 2) % 3;
        c[i] = kt_g_sub(
            g,
            kt_g_mul(g, component(g, in[0], p), component(g, in[1], q)),
            kt_g_mul(g, component(g, in[0], q), component(g, in[1], p)));
        if (!c[i]) return NULL;
    }
    if (flat) return c[2];
    kt_shape whole = c[2]->spec.shape;
    for (int i = 0; i < 3; i++) c[i] = kt_g_expand_dims(g, kt_g_broadcast(g, c[i], whole), -1);
    kt_val *y = kt_g_concat(g, 3, c, whole.ndim);
    const int to = y ? kt_op_axis(g, "cross", one ? a->axis : a->c, whole.ndim + 1) : -1;
    return to < 0 ? NULL : to_place(g, y, whole.ndim, to);
}
static const kt_op_class cross_class = {"Cross", sizeof(cross_attrs), cross_build, NULL};
kt_sym *kt_op_cross(kt_sym *a, kt_sym *b, int axis) {
    kt_sym *in[2] = {a, b};
    cross_attrs c;
    memset(&c, 0, sizeof c);
    c.a = c.b = c.c = -1;
    c.axis = axis;
    return kt_op_apply(&cross_class, 2, in, &c);
}

/* Diagonals ------------------------------------------------------------------------------------ */

typedef struct {
    int64_t offset;
    int axis1, axis2;
} diagonal_attrs;

/* Every (columns + 1)th element of the flat matrix. */
static kt_val *diagonal_of(kt_graph *g, kt_val *x, const diagonal_attrs *a, const char *op) {
    const int ndim = x->spec.shape.ndim, r = kt_op_axis(g, op, a->axis1, ndim);
    const int c = r < 0 ? -1 : kt_op_axis(g, op, a->axis2, ndim);
    int perm[KT_MAX_RANK], at = 0;
    slice_attrs s;
    if (c < 0) return NULL;
    if (r == c) return kt_graph_fail(g, KT_FAIL(KT_EINVAL, "%s: axis1 and axis2 are the same", op));
    const int64_t rows = x->spec.shape.dim[r], columns = x->spec.shape.dim[c], k = a->offset;
    if (k < -INT32_MAX || k > INT32_MAX)
        return kt_graph_fail(g, KT_FAIL(KT_EINVAL, "%s: offset is out of range", op));
    int64_t len = k >= 0 ? columns - k : rows + k;
    if (k >= 0 && len > rows) len = rows;
    if (k < 0 && len > columns) len = columns;
    for (int i = 0; i < ndim; i++)
        if (i != r && i != c) perm[at++] = i;
    perm[at] = r;
    perm[at + 1] = c;
    x = kt_g_transpose(g, x, perm);
    if (!x) return NULL;
    kt_shape flat = x->spec.shape;
    flat.ndim = at + 1;
    flat.dim[at] = rows * columns;
    for (int i = 0; i <= at; i++) {
        s.start[i] = i < at || len <= 0 ? 0 : k >= 0 ? k : -k * columns;
        s.length[i] = i < at ? flat.dim[i] : len > 0 ? len : 0;
        s.step[i] = i < at ? 1 : columns + 1;
    }
    return kt_g_slice(g, kt_g_reshape(g, x, flat), &s);
}
KT_OP_BUILD(diagonal) {
    (void)n;
    return diagonal_of(g, in[0], attrs, "diagonal");
}
KT_OP_BUILD(trace) {
    (void)n;
    kt_val *x = in[0];
    if (x->spec.dtype == KT_BOOL || x->spec.dtype == KT_UINT8) x = kt_g_cast(g, x, KT_INT32);
    x = x ? diagonal_of(g, x, attrs, "trace") : NULL;
    return x ? kt_g_sum(g, x, 1 << (x->spec.shape.ndim - 1), false) : NULL;
}

/* A vector on diagonal k of a square matrix: rows that are one too long, laid out without gaps. */
static kt_val *on_diagonal(kt_graph *g, kt_val *x, int64_t k) {
    const int64_t len = x->spec.shape.dim[0], away = k == INT64_MIN ? 0 : k < 0 ? -k : k;
    if (k < -INT32_MAX || k > INT32_MAX || len > INT32_MAX - away)
        return kt_graph_fail(g, KT_FAIL(KT_EINVAL, "diag: k is out of range"));
    const int64_t side = len + away, first = k >= 0 ? k : -k * side;
    const pad_attrs row = {{0}, {0, side}, 0}, ends = {{first}, {side}, 0};
    kt_val *y = kt_g_pad(g, kt_g_expand_dims(g, x, 1), &row);
    y = kt_g_pad(g, kt_g_reshape(g, y, kt_dims(-1)), &ends);
    y = y ? kt_g_slice_axis(g, y, 0, 0, side * side) : NULL;
    return kt_g_reshape(g, y, kt_dims(side, side));
}
KT_OP_BUILD(diag) {
    const int64_t k = ((const diagonal_attrs *)attrs)->offset;
    const int ndim = in[0]->spec.shape.ndim;
    (void)n;
    if (ndim == 1) return on_diagonal(g, in[0], k);
    if (ndim == 2) return diagonal_of(g, in[0], &(diagonal_attrs){k, 0, 1}, "diag");
    return kt_graph_fail(g, KT_FAIL(KT_ESHAPE, "diag: expected one or two axes, got %d", ndim));
}
KT_OP_BUILD(diagflat) {
    (void)n;
    kt_val *x = kt_g_reshape(g, in[0], kt_dims(-1));
    return x ? on_diagonal(g, x, ((const diagonal_attrs *)attrs)->offset) : NULL;
}
/* The triangle below (above) diagonal k of the last two axes, zeros elsewhere. */
static kt_val *tril_build(kt_graph *g, int n, kt_val **in, const void *attrs) {
    (void)n;
    return kt_g_triangle(g, in[0], ((const diagonal_attrs *)attrs)->offset, true);
}
static kt_val *triu_build(kt_graph *g, int n, kt_val **in, const void *attrs) {
    (void)n;
    return kt_g_triangle(g, in[0], ((const diagonal_attrs *)attrs)->offset, false);
}

static kt_sym *on(const kt_op_class *op, kt_sym *x, int64_t k, int axis1, int axis2) {
    return kt_op_apply(op, 1, &x, &(diagonal_attrs){k, axis1, axis2});
}
#define DIAGONAL(fn, camel, params, ...)                                                           \
    static const kt_op_class fn##_class = {camel, sizeof(diagonal_attrs), fn##_build, NULL};       \
    kt_sym *kt_op_##fn params { return on(&fn##_class, x, __VA_ARGS__); }
DIAGONAL(diagonal, "Diagonal", (kt_sym * x, int offset, int axis1, int axis2), offset, axis1, axis2)
DIAGONAL(trace, "Trace", (kt_sym * x, int offset, int axis1, int axis2), offset, axis1, axis2)
DIAGONAL(diag, "Diag", (kt_sym * x, int k), k, 0, 1)
DIAGONAL(diagflat, "Diagflat", (kt_sym * x, int k), k, 0, 1)
DIAGONAL(tril, "Tril", (kt_sym * x, int k), k, 0, 1)
DIAGONAL(triu, "Triu", (kt_sym * x, int k), k, 0, 1)

/* All products of flat arrays. */
KT_OP_BUILD(outer) {
    (void)n, (void)attrs;
    if (!kt_op_pair(g, in, true)) return NULL;
    kt_val *column = kt_g_reshape(g, in[0], kt_dims(-1, 1));
    return kt_g_mul(g, column, kt_g_reshape(g, in[1], kt_dims(1, -1)));
}
static const kt_op_class outer_class = {"Outer", 0, outer_build, NULL};
kt_sym *kt_op_outer(kt_sym *a, kt_sym *b) {
    kt_sym *in[2] = {a, b};
    return kt_op_apply(&outer_class, 2, in, NULL);
}

/* Files ---------------------------------------------------------------------------------------- */

static const kt_field einsum_fields[] = {
    KT_F_NAMED(einsum_attrs, equation, "subscripts", KT_FIELD_TEXT), KT_F_END};
static const kt_field tensordot_fields[] = {
    KT_F_AS(tensordot_attrs, axes, KT_FIELD_TEXT), KT_F_END};
static const kt_field cross_fields[] = {
    KT_F_NAMED(cross_attrs, a, "axisa", KT_FIELD_INT),
    KT_F_NAMED(cross_attrs, b, "axisb", KT_FIELD_INT),
    KT_F_NAMED(cross_attrs, c, "axisc", KT_FIELD_INT),
    KT_F(cross_attrs, axis),
    KT_F_END};
static const kt_field diagonal_fields[] = {
    KT_F(diagonal_attrs, offset),
    KT_F(diagonal_attrs, axis1),
    KT_F(diagonal_attrs, axis2),
    KT_F_END};
static const kt_field k_fields[] = {
    KT_F_NAMED(diagonal_attrs, offset, "k", KT_FIELD_INT64), KT_F_END};

const kt_op_form kt_op_forms_products[] = {
    {&einsum_class, "numpy", KT_OP_ANY, einsum_fields, NULL, NULL},
    {&tensordot_class, "numpy", 2, tensordot_fields, NULL, NULL},
    {&dot_class, "numpy", 2, NULL, NULL, NULL},
    {&inner_class, "numpy", 2, NULL, NULL, NULL},
    {&vdot_class, "numpy", 2, NULL, NULL, NULL},
    {&kron_class, "numpy", 2, NULL, NULL, NULL},
    {&cdist_class, "math", 2, NULL, NULL, NULL},
    {&cross_class, "numpy", 2, cross_fields, NULL, NULL},
    {&diagonal_class, "numpy", 1, diagonal_fields, NULL, NULL},
    {&trace_class, "numpy", 1, diagonal_fields, NULL, NULL},
    {&diag_class, "numpy", 1, k_fields, NULL, NULL},
    {&diagflat_class, "numpy", 1, k_fields, NULL, NULL},
    {&tril_class, "numpy", 1, k_fields, NULL, NULL},
    {&triu_class, "numpy", 1, k_fields, NULL, NULL},
    {&outer_class, "numpy", 2, NULL, NULL, NULL},
    {NULL, NULL, 0, NULL, NULL, NULL}};
