/* Node contracts: what a node type promises. The tables stand beside the kernels in native/nodes and are
 * immutable static data for the life of the process; they are never freed.
 * Failure: no call here can fail. */
#ifndef AMP_NODE_H
#define AMP_NODE_H
#include "buffer.h"

#ifdef __cplusplus
extern "C" {
#endif

/* cffi-begin */
#define AMP_PARAM_NUMBER 0     /* real, may vary per batch, channel and frame as `rate` allows */
#define AMP_PARAM_ENUM 1       /* one of `choices`, fixed while rendering */
#define AMP_PARAM_INTEGER 2    /* whole number, fixed while rendering */
#define AMP_PARAM_TEXT 3       /* utf-8 text, fixed while rendering (a curve's name, a file's name) */
#define AMP_PARAM_MATRIX 4     /* C_out x C_in numbers, at most one per node: a tensor whose channels are rows and whose frames are
                                * columns, (B|1, C_out, C_in); its values change through set_param, its shape never. Default 1 x 1. */

#define AMP_RATE_FIXED 0       /* set in the descriptor only */
#define AMP_RATE_BATCH 1       /* may differ per batch and channel, constant over frames */
#define AMP_RATE_FRAME 2       /* may change every frame; can be modulated */

#define AMP_SCALE_LINEAR 0
#define AMP_SCALE_LOG 1

#define AMP_RANGE_ERROR 0      /* a value out of range is AMP_E_INVALID_ARG naming node, parameter and frame */
#define AMP_RANGE_CLAMP 1      /* clamped; values that move over frames are counted in amp_node_metrics.clamped_values */

#define AMP_CHANNELS_MATCH 0   /* as many as the node has */
#define AMP_CHANNELS_MONO 1
#define AMP_CHANNELS_STEREO 2
#define AMP_CHANNELS_ANY 3     /* input: 1 or 2 and the node decides; see the node's doc */

/* How the edges of an input port meet, in slot order. Edges are as wide as the channels they carry. */
#define AMP_GATHER_SUM 0       /* added, from the lowest slot on; a lone channel reaches all */
#define AMP_GATHER_MEAN 1      /* the sum times 1/k, k the number of edges */
#define AMP_GATHER_CONCAT 2    /* stacked: the port is as wide as all edges together */
#define AMP_GATHER_MATRIX 3    /* stacked; the port must be as wide as the node's matrix has columns */
#define AMP_GATHER_FIRST 4     /* the edge with the lowest slot; the others are dead: legal, unread, listed by the plan */

/* How the channels of an output port leave by its audio edges. Modulations and taps read the whole port. */
#define AMP_SCATTER_BROADCAST 0 /* every edge carries all, or the one it picks */
#define AMP_SCATTER_SPLIT 1     /* every edge carries the one channel it names, no two the same */
#define AMP_SCATTER_MATRIX 2    /* broadcast; the port is as wide as the node's matrix has rows */

/* What an output's frame n of batch b is made of besides frame n of batch b (and the past). */
#define AMP_MAP_NONE 0
#define AMP_MAP_BATCHES 1      /* all batches; a graph with such a port runs its batches together */
#define AMP_MAP_FRAMES 2       /* frames picked by their logical number */

/* Planned: how the node will be differentiated. Nothing runs backward yet. */
#define AMP_ADJOINT_EXACT 0
#define AMP_ADJOINT_SUBGRADIENT 1
#define AMP_ADJOINT_NOT_DIFFERENTIABLE 2
#define AMP_ADJOINT_UNSUPPORTED 3

#define AMP_IO_NONE 0
#define AMP_IO_SOURCE 1        /* samples are bound to the node (amp_graph_runtime_bind_input), or pushed into it */
#define AMP_IO_SINK 2          /* delivers a signal as the graph's result */

#define AMP_LAW_BLOCK_INVARIANT 1u   /* same bits for every cut of time */
#define AMP_LAW_LINEAR 2u            /* superposition holds for fixed parameters */
#define AMP_LAW_TIME_INVARIANT 4u    /* a delayed input gives the delayed output, parameters fixed */
#define AMP_LAW_BOUNDED 8u           /* |output| stays within the value of bound_param, within 1 without one */
#define AMP_LAW_SILENCE 16u          /* silence in, silence out (from the start state) */

typedef struct amp_param_contract {
    const char        *key;         /* stable id, unit in the name: cutoff_hz */
    const char        *unit;        /* Hz, s, dB, cycles, 1, "" for enums and text */
    const char        *doc;
    uint32_t           kind;        /* AMP_PARAM_* */
    uint32_t           scale;       /* AMP_SCALE_*, for widgets */
    uint32_t           rate;        /* AMP_RATE_* */
    uint32_t           range;       /* AMP_RANGE_* */
    double             low;
    double             high;
    uint32_t           high_is_fs;  /* 1: the upper limit is high * sample_rate */
    uint32_t           n_choices;
    double             value;       /* default; for enums the index into choices */
    const char *const *choices;
} amp_param_contract;

typedef struct amp_port_contract {
    const char *key;
    const char *doc;
    uint32_t    channels;      /* AMP_CHANNELS_* */
    uint32_t    gather;        /* inputs: AMP_GATHER_*; outputs: AMP_SCATTER_* */
    uint32_t    optional;      /* inputs: 1 if it may stay unconnected */
    uint32_t    map;           /* outputs: AMP_MAP_* */
    double      neutral;       /* value read when unconnected */
} amp_port_contract;

typedef struct amp_case_contract {
    const char *key;
    const char *stimulus;      /* none | impulse | step | sine | sweep | noise | ramp | gate */
    const char *params;        /* "cutoff_hz=1000 q=2 mode=lowpass" */
    uint32_t    channels;
    uint32_t    frames;
    const char *comparator;    /* of its golden: exact | max_abs | rms_db | snr_db | spectral_db | lag_frames */
    double      tolerance;     /* exact: 0; max_abs: absolute; *_db: dB; lag_frames: frames */
    const char *reason;        /* why that comparator and tolerance */
} amp_case_contract;

typedef struct amp_node_contract {
    uint32_t                  struct_size;
    uint32_t                  revision;       /* raised when the sound changes */
    const char               *id;             /* stable type id: svf */
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
    int64_t                   latency_frames; /* declared processing latency with default parameters at 48 kHz; the plan has a node's own */
    uint32_t                  oversample_max; /* reserved: 1, nodes run at the sample rate */
    uint32_t                  adjoint;        /* AMP_ADJOINT_*, planned */
    const char               *heat;           /* formula of its own heat in words, "" for none */
    uint32_t                  laws;           /* AMP_LAW_* bits */
    uint32_t                  has_channels;   /* 1: a source whose `channels` parameter fixes its channel count */
    /* since 1.3: what the node is to its graph. Parameters are given by place plus 1, 0: there is none. */
    uint32_t                  io;             /* AMP_IO_* */
    uint32_t                  curve_param;    /* the text that names the control curve the node plays */
    uint32_t                  channels_param; /* the integer that says how many channels a source makes */
    uint32_t                  limited_param;  /* its values may not exceed */
    uint32_t                  limit_param;    /* that of this one, which is fixed */
    uint32_t                  bound_param;    /* since 1.5, of AMP_LAW_BOUNDED: a number */
} amp_node_contract;

AMP_API uint32_t                 amp_node_count(void);                 /* [any] */
AMP_API const amp_node_contract *amp_node_at(uint32_t index);          /* [any] NULL past the end; ordered by id */
AMP_API const amp_node_contract *amp_describe_node(const char *id);    /* [any] NULL if unknown */
AMP_API uint64_t                 amp_node_digest(const char *id);      /* [any] of what changes sound or validity; 0 if unknown */
/* cffi-end */

#ifdef __cplusplus
}
#endif
#endif
