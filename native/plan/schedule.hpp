// A schedule says when each node fires and beside whom: stages one after the other, in each its cohorts one after the
// other, in each its members side by side in the lanes of one kernel. What it says changes how fast the sound comes,
// never the sound. docs/design/engine.md, "Schedules".
#pragma once
#include "amp/graph.h"
#include "plan/plan.hpp"

namespace amp {

struct Schedule {
    std::vector<std::vector<std::vector<uint32_t>>> stages;  // stage -> cohort -> places in the plan as it stands
};

// Members of a derived cohort: as many as a vector has lanes. More would only spread a voice's slices over more of L1.
inline constexpr uint32_t kCohortLanes = AMP_LANES;
// Fewer members than half a vector fire faster each alone.
inline constexpr uint32_t kLeastMembers = 4;

Schedule plain(const Plan& plan);   // the order of the plan itself, every node alone
Schedule derive(const Plan& plan);  // IPLS: isomorphic voices eight lanes at a time; plain() if there are none
// Throws AMP_E_INVALID_ARG, stage schedule, naming the pair of nodes, the rule they break and the cure.
void check(const Plan& plan, const Schedule& schedule);
// Puts the nodes into the order of a schedule that passed check(). The plan may follow another one already.
void follow(Plan& plan, const Schedule& schedule);
uint64_t order_digest(const Plan& plan);  // of the order and the cohorts a plan follows

std::vector<uint8_t> encode(const Plan& plan, const Schedule& schedule);  // the schedule blob (layout in amp/graph.h)
Schedule read_schedule(const Plan& plan, const void* blob, size_t size);  // throws AMP_E_BLOB, or what check() throws
std::string describe(const Plan& plan, const Schedule& schedule);         // JSON text

}  // namespace amp
