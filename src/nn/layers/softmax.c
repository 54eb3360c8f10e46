/* Softmax: exp(x) / sum(exp(x)) along one axis or several.  keras.layers.Softmax
 *
 * What a mask leaves out is set to -1e9 before and to 0 after, as in Keras: so a row that is left
 * out as a whole becomes 0. */
#include "nn/layers/attend.h"
#include "nn/layers/normalize.h"

#include <keratin/layers.h>

/* as Keras has it; float16 ends before */
#define MASKED(x) ((x)->spec.dtype == KT_FLOAT16 ? -3e4 : -1e9)

/* Several axes: they are brought to the end, become one, and go back. */
static kt_val *softmax_axes(kt_graph *g, kt_val *x, int bits) {
    const kt_shape s = x->spec.shape;
    int perm[KT_MAX_RANK] = {0}, back[KT_MAX_RANK] = {0}, n = 0;
    kt_shape flat = {0, {0}};
    int64_t len = 1;
    for (int pass = 0; pass < 2; pass++)
        for (int i = 0; i < s.ndim; i++) {
            if ((bits >> i & 1) != pass) continue;
            back[i] = n;
            perm[n++] = i;
            if (pass)
                len *= s.dim[i];
            else
                flat.dim[flat.ndim++] = s.dim[i];
        }
    flat.dim[flat.ndim++] = len;
    kt_val *moved = kt_g_transpose(g, x, perm);
    if (!moved) return NULL;
    kt_val *y = kt_g_softmax(g, kt_g_reshape(g, moved, flat), -1);
    return kt_g_transpose(g, kt_g_reshape(g, y, moved->spec.shape), back);
}

kt_val *kt_softmax_masked(kt_graph *g, kt_val *x, int bits, kt_val *mask) {
    if (mask) x = kt_g_select(g, mask, x, kt_g_num(g, MASKED(x), x));
    if (!x) return NULL;
    int axis = 0;
    while (axis < x->spec.shape.ndim && !(bits >> axis & 1)) axis++;
    kt_val *y = bits == 1 << axis ? kt_g_softmax(g, x, axis) : softmax_axes(g, x, bits);
    return y && mask ? kt_g_select(g, mask, y, kt_g_num(g, 0, y)) : y;
}

static kt_val *softmax_mask(kt_graph *g, const kt_val *x, kt_sym *mask) {
    kt_val *m = kt_unwrap(mask, NULL);
    kt_shape both;
    char sm[KT_SHAPE_STR], sx[KT_SHAPE_STR];
    if (!m) return NULL;
    if (m->spec.dtype != KT_BOOL) m = kt_g_gt(g, m, kt_g_num(g, 0.5, m));
    if (!m) return NULL;
    if (kt_shape_broadcast(&m->spec.shape, &x->spec.shape, &both) == KT_OK &&
        kt_shape_equal(&both, &x->spec.shape))
        return kt_g_broadcast(g, m, both);
    KT_FAIL(KT_ESHAPE, "the mask must be broadcastable to the inputs");
    kt_error_got(
        "mask %s, inputs %s",
        kt_shape_str(&m->spec.shape, sm, sizeof sm),
        kt_shape_str(&x->spec.shape, sx, sizeof sx));
    return kt_graph_fail(g, KT_ESHAPE);
}

static kt_status softmax_call(kt_layer *l, kt_trace *t) {
    const kt_softmax_args *a = kt_layer_args(l);
    kt_graph *g = kt_tracer_current()->g;
    kt_val *x = kt_unwrap(t->in[0], NULL), *mask = NULL;
    int bits;
    if (!x) return g->status;
    const kt_status st = kt_norm_axes(a->axis, &x->spec.shape, &bits);
    if (st) return st;
    if (t->in_mask && t->in_mask[0] && !(mask = softmax_mask(g, x, t->in_mask[0])))
        return g->status;
    t->out[0] = kt_wrap(kt_softmax_masked(g, x, bits, mask));
    return kt_check(t->out[0]);
}

static const kt_field softmax_fields[] = {KT_F(kt_softmax_args, axis), KT_F_END};

const kt_layer_class kt_class_softmax = {
    .name = "Softmax",
    .args_size = sizeof(kt_softmax_args),
    .fields = softmax_fields,
    .defaults = &(const kt_softmax_args){KT_SOFTMAX_DEFAULTS},
    .call = softmax_call,
    .supports_masking = true,
};

kt_layer *kt_softmax_new(const kt_softmax_args *a) { return kt_layer_new(&kt_class_softmax, a); }
