// Min/max pyramid of a signal, for drawing: level k >= 1 has one (min, max) pair for each run of 16^k samples.
#pragma once
#include <cstddef>
#include <cstdint>

namespace amp {

size_t pyramid_size(int64_t frames);  // in doubles; 0: too few samples for a pyramid

// Writes pyramid_size(frames) doubles. Both values of a run with a NaN are NaN.
void build_pyramid(const double* samples, int64_t frames, double* pyramid);

// Writes the extremes of `columns` equal spans of samples [first, last), a range that is not empty and is within
// `frames`. `pyramid` may be NULL if pyramid_size is 0.
void query_pyramid(const double* samples, int64_t frames, const double* pyramid, int64_t first, int64_t last,
                   int32_t columns, double* low, double* high);

}  // namespace amp
