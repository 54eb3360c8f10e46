/* matmul through the gemm family. */
#include "backend/cpu/impls.h"

static kt_gemm matmul_gemm(const kt_node *n) {
    const matmul_attrs *a = n->attrs;
    const kt_shape *x = &n->in[0]->spec.shape, *y = &n->out[0]->spec.shape;
    const int r = x->ndim;
    kt_gemm g = {.m = y->dim[r - 2], .n = y->dim[r - 1], .k = x->dim[a->ta ? r - 2 : r - 1]};
    g.ta = a->ta;
    g.tb = a->tb;
    g.lda = a->ta ? g.m : g.k;
    g.ldb = a->tb ? g.k : g.n;
    g.ldc = g.n;
    g.epilogue = a->epilogue - 1;
    return g;
}

static bool matmul_supports(const kt_node *n) { return is_f32(n->in[0]); }

static size_t matmul_scratch(const kt_node *n) {
    const kt_gemm g = matmul_gemm(n);
    return kt_kernels_get()->gemm_scratch(&g);
}

static kt_status matmul_run(const kt_kargs *k) {
    kt_gemm g = matmul_gemm(k->node);
    const kt_shape *y = &k->node->out[0]->spec.shape;
    const int64_t batch = kt_shape_range(y, 0, y->ndim - 2);
    if (((const matmul_attrs *)k->node->attrs)->bias) g.bias = k->in[2];
    for (int64_t i = 0; i < batch; i++) {
        g.a = (const float *)k->in[0] + i * g.m * g.k;
        g.b = (const float *)k->in[1] + i * g.k * g.n;
        g.c = (float *)k->out[0] + i * g.m * g.n;
        kt_kernels_get()->gemm(&g, k->scratch);
    }
    return KT_OK;
}

const kt_impl impl_matmul_gemm = {
    "matmul", "gemm", matmul_supports, matmul_run, matmul_scratch, NULL};
