// pan: places a mono signal between two channels with constant power, or balances a stereo signal.
#include "dsp/math.hpp"
#include "nodes/contract.hpp"
#include "nodes/kernel.hpp"

namespace amp::AMP_KNS {
namespace {

enum Param { kPosition };

// Gain of output channel 0 or 1 at position p.
f64x8 gain_of(int channel, bool stereo, f64x8 p) {
    if (stereo) return vcos2pi(vmax(f64x8(0.0), channel == 0 ? p : -p) * f64x8(0.25));
    const f64x8 cycles = (p + f64x8(1.0)) * f64x8(0.125);
    return channel == 0 ? vcos2pi(cycles) : vsin2pi(cycles);
}

template <bool kTick> uint32_t fire(Step& s, const Firing& f) {
    const Packs packs(s, f);
    const bool stereo = s.channels == 2;
    const View& position = s.par[kPosition];
    Watch watch;
    for (int c = 0; c < 2; ++c)
        for (int g = 0; g < s.env->groups; ++g) {
            const double* x = row(s.in[0], stereo ? c : 0, g, f.offset);
            const double* p = row(position, stereo ? c : 0, g, f.offset);
            double* out = row(s.out[0], c, g, f.offset);
            f64x8 gain(0.0);
            if (position.step == 0) gain = gain_of(c, stereo, load(p));
            for (uint32_t i = 0; i < f.frames; i += packs.frames) {
                if (position.step != 0) gain = gain_of(c, stereo, at<f64x8>(p, position, i));
                const f64x8 y = gain * at<f64x8>(x, s.in[0], i);
                if (kTick)
                    store_first(out + i * s.out[0].step, y, packs.valid(i));
                else
                    store(out + i * s.out[0].step, y);
                watch.see(y, packs.valid(i));
            }
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
constexpr amp_node_contract kContract{sizeof(amp_node_contract),
                                      1,
                                      "pan",
                                      "mix",
                                      "Places a mono signal in stereo, or balances a stereo signal.",
                                      "Mono, constant power: L = cos(theta) x, R = sin(theta) x with theta = (position "
                                      "+ 1) pi / 4, so the centre is 3 dB down in both.\n"
                                      "Stereo, balance: L = cos(max(0, position) pi / 2) L, R = cos(max(0, -position) "
                                      "pi / 2) R; the centre passes both bit for bit and the "
                                      "nearer side always stays at unity.",
                                      kIn,
                                      kOut,
                                      kParams,
                                      kCases,
                                      count(kIn),
                                      count(kOut),
                                      count(kParams),
                                      count(kCases),
                                      0,
                                      1,
                                      AMP_ADJOINT_EXACT,
                                      "",
                                      AMP_LAW_BLOCK_INVARIANT | AMP_LAW_LINEAR | AMP_LAW_TIME_INVARIANT |
                                          AMP_LAW_SILENCE,
                                      0};

}  // namespace

extern const NodeType node_pan;
const NodeType node_pan =
    custom_type(kContract, stateless(fire<false>, fire<true>), stateless(fire<false>, fire<true>));

}  // namespace amp::AMP_KNS
