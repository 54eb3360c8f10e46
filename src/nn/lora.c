/* Low-rank adaptation. See lora.h.  Keras: enable_lora() of the layers
 *
 * The adapted weight is always the first one of its layer, the last axis of it stands for the
 * outputs: A has its shape with the rank in place of that axis, B is (rank, outputs). */
#include "nn/lora.h"

#include "base/mem.h"
#include "nn/quantize.h"

#include <stdio.h>
#include <string.h>

kt_status kt_lora_check(int64_t rank, kt_ref quantization_config) {
    if (rank != KT_NONE && (rank < 0 || rank > INT32_MAX))
        return KT_FAIL(
            KT_EINVAL, "lora_rank: expected a positive integer, got %lld", (long long)rank);
    return kt_quant_check(quantization_config);
}

static kt_var *add_matrix(
    kt_layer *l, const kt_var *weight, char which, const kt_shape *shape, kt_ref initializer) {
    char name[80];
    snprintf(name, sizeof name, "lora_%.60s_%c", weight->name, which);
    kt_weight_args w = {
        .size = sizeof w,
        .layer = l,
        .name = name,
        .initializer = initializer,
        .regularizer = weight->regularizer,
        .dtype = "float32",
        .trainable = true,
        .autocast = true,
    };
    for (int i = 0; i < shape->ndim; i++) w.shape[i] = shape->dim[i];
    return kt_add_weight_with(&w);
}

/* The arguments tell from now on what was asked for: they are what a file says of the layer. */
static void note(kt_layer *l, int64_t rank, double alpha) {
    *(int64_t *)kt_layer_arg(l->cls, l->args, "lora_rank", KT_FIELD_INT64) = rank;
    *(double *)kt_layer_arg(l->cls, l->args, "lora_alpha", KT_FIELD_DOUBLE) = alpha;
}

static kt_status adapt(kt_layer *l, int64_t rank, double alpha, kt_ref a_init, kt_ref b_init) {
    kt_var *weight = l->vars.v[0];
    if (weight->constraint) {
        KT_FAIL(KT_EINVAL, "LoRA is incompatible with a constraint on \"%s\"", weight->name);
        return kt_error_hint("remove the argument %s_constraint", weight->name);
    }
    kt_shape a = weight->spec.shape;
    const kt_shape b = {2, {rank, a.dim[a.ndim - 1]}};
    a.dim[a.ndim - 1] = rank;
    kt_var *va = add_matrix(l, weight, 'a', &a, a_init);
    if (kt_failed(va)) return kt_check(va);
    kt_var *vb = add_matrix(l, weight, 'b', &b, b_init);
    if (kt_failed(vb)) {
        kt_release(l->vars.v[--l->vars.n]); /* A alone is of no use */
        return kt_check(vb);
    }
    if (alpha == KT_NONE_F) alpha = (double)rank;
    l->lora = (kt_lora){va, vb, alpha / (double)rank};
    weight->frozen = true;
    note(l, rank, alpha);
    return KT_OK;
}

kt_status kt_lora_build(kt_layer *l, int64_t rank, double alpha) {
    const kt_status st = kt_check(l);
    if (st || rank == KT_NONE || rank == 0) return st;
    return adapt(l, rank, alpha, "he_uniform", "zeros");
}

kt_status kt_layer_enable_lora_with(const kt_lora_args *args) {
    kt_lora_args a;
    kt_status st = kt_args_read(&a, args, sizeof a, &(const kt_lora_args){KT_LORA_DEFAULTS});
    if (st == KT_OK) st = kt_layer_require(a.layer, "kt_layer_enable_lora");
    if (st) return st;
    kt_layer *l = a.layer;
    if (!kt_layer_arg(l->cls, l->args, "lora_rank", KT_FIELD_INT64))
        st = KT_FAIL(KT_EUNSUPPORTED, "%s has no LoRA", l->class_name);
    else if (l->in_use)
        st = KT_FAIL(KT_ESTATE, "LoRA cannot be enabled on a layer while it is trained");
    else if (!l->built)
        st = KT_FAIL(KT_ESTATE, "LoRA cannot be enabled on a layer that is not built yet");
    else if (l->lora.a)
        st = KT_FAIL(KT_ESTATE, "LoRA is enabled already; this can be done once per layer");
    else if (a.rank <= 0 || a.rank > INT32_MAX)
        st = KT_FAIL(KT_EINVAL, "rank: expected a positive integer, got %lld", (long long)a.rank);
    else if (!(a.lora_alpha - a.lora_alpha == 0) && a.lora_alpha != KT_NONE_F)
        st = KT_FAIL(KT_EINVAL, "lora_alpha: expected a finite number");
    if (st == KT_OK) st = adapt(l, a.rank, a.lora_alpha, a.a_initializer, a.b_initializer);
    if (st == KT_OK) kt_layout_changed(); /* programs made before compute without A and B */
    if (st) l->obj.status = KT_OK;        /* the layer is as it was */
    return kt_layer_context(l, st);
}

kt_sym *kt_lora_part(const kt_layer *l, kt_var *part) {
    return kt_op_cast(kt_value(part), kt_dtype_name(l->dtype));
}

kt_sym *kt_lora_value(const kt_layer *l, kt_var *weight) {
    kt_sym *w = kt_value(weight);
    if (!l->lora.a) return w;
    const int64_t rank = l->lora.b->spec.shape.dim[0];
    kt_sym *a = kt_op_reshape(kt_lora_part(l, l->lora.a), kt_dims(-1, rank));
    kt_sym *ab = kt_op_matmul(a, kt_lora_part(l, l->lora.b));
    ab = kt_op_multiply(ab, kt_num(l->lora.scale));
    return kt_op_add(w, kt_op_reshape(ab, weight->spec.shape));
}

/* Files ---------------------------------------------------------------------------------------- */

bool kt_lora_is_part(const kt_layer *l, const kt_var *v) {
    return v == l->lora.a || v == l->lora.b;
}

kt_status kt_lora_merged(const kt_layer *l, const kt_var *v, void **out) {
    *out = NULL;
    if (l && l->lora.a && l->quant.scale) return kt_quant_merged(l, v, out);
    if (!l || !l->lora.a || v != l->vars.v[0]) return KT_OK;
    kt_var *a = l->lora.a, *b = l->lora.b;
    kt_status st = kt_var_ensure(a);
    if (st == KT_OK) st = kt_var_ensure(b);
    const int64_t rank = b->spec.shape.dim[0], n = b->spec.shape.dim[1];
    const int64_t size = kt_shape_size(&v->spec.shape), e = (int64_t)kt_dtype_size(v->spec.dtype);
    void *sum = st ? NULL : kt_alloc_array(size + 1, (size_t)e);
    if (!sum) return st ? st : KT_ENOMEM;
    const float *x = kt_var_data(a), *y = kt_var_data(b);
    for (int64_t i = 0; i < size; i++) {
        double dot = 0;
        for (int64_t k = 0; k < rank; k++)
            dot += (double)x[i / n * rank + k] * (double)y[k * n + i % n];
        const double w = kt_elem_get(kt_var_data(v), v->spec.dtype, i);
        kt_elem_set(sum, v->spec.dtype, i, w + l->lora.scale * dot);
    }
    *out = sum;
    return KT_OK;
}

void kt_lora_clear(const kt_layer *l) {
    kt_var *const parts[] = {l->lora.a, l->lora.b};
    for (int i = 0; i < 2 && parts[i]; i++) {
        kt_var *v = parts[i];
        v->fill = NULL; /* zeros, when there is memory */
        if (v->store->data) memset(kt_var_data(v), 0, (size_t)kt_spec_bytes(&v->spec));
    }
}
