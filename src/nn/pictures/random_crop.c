/* RandomCrop: while training, a part of that size, at one place for the whole batch.
 * keras.layers.RandomCrop
 *
 * Pictures that are not larger on both sides are cut where smart_resize would begin, as far as they
 * go, and resized. Outside of training Keras 3.15.1 leaves pictures as they are, but says that the
 * output has the size asked for; so do we. */
#include "base/error.h"
#include "nn/pictures/pictures.h"

#include <keratin/layers.h>

static kt_status random_crop_init(kt_layer *l) {
    const kt_random_crop_args *a = kt_layer_args(l);
    if (a->height < 1 || a->width < 1)
        return KT_FAIL(
            KT_EINVAL, "expected height and width of 1 or more, got %d, %d", a->height, a->width);
    return kt_pictures_check(l, a->data_format);
}

/* `want` cells of an axis, from a random one on. */
static kt_val *part(
    kt_layer *l, kt_graph *g, kt_val *x, int axis, int64_t want, const kt_random_crop_args *a) {
    const double range[2] = {0, (double)(x->spec.shape.dim[axis] - want + 1)};
    int32_t *v = kt_arena_alloc(g->arena, sizeof *v * (size_t)(want + 1));
    if (!v) return kt_graph_fail(g, KT_ENOMEM);
    for (int64_t i = 0; i < want; i++) v[i] = (int32_t)i;
    kt_val *from = kt_draw(l, 1, 1, range, a->seed);
    if (!from) return NULL;
    /* rounding may take a draw to the end of the range */
    from = kt_g_clip(g, kt_g_floor(g, from), 0, range[1] - 1);
    kt_val *index = kt_g_array(g, v, (kt_spec){KT_INT32, {1, {want}}});
    index = kt_g_add(g, index, kt_g_cast(g, from, KT_INT32));
    return kt_g_take_cells(g, x, axis, index);
}

/* Where a part with the wanted shape begins in the middle; it may reach beyond the picture. */
static kt_val *fixed(kt_graph *g, kt_val *x, const int64_t want[2]) {
    const int64_t len[2] = {x->spec.shape.dim[1], x->spec.shape.dim[2]};
    for (int i = 0; i < 2; i++) {
        int64_t size = (int64_t)((double)(len[1 - i] * want[i]) / (double)want[1 - i]);
        if (size > len[i]) size = len[i];
        if (size < 1) size = 1;
        const int64_t from = (len[i] - size) / 2;
        const int64_t to = from + want[i] < len[i] ? from + want[i] : len[i];
        x = kt_g_slice_axis(g, x, 1 + i, from, to);
    }
    return kt_g_resize_pictures(g, x, &(kt_resize){.size = {want[0], want[1]}});
}

static kt_status random_crop_call(kt_layer *l, kt_trace *t) {
    const kt_random_crop_args *a = kt_layer_args(l);
    const int64_t want[2] = {a->height, a->width};
    kt_graph *g = kt_tracer_current()->g;
    kt_pictures p;
    kt_val *x = kt_pictures_in(l, t, a->data_format, false, &p);
    if (!x) return g->status;
    if (t->training || kt_tracer_current()->inferring) {
        if (x->spec.shape.dim[1] > want[0] && x->spec.shape.dim[2] > want[1]) {
            x = part(l, g, x, 1, want[0], a);
            x = x ? part(l, g, x, 2, want[1], a) : NULL;
        } else {
            x = fixed(g, x, want);
        }
    }
    return kt_pictures_out(t, x, &p);
}

#define F(name) KT_F(kt_random_crop_args, name)
static const kt_field random_crop_fields[] = {
    F(height), F(width), F(seed), F(data_format), F(bounding_box_format), KT_F_END};
#undef F

const kt_layer_class kt_class_random_crop = {
    .name = "RandomCrop",
    .args_size = sizeof(kt_random_crop_args),
    .fields = random_crop_fields,
    .defaults = &(const kt_random_crop_args){KT_RANDOM_CROP_DEFAULTS},
    .init = random_crop_init,
    .call = random_crop_call,
};

kt_layer *kt_random_crop_new(const kt_random_crop_args *a) {
    return kt_layer_new(&kt_class_random_crop, a);
}
