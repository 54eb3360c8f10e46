/* RandomFlip: while training, pictures are mirrored with probability 1/2; one draw serves both
 * directions.  keras.layers.RandomFlip */
#include "base/error.h"
#include "nn/pictures/pictures.h"

#include <keratin/layers.h>

#include <string.h>

static kt_status flip_axes(const char *mode, bool axes[2]) {
    static const char *const names[] = {"vertical", "horizontal", "horizontal_and_vertical"};
    int i = 0;
    while (mode && i < 3 && strcmp(names[i], mode) != 0) i++;
    axes[0] = !mode || i != 1;
    axes[1] = !mode || i != 0;
    if (i < 3) return KT_OK;
    KT_FAIL(KT_EINVAL, "mode: unknown");
    kt_error_expected("\"horizontal\", \"vertical\" or \"horizontal_and_vertical\"");
    return kt_error_got("\"%s\"", mode);
}

static kt_status random_flip_init(kt_layer *l) {
    const kt_random_flip_args *a = kt_layer_args(l);
    bool axes[2];
    const kt_status st = flip_axes(a->mode, axes);
    return st ? st : kt_pictures_check(l, a->data_format);
}

static kt_status random_flip_call(kt_layer *l, kt_trace *t) {
    const kt_random_flip_args *a = kt_layer_args(l);
    kt_graph *g = kt_tracer_current()->g;
    kt_pictures p;
    bool axes[2];
    kt_val *x = kt_pictures_in(l, t, a->data_format, false, &p);
    kt_status st = x ? flip_axes(a->mode, axes) : g->status;
    if (st) return st;
    if (t->training) {
        kt_val *u = kt_draw(l, x->spec.shape.dim[0], 4, (const double[]){0, 1}, a->seed);
        kt_val *flipped = x;
        for (int i = 0; i < 2; i++)
            if (axes[i]) flipped = kt_g_reverse(g, flipped, 1 + i);
        if (!u) return g->status;
        x = kt_g_select(g, kt_g_le(g, u, kt_g_num(g, 0.5, u)), flipped, x);
    }
    return kt_pictures_out(t, x, &p);
}

#define F(name) KT_F(kt_random_flip_args, name)
static const kt_field random_flip_fields[] = {
    F(mode), F(seed), F(data_format), F(bounding_box_format), KT_F_END};
#undef F

const kt_layer_class kt_class_random_flip = {
    .name = "RandomFlip",
    .args_size = sizeof(kt_random_flip_args),
    .fields = random_flip_fields,
    .defaults = &(const kt_random_flip_args){KT_RANDOM_FLIP_DEFAULTS},
    .init = random_flip_init,
    .call = random_flip_call,
};

kt_layer *kt_random_flip_new(const kt_random_flip_args *a) {
    return kt_layer_new(&kt_class_random_flip, a);
}
