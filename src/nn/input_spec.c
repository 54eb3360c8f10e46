/* What inputs a layer takes: every complaint about shapes comes from here. */
#include "nn/layer.h"

static kt_status wrong_ndim(const kt_spec *in, const char *how, int n) {
    char got[KT_SHAPE_STR];
    KT_FAIL(KT_ESHAPE, "shape mismatch");
    kt_error_expected("%s%d %s, the batch included", how, n, n == 1 ? "axis" : "axes");
    return kt_error_got("%s", kt_spec_str(in, got, sizeof got));
}

kt_status kt_input_spec_check(const kt_layer *l, const kt_spec *in) {
    const kt_input_spec *s = &l->spec;
    const int nd = in->shape.ndim;
    if (s->ndim && nd != s->ndim) return wrong_ndim(in, "", s->ndim);
    if (s->min_ndim && nd < s->min_ndim) return wrong_ndim(in, "at least ", s->min_ndim);
    if (s->max_ndim && nd > s->max_ndim) return wrong_ndim(in, "at most ", s->max_ndim);
    if (!s->axis_dim) return KT_OK;
    const int axis = kt_axis(s->axis, nd);
    if (axis < 0 || in->shape.dim[axis] == s->axis_dim || in->shape.dim[axis] == KT_NONE)
        return KT_OK;
    char got[KT_SHAPE_STR];
    KT_FAIL(KT_ESHAPE, "shape mismatch");
    if (s->axis == -1)
        kt_error_expected(
            "last axis %lld (fixed when the layer was built)", (long long)s->axis_dim);
    else
        kt_error_expected(
            "axis %d of length %lld (fixed when the layer was built)",
            s->axis,
            (long long)s->axis_dim);
    int64_t flat = 1; /* would flattening help? */
    for (int k = 1; k < nd; k++) flat *= in->shape.dim[k] == KT_NONE ? 0 : in->shape.dim[k];
    if (nd > 2 && s->axis == -1 && flat == s->axis_dim) kt_error_hint("put kt_flatten() before it");
    return kt_error_got("%s", kt_spec_str(in, got, sizeof got));
}
