// A schedule: when each node fires, and which nodes fire together. Stages run one after the other, in each stage its
// cohorts one after the other; the members of a cohort are the lanes of one kernel. A schedule changes the speed, never
// the sound. See docs/design/engine.md, "Schedules".
#pragma once
#include "amp/graph.h"
#include "plan/plan.hpp"

namespace amp {

struct Schedule {
    // stage -> cohort -> members, as places in the plan's present order
    std::vector<std::vector<std::vector<uint32_t>>> stages;
};

// Members of a derived cohort: the number of lanes of a vector. More members would spread a voice's slices over more of
// L1.
inline constexpr uint32_t kCohortLanes = AMP_LANES;
// Fewest members of a derived cohort: with less than half a vector the nodes are faster one by one.
inline constexpr uint32_t kLeastMembers = 4;

Schedule plain(const Plan& plan);   // the plan's own order, every node in a cohort of its own
Schedule derive(const Plan& plan);  // IPLS: equal voices in cohorts of up to eight; plain() if there are none
// Throws AMP_E_INVALID_ARG, stage schedule, naming the two nodes, the broken rule and the cure.
void check(const Plan& plan, const Schedule& schedule);
// Reorders the plan by a schedule that passed check(). The plan may follow another schedule before.
void follow(Plan& plan, const Schedule& schedule);
uint64_t order_digest(const Plan& plan);  // digest of the order and the cohorts that a plan follows

std::vector<uint8_t> encode(const Plan& plan, const Schedule& schedule);  // the schedule blob (layout in amp/graph.h)
Schedule read_schedule(const Plan& plan, const void* blob, size_t size);  // throws AMP_E_BLOB, or what check() throws
std::string describe(const Plan& plan, const Schedule& schedule);         // JSON text

}  // namespace amp
