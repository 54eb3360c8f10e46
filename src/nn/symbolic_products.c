/* kt_op_*, continued: products over axes. */
#include "base/error.h"
#include "nn/symbolic.h"

#include <stdio.h>
#include <string.h>

typedef struct {
    char equation[96];
} einsum_attrs;
/* The letters that the rest of the equation still needs, of those that two terms have; a term of
 * its own kind for the result. `used` has the terms behind and the output. */
static void einsum_keep(char *to, const char *term, size_t len, const char *used) {
    for (size_t i = 0; i < len; i++)
        if (strchr(used, term[i]) && (term[i] == '.' || !strchr(to, term[i])))
            if (term[i] != '.' || !strstr(to, "...")) strncat(to, term + i, 1);
}

/* From the left, two operands at a time; one alone goes with a 1. */
KT_OP_BUILD(einsum) {
    char text[96], pair[200], *rest;
    kt_dtype d = in[0]->spec.dtype;
    for (int i = 1; i < n; i++) d = kt_op_promote(d, in[i]->spec.dtype);
    snprintf(text, sizeof text, "%s", ((const einsum_attrs *)attrs)->equation);
    kt_val *y = kt_g_cast(g, in[0], d);
    int commas = 0;
    for (const char *c = text; *c; c++) commas += *c == ',';
    if (commas != n - 1)
        return kt_graph_fail(
            g, KT_FAIL(KT_EINVAL, "einsum: \"%s\" has %d operands, got %d", text, commas + 1, n));
    if (n == 2) return kt_g_einsum(g, text, y, kt_g_cast(g, in[1], d));
    if (n == 1) {
        const char *arrow = strstr(text, "->");
        const int len = arrow ? (int)(arrow - text) : (int)strlen(text);
        snprintf(pair, sizeof pair, "%.*s,%s", len, text, text + len);
        return y ? kt_g_einsum(g, pair, y, kt_g_num(g, 1, y)) : NULL;
    }
    if (!strstr(text, "->"))
        return kt_graph_fail(
            g, KT_FAIL(KT_EUNSUPPORTED, "einsum: more than two operands without \"->\""));
    rest = text;
    for (int i = 1; i < n; i++) {
        char *comma = strchr(rest, ',');
        const size_t first = (size_t)(comma - rest), second = strcspn(comma + 1, ",-");
        char *behind = comma + 1 + second, kept[96] = "";
        einsum_keep(kept, rest, first, behind);
        einsum_keep(kept, comma + 1, second, behind);
        const bool last = i == n - 1;
        snprintf(
            pair,
            sizeof pair,
            "%.*s->%s",
            (int)(first + 1 + second),
            rest,
            last ? behind + 2 : kept);
        y = kt_g_einsum(g, pair, y, kt_g_cast(g, in[i], d));
        if (last || !y) return y;
        const size_t tail = strlen(behind) + 1, len = strlen(kept);
        if (len + tail > sizeof text) return kt_graph_fail(g, KT_EINTERNAL);
        memmove(text + len, behind, tail);
        memcpy(text, kept, len);
        rest = text;
    }
    return y;
}
static const kt_op_class einsum_class = {"Einsum", sizeof(einsum_attrs), einsum_build, NULL};
kt_sym *kt_op_einsum(const char *subscripts, kt_sym *a, kt_sym *b) {
    kt_sym *in[2] = {a, b};
    einsum_attrs attrs = {""};
    if (!subscripts || strlen(subscripts) >= sizeof attrs.equation)
        return kt_fail_object(KT_FAIL(
            KT_EINVAL,
            "einsum: expected an equation of up to %d letters",
            (int)sizeof attrs.equation - 1));
    memcpy(attrs.equation, subscripts, strlen(subscripts));
    return kt_op_apply(&einsum_class, 2, in, &attrs);
}

/* Files ---------------------------------------------------------------------------------------- */

static const kt_field einsum_fields[] = {
    KT_F_NAMED(einsum_attrs, equation, "subscripts", KT_FIELD_TEXT), KT_F_END};
const kt_op_form kt_op_forms_products[] = {
    {&einsum_class, "numpy", KT_OP_ANY, einsum_fields, NULL, NULL},
    {NULL, NULL, 0, NULL, NULL, NULL}};
