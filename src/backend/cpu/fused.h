/* A fused region made ready to run: a list of strip calls with every function and place decided. */
#ifndef KT_CPU_FUSED_H
#define KT_CPU_FUSED_H

#include "backend/cpu/impls.h"

#define FUSED_FLOATS 8192 /* registers of one thread: 32 KiB, on its stack */
#define FUSED_STRIP 1024  /* longest strip */
#define FUSED_LONG 512    /* rows and columns from this length on are not copied into a register */

/* How an input gets to the calls, strip after strip. */
typedef enum {
    FUSED_ARRAY,  /* read where it lies */
    FUSED_ROW,    /* the same, a strip does not cross the end of the row */
    FUSED_NUMBER, /* one element for the whole region */
    FUSED_COLUMN, /* one element for the strip, which does not cross a boundary */
    FUSED_TILE,   /* a short row, repeated into a register */
    FUSED_SPREAD  /* each element several times, into a register */
} fused_access;

typedef struct {
    fused_access access;
    kt_dtype dtype;
    int64_t div, mod, block;
    int reg; /* register that holds it as an array of float, -1: none */
} fused_in;

typedef enum {
    FUSED_UN,
    FUSED_BIN,
    FUSED_BIN_VS, /* b is a number */
    FUSED_BIN_SV, /* a is a number */
    FUSED_CMP,
    FUSED_CMP_VS,
    FUSED_SELECT,
    FUSED_MULADD,
    FUSED_COPY
} fused_kind;

/* Operands are places (fused_strip.at) or numbers (fused_strip.num), as the kind says. */
typedef struct {
    fused_kind kind;
    short to, a, b, c;
    union {
        void (*un)(float *y, const float *x, int64_t n);
        void (*bin)(float *y, const float *a, const float *b, int64_t n);
        void (*vs)(float *y, const float *a, float b, int64_t n);
        void (*sv)(float *y, float a, const float *b, int64_t n);
    } fn;
} fused_call;

/* Places: inputs 0 … n_in-1, outputs behind them, registers behind those. */
typedef struct {
    int64_t size, strip, piece;
    int64_t stride; /* floats from one register to the next, at least a strip */
    double cost_ns; /* of one element */
    int n_in, n_out, n_regs, n_calls, n_splats, n_bools;
    fused_in in[KT_FUSED_MAX_IN];
    float num[KT_FUSED_MAX_REGS]; /* numbers known now, by register of the region */
    fused_call calls[KT_FUSED_MAX_REGS + KT_OP_MAX_OUT];
    struct {
        short num, reg;
    } splats[KT_FUSED_MAX_REGS]; /* numbers needed as an array: filled once a piece */
    struct {
        short out, from;
    } bools[KT_OP_MAX_OUT]; /* bool outputs, from places, at the end of a strip */
} fused_prog;

kt_status fused_prepare(kt_graph *g, const kt_node *n, void **state);

#endif
