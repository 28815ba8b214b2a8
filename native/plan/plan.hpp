// The plan: descriptors and contracts compiled into a form that can be executed. Only compile() makes one.
#pragma once
#include <cmath>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "kernel/step.hpp"
#include "plan/contract_digest.hpp"
#include "plan/descriptors.hpp"
#include "plan/lists.hpp"

namespace amp {

struct PlanEdge {       // an audio edge or a modulation edge
    uint32_t src, dst;  // places of the nodes in the firing order
    uint32_t src_port;
    int32_t port;   // input port of dst; -1: a modulation
    int32_t param;  // parameter of dst; -1: an audio edge
    // index into the descriptor's edges or modulations; kInserted: an audio edge that the plan inserted
    uint32_t descriptor;
    uint64_t delay;        // d in frames: the delay that the user gave, audible
    uint64_t lag;          // D = d + A(dst) - A(src) - L(src): frames the edge holds in virtual time
    bool feedback;         // the source is the destination, or fires after it
    double kappa;          // audio edges: share of the source's heat that the edge carries
    int32_t channel = -1;  // audio edges: the one channel of the source port that is carried; -1: all
    int32_t into = 0;      // audio edges into ports that stack: the port's channel that receives the edge's first one
};

inline constexpr uint32_t kInserted = 0xffffffffu;

// A node of the user, or one that the plan inserted (plan/lowering.hpp). Engine and texts use only this record.
struct PlanNode {
    const NodeType* type = nullptr;
    // the user's record, owned by Plan::descriptors; NULL: an inserted node
    const NodeDescriptor* descriptor = nullptr;
    std::string name;    // unique in the plan; used by texts, traces, errors, noise and schedules
    std::string origin;  // inserted nodes: the edge they serve, "edge osc -> drive.in"; otherwise empty
    uint32_t oversample = 1;
    double heat_j_per_frame = NAN, capacity_j_per_k = NAN, conductance_w_per_k = NAN;  // NaN: not given
    std::vector<int32_t> parameter;    // per contract parameter: index into descriptor->parameters; -1: default
    int32_t channels = 1;              // channels that its kernel computes
    std::vector<int32_t> in_channels;  // per input port: channels after its edges were combined
    std::vector<int32_t> out_channels;
    int64_t latency = 0;           // L in frames
    int64_t arrival = 0;           // A in frames: virtual time at which it fires its frame 0
    int32_t component = -1;        // feedback component; -1: none
    int32_t loop = -1;             // its component before a schedule merged components
    int32_t cohort = -1;           // cohort in the schedule that is followed; -1: the node fires alone
    uint32_t rank = 0;             // place in the plan's own order, whatever schedule is followed
    std::span<const uint32_t> in;  // edges into it: audio, then modulations, in slot order
    uint64_t history = 0;          // frames of its output before the block that some reader needs
    uint64_t digest = 0;           // of this record and its descriptor: tells in which node two plans differ

    // The value that the user gave for a parameter; NULL: the contract's default is used.
    const Parameter* given(uint32_t param) const {
        return parameter[param] < 0 ? nullptr : &descriptor->parameters[static_cast<size_t>(parameter[param])];
    }
    // Its name in sentences; for an inserted node with the edge it serves.
    std::string shown() const { return origin.empty() ? name : name + " (inserted for " + origin + ')'; }
};

struct Gate {  // The consumers of a gate fire at the same virtual time.
    std::string name;
    std::vector<uint32_t> consumers;  // places in the firing order
};

// Nodes of one type, consecutive in the firing order, that run as one kernel: its lanes are the batches of one member
// after the other.
struct Cohort {
    uint32_t first, count;
};

struct Component {
    std::vector<uint32_t> nodes;  // in firing order
    uint64_t sub_block;           // frames: the least sum of lags over its cycles
};

struct Plan {
    Descriptors descriptors;
    std::vector<PlanNode> nodes;  // in firing order
    std::vector<uint32_t>
        place;  // place in the firing order of descriptors.nodes (sorted by name), then of inserted nodes
    std::vector<PlanEdge> edges;
    Lists into;  // edges by the node they enter; PlanNode::in points here
    std::vector<Component> components;
    std::vector<Gate> gates;      // sorted by name
    std::vector<Cohort> cohorts;  // of the schedule that is followed, in firing order
    int64_t latency = 0;          // G = max of A + L, in frames: at virtual time t every output delivers frame t - G
    int32_t output = -1;          // place of the output node; -1: none
    std::vector<std::string> curves;  // names of the control curves the plan needs, sorted
    // descriptors of edges that are never read: not the first edge of a port that takes one
    std::vector<uint32_t> dead;
    bool together = false;  // some node reads all batches, so they run in one shard
    uint64_t contract_digest = 0, digest = 0;

    std::optional<uint32_t> find(std::string_view name) const;
    // Frames by which the newest token of node u is ahead of the delivered frame.
    int64_t lead(uint32_t u) const { return latency - nodes[u].arrival - nodes[u].latency; }
};

inline constexpr int kMostChannels = 1024;  // channels of a node

// Components with a shorter sub-block, in frames, run frame by frame; longer ones are faster node by node.
inline constexpr uint64_t kTogetherBelow = 5;

// The descriptor of an audio edge; for an inserted edge an empty one (no slot, tokens or gates).
inline const EdgeDescriptor& said_of(const Plan& p, const PlanEdge& e) {
    static const EdgeDescriptor nothing;
    return e.descriptor == kInserted ? nothing : p.descriptors.edges[e.descriptor];
}
// Whether an edge has initial tokens of its own, which need a window of its own.
inline bool has_tokens(const Plan& p, const PlanEdge& e) { return e.port >= 0 && said_of(p, e).has_tokens; }
// Number of channels that an audio edge carries.
inline int32_t carried(const Plan& p, const PlanEdge& e) {
    return e.channel >= 0 ? 1 : p.nodes[e.src].out_channels[e.src_port];
}
// Whether an edge delays inside a loop. Every loop has such an edge, and the test does not depend on names.
inline bool recurs(const Plan& p, const PlanEdge& e) {
    return e.delay > 0 && p.nodes[e.src].component >= 0 && p.nodes[e.src].component == p.nodes[e.dst].component;
}
inline bool stacks(const amp_port_contract& input) {
    return input.gather == AMP_GATHER_CONCAT || input.gather == AMP_GATHER_MATRIX;
}

std::string quoted(const std::string& s);  // as a JSON string
const NodeType* find_type(const std::string& id);
uint64_t contract_digest(const amp_node_contract& contract, uint32_t version = kDigestVersion);

// Inserts nodes (plan/lowering.hpp). Called when all nodes and edges of the user are in the plan, before ordering.
using Lowering = void (*)(Plan&);

Plan compile(Descriptors descriptors, Lowering lower = nullptr);  // throws a Failure with every violation
void align(Plan& plan);        // sets latency, arrival, lag and gates; throws AMP_E_CYCLE
void order_nodes(Plan& plan);  // sets components, firing order and sub-blocks; throws AMP_E_CYCLE
void digest(Plan& plan);       // sets the digests of the nodes, the contracts and the plan
// digest of the plan of these descriptors in snapshots made before version 2
uint64_t plan_digest_version_1(const Descriptors&);
std::vector<uint8_t> encode(const Plan& plan);  // the plan blob
// throws AMP_E_BLOB, or AMP_E_DRIFT naming the first node that differs
void expect_same(const Plan& plan, const void* blob, size_t size);
std::string describe(const Plan& plan);  // JSON text

}  // namespace amp
