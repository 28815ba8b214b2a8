// Loudness from the energies of hops of 10 ms: Rec. ITU-R BS.1770-4 (gates), EBU Tech 3341 (time scales), EBU Tech 3342
// (range). Windows begin and end at hops; hop k begins at frame round(k fs / 100).
#pragma once
#include <cstdint>
#include <vector>

namespace amp {

// gating blocks and windows of the range begin every 100 ms
inline constexpr int64_t kHopsPerSecond = 100, kStepHops = 10;
inline constexpr int64_t kMomentaryHops = 40, kShortTermHops = 300;

// First frame of hop k.
inline int64_t hop_start(int64_t k, double sample_rate) {
    return static_cast<int64_t>(static_cast<double>(k) * sample_rate / static_cast<double>(kHopsPerSecond) + 0.5);
}

// Number of whole hops in `frames`.
inline int64_t whole_hops(int64_t frames, double sample_rate) {
    auto k = static_cast<int64_t>(static_cast<double>(frames) * static_cast<double>(kHopsPerSecond) / sample_rate);
    while (hop_start(k, sample_rate) > frames) --k;
    while (hop_start(k + 1, sample_rate) <= frames) ++k;
    return k;
}

double lufs(double mean_square);  // `mean_square` is weighted and summed over channels; -inf for 0

// Mean squares of every window of `window` whole hops that begins at a multiple of `step` hops.
std::vector<double> window_means(const double* energies, int64_t hops, int64_t window, int64_t step,
                                 double sample_rate);

struct Gated {
    double integrated, gate;  // LUFS; -inf if no block is above -70 LUFS
    int64_t blocks, above;    // number of whole gating blocks, and of those above both gates
};
Gated integrated(const std::vector<double>& blocks);

struct Range {
    double low, high;  // LUFS of the 10th and 95th percentile; NaN if no window is at or above -70 LUFS
};
Range loudness_range(const std::vector<double>& windows);

}  // namespace amp
