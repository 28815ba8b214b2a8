/* Streams: a graph that runs as far as its data reach. Samples are pushed into its inputs, sound is pulled from its output and from any
 * number of taps, each at its own pace. The bits are those of one render over the same samples, however they are pushed and pulled.
 *
 * Every output keeps its tokens in a ring until its slowest reader has read them. A ring that is full and in the way of a pull grows by
 * doubling, with all its tokens, up to limit_frames; then the pull, or the push, gets AMP_E_FULL naming the ring and who does not read.
 * Frames are logical frames of the render everywhere: processing latency is compensated.
 *
 * Life: create -> [set_history, bind_input, set_param, open_tap]* -> [push, end, set_param, extend, pull, ...]* -> destroy.
 * Functions tagged [stream] may be called from any thread at any time between create and destroy: a mutex lets one in at a time.
 * Failure: record in `error`. *stream is set to NULL first; pull writes `*got` frames and makes them read, and what pull and advance made
 * waits in its rings; other outputs stay unwritten. Nothing is allocated while frames are made, except when a
 * ring grows. Heat is not computed in streams. */
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

typedef struct amp_stream_config {
    uint32_t struct_size;      /* sizeof(amp_stream_config) */
    uint32_t batches;          /* >= 1 */
    uint32_t block_frames;     /* most frames of one firing; 0: chosen */
    uint32_t flags;            /* AMP_RUN_*, without AMP_RUN_HEAT */
    uint32_t trace_capacity;   /* as in amp_config */
    uint32_t batch_offset;     /* as in amp_config */
    int64_t  ring_frames;      /* frames a ring holds at first, beside what its edges' delays keep; 0: enough for the plan */
    int64_t  limit_frames;     /* frames a ring grows to; 0: 1048576 */
} amp_stream_config;

#define AMP_TAP_LOSSLESS 0     /* every frame waits until it is read */
#define AMP_TAP_LATEST 1       /* the newest `keep_frames` frames wait; older ones are skipped and counted. Never holds a node back */

#define AMP_PULL_READY 1u      /* take what is there: make nothing */

typedef struct amp_stream_tap {
    uint32_t struct_size;      /* sizeof(amp_stream_tap) */
    uint32_t policy;           /* AMP_TAP_* */
    char     node[96];
    char     port[64];
    int64_t  position;         /* the frame it reads next */
    int64_t  ready;            /* frames that wait for it */
    int64_t  skipped;          /* frames it never saw */
    int64_t  underruns;        /* pulls that got fewer frames than they asked for */
} amp_stream_tap;

typedef struct amp_stream_ring {
    uint32_t struct_size;      /* sizeof(amp_stream_ring) */
    uint32_t grown;            /* times it was doubled */
    char     node[96];
    char     port[64];
    char     reader[96];       /* an edge with initial tokens of its own: where it leads; else "" */
    int64_t  capacity;         /* frames it may hold now */
    int64_t  limit;            /* and at most */
    int64_t  fill;             /* frames it holds */
    int64_t  most;             /* most it ever held */
} amp_stream_ring;

/* [any] Loads like amp_graph_runtime_create and configures. */
AMP_API amp_status amp_stream_create(const void *descriptors, size_t descriptors_size, const void *plan, size_t plan_size,
                                     const amp_stream_config *config, amp_stream **stream, amp_error *error);
AMP_API void       amp_stream_destroy(amp_stream *stream);                                      /* [owner] NULL is fine */

/* [stream] Control history, before the first frame; copied. Every curve the plan names must be there, and no other. */
AMP_API amp_status amp_stream_set_history(amp_stream *stream, const void *blob, size_t size, amp_error *error);
/* [stream] Further points of a curve: not before its last one, and only where they change no frame that was sampled: what follows the
 * last point after frames behind it were sampled begins with its value again (any value if the curve holds). */
AMP_API amp_status amp_stream_extend(amp_stream *stream, const char *curve, const double *times, const double *values, size_t count,
                                     amp_error *error);
/* [stream] Before the first frame: an `input` node plays these samples (borrowed until destroy), then silence. It is not pushed to. */
AMP_API amp_status amp_stream_bind_input(amp_stream *stream, const char *node, const amp_buffer *samples, amp_error *error);

/* [stream] Value (B|1, C|1, 1), or a matrix; copied. Takes effect at frame `at_frame` of the node, or as soon as can be if at_frame < 0:
 * the first frame it has not fired, which amp_stream_clock tells; an earlier one is AMP_E_INVALID_ARG naming that. `frame` (may be NULL)
 * receives the frame. Before anything was fired or pushed a value may have a frame axis too. */
AMP_API amp_status amp_stream_set_param(amp_stream *stream, const char *node, const char *key, const amp_buffer *value, int64_t at_frame,
                                        int64_t *frame, amp_error *error);
/* [stream] As amp_stream_set_param for `count` parameters of one node, at least one, all from one frame on: all of them or none. */
AMP_API amp_status amp_stream_set_params(amp_stream *stream, const char *node, const char *const *keys, const amp_buffer *values,
                                         size_t count, int64_t at_frame, int64_t *frame, amp_error *error);

/* [stream] The next samples of an `input` node, (B|1, C, N); copied. All of them or none: AMP_E_FULL if the ring would pass its limit,
 * AMP_E_NONFINITE if they are not finite and the stream stops at such values. */
AMP_API amp_status amp_stream_push(amp_stream *stream, const char *node, const amp_buffer *samples, amp_error *error);
/* [stream] No more samples will come: zeros from here on. */
AMP_API amp_status amp_stream_end(amp_stream *stream, const char *node, amp_error *error);

/* [stream] A reader of an output port (port NULL: the first; node NULL: the graph's output) from the next frame it makes on; `keep_frames`
 * matters to AMP_TAP_LATEST. Whoever opens a lossless tap has to read it. `tap` receives its number. */
AMP_API amp_status amp_stream_open_tap(amp_stream *stream, const char *node, const char *port, uint32_t policy, int64_t keep_frames,
                                       uint32_t *tap, amp_error *error);
AMP_API amp_status amp_stream_close_tap(amp_stream *stream, uint32_t tap, amp_error *error);    /* [stream] */

/* [stream] The next `out->frames` frames of a tap into `out` (batches, channels of the port, frames); what is not there yet is made, for
 * a lossless tap, unless flags say AMP_PULL_READY. A latest tap gets the newest frames, as many as there are.
 * `*got` receives how many were written, also on failure: those are read. Fewer than asked for: AMP_E_PENDING naming the inputs (and gates)
 * waited for, AMP_E_FULL naming a ring that may not grow and its reader, or the fault that stopped the stream, once the frames before
 * it are read. With AMP_PULL_READY and from a latest tap fewer frames are AMP_OK. Each is counted as an underrun. */
AMP_API amp_status amp_stream_pull(amp_stream *stream, uint32_t tap, const amp_buffer *out, uint32_t flags, int64_t *got, amp_error *error);
/* [stream] Makes frames until `ahead` of them wait for a lossless tap, but not more than about `most` in this call. `ready` (may be NULL)
 * receives how many wait. Fails like pull. */
AMP_API amp_status amp_stream_advance(amp_stream *stream, uint32_t tap, int64_t ahead, int64_t most, int64_t *ready, amp_error *error);

AMP_API int64_t    amp_stream_clock(amp_stream *stream, const char *node);                      /* [stream] frames it fired or was pushed; -1 unknown */
AMP_API int32_t    amp_stream_port_channels(amp_stream *stream, const char *node, const char *port); /* [stream] like amp_graph_runtime_port_channels */
AMP_API uint32_t   amp_stream_ring_count(amp_stream *stream);                                   /* [stream] */
AMP_API amp_status amp_stream_ring_info(amp_stream *stream, uint32_t ring, amp_stream_ring *out, amp_error *error); /* [stream] */
AMP_API amp_status amp_stream_tap_info(amp_stream *stream, uint32_t tap, amp_stream_tap *out, amp_error *error);    /* [stream] */
AMP_API void       amp_stream_set_flight(amp_stream *stream, amp_flight *flight);               /* [stream] NULL detaches; must outlive the stream */
/* [stream] Firings, oldest first, like amp_graph_runtime_trace; a push is one too. */
AMP_API amp_status amp_stream_trace(amp_stream *stream, amp_trace_event *out, size_t capacity, size_t *count, uint64_t *dropped,
                                    amp_error *error);
/* cffi-end */

#ifdef __cplusplus
}
#endif
#endif
