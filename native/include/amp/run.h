/* The runtime: one compiled graph with its memory. Several runtimes in several threads are independent.
 * Life: create -> [set_schedule] -> configure -> [bind_input, set_history, set_param]* -> execute* -> (configure again ...) -> destroy.
 * Failure: record in `error` for amp_graph_runtime_create, which sets *runtime to NULL first; in the runtime for all others. execute has
 * written the frames before the fault, and snapshot `*size`. */
#ifndef AMP_RUN_H
#define AMP_RUN_H
#include "graph.h"

#ifdef __cplusplus
extern "C" {
#endif

/* cffi-begin */
typedef struct amp_graph_runtime amp_graph_runtime;

#define AMP_RUN_STOP_NONFINITE 1u   /* stop at the first NaN or Inf with AMP_E_NONFINITE */
#define AMP_RUN_HEAT 2u             /* compute heat; the sound does not depend on it */
#define AMP_RUN_TRACE 4u            /* record firings in the event ring */
#define AMP_RUN_NO_METRICS 8u       /* do not time nodes */

#define AMP_MOST_THREADS 256u

typedef struct amp_config {
    uint32_t struct_size;      /* sizeof(amp_config) */
    uint32_t batches;          /* >= 1 */
    uint32_t block_frames;     /* 0: chosen from the working set */
    uint32_t flags;            /* AMP_RUN_*; any other bit is AMP_E_INVALID_ARG */
    uint32_t trace_capacity;   /* events; 0: 65536 when tracing */
    uint32_t batch_offset;     /* logical number of the first batch, for batches rendered apart (noise) */
    uint32_t threads;          /* most that execute at a time, the caller's included, up to AMP_MOST_THREADS; 0: as many as the process
                                * may use. The bits are the same. Since 1.2; a shorter record stands for 1 */
} amp_config;

typedef struct amp_tap {
    uint32_t    struct_size;   /* sizeof(amp_tap) */
    uint32_t    reserved;
    const char *node;
    const char *port;          /* NULL: the first output */
    amp_buffer  buffer;        /* receives the frames of this call; shape (batches, channels of the port, >= frames) */
} amp_tap;

/* [any] Loads both blobs. A plan that does not belong to the descriptors is AMP_E_DRIFT naming the first node that differs.
 * `plan` may be NULL with plan_size 0: it is compiled. */
AMP_API amp_status amp_graph_runtime_create(const void *descriptors, size_t descriptors_size, const void *plan, size_t plan_size,
                                            amp_graph_runtime **runtime, amp_error *error);
AMP_API void       amp_graph_runtime_destroy(amp_graph_runtime *runtime);                       /* [owner] NULL is fine */

/* [owner] Phase: before configure; a runtime that was configured has to be configured again. Follows the schedule of the blob (graph.h),
 * which is copied; NULL, 0: the plan's own order, every node alone. Never called: the derived one (amp_schedule_derive). Each node stands
 * in a schedule once; it reads nodes of earlier stages only, and of its own feedback loop, which stands in one stage; members of a cohort
 * agree in type, fixed parameters, edges, delays and gates. Malformed bytes are AMP_E_BLOB, a broken rule is AMP_E_INVALID_ARG naming the
 * two nodes, the rule and the cure; both change nothing. Bound inputs and parameters stay. Traces, flight records and faults go on
 * naming nodes by their places in the plan. Since 1.2. */
AMP_API amp_status amp_graph_runtime_set_schedule(amp_graph_runtime *runtime, const void *blob, size_t size);

/* [owner] Allocates for a batch and block size, and resets clock, states, rings and metrics to frame 0.
 * Bound inputs, histories and parameters set before the first frame stay; changes made or waiting for later frames are
 * forgotten. Nothing is allocated by execute afterwards. Threads are started here, no more than the graph and its batch keep busy, and
 * end with the runtime; a trace or a flight record keeps to the caller's. In a fork of the process there is only the caller's. */
AMP_API amp_status amp_graph_runtime_configure(amp_graph_runtime *runtime, const amp_config *config);

/* [owner] Value (B|1, C|1, N|1); copied. Takes effect at logical frame `at_frame` of the node, or as soon as can be if at_frame < 0:
 * at frame 0 before the first execute, later at position + latency of the graph. An earlier frame is AMP_E_INVALID_ARG naming that one.
 * A frame axis is indexed by the logical frame and holds its last value beyond its end. A matrix is (B|1, rows, columns) of the shape it
 * has in the graph. A shape that does not fit is AMP_E_SHAPE and changes nothing. */
AMP_API amp_status amp_graph_runtime_set_param(amp_graph_runtime *runtime, const char *node, const char *key,
                                               const amp_buffer *value, int64_t at_frame);
AMP_API amp_status amp_graph_runtime_clear_params(amp_graph_runtime *runtime);                  /* [owner] back to the descriptors' values */

/* [owner] Gives an `input` node its samples; the memory is borrowed until the next bind of that node or destroy.
 * Past its end the node reads zeros. Batches: 1 or B. Call after configure (batches are checked). */
AMP_API amp_status amp_graph_runtime_bind_input(amp_graph_runtime *runtime, const char *node, const amp_buffer *samples);

/* [owner] Control history blob (history.h); copied. Every curve the plan names must be there, and no other: the message names those that differ. */
AMP_API amp_status amp_graph_runtime_set_history(amp_graph_runtime *runtime, const void *blob, size_t size);

/* [owner] Inputs and curves are read ahead by the latency of the graph. Renders the next `frames` frames into `out` (may be NULL) and into the taps. `out` has shape (batches, channels of the
 * output node, >= frames). Allocates nothing: heat records stand in address space that configure reserved, and a call whose records do not
 * fit there is AMP_E_NOMEM before its first frame. Taps: one per output and one more, or 64 if that is more; further ones are AMP_E_INVALID_ARG.
 * Stops with a status; frames delivered before stay valid and amp_graph_runtime_position tells how many. */
AMP_API amp_status amp_graph_runtime_execute(amp_graph_runtime *runtime, int64_t frames, const amp_buffer *out,
                                             const amp_tap *taps, uint32_t n_taps);
AMP_API int64_t    amp_graph_runtime_position(const amp_graph_runtime *runtime);                /* [owner] frames delivered */
AMP_API uint32_t   amp_graph_runtime_block_frames(const amp_graph_runtime *runtime);            /* [owner] the block in use */
AMP_API uint32_t   amp_graph_runtime_threads(const amp_graph_runtime *runtime);                 /* [owner] that execute, the caller's included; since 1.2 */
AMP_API void       amp_graph_runtime_cancel(amp_graph_runtime *runtime);                        /* [any+rt] makes execute return AMP_E_PENDING after its block */
AMP_API int32_t    amp_graph_runtime_port_channels(const amp_graph_runtime *runtime, const char *node, const char *port); /* [owner] -1 unknown; NULL port: first output */

/* [owner] Phase: configured or executing. All that the next frames depend on besides inputs and control histories: clock, states, what
 * edges hold, parameters in force and waiting, heat. `out` NULL: `*size` receives the bytes needed. Otherwise `out` is the caller's memory
 * of `capacity` bytes; too few are AMP_E_INVALID_ARG, and `*size` says how many. A runtime that stopped with an error has none.
 * The blob has magic, version, length and checksum like the others (graph.h); its payload is for this call's counterpart only. */
AMP_API amp_status amp_graph_runtime_snapshot(amp_graph_runtime *runtime, void *out, size_t capacity, size_t *size);

/* [owner] Phase: configured or executing. Goes on where the snapshot was taken, with the same bits, in any process and with any block size.
 * The blob is only read. Plan, batches, batch_offset and AMP_RUN_HEAT must be those of the snapshot; other flags may differ. Inputs and
 * control histories are not in it: set the history before (a graph with curves is AMP_E_INVALID_ARG without), bind inputs before or after.
 * The order nodes fire in is part of the memory: a snapshot of another schedule is AMP_E_INVALID_ARG.
 * Times, calls, clamped values and the trace are this runtime's own and count from here. Allocates like configure.
 * Malformed bytes are AMP_E_BLOB saying where, another plan AMP_E_DRIFT naming both digests; a blob that is refused changes nothing.
 * A runtime with AMP_RUN_STOP_NONFINITE refuses frames that are made and not delivered if one is NaN or Inf (AMP_E_NONFINITE, with its
 * place): a snapshot of a runtime without that flag may hold such. */
AMP_API amp_status amp_graph_runtime_restore(amp_graph_runtime *runtime, const void *blob, size_t size);

/* [owner] The last failure of this runtime; AMP_OK in `code` if none. */
AMP_API void       amp_graph_runtime_last_error(const amp_graph_runtime *runtime, amp_error *error);
/* cffi-end */

#ifdef __cplusplus
}
#endif
#endif
