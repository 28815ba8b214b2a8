// Control histories: named curves over time, sampled frame by frame at t = n / fs.
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
    // Values for frames first .. first + n - 1, by a kernel for what lies inside one segment; the same bits however the
    // range is cut.
    void sample(SegmentFn segment, double sample_rate, int64_t first, int64_t n, double* out) const;
};

using History = std::map<std::string, CurveData>;

// Throws AMP_E_INVALID_ARG if a point from number `first` on cannot follow the one before it.
void check_points(const std::string& name, const CurveData& curve, size_t first);

History read_history(const void* blob, size_t size);  // throws AMP_E_BLOB / AMP_E_INVALID_ARG, stage history

}  // namespace amp
