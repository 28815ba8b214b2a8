// What the engine executes: steps, each with views into the arena and a function that fires it. Plain data only: the
// engine and the kernels of every ISA level include this header.
#pragma once
#include <cstddef>
#include <cstdint>
#include <new>

#include "amp/node.h"
#include "core/signals/curve_segment.hpp"

namespace amp {

// Layouts. The signals of one port are rows; row (c, g) starts at data + c * channel_stride + g * group_stride. Width 1
// ("frame layout"): a group is one batch, frames are contiguous. Width 8 ("lane layout"): a group is eight batches,
// frame i of a row holds eight doubles, one per batch.
inline constexpr int kLanes = 8;
inline constexpr int kMostAdded = 4;         // edges that a kernel with kAdds sums itself
inline constexpr int kMostModulations = 64;  // per parameter

inline uint32_t values_to_line(const double* p) {  // doubles from p to the next start of a cache line
    constexpr uintptr_t kLine = 64 / sizeof(double);
    return static_cast<uint32_t>(-(reinterpret_cast<uintptr_t>(p) / sizeof(double)) % kLine);
}

// How a step reads or writes the rows of a signal. The arena owns views; those into windows move with the block.
struct View {
    double* data = nullptr;      // frame 0 of the current block
    int64_t channel_stride = 0;  // 0: all channels read the same one
    int64_t group_stride = 0;    // 0: all groups read the same one
    // doubles per frame: the width; 0: a value constant over frames, stored as eight equal copies or eight lanes
    int64_t step = 0;
};

// A range of frames to fire: part of one block.
struct Firing {
    // the first frame fired, counted by the node (logical frame); in the engine's own firings in virtual time
    int64_t frame;
    uint32_t offset;  // place of that frame in the block that the views point to
    uint32_t frames;  // number of frames
};

// Bits returned by a firing.
inline constexpr uint32_t kFired = 0;       // no fault
inline constexpr uint32_t kNonfinite = 1;   // some output value is NaN or Inf
inline constexpr uint32_t kOutOfRange = 2;  // a parameter left its declared range
inline constexpr uint32_t kFusedWrong = 4;  // the fused parameter (Step::fused) left its range or is not finite

struct CurveData;  // core/signals/history.hpp

// Facts about the batches that a step computes. The shard owns it; it is constant after configure.
struct Environment {
    double sample_rate;     // Hz
    double phase_scale[2];  // 2^32 / fs in two parts, see dsp/phase.hpp
    uint32_t batches;       // of the shard; in lane groups the number of lanes
    uint32_t batch_offset;  // logical number of the first batch
    int32_t width;          // 1 or 8
    int32_t groups;         // ceil(batches / width)
    // Samples a control curve. The values do not depend on how the range is divided into calls.
    void (*sample)(const CurveData& curve, double sample_rate, int64_t first, int64_t frames, double* out);
};

struct Step;
// Fires a step; returns bits of faults.
using FireFn = uint32_t (*)(Step&, const Firing&);
// What one tick passes to the next in a register. [0]: the first value it wrote. [1]: NaN if another value it wrote is
// not finite, or if the step has a verdict; otherwise unspecified. A whole register, because gcc copies a lone double
// with a merge, which would lengthen the dependency chain from tick to tick.
using Carried [[gnu::vector_size(16)]] = double;
// Fires a step for frame i of the block, at virtual time `time`. Used in feedback loops and for blocks of one frame.
using TickFn = Carried (*)(Step&, int64_t i, int64_t time, Carried before);

// One modulator m of a parameter p: p * (offset + scale * m) or p + scale * m.
struct Modulation {
    View source;
    double scale, offset;
    // -1: channel by channel; otherwise the one source channel that modulates every destination channel
    int32_t channel;
    int32_t channels;  // of the source port
    int32_t multiply;  // 1 multiply, 0 add
};

// What a step does. The kind decides which member of the step's union is valid.
enum class StepKind : uint8_t {
    node,            // runs the kernel of a node: `of_node`
    parameter,       // computes a parameter frame by frame: `of_parameter`
    curve,           // samples the control curve that a node plays, into its input: `of_parameter`
    port,            // combines the edges that meet at an input port into one signal: `of_port`
    copy,            // copies what an edge with initial tokens carries into the edge's own window
    pack,            // packs what the members of a cohort read into lanes
    unpack,          // unpacks what a cohort wrote, lane by lane
    initial_tokens,  // writes what readers see before the first token: `of_tokens`
    flush,           // flushes denormals of an output that closes a feedback cycle
};

// Whether a step's outputs are checked for NaN and Inf. The other kinds copy values that were checked where they were
// made.
inline bool is_watched(StepKind k) { return k <= StepKind::port; }

struct NodeStep {
    // input nodes: the bound samples in (b, c, n) order, strides in doubles, step 1; borrowed
    const View* samples = nullptr;
    int64_t sample_frames = 0;  // frames of `samples`; later frames are zeros
    View* more = nullptr;       // edges after the first, for a node that sums the edges of its port itself
    int32_t n_more = 0;
    uint32_t fed = 0;      // bit k: at least one edge enters input port k
    bool idle = false;     // the output is its source's slice: nothing to compute
    bool flushes = false;  // its tick also flushes output 0, instead of the flush step after it
};

struct ParameterStep {
    View base;  // the base value if it is constant over frames; not used while `curve` or `tensor` is set
    const CurveData* curve = nullptr;  // the base value is this curve; NULL: it is not a curve
    // the base value is this tensor with a frame axis, in (b, c, n) order, strides in doubles, step 1; NULL: it is not
    const View* tensor = nullptr;
    int64_t tensor_frames = 0;         // frames of `tensor`; later frames have its last value
    double* scratch = nullptr;         // lane layout: where the curve's samples are written
    const Modulation* mods = nullptr;  // modulators in slot order
    int32_t n_mods = 0;
    int32_t index = -1;        // place of the parameter in the contract
    double low = 0, high = 0;  // the declared range
    int64_t clamped = 0;       // number of values clamped so far
    bool clamps = false;       // out of range: clamp; otherwise a fault
    bool fuses = false;        // some node step's `fused` points to this step
};

struct PortStep {
    int32_t index = -1;  // place of the input port in the contract
};

struct TokenStep {
    const View* tokens = nullptr;  // initial tokens in (b, c, n) order, strides in doubles, step 1; NULL: zeros
    int64_t frames = 0;            // number of tokens; the last one is frame -1
};

// One step. The arena owns it, its views and its memory. The members that every firing reads come first, in one cache
// line; a node's rows, coefficients and state are directly before the step in memory.
struct alignas(64) Step {
    void* rows = nullptr;              // nodes: pointers into the block per row, written by `bind_rows`
    unsigned char* coef = nullptr;     // nodes: coefficients per row
    unsigned char* state = nullptr;    // nodes: state per row
    const Environment* env = nullptr;  // of the shard, or of the node's lane group
    const double* fixed = nullptr;     // per contract parameter: enum index, integer, fixed number, or rows of a matrix
    uint64_t key = 0;                  // hash of the node's name, for noise
    int32_t channels = 1;              // the kernel runs channels x env->groups rows
    int32_t varying = 0;               // 1: at least one parameter changes per frame
    Step* fused = nullptr;             // the parameter step that this node replaces while stays_fused() is true

    FireFn fire = nullptr;        // fires a window of frames
    TickFn tick = nullptr;        // fires one frame
    View* in = nullptr;           // nodes: one per input port; other kinds: one per edge, channel or lane
    View* out = nullptr;          // one per output port
    View* par = nullptr;          // nodes: one per contract parameter; fixed-rate ones have data == nullptr
    double* aux = nullptr;        // nodes: memory of their own in frames (delay lines), zeroed at reset
    int64_t arrival = 0;          // virtual time of its frame 0
    uint32_t aux_frames = 0;      // frames of `aux` per row
    uint32_t place = UINT32_MAX;  // place of its node in the plan's order

    StepKind kind = StepKind::node;  // which member of the union is valid
    uint32_t verdict = 0;            // bits collected by its ticks
    int32_t groups = 1;              // groups of rows in out
    int32_t n_in = 0;                // number of views in `in`
    union {
        NodeStep of_node{};
        ParameterStep of_parameter;
        PortStep of_port;
        TokenStep of_tokens;
    };

    [[gnu::always_inline]] explicit Step(StepKind k = StepKind::node) : kind(k) {
        if (k == StepKind::parameter || k == StepKind::curve) new (&of_parameter) ParameterStep{};
        if (k == StepKind::port) new (&of_port) PortStep{};
        if (k == StepKind::initial_tokens) new (&of_tokens) TokenStep{};
    }
};
static_assert(sizeof(Step) == 256);

// Whether the node computes this parameter itself: its base value is constant over frames and one modulator changes it.
inline bool stays_fused(const Step& parameter) {
    const ParameterStep& p = parameter.of_parameter;
    return p.fuses && !p.curve && !p.tensor;
}

// An entry of the list of steps that a block runs (Shard::list_ops).
struct Op {
    FireFn fire;
    Step* step;
    uint32_t series;  // number of steps, from this one on, that can run as one series (LayoutOps::series)
};
inline constexpr int32_t kMostRowsInSeries = 4;

// The functions and sizes of a node type in one layout.
struct LayoutOps {
    FireFn fire = nullptr;  // computes a window of frames
    TickFn tick = nullptr;  // computes one frame
    // writes own heat (J per frame, summed over channels) into out[n_outputs]; NULL: the node has no heat formula
    FireFn heat = nullptr;
    // computes the coefficients of parameters that are constant over frames; NULL: there are none
    void (*prepare)(Step&) = nullptr;
    void (*reset)(Step&) = nullptr;      // sets the state of frame 0; NULL: there is no state
    size_t state_bytes = 0;              // per row
    size_t coef_bytes = 0;               // per row
    void (*bind_rows)(Step&) = nullptr;  // called after a view has moved, before any other function; NULL: not needed
    size_t row_bytes = 0;                // per row
    // Ticks of one row, indexed by [its parameters are constant][it takes input 0, or the last edge of an input that
    // sums, from the tick before][it flushes output 0]. NULL: none.
    TickFn carry[2][2][2]{};
    // Runs `n` steps of this type in one pass. Their parameters are constant, and each overwrites the frames that the
    // step before it wrote. Returns the frames done; the frames after those are unchanged, and a value that is not
    // finite is among their results. NULL: none.
    uint32_t (*series)(const Op* ops, uint32_t n, const Firing& f) = nullptr;
};

// How a node type is implemented.
enum class NodeKind : uint8_t {
    frame,    // a formula for one frame, which the drivers run in both layouts (kernel/node_traits.hpp)
    row,      // its own loops over the rows of a firing
    window,   // a function of windows of frames
    foreign,  // code from another library
};

// A node type: its contract, functions and properties. Static data, valid for the life of the process.
struct NodeType {
    NodeKind kind = NodeKind::foreign;
    const amp_node_contract* contract = nullptr;
    LayoutOps ops[2];       // width 1, width 8
    bool adds = false;      // its kernel sums up to kMostAdded edges of its one port
    bool in_place = false;  // its output may overwrite its input
    bool passes = false;    // its output is its input, bit for bit
    int32_t fast = -1;      // the parameter that the node can compute itself (kFast), -1: none
    bool holds = false;     // its output is constant over frames while its parameters are: it fires once
    uint32_t (*aux_frames)(const Step&) = nullptr;                          // frames of Step::aux per row; NULL: none
    int64_t (*latency)(const double* fixed, double sample_rate) = nullptr;  // latency L in frames; NULL: the contract's
    // whether a restored state makes the node access only its own memory; NULL: every state does
    bool (*possible)(const Step&) = nullptr;
    // whether the node reads its name or batch number, so that it cannot join a cohort; NULL: it does not
    bool (*alone)(const double* fixed) = nullptr;
};

struct MeterKernels;

struct StepOps {  // A kind of step other than nodes, in one layout.
    FireFn fire;
    TickFn tick;
};

// Everything compiled for one ISA level. Static data.
struct KernelTable {
    const char* isa;               // v2, v3, v4 or base
    const NodeType* const* types;  // ordered by id
    uint32_t n_types;
    StepOps parameter[2];  // per layout: computes base value, modulations and range
    // Combines the edges of a port into one signal, by AMP_GATHER_*: their sum in slot order (one edge: a copy), their
    // mean, or one view per channel stacked. The other modes need no step.
    StepOps gather[3][2];
    StepOps flush[2];  // flushes denormals of an output that closes a feedback cycle
    // Cohorts: pack reads one view per lane into lanes; unpack writes lanes to separate rows.
    StepOps pack, unpack;
    // Whether all values in these frames are finite, in `rows` rows of each channel.
    bool (*finite)(const View& written, int channels, int rows, const Firing& f);
    // Writes lane j of each frame of x (step 8, 1 or 0) to y + j * stride, frames contiguous. `far`: the stores bypass
    // the caches; other threads may read them after `publish`.
    void (*scatter)(const double* x, int64_t step, uint32_t frames, uint32_t lanes, double* y, int64_t stride,
                    bool far);
    void (*publish)();           // makes `far` stores visible to other threads
    SegmentFn curve_segment;     // samples one segment of a control curve
    const MeterKernels* meters;  // meters/kernels.hpp
};

const KernelTable* kernels();  // chosen once from the CPU and AMP_ISA; NULL if AMP_ISA names a level this machine lacks

}  // namespace amp
