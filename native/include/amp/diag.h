/* Looking in from outside: build, instruction set, flight record, and the min/max pyramid for plots.
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

/* Written by the runtime before each step into memory the caller owns (shared with the process that watches); read it after a death. */
typedef struct amp_flight {
    uint32_t          struct_size;
    volatile uint32_t phase;       /* AMP_PHASE_* */
    volatile uint32_t node;        /* index into the plan's order; 0xffffffff none */
    volatile uint32_t frames;
    volatile int64_t  first_frame; /* of the window being fired */
    volatile uint64_t sequence;    /* firings so far */
} amp_flight;

AMP_API void        amp_graph_runtime_set_flight(amp_graph_runtime *runtime, amp_flight *flight); /* [owner] NULL detaches; must outlive the runtime */

AMP_API const char *amp_isa(void);             /* [any] level in use: v2, v3, v4 or base; "" if AMP_ISA names one this machine lacks */
AMP_API const char *amp_build_info(void);      /* [any] compiler, flags, flavour in one line */
AMP_API const char *amp_source_digest(void);   /* [any] digest of the native sources this library was built from */
AMP_API int32_t     amp_test_hooks(void);      /* [any] 1 in the flavour built with fault hooks */

/* [any] Switches native logging on (1) or off (0): lines go to the file AMP_NATIVE_LOG names, else ./amp_native.log.
 * AMP_E_UNSUPPORTED in flavours without logging (see README), AMP_E_INVALID_ARG if the file cannot be opened. */
AMP_API amp_status  amp_native_logging_set(int32_t on);

/* Min/max pyramid: level k holds the (min, max) of each run of 16^k samples, k >= 1, until 16 pairs or fewer are left.
 * NaN counts as a fault and shows as NaN in both. [any] */
AMP_API size_t      amp_pyramid_size(int64_t frames);                                   /* doubles needed */
AMP_API void        amp_pyramid_build(const double *samples, int64_t frames, double *pyramid);
/* Extremes of `columns` equal spans of [first, last): exact, so a one-sample fault always shows. */
AMP_API amp_status  amp_pyramid_query(const double *samples, int64_t frames, const double *pyramid, int64_t first, int64_t last,
                                      int32_t columns, double *low, double *high);
/* cffi-end */

#ifdef __cplusplus
}
#endif
#endif
