/* layer_norm and layer_norm_grad: pieces of rows. */
#include "backend/cpu/impls.h"

#include <string.h>

static int64_t norm_length(const kt_node *n) { return val_size(n->in[1]); }

static bool norm_supports(const kt_node *n) { return is_f32(n->in[0]) && norm_length(n) > 0; }

static kt_status norm_rows(void *arg, int64_t first, int64_t n) {
    const kt_kargs *k = arg;
    const int64_t len = norm_length(k->node), at = first * len;
    kt_kernels_get()->layer_norm(&(kt_layer_norm){
        .rows = n,
        .n = len,
        .x = (const float *)k->in[0] + at,
        .gamma = k->in[1],
        .beta = k->in[2],
        .epsilon = (float)((const layer_norm_attrs *)k->node->attrs)->epsilon,
        .y = (float *)k->out[0] + at,
        .stats = (float *)k->out[1] + 2 * first,
    });
    return KT_OK;
}

static kt_status norm_run(const kt_kargs *k) {
    const int64_t n = norm_length(k->node), rows = val_size(k->node->in[0]) / n;
    return kt_cpu_range(
        norm_rows, (void *)(uintptr_t)k, rows, (4096 / n / 16 + 1) * 16, 0.2 * (double)n);
}
const kt_impl impl_layer_norm_rows = {"layer_norm", "rows", norm_supports, norm_run, NULL, NULL};

/* Gradients of gamma and beta: each part of the rows has sums of its own, which are added in their
 * order; how many parts depends on the sizes alone. */
#define PARTS_MAX 16
#define PART_ELEMENTS 8192

static int64_t norm_parts(const kt_node *n) {
    const int64_t parts = val_size(n->in[0]) / PART_ELEMENTS;
    return parts < 1 ? 1 : parts > PARTS_MAX ? PARTS_MAX : parts;
}

static size_t norm_grad_scratch(const kt_node *n) {
    return (size_t)(2 * norm_parts(n) * norm_length(n)) * sizeof(float);
}

static kt_status norm_grad_parts(void *arg, int64_t first, int64_t n) {
    const kt_kargs *k = arg;
    const int64_t len = norm_length(k->node), rows = val_size(k->node->in[0]) / len;
    const int64_t parts = norm_parts(k->node);
    for (int64_t p = first; p < first + n; p++) {
        const int64_t r0 = rows * p / parts, r1 = rows * (p + 1) / parts;
        float *sums = (float *)k->scratch + 2 * p * len;
        memset(sums, 0, (size_t)(2 * len) * sizeof *sums);
        kt_kernels_get()->layer_norm_grad(&(kt_layer_norm_grad){
            .rows = r1 - r0,
            .n = len,
            .x = (const float *)k->in[0] + r0 * len,
            .gamma = k->in[1],
            .stats = (const float *)k->in[2] + 2 * r0,
            .dy = (const float *)k->in[3] + r0 * len,
            .dx = (float *)k->out[0] + r0 * len,
            .dgamma = sums,
            .dbeta = sums + len,
        });
    }
    return KT_OK;
}

static kt_status norm_grad_run(const kt_kargs *k) {
    const int64_t len = norm_length(k->node), parts = norm_parts(k->node);
    const double part_ns = 0.4 * (double)val_size(k->node->in[0]) / (double)parts;
    const kt_status st = kt_cpu_range(norm_grad_parts, (void *)(uintptr_t)k, parts, 1, part_ns);
    const float *sums = k->scratch;
    kt_kernels_get()->sum_rows(k->out[1], sums, parts, len, 2 * len);
    kt_kernels_get()->sum_rows(k->out[2], sums + len, parts, len, 2 * len);
    return st;
}
const kt_impl impl_layer_norm_grad_rows = {
    "layer_norm_grad", "rows", norm_supports, norm_grad_run, norm_grad_scratch, NULL};
