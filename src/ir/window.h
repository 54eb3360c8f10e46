/* Windows that move over pictures [n, height, width, channels]: the geometry that convolutions and
 * pools share. A *place* is one position of the window, (n, y, x) of the result as one number; a
 * *tap* is one cell of the window, row by row; a *cell* is (n, y, x) of the picture. Axis 0 is
 * height, axis 1 width. */
#ifndef KT_IR_WINDOW_H
#define KT_IR_WINDOW_H

#include "ir/attrs.h"

typedef struct kt_window {
    int64_t n, in[2], channels; ///< pictures
    int64_t out[2];             ///< positions of the window
    int64_t size[2], stride[2], dilation[2], before[2];
    int64_t filters, groups; ///< convolutions: channels of the result
} kt_window;

static inline kt_window kt_conv_window(
    const kt_shape *x, const kt_shape *kernel, const kt_shape *y, const conv_attrs *a) {
    kt_window w = {.n = x->dim[0], .channels = x->dim[3], .groups = a->groups};
    w.filters = kernel->dim[3];
    for (int i = 0; i < 2; i++) {
        w.in[i] = x->dim[1 + i];
        w.out[i] = y->dim[1 + i];
        w.size[i] = kernel->dim[i];
        w.stride[i] = a->stride[i];
        w.dilation[i] = a->dilation[i];
        w.before[i] = a->before[i];
    }
    return w;
}

static inline kt_window kt_pool_window(const kt_shape *x, const kt_shape *y, const pool_attrs *a) {
    kt_window w = {.n = x->dim[0], .channels = x->dim[3], .groups = 1};
    w.filters = w.channels;
    for (int i = 0; i < 2; i++) {
        w.in[i] = x->dim[1 + i];
        w.out[i] = y->dim[1 + i];
        w.size[i] = a->window[i];
        w.stride[i] = a->stride[i];
        w.dilation[i] = 1;
        w.before[i] = a->before[i];
    }
    return w;
}

/** Of the convolution inside a conv2d_pool; the result has out / window places. */
static inline kt_window kt_conv_pool_window(
    const kt_shape *x, const kt_shape *kernel, const conv_pool_attrs *a);

static inline int64_t kt_window_places(const kt_window *w) { return w->n * w->out[0] * w->out[1]; }
static inline int64_t kt_window_taps(const kt_window *w) { return w->size[0] * w->size[1]; }

/** The cell that tap `tap` sees when the window stands at `place`; -1 in the padding. */
static inline int64_t kt_window_cell(const kt_window *w, int64_t place, int64_t tap) {
    const int64_t ox = place % w->out[1], row = place / w->out[1];
    const int64_t y = row % w->out[0] * w->stride[0] - w->before[0] +
                      tap / w->size[1] * w->dilation[0];
    const int64_t x = ox * w->stride[1] - w->before[1] + tap % w->size[1] * w->dilation[1];
    if (y < 0 || y >= w->in[0] || x < 0 || x >= w->in[1]) return -1;
    return (row / w->out[0] * w->in[0] + y) * w->in[1] + x;
}

/** Positions along one axis: 0 where the window, with its gaps, is longer than the padded axis. */
static inline int64_t kt_window_out(
    int64_t length, int64_t size, int stride, int dilation, int before, int after) {
    const int64_t left = length + before + after - ((size - 1) * dilation + 1);
    return left < 0 ? 0 : left / stride + 1;
}

static inline kt_window kt_conv_pool_window(
    const kt_shape *x, const kt_shape *kernel, const conv_pool_attrs *a) {
    const conv_attrs *c = &a->conv;
    kt_shape y = {4, {x->dim[0], 0, 0, kernel->dim[3]}};
    for (int i = 0; i < 2; i++)
        y.dim[1 + i] = kt_window_out(
            x->dim[1 + i], kernel->dim[i], c->stride[i], c->dilation[i], c->before[i], c->after[i]);
    return kt_conv_window(x, kernel, &y, c);
}

#endif
