/* The executor: steps allocate nothing, contexts are independent, errors keep their words. */
#include "base/mem.h"
#include "base/pool.h"
#include "ops/build.h"
#include "passes/passes.h"
#include "testing/graphs.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A graph with most kinds of kernels in it. */
static kt_graph *mixed_graph(void) {
    kt_graph *g = kt_graph_new();
    kt_val *x = kt_g_input(g, (kt_spec){KT_FLOAT32, {2, {64, 96}}});
    kt_val *w = kt_g_input(g, (kt_spec){KT_FLOAT32, {2, {96, 50}}}), *dw;
    kt_val *label = kt_g_input(g, (kt_spec){KT_INT32, {1, {64}}});
    kt_val *y = kt_g_matmul(g, kt_g_tanh(g, x), w, false, false);
    kt_val *loss = kt_g_mean(g, kt_g_sparse_xent(g, kt_g_softplus(g, y), label), 1, false);
    kt_check_status(kt_grad(g, loss, 1, &w, &dw), KT_OK);
    assert_int_equal(kt_vec_push(&g->outputs, loss), 0);
    assert_int_equal(kt_vec_push(&g->outputs, dw), 0);
    return g;
}

static void fill_inputs(kt_cpu_run *run, const kt_graph *g, uint64_t seed) {
    for (int i = 0; i < g->inputs.n; i++) {
        void *data = kt_test_data(&g->inputs.v[i]->spec, &seed);
        memcpy(kt_cpu_input(run, i), data, (size_t)kt_spec_bytes(&g->inputs.v[i]->spec));
        free(data);
    }
}

KT_TEST(exec, a_step_allocates_nothing) {
    kt_graph *g = mixed_graph();
    kt_cpu_code *code;
    kt_cpu_run *run;
    kt_check_status(kt_passes_run(g), KT_OK);
    kt_check_status(kt_cpu_compile(g, &code), KT_OK);
    kt_check_status(kt_cpu_run_new(code, NULL, &run), KT_OK);
    fill_inputs(run, g, 1);
    kt_check_status(kt_cpu_execute(run), KT_OK); /* the pool starts its threads once */
    const int64_t before = kt_mem_count();
    for (int i = 0; i < 20; i++) kt_check_status(kt_cpu_execute(run), KT_OK);
    assert_int_equal(kt_mem_count(), before);
    kt_cpu_run_free(run);
    kt_cpu_code_free(code);
    kt_graph_free(g);
}

/* Inputs may lie anywhere: in the middle of other data, aligned to nothing but their elements. The
 * last one goes through a view and is an output too. */
KT_TEST(exec, inputs_are_read_where_they_lie) {
    kt_graph *g = kt_graph_new();
    kt_cpu_code *code;
    kt_cpu_run *run;
    kt_val *x = kt_g_input(g, (kt_spec){KT_FLOAT32, {2, {3, 7}}});
    kt_val *flat = kt_g_reshape(g, x, (kt_shape){1, {21}});
    assert_int_equal(kt_vec_push(&g->outputs, kt_g_neg(g, x)), 0);
    assert_int_equal(kt_vec_push(&g->outputs, flat), 0);
    kt_check_status(kt_passes_run(g), KT_OK);
    kt_check_status(kt_cpu_compile(g, &code), KT_OK);
    kt_check_status(kt_cpu_run_new(code, NULL, &run), KT_OK);
    float *data = calloc(22, sizeof *data);
    assert_non_null(data);
    for (int i = 0; i < 22; i++) data[i] = (float)i;
    for (int turn = 0; turn < 3; turn++) { /* theirs, our own, theirs again */
        float *own = turn == 1 ? kt_cpu_input(run, 0) : NULL;
        for (int i = 0; own && i < 21; i++) own[i] = (float)(100 + i);
        if (!own) kt_cpu_bind(run, 0, data + 1);
        const float first = own ? 100 : 1;
        kt_check_status(kt_cpu_execute(run), KT_OK);
        for (int i = 0; i < 21; i++) {
            assert_true(((const float *)kt_cpu_output(run, 0))[i] == -first - (float)i);
            assert_true(((const float *)kt_cpu_output(run, 1))[i] == first + (float)i);
        }
    }
    for (int i = 0; i < 22; i++) assert_true(data[i] == (float)i); /* never written */
    free(data);
    kt_cpu_run_free(run);
    kt_cpu_code_free(code);
    kt_graph_free(g);
}

typedef struct {
    const kt_cpu_code *code;
    const kt_graph *g;
    uint64_t seed;
    float loss[50];
    kt_status status;
} user;

static void *use(void *arg) {
    user *u = arg;
    kt_cpu_run *run;
    if ((u->status = kt_cpu_run_new(u->code, NULL, &run))) return NULL;
    for (int i = 0; i < 50 && u->status == KT_OK; i++) {
        fill_inputs(run, u->g, u->seed + (uint64_t)i % 3);
        u->status = kt_cpu_execute(run);
        u->loss[i] = *(const float *)kt_cpu_output(run, 0);
    }
    kt_cpu_run_free(run);
    return NULL;
}

KT_TEST(exec, contexts_of_one_program_run_at_once) {
    kt_graph *g = mixed_graph();
    kt_cpu_code *code;
    pthread_t thread[4];
    static user users[4];
    kt_check_status(kt_passes_run(g), KT_OK);
    kt_check_status(kt_cpu_compile(g, &code), KT_OK);
    for (int i = 0; i < 4; i++) {
        users[i] = (user){.code = code, .g = g, .seed = 10};
        assert_int_equal(pthread_create(&thread[i], NULL, use, &users[i]), 0);
    }
    for (int i = 0; i < 4; i++) pthread_join(thread[i], NULL);
    for (int i = 0; i < 4; i++) {
        kt_check_status(users[i].status, KT_OK);
        for (int k = 0; k < 50; k++) assert_true(users[i].loss[k] == users[0].loss[k % 3]);
    }
    kt_cpu_code_free(code);
    kt_graph_free(g);
}

/* A bad label deep inside a batch that several threads share: the caller gets the words, and those
 * of the first bad row. */
KT_TEST(exec, errors_of_other_threads_keep_their_words) {
    enum { ROWS = 20000, BAD = 13001 };
    kt_graph *g = kt_graph_new();
    kt_val *x = kt_g_input(g, (kt_spec){KT_FLOAT32, {2, {ROWS, 10}}});
    kt_val *label = kt_g_input(g, (kt_spec){KT_INT32, {1, {ROWS}}});
    assert_int_equal(kt_vec_push(&g->outputs, kt_g_sparse_xent(g, x, label)), 0);
    float *logits = calloc(ROWS * 10, sizeof *logits);
    int32_t *labels = calloc(ROWS, sizeof *labels);
    assert_true(logits && labels);
    labels[BAD] = 10;
    labels[BAD + 4000] = -1;
    void *in[2] = {logits, labels};
    kt_pool_set_threads(4);
    kt_run_result r = kt_run_graph(g, in, NULL);
    kt_pool_set_threads(0);
    kt_check_status(r.status, KT_EINVAL);
    kt_check_message_has("10 in row 13001");
    kt_run_free(&r);
    free(logits);
    free(labels);
    kt_graph_free(g);
}

KT_TEST(exec, profile_has_a_bar_for_each_node) {
    char path[] = "/tmp/kt_profile_XXXXXX", text[4000] = {0};
    const int fd = mkstemp(path);
    assert_true(fd >= 0);
    setenv("KT_PROFILE", path, 1);
    kt_graph *g = mixed_graph();
    g->nodes.v[3]->scope = "a \"layer\"";
    kt_run_result r = kt_run_seeded(g, 1);
    unsetenv("KT_PROFILE");
    kt_check_status(r.status, KT_OK);
    assert_true(read(fd, text, sizeof text - 1) > 100);
    assert_int_equal(text[0], '[');
    assert_non_null(strstr(text, "{\"name\":\"program\",\"ph\":\"X\""));
    assert_non_null(strstr(text, "\"lower_bound\":"));
    assert_non_null(strstr(text, "{\"name\":\"tanh\",\"ph\":\"X\""));
    assert_non_null(
        strstr(text, "\"layer\":\"a \\\"layer\\\"\",\"result\":\"float32 (64, 96)\"}},"));
    kt_run_free(&r);
    kt_graph_free(g);
    close(fd);
    unlink(path);
}

KT_TEST(exec, a_dtype_without_kernel_is_named) {
    kt_graph *g = kt_graph_new();
    kt_cpu_code *code;
    kt_val *x = kt_g_input(g, (kt_spec){KT_INT32, {2, {3, 3}}});
    g->scope = "model/dense";
    assert_int_equal(kt_vec_push(&g->outputs, kt_g_matmul(g, x, x, false, false)), 0);
    kt_check_status(kt_cpu_compile(g, &code), KT_EDTYPE);
    kt_check_message_has("matmul does not work on int32");
    kt_check_message_has("model/dense");
    kt_graph_free(g);
}
