/* See trace.h. */
#include "testing/trace.h"

#include "io/npz.h"
#include "testing/graphs.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static kt_val *gradient(kt_graph *g, kt_val *y, kt_val *x, const kt_tensor *c) {
    kt_val *dx = NULL;
    if (c) y = kt_g_mul(g, y, kt_g_array(g, c->data, (kt_spec){c->dtype, c->shape}));
    kt_val *loss = kt_g_sum(g, y, kt_axes_all(y), false);
    return kt_grad(g, loss, 1, &x, &dx) == KT_OK ? dx : NULL;
}

kt_traced kt_trace_run(kt_trace_fn *fn, const void *data, const kt_tensor *x, const kt_tensor *c) {
    kt_traced out = {KT_OK, NULL, NULL};
    kt_tracer t;
    kt_graph *g = kt_graph_new();
    kt_tracer_begin(&t, g, true, NULL);
    kt_val *in = kt_g_input(g, (kt_spec){x->dtype, x->shape});
    kt_sym *y = fn(kt_wrap(in), data);
    out.status = kt_check(y);
    if (out.status == KT_OK) {
        kt_val *v = kt_unwrap(y, in), *dx = gradient(g, v, in, c);
        assert_int_equal(
            kt_vec_push(&g->outputs, kt_g_scale(g, v, 1)), 0); /* never the input itself */
        assert_int_equal(kt_vec_push(&g->outputs, kt_g_scale(g, dx, 1)), 0);
    }
    const kt_status st = kt_tracer_end(&t);
    if (out.status == KT_OK) out.status = st;
    if (out.status == KT_OK) {
        void *ins[1] = {x->data};
        kt_run_result r = kt_run_graph(g, ins, NULL);
        out.status = r.status;
        out.y = kt_tensor_new(r.spec[0].dtype, r.spec[0].shape, r.data[0]);
        out.dx = kt_tensor_new(r.spec[1].dtype, r.spec[1].shape, r.data[1]);
        kt_run_free(&r);
    }
    kt_graph_free(g);
    return out;
}

static bool near(double got, double want, double rtol, double atol) {
    if (isnan(want) || isnan(got)) return isnan(want) && isnan(got);
    if (isinf(want) || isinf(got)) return got == want;
    return fabs(got - want) <= atol + rtol * fabs(want);
}

void kt_check_tensor(
    const kt_tensor *got,
    const kt_tensor *want,
    const kt_tensor *other,
    double rtol,
    double atol,
    const char *what) {
    if (kt_failed(got) || kt_failed(want)) fail_msg("%s: no array", what);
    if (!kt_shape_equal(&got->shape, &want->shape)) {
        char a[KT_SHAPE_STR], b[KT_SHAPE_STR];
        kt_shape_str(&got->shape, a, sizeof a);
        fail_msg("%s: %s, expected %s", what, a, kt_shape_str(&want->shape, b, sizeof b));
    }
    for (int64_t i = 0; i < kt_tensor_size(want); i++) {
        const double a = kt_tensor_get(got, i), b = kt_tensor_get(want, i);
        if (near(a, b, rtol, atol)) continue;
        if (other && near(a, kt_tensor_get(other, i), rtol, atol)) continue;
        fail_msg("%s: element %lld is %.9g, expected %.9g", what, (long long)i, a, b);
    }
}

kt_tensor *kt_npz_member(kt_npz *npz, const char *name, const char *part) {
    char path[160];
    snprintf(path, sizeof path, "%s%s%s", name, *name ? "/" : "", part);
    for (int i = 0; i < kt_npz_count(npz); i++)
        if (!strcmp(kt_npz_name(npz, i), path)) return kt_npz_read(npz, path);
    return NULL;
}
