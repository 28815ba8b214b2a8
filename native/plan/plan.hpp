// The plan: descriptors and contracts made into something that can be run. Compiled here and only here.
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
    uint32_t src, dst;  // places in the order
    uint32_t src_port;
    int32_t port;          // input port of dst, -1 for a modulation
    int32_t param;         // parameter of dst, -1 for an audio edge
    uint32_t descriptor;   // index into edges or modulations; kInserted: an audio edge that the plan made
    uint64_t delay;        // d, part of the sound
    uint64_t lag;          // D = d + A(dst) - A(src) - L(src): frames it holds in virtual time
    bool feedback;         // closes a cycle: the source stands at or after the destination in the order
    double kappa;          // share of the source's heat carried along (audio edges)
    int32_t channel = -1;  // audio edges: the one channel of the source port it carries, -1: all
    int32_t into = 0;      // audio edges: the channel of the port where its first one lands (ports that stack)
};

inline constexpr uint32_t kInserted = 0xffffffffu;

// A node of the user, or one that the plan inserted (plan/lowering.hpp). Whoever runs or shows it asks nothing else.
struct PlanNode {
    const NodeType* type = nullptr;
    const NodeDescriptor* descriptor = nullptr;  // what the user said; none: inserted
    std::string name;                            // unique in the plan: for texts, traces, errors, noise and schedules
    std::string origin;                          // inserted: what for, "edge osc -> drive.in"; else empty
    uint32_t oversample = 1;
    double heat_j_per_frame = NAN, capacity_j_per_k = NAN, conductance_w_per_k = NAN;  // NaN: not given
    std::vector<int32_t> parameter;    // per contract parameter: index into descriptor->parameters, -1 default
    int32_t channels = 1;              // rows of work
    std::vector<int32_t> in_channels;  // per input port: where the edges have met
    std::vector<int32_t> out_channels;
    int64_t latency = 0;           // L
    int64_t arrival = 0;           // A: the virtual time at which it fires its frame 0
    int32_t component = -1;        // feedback component, -1: none
    int32_t loop = -1;             // the same before a schedule fused components
    int32_t cohort = -1;           // of the schedule being followed, -1: fires alone
    uint32_t rank = 0;             // place in the order of the plan itself, whatever schedule is followed
    std::span<const uint32_t> in;  // edges into it, audio then modulations, in slot order
    uint64_t history = 0;          // frames of its output that some reader needs beyond the block
    uint64_t digest = 0;           // of all this and its descriptor, so that a difference can be laid at a node's door

    // The value the user gave a parameter, NULL: the contract's default holds.
    const Parameter* given(uint32_t param) const {
        return parameter[param] < 0 ? nullptr : &descriptor->parameters[static_cast<size_t>(parameter[param])];
    }
    // Its name in a sentence, and what it is there for if the user does not know it.
    std::string shown() const { return origin.empty() ? name : name + " (inserted for " + origin + ')'; }
};

struct Gate {  // its consumers fire at one virtual time
    std::string name;
    std::vector<uint32_t> consumers;  // places in the order
};

// Nodes of one type that stand side by side in the order and run as one kernel, member after member in its lanes.
struct Cohort {
    uint32_t first, count;
};

struct Component {
    std::vector<uint32_t> nodes;  // in firing order
    uint64_t sub_block;           // min over its cycles of the sum of lags
};

struct Plan {
    Descriptors descriptors;
    std::vector<PlanNode> nodes;  // in firing order
    std::vector<uint32_t>
        place;  // there, of descriptors.nodes, which stand in name order, and of inserted nodes behind
    std::vector<PlanEdge> edges;
    Lists into;  // edges by node, which PlanNode::in shows
    std::vector<Component> components;
    std::vector<Gate> gates;          // by name
    std::vector<Cohort> cohorts;      // of the schedule being followed, in firing order
    int64_t latency = 0;              // G = max of A + L: virtual time t delivers frame t - G everywhere
    int32_t output = -1;              // place of the output node, -1: none
    std::vector<std::string> curves;  // names the plan needs, sorted
    std::vector<uint32_t> dead;       // descriptors of edges that are not read: not the first of their port
    bool together = false;            // some node reads all batches: they run in one shard
    uint64_t contract_digest = 0, digest = 0;

    std::optional<uint32_t> find(std::string_view name) const;
    // How far the newest token of a node runs ahead of what is delivered.
    int64_t lead(uint32_t u) const { return latency - nodes[u].arrival - nodes[u].latency; }
};

inline constexpr int kMostChannels = 1024;  // of a node

// A component whose sub-block is shorter than this goes frame by frame; longer ones are faster node by node.
inline constexpr uint64_t kTogetherBelow = 5;

// What the user said of an audio edge; of an inserted one: no slot, tokens or gates.
inline const EdgeDescriptor& said_of(const Plan& p, const PlanEdge& e) {
    static const EdgeDescriptor nothing;
    return e.descriptor == kInserted ? nothing : p.descriptors.edges[e.descriptor];
}
// Whether an edge has initial tokens of its own: those wait in a window of its own.
inline bool has_tokens(const Plan& p, const PlanEdge& e) { return e.port >= 0 && said_of(p, e).has_tokens; }
// Channels an audio edge carries.
inline int32_t carried(const Plan& p, const PlanEdge& e) {
    return e.channel >= 0 ? 1 : p.nodes[e.src].out_channels[e.src_port];
}
// Whether an edge delays inside a loop. Every cycle has such an edge, and names do not decide which.
inline bool recurs(const Plan& p, const PlanEdge& e) {
    return e.delay > 0 && p.nodes[e.src].component >= 0 && p.nodes[e.src].component == p.nodes[e.dst].component;
}
inline bool stacks(const amp_port_contract& input) {
    return input.gather == AMP_GATHER_CONCAT || input.gather == AMP_GATHER_MATRIX;
}

std::string quoted(const std::string& s);  // as JSON has it
const NodeType* find_type(const std::string& id);
uint64_t contract_digest(const amp_node_contract& contract, uint32_t version = kDigestVersion);

using Lowering = void (*)(Plan&);  // inserts nodes: every node and edge of the user is there, nothing is ordered yet

Plan compile(Descriptors descriptors, Lowering lower = nullptr);  // throws with every violation listed
void align(Plan& plan);                                           // latency, arrival, lag, gates; throws AMP_E_CYCLE
void order_nodes(Plan& plan);                        // components, firing order, sub-blocks; throws AMP_E_CYCLE
void digest(Plan& plan);                             // of every node, the contracts and the whole
uint64_t plan_digest_version_1(const Descriptors&);  // of their plan, as snapshots made before version 2 hold it
std::vector<uint8_t> encode(const Plan& plan);       // the plan blob
void expect_same(const Plan& plan, const void* blob, size_t size);  // throws AMP_E_BLOB or AMP_E_DRIFT naming the node
std::string describe(const Plan& plan);                             // JSON text

}  // namespace amp
