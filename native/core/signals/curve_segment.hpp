// One segment of a control curve, between two of its points. Plain data: the kernels of every ISA level include it.
#pragma once
#include <cstdint>

namespace amp {

struct CurveSegment {
    uint8_t interpolation;                      // AMP_CURVE_*
    double time, next_time, value, next_value;  // times in seconds, and the values there
};

// Writes the values at t = n / sample_rate of frames n = first .. first + frames - 1, all inside one segment.
using SegmentFn = void (*)(const CurveSegment& segment, double sample_rate, int64_t first, int64_t frames, double* out);

}  // namespace amp
