// pan: distributes a mono signal between two channels with constant power, or balances a stereo signal.
#include "dsp/math.hpp"
#include "kernel/contract.hpp"
#include "kernel/packs.hpp"

namespace amp::AMP_KNS {
namespace {

enum Param { kPosition };

// The gain of output channel 0 or 1 at position p.
f64x8 gain_of(int channel, bool stereo, f64x8 p) {
    if (stereo) return vcos2pi(vmax(f64x8(0.0), channel == 0 ? p : -p) * f64x8(0.25));
    const f64x8 cycles = (p + f64x8(1.0)) * f64x8(0.125);
    return channel == 0 ? vcos2pi(cycles) : vsin2pi(cycles);
}

// Gains of a position that is constant over frames, stored per row: two for each row of the work.
f64x8& held_gain(const Step& s, int channel, int g) {
    const int r = s.channels == 2 ? channel * s.env->groups + g : g;
    return reinterpret_cast<f64x8*>(s.coef)[2 * r + channel];
}

void prepare(Step& s) {
    if (s.varying) return;
    const bool stereo = s.channels == 2;
    for (int c = 0; c < 2; ++c)
        for (int g = 0; g < s.env->groups; ++g)
            held_gain(s, c, g) = gain_of(c, stereo, load(row(s.par[kPosition], stereo ? c : 0, g, 0)));
}

template <bool kTick, bool kMoving>
void pan_row(f64x8 gain, const double* x, int64_t step, const double* p, int64_t p_step, double* y, int64_t y_step,
             int channel, bool stereo, const Packs& packs, Watch& seen) {
    Watch watch;
    const auto pack = [&](int64_t i) __attribute__((always_inline)) {
        if constexpr (kMoving) gain = gain_of(channel, stereo, load(p + i * p_step));
        return gain * load(x + i * step);
    };
    const int64_t window = packs.window, frames = packs.frames;
    int64_t i = 0;
#pragma GCC unroll 4
    for (; i + frames <= window; i += frames) {
        const f64x8 z = pack(i);
        store(y + i * y_step, z);
        watch.see(z);
        one_loop();
    }
    if (i < window) {
        const f64x8 z = pack(i);
        const auto valid = static_cast<uint32_t>(window - i);
        if constexpr (kTick)
            store_first(y + i * y_step, z, valid);
        else
            store(y + i * y_step, z);
        watch.see(z, valid);
    }
    seen.add(watch);
}

template <bool kTick> uint32_t fire(Step& s, const Firing& f) {
    const Packs packs(s, f);
    const bool stereo = s.channels == 2;
    const View& position = s.par[kPosition];
    Watch watch;
    for (int c = 0; c < 2; ++c)
        for (int g = 0; g < s.env->groups; ++g) {
            const auto run = position.step ? pan_row<kTick, true> : pan_row<kTick, false>;
            run(held_gain(s, c, g), row(s.in[0], stereo ? c : 0, g, f.offset), s.in[0].step,
                row(position, stereo ? c : 0, g, f.offset), position.step, row(s.out[0], c, g, f.offset), s.out[0].step,
                c, stereo, packs, watch);
        }
    return watch.verdict();
}

constexpr amp_param_contract kParams[] = {
    number("position", "1", -1.0, 1.0, 0.0, "-1 left, 0 centre, 1 right."),
};
constexpr amp_port_contract kIn[] = {
    {"in", "Mono signal to place, or stereo signal to balance.", AMP_CHANNELS_ANY, AMP_GATHER_SUM, 0, 0, 0.0}};
constexpr amp_port_contract kOut[] = {output("out", "Left and right.", AMP_CHANNELS_STEREO)};
constexpr amp_case_contract kCases[] = {
    {"centre", "noise", "position=0", 1, 256, "exact", 0, kExactReason},
    {"left", "ramp", "position=-0.7", 1, 100, "exact", 0, kExactReason},
    {"balance", "noise", "position=0.4", 2, 256, "exact", 0, kExactReason},
};
constexpr amp_node_contract kContract = contract(
    {.id = "pan",
     .group = "mix",
     .summary = "Places a mono signal in stereo, or balances a stereo signal.",
     .doc = "Mono, constant power: L = cos(theta) x, R = sin(theta) x with theta = (position + 1) pi / 4, so the "
            "centre is 3 dB down in both.\nStereo, balance: L = cos(max(0, position) pi / 2) L, R = cos(max(0, "
            "-position) pi / 2) R; the centre passes both bit for bit and the nearer side always stays at unity.",
     .params = kParams,
     .cases = kCases,
     .adjoint = AMP_ADJOINT_EXACT,
     .laws = AMP_LAW_BLOCK_INVARIANT | AMP_LAW_LINEAR | AMP_LAW_TIME_INVARIANT | AMP_LAW_SILENCE},
    kIn, kOut);

}  // namespace

extern const NodeType node_pan;
constexpr LayoutOps kOps{
    .fire = fire<false>, .tick = ticking<fire<true>>, .prepare = prepare, .coef_bytes = 2 * sizeof(f64x8)};
const NodeType node_pan{.kind = NodeKind::row, .contract = &kContract, .ops = {kOps, kOps}};

}  // namespace amp::AMP_KNS
