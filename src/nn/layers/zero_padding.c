/* ZeroPadding1D, ZeroPadding2D, ZeroPadding3D.  keras.layers.ZeroPadding2D */
#include "nn/spatial.h"

#include <keratin/layers.h>
#include <keratin/ops_windows.h>

typedef struct {
    int rank, width[3][2];
    bool channels_first;
} zero_padding;

static kt_status zero_padding_init(kt_layer *l) {
    const kt_zero_padding_args *a = kt_layer_args(l);
    zero_padding *d = kt_layer_state(l);
    d->rank = kt_layer_rank(l);
    kt_layer_set_spec(l, (kt_input_spec){.ndim = d->rank + 2});
    const kt_status st = kt_pairs_get(a->padding, d->rank, "padding", d->width);
    return st ? st : kt_data_format_get(a->data_format, &d->channels_first);
}

static kt_status zero_padding_call(kt_layer *l, kt_trace *t) {
    const zero_padding *d = kt_layer_state(l);
    kt_shape before = {d->rank + 2, {0}}, after = before;
    for (int i = 0; i < d->rank; i++) {
        const int axis = i + (d->channels_first ? 2 : 1);
        before.dim[axis] = d->width[i][0];
        after.dim[axis] = d->width[i][1];
    }
    t->out[0] = kt_op_pad(t->in[0], before, after, 0);
    return kt_check(t->out[0]);
}

#define F(name) KT_F(kt_zero_padding_args, name)
static const kt_field zero_padding_fields[] = {F(padding), F(data_format), KT_F_END};
#undef F

#define CLASS(rank)                                                                                \
    const kt_layer_class kt_class_zero_padding##rank##d = {                                        \
        .name = "ZeroPadding" #rank "D",                                                           \
        .args_size = sizeof(kt_zero_padding_args),                                                 \
        .state_size = sizeof(zero_padding),                                                        \
        .fields = zero_padding_fields,                                                             \
        .defaults = &(const kt_zero_padding_args){KT_ZERO_PADDING_DEFAULTS},                       \
        .init = zero_padding_init,                                                                 \
        .call = zero_padding_call,                                                                 \
    };                                                                                             \
    kt_layer *kt_zero_padding##rank##d_new(const kt_zero_padding_args *a) {                        \
        return kt_layer_new(&kt_class_zero_padding##rank##d, a);                                   \
    }
CLASS(1)
CLASS(2)
CLASS(3)
