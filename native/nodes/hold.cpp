// hold: sample and hold by the logical frame number.
#include "kernel/contract.hpp"
#include "kernel/packs.hpp"

namespace amp::AMP_KNS {
namespace {

enum Param { kHop, kPhase };

template <class T> uint32_t fire(Step& s, const Firing& f) {
    const auto hop = static_cast<int64_t>(s.fixed[kHop]), phase = static_cast<int64_t>(s.fixed[kPhase]);
    const int64_t since = ((f.frame - phase) % hop + hop) % hop, first = since ? hop - since : 0;
    Watch watch;
    for (int c = 0, r = 0; c < s.channels; ++c)
        for (int g = 0; g < s.env->groups; ++g, ++r) {
            double* state = reinterpret_cast<double*>(s.state) + r * width_of<T>;
            const double* x = row(s.in[0], c, g, f.offset);
            double* y = row(s.out[0], c, g, f.offset);
            T held = load_as<T>(state);
            int64_t next = first;  // next frame at which a value is sampled
            for (uint32_t i = 0; i < f.frames; ++i) {
                if (i == next) {
                    held = load_as<T>(x + i * s.in[0].step);
                    next += hop;
                }
                watch.see(held);
                store_as(y + i * s.out[0].step, held);
            }
            store_as(state, held);
        }
    return watch.verdict();
}

template <class T> void reset(Step& s) {
    for (int r = 0; r < s.channels * s.env->groups; ++r)
        store_as(reinterpret_cast<double*>(s.state) + r * width_of<T>, T(0.0));
}

template <class T> constexpr LayoutOps ops() {
    return {.fire = fire<T>, .tick = ticking<fire<T>>, .reset = reset<T>, .state_bytes = sizeof(T)};
}

constexpr double kLongest = 2147483648.0;
constexpr amp_param_contract kParams[] = {
    integer("hop_frames", 1, kLongest, 1, "Frames from one taken value to the next; 1 passes the signal bit for bit."),
    integer("phase_frames", 0, kLongest, 0,
            "A value is taken at the frames n with n = phase_frames modulo hop_frames."),
};
constexpr amp_port_contract kIn[] = {input("in", "Signal to take values from.")};
constexpr amp_port_contract kOut[] = {mapping_output("out", AMP_MAP_FRAMES, "The value taken last.")};
constexpr amp_case_contract kCases[] = {
    {"third", "noise", "hop_frames=3", 2, 256, "exact", 0, kExactReason},
    {"offbeat", "ramp", "hop_frames=8 phase_frames=1", 1, 100, "exact", 0, kExactReason},
    {"every", "sine", "hop_frames=1", 1, 100, "exact", 0, kExactReason},
};
constexpr amp_node_contract kContract = contract(
    {.id = "hold",
     .group = "delay",
     .summary = "Samples a signal every so many frames and holds the value.",
     .doc = "y[n] = x[m] with m the last frame not after n that is phase_frames modulo hop_frames; 0 before the first "
            "such frame. The frames are logical ones, counted from the start of the render, so neither blocks nor "
            "calls move them. There is no filter: what lies above half of fs / hop_frames aliases.",
     .params = kParams,
     .cases = kCases,
     .adjoint = AMP_ADJOINT_EXACT,
     .laws = AMP_LAW_BLOCK_INVARIANT | AMP_LAW_LINEAR | AMP_LAW_SILENCE},
    kIn, kOut);

}  // namespace

extern const NodeType node_hold;
const NodeType node_hold{.kind = NodeKind::row, .contract = &kContract, .ops = {ops<double>(), ops<f64x8>()}};

}  // namespace amp::AMP_KNS
