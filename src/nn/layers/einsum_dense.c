/* EinsumDense: activation(einsum(equation, x, kernel) + bias).  keras.layers.EinsumDense
 *
 * The shapes of kernel and bias follow from the equation, the input and output_shape. Initializers
 * that go by fans count as inputs the kernel's axes that are summed. */
#include "base/locale.h"
#include "nn/initializers/initializer.h"
#include "nn/lora.h"
#include "nn/quantize.h"

#include <keratin/axes.h>
#include <keratin/layers.h>

#include <string.h>

typedef struct {
    kt_var *kernel, *bias; /* bias is NULL without bias_axes */
    const kt_component *activation;
} einsum_dense;

/* An equation taken apart: letters of input, kernel and output without "...". */
typedef struct {
    char in[KT_MAX_RANK + 1], kernel[KT_MAX_RANK + 1], out[KT_MAX_RANK + 1];
    bool dots_left, dots_right;
} equation_parts;

static const char *read_letters(const char *p, char *to) {
    int n = 0;
    while (kt_is_alpha(*p) && n < KT_MAX_RANK) to[n++] = *p++;
    to[n] = 0;
    return p;
}

static const char *read_text(const char *p, const char *text) {
    return p && !strncmp(p, text, strlen(text)) ? p + strlen(text) : NULL;
}

/* [X],[Y]->[Z], ...[X],[Y]->...[Z] or [X]...,[Y]->[Z]... */
static kt_status einsum_parts(const char *equation, equation_parts *e) {
    const char *p = equation ? equation : "", *q;
    *e = (equation_parts){.dots_left = false};
    if ((q = read_text(p, "..."))) e->dots_left = true, p = q;
    p = read_letters(p, e->in);
    if (!e->dots_left && (q = read_text(p, "..."))) e->dots_right = true, p = q;
    p = read_text(p, ",");
    if (p) p = read_text(read_letters(p, e->kernel), "->");
    if (p && e->dots_left) p = read_text(p, "...");
    if (p) p = read_letters(p, e->out);
    if (p && e->dots_right) p = read_text(p, "...");
    if (p && !*p && e->in[0] && e->kernel[0] && e->out[0]) return KT_OK;
    KT_FAIL(KT_EINVAL, "equation: invalid einsum equation \"%.60s\"", equation ? equation : "None");
    return kt_error_expected("[X],[Y]->[Z], ...[X],[Y]->...[Z] or [X]...,[Y]->[Z]...");
}

static kt_status einsum_dense_init(kt_layer *l) {
    const kt_einsum_dense_args *a = kt_layer_args(l);
    einsum_dense *d = kt_layer_state(l);
    equation_parts e;
    kt_status st = einsum_parts(a->equation, &e);
    if (st == KT_OK && !a->output_shape[0])
        st = KT_FAIL(KT_EINVAL, "output_shape: expected at least one dimension");
    for (const char *c = a->bias_axes; c && *c && st == KT_OK; c++)
        if (!strchr(e.out, *c))
            st = KT_FAIL(KT_EINVAL, "bias_axes: \"%c\" is no axis of the output", *c);
    if (st == KT_OK && a->gptq_unpacked_column_size != KT_NONE)
        st = KT_FAIL(KT_EUNSUPPORTED, "gptq_unpacked_column_size: GPTQ is not supported");
    if (st == KT_OK) st = kt_lora_check(a->lora_rank, a->quantization_config);
    return st ? st : kt_layer_activation(l, &d->activation, a->activation);
}

/* The output as Keras works it out: the batch axis, what stands behind "...", output_shape. */
static kt_status full_output(
    const kt_einsum_dense_args *a, const equation_parts *e, const kt_shape *in, kt_shape *out) {
    const kt_shape given = kt_shape_of_field(a->output_shape);
    const int elided = in->ndim - (int)strlen(e->in);
    char s[KT_SHAPE_STR];
    *out = (kt_shape){1, {in->dim[0]}};
    bool ok = elided == 0 || (elided > 0 && (e->dots_left || e->dots_right));
    ok = ok && given.ndim + (elided > 1 ? elided : 1) < KT_MAX_RANK;
    for (int i = 1; ok && e->dots_left && i < elided; i++) out->dim[out->ndim++] = in->dim[i];
    for (int i = 0; ok && i < given.ndim; i++) out->dim[out->ndim++] = given.dim[i];
    for (int i = in->ndim - elided; ok && e->dots_right && i < in->ndim; i++)
        out->dim[out->ndim++] = in->dim[i];
    if (ok && out->ndim == (int)strlen(e->out) + elided) return KT_OK;
    KT_FAIL(KT_ESHAPE, "equation \"%s\" does not fit", a->equation);
    return kt_error_got(
        "an input of shape %s and %d dimensions in output_shape",
        kt_shape_str(in, s, sizeof s),
        given.ndim);
}

/* Length of the axis of a letter, KT_NONE: open; 0: there is no such axis. */
static int64_t axis_length(const char *letters, char c, bool dots_left, const kt_shape *s) {
    const char *at = strchr(letters, c);
    if (!at) return 0;
    const int elided = dots_left ? s->ndim - (int)strlen(letters) : 0;
    return s->dim[elided + (int)(at - letters)];
}

static kt_status kernel_shape(
    const equation_parts *e, const kt_shape *in, const kt_shape *out, int64_t *field) {
    for (int i = 0; e->in[i]; i++) {
        const int64_t n = axis_length(e->in, e->in[i], e->dots_left, in);
        const int64_t m = axis_length(e->out, e->in[i], e->dots_left, out);
        if (m != 0 && m != KT_NONE && n != m)
            return KT_FAIL(
                KT_ESHAPE,
                "input and output_shape differ at their common axis \"%c\": %lld and %lld",
                e->in[i],
                (long long)n,
                (long long)m);
    }
    for (int i = 0; e->out[i]; i++)
        if (!strchr(e->in, e->out[i]) && !strchr(e->kernel, e->out[i]))
            return KT_FAIL(
                KT_EINVAL, "equation: \"%c\" of the output stands nowhere else", e->out[i]);
    for (int i = 0; e->kernel[i]; i++) {
        field[i] = axis_length(e->out, e->kernel[i], e->dots_left, out);
        if (!field[i]) field[i] = axis_length(e->in, e->kernel[i], e->dots_left, in);
        if (!field[i])
            return KT_FAIL(
                KT_EINVAL,
                "equation: \"%c\" of the kernel stands neither in the input nor in the output",
                e->kernel[i]);
    }
    return KT_OK;
}

/* From the first axis with a bias on; 1 for axes without. */
static void bias_shape(
    const equation_parts *e, const char *axes, const kt_shape *out, int64_t *field) {
    const int elided = out->ndim - (int)strlen(e->out);
    int first = 0, n = 0;
    while (!strchr(axes, e->out[first])) first++;
    for (int i = first; e->out[i]; i++)
        field[n++] = strchr(axes, e->out[i]) ? axis_length(e->out, e->out[i], e->dots_left, out)
                                             : 1;
    for (int i = 0; e->dots_right && i < elided; i++) field[n++] = 1;
}

/* The scales of int8 lie as the output does, with axes of length 1 where the kernel has none. */
static kt_status einsum_scales(kt_layer *l, const equation_parts *e, int ndim) {
    const einsum_dense *d = kt_layer_state(l);
    const kt_shape *kernel = &d->kernel->spec.shape;
    const int elided = ndim - (int)strlen(e->in), n_out = (int)strlen(e->out);
    int kept[KT_MAX_RANK], n_kept = 0;
    kt_shape shape = {0, {0}};
    kt_status st = kt_check(l);
    if (st) return st;
    for (int i = 0; i < n_out + elided; i++) {
        const int letter = e->dots_left ? i - elided : i;
        const char c = letter >= 0 && letter < n_out ? e->out[letter] : 0;
        const char *at = c ? strchr(e->kernel, c) : NULL;
        if (at) kept[n_kept++] = (int)(at - e->kernel);
        shape.dim[shape.ndim++] = at ? kernel->dim[at - e->kernel] : 1;
    }
    return kt_quant_built(l, d->kernel, n_kept, kept, &shape);
}

static kt_status einsum_dense_build(kt_layer *l, const kt_shape *in) {
    const kt_einsum_dense_args *a = kt_layer_args(l);
    einsum_dense *d = kt_layer_state(l);
    kt_weight_args w = {
        .size = sizeof w,
        .layer = l,
        .name = "kernel",
        .regularizer = a->kernel_regularizer,
        .constraint = a->kernel_constraint,
        .trainable = true,
        .autocast = true,
    };
    equation_parts e;
    kt_shape out = {0, {0}};
    kt_component *initializer;
    int inputs[KT_MAX_RANK], outputs[KT_MAX_RANK], n_in = 0, n_out = 0;
    kt_status st = einsum_parts(a->equation, &e);
    if (st == KT_OK) st = full_output(a, &e, in, &out);
    if (st == KT_OK) st = kernel_shape(&e, in, &out, w.shape);
    for (int i = 0; e.kernel[i]; i++) {
        if (strchr(e.out, e.kernel[i]))
            outputs[n_out++] = i;
        else
            inputs[n_in++] = i;
    }
    if (st == KT_OK)
        st = kt_initializer_with_axes(
            &initializer, a->kernel_initializer, n_in, inputs, n_out, outputs);
    if (st) return st;
    w.initializer = initializer;
    d->kernel = kt_add_weight_with(&w);
    if (a->bias_axes && a->bias_axes[0]) {
        kt_weight_args b = {
            .size = sizeof b,
            .layer = l,
            .name = "bias",
            .initializer = a->bias_initializer,
            .regularizer = a->bias_regularizer,
            .constraint = a->bias_constraint,
            .trainable = true,
            .autocast = true,
        };
        bias_shape(&e, a->bias_axes, &out, b.shape);
        d->bias = kt_add_weight_with(&b);
    }
    kt_layer_set_spec(l, (kt_input_spec){.ndim = in->ndim});
    st = einsum_scales(l, &e, in->ndim);
    return st ? st : kt_lora_build(l, a->lora_rank, a->lora_alpha);
}

static kt_status einsum_dense_call(kt_layer *l, kt_trace *t) {
    const kt_einsum_dense_args *a = kt_layer_args(l);
    const einsum_dense *d = kt_layer_state(l);
    kt_sym *y = l->quant.scale ? kt_quant_product(l, a->equation, t->in[0])
                               : kt_op_einsum(a->equation, t->in[0], kt_lora_value(l, d->kernel));
    if (d->bias) y = kt_op_add(y, kt_value(d->bias));
    t->out[0] = kt_activation_apply(d->activation, y);
    return kt_check(t->out[0]);
}

#define F(name) KT_F(kt_einsum_dense_args, name)
static const kt_field einsum_dense_fields[] = {
    F(equation),
    F(output_shape),
    F(activation),
    F(bias_axes),
    F(kernel_initializer),
    F(bias_initializer),
    F(kernel_regularizer),
    F(bias_regularizer),
    F(kernel_constraint),
    F(bias_constraint),
    F(lora_rank),
    F(lora_alpha),
    F(gptq_unpacked_column_size),
    F(quantization_config),
    KT_F_END,
};
#undef F

const kt_layer_class kt_class_einsum_dense = {
    .name = "EinsumDense",
    .args_size = sizeof(kt_einsum_dense_args),
    .state_size = sizeof(einsum_dense),
    .fields = einsum_dense_fields,
    .defaults = &(const kt_einsum_dense_args){KT_EINSUM_DENSE_DEFAULTS},
    .init = einsum_dense_init,
    .build = einsum_dense_build,
    .call = einsum_dense_call,
};

kt_layer *kt_einsum_dense_new(const kt_einsum_dense_args *a) {
    return kt_layer_new(&kt_class_einsum_dense, a);
}
