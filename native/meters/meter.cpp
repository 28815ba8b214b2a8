#include "meters/meter.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/failure.hpp"
#include "kernel/step.hpp"

namespace amp {

namespace {

constexpr double kNone = std::numeric_limits<double>::quiet_NaN();
constexpr double kFaint = 0x1p-500;  // filter states below it become zero, so that they do not decay into denormals

uint32_t threads_for(uint32_t asked, size_t signals) {
    return static_cast<uint32_t>(
        std::min<size_t>(asked ? asked : std::min(usable_threads(), AMP_MOST_THREADS), signals));
}

// A pool for this many threads and pieces of work; NULL for one thread.
std::unique_ptr<Pool> pool_for(uint32_t threads, size_t groups) {
    if (threads < 2) return nullptr;
    return std::make_unique<Pool>(threads - 1, static_cast<uint32_t>(std::min<size_t>(groups, size_t{threads} * 4)));
}

double value(const Compensated& t, const double* lanes) {
    const double open =
        ((lanes[0] + lanes[1]) + (lanes[2] + lanes[3])) + ((lanes[4] + lanes[5]) + (lanes[6] + lanes[7]));
    return t.sum + (t.lost + open);
}

// RMS from the sums of squares of big, usual and tiny values: the first that is not zero, plus the next.
double rms(const LevelState& s, double count) {
    const double usual = value(s.squares, s.square), big = value(s.bigs, s.big), tiny = value(s.tinies, s.tiny);
    if (big > 0.0) return std::sqrt((big + usual * kShrink * kShrink) / count) / kShrink;
    if (usual > 0.0) return std::sqrt((usual + tiny / kStretch / kStretch) / count);
    return std::sqrt(tiny / count) / kStretch;
}

struct Extremes {
    double left_out = 0.0, peak = 0.0;
};
Extremes extremes(const LevelState& s) {
    Extremes e;
    for (int k = 0; k < 8; ++k) e.left_out += s.left_out[k], e.peak = std::max(e.peak, s.peak[k]);
    return e;
}

}  // namespace

Meter::Meter(const amp_meter_config& c)
    : flags_(c.flags),
      batches_(c.batches),
      channels_(c.channels),
      most_(c.frames),
      sample_rate_(c.sample_rate),
      kernels_(kernels()->meters),
      weights_(c.channels, 1.0),
      levels_(size_t{c.batches} * c.channels) {
    const size_t signals = levels_.size();
    if (measures(AMP_METER_TRUE_PEAK)) {
        design_true_peak(design_);
        peaks_.resize(signals);
    }
    if (measures(AMP_METER_LOUDNESS)) {
        if (c.weights) std::copy_n(c.weights, channels_, weights_.begin());
        weighting_ = k_weighting(sample_rate_);
        most_hops_ = whole_hops(most_, sample_rate_);
        loudness_.resize(signals);
        hops_.resize(signals * static_cast<size_t>(most_hops_));
    }
    const uint32_t threads = threads_for(c.threads, signals);
    group_ = std::min<size_t>(kLoudnessSignals, signals / threads);
    pool_ = pool_for(threads, groups());
}

void Meter::process(const amp_buffer& in) {
    const auto take_all = [&](size_t first, size_t last) {
        for (size_t g = first; g < last; ++g) take(g * group_, in);
    };
    if (pool_ && pool_->works_here()) {
        const size_t pieces = pool_->pieces();
        pool_->run([&](uint32_t k) { take_all(groups() * k / pieces, groups() * (k + 1) / pieces); });
    } else {
        take_all(0, groups());
    }
    frames_ += in.frames;
}

// Processes the signals of one group, in stretches that stay in the cache from one meter to the next.
void Meter::take(size_t first, const amp_buffer& in) {
    constexpr int64_t kStretchFrames = 2048;
    const size_t count = std::min(group_, signals() - first);
    const double* rows[kLoudnessSignals] = {};
    for (size_t j = 0; j < count; ++j) {
        const auto b = static_cast<int64_t>((first + j) / channels_), c = static_cast<int64_t>((first + j) % channels_);
        rows[j] = in.data + b * in.batch_stride + c * in.channel_stride;
        for (int64_t done = 0; done < in.frames; done += kStretchFrames) {
            const int64_t n = std::min(kStretchFrames, in.frames - done);
            kernels_->levels(levels_[first + j], rows[j] + done, frames_ + done, n);
            if (!peaks_.empty()) kernels_->true_peak(design_, peaks_[first + j], rows[j] + done, n);
        }
    }
    if (!loudness_.empty()) take_loudness(first, rows, static_cast<int>(count), in.frames);
}

void Meter::take_loudness(size_t first, const double** rows, int count, int64_t frames) {
    LoudnessState* states = loudness_.data() + first;
    const int64_t last = frames_ + frames;
    int64_t hop = hops();
    for (int64_t n = frames_; n < last; ++hop) {
        const int64_t end = hop_start(hop + 1, sample_rate_), stop = std::min(end, last);
        kernels_->loudness(weighting_, states, rows, count, stop - n);
        for (int j = 0; j < count; ++j) rows[j] += stop - n;
        n = stop;
        if (n < end) return;
        for (int j = 0; j < count; ++j) {
            const size_t signal = first + static_cast<size_t>(j);
            hops_[signal * static_cast<size_t>(most_hops_) + static_cast<size_t>(hop)] = states[j].energy;
            states[j].energy = 0.0;
            for (double& z : states[j].z) z = std::fabs(z) < kFaint ? 0.0 : z;
        }
    }
}

amp_levels Meter::levels(size_t signal) const {
    const LevelState& s = levels_[signal];
    const auto [left_out, peak] = extremes(s);
    const double count = static_cast<double>(frames_) - left_out;
    amp_levels out{sizeof(amp_levels), 0, static_cast<int64_t>(left_out), kNone, kNone, kNone, kNone};
    if (count > 0.0) {
        out.peak = peak;
        out.mean = value(s.total, s.sum) / count / kSumScale;
        out.rms = rms(s, count);
    }
    if (!peaks_.empty() && count > 0.0 && left_out == 0.0) {
        TruePeakState p = peaks_[signal];
        constexpr double kSilence[2 * kReach - 1] = {};
        kernels_->true_peak(design_, p, kSilence, 2 * kReach - 1);
        out.true_peak = std::max(peak, 4.0 * p.peak);
    }
    return out;
}

bool Meter::measurable(uint32_t batch) const {
    constexpr double kMost = 0x1p400;  // limit up to which squares and their sums are finite
    for (uint32_t c = 0; c < channels_; ++c) {
        const Extremes e = extremes(levels_[size_t{batch} * channels_ + c]);
        if (e.left_out > 0.0 || e.peak > kMost) return false;
    }
    return true;
}

std::vector<double> Meter::energies(uint32_t batch) const {
    const int64_t count = hops();
    std::vector<double> sums(static_cast<size_t>(count), 0.0);
    for (uint32_t c = 0; c < channels_; ++c) {
        const double* own = hops_.data() + (size_t{batch} * channels_ + c) * static_cast<size_t>(most_hops_);
        for (size_t k = 0; k < sums.size(); ++k) sums[k] += weights_[c] * own[k];
    }
    return sums;
}

std::vector<double> Meter::series(uint32_t batch, int32_t series) const {
    const int64_t window = series == AMP_SERIES_MOMENTARY ? kMomentaryHops : kShortTermHops;
    if (!measurable(batch)) {
        const int64_t count = std::max<int64_t>(0, hops() - window + 1);
        return std::vector<double>(static_cast<size_t>(count), kNone);
    }
    const std::vector<double> sums = energies(batch);
    return window_means(sums.data(), static_cast<int64_t>(sums.size()), window, 1, sample_rate_);
}

amp_loudness Meter::loudness(uint32_t batch) const {
    amp_loudness out{sizeof(amp_loudness), 0, kNone, kNone, kNone, kNone, kNone, kNone, 0, 0};
    if (!measurable(batch)) return out;
    const std::vector<double> sums = energies(batch);
    const auto means = [&](int64_t window, int64_t step) {
        return window_means(sums.data(), static_cast<int64_t>(sums.size()), window, step, sample_rate_);
    };
    if (const auto momentary = means(kMomentaryHops, 1); !momentary.empty()) {
        const Gated g = integrated(means(kMomentaryHops, kStepHops));
        out.integrated = g.integrated;
        out.gate = g.gate;
        out.blocks = g.blocks;
        out.blocks_above = g.above;
        out.momentary_max = lufs(*std::max_element(momentary.begin(), momentary.end()));
    }
    if (const auto short_term = means(kShortTermHops, 1); !short_term.empty()) {
        const Range r = loudness_range(means(kShortTermHops, kStepHops));
        out.range_low = r.low;
        out.range_high = r.high;
        out.short_term_max = lufs(*std::max_element(short_term.begin(), short_term.end()));
    }
    return out;
}

}  // namespace amp
