// Before the first token of an output: what its readers see there.
#pragma once
#include "kernel/step.hpp"

namespace amp {

// Writes the tokens of frames below 0 in place of whatever the node left: initial tokens where the step has any
// (its last is frame -1), else zeros. The firing's frame is that of the output.
uint32_t before_first_token(Step& step, const Firing& firing);
Carried tick_before_first_token(Step& step, int64_t i, int64_t time, Carried before);

}  // namespace amp
