/* See lookup.h. */
#include "nn/layers/lookup.h"

#include "base/mem.h"
#include "tensor/tensor.h"

#include <keratin/runtime.h>

static const kt_lookup_files *files_of(const kt_layer *l) {
    static const kt_lookup_files *const all[] = {
        &kt_integer_lookup_files, &kt_string_lookup_files, &kt_text_vectorization_files, NULL};
    for (int i = 0; l && all[i]; i++)
        if (all[i]->cls == l->cls) return all[i];
    return NULL;
}

bool kt_lookup_has_asset(const kt_layer *l) {
    const kt_lookup_files *f = files_of(l);
    return f && f->has_asset(l);
}

const char *kt_lookup_inside(const kt_layer *l) {
    return l && l->cls == kt_text_vectorization_files.cls ? "_lookup_layer" : NULL;
}

kt_status kt_lookup_put_asset(const kt_layer *l, kt_str *text) {
    return files_of(l)->put_asset(l, text);
}

kt_status kt_lookup_take_asset(kt_layer *l, const char *text, size_t size) {
    return files_of(l)->take_asset(l, text, size);
}

static kt_lookup_weights weights_of(const kt_layer *l) {
    const kt_lookup_files *f = files_of(l);
    return f ? f->weights((kt_layer *)(uintptr_t)l) : (kt_lookup_weights){false, NULL, NULL};
}

bool kt_lookup_wants_weights(const kt_layer *l) { return weights_of(l).wanted; }

const float *kt_lookup_weights_of(const kt_layer *l, int64_t *n) {
    const kt_lookup_weights w = weights_of(l);
    *n = w.wanted ? *w.n : 0;
    return w.wanted ? *w.v : NULL;
}

kt_status kt_lookup_take_weights(kt_layer *l, const kt_tensor *weights) {
    const kt_lookup_weights to = weights_of(l);
    const int64_t n = kt_tensor_size(weights);
    if (weights->shape.ndim != 1)
        return KT_FAIL(KT_EFORMAT, "idf_weights: expected one axis, got %d", weights->shape.ndim);
    float *w = kt_alloc_array(n + 1, sizeof *w);
    if (!w) return KT_ENOMEM;
    kt_elem_convert(w, KT_FLOAT32, kt_tensor_data(weights), kt_tensor_dtype(weights), n);
    kt_mem_free(*to.v);
    *to.v = w;
    *to.n = n;
    kt_layout_changed();
    return KT_OK;
}
