// Declarations shared by the files of the steps that are not nodes.
#pragma once
#include "kernel/packs.hpp"

namespace amp::AMP_KNS {

// By layout width. A fused parameter's step does nothing: its node computes the values.
template <int W> uint32_t parameter(Step& s, const Firing& f);
template <int W> Carried parameter_tick(Step& s, int64_t i, int64_t time, Carried before);

void curve_segment(const CurveSegment& segment, double sample_rate, int64_t first, int64_t frames, double* out);

}  // namespace amp::AMP_KNS
