/* einsum of two operands: "abc,cd->abd".  keras.ops.einsum
 *
 * Composed: letters that stand in one operand alone and not in the result are summed first; then
 * each operand becomes (batch, rows, summed) or its transpose, and one matrix product does the
 * rest. An operand is transposed only if neither order of its letters will do as it lies. "..."
 * stands for leading (or trailing) axes that the result has too. */
#include "base/error.h"
#include "base/locale.h"
#include "ops/build.h"

#include <string.h>

#define ELLIPSIS 1 /* letters of the axes behind "..." start here */

/* One operand, or the result: a letter for each axis. */
typedef struct {
    int n;
    char letter[KT_MAX_RANK];
    kt_val *v;
} term;

static int find(const term *t, char c) {
    for (int i = 0; i < t->n; i++)
        if (t->letter[i] == c) return i;
    return -1;
}

static bool append(term *t, char c) {
    if (t->n == KT_MAX_RANK || find(t, c) >= 0) return false;
    t->letter[t->n++] = c;
    return true;
}

/* Reads one term up to `end`. axes: how many axes it has, -1: not known (the result). */
static kt_status read_term(const char **p, const char *end, int axes, int dots, term *t) {
    int letters = 0;
    for (const char *q = *p; *q && !strchr(end, *q); q++) letters += kt_is_alpha(*q);
    if (axes >= 0) dots = axes - letters;
    for (; **p && !strchr(end, **p); (*p)++) {
        bool ok = true;
        if (**p == ' ') continue;
        if (!strncmp(*p, "...", 3)) {
            for (int i = 0; i < dots && ok; i++) ok = append(t, (char)(ELLIPSIS + i));
            *p += 2;
        } else {
            ok = kt_is_alpha(**p) && append(t, **p);
        }
        if (!ok) return KT_FAIL(KT_EINVAL, "einsum: cannot read \"%c\" or it stands twice", **p);
    }
    return KT_OK;
}

static kt_status read_equation(const char *equation, term *a, term *b, term *out) {
    const char *p = equation;
    const int ra = a->v->spec.shape.ndim, rb = b->v->spec.shape.ndim;
    kt_status st = read_term(&p, ",", ra, 0, a);
    if (st == KT_OK && *p == ',') {
        p++;
        st = read_term(&p, "-", rb, 0, b);
    }
    int dots = 0;
    while (find(a, (char)(ELLIPSIS + dots)) >= 0 || find(b, (char)(ELLIPSIS + dots)) >= 0) dots++;
    if (st == KT_OK && !strncmp(p, "->", 2)) {
        p += 2;
        st = read_term(&p, "", -1, dots, out);
    } else if (st == KT_OK) {
        st = KT_FAIL(KT_EINVAL, "einsum: expected \"ab,bc->ac\", got \"%.60s\"", equation);
    }
    if (st == KT_OK && (a->n != ra || b->n != rb))
        st = KT_FAIL(
            KT_ESHAPE,
            "einsum: \"%.60s\" does not fit operands of %d and %d axes",
            equation,
            ra,
            rb);
    return st;
}

static int64_t length_of(const term *t, char c) {
    const int i = find(t, c);
    return i < 0 ? -1 : t->v->spec.shape.dim[i];
}

static kt_status check_lengths(
    const char *equation, const term *a, const term *b, const term *out) {
    for (int i = 0; i < a->n; i++) {
        const int64_t n = length_of(b, a->letter[i]);
        if (n < 0 || n == a->v->spec.shape.dim[i]) continue;
        char sa[KT_SHAPE_STR], sb[KT_SHAPE_STR];
        KT_FAIL(KT_ESHAPE, "einsum: shapes do not go together in \"%.60s\"", equation);
        return kt_error_got(
            "%s and %s",
            kt_shape_str(&a->v->spec.shape, sa, sizeof sa),
            kt_shape_str(&b->v->spec.shape, sb, sizeof sb));
    }
    for (int i = 0; i < out->n; i++)
        if (find(a, out->letter[i]) < 0 && find(b, out->letter[i]) < 0)
            return KT_FAIL(
                KT_EINVAL,
                "einsum: \"%c\" of the result stands in no operand of \"%.60s\"",
                out->letter[i],
                equation);
    return KT_OK;
}

/* Sums over letters that neither the other operand nor the result has. */
static void sum_own(kt_graph *g, term *t, const term *other, const term *out) {
    int bits = 0, n = 0;
    for (int i = 0; i < t->n; i++) {
        if (find(other, t->letter[i]) < 0 && find(out, t->letter[i]) < 0)
            bits |= 1 << i;
        else
            t->letter[n++] = t->letter[i];
    }
    t->n = n;
    if (bits) t->v = kt_g_sum(g, t->v, bits, false);
}

/* The letters of t in groups: in both operands and the result, in t and the result, summed. */
static void group_letters(const term *t, const term *other, const term *out, term group[3]) {
    for (int i = 0; i < t->n; i++) {
        const char c = t->letter[i];
        append(&group[find(out, c) < 0 ? 2 : find(other, c) < 0 ? 1 : 0], c);
    }
}

static kt_val *arranged(kt_graph *g, const term *t, const term *order) {
    int perm[KT_MAX_RANK] = {0};
    bool same = true;
    for (int i = 0; i < order->n; i++) {
        perm[i] = find(t, order->letter[i]);
        same = same && perm[i] == i;
    }
    return same ? t->v : kt_g_transpose(g, t->v, perm);
}

static void join(term *to, const term *from) {
    for (int i = 0; i < from->n; i++) append(to, from->letter[i]);
}

static int64_t product(const term *letters, const term *t) {
    int64_t n = 1;
    for (int i = 0; i < letters->n; i++) n *= length_of(t, letters->letter[i]);
    return n;
}

/* t as (batch, rows, cols), or with the last two swapped where it lies so: then *swapped. */
static kt_val *as_matrices(
    kt_graph *g,
    const term *t,
    const term *batch,
    const term *rows,
    const term *cols,
    bool *swapped) {
    term plain = *batch, other = *batch;
    const int64_t n = product(batch, t), r = product(rows, t), c = product(cols, t);
    join(&plain, rows);
    join(&plain, cols);
    join(&other, cols);
    join(&other, rows);
    *swapped = !memcmp(t->letter, other.letter, (size_t)t->n) &&
               memcmp(t->letter, plain.letter, (size_t)t->n) != 0;
    kt_val *v = arranged(g, t, *swapped ? &other : &plain);
    const int64_t first = *swapped ? c : r, second = *swapped ? r : c;
    if (!batch->n) return kt_g_reshape(g, v, (kt_shape){2, {first, second}});
    return kt_g_reshape(g, v, (kt_shape){3, {n, first, second}});
}

/* y, which is (batch, rows of a, columns of b), as the result wants it. */
static kt_val *as_result(
    kt_graph *g, kt_val *y, const term *a, const term *b, const term *groups[3], const term *out) {
    term result = {0};
    for (int i = 0; i < 3; i++) join(&result, groups[i]);
    kt_shape shape = {result.n, {0}};
    for (int i = 0; i < result.n; i++) {
        const int64_t n = length_of(a, result.letter[i]);
        shape.dim[i] = n >= 0 ? n : length_of(b, result.letter[i]);
    }
    result.v = kt_g_reshape(g, y, shape);
    return result.v ? arranged(g, &result, out) : NULL;
}

kt_val *kt_g_einsum(kt_graph *g, const char *equation, kt_val *va, kt_val *vb) {
    if (!va || !vb) return NULL;
    term a = {.v = va}, b = {.v = vb}, out = {0}, ga[3] = {{0}}, gb[3] = {{0}};
    kt_status st = read_equation(equation, &a, &b, &out);
    if (st == KT_OK) st = check_lengths(equation, &a, &b, &out);
    if (st) return kt_graph_fail(g, st);
    sum_own(g, &a, &b, &out);
    sum_own(g, &b, &a, &out);
    if (!a.v || !b.v) return NULL;
    group_letters(&a, &b, &out, ga);
    group_letters(&b, &a, &out, gb);
    bool ta, tb;
    kt_val *ma = as_matrices(g, &a, &ga[0], &ga[1], &ga[2], &ta);
    kt_val *mb = as_matrices(g, &b, &ga[0], &ga[2], &gb[1], &tb);
    kt_val *y = ma && mb ? kt_g_matmul(g, ma, mb, ta, tb) : NULL;
    if (!y) return NULL;
    return as_result(g, y, &a, &b, (const term *[]){&ga[0], &ga[1], &gb[1]}, &out);
}

/* int8 weights: rows of integers are one sum, so that no operand is taken as its transpose, and
 * scales come in the order of the result. */

static kt_val *matrices(
    kt_graph *g, const term *t, const term *batch, const term *rows, const term *cols) {
    term order = *batch;
    join(&order, rows);
    join(&order, cols);
    kt_val *v = arranged(g, t, &order);
    const int64_t n = product(batch, t), r = product(rows, t), c = product(cols, t);
    if (!batch->n) return kt_g_reshape(g, v, (kt_shape){2, {r, c}});
    return kt_g_reshape(g, v, (kt_shape){3, {n, r, c}});
}

/* [n] or [batch, n] of what has the kernel's axes in the order of the result. */
static kt_val *scales(
    kt_graph *g, kt_val *scale, const term *b, const term *out, const term *batch, const term *n) {
    term t = {0}, order = *batch;
    kt_shape s = {0, {0}};
    for (int i = 0; i < out->n; i++) {
        if (find(b, out->letter[i]) < 0) continue;
        append(&t, out->letter[i]);
        s.dim[s.ndim++] = length_of(b, out->letter[i]);
    }
    join(&order, n);
    t.v = kt_g_reshape(g, scale, s);
    kt_val *v = t.v ? arranged(g, &t, &order) : NULL;
    if (!batch->n) return kt_g_reshape(g, v, (kt_shape){1, {product(n, b)}});
    return kt_g_reshape(g, v, (kt_shape){2, {product(batch, b), product(n, b)}});
}

kt_val *kt_g_int8_einsum(
    kt_graph *g,
    const char *equation,
    kt_val *x,
    kt_val *w,
    kt_val *scale,
    const int8_matmul_attrs *attrs) {
    if (!x || !w || !scale) return NULL;
    term a = {.v = x}, b = {.v = w}, out = {0}, ga[3] = {{0}}, gb[3] = {{0}};
    kt_status st = read_equation(equation, &a, &b, &out);
    if (st == KT_OK) st = check_lengths(equation, &a, &b, &out);
    for (int i = 0; st == KT_OK && i < a.n; i++)
        if (find(&b, a.letter[i]) < 0 && find(&out, a.letter[i]) < 0)
            st = KT_FAIL(
                KT_EUNSUPPORTED,
                "equation \"%.60s\": int8 products do not sum over \"%c\", which is no axis of the "
                "kernel",
                equation,
                a.letter[i]);
    if (st) return kt_graph_fail(g, st);
    group_letters(&a, &b, &out, ga);
    group_letters(&b, &a, &out, gb);
    kt_val *ma = matrices(g, &a, &ga[0], &ga[1], &ga[2]);
    kt_val *mb = matrices(g, &b, &ga[0], &ga[2], &gb[1]);
    kt_val *s = scales(g, scale, &b, &out, &ga[0], &gb[1]);
    kt_val *y = ma && mb && s ? kt_g_int8_matmul(g, ma, mb, s, attrs) : NULL;
    return y ? as_result(g, y, &a, &b, (const term *[]){&ga[0], &ga[1], &gb[1]}, &out) : NULL;
}
