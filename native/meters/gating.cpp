#include "meters/gating.hpp"

#include <algorithm>
#include <limits>

#include "dsp/math.hpp"

namespace amp {

using namespace AMP_KNS;

namespace {

constexpr double kOffset = -0.691, kDecibelsPerOctave = 0x1.8151824c7587ep+1;  // 10 log10(2)
constexpr double kNone = std::numeric_limits<double>::quiet_NaN();
constexpr double kTenLu = 0.1, kTwentyLu = 0.01;

double absolute_gate() { return vexp2((-70.0 - kOffset) / kDecibelsPerOctave); }

double mean_of(double sum, int64_t count) { return sum / static_cast<double>(count); }

}  // namespace

double lufs(double mean_square) { return kOffset + kDecibelsPerOctave * vlog2(mean_square); }

std::vector<double> window_means(const double* energies, int64_t hops, int64_t window, int64_t step,
                                 double sample_rate) {
    std::vector<double> means;
    if (hops >= window) means.reserve(static_cast<size_t>((hops - window) / step + 1));
    for (int64_t first = 0; first + window <= hops; first += step) {
        double sum = 0.0;
        for (int64_t k = first; k < first + window; ++k) sum += energies[k];
        means.push_back(mean_of(sum, hop_start(first + window, sample_rate) - hop_start(first, sample_rate)));
    }
    return means;
}

// BS.1770-4, equations 4 to 7: the relative gate is 10 LU below the mean of the blocks above -70 LKFS; the loudness is
// the mean of the blocks above both gates.
Gated integrated(const std::vector<double>& blocks) {
    const double absolute = absolute_gate();
    double sum = 0.0;
    int64_t count = 0;
    for (const double z : blocks)
        if (z > absolute) sum += z, ++count;
    Gated g{lufs(0.0), lufs(0.0), static_cast<int64_t>(blocks.size()), 0};
    if (!count) return g;
    const double relative = kTenLu * mean_of(sum, count);
    sum = 0.0;
    for (const double z : blocks)
        if (z > absolute && z > relative) sum += z, ++g.above;
    g.gate = lufs(relative);
    g.integrated = lufs(mean_of(sum, g.above));
    return g;
}

// EBU Tech 3342, section 4: the relative gate is 20 LU below the mean of the windows at or above -70 LUFS. The
// percentiles are values (nearest rank) of the windows at or above that gate.
Range loudness_range(const std::vector<double>& windows) {
    std::vector<double> kept;
    double sum = 0.0;
    for (const double z : windows)
        if (z >= absolute_gate()) kept.push_back(z), sum += z;
    if (kept.empty()) return {kNone, kNone};
    const double relative = kTwentyLu * mean_of(sum, static_cast<int64_t>(kept.size()));
    kept.erase(std::remove_if(kept.begin(), kept.end(), [&](double z) { return z < relative; }), kept.end());
    std::sort(kept.begin(), kept.end());
    const auto rank = [&](double share) {
        return kept[static_cast<size_t>(share * static_cast<double>(kept.size() - 1) + 0.5)];
    };
    return {lufs(rank(0.10)), lufs(rank(0.95))};
}

}  // namespace amp
