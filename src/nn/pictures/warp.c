/* Pictures through an affine map or a projection, as TensorFlow's ImageProjectiveTransformV3, which
 * Keras' affine_transform is: each cell of the result looks where it comes from.
 *
 * Composed of elementwise functions and gathers, so that it has a gradient; a place outside of the
 * picture is mapped into it first (fill_mode), or gives fill_value. */
#include "base/error.h"
#include "nn/pictures/pictures.h"

#include <stdint.h>
#include <string.h>

typedef enum { WARP_REFLECT, WARP_WRAP, WARP_CONSTANT, WARP_NEAREST } warp_mode;
static const char *const modes[] = {"reflect", "wrap", "constant", "nearest"};

kt_status kt_warp_check(const char *fill_mode, const char *interpolation) {
    int i = 0;
    while (fill_mode && i < 4 && strcmp(modes[i], fill_mode) != 0) i++;
    if (i == 4) {
        KT_FAIL(KT_EINVAL, "fill_mode: unknown");
        kt_error_expected("\"reflect\", \"wrap\", \"constant\" or \"nearest\"");
        return kt_error_got("\"%s\"", fill_mode);
    }
    if (!interpolation || !strcmp(interpolation, "nearest") || !strcmp(interpolation, "bilinear"))
        return KT_OK;
    KT_FAIL(KT_EINVAL, "interpolation: unknown");
    kt_error_expected("\"nearest\" or \"bilinear\"");
    return kt_error_got("\"%s\"", interpolation);
}

static warp_mode mode_of(const char *fill_mode) {
    int i = 0;
    while (fill_mode && strcmp(modes[i], fill_mode) != 0) i++;
    return (warp_mode)i;
}

/* abcd to dcba|abcd|dcba: with a period of twice the length. */
static kt_val *reflected(kt_graph *g, kt_val *at, double len) {
    const double period = 2 * len;
    kt_val *zero = kt_g_num(g, 0, at);
    kt_val *turns = kt_g_floor(g, kt_g_div(g, kt_g_abs(g, at), kt_g_num(g, period, at)));
    turns = kt_g_scale(g, turns, period);
    kt_val *below = kt_g_add(g, at, turns), *above = kt_g_sub(g, at, turns);
    below = kt_g_select(
        g,
        kt_g_lt(g, below, kt_g_num(g, -len, at)),
        kt_g_shift(g, below, period),
        kt_g_shift(g, kt_g_neg(g, below), -1));
    above = kt_g_select(
        g,
        kt_g_ge(g, above, kt_g_num(g, len, at)),
        kt_g_shift(g, kt_g_neg(g, above), period - 1),
        above);
    return kt_g_select(g, kt_g_lt(g, at, zero), below, above);
}

/* abcd to abcd|abcd|abcd; turns are counted in lengths less one, as TensorFlow does. */
static kt_val *wrapped(kt_graph *g, kt_val *at, double len) {
    kt_val *turns = kt_g_floor(g, kt_g_div(g, kt_g_abs(g, at), kt_g_num(g, len - 1, at)));
    kt_val *below = kt_g_add(g, at, kt_g_scale(g, kt_g_shift(g, turns, 1), len));
    kt_val *above = kt_g_sub(g, at, kt_g_scale(g, turns, len));
    kt_val *y = kt_g_select(g, kt_g_gt(g, at, kt_g_num(g, len - 1, at)), above, at);
    return kt_g_select(g, kt_g_lt(g, at, kt_g_num(g, 0, at)), below, y);
}

static kt_val *mapped(kt_graph *g, kt_val *at, warp_mode mode, int64_t len) {
    if (mode == WARP_CONSTANT) return at;
    if (mode == WARP_REFLECT && len > 1) at = reflected(g, at, (double)len);
    if (mode == WARP_WRAP && len > 1) at = wrapped(g, at, (double)len);
    return kt_g_clip(g, at, 0, (double)len - 1);
}

/* The table of cells, and what finds one in it. */
typedef struct {
    kt_graph *g;
    kt_val *cells; ///< [n h w, c]
    kt_val *first; ///< int32 [n, 1]: the number of a picture's first cell
    int64_t n, h, w;
    warp_mode mode;
    bool folds;   ///< each place is mapped into the picture, not the point among them
    kt_val *fill; ///< scalar
} source;

static kt_val *numbers(kt_graph *g, int64_t n, int64_t over, int64_t mod, int64_t times) {
    int32_t *v = kt_arena_alloc(g->arena, sizeof *v * (size_t)(n + 1));
    if (!v) return kt_graph_fail(g, KT_ENOMEM);
    for (int64_t i = 0; i < n; i++) v[i] = (int32_t)(i / over % mod * times);
    return kt_g_array(g, v, (kt_spec){KT_INT32, {1, {n}}});
}

/* As Keras' map_coordinates does it: -1 becomes 1 where it reflects. */
static kt_val *folded(kt_graph *g, kt_val *at, warp_mode mode, int64_t len) {
    kt_val *size = kt_g_num(g, (double)len, at);
    if (mode == WARP_WRAP) return kt_g_mod(g, at, size);
    if (mode != WARP_REFLECT || !at) return at;
    at = kt_g_mod(g, kt_g_abs(g, at), kt_g_num(g, 2 * (double)len, at));
    kt_val *back = kt_g_shift(g, kt_g_neg(g, at), 2 * (double)len - 1);
    return kt_g_select(g, kt_g_lt(g, at, size), at, back);
}

/* Cells at whole places [n, h w]: [n, h w, c]. */
static kt_val *cells_at(const source *s, kt_val *y, kt_val *x) {
    kt_graph *g = s->g;
    if (s->folds) y = folded(g, y, s->mode, s->h);
    if (s->folds) x = folded(g, x, s->mode, s->w);
    kt_val *row = kt_g_clip(g, y, 0, (double)(s->h - 1));
    kt_val *column = kt_g_clip(g, x, 0, (double)(s->w - 1));
    kt_val *index = kt_g_cast(g, row, KT_INT32);
    index = kt_g_add(g, kt_g_scale(g, index, (double)s->w), kt_g_cast(g, column, KT_INT32));
    kt_val *v = kt_g_gather(g, s->cells, kt_g_add(g, index, s->first));
    if (s->mode != WARP_CONSTANT) return v;
    kt_val *off = kt_g_add(
        g, kt_g_abs(g, kt_g_sub(g, y, row)), kt_g_abs(g, kt_g_sub(g, x, column)));
    kt_val *outside = kt_g_gt(g, off, kt_g_num(g, 0, off));
    return kt_g_select(g, kt_g_expand_dims(g, outside, 2), s->fill, v);
}

/* Away from 0 half way between two, as C's round(). */
static kt_val *rounded(kt_graph *g, kt_val *x) {
    return kt_g_trunc(g, kt_g_add(g, x, kt_g_scale(g, kt_g_sign(g, x), 0.5)));
}

/* share a + (1 - share) b; the share is [n, h w]. */
static kt_val *between(const source *s, kt_val *share, kt_val *a, kt_val *b) {
    kt_graph *g = s->g;
    kt_val *first = kt_g_expand_dims(g, kt_g_cast(g, share, s->cells->spec.dtype), 2);
    kt_val *second = kt_g_shift(g, kt_g_neg(g, first), 1);
    return kt_g_add(g, kt_g_mul(g, first, a), kt_g_mul(g, second, b));
}

static kt_val *bilinear(const source *s, kt_val *y, kt_val *x) {
    kt_graph *g = s->g;
    kt_val *top = kt_g_floor(g, y), *left = kt_g_floor(g, x);
    kt_val *bottom = kt_g_shift(g, top, 1), *right = kt_g_shift(g, left, 1);
    kt_val *to_right = kt_g_sub(g, right, x), *to_bottom = kt_g_sub(g, bottom, y);
    return between(
        s,
        to_bottom,
        between(s, to_right, cells_at(s, top, left), cells_at(s, top, right)),
        between(s, to_right, cells_at(s, bottom, left), cells_at(s, bottom, right)));
}

/* Three of the numbers of the map: [n, h w] or, where it is the same for all, [1, h w]. */
static kt_val *places(kt_graph *g, const kt_warp *w, int from, kt_val *x, kt_val *y) {
    kt_val *m[3];
    for (int i = 0; i < 3; i++)
        m[i] = w->m[from + i] ? w->m[from + i] : kt_g_num(g, w->c[from + i], x);
    return kt_g_add(g, kt_g_add(g, kt_g_mul(g, m[0], x), kt_g_mul(g, m[1], y)), m[2]);
}

/* What is no number, or too large for one, lies outside. */
static kt_val *beyond(kt_graph *g, kt_val *at) {
    if (!at) return NULL;
    at = kt_g_select(g, kt_g_eq(g, at, at), at, kt_g_num(g, -1e9, at));
    return kt_g_clip(g, at, -1e9, 1e9);
}

/* The cells of x as a table. */
static bool source_of(kt_graph *g, kt_val *x, const kt_warp *w, source *s) {
    const int64_t *dim = x->spec.shape.dim, size = dim[1] * dim[2];
    *s = (source){.g = g, .n = dim[0], .h = dim[1], .w = dim[2], .mode = mode_of(w->fill_mode)};
    if (size && size > INT32_MAX / (dim[0] ? dim[0] : 1)) {
        kt_graph_fail(g, KT_FAIL(KT_ELIMIT, "over 2^31 cells in a batch of pictures"));
        return false;
    }
    s->cells = kt_g_reshape(g, x, kt_dims(dim[0] * size, dim[3]));
    s->first = kt_g_reshape(g, numbers(g, dim[0], 1, dim[0], size), kt_dims(dim[0], 1));
    s->fill = kt_g_num(g, w->fill_value, x);
    return s->cells && s->first && s->fill;
}

static bool is_nearest(const kt_warp *w) {
    return w->interpolation && !strcmp(w->interpolation, "nearest");
}

kt_val *kt_g_warp(kt_graph *g, kt_val *x, const kt_warp *w) {
    if (!x) return NULL;
    const kt_shape shape = x->spec.shape;
    const int64_t size = shape.dim[1] * shape.dim[2];
    source s;
    if (!size || !shape.dim[0]) return x;
    if (!source_of(g, x, w, &s)) return NULL;
    kt_val *columns = kt_g_cast(g, numbers(g, size, 1, s.w, 1), KT_FLOAT32);
    kt_val *rows = kt_g_cast(g, numbers(g, size, s.w, s.h, 1), KT_FLOAT32);
    if (!columns || !rows) return NULL;
    const kt_shape all = kt_dims(s.n, size);
    kt_val *px = kt_g_broadcast(g, places(g, w, 0, columns, rows), all);
    kt_val *py = kt_g_broadcast(g, places(g, w, 3, columns, rows), all);
    if (w->m[6]) {
        kt_val *far = kt_g_add(g, kt_g_mul(g, w->m[6], columns), kt_g_mul(g, w->m[7], rows));
        far = kt_g_broadcast(g, kt_g_shift(g, far, 1), all);
        if (!far) return NULL;
        kt_val *at_horizon = kt_g_eq(g, far, kt_g_num(g, 0, far));
        far = kt_g_select(g, at_horizon, kt_g_num(g, 1e-20, far), far);
        px = beyond(g, kt_g_div(g, px, far));
        py = beyond(g, kt_g_div(g, py, far));
    }
    px = mapped(g, px, s.mode, s.w);
    py = mapped(g, py, s.mode, s.h);
    if (!px || !py) return NULL;
    kt_val *v = is_nearest(w) ? cells_at(&s, rounded(g, py), rounded(g, px)) : bilinear(&s, py, px);
    return kt_g_reshape(g, v, shape);
}

kt_val *kt_g_displaced(kt_graph *g, kt_val *x, kt_val *by, const kt_warp *w) {
    const kt_shape shape = x->spec.shape;
    const int64_t size = shape.dim[1] * shape.dim[2];
    source s;
    if (!by || !size || !shape.dim[0]) return by ? x : NULL;
    if (!source_of(g, x, w, &s)) return NULL;
    s.folds = true;
    kt_val *columns = kt_g_cast(g, numbers(g, size, 1, s.w, 1), KT_FLOAT32);
    kt_val *rows = kt_g_cast(g, numbers(g, size, s.w, s.h, 1), KT_FLOAT32);
    by = kt_g_reshape(g, by, kt_dims(shape.dim[0], size));
    kt_val *px = beyond(g, kt_g_add(g, columns, by)), *py = beyond(g, kt_g_add(g, rows, by));
    if (!px || !py) return NULL;
    kt_val *v = is_nearest(w) ? cells_at(&s, kt_g_round(g, py), kt_g_round(g, px))
                              : bilinear(&s, py, px);
    return kt_g_reshape(g, v, shape);
}
