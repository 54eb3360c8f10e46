/* kt_op_*, continued: turning and stacking, windows of sequences, choices, classes and segments. */
#include "base/error.h"
#include "nn/symbolic/symbolic.h"

#include <keratin/ops_moves.h>
#include <keratin/runtime.h>

#include <stdio.h>
#include <string.h>

typedef struct {
    int64_t a, b;
    int axis, dtype;
    kt_tuple axes;
    bool flag;
} moves_attrs;
static moves_attrs moves(int64_t a, int64_t b, int axis) {
    moves_attrs m;
    memset(&m, 0, sizeof m);
    m.a = a;
    m.b = b;
    m.axis = axis;
    return m;
}

KT_OP_BUILD(ravel) {
    (void)n, (void)attrs;
    return kt_g_reshape(g, in[0], kt_dims(-1));
}
static const kt_op_class ravel_class = {"Ravel", 0, ravel_build, NULL};
kt_sym *kt_op_ravel(kt_sym *x) { return kt_op_apply(&ravel_class, 1, &x, NULL); }

typedef struct {
    char source[48], destination[48]; ///< "1" or "[1, 2]"
} moveaxis_attrs;

/* Each source comes to stand at its destination, the others keep their order. */
KT_OP_BUILD(moveaxis) {
    const moveaxis_attrs *a = attrs;
    const int ndim = in[0]->spec.shape.ndim;
    int64_t from[KT_MAX_RANK], to[KT_MAX_RANK];
    int perm[KT_MAX_RANK], taken = 0, next = 0;
    const int count = kt_op_numbers(a->source, KT_MAX_RANK, from);
    (void)n;
    if (count != kt_op_numbers(a->destination, KT_MAX_RANK, to) || count > ndim)
        return kt_graph_fail(
            g, KT_FAIL(KT_EINVAL, "moveaxis: source and destination of different lengths"));
    for (int i = 0; i < ndim; i++) perm[i] = -1;
    for (int i = 0; i < count; i++) {
        const int f = kt_op_axis(g, "moveaxis", from[i], ndim);
        const int t = f < 0 ? -1 : kt_op_axis(g, "moveaxis", to[i], ndim);
        if (t < 0) return NULL;
        if (taken >> f & 1 || perm[t] >= 0)
            return kt_graph_fail(g, KT_FAIL(KT_EINVAL, "moveaxis: an axis stands there twice"));
        perm[t] = f;
        taken |= 1 << f;
    }
    for (int i = 0; i < ndim; i++) {
        if (perm[i] >= 0) continue;
        while (taken >> next & 1) next++;
        perm[i] = next++;
    }
    return kt_g_transpose(g, in[0], perm);
}

static const kt_op_class moveaxis_class = {
    "Moveaxis", sizeof(moveaxis_attrs), moveaxis_build, NULL};
kt_sym *kt_op_moveaxis(kt_sym *x, int source, int destination) {
    moveaxis_attrs a;
    memset(&a, 0, sizeof a);
    snprintf(a.source, sizeof a.source, "%d", source);
    snprintf(a.destination, sizeof a.destination, "%d", destination);
    return kt_op_apply(&moveaxis_class, 1, &x, &a);
}

KT_OP_BUILD(fliplr) {
    (void)n, (void)attrs;
    const int axis = kt_op_axis(g, "fliplr", 1, in[0]->spec.shape.ndim);
    return axis < 0 ? NULL : kt_g_reverse(g, in[0], axis);
}
KT_OP_BUILD(flipud) {
    (void)n, (void)attrs;
    const int axis = kt_op_axis(g, "flipud", 0, in[0]->spec.shape.ndim);
    return axis < 0 ? NULL : kt_g_reverse(g, in[0], axis);
}

/* A quarter turn exchanges the axes of a mirrored array. */
KT_OP_BUILD(rot90) {
    const moves_attrs *m = attrs;
    int axes[KT_MAX_RANK], perm[KT_MAX_RANK];
    kt_val *x = in[0];
    const int ndim = x->spec.shape.ndim;
    (void)n;
    if (kt_axes_list(m->axes, axes) != 2)
        return kt_graph_fail(g, KT_FAIL(KT_EINVAL, "rot90: expected two axes"));
    const int p = kt_op_axis(g, "rot90", axes[0], ndim);
    const int q = p < 0 ? -1 : kt_op_axis(g, "rot90", axes[1], ndim);
    if (q < 0) return NULL;
    if (p == q) return kt_graph_fail(g, KT_FAIL(KT_EINVAL, "rot90: the axes are the same"));
    for (int i = 0; i < ndim; i++) perm[i] = i == p ? q : i == q ? p : i;
    for (int64_t k = (m->a % 4 + 4) % 4; k > 0 && x; k--)
        x = kt_g_transpose(g, kt_g_reverse(g, x, q), perm);
    return x;
}

static kt_val *joined(kt_graph *g, int n, kt_val **in, int64_t axis, const char *op) {
    kt_dtype d = in[0]->spec.dtype;
    for (int i = 1; i < n; i++) d = kt_op_promote(d, in[i]->spec.dtype);
    for (int i = 0; i < n; i++) {
        in[i] = kt_g_cast(g, in[i], d);
        if (axis == KT_NONE) in[i] = kt_g_reshape(g, in[i], kt_dims(-1));
        if (!in[i]) return NULL;
    }
    const int at = axis == KT_NONE ? 0 : kt_op_axis(g, op, axis, in[0]->spec.shape.ndim);
    return at < 0 ? NULL : kt_g_concat(g, n, in, at);
}
static kt_val *append_build(kt_graph *g, int n, kt_val **in, const void *attrs) {
    return joined(g, n, in, ((const moves_attrs *)attrs)->a, "append");
}
static kt_val *hstack_build(kt_graph *g, int n, kt_val **in, const void *attrs) {
    (void)attrs;
    return joined(g, n, in, in[0]->spec.shape.ndim > 1, "hstack");
}
static kt_val *vstack_build(kt_graph *g, int n, kt_val **in, const void *attrs) {
    (void)attrs;
    for (int i = 0; i < n; i++)
        if (in[i]->spec.shape.ndim == 1) in[i] = kt_g_expand_dims(g, in[i], 0);
    return in[0] ? joined(g, n, in, 0, "vstack") : NULL;
}
static const kt_op_class append_class = {"Append", sizeof(moves_attrs), append_build, NULL},
                         hstack_class = {"Hstack", 0, hstack_build, NULL},
                         vstack_class = {"Vstack", 0, vstack_build, NULL};
kt_sym *kt_op_append(kt_sym *a, kt_sym *b, int64_t axis) {
    kt_sym *in[2] = {a, b};
    return kt_op_apply(&append_class, 2, in, &(moves_attrs[]){moves(axis, 0, 0)});
}
kt_sym *kt_op_hstack(kt_ref xs) { return kt_op_of_list(&hstack_class, xs, NULL); }
kt_sym *kt_op_vstack(kt_ref xs) { return kt_op_of_list(&vstack_class, xs, NULL); }

/* Behind each other along the third axis, which arrays with fewer axes get. */
KT_OP_BUILD(dstack) {
    kt_dtype d = in[0]->spec.dtype;
    (void)attrs;
    for (int i = 1; i < n; i++) d = kt_op_promote(d, in[i]->spec.dtype);
    for (int i = 0; i < n; i++) {
        kt_val *x = kt_g_cast(g, in[i], d);
        const int ndim = in[i]->spec.shape.ndim;
        if (ndim == 0) x = kt_g_expand_dims(g, x, 0);
        if (ndim < 2) x = kt_g_expand_dims(g, x, 0);
        if (ndim < 3) x = kt_g_expand_dims(g, x, 2);
        if (!(in[i] = x)) return NULL;
    }
    return kt_g_concat(g, n, in, 2);
}

/* Windows of `a` elements, `b` apart, of the last axis: a matrix of positions. */
KT_OP_BUILD(extract_sequences) {
    const moves_attrs *m = attrs;
    const kt_shape *s = &in[0]->spec.shape;
    int perm[KT_MAX_RANK], back[KT_MAX_RANK];
    (void)n;
    if (s->ndim < 1 || s->ndim >= KT_MAX_RANK || m->a < 1 || m->b < 1 || m->a > INT32_MAX)
        return kt_graph_fail(
            g,
            KT_FAIL(KT_EINVAL, "extract_sequences: expected a length and a stride of 1 or more"));
    const int last = s->ndim - 1;
    const int64_t len = s->dim[last], count = len < m->a ? 0 : (len - m->a) / m->b + 1;
    if (count && m->a > INT32_MAX / count) return kt_graph_fail(g, KT_ENOMEM);
    int32_t *at = kt_arena_alloc(g->arena, sizeof *at * (size_t)(count * m->a + 1));
    if (!at) return kt_graph_fail(g, KT_ENOMEM);
    for (int64_t i = 0; i < count * m->a; i++) at[i] = (int32_t)(i / m->a * m->b + i % m->a);
    kt_val *index = kt_g_array(g, at, (kt_spec){KT_INT32, {2, {count, m->a}}});
    perm[0] = last;
    for (int i = 0; i < last; i++) {
        perm[i + 1] = i;
        back[i] = i + 2;
    }
    back[last] = 0;
    back[last + 1] = 1;
    return kt_g_transpose(g, kt_g_gather(g, kt_g_transpose(g, in[0], perm), index), back);
}

/* Powers of x, the highest first or last. */
KT_OP_BUILD(vander) {
    const moves_attrs *m = attrs;
    kt_val *x = in[0];
    (void)n;
    if (x->spec.shape.ndim != 1)
        return kt_graph_fail(g, KT_FAIL(KT_ESHAPE, "vander: expected one axis"));
    const int64_t count = m->a == KT_NONE ? x->spec.shape.dim[0] : m->a;
    if (count < 0 || count > 1 << 20)
        return kt_graph_fail(g, KT_FAIL(KT_EINVAL, "vander: N is out of range"));
    double *power = kt_arena_alloc(g->arena, sizeof *power * (size_t)(count + 1));
    if (!power) return kt_graph_fail(g, KT_ENOMEM);
    for (int64_t i = 0; i < count; i++) power[i] = (double)(m->flag ? i : count - 1 - i);
    const kt_dtype own = x->spec.dtype;
    x = kt_op_floats(g, x);
    if (!x) return NULL;
    kt_val *p = kt_g_array(g, power, (kt_spec){KT_FLOAT64, {1, {count}}});
    kt_val *y = kt_g_pow(g, kt_g_expand_dims(g, x, 1), kt_g_cast(g, p, x->spec.dtype));
    return kt_g_cast(g, y, own);
}

/* conditions, choices, default: the first that holds. */
KT_OP_BUILD(select) {
    const int half = n / 2;
    (void)attrs;
    if (n < 3 || n % 2 == 0)
        return kt_graph_fail(
            g, KT_FAIL(KT_EINVAL, "select: expected as many choices as conditions, and a default"));
    kt_dtype d = in[n - 1]->spec.dtype;
    for (int i = half; i < n; i++) d = kt_op_promote(d, in[i]->spec.dtype);
    kt_val *y = kt_g_cast(g, in[n - 1], d);
    for (int i = half; i-- > 0;)
        y = kt_g_select(g, kt_op_truth(g, in[i]), kt_g_cast(g, in[half + i], d), y);
    return y;
}

/* 1 where one of the numbers of a row is the class. */
KT_OP_BUILD(multi_hot) {
    const moves_attrs *m = attrs;
    const kt_dtype d = m->dtype == KT_NO_DTYPE ? kt_dtype_of(kt_floatx()) : (kt_dtype)m->dtype;
    const int ndim = in[0]->spec.shape.ndim;
    (void)n;
    if (ndim < 1) return kt_graph_fail(g, KT_FAIL(KT_ESHAPE, "multi_hot: expected an axis"));
    if (m->axis != -1 && m->axis != ndim)
        return kt_graph_fail(g, KT_FAIL(KT_EUNSUPPORTED, "multi_hot: axis %d", m->axis));
    kt_val *y = kt_g_one_hot(g, kt_g_cast(g, in[0], KT_INT32), m->a, d);
    return y ? kt_g_reduce(g, KT_RED_MAX, y, 1 << (ndim > 1), false) : NULL;
}

/* Rows of equal numbers added; those below 0 go nowhere. */
KT_OP_BUILD(segment_sum) {
    const int64_t count = ((const moves_attrs *)attrs)->a;
    kt_val *index = kt_g_cast(g, in[1], KT_INT32);
    kt_shape s = in[0]->spec.shape;
    (void)n;
    if (count == KT_NONE)
        return kt_graph_fail(g, KT_FAIL(KT_EUNSUPPORTED, "segment_sum: without num_segments"));
    if (count < 0 || count >= INT32_MAX || s.ndim < 1)
        return kt_graph_fail(g, KT_FAIL(KT_EINVAL, "segment_sum: num_segments is out of range"));
    s.dim[0] = count + 1;
    kt_val *below = index ? kt_g_lt(g, index, kt_g_num(g, 0, index)) : NULL;
    if (!below) return NULL;
    index = kt_g_select(g, below, kt_g_num(g, (double)count, index), index);
    return kt_g_slice_axis(g, kt_g_scatter_add(g, in[0], index, s), 0, 0, count);
}

/* 20 log10(max_val) - 10 log10(mean square difference) */
typedef struct {
    double max_val;
} psnr_attrs;
KT_OP_BUILD(psnr) {
    const double most = ((const psnr_attrs *)attrs)->max_val;
    (void)n;
    if (!kt_shape_equal(&in[0]->spec.shape, &in[1]->spec.shape))
        return kt_graph_fail(g, KT_FAIL(KT_ESHAPE, "psnr: expected two tensors of one shape"));
    if (!kt_op_pair(g, in, true)) return NULL;
    kt_val *sq = kt_g_square(g, kt_g_sub(g, in[0], in[1]));
    if (!sq) return NULL;
    kt_val *mse = kt_g_log(g, kt_g_mean(g, sq, kt_axes_all(sq), false));
    return mse ? kt_g_scale(
                     g,
                     kt_g_sub(g, kt_g_log(g, kt_g_num(g, most * most, mse)), mse),
                     10 * 0.43429448190325182)
               : NULL;
}

#define CLASS(fn, camel)                                                                           \
    static const kt_op_class fn##_class = {camel, sizeof(moves_attrs), fn##_build, NULL};
CLASS(fliplr, "Fliplr")
CLASS(flipud, "Flipud")
CLASS(rot90, "Rot90")
CLASS(dstack, "Dstack")
CLASS(extract_sequences, "ExtractSequences")
CLASS(vander, "Vander")
CLASS(select, "Select")
CLASS(multi_hot, "MultiHot")
CLASS(segment_sum, "SegmentSum")
static const kt_op_class psnr_class = {"PSNR", sizeof(psnr_attrs), psnr_build, NULL};

kt_sym *kt_op_fliplr(kt_sym *x) {
    return kt_op_apply(&fliplr_class, 1, &x, &(moves_attrs[]){moves(0, 0, 0)});
}
kt_sym *kt_op_flipud(kt_sym *x) {
    return kt_op_apply(&flipud_class, 1, &x, &(moves_attrs[]){moves(0, 0, 0)});
}
kt_sym *kt_op_rot90(kt_sym *x, int k, kt_tuple axes) {
    moves_attrs m = moves(k, 0, 0);
    m.axes = axes;
    return kt_op_apply(&rot90_class, 1, &x, &m);
}
kt_sym *kt_op_dstack(kt_ref xs) {
    return kt_op_of_list(&dstack_class, xs, &(moves_attrs[]){moves(0, 0, 0)});
}
kt_sym *kt_op_extract_sequences(kt_sym *x, int sequence_length, int sequence_stride) {
    return kt_op_apply(
        &extract_sequences_class,
        1,
        &x,
        &(moves_attrs[]){moves(sequence_length, sequence_stride, 0)});
}
kt_sym *kt_op_vander(kt_sym *x, int64_t n, bool increasing) {
    moves_attrs m = moves(n, 0, 0);
    m.flag = increasing;
    return kt_op_apply(&vander_class, 1, &x, &m);
}
kt_sym *kt_op_select(kt_ref condlist, kt_ref choicelist, kt_sym *default_value) {
    const void *all[KT_OP_MAX_IN];
    const kt_ref lists[2] = {condlist, choicelist};
    int n = 0;
    for (int i = 0; i < 2; i++) {
        if (kt_is_obj(lists[i]) && kt_failed(lists[i])) return kt_fail_object(kt_check(lists[i]));
        const int len = kt_is(lists[i], KT_KIND_LIST) ? kt_list_len(lists[i]) : 1;
        if (n + len >= KT_OP_MAX_IN || (i && len != n))
            return kt_fail_object(KT_FAIL(KT_EINVAL, "select: expected up to 7 pairs"));
        for (int k = 0; k < len; k++)
            all[n++] = kt_is(lists[i], KT_KIND_LIST) ? kt_list_get(lists[i], k) : lists[i];
    }
    all[n++] = default_value;
    kt_sym *y = kt_op_of_list(&select_class, kt_list_of(n, all), &(moves_attrs[]){moves(0, 0, 0)});
    for (int i = 0; i < 2; i++)
        if (kt_is(lists[i], KT_KIND_LIST)) kt_drop(lists[i]);
    return y;
}
kt_sym *kt_op_multi_hot(kt_sym *inputs, int64_t num_classes, const char *dtype) {
    moves_attrs m = moves(num_classes, 0, -1);
    m.dtype = dtype ? kt_dtype_of(dtype) : KT_NO_DTYPE;
    if (dtype && m.dtype == KT_NO_DTYPE)
        return kt_fail_object(KT_FAIL(KT_EINVAL, "dtype: unknown name \"%.60s\"", dtype));
    return kt_op_apply(&multi_hot_class, 1, &inputs, &m);
}
kt_sym *kt_op_segment_sum(kt_sym *data, kt_sym *segment_ids, int64_t num_segments) {
    kt_sym *in[2] = {data, segment_ids};
    return kt_op_apply(&segment_sum_class, 2, in, &(moves_attrs[]){moves(num_segments, 0, 0)});
}
kt_sym *kt_op_psnr(kt_sym *x1, kt_sym *x2, double max_val) {
    kt_sym *in[2] = {x1, x2};
    return kt_op_apply(&psnr_class, 2, in, &(psnr_attrs){max_val});
}

/* Files ---------------------------------------------------------------------------------------- */

#define A(name) KT_F_NAMED(moves_attrs, a, name, KT_FIELD_INT64)
static const kt_field rot90_fields[] = {A("k"), KT_F(moves_attrs, axes), KT_F_END};
static const kt_field sequences_fields[] = {
    A("sequence_length"), KT_F_NAMED(moves_attrs, b, "sequence_stride", KT_FIELD_INT64), KT_F_END};
static const kt_field vander_fields[] = {
    A("N"), KT_F_NAMED(moves_attrs, flag, "increasing", KT_FIELD_BOOL), KT_F_END};
static const kt_field multi_hot_fields[] = {
    A("num_classes"),
    KT_F(moves_attrs, axis),
    KT_F_AS(moves_attrs, dtype, KT_FIELD_DTYPE),
    KT_F_END};
static const kt_field segment_fields[] = {A("num_segments"), KT_F_END};
static const kt_field psnr_fields[] = {KT_F(psnr_attrs, max_val), KT_F_END};
static const kt_field moveaxis_fields[] = {
    KT_F_AS(moveaxis_attrs, source, KT_FIELD_TEXT),
    KT_F_AS(moveaxis_attrs, destination, KT_FIELD_TEXT),
    KT_F_END};
static const kt_field append_fields[] = {A("axis"), KT_F_END};

const kt_op_form kt_op_forms_moves[] = {
    {&ravel_class, "numpy", 1, NULL, NULL, NULL},
    {&moveaxis_class, "numpy", 1, moveaxis_fields, NULL, NULL},
    {&append_class, "numpy", 2, append_fields, NULL, NULL},
    {&hstack_class, "numpy", KT_OP_LIST, NULL, NULL, NULL},
    {&vstack_class, "numpy", KT_OP_LIST, NULL, NULL, NULL},
    {&fliplr_class, "numpy", 1, NULL, NULL, NULL},
    {&flipud_class, "numpy", 1, NULL, NULL, NULL},
    {&rot90_class, "numpy", 1, rot90_fields, NULL, NULL},
    {&dstack_class, "numpy", KT_OP_LIST, NULL, NULL, NULL},
    {&extract_sequences_class, "math", 1, sequences_fields, NULL, NULL},
    {&vander_class, "numpy", 1, vander_fields, NULL, NULL},
    {&select_class, "numpy", KT_OP_ANY, NULL, NULL, NULL},
    {&multi_hot_class, "nn", 1, multi_hot_fields, NULL, NULL},
    {&segment_sum_class, "math", 2, segment_fields, NULL, NULL},
    {&psnr_class, "nn", 2, psnr_fields, NULL, NULL},
    {NULL, NULL, 0, NULL, NULL, NULL}};
