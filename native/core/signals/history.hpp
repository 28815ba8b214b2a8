// Control histories: named curves over time, sampled per frame at t = n / fs.
#pragma once
#include <map>
#include <string>
#include <vector>

#include "core/bytes.hpp"
#include "core/signals/curve_segment.hpp"

namespace amp {

struct CurveData {
    uint8_t interpolation = 0;
    std::vector<double> times, values;
    // Writes the values of frames first .. first + n - 1. `segment` computes the frames inside one segment. The values
    // do not depend on how the range is divided into calls.
    void sample(SegmentFn segment, double sample_rate, int64_t first, int64_t n, double* out) const;
};

using History = std::map<std::string, CurveData>;

// Throws AMP_E_INVALID_ARG if a point, from number `first` on, must not follow the one before it.
void check_points(const std::string& name, const CurveData& curve, size_t first);

History read_history(const void* blob, size_t size);  // throws AMP_E_BLOB / AMP_E_INVALID_ARG, stage history

}  // namespace amp
