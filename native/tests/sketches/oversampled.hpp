// Sketch: groups of nodes at a multiple of the sample rate. Declarations only; docs/design/next.md says where each part
// will be.
#pragma once
#include <string>
#include <vector>

#include "plan/lowering.hpp"

namespace amp {

// ---- dsp/resampling/tiers.hpp ----
enum class Tier : uint8_t { live, high, offline };

struct TierFacts {        // Quality of one resampling up and down, at any ratio.
    double flat_to;       // end of the flat band, as a fraction of the Nyquist frequency of fs
    double ripple_db;     // ripple in that band
    double folded_db;     // most alias in that band
    int64_t most_frames;  // most delay, in frames of fs; INT64_MAX: no limit
};
inline constexpr TierFacts kTiers[] = {
    {0.75, 0.01, -116.0, 40}, {0.75, 0.001, -140.0, 48}, {0.91, 0.0001, -190.0, INT64_MAX}};

inline constexpr uint32_t kMostOversampling = 64;  // a power of two

// The half-band stages of one direction; their delays add up to whole frames of fs.
struct ResamplerFacts {
    uint32_t ratio;
    int64_t delay_frames;  // in frames of fs
    double cost;           // additions and multiplications per frame of fs and row
};
ResamplerFacts resampler(Tier tier, uint32_t ratio, bool up);

// ---- plan/descriptors.hpp: from the extension list of AMPD version 2 ----
struct GroupDescriptor {
    std::string name;  // name of the group; of a single node its own name
    uint32_t ratio;
    Tier tier;
    std::vector<uint32_t> nodes;  // places in Descriptors::nodes
};

// ---- plan/lowering.hpp ----
// What groups need to know about an inserted node. Its PlanNode (made by amp::insert) has a name, such as
// "drive/up/osc.out" (group, direction, and the output that passes through it), and an origin (the edge or modulation),
// which texts, traces and errors show.
struct Inserted {
    enum What : uint8_t {
        kUp,
        kHold,
        kDown,
        kPad
    } what;          // kHold: numbers and modulations, repeated for `ratio` inner frames
    uint32_t group;  // index into LoweredPlan::groups
    uint32_t node;   // its place in Plan::nodes; its PlanNode::descriptor is NULL
};

struct Group {
    uint32_t descriptor;  // index into the groups of the descriptors
    uint32_t ratio;
    Tier tier;                    // the `resampling` of the render if it has one, otherwise that of the group
    int64_t latency;              // of resampling and inner nodes together, in frames of fs; the plan compensates it
    int64_t inner_latency;        // latency of the inner nodes, in inner frames; padded to a multiple of `ratio`
    std::vector<uint32_t> nodes;  // places in Plan::nodes, inserted nodes included
};

struct LoweredPlan {
    Plan plan;
    std::vector<Group> groups;
    std::vector<Inserted> inserted;
    std::vector<int32_t> group_of;  // per node: its group; -1: at fs. Members of a cohort have one ratio
};

// Inserts resamplers into edges that cross the border of a group, before nodes are ordered and aligned. Throws with all
// violations: ratios that a contract forbids, types that must run at fs, a single node oversampled inside a loop with d
// < L + 1 (cure: the whole loop).
LoweredPlan lower(Descriptors descriptors, const Tier* of_render);

// Inner edges: delays are given in frames of fs. d frames are ratio * d inner frames; each initial token is repeated.
uint64_t inner_delay(const PlanEdge& edge, const Group& group);

// ---- engine/run/shard.hpp ----
// A group fires its nodes with a Firing and an Environment of its own: frames and frame numbers times the ratio,
// sample_rate times the ratio. Nodes take fs from the Environment only, so they need no knowledge of oversampling.
Firing inner_firing(const Firing& outer, const Group& group);
Environment inner_environment(const Environment& outer, const Group& group);

// ---- kernel/steps/rate.cpp ----
// Steps like gather and pack: one per inserted node, in both layouts. Input and output have different rates.
struct RateSteps {
    StepOps up[2], hold[2], down[2], pad[2];
};

}  // namespace amp
