/* Weights as old versions and backends laid them out, brought to today's layout. See legacy.h.
 *
 * - Theano convolved, TensorFlow correlates: kernels are flipped along their sides.
 * - Theano's kernels (Keras 1, dim_ordering "th") are (out, in, rows, cols): transposed. A file
 *   that holds such a kernel for a channels_last layer and does not name its backend came from
 *   Theano, so it is flipped too; for a channels_first layer Keras 2 did not flip it, nor do we.
 * - Keras 1: Conv1D kernels are (length, 1, in, out), transposed convolutions have in and out the
 *   other way round, LSTM has 12 arrays (i, c, f, o; each W, U, b) and GRU 9 (z, r, h).
 * - CuDNN: kernels of gates are transposed, with two biases for each gate.
 *
 * After preprocess_weights_for_loading() of Keras 2.2. */
#include "saving/legacy_plan.h"

#include "base/log.h"

/* Reading -------------------------------------------------------------------------------------- */

static kt_tensor *read_float(const kt_hdf5_node *d) {
    const kt_shape shape = kt_hdf5_shape(d);
    const kt_dtype dtype = kt_hdf5_dtype(d) == KT_FLOAT64 ? KT_FLOAT64 : KT_FLOAT32;
    kt_tensor *t = kt_tensor_new(dtype, shape, NULL);
    if (kt_failed(t)) return t;
    const kt_status st = kt_hdf5_read_into(d, t->data, dtype, kt_tensor_size(t));
    if (!st) return t;
    kt_free(t);
    return kt_fail_object(st);
}

/* Axes in another order, and reversed where flip has a bit. */
static kt_tensor *permuted(const kt_tensor *t, const int *order, unsigned flip) {
    kt_shape to = {.ndim = t->shape.ndim};
    int64_t stride[KT_MAX_RANK], step[KT_MAX_RANK], index[KT_MAX_RANK] = {0}, at = 0;
    const int n = t->shape.ndim;
    for (int d = n - 1; d >= 0; d--)
        stride[d] = d == n - 1 ? 1 : stride[d + 1] * t->shape.dim[d + 1];
    for (int d = 0; d < n; d++) {
        to.dim[d] = t->shape.dim[order[d]];
        step[d] = stride[order[d]] * (flip >> d & 1 ? -1 : 1);
        if (flip >> d & 1) at += stride[order[d]] * (to.dim[d] - 1);
    }
    kt_tensor *out = kt_tensor_new(t->dtype, to, NULL);
    const size_t size = kt_dtype_size(t->dtype);
    const int64_t total = kt_failed(out) ? 0 : kt_tensor_size(out);
    for (int64_t i = 0; i < total; i++) {
        memcpy(
            (char *)out->data + (size_t)i * size, (const char *)t->data + (size_t)at * size, size);
        for (int d = n - 1; d >= 0; d--) {
            at += step[d];
            if (++index[d] < to.dim[d]) break;
            at -= step[d] * to.dim[d];
            index[d] = 0;
        }
    }
    return out;
}

static kt_tensor *read_permuted(const kt_hdf5_node *d, const int *order, unsigned flip) {
    kt_tensor *t = read_float(d);
    if (kt_failed(t)) return t;
    kt_tensor *out = permuted(t, order, flip);
    kt_free(t);
    return out;
}

/* The plan's items ----------------------------------------------------------------------------- */

static kt_status add_item(kt_legacy_plan *plan, kt_legacy_item item) {
    const kt_status st = kt_vec_push(plan, item);
    if (st) kt_free(item.value);
    return st;
}

static kt_status add_value(kt_legacy_plan *plan, kt_var *var, kt_tensor *value) {
    const kt_status st = kt_check(value);
    return st ? st : add_item(plan, (kt_legacy_item){.var = var, .value = value});
}

static kt_status wrong_shape(kt_var *v, const kt_shape *got, bool skip) {
    char a[KT_SHAPE_STR], b[KT_SHAPE_STR];
    const char *path = kt_var_path(v);
    if (skip) {
        kt_log(
            "weight \"%.80s\" is left alone: shape %s in the model, %s in the file\n",
            path,
            kt_shape_str(&v->spec.shape, a, sizeof a),
            kt_shape_str(got, b, sizeof b));
        return KT_OK;
    }
    KT_FAIL(KT_ESHAPE, "the shape of weight \"%.80s\" does not fit", path);
    kt_error_expected("%s", kt_shape_str(&v->spec.shape, a, sizeof a));
    return kt_error_got("%s", kt_shape_str(got, b, sizeof b));
}

static kt_status add_plain(kt_legacy_plan *plan, kt_var *v, const kt_hdf5_node *d, bool skip) {
    const kt_shape shape = kt_hdf5_shape(d);
    if (!kt_shape_equal(&shape, &v->spec.shape)) return wrong_shape(v, &shape, skip);
    return add_item(plan, (kt_legacy_item){.var = v, .node = d});
}

/* Convolutions --------------------------------------------------------------------------------- */

static const char *owner_class(const kt_var *v) {
    const kt_layer *l = v->owner;
    return l && l->class_name ? l->class_name : "";
}

static bool is_kernel(const kt_var *v) {
    return !strcmp(v->name, "kernel") || !strcmp(v->name, "recurrent_kernel");
}

static bool is_convolution(const char *c) {
    static const char *const names[] = {
        "Conv1D", "Conv2D", "Conv3D", "Conv2DTranspose", "ConvLSTM1D", "ConvLSTM2D", "ConvLSTM3D"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (!strncmp(c, names[i], strlen(names[i]))) return true; /* cells of ConvLSTM too */
    return false;
}

static bool shape_is(const kt_shape *s, const kt_shape *v, const int *order) {
    if (s->ndim != v->ndim) return false;
    for (int d = 0; d < s->ndim; d++)
        if (s->dim[order[d]] != v->dim[d]) return false;
    return true;
}

static bool channels_first(const kt_var *v) {
    const kt_layer *l = v->owner;
    for (const kt_field *f = l->cls ? l->cls->fields : NULL; f && f->type; f++) {
        if (strcmp(f->name, "data_format") != 0 || f->type != KT_FIELD_STR) continue;
        const char *format = *(const char *const *)((const char *)l->args + f->offset);
        return format && !strcmp(format, "channels_first");
    }
    return false;
}

/* Keras 1's Conv1D: (length, 1, in, out), before 1.2 (out, in, length, 1). */
static kt_status add_conv1d(kt_legacy_plan *plan, kt_var *v, const kt_hdf5_node *d, bool skip) {
    static const int same[] = {0, 1, 2, 3}, old[] = {2, 3, 1, 0};
    const kt_shape s = kt_hdf5_shape(d), *w = &v->spec.shape;
    const kt_shape want = {4, {w->dim[0], 1, w->dim[1], w->dim[2]}};
    const int *order = shape_is(&s, &want, same) ? same : old;
    if (!shape_is(&s, &want, order)) return wrong_shape(v, &s, skip);
    kt_tensor *t = read_permuted(d, order, 0);
    if (kt_failed(t)) return kt_check(t);
    t->shape = *w;
    return add_value(plan, v, t);
}

/* A kernel (sides …, in, out); `flip` its sides. */
static kt_status add_kernel(kt_legacy_plan *plan, kt_var *v, const kt_hdf5_node *d, bool skip) {
    static const int same[] = {0, 1, 2, 3, 4}, th4[] = {2, 3, 1, 0}, th5[] = {2, 3, 4, 1, 0},
                     swapped[] = {0, 1, 3, 2}, swapped_th[] = {2, 3, 0, 1};
    const kt_shape s = kt_hdf5_shape(d), *w = &v->spec.shape;
    const bool theano = !strcmp(plan->from.backend, "theano"), old = plan->from.major < 2;
    const bool transposed = !strncmp(owner_class(v), "Conv2DTranspose", 15);
    const unsigned sides = (1u << (w->ndim - 2)) - 1;
    const int *order = same;
    unsigned flip = theano ? sides : 0;
    if (old && w->ndim == 3 && s.ndim == 4) return add_conv1d(plan, v, d, skip);
    if (old && transposed && shape_is(&s, w, swapped)) {
        order = swapped;
    } else if (old && s.ndim == w->ndim && !shape_is(&s, w, same)) {
        order = w->ndim == 5 ? th5 : transposed ? swapped_th : th4;
        if (!plan->from.backend[0] && !channels_first(v)) flip = sides;
    }
    if (s.ndim > 5 || !shape_is(&s, w, order)) return wrong_shape(v, &s, skip);
    if (order == same && !flip) return add_plain(plan, v, d, skip);
    return add_value(plan, v, read_permuted(d, order, flip));
}

/* Recurrent layers ----------------------------------------------------------------------------- */

/* Arrays beside each other along their last axis: the gates of Keras 1. */
static kt_tensor *beside(const kt_hdf5_node *const *d, const int *which, int n) {
    kt_tensor *parts[4] = {NULL}, *out = NULL;
    kt_status st = KT_OK;
    kt_shape shape = kt_hdf5_shape(d[which[0]]);
    const int last = shape.ndim - 1;
    int64_t width = 0;
    int read = 0;
    if (last < 0) return kt_fail_object(KT_FAIL(KT_ESHAPE, "a gate's weights are a number"));
    for (; read < n && !st; read++) {
        parts[read] = read_float(d[which[read]]);
        st = kt_check(parts[read]);
        if (!st && !kt_shape_equal(&parts[read]->shape, &parts[0]->shape))
            st = KT_FAIL(KT_ESHAPE, "the gates of a recurrent layer have different shapes");
        if (!st && parts[read]->dtype != parts[0]->dtype)
            st = KT_FAIL(KT_EDTYPE, "the gates of a recurrent layer have different dtypes");
    }
    if (!st) {
        width = shape.dim[last];
        shape.dim[last] = width * n;
        out = kt_tensor_new(parts[0]->dtype, shape, NULL);
        st = kt_check(out);
    }
    const size_t size = st ? 0 : kt_dtype_size(out->dtype) * (size_t)width;
    const int64_t rows = st || !width ? 0 : kt_tensor_size(parts[0]) / width;
    for (int64_t r = 0; r < rows; r++)
        for (int k = 0; k < n; k++)
            memcpy(
                (char *)out->data + (size_t)(r * n + k) * size,
                (const char *)parts[k]->data + (size_t)r * size,
                size);
    for (int k = 0; k < read; k++) kt_free(parts[k]);
    return st ? kt_fail_object(st) : out;
}

static kt_status add_checked(kt_legacy_plan *plan, kt_var *v, kt_tensor *value, bool skip) {
    kt_status st = kt_check(value);
    if (st) return st;
    if (kt_shape_equal(&value->shape, &v->spec.shape)) return add_value(plan, v, value);
    st = wrong_shape(v, &value->shape, skip);
    kt_free(value);
    return st;
}

/* Keras 1: four or three gates with W, U and b each. */
static kt_status add_gates(
    kt_legacy_plan *plan, kt_var *const *vars, const kt_hdf5_node *const *d, int gates, bool skip) {
    static const int lstm[] = {0, 6, 3, 9}, gru[] = {0, 3, 6};
    kt_status st = KT_OK;
    for (int part = 0; part < 3 && !st; part++) {
        int which[4] = {0};
        for (int g = 0; g < gates; g++) which[g] = (gates == 4 ? lstm[g] : gru[g]) + part;
        st = add_checked(plan, vars[part], beside(d, which, gates), skip);
    }
    return st;
}

/* One gate of a kernel from CuDNN: its values in C order, filled in by columns. With the square
 * recurrent kernel this is a transposition. */
static kt_tensor *from_cudnn(const kt_hdf5_node *d, int gates) {
    kt_tensor *t = read_float(d);
    if (kt_failed(t)) return t;
    kt_tensor *out = kt_tensor_new(t->dtype, t->shape, NULL);
    const int64_t rows = t->shape.dim[0], width = t->shape.dim[1], units = width / gates;
    const size_t size = kt_dtype_size(t->dtype);
    for (int64_t i = 0; !kt_failed(out) && i < rows; i++)
        for (int64_t j = 0; j < width; j++) {
            const int64_t gate = j / units, k = i + j % units * rows; /* place in C order */
            const int64_t from = k / units * width + gate * units + k % units;
            memcpy(
                (char *)out->data + (size_t)(i * width + j) * size,
                (const char *)t->data + (size_t)from * size,
                size);
        }
    kt_free(t);
    return out;
}

/* LSTM adds both biases up, GRU keeps them as two rows. */
static kt_tensor *bias_from_cudnn(const kt_hdf5_node *d, int gates) {
    kt_tensor *t = read_float(d);
    if (kt_failed(t)) return t;
    const int64_t half = kt_tensor_size(t) / 2;
    if (gates == 3) {
        t->shape = (kt_shape){2, {2, half}};
        return t;
    }
    kt_tensor *out = kt_tensor_new(t->dtype, (kt_shape){1, {half}}, NULL);
    for (int64_t i = 0; !kt_failed(out) && i < half; i++)
        kt_tensor_set(out, i, kt_tensor_get(t, i) + kt_tensor_get(t, half + i));
    kt_free(t);
    return out;
}

/* Kernel, recurrent kernel and bias, with twice as many biases as an LSTM has, or as a GRU with
 * reset_after has, but in one row. */
static bool is_cudnn(kt_var *const *vars, const kt_hdf5_node *const *d, int gates) {
    const kt_shape kernel = kt_hdf5_shape(d[0]), recurrent = kt_hdf5_shape(d[1]);
    const kt_shape bias = kt_hdf5_shape(d[2]), *want = &vars[2]->spec.shape;
    const int64_t units = recurrent.dim[0];
    return kernel.ndim == 2 && recurrent.ndim == 2 && bias.ndim == 1 && units > 0 &&
           kernel.dim[1] == units * gates && recurrent.dim[1] == units * gates &&
           bias.dim[0] == 2 * units * gates && want->ndim == (gates == 3 ? 2 : 1);
}

static kt_status add_cudnn(
    kt_legacy_plan *plan, kt_var *const *vars, const kt_hdf5_node *const *d, int gates, bool skip) {
    kt_status st = add_checked(plan, vars[0], from_cudnn(d[0], gates), skip);
    if (!st) st = add_checked(plan, vars[1], from_cudnn(d[1], gates), skip);
    return st ? st : add_checked(plan, vars[2], bias_from_cudnn(d[2], gates), skip);
}

/* A layer -------------------------------------------------------------------------------------- */

/* Variables of one owner that stand beside each other, from `at` on. */
static int run_of_owner(const kt_var_list *vars, int at) {
    int n = 1;
    while (at + n < vars->n && vars->v[at + n]->owner == vars->v[at]->owner) n++;
    return n;
}

static int gates_of(const char *c) {
    return !strncmp(c, "LSTM", 4) || !strncmp(c, "ConvLSTM", 8) ? 4 : !strncmp(c, "GRU", 3) ? 3 : 0;
}

/* How many arrays the file has for a run: 3 variables may have been 12 or 9. */
static int arrays_of_run(const kt_legacy_plan *plan, const kt_var_list *vars, int at, int n) {
    const int gates = gates_of(owner_class(vars->v[at]));
    return plan->from.major < 2 && gates && n == 3 ? 3 * gates : n;
}

static kt_status add_one(kt_legacy_plan *plan, kt_var *v, const kt_hdf5_node *d, bool skip) {
    const bool kernel = is_kernel(v) && v->spec.shape.ndim > 2;
    if (kernel && is_convolution(owner_class(v))) return add_kernel(plan, v, d, skip);
    return add_plain(plan, v, d, skip);
}

static kt_status add_run(
    kt_legacy_plan *plan,
    kt_var *const *vars,
    int n,
    const kt_hdf5_node *const *d,
    int n_arrays,
    bool skip) {
    const int gates = gates_of(owner_class(vars[0]));
    if (n_arrays != n) return add_gates(plan, vars, d, gates, skip);
    if (gates && n == 3 && is_cudnn(vars, d, gates)) return add_cudnn(plan, vars, d, gates, skip);
    kt_status st = KT_OK;
    for (int i = 0; i < n && !st; i++) st = add_one(plan, vars[i], d[i], skip);
    return st;
}

kt_status kt_legacy_convert(
    kt_legacy_plan *plan,
    const kt_var_list *vars,
    const kt_legacy_nodes *weights,
    bool skip_mismatch) {
    int arrays = 0;
    for (int at = 0, n; at < vars->n; at += n) {
        n = run_of_owner(vars, at);
        arrays += arrays_of_run(plan, vars, at, n);
    }
    const bool expanded = arrays != vars->n && arrays == weights->n;
    if (!expanded && weights->n != vars->n) return KT_ENOTFOUND;
    kt_status st = KT_OK;
    for (int at = 0, from = 0, n; at < vars->n && !st; at += n) {
        n = run_of_owner(vars, at);
        const int m = expanded ? arrays_of_run(plan, vars, at, n) : n;
        st = add_run(plan, vars->v + at, n, weights->v + from, m, skip_mismatch);
        from += m;
    }
    return st;
}
