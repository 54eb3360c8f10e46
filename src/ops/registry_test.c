/* Tests that the samples in the op files drive; no op is named here.
 *
 * For every op: the shape rule, the text form, every CPU implementation against the reference
 * kernel, the gradient against central differences in double, sizes 0, 1 and large, one result for
 * any number of threads. A new op gets all of this from its samples. */
#include "base/pool.h"
#include "ops/build.h"
#include "testing/graphs.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* How a sample is built: the float dtype, and one length of axis replaced by another one (-1:
 * none). */
typedef struct {
    kt_dtype real;
    int64_t from, to;
} variant;

static const variant plain = {KT_FLOAT32, -1, -1};

static int sample_inputs(const kt_sample *s) {
    int n = 0;
    while (n < KT_SAMPLE_IN && s->in[n].dim[0]) n++;
    return n;
}

static kt_spec sample_spec(const kt_sample *s, int i, const variant *v) {
    kt_spec spec = {s->in[i].dtype ? s->in[i].dtype : v->real, {0, {0}}};
    if (spec.dtype == KT_FLOAT32) spec.dtype = v->real;
    for (int k = 0; k < 5 && s->in[i].dim[k] && s->in[i].dim[k] != KT_SCALAR_DIM; k++) {
        const int64_t d = s->in[i].dim[k];
        spec.shape.dim[spec.shape.ndim++] = d == v->from ? v->to : d;
    }
    return spec;
}

/* A graph of the op on inputs; *node is NULL (and g->status says why) if the op refuses. */
static kt_graph *sample_graph(
    const kt_opdef *op, const kt_sample *s, const variant *v, kt_node **node) {
    kt_graph *g = kt_graph_new();
    kt_val *in[KT_SAMPLE_IN];
    const int n = sample_inputs(s);
    for (int i = 0; i < n; i++) in[i] = kt_g_input(g, sample_spec(s, i, v));
    kt_check_status(g->status, KT_OK);
    *node = kt_graph_add(g, op, n, in, s->attrs);
    for (int i = 0; *node && i < (*node)->n_out; i++)
        assert_int_equal(kt_vec_push(&g->outputs, (*node)->out[i]), 0);
    return g;
}

static void sample_data(const kt_graph *g, const kt_sample *s, void **data) {
    uint64_t seed = 7;
    for (int i = 0; i < g->inputs.n; i++) {
        const kt_spec *spec = &g->inputs.v[i]->spec;
        const bool range = s->in[i].low != 0 || s->in[i].high != 0;
        data[i] = range && spec->dtype != KT_BOOL
                      ? kt_test_data_in(spec, s->in[i].low, s->in[i].high, &seed)
                      : kt_test_data(spec, &seed);
    }
}

static kt_run_result sample_run(kt_graph *g, const kt_sample *s, bool reference) {
    void *data[KT_SAMPLE_IN];
    sample_data(g, s, data);
    kt_cpu_set_reference_only(reference);
    const kt_run_result r = kt_run_graph(g, data, NULL);
    kt_cpu_set_reference_only(false);
    for (int i = 0; i < g->inputs.n; i++) free(data[i]);
    return r;
}

typedef void sample_check(const kt_opdef *op, const kt_sample *s, const char *name);

/* Every sample that should work (or every one). */
static void for_samples(sample_check *check, bool failing_too) {
    for (const kt_opdef *const *op = kt_opdef_all(); *op; op++) {
        int k = 0;
        for (const kt_sample *s = (*op)->samples; s && sample_inputs(s); s++, k++) {
            char name[80];
            snprintf(name, sizeof name, "%s, sample %d", (*op)->name, k);
            if (s->want == KT_OK || failing_too) check(*op, s, name);
        }
    }
}

static void check_infer(const kt_opdef *op, const kt_sample *s, const char *name) {
    kt_node *node;
    kt_graph *g = sample_graph(op, s, &plain, &node);
    if (g->status != s->want)
        fail_msg(
            "%s: %s, expected %s: %s",
            name,
            kt_status_name(g->status),
            kt_status_name(s->want),
            kt_error_message());
    if (node) kt_check_status(kt_graph_verify(g), KT_OK);
    kt_graph_free(g);
}

KT_TEST(registry, samples_infer_as_they_say) { for_samples(check_infer, true); }

static void check_text(const kt_opdef *op, const kt_sample *s, const char *name) {
    kt_node *node;
    kt_graph *g = sample_graph(op, s, &plain, &node);
    char *text = kt_graph_text(g);
    kt_graph *again = kt_graph_of(text);
    char *text_again = kt_graph_text(again);
    if (strcmp(text, text_again))
        fail_msg("%s: printed\n%s\nread back as\n%s", name, text, text_again);
    free(text);
    free(text_again);
    kt_graph_free(g);
    kt_graph_free(again);
}

KT_TEST(registry, text_reads_back) { for_samples(check_text, false); }

/* What a graph that was read back computes is what the graph computes: no attribute is lost. */
static void check_text_result(const kt_opdef *op, const kt_sample *s, const char *name) {
    kt_node *node;
    kt_graph *g = sample_graph(op, s, &plain, &node);
    char *text = kt_graph_text(g);
    kt_graph *again = kt_graph_of(text);
    kt_run_result a = sample_run(g, s, true), b = sample_run(again, s, true);
    kt_check_same(&b, &a, 0, name);
    kt_run_free(&a);
    kt_run_free(&b);
    free(text);
    kt_graph_free(g);
    kt_graph_free(again);
}

KT_TEST(registry, text_keeps_attributes) { for_samples(check_text_result, false); }

static void compare_kernels(
    const kt_opdef *op, const kt_sample *s, const variant *v, const char *name) {
    kt_node *node;
    kt_graph *g = sample_graph(op, s, v, &node);
    if (node) {
        kt_run_result want = sample_run(g, s, true), got = sample_run(g, s, false);
        kt_check_same(&got, &want, 1e-5, name);
        kt_run_free(&want);
        kt_run_free(&got);
    }
    kt_graph_free(g);
}

static void check_kernels(const kt_opdef *op, const kt_sample *s, const char *name) {
    compare_kernels(op, s, &plain, name);
}

KT_TEST(registry, fast_kernels_equal_reference) { for_samples(check_kernels, false); }

static int64_t large(const kt_sample *s) { return s->steep ? 61 : 601; }

/* Every length of an axis of the sample replaced by 0, 1 and something large, in all inputs at
 * once. */
static void check_lengths(const kt_opdef *op, const kt_sample *s, const char *name) {
    const int64_t lengths[] = {0, 1, large(s)};
    for (int i = 0; i < sample_inputs(s); i++) {
        for (int k = 0; k < 5 && s->in[i].dim[k] > 0; k++) {
            for (int l = 0; l < 3; l++) {
                char text[120];
                const variant v = {KT_FLOAT32, s->in[i].dim[k], lengths[l]};
                snprintf(text, sizeof text, "%s, %d for %d", name, (int)v.to, (int)v.from);
                compare_kernels(op, s, &v, text);
            }
        }
    }
}

KT_TEST(registry, any_length_of_an_axis) { for_samples(check_lengths, false); }

static void check_threads(const kt_opdef *op, const kt_sample *s, const char *name) {
    static const int threads[] = {1, 2, 3, 8};
    const variant v = {KT_FLOAT32, s->in[0].dim[0], large(s)};
    kt_run_result first = {0};
    for (int i = 0; i < 4; i++) {
        kt_node *node;
        kt_graph *g = sample_graph(op, s, i < 0 ? &plain : &v, &node);
        kt_pool_set_threads(threads[i]);
        if (node) {
            kt_run_result r = sample_run(g, s, false);
            if (i) kt_check_same(&r, &first, 0, name);
            if (i)
                kt_run_free(&r);
            else
                first = r;
        }
        kt_graph_free(g);
    }
    kt_run_free(&first);
    kt_pool_set_threads(0);
}

KT_TEST(registry, threads_do_not_change_results) { for_samples(check_threads, false); }

/* Gradients ------------------------------------------------------------------------------------ */

/* sum over the outputs of sum(output * weights), with weights that nothing else is likely to
 * equal. */
static kt_val *weighted_sum(kt_graph *g, const kt_node *n) {
    uint64_t seed = 11;
    kt_val *loss = NULL;
    for (int i = 0; i < n->n_out; i++) {
        if (n->op->n_main && i >= n->op->n_main) break;
        if (n->out[i]->spec.dtype != KT_FLOAT64) continue;
        void *w = kt_test_data(&n->out[i]->spec, &seed);
        kt_val *part = kt_g_mul(g, n->out[i], kt_g_array(g, w, n->out[i]->spec));
        free(w);
        part = kt_g_sum(g, part, kt_axes_all(part), false);
        loss = loss ? kt_g_add(g, loss, part) : part;
    }
    return loss;
}

static double loss_at(kt_graph *loss, void **data) {
    kt_run_result r = kt_run_graph(loss, data, NULL);
    kt_check_status(r.status, KT_OK);
    const double v = *(double *)r.data[0];
    kt_run_free(&r);
    return v;
}

static void compare_gradient(
    kt_graph *loss, void **data, int i, const double *dx, const char *name) {
    const double step = 1e-5;
    const int64_t n = kt_shape_size(&loss->inputs.v[i]->spec.shape);
    double *x = data[i];
    for (int64_t k = 0; k < n; k++) {
        const double at = x[k];
        x[k] = at + step;
        const double high = loss_at(loss, data);
        x[k] = at - step;
        const double low = loss_at(loss, data);
        x[k] = at;
        const double want = (high - low) / (2 * step);
        if (fabs(dx[k] - want) > 2e-6 * (1 + fabs(want)))
            fail_msg(
                "%s: gradient of input %d at %lld: %.9g, by differences %.9g",
                name,
                i,
                (long long)k,
                dx[k],
                want);
    }
}

static void check_gradient(const kt_opdef *op, const kt_sample *s, const char *name) {
    static const variant in_double = {KT_FLOAT64, -1, -1};
    kt_node *node, *node_of_loss;
    if (!op->vjp || s->no_grad) return;
    kt_graph *g = sample_graph(op, s, &in_double, &node),
             *l = sample_graph(op, s, &in_double, &node_of_loss);
    kt_val *wrt[KT_SAMPLE_IN], *dx[KT_SAMPLE_IN];
    int n = 0, input[KT_SAMPLE_IN];
    for (int i = 0; i < g->inputs.n; i++) {
        if (g->inputs.v[i]->spec.dtype != KT_FLOAT64) continue;
        input[n] = i;
        wrt[n++] = g->inputs.v[i];
    }
    kt_val *loss = weighted_sum(g, node);
    if (n && loss) {
        void *data[KT_SAMPLE_IN];
        if (kt_grad(g, loss, n, wrt, dx)) fail_msg("%s: %s", name, kt_error_message());
        kt_check_status(kt_graph_verify(g), KT_OK);
        g->outputs.n = l->outputs.n = 0;
        for (int i = 0; i < n; i++) assert_int_equal(kt_vec_push(&g->outputs, dx[i]), 0);
        assert_int_equal(kt_vec_push(&l->outputs, weighted_sum(l, node_of_loss)), 0);
        sample_data(g, s, data);
        kt_run_result r = kt_run_graph(g, data, NULL);
        kt_check_status(r.status, KT_OK);
        for (int i = 0; i < n; i++) {
            assert_true(kt_shape_equal(&r.spec[i].shape, &wrt[i]->spec.shape));
            compare_gradient(l, data, input[i], r.data[i], name);
        }
        kt_run_free(&r);
        for (int i = 0; i < g->inputs.n; i++) free(data[i]);
    }
    kt_graph_free(g);
    kt_graph_free(l);
}

KT_TEST(registry, gradients_equal_differences) { for_samples(check_gradient, false); }

/* Every op that has a gradient or a fast kernel must have samples, or the tests above are
 * silent. */
KT_TEST(registry, ops_have_samples) {
    for (const kt_opdef *const *op = kt_opdef_all(); *op; op++) {
        const unsigned memory = KT_OP_LEAF | KT_OP_EFFECT | KT_OP_ALIAS;
        if (!(*op)->samples && !((*op)->flags & memory) && strcmp((*op)->name, "pack"))
            fail_msg("%s has no samples", (*op)->name);
        assert_ptr_equal(kt_op_find((*op)->name), *op);
    }
}
