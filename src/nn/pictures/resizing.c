/* Resizing: pictures of another size, by interpolation.  keras.layers.Resizing */
#include "base/error.h"
#include "nn/pictures/pictures.h"

#include <keratin/layers.h>

#include <string.h>

static kt_status resizing_init(kt_layer *l) {
    const kt_resizing_args *a = kt_layer_args(l);
    kt_resize_kind kind;
    if (a->height < 1 || a->width < 1)
        return KT_FAIL(
            KT_EINVAL, "expected height and width of 1 or more, got %d, %d", a->height, a->width);
    if (a->fill_mode && strcmp(a->fill_mode, "constant") != 0)
        return KT_FAIL(KT_EINVAL, "fill_mode: expected \"constant\", got \"%s\"", a->fill_mode);
    if (a->crop_to_aspect_ratio && a->pad_to_aspect_ratio)
        return KT_FAIL(
            KT_EINVAL, "only one of crop_to_aspect_ratio and pad_to_aspect_ratio can be true");
    const kt_status st = kt_pictures_check(l, a->data_format);
    if (st || !a->interpolation || !strcmp(a->interpolation, "area")) return st;
    return kt_interpolation_get(a->interpolation, &kind);
}

/* Interpolation gives floats, which go back into the pictures' own dtype, rounded for integers. */
static kt_val *saturated(kt_graph *g, kt_val *x, kt_dtype dtype) {
    static const struct {
        kt_dtype dtype;
        double low, high; /* what a float can hold of it */
    } limits[] = {
        {KT_BOOL, 0, 1},
        {KT_INT8, -128, 127},
        {KT_UINT8, 0, 255},
        {KT_INT32, -2147483648.0, 2147483520.0},
        {KT_INT64, -9223372036854775808.0, 9223371487098961920.0}};
    if (!x || x->spec.dtype == dtype) return x;
    for (size_t i = 0; i < sizeof limits / sizeof *limits; i++)
        if (limits[i].dtype == dtype)
            x = kt_g_clip(g, kt_g_round(g, x), limits[i].low, limits[i].high);
    return kt_g_cast(g, x, dtype);
}

static kt_status resizing_call(kt_layer *l, kt_trace *t) {
    const kt_resizing_args *a = kt_layer_args(l);
    kt_graph *g = kt_tracer_current()->g;
    kt_pictures p;
    kt_val *x = kt_pictures_in(l, t, a->data_format, true, &p);
    if (!x) return g->status;
    const kt_resize r = {
        {a->height, a->width},
        a->interpolation,
        a->antialias,
        a->crop_to_aspect_ratio,
        a->pad_to_aspect_ratio,
        a->fill_value};
    return kt_pictures_out(t, saturated(g, kt_g_resize_pictures(g, x, &r), x->spec.dtype), &p);
}

#define F(name) KT_F(kt_resizing_args, name)
static const kt_field resizing_fields[] = {
    F(height),
    F(width),
    F(interpolation),
    F(crop_to_aspect_ratio),
    F(pad_to_aspect_ratio),
    F(fill_mode),
    F(fill_value),
    F(antialias),
    F(data_format),
    F(bounding_box_format),
    KT_F_END};
#undef F

const kt_layer_class kt_class_resizing = {
    .name = "Resizing",
    .args_size = sizeof(kt_resizing_args),
    .fields = resizing_fields,
    .defaults = &(const kt_resizing_args){KT_RESIZING_DEFAULTS},
    .init = resizing_init,
    .call = resizing_call,
};

kt_layer *kt_resizing_new(const kt_resizing_args *a) { return kt_layer_new(&kt_class_resizing, a); }
