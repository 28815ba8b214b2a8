/* Measurements of a runtime since configure. The caller owns all records and arrays; the calls fill them.
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
    double   seconds;              /* time in this node; measured in some blocks and scaled to all frames */
    int64_t  frames;               /* frames fired; more than were delivered if the node, or a node after it, has latency */
    int64_t  calls;                /* firings */
    int64_t  measured_delay_frames;/* measured latency: frames it fired before its first token came out */
    int64_t  clamped_values;       /* parameter values that were clamped, of parameters that change per frame and whose contract clamps */
    double   heat_j;               /* accumulated heat H, in J, over all batches; 0 without AMP_RUN_HEAT */
} amp_node_metrics;

/* One firing of a node. */
typedef struct amp_trace_event {
    uint32_t node;                 /* index into the plan's order */
    uint32_t frames;               /* frames fired */
    int64_t  first_frame;          /* logical frame of the first */
    int64_t  visible_from;         /* virtual time, in frames, from which the token of that frame can be read: first_frame + A + L */
    double   start_s;              /* seconds since configure */
    double   stop_s;               /* seconds since configure */
} amp_trace_event;

#define AMP_HEAT_WINDOW 64         /* frames per heat record */

/* [owner] Fills one record for a node. Phase: configured or executing. */
AMP_API amp_status amp_graph_runtime_metrics(amp_graph_runtime *runtime, const char *node, amp_node_metrics *out);
/* [owner] Phase: configured or executing. Fills one record per node, in firing order. `out` has `capacity` records, at least one per
 * node, each with the struct_size of the first. */
AMP_API amp_status amp_graph_runtime_all_metrics(amp_graph_runtime *runtime, amp_node_metrics *out, size_t capacity);
/* [owner] Copies up to `capacity` events, oldest first. *count receives how many events the ring has, *dropped how many it has lost. */
AMP_API amp_status amp_graph_runtime_trace(amp_graph_runtime *runtime, amp_trace_event *out, size_t capacity, size_t *count, uint64_t *dropped);
/* [owner] Heat of a node at the end of each full window of AMP_HEAT_WINDOW frames: own = energy of h in the window (J) and total =
 * accumulated H (J), both summed over batches; temperature = T of the hottest batch (K above ambient, NaN without thermal constants).
 * Each array has `capacity` doubles or is NULL; *count receives the number of windows. */
AMP_API amp_status amp_graph_runtime_heat(amp_graph_runtime *runtime, const char *node, double *own, double *total, double *temperature,
                                          size_t capacity, size_t *count);
/* cffi-end */

#ifdef __cplusplus
}
#endif
#endif
