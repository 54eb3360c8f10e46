/* StackedRNNCells: each cell gets the output of the one before it.  keras.layers.StackedRNNCells */
#include "nn/layers/rnn.h"

static kt_status stacked_init(kt_layer *l) {
    const kt_stacked_rnn_cells_args *a = kt_layer_args(l);
    int n = 0;
    if (!kt_is(a->cells, KT_KIND_LIST) || !kt_list_len(a->cells))
        return KT_FAIL(KT_EINVAL, "cells: expected a list of cells");
    for (int i = 0; i < kt_list_len(a->cells); i++) {
        kt_layer *cell = (kt_layer *)(uintptr_t)kt_list_get(a->cells, i);
        int64_t size[RNN_MAX_STATES];
        const kt_status st = kt_layer_require(cell, "cells");
        if (st) return st;
        if (!cell->cls->state_sizes)
            return KT_FAIL(
                KT_EINVAL,
                "cells: %s is no recurrent cell (its class has no state_sizes)",
                cell->class_name);
        n += cell->cls->state_sizes(cell, size);
        if (n > RNN_MAX_STATES)
            return KT_FAIL(KT_ELIMIT, "cells: more than %d states in all", RNN_MAX_STATES);
        if (kt_failed(kt_add_sublayer_as(l, "cells/", cell))) return KT_ENOMEM;
    }
    return KT_OK;
}

static int stacked_states(const kt_layer *l, int64_t *size) {
    int n = 0;
    for (int i = 0; i < l->children.n; i++)
        n += l->children.v[i]->cls->state_sizes(l->children.v[i], size + n);
    return n;
}

/* Cells whose output is not their first state are built when they are called. */
static kt_status stacked_build(kt_layer *l, const kt_shape *in) {
    kt_shape s = in[0];
    kt_status st = KT_OK;
    for (int i = 0; i < l->children.n && st == KT_OK; i++) {
        int64_t size[RNN_MAX_STATES];
        kt_layer *cell = l->children.v[i];
        st = kt_layer_ensure_built(cell, 1, &s);
        cell->cls->state_sizes(cell, size);
        s = (kt_shape){2, {in[0].dim[0], size[0]}};
    }
    return st;
}

static kt_status stacked_call(kt_layer *l, kt_trace *t) {
    kt_status st = rnn_cell_check(l, t);
    kt_sym *x = t->in[0];
    int at = 0;
    for (int i = 0; i < l->children.n && st == KT_OK; i++) {
        int64_t size[RNN_MAX_STATES];
        kt_layer *cell = l->children.v[i];
        const int n = cell->cls->state_sizes(cell, size);
        kt_sym *mask = NULL;
        kt_trace c = {
            .n_in = 1,
            .in = &x,
            .in_mask = &mask,
            .training = t->training,
            .n_initial_state = n,
            .initial_state = t->initial_state + at};
        st = kt_layer_trace_call(cell, &c);
        for (int k = 0; k < n && st == KT_OK; k++) t->out[1 + at + k] = c.out[1 + k];
        x = c.out[0];
        at += n;
    }
    t->n_out = 1 + at;
    t->out[0] = x;
    return st;
}

static const kt_field stacked_fields[] = {KT_F(kt_stacked_rnn_cells_args, cells), KT_F_END};

const kt_layer_class kt_class_stacked_rnn_cells = {
    .name = "StackedRNNCells",
    .args_size = sizeof(kt_stacked_rnn_cells_args),
    .fields = stacked_fields,
    .defaults = &(const kt_stacked_rnn_cells_args){KT_STACKED_RNN_CELLS_DEFAULTS},
    .init = stacked_init,
    .build = stacked_build,
    .call = stacked_call,
    .state_sizes = stacked_states,
};

kt_layer *kt_stacked_rnn_cells_new(const kt_stacked_rnn_cells_args *a) {
    return kt_layer_new(&kt_class_stacked_rnn_cells, a);
}
