// Sketch: the reverse pass. Declarations only; docs/design/next.md says where each part will be and how data flows.
#pragma once
#include <cstddef>
#include <vector>

#include "amp/run.h"
#include "engine/run/shard.hpp"
#include "kernel/node_traits.hpp"
#include "plan/plan.hpp"

// ---- include/amp/backward.h ----
extern "C" {

// What a runtime records of its next render, so that it can be differentiated.
typedef struct amp_keep {
    uint32_t struct_size;  // sizeof(amp_keep)
    // 0: keep the inputs of every block; k: keep k snapshots at plan blocks and compute the blocks between them
    // again
    uint32_t checkpoints;
    int64_t frames;         // length of the render, over all calls of execute
    uint64_t memory_bytes;  // most memory to reserve; 0: no limit. configure returns AMP_E_NOMEM if more is needed
} amp_keep;

enum {
    AMP_OF_PARAMETER = 0,
    AMP_OF_INPUT = 1,
    AMP_OF_CURVE = 2,
    AMP_OF_TOKENS = 3,
    AMP_OF_SCALE = 4,
    AMP_OF_OFFSET = 5
};

// A requested gradient.
typedef struct amp_gradient {
    uint32_t struct_size;  // sizeof(amp_gradient)
    uint32_t of;           // AMP_OF_*
    const char* node;      // name of the node; NULL for curves
    const char* key;       // key of the parameter or port, or name of the curve
    int32_t slot;          // of the edge or modulation
    uint32_t reserved;
    amp_buffer gradient;  // the caller's memory, in the shape of the differentiated value; overwritten, not added to
} amp_gradient;

typedef struct amp_backward_facts {
    uint32_t struct_size;
    uint32_t unsupported;    // nodes without an adjoint that a cotangent reached; they passed on zeros
    int64_t forward_blocks;  // blocks computed again between checkpoints
    uint64_t memory_bytes;   // tape, snapshots and costates; without the caller's memory
} amp_backward_facts;

// [owner] Phase: before configure, which reserves the memory; `keep` is copied. NULL: nothing is recorded.
amp_status amp_graph_runtime_keep(amp_graph_runtime* runtime, const amp_keep* keep);

// [owner] Phase: executing, after all `frames` of amp_keep were delivered. `cotangent` has the shape of the output and
// is read during the call. Allocates nothing; may be called again with another cotangent. The tape is kept until the
// next configure. Streams have none. `strict` 1: AMP_E_UNSUPPORTED names the first node without an adjoint; 0: `facts`
// (may be NULL) counts such nodes.
amp_status amp_graph_runtime_backward(amp_graph_runtime* runtime, const amp_buffer* cotangent, amp_gradient* gradients,
                                      uint32_t count, uint32_t strict, amp_backward_facts* facts);

// [owner] AMP_ADJOINT_* of a node in this plan; -1: unknown node.
int32_t amp_graph_runtime_adjoint(const amp_graph_runtime* runtime, const char* node);
}

// ---- kernel/step.hpp ----
namespace amp {

// What a node reads and writes, in addition to its Step, when its frames fire in reverse. The shard owns the memory;
// views are bound like those of Step.
struct ReverseViews {
    const View* d_out = nullptr;  // per output port, read: the sum over its readers, in the order of ReversePlan::meet
    View* d_in = nullptr;         // per input port, written
    View* d_par = nullptr;        // per contract parameter that may change per frame, written; otherwise data == NULL
    double* partial =
        nullptr;  // constant parameters: eight sums by n mod 8 per parameter and row, added from the last frame on
    const unsigned char* state = nullptr;  // per row, read: the state at the start of the window
    unsigned char* costate =
        nullptr;  // per row, read and written: the cotangent of the state after the window, then of the state before it
    // per row and frame: memory for the states inside the window, which are computed again
    unsigned char* states = nullptr;
};

// Fires a window from its last frame to its first. Same verdicts as FireFn. The bits do not depend on how a render is
// divided into windows.
using ReverseFn = uint32_t (*)(const Step& step, const ReverseViews& views, const Firing& f);

struct AdjointOps {  // like NodeType::ops, one per layout width; all NULL: no adjoint
    ReverseFn fire = nullptr;
    size_t costate_bytes = 0;  // per row
    size_t states_bytes =
        0;  // per row and frame; 0: states inside the window are not needed (the recursion is linear in them)
};

}  // namespace amp

// ---- kernel/adjoint/traits.hpp ----
namespace amp::AMP_KNS {

// The cotangent of Coef. A separate struct if Coef has integers (a phase increment) or products of one value.
template <class Node> struct CoefCotangentOf {
    using type = typename Node::Coef;
};
template <class Node>
    requires requires { typename Node::CoefCotangent; }
struct CoefCotangentOf<Node> {
    using type = typename Node::CoefCotangent;
};

// The adjoints of coef, tick and shape in a node's file, for the reverse drivers (across frames, across lanes, per
// frame). Each function overwrites the results that come first in its arguments.
template <template <class> class N, class T>
concept HasAdjoint = Kernel<N, T> && requires(const T* x, const T* p, const T* y_bar, T* x_bar, T* p_bar,
                                              const typename N<T>::Coef& c, typename CoefCotangentOf<N<T>>::type& c_bar,
                                              const typename N<T>::State& before, typename N<T>::State& s_bar,
                                              const typename N<T>::Mid& m, typename N<T>::Mid& m_bar, const Setup& u) {
    { N<T>::shape_back(m_bar, x_bar, c_bar, y_bar, m, x, c, u) } -> std::same_as<void>;
    // s_bar is read and written
    { N<T>::tick_back(s_bar, x_bar, c_bar, m_bar, before, x, c, u) } -> std::same_as<void>;
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
    std::vector<uint32_t> order;  // places in Plan::nodes, last fired first; the nodes of a component are consecutive
    std::vector<std::vector<uint32_t>>
        // per node: its outgoing edges by (destination name, port or parameter, slot), the order in which cotangents
        // are added. An edge with lag D carries the cotangent of D frames later
        meet;
    std::vector<bool> reached;                       // per node: a requested gradient depends on its cotangent
    std::vector<uint32_t> unsupported;               // reached nodes that have no adjoint
    bool reads(uint32_t node, uint32_t port) const;  // whether the adjoint of some reader reads this output's frames
};

ReversePlan reverse(const Plan& plan, const amp_gradient* asked,
                    uint32_t count);  // throws AMP_E_INVALID_ARG for an unknown node, key or curve

}  // namespace amp

// ---- engine/backward/ ----
namespace amp {

// The storage of an output for which `forward` is chosen without a reverse pass: `kept` if some adjoint reads it.
Storage storage_in_reverse(const ReversePlan& plan, uint32_t node, uint32_t port, Storage forward);

// Block inputs and states of a render, in the arena of the runtime.
class Tape {
public:
    Tape(const Plan& plan, const ReversePlan& reverse, uint32_t block_frames, int64_t blocks);
    uint64_t bytes() const;
    // called by the thread that fired the step, before its slice is reused
    void write(int64_t block, const Step& step);
    View read(int64_t block, uint32_t node, uint32_t port) const;    // frames of the block, as they were fired
    const unsigned char* state(int64_t block, uint32_t node) const;  // at the start of the block
};

// The plan for k snapshots and N blocks that computes the fewest blocks again (revolve; A. Griewank, A. Walther,
// "Algorithm 799", 2000).
struct CheckpointStep {
    enum Act : uint8_t { kRunTo, kSave, kRestore, kReverse } act;
    int64_t block;
    uint32_t snapshot;
};
std::vector<CheckpointStep> checkpoint_schedule(int64_t blocks, uint32_t snapshots);

// Memory of one shard that carries cotangents from block to block.
struct ReverseMemory {
    std::vector<unsigned char*> costate;  // per node
    std::vector<Step*> meet;     // per node and output: the step that adds cotangents in ReversePlan::meet order
    std::vector<double*> ahead;  // per edge with lag: cotangents of frames of later blocks
    // sums of constant parameters, [parameter][batch][8]; folded, then added over batches in ascending order
    double* per_batch;
};

}  // namespace amp
