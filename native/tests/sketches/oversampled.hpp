// Sketch: groups of nodes at a multiple of the sample rate. Declarations only; docs/design/next.md says where each part
// will lie.
#pragma once
#include <string>
#include <vector>

#include "plan/lowering.hpp"

namespace amp {

// ---- dsp/resampling/tiers.hpp ----
enum class Tier : uint8_t { live, high, offline };

struct TierFacts {        // of a round trip up and down, at any ratio
    double flat_to;       // share of the Nyquist frequency of fs
    double ripple_db;     // up to there
    double folded_db;     // at most, of what folds into that band
    int64_t most_frames;  // of delay, in frames of fs; INT64_MAX: no limit
};
inline constexpr TierFacts kTiers[] = {
    {0.75, 0.01, -116.0, 40}, {0.75, 0.001, -140.0, 48}, {0.91, 0.0001, -190.0, INT64_MAX}};

inline constexpr uint32_t kMostOversampling = 64;  // a power of two

// Half-band stages of one way; their delays add up to whole frames of fs.
struct ResamplerFacts {
    uint32_t ratio;
    int64_t delay_frames;  // of fs
    double cost;           // additions and multiplications per frame of fs and row
};
ResamplerFacts resampler(Tier tier, uint32_t ratio, bool up);

// ---- plan/descriptors.hpp: from the extension list of AMPD version 2 ----
struct GroupDescriptor {
    std::string name;  // of the group; a node alone: its own name
    uint32_t ratio;
    Tier tier;
    std::vector<uint32_t> nodes;  // places in Descriptors::nodes
};

// ---- plan/lowering.hpp ----
// What amp::insert puts into the plan and no descriptor says: its PlanNode has a name ("drive/up/osc.out": the group,
// what, and the output that goes through it) and an origin (the edge or modulation), which texts, traces and errors
// show. Here stands what only groups need.
struct Inserted {
    enum What : uint8_t {
        kUp,
        kHold,
        kDown,
        kPad
    } what;          // kHold: numbers and modulations, for `ratio` inner frames each
    uint32_t group;  // index into LoweredPlan::groups
    uint32_t node;   // its place in Plan::nodes, whose `descriptor` is null
};

struct Group {
    uint32_t descriptor;  // index into the groups of the descriptors
    uint32_t ratio;
    Tier tier;                    // the render's own `resampling`, if it has one, in place of the group's
    int64_t latency;              // up, inner and down together, in frames of fs: what the plan compensates
    int64_t inner_latency;        // of the nodes inside, in inner frames; padded to a multiple of `ratio`
    std::vector<uint32_t> nodes;  // places in Plan::nodes, the inserted ones among them
};

struct LoweredPlan {
    Plan plan;
    std::vector<Group> groups;
    std::vector<Inserted> inserted;
    std::vector<int32_t> group_of;  // per node: its group, -1: at fs. Cohorts keep to one ratio
};

// Puts resamplers where edges cross the border of a group, before nodes are ordered and aligned. Throws with every
// violation listed: ratios that a contract forbids, types that stay at fs, one node oversampled inside a loop with d <
// L + 1 (cure: the whole loop).
LoweredPlan lower(Descriptors descriptors, const Tier* of_render);

// Inner edges: a delay stays in frames of fs. d frames are ratio * d inner ones, and so are initial tokens, each held.
uint64_t inner_delay(const PlanEdge& edge, const Group& group);

// ---- engine/run/shard.hpp ----
// A group fires its nodes with a firing and an environment of its own: frames and logical numbers times the ratio,
// sample_rate times the ratio. Nodes read fs from Environment only and never learn of it.
Firing inner_firing(const Firing& outer, const Group& group);
Environment inner_environment(const Environment& outer, const Group& group);

// ---- kernel/steps/rate.cpp ----
// Steps like gather and pack: one per inserted node, in both layouts. `in` is at one rate, `out` at the other.
struct RateSteps {
    StepOps up[2], hold[2], down[2], pad[2];
};

}  // namespace amp
