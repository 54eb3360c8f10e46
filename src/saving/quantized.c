/* The dtype policy of a quantized layer in files. keras.dtype_policies.QuantizedDTypePolicy */
#include "base/error.h"
#include "io/source.h"
#include "model/model.h"
#include "saving/configs.h"
#include "tensor/tensor.h"

#include <string.h>

/* {"mode": "int8", "source_name": "float32"} */
kt_status kt_read_quantized(const kt_json *config, const char **out) {
    static const char *const known[] = {"int8_from_float32", "int8_from_float64"};
    const char *mode = kt_json_get_text(config, "mode");
    const char *source = kt_json_get_text(config, "source_name");
    char name[KT_QUOTE_SIZE];
    if (!mode) return kt_read_type_error("dtype", "a policy with a mode", config);
    for (int i = 0; i < 2 && !strcmp(mode, "int8"); i++)
        if (source && !strcmp(source, known[i] + 10)) *out = known[i];
    if (*out) return KT_OK;
    KT_FAIL(
        KT_EUNSUPPORTED,
        "dtype policy QuantizedDTypePolicy: quantization \"%s\" is not supported",
        kt_quote(mode, strlen(mode), name, sizeof name));
    return source ? kt_error_got("from \"%s\"", kt_quote(source, strlen(source), name, sizeof name))
                  : KT_EUNSUPPORTED;
}

kt_json *kt_write_quantized(const kt_layer *l) {
    kt_json *config = kt_json_new_dict();
    kt_status st = kt_json_put(config, "mode", kt_json_new_str("int8"));
    if (st == KT_OK)
        st = kt_json_put(config, "source_name", kt_json_new_str(kt_dtype_name(l->dtype)));
    if (st) return kt_json_free(config), NULL;
    return kt_write_wrapped("keras.dtype_policies", "QuantizedDTypePolicy", config, NULL);
}

/* Is c, or a list with it, among the arguments of l? Then the configuration of l has that of c. */
static bool is_argument(const kt_layer *l, const kt_layer *c) {
    for (const kt_field *f = l->cls->fields; f && f->type; f++) {
        if (f->type != KT_FIELD_REF) continue;
        const kt_ref ref = *(const kt_ref *)(const void *)((const char *)l->args + f->offset);
        if (ref == c) return true;
        for (int i = 0; kt_is(ref, KT_KIND_LIST) && i < kt_list_len(ref); i++)
            if (kt_list_get(ref, i) == c) return true;
    }
    return false;
}

static kt_status visit(kt_layer *l, void *data) {
    (void)data;
    for (int i = 0; i < l->children.n && !kt_is_model(l); i++) {
        kt_layer *c = l->children.v[i];
        if (!c->quant.on || is_argument(l, c)) continue;
        KT_FAIL(
            KT_EUNSUPPORTED,
            "no file of Keras says that \"%s\" inside \"%s\" (%s) is quantized",
            kt_layer_name(c),
            kt_layer_name(l),
            l->class_name);
        return kt_error_hint(
            "kt_model_save_weights() keeps it, for a model that is quantized alike");
    }
    return KT_OK;
}

kt_status kt_check_quantized(kt_model *m) { return kt_layer_walk(m, visit, NULL); }
