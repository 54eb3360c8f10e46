/* Checking the user's arrays, and gathering batches out of them. See feed.h. */
#include "model/feed.h"

#include "base/mem.h"
#include "base/pool.h"

#include <math.h>
#include <string.h>

/* What names a dict goes by: those of the model's inputs or outputs. */
typedef struct {
    int n;
    const char *v[KT_MAX_TENSORS];
} tensor_names;

static tensor_names names_of(const kt_model_state *s, bool outputs) {
    tensor_names names = {.n = outputs ? s->n_out : s->n_in};
    for (int i = 0; i < names.n; i++)
        names.v[i] = outputs ? s->out_name[i]
                             : kt_layer_name(s->nodes.v[s->in_node[i]].call->layer);
    return names;
}

/* What the model's tensors are called, and what the dict has. */
static void name_both(kt_ref dict, const tensor_names *names) {
    kt_str wanted = {0}, there = {0};
    for (int i = 0; i < names->n; i++)
        kt_str_addf(&wanted, "%s\"%.60s\"", i ? ", " : "", names->v[i]);
    for (int k = 0; k < kt_list_len(dict); k += 2)
        kt_str_addf(&there, "%s\"%.60s\"", k ? ", " : "", (const char *)kt_list_get(dict, k));
    if (wanted.s) kt_error_expected("%s", wanted.s);
    if (there.s) kt_error_got("%s", there.s);
    kt_str_free(&wanted);
    kt_str_free(&there);
}

static kt_status dict_item(
    kt_ref dict, const char *what, const tensor_names *names, const char *name, const void **out) {
    for (int k = 0; k < kt_list_len(dict); k += 2) {
        *out = kt_list_get(dict, k + 1);
        if (!strcmp(kt_list_get(dict, k), name)) return KT_OK;
    }
    KT_FAIL(KT_EINVAL, "%s: the dict has no \"%s\"", what, name);
    name_both(dict, names);
    return kt_error_hint(
        "its names are those of the model's %s", what[0] == 'x' ? "inputs" : "outputs");
}

static kt_status take_array(const void *item, const char *what, const kt_tensor **out) {
    char got[96];
    *out = kt_is(item, KT_KIND_TENSOR) ? item : NULL;
    if (*out || item == (const void *)kt_none) return KT_OK;
    return KT_FAIL(
        KT_EINVAL, "%s: expected a tensor, got %s", what, kt_ref_describe(item, got, sizeof got));
}

static kt_status take_arrays(
    kt_ref ref, const char *what, tensor_names names, int *n, const kt_tensor **out) {
    const bool list = kt_is(ref, KT_KIND_LIST), dict = list && kt_list_is_dict(ref);
    if (!ref) return KT_FAIL(KT_EINVAL, "%s: expected a tensor, got None", what);
    if (kt_is_obj(ref) && kt_failed(ref)) return kt_check(ref);
    *n = dict ? names.n : list ? kt_list_len(ref) : 1;
    if (*n > KT_MAX_TENSORS)
        return KT_FAIL(KT_ELIMIT, "%s: at most %d arrays", what, KT_MAX_TENSORS);
    kt_status st = KT_OK;
    for (int i = 0; i < *n && st == KT_OK; i++) {
        const void *item = list ? kt_list_get(ref, i) : ref;
        if (dict) st = dict_item(ref, what, &names, names.v[i], &item);
        if (st == KT_OK) st = take_array(item, what, &out[i]);
    }
    return st;
}

static kt_status check_rows(kt_feed *f, const kt_tensor *t, const char *what, int i) {
    if (!t) return KT_OK;
    if (t->dtype == KT_STRING && strcmp(what, "x") != 0)
        return KT_FAIL(KT_EDTYPE, "%s: expected numbers, got texts", what);
    if (t->shape.ndim < 1)
        return KT_FAIL(KT_ESHAPE, "%s: expected a batch axis, got a scalar", what);
    if (f->n < 0) f->n = t->shape.dim[0];
    if (t->shape.dim[0] == f->n) return KT_OK;
    KT_FAIL(KT_ESHAPE, "arrays of different lengths");
    kt_error_expected("%lld rows, as in x", (long long)f->n);
    return kt_error_got("%lld rows in %s (array %d)", (long long)t->shape.dim[0], what, i);
}

/* An id or label that does not fit is an error, not another id. */
static kt_status check_ids(const kt_tensor *t, kt_dtype to, const char *what) {
    const double low = to == KT_INT32 ? INT32_MIN : 0, high = to == KT_INT32 ? INT32_MAX : 255;
    const bool narrower = kt_dtype_size(to) < kt_dtype_size(t->dtype);
    if (!kt_dtype_is_int(t->dtype) || !kt_dtype_is_int(to) || !narrower) return KT_OK;
    for (int64_t i = 0, n = kt_shape_size(&t->shape); i < n; i++) {
        const double v = kt_elem_get(t->data, t->dtype, i);
        if (v < low || v > high)
            return KT_FAIL(KT_EDTYPE, "%s: %.0f does not fit into %s", what, v, kt_dtype_name(to));
    }
    return KT_OK;
}

/* Rows as the model wants them: its dtype, one axis of length 1 added or taken where that fits
 * (Keras). */
static kt_status x_row(const kt_spec *want, const kt_tensor *t, const char *name, kt_spec *row) {
    kt_shape s = t->shape;
    const int nd = want->shape.ndim;
    if (s.ndim == nd - 1 && want->shape.dim[nd - 1] == 1 && s.ndim < KT_MAX_RANK)
        s.dim[s.ndim++] = 1;
    else if (s.ndim == nd + 1 && s.dim[nd] == 1)
        s.ndim--;
    s.dim[0] = 1;
    *row = (kt_spec){want->dtype, s};
    bool ok = s.ndim == nd;
    for (int i = 1; ok && i < nd; i++)
        ok = want->shape.dim[i] == KT_NONE || want->shape.dim[i] == s.dim[i];
    if (!ok) {
        char a[KT_SHAPE_STR], b[KT_SHAPE_STR];
        KT_FAIL(KT_ESHAPE, "the data do not fit input \"%s\"", name);
        kt_error_expected("%s", kt_spec_str(want, a, sizeof a));
        kt_spec got = {t->dtype, t->shape};
        return kt_error_got("%s", kt_spec_str(&got, b, sizeof b));
    }
    if ((want->dtype == KT_STRING) != (t->dtype == KT_STRING))
        return KT_FAIL(
            KT_EDTYPE,
            "input \"%s\" takes %s, got %s",
            name,
            kt_dtype_name(want->dtype),
            kt_dtype_name(t->dtype));
    if (kt_dtype_is_int(want->dtype) && kt_dtype_is_float(t->dtype))
        return KT_FAIL(
            KT_EDTYPE,
            "input \"%s\" takes %s, got %s: a cast would lose fractions",
            name,
            kt_dtype_name(want->dtype),
            kt_dtype_name(t->dtype));
    return check_ids(t, want->dtype, "x");
}

/* Labels: floats in the policy's dtype, everything else int32. */
static kt_spec y_row(const kt_tensor *t) {
    kt_spec row = {kt_dtype_is_float(t->dtype) ? kt_dtype_of(kt_floatx()) : KT_INT32, t->shape};
    row.shape.dim[0] = 1;
    return row;
}

static kt_status open_x(kt_feed *f, kt_model *m, kt_ref x) {
    kt_model_state *s = m->state;
    kt_status st = take_arrays(x, "x", names_of(s, false), &f->n_x, f->x);
    if (st == KT_OK && f->n_x == 0)
        st = KT_FAIL(KT_EINVAL, "x: expected at least one array, got 0 arrays");
    for (int i = 0; i < f->n_x && st == KT_OK; i++) {
        if (!f->x[i])
            st = KT_FAIL(KT_EINVAL, "x: array %d is None", i);
        else
            st = check_rows(f, f->x[i], "x", i);
    }
    if (st) return st;
    kt_spec first = {f->x[0]->dtype, f->x[0]->shape};
    if (first.shape.ndim == 1) first.shape = (kt_shape){2, {first.shape.dim[0], 1}};
    st = kt_model_ensure_linked(m, &first);
    if (st == KT_OK && f->n_x != s->n_in)
        st = KT_FAIL(
            KT_EINVAL, "x: expected %d, one for each input of the model, got %d", s->n_in, f->n_x);
    for (int i = 0; i < f->n_x && st == KT_OK; i++) {
        kt_layer *in = s->nodes.v[s->in_node[i]].call->layer;
        st = x_row(&s->in[i]->spec, f->x[i], kt_layer_name(in), &f->row[i]);
    }
    return st;
}

static kt_status open_y(kt_feed *f, const kt_model_state *s, kt_ref y, kt_ref w) {
    int n_w = 0;
    kt_status st = take_arrays(y, "y", names_of(s, true), &f->n_y, f->y);
    if (st == KT_OK && f->n_y != s->n_out)
        st = KT_FAIL(
            KT_EINVAL,
            "y: expected %d, one for each output of the model, got %d",
            s->n_out,
            f->n_y);
    for (int i = 0; i < f->n_y && st == KT_OK; i++) {
        if (!f->y[i])
            st = KT_FAIL(KT_EINVAL, "y: array %d is None", i);
        else
            st = check_rows(f, f->y[i], "y", i);
        if (st) break;
        f->row[f->n_x + i] = y_row(f->y[i]);
        st = check_ids(f->y[i], f->row[f->n_x + i].dtype, "y");
    }
    if (st == KT_OK && w) st = take_arrays(w, "sample_weight", names_of(s, true), &n_w, f->w);
    if (st == KT_OK && w && n_w != s->n_out && n_w != 1)
        st = KT_FAIL(
            KT_EINVAL,
            "sample_weight: expected %d, one for each output of the model, got %d",
            s->n_out,
            n_w);
    for (int i = n_w; w && i < s->n_out && st == KT_OK; i++) f->w[i] = f->w[0];
    for (int i = 0; i < s->n_out && st == KT_OK; i++) {
        st = check_rows(f, f->w[i], "sample_weight", i);
        if (st || !f->w[i]) continue;
        f->row[f->n_x + f->n_y + i] = (kt_spec){kt_dtype_of(kt_floatx()), f->w[i]->shape};
        f->row[f->n_x + f->n_y + i].shape.dim[0] = 1;
    }
    return st;
}

/* Rows of a model input of the same form, in its dtype. */
kt_status kt_feed_find_sparse(kt_feed *f) {
    kt_status st = KT_OK;
    for (int i = 0; i < f->n_x && st == KT_OK; i++)
        if (f->row[i].dtype == KT_FLOAT32 && f->row[i].shape.ndim == 2 && f->x[i]->shape.ndim == 2)
            st = kt_sparse_rows_of(&f->sparse[i], f->x[i]);
    return st;
}

kt_status kt_feed_open(kt_feed *f, kt_model *m, kt_ref x, kt_ref y, kt_ref w, bool without_y) {
    *f = (kt_feed){.n = -1, .given = {x, y, w}};
    kt_status st = open_x(f, m, x);
    if (st == KT_OK && !without_y) st = open_y(f, m->state, y, w);
    if (st == KT_OK && f->n == 0) {
        KT_FAIL(KT_EINVAL, "the data are empty");
        st = kt_error_got("arrays with 0 rows");
    }
    return st;
}

void kt_feed_close(kt_feed *f) {
    for (int i = 0; i < KT_MAX_TENSORS; i++) kt_release(f->made[i]);
    for (int i = 0; i < KT_MAX_TENSORS; i++) kt_sparse_rows_free(f->is_part ? NULL : f->sparse[i]);
    for (int i = 0; i < 3; i++)
        if (kt_is(f->given[i], KT_KIND_LIST)) kt_drop(f->given[i]);
}

/* Keras: the class of a row is its label, or the largest of a one-hot row; others round. */
static int64_t row_class(const kt_tensor *y, int64_t row) {
    const int64_t width = kt_shape_range(&y->shape, 1, y->shape.ndim);
    if (width == 1) {
        const double v = kt_elem_get(y->data, y->dtype, row);
        return v > -0.5 && v < 2147483647 ? (int64_t)(v + 0.5) : -1;
    }
    int64_t best = 0;
    for (int64_t i = 1; i < width; i++)
        if (kt_elem_get(y->data, y->dtype, row * width + i) >
            kt_elem_get(y->data, y->dtype, row * width + best))
            best = i;
    return best;
}

kt_status kt_feed_class_weight(kt_feed *f, const kt_class_weight *weights) {
    if (!weights) return KT_OK;
    if (f->n_y != 1) return KT_FAIL(KT_EINVAL, "class_weight: only for models with one output");
    if (f->w[0]) return KT_FAIL(KT_EINVAL, "class_weight and sample_weight cannot go together");
    for (const kt_class_weight *c = weights; c->label >= 0; c++)
        if (!isfinite(c->weight))
            return KT_FAIL(
                KT_EINVAL,
                "class_weight: expected finite numbers, got %g for class %d",
                c->weight,
                c->label);
    kt_tensor *w = kt_tensor_new(KT_FLOAT32, kt_dims(f->n), NULL);
    if (kt_failed(w)) return kt_check(w);
    f->made[0] = kt_adopt(w);
    for (int64_t i = 0; i < f->n; i++) {
        const int64_t label = row_class(f->y[0], i);
        double value = 1;
        for (const kt_class_weight *c = weights; c->label >= 0; c++)
            if (c->label == label) value = c->weight;
        ((float *)w->data)[i] = (float)value;
    }
    f->w[0] = w;
    f->row[f->n_x + f->n_y] = (kt_spec){kt_dtype_of(kt_floatx()), kt_dims(1)};
    return KT_OK;
}

kt_feed kt_feed_slice(const kt_feed *f, int64_t start, int64_t stop) {
    kt_feed part = *f;
    memset(part.made, 0, sizeof part.made);
    memset(part.given, 0, sizeof part.given);
    part.is_part = true;
    part.first = f->first + start;
    part.n = stop - start;
    return part;
}

void kt_feed_specs(const kt_feed *f, int64_t batch, kt_batch_specs *out) {
    *out = (kt_batch_specs){.n_x = f->n_x, .n_y = f->n_y};
    for (int i = 0; i < f->n_x; i++) {
        out->x[i] = f->row[i];
        out->x[i].shape.dim[0] = batch;
        out->sparse_cap[i] = f->sparse[i] ? kt_sparse_rows_cap(f->sparse[i], batch) : 0;
    }
    for (int i = 0; i < f->n_y; i++) {
        out->y[i] = f->row[f->n_x + i];
        out->y[i].shape.dim[0] = batch;
        out->has_weight[i] = f->w[i] != NULL;
        if (!f->w[i]) continue;
        out->w[i] = f->row[f->n_x + f->n_y + i];
        out->w[i].shape.dim[0] = batch;
    }
}

/* Gathering rows: in parallel when there is enough to copy. Pictures and sequences go to the
 * threads by rows, plain vectors by columns: dense layers share their weights so, and each thread
 * then finds in its own cache what it will read. */
typedef struct {
    const char *in;
    char *out;
    const int64_t *order; /* NULL: rows as they come */
    kt_dtype from, to;
    int64_t n, width;        /* rows, elements of a row */
    int64_t n_rows, n_parts; /* rows of a chunk, or into how many parts each row is cut */
} gather;

#define AHEAD 4 /* rows */

/* Rows in random order: without this every one of them waits for memory. */
static void look_ahead(const gather *g, int64_t i, int64_t left, int64_t right) {
    const int64_t size = (int64_t)kt_dtype_size(g->from), bytes = (right - left) * size;
    const char *row = g->in + (g->order[i] * g->width + left) * size;
    for (int64_t b = 0; b < bytes; b += 64) __builtin_prefetch(row + b);
}

static void gather_chunk(void *arg, int64_t chunk, int thread) {
    const gather *g = arg;
    const int64_t part = chunk % g->n_parts, first = chunk / g->n_parts * g->n_rows;
    const int64_t stop = first + g->n_rows < g->n ? first + g->n_rows : g->n;
    const int64_t left = part * g->width / g->n_parts, right = (part + 1) * g->width / g->n_parts;
    const int64_t from = (int64_t)kt_dtype_size(g->from), to = (int64_t)kt_dtype_size(g->to);
    (void)thread;
    if (g->order && g->width == 1 && from == 4 && g->from == g->to) { /* labels */
        for (int64_t i = first; i < stop; i++) memcpy(g->out + 4 * i, g->in + 4 * g->order[i], 4);
        return;
    }
    for (int64_t i = first; i < stop; i++) {
        const int64_t row = g->order ? g->order[i] : i;
        if (g->order && i + AHEAD < stop) look_ahead(g, i + AHEAD, left, right);
        kt_elem_convert(
            g->out + (i * g->width + left) * to,
            g->to,
            g->in + (row * g->width + left) * from,
            g->from,
            right - left);
    }
}

/* Bytes of a chunk of rows, and from how many on several threads share the work. */
#define GATHER_CHUNK 65536
#define GATHER_SHARED 65536

/* Rows that follow each other and need no cast are read where they lie. */
static void fill_one(
    const kt_tensor *t,
    kt_dtype to,
    kt_cpu_run *run,
    int input,
    const int64_t *order,
    int64_t first,
    int64_t n) {
    const int64_t width = kt_shape_range(&t->shape, 1, t->shape.ndim);
    const int64_t row = width * (int64_t)kt_dtype_size(to);
    const char *in = (const char *)t->data;
    if (!order) in += first * width * (int64_t)kt_dtype_size(t->dtype);
    if (!order && to == t->dtype && (uintptr_t)in % kt_dtype_size(to) == 0) {
        kt_cpu_bind(run, input, in);
        return;
    }
    char *out = kt_cpu_input(run, input);
    if (n <= 0) return;
    if (!order && n * row < GATHER_SHARED) {
        kt_elem_convert(out, to, in, t->dtype, n * width);
        return;
    }
    gather g = {in, out, order, t->dtype, to, n, width, n, 1};
    const bool by_columns = t->shape.ndim == 2 && width >= 64 * kt_pool_threads();
    if (n * row >= GATHER_SHARED && by_columns)
        g.n_parts = kt_pool_threads();
    else if (n * row >= GATHER_SHARED)
        g.n_rows = GATHER_CHUNK / row + 1;
    kt_pool_run(gather_chunk, &g, (n + g.n_rows - 1) / g.n_rows * g.n_parts);
}

void kt_feed_fill(
    const kt_feed *f,
    kt_cpu_run *run,
    bool with_y,
    const int64_t *order,
    int64_t first,
    int64_t n) {
    int at = 0;
    first += f->first;
    for (int i = 0; i < f->n_x; i++) {
        if (!f->sparse[i]) {
            fill_one(f->x[i], f->row[i].dtype, run, at++, order, first, n);
            continue;
        }
        float *value = kt_cpu_input(run, at++);
        int32_t *offset = kt_cpu_input(run, at++), *index = kt_cpu_input(run, at++);
        kt_sparse_rows_fill(f->sparse[i], value, offset, index, order, first, n);
    }
    for (int i = 0; with_y && i < f->n_y; i++)
        fill_one(f->y[i], f->row[f->n_x + i].dtype, run, at++, order, first, n);
    for (int i = 0; with_y && i < f->n_y; i++)
        if (f->w[i])
            fill_one(f->w[i], f->row[f->n_x + f->n_y + i].dtype, run, at++, order, first, n);
}

kt_status kt_feed_step(
    const kt_feed *f,
    kt_model *m,
    kt_program_kind kind,
    const int64_t *order,
    int64_t first,
    int64_t n) {
    kt_batch_specs specs;
    kt_lease l;
    kt_feed_specs(f, n, &specs);
    kt_status st = kt_lease_begin(&l, m, kind, &specs);
    if (st) return st;
    kt_feed_fill(f, l.run, true, order, first, n);
    st = kt_cpu_execute(l.run);
    kt_lease_end(&l);
    return st;
}
