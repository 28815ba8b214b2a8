// configure's work: memory and steps of a runtime whose environment is set.
#pragma once
#include "engine/runtime.hpp"

namespace amp {

inline constexpr uint32_t kLaneLayoutFrom = 5;   // batches from which eight lanes pay

void build(Runtime& runtime);

}  // namespace amp
