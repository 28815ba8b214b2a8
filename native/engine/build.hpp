// configure's work: memory and steps of a shard whose environment is set.
#pragma once
#include "engine/shard.hpp"

namespace amp {

inline constexpr uint32_t kLaneLayoutFrom = 5;  // batches from which eight lanes pay

void build(Shard& shard);

}  // namespace amp
