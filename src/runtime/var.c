/* Stores, variables, extents. See var.h. */
#include "runtime/var.h"

#include "base/error.h"
#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

#define ALIGN_ELEMS 16 /* 64 bytes of float32: every variable starts on a cache line */

kt_store *kt_store_new(kt_dtype dtype, int64_t size) {
    kt_store *s = kt_alloc(sizeof *s);
    if (!s) return NULL;
    atomic_store(&s->refs, 1);
    s->dtype = dtype;
    s->size = size;
    return s;
}

kt_store *kt_store_ref(kt_store *s) {
    if (s) atomic_fetch_add(&s->refs, 1);
    return s;
}

void kt_store_unref(kt_store *s) {
    if (!s || atomic_fetch_sub(&s->refs, 1) > 1) return;
    kt_mem_free_aligned(s->data);
    kt_mem_free(s);
}

kt_status kt_store_touch(kt_store *s) {
    if (s->data) return KT_OK;
    const kt_spec flat = {s->dtype, {1, {s->size}}};
    const int64_t bytes = kt_spec_bytes(&flat);
    s->data = kt_alloc_aligned(bytes < 0 ? SIZE_MAX : (size_t)bytes);
    return s->data ? KT_OK : KT_ENOMEM;
}

static void var_destroy(void *self) {
    kt_var *v = self;
    kt_mem_free(v->name);
    kt_mem_free(v->path);
    kt_store_unref(v->store);
    kt_release(v->initializer);
    kt_release(v->regularizer);
    kt_release(v->constraint);
}

kt_var *kt_var_new(const char *name, kt_spec spec, bool trainable) {
    const int64_t size = kt_shape_size(&spec.shape);
    for (int i = 0; i < spec.shape.ndim; i++)
        if (spec.shape.dim[i] < 0)
            return kt_fail_object(KT_FAIL(KT_ESHAPE, "variable \"%s\": a dimension is open", name));
    if (spec.dtype == KT_STRING)
        return kt_fail_object(KT_FAIL(KT_EDTYPE, "variable \"%s\": texts are no numbers", name));
    if (kt_spec_bytes(&spec) < 0)
        return kt_fail_object(KT_FAIL(KT_ELIMIT, "variable \"%s\" is too large", name));
    kt_var *v = kt_obj_new(sizeof *v, KT_KIND_VAR, var_destroy);
    if (!v) return kt_fail_object(KT_ENOMEM);
    v->spec = spec;
    v->trainable = trainable;
    v->name = kt_strdup(name);
    v->store = kt_store_new(spec.dtype, size);
    if (v->name && v->store) return v;
    kt_free(v);
    return kt_fail_object(KT_ENOMEM);
}

kt_status kt_var_ensure(kt_var *v) {
    kt_status st = kt_store_touch(v->store);
    if (st || v->initialized) return st;
    if (v->fill) st = v->fill(v);
    v->initialized = st == KT_OK;
    return st;
}

void *kt_var_data(const kt_var *v) {
    return (char *)v->store->data + (size_t)v->offset * kt_dtype_size(v->spec.dtype);
}

void kt_var_read(const kt_var *v, void *out, kt_dtype dtype) {
    kt_elem_convert(out, dtype, kt_var_data(v), v->spec.dtype, kt_shape_size(&v->spec.shape));
}

void kt_var_write(kt_var *v, const void *in, kt_dtype dtype) {
    kt_elem_convert(kt_var_data(v), v->spec.dtype, in, dtype, kt_shape_size(&v->spec.shape));
    v->initialized = true;
}

double kt_var_scalar(const kt_var *v) {
    return v->store->data ? kt_elem_get(kt_var_data(v), v->spec.dtype, 0) : 0;
}

void kt_var_set_scalar(kt_var *v, double value) {
    if (kt_store_touch(v->store)) return;
    kt_elem_set(kt_var_data(v), v->spec.dtype, 0, value);
    v->initialized = true;
}

static int64_t var_room(const kt_var *v) {
    return (kt_shape_size(&v->spec.shape) + ALIGN_ELEMS - 1) / ALIGN_ELEMS * ALIGN_ELEMS;
}

static _Atomic uint64_t layout_version;

uint64_t kt_layout_version(void) { return layout_version; }
void kt_layout_changed(void) { layout_version++; }

static void var_move(kt_var *v, kt_store *to, int64_t offset) {
    const size_t e = kt_dtype_size(v->spec.dtype);
    if (v->store->data)
        memcpy(
            (char *)to->data + (size_t)offset * e,
            kt_var_data(v),
            (size_t)kt_shape_size(&v->spec.shape) * e);
    kt_store_unref(v->store);
    v->store = kt_store_ref(to);
    v->offset = offset;
    v->in_extent = true;
    layout_version++;
}

kt_status kt_extent_make(int n, kt_var *const *vars) {
    for (int d = KT_FLOAT32; d < KT_DTYPE_COUNT; d++) {
        int64_t size = 0;
        for (int i = 0; i < n; i++)
            if (vars[i]->spec.dtype == (kt_dtype)d && !vars[i]->in_extent)
                size += var_room(vars[i]);
        if (!size) continue;
        kt_store *extent = kt_store_new((kt_dtype)d, size);
        if (!extent || kt_store_touch(extent)) {
            kt_store_unref(extent);
            return KT_ENOMEM;
        }
        int64_t at = 0;
        for (int i = 0; i < n; i++) {
            if (vars[i]->spec.dtype != (kt_dtype)d || vars[i]->in_extent) continue;
            const int64_t room = var_room(vars[i]);
            var_move(vars[i], extent, at);
            at += room;
        }
        kt_store_unref(extent);
    }
    return KT_OK;
}

static int by_memory(const void *a, const void *b) {
    const kt_var *x = *(kt_var *const *)a, *y = *(kt_var *const *)b;
    if (x->store != y->store) return (uintptr_t)x->store < (uintptr_t)y->store ? -1 : 1;
    return x->offset < y->offset ? -1 : x->offset > y->offset;
}

int kt_segments(int n, kt_var **vars, kt_segment *out) {
    int count = 0;
    qsort(vars, (size_t)n, sizeof *vars, by_memory);
    for (int i = 0; i < n; i++) {
        const kt_var *v = vars[i];
        const int64_t room = v->in_extent ? var_room(v) : kt_shape_size(&v->spec.shape);
        kt_segment *last = count ? &out[count - 1] : NULL;
        if (last && last->store == v->store && last->offset + last->size == v->offset) {
            last->size += room;
            last->count++;
        } else {
            out[count++] = (kt_segment){v->store, v->offset, room, i, 1};
        }
    }
    return count;
}
