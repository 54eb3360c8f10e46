/* See kt_recurrent.h. */
#include "testing/kt_recurrent.h"
#include "io/npz.h"
#include "testing/graphs.h"
#include "testing/kt_models.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static kt_status call_gradients(kt_recurrent_call *c, kt_tracer *tr, kt_sym *y, kt_val **in) {
    kt_graph *g = tr->g;
    kt_val *loss = NULL, *wrt[KT_RECURRENT_MAX], *dx[KT_RECURRENT_MAX];
    for (int i = 0; i < c->n_out; i++) {
        kt_val *v = kt_unwrap(y->n_outs ? kt_item(y, i) : y, NULL);
        c->out[i] = v->spec;
        assert_int_equal(kt_vec_push(&g->outputs, v), 0);
        kt_val *part = kt_g_mul(g, v, kt_g_input(g, v->spec));
        part = kt_g_sum(g, part, kt_axes_all(part), false);
        loss = loss ? kt_g_add(g, loss, part) : part;
    }
    wrt[c->n_wrt++] = in[0];
    for (int i = 0; i < c->n_state; i++) wrt[c->n_wrt++] = in[1 + i];
    for (int i = 0; i < c->n_var; i++) wrt[c->n_wrt++] = kt_tracer_var(tr, c->var[i]);
    const kt_status st = kt_grad(g, loss, c->n_wrt, wrt, dx);
    for (int i = 0; i < c->n_wrt && st == KT_OK; i++)
        assert_int_equal(kt_vec_push(&g->outputs, dx[i]), 0);
    return st;
}

void kt_recurrent_start(kt_recurrent_call *c) {
    kt_tracer tr;
    kt_val *in[KT_RECURRENT_MAX];
    const void *state[KT_RECURRENT_MAX];
    kt_graph *g = kt_graph_new();
    kt_adopt(c->layer);
    kt_tracer_begin(&tr, g, c->training, NULL);
    in[0] = kt_g_input(g, c->x);
    kt_sym *mask = c->has_mask ? kt_wrap(kt_g_input(g, c->mask)) : NULL;
    for (int i = 0; i < c->n_state; i++) state[i] = kt_wrap(in[1 + i] = kt_g_input(g, c->state[i]));
    kt_sym *y = kt_call(
        c->layer,
        kt_wrap(in[0]),
        .training = c->training,
        .mask = mask,
        .initial_state = c->n_state ? kt_list_of(c->n_state, state) : NULL);
    kt_check_ok(y);
    c->n_out = y->n_outs ? y->n_outs : 1;
    c->n_var = kt_layer_n_weights(c->layer);
    for (int i = 0; i < c->n_var; i++) {
        c->var[i] = kt_layer_weight(c->layer, i);
        kt_check_status(kt_var_ensure(c->var[i]), KT_OK);
    }
    kt_check_status(call_gradients(c, &tr, y, in), KT_OK);
    kt_check_status(kt_tracer_end(&tr), KT_OK);
    kt_check_status(kt_program_new(g, &c->program), KT_OK);
    kt_check_status(kt_program_acquire(c->program, &c->run), KT_OK);
}

void kt_recurrent_stop(kt_recurrent_call *c) {
    kt_program_release(c->program, c->run);
    kt_program_free(c->program);
    kt_release(c->layer);
}

static int64_t copy_in(void *to, const kt_spec *s, const float *from) {
    const int64_t n = kt_shape_size(&s->shape);
    memcpy(to, from, sizeof(float) * (size_t)n);
    return n;
}

/* The next part of the case's numbers against what came out. */
static int64_t same(
    const char *name, const char *part, int i, const float *got, int64_t n, const float *want) {
    double most = 0;
    for (int64_t k = 0; k < n; k++) most = fmax(most, fabs(want[k]));
    for (int64_t k = 0; k < n; k++) {
        if (fabs(got[k] - want[k]) <= 2e-6 * fmax(most, 0.1) + 1e-5 * fabs(want[k])) continue;
        fail_msg(
            "%s: %s%d element %d: got %.9g, Keras %.9g", name, part, i, (int)k, got[k], want[k]);
    }
    return n;
}

static kt_tensor *member(kt_npz *z, const char *group, const char *name) {
    char key[80];
    snprintf(key, sizeof key, "%s%s%s", group, *group ? "/" : "", name);
    kt_tensor *t = kt_npz_read(z, key);
    kt_check_ok(t);
    return t;
}

static void load(kt_recurrent_call *c, kt_tensor *x, kt_tensor *mask, kt_tensor **state) {
    memcpy(kt_cpu_input(c->run, 0), x->data, kt_tensor_bytes(x));
    if (mask) memcpy(kt_cpu_input(c->run, 1), mask->data, kt_tensor_bytes(mask));
    for (int i = 0; i < c->n_state; i++)
        copy_in(kt_cpu_input(c->run, 1 + c->has_mask + i), &c->state[i], state[i]->data);
}

static void compare(const kt_recurrent_call *c, const char *name, const float **at) {
    const float *y[KT_RECURRENT_MAX];
    int o = 0;
    for (int i = 0; i < c->n_out; i++) {
        const int64_t n = kt_shape_size(&c->out[i].shape);
        y[i] = *at;
        copy_in(kt_cpu_input(c->run, 1 + c->has_mask + c->n_state + i), &c->out[i], *at + n);
        *at += 2 * n;
    }
    kt_check_status(kt_cpu_execute(c->run), KT_OK);
    for (; o < c->n_out; o++)
        same(name, "y", o, kt_cpu_output(c->run, o), kt_shape_size(&c->out[o].shape), y[o]);
    *at += same(name, "dx", 0, kt_cpu_output(c->run, o++), kt_shape_size(&c->x.shape), *at);
    for (int i = 0; i < c->n_state; i++, o++)
        *at += same(
            name, "ds", i, kt_cpu_output(c->run, o), kt_shape_size(&c->state[i].shape), *at);
    for (int i = 0; i < c->n_var; i++, o++)
        *at += same(
            name, "dw", i, kt_cpu_output(c->run, o), kt_shape_size(&c->var[i]->spec.shape), *at);
}

void kt_check_recurrent(
    const char *file,
    const char *name,
    kt_layer *l,
    const char *x_name,
    const char *mask_name,
    const char *state_name,
    int n_state) {
    kt_npz *z;
    char path[96];
    kt_check_ok(l);
    snprintf(path, sizeof path, "tests/golden/%s.npz", file);
    kt_check_status(kt_npz_open(&z, path), KT_OK);
    kt_tensor *all = member(z, "", name), *x = member(z, "x", x_name), *state[KT_RECURRENT_MAX];
    kt_tensor *mask = mask_name ? member(z, "mask", mask_name) : NULL;
    kt_recurrent_call c = {
        .layer = l, .x = {KT_FLOAT32, x->shape}, .n_state = n_state, .has_mask = mask != NULL};
    if (mask) c.mask = (kt_spec){KT_BOOL, mask->shape};
    for (int i = 0; i < n_state; i++) {
        char number[16];
        snprintf(number, sizeof number, "%d", i);
        state[i] = member(z, state_name, number);
        c.state[i] = (kt_spec){KT_FLOAT32, state[i]->shape};
    }
    kt_recurrent_start(&c);
    const float *at = all->data, *end = at + kt_tensor_size(all);
    for (int i = 0; i < c.n_var; i++) at += copy_in(kt_var_data(c.var[i]), &c.var[i]->spec, at);
    load(&c, x, mask, state);
    compare(&c, name, &at);
    if (at < end) { /* stateful: once more */
        kt_check_status(kt_cpu_execute(c.run), KT_OK);
        at += same(name, "y_2", 0, kt_cpu_output(c.run, 0), kt_shape_size(&c.out[0].shape), at);
    }
    assert_ptr_equal(at, end);
    kt_recurrent_stop(&c);
    for (int i = 0; i < n_state; i++) kt_free(state[i]);
    kt_free(all);
    kt_free(x);
    kt_free(mask);
    kt_npz_close(z);
}
