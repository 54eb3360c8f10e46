/* Adam at the end of a product: the same weights and moments as with the gradient in memory. */
#include "ops/build.h"
#include "testing/graphs.h"

#include <string.h>

#define ROWS 80
#define COLUMNS 64
#define KERNEL (ROWS * COLUMNS)
#define TOTAL (KERNEL + COLUMNS + 16)

/* A layer's kernel and bias in one flat segment, `spread`: the kernel's gradient has a second
 * user. */
static kt_graph *layer_update(bool spread) {
    kt_graph *g = kt_graph_new();
    int keys[3];
    kt_val *state[3], *out[3];
    kt_val *x = kt_g_input(g, (kt_spec){KT_FLOAT32, {2, {32, ROWS}}});
    kt_val *d = kt_g_input(g, (kt_spec){KT_FLOAT32, {2, {32, COLUMNS}}});
    for (int i = 0; i < 3; i++) {
        const int slot = kt_graph_slot(g, &keys[i], "pmv", (kt_spec){KT_FLOAT32, {1, {TOTAL}}});
        state[i] = kt_g_var(g, slot);
        if (i == 2) state[i] = kt_g_square(g, state[i]);
    }
    kt_val *dw = kt_g_matmul(g, x, d, true, false), *db = kt_g_sum(g, d, 1, false);
    kt_val *grads[2] = {dw, db};
    kt_val *grad = kt_g_pack(g, 2, grads, (int64_t[]){0, KERNEL}, TOTAL);
    const float scalars[] = {0.01f, 0.1f, 0.001f, 1e-7f};
    kt_val *s = kt_g_array(g, scalars, (kt_spec){KT_FLOAT32, {1, {4}}});
    kt_g_adam(g, state[0], state[1], state[2], grad, s, out);
    for (int i = 0; i < 3; i++) kt_g_assign(g, i, 0, out[i]);
    if (spread) assert_int_equal(kt_vec_push(&g->outputs, dw), KT_OK);
    kt_check_status(g->status, KT_OK);
    return g;
}

static int count_op(const kt_graph *g, const char *name) {
    int n = 0;
    for (int i = 0; i < g->nodes.n; i++) n += !strcmp(g->nodes.v[i]->op->name, name);
    return n;
}

KT_TEST(fuse_adam, updates_as_before) {
    kt_graph *g = layer_update(false);
    kt_run_result want = kt_run_naive_seeded(g, 5);
    kt_run_pass(g, "fuse_adam");
    kt_run_pass(g, "dce");
    assert_int_equal(count_op(g, "matmul_adam"), 1);
    assert_int_equal(count_op(g, "adam"), 1);
    assert_int_equal(count_op(g, "matmul"), 0);
    kt_run_result naive = kt_run_naive_seeded(g, 5), got = kt_run_seeded(g, 5);
    kt_check_same(&naive, &want, 1e-6, "reference");
    kt_check_same(&got, &want, 1e-5, "blocks");
    kt_run_free(&got);
    kt_run_free(&naive);
    kt_run_free(&want);
    kt_graph_free(g);
}

KT_TEST(fuse_adam, leaves_gradients_that_others_want) {
    kt_graph *g = layer_update(true);
    kt_run_pass(g, "fuse_adam");
    assert_int_equal(count_op(g, "matmul_adam"), 0);
    kt_graph_free(g);
}
