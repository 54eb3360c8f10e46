/* Random graphs for tests of passes, of the planner and of the executor. */
#include "ops/build.h"
#include "testing/graphs.h"

#include <string.h>

#define MAX_VALS 400

typedef struct {
    kt_graph *g;
    uint64_t seed;
    kt_val *v[MAX_VALS];
    int n;
} maker;

static int pick(maker *m, int n) { return (int)(kt_test_random(&m->seed) * n); }

static kt_val *any(maker *m) { return m->v[pick(m, m->n)]; }

/* A value of the dtype, recent ones more often; NULL after some tries. */
static kt_val *any_of(maker *m, kt_dtype dtype) {
    for (int i = 0; i < 20; i++) {
        kt_val *v = m->v[m->n > 8 && pick(m, 2) ? m->n - 1 - pick(m, 8) : pick(m, m->n)];
        if (v->spec.dtype == dtype) return v;
    }
    return NULL;
}

static void add(maker *m, kt_val *v) {
    if (v && m->n < MAX_VALS) m->v[m->n++] = v;
    kt_check_status(m->g->status, KT_OK);
}

static const kt_opdef *const unaries[] = {
    &kt_opdef_neg,
    &kt_opdef_abs,
    &kt_opdef_relu,
    &kt_opdef_tanh,
    &kt_opdef_sigmoid,
    &kt_opdef_sin,
    &kt_opdef_square,
    &kt_opdef_sign,
    &kt_opdef_softplus,
    &kt_opdef_floor}; /* jumps: 7, 9 */
static const kt_opdef *const binaries[] = {
    &kt_opdef_add,
    &kt_opdef_sub,
    &kt_opdef_mul,
    &kt_opdef_maximum,
    &kt_opdef_minimum,
    &kt_opdef_relu_grad};
static const kt_opdef *const compares[] = {&kt_opdef_lt, &kt_opdef_ge, &kt_opdef_ne, &kt_opdef_gt};

/* Bounded again after growth, so that chains of products do not overflow. */
static kt_val *tame(maker *m, kt_val *v) { return pick(m, 4) ? v : kt_g_tanh(m->g, v); }

/* Away from the numbers that values are equal to by construction: functions with a jump would
 * otherwise tell apart results that differ by a rounding. */
static kt_val *off(maker *m, kt_val *v) { return v ? kt_g_shift(m->g, v, 0.0377) : NULL; }

static kt_val *random_unary(maker *m) {
    kt_val *x = any_of(m, KT_FLOAT32);
    const int which = pick(m, 10);
    if (which == 7 || which == 9) x = off(m, x);
    return x ? tame(m, kt_g_unary(m->g, unaries[which], x)) : NULL;
}

static bool goes_together(const kt_val *a, const kt_val *b) {
    kt_shape s;
    return a && b && !kt_shape_broadcast(&a->spec.shape, &b->spec.shape, &s);
}

static kt_val *random_binary(maker *m) {
    kt_val *a = any_of(m, KT_FLOAT32), *b = any_of(m, KT_FLOAT32);
    if (a && pick(m, 5) == 0) b = kt_g_num(m->g, kt_test_random(&m->seed) * 4 - 2, a);
    if (!goes_together(a, b)) return NULL;
    const int which = pick(m, 6);
    if (which == 5) b = off(m, b); /* relu_grad */
    return tame(m, kt_g_binary(m->g, binaries[which], a, b));
}

static kt_val *random_choice(maker *m) {
    kt_val *a = any_of(m, KT_FLOAT32), *b = any_of(m, KT_FLOAT32);
    if (!goes_together(a, b)) return NULL;
    b = off(m, b);
    kt_val *c = kt_g_binary(m->g, compares[pick(m, 4)], a, b);
    if (pick(m, 3) == 0) return kt_g_cast(m->g, c, KT_FLOAT32);
    if (pick(m, 4) == 0) return c;
    kt_val *x = any_of(m, KT_FLOAT32);
    return goes_together(c, x) && goes_together(a, x) && goes_together(b, x)
               ? kt_g_select(m->g, c, a, x)
               : c;
}

static kt_val *random_cast(maker *m) {
    kt_val *x = any(m);
    if (x->spec.dtype != KT_FLOAT32) return kt_g_cast(m->g, x, KT_FLOAT32);
    return pick(m, 3) ? NULL : kt_g_cast(m->g, off(m, x), KT_BOOL);
}

static kt_val *random_shape(maker *m) {
    kt_val *x = any(m);
    const kt_shape s = x->spec.shape;
    const int64_t size = kt_shape_size(&s);
    int perm[KT_MAX_RANK];
    for (int i = 0; i < s.ndim; i++) perm[i] = s.ndim - 1 - i;
    switch (pick(m, 5)) {
    case 0:
        return kt_g_reshape(m->g, x, (kt_shape){1, {size}});
    case 1:
        return s.ndim == 2 ? kt_g_transpose(m->g, x, perm) : NULL;
    case 2:
        return size > 4 ? kt_g_view(m->g, x, pick(m, 3), (kt_shape){1, {size / 2}}) : NULL;
    case 3:
        return s.ndim == 1 ? kt_g_broadcast(m->g, x, (kt_shape){2, {3, s.dim[0]}}) : NULL;
    default:
        return s.ndim == 2 ? kt_g_reshape(m->g, x, (kt_shape){3, {s.dim[0], 1, s.dim[1]}}) : NULL;
    }
}

static kt_val *random_reduce(maker *m) {
    kt_val *x = any_of(m, KT_FLOAT32);
    if (!x || x->spec.shape.ndim == 0) return NULL;
    const int kind = pick(m, 3), axes = 1 + pick(m, kt_axes_all(x)), keep = pick(m, 2);
    kt_val *y = kt_g_reduce(m->g, (kt_reduce_kind)kind, x, axes, keep);
    return kt_g_tanh(m->g, y);
}

static kt_val *random_product(maker *m) {
    kt_val *a = any_of(m, KT_FLOAT32), *b = any_of(m, KT_FLOAT32);
    if (!a || !b || a->spec.shape.ndim != 2 || b->spec.shape.ndim != 2) return NULL;
    const bool ta = pick(m, 2), tb = pick(m, 2);
    if (a->spec.shape.dim[!ta] != b->spec.shape.dim[tb]) return NULL;
    return kt_g_tanh(m->g, kt_g_matmul(m->g, a, b, ta, tb));
}

static kt_val *random_pack(maker *m) {
    kt_val *in[4];
    int64_t offset[4], at = 0;
    const int n = 1 + pick(m, 4);
    for (int i = 0; i < n; i++) {
        in[i] = any_of(m, KT_FLOAT32);
        if (!in[i]) return NULL;
        at += pick(m, 3);
        offset[i] = at;
        at += kt_shape_size(&in[i]->spec.shape);
    }
    return at < 2000 ? kt_g_pack(m->g, n, in, offset, at + pick(m, 2)) : NULL;
}

static kt_val *random_node(maker *m) {
    switch (pick(m, 12)) {
    case 0:
    case 1:
    case 2:
        return random_unary(m);
    case 3:
    case 4:
    case 5:
        return random_binary(m);
    case 6:
        return random_choice(m);
    case 7:
        return random_cast(m);
    case 8:
        return random_shape(m);
    case 9:
        return random_reduce(m);
    case 10:
        return random_product(m);
    default:
        return pick(m, 2) ? random_pack(m) : NULL;
    }
}

static void leaves(maker *m) {
    static const kt_spec inputs[] = {
        {KT_FLOAT32, {2, {3, 4}}},
        {KT_FLOAT32, {2, {4, 3}}},
        {KT_FLOAT32, {1, {4}}},
        {KT_FLOAT32, {2, {3, 1}}},
        {KT_UINT8, {2, {3, 4}}},
        {KT_BOOL, {2, {3, 4}}},
        {KT_INT32, {1, {4}}},
        {KT_FLOAT32, {0, {0}}}};
    for (int i = 0; i < 8; i++) add(m, kt_g_input(m->g, inputs[i]));
    for (int i = 0; i < 4; i++) { /* slots of 24, two of 12, one scalar */
        const kt_spec flat = {KT_FLOAT32, {i < 3, {i ? 12 : 24}}};
        void *key = kt_arena_alloc(m->g->arena, 1);
        kt_val *v = kt_g_var(m->g, kt_graph_slot(m->g, key, "slot", flat));
        add(m, v);
        if (i == 3) continue;
        add(m, kt_g_view(m->g, v, 0, (kt_shape){2, {3, 4}}));
        if (i == 0) add(m, kt_g_view(m->g, v, 12, (kt_shape){2, {4, 3}}));
    }
}

/* Is something assigned there already? Mostly that is avoided. */
static bool taken(const maker *m, int slot, int64_t from, int64_t size) {
    for (int i = 0; i < m->g->nodes.n; i++) {
        const kt_node *n = m->g->nodes.v[i];
        const view_attrs *a = n->attrs;
        if (strcmp(n->op->name, "assign") || a->slot != slot) continue;
        if (from < a->offset + kt_shape_size(&a->shape) && a->offset < from + size) return true;
    }
    return false;
}

/* Whole slots, halves of the first one, old values of other slots: what planners get wrong. */
static void assignments(maker *m) {
    for (int i = 0; i < 8; i++) {
        kt_val *v = any_of(m, KT_FLOAT32);
        if (!v) continue;
        const int64_t size = kt_shape_size(&v->spec.shape);
        const int slot = pick(m, 4), room = slot == 0 ? 24 : slot == 3 ? 1 : 12;
        if (size > room) continue;
        const int64_t at = size == 12 && slot == 0 ? 12 * pick(m, 2)
                                                   : pick(m, room - (int)size + 1);
        if (!taken(m, slot, at, size) || pick(m, 20) == 0) kt_g_assign(m->g, slot, at, v);
    }
}

kt_graph *kt_random_graph(int n, uint64_t seed) {
    maker m = {.g = kt_graph_new(), .seed = seed * 77 + 1};
    leaves(&m);
    for (int i = 0; i < n; i++) {
        add(&m, random_node(&m));
        if (pick(&m, 30) == 0) assignments(&m);
    }
    assignments(&m);
    for (int i = 0; i < 6; i++)
        assert_int_equal(kt_vec_push(&m.g->outputs, i < 2 ? any(&m) : m.v[m.n - 1 - i]), 0);
    kt_check_status(kt_graph_verify(m.g), KT_OK);
    return m.g;
}
