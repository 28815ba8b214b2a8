// The meters of a batch of signals: the state of each signal, and how signals are distributed over threads.
#pragma once
#include <memory>
#include <vector>

#include "amp/meter.h"
#include "amp/run.h"
#include "engine/run/thread_pool.hpp"
#include "meters/design.hpp"
#include "meters/gating.hpp"

namespace amp {

class Meter {
public:
    explicit Meter(const amp_meter_config& config);  // `config` has been checked

    void process(const amp_buffer& samples);  // `samples` has been checked
    uint32_t batches() const { return batches_; }
    uint32_t channels() const { return channels_; }
    size_t signals() const { return levels_.size(); }
    int64_t room() const { return most_ - frames_; }  // frames it can still process
    bool measures(uint32_t flag) const { return (flags_ & flag) != 0; }

    amp_levels levels(size_t signal) const;
    amp_loudness loudness(uint32_t batch) const;
    std::vector<double> series(uint32_t batch, int32_t series) const;  // mean squares over time

private:
    size_t groups() const { return (signals() + group_ - 1) / group_; }
    void take(size_t first, const amp_buffer& samples);
    void take_loudness(size_t first, const double** rows, int count, int64_t frames);
    int64_t hops() const { return whole_hops(frames_, sample_rate_); }
    std::vector<double> energies(uint32_t batch) const;
    bool measurable(uint32_t batch) const;  // all samples and their squares are finite

    uint32_t flags_, batches_, channels_;
    int64_t frames_ = 0, most_, most_hops_ = 0;
    double sample_rate_;
    const MeterKernels* kernels_;
    TruePeakDesign design_;
    KWeighting weighting_{};
    std::vector<double> weights_;
    std::vector<LevelState> levels_;
    std::vector<TruePeakState> peaks_;
    std::vector<LoudnessState> loudness_;
    std::vector<double> hops_;  // [signal][hop]: sums of squares
    size_t group_ = 1;          // signals per piece of work of one thread
    std::unique_ptr<Pool> pool_;
};

}  // namespace amp
