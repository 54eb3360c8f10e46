/* Embedding: y = embeddings[ids].  keras.layers.Embedding
 *
 * Ids may come as floats (the dtype of an input that says nothing else): they are cut to integers,
 * as in Keras. An id outside of the table stops the program with an error of the op (gather.c). */
#include "nn/lora.h"
#include "nn/quantize.h"

#include <keratin/layers.h>

typedef struct {
    kt_var *embeddings;
} embedding;

static kt_status embedding_init(kt_layer *l) {
    const kt_embedding_args *a = kt_layer_args(l);
    l->no_autocast = true;
    if (a->input_dim <= 0)
        return KT_FAIL(KT_EINVAL, "input_dim: expected a positive integer, got %d", a->input_dim);
    if (a->output_dim <= 0)
        return KT_FAIL(KT_EINVAL, "output_dim: expected a positive integer, got %d", a->output_dim);
    if (a->weights && l->quant.on)
        return KT_FAIL(KT_EINVAL, "weights: the table of an int8 layer is none of floats");
    return kt_lora_check(a->lora_rank, a->quantization_config);
}

/* The argument `weights`: one tensor, alone or in a list. */
static kt_status embedding_take_weights(embedding *d, kt_ref weights) {
    char got[96];
    if (kt_is(weights, KT_KIND_LIST) && kt_list_len(weights) == 1)
        weights = kt_list_get(weights, 0);
    if (!kt_is(weights, KT_KIND_TENSOR)) {
        KT_FAIL(KT_EINVAL, "weights: expected a tensor, or a list of one");
        return kt_error_got("%s", kt_ref_describe(weights, got, sizeof got));
    }
    return kt_var_assign(d->embeddings, weights);
}

static kt_status embedding_build(kt_layer *l, const kt_shape *in) {
    const kt_embedding_args *a = kt_layer_args(l);
    embedding *d = kt_layer_state(l);
    (void)in;
    d->embeddings = kt_add_weight(
        l,
        "embeddings",
        {a->input_dim, a->output_dim},
        .initializer = a->embeddings_initializer,
        .regularizer = a->embeddings_regularizer,
        .constraint = a->embeddings_constraint);
    const kt_shape scales = {1, {a->input_dim}};
    kt_status st = kt_quant_built(l, d->embeddings, 1, (const int[]){0}, &scales);
    if (st == KT_OK && a->weights) st = embedding_take_weights(d, a->weights);
    return st ? st : kt_lora_build(l, a->lora_rank, KT_NONE_F); /* Keras forgets lora_alpha here */
}

/* int32 ids; what does not fit stays out of range. */
static kt_val *embedding_ids(kt_graph *g, kt_val *x) {
    if (!x || x->spec.dtype == KT_INT32) return x;
    if (x->spec.dtype == KT_INT64) x = kt_g_clip(g, x, INT32_MIN, INT32_MAX);
    return kt_g_cast(g, x, KT_INT32);
}

/* With LoRA the rows that are asked for are adapted, which is less work than to adapt the table. */
static kt_sym *embedding_rows(const kt_layer *l, kt_val *ids) {
    const embedding *d = kt_layer_state(l);
    kt_graph *g = kt_tracer_current()->g;
    kt_sym *rows = kt_wrap(kt_g_gather(g, kt_unwrap(kt_value(d->embeddings), NULL), ids));
    if (l->quant.scale) {
        kt_val *s = kt_g_gather(g, kt_unwrap(kt_value(l->quant.scale), NULL), ids);
        s = kt_g_expand_dims(g, s, -1);
        rows = kt_op_divide(kt_op_cast(rows, kt_dtype_name(l->dtype)), kt_wrap(s));
    }
    if (!l->lora.a) return rows;
    kt_sym *a = kt_wrap(kt_g_gather(g, kt_unwrap(kt_lora_part(l, l->lora.a), NULL), ids));
    kt_sym *ab = kt_op_matmul(a, kt_lora_part(l, l->lora.b));
    return kt_op_add(rows, kt_op_multiply(ab, kt_num(l->lora.scale)));
}

static kt_status embedding_call(kt_layer *l, kt_trace *t) {
    const kt_embedding_args *a = kt_layer_args(l);
    kt_graph *g = kt_tracer_current()->g;
    kt_val *ids = kt_unwrap(t->in[0], NULL);
    if (a->mask_zero) t->out_mask[0] = kt_wrap(kt_g_ne(g, ids, kt_g_num(g, 0, ids)));
    t->out[0] = kt_op_cast(embedding_rows(l, embedding_ids(g, ids)), kt_dtype_name(l->dtype));
    return kt_check(t->out[0]);
}

#define F(name) KT_F(kt_embedding_args, name)
static const kt_field embedding_fields[] = {
    F(input_dim),
    F(output_dim),
    F(embeddings_initializer),
    F(embeddings_regularizer),
    F(embeddings_constraint),
    F(mask_zero),
    F(weights),
    F(lora_rank),
    F(lora_alpha),
    F(quantization_config),
    KT_F_END,
};
#undef F

const kt_layer_class kt_class_embedding = {
    .name = "Embedding",
    .args_size = sizeof(kt_embedding_args),
    .state_size = sizeof(embedding),
    .fields = embedding_fields,
    .defaults = &(const kt_embedding_args){KT_EMBEDDING_DEFAULTS},
    .init = embedding_init,
    .build = embedding_build,
    .call = embedding_call,
    .supports_masking = true,
    .computes_mask = true,
};

kt_layer *kt_embedding_new(const kt_embedding_args *a) {
    return kt_layer_new(&kt_class_embedding, a);
}
