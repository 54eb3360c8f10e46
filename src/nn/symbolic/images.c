/* kt_op_*, continued: pictures (batch, height, width, channels), with or without the batch.
 * Keras: keras.ops.image, depth_to_space, space_to_depth. */
#include "base/error.h"
#include "nn/pictures/pictures.h"
#include "nn/spatial.h"
#include "nn/symbolic/symbolic.h"
#include "ops/compose/windows.h"

#include <keratin/ops_images.h>

#include <math.h>
#include <string.h>

/* The picture as (n, h, w, c): moved back by `restore`. */
typedef struct {
    bool first, alone; ///< channels are; there is no batch
} layout;

static kt_val *to_last(kt_graph *g, kt_val *x, const char *format, const char *op, layout *l) {
    static const int perm[] = {0, 2, 3, 1};
    const int ndim = x->spec.shape.ndim;
    l->first = !strcmp(format, "channels_first");
    l->alone = ndim == 3;
    if (ndim != 3 && ndim != 4)
        return kt_graph_fail(g, KT_FAIL(KT_ESHAPE, "%s: expected 3 or 4 axes, got %d", op, ndim));
    if (*format && !l->first && strcmp(format, "channels_last") != 0)
        return kt_graph_fail(g, KT_FAIL(KT_EINVAL, "%s: data_format \"%s\"", op, format));
    if (l->alone) x = kt_g_expand_dims(g, x, 0);
    return l->first ? kt_g_transpose(g, x, perm) : x;
}
static kt_val *restore(kt_graph *g, kt_val *x, const layout *l) {
    static const int perm[] = {0, 3, 1, 2};
    if (l->first) x = kt_g_transpose(g, x, perm);
    return l->alone ? kt_g_squeeze(g, x, 0) : x;
}

typedef struct {
    int64_t size[2];
    char interpolation[12], data_format[16];
    bool antialias, crop_to_aspect_ratio, pad_to_aspect_ratio;
    double fill_value;
    int64_t around[6]; ///< pad, crop: top, left, bottom, right, target height and width; KT_NONE
    kt_tuple patch, strides, dilation_rate;
    char padding[8];
    int block_size;
} image_attrs;

/* Resizing ------------------------------------------------------------------------------------- */

/* The row of weights for each new cell, [n, len]: distances from its center in old cells, with
 * antialiasing in new ones where these are larger. */
#define AREA (KT_RESIZE_LANCZOS5 + 1) /* how much of each old cell a new one covers */

static double cover(double from, double to, int64_t cell) {
    const double low = fmax(from, (double)cell), high = fmin(to, (double)cell + 1);
    return fmax(high - low, 0);
}

static kt_val *weights(kt_graph *g, int kind, bool antialias, int64_t len, int64_t n, kt_dtype d) {
    const double scale = (double)len / (double)n, wide = antialias && scale > 1 ? scale : 1;
    double *w = len && n > INT32_MAX / len
                    ? NULL
                    : kt_arena_alloc(g->arena, sizeof *w * (size_t)(n * len + 1));
    if (!w) return kt_graph_fail(g, KT_ENOMEM);
    for (int64_t i = 0; i < n; i++) {
        const double from = (double)i * scale, at = from + 0.5 * scale - 0.5;
        double sum = 0;
        for (int64_t k = 0; k < len; k++)
            sum += w[i * len + k] = kind == AREA
                                        ? cover(from, from + scale, k)
                                        : kt_resize_weight(
                                              (kt_resize_kind)kind, ((double)k - at) / wide);
        for (int64_t k = 0; k < len; k++) w[i * len + k] /= sum;
    }
    return kt_g_cast(g, kt_g_array(g, w, (kt_spec){KT_FLOAT64, {2, {n, len}}}), d);
}

/* Cells of one axis: those whose numbers these are. */
static kt_val *nearest(kt_graph *g, kt_val *x, int axis, int64_t n) {
    const int64_t len = x->spec.shape.dim[axis];
    const float scale = (float)len / (float)n;
    int32_t *at = kt_arena_alloc(g->arena, sizeof *at * (size_t)(n + 1));
    if (!at) return kt_graph_fail(g, KT_ENOMEM);
    for (int64_t i = 0; i < n; i++) {
        const int64_t k = (int64_t)(((float)i + 0.5f) * scale);
        at[i] = (int32_t)(k < len ? k : len - 1);
    }
    kt_val *index = kt_g_array(g, at, (kt_spec){KT_INT32, {1, {n}}});
    return kt_g_take_cells(g, x, axis, index);
}

static kt_val *resized(kt_graph *g, kt_val *x, const image_attrs *a) {
    static const char *const names[] = {
        "nearest", "bilinear", "bicubic", "lanczos3", "lanczos5", "area"};
    static const char *const sums[] = {"ij,bjwc->biwc", "ij,bhjc->bhic"};
    int kind = 0;
    while (kind <= AREA && strcmp(names[kind], a->interpolation) != 0) kind++;
    if (kind > AREA)
        return kt_graph_fail(
            g, KT_FAIL(KT_EUNSUPPORTED, "resize: interpolation \"%s\"", a->interpolation));
    if (kind) x = kt_op_floats(g, x);
    for (int i = 0; x && i < 2; i++) {
        const int64_t len = x->spec.shape.dim[i + 1], n = a->size[i];
        if (len < 1 || n < 1)
            return kt_graph_fail(g, KT_FAIL(KT_EINVAL, "resize: a picture without cells"));
        if (len == n) continue;
        x = !kind
                ? nearest(g, x, i + 1, n)
                : kt_g_einsum(g, sums[i], weights(g, kind, a->antialias, len, n, x->spec.dtype), x);
    }
    return x;
}

/* The part of the wanted shape in the middle, or that shape around it. */
static kt_val *keep_aspect(kt_graph *g, kt_val *x, const image_attrs *a) {
    const int64_t len[2] = {x->spec.shape.dim[1], x->spec.shape.dim[2]};
    for (int i = 0; x && i < 2; i++) {
        const int64_t want = (int64_t)((float)(len[1 - i] * a->size[i]) / (float)a->size[1 - i]);
        pad_attrs p = {{0}, {0}, a->fill_value};
        if (a->crop_to_aspect_ratio && want < len[i]) {
            const int64_t n = want > 1 ? want : 1, from = (len[i] - n) / 2;
            x = kt_g_slice_axis(g, x, i + 1, from, from + n);
        } else if (!a->crop_to_aspect_ratio && want > len[i]) {
            p.before[i + 1] = p.after[i + 1] = (want - len[i]) / 2;
            x = kt_g_pad(g, x, &p);
        }
    }
    return x;
}

KT_OP_BUILD(resize) {
    const image_attrs *a = attrs;
    layout l;
    kt_val *x = to_last(g, in[0], a->data_format, "resize", &l);
    (void)n;
    if (a->crop_to_aspect_ratio && a->pad_to_aspect_ratio)
        return kt_graph_fail(g, KT_FAIL(KT_EINVAL, "resize: crop and pad to the aspect ratio"));
    if (a->size[0] < 1 || a->size[1] < 1)
        return kt_graph_fail(g, KT_FAIL(KT_EINVAL, "resize: expected a size of 1 or more"));
    if (x && (a->crop_to_aspect_ratio || a->pad_to_aspect_ratio)) x = keep_aspect(g, x, a);
    return x ? restore(g, resized(g, x, a), &l) : NULL;
}

kt_val *kt_g_resize_pictures(kt_graph *g, kt_val *x, const kt_resize *r) {
    image_attrs a = {
        .size = {r->size[0], r->size[1]},
        .antialias = r->antialias,
        .crop_to_aspect_ratio = r->crop_to_aspect_ratio,
        .pad_to_aspect_ratio = r->pad_to_aspect_ratio,
        .fill_value = r->fill_value};
    const char *kind = r->interpolation ? r->interpolation : "bilinear";
    const kt_status st = kt_op_text(a.interpolation, sizeof a.interpolation, kind, "resize");
    if (st) return kt_graph_fail(g, st);
    return x ? resize_build(g, 1, &x, &a) : NULL;
}

/* Borders -------------------------------------------------------------------------------------- */

/* Before and behind axis i; a number that is not given follows from the target. */
static bool borders(
    const image_attrs *a, int i, int64_t len, bool crop, int64_t *before, int64_t *behind) {
    const int64_t target = a->around[4 + i];
    *before = a->around[i];
    *behind = a->around[2 + i];
    const int none = (*before == KT_NONE) + (*behind == KT_NONE) + (target == KT_NONE);
    if (none > 1) return false;
    const int64_t sum = target == KT_NONE ? 0 : crop ? len - target : target - len;
    if (*before == KT_NONE) *before = sum - *behind;
    if (*behind == KT_NONE) *behind = sum - *before;
    return *before >= 0 && *behind >= 0 && (!crop || *before + *behind <= len);
}
static kt_val *framed(kt_graph *g, kt_val *x, const image_attrs *a, bool crop, const char *op) {
    layout l;
    pad_attrs p = {{0}, {0}, 0};
    x = to_last(g, x, a->data_format, op, &l);
    for (int i = 0; x && i < 2; i++) {
        const int64_t len = x->spec.shape.dim[i + 1];
        int64_t before, behind;
        if (!borders(a, i, len, crop, &before, &behind)) {
            KT_FAIL(
                KT_EINVAL,
                "%s: borders of the %s %lld",
                op,
                i ? "width" : "height",
                (long long)len);
            kt_error_expected("two of both sides and the target, none below 0");
            return kt_graph_fail(g, KT_EINVAL);
        }
        if (crop) x = kt_g_slice_axis(g, x, i + 1, before, len - behind);
        p.before[i + 1] = before;
        p.after[i + 1] = behind;
    }
    if (!crop) x = kt_g_pad(g, x, &p);
    return x ? restore(g, x, &l) : NULL;
}
KT_OP_BUILD(pad_images) {
    (void)n;
    return framed(g, in[0], attrs, false, "pad_images");
}
KT_OP_BUILD(crop_images) {
    (void)n;
    return framed(g, in[0], attrs, true, "crop_images");
}

/* Colors, patches, blocks ---------------------------------------------------------------------- */

KT_OP_BUILD(grayscale) {
    layout l;
    kt_val *x = to_last(
        g, in[0], ((const image_attrs *)attrs)->data_format, "rgb_to_grayscale", &l);
    (void)n;
    return x ? restore(g, kt_g_gray(g, x), &l) : NULL;
}

/* A convolution whose kernel picks each cell of the patch. */
KT_OP_BUILD(patches) {
    const image_attrs *a = attrs;
    layout l;
    kt_conv_nd c = {.padding = strcmp(a->padding, "same") ? KT_PAD_VALID : KT_PAD_SAME};
    int size[2], stride[2], rate[2];
    kt_val *x = to_last(g, in[0], a->data_format, "extract_patches", &l);
    (void)n;
    kt_status st = kt_tuple_get(a->patch, 2, "size", size);
    if (st == KT_OK)
        st = kt_tuple_get(a->strides == KT_NONE ? a->patch : a->strides, 2, "strides", stride);
    if (st == KT_OK) st = kt_tuple_get(a->dilation_rate, 2, "dilation_rate", rate);
    if (st) return kt_graph_fail(g, st);
    x = x ? kt_op_floats(g, x) : NULL;
    if (!x) return NULL;
    for (int i = 0; i < 2; i++) {
        c.stride[i] = stride[i];
        c.dilation[i] = rate[i];
    }
    const int64_t depth = x->spec.shape.dim[3];
    if (size[0] > 4096 || size[1] > 4096 || depth > 4096 || size[0] * size[1] * depth > 4096)
        return kt_graph_fail(g, KT_FAIL(KT_ELIMIT, "extract_patches: over 4096 values a patch"));
    const int64_t cells = size[0] * size[1] * depth;
    float *eye = kt_arena_alloc(g->arena, sizeof *eye * (size_t)(cells * cells + 1));
    if (!eye) return kt_graph_fail(g, KT_ENOMEM);
    for (int64_t i = 0; i < cells * cells; i++) eye[i] = i / cells == i % cells;
    const kt_spec spec = {KT_FLOAT32, {4, {size[0], size[1], depth, cells}}};
    kt_val *kernel = kt_g_cast(g, kt_g_array(g, eye, spec), x->spec.dtype);
    return restore(g, kt_g_conv_nd(g, x, kernel, &c), &l);
}

/* Blocks of cells become channels, and back: (h, b, w, b, c). */
static kt_val *blocks(kt_graph *g, kt_val *x, const image_attrs *a, bool to_depth, const char *op) {
    static const int perm[2][6] = {{0, 1, 3, 2, 4, 5}, {0, 1, 3, 2, 4, 5}};
    const int64_t b = a->block_size;
    layout l;
    x = to_last(g, x, a->data_format, op, &l);
    if (!x) return NULL;
    const int64_t n = x->spec.shape.dim[0], h = x->spec.shape.dim[1], w = x->spec.shape.dim[2],
                  c = x->spec.shape.dim[3];
    if (b < 1 || b > 4096 || (to_depth ? h % b || w % b : c % (b * b))) {
        KT_FAIL(KT_EINVAL, "%s: block_size %lld", op, (long long)b);
        kt_error_expected(
            to_depth ? "one that divides height and width" : "its square divides the channels");
        return kt_graph_fail(g, KT_EINVAL);
    }
    const kt_shape from = to_depth ? kt_dims(n, h / b, b, w / b, b, c)
                                   : kt_dims(n, h, w, b, b, c / (b * b));
    const kt_shape to = to_depth ? kt_dims(n, h / b, w / b, b * b * c)
                                 : kt_dims(n, h * b, w * b, c / (b * b));
    x = kt_g_transpose(g, kt_g_reshape(g, x, from), perm[to_depth]);
    return restore(g, kt_g_reshape(g, x, to), &l);
}
KT_OP_BUILD(depth_to_space) {
    (void)n;
    return blocks(g, in[0], attrs, false, "depth_to_space");
}
KT_OP_BUILD(space_to_depth) {
    (void)n;
    return blocks(g, in[0], attrs, true, "space_to_depth");
}

/* Calls ---------------------------------------------------------------------------------------- */

#define IMAGE(fn, camel)                                                                           \
    static const kt_op_class fn##_class = {camel, sizeof(image_attrs), fn##_build, NULL};
IMAGE(resize, "Resize")
IMAGE(pad_images, "PadImages")
IMAGE(crop_images, "CropImages")
IMAGE(grayscale, "RGBToGrayscale")
IMAGE(patches, "ExtractPatches")
IMAGE(depth_to_space, "DepthToSpace")
IMAGE(space_to_depth, "SpaceToDepth")

static image_attrs plain(void) {
    image_attrs a;
    memset(&a, 0, sizeof a);
    for (int i = 0; i < 6; i++) a.around[i] = KT_NONE;
    return a;
}
kt_sym *kt_op_image_resize(
    kt_sym *images, int height, int width, const char *interpolation, bool antialias) {
    image_attrs a = plain();
    const kt_status st = kt_op_text(
        a.interpolation,
        sizeof a.interpolation,
        interpolation ? interpolation : "bilinear",
        "resize");
    if (st) return kt_fail_object(st);
    a.size[0] = height;
    a.size[1] = width;
    a.antialias = antialias;
    return kt_op_apply(&resize_class, 1, &images, &a);
}
static kt_sym *frame(const kt_op_class *op, kt_sym *x, int top, int left, int bottom, int right) {
    image_attrs a = plain();
    const int v[] = {top, left, bottom, right};
    for (int i = 0; i < 4; i++) a.around[i] = v[i];
    return kt_op_apply(op, 1, &x, &a);
}
kt_sym *kt_op_image_pad_images(kt_sym *images, int top, int left, int bottom, int right) {
    return frame(&pad_images_class, images, top, left, bottom, right);
}
kt_sym *kt_op_image_crop_images(kt_sym *images, int top, int left, int bottom, int right) {
    return frame(&crop_images_class, images, top, left, bottom, right);
}
kt_sym *kt_op_image_rgb_to_grayscale(kt_sym *images) {
    return kt_op_apply(&grayscale_class, 1, &images, &(image_attrs[]){plain()});
}
kt_sym *kt_op_image_extract_patches(
    kt_sym *images, kt_tuple size, kt_tuple strides, kt_tuple dilation_rate, const char *padding) {
    image_attrs a = plain();
    const kt_status st = kt_op_text(
        a.padding, sizeof a.padding, padding ? padding : "valid", "extract_patches: padding");
    if (st) return kt_fail_object(st);
    a.patch = size;
    a.strides = strides;
    a.dilation_rate = dilation_rate;
    return kt_op_apply(&patches_class, 1, &images, &a);
}
static kt_sym *block(const kt_op_class *op, kt_sym *x, int size) {
    image_attrs a = plain();
    a.block_size = size;
    memcpy(a.data_format, "channels_last", sizeof "channels_last");
    return kt_op_apply(op, 1, &x, &a);
}
kt_sym *kt_op_depth_to_space(kt_sym *x, int block_size) {
    return block(&depth_to_space_class, x, block_size);
}
kt_sym *kt_op_space_to_depth(kt_sym *x, int block_size) {
    return block(&space_to_depth_class, x, block_size);
}

/* Files ---------------------------------------------------------------------------------------- */

#define F(member) KT_F(image_attrs, member)
#define FORMAT KT_F_AS(image_attrs, data_format, KT_FIELD_TEXT)
#define AROUND(i, name)                                                                            \
    { name, offsetof(image_attrs, around) + (i) * sizeof(int64_t), sizeof(int64_t), KT_FIELD_INT64 }
static const kt_field resize_fields[] = {
    KT_F_AS(image_attrs, size, KT_FIELD_INT64S),
    KT_F_AS(image_attrs, interpolation, KT_FIELD_TEXT),
    F(antialias),
    F(crop_to_aspect_ratio),
    F(pad_to_aspect_ratio),
    F(fill_value),
    FORMAT,
    KT_F_END};
static const kt_field pad_fields[] = {
    AROUND(0, "top_padding"),
    AROUND(1, "left_padding"),
    AROUND(2, "bottom_padding"),
    AROUND(3, "right_padding"),
    AROUND(4, "target_height"),
    AROUND(5, "target_width"),
    FORMAT,
    KT_F_END};
static const kt_field crop_fields[] = {
    AROUND(0, "top_cropping"),
    AROUND(1, "left_cropping"),
    AROUND(2, "bottom_cropping"),
    AROUND(3, "right_cropping"),
    AROUND(4, "target_height"),
    AROUND(5, "target_width"),
    FORMAT,
    KT_F_END};
static const kt_field format_fields[] = {FORMAT, KT_F_END};
static const kt_field patches_fields[] = {
    KT_F_NAMED(image_attrs, patch, "size", KT_FIELD_INT64),
    F(strides),
    F(dilation_rate),
    KT_F_AS(image_attrs, padding, KT_FIELD_TEXT),
    FORMAT,
    KT_F_END};
static const kt_field block_fields[] = {F(block_size), FORMAT, KT_F_END};

const kt_op_form kt_op_forms_images[] = {
    {&resize_class, "image", 1, resize_fields, NULL, NULL},
    {&pad_images_class, "image", 1, pad_fields, NULL, NULL},
    {&crop_images_class, "image", 1, crop_fields, NULL, NULL},
    {&grayscale_class, "image", 1, format_fields, NULL, NULL},
    {&patches_class, "image", 1, patches_fields, NULL, NULL},
    {&depth_to_space_class, "nn", 1, block_fields, NULL, NULL},
    {&space_to_depth_class, "nn", 1, block_fields, NULL, NULL},
    {NULL, NULL, 0, NULL, NULL, NULL}};
