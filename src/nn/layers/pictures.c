/* What layers of pictures share: see pictures.h. */
#include "nn/layers/pictures.h"

kt_status kt_pictures_check(kt_layer *l, const char *data_format) {
    bool first;
    kt_layer_set_spec(l, (kt_input_spec){.min_ndim = 3, .max_ndim = 4});
    return kt_data_format_get(data_format, &first);
}

kt_val *kt_pictures_in(
    kt_layer *l, const kt_trace *t, const char *data_format, bool as_is, kt_pictures *p) {
    static const int last[] = {0, 2, 3, 1};
    kt_graph *g = kt_tracer_current()->g;
    kt_val *x = kt_unwrap(t->in[0], NULL);
    *p = (kt_pictures){.alone = x && x->spec.shape.ndim == 3};
    const kt_status st = kt_data_format_get(data_format, &p->first);
    if (!x || st) return st ? kt_graph_fail(g, st) : NULL;
    if (!as_is) x = kt_g_cast(g, x, kt_layer_dtype(l));
    if (p->alone) x = kt_g_expand_dims(g, x, 0);
    return p->first ? kt_g_transpose(g, x, last) : x;
}

kt_status kt_pictures_out(kt_trace *t, kt_val *x, const kt_pictures *p) {
    static const int first[] = {0, 3, 1, 2};
    kt_graph *g = kt_tracer_current()->g;
    if (p->first) x = kt_g_transpose(g, x, first);
    if (p->alone) x = kt_g_squeeze(g, x, 0);
    if (!x) return g->status;
    t->out[0] = kt_wrap(x);
    return kt_check(t->out[0]);
}
