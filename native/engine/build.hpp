// configure's work: memory and steps of a shard whose environment is set.
#pragma once
#include "engine/shard.hpp"

namespace amp {

inline constexpr uint32_t kLaneLayoutFrom = 5;  // batches from which eight lanes pay
inline constexpr uint32_t kLeastBlock = 256;    // frames chosen; shorter blocks cost more than slices in L2

void build(Shard& shard);

}  // namespace amp
