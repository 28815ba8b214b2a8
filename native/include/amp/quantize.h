/* Samples as the whole numbers of an integer sound format.
 * Failure: violations only. Outputs stay unwritten. */
#ifndef AMP_QUANTIZE_H
#define AMP_QUANTIZE_H
#include "status.h"

#ifdef __cplusplus
extern "C" {
#endif

/* cffi-begin */
#define AMP_DITHER_NONE 0
#define AMP_DITHER_TPDF 1 /* adds noise of triangular density in (-1, 1) steps: two uniform numbers, one minus the other */

typedef struct amp_quantizer {
    uint32_t struct_size;
    int32_t  bits;        /* 2 to 32: one step is 2^(1 - bits) */
    uint32_t dither;      /* AMP_DITHER_* */
    uint32_t reserved;    /* 0 */
    uint64_t seed;        /* of the dither */
    uint64_t stream;      /* which of the independent noises of a seed, for example the channel */
    int64_t  first_frame; /* of these samples in the stream: pieces give the bits of the whole */
} amp_quantizer;

/* [any] Rounds sample * 2^(bits - 1) (+ dither) to the nearest whole number, ties to even, limits it to
 * [-2^(bits - 1), 2^(bits - 1) - 1], and writes it to the upper bits of out[n * stride]; the others are 0. NaN becomes 0.
 * With dither the whole error has mean 0 and a variance of 1/4 step^2 whatever the signal is; without, 1/12 step^2 where it is busy.
 * Since 1.3. */
AMP_API amp_status amp_quantize(const double *samples, int64_t frames, const amp_quantizer *how, int32_t *out, int64_t stride);
/* cffi-end */

#ifdef __cplusplus
}
#endif
#endif
