/* Pipeline: layers one after the other.  keras.layers.Pipeline
 *
 * Not a model: its layers are built when they are first called. */
#include "nn/layer.h"

#include <keratin/layers.h>

static kt_status pipeline_init(kt_layer *l) {
    const kt_pipeline_args *a = kt_layer_args(l);
    if (!kt_is(a->layers, KT_KIND_LIST))
        return KT_FAIL(KT_EINVAL, "layers: expected a list of layers");
    for (int i = 0; i < kt_list_len(a->layers); i++) {
        kt_layer *child = (kt_layer *)(uintptr_t)kt_list_get(a->layers, i);
        const kt_status st = kt_layer_require(child, "layers");
        if (st) return st;
        if (kt_failed(kt_add_sublayer_as(l, "layers/", child))) return KT_ENOMEM;
    }
    return l->children.n ? KT_OK : KT_FAIL(KT_EINVAL, "layers: expected one or more");
}

/* A mask goes along with its symbol. */
static kt_status pipeline_call(kt_layer *l, kt_trace *t) {
    kt_sym *x = t->in[0];
    for (int i = 0; i < l->children.n; i++) {
        x = kt_call(l->children.v[i], x, .training = t->training);
        if (kt_failed(x)) return kt_check(x);
    }
    t->out[0] = x;
    t->out_mask[0] = x->mask;
    return KT_OK;
}

static const kt_field pipeline_fields[] = {KT_F(kt_pipeline_args, layers), KT_F_END};

const kt_layer_class kt_class_pipeline = {
    .name = "Pipeline",
    .args_size = sizeof(kt_pipeline_args),
    .fields = pipeline_fields,
    .defaults = &(const kt_pipeline_args){KT_PIPELINE_DEFAULTS},
    .init = pipeline_init,
    .call = pipeline_call,
    .computes_mask = true,
};

kt_layer *kt_pipeline_new(const kt_pipeline_args *a) { return kt_layer_new(&kt_class_pipeline, a); }
