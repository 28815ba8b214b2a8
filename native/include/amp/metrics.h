/* What a runtime measured since configure. All records are owned by the caller.
 * Failure: record in the runtime. Outputs stay unwritten. */
#ifndef AMP_METRICS_H
#define AMP_METRICS_H
#include "run.h"

#ifdef __cplusplus
extern "C" {
#endif

/* cffi-begin */
typedef struct amp_node_metrics {
    uint32_t struct_size;          /* sizeof(amp_node_metrics) */
    uint32_t reserved;
    double   seconds;              /* time in this node; sampled on some of the blocks and scaled to all frames */
    int64_t  frames;               /* frames fired; nodes with latency below them run ahead of what is delivered */
    int64_t  calls;                /* firings */
    int64_t  measured_delay_frames;/* frames its newest output token lags its newest input token: those fired without a token coming out */
    int64_t  clamped_values;       /* values of parameters that move, clamped frame by frame where the contract clamps */
    double   heat_j;               /* accumulated H over all batches (0 unless AMP_RUN_HEAT) */
} amp_node_metrics;

typedef struct amp_trace_event {
    uint32_t node;                 /* index into the plan's order */
    uint32_t frames;
    int64_t  first_frame;          /* logical */
    int64_t  visible_from;         /* virtual time from which the token of that frame may be read: first_frame + A + L */
    double   start_s;              /* since configure */
    double   stop_s;
} amp_trace_event;

#define AMP_HEAT_WINDOW 64         /* frames per heat record */

/* [owner] */
AMP_API amp_status amp_graph_runtime_metrics(amp_graph_runtime *runtime, const char *node, amp_node_metrics *out);
/* [owner] The same of all nodes, in firing order. `capacity` records, one per node or more, lie struct_size of the first apart. */
AMP_API amp_status amp_graph_runtime_all_metrics(amp_graph_runtime *runtime, amp_node_metrics *out, size_t capacity);
/* [owner] Copies up to `capacity` events, oldest first; *count gets how many are held, *dropped how many the ring lost. */
AMP_API amp_status amp_graph_runtime_trace(amp_graph_runtime *runtime, amp_trace_event *out, size_t capacity, size_t *count, uint64_t *dropped);
/* [owner] Heat of a node summed over batches at the end of each full window of AMP_HEAT_WINDOW frames: own = energy of h in the
 * window (J), total = accumulated H (J), temperature = T of the hottest batch (K above ambient, NaN without constants). Any of the arrays may be NULL. */
AMP_API amp_status amp_graph_runtime_heat(amp_graph_runtime *runtime, const char *node, double *own, double *total, double *temperature,
                                          size_t capacity, size_t *count);
/* cffi-end */

#ifdef __cplusplus
}
#endif
#endif
