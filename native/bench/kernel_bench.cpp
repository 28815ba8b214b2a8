// Time per voice and frame of single kernels in the lane layout, at one ISA level: the parts of workloads W2 and W6,
// each alone and with its blocks in L1. Usage: `kernel_bench_<level> [kernel ...]`. Times are the best of many firings.
#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <deque>
#include <string>
#include <vector>

#include "dsp/phase.hpp"
#include "kernel/step.hpp"

namespace amp::AMP_KNS {
extern const NodeType* const node_types[];
extern const uint32_t node_type_count;
}  // namespace amp::AMP_KNS

namespace {

using namespace amp;

constexpr double kRate = 48000.0;
constexpr uint32_t kFrames = 64;  // the engine's block for eight batches
constexpr int kFirings = 750, kRounds = 25, kMostRows = 32;

struct Kernel {
    const char *name, *type;
    std::vector<double> params;  // in the order of the contract
    int modulated = -1;          // the parameter that a slow modulator changes, fused into the node; -1: none
    double depth = 0;            // depth of that modulation, as a factor
    int edges = 0;               // number of signals that enter port 0
    std::vector<double> apart;   // per parameter: difference from lane to lane
    bool gated = false;          // a gate of 1 Hz enters port 0
};

// One step with eight batches, and the memory of its views.
class Rig {
public:
    static constexpr int64_t kRow = (kFrames + 8) * kLanes;  // doubles per row, as in the engine with its padding

    explicit Rig(const Kernel& k) : kernel_(k), type_(find(k.type)) {
        env_.sample_rate = kRate;
        const auto scale = AMP_KNS::make_phase_scale(kRate);
        env_.phase_scale[0] = scale.high, env_.phase_scale[1] = scale.low;
        env_.batches = kLanes, env_.width = kLanes, env_.groups = 1;
        step_.env = &env_;
        bind();
        if (type_.ops[1].bind_rows) type_.ops[1].bind_rows(step_);
        if (type_.ops[1].reset) type_.ops[1].reset(step_);
        if (type_.ops[1].prepare) type_.ops[1].prepare(step_);
    }

    double nanoseconds() {
        double best = 1e9;
        for (int round = 0; round < kRounds; ++round) {
            const auto start = std::chrono::steady_clock::now();
            for (int k = 0; k < kFirings; ++k) {
                if (kernel_.gated) in_[0] = gate_[frame_ / (int64_t(kRate) / 2) % 2];
                const Firing f{frame_, 0, kFrames};
                (void)type_.ops[1].fire(step_, f);
                frame_ += kFrames;
            }
            const std::chrono::duration<double, std::nano> taken = std::chrono::steady_clock::now() - start;
            best = std::min(best, taken.count() / (kFirings * kFrames * kLanes));
        }
        return best;
    }

private:
    static const NodeType& find(const char* id) {
        const NodeType* const* end = AMP_KNS::node_types + AMP_KNS::node_type_count;
        return **std::find_if(AMP_KNS::node_types, end,
                              [&](const NodeType* t) { return !std::strcmp(t->contract->id, id); });
    }
    unsigned char* bytes(size_t size) {  // zeroed, aligned to a cache line
        unsigned char* p = memory_.emplace_back(size + 64).data();
        return p + (64 - reinterpret_cast<uintptr_t>(p) % 64) % 64;
    }
    View row(uint32_t frames, int channels = 1) {  // consecutive in memory, like slices of a block
        double* p = next_;
        next_ += kRow * channels;
        return {p, kRow, 0, frames == 1 ? 0 : kLanes};
    }
    View held(double value, double apart) {
        const View v = row(1);
        for (int j = 0; j < kLanes; ++j) v.data[j] = value + apart * j;
        return v;
    }
    View wave(double amplitude) {
        const View v = row(kFrames);
        for (uint32_t i = 0; i < kFrames * kLanes; ++i)
            v.data[i] = amplitude * std::sin(0.1 * (i / kLanes) + 0.7 * (i % kLanes));
        return v;
    }
    void bind() {
        const amp_node_contract& c = *type_.contract;
        for (uint32_t k = 0; k < c.n_params; ++k) {
            fixed_.push_back(kernel_.params[k]);
            par_.push_back(held(kernel_.params[k], k < kernel_.apart.size() ? kernel_.apart[k] : 0.0));
        }
        for (uint32_t k = 0; k < c.n_inputs; ++k)
            in_.push_back(k == 0 && kernel_.edges ? wave(1.0) : held(c.inputs[k].neutral, 0.0));
        for (int k = 1; k < kernel_.edges; ++k) more_.push_back(wave(1.0));
        for (uint32_t k = 0; k < c.n_outputs; ++k)
            out_.push_back(row(kFrames, c.outputs[k].channels == AMP_CHANNELS_STEREO ? 2 : 1));
        if (kernel_.gated)
            for (View& v : gate_) {
                v = row(kFrames);
                std::fill(v.data, v.data + kFrames * kLanes, &v == gate_ ? 1.0 : -1.0);
            }
        step_.par = par_.data(), step_.in = in_.data(), step_.out = out_.data(), step_.of_node.more = more_.data();
        step_.fixed = fixed_.data(), step_.n_in = int(in_.size()), step_.of_node.n_more = int(more_.size());
        step_.state = bytes(type_.ops[1].state_bytes), step_.coef = bytes(type_.ops[1].coef_bytes);
        step_.rows = bytes(type_.ops[1].row_bytes);
        if (kernel_.modulated < 0) return;
        const auto p = size_t(kernel_.modulated);
        modulation_ = {wave(1.0), kernel_.depth, 1.0, -1, 1, 1};
        ParameterStep& own = parameter_.of_parameter;
        own.base = par_[p], own.mods = &modulation_, own.n_mods = 1, own.fuses = true;
        own.low = c.params[p].low, own.high = 1e6;
        moving_ = par_;
        moving_[p] = row(kFrames);
        step_.par = moving_.data(), step_.fused = &parameter_, step_.varying = 1;
    }

    const Kernel& kernel_;
    const NodeType& type_;
    Environment env_{};
    Step step_{}, parameter_{StepKind::parameter};
    Modulation modulation_{};
    std::deque<std::vector<unsigned char>> memory_;
    View gate_[2];  // gate on, gate off
    std::vector<View> in_, more_, out_, par_, moving_;
    std::vector<double> fixed_;
    double* next_ = reinterpret_cast<double*>(bytes(sizeof(double) * kRow * kMostRows));
    int64_t frame_ = 0;
};

const Kernel kKernels[] = {
    {"lfo_sine", "lfo", {0, 5, 0, 0, 1, 0, 1}},
    {"lfo_square", "lfo", {3, 1, 0, 0, 1, 0, 1}},
    {"envelope", "envelope", {0.01, 0, 0.1, 0.7, 0.3}, -1, 0, 0, {}, true},
    {"saw_moved", "oscillator", {1, 1, 260, 0, 0.5, 1, 1}, 2, 0.01, 0, {0, 0, 7.3}},
    {"saw_held", "oscillator", {1, 1, 260, 0, 0.5, 1, 1}, -1, 0, 0, {0, 0, 7.3}},
    {"sine_held", "oscillator", {0, 1, 110, 0, 0.5, 1, 1}, -1, 0, 0, {0, 0, 7.3}},
    {"mix_of_3", "mix", {1.0 / 3}, -1, 0, 3},
    {"svf_moved", "svf", {0, 800, 1}, 1, 0.6, 1, {0, 25, 0.05}},
    {"svf_held", "svf", {0, 800, 1}, -1, 0, 1, {0, 25, 0.05}},
    {"gain_moved", "gain", {1}, 0, 0.5, 1},
    {"pan_held", "pan", {-0.3}, -1, 0, 1, {0.03}},
    {"biquad_held", "biquad", {1, 1, 0, 0, 0, 0, 300, 2, 0}, -1, 0, 1, {0, 0, 0, 0, 0, 0, 5}},
    {"one_pole_held", "one_pole", {0, 300}, -1, 0, 1, {0, 5}},
};

}  // namespace

int main(int argc, char** argv) {
    const std::vector<std::string> asked(argv + 1, argv + argc);
    for (const Kernel& k : kKernels)
        if (asked.empty() || std::find(asked.begin(), asked.end(), k.name) != asked.end())
            std::printf("%-14s %7.3f ns per voice and frame\n", k.name, Rig(k).nanoseconds());
    return 0;
}
