/* Streams: a graph that runs until input runs out. Samples are pushed into its inputs; frames are pulled from its output and from any
 * number of taps, each at its own pace. The bits are those of one render over the same samples, however they are pushed and pulled.
 *
 * Every output keeps its tokens in a ring until its slowest reader has read them. A full ring that blocks a pull doubles in size, with all
 * its tokens, up to limit_frames; after that the pull, or the push, is AMP_E_FULL naming the ring and the reader that does not read.
 * All frame numbers are logical frames of the render: processing latency is compensated.
 *
 * Life cycle: create -> [set_history, bind_input, set_param, open_tap]* -> [push, end, set_param, extend, pull, ...]* -> destroy. The
 * caller owns the stream. Functions tagged [stream] may be called from any thread between create and destroy; a mutex admits one at a time.
 * Failure: record in `error`. *stream is set to NULL first. A failed pull has written `*got` frames and counts them as read; frames that
 * pull and advance made stay in the rings; other outputs are not written.
 * Making frames allocates only when a ring grows. Streams compute no heat. */
#ifndef AMP_STREAM_H
#define AMP_STREAM_H
#include "diag.h"
#include "history.h"
#include "metrics.h"

#ifdef __cplusplus
extern "C" {
#endif

/* cffi-begin */
typedef struct amp_stream amp_stream;

/* Owned by the caller, read during amp_stream_create. */
typedef struct amp_stream_config {
    uint32_t struct_size;      /* sizeof(amp_stream_config) */
    uint32_t batches;          /* >= 1 */
    uint32_t block_frames;     /* most frames of one firing; 0: chosen automatically */
    uint32_t flags;            /* AMP_RUN_*, without AMP_RUN_HEAT */
    uint32_t trace_capacity;   /* as in amp_config */
    uint32_t batch_offset;     /* as in amp_config */
    int64_t  ring_frames;      /* frames a new ring can hold, in addition to its edges' delays; 0: enough for the plan */
    int64_t  limit_frames;     /* most frames a ring grows to; 0: 1048576 */
} amp_stream_config;

#define AMP_TAP_LOSSLESS 0     /* every frame is kept until it is read */
#define AMP_TAP_LATEST 1       /* the newest `keep_frames` frames are kept; older ones are skipped and counted. Never blocks the graph */

#define AMP_PULL_READY 1u      /* deliver only frames that are ready; run no node */

/* State of a tap. Owned by the caller, filled by amp_stream_tap_info. */
typedef struct amp_stream_tap {
    uint32_t struct_size;      /* sizeof(amp_stream_tap) */
    uint32_t policy;           /* AMP_TAP_* */
    char     node[96];         /* name of the node */
    char     port[64];         /* key of its output */
    int64_t  position;         /* the frame it reads next */
    int64_t  ready;            /* frames it can read now */
    int64_t  skipped;          /* frames that were dropped before it read them */
    int64_t  underruns;        /* pulls that received fewer frames than requested */
} amp_stream_tap;

/* State of a ring. Owned by the caller, filled by amp_stream_ring_info. */
typedef struct amp_stream_ring {
    uint32_t struct_size;      /* sizeof(amp_stream_ring) */
    uint32_t grown;            /* times it was doubled */
    char     node[96];         /* name of the node that writes it */
    char     port[64];         /* key of that node's output */
    char     reader[96];       /* ring of an edge with initial tokens of its own: the node it leads to; otherwise "" */
    int64_t  capacity;         /* frames it can hold now */
    int64_t  limit;            /* frames it can grow to */
    int64_t  fill;             /* frames it holds now */
    int64_t  most;             /* most frames it has held */
} amp_stream_ring;

/* [any] Loads both blobs like amp_graph_runtime_create and allocates the stream, which the caller owns. Both blobs are only read. */
AMP_API amp_status amp_stream_create(const void *descriptors, size_t descriptors_size, const void *plan, size_t plan_size,
                                     const amp_stream_config *config, amp_stream **stream, amp_error *error);
AMP_API void       amp_stream_destroy(amp_stream *stream);                                      /* [owner] NULL is allowed */

/* [stream] Phase: before the first frame. Sets the control history (history.h); the blob is copied. It must have exactly the curves that
 * the plan names. */
AMP_API amp_status amp_stream_set_history(amp_stream *stream, const void *blob, size_t size, amp_error *error);
/* [stream] Appends points to a curve; times (s) and values are copied. They must not be before its last point and must not change a frame
 * that was already sampled: if frames after the last point were sampled, the first new point must have the last point's value (any value
 * for AMP_CURVE_HOLD) and must be later than those frames. */
AMP_API amp_status amp_stream_extend(amp_stream *stream, const char *curve, const double *times, const double *values, size_t count,
                                     amp_error *error);
/* [stream] Phase: before the first frame. An `input` node plays these samples, then silence; it cannot be pushed to. The caller owns the
 * memory and must keep it until destroy. */
AMP_API amp_status amp_stream_bind_input(amp_stream *stream, const char *node, const amp_buffer *samples, amp_error *error);

/* [stream] Sets a parameter; the value, of shape (B|1, C|1, 1) or a matrix, is copied. It takes effect at frame `at_frame` of the node;
 * at_frame < 0: at the first frame that the node has not fired (amp_stream_clock). An earlier frame is AMP_E_INVALID_ARG naming that one.
 * `frame` (may be NULL) receives the frame. Before anything was fired or pushed, a value may have a frame axis. */
AMP_API amp_status amp_stream_set_param(amp_stream *stream, const char *node, const char *key, const amp_buffer *value, int64_t at_frame,
                                        int64_t *frame, amp_error *error);
/* [stream] Sets `count` parameters (at least one) of one node like amp_stream_set_param, all from the same frame on; all or none. */
AMP_API amp_status amp_stream_set_params(amp_stream *stream, const char *node, const char *const *keys, const amp_buffer *values,
                                         size_t count, int64_t at_frame, int64_t *frame, amp_error *error);

/* [stream] Appends samples of shape (B|1, C, N) to an `input` node; they are copied. All or none: AMP_E_FULL if the ring would exceed its
 * limit, AMP_E_NONFINITE if a sample is not finite and the stream has AMP_RUN_STOP_NONFINITE. */
AMP_API amp_status amp_stream_push(amp_stream *stream, const char *node, const amp_buffer *samples, amp_error *error);
/* [stream] Ends an `input` node: it plays zeros from here on. */
AMP_API amp_status amp_stream_end(amp_stream *stream, const char *node, amp_error *error);

/* [stream] Opens a tap: a reader of an output port (port NULL: the first; node NULL: the graph's output), from the port's next frame on.
 * `keep_frames` is for AMP_TAP_LATEST only. A lossless tap must be read or closed: otherwise its ring fills up. `tap` receives its
 * number. */
AMP_API amp_status amp_stream_open_tap(amp_stream *stream, const char *node, const char *port, uint32_t policy, int64_t keep_frames,
                                       uint32_t *tap, amp_error *error);
/* [stream] Closes a tap; a tap opened later may have its number. */
AMP_API amp_status amp_stream_close_tap(amp_stream *stream, uint32_t tap, amp_error *error);

/* [stream] Writes the next `out->frames` frames of a tap to `out` (batches, channels of the port, frames), the caller's memory. For a
 * lossless tap missing frames are made, unless `flags` has AMP_PULL_READY; an AMP_TAP_LATEST tap delivers the newest frames it keeps.
 * `*got` receives the number of frames written, also on failure; they count as read. Fewer frames than requested are AMP_E_PENDING naming
 * the inputs (and gates) that are waited for, AMP_E_FULL naming a ring that cannot grow and its reader, or, after all frames before it
 * were read, the fault that stopped the stream; with AMP_PULL_READY or AMP_TAP_LATEST they are AMP_OK. Each such pull is an underrun. */
AMP_API amp_status amp_stream_pull(amp_stream *stream, uint32_t tap, const amp_buffer *out, uint32_t flags, int64_t *got, amp_error *error);
/* [stream] Makes frames until `ahead` of them are ready for a lossless tap, but at most about `most` in this call. `ready` (may be NULL)
 * receives the number of ready frames. Fails like amp_stream_pull. */
AMP_API amp_status amp_stream_advance(amp_stream *stream, uint32_t tap, int64_t ahead, int64_t most, int64_t *ready, amp_error *error);

/* [stream] Frames that a node has fired, or that were pushed into it; -1: unknown node. */
AMP_API int64_t    amp_stream_clock(amp_stream *stream, const char *node);
/* [stream] Channels of an output, like amp_graph_runtime_port_channels. */
AMP_API int32_t    amp_stream_port_channels(amp_stream *stream, const char *node, const char *port);
AMP_API uint32_t   amp_stream_ring_count(amp_stream *stream);                                   /* [stream] number of rings */
/* [stream] State of ring number `ring`, from 0. */
AMP_API amp_status amp_stream_ring_info(amp_stream *stream, uint32_t ring, amp_stream_ring *out, amp_error *error);
/* [stream] State of a tap. */
AMP_API amp_status amp_stream_tap_info(amp_stream *stream, uint32_t tap, amp_stream_tap *out, amp_error *error);
/* [stream] Attaches a flight record, which must outlive the stream; NULL detaches it. */
AMP_API void       amp_stream_set_flight(amp_stream *stream, amp_flight *flight);
/* [stream] Copies firings, oldest first, like amp_graph_runtime_trace; a push counts as a firing. */
AMP_API amp_status amp_stream_trace(amp_stream *stream, amp_trace_event *out, size_t capacity, size_t *count, uint64_t *dropped,
                                    amp_error *error);
/* cffi-end */

#ifdef __cplusplus
}
#endif
#endif
