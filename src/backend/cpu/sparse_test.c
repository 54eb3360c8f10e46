/* sparse_matmul on rows as fit makes them, against the reference; what fit never makes; the search
 * for what is not zero. */
#include "backend/cpu/kernels/kernels.h"
#include "base/pool.h"
#include "ops/build.h"
#include "passes/passes.h"
#include "testing/graphs.h"

#include <stdlib.h>
#include <string.h>

enum { ROWS = 37, WIDTH = 300, CAP = ROWS * 24 };

typedef struct {
    float value[CAP], b[WIDTH * 80];
    int32_t offset[ROWS + 1], index[CAP];
} data;

/* Ascending columns, some rows empty. */
static data *sorted_data(void) {
    data *d = calloc(1, sizeof *d);
    uint64_t seed = 5;
    assert_non_null(d);
    kt_test_fill(d->value, KT_FLOAT32, CAP, -1, 1, &seed);
    kt_test_fill(d->b, KT_FLOAT32, WIDTH * 80, -1, 1, &seed);
    for (int r = 0; r < ROWS; r++) {
        int32_t at = d->offset[r], column = (int32_t)(kt_test_random(&seed) * 20);
        const int n = r % 5 == 2 ? 0 : (int)(kt_test_random(&seed) * 20);
        for (int k = 0; k < n && column < WIDTH; k++) {
            d->index[at++] = column;
            column += 1 + (int32_t)(kt_test_random(&seed) * 30);
        }
        d->offset[r + 1] = at;
    }
    return d;
}

static kt_graph *product(int64_t cols, bool ta) {
    kt_graph *g = kt_graph_new();
    kt_val *s[3] = {
        kt_g_input(g, (kt_spec){KT_FLOAT32, kt_dims(CAP)}),
        kt_g_input(g, (kt_spec){KT_INT32, kt_dims(ROWS + 1)}),
        kt_g_input(g, (kt_spec){KT_INT32, kt_dims(CAP)})};
    kt_val *b = kt_g_input(g, (kt_spec){KT_FLOAT32, kt_dims(ta ? ROWS : WIDTH, cols)});
    kt_val *dense = kt_g_sparse_to_dense(g, s[0], s[1], s[2], WIDTH);
    assert_int_equal(kt_vec_push(&g->outputs, kt_g_matmul(g, dense, b, ta, false)), 0);
    return g;
}

KT_TEST(sparse, products_as_dense) {
    data *d = sorted_data();
    void *const in[] = {d->value, d->offset, d->index, d->b};
    const int64_t cols[] = {1, 3, 16, 17, 33, 64, 80};
    for (int i = 0; i < 7; i++) {
        for (int ta = 0; ta < 2; ta++) {
            kt_graph *g = product(cols[i], ta);
            kt_run_result want = kt_run_naive(g, in, NULL);
            kt_check_status(kt_passes_run(g), KT_OK);
            char *text = kt_graph_text(g);
            assert_non_null(strstr(text, "sparse_matmul"));
            assert_null(strstr(text, "sparse_to_dense"));
            free(text);
            kt_pool_set_threads(1);
            kt_run_result one = kt_run_graph(g, in, NULL);
            kt_check_same(&one, &want, 1e-5, "sparse product");
            kt_pool_set_threads(3);
            kt_run_result three = kt_run_graph(g, in, NULL);
            kt_pool_set_threads(0);
            assert_memory_equal(
                one.data[0], three.data[0], (size_t)kt_shape_size(&one.spec[0].shape) * 4);
            kt_run_free(&want);
            kt_run_free(&one);
            kt_run_free(&three);
            kt_graph_free(g);
        }
    }
    free(d);
}

/* Columns twice or out of order, offsets beyond the end: the reference takes over. */
KT_TEST(sparse, irregular_rows) {
    data *d = sorted_data();
    void *const in[] = {d->value, d->offset, d->index, d->b};
    for (int i = 0; i < 3; i++) {
        kt_graph *g = product(17, i == 1);
        const int32_t first = d->index[d->offset[1]];
        if (i < 2) d->index[d->offset[1] - 1] = d->index[d->offset[1] - 2];
        if (i == 2) d->offset[ROWS] = CAP + 5;
        kt_run_result want = kt_run_naive(g, in, NULL);
        kt_check_status(kt_passes_run(g), KT_OK);
        kt_run_result got = kt_run_graph(g, in, NULL);
        kt_check_same(&got, &want, 1e-5, "irregular sparse product");
        d->index[d->offset[1]] = first;
        kt_run_free(&want);
        kt_run_free(&got);
        kt_graph_free(g);
    }
    d->offset[ROWS] = d->offset[ROWS - 1] + 1;
    d->index[d->offset[ROWS - 1]] = WIDTH;
    kt_graph *g = product(2, false);
    kt_check_status(kt_passes_run(g), KT_OK);
    kt_run_result got = kt_run_graph(g, in, NULL);
    kt_check_status(got.status, KT_EINVAL);
    kt_check_message_has("300 in row 36");
    kt_run_free(&got);
    kt_graph_free(g);
    free(d);
}

/* What else uses the dense array still gets it. */
KT_TEST(sparse, other_uses_stay_dense) {
    data *d = sorted_data();
    void *const in[] = {d->value, d->offset, d->index, d->b};
    kt_graph *g = product(16, false);
    kt_val *dense = g->outputs.v[0]->def->in[0];
    assert_int_equal(kt_vec_push(&g->outputs, kt_g_tanh(g, dense)), 0);
    kt_run_result want = kt_run_naive(g, in, NULL);
    kt_check_status(kt_passes_run(g), KT_OK);
    kt_run_result got = kt_run_graph(g, in, NULL);
    kt_check_same(&got, &want, 1e-5, "dense and sparse");
    kt_run_free(&want);
    kt_run_free(&got);
    kt_graph_free(g);
    free(d);
}

KT_TEST(sparse, nonzeros_of_every_level) {
    static const char *const levels[] = {"portable", "avx2", "avx512"};
    static float x[333];
    static uint16_t column[333 + 16];
    uint64_t seed = 2;
    for (int l = 0; l < 3; l++) {
        const kt_kernels *k = kt_kernels_level(levels[l]);
        for (int n = 0; k && n <= 333; n += 37) {
            int64_t count = 0;
            bool ones = true;
            for (int i = 0; i < n; i++)
                x[i] = kt_test_random(&seed) < 0.1 ? 1 : i % 3 ? 0.0f : -0.0f;
            const int64_t found = k->nonzeros(x, n, column, &ones);
            for (int i = 0; i < n; i++)
                if (x[i] != 0) assert_int_equal(column[count++], i);
            assert_int_equal(found, count);
            assert_true(ones);
            if (count == 0) continue;
            x[column[count - 1]] = n % 2 ? 2 : (float)strtod("nan", NULL);
            assert_int_equal(k->nonzeros(x, n, column, &ones), count);
            assert_false(ones);
        }
    }
}
