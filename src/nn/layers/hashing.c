/* Hashing, HashedCrossing: whole numbers or texts to one of num_bins bins, by a hash that is the
 * same everywhere (ops/hash.c).  keras.layers.Hashing, keras.layers.HashedCrossing
 *
 * Their dtype is that of the output, int64 for output_mode "int"; inputs come in as they are. */
#include "nn/layers/encode.h"

#include <keratin/layers.h>
#include <keratin/runtime.h>

#include <string.h>

typedef kt_hashing_args hashing_args;
typedef kt_hashed_crossing_args crossing_args;
typedef struct {
    kt_encode_mode mode;
} hashing_state;

static const char *dtype_of_mode(const char *mode) {
    return mode && !strcmp(mode, "int") ? "int64" : kt_floatx();
}

static kt_status common_init(
    kt_layer *l, const char *mode, unsigned modes, int num_bins, bool sparse) {
    hashing_state *s = kt_layer_state(l);
    if (num_bins < 1)
        return KT_FAIL(KT_EINVAL, "num_bins: expected a positive number, got %d", num_bins);
    kt_status st = kt_encode_mode_of(&s->mode, mode, modes);
    if (st == KT_OK) st = kt_encode_refuse_sparse(sparse);
    if (st) return st;
    if (s->mode == KT_ENCODE_INT && l->dtype != KT_INT32 && l->dtype != KT_INT64) {
        KT_FAIL(KT_EINVAL, "dtype: output_mode \"int\" gives integers");
        kt_error_expected("\"int32\" or \"int64\"");
        return kt_error_got("\"%s\"", kt_dtype_name(l->dtype));
    }
    l->no_autocast = true;
    return KT_OK;
}

/* Numbers as they are hashed; NULL: they cannot be. */
static kt_val *whole(kt_graph *g, kt_val *x, const char *name) {
    if (x && x->spec.dtype == KT_BOOL)
        return kt_graph_fail(g, KT_FAIL(KT_EDTYPE, "%s: expected integers, got bool", name));
    return kt_g_cast(g, x, KT_INT64);
}

/* Hashing -------------------------------------------------------------------------------------- */

static kt_status hashing_init(kt_layer *l) {
    const hashing_args *a = kt_layer_args(l);
    const unsigned modes = (1u << KT_ENCODE_TF_IDF) - 1;
    const kt_status st = kt_encode_salt(&((hashing_args *)l->args)->salt);
    if (st == KT_OK && a->mask_value_text && a->mask_value != KT_NONE)
        return KT_FAIL(KT_EINVAL, "mask_value_text: mask_value is given as well");
    return st ? st : common_init(l, a->output_mode, modes, a->num_bins, a->sparse);
}

/* What equals the mask takes bin 0, the others come behind it. */
static kt_val *mask_bins(kt_graph *g, kt_val *is_mask, kt_val *bin) {
    if (!is_mask || !bin) return NULL;
    bin = kt_g_shift(g, kt_g_cast(g, bin, KT_INT32), 1);
    return kt_g_select(g, is_mask, kt_g_num(g, 0, bin), bin);
}

/* The mask is a table of one text. */
static kt_val *bins_of_texts(kt_graph *g, kt_val *x, const hash_attrs *a, const char *mask) {
    kt_val *bin = kt_g_hash_bins(g, 1, &x, a);
    if (!mask || !bin) return bin;
    const int32_t start = 0;
    kt_val *bytes = kt_g_array(g, mask, (kt_spec){KT_UINT8, kt_dims((int64_t)strlen(mask) + 1)});
    kt_val *starts = kt_g_array(g, &start, (kt_spec){KT_INT32, kt_dims(1)});
    kt_val *at = kt_g_text_find(g, x, bytes, starts, KT_SEARCH_EXACT);
    return at ? mask_bins(g, kt_g_eq(g, at, kt_g_num(g, 0, at)), bin) : NULL;
}

/* Floats are compared with the mask before they lose their fractions. */
static kt_val *bins_of_floats(kt_graph *g, kt_val *x, const hash_attrs *with_mask) {
    hash_attrs a = *with_mask;
    a.masked = false;
    a.mask = 0;
    kt_val *n = whole(g, x, "Hashing"), *bin = n ? kt_g_hash_bins(g, 1, &n, &a) : NULL;
    if (!with_mask->masked || !bin) return bin;
    return mask_bins(g, kt_g_eq(g, x, kt_g_num(g, (double)with_mask->mask, x)), bin);
}

static kt_status hashing_call(kt_layer *l, kt_trace *t) {
    const hashing_args *a = kt_layer_args(l);
    const hashing_state *s = kt_layer_state(l);
    kt_graph *g = kt_tracer_current()->g;
    kt_val *x = kt_unwrap(t->in[0], NULL);
    if (!x) return g->status;
    const kt_shape *in = &x->spec.shape;
    if (s->mode == KT_ENCODE_ONE_HOT && in->ndim && in->dim[in->ndim - 1] == 1)
        x = kt_g_squeeze(g, x, in->ndim - 1);
    hash_attrs h;
    memset(&h, 0, sizeof h); /* padding takes part when equal nodes are merged */
    h.kind = a->salt.n ? KT_HASH_SIP : KT_HASH_FARM;
    for (int i = 0; i < 2 && a->salt.n; i++) h.key[i] = a->salt.v[i];
    const bool number = a->mask_value != KT_NONE, masked = number || a->mask_value_text;
    h.masked = number && a->num_bins > 1;
    if (h.masked) h.mask = a->mask_value;
    h.bins = a->num_bins - (masked && a->num_bins > 1);
    kt_val *bin = NULL;
    if (x && masked && (x->spec.dtype == KT_STRING) != !number)
        return KT_FAIL(
            KT_EDTYPE,
            "Hashing: %s is not to be found among values of dtype %s",
            number ? "the number mask_value" : "mask_value_text",
            kt_dtype_name(x->spec.dtype));
    if (x && x->spec.dtype == KT_STRING) {
        bin = bins_of_texts(g, x, &h, a->num_bins > 1 ? a->mask_value_text : NULL);
    } else if (x && kt_dtype_is_float(x->spec.dtype)) {
        bin = bins_of_floats(g, x, &h);
    } else if ((x = whole(g, x, "Hashing"))) {
        bin = kt_g_hash_bins(g, 1, &x, &h);
    }
    t->out[0] = kt_wrap(kt_encode(g, bin, s->mode, a->num_bins, l->dtype, NULL));
    return kt_check(t->out[0]);
}

static const char *hashing_dtype(const void *args) {
    return dtype_of_mode(((const hashing_args *)args)->output_mode);
}

static const kt_field hashing_fields[] = {
    KT_F(hashing_args, num_bins),
    KT_F(hashing_args, mask_value),
    KT_F(hashing_args, salt),
    KT_F(hashing_args, output_mode),
    KT_F(hashing_args, sparse),
    KT_F(hashing_args, mask_value_text),
    KT_F_END};

const kt_layer_class kt_class_hashing = {
    .name = "Hashing",
    .args_size = sizeof(hashing_args),
    .state_size = sizeof(hashing_state),
    .fields = hashing_fields,
    .defaults = &(const hashing_args){KT_HASHING_DEFAULTS},
    .init = hashing_init,
    .call = hashing_call,
    .any_dtype = true,
    .default_dtype = hashing_dtype,
};

kt_layer *kt_hashing_new(const kt_hashing_args *a) { return kt_layer_new(&kt_class_hashing, a); }

/* HashedCrossing ------------------------------------------------------------------------------- */

static kt_status crossing_init(kt_layer *l) {
    const crossing_args *a = kt_layer_args(l);
    const unsigned modes = 1 << KT_ENCODE_INT | 1 << KT_ENCODE_ONE_HOT;
    return common_init(l, a->output_mode, modes, a->num_bins, a->sparse);
}

static kt_status check_features(const kt_val *first, const kt_val *x) {
    const kt_shape *s = &first->spec.shape;
    if (s->ndim > 2 || (s->ndim == 2 && s->dim[1] != 1)) {
        char got[KT_SHAPE_STR];
        KT_FAIL(KT_ESHAPE, "HashedCrossing crosses features with one number for each sample");
        kt_error_expected("inputs of shape (batch) or (batch, 1)");
        return kt_error_got("%s", kt_shape_str(s, got, sizeof got));
    }
    if (!kt_shape_equal(s, &x->spec.shape))
        return KT_FAIL(KT_ESHAPE, "HashedCrossing: expected inputs of one shape");
    if (!kt_dtype_is_int(x->spec.dtype) && x->spec.dtype != KT_STRING)
        return KT_FAIL(
            KT_EDTYPE,
            "HashedCrossing: expected integers or texts, got %s",
            kt_dtype_name(x->spec.dtype));
    return KT_OK;
}

static kt_status crossing_call(kt_layer *l, kt_trace *t) {
    const crossing_args *a = kt_layer_args(l);
    const hashing_state *s = kt_layer_state(l);
    kt_graph *g = kt_tracer_current()->g;
    kt_val *x[KT_OP_MAX_IN] = {NULL};
    for (int i = 0; i < t->n_in; i++) {
        x[i] = kt_unwrap(t->in[i], NULL);
        const kt_status st = x[i] ? check_features(x[0], x[i]) : g->status;
        if (st) return st;
        if (x[i]->spec.dtype != KT_STRING) x[i] = whole(g, x[i], "HashedCrossing");
    }
    hash_attrs h;
    memset(&h, 0, sizeof h);
    h.kind = KT_HASH_CROSS;
    h.bins = a->num_bins;
    kt_val *bin = kt_g_hash_bins(g, t->n_in, x, &h);
    t->out[0] = kt_wrap(kt_encode(g, bin, s->mode, a->num_bins, l->dtype, NULL));
    return kt_check(t->out[0]);
}

static const char *crossing_dtype(const void *args) {
    return dtype_of_mode(((const crossing_args *)args)->output_mode);
}

static const kt_field crossing_fields[] = {
    KT_F(crossing_args, num_bins),
    KT_F(crossing_args, output_mode),
    KT_F(crossing_args, sparse),
    KT_F_END};

const kt_layer_class kt_class_hashed_crossing = {
    .name = "HashedCrossing",
    .args_size = sizeof(crossing_args),
    .state_size = sizeof(hashing_state),
    .fields = crossing_fields,
    .defaults = &(const crossing_args){KT_HASHED_CROSSING_DEFAULTS},
    .init = crossing_init,
    .call = crossing_call,
    .min_inputs = 2,
    .max_inputs = KT_OP_MAX_IN,
    .any_dtype = true,
    .default_dtype = crossing_dtype,
};

kt_layer *kt_hashed_crossing_new(const kt_hashed_crossing_args *a) {
    return kt_layer_new(&kt_class_hashed_crossing, a);
}
