// configure's work: memory and steps of a shard whose environment is set.
#pragma once
#include "engine/shard.hpp"

namespace amp {

inline constexpr uint32_t kLaneLayoutFrom = 5;  // batches from which eight lanes pay

// Least frames chosen: shorter blocks cost more than slices in L2. The slices of teams are eight times as wide, and so
// is the work for which a step is fetched.
inline constexpr uint32_t kLeastBlock = 256, kLeastBlockOfTeams = 128;

void build(Shard& shard);

}  // namespace amp
