/* What a recurrent op keeps for its gradient goes where nobody reads it. */
#include "ops/build.h"
#include "testing/graphs.h"

static int64_t steps_kept(bool read) {
    kt_graph *g = kt_graph_new();
    const kt_rnn_in in = {
        .x = kt_g_input(g, (kt_spec){KT_FLOAT32, {3, {2, 5, 3}}}),
        .kernel = kt_g_input(g, (kt_spec){KT_FLOAT32, {2, {3, 16}}}),
        .r = kt_g_input(g, (kt_spec){KT_FLOAT32, {2, {4, 16}}}),
        .state = {
            kt_g_const(g, 0, (kt_spec){KT_FLOAT32, {2, {2, 4}}}),
            kt_g_const(g, 0, (kt_spec){KT_FLOAT32, {2, {2, 4}}})}};
    kt_val *end[2];
    kt_val *y = kt_g_rnn(g, RNN_LSTM, &in, &(rnn_attrs){.sequences = true}, end);
    assert_int_equal(kt_vec_push(&g->outputs, y), 0);
    if (read) assert_int_equal(kt_vec_push(&g->outputs, y->def->out[3]), 0);
    kt_run_pass(g, "forget");
    const int64_t steps = g->outputs.v[0]->def->out[3]->spec.shape.dim[0];
    kt_graph_free(g);
    return steps;
}

KT_TEST(forget, what_nobody_reads) {
    assert_int_equal(steps_kept(false), 1);
    assert_int_equal(steps_kept(true), 5);
}
