// Filter designs of the meters, computed once per meter.
#pragma once
#include "meters/kernels.hpp"

namespace amp {

inline constexpr double kLowestLoudnessRate = 8000.0, kHighestLoudnessRate = 384000.0;  // Hz

void design_true_peak(TruePeakDesign& design);
KWeighting k_weighting(double sample_rate);

}  // namespace amp
