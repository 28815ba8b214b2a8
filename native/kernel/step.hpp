// What the engine runs: steps, each with views into the arena and a function to fire it.
// Plain data only: this header is shared by the engine and by the kernels of every ISA level.
#pragma once
#include <cstddef>
#include <cstdint>
#include <new>

#include "amp/node.h"
#include "core/signals/curve_segment.hpp"

namespace amp {

// Layouts. Streams of one port are rows; row (c, g) starts at data + c * channel_stride + g * group_stride.
// Width 1 ("frame layout"): a group is one batch, frames are contiguous. Width 8 ("lane layout"): a group is eight
// batches, frame i of a row holds eight doubles, one per batch.
inline constexpr int kLanes = 8;
inline constexpr int kMostAdded = 4;
inline constexpr int kMostModulations = 64;  // of one parameter

inline uint32_t values_to_line(const double* p) {  // from there to the start of a cache line
    constexpr uintptr_t kLine = 64 / sizeof(double);
    return static_cast<uint32_t>(-(reinterpret_cast<uintptr_t>(p) / sizeof(double)) % kLine);
}

struct View {
    double* data = nullptr;      // frame 0 of the current block
    int64_t channel_stride = 0;  // 0: one channel read by all
    int64_t group_stride = 0;    // 0: one group read by all
    int64_t step =
        0;  // doubles per frame: the width, or 0 for a value that holds (then eight equal copies or eight lanes)
};

struct Firing {
    int64_t frame;    // logical frame of the first frame fired; the engine's own firings are in virtual time
    uint32_t offset;  // its place in the block the views point at
    uint32_t frames;
};

// Bits returned by a firing.
inline constexpr uint32_t kFired = 0;
inline constexpr uint32_t kNonfinite = 1;   // some output value is NaN or Inf
inline constexpr uint32_t kOutOfRange = 2;  // a parameter left its declared range
inline constexpr uint32_t kFusedWrong = 4;  // the fused parameter left its range, or is not finite

struct CurveData;  // core/signals/history.hpp

struct Environment {
    double sample_rate;
    double phase_scale[2];  // 2^32 / fs in two parts, see dsp/phase.hpp
    uint32_t batches;
    uint32_t batch_offset;
    int32_t width;   // 1 or 8
    int32_t groups;  // ceil(batches / width)
    // Samples a control curve; the same bits however the range is cut.
    void (*sample)(const CurveData& curve, double sample_rate, int64_t first, int64_t frames, double* out);
};

struct Step;
using FireFn = uint32_t (*)(Step&, const Firing&);
// From tick to tick, in a register: the first value that was written. The other half is NaN if further values are not
// finite or there is a verdict, which stays in the step; else it is anything. A whole register is renamed where gcc
// copies a lone double with a merge, a link in the chain from tick to tick.
using Carried [[gnu::vector_size(16)]] = double;
// Frame i of the block, at virtual time `time`: for loops, and for blocks of one frame.
using TickFn = Carried (*)(Step&, int64_t i, int64_t time, Carried before);

struct Modulation {
    View source;
    double scale, offset;
    int32_t channel;   // -1 all, else the one source channel that reaches every destination channel
    int32_t channels;  // of the source
    int32_t multiply;  // 1 multiply, 0 add
};

// What a step does; it decides which payload of the step is there.
enum class StepKind : uint8_t {
    node,            // the kernel of a node: `of_node`
    parameter,       // a parameter worked out frame by frame: `of_parameter`
    curve,           // the control curve that a node plays, into its input: `of_parameter`
    port,            // the edges that meet at an input port made one signal: `of_port`
    copy,            // what an edge with initial tokens carries, into the window of the edge
    pack,            // what the members of a cohort read, brought into its lanes
    unpack,          // what a cohort wrote, lane by lane
    initial_tokens,  // what readers see before the first token: `of_tokens`
    flush,           // what closes a feedback cycle ends in zero, not in denormals
};

// Whose values are looked at where they are made: what all others write was seen at its source.
inline bool is_watched(StepKind k) { return k <= StepKind::port; }

struct NodeStep {
    const View* samples = nullptr;  // input nodes: (b, c, n) order, strides in doubles, step 1
    int64_t sample_frames = 0;      // zeros past it
    View* more = nullptr;           // further edges of a node that adds up its one port by itself
    int32_t n_more = 0;
    uint32_t fed = 0;      // bit k says that some edge enters input port k
    bool idle = false;     // its output is its source's slice: there is nothing to do
    bool flushes = false;  // its tick also flushes output 0, in place of the flush step behind it
};

struct ParameterStep {
    View base;                         // values that hold over frames, where there is neither curve nor tensor
    const CurveData* curve = nullptr;  // the base value in its place
    const View* tensor = nullptr;      // the same: (b, c, n) order, strides in doubles, step 1
    int64_t tensor_frames = 0;         // the last value holds
    double* scratch = nullptr;         // lane layout: samples of the curve
    const Modulation* mods = nullptr;
    int32_t n_mods = 0;
    int32_t index = -1;        // of the parameter in the contract
    double low = 0, high = 0;  // the declared range
    int64_t clamped = 0;       // values clamped so far
    bool clamps = false;
    bool fuses = false;  // the other end of Step::fused
};

struct PortStep {
    int32_t index = -1;  // of the input port in the contract
};

struct TokenStep {
    const View* tokens = nullptr;  // (b, c, n) order, strides in doubles, step 1; NULL: zeros
    int64_t frames = 0;            // of tokens; the last is frame -1
};

// What a firing always reads stands first, in one cache line; the node's rows, coefficients and state stand just
// before.
struct alignas(64) Step {
    void* rows = nullptr;  // of a node: where they stand in the block, as `bind_rows` left it
    unsigned char* coef = nullptr;
    unsigned char* state = nullptr;
    const Environment* env = nullptr;
    const double* fixed = nullptr;  // per contract parameter: enum index, integer, fixed number or rows of a matrix
    uint64_t key = 0;               // hash of the node's name (noise)
    int32_t channels = 1;           // rows of the work: channels x env->groups
    int32_t varying = 0;            // 1: some frame-rate parameter changes per frame
    Step* fused = nullptr;          // the parameter step this node may work out by itself while it stays_fused

    FireFn fire = nullptr;        // a window of frames
    TickFn tick = nullptr;        // one frame
    View* in = nullptr;           // nodes: one per input port; what joins edges: one per edge, channel or lane
    View* out = nullptr;          // one per output port
    View* par = nullptr;          // nodes: one per contract parameter; fixed-rate ones have data == nullptr
    double* aux = nullptr;        // nodes: frames of their own (delay lines), zeroed at reset
    int64_t arrival = 0;          // virtual time of its frame 0
    uint32_t aux_frames = 0;      // per row
    uint32_t place = UINT32_MAX;  // of its node in the plan's order

    StepKind kind = StepKind::node;
    uint32_t verdict = 0;  // of its ticks
    int32_t groups = 1;    // group rows of out
    int32_t n_in = 0;
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

// A value that holds under one modulator needs no pass of its own: the node reads both.
inline bool stays_fused(const Step& parameter) {
    const ParameterStep& p = parameter.of_parameter;
    return p.fuses && !p.curve && !p.tensor;
}

struct Op {
    FireFn fire;
    Step* step;
    uint32_t series;  // steps from this one on through which values go in registers, see LayoutOps
};
inline constexpr int32_t kMostRowsInSeries = 4;

struct LayoutOps {  // one per layout width
    FireFn fire = nullptr;
    TickFn tick = nullptr;
    FireFn heat = nullptr;  // writes own heat (J per frame, summed over channels) into out[n_outputs]; NULL: none
    void (*prepare)(Step&) = nullptr;    // coefficients of parameters that hold; NULL: there are none
    void (*reset)(Step&) = nullptr;      // start state; NULL: there is none
    size_t state_bytes = 0;              // per row
    size_t coef_bytes = 0;               // per row
    void (*bind_rows)(Step&) = nullptr;  // after a view has moved, before anything else; NULL: nothing to do
    size_t row_bytes = 0;                // per row
    // A tick of one row, by whether its parameters hold; whether it takes input 0, or the last edge of one that adds,
    // from the tick before; whether it flushes output 0. NULL: none.
    TickFn carry[2][2][2]{};
    // `n` steps of this type in a row, their parameters constant, each writing over the frames that the one before it
    // wrote: one pass for all of them. Returns the frames done; those behind, with a value that is not finite among
    // them, stand as they were. NULL: none.
    uint32_t (*series)(const Op* ops, uint32_t n, const Firing& f) = nullptr;
};

// How a node type says what it computes.
enum class NodeKind : uint8_t {
    frame,    // maths of one frame, which drivers run in both layouts (kernel/node_traits.hpp)
    row,      // loops of its own over the rows of a firing
    window,   // windows of frames looked at together
    foreign,  // code from another library
};

struct NodeType {
    NodeKind kind = NodeKind::foreign;
    const amp_node_contract* contract = nullptr;
    LayoutOps ops[2];       // width 1, width 8
    bool adds = false;      // sums up to kMostAdded edges of its one port by itself
    bool in_place = false;  // its output may stand where its input stands
    bool passes = false;    // its output is its input, bit for bit
    int32_t fast = -1;      // parameter a fused step may stand for, -1: none
    bool holds = false;     // its output holds while its parameters hold: fired once, never again
    uint32_t (*aux_frames)(const Step&) = nullptr;  // frames of node-owned memory per row; NULL: none
    int64_t (*latency)(const double* fixed, double sample_rate) = nullptr;  // L; NULL: the contract's
    bool (*possible)(const Step&) = nullptr;  // a state from outside reaches no memory but the node's; NULL: none could
    bool (*alone)(const double* fixed) = nullptr;  // reads its name or its batch, so no cohort takes it; NULL: never
};

struct MeterKernels;

struct StepOps {
    FireFn fire;
    TickFn tick;
};

struct KernelTable {
    const char* isa;
    const NodeType* const* types;  // ordered by id
    uint32_t n_types;
    StepOps parameter[2];  // per layout: base value, modulations, range
    // The edges of a port become one signal, by AMP_GATHER_*: their sum in slot order (one edge: a copy), its mean, or
    // one view per channel stacked. The modes behind need no step of their own.
    StepOps gather[3][2];
    StepOps flush[2];  // denormals of what closes a feedback cycle
    // Cohorts: one view per lane into lanes, and lanes into rows of their own.
    StepOps pack, unpack;
    // Whether what stands in these frames is finite, in `rows` rows of each channel.
    bool (*finite)(const View& written, int channels, int rows, const Firing& f);
    // Lane j of each frame of x (step 8, 1 or 0) to y + j * stride, frames contiguous; `far`: past the caches, which
    // other threads see after `publish`.
    void (*scatter)(const double* x, int64_t step, uint32_t frames, uint32_t lanes, double* y, int64_t stride,
                    bool far);
    void (*publish)();
    SegmentFn curve_segment;
    const MeterKernels* meters;  // meters/kernels.hpp
};

const KernelTable* kernels();  // chosen once from the CPU and AMP_ISA; NULL if AMP_ISA names a level this machine lacks

}  // namespace amp
