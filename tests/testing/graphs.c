/* Helpers for tests of the engine. See graphs.h. */
#include "testing/graphs.h"

#include "base/error.h"
#include "base/str.h"
#include "ir/attrs.h"
#include "ir/opdef.h"
#include "passes/passes.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

double kt_test_random(uint64_t *seed) { /* splitmix64 */
    uint64_t z = *seed += 0x9E3779B97F4A7C15u;
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9u;
    z = (z ^ z >> 27) * 0x94D049BB133111EBu;
    return (double)((z ^ z >> 31) >> 11) * 0x1p-53;
}

void kt_test_fill(void *data, kt_dtype dtype, int64_t n, double low, double high, uint64_t *seed) {
    for (int64_t i = 0; i < n; i++)
        kt_elem_set(data, dtype, i, low + (high - low) * kt_test_random(seed));
}

void *kt_test_data_in(const kt_spec *spec, double low, double high, uint64_t *seed) {
    void *data = calloc(1, (size_t)kt_spec_bytes(spec) + 1);
    assert_non_null(data);
    const int64_t n = kt_shape_size(&spec->shape);
    if (spec->dtype != KT_BOOL)
        kt_test_fill(data, spec->dtype, n, low, high, seed);
    else
        for (int64_t i = 0; i < n; i++) ((uint8_t *)data)[i] = kt_test_random(seed) < 0.5;
    return data;
}

void *kt_test_data(const kt_spec *spec, uint64_t *seed) {
    const bool real = kt_dtype_is_float(spec->dtype);
    return kt_test_data_in(spec, real ? -1 : 0, real ? 1 : 4, seed);
}

static void *copy_of(const void *data, const kt_spec *spec) {
    const size_t bytes = (size_t)kt_spec_bytes(spec);
    void *copy = malloc(bytes + 1);
    assert_non_null(copy);
    memcpy(copy, data, bytes);
    return copy;
}

static void keep(kt_run_result *r, const void *data, const kt_spec *spec) {
    assert_true(r->n < KT_RUN_MAX);
    r->spec[r->n] = *spec;
    r->data[r->n++] = copy_of(data, spec);
}

kt_run_result kt_run_graph(kt_graph *g, void *const *in, void *const *slots) {
    kt_run_result r = {0};
    kt_cpu_code *code = NULL;
    kt_cpu_run *run = NULL;
    void *memory[KT_RUN_MAX] = {NULL};
    assert_true(g->slots.n <= KT_RUN_MAX);
    kt_check_status(g->status, KT_OK);
    kt_check_status(kt_cpu_compile(g, &code), KT_OK);
    for (int i = 0; i < g->slots.n; i++) memory[i] = copy_of(slots[i], &g->slots.v[i].spec);
    kt_check_status(kt_cpu_run_new(code, memory, &run), KT_OK);
    for (int i = 0; i < g->inputs.n; i++)
        memcpy(kt_cpu_input(run, i), in[i], (size_t)kt_spec_bytes(&g->inputs.v[i]->spec));
    r.status = kt_cpu_execute(run);
    for (int i = 0; i < g->outputs.n; i++) keep(&r, kt_cpu_output(run, i), &g->outputs.v[i]->spec);
    for (int i = 0; i < g->slots.n; i++) keep(&r, memory[i], &g->slots.v[i].spec);
    for (int i = 0; i < g->slots.n; i++) free(memory[i]);
    kt_cpu_run_free(run);
    kt_cpu_code_free(code);
    return r;
}

static void naive_node(
    const kt_node *n, char **mem, void *const *in, void *const *slots, kt_status *st) {
    void *from[64], *to[KT_OP_MAX_OUT];
    assert_true(n->n_in <= 64);
    for (int i = 0; i < n->n_in; i++) from[i] = mem[n->in[i]->id];
    for (int i = 0; i < n->n_out; i++) {
        mem[n->out[i]->id] = to[i] = malloc((size_t)kt_spec_bytes(&n->out[i]->spec) + 1);
        assert_non_null(to[i]);
        memset(to[i], 0xA5, (size_t)kt_spec_bytes(&n->out[i]->spec) + 1);
    }
    const size_t bytes = (size_t)kt_spec_bytes(&n->out[0]->spec);
    const int64_t size = (int64_t)kt_dtype_size(n->out[0]->spec.dtype);
    if (!strcmp(n->op->name, "input"))
        memcpy(to[0], in[((const leaf_attrs *)n->attrs)->index], bytes);
    else if (!strcmp(n->op->name, "var"))
        memcpy(to[0], slots[((const leaf_attrs *)n->attrs)->index], bytes);
    else if (!strcmp(n->op->name, "view"))
        memcpy(to[0], (char *)from[0] + ((const view_attrs *)n->attrs)->offset * size, bytes);
    else if (n->op->flags & (KT_OP_ALIAS | KT_OP_EFFECT))
        memcpy(to[0], from[0], bytes);
    else {
        const kt_dtype d = n->n_in ? n->in[0]->spec.dtype : n->out[0]->spec.dtype;
        kt_kernel *ref = n->op->ref[d == KT_FLOAT32 ? 0 : d == KT_FLOAT64 ? 1 : 2];
        assert_non_null(ref);
        *st = ref(&(kt_kargs){.node = n, .in = from, .out = to});
    }
}

kt_run_result kt_run_naive(kt_graph *g, void *const *in, void *const *slots) {
    kt_run_result r = {0};
    char **mem = calloc((size_t)g->n_vals + 1, sizeof *mem);
    assert_non_null(mem);
    for (int i = 0; i < g->nodes.n && r.status == KT_OK; i++)
        naive_node(g->nodes.v[i], mem, in, slots, &r.status);
    for (int i = 0; i < g->outputs.n; i++)
        keep(&r, mem[g->outputs.v[i]->id], &g->outputs.v[i]->spec);
    for (int i = 0; i < g->slots.n; i++) keep(&r, slots[i], &g->slots.v[i].spec);
    for (int i = 0; i < g->nodes.n; i++) {
        const kt_node *n = g->nodes.v[i];
        if (strcmp(n->op->name, "assign")) continue;
        const view_attrs *a = n->attrs;
        const kt_spec *s = &n->in[0]->spec;
        char *slot = r.data[g->outputs.n + a->slot];
        memcpy(
            slot + a->offset * (int64_t)kt_dtype_size(s->dtype),
            mem[n->in[0]->id],
            (size_t)kt_spec_bytes(s));
    }
    for (int i = 0; i < g->n_vals; i++) free(mem[i]);
    free(mem);
    return r;
}

typedef kt_run_result graph_runner(kt_graph *g, void *const *in, void *const *slots);

static kt_run_result run_seeded(kt_graph *g, uint64_t seed, graph_runner *run) {
    void *in[KT_RUN_MAX], *slots[KT_RUN_MAX];
    assert_true(g->inputs.n <= KT_RUN_MAX && g->slots.n <= KT_RUN_MAX);
    for (int i = 0; i < g->inputs.n; i++) in[i] = kt_test_data(&g->inputs.v[i]->spec, &seed);
    for (int i = 0; i < g->slots.n; i++) slots[i] = kt_test_data(&g->slots.v[i].spec, &seed);
    const kt_run_result r = run(g, in, slots);
    for (int i = 0; i < g->inputs.n; i++) free(in[i]);
    for (int i = 0; i < g->slots.n; i++) free(slots[i]);
    return r;
}

kt_run_result kt_run_seeded(kt_graph *g, uint64_t seed) {
    return run_seeded(g, seed, kt_run_graph);
}

kt_run_result kt_run_naive_seeded(kt_graph *g, uint64_t seed) {
    return run_seeded(g, seed, kt_run_naive);
}

void kt_run_free(kt_run_result *r) {
    for (int i = 0; i < r->n; i++) free(r->data[i]);
    r->n = 0;
}

static double largest(const void *data, const kt_spec *spec) {
    double most = 0;
    for (int64_t i = 0; i < kt_shape_size(&spec->shape); i++) {
        const double v = fabs(kt_elem_get(data, spec->dtype, i));
        if (isfinite(v) && v > most) most = v;
    }
    return most;
}

static void check_array(
    const void *got,
    const void *want,
    const kt_spec *spec,
    double tolerance,
    const char *what,
    int k) {
    const double most = largest(want, spec), room = tolerance * (most > 0.1 ? most : 0.1);
    for (int64_t i = 0; i < kt_shape_size(&spec->shape); i++) {
        const double a = kt_elem_get(got, spec->dtype, i), b = kt_elem_get(want, spec->dtype, i);
        const bool same = isnan(b) ? isnan(a) : a == b;
        if (same || (kt_dtype_is_float(spec->dtype) && isfinite(b) && fabs(a - b) <= room))
            continue;
        fail_msg(
            "%s: result %d, element %lld: got %.9g, expected %.9g", what, k, (long long)i, a, b);
    }
}

void kt_check_same(
    const kt_run_result *got, const kt_run_result *want, double tolerance, const char *what) {
    if (got->status != want->status || got->n != want->n)
        fail_msg(
            "%s: status %d, %d results, not %d, %d",
            what,
            got->status,
            got->n,
            want->status,
            want->n);
    if (want->status) return;
    for (int k = 0; k < want->n; k++) {
        if (got->spec[k].dtype != want->spec[k].dtype ||
            !kt_shape_equal(&got->spec[k].shape, &want->spec[k].shape))
            fail_msg("%s: result %d looks different", what, k);
        check_array(got->data[k], want->data[k], &want->spec[k], tolerance, what, k);
    }
}

kt_graph *kt_graph_of(const char *text) {
    kt_graph *g = kt_graph_parse(text);
    if (!g) fail_msg("%s\n%s", kt_error_message(), text);
    return g;
}

char *kt_graph_text(kt_graph *g) {
    kt_str s = {0};
    kt_graph_renumber(g);
    kt_str_add(&s, "");
    kt_check_status(kt_graph_print(g, &s), KT_OK);
    char *copy = strdup(s.s);
    kt_str_free(&s);
    return copy;
}

void kt_run_pass(kt_graph *g, const char *pass) {
    kt_pass_fn *run = kt_pass_find(pass);
    assert_non_null(run);
    kt_check_status(run(g), KT_OK);
    kt_check_status(kt_graph_verify(g), KT_OK);
}

void kt_check_pass(const char *pass, const char *before, const char *after) {
    kt_graph *g = kt_graph_of(before);
    kt_run_pass(g, pass);
    char *text = kt_graph_text(g);
    if (strcmp(text, after)) fail_msg("%s gave\n%s\nexpected\n%s", pass, text, after);
    free(text);
    kt_graph_free(g);
}
