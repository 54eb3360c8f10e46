/* Cropping1D, Cropping2D, Cropping3D: cuts the borders off.  keras.layers.Cropping2D */
#include "nn/spatial.h"

#include <keratin/layers.h>

typedef struct {
    int rank, width[3][2];
    bool channels_first;
} cropping;

static kt_status crop_init(kt_layer *l, kt_tuple width, const char *data_format) {
    cropping *d = kt_layer_state(l);
    d->rank = kt_layer_rank(l);
    kt_layer_set_spec(l, (kt_input_spec){.ndim = d->rank + 2});
    const kt_status st = kt_pairs_get(width, d->rank, "cropping", d->width);
    return st ? st : kt_data_format_get(data_format, &d->channels_first);
}

static kt_status cropping1d_init(kt_layer *l) {
    const kt_cropping1d_args *a = kt_layer_args(l);
    return crop_init(l, a->cropping, NULL);
}

static kt_status cropping_init(kt_layer *l) {
    const kt_cropping_args *a = kt_layer_args(l);
    return crop_init(l, a->cropping, a->data_format);
}

static kt_status cropping_call(kt_layer *l, kt_trace *t) {
    const cropping *d = kt_layer_state(l);
    const kt_shape in = kt_sym_shape(t->in[0]);
    kt_sym *y = t->in[0];
    for (int i = 0; i < d->rank; i++) {
        const int axis = i + (d->channels_first ? 2 : 1), *w = d->width[i];
        const int64_t end = in.dim[axis] - w[1];
        if (end <= w[0]) {
            KT_FAIL(KT_ESHAPE, "cropping must be smaller than the input");
            kt_error_expected("less than %lld on axis %d", (long long)in.dim[axis], axis);
            return kt_error_got("%d and %d", w[0], w[1]);
        }
        if (w[0] || w[1]) y = kt_op_slice(y, axis, w[0], end);
    }
    t->out[0] = y;
    return kt_check(t->out[0]);
}

static const kt_field cropping1d_fields[] = {KT_F(kt_cropping1d_args, cropping), KT_F_END};
#define F(name) KT_F(kt_cropping_args, name)
static const kt_field cropping_fields[] = {F(cropping), F(data_format), KT_F_END};
#undef F

#define CLASS(rank, T, table, prepare)                                                             \
    const kt_layer_class kt_class_cropping##rank##d = {                                            \
        .name = "Cropping" #rank "D",                                                              \
        .args_size = sizeof(T),                                                                    \
        .state_size = sizeof(cropping),                                                            \
        .fields = table,                                                                           \
        .defaults = &(const T){KT_CROPPING##rank##D_DEFAULTS},                                     \
        .init = prepare,                                                                           \
        .call = cropping_call,                                                                     \
    };                                                                                             \
    kt_layer *kt_cropping##rank##d_new(const T *a) {                                               \
        return kt_layer_new(&kt_class_cropping##rank##d, a);                                       \
    }
CLASS(1, kt_cropping1d_args, cropping1d_fields, cropping1d_init)
CLASS(2, kt_cropping_args, cropping_fields, cropping_init)
CLASS(3, kt_cropping_args, cropping_fields, cropping_init)
