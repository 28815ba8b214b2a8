// The min/max pyramid of a signal, for drawing: level k >= 1 holds one (min, max) pair for each run of 16^k samples.
#pragma once
#include <cstddef>
#include <cstdint>

namespace amp {

size_t pyramid_size(int64_t frames);  // doubles; 0: so few samples need none

// Writes pyramid_size(frames) doubles. A run that holds a NaN has NaN for both.
void build_pyramid(const double* samples, int64_t frames, double* pyramid);

// Extremes of each of `columns` equal spans of samples [first, last), which is not empty and lies within `frames`.
// `pyramid` may be null where pyramid_size is 0.
void query_pyramid(const double* samples, int64_t frames, const double* pyramid, int64_t first, int64_t last,
                   int32_t columns, double* low, double* high);

}  // namespace amp
