/* Runs fused regions strip by strip: a strip of every array fits the first-level cache, so that a
 * chain of functions costs one pass over memory. Inputs are read where they lie; rows and columns
 * that are short are expanded into a register, long ones end the strip early. See fused_prepare.c
 * for the list of calls. */
#include "backend/cpu/fused.h"

#include <string.h>

#define MAX_PLACES (KT_FUSED_MAX_IN + KT_OP_MAX_OUT + KT_FUSED_MAX_REGS)

/* Where one thread is. */
typedef struct {
    const fused_prog *p;
    const kt_kargs *k;
    const kt_kernels *kn;
    float *at[MAX_PLACES];
    float num[KT_FUSED_MAX_REGS];
    const void *tile_from[KT_FUSED_MAX_IN];
    int64_t tile_phase[KT_FUSED_MAX_IN], tile_len[KT_FUSED_MAX_IN];
} fused_strip;

static float load(const fused_in *in, const void *from, int64_t i) {
    switch (in->dtype) {
    case KT_FLOAT32:
        return ((const float *)from)[i];
    case KT_INT32:
        return (float)((const int32_t *)from)[i];
    case KT_INT64:
        return (float)((const int64_t *)from)[i];
    default:
        return (float)((const uint8_t *)from)[i];
    }
}

/* n elements from element i on, as float. */
static void convert(
    const fused_strip *s, const fused_in *in, float *to, const void *from, int64_t i, int64_t n) {
    switch (in->dtype) {
    case KT_FLOAT32:
        memcpy(to, (const float *)from + i, (size_t)n * sizeof(float));
        break;
    case KT_INT32:
        s->kn->from_i32(to, (const int32_t *)from + i, n);
        break;
    case KT_INT64:
        s->kn->from_i64(to, (const int64_t *)from + i, n);
        break;
    default:
        s->kn->from_u8(to, (const uint8_t *)from + i, n);
        break;
    }
}

/* The row from `phase` on, again and again: once around, then by doubling. */
static void fill_tile(
    const fused_strip *s,
    const fused_in *in,
    float *to,
    const void *from,
    int64_t phase,
    int64_t n) {
    const int64_t once = in->mod < n ? in->mod : n,
                  head = in->mod - phase < once ? in->mod - phase : once;
    convert(s, in, to, from, phase, head);
    convert(s, in, to + head, from, 0, once - head);
    for (int64_t have = once; have < n; have *= 2)
        memcpy(to + have, to, (size_t)(n - have < have ? n - have : have) * sizeof *to);
}

/* Element i / div % mod for i = first …: runs of equal elements. */
static void fill_spread(
    const fused_strip *s,
    const fused_in *in,
    float *to,
    const void *from,
    int64_t first,
    int64_t n) {
    int64_t at = first / in->div % in->mod, run = in->div - first % in->div;
    for (int64_t i = 0; i < n; run = in->div) {
        const float v = load(in, from, at);
        const int64_t len = n - i < run ? n - i : run;
        if (len >= 16)
            s->kn->fill(to + i, v, len);
        else
            for (int64_t k = 0; k < len; k++) to[i + k] = v;
        i += len;
        if (++at == in->mod) at = 0;
    }
}

/* How far a strip from `first` on may go before this input wants it to end. */
static int64_t limit(const fused_in *in, int64_t first, int64_t n) {
    int64_t left = n;
    if (in->access == FUSED_ROW) left = in->mod - first % in->mod;
    if (in->access == FUSED_COLUMN) left = in->div - first % in->div;
    if (left < n) n = left;
    if (in->block) left = in->block - first % in->block;
    return left < n ? left : n;
}

/* The part of an input that a strip from `first` on reads. */
static const void *part_of(const fused_in *in, const void *from, int64_t first) {
    if (!in->block) return from;
    return (const char *)from + (size_t)(first / in->block * in->mod) * kt_dtype_size(in->dtype);
}

static void set_input(fused_strip *s, int i, int64_t first, int64_t n) {
    const fused_in *in = &s->p->in[i];
    const void *from = part_of(in, s->k->in[i], first);
    const int64_t phase = in->access == FUSED_ARRAY ? first : first % in->mod;
    switch (in->access) {
    case FUSED_NUMBER:
        break;
    case FUSED_COLUMN:
        s->num[i] = load(in, from, first / in->div % in->mod);
        break;
    case FUSED_SPREAD:
        fill_spread(s, in, s->at[i], from, first, n);
        break;
    case FUSED_TILE:
        if (s->tile_from[i] == from && s->tile_phase[i] == phase && s->tile_len[i] >= n) break;
        s->tile_from[i] = from;
        s->tile_phase[i] = phase;
        s->tile_len[i] = n;
        fill_tile(s, in, s->at[i], from, phase, n);
        break;
    case FUSED_ARRAY:
    case FUSED_ROW:
        if (in->reg < 0)
            s->at[i] = (float *)(uintptr_t)from + phase;
        else
            convert(s, in, s->at[i], from, phase, n);
        break;
    }
}

static void run_calls(const fused_strip *s, int64_t n) {
    float *const *at = s->at;
    for (int i = 0; i < s->p->n_calls; i++) {
        const fused_call *c = &s->p->calls[i];
        float *to = at[c->to];
        switch (c->kind) {
        case FUSED_UN:
            c->fn.un(to, at[c->a], n);
            break;
        case FUSED_BIN:
        case FUSED_CMP:
            c->fn.bin(to, at[c->a], at[c->b], n);
            break;
        case FUSED_BIN_VS:
        case FUSED_CMP_VS:
            c->fn.vs(to, at[c->a], s->num[c->b], n);
            break;
        case FUSED_BIN_SV:
            c->fn.sv(to, s->num[c->a], at[c->b], n);
            break;
        case FUSED_SELECT:
            s->kn->select(to, at[c->a], at[c->b], at[c->c], n);
            break;
        case FUSED_MULADD:
            s->kn->muladd(to, at[c->a], at[c->b], at[c->c], n);
            break;
        case FUSED_COPY:
            memcpy(to, at[c->a], (size_t)n * sizeof *to);
            break;
        }
    }
}

/* Registers, and everything that stays the same from strip to strip. */
static void begin(fused_strip *s, float *regs, int64_t n) {
    const fused_prog *p = s->p;
    const int64_t strip = n < p->strip ? n : p->strip;
    for (int i = 0; i < p->n_regs; i++) s->at[p->n_in + p->n_out + i] = regs + i * p->stride;
    memcpy(s->num, p->num, sizeof s->num);
    for (int i = 0; i < p->n_in; i++) {
        if (p->in[i].reg >= 0) s->at[i] = regs + p->in[i].reg * p->stride;
        if (p->in[i].access == FUSED_NUMBER) s->num[i] = load(&p->in[i], s->k->in[i], 0);
        s->tile_len[i] = 0;
    }
    for (int i = 0; i < p->n_splats; i++)
        s->kn->fill(s->at[p->n_in + p->n_out + p->splats[i].reg], s->num[p->splats[i].num], strip);
}

static kt_status fused_piece(void *arg, int64_t first, int64_t n) {
    const kt_kargs *k = arg;
    _Alignas(64) float regs[FUSED_FLOATS];
    fused_strip s;
    s.p = k->state;
    s.k = k;
    s.kn = kt_kernels_get();
    begin(&s, regs, n);
    for (int64_t len; n > 0; first += len, n -= len) {
        len = n < s.p->strip ? n : s.p->strip;
        for (int i = 0; i < s.p->n_in; i++) len = limit(&s.p->in[i], first, len);
        for (int i = 0; i < s.p->n_in; i++) set_input(&s, i, first, len);
        for (int i = 0; i < s.p->n_out; i++) s.at[s.p->n_in + i] = (float *)k->out[i] + first;
        run_calls(&s, len);
        for (int i = 0; i < s.p->n_bools; i++)
            s.kn->to_bool(
                (uint8_t *)k->out[s.p->bools[i].out] + first, s.at[s.p->bools[i].from], len);
    }
    return KT_OK;
}

static kt_status fused_run(const kt_kargs *k) {
    const fused_prog *p = k->state;
    kt_kargs args = *k;
    return kt_cpu_range(fused_piece, &args, p->size, p->piece, p->cost_ns);
}

static bool fused_supports(const kt_node *n) {
    (void)n;
    return true;
}

const kt_impl impl_fused_strips = {
    "fused", "strips", fused_supports, fused_run, NULL, fused_prepare};
