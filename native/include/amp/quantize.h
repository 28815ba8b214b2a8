/* Rounds samples to the integers of a sound format.
 * Failure: violations only. Outputs stay unwritten. */
#ifndef AMP_QUANTIZE_H
#define AMP_QUANTIZE_H
#include "status.h"

#ifdef __cplusplus
extern "C" {
#endif

/* cffi-begin */
#define AMP_DITHER_NONE 0
#define AMP_DITHER_TPDF 1 /* adds noise of triangular density in (-1, 1) steps: the difference of two uniform numbers */

/* Owned by the caller, read during the call. */
typedef struct amp_quantizer {
    uint32_t struct_size; /* sizeof(amp_quantizer) */
    int32_t  bits;        /* 2 to 32: one step is 2^(1 - bits) */
    uint32_t dither;      /* AMP_DITHER_* */
    uint32_t reserved;    /* 0 */
    uint64_t seed;        /* of the dither */
    uint64_t stream;      /* number of an independent noise of that seed, for example the channel */
    int64_t  first_frame; /* number of the first sample in the whole signal: calls for its pieces give the bits of one call */
} amp_quantizer;

/* [any] Rounds sample * 2^(bits - 1) (+ dither) to the nearest integer, ties to even, limits it to
 * [-2^(bits - 1), 2^(bits - 1) - 1], and writes it to the upper bits of out[n * stride] (the caller's memory); the lower bits are 0. NaN
 * becomes 0. With dither the total error has mean 0 and variance 1/4 step^2 for every signal; without dither the variance is 1/12 step^2
 * for signals that vary over many steps.
 * Since 1.3. */
AMP_API amp_status amp_quantize(const double *samples, int64_t frames, const amp_quantizer *how, int32_t *out, int64_t stride);
/* cffi-end */

#ifdef __cplusplus
}
#endif
#endif
