// Sketch: the reverse pass. Declarations only; docs/design/next.md says where each part will lie and how data passes
// through it.
#pragma once
#include <cstddef>
#include <vector>

#include "amp/run.h"
#include "engine/run/shard.hpp"
#include "kernel/node_traits.hpp"
#include "plan/plan.hpp"

// ---- include/amp/backward.h ----
extern "C" {

// What a runtime keeps of its next render, so that it can be run in reverse.
typedef struct amp_keep {
    uint32_t struct_size;  // sizeof(amp_keep)
    uint32_t
        checkpoints;  // 0: the inputs of every block; k: k snapshots at plan blocks, what lies between is made again
    int64_t frames;   // of the render, all calls of execute together
    uint64_t memory_bytes;  // most that may be reserved; 0: no limit. More is AMP_E_NOMEM, in configure
} amp_keep;

enum {
    AMP_OF_PARAMETER = 0,
    AMP_OF_INPUT = 1,
    AMP_OF_CURVE = 2,
    AMP_OF_TOKENS = 3,
    AMP_OF_SCALE = 4,
    AMP_OF_OFFSET = 5
};

// One gradient that is asked for.
typedef struct amp_gradient {
    uint32_t struct_size;  // sizeof(amp_gradient)
    uint32_t of;           // AMP_OF_*
    const char* node;      // NULL for curves
    const char* key;       // parameter, port or curve
    int32_t slot;          // of the edge or modulation
    uint32_t reserved;
    amp_buffer gradient;  // the caller's memory, in the shape of what it belongs to; written whole, never added to
} amp_gradient;

typedef struct amp_backward_facts {
    uint32_t struct_size;
    uint32_t unsupported;    // nodes without an adjoint that a cotangent reached; it went on as zeros
    int64_t forward_blocks;  // blocks made anew for checkpoints
    uint64_t memory_bytes;   // tape, snapshots and costates, beyond what the caller gave
} amp_backward_facts;

// [owner] Phase: before configure, which reserves the memory; copied. NULL: nothing is kept.
amp_status amp_graph_runtime_keep(amp_graph_runtime* runtime, const amp_keep* keep);

// [owner] Phase: executing, all `frames` of amp_keep delivered. `cotangent` has the shape of the output and is borrowed
// for the call. Nothing is allocated; may be called again with another cotangent. The tape lives until the next
// configure. A stream has none. AMP_E_UNSUPPORTED names the first node without an adjoint if `strict` is 1; otherwise
// `facts` (may be NULL) counts them.
amp_status amp_graph_runtime_backward(amp_graph_runtime* runtime, const amp_buffer* cotangent, amp_gradient* gradients,
                                      uint32_t count, uint32_t strict, amp_backward_facts* facts);

// [owner] AMP_ADJOINT_* of a node as it is fixed in this plan; -1 unknown.
int32_t amp_graph_runtime_adjoint(const amp_graph_runtime* runtime, const char* node);
}

// ---- kernel/step.hpp ----
namespace amp {

// What a node sees beside its Step when its frames fire in reverse. Memory belongs to the shard; views are bound like
// those of Step.
struct ReverseViews {
    const View* d_out = nullptr;  // per output port, read: the sum over its readers, see ReversePlan::meet
    View* d_in = nullptr;         // per input port, written
    View* d_par = nullptr;        // per contract parameter that may change per frame, written; else data == nullptr
    double* partial =
        nullptr;  // of parameters that hold: eight sums by n mod 8 per parameter and row, from the last frame on
    const unsigned char* state = nullptr;  // per row, read: at the start of the window
    unsigned char* costate =
        nullptr;  // per row, read and written: cotangent of the state behind the window, then of that before it
    unsigned char* states = nullptr;  // per row and frame: room for the states in between, which are made again
};

// Fires a window from its last frame to its first. Same verdicts as FireFn. Any cuts give the bits of the whole.
using ReverseFn = uint32_t (*)(const Step& step, const ReverseViews& views, const Firing& f);

struct AdjointOps {  // beside NodeType::ops, one per layout width; all null: no adjoint
    ReverseFn fire = nullptr;
    size_t costate_bytes = 0;  // per row
    size_t states_bytes =
        0;  // per row and frame; 0: the states between are not needed (the recursion is linear in them)
};

}  // namespace amp

// ---- kernel/adjoint/traits.hpp ----
namespace amp::AMP_KNS {

// The cotangent of Coef. A struct of its own where Coef holds integers (a phase increment) or products of the same
// value.
template <class Node> struct CoefCotangentOf {
    using type = typename Node::Coef;
};
template <class Node>
    requires requires { typename Node::CoefCotangent; }
struct CoefCotangentOf<Node> {
    using type = typename Node::CoefCotangent;
};

// What stands under coef, tick and shape in a node's file: the adjoint of each, so that the drivers of the forward pass
// (across frames, across lanes, per frame) have one of their own in reverse. Each writes what it names first and adds
// nothing.
template <template <class> class N, class T>
concept HasAdjoint = Kernel<N, T> && requires(const T* x, const T* p, const T* y_bar, T* x_bar, T* p_bar,
                                              const typename N<T>::Coef& c, typename CoefCotangentOf<N<T>>::type& c_bar,
                                              const typename N<T>::State& before, typename N<T>::State& s_bar,
                                              const typename N<T>::Mid& m, typename N<T>::Mid& m_bar, const Setup& u) {
    { N<T>::shape_back(m_bar, x_bar, c_bar, y_bar, m, x, c, u) } -> std::same_as<void>;
    { N<T>::tick_back(s_bar, x_bar, c_bar, m_bar, before, x, c, u) } -> std::same_as<void>;  // s_bar in and out
    { N<T>::coef_back(p_bar, c_bar, p, u) } -> std::same_as<void>;
};

template <template <class> class N> struct ReverseDriver : Traits<N> {
    static_assert(HasAdjoint<N, double> && HasAdjoint<N, f64x8>);
    template <class T> static uint32_t fire(const Step& step, const ReverseViews& views, const Firing& f);
    template <class T> static constexpr AdjointOps ops();
};

}  // namespace amp::AMP_KNS

// ---- plan/adjoint.hpp ----
namespace amp {

struct ReversePlan {
    std::vector<uint32_t> order;  // places in Plan::nodes, the last fired first; a component stays in one piece
    std::vector<std::vector<uint32_t>>
        meet;                   // per node: its edges out, by (destination name, port or parameter, slot): the order
                                // in which cotangents are added. An edge with lag D hands on from D frames ahead
    std::vector<bool> reached;  // per node: some gradient that was asked for lies above it
    std::vector<uint32_t> unsupported;               // nodes reached that have no adjoint
    bool reads(uint32_t node, uint32_t port) const;  // whether the adjoint of some reader reads this output's frames
};

ReversePlan reverse(const Plan& plan, const amp_gradient* asked,
                    uint32_t count);  // throws AMP_E_INVALID_ARG: no such thing

}  // namespace amp

// ---- engine/backward/ ----
namespace amp {

// How an output is kept that would be kept so without a reverse pass: `kept` if some adjoint reads it.
Storage storage_in_reverse(const ReversePlan& plan, uint32_t node, uint32_t port, Storage forward);

// Block inputs and states of a render, in the arena of the runtime.
class Tape {
public:
    Tape(const Plan& plan, const ReversePlan& reverse, uint32_t block_frames, int64_t blocks);
    uint64_t bytes() const;
    void write(int64_t block, const Step& step);  // by the thread that fired it, before its slice is reused
    View read(int64_t block, uint32_t node, uint32_t port) const;    // frames of the block, as they were fired
    const unsigned char* state(int64_t block, uint32_t node) const;  // at its start
};

// With k snapshots and N blocks: the fewest blocks made anew (revolve; A. Griewank, A. Walther, "Algorithm 799", 2000).
struct CheckpointStep {
    enum Act : uint8_t { kRunTo, kSave, kRestore, kReverse } act;
    int64_t block;
    uint32_t snapshot;
};
std::vector<CheckpointStep> checkpoint_schedule(int64_t blocks, uint32_t snapshots);

// What carries a cotangent from block to block in one shard.
struct ReverseMemory {
    std::vector<unsigned char*> costate;  // per node
    std::vector<Step*> meet;     // per node and output: the step that adds cotangents in ReversePlan::meet order
    std::vector<double*> ahead;  // per edge with lag: cotangents of frames of later blocks
    double*
        per_batch;  // sums of parameters that hold, [parameter][batch][8]; folded, then added over batches, ascending
};

}  // namespace amp
