/* See spatial.h. */
#include "nn/spatial.h"

#include "base/locale.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

/* Top four bits: 0 a plain number, 2 and 3 that many numbers, 4 and 5 two and three pairs. */
static int64_t form_of(kt_tuple t) { return t < 0 ? 0 : t >> 60; }

static kt_status number_of(int64_t v, int low, const char *what, int *out) {
    *out = v > INT_MAX || v < INT_MIN ? 0 : (int)v;
    if (v >= low && v <= INT_MAX) return KT_OK;
    KT_FAIL(
        KT_EINVAL,
        low > 0 ? "%s: expected a positive integer" : "%s: expected an integer >= 0",
        what);
    if (v > -1000 && v <= 0) return kt_error_got("%lld", (long long)v);
    return kt_error_hint("for several axes write kt_hw(3, 5) or kt_dhw(1, 3, 5)");
}

static kt_status tuple_get(kt_tuple t, int n, int low, const char *what, int *out) {
    const int64_t form = form_of(t);
    kt_status st = KT_OK;
    if (form && form != n) {
        KT_FAIL(KT_EINVAL, "%s: wrong number of axes", what);
        if (n == 1)
            kt_error_expected("one integer");
        else
            kt_error_expected("one integer or %d", n);
        return form > 3 ? kt_error_got("pairs") : kt_error_got("%d", (int)form);
    }
    for (int i = 0; i < n && st == KT_OK; i++)
        st = number_of(form ? t >> 20 * (n - 1 - i) & 0xfffff : t, low, what, &out[i]);
    return st;
}

kt_status kt_tuple_get(kt_tuple t, int n, const char *what, int *out) {
    return tuple_get(t, n, 1, what, out);
}

kt_status kt_tuple_get_from_0(kt_tuple t, int n, const char *what, int *out) {
    return tuple_get(t, n, 0, what, out);
}

/* Pair i of n: two numbers of 15 bits each where there are two pairs, of 10 bits where three. */
static void pair_of(kt_tuple t, int n, int i, int out[2]) {
    const int bits = n == 2 ? 15 : 10;
    for (int k = 0; k < 2; k++)
        out[k] = (int)(t >> bits * (2 * n - 1 - 2 * i - k) & ((1 << bits) - 1));
}

kt_status kt_pairs_get(kt_tuple t, int n, const char *what, int out[][2]) {
    int each[3];
    if (form_of(t) == n + 2 && n > 1) {
        for (int i = 0; i < n; i++) pair_of(t, n, i, out[i]);
        return KT_OK;
    }
    if (form_of(t) > 3) {
        KT_FAIL(KT_EINVAL, "%s: wrong number of pairs", what);
        kt_error_expected(n == 1 ? "one integer or kt_pairs(a, b)" : "%d pairs", n);
        return kt_error_got("%d", (int)form_of(t) - 2);
    }
    const kt_status st = tuple_get(t, n == 1 ? 2 : n, 0, what, each);
    if (st) return st;
    for (int i = 0; i < n; i++) {
        out[i][0] = each[i];
        out[i][1] = each[n == 1 ? 1 : i];
    }
    return KT_OK;
}

kt_status kt_output_padding_get(kt_tuple t, int n, const int *strides, int *out) {
    for (int i = 0; i < n; i++) out[i] = -1;
    const kt_status st = t == KT_NONE ? KT_OK : kt_tuple_get_from_0(t, n, "output_padding", out);
    for (int i = 0; i < n && st == KT_OK; i++) {
        if (out[i] < strides[i]) continue;
        KT_FAIL(KT_EINVAL, "output_padding: must be less than strides on every axis");
        kt_error_expected("less than %d", strides[i]);
        return kt_error_got("%d at axis %d", out[i], i);
    }
    return st;
}

static bool is_word(const char *text, const char *word) {
    while (*text && kt_lower(*text) == *word) text++, word++;
    return !*text && !*word;
}

/* Which word of the list (ended by NULL) it is; -1 with an error that lists them. */
static int word_of(const char *text, const char *const *words, const char *what) {
    char all[160];
    size_t at = 0;
    for (int i = 0; words[i]; i++) {
        if (text && is_word(text, words[i])) return i;
        const char *between = !i ? "" : words[i + 1] ? ", " : " or ";
        at += (size_t)snprintf(all + at, sizeof all - at, "%s\"%s\"", between, words[i]);
    }
    if (text)
        KT_FAIL(KT_EINVAL, "%s: unknown value \"%.60s\"", what, text);
    else
        KT_FAIL(KT_EINVAL, "%s: got None", what);
    kt_error_expected("%s", all);
    return -1;
}

kt_status kt_padding_get(const char *padding, bool allow_causal, kt_pad_mode *mode) {
    static const char *const two[] = {"valid", "same", NULL}, *const three[] = {
                                                                  "valid", "same", "causal", NULL};
    const int i = word_of(padding, allow_causal ? three : two, "padding");
    *mode = i < 0 ? KT_PAD_VALID : (kt_pad_mode)i;
    return i < 0 ? KT_EINVAL : KT_OK;
}

kt_status kt_data_format_get(const char *data_format, bool *channels_first) {
    static const char *const words[] = {"channels_last", "channels_first", NULL};
    const int i = data_format ? word_of(data_format, words, "data_format") : 0;
    *channels_first = i == 1;
    return i < 0 ? KT_EINVAL : KT_OK;
}

kt_status kt_interpolation_get(const char *interpolation, kt_resize_kind *kind) {
    static const char *const words[] = {
        "nearest", "bilinear", "bicubic", "lanczos3", "lanczos5", NULL};
    const int i = word_of(interpolation, words, "interpolation");
    *kind = i < 0 ? KT_RESIZE_NEAREST : (kt_resize_kind)i;
    return i < 0 ? KT_EINVAL : KT_OK;
}

kt_sym *kt_channels_last(kt_sym *x) {
    kt_shape axes = {kt_sym_shape(x).ndim, {0}};
    for (int i = 1; i + 1 < axes.ndim; i++) axes.dim[i] = i + 1;
    if (axes.ndim > 1) axes.dim[axes.ndim - 1] = 1;
    return kt_op_transpose(x, axes);
}

kt_sym *kt_channels_first(kt_sym *x) {
    kt_shape axes = {kt_sym_shape(x).ndim, {0}};
    for (int i = 2; i < axes.ndim; i++) axes.dim[i] = i - 1;
    if (axes.ndim > 1) axes.dim[1] = axes.ndim - 1;
    return kt_op_transpose(x, axes);
}

int kt_layer_rank(const kt_layer *l) {
    const char *digit = l->cls->name;
    while (*digit && !kt_is_digit(*digit)) digit++;
    return *digit ? *digit - '0' : 2;
}

kt_status kt_layer_channels(const kt_shape *in, bool channels_first, int64_t *channels) {
    const int axis = channels_first ? 1 : -1;
    *channels = kt_shape_dim(in, axis);
    if (*channels == KT_NONE) {
        KT_FAIL(KT_ESHAPE, "the number of channels must be known when the layer is built");
        return kt_error_hint("axis %d of the input is open", axis);
    }
    if (*channels > 0) return KT_OK;
    KT_FAIL(KT_ESHAPE, "the input has no channels");
    return kt_error_got("%lld", (long long)*channels);
}

kt_status kt_layer_windows(
    const kt_layer *l, kt_tuple size, kt_tuple strides, kt_tuple dilation_rate, int *sizes) {
    int stride[3], dilation[3], most_stride = 1, most_dilation = 1;
    const int rank = kt_layer_rank(l);
    kt_status st = kt_tuple_get(size, rank, "kernel_size", sizes);
    if (st == KT_OK) st = kt_tuple_get(strides, rank, "strides", stride);
    if (st == KT_OK) st = kt_tuple_get(dilation_rate, rank, "dilation_rate", dilation);
    for (int i = 0; i < rank && st == KT_OK; i++) {
        most_stride = stride[i] > most_stride ? stride[i] : most_stride;
        most_dilation = dilation[i] > most_dilation ? dilation[i] : most_dilation;
    }
    const bool depthwise = strstr(l->cls->name, "wise") || strstr(l->cls->name, "Separable");
    if (st || depthwise || most_stride == 1 || most_dilation == 1) return st;
    return KT_FAIL(KT_EINVAL, "strides > 1 do not go together with dilation_rate > 1");
}
