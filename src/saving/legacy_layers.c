/* Arguments of layers, from Keras 1 and 2 to Keras 3. See legacy.h.
 *
 * Two tables say most of it: which class has another name today, and which argument. What cannot
 * mean anything any more (implementation, input_length, …) is dropped by name, everything else is
 * kept, so that an argument nobody knows is still an error of the reader. The names of Keras 1 and
 * those of Keras 2 do not collide within a class, so one table serves both. */
#include "saving/legacy.h"

#include <stdio.h>

static const struct {
    const char *old, *name;
} classes[] = {
    {"AtrousConvolution1D", "Conv1D"},
    {"AtrousConvolution2D", "Conv2D"},
    {"BatchNormalizationV1", "BatchNormalization"},
    {"BatchNormalizationV2", "BatchNormalization"},
    {"Convolution1D", "Conv1D"},
    {"Convolution2D", "Conv2D"},
    {"Convolution3D", "Conv3D"},
    {"CuDNNGRU", "GRU"},
    {"CuDNNLSTM", "LSTM"},
    {"Deconvolution2D", "Conv2DTranspose"},
    {"Deconvolution3D", "Conv3DTranspose"},
    {"GRUV1", "GRU"},
    {"GRUV2", "GRU"},
    {"LSTMV1", "LSTM"},
    {"LSTMV2", "LSTM"},
    {"SeparableConvolution1D", "SeparableConv1D"},
    {"SeparableConvolution2D", "SeparableConv2D"},
    {"SyncBatchNormalization", "BatchNormalization"},
    {"ThresholdedReLU", "ReLU"},
    {"TimeDistributedDense", "Dense"},
};

/* Class (NULL: any; "X*": begins with X), argument, its name today (NULL: dropped). The first row
 * that fits counts. */
static const struct {
    const char *class_name, *old, *name;
} arguments[] = {
    {"InputLayer", "batch_input_shape", "batch_shape"},
    {"InputLayer", "ragged", NULL},
    {NULL, "batch_input_shape", NULL},
    {NULL, "input_dtype", NULL},
    {NULL, "input_length", NULL},
    {NULL, "input_shape", NULL},
    {NULL, "consume_less", NULL},
    {NULL, "implementation", NULL},
    {NULL, "num_constants", NULL},
    {NULL, "experimental_autocast", NULL},
    {"Embedding", "input_dim", "input_dim"},
    {"Embedding", "output_dim", "output_dim"},
    {"Embedding", "init", "embeddings_initializer"},
    {"Embedding", "W_regularizer", "embeddings_regularizer"},
    {"Embedding", "W_constraint", "embeddings_constraint"},
    {NULL, "input_dim", NULL},
    {NULL, "output_dim", "units"},
    {"PReLU", "init", "alpha_initializer"},
    {"BatchNormalization", "gamma_init", "gamma_initializer"},
    {"BatchNormalization", "beta_init", "beta_initializer"},
    {"BatchNormalization", "fused", NULL},
    {"BatchNormalization", "virtual_batch_size", NULL},
    {"BatchNormalization", "adjustment", NULL},
    {NULL, "init", "kernel_initializer"},
    {NULL, "inner_init", "recurrent_initializer"},
    {NULL, "inner_activation", "recurrent_activation"},
    {NULL, "W_regularizer", "kernel_regularizer"},
    {NULL, "U_regularizer", "recurrent_regularizer"},
    {NULL, "b_regularizer", "bias_regularizer"},
    {NULL, "W_constraint", "kernel_constraint"},
    {NULL, "U_constraint", "recurrent_constraint"},
    {NULL, "b_constraint", "bias_constraint"},
    {NULL, "dropout_W", "dropout"},
    {NULL, "dropout_U", "recurrent_dropout"},
    {NULL, "bias", "use_bias"},
    {NULL, "nb_filter", "filters"},
    {NULL, "nb_row", NULL}, /* see kernel_size() */
    {NULL, "nb_col", NULL},
    {NULL, "kernel_dim1", NULL},
    {NULL, "kernel_dim2", NULL},
    {NULL, "kernel_dim3", NULL},
    {NULL, "filter_length", "kernel_size"},
    {NULL, "border_mode", "padding"},
    {NULL, "subsample", "strides"},
    {NULL, "subsample_length", "strides"},
    {NULL, "atrous_rate", "dilation_rate"},
    {NULL, "dim_ordering", "data_format"},
    {NULL, "pool_length", "pool_size"},
    {"MaxPooling1D", "stride", "strides"},
    {"AveragePooling1D", "stride", "strides"},
    {"UpSampling1D", "length", "size"},
    {"Conv2DTranspose", "output_shape", NULL},
    {"Conv3DTranspose", "output_shape", NULL},
    {"Dropout", "p", "rate"},
    {"GaussianDropout", "p", "rate"},
    {"GaussianNoise", "sigma", "stddev"},
    {"SpatialDropout*", "p", "rate"},
    {"SpatialDropout*", "noise_shape", NULL},
    {"SpatialDropout*", "data_format", NULL},
    {"LeakyReLU", "alpha", "negative_slope"},
    {"ReLU", "theta", "threshold"},
    {"DepthwiseConv*", "filters", NULL},
    {"DepthwiseConv*", "kernel_initializer", NULL},
    {"DepthwiseConv*", "kernel_regularizer", NULL},
    {"DepthwiseConv*", "kernel_constraint", NULL},
    {"SeparableConv*", "kernel_initializer", NULL},
    {"SeparableConv*", "kernel_regularizer", NULL},
    {"SeparableConv*", "kernel_constraint", NULL},
    {"MultiHeadAttention", "query_shape", NULL},
    {"MultiHeadAttention", "key_shape", NULL},
    {"MultiHeadAttention", "value_shape", NULL},
};

static bool fits(const char *pattern, const char *class_name) {
    if (!pattern) return true;
    const size_t n = strlen(pattern);
    if (pattern[n - 1] == '*') return strncmp(pattern, class_name, n - 1) == 0;
    return strcmp(pattern, class_name) == 0;
}

/* Today's name of an argument; NULL: it is dropped. */
static const char *argument(const char *class_name, const char *key) {
    for (size_t i = 0; i < sizeof arguments / sizeof *arguments; i++)
        if (!strcmp(arguments[i].old, key) && fits(arguments[i].class_name, class_name))
            return arguments[i].name;
    return key;
}

static const char *class_today(const char *c) {
    for (size_t i = 0; i < sizeof classes / sizeof *classes; i++)
        if (!strcmp(classes[i].old, c)) return classes[i].name;
    return c;
}

static bool ends_with(const char *key, const char *suffix) {
    const size_t n = strlen(key), k = strlen(suffix);
    return n >= k && !strcmp(key + n - k, suffix);
}

static kt_status put_text(kt_json *dict, const char *key, const char *text) {
    return kt_json_put(dict, key, kt_json_new_str(text));
}

static kt_status unsupported(const char *class_name, const char *what) {
    return KT_FAIL(KT_EUNSUPPORTED, "%.60s: %s is not supported", class_name, what);
}

/* Components ----------------------------------------------------------------------------------- */

static kt_status put_wrapped(
    kt_json *dict, const char *key, const char *module, const char *class_name, kt_json *config) {
    kt_json *v = NULL;
    const kt_status st = kt_legacy_wrap(&v, module, class_name, config);
    return st ? st : kt_json_put(dict, key, v);
}

/* tf.keras wrote the dtype into initializers, and "normal" meant a cut one. */
static kt_status put_initializer(kt_json *dict, const char *key, const kt_json *v) {
    const char *text = kt_json_text(v), *c = kt_json_get_text(v, "class_name");
    if (text && (!strcmp(text, "zero") || !strcmp(text, "one")))
        return put_text(dict, key, *text == 'z' ? "zeros" : "ones");
    if (!c) return kt_legacy_put(dict, key, v);
    c = kt_legacy_plain_class(c);
    if (!strcmp(c, "OrthogonalInitializer")) c = "Orthogonal";
    if (!strcmp(c, "IdentityInitializer")) c = "Identity";
    const kt_json *old = kt_json_get(v, "config");
    kt_json *config = kt_json_new_dict();
    kt_status st = config ? KT_OK : KT_FAIL(KT_ENOMEM, "out of memory");
    for (void *it = kt_json_iter(old); it && !st; it = kt_json_next(old, it)) {
        const char *name = kt_json_iter_key(it), *word = kt_json_text(kt_json_iter_value(it));
        if (!strcmp(name, "dtype")) continue;
        if (!strcmp(name, "distribution") && word && !strcmp(word, "normal"))
            st = put_text(config, name, "truncated_normal");
        else
            st = kt_legacy_put(config, name, kt_json_iter_value(it));
    }
    if (st) return kt_json_free(config), st;
    return put_wrapped(dict, key, "keras.initializers", c, config);
}

/* Keras 1: {"name": "MaxNorm", "m": 2, "axis": 0}, {"name": "WeightRegularizer", "l1": 0, "l2": 1}
 * Keras 2: {"class_name": "L1L2", "config": {"l1": 0, "l2": 1}} */
static kt_status put_penalty(kt_json *dict, const char *key, const char *module, const kt_json *v) {
    const char *c = kt_json_get_text(v, "class_name"), *name = kt_json_get_text(v, "name");
    const kt_json *old = c ? kt_json_get(v, "config") : v;
    if (!c && !name) return kt_legacy_put(dict, key, v);
    if (!c) c = strstr(name, "Regularizer") ? "L1L2" : name;
    kt_json *config = kt_json_new_dict();
    kt_status st = config ? KT_OK : KT_FAIL(KT_ENOMEM, "out of memory");
    for (void *it = kt_json_iter(old); it && !st; it = kt_json_next(old, it)) {
        const char *field = kt_json_iter_key(it);
        if (!strcmp(field, "name")) continue;
        st = kt_legacy_put(
            config, !strcmp(field, "m") ? "max_value" : field, kt_json_iter_value(it));
    }
    if (st) return kt_json_free(config), st;
    return put_wrapped(dict, key, module, kt_legacy_plain_class(c), config);
}

/* hard_sigmoid has another formula since Keras 3: the old one has a name of its own here. */
static kt_status put_activation(kt_json *dict, const char *key, const kt_json *v) {
    const char *text = kt_json_text(v), *c = kt_json_get_text(v, "class_name");
    if (c && !strcmp(c, "function")) text = kt_json_get_text(v, "config");
    if (!text) return kt_legacy_put(dict, key, v);
    text = kt_legacy_plain_class(text);
    if (!strcmp(text, "hard_sigmoid")) text = "keras2_hard_sigmoid";
    if (!strcmp(text, "softmax_v2")) text = "softmax";
    return put_text(dict, key, text);
}

/* Values --------------------------------------------------------------------------------------- */

static kt_status put_layers(
    kt_json *dict, const char *key, const kt_json *v, const kt_legacy_origin *from) {
    kt_json *out = NULL;
    if (kt_json_is(v, KT_JSON_DICT)) {
        const kt_status st = kt_legacy_any(&out, v, from);
        return st ? st : kt_json_put(dict, key, out);
    }
    if (!kt_json_is(v, KT_JSON_LIST)) return kt_legacy_put(dict, key, v);
    kt_json *list = kt_json_new_list();
    kt_status st = list ? KT_OK : KT_FAIL(KT_ENOMEM, "out of memory");
    for (int i = 0; i < kt_json_len(v) && !st; i++) {
        st = kt_legacy_any(&out, kt_json_at(v, i), from);
        if (!st) st = kt_json_add(list, out);
    }
    if (!st) return kt_json_put(dict, key, list);
    kt_json_free(list);
    return st;
}

static bool is_true(const kt_json *v) { return kt_json_is(v, KT_JSON_BOOL) && kt_json_bool(v); }

/* An argument whose value has another form today, or that only its harmless value can have. Sets
 * *done if it was one. */
static kt_status special(
    bool *done, kt_json *out, const char *c, const char *key, const kt_json *v) {
    const char *text = kt_json_text(v);
    *done = true;
    if (!strcmp(key, "data_format") && text && strlen(text) == 2)
        return put_text(out, key, !strcmp(text, "th") ? "channels_first" : "channels_last");
    if (!strcmp(key, "time_major")) return is_true(v) ? unsupported(c, "time_major = True") : KT_OK;
    if (!strcmp(key, "renorm")) return is_true(v) ? unsupported(c, "renorm = True") : KT_OK;
    if (!strcmp(key, "ragged")) return is_true(v) ? unsupported(c, "ragged = True") : KT_OK;
    if (!strcmp(key, "forget_bias_init"))
        return kt_json_put(out, "unit_forget_bias", kt_json_new_bool(text && !strcmp(text, "one")));
    if (!strcmp(key, "groups") && kt_json_int(v) == 1) return KT_OK;
    if (!strcmp(c, "Embedding") && !strcmp(key, "dropout"))
        return kt_json_number(v) > 0 ? unsupported(c, "dropout of words") : KT_OK;
    if (!strcmp(c, "BatchNormalization") && !strcmp(key, "mode"))
        return kt_json_int(v) ? unsupported(c, "a mode other than 0") : KT_OK;
    if (!strcmp(c, "BatchNormalization") && !strcmp(key, "axis") && kt_json_len(v) == 1)
        return kt_legacy_put(out, key, kt_json_at(v, 0));
    if (!strcmp(key, "mask_zero") && kt_json_is(v, KT_JSON_INT))
        return kt_json_put(out, key, kt_json_new_bool(kt_json_int(v) != 0));
    *done = false;
    return KT_OK;
}

static kt_status put_argument(
    kt_json *out, const char *c, const char *old, const kt_json *v, const kt_legacy_origin *from) {
    bool done;
    const char *key = argument(c, old);
    if (!key) return KT_OK;
    const kt_status st = special(&done, out, c, key, v);
    if (st || done) return st;
    if (kt_json_is(v, KT_JSON_NULL)) return kt_legacy_put(out, key, v);
    if (ends_with(key, "initializer")) return put_initializer(out, key, v);
    if (ends_with(key, "regularizer")) return put_penalty(out, key, "keras.regularizers", v);
    if (ends_with(key, "constraint")) return put_penalty(out, key, "keras.constraints", v);
    if (ends_with(key, "activation")) return put_activation(out, key, v);
    if (!strcmp(key, "layer") || !strcmp(key, "backward_layer") || !strcmp(key, "cell") ||
        !strcmp(key, "cells"))
        return put_layers(out, key, v, from);
    return kt_legacy_put(out, key, v);
}

/* Keras 1 had one argument for each side of a kernel. */
static kt_status kernel_size(kt_json *out, const kt_json *old) {
    static const char *const sides[2][3] = {
        {"nb_row", "nb_col", NULL}, {"kernel_dim1", "kernel_dim2", "kernel_dim3"}};
    const int k = kt_json_get(old, "nb_row") ? 0 : 1;
    if (!kt_json_get(old, sides[k][0])) return KT_OK;
    kt_json *list = kt_json_new_list();
    kt_status st = list ? KT_OK : KT_FAIL(KT_ENOMEM, "out of memory");
    for (int i = 0; i < 3 && sides[k][i] && !st; i++) {
        kt_json *side = kt_json_get(old, sides[k][i]);
        st = side ? kt_json_add(list, kt_json_ref(side))
                  : KT_FAIL(KT_EFORMAT, "a convolution without %s", sides[k][i]);
    }
    if (!st) return kt_json_put(out, "kernel_size", list);
    kt_json_free(list);
    return st;
}

/* What an old class did without saying so. */
static kt_status add_implied(kt_json *out, const char *old_class, const kt_json *old) {
    const bool cudnn = !strncmp(old_class, "CuDNN", 5);
    const char *c = class_today(old_class);
    kt_status st = KT_OK;
    if (cudnn) st = put_text(out, "recurrent_activation", "sigmoid");
    if (!st && cudnn) st = put_text(out, "activation", "tanh");
    if (!st && (!strcmp(c, "GRU") || !strcmp(c, "GRUCell")) && !kt_json_get(old, "reset_after"))
        st = kt_json_put(out, "reset_after", kt_json_new_bool(cudnn));
    if (!st && !strncmp(old_class, "Atrous", 6) && !kt_json_get(old, "atrous_rate"))
        st = kt_json_put(out, "dilation_rate", kt_json_new_int(1));
    return st;
}

/* Merge of Keras 1: one class, a mode. */
static kt_status merge(kt_json **out, const kt_json *old) {
    static const struct {
        const char *mode, *class_name, *from, *to;
    } modes[] = {
        {"sum", "Add", NULL, NULL},
        {"mul", "Multiply", NULL, NULL},
        {"ave", "Average", NULL, NULL},
        {"max", "Maximum", NULL, NULL},
        {"concat", "Concatenate", "concat_axis", "axis"},
        {"dot", "Dot", "dot_axes", "axes"},
    };
    const char *mode = kt_json_get_text(old, "mode");
    for (size_t i = 0; mode && i < sizeof modes / sizeof *modes; i++) {
        if (strcmp(modes[i].mode, mode) != 0) continue;
        kt_json *config = kt_json_new_dict();
        kt_status st = config ? KT_OK : KT_FAIL(KT_ENOMEM, "out of memory");
        if (!st) st = kt_legacy_put(config, "name", kt_json_get(old, "name"));
        if (!st && modes[i].from && kt_json_get(old, modes[i].from))
            st = kt_legacy_put(config, modes[i].to, kt_json_get(old, modes[i].from));
        if (st) return kt_json_free(config), st;
        return kt_legacy_wrap(out, "keras.layers", modes[i].class_name, config);
    }
    return KT_FAIL(KT_EUNSUPPORTED, "Merge: mode \"%.40s\" is not supported", mode ? mode : "?");
}

/* Files of Keras 3 say the same as .keras does, but for the module of what a Sequential holds. */
static kt_status layer_of_keras3(kt_json **out, const kt_json *entry) {
    kt_status st = kt_legacy_copy(out, entry);
    if (!st && !kt_json_get(entry, "module")) st = put_text(*out, "module", "keras.layers");
    if (!st && !kt_json_get(entry, "registered_name"))
        st = kt_json_put(*out, "registered_name", kt_json_new_null());
    if (!st) return KT_OK;
    kt_json_free(*out);
    *out = NULL;
    return st;
}

/* Layers that look words up have no dtype of their own today. */
static bool takes_texts(const char *c) {
    return !strcmp(c, "InputLayer") || !strcmp(c, "StringLookup") ||
           !strcmp(c, "TextVectorization");
}

kt_status kt_legacy_layer(kt_json **out, const kt_json *entry, const kt_legacy_origin *from) {
    const char *named = kt_json_get_text(entry, "class_name");
    const kt_json *old = kt_json_get(entry, "config");
    *out = NULL;
    const char *own = kt_json_get_text(entry, "registered_name"); /* somebody's class */
    if (from->major >= 3 || (own && !kt_layer_find(class_today(kt_legacy_plain_class(named)))))
        return layer_of_keras3(out, entry);
    if (!kt_json_is(old, KT_JSON_DICT))
        return KT_FAIL(KT_EFORMAT, "the configuration of a %.60s is no dict", named);
    const char *plain = kt_legacy_plain_class(named);
    if (!strcmp(plain, "Merge")) return merge(out, old);
    const bool custom = plain != named && !kt_layer_find(class_today(plain));
    const char *c = custom ? named : class_today(plain);
    const char *dtype = kt_json_get_text(old, "dtype");
    const bool texts = dtype && !strcmp(dtype, "string");
    if (texts && !takes_texts(c)) return unsupported(named, "dtype \"string\"");
    kt_json *config = kt_json_new_dict();
    kt_status st = config ? KT_OK : KT_FAIL(KT_ENOMEM, "out of memory");
    for (void *it = kt_json_iter(old); it && !st; it = kt_json_next(old, it)) {
        const char *key = kt_json_iter_key(it);
        if (texts && !strcmp(key, "dtype") && strcmp(c, "InputLayer") != 0) continue;
        st = custom ? kt_legacy_put(config, key, kt_json_iter_value(it))
                    : put_argument(config, c, key, kt_json_iter_value(it), from);
    }
    if (!st && !custom) st = kernel_size(config, old);
    if (!st && !custom) st = add_implied(config, plain, old);
    if (!st) return kt_legacy_wrap(out, custom ? NULL : "keras.layers", c, config);
    kt_json_free(config);
    return st;
}
