/* Status codes and the error record.
 * All calls report failures in the same way; each header's line "Failure:" names the record and what a failed call writes:
 *   - A call that can fail returns amp_status: AMP_OK, or the negative code of the reason. It never throws.
 *   - The reason is written to the record that the line names: `error`, the last argument, which may be NULL; or the runtime's own
 *     record (calls whose first argument is a runtime), which amp_graph_runtime_last_error copies; or violations only.
 *   - In every case the violations, with whole texts, can be read by the calling thread until its next such call (violation.h).
 *   - A failed call does not change its object and does not write its outputs, except for those that the line names.
 *   - A call that does not return amp_status cannot fail. Given an invalid argument it does nothing, or returns what its comment says.
 * Thread tags used in every header:
 *   [any]     callable from any thread at any time
 *   [owner]   one thread at a time per object (runtime, meter, stream); the caller must ensure it
 *   [any+rt]  any thread, even while another thread is in an [owner] call of that runtime
 *   [stream]  any thread at any time between create and destroy; the stream's mutex admits one call at a time
 * Phases of a runtime: created -> configured -> executing (execute may be called many times).
 * Failure: no call here can fail. */
#ifndef AMP_STATUS_H
#define AMP_STATUS_H
#include <stddef.h>
#include <stdint.h>

#if defined(_WIN32)
#  if defined(AMP_NATIVE_BUILDING)
#    define AMP_API __declspec(dllexport)
#  else
#    define AMP_API __declspec(dllimport)
#  endif
#else
#  define AMP_API __attribute__((visibility("default")))
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* cffi-begin */
#define AMP_ABI_VERSION_MAJOR 1
#define AMP_ABI_VERSION_MINOR 5

typedef int32_t amp_status;
#define AMP_OK 0
#define AMP_E_INVALID_ARG -1
#define AMP_E_SHAPE -2
#define AMP_E_NOMEM -3
#define AMP_E_UNSUPPORTED -4
#define AMP_E_PENDING -5
#define AMP_E_BLOB -6
#define AMP_E_DRIFT -7
#define AMP_E_CYCLE -8
#define AMP_E_NONFINITE -9
#define AMP_E_THERMAL -10
#define AMP_E_INTERNAL -11
#define AMP_E_FULL -12

/* Owned by the caller, filled by every call, also when it succeeds (`code` AMP_OK). Texts are truncated to their arrays; a message about
 * several violations has one per line, of which the first are kept. Unknown texts are "", unknown numbers -1.
 * `message` is one sentence: where: what (got X, allowed Y). What to do. */
typedef struct amp_error {
    uint32_t struct_size;      /* set by the caller to sizeof(amp_error) */
    int32_t  code;             /* amp_status */
    char     stage[16];        /* where it failed: load, plan, configure, set_param, bind_input, history, execute, ... */
    char     node[96];
    char     port[64];         /* port or parameter key */
    int64_t  batch;
    int64_t  channel;
    int64_t  frame;            /* logical frame */
    char     message[1024];
} amp_error;

AMP_API const char *amp_status_name(amp_status code);   /* [any] static text such as "AMP_E_SHAPE" */
AMP_API uint32_t    amp_abi_version(void);              /* [any] major << 16 | minor */
/* cffi-end */

#ifdef __cplusplus
}
#endif
#endif
