/* Fuzz target: graphs as text. What is read must be legal, print and read back as the same text,
 * and pass through every pass, the planner and (if it is small) the executor without harm. */
#include "fuzz.h"

#include "backend/cpu/cpu.h"
#include "base/mem.h"
#include "base/str.h"
#include "ir/opdef.h"
#include "passes/passes.h"

#include <string.h>

#define MAX_RUN_BYTES (1 << 20)

static void print(kt_graph *g, kt_str *text) {
    kt_str_add(text, "");
    kt_graph_renumber(g);
    FUZZ_CHECK(kt_graph_print(g, text) == KT_OK);
}

static void check_round_trip(kt_graph *g) {
    kt_str text = {0}, again = {0};
    print(g, &text);
    kt_graph *copy = kt_graph_parse(text.s);
    FUZZ_CHECK(copy);
    print(copy, &again);
    FUZZ_CHECK(!strcmp(text.s, again.s));
    kt_graph_free(copy);
    kt_str_free(&text);
    kt_str_free(&again);
}

static bool is_small(const kt_graph *g) {
    int64_t bytes = 0;
    for (int i = 0; i < g->nodes.n && bytes < MAX_RUN_BYTES; i++) {
        const kt_node *n = g->nodes.v[i];
        int64_t work = 1; /* a product of (n, 1) and (1, n) is large where its inputs are not */
        for (int k = 0; k < n->n_in; k++) {
            const int64_t size = kt_shape_size(&n->in[k]->spec.shape);
            work = size && work > MAX_RUN_BYTES / size ? MAX_RUN_BYTES : work * (size ? size : 1);
        }
        for (int k = 0; k < n->n_out; k++) bytes += kt_spec_bytes(&n->out[k]->spec);
        bytes += work;
    }
    for (int i = 0; i < g->slots.n && bytes < MAX_RUN_BYTES; i++)
        bytes += kt_spec_bytes(&g->slots.v[i].spec);
    return bytes < MAX_RUN_BYTES;
}

static void run(kt_graph *g) {
    kt_cpu_code *code = NULL;
    kt_cpu_run *context = NULL;
    void **slots = kt_alloc_array(g->slots.n + 1, sizeof *slots);
    FUZZ_CHECK(slots);
    for (int i = 0; i < g->slots.n; i++)
        slots[i] = kt_alloc((size_t)kt_spec_bytes(&g->slots.v[i].spec));
    if (kt_cpu_compile(g, &code) == KT_OK) {
        FUZZ_CHECK(kt_cpu_plan(code)->arena_bytes >= kt_cpu_plan(code)->lower_bound);
        FUZZ_CHECK(kt_cpu_run_new(code, slots, &context) == KT_OK);
        (void)kt_cpu_execute(context); /* an index out of range is an error of the data */
        kt_cpu_run_free(context);
        kt_cpu_code_free(code);
    }
    for (int i = 0; i < g->slots.n; i++) kt_mem_free(slots[i]);
    kt_mem_free(slots);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    char *text = kt_alloc(size + 1);
    FUZZ_CHECK(text);
    if (size) memcpy(text, data, size);
    kt_graph *g = kt_graph_parse(text);
    if (g) {
        FUZZ_CHECK(kt_graph_verify(g) == KT_OK);
        check_round_trip(g);
        if (is_small(g)) {
            for (const kt_pass *p = kt_pass_all(); p->name; p++) {
                FUZZ_CHECK(p->run(g) == KT_OK);
                FUZZ_CHECK(kt_graph_verify(g) == KT_OK);
            }
            check_round_trip(g);
            run(g);
        }
    }
    kt_graph_free(g);
    kt_mem_free(text);
    return 0;
}
