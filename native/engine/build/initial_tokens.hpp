// Writes what readers of an output see before its first token.
#pragma once
#include "kernel/step.hpp"

namespace amp {

// Overwrites frames below 0 of an output: with initial tokens where the step has any (the last is frame -1), otherwise
// with zeros. The firing's frame is that of the output.
uint32_t before_first_token(Step& step, const Firing& firing);
Carried tick_before_first_token(Step& step, int64_t i, int64_t time, Carried before);

}  // namespace amp
