// input: samples given from outside the graph, as an array or an audio file.
#include "kernel/contract.hpp"
#include "kernel/packs.hpp"

namespace amp::AMP_KNS {
namespace {

// Copies one window in the frame layout: the bound frames, and silence before and after them.
void copy(const double* x, int64_t frames, const Firing& f, double* y, Watch& watch) {
    const auto within = [&](int64_t i) { return i < 0 ? 0 : i < f.frames ? i : int64_t{f.frames}; };
    const int64_t first = within(-f.frame), end = x ? within(frames - f.frame) : first;
    int64_t i = 0;
    for (; i < first; ++i) y[i] = 0.0;
    for (; i + kLanes <= end; i += kLanes) {
        __builtin_prefetch(x + f.frame + f.frames + i);  // for the next block
        const f64x8 pack = load(x + f.frame + i);
        store(y + i, pack);
        watch.see(pack);
    }
    for (; i < end; ++i) watch.see(f64x8(y[i] = x[f.frame + i]));
    for (; i < f.frames; ++i) y[i] = 0.0;
}

uint32_t fire_frames(Step& s, const Firing& f) {
    Watch watch;
    for (int c = 0; c < s.channels; ++c)
        for (int g = 0; g < s.env->groups; ++g)
            copy(s.of_node.samples ? row(*s.of_node.samples, c, g, 0) : nullptr, s.of_node.sample_frames, f,
                 row(s.out[0], c, g, f.offset), watch);
    return watch.verdict();
}

uint32_t fire_lanes(Step& s, const Firing& f) {
    Watch watch;
    const int last = static_cast<int>(s.env->batches) - 1;
    for (int c = 0; c < s.channels; ++c)
        for (int g = 0; g < s.env->groups; ++g) {
            const double* x[kLanes] = {};
            for (int j = 0; s.of_node.samples && j < kLanes; ++j)
                x[j] = row(*s.of_node.samples, c, g * kLanes + j < last ? g * kLanes + j : last, 0);
            double* out = row(s.out[0], c, g, f.offset);
            for (uint32_t i = 0; i < f.frames; ++i) {
                const int64_t n = f.frame + i;
                const bool inside = s.of_node.samples && n >= 0 && n < s.of_node.sample_frames;
                double* y = out + i * s.out[0].step;
                for (int j = 0; j < kLanes; ++j) y[j] = inside ? x[j][n] : 0.0;
                watch.see(load(y));
            }
        }
    return watch.verdict();
}

constexpr amp_param_contract kParams[] = {
    text("source",
         "Where the samples come from, in words (a file's name); the samples themselves are bound to the node."),
    channels(),
};
constexpr amp_port_contract kOut[] = {output("out", "The bound samples.")};
constexpr amp_case_contract kCases[] = {
    {"ramp", "ramp", "", 1, 256, "exact", 0, kExactReason},
    {"stereo", "noise", "channels=2", 2, 256, "exact", 0, kExactReason},
};
constexpr amp_node_contract kContract =
    contract({.id = "input",
              .group = "io",
              .summary = "Plays bound samples: an array or an audio file.",
              .doc = "y[n] = samples[batch, channel, n]; silence before the first and after the last sample, and while "
                     "nothing is bound. A single batch of samples reaches every batch.",
              .params = kParams,
              .cases = kCases,
              .io = AMP_IO_SOURCE,
              .channels = "channels",
              .adjoint = AMP_ADJOINT_EXACT,
              .laws = AMP_LAW_BLOCK_INVARIANT},
             {}, kOut);

}  // namespace

extern const NodeType node_input;
const NodeType node_input{
    .kind = NodeKind::row,
    .contract = &kContract,
    .ops = {{.fire = fire_frames, .tick = ticking<fire_frames>}, {.fire = fire_lanes, .tick = ticking<fire_lanes>}}};

}  // namespace amp::AMP_KNS
