/* Node contracts: what a node type declares. The tables are next to the kernels in native/nodes. The library owns them: they are constant
 * for the life of the process and never freed.
 * Failure: no call here can fail. */
#ifndef AMP_NODE_H
#define AMP_NODE_H
#include "buffer.h"

#ifdef __cplusplus
extern "C" {
#endif

/* cffi-begin */
#define AMP_PARAM_NUMBER 0     /* real number; may differ per batch, channel and frame, as far as `rate` allows */
#define AMP_PARAM_ENUM 1       /* one of `choices`; set in the descriptor only */
#define AMP_PARAM_INTEGER 2    /* integer; set in the descriptor only */
#define AMP_PARAM_TEXT 3       /* UTF-8 text (name of a curve or a file); set in the descriptor only */
#define AMP_PARAM_MATRIX 4     /* C_out x C_in numbers, at most one per node: a tensor whose channels are rows and whose frames are
                                * columns, (B|1, C_out, C_in). set_param changes its values; its shape is fixed. Default 1 x 1. */

#define AMP_RATE_FIXED 0       /* set in the descriptor only */
#define AMP_RATE_BATCH 1       /* may differ per batch and channel, constant over frames */
#define AMP_RATE_FRAME 2       /* may change every frame; can be modulated */

#define AMP_SCALE_LINEAR 0
#define AMP_SCALE_LOG 1

#define AMP_RANGE_ERROR 0      /* a value out of range is AMP_E_INVALID_ARG naming node, parameter and frame */
#define AMP_RANGE_CLAMP 1      /* clamped; values that change per frame are counted in amp_node_metrics.clamped_values */

#define AMP_CHANNELS_MATCH 0   /* the channel count of the node */
#define AMP_CHANNELS_MONO 1
#define AMP_CHANNELS_STEREO 2
#define AMP_CHANNELS_ANY 3     /* input: 1 or 2; their meaning is in the node's doc */

/* How an input port combines its edges, in slot order. An edge has as many channels as it carries. */
#define AMP_GATHER_SUM 0       /* the sum, from the lowest slot on; an edge with one channel is added to all channels */
#define AMP_GATHER_MEAN 1      /* the sum times 1/k, k the number of edges */
#define AMP_GATHER_CONCAT 2    /* stacked: the channels of all edges, one after the other */
#define AMP_GATHER_MATRIX 3    /* stacked; the total must be the number of columns of the node's matrix */
#define AMP_GATHER_FIRST 4     /* only the edge with the lowest slot; the others are allowed, never read, and listed by the plan */

/* Which channels of an output port its audio edges carry. Modulations and taps read all channels. */
#define AMP_SCATTER_BROADCAST 0 /* every edge carries all channels, or the one that it names */
#define AMP_SCATTER_SPLIT 1     /* every edge carries the one channel that it names; no two edges name the same */
#define AMP_SCATTER_MATRIX 2    /* like broadcast; the port has as many channels as the node's matrix has rows */

/* What frame n of batch b of an output depends on, in addition to frames up to n of batch b of the inputs. */
#define AMP_MAP_NONE 0         /* nothing else */
#define AMP_MAP_BATCHES 1      /* all batches; a graph with such a port runs its batches together */
#define AMP_MAP_FRAMES 2       /* the logical number of the frame */

/* How the node will be differentiated. Planned: there is no reverse pass yet. */
#define AMP_ADJOINT_EXACT 0
#define AMP_ADJOINT_SUBGRADIENT 1
#define AMP_ADJOINT_NOT_DIFFERENTIABLE 2
#define AMP_ADJOINT_UNSUPPORTED 3

#define AMP_IO_NONE 0
#define AMP_IO_SOURCE 1        /* its samples are bound (amp_graph_runtime_bind_input) or pushed (amp_stream_push) */
#define AMP_IO_SINK 2          /* its input is a result of the graph */

#define AMP_LAW_BLOCK_INVARIANT 1u   /* same bits however time is divided into blocks */
#define AMP_LAW_LINEAR 2u            /* superposition holds for fixed parameters */
#define AMP_LAW_TIME_INVARIANT 4u    /* a delayed input gives the delayed output, parameters fixed */
#define AMP_LAW_BOUNDED 8u           /* |output| <= the value of bound_param, or 1 if there is none */
#define AMP_LAW_SILENCE 16u          /* silent inputs give a silent output, from the start state */

typedef struct amp_param_contract {
    const char        *key;         /* id that never changes, with the unit in the name: cutoff_hz */
    const char        *unit;        /* Hz, s, dB, cycles, 1, "" for enums and text */
    const char        *doc;         /* what it does, as text */
    uint32_t           kind;        /* AMP_PARAM_* */
    uint32_t           scale;       /* AMP_SCALE_* of a slider */
    uint32_t           rate;        /* AMP_RATE_* */
    uint32_t           range;       /* AMP_RANGE_* */
    double             low;         /* lower limit, inclusive */
    double             high;        /* upper limit, inclusive */
    uint32_t           high_is_fs;  /* 1: the upper limit is high * sample_rate */
    uint32_t           n_choices;   /* enums: length of `choices` */
    double             value;       /* default; for enums the index into choices */
    const char *const *choices;     /* enums: the texts that may be given */
} amp_param_contract;

typedef struct amp_port_contract {
    const char *key;           /* id that never changes */
    const char *doc;           /* what it does, as text */
    uint32_t    channels;      /* AMP_CHANNELS_* */
    uint32_t    gather;        /* inputs: AMP_GATHER_*; outputs: AMP_SCATTER_* */
    uint32_t    optional;      /* inputs: 1 if it may stay unconnected */
    uint32_t    map;           /* outputs: AMP_MAP_* */
    double      neutral;       /* value that an unconnected input reads */
} amp_port_contract;

/* One test case: a law test, a golden and a figure. */
typedef struct amp_case_contract {
    const char *key;           /* id that never changes */
    const char *stimulus;      /* none | impulse | step | sine | sweep | noise | ramp | gate */
    const char *params;        /* "cutoff_hz=1000 q=2 mode=lowpass" */
    uint32_t    channels;      /* of the stimulus */
    uint32_t    frames;        /* length of the render */
    const char *comparator;    /* for its golden: exact | max_abs | rms_db | snr_db | spectral_db | lag_frames */
    double      tolerance;     /* exact: 0; max_abs: absolute; *_db: dB; lag_frames: frames */
    const char *reason;        /* why that comparator and tolerance */
} amp_case_contract;

typedef struct amp_node_contract {
    uint32_t                  struct_size;    /* sizeof(amp_node_contract), set by the library */
    uint32_t                  revision;       /* counts from 1; raised when the sound changes */
    const char               *id;             /* type id that never changes: svf */
    const char               *group;          /* source | control | filter | mix | delay | dynamics | io */
    const char               *summary;        /* one line */
    const char               *doc;            /* paragraphs: maths, units, reference */
    const amp_port_contract  *inputs;
    const amp_port_contract  *outputs;
    const amp_param_contract *params;
    const amp_case_contract  *cases;
    uint32_t                  n_inputs;
    uint32_t                  n_outputs;
    uint32_t                  n_params;
    uint32_t                  n_cases;
    int64_t                   latency_frames; /* processing latency with default parameters at 48 kHz; the plan has that of each node */
    uint32_t                  oversample_max; /* reserved: 1, nodes run at the sample rate */
    uint32_t                  adjoint;        /* AMP_ADJOINT_*, planned */
    const char               *heat;           /* formula of its own heat as text, "": none */
    uint32_t                  laws;           /* AMP_LAW_* bits */
    uint32_t                  has_channels;   /* 1: a source whose `channels` parameter fixes its channel count */
    /* Since 1.3: roles in the graph. A role names a parameter by its place plus 1; 0: no parameter has the role. */
    uint32_t                  io;             /* AMP_IO_* */
    uint32_t                  curve_param;    /* text: the name of the control curve that the node plays */
    uint32_t                  channels_param; /* integer: the number of channels of a source */
    uint32_t                  limited_param;  /* number: its values may not exceed the value of limit_param */
    uint32_t                  limit_param;    /* number, set in the descriptor only: the limit of limited_param */
    uint32_t                  bound_param;    /* number: the bound of AMP_LAW_BOUNDED. Since 1.5 */
} amp_node_contract;

AMP_API uint32_t                 amp_node_count(void);                 /* [any] number of node types */
AMP_API const amp_node_contract *amp_node_at(uint32_t index);          /* [any] NULL past the end; ordered by id */
AMP_API const amp_node_contract *amp_describe_node(const char *id);    /* [any] NULL if unknown */
AMP_API uint64_t                 amp_node_digest(const char *id);      /* [any] digest of what changes sound or validity; 0 if unknown */
/* cffi-end */

#ifdef __cplusplus
}
#endif
#endif
