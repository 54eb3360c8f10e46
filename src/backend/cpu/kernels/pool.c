/* Largest cell of a window, one vector of channels at a time. Which cell it was is kept as a number per lane;
 * the gradient finds that out again, which costs less than to keep it in memory. */
#include "backend/cpu/kernels/parts.h"

KT_INLINE vf pick(vi mask, vf a, vf b) { return (vf)((mask & (vi)a) | (~mask & (vi)b)); }

void KT_FN(kt_max_pool)(
    float *y, const float *x, int64_t rows, int64_t cols, int64_t ld, int64_t n) {
    for (int64_t c = 0; c < n; c += LANES) {
        const int64_t m = n - c < LANES ? n - c : LANES;
        vf best = vf_load_n(x + c, m);
        vi nan = (vi)(best != best); /* the maximum of the processor loses them */
        for (int64_t r = 0; r < rows; r++) {
            for (int64_t t = 0; t < cols; t++) {
                const vf v = vf_load_n(x + r * ld + t * n + c, m);
                nan |= (vi)(v != v);
                best = vf_max(v, best);
            }
        }
        vf_store_n(y + c, (vf)((vi)best | nan), m);
    }
}

void KT_FN(kt_max_pool_grad)(
    float *dx,
    const float *x,
    const float *dy,
    int64_t rows,
    int64_t cols,
    int64_t ld,
    int64_t n,
    bool add) {
    for (int64_t c = 0; c < n; c += LANES) {
        const int64_t m = n - c < LANES ? n - c : LANES;
        const vf d = vf_load_n(dy + c, m);
        vf best = vf_load_n(x + c, m);
        vi at = {0};
        for (int64_t r = 0; r < rows; r++) {
            for (int64_t t = 0; t < cols; t++) {
                const vf v = vf_load_n(x + r * ld + t * n + c, m);
                const vi more = (vi)(v > best) | ((vi)(v != v) & (vi)(best == best));
                best = pick(more, v, best);
                at = (more & (int32_t)(r * cols + t)) | (~more & at);
            }
        }
        for (int64_t r = 0; r < rows; r++) {
            for (int64_t t = 0; t < cols; t++) {
                float *to = dx + r * ld + t * n + c;
                const vf v = (vf)((vi)d & (vi)(at == (int32_t)(r * cols + t)));
                vf_store_n(to, add ? vf_load_n(to, m) + v : v, m);
            }
        }
    }
}
