/* The runtime: one compiled graph with its memory. The caller owns it. Runtimes are independent and may be used in different threads.
 * Life cycle: create -> [set_schedule] -> configure -> [bind_input, set_history, set_param]* -> execute* -> (configure ...) -> destroy.
 * Failure: record in `error` for amp_graph_runtime_create, which sets *runtime to NULL first; in the runtime for all others. A failed
 * execute has written the frames before the fault, and a failed snapshot `*size`. */
#ifndef AMP_RUN_H
#define AMP_RUN_H
#include "graph.h"

#ifdef __cplusplus
extern "C" {
#endif

/* cffi-begin */
typedef struct amp_graph_runtime amp_graph_runtime;

#define AMP_RUN_STOP_NONFINITE 1u   /* stop at the first NaN or Inf, with AMP_E_NONFINITE */
#define AMP_RUN_HEAT 2u             /* compute heat; the sound is the same */
#define AMP_RUN_TRACE 4u            /* record firings in the event ring */
#define AMP_RUN_NO_METRICS 8u       /* do not time nodes */

#define AMP_MOST_THREADS 256u

/* Owned by the caller, read during configure. */
typedef struct amp_config {
    uint32_t struct_size;      /* sizeof(amp_config) */
    uint32_t batches;          /* >= 1 */
    uint32_t block_frames;     /* frames per block; 0: chosen from the size of the working set */
    uint32_t flags;            /* AMP_RUN_*; any other bit is AMP_E_INVALID_ARG */
    uint32_t trace_capacity;   /* events the trace ring can hold; 0: 65536 when tracing */
    uint32_t batch_offset;     /* logical number of the first batch, if batches are rendered separately (it selects noise) */
    uint32_t threads;          /* most threads of one execute, the calling thread included, up to AMP_MOST_THREADS; 0: as many as the
                                * process may use. The bits do not depend on it. Since 1.2; a shorter record means 1 */
} amp_config;

/* An output to record during one execute. Owned by the caller, with its buffer. */
typedef struct amp_tap {
    uint32_t    struct_size;   /* sizeof(amp_tap) */
    uint32_t    reserved;
    const char *node;          /* name */
    const char *port;          /* key; NULL: the first output */
    amp_buffer  buffer;        /* receives the frames of this call; shape (batches, channels of the port, >= frames) */
} amp_tap;

/* [any] Loads both blobs and creates a runtime, which the caller owns. A plan that does not match the descriptors is AMP_E_DRIFT naming
 * the first node that differs. NULL, 0 for the plan: it is compiled. */
AMP_API amp_status amp_graph_runtime_create(const void *descriptors, size_t descriptors_size, const void *plan, size_t plan_size,
                                            amp_graph_runtime **runtime, amp_error *error);
AMP_API void       amp_graph_runtime_destroy(amp_graph_runtime *runtime);                       /* [owner] NULL is allowed */

/* [owner] Phase: before configure; a configured runtime must be configured again. Sets the schedule (graph.h); the blob is copied. NULL, 0:
 * the plan's own order, every node alone. Without this call the runtime follows the derived schedule (amp_schedule_derive). A schedule has
 * each node exactly once. A node reads only nodes of earlier stages and of its own feedback loop, all nodes of which are in one stage.
 * Members of a cohort have equal types, fixed parameters, edges, delays and gates. Malformed bytes are AMP_E_BLOB; a broken rule is
 * AMP_E_INVALID_ARG naming the two nodes, the rule and the cure. Bound inputs and parameters are kept. Traces, flight records and faults
 * identify nodes by their places in the plan, whatever the schedule. Since 1.2. */
AMP_API amp_status amp_graph_runtime_set_schedule(amp_graph_runtime *runtime, const void *blob, size_t size);

/* [owner] Phase: any. Allocates all memory for a number of batches and a block size, and resets clock, states, rings and metrics to frame
 * 0. Bound inputs, histories and parameters set before the first frame are kept; parameter changes at later frames are dropped.
 * execute allocates nothing afterwards. Threads are started here, no more than graph and batches can keep busy, and end with the runtime;
 * with a trace or a flight record only the calling thread executes, as in a forked process. */
AMP_API amp_status amp_graph_runtime_configure(amp_graph_runtime *runtime, const amp_config *config);

/* [owner] Phase: configured or executing. Sets a parameter; the value, of shape (B|1, C|1, N|1), is copied. It takes effect at logical
 * frame `at_frame` of the node; at_frame < 0: at the earliest possible frame, which is 0 before the first execute and later position +
 * latency of the graph. A frame before that is AMP_E_INVALID_ARG naming it. The frame axis of a value is indexed by the logical frame;
 * after its end the last value is used. A matrix has shape (B|1, rows, columns), as in the graph. Another shape is AMP_E_SHAPE. */
AMP_API amp_status amp_graph_runtime_set_param(amp_graph_runtime *runtime, const char *node, const char *key,
                                               const amp_buffer *value, int64_t at_frame);
AMP_API amp_status amp_graph_runtime_clear_params(amp_graph_runtime *runtime);                  /* [owner] the descriptors' values again */

/* [owner] Phase: configured or executing. Binds the samples that an `input` node plays, with 1 or B batches. The caller owns the memory and
 * must keep it until the next bind of that node or destroy. After the last frame the node outputs zeros. */
AMP_API amp_status amp_graph_runtime_bind_input(amp_graph_runtime *runtime, const char *node, const amp_buffer *samples);

/* [owner] Phase: created or configured, before the first execute. Sets the control history (history.h); the blob is copied. It must have
 * exactly the curves that the plan names; the message names missing and extra ones. */
AMP_API amp_status amp_graph_runtime_set_history(amp_graph_runtime *runtime, const void *blob, size_t size);

/* [owner] Phase: configured or executing. Renders the next `frames` frames into `out` (may be NULL), of shape (batches, channels of the
 * output node, >= frames), and into the taps. Inputs and curves are read ahead by the latency of the graph. Allocates nothing: heat records
 * use address space that configure reserved; if those of a call do not fit, it is AMP_E_NOMEM before its first frame. Most taps: one per
 * output and one more, but at least 64; more are AMP_E_INVALID_ARG. After a failure the frames delivered before it are valid;
 * amp_graph_runtime_position returns their number. */
AMP_API amp_status amp_graph_runtime_execute(amp_graph_runtime *runtime, int64_t frames, const amp_buffer *out,
                                             const amp_tap *taps, uint32_t n_taps);
AMP_API int64_t    amp_graph_runtime_position(const amp_graph_runtime *runtime);                /* [owner] frames delivered so far */
AMP_API uint32_t   amp_graph_runtime_block_frames(const amp_graph_runtime *runtime);            /* [owner] block size in use, frames */
/* [owner] Number of threads of execute, the calling thread included. Since 1.2. */
AMP_API uint32_t   amp_graph_runtime_threads(const amp_graph_runtime *runtime);
/* [any+rt] Makes a running execute, or else the next one, return AMP_E_PENDING between two slices. */
AMP_API void       amp_graph_runtime_cancel(amp_graph_runtime *runtime);
/* [owner] Channels of an output; -1: unknown node or port. `port` NULL: the first output. */
AMP_API int32_t    amp_graph_runtime_port_channels(const amp_graph_runtime *runtime, const char *node, const char *port);

/* [owner] Phase: configured or executing. Saves everything that the next frames depend on, except inputs and control histories: clock,
 * states, tokens that edges hold, parameters in force and queued, heat. `out` NULL: `*size` receives the number of bytes needed. Otherwise
 * `out` is the caller's memory of `capacity` bytes; if it is too small, the call is AMP_E_INVALID_ARG and `*size` is the number needed. A
 * runtime that stopped with an error cannot be saved. The blob has magic, version, length and checksum as in graph.h; only
 * amp_graph_runtime_restore reads its payload. */
AMP_API amp_status amp_graph_runtime_snapshot(amp_graph_runtime *runtime, void *out, size_t capacity, size_t *size);

/* [owner] Phase: configured or executing. Continues where the snapshot was taken, with the same bits, in any process and with any block
 * size. The blob is only read. Plan, batches, batch_offset, AMP_RUN_HEAT and the schedule must be those of the snapshot (another schedule
 * is AMP_E_INVALID_ARG); other flags may differ. The snapshot has neither inputs nor control histories: set the history before (a graph
 * with curves is AMP_E_INVALID_ARG without one), bind inputs before or after. Times, calls, clamped values and the trace count from this
 * call on. Allocates like configure. Malformed bytes are AMP_E_BLOB saying where, another plan AMP_E_DRIFT naming both digests.
 * With AMP_RUN_STOP_NONFINITE a snapshot is AMP_E_NONFINITE, with the place, if a frame that was made and not delivered is NaN or Inf:
 * a runtime without that flag may have made it. */
AMP_API amp_status amp_graph_runtime_restore(amp_graph_runtime *runtime, const void *blob, size_t size);

/* [owner] Copies the last failure of this runtime to the caller's record; `code` is AMP_OK if there is none. */
AMP_API void       amp_graph_runtime_last_error(const amp_graph_runtime *runtime, amp_error *error);
/* cffi-end */

#ifdef __cplusplus
}
#endif
#endif
