/* See kt_layers.h. */
#include "testing/kt_layers.h"

#include "io/npz.h"
#include "testing/graphs.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define OPEN_LENGTH 5 /* data for an open axis */

kt_tensor *kt_test_tensor(kt_dtype dtype, kt_shape shape, double low, double high, uint64_t *seed) {
    kt_tensor *t = kt_tensor_new(dtype, shape, NULL);
    kt_check_status(kt_check(t), KT_OK);
    kt_test_fill(kt_tensor_data(t), dtype, kt_tensor_size(t), low, high, seed);
    return t;
}

/* The rig
 * ------------------------------------------------------------------------------------------ */

static kt_status rig_push(kt_graph *g, kt_val *v) {
    return v ? kt_vec_push(&g->outputs, v) : g->status;
}

static kt_status rig_collect(kt_layer_rig *r) {
    r->n_vars = kt_layer_n_weights(r->layer);
    if (r->n_vars > KT_RIG_MAX) return KT_ELIMIT;
    for (int i = 0; i < r->n_vars; i++) {
        r->var[i] = kt_layer_weight(r->layer, i);
        const kt_status st = kt_var_ensure(r->var[i]);
        if (st) return st;
    }
    return KT_OK;
}

/* loss = sum(y * c), and its gradients by what is float and by what trains. */
static kt_status rig_gradients(kt_layer_rig *r, kt_tracer *tr, kt_val *y, kt_val *const *in) {
    kt_graph *g = tr->g;
    kt_val *wrt[2 * KT_RIG_MAX], *dx[2 * KT_RIG_MAX];
    int n = 0;
    kt_val *c = kt_g_input(g, y->spec);
    kt_val *loss = kt_g_sum(g, kt_g_mul(g, y, c), kt_axes_all(y), false);
    kt_status st = rig_push(g, loss);
    for (int i = 0; i < r->n_in; i++) {
        r->in_grad[i] = kt_dtype_is_float(r->in[i].dtype) ? 2 + n : -1;
        if (r->in_grad[i] > 0) wrt[n++] = in[i];
    }
    for (int i = 0; i < r->n_vars; i++) {
        r->var_grad[i] = r->var[i]->trainable ? 2 + n : -1;
        if (r->var_grad[i] > 0) wrt[n++] = kt_tracer_var(tr, r->var[i]);
    }
    if (st == KT_OK) st = kt_grad(g, loss, n, wrt, dx);
    for (int i = 0; i < n && st == KT_OK; i++) st = rig_push(g, dx[i]);
    return st;
}

static kt_sym *rig_call(kt_layer_rig *r, kt_graph *g, const void *const *syms) {
    const void *masks[3];
    const void *inputs = r->n_in == 1 ? syms[0] : kt_list_of(r->n_in, syms);
    const void *mask = r->has_mask ? kt_wrap(kt_g_input(g, r->mask)) : NULL;
    for (int i = 0; r->masks && i < r->n_in; i++)
        masks[i] = r->masks >> i & 1 ? kt_wrap(kt_g_input(g, r->masks_in[i])) : (void *)kt_none;
    if (r->masks) mask = kt_list_of(r->n_in, masks);
    return kt_call(
        r->layer,
        inputs,
        .training = r->training,
        .mask = mask,
        .attention_mask = r->has_attention_mask ? kt_wrap(kt_g_input(g, r->attention_mask)) : NULL,
        .return_attention_scores = r->return_attention_scores,
        .use_causal_mask = r->use_causal_mask);
}

/* The mask of the output, and the second output. */
static kt_status rig_extras(kt_layer_rig *r, kt_graph *g, kt_sym *y) {
    kt_status st = KT_OK;
    if (y->mask) {
        r->out_mask = g->outputs.n;
        st = rig_push(g, kt_unwrap(y->mask, NULL));
    }
    if (st == KT_OK && y->n_outs > 1) {
        r->out1 = g->outputs.n;
        r->out1_spec = kt_item(y, 1)->spec;
        st = rig_push(g, kt_unwrap(kt_item(y, 1), NULL));
    }
    return st;
}

static kt_status rig_trace(kt_layer_rig *r, kt_tracer *tr) {
    kt_graph *g = tr->g;
    kt_val *in[KT_RIG_MAX];
    const void *syms[KT_RIG_MAX];
    for (int i = 0; i < r->n_in; i++) syms[i] = kt_wrap(in[i] = kt_g_input(g, r->in[i]));
    kt_sym *y = rig_call(r, g, syms);
    if (kt_failed(y)) return kt_check(y);
    r->out = y->spec;
    kt_status st = rig_collect(r);
    if (st == KT_OK) st = rig_push(g, kt_unwrap(y, NULL));
    if (st == KT_OK) st = rig_gradients(r, tr, kt_unwrap(y, NULL), in);
    return st ? st : rig_extras(r, g, y);
}

kt_status kt_rig_start(kt_layer_rig *r) {
    kt_tracer tr;
    if (kt_failed(r->layer)) return kt_check(r->layer);
    kt_graph *g = kt_graph_new();
    if (!g) return KT_ENOMEM;
    kt_adopt(r->layer);
    kt_tracer_begin(&tr, g, r->training, NULL);
    kt_status st = rig_trace(r, &tr);
    const kt_status end = kt_tracer_end(&tr);
    if (st == KT_OK) st = end;
    if (st == KT_OK)
        st = kt_program_new(g, &r->program);
    else
        kt_graph_free(g);
    if (st == KT_OK) st = kt_program_acquire(r->program, &r->run);
    return st;
}

void kt_rig_stop(kt_layer_rig *r) {
    if (r->program) kt_program_release(r->program, r->run);
    kt_program_free(r->program);
    kt_release(r->layer);
    *r = (kt_layer_rig){0};
}

/* Program inputs before the mask of input i; i = 3: before the attention mask; 4: before c. */
static int rig_at(const kt_layer_rig *r, int i) {
    int at = r->n_in + r->has_mask + (i > 3 && r->has_attention_mask);
    for (int k = 0; k < i && k < 3; k++) at += r->masks >> k & 1;
    return at;
}

void *kt_rig_mask(const kt_layer_rig *r, int i) { return kt_cpu_input(r->run, rig_at(r, i)); }
void *kt_rig_c(const kt_layer_rig *r) { return kt_cpu_input(r->run, rig_at(r, 4)); }

/* The contract
 * ------------------------------------------------------------------------------------- */

static kt_shape field_shape(const int64_t *dims, int64_t open) {
    kt_shape s = kt_shape_of_field(dims);
    for (int i = 0; i < s.ndim; i++)
        if (s.dim[i] == KT_NONE) s.dim[i] = open;
    return s;
}

static int count_inputs(const kt_layer_check *c) {
    return !c->input1[0] ? 1 : !c->input2[0] ? 2 : 3;
}

static const int64_t *input_field(const kt_layer_check *c, int i) {
    return i == 0 ? c->input : i == 1 ? c->input1 : c->input2;
}

static kt_sym *make_input(const kt_layer_check *c, int i, bool open_batch) {
    const kt_shape s = field_shape(input_field(c, i), KT_NONE);
    kt_input_args a = {
        .size = sizeof a, .dtype = c->dtype, .batch_size = open_batch ? KT_NONE : s.dim[0]};
    a.shape[0] = KT_SCALAR;
    for (int d = 1; d < s.ndim; d++) a.shape[d - 1] = s.dim[d];
    return kt_input_new(&a);
}

static void check_shape(const kt_sym *y, kt_shape want, const char *what) {
    char a[KT_SHAPE_STR], b[KT_SHAPE_STR];
    const kt_shape got = kt_sym_shape(y);
    if (kt_shape_equal(&got, &want)) return;
    print_error(
        "%s: output shape %s, expected %s\n",
        what,
        kt_shape_str(&got, a, sizeof a),
        kt_shape_str(&want, b, sizeof b));
    fail();
}

/* Calls the layer on symbolic inputs; `in` receives them as a list. */
static kt_sym *call_on_inputs(const kt_layer_check *c, bool open_batch, kt_list_t **in) {
    const void *x[3];
    const int n = count_inputs(c);
    for (int i = 0; i < n; i++) x[i] = make_input(c, i, open_batch);
    *in = kt_list_of(n, x);
    kt_sym *y = kt_call(c->layer, n == 1 ? x[0] : kt_list_of(n, x), .training = c->training);
    kt_check_status(kt_check(y), KT_OK);
    kt_shape want = field_shape(c->output, KT_NONE);
    if (open_batch && c->output[0] == c->input[0]) want.dim[0] = KT_NONE;
    check_shape(y, want, open_batch ? "open batch" : "fixed batch");
    return y;
}

static void check_weights(const kt_layer_check *c) {
    int trainable = 0;
    const int n = kt_layer_n_weights(c->layer);
    for (int i = 0; i < n; i++) {
        const kt_var *v = kt_layer_weight(c->layer, i);
        trainable += v->trainable;
        assert_true(v->trainable || i >= c->n_trainable); /* trainable ones first */
    }
    assert_true(kt_layer_built(c->layer));
    assert_int_equal(trainable, c->n_trainable);
    assert_int_equal(n, c->n_trainable + c->n_other);
    if (c->n_params) assert_int_equal(kt_layer_count_params(c->layer), c->n_params);
}

static kt_tensor *predict_noise(const kt_layer_check *c, kt_model *m) {
    uint64_t seed = 7;
    const void *x[3];
    const kt_dtype dtype = c->dtype ? kt_dtype_of(c->dtype) : kt_layer_dtype(c->layer);
    const int n = count_inputs(c);
    for (int i = 0; i < n; i++)
        x[i] = kt_test_tensor(dtype, field_shape(input_field(c, i), OPEN_LENGTH), 0, 3, &seed);
    kt_tensor *y = kt_model_predict(m, kt_list_of(n, x), .verbose = 0);
    kt_check_status(kt_check(y), KT_OK);
    const kt_shape want = kt_shape_of_field(c->output), got = kt_tensor_shape(y);
    assert_int_equal(got.ndim, want.ndim);
    for (int i = 0; i < want.ndim; i++)
        if (want.dim[i] != KT_NONE) assert_int_equal(got.dim[i], want.dim[i]);
    for (int64_t i = 0; i < kt_tensor_size(y); i++) assert_true(isfinite(kt_tensor_get(y, i)));
    return y;
}

void kt_check_layer_with(const kt_layer_check *c) {
    kt_list_t *in, *again;
    kt_check_status(kt_check(c->layer), KT_OK);
    kt_sym *y = call_on_inputs(c, true, &in);
    check_weights(c);
    call_on_inputs(c, false, &again);
    check_weights(c);                        /* a second call shares them */
    if (c->output[0] != c->input[0]) return; /* predict could not put its batches together */
    /* two models, as each draws from the beginning */
    kt_model *m = kt_functional(in, y, .name = "checked");
    kt_model *same = kt_functional(in, y, .name = "checked");
    kt_check_status(kt_check(m), KT_OK);
    kt_check_status(kt_check(same), KT_OK);
    kt_tensor *before = predict_noise(c, m);
    kt_check_status(kt_set_weights(c->layer, kt_get_weights(c->layer)), KT_OK);
    kt_tensor *after = predict_noise(c, same);
    assert_memory_equal(before->data, after->data, kt_tensor_bytes(before));
    kt_free(m);
    kt_free(same);
}

/* Gradients
 * ---------------------------------------------------------------------------------------- */

static double rig_loss(const kt_layer_rig *r) {
    kt_check_status(kt_cpu_execute(r->run), KT_OK);
    return *(const double *)kt_cpu_output(r->run, 1);
}

static double largest(const double *v, int64_t n) {
    double most = 0;
    for (int64_t i = 0; i < n; i++) most = fmax(most, fabs(v[i]));
    return most;
}

/* d loss / d at[i] for all i, against what the program says in output `out`. */
static void check_differences(
    const kt_layer_rig *r, double *at, int64_t n, int out, double tol, const char *what) {
    const double step = 1e-5;
    double *got = malloc(sizeof *got * (size_t)(n + 1));
    assert_non_null(got);
    rig_loss(r);
    memcpy(got, kt_cpu_output(r->run, out), sizeof *got * (size_t)n);
    const double scale = fmax(largest(got, n), 0.1);
    for (int64_t i = 0; i < n; i++) {
        const double x = at[i];
        at[i] = x + step;
        const double up = rig_loss(r);
        at[i] = x - step;
        const double down = rig_loss(r), want = (up - down) / (2 * step);
        at[i] = x;
        if (fabs(got[i] - want) <= tol * scale) continue;
        print_error("d/d%s[%d]: got %.12g, differences %.12g\n", what, (int)i, got[i], want);
        fail();
    }
    free(got);
}

static void fill_rig(const kt_layer_rig *r) {
    uint64_t seed = 11;
    for (int i = 0; i < r->n_in; i++)
        kt_test_fill(
            kt_cpu_input(r->run, i), r->in[i].dtype, kt_shape_size(&r->in[i].shape), -2, 2, &seed);
    for (int i = 0; i < r->n_vars; i++) {
        const kt_spec *s = &r->var[i]->spec;
        kt_test_fill(kt_var_data(r->var[i]), s->dtype, kt_shape_size(&s->shape), -1, 1, &seed);
    }
    kt_test_fill(kt_rig_c(r), KT_FLOAT64, kt_shape_size(&r->out.shape), -1, 1, &seed);
}

/* Nothing to add up: gradients of weights are 0. */
static void check_empty(const kt_layer_rig *r) {
    assert_int_equal(kt_shape_size(&r->out.shape), 0);
    kt_check_near(rig_loss(r), 0, 0, 0);
    for (int i = 0; i < r->n_vars; i++)
        for (int64_t k = 0; r->var_grad[i] > 0 && k < kt_shape_size(&r->var[i]->spec.shape); k++)
            kt_check_near(((const double *)kt_cpu_output(r->run, r->var_grad[i]))[k], 0, 0, 0);
}

static void check_all_differences(const kt_layer_rig *r, double tol) {
    for (int i = 0; i < r->n_in; i++)
        if (r->in_grad[i] > 0)
            check_differences(
                r,
                kt_cpu_input(r->run, i),
                kt_shape_size(&r->in[i].shape),
                r->in_grad[i],
                tol,
                "x");
    for (int i = 0; i < r->n_vars; i++)
        if (r->var_grad[i] > 0)
            check_differences(
                r,
                kt_var_data(r->var[i]),
                kt_shape_size(&r->var[i]->spec.shape),
                r->var_grad[i],
                tol,
                kt_var_name(r->var[i]));
}

void kt_check_gradients_with(const kt_layer_check *c) {
    kt_layer_rig r = {.layer = c->layer, .n_in = count_inputs(c), .training = c->training != 0};
    for (int i = 0; i < r.n_in; i++) {
        r.in[i].dtype = c->dtype ? kt_dtype_of(c->dtype) : KT_FLOAT64;
        r.in[i].shape = field_shape(input_field(c, i), c->empty_batch ? 0 : OPEN_LENGTH);
    }
    kt_check_status(kt_rig_start(&r), KT_OK);
    assert_int_equal(r.out.dtype, KT_FLOAT64);
    fill_rig(&r);
    if (c->empty_batch)
        check_empty(&r);
    else
        check_all_differences(&r, c->tolerance);
    kt_rig_stop(&r);
}

/* Golden values
 * ------------------------------------------------------------------------------------ */

static double worst;
double kt_golden_worst(void) { return worst; }

static bool golden_has(const kt_npz *z, const char *key) {
    for (int i = 0; i < kt_npz_count(z); i++)
        if (!strcmp(kt_npz_name(z, i), key)) return true;
    return false;
}

/* CASE/PART or CASE/PARTi (i >= 0); NULL if there is none. */
static kt_tensor *golden_read(kt_npz *z, const char *name, const char *part, int i) {
    char key[128];
    if (i < 0)
        snprintf(key, sizeof key, "%s/%s", name, part);
    else
        snprintf(key, sizeof key, "%s/%s%d", name, part, i);
    if (!golden_has(z, key)) return NULL;
    kt_tensor *t = kt_npz_read(z, key);
    kt_check_status(kt_check(t), KT_OK);
    return t;
}

/* most: the largest element of what `want` is a part of, 0: not known. */
static void golden_same(
    const kt_golden_check *c,
    const char *part,
    int i,
    const void *got,
    kt_spec spec,
    double most,
    kt_tensor *want) {
    const int64_t n = kt_tensor_size(want);
    kt_shape shape = kt_tensor_shape(want);
    if (!kt_shape_equal(&shape, &spec.shape)) {
        char a[KT_SHAPE_STR], b[KT_SHAPE_STR];
        print_error(
            "%s %s: shape %s, expected %s\n",
            c->name,
            part,
            kt_shape_str(&spec.shape, a, sizeof a),
            kt_shape_str(&shape, b, sizeof b));
        fail();
    }
    for (int64_t k = 0; k < n; k++)
        if (isfinite(kt_tensor_get(want, k))) most = fmax(most, fabs(kt_tensor_get(want, k)));
    for (int64_t k = 0; k < n; k++) {
        const double g = kt_elem_get(got, spec.dtype, k), w = kt_tensor_get(want, k);
        if (g == w || (isnan(g) && isnan(w))) continue;
        const double limit = c->rtol * fmax(fabs(w), 0.1 * most), off = fabs(g - w) / limit;
        if (off <= 1) {
            worst = fmax(worst, off);
            continue;
        }
        print_error("%s: %s%d element %d: got %.9g, Keras %.9g\n", c->name, part, i, (int)k, g, w);
        fail();
    }
    kt_free(want);
}

static void golden_inputs(const kt_golden_check *c, kt_npz *z, kt_layer_rig *r, kt_tensor **x) {
    for (; r->n_in < 3 && (x[r->n_in] = golden_read(z, c->name, "x", r->n_in)); r->n_in++)
        r->in[r->n_in] = (kt_spec){kt_tensor_dtype(x[r->n_in]), kt_tensor_shape(x[r->n_in])};
    x[3] = golden_read(z, c->name, "mask", -1);
    r->has_mask = x[3] != NULL;
    if (x[3]) r->mask = (kt_spec){KT_BOOL, kt_tensor_shape(x[3])};
    for (int i = 0; i < r->n_in; i++) {
        if (!(x[4 + i] = golden_read(z, c->name, "mask", i))) continue;
        r->masks |= 1u << i;
        r->masks_in[i] = (kt_spec){KT_BOOL, kt_tensor_shape(x[4 + i])};
    }
    x[7] = golden_read(z, c->name, "attention_mask", -1);
    r->has_attention_mask = x[7] != NULL;
    if (x[7]) r->attention_mask = (kt_spec){KT_BOOL, kt_tensor_shape(x[7])};
    if (r->n_in == 0) {
        print_error("%s: no such case in %s.npz\n", c->name, c->file);
        fail();
    }
}

/* CASE/PARTi, or its share of CASE/PART_all; NULL if there is none (or nothing is left of it). */
static kt_tensor *golden_weight(
    const kt_golden_check *c, kt_npz *z, const kt_layer_rig *r, const char *part, int i) {
    char key[16];
    int64_t at = 0;
    snprintf(key, sizeof key, "%s_all", part);
    kt_tensor *all = golden_read(z, c->name, key, -1), *w = NULL;
    if (!all) return golden_read(z, c->name, part, i);
    for (int k = 0; k < i; k++) at += kt_shape_size(&r->var[k]->spec.shape);
    if (i < r->n_vars) {
        assert_true(at + kt_shape_size(&r->var[i]->spec.shape) <= kt_tensor_size(all));
        w = kt_tensor_new(KT_FLOAT32, r->var[i]->spec.shape, (const float *)all->data + at);
    } else if (at < kt_tensor_size(all)) {
        w = kt_retain(all);
    }
    kt_free(all);
    return w;
}

/* Of all weights, so that a gradient that is 0 but for rounding (the bias of keys) may be so. */
static double largest_weight_gradient(const kt_golden_check *c, kt_npz *z) {
    kt_tensor *all = golden_read(z, c->name, "dw_all", -1);
    double most = 0;
    for (int64_t k = 0; all && k < kt_tensor_size(all); k++)
        most = fmax(most, fabs(kt_tensor_get(all, k)));
    kt_free(all);
    return most;
}

static void golden_load(const kt_golden_check *c, kt_npz *z, kt_layer_rig *r, kt_tensor **x) {
    for (int i = 0; i < r->n_in; i++)
        memcpy(kt_cpu_input(r->run, i), x[i]->data, kt_tensor_bytes(x[i]));
    if (x[3]) memcpy(kt_cpu_input(r->run, r->n_in), x[3]->data, kt_tensor_bytes(x[3]));
    for (int i = 0; i < 4; i++)
        if (x[4 + i]) memcpy(kt_rig_mask(r, i), x[4 + i]->data, kt_tensor_bytes(x[4 + i]));
    for (int i = 0; i < r->n_vars; i++) {
        kt_tensor *w = golden_weight(c, z, r, "w", i);
        kt_check_status(kt_var_assign(r->var[i], w), KT_OK);
        kt_free(w);
    }
    assert_null(golden_weight(c, z, r, "w", r->n_vars)); /* Keras has no more weights either */
    kt_tensor *weight = golden_read(z, c->name, "c", -1);
    if (weight) memcpy(kt_rig_c(r), weight->data, kt_tensor_bytes(weight));
    const bool fill = !weight && r->out.dtype == KT_FLOAT32;
    for (int64_t i = 0; fill && i < kt_shape_size(&r->out.shape); i++)
        ((float *)kt_rig_c(r))[i] = ((float)(i * 7 % 11) - 4.5f) / 4;
    kt_free(weight);
}

static void golden_extras(const kt_golden_check *c, kt_npz *z, kt_layer_rig *r) {
    kt_tensor *mask = golden_read(z, c->name, "y_mask", -1), *y1 = golden_read(z, c->name, "y", 1);
    if ((mask && !r->out_mask) || (c->masks && !mask && r->out_mask) || !y1 != !r->out1) {
        print_error("%s: the output has a mask or a second part in Keras or here alone\n", c->name);
        fail();
    }
    if (mask)
        golden_same(
            c,
            "y_mask",
            0,
            kt_cpu_output(r->run, r->out_mask),
            (kt_spec){KT_BOOL, kt_tensor_shape(mask)},
            0,
            mask);
    if (y1) golden_same(c, "y", 1, kt_cpu_output(r->run, r->out1), r->out1_spec, 0, y1);
}

void kt_check_golden_with(const kt_golden_check *c) {
    char path[128];
    kt_npz *z;
    kt_tensor *x[8] = {NULL};
    kt_layer_rig r = {
        .layer = c->layer,
        .training = c->training != 0,
        .use_causal_mask = c->use_causal_mask,
        .return_attention_scores = c->return_attention_scores};
    snprintf(path, sizeof path, "tests/golden/%s.npz", c->file);
    kt_check_status(kt_npz_open(&z, path), KT_OK);
    golden_inputs(c, z, &r, x);
    kt_check_status(kt_rig_start(&r), KT_OK);
    golden_load(c, z, &r, x);
    kt_check_status(kt_cpu_execute(r.run), KT_OK);
    kt_tensor *y = golden_read(z, c->name, "y", -1);
    assert_non_null(y);
    golden_same(c, "y", 0, kt_cpu_output(r.run, 0), r.out, 0, y);
    for (int i = 0; i < r.n_in; i++) {
        kt_tensor *dx = golden_read(z, c->name, "dx", i);
        if (dx) golden_same(c, "dx", i, kt_cpu_output(r.run, r.in_grad[i]), r.in[i], 0, dx);
    }
    for (int i = 0; i < r.n_vars; i++) {
        kt_tensor *dw = golden_weight(c, z, &r, "dw", i);
        if (dw)
            golden_same(
                c,
                "dw",
                i,
                kt_cpu_output(r.run, r.var_grad[i]),
                r.var[i]->spec,
                largest_weight_gradient(c, z),
                dw);
    }
    golden_extras(c, z, &r);
    for (int i = 0; i < 8; i++) kt_free(x[i]);
    kt_rig_stop(&r);
    kt_npz_close(z);
}
