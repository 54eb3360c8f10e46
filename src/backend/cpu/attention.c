/* attention and attention_grad: one head of one sample at a time. */
#include "backend/cpu/impls.h"

#include <string.h>

typedef struct {
    const kt_kargs *k;
    kt_attention a; /* of head 0 of sample 0 */
    const uint8_t *mask;
    int64_t heads, mask_b, mask_n;
    bool back;
} attention_job;

/* Rows of a head lie `heads` rows apart. A part of a vector can be read and written from eight
 * lanes on. */
static bool attention_supports(const kt_node *n) {
    const int64_t h = n->in[0]->spec.shape.dim[3], d = n->in[2]->spec.shape.dim[3];
    if (!is_f32(n->in[0]) || h > KT_ATTENTION_MAX_DIM || d > KT_ATTENTION_MAX_DIM) return false;
    if (val_size(n->in[0]) == 0 || val_size(n->in[2]) == 0) return false;
    return kt_kernels_get()->lanes >= 8 || (h % 4 == 0 && d % 4 == 0);
}

static void attention_mask(attention_job *j, const kt_node *n, int at) {
    if (n->n_in <= at) return;
    const int64_t *s = n->in[at]->spec.shape.dim;
    j->mask = j->k->in[at];
    j->a.mask_s = s[3] > 1;
    j->a.mask_t = s[2] > 1 ? s[3] : 0;
    j->mask_n = s[1] > 1 ? s[2] * s[3] : 0;
    j->mask_b = s[0] > 1 ? s[1] * s[2] * s[3] : 0;
}

static attention_job make_job(const kt_kargs *k) {
    const kt_node *n = k->node;
    const attention_attrs *at = n->attrs;
    const int64_t *q = n->in[0]->spec.shape.dim, *v = n->in[2]->spec.shape.dim;
    attention_job j = {.k = k, .heads = q[2]};
    j.a = (kt_attention){.t = q[1], .s = v[1], .h = q[3], .d = v[3]};
    j.a.ldq = j.a.ldk = q[2] * q[3];
    j.a.ldv = j.a.ldy = v[2] * v[3];
    j.a.scale = (float)at->scale;
    j.a.causal = at->causal;
    return j;
}

static kt_status attention_heads(void *arg, int64_t first, int64_t n) {
    const attention_job *j = arg;
    void *const *in = j->k->in, *const *out = j->k->out;
    for (int64_t i = first; i < first + n; i++) {
        const int64_t b = i / j->heads, head = i % j->heads;
        kt_attention a = j->a;
        const int64_t q = b * a.t * a.ldq + head * a.h, k = b * a.s * a.ldk + head * a.h;
        const int64_t v = b * a.s * a.ldv + head * a.d, y = b * a.t * a.ldy + head * a.d;
        a.q = (const float *)in[0] + q;
        a.k = (const float *)in[1] + k;
        a.v = (const float *)in[2] + v;
        if (j->mask) a.mask = j->mask + b * j->mask_b + head * j->mask_n;
        a.y = (float *)(j->back ? in[3] : out[0]) + y;
        a.stats = (float *)(j->back ? in[4] : out[1]) + 2 * i * a.t;
        if (!j->back) {
            kt_kernels_get()->attention_forward(&a);
            continue;
        }
        a.dy = (const float *)in[5] + y;
        a.dq = (float *)out[0] + q;
        a.dk = (float *)out[1] + k;
        a.dv = (float *)out[2] + v;
        kt_kernels_get()->attention_back(&a);
    }
    return KT_OK;
}

/* A row of scores costs about as much in products as in exponentials. */
static double head_ns(const attention_job *j) {
    const double pairs = (double)j->a.t * (double)j->a.s;
    return pairs * (0.02 * (double)(j->a.h + j->a.d) + 0.3) * (j->back ? 2.5 : 1);
}

static kt_status attention_run(const kt_kargs *k) {
    attention_job j = make_job(k);
    attention_mask(&j, k->node, 3);
    const int64_t units = k->node->in[0]->spec.shape.dim[0] * j.heads;
    return kt_cpu_range(attention_heads, &j, units, 1, head_ns(&j));
}
const kt_impl impl_attention_heads = {
    "attention", "heads", attention_supports, attention_run, NULL, NULL};

static kt_status attention_grad_run(const kt_kargs *k) {
    attention_job j = make_job(k);
    attention_mask(&j, k->node, 6);
    j.back = true;
    const int64_t units = k->node->in[0]->spec.shape.dim[0] * j.heads;
    return kt_cpu_range(attention_heads, &j, units, 1, head_ns(&j));
}
const kt_impl impl_attention_grad_heads = {
    "attention_grad", "heads", attention_supports, attention_grad_run, NULL, NULL};
