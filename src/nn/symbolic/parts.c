/* kt_op_*, continued: several tensors out of one, one out of several, and parts replaced. */
#include "base/error.h"
#include "nn/symbolic/symbolic.h"

#include <keratin/ops_parts.h>

#include <stdio.h>
#include <string.h>

/* Splitting ------------------------------------------------------------------------------------ */

typedef struct {
    int axis;
    bool uneven;  ///< the first parts may be one longer
    char at[100]; ///< "[2, 5]": where the second, third … part begins; "3": into how many parts
} split_attrs;

static int too_many(kt_graph *g, const char *op, int64_t n) {
    kt_graph_fail(
        g, KT_FAIL(KT_ELIMIT, "%s: %lld parts, at most %d", op, (long long)n, KT_MAX_TENSORS));
    return 0;
}

static int cut(
    kt_graph *g, kt_val *x, int axis, int n, const int64_t *start, int64_t len, kt_val **out) {
    for (int i = 0; i < n; i++) {
        const int64_t stop = i < n - 1 ? start[i + 1] : len;
        if (stop < start[i] || start[i] < 0 || stop > len) {
            kt_graph_fail(g, KT_FAIL(KT_EINVAL, "split: parts that are not in order"));
            return 0;
        }
        out[i] = kt_g_slice_axis(g, x, axis, start[i], stop);
    }
    return n;
}

static int split_outputs(kt_graph *g, int n, kt_val **in, const void *attrs, kt_val **out) {
    const split_attrs *a = attrs;
    int64_t start[KT_MAX_TENSORS + 1] = {0}, parts;
    const int axis = kt_op_axis(g, "split", a->axis, in[0]->spec.shape.ndim);
    const int count = kt_op_numbers(a->at, KT_MAX_TENSORS, start + 1);
    (void)n;
    if (axis < 0) return 0;
    const int64_t len = in[0]->spec.shape.dim[axis];
    if (*a->at == '[') {
        if (count >= KT_MAX_TENSORS) return too_many(g, "split", count + 1);
        for (int i = 1; i <= count; i++) /* from the end if negative, as in Python */
            if (start[i] < 0) start[i] += len;
        return cut(g, in[0], axis, count + 1, start, len, out);
    }
    parts = start[1];
    if (parts > KT_MAX_TENSORS) return too_many(g, "split", parts);
    if (parts < 1 || (!a->uneven && len % parts)) {
        KT_FAIL(KT_EINVAL, "split: a length of %lld into parts", (long long)len);
        kt_error_expected("a number that divides it");
        kt_error_got("%lld", (long long)parts);
        kt_graph_fail(g, KT_EINVAL);
        return 0;
    }
    for (int64_t i = 1; i < parts; i++) start[i] = start[i - 1] + len / parts + (i <= len % parts);
    return cut(g, in[0], axis, (int)parts, start, len, out);
}

/* hsplit, vsplit, dsplit: their class says which axis. */
#define SPLIT_OF(fn, camel, at)                                                                    \
    static int fn##_outputs(kt_graph *g, int n, kt_val **in, const void *attrs, kt_val **out) {    \
        split_attrs a = *(const split_attrs *)attrs;                                               \
        a.axis = at;                                                                               \
        return split_outputs(g, n, in, &a, out);                                                   \
    }                                                                                              \
    static const kt_op_class fn##_class = {camel, sizeof(split_attrs), NULL, fn##_outputs};
SPLIT_OF(hsplit, "Hsplit", in[0]->spec.shape.ndim > 1)
SPLIT_OF(vsplit, "Vsplit", 0)
SPLIT_OF(dsplit, "Dsplit", 2)

static int array_split_outputs(kt_graph *g, int n, kt_val **in, const void *attrs, kt_val **out) {
    split_attrs a = *(const split_attrs *)attrs;
    a.uneven = true;
    return split_outputs(g, n, in, &a, out);
}

static int unstack_outputs(kt_graph *g, int n, kt_val **in, const void *attrs, kt_val **out) {
    const int axis = kt_op_axis(
        g, "unstack", ((const split_attrs *)attrs)->axis, in[0]->spec.shape.ndim);
    (void)n;
    if (axis < 0) return 0;
    const int64_t len = in[0]->spec.shape.dim[axis];
    if (len > KT_MAX_TENSORS) return too_many(g, "unstack", len);
    if (len == 0) kt_graph_fail(g, KT_FAIL(KT_EINVAL, "unstack: axis %d is empty", axis));
    for (int64_t i = 0; i < len; i++)
        out[i] = kt_g_squeeze(g, kt_g_slice_axis(g, in[0], axis, i, i + 1), axis);
    return (int)len;
}

static const kt_op_class split_class = {"Split", sizeof(split_attrs), NULL, split_outputs},
                         array_split_class =
                             {"ArraySplit", sizeof(split_attrs), NULL, array_split_outputs},
                         unstack_class = {"Unstack", sizeof(split_attrs), NULL, unstack_outputs};

static kt_sym *split(const kt_op_class *op, kt_sym *x, int sections, int axis) {
    split_attrs a;
    memset(&a, 0, sizeof a);
    a.axis = axis;
    snprintf(a.at, sizeof a.at, "%d", sections);
    return kt_op_apply(op, 1, &x, &a);
}
kt_sym *kt_op_split(kt_sym *x, int sections, int axis) {
    return split(&split_class, x, sections, axis);
}
kt_sym *kt_op_split_at(kt_sym *x, kt_shape indices, int axis) {
    split_attrs a;
    memset(&a, 0, sizeof a);
    a.axis = axis;
    kt_op_numbers_text(a.at, sizeof a.at, indices.ndim, indices.dim);
    return kt_op_apply(&split_class, 1, &x, &a);
}
kt_sym *kt_op_array_split(kt_sym *x, int sections, int axis) {
    return split(&array_split_class, x, sections, axis);
}
kt_sym *kt_op_hsplit(kt_sym *x, int sections) { return split(&hsplit_class, x, sections, 0); }
kt_sym *kt_op_vsplit(kt_sym *x, int sections) { return split(&vsplit_class, x, sections, 0); }
kt_sym *kt_op_dsplit(kt_sym *x, int sections) { return split(&dsplit_class, x, sections, 0); }
kt_sym *kt_op_unstack(kt_sym *x, int axis) { return split(&unstack_class, x, 0, axis); }

/* Coordinates ---------------------------------------------------------------------------------- */

typedef struct {
    char indexing[4];
    kt_shape shape;
} grid_attrs;

/* Each flat array along its own axis of a common grid; "xy" has the first two exchanged. */
static int meshgrid_outputs(kt_graph *g, int n, kt_val **in, const void *attrs, kt_val **out) {
    const bool xy = !strcmp(((const grid_attrs *)attrs)->indexing, "xy") && n > 1;
    kt_shape grid = {n, {0}};
    if (n > KT_MAX_TENSORS || n > KT_MAX_RANK) return too_many(g, "meshgrid", n);
    for (int i = 0; i < n; i++) {
        const int at = xy && i < 2 ? 1 - i : i;
        in[i] = kt_g_reshape(g, in[i], kt_dims(-1));
        if (!in[i]) return 0;
        grid.dim[at] = in[i]->spec.shape.dim[0];
    }
    for (int i = 0; i < n; i++) {
        const int at = xy && i < 2 ? 1 - i : i;
        kt_shape own = {n, {0}};
        for (int k = 0; k < n; k++) own.dim[k] = k == at ? grid.dim[k] : 1;
        out[i] = kt_g_broadcast(g, kt_g_reshape(g, in[i], own), grid);
    }
    return n;
}
static const kt_op_class meshgrid_class = {"Meshgrid", sizeof(grid_attrs), NULL, meshgrid_outputs};
kt_sym *kt_op_meshgrid(kt_ref xs, const char *indexing) {
    grid_attrs a;
    memset(&a, 0, sizeof a);
    if (kt_op_text(a.indexing, sizeof a.indexing, indexing ? indexing : "xy", "meshgrid") ||
        (strcmp(a.indexing, "xy") != 0 && strcmp(a.indexing, "ij") != 0))
        return kt_fail_object(KT_FAIL(KT_EINVAL, "meshgrid: indexing is \"xy\" or \"ij\""));
    return kt_op_of_list(&meshgrid_class, xs, &a);
}

static int unravel_outputs(kt_graph *g, int n, kt_val **in, const void *attrs, kt_val **out) {
    const kt_shape *s = &((const grid_attrs *)attrs)->shape;
    int64_t stride[KT_MAX_RANK];
    (void)n;
    if (s->ndim < 1) {
        kt_graph_fail(g, KT_FAIL(KT_EINVAL, "unravel_index: expected a shape"));
        return 0;
    }
    if (kt_shape_size(s) < 1 || s->ndim > KT_MAX_TENSORS) {
        kt_graph_fail(
            g, KT_FAIL(KT_EINVAL, "unravel_index: a shape without elements, or too large"));
        return 0;
    }
    kt_strides(s, stride);
    kt_val *x = in[0];
    const int64_t size = kt_shape_size(s);
    kt_val *negative = kt_g_lt(g, x, kt_g_num(g, 0, x));
    x = kt_g_select(g, negative, kt_g_shift(g, x, (double)size), x);
    for (int i = 0; i < s->ndim && x; i++) {
        kt_val *q = kt_g_floor_div(g, x, kt_g_num(g, (double)stride[i], x));
        out[i] = q ? kt_g_mod(g, q, kt_g_num(g, (double)s->dim[i], q)) : NULL;
    }
    return s->ndim;
}
static const kt_op_class unravel_class = {
    "UnravelIndex", sizeof(grid_attrs), NULL, unravel_outputs};
kt_sym *kt_op_unravel_index(kt_sym *indices, kt_shape shape) {
    grid_attrs a;
    memset(&a, 0, sizeof a);
    a.shape = shape;
    return kt_op_apply(&unravel_class, 1, &indices, &a);
}

/* Parts read and replaced ---------------------------------------------------------------------- */

typedef struct {
    kt_shape shape, start; ///< of slice; -1 or None in shape: to the end
    char reduction[8];
} part_attrs;

KT_OP_BUILD(slice) {
    const part_attrs *a = attrs;
    const kt_shape *s = &in[0]->spec.shape;
    slice_attrs at;
    (void)n;
    if (a->start.ndim != s->ndim || a->shape.ndim != s->ndim)
        return kt_graph_fail(
            g, KT_FAIL(KT_EINVAL, "slice: expected a start and a length for %d axes", s->ndim));
    for (int i = 0; i < s->ndim; i++) {
        const int64_t start = a->start.dim[i], len = a->shape.dim[i];
        const bool rest = len == -1 || len == KT_NONE;
        if (start < 0 || start > s->dim[i] || (!rest && (len < 0 || len > s->dim[i] - start))) {
            KT_FAIL(KT_EINVAL, "slice: %lld elements of axis %d", (long long)len, i);
            kt_error_expected("at most %lld from %lld on", (long long)s->dim[i], (long long)start);
            return kt_graph_fail(g, KT_EINVAL);
        }
        at.start[i] = start;
        at.length[i] = rest ? s->dim[i] - start : len;
        at.step[i] = 1;
    }
    return kt_g_slice(g, in[0], &at);
}

/* x with `updates` put in at start, which moves so that they fit. */
KT_OP_BUILD(slice_update) {
    const part_attrs *a = attrs;
    const kt_shape *s = &in[0]->spec.shape, *u = &in[1]->spec.shape;
    pad_attrs around = {{0}, {0}, 0};
    (void)n;
    if (a->start.ndim != s->ndim || u->ndim != s->ndim)
        return kt_graph_fail(
            g,
            KT_FAIL(KT_ESHAPE, "slice_update: expected a start and updates of %d axes", s->ndim));
    for (int i = 0; i < s->ndim; i++) {
        int64_t start = a->start.dim[i] < 0 ? a->start.dim[i] + s->dim[i] : a->start.dim[i];
        if (u->dim[i] > s->dim[i])
            return kt_graph_fail(
                g, KT_FAIL(KT_ESHAPE, "slice_update: updates are longer than axis %d", i));
        start = start < 0 ? 0 : start > s->dim[i] - u->dim[i] ? s->dim[i] - u->dim[i] : start;
        around.before[i] = start;
        around.after[i] = s->dim[i] - u->dim[i] - start;
    }
    kt_val *inside = kt_g_const(g, 1, (kt_spec){KT_BOOL, *u});
    kt_val *wide = kt_g_pad(g, kt_g_cast(g, in[1], in[0]->spec.dtype), &around);
    return kt_g_select(g, kt_g_pad(g, inside, &around), wide, in[0]);
}
static const kt_op_class slice_class = {"Slice", sizeof(part_attrs), slice_build, NULL},
                         slice_update_class = {
                             "SliceUpdate", sizeof(part_attrs), slice_update_build, NULL};
static kt_sym *part(const kt_op_class *op, int n, kt_sym **in, kt_shape start, kt_shape shape) {
    part_attrs a;
    memset(&a, 0, sizeof a);
    a.start = start;
    a.shape = shape;
    return kt_op_apply(op, n, in, &a);
}
kt_sym *kt_op_slice_of(kt_sym *x, kt_shape start_indices, kt_shape shape) {
    return part(&slice_class, 1, &x, start_indices, shape);
}
kt_sym *kt_op_slice_update(kt_sym *x, kt_shape start_indices, kt_sym *updates) {
    kt_sym *in[2] = {x, updates};
    return part(&slice_update_class, 2, in, start_indices, (kt_shape){0, {0}});
}

/* Rows that coordinates (…, k) name in the first k axes of a shape; flat numbers of them. -1 where
 * one is outside, which a scatter refuses. */
static kt_val *flat_rows(
    kt_graph *g, const char *op, kt_val *index, const kt_shape *s, kt_shape *rows) {
    const kt_shape *at = &index->spec.shape;
    const int64_t k = at->ndim ? at->dim[at->ndim - 1] : 0;
    if (at->ndim < 1 || k > s->ndim)
        return kt_graph_fail(
            g,
            KT_FAIL(KT_ESHAPE, "%s: expected indices (…, k) with up to %d numbers", op, s->ndim));
    *rows = (kt_shape){1, {kt_shape_range(s, 0, (int)k)}};
    for (int i = (int)k; i < s->ndim; i++) rows->dim[rows->ndim++] = s->dim[i];
    index = kt_g_reshape(g, kt_g_cast(g, index, KT_INT32), kt_dims(-1, k));
    kt_val *flat = kt_g_const(g, 0, (kt_spec){KT_INT32, {0, {0}}}), *bad = flat;
    int64_t stride = rows->dim[0];
    if (stride > INT32_MAX) return kt_graph_fail(g, KT_FAIL(KT_ELIMIT, "%s: too many rows", op));
    for (int i = 0; i < k; i++) {
        kt_val *one = kt_g_squeeze(g, kt_g_slice_axis(g, index, 1, i, i + 1), 1);
        if (!one) return NULL;
        stride = s->dim[i] ? stride / s->dim[i] : 0;
        flat = kt_g_add(g, flat, kt_g_scale(g, one, (double)stride));
        kt_val *inside = kt_g_clip(g, one, 0, (double)(s->dim[i] - 1));
        bad = kt_g_add(g, bad, kt_g_cast(g, kt_g_ne(g, inside, one), KT_INT32));
    }
    if (!bad) return NULL;
    return kt_g_select(g, kt_g_gt(g, bad, kt_g_num(g, 0, bad)), kt_g_num(g, -1, flat), flat);
}

/* The updates as one row for each index. */
static kt_val *rows_of(kt_graph *g, kt_val *updates, const kt_val *flat, const kt_shape *rows) {
    kt_shape s = *rows;
    if (!flat || !updates) return NULL;
    s.dim[0] = flat->spec.shape.dim[0];
    if (kt_shape_size(&updates->spec.shape) != kt_shape_size(&s))
        return kt_graph_fail(
            g, KT_FAIL(KT_ESHAPE, "scatter: the updates are not one slice for each index"));
    return kt_g_reshape(g, updates, s);
}

KT_OP_BUILD(scatter) {
    const kt_shape *s = &((const part_attrs *)attrs)->shape;
    kt_shape rows;
    (void)n;
    if (kt_shape_size(s) < 0)
        return kt_graph_fail(
            g, KT_FAIL(KT_EUNSUPPORTED, "scatter: a shape with open lengths, or too large"));
    kt_val *flat = flat_rows(g, "scatter", in[0], s, &rows);
    kt_val *values = rows_of(g, in[1], flat, &rows);
    return kt_g_reshape(g, kt_g_scatter_add(g, values, flat, rows), *s);
}

/* 1 for an index that no later one equals: the last update of an element stays. */
static kt_val *lasting(kt_graph *g, kt_val *flat) {
    const int64_t n = flat->spec.shape.dim[0];
    int32_t *at = kt_arena_alloc(g->arena, sizeof *at * (size_t)(n + 1));
    if (!at) return kt_graph_fail(g, KT_ENOMEM);
    for (int64_t i = 0; i < n; i++) at[i] = (int32_t)i;
    kt_val *number = kt_g_array(g, at, (kt_spec){KT_INT32, {1, {n}}});
    kt_val *row = kt_g_expand_dims(g, number, 0), *column = kt_g_expand_dims(g, number, 1);
    kt_val *same = kt_g_eq(g, kt_g_expand_dims(g, flat, 1), kt_g_expand_dims(g, flat, 0));
    same = kt_g_cast(g, kt_g_minimum(g, same, kt_g_gt(g, row, column)), KT_INT32);
    kt_val *count = same ? kt_g_sum(g, same, 2, false) : NULL;
    return count ? kt_g_eq(g, count, kt_g_num(g, 0, count)) : NULL;
}

/* x with updates put in (or added) at the elements that the indices name. */
KT_OP_BUILD(scatter_update) {
    const part_attrs *a = attrs;
    const kt_dtype d = in[0]->spec.dtype;
    const bool add = !strcmp(a->reduction, "add");
    kt_shape rows;
    (void)n;
    if (*a->reduction && !add)
        return kt_graph_fail(
            g, KT_FAIL(KT_EUNSUPPORTED, "scatter_update: reduction \"%.7s\"", a->reduction));
    kt_val *flat = flat_rows(g, "scatter_update", in[1], &in[0]->spec.shape, &rows);
    kt_val *values = rows_of(g, kt_g_cast(g, in[2], d), flat, &rows);
    kt_val *x = kt_g_reshape(g, in[0], rows);
    if (!x || !values) return NULL;
    if (add)
        return kt_g_reshape(
            g, kt_g_add(g, x, kt_g_scatter_add(g, values, flat, rows)), in[0]->spec.shape);
    kt_shape flags = {rows.ndim, {flat->spec.shape.dim[0]}}, one = {1, {rows.dim[0]}};
    for (int i = 1; i < rows.ndim; i++) flags.dim[i] = 1;
    kt_val *last = lasting(g, flat);
    kt_val *kept = kt_g_select(g, kt_g_reshape(g, last, flags), values, kt_g_num(g, 0, values));
    kt_val *ones = kt_g_const(g, 1, (kt_spec){KT_INT32, flat->spec.shape});
    kt_val *hit = kt_g_scatter_add(g, ones, flat, one);
    if (!hit) return NULL;
    flags.dim[0] = rows.dim[0];
    hit = kt_g_reshape(g, kt_g_gt(g, hit, kt_g_num(g, 0, hit)), flags);
    kt_val *y = kt_g_select(g, hit, kt_g_scatter_add(g, kept, flat, rows), x);
    return kt_g_reshape(g, y, in[0]->spec.shape);
}
static const kt_op_class scatter_class = {"Scatter", sizeof(part_attrs), scatter_build, NULL},
                         scatter_update_class = {
                             "ScatterUpdate", sizeof(part_attrs), scatter_update_build, NULL};
kt_sym *kt_op_scatter(kt_sym *indices, kt_sym *values, kt_shape shape) {
    kt_sym *in[2] = {indices, values};
    return part(&scatter_class, 2, in, (kt_shape){0, {0}}, shape);
}
kt_sym *kt_op_scatter_update(kt_sym *x, kt_sym *indices, kt_sym *updates, const char *reduction) {
    kt_sym *in[3] = {x, indices, updates};
    part_attrs a;
    memset(&a, 0, sizeof a);
    const kt_status st = kt_op_text(
        a.reduction, sizeof a.reduction, reduction ? reduction : "", "scatter_update: reduction");
    if (st) return kt_fail_object(st);
    return kt_op_apply(&scatter_update_class, 3, in, &a);
}

/* Files ---------------------------------------------------------------------------------------- */

#define AT KT_F_NAMED(split_attrs, at, "indices_or_sections", KT_FIELD_TEXT)
static const kt_field at_fields[] = {AT, KT_F_END};
static const kt_field split_fields[] = {AT, KT_F(split_attrs, axis), KT_F_END};
static const kt_field unstack_fields[] = {KT_F(split_attrs, axis), KT_F_END};
static const kt_field meshgrid_fields[] = {KT_F_AS(grid_attrs, indexing, KT_FIELD_TEXT), KT_F_END};
static const kt_field unravel_fields[] = {KT_F(grid_attrs, shape), KT_F_END};
static const kt_field scatter_fields[] = {KT_F(part_attrs, shape), KT_F_END};
#define START KT_F_NAMED(part_attrs, start, "start_indices", KT_FIELD_DIMS)
static const kt_field slice_fields[] = {KT_F(part_attrs, shape), START, KT_F_END};
static const kt_field update_fields[] = {START, KT_F_END};
static const kt_field reduction_fields[] = {
    KT_F_AS(part_attrs, reduction, KT_FIELD_TEXT), KT_F_END};

const kt_op_form kt_op_forms_parts[] = {
    {&split_class, "numpy", 1, split_fields, NULL, NULL},
    {&array_split_class, "numpy", 1, split_fields, NULL, NULL},
    {&hsplit_class, "numpy", 1, at_fields, NULL, NULL},
    {&vsplit_class, "numpy", 1, at_fields, NULL, NULL},
    {&dsplit_class, "numpy", 1, at_fields, NULL, NULL},
    {&unstack_class, "core", 1, unstack_fields, NULL, NULL},
    {&meshgrid_class, "numpy", KT_OP_ANY, meshgrid_fields, NULL, NULL},
    {&unravel_class, "numpy", 1, unravel_fields, NULL, NULL},
    {&slice_class, "core", 1, slice_fields, NULL, "inputs start_indices"},
    {&slice_update_class, "core", 2, update_fields, NULL, "inputs start_indices updates"},
    {&scatter_class, "core", 2, scatter_fields, NULL, NULL},
    {&scatter_update_class, "core", 3, reduction_fields, NULL, NULL},
    {NULL, NULL, 0, NULL, NULL, NULL}};
