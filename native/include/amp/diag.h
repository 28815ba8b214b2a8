/* Diagnostics: build, instruction set, flight record, logging; and the min/max pyramid for plots.
 * Failure: violations only. Outputs stay unwritten. */
#ifndef AMP_DIAG_H
#define AMP_DIAG_H
#include "run.h"

#ifdef __cplusplus
extern "C" {
#endif

/* cffi-begin */
#define AMP_PHASE_IDLE 0
#define AMP_PHASE_LOAD 1
#define AMP_PHASE_CONFIGURE 2
#define AMP_PHASE_EXECUTE 3

/* Flight record: memory that the caller owns, usually shared with a supervising process. The runtime writes it before each step; after a
 * crash it tells which node was executing. */
typedef struct amp_flight {
    uint32_t          struct_size; /* sizeof(amp_flight) */
    volatile uint32_t phase;       /* AMP_PHASE_* */
    volatile uint32_t node;        /* index into the plan's order; 0xffffffff: none */
    volatile uint32_t frames;      /* frames of the window being fired */
    volatile int64_t  first_frame; /* logical frame at which that window starts */
    volatile uint64_t sequence;    /* firings so far */
} amp_flight;

/* [owner] Attaches a flight record, which must outlive the runtime; NULL detaches it. */
AMP_API void        amp_graph_runtime_set_flight(amp_graph_runtime *runtime, amp_flight *flight);

AMP_API const char *amp_isa(void);             /* [any] level in use: v2, v3, v4 or base; "" if this machine lacks the one AMP_ISA names */
AMP_API const char *amp_build_info(void);      /* [any] compiler, flags and flavour in one line; static text */
AMP_API const char *amp_source_digest(void);   /* [any] digest of the native sources it was built from; static text */
AMP_API int32_t     amp_test_hooks(void);      /* [any] 1 if the library was built with fault hooks, otherwise 0 */

/* [any] Switches native logging on (1) or off (0). Lines are written to the file that AMP_NATIVE_LOG names, by default ./amp_native.log.
 * AMP_E_UNSUPPORTED in flavours without logging (see README), AMP_E_INVALID_ARG if the file cannot be opened. */
AMP_API amp_status  amp_native_logging_set(int32_t on);

/* Min/max pyramid: level k >= 1 has the (min, max) of each run of 16^k samples; the last level has 16 pairs or fewer. A run with a NaN has
 * NaN for both. The caller owns samples and pyramid. [any] */
AMP_API size_t      amp_pyramid_size(int64_t frames);                                   /* doubles that the pyramid needs */
/* Writes amp_pyramid_size(frames) doubles to `pyramid`. */
AMP_API void        amp_pyramid_build(const double *samples, int64_t frames, double *pyramid);
/* Extremes of `columns` equal spans of [first, last). They are exact: a fault of a single sample is always visible. */
AMP_API amp_status  amp_pyramid_query(const double *samples, int64_t frames, const double *pyramid, int64_t first, int64_t last,
                                      int32_t columns, double *low, double *high);
/* cffi-end */

#ifdef __cplusplus
}
#endif
#endif
