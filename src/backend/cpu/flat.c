/* Ops over flat arrays: elementwise functions strip by strip, Adam, dropout, random numbers. */
#include "backend/cpu/impls.h"

#include <string.h>

#define PIECE 8192 /* elements handed out at a time: 32 KiB an array */

extern const kt_opdef kt_opdef_pack;

static bool first_f32(const kt_node *n) { return is_f32(n->in[0]); }

typedef struct {
    const kt_kargs *k;
    void (*f1)(float *, const float *, int64_t);
    void (*f2)(float *, const float *, const float *, int64_t);
} strip_job;

static kt_status unary_strip(void *arg, int64_t first, int64_t n) {
    const strip_job *j = arg;
    j->f1((float *)j->k->out[0] + first, (const float *)j->k->in[0] + first, n);
    return KT_OK;
}

static kt_status binary_strip(void *arg, int64_t first, int64_t n) {
    const strip_job *j = arg;
    j->f2(
        (float *)j->k->out[0] + first,
        (const float *)j->k->in[0] + first,
        (const float *)j->k->in[1] + first,
        n);
    return KT_OK;
}

/* One adapter per function: the choice is made when the program is compiled, not in the step. */
#define KT_UNARY(name, value, grad)                                                                \
    static kt_status run_##name(const kt_kargs *k) {                                               \
        strip_job j = {k, kt_kernels_get()->unary[KT_UN_##name], NULL};                            \
        return kt_cpu_range(unary_strip, &j, val_size(k->node->in[0]), PIECE, 0.3);                \
    }
#include "ir/unary.def"
#undef KT_UNARY
#define KT_BINARY(name, value, da, db)                                                             \
    static kt_status run_##name(const kt_kargs *k) {                                               \
        strip_job j = {k, NULL, kt_kernels_get()->binary[KT_BIN_##name]};                          \
        return kt_cpu_range(binary_strip, &j, val_size(k->node->in[0]), PIECE, 0.3);               \
    }
#include "ir/binary.def"
#undef KT_BINARY

static const kt_impl elementwise[] = {
#define KT_UNARY(name_, value, grad) {#name_, "strip", first_f32, run_##name_, NULL, NULL},
#include "ir/unary.def"
#undef KT_UNARY
#define KT_BINARY(name_, value, da, db) {#name_, "strip", first_f32, run_##name_, NULL, NULL},
#include "ir/binary.def"
#undef KT_BINARY
};

const kt_impl *kt_cpu_elementwise_impl(const kt_node *n) {
    if (!(n->op->flags & KT_OP_ELEMENTWISE) || !is_f32(n->in[0])) return NULL;
    for (size_t i = 0; i < sizeof elementwise / sizeof *elementwise; i++)
        if (!strcmp(elementwise[i].op, n->op->name)) return &elementwise[i];
    return NULL;
}

/* One part of each large array, as the products that made the gradients are split: a thread updates
 * what it has in its caches. The small arrays are the caller's, who made their gradients alone. */
#define ADAM_SMALL 4096
#define ADAM_SHARED 65536 /* below, a hand-over costs more than it saves */

typedef struct {
    const kt_kargs *k;
    int64_t parts;
} adam_job;

static void adam_range(const kt_kargs *k, int64_t first, int64_t n) {
    const float *s = k->in[4];
    const kt_adam_scalars scalars = {s[0], s[1], s[2], s[3]};
    for (int i = 0; i < 3; i++) /* the planner usually gives the same memory */
        if (k->out[i] != k->in[i])
            memcpy(
                (float *)k->out[i] + first,
                (const float *)k->in[i] + first,
                (size_t)n * sizeof(float));
    kt_kernels_get()->adam(
        (float *)k->out[0] + first,
        (float *)k->out[1] + first,
        (float *)k->out[2] + first,
        (const float *)k->in[3] + first,
        n,
        &scalars);
}

static void adam_array(const adam_job *j, int64_t part, int64_t first, int64_t n) {
    const bool small = n < ADAM_SMALL;
    const int64_t from = small ? 0 : n * part / j->parts & -64;
    const int64_t to = small || part + 1 == j->parts ? n : n * (part + 1) / j->parts & -64;
    if (small && part) return;
    adam_range(j->k, first + from, to - from);
}

static void adam_part(void *arg, int64_t part, int thread) {
    const adam_job *j = arg;
    const kt_node *pack = j->k->node->in[3]->def;
    (void)thread;
    if (pack->op != &kt_opdef_pack) {
        adam_array(j, part, 0, val_size(j->k->node->in[0]));
        return;
    }
    const int64_t *offset = ((const pack_attrs *)pack->attrs)->offsets;
    for (int i = 0; i < pack->n_in; i++) adam_array(j, part, offset[i], val_size(pack->in[i]));
}

static kt_status adam_run(const kt_kargs *k) {
    const int64_t n = val_size(k->node->in[0]);
    adam_job j = {k, n < ADAM_SHARED ? 1 : kt_pool_threads()};
    if (j.parts == 1)
        adam_range(k, 0, n);
    else
        kt_pool_run(adam_part, &j, j.parts);
    return KT_OK;
}
const kt_impl impl_adam_flat = {"adam", "flat", first_f32, adam_run, NULL, NULL};

static kt_philox philox_of(const kt_node *n, const int64_t *call) {
    const uint64_t key = (uint64_t)((const random_attrs *)n->attrs)->key, c = (uint64_t)*call;
    return (kt_philox){{(uint32_t)key, (uint32_t)(key >> 32)}, {(uint32_t)c, (uint32_t)(c >> 32)}};
}

static kt_status dropout_piece(void *arg, int64_t first, int64_t n) {
    const kt_kargs *k = arg;
    const double rate = ((const random_attrs *)k->node->attrs)->rate;
    const kt_philox r = philox_of(k->node, k->in[1]);
    kt_kernels_get()->dropout(
        (float *)k->out[0] + first,
        (const float *)k->in[0] + first,
        n,
        first,
        (float)rate,
        (float)(1 / (1 - rate)),
        &r);
    return KT_OK;
}

static kt_status dropout_run(const kt_kargs *k) {
    kt_kargs args = *k;
    return kt_cpu_range(dropout_piece, &args, val_size(k->node->in[0]), PIECE, 1);
}
const kt_impl impl_dropout_flat = {"dropout", "flat", first_f32, dropout_run, NULL, NULL};

static kt_status uniform_piece(void *arg, int64_t first, int64_t n) {
    const kt_kargs *k = arg;
    const kt_philox r = philox_of(k->node, k->in[0]);
    kt_kernels_get()->uniform((float *)k->out[0] + first, n, first, &r);
    return KT_OK;
}

static kt_status uniform_run(const kt_kargs *k) {
    kt_kargs args = *k;
    return kt_cpu_range(uniform_piece, &args, val_size(k->node->out[0]), PIECE, 1);
}
static bool uniform_supports(const kt_node *n) { return is_f32(n->out[0]); }
const kt_impl impl_uniform_flat = {"uniform", "flat", uniform_supports, uniform_run, NULL, NULL};
