/* See spatial.h. */
#include "nn/layers/spatial.h"

#include <ctype.h>
#include <limits.h>

kt_status kt_tuple_get(kt_tuple t, int n, const char *what, int *out) {
    const int64_t form = t >> 60; /* see kt_hw and kt_dhw */
    const bool several = form == 2 || form == 3;
    if (several && form != n) {
        KT_FAIL(KT_EINVAL, "%s: wrong number of axes", what);
        kt_error_expected("one integer or %d", n);
        return kt_error_got("%d", (int)form);
    }
    for (int i = 0; i < n; i++) {
        const int64_t v = several ? t >> 20 * (n - 1 - i) & 0xfffff : t;
        out[i] = v > INT_MAX ? 0 : (int)v;
        if (v > 0 && v <= INT_MAX) continue;
        KT_FAIL(KT_EINVAL, "%s: expected a positive integer", what);
        if (v > -1000 && v <= 0) return kt_error_got("%lld", (long long)v);
        return kt_error_hint("for several axes write kt_hw(3, 5) or kt_dhw(1, 3, 5)");
    }
    return KT_OK;
}

static bool is_word(const char *text, const char *word) {
    while (*text && tolower((unsigned char)*text) == *word) text++, word++;
    return !*text && !*word;
}

kt_status kt_padding_get(const char *padding, bool *same) {
    *same = padding && is_word(padding, "same");
    if (*same || (padding && is_word(padding, "valid"))) return KT_OK;
    if (padding)
        KT_FAIL(KT_EINVAL, "padding: unknown value \"%.60s\"", padding);
    else
        KT_FAIL(KT_EINVAL, "padding: got None");
    return kt_error_expected("\"valid\" or \"same\"");
}

kt_status kt_data_format_get(const char *data_format, bool *channels_first) {
    *channels_first = data_format && is_word(data_format, "channels_first");
    if (!data_format || *channels_first || is_word(data_format, "channels_last")) return KT_OK;
    KT_FAIL(KT_EINVAL, "data_format: unknown value \"%.60s\"", data_format);
    return kt_error_expected("\"channels_last\" or \"channels_first\"");
}

void kt_same_padding(int64_t length, int size, int stride, int dilation, int *before, int *after) {
    const int64_t places = (length + stride - 1) / stride;
    const int64_t seen = (places - 1) * stride + (int64_t)(size - 1) * dilation + 1;
    const int64_t missing = seen > length ? seen - length : 0;
    *before = missing / 2 > INT_MAX ? INT_MAX : (int)(missing / 2);
    *after = missing - missing / 2 > INT_MAX ? INT_MAX : (int)(missing - missing / 2);
}

kt_sym *kt_channels_last(kt_sym *x) {
    kt_shape axes = {kt_sym_shape(x).ndim, {0}};
    for (int i = 1; i + 1 < axes.ndim; i++) axes.dim[i] = i + 1;
    axes.dim[axes.ndim - 1] = 1;
    return kt_op_transpose(x, axes);
}

kt_sym *kt_channels_first(kt_sym *x) {
    kt_shape axes = {kt_sym_shape(x).ndim, {0}};
    for (int i = 2; i < axes.ndim; i++) axes.dim[i] = i - 1;
    axes.dim[1] = axes.ndim - 1;
    return kt_op_transpose(x, axes);
}
