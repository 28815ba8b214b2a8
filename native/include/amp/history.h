/* Control histories: named curves over time in seconds.
 * Blob, magic "AMPH", header as in graph.h; payload:
 *   u32 n_curves, each: str name; u8 interpolation (AMP_CURVE_*); u32 n_points; n_points x (f64 time_s, f64 value)
 * Times are finite and do not decrease; where two points share a time, the later one counts from that time on.
 * Before its first point a curve has the first value, after its last point the last value. Names are unique.
 * Failure: record in `error`. Outputs stay unwritten. */
#ifndef AMP_HISTORY_H
#define AMP_HISTORY_H
#include "run.h"

#ifdef __cplusplus
extern "C" {
#endif

/* cffi-begin */
#define AMP_CURVE_HOLD 0           /* the value of the last point at or before t */
#define AMP_CURVE_LINEAR 1
#define AMP_CURVE_SMOOTH 2         /* cubic smoothstep u*u*(3-2u) between points */
#define AMP_CURVE_EXPONENTIAL 3    /* v0 * (v1/v0)^u; v0 and v1 have the same sign and are not 0 */

/* [any] Samples one curve at t = n / sample_rate (Hz) for n = first_frame .. first_frame + frames - 1, with the same bits as in a render.
 * The blob is only read; `out` is the caller's memory for `frames` doubles. */
AMP_API amp_status amp_history_sample(const void *blob, size_t size, const char *curve, double sample_rate,
                                      int64_t first_frame, int64_t frames, double *out, amp_error *error);
/* cffi-end */

#ifdef __cplusplus
}
#endif
#endif
