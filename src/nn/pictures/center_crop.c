/* CenterCrop: the middle of pictures.  keras.layers.CenterCrop
 *
 * Where pictures are smaller, Keras' smart_resize takes over: the largest part with the wanted
 * shape, resized. */
#include "base/error.h"
#include "nn/pictures/pictures.h"

#include <keratin/layers.h>

static kt_status center_crop_init(kt_layer *l) {
    const kt_center_crop_args *a = kt_layer_args(l);
    if (a->height < 1 || a->width < 1)
        return KT_FAIL(
            KT_EINVAL, "expected height and width of 1 or more, got %d, %d", a->height, a->width);
    return kt_pictures_check(l, a->data_format);
}

static kt_status center_crop_call(kt_layer *l, kt_trace *t) {
    const kt_center_crop_args *a = kt_layer_args(l);
    kt_graph *g = kt_tracer_current()->g;
    kt_pictures p;
    kt_val *x = kt_pictures_in(l, t, a->data_format, false, &p);
    if (!x) return g->status;
    const int64_t more_h = x->spec.shape.dim[1] - a->height,
                  more_w = x->spec.shape.dim[2] - a->width;
    if (more_h >= 0 && more_w >= 0) {
        x = kt_g_slice_axis(g, x, 1, more_h / 2, more_h / 2 + a->height);
        x = kt_g_slice_axis(g, x, 2, more_w / 2, more_w / 2 + a->width);
    } else {
        x = kt_g_resize_pictures(
            g, x, &(kt_resize){.size = {a->height, a->width}, .crop_to_aspect_ratio = true});
    }
    return kt_pictures_out(t, x, &p);
}

#define F(name) KT_F(kt_center_crop_args, name)
static const kt_field center_crop_fields[] = {
    F(height), F(width), F(data_format), F(bounding_box_format), KT_F_END};
#undef F

const kt_layer_class kt_class_center_crop = {
    .name = "CenterCrop",
    .args_size = sizeof(kt_center_crop_args),
    .fields = center_crop_fields,
    .defaults = &(const kt_center_crop_args){KT_CENTER_CROP_DEFAULTS},
    .init = center_crop_init,
    .call = center_crop_call,
};

kt_layer *kt_center_crop_new(const kt_center_crop_args *a) {
    return kt_layer_new(&kt_class_center_crop, a);
}
